/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Losses and accuracies, targets, seconds and bytes in result.json, in series.csv and in the printed table. */
#include "experiments/result_metrics_private.h"

#include <math.h>
#include <string.h>

#include "experiments/config_private.h"
#include "experiments/result_csv_private.h"
#include "experiments/result_json_private.h"

static const char *const run_id[] = {"hsgd", "local-sgd-inner", "local-sgd-outer"};
static const char *const run_suffix[] = {"", "_inner", "_outer"};

static bool was_evaluated(const hsgd_run *run, int metric)
{
    return run->made && run->summary.metric && run->summary.metric_best[metric].count > 0;
}

/* ---- series.csv ---- */

static void put_estimate(hsgd_series_writer *w, const char *name, const char *run, hsgd_estimate value)
{
    char se[16];
    snprintf(se, sizeof se, "%s_se", run);
    hsgd_series_put(w, name, 0, run, value.mean);
    hsgd_series_put(w, name, 0, se, value.se);
}

/* The losses of the local SGDs stand in no other column. */
static void put_costs(hsgd_series_writer *w, const hsgd_run *run, const char *name, size_t row)
{
    if (!run->made || !run->costs.num_rows)
        return;
    if (*name)
        put_estimate(w, "loss", name, run->summary.loss[row]);
    put_estimate(w, "time_s", name, run->costs.time_s[row]);
    for (size_t k = 0; k < run->costs.num_levels; k++)
        hsgd_series_put(w, "bytes_level_", k + 1, name, run->costs.bytes[row * run->costs.num_levels + k]);
}

void hsgd_series_put_metrics(hsgd_series_writer *w, const hsgd_experiment *e, size_t row)
{
    for (int i = 0; i < HSGD_NUM_RUNS; i++)
        for (int m = 0; m < HSGD_NUM_METRICS; m++)
            if (was_evaluated(&e->run[i], m))
                put_estimate(w, hsgd_metric_name((hsgd_metric)m), run_suffix[i],
                             e->run[i].summary.metric[row * HSGD_NUM_METRICS + (size_t)m]);
    for (int i = 0; i < HSGD_NUM_RUNS; i++)
        put_costs(w, &e->run[i], run_suffix[i], row);
    for (int i = 0; i < HSGD_NUM_RUNS; i++)
        if (e->run[i].made && e->run[i].costs.num_rows)
            put_estimate(w, "S", run_suffix[i], e->run[i].summary.S_until[row]);
}

/* ---- result.json ---- */

static cJSON *estimate_to_json(const hsgd_experiment *e, hsgd_estimate value)
{
    hsgd_interval interval = hsgd_interval_of(value, e->config->confidence, 1);
    return hsgd_interval_to_json(&interval);
}

static cJSON *metrics_of_run(const hsgd_experiment *e, const hsgd_run *run)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *at_end = cJSON_AddObjectToObject(object, "final"), *best = cJSON_AddObjectToObject(object, "best");
    const hsgd_estimate *last = run->summary.metric + run->summary.num_rows * HSGD_NUM_METRICS;
    for (int m = 0; m < HSGD_NUM_METRICS; m++) {
        if (!was_evaluated(run, m))
            continue;
        cJSON_AddItemToObject(at_end, hsgd_metric_name((hsgd_metric)m), estimate_to_json(e, last[m]));
        cJSON_AddItemToObject(best, hsgd_metric_name((hsgd_metric)m), estimate_to_json(e, run->summary.metric_best[m]));
    }
    return object;
}

static void add_metrics(cJSON *root, const hsgd_experiment *e)
{
    if (!e->run[HSGD_RUN_MAIN].summary.metric)
        return;
    cJSON *object = cJSON_AddObjectToObject(root, "metrics");
    for (int i = 0; i < HSGD_NUM_RUNS; i++)
        if (e->run[i].made)
            cJSON_AddItemToObject(object, run_id[i], metrics_of_run(e, &e->run[i]));
}

static cJSON *spread_to_json(hsgd_spread spread)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "mean", spread.mean);
    cJSON_AddNumberToObject(object, "deviation", spread.deviation);
    return object;
}

static cJSON *numbers_or_null(const double *value, size_t count)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(array, isnan(value[i]) ? cJSON_CreateNull() : cJSON_CreateNumber(value[i]));
    return array;
}

static cJSON *reached_to_json(const hsgd_reached *reached, bool timed)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "runs", (double)reached->num_runs);
    cJSON_AddNumberToObject(object, "reached", (double)reached->num_reached);
    cJSON_AddItemToObject(object, "step", spread_to_json(reached->over_steps));
    cJSON_AddItemToObject(object, "round", spread_to_json(reached->over_rounds));
    cJSON_AddNumberToObject(object, "steps_per_round", (double)reached->period);
    if (timed)
        cJSON_AddItemToObject(object, "time_s", spread_to_json(reached->over_time_s));
    cJSON_AddItemToObject(object, "steps_of_runs", numbers_or_null(reached->step, reached->num_runs));
    if (timed)
        cJSON_AddItemToObject(object, "times_of_runs_s", numbers_or_null(reached->time_s, reached->num_runs));
    return object;
}

static void add_targets(cJSON *root, const hsgd_experiment *e)
{
    cJSON *array = e->config->num_targets ? cJSON_AddArrayToObject(root, "targets") : NULL;
    for (size_t k = 0; k < e->config->num_targets; k++) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "quantity", hsgd_target_quantity_name(e->config->target[k].quantity));
        cJSON_AddNumberToObject(object, "value", e->config->target[k].value);
        for (int i = 0; i < HSGD_NUM_RUNS; i++)
            if (e->run[i].made)
                cJSON_AddItemToObject(object, run_id[i],
                                      reached_to_json(&e->run[i].reached[k], e->config->has_communication));
        cJSON_AddItemToArray(array, object);
    }
}

static cJSON *costs_to_json(const hsgd_experiment *e, const hsgd_run_costs *costs)
{
    cJSON *object = cJSON_CreateObject(), *bytes;
    size_t last = costs->num_rows - 1;
    cJSON_AddItemToObject(object, "time_s", estimate_to_json(e, costs->time_s[last]));
    bytes = cJSON_AddArrayToObject(object, "bytes_level");
    for (size_t k = 0; k < costs->num_levels; k++)
        cJSON_AddItemToArray(bytes, cJSON_CreateNumber(costs->bytes[last * costs->num_levels + k]));
    return object;
}

static void add_communication(cJSON *root, const hsgd_experiment *e)
{
    const hsgd_config *config = e->config;
    if (!config->has_communication)
        return;
    cJSON *object = hsgd_communication_to_json(&config->communication, config->hierarchy.num_levels);
    cJSON_AddNumberToObject(object, "bytes_per_message",
                            config->communication.bytes_per_parameter * (double)e->problem->objective.dim *
                                (double)hsgd_variant_message_vectors(&config->variant));
    for (int i = 0; i < HSGD_NUM_RUNS; i++)
        if (e->run[i].made)
            cJSON_AddItemToObject(object, run_id[i], costs_to_json(e, &e->run[i].costs));
    cJSON_AddItemToObject(root, "communication", object);
}

void hsgd_result_add_metrics(cJSON *root, const hsgd_experiment *experiment)
{
    add_metrics(root, experiment);
    add_targets(root, experiment);
    add_communication(root, experiment);
}

/* ---- the table ---- */

static void name_run(char out[40], const hsgd_experiment *e, int i)
{
    if (i == HSGD_RUN_MAIN)
        snprintf(out, 40, "H-SGD");
    else
        snprintf(out, 40, "local SGD, %c = %zu", i == HSGD_RUN_INNER ? 'I' : 'G', e->run[i].period);
}

static void print_metric(const hsgd_experiment *e, const hsgd_run *run, hsgd_metric metric, const char *name, FILE *out)
{
    if (!was_evaluated(run, (int)metric))
        return;
    hsgd_estimate last = run->summary.metric[run->summary.num_rows * HSGD_NUM_METRICS + (size_t)metric];
    hsgd_interval interval = hsgd_interval_of(last, e->config->confidence, 1);
    fprintf(out, "%s %.4g", name, last.mean);
    if (interval.low < interval.high)
        fprintf(out, " [%.4g, %.4g]", interval.low, interval.high);
    fprintf(out, ", best %.4g", run->summary.metric_best[metric].mean);
}

static void print_accuracies(const hsgd_experiment *e, FILE *out)
{
    for (int i = 0; i < HSGD_NUM_RUNS; i++) {
        const hsgd_run *run = &e->run[i];
        char name[40];
        if (!run->made || !run->summary.metric)
            continue;
        name_run(name, e, i);
        fprintf(out, "  %-11s %s: ", i ? "" : "accuracy", name);
        print_metric(e, run, HSGD_TRAIN_ACCURACY, "train", out);
        print_metric(e, run, HSGD_TEST_ACCURACY, "; test", out);
        fputs(was_evaluated(run, HSGD_TRAIN_ACCURACY) ? "\n" : "diverged\n", out);
    }
}

/* 12.3 MB: three digits and the unit that fits. */
static void print_bytes(double bytes, FILE *out)
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t i = 0;
    for (; bytes >= 999.5 && i + 1 < sizeof unit / sizeof *unit; i++)
        bytes /= 1000;
    fprintf(out, "%.3g %s", bytes, unit[i]);
}

static void print_costs(const hsgd_experiment *e, FILE *out)
{
    for (int i = 0; i < HSGD_NUM_RUNS; i++) {
        const hsgd_run_costs *costs = &e->run[i].costs;
        char name[40];
        if (!e->run[i].made || !costs->num_rows)
            continue;
        name_run(name, e, i);
        fprintf(out, "  %-11s %s: %.4g s", i ? "" : "modelled", name, costs->time_s[costs->num_rows - 1].mean);
        for (size_t k = 0; k < costs->num_levels; k++) {
            fputs(k ? ", " : "; ", out);
            print_bytes(costs->bytes[(costs->num_rows - 1) * costs->num_levels + k], out);
            fprintf(out, " at level %zu", k + 1);
        }
        fputc('\n', out);
    }
}

void hsgd_result_print_metrics(const hsgd_experiment *experiment, FILE *stream)
{
    print_accuracies(experiment, stream);
    print_costs(experiment, stream);
}

static void print_spread(hsgd_spread spread, FILE *out)
{
    char text[40];
    if (isnan(spread.mean))
        snprintf(text, sizeof text, "-");
    else if (isnan(spread.deviation))
        snprintf(text, sizeof text, "%.4g", spread.mean);
    else
        snprintf(text, sizeof text, "%.4g +- %.2g", spread.mean, spread.deviation);
    fprintf(out, " %18s", text);
}

static void print_reached(const hsgd_experiment *e, size_t k, int i, FILE *out)
{
    const hsgd_wanted *wanted = &e->config->target[k];
    const hsgd_reached *reached = &e->run[i].reached[k];
    bool accuracy = wanted->quantity == HSGD_TARGET_TEST_ACCURACY || wanted->quantity == HSGD_TARGET_TRAIN_ACCURACY;
    char name[40], target[48] = "", share[48];
    name_run(name, e, i);
    if (i == HSGD_RUN_MAIN)
        snprintf(target, sizeof target, "%s %s %.4g", hsgd_target_quantity_name(wanted->quantity),
                 accuracy ? ">=" : "<=", wanted->value);
    snprintf(share, sizeof share, "%zu of %zu", reached->num_reached, reached->num_runs);
    fprintf(out, "  %-24s %-19s %12s", target, name, share);
    print_spread(reached->over_steps, out);
    print_spread(reached->over_rounds, out);
    if (e->config->has_communication)
        print_spread(reached->over_time_s, out);
    fputc('\n', out);
}

void hsgd_result_print_targets(const hsgd_experiment *experiment, FILE *stream)
{
    if (!experiment->config->num_targets)
        return;
    fprintf(stream, "\n  %-24s %-19s %12s %18s %18s", "target", "run", "reached", "step", "round");
    fprintf(stream, experiment->config->has_communication ? " %18s\n" : "\n", "seconds");
    for (size_t k = 0; k < experiment->config->num_targets; k++)
        for (int i = 0; i < HSGD_NUM_RUNS; i++)
            if (experiment->run[i].made)
                print_reached(experiment, k, i, stream);
    fputs("  mean and standard deviation over the runs that reached it, at measured steps\n", stream);
}
