/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Latencies and bandwidths from synthetic times: recovered to rounding without noise and within their standard errors with
 * noise, on both routes; the seconds of a fit are those of the clocks of communication.h, which know nothing of it; and what
 * cannot be fitted is refused. */
#include "tests/analysis/trees.h"

#include "analysis/communication.h"
#include "analysis/link_fit.h"
#include "analysis/random.h"

static hsgd_error err;

static const double latency_s[3] = {3.1e-3, 2.7e-4, 1.9e-6}, bandwidth[3] = {1.3e8, 2.9e9, 1.7e10};

/* Seconds of one average of node u by the clocks of the model: no computing, one step, and only u is due. */
static double clock_s(const hsgd_hierarchy *h, hsgd_route route, size_t u, size_t dim)
{
    hsgd_hierarchy only;
    hsgd_communication c = {.route = route, .bytes_per_parameter = 8};
    const size_t step = 1;
    double time_s;
    for (size_t k = 0; k < 3; k++)
        c.level[k] = (hsgd_channel){latency_s[k], bandwidth[k], false};
    assert_ok(hsgd_hierarchy_expand(&only, h, &err), err);
    for (size_t v = 0; v < only.num_nodes; v++)
        only.node[v].period = v == u ? 1 : 1000;
    hsgd_communicating_run run = {.network = &only, .dim = dim, .seed = 1};
    assert_ok(hsgd_communication_run(&time_s, NULL, &c, &run, &step, 1, &err), err);
    hsgd_hierarchy_free(&only);
    return time_s;
}

static const size_t dims[] = {1, 40, 1600, 25000, 400000, 3000000};
enum { NUM_DIMS = sizeof dims / sizeof *dims, MOST = 8 * NUM_DIMS };

/* Every node with every size, times exp(noise Z). Returns their number. */
static size_t synthetic(hsgd_timed_average *out, const hsgd_hierarchy *h, hsgd_route route, double noise, uint64_t seed)
{
    double normal[MOST];
    size_t count = 0;
    hsgd_normals(&(hsgd_stream){seed, HSGD_PURPOSE_USER, 0, 0}, noise, normal, MOST);
    for (size_t u = 0; u < h->num_nodes; u++)
        for (size_t i = 0; i < NUM_DIMS; i++, count++)
            out[count] = (hsgd_timed_average){u, 8.0 * (double)dims[i],
                                              clock_s(h, route, u, dims[i]) * exp(noise > 0 ? normal[count] : 0), 1};
    return count;
}

static void check_recovered(const hsgd_hierarchy *h, hsgd_route route)
{
    hsgd_timed_average average[MOST];
    hsgd_link_fit fit;
    size_t count = synthetic(average, h, route, 0, 0);
    assert_ok(hsgd_link_fit_make(&fit, h, route, average, count, &err), err);
    for (size_t k = 0; k < h->num_levels; k++) {
        assert_close(fit.level[k].latency_s, latency_s[k], 1e-8);
        assert_close(fit.level[k].bandwidth_bytes_per_s, bandwidth[k], 1e-8);
        assert_true(fit.level[k].rms_residual < 1e-10 && fabs(fit.level[k].largest_residual) < 1e-10);
    }
    for (size_t i = 0; i < count; i++)
        assert_close(hsgd_link_fit_seconds(&fit, h, average[i].node, average[i].bytes), average[i].time_s, 1e-9);
}

static void times_of_the_models_own_clocks_give_its_numbers(void **state)
{
    (void)state;
    hsgd_hierarchy even = uniform((size_t[]){2, 2, 2}, (size_t[]){8, 4, 2}, 3), uneven = crooked();
    const hsgd_hierarchy *tree[] = {&even, &uneven};
    for (size_t i = 0; i < 2; i++) {
        check_recovered(tree[i], HSGD_ROUTE_DIRECT);
        check_recovered(tree[i], HSGD_ROUTE_TREE);
    }
    hsgd_hierarchy_free(&even);
    hsgd_hierarchy_free(&uneven);
}

/* Whether an error of z standard errors is met too often or too rarely in `trials` trials: five deviations of the binomial. */
static void check_coverage(size_t inside, size_t trials, double share)
{
    double n = (double)trials, deviation = sqrt(n * share * (1 - share));
    if (fabs((double)inside - n * share) > 5 * deviation)
        fail_msg("%zu of %zu values are within two standard errors, expected about %g", inside, trials, n * share);
}

/* Multiplicative noise of 5 %. Student's t with 4 or 8 degrees of freedom and more is within 2 in 88 to 95 % of cases. */
static void noisy_times_give_them_within_their_errors(void **state)
{
    (void)state;
    enum { TRIALS = 300 };
    hsgd_hierarchy h = uniform((size_t[]){2, 3}, (size_t[]){4, 2}, 2);
    for (int route = HSGD_ROUTE_TREE; route <= HSGD_ROUTE_DIRECT; route++) {
        size_t inside[4] = {0};
        double residual = 0;
        for (uint64_t trial = 1; trial <= TRIALS; trial++) {
            hsgd_timed_average average[MOST];
            hsgd_link_fit fit;
            size_t count = synthetic(average, &h, (hsgd_route)route, 0.05, trial);
            assert_ok(hsgd_link_fit_make(&fit, &h, (hsgd_route)route, average, count, &err), err);
            for (size_t k = 0; k < 2; k++) {
                const hsgd_fitted_level *level = &fit.level[k];
                inside[k] += fabs(level->latency_s - latency_s[k]) < 2 * level->latency_se;
                inside[2 + k] += fabs(level->bandwidth_bytes_per_s - bandwidth[k]) < 2 * level->bandwidth_se;
                residual += pow(level->rms_residual, 2) / (2 * TRIALS);
            }
        }
        for (size_t i = 0; i < 4; i++)
            check_coverage(inside[i], TRIALS, 0.92);
        assert_true(sqrt(residual) > 0.035 && sqrt(residual) < 0.055); /* 5 %, less what the fit takes */
    }
    hsgd_hierarchy_free(&h);
}

/* Times that fall with the size have no bandwidth to be fitted; a root that is faster than a group has no latency of its own on
 * the route through the groups. */
static void numbers_never_become_negative(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){4, 2}, 2);
    hsgd_link_fit fit;
    const hsgd_timed_average average[] = {{0, 8, 2e-5, 1}, {0, 800, 1.9e-5, 1}, {0, 80000, 1.8e-5, 1},
                                          {1, 8, 4e-5, 1}, {1, 800, 4.2e-5, 1}, {1, 80000, 9e-5, 1}};
    assert_ok(hsgd_link_fit_make(&fit, &h, HSGD_ROUTE_DIRECT, average, 6, &err), err);
    assert_true(fit.level[0].bandwidth_bytes_per_s == HSGD_NO_BANDWIDTH_LIMIT && fit.level[0].bandwidth_se == 0);
    assert_close(fit.level[0].latency_s, 9.5e-6, 0.05);
    assert_ok(hsgd_link_fit_make(&fit, &h, HSGD_ROUTE_TREE, average, 6, &err), err);
    assert_true(fit.level[0].latency_s == 0 && fit.level[1].latency_s > 0);
    assert_true(fit.level[0].largest_residual < -0.1); /* and says so */
    hsgd_hierarchy_free(&h);
}

/* A weight of 3 is the same as to have measured three times; the residual of a level is weighted in the same way. */
static void weights_count_measurements(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){3}, (size_t[]){4}, 1);
    hsgd_link_fit fit, want;
    const hsgd_timed_average heavy[] = {{0, 8, 2e-5, 1}, {0, 8000, 4.1e-5, 3}, {0, 80000, 9e-5, 1}};
    const hsgd_timed_average often[] = {
        {0, 8, 2e-5, 1}, {0, 8000, 4.1e-5, 1}, {0, 8000, 4.1e-5, 1}, {0, 8000, 4.1e-5, 1}, {0, 80000, 9e-5, 1}};
    assert_ok(hsgd_link_fit_make(&fit, &h, HSGD_ROUTE_DIRECT, heavy, 3, &err), err);
    assert_ok(hsgd_link_fit_make(&want, &h, HSGD_ROUTE_DIRECT, often, 5, &err), err);
    assert_close(fit.level[0].latency_s, want.level[0].latency_s, 1e-12);
    assert_close(fit.level[0].bandwidth_bytes_per_s, want.level[0].bandwidth_bytes_per_s, 1e-12);
    assert_close(fit.level[0].rms_residual, want.level[0].rms_residual, 1e-10);
    assert_true(fit.level[0].latency_se > want.level[0].latency_se); /* on one degree of freedom, not three */
    hsgd_hierarchy_free(&h);
}

static void what_cannot_be_fitted_is_refused(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){4, 2}, 2);
    hsgd_link_fit fit;
    const hsgd_timed_average one_size[] = {{0, 8, 1, 1}, {0, 9, 1, 1}, {1, 8, 1, 1}, {2, 8, 2, 1}};
    const hsgd_timed_average none[] = {{0, 8, 1, 1}, {0, 9, 1, 1}}, zero[] = {{0, 8, 0, 1}}, far[] = {{9, 8, 1, 1}};
    const hsgd_timed_average light[] = {{0, 8, 1, 0}};
    assert_fails(hsgd_link_fit_make(&fit, &h, HSGD_ROUTE_DIRECT, light, 1, &err), HSGD_ERROR_INPUT, "weight 0", err);
    assert_fails(hsgd_link_fit_make(&fit, &h, HSGD_ROUTE_DIRECT, one_size, 4, &err), HSGD_ERROR_INPUT,
                 "level 2: needs measured averages of at least two sizes", err);
    assert_fails(hsgd_link_fit_make(&fit, &h, HSGD_ROUTE_TREE, none, 2, &err), HSGD_ERROR_INPUT, "level 2", err);
    assert_fails(hsgd_link_fit_make(&fit, &h, HSGD_ROUTE_TREE, zero, 1, &err), HSGD_ERROR_INPUT, "8 bytes in 0 s", err);
    assert_fails(hsgd_link_fit_make(&fit, &h, HSGD_ROUTE_TREE, far, 1, &err), HSGD_ERROR_INPUT, "node 9", err);
    hsgd_hierarchy_free(&h);
    assert_ok(hsgd_hierarchy_uniform(&h, (size_t[]){2, 2}, (size_t[]){4, 2}, 2, &err), err); /* one entry per level */
    assert_fails(hsgd_link_fit_make(&fit, &h, HSGD_ROUTE_TREE, far, 1, &err), HSGD_ERROR_INPUT, "one entry per node",
                 err);
    hsgd_hierarchy_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_of_the_models_own_clocks_give_its_numbers),
        cmocka_unit_test(noisy_times_give_them_within_their_errors),
        cmocka_unit_test(numbers_never_become_negative),
        cmocka_unit_test(weights_count_measurements),
        cmocka_unit_test(what_cannot_be_fitted_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
