/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/costs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"

/* Seeds are independent; the first failure is as good as any. */
static hsgd_status follow_seeds(hsgd_run_costs *out, const hsgd_costs_input *in, hsgd_error *err)
{
    hsgd_error first_error = {HSGD_OK, ""};
#pragma omp parallel for schedule(dynamic, 1) num_threads(in->threads)
    for (size_t r = 0; r < out->num_seeds; r++) {
        hsgd_error own;
        const hsgd_communicating_run run = {.network = in->tree,
                                            .groups = in->groups,
                                            .variant = in->variant,
                                            .dim = in->dim,
                                            .seed = in->first_seed + r,
                                            .placement =
                                                in->placement ? in->placement + r * in->tree->num_workers : NULL};
        if (hsgd_stop_check(in->stop, &own) ||
            hsgd_communication_run(out->seed_time_s + r * out->num_rows,
                                   out->seed_bytes + r * out->num_rows * out->num_levels, in->communication, &run,
                                   in->step, in->num_rows, &own))
#pragma omp critical(hsgd_costs_error)
            first_error = own;
    }
    if (first_error.status && err)
        *err = first_error;
    return first_error.status;
}

static void average_bytes(hsgd_run_costs *out)
{
    size_t cells = out->num_rows * out->num_levels;
    for (size_t i = 0; i < cells; i++) {
        out->bytes[i] = 0;
        for (size_t r = 0; r < out->num_seeds; r++)
            out->bytes[i] += (out->seed_bytes[r * cells + i] - out->bytes[i]) / (double)(r + 1);
    }
}

/* Delays and participants are drawn anew for every seed, whatever else the runs of a grouping share. */
static void estimate_times(hsgd_run_costs *out, bool late)
{
    for (size_t row = 0; row < out->num_rows; row++) {
        out->time_s[row] = hsgd_estimate_mean(out->seed_time_s + row, out->num_rows, out->num_seeds);
        if (!late)
            out->time_s[row].se = 0;
    }
}

hsgd_status hsgd_run_costs_find(hsgd_run_costs *out, const hsgd_costs_input *input, hsgd_error *err)
{
    bool late = input->communication->straggler.type != HSGD_STRAGGLER_NONE ||
                (input->variant && hsgd_variant_samples_workers(input->variant));
    *out = (hsgd_run_costs){
        .num_rows = input->num_rows, .num_levels = input->tree->num_levels, .num_seeds = late ? input->num_seeds : 1};
    hsgd_status status = hsgd_memory_check((double)sizeof(double) * (double)out->num_seeds * (double)out->num_rows *
                                               (double)(1 + out->num_levels),
                                           "the times of all runs", "fewer seeds or a larger measure_every", err);
    if (status)
        return status;
    out->seed_time_s = malloc(out->num_seeds * out->num_rows * sizeof *out->seed_time_s);
    out->time_s = malloc(out->num_rows * sizeof *out->time_s);
    out->seed_bytes = malloc(out->num_seeds * out->num_rows * out->num_levels * sizeof *out->seed_bytes);
    out->bytes = malloc(out->num_rows * out->num_levels * sizeof *out->bytes);
    if (!out->seed_time_s || !out->time_s || !out->seed_bytes || !out->bytes)
        status = hsgd_fail_memory(err, "the times of the run");
    if (!status)
        status = follow_seeds(out, input, err);
    if (!status) {
        estimate_times(out, late);
        average_bytes(out);
    } else
        hsgd_run_costs_free(out);
    return status;
}

void hsgd_run_costs_free(hsgd_run_costs *costs)
{
    if (!costs)
        return;
    free(costs->seed_time_s);
    free(costs->time_s);
    free(costs->seed_bytes);
    free(costs->bytes);
    memset(costs, 0, sizeof *costs);
}
