/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Constants of plug-ins: what they say, and for L and sigma^2 else what a search around the start finds, as for networks. */
#include <math.h>
#include <stdbool.h>

#include "analysis/estimate.h"
#include "analysis/plugin_private.h"

/* Stochastic gradients that sigma^2 is estimated from, at each point and worker, and the seed that they are drawn with. */
enum { NOISE_DRAWS = 32 };
static const uint64_t NOISE_SEED = 0x6e6f697365; /* "noise" */

/* ---- what the plug-in says ---- */

static hsgd_status take(hsgd_constant *out, bool *known, const hsgd_plugin_constant *said, const char *name, double low,
                        hsgd_error *err)
{
    static const hsgd_constant_kind kind[] = {[HSGD_PLUGIN_EXACT] = HSGD_EXACT,
                                              [HSGD_PLUGIN_CERTIFIED] = HSGD_CERTIFIED,
                                              [HSGD_PLUGIN_ESTIMATE] = HSGD_ESTIMATE};
    *known = said->kind != HSGD_PLUGIN_UNKNOWN;
    if (!*known)
        return HSGD_OK;
    if (said->kind < 0 || said->kind > HSGD_PLUGIN_ESTIMATE)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "problem: constants: %s: the kind %d is none of 0 to %d", name,
                         said->kind, HSGD_PLUGIN_ESTIMATE);
    if (!isfinite(said->value) || !(said->value >= low))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "problem: constants: %s: %g is not a finite number%s", name,
                         said->value, low == 0 ? " of at least 0" : "; leave it unknown");
    *out = (hsgd_constant){said->value, kind[said->kind]};
    return HSGD_OK;
}

/* Nothing is known of f* until the plug-in says something: f >= -infinity is certain. */
static hsgd_status ask(const hsgd_plugin_state *s, size_t batch_size, hsgd_constants *out, bool *has_smoothness,
                       bool *has_noise, hsgd_error *err)
{
    bool has_minimum;
    hsgd_plugin_constants said = {.size = sizeof said, .convexity = -INFINITY};
    if (s->calls.constants)
        s->calls.constants(s->problem, batch_size, &said);
    *out = (hsgd_constants){.minimum = {-INFINITY, HSGD_CERTIFIED}, .convexity = said.convexity};
    hsgd_status status = take(&out->smoothness, has_smoothness, &said.smoothness, "smoothness", 0, err);
    if (!status)
        status = take(&out->noise_sq, has_noise, &said.noise_sq, "noise_sq", 0, err);
    if (!status)
        status = take(&out->minimum, &has_minimum, &said.minimum, "minimum", -INFINITY, err);
    if (!status && (isnan(said.convexity) || (*has_smoothness && said.convexity > said.smoothness.value)))
        status = hsgd_fail(err, HSGD_ERROR_INPUT,
                           "problem: constants: convexity: %g is not a number of at most smoothness", said.convexity);
    return status;
}

/* ---- estimates ---- */

/* The objective, seen by the search: its noise is that of this batch size. */
typedef struct sampled {
    const hsgd_objective *objective;
    size_t batch_size;
} sampled;

static size_t sampled_scratch(const hsgd_objective *objective, size_t batch_size)
{
    const sampled *s = objective->state;
    (void)batch_size;
    return objective->dim + s->objective->type->scratch_size(s->objective, s->batch_size);
}

static void sampled_full(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count,
                         double *loss, double *grad, double *scratch)
{
    const sampled *s = objective->state;
    s->objective->type->full(s->objective, point, worker, count, loss, grad, scratch);
}

/* The mean of ||g - grad F||^2 over some draws; the gradient is in the first numbers of the scratch memory. */
static double sampled_noise_sq(const hsgd_objective *objective, const double *point, size_t worker, double *grad,
                               double *scratch)
{
    const sampled *s = objective->state;
    size_t dim = objective->dim;
    double loss, *full = scratch, sum = 0;
    sampled_full(objective, point, &worker, 1, &loss, full, scratch + dim);
    for (uint64_t k = 0; k < NOISE_DRAWS; k++) {
        s->objective->type->stochastic(s->objective, point, worker, s->batch_size, NOISE_SEED, k, grad, scratch + dim);
        for (size_t i = 0; i < dim; i++)
            sum += (grad[i] - full[i]) * (grad[i] - full[i]);
    }
    return sum / NOISE_DRAWS;
}

static hsgd_status estimate(const hsgd_objective *objective, size_t batch_size, hsgd_constants *out,
                            bool has_smoothness, bool has_noise, hsgd_error *err)
{
    static const hsgd_objective_type type = {.scratch_size = sampled_scratch, .full = sampled_full};
    const hsgd_plugin_state *s = objective->state;
    sampled view = {objective, batch_size};
    const hsgd_objective seen = {&type, &view, objective->dim, objective->num_workers};
    const hsgd_estimate_request request = {
        .objective = &seen, .start = s->start, .noise_sq = has_noise ? NULL : sampled_noise_sq};
    hsgd_constant_estimates found;
    hsgd_status status = hsgd_estimate_constants(&found, &request, err);
    if (status)
        return status;
    if (!has_smoothness)
        out->smoothness = (hsgd_constant){found.smoothness, HSGD_ESTIMATE};
    if (!has_noise)
        out->noise_sq = (hsgd_constant){found.noise_sq, HSGD_ESTIMATE};
    return HSGD_OK;
}

/* Runs without noise are made once only, and batch size 0 is how to ask for them. */
static hsgd_status check_noise(const hsgd_constant *noise_sq, size_t batch_size, hsgd_error *err)
{
    if (noise_sq->value > 0)
        return HSGD_OK;
    return hsgd_fail(
        err, HSGD_ERROR_INPUT,
        "optimizer.batch_size: %zu, but sigma^2 of the plug-in's stochastic gradients is 0 (%s); use 0, or let "
        "the plug-in give noise_sq",
        batch_size, hsgd_constant_kind_name(noise_sq->kind));
}

hsgd_status hsgd_plugin_find_constants(const hsgd_objective *objective, size_t batch_size, hsgd_constants *out,
                                       hsgd_error *err)
{
    bool has_smoothness, has_noise;
    hsgd_status status = ask(objective->state, batch_size, out, &has_smoothness, &has_noise, err);
    if (status)
        return status;
    if (batch_size == 0) { /* full gradients, whatever it says */
        out->noise_sq = (hsgd_constant){0, HSGD_EXACT};
        has_noise = true;
    }
    if (!has_smoothness || !has_noise)
        status = estimate(objective, batch_size, out, has_smoothness, has_noise, err);
    return status || batch_size == 0 ? status : check_noise(&out->noise_sq, batch_size, err);
}
