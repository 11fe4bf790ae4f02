/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Losses and predictions of the linear models on any data with their features: training data as well as test data, which
 * no worker holds. */
#include "analysis/linear_model_private.h"

#include <string.h>

#include <gsl/gsl_cblas.h>

enum { BLOCK_ROWS = HSGD_LINEAR_BLOCK_ROWS, LINE = 8 };

/* The parts of the scratch memory. Less than any gradient needs: full and full_at have the same parts, and more; x only if
 * the training data are bytes, and so test data are bytes only then (evaluation.c checks it). */
typedef struct room {
    double *loss; /* (BLOCK_ROWS) */
    double *work; /* (width, 8) */
    double *z;    /* (BLOCK_ROWS, width) */
    double *x;    /* (BLOCK_ROWS, p) data kept as bytes only */
    size_t width;
} room;

static room divide(const linear_model *model, double *scratch)
{
    size_t width = hsgd_linear_width(model->outputs, 1), past = (uintptr_t)scratch / sizeof *scratch % LINE;
    double *line = scratch + (past ? LINE - past : 0);
    double *z = line + BLOCK_ROWS + 8 * width; /* whole lines, like all of them */
    return (room){.loss = line, .work = line + BLOCK_ROWS, .z = z, .x = z + BLOCK_ROWS * width, .width = width};
}

static void sparse_scores(const linear_model *model, const hsgd_dataset *data, size_t sample, const double *point,
                          double *z)
{
    size_t p = data->num_features;
    for (size_t c = 0; c < model->outputs; c++) {
        z[c] = 0;
        for (size_t e = data->row_start[sample]; e < data->row_start[sample + 1]; e++)
            z[c] += data->value[e] * point[c * p + data->column[e]];
    }
}

/* r->z (count, width) = X W' of the samples first .. first + count - 1. */
static void scores(const linear_model *model, const hsgd_dataset *data, size_t first, size_t count, const double *point,
                   const room *r)
{
    int p = (int)data->num_features, outputs = (int)model->outputs, rows = (int)count;
    if (data->row_start) {
        for (size_t i = 0; i < count; i++)
            sparse_scores(model, data, first + i, point, r->z + i * r->width);
        return;
    }
    const double *x = hsgd_dataset_rows(data, first, count, r->x);
    if (outputs == 1)
        cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, p, 1, x, p, point, 1, 0, r->z, 1);
    else
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, outputs, p, 1, x, p, point, p, 0, r->z,
                    (int)r->width);
}

/* The class with the largest score is predicted, of several the first; none where scores are NaN. */
static bool softmax_is_right(const double *z, size_t outputs, uint32_t label)
{
    bool right = true;
    for (size_t c = 0; c < outputs; c++)
        right = right && (c < label ? z[label] > z[c] : z[label] >= z[c]);
    return right;
}

/* Class 1 for positive scores, class 0 for others. */
static bool logistic_is_right(double z, uint32_t label)
{
    return label ? z > 0 : z <= 0;
}

static size_t count_right(const linear_model *model, const uint32_t *label, size_t count, const room *r)
{
    size_t right = 0;
    for (size_t i = 0; i < count; i++)
        right += model->link == HSGD_LINK_LOGISTIC ? logistic_is_right(r->z[i], label[i])
                                                   : softmax_is_right(r->z + i * r->width, model->outputs, label[i]);
    return right;
}

/* The scores become residuals, which nobody wants here. */
static double losses(const linear_model *model, const uint32_t *label, size_t count, const room *r)
{
    const hsgd_linear_model_kernels *kernels = HSGD_PICK_PATH(hsgd_linear_model_kernels);
    hsgd_labels labels = {label, NULL};
    double sum = 0;
    if (model->link == HSGD_LINK_LOGISTIC)
        return kernels->logistic(r->z, labels, count, 1, r->loss);
    kernels->softmax(r->z, labels, count, model->outputs, 1, r->width, 1, &sum, r->loss, r->work);
    return sum;
}

void hsgd_linear_model_evaluate(const hsgd_objective *objective, const double *point, const hsgd_dataset *data,
                                size_t first, size_t count, double *loss_sum, size_t *num_right, double *scratch)
{
    const linear_model *model = objective->state;
    room r = divide(model, scratch);
    *loss_sum = 0;
    *num_right = 0;
    for (size_t done = 0; done < count; done += BLOCK_ROWS) {
        size_t now = count - done < BLOCK_ROWS ? count - done : BLOCK_ROWS;
        const uint32_t *label = data->label + first + done;
        scores(model, data, first + done, now, point, &r);
        *num_right += count_right(model, label, now, &r);
        *loss_sum += losses(model, label, now, &r);
    }
}
