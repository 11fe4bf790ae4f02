/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/architecture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/random.h"

/* ---- architectures with a name ---- */

#define CONV(channels, size, zeros)                                                                                    \
    {                                                                                                                  \
        .kind = HSGD_LAYER_CONV, .outputs = (channels), .kernel = (size), .stride = 1, .padding = (zeros)              \
    }
#define RELU                                                                                                           \
    {                                                                                                                  \
        .kind = HSGD_LAYER_RELU                                                                                        \
    }
#define POOL                                                                                                           \
    {                                                                                                                  \
        .kind = HSGD_LAYER_MAXPOOL, .kernel = 2, .stride = 2                                                           \
    }
#define DENSE(numbers)                                                                                                 \
    {                                                                                                                  \
        .kind = HSGD_LAYER_DENSE, .outputs = (numbers)                                                                 \
    }
#define VGG(channels) CONV(channels, 3, 1), RELU

static const hsgd_layer lenet[] = {CONV(32, 5, 2), RELU, POOL, CONV(64, 5, 2), RELU, POOL, DENSE(512), RELU};
static const hsgd_layer lenet_5[] = {CONV(6, 5, 2), RELU,       POOL, CONV(16, 5, 0), RELU,
                                     POOL,          DENSE(120), RELU, DENSE(84),      RELU};
static const hsgd_layer vgg_11[] = {VGG(64),  POOL,     VGG(128), POOL,     VGG(256), VGG(256), POOL,
                                    VGG(512), VGG(512), POOL,     VGG(512), VGG(512), POOL};
static const hsgd_layer vgg_small[] = {VGG(16),  POOL,     VGG(32), POOL,     VGG(64),  VGG(64), POOL,
                                       VGG(128), VGG(128), POOL,    VGG(128), VGG(128), POOL};

#define NAMED(label, array)                                                                                            \
    {                                                                                                                  \
        (label), (array), sizeof(array) / sizeof *(array)                                                              \
    }
static const struct {
    const char *name;
    const hsgd_layer *layer;
    size_t num_layers;
} named[] = {NAMED("lenet", lenet), NAMED("lenet-5", lenet_5), NAMED("vgg-small", vgg_small), NAMED("vgg-11", vgg_11)};

const char *hsgd_architecture_name(size_t index)
{
    return index < sizeof named / sizeof *named ? named[index].name : NULL;
}

const hsgd_layer *hsgd_architecture_layers(size_t index, size_t *num_layers)
{
    *num_layers = named[index].num_layers;
    return named[index].layer;
}

/* ---- shapes ---- */

bool hsgd_shape_of_square(hsgd_shape *out, size_t num_features)
{
    for (size_t channels = 1; channels <= 3; channels += 2) {
        size_t side = (size_t)lround(sqrt((double)num_features / (double)channels));
        *out = (hsgd_shape){channels, side, side};
        if (side > 0 && channels * side * side == num_features)
            return true;
    }
    return false;
}

static bool has_parameters(const hsgd_layer *layer)
{
    return layer->kind == HSGD_LAYER_CONV || layer->kind == HSGD_LAYER_DENSE;
}

static bool has_windows(const hsgd_layer *layer)
{
    return layer->kind == HSGD_LAYER_CONV || layer->kind == HSGD_LAYER_MAXPOOL;
}

static hsgd_shape shape_after(const hsgd_layer *layer, hsgd_shape in)
{
    size_t reach = 2 * layer->padding;
    if (layer->kind == HSGD_LAYER_DENSE)
        return (hsgd_shape){layer->outputs, 1, 1};
    if (!has_windows(layer))
        return in;
    return (hsgd_shape){layer->kind == HSGD_LAYER_CONV ? layer->outputs : in.channels,
                        (in.rows + reach - layer->kernel) / layer->stride + 1,
                        (in.columns + reach - layer->kernel) / layer->stride + 1};
}

static size_t fan_in(const hsgd_layer *layer, hsgd_shape in)
{
    return layer->kind == HSGD_LAYER_CONV ? in.channels * layer->kernel * layer->kernel
                                          : in.channels * in.rows * in.columns;
}

size_t hsgd_architecture_fan_in(const hsgd_architecture *architecture, size_t layer)
{
    return fan_in(&architecture->layer[layer], architecture->shape[layer]);
}

/* ---- checks ---- */

/* More numbers than this overflow the library's indices. */
static const double MAX_NUMBERS = 1 << 30;

static hsgd_status check_windows(const hsgd_layer *layer, hsgd_shape in, bool flat, hsgd_error *err)
{
    size_t reach = 2 * layer->padding;
    if (flat)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "stands after a dense layer; only dense layers and activations may");
    if (layer->kernel < 1 || layer->kernel > HSGD_MAX_KERNEL || layer->stride < 1 || layer->stride > HSGD_MAX_KERNEL)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "kernel %zu, stride %zu: each is 1 to %d", layer->kernel, layer->stride,
                         HSGD_MAX_KERNEL);
    if (layer->padding >= layer->kernel)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "padding %zu is not below the kernel %zu", layer->padding,
                         layer->kernel);
    if (in.rows + reach < layer->kernel || in.columns + reach < layer->kernel)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "a window of %zu x %zu is larger than the %zu x %zu numbers it meets",
                         layer->kernel, layer->kernel, in.rows + reach, in.columns + reach);
    return HSGD_OK;
}

static hsgd_status check_layer(const hsgd_layer *layer, hsgd_shape in, bool flat, hsgd_error *err)
{
    if (has_parameters(layer) && (layer->outputs < 1 || layer->outputs > HSGD_MAX_LAYER_OUTPUTS))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%zu outputs; legal are 1 to %d", layer->outputs,
                         HSGD_MAX_LAYER_OUTPUTS);
    hsgd_status status = has_windows(layer) ? check_windows(layer, in, flat, err) : HSGD_OK;
    if (status)
        return status;
    hsgd_shape out = shape_after(layer, in);
    double weights = has_parameters(layer) ? (double)layer->outputs * (double)fan_in(layer, in) : 0;
    double numbers = (double)out.channels * (double)out.rows * (double)out.columns;
    if (weights > MAX_NUMBERS || numbers > MAX_NUMBERS)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%.0f weights and %.0f outputs; at most %.0f of each fit", weights,
                         numbers, MAX_NUMBERS);
    return HSGD_OK;
}

/* ---- making one ---- */

/* Shapes and places of the parameters; the layers are there. */
static hsgd_status connect(hsgd_architecture *a, hsgd_error *err)
{
    bool flat = false;
    for (size_t i = 0; i < a->num_layers; i++) {
        const hsgd_layer *layer = &a->layer[i];
        hsgd_status status = check_layer(layer, a->shape[i], flat, err);
        if (status) {
            hsgd_error_prefix(err, "architecture[%zu]: ", i);
            return status;
        }
        flat |= layer->kind == HSGD_LAYER_DENSE;
        a->shape[i + 1] = shape_after(layer, a->shape[i]);
        a->first[i + 1] = a->first[i];
        if (has_parameters(layer))
            a->first[i + 1] += layer->outputs * (fan_in(layer, a->shape[i]) + 1);
        if (a->first[i + 1] > (size_t)MAX_NUMBERS)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "architecture[%zu]: more than %.0f parameters", i, MAX_NUMBERS);
    }
    a->dim = a->first[a->num_layers];
    return HSGD_OK;
}

hsgd_status hsgd_architecture_make(hsgd_architecture *out, const hsgd_layer *layer, size_t num_layers, hsgd_shape input,
                                   size_t num_classes, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    if (num_layers > HSGD_MAX_LAYERS)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "architecture: %zu layers; at most %d are legal", num_layers,
                         HSGD_MAX_LAYERS);
    if ((double)input.channels * (double)input.rows * (double)input.columns > MAX_NUMBERS)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "shape: images of more than %.0f numbers", MAX_NUMBERS);
    out->num_layers = num_layers + 1;
    out->layer = calloc(out->num_layers, sizeof *out->layer);
    out->shape = calloc(out->num_layers + 1, sizeof *out->shape);
    out->first = calloc(out->num_layers + 1, sizeof *out->first);
    hsgd_status status = HSGD_OK;
    if (!out->layer || !out->shape || !out->first)
        status = hsgd_fail_memory(err, "the layers");
    else {
        if (num_layers > 0)
            memcpy(out->layer, layer, num_layers * sizeof *layer);
        out->layer[num_layers] = (hsgd_layer){.kind = HSGD_LAYER_DENSE, .outputs = num_classes};
        out->shape[0] = input;
        status = connect(out, err);
    }
    if (status)
        hsgd_architecture_free(out);
    return status;
}

void hsgd_architecture_free(hsgd_architecture *architecture)
{
    if (!architecture)
        return;
    free(architecture->layer);
    free(architecture->shape);
    free(architecture->first);
    memset(architecture, 0, sizeof *architecture);
}

void hsgd_architecture_initial(const hsgd_architecture *architecture, uint64_t seed, double scale, double *point)
{
    memset(point, 0, architecture->dim * sizeof *point);
    for (size_t i = 0; i < architecture->num_layers; i++) {
        if (!has_parameters(&architecture->layer[i]))
            continue;
        size_t inputs = hsgd_architecture_fan_in(architecture, i);
        hsgd_stream stream = {seed, HSGD_PURPOSE_INITIAL, (uint32_t)i, 0};
        hsgd_normals(&stream, scale * sqrt(2 / (double)inputs), point + architecture->first[i],
                     architecture->layer[i].outputs * inputs);
    }
}
