/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounds of the user's own in configurations and PARAMS.json: mistakes with their place, everything read back, the same
 * verdicts as for a built-in bound of the same formula, a wrong formula found out; and that they reach tables, files, figures
 * and pages of single runs, of sweeps and of `hsgd bound`. */
#include "tests/experiments/program.h"
#include "tests/experiments/whole_experiment.h"

#include "bounds/user.h"

#define HIERARCHY "\"hierarchy\": {\"fanout\": [3, 2], \"periods\": [6, 2]}"
#define PROBLEM                                                                                                        \
    "\"problem\": {\"type\": \"quadratic\", \"dimension\": 4, \"curvature_range\": [0.11, 1.3], "                      \
    "\"level_divergence\": [0.83, 0.41], \"noise_variance\": 0.37}, \"initial\": {\"scale\": 1.4}, "
#define OPTIMIZER "\"optimizer\": {\"step_size\": 0.01, \"steps\": 60}, \"seeds\": 4, "
#define CONFIG(rest) "{" HIERARCHY ", " PROBLEM OPTIMIZER rest "}"
#define MINE "{\"id\": \"mine\", \"of\": \"S\", \"expression\": \"1\"}"

/* ---- reading ---- */

static void mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *bounds, *message;
    } row[] = {
        {"3", "x.json: user_bounds: 3: expected an array"},
        {"[3]", "x.json: user_bounds[0]: 3: expected an object with the keys id, of, expression"},
        {"[{\"id\": \"a\", \"of\": \"S\", \"expresion\": \"1\"}]",
         "user_bounds[0].expresion: \"1\": unknown key; legal here: id"},
        {"[{\"of\": \"S\", \"expression\": \"1\"}]", "user_bounds[0].id: missing"},
        {"[{\"id\": 4, \"of\": \"S\", \"expression\": \"1\"}]", "user_bounds[0].id: 4: expected a text"},
        {"[{\"id\": \"A\", \"of\": \"S\", \"expression\": \"1\"}]",
         "user_bounds[0].id: \"A\": expected a letter and then a-z, 0-9 and -, at most 24 in all"},
        {"[{\"id\": \"a_b\", \"of\": \"S\", \"expression\": \"1\"}]", "user_bounds[0].id: \"a_b\": expected a letter"},
        {"[{\"id\": \"\", \"of\": \"S\", \"expression\": \"1\"}]", "user_bounds[0].id: \"\": expected a letter"},
        {"[{\"id\": \"a234567890123456789012345\", \"of\": \"S\", \"expression\": \"1\"}]", "at most 24 in all"},
        {"[{\"id\": \"hsgd-fixed\", \"of\": \"S\", \"expression\": \"1\"}]",
         "user_bounds[0].id: \"hsgd-fixed\": is the id of a built-in bound"},
        {"[{\"id\": \"all\", \"of\": \"S\", \"expression\": \"1\"}]",
         "user_bounds[0].id: \"all\": this word has a meaning"},
        {"[{\"id\": \"steps\", \"of\": \"S\", \"expression\": \"1\"}]", "user_bounds[0].id: \"steps\": this word has"},
        {"[" MINE ", " MINE "]", "user_bounds[1].id: \"mine\": the id \"mine\" belongs to another bound"},
        {"[{\"id\": \"a\", \"expression\": \"1\"}]", "user_bounds[0].of: missing; expected one of S, S_round, S_min"},
        {"[{\"id\": \"a\", \"of\": \"distance\", \"expression\": \"1\"}]",
         "user_bounds[0].of: \"distance\": expected one of S, S_round, S_min"},
        {"[{\"id\": \"a\", \"of\": \"S\"}]", "expected either \"expression\" or \"terms\""},
        {"[{\"id\": \"a\", \"of\": \"S\", \"expression\": \"1\", \"terms\": {\"b\": \"1\"}}]",
         "expected either \"expression\" or \"terms\""},
        {"[{\"id\": \"a\", \"of\": \"S\", \"expression\": 5}]", "user_bounds[0].expression: 5: expected a text"},
        {"[{\"id\": \"a\", \"of\": \"S\", \"expression\": \"2*gama\"}]",
         "x.json: user_bounds[0].expression: \"2*gama\": column 3: \"gama\": unknown name; known are n, N, G, I, M, L, "
         "sigma_sq, delta, gamma, T, eps_sq, C, p_sq, eps_max_sq, participants, and for k = 1 to 2 (levels) Pk, Nk, "
         "nk, "
         "Dk, Kk, PKk, PPDk, Dmaxk"},
        {"[{\"id\": \"a\", \"of\": \"S\", \"expression\": \"D2 + D3\"}]", "column 6: \"D3\": unknown name"},
        {"[" MINE ", {\"id\": \"a\", \"of\": \"S\", \"terms\": {\"gap\": \"1\", \"rest\": \"1 +\"}}]",
         "user_bounds[1].terms.rest: \"1 +\": column 4: the formula ends here"},
        {"[{\"id\": \"a\", \"of\": \"S\", \"terms\": {}}]",
         "user_bounds[0].terms: {}: expected an object with 1 to 66 members"},
        {"[{\"id\": \"a\", \"of\": \"S\", \"terms\": [\"1\"]}]", "user_bounds[0].terms: [\"1\"]: expected an object"},
        {"[{\"id\": \"a\", \"of\": \"S\", \"terms\": {\"x\": \"1\", \"x\": \"2\"}}]",
         "user_bounds[0].terms.x: \"1\": the key stands twice"},
        {"[{\"id\": \"a\", \"of\": \"S\", \"terms\": {\"\": \"1\"}}]", "has 0 bytes; 1 to 47 are legal"},
        {"[{\"id\": \"a\", \"of\": \"S\", \"terms\": {\"a\\nb\": \"1\"}}]", "control characters are not legal here"},
        {"[{\"id\": \"a\", \"of\": \"S\", \"expression\": \"1\", \"title\": \"\"}]",
         "user_bounds[0].title: \"\": has 0 bytes; 1 to 80 are legal"},
        {"[{\"id\": \"a\", \"of\": \"S\", \"expression\": \"1\", \"algorithm\": \"sgd\"}]",
         "user_bounds[0].algorithm: \"sgd\": expected one of hsgd, hsgd-random, local-sgd-inner, local-sgd-outer"},
        {"[{\"id\": \"a\", \"of\": \"S\", \"expression\": \"1\", \"valid_if\": \"gamma < = 1\"}]",
         "user_bounds[0].valid_if: \"gamma < = 1\": column 9: \"=\": a formula cannot assign"},
        {"[{\"id\": \"a\", \"of\": \"S\", \"expression\": \"1\", \"max_step_size\": \"1/gamma\"}]",
         "user_bounds[0].max_step_size: \"1/gamma\": column 1: a limit of gamma cannot depend on gamma"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char text[2000];
        hsgd_config config;
        snprintf(text, sizeof text, CONFIG("\"user_bounds\": %s"), row[i].bounds);
        hsgd_status status = hsgd_config_parse(&config, text, strlen(text), "x.json", &err);
        if (status != HSGD_ERROR_INPUT || !strstr(err.message, row[i].message))
            fail_msg("%s\nsays \"%s\",\nexpected \"%s\"", row[i].bounds, err.message, row[i].message);
    }
}

static void at_most_32_are_legal(void **state)
{
    (void)state;
    for (int count = 32; count <= 33; count++) {
        char text[4000] = CONFIG("\"user_bounds\": [");
        size_t length = strlen(text) - 1;
        for (int i = 0; i < count; i++)
            length += (size_t)sprintf(text + length, "%s{\"id\": \"b%d\", \"of\": \"S\", \"expression\": \"%d\"}",
                                      i ? ", " : "", i, i);
        strcpy(text + length, "]}");
        hsgd_config config;
        hsgd_status status = hsgd_config_parse(&config, text, strlen(text), "x.json", &err);
        if (count == 33) {
            assert_fails(status, HSGD_ERROR_INPUT, "33 bounds; at most 32 are legal", err);
            continue;
        }
        assert_ok(status, err);
        assert_int_equal(config.bounds.count, hsgd_num_bounds + 32);
        assert_string_equal(hsgd_config_find_bound(&config, "b31")->id, "b31");
        hsgd_config_free(&config);
    }
}

#define THREE                                                                                                          \
    "\"user_bounds\": [{\"id\": \"a-1\", \"title\": \"T \\u00fc \\\"q\\\"\", \"of\": \"S_round\", \"terms\": "         \
    "{\"z first\": \"2*D1\", \"a second\": \"gamma\"}, \"valid_if\": \"G > I\"}, "                                     \
    "{\"id\": \"b\", \"of\": \"S_min\", \"algorithm\": \"local-sgd-outer\", \"expression\": \"1e-3*L\", "              \
    "\"max_step_size\": \"1/L\"}, {\"id\": \"c\", \"of\": \"S\", \"terms\": {\"one\": \"1\"}}]"

static void everything_is_read_back(void **state)
{
    (void)state;
    hsgd_config first, second;
    const char *text = CONFIG(THREE ", \"bounds\": [\"b\", \"hsgd-fixed\"]");
    assert_ok(hsgd_config_parse(&first, text, strlen(text), "x.json", &err), err);
    char *once = hsgd_config_to_json(&first);
    assert_ok(hsgd_config_parse(&second, once, strlen(once), "x.json", &err), err);
    char *twice = hsgd_config_to_json(&second);
    assert_string_equal(once, twice);
    for (size_t i = 0; i < second.bounds.count; i++) {
        const char *id = second.bounds.bound[i]->id;
        assert_int_equal(second.use_bound[i], strcmp(id, "b") == 0 || strcmp(id, "hsgd-fixed") == 0);
    }
    const hsgd_bound *a = hsgd_config_find_bound(&second, "a-1"), *b = hsgd_config_find_bound(&second, "b");
    assert_string_equal(a->title, "T \xc3\xbc \"q\"");
    assert_string_equal(a->citation, "user's formula: (2*D1) + (gamma)");
    assert_true(a->target == HSGD_TARGET_S_ROUND && a->algorithm == HSGD_ALGORITHM_HSGD);
    const hsgd_user_spec *spec = hsgd_user_bound_spec(a);
    assert_string_equal(spec->term[0].name, "z first");
    assert_string_equal(spec->term[1].name, "a second");
    assert_string_equal(spec->term[1].formula, "gamma");
    assert_string_equal(spec->valid_if, "G > I");
    assert_true(b->target == HSGD_TARGET_S_MIN && b->algorithm == HSGD_ALGORITHM_LOCAL_OUTER);
    assert_string_equal(b->title, "b");
    assert_string_equal(hsgd_user_bound_spec(b)->max_step_size, "1/L");
    assert_null(hsgd_user_bound_spec(hsgd_config_find_bound(&second, "hsgd-fixed")));
    assert_null(hsgd_config_find_bound(&second, "d"));
    free(once);
    free(twice);
    hsgd_config_free(&first);
    hsgd_config_free(&second);
}

static void selection_knows_them(void **state)
{
    (void)state;
    hsgd_config config;
    const char *text = CONFIG("\"user_bounds\": [" MINE "]"),
               *wrong = CONFIG("\"user_bounds\": [" MINE "], \"bounds\": [\"m\"]");
    assert_ok(hsgd_config_parse(&config, text, strlen(text), "x.json", &err), err);
    for (size_t i = 0; i < config.bounds.count; i++)
        assert_true(config.use_bound[i]);
    hsgd_config_free(&config);
    assert_fails(hsgd_config_parse(&config, wrong, strlen(wrong), "x.json", &err), HSGD_ERROR_INPUT,
                 "hierfavg-2020, mine", err);
    text = "{" HIERARCHY ", " PROBLEM "\"optimizer\": {\"step_size\": 0.01, \"steps\": 60}}";
    assert_ok(hsgd_config_parse(&config, text, strlen(text), "x.json", &err), err);
    char *json = hsgd_config_to_json(&config);
    assert_null(strstr(json, "user_bounds")); /* nothing changes for those who have none */
    free(json);
    hsgd_config_free(&config);
}

/* ---- verdicts ---- */

#define OWN(id, of, algorithm, formula)                                                                                \
    "{\"id\": \"" id "\", \"of\": \"" of "\", \"algorithm\": \"" algorithm "\", \"expression\": \"" formula "\"}"
#define GAP "2*delta/(gamma*T) + gamma*L*sigma_sq/n + "

static void check_same(const whole *x, const char *own, const char *built_in)
{
    const hsgd_comparison *a = find_bound(&x->e, own), *b = find_bound(&x->e, built_in);
    assert_true(a && b && b->value.applicable);
    assert_close(a->value.value, b->value.value, 1e-12);
    assert_close(a->ratio, b->ratio, 1e-12);
    assert_true(a->measured.estimate.mean == b->measured.estimate.mean && a->measured.low == b->measured.low);
    assert_int_equal(a->verdict, b->verdict);
    assert_int_equal(a->kind, b->kind);
}

/* The published formulas are judged on the runs that they are about, to the same verdicts; and formulas that
 * are far too small are found out. */
static void judged_as_built_in_ones(void **state)
{
    (void)state;
    whole x;
    run_whole(
        &x,
        CONFIG("\"figures\": [], \"user_bounds\": [" OWN("mine", "S", "hsgd", GAP "C*gamma^2*(2*(PK1 + PK2)*sigma_sq + 3*(PPD1 + PPD2))") ", " OWN("inner", "S", "local-sgd-inner", GAP "C*gamma^2*(2*I*(n - 1)/n*sigma_sq + 3*I^2*eps_sq)") ", " OWN("outer", "S", "local-sgd-outer", GAP "C*gamma^2*(2*G*(n - 1)/n*sigma_sq + 3*G^2*eps_sq)") ", " OWN(
            "small", "S", "hsgd",
            "0.02*delta/(gamma*T)") ", " OWN("small-round", "S_round", "hsgd",
                                             "0.02*delta/(gamma*T)") ", " OWN("small-min", "S_min", "local-sgd-outer",
                                                                              "0.0001*delta") ", " OWN("random", "S",
                                                                                                       "hsgd-random",
                                                                                                       "1") ", " OWN("m"
                                                                                                                     "a"
                                                                                                                     "x"
                                                                                                                     "i"
                                                                                                                     "m"
                                                                                                                     "a",
                                                                                                                     "S"
                                                                                                                     "_"
                                                                                                                     "r"
                                                                                                                     "o"
                                                                                                                     "u"
                                                                                                                     "n"
                                                                                                                     "d",
                                                                                                                     "h"
                                                                                                                     "s"
                                                                                                                     "g"
                                                                                                                     "d",
                                                                                                                     "1"
                                                                                                                     "0"
                                                                                                                     "0"
                                                                                                                     " "
                                                                                                                     "+"
                                                                                                                     " "
                                                                                                                     "e"
                                                                                                                     "p"
                                                                                                                     "s"
                                                                                                                     "_"
                                                                                                                     "m"
                                                                                                                     "a"
                                                                                                                     "x"
                                                                                                                     "_"
                                                                                                                     "s"
                                                                                                                     "q"
                                                                                                                     " "
                                                                                                                     "+"
                                                                                                                     " "
                                                                                                                     "D"
                                                                                                                     "m"
                                                                                                                     "a"
                                                                                                                     "x"
                                                                                                                     "1"
                                                                                                                     " "
                                                                                                                     "+"
                                                                                                                     " "
                                                                                                                     "D"
                                                                                                                     "m"
                                                                                                                     "a"
                                                                                                                     "x"
                                                                                                                     "2") ", " OWN("undefined",
                                                                                                                                   "S",
                                                                                                                                   "hsgd",
                                                                                                                                   "ln(-delta)") "]"));
    check_same(&x, "mine", "hsgd-fixed");
    check_same(&x, "inner", "local-sgd-inner");
    check_same(&x, "outer", "local-sgd-outer");
    assert_int_equal(find_bound(&x.e, "mine")->verdict, HSGD_VERDICT_HOLDS);
    assert_int_equal(find_bound(&x.e, "small")->verdict, HSGD_VERDICT_VIOLATED);
    assert_int_equal(find_bound(&x.e, "small-round")->verdict, HSGD_VERDICT_VIOLATED);
    assert_int_equal(find_bound(&x.e, "small-min")->verdict, HSGD_VERDICT_VIOLATED);
    assert_int_equal(find_bound(&x.e, "random")->verdict, HSGD_VERDICT_NOT_APPLICABLE);
    assert_int_equal(find_bound(&x.e, "maxima")->verdict, HSGD_VERDICT_HOLDS);
    assert_true(find_bound(&x.e, "maxima")->value.value > 100 + 0.83 + 0.41);
    assert_int_equal(find_bound(&x.e, "undefined")->verdict, HSGD_VERDICT_NOT_APPLICABLE);
    assert_string_equal(find_bound(&x.e, "undefined")->reason, "its value is not a number with these numbers");
    assert_int_equal(x.e.overall, HSGD_VERDICT_VIOLATED);
    release(&x);
}

/* With some of the workers only, a formula that speaks of participants is judged and others are not. */
static void participants_are_covered_by_those_who_name_them(void **state)
{
    (void)state;
    whole x;
    run_whole(&x, CONFIG("\"figures\": [], \"variant\": {\"participation\": 0.5}, \"bounds\": [\"with\", \"without\"], "
                         "\"user_bounds\": [" OWN("with", "S", "hsgd",
                                                  "100/participants") ", " OWN("without", "S", "hsgd", "100/n") "]"));
    const hsgd_comparison *with = find_bound(&x.e, "with"), *without = find_bound(&x.e, "without");
    assert_int_equal(without->verdict, HSGD_VERDICT_NOT_APPLICABLE);
    assert_int_equal(with->verdict, HSGD_VERDICT_HOLDS);
    assert_true(with->value.value == 100.0 / 3); /* one of the two of each group */
    release(&x);
}

/* ---- the program ---- */

static void check_in(const char *text, const char *what)
{
    if (!text || !strstr(text, what))
        fail_msg("\"%s\" is missing in\n%s", what, text ? text : "nothing");
}

static void check_in_file(const char *path, const char *what)
{
    char *text = read_text(path);
    check_in(text, what);
    free(text);
}

/* A run, and its folder drawn and reported again without the configuration. */
static void tables_files_and_figures_have_them(void **state)
{
    (void)state;
    write_text("c.json",
               CONFIG("\"figures\": [\"convergence\", \"terms\"], \"bounds\": [\"hsgd-fixed\", \"mine\", \"low\"], "
                      "\"user_bounds\": [{\"id\": \"mine\", \"title\": \"My 'own' bound\", \"of\": \"S\", \"terms\": "
                      "{\"my gap\": "
                      "\"2*delta/(gamma*T)\", \"my drift\": \"gamma*G*D1\"}, \"max_step_size\": \"0.5/L\"}, "
                      "{\"id\": \"low\", \"of\": \"S\", \"expression\": \"1e-3*L\"}]"));
    assert_exit("$H run c.json --output d", 1);
    check_in(out, "  mine                     S ");
    check_in(out, "violated: the whole interval lies above the bound");
    remove("c.json");
    remove("d/convergence.gp");
    assert_exit("$H plot d && $H report d", 0);
    check_in_file("d/convergence.gp", "title \"My \\0047own\\0047 bound\"");
    check_in_file("d/convergence.gp", "title \"low\"");
    check_in_file("d/terms.gp", "title \"my drift\"");
    check_in_file("d/terms.gp", "title \"expression\"");
    check_in_file("d/report.html", "My &#39;own&#39; bound");
    check_in_file("d/report.html", "user&#39;s formula: (2*delta/(gamma*T)) + (gamma*G*D1)</div>");
    check_in_file("d/result.json", "\"user_bounds\"");
    char *text = read_text("d/result.json");
    cJSON *result = cJSON_Parse(text);
    free(text);
    const cJSON *bound = cJSON_GetArrayItem(get(result, "bounds"), 1);
    assert_string_equal(get(bound, "id")->valuestring, "mine");
    assert_string_equal(get(bound, "verdict")->valuestring, "holds");
    assert_close(number(bound, "max_step_size"), 0.5 / 1.3, 1e-15);
    double D1 = 0.83, gap = 2 * number(get(get(result, "constants"), "delta"), "value") / (0.01 * 60);
    assert_close(number(bound, "value"), gap + 0.01 * 6 * D1, 1e-9);
    cJSON_Delete(result);
}

static void bound_takes_them(void **state)
{
    (void)state;
    const char *params =
        "{" HIERARCHY ", \"step_size\": 0.01, \"steps\": 50, \"L\": 2, \"sigma_sq\": 1, \"delta\": 3, "
        "\"level_divergence_sq\": [1, 0.5], \"user_bounds\": [{\"id\": \"mine\", \"of\": \"S_min\", "
        "\"algorithm\": \"local-sgd-outer\", \"expression\": \"delta*G + D2\", \"valid_if\": \"%s\"}]}";
    char text[1000];
    snprintf(text, sizeof text, params, "gamma < 1");
    write_text("p.json", text);
    assert_exit("$H bound p.json", 0);
    check_in(out, "mine                     S_min             18.5             1  \n");
    assert_exit("$H bound p.json --json", 0);
    cJSON *json = cJSON_Parse(out);
    const cJSON *bounds = get(json, "bounds"), *bound = cJSON_GetArrayItem(bounds, cJSON_GetArraySize(bounds) - 1);
    assert_string_equal(get(bound, "id")->valuestring, "mine");
    assert_string_equal(get(bound, "citation")->valuestring, "user's formula: delta*G + D2");
    assert_string_equal(get(bound, "of")->valuestring, "S_min");
    assert_string_equal(get(bound, "algorithm")->valuestring, "local-sgd-outer");
    assert_true(number(bound, "value") == 18.5);
    cJSON_Delete(json);
    snprintf(text, sizeof text, params, "gamma < x");
    write_text("p.json", text);
    assert_refusal("$H bound p.json", 2,
                   "p.json: user_bounds[0].valid_if: \"gamma < x\": column 9: \"x\": unknown name");
}

/* A grid over G, one of whose points has one level only, with an axis that has the name of a bound. */
static void sweeps_show_them(void **state)
{
    (void)state;
    write_text(
        "s.json",
        CONFIG("\"name\": \"s\", \"bounds\": [\"hsgd-fixed\", \"a-long-id-of-a-bound\", \"mine\"], \"figures\": "
               "[\"sweep\"], "
               "\"user_bounds\": [{\"id\": \"mine\", \"title\": \"My $own$ bound\", \"of\": \"S\", \"expression\": "
               "\"100 + G*D1 + I*D2\"}, "
               "{\"id\": \"a-long-id-of-a-bound\", \"of\": \"S_round\", \"expression\": \"200\"}], "
               "\"sweep\": {\"axes\": [{\"name\": \"mine\", \"key\": \"hierarchy.periods[0]\", \"values\": [2, 6]}]}"));
    assert_exit("$H sweep s.json --output s --quiet", 0);
    assert_exit("$H sweep s.json --output s", 0);
    check_in(out, " published    S/bound  verdict              mine    S/bound  verdict\n");
    check_in_file("s/sweep.csv", "axis_mine,axis_mine_at,folder,");
    check_in_file("s/sweep.csv", ",hsgd-fixed_verdict,mine,mine_ratio,mine_verdict,a-long-id-of-a-bound,");
    check_in_file("s/sweep.csv", ",holds,102.48"); /* G = I = 2: D1 has all of the 1.24 */
    check_in_file("s/sweep.csv", ",holds,105.8");  /* 100 + 6 x 0.83 + 2 x 0.41 */
    check_in_file("s/sweep.gp", "title \"My \\0044own\\0044 bound\"");
    check_in_file("s/sweep.caption.tex", "next to My \\$own\\$ bound (dashed)");
    assert_exit("$H report s", 0);
    check_in_file("s/report.html", ">mine</th>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(at_most_32_are_legal),
        cmocka_unit_test(everything_is_read_back),
        cmocka_unit_test(selection_knows_them),
        cmocka_unit_test(judged_as_built_in_ones),
        cmocka_unit_test(participants_are_covered_by_those_who_name_them),
        cmocka_unit_test(tables_files_and_figures_have_them),
        cmocka_unit_test(bound_takes_them),
        cmocka_unit_test(sweeps_show_them),
    };
    return cmocka_run_group_tests_name("user_bounds", tests, enter_folder, leave_folder);
}
