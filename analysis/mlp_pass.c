/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One block of samples through the network and back. */
#include "analysis/mlp_private.h"

#include <string.h>

enum { LINE = 8 }; /* of the cache, in doubles */

static size_t round_up(size_t count, size_t unit)
{
    return (count + unit - 1) / unit * unit;
}

/* Scores per sample: the softmax kernel takes fours. */
static size_t padded_width(const hsgd_mlp *mlp)
{
    return round_up(mlp->layer[mlp->num_layers - 1].out, HSGD_LINEAR_FOUR);
}

static char *at(const void *base, size_t index, const hsgd_mlp_room *r)
{
    return (char *)base + index * r->arithmetic->size;
}

/* ---- scratch memory ---- */

/* The next count numbers of size bytes of the scratch memory, a multiple of lines; *used in doubles. memory NULL: they are
 * only counted. */
static void *take(double *memory, size_t *used, size_t count, size_t size)
{
    double *begin = memory ? memory + *used : NULL;
    *used += round_up(round_up(count * size, sizeof *memory) / sizeof *memory, LINE);
    return begin;
}

/* Returned: the doubles that the room takes. */
static size_t divide(hsgd_mlp_room *r, const hsgd_mlp *mlp, hsgd_precision precision, double *memory)
{
    size_t used = 0, rows = mlp->block_rows, p = mlp->layer[0].in, size;
    bool single = precision == HSGD_PRECISION_SINGLE;
    *r = (hsgd_mlp_room){.arithmetic = hsgd_mlp_arithmetic_of(precision), .padded = padded_width(mlp)};
    size = r->arithmetic->size;
    r->row = take(memory, &used, rows, sizeof *r->row);
    r->loss = take(memory, &used, round_up(rows, 8), sizeof *r->loss);
    r->lanes = take(memory, &used, r->padded * 8, sizeof *r->lanes);
    r->scores = take(memory, &used, rows * r->padded, sizeof *r->scores);
    r->dense = take(memory, &used, p, sizeof *r->dense);
    r->x = take(memory, &used, rows * p, size);
    r->weights = take(memory, &used, single ? mlp->dim : 0, size);
    r->product = take(memory, &used, single ? mlp->largest : 0, size);
    for (size_t l = 0; l < mlp->num_layers; l++)
        r->activation[l] = take(memory, &used, rows * mlp->layer[l].out, size);
    for (size_t k = 0; k < 2; k++)
        r->residual[k] = take(memory, &used, rows * mlp->widest, size);
    return used;
}

size_t hsgd_mlp_room_size(const hsgd_mlp *mlp, hsgd_precision precision)
{
    hsgd_mlp_room r;
    return LINE + divide(&r, mlp, precision, NULL);
}

hsgd_mlp_room hsgd_mlp_open_room(const hsgd_mlp *mlp, hsgd_precision precision, double *scratch)
{
    hsgd_mlp_room r;
    size_t past = (uintptr_t)scratch / sizeof *scratch % LINE;
    divide(&r, mlp, precision, scratch + (past ? LINE - past : 0));
    return r;
}

void hsgd_mlp_set_point(const hsgd_mlp *mlp, hsgd_mlp_room *r, const double *point)
{
    r->point = point;
    r->w = r->arithmetic->from_double(point, mlp->dim, r->weights);
}

/* ---- features ---- */

/* One row of any data set into out (p), in double. */
static void read_row(const hsgd_dataset *data, size_t num_features, size_t sample, double *out)
{
    if (!data->row_start) {
        const double *x = hsgd_dataset_rows(data, sample, 1, out);
        if (x != out)
            memcpy(out, x, num_features * sizeof *out);
        return;
    }
    memset(out, 0, num_features * sizeof *out);
    for (size_t e = data->row_start[sample]; e < data->row_start[sample + 1]; e++)
        out[data->column[e]] = data->value[e];
}

const void *hsgd_mlp_features(const hsgd_dataset *data, size_t num_features, const size_t *row, size_t first,
                              size_t count, const hsgd_mlp_room *r)
{
    const hsgd_mlp_arithmetic *a = r->arithmetic;
    bool is_double = a->size == sizeof(double);
    if (data->dense && !row) /* as it lies there */
        return a->from_double(data->dense + first * num_features, count * num_features, r->x);
    for (size_t i = 0; i < count; i++) {
        void *out = at(r->x, i * num_features, r);
        size_t sample = row ? row[i] : first + i;
        if (data->dense && !is_double) {
            a->from_double(data->dense + sample * num_features, num_features, out);
            continue;
        }
        read_row(data, num_features, sample, is_double ? out : r->dense);
        if (!is_double)
            a->from_double(r->dense, num_features, out);
    }
    return r->x;
}

/* ---- forward ---- */

void hsgd_mlp_forward(const hsgd_mlp *mlp, const void *x, size_t rows, const hsgd_mlp_room *r)
{
    const hsgd_mlp_arithmetic *a = r->arithmetic;
    for (size_t l = 0; l < mlp->num_layers; l++) {
        const hsgd_mlp_layer *layer = &mlp->layer[l];
        const double *bias = r->point + layer->bias;
        void *z = r->activation[l];
        a->times_transposed(z, l > 0 ? r->activation[l - 1] : x, at(r->w, layer->weight, r), rows, layer->out,
                            layer->in);
        if (l + 1 < mlp->num_layers)
            a->activate(z, bias, rows, layer->out, mlp->activation);
        else
            a->to_scores(r->scores, r->padded, z, bias, rows, layer->out);
    }
}

double hsgd_mlp_residuals(const hsgd_mlp *mlp, hsgd_labels labels, size_t rows, double scale, bool want_loss,
                          const hsgd_mlp_room *r)
{
    double sum = 0;
    HSGD_PICK_PATH(hsgd_linear_model_kernels)
        ->softmax(r->scores, labels, rows, mlp->layer[mlp->num_layers - 1].out, 1, r->padded, scale,
                  want_loss ? &sum : NULL, r->loss, r->lanes);
    return sum;
}

/* ---- backward ---- */

/* A sample's gradient of W_l and b_l is r_l (a_{l-1}, 1)': its squared norm is the product of theirs. */
static void add_sample_norms(double *sample_sq, const double *residual, const double *below,
                             const hsgd_mlp_layer *layer, size_t rows)
{
    const hsgd_mlp_kernels *kernels = HSGD_PICK_PATH(hsgd_mlp_kernels);
    for (size_t i = 0; i < rows; i++)
        sample_sq[i] += kernels->norm_sq(residual + i * layer->out, layer->out) *
                        (kernels->norm_sq(below + i * layer->in, layer->in) + 1);
}

void hsgd_mlp_backward(const hsgd_mlp *mlp, const void *x, size_t rows, double *grad, double *sample_sq,
                       const hsgd_mlp_room *r)
{
    const hsgd_mlp_arithmetic *a = r->arithmetic;
    void *residual = r->residual[0], *next = r->residual[1];
    a->from_scores(residual, r->scores, r->padded, rows, mlp->layer[mlp->num_layers - 1].out);
    if (sample_sq)
        memset(sample_sq, 0, rows * sizeof *sample_sq);
    for (size_t l = mlp->num_layers; l-- > 0;) {
        const hsgd_mlp_layer *layer = &mlp->layer[l];
        const void *below = l > 0 ? r->activation[l - 1] : x;
        a->add_product(grad + layer->weight, residual, below, rows, layer->out, layer->in, r->product);
        a->add_rows(grad + layer->bias, residual, rows, layer->out);
        if (sample_sq)
            add_sample_norms(sample_sq, residual, below, layer, rows);
        if (l == 0)
            break;
        a->times(next, residual, at(r->w, layer->weight, r), rows, layer->in, layer->out);
        a->times_derivative(next, below, rows * layer->in, mlp->activation);
        void *done = residual;
        residual = next;
        next = done;
    }
}
