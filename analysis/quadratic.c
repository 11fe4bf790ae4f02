/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/quadratic.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"
#include "analysis/quadratic_private.h"
#include "analysis/random.h"

/* Rows of several cache lines begin with one; for shorter ones it would cost too much memory. */
static size_t stride_of(size_t dim)
{
    const size_t line = HSGD_LINE_BYTES / sizeof(double);
    return dim < 4 * line || dim > SIZE_MAX - line ? dim : (dim + line - 1) / line * line;
}

static double *allocate_rows(const hsgd_quadratic *q)
{
    return q->dim <= SIZE_MAX / sizeof(double) ? hsgd_alloc_array(q->num_workers, q->stride * sizeof(double)) : NULL;
}

hsgd_status hsgd_quadratic_allocate(hsgd_quadratic *q, size_t dim, size_t num_workers, double noise_sq,
                                    bool own_curvature, hsgd_error *err)
{
    *q = (hsgd_quadratic){.dim = dim, .num_workers = num_workers, .noise_sq = noise_sq, .stride = stride_of(dim)};
    if (dim < 1 || num_workers < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "a quadratic needs at least one dimension and one worker");
    if (!(noise_sq >= 0) || !isfinite(noise_sq))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "noise_variance: %g is not a finite number >= 0", noise_sq);
    if (own_curvature)
        q->worker_curvature = allocate_rows(q);
    else
        q->curvature = hsgd_alloc_array(dim, sizeof *q->curvature);
    q->linear = allocate_rows(q);
    bool complete = (q->curvature || q->worker_curvature) && q->linear;
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the quadratic problem");
}

void hsgd_quadratic_free(hsgd_quadratic *quadratic)
{
    if (!quadratic)
        return;
    free(quadratic->curvature);
    free(quadratic->worker_curvature);
    free(quadratic->linear);
    memset(quadratic, 0, sizeof *quadratic);
}

static hsgd_status check_finite(const double *value, size_t count, const char *name, hsgd_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(value[i]))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: entry %zu is %g, not a finite number", name, i, value[i]);
    return HSGD_OK;
}

static void copy_rows(double *out, const hsgd_quadratic *q, const double *rows)
{
    for (size_t j = 0; j < q->num_workers; j++)
        memcpy(out + j * q->stride, rows + j * q->dim, q->dim * sizeof *rows);
}

/* own: curvature has a row for every worker. */
static hsgd_status init(hsgd_quadratic *out, const double *curvature, bool own, const double *linear, size_t dim,
                        size_t num_workers, double noise_sq, hsgd_error *err)
{
    hsgd_status status = hsgd_quadratic_allocate(out, dim, num_workers, noise_sq, own, err);
    if (!status)
        status = check_finite(curvature, own ? num_workers * dim : dim, "curvature", err);
    if (!status)
        status = check_finite(linear, num_workers * dim, "linear", err);
    if (status) {
        hsgd_quadratic_free(out);
        return status;
    }
    if (own)
        copy_rows(out->worker_curvature, out, curvature);
    else
        memcpy(out->curvature, curvature, dim * sizeof *curvature);
    copy_rows(out->linear, out, linear);
    return HSGD_OK;
}

hsgd_status hsgd_quadratic_init(hsgd_quadratic *out, const double *curvature, const double *linear, size_t dim,
                                size_t num_workers, double noise_sq, hsgd_error *err)
{
    return init(out, curvature, false, linear, dim, num_workers, noise_sq, err);
}

hsgd_status hsgd_quadratic_init_own(hsgd_quadratic *out, const double *worker_curvature, const double *linear,
                                    size_t dim, size_t num_workers, double noise_sq, hsgd_error *err)
{
    return init(out, worker_curvature, true, linear, dim, num_workers, noise_sq, err);
}

/* Row j becomes the old row place[j], along the cycle of the permutation that j belongs to. */
static void rotate_rows(double *rows, const hsgd_quadratic *q, const size_t *place, size_t j, double *spare)
{
    size_t stride = q->stride, to = j;
    size_t row_bytes = q->dim * sizeof *spare;
    memcpy(spare, rows + j * stride, row_bytes);
    for (; place[to] != j; to = place[to])
        memcpy(rows + to * stride, rows + place[to] * stride, row_bytes);
    memcpy(rows + to * stride, spare, row_bytes);
}

static void mark_cycle(bool *done, const size_t *place, size_t j)
{
    for (; !done[j]; j = place[j])
        done[j] = true;
}

/* In place: the linear terms of a million workers are too many to have twice. */
hsgd_status hsgd_quadratic_permute(hsgd_quadratic *quadratic, const size_t *place, hsgd_error *err)
{
    bool *done = calloc(quadratic->num_workers, sizeof *done);
    double *spare = malloc(quadratic->dim * sizeof *spare);
    for (size_t j = 0; done && spare && j < quadratic->num_workers; j++) {
        if (done[j])
            continue;
        rotate_rows(quadratic->linear, quadratic, place, j, spare);
        if (quadratic->worker_curvature)
            rotate_rows(quadratic->worker_curvature, quadratic, place, j, spare);
        mark_cycle(done, place, j);
    }
    hsgd_status status = done && spare ? HSGD_OK : hsgd_fail_memory(err, "the quadratic problem");
    free(done);
    free(spare);
    return status;
}

static void mean_of_rows(double *mean, const hsgd_quadratic *q, const double *rows, const double *weight)
{
    memset(mean, 0, q->dim * sizeof *mean);
    for (size_t j = 0; j < q->num_workers; j++) {
        double p = weight ? weight[j] : 1 / (double)q->num_workers;
        for (size_t i = 0; i < q->dim; i++)
            mean[i] += p * rows[j * q->stride + i];
    }
}

void hsgd_quadratic_mean_linear(const hsgd_quadratic *quadratic, const double *weight, double *mean)
{
    mean_of_rows(mean, quadratic, quadratic->linear, weight);
}

/* The largest |h_ji| over the workers. */
static double largest_curvature(const hsgd_quadratic *q, size_t i)
{
    double largest = 0;
    for (size_t j = 0; j < q->num_workers; j++)
        largest = fmax(largest, fabs(hsgd_quadratic_curvature(q, j)[i]));
    return largest;
}

void hsgd_quadratic_mean_curvature(const hsgd_quadratic *quadratic, const double *weight, double *mean)
{
    if (!quadratic->worker_curvature) {
        memcpy(mean, quadratic->curvature, quadratic->dim * sizeof *mean);
        return;
    }
    double rounding = ((double)quadratic->num_workers + 2) * DBL_EPSILON;
    mean_of_rows(mean, quadratic, quadratic->worker_curvature, weight);
    for (size_t i = 0; i < quadratic->dim; i++) /* curvatures that cancel leave 0, not the sign of a rounding error */
        if (fabs(mean[i]) <= rounding * largest_curvature(quadratic, i))
            mean[i] = 0;
}

double hsgd_quadratic_mean_smoothness(const hsgd_quadratic *quadratic, const double *weight)
{
    double largest = 0;
    size_t rows = quadratic->worker_curvature ? quadratic->num_workers : 1;
    for (size_t i = 0; i < quadratic->dim; i++) {
        double mean = 0;
        for (size_t j = 0; j < rows; j++)
            mean += (rows > 1 && weight ? weight[j] : 1 / (double)rows) * hsgd_quadratic_curvature(quadratic, j)[i];
        largest = fmax(largest, fabs(mean));
    }
    return largest;
}

/* ---- the objective ---- */

typedef struct quadratic_state {
    const hsgd_quadratic *quadratic;
    double minimum; /* f* */
} quadratic_state;

static const hsgd_quadratic *quadratic_of(const hsgd_objective *objective)
{
    return ((const quadratic_state *)objective->state)->quadratic;
}

/* The noise of as many workers as stochastic_rows may be asked for. */
static size_t scratch_size(const hsgd_objective *objective, size_t batch_size)
{
    (void)batch_size;
    return HSGD_ROWS_AT_ONCE * objective->dim;
}

static void full_at(const hsgd_objective *objective, const double *const *point, size_t num_points,
                    const size_t *worker, size_t count, double *loss, double *grad, double *scratch)
{
    (void)scratch;
    const hsgd_quadratic *q = quadratic_of(objective);
    const hsgd_quadratic_kernels *kernels = HSGD_PICK_PATH(hsgd_quadratic_kernels);
    for (size_t j = 0; j < count; j++)
        for (size_t r = 0; r < num_points; r++, point++, grad += q->dim) {
            const double *h = hsgd_quadratic_curvature(q, worker[j]), *b = q->linear + worker[j] * q->stride;
            if (loss)
                *loss++ = kernels->full(grad, h, b, *point, q->dim);
            else
                kernels->gradient(grad, h, b, *point, q->dim);
        }
}

static void full(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count, double *loss,
                 double *grad, double *scratch)
{
    for (size_t j = 0; j < count; j++)
        full_at(objective, &point, 1, worker + j, 1, loss + j, grad + j * objective->dim, scratch);
}

static void add_moments(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count,
                        hsgd_moments *moments, double *loss, double *norm_sq)
{
    const hsgd_quadratic *q = quadratic_of(objective);
    const hsgd_quadratic_kernels *kernels = HSGD_PICK_PATH(hsgd_quadratic_kernels);
    const double *b[HSGD_ROWS_AT_ONCE];
    double loss_of_all;
    for (size_t j = 0; j < count; j++)
        b[j] = q->linear + worker[j] * q->stride;
    if (moments->weight == 0)
        kernels->gradient(moments->mean, q->curvature, b[0], point, q->dim);
    hsgd_rows_sums sums = kernels->merge(moments->mean, q->curvature, b, count, point,
                                         hsgd_moments_share(moments, count), &loss_of_all, count * q->stride, q->dim);
    hsgd_moments_add_sums(moments, &sums, count);
    *loss += loss_of_all;
    *norm_sq += sums.norm_sq;
}

/* Neighbours get theirs in one call. */
static void draw_noise(const hsgd_objective *objective, const size_t *worker, size_t count, uint64_t seed,
                       uint64_t step, double *noise)
{
    const hsgd_quadratic *q = quadratic_of(objective);
    double deviation = sqrt(q->noise_sq / (double)q->dim);
    for (size_t j = 0, next; j < count; j = next) {
        for (next = j + 1; next < count && worker[next] == worker[next - 1] + 1;)
            next++;
        hsgd_stream stream = {seed, HSGD_PURPOSE_NOISE, (uint32_t)worker[j], step};
        hsgd_worker_normals(&stream, next - j, deviation, noise + j * q->dim, q->dim);
    }
}

static void stochastic_rows(const hsgd_objective *objective, const double *point, size_t stride, const size_t *worker,
                            size_t count, size_t batch_size, uint64_t seed, uint64_t step, double *grad,
                            double *scratch)
{
    (void)batch_size;
    const hsgd_quadratic *q = quadratic_of(objective);
    const hsgd_quadratic_kernels *kernels = HSGD_PICK_PATH(hsgd_quadratic_kernels);
    size_t dim = q->dim;
    if (q->noise_sq > 0)
        draw_noise(objective, worker, count, seed, step, scratch);
    for (size_t j = 0; j < count; j++) {
        const double *b = q->linear + worker[j] * q->stride, *w = point + j * stride;
        const double *h = hsgd_quadratic_curvature(q, worker[j]);
        if (q->noise_sq > 0)
            kernels->noisy(grad + j * dim, h, b, w, scratch + j * dim, dim);
        else
            kernels->gradient(grad + j * dim, h, b, w, dim);
    }
}

static void step_rows(const hsgd_objective *objective, const double *from, double *w, size_t stride,
                      const size_t *worker, size_t count, const hsgd_steps *steps, double *scratch)
{
    const hsgd_quadratic *q = quadratic_of(objective);
    const hsgd_quadratic_kernels *kernels = HSGD_PICK_PATH(hsgd_quadratic_kernels);
    size_t dim = q->dim;
    bool noisy = q->noise_sq > 0;
    hsgd_objective_begin_rows(objective, from, w, stride, count);
    for (size_t k = 0; k < steps->count; k++) {
        if (noisy)
            draw_noise(objective, worker, count, steps->seed, steps->first + k, scratch);
        for (size_t j = 0; j < count; j++)
            kernels->step(w + j * stride, hsgd_quadratic_curvature(q, worker[j]), q->linear + worker[j] * q->stride,
                          noisy ? scratch + j * dim : NULL, steps->step_size, count * q->stride, dim);
    }
}

static void recorded_step_rows(const hsgd_objective *objective, double *w, size_t stride, const size_t *worker,
                               size_t count, size_t batch_size, uint64_t seed, uint64_t step, double step_size,
                               const hsgd_step_record *record, double *scratch)
{
    (void)batch_size;
    const hsgd_quadratic *q = quadratic_of(objective);
    const double *b[HSGD_ROWS_AT_ONCE];
    for (size_t j = 0; j < count; j++)
        b[j] = q->linear + worker[j] * q->stride;
    draw_noise(objective, worker, count, seed, step, scratch);
    HSGD_PICK_PATH(hsgd_quadratic_kernels)
        ->recorded_steps(w, stride, q->curvature, b, scratch, count, step_size, record, count * q->stride, q->dim);
}

/* The same where every worker has a Hessian of its own. */
static void recorded_step_rows_own(const hsgd_objective *objective, double *w, size_t stride, const size_t *worker,
                                   size_t count, size_t batch_size, uint64_t seed, uint64_t step, double step_size,
                                   const hsgd_step_record *record, double *scratch)
{
    (void)batch_size;
    const hsgd_quadratic *q = quadratic_of(objective);
    draw_noise(objective, worker, count, seed, step, scratch);
    for (size_t j = 0; j < count; j++) {
        const hsgd_step_record to = {record->gradient, record->noise, record->noise_sq + j};
        const double *b = q->linear + worker[j] * q->stride;
        HSGD_PICK_PATH(hsgd_quadratic_kernels)
            ->recorded_steps(w + j * stride, stride, hsgd_quadratic_curvature(q, worker[j]), &b, scratch + j * q->dim,
                             1, step_size, &to, count * q->stride, q->dim);
    }
}

static void stochastic(const hsgd_objective *objective, const double *point, size_t worker, size_t batch_size,
                       uint64_t seed, uint64_t step, double *grad, double *scratch)
{
    stochastic_rows(objective, point, 0, &worker, 1, batch_size, seed, step, grad, scratch);
}

static hsgd_status constants(const hsgd_objective *objective, size_t batch_size, hsgd_constants *out, hsgd_error *err)
{
    (void)batch_size;
    (void)err;
    const quadratic_state *state = objective->state;
    double smoothness = 0, convexity = INFINITY;
    size_t rows = state->quadratic->worker_curvature ? objective->num_workers : 1;
    for (size_t j = 0; j < rows; j++) {
        const double *curvature = hsgd_quadratic_curvature(state->quadratic, j);
        for (size_t i = 0; i < objective->dim; i++) {
            smoothness = fmax(smoothness, fabs(curvature[i]));
            convexity = fmin(convexity, curvature[i]);
        }
    }
    out->smoothness = (hsgd_constant){smoothness, HSGD_EXACT};
    out->noise_sq = (hsgd_constant){state->quadratic->noise_sq, HSGD_EXACT};
    out->minimum = (hsgd_constant){state->minimum, HSGD_EXACT};
    out->convexity = convexity;
    return HSGD_OK;
}

static const hsgd_objective_type quadratic_type = {.name = "quadratic",
                                                   .scratch_size = scratch_size,
                                                   .full = full,
                                                   .stochastic = stochastic,
                                                   .full_at = full_at,
                                                   .add_moments = add_moments,
                                                   .stochastic_rows = stochastic_rows,
                                                   .step_rows = step_rows,
                                                   .recorded_step_rows = recorded_step_rows,
                                                   .constants = constants,
                                                   .free = free};

/* What takes one Hessian for many workers is left out, or goes from worker to worker. */
static const hsgd_objective_type own_curvatures_type = {.name = "quadratic",
                                                        .scratch_size = scratch_size,
                                                        .full = full,
                                                        .stochastic = stochastic,
                                                        .full_at = full_at,
                                                        .stochastic_rows = stochastic_rows,
                                                        .step_rows = step_rows,
                                                        .recorded_step_rows = recorded_step_rows_own,
                                                        .constants = constants,
                                                        .free = free};

/* f(w) = 1/2 w'Hw - b'w: its minimum is -1/2 sum b_i^2/h_i, or none in a direction without positive curvature. */
static double minimum_value(const double *curvature, const double *mean_linear, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++) {
        if (curvature[i] < 0 || (curvature[i] == 0 && mean_linear[i] != 0))
            return -INFINITY;
        if (curvature[i] > 0)
            sum -= 0.5 * mean_linear[i] * mean_linear[i] / curvature[i];
    }
    return sum;
}

hsgd_status hsgd_quadratic_objective(hsgd_objective *out, const hsgd_quadratic *quadratic, const double *weight,
                                     hsgd_error *err)
{
    *out = (hsgd_objective){.type = quadratic->worker_curvature ? &own_curvatures_type : &quadratic_type,
                            .dim = quadratic->dim,
                            .num_workers = quadratic->num_workers};
    quadratic_state *state = malloc(sizeof *state);
    double *linear = malloc(quadratic->dim * sizeof *linear), *curvature = malloc(quadratic->dim * sizeof *curvature);
    out->state = state;
    if (state && linear && curvature) {
        hsgd_quadratic_mean_linear(quadratic, weight, linear);
        hsgd_quadratic_mean_curvature(quadratic, weight, curvature);
        *state = (quadratic_state){quadratic, minimum_value(curvature, linear, quadratic->dim)};
    } else
        hsgd_objective_free(out);
    free(linear);
    free(curvature);
    return out->state ? HSGD_OK : hsgd_fail_memory(err, "the objective");
}
