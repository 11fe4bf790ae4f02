/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hunt.json: ratios of what was measured to bounds, what the starts found, and all that is said of the worst problem once more
 * from its configuration, worst.json: nothing is sampled in a hunt. */
#include "experiments/check_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/hunt_private.h"
#include "experiments/text_file_private.h"

static void compare_ratio(hsgd_check_pairs *pairs, const cJSON *found, const char *where, size_t at)
{
    double measured = hsgd_check_number(found, "measured"), bound = hsgd_check_number(found, "bound");
    double ratio = hsgd_check_number(found, "ratio");
    if (isfinite(ratio) && isfinite(measured) && isfinite(bound))
        hsgd_check_pair(pairs, measured / bound, ratio, 0, where, at);
}

static double largest_of(const cJSON *array)
{
    const cJSON *item;
    double largest = NAN;
    cJSON_ArrayForEach(item, array) largest = fmax(largest, cJSON_IsNumber(item) ? item->valuedouble : NAN);
    return largest;
}

static void check_starts(hsgd_check *c)
{
    const cJSON *start, *starts = hsgd_check_get(c->document, "starts");
    const cJSON *best = NULL;
    double evaluations = 0, at_best = hsgd_check_number(c->document, "best_start");
    hsgd_check_pairs pairs = {0};
    size_t at = 0;
    cJSON_ArrayForEach(start, starts)
    {
        double ratio = hsgd_check_number(start, "ratio"), largest = largest_of(hsgd_check_get(start, "best_ratio"));
        hsgd_check_pair(&pairs, evaluations, hsgd_check_number(start, "first_evaluation"), 1, "first_evaluation, start",
                        at);
        evaluations += hsgd_check_number(start, "evaluations");
        if (isfinite(ratio) && isfinite(largest))
            hsgd_check_pair(&pairs, largest, ratio, 0, "ratio, start", at);
        if ((double)at++ == at_best)
            best = start;
    }
    hsgd_check_pair(&pairs, evaluations, hsgd_check_number(c->document, "evaluations"), 1, "evaluations", 1);
    cJSON_ArrayForEach(start, starts) if (isfinite(hsgd_check_number(start, "ratio")))
        hsgd_check_pair(&pairs, fmax(hsgd_check_number(best, "ratio"), hsgd_check_number(start, "ratio")),
                        hsgd_check_number(best, "ratio"), 0, "best_start", 1);
    hsgd_check_say_pairs(c, &pairs, "starts", HSGD_CHECK_ROUNDING);
}

/* ---- the worst problem ---- */

/* Two members with all below them. rounding: a relative error that numbers may have. */
static void compare_members(hsgd_check_pairs *pairs, const cJSON *found, const cJSON *written, double rounding,
                            const char *where, size_t at)
{
    const cJSON *member;
    if (cJSON_IsNumber(found) && cJSON_IsNumber(written)) {
        double a = found->valuedouble, b = written->valuedouble;
        bool rounded = fabs(a - b) <= rounding * fmax(fabs(a), fabs(b));
        hsgd_check_pair(pairs, rounded ? b : a, b, 0, where, at);
        return;
    }
    if (!cJSON_IsObject(found) && !cJSON_IsArray(found)) {
        hsgd_check_pair(pairs, 1, cJSON_Compare(found, written, true), 1, where, at);
        return;
    }
    hsgd_check_pair(pairs, cJSON_GetArraySize(found), cJSON_GetArraySize(written), 1, where, at);
    const cJSON *own = hsgd_check_get(found, "rounding");
    rounding = cJSON_IsNumber(own) ? own->valuedouble : rounding;
    for (member = found->child, at = 1; member; member = member->next, at++)
        compare_members(pairs, member,
                        member->string ? hsgd_check_get(written, member->string)
                                       : cJSON_GetArrayItem(written, (int)at - 1),
                        rounding, member->string ? member->string : where, at);
}

/* The problem is the one that was searched for: its tree, its dimension; one period of the root may be all that matters. */
static void compare_sizes(hsgd_check_pairs *pairs, const hsgd_check *c, const hsgd_config *config)
{
    const hsgd_hierarchy *h = &config->hierarchy;
    double steps = hsgd_check_number(c->document, "steps"), own = (double)config->steps;
    bool is_period = own < steps && config->steps == hsgd_hierarchy_global_period(h);
    hsgd_check_pair(pairs, (double)h->num_workers, hsgd_check_number(c->document, "workers"), 1, "workers", 1);
    hsgd_check_pair(pairs, (double)h->num_levels, hsgd_check_number(c->document, "levels"), 1, "levels", 1);
    hsgd_check_pair(pairs, (double)config->dim, hsgd_check_number(c->document, "dimension"), 1, "dimension", 1);
    hsgd_check_pair(pairs, is_period ? steps : own, steps, 1, "steps", 1);
}

static hsgd_status compare_worst(hsgd_check *c, const hsgd_config *config, const char *worst, hsgd_error *err)
{
    hsgd_hunt hunt;
    hsgd_check_pairs pairs = {0};
    hsgd_status status = hsgd_hunt_again(&hunt, config, worst, err);
    if (status)
        return status;
    cJSON *again = hsgd_hunt_worst_to_json(&hunt);
    const cJSON *member;
    cJSON_ArrayForEach(member, again)
        compare_members(&pairs, member, hsgd_check_get(c->document, member->string), 0, member->string, 1);
    bool violated = cJSON_IsTrue(hsgd_check_get(c->document, "confirmed")) && hsgd_hunted_violates(&hunt.found);
    hsgd_check_pair(&pairs, violated, cJSON_IsTrue(hsgd_check_get(c->document, "violated")), 1, "violated", 1);
    compare_sizes(&pairs, c, config);
    cJSON_Delete(again);
    hsgd_hunt_free(&hunt);
    hsgd_check_say_pairs(c, &pairs, "worst.json, measured again", HSGD_CHECK_ROUNDING);
    return HSGD_OK;
}

/* The text of worst.json with the section of the hunt. NULL: it is no object, or memory is out. */
static char *join_hunt(const hsgd_check *c, const char *worst)
{
    cJSON *root = cJSON_Parse(worst);
    cJSON *hunt = cJSON_Duplicate(hsgd_check_get(c->document, "hunt"), true);
    if (!cJSON_IsObject(root) || !hunt || !cJSON_AddItemToObject(root, "hunt", hunt)) {
        cJSON_Delete(root);
        cJSON_Delete(hunt);
        return NULL;
    }
    char *text = hsgd_json_print(root);
    cJSON_Delete(root);
    return text;
}

static hsgd_status check_worst(hsgd_check *c, hsgd_error *err)
{
    hsgd_config config;
    hsgd_error reason = {0};
    char *path, *worst = NULL;
    if (asprintf(&path, "%s/worst.json", c->dir) < 0)
        return hsgd_fail_memory(err, "a path");
    hsgd_status status = hsgd_text_file_read(&worst, path, &reason);
    free(path);
    char *text = status ? NULL : join_hunt(c, worst);
    if (!status)
        status = text ? hsgd_config_parse(&config, text, strlen(text), "worst.json", &reason)
                      : hsgd_fail(&reason, HSGD_ERROR_INPUT, "it is not the configuration of a problem of this hunt");
    if (!status) {
        status = compare_worst(c, &config, worst, &reason);
        hsgd_config_free(&config);
    }
    cJSON_free(text);
    free(worst);
    if (status != HSGD_ERROR_INPUT)
        return status ? hsgd_fail(err, status, "%s", reason.message) : HSGD_OK;
    hsgd_check_say(c, HSGD_CHECK_FAILS, "worst.json", "%s", reason.message);
    return HSGD_OK;
}

hsgd_status hsgd_check_hunt(hsgd_check *check, hsgd_error *err)
{
    const cJSON *bound;
    hsgd_check_pairs pairs = {0};
    size_t at = 0;
    compare_ratio(&pairs, hsgd_check_get(check->document, "found"), "found", 1);
    cJSON_ArrayForEach(bound, hsgd_check_get(check->document, "bounds")) compare_ratio(&pairs, bound, "bound", ++at);
    hsgd_check_say_pairs(check, &pairs, "measured / bound", HSGD_CHECK_ROUNDING);
    check_starts(check);
    return check_worst(check, err);
}
