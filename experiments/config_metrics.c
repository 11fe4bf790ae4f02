/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "evaluate_every", "targets" and "communication" of a configuration, and the figures that show what they give. */
#include "experiments/config_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TARGETS = 64 };

/* ---- networks known by name ----
 *
 * Round numbers of ours, not measurements: line rates of gigabit Ethernet and of usual access lines, without the overhead of
 * protocols; latencies are half of what a ping takes inside a building and across a continent. */
static const char *const preset_names[] = {"lan", "wan-100", "wan-10", NULL};
static const hsgd_channel presets[] = {
    {0.0005, 125e6, false}, /* 1 Gbit/s, 1 ms there and back */
    {0.025, 12.5e6, false}, /* 100 Mbit/s, 50 ms there and back */
    {0.025, 1.25e6, false}, /* 10 Mbit/s */
};

static const char *const route_names[] = {[HSGD_ROUTE_TREE] = "tree", [HSGD_ROUTE_DIRECT] = "direct", NULL};
static const char *const straggler_names[] = {"none", "exponential", "lognormal", "pareto", NULL};

/* What the two numbers of each distribution are called; NULL: it has none. */
static const char *const scale_key[] = {NULL, "mean_s", "median_s", "minimum_s"};
static const char *const shape_key[] = {NULL, NULL, "sigma", "shape"};

/* Workers near their group's server, everything above far away. */
static void set_default_levels(hsgd_communication *out, size_t num_levels)
{
    for (size_t k = 0; k < num_levels; k++)
        out->level[k] = presets[k > 0 && k + 1 == num_levels ? 0 : 1];
}

static hsgd_status read_level(hsgd_channel *out, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"latency_s", "bandwidth_bytes_per_s", "shared", NULL};
    hsgd_json latency = hsgd_json_member(at, "latency_s"), bandwidth = hsgd_json_member(at, "bandwidth_bytes_per_s");
    hsgd_json shared = hsgd_json_member(at, "shared");
    size_t preset;
    *out = (hsgd_channel){0, 0, false};
    if (cJSON_IsString(at->value)) {
        hsgd_status status = hsgd_json_choice(at, preset_names, &preset, err);
        if (!status)
            *out = presets[preset];
        return status;
    }
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = hsgd_json_number(&latency, 0, 1e9, &out->latency_s, err);
    if (!status)
        status = hsgd_json_positive(&bandwidth, &out->bandwidth_bytes_per_s, err);
    if (!status && shared.value)
        status = hsgd_json_bool(&shared, &out->shared, err);
    return status;
}

static hsgd_status read_levels(hsgd_communication *out, size_t levels, const hsgd_json *at, hsgd_error *err)
{
    size_t length;
    set_default_levels(out, levels);
    if (!at->value)
        return HSGD_OK;
    hsgd_status status = hsgd_json_array(at, 1, &length, err);
    if (!status && length != levels)
        return hsgd_json_fail(at, err, "%zu levels for a hierarchy of %zu; one for each, the root's first", length,
                              levels);
    for (size_t k = 0; k < levels && !status; k++) {
        hsgd_json level = hsgd_json_item(at, k);
        status = read_level(&out->level[k], &level, err);
    }
    return status;
}

static hsgd_status read_straggler(hsgd_straggler *out, const hsgd_json *at, hsgd_error *err)
{
    size_t type = HSGD_STRAGGLER_NONE;
    hsgd_json distribution = hsgd_json_member(at, "distribution");
    *out = (hsgd_straggler){HSGD_STRAGGLER_NONE, 0, 0};
    if (!at->value)
        return HSGD_OK;
    hsgd_status status = cJSON_IsObject(at->value) ? HSGD_OK : hsgd_json_fail(at, err, "expected an object");
    if (!status)
        status = hsgd_json_choice(&distribution, straggler_names, &type, err);
    if (status)
        return status;
    const char *const keys[] = {"distribution", scale_key[type], scale_key[type] ? shape_key[type] : NULL, NULL};
    status = hsgd_json_object(at, keys, err);
    out->type = (hsgd_straggler_type)type;
    if (!status && scale_key[type]) {
        hsgd_json scale = hsgd_json_member(at, scale_key[type]);
        status = hsgd_json_positive(&scale, &out->scale_s, err);
    }
    if (!status && shape_key[type]) {
        hsgd_json shape = hsgd_json_member(at, shape_key[type]);
        status = type == HSGD_STRAGGLER_PARETO ? hsgd_json_positive(&shape, &out->shape, err)
                                               : hsgd_json_number(&shape, 0, 100, &out->shape, err);
    }
    return status;
}

hsgd_status hsgd_communication_read(hsgd_communication *out, const hsgd_json *at, size_t num_levels, hsgd_error *err)
{
    static const char *const keys[] = {"levels", "compute_s_per_step",  "straggler",
                                       "route",  "bytes_per_parameter", NULL};
    hsgd_json levels = hsgd_json_member(at, "levels"), seconds = hsgd_json_member(at, "compute_s_per_step");
    hsgd_json straggler = hsgd_json_member(at, "straggler"), route = hsgd_json_member(at, "route");
    hsgd_json bytes = hsgd_json_member(at, "bytes_per_parameter");
    size_t choice = HSGD_ROUTE_TREE;
    *out = (hsgd_communication){.bytes_per_parameter = 4};
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = read_levels(out, num_levels, &levels, err);
    if (!status && seconds.value)
        status = hsgd_json_number(&seconds, 0, 1e9, &out->compute_s, err);
    if (!status)
        status = read_straggler(&out->straggler, &straggler, err);
    if (!status && route.value)
        status = hsgd_json_choice(&route, route_names, &choice, err);
    out->route = (hsgd_route)choice;
    if (!status && bytes.value)
        status = hsgd_json_positive(&bytes, &out->bytes_per_parameter, err);
    return status;
}

/* ---- targets ---- */

static hsgd_status read_target(hsgd_wanted *out, const hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"quantity", "value", NULL};
    hsgd_json quantity = hsgd_json_member(at, "quantity"), value = hsgd_json_member(at, "value");
    size_t choice = 0;
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = hsgd_json_choice_of(&quantity, hsgd_target_quantity_name, HSGD_NUM_TARGET_QUANTITIES, &choice, err);
    out->quantity = (hsgd_target_quantity)choice;
    bool accuracy = choice == HSGD_TARGET_TEST_ACCURACY || choice == HSGD_TARGET_TRAIN_ACCURACY;
    if (!status && accuracy && !config->evaluate_every)
        status = hsgd_json_fail(&quantity, err, "accuracies are not evaluated; needs \"evaluate_every\"");
    if (status)
        return status;
    return choice == HSGD_TARGET_LOSS ? hsgd_json_number(&value, -INFINITY, INFINITY, &out->value, err)
                                      : hsgd_json_number(&value, 0, accuracy ? 1 : INFINITY, &out->value, err);
}

static hsgd_status read_targets(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    size_t length = 0;
    hsgd_status status = at->value ? hsgd_json_array(at, 0, &length, err) : HSGD_OK;
    if (status || !length)
        return status;
    if (length > MAX_TARGETS)
        return hsgd_json_fail(at, err, "%zu targets; at most %d", length, MAX_TARGETS);
    config->target = calloc(length, sizeof *config->target);
    if (!config->target)
        return hsgd_fail_memory(err, "the targets");
    config->num_targets = length;
    for (size_t i = 0; i < length && !status; i++) {
        hsgd_json item = hsgd_json_item(at, i);
        status = read_target(&config->target[i], config, &item, err);
    }
    return status;
}

/* ---- all of them ---- */

hsgd_status hsgd_config_read_metrics(hsgd_config *config, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json every = hsgd_json_member(root, "evaluate_every"), targets = hsgd_json_member(root, "targets");
    hsgd_json communication = hsgd_json_member(root, "communication");
    bool quadratic = config->problem == HSGD_PROBLEM_QUADRATIC || config->problem == HSGD_PROBLEM_QUADRATIC_GENERATED;
    hsgd_status status = HSGD_OK;
    if (every.value)
        status = hsgd_json_count(&every, 0, 1000000000, &config->evaluate_every, err);
    if (!status && config->evaluate_every && quadratic)
        status = hsgd_json_fail(&every, err, "a quadratic has no labels to predict; 0, or leave it out");
    if (!status)
        status = read_targets(config, &targets, err);
    config->has_communication = communication.value != NULL;
    if (status || !communication.value)
        return status;
    return hsgd_communication_read(&config->communication, &communication, config->hierarchy.num_levels, err);
}

bool hsgd_config_figure_costs(const char *figure)
{
    const char *over = strrchr(figure, '-');
    return over && (strcmp(over, "-time") == 0 || strcmp(over, "-bytes") == 0);
}

const char *hsgd_config_figure_lacks(const hsgd_config *config, const char *figure)
{
    if (strncmp(figure, "accuracy", strlen("accuracy")) == 0 && !config->evaluate_every)
        return "evaluate_every";
    return hsgd_config_figure_costs(figure) && !config->has_communication ? "communication" : NULL;
}

hsgd_status hsgd_config_check_figures(hsgd_config *config, const hsgd_json *at, hsgd_name name, size_t count,
                                      hsgd_error *err)
{
    const cJSON *item = at->value ? at->value->child : NULL;
    for (size_t i = 0; item; i++) {
        hsgd_json place = hsgd_json_next(at, &item, i);
        const char *figure = cJSON_IsString(place.value) ? place.value->valuestring : "";
        const char *lacks = hsgd_config_figure_lacks(config, figure);
        if (lacks)
            return hsgd_json_fail(&place, err, "there is nothing to show; needs \"%s\"", lacks);
    }
    for (size_t i = 0; i < count; i++)
        if (hsgd_config_figure_lacks(config, name(i)))
            config->use_figure[i] = false; /* it came with "all" */
    return HSGD_OK;
}

/* ---- writing ---- */

cJSON *hsgd_communication_to_json(const hsgd_communication *c, size_t num_levels)
{
    cJSON *object = cJSON_CreateObject(), *levels = cJSON_AddArrayToObject(object, "levels");
    for (size_t k = 0; k < num_levels; k++) {
        cJSON *level = cJSON_CreateObject();
        cJSON_AddNumberToObject(level, "latency_s", c->level[k].latency_s);
        cJSON_AddNumberToObject(level, "bandwidth_bytes_per_s", c->level[k].bandwidth_bytes_per_s);
        cJSON_AddBoolToObject(level, "shared", c->level[k].shared);
        cJSON_AddItemToArray(levels, level);
    }
    cJSON_AddNumberToObject(object, "compute_s_per_step", c->compute_s);
    cJSON *straggler = cJSON_AddObjectToObject(object, "straggler");
    cJSON_AddStringToObject(straggler, "distribution", straggler_names[c->straggler.type]);
    if (scale_key[c->straggler.type])
        cJSON_AddNumberToObject(straggler, scale_key[c->straggler.type], c->straggler.scale_s);
    if (shape_key[c->straggler.type])
        cJSON_AddNumberToObject(straggler, shape_key[c->straggler.type], c->straggler.shape);
    cJSON_AddStringToObject(object, "route", route_names[c->route]);
    cJSON_AddNumberToObject(object, "bytes_per_parameter", c->bytes_per_parameter);
    return object;
}

void hsgd_config_metrics_to_json(cJSON *root, const hsgd_config *config)
{
    if (config->evaluate_every)
        cJSON_AddNumberToObject(root, "evaluate_every", (double)config->evaluate_every);
    cJSON *targets = config->num_targets ? cJSON_AddArrayToObject(root, "targets") : NULL;
    for (size_t i = 0; i < config->num_targets; i++) {
        cJSON *target = cJSON_CreateObject();
        cJSON_AddStringToObject(target, "quantity", hsgd_target_quantity_name(config->target[i].quantity));
        cJSON_AddNumberToObject(target, "value", config->target[i].value);
        cJSON_AddItemToArray(targets, target);
    }
    if (config->has_communication)
        cJSON_AddItemToObject(root, "communication",
                              hsgd_communication_to_json(&config->communication, config->hierarchy.num_levels));
}
