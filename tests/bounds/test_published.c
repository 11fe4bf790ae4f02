/* SPDX-License-Identifier: GPL-3.0-or-later */
/* THEORY 4.1 and 5. Expected numbers: the formulas for one level, two levels and uniform trees with plain numbers put
 * in; random grouping by enumerating all placements of the workers. */
#include "tests/bounds/cases.h"

/* The tree of most tests: three groups of sizes 3, 2, 4 with periods 4, 6, 2, aggregated every 12 steps. */
static void three_groups(hsgd_bound_params *p)
{
    hsgd_error err;
    hsgd_hierarchy h;
    const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 12, 0}, {0, 4, 3}, {0, 6, 2}, {0, 2, 4}};
    const double divergence_sq[] = {0.83, 1.7, 0.29, 2.3};
    assert_ok(hsgd_hierarchy_tree(&h, spec, 4, &err), err);
    assert_ok(hsgd_bound_params_init(p, &h, divergence_sq, NULL, &err), err);
    set_scalars(p, 0.0071, 137, 1.9, 0.64, 2.385);
    hsgd_hierarchy_free(&h);
}

static void two_levels_with_unequal_groups(void **state)
{
    (void)state;
    hsgd_bound_params p;
    three_groups(&p);
    double c_gamma_sq = 40 * 1.9 * 1.9 / 3 * 0.0071 * 0.0071;
    hsgd_bound_value v = evaluate("hsgd-fixed", &p);
    assert_true(v.applicable);
    assert_int_equal(v.num_terms, 6);
    assert_close(term_of(&v, "initial gap"), 2 * 2.385 / (0.0071 * 137), 1e-14);
    assert_close(term_of(&v, "gradient noise"), 0.0071 * 1.9 * 0.64 / 9, 1e-14);
    assert_close(term_of(&v, "noise drift, level 1"), 2 * c_gamma_sq * 12 * 2 / 9 * 0.64, 1e-14);
    assert_close(term_of(&v, "divergence, level 1"), 3 * c_gamma_sq * 144 * 0.83, 1e-14);
    assert_close(term_of(&v, "noise drift, level 2"), 2 * c_gamma_sq / 9 * (2 * 4 + 1 * 6 + 3 * 2) * 0.64, 1e-14);
    assert_close(term_of(&v, "divergence, level 2"), 3 * c_gamma_sq * (3 * 16 * 1.7 + 2 * 36 * 0.29 + 4 * 4 * 2.3) / 9,
                 1e-14);
    double sum = 0;
    for (size_t i = 0; i < v.num_terms; i++)
        sum += v.term[i].value;
    assert_close(v.value, sum, 1e-15);
    assert_close(v.max_step_size, 1 / (2 * 2.449489742783178 * 1.9 * 12), 1e-14);
    hsgd_bound_params_free(&p);
}

static void local_sgd_uses_the_smallest_and_the_largest_period(void **state)
{
    (void)state;
    hsgd_bound_params p;
    three_groups(&p);
    double eps_sq = 0.83 + (3 * 1.7 + 2 * 0.29 + 4 * 2.3) / 9; /* D_1 + D_2, the default */
    assert_close(p.global_divergence_sq, eps_sq, 1e-14);
    p.global_divergence_sq = eps_sq = 3.71;
    double c_gamma_sq = 40 * 1.9 * 1.9 / 3 * 0.0071 * 0.0071;
    double base = 2 * 2.385 / (0.0071 * 137) + 0.0071 * 1.9 * 0.64 / 9;
    for (int outer = 0; outer < 2; outer++) {
        double period = outer ? 12 : 2;
        hsgd_bound_value v = evaluate(outer ? "local-sgd-outer" : "local-sgd-inner", &p);
        assert_true(v.applicable);
        assert_int_equal(v.num_terms, 4);
        assert_close(v.value, base + 2 * c_gamma_sq * period * 8 / 9 * 0.64 + 3 * c_gamma_sq * period * period * eps_sq,
                     1e-14);
        assert_close(v.max_step_size, 1 / (2 * sqrt(6) * 1.9 * period), 1e-14);
    }
    hsgd_bound_params_free(&p);
}

/* n_k = 3, 6, 30 at P_k = 30, 10, 2. */
static void uniform_tree_with_three_levels(void **state)
{
    (void)state;
    hsgd_bound_params p;
    uniform_params(&p, (size_t[]){3, 2, 5}, (size_t[]){30, 10, 2}, 3, (double[]){0.7, 1.3, 0.41});
    set_scalars(&p, 0.0023, 91, 2.7, 1.44, 0.37);
    double c_gamma_sq = 40 * 2.7 * 2.7 / 3 * 0.0023 * 0.0023;
    double base = 2 * 0.37 / (0.0023 * 91) + 0.0023 * 2.7 * 1.44 / 30;
    double noise = 2 * c_gamma_sq * 1.44 * (30 * 2 + 10 * 3 + 2 * 24) / 30.0;
    assert_close(value_of("hsgd-fixed", &p), base + noise + 3 * c_gamma_sq * (900 * 0.7 + 100 * 1.3 + 4 * 0.41), 1e-14);
    p.global_divergence_sq = 1.77;
    double lambda_sum = (900 * 2 + 100 * 3 + 4 * 24) / 29.0;
    assert_close(value_of("hsgd-random", &p), base + noise + 3 * c_gamma_sq * 1.77 * lambda_sum, 1e-14);
    hsgd_bound_params_free(&p);
}

static void no_curvature_and_a_single_worker(void **state)
{
    (void)state;
    hsgd_bound_params p;
    uniform_params(&p, (size_t[]){4, 2}, (size_t[]){1000000000, 5}, 2, (double[]){0.7, 1.3});
    set_scalars(&p, 17.3, 91, 0, 1.44, 0.37);
    static const char *const id[] = {"local-sgd-inner", "local-sgd-outer", "hsgd-fixed", "hsgd-random"};
    for (size_t i = 0; i < 4; i++) {
        hsgd_bound_value v = evaluate(id[i], &p);
        assert_true(v.applicable);
        assert_true(isinf(v.max_step_size));
        assert_close(v.value, 2 * 0.37 / (17.3 * 91), 1e-14);
    }
    hsgd_bound_params_free(&p);
    /* one worker: nothing to average, so no divergence is needed either, and the period is 1 */
    uniform_params(&p, (size_t[]){1, 1}, (size_t[]){20, 5}, 2, NULL);
    set_scalars(&p, 0.19, 7, 0.9, 1.44, 0.37);
    for (size_t i = 0; i < 4; i++) {
        hsgd_bound_value v = evaluate(id[i], &p);
        assert_true(v.applicable);
        assert_int_equal(v.num_terms, 2);
        assert_close(v.value, 2 * 0.37 / (0.19 * 7) + 0.19 * 0.9 * 1.44, 1e-14);
        assert_close(v.max_step_size, 1 / (2 * sqrt(6) * 0.9), 1e-14);
    }
    hsgd_bound_params_free(&p);
}

/* Levels have two digits from the tenth on; each term is found under its name, and all add up to the bound. */
static void twelve_levels_have_their_names(void **state)
{
    (void)state;
    hsgd_bound_params p;
    size_t fanout[12], periods[12];
    double divergence_sq[12], sum = 0;
    for (size_t k = 0; k < 12; k++) {
        fanout[k] = 2;
        periods[k] = (size_t)1 << (11 - k);
        divergence_sq[k] = 0.1 * (double)(k + 1);
    }
    uniform_params(&p, fanout, periods, 12, divergence_sq);
    set_scalars(&p, 1e-5, 4096, 0.9, 1.44, 0.37);
    hsgd_bound_value v = evaluate("hsgd-fixed", &p);
    assert_true(v.applicable);
    assert_int_equal(v.num_terms, 2 + 2 * 12);
    for (size_t k = 0; k < 12; k++) {
        char name[64];
        snprintf(name, sizeof name, "divergence, level %zu", k + 1);
        assert_true(term_of(&v, name) > 0);
        snprintf(name, sizeof name, "noise drift, level %zu", k + 1);
        assert_true(term_of(&v, name) > 0);
    }
    for (size_t i = 0; i < v.num_terms; i++)
        sum += v.term[i].value;
    assert_close(sum, v.value, 1e-14);
    /* 3 C gamma^2 P_k^2 D_k with C = 40 L^2/3 */
    assert_close(term_of(&v, "divergence, level 10"), 40 * 0.81 * 1e-10 * 16 * 1.0, 1e-12);
    hsgd_bound_params_free(&p);
}

/* ---- random grouping ---- */

/* sum over the nodes of one depth of (|u|/n) P_u^2 beta_u^2, from the gradients (n, 2) of the workers in their places;
 * h has one entry per node. */
static double weighted_divergence(const hsgd_hierarchy *h, const double *gradient, const size_t *place, size_t depth)
{
    double sum = 0;
    for (size_t u = 0; u < h->num_nodes; u++) {
        if (h->node[u].depth != depth)
            continue;
        double period = (double)h->node[u].period;
        for (size_t i = 0; i < 2; i++) {
            double mean = 0, spread = 0;
            size_t first = h->node[u].first_worker, count = h->node[u].num_workers;
            for (size_t j = first; j < first + count; j++)
                mean += gradient[2 * place[j] + i] / (double)count;
            for (size_t v = u + 1; v < h->node[u].end; v++) {
                if (h->node[v].parent != u)
                    continue;
                double child_mean = 0;
                for (size_t j = 0; j < h->node[v].num_workers; j++)
                    child_mean += gradient[2 * place[h->node[v].first_worker + j] + i];
                child_mean /= (double)h->node[v].num_workers;
                spread += (double)h->node[v].num_workers * (child_mean - mean) * (child_mean - mean);
            }
            for (size_t j = first; hsgd_node_is_lowest(h, u) && j < first + count; j++)
                spread += pow(gradient[2 * place[j] + i] - mean, 2);
            sum += period * period * spread / (double)h->num_workers;
        }
    }
    return sum;
}

static bool next_permutation(size_t *place, size_t n)
{
    size_t i = n - 1;
    while (i > 0 && place[i - 1] > place[i])
        i--;
    if (i == 0)
        return false;
    size_t j = n - 1;
    while (place[j] < place[i - 1])
        j--;
    size_t swap = place[i - 1];
    place[i - 1] = place[j];
    place[j] = swap;
    for (size_t a = i, b = n - 1; a < b; a++, b--) {
        swap = place[a];
        place[a] = place[b];
        place[b] = swap;
    }
    return true;
}

static double total_divergence(const double *gradient, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < 2; i++) {
        double mean = 0;
        for (size_t j = 0; j < n; j++)
            mean += gradient[2 * j + i] / (double)n;
        for (size_t j = 0; j < n; j++)
            sum += pow(gradient[2 * j + i] - mean, 2) / (double)n;
    }
    return sum;
}

/* The divergence terms of hsgd-random against the mean over all n! placements of random gradients. */
static void check_all_groupings(const hsgd_node_spec *spec, size_t num_specs, uint64_t seed)
{
    hsgd_error err;
    hsgd_hierarchy h;
    hsgd_bound_params p;
    assert_ok(hsgd_hierarchy_tree(&h, spec, num_specs, &err), err);
    assert_ok(hsgd_bound_params_init(&p, &h, NULL, NULL, &err), err);
    size_t n = h.num_workers, place[8], count = 0;
    double gradient[16], mean[3] = {0, 0, 0};
    gsl_rng *rng = test_rng(seed);
    for (size_t i = 0; i < 2 * n; i++)
        gradient[i] = uniform_between(rng, -1, 2);
    gsl_rng_free(rng);
    for (size_t j = 0; j < n; j++)
        place[j] = j;
    do {
        count++;
        for (size_t k = 0; k < h.num_levels; k++)
            mean[k] += weighted_divergence(&h, gradient, place, k);
    } while (next_permutation(place, n));
    set_scalars(&p, 0.0031, 77, 1.3, 0, 0);
    p.global_divergence_sq = total_divergence(gradient, n);
    hsgd_bound_value v = evaluate("hsgd-random", &p);
    assert_true(v.applicable);
    for (size_t k = 0; k < h.num_levels; k++) {
        char name[HSGD_TERM_NAME_SIZE];
        snprintf(name, sizeof name, "divergence, level %zu", k + 1);
        assert_close(term_of(&v, name), 3 * (40 * 1.3 * 1.3 / 3) * 0.0031 * 0.0031 * mean[k] / (double)count, 1e-11);
    }
    hsgd_bound_params_free(&p);
    hsgd_hierarchy_free(&h);
}

static void random_grouping_is_the_mean_over_all_placements(void **state)
{
    (void)state;
    check_all_groupings((const hsgd_node_spec[]){{HSGD_NO_NODE, 12, 0}, {0, 3, 3}, {0, 4, 3}}, 3, 1);
    check_all_groupings((const hsgd_node_spec[]){{HSGD_NO_NODE, 12, 0}, {0, 3, 2}, {0, 4, 4}, {0, 6, 2}}, 4, 2);
    check_all_groupings((const hsgd_node_spec[]){{HSGD_NO_NODE, 10, 5}}, 1, 3);
    check_all_groupings(
        (const hsgd_node_spec[]){
            {HSGD_NO_NODE, 12, 0}, {0, 6, 0}, {1, 3, 2}, {1, 2, 2}, {0, 4, 0}, {4, 2, 2}, {4, 1, 2}},
        7, 4);
    /* groups at different depths: the second child of the root is a lowest group already */
    check_all_groupings((const hsgd_node_spec[]){{HSGD_NO_NODE, 12, 0}, {0, 6, 0}, {1, 3, 2}, {1, 2, 2}, {0, 4, 3}}, 5,
                        5);
}

/* ---- conditions ---- */

static void step_sizes_at_the_limit_are_refused(void **state)
{
    (void)state;
    hsgd_bound_params p;
    uniform_params(&p, (size_t[]){3, 4}, (size_t[]){10, 5}, 2, (double[]){0.7, 1.3});
    set_scalars(&p, 0.3, 91, 1, 1.44, 0.37);
    check_refused("hsgd-fixed", &p, "step size 0.3 is not below 0.0204124 = 1/(2 sqrt(6) L G)");
    check_refused("hsgd-random", &p, "1/(2 sqrt(6) L G)");
    check_refused("local-sgd-outer", &p, "1/(2 sqrt(6) L G)");
    check_refused("local-sgd-inner", &p, "step size 0.3 is not below 0.0408248 = 1/(2 sqrt(6) L I)");
    double limit = evaluate("hsgd-fixed", &p).max_step_size;
    assert_close(limit, 0.02041241452319315, 1e-14); /* 1/(20 sqrt(6)) */
    p.step_size = limit;
    check_refused("hsgd-fixed", &p, "not below");
    value_of("local-sgd-inner", &p);
    p.step_size = nextafter(limit, 0);
    value_of("hsgd-fixed", &p);
    hsgd_bound_params_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_levels_with_unequal_groups),
        cmocka_unit_test(local_sgd_uses_the_smallest_and_the_largest_period),
        cmocka_unit_test(uniform_tree_with_three_levels),
        cmocka_unit_test(no_curvature_and_a_single_worker),
        cmocka_unit_test(twelve_levels_have_their_names),
        cmocka_unit_test(random_grouping_is_the_mean_over_all_placements),
        cmocka_unit_test(step_sizes_at_the_limit_are_refused),
    };
    return cmocka_run_group_tests_name("published", tests, NULL, NULL);
}
