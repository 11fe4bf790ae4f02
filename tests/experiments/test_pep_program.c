/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd pep from outside: where its constants come from, what it prints and refuses, and the exported program, which another
 * solver (CSDP) answers in the same way. */
#include "tests/experiments/program.h"

/* f(w) = mean of F_j, F_j = <h, w^2>/2 - <b_j, w>, w^0 = 0: b = (-1, -3, 2, 6) and h = 2. By hand: mean b = 1, f* = -1/4, so
 * Delta = 1/4; groups -2 and 4, D_1 = 9; within them +-1 and +-2, D_2 = (1 + 4)/2 = 2.5. L = 2. */
#define CONFIG(more)                                                                                                   \
    "{\"name\": \"hand\", \"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"problem\": {\"type\": "          \
    "\"quadratic\","                                                                                                   \
    "\"curvature\": [2], \"linear\": [[-1], [-3], [2], [6]], \"noise_variance\": 0.5}, \"optimizer\": "                \
    "{\"step_size\": 0.02,"                                                                                            \
    "\"steps\": 5}" more "}"
#define PARAMS                                                                                                         \
    "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"step_size\": 0.02, \"steps\": 5, \"L\": 2,"          \
    "\"sigma_sq\": 0.5, \"delta\": 0.25, \"level_divergence_sq\": [9, 2.5]}"
#define OPTIONS "--periods 4,2 --steps 5 --step-size 0.02 --smoothness 2 --delta 0.25 --divergence-sq 9,2.5"

static cJSON *answer(const char *line)
{
    assert_exit(line, 0);
    assert_string_equal(err_text, "");
    return parse_json(out);
}

static double value_of(const cJSON *document, const char *variant)
{
    return number(get(get(document, "worst_case"), variant), "value");
}

/* The three ways to ask are one question. Noise is left out of the worst case, and its closed form reported. */
static void constants_from_three_places(void **state)
{
    (void)state;
    write_text("c.json", CONFIG(""));
    write_text("p.json", PARAMS);
    cJSON *config = answer("$H pep c.json --json"), *params = answer("$H pep p.json --json");
    cJSON *piped = answer("$H pep - --json < p.json"), *options = answer("$H pep " OPTIONS " --json");
    cJSON *const all[] = {config, params, piped, options};
    for (size_t i = 0; i < 4; i++) {
        const cJSON *problem = get(all[i], "problem"), *d = get(problem, "level_divergence_sq");
        assert_near(number(problem, "L"), 2, 1e-12);
        assert_near(number(problem, "delta"), 0.25, 1e-12);
        assert_near(cJSON_GetArrayItem(d, 0)->valuedouble, 9, 1e-12);
        assert_near(cJSON_GetArrayItem(d, 1)->valuedouble, 2.5, 1e-12);
        assert_close(value_of(all[i], "descent"), value_of(params, "descent"), 1e-6);
        assert_close(value_of(all[i], "lower-bound"), value_of(params, "lower-bound"), 1e-6);
        assert_true(cJSON_IsFalse(get(all[i], "contradicts")));
        assert_non_null(strstr(text_of(all[i], "note"), "upper bound"));
    }
    assert_near(number(get(config, "problem"), "sigma_sq"), 0.5, 1e-15);
    assert_true(number(config, "noise_terms") > 0.02 * 2 * 0.5 / 4); /* gamma L sigma^2/n, and the drift */
    assert_true(number(options, "noise_terms") == 0);
    for (size_t i = 0; i < 4; i++)
        cJSON_Delete(all[i]);
}

/* The bounds next to it are those of hsgd bound without noise. */
static void bounds_and_ratios(void **state)
{
    (void)state;
    write_text("p.json", PARAMS);
    cJSON *pep = answer("$H pep p.json --json");
    cJSON *bound = answer("sed 's/\"sigma_sq\": 0.5/\"sigma_sq\": 0/' p.json | $H bound - --json");
    static const char *const id[] = {"hsgd-fixed-recursive", "hsgd-fixed-sharp", "hsgd-fixed"};
    double below = value_of(pep, "descent");
    for (size_t i = 0; i < 3; i++) {
        const cJSON *here = element(get(pep, "bounds"), "id", id[i]);
        double value = number(element(get(bound, "bounds"), "id", id[i]), "value");
        assert_close(number(here, "value"), value, 1e-14);
        assert_close(number(here, "ratio"), value_of(pep, "descent") / value, 1e-14);
        assert_at_most(below, value, 0);
        below = value;
    }
    cJSON_Delete(pep);
    cJSON_Delete(bound);
}

static void table_for_people(void **state)
{
    (void)state;
    assert_exit("$H pep --periods 4,2 --steps 4", 0);
    assert_non_null(strstr(out, "H-SGD, periods 4,2, 4 steps of size 0.0505207 (0.99 of the published limit)"));
    assert_non_null(strstr(out, "worst case, descent gap           5.2214"));
    assert_non_null(strstr(out, "1.72628"));
    assert_non_null(strstr(out, "published bound 4.1              11.9388  worst case / bound = 0.4373"));
    assert_non_null(strstr(out, "S <= 5.14319 Delta + 0.0640"));
    assert_non_null(strstr(out, "divergences are bounded at the averaged iterates"));
    assert_exit("$H pep --periods 4,2 --steps 2 --step-size 3 --variant descent", 0);
    assert_non_null(strstr(out, "infinite"));
    assert_non_null(strstr(out, "step size 3 is above 1 = 1/L"));
    assert_exit("$H pep --periods 1 --steps 3 --step-size 1 --criterion min --variant descent", 0);
    assert_non_null(strstr(out, "0.44444")); /* 4/(3 T) */
    assert_null(strstr(out, "lower-bound"));
    write_text("c.json", CONFIG(""));
    assert_exit("$H pep c.json --steps 2 --step-size-fraction 0.5", 0);
    assert_non_null(strstr(out, "(0.5 of the published limit)"));
    assert_non_null(strstr(out, "sigma^2 = 0.5 is not in the worst case"));
    /* equal periods are one level, with the sum of their divergences */
    assert_exit("$H pep --periods 2,2 --divergence-sq 1,0.5 --steps 2 --variant descent", 0);
    assert_non_null(strstr(out, "local SGD, period 2, 2 steps"));
    assert_non_null(strstr(out, "D_1 = 1.5"));
}

static void refusals(void **state)
{
    (void)state;
    assert_refusal("$H pep", 2, "give a file, or --periods and --steps");
    assert_refusal("$H pep --steps 3", 2, "give a file, or --periods and --steps");
    assert_refusal("$H pep --periods 4,2", 2, "--steps is missing");
    assert_refusal("$H pep --periods 4,3 --steps 2", 2, "--periods[1]: the period 3 does not divide");
    assert_refusal("$H pep --periods 4,2 --steps 257", 2, "--steps: \"257\" is not a whole number from 1 to 256");
    assert_refusal("$H pep --periods 4,2 --steps 2 --step-size 0", 2, "--step-size: \"0\" is not above 0");
    assert_refusal("$H pep --periods 4,2 --steps 2 --step-size nan", 2, "--step-size: \"nan\" is not a finite number");
    assert_refusal("$H pep --periods 4,2 --steps 2 --delta -1", 2, "--delta: \"-1\" is not a finite number");
    assert_refusal("$H pep --periods 4,2 --steps 2 --step-size 1 --step-size-fraction 1", 2, "not both");
    assert_refusal("$H pep --periods 4,2 --steps 2 --divergence-sq 1,", 2, "--divergence-sq: \"1,\" is not a list");
    assert_refusal("$H pep --periods 4,2 --steps 2 --divergence-sq 1", 2,
                   "--divergence-sq: 1 numbers for 2 of --periods");
    assert_refusal("$H pep --periods 4,2 --steps 2 --delta 0 --divergence-sq 0,0", 2, "--delta: 0, with all");
    assert_refusal("$H pep --periods 4,2 --steps 2 --variant other", 2,
                   "--variant: \"other\" is not descent, lower-bound or both");
    assert_refusal("$H pep --periods 4,2 --steps 3 --step-size 1e-9", 3, "no certified worst case");
    assert_refusal("$H pep --periods 4,2 --steps 3 --sdpa x.dat-s", 2, "--sdpa: one program at a time");
    assert_refusal("$H pep --periods 4,2 --steps 3 --variant descent --sdpa x", 2,
                   "--sdpa: \"x\" is not the name of a file that ends in .dat-s");
    assert_refusal("$H pep --periods 4,2 --steps 3 --variant descent --sdpa no/x.dat-s", 4, "no/x.dat-s");
    write_text("c.json", CONFIG(""));
    assert_refusal("$H pep c.json --periods 4,2", 2, "a file or --periods, not both");
    assert_refusal("$H pep c.json --divergence-sq 1", 2, "--divergence-sq: 1 numbers for 2 levels");
    write_text("c.json", CONFIG(", \"grouping\": \"random\""));
    assert_refusal("$H pep c.json", 2, "c.json: grouping: \"random\": worst cases are for workers at fixed places");
    write_text("p.json", PARAMS);
    assert_refusal("sed 's/\"steps\": 5/\"steps\": 500/' p.json > q.json; $H pep q.json", 2, "q.json: steps: 500");
    write_text("bad.json", "{");
    assert_refusal("$H pep bad.json", 2, "bad.json: line 1");
    assert_refusal("$H pep none.json", 2, "none.json: cannot be opened");
    /* what only a run would tell */
    write_text(
        "own.json",
        "{\"name\": \"own\", \"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"problem\": {\"type\":"
        "\"quadratic\", \"dimension\": 3, \"curvature_range\": [0.1, 1], \"level_divergence\": [1, 1],"
        "\"curvature_spread\": 0.5, \"noise_variance\": 0}, \"optimizer\": {\"step_size\": 0.02, \"steps\": 3}}");
    assert_refusal("$H pep own.json", 2,
                   "own.json: problem.type: the divergences of this problem are known from a run only");
    assert_exit("$H pep own.json --divergence-sq 1,0.5 --delta 1 --json", 0);
}

/* CSDP solves what hsgd wrote, with all inequalities at once, to the value that hsgd found with a few of them. */
static void another_solver_agrees(void **state)
{
    static const char *const asked[] = {
        "--periods 4,2 --steps 4 --variant descent", "--periods 4,2 --steps 4 --variant lower-bound",
        "--periods 6,3,1 --steps 5 --step-size 0.2 --criterion min --variant descent",
        "--periods 3 --steps 4 --step-size 0.3 --smoothness 2 --delta 0.4 --variant descent"};
    (void)state;
    if (shell("command -v csdp") != 0) {
        print_message("skipped: csdp (package coinor-csdp) is not there\n");
        skip();
    }
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        char line[512], *text;
        double scale;
        snprintf(line, sizeof line, "$H pep %s --sdpa %s.dat-s", asked[i], "program");
        assert_exit(line, 0);
        text = strstr(out, "times ");
        assert_non_null(text);
        scale = strtod(text + 6, NULL);
        assert_exit("csdp program.dat-s", 0);
        text = strstr(out, "Primal objective value: ");
        assert_non_null(text);
        double optimum = strtod(text + strlen("Primal objective value: "), NULL) * scale;
        snprintf(line, sizeof line, "$H pep %s --json", asked[i]);
        cJSON *document = answer(line);
        assert_close(value_of(document, strstr(asked[i], "lower-bound") ? "lower-bound" : "descent"), optimum, 1e-6);
        cJSON_Delete(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_from_three_places),
        cmocka_unit_test(bounds_and_ratios),
        cmocka_unit_test(table_for_people),
        cmocka_unit_test(refusals),
        cmocka_unit_test(another_solver_agrees),
    };
    return cmocka_run_group_tests_name("pep, program", tests, enter_folder, leave_folder);
}
