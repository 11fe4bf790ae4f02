/* SPDX-License-Identifier: GPL-3.0-or-later */
/* THEORY 4.2 and 4.3. Expected numbers: the recursion for W_u from the leaves upwards on the tree with one entry per
 * node (the code expands it from the top and counts alike nodes once), and the uniform formula by hand. */
#include "tests/bounds/cases.h"

/* W_u from below; h has one entry per node, beta_sq (num_nodes). */
static double within(const hsgd_hierarchy *h, const double *beta_sq, size_t u, double gamma, double smoothness,
                     double noise_sq)
{
    const hsgd_node *node = &h->node[u];
    double period = (double)node->period, size = (double)node->num_workers;
    double share = h->worker_weight ? node->noise_share : ((double)node->num_children - 1) / size;
    double sum = gamma * gamma * (period - 1) * share * noise_sq +
                 2.0 / 3 * gamma * gamma * (period - 1) * (2 * period - 1) * beta_sq[u];
    for (size_t v = u + 1; v < node->end; v++)
        if (h->node[v].parent == u)
            sum += (h->worker_weight ? h->node[v].weight / node->weight : (double)h->node[v].num_workers / size) *
                   within(h, beta_sq, v, gamma, smoothness, noise_sq);
    return sum / (1 - 2 * gamma * gamma * smoothness * smoothness * period * (period - 1));
}

static double expected(const hsgd_bound_params *p, const hsgd_hierarchy *h, const double *beta_sq)
{
    double drift = h->num_nodes ? within(h, beta_sq, 0, p->step_size, p->smoothness, p->noise_sq) : 0;
    return 2 * p->delta / (p->step_size * (double)p->steps) +
           p->step_size * p->smoothness * p->noise_sq * p->tree.noise_share + p->smoothness * p->smoothness * drift;
}

static void general_trees_against_the_recursion_from_below(void **state)
{
    (void)state;
    gsl_rng *rng = test_rng(11);
    for (int i = 0; i < 2000; i++) {
        hsgd_bound_params p;
        random_params(&p, rng, uniform_between(rng, 0.01, 1));
        p.step_size *= uniform_between(rng, 0.1, 2.5); /* beyond the published limit too */
        assert_close(value_of("hsgd-fixed-sharp", &p), expected(&p, &p.tree, p.divergence_sq), 1e-12);
        hsgd_bound_params_free(&p);
    }
    gsl_rng_free(rng);
}

static void uniform_trees_with_copies_against_their_expansion(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy e;
    hsgd_bound_params p;
    uniform_params(&p, (size_t[]){3, 2, 5}, (size_t[]){30, 10, 2}, 3, (double[]){0.7, 1.3, 0.41});
    set_scalars(&p, 0.0087, 91, 1.9, 1.44, 0.37);
    assert_ok(hsgd_hierarchy_expand(&e, &p.tree, &err), err);
    assert_int_equal(e.num_nodes, 10);
    double beta_sq[10];
    for (size_t u = 0; u < 10; u++)
        beta_sq[u] = p.divergence_sq[e.node[u].depth];
    assert_close(value_of("hsgd-fixed-sharp", &p), expected(&p, &e, beta_sq), 1e-13);
    for (size_t u = 0; u < 10; u++) /* THEORY 5: E beta_u^2 = (c_u - 1) n/(|u| (n - 1)) eps~^2 */
        beta_sq[u] = ((double)e.node[u].num_children - 1) * 30 / ((double)e.node[u].num_workers * 29) * 2.41;
    assert_close(value_of("hsgd-random-sharp", &p), expected(&p, &e, beta_sq), 1e-13);
    hsgd_hierarchy_free(&e);
    hsgd_bound_params_free(&p);
}

/* a_k/prod (1 - q_m) with plain numbers: (G, I) = (12, 4), N = 3, n = 6. */
static void two_levels_by_hand(void **state)
{
    (void)state;
    hsgd_bound_params p;
    uniform_params(&p, (size_t[]){3, 2}, (size_t[]){12, 4}, 2, (double[]){0.83, 1.7});
    set_scalars(&p, 0.013, 137, 1.9, 0.64, 2.385);
    double gl_sq = 0.013 * 0.013 * 1.9 * 1.9, q1 = 2 * gl_sq * 12 * 11, q2 = 2 * gl_sq * 4 * 3;
    hsgd_bound_value v = evaluate("hsgd-fixed-sharp", &p);
    assert_true(v.applicable);
    assert_close(term_of(&v, "initial gap"), 2 * 2.385 / (0.013 * 137), 1e-14);
    assert_close(term_of(&v, "gradient noise"), 0.013 * 1.9 * 0.64 / 6, 1e-14);
    assert_close(term_of(&v, "noise drift, level 1"), gl_sq * 11 * 2 / 6 * 0.64 / (1 - q1), 1e-13);
    assert_close(term_of(&v, "divergence, level 1"), gl_sq * 2 / 3 * 11 * 23 * 0.83 / (1 - q1), 1e-13);
    assert_close(term_of(&v, "noise drift, level 2"), gl_sq * 3 * 3 / 6 * 0.64 / (1 - q1) / (1 - q2), 1e-13);
    assert_close(term_of(&v, "divergence, level 2"), gl_sq * 2 / 3 * 3 * 7 * 1.7 / (1 - q1) / (1 - q2), 1e-13);
    assert_close(v.max_step_size, 1 / (1.9 * sqrt(264)), 1e-14);
    /* local SGD, eps~^2 = 0.83 + 1.7 */
    double base = 2 * 2.385 / (0.013 * 137) + 0.013 * 1.9 * 0.64 / 6;
    assert_close(value_of("local-sgd-outer-sharp", &p),
                 base + gl_sq * (11 * 5.0 / 6 * 0.64 + 2.0 / 3 * 11 * 23 * 2.53) / (1 - q1), 1e-13);
    assert_close(value_of("local-sgd-inner-sharp", &p),
                 base + gl_sq * (3 * 5.0 / 6 * 0.64 + 2.0 / 3 * 3 * 7 * 2.53) / (1 - q2), 1e-13);
    hsgd_bound_params_free(&p);
}

/* THEORY 11 quotes 4.992 (4.2) and 6.990 (4.1) for this example. */
static void example_of_the_worst_case_section(void **state)
{
    (void)state;
    hsgd_bound_params p;
    uniform_params(&p, (size_t[]){3, 5}, (size_t[]){4, 2}, 2, (double[]){1, 1});
    set_scalars(&p, 0.99 / (2 * sqrt(6) * 4), 8, 1, 0, 1);
    assert_near(value_of("hsgd-fixed-sharp", &p), 4.992, 0.0005 / 4.992);
    assert_near(value_of("hsgd-fixed", &p), 6.990, 0.0005 / 6.990);
    hsgd_bound_params_free(&p);
}

/* Everything synchronous: minibatch SGD, whatever the tree and the divergences. */
static void period_one_leaves_the_base_terms(void **state)
{
    (void)state;
    hsgd_bound_params p;
    uniform_params(&p, (size_t[]){3, 5}, (size_t[]){1, 1}, 2, (double[]){1.7, 2.9});
    set_scalars(&p, 0.29, 8, 1.3, 0.7, 1.1);
    assert_close(value_of("hsgd-fixed-sharp", &p), 2 * 1.1 / (0.29 * 8) + 0.29 * 1.3 * 0.7 / 15, 1e-14);
    assert_close(value_of("hsgd-fixed-recursive", &p), 2 * 1.1 / (0.29 * 8) + 0.29 * 1.3 * 0.7 / 15, 1e-14);
    hsgd_bound_params_free(&p);
}

static void weights(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h;
    hsgd_bound_params plain, p;
    const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 12, 0}, {0, 4, 2}, {0, 6, 3}};
    const double beta_sq[] = {0.83, 1.7, 0.29};
    assert_ok(hsgd_hierarchy_tree(&h, spec, 3, &err), err);
    assert_ok(hsgd_bound_params_init(&plain, &h, beta_sq, NULL, &err), err);
    set_scalars(&plain, 0.013, 137, 1.9, 0.64, 2.385);
    static const char *const id[] = {"hsgd-fixed-sharp", "local-sgd-inner-sharp", "local-sgd-outer-sharp",
                                     "hsgd-fixed-recursive"};
    /* all equal: nothing changes */
    assert_ok(hsgd_hierarchy_set_weights(&h, (double[]){0.2, 0.2, 0.2, 0.2, 0.2}, &err), err);
    assert_ok(hsgd_bound_params_init(&p, &h, beta_sq, NULL, &err), err);
    set_scalars(&p, 0.013, 137, 1.9, 0.64, 2.385);
    for (size_t i = 0; i < 4; i++)
        assert_close(value_of(id[i], &p), value_of(id[i], &plain), 1e-12);
    hsgd_bound_params_free(&p);
    /* weights (1, 2 | 3, 1, 5)/12: THEORY 4.3 by hand */
    assert_ok(hsgd_hierarchy_set_weights(&h, (double[]){1, 2, 3, 1, 5}, &err), err);
    assert_ok(hsgd_bound_params_init(&p, &h, beta_sq, NULL, &err), err);
    set_scalars(&p, 0.013, 137, 1.9, 0.64, 2.385);
    double a = 5.0 / 9, b = 35.0 / 81, all = 40.0 / 144;
    double gl_sq = 0.013 * 0.013 * 1.9 * 1.9, q1 = 2 * gl_sq * 12 * 11;
    double w_a = (3 * (1 - a) * 0.64 + 2.0 / 3 * 3 * 7 * 1.7) / (1 - 2 * gl_sq * 4 * 3);
    double w_b = (5 * (1 - b) * 0.64 + 2.0 / 3 * 5 * 11 * 0.29) / (1 - 2 * gl_sq * 6 * 5);
    double root = (11 * (0.25 * a + 0.75 * b - all) * 0.64 + 2.0 / 3 * 11 * 23 * 0.83 + 0.25 * w_a + 0.75 * w_b);
    double base = 2 * 2.385 / (0.013 * 137) + 0.013 * 1.9 * 0.64 * all;
    assert_close(value_of("hsgd-fixed-sharp", &p), base + gl_sq * root / (1 - q1), 1e-13);
    assert_close(p.global_divergence_sq, 0.83 + 0.25 * 1.7 + 0.75 * 0.29, 1e-14);
    assert_close(value_of("local-sgd-outer-sharp", &p),
                 base + gl_sq * (11 * (1 - all) * 0.64 + 2.0 / 3 * 11 * 23 * p.global_divergence_sq) / (1 - q1), 1e-13);
    check_refused("hsgd-random-sharp", &p, "equal weights");
    hsgd_bound_params_free(&p);
    hsgd_bound_params_free(&plain);
    hsgd_hierarchy_free(&h);
}

static void conditions_on_the_step_size(void **state)
{
    (void)state;
    hsgd_bound_params p;
    uniform_params(&p, (size_t[]){3, 4}, (size_t[]){10, 5}, 2, (double[]){0.7, 1.3});
    set_scalars(&p, 2.5, 91, 0.5, 1.44, 0.37);
    check_refused("hsgd-fixed-sharp", &p, "step size 2.5 is above 2 = 1/L");
    p.step_size = 0.15; /* 2/sqrt(180) = 0.149071 */
    check_refused("hsgd-fixed-sharp", &p, "step size 0.15 is not below 0.149071 = 1/(L sqrt(2 G (G - 1)))");
    check_refused("hsgd-random-sharp", &p, "(G - 1)");
    check_refused("local-sgd-outer-sharp", &p, "(G - 1)");
    value_of("local-sgd-inner-sharp", &p);
    p.step_size = 0.35; /* 2/sqrt(40) = 0.316228 */
    check_refused("local-sgd-inner-sharp", &p, "step size 0.35 is not below 0.316228 = 1/(L sqrt(2 I (I - 1)))");
    p.step_size = 0.149;
    value_of("hsgd-fixed-sharp", &p);
    hsgd_bound_params_free(&p);
    /* period 1: q = 0, and 1/L itself is admissible */
    uniform_params(&p, (size_t[]){12}, (size_t[]){1}, 1, (double[]){0.7});
    set_scalars(&p, 1 / 0.7, 91, 0.7, 1.44, 0.37);
    assert_close(evaluate("hsgd-fixed-sharp", &p).max_step_size, 1 / 0.7, 1e-15);
    value_of("hsgd-fixed-sharp", &p);
    p.smoothness = 0;
    assert_true(isinf(evaluate("hsgd-fixed-sharp", &p).max_step_size));
    assert_close(value_of("hsgd-fixed-sharp", &p), 2 * 0.37 * 0.7 / 91, 1e-14);
    hsgd_bound_params_free(&p);
}

/* The largest step size as the bound itself says it, and its neighbours: by rounding it may be admissible, but then q < 1 and
 * no term is negative. (G = 477 once gave -5e14.) */
static void at_the_limit_no_term_is_negative(void **state)
{
    (void)state;
    for (size_t period = 2; period < 5000; period++) {
        hsgd_bound_params p;
        uniform_params(&p, (size_t[]){3, 4}, (size_t[]){period, 1}, 2, (double[]){0.7, 1.3});
        set_scalars(&p, 1e-9, 91, 1, 1.44, 0.37);
        double limit = evaluate("hsgd-fixed-sharp", &p).max_step_size;
        p.step_size = nextafter(limit, 0);
        for (int i = 0; i < 3; i++, p.step_size = nextafter(p.step_size, 1)) {
            hsgd_bound_value value = evaluate("hsgd-fixed-sharp", &p);
            for (size_t k = 0; k < value.num_terms; k++)
                assert_true(value.term[k].value >= 0);
        }
        hsgd_bound_params_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(general_trees_against_the_recursion_from_below),
        cmocka_unit_test(uniform_trees_with_copies_against_their_expansion),
        cmocka_unit_test(two_levels_by_hand),
        cmocka_unit_test(example_of_the_worst_case_section),
        cmocka_unit_test(period_one_leaves_the_base_terms),
        cmocka_unit_test(weights),
        cmocka_unit_test(conditions_on_the_step_size),
        cmocka_unit_test(at_the_limit_no_term_is_negative),
    };
    return cmocka_run_group_tests_name("sharpened", tests, NULL, NULL);
}
