/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sweep.json against the results of its points: what it repeats of them is there, and each of them is checked, too. */
#include "experiments/check_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/provenance_private.h"

/* What the configurations of all points come to. */
typedef struct totals {
    hsgd_checksum *hash; /* of their hashes; owned */
    double first_seed, last_seed, least_confidence, most_confidence;
} totals;

/* Is all that a says what b says, too? b may say more. */
static bool is_part(const cJSON *a, const cJSON *b)
{
    const cJSON *child, *other;
    if (cJSON_IsObject(a)) {
        cJSON_ArrayForEach(child, a) if (!is_part(child, hsgd_check_get(b, child->string))) return false;
        return cJSON_IsObject(b);
    }
    if (!cJSON_IsArray(a))
        return cJSON_Compare(a, b, true);
    if (!cJSON_IsArray(b))
        return false;
    for (child = a->child, other = b->child; child && other; child = child->next, other = other->next)
        if (!is_part(child, other))
            return false;
    return !child && !other;
}

/* What stands in sweep.json alone. */
static bool is_own(const char *key)
{
    static const char *const own[] = {"labels", "title", "folder", "state", "reason"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(key, own[i]) == 0)
            return true;
    return false;
}

/* The first member of a point that its result.json does not have like this; NULL: none. */
static const char *find_difference(const cJSON *point, const cJSON *result)
{
    const cJSON *member;
    cJSON_ArrayForEach(member,
                       point) if (!is_own(member->string) &&
                                  !is_part(member, hsgd_check_get(result, member->string))) return member->string;
    return NULL;
}

/* One line for a folder in which all is well, else one for each thing that is not. */
static void say_inside(hsgd_check *c, const char *folder, const hsgd_check *inside)
{
    const hsgd_findings *found = &inside->findings;
    for (size_t i = 0; i < found->num_items; i++)
        if (found->item[i].outcome == HSGD_CHECK_FAILS) {
            char name[2 * HSGD_FINDING_NAME_SIZE];
            snprintf(name, sizeof name, "%.80s: %s", folder, found->item[i].name);
            hsgd_check_say(c, HSGD_CHECK_FAILS, name, "%s", found->item[i].detail);
        }
    if (!found->count[HSGD_CHECK_FAILS])
        hsgd_check_say(c, HSGD_CHECK_HOLDS, folder, "%zu checks of this folder hold, %zu were not made",
                       found->count[HSGD_CHECK_HOLDS], found->count[HSGD_CHECK_NOT_CHECKED]);
}

static void add_config(totals *all, const hsgd_config *config)
{
    double first = (double)config->first_seed;
    all->first_seed = fmin(all->first_seed, first);
    all->last_seed = fmax(all->last_seed, first + (double)hsgd_config_runs(config) - 1);
    all->least_confidence = fmin(all->least_confidence, config->confidence);
    all->most_confidence = fmax(all->most_confidence, config->confidence);
}

/* A point that is done. Its configuration goes to those of all. */
static hsgd_status check_point(hsgd_check *c, const cJSON *point, totals *all, hsgd_error *err)
{
    const char *folder = hsgd_check_text(point, "folder");
    char *path, digits[HSGD_CHECKSUM_SIZE];
    hsgd_check inside;
    hsgd_error reason;
    if (strncmp(folder, "points/", 7) != 0 || strstr(folder, "..")) {
        hsgd_check_say(c, HSGD_CHECK_FAILS, "points", "\"%.80s\" is not the folder of a point", folder);
        return HSGD_OK;
    }
    if (asprintf(&path, "%s/%s", c->dir, folder) < 0)
        return hsgd_fail_memory(err, "a path");
    hsgd_status status = hsgd_check_folder(&inside, path, c->require_data, NULL, &reason);
    if (!status && hsgd_check_get(inside.document, "config")) {
        status = hsgd_provenance_hash_document(digits, hsgd_check_get(inside.document, "config"), &reason);
        hsgd_checksum_add(all->hash, digits, strlen(digits));
        hsgd_checksum_add(all->hash, "\n", 1);
        if (inside.has_config)
            add_config(all, &inside.config);
    }
    if (!status) {
        const char *other = find_difference(point, inside.document);
        say_inside(c, folder, &inside);
        if (other)
            hsgd_check_say(c, HSGD_CHECK_FAILS, folder, "sweep.json has another \"%s\" than its result.json", other);
    } else if (status == HSGD_ERROR_INPUT)
        hsgd_check_say(c, HSGD_CHECK_FAILS, folder, "%s", reason.message);
    hsgd_check_free(&inside);
    free(path);
    return status && status != HSGD_ERROR_INPUT ? hsgd_fail(err, status, "%s", reason.message) : HSGD_OK;
}

static void check_hash(hsgd_check *c, hsgd_checksum *all, size_t done, size_t count)
{
    const char *stated = hsgd_check_text(hsgd_check_get(c->document, "provenance"), "configs_sha256");
    char digits[HSGD_CHECKSUM_SIZE];
    hsgd_checksum_finish(all, digits);
    if (!*stated)
        hsgd_check_say(c, HSGD_CHECK_NOT_CHECKED, "configurations, hash", "the document states none");
    else if (done < count)
        hsgd_check_say(c, HSGD_CHECK_NOT_CHECKED, "configurations, hash", "%zu of %zu points are done", done, count);
    else if (strcmp(digits, stated) == 0)
        hsgd_check_say(c, HSGD_CHECK_HOLDS, "configurations, hash", "configs_sha256 is that of all %zu points", count);
    else
        hsgd_check_say(c, HSGD_CHECK_FAILS, "configurations, hash", "those of the points have %.12s..., not %.12s...",
                       digits, stated);
}

/* Points that have a confidence of their own share none. */
static void check_shared(hsgd_check *c, const totals *all)
{
    const cJSON *provenance = hsgd_check_get(c->document, "provenance");
    double confidence = hsgd_check_number(c->document, "confidence");
    hsgd_check_pairs pairs = {0};
    if (hsgd_check_get(provenance, "first_seed")) {
        hsgd_check_pair(&pairs, all->first_seed, hsgd_check_number(provenance, "first_seed"), 1, "first_seed", 1);
        hsgd_check_pair(&pairs, all->last_seed, hsgd_check_number(provenance, "last_seed"), 1, "last_seed", 1);
    }
    if (isfinite(confidence)) {
        hsgd_check_pair(&pairs, all->least_confidence, confidence, 0, "confidence, least", 1);
        hsgd_check_pair(&pairs, all->most_confidence, confidence, 0, "confidence, largest", 1);
    }
    hsgd_check_say_pairs(c, &pairs, "seeds and confidence of the points", HSGD_CHECK_ROUNDING);
}

hsgd_status hsgd_check_points(hsgd_check *check, hsgd_error *err)
{
    const cJSON *points = hsgd_check_get(check->document, "points"), *point;
    size_t done = 0, count = 0;
    totals all = {hsgd_checksum_alloc(), INFINITY, -INFINITY, INFINITY, -INFINITY};
    hsgd_status status = all.hash ? HSGD_OK : hsgd_fail_memory(err, "a checksum");
    cJSON_ArrayForEach(point, points)
    {
        count++;
        if (status || strcmp(hsgd_check_text(point, "state"), "done") != 0)
            continue;
        done++;
        status = check_point(check, point, &all, err);
    }
    if (!status)
        check_hash(check, all.hash, done, count);
    if (!status && done == count && isfinite(all.first_seed))
        check_shared(check, &all);
    hsgd_checksum_free(all.hash);
    return status;
}
