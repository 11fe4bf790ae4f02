/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shapes   W (outputs, p), row-major: the point    X (rows, p): samples    Z, R (rows, outputs): scores, residuals
 *
 * Rows are taken in tiles whose scores stay in cache: Z = X W', the residuals R = dloss/dZ overwrite Z, and the gradient
 * gains R' X. Data with many zeros are listed (linear_rows_private.h) and W and the gradient transposed, (p, width), so
 * that an entry meets neighbouring numbers; other data go through BLAS, mini-batches after their rows were gathered.
 *
 * Several points are put side by side: listed data meet the columns of all in one pass, (p, width) and (rows, width);
 * other data block by block. No column's arithmetic depends on those next to it, so a point's loss and gradient are the
 * same to the bit whatever the other points are. */
#include "analysis/linear_model_private.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cblas.h>

#include "analysis/batch_private.h"
#include "analysis/dataset_private.h"
#include "analysis/moments_private.h"
#include "analysis/smoothness.h"

enum { BLOCK_ROWS = HSGD_LINEAR_BLOCK_ROWS };
typedef hsgd_linear_room room;

static size_t scratch_size(const hsgd_objective *objective, size_t batch_size)
{
    return hsgd_linear_room_size(objective->state, HSGD_POINTS_AT_ONCE, batch_size > 0);
}

/* ---- dense scores, and those for the bounds on divergences ---- */

/* z (count, width) = x W' for dense rows x (count, p); columns beyond the outputs are left alone. */
static void dense_scores(const linear_model *model, const double *x, size_t count, const double *point, double *z,
                         size_t width)
{
    int p = (int)model->data->num_features, outputs = (int)model->outputs, rows = (int)count;
    if (outputs == 1)
        cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, p, 1, x, p, point, 1, 0, z, 1);
    else
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, outputs, p, 1, x, p, point, p, 0, z, (int)width);
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

void hsgd_linear_model_scores(const linear_model *model, size_t first, size_t count, const double *point, double *z,
                              double *x)
{
    const hsgd_dataset *data = model->data;
    if (!data->row_start)
        dense_scores(model, hsgd_dataset_rows(data, first, count, x), count, point, z, model->outputs);
    else
        for (size_t i = 0; i < count; i++)
            sparse_scores(model, first + i, point, z + i * model->outputs);
}

/* ---- tiles and blocks of rows: losses and scale * gradient added ---- */

/* Scores of one output at several points to residuals: point by point, as the scores of one point. */
static void logistic_residuals(const room *r, hsgd_labels labels, size_t count, double scale, double *loss)
{
    const hsgd_linear_model_kernels *kernels = HSGD_PICK_PATH(hsgd_linear_model_kernels);
    const double *point[HSGD_POINTS_AT_ONCE];
    double *z = r->width > 1 ? r->side : r->z;
    if (r->width > 1)
        kernels->narrow(z, r->z, r->num_points, count, 0, count, r->width);
    for (size_t q = 0; q < r->num_points; q++) {
        double sum = kernels->logistic(z + q * count, labels, count, scale, loss ? r->loss : NULL);
        if (loss)
            loss[q] += sum;
        point[q] = z + q * count;
    }
    if (r->width > 1)
        kernels->widen(r->z, point, 1, r->num_points, count, 0, count, r->width, 0, r->width);
}

/* Scores to residuals; the losses are added. loss NULL: they are not wanted. */
static void residuals(const linear_model *model, const room *r, hsgd_labels labels, size_t count, double scale,
                      double *loss)
{
    if (model->link == HSGD_LINK_LOGISTIC)
        logistic_residuals(r, labels, count, scale, loss);
    else
        HSGD_PICK_PATH(hsgd_linear_model_kernels)
            ->softmax(r->z, labels, count, model->outputs, r->num_points, r->width, scale, loss, r->loss, r->work);
}

/* One point. */
static void dense_block(const linear_model *model, const double *x, hsgd_labels labels, size_t count,
                        const double *point, double scale, double *loss, double *grad, const room *r)
{
    int p = (int)model->data->num_features, outputs = (int)model->outputs, rows = (int)count, width = (int)r->width;
    room one = *r;
    one.num_points = 1;
    dense_scores(model, x, count, point, r->z, r->width);
    residuals(model, &one, labels, count, scale, loss);
    if (outputs == 1)
        cblas_dgemv(CblasRowMajor, CblasTrans, rows, p, 1, x, p, r->z, 1, 1, grad, 1);
    else
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, outputs, p, rows, 1, r->z, width, x, p, 1, grad, p);
}

/* wide: the transposed points, grad: the transposed gradients. */
static void listed_tile(const linear_model *model, const hsgd_tile *tile, const double *wide, double scale,
                        double *loss, double *grad, const room *r)
{
    const hsgd_linear_model_kernels *kernels = HSGD_PICK_PATH(hsgd_linear_model_kernels);
    const hsgd_linear_rows *rows = &model->rows;
    hsgd_labels labels = {model->data->label + tile->first_row, NULL};
    for (size_t k = 0; k < rows->by_row.parts; k++)
        kernels->scores(r->z, k > 0, &rows->by_row, k, 1, NULL, tile->first_row, tile->num_rows, wide, r->width);
    residuals(model, r, labels, tile->num_rows, scale, loss);
    if (tile->num_lists)
        kernels->collect(grad, !tile->complete, rows->column, &rows->by_column, tile->first_list, tile->num_lists, r->z,
                         r->width);
    for (size_t k = 0; k < rows->by_row.parts && !tile->num_lists; k++)
        kernels->scatter(grad, &rows->by_row, k, 1, NULL, tile->first_row, tile->num_rows, r->z, r->width);
}

/* ---- the objective's functions ---- */

/* The points as the kernels for listed rows want them: transposed into the scratch memory, or as they are. Columns of
 * points that lie where they lay before (NULL: none) are there already. */
static const double *widened(const linear_model *model, const double *const *point, const double *const *before,
                             const room *r)
{
    if (!hsgd_linear_room_is_transposed(model, r))
        return point[0];
    size_t done = 0, outputs = model->outputs, p = model->data->num_features;
    for (size_t q = 0; q < r->num_points; q++) {
        size_t from = q * outputs / 4 * 4, to = q + 1 < r->num_points ? ((q + 1) * outputs + 3) / 4 * 4 : r->width;
        if (before && before[q] == point[q])
            continue;
        from = from > done ? from : done; /* four columns may belong to two points */
        HSGD_PICK_PATH(hsgd_linear_model_kernels)
            ->widen(r->wide, point, outputs, r->num_points * outputs, p, 0, p, r->width, from, to);
        done = to;
    }
    return r->wide;
}

/* Where the gradients are summed: in the scratch memory or in grad itself. */
static double *open_gradient(const linear_model *model, double *grad, const room *r, bool zeros)
{
    double *sum = hsgd_linear_room_is_transposed(model, r) ? r->grad : grad;
    size_t rows = hsgd_linear_room_is_transposed(model, r) ? r->width : r->num_points * model->outputs;
    if (zeros)
        memset(sum, 0, rows * model->data->num_features * sizeof *sum);
    return sum;
}

static void close_gradient(const linear_model *model, double *grad, const room *r)
{
    size_t p = model->data->num_features;
    if (hsgd_linear_room_is_transposed(model, r))
        HSGD_PICK_PATH(hsgd_linear_model_kernels)
            ->narrow(grad, r->grad, r->num_points * model->outputs, p, 0, p, r->width);
}

static void listed_worker(const linear_model *model, const double *wide, size_t worker, double scale, double *loss,
                          double *grad, const room *r)
{
    const hsgd_tile *tile = model->rows.tile + model->rows.first_tile[worker],
                    *end = model->rows.tile + model->rows.first_tile[worker + 1];
    double *sum = open_gradient(model, grad, r, !tile->complete);
    for (; tile < end; tile++)
        listed_tile(model, tile, wide, scale, loss, sum, r);
    close_gradient(model, grad, r);
}

static void dense_worker(const linear_model *model, const double *const *point, size_t worker, double scale,
                         double *loss, double *grad, const room *r)
{
    const hsgd_dataset *data = model->data;
    size_t first = model->start[worker], m = model->start[worker + 1] - first,
           dim = model->outputs * data->num_features;
    open_gradient(model, grad, r, true);
    for (size_t done = 0; done < m; done += BLOCK_ROWS) {
        size_t count = m - done < BLOCK_ROWS ? m - done : BLOCK_ROWS, row = first + done;
        hsgd_labels labels = {data->label + row, NULL};
        const double *x = hsgd_dataset_rows(data, row, count, r->x);
        for (size_t q = 0; q < r->num_points; q++)
            dense_block(model, x, labels, count, point[q], scale, loss ? loss + q : NULL, grad + q * dim, r);
    }
}

/* One worker at the points of r. before: those of the call before with this r, NULL: there was none. */
static void evaluate(const linear_model *model, const double *const *point, const double *const *before, size_t worker,
                     double *loss, double *grad, const room *r)
{
    size_t m = model->start[worker + 1] - model->start[worker], dim = model->outputs * model->data->num_features;
    double scale = 1 / (double)m, sum[HSGD_POINTS_AT_ONCE] = {0};
    if (model->listed)
        listed_worker(model, widened(model, point, before, r), worker, scale, loss ? sum : NULL, grad, r);
    else
        dense_worker(model, point, worker, scale, loss ? sum : NULL, grad, r);
    for (size_t q = 0; q < r->num_points; q++) {
        double penalty = hsgd_regularizer_add(&model->regularizer, point[q], grad + q * dim, dim);
        if (loss)
            loss[q] = sum[q] * scale + penalty;
    }
}

static void full(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count, double *loss,
                 double *grad, double *scratch)
{
    room r = hsgd_linear_room_of(objective->state, 1, false, scratch);
    for (size_t j = 0; j < count; j++)
        evaluate(objective->state, &point, j ? &point : NULL, worker[j], loss + j, grad + j * objective->dim, &r);
}

static void full_at(const hsgd_objective *objective, const double *const *point, size_t num_points,
                    const size_t *worker, size_t count, double *loss, double *grad, double *scratch)
{
    room r = hsgd_linear_room_of(objective->state, num_points, false, scratch);
    for (size_t j = 0; j < count; j++, point += num_points)
        evaluate(objective->state, point, j ? point - num_points : NULL, worker[j], loss ? loss + j * num_points : NULL,
                 grad + j * num_points * objective->dim, &r);
}

static void gather(const hsgd_dataset *data, const size_t *row, size_t count, double *out)
{
    size_t p = data->num_features;
    for (size_t i = 0; i < count; i++, out += p) {
        const double *x = hsgd_dataset_rows(data, row[i], 1, out);
        if (x != out)
            memcpy(out, x, p * sizeof *out);
    }
}

/* The mini-batches of one call: blocks of samples, r->row[0..count). */
typedef struct block {
    size_t count;
    bool first, last;
    double scale;
} block;

/* Scores of a block of r->row at the point, transposed or not, to residuals. */
static void listed_residuals(const linear_model *model, const double *point, size_t count, double scale, const room *r)
{
    const hsgd_lists *lists = &model->rows.by_row;
    HSGD_PICK_PATH(hsgd_linear_model_kernels)
        ->scores(r->z, false, lists, 0, lists->parts, r->row, 0, count, point, r->width);
    residuals(model, r, (hsgd_labels){model->data->label, r->row}, count, scale, NULL);
}

static void listed_batch(const linear_model *model, const double *point, block b, double *grad, const room *r)
{
    const hsgd_lists *lists = &model->rows.by_row;
    double *sum = open_gradient(model, grad, r, b.first);
    listed_residuals(model, widened(model, &point, b.first ? NULL : &point, r), b.count, b.scale, r);
    HSGD_PICK_PATH(hsgd_linear_model_kernels)->scatter(sum, lists, 0, lists->parts, r->row, 0, b.count, r->z, r->width);
    if (b.last)
        close_gradient(model, grad, r);
}

static void dense_batch(const linear_model *model, const double *point, block b, double *grad, const room *r)
{
    hsgd_labels labels = {model->data->label, r->row};
    if (b.first)
        memset(grad, 0, model->outputs * model->data->num_features * sizeof *grad);
    gather(model->data, r->row, b.count, r->x);
    dense_block(model, r->x, labels, b.count, point, b.scale, NULL, grad, r);
}

/* The samples first, first + 1, ... of a mini-batch, a block of them at most. Returned: how many. */
static size_t draw_block(const linear_model *model, hsgd_draw d, size_t first, size_t *row)
{
    size_t count = hsgd_draw_samples(d, model->start, first, BLOCK_ROWS, row);
    if (model->listed && model->outputs > 1) /* with one output the rows come into use too soon for it to pay */
        hsgd_linear_rows_prefetch(&model->rows, row, count);
    return count;
}

static void batch_gradient(const linear_model *model, const double *point, hsgd_draw d, double *grad, const room *r)
{
    size_t count;
    for (size_t done = 0; done < d.batch_size; done += count) {
        count = draw_block(model, d, done, r->row);
        block b = {count, done == 0, done + count == d.batch_size, 1 / (double)d.batch_size};
        (model->listed ? listed_batch : dense_batch)(model, point, b, grad, r);
    }
    hsgd_regularizer_add(&model->regularizer, point, grad, model->outputs * model->data->num_features);
}

/* Batch size 0: the full gradient. */
static void one_gradient(const linear_model *model, const double *point, hsgd_draw d, double *grad, const room *r)
{
    if (d.batch_size == 0)
        evaluate(model, &point, NULL, d.worker, NULL, grad, r);
    else
        batch_gradient(model, point, d, grad, r);
}

static void stochastic(const hsgd_objective *objective, const double *point, size_t worker, size_t batch_size,
                       uint64_t seed, uint64_t step, double *grad, double *scratch)
{
    room r = hsgd_linear_room_of(objective->state, 1, batch_size > 0, scratch);
    one_gradient(objective->state, point, (hsgd_draw){worker, batch_size, seed, step}, grad, &r);
}

/* The step of the transposed model whose mini-batch is one block of r->row: as soon as all residuals are there, each sample's
 * share goes straight into the model. No gradient is zeroed, summed and subtracted, and the model has the nearest cache to
 * itself: a sixth of the time. */
static void listed_step(const linear_model *model, size_t count, double step_size, const room *r)
{
    const hsgd_lists *lists = &model->rows.by_row;
    listed_residuals(model, r->wide, count, -step_size / (double)count, r);
    HSGD_PICK_PATH(hsgd_linear_model_kernels)
        ->scatter(r->wide, lists, 0, lists->parts, r->row, 0, count, r->z, r->width);
}

/* Steps of one worker after the other whose mini-batches are blocks of r->row: each model is transposed once, and the rows of
 * a step are asked for while the step before is made. */
static void listed_steps(const linear_model *model, const double *from, double *w, size_t stride, const size_t *worker,
                         size_t count, const hsgd_steps *steps, room *r)
{
    size_t p = model->data->num_features, *next = r->row + BLOCK_ROWS, each = steps->count;
    hsgd_draw d = {worker[0], steps->batch_size, steps->seed, steps->first};
    draw_block(model, d, 0, r->row);
    for (size_t i = 0; i < count * each; i++) {
        double *own = w + i / each * stride;
        const double *begin = from ? from : own;
        if (i % each == 0)
            widened(model, &begin, NULL, r);
        d.worker = worker[(i + 1) / each % count];
        d.step = steps->first + (i + 1) % each;
        draw_block(model, d, 0, next); /* one too many at the end */
        listed_step(model, d.batch_size, steps->step_size, r);
        if ((i + 1) % each == 0)
            HSGD_PICK_PATH(hsgd_linear_model_kernels)->narrow(own, r->wide, model->outputs, p, 0, p, r->width);
        size_t *now = r->row;
        r->row = next;
        next = now;
    }
}

/* Listed models with one output whose mini-batches fit a block of r->row together: their residuals are made in one call,
 * where the latencies of several mini-batches overlap. */
static void joint_gradients(const linear_model *model, const double *point, size_t stride, const size_t *worker,
                            size_t count, hsgd_draw d, double *grad, const room *r)
{
    const hsgd_linear_model_kernels *kernels = HSGD_PICK_PATH(hsgd_linear_model_kernels);
    const hsgd_lists *lists = &model->rows.by_row;
    size_t dim = model->data->num_features, batch = d.batch_size;
    for (size_t j = 0; j < count; j++) {
        d.worker = worker[j];
        draw_block(model, d, 0, r->row + j * batch);
    }
    for (size_t j = 0; j < count; j++)
        kernels->scores(r->z + j * batch, false, lists, 0, lists->parts, r->row + j * batch, 0, batch,
                        point + j * stride, 1);
    residuals(model, r, (hsgd_labels){model->data->label, r->row}, count * batch, 1 / (double)batch, NULL);
    memset(grad, 0, count * dim * sizeof *grad);
    for (size_t j = 0; j < count; j++) {
        kernels->scatter(grad + j * dim, lists, 0, lists->parts, r->row + j * batch, 0, batch, r->z + j * batch, 1);
        hsgd_regularizer_add(&model->regularizer, point + j * stride, grad + j * dim, dim);
    }
}

/* Mini-batches of so many workers are handled at once. */
static size_t joint_batches(const linear_model *model, size_t batch_size)
{
    return model->listed && model->outputs == 1 && batch_size > 0 ? BLOCK_ROWS / batch_size : 0;
}

static void stochastic_rows(const hsgd_objective *objective, const double *point, size_t stride, const size_t *worker,
                            size_t count, size_t batch_size, uint64_t seed, uint64_t step, double *grad,
                            double *scratch)
{
    const linear_model *model = objective->state;
    size_t joint = joint_batches(model, batch_size), dim = objective->dim, now;
    room r = hsgd_linear_room_of(model, 1, batch_size > 0, scratch);
    for (size_t j = 0; j < count; j += now) {
        now = joint < 1 ? 1 : joint < count - j ? joint : count - j;
        if (now > 1)
            joint_gradients(model, point + j * stride, stride, worker + j, now, (hsgd_draw){0, batch_size, seed, step},
                            grad + j * dim, &r);
        else
            one_gradient(model, point + j * stride, (hsgd_draw){worker[j], batch_size, seed, step}, grad + j * dim, &r);
    }
}

/* grad (count, dim) */
static void gradient_steps(const hsgd_objective *objective, double *w, size_t stride, const size_t *worker,
                           size_t count, const hsgd_steps *steps, double *grad, double *scratch)
{
    const hsgd_moments_kernels *kernels = HSGD_PICK_PATH(hsgd_moments_kernels);
    for (size_t k = 0; k < steps->count; k++) {
        stochastic_rows(objective, w, stride, worker, count, steps->batch_size, steps->seed, steps->first + k, grad,
                        scratch);
        for (size_t j = 0; j < count; j++)
            kernels->step(w + j * stride, w + j * stride, grad + j * objective->dim, steps->step_size, objective->dim);
    }
}

static void step_rows(const hsgd_objective *objective, const double *from, double *w, size_t stride,
                      const size_t *worker, size_t count, const hsgd_steps *steps, double *scratch)
{
    const linear_model *model = objective->state;
    size_t batch_size = steps->batch_size;
    room r = hsgd_linear_room_of(model, 1, batch_size > 0, scratch);
    bool moves_all = model->regularizer.type != HSGD_REGULARIZER_NONE;
    if (hsgd_linear_room_is_transposed(model, &r) && !moves_all && batch_size > 0 && batch_size <= BLOCK_ROWS) {
        listed_steps(model, from, w, stride, worker, count, steps, &r);
        return;
    }
    hsgd_objective_begin_rows(objective, from, w, stride, count);
    for (size_t j = 0, now, most = hsgd_linear_steps_together(model); j < count; j += now) {
        now = count - j < most ? count - j : most;
        gradient_steps(objective, w + j * stride, stride, worker + j, now, steps, r.step, scratch);
    }
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

static void free_model(void *state)
{
    linear_model *model = state;
    hsgd_linear_rows_free(&model->rows);
    free(model);
}

#define TYPE_OF_LINK(label)                                                                                            \
    {                                                                                                                  \
        .name = (label), .scratch_size = scratch_size, .full = full, .stochastic = stochastic, .full_at = full_at,     \
        .stochastic_rows = stochastic_rows, .step_rows = step_rows, .constants = constants, .free = free_model,        \
        .divergences = hsgd_linear_model_divergences, .evaluate = hsgd_linear_model_evaluate                           \
    }

static const hsgd_objective_type types[] = {
    [HSGD_LINK_LOGISTIC] = TYPE_OF_LINK("logistic"),
    [HSGD_LINK_SOFTMAX] = TYPE_OF_LINK("softmax"),
};

static hsgd_status check(hsgd_link link, const hsgd_dataset *data, const size_t *start, size_t num_workers,
                         hsgd_regularizer regularizer, hsgd_error *err)
{
    if (link == HSGD_LINK_LOGISTIC && data->num_classes != 2)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "logistic regression needs two classes; the data have %zu",
                         data->num_classes);
    if (data->num_features > INT_MAX || data->num_features > SIZE_MAX / 16 / data->num_classes)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%zu features are too many", data->num_features);
    hsgd_status status = hsgd_dataset_check_workers(data, start, num_workers, err);
    if (status)
        return status;
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
    *model = (linear_model){.link = link,
                            .data = data,
                            .start = start,
                            .num_workers = num_workers,
                            .outputs = outputs,
                            .regularizer = regularizer,
                            .listed = hsgd_linear_rows_pay(data, start[num_workers])};
    if (model->listed)
        status = hsgd_linear_rows_make(&model->rows, data, start, num_workers, hsgd_linear_width(outputs, 1), err);
    model->most_rows = status ? 0 : hsgd_linear_most_rows(model);
    if (status) {
        free(model);
        return status;
    }
    *out = (hsgd_objective){
        .type = &types[link], .state = model, .dim = outputs * data->num_features, .num_workers = num_workers};
    return HSGD_OK;
}
