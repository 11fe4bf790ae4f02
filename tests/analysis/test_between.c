/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Verdicts on "inner <= middle <= outer" from intervals of the two differences: each case is written down by hand. */
#include "tests/test.h"

#include "analysis/between.h"

static const struct {
    hsgd_difference lower, upper;
    bool exact;
    hsgd_between want;
} cases[] = {
    {{1, 2}, {3, 4}, false, HSGD_BETWEEN_HOLDS},
    {{1, 2}, {3, 4}, true, HSGD_BETWEEN_HOLDS},
    {{-2, -1}, {3, 4}, false, HSGD_BETWEEN_BELOW},
    {{-2, -1}, {3, 4}, true, HSGD_BETWEEN_BELOW},
    {{1, 2}, {-4, -3}, false, HSGD_BETWEEN_ABOVE},
    {{-2, -1}, {-4, -3}, true, HSGD_BETWEEN_REVERSED},
    {{-2, -1}, {-4, -3}, false, HSGD_BETWEEN_REVERSED},
    /* 0 in a confidence interval decides nothing; between bounds on rounding it is a tie */
    {{-1, 1}, {3, 4}, false, HSGD_BETWEEN_INCONCLUSIVE},
    {{-1, 1}, {3, 4}, true, HSGD_BETWEEN_HOLDS},
    {{1, 2}, {-1, 1}, false, HSGD_BETWEEN_INCONCLUSIVE},
    {{1, 2}, {-1, 1}, true, HSGD_BETWEEN_HOLDS},
    {{-1, 1}, {-1, 1}, false, HSGD_BETWEEN_INCONCLUSIVE},
    {{-1, 1}, {-1, 1}, true, HSGD_BETWEEN_EQUAL},
    {{0, 0}, {0, 0}, true, HSGD_BETWEEN_EQUAL},
    {{0, 1}, {3, 4}, false, HSGD_BETWEEN_INCONCLUSIVE},
    /* one side that fails is enough, whatever is known of the other */
    {{-2, -1}, {-1, 1}, false, HSGD_BETWEEN_BELOW},
    {{-1, 1}, {-2, -1}, false, HSGD_BETWEEN_ABOVE},
    {{-1, 1}, {-2, -1}, true, HSGD_BETWEEN_ABOVE},
    {{NAN, NAN}, {-2, -1}, false, HSGD_BETWEEN_ABOVE},
    /* without an interval nothing holds */
    {{NAN, NAN}, {3, 4}, false, HSGD_BETWEEN_INCONCLUSIVE},
    {{1, 2}, {NAN, NAN}, true, HSGD_BETWEEN_INCONCLUSIVE},
    {{1, NAN}, {3, 4}, true, HSGD_BETWEEN_INCONCLUSIVE},
};

static void verdicts_by_hand(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hsgd_between got = hsgd_between_decide(cases[i].lower, cases[i].upper, cases[i].exact);
        if (got != cases[i].want)
            fail_msg("case %zu: %s, expected %s", i, hsgd_between_name(got), hsgd_between_name(cases[i].want));
    }
}

static void names_are_read_back(void **state)
{
    (void)state;
    hsgd_between verdict;
    for (int v = 0; v < HSGD_NUM_BETWEEN; v++) {
        assert_int_equal(hsgd_between_parse(hsgd_between_name((hsgd_between)v), &verdict), 0);
        assert_int_equal(verdict, v);
        assert_int_equal(hsgd_between_fails((hsgd_between)v),
                         v == HSGD_BETWEEN_BELOW || v == HSGD_BETWEEN_ABOVE || v == HSGD_BETWEEN_REVERSED);
    }
    assert_int_equal(hsgd_between_parse("fails", &verdict), -1);
    assert_int_equal(hsgd_between_parse(NULL, &verdict), -1);
    assert_string_equal(hsgd_between_name(HSGD_NUM_BETWEEN), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_by_hand),
        cmocka_unit_test(names_are_read_back),
    };
    return cmocka_run_group_tests_name("between", tests, NULL, NULL);
}
