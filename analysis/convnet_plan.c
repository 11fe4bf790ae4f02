/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Activations are (images, rows, columns, channels) throughout: oneDNN's convolutions are fast on it, it has no padding,
 * and nothing has to be reordered between layers. Weights are reordered into what each primitive asks for, once per point,
 * and their gradients back. */
#ifdef HSGD_DNNL

#include "analysis/convnet_plan_private.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"

hsgd_status hsgd_fail_dnnl(hsgd_error *err, dnnl_status_t status, const char *doing)
{
    if (status == dnnl_out_of_memory)
        return hsgd_fail_memory(err, doing);
    return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "oneDNN refuses %s (status %d)", doing, (int)status);
}

static size_t whole_lines(size_t bytes)
{
    return (bytes + HSGD_LINE_BYTES - 1) / HSGD_LINE_BYTES * HSGD_LINE_BYTES;
}

/* ---- parameters ---- */

static bool has_parameters(const hsgd_layer *layer)
{
    return layer->kind == HSGD_LAYER_CONV || layer->kind == HSGD_LAYER_DENSE;
}

hsgd_status hsgd_parameters_place(hsgd_parameters *out, const hsgd_architecture *architecture, hsgd_error *err)
{
    size_t layers = architecture->num_layers;
    *out = (hsgd_parameters){calloc(layers, sizeof *out->weights), calloc(layers, sizeof *out->biases), 0};
    if (!out->weights || !out->biases) {
        hsgd_parameters_free(out);
        return hsgd_fail_memory(err, "the network");
    }
    for (size_t i = 0; i < layers; i++) {
        const hsgd_layer *layer = &architecture->layer[i];
        if (!has_parameters(layer))
            continue;
        out->weights[i] = out->bytes;
        out->bytes += whole_lines(layer->outputs * hsgd_architecture_fan_in(architecture, i) * sizeof(float));
        out->biases[i] = out->bytes;
        out->bytes += whole_lines(layer->outputs * sizeof(float));
    }
    return HSGD_OK;
}

void hsgd_parameters_free(hsgd_parameters *parameters)
{
    free(parameters->weights);
    free(parameters->biases);
    *parameters = (hsgd_parameters){NULL, NULL, 0};
}

/* ---- a plan in the making ---- */

/* What is known of a layer's input or output while the plan is made. */
typedef struct place {
    dnnl_memory_desc_t desc;
    size_t value, slope; /* buffers of the numbers and of the derivatives by them */
} place;

typedef struct builder {
    hsgd_plan *plan;
    const hsgd_architecture *architecture;
    const hsgd_parameters *parameters;
    dnnl_engine_t engine;
    dnnl_primitive_attr_t attributes;
    dnnl_primitive_desc_t *forward; /* (num_layers) hints for the way back */
    size_t *workspace;              /* (num_layers) where maxpool says which numbers it took */
    place *place;                   /* (num_layers + 1) */
    size_t work_bytes;              /* scratch memory of the most demanding primitive */
    dnnl_status_t status;           /* the first failure; everything after it is skipped */
} builder;

/* The offset of buffers that primitives use while they run: all the same, known at the end. */
static const size_t SHARED = SIZE_MAX;

/* Per layer at most: value, slope, workspace, two times weights for the forward and two for the backward pass with their
 * gradients, biases, and the work of six primitives. */
enum { BUFFERS_PER_LAYER = 18, COMMANDS_PER_LAYER = 4 };

static size_t add_buffer_at(builder *b, const dnnl_memory_desc_t *desc, size_t offset)
{
    b->plan->buffer[b->plan->num_buffers] = (hsgd_buffer){*desc, offset};
    return b->plan->num_buffers++;
}

static size_t add_buffer(builder *b, const dnnl_memory_desc_t *desc)
{
    size_t offset = b->plan->bytes;
    b->plan->bytes += whole_lines(dnnl_memory_desc_get_size(desc));
    return add_buffer_at(b, desc, offset);
}

static dnnl_memory_desc_t describe(builder *b, int num_dims, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t desc;
    memset(&desc, 0, sizeof desc);
    if (!b->status)
        b->status = dnnl_memory_desc_init_by_tag(&desc, num_dims, dims, dnnl_f32, tag);
    return desc;
}

static dnnl_primitive_desc_t choose(builder *b, const void *operation, dnnl_primitive_desc_t hint)
{
    dnnl_primitive_desc_t desc = NULL;
    if (!b->status)
        b->status = dnnl_primitive_desc_create(&desc, operation, b->attributes, b->engine, hint);
    return desc;
}

static void give(hsgd_command *command, int role, size_t buffer)
{
    command->argument[command->num_arguments].role = role;
    command->argument[command->num_arguments++].buffer = buffer;
}

static const dnnl_memory_desc_t *ask(dnnl_primitive_desc_t desc, dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(desc, what, 0);
}

/* A primitive at the end of the list, with its scratch memory. NULL after a failure. */
static hsgd_command *append(builder *b, hsgd_command_list *list, dnnl_primitive_desc_t desc)
{
    hsgd_command *command = &list->command[list->count];
    if (!b->status)
        b->status = dnnl_primitive_create(&command->primitive, desc);
    if (b->status)
        return NULL;
    list->count++;
    const dnnl_memory_desc_t *work = ask(desc, dnnl_query_scratchpad_md);
    size_t bytes = work ? dnnl_memory_desc_get_size(work) : 0;
    if (bytes > 0)
        give(command, DNNL_ARG_SCRATCHPAD, add_buffer_at(b, work, SHARED));
    b->work_bytes = bytes > b->work_bytes ? bytes : b->work_bytes;
    return command;
}

static void append_reorder(builder *b, hsgd_command_list *list, size_t from, size_t to)
{
    dnnl_primitive_desc_t desc = NULL;
    if (!b->status)
        b->status = dnnl_reorder_primitive_desc_create(&desc, &b->plan->buffer[from].desc, b->engine,
                                                       &b->plan->buffer[to].desc, b->engine, b->attributes);
    hsgd_command *command = append(b, list, desc);
    if (command) {
        give(command, DNNL_ARG_FROM, from);
        give(command, DNNL_ARG_TO, to);
    }
    dnnl_primitive_desc_destroy(desc);
}

/* The buffer itself, or a copy of it in the wanted layout that the list makes. */
static size_t in_layout(builder *b, hsgd_command_list *list, size_t buffer, const dnnl_memory_desc_t *wanted)
{
    if (b->status || dnnl_memory_desc_equal(&b->plan->buffer[buffer].desc, wanted))
        return buffer;
    size_t copy = add_buffer(b, wanted);
    append_reorder(b, list, buffer, copy);
    return copy;
}

/* ---- shapes and parameters as the library describes them ---- */

static dnnl_memory_desc_t describe_activation(builder *b, hsgd_shape shape, bool flat)
{
    const dnnl_dims_t dims = {(dnnl_dim_t)b->plan->images, (dnnl_dim_t)shape.channels, (dnnl_dim_t)shape.rows,
                              (dnnl_dim_t)shape.columns};
    return describe(b, flat ? 2 : 4, dims, flat ? dnnl_ab : dnnl_acdb);
}

/* Weights in the layout of w, or in any that the library likes. */
static dnnl_memory_desc_t describe_weights(builder *b, size_t layer, bool any)
{
    const hsgd_layer *l = &b->architecture->layer[layer];
    hsgd_shape in = b->architecture->shape[layer];
    bool conv = l->kind == HSGD_LAYER_CONV, flat = b->place[layer].desc.ndims == 2;
    const dnnl_dims_t dims = {(dnnl_dim_t)l->outputs, (dnnl_dim_t)in.channels, (dnnl_dim_t)(conv ? l->kernel : in.rows),
                              (dnnl_dim_t)(conv ? l->kernel : in.columns)};
    dnnl_format_tag_t plain = flat ? dnnl_ab : dnnl_abcd;
    return describe(b, flat ? 2 : 4, dims, any ? dnnl_format_tag_any : plain);
}

static dnnl_memory_desc_t describe_biases(builder *b, size_t layer)
{
    const dnnl_dims_t dims = {(dnnl_dim_t)b->architecture->layer[layer].outputs};
    return describe(b, 1, dims, dnnl_a);
}

/* Strides, kernel and padding before of conv and maxpool, each the same in rows and columns, and the padding after: the
 * library wants the windows to end with it, so those that do not fit make it smaller. */
typedef struct window {
    dnnl_dims_t stride, kernel, before, after;
} window;

static window describe_window(const builder *b, size_t layer)
{
    const hsgd_layer *l = &b->architecture->layer[layer];
    hsgd_shape in = b->architecture->shape[layer], out = b->architecture->shape[layer + 1];
    dnnl_dim_t stride = (dnnl_dim_t)l->stride, kernel = (dnnl_dim_t)l->kernel, padding = (dnnl_dim_t)l->padding;
    return (window){
        {stride, stride},
        {kernel, kernel},
        {padding, padding},
        {((dnnl_dim_t)out.rows - 1) * stride + kernel - (dnnl_dim_t)in.rows - padding,
         ((dnnl_dim_t)out.columns - 1) * stride + kernel - (dnnl_dim_t)in.columns - padding},
    };
}

/* ---- forward ---- */

static void make_conv_forward(builder *b, size_t i)
{
    window w = describe_window(b, i);
    dnnl_memory_desc_t weights = describe_weights(b, i, true), biases = describe_biases(b, i);
    dnnl_convolution_desc_t operation;
    if (!b->status)
        b->status = dnnl_convolution_forward_desc_init(&operation, dnnl_forward_training, dnnl_convolution_direct,
                                                       &b->place[i].desc, &weights, &biases, &b->place[i + 1].desc,
                                                       w.stride, w.before, w.after);
    b->forward[i] = choose(b, &operation, NULL);
}

static void make_dense_forward(builder *b, size_t i)
{
    dnnl_memory_desc_t weights = describe_weights(b, i, true), biases = describe_biases(b, i);
    dnnl_inner_product_desc_t operation;
    if (!b->status)
        b->status = dnnl_inner_product_forward_desc_init(&operation, dnnl_forward_training, &b->place[i].desc, &weights,
                                                         &biases, &b->place[i + 1].desc);
    b->forward[i] = choose(b, &operation, NULL);
}

static void append_weighted_forward(builder *b, size_t i)
{
    dnnl_memory_desc_t weights = describe_weights(b, i, false), biases = describe_biases(b, i);
    if (b->architecture->layer[i].kind == HSGD_LAYER_CONV)
        make_conv_forward(b, i);
    else
        make_dense_forward(b, i);
    if (b->status)
        return;
    size_t plain = add_buffer_at(b, &weights, b->parameters->weights[i]);
    size_t liked = in_layout(b, &b->plan->prepare, plain, ask(b->forward[i], dnnl_query_weights_md));
    hsgd_command *command = append(b, &b->plan->forward, b->forward[i]);
    if (!command)
        return;
    give(command, DNNL_ARG_SRC, b->place[i].value);
    give(command, DNNL_ARG_WEIGHTS, liked);
    give(command, DNNL_ARG_BIAS, add_buffer_at(b, &biases, b->parameters->biases[i]));
    give(command, DNNL_ARG_DST, b->place[i + 1].value);
}

static void append_maxpool_forward(builder *b, size_t i)
{
    window w = describe_window(b, i);
    dnnl_pooling_desc_t operation;
    if (!b->status)
        b->status =
            dnnl_pooling_forward_desc_init(&operation, dnnl_forward_training, dnnl_pooling_max, &b->place[i].desc,
                                           &b->place[i + 1].desc, w.stride, w.kernel, w.before, w.after);
    b->forward[i] = choose(b, &operation, NULL);
    hsgd_command *command = append(b, &b->plan->forward, b->forward[i]);
    if (!command)
        return;
    b->workspace[i] = add_buffer(b, ask(b->forward[i], dnnl_query_workspace_md));
    give(command, DNNL_ARG_SRC, b->place[i].value);
    give(command, DNNL_ARG_DST, b->place[i + 1].value);
    give(command, DNNL_ARG_WORKSPACE, b->workspace[i]);
}

/* Derivatives are made from the outputs, so that inputs need not be kept. */
static dnnl_alg_kind_t activation_kind(const builder *b, size_t i)
{
    return b->architecture->layer[i].kind == HSGD_LAYER_RELU ? dnnl_eltwise_relu_use_dst_for_bwd
                                                             : dnnl_eltwise_tanh_use_dst_for_bwd;
}

static void append_activation_forward(builder *b, size_t i)
{
    dnnl_eltwise_desc_t operation;
    if (!b->status)
        b->status = dnnl_eltwise_forward_desc_init(&operation, dnnl_forward_training, activation_kind(b, i),
                                                   &b->place[i].desc, 0, 0);
    b->forward[i] = choose(b, &operation, NULL);
    hsgd_command *command = append(b, &b->plan->forward, b->forward[i]);
    if (!command)
        return;
    give(command, DNNL_ARG_SRC, b->place[i].value);
    give(command, DNNL_ARG_DST, b->place[i + 1].value);
}

static bool is_activation(const hsgd_layer *layer)
{
    return layer->kind == HSGD_LAYER_RELU || layer->kind == HSGD_LAYER_TANH;
}

/* Activations overwrite their input, unless it is the images, or another activation's output, which that one's derivatives
 * are made from. */
static void add_place(builder *b, size_t i)
{
    const hsgd_layer *layer = b->architecture->layer;
    if (i > 1 && is_activation(&layer[i - 1]) && !is_activation(&layer[i - 2])) {
        b->place[i] = b->place[i - 1];
        return;
    }
    bool flat = i > 0 && (b->place[i - 1].desc.ndims == 2 || layer[i - 1].kind == HSGD_LAYER_DENSE);
    b->place[i].desc = describe_activation(b, b->architecture->shape[i], flat);
    if (b->status)
        return;
    b->place[i].value = add_buffer(b, &b->place[i].desc);
    b->place[i].slope = add_buffer(b, &b->place[i].desc);
}

static void append_forward(builder *b, size_t i)
{
    add_place(b, i + 1);
    switch (b->architecture->layer[i].kind) {
    case HSGD_LAYER_CONV:
    case HSGD_LAYER_DENSE:
        append_weighted_forward(b, i);
        break;
    case HSGD_LAYER_MAXPOOL:
        append_maxpool_forward(b, i);
        break;
    case HSGD_LAYER_RELU:
    case HSGD_LAYER_TANH:
        append_activation_forward(b, i);
        break;
    }
}

/* ---- backward ---- */

static dnnl_primitive_desc_t choose_weights_gradient(builder *b, size_t i)
{
    dnnl_memory_desc_t weights = describe_weights(b, i, true), biases = describe_biases(b, i);
    const dnnl_memory_desc_t *in = &b->place[i].desc, *out = &b->place[i + 1].desc;
    if (b->architecture->layer[i].kind == HSGD_LAYER_CONV) {
        window w = describe_window(b, i);
        dnnl_convolution_desc_t operation;
        if (!b->status)
            b->status = dnnl_convolution_backward_weights_desc_init(&operation, dnnl_convolution_direct, in, &weights,
                                                                    &biases, out, w.stride, w.before, w.after);
        return choose(b, &operation, b->forward[i]);
    }
    dnnl_inner_product_desc_t operation;
    if (!b->status)
        b->status = dnnl_inner_product_backward_weights_desc_init(&operation, in, &weights, &biases, out);
    return choose(b, &operation, b->forward[i]);
}

static void append_weights_gradient(builder *b, size_t i)
{
    dnnl_memory_desc_t weights = describe_weights(b, i, false), biases = describe_biases(b, i);
    dnnl_primitive_desc_t desc = choose_weights_gradient(b, i);
    hsgd_command *command = append(b, &b->plan->backward, desc);
    if (command) {
        size_t offset = b->parameters->bytes; /* gradients lie behind the parameters */
        size_t plain = add_buffer_at(b, &weights, offset + b->parameters->weights[i]), made = plain;
        const dnnl_memory_desc_t *liked = ask(desc, dnnl_query_diff_weights_md);
        if (!dnnl_memory_desc_equal(&weights, liked))
            made = add_buffer(b, liked);
        give(command, DNNL_ARG_SRC, b->place[i].value);
        give(command, DNNL_ARG_DIFF_DST, b->place[i + 1].slope);
        give(command, DNNL_ARG_DIFF_WEIGHTS, made);
        give(command, DNNL_ARG_DIFF_BIAS, add_buffer_at(b, &biases, offset + b->parameters->biases[i]));
        if (made != plain)
            append_reorder(b, &b->plan->backward, made, plain);
    }
    dnnl_primitive_desc_destroy(desc);
}

static dnnl_primitive_desc_t choose_input_slope(builder *b, size_t i)
{
    dnnl_memory_desc_t weights = describe_weights(b, i, true);
    const dnnl_memory_desc_t *in = &b->place[i].desc, *out = &b->place[i + 1].desc;
    if (b->architecture->layer[i].kind == HSGD_LAYER_CONV) {
        window w = describe_window(b, i);
        dnnl_convolution_desc_t operation;
        if (!b->status)
            b->status = dnnl_convolution_backward_data_desc_init(&operation, dnnl_convolution_direct, in, &weights, out,
                                                                 w.stride, w.before, w.after);
        return choose(b, &operation, b->forward[i]);
    }
    dnnl_inner_product_desc_t operation;
    if (!b->status)
        b->status = dnnl_inner_product_backward_data_desc_init(&operation, in, &weights, out);
    return choose(b, &operation, b->forward[i]);
}

static void append_weighted_slope(builder *b, size_t i)
{
    dnnl_memory_desc_t weights = describe_weights(b, i, false);
    dnnl_primitive_desc_t desc = choose_input_slope(b, i);
    if (!b->status) {
        size_t plain = add_buffer_at(b, &weights, b->parameters->weights[i]);
        size_t liked = in_layout(b, &b->plan->prepare, plain, ask(desc, dnnl_query_weights_md));
        hsgd_command *command = append(b, &b->plan->backward, desc);
        if (command) {
            give(command, DNNL_ARG_DIFF_DST, b->place[i + 1].slope);
            give(command, DNNL_ARG_WEIGHTS, liked);
            give(command, DNNL_ARG_DIFF_SRC, b->place[i].slope);
        }
    }
    dnnl_primitive_desc_destroy(desc);
}

static void append_maxpool_slope(builder *b, size_t i)
{
    window w = describe_window(b, i);
    dnnl_pooling_desc_t operation;
    if (!b->status)
        b->status = dnnl_pooling_backward_desc_init(&operation, dnnl_pooling_max, &b->place[i].desc,
                                                    &b->place[i + 1].desc, w.stride, w.kernel, w.before, w.after);
    dnnl_primitive_desc_t desc = choose(b, &operation, b->forward[i]);
    hsgd_command *command = append(b, &b->plan->backward, desc);
    if (command) {
        give(command, DNNL_ARG_DIFF_DST, b->place[i + 1].slope);
        give(command, DNNL_ARG_DIFF_SRC, b->place[i].slope);
        give(command, DNNL_ARG_WORKSPACE, b->workspace[i]);
    }
    dnnl_primitive_desc_destroy(desc);
}

static void append_activation_slope(builder *b, size_t i)
{
    dnnl_eltwise_desc_t operation;
    if (!b->status)
        b->status = dnnl_eltwise_backward_desc_init(&operation, activation_kind(b, i), &b->place[i].desc,
                                                    &b->place[i].desc, 0, 0);
    dnnl_primitive_desc_t desc = choose(b, &operation, b->forward[i]);
    hsgd_command *command = append(b, &b->plan->backward, desc);
    if (command) {
        give(command, DNNL_ARG_DST, b->place[i + 1].value);
        give(command, DNNL_ARG_DIFF_DST, b->place[i + 1].slope);
        give(command, DNNL_ARG_DIFF_SRC, b->place[i].slope);
    }
    dnnl_primitive_desc_destroy(desc);
}

/* Backwards until the first layer with parameters, whose input needs no derivatives. */
static void append_backward(builder *b)
{
    const hsgd_layer *layer = b->architecture->layer;
    size_t first = 0;
    while (!has_parameters(&layer[first])) /* the last one has some */
        first++;
    for (size_t i = b->architecture->num_layers; i-- > first && !b->status;) {
        if (has_parameters(&layer[i]))
            append_weights_gradient(b, i);
        if (i == first)
            break;
        if (has_parameters(&layer[i]))
            append_weighted_slope(b, i);
        else if (is_activation(&layer[i]))
            append_activation_slope(b, i);
        else
            append_maxpool_slope(b, i);
    }
}

/* ---- all together ---- */

static bool take_memory(builder *b)
{
    size_t layers = b->architecture->num_layers, commands = COMMANDS_PER_LAYER * layers;
    hsgd_plan *plan = b->plan;
    plan->buffer = calloc(BUFFERS_PER_LAYER * layers + 2, sizeof *plan->buffer);
    plan->prepare.command = calloc(commands, sizeof(hsgd_command));
    plan->forward.command = calloc(commands, sizeof(hsgd_command));
    plan->backward.command = calloc(commands, sizeof(hsgd_command));
    b->forward = calloc(layers, sizeof *b->forward);
    b->workspace = calloc(layers, sizeof *b->workspace);
    b->place = calloc(layers + 1, sizeof *b->place);
    return plan->buffer && plan->prepare.command && plan->forward.command && plan->backward.command && b->forward &&
           b->workspace && b->place;
}

static void free_memory(builder *b)
{
    for (size_t i = 0; b->forward && i < b->architecture->num_layers; i++)
        dnnl_primitive_desc_destroy(b->forward[i]);
    dnnl_primitive_attr_destroy(b->attributes);
    free(b->forward);
    free(b->workspace);
    free(b->place);
}

static void build(builder *b)
{
    hsgd_plan *plan = b->plan;
    size_t layers = b->architecture->num_layers;
    plan->bytes = 2 * b->parameters->bytes;
    if (!b->status)
        b->status = dnnl_primitive_attr_create(&b->attributes);
    if (!b->status)
        b->status = dnnl_primitive_attr_set_scratchpad_mode(b->attributes, dnnl_scratchpad_mode_user);
    add_place(b, 0);
    for (size_t i = 0; i < layers && !b->status; i++)
        append_forward(b, i);
    append_backward(b);
    plan->input = b->place[0].value;
    plan->scores = b->place[layers].value;
    plan->residuals = b->place[layers].slope;
    for (size_t i = 0; i < plan->num_buffers; i++)
        if (plan->buffer[i].offset == SHARED)
            plan->buffer[i].offset = plan->bytes;
    plan->bytes += whole_lines(b->work_bytes);
}

hsgd_status hsgd_plan_make(hsgd_plan *out, const hsgd_architecture *architecture, const hsgd_parameters *parameters,
                           size_t images, dnnl_engine_t engine, hsgd_error *err)
{
    builder b = {.plan = out, .architecture = architecture, .parameters = parameters, .engine = engine};
    *out = (hsgd_plan){.images = images};
    if (take_memory(&b))
        build(&b);
    else
        b.status = dnnl_out_of_memory;
    free_memory(&b);
    if (!b.status)
        return HSGD_OK;
    hsgd_plan_free(out);
    return hsgd_fail_dnnl(err, b.status, "the network");
}

static void free_commands(hsgd_command_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        dnnl_primitive_destroy(list->command[i].primitive);
    free(list->command);
}

void hsgd_plan_free(hsgd_plan *plan)
{
    free_commands(&plan->prepare);
    free_commands(&plan->forward);
    free_commands(&plan->backward);
    free(plan->buffer);
    memset(plan, 0, sizeof *plan);
}

#else
typedef int hsgd_convnet_plan_needs_dnnl; /* C has no empty files */
#endif
