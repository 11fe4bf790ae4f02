/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/quadratic.h"

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

static hsgd_status allocate(hsgd_quadratic *q, size_t dim, size_t num_workers, double noise_sq, hsgd_error *err)
{
    *q = (hsgd_quadratic){.dim = dim, .num_workers = num_workers, .noise_sq = noise_sq, .stride = stride_of(dim)};
    if (dim < 1 || num_workers < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "a quadratic needs at least one dimension and one worker");
    if (!(noise_sq >= 0) || !isfinite(noise_sq))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "noise_variance: %g is not a finite number >= 0", noise_sq);
    q->curvature = hsgd_alloc_array(dim, sizeof *q->curvature);
    q->linear =
        dim <= SIZE_MAX / sizeof *q->linear ? hsgd_alloc_array(num_workers, q->stride * sizeof *q->linear) : NULL;
    return q->curvature && q->linear ? HSGD_OK : hsgd_fail_memory(err, "the quadratic problem");
}

void hsgd_quadratic_free(hsgd_quadratic *quadratic)
{
    if (!quadratic)
        return;
    free(quadratic->curvature);
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

hsgd_status hsgd_quadratic_init(hsgd_quadratic *out, const double *curvature, const double *linear, size_t dim,
                                size_t num_workers, double noise_sq, hsgd_error *err)
{
    hsgd_status status = allocate(out, dim, num_workers, noise_sq, err);
    if (!status)
        status = check_finite(curvature, dim, "curvature", err);
    if (!status)
        status = check_finite(linear, num_workers * dim, "linear", err);
    if (status) {
        hsgd_quadratic_free(out);
        return status;
    }
    memcpy(out->curvature, curvature, dim * sizeof *curvature);
    for (size_t j = 0; j < num_workers; j++)
        memcpy(out->linear + j * out->stride, linear + j * dim, dim * sizeof *linear);
    return HSGD_OK;
}

/* Row j becomes the old row place[j], along the cycle of the permutation that j belongs to. */
static void rotate_rows(hsgd_quadratic *q, const size_t *place, size_t j, bool *done, double *spare)
{
    size_t stride = q->stride, to = j;
    size_t row_bytes = q->dim * sizeof *spare;
    memcpy(spare, q->linear + j * stride, row_bytes);
    for (; place[to] != j; to = place[to]) {
        memcpy(q->linear + to * stride, q->linear + place[to] * stride, row_bytes);
        done[to] = true;
    }
    memcpy(q->linear + to * stride, spare, row_bytes);
    done[to] = true;
}

/* In place: the linear terms of a million workers are too many to have twice. */
hsgd_status hsgd_quadratic_permute(hsgd_quadratic *quadratic, const size_t *place, hsgd_error *err)
{
    bool *done = calloc(quadratic->num_workers, sizeof *done);
    double *spare = malloc(quadratic->dim * sizeof *spare);
    for (size_t j = 0; done && spare && j < quadratic->num_workers; j++)
        if (!done[j])
            rotate_rows(quadratic, place, j, done, spare);
    hsgd_status status = done && spare ? HSGD_OK : hsgd_fail_memory(err, "the quadratic problem");
    free(done);
    free(spare);
    return status;
}

void hsgd_quadratic_mean_linear(const hsgd_quadratic *quadratic, const double *weight, double *mean)
{
    size_t dim = quadratic->dim, n = quadratic->num_workers;
    memset(mean, 0, dim * sizeof *mean);
    for (size_t j = 0; j < n; j++) {
        double p = weight ? weight[j] : 1 / (double)n;
        for (size_t i = 0; i < dim; i++)
            mean[i] += p * quadratic->linear[j * quadratic->stride + i];
    }
}

/* ---- generated problems ---- */

static hsgd_status check_spec(const hsgd_hierarchy *h, const hsgd_quadratic_spec *spec, hsgd_error *err)
{
    double low = spec->curvature_min, high = spec->curvature_max;
    if (!(low > 0) || !(high >= low) || !isfinite(high / low))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "curvature_range: [%g, %g] is not a range 0 < low <= high", low, high);
    for (size_t k = 0; k < h->num_levels; k++)
        if (!(spec->level_divergence_sq[k] >= 0) || !isfinite(spec->level_divergence_sq[k]))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "level_divergence[%zu]: %g is not a finite number >= 0", k,
                             spec->level_divergence_sq[k]);
    return HSGD_OK;
}

static void set_curvature(hsgd_quadratic *q, double low, double high)
{
    for (size_t i = 0; i < q->dim; i++)
        q->curvature[i] = q->dim > 1 ? low * pow(high / low, (double)i / (double)(q->dim - 1)) : high;
    q->curvature[q->dim - 1] = high; /* L exactly, whatever pow rounds to */
}

/* What every node of depth `depth` with two children or more must show so that the level sums to divergence_sq. */
static hsgd_status node_target(double *target_sq, const hsgd_hierarchy *h, size_t depth, double divergence_sq,
                               hsgd_error *err)
{
    double weight = 0;
    for (size_t u = 0; u < h->num_nodes; u++)
        if (h->node[u].depth == depth && h->node[u].num_children > 1)
            weight += h->node[u].weight;
    if (weight == 0 && divergence_sq > 0)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "level_divergence[%zu]: %g cannot be reached, no node of this level has two children; use 0",
                         depth, divergence_sq);
    *target_sq = weight > 0 ? divergence_sq / weight : 0;
    return HSGD_OK;
}

/* One child of a node: an inner node or a single worker. */
typedef struct child {
    size_t first_worker, num_workers;
    double share; /* p_v / p_u */
} child;

/* The children of u, from left to right. */
static void list_children(child *out, const hsgd_hierarchy *h, size_t u)
{
    size_t place = h->node[u].first_worker, v = u + 1;
    for (size_t c = 0; c < h->node[u].num_children; c++) {
        double weight = h->worker_weight ? h->worker_weight[place] : 1 / (double)h->num_workers;
        out[c] = (child){place, 1, weight / h->node[u].weight};
        if (!hsgd_node_is_lowest(h, u)) {
            out[c] = (child){place, h->node[v].num_workers, h->node[v].weight / h->node[u].weight};
            v = h->node[v].end;
        }
        place += out[c].num_workers;
    }
}

/* Memory for one node's children: deviation (count, dim), mean (dim), children (count). */
typedef struct spread_work {
    child *children;
    double *deviation, *mean;
} spread_work;

/* Normal deviations of the children of u with weighted mean 0; returns their weighted mean square. */
static double draw_deviations(const spread_work *work, size_t count, size_t dim, size_t depth, uint64_t seed)
{
    memset(work->mean, 0, dim * sizeof *work->mean);
    for (size_t c = 0; c < count; c++) {
        hsgd_stream stream = {seed, HSGD_PURPOSE_PROBLEM, (uint32_t)work->children[c].first_worker, depth + 1};
        hsgd_normals(&stream, 1, work->deviation + c * dim, dim);
        for (size_t i = 0; i < dim; i++)
            work->mean[i] += work->children[c].share * work->deviation[c * dim + i];
    }
    double mean_sq = 0;
    for (size_t c = 0; c < count; c++)
        for (size_t i = 0; i < dim; i++) {
            double *deviation = &work->deviation[c * dim + i];
            *deviation -= work->mean[i];
            mean_sq += work->children[c].share * *deviation * *deviation;
        }
    return mean_sq;
}

/* Add to every worker below u the deviation of its child of u, scaled so that beta_u^2 = target_sq. */
static void spread_children(hsgd_quadratic *q, const hsgd_hierarchy *h, size_t u, double target_sq, uint64_t seed,
                            const spread_work *work)
{
    size_t count = h->node[u].num_children;
    list_children(work->children, h, u);
    double scale = sqrt(target_sq / draw_deviations(work, count, q->dim, h->node[u].depth, seed));
    for (size_t c = 0; c < count; c++) {
        const child *v = &work->children[c];
        for (size_t j = v->first_worker; j < v->first_worker + v->num_workers; j++)
            for (size_t i = 0; i < q->dim; i++)
                q->linear[j * q->stride + i] += scale * work->deviation[c * q->dim + i];
    }
}

/* b = H w* for every worker, w* standard normal. */
static void set_mean_linear(hsgd_quadratic *q, uint64_t seed)
{
    hsgd_stream stream = {seed, HSGD_PURPOSE_PROBLEM, 0, 0};
    hsgd_normals(&stream, 1, q->linear, q->dim);
    for (size_t i = 0; i < q->dim; i++)
        q->linear[i] *= q->curvature[i];
    for (size_t j = 1; j < q->num_workers; j++)
        memcpy(q->linear + j * q->stride, q->linear, q->dim * sizeof *q->linear);
}

static hsgd_status spread_levels(hsgd_quadratic *q, const hsgd_hierarchy *h, const hsgd_quadratic_spec *spec,
                                 hsgd_error *err)
{
    size_t most_children = 1;
    for (size_t u = 0; u < h->num_nodes; u++)
        if (h->node[u].num_children > most_children)
            most_children = h->node[u].num_children;
    spread_work work = {malloc(most_children * sizeof *work.children),
                        malloc(most_children * q->dim * sizeof *work.deviation), malloc(q->dim * sizeof *work.mean)};
    hsgd_status status = HSGD_OK;
    if (!work.children || !work.deviation || !work.mean)
        status = hsgd_fail_memory(err, "the quadratic problem");
    for (size_t depth = 0; depth < h->num_levels && !status; depth++) {
        double target_sq = 0;
        status = node_target(&target_sq, h, depth, spec->level_divergence_sq[depth], err);
        for (size_t u = 0; u < h->num_nodes && !status && target_sq > 0; u++)
            if (h->node[u].depth == depth && h->node[u].num_children > 1)
                spread_children(q, h, u, target_sq, spec->seed, &work);
    }
    free(work.children);
    free(work.deviation);
    free(work.mean);
    return status;
}

hsgd_status hsgd_quadratic_generate(hsgd_quadratic *out, const hsgd_hierarchy *h, const hsgd_quadratic_spec *spec,
                                    hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    hsgd_status status = check_spec(h, spec, err);
    if (!status)
        status = allocate(out, spec->dim, h->num_workers, spec->noise_sq, err);
    if (!status) {
        set_curvature(out, spec->curvature_min, spec->curvature_max);
        set_mean_linear(out, spec->seed);
        status = spread_levels(out, h, spec, err);
    }
    if (status)
        hsgd_quadratic_free(out);
    return status;
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
            const double *b = q->linear + worker[j] * q->stride;
            if (loss)
                *loss++ = kernels->full(grad, q->curvature, b, *point, q->dim);
            else
                kernels->gradient(grad, q->curvature, b, *point, q->dim);
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
        if (q->noise_sq > 0)
            kernels->noisy(grad + j * dim, q->curvature, b, w, scratch + j * dim, dim);
        else
            kernels->gradient(grad + j * dim, q->curvature, b, w, dim);
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
            kernels->step(w + j * stride, q->curvature, q->linear + worker[j] * q->stride,
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
    for (size_t i = 0; i < objective->dim; i++) {
        smoothness = fmax(smoothness, fabs(state->quadratic->curvature[i]));
        convexity = fmin(convexity, state->quadratic->curvature[i]);
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
    *out = (hsgd_objective){.type = &quadratic_type, .dim = quadratic->dim, .num_workers = quadratic->num_workers};
    quadratic_state *state = malloc(sizeof *state);
    double *mean = malloc(quadratic->dim * sizeof *mean);
    out->state = state;
    if (!state || !mean) {
        free(mean);
        hsgd_objective_free(out);
        return hsgd_fail_memory(err, "the objective");
    }
    hsgd_quadratic_mean_linear(quadratic, weight, mean);
    *state = (quadratic_state){quadratic, minimum_value(quadratic->curvature, mean, quadratic->dim)};
    free(mean);
    return HSGD_OK;
}
