/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report's tables of accuracies, modelled costs and targets: what a paper shows beside the bounds. They have no rows,
 * and then do not appear, where nothing was asked for. */
#include "experiments/report_private.h"

#include <math.h>

#include "experiments/report_table_private.h"

static void add_name(hsgd_report_table *table, const hsgd_experiment *e, int run)
{
    if (run == HSGD_RUN_MAIN)
        hsgd_report_text(table, "H-SGD");
    else
        hsgd_report_text(table, "local SGD, %c = %zu", run == HSGD_RUN_INNER ? 'I' : 'G', e->run[run].period);
}

static void add_estimate(hsgd_report_table *table, const hsgd_experiment *e, hsgd_estimate estimate)
{
    hsgd_interval interval = hsgd_interval_of(estimate, e->config->confidence, 1);
    hsgd_report_interval(table, estimate.count ? estimate.mean : NAN, interval.low, interval.high, 4);
}

static void print_accuracies(const hsgd_experiment *e, hsgd_report_format format, FILE *out)
{
    static const char *const headings[] = {
        "run", ">training loss", ">training accuracy", ">best", ">test loss", ">test accuracy", ">best", NULL};
    hsgd_report_table table;
    hsgd_report_table_init(&table, format, "Losses and accuracies at step T", headings);
    for (int i = 0; i < HSGD_NUM_RUNS; i++) {
        const hsgd_summary *s = &e->run[i].summary;
        if (!e->run[i].made || !s->metric)
            continue;
        const hsgd_estimate *last = s->metric + s->num_rows * HSGD_NUM_METRICS;
        add_name(&table, e, i);
        add_estimate(&table, e, last[HSGD_TRAIN_LOSS]);
        add_estimate(&table, e, last[HSGD_TRAIN_ACCURACY]);
        add_estimate(&table, e, s->metric_best[HSGD_TRAIN_ACCURACY]);
        add_estimate(&table, e, last[HSGD_TEST_LOSS]);
        add_estimate(&table, e, last[HSGD_TEST_ACCURACY]);
        add_estimate(&table, e, s->metric_best[HSGD_TEST_ACCURACY]);
    }
    hsgd_report_table_print(&table, out);
}

static void print_costs(const hsgd_experiment *e, hsgd_report_format format, FILE *out)
{
    static const char *const headings[] = {"run", ">seconds", ">MB at the top level", ">MB at all levels", NULL};
    hsgd_report_table table;
    hsgd_report_table_init(&table, format, "Modelled time and traffic until step T", headings);
    for (int i = 0; i < HSGD_NUM_RUNS; i++) {
        const hsgd_run_costs *costs = &e->run[i].costs;
        if (!e->run[i].made || !costs->num_rows)
            continue;
        const double *bytes = costs->bytes + (costs->num_rows - 1) * costs->num_levels;
        double all = 0;
        for (size_t k = 0; k < costs->num_levels; k++)
            all += bytes[k];
        add_name(&table, e, i);
        add_estimate(&table, e, costs->time_s[costs->num_rows - 1]);
        hsgd_report_number(&table, bytes[0] / 1e6, 4);
        hsgd_report_number(&table, all / 1e6, 4);
    }
    hsgd_report_table_print(&table, out);
}

static void add_spread(hsgd_report_table *table, hsgd_spread spread)
{
    hsgd_report_interval(table, spread.mean, spread.mean - spread.deviation, spread.mean + spread.deviation, 4);
}

static void add_target(hsgd_report_table *table, const hsgd_experiment *e, size_t k, int run)
{
    static const char *const words[] = {
        "test accuracy >=", "training accuracy >=", "loss <=", "squared gradient norm <="};
    const hsgd_reached *reached = &e->run[run].reached[k];
    hsgd_report_text(table, "%s %.4g", words[e->config->target[k].quantity], e->config->target[k].value);
    add_name(table, e, run);
    hsgd_report_text(table, "%zu of %zu", reached->num_reached, reached->num_runs);
    add_spread(table, reached->over_steps);
    add_spread(table, reached->over_rounds);
    add_spread(table, reached->over_time_s);
}

static void print_targets(const hsgd_experiment *e, hsgd_report_format format, FILE *out)
{
    static const char *const headings[] = {"target", "run", "reached", ">step", ">round", ">seconds", NULL};
    hsgd_report_table table;
    hsgd_report_table_init(&table, format, "Targets", headings);
    for (size_t k = 0; k < e->config->num_targets; k++)
        for (int i = 0; i < HSGD_NUM_RUNS; i++)
            if (e->run[i].made)
                add_target(&table, e, k, i);
    if (e->config->num_targets)
        hsgd_report_remark(&table,
                           "Mean +- standard deviation over the runs that reached the target, at measured steps.");
    hsgd_report_table_print(&table, out);
}

void hsgd_report_metrics(const hsgd_experiment *e, hsgd_report_format format, FILE *out)
{
    print_accuracies(e, format, out);
    print_costs(e, format, out);
    print_targets(e, format, out);
}
