/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rungs of the proof ladder as figures show them. */
#include "experiments/folder_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* "step" of one rung; results of older versions have none. */
static hsgd_status read_step(hsgd_figure_rung *rung, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json step = hsgd_json_member(at, "step"), uses = hsgd_json_member(&step, "uses"),
              applies = hsgd_json_member(&step, "applies");
    rung->share = number_or_nan(hsgd_json_member(&step, "share").value);
    hsgd_status status = HSGD_OK;
    if (uses.value)
        status = hsgd_json_text(&uses, &rung->step, err);
    if (!status && applies.value)
        status = hsgd_json_bool(&applies, &rung->step_applies, err);
    return status;
}

static hsgd_status read_rung(hsgd_figure_rung *rung, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json id = hsgd_json_member(at, "rung"), name = hsgd_json_member(at, "name"), ci = hsgd_json_member(at, "ci");
    *rung = (hsgd_figure_rung){.step = "", .step_applies = true};
    rung->value = number_or_nan(hsgd_json_member(at, "value").value);
    rung->low = number_or_nan(cJSON_GetArrayItem(ci.value, 0));
    rung->high = number_or_nan(cJSON_GetArrayItem(ci.value, 1));
    hsgd_status status = hsgd_json_text(&id, &rung->rung, err);
    if (!status)
        status = hsgd_json_text(&name, &rung->name, err);
    return status ? status : read_step(rung, at, err);
}

/* Shares from the values: of the slack between the first and the last rung, that of the step from the last rung that
 * has a value. has_step (count): the file has the share itself, or says that it is not known. */
static void fill_shares(hsgd_figure_rung *rung, size_t count, const bool *has_step)
{
    double slack = count ? rung[count - 1].value - rung[0].value : NAN, before = NAN;
    for (size_t r = 0; r < count; r++) {
        if (!has_step[r])
            rung[r].share = slack > 0 ? (rung[r].value - before) / slack : NAN;
        if (isfinite(rung[r].value))
            before = rung[r].value;
    }
}

hsgd_status hsgd_folder_ladder(hsgd_figure_rung **rung, size_t *count, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json ladder = hsgd_json_member(root, "ladder");
    *rung = NULL;
    *count = 0;
    if (!ladder.value || cJSON_IsNull(ladder.value))
        return HSGD_OK;
    size_t length = 0;
    hsgd_status status = hsgd_json_array(&ladder, 0, &length, err);
    if (status)
        return status;
    bool *has_step = calloc(length + 1, sizeof *has_step);
    *rung = calloc(length + 1, sizeof **rung);
    if (!has_step || !*rung)
        status = hsgd_fail_memory(err, "the ladder");
    const cJSON *item = ladder.value->child;
    for (size_t r = 0; r < length && !status; r++) {
        hsgd_json at = hsgd_json_next(&ladder, &item, r);
        has_step[r] = hsgd_json_member(&at, "step").value != NULL;
        status = read_rung(&(*rung)[r], &at, err);
    }
    if (!status) {
        fill_shares(*rung, length, has_step);
        *count = length;
    } else {
        free(*rung);
        *rung = NULL;
    }
    free(has_step);
    return status;
}

bool hsgd_folder_is_unproved(const cJSON *kind)
{
    return cJSON_IsString(kind) && (strcmp(kind->valuestring, hsgd_constant_kind_name(HSGD_TRAJECTORY)) == 0 ||
                                    strcmp(kind->valuestring, hsgd_constant_kind_name(HSGD_ESTIMATE)) == 0);
}

static const cJSON *kind_of(const hsgd_json *constants, const char *name)
{
    hsgd_json constant = hsgd_json_member(constants, name);
    return hsgd_json_member(&constant, "kind").value;
}

bool hsgd_folder_has_estimates(const hsgd_json *root)
{
    static const char *const name[] = {"L", "sigma_sq", "f_star"};
    hsgd_json constants = hsgd_json_member(root, "constants");
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        const cJSON *kind = kind_of(&constants, name[i]);
        if (cJSON_IsString(kind) && strcmp(kind->valuestring, hsgd_constant_kind_name(HSGD_ESTIMATE)) == 0)
            return true;
    }
    return false;
}

bool hsgd_folder_ladder_proved(const hsgd_figure_rung *rung, size_t count, const hsgd_json *root)
{
    static const char *const name[] = {"L", "sigma_sq", "delta"};
    hsgd_json constants = hsgd_json_member(root, "constants"),
              divergence = hsgd_json_member(&constants, "divergence_sq");
    bool proved = !hsgd_folder_is_unproved(kind_of(&divergence, "global")), any = false;
    for (size_t r = 1; r < count; r++)
        any = any || isfinite(rung[r].value);
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        proved = proved && !hsgd_folder_is_unproved(kind_of(&constants, name[i]));
    return proved || !any;
}
