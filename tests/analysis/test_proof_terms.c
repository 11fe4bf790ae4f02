/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine records about the proof of the descent step (engine.h: hsgd_proof_terms, worker_noise_sq, the seen
 * smoothness; THEORY 4.2a) against a run written here in plain loops that keeps every model.
 * tests/analysis/test_proof_statistics.c has what the terms must satisfy.
 *
 * Each of these changes to the code was made and seen to fail here: gradient and noise parts swapped, in the merge and in
 * the record; the weight of independent_noise_sq not squared, or that of noise_sq left out; the weights' total divided
 * out once; any of the six resets of parts dropped; only the first unit merged; the slots of a part overlapping; a row
 * shifted by one in the trace, in the window and in a unit; the noise's mean over all steps instead of the measured ones;
 * the worker taken for its place (noise, smoothness, gradients); the noise's sign; the noise of another step; the two
 * products swapped; the drift taken against the noise; pairs of steps dropped, labelled with the earlier step, or made
 * after the new model has replaced the old one; pairs with the nodes dropped, made with the neighbour's gradient, made
 * for the first worker only, made with the last measured model, labelled with a wrong row; pairs with wbar counted for
 * F_j; a first pair without a predecessor; the path without wbar^T, labelled with the earlier step, or of Gbar; ratios
 * squared; ratios of rounding errors let in, of F_j and of f; terms that do not become INFINITY. */
#include "tests/analysis/paths.h"
#include "tests/analysis/proof_problems.h"

#include <gsl/gsl_errno.h>

#include "analysis/engine_private.h"
#include "analysis/ensemble.h"

/* ---- a run in plain loops ---- */

/* Every model of a run: model t of place j is w + (t n + j) d, after all that happens between steps t - 1 and t. */
typedef struct history {
    const hsgd_simulation *s;
    const hsgd_hierarchy *h;
    size_t n, dim;
    double *w; /* (T + 1, n, dim) */
    double *scratch;
} history;

static size_t worker_at(const history *x, size_t place)
{
    return x->s->placement ? x->s->placement[place] : place;
}

static const double *model(const history *x, size_t t, size_t place)
{
    return x->w + (t * x->n + place) * x->dim;
}

/* out = weighted mean of the rows of the workers below node u. */
static void mean_below(const hsgd_hierarchy *h, size_t u, const double *rows, size_t dim, double *out)
{
    double total = 0;
    size_t first = h->node[u].first_worker, end = first + h->node[u].num_workers;
    for (size_t j = first; j < end; j++)
        total += weight_of(h, j);
    for (size_t i = 0; i < dim; i++) {
        out[i] = 0;
        for (size_t j = first; j < end; j++)
            out[i] += weight_of(h, j) / total * rows[j * dim + i];
    }
}

static double exact_gradient(const history *x, const double *point, size_t place, double *grad)
{
    double loss;
    size_t worker = worker_at(x, place);
    x->s->objective->type->full(x->s->objective, point, &worker, 1, &loss, grad, x->scratch);
    return loss;
}

static void noisy_gradient(const history *x, size_t t, size_t place, double *grad)
{
    const hsgd_simulation *s = x->s;
    s->objective->type->stochastic(s->objective, model(x, t, place), worker_at(x, place), s->batch_size, s->seed, t,
                                   grad, x->scratch);
}

/* All nodes whose period divides t average, from the bottom up: the topmost has the last word. */
static void average_all(history *x, size_t t)
{
    double *rows = x->w + t * x->n * x->dim, *mean = malloc(x->dim * sizeof *mean);
    for (size_t u = x->h->num_nodes; u-- > 0;) {
        const hsgd_node *node = &x->h->node[u];
        if (t % node->period)
            continue;
        mean_below(x->h, u, rows, x->dim, mean);
        for (size_t j = node->first_worker; j < node->first_worker + node->num_workers; j++)
            memcpy(rows + j * x->dim, mean, x->dim * sizeof *mean);
    }
    free(mean);
}

static history run_in_loops(const hsgd_simulation *s)
{
    history x = {s, s->hierarchy, s->hierarchy->num_workers, s->objective->dim, NULL, NULL};
    double *grad = malloc(x.dim * sizeof *grad);
    x.w = malloc((s->steps + 1) * x.n * x.dim * sizeof *x.w);
    x.scratch = malloc((s->objective->type->scratch_size(s->objective, s->batch_size) + 1) * sizeof *x.scratch);
    for (size_t j = 0; j < x.n; j++)
        memcpy(x.w + j * x.dim, s->initial, x.dim * sizeof *x.w);
    for (size_t t = 0; t < s->steps; t++) {
        for (size_t j = 0; j < x.n; j++) {
            noisy_gradient(&x, t, j, grad);
            for (size_t i = 0; i < x.dim; i++)
                x.w[((t + 1) * x.n + j) * x.dim + i] = model(&x, t, j)[i] - s->step_size * grad[i];
        }
        average_all(&x, t + 1);
    }
    free(grad);
    return x;
}

static void free_history(history *x)
{
    free(x->w);
    free(x->scratch);
}

/* ---- the terms by their definitions ---- */

static double dot(const double *a, const double *b, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += a[i] * b[i];
    return sum;
}

/* wbar^t (point) and grad f there; returns the mean square of the workers' gradients there. */
static double at_mean(const history *x, size_t t, double *point, double *gradient)
{
    double *own = malloc(x->dim * sizeof *own), square = 0;
    mean_below(x->h, 0, model(x, t, 0), x->dim, point);
    memset(gradient, 0, x->dim * sizeof *gradient);
    for (size_t j = 0; j < x->n; j++) {
        exact_gradient(x, point, j, own);
        square += weight_of(x->h, j) * dot(own, own, x->dim);
        for (size_t i = 0; i < x->dim; i++)
            gradient[i] += weight_of(x->h, j) * own[i];
    }
    free(own);
    return square;
}

/* The terms at step t; noise_sq (n) receives ||xi_j^t||^2 by the objective's worker. */
static hsgd_proof_terms terms_at(const history *x, size_t t, double *noise_sq)
{
    size_t dim = x->dim;
    double *memory = calloc(6 * dim, sizeof *memory), *gradient = memory, *point = memory + dim;
    double *exact = memory + 2 * dim, *noise = memory + 3 * dim, *Gbar = memory + 4 * dim, *xibar = memory + 5 * dim;
    hsgd_proof_terms out = {0};
    at_mean(x, t, point, gradient);
    for (size_t j = 0; j < x->n; j++) {
        double p = weight_of(x->h, j);
        exact_gradient(x, model(x, t, j), j, exact);
        noisy_gradient(x, t, j, noise);
        for (size_t i = 0; i < dim; i++) {
            noise[i] -= exact[i];
            Gbar[i] += p * exact[i];
            xibar[i] += p * noise[i];
        }
        double own = noise_sq[worker_at(x, j)] = dot(noise, noise, dim);
        out.noise_sq += p * own;
        out.independent_noise_sq += p * p * own;
    }
    out.mean_gradient_sq = dot(Gbar, Gbar, dim);
    out.mean_noise_sq = dot(xibar, xibar, dim);
    out.gradient_dot_noise = dot(gradient, xibar, dim);
    out.mean_gradient_dot_noise = dot(Gbar, xibar, dim);
    for (size_t i = 0; i < dim; i++)
        out.drift_error_sq += (gradient[i] - Gbar[i]) * (gradient[i] - Gbar[i]);
    free(memory);
    return out;
}

static void assert_terms_near(const hsgd_proof_terms *got, const hsgd_proof_terms *want)
{
    assert_near(got->mean_gradient_sq, want->mean_gradient_sq, 1e-12);
    assert_near(got->mean_noise_sq, want->mean_noise_sq, 1e-12);
    assert_near(got->drift_error_sq, want->drift_error_sq, 1e-12);
    assert_near(got->gradient_dot_noise, want->gradient_dot_noise, 1e-12);
    assert_near(got->mean_gradient_dot_noise, want->mean_gradient_dot_noise, 1e-12);
    assert_near(got->noise_sq, want->noise_sq, 1e-12);
    assert_near(got->independent_noise_sq, want->independent_noise_sq, 1e-12);
}

static void check_terms(const history *x, const hsgd_trace *trace)
{
    double *now = malloc(x->n * sizeof *now), *mean = calloc(x->n, sizeof *mean);
    size_t rows = 0;
    for (size_t t = 0; t < x->s->steps; t += x->s->measure_every, rows++) {
        hsgd_proof_terms want = terms_at(x, t, now);
        assert_terms_near(&trace->proof[rows], &want);
        for (size_t j = 0; j < x->n; j++)
            mean[j] += now[j];
    }
    assert_int_equal(trace->num_measured, rows);
    for (size_t j = 0; j < x->n; j++)
        assert_near(trace->worker_noise_sq[j], mean[j] / (double)rows, 1e-12);
    free(now);
    free(mean);
}

/* ---- the smoothness met, pair by pair ---- */

/* The ratio of one pair; 0 where the points agree to 7 digits, or the gradients to 7 digits of what they were made from
 * (grad_sq). Rounding is far below that and true distances of these runs are far above. */
static double pair_ratio(const double *a, const double *grad_a, const double *b, const double *grad_b, size_t dim,
                         double grad_sq)
{
    double distance = 0, change = 0;
    for (size_t i = 0; i < dim; i++) {
        distance += (a[i] - b[i]) * (a[i] - b[i]);
        change += (grad_a[i] - grad_b[i]) * (grad_a[i] - grad_b[i]);
    }
    if (distance <= 1e-14 * dot(a, a, dim) || change <= 1e-14 * grad_sq)
        return 0;
    return sqrt(change / distance);
}

/* Which kind of pair had the largest ratio: worker's own successive models, or its model and an average above it. */
typedef struct decided {
    size_t by_time, by_node;
} decided;

static double own_pair(const history *x, size_t place, size_t before, size_t t, double *memory)
{
    const double *a = model(x, before, place), *b = model(x, t, place);
    exact_gradient(x, a, place, memory);
    exact_gradient(x, b, place, memory + x->dim);
    return pair_ratio(a, memory, b, memory + x->dim, x->dim, dot(memory, memory, x->dim));
}

static double node_pairs(const history *x, size_t place, size_t t, double *memory)
{
    double largest = 0, *grad = memory, *mean = memory + x->dim, *grad_mean = memory + 2 * x->dim;
    exact_gradient(x, model(x, t, place), place, grad);
    for (size_t u = 1; u < x->h->num_nodes; u++) {
        const hsgd_node *node = &x->h->node[u];
        if (place < node->first_worker || place >= node->first_worker + node->num_workers)
            continue;
        mean_below(x->h, u, model(x, t, 0), x->dim, mean);
        exact_gradient(x, mean, place, grad_mean);
        double own_sq = dot(grad, grad, x->dim);
        largest = fmax(largest, pair_ratio(model(x, t, place), grad, mean, grad_mean, x->dim, own_sq));
    }
    return largest;
}

/* The largest ratio is attained where the trace says: by its worker, at its step. */
static void check_smoothness(const history *x, const hsgd_trace *trace, decided *count)
{
    size_t every = x->s->measure_every;
    double by_time = 0, by_node = 0, there = 0, *memory = malloc(3 * x->dim * sizeof *memory);
    for (size_t t = 0; t < x->s->steps; t += every)
        for (size_t place = 0; place < x->n; place++) {
            double own = t ? own_pair(x, place, t - every, t, memory) : 0;
            double node = x->s->measure_at_nodes ? node_pairs(x, place, t, memory) : 0;
            by_time = fmax(by_time, own);
            by_node = fmax(by_node, node);
            if (worker_at(x, place) == trace->smoothness.worker && t == trace->smoothness.step)
                there = fmax(own, node);
        }
    assert_near(trace->smoothness.ratio, fmax(by_time, by_node), 1e-9);
    assert_near(there, fmax(by_time, by_node), 1e-9);
    count->by_node += by_node > by_time;
    count->by_time += by_time > by_node;
    free(memory);
}

static void check_path_smoothness(const history *x, const hsgd_trace *trace)
{
    size_t dim = x->dim, T = x->s->steps, every = x->s->measure_every;
    double largest = 0, there = 0, *memory = malloc(4 * dim * sizeof *memory);
    double *point = memory, *grad = memory + dim, *last = memory + 2 * dim, *last_grad = memory + 3 * dim;
    for (size_t t = 0, step; t < T; t += every) {
        step = t + every < T ? t + every : T;
        at_mean(x, t, last, last_grad);
        double square = at_mean(x, step, point, grad);
        double ratio = pair_ratio(point, grad, last, last_grad, dim, square);
        largest = fmax(largest, ratio);
        there = step == trace->path_smoothness.step ? ratio : there;
    }
    assert_near(trace->path_smoothness.ratio, largest, 1e-9);
    assert_near(there, largest, 1e-9);
    free(memory);
}

static decided compare_with_loops(const hsgd_simulation *s)
{
    hsgd_trace trace;
    decided count = {0, 0};
    history x = run_in_loops(s);
    double *mean = malloc(x.dim * sizeof *mean);
    assert_ok(hsgd_simulate(&trace, s, &err), err);
    mean_below(x.h, 0, model(&x, s->steps, 0), x.dim, mean);
    for (size_t i = 0; i < x.dim; i++)
        assert_near(trace.final_point[i], mean[i], 1e-12);
    check_terms(&x, &trace);
    check_smoothness(&x, &trace, &count);
    check_path_smoothness(&x, &trace);
    hsgd_trace_free(&trace);
    free(mean);
    free_history(&x);
    return count;
}

/* Every 1 and 3 steps, with and without gradients at the nodes, plain and with weights and shuffled places: from the
 * first of these eight on. */
static decided compare_from(hsgd_simulation s, hsgd_hierarchy *h, int first)
{
    size_t place[300];
    decided all = {0, 0};
    s.hierarchy = h;
    s.measure_proof = s.measure_smoothness = true;
    shuffle(place, h->num_workers);
    for (int variant = first; variant < 8; variant++) {
        s.measure_every = variant & 1 ? 3 : 1;
        s.measure_at_nodes = variant & 2;
        s.placement = variant & 4 ? place : NULL;
        if (variant == (first > 4 ? first : 4))
            set_weights(h);
        decided one = compare_with_loops(&s);
        all.by_time += one.by_time;
        all.by_node += one.by_node;
    }
    return all;
}

static decided compare_variants(hsgd_simulation s, hsgd_hierarchy *h)
{
    return compare_from(s, h, 0);
}

/* ---- against the loops ---- */

static void agrees_with_loops_on_every_tree(void **state)
{
    (void)state;
    decided all = {0, 0};
    for (size_t i = 0; i < TREES; i++)
        for (int noisy = 0; noisy < 2; noisy++) {
            hsgd_hierarchy h = tree(i);
            hsgd_objective f = make_bowls(h.num_workers, 3, noisy ? 0.37 : 0);
            hsgd_simulation s = {
                .objective = &f, .initial = INITIAL, .step_size = 0.31, .steps = 29, .seed = 81, .threads = 2};
            decided one = compare_variants(s, &h);
            all.by_time += one.by_time;
            all.by_node += one.by_node;
            hsgd_objective_free(&f);
            hsgd_hierarchy_free(&h);
        }
    assert_true(all.by_time >= 10 && all.by_node >= 10); /* both kinds of pair were put to the test */
}

/* Where nodes below the root are divided, and the averages above a unit are known only when others have come. */
static void agrees_with_loops_on_divided_groups(void **state)
{
    (void)state;
    hsgd_hierarchy h[NUM_DEEP_TREES];
    double initial[DEEP_DIM];
    size_t by_node = 0;
    for (size_t i = 0; i < DEEP_DIM; i++)
        initial[i] = INITIAL[i % 21];
    make_deep_trees(h);
    for (size_t i = 1; i < NUM_DEEP_TREES; i++) {
        hsgd_objective f = make_bowls(h[i].num_workers, DEEP_DIM, i % 2 ? 0.37 : 0);
        hsgd_simulation s = {
            .objective = &f, .initial = initial, .step_size = 0.31, .steps = 13, .seed = 81, .threads = 2};
        by_node += compare_from(s, &h[i], 7).by_node;
        hsgd_objective_free(&f);
    }
    for (size_t i = 0; i < NUM_DEEP_TREES; i++)
        hsgd_hierarchy_free(&h[i]);
    assert_true(by_node >= 1); /* averages were put to the test */
}

/* T = 1 (no pair of steps but the one to wbar^T), T = 2, and a run over many windows. */
static void agrees_with_loops_on_short_and_long_runs(void **state)
{
    (void)state;
    const size_t steps[] = {1, 2, 211};
    for (size_t i = 0; i < 3; i++) {
        hsgd_hierarchy h = crooked();
        hsgd_objective f = make_bowls(h.num_workers, 11, 0.9);
        hsgd_simulation s = {
            .objective = &f, .initial = INITIAL, .step_size = 0.43, .steps = steps[i], .seed = 5, .threads = 1};
        compare_variants(s, &h);
        hsgd_objective_free(&f);
        hsgd_hierarchy_free(&h);
    }
}

/* The dimension makes the memory cut windows that the global period would not, at other steps than without the terms. */
static void agrees_with_loops_where_memory_cuts_windows(void **state)
{
    (void)state;
    enum { DIM = 60000 };
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){24, 4}, 2);
    hsgd_quadratic q;
    hsgd_objective f = make_quadratic(&q, &h, DIM, 0.07, 0.8);
    double *initial = calloc(DIM, sizeof *initial);
    initial[7] = 1.9;
    hsgd_simulation s = {.objective = &f,
                         .hierarchy = &h,
                         .initial = initial,
                         .step_size = 0.3,
                         .steps = 26,
                         .measure_every = 1,
                         .measure_at_nodes = true,
                         .measure_proof = true,
                         .measure_smoothness = true,

                         .seed = 3,
                         .threads = 2};
    hsgd_engine engine;
    assert_ok(hsgd_engine_alloc(&engine, &s, NULL, &err), err);
    assert_true(engine.max_rows > 1 && engine.max_rows < 12 && engine.max_root_rows < 12);
    hsgd_engine_free(&engine);
    compare_with_loops(&s);
    free(initial);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

static void agrees_with_loops_on_quadratics(void **state)
{
    (void)state;
    for (size_t i = 1; i < TREES; i++) {
        hsgd_hierarchy h = tree(i);
        hsgd_quadratic q;
        hsgd_objective f = make_quadratic(&q, &h, 5, 0.07, 0.37);
        hsgd_simulation s = {
            .objective = &f, .initial = INITIAL, .step_size = 0.23, .steps = 27, .seed = 9, .threads = 1};
        compare_variants(s, &h);
        hsgd_objective_free(&f);
        hsgd_quadratic_free(&q);
        hsgd_hierarchy_free(&h);
    }
}

static void agrees_with_loops_on_mini_batches(void **state)
{
    (void)state;
    for (int variant = 0; variant < 8; variant++) {
        samples d;
        hsgd_hierarchy h = tree(variant & 4 ? 6 : 3);
        hsgd_objective f;
        hsgd_link link = variant & 2 ? HSGD_LINK_SOFTMAX : HSGD_LINK_LOGISTIC;
        hsgd_regularizer r = {variant & 2 ? HSGD_REGULARIZER_L2 : HSGD_REGULARIZER_NONCONVEX, 0.05};
        make_samples(&d, h.num_workers, variant & 2 ? 3 : 2, variant & 1);
        assert_ok(hsgd_linear_model_objective(&f, link, &d.data, d.start, h.num_workers, r, &err), err);
        for (size_t batch = 0; batch <= 2; batch++) {
            hsgd_simulation s = {.objective = &f,
                                 .initial = INITIAL,
                                 .step_size = 0.7,
                                 .steps = 25,
                                 .batch_size = batch,
                                 .seed = 3,
                                 .threads = 2};
            hsgd_hierarchy own;
            assert_ok(hsgd_hierarchy_expand(&own, &h, &err), err);
            compare_variants(s, &own);
            hsgd_hierarchy_free(&own);
        }
        hsgd_objective_free(&f);
        hsgd_dataset_free(&d.data);
        hsgd_hierarchy_free(&h);
    }
}

/* ---- bits ---- */

static void assert_same_measurements(const hsgd_trace *a, const hsgd_trace *b)
{
    size_t rows = a->num_measured, cells = rows * a->num_levels, nodes = a->num_nodes;
    assert_memory_equal(a->step, b->step, (rows + 1) * sizeof *a->step);
    assert_memory_equal(a->loss, b->loss, (rows + 1) * 8);
    assert_memory_equal(a->grad_norm_sq, b->grad_norm_sq, (rows + 1) * 8);
    assert_memory_equal(a->divergence, b->divergence, (cells + a->num_levels) * 8);
    if (a->divergence_at_nodes) {
        assert_memory_equal(a->divergence_at_nodes, b->divergence_at_nodes, cells * 8);
        assert_memory_equal(a->node_divergence_at_node_max, b->node_divergence_at_node_max, nodes * 8);
    }
    assert_memory_equal(a->dispersion, b->dispersion, cells * 8);
    assert_memory_equal(a->node_divergence_mean, b->node_divergence_mean, nodes * 8);
    assert_memory_equal(a->node_divergence_max, b->node_divergence_max, nodes * 8);
    assert_memory_equal(a->node_dispersion_mean, b->node_dispersion_mean, nodes * 8);
    if (a->node_deviation_max_sq)
        assert_memory_equal(a->node_deviation_max_sq, b->node_deviation_max_sq, nodes * 8);
    assert_memory_equal(a->final_point, b->final_point, a->dim * 8);
    assert_memory_equal(&a->worker_deviation_max_sq, &b->worker_deviation_max_sq, 8);
    assert_memory_equal(&a->gradient_identity_error, &b->gradient_identity_error, 8);
    assert_memory_equal(&a->parameter_identity_error, &b->parameter_identity_error, 8);
    assert_int_equal(a->diverged_at, b->diverged_at);
}

static void assert_same_seen(const hsgd_seen_smoothness *a, const hsgd_seen_smoothness *b)
{
    assert_memory_equal(&a->ratio, &b->ratio, 8);
    assert_int_equal(a->step, b->step);
    assert_int_equal(a->worker, b->worker);
}

static void assert_same_proof(const hsgd_trace *a, const hsgd_trace *b)
{
    assert_memory_equal(a->proof, b->proof, a->num_measured * sizeof *a->proof);
    assert_memory_equal(a->worker_noise_sq, b->worker_noise_sq, a->num_workers * 8);
    assert_same_seen(&a->smoothness, &b->smoothness);
    assert_same_seen(&a->path_smoothness, &b->path_smoothness);
}

/* Nothing else that is recorded may depend on whether the terms are, not even where they change how memory cuts the
 * windows. */
static void measuring_changes_no_other_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * TREES + 1; i++) {
        hsgd_hierarchy h = i < 2 * TREES ? tree(i / 2) : uniform((size_t[]){2, 2}, (size_t[]){24, 4}, 2);
        size_t dim = i < 2 * TREES ? 13 : 60000;
        hsgd_quadratic q = {0};
        hsgd_objective f = dim == 13 ? make_bowls(h.num_workers, dim, 0.6) : make_quadratic(&q, &h, dim, 0.07, 0.6);
        double *initial = calloc(dim, sizeof *initial);
        memcpy(initial, INITIAL, 13 * sizeof *initial);
        hsgd_simulation s = everything(&f, &h, initial);
        s.measure_every = i % 2 ? 3 : 1;
        hsgd_trace with, without;
        assert_ok(hsgd_simulate(&with, &s, &err), err);
        s.measure_proof = false;
        assert_ok(hsgd_simulate(&without, &s, &err), err);
        assert_same_measurements(&with, &without);
        assert_non_null(with.proof);
        assert_null(without.proof);
        assert_null(without.worker_noise_sq);
        assert_true(without.smoothness.ratio == 0 && without.path_smoothness.ratio == 0);
        hsgd_trace_free(&with);
        hsgd_trace_free(&without);
        free(initial);
        hsgd_objective_free(&f);
        hsgd_quadratic_free(&q);
        hsgd_hierarchy_free(&h);
    }
}

/* sigma = 0: the stochastic gradient is grad F_j, so leaving it out changes no bit, and no noise is seen. */
static void exact_gradients_change_nothing_without_noise(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3 * TREES; i++) {
        hsgd_hierarchy h = tree(i / 3);
        hsgd_objective f;
        hsgd_quadratic q = {0};
        samples d = {0};
        if (i % 3 == 0 || h.num_workers == 1)
            f = make_bowls(h.num_workers, 7, 0);
        else if (i % 3 == 1)
            f = make_quadratic(&q, &h, 7, 0.07, 0);
        else {
            make_samples(&d, h.num_workers, 2, i % 2);
            assert_ok(hsgd_linear_model_objective(&f, HSGD_LINK_LOGISTIC, &d.data, d.start, h.num_workers,
                                                  (hsgd_regularizer){HSGD_REGULARIZER_NONE, 0}, &err),
                      err);
        }
        hsgd_simulation s = everything(&f, &h, INITIAL);
        s.measure_every = i % 2 ? 3 : 1;
        hsgd_trace exact, full;
        assert_ok(hsgd_simulate(&full, &s, &err), err);
        s.exact_gradients = true;
        assert_ok(hsgd_simulate(&exact, &s, &err), err);
        assert_same_measurements(&exact, &full);
        for (size_t row = 0; row < full.num_measured; row++) {
            assert_true(exact.proof[row].mean_gradient_sq == full.proof[row].mean_gradient_sq);
            assert_true(exact.proof[row].drift_error_sq == full.proof[row].drift_error_sq);
            for (int which = 0; which < 2; which++) {
                const hsgd_proof_terms *p = which ? &exact.proof[row] : &full.proof[row];
                assert_true(p->mean_noise_sq == 0 && p->noise_sq == 0 && p->independent_noise_sq == 0);
                assert_true(p->gradient_dot_noise == 0 && p->mean_gradient_dot_noise == 0);
            }
        }
        for (size_t j = 0; j < h.num_workers; j++)
            assert_true(exact.worker_noise_sq[j] == 0 && full.worker_noise_sq[j] == 0);
        assert_same_seen(&exact.smoothness, &full.smoothness);
        assert_same_seen(&exact.path_smoothness, &full.path_smoothness);
        hsgd_trace_free(&exact);
        hsgd_trace_free(&full);
        hsgd_objective_free(&f);
        hsgd_quadratic_free(&q);
        hsgd_dataset_free(&d.data);
        hsgd_hierarchy_free(&h);
    }
}

/* Problems that offer the engine one worker and point at a time, and those that take several in a call: bowls without and
 * with noise, quadratics, mini-batches of dense and of sparse data. */
enum { KINDS = 5 };
static hsgd_objective make_kind(size_t kind, const hsgd_hierarchy *h, hsgd_quadratic *q, samples *d)
{
    hsgd_objective f;
    if (kind < 2)
        return make_bowls(h->num_workers, 7, kind ? 0.6 : 0);
    if (kind == 2 && h->num_workers > 1)
        return make_quadratic(q, h, 7, 0.07, 0.6);
    make_samples(d, h->num_workers, 2, kind == 4);
    assert_ok(hsgd_linear_model_objective(&f, HSGD_LINK_LOGISTIC, &d->data, d->start, h->num_workers,
                                          (hsgd_regularizer){HSGD_REGULARIZER_NONCONVEX, 0.1}, &err),
              err);
    return f;
}

/* One worker after the other on the portable path, against threads, orders and paths. */
static void same_bits_however_it_is_done(const hsgd_simulation *one_thread)
{
    hsgd_simulation s = *one_thread;
    hsgd_trace one, many;
    hsgd_vector_limit(HSGD_PATH_PORTABLE);
    assert_ok(hsgd_simulate(&one, &s, &err), err);
    for_each_path(path) for (s.threads = 1; s.threads <= 3; s.threads++)
    {
        s.shuffle = (uint64_t)s.threads + 10 * path;
        assert_ok(hsgd_simulate(&many, &s, &err), err);
        assert_same_measurements(&one, &many);
        assert_same_proof(&one, &many);
        hsgd_trace_free(&many);
    }
    hsgd_trace_free(&one);
}

static void same_bits_for_any_threads_order_and_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < TREES; i++)
        for (size_t kind = 0; kind < KINDS; kind++)
            for (int variant = 0; variant < 4; variant++) {
                hsgd_hierarchy h = tree(i);
                hsgd_quadratic q = {0};
                samples d = {0};
                hsgd_objective f = make_kind(kind, &h, &q, &d);
                size_t place[300];
                shuffle(place, h.num_workers);
                if (variant % 2)
                    set_weights(&h);
                hsgd_simulation s = everything(&f, &h, INITIAL);
                s.placement = place;
                s.exact_gradients = kind == 0;
                s.batch_size = kind > 2 ? 2 : 0;
                s.measure_at_nodes = s.measure_maxima = variant < 2;
                s.measure_every = 1 + (i + (size_t)variant) % 3;
                same_bits_however_it_is_done(&s);
                hsgd_objective_free(&f);
                hsgd_quadratic_free(&q);
                hsgd_dataset_free(&d.data);
                hsgd_hierarchy_free(&h);
            }
}

/* ---- runs that diverge, runs that converge ---- */

/* From the first row that is not finite all terms are INFINITY; before it they are numbers. A ratio is never more than
 * L and rounding, however large the models. */
static void diverging_runs_become_infinite(void **state)
{
    (void)state;
    for (int exact = 0; exact < 2; exact++)
        for (size_t every = 1; every <= 3; every += 2) {
            hsgd_hierarchy h = crooked();
            hsgd_quadratic q;
            hsgd_objective f = make_quadratic(&q, &h, 5, 0.07, exact ? 0 : 0.37);
            hsgd_simulation s = everything(&f, &h, INITIAL);
            s.step_size = 3e5;
            s.steps = 100;
            s.measure_every = every;
            s.exact_gradients = exact;
            hsgd_ensemble e;
            hsgd_summary summary;
            assert_ok(hsgd_ensemble_run(&e, &s, 2, 1, NULL, 2, &err), err);
            const hsgd_trace *trace = &e.trace[0];
            assert_true(trace->diverged_at > 10 && trace->diverged_at < 99);
            for (size_t row = 0; row < trace->num_measured; row++) {
                double value[7];
                memcpy(value, &trace->proof[row], sizeof value);
                for (size_t i = 0; i < 7; i++)
                    assert_true(trace->step[row] < trace->diverged_at ? !isnan(value[i]) : value[i] == INFINITY);
            }
            assert_true(trace->smoothness.ratio > 0.07 && trace->path_smoothness.ratio > 0.07);
            assert_at_most(trace->smoothness.ratio, 1.3, 1e-6);
            assert_at_most(trace->path_smoothness.ratio, 1.3, 1e-6);
            assert_ok(hsgd_summarize(&summary, &e, 100, 12, false, &err), err);
            for (size_t r = 0; r < 2; r++) {
                double value[7];
                memcpy(value, &summary.path[r].proof, sizeof value);
                for (size_t i = 0; i < 7; i++)
                    assert_true(value[i] == INFINITY);
                assert_true(summary.path[r].S == INFINITY && summary.path[r].final_loss == INFINITY);
            }
            for (size_t j = 0; j < h.num_workers; j++)
                assert_true(summary.worker_noise_sq[j].mean == INFINITY);
            hsgd_summary_free(&summary);
            hsgd_ensemble_free(&e);
            hsgd_objective_free(&f);
            hsgd_quadratic_free(&q);
            hsgd_hierarchy_free(&h);
        }
}

/* Once a run stands still, differences of models are rounding and their ratios would be anything: L must still hold, up
 * to what rounding can do to a pair that is 1e-7 apart. */
static void a_run_that_stands_still_shows_no_more_than_L(void **state)
{
    (void)state;
    hsgd_hierarchy h = crooked();
    hsgd_objective f = make_bowls(h.num_workers, 5, 0);
    hsgd_simulation s = everything(&f, &h, INITIAL);
    s.steps = 3000;
    s.step_size = 0.5;
    hsgd_trace trace;
    assert_ok(hsgd_simulate(&trace, &s, &err), err);
    assert_at_most(trace.smoothness.ratio, BOWLS_SMOOTHNESS, 1e-6);
    assert_at_most(trace.path_smoothness.ratio, BOWLS_SMOOTHNESS, 1e-6);
    assert_true(trace.smoothness.step < 1000 && trace.path_smoothness.step < 1000);
    hsgd_trace_free(&trace);
    hsgd_objective_free(&f);
    hsgd_hierarchy_free(&h);
}

/* The workers' gradients cancel at the minimiser 0 of f, so that wbar and grad f there are rounding alone, large and small
 * relative to nothing but the grad F_j: without that scale ratios up to twice L were seen. */
static void a_minimiser_at_zero_is_no_exception(void **state)
{
    (void)state;
    enum { DIM = 5, WORKERS = 6 };
    const double curvature[DIM] = {0.07, 0.2, 0.5, 0.9, 1.3};
    for (uint32_t trial = 0; trial < 6; trial++) {
        double linear[WORKERS * DIM];
        hsgd_hierarchy h = uniform((size_t[]){2, 3}, (size_t[]){4, 2}, 2);
        hsgd_quadratic q;
        hsgd_objective f;
        hsgd_trace trace;
        hsgd_normals(&(hsgd_stream){3 + trial, HSGD_PURPOSE_USER, 0, 0}, 1, linear, (WORKERS - 1) * DIM);
        for (size_t i = 0; i < DIM; i++) {
            linear[(WORKERS - 1) * DIM + i] = 0;
            for (size_t j = 0; j + 1 < WORKERS; j++)
                linear[(WORKERS - 1) * DIM + i] -= linear[j * DIM + i];
        }
        assert_ok(hsgd_quadratic_init(&q, curvature, linear, DIM, WORKERS, 0, &err), err);
        assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
        hsgd_simulation s = everything(&f, &h, INITIAL);
        s.steps = 4000;
        assert_ok(hsgd_simulate(&trace, &s, &err), err);
        assert_true(trace.grad_norm_sq[4000] < 1e-28);
        assert_at_most(trace.smoothness.ratio, 1.3, 1e-6);
        assert_at_most(trace.path_smoothness.ratio, 1.3, 1e-6);
        assert_true(trace.path_smoothness.ratio > 0.07);
        hsgd_trace_free(&trace);
        hsgd_objective_free(&f);
        hsgd_quadratic_free(&q);
        hsgd_hierarchy_free(&h);
    }
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_loops_on_every_tree),
        cmocka_unit_test(agrees_with_loops_on_divided_groups),
        cmocka_unit_test(agrees_with_loops_on_short_and_long_runs),
        cmocka_unit_test(agrees_with_loops_where_memory_cuts_windows),
        cmocka_unit_test(agrees_with_loops_on_quadratics),
        cmocka_unit_test(agrees_with_loops_on_mini_batches),
        cmocka_unit_test(measuring_changes_no_other_number),
        cmocka_unit_test(exact_gradients_change_nothing_without_noise),
        cmocka_unit_test(same_bits_for_any_threads_order_and_path),
        cmocka_unit_test(diverging_runs_become_infinite),
        cmocka_unit_test(a_run_that_stands_still_shows_no_more_than_L),
        cmocka_unit_test(a_minimiser_at_zero_is_no_exception),
    };
    return cmocka_run_group_tests_name("proof_terms", tests, NULL, NULL);
}
