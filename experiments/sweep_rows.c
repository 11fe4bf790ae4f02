/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is there of a point: its result.json, if that belongs to the same configuration and the same program. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bounds/bound.h"
#include "bounds/verdict.h"
#include "experiments/checksum.h"
#include "experiments/sweep_private.h"

void hsgd_sweep_rows_free(hsgd_sweep_row *row, size_t count)
{
    for (size_t i = 0; row && i < count; i++) {
        free(row[i].reason);
        cJSON_Delete(row[i].summary);
    }
    free(row);
}

char *hsgd_sweep_point_path(const char *dir, const hsgd_sweep_point *point)
{
    char *path = NULL;
    return asprintf(&path, "%s/points/%s", dir, point->folder) < 0 ? NULL : path;
}

/* Of a plug-in that is still there the code must be the same, too. One that is gone says nothing. */
static bool has_same_plugin(const cJSON *result, const cJSON *config)
{
    const cJSON *provenance = cJSON_GetObjectItemCaseSensitive(result, "provenance");
    const cJSON *plugin = cJSON_GetObjectItemCaseSensitive(provenance, "plugin");
    const cJSON *before = cJSON_GetObjectItemCaseSensitive(plugin, "sha256");
    const cJSON *path = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(config, "problem"), "path");
    char now[HSGD_CHECKSUM_SIZE];
    hsgd_checksum *checksum = cJSON_IsString(before) && cJSON_IsString(path) ? hsgd_checksum_alloc() : NULL;
    bool read = checksum && hsgd_checksum_add_file(checksum, path->valuestring, NULL, NULL) == HSGD_OK;
    if (read)
        hsgd_checksum_finish(checksum, now);
    hsgd_checksum_free(checksum);
    return !read || strcmp(now, before->valuestring) == 0;
}

/* Is this the result of that configuration? The comparison is by text: all digits count. */
static bool belongs(cJSON *result, const hsgd_sweep_point *point)
{
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(result, "version");
    cJSON *config = cJSON_DetachItemFromObjectCaseSensitive(result, "config");
    bool same = has_same_plugin(result, config);
    char *text = config ? hsgd_json_print(config) : NULL;
    same = same && text && strcmp(text, point->config) == 0 && cJSON_IsString(version) &&
           strcmp(version->valuestring, HSGD_VERSION) == 0;
    cJSON_free(text);
    cJSON_Delete(config);
    return same;
}

/* Has it what tables and figures take for granted? Somebody may have changed the file. */
static bool is_result(const cJSON *result)
{
    static const char *const numbers[] = {"step_size", "steps", "seeds", "runs"};
    const cJSON *bounds = cJSON_GetObjectItemCaseSensitive(result, "bounds"), *bound;
    bool legal = cJSON_IsArray(bounds) && cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(result, "measured"));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const cJSON *number = cJSON_GetObjectItemCaseSensitive(result, numbers[i]);
        legal = legal && cJSON_IsNumber(number) && number->valuedouble > 0;
    }
    cJSON_ArrayForEach(bound, bounds) legal = legal && cJSON_IsString(cJSON_GetObjectItemCaseSensitive(bound, "id")) &&
                                              cJSON_IsString(cJSON_GetObjectItemCaseSensitive(bound, "verdict"));
    return legal;
}

/* Move a member to another object; nothing where it is not there. */
static void move(cJSON *to, cJSON *from, const char *key)
{
    cJSON *member = cJSON_DetachItemFromObjectCaseSensitive(from, key);
    if (member)
        cJSON_AddItemToObject(to, key, member);
}

static cJSON *summarise_hierarchy(cJSON *result)
{
    static const char *const keys[] = {"workers", "levels", "local_period", "global_period"};
    cJSON *hierarchy = cJSON_GetObjectItemCaseSensitive(result, "hierarchy"), *out = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        move(out, hierarchy, keys[i]);
    return out;
}

/* Bounds without their terms. */
static cJSON *summarise_bounds(cJSON *result)
{
    static const char *const keys[] = {"id",       "title",     "of",    "algorithm", "applicable",    "value",
                                       "measured", "constants", "ratio", "verdict",   "verdict_reason"};
    cJSON *out = cJSON_CreateArray(), *bound;
    cJSON_ArrayForEach(bound, cJSON_GetObjectItemCaseSensitive(result, "bounds"))
    {
        cJSON *object = cJSON_CreateObject();
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            move(object, bound, keys[i]);
        cJSON_AddItemToArray(out, object);
    }
    return out;
}

/* What sweep.json repeats of a result.json, which is used up. */
static cJSON *summarise(cJSON *result)
{
    static const char *const keys[] = {"step_size",           "steps",   "seeds",   "runs",         "measured",
                                       "measured_references", "metrics", "targets", "communication"};
    cJSON *out = cJSON_CreateObject();
    move(out, result, "verdict");
    cJSON_AddItemToObject(out, "hierarchy", summarise_hierarchy(result));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        move(out, result, keys[i]);
    cJSON_AddItemToObject(out, "bounds", summarise_bounds(result));
    return out;
}

hsgd_status hsgd_sweep_row_read(hsgd_sweep_row *row, const char *dir, const hsgd_sweep_point *point, hsgd_error *err)
{
    char *folder = hsgd_sweep_point_path(dir, point), *path = NULL;
    cJSON *result;
    hsgd_error reason;
    if (!folder || asprintf(&path, "%s/result.json", folder) < 0) {
        free(folder);
        return hsgd_fail_memory(err, "a path");
    }
    /* no file, or one that is no result: the point is run again */
    hsgd_status status = access(path, R_OK) == 0 ? hsgd_json_read_file(&result, path, &reason) : HSGD_ERROR_INPUT;
    if (!status) {
        if (belongs(result, point) && is_result(result)) {
            cJSON_Delete(row->summary);
            row->summary = summarise(result);
            row->state = HSGD_SWEEP_DONE;
        }
        cJSON_Delete(result);
    }
    free(path);
    free(folder);
    return status == HSGD_ERROR_MEMORY ? hsgd_fail(err, status, "%s", reason.message) : HSGD_OK;
}

/* ---- kinds of bounds ---- */

/* Is it about S of H-SGD, and not built in? */
static bool is_own(const cJSON *bound)
{
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(bound, "id"));
    const char *of = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(bound, "of"));
    const char *algorithm = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(bound, "algorithm"));
    return id && of && algorithm && !hsgd_bound_find(id) && strcmp(of, hsgd_target_name(HSGD_TARGET_S)) == 0 &&
           (strcmp(algorithm, hsgd_algorithm_name(HSGD_ALGORITHM_HSGD)) == 0 ||
            strcmp(algorithm, hsgd_algorithm_name(HSGD_ALGORITHM_HSGD_RANDOM)) == 0);
}

void hsgd_sweep_add_kinds(hsgd_sweep_kinds *kinds, const cJSON *bounds)
{
    const cJSON *bound;
    cJSON_ArrayForEach(bound, bounds)
    {
        size_t i = 0;
        if (!is_own(bound))
            continue;
        const char *id = cJSON_GetObjectItemCaseSensitive(bound, "id")->valuestring;
        const char *title = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(bound, "title"));
        while (i < kinds->num_own && strcmp(kinds->id[i], id) != 0)
            i++;
        if (i < kinds->num_own || i == HSGD_MAX_OWN_SWEEP_KINDS)
            continue;
        kinds->id[i] = id;
        kinds->title[i] = title ? title : id;
        kinds->num_own++;
    }
}

size_t hsgd_sweep_num_kinds(const hsgd_sweep_kinds *kinds)
{
    return HSGD_NUM_SWEEP_KINDS + kinds->num_own;
}

const char *hsgd_sweep_kind_name(const hsgd_sweep_kinds *kinds, size_t kind)
{
    static const char *const name[HSGD_NUM_SWEEP_KINDS] = {"published", "sharpened", "recursive"};
    return kind < HSGD_NUM_SWEEP_KINDS ? name[kind] : kinds->id[kind - HSGD_NUM_SWEEP_KINDS];
}

/* The bound with this id, if a verdict was given on it. */
static const cJSON *find_judged(const cJSON *bounds, const char *id)
{
    const cJSON *bound;
    cJSON_ArrayForEach(bound, bounds)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(bound, "id"));
        const char *verdict = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(bound, "verdict"));
        if (name && verdict && strcmp(name, id) == 0 &&
            strcmp(verdict, hsgd_verdict_name(HSGD_VERDICT_NOT_APPLICABLE)) != 0)
            return bound;
    }
    return NULL;
}

const cJSON *hsgd_sweep_find_bound(const hsgd_sweep_kinds *kinds, const cJSON *bounds, size_t kind)
{
    static const char *const id[HSGD_NUM_SWEEP_KINDS][2] = {{"hsgd-random", "hsgd-fixed"},
                                                            {"hsgd-random-sharp", "hsgd-fixed-sharp"},
                                                            {"hsgd-random-recursive", "hsgd-fixed-recursive"}};
    if (kind >= HSGD_NUM_SWEEP_KINDS)
        return find_judged(bounds, kinds->id[kind - HSGD_NUM_SWEEP_KINDS]);
    const cJSON *random = find_judged(bounds, id[kind][0]);
    return random ? random : find_judged(bounds, id[kind][1]);
}
