/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration in a document: its hash, and what the document says of the tree it gives. */
#include "experiments/check_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/hierarchy_json_private.h"
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

/* "hierarchy" repeats the configuration's, without the weights, and adds what follows from it. */
static hsgd_status check_hierarchy(hsgd_check *c, const hsgd_config *config, hsgd_error *err)
{
    const cJSON *written = hsgd_check_get(c->document, "hierarchy"), *member;
    cJSON *expected = hsgd_hierarchy_to_json(&config->hierarchy, config->is_uniform);
    hsgd_hierarchy canonical;
    hsgd_check_pairs pairs = {0};
    if (!expected)
        return hsgd_fail_memory(err, "the hierarchy");
    cJSON_ArrayForEach(member, expected) if (!cJSON_Compare(member, hsgd_check_get(written, member->string), true))
        hsgd_check_say(c, HSGD_CHECK_FAILS, "hierarchy", "\"%s\" is not that of the configuration", member->string);
    cJSON_Delete(expected);
    hsgd_status status = hsgd_hierarchy_canonical(&canonical, &config->hierarchy, NULL, NULL, err);
    if (status)
        return status;
    hsgd_check_pair(&pairs, (double)config->hierarchy.num_levels, hsgd_check_number(written, "levels"), 1, "levels", 1);
    hsgd_check_pair(&pairs, (double)hsgd_hierarchy_global_period(&canonical),
                    hsgd_check_number(written, "global_period"), 1, "global_period", 1);
    hsgd_check_pair(&pairs, (double)hsgd_hierarchy_local_period(&canonical), hsgd_check_number(written, "local_period"),
                    1, "local_period", 1);
    hsgd_hierarchy_free(&canonical);
    hsgd_check_say_pairs(c, &pairs, "hierarchy", 0);
    return HSGD_OK;
}

/* gamma: as configured, or the fraction of a limit that L gives. */
static void check_step_size(hsgd_check *c, const hsgd_config *config)
{
    double found, L = hsgd_check_number(hsgd_check_get(hsgd_check_get(c->document, "constants"), "L"), "value");
    hsgd_check_pairs pairs = {0};
    if (hsgd_config_step_size(&found, config, L, NULL) == HSGD_OK)
        hsgd_check_pair(&pairs, found, hsgd_check_number(c->document, "step_size"), 0, "step_size", 1);
    hsgd_check_say_pairs(c, &pairs, "configuration, step size", HSGD_CHECK_ROUNDING);
}

/* Seed numbers of the provenance; runs: as many as were made, which is one where nothing is random. */
static void check_seeds(hsgd_check *c, const hsgd_config *config, double runs)
{
    const cJSON *provenance = hsgd_check_get(c->document, "provenance");
    double first = (double)config->first_seed;
    hsgd_check_pairs pairs = {0};
    if (hsgd_check_get(provenance, "first_seed")) {
        hsgd_check_pair(&pairs, first, hsgd_check_number(provenance, "first_seed"), 1, "first_seed", 1);
        hsgd_check_pair(&pairs, first + runs - 1, hsgd_check_number(provenance, "last_seed"), 1, "last_seed", 1);
    }
    hsgd_check_say_pairs(c, &pairs, "configuration, seeds", 0);
}

/* hsgd would take it: a configuration that was changed by hand need not be one. */
static hsgd_status check_legal(hsgd_check *c, const cJSON *document, hsgd_error *err)
{
    hsgd_error reason;
    cJSON *copy = cJSON_Duplicate(document, true);
    char *text = copy ? hsgd_json_print(copy) : NULL;
    cJSON_Delete(copy);
    if (!text)
        return hsgd_fail_memory(err, "the configuration");
    hsgd_status status = hsgd_config_parse(&c->config, text, strlen(text), c->path, &reason);
    cJSON_free(text);
    if (status == HSGD_ERROR_MEMORY)
        return hsgd_fail(err, status, "%s", reason.message);
    if (status) {
        hsgd_check_say(c, HSGD_CHECK_FAILS, "configuration, keys", "%s", reason.message);
        return HSGD_OK;
    }
    hsgd_check_say(c, HSGD_CHECK_HOLDS, "configuration, keys", "all are known, with legal values");
    c->has_config = true;
    if (c->kind == HSGD_FOLDER_RATE || c->kind == HSGD_FOLDER_HUNT)
        check_seeds(c, &c->config, (double)hsgd_config_runs(&c->config));
    if (c->kind != HSGD_FOLDER_RUN)
        return HSGD_OK;
    check_tree(c, &c->config);
    check_step_size(c, &c->config);
    check_seeds(c, &c->config, hsgd_check_number(c->document, "runs"));
    return check_hierarchy(c, &c->config, err);
}

/* A document on a grid says of how many legal configurations it is. */
static void check_number(hsgd_check *c)
{
    double stated = hsgd_check_number(hsgd_check_get(c->document, "provenance"), "configs"), legal = 0;
    const cJSON *of = hsgd_check_get(c->document, c->kind == HSGD_FOLDER_PEP ? "curves" : "points"), *point;
    hsgd_check_pairs pairs = {0};
    if (isnan(stated))
        return;
    cJSON_ArrayForEach(point, of) legal += strcmp(hsgd_check_text(point, "state"), "illegal") != 0 &&
                                           strcmp(hsgd_check_text(point, "verdict"), "illegal") != 0;
    hsgd_check_pair(&pairs, legal, stated, 1, "configs", 1);
    hsgd_check_say_pairs(c, &pairs, "configurations, number", 0);
}

hsgd_status hsgd_check_config(hsgd_check *check, hsgd_error *err)
{
    const cJSON *config = hsgd_check_get(check->document, "config");
    check_number(check);
    if (!cJSON_IsObject(config))
        return HSGD_OK; /* documents on grids have none; the schema says which must */
    hsgd_status status = check_hash(check, config, err);
    return status ? status : check_legal(check, config, err);
}
