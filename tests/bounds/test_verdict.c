/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Verdicts straight from THEORY 9: holds where the upper end is at most the bound, violated where the lower end is
 * above it, inconclusive otherwise. */
#include "tests/test.h"

#include "bounds/verdict.h"

static void interval_against_bound(void **state)
{
    (void)state;
    assert_int_equal(hsgd_verdict_decide(1.3, 2.385, 2.4), HSGD_VERDICT_HOLDS);
    assert_int_equal(hsgd_verdict_decide(1.3, 2.385, 1.7), HSGD_VERDICT_INCONCLUSIVE);
    assert_int_equal(hsgd_verdict_decide(1.3, 2.385, 1.2), HSGD_VERDICT_VIOLATED);
    assert_int_equal(hsgd_verdict_decide(-3, -2, -2.5), HSGD_VERDICT_INCONCLUSIVE);
    assert_int_equal(hsgd_verdict_decide(-3, -2, -4), HSGD_VERDICT_VIOLATED);
}

/* Pathwise results have equal ends and no third outcome; the bound itself is still "at most the bound". */
static void pathwise_is_never_inconclusive(void **state)
{
    (void)state;
    assert_int_equal(hsgd_verdict_decide(2.385, 2.385, 2.385), HSGD_VERDICT_HOLDS);
    assert_int_equal(hsgd_verdict_decide(2.385, 2.385, 2.3), HSGD_VERDICT_VIOLATED);
    assert_int_equal(hsgd_verdict_decide(0, 0, 0), HSGD_VERDICT_HOLDS);
    assert_int_equal(hsgd_verdict_decide(1e-300, 1e-300, 0), HSGD_VERDICT_VIOLATED);
}

/* The header's tolerance: relative, 1e-9, and not more. */
static void forgives_rounding_and_no_more(void **state)
{
    (void)state;
    const double bounds[] = {7.3e-20, 0.61, 4.4e17};
    for (size_t i = 0; i < 3; i++) {
        double inside = bounds[i] * (1 + 0.5e-9), outside = bounds[i] * (1 + 2e-9);
        assert_int_equal(hsgd_verdict_decide(inside, inside, bounds[i]), HSGD_VERDICT_HOLDS);
        assert_int_equal(hsgd_verdict_decide(outside, outside, bounds[i]), HSGD_VERDICT_VIOLATED);
    }
}

/* One seed has no interval, a diverged run an infinite mean, a bound may overflow: none of them may come out as "holds"
 * or "violated" by accident. */
static void no_interval_no_verdict(void **state)
{
    (void)state;
    const double ends[] = {0.5, INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(hsgd_verdict_decide(NAN, NAN, ends[i]), HSGD_VERDICT_INCONCLUSIVE);
        assert_int_equal(hsgd_verdict_decide(1, 2, NAN), HSGD_VERDICT_INCONCLUSIVE);
    }
    assert_int_equal(hsgd_verdict_decide(NAN, 1, 0.5), HSGD_VERDICT_INCONCLUSIVE);
    assert_int_equal(hsgd_verdict_decide(0.7, NAN, 0.5), HSGD_VERDICT_VIOLATED); /* the lower end decides alone */
    assert_int_equal(hsgd_verdict_decide(INFINITY, INFINITY, 3), HSGD_VERDICT_VIOLATED);
    assert_int_equal(hsgd_verdict_decide(1, 2, INFINITY), HSGD_VERDICT_HOLDS);
}

static void the_worse_of_two(void **state)
{
    (void)state;
    /* from mild to grave */
    const hsgd_verdict order[] = {HSGD_VERDICT_NOT_APPLICABLE, HSGD_VERDICT_HOLDS, HSGD_VERDICT_INCONCLUSIVE,
                                  HSGD_VERDICT_VIOLATED};
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++)
            assert_int_equal(hsgd_verdict_worse(order[i], order[j]), order[i > j ? i : j]);
}

static void names_are_those_of_the_contract(void **state)
{
    (void)state;
    assert_string_equal(hsgd_verdict_name(HSGD_VERDICT_HOLDS), "holds");
    assert_string_equal(hsgd_verdict_name(HSGD_VERDICT_VIOLATED), "violated");
    assert_string_equal(hsgd_verdict_name(HSGD_VERDICT_INCONCLUSIVE), "inconclusive");
    assert_string_equal(hsgd_verdict_name(HSGD_VERDICT_NOT_APPLICABLE), "not applicable");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interval_against_bound),
        cmocka_unit_test(pathwise_is_never_inconclusive),
        cmocka_unit_test(forgives_rounding_and_no_more),
        cmocka_unit_test(no_interval_no_verdict),
        cmocka_unit_test(the_worse_of_two),
        cmocka_unit_test(names_are_those_of_the_contract),
    };
    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
