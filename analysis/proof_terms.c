/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the proof of the descent step talks about (THEORY 4.2a and 4.5): gradients at the workers' own models, their noise,
 * and how fast gradients change between points that the run meets. */
#include "analysis/engine_private.h"

#include <math.h>
#include <string.h>

#include "analysis/moments_private.h"

/* Differences below this share of the numbers they come from are mostly rounding; a pair's ratio is then not looked at. */
static const double CLOSE = 1e-7;

/* The larger of what was seen and a pair whose gradients were made from numbers of size grad_size. */
static void compare(hsgd_seen_smoothness *seen, size_t step, const hsgd_pair_sums *pair, double grad_size)
{
    double distance = sqrt(pair->distance_sq), change = sqrt(pair->change_sq), ratio = change / distance;
    if (!(distance > CLOSE * sqrt(pair->size_sq)) || !(change > CLOSE * grad_size) || !(ratio > seen->ratio) ||
        !isfinite(ratio))
        return;
    seen->ratio = ratio;
    seen->step = step;
}

void hsgd_proof_compare(hsgd_engine *engine, size_t place, size_t t, const double *point, const double *gradient)
{
    size_t dim = engine->dim;
    const double *model = engine->measured_model + place * dim, *own = engine->measured_gradient + place * dim;
    hsgd_pair_sums pair = HSGD_PICK_PATH(hsgd_moments_kernels)->pair(model, own, point, gradient, dim);
    compare(&engine->smoothness[place], t, &pair, sqrt(pair.grad_size_sq));
}

void hsgd_proof_gradients(hsgd_engine *engine, const hsgd_unit *unit, size_t t, hsgd_thread_space *space)
{
    const hsgd_objective *objective = engine->simulation->objective;
    for (size_t place = unit->first; place < unit->first + unit->count; place++) {
        size_t at = place * engine->dim;
        const double *model = engine->model + at;
        objective->type->full(objective, model, engine->placement + place, 1, space->loss, space->grad, space->scratch);
        if (t > 0)
            hsgd_proof_compare(engine, place, t, model, space->grad);
        memcpy(engine->measured_model + at, model, engine->dim * sizeof *model);
        memcpy(engine->measured_gradient + at, space->grad, engine->dim * sizeof *space->grad);
    }
}

const double *hsgd_proof_gradient(hsgd_engine *engine, size_t place, hsgd_thread_space *space)
{
    const hsgd_objective *objective = engine->simulation->objective;
    size_t at = place * engine->dim;
    double *gradient = space->grad + 2 * engine->dim;
    if (engine->measured_gradient)
        return engine->measured_gradient + at;
    objective->type->full(objective, engine->model + at, engine->placement + place, 1, space->loss, gradient,
                          space->scratch);
    return gradient;
}

void hsgd_proof_add(hsgd_engine *engine, size_t unit, size_t row, size_t place, size_t t, const double *gradient,
                    const double *noise)
{
    hsgd_proof_part *part = &engine->window.unit_proof[unit * engine->max_rows + row];
    double weight = hsgd_place_weight(engine->hierarchy, place);
    if (place == engine->unit[unit].first) {
        hsgd_moments_reset(&part->gradient);
        hsgd_moments_reset(&part->noise);
        part->noise_sq = part->independent_noise_sq = 0;
    }
    hsgd_moments_add(&part->gradient, weight, gradient, 0, engine->dim);
    if (!noise)
        return;
    double *mean = &engine->trace->worker_noise_sq[engine->placement[place]];
    double noise_sq = hsgd_moments_add_row(&part->noise, weight, noise, 0, engine->dim);
    part->noise_sq += weight * noise_sq;
    part->independent_noise_sq += weight * weight * noise_sq;
    *mean += (noise_sq - *mean) / (double)(t / engine->simulation->measure_every + 1);
}

void hsgd_proof_merge(hsgd_engine *engine, size_t row)
{
    hsgd_proof_part *root = &engine->window.root_proof[row];
    hsgd_moments_reset(&root->gradient);
    hsgd_moments_reset(&root->noise);
    root->noise_sq = root->independent_noise_sq = 0;
    for (size_t i = 0; i < engine->num_units; i++) {
        const hsgd_proof_part *part = &engine->window.unit_proof[i * engine->max_rows + row];
        hsgd_moments_add(&root->gradient, part->gradient.weight, part->gradient.mean, 0, engine->dim);
        if (engine->simulation->exact_gradients)
            continue;
        hsgd_moments_add(&root->noise, part->noise.weight, part->noise.mean, 0, engine->dim);
        root->noise_sq += part->noise_sq;
        root->independent_noise_sq += part->independent_noise_sq;
    }
}

/* From wbar and grad f(wbar) of the row before to those of this one. Near a minimiser grad f is what is left of the much
 * larger grad F_j, so its rounding is theirs. */
static void follow_path(hsgd_engine *engine, const double *mean, const hsgd_part *whole, size_t trace_row)
{
    const double *gradient = whole->moments.mean;
    size_t dim = engine->dim;
    double *last = engine->measured_mean, *last_gradient = last ? last + dim : NULL;
    if (!last)
        return;
    hsgd_pair_sums pair = HSGD_PICK_PATH(hsgd_moments_kernels)->pair(mean, gradient, last, last_gradient, dim);
    if (trace_row > 0)
        compare(&engine->trace->path_smoothness, engine->trace->step[trace_row], &pair, sqrt(whole->norm_sq));
    memcpy(last, mean, dim * sizeof *last);
    memcpy(last_gradient, gradient, dim * sizeof *last);
}

void hsgd_proof_record(hsgd_engine *engine, const hsgd_root_row *root_row, size_t row, size_t trace_row)
{
    const double *gradient = root_row->whole.moments.mean;
    size_t dim = engine->dim;
    follow_path(engine, engine->window.root[row].moments.mean, &root_row->whole, trace_row);
    if (trace_row == engine->trace->num_measured)
        return;
    const hsgd_proof_part *root = &engine->window.root_proof[row];
    hsgd_proof_terms *out = &engine->trace->proof[trace_row];
    *out = (hsgd_proof_terms){.mean_gradient_sq = hsgd_norm_sq(root->gradient.mean, dim),
                              .drift_error_sq = hsgd_distance_sq(gradient, root->gradient.mean, dim)};
    if (engine->simulation->exact_gradients)
        return;
    double weight = root->noise.weight;
    out->mean_noise_sq = hsgd_norm_sq(root->noise.mean, dim);
    out->gradient_dot_noise = hsgd_dot(gradient, root->noise.mean, dim);
    out->mean_gradient_dot_noise = hsgd_dot(root->gradient.mean, root->noise.mean, dim);
    out->noise_sq = root->noise_sq / weight;
    out->independent_noise_sq = root->independent_noise_sq / (weight * weight);
}

void hsgd_proof_finish(hsgd_engine *engine)
{
    hsgd_trace *trace = engine->trace;
    for (size_t place = 0; engine->smoothness && place < trace->num_workers; place++)
        if (engine->smoothness[place].ratio > trace->smoothness.ratio) {
            trace->smoothness = engine->smoothness[place];
            trace->smoothness.worker = engine->placement[place];
        }
}
