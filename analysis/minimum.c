/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f and its gradient are sums over a fixed number of chunks of workers, merged in order: the threads share the chunks
 * and leave no trace in the result.
 *
 * The minimiser is GSL's vector_bfgs2 (Fletcher 1987, algorithms 2.6.2 and 2.6.4; its update is that of BFGS without
 * memory). It asks for values and slopes at trial points one by one, and stops for good once a line search fails, which
 * near a minimum is a matter of rounding. Here every trial point is evaluated once, the best one is kept, and the
 * search starts again from it until that no longer helps. */
#include "analysis/minimum.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_blas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multimin.h>

#include "analysis/memory.h"
#include "analysis/threads.h"
#include "analysis/tree_walk_private.h"

/* Sums of a fixed shape: more chunks than threads on any machine we know, and one gradient of memory for each. */
enum { MAX_CHUNKS = 64 };

/* Vectors of length d that bfgs2 and its wrapper hold. */
enum { GSL_VECTORS = 12 };

/* A line search ends where the slope has fallen to a tenth, as GSL's manual advises for this method. */
static const double LINE_SEARCH_TOLERANCE = 0.1;

/* sum_j p_j of F_j, |F_j| and ||grad F_j||. */
typedef struct weighted_sums {
    double value, value_size, grad_size;
} weighted_sums;

/* f at one point. */
typedef struct evaluation {
    double *point, *grad; /* (dim) */
    double grad_norm;
    weighted_sums sums;
    bool finite;
} evaluation;

typedef struct search {
    const hsgd_objective *objective;
    const double *weight;
    int threads;
    const hsgd_stop *stop;
    size_t num_chunks, space_size;
    size_t *worker;        /* (num_workers) 0, 1, 2, ... */
    weighted_sums *chunk;  /* (num_chunks) */
    double *chunk_grad;    /* (num_chunks, dim) */
    double *space;         /* (threads, space_size): gradients and losses of a few workers, scratch memory */
    double *vectors;       /* (4, dim): of the evaluations */
    evaluation last, best; /* the last point evaluated, the best one (minimum.h) */
    double smallest;       /* value seen */
    double scale;          /* what GSL sees is scale * f */
    double smoothness;     /* L */
    double target;         /* norm of the gradient to be reached */
    size_t iterations, evaluations, max_evaluations;
    size_t improvements; /* times that `best` changed */
} search;

/* ---- f and its gradient ---- */

static double weight_of(const search *s, size_t worker)
{
    return s->weight ? s->weight[worker] : 1 / (double)s->objective->num_workers;
}

static void sum_chunk(const search *s, size_t chunk, const double *point, double *space)
{
    const hsgd_objective *objective = s->objective;
    size_t n = objective->num_workers, dim = objective->dim;
    size_t first = chunk * n / s->num_chunks, end = (chunk + 1) * n / s->num_chunks;
    double *grad = space, *loss = grad + HSGD_ROWS_AT_ONCE * dim, *scratch = loss + HSGD_ROWS_AT_ONCE;
    double *sum = s->chunk_grad + chunk * dim;
    weighted_sums sums = {0, 0, 0};
    memset(sum, 0, dim * sizeof *sum);
    for (size_t done = first; done < end; done += HSGD_ROWS_AT_ONCE) {
        size_t now = end - done < HSGD_ROWS_AT_ONCE ? end - done : HSGD_ROWS_AT_ONCE;
        objective->type->full(objective, point, s->worker + done, now, loss, grad, scratch);
        for (size_t j = 0; j < now; j++) {
            double p = weight_of(s, done + j);
            sums.value += p * loss[j];
            sums.value_size += p * fabs(loss[j]);
            sums.grad_size += p * cblas_dnrm2((int)dim, grad + j * dim, 1);
            cblas_daxpy((int)dim, p, grad + j * dim, 1, sum, 1);
        }
    }
    s->chunk[chunk] = sums;
}

static void merge_chunks(const search *s, evaluation *out)
{
    size_t dim = s->objective->dim;
    out->sums = (weighted_sums){0, 0, 0};
    memset(out->grad, 0, dim * sizeof *out->grad);
    for (size_t chunk = 0; chunk < s->num_chunks; chunk++) {
        out->sums.value += s->chunk[chunk].value;
        out->sums.value_size += s->chunk[chunk].value_size;
        out->sums.grad_size += s->chunk[chunk].grad_size;
        cblas_daxpy((int)dim, 1, s->chunk_grad + chunk * dim, 1, out->grad, 1);
    }
    out->grad_norm = cblas_dnrm2((int)dim, out->grad, 1);
    out->finite = isfinite(out->sums.value) && isfinite(out->sums.grad_size) && isfinite(out->grad_norm);
}

/* A multiple of eps that covers sums over the coordinates, the workers and the samples of one (THEORY 8). */
static double rounding_unit(const hsgd_objective *objective)
{
    return 8 * DBL_EPSILON * ((double)objective->dim + (double)objective->num_workers + 1000);
}

/* Values closer than this are taken for equal: what rounding does in practice, far below what it may do at worst. */
static double value_noise(const search *s)
{
    return 8 * DBL_EPSILON * s->best.sums.value_size;
}

static void keep_if_best(search *s)
{
    const evaluation *e = &s->last;
    size_t bytes = s->objective->dim * sizeof *e->point;
    double value = e->sums.value;
    if (!e->finite)
        return;
    s->smallest = fmin(s->smallest, value);
    bool lower = value < s->best.sums.value - value_noise(s);
    bool flatter = value <= s->smallest + value_noise(s) && e->grad_norm < s->best.grad_norm;
    if (s->best.finite && !lower && !flatter)
        return;
    evaluation best = *e;
    best.point = memcpy(s->best.point, e->point, bytes);
    best.grad = memcpy(s->best.grad, e->grad, bytes);
    s->best = best;
    s->improvements++;
}

/* f at x, from memory where GSL asks again. Beyond the budget nothing is evaluated and the step counts as failed, which
 * ends a line search after at most a few hundred cheap rounds. */
static const evaluation *evaluate(search *s, const double *x)
{
    size_t bytes = s->objective->dim * sizeof *x;
    if (s->evaluations > 0 && memcmp(x, s->best.point, bytes) == 0)
        return &s->best;
    if (s->evaluations > 0 && memcmp(x, s->last.point, bytes) == 0)
        return &s->last;
    memcpy(s->last.point, x, bytes);
    s->last.finite = false;
    if (s->evaluations == s->max_evaluations)
        return &s->last;
    s->evaluations++;
#pragma omp parallel for schedule(dynamic, 1) num_threads(s->threads)
    for (size_t chunk = 0; chunk < s->num_chunks; chunk++)
        if (!hsgd_stop_asked(s->stop))
            sum_chunk(s, chunk, x, s->space + (size_t)hsgd_thread_number() * s->space_size);
    if (hsgd_stop_asked(s->stop)) { /* some chunks are missing, and nothing more is to come */
        s->max_evaluations = s->evaluations;
        return &s->last;
    }
    merge_chunks(s, &s->last);
    keep_if_best(s);
    return &s->last;
}

/* ---- what GSL asks for ---- */

/* A step to where f is not finite must look like one that went up: GSL's line search shortens it then. NaN would derail
 * it, since no comparison with it is true. */
static void value_and_gradient(const gsl_vector *x, void *context, double *value, gsl_vector *grad)
{
    search *s = context;
    const evaluation *e = evaluate(s, x->data);
    *value = e->finite ? s->scale * e->sums.value : INFINITY;
    for (size_t i = 0; i < x->size; i++)
        gsl_vector_set(grad, i, e->finite ? s->scale * e->grad[i] : 0);
}

static double value_of(const gsl_vector *x, void *context)
{
    search *s = context;
    const evaluation *e = evaluate(s, x->data);
    return e->finite ? s->scale * e->sums.value : INFINITY;
}

static void gradient_of(const gsl_vector *x, void *context, gsl_vector *grad)
{
    double unused;
    value_and_gradient(x, context, &unused, grad);
}

/* ---- the search ---- */

static bool finished(const search *s)
{
    return s->best.grad_norm <= s->target || s->evaluations == s->max_evaluations;
}

/* GSL ends a line search when it expects to gain less than eps, absolutely: a power of two (no rounding) makes that
 * relative to the size of f. */
static double scale_for(double value_size)
{
    return value_size > 0 ? ldexp(1, -ilogb(value_size)) : 1;
}

/* Line searches from the best point until one fails. */
static int descend(search *s, gsl_multimin_fdfminimizer *minimizer, gsl_vector *x)
{
    size_t dim = s->objective->dim;
    gsl_multimin_function_fdf f = {value_of, gradient_of, value_and_gradient, dim, s};
    double step = s->smoothness > 0 ? s->best.grad_norm / s->smoothness : 1; /* its length: the gradient step 1/L */
    memcpy(x->data, s->best.point, dim * sizeof *x->data);
    s->scale = scale_for(s->best.sums.value_size);
    int code = gsl_multimin_fdfminimizer_set(minimizer, &f, x, step, LINE_SEARCH_TOLERANCE);
    while (!code && !finished(s)) {
        code = gsl_multimin_fdfminimizer_iterate(minimizer);
        s->iterations++;
        if (!code && gsl_blas_dnrm2(gsl_multimin_fdfminimizer_dx(minimizer)) == 0) /* success that went nowhere */
            code = GSL_ENOPROG;
    }
    return code == GSL_ENOPROG ? GSL_SUCCESS : code;
}

static hsgd_status run(search *s, hsgd_error *err)
{
    size_t dim = s->objective->dim, before;
    int code = GSL_SUCCESS;
    gsl_vector *x = gsl_vector_alloc(dim);
    gsl_multimin_fdfminimizer *minimizer = gsl_multimin_fdfminimizer_alloc(gsl_multimin_fdfminimizer_vector_bfgs2, dim);
    bool complete = x && minimizer;
    do {
        before = s->improvements;
        if (complete && !finished(s))
            code = descend(s, minimizer, x);
    } while (complete && !code && !finished(s) && s->improvements > before);
    gsl_vector_free(x);
    if (minimizer)
        gsl_multimin_fdfminimizer_free(minimizer);
    if (!complete)
        return hsgd_fail_memory(err, "the search for the minimum");
    return code ? hsgd_fail(err, HSGD_ERROR_NUMERIC, "the minimiser of GSL failed: %s", gsl_strerror(code)) : HSGD_OK;
}

/* ---- around it ---- */

static hsgd_status check(const hsgd_objective *objective, const double *weight, const double *start, double tolerance,
                         size_t max_evaluations, int threads, hsgd_error *err)
{
    double sum = 0, n = (double)objective->num_workers;
    if (objective->dim > INT_MAX) /* the BLAS counts so far */
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%zu parameters are too many", objective->dim);
    for (size_t i = 0; i < objective->dim; i++)
        if (!isfinite(start[i]))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "start: entry %zu is %g, not a finite number", i, start[i]);
    for (size_t j = 0; weight && j < objective->num_workers; j++) {
        if (!(weight[j] >= 0))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "weight: entry %zu is %g, below 0", j, weight[j]);
        sum += weight[j];
    }
    if (weight && !(fabs(sum - 1) <= 4 * DBL_EPSILON * (n + 1))) /* mu rests on the sum, THEORY 8 */
        return hsgd_fail(err, HSGD_ERROR_INPUT, "weight: the sum is %.17g, not 1", sum);
    if (!(tolerance >= 0))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "tolerance: %g is not a number >= 0", tolerance);
    if (max_evaluations < 1 || threads < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "a minimum needs at least one evaluation and one thread");
    return HSGD_OK;
}

static hsgd_status allocate(search *s, hsgd_error *err)
{
    size_t dim = s->objective->dim, n = s->objective->num_workers, threads = (size_t)s->threads;
    size_t scratch = s->objective->type->scratch_size(s->objective, 0);
    double vectors = (double)threads * HSGD_ROWS_AT_ONCE + (double)s->num_chunks + 5 + GSL_VECTORS;
    double bytes = 8 * (vectors * (double)dim + (double)threads * (double)scratch + (double)n);
    hsgd_status status = hsgd_memory_check(bytes, "the search for the minimum", "fewer parameters or threads", err);
    if (status)
        return status;
    s->space_size = HSGD_ROWS_AT_ONCE * (dim + 1) + scratch;
    s->worker = calloc(n, sizeof *s->worker);
    s->chunk = calloc(s->num_chunks, sizeof *s->chunk);
    s->chunk_grad = calloc(s->num_chunks * dim, sizeof *s->chunk_grad);
    s->space = calloc(threads * s->space_size, sizeof *s->space);
    s->vectors = calloc(4 * dim, sizeof *s->vectors);
    if (!s->worker || !s->chunk || !s->chunk_grad || !s->space || !s->vectors)
        return hsgd_fail_memory(err, "the search for the minimum");
    for (size_t j = 0; j < n; j++)
        s->worker[j] = j;
    s->last = (evaluation){.point = s->vectors, .grad = s->vectors + dim};
    s->best = (evaluation){.point = s->vectors + 2 * dim, .grad = s->vectors + 3 * dim};
    return HSGD_OK;
}

static void free_search(search *s)
{
    free(s->worker);
    free(s->chunk);
    free(s->chunk_grad);
    free(s->space);
    free(s->vectors);
}

/* w^ and what is known there. The sizes of the terms that were summed are those of THEORY 8. */
static hsgd_status report(hsgd_minimum *out, const search *s, double convexity, hsgd_error *err)
{
    const evaluation *best = &s->best;
    size_t dim = s->objective->dim;
    double unit = rounding_unit(s->objective), norm = cblas_dnrm2((int)dim, best->point, 1);
    double reach = best->sums.grad_size + s->smoothness * norm;
    *out = (hsgd_minimum){.dim = dim,
                          .point = malloc(dim * sizeof *out->point),
                          .value = best->sums.value,
                          .grad_norm = best->grad_norm,
                          .convexity = convexity - unit * fabs(convexity),
                          .value_error = unit * (best->sums.value_size + reach * norm),
                          .grad_error = unit * (reach + sqrt(s->smoothness * best->sums.value_size)),
                          .iterations = s->iterations,
                          .evaluations = s->evaluations,
                          .converged = best->grad_norm <= s->target};
    if (!out->point)
        return hsgd_fail_memory(err, "the minimum");
    memcpy(out->point, best->point, dim * sizeof *out->point);
    return HSGD_OK;
}

static hsgd_status search_from(search *s, const double *start, double tolerance, hsgd_error *err)
{
    s->smallest = INFINITY;
    evaluate(s, start);
    if (hsgd_stop_asked(s->stop))
        return hsgd_stop_check(s->stop, err);
    if (!s->best.finite)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "start: f or its gradient is not finite there");
    s->target = tolerance * s->best.grad_norm;
    hsgd_status status = run(s, err);
    return hsgd_stop_asked(s->stop) ? hsgd_stop_check(s->stop, err) : status;
}

hsgd_status hsgd_minimize(hsgd_minimum *out, const hsgd_objective *objective, const double *weight, const double *start,
                          double tolerance, size_t max_evaluations, int threads, hsgd_error *err)
{
    return hsgd_minimize_until(out, objective, weight, start, tolerance, max_evaluations, threads, NULL, err);
}

hsgd_status hsgd_minimize_until(hsgd_minimum *out, const hsgd_objective *objective, const double *weight,
                                const double *start, double tolerance, size_t max_evaluations, int threads,
                                const hsgd_stop *stop, hsgd_error *err)
{
    *out = (hsgd_minimum){0};
    hsgd_constants constants = {.convexity = -INFINITY};
    hsgd_status status = check(objective, weight, start, tolerance, max_evaluations, threads, err);
    if (!status)
        status = objective->type->constants(objective, 0, &constants, err);
    if (status)
        return status;
    size_t n = objective->num_workers;
    search s = {.objective = objective,
                .weight = weight,
                .threads = threads,
                .stop = stop,
                .num_chunks = n < MAX_CHUNKS ? n : MAX_CHUNKS,
                .max_evaluations = max_evaluations,
                .smoothness = constants.smoothness.value};
    hsgd_threads_setup();
    status = allocate(&s, err);
    if (!status)
        status = search_from(&s, start, tolerance, err);
    if (!status)
        status = report(out, &s, constants.convexity, err);
    free_search(&s);
    if (status)
        hsgd_minimum_free(out);
    return status;
}

/* ---- the bound ---- */

/* The least that <g, x> + mu/2 ||x||^2 can be for ||x|| <= radius is -t (||g|| - mu t/2), at the distance t where the
 * parabola has its vertex, or at the border. */
double hsgd_minimum_lower_bound(const hsgd_minimum *minimum, double radius)
{
    double mu = minimum->convexity, slope = minimum->grad_norm + minimum->grad_error, t = radius, drop = 0;
    if (!(radius >= 0))
        return -INFINITY;
    if (mu > 0)
        t = fmin(radius, slope / mu);
    else if (mu == 0 && slope == 0)
        t = 0;
    if (t > 0)
        drop = isinf(t) ? INFINITY : t * (slope - mu / 2 * t);
    double bound = minimum->value - minimum->value_error - drop;
    bound -= 8 * DBL_EPSILON * (fabs(minimum->value) + minimum->value_error + drop); /* this line and those above */
    return isnan(bound) ? -INFINITY : bound;
}

void hsgd_minimum_free(hsgd_minimum *minimum)
{
    if (!minimum)
        return;
    free(minimum->point);
    *minimum = (hsgd_minimum){0};
}
