/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory of a trace. */
#include "analysis/engine_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double *doubles(size_t count, bool *complete)
{
    double *memory = calloc(count ? count : 1, sizeof *memory);
    *complete = *complete && memory;
    return memory;
}

hsgd_status hsgd_trace_alloc(hsgd_trace *out, const hsgd_simulation *simulation, hsgd_error *err)
{
    size_t rows = (simulation->steps - 1) / simulation->measure_every + 1, levels = simulation->hierarchy->num_levels;
    size_t nodes = simulation->hierarchy->num_nodes, dim = simulation->objective->dim;
    *out = (hsgd_trace){.num_measured = rows,
                        .num_levels = levels,
                        .num_nodes = nodes,
                        .num_workers = simulation->hierarchy->num_workers,
                        .dim = dim,
                        .diverged_at = HSGD_NOT_DIVERGED,
                        .worker_deviation_max_sq = simulation->measure_maxima ? 0 : NAN};
    bool complete = true;
    out->step = calloc(rows + 1, sizeof *out->step);
    out->loss = doubles(rows + 1, &complete);
    out->grad_norm_sq = doubles(rows + 1, &complete);
    out->divergence = doubles((rows + 1) * levels, &complete);
    out->dispersion = doubles(rows * levels, &complete);
    out->node_divergence_mean = doubles(nodes, &complete);
    out->node_divergence_max = doubles(nodes, &complete);
    out->node_dispersion_mean = doubles(nodes, &complete);
    out->final_point = doubles(dim, &complete);
    if (simulation->measure_at_nodes) {
        out->divergence_at_nodes = doubles(rows * levels, &complete);
        out->node_divergence_at_node_max = doubles(nodes, &complete);
    }
    if (simulation->measure_maxima)
        out->node_deviation_max_sq = doubles(nodes, &complete);
    if (simulation->evaluate_every) {
        out->metric = doubles((rows + 1) * HSGD_NUM_METRICS, &complete);
        for (size_t i = 0; out->metric && i < (rows + 1) * HSGD_NUM_METRICS; i++)
            out->metric[i] = NAN;
    }
    if (simulation->measure_proof) {
        out->proof = calloc(rows, sizeof *out->proof);
        out->worker_noise_sq = doubles(out->num_workers, &complete);
        complete = complete && out->proof;
    }
    if (!complete || !out->step) {
        hsgd_trace_free(out);
        return hsgd_fail_memory(err, "the measurements");
    }
    for (size_t row = 0; row < rows; row++)
        out->step[row] = row * simulation->measure_every;
    out->step[rows] = simulation->steps;
    return HSGD_OK;
}

void hsgd_trace_free(hsgd_trace *trace)
{
    if (!trace)
        return;
    free(trace->step);
    free(trace->loss);
    free(trace->grad_norm_sq);
    free(trace->divergence);
    free(trace->divergence_at_nodes);
    free(trace->dispersion);
    free(trace->node_divergence_mean);
    free(trace->node_divergence_max);
    free(trace->node_divergence_at_node_max);
    free(trace->node_dispersion_mean);
    free(trace->node_deviation_max_sq);
    free(trace->final_point);
    free(trace->proof);
    free(trace->worker_noise_sq);
    free(trace->metric);
    memset(trace, 0, sizeof *trace);
}
