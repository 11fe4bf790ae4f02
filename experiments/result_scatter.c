/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last columns of series.csv: standard deviation, smallest and largest seed of whatever figures draw bands around. */
#include "experiments/experiment.h"
#include "experiments/result_csv_private.h"

static const char *const run_suffix[] = {"", "_inner", "_outer"};

/* prefix is the name of the column with the mean, or what stands in it before the level. */
static void put_scatter(hsgd_series_writer *w, const char *prefix, size_t level, const char *run, hsgd_scatter spread)
{
    static const char *const ending[] = {"_sd", "_min", "_max"};
    const double value[] = {spread.sd, spread.low, spread.high};
    char suffix[24];
    for (size_t i = 0; i < 3; i++) {
        snprintf(suffix, sizeof suffix, "%s%s", run, ending[i]);
        hsgd_series_put(w, prefix, level, suffix, value[i]);
    }
}

/* Those of the columns that result_metrics.c writes. */
static void put_metrics(hsgd_series_writer *w, const hsgd_run *run, const char *suffix, size_t row)
{
    const hsgd_summary *s = &run->summary;
    for (size_t m = 0; m < HSGD_NUM_METRICS; m++)
        if (s->metric && s->metric_best[m].count > 0)
            put_scatter(w, hsgd_metric_name((hsgd_metric)m), 0, suffix, s->metric_scatter[row * HSGD_NUM_METRICS + m]);
    if (!run->costs.num_rows)
        return;
    if (*suffix)
        put_scatter(w, "loss", 0, suffix, s->loss_scatter[row]);
    put_scatter(w, "S", 0, suffix, s->S_until_scatter[row]);
}

void hsgd_series_put_scatter(hsgd_series_writer *w, const hsgd_experiment *e, size_t row)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    if (s->num_seeds < 2)
        return;
    put_scatter(w, "loss", 0, "", s->loss_scatter[row]);
    for (size_t k = 0; k < s->num_levels; k++)
        put_scatter(w, "dispersion_level_", k + 1, "", s->dispersion_scatter[row * s->num_levels + k]);
    for (int i = 0; i < HSGD_NUM_RUNS; i++)
        if (e->run[i].made) {
            put_scatter(w, "grad_norm_sq", 0, run_suffix[i], e->run[i].summary.grad_norm_sq_scatter[row]);
            put_metrics(w, &e->run[i], run_suffix[i], row);
        }
}
