/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shapes   W (outputs, p), row-major: the point    X (rows, p): samples    Z, R (rows, outputs): scores, residuals
 *
 * Rows are taken in tiles whose scores stay in cache: Z = X W', the residuals R = dloss/dZ overwrite Z, and the gradient
 * gains R' X. Data with many zeros are listed (linear_rows_private.h) and W and the gradient transposed, (p, width), so
 * that an entry meets neighbouring numbers; other data go through BLAS, mini-batches after their rows were gathered. */
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

/* ---- scratch memory ---- */

/* The parts of the scratch memory; rows: the most that are handled at once. */
typedef struct room {
    size_t *row;  /* (INDEX_ROOM) the samples of a mini-batch */
    double *loss; /* (rows, rounded up to 8) */
    double *work; /* (outputs, 8) */
    double *z;    /* (rows, width) */
    double *wide; /* (p, width) the transpose of W: listed data with several outputs only, like the next */
    double *grad; /* (p, width) the transpose of the gradient */
    double *x;    /* (BLOCK_ROWS, p) gathered rows: mini-batches from dense data only */
} room;

/* Lines of the cache, in doubles: the matrices start at one. */
enum { LINE = 8 };

static size_t round_up(size_t count, size_t unit)
{
    return (count + unit - 1) / unit * unit;
}

static size_t most_rows(const linear_model *model)
{
    size_t rows = BLOCK_ROWS;
    for (size_t i = 0; model->listed && i < model->rows.first_tile[model->num_workers]; i++)
        rows = model->rows.tile[i].num_rows > rows ? model->rows.tile[i].num_rows : rows;
    return rows;
}

static bool is_transposed(const linear_model *model)
{
    return model->listed && model->width > 1;
}

static size_t scratch_size(const hsgd_objective *objective, size_t batch_size)
{
    const linear_model *model = objective->state;
    size_t p = model->data->num_features, transposed = is_transposed(model) ? 2 * round_up(p * model->width, LINE) : 0;
    size_t gathered = !model->listed && batch_size ? BLOCK_ROWS * p : 0;
    return INDEX_ROOM + LINE + round_up(model->most_rows, LINE) + model->outputs * 8 +
           round_up(model->most_rows * model->width, LINE) + transposed + gathered;
}

static room divide(const linear_model *model, double *scratch)
{
    room r = {.row = (size_t *)(void *)scratch}; /* doubles and size_t align alike */
    uintptr_t past = (uintptr_t)(scratch + INDEX_ROOM) % (LINE * sizeof *scratch);
    r.loss = scratch + INDEX_ROOM + (past ? LINE - past / sizeof *scratch : 0);
    r.work = r.loss + round_up(model->most_rows, LINE);
    r.z = r.work + model->outputs * 8;
    r.wide = r.x = r.z + round_up(model->most_rows * model->width, LINE);
    r.grad = r.wide + round_up(model->data->num_features * model->width, LINE);
    return r;
}

/* ---- dense scores, and those for the bounds on divergences ---- */

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

/* ---- tiles and blocks of rows: sum of losses returned, scale * gradient added ---- */

/* Scores to residuals. loss NULL: no losses are wanted. */
static double residuals(const linear_model *model, const room *r, hsgd_labels labels, size_t count, double scale,
                        double *loss)
{
    const hsgd_linear_model_kernels *kernels = HSGD_PICK_PATH(hsgd_linear_model_kernels);
    if (model->link == HSGD_LINK_LOGISTIC)
        return kernels->logistic(r->z, labels, count, scale, loss);
    return kernels->softmax(r->z, labels, count, model->outputs, model->width, scale, loss, r->work);
}

static double dense_block(const linear_model *model, const double *x, hsgd_labels labels, size_t count,
                          const double *point, double scale, double *grad, const room *r)
{
    int p = (int)model->data->num_features, outputs = (int)model->outputs, rows = (int)count;
    dense_scores(model, x, count, point, r->z);
    double loss = residuals(model, r, labels, count, scale, r->loss);
    if (outputs == 1)
        cblas_dgemv(CblasRowMajor, CblasTrans, rows, p, 1, x, p, r->z, 1, 1, grad, 1);
    else
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, outputs, p, rows, 1, r->z, outputs, x, p, 1, grad, p);
    return loss;
}

/* wide: W', grad: the transposed gradient. */
static double listed_tile(const linear_model *model, const hsgd_tile *tile, const double *wide, double scale,
                          double *grad, const room *r)
{
    const hsgd_linear_model_kernels *kernels = HSGD_PICK_PATH(hsgd_linear_model_kernels);
    const hsgd_linear_rows *rows = &model->rows;
    hsgd_labels labels = {model->data->label + tile->first_row, NULL};
    kernels->scores(r->z, &rows->by_row, NULL, tile->first_row, tile->num_rows, wide, model->width);
    double loss = residuals(model, r, labels, tile->num_rows, scale, r->loss);
    if (tile->num_lists)
        kernels->collect(grad, rows->column, &rows->by_column, tile->first_list, tile->num_lists, r->z, model->width);
    else
        kernels->scatter(grad, &rows->by_row, NULL, tile->first_row, tile->num_rows, r->z, model->width);
    return loss;
}

/* ---- the objective's functions ---- */

/* W as the kernels for listed rows want it: transposed into the scratch memory, or as it is. */
static const double *widened(const linear_model *model, const double *point, const room *r)
{
    if (!is_transposed(model))
        return point;
    HSGD_PICK_PATH(hsgd_linear_model_kernels)
        ->widen(r->wide, point, model->outputs, model->data->num_features, model->width);
    return r->wide;
}

/* Where the gradient is summed: zeros, in the scratch memory or in grad itself. */
static double *open_gradient(const linear_model *model, double *grad, const room *r)
{
    double *sum = is_transposed(model) ? r->grad : grad;
    size_t rows = is_transposed(model) ? model->width : model->outputs;
    memset(sum, 0, rows * model->data->num_features * sizeof *sum);
    return sum;
}

static void close_gradient(const linear_model *model, double *grad, const room *r)
{
    if (is_transposed(model))
        HSGD_PICK_PATH(hsgd_linear_model_kernels)
            ->narrow(grad, r->grad, model->outputs, model->data->num_features, model->width);
}

static double full_of_one(const linear_model *model, size_t dim, const double *point, const double *wide, size_t worker,
                          double *grad, const room *r)
{
    const hsgd_dataset *data = model->data;
    size_t first = model->start[worker], m = model->start[worker + 1] - first;
    double scale = 1 / (double)m, loss = 0, *sum = open_gradient(model, grad, r);
    if (model->listed)
        for (size_t i = model->rows.first_tile[worker]; i < model->rows.first_tile[worker + 1]; i++)
            loss += listed_tile(model, &model->rows.tile[i], wide, scale, sum, r);
    else
        for (size_t done = 0; done < m; done += BLOCK_ROWS) {
            size_t count = m - done < BLOCK_ROWS ? m - done : BLOCK_ROWS, row = first + done;
            hsgd_labels labels = {data->label + row, NULL};
            loss += dense_block(model, data->dense + row * data->num_features, labels, count, point, scale, sum, r);
        }
    close_gradient(model, grad, r);
    return loss * scale + hsgd_regularizer_add(&model->regularizer, point, grad, dim);
}

static void full(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count, double *loss,
                 double *grad, double *scratch)
{
    const linear_model *model = objective->state;
    room r = divide(model, scratch);
    const double *wide = widened(model, point, &r);
    for (size_t j = 0; j < count; j++)
        loss[j] = full_of_one(model, objective->dim, point, wide, worker[j], grad + j * objective->dim, &r);
}

static void gather(const hsgd_dataset *data, const size_t *row, size_t count, double *out)
{
    size_t p = data->num_features;
    for (size_t i = 0; i < count; i++)
        memcpy(out + i * p, data->dense + row[i] * p, p * sizeof *out);
}

/* The samples r->row[0..count). */
static void add_batch(const linear_model *model, const double *point, const double *wide, size_t count, double scale,
                      double *sum, const room *r)
{
    const hsgd_linear_model_kernels *kernels = HSGD_PICK_PATH(hsgd_linear_model_kernels);
    hsgd_labels labels = {model->data->label, r->row};
    if (!model->listed) {
        gather(model->data, r->row, count, r->x);
        dense_block(model, r->x, labels, count, point, scale, sum, r);
        return;
    }
    kernels->scores(r->z, &model->rows.by_row, r->row, 0, count, wide, model->width);
    residuals(model, r, labels, count, scale, NULL);
    kernels->scatter(sum, &model->rows.by_row, r->row, 0, count, r->z, model->width);
}

static void stochastic(const hsgd_objective *objective, const double *point, size_t worker, size_t batch_size,
                       uint64_t seed, uint64_t step, double *grad, double *scratch)
{
    const linear_model *model = objective->state;
    room r = divide(model, scratch);
    const double *wide = widened(model, point, &r);
    if (batch_size == 0) {
        full_of_one(model, objective->dim, point, wide, worker, grad, &r);
        return;
    }
    size_t first = model->start[worker], m = model->start[worker + 1] - first, *row = r.row;
    double scale = 1 / (double)batch_size, *sum = open_gradient(model, grad, &r);
    for (size_t done = 0; done < batch_size; done += BLOCK_ROWS) {
        size_t count = batch_size - done < BLOCK_ROWS ? batch_size - done : BLOCK_ROWS;
        hsgd_stream stream = {seed, HSGD_PURPOSE_BATCH, (uint32_t)worker, step};
        hsgd_uniform_indices(&stream, done, m, row, count);
        for (size_t i = 0; i < count; i++)
            row[i] += first;
        add_batch(model, point, wide, count, scale, sum, &r);
    }
    close_gradient(model, grad, &r);
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

static void free_model(void *state)
{
    linear_model *model = state;
    hsgd_linear_rows_free(&model->rows);
    free(model);
}

#define TYPE_OF_LINK(label)                                                                                            \
    {                                                                                                                  \
        .name = (label), .scratch_size = scratch_size, .full = full, .stochastic = stochastic, .constants = constants, \
        .free = free_model, .divergences = hsgd_linear_model_divergences                                               \
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
    *model = (linear_model){.link = link,
                            .data = data,
                            .start = start,
                            .num_workers = num_workers,
                            .outputs = outputs,
                            .regularizer = regularizer,
                            .listed = hsgd_linear_rows_pay(data, start[num_workers])};
    model->width = model->listed && outputs > 1 ? round_up(outputs, HSGD_LINEAR_FOUR) : outputs;
    if (model->listed)
        status = hsgd_linear_rows_make(&model->rows, data, start, num_workers, model->width, err);
    model->most_rows = status ? 0 : most_rows(model);
    if (status) {
        free(model);
        return status;
    }
    *out = (hsgd_objective){
        .type = &types[link], .state = model, .dim = outputs * data->num_features, .num_workers = num_workers};
    return HSGD_OK;
}
