/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/mlp.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/batch_private.h"
#include "analysis/dataset_private.h"
#include "analysis/estimate.h"
#include "analysis/mlp_private.h"

/* ---- names ---- */

static const char *const activation_names[] = {[HSGD_ACTIVATION_RELU] = "relu", [HSGD_ACTIVATION_TANH] = "tanh"};
static const char *const precision_names[] = {[HSGD_PRECISION_DOUBLE] = "double", [HSGD_PRECISION_SINGLE] = "single"};

const char *hsgd_activation_name(hsgd_activation activation)
{
    return activation_names[activation];
}

const char *hsgd_precision_name(hsgd_precision precision)
{
    return precision_names[precision];
}

/* ---- gradients ---- */

/* What a pass over some blocks is to find; the sums of losses and gradients are over samples, times scale for the latter. */
typedef struct sums {
    double scale, loss;
    double *grad; /* (dim) is added to */
    bool want_loss;
    double sample_sq; /* sum of ||scale * gradient of a sample||^2, if wanted */
    bool want_sample_sq;
} sums;

static void add_block(const hsgd_mlp *mlp, const void *x, hsgd_labels labels, size_t rows, sums *s,
                      const hsgd_mlp_room *r)
{
    double *sample_sq = s->want_sample_sq ? r->loss : NULL; /* the losses are summed up by then */
    hsgd_mlp_forward(mlp, x, rows, r);
    s->loss += hsgd_mlp_residuals(mlp, labels, rows, s->scale, s->want_loss, r);
    hsgd_mlp_backward(mlp, x, rows, s->grad, sample_sq, r);
    for (size_t i = 0; sample_sq && i < rows; i++)
        s->sample_sq += sample_sq[i];
}

/* All samples of a worker; grad is overwritten. The scale is 1/m. */
static void add_worker(const hsgd_mlp *mlp, size_t worker, sums *s, const hsgd_mlp_room *r)
{
    size_t first = mlp->start[worker], m = mlp->start[worker + 1] - first, most = mlp->block_rows, rows;
    s->scale = 1 / (double)m;
    memset(s->grad, 0, mlp->dim * sizeof *s->grad);
    for (size_t done = 0; done < m; done += rows) {
        rows = m - done < most ? m - done : most;
        const void *x = hsgd_mlp_features(mlp->data, mlp->layer[0].in, NULL, first + done, rows, r);
        add_block(mlp, x, (hsgd_labels){mlp->data->label + first + done, NULL}, rows, s, r);
    }
}

/* F and its gradient. */
static double full_gradient(const hsgd_mlp *mlp, size_t worker, double *grad, const hsgd_mlp_room *r)
{
    sums s = {.grad = grad, .want_loss = true};
    add_worker(mlp, worker, &s, r);
    return s.loss * s.scale + hsgd_regularizer_add(&mlp->regularizer, r->point, grad, mlp->dim);
}

static void full(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count, double *loss,
                 double *grad, double *scratch)
{
    const hsgd_mlp *mlp = objective->state;
    hsgd_mlp_room r = hsgd_mlp_open_room(mlp, mlp->precision, scratch);
    hsgd_mlp_set_point(mlp, &r, point);
    for (size_t j = 0; j < count; j++)
        loss[j] = full_gradient(mlp, worker[j], grad + j * mlp->dim, &r);
}

static void batch_gradient(const hsgd_mlp *mlp, hsgd_draw d, double *grad, const hsgd_mlp_room *r)
{
    sums s = {.grad = grad, .scale = 1 / (double)d.batch_size};
    size_t rows;
    memset(grad, 0, mlp->dim * sizeof *grad);
    for (size_t done = 0; done < d.batch_size; done += rows) {
        rows = hsgd_draw_samples(d, mlp->start, done, mlp->block_rows, r->row);
        const void *x = hsgd_mlp_features(mlp->data, mlp->layer[0].in, r->row, 0, rows, r);
        add_block(mlp, x, (hsgd_labels){mlp->data->label, r->row}, rows, &s, r);
    }
    hsgd_regularizer_add(&mlp->regularizer, r->point, grad, mlp->dim);
}

static void stochastic(const hsgd_objective *objective, const double *point, size_t worker, size_t batch_size,
                       uint64_t seed, uint64_t step, double *grad, double *scratch)
{
    const hsgd_mlp *mlp = objective->state;
    hsgd_mlp_room r = hsgd_mlp_open_room(mlp, mlp->precision, scratch);
    hsgd_mlp_set_point(mlp, &r, point);
    if (batch_size == 0)
        full_gradient(mlp, worker, grad, &r);
    else
        batch_gradient(mlp, (hsgd_draw){worker, batch_size, seed, step}, grad, &r);
}

static size_t scratch_size(const hsgd_objective *objective, size_t batch_size)
{
    const hsgd_mlp *mlp = objective->state;
    (void)batch_size;
    return hsgd_mlp_room_size(mlp, mlp->precision);
}

/* ---- evaluation ---- */

/* The first of the largest scores; NaN is never one, so a sample whose scores are not numbers is not right. */
static bool is_right(const double *score, size_t outputs, uint32_t label)
{
    size_t best = 0;
    for (size_t c = 1; c < outputs; c++)
        if (score[c] > score[best])
            best = c;
    return best == label && !isnan(score[label]);
}

static void evaluate(const hsgd_objective *objective, const double *point, const hsgd_dataset *data, size_t first,
                     size_t count, double *loss_sum, size_t *num_right, double *scratch)
{
    const hsgd_mlp *mlp = objective->state;
    size_t outputs = mlp->layer[mlp->num_layers - 1].out, rows;
    hsgd_mlp_room r = hsgd_mlp_open_room(mlp, mlp->precision, scratch);
    hsgd_mlp_set_point(mlp, &r, point);
    *loss_sum = 0;
    *num_right = 0;
    for (size_t done = 0; done < count; done += rows) {
        const uint32_t *label = data->label + first + done;
        rows = count - done < mlp->block_rows ? count - done : mlp->block_rows;
        hsgd_mlp_forward(mlp, hsgd_mlp_features(data, mlp->layer[0].in, NULL, first + done, rows, &r), rows, &r);
        for (size_t i = 0; i < rows; i++)
            *num_right += is_right(r.scores + i * r.padded, outputs, label[i]);
        *loss_sum += hsgd_mlp_residuals(mlp, (hsgd_labels){label, NULL}, rows, 1, true, &r);
    }
}

/* ---- constants ---- */

/* mean ||g_s||^2 - ||mean g_s||^2 over the gradients g_s of the samples' losses. */
double hsgd_mlp_noise_sq(const hsgd_objective *objective, const double *point, size_t worker, double *grad,
                         double *scratch)
{
    const hsgd_mlp *mlp = objective->state;
    double m = (double)(mlp->start[worker + 1] - mlp->start[worker]);
    hsgd_mlp_room r = hsgd_mlp_open_room(mlp, HSGD_PRECISION_DOUBLE, scratch);
    hsgd_mlp_set_point(mlp, &r, point);
    sums s = {.grad = grad, .want_sample_sq = true};
    add_worker(mlp, worker, &s, &r);
    return fmax(0, m * s.sample_sq - hsgd_norm_sq(grad, mlp->dim));
}

/* L is estimated from differences of gradients, whose rounding must be that of doubles. */
static void full_in_double(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count,
                           double *loss, double *grad, double *scratch)
{
    const hsgd_mlp *mlp = objective->state;
    hsgd_mlp_room r = hsgd_mlp_open_room(mlp, HSGD_PRECISION_DOUBLE, scratch);
    hsgd_mlp_set_point(mlp, &r, point);
    for (size_t j = 0; j < count; j++)
        loss[j] = full_gradient(mlp, worker[j], grad + j * mlp->dim, &r);
}

static size_t scratch_in_double(const hsgd_objective *objective, size_t batch_size)
{
    (void)batch_size;
    return hsgd_mlp_room_size(objective->state, HSGD_PRECISION_DOUBLE);
}

static hsgd_status constants(const hsgd_objective *objective, size_t batch_size, hsgd_constants *out, hsgd_error *err)
{
    static const hsgd_objective_type in_double = {
        .name = "mlp", .scratch_size = scratch_in_double, .full = full_in_double};
    const hsgd_mlp *mlp = objective->state;
    hsgd_objective same = *objective;
    same.type = &in_double;
    hsgd_estimate_request request = {
        .objective = &same, .start = mlp->initial, .noise_sq = batch_size > 0 ? hsgd_mlp_noise_sq : NULL};
    return hsgd_estimate_all(out, &request, batch_size, err);
}

/* ---- construction ---- */

static void free_mlp(void *state)
{
    hsgd_mlp *mlp = state;
    free(mlp->initial);
    free(mlp);
}

static const hsgd_objective_type type = {.name = "mlp",
                                         .scratch_size = scratch_size,
                                         .full = full,
                                         .stochastic = stochastic,
                                         .constants = constants,
                                         .free = free_mlp,
                                         .evaluate = evaluate};

static hsgd_status check(const hsgd_mlp_spec *spec, const hsgd_dataset *data, const size_t *start, size_t num_workers,
                         hsgd_regularizer regularizer, hsgd_error *err)
{
    if (spec->num_hidden > HSGD_MLP_MAX_HIDDEN)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "hidden: %zu layers; at most %d", spec->num_hidden,
                         HSGD_MLP_MAX_HIDDEN);
    for (size_t l = 0; l < spec->num_hidden; l++)
        if (spec->hidden[l] < 1 || spec->hidden[l] > HSGD_MLP_MAX_WIDTH)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "hidden[%zu]: %zu is not a width from 1 to %d", l, spec->hidden[l],
                             HSGD_MLP_MAX_WIDTH);
    hsgd_status status = hsgd_dataset_check_workers(data, start, num_workers, err);
    if (status)
        return status;
    if (!(regularizer.weight >= 0) || !isfinite(regularizer.weight))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "regularizer.weight: %g is not a finite number >= 0",
                         regularizer.weight);
    return HSGD_OK;
}

/* Sizes and offsets; the products' sizes are ints for the BLAS. */
static hsgd_status lay_out(hsgd_mlp *mlp, const hsgd_mlp_spec *spec, hsgd_error *err)
{
    size_t in = mlp->data->num_features, most = INT_MAX / 2;
    mlp->num_layers = spec->num_hidden + 1;
    for (size_t l = 0; l < mlp->num_layers; l++) {
        size_t out = l < spec->num_hidden ? spec->hidden[l] : mlp->data->num_classes;
        if (in > most || out > most / (in + 1) || mlp->dim > most - out * (in + 1))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "layer %zu makes it %.3g weights; at most %zu", l + 1,
                             (double)mlp->dim + (double)out * ((double)in + 1), most);
        mlp->layer[l] = (hsgd_mlp_layer){in, out, mlp->dim, mlp->dim + out * in};
        mlp->dim += out * (in + 1);
        mlp->widest = out > mlp->widest ? out : mlp->widest;
        mlp->largest = out * in > mlp->largest ? out * in : mlp->largest;
        in = out;
    }
    mlp->initial = calloc(mlp->dim, sizeof *mlp->initial);
    return mlp->initial ? HSGD_OK : hsgd_fail_memory(err, "the objective");
}

hsgd_status hsgd_mlp_objective(hsgd_objective *out, const hsgd_mlp_spec *spec, const hsgd_dataset *data,
                               const size_t *start, size_t num_workers, hsgd_regularizer regularizer, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    hsgd_status status = check(spec, data, start, num_workers, regularizer, err);
    if (status)
        return status;
    hsgd_mlp *mlp = malloc(sizeof *mlp);
    if (!mlp)
        return hsgd_fail_memory(err, "the objective");
    *mlp = (hsgd_mlp){.activation = spec->activation,
                      .precision = spec->precision,
                      .block_rows = HSGD_MLP_BLOCK_ROWS,
                      .data = data,
                      .start = start,
                      .num_workers = num_workers,
                      .regularizer = regularizer};
    status = lay_out(mlp, spec, err);
    if (status) {
        free_mlp(mlp);
        return status;
    }
    *out = (hsgd_objective){.type = &type, .state = mlp, .dim = mlp->dim, .num_workers = num_workers};
    return HSGD_OK;
}

void hsgd_mlp_set_start(hsgd_objective *objective, const double *point)
{
    hsgd_mlp *mlp = objective->state;
    memcpy(mlp->initial, point, mlp->dim * sizeof *point);
}

void hsgd_mlp_draw(const hsgd_objective *objective, double scale, uint64_t seed, double *point)
{
    const hsgd_mlp *mlp = objective->state;
    memset(point, 0, mlp->dim * sizeof *point);
    for (size_t l = 0; l < mlp->num_layers; l++) {
        const hsgd_mlp_layer *layer = &mlp->layer[l];
        bool relu = mlp->activation == HSGD_ACTIVATION_RELU;
        double fan = (double)layer->in + (relu ? 0 : (double)layer->out);
        hsgd_stream stream = {seed, HSGD_PURPOSE_INITIAL, 0, l};
        hsgd_normals(&stream, scale * sqrt(2 / fan), point + layer->weight, layer->in * layer->out);
    }
}
