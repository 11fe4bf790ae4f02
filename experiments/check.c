/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/check_private.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/statistics.h"
#include "experiments/text_file_private.h"

void hsgd_check_say(hsgd_check *check, hsgd_check_outcome outcome, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    hsgd_findings_add(&check->findings, (int)outcome, name, format, arguments);
    va_end(arguments);
}

/* ---- pairs of numbers ---- */

void hsgd_check_pair(hsgd_check_pairs *pairs, double found, double written, double scale, const char *where, size_t at)
{
    double size = fmax(fabs(scale), fmax(fabs(found), fabs(written))), difference = fabs(found - written) / size;
    if (found == written || (isnan(found) && isnan(written)))
        difference = 0;
    else if (!isfinite(difference))
        difference = INFINITY;
    if (pairs->count++ && !(difference > pairs->worst))
        return;
    pairs->worst = difference;
    pairs->found = found;
    pairs->written = written;
    snprintf(pairs->where, sizeof pairs->where, "%s %zu", where, at);
}

void hsgd_check_say_pairs(hsgd_check *check, const hsgd_check_pairs *pairs, const char *name, double tolerance)
{
    if (pairs->count == 0)
        hsgd_check_say(check, HSGD_CHECK_NOT_CHECKED, name, "the folder does not have these numbers");
    else if (pairs->worst <= tolerance)
        hsgd_check_say(check, HSGD_CHECK_HOLDS, name, "%zu number%s, largest relative difference %.2g", pairs->count,
                       pairs->count == 1 ? "" : "s", pairs->worst);
    else
        hsgd_check_say(check, HSGD_CHECK_FAILS, name, "%s: %.17g is written, %.17g follows", pairs->where,
                       pairs->written, pairs->found);
}

/* ---- members ---- */

const cJSON *hsgd_check_get(const cJSON *object, const char *key)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

double hsgd_check_number(const cJSON *object, const char *key)
{
    const cJSON *value = hsgd_check_get(object, key);
    return cJSON_IsNumber(value) ? value->valuedouble : NAN;
}

const char *hsgd_check_text(const cJSON *object, const char *key)
{
    const cJSON *value = hsgd_check_get(object, key);
    return cJSON_IsString(value) ? value->valuestring : "";
}

size_t hsgd_check_count(double value)
{
    return value > 0 ? (size_t)fmin(value, 1e15) : 0;
}

double hsgd_check_item(const cJSON *array, int index)
{
    const cJSON *item = cJSON_IsArray(array) ? cJSON_GetArrayItem(array, index) : NULL;
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

/* Both ends lie that far from the mean, up to the last digits that the mean leaves to a narrow interval. */
static void compare_width(hsgd_check_pairs *pairs, const cJSON *ends, double mean, double half, const char *where,
                          size_t at)
{
    hsgd_check_pair(pairs, half, mean - hsgd_check_item(ends, 0), 1e-5 * fabs(mean), where, at);
    hsgd_check_pair(pairs, half, hsgd_check_item(ends, 1) - mean, 1e-5 * fabs(mean), where, at);
}

void hsgd_check_interval(hsgd_check_pairs *pairs, const hsgd_check *check, const cJSON *quantity, double seeds,
                         double checks, const char *where, size_t at)
{
    const cJSON *ci = hsgd_check_get(quantity, "ci"), *joint = hsgd_check_get(quantity, "ci_joint");
    double confidence = hsgd_check_number(hsgd_check_get(check->document, "config"), "confidence");
    double mean = hsgd_check_number(quantity, hsgd_check_get(quantity, "mean") ? "mean" : "value");
    hsgd_estimate estimate = {mean, hsgd_check_number(quantity, "se"), hsgd_check_count(seeds)};
    if (estimate.count == 0 || !isfinite(mean) || !isfinite(estimate.se) || !(confidence > 0 && confidence < 1))
        return;
    compare_width(pairs, ci, mean, hsgd_half_width(estimate, confidence, 1), where, at);
    if (joint && checks > 0)
        compare_width(pairs, joint, mean, hsgd_half_width(estimate, confidence, checks), where, at);
}

/* ---- the folder ---- */

static hsgd_status read_document(hsgd_check *c, hsgd_error *err)
{
    c->kind = hsgd_folder_kind_of(c->dir);
    if (c->kind == HSGD_NUM_FOLDER_KINDS)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: holds no results: there is neither %s nor another command's file",
                         c->dir, hsgd_folder_file(HSGD_FOLDER_RUN));
    if (asprintf(&c->path, "%s/%s", c->dir, hsgd_folder_file(c->kind)) < 0) {
        c->path = NULL;
        return hsgd_fail_memory(err, "a path");
    }
    hsgd_status status = hsgd_text_file_read(&c->text, c->path, err);
    if (!status)
        status = hsgd_json_parse(&c->document, c->text, strlen(c->text), c->path, err);
    if (!status && !cJSON_IsObject(c->document))
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "%s: expected an object", c->path);
    return status;
}

/* series.csv and what follows from it. */
static hsgd_status check_run(hsgd_check *c, hsgd_error *err)
{
    hsgd_series series;
    hsgd_error reason;
    char *path;
    if (asprintf(&path, "%s/series.csv", c->dir) < 0)
        return hsgd_fail_memory(err, "a path");
    hsgd_status read = hsgd_series_read(&series, path, &reason), status = HSGD_OK;
    free(path);
    if (read && read != HSGD_ERROR_INPUT)
        return hsgd_fail(err, read, "%s", reason.message);
    if (read)
        hsgd_check_say(c, HSGD_CHECK_FAILS, "series.csv", "%s", reason.message);
    else
        hsgd_check_series(c, &series);
    status = hsgd_check_nodes(c, read ? NULL : &series, err);
    if (!status && c->has_config)
        status = hsgd_check_bounds(c, read ? NULL : &series, err);
    if (!status && c->has_config)
        status = hsgd_check_counts(c, err);
    hsgd_check_ladder(c, read ? NULL : &series);
    hsgd_check_verdicts(c);
    if (!read)
        hsgd_series_free(&series);
    return status;
}

static hsgd_status check_identities(hsgd_check *c, hsgd_error *err)
{
    switch (c->kind) {
    case HSGD_FOLDER_RUN:
        return check_run(c, err);
    case HSGD_FOLDER_SWEEP:
        return hsgd_check_points(c, err);
    case HSGD_FOLDER_RATE:
        return hsgd_check_rate(c, err);
    case HSGD_FOLDER_PHASE:
        hsgd_check_phase(c);
        break;
    case HSGD_FOLDER_HUNT:
        return hsgd_check_hunt(c, err);
    case HSGD_FOLDER_PLAN:
        hsgd_check_plan(c);
        break;
    case HSGD_FOLDER_PEP:
        hsgd_check_pep(c);
        break;
    default:
        break;
    }
    return HSGD_OK;
}

static hsgd_status check_all(hsgd_check *c, hsgd_error *err)
{
    hsgd_status status = hsgd_check_files(c, err);
    if (!status)
        status = hsgd_check_schema(c, err);
    if (!status)
        status = hsgd_check_config(c, err);
    if (!status)
        status = check_identities(c, err);
    if (!status && c->kind != HSGD_FOLDER_RUN && c->kind != HSGD_FOLDER_TRAIN)
        status = hsgd_check_table(c, err);
    if (!status)
        status = hsgd_check_certificates(c, err);
    if (!status)
        status = hsgd_check_figures(c, err);
    return status;
}

hsgd_status hsgd_check_folder(hsgd_check *out, const char *dir, bool require_data, const hsgd_style_change *change,
                              hsgd_error *err)
{
    *out = (hsgd_check){.dir = dir, .require_data = require_data, .change = change};
    hsgd_status status = read_document(out, err);
    if (!status)
        status = check_all(out, err);
    return !status && out->findings.incomplete ? hsgd_fail_memory(err, "the table of checks") : status;
}

void hsgd_check_free(hsgd_check *check)
{
    free(check->path);
    free(check->text);
    hsgd_findings_free(&check->findings);
    cJSON_Delete(check->document);
    if (check->has_config)
        hsgd_config_free(&check->config);
    *check = (hsgd_check){0};
}
