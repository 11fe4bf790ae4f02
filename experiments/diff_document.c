/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two documents walked side by side. */
#include "experiments/diff_private.h"

#include <math.h>
#include <string.h>

/* So many keys of the configuration, or other values, are listed one by one. */
enum { MAX_LISTED = 40, VALUE_SIZE = 48 };

static const cJSON *get(const cJSON *object, const char *key)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

/* ---- one value next to the other ---- */

static void show(char out[VALUE_SIZE], const cJSON *value)
{
    if (!value) {
        snprintf(out, VALUE_SIZE, "-");
        return;
    }
    if (cJSON_IsNumber(value)) {
        snprintf(out, VALUE_SIZE, "%.10g", value->valuedouble);
        return;
    }
    char *text = cJSON_IsString(value) ? NULL : cJSON_PrintUnformatted(value);
    const char *shown = text ? text : cJSON_IsString(value) ? value->valuestring : "";
    snprintf(out, VALUE_SIZE, "%.40s%s", shown, strlen(shown) > 40 ? "..." : "");
    cJSON_free(text);
}

/* What a walk does with two leaves, either of which may be NULL: not there. */
typedef struct walk {
    hsgd_diff *diff;
    void (*leaf)(struct walk *walk, const char *path, const cJSON *a, const cJSON *b);
    const char *title;         /* of the lines */
    hsgd_diff_outcome outcome; /* of a difference */
    size_t listed;             /* differences so far */
    hsgd_gap gap;              /* of the numbers of one member */
    double level;              /* of what differences of a phase diagram are differences of */
} walk;

static void say_difference(walk *w, const char *path, const cJSON *a, const cJSON *b)
{
    char left[VALUE_SIZE], right[VALUE_SIZE], name[HSGD_FINDING_NAME_SIZE];
    if (w->listed++ >= MAX_LISTED)
        return;
    show(left, a);
    show(right, b);
    snprintf(name, sizeof name, "%s%s%.70s", w->title, *w->title ? ": " : "", path);
    hsgd_diff_say(w->diff, w->outcome, name, "%s | %s", left, right);
}

static void say_more(walk *w)
{
    if (w->listed > MAX_LISTED)
        hsgd_diff_say(w->diff, w->outcome, w->title, "and %zu more", w->listed - MAX_LISTED);
}

static bool has_parts(const cJSON *value)
{
    return cJSON_IsObject(value) || cJSON_IsArray(value);
}

/* ---- walking ---- */

static void walk_both(walk *w, const char *path, const cJSON *a, const cJSON *b);

static void walk_objects(walk *w, const char *path, const cJSON *a, const cJSON *b)
{
    const cJSON *member;
    char longer[HSGD_JSON_PATH_SIZE];
    int length = (int)strlen(path);
    cJSON_ArrayForEach(member, a)
    {
        snprintf(longer, sizeof longer, "%.*s%s%.80s", length, path, *path ? "." : "", member->string);
        walk_both(w, longer, member, get(b, member->string));
    }
    cJSON_ArrayForEach(member, b)
    {
        if (get(a, member->string))
            continue;
        snprintf(longer, sizeof longer, "%.*s%s%.80s", length, path, *path ? "." : "", member->string);
        walk_both(w, longer, NULL, member);
    }
}

static void walk_arrays(walk *w, const char *path, const cJSON *a, const cJSON *b)
{
    char longer[HSGD_JSON_PATH_SIZE];
    const cJSON *left = a->child, *right = b->child;
    for (size_t i = 0; left || right; i++) {
        snprintf(longer, sizeof longer, "%.200s[%zu]", path, i);
        walk_both(w, longer, left, right);
        left = left ? left->next : NULL;
        right = right ? right->next : NULL;
    }
}

static void walk_both(walk *w, const char *path, const cJSON *a, const cJSON *b)
{
    if (cJSON_IsObject(a) && cJSON_IsObject(b))
        walk_objects(w, path, a, b);
    else if (cJSON_IsArray(a) && cJSON_IsArray(b))
        walk_arrays(w, path, a, b);
    else
        w->leaf(w, path, a, b);
}

/* ---- configuration and provenance ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Data lie in other folders on other machines. */
static bool is_same(const cJSON *a, const cJSON *b)
{
    if (cJSON_IsString(a) && cJSON_IsString(b))
        return strcmp(base_name(a->valuestring), base_name(b->valuestring)) == 0;
    return a && b && cJSON_Compare(a, b, true);
}

static void compare_setting(walk *w, const char *path, const cJSON *a, const cJSON *b)
{
    if (!is_same(a, b))
        say_difference(w, path, a, b);
}

/* Files of results are compared number by number, not by checksums. */
static void compare_origin(walk *w, const char *path, const cJSON *a, const cJSON *b)
{
    if (strncmp(path, "output_files", strlen("output_files")) != 0)
        compare_setting(w, path, a, b);
}

static void compare_settings(hsgd_diff *d, const char *key, bool of_results)
{
    const cJSON *a = get(d->document[0], key), *b = get(d->document[1], key);
    walk w = {
        .diff = d, .leaf = of_results ? compare_setting : compare_origin, .title = key, .outcome = HSGD_DIFF_NOTE};
    if (!a && !b)
        return;
    walk_both(&w, "", a, b);
    say_more(&w);
    if (w.listed == 0)
        hsgd_diff_say(d, of_results ? HSGD_DIFF_AGREES : HSGD_DIFF_NOTE, key, "the same in both");
}

/* ---- the rest ---- */

/* Members that are no results, or were compared before; of a training, times, which are never the same. */
static bool is_left_out(const hsgd_diff *d, const char *key)
{
    static const char *const always[] = {"name",    "config",       "provenance",     "files",
                                         "figures", "figure_style", "document_sha256"};
    static const char *const times[] = {"mpi",           "hosts",  "seconds",       "computing", "levels",
                                        "probe_repeats", "probes", "communication", "ranks"};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (strcmp(key, always[i]) == 0)
            return true;
    for (size_t i = 0; d->kind == HSGD_FOLDER_TRAIN && i < sizeof times / sizeof *times; i++)
        if (strcmp(key, times[i]) == 0)
            return true;
    return false;
}

/* An error of rounding is not the same anywhere: it only has to be one in both. So is the difference of two means that are equal. */
static double scale_of(const walk *w, const char *path)
{
    static const char ending[] = "max_relative_error";
    size_t length = strlen(path), end = sizeof ending - 1;
    bool is_error = length >= end && strcmp(path + length - end, ending) == 0;
    return is_error ? 1 : strstr(path, "_minus_") ? w->level : 0;
}

static double number_of(const cJSON *value)
{
    return cJSON_IsNumber(value) ? value->valuedouble : NAN;
}

/* null is a number that is not known. */
static bool is_numeric(const cJSON *value)
{
    return cJSON_IsNumber(value) || cJSON_IsNull(value);
}

/* The largest mean of all points, in both documents. */
static double level_of(const hsgd_diff *d)
{
    static const char *const mean[] = {"inner", "hsgd", "outer"};
    double level = 0;
    const cJSON *point;
    for (size_t i = 0; i < 6; i++)
        cJSON_ArrayForEach(point, get(d->document[i / 3], "points")) level =
            fmax(level, fabs(number_of(get(point, mean[i % 3]))));
    return level;
}

/* What no seed decides: runs, or points, that differ in it answer two questions. */
static bool is_of_no_chance(const char *path)
{
    static const char *const beginning[] = {
        "hierarchy",           "step_size",     "steps",  "data",  "partition", "sandwich.noise",
        "sandwich.divergence", "axes",          "labels", "title", "workers",   "num_workers",
        "local_period",        "global_period", "at",     "rate.", "folder"};
    const char *end = strncmp(path, "points[", strlen("points[")) == 0 ? strchr(path, '.') : NULL;
    path = end ? end + 1 : path;
    for (size_t i = 0; i < sizeof beginning / sizeof *beginning; i++)
        if (strncmp(path, beginning[i], strlen(beginning[i])) == 0)
            return true;
    return false;
}

static void compare_result(walk *w, const char *path, const cJSON *a, const cJSON *b)
{
    bool fixed = w->diff->by_chance && is_of_no_chance(path);
    hsgd_gap one = hsgd_gap_begin();
    w->outcome = w->diff->by_chance && !fixed ? HSGD_DIFF_NOTE : HSGD_DIFF_DIFFERS;
    if (fixed && is_numeric(a) && is_numeric(b)) {
        if (!hsgd_gap_add(&one, number_of(a), number_of(b), w->diff->tolerance, 0, path))
            say_difference(w, path, a, b);
    } else if (is_numeric(a) && is_numeric(b))
        hsgd_gap_add(&w->gap, number_of(a), number_of(b), w->diff->tolerance, scale_of(w, path), path);
    else if (!a || !b || has_parts(a) || has_parts(b) || !cJSON_Compare(a, b, true))
        say_difference(w, path, a, b);
}

/* One member of both, either of which may be NULL. A line where numbers differ; all and same: of the whole document. */
static void compare_member(walk *w, const char *key, const cJSON *a, const cJSON *b, size_t *all, size_t *same)
{
    char text[HSGD_FINDING_DETAIL_SIZE], name[HSGD_FINDING_NAME_SIZE];
    hsgd_diff *d = w->diff;
    w->gap = hsgd_gap_begin();
    walk_both(w, key, a, b);
    *all += w->gap.count;
    *same += w->gap.same;
    if (w->gap.same == w->gap.count)
        return;
    snprintf(name, sizeof name, "%s: %.60s", hsgd_folder_file(d->kind), key);
    hsgd_gap_describe(text, sizeof text, &w->gap, "relative");
    hsgd_diff_say(d,
                  w->gap.agrees  ? HSGD_DIFF_AGREES
                  : d->by_chance ? HSGD_DIFF_NOTE
                                 : HSGD_DIFF_DIFFERS,
                  name, "%s", text);
}

static void compare_results(hsgd_diff *d)
{
    const cJSON *member, *a = d->document[0], *b = d->document[1];
    size_t all = 0, same = 0;
    walk w = {.diff = d, .leaf = compare_result, .title = "", .level = level_of(d)};
    cJSON_ArrayForEach(member, a) if (!is_left_out(d, member->string))
        compare_member(&w, member->string, member, get(b, member->string), &all, &same);
    cJSON_ArrayForEach(member, b) if (!is_left_out(d, member->string) && !get(a, member->string))
        compare_member(&w, member->string, NULL, member, &all, &same);
    w.outcome = d->by_chance ? HSGD_DIFF_NOTE : HSGD_DIFF_DIFFERS;
    say_more(&w);
    hsgd_diff_say(d, same == all ? HSGD_DIFF_AGREES : HSGD_DIFF_NOTE, hsgd_folder_file(d->kind),
                  "%zu of %zu numbers are the same to the bit", same, all);
}

void hsgd_diff_documents(hsgd_diff *diff)
{
    compare_settings(diff, "config", true);
    compare_settings(diff, "provenance", false);
    compare_results(diff);
}
