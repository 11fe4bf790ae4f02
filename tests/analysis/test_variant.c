/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Variants of H-SGD against loops over single workers written from their definitions (variant.h), and what is drawn for
 * them against its distribution. */
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>

#include "analysis/engine_private.h"
#include "analysis/ensemble.h"
#include "analysis/quadratic.h"
#include "analysis/random.h"
#include "tests/analysis/paths.h"
#include "tests/analysis/trees.h"

static hsgd_error err;

/* ---- a slow run ---- */

enum { DIM = 5, MOST = 80 };

typedef struct slow_run {
    const hsgd_simulation *s;
    double w[MOST][DIM], velocity[MOST][DIM], anchor[MOST][DIM]; /* by place, by worker, by node */
    double weight[MOST];                                         /* of a place's model in averages */
    size_t worker[MOST];                                         /* at each place */
} slow_run;

static double weight_of(const slow_run *x, size_t place)
{
    const hsgd_hierarchy *h = x->s->hierarchy;
    return h->worker_weight ? h->worker_weight[place] : 1 / (double)h->num_workers;
}

static void mean_of(const slow_run *x, size_t first, size_t count, double *out)
{
    long double sum[DIM] = {0}, total = 0;
    for (size_t j = first; j < first + count; j++) {
        total += x->weight[j];
        for (size_t i = 0; i < DIM; i++)
            sum[i] += x->weight[j] * x->w[j][i];
    }
    for (size_t i = 0; i < DIM; i++)
        out[i] = (double)(sum[i] / total);
}

/* Fisher and Yates, with the numbers of the purpose. */
static void slow_regroup(slow_run *x, size_t t)
{
    size_t n = x->s->hierarchy->num_workers;
    for (size_t i = 0; i < n; i++) {
        size_t other;
        hsgd_uniform_indices(&(hsgd_stream){x->s->seed, HSGD_PURPOSE_REGROUPING, 0, t}, 2 * i, n - i, &other, 1);
        size_t kept = x->worker[i];
        x->worker[i] = x->worker[i + other];
        x->worker[i + other] = kept;
    }
}

static void slow_draw(slow_run *x, const hsgd_node *node, size_t t)
{
    const hsgd_hierarchy *h = x->s->hierarchy;
    double drawn[MOST], cumulative[MOST], share[MOST];
    size_t order[MOST], first = node->first_worker;
    for (size_t j = 0; j < node->num_workers; j++)
        share[j] = weight_of(x, first + j) / node->weight;
    hsgd_variant_draw(drawn, x->s->variant, h->worker_weight ? share : NULL, first, node->num_workers, x->s->seed, t,
                      order, cumulative);
    for (size_t j = 0; j < node->num_workers; j++)
        x->weight[first + j] = node->weight * drawn[j];
}

static void slow_open(slow_run *x, size_t t)
{
    const hsgd_hierarchy *h = x->s->hierarchy;
    if (x->s->variant->regroup && t % hsgd_hierarchy_global_period(h) == 0)
        slow_regroup(x, t);
    for (size_t u = 0; u < h->num_nodes && hsgd_variant_samples_workers(x->s->variant); u++)
        if (hsgd_node_is_lowest(h, u) && t % h->node[u].period == 0)
            slow_draw(x, &h->node[u], t);
}

static void slow_step(slow_run *x, size_t t)
{
    const hsgd_simulation *s = x->s;
    double step_size = s->step_size * hsgd_variant_step_factor(s->variant, t, s->steps);
    double grad[DIM], scratch[HSGD_ROWS_AT_ONCE * DIM];
    for (size_t j = 0; j < s->hierarchy->num_workers; j++) {
        if (x->weight[j] == 0)
            continue;
        s->objective->type->stochastic(s->objective, x->w[j], x->worker[j], 0, s->seed, t, grad, scratch);
        for (size_t i = 0; i < DIM; i++) {
            double *v = &x->velocity[x->worker[j]][i];
            *v = s->variant->momentum * *v + grad[i];
            x->w[j][i] -= step_size * *v;
        }
    }
}

/* As mean_of does it for the models. */
static void slow_average_velocities(slow_run *x, const hsgd_node *node)
{
    for (size_t i = 0; i < DIM && x->s->variant->momentum_rule == HSGD_MOMENTUM_AVERAGED; i++) {
        long double sum = 0, total = 0;
        for (size_t j = node->first_worker; j < node->first_worker + node->num_workers; j++) {
            total += x->weight[j];
            sum += x->weight[j] * x->velocity[x->worker[j]][i];
        }
        for (size_t j = node->first_worker; j < node->first_worker + node->num_workers; j++)
            x->velocity[x->worker[j]][i] = (double)(sum / total);
    }
}

/* Node u and everything below it, the lower ones first. */
static void slow_average(slow_run *x, size_t u, size_t updates)
{
    const hsgd_hierarchy *h = x->s->hierarchy;
    const hsgd_node *node = &h->node[u];
    double mean[DIM], eta = u > 0 ? x->s->variant->group_step_size : x->s->variant->global_step_size;
    for (size_t v = u + 1; v < node->end; v = h->node[v].end)
        slow_average(x, v, updates);
    if (updates % node->period != 0)
        return;
    mean_of(x, node->first_worker, node->num_workers, mean);
    for (size_t i = 0; i < DIM; i++)
        mean[i] = x->anchor[u][i] + eta * (mean[i] - x->anchor[u][i]);
    for (size_t v = u; v < node->end; v++)
        memcpy(x->anchor[v], mean, sizeof mean);
    slow_average_velocities(x, node);
    for (size_t j = node->first_worker; j < node->first_worker + node->num_workers; j++) {
        memcpy(x->w[j], mean, sizeof mean);
        if (x->s->variant->momentum_rule == HSGD_MOMENTUM_RESET)
            memset(x->velocity[x->worker[j]], 0, sizeof mean);
    }
}

static void check_measured(const slow_run *x, const hsgd_trace *trace, size_t row)
{
    const hsgd_simulation *s = x->s;
    double wbar[DIM], grad[DIM], sum[DIM] = {0}, loss, whole = 0, norm_sq = 0, scratch[HSGD_ROWS_AT_ONCE * DIM];
    mean_of(x, 0, s->hierarchy->num_workers, wbar);
    for (size_t j = 0; j < s->hierarchy->num_workers; j++) {
        s->objective->type->full(s->objective, wbar, &x->worker[j], 1, &loss, grad, scratch);
        whole += weight_of(x, j) * loss;
        for (size_t i = 0; i < DIM; i++)
            sum[i] += weight_of(x, j) * grad[i];
    }
    for (size_t i = 0; i < DIM; i++)
        norm_sq += sum[i] * sum[i];
    assert_near(trace->loss[row], whole, 1e-11);
    assert_near(trace->grad_norm_sq[row], norm_sq, 1e-11);
}

static void compare_with_slow(hsgd_simulation *s)
{
    slow_run x = {.s = s};
    const hsgd_hierarchy *h = s->hierarchy;
    hsgd_trace trace;
    s->measure_every = 1;
    assert_ok(hsgd_simulate(&trace, s, &err), err);
    for (size_t j = 0; j < h->num_workers; j++) {
        memcpy(x.w[j], s->initial, sizeof x.w[j]);
        x.weight[j] = weight_of(&x, j);
        x.worker[j] = j;
    }
    for (size_t u = 0; u < h->num_nodes; u++)
        memcpy(x.anchor[u], s->initial, sizeof x.anchor[u]);
    for (size_t t = 0; t < s->steps; t++) {
        slow_open(&x, t);
        check_measured(&x, &trace, t);
        slow_step(&x, t);
        slow_average(&x, 0, t + 1);
    }
    check_measured(&x, &trace, s->steps);
    hsgd_trace_free(&trace);
}

/* ---- every variant ---- */

static const double initial[DIM] = {0.3, -1.7, 2.2, 0.9, -0.4};

static hsgd_quadratic generated(const hsgd_hierarchy *h)
{
    hsgd_quadratic q;
    double divergence[HSGD_MAX_LEVELS] = {0.8, 0.6, 0.4};
    hsgd_quadratic_spec spec = {.dim = DIM,
                                .curvature_min = 0.2,
                                .curvature_max = 1.3,
                                .level_divergence_sq = divergence,
                                .noise_sq = 0.3,
                                .seed = 4};
    assert_ok(hsgd_quadratic_generate(&q, h, &spec, &err), err);
    return q;
}

static void on_every_tree(hsgd_variant variant)
{
    hsgd_hierarchy tree[] = {uniform((size_t[]){3, 6}, (size_t[]){6, 2}, 2),
                             uniform((size_t[]){2, 2, 3}, (size_t[]){8, 4, 2}, 3),
                             uniform((size_t[]){9}, (size_t[]){4}, 1), uniform((size_t[]){35, 2}, (size_t[]){6, 3}, 2),
                             uniform((size_t[]){2, 2, 9}, (size_t[]){8, 4, 2}, 3)};
    for (size_t i = 0; i < sizeof tree / sizeof *tree; i++) {
        hsgd_quadratic q = generated(&tree[i]);
        hsgd_objective f;
        for (int weighted = 0; weighted < 2; weighted++) {
            double weight[MOST];
            for (size_t j = 0; j < tree[i].num_workers; j++)
                weight[j] = 1 + (double)(j % 3);
            if (weighted)
                assert_ok(hsgd_hierarchy_set_weights(&tree[i], weight, &err), err);
            assert_ok(hsgd_quadratic_objective(&f, &q, tree[i].worker_weight, &err), err);
            hsgd_simulation s = {.objective = &f,
                                 .hierarchy = &tree[i],
                                 .initial = initial,
                                 .step_size = 0.3,
                                 .steps = 22,
                                 .variant = &variant,
                                 .seed = 5,
                                 .threads = 2};
            compare_with_slow(&s);
            s.steps = 24; /* the end of a round for some of them */
            compare_with_slow(&s);
            hsgd_objective_free(&f);
        }
        hsgd_quadratic_free(&q);
        hsgd_hierarchy_free(&tree[i]);
    }
}

static void step_sizes_decay_as_they_should(void **state)
{
    (void)state;
    for (int decay = 0; decay <= HSGD_DECAY_COSINE; decay++) {
        hsgd_variant v = HSGD_PLAIN_VARIANT;
        v.decay = (hsgd_decay)decay;
        v.decay_scale = 7;
        v.decay_factor = 0.5;
        v.warmup_steps = 5;
        on_every_tree(v);
    }
}

/* By hand: s = 4, T = 20, factor 1/2, W = 4. */
static void step_factors_are_those_of_the_definition(void **state)
{
    (void)state;
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    v.decay_scale = 4;
    v.decay_factor = 0.5;
    const double want[][3] = {{1, 1, 1}, /* t = 0, 12, 19 */
                              {1, 0.25, 4. / 23},
                              {1, 0.5, 2 / sqrt(23)},
                              {1, 0.125, 0.0625},
                              {1, 0.34549150281252627, 0.0061558297024311148}};
    const size_t at[] = {0, 12, 19};
    for (int decay = 0; decay <= HSGD_DECAY_COSINE; decay++)
        for (size_t i = 0; i < 3; i++) {
            v.decay = (hsgd_decay)decay;
            assert_close(hsgd_variant_step_factor(&v, at[i], 20), want[decay][i], 1e-14);
        }
    v.decay = HSGD_DECAY_NONE;
    v.warmup_steps = 4;
    const double warm[] = {0.25, 0.5, 0.75, 1, 1};
    for (size_t t = 0; t < 5; t++)
        assert_true(hsgd_variant_step_factor(&v, t, 20) == warm[t]);
}

static void momentum_agrees_with_loops(void **state)
{
    (void)state;
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    v.momentum = 0.7;
    on_every_tree(v);
    v.momentum_rule = HSGD_MOMENTUM_RESET;
    on_every_tree(v);
    v.momentum_rule = HSGD_MOMENTUM_AVERAGED;
    on_every_tree(v);
    v.participation = 0.4; /* who rests has no part in the mean, and takes it */
    on_every_tree(v);
}

static void participation_agrees_with_loops(void **state)
{
    (void)state;
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    v.participation = 0.4;
    on_every_tree(v);
    v.with_replacement = true;
    on_every_tree(v);
    v.participants = 4;
    on_every_tree(v);
}

static void step_sizes_of_averages_agree_with_loops(void **state)
{
    (void)state;
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    v.group_step_size = 1.4;
    on_every_tree(v);
    v.global_step_size = 0.6;
    on_every_tree(v);
    v.group_step_size = 1;
    on_every_tree(v);
}

static void regrouping_agrees_with_loops(void **state)
{
    (void)state;
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    v.regroup = true;
    on_every_tree(v);
}

static void all_at_once_agree_with_loops(void **state)
{
    (void)state;
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    v.decay = HSGD_DECAY_INVERSE;
    v.decay_scale = 9;
    v.momentum = 0.5;
    v.participation = 0.5;
    v.regroup = true;
    v.group_step_size = 0.8;
    v.global_step_size = 1.2;
    on_every_tree(v);
    v.momentum_rule = HSGD_MOMENTUM_RESET;
    on_every_tree(v);
    v.momentum_rule = HSGD_MOMENTUM_AVERAGED;
    on_every_tree(v);
}

/* With the plain values of every field, the variant is H-SGD. */
static void plain_values_change_nothing(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){3, 6}, (size_t[]){6, 2}, 2);
    hsgd_quadratic q = generated(&h);
    hsgd_objective f;
    hsgd_trace plain, variant;
    const hsgd_variant v = HSGD_PLAIN_VARIANT;
    assert_false(hsgd_variant_differs(&v, NULL));
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    hsgd_simulation s = {.objective = &f,
                         .hierarchy = &h,
                         .initial = initial,
                         .step_size = 0.3,
                         .steps = 25,
                         .measure_every = 1,
                         .seed = 5,
                         .threads = 1};
    assert_ok(hsgd_simulate(&plain, &s, &err), err);
    s.variant = &v;
    assert_ok(hsgd_simulate(&variant, &s, &err), err);
    assert_memory_equal(plain.loss, variant.loss, 26 * sizeof(double));
    assert_memory_equal(plain.final_point, variant.final_point, DIM * sizeof(double));
    hsgd_trace_free(&plain);
    hsgd_trace_free(&variant);
    s.measure_proof = true;
    assert_fails(hsgd_simulate(&plain, &s, &err), HSGD_ERROR_INPUT, "plain H-SGD", err);
    hsgd_variant wrong = HSGD_PLAIN_VARIANT;
    wrong.momentum = 1.5;
    s.measure_proof = false;
    s.variant = &wrong;
    assert_fails(hsgd_simulate(&plain, &s, &err), HSGD_ERROR_INPUT, "momentum.factor: 1.5", err);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

/* ---- bits ---- */

static void same_bits_for_any_threads_order_and_path(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){5, 4, 2}, (size_t[]){8, 4, 2}, 3);
    hsgd_quadratic q = generated(&h);
    hsgd_objective f;
    hsgd_trace one, other;
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    v.momentum = 0.5;
    v.momentum_rule = HSGD_MOMENTUM_AVERAGED;
    v.participation = 0.5;
    v.regroup = true;
    v.group_step_size = 0.8;
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    hsgd_simulation s = {.objective = &f,
                         .hierarchy = &h,
                         .initial = initial,
                         .step_size = 0.3,
                         .steps = 25,
                         .measure_every = 1,
                         .variant = &v,
                         .seed = 5,
                         .threads = 1,
                         .eager_threads = true};
    assert_ok(hsgd_simulate(&one, &s, &err), err);
    for_each_path(path) for (s.threads = 1; s.threads < 5; s.threads++)
    {
        s.shuffle = (uint64_t)s.threads - 1;
        assert_ok(hsgd_simulate(&other, &s, &err), err);
        assert_memory_equal(one.loss, other.loss, 26 * sizeof(double));
        assert_memory_equal(one.grad_norm_sq, other.grad_norm_sq, 26 * sizeof(double));
        assert_memory_equal(one.dispersion, other.dispersion, 25 * 3 * sizeof(double));
        assert_memory_equal(one.final_point, other.final_point, DIM * sizeof(double));
        hsgd_trace_free(&other);
    }
    hsgd_trace_free(&one);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

/* ---- what is drawn ---- */

enum { SIZE = 7, ROUNDS = 40000 };

/* Mean weights of a group's workers over many rounds, and how often each takes part. */
static void draw_many(const hsgd_variant *v, const double *share, double *mean, double *often, size_t *fewest,
                      size_t *most)
{
    double weight[SIZE], cumulative[SIZE];
    size_t order[SIZE];
    memset(mean, 0, SIZE * sizeof *mean);
    memset(often, 0, SIZE * sizeof *often);
    *fewest = SIZE;
    *most = 0;
    for (size_t t = 0; t < ROUNDS; t++) {
        size_t count = 0;
        double sum = 0;
        hsgd_variant_draw(weight, v, share, 3, SIZE, 11, t, order, cumulative);
        for (size_t j = 0; j < SIZE; j++) {
            sum += weight[j];
            mean[j] += weight[j] / ROUNDS;
            often[j] += (weight[j] > 0) / (double)ROUNDS;
            count += weight[j] > 0;
        }
        assert_close(sum, 1, 1e-14);
        *fewest = count < *fewest ? count : *fewest;
        *most = count > *most ? count : *most;
    }
}

/* A share of ROUNDS draws with probability p lies within this of it but for 1e-9. */
static double tolerance(double p)
{
    return gsl_cdf_ugaussian_Qinv(5e-10) * sqrt(p * (1 - p) / ROUNDS);
}

static void participants_are_drawn_uniformly(void **state)
{
    (void)state;
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    double mean[SIZE], often[SIZE];
    size_t fewest, most;
    v.participation = 0.4; /* 2.8 of 7: three */
    draw_many(&v, NULL, mean, often, &fewest, &most);
    assert_true(fewest == 3 && most == 3);
    for (size_t j = 0; j < SIZE; j++) {
        assert_near(often[j], 3. / 7, tolerance(3. / 7));
        assert_near(mean[j], often[j] / 3, 1e-12);
    }
    const double share[SIZE] = {0.3, 0.05, 0.1, 0.2, 0.15, 0.15, 0.05};
    draw_many(&v, share, mean, often, &fewest, &most);
    for (size_t j = 0; j < SIZE; j++)
        assert_near(often[j], 3. / 7, tolerance(3. / 7));
}

/* With replacement the mean of a weight is p_j/p_u, and a worker is left out of k draws with probability (1 - p)^k. */
static void draws_with_replacement_have_the_weights(void **state)
{
    (void)state;
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    double mean[SIZE], often[SIZE];
    size_t fewest, most;
    v.participants = 3;
    v.with_replacement = true;
    const double share[SIZE] = {0.3, 0.05, 0.1, 0.2, 0.15, 0.15, 0.05};
    draw_many(&v, share, mean, often, &fewest, &most);
    assert_true(fewest == 1 && most == 3);
    for (size_t j = 0; j < SIZE; j++) {
        double p = 1 - pow(1 - share[j], 3);
        assert_near(mean[j], share[j], tolerance(share[j]));
        assert_near(often[j], p, tolerance(p));
    }
    v.participants = 20;
    assert_true(hsgd_variant_group_size(&v, SIZE) == 20);
    v.with_replacement = false;
    assert_true(hsgd_variant_group_size(&v, SIZE) == SIZE);
    v.participants = 0;
    v.participation = 0.01;
    assert_true(hsgd_variant_group_size(&v, SIZE) == 1);
}

/* Over many seeds, the mean step of a group's model is that of full participation: the draw is unbiased. */
static void participation_is_unbiased(void **state)
{
    (void)state;
    enum { SEEDS = 4000 };
    hsgd_hierarchy h = uniform((size_t[]){2, 6}, (size_t[]){2, 1}, 2);
    hsgd_quadratic q = generated(&h);
    hsgd_objective f;
    hsgd_trace all, some;
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    q.noise_sq = 0;
    v.participants = 2;
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    hsgd_simulation s = {.objective = &f,
                         .hierarchy = &h,
                         .initial = initial,
                         .step_size = 0.3,
                         .steps = 2,
                         .measure_every = 1,
                         .threads = 1};
    assert_ok(hsgd_simulate(&all, &s, &err), err);
    double sum[DIM] = {0}, sum_sq[DIM] = {0};
    s.variant = &v;
    for (s.seed = 0; s.seed < SEEDS; s.seed++) {
        assert_ok(hsgd_simulate(&some, &s, &err), err);
        for (size_t i = 0; i < DIM; i++) {
            double off = some.final_point[i] - all.final_point[i];
            sum[i] += off / SEEDS;
            sum_sq[i] += off * off / SEEDS;
        }
        hsgd_trace_free(&some);
    }
    for (size_t i = 0; i < DIM; i++) /* gradients are affine: linear in who takes part */
        assert_at_most(fabs(sum[i]), gsl_cdf_ugaussian_Qinv(1e-10) * sqrt(sum_sq[i] / SEEDS), 0);
    hsgd_trace_free(&all);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

/* ---- what is legal ---- */

static void illegal_values_are_named(void **state)
{
    (void)state;
    struct {
        hsgd_variant v;
        const char *place, *legal;
    } bad[7];
    for (size_t i = 0; i < 7; i++)
        bad[i].v = HSGD_PLAIN_VARIANT;
    bad[0].v.momentum = 1, bad[0].place = "momentum.factor: 1", bad[0].legal = "[0, 1)";
    bad[1].v.momentum = NAN, bad[1].place = "momentum.factor: nan", bad[1].legal = "[0, 1)";
    bad[2].v.participation = 0, bad[2].place = "participation.fraction: 0", bad[2].legal = "(0, 1]";
    bad[3].v.group_step_size = -1, bad[3].place = "group_step_size: -1", bad[3].legal = "positive";
    bad[4].v.global_step_size = INFINITY, bad[4].place = "global_step_size: inf", bad[4].legal = "positive";
    bad[5].v.decay = HSGD_DECAY_INVERSE, bad[5].place = "decay.scale: 0", bad[5].legal = "positive";
    bad[6].v.decay = HSGD_DECAY_STEPS, bad[6].v.decay_scale = 3, bad[6].v.decay_factor = 1.5;
    bad[6].place = "decay.factor: 1.5", bad[6].legal = "(0, 1]";
    for (size_t i = 0; i < 7; i++) {
        hsgd_status status = hsgd_variant_check(&bad[i].v, &err);
        assert_true(status == HSGD_ERROR_INPUT);
        assert_non_null(strstr(err.message, bad[i].place));
        assert_non_null(strstr(err.message, bad[i].legal));
    }
}

static void descriptions_name_what_differs(void **state)
{
    (void)state;
    char text[HSGD_VARIANT_TEXT_SIZE];
    hsgd_variant v = HSGD_PLAIN_VARIANT;
    hsgd_variant_describe(&v, text);
    assert_string_equal(text, "");
    static const struct {
        hsgd_decay decay;
        const char *says;
    } decays[] = {{HSGD_DECAY_INVERSE, "step size / (1 + t/40)"},
                  {HSGD_DECAY_INVERSE_SQRT, "step size / sqrt(1 + t/40)"},
                  {HSGD_DECAY_STEPS, "step size * 0.5 every 40 steps"},
                  {HSGD_DECAY_COSINE, "cosine decay of the step size"}};
    for (size_t i = 0; i < sizeof decays / sizeof *decays; i++) {
        v = HSGD_PLAIN_VARIANT;
        v.decay = decays[i].decay;
        v.decay_scale = 40;
        v.decay_factor = 0.5;
        hsgd_variant_describe(&v, text);
        assert_string_equal(text, decays[i].says);
    }
    v = HSGD_PLAIN_VARIANT;
    v.warmup_steps = 7;
    v.momentum = 0.9;
    v.momentum_rule = HSGD_MOMENTUM_AVERAGED;
    v.participants = 3;
    v.regroup = true;
    v.group_step_size = 1.5;
    v.global_step_size = 2;
    hsgd_variant_describe(&v, text);
    assert_string_equal(text,
                        "7 warm-up steps, momentum 0.9, averaged at averages, 3 workers of every group take part in a "
                        "round, each at most once, new groups at every global round, group step size 1.5, global "
                        "step size 2");
    v = HSGD_PLAIN_VARIANT;
    v.participation = 0.25;
    v.with_replacement = true;
    hsgd_variant_describe(&v, text);
    assert_string_equal(text, "25 % of every group take part in a round, with replacement");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step_factors_are_those_of_the_definition),
        cmocka_unit_test(step_sizes_decay_as_they_should),
        cmocka_unit_test(momentum_agrees_with_loops),
        cmocka_unit_test(participation_agrees_with_loops),
        cmocka_unit_test(step_sizes_of_averages_agree_with_loops),
        cmocka_unit_test(regrouping_agrees_with_loops),
        cmocka_unit_test(all_at_once_agree_with_loops),
        cmocka_unit_test(plain_values_change_nothing),
        cmocka_unit_test(same_bits_for_any_threads_order_and_path),
        cmocka_unit_test(participants_are_drawn_uniformly),
        cmocka_unit_test(draws_with_replacement_have_the_weights),
        cmocka_unit_test(participation_is_unbiased),
        cmocka_unit_test(illegal_values_are_named),
        cmocka_unit_test(descriptions_name_what_differs),
    };
    return cmocka_run_group_tests_name("variant", tests, NULL, NULL);
}
