/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images go through the network (convnet_private.h) in blocks of 2^k; places that are left over hold images without weight
 * in the gradient. Scores become losses and residuals by the kernels of softmax regression. */
#include "analysis/convnet.h"

#ifdef HSGD_DNNL

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/batch_private.h"
#include "analysis/dataset_private.h"
#include "analysis/convnet_private.h"
#include "analysis/estimate.h"
#include "analysis/linear_model_private.h"
#include "analysis/memory.h"

typedef struct convnet {
    const hsgd_architecture *architecture;
    const hsgd_dataset *data;
    const size_t *start;
    const double *estimate_at;
    hsgd_regularizer regularizer;
    hsgd_network *network; /* owned */
    size_t classes, width; /* of scores: classes, in fours */
} convnet;

bool hsgd_convnet_is_there(void)
{
    return true;
}

/* ---- scratch memory ---- */

typedef struct room {
    size_t *row;  /* (HSGD_MOST_IMAGES) the samples of a block */
    double *z;    /* (HSGD_MOST_IMAGES, width) scores, then residuals */
    double *work; /* (width, 8) */
    double *loss; /* (HSGD_MOST_IMAGES in eights) */
    void *pass;   /* what the network needs, from a line of the cache on */
} room;

enum { LINE = HSGD_LINE_BYTES / sizeof(double), LOSSES = (HSGD_MOST_IMAGES + 7) / 8 * 8 };
_Static_assert(sizeof(size_t) <= sizeof(double), "an index fits where a double does");

static size_t scratch_size(const hsgd_objective *objective, size_t batch_size)
{
    const convnet *net = objective->state;
    (void)batch_size;
    return HSGD_MOST_IMAGES + (HSGD_MOST_IMAGES + 8) * net->width + LOSSES + LINE +
           hsgd_network_bytes(net->network) / sizeof(double);
}

static room divide(const convnet *net, double *scratch)
{
    room r = {.row = (size_t *)(void *)scratch, .z = scratch + HSGD_MOST_IMAGES};
    r.work = r.z + HSGD_MOST_IMAGES * net->width;
    r.loss = r.work + 8 * net->width;
    double *rest = r.loss + LOSSES;
    uintptr_t past = (uintptr_t)rest % HSGD_LINE_BYTES;
    r.pass = rest + (past ? (HSGD_LINE_BYTES - past) / sizeof *rest : 0);
    return r;
}

/* ---- a block of images ---- */

/* out (rows, columns, channels): a sample, whose features are (channels, rows, columns). */
static void gather_dense(const double *sample, hsgd_shape shape, float *out)
{
    size_t pixels = shape.rows * shape.columns;
    for (size_t c = 0; c < shape.channels; c++)
        for (size_t i = 0; i < pixels; i++)
            out[i * shape.channels + c] = (float)sample[c * pixels + i];
}

/* From (channels, rows, columns) of bytes; value: the number that each byte stands for. */
static void gather_bytes(const uint8_t *sample, const float *value, hsgd_shape shape, float *out)
{
    size_t pixels = shape.rows * shape.columns;
    for (size_t c = 0; c < shape.channels; c++)
        for (size_t i = 0; i < pixels; i++)
            out[i * shape.channels + c] = value[sample[c * pixels + i]];
}

static void gather_sparse(const hsgd_dataset *data, size_t sample, hsgd_shape shape, float *out)
{
    size_t pixels = shape.rows * shape.columns;
    memset(out, 0, pixels * shape.channels * sizeof *out);
    for (size_t e = data->row_start[sample]; e < data->row_start[sample + 1]; e++) {
        size_t feature = data->column[e];
        out[feature % pixels * shape.channels + feature / pixels] = (float)data->value[e];
    }
}

/* The samples row[0..count), then the first one again up to `images`. */
static void gather(const hsgd_dataset *data, hsgd_shape shape, const size_t *row, size_t count, size_t images,
                   float *out)
{
    size_t numbers = shape.channels * shape.rows * shape.columns;
    float value[HSGD_BYTE_VALUES];
    for (size_t b = 0; b < HSGD_BYTE_VALUES && data->byte; b++)
        value[b] = (float)data->byte_value[b];
    for (size_t i = 0; i < images; i++, out += numbers) {
        size_t sample = row[i < count ? i : 0];
        if (data->dense)
            gather_dense(data->dense + sample * data->num_features, shape, out);
        else if (data->byte)
            gather_bytes(data->byte + sample * data->num_features, value, shape, out);
        else
            gather_sparse(data, sample, shape, out);
    }
}

/* How many of `left` images go together, and the index of their block: all of them if that leaves at most a quarter of the
 * places empty, else as many as fill one. */
static size_t choose_block(size_t left, size_t *index)
{
    *index = 0;
    while (*index + 1 < HSGD_NUM_BLOCKS && (size_t)1 << *index < left)
        ++*index;
    size_t places = (size_t)1 << *index;
    if (left >= places || 4 * left > 3 * places)
        return left < places ? left : places;
    --*index;
    return places / 2;
}

/* Scores of samples r->row[0..count) into r->z. false: the library failed. */
static bool score(const convnet *net, hsgd_pass *pass, const hsgd_dataset *data, size_t count, size_t block,
                  const room *r)
{
    float *image = hsgd_pass_block(pass, block);
    if (!image)
        return false;
    gather(data, net->architecture->shape[0], r->row, count, (size_t)1 << block, image);
    const float *scores = hsgd_pass_forward(pass);
    memset(r->z, 0, HSGD_MOST_IMAGES * net->width * sizeof *r->z);
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < net->classes; c++)
            r->z[i * net->width + c] = (double)scores[i * net->classes + c];
    return true;
}

/* Scores to residuals in r->z; the losses are added to *loss. */
static void resolve(const convnet *net, const hsgd_dataset *data, size_t count, double *loss, const room *r)
{
    HSGD_PICK_PATH(hsgd_linear_model_kernels)
        ->softmax(r->z, (hsgd_labels){data->label, r->row}, count, net->classes, 1, net->width, 1, loss, r->loss,
                  r->work);
}

/* The losses of samples r->row[0..count) and the gradient of their sum are added. */
static void add_block(const convnet *net, hsgd_pass *pass, size_t count, size_t block, double *loss, double *grad,
                      const room *r)
{
    if (!score(net, pass, net->data, count, block, r))
        return;
    resolve(net, net->data, count, loss, r);
    float *residual = hsgd_pass_residuals(pass);
    memset(residual, 0, ((size_t)1 << block) * net->classes * sizeof *residual);
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < net->classes; c++)
            residual[i * net->classes + c] = (float)r->z[i * net->width + c];
    hsgd_pass_backward(pass, grad);
}

/* ---- the objective's functions ---- */

/* From sums over `count` samples to F_j and its gradient. */
static void finish(const convnet *net, const double *point, size_t count, double *loss, double *grad)
{
    size_t dim = net->architecture->dim;
    for (size_t i = 0; i < dim; i++)
        grad[i] /= (double)count;
    *loss = *loss / (double)count + hsgd_regularizer_add(&net->regularizer, point, grad, dim);
}

static void number_rows(size_t first, size_t count, size_t *row)
{
    for (size_t i = 0; i < count; i++)
        row[i] = first + i;
}

/* All samples of a worker. */
static void sweep(const convnet *net, hsgd_pass *pass, const double *point, size_t worker, double *loss, double *grad,
                  const room *r)
{
    size_t block, count, begin = net->start[worker], end = net->start[worker + 1];
    *loss = 0;
    memset(grad, 0, net->architecture->dim * sizeof *grad);
    for (size_t at = begin; at < end; at += count) {
        count = choose_block(end - at, &block);
        number_rows(at, count, r->row);
        add_block(net, pass, count, block, loss, grad, r);
    }
    finish(net, point, end - begin, loss, grad);
}

/* A failure of the library must not pass for a result. */
static void spoil(double *value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        value[i] = NAN;
}

static void full(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count, double *loss,
                 double *grad, double *scratch)
{
    const convnet *net = objective->state;
    room r = divide(net, scratch);
    hsgd_pass *pass = hsgd_pass_begin(net->network, point, r.pass);
    for (size_t j = 0; j < count; j++)
        sweep(net, pass, point, worker[j], loss + j, grad + j * objective->dim, &r);
    if (!hsgd_pass_end(pass)) {
        spoil(loss, count);
        spoil(grad, count * objective->dim);
    }
}

static void batch_gradient(const convnet *net, const double *point, hsgd_draw batch, double *grad, const room *r)
{
    size_t block, count;
    hsgd_pass *pass = hsgd_pass_begin(net->network, point, r->pass);
    memset(grad, 0, net->architecture->dim * sizeof *grad);
    double loss = 0;
    for (size_t done = 0; done < batch.batch_size; done += count) {
        count = choose_block(batch.batch_size - done, &block);
        hsgd_draw_samples(batch, net->start, done, count, r->row);
        add_block(net, pass, count, block, &loss, grad, r);
    }
    finish(net, point, batch.batch_size, &loss, grad);
    if (!hsgd_pass_end(pass))
        spoil(grad, net->architecture->dim);
}

static void stochastic(const hsgd_objective *objective, const double *point, size_t worker, size_t batch_size,
                       uint64_t seed, uint64_t step, double *grad, double *scratch)
{
    const convnet *net = objective->state;
    double loss;
    if (batch_size == 0) {
        full(objective, point, &worker, 1, &loss, grad, scratch);
        return;
    }
    room r = divide(net, scratch);
    batch_gradient(net, point, (hsgd_draw){worker, batch_size, seed, step}, grad, &r);
}

/* Of equal scores the first counts. */
static size_t count_right(const convnet *net, const hsgd_dataset *data, size_t count, const room *r)
{
    size_t right = 0;
    for (size_t i = 0; i < count; i++) {
        const double *z = r->z + i * net->width;
        size_t best = 0;
        for (size_t c = 1; c < net->classes; c++)
            if (z[c] > z[best])
                best = c;
        right += best == data->label[r->row[i]];
    }
    return right;
}

static void evaluate(const hsgd_objective *objective, const double *point, const hsgd_dataset *data, size_t first,
                     size_t count, double *loss_sum, size_t *num_right, double *scratch)
{
    const convnet *net = objective->state;
    room r = divide(net, scratch);
    hsgd_pass *pass = hsgd_pass_begin(net->network, point, r.pass);
    size_t block, now;
    *loss_sum = 0;
    *num_right = 0;
    for (size_t done = 0; done < count; done += now) {
        now = choose_block(count - done, &block);
        number_rows(first + done, now, r.row);
        if (!score(net, pass, data, now, block, &r))
            break;
        *num_right += count_right(net, data, now, &r);
        resolve(net, data, now, loss_sum, &r);
    }
    if (!hsgd_pass_end(pass)) {
        *loss_sum = NAN;
        *num_right = 0;
    }
}

/* E||g - grad F||^2 = E||g||^2 - ||grad F||^2 of single samples, from some draws. */
static double sample_noise_sq(const hsgd_objective *objective, const double *point, size_t worker, double *grad,
                              double *scratch)
{
    enum { DRAWS = 32 };
    double mean_sq = 0, loss;
    for (uint64_t k = 0; k < DRAWS; k++) {
        stochastic(objective, point, worker, 1, 0, k, grad, scratch);
        mean_sq += hsgd_norm_sq(grad, objective->dim) / DRAWS;
    }
    full(objective, point, &worker, 1, &loss, grad, scratch);
    return fmax(0, mean_sq - hsgd_norm_sq(grad, objective->dim));
}

/* Passes are dear: a few workers are looked at, at the initial point. */
static hsgd_status constants(const hsgd_objective *objective, size_t batch_size, hsgd_constants *out, hsgd_error *err)
{
    const convnet *net = objective->state;
    const hsgd_estimate_request request = {.objective = objective,
                                           .start = net->estimate_at,
                                           .max_workers = 8,
                                           .num_points = 1,
                                           .noise_sq = batch_size > 0 ? sample_noise_sq : NULL};
    return hsgd_estimate_all(out, &request, batch_size, err);
}

static void free_convnet(void *state)
{
    convnet *net = state;
    hsgd_network_free(net->network);
    free(net);
}

static const hsgd_objective_type type = {.name = "cnn",
                                         .scratch_size = scratch_size,
                                         .full = full,
                                         .stochastic = stochastic,
                                         .constants = constants,
                                         .free = free_convnet,
                                         .evaluate = evaluate};

/* ---- construction ---- */

static hsgd_status check(const hsgd_architecture *architecture, const hsgd_dataset *data, const size_t *start,
                         size_t num_workers, hsgd_regularizer regularizer, hsgd_error *err)
{
    hsgd_shape in = architecture->shape[0];
    size_t outputs = architecture->layer[architecture->num_layers - 1].outputs;
    if (data->num_features != in.channels * in.rows * in.columns)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "shape: %zu x %zu x %zu for samples of %zu features", in.channels,
                         in.rows, in.columns, data->num_features);
    if (outputs != data->num_classes)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "architecture: %zu outputs for data of %zu classes", outputs,
                         data->num_classes);
    hsgd_status status = hsgd_dataset_check_workers(data, start, num_workers, err);
    if (status)
        return status;
    if (!(regularizer.weight >= 0) || !isfinite(regularizer.weight))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "weight: %g is not a finite number >= 0", regularizer.weight);
    return HSGD_OK;
}

/* Scores kept per image, as the kernels of softmax regression want it. */
static size_t width_of(size_t classes)
{
    return classes <= 8 ? 8 : (classes + 3) / 4 * 4;
}

hsgd_status hsgd_convnet_objective(hsgd_objective *out, const hsgd_architecture *architecture, const hsgd_dataset *data,
                                   const size_t *start, size_t num_workers, hsgd_regularizer regularizer,
                                   const double *estimate_at, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    hsgd_status status = check(architecture, data, start, num_workers, regularizer, err);
    if (status)
        return status;
    convnet *net = malloc(sizeof *net);
    if (!net)
        return hsgd_fail_memory(err, "the objective");
    *net = (convnet){.architecture = architecture,
                     .data = data,
                     .start = start,
                     .estimate_at = estimate_at,
                     .regularizer = regularizer,
                     .classes = data->num_classes,
                     .width = width_of(data->num_classes)};
    status = hsgd_network_make(&net->network, architecture, err);
    if (status) {
        free(net);
        return status;
    }
    *out = (hsgd_objective){.type = &type, .state = net, .dim = architecture->dim, .num_workers = num_workers};
    return HSGD_OK;
}

#endif
