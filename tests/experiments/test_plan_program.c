/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd plan from outside: what it writes is what hsgd bound evaluates and hsgd run accepts and takes as long for; constants
 * come from a result with their kinds; bad input is refused with its place, and where there is no plan the condition is named. */
#include "tests/experiments/program.h"

#define CONSTANTS "\"constants\": {\"L\": 1.2, \"sigma_sq\": 17, \"delta\": 2.1, \"global_divergence_sq\": 0.9}"
#define NETWORK                                                                                                        \
    "\"network\": [3, 4], \"dimension\": 5, \"communication\": {\"levels\": [{\"latency_s\": 0.05,"                    \
    "\"bandwidth_bytes_per_s\": 1e4, \"shared\": true}, {\"latency_s\": 0.001, \"bandwidth_bytes_per_s\": 1e6}],"      \
    "\"compute_s_per_step\": 0.01}"
#define QUADRATIC                                                                                                      \
    "\"problem\": {\"type\": \"quadratic\", \"dimension\": 5, \"curvature_range\": [0.2, 1.2], \"level_divergence\":"  \
    "[0.5, 0.4], \"noise_variance\": 17}"

/* A small plan without a figure; rest begins with a comma. */
static void write_plan(const char *path, const char *rest)
{
    char text[4096];
    snprintf(text, sizeof text,
             "{\"name\": \"small\", \"workers\": 12, " NETWORK ", \"budget_seconds\": 20, \"max_period\": 12,"
             "\"figures\": []%s}",
             rest);
    write_text(path, text);
}

static cJSON *last_budget(const cJSON *plan)
{
    cJSON *budgets = get(plan, "budgets");
    return cJSON_GetArrayItem(budgets, cJSON_GetArraySize(budgets) - 1);
}

static double bound_of(const cJSON *document, const char *id)
{
    return number(element(get(document, "bounds"), "id", id), "value");
}

/* ---- what is written ---- */

/* For bounds of random and of fixed groups, published and recursive, and for local SGD by way of servers between. */
static void hsgd_bound_evaluates_the_best_plan_alike(void **state)
{
    (void)state;
    static const struct {
        const char *bound, *rest;
    } plan[] = {{"hsgd-random-sharp", ""},
                {"hsgd-random", ""},
                {"hsgd-random-recursive", ""},
                {"hsgd-fixed-sharp",
                 ", \"fanouts\": [[3, 4], [3, 2, 2]], \"level_divergence_sq\": [[0.7, 0.3], [0.7, 0.2, 0.1]]"},
                {"hsgd-fixed", ", \"fanouts\": [[3, 4]], \"level_divergence_sq\": [[0.7, 0.3]], \"periods\": [1]"}};
    for (size_t i = 0; i < sizeof plan / sizeof *plan; i++) {
        char rest[512];
        snprintf(rest, sizeof rest, ", " CONSTANTS ", \"bound\": \"%s\"%s", plan[i].bound, plan[i].rest);
        write_plan("p.json", rest);
        assert_exit(i == 4 ? "sed -i 's/\"max_period\": 12,//' p.json; $H plan p.json --output p --quiet"
                           : "$H plan p.json --output p --quiet",
                    0);
        assert_string_equal(out, "");
        assert_exit("$H bound p/plan-params.json --json", 0);
        cJSON *bounds = parse_json(out), *document = read_json("p/plan.json"),
              *best = get(last_budget(document), "best");
        assert_close(bound_of(bounds, plan[i].bound), number(best, "bound"), 1e-14);
        cJSON_Delete(bounds);
        cJSON_Delete(document);
    }
}

/* hsgd run takes the plan, and its clocks and counters say the seconds and bytes of the plan. */
static void hsgd_run_takes_as_long_as_planned(void **state)
{
    (void)state;
    write_plan("p.json", ", " CONSTANTS ", " QUADRATIC);
    assert_exit("$H plan p.json --output p", 0);
    assert_non_null(strstr(out, "plan-best.json"));
    assert_exit("sed -i '1s/^{/{\"bounds\": [\"hsgd-random-sharp\"], \"figures\": [], \"seeds\": 2,/' p/plan-best.json;"
                "$H run p/plan-best.json --output r --quiet",
                0);
    cJSON *result = read_json("r/result.json"), *document = read_json("p/plan.json");
    cJSON *best = get(last_budget(document), "best"), *run = get(get(result, "communication"), "hsgd");
    assert_close(number(get(run, "time_s"), "mean"), number(best, "seconds"), 1e-12);
    for (int k = 0; k < 2; k++) /* 3 x 4, as the network */
        assert_close(cJSON_GetArrayItem(get(run, "bytes_level"), k)->valuedouble,
                     cJSON_GetArrayItem(get(best, "bytes_level"), k)->valuedouble, 1e-13);
    assert_close(number(get(get(get(result, "constants"), "divergence_sq"), "global"), "value"), 0.9, 1e-12);
    for (int k = 0; k < 2; k++)
        assert_true(cJSON_GetArrayItem(get(best, "links"), k)->valuedouble == k + 1);
    cJSON_Delete(result);
    cJSON_Delete(document);
}

static void constants_come_from_a_result_with_their_kinds(void **state)
{
    (void)state;
    write_text("c.json", "{\"hierarchy\": {\"fanout\": [3, 4], \"periods\": [6, 2]}, " QUADRATIC ", \"optimizer\":"
                         "{\"step_size\": 0.02, \"steps\": 20}, \"seeds\": 2, \"figures\": []}");
    assert_exit("$H run c.json --output sub/r --quiet || true", 0);
    write_plan("sub/p.json", ", \"constants_from\": \"r/result.json\", \"constants\": {\"sigma_sq\": 18}");
    assert_exit("$H plan sub/p.json --output sub/p --quiet", 0);
    cJSON *result = read_json("sub/r/result.json"), *document = read_json("sub/p/plan.json");
    cJSON *from = get(result, "constants"), *constants = get(document, "constants");
    assert_true(number(get(constants, "delta"), "value") == number(get(from, "delta"), "value"));
    assert_string_equal(text_of(get(constants, "L"), "kind"), "exact");
    assert_true(number(get(constants, "global_divergence_sq"), "value") ==
                number(get(get(from, "divergence_sq"), "global"), "value"));
    assert_true(number(get(constants, "sigma_sq"), "value") == 18);
    assert_string_equal(text_of(get(constants, "sigma_sq"), "kind"), "given");
    assert_exit("$H run sub/p/plan-best.json --dry-run", 0); /* the problem is that of the result */
    cJSON_Delete(result);
    cJSON_Delete(document);
    write_plan("sub/p.json", ", \"constants_from\": \"r/none.json\"");
    assert_refusal("$H plan sub/p.json", 2, "sub/r/none.json: cannot be opened");
    write_text("sub/r/weighted.json", "{\"hierarchy\": {\"workers\": 12, \"weighted\": true}}");
    write_plan("sub/p.json", ", \"constants_from\": \"r/weighted.json\"");
    assert_refusal("$H plan sub/p.json", 2, "hierarchy.weighted: true: a plan is for workers of equal weights");
    write_text("sub/r/empty.json", "{}");
    write_plan("sub/p.json", ", \"constants_from\": \"r/empty.json\"");
    assert_refusal("$H plan sub/p.json", 2, "sub/r/empty.json: hierarchy.workers: missing");
}

/* A quadratic in so many words has as many rows as workers, and its levels follow the plan's; another does not fit. */
static void a_problem_that_does_not_fit_is_said(void **state)
{
    (void)state;
    write_plan("p.json",
               ", " CONSTANTS ", \"problem\": {\"type\": \"quadratic\", \"curvature\": [1], \"linear\": [[1], [2]]}");
    assert_exit("rm -rf p; $H plan p.json --output p", 0);
    assert_non_null(strstr(out, "no plan-best.json: plan-best.json: problem.linear"));
    assert_false(exists("p/plan-best.json"));
    assert_true(exists("p/plan-params.json"));
}

/* The same bytes for any number of threads, on standard output too; the figure of an earlier plan goes. */
static void files_do_not_depend_on_threads(void **state)
{
    (void)state;
    write_plan("p.json", ", " CONSTANTS ", \"bound\": \"hsgd-fixed-sharp\"");
    assert_exit("rm -rf a b; mkdir a; touch a/plan.pdf; $H plan p.json --output a --threads 1 --quiet", 0);
    assert_false(exists("a/plan.pdf"));
    assert_exit("$H plan p.json --output b --threads 3 --json", 0);
    cJSON *printed = parse_json(out), *written = read_json("b/plan.json");
    assert_true(forget_origin(written) && cJSON_Compare(printed, written, true));
    cJSON_Delete(printed);
    cJSON_Delete(written);
    assert_exit("cmp a/plan.json b/plan.json && cmp a/plan.csv b/plan.csv && ls a | tr '\\n' ' '", 0);
    assert_string_equal(out, "plan-params.json plan.csv plan.json ");
}

/* One row for each plan that is best and each of the front, with the numbers of plan.json. */
static void the_table_has_the_front(void **state)
{
    (void)state;
    write_plan("p.json", ", " CONSTANTS);
    assert_exit("$H plan p.json --output p --quiet; head -1 p/plan.csv", 0);
    assert_string_equal(out,
                        "what,budget_s,fanout,periods,step_size,steps,seconds,bound,bytes_level_1,bytes_level_2\n");
    cJSON *document = read_json("p/plan.json"), *front = get(last_budget(document), "front");
    char line[256];
    snprintf(line, sizeof line, "test $(wc -l < p/plan.csv) -eq %d && grep '^front' p/plan.csv | tail -1 | cut -d, -f8",
             cJSON_GetArraySize(front) + 4);
    assert_exit(line, 0);
    assert_true(strtod(out, NULL) == number(cJSON_GetArrayItem(front, cJSON_GetArraySize(front) - 1), "bound"));
    cJSON_Delete(document);
}

/* With the figure, whatever the plan is called; drawn again from the folder alone in another format. */
static void the_figure_is_drawn_and_drawn_again(void **state)
{
    (void)state;
    write_text("p.json", "{\"name\": \"it's `echo` 50% {/Bold x}_y^2 \\\"q\\\" $z$ \\\\n\", \"workers\": 12, " NETWORK
                         ", " CONSTANTS
                         ", \"budget_seconds\": [5, 20], \"max_period\": 12, \"figure_style\": {\"format\": \"svg\"}}");
    assert_exit("rm -rf p; $H plan p.json --output p", 0);
    assert_string_equal(err_text, "");
    assert_non_null(strstr(out, "plan.svg"));
    assert_true(exists("p/plan.svg") && exists("p/plan.caption.tex"));
    char *svg = read_text("p/plan.svg"), *data = read_text("p/plan.dat");
    assert_non_null(strstr(svg, "{/Bold x}_y^2"));
    free(svg);
    assert_exit("cp p/plan.gp before; rm p/plan.gp p/plan.dat; $H plot p --format png --no-title", 0);
    assert_non_null(strstr(out, "p/plan.png"));
    assert_false(exists("p/plan.svg"));
    char *again = read_text("p/plan.dat");
    assert_string_equal(data, again);
    free(data);
    free(again);
    assert_refusal("$H run --output p", 2, "holds a plan (plan.json)");
    assert_refusal("mkdir bad; echo '{}' > bad/plan.json; $H plot bad", 2, "bad/plan.json: name: missing");
    assert_refusal(
        "sed 's/\"budget_s\":.*\\[/\"budget_s\": [\"x\", /' p/plan.json | head -c 3000 > bad/plan.json; $H plot bad", 2,
        "not valid JSON");
    assert_refusal("echo '{\"name\": \"a\", \"bound\": \"b\", \"workers\": 3, \"budgets\": [1, null, {\"front\": [7, "
                   "{}]}], \"curves\":"
                   "{\"budget_s\": [1], \"hsgd\": [1, 2]}}' > bad/plan.json; $H plot bad",
                   2, "curves.hsgd: 2 plans for 1 budgets");
    assert_refusal("cp p/plan.json p/sweep.json; $H plan p.json --output p", 2, "holds a sweep");
}

/* ---- what is refused ---- */

static void no_plan_is_exit_3_with_the_condition(void **state)
{
    (void)state;
    static const struct {
        const char *rest, *says;
    } plan[] = {{"\"bound\": \"mll-sgd-2021\"", "no plan for mll-sgd-2021 within 20 s: published for IID data only"},
                {"\"bound\": \"jiang-zhu-2024\"", "no plan for jiang-zhu-2024 within 20 s: "},
                {"\"compute\": 0", "no plan for hsgd-random-sharp within 0.001 s: the budget of 0.001 s is less than "
                                   "the 0.01 s of the first step"}};
    for (size_t i = 0; i < sizeof plan / sizeof *plan; i++) {
        char rest[512];
        snprintf(rest, sizeof rest, ", " CONSTANTS "%s%s", i < 2 ? ", " : "", i < 2 ? plan[i].rest : "");
        write_plan("p.json", rest);
        assert_refusal(i < 2 ? "rm -rf none; $H plan p.json --output none"
                             : "sed -i 's/: 20,/: 0.001,/' p.json; $H plan p.json --output none",
                       3, plan[i].says);
        assert_false(exists("none"));
    }
}

static void bad_input_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *rest, *says;
    } bad[] = {
        {", " CONSTANTS ", \"speed\": 1", "p.json: speed: 1: unknown key; legal here: name, workers"},
        {", \"constants\": {\"L\": 1, \"sigma_sq\": 1, \"delta\": 1}",
         "p.json: constants.global_divergence_sq: missing"},
        {", \"constants\": {\"L\": 0, \"sigma_sq\": 1, \"delta\": 1}",
         "p.json: constants.L: 0: expected a finite number above 0"},
        {"", "p.json: constants: missing; expected an object with the keys L"},
        {", " CONSTANTS ", \"bound\": \"best\"", "p.json: bound: \"best\": is no bound"},
        {", " CONSTANTS ", \"bound\": \"local-sgd-inner\"",
         "p.json: bound: \"local-sgd-inner\": is about local SGD alone"},
        {", " CONSTANTS ", \"bound\": \"hierfavg-2020\"", "p.json: bound: \"hierfavg-2020\": is about a distance"},
        {", " CONSTANTS ", \"levels\": {\"max\": 9}", "p.json: levels.max: 9: expected a whole number from 1 to 8"},
        {", " CONSTANTS ", \"fanouts\": [[3, 5]]", "p.json: fanouts[0]: [3,5]: does not multiply to the 12 workers"},
        {", " CONSTANTS ", \"fanouts\": [[3, 4], [3, 4]]", "p.json: fanouts[1]: [3,4]: stands twice"},
        {", " CONSTANTS ", \"fanouts\": [[3, 4]], \"levels\": {\"max\": 2}",
         "p.json: levels: {\"max\":2}: \"fanouts\" says"},
        {", " CONSTANTS ", \"fanouts\": [[3, 4]], \"level_divergence_sq\": [[1, 1]]",
         "p.json: level_divergence_sq: [[1,1]]: hsgd-random-sharp is about random groups"},
        {", " CONSTANTS ", \"periods\": [1, 2]", "p.json: max_period: 12: \"periods\" says which there are"},
        {", " CONSTANTS ", \"relays\": 1", "p.json: relays: 1: expected true or false"},
        {", " CONSTANTS ", \"model_bytes\": 4", "p.json: model_bytes: 4: expected either \"dimension\""},
        {", " CONSTANTS ", \"figure_style\": {\"format\": \"gif\"}", "p.json: figure_style.format: \"gif\""},
        {", " CONSTANTS ", \"problem\": 3", "p.json: problem: 3: expected an object"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_plan("p.json", bad[i].rest);
        assert_refusal("$H plan p.json --output none", 2, bad[i].says);
    }
    write_plan("p.json", ", " CONSTANTS);
    assert_refusal("sed 's/\\[3, 4\\]/[3, 5]/' p.json > b.json; $H plan b.json", 2,
                   "b.json: network: [3,5]: the fanouts of the network");
    assert_refusal("sed 's/: 20/: [20, 0]/' p.json > b.json; $H plan b.json", 2,
                   "b.json: budget_seconds: [20,0]: expected seconds above 0");
    assert_refusal("sed 's/\"compute/\"straggler\": {\"distribution\": \"exponential\", \"mean_s\": 1}, \"compute/' "
                   "p.json > b.json; $H plan b.json",
                   2, "b.json: communication.straggler: ");
    assert_refusal("sed 's/12,\"figures/720, \"levels\": {\"max\": 8}, \"figures/; s/\"workers\": 12/\"workers\": "
                   "4096/; s/\\[3, 4\\]/[64, 64]/' p.json > b.json; $H plan b.json",
                   2, "b.json: max_period: 720 allows more than");
    assert_exit("rm -rf p; $H plan - --output p --quiet < p.json && ls p/plan.json", 0);
    assert_refusal("$H plan", 2, "PLAN.json is missing");
    assert_refusal("$H plan p.json --threads 0", 2, "--threads: \"0\"");
    assert_refusal("touch file; $H plan p.json --output file", 4, "file: the output folder cannot be made");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hsgd_bound_evaluates_the_best_plan_alike),
                                       cmocka_unit_test(hsgd_run_takes_as_long_as_planned),
                                       cmocka_unit_test(constants_come_from_a_result_with_their_kinds),
                                       cmocka_unit_test(a_problem_that_does_not_fit_is_said),
                                       cmocka_unit_test(files_do_not_depend_on_threads),
                                       cmocka_unit_test(the_table_has_the_front),
                                       cmocka_unit_test(the_figure_is_drawn_and_drawn_again),
                                       cmocka_unit_test(no_plan_is_exit_3_with_the_condition),
                                       cmocka_unit_test(bad_input_is_refused_with_its_place)};
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
