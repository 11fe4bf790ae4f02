/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keys of "problem" that only convolutional networks have. */
#include "experiments/config_private.h"

#include <stdlib.h>
#include <string.h>

static const char *const activation_names[] = {"relu", "tanh", NULL};
static const hsgd_layer_kind activations[] = {HSGD_LAYER_RELU, HSGD_LAYER_TANH};

/* ---- reading ---- */

/* A member of a layer that may be left out. */
static hsgd_status read_optional(const hsgd_json *layer, const char *key, size_t low, size_t *out, hsgd_error *err)
{
    hsgd_json at = hsgd_json_member(layer, key);
    return at.value ? hsgd_json_count(&at, low, HSGD_MAX_KERNEL, out, err) : HSGD_OK;
}

static hsgd_status read_conv(hsgd_layer *out, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"conv", "kernel", "stride", "padding", NULL};
    hsgd_json channels = hsgd_json_member(at, "conv"), kernel = hsgd_json_member(at, "kernel");
    *out = (hsgd_layer){.kind = HSGD_LAYER_CONV, .stride = 1};
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = hsgd_json_count(&channels, 1, HSGD_MAX_LAYER_OUTPUTS, &out->outputs, err);
    if (!status)
        status = hsgd_json_count(&kernel, 1, HSGD_MAX_KERNEL, &out->kernel, err);
    if (!status)
        status = read_optional(at, "stride", 1, &out->stride, err);
    return status ? status : read_optional(at, "padding", 0, &out->padding, err);
}

static hsgd_status read_maxpool(hsgd_layer *out, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"maxpool", "stride", NULL};
    hsgd_json kernel = hsgd_json_member(at, "maxpool");
    *out = (hsgd_layer){.kind = HSGD_LAYER_MAXPOOL};
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = hsgd_json_count(&kernel, 1, HSGD_MAX_KERNEL, &out->kernel, err);
    out->stride = out->kernel;
    return status ? status : read_optional(at, "stride", 1, &out->stride, err);
}

static hsgd_status read_dense(hsgd_layer *out, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"dense", NULL};
    hsgd_json numbers = hsgd_json_member(at, "dense");
    *out = (hsgd_layer){.kind = HSGD_LAYER_DENSE};
    hsgd_status status = hsgd_json_object(at, keys, err);
    return status ? status : hsgd_json_count(&numbers, 1, HSGD_MAX_LAYER_OUTPUTS, &out->outputs, err);
}

static hsgd_status read_layer(hsgd_layer *out, const hsgd_json *at, hsgd_error *err)
{
    size_t choice = 0;
    if (cJSON_IsString(at->value)) {
        hsgd_status status = hsgd_json_choice(at, activation_names, &choice, err);
        *out = (hsgd_layer){.kind = activations[choice]};
        return status;
    }
    if (cJSON_HasObjectItem(at->value, "conv"))
        return read_conv(out, at, err);
    if (cJSON_HasObjectItem(at->value, "maxpool"))
        return read_maxpool(out, at, err);
    if (cJSON_HasObjectItem(at->value, "dense"))
        return read_dense(out, at, err);
    return hsgd_json_fail(at, err, "expected \"relu\", \"tanh\" or an object with \"conv\", \"maxpool\" or \"dense\"");
}

static hsgd_status take_layers(hsgd_config *config, size_t count, hsgd_error *err)
{
    config->layer = calloc(count + 1, sizeof *config->layer);
    config->num_layers = count;
    return config->layer ? HSGD_OK : hsgd_fail_memory(err, "the layers");
}

static hsgd_status read_layers(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    size_t count = 0;
    hsgd_status status = hsgd_json_array(at, 0, &count, err);
    if (!status && count > HSGD_MAX_LAYERS)
        status = hsgd_json_fail(at, err, "%zu layers; at most %d are legal", count, HSGD_MAX_LAYERS);
    if (!status)
        status = take_layers(config, count, err);
    const cJSON *item = status ? NULL : at->value->child;
    for (size_t i = 0; i < count && !status; i++) {
        hsgd_json layer = hsgd_json_next(at, &item, i);
        status = read_layer(&config->layer[i], &layer, err);
    }
    return status;
}

static hsgd_status read_named(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    size_t choice = 0, count = 0;
    while (hsgd_architecture_name(count))
        count++;
    hsgd_status status = hsgd_json_choice_of(at, hsgd_architecture_name, count, &choice, err);
    if (status)
        return status;
    const hsgd_layer *layer = hsgd_architecture_layers(choice, &count);
    config->architecture = hsgd_architecture_name(choice);
    status = take_layers(config, count, err);
    if (!status)
        memcpy(config->layer, layer, count * sizeof *layer);
    return status;
}

static hsgd_status read_shape(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    size_t *numbers = NULL, length = 0;
    if (!at->value)
        return HSGD_OK;
    hsgd_status status = hsgd_json_counts(at, 1, 1 << 20, &numbers, &length, err);
    if (!status && length != 3)
        status = hsgd_json_fail(at, err, "%zu numbers; expected [channels, height, width]", length);
    if (!status)
        config->shape = (hsgd_shape){numbers[0], numbers[1], numbers[2]};
    free(numbers);
    return status;
}

hsgd_status hsgd_config_read_cnn(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"type", "data", "partition", "regularizer", "architecture", "shape", NULL};
    hsgd_json architecture = hsgd_json_member(at, "architecture"), shape = hsgd_json_member(at, "shape");
    config->problem = HSGD_PROBLEM_CNN;
    config->initial_scale = 1;
    hsgd_status status = hsgd_config_read_on_data(config, at, keys, err);
    if (!status)
        status = cJSON_IsArray(architecture.value) ? read_layers(config, &architecture, err)
                                                   : read_named(config, &architecture, err);
    return status ? status : read_shape(config, &shape, err);
}

/* ---- writing ---- */

static cJSON *layer_to_json(const hsgd_layer *layer)
{
    for (size_t i = 0; activation_names[i]; i++)
        if (activations[i] == layer->kind)
            return cJSON_CreateString(activation_names[i]);
    cJSON *object = cJSON_CreateObject();
    if (layer->kind == HSGD_LAYER_DENSE) {
        cJSON_AddNumberToObject(object, "dense", (double)layer->outputs);
        return object;
    }
    if (layer->kind == HSGD_LAYER_CONV) {
        cJSON_AddNumberToObject(object, "conv", (double)layer->outputs);
        cJSON_AddNumberToObject(object, "kernel", (double)layer->kernel);
        cJSON_AddNumberToObject(object, "padding", (double)layer->padding);
    } else
        cJSON_AddNumberToObject(object, "maxpool", (double)layer->kernel);
    cJSON_AddNumberToObject(object, "stride", (double)layer->stride);
    return object;
}

void hsgd_config_cnn_to_json(const hsgd_config *config, cJSON *problem)
{
    const double shape[] = {(double)config->shape.channels, (double)config->shape.rows, (double)config->shape.columns};
    if (config->architecture)
        cJSON_AddStringToObject(problem, "architecture", config->architecture);
    else {
        cJSON *layers = cJSON_AddArrayToObject(problem, "architecture");
        for (size_t i = 0; i < config->num_layers; i++)
            cJSON_AddItemToArray(layers, layer_to_json(&config->layer[i]));
    }
    if (config->shape.channels)
        cJSON_AddItemToObject(problem, "shape", cJSON_CreateDoubleArray(shape, 3));
}
