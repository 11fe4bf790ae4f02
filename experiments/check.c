/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/check_private.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- the folder ---- */

static hsgd_status read_text(char **out, const char *path, hsgd_error *err)
{
    FILE *file = fopen(path, "r");
    size_t size = 0;
    *out = NULL;
    if (!file)
        return hsgd_fail(err, errno == ENOMEM ? HSGD_ERROR_MEMORY : HSGD_ERROR_INPUT, "%s: cannot be opened: %s", path,
                         strerror(errno));
    errno = 0;
    bool read = getdelim(out, &size, '\0', file) >= 0; /* no text has a zero byte */
    int reason = errno;
    bool more = read && !feof(file);
    fclose(file);
    if (more)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: has a zero byte, which no text has", path);
    return read ? HSGD_OK
                : hsgd_fail(err, reason == ENOMEM ? HSGD_ERROR_MEMORY : HSGD_ERROR_INPUT, "%s: %s", path,
                            reason ? strerror(reason) : "the file is empty");
}

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
    hsgd_status status = read_text(&c->text, c->path, err);
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
    hsgd_check_verdicts(c);
    if (!read)
        hsgd_series_free(&series);
    return status;
}

static hsgd_status check_all(hsgd_check *c, hsgd_error *err)
{
    hsgd_status status = hsgd_check_files(c, err);
    if (!status)
        status = hsgd_check_schema(c, err);
    if (!status)
        status = hsgd_check_config(c, err);
    if (!status && c->kind == HSGD_FOLDER_RUN)
        status = check_run(c, err);
    if (!status && c->kind == HSGD_FOLDER_SWEEP)
        status = hsgd_check_points(c, err);
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
    *check = (hsgd_check){0};
}
