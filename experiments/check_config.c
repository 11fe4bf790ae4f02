/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration in a document: its hash, and what the document says of the tree it gives. */
#include "experiments/check_private.h"

#include <stdlib.h>
#include <string.h>

#include "experiments/provenance_private.h"

/* ---- the hash ---- */

static hsgd_status check_hash(hsgd_check *c, const cJSON *config, hsgd_error *err)
{
    const char *stated = hsgd_check_text(hsgd_check_get(c->document, "provenance"), "config_sha256");
    char digits[HSGD_CHECKSUM_SIZE];
    hsgd_status status = *stated ? hsgd_provenance_hash_document(digits, config, err) : HSGD_OK;
    if (status)
        return status;
    if (!*stated)
        hsgd_check_say(c, HSGD_CHECK_NOT_CHECKED, "configuration, hash", "the document states none");
    else if (strcmp(digits, stated) == 0)
        hsgd_check_say(c, HSGD_CHECK_HOLDS, "configuration, hash", "config_sha256 is that of \"config\"");
    else
        hsgd_check_say(c, HSGD_CHECK_FAILS, "configuration, hash", "\"config\" has %.12s..., config_sha256 is %.12s...",
                       digits, stated);
    return HSGD_OK;
}

/* ---- the tree ---- */

static void check_tree(hsgd_check *c, const hsgd_config *config)
{
    const cJSON *written = hsgd_check_get(c->document, "hierarchy");
    hsgd_check_pairs pairs = {0};
    /* where nothing is drawn, one run says all */
    double runs = cJSON_IsTrue(hsgd_check_get(c->document, "deterministic")) ? 1 : (double)hsgd_config_runs(config);
    hsgd_check_pair(&pairs, (double)config->hierarchy.num_workers, hsgd_check_number(written, "workers"), 1,
                    "workers:", config->hierarchy.num_workers);
    hsgd_check_pair(&pairs, (double)config->steps, hsgd_check_number(c->document, "steps"), 1, "steps:", config->steps);
    hsgd_check_pair(&pairs, runs, hsgd_check_number(c->document, "runs"), 1, "runs:", (size_t)runs);
    hsgd_check_say_pairs(c, &pairs, "configuration, size", 0);
}

/* hsgd would take it: a configuration that was changed by hand need not be one. */
static hsgd_status check_legal(hsgd_check *c, const cJSON *document, hsgd_error *err)
{
    hsgd_config config;
    hsgd_error reason;
    cJSON *copy = cJSON_Duplicate(document, true);
    char *text = copy ? hsgd_json_print(copy) : NULL;
    cJSON_Delete(copy);
    if (!text)
        return hsgd_fail_memory(err, "the configuration");
    hsgd_status status = hsgd_config_parse(&config, text, strlen(text), c->path, &reason);
    cJSON_free(text);
    if (status == HSGD_ERROR_MEMORY)
        return hsgd_fail(err, status, "%s", reason.message);
    if (status) {
        hsgd_check_say(c, HSGD_CHECK_FAILS, "configuration, keys", "%s", reason.message);
        return HSGD_OK;
    }
    hsgd_check_say(c, HSGD_CHECK_HOLDS, "configuration, keys", "all are known, with legal values");
    if (c->kind == HSGD_FOLDER_RUN)
        check_tree(c, &config);
    hsgd_config_free(&config);
    return HSGD_OK;
}

hsgd_status hsgd_check_config(hsgd_check *check, hsgd_error *err)
{
    const cJSON *config = hsgd_check_get(check->document, "config");
    if (!cJSON_IsObject(config))
        return HSGD_OK; /* documents on grids have none; the schema says which must */
    hsgd_status status = check_hash(check, config, err);
    return status ? status : check_legal(check, config, err);
}
