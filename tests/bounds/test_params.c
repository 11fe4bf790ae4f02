/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Building and checking parameters, the registry, and what every bound must do alike. */
#include "tests/bounds/cases.h"

static void initial_values(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h;
    hsgd_bound_params p;
    memset(&p, 0x5a, sizeof p);
    assert_ok(hsgd_hierarchy_uniform(&h, (size_t[]){3, 4}, (size_t[]){10, 5}, 2, &err), err);
    assert_ok(hsgd_bound_params_init(&p, &h, NULL, NULL, &err), err);
    assert_null(p.divergence_sq);
    assert_null(p.child_deviation_max_sq);
    assert_int_equal(p.steps, 0);
    const double unknown[] = {
        p.global_divergence_sq, p.worker_deviation_max_sq, p.step_size, p.smoothness, p.noise_sq, p.delta};
    for (size_t i = 0; i < 6; i++)
        assert_true(isnan(unknown[i]));
    hsgd_bound_params_free(&p);
    assert_null(p.tree.node);
    hsgd_bound_params_free(&p);
    hsgd_bound_params_free(NULL);
    assert_ok(hsgd_bound_params_init(&p, &h, (double[]){0.7, 1.3}, NULL, &err), err);
    assert_close(p.global_divergence_sq, 2, 1e-15);
    hsgd_bound_params_free(&p);
    hsgd_hierarchy_free(&h);
}

/* root(12): [ a(12): [ b(2): 3 workers, c(4): 1 worker ], d(12): 2 workers, e(3): 2 workers ]: a and d merge into the
 * root, c disappears. The root's children are then b, the worker of c, the workers of d, and e. */
static void maxima_of_merged_entries(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h;
    hsgd_bound_params p;
    const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 12, 0}, {0, 12, 0}, {1, 2, 3}, {1, 4, 1}, {0, 12, 2}, {0, 3, 2}};
    const double max_sq[] = {0.81, 1.44, 0.37, 99, 0.25, 0.9};
    assert_ok(hsgd_hierarchy_tree(&h, spec, 6, &err), err);
    assert_ok(hsgd_bound_params_init(&p, &h, NULL, max_sq, &err), err);
    assert_int_equal(p.tree.num_nodes, 3);
    assert_close(p.child_deviation_max_sq[0], (0.9 + 1.2) * (0.9 + 1.2), 1e-14);
    assert_true(p.child_deviation_max_sq[1] == 0.37);
    assert_true(p.child_deviation_max_sq[2] == 0.9);
    hsgd_bound_params_free(&p);
    hsgd_hierarchy_free(&h);
    /* fanout 1, then three merged levels: (0.5 + 0.25 + 1.5)^2; the node below stays as it was */
    assert_ok(hsgd_hierarchy_uniform(&h, (size_t[]){1, 4, 1, 3, 2, 5}, (size_t[]){60, 20, 20, 20, 20, 4}, 6, &err),
              err);
    assert_ok(hsgd_bound_params_init(&p, &h, NULL, (double[]){7, 0.25, 5, 0.0625, 2.25, 0.3}, &err), err);
    assert_int_equal(p.tree.num_nodes, 2);
    assert_close(p.child_deviation_max_sq[0], 2.25 * 2.25, 1e-14);
    assert_true(p.child_deviation_max_sq[1] == 0.3);
    hsgd_bound_params_free(&p);
    /* one unknown maximum makes the merged one unknown */
    assert_ok(hsgd_bound_params_init(&p, &h, NULL, (double[]){7, 0.25, 5, NAN, 2.25, 0.3}, &err), err);
    assert_true(isnan(p.child_deviation_max_sq[0]));
    hsgd_bound_params_free(&p);
    hsgd_hierarchy_free(&h);
}

/* The maxima carried over stay above the true maxima of the canonical tree, for random trees and worker gradients. */
static double true_mean(const double *gradient, size_t first, size_t count)
{
    double sum = 0;
    for (size_t j = first; j < first + count; j++)
        sum += gradient[j];
    return sum / (double)count;
}

/* Largest squared deviation of a child's mean; h has one entry per node, and lone workers are children as well. */
static double true_maximum(const hsgd_hierarchy *h, size_t u, const double *gradient)
{
    const hsgd_node *node = &h->node[u];
    double mean = true_mean(gradient, node->first_worker, node->num_workers), largest = 0;
    size_t next = node->first_worker;
    for (size_t v = u + 1; v <= node->end; v++) {
        bool child = v < node->end && h->node[v].parent == u;
        if (v < node->end && !child)
            continue;
        size_t until = child ? h->node[v].first_worker : node->first_worker + node->num_workers;
        for (; next < until; next++)
            largest = fmax(largest, pow(gradient[next] - mean, 2));
        if (!child)
            continue;
        next += h->node[v].num_workers;
        largest = fmax(largest, pow(true_mean(gradient, h->node[v].first_worker, h->node[v].num_workers) - mean, 2));
    }
    return largest;
}

static void carried_maxima_stay_above_the_true_ones(void **state)
{
    (void)state;
    gsl_rng *rng = test_rng(51);
    hsgd_error err;
    for (int i = 0; i < 1000; i++) {
        hsgd_hierarchy h;
        hsgd_bound_params p;
        double gradient[5 * MAX_SPECS], max_sq[MAX_SPECS];
        random_tree(&h, rng);
        for (size_t j = 0; j < h.num_workers; j++)
            gradient[j] = uniform_between(rng, -1, 1);
        for (size_t u = 0; u < h.num_nodes; u++)
            max_sq[u] = true_maximum(&h, u, gradient);
        assert_ok(hsgd_bound_params_init(&p, &h, NULL, max_sq, &err), err);
        for (size_t u = 0; u < p.tree.num_nodes; u++)
            assert_at_most(true_maximum(&p.tree, u, gradient), p.child_deviation_max_sq[u], 1e-12);
        hsgd_bound_params_free(&p);
        hsgd_hierarchy_free(&h);
    }
    gsl_rng_free(rng);
}

static void checks_name_the_field(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h;
    hsgd_bound_params p;
    assert_ok(hsgd_hierarchy_uniform(&h, (size_t[]){3, 4}, (size_t[]){10, 5}, 2, &err), err);
    assert_ok(hsgd_bound_params_init(&p, &h, (double[]){0.7, 1.3}, (double[]){0.9, 1.4}, &err), err);
    hsgd_hierarchy_free(&h);
    set_scalars(&p, 0.01, 5, 1, 0, INFINITY);
    assert_ok(hsgd_bound_params_check(&p, &err), err);
    struct {
        double *field, bad[3];
        const char *name;
    } cases[] = {
        {&p.step_size, {0, NAN, INFINITY}, "step_size: "},
        {&p.smoothness, {-1, NAN, INFINITY}, "L: "},
        {&p.noise_sq, {-1, NAN, INFINITY}, "sigma_sq: "},
        {&p.delta, {-1, NAN, -INFINITY}, "delta: "},
        {&p.global_divergence_sq, {-1, -1e-300, INFINITY}, "global_divergence_sq: "},
        {&p.worker_deviation_max_sq, {-1, -1e-300, INFINITY}, "worker_deviation_max_sq: "},
        {&p.divergence_sq[1], {-1, -1e-300, INFINITY}, "level_divergence_sq: "},
        {&p.child_deviation_max_sq[1], {-1, -1e-300, INFINITY}, "level_deviation_max_sq: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double good = *cases[i].field;
        for (size_t j = 0; j < 3; j++) {
            *cases[i].field = cases[i].bad[j];
            assert_fails(hsgd_bound_params_check(&p, &err), HSGD_ERROR_INPUT, cases[i].name, err);
            assert_ptr_equal(strstr(err.message, cases[i].name), err.message);
        }
        *cases[i].field = good;
    }
    p.global_divergence_sq = p.worker_deviation_max_sq = p.divergence_sq[0] = NAN; /* unknown, which is legal */
    assert_ok(hsgd_bound_params_check(&p, &err), err);
    p.steps = 0;
    assert_fails(hsgd_bound_params_check(&p, &err), HSGD_ERROR_INPUT, "steps: 0", err);
    p.steps = 5;
    p.participants = 12;
    assert_ok(hsgd_bound_params_check(&p, &err), err);
    p.participants = 13;
    assert_fails(hsgd_bound_params_check(&p, &err), HSGD_ERROR_INPUT, "participants: 13 is more than the 12", err);
    hsgd_bound_params_free(&p);
}

static void registry(void **state)
{
    (void)state;
    static const char *const id[] = {"local-sgd-inner",       "local-sgd-outer",       "hsgd-fixed",
                                     "hsgd-random",           "local-sgd-inner-sharp", "local-sgd-outer-sharp",
                                     "hsgd-fixed-sharp",      "hsgd-random-sharp",     "hsgd-fixed-recursive",
                                     "hsgd-random-recursive", "jiang-zhu-2024",        "fedvarp-2022",
                                     "mll-sgd-2021",          "hierfavg-2020"};
    assert_int_equal(hsgd_num_bounds, sizeof id / sizeof id[0]);
    for (size_t i = 0; i < hsgd_num_bounds; i++) {
        const hsgd_bound *bound = hsgd_bounds[i];
        assert_string_equal(bound->id, id[i]);
        assert_ptr_equal(hsgd_bound_find(id[i]), bound);
        assert_true(bound->title[0] && bound->citation[0] && bound->eval);
        /* the bounds of the toolkit are named after the algorithm they are about */
        const char *algorithm = hsgd_algorithm_name(bound->algorithm);
        if (strncmp(id[i], "local", 5) == 0 || strncmp(id[i], "hsgd-random", 11) == 0)
            assert_int_equal(strncmp(id[i], algorithm, strlen(algorithm)), 0);
        if (strncmp(id[i], "hsgd-fixed", 10) == 0)
            assert_string_equal(algorithm, "hsgd");
        if (strncmp(id[i], "local", 5) == 0 || strncmp(id[i], "hsgd", 4) == 0)
            assert_string_equal(hsgd_target_name(bound->target), "S");
    }
    assert_null(hsgd_bound_find("hsgd"));
    assert_null(hsgd_bound_find(""));
    assert_string_equal(hsgd_target_name(hsgd_bound_find("jiang-zhu-2024")->target), "S_min");
    assert_string_equal(hsgd_target_name(hsgd_bound_find("fedvarp-2022")->target), "S_round");
    assert_string_equal(hsgd_target_name(hsgd_bound_find("mll-sgd-2021")->target), "S");
    assert_string_equal(hsgd_target_name(hsgd_bound_find("hierfavg-2020")->target), "distance");
    assert_string_equal(hsgd_algorithm_name(hsgd_bound_find("fedvarp-2022")->algorithm), "local-sgd-outer");
}

/* Which bounds a missing quantity, an unbounded f and weights rule out. */
static void reasons(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h;
    hsgd_bound_params p;
    uniform_params(&p, (size_t[]){3, 4}, (size_t[]){10, 5}, 2, NULL);
    set_scalars(&p, 0.001, 91, 1, 1.44, 0.37);
    for (size_t i = 0; i < 10; i++) {
        bool fixed = strncmp(hsgd_bounds[i]->id, "hsgd-fixed", 10) == 0;
        check_refused(hsgd_bounds[i]->id, &p,
                      fixed ? "level_divergence_sq is needed" : "global_divergence_sq is needed");
        assert_true(evaluate(hsgd_bounds[i]->id, &p).max_step_size > 0.001);
    }
    hsgd_bound_params_free(&p);
    uniform_params(&p, (size_t[]){3, 4}, (size_t[]){10, 5}, 2, (double[]){0.7, 1.3});
    set_scalars(&p, 0.001, 91, 1, 1.44, INFINITY);
    for (size_t i = 0; i < 10; i++) {
        check_refused(hsgd_bounds[i]->id, &p, "f is not bounded below, or not known to be, so Delta is infinite");
        assert_true(evaluate(hsgd_bounds[i]->id, &p).max_step_size > 0.001);
    }
    p.delta = 1e308;
    check_refused("hsgd-fixed", &p, "overflows");
    hsgd_bound_params_free(&p);
    assert_ok(hsgd_hierarchy_tree(&h, (hsgd_node_spec[]){{HSGD_NO_NODE, 10, 0}, {0, 5, 2}, {0, 5, 2}}, 3, &err), err);
    assert_ok(hsgd_hierarchy_set_weights(&h, (double[]){1, 2, 3, 4}, &err), err);
    assert_ok(hsgd_bound_params_init(&p, &h, (double[]){0.7, 1.3, 0.4}, (double[]){0.7, 1.3, 0.4}, &err), err);
    set_scalars(&p, 0.001, 91, 1, 0, 0.37);
    p.worker_deviation_max_sq = 2;
    for (size_t i = 0; i < hsgd_num_bounds; i++) {
        const char *id = hsgd_bounds[i]->id;
        bool derived = strstr(id, "-sharp") || strstr(id, "-recursive");
        if (derived && !strstr(id, "random"))
            value_of(id, &p);
        else
            check_refused(id, &p, "published for equal weights of the workers only");
    }
    hsgd_bound_params_free(&p);
    hsgd_hierarchy_free(&h);
}

/* Nothing crashes or returns a NAN as if it were a value, whatever legal numbers come in. */
static void extreme_numbers(void **state)
{
    (void)state;
    static const double extreme[] = {0, 1e-320, 1e-200, 1e-12, 1, 1e12, 1e200, 1e308};
    gsl_rng *rng = test_rng(52);
    for (int i = 0; i < 4000; i++) {
        hsgd_bound_params p;
        random_params(&p, rng, 0.9);
        double pick[6];
        for (size_t j = 0; j < 6; j++)
            pick[j] = extreme[gsl_rng_uniform_int(rng, 8)];
        set_scalars(&p, pick[0] > 0 ? pick[0] : 1e-5, (size_t)1 << gsl_rng_uniform_int(rng, 64), pick[1], pick[2],
                    pick[3]);
        p.global_divergence_sq = pick[4];
        for (size_t u = 0; u < p.tree.num_nodes; u++)
            p.divergence_sq[u] = pick[5];
        for (size_t j = 0; j < hsgd_num_bounds; j++) {
            hsgd_bound_value v = evaluate(hsgd_bounds[j]->id, &p);
            assert_true(!v.applicable || isfinite(v.value));
            assert_int_equal(v.applicable, v.reason[0] == '\0');
            assert_int_equal(isnan(v.value), v.num_terms == 0);
            assert_true(isnan(v.value) || v.value >= 0);
        }
        hsgd_bound_params_free(&p);
    }
    gsl_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(initial_values),
        cmocka_unit_test(maxima_of_merged_entries),
        cmocka_unit_test(carried_maxima_stay_above_the_true_ones),
        cmocka_unit_test(checks_name_the_field),
        cmocka_unit_test(registry),
        cmocka_unit_test(reasons),
        cmocka_unit_test(extreme_numbers),
    };
    return cmocka_run_group_tests_name("parameters", tests, NULL, NULL);
}
