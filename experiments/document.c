/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/document_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/json_private.h"
#include "plots/output.h"

enum { DIGITS = HSGD_CHECKSUM_SIZE - 1 };

static const char key[] = "document_sha256";

/* ---- the files beside it ---- */

static hsgd_status add_output(cJSON *array, hsgd_checksum *checksum, const char *dir, const char *name, hsgd_error *err)
{
    char digits[HSGD_CHECKSUM_SIZE], *path;
    double bytes;
    if (asprintf(&path, "%s/%s", dir, name) < 0)
        return hsgd_fail_memory(err, "a path");
    hsgd_status status = hsgd_checksum_add_file(checksum, path, &bytes, err);
    free(path);
    if (status) /* it was just written */
        return err ? err->status = HSGD_ERROR_ENVIRONMENT : HSGD_ERROR_ENVIRONMENT;
    hsgd_checksum_finish(checksum, digits);
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", name);
    cJSON_AddNumberToObject(object, "bytes", bytes);
    cJSON_AddStringToObject(object, "sha256", digits);
    cJSON_AddItemToArray(array, object);
    return HSGD_OK;
}

static hsgd_status add_outputs(cJSON *provenance, const char *dir, const char *const *outputs, hsgd_error *err)
{
    hsgd_checksum *checksum = hsgd_checksum_alloc();
    hsgd_status status = checksum ? HSGD_OK : hsgd_fail_memory(err, "a checksum");
    cJSON *array = cJSON_AddArrayToObject(provenance, "output_files");
    for (size_t i = 0; outputs[i] && !status; i++)
        status = add_output(array, checksum, dir, outputs[i], err);
    hsgd_checksum_free(checksum);
    return status;
}

/* ---- its own checksum ---- */

/* Where the digits stand: behind the last such key, which comes last of all. NULL: nowhere. */
static char *find_digits(const char *text)
{
    const char *found = NULL;
    for (const char *at = text; (at = strstr(at, key)); at += sizeof key - 1)
        found = at;
    if (!found)
        return NULL;
    const char *digits = found + sizeof key - 1 + strspn(found + sizeof key - 1, "\": \t");
    return strspn(digits, "0123456789abcdef") >= DIGITS ? (char *)digits : NULL;
}

hsgd_status hsgd_document_sums(char stands[HSGD_CHECKSUM_SIZE], char should[HSGD_CHECKSUM_SIZE], const char *text,
                               hsgd_error *err)
{
    char zeros[DIGITS];
    const char *digits = find_digits(text);
    *stands = *should = '\0';
    if (!digits)
        return HSGD_OK;
    hsgd_checksum *checksum = hsgd_checksum_alloc();
    if (!checksum)
        return hsgd_fail_memory(err, "a checksum");
    memset(zeros, '0', DIGITS);
    hsgd_checksum_add(checksum, text, (size_t)(digits - text));
    hsgd_checksum_add(checksum, zeros, DIGITS);
    hsgd_checksum_add(checksum, digits + DIGITS, strlen(digits + DIGITS));
    hsgd_checksum_finish(checksum, should);
    hsgd_checksum_free(checksum);
    snprintf(stands, HSGD_CHECKSUM_SIZE, "%.*s", DIGITS, digits);
    return HSGD_OK;
}

/* The whole file with its checksum in it; to be freed. */
static hsgd_status to_text(char **out, cJSON *document, hsgd_error *err)
{
    char stands[HSGD_CHECKSUM_SIZE], should[HSGD_CHECKSUM_SIZE];
    char zeros[HSGD_CHECKSUM_SIZE] = {0};
    memset(zeros, '0', DIGITS);
    cJSON_AddStringToObject(document, key, zeros);
    char *text = hsgd_json_print(document);
    if (!text || asprintf(out, "%s\n", text) < 0)
        *out = NULL;
    cJSON_free(text);
    if (!*out)
        return hsgd_fail_memory(err, "the JSON output");
    hsgd_status status = hsgd_document_sums(stands, should, *out, err);
    if (!status)
        memcpy(find_digits(*out), should, DIGITS);
    return status;
}

/* ---- writing ---- */

/* "result" of "result.json" */
static hsgd_status write_text(const char *dir, hsgd_folder_kind kind, const char *text, hsgd_error *err)
{
    hsgd_output out;
    char name[HSGD_FILE_NAME_SIZE];
    const char *file = hsgd_folder_file(kind);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(file, "."), file);
    hsgd_status status = hsgd_output_open(&out, dir, name, "json", err);
    if (status)
        return status;
    fputs(text, out.stream);
    return hsgd_output_close(&out, err);
}

hsgd_status hsgd_document_write(const char *dir, hsgd_folder_kind kind, cJSON *document, cJSON *provenance,
                                const char *const *outputs, hsgd_error *err)
{
    char *text = NULL;
    if (provenance)
        cJSON_AddItemToObject(document, "provenance", provenance);
    else
        provenance = cJSON_GetObjectItemCaseSensitive(document, "provenance");
    hsgd_status status = cJSON_IsObject(provenance) ? add_outputs(provenance, dir, outputs, err) : HSGD_OK;
    if (!status)
        status = to_text(&text, document, err);
    if (!status)
        status = write_text(dir, kind, text, err);
    free(text);
    cJSON_Delete(document);
    return status;
}
