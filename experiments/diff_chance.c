/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs with other seeds: their numbers differ by chance, and the question is whether by more than that. */
#include "experiments/diff_private.h"

#include <math.h>

#include "analysis/statistics.h"

static const cJSON *get(const cJSON *object, const char *key)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

static double number_of(const cJSON *object, const char *key)
{
    const cJSON *value = get(object, key);
    return cJSON_IsNumber(value) ? value->valuedouble : NAN;
}

bool hsgd_diff_seeds_differ(const hsgd_diff *diff)
{
    const cJSON *a = get(diff->document[0], "config"), *b = get(diff->document[1], "config");
    bool same = number_of(a, "first_seed") == number_of(b, "first_seed") &&
                number_of(a, "seeds") == number_of(b, "seeds") &&
                number_of(diff->document[0], "runs") == number_of(diff->document[1], "runs");
    return !same && !cJSON_IsTrue(get(diff->document[0], "deterministic"));
}

static hsgd_estimate estimate_of(const cJSON *run, const char *name)
{
    const cJSON *quantity = get(run, name);
    return (hsgd_estimate){number_of(quantity, "mean"), number_of(quantity, "se"),
                           (size_t)fmax(0, number_of(quantity, "seeds"))};
}

/* Welch's test: the degrees of freedom are those of Satterthwaite, rounded down, which is on the safe side. Its fourth
 * powers of what are errors of squares need not fit into a double, so that it is done in units of the larger one. */
static hsgd_estimate difference_of(hsgd_estimate a, hsgd_estimate b)
{
    double unit = fmax(a.se, b.se) > 0 ? fmax(a.se, b.se) : 1, ua = a.se / unit, ub = b.se / unit;
    double va = ua * ua, vb = ub * ub, fa = (double)a.count - 1, fb = (double)b.count - 1;
    double freedom = (va + vb) * (va + vb) / (va * va / fa + vb * vb / fb);
    size_t count = a.count < 2 || b.count < 2 ? 1 : isfinite(freedom) ? (size_t)freedom + 1 : a.count;
    return (hsgd_estimate){a.mean - b.mean, count < 2 ? NAN : unit * sqrt(va + vb), count};
}

static void compare_mean(hsgd_diff *d, const cJSON *run1, const cJSON *run2, const char *name, const char *title,
                         double checks)
{
    double confidence = number_of(get(d->document[0], "config"), "confidence");
    hsgd_estimate a = estimate_of(run1, name), b = estimate_of(run2, name), difference = difference_of(a, b);
    if (!get(run1, name) || !get(run2, name))
        return;
    double half_width = confidence > 0 && confidence < 1 ? hsgd_half_width(difference, confidence, checks) : NAN;
    if (!isfinite(half_width) || !isfinite(difference.mean)) {
        d->undecided = true;
        hsgd_diff_say(d, HSGD_DIFF_NOTE, title, "%.8g | %.8g: one of them has no interval", a.mean, b.mean);
        return;
    }
    bool agrees = fabs(difference.mean) <= half_width + d->tolerance * fmax(fabs(a.mean), fabs(b.mean));
    hsgd_diff_say(d, agrees ? HSGD_DIFF_AGREES : HSGD_DIFF_DIFFERS, title,
                  "%.8g | %.8g: difference %.3g, by chance up to %.3g (%g %%, for all of these together)", a.mean,
                  b.mean, difference.mean, half_width, 100 * confidence);
}

void hsgd_diff_chance(hsgd_diff *diff)
{
    static const char *const id[] = {"local-sgd-inner", "local-sgd-outer"};
    const cJSON *a = diff->document[0], *b = diff->document[1];
    const cJSON *references1 = get(a, "measured_references"), *references2 = get(b, "measured_references");
    double checks = 2;
    for (size_t i = 0; i < 2; i++)
        checks += get(references1, id[i]) && get(references2, id[i]);
    compare_mean(diff, get(a, "measured"), get(b, "measured"), "S", "S", checks);
    compare_mean(diff, get(a, "measured"), get(b, "measured"), "S_round", "S_round", checks);
    compare_mean(diff, get(references1, id[0]), get(references2, id[0]), "S", "S of local-sgd-inner", checks);
    compare_mean(diff, get(references1, id[1]), get(references2, id[1]), "S", "S of local-sgd-outer", checks);
}
