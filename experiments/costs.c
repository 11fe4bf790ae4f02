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
        const size_t *placement = in->placement ? in->placement + r * in->tree->num_workers : NULL;
        if (hsgd_communication_run(out->seed_time_s + r * out->num_rows, r == 0 ? out->bytes : NULL, in->communication,
                                   in->tree, in->dim, in->first_seed + r, placement, in->step, in->num_rows, &own))
#pragma omp critical(hsgd_costs_error)
            first_error = own;
    }
    if (first_error.status && err)
        *err = first_error;
    return first_error.status;
}

/* Delays are drawn anew for every seed, whatever else the runs of a grouping share. */
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
    bool late = input->communication->straggler.type != HSGD_STRAGGLER_NONE;
    *out = (hsgd_run_costs){
        .num_rows = input->num_rows, .num_levels = input->tree->num_levels, .num_seeds = late ? input->num_seeds : 1};
    hsgd_status status = hsgd_memory_check((double)sizeof(double) * (double)out->num_seeds * (double)out->num_rows,
                                           "the times of all runs", "fewer seeds or a larger measure_every", err);
    if (status)
        return status;
    out->seed_time_s = malloc(out->num_seeds * out->num_rows * sizeof *out->seed_time_s);
    out->time_s = malloc(out->num_rows * sizeof *out->time_s);
    out->bytes = malloc(out->num_rows * out->num_levels * sizeof *out->bytes);
    if (!out->seed_time_s || !out->time_s || !out->bytes)
        status = hsgd_fail_memory(err, "the times of the run");
    if (!status)
        status = follow_seeds(out, input, err);
    if (!status)
        estimate_times(out, late);
    else
        hsgd_run_costs_free(out);
    return status;
}

void hsgd_run_costs_free(hsgd_run_costs *costs)
{
    if (!costs)
        return;
    free(costs->seed_time_s);
    free(costs->time_s);
    free(costs->bytes);
    memset(costs, 0, sizeof *costs);
}
