/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Worst cases in use: "worst_case" in a configuration reaches verdicts, result.json, the table and the prediction, and
 * a rate; phase diagrams of worst cases have the numbers of the solver for either class of problems; and `hsgd pep` finds the
 * step size that a hand derivation and a fine grid find, and draws what its file says. */
#include "tests/experiments/program.h"

#include "bounds/worst_case.h"
#include "experiments/config.h"
#include "experiments/pep_curves_private.h"
#include "experiments/phase_private.h"

static hsgd_error err;

/* Four workers, L = 1, D_1 = a^2, D_2 = b^2, f* = 0 and Delta = w^2/2, all exact; periods and what follows are given. */
#define FOUR(periods, steps, rest)                                                                                     \
    "{\"name\": \"w\", \"hierarchy\": {\"fanout\": [2, 2], \"periods\": " periods "}, \"problem\": {\"type\": "        \
    "\"quadratic\", \"curvature\": [1, 1], \"linear\": [[1.1, 0.6], [1.1, -0.6], [-1.1, 0.6], [-1.1, -0.6]], "         \
    "\"noise_variance\": 0}, \"initial\": {\"point\": [1.3, 0]}, \"optimizer\": {\"step_size\": 0.2, "                 \
    "\"steps\": " steps "}, " rest "}"

static const double D_1 = 1.1 * 1.1, D_2 = 0.6 * 0.6, DELTA = 1.3 * 1.3 / 2;

static double solve(const size_t *periods, size_t levels, size_t steps, double step_size)
{
    hsgd_pep_problem problem = {
        .num_levels = levels, .steps = steps, .step_size = step_size, .smoothness = 1, .delta = DELTA};
    hsgd_pep_result result;
    memcpy(problem.periods, periods, levels * sizeof *periods);
    problem.level_divergence_sq[0] = levels == 1 ? D_1 + D_2 : D_1;
    problem.level_divergence_sq[1] = D_2;
    assert_ok(hsgd_pep_solve(&result, &problem, &err), err);
    double value = result.upper;
    hsgd_pep_result_free(&result);
    return value;
}

/* ---- in a configuration ---- */

static void the_key_adds_a_bound_and_is_written_back(void **state)
{
    (void)state;
    static const char *const bounds[] = {"\"bounds\": []", "\"bounds\": [\"worst-case\"]", "\"seeds\": 1"};
    static const size_t used[] = {1, 1, 0};
    for (size_t i = 0; i < 3; i++) {
        char text[1024], *again;
        hsgd_config config, back;
        snprintf(text, sizeof text, FOUR("[4, 2]", "4", "\"worst_case\": true, %s"), bounds[i]);
        assert_ok(hsgd_config_parse(&config, text, strlen(text), "x.json", &err), err);
        assert_true(config.worst_case);
        assert_int_equal(config.bounds.count, hsgd_num_bounds + 1);
        assert_ptr_equal(config.bounds.bound[hsgd_num_bounds], &hsgd_bound_worst_case);
        size_t selected = 0;
        for (size_t b = 0; b < config.bounds.count; b++)
            selected += config.use_bound[b];
        assert_int_equal(selected, used[i] ? used[i] : hsgd_num_bounds + 1);
        assert_non_null(again = hsgd_config_to_json(&config));
        assert_ok(hsgd_config_parse(&back, again, strlen(again), "x.json", &err), err);
        char *twice = hsgd_config_to_json(&back);
        assert_string_equal(again, twice);
        assert_true(back.worst_case);
        free(again);
        free(twice);
        hsgd_config_free(&back);
        hsgd_config_free(&config);
    }
}

static void without_the_key_nothing_changes(void **state)
{
    (void)state;
    static const char *const text[] = {FOUR("[4, 2]", "4", "\"seeds\": 1"),
                                       FOUR("[4, 2]", "4", "\"worst_case\": false")};
    hsgd_config config;
    for (size_t i = 0; i < 2; i++) {
        assert_ok(hsgd_config_parse(&config, text[i], strlen(text[i]), "x.json", &err), err);
        char *json = hsgd_config_to_json(&config);
        assert_null(strstr(json, "worst"));
        assert_int_equal(config.bounds.count, hsgd_num_bounds);
        free(json);
        hsgd_config_free(&config);
    }
    static const char wrong[] = FOUR("[4, 2]", "4", "\"worst_case\": 1");
    assert_fails(hsgd_config_parse(&config, wrong, strlen(wrong), "x.json", &err), HSGD_ERROR_INPUT,
                 "x.json: worst_case: 1: expected true or false", err);
    static const char taken[] = FOUR("[4, 2]", "4",
                                     "\"worst_case\": true, \"user_bounds\": [{\"id\": \"worst-case\", "
                                     "\"of\": \"S\", \"expression\": \"1\"}]");
    assert_fails(hsgd_config_parse(&config, taken, strlen(taken), "x.json", &err), HSGD_ERROR_INPUT,
                 "user_bounds[0].id: \"worst-case\": the id \"worst-case\" belongs to another bound", err);
}

/* ---- a run ---- */

static const cJSON *bound_of(const cJSON *result, const char *id)
{
    const cJSON *bound;
    cJSON_ArrayForEach(bound, get(result, "bounds")) if (strcmp(text_of(bound, "id"), id) == 0) return bound;
    fail_msg("no bound %s", id);
    return NULL;
}

static void a_run_stands_below_its_worst_case(void **state)
{
    (void)state;
    static const size_t periods[] = {4, 2};
    write_text("w.json", FOUR("[4, 2]", "4", "\"worst_case\": true, \"figures\": [\"convergence\"]"));
    assert_exit("$H run w.json --output w", 0);
    assert_non_null(strstr(out, "  worst-case               S "));
    assert_non_null(strstr(out, "of hsgd-fixed-recursive, "));
    assert_non_null(strstr(out, ": the order holds\n"));
    assert_null(strstr(out, "of hsgd-fixed:")); /* gamma is above the limit of 4.1, so that there is no 4.1 */
    cJSON *result = read_json("w/result.json");
    const cJSON *worst = get(result, "worst_case"), *bound = bound_of(result, "worst-case");
    double value = solve(periods, 2, 4, 0.2), S = number(get(get(result, "measured"), "S"), "mean");
    assert_string_equal(text_of(bound, "verdict"), "holds");
    assert_close(number(worst, "value"), value, 1e-9);
    assert_close(number(bound, "ratio"), S / value, 1e-9);
    assert_close(number(worst, "measured_ratio"), S / value, 1e-9);
    assert_close(number(get(worst, "ratio_to"), "recursive"),
                 value / number(bound_of(result, "hsgd-fixed-recursive"), "value"), 1e-9);
    assert_true(cJSON_IsNull(get(get(worst, "ratio_to"), "published")));
    assert_string_equal(text_of(worst, "order"), "holds");
    assert_string_equal(result->child->prev->prev->string, "worst_case"); /* at the end, before the checksum */
    cJSON_Delete(result);
    char *script = read_text("w/convergence.gp");
    assert_non_null(strstr(script, "worst case, exact"));
    free(script);
    assert_exit("$H run w.json --dry-run", 0);
    assert_non_null(strstr(out, "s for the worst case, on one thread\n"));
}

/* With noise there is a number and no verdict, so that it is in no figure; too many steps are refused in one line. */
static void what_cannot_be_had_is_told(void **state)
{
    (void)state;
    write_text("n.json",
               "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"problem\": {\"type\": \"quadratic\", "
               "\"dimension\": 2, \"curvature_range\": [0.5, 1], \"level_divergence\": [1, 1], "
               "\"noise_variance\": 0.5}, \"optimizer\": {\"step_size\": 0.05, \"steps\": 4}, \"seeds\": 3, "
               "\"bounds\": [], \"figures\": [], \"worst_case\": true}");
    assert_exit("$H run n.json --output n", 0);
    assert_non_null(strstr(out, "not applicable: the worst case is of exact gradients, but sigma_sq is 0.5; its terms "
                                "are those of 4.2, and no theorem adds them\n"));
    write_text("t.json", FOUR("[4, 2]", "500", "\"bounds\": [], \"figures\": [], \"worst_case\": true"));
    assert_exit("$H run t.json --output t", 0);
    assert_non_null(strstr(out, "not applicable: T = 500 needs a program of more than 150 points"));
    assert_exit("$H run t.json --dry-run", 0);
    assert_null(strstr(out, "worst case"));
}

static void a_rate_has_it_among_its_bounds(void **state)
{
    (void)state;
    static const size_t periods[] = {2, 1};
    write_text("r.json", FOUR("[2, 1]", "2",
                              "\"worst_case\": true, \"figures\": [], \"bounds\": "
                              "[\"hsgd-fixed-recursive\"], \"rate\": {\"over\": \"steps\", "
                              "\"values\": [2, 3, 4]}"));
    assert_exit("$H rate r.json --output r --quiet", 3); /* three points say little of an exponent */
    cJSON *rate = read_json("r/rate.json");
    const cJSON *point = cJSON_GetArrayItem(get(rate, "points"), 2),
                *bound = cJSON_GetArrayItem(get(point, "bounds"), 1);
    assert_string_equal(text_of(bound, "id"), "worst-case");
    assert_close(number(bound, "value"), solve(periods, 2, 4, 0.2), 1e-9);
    assert_string_equal(text_of(bound, "verdict"), "holds");
    cJSON_Delete(rate);
}

/* ---- the sandwich ---- */

#define PHASE(quantity)                                                                                                \
    FOUR("[4, 2]", "5",                                                                                                \
         "\"phase\": {\"quantity\": \"" quantity "\", \"axes\": [{\"name\": \"G\", \"key\": "                          \
         "\"hierarchy.periods[0]\", \"values\": [2, 4]}]}")

/* One class of problems: all three solved by hand. The other: for local SGD the tree has equal periods. In both the larger G
 * is worse, and H-SGD lies between. */
static void a_phase_diagram_has_the_numbers_of_the_solver(void **state)
{
    (void)state;
    static const char *const text[] = {PHASE("worst-case"), PHASE("worst-case-levels")};
    static const size_t tree[] = {4, 2}, one[][2] = {{2, 2}, {4, 4}};
    for (size_t i = 0; i < 2; i++) {
        hsgd_phase phase;
        size_t levels = i + 1;
        assert_ok(hsgd_phase_parse(&phase, text[i], strlen(text[i]), "p.json", 0, &err), err);
        assert_ok(hsgd_phase_run(&phase, 1, NULL, NULL, &err), err);
        assert_int_equal(phase.point[0].verdict, HSGD_BETWEEN_EQUAL); /* G = I is local SGD */
        const hsgd_phase_point *p = &phase.point[1];
        assert_int_equal(p->verdict, HSGD_BETWEEN_HOLDS);
        assert_close(p->value[HSGD_PHASE_MIDDLE], solve(tree, 2, 5, 0.2), 1e-6);
        assert_close(p->value[HSGD_PHASE_INNER], solve(one[0], levels, 5, 0.2), 1e-6);
        assert_close(p->value[HSGD_PHASE_OUTER], solve(one[1], levels, 5, 0.2), 1e-6);
        assert_true(p->ratio > 0.2 && p->ratio < 0.98);
        hsgd_phase_free(&phase);
    }
}

static void worst_cases_of_other_problems_are_refused(void **state)
{
    (void)state;
    write_text("x.json",
               "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"problem\": {\"type\": \"quadratic\", "
               "\"dimension\": 2, \"curvature_range\": [0.5, 1], \"level_divergence\": [1, 1], "
               "\"noise_variance\": 0.5}, \"optimizer\": {\"step_size\": 0.05, \"steps\": 4}, \"phase\": "
               "{\"quantity\": \"worst-case\", \"axes\": [{\"name\": \"G\", \"key\": "
               "\"hierarchy.periods[0]\", \"values\": [4]}]}}");
    assert_refusal("$H phase x.json --output x", 2, "x.json: sigma_sq: 0.5 is not 0");
    write_text("x.json", FOUR("[4, 2]", "4",
                              "\"pep\": {\"from\": 0.5, \"to\": 0.1, \"axes\": [{\"name\": \"G\", "
                              "\"key\": \"hierarchy.periods[0]\", \"values\": [4]}]}"));
    assert_refusal("$H pep x.json", 2, "x.json: pep.to: 0.1: expected \"from\" below \"to\"");
    assert_refusal("$H pep x.json --steps 4", 2, "--steps: does not go with the key \"pep\" of x.json");
    assert_refusal("$H run x.json", 2, "x.json: pep: this file is for hsgd pep, which follows its step sizes");
}

/* ---- the step size ---- */

static hsgd_pep_curves follow(const char *text)
{
    hsgd_pep_curves curves;
    assert_ok(hsgd_pep_curves_parse(&curves, text, strlen(text), "c.json", &err), err);
    assert_ok(hsgd_pep_curves_run(&curves, NULL, NULL, &err), err);
    return curves;
}

#define CURVES(periods, steps, range)                                                                                  \
    FOUR(periods, steps,                                                                                               \
         "\"pep\": {" range ", \"axes\": [{\"name\": \"T\", \"key\": \"optimizer.steps\", \"values\": [" steps "]}]}")

/* Gradient descent has 2 Delta/((2 - gamma L) gamma T): smallest at 1/L, where it is 2 L Delta/T. */
static void the_best_step_of_gradient_descent_is_one_over_L(void **state)
{
    (void)state;
    hsgd_pep_curves curves = follow(CURVES("[1, 1]", "3", "\"from\": 0.1, \"to\": 1.9, \"points\": 6"));
    const hsgd_pep_curve *c = &curves.curve[0];
    const hsgd_pep_step *best = &c->step[c->best];
    assert_true(c->best_inside && best->mark == HSGD_PEP_AT_BEST);
    assert_true(c->best_low <= 1 && c->best_high >= 1 && c->best_high / c->best_low < 1.0021);
    assert_close(best->step_size, 1, 2e-3);
    assert_close(best->upper, 2 * DELTA / 3, 1e-5);
    for (size_t i = 0; i < c->num_steps; i++) {
        double gamma = c->step[i].step_size;
        assert_close(c->step[i].upper, 2 * DELTA / ((2 - gamma) * gamma * 3), 1e-5);
        assert_true(i == 0 || gamma > c->step[i - 1].step_size);
    }
    hsgd_pep_curves_free(&curves);
}

/* Of local SGD nothing is known by hand: no step size of a fine grid is better, and the limits are where they should be. */
static void no_step_size_of_a_fine_grid_is_better(void **state)
{
    (void)state;
    static const size_t periods[] = {2};
    hsgd_pep_curves curves = follow(CURVES("[2, 2]", "3", "\"from\": 0.05, \"to\": 1.5, \"points\": 7"));
    const hsgd_pep_curve *c = &curves.curve[0];
    double best = c->step[c->best].upper, least = INFINITY, at = 0;
    for (double gamma = 0.05; gamma < 1.5; gamma *= 1.02) {
        double value = solve(periods, 1, 3, gamma);
        at = value < least ? gamma : at;
        least = fmin(least, value);
    }
    assert_at_most(best, least, 1e-6);
    assert_close(c->step[c->best].step_size, at, 0.0225); /* the grid's own step, and the tolerance */
    assert_close(hsgd_pep_curve_find(c, HSGD_PEP_AT_PUBLISHED)->step_size, 1 / (4 * sqrt(6)), 1e-12);
    assert_close(hsgd_pep_curve_find(c, HSGD_PEP_AT_SHARPENED)->step_size, 0.5,
                 1e-12); /* 2 gamma^2 L^2 P (P - 1) = 1 */
    assert_close(hsgd_pep_curve_find(c, HSGD_PEP_AT_INVERSE_L)->step_size, 1, 1e-12);
    assert_true(
        isnan(c->step[c->num_steps - 1].bound[HSGD_PEP_RECURSIVE])); /* 4.4 ends at 1/L, the worst case goes on */
    hsgd_pep_curves_free(&curves);
}

/* Files, table and figure of the program say the same; the figure is drawn once, and by hsgd plot from pep.json alone. */
static void the_program_leaves_its_curves_and_draws_them(void **state)
{
    (void)state;
    write_text("c.json", FOUR("[2, 1]", "2",
                              "\"pep\": {\"from\": 0.05, \"to\": 1.2, \"points\": 4, \"axes\": [{\"name\": "
                              "\"T\", \"key\": \"optimizer.steps\", \"values\": [2, 3]}]}, "
                              "\"figure_style\": {\"format\": \"svg\"}"));
    assert_exit("$H pep c.json --output c", 0);
    assert_non_null(strstr(out, "in c: pep.json, pep.csv, pep.svg\n"));
    cJSON *document = read_json("c/pep.json"), *curve;
    char *csv = read_text("c/pep.csv"), *line = csv;
    size_t rows = 0;
    cJSON_ArrayForEach(curve, get(document, "curves"))
    {
        const cJSON *point;
        double best = number(get(curve, "best"), "worst_case");
        cJSON_ArrayForEach(point, get(curve, "points"))
        {
            double number_of_curve, steps, gamma, scaled, worst;
            line = strchr(line, '\n') + 1;
            assert_int_equal(sscanf(line, "%lf,%lf,%lf,%lf,%lf", &number_of_curve, &steps, &gamma, &scaled, &worst), 5);
            assert_true(gamma == number(point, "step_size") && worst == number(point, "worst_case"));
            assert_true(steps == number(curve, "steps") && worst >= best);
            rows++;
        }
    }
    assert_true(rows > 14);
    cJSON_Delete(document);
    free(csv);
    char *script = read_text("c/pep.gp"), *data = read_text("c/pep.dat");
    assert_non_null(strstr(script, "'pep.dat' using \"x_2\":\"worst_2\" with lines"));
    assert_non_null(strstr(script, "T = 3"));
    assert_non_null(strstr(script, "\"published_limit_1\" with points pt 6"));
    assert_non_null(strstr(script, "set arrow 1 from first 1,graph 0"));
    assert_non_null(strstr(data, "best_2"));
    free(script);
    free(data);
    assert_true(exists("c/pep.svg"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_adds_a_bound_and_is_written_back),
        cmocka_unit_test(without_the_key_nothing_changes),
        cmocka_unit_test(a_run_stands_below_its_worst_case),
        cmocka_unit_test(what_cannot_be_had_is_told),
        cmocka_unit_test(a_rate_has_it_among_its_bounds),
        cmocka_unit_test(a_phase_diagram_has_the_numbers_of_the_solver),
        cmocka_unit_test(worst_cases_of_other_problems_are_refused),
        cmocka_unit_test(the_best_step_of_gradient_descent_is_one_over_L),
        cmocka_unit_test(no_step_size_of_a_fine_grid_is_better),
        cmocka_unit_test(the_program_leaves_its_curves_and_draws_them),
    };
    return cmocka_run_group_tests_name("worst_case_in_use", tests, enter_folder, leave_folder);
}
