/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The "variant" object of a configuration: what is changed about H-SGD (analysis/variant.h). */
#include "experiments/config_private.h"

static const char *const decay_names[] = {
    [HSGD_DECAY_NONE] = "none",   [HSGD_DECAY_INVERSE] = "inverse", [HSGD_DECAY_INVERSE_SQRT] = "inverse-sqrt",
    [HSGD_DECAY_STEPS] = "steps", [HSGD_DECAY_COSINE] = "cosine",   NULL};
static const char *const momentum_names[] = {
    [HSGD_MOMENTUM_KEPT] = "keep", [HSGD_MOMENTUM_RESET] = "reset", [HSGD_MOMENTUM_AVERAGED] = "average", NULL};

/* In (0, 1]. */
static hsgd_status read_share(const hsgd_json *at, double *out, hsgd_error *err)
{
    hsgd_status status = hsgd_json_positive(at, out, err);
    if (!status && *out > 1)
        status = hsgd_json_fail(at, err, "expected a number in (0, 1]");
    return status;
}

static hsgd_status read_decay(hsgd_variant *variant, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"type", "scale", "factor", NULL};
    hsgd_json type = hsgd_json_member(at, "type"), scale = hsgd_json_member(at, "scale");
    hsgd_json factor = hsgd_json_member(at, "factor");
    size_t choice = HSGD_DECAY_NONE;
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = hsgd_json_choice(&type, decay_names, &choice, err);
    variant->decay = (hsgd_decay)choice;
    bool scaled = choice != HSGD_DECAY_NONE && choice != HSGD_DECAY_COSINE;
    if (!status && !scaled && scale.value)
        status = hsgd_json_fail(&scale, err, "has no meaning for the decay \"%s\"", decay_names[choice]);
    if (!status && scaled)
        status = hsgd_json_positive(&scale, &variant->decay_scale, err);
    if (!status && choice != HSGD_DECAY_STEPS && factor.value)
        status = hsgd_json_fail(&factor, err, "has a meaning for the decay \"steps\" only");
    if (!status && choice == HSGD_DECAY_STEPS)
        status = read_share(&factor, &variant->decay_factor, err);
    return status;
}

static hsgd_status read_momentum(hsgd_variant *variant, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json factor = hsgd_json_member(at, "momentum"), rule = hsgd_json_member(at, "momentum_at_averages");
    size_t choice = HSGD_MOMENTUM_KEPT;
    hsgd_status status = HSGD_OK;
    if (factor.value)
        status = hsgd_json_number(&factor, 0, 1, &variant->momentum, err);
    if (!status && variant->momentum == 1)
        status = hsgd_json_fail(&factor, err, "expected a number in [0, 1)");
    if (!status && rule.value && variant->momentum == 0)
        return hsgd_json_fail(&rule, err, "needs \"momentum\"");
    if (!status && rule.value)
        status = hsgd_json_choice(&rule, momentum_names, &choice, err);
    variant->momentum_rule = (hsgd_momentum_rule)choice;
    return status;
}

static hsgd_status read_participation(hsgd_variant *variant, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json share = hsgd_json_member(at, "participation"), count = hsgd_json_member(at, "workers_per_group");
    hsgd_json replacement = hsgd_json_member(at, "with_replacement");
    hsgd_status status = HSGD_OK;
    if (share.value && count.value)
        return hsgd_json_fail(&count, err, "stands beside \"participation\"; give one of them");
    if (replacement.value && !share.value && !count.value)
        return hsgd_json_fail(&replacement, err, "needs \"participation\" or \"workers_per_group\"");
    if (share.value)
        status = read_share(&share, &variant->participation, err);
    if (!status && count.value)
        status = hsgd_json_count(&count, 1, 1000000000, &variant->participants, err);
    if (!status && replacement.value)
        status = hsgd_json_bool(&replacement, &variant->with_replacement, err);
    return status;
}

static hsgd_status read_averages(hsgd_variant *variant, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json group = hsgd_json_member(at, "group_step_size"), global = hsgd_json_member(at, "global_step_size");
    hsgd_json regroup = hsgd_json_member(at, "regroup");
    hsgd_status status = HSGD_OK;
    if (group.value)
        status = hsgd_json_positive(&group, &variant->group_step_size, err);
    if (!status && global.value)
        status = hsgd_json_positive(&global, &variant->global_step_size, err);
    if (!status && regroup.value)
        status = hsgd_json_bool(&regroup, &variant->regroup, err);
    return status;
}

hsgd_status hsgd_config_read_variant(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"decay",
                                       "warmup_steps",
                                       "momentum",
                                       "momentum_at_averages",
                                       "participation",
                                       "workers_per_group",
                                       "with_replacement",
                                       "regroup",
                                       "group_step_size",
                                       "global_step_size",
                                       NULL};
    hsgd_json decay = hsgd_json_member(at, "decay"), warmup = hsgd_json_member(at, "warmup_steps");
    hsgd_variant *variant = &config->variant;
    if (!at->value)
        return HSGD_OK;
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status && decay.value)
        status = read_decay(variant, &decay, err);
    if (!status && warmup.value)
        status = hsgd_json_count(&warmup, 0, 1000000000, &variant->warmup_steps, err);
    if (!status)
        status = read_momentum(variant, at, err);
    if (!status)
        status = read_participation(variant, at, err);
    return status ? status : read_averages(variant, at, err);
}

/* ---- writing ---- */

static void add_decay(cJSON *out, const hsgd_variant *v)
{
    if (v->decay == HSGD_DECAY_NONE)
        return;
    cJSON *decay = cJSON_AddObjectToObject(out, "decay");
    cJSON_AddStringToObject(decay, "type", decay_names[v->decay]);
    if (v->decay != HSGD_DECAY_COSINE)
        cJSON_AddNumberToObject(decay, "scale", v->decay_scale);
    if (v->decay == HSGD_DECAY_STEPS)
        cJSON_AddNumberToObject(decay, "factor", v->decay_factor);
}

static void add_participation(cJSON *out, const hsgd_variant *v)
{
    if (!hsgd_variant_samples_workers(v))
        return;
    if (v->participants > 0)
        cJSON_AddNumberToObject(out, "workers_per_group", (double)v->participants);
    else
        cJSON_AddNumberToObject(out, "participation", v->participation);
    cJSON_AddBoolToObject(out, "with_replacement", v->with_replacement);
}

void hsgd_config_add_variant(cJSON *root, const hsgd_config *config)
{
    const hsgd_variant *v = &config->variant;
    if (!hsgd_variant_differs(v, NULL))
        return;
    cJSON *out = cJSON_AddObjectToObject(root, "variant");
    add_decay(out, v);
    if (v->warmup_steps > 0)
        cJSON_AddNumberToObject(out, "warmup_steps", (double)v->warmup_steps);
    if (v->momentum > 0) {
        cJSON_AddNumberToObject(out, "momentum", v->momentum);
        cJSON_AddStringToObject(out, "momentum_at_averages", momentum_names[v->momentum_rule]);
    }
    add_participation(out, v);
    if (v->regroup)
        cJSON_AddBoolToObject(out, "regroup", true);
    if (v->group_step_size != 1)
        cJSON_AddNumberToObject(out, "group_step_size", v->group_step_size);
    if (v->global_step_size != 1)
        cJSON_AddNumberToObject(out, "global_step_size", v->global_step_size);
}
