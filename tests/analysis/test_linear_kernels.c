/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fast linear models against plain double loops, for every way to store the features and many shapes, and the same
 * bits on every path that this machine has. */
#include "tests/analysis/paths.h"
#include "tests/test.h"

#include <float.h>

#include <gsl/gsl_errno.h>

#include "analysis/linear_model_private.h"
#include "analysis/regularizer_private.h"

static hsgd_error err;

/* ---- data ---- */

/* What the features look like, and so how they are stored. */
typedef enum content {
    IMAGES, /* multiples of 1/255, four in five are 0: lists with a dictionary */
    ONES,   /* 0 or 1: lists without values when there is one output */
    HALVES, /* 0 or -1/2: lists with a dictionary of one */
    SIGNED, /* any double, a third is not 0: lists of doubles */
    RAGGED, /* any double in rows without entries, with one entry and with all: lists of doubles */
    FULL    /* any double, none is 0: the dense matrix */
} content;

typedef struct shape {
    size_t outputs; /* 1: logistic */
    size_t features;
    size_t samples;
    content content;
    bool sparse; /* a sparse data set, which is listed whatever it holds */
} shape;

static const shape shapes[] = {
    {1, 1, 40, IMAGES, false},    {1, 37, 3000, IMAGES, false},  {1, 37, 3000, ONES, true},
    {1, 122, 300, ONES, false},   {1, 13, 700, SIGNED, false},   {1, 13, 300, RAGGED, true},
    {1, 70000, 12, ONES, true},   {1, 70000, 12, SIGNED, true},  {1, 20, 200, FULL, false},
    {1, 20, 200, FULL, true},     {1, 70000, 12, IMAGES, true},  {2, 1, 30, IMAGES, false},
    {2, 122, 300, ONES, false},   {2, 9, 200, SIGNED, true},     {3, 37, 3000, IMAGES, false},
    {3, 5, 120, FULL, false},     {3, 70001, 12, IMAGES, true},  {8, 37, 500, SIGNED, false},
    {8, 70000, 12, SIGNED, true}, {10, 784, 400, IMAGES, false}, {10, 61, 900, RAGGED, false},
    {10, 61, 100, FULL, true},    {10, 61, 100, FULL, false},    {13, 30, 300, SIGNED, false},
    {17, 37, 600, IMAGES, true},  {17, 6, 600, RAGGED, true},    {21, 18, 100, SIGNED, false},
    {41, 11, 300, IMAGES, false}, {41, 11, 300, RAGGED, true},   {1, 50, 5000, SIGNED, true},
    {1, 25, 400, HALVES, true},   {2, 25, 400, HALVES, false},
};
enum { SHAPES = sizeof shapes / sizeof *shapes, WORKERS = 4 };

typedef struct problem {
    const shape *shape;
    double *x; /* (samples, features), whatever the data set stores */
    hsgd_dataset data;
    size_t start[WORKERS + 1];
    hsgd_objective f;
    double *scratch, *point;
} problem;

static double draw(content c, size_t sample, uint32_t word)
{
    double any = ((double)word + 0.5) / 0x1p31 - 1;
    switch (c) {
    case IMAGES:
        return word % 5 ? 0 : (word >> 8) % 256 / 255.0;
    case ONES:
        return word % 7 == 0;
    case HALVES:
        return word % 7 ? 0 : -0.5;
    case SIGNED:
        return word % 3 ? 0 : any;
    case RAGGED:
        return sample % 5 == 0 ? any : 0;
    case FULL:
        return any;
    }
    return 0;
}

static void draw_features(problem *p)
{
    size_t m = p->shape->samples, features = p->shape->features;
    p->x = calloc(m * features, sizeof *p->x);
    gsl_rng *rng = hsgd_stream_rng(&(hsgd_stream){3, HSGD_PURPOSE_USER, (uint32_t)(p->shape - shapes), 0});
    for (size_t s = 0; s < m; s++) {
        for (size_t i = 0; i < features; i++)
            p->x[s * features + i] = draw(p->shape->content, s, (uint32_t)gsl_rng_get(rng));
        if (p->shape->content == RAGGED && s % 5 == 2)
            p->x[s * features + s % features] = -1.7;
    }
    gsl_rng_free(rng);
}

static void store(problem *p)
{
    size_t m = p->shape->samples, features = p->shape->features, used = 0;
    hsgd_dataset *d = &p->data;
    *d = (hsgd_dataset){.num_samples = m, .num_features = features};
    d->num_classes = p->shape->outputs == 1 ? 2 : p->shape->outputs;
    d->label = malloc(m * sizeof *d->label);
    for (size_t s = 0; s < m; s++)
        d->label[s] = (uint32_t)((s * s + s / 3) % d->num_classes);
    if (!p->shape->sparse) {
        d->dense = malloc(m * features * sizeof *d->dense);
        memcpy(d->dense, p->x, m * features * sizeof *d->dense);
        return;
    }
    d->row_start = calloc(m + 1, sizeof *d->row_start);
    d->column = malloc(m * features * sizeof *d->column);
    d->value = malloc(m * features * sizeof *d->value);
    for (size_t s = 0; s < m; s++) {
        for (size_t i = 0; i < features; i++)
            if (p->x[s * features + i] != 0) {
                d->column[used] = (uint32_t)i;
                d->value[used++] = p->x[s * features + i];
            }
        d->row_start[s + 1] = used;
    }
}

static hsgd_link link_of(const shape *of)
{
    return of->outputs == 1 ? HSGD_LINK_LOGISTIC : HSGD_LINK_SOFTMAX;
}

static void open_problem(problem *p, const shape *of, size_t batch_size, double point_size)
{
    memset(p, 0, sizeof *p);
    p->shape = of;
    draw_features(p);
    store(p);
    /* workers of one sample, a few, and the rest in two very different parts */
    memcpy(p->start, (size_t[]){0, 1, 6, 6 + (of->samples - 6) / 4, of->samples}, sizeof p->start);
    hsgd_regularizer none = {HSGD_REGULARIZER_NONE, 0};
    assert_ok(hsgd_linear_model_objective(&p->f, link_of(of), &p->data, p->start, WORKERS, none, &err), err);
    p->scratch = malloc(p->f.type->scratch_size(&p->f, batch_size) * sizeof *p->scratch);
    p->point = malloc(p->f.dim * sizeof *p->point);
    hsgd_normals(&(hsgd_stream){4, HSGD_PURPOSE_USER, 0, 0}, point_size, p->point, p->f.dim);
}

static void close_problem(problem *p)
{
    hsgd_objective_free(&p->f);
    hsgd_dataset_free(&p->data);
    free(p->x);
    free(p->scratch);
    free(p->point);
}

/* ---- plain double loops ---- */

static double naive_logistic(double *score, uint32_t label)
{
    double sign = label ? 1 : -1, margin = sign * *score, tail = exp(-fabs(margin));
    *score = -sign * (margin > 0 ? tail : 1) / (1 + tail);
    return (margin > 0 ? 0 : -margin) + log1p(tail);
}

static double naive_softmax(double *score, size_t outputs, uint32_t label)
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

/* scale times the loss of one sample is returned, scale times its gradient added to grad. */
static double naive_sample(const problem *p, const double *point, size_t sample, double scale, double *grad)
{
    size_t features = p->shape->features, outputs = p->shape->outputs;
    const double *x = p->x + sample * features;
    double z[64] = {0};
    for (size_t c = 0; c < outputs; c++)
        for (size_t i = 0; i < features; i++)
            z[c] += x[i] * point[c * features + i];
    uint32_t label = p->data.label[sample];
    double loss = outputs == 1 ? naive_logistic(z, label) : naive_softmax(z, outputs, label);
    for (size_t c = 0; c < outputs; c++)
        for (size_t i = 0; i < features; i++)
            grad[c * features + i] += scale * z[c] * x[i];
    return scale * loss;
}

static double naive_full(const problem *p, const double *point, size_t worker, double *grad)
{
    size_t first = p->start[worker], m = p->start[worker + 1] - first;
    double loss = 0;
    memset(grad, 0, p->f.dim * sizeof *grad);
    for (size_t s = first; s < first + m; s++)
        loss += naive_sample(p, point, s, 1 / (double)m, grad);
    return loss;
}

static void naive_batch(const problem *p, const double *point, size_t worker, size_t batch_size, uint64_t step,
                        double *grad)
{
    size_t first = p->start[worker], m = p->start[worker + 1] - first, index[200];
    hsgd_uniform_indices(&(hsgd_stream){7, HSGD_PURPOSE_BATCH, (uint32_t)worker, step}, 0, m, index, batch_size);
    memset(grad, 0, p->f.dim * sizeof *grad);
    for (size_t k = 0; k < batch_size; k++)
        naive_sample(p, point, first + index[k], 1 / (double)batch_size, grad);
}

/* ---- fast against plain ---- */

static void assert_same_vector(const double *got, const double *want, size_t dim, double tolerance)
{
    double largest = 0, worst = 0;
    for (size_t i = 0; i < dim; i++) {
        largest = fmax(largest, fabs(want[i]));
        worst = isfinite(got[i]) ? fmax(worst, fabs(got[i] - want[i])) : INFINITY;
    }
    assert_at_most(worst, tolerance * largest * (1 + fabs(log(fmax(largest, DBL_MIN))) / 10), 0);
}

static void same_numbers(const problem *p, double tolerance)
{
    const size_t batches[] = {1, 7, 8, 16, 65, 150};
    double *fast = malloc(p->f.dim * sizeof *fast), *naive = malloc(p->f.dim * sizeof *naive), loss;
    for (size_t j = 0; j < WORKERS; j++) {
        double want = naive_full(p, p->point, j, naive);
        p->f.type->full(&p->f, p->point, &j, 1, &loss, fast, p->scratch);
        assert_close(loss, want, 1e-13 * (10 + fabs(log(want)))); /* a small loss is e^-score: rounding grows with it */
        assert_same_vector(fast, naive, p->f.dim, tolerance);
        for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
            naive_batch(p, p->point, j, batches[b], b, naive);
            p->f.type->stochastic(&p->f, p->point, j, batches[b], 7, b, fast, p->scratch);
            assert_same_vector(fast, naive, p->f.dim, tolerance);
        }
    }
    free(fast);
    free(naive);
}

static void fast_is_naive(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++)
        for (double size = 0.05; size < 50; size *= 20) {
            problem p;
            open_problem(&p, &shapes[i], 150, size);
            same_numbers(&p, size > 2 ? 1e-10 : 1e-12); /* the rounding of large scores goes into exponents */
            close_problem(&p);
        }
}

/* ---- several points at once ---- */

enum { TOGETHER = 3, POINTS = HSGD_POINTS_AT_ONCE };

/* Which of five points worker j gets as its q-th: all shared, the first own, a middle one own, all own, or all but the
 * first two shared by the first workers only. */
static size_t point_of(size_t pattern, size_t j, size_t q)
{
    const size_t of[5][TOGETHER][POINTS] = {{{0, 1, 2, 3}, {0, 1, 2, 3}, {0, 1, 2, 3}},
                                            {{0, 4, 2, 3}, {1, 4, 2, 3}, {2, 4, 2, 3}},
                                            {{0, 1, 4, 3}, {0, 2, 4, 3}, {0, 3, 4, 3}},
                                            {{0, 1, 2, 3}, {1, 2, 3, 4}, {2, 3, 4, 0}},
                                            {{0, 1, 2, 3}, {4, 0, 2, 3}, {4, 0, 1, 3}}};
    return of[pattern][j][q];
}

static void assert_as_alone(const problem *p, const double *const *point, size_t num_points, const size_t *worker,
                            double *together, double *alone)
{
    double loss[TOGETHER * POINTS], one;
    size_t dim = p->f.dim;
    p->f.type->full_at(&p->f, point, num_points, worker, TOGETHER, loss, together, p->scratch);
    for (int wanted = 1; wanted >= 0; wanted--) {
        for (size_t i = 0; i < TOGETHER * num_points; i++) {
            p->f.type->full(&p->f, point[i], worker + i / num_points, 1, &one, alone, p->scratch);
            assert_memory_equal(together + i * dim, alone, dim * sizeof *alone);
            assert_true(loss[i] == one);
        }
        for (size_t i = 0; i < TOGETHER * num_points * dim; i++)
            together[i] = NAN;
        p->f.type->full_at(&p->f, point, num_points, worker, TOGETHER, NULL, together, p->scratch);
    }
}

/* To the bit, whatever the other points are and however many. */
static void points_together_are_points_alone(void **state)
{
    (void)state;
    const size_t worker[TOGETHER] = {3, 1, 2};
    for (size_t i = 0; i < SHAPES; i++) {
        problem p;
        open_problem(&p, &shapes[i], 0, 0.3);
        size_t dim = p.f.dim;
        double *points = malloc(5 * dim * sizeof *points), *alone = malloc(dim * sizeof *alone);
        double *together = malloc(TOGETHER * POINTS * dim * sizeof *together);
        hsgd_normals(&(hsgd_stream){5, HSGD_PURPOSE_USER, 0, 0}, 0.3, points, 5 * dim);
        for (size_t pattern = 0; pattern < (dim < 10000 ? 5 : 2); pattern++)
            for (size_t num_points = 1; num_points <= POINTS; num_points++) {
                const double *at[TOGETHER * POINTS];
                for (size_t k = 0; k < TOGETHER * num_points; k++)
                    at[k] = points + point_of(pattern, k / num_points, k % num_points) * dim;
                assert_as_alone(&p, at, num_points, worker, together, alone);
            }
        free(points);
        free(alone);
        free(together);
        close_problem(&p);
    }
}

/* ---- steps in place ---- */

/* Workers that step at the same time, and where their models lie: with three numbers between them. */
enum { STEPPERS = 5 };
static const size_t stepper[STEPPERS] = {3, 1, 1, 0, 2};

static size_t stride_of(const problem *p)
{
    return p->f.dim + 3;
}

/* w - step_size * the stochastic gradient of each worker, as the engine makes it from stochastic. */
static void step_by_gradient(const problem *p, double *w, const hsgd_steps *steps)
{
    size_t dim = p->f.dim;
    double *grad = malloc(dim * sizeof *grad);
    for (size_t j = 0; j < STEPPERS; j++, w += dim)
        for (size_t k = 0; k < steps->count; k++) {
            p->f.type->stochastic(&p->f, w, stepper[j], steps->batch_size, steps->seed, steps->first + k, grad,
                                  p->scratch);
            for (size_t i = 0; i < dim; i++)
                w[i] += -steps->step_size * grad[i];
        }
    free(grad);
}

/* Points of all workers, some coordinates of which are -0 or 0. */
static void fill_points(const problem *p, double *want)
{
    size_t dim = p->f.dim;
    for (size_t i = 0; i < STEPPERS * dim; i++)
        want[i] = i % 11 == 3 ? -0.0 : i % 13 == 5 ? 0 : p->point[i % dim] * (double)(1 + i / dim);
}

/* Where a step goes straight into the model, its sums run in another order than a gradient's. */
static bool steps_have_gradients(const problem *p, const hsgd_steps *steps)
{
    const linear_model *model = p->f.state;
    return !model->listed || model->outputs == 1 || model->regularizer.type != HSGD_REGULARIZER_NONE ||
           steps->batch_size == 0 || steps->batch_size > HSGD_LINEAR_BLOCK_ROWS;
}

/* A row for each worker, with scratch memory that holds anything. */
static void step_in_place(const problem *p, const double *from, double *w, const hsgd_steps *steps)
{
    size_t scratch = p->f.type->scratch_size(&p->f, steps->batch_size);
    for (size_t i = 0; i < scratch; i++)
        p->scratch[i] = NAN;
    p->f.type->step_rows(&p->f, from, w, stride_of(p), stepper, STEPPERS, steps, p->scratch);
}

/* The same with a call for each worker and step. */
static void step_one_by_one(const problem *p, const double *from, double *w, const hsgd_steps *steps)
{
    for (size_t j = 0; j < STEPPERS; j++)
        for (size_t k = 0; k < steps->count; k++) {
            hsgd_steps one = {steps->seed, steps->first + k, 1, steps->batch_size, steps->step_size};
            p->f.type->step_rows(&p->f, k ? NULL : from, w + j * stride_of(p), stride_of(p), stepper + j, 1, &one,
                                 p->scratch);
        }
}

/* From where they are (from NULL) or all from one point. */
static void assert_steps_agree(const problem *p, const double *from, const hsgd_steps *steps)
{
    size_t dim = p->f.dim, stride = stride_of(p);
    double *want = malloc(STEPPERS * (dim + 2 * stride) * sizeof *want), *got = want + STEPPERS * dim,
           *alone = got + STEPPERS * stride;
    for (size_t i = 0; i < 2 * STEPPERS * stride; i++)
        got[i] = 17; /* also between the rows */
    fill_points(p, want);
    for (size_t j = 0; j < STEPPERS; j++) {
        memcpy(got + j * stride, want + j * dim, dim * sizeof *want);
        memcpy(alone + j * stride, want + j * dim, dim * sizeof *want);
        if (from)
            memcpy(want + j * dim, from, dim * sizeof *want);
    }
    step_by_gradient(p, want, steps);
    step_in_place(p, from, got, steps);
    step_one_by_one(p, from, alone, steps);
    assert_memory_equal(got, alone, STEPPERS * stride * sizeof *got);
    for (size_t j = 0; j < STEPPERS; j++) {
        assert_same_vector(got + j * stride, want + j * dim, dim, 1e-14);
        if (steps_have_gradients(p, steps))
            assert_memory_equal(got + j * stride, want + j * dim, dim * sizeof *want);
        assert_true(got[j * stride + dim] == 17 && got[j * stride + dim + 2] == 17);
    }
    free(want);
}

/* stochastic_rows gives what stochastic gives. */
static void assert_gradients_agree(const problem *p, size_t batch_size)
{
    size_t dim = p->f.dim;
    double *w = malloc(3 * STEPPERS * dim * sizeof *w), *want = w + STEPPERS * dim, *grad = want + STEPPERS * dim;
    fill_points(p, w);
    fill_points(p, want);
    p->f.type->stochastic_rows(&p->f, w, dim, stepper, STEPPERS, batch_size, 7, 5, grad, p->scratch);
    step_by_gradient(p, want, &(hsgd_steps){7, 5, 1, batch_size, 0.3});
    for (size_t i = 0; i < STEPPERS * dim; i++)
        assert_true(w[i] + -0.3 * grad[i] == want[i]);
    free(w);
}

static void steps_in_place_are_gradient_steps(void **state)
{
    (void)state;
    const size_t batches[] = {0, 1, 3, 16, 64, 65, 150};
    for_each_path(path) for (size_t i = 0; i < SHAPES; i++)
    {
        problem p;
        bool large = shapes[i].features > 10000; /* they take most of the time; that paths agree is tested below */
        if (large && path)
            continue;
        open_problem(&p, &shapes[i], 150, 0.3);
        linear_model *model = p.f.state;
        size_t every = large ? 3 : 1;
        for (size_t b = 0; b < sizeof batches / sizeof *batches; b += every) {
            assert_gradients_agree(&p, batches[b]);
            assert_steps_agree(&p, b % 2 ? p.point : NULL, &(hsgd_steps){7, 5, b % 3 + 1, batches[b], 0.3});
        }
        for (size_t k = large ? 3 : 1; k <= 3; k++) {
            model->regularizer = (hsgd_regularizer){k == 2 ? HSGD_REGULARIZER_NONE : HSGD_REGULARIZER_NONCONVEX, 0.37};
            assert_steps_agree(&p, k == 1 ? p.point : NULL, &(hsgd_steps){7, 5, k, 16, 0.3});
        }
        model->regularizer = (hsgd_regularizer){HSGD_REGULARIZER_L2, 0.37};
        assert_steps_agree(&p, NULL, &(hsgd_steps){7, 5, 1, 16, 0.3});
        close_problem(&p);
    }
}

/* The storage is the narrowest that is exact; every kind is met by the shapes above. */
static void features_are_stored_narrowly(void **state)
{
    (void)state;
    size_t lists = 0, complete = 0, without_lists = 0, dense = 0, in_parts = 0;
    for (size_t i = 0; i < SHAPES; i++) {
        problem p;
        open_problem(&p, &shapes[i], 0, 1);
        const linear_model *model = p.f.state;
        const hsgd_lists *rows = &model->rows.by_row;
        content c = shapes[i].content;
        assert_int_equal(model->listed, c != FULL || shapes[i].sparse);
        dense += !model->listed;
        if (model->listed) {
            size_t tiles = model->rows.first_tile[WORKERS];
            assert_int_equal(rows->near != NULL, shapes[i].features <= 65536);
            assert_int_equal(rows->far != NULL, shapes[i].features > 65536);
            assert_int_equal(rows->code != NULL, c == IMAGES || c == HALVES || (c == ONES && shapes[i].outputs > 1));
            /* few values fit a dictionary whatever they are */
            assert_true(rows->value != NULL || c < SIGNED || rows->start[shapes[i].samples * rows->parts] <= 256);
            in_parts += rows->parts > 1;
            for (size_t t = 0; t < tiles; t++) {
                complete += model->rows.tile[t].complete;
                lists += model->rows.tile[t].num_lists > 0;
                without_lists += model->rows.tile[t].num_lists == 0;
            }
        }
        close_problem(&p);
    }
    assert_true(lists > 20 && complete > 5 && lists > complete + 5 && without_lists > 20 && dense > 2 && in_parts > 1);
}

/* ---- the same bits on every path ---- */

typedef struct digest {
    uint64_t of_bits, count;
} digest;

static void add_bits(digest *all, const double *x, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        all->of_bits = (all->of_bits ^ (isnan(x[i]) ? 1 : bits)) * 0x100000001b3;
        all->count++;
    }
}

/* Points of ordinary size, points that saturate every loss, and points with infinities. */
static digest run_all(void)
{
    digest all = {0, 0};
    for (size_t i = 0; i < SHAPES; i++)
        for (double size = 0.01; size < 1e9; size *= 1e5) {
            problem p;
            if (shapes[i].content == FULL && !shapes[i].sparse) /* BLAS has its own paths */
                continue;
            open_problem(&p, &shapes[i], 33, size);
            double *grad = malloc(6 * p.f.dim * sizeof *grad), loss[6];
            double *other = calloc(p.f.dim, sizeof *other);
            size_t both[2] = {3, 1};
            const double *at[6] = {p.point, other, p.point, other, p.point, other};
            for (size_t trial = 0; trial < 2; trial++) {
                p.f.type->full(&p.f, p.point, both, 2, loss, grad, p.scratch);
                add_bits(&all, loss, 2);
                add_bits(&all, grad, 2 * p.f.dim);
                p.f.type->full_at(&p.f, at, 3, both, 2, loss, grad, p.scratch);
                add_bits(&all, loss, 6);
                add_bits(&all, grad, 6 * p.f.dim);
                p.f.type->stochastic(&p.f, p.point, 2, 33, 9, trial, grad, p.scratch);
                add_bits(&all, grad, p.f.dim);
                memcpy(grad, p.point, p.f.dim * sizeof *grad);
                hsgd_steps steps = {9, trial, 2, 33, 0.3};
                p.f.type->step_rows(&p.f, NULL, grad, p.f.dim, both, 1, &steps, p.scratch);
                add_bits(&all, grad, p.f.dim);
                p.point[p.f.dim / 2] = INFINITY;
            }
            free(other);
            free(grad);
            close_problem(&p);
        }
    return all;
}

static void every_path_gives_the_same_bits(void **state)
{
    (void)state;
    hsgd_vector_limit(HSGD_PATH_PORTABLE);
    digest portable = run_all();
    assert_true(portable.count > 10000);
    for (int path = HSGD_PATH_AVX2; path <= HSGD_PATH_AVX512; path++) {
        hsgd_vector_limit((hsgd_cpu_path)path);
        if ((int)hsgd_vector_path() != path)
            print_message("path %d is not available here\n", path);
        digest now = run_all();
        assert_true(now.of_bits == portable.of_bits && now.count == portable.count);
    }
}

/* ---- points that are not finite ---- */

static void bad_points_show_in_the_loss(void **state)
{
    (void)state;
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < SHAPES; i++)
        for (size_t b = 0; b < 3; b++) {
            problem p;
            open_problem(&p, &shapes[i], 8, 1);
            double *grad = malloc(p.f.dim * sizeof *grad), loss;
            size_t all = 3;
            for (size_t k = 0; k < p.f.dim; k++)
                p.point[k] = bad[b];
            p.f.type->full(&p.f, p.point, &all, 1, &loss, grad, p.scratch);
            assert_false(isfinite(loss));
            p.f.type->stochastic(&p.f, p.point, all, 8, 1, 1, grad, p.scratch); /* must only not crash */
            free(grad);
            close_problem(&p);
        }
}

/* ---- regularisers ---- */

static void regularisers_are_the_plain_loops(void **state)
{
    (void)state;
    double point[40], grad[40], again[40];
    for (int path = HSGD_PATH_PORTABLE; path <= HSGD_PATH_AVX512; path++)
        for (size_t dim = 0; dim < 40; dim++)
            for (double size = 1e-120; size < 1e200; size *= 1e40) {
                hsgd_vector_limit((hsgd_cpu_path)path);
                hsgd_normals(&(hsgd_stream){6, HSGD_PURPOSE_USER, 0, dim}, size, point, 40);
                for (int type = HSGD_REGULARIZER_L2; type <= HSGD_REGULARIZER_NONCONVEX; type++) {
                    double value = 0, weight = 0.37, scale;
                    for (size_t i = 0; i < 40; i++)
                        grad[i] = again[i] = (double)i;
                    for (size_t i = 0; i < dim; i++) {
                        double square = point[i] * point[i];
                        scale = type == HSGD_REGULARIZER_L2 ? 0.5 : 1 / (1 + square);
                        value += type == HSGD_REGULARIZER_L2 ? weight / 2 * square : weight / (1 + 1 / square);
                        again[i] +=
                            type == HSGD_REGULARIZER_L2 ? weight * point[i] : 2 * weight * point[i] * scale * scale;
                    }
                    hsgd_regularizer r = {(hsgd_regularizer_type)type, weight};
                    double got = hsgd_regularizer_add(&r, point, grad, dim);
                    if (isfinite(value))
                        assert_close(got, value, 1e-14);
                    else
                        assert_true(got == value);
                    for (size_t i = 0; i < 40; i++)
                        assert_close(grad[i], again[i], 1e-14);
                }
            }
    hsgd_vector_limit(HSGD_PATH_AVX512);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fast_is_naive),
        cmocka_unit_test(points_together_are_points_alone),
        cmocka_unit_test(steps_in_place_are_gradient_steps),
        cmocka_unit_test(features_are_stored_narrowly),
        cmocka_unit_test(every_path_gives_the_same_bits),
        cmocka_unit_test(bad_points_show_in_the_loss),
        cmocka_unit_test(regularisers_are_the_plain_loops),
    };
    return cmocka_run_group_tests_name("linear_kernels", tests, NULL, NULL);
}
