/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The measured rungs of the proof ladder (THEORY 4.5) with plain numbers put in. */
#include "tests/test.h"

#include "bounds/ladder.h"

/* gamma = 0.07, T = 30, L = 1.9. */
static void rungs_by_hand(void **state)
{
    (void)state;
    hsgd_ladder_terms t = {.S = 0.83,
                           .loss_drop = 1.21,
                           .loss_left = 0.37,
                           .mean_noise_sq = 0.29,
                           .mean_gradient_sq = 0.61,
                           .drift_error_sq = 0.17,
                           .gradient_dot_noise = 0.053,
                           .mean_gradient_dot_noise = -0.041,
                           .dispersion = 0.11,
                           .step_size = 0.07,
                           .steps = 30,
                           .smoothness = 1.9,
                           .noise_sq = 2.385,
                           .noise_share = 0.125};
    double rung[HSGD_NUM_MEASURED_RUNGS], step[HSGD_NUM_MEASURED_RUNGS];
    hsgd_ladder_measured(rung, step, &t);
    double drop = 2 * 1.21 / 2.1, noise = 0.133 * 0.29;
    assert_close(rung[0], 0.83, 0);
    assert_close(rung[1], drop + noise + 0.17 - 0.867 * 0.61, 1e-14);
    assert_close(rung[2], drop + noise + 0.17, 1e-14);
    assert_close(rung[3], drop + noise + 3.61 * 0.11, 1e-14);
    assert_close(rung[4], 2 * 1.58 / 2.1 + 0.133 * 2.385 / 8 + 3.61 * 0.11, 1e-14);
    /* the steps are the differences, the first one with the products that have mean 0 */
    assert_close(step[1], rung[1] - 0.83 - 2 * (0.053 + 0.133 * 0.041), 1e-13);
    for (size_t k = 2; k < HSGD_NUM_MEASURED_RUNGS; k++)
        assert_close(step[k], rung[k] - rung[k - 1], 1e-13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rungs_by_hand)};
    return cmocka_run_group_tests_name("rungs", tests, NULL, NULL);
}
