/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shapes   W (outputs, p), row-major: the point    X (rows, p): samples    Z, R (rows, outputs): scores, residuals
 *
 * A block of rows is read once: Z = X W', the residual R = dloss/dZ overwrites Z, and gradient += R' X while X is still
 * in cache. Mini-batches take the same path after their rows were gathered. */
#include "analysis/linear_model_private.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cblas.h>

#include "analysis/smoothness.h"

enum { BLOCK_ROWS = HSGD_LINEAR_BLOCK_ROWS };

/* Doubles at the front of the scratch memory that hold the indices of a block. */
enum { INDEX_ROOM = BLOCK_ROWS };
_Static_assert(sizeof(size_t) <= sizeof(double), "an index fits where a double does");

/* ---- losses: from the scores of one sample to its loss; the scores become d loss / d score ---- */

static double logistic_loss(double *score, uint32_t label)
{
    double sign = label ? 1 : -1, margin = sign * *score;
    double tail = exp(-fabs(margin)); /* never overflows */
    *score = -sign * (margin > 0 ? tail : 1) / (1 + tail);
    return (margin > 0 ? 0 : -margin) + log1p(tail);
}

/* With e_c = exp(z_c - top), others = the sum of e_c over the other classes and rest = the sum without one top class
 * (whose e_c is 1): the residual of the label is p - 1 = -others/sum, and the loss log(1 + rest) + (top - z_label).
 * Neither subtracts numbers that are nearly equal, so a sample that is fitted well keeps a loss and a gradient above 0.
 */
static double softmax_loss(double *score, size_t outputs, uint32_t label)
{
    size_t best = 0;
    double own = score[label], rest = 0, others = 0;
    for (size_t c = 1; c < outputs; c++)
        best = score[c] > score[best] ? c : best;
    double top = score[best];
    for (size_t c = 0; c < outputs; c++) {
        score[c] = exp(score[c] - top);
        rest += c == best ? 0 : score[c];
        others += c == label ? 0 : score[c];
    }
    for (size_t c = 0; c < outputs; c++)
        score[c] /= 1 + rest;
    score[label] = -others / (1 + rest);
    return log1p(rest) + (top - own);
}

static double sample_loss(const linear_model *model, double *score, uint32_t label)
{
    return model->link == HSGD_LINK_LOGISTIC ? logistic_loss(score, label) : softmax_loss(score, model->outputs, label);
}

/* ---- scores ---- */

/* z (count, outputs) = x W' for dense rows x (count, p). */
static void dense_scores(const linear_model *model, const double *x, size_t count, const double *point, double *z)
{
    int p = (int)model->data->num_features, outputs = (int)model->outputs, rows = (int)count;
    if (outputs == 1)
        cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, p, 1, x, p, point, 1, 0, z, 1);
    else
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, outputs, p, 1, x, p, point, p, 0, z, outputs);
}

static void sparse_scores(const linear_model *model, size_t sample, const double *point, double *z)
{
    const hsgd_dataset *data = model->data;
    size_t from = data->row_start[sample], to = data->row_start[sample + 1], p = data->num_features;
    for (size_t c = 0; c < model->outputs; c++) {
        z[c] = 0;
        for (size_t e = from; e < to; e++)
            z[c] += data->value[e] * point[c * p + data->column[e]];
    }
}

void hsgd_linear_model_scores(const linear_model *model, size_t first, size_t count, const double *point, double *z)
{
    const hsgd_dataset *data = model->data;
    if (data->dense)
        dense_scores(model, data->dense + first * data->num_features, count, point, z);
    else
        for (size_t i = 0; i < count; i++)
            sparse_scores(model, first + i, point, z + i * model->outputs);
}

/* ---- blocks of rows: sum of losses returned, scale * gradient added to grad ---- */

/* The labels of the block are label[row[i]], or label[i] where row is NULL. */
static double residuals(const linear_model *model, double *z, const uint32_t *label, const size_t *row, size_t count,
                        double scale)
{
    double loss = 0;
    for (size_t i = 0; i < count; i++)
        loss += sample_loss(model, z + i * model->outputs, label[row ? row[i] : i]);
    for (size_t i = 0; i < count * model->outputs; i++)
        z[i] *= scale;
    return loss;
}

static double dense_block(const linear_model *model, const double *x, const uint32_t *label, const size_t *row,
                          size_t count, const double *point, double scale, double *grad, double *z)
{
    int p = (int)model->data->num_features, outputs = (int)model->outputs, rows = (int)count;
    dense_scores(model, x, count, point, z);
    double loss = residuals(model, z, label, row, count, scale);
    if (outputs == 1)
        cblas_dgemv(CblasRowMajor, CblasTrans, rows, p, 1, x, p, z, 1, 1, grad, 1);
    else
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, outputs, p, rows, 1, z, outputs, x, p, 1, grad, p);
    return loss;
}

static double sparse_row(const linear_model *model, size_t sample, const double *point, double scale, double *grad,
                         double *z)
{
    const hsgd_dataset *data = model->data;
    size_t from = data->row_start[sample], to = data->row_start[sample + 1], p = data->num_features;
    sparse_scores(model, sample, point, z);
    double loss = sample_loss(model, z, data->label[sample]);
    for (size_t c = 0; c < model->outputs; c++)
        for (size_t e = from; e < to; e++)
            grad[c * p + data->column[e]] += scale * z[c] * data->value[e];
    return loss;
}

/* ---- the objective's functions ---- */

/* The batch indices; z (BLOCK_ROWS, outputs); for dense mini-batches also the gathered rows (BLOCK_ROWS, p). */
static size_t scratch_size(const hsgd_objective *objective, size_t batch_size)
{
    const linear_model *model = objective->state;
    size_t gathered = model->data->dense && batch_size ? BLOCK_ROWS * model->data->num_features : 0;
    return INDEX_ROOM + BLOCK_ROWS * model->outputs + gathered;
}

static double full_of_one(const linear_model *model, size_t dim, const double *point, size_t worker, double *grad,
                          double *z)
{
    const hsgd_dataset *data = model->data;
    size_t first = model->start[worker], m = model->start[worker + 1] - first;
    double scale = 1 / (double)m, loss = 0;
    memset(grad, 0, dim * sizeof *grad);
    for (size_t done = 0; done < m; done += BLOCK_ROWS) {
        size_t count = m - done < BLOCK_ROWS ? m - done : BLOCK_ROWS, row = first + done;
        if (data->dense)
            loss += dense_block(model, data->dense + row * data->num_features, data->label + row, NULL, count, point,
                                scale, grad, z);
        else
            for (size_t i = 0; i < count; i++)
                loss += sparse_row(model, row + i, point, scale, grad, z);
    }
    return loss * scale + hsgd_regularizer_add(&model->regularizer, point, grad, dim);
}

static void full(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count, double *loss,
                 double *grad, double *scratch)
{
    const linear_model *model = objective->state;
    for (size_t j = 0; j < count; j++)
        loss[j] = full_of_one(model, objective->dim, point, worker[j], grad + j * objective->dim, scratch);
}

static void gather(const hsgd_dataset *data, const size_t *row, size_t count, double *out)
{
    size_t p = data->num_features;
    for (size_t i = 0; i < count; i++)
        memcpy(out + i * p, data->dense + row[i] * p, p * sizeof *out);
}

static void stochastic(const hsgd_objective *objective, const double *point, size_t worker, size_t batch_size,
                       uint64_t seed, uint64_t step, double *grad, double *scratch)
{
    const linear_model *model = objective->state;
    const hsgd_dataset *data = model->data;
    if (batch_size == 0) {
        full_of_one(model, objective->dim, point, worker, grad, scratch);
        return;
    }
    size_t *row = (size_t *)(void *)scratch; /* indices first: doubles and size_t align alike */
    double *z = scratch + INDEX_ROOM;
    size_t first = model->start[worker], m = model->start[worker + 1] - first;
    double scale = 1 / (double)batch_size;
    memset(grad, 0, objective->dim * sizeof *grad);
    for (size_t done = 0; done < batch_size; done += BLOCK_ROWS) {
        size_t count = batch_size - done < BLOCK_ROWS ? batch_size - done : BLOCK_ROWS;
        hsgd_stream stream = {seed, HSGD_PURPOSE_BATCH, (uint32_t)worker, step};
        hsgd_uniform_indices(&stream, done, m, row, count);
        for (size_t i = 0; i < count; i++)
            row[i] += first;
        if (data->dense) {
            double *x = z + BLOCK_ROWS * model->outputs;
            gather(data, row, count, x);
            dense_block(model, x, data->label, row, count, point, scale, grad, z);
        } else
            for (size_t i = 0; i < count; i++)
                sparse_row(model, row[i], point, scale, grad, z);
    }
    hsgd_regularizer_add(&model->regularizer, point, grad, objective->dim);
}

/* mean ||x||^2, not below the true one: every term is positive, so the rounding of so many additions is relative. */
static double mean_row_norm_sq(const linear_model *model, size_t worker)
{
    double sum = 0;
    size_t first = model->start[worker], m = model->start[worker + 1] - first;
    for (size_t s = 0; s < m; s++)
        sum += hsgd_dataset_row_norm_sq(model->data, first + s);
    return sum / (double)m * (1 + 4 * DBL_EPSILON * (double)(m + model->data->num_features));
}

static hsgd_status constants(const hsgd_objective *objective, size_t batch_size, hsgd_constants *out, hsgd_error *err)
{
    const linear_model *model = objective->state;
    double eigenvalue = 0, norm_sq = 0;
    for (size_t j = 0; j < objective->num_workers; j++) {
        double bound;
        size_t first = model->start[j], m = model->start[j + 1] - first;
        hsgd_status status = hsgd_gram_eigenvalue_bound(&bound, model->data, first, m, err);
        if (status)
            return status;
        eigenvalue = fmax(eigenvalue, bound);
        norm_sq = fmax(norm_sq, mean_row_norm_sq(model, j));
    }
    bool logistic = model->link == HSGD_LINK_LOGISTIC;
    double smoothness = eigenvalue / (logistic ? 4 : 2) + hsgd_regularizer_smoothness(&model->regularizer);
    out->smoothness = (hsgd_constant){nextafter(smoothness, INFINITY), HSGD_CERTIFIED}; /* the sum was rounded */
    out->noise_sq = (hsgd_constant){0, HSGD_EXACT};
    if (batch_size > 0)
        out->noise_sq = (hsgd_constant){norm_sq * (logistic ? 1 : 2) / (double)batch_size, HSGD_CERTIFIED};
    out->minimum = (hsgd_constant){0, HSGD_CERTIFIED};
    out->convexity = hsgd_regularizer_convexity(&model->regularizer); /* the losses are convex */
    return HSGD_OK;
}

static const hsgd_objective_type types[] = {
    [HSGD_LINK_LOGISTIC] = {"logistic", scratch_size, full, stochastic, constants, free, hsgd_linear_model_divergences},
    [HSGD_LINK_SOFTMAX] = {"softmax", scratch_size, full, stochastic, constants, free, hsgd_linear_model_divergences},
};

static hsgd_status check(hsgd_link link, const hsgd_dataset *data, const size_t *start, size_t num_workers,
                         hsgd_regularizer regularizer, hsgd_error *err)
{
    if (link == HSGD_LINK_LOGISTIC && data->num_classes != 2)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "logistic regression needs two classes; the data have %zu",
                         data->num_classes);
    if (data->num_features > INT_MAX || data->num_features > SIZE_MAX / 16 / data->num_classes)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%zu features are too many", data->num_features);
    for (size_t j = 0; j < num_workers; j++)
        if (start[j + 1] <= start[j])
            return hsgd_fail(err, HSGD_ERROR_INPUT, "worker %zu has no sample; each needs at least 1", j);
    if (start[num_workers] > data->num_samples)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the workers hold %zu samples, the data have %zu", start[num_workers],
                         data->num_samples);
    if (!(regularizer.weight >= 0) || !isfinite(regularizer.weight))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "weight: %g is not a finite number >= 0", regularizer.weight);
    return HSGD_OK;
}

hsgd_status hsgd_linear_model_objective(hsgd_objective *out, hsgd_link link, const hsgd_dataset *data,
                                        const size_t *start, size_t num_workers, hsgd_regularizer regularizer,
                                        hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    hsgd_status status = check(link, data, start, num_workers, regularizer, err);
    if (status)
        return status;
    linear_model *model = malloc(sizeof *model);
    if (!model)
        return hsgd_fail_memory(err, "the objective");
    size_t outputs = link == HSGD_LINK_LOGISTIC ? 1 : data->num_classes;
    *model = (linear_model){link, data, start, outputs, regularizer};
    *out = (hsgd_objective){
        .type = &types[link], .state = model, .dim = outputs * data->num_features, .num_workers = num_workers};
    return HSGD_OK;
}
