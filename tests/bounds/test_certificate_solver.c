/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates from the solver's multipliers: for trees of every kind, both gaps and both criteria they are proofs, and give
 * the solver's own constants. Disturbed multipliers are repaired at a small price, or refused. */
#include "tests/bounds/certificates.h"

#include "bounds/certificate_round.h"

static hsgd_pep_problem question(const size_t *periods, size_t levels, size_t steps, double gamma)
{
    hsgd_pep_problem p = {.num_levels = levels, .steps = steps, .step_size = gamma, .smoothness = 1, .delta = 1};
    for (size_t k = 0; k < levels; k++) {
        p.periods[k] = periods[k];
        p.level_divergence_sq[k] = 1;
    }
    return p;
}

/* a Delta + sum c_k D_k of what is proved. */
static double proved_value(const hsgd_certificate_verdict *v, const hsgd_pep_problem *p)
{
    double sum = v->delta_coefficient * p->delta;
    for (size_t k = 0; k < p->num_levels; k++)
        sum += v->divergence_coefficient[k] * p->level_divergence_sq[k];
    return sum;
}

/* Solve and certify: the proof is within the solver's margin of its own upper value. */
static void certify(const hsgd_pep_problem *p, double value)
{
    hsgd_error err;
    hsgd_pep_result result;
    hsgd_certificate c;
    hsgd_certificate_verdict verdict, again;
    double shift = -1;
    assert_ok(hsgd_pep_solve(&result, p, &err), err);
    assert_ok(hsgd_certificate_from_result(&c, &verdict, &shift, &result, &err), err);
    assert_true(verdict.proved && shift >= 0 && shift <= 1e-8);
    assert_close(proved_value(&verdict, p), result.upper, 1e-7);
    assert_true(proved_value(&verdict, p) >= result.lower);
    if (value > 0)
        assert_close(result.upper, value, 1e-5);
    for (size_t k = 0; k < p->num_levels; k++)
        assert_int_equal(c.zero_level[k], result.model.problem.level_divergence_sq[k] == 0);
    assert_ok(hsgd_certificate_check(&again, &c, &err), err);
    assert_true(again.proved && again.delta_coefficient == verdict.delta_coefficient);
    hsgd_certificate_free(&c);
    hsgd_pep_result_free(&result);
}

static double limit(size_t period)
{
    return 0.99 / (2 * sqrt(6) * (double)period);
}

static void every_kind_of_question(void **state)
{
    (void)state;
    hsgd_pep_problem p = question((size_t[]){2}, 1, 2, limit(2));
    certify(&p, 5.3061);
    p = question((size_t[]){4, 2}, 2, 4, limit(4));
    certify(&p, 5.221396);
    p.gap = HSGD_PEP_LOWER_BOUND;
    certify(&p, 1.726283);
    p.criterion = HSGD_PEP_MIN;
    certify(&p, 0);
    p.gap = HSGD_PEP_DESCENT;
    certify(&p, 0);
    p = question((size_t[]){4, 2, 1}, 3, 4, limit(4));
    certify(&p, 0);
    p = question(NULL, 0, 3, 1); /* gradient descent: 2/(gamma T), and 4/(3T) for the minimum */
    certify(&p, 2.0 / 3);
    p.criterion = HSGD_PEP_MIN;
    certify(&p, 4.0 / 9);
}

/* Divergences that are 0 are assumptions of the certificate; units and step sizes beyond the theorem's are fine. */
static void zeros_and_units(void **state)
{
    (void)state;
    hsgd_pep_problem p = question((size_t[]){4, 2}, 2, 6, limit(4));
    p.level_divergence_sq[0] = 0;
    certify(&p, 0);
    p.level_divergence_sq[0] = 2;
    p.level_divergence_sq[1] = 0;
    certify(&p, 0);
    p.level_divergence_sq[0] = 0;
    certify(&p, 0);
    p = question((size_t[]){2}, 1, 4, 0.5 / 300);
    p.smoothness = 300;
    p.delta = 7e-3;
    p.level_divergence_sq[0] = 5;
    certify(&p, 0);
}

/* Multipliers with noise: the flow is repaired, a shift pays for the rest, and the constants grow by little more. Noise that
 * no shift covers is refused. */
static void disturbed_multipliers(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_pep_result result;
    hsgd_pep_problem p = question((size_t[]){4, 2}, 2, 4, limit(4));
    assert_ok(hsgd_pep_solve(&result, &p, &err), err);
    double upper = result.upper, *clean = malloc(result.num_multipliers * sizeof *clean);
    assert_non_null(clean);
    for (size_t i = 0; i < result.num_multipliers; i++)
        clean[i] = result.multiplier[i].value;
    const double noise[] = {1e-8, 1e-6, 1e-2};
    for (int n = 0; n < 3; n++) {
        hsgd_certificate c;
        hsgd_certificate_verdict verdict;
        double shift;
        uint64_t random = 99;
        for (size_t i = 0; i < result.num_multipliers; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            result.multiplier[i].value = clean[i] - noise[n] * (double)(random >> 40) / 16777216.0;
        }
        hsgd_status status = hsgd_certificate_from_result(&c, &verdict, &shift, &result, &err);
        assert_int_equal(status, n == 2 ? HSGD_ERROR_NUMERIC : HSGD_OK);
        if (n < 2) {
            assert_true(verdict.proved && (shift > 0) == (n == 1));
            assert_true(proved_value(&verdict, &p) <= upper * (1 + 3 * shift) &&
                        proved_value(&verdict, &p) >= result.lower);
        } else
            assert_non_null(strstr(err.message, "too far from a proof: block"));
        hsgd_certificate_free(&c);
    }
    free(clean);
    hsgd_pep_result_free(&result);
}

/* From gamma L = 2 on nothing is proved. */
static void unbounded(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_pep_result result;
    hsgd_certificate c;
    hsgd_certificate_verdict verdict;
    hsgd_pep_problem p = question(NULL, 0, 3, 2.5);
    assert_ok(hsgd_pep_solve(&result, &p, &err), err);
    assert_true(result.unbounded);
    assert_fails(hsgd_certificate_from_result(&c, &verdict, NULL, &result, &err), HSGD_ERROR_NUMERIC, "no finite", err);
    hsgd_pep_result_free(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_question),
        cmocka_unit_test(zeros_and_units),
        cmocka_unit_test(disturbed_multipliers),
        cmocka_unit_test(unbounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
