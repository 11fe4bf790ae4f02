/* SPDX-License-Identifier: GPL-3.0-or-later */
/* THEORY 4.4. Expected numbers: the formula summed directly, once in its uniform form level by level and once node by
 * node, without running sums or periodicity; and noiseless quadratics, simulated, which the bound must stay above and
 * in one case meets exactly. */
#include "tests/bounds/cases.h"

enum { MAX_STEPS = 130 };

/* ---- direct summation ---- */

/* level_sq (steps, M): the uniform form of THEORY 4.4. */
static void uniform_direct(double *level_sq, const size_t *fanout, const size_t *periods, size_t num_levels,
                           const double *d, double gamma, double smoothness, double noise_sq, size_t steps)
{
    double n = 1;
    for (size_t k = 0; k < num_levels; k++)
        n *= (double)fanout[k];
    for (size_t t = 0; t < steps; t++) {
        double above = 1;
        for (size_t k = 0; k < num_levels; k++) {
            size_t s = t % periods[k];
            double below = above * (double)fanout[k];
            double sum = sqrt((double)s * (below - above) / n * noise_sq);
            for (size_t tau = t - s; tau < t; tau++) {
                double tail = 0;
                for (size_t m = k; m < num_levels; m++)
                    tail += level_sq[tau * num_levels + m];
                sum += sqrt(d[k]) + smoothness * sqrt(tail);
            }
            level_sq[t * num_levels + k] = gamma * gamma * sum * sum;
            above = below;
        }
    }
}

/* W_u(t) and level sums node by node, for a tree with one entry per node: within (steps, num_nodes), level_sq. */
static void tree_direct(double *level_sq, double *within, const hsgd_hierarchy *h, const double *beta_sq, double gamma,
                        double smoothness, double noise_sq, size_t steps)
{
    size_t nodes = h->num_nodes;
    memset(level_sq, 0, steps * h->num_levels * sizeof *level_sq);
    for (size_t t = 0; t < steps; t++)
        for (size_t u = nodes; u-- > 0;) {
            const hsgd_node *node = &h->node[u];
            size_t s = t % node->period;
            double sum = sqrt((double)s * node->noise_share * noise_sq) + (double)s * sqrt(beta_sq[u]);
            for (size_t tau = t - s; tau < t; tau++)
                sum += smoothness * sqrt(within[tau * nodes + u]);
            double b_sq = node->num_children == 1 ? 0 : gamma * gamma * sum * sum;
            within[t * nodes + u] = b_sq;
            for (size_t v = u + 1; v < node->end; v++)
                if (h->node[v].parent == u)
                    within[t * nodes + u] += h->node[v].weight / node->weight * within[t * nodes + v];
            level_sq[t * h->num_levels + node->depth] += node->weight * b_sq;
        }
}

static void uniform_form(void **state)
{
    (void)state;
    const size_t fanout[] = {3, 2, 5}, periods[] = {30, 10, 2};
    const double d[] = {0.7, 1.3, 0.41}, gamma = 0.031, smoothness = 1.7, noise_sq = 0.83;
    double level_sq[MAX_STEPS * 3], got[MAX_STEPS * 3];
    uniform_direct(level_sq, fanout, periods, 3, d, gamma, smoothness, noise_sq, MAX_STEPS);
    hsgd_error err;
    hsgd_hierarchy h, e;
    assert_ok(hsgd_hierarchy_uniform(&h, fanout, periods, 3, &err), err);
    assert_ok(hsgd_dispersion_bound(got, &h, d, gamma, smoothness, noise_sq, MAX_STEPS, &err), err);
    for (size_t i = 0; i < MAX_STEPS * 3; i++)
        assert_close(got[i], level_sq[i], 1e-12);
    assert_ok(hsgd_hierarchy_expand(&e, &h, &err), err);
    double beta_sq[10];
    for (size_t u = 0; u < 10; u++)
        beta_sq[u] = d[e.node[u].depth];
    assert_ok(hsgd_dispersion_bound(got, &e, beta_sq, gamma, smoothness, noise_sq, MAX_STEPS, &err), err);
    for (size_t i = 0; i < MAX_STEPS * 3; i++)
        assert_close(got[i], level_sq[i], 1e-12);
    /* the bound on S, with T below, at and beyond whole multiples of the period 30 */
    const size_t steps[] = {1, 17, 30, 31, 60, 119, 130};
    for (size_t i = 0; i < 7; i++) {
        hsgd_bound_params p;
        uniform_params(&p, fanout, periods, 3, d);
        set_scalars(&p, gamma, steps[i], smoothness, noise_sq, 2.2);
        hsgd_bound_value v = evaluate("hsgd-fixed-recursive", &p);
        assert_true(v.applicable);
        assert_int_equal(v.num_terms, 5);
        double t_steps = (double)steps[i], want = 2 * 2.2 / (gamma * t_steps) + gamma * smoothness * noise_sq / 30;
        for (size_t k = 0; k < 3; k++) {
            char name[HSGD_TERM_NAME_SIZE];
            double mean = 0;
            for (size_t t = 0; t < steps[i]; t++)
                mean += level_sq[3 * t + k] / t_steps;
            snprintf(name, sizeof name, "dispersion, level %zu", k + 1);
            assert_close(term_of(&v, name), smoothness * smoothness * mean, 1e-12);
            want += smoothness * smoothness * mean;
        }
        assert_close(v.value, want, 1e-12);
        hsgd_bound_params_free(&p);
    }
    hsgd_hierarchy_free(&e);
    hsgd_hierarchy_free(&h);
}

/* Any tree, as given: nodes with one child and equal periods included. */
static void general_trees(void **state)
{
    (void)state;
    gsl_rng *rng = test_rng(21);
    hsgd_error err;
    for (int i = 0; i < 300; i++) {
        hsgd_hierarchy h;
        random_tree(&h, rng);
        double beta_sq[MAX_SPECS], gamma = uniform_between(rng, 0.001, 0.1), smoothness = uniform_between(rng, 0, 2);
        for (size_t u = 0; u < h.num_nodes; u++)
            beta_sq[u] = uniform_between(rng, 0, 2);
        size_t steps = 1 + gsl_rng_uniform_int(rng, 80), cells = steps * h.num_levels;
        double *got = calloc(cells, sizeof *got), *want = calloc(cells, sizeof *want);
        double *within = calloc(steps * h.num_nodes, sizeof *within);
        assert_true(got && want && within);
        tree_direct(want, within, &h, beta_sq, gamma, smoothness, 0.37, steps);
        assert_ok(hsgd_dispersion_bound(got, &h, beta_sq, gamma, smoothness, 0.37, steps, &err), err);
        for (size_t j = 0; j < cells; j++)
            assert_close(got[j], want[j], 1e-11);
        free(got);
        free(want);
        free(within);
        hsgd_hierarchy_free(&h);
    }
    gsl_rng_free(rng);
}

static void general_trees_bound_on_S(void **state)
{
    (void)state;
    gsl_rng *rng = test_rng(22);
    for (int i = 0; i < 300; i++) {
        hsgd_bound_params p;
        random_params(&p, rng, uniform_between(rng, 0.01, 1));
        size_t cells = p.steps * p.tree.num_levels;
        double *level_sq = calloc(cells + 1, sizeof *level_sq);
        double *within = calloc(p.steps * p.tree.num_nodes + 1, sizeof *within);
        assert_true(level_sq && within);
        tree_direct(level_sq, within, &p.tree, p.divergence_sq, p.step_size, p.smoothness, p.noise_sq, p.steps);
        double want = 2 * p.delta / (p.step_size * (double)p.steps) +
                      p.step_size * p.smoothness * p.noise_sq / (double)p.tree.num_workers;
        for (size_t j = 0; j < cells; j++)
            want += p.smoothness * p.smoothness * level_sq[j] / (double)p.steps;
        assert_close(value_of("hsgd-fixed-recursive", &p), want, 1e-11);
        free(within);
        free(level_sq);
        hsgd_bound_params_free(&p);
    }
    gsl_rng_free(rng);
}

/* beta_u^2 = (c_u - 1) n/(|u| (n - 1)) eps~^2 makes the random bound the fixed one. */
static void random_grouping(void **state)
{
    (void)state;
    hsgd_bound_params p, q;
    const double eps_sq = 1.93;
    uniform_params(&p, (size_t[]){3, 4}, (size_t[]){12, 4}, 2, NULL);
    uniform_params(&q, (size_t[]){3, 4}, (size_t[]){12, 4}, 2, (double[]){2.0 / 11 * eps_sq, 9.0 / 11 * eps_sq});
    set_scalars(&p, 0.019, 53, 1.7, 0.8, 0.9);
    set_scalars(&q, 0.019, 53, 1.7, 0.8, 0.9);
    p.global_divergence_sq = eps_sq;
    assert_close(value_of("hsgd-random-recursive", &p), value_of("hsgd-fixed-recursive", &q), 1e-13);
    check_refused("hsgd-fixed-recursive", &p, "level_divergence_sq is needed");
    hsgd_bound_params_free(&p);
    hsgd_bound_params_free(&q);
}

/* ---- noiseless quadratics ---- */

/* One coordinate: grad F_j(x) = curvature x - linear_j. model (n) starts at 0. */
static void simulate_step(const hsgd_hierarchy *h, double *model, const double *linear, double curvature, double gamma,
                          size_t updates)
{
    for (size_t j = 0; j < h->num_workers; j++)
        model[j] -= gamma * (curvature * model[j] - linear[j]);
    for (size_t u = 0; u < h->num_nodes; u++) {
        if (!hsgd_node_acts(h, u, updates))
            continue;
        double mean = 0;
        for (size_t j = 0; j < h->node[u].num_workers; j++)
            mean += model[h->node[u].first_worker + j] / (double)h->node[u].num_workers;
        for (size_t j = 0; j < h->node[u].num_workers; j++)
            model[h->node[u].first_worker + j] = mean;
    }
}

static double mean_below(const double *value, const hsgd_node *node)
{
    double mean = 0;
    for (size_t j = 0; j < node->num_workers; j++)
        mean += value[node->first_worker + j] / (double)node->num_workers;
    return mean;
}

/* sum_v (|v|/|u|) (mean_v - mean_u)^2 of the workers' values. */
static double between_children(const hsgd_hierarchy *h, size_t u, const double *value)
{
    const hsgd_node *node = &h->node[u];
    double mean = mean_below(value, node), sum = 0;
    if (hsgd_node_is_lowest(h, u))
        for (size_t j = 0; j < node->num_workers; j++)
            sum += pow(value[node->first_worker + j] - mean, 2) / (double)node->num_workers;
    for (size_t v = u + 1; v < node->end; v++)
        if (h->node[v].parent == u)
            sum += (double)h->node[v].num_workers / (double)node->num_workers *
                   pow(mean_below(value, &h->node[v]) - mean, 2);
    return sum;
}

/* Simulated dispersions against the bound. */
static void check_simulation(const hsgd_hierarchy *h, gsl_rng *rng, double curvature, double gamma, bool attained)
{
    enum { STEPS = 40 };
    hsgd_error err;
    double model[MAX_SPECS] = {0}, linear[MAX_SPECS], beta_sq[MAX_SPECS], bound[STEPS * 4];
    assert_true(h->num_workers <= MAX_SPECS && h->num_levels <= 4);
    for (size_t j = 0; j < h->num_workers; j++)
        linear[j] = uniform_between(rng, -1, 1);
    double mean = 0; /* centred, so that wbar stays near 0 and the dispersions do not cancel */
    for (size_t j = 0; j < h->num_workers; j++)
        mean += linear[j] / (double)h->num_workers;
    for (size_t j = 0; j < h->num_workers; j++)
        linear[j] -= mean;
    for (size_t u = 0; u < h->num_nodes; u++)
        beta_sq[u] = between_children(h, u, linear);
    assert_ok(hsgd_dispersion_bound(bound, h, beta_sq, gamma, fabs(curvature), 0, STEPS, &err), err);
    for (size_t t = 0; t < STEPS; t++) {
        double measured[4] = {0};
        for (size_t u = 0; u < h->num_nodes; u++)
            measured[h->node[u].depth] +=
                (double)h->node[u].num_workers / (double)h->num_workers * between_children(h, u, model);
        for (size_t k = 0; k < h->num_levels; k++) {
            assert_true(measured[k] <= bound[t * h->num_levels + k] * (1 + 1e-9) + 1e-20);
            if (attained)
                assert_near(measured[k], bound[t * h->num_levels + k], 1e-12);
        }
        simulate_step(h, model, linear, curvature, gamma, t + 1);
    }
}

static void quadratics_stay_below_and_can_attain_it(void **state)
{
    (void)state;
    gsl_rng *rng = test_rng(23);
    hsgd_error err;
    hsgd_hierarchy h;
    for (int i = 0; i < 300; i++) {
        random_tree(&h, rng);
        if (h.num_workers <= MAX_SPECS)
            check_simulation(&h, rng, uniform_between(rng, -1, 1), uniform_between(rng, 0.01, 0.3), false);
        hsgd_hierarchy_free(&h);
    }
    /* one level and curvature -L: every inequality of the proof is an equality, also beyond gamma = 1/L */
    assert_ok(hsgd_hierarchy_local(&h, 7, 9, NULL, &err), err);
    check_simulation(&h, rng, -1.3, 0.11, true);
    check_simulation(&h, rng, -2.3, 0.61, true);
    hsgd_hierarchy_free(&h);
    gsl_rng_free(rng);
}

/* ---- limits ---- */

static void long_runs_and_long_periods_are_cheap(void **state)
{
    (void)state;
    hsgd_bound_params p;
    uniform_params(&p, (size_t[]){3, 4}, (size_t[]){12, 4}, 2, (double[]){0.7, 1.3});
    set_scalars(&p, 0.019, 12, 1.7, 0.8, 0);
    double one_period = value_of("hsgd-fixed-recursive", &p);
    p.steps = 12 * (SIZE_MAX > UINT32_MAX ? (size_t)1000000000 : 300000000);
    assert_close(value_of("hsgd-fixed-recursive", &p), one_period, 1e-13);
    hsgd_bound_params_free(&p);
    uniform_params(&p, (size_t[]){3, 4}, (size_t[]){1000000000, 500000000}, 2, (double[]){0.7, 1.3});
    set_scalars(&p, 0.019, 3, 1.7, 0, 0);
    /* t = 0: 0; t = 1: gamma sqrt(D_k); t = 2: gamma (2 sqrt(D_k) + L gamma sqrt(D_k + ...)) */
    double g = 0.019, up = sqrt(0.7), down = sqrt(1.3);
    double b1 = g * (2 * up + 1.7 * g * sqrt(2.0)), b2 = g * (2 * down + 1.7 * g * down);
    assert_close(value_of("hsgd-fixed-recursive", &p), 1.7 * 1.7 * (g * g * 2.0 + b1 * b1 + b2 * b2) / 3, 1e-13);
    hsgd_bound_params_free(&p);
}

static void overflow_is_reported(void **state)
{
    (void)state;
    hsgd_bound_params p;
    uniform_params(&p, (size_t[]){3, 4}, (size_t[]){1000000000, 4}, 2, (double[]){0.7, 1.3});
    set_scalars(&p, 0.5, 1000000000, 1.7, 0.8, 0.3);
    check_refused("hsgd-fixed-recursive", &p, "overflows"); /* and at once: 1.85^t passes 1e308 */
    assert_close(evaluate("hsgd-fixed-recursive", &p).max_step_size, 1 / 1.7, 1e-15);
    p.step_size = 0.59;
    check_refused("hsgd-fixed-recursive", &p, "step size 0.59 is above 0.588235 = 1/L");
    hsgd_bound_params_free(&p);
    hsgd_error err;
    hsgd_hierarchy h;
    double out[4000];
    assert_ok(hsgd_hierarchy_uniform(&h, (size_t[]){3, 4}, (size_t[]){2000, 1000}, 2, &err), err);
    assert_ok(hsgd_dispersion_bound(out, &h, (double[]){0.7, 1.3}, 3, 1.7, 0.8, 2000, &err), err);
    assert_true(isinf(out[3999 - 1]));
    for (size_t i = 0; i < 4000; i++)
        assert_false(isnan(out[i]));
    /* L = 0: nothing feeds back, b = gamma (sqrt(s noise) + s sqrt(D)), whatever has overflowed */
    assert_ok(hsgd_dispersion_bound(out, &h, (double[]){1e300, 1.3}, 1e160, 0, 0, 2000, &err), err);
    assert_true(isinf(out[2 * 7]));
    for (size_t i = 0; i < 4000; i++)
        assert_false(isnan(out[i]));
    assert_ok(hsgd_dispersion_bound(out, &h, (double[]){0.7, 1.3}, 0.1, 0, 0.8, 8, &err), err);
    assert_close(out[2 * 7], pow(0.1 * (sqrt(7 * 2.0 / 12 * 0.8) + 7 * sqrt(0.7)), 2), 1e-14);
    hsgd_hierarchy_free(&h);
}

static void dispersion_bound_checks_its_arguments(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h, c;
    double out[8];
    assert_ok(hsgd_hierarchy_uniform(&h, (size_t[]){1, 4}, (size_t[]){4, 2}, 2, &err), err);
    const double d[] = {0.7, 1.3}, nan_d[] = {0.7, NAN}, infinite_d[] = {INFINITY, 1.3};
    assert_fails(hsgd_dispersion_bound(out, &h, d, 0, 1, 1, 4, &err), HSGD_ERROR_INPUT, "step size 0", err);
    assert_fails(hsgd_dispersion_bound(out, &h, d, NAN, 1, 1, 4, &err), HSGD_ERROR_INPUT, "step size", err);
    assert_fails(hsgd_dispersion_bound(out, &h, d, 0.1, -1, 1, 4, &err), HSGD_ERROR_INPUT, "L -1", err);
    assert_fails(hsgd_dispersion_bound(out, &h, d, 0.1, 1, NAN, 4, &err), HSGD_ERROR_INPUT, "sigma^2", err);
    assert_fails(hsgd_dispersion_bound(out, &h, nan_d, 0.1, 1, 1, 4, &err), HSGD_ERROR_INPUT, "divergence_sq[1]", err);
    assert_fails(hsgd_dispersion_bound(out, &h, infinite_d, 0.1, 1, 1, 4, &err), HSGD_ERROR_INPUT, "divergence_sq[0]",
                 err);
    /* the only child of the root averages like the root: level 1 has no dispersion */
    assert_ok(hsgd_dispersion_bound(out, &h, d, 0.1, 1, 1, 4, &err), err);
    for (size_t t = 0; t < 4; t++)
        assert_true(out[2 * t] == 0);
    assert_close(out[2 * 3 + 1], 0.01 * pow(sqrt(3.0 / 4) + sqrt(1.3), 2), 1e-14);
    hsgd_hierarchy_free(&h);
    /* a single worker: no levels, nothing to write */
    assert_ok(hsgd_hierarchy_uniform(&h, (size_t[]){1}, (size_t[]){4}, 1, &err), err);
    assert_ok(hsgd_hierarchy_canonical(&c, &h, NULL, NULL, &err), err);
    assert_ok(hsgd_dispersion_bound(NULL, &c, NULL, 0.1, 1, 1, 4, &err), err);
    hsgd_hierarchy_free(&c);
    hsgd_hierarchy_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniform_form),
        cmocka_unit_test(general_trees),
        cmocka_unit_test(general_trees_bound_on_S),
        cmocka_unit_test(random_grouping),
        cmocka_unit_test(quadratics_stay_below_and_can_attain_it),
        cmocka_unit_test(long_runs_and_long_periods_are_cheap),
        cmocka_unit_test(overflow_is_reported),
        cmocka_unit_test(dispersion_bound_checks_its_arguments),
    };
    return cmocka_run_group_tests_name("recursive", tests, NULL, NULL);
}
