/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The metrics of all seeds to means and standard errors. */
#include "analysis/ensemble.h"

#include <math.h>
#include <stdlib.h>

/* One value per run, of which some may not be there: then neither is the mean. */
static hsgd_estimate estimate(const double *seed_value, const hsgd_summary *s, bool deterministic)
{
    for (size_t r = 0; r < s->num_seeds; r++)
        if (!isfinite(seed_value[r]))
            return (hsgd_estimate){NAN, NAN, 0};
    hsgd_estimate e = hsgd_estimate_mean_of_groups(seed_value, s->num_seeds, s->runs_per_value);
    if (deterministic)
        e.se = 0;
    return e;
}

/* Of the steps at which this run was evaluated; NAN: none. A run that diverged has the best of what came before. */
static double best_of_run(const hsgd_trace *trace, hsgd_metric metric)
{
    double best = NAN;
    for (size_t row = 0; row <= trace->num_measured; row++) {
        double value = trace->metric[row * HSGD_NUM_METRICS + metric];
        best = hsgd_metric_is_accuracy(metric) ? fmax(best, value) : fmin(best, value);
    }
    return best;
}

hsgd_status hsgd_summarize_metrics(hsgd_summary *summary, const hsgd_ensemble *ensemble, bool deterministic,
                                   hsgd_error *err)
{
    size_t cells = (summary->num_rows + 1) * HSGD_NUM_METRICS;
    if (!ensemble->trace[0].metric)
        return HSGD_OK;
    double *value = malloc(summary->num_seeds * sizeof *value);
    summary->metric = calloc(cells, sizeof *summary->metric);
    summary->metric_scatter = calloc(cells, sizeof *summary->metric_scatter);
    if (!value || !summary->metric || !summary->metric_scatter) {
        free(value);
        return hsgd_fail_memory(err, "the metrics");
    }
    for (size_t i = 0; i < cells; i++) {
        for (size_t r = 0; r < summary->num_seeds; r++)
            value[r] = ensemble->trace[r].metric[i];
        summary->metric[i] = estimate(value, summary, deterministic);
        summary->metric_scatter[i] = hsgd_scatter_of(value, summary->num_seeds);
        if (deterministic && isfinite(summary->metric_scatter[i].low))
            summary->metric_scatter[i].sd = 0;
    }
    for (int m = 0; m < HSGD_NUM_METRICS; m++) {
        for (size_t r = 0; r < summary->num_seeds; r++)
            value[r] = best_of_run(&ensemble->trace[r], (hsgd_metric)m);
        summary->metric_best[m] = estimate(value, summary, deterministic);
    }
    free(value);
    return HSGD_OK;
}
