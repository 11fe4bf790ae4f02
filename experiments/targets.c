/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/targets.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const char *hsgd_target_quantity_name(size_t quantity)
{
    static const char *const name[] = {"test_accuracy", "train_accuracy", "loss", "grad_norm_sq"};
    return quantity < HSGD_NUM_TARGET_QUANTITIES ? name[quantity] : NULL;
}

static double value_at(const hsgd_trace *trace, hsgd_target_quantity quantity, size_t row)
{
    const double *metric = trace->metric ? trace->metric + row * HSGD_NUM_METRICS : NULL;
    switch (quantity) {
    case HSGD_TARGET_TEST_ACCURACY:
        return metric ? metric[HSGD_TEST_ACCURACY] : NAN;
    case HSGD_TARGET_TRAIN_ACCURACY:
        return metric ? metric[HSGD_TRAIN_ACCURACY] : NAN;
    case HSGD_TARGET_LOSS:
        return trace->loss[row];
    case HSGD_TARGET_GRAD_NORM_SQ:
        return trace->grad_norm_sq[row];
    case HSGD_NUM_TARGET_QUANTITIES:
        break;
    }
    return NAN;
}

size_t hsgd_target_first_row(const hsgd_trace *trace, hsgd_wanted wanted)
{
    bool accuracy = wanted.quantity == HSGD_TARGET_TEST_ACCURACY || wanted.quantity == HSGD_TARGET_TRAIN_ACCURACY;
    for (size_t row = 0; row <= trace->num_measured; row++) {
        double value = value_at(trace, wanted.quantity, row);
        if (accuracy ? value >= wanted.value : value <= wanted.value) /* NAN: neither */
            return row;
    }
    return trace->num_measured + 1;
}

/* Over the values that are not NAN, each divided by `unit` and, for whole rounds, cut. */
static hsgd_spread spread_of(const double *value, size_t count, size_t unit, size_t *num_reached)
{
    double mean = 0, squares = 0;
    size_t seen = 0;
    for (size_t r = 0; r < count; r++) {
        if (isnan(value[r]))
            continue;
        double x = unit ? floor(value[r] / (double)unit) : value[r], before = x - mean;
        mean += before / (double)++seen;
        squares += before * (x - mean);
    }
    *num_reached = seen;
    return (hsgd_spread){seen ? mean : NAN, seen > 1 ? sqrt(squares / (double)(seen - 1)) : NAN};
}

static void follow_run(hsgd_reached *out, hsgd_wanted wanted, const hsgd_trace *trace, const double *time_s, size_t run)
{
    size_t row = hsgd_target_first_row(trace, wanted);
    bool reached = row <= trace->num_measured;
    out->step[run] = reached ? (double)trace->step[row] : NAN;
    out->time_s[run] = reached && time_s ? time_s[row] : NAN;
}

hsgd_status hsgd_target_follow(hsgd_reached *out, hsgd_wanted wanted, const hsgd_ensemble *ensemble, size_t period,
                               const double *seed_time_s, size_t num_time_seeds, hsgd_error *err)
{
    size_t runs = ensemble->num_seeds, rows = ensemble->trace[0].num_measured + 1, timed;
    if (seed_time_s && num_time_seeds > runs)
        runs = num_time_seeds;
    *out = (hsgd_reached){.num_runs = runs, .period = period};
    out->step = malloc(runs * sizeof *out->step);
    out->time_s = malloc(runs * sizeof *out->time_s);
    if (!out->step || !out->time_s) {
        hsgd_reached_free(out);
        return hsgd_fail_memory(err, "the targets");
    }
    for (size_t r = 0; r < runs; r++)
        follow_run(out, wanted, &ensemble->trace[ensemble->num_seeds > 1 ? r : 0],
                   seed_time_s ? seed_time_s + (num_time_seeds > 1 ? r : 0) * rows : NULL, r);
    out->over_rounds = spread_of(out->step, runs, period, &out->num_reached);
    out->over_steps = spread_of(out->step, runs, 0, &out->num_reached);
    out->over_time_s = spread_of(out->time_s, runs, 0, &timed);
    return HSGD_OK;
}

void hsgd_reached_free(hsgd_reached *reached)
{
    if (!reached)
        return;
    free(reached->step);
    free(reached->time_s);
    memset(reached, 0, sizeof *reached);
}
