/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine records about the proof of the descent step must satisfy: the distribution of the noise, and the descent
 * step itself (THEORY 4.2a). tests/analysis/test_proof_terms.c compares the terms with a run in plain loops. */
#include "tests/analysis/proof_problems.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>

#include "analysis/ensemble.h"

/* ---- noise: exact distributions, each check with a false-alarm probability of 1e-8; the seeds are fixed ---- */

static const double ALARM = 1e-8;

static void assert_chi_square(double value, double degrees)
{
    assert_true(gsl_cdf_chisq_P(value, degrees) > ALARM / 2 && gsl_cdf_chisq_Q(value, degrees) > ALARM / 2);
}

static void assert_standard_normal(double value)
{
    assert_at_most(fabs(value), gsl_cdf_ugaussian_Qinv(ALARM / 2), 0);
}

/* Noise that does not depend on the models: xibar^t ~ N(0, (v/d) I) with v = sum_j p_j^2 sigma_j^2, independent of the
 * past. So d ||xibar||^2/v is chi-square with d degrees; given the past, <a, xibar>/(||a|| sqrt(v/d)) is a standard
 * normal for a = grad f(wbar^t) and a = Gbar^t; d ||xi_j||^2/sigma_j^2 is chi-square for every worker. Sums over steps and
 * seeds are chi-square and normal again, exactly. 13 checks: together 1.3e-7. */
static void normal_noise_has_its_distribution(void **state)
{
    (void)state;
    enum { DIM = 3, SEEDS = 300, STEPS = 20 };
    hsgd_hierarchy h = crooked();
    hsgd_objective f = make_bowls(h.num_workers, DIM, 0.7);
    const bowls *b = f.state;
    size_t place[300];
    hsgd_ensemble e;
    shuffle(place, h.num_workers);
    set_weights(&h);
    hsgd_simulation s = everything(&f, &h, INITIAL);
    s.steps = STEPS;
    s.placement = place;
    assert_ok(hsgd_ensemble_run(&e, &s, SEEDS, 50, NULL, 2, &err), err);
    double v = 0, chi = 0, with_gradient = 0, with_mean_gradient = 0, chi_of_worker[100] = {0};
    for (size_t j = 0; j < h.num_workers; j++)
        v += weight_of(&h, j) * weight_of(&h, j) * b->noise_sq[place[j]];
    for (size_t r = 0; r < SEEDS; r++) {
        const hsgd_trace *trace = &e.trace[r];
        double noise = 0, independent = 0, noise_of_workers = 0, independent_of_workers = 0;
        for (size_t t = 0; t < STEPS; t++) {
            const hsgd_proof_terms *p = &trace->proof[t];
            chi += DIM * p->mean_noise_sq / v;
            with_gradient += p->gradient_dot_noise / sqrt(trace->grad_norm_sq[t] * v / DIM);
            with_mean_gradient += p->mean_gradient_dot_noise / sqrt(p->mean_gradient_sq * v / DIM);
            noise += p->noise_sq / STEPS;
            independent += p->independent_noise_sq / STEPS;
        }
        for (size_t j = 0; j < h.num_workers; j++) {
            double p = weight_of(&h, j), own = trace->worker_noise_sq[place[j]];
            noise_of_workers += p * own;
            independent_of_workers += p * p * own;
            chi_of_worker[j] += STEPS * DIM * own / b->noise_sq[place[j]];
        }
        assert_close(noise_of_workers, noise, 1e-13); /* no statistics: sums in another order */
        assert_close(independent_of_workers, independent, 1e-13);
    }
    assert_chi_square(chi, SEEDS * STEPS * DIM);
    assert_standard_normal(with_gradient / sqrt(SEEDS * STEPS));
    assert_standard_normal(with_mean_gradient / sqrt(SEEDS * STEPS));
    for (size_t j = 0; j < h.num_workers; j++)
        assert_chi_square(chi_of_worker[j], SEEDS * STEPS * DIM);
    hsgd_ensemble_free(&e);
    hsgd_objective_free(&f);
    hsgd_hierarchy_free(&h);
}

/* The library's quadratics: mean ||xi_j||^2 = sigma^2, in the summary too; with equal weights d n noise_sq/sigma^2 is
 * chi-square with d n degrees, and so is d n^2 independent_noise_sq/sigma^2. 14 checks: together 1.4e-7. */
static void noise_of_quadratics_is_sigma_sq(void **state)
{
    (void)state;
    enum { DIM = 4, SEEDS = 200, STEPS = 15 };
    const double sigma_sq = 2.3;
    hsgd_hierarchy h = tree(3);
    hsgd_quadratic q;
    hsgd_objective f = make_quadratic(&q, &h, DIM, 0.07, sigma_sq);
    hsgd_ensemble e;
    hsgd_summary summary;
    hsgd_simulation s = everything(&f, &h, INITIAL);
    s.steps = 3 * STEPS;
    s.measure_every = 3;
    assert_ok(hsgd_ensemble_run(&e, &s, SEEDS, 50, NULL, 2, &err), err);
    assert_ok(hsgd_summarize(&summary, &e, s.steps, 6, false, &err), err);
    double n = 12, noise = 0, independent = 0;
    for (size_t r = 0; r < SEEDS; r++) {
        noise += STEPS * summary.path[r].proof.noise_sq;
        independent += STEPS * summary.path[r].proof.independent_noise_sq;
    }
    assert_chi_square(DIM * n * noise / sigma_sq, SEEDS * STEPS * DIM * n);
    assert_chi_square(DIM * n * n * independent / sigma_sq, SEEDS * STEPS * DIM * n);
    for (size_t j = 0; j < 12; j++) {
        assert_int_equal(summary.worker_noise_sq[j].count, SEEDS);
        assert_chi_square(SEEDS * STEPS * DIM * summary.worker_noise_sq[j].mean / sigma_sq, SEEDS * STEPS * DIM);
    }
    hsgd_summary_free(&summary);
    hsgd_ensemble_free(&e);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

/* Mini-batches, whose noise is not normal: E||xibar||^2 = sum p_j^2 E||xi_j||^2 and E<grad f, xibar> = E<Gbar, xibar> = 0,
 * from one mean per seed. Student t over 600 seeds, Bonferroni over the 3 checks: 1e-6 together. */
static void mini_batch_noise_is_uncorrelated(void **state)
{
    (void)state;
    enum { SEEDS = 600 };
    samples d;
    hsgd_hierarchy h = crooked();
    hsgd_objective f;
    hsgd_ensemble e;
    hsgd_summary summary;
    set_weights(&h);
    make_samples(&d, h.num_workers, 3, true);
    assert_ok(hsgd_linear_model_objective(&f, HSGD_LINK_SOFTMAX, &d.data, d.start, h.num_workers,
                                          (hsgd_regularizer){HSGD_REGULARIZER_NONE, 0}, &err),
              err);
    hsgd_simulation s = everything(&f, &h, INITIAL);
    s.batch_size = 1;
    s.measure_maxima = s.measure_at_nodes = false;
    assert_ok(hsgd_ensemble_run(&e, &s, SEEDS, 1000, NULL, 2, &err), err);
    assert_ok(hsgd_summarize(&summary, &e, s.steps, 12, false, &err), err);
    double value[3][SEEDS];
    for (size_t r = 0; r < SEEDS; r++) {
        const hsgd_proof_terms *p = &summary.path[r].proof;
        value[0][r] = p->mean_noise_sq - p->independent_noise_sq;
        value[1][r] = p->gradient_dot_noise;
        value[2][r] = p->mean_gradient_dot_noise;
    }
    for (size_t i = 0; i < 3; i++) {
        hsgd_estimate mean = hsgd_estimate_mean(value[i], 1, SEEDS);
        assert_true(mean.se > 0);
        assert_at_most(fabs(mean.mean), hsgd_half_width(mean, 1 - 1e-6, 3), 0);
    }
    hsgd_summary_free(&summary);
    hsgd_ensemble_free(&e);
    hsgd_objective_free(&f);
    hsgd_dataset_free(&d.data);
    hsgd_hierarchy_free(&h);
}

/* ---- the descent step of one run ---- */

/* The right side of (4.2a) for one run, before the expectation that removes the products with the noise. */
static double descent(const hsgd_path *path, double gamma, double L, size_t steps)
{
    const hsgd_proof_terms *p = &path->proof;
    return 2 * (path->initial_loss - path->final_loss) / (gamma * (double)steps) + p->drift_error_sq -
           (1 - gamma * L) * p->mean_gradient_sq - 2 * p->gradient_dot_noise +
           gamma * L * (p->mean_noise_sq + 2 * p->mean_gradient_dot_noise);
}

/* (R0, R1) of one run with every step measured. */
static void check_descent(const hsgd_objective *f, const hsgd_hierarchy *h, double gamma, double L, bool equal)
{
    hsgd_ensemble e;
    hsgd_summary summary;
    hsgd_simulation s = everything(f, h, INITIAL);
    s.step_size = gamma;
    assert_ok(hsgd_ensemble_run(&e, &s, 1, 3, NULL, 1, &err), err);
    assert_ok(hsgd_summarize(&summary, &e, s.steps, hsgd_hierarchy_global_period(h), false, &err), err);
    double R0 = summary.path[0].S, R1 = descent(&summary.path[0], gamma, L, s.steps);
    if (equal)
        assert_near(R1, R0, 1e-12);
    else {
        assert_at_most(R0, R1, 1e-12);
        assert_true(R1 - R0 > 1e-6);
    }
    hsgd_summary_free(&summary);
    hsgd_ensemble_free(&e);
}

/* In one dimension, or with h = L in each, the descent inequality is an equality at every step, with noise as well: it
 * uses six of the seven terms with their signs. */
static void descent_is_an_equality_where_the_curvature_is_L(void **state)
{
    (void)state;
    const double L = 1.3;
    for (size_t i = 1; i < TREES; i++)
        for (int variant = 0; variant < 8; variant++) {
            hsgd_hierarchy h = tree(i);
            hsgd_quadratic q;
            hsgd_objective f = make_quadratic(&q, &h, variant & 1 ? 5 : 1, L, variant & 2 ? 0.6 : 0);
            if (variant & 4)
                set_weights(&h);
            check_descent(&f, &h, 0.9 / L, L, true);
            check_descent(&f, &h, 1.2 / L, L, true);
            hsgd_objective_free(&f);
            hsgd_quadratic_free(&q);
            hsgd_hierarchy_free(&h);
        }
}

/* R0 <= R1 for every run, noisy or not, where the curvature differs. For gamma > 1/L the last term changes its sign. */
static void descent_inequality_holds_on_every_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < TREES; i++)
        for (int variant = 0; variant < 4; variant++) {
            hsgd_hierarchy h = tree(i);
            hsgd_objective f = make_bowls(h.num_workers, 5, variant & 1 ? 0.6 : 0);
            if (variant & 2)
                set_weights(&h);
            for (double gamma = 0.1; gamma < 1.5; gamma *= 2)
                check_descent(&f, &h, gamma, BOWLS_SMOOTHNESS, false);
            hsgd_objective_free(&f);
            hsgd_hierarchy_free(&h);
        }
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_noise_has_its_distribution),
        cmocka_unit_test(noise_of_quadratics_is_sigma_sq),
        cmocka_unit_test(mini_batch_noise_is_uncorrelated),
        cmocka_unit_test(descent_is_an_equality_where_the_curvature_is_L),
        cmocka_unit_test(descent_inequality_holds_on_every_run),
    };
    return cmocka_run_group_tests_name("proof_statistics", tests, NULL, NULL);
}
