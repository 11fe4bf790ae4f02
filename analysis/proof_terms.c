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
    size_t dim = engine->dim, at = hsgd_own_place(engine, place);
    const double *model = engine->measured_model + at * dim, *own = engine->measured_gradient + at * dim;
    hsgd_pair_sums pair = HSGD_PICK_PATH(hsgd_moments_kernels)->pair(model, own, point, gradient, dim);
    compare(&engine->smoothness[at], t, &pair, sqrt(pair.grad_size_sq));
}

void hsgd_proof_see(hsgd_engine *engine, size_t place, size_t t, const double *model, const double *gradient)
{
    size_t at = hsgd_own_place(engine, place) * engine->dim;
    if (t > 0)
        hsgd_proof_compare(engine, place, t, model, gradient);
    memcpy(engine->measured_model + at, model, engine->dim * sizeof *model);
    memcpy(engine->measured_gradient + at, gradient, engine->dim * sizeof *gradient);
}

static void reset(hsgd_proof_part *part, size_t dim)
{
    memset(part->gradient, 0, dim * sizeof *part->gradient);
    memset(part->noise, 0, dim * sizeof *part->noise);
    part->weight = part->noise_sq = part->independent_noise_sq = 0;
}

/* Steps without noise. */
static void exact_steps(const hsgd_engine *engine, hsgd_proof_part *part, double *model, const double *exact,
                        size_t stride, const double *weight, size_t count)
{
    const hsgd_moments_kernels *kernels = HSGD_PICK_PATH(hsgd_moments_kernels);
    size_t dim = engine->dim;
    for (size_t j = 0; j < count; j++, model += engine->stride) {
        kernels->add(part->gradient, exact + j * stride, weight[j], dim);
        kernels->step(model, model, exact + j * stride, engine->simulation->step_size, dim);
    }
}

/* The noise of steps that are made now, or have been; the squared norms go into noise_sq (count). */
static void noisy_steps(const hsgd_engine *engine, hsgd_proof_part *part, const hsgd_past *step, size_t first,
                        size_t count, const double *exact, size_t stride, const double *weight, double *noise_sq,
                        hsgd_thread_space *space)
{
    const hsgd_simulation *s = engine->simulation;
    const hsgd_step_record sums = {part->gradient, part->noise, noise_sq};
    double *model = step->model + (first - step->first) * engine->stride;
    double *drawn = step->drawn ? step->drawn + (first - step->first) * engine->dim : space->drawn;
    if (!step->drawn)
        hsgd_objective_stochastic_rows(s->objective, model, engine->stride, engine->placement + first, count,
                                       s->batch_size, s->seed, step->t, drawn, space->scratch);
    HSGD_PICK_PATH(hsgd_moments_kernels)
        ->descend(step->drawn ? NULL : model, engine->stride, drawn, exact, stride, count,
                  engine->hierarchy->worker_weight ? weight : NULL, s->step_size, &sums, engine->dim);
}

static void add_noise_sq(const hsgd_engine *engine, hsgd_proof_part *part, size_t t, size_t first, size_t count,
                         const double *weight, const double *noise_sq)
{
    size_t measured = t / engine->simulation->measure_every + 1;
    double share = 1 / (double)measured; /* in the mean over the steps so far */
    double sum = part->noise_sq, independent = part->independent_noise_sq;
    for (size_t j = 0; j < count; j++) {
        double *mean = &engine->trace->worker_noise_sq[engine->placement[first + j]];
        sum += weight[j] * noise_sq[j];
        independent += weight[j] * weight[j] * noise_sq[j];
        *mean += (noise_sq[j] - *mean) * share;
    }
    part->noise_sq = sum;
    part->independent_noise_sq = independent;
}

/* The slot of the step, with the weights of these workers added. */
static hsgd_proof_part *open_part(const hsgd_engine *engine, size_t unit, const hsgd_past *step, size_t first,
                                  size_t count, double *weight)
{
    hsgd_proof_part *part = &engine->window.unit_proof[step->row * engine->num_units + unit];
    if (first == engine->unit[unit].first)
        reset(part, engine->dim);
    part->weight = hsgd_place_weights(engine->hierarchy, first, count, weight, part->weight);
    return part;
}

void hsgd_proof_add(hsgd_engine *engine, size_t unit, const hsgd_past *step, size_t first, size_t count,
                    const double *exact, size_t stride, hsgd_thread_space *space)
{
    double weight[HSGD_ROWS_AT_ONCE], noise_sq[HSGD_ROWS_AT_ONCE];
    hsgd_proof_part *part = open_part(engine, unit, step, first, count, weight);
    if (engine->simulation->exact_gradients) {
        exact_steps(engine, part, step->model + (first - step->first) * engine->stride, exact, stride, weight, count);
        return;
    }
    noisy_steps(engine, part, step, first, count, exact, stride, weight, noise_sq, space);
    add_noise_sq(engine, part, step->t, first, count, weight, noise_sq);
}

void hsgd_proof_steps(hsgd_engine *engine, size_t unit, const hsgd_past *step, size_t first, size_t count,
                      hsgd_thread_space *space)
{
    const hsgd_simulation *s = engine->simulation;
    double weight[HSGD_ROWS_AT_ONCE], noise_sq[HSGD_ROWS_AT_ONCE];
    hsgd_proof_part *part = open_part(engine, unit, step, first, count, weight);
    const hsgd_step_record record = {part->gradient, part->noise, noise_sq};
    s->objective->type->recorded_step_rows(s->objective, hsgd_model_at(engine, space, first), engine->stride,
                                           engine->placement + first, count, s->batch_size, s->seed, step->t,
                                           s->step_size, &record, space->scratch);
    add_noise_sq(engine, part, step->t, first, count, weight, noise_sq);
}

void hsgd_proof_merge(hsgd_engine *engine, size_t row)
{
    const hsgd_moments_kernels *kernels = HSGD_PICK_PATH(hsgd_moments_kernels);
    hsgd_proof_part *root = &engine->window.root_proof[row];
    size_t dim = engine->dim;
    reset(root, dim);
    for (size_t i = 0; i < engine->num_units; i++) {
        const hsgd_proof_part *part = &engine->window.unit_proof[row * engine->num_units + i];
        if (i + HSGD_UNITS_AHEAD < engine->num_units) {
            hsgd_ask_for(part[HSGD_UNITS_AHEAD].gradient, dim);
            hsgd_ask_for(part[HSGD_UNITS_AHEAD].noise, dim);
        }
        kernels->add(root->gradient, part->gradient, 1, dim);
        kernels->add(root->noise, part->noise, 1, dim);
        root->weight += part->weight;
        root->noise_sq += part->noise_sq;
        root->independent_noise_sq += part->independent_noise_sq;
    }
    for (size_t i = 0; i < dim; i++) {
        root->gradient[i] /= root->weight;
        root->noise[i] /= root->weight;
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
    *out = (hsgd_proof_terms){.mean_gradient_sq = hsgd_norm_sq(root->gradient, dim),
                              .drift_error_sq = hsgd_distance_sq(gradient, root->gradient, dim)};
    if (engine->simulation->exact_gradients)
        return;
    double weight = root->weight;
    out->mean_noise_sq = hsgd_norm_sq(root->noise, dim);
    out->gradient_dot_noise = hsgd_dot(gradient, root->noise, dim);
    out->mean_gradient_dot_noise = hsgd_dot(root->gradient, root->noise, dim);
    out->noise_sq = root->noise_sq / weight;
    out->independent_noise_sq = root->independent_noise_sq / (weight * weight);
}

void hsgd_proof_finish(hsgd_engine *engine)
{
    hsgd_trace *trace = engine->trace;
    for (size_t place = engine->own.first_place; engine->smoothness && place < engine->own.end_place; place++) {
        const hsgd_seen_smoothness *seen = &engine->smoothness[hsgd_own_place(engine, place)];
        if (seen->ratio > trace->smoothness.ratio) {
            trace->smoothness = *seen;
            trace->smoothness.worker = engine->placement[place];
        }
    }
    hsgd_share_smoothness(engine);
    hsgd_share_noise(engine);
}
