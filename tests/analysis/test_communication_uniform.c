/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seconds and bytes of a schedule in closed form are those of the model that follows every worker, at every step, by both
 * routes, over shared links and others; and the steps within a budget are the most that fit, found by trying all. */
#include "tests/analysis/trees.h"

#include "analysis/communication_uniform.h"

static hsgd_error err;

enum { STEPS = 75, MAX_TREE_LEVELS = 4, DIM = 37 };

typedef struct tree_case {
    size_t fanout[MAX_TREE_LEVELS], period[MAX_TREE_LEVELS], levels;
} tree_case;

/* Periods that are equal (a level that only passes sums on), 1, and longer than the run. */
static const tree_case tree[] = {{{5}, {7}, 1},
                                 {{5}, {1}, 1},
                                 {{2, 3}, {12, 4}, 2},
                                 {{3, 2}, {6, 6}, 2},
                                 {{3, 2, 4}, {30, 6, 2}, 3},
                                 {{2, 1, 3}, {90, 5, 5}, 3},
                                 {{2, 3, 2, 2}, {24, 24, 8, 1}, 4},
                                 {{2, 2, 3}, {1, 1, 1}, 3}};
enum { NUM_TREES = sizeof tree / sizeof *tree };

static hsgd_communication costs_of(int which)
{
    hsgd_communication c = {.level = {{0.31, 1e3, false}, {0.02, 3e3, true}, {0.001, 1e5, true}, {0, 7e4, false}},
                            .compute_s = 0.0137,
                            .bytes_per_parameter = 3};
    c.route = which & 1 ? HSGD_ROUTE_DIRECT : HSGD_ROUTE_TREE;
    for (int k = 0; k < MAX_TREE_LEVELS; k++)
        c.level[k].shared ^= (which & 2) != 0;
    return c;
}

static void compare_with_the_workers_clocks(const hsgd_communication *c, const tree_case *t)
{
    hsgd_hierarchy h, expanded;
    hsgd_schedule_costs costs;
    size_t step[STEPS];
    double time_s[STEPS], bytes[STEPS * MAX_TREE_LEVELS], got[HSGD_MAX_LEVELS];
    for (size_t i = 0; i < STEPS; i++)
        step[i] = i;
    assert_ok(hsgd_hierarchy_uniform(&h, t->fanout, t->period, t->levels, &err), err);
    assert_ok(hsgd_hierarchy_expand(&expanded, &h, &err), err);
    assert_ok(hsgd_communication_run(time_s, bytes, c, &(hsgd_communicating_run){.network = &expanded, .dim = DIM},
                                     step, STEPS, &err),
              err);
    assert_ok(hsgd_schedule_costs_init(&costs, c, &h, DIM, &err), err);
    for (size_t i = 0; i < STEPS; i++) {
        assert_near(hsgd_schedule_seconds(&costs, i), time_s[i], 1e-12);
        hsgd_schedule_bytes(got, &costs, i);
        for (size_t k = 0; k < t->levels; k++)
            assert_close(got[k], bytes[i * t->levels + k], 1e-13);
    }
    hsgd_hierarchy_free(&expanded);
    hsgd_hierarchy_free(&h);
}

static void costs_are_those_of_every_workers_clock(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++)
        for (size_t i = 0; i < NUM_TREES; i++) {
            hsgd_communication c = costs_of(which);
            compare_with_the_workers_clocks(&c, &tree[i]);
        }
}

/* By trying one step more and more; budgets that are the very time of a step are enough for it. */
static size_t most_steps(const hsgd_schedule_costs *costs, double budget_s, size_t most)
{
    size_t steps = 0;
    while (steps < most && hsgd_schedule_seconds(costs, steps + 1) <= budget_s)
        steps++;
    return steps;
}

static void a_budget_is_used_up(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++)
        for (size_t i = 0; i < NUM_TREES; i++) {
            hsgd_communication c = costs_of(which);
            hsgd_hierarchy h;
            hsgd_schedule_costs costs;
            assert_ok(hsgd_hierarchy_uniform(&h, tree[i].fanout, tree[i].period, tree[i].levels, &err), err);
            assert_ok(hsgd_schedule_costs_init(&costs, &c, &h, DIM, &err), err);
            for (double budget_s = 0; budget_s < 40; budget_s = 1.37 * budget_s + 0.0071)
                assert_int_equal(hsgd_schedule_steps_within(&costs, budget_s, 1 << 20),
                                 most_steps(&costs, budget_s, 1 << 20));
            for (size_t steps = 0; steps < 200; steps += 13)
                assert_true(hsgd_schedule_steps_within(&costs, hsgd_schedule_seconds(&costs, steps), 1 << 20) >= steps);
            for (size_t most = 0; most < 20; most += 3) /* no more than asked for */
                assert_int_equal(hsgd_schedule_steps_within(&costs, 1e9, most), most);
            hsgd_hierarchy_free(&h);
        }
}

static void what_has_no_closed_form_is_refused(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){4, 2}, 2), compact;
    hsgd_schedule_costs costs;
    hsgd_communication c = costs_of(0), bad = c;
    assert_fails(hsgd_schedule_costs_init(&costs, &c, &h, DIM, &err), HSGD_ERROR_INPUT, "one entry per level", err);
    assert_ok(hsgd_hierarchy_uniform(&compact, (size_t[]){2, 2}, (size_t[]){4, 2}, 2, &err), err);
    bad.straggler = (hsgd_straggler){HSGD_STRAGGLER_EXPONENTIAL, 1, 0};
    assert_fails(hsgd_schedule_costs_init(&costs, &bad, &compact, DIM, &err), HSGD_ERROR_INPUT, "exponential", err);
    bad = c;
    bad.level[1].bandwidth_bytes_per_s = NAN;
    assert_fails(hsgd_schedule_costs_init(&costs, &bad, &compact, DIM, &err), HSGD_ERROR_INPUT, "levels[1]", err);
    bad = c;
    bad.compute_s = NAN;
    assert_fails(hsgd_schedule_costs_init(&costs, &bad, &compact, DIM, &err), HSGD_ERROR_INPUT, "compute", err);
    assert_fails(hsgd_schedule_costs_init(&costs, &c, &compact, 0, &err), HSGD_ERROR_INPUT, "more than 0 bytes", err);
    hsgd_hierarchy_free(&compact);
    hsgd_hierarchy_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(costs_are_those_of_every_workers_clock),
                                       cmocka_unit_test(a_budget_is_used_up),
                                       cmocka_unit_test(what_has_no_closed_form_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
