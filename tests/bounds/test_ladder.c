/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The measured rungs of the proof ladder (THEORY 4.5) against numbers worked out by hand and against algebra.
 *
 * Each of these changes to the code was made and seen to fail here: a rung or a step with one term dropped, doubled or of
 * the other sign; gamma L for 1 - gamma L; L for L^2; 1/(gamma T) for 2/(gamma T); the products left out of step 1, added
 * to step 4, or with gamma L at the other product; the noise's share left out; step[0] not set; two rungs of the table
 * exchanged; an id that the registry does not have. */
#include "tests/test.h"

#include "analysis/random.h"
#include "bounds/bound.h"
#include "bounds/ladder.h"

enum { DIM = 3 };

/* gamma L = 0.375, 2/(gamma T) = 1.6. */
static const hsgd_ladder_terms BY_HAND = {.S = 2.385,
                                          .loss_drop = 1.7,
                                          .loss_left = 0.45,
                                          .mean_noise_sq = 0.84,
                                          .mean_gradient_sq = 1.92,
                                          .drift_error_sq = 0.53,
                                          .gradient_dot_noise = -0.27,
                                          .mean_gradient_dot_noise = 0.35,
                                          .dispersion = 0.0725,
                                          .step_size = 0.125,
                                          .steps = 10,
                                          .smoothness = 3,
                                          .noise_sq = 5.6,
                                          .noise_share = 0.2};

static void numbers_by_hand(void **state)
{
    (void)state;
    /* Products: -2 (-0.27 - 0.375 * 0.35) = 0.8025. R1 = 1.6 * 1.7 + 0.375 * 0.84 + 0.53 - 0.625 * 1.92 + 0.8025, R3 has
     * 9 * 0.0725 for the drift error, R4 also 1.6 * 0.45 more, 5.6/5 for the noise 0.84, and no products. */
    static const double want_rung[] = {2.385, 3.1675, 4.3675, 4.49, 4.5125};
    static const double want_step[] = {0, 0.7825, 1.2, 0.1225, 0.825};
    double rung[HSGD_NUM_MEASURED_RUNGS], step[HSGD_NUM_MEASURED_RUNGS];
    for (size_t k = 0; k < HSGD_NUM_MEASURED_RUNGS; k++)
        rung[k] = step[k] = NAN;
    hsgd_ladder_measured(rung, step, &BY_HAND);
    for (size_t k = 0; k < HSGD_NUM_MEASURED_RUNGS; k++) {
        assert_near(rung[k], want_rung[k], 1e-14);
        assert_near(step[k], want_step[k], 1e-14);
    }
    assert_true(step[0] == 0);
}

/* count normals from a stream of their own. */
static void draw(double *out, size_t count, uint64_t seed, uint32_t worker)
{
    hsgd_normals(&(hsgd_stream){seed, HSGD_PURPOSE_USER, worker, 0}, 1.7, out, count);
}

/* Terms of any size and sign. */
static hsgd_ladder_terms random_terms(uint64_t seed)
{
    double x[14];
    draw(x, 14, seed, 0);
    return (hsgd_ladder_terms){fabs(x[0]), x[1],       x[2],       fabs(x[3]),   fabs(x[4]),  fabs(x[5]),  x[6],
                               x[7],       fabs(x[8]), fabs(x[9]), 17.0 + x[10], fabs(x[11]), fabs(x[12]), fabs(x[13])};
}

static void identities(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        hsgd_ladder_terms t = random_terms(seed);
        double r[HSGD_NUM_MEASURED_RUNGS], s[HSGD_NUM_MEASURED_RUNGS], gamma_l = t.step_size * t.smoothness;
        double products = 2 * (gamma_l * t.mean_gradient_dot_noise - t.gradient_dot_noise), size = 0;
        hsgd_ladder_measured(r, s, &t);
        for (size_t k = 0; k < HSGD_NUM_MEASURED_RUNGS; k++)
            size += fabs(r[k]) + fabs(s[k]);
        check_close(s[1], r[1] - r[0], 1e-13, size, "step 1", __FILE__, __LINE__);
        check_close(s[2], r[2] - r[1], 1e-13, size, "step 2", __FILE__, __LINE__);
        check_close(s[2], (1 - gamma_l) * t.mean_gradient_sq, 1e-13, size, "step 2", __FILE__, __LINE__);
        check_close(s[3], r[3] - r[2], 1e-13, size, "step 3", __FILE__, __LINE__);
        check_close(s[4], r[4] - r[3] + products, 1e-13, size, "step 4", __FILE__, __LINE__);
        check_close(s[1] + s[2] + s[3] + s[4], r[4] - r[0] + products, 1e-13, size, "all", __FILE__, __LINE__);
        /* (4.2b) with the measured V */
        check_close(r[4],
                    2 * (t.loss_drop + t.loss_left) / (t.step_size * t.steps) + gamma_l * t.noise_sq * t.noise_share +
                        t.smoothness * t.smoothness * t.dispersion,
                    1e-13, size, "R4", __FILE__, __LINE__);
    }
}

static double dot(const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < DIM; i++)
        sum += a[i] * b[i];
    return sum;
}

/* One step on f = (h/2)||w||^2 with any Gbar and xibar: f(w) - f(w - gamma d) = gamma <grad f, d> - (h/2) gamma^2 ||d||^2
 * with d = Gbar + xibar. Inserted into (4.2a) with the products everything cancels but gamma (L - h) ||d||^2: 0 for the
 * curvature L, positive for every other that A1 admits, negative where L is understated. */
static void descent_step_on_a_quadratic(void **state)
{
    (void)state;
    static const double curvature[] = {1.3, 1.29, 0.2, -1.3, 1.7};
    const double gamma = 0.37, L = 1.3;
    for (size_t c = 0; c < sizeof curvature / sizeof *curvature; c++)
        for (uint32_t i = 0; i < 10; i++) {
            double w[DIM], G[DIM], xi[DIM], gradient[DIM], next[DIM], error[DIM], d[DIM], h = curvature[c];
            double rung[HSGD_NUM_MEASURED_RUNGS], step[HSGD_NUM_MEASURED_RUNGS];
            draw(w, DIM, 3, i);
            draw(G, DIM, 4, i);
            draw(xi, DIM, 5, i);
            for (size_t k = 0; k < DIM; k++) {
                gradient[k] = h * w[k];
                d[k] = G[k] + xi[k];
                next[k] = w[k] - gamma * d[k];
                error[k] = gradient[k] - G[k];
            }
            hsgd_ladder_terms t = {.S = dot(gradient, gradient),
                                   .loss_drop = h / 2 * (dot(w, w) - dot(next, next)),
                                   .mean_noise_sq = dot(xi, xi),
                                   .mean_gradient_sq = dot(G, G),
                                   .drift_error_sq = dot(error, error),
                                   .gradient_dot_noise = dot(gradient, xi),
                                   .mean_gradient_dot_noise = dot(G, xi),
                                   .step_size = gamma,
                                   .steps = 1,
                                   .smoothness = L};
            hsgd_ladder_measured(rung, step, &t);
            assert_near(step[1], gamma * (L - h) * dot(d, d), 1e-12);
        }
}

static void table_of_rungs(void **state)
{
    (void)state;
    static const char *const id[HSGD_NUM_RUNGS] = {
        NULL, NULL, NULL, NULL, NULL, "hsgd-fixed-recursive", "hsgd-fixed-sharp", "hsgd-fixed"}; /* THEORY 4.5 */
    assert_int_equal(HSGD_NUM_PATHWISE_STEPS, 3); /* descent, step size, Jensen */
    for (size_t k = 0; k < HSGD_NUM_RUNGS; k++) {
        const hsgd_rung *r = &hsgd_rungs[k];
        assert_true(r->rung[0] == 'R' && r->rung[1] == (char)('0' + k) && r->rung[2] == '\0');
        assert_true(strlen(r->name) > 0 && (strlen(r->uses) > 0) == (k > 0));
        assert_true((r->bound_id != NULL) == (k >= HSGD_NUM_MEASURED_RUNGS));
        if (!id[k])
            continue;
        assert_string_equal(r->bound_id, id[k]);
        const hsgd_bound *bound = hsgd_bound_find(r->bound_id);
        assert_non_null(bound);
        assert_true(bound->target == HSGD_TARGET_S && bound->algorithm == HSGD_ALGORITHM_HSGD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_by_hand),
        cmocka_unit_test(identities),
        cmocka_unit_test(descent_step_on_a_quadratic),
        cmocka_unit_test(table_of_rungs),
    };
    return cmocka_run_group_tests_name("ladder", tests, NULL, NULL);
}
