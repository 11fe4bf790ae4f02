/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/plugin_objective.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"
#include "analysis/plugin_private.h"

/* ---- the record ---- */

/* What every record has: up to the first function that is optional. */
static const size_t LEAST_SIZE = offsetof(hsgd_plugin_interface, scratch_size);

static bool is_name(const char *text)
{
    size_t length = text ? strlen(text) : 0;
    for (size_t i = 0; i < length; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    return length > 0 && length < HSGD_PLUGIN_NAME_SIZE;
}

static hsgd_status verify_functions(const hsgd_plugin_interface *plugin, hsgd_error *err)
{
    const char *missing = !plugin->create                ? "create"
                          : !plugin->destroy             ? "destroy"
                          : !plugin->dimension           ? "dimension"
                          : !plugin->loss                ? "loss"
                          : !plugin->stochastic_gradient ? "stochastic_gradient"
                                                         : NULL;
    return missing ? hsgd_fail(err, HSGD_ERROR_INPUT, "hsgd_plugin.%s: NULL, but the function is required", missing)
                   : HSGD_OK;
}

hsgd_status hsgd_plugin_verify(const hsgd_plugin_interface *plugin, hsgd_error *err)
{
    if (plugin->interface != HSGD_PLUGIN_INTERFACE)
        return hsgd_fail(
            err, HSGD_ERROR_INPUT,
            "hsgd_plugin.interface: %u, but this hsgd speaks version %d of the interface; compile the plug-in "
            "with its analysis/plugin.h",
            (unsigned)plugin->interface, HSGD_PLUGIN_INTERFACE);
    if (plugin->size < LEAST_SIZE)
        return hsgd_fail(
            err, HSGD_ERROR_INPUT,
            "hsgd_plugin.size: %u bytes, but the required functions take %zu; set it to sizeof hsgd_plugin",
            (unsigned)plugin->size, LEAST_SIZE);
    if (!is_name(plugin->name))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "hsgd_plugin.name: not 1 to %d printable characters of ASCII",
                         HSGD_PLUGIN_NAME_SIZE - 1);
    if (plugin->version && !is_name(plugin->version))
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "hsgd_plugin.version: not 1 to %d printable characters of ASCII, nor NULL",
                         HSGD_PLUGIN_NAME_SIZE - 1);
    return verify_functions(plugin, err);
}

/* ---- random numbers ---- */

static hsgd_stream stream_of(const hsgd_plugin_random *random, hsgd_purpose purpose)
{
    return (hsgd_stream){random->seed, purpose, random->worker, random->step};
}

static void step_normals(const hsgd_plugin_random *random, double standard_deviation, double *out, size_t count)
{
    hsgd_stream stream = stream_of(random, HSGD_PURPOSE_NOISE);
    hsgd_normals(&stream, standard_deviation, out, count);
}

static void step_indices(const hsgd_plugin_random *random, size_t first, size_t bound, size_t *out, size_t count)
{
    hsgd_stream stream = stream_of(random, HSGD_PURPOSE_BATCH);
    hsgd_uniform_indices(&stream, first, bound, out, count);
}

static void problem_normals(const hsgd_plugin_random *random, double standard_deviation, double *out, size_t count)
{
    hsgd_stream stream = stream_of(random, HSGD_PURPOSE_PROBLEM);
    hsgd_normals(&stream, standard_deviation, out, count);
}

static void problem_indices(const hsgd_plugin_random *random, size_t first, size_t bound, size_t *out, size_t count)
{
    hsgd_stream stream = stream_of(random, HSGD_PURPOSE_PARTITION);
    hsgd_uniform_indices(&stream, first, bound, out, count);
}

/* ---- the objective's functions ---- */

static size_t scratch_size(const hsgd_objective *objective, size_t batch_size)
{
    const hsgd_plugin_state *s = objective->state;
    if (!s->calls.scratch_size)
        return 1; /* a plug-in may look at the address */
    size_t full = s->calls.scratch_size(s->problem, 0), batch = s->calls.scratch_size(s->problem, batch_size);
    return 1 + (full > batch ? full : batch);
}

static void full(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count, double *loss,
                 double *grad, double *scratch)
{
    const hsgd_plugin_state *s = objective->state;
    if (s->calls.losses) {
        s->calls.losses(s->problem, worker, count, point, loss, grad, scratch);
        return;
    }
    for (size_t j = 0; j < count; j++)
        loss[j] = s->calls.loss(s->problem, worker[j], point, grad + j * objective->dim, scratch);
}

/* Do all workers look at one and the same point? */
static bool is_shared(const double *const *point, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (point[i] != point[0])
            return false;
    return true;
}

static void full_at(const hsgd_objective *objective, const double *const *point, size_t num_points,
                    const size_t *worker, size_t count, double *loss, double *grad, double *scratch)
{
    double unwanted[HSGD_ROWS_AT_ONCE * HSGD_POINTS_AT_ONCE];
    loss = loss ? loss : unwanted;
    if (num_points == 1 && is_shared(point, count))
        full(objective, point[0], worker, count, loss, grad, scratch);
    else
        for (size_t i = 0; i < count * num_points; i++)
            full(objective, point[i], worker + i / num_points, 1, loss + i, grad + i * objective->dim, scratch);
}

static hsgd_plugin_random random_of(uint64_t seed, size_t worker, uint64_t step)
{
    return (hsgd_plugin_random){
        .seed = seed, .step = step, .worker = (uint32_t)worker, .normals = step_normals, .indices = step_indices};
}

static void stochastic(const hsgd_objective *objective, const double *point, size_t worker, size_t batch_size,
                       uint64_t seed, uint64_t step, double *grad, double *scratch)
{
    const hsgd_plugin_state *s = objective->state;
    const hsgd_plugin_random random = random_of(seed, worker, step);
    if (batch_size > 0)
        s->calls.stochastic_gradient(s->problem, worker, point, batch_size, &random, grad, scratch);
    else
        s->calls.loss(s->problem, worker, point, grad, scratch);
}

static void stochastic_rows(const hsgd_objective *objective, const double *point, size_t stride, const size_t *worker,
                            size_t count, size_t batch_size, uint64_t seed, uint64_t step, double *grad,
                            double *scratch)
{
    const hsgd_plugin_state *s = objective->state;
    hsgd_plugin_random random[HSGD_ROWS_AT_ONCE];
    if (s->calls.stochastic_gradients && batch_size > 0) {
        for (size_t j = 0; j < count; j++)
            random[j] = random_of(seed, worker[j], step);
        s->calls.stochastic_gradients(s->problem, worker, count, point, stride, batch_size, random, grad, scratch);
        return;
    }
    for (size_t j = 0; j < count; j++)
        stochastic(objective, point + j * stride, worker[j], batch_size, seed, step, grad + j * objective->dim,
                   scratch);
}

static void free_state(void *state)
{
    hsgd_plugin_state *s = state;
    if (s->problem)
        s->calls.destroy(s->problem);
    free(s->start);
    free(s);
}

/* ---- construction ---- */

/* Asks the plug-in for a problem of this many workers. */
static hsgd_status create(hsgd_plugin_state *s, const hsgd_plugin_parameters *parameters, size_t num_workers,
                          uint64_t seed, hsgd_error *err)
{
    char message[512] = "";
    const hsgd_plugin_random random = {.seed = seed, .normals = problem_normals, .indices = problem_indices};
    const hsgd_plugin_setting setting = {
        .size = sizeof setting, .num_workers = num_workers, .seed = seed, .parameters = parameters, .random = &random};
    s->problem = s->calls.create(&setting, message, sizeof message);
    message[sizeof message - 1] = '\0';
    return s->problem ? HSGD_OK
                      : hsgd_fail(err, HSGD_ERROR_INPUT, "%s",
                                  *message ? message : "the plug-in makes no problem of them and does not say why");
}

static hsgd_status find_dimension(hsgd_objective *objective, hsgd_plugin_state *s, hsgd_error *err)
{
    objective->dim = s->calls.dimension(s->problem);
    if (objective->dim == 0)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the plug-in's dimension is 0");
    hsgd_status status =
        hsgd_memory_check(8.0 * (double)objective->dim, "a point of the plug-in's problem", "a smaller dimension", err);
    if (status)
        return status;
    s->start = calloc(objective->dim, sizeof *s->start);
    return s->start ? HSGD_OK : hsgd_fail_memory(err, "the plug-in's starting point");
}

hsgd_status hsgd_plugin_objective(hsgd_objective *out, const hsgd_plugin_interface *plugin,
                                  const hsgd_plugin_parameters *parameters, size_t num_workers, uint64_t seed,
                                  hsgd_error *err)
{
    static const hsgd_objective_type type = {.scratch_size = scratch_size,
                                             .full = full,
                                             .stochastic = stochastic,
                                             .full_at = full_at,
                                             .stochastic_rows = stochastic_rows,
                                             .constants = hsgd_plugin_find_constants,
                                             .free = free_state};
    hsgd_plugin_state *s = calloc(1, sizeof *s);
    memset(out, 0, sizeof *out);
    if (!s)
        return hsgd_fail_memory(err, "the plug-in");
    memcpy(&s->calls, plugin, plugin->size < sizeof s->calls ? plugin->size : sizeof s->calls);
    snprintf(s->name, sizeof s->name, "%s (plug-in)", plugin->name);
    s->type = type;
    s->type.name = s->name;
    *out = (hsgd_objective){.type = &s->type, .state = s, .num_workers = num_workers};
    hsgd_status status = create(s, parameters, num_workers, seed, err);
    if (!status)
        status = find_dimension(out, s, err);
    if (status)
        hsgd_objective_free(out);
    return status;
}

void hsgd_plugin_initial(const hsgd_objective *objective, double *point)
{
    const hsgd_plugin_state *s = objective->state;
    memset(point, 0, objective->dim * sizeof *point);
    if (s->calls.initial_point)
        s->calls.initial_point(s->problem, point);
}

void hsgd_plugin_set_start(hsgd_objective *objective, const double *point)
{
    hsgd_plugin_state *s = objective->state;
    memcpy(s->start, point, objective->dim * sizeof *point);
}

double hsgd_plugin_loss_rounding(const hsgd_objective *objective)
{
    const hsgd_plugin_state *s = objective->state;
    return s->calls.loss_rounding;
}
