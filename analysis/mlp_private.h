/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the multilayer perceptron share; not installed.
 *
 *   mlp.c             the objective: batches, full gradients, evaluation, construction
 *   mlp_pass.c        one block of samples forward and back, in either precision
 *   mlp_arithmetic.c  what differs between the precisions
 *   mlp_kernels.c     its loops over vectors
 *
 * Shapes: a block has `rows` samples; A_l (rows, width of layer l) are activations, R_l, of the same shape, is d loss / d z_l
 * for the values z_l before phi. Rows of matrices follow each other without gaps. */
#ifndef HSGD_ANALYSIS_MLP_PRIVATE_H
#define HSGD_ANALYSIS_MLP_PRIVATE_H

#include <stdbool.h>

#include "analysis/linear_model_private.h"
#include "analysis/mlp.h"
#include "analysis/vector_private.h"

/* Samples of a block: enough for the products to run at full speed, and its features (13 kB per sample with 784 and both
 * precisions) fit a second-level cache. */
enum { HSGD_MLP_BLOCK_ROWS = 96 };

enum { HSGD_MLP_MAX_LAYERS = HSGD_MLP_MAX_HIDDEN + 1 };

/* One layer: its weights begin at w + weight, its biases at w + bias. */
typedef struct hsgd_mlp_layer {
    size_t in, out;
    size_t weight, bias;
} hsgd_mlp_layer;

typedef struct hsgd_mlp {
    hsgd_mlp_layer layer[HSGD_MLP_MAX_LAYERS];
    size_t num_layers; /* N */
    size_t dim;        /* d */
    size_t widest;     /* of the layers 1 .. N */
    size_t largest;    /* entries of the largest weight matrix */
    size_t block_rows; /* samples that are handled at once, at most */
    hsgd_activation activation;
    hsgd_precision precision;
    const hsgd_dataset *data; /* borrowed, like start */
    const size_t *start;
    size_t num_workers;
    hsgd_regularizer regularizer;
    double *initial; /* (dim) where the constants are estimated, owned */
} hsgd_mlp;

/* ---- arithmetic (mlp_arithmetic.c): matrices of one precision; void pointers are to numbers of `size` bytes ---- */

typedef struct hsgd_mlp_arithmetic {
    size_t size;

    /* out (m, n) = a (m, k) b' with b (n, k), or a b with b (k, n). */
    void (*times_transposed)(void *out, const void *a, const void *b, size_t m, size_t n, size_t k);
    void (*times)(void *out, const void *a, const void *b, size_t m, size_t n, size_t k);

    /* grad (m, n) += r' a for r (rows, m), a (rows, n). work (m, n): scratch memory. */
    void (*add_product)(double *grad, const void *r, const void *a, size_t rows, size_t m, size_t n, void *work);

    /* The numbers in doubles as numbers of this precision: themselves, or rounded into room (count). */
    const void *(*from_double)(const double *in, size_t count, void *room);

    /* z (rows, width), a layer's products: phi(z + bias) in place; */
    void (*activate)(void *z, const double *bias, size_t rows, size_t width, hsgd_activation activation);

    /* the last layer's: z + bias to scores (rows, padded), beyond width left alone; and residuals back. */
    void (*to_scores)(double *scores, size_t padded, const void *z, const double *bias, size_t rows, size_t width);
    void (*from_scores)(void *r, const double *scores, size_t padded, size_t rows, size_t width);

    /* r (count) *= phi'(z) where a (count) = phi(z). */
    void (*times_derivative)(void *r, const void *a, size_t count, hsgd_activation activation);

    /* grad (width) += the sum of the rows of r (rows, width). */
    void (*add_rows)(double *grad, const void *r, size_t rows, size_t width);
} hsgd_mlp_arithmetic;

const hsgd_mlp_arithmetic *hsgd_mlp_arithmetic_of(hsgd_precision precision);

/* ---- one block (mlp_pass.c) ---- */

/* Parts of the scratch memory. */
typedef struct hsgd_mlp_room {
    const hsgd_mlp_arithmetic *arithmetic;
    size_t padded;                         /* scores per sample, a width of the softmax kernel */
    size_t *row;                           /* (block_rows) samples of a mini-batch */
    double *loss;                          /* (block_rows rounded up to 8) */
    double *lanes;                         /* (padded, 8) */
    double *scores;                        /* (block_rows, padded) */
    double *dense;                         /* (p) a row of features */
    void *x;                               /* (block_rows, p) */
    void *weights;                         /* (d) single precision only, like the next */
    void *product;                         /* (the largest weight matrix) */
    void *activation[HSGD_MLP_MAX_LAYERS]; /* A_1 .. A_{N-1}, and the products of the last layer */
    void *residual[2];                     /* (block_rows, widest) R_l and R_{l-1} */
    const void *w;                         /* (d) the point in this precision */
    const double *point;                   /* (d) the same in double */
} hsgd_mlp_room;

/* Doubles of scratch memory in this precision. */
size_t hsgd_mlp_room_size(const hsgd_mlp *mlp, hsgd_precision precision);
hsgd_mlp_room hsgd_mlp_open_room(const hsgd_mlp *mlp, hsgd_precision precision, double *scratch);

/* From here on the network is the one at this point (d). */
void hsgd_mlp_set_point(const hsgd_mlp *mlp, hsgd_mlp_room *r, const double *point);

/* The features of samples row[0..count), row NULL: first, first + 1, ..., in this precision. */
const void *hsgd_mlp_features(const hsgd_dataset *data, size_t num_features, const size_t *row, size_t first,
                              size_t count, const hsgd_mlp_room *r);

/* r->scores of the samples with these features x (rows, p). */
void hsgd_mlp_forward(const hsgd_mlp *mlp, const void *x, size_t rows, const hsgd_mlp_room *r);

/* After it: scores to scale * d loss / d score. Returned: the sum of the losses, 0 unless want_loss. */
double hsgd_mlp_residuals(const hsgd_mlp *mlp, hsgd_labels labels, size_t rows, double scale, bool want_loss,
                          const hsgd_mlp_room *r);

/* After that: the samples' gradients times scale are added to grad (d). sample_sq (rows), NULL: not wanted: the squared
 * norms of what each sample adds, in double only. */
void hsgd_mlp_backward(const hsgd_mlp *mlp, const void *x, size_t rows, double *grad, double *sample_sq,
                       const hsgd_mlp_room *r);

/* mlp.c: the variance of one sample's gradient, E||g - grad F_worker||^2, to which the regulariser adds nothing; in double,
 * whatever the precision is. grad (dim) and scratch (hsgd_mlp_room_size in double) are overwritten. */
double hsgd_mlp_noise_sq(const hsgd_objective *objective, const double *point, size_t worker, double *grad,
                         double *scratch);

/* ---- kernels (mlp_kernels.c) ---- */

/* tanh is within 4e-16 of the true value in absolute terms. */
typedef struct hsgd_mlp_kernels {
    void (*activate_double)(double *z, const double *bias, size_t rows, size_t width, bool is_tanh);
    void (*activate_single)(float *z, const double *bias, size_t rows, size_t width, bool is_tanh);
    void (*derive_double)(double *r, const double *a, size_t count, bool is_tanh);
    void (*derive_single)(float *r, const float *a, size_t count, bool is_tanh);
    void (*add_double)(double *sum, const double *x, size_t count);
    void (*add_single)(double *sum, const float *x, size_t count);
    void (*round)(float *out, const double *in, size_t count);
    double (*norm_sq)(const double *x, size_t count);
} hsgd_mlp_kernels;

HSGD_DECLARE_PATHS(hsgd_mlp_kernels);

#endif
