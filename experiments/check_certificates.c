/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates that somebody put into the folder (hsgd pep --certificate) prove what they say, in exact arithmetic. */
#include "experiments/check_private.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/certificate_private.h"

static bool is_certificate(const char *path)
{
    cJSON *document;
    if (hsgd_json_read_file(&document, path, NULL))
        return false;
    bool found = *hsgd_check_text(document, "certificate") != '\0';
    cJSON_Delete(document);
    return found;
}

static hsgd_status check_one(hsgd_check *c, const char *path, const char *name, hsgd_error *err)
{
    hsgd_certificate certificate;
    hsgd_certificate_verdict verdict;
    hsgd_error reason;
    char theorem[160];
    hsgd_status status = hsgd_certificate_read(&certificate, path, &reason);
    if (status) {
        hsgd_check_say(c, HSGD_CHECK_FAILS, name, "%s", reason.message);
        return HSGD_OK;
    }
    status = hsgd_certificate_check(&verdict, &certificate, &reason);
    if (status == HSGD_ERROR_INPUT)
        hsgd_check_say(c, HSGD_CHECK_FAILS, name, "%s", reason.message);
    else if (status)
        hsgd_fail(err, status, "%s", reason.message);
    else if (verdict.proved) {
        hsgd_certificate_theorem(theorem, sizeof theorem, &verdict, &certificate);
        hsgd_check_say(c, HSGD_CHECK_HOLDS, name, "proves %s", theorem);
    } else
        hsgd_check_say(c, HSGD_CHECK_FAILS, name, "is no proof: %s", verdict.reason);
    hsgd_certificate_free(&certificate);
    return status == HSGD_ERROR_INPUT ? HSGD_OK : status;
}

hsgd_status hsgd_check_certificates(hsgd_check *check, hsgd_error *err)
{
    DIR *entries = opendir(check->dir);
    hsgd_status status = HSGD_OK;
    for (const struct dirent *entry; entries && !status && (entry = readdir(entries));) {
        const char *dot = strrchr(entry->d_name, '.');
        char *path;
        if (!dot || strcmp(dot, ".json") != 0 || strcmp(entry->d_name, hsgd_folder_file(check->kind)) == 0)
            continue;
        if (asprintf(&path, "%s/%s", check->dir, entry->d_name) < 0)
            status = hsgd_fail_memory(err, "a path");
        else {
            if (is_certificate(path))
                status = check_one(check, path, entry->d_name, err);
            free(path);
        }
    }
    if (entries)
        closedir(entries);
    return status;
}
