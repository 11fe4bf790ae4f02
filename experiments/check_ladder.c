/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The proof ladder (THEORY 4.5) from means over the rows of series.csv, its steps from its rungs, and the rows of the audit from
 * each other and from the constants. What a run keeps of its paths only as a mean cannot be found again from anything else:
 * these numbers are compared with each other. */
#include "experiments/check_private.h"

#include <math.h>
#include <string.h>

#include "bounds/ladder.h"

static double constant(const hsgd_check *c, const char *name)
{
    return hsgd_check_number(hsgd_check_get(hsgd_check_get(c->document, "constants"), name), "value");
}

static const cJSON *rung_of(const hsgd_check *c, size_t k)
{
    return cJSON_GetArrayItem(hsgd_check_get(c->document, "ladder"), (int)k);
}

static double rung_value(const hsgd_check *c, size_t k)
{
    return hsgd_check_number(rung_of(c, k), "value");
}

/* The row of the audit with this name; NULL: none. */
static const cJSON *row_of(const hsgd_check *c, const char *name)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, hsgd_check_get(c->document, "audit")) if (strcmp(hsgd_check_text(row, "name"), name) ==
                                                                      0) return row;
    return NULL;
}

/* Where one of them is not a number, the document has none, or the run diverged. */
static void compare(hsgd_check_pairs *pairs, double found, double written, double scale, const char *where, size_t at)
{
    if (isfinite(found) && !isnan(written))
        hsgd_check_pair(pairs, found, written, scale, where, at);
}

/* ---- the ladder ---- */

/* Steps are differences of rungs but for the one to R4, which leaves out products with the noise. */
static void check_steps(hsgd_check *c)
{
    hsgd_check_pairs pairs = {0};
    const cJSON *S = hsgd_check_get(hsgd_check_get(c->document, "measured"), "S");
    compare(&pairs, hsgd_check_number(S, "mean"), rung_value(c, 0), 0, "value of S, rung", 0);
    compare(&pairs, hsgd_check_number(S, "se"), hsgd_check_number(rung_of(c, 0), "se"), 0, "se of S, rung", 0);
    for (size_t k = 1; k < HSGD_NUM_RUNGS; k++) {
        double below = rung_value(c, k - 1), above = rung_value(c, k);
        double step = hsgd_check_number(hsgd_check_get(rung_of(c, k), "step"), "mean");
        if (k != HSGD_NUM_MEASURED_RUNGS - 1)
            compare(&pairs, above - below, step, fmax(fabs(above), fabs(below)) * 1e-3, "step to rung", k);
    }
    hsgd_check_say_pairs(c, &pairs, "ladder: steps", HSGD_CHECK_ROUNDING);
}

/* A step's share of all those whose conditions hold. */
static void check_shares(hsgd_check *c)
{
    hsgd_check_pairs pairs = {0};
    double total = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t k = 1; k < HSGD_NUM_RUNGS; k++) {
            const cJSON *step = hsgd_check_get(rung_of(c, k), "step");
            double mean = hsgd_check_number(step, "mean");
            if (!cJSON_IsTrue(hsgd_check_get(step, "applies")) || !isfinite(mean))
                continue;
            if (pass)
                compare(&pairs, mean / total, hsgd_check_number(step, "share"), 0, "step to rung", k);
            else
                total += mean;
        }
    if (pairs.count)
        hsgd_check_say_pairs(c, &pairs, "ladder: shares", HSGD_CHECK_ROUNDING);
}

/* Does the verdict on this step need an interval? The first ones hold on every path. */
static bool is_judged(const cJSON *step, size_t k)
{
    return cJSON_IsTrue(hsgd_check_get(step, "applies")) && k > HSGD_NUM_PATHWISE_STEPS &&
           hsgd_check_number(step, "se") != 0;
}

static void check_ladder_intervals(hsgd_check *c)
{
    hsgd_check_pairs pairs = {0};
    double judged = 0, seeds = hsgd_check_number(c->document, "seeds");
    for (size_t k = 1; k < HSGD_NUM_RUNGS; k++)
        judged += is_judged(hsgd_check_get(rung_of(c, k), "step"), k);
    for (size_t k = 0; k < HSGD_NUM_RUNGS; k++) {
        const cJSON *rung = rung_of(c, k), *step = hsgd_check_get(rung, "step");
        double of = hsgd_check_number(step, "seeds");
        bool measured = k < HSGD_NUM_MEASURED_RUNGS;
        hsgd_check_interval(&pairs, c, rung, measured ? seeds : 1, 0, "rung", k);
        hsgd_check_interval(&pairs, c, step, of, fmax(1, judged), "step to rung", k);
        if (!measured) /* R5 to R7 are constants */
            compare(&pairs, 0, hsgd_check_number(rung, "se"), 1, "se of rung", k);
        if (!measured)
            compare(&pairs, k == HSGD_NUM_MEASURED_RUNGS ? hsgd_check_number(rung_of(c, k - 1), "se") : 0,
                    hsgd_check_number(step, "se"), 0, "se of the step to rung", k);
        if (k)
            compare(&pairs, k <= HSGD_NUM_MEASURED_RUNGS ? seeds : 1, of, 1, "seeds of the step to rung", k);
    }
    if (pairs.count)
        hsgd_check_say_pairs(c, &pairs, "ladder: intervals", HSGD_CHECK_ROUNDING);
}

/* ---- from series.csv ---- */

static double mean_of(const hsgd_series *series, const char *name)
{
    const double *value = hsgd_series_column(series, name);
    double mean = 0;
    for (size_t r = 0; value && r < series->num_rows; r++)
        mean += (value[r] - mean) / (double)(r + 1);
    return value ? mean : NAN;
}

/* E V: the dispersion of all levels together. */
static double mean_dispersion(const hsgd_series *series, double levels)
{
    double sum = 0;
    for (double k = 1; k <= levels; k++) {
        char name[64];
        snprintf(name, sizeof name, "dispersion_level_%.0f", k);
        sum += mean_of(series, name);
    }
    return sum;
}

/* sum_j p_j^2, where all weights are equal; NAN elsewhere. */
static double noise_share(const hsgd_check *c)
{
    const cJSON *hierarchy = hsgd_check_get(c->document, "hierarchy");
    return cJSON_IsFalse(hsgd_check_get(hierarchy, "weighted")) ? 1 / hsgd_check_number(hierarchy, "workers") : NAN;
}

/* The formulas of hsgd_ladder_measured with means over the runs, in which they are linear. */
static void check_rungs(hsgd_check *c, const hsgd_series *series)
{
    double gamma = hsgd_check_number(c->document, "step_size"), L = constant(c, "L"),
           sigma_sq = constant(c, "sigma_sq");
    double per_step = 2 / (gamma * hsgd_check_number(c->document, "steps")), delta = constant(c, "delta");
    double left = hsgd_check_number(hsgd_check_get(hsgd_check_get(c->document, "measured"), "final_loss"), "mean") -
                  constant(c, "f_star");
    double V = mean_dispersion(series, hsgd_check_number(hsgd_check_get(c->document, "hierarchy"), "levels"));
    double noise = mean_of(series, "mean_noise_norm_sq"), drift = mean_of(series, "drift_error_sq");
    double negative = (1 - gamma * L) * mean_of(series, "mean_gradient_norm_sq"), share = noise_share(c);
    double products = -2 * hsgd_check_number(hsgd_check_get(row_of(c, "noise products"), "seen"), "mean");
    double step[HSGD_NUM_MEASURED_RUNGS], rung4 = per_step * delta + gamma * L * sigma_sq * share + L * L * V;
    double rung2 = per_step * (delta - left) + gamma * L * noise + drift + (sigma_sq > 0 ? products : 0);
    hsgd_check_pairs pairs = {0};
    for (size_t k = 0; k < HSGD_NUM_MEASURED_RUNGS; k++)
        step[k] = hsgd_check_number(hsgd_check_get(rung_of(c, k), "step"), "mean");
    compare(&pairs, rung2, rung_value(c, 2), 0, "rung", 2);
    compare(&pairs, rung4, rung_value(c, 4), 0, "rung", 4);
    compare(&pairs, negative, step[2], fabs(rung2) * 1e-3, "step to rung", 2);
    compare(&pairs, L * L * V - drift, step[3], L * L * V, "step to rung", 3);
    compare(&pairs, per_step * left + gamma * L * (sigma_sq * share - noise), step[4], fabs(rung4) * 1e-3,
            "step to rung", 4);
    hsgd_check_say_pairs(c, &pairs, "ladder: from series.csv", 1e-8);
}

/* Rows of the audit that are means over the run's path, too. */
static void check_path_rows(hsgd_check *c, const hsgd_series *series)
{
    const cJSON *drift = row_of(c, "L of drift"), *correlation = row_of(c, "correlation");
    double V = mean_dispersion(series, hsgd_check_number(hsgd_check_get(c->document, "hierarchy"), "levels"));
    double noise = mean_of(series, "mean_noise_norm_sq"), ratio = sqrt(mean_of(series, "drift_error_sq") / V);
    hsgd_check_pairs pairs = {0};
    if (drift && strcmp(hsgd_check_text(drift, "where"), "rounding only") != 0)
        compare(&pairs, ratio, hsgd_check_number(hsgd_check_get(drift, "seen"), "mean"), 0, "L of drift", 1);
    if (correlation)
        compare(&pairs, noise - mean_of(series, "noise_sq") * noise_share(c),
                hsgd_check_number(hsgd_check_get(correlation, "seen"), "mean"), noise, "correlation", 1);
    if (pairs.count)
        hsgd_check_say_pairs(c, &pairs, "audit: from series.csv", 1e-8);
}

/* ---- the audit ---- */

/* Is the row's number a mean over the seeds? Others are the largest or smallest of all. */
static bool is_mean(const cJSON *row)
{
    const char *name = hsgd_check_text(row, "name");
    bool noise = strcmp(hsgd_check_text(row, "assumption"), "A2") == 0 && strcmp(name, "sigma^2") == 0;
    if (strncmp(hsgd_check_text(row, "statement"), "expected divergence", 19) == 0)
        return isfinite(hsgd_check_number(hsgd_check_get(row, "seen"), "mean"));
    return strcmp(name, "noise products") == 0 || strcmp(name, "correlation") == 0 ||
           (noise && strcmp(hsgd_check_text(row, "statement"), "no noise") != 0);
}

/* How many intervals of a random row hold together: three or four families, one of them with a row for each worker, one with one
 * for every step, level and the whole (experiments/judge_audit.c). */
static double checks_of(const hsgd_check *c, const cJSON *row)
{
    const cJSON *hierarchy = hsgd_check_get(c->document, "hierarchy"), *other;
    const char *name = hsgd_check_text(row, "name");
    double families = 3, rows = hsgd_check_number(hsgd_check_get(c->document, "measured"), "measured_steps");
    cJSON_ArrayForEach(other, hsgd_check_get(c->document, "audit")) if (strncmp(hsgd_check_text(other, "statement"),
                                                                                "expected divergence", 19) == 0)
        families = 4;
    if (strcmp(name, "sigma^2") == 0)
        return families * hsgd_check_number(hierarchy, "workers");
    if (strncmp(hsgd_check_text(row, "statement"), "expected divergence", 19) == 0)
        return families * rows * (hsgd_check_number(hierarchy, "levels") + 1);
    return families;
}

/* The constant that a row's limit repeats; NAN: it is something else. */
static double limit_of(const hsgd_check *c, const char *name)
{
    const cJSON *divergences = hsgd_check_get(hsgd_check_get(c->document, "constants"), "divergence_sq");
    char level[32];
    if (strcmp(name, "L") == 0)
        return constant(c, "L");
    if (strcmp(name, "sigma^2") == 0)
        return constant(c, "sigma_sq");
    if (strcmp(name, "f*") == 0)
        return constant(c, "f_star");
    if (strcmp(name, "E") == 0)
        return hsgd_check_number(hsgd_check_get(divergences, "global"), "value");
    if (strcmp(name, "noise products") == 0 || strcmp(name, "correlation") == 0)
        return 0;
    snprintf(level, sizeof level, "level_%.20s", strncmp(name, "D_", 2) == 0 ? name + 2 : "");
    return hsgd_check_number(hsgd_check_get(divergences, level), "value");
}

/* What was seen next to its limit, or to a proved one where what was seen is the limit. */
static void compare_margin(hsgd_check_pairs *pairs, const cJSON *row, size_t at)
{
    const cJSON *limit = hsgd_check_get(row, "limit");
    double proved = hsgd_check_number(row, "proved"), margin = hsgd_check_number(row, "margin");
    bool is_seen = strcmp(hsgd_check_text(limit, "kind"), "trajectory") == 0 && isfinite(proved);
    double over = is_seen ? proved : hsgd_check_number(limit, "value");
    compare(pairs, hsgd_check_number(hsgd_check_get(row, "seen"), "mean") / over, margin, 0, "margin, row", at);
}

static void check_audit(hsgd_check *c)
{
    const cJSON *row;
    hsgd_check_pairs pairs = {0}, intervals = {0};
    double all = hsgd_check_number(c->document, "seeds");
    size_t at = 0;
    cJSON_ArrayForEach(row, hsgd_check_get(c->document, "audit"))
    {
        const cJSON *seen = hsgd_check_get(row, "seen");
        double seeds = hsgd_check_number(seen, "seeds");
        at++;
        compare(&pairs, limit_of(c, hsgd_check_text(row, "name")),
                hsgd_check_number(hsgd_check_get(row, "limit"), "value"), 0, "limit, row", at);
        compare_margin(&pairs, row, at);
        hsgd_check_interval(&intervals, c, seen, seeds, checks_of(c, row), "row", at);
        compare(&intervals, is_mean(row) ? all : 1, seeds, 1, "seeds, row", at);
    }
    if (pairs.count)
        hsgd_check_say_pairs(c, &pairs, "audit: limits and margins", HSGD_CHECK_ROUNDING);
    if (intervals.count)
        hsgd_check_say_pairs(c, &intervals, "audit: intervals", HSGD_CHECK_ROUNDING);
}

/* ---- */

void hsgd_check_ladder(hsgd_check *check, const hsgd_series *series)
{
    const cJSON *config = hsgd_check_get(check->document, "config");
    bool diverged = hsgd_check_number(hsgd_check_get(check->document, "measured"), "diverged_seeds") > 0;
    check_audit(check);
    if (hsgd_check_get(config, "variant") || diverged ||
        cJSON_GetArraySize(hsgd_check_get(check->document, "ladder")) != HSGD_NUM_RUNGS)
        return;
    check_steps(check);
    check_shares(check);
    check_ladder_intervals(check);
    if (!series || hsgd_check_number(config, "measure_every") != 1)
        return;
    check_rungs(check, series);
    check_path_rows(check, series);
}
