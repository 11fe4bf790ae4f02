/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A convolutional network as the formulas of analysis/architecture.h say it, loop by loop, one image at a time, in double
 * precision: slow, and nothing in it is shared with the library's primitives. */
#ifndef HSGD_TESTS_ANALYSIS_NAIVE_NETWORK_H
#define HSGD_TESTS_ANALYSIS_NAIVE_NETWORK_H

#include "tests/test.h"

#include "analysis/architecture.h"

static inline size_t volume(hsgd_shape s)
{
    return s.channels * s.rows * s.columns;
}

/* Index of row y, column x of channel c, or SIZE_MAX outside of the image. */
static inline size_t pixel(hsgd_shape s, size_t c, long y, long x)
{
    if (y < 0 || x < 0 || y >= (long)s.rows || x >= (long)s.columns)
        return SIZE_MAX;
    return (c * s.rows + (size_t)y) * s.columns + (size_t)x;
}

/* Calls visit(in, out, weight): the number `in` of a layer's input enters the number `out` of its output with the weight of
 * that index. */
typedef void (*visitor)(void *context, size_t in, size_t out, size_t weight);
static inline void visit_conv(const hsgd_layer *l, hsgd_shape in, hsgd_shape out, visitor visit, void *context)
{
    for (size_t o = 0; o < out.channels; o++)
        for (size_t y = 0; y < out.rows; y++)
            for (size_t x = 0; x < out.columns; x++)
                for (size_t c = 0; c < in.channels; c++)
                    for (size_t i = 0; i < l->kernel; i++)
                        for (size_t j = 0; j < l->kernel; j++) {
                            size_t from = pixel(in, c, (long)(y * l->stride + i) - (long)l->padding,
                                                (long)(x * l->stride + j) - (long)l->padding);
                            if (from != SIZE_MAX)
                                visit(context, from, pixel(out, o, (long)y, (long)x),
                                      ((o * in.channels + c) * l->kernel + i) * l->kernel + j);
                        }
}

static inline void visit_dense(hsgd_shape in, hsgd_shape out, visitor visit, void *context)
{
    for (size_t o = 0; o < out.channels; o++)
        for (size_t i = 0; i < volume(in); i++)
            visit(context, i, o, o * volume(in) + i);
}

/* The first of the largest numbers of a window. */
static inline size_t largest_of(const hsgd_layer *l, hsgd_shape in, const double *a, size_t c, size_t y, size_t x)
{
    size_t best = pixel(in, c, (long)(y * l->stride), (long)(x * l->stride));
    for (size_t i = 0; i < l->kernel; i++)
        for (size_t j = 0; j < l->kernel; j++) {
            size_t at = pixel(in, c, (long)(y * l->stride + i), (long)(x * l->stride + j));
            if (a[at] > a[best])
                best = at;
        }
    return best;
}

typedef struct weighted {
    const double *a, *w, *dz; /* input, weights, derivatives by the output */
    double *z, *da, *dw;      /* what is added to */
} weighted;

static inline void add_forward(void *context, size_t in, size_t out, size_t weight)
{
    weighted *s = context;
    s->z[out] += s->a[in] * s->w[weight];
}

static inline void add_backward(void *context, size_t in, size_t out, size_t weight)
{
    weighted *s = context;
    s->da[in] += s->dz[out] * s->w[weight];
    s->dw[weight] += s->dz[out] * s->a[in];
}

static inline void visit_weights(const hsgd_architecture *a, size_t i, visitor visit, void *context)
{
    if (a->layer[i].kind == HSGD_LAYER_CONV)
        visit_conv(&a->layer[i], a->shape[i], a->shape[i + 1], visit, context);
    else
        visit_dense(a->shape[i], a->shape[i + 1], visit, context);
}

static inline bool is_weighted(const hsgd_layer *l)
{
    return l->kind == HSGD_LAYER_CONV || l->kind == HSGD_LAYER_DENSE;
}

/* in -> out of layer i at the point w; slopes NULL: forward only. Else dout -> din, and dw is added to. */
static inline void naive_layer(const hsgd_architecture *a, size_t i, const double *w, const double *in, double *out,
                               const double *dout, double *din, double *dw)
{
    const hsgd_layer *l = &a->layer[i];
    hsgd_shape from = a->shape[i], to = a->shape[i + 1];
    size_t weights = is_weighted(l) ? l->outputs * hsgd_architecture_fan_in(a, i) : 0;
    size_t per_output = volume(to) / (is_weighted(l) ? l->outputs : 1);
    for (size_t k = 0; k < volume(to) && is_weighted(l) && !dout; k++)
        out[k] = w[a->first[i] + weights + k / per_output];
    for (size_t k = 0; k < volume(to) && is_weighted(l) && dout; k++)
        dw[a->first[i] + weights + k / per_output] += dout[k];
    weighted s = {in, w + a->first[i], dout, out, din, dw ? dw + a->first[i] : NULL};
    if (is_weighted(l))
        visit_weights(a, i, dout ? add_backward : add_forward, &s);
    for (size_t k = 0; k < volume(to) && l->kind == HSGD_LAYER_RELU; k++)
        dout ? (din[k] = out[k] > 0 ? dout[k] : 0) : (out[k] = in[k] > 0 ? in[k] : 0);
    for (size_t k = 0; k < volume(to) && l->kind == HSGD_LAYER_TANH; k++)
        dout ? (din[k] = dout[k] * (1 - out[k] * out[k])) : (out[k] = tanh(in[k]));
    for (size_t k = 0; k < volume(to) && l->kind == HSGD_LAYER_MAXPOOL; k++) {
        size_t c = k / (to.rows * to.columns), y = k / to.columns % to.rows, x = k % to.columns;
        size_t best = largest_of(l, from, in, c, y, x);
        dout ? (din[best] += dout[k]) : (out[k] = in[best]);
    }
}

/* The loss of one image (channels, rows, columns) with this label; its gradient is added to grad (dim) unless that is NULL. */
static inline double naive_loss(const hsgd_architecture *a, const double *w, const double *image, size_t label,
                                double *grad)
{
    size_t layers = a->num_layers, classes = a->shape[layers].channels;
    double **value = calloc(layers + 1, sizeof *value), **slope = calloc(layers + 1, sizeof *slope);
    for (size_t i = 0; i <= layers; i++) {
        value[i] = calloc(volume(a->shape[i]), sizeof(double));
        slope[i] = calloc(volume(a->shape[i]), sizeof(double));
    }
    memcpy(value[0], image, volume(a->shape[0]) * sizeof(double));
    for (size_t i = 0; i < layers; i++)
        naive_layer(a, i, w, value[i], value[i + 1], NULL, NULL, NULL);
    double largest = -INFINITY, sum = 0, *z = value[layers];
    for (size_t c = 0; c < classes; c++)
        largest = fmax(largest, z[c]);
    for (size_t c = 0; c < classes; c++)
        sum += exp(z[c] - largest);
    for (size_t c = 0; c < classes; c++)
        slope[layers][c] = exp(z[c] - largest) / sum - (c == label);
    double loss = log(sum) + largest - z[label];
    for (size_t i = layers; grad && i-- > 0;)
        naive_layer(a, i, w, value[i], value[i + 1], slope[i + 1], slope[i], grad);
    for (size_t i = 0; i <= layers; i++) {
        free(value[i]);
        free(slope[i]);
    }
    free(value);
    free(slope);
    return loss;
}

#endif
