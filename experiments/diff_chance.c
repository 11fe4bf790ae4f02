/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs with other seeds: their numbers differ by chance, and the question is whether by more than that. Of many points the one that
 * is furthest off is told, and all of them count as checks that hold together. */
#include "experiments/diff_private.h"

#include <math.h>
#include <string.h>

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

/* Exact moments know no seed. */
static bool is_exact(const cJSON *document)
{
    const cJSON *method = get(get(document, "rate"), "method"), *point;
    if (cJSON_IsString(method))
        return strcmp(method->valuestring, "exact") == 0;
    cJSON_ArrayForEach(point, get(document, "points"))
    {
        method = get(point, "method");
        if (!cJSON_IsString(method) || strcmp(method->valuestring, "exact") != 0)
            return false;
    }
    return cJSON_IsTrue(get(document, "deterministic")) || cJSON_IsString(method);
}

static bool same_number(const cJSON *a, const cJSON *b, const char *key)
{
    double x = number_of(a, key), y = number_of(b, key);
    return x == y || (isnan(x) && isnan(y));
}

/* Plans and worst cases have no seeds; those of a hunt are those of a search. */
bool hsgd_diff_seeds_differ(const hsgd_diff *diff)
{
    const cJSON *a = diff->document[0], *b = diff->document[1], *made1 = get(a, "provenance"),
                *made2 = get(b, "provenance");
    bool has_seeds = diff->kind == HSGD_FOLDER_RUN || diff->kind == HSGD_FOLDER_SWEEP ||
                     diff->kind == HSGD_FOLDER_RATE || diff->kind == HSGD_FOLDER_PHASE;
    bool same = same_number(get(a, "config"), get(b, "config"), "first_seed") &&
                same_number(get(a, "config"), get(b, "config"), "seeds") && same_number(a, b, "runs") &&
                same_number(made1, made2, "first_seed") && same_number(made1, made2, "last_seed");
    return has_seeds && !same && !is_exact(a);
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

/* Pairs of means; the one whose difference is the largest share of what chance allows. */
typedef struct pairs {
    double confidence, checks;
    size_t count, unknown, off; /* pairs, those without an interval, those that are off by more than chance */
    double share;
    double left, right, allowed; /* of the worst */
    char where[HSGD_JSON_PATH_SIZE];
} pairs;

/* A run says it in its configuration only; that of a rate is the one of a point. */
static pairs begin_pairs(const hsgd_diff *d, double checks)
{
    double stated = number_of(d->document[0], "confidence");
    double of_config = number_of(get(d->document[0], "config"), "confidence");
    return (pairs){.confidence = isfinite(stated) ? stated : of_config, .checks = checks, .share = -1};
}

/* allowed: by chance; NAN: not known. */
static void add_pair(pairs *p, double left, double right, double allowed, double tolerance, const char *where)
{
    double off = fabs(left - right), limit = allowed + tolerance * fmax(fabs(left), fabs(right));
    bool known = isfinite(limit) && isfinite(off);
    p->count++;
    p->unknown += !known;
    p->off += known && off > limit;
    double share = !known ? 0 : off > 0 ? off / limit : 0;
    if (share <= p->share)
        return;
    p->share = share;
    p->left = left;
    p->right = right;
    p->allowed = allowed;
    snprintf(p->where, sizeof p->where, "%s", where);
}

/* Two estimates of one quantity, by Welch's test. */
static void add_means(pairs *p, const hsgd_diff *d, hsgd_estimate a, hsgd_estimate b, const char *where)
{
    bool legal = p->confidence > 0 && p->confidence < 1;
    double half_width = legal ? hsgd_half_width(difference_of(a, b), p->confidence, p->checks) : NAN;
    add_pair(p, a.mean, b.mean, half_width, d->tolerance, where);
}

static void say_pairs(hsgd_diff *d, const pairs *p, const char *title)
{
    char where[HSGD_JSON_PATH_SIZE + 40] = "";
    if (p->count == 0)
        return;
    d->undecided = d->undecided || p->unknown > 0;
    if (p->unknown == p->count) {
        hsgd_diff_say(d, HSGD_DIFF_NOTE, title, "%.8g | %.8g: one of them has no interval", p->left, p->right);
        return;
    }
    if (*p->where)
        snprintf(where, sizeof where, "%zu of %zu are off by more than chance; most of all %.60s: ", p->off,
                 p->count - p->unknown, p->where);
    hsgd_diff_say(d, p->off ? HSGD_DIFF_DIFFERS : HSGD_DIFF_AGREES, title,
                  "%s%.8g | %.8g: difference %.3g, by chance up to %.3g (%.4g %%, for all of these together)", where,
                  p->left, p->right, p->left - p->right, p->allowed, 100 * p->confidence);
}

/* ---- one run ---- */

static void compare_mean(hsgd_diff *d, const cJSON *run1, const cJSON *run2, const char *name, const char *title,
                         double checks)
{
    pairs p = begin_pairs(d, checks);
    if (!get(run1, name) || !get(run2, name))
        return;
    add_means(&p, d, estimate_of(run1, name), estimate_of(run2, name), "");
    say_pairs(d, &p, title);
}

static void compare_run(hsgd_diff *diff)
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

/* ---- many points ---- */

static hsgd_estimate point_estimate(const hsgd_diff *d, const cJSON *point)
{
    if (d->kind == HSGD_FOLDER_SWEEP)
        return estimate_of(get(point, "measured"), "S");
    return (hsgd_estimate){number_of(point, "value"), number_of(point, "se"),
                           (size_t)fmax(0, number_of(point, "seeds"))};
}

/* Half of the interval that a point of a phase diagram gives for a difference. */
static double half_of(const cJSON *difference)
{
    const cJSON *ci = get(difference, "ci"), *low = cJSON_GetArrayItem(ci, 0), *high = cJSON_GetArrayItem(ci, 1);
    return cJSON_IsNumber(low) && cJSON_IsNumber(high) ? (high->valuedouble - low->valuedouble) / 2 : NAN;
}

/* Where two intervals hold, they have the truth in common. */
static void add_difference(pairs *p, const hsgd_diff *d, const cJSON *a, const cJSON *b, const char *name,
                           const char *where)
{
    const cJSON *left = get(a, name), *right = get(b, name);
    if (left && right)
        add_pair(p, number_of(left, "value"), number_of(right, "value"), half_of(left) + half_of(right), d->tolerance,
                 where);
}

static void name_point(char out[80], const cJSON *point)
{
    const cJSON *title = get(point, "title");
    if (cJSON_IsString(title))
        snprintf(out, 80, "%.70s", title->valuestring);
    else
        snprintf(out, 80, "at %.10g", number_of(point, "at"));
}

static void compare_points(hsgd_diff *d)
{
    const cJSON *points1 = get(d->document[0], "points"), *points2 = get(d->document[1], "points");
    const cJSON *a = points1 ? points1->child : NULL, *b = points2 ? points2->child : NULL;
    bool is_phase = d->kind == HSGD_FOLDER_PHASE;
    pairs p = begin_pairs(d, cJSON_GetArraySize(points1)), q = p;
    for (; a && b; a = a->next, b = b->next) {
        char where[80];
        name_point(where, a);
        if (is_phase) {
            add_difference(&p, d, a, b, "hsgd_minus_inner", where);
            add_difference(&q, d, a, b, "outer_minus_hsgd", where);
        } else
            add_means(&p, d, point_estimate(d, a), point_estimate(d, b), where);
    }
    say_pairs(d, &p, is_phase ? "hsgd_minus_inner" : d->kind == HSGD_FOLDER_SWEEP ? "S" : "points");
    say_pairs(d, &q, "outer_minus_hsgd");
}

void hsgd_diff_chance(hsgd_diff *diff)
{
    if (diff->kind == HSGD_FOLDER_RUN)
        compare_run(diff);
    else
        compare_points(diff);
}
