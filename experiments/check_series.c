/* SPDX-License-Identifier: GPL-3.0-or-later */
/* series.csv: its rows are the measured steps, its columns add up (THEORY 2), and their means are what result.json measured. */
#include "experiments/check_private.h"

#include <math.h>

#include "analysis/statistics.h"

/* What the checks of a series share. */
typedef struct series_check {
    hsgd_check *check;
    const hsgd_series *series;
    const double *step, *grad_norm_sq;
    size_t levels;
} series_check;

/* level 0: no number in the name. NULL where there is no such column. */
static const double *column(const series_check *s, const char *prefix, size_t level, const char *suffix)
{
    char name[96];
    snprintf(name, sizeof name, "%s%.0zu%s", prefix, level, suffix);
    return hsgd_series_column(s->series, name);
}

/* ---- rows ---- */

static void check_rows(const series_check *s)
{
    const cJSON *config = hsgd_check_get(s->check->document, "config");
    double every = hsgd_check_number(config, "measure_every"), steps = hsgd_check_number(s->check->document, "steps");
    double rows = ceil(steps / every);
    const cJSON *measured = hsgd_check_get(s->check->document, "measured");
    double written = hsgd_check_number(measured, "measured_steps");
    hsgd_check_pairs pairs = {0};
    if (!(hsgd_check_number(measured, "diverged_seeds") > 0)) /* else the end is missing */
        hsgd_check_pair(&pairs, rows, (double)s->series->num_rows, 1, "rows:", s->series->num_rows);
    hsgd_check_pair(&pairs, (double)s->series->num_rows, written, 1, "measured_steps, rows:", s->series->num_rows);
    for (size_t r = 0; r < s->series->num_rows; r++)
        hsgd_check_pair(&pairs, (double)r * every, s->step[r], 1, "step, row", r + 1);
    hsgd_check_say_pairs(s->check, &pairs, "series.csv, steps", 0);
}

/* ---- divergences ---- */

static double sum_of(const double *const *part, size_t from, size_t to, size_t row)
{
    double sum = 0;
    for (size_t k = from; k < to; k++)
        sum += part[k][row];
    return sum;
}

/* total = up_k + down_k = the sum over all levels, and up_k that over the first k. */
static void check_divergences(const series_check *s)
{
    enum { MAX_LEVELS = 64 };
    const double *part[MAX_LEVELS], *total = column(s, "divergence_global", 0, "");
    hsgd_check_pairs sums = {0}, up = {0};
    for (size_t k = 0; k < s->levels && k < MAX_LEVELS; k++)
        if (!(part[k] = column(s, "divergence_level_", k + 1, "")))
            total = NULL;
    for (size_t r = 0; total && s->levels <= MAX_LEVELS && r < s->series->num_rows; r++)
        hsgd_check_pair(&sums, sum_of(part, 0, s->levels, r), total[r], 0, "row", r + 1);
    for (size_t k = 1; total && s->levels <= MAX_LEVELS && k < s->levels; k++) {
        const double *upward = column(s, "divergence_up_", k, ""), *downward = column(s, "divergence_down_", k, "");
        for (size_t r = 0; upward && downward && r < s->series->num_rows; r++) {
            hsgd_check_pair(&up, sum_of(part, 0, k, r), upward[r], total[r], "up, row", r + 1);
            hsgd_check_pair(&up, sum_of(part, k, s->levels, r), downward[r], total[r], "down, row", r + 1);
        }
    }
    hsgd_check_say_pairs(s->check, &sums, "divergence: sum of levels", HSGD_CHECK_ROUNDING);
    if (s->levels > 1)
        hsgd_check_say_pairs(s->check, &up, "divergence: upward and downward", HSGD_CHECK_ROUNDING);
}

/* ---- dispersions ---- */

/* The largest ratio to the bound, at its step. Bounds that are nothing but rounding have no ratio, so that others may be larger. */
static void check_dispersion(const series_check *s)
{
    const cJSON *level, *levels = hsgd_check_get(s->check->document, "dispersion");
    hsgd_check_pairs pairs = {0};
    size_t k = 0;
    cJSON_ArrayForEach(level, levels)
    {
        k++;
        const double *measured = column(s, "dispersion_level_", k, ""),
                     *bound = column(s, "dispersion_level_", k, "_bound");
        double written = hsgd_check_number(level, "max_ratio"), at = hsgd_check_number(level, "max_ratio_step");
        double found = NAN;
        for (size_t r = 0; measured && bound && r < s->series->num_rows; r++)
            if (s->step[r] == at)
                found = measured[r] / bound[r];
        hsgd_check_pair(&pairs, (double)k, hsgd_check_number(level, "level"), 1, "level", k);
        if (measured && bound && written > 0)
            hsgd_check_pair(&pairs, found, written, 0, "max_ratio, level", k);
        else if (measured && written == 0)
            hsgd_check_pair(&pairs, 0, at, 1, "max_ratio_step, level", k);
    }
    hsgd_check_say_pairs(s->check, &pairs, "dispersion: largest ratio", HSGD_CHECK_ROUNDING);
}

/* ---- S ---- */

/* Mean over the rows whose step is a multiple of `every` and below `end`; NAN where there is none. */
static double mean_over(const series_check *s, const double *value, double every, double end)
{
    double mean = 0;
    size_t count = 0;
    for (size_t r = 0; r < s->series->num_rows; r++)
        if (fmod(s->step[r], every) == 0 && s->step[r] < end)
            mean += (value[r] - mean) / (double)++count;
    return count ? mean : NAN;
}

static double smallest_over(const series_check *s, const double *value, double every, double end)
{
    double smallest = NAN;
    for (size_t r = 0; r < s->series->num_rows; r++)
        if (fmod(s->step[r], every) == 0 && s->step[r] < end)
            smallest = fmin(smallest, value[r]);
    return smallest;
}

/* Of a diverged run S is infinite and written as null, and so are means of the column. */
static void compare_mean(hsgd_check_pairs *pairs, double found, const cJSON *measured, const char *name)
{
    const cJSON *quantity = hsgd_check_get(measured, name);
    double written = hsgd_check_number(quantity, "mean");
    if (quantity)
        hsgd_check_pair(pairs, isfinite(found) ? found : NAN, written, 0, name, 1);
}

/* S_min lies between the smallest lower and the smallest upper end of the intervals of all rounds, which hold together. */
static void compare_minimum(hsgd_check_pairs *pairs, const series_check *s, const double *value, const double *se,
                            const cJSON *quantity, double period, double end)
{
    static const char *const ends[] = {"ci", "ci_joint"};
    double confidence = hsgd_check_number(hsgd_check_get(s->check->document, "config"), "confidence");
    double seeds = hsgd_check_number(quantity, "seeds"), rounds = 0,
           checks = hsgd_check_bound_count(s->check->document);
    if (!se || !(seeds >= 1) || !isfinite(hsgd_check_number(quantity, "se")) || !(confidence > 0 && confidence < 1))
        return;
    for (size_t r = 0; r < s->series->num_rows; r++)
        rounds += fmod(s->step[r], period) == 0 && s->step[r] < end;
    for (int joint = 0; joint < 2; joint++) {
        double low = INFINITY, high = INFINITY;
        for (size_t r = 0; r < s->series->num_rows; r++) {
            if (fmod(s->step[r], period) != 0 || s->step[r] >= end)
                continue;
            double width = hsgd_half_width((hsgd_estimate){value[r], se[r], hsgd_check_count(seeds)}, confidence,
                                           joint ? rounds * checks : rounds);
            low = fmin(low, value[r] - width);
            high = fmin(high, value[r] + width);
        }
        double scale = fabs(hsgd_check_number(quantity, "mean"));
        hsgd_check_pair(pairs, low, hsgd_check_item(hsgd_check_get(quantity, ends[joint]), 0), scale, "S_min, low end",
                        1);
        hsgd_check_pair(pairs, high, hsgd_check_item(hsgd_check_get(quantity, ends[joint]), 1), scale,
                        "S_min, high end", 1);
    }
}

/* The standard error of the smallest mean is that of its round. */
static double error_at(const series_check *s, const double *value, const double *se, double smallest, double period)
{
    for (size_t r = 0; r < s->series->num_rows; r++)
        if (fmod(s->step[r], period) == 0 && value[r] == smallest)
            return se[r];
    return NAN;
}

/* S, S_round and S_min of one run with these columns. */
static void compare_run(hsgd_check_pairs *pairs, const series_check *s, const cJSON *run, const double *value,
                        const double *se, double period)
{
    double steps = hsgd_check_number(s->check->document, "steps"), end = floor(steps / period) * period;
    double smallest = smallest_over(s, value, period, end);
    const cJSON *S_min = hsgd_check_get(run, "S_min");
    compare_mean(pairs, mean_over(s, value, 1, INFINITY), run, "S");
    compare_mean(pairs, mean_over(s, value, period, end), run, "S_round");
    compare_mean(pairs, smallest, run, "S_min");
    hsgd_check_pair(pairs, (double)s->series->num_rows, hsgd_check_number(run, "measured_steps"), 1, "measured_steps",
                    1);
    if (se && isfinite(hsgd_check_number(S_min, "se")))
        hsgd_check_pair(pairs, error_at(s, value, se, smallest, period), hsgd_check_number(S_min, "se"), 0,
                        "se of S_min", 1);
    if (end > 0)
        compare_minimum(pairs, s, value, se, S_min, period, end);
}

static void check_means(const series_check *s)
{
    const cJSON *measured = hsgd_check_get(s->check->document, "measured");
    double period = hsgd_check_number(hsgd_check_get(s->check->document, "hierarchy"), "global_period");
    hsgd_check_pairs pairs = {0};
    if (!(hsgd_check_number(measured, "diverged_seeds") > 0))
        compare_run(&pairs, s, measured, s->grad_norm_sq, column(s, "grad_norm_sq_se", 0, ""), period);
    hsgd_check_say_pairs(s->check, &pairs, "measured: S, S_round, S_min", HSGD_CHECK_ROUNDING);
}

static void check_references(const series_check *s)
{
    static const char *const id[] = {"local-sgd-inner", "local-sgd-outer"};
    static const char *const name[] = {"grad_norm_sq_inner", "grad_norm_sq_outer"};
    static const char *const period[] = {"local_period", "global_period"};
    const cJSON *hierarchy = hsgd_check_get(s->check->document, "hierarchy");
    hsgd_check_pairs pairs = {0};
    for (size_t i = 0; i < 2; i++) {
        const cJSON *run = hsgd_check_get(hsgd_check_get(s->check->document, "measured_references"), id[i]);
        const double *value = column(s, name[i], 0, "");
        if (run && value && !(hsgd_check_number(run, "diverged_seeds") > 0))
            compare_run(&pairs, s, run, value, column(s, name[i], 0, "_se"), hsgd_check_number(hierarchy, period[i]));
    }
    hsgd_check_say_pairs(s->check, &pairs, "measured: S of local SGD", HSGD_CHECK_ROUNDING);
}

/* Delta is the loss at the start above f*; all runs start at one point. */
static void check_gap(const series_check *s)
{
    const cJSON *constants = hsgd_check_get(s->check->document, "constants");
    const double *loss = column(s, "loss", 0, "");
    double minimum = hsgd_check_number(hsgd_check_get(constants, "f_star"), "value");
    hsgd_check_pairs pairs = {0};
    if (loss && s->step[0] == 0 && isfinite(loss[0]) && isfinite(minimum))
        hsgd_check_pair(&pairs, fmax(0, loss[0] - minimum),
                        hsgd_check_number(hsgd_check_get(constants, "delta"), "value"), fabs(loss[0]), "delta", 1);
    if (pairs.count)
        hsgd_check_say_pairs(s->check, &pairs, "constants: delta", HSGD_CHECK_ROUNDING);
}

/* ---- bands ---- */

/* smallest run <= mean <= largest run, and standard error = deviation / sqrt(independent values) where all runs are. */
static void check_bands(const series_check *s)
{
    static const char *const name[] = {"loss", "grad_norm_sq"};
    double seeds = hsgd_check_number(s->check->document, "seeds"), runs = hsgd_check_number(s->check->document, "runs");
    hsgd_check_pairs pairs = {0};
    for (size_t i = 0; i < 2; i++) {
        const double *mean = column(s, name[i], 0, ""), *se = column(s, name[i], 0, "_se");
        const double *sd = column(s, name[i], 0, "_sd"), *low = column(s, name[i], 0, "_min");
        const double *high = column(s, name[i], 0, "_max");
        for (size_t r = 0; mean && se && sd && low && high && r < s->series->num_rows; r++) {
            hsgd_check_pair(&pairs, fmin(fmax(mean[r], low[r]), high[r]), mean[r], 0, name[i], r + 1);
            if (seeds == runs && isfinite(sd[r]))
                hsgd_check_pair(&pairs, sd[r] / sqrt(seeds), se[r], fabs(mean[r]) * 1e-6, name[i], r + 1);
        }
    }
    if (pairs.count)
        hsgd_check_say_pairs(s->check, &pairs, "series.csv, bands", HSGD_CHECK_ROUNDING);
}

void hsgd_check_series(hsgd_check *check, const hsgd_series *series)
{
    series_check s = {.check = check, .series = series};
    double levels = hsgd_check_number(hsgd_check_get(check->document, "hierarchy"), "levels");
    s.step = column(&s, "step", 0, "");
    s.grad_norm_sq = column(&s, "grad_norm_sq", 0, "");
    s.levels = levels >= 1 && levels <= 64 ? (size_t)levels : 0;
    if (!s.step || !s.grad_norm_sq || !s.levels) {
        hsgd_check_say(check, HSGD_CHECK_FAILS, "series.csv", "lacks the column %s",
                       !s.step           ? "step"
                       : !s.grad_norm_sq ? "grad_norm_sq"
                                         : "of a level");
        return;
    }
    check_rows(&s);
    check_divergences(&s);
    check_dispersion(&s);
    check_means(&s);
    check_references(&s);
    check_gap(&s);
    check_bands(&s);
}
