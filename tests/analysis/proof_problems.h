/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The problems, trees and weights on which the records about the proof are tested. */
#ifndef HSGD_TESTS_PROOF_PROBLEMS_H
#define HSGD_TESTS_PROOF_PROBLEMS_H

#include "tests/analysis/trees.h"

#include "analysis/engine.h"
#include "analysis/linear_model.h"
#include "analysis/quadratic.h"

static hsgd_error err;

/* ---- a problem whose smoothness differs from pair to pair ---- */

/* F_j(w) = sum_i scale_ji log cosh(w_i - centre_ji), gradient scale_ji tanh(w_i - centre_ji), second derivative in
 * (0, scale_ji]; noise N(0, (noise_sq_j/d) I). */
typedef struct bowls {
    double *scale, *centre; /* (n, d) */
    double *noise_sq;       /* (n) */
} bowls;

static size_t bowls_scratch(const hsgd_objective *f, size_t batch_size)
{
    (void)f;
    (void)batch_size;
    return 0;
}

static double bowls_one(const hsgd_objective *f, const double *point, size_t worker, double *grad)
{
    const bowls *b = f->state;
    double loss = 0;
    for (size_t i = 0; i < f->dim; i++) {
        double scale = b->scale[worker * f->dim + i], x = point[i] - b->centre[worker * f->dim + i];
        loss += scale * (fabs(x) + log1p(exp(-2 * fabs(x))) - log(2));
        grad[i] = scale * tanh(x);
    }
    return loss;
}

static void bowls_full(const hsgd_objective *f, const double *point, const size_t *worker, size_t count, double *loss,
                       double *grad, double *scratch)
{
    (void)scratch;
    for (size_t j = 0; j < count; j++)
        loss[j] = bowls_one(f, point, worker[j], grad + j * f->dim);
}

static void bowls_stochastic(const hsgd_objective *f, const double *point, size_t worker, size_t batch_size,
                             uint64_t seed, uint64_t step, double *grad, double *scratch)
{
    const bowls *b = f->state;
    (void)batch_size;
    (void)scratch;
    bowls_one(f, point, worker, grad);
    if (b->noise_sq[worker] == 0)
        return;
    double *noise = malloc(f->dim * sizeof *noise);
    hsgd_stream stream = {seed, HSGD_PURPOSE_NOISE, (uint32_t)worker, step};
    hsgd_normals(&stream, sqrt(b->noise_sq[worker] / (double)f->dim), noise, f->dim);
    for (size_t i = 0; i < f->dim; i++)
        grad[i] += noise[i];
    free(noise);
}

static void bowls_free(void *state)
{
    bowls *b = state;
    free(b->scale);
    free(b->centre);
    free(b->noise_sq);
    free(b);
}

static const hsgd_objective_type bowls_type = {.name = "bowls",
                                               .scratch_size = bowls_scratch,
                                               .full = bowls_full,
                                               .stochastic = bowls_stochastic,
                                               .free = bowls_free};

/* Scales up to 1.57, standard normal centres, worker j's noise (0.5 + j % 4) times noise_sq. */
static const double BOWLS_SMOOTHNESS = 1.57;

static hsgd_objective make_bowls(size_t num_workers, size_t dim, double noise_sq)
{
    bowls *b = malloc(sizeof *b);
    *b = (bowls){malloc(num_workers * dim * sizeof(double)), malloc(num_workers * dim * sizeof(double)),
                 malloc(num_workers * sizeof(double))};
    hsgd_normals(&(hsgd_stream){21, HSGD_PURPOSE_USER, 0, 0}, 1, b->centre, num_workers * dim);
    for (size_t i = 0; i < num_workers * dim; i++)
        b->scale[i] = 0.17 + 0.2 * (double)(i * 5 % 8);
    for (size_t j = 0; j < num_workers; j++)
        b->noise_sq[j] = noise_sq * (0.5 + (double)(j % 4));
    return (hsgd_objective){.type = &bowls_type, .state = b, .dim = dim, .num_workers = num_workers};
}

/* ---- trees, weights, places ---- */

/* One worker; one level, in one unit and in two; two levels; three; levels that act together; a crooked tree. */
enum { TREES = 8 };

static hsgd_hierarchy tree(size_t which)
{
    switch (which) {
    case 0:
        return uniform((size_t[]){1}, (size_t[]){3}, 1);
    case 1:
        return uniform((size_t[]){9}, (size_t[]){4}, 1);
    case 2:
        return uniform((size_t[]){70}, (size_t[]){5}, 1);
    case 3:
        return uniform((size_t[]){3, 4}, (size_t[]){6, 2}, 2);
    case 4:
        return uniform((size_t[]){2, 2, 3}, (size_t[]){8, 4, 2}, 3);
    case 5:
        return uniform((size_t[]){2, 2, 2}, (size_t[]){8, 8, 4}, 3);
    case 6: /* groups large enough to go ahead of each other */
        return uniform((size_t[]){2, 2, 9}, (size_t[]){8, 4, 2}, 3);
    default:
        return crooked();
    }
}

static void set_weights(hsgd_hierarchy *h)
{
    double weight[300];
    for (size_t j = 0; j < h->num_workers; j++)
        weight[j] = 0.3 + 0.35 * (double)(j * 3 % 7);
    assert_ok(hsgd_hierarchy_set_weights(h, weight, &err), err);
}

static void shuffle(size_t *place, size_t n)
{
    size_t pick;
    for (size_t j = 0; j < n; j++)
        place[j] = j;
    for (size_t j = n; j-- > 1;) {
        hsgd_uniform_indices(&(hsgd_stream){8, HSGD_PURPOSE_USER, (uint32_t)j, 0}, 0, j + 1, &pick, 1);
        size_t other = place[pick];
        place[pick] = place[j];
        place[j] = other;
    }
}

static double weight_of(const hsgd_hierarchy *h, size_t j)
{
    return h->worker_weight ? h->worker_weight[j] : 1.0 / (double)h->num_workers;
}

/* ---- problems of the library ---- */

/* The caller frees both. */
static hsgd_objective make_quadratic(hsgd_quadratic *q, const hsgd_hierarchy *h, size_t dim, double low,
                                     double noise_sq)
{
    hsgd_objective f;
    const double level[] = {0.83, 0.41, 1.27};
    hsgd_quadratic_spec spec = {dim, low, 1.3, level, noise_sq, 11};
    assert_ok(hsgd_quadratic_generate(q, h, &spec, &err), err);
    assert_ok(hsgd_quadratic_objective(&f, q, NULL, &err), err);
    return f;
}

static const double INITIAL[21] = {0.3, -1.7, 2.2,  0.9, -0.4, 1.1, -0.6, 0.2, 0.7, -1.3, 0.5,
                                   0.1, -0.9, 1.45, 0.8, -0.2, 0.6, -1.1, 1.9, 0.4, -0.75};

/* Seven features, 2 to 4 samples per worker; every third entry is zero. */
typedef struct samples {
    hsgd_dataset data;
    size_t start[101];
} samples;

static void make_samples(samples *out, size_t num_workers, uint32_t classes, bool sparse)
{
    size_t p = 7, m = 0, used = 0;
    for (size_t j = 0; j < num_workers; j++) {
        out->start[j] = m;
        m += 2 + j % 3;
    }
    out->start[num_workers] = m;
    hsgd_dataset *d = &out->data;
    *d = (hsgd_dataset){.num_samples = m, .num_features = p, .num_classes = classes};
    double *x = malloc(m * p * sizeof *x);
    hsgd_normals(&(hsgd_stream){5, HSGD_PURPOSE_USER, 0, 0}, 1.1, x, m * p);
    d->label = malloc(m * sizeof *d->label);
    d->class_value = calloc(classes, sizeof(double));
    d->row_start = calloc(m + 1, sizeof *d->row_start);
    d->column = malloc(m * p * sizeof *d->column);
    d->value = malloc(m * p * sizeof *d->value);
    for (size_t s = 0; s < m; s++) {
        d->label[s] = (uint32_t)((s * s + s / 3) % classes);
        for (size_t i = 0; i < p; i++) {
            if ((s + i) % 3 == 0)
                x[s * p + i] = 0;
            else {
                d->column[used] = (uint32_t)i;
                d->value[used++] = x[s * p + i];
            }
        }
        d->row_start[s + 1] = used;
    }
    if (sparse) {
        free(x);
        return;
    }
    free(d->row_start);
    free(d->column);
    free(d->value);
    d->row_start = NULL;
    d->column = NULL;
    d->value = NULL;
    d->dense = x;
}

/* ---- runs ---- */

static hsgd_simulation everything(const hsgd_objective *f, const hsgd_hierarchy *h, const double *initial)
{
    return (hsgd_simulation){.objective = f,
                             .hierarchy = h,
                             .initial = initial,
                             .step_size = 0.31,
                             .steps = 29,
                             .measure_every = 1,
                             .measure_at_nodes = true,
                             .measure_maxima = true,
                             .measure_proof = true,
                             .measure_smoothness = true,
                             .seed = 4,
                             .threads = 1,
                             .eager_threads = true};
}

#endif
