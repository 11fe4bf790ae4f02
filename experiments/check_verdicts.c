/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Intervals follow from means and standard errors, ratios and verdicts from intervals and bounds (THEORY 9). */
#include "experiments/check_private.h"

#include <math.h>
#include <string.h>

#include "bounds/verdict.h"

static bool is_verdict(const char *text, hsgd_verdict verdict)
{
    return strcmp(text, hsgd_verdict_name(verdict)) == 0;
}

/* ---- intervals ---- */

double hsgd_check_bound_count(const cJSON *document)
{
    const cJSON *bound;
    double checks = 0;
    cJSON_ArrayForEach(bound, hsgd_check_get(document, "bounds")) checks +=
        cJSON_IsTrue(hsgd_check_get(bound, "applicable"));
    return fmax(1, checks);
}

static void compare_interval(hsgd_check_pairs *pairs, const hsgd_check *c, const cJSON *quantity, const char *name)
{
    hsgd_check_interval(pairs, c, quantity, hsgd_check_number(quantity, "seeds"), hsgd_check_bound_count(c->document),
                        name, 1);
}

/* S_min is the smallest of many means, with intervals of its own kind. */
static void check_intervals(hsgd_check *c)
{
    const cJSON *measured = hsgd_check_get(c->document, "measured"), *run;
    hsgd_check_pairs pairs = {0};
    compare_interval(&pairs, c, hsgd_check_get(measured, "S"), "S, end");
    compare_interval(&pairs, c, hsgd_check_get(measured, "S_round"), "S_round, end");
    cJSON_ArrayForEach(run, hsgd_check_get(c->document, "measured_references"))
    {
        compare_interval(&pairs, c, hsgd_check_get(run, "S"), "S of local SGD, end");
        compare_interval(&pairs, c, hsgd_check_get(run, "S_round"), "S_round of local SGD, end");
    }
    hsgd_check_say_pairs(c, &pairs, "intervals of S and S_round", HSGD_CHECK_ROUNDING);
}

/* The run and the quantity that a bound speaks about. */
static const cJSON *measured_of(const hsgd_check *c, const cJSON *bound)
{
    const char *algorithm = hsgd_check_text(bound, "algorithm");
    const cJSON *reference = hsgd_check_get(hsgd_check_get(c->document, "measured_references"), algorithm);
    const cJSON *run = reference ? reference : hsgd_check_get(c->document, "measured");
    return hsgd_check_get(run, hsgd_check_text(bound, "of"));
}

/* What stands beside a bound is what stands under "measured". */
static void check_repeated(hsgd_check *c)
{
    const cJSON *bound, *other;
    size_t count = 0;
    cJSON_ArrayForEach(bound, hsgd_check_get(c->document, "bounds"))
    {
        const cJSON *beside = hsgd_check_get(bound, "measured");
        if (!cJSON_IsObject(beside))
            continue;
        other = measured_of(c, bound);
        count++;
        if (other && cJSON_Compare(beside, other, true))
            continue;
        hsgd_check_say(c, HSGD_CHECK_FAILS, "bounds: measured", "%s: its \"measured\" is not that of the run",
                       hsgd_check_text(bound, "id"));
        return;
    }
    if (count)
        hsgd_check_say(c, HSGD_CHECK_HOLDS, "bounds: measured", "%zu are those of their runs", count);
}

/* S of a diverged run is infinite, so that it is null; one seed number for all quantities; single runs around their mean. */
static void compare_sizes(hsgd_check_pairs *pairs, const hsgd_check *c, const cJSON *run)
{
    static const char *const name[] = {"S", "S_round", "S_min"};
    const cJSON *S = hsgd_check_get(run, "S"), *single = hsgd_check_get(run, "S_runs");
    double mean = hsgd_check_number(S, "mean"), low = hsgd_check_number(single, "min");
    double high = hsgd_check_number(single, "max"), diverged = hsgd_check_number(run, "diverged_seeds");
    hsgd_check_pair(pairs, !isfinite(mean), diverged > 0 ? 1 : diverged, 1, "diverged_seeds", 1);
    for (size_t i = 0; i < 3; i++)
        if (cJSON_IsObject(hsgd_check_get(run, name[i])))
            hsgd_check_pair(pairs, hsgd_check_number(c->document, "seeds"),
                            hsgd_check_number(hsgd_check_get(run, name[i]), "seeds"), 1, "seeds", i + 1);
    if (isfinite(mean) && isfinite(low) && isfinite(high)) {
        hsgd_check_pair(pairs, fmin(low, mean), low, 0, "S_runs, min", 1);
        hsgd_check_pair(pairs, fmax(high, mean), high, 0, "S_runs, max", 1);
    }
}

/* The deviation of single runs gives the error of their mean, where all of them are independent. */
static void compare_deviation(hsgd_check_pairs *pairs, const hsgd_check *c, const cJSON *run)
{
    double sd = hsgd_check_number(hsgd_check_get(run, "S_runs"), "sd");
    double se = hsgd_check_number(hsgd_check_get(run, "S"), "se");
    double seeds = hsgd_check_number(c->document, "seeds"), runs = hsgd_check_number(c->document, "runs");
    if (seeds == runs && isfinite(sd) && isfinite(se))
        hsgd_check_pair(pairs, sd / sqrt(seeds), se, 0, "se of S, of", 1);
}

/* Every run of the document: H-SGD, then those beside it. */
static void check_runs(hsgd_check *c)
{
    const cJSON *run = hsgd_check_get(c->document, "measured");
    const cJSON *references = hsgd_check_get(c->document, "measured_references");
    const cJSON *next = references ? references->child : NULL;
    hsgd_check_pairs deviations = {0}, sizes = {0};
    while (run) {
        compare_deviation(&deviations, c, run);
        compare_sizes(&sizes, c, run);
        run = next;
        next = next ? next->next : NULL;
    }
    hsgd_check_say_pairs(c, &deviations, "standard error of S", HSGD_CHECK_ROUNDING);
    hsgd_check_say_pairs(c, &sizes, "measured: seeds, single runs", HSGD_CHECK_ROUNDING);
}

/* ---- bounds ---- */

static void check_terms(hsgd_check *c)
{
    const cJSON *bound, *term;
    hsgd_check_pairs values = {0}, ratios = {0};
    size_t at = 0;
    cJSON_ArrayForEach(bound, hsgd_check_get(c->document, "bounds"))
    {
        double value = hsgd_check_number(bound, "value"), sum = 0;
        const cJSON *terms = hsgd_check_get(bound, "terms");
        double mean = hsgd_check_number(hsgd_check_get(bound, "measured"), "mean");
        at++;
        cJSON_ArrayForEach(term, terms) sum += hsgd_check_number(term, "value");
        if (cJSON_GetArraySize(terms) > 0 && isfinite(value))
            hsgd_check_pair(&values, sum, value, 0, "bound", at);
        if (isfinite(value) && isfinite(mean) && isfinite(hsgd_check_number(bound, "ratio")))
            hsgd_check_pair(&ratios, mean / value, hsgd_check_number(bound, "ratio"), 0, "bound", at);
    }
    hsgd_check_say_pairs(c, &values, "bounds: sums of terms", HSGD_CHECK_ROUNDING);
    hsgd_check_say_pairs(c, &ratios, "bounds: measured / bound", HSGD_CHECK_ROUNDING);
}

/* Does the verdict contradict its interval? Verdicts may be milder than the interval, with a reason, and forgive rounding of the
 * simulation, of which `slack` is an upper limit. */
static bool contradicts(const cJSON *bound, double slack)
{
    const char *verdict = hsgd_check_text(bound, "verdict");
    const cJSON *joint = hsgd_check_get(hsgd_check_get(bound, "measured"), "ci_joint");
    double low = hsgd_check_item(joint, 0), high = hsgd_check_item(joint, 1), value = hsgd_check_number(bound, "value");
    bool reason = *hsgd_check_text(bound, "verdict_reason");
    if (is_verdict(verdict, HSGD_VERDICT_HOLDS))
        return !(high <= value + slack);
    if (is_verdict(verdict, HSGD_VERDICT_VIOLATED))
        return !(low > value);
    if (is_verdict(verdict, HSGD_VERDICT_INCONCLUSIVE))
        return high <= value && !reason;
    return cJSON_IsTrue(hsgd_check_get(bound, "applicable")) && !reason;
}

static void check_bounds(hsgd_check *c)
{
    const cJSON *bound, *bounds = hsgd_check_get(c->document, "bounds");
    int count = cJSON_GetArraySize(bounds);
    cJSON_ArrayForEach(bound, bounds)
    {
        double value = hsgd_check_number(bound, "value");
        double scale = fmax(fabs(value), fabs(hsgd_check_number(hsgd_check_get(bound, "measured"), "mean")));
        if (!contradicts(bound, 1e-6 * scale))
            continue;
        hsgd_check_say(c, HSGD_CHECK_FAILS, "bounds: verdicts",
                       "%s: \"%s\" does not follow from its interval and the bound %.6g", hsgd_check_text(bound, "id"),
                       hsgd_check_text(bound, "verdict"), value);
        return;
    }
    if (count > 0)
        hsgd_check_say(c, HSGD_CHECK_HOLDS, "bounds: verdicts", "%d follow from intervals and bounds", count);
}

/* ---- all together ---- */

static hsgd_verdict verdict_of(const cJSON *object)
{
    const char *text = hsgd_check_text(object, "verdict");
    for (int v = HSGD_VERDICT_HOLDS; v < HSGD_VERDICT_NOT_APPLICABLE; v++)
        if (is_verdict(text, (hsgd_verdict)v))
            return (hsgd_verdict)v;
    return HSGD_VERDICT_NOT_APPLICABLE;
}

static hsgd_verdict worst_of(const cJSON *array)
{
    const cJSON *item;
    hsgd_verdict worst = HSGD_VERDICT_NOT_APPLICABLE;
    cJSON_ArrayForEach(item, array) worst = hsgd_verdict_worse(worst, verdict_of(item));
    return worst;
}

/* Is anything below an item violated? */
static bool has_violated(const cJSON *item)
{
    const cJSON *child;
    bool is_word = cJSON_IsString(item) && item->string;
    if (is_word && (strcmp(item->string, "verdict") == 0 || strcmp(item->string, "order") == 0))
        return is_verdict(item->valuestring, HSGD_VERDICT_VIOLATED);
    cJSON_ArrayForEach(child, item) if (has_violated(child)) return true;
    return false;
}

/* The bounds decide; of the other checks only violated ones count. */
static void check_overall(hsgd_check *c)
{
    static const char *const others[] = {"dispersion",      "ladder",     "audit",
                                         "random_grouping", "identities", "worst_case"};
    hsgd_verdict overall = worst_of(hsgd_check_get(c->document, "bounds"));
    const char *written = hsgd_check_text(c->document, "verdict");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (has_violated(hsgd_check_get(c->document, others[i])))
            overall = HSGD_VERDICT_VIOLATED;
    if (cJSON_IsFalse(hsgd_check_get(hsgd_check_get(c->document, "sandwich"), "holds")))
        overall = HSGD_VERDICT_VIOLATED;
    if (is_verdict(written, overall))
        hsgd_check_say(c, HSGD_CHECK_HOLDS, "verdict", "\"%s\" is the worst of those below it", written);
    else
        hsgd_check_say(c, HSGD_CHECK_FAILS, "verdict", "\"%s\" is written, \"%s\" follows", written,
                       hsgd_verdict_name(overall));
}

void hsgd_check_verdicts(hsgd_check *check)
{
    check_intervals(check);
    check_runs(check);
    check_repeated(check);
    check_terms(check);
    check_bounds(check);
    check_overall(check);
}
