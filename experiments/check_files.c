/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checksums: of the document itself, of the files that were written with it, of those that it was made from. */
#include "experiments/check_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/checksum.h"
#include "experiments/document_private.h"

/* ---- the document ---- */

static hsgd_status check_document(hsgd_check *c, hsgd_error *err)
{
    char stands[HSGD_CHECKSUM_SIZE], should[HSGD_CHECKSUM_SIZE];
    const char *name = hsgd_folder_file(c->kind);
    hsgd_status status = hsgd_document_sums(stands, should, c->text, err);
    if (status)
        return status;
    if (!*stands)
        hsgd_check_say(c, HSGD_CHECK_NOT_CHECKED, name, "has no checksum of its own: an older hsgd wrote it");
    else if (strcmp(stands, should) == 0)
        hsgd_check_say(c, HSGD_CHECK_HOLDS, name, "its bytes have the SHA-256 that it states");
    else
        hsgd_check_say(c, HSGD_CHECK_FAILS, name, "was changed: its SHA-256 is %.12s..., it states %.12s...", should,
                       stands);
    return HSGD_OK;
}

/* ---- files ---- */

/* One line on a file that an entry of the document describes. */
static hsgd_status compare(hsgd_check *c, const cJSON *entry, const char *path, const char *name, hsgd_error *err)
{
    char digits[HSGD_CHECKSUM_SIZE];
    const char *stated = hsgd_check_text(entry, "sha256");
    double bytes;
    hsgd_checksum *checksum = hsgd_checksum_alloc();
    hsgd_status status = checksum ? hsgd_checksum_add_file(checksum, path, &bytes, err) : hsgd_fail_memory(err, path);
    if (!status)
        hsgd_checksum_finish(checksum, digits);
    hsgd_checksum_free(checksum);
    if (status)
        return status;
    if (strcmp(digits, stated) == 0 && bytes == hsgd_check_number(entry, "bytes"))
        hsgd_check_say(c, HSGD_CHECK_HOLDS, name, "%.0f bytes with the stated SHA-256", bytes);
    else if (bytes != hsgd_check_number(entry, "bytes"))
        hsgd_check_say(c, HSGD_CHECK_FAILS, name, "was changed: it has %.0f bytes, not %.0f", bytes,
                       hsgd_check_number(entry, "bytes"));
    else
        hsgd_check_say(c, HSGD_CHECK_FAILS, name, "was changed: its SHA-256 is %.12s..., not %.12s...", digits, stated);
    return HSGD_OK;
}

/* "DIR/name", if that can be read; to be freed. */
static char *readable(hsgd_check *c, const char *dir, const char *name)
{
    char *path;
    if (!dir)
        return NULL;
    if (asprintf(&path, "%s/%s", dir, name) < 0) {
        c->findings.incomplete = true;
        return NULL;
    }
    if (access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

/* A name of the document may not lead out of the folder. */
static bool is_plain(const char *name)
{
    return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static hsgd_status check_outputs(hsgd_check *c, hsgd_error *err)
{
    const cJSON *files = hsgd_check_get(hsgd_check_get(c->document, "provenance"), "output_files"), *entry;
    hsgd_status status = HSGD_OK;
    if (!cJSON_IsArray(files))
        hsgd_check_say(c, HSGD_CHECK_NOT_CHECKED, "output files",
                       "their checksums are not known: an older hsgd wrote them");
    cJSON_ArrayForEach(entry, files)
    {
        const char *name = hsgd_check_text(entry, "name");
        char *path = is_plain(name) ? readable(c, c->dir, name) : NULL;
        if (path)
            status = compare(c, entry, path, name, err);
        else
            hsgd_check_say(c, HSGD_CHECK_FAILS, name, "is not there, or cannot be read");
        free(path);
        if (status)
            return status;
    }
    return HSGD_OK;
}

/* ---- data ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Where a text of the configuration leads to a file of this name: the file itself, or its folder. To be freed; NULL: nowhere. */
static char *find_below(hsgd_check *c, const cJSON *item, const char *name)
{
    const cJSON *child;
    char *found = NULL;
    if (cJSON_IsString(item) && strcmp(base_name(item->valuestring), name) == 0 &&
        access(item->valuestring, R_OK) == 0) {
        found = strdup(item->valuestring);
        c->findings.incomplete |= !found;
        return found;
    }
    if (cJSON_IsString(item) && strchr(item->valuestring, '/'))
        return readable(c, item->valuestring, name);
    cJSON_ArrayForEach(child, item) if (!found) found = find_below(c, child, name);
    return found;
}

/* Where the run found it, else beside the results, else in HSGD_DATA_DIR. */
static char *find_data(hsgd_check *c, const cJSON *configured, const char *name)
{
    char *path = find_below(c, configured, name);
    if (!path)
        path = readable(c, c->dir, name);
    return path ? path : readable(c, getenv("HSGD_DATA_DIR"), name);
}

static hsgd_status check_input(hsgd_check *c, const cJSON *entry, const cJSON *configured, const char *name,
                               hsgd_error *err)
{
    char *path = is_plain(name) ? find_data(c, configured, name) : NULL;
    hsgd_status status = HSGD_OK;
    if (path)
        status = compare(c, entry, path, name, err);
    else
        hsgd_check_say(c, c->require_data ? HSGD_CHECK_FAILS : HSGD_CHECK_NOT_CHECKED, name,
                       "this data file is not on this machine");
    free(path);
    return status;
}

static hsgd_status check_data(hsgd_check *c, hsgd_error *err)
{
    const cJSON *provenance = hsgd_check_get(c->document, "provenance"), *entry;
    const cJSON *plugin = hsgd_check_get(provenance, "plugin");
    const cJSON *problem = hsgd_check_get(hsgd_check_get(c->document, "config"), "problem");
    hsgd_status status = HSGD_OK;
    cJSON_ArrayForEach(entry, hsgd_check_get(provenance, "data_files")) if (!status) status =
        check_input(c, entry, hsgd_check_get(problem, "data"), hsgd_check_text(entry, "name"), err);
    if (!status && plugin)
        status =
            check_input(c, plugin, hsgd_check_get(problem, "path"), base_name(hsgd_check_text(plugin, "path")), err);
    return status;
}

hsgd_status hsgd_check_files(hsgd_check *check, hsgd_error *err)
{
    hsgd_status status = check_document(check, err);
    if (!status)
        status = check_outputs(check, err);
    return status ? status : check_data(check, err);
}
