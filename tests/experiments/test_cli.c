/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program from outside, against the Contract: commands, exit codes, streams, files and their fields. */
#include "tests/experiments/program.h"

#include <sys/file.h>

#define QUIET_FIGURES "\"figures\": []"

/* Noisy two-level quadratic, twelve workers; ends in a second. All its bounds hold: so it was with all of 300 other first
 * seeds, with six seeds as with three, so that with 95 % confidence a false alarm is below 1 %; the seeds are fixed. */
static void write_config(const char *path, const char *extra)
{
    char text[2048];
    snprintf(text, sizeof text,
             "{\"name\": \"small\", \"hierarchy\": {\"fanout\": [3, 4], \"periods\": [6, 2]}, \"problem\": {\"type\":"
             "\"quadratic\", \"dimension\": 4, \"curvature_range\": [0.11, 1.3], \"level_divergence\": [0.83, 0.41],"
             "\"noise_variance\": 0.37}, \"initial\": {\"scale\": 1.4}, \"optimizer\": {\"step_size_fraction\": 0.9,"
             "\"steps\": 30}, \"seeds\": 6%s%s}",
             *extra ? ", " : "", extra);
    write_text(path, text);
}

/* ---- help and usage ---- */

static void help_goes_to_standard_output(void **state)
{
    (void)state;
    static const char *const command[] = {"run", "bound", "sandwich", "exact", "plot"};
    assert_exit("$H --help", 0);
    assert_string_equal(err_text, "");
    for (size_t i = 0; i < 5; i++)
        assert_non_null(strstr(out, command[i]));
    for (size_t i = 0; i < 5; i++) {
        char line[64];
        snprintf(line, sizeof line, "$H %s --help", command[i]);
        assert_exit(line, 0);
        assert_string_equal(err_text, "");
        assert_non_null(strstr(out, "Usage: hsgd "));
    }
    assert_exit("$H run --help", 0);
    static const char *const option[] = {"--output DIR", "--threads K", "--seeds R", "--quiet"};
    for (size_t i = 0; i < 4; i++)
        assert_non_null(strstr(out, option[i]));
    assert_exit("$H --version", 0);
    assert_string_equal(out, "hsgd " HSGD_VERSION "\n");
}

static void usage_errors(void **state)
{
    (void)state;
    write_config("c.json", QUIET_FIGURES);
    assert_refusal("$H", 2, "\"\" is not a command");
    assert_refusal("$H walk", 2, "\"walk\" is not a command; legal are run, verify, ");
    assert_non_null(strstr(err_text, ", plot, "));
    assert_non_null(strstr(err_text, "--help, --version, --man-page, --bash-completion\n"));
    assert_refusal("$H run --output", 2, "--output needs an argument");
    assert_refusal("$H run --output '' c.json", 2, "--output");
    assert_refusal("$H run --speed c.json", 2, "unknown option --speed");
    assert_refusal("$H run --quiet=3 c.json", 2, "unknown option --quiet=3");
    assert_refusal("$H run --quiet -xyz c.json", 2, "unknown option -xyz");
    assert_refusal("$H run -x c.json", 2, "unknown option -x");
    assert_refusal("$H run c.json d.json", 2, "\"d.json\"");
    assert_refusal("$H run c.json --seeds 0", 2, "--seeds: \"0\"");
    assert_refusal("$H run c.json --seeds 1e3", 2, "--seeds: \"1e3\"");
    assert_refusal("$H run c.json --seeds -1", 2, "--seeds: \"-1\"");
    assert_refusal("$H run c.json --seeds 99999999999999999999", 2, "--seeds: \"99999999999999999999\"");
    assert_refusal("$H run c.json --seeds 3 --seeds 4", 2, "--seeds stands twice");
    assert_refusal("$H run c.json --threads 0", 2, "--threads: \"0\" is not a whole number from 1");
    assert_refusal("$H bound", 2, "PARAMS.json is missing");
    assert_refusal("$H exact", 2, "CONFIG.json is missing");
    assert_refusal("$H plot", 2, "DIR is missing");
    assert_refusal("$H plot . --format gif", 2, "--format: \"gif\" is not pdf, svg, png");
    assert_refusal("$H plot . --format pd", 2, "--format: \"pd\"");
    assert_refusal("$H plot . --format 'pdf|svg'", 2, "--format: \"pdf|svg\"");
    assert_refusal("$H plot . --format ''", 2, "--format: \"\"");
    assert_refusal("$H plot . --width wide", 2, "--width: \"wide\" is not ieee-column");
    assert_refusal("$H plot . --width 2", 2, "inches from 3 to 12");
    assert_refusal("$H plot . --band iqr", 2, "--band: \"iqr\"");
    assert_refusal("$H sandwich --fanout 8,8", 2, "--periods is missing");
    assert_refusal("$H sandwich --fanout 8,8 --periods 20", 2, "--periods: \"20\" has 1 numbers for 2 levels");
    assert_refusal("$H sandwich --fanout 8,8 --periods 20,6", 2, "--periods[1]: the period 6 does not divide");
    assert_refusal("$H sandwich --fanout 8, --periods 20,5", 2, "--fanout: \"8,\"");
    assert_refusal("$H sandwich --fanout 8,0 --periods 20,5", 2, "--fanout: \"8,0\"");
    assert_refusal("$H sandwich --fanout '8, 8' --periods 20,5", 2, "--fanout: \"8, 8\"");
    assert_refusal("$H run /no/such.json", 2, "/no/such.json: cannot be opened");
    assert_refusal("$H plot /no/such", 2, "/no/such/result.json: cannot be opened");
    assert_false(exists("results"));
}

static void bad_configurations_name_file_place_and_value(void **state)
{
    (void)state;
    write_config("bad.json", "\"confidence\": 2");
    assert_refusal("$H run bad.json", 2, "bad.json: confidence: 2: expected a number from 0.5");
    assert_refusal("$H exact bad.json", 2, "bad.json: confidence: 2");
    assert_refusal("echo '{' | $H run -", 2, "-: line 1, column 2");
    write_text(
        "flat.json",
        "{\"hierarchy\": {\"fanout\": [2], \"periods\": [2]}, \"problem\": {\"type\": \"quadratic\", \"curvature\":"
        "[0], \"linear\": [[0], [0]]}, \"optimizer\": {\"step_size_fraction\": 0.5, \"steps\": 4}}");
    assert_refusal("$H run flat.json --output flat", 2, "flat.json: optimizer.step_size_fraction: 0.5");
    assert_false(exists("flat")); /* the folder it made is taken back */
    assert_refusal("$H exact flat.json", 2, "flat.json: optimizer.step_size_fraction: 0.5");
    mkdir("mine", 0777);
    assert_refusal("$H run flat.json --output mine", 2, "flat.json");
    assert_true(exists("mine")); /* somebody else's is not */
}

/* ---- sandwich ---- */

/* By hand: n = 64, lambda = (7, 56)/63 = (1/9, 8/9); (20 + 8 * 5)/9 = 20/3, (400 + 8 * 25)/9 = 200/3. */
static void sandwich_in_rationals(void **state)
{
    (void)state;
    static const char *const want[2][3] = {{"5", "20/3", "20"}, {"25", "200/3", "400"}};
    assert_exit("$H sandwich --fanout 8,8 --periods 20,5 --json", 0);
    assert_string_equal(err_text, "");
    cJSON *document = parse_json(out);
    assert_int_equal(cJSON_GetArraySize(document), 3);
    for (int side = 0; side < 2; side++) {
        cJSON *array = get(document, side ? "divergence" : "noise");
        assert_int_equal(cJSON_GetArraySize(array), 3);
        for (int i = 0; i < 3; i++)
            assert_string_equal(cJSON_GetArrayItem(array, i)->valuestring, want[side][i]);
    }
    assert_true(cJSON_IsTrue(get(document, "holds")));
    cJSON_Delete(document);
    assert_exit("$H sandwich --periods 20,5 --fanout 8,8", 0);
    assert_non_null(strstr(out, "20/3"));
    assert_exit("$H sandwich --fanout 1 --periods 1 --json", 0); /* a single worker */
}

/* ---- bound ---- */

#define PARAMS                                                                                                         \
    "{\"hierarchy\": {\"fanout\": [3, 4], \"periods\": [6, 2]}, \"step_size\": 0.013, \"steps\": 240, \"L\": 1.3,"     \
    "\"sigma_sq\": 0.37, \"delta\": 2.385, \"level_divergence_sq\": [0.83, 0.41]}"

static void bounds_by_hand(void **state)
{
    (void)state;
    /* THEORY 4.1: n_0, n_1, n_2 = 1, 3, 12; E = 0.83 + 0.41 */
    double g = 0.013, L = 1.3, s2 = 0.37, C = 40 * L * L / 3, base = 2 * 2.385 / (g * 240) + g * L * s2 / 12;
    double noise[2] = {2 * C * g * g * 6 * 2 / 12 * s2, 2 * C * g * g * 2 * 9 / 12 * s2};
    const struct {
        const char *id;
        double value;
    } want[] = {
        {"local-sgd-inner", base + 2 * C * g * g * 2 * 11 / 12 * s2 + 3 * C * g * g * 4 * 1.24},
        {"local-sgd-outer", base + 2 * C * g * g * 6 * 11 / 12 * s2 + 3 * C * g * g * 36 * 1.24},
        {"hsgd-fixed", base + noise[0] + noise[1] + 3 * C * g * g * (36 * 0.83 + 4 * 0.41)},
        {"hsgd-random", base + noise[0] + noise[1] + 3 * C * g * g * 1.24 * (36 * 2.0 / 11 + 4 * 9.0 / 11)},
    };
    write_text("p.json", PARAMS);
    assert_exit("$H bound p.json --json", 0);
    assert_string_equal(err_text, "");
    cJSON *document = parse_json(out), *bounds = get(document, "bounds"), *term;
    for (size_t i = 0; i < 4; i++) {
        cJSON *bound = element(bounds, "id", want[i].id);
        assert_true(cJSON_IsTrue(get(bound, "applicable")));
        assert_string_equal(text_of(bound, "reason"), "");
        assert_close(number(bound, "value"), want[i].value, 1e-13);
        assert_close(number(bound, "max_step_size"), 1 / (2 * sqrt(6.0) * L * (i == 0 ? 2 : 6)), 1e-13);
        double sum = 0;
        cJSON_ArrayForEach(term, get(bound, "terms")) sum += number(term, "value") + 0 * strlen(text_of(term, "name"));
        assert_close(sum, want[i].value, 1e-13);
    }
    static const char *const others[] = {"local-sgd-inner-sharp", "local-sgd-outer-sharp", "hsgd-fixed-sharp",
                                         "hsgd-random-sharp",     "hsgd-fixed-recursive",  "hsgd-random-recursive"};
    for (size_t i = 0; i < 6; i++)
        assert_true(number(element(bounds, "id", others[i]), "value") > 0);
    cJSON_Delete(document);
    assert_exit("$H bound - < p.json", 0);
    assert_non_null(strstr(out, "hsgd-fixed"));
    write_text("p2.json",
               "{\"hierarchy\": {\"fanout\": [3], \"periods\": [6]}, \"step_size\": 0.5, \"steps\": 1, \"L\": 1,"
               "\"sigma_sq\": 1, \"delta\": 1}");
    assert_exit("$H bound p2.json --json", 0);
    document = parse_json(out);
    cJSON *refused = element(get(document, "bounds"), "id", "hsgd-fixed");
    assert_true(cJSON_IsFalse(get(refused, "applicable")));
    assert_true(strlen(text_of(refused, "reason")) > 0);
    cJSON_Delete(document);
}

/* ---- exact ---- */

static void exact_has_the_shape_of_the_contract(void **state)
{
    (void)state;
    write_config("c.json", QUIET_FIGURES);
    assert_exit("$H exact c.json --json", 0);
    cJSON *document = parse_json(out), *row;
    assert_int_equal(cJSON_GetArraySize(document), 4);
    assert_int_equal(cJSON_GetArraySize(get(document, "grad_norm_sq")), 30);
    assert_int_equal(cJSON_GetArraySize(get(document, "loss")), 30);
    assert_int_equal(cJSON_GetArraySize(get(document, "dispersion_level")), 30);
    cJSON_ArrayForEach(row, get(document, "dispersion_level")) assert_int_equal(cJSON_GetArraySize(row), 2);
    double mean = 0;
    cJSON_ArrayForEach(row, get(document, "grad_norm_sq")) mean += row->valuedouble / 30;
    assert_close(number(document, "S"), mean, 1e-12);
    cJSON_Delete(document);
    assert_exit("$H exact c.json", 0);
    assert_non_null(strstr(out, "S = "));
    write_text("l.json",
               "{\"hierarchy\": {\"fanout\": [2], \"periods\": [2]}, \"problem\": {\"type\": \"logistic\", \"data\":"
               "{\"format\": \"libsvm\", \"path\": \"x\"}}, \"optimizer\": {\"step_size\": 1, \"steps\": 4}}");
    assert_refusal("$H exact l.json", 2, "l.json: problem.type");
}

/* A Hessian for each of two workers; the numbers are those of test_own_curvatures.c, three_steps_by_hand. Overflow is said
 * in words that are numbers. */
static void exact_takes_a_hessian_for_each_worker(void **state)
{
    (void)state;
#define TWO(step_size, steps)                                                                                          \
    "{\"hierarchy\": {\"fanout\": [2], \"periods\": [2]}, \"problem\": {\"type\": \"quadratic\", \"curvature\":"       \
    "[[1], [0.5]], \"linear\": [[3], [1]], \"noise_variance\": 4}, \"initial\": {\"point\": [2]}, \"optimizer\":"      \
    "{\"step_size\": " step_size ", \"steps\": " steps "}}"
    write_text("own.json", TWO("0.5", "3"));
    assert_exit("$H exact own.json --json", 0);
    cJSON *document = parse_json(out);
    assert_close(number(document, "S"), (0.25 + 97.0 / 256 + 454.0 / 1024) / 3, 1e-14);
    assert_close(cJSON_GetArrayItem(get(document, "loss"), 2)->valuedouble, -607.0 / 256, 1e-14);
    cJSON_Delete(document);
    write_text("far.json", TWO("100", "1000"));
    assert_exit("$H exact far.json", 0);
    assert_non_null(strstr(out, "S = inf"));
    assert_null(strstr(out, "nan"));
}

/* ---- run ---- */

static void check_constant(const cJSON *constants, const char *key)
{
    cJSON *constant = get(constants, key);
    number(constant, "value");
    assert_string_equal(text_of(constant, "kind"), "exact");
}

static void check_measured(const cJSON *measured, const char *key)
{
    cJSON *estimate = get(measured, key), *ci = get(estimate, "ci");
    double mean = number(estimate, "mean");
    assert_true(number(estimate, "se") > 0 && number(estimate, "seeds") == 6);
    assert_int_equal(cJSON_GetArraySize(ci), 2);
    assert_true(cJSON_GetArrayItem(ci, 0)->valuedouble < mean && mean < cJSON_GetArrayItem(ci, 1)->valuedouble);
}

static void result_has_the_fields_of_the_contract(void **state)
{
    (void)state;
    write_config("c.json", QUIET_FIGURES);
    assert_exit("$H run c.json --output r", 0);
    assert_string_equal(err_text, "");
    cJSON *r = read_json("r/result.json"), *item;
    assert_string_equal(text_of(r, "name"), "small");
    assert_string_equal(text_of(r, "version"), HSGD_VERSION);
    assert_true(cJSON_IsObject(get(r, "config")) && number(get(r, "config"), "seeds") == 6);
    assert_int_equal(cJSON_GetArraySize(get(get(r, "hierarchy"), "fanout")), 2);
    cJSON *constants = get(r, "constants");
    check_constant(constants, "L");
    check_constant(constants, "sigma_sq");
    check_constant(constants, "f_star");
    check_constant(constants, "delta");
    check_constant(get(constants, "divergence_sq"), "global");
    check_constant(get(constants, "divergence_sq"), "level_2");
    assert_close(number(get(get(constants, "divergence_sq"), "level_1"), "value"), 0.83, 1e-12); /* as configured */
    check_measured(get(r, "measured"), "S");
    check_measured(get(r, "measured"), "S_round");
    check_measured(get(r, "measured"), "S_min");
    cJSON_ArrayForEach(item, get(r, "bounds"))
    {
        text_of(item, "id"), text_of(item, "reason"), get(item, "value"), get(item, "ratio"), get(item, "terms");
        get(item, "max_step_size");
        assert_true(cJSON_IsBool(get(item, "applicable")));
        assert_true(strstr("holds violated inconclusive not applicable", text_of(item, "verdict")) != NULL);
    }
    cJSON *fixed = element(get(r, "bounds"), "id", "hsgd-fixed");
    assert_string_equal(text_of(fixed, "verdict"), "holds");
    assert_close(number(fixed, "ratio"), number(get(get(r, "measured"), "S"), "mean") / number(fixed, "value"), 1e-12);
    assert_int_equal(cJSON_GetArraySize(get(r, "identities")), 2);
    cJSON_ArrayForEach(item, get(r, "identities"))
    {
        text_of(item, "name");
        assert_at_most(number(item, "max_relative_error"), 1e-10, 0);
        assert_string_equal(text_of(item, "verdict"), "holds");
    }
    cJSON *ladder = get(r, "ladder"), *sandwich = get(r, "sandwich");
    static const char *const rung[] = {"R0", "R4", "R5", "R6", "R7"};
    for (size_t i = 0; i + 1 < 5; i++) /* THEORY 4.5: each rung is at least the one before */
        assert_at_most(number(element(ladder, "rung", rung[i]), "value"),
                       number(element(ladder, "rung", rung[i + 1]), "value"), 0);
    assert_true(cJSON_IsTrue(get(sandwich, "exact")));
    assert_at_most(number(sandwich, "inner"), number(sandwich, "middle"), 0);
    assert_at_most(number(sandwich, "middle"), number(sandwich, "outer"), 0);
    cJSON_ArrayForEach(item, get(r, "files"))
    {
        char path[256];
        snprintf(path, sizeof path, "r/%s", item->valuestring);
        assert_true(exists(path));
    }
    /* the configuration in the result runs again and gives the same */
    char *config = cJSON_Print(get(r, "config"));
    write_text("again.json", config);
    cJSON_free(config);
    cJSON_Delete(r);
    assert_exit("$H run again.json --output again --quiet && cmp r/series.csv again/series.csv && cmp r/result.json "
                "again/result.json",
                0);
}

static void series_has_the_columns_of_the_contract(void **state)
{
    (void)state;
    static const char columns[] =
        "step,loss,grad_norm_sq,grad_norm_sq_se,divergence_global,divergence_up_1,divergence_down_1,divergence_level_1,"
        "divergence_level_2,dispersion_level_1,dispersion_level_2,dispersion_level_1_bound,dispersion_level_2_bound";
    write_config("c.json", QUIET_FIGURES ", \"measure_every\": 7");
    assert_exit("$H run c.json --output s --quiet", 0);
    assert_string_equal(out, ""); /* quiet */
    assert_string_equal(err_text, "");
    char *text = read_text("s/series.csv"), *line = strtok(text, "\n");
    assert_int_equal(strncmp(line, columns, strlen(columns)), 0);
    const int steps[] = {0, 7, 14, 21, 28}; /* one row per measured step, t < 30 */
    for (size_t i = 0; i < 5; i++) {
        double v[13];
        char *rest = strtok(NULL, "\n");
        assert_non_null(rest);
        for (size_t k = 0; k < 13; k++)
            v[k] = strtod(rest, &rest), rest++;
        assert_true(v[0] == steps[i]);
        assert_close(v[4], 0.83 + 0.41, 1e-12); /* E, Up_1, Down_1, D_1, D_2 of THEORY 2 and the configuration */
        assert_close(v[5], 0.83, 1e-12);
        assert_close(v[6], 0.41, 1e-12);
        assert_close(v[7], 0.83, 1e-12);
        assert_close(v[8], 0.41, 1e-12);
        assert_true(v[9] <= v[11] * 3 + 1e-9 && v[10] <= v[12] * 3 + 1e-9 && v[11] >= 0);
    }
    assert_null(strtok(NULL, "\n"));
    free(text);
}

static void threads_do_not_matter_and_seeds_do(void **state)
{
    (void)state;
    write_config("c.json", QUIET_FIGURES);
    assert_exit("$H run c.json --output t1 --threads 1 --quiet && $H run c.json --output t2 --threads 2 --quiet &&"
                "cmp t1/result.json t2/result.json && cmp t1/series.csv t2/series.csv && cmp t1/nodes.csv t2/nodes.csv",
                0);
    assert_exit("$H run c.json --seeds 3 --output t3 --quiet", 0);
    cJSON *r = read_json("t3/result.json");
    assert_true(number(r, "seeds") == 3 && number(get(get(r, "measured"), "S"), "seeds") == 3);
    cJSON_Delete(r);
    write_config("d.json", QUIET_FIGURES ", \"first_seed\": 2");
    assert_exit("$H run d.json --output t4 --quiet; cmp -s t1/series.csv t4/series.csv", 1);
}

static void exit_codes_tell_the_verdict(void **state)
{
    (void)state;
    write_config("c.json", QUIET_FIGURES);
    assert_exit("$H run c.json --output v0", 0);
    assert_exit("$H run c.json --output v3 --seeds 1", 3); /* one noisy seed has no interval */
    assert_non_null(strstr(out, "inconclusive"));
    assert_true(exists("v3/result.json") && exists("v3/series.csv"));
    /* The dispersion bound is attained in expectation here (no divergence, one step), so at 50 % confidence some seeds
     * give a false alarm; these were found by trying. */
    write_text(
        "alarm.json",
        "{\"hierarchy\": {\"fanout\": [2], \"periods\": [4]}, \"problem\": {\"type\": \"quadratic\", \"curvature\":"
        "[1, 1, 1, 1, 1, 1, 1, 1], \"linear\": [[0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0]],"
        "\"noise_variance\": 1}, \"initial\": {\"scale\": 3}, \"optimizer\": {\"step_size\": 0.01, \"steps\": 2},"
        "\"confidence\": 0.5, \"seeds\": 4, \"first_seed\": 40, \"figures\": []}");
    assert_exit("$H run alarm.json --output v1", 1);
    assert_non_null(strstr(out, "violated"));
    assert_true(exists("v1/result.json"));
    /* steps far too large: every bound refuses, the run overflows, nothing is violated */
    write_text(
        "big.json",
        "{\"hierarchy\": {\"fanout\": [2], \"periods\": [2]}, \"problem\": {\"type\": \"quadratic\", \"curvature\":"
        "[1], \"linear\": [[1], [2]], \"noise_variance\": 1}, \"seeds\": 2, \"figures\": [],"
        "\"optimizer\": {\"step_size\": 1e9, \"steps\": 99}}");
    assert_exit("$H run big.json --output v", 0);
    assert_non_null(strstr(out, "DIVERGED"));
    cJSON *r = read_json("v/result.json");
    assert_string_equal(text_of(element(get(r, "bounds"), "id", "hsgd-fixed"), "verdict"), "not applicable");
    assert_true(cJSON_IsNull(get(get(get(r, "measured"), "S"), "mean")));
    cJSON_Delete(r);
}

static void without_a_configuration_the_demo_runs(void **state)
{
    (void)state;
    assert_exit("$H run --seeds 3 --threads 1 --quiet", 0);
    assert_true(exists("results/demo/result.json") && exists("results/demo/convergence.pdf"));
}

/* ---- environment ---- */

static void output_that_cannot_be_written(void **state)
{
    (void)state;
    write_config("c.json", QUIET_FIGURES);
    write_text("file", "precious");
    assert_refusal("$H run c.json --output file", 4, "file: the output folder cannot be made: Not a directory");
    assert_refusal("$H run c.json --output file/deeper", 4, "file");
    assert_refusal("$H run c.json --output /proc/nothing/here", 4, "/proc/nothing");
    assert_refusal("$H run c.json --quiet --output /proc/self", 4,
                   "/proc/self: the output folder cannot be written to");
    assert_refusal("mkdir -p blocked/series.csv && $H run c.json --quiet --output blocked", 4, "blocked/series.csv");
    char *text = read_text("file");
    assert_string_equal(text, "precious");
    free(text);
    mkdir("taken", 0777);
    mkdir("taken/series.csv", 0777);
    assert_exit("$H run c.json --output taken", 4);
    assert_non_null(strstr(err_text, "taken/series.csv"));
    assert_null(strstr(out, "in taken:")); /* it does not list what is not there */
    assert_exit("ls -A taken | grep -v -e '^series.csv$' -e '^checkpoint$'", 1); /* and leaves nothing half done */
    assert_exit("rmdir taken/series.csv && $H run c.json --output taken --resume", 0); /* nor does it begin again */
    assert_non_null(strstr(err_text, "going on from taken/checkpoint"));
    assert_true(exists("taken/result.json") && !exists("taken/checkpoint"));
    assert_exit("mkdir -p old/terms.pdf; $H run c.json --output old --quiet", 4); /* an old figure that stays */
    assert_non_null(strstr(err_text, "old/terms.pdf: cannot be removed"));
}

static void standard_output_that_fails(void **state)
{
    (void)state;
    static const char *const line[] = {"$H --help",
                                       "$H --version",
                                       "$H run --help",
                                       "$H sandwich --fanout 8,8 --periods 20,5",
                                       "$H bound p.json --json",
                                       "$H exact c.json --json",
                                       "$H run c.json --output f"};
    write_config("c.json", QUIET_FIGURES);
    write_text("p.json", PARAMS);
    for (size_t i = 0; i < sizeof line / sizeof *line; i++) {
        char full[128];
        snprintf(full, sizeof full, "%s > /dev/full", line[i]);
        assert_refusal(full, 4, "standard output cannot be written: No space left on device");
        snprintf(full, sizeof full, "%s >&-", line[i]);
        assert_refusal(full, 4, "standard output cannot be written");
    }
    assert_true(exists("f/result.json"));
    /* a reader that goes away: exit code 4, not death by a signal */
    assert_exit("{ $H exact c.json --json; echo $? > code; } | true; sleep 0.2; grep -q -E '^(0|4)$' code", 0);
    assert_exit("rm -f code; mkfifo pipe; (sleep 0.3; $H exact c.json --json > pipe; echo $? > code) & exec 3< pipe; "
                "exec 3<&-; wait; cat code",
                0);
    assert_string_equal(out, "4\n");
}

static void closed_standard_error(void **state)
{
    (void)state;
    write_config("c.json", QUIET_FIGURES ", \"batch_size\": 4");
    assert_exit("$H run c.json --output e 2>&- <&-", 0);
    cJSON *r = read_json("e/result.json"); /* no message strayed into a result file */
    cJSON_Delete(r);
}

static void without_gnuplot(void **state)
{
    (void)state;
    write_config("c.json", "");
    assert_exit("$H run c.json --output g --quiet", 0);
    assert_true(exists("g/convergence.pdf") && exists("g/terms.pdf") && exists("g/ladder.pdf"));
    assert_exit("PATH=/nonexistent $H run c.json --output g", 4);
    assert_int_equal(strncmp(err_text, "hsgd: gnuplot is not installed", 30), 0);
    cJSON *r = read_json("g/result.json"), *item;
    assert_true(exists("g/series.csv") && exists("g/convergence.gp") && exists("g/convergence.dat"));
    assert_false(exists("g/convergence.pdf") || exists("g/terms.pdf")); /* old figures must not pass for new ones */
    bool listed = false;
    cJSON_ArrayForEach(item, get(r, "files"))
    {
        char path[256];
        snprintf(path, sizeof path, "g/%s", item->valuestring);
        assert_true(exists(path));
        listed = listed || strcmp(item->valuestring, "convergence.gp") == 0;
    }
    assert_true(listed);
    assert_null(strstr(out, ".pdf"));
    cJSON_Delete(r);
    assert_refusal("PATH=/nonexistent $H plot g", 4, "gnuplot is not installed");
    assert_exit("$H run c.json --output g --quiet --resume", 0);
    assert_true(exists("g/convergence.pdf") && exists("g/terms.pdf") && !exists("g/checkpoint"));
    assert_exit("rm g/terms.pdf && $H run c.json --output g --resume", 0); /* that one was drawn */
    assert_non_null(strstr(err_text, "nothing is run"));
}

/* The configuration's style is in the result, so that the same figures come again; options go first, once. */
static void figures_keep_their_style(void **state)
{
    (void)state;
    write_config(
        "s.json",
        "\"figures\": [\"terms\"], \"figure_style\": {\"width\": 4.5, \"format\": \"tikz\", \"title\": false}");
    assert_exit("$H run s.json --output s --quiet && test -s s/terms.tex -a -s s/terms.caption.tex", 0);
    assert_exit("grep -q 'terms.caption.tex' s/result.json && grep -q 'gnuplot-lua-tikz.sty' s/result.json", 0);
    assert_exit("cp s/terms.gp kept && rm s/terms.* s/gnuplot* && $H plot s && cmp kept s/terms.gp", 0);
    assert_true(exists("s/terms.tex") && exists("s/gnuplot-lua-tikz.sty") && exists("s/gnuplot-lua-tikz-common.tex"));
    assert_exit("grep -q 'size 4.50in' s/terms.gp && ! grep -q 'set label 1 ' s/terms.gp", 0);
    assert_exit("$H plot s --width ieee-page --format svg && grep -q 'size 687,' s/terms.gp", 0);
    assert_exit("$H plot s && cmp kept s/terms.gp", 0);
    assert_exit("$H run s.json --output s --quiet && test ! -e s/terms.svg", 0);
}

static void plot_in_every_format(void **state)
{
    (void)state;
    static const char *const format[] = {"svg", "png", "tikz", "tex", "pdf"};
    write_config("c.json", "\"figures\": [\"dispersion\", \"terms\"]");
    assert_exit("$H run c.json --output p --quiet", 0);
    assert_true(exists("p/dispersion.pdf") && !exists("p/convergence.gp"));
    for (size_t i = 0; i < 5; i++) {
        char line[64], path[64];
        snprintf(line, sizeof line, "$H plot p --format %s", format[i]);
        assert_exit(line, 0);
        snprintf(path, sizeof path, "p/terms.%s", strcmp(format[i], "tikz") ? format[i] : "tex");
        assert_true(exists(path));
        assert_non_null(strstr(out, path));
    }
    assert_exit("rm p/*.pdf && $H plot p && test -s p/terms.pdf", 0); /* pdf is the default */
    assert_exit("cp p/series.csv kept; sed -i 's/dispersion_level_2_bound/other/' p/series.csv; $H plot p; code=$?; "
                "cp kept p/series.csv; exit $code",
                2);
    assert_non_null(strstr(err_text, "p/series.csv: the column dispersion_level_2_bound is missing"));
    assert_exit("sed -i 's/loss,grad_norm_sq,/loss,norm,/' p/series.csv; $H plot p", 2);
    assert_non_null(strstr(err_text, "p/series.csv: the column grad_norm_sq is missing"));
    assert_exit("echo 1,2 >> p/series.csv; $H plot p", 2);
    assert_non_null(strstr(err_text, "p/series.csv: line 32"));
    assert_exit("echo '{' > p/result.json; $H plot p", 2);
    assert_non_null(strstr(err_text, "p/result.json: line 1"));
    assert_exit("echo '{}' > p/result.json; $H plot p", 2);
    assert_non_null(strstr(err_text, "p/result.json: name: missing"));
}

/* ---- hostile names ---- */

static void names_never_leave_the_folder(void **state)
{
    (void)state;
    char long_name[6001];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const char *const name[] = {"../../../escape",
                                "/etc/escape",
                                "..",
                                ".hidden",
                                "-rf",
                                "'; touch escape; '",
                                "`touch escape`",
                                "$(touch escape)",
                                "\\\" '\\n",
                                "a\\nb\\tc\\u001b[31m",
                                "%s%n%d",
                                "\xc3\xbc",
                                "",
                                long_name,
                                "{/:Bold x}_2^3@&"};
    assert_exit("rm -rf results *.json .out2; mkdir inner && ls -A | wc -l", 0);
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char *text = malloc(8000);
        snprintf(text, 8000,
                 "{\"name\": \"%s\", \"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"problem\": {\"type\":"
                 "\"quadratic\", \"curvature\": [1], \"linear\": [[1], [2], [3], [5]]}, \"figures\": [\"convergence\"],"
                 "\"optimizer\": {\"step_size\": 0.01, \"steps\": 8}}",
                 name[i]);
        write_text("inner/c.json", text);
        free(text);
        assert_exit("cd inner && $H run c.json > /dev/null", 0);
        assert_exit("test ! -e escape -a ! -e inner/escape -a ! -e /etc/escape && test $(ls -A inner | wc -l) = 2 &&"
                    "test $(ls -A inner/results | wc -l) = 1 && d=inner/results/$(ls -A inner/results) &&"
                    "test -s \"$d/result.json\" -a -s \"$d/convergence.pdf\" &&"
                    "case $(ls -A inner/results) in .*|*\\'*|*\\;*|*\\ *) false;; esac && rm -rf inner/results",
                    0);
    }
}

/* ---- data ---- */

static void write_libsvm(const char *path, int samples, int classes, int features)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < samples; i++) {
        int label = i % classes, at = 1 + (i * 7919) % (features - 2);
        fprintf(file, "%d %d:%g %d:%g\n", label, at, 0.3 + 0.01 * (i % 17), features - label % 2, 0.7 - 0.2 * label);
    }
    fclose(file);
}

static void write_model(const char *path, const char *type, const char *data, const char *extra)
{
    char text[2048];
    snprintf(
        text, sizeof text,
        "{\"hierarchy\": {\"fanout\": [2, 3], \"periods\": [4, 2]}, \"problem\": {\"type\": \"%s\", \"data\": {%s},"
        "\"partition\": {\"scheme\": \"by-label\"}, \"regularizer\": {\"type\": \"l2\", \"weight\": 0.01}}, %s "
        "\"seeds\": 2,"
        "\"optimizer\": {\"step_size_fraction\": 0.9, \"steps\": 12, \"batch_size\": 4}, \"figures\": []}",
        type, data, extra);
    write_text(path, text);
}

static void models_on_data(void **state)
{
    (void)state;
    write_libsvm("two.txt", 60, 2, 9);
    write_libsvm("three.txt", 60, 3, 9);
    write_libsvm("wide.txt", 48, 2, 47000);
    write_model("log.json", "logistic", "\"format\": \"libsvm\", \"path\": \"two.txt\"",
                "\"grouping\": \"group-noniid\",");
    write_model("soft.json", "softmax", "\"format\": \"libsvm\", \"path\": \"three.txt\", \"intercept\": true", "");
    write_model("wide.json", "logistic", "\"format\": \"libsvm\", \"path\": \"wide.txt\"", "\"grouping\": \"random\",");
    static const char *const config[] = {"log", "soft", "wide"};
    for (size_t i = 0; i < 3; i++) {
        char line[256];
        snprintf(line, sizeof line,
                 "$H run %s.json --output d%zu --threads 1 && $H run %s.json --output e%zu --threads 2 --quiet &&"
                 "cmp d%zu/result.json e%zu/result.json",
                 config[i], i, config[i], i, i, i);
        assert_exit(line, 0);
        snprintf(line, sizeof line, "d%zu/result.json", i);
        cJSON *r = read_json(line);
        assert_string_equal(text_of(get(get(r, "constants"), "L"), "kind"), "certified");
        assert_string_equal(text_of(get(get(get(r, "constants"), "divergence_sq"), "global"), "kind"), "trajectory");
        cJSON *inner = get(get(get(r, "measured_references"), "local-sgd-inner"), "S");
        cJSON *outer = get(get(get(r, "measured_references"), "local-sgd-outer"), "S");
        /* each bound is compared with its own run */
        assert_true(number(inner, "mean") != number(outer, "mean"));
        assert_true(number(get(element(get(r, "bounds"), "id", "local-sgd-inner"), "measured"), "mean") ==
                    number(inner, "mean"));
        assert_true(number(get(element(get(r, "bounds"), "id", "local-sgd-outer"), "measured"), "mean") ==
                    number(outer, "mean"));
        cJSON_Delete(r);
    }
}

static void data_is_looked_for_in_order(void **state)
{
    (void)state;
    mkdir("conf", 0777);
    mkdir("store", 0777);
    write_libsvm("store/d.txt", 60, 2, 9);
    write_model("conf/m.json", "logistic", "\"format\": \"libsvm\", \"path\": \"d.txt\"", "");
    assert_refusal("HSGD_DATA_DIR= $H run conf/m.json --output l", 2, "conf/d.txt");
    assert_exit("HSGD_DATA_DIR=store $H run conf/m.json --output l --quiet", 0);
    write_text("conf/d.txt", "1 1:x\n"); /* the one next to the configuration comes first */
    assert_refusal("HSGD_DATA_DIR=store $H run conf/m.json --output l", 2, "d.txt");
}

static void bad_data_names_file_and_line(void **state)
{
    (void)state;
    write_model("m.json", "logistic", "\"format\": \"libsvm\", \"path\": \"bad.txt\"", "");
    unlink("bad.txt");
    assert_refusal("$H run m.json --output b", 2, "bad.txt");
    write_text("bad.txt", "1 1:1\n0 1:2 2:3\n1 2:1 1:1\n");
    assert_refusal("$H run m.json --output b", 2, "3");
    assert_non_null(strstr(err_text, "bad.txt"));
    /* ten images are announced, three bytes follow */
    const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3};
    const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 0, 1};
    write_bytes("images", images, sizeof images);
    write_bytes("labels", labels, sizeof labels);
    write_model("i.json", "softmax", "\"format\": \"idx\", \"images\": \"images\", \"labels\": \"labels\"", "");
    assert_refusal("$H run i.json --output b", 2, "images");
    assert_false(exists("b"));
}

static void real_data(void **state)
{
    (void)state;
    char path[2][4096], data[9000];
    data_file("a9a.t", path[0], sizeof path[0]);
    snprintf(data, sizeof data, "\"format\": \"libsvm\", \"path\": \"%s\"", path[0]);
    write_model("a9a.json", "logistic", data, "");
    assert_exit("$H run a9a.json --output a9a --quiet", 0);
    data_file("t10k-images-idx3-ubyte.gz", path[0], sizeof path[0]);
    data_file("t10k-labels-idx1-ubyte.gz", path[1], sizeof path[1]);
    snprintf(data, sizeof data, "\"format\": \"idx\", \"images\": \"%s\", \"labels\": \"%s\"", path[0], path[1]);
    write_model("mnist.json", "softmax", data, "");
    assert_exit("sed -i 's/\"steps\": 12/\"steps\": 4/' mnist.json; $H run mnist.json --output mnist --quiet", 0);
    cJSON *r = read_json("mnist/result.json");
    assert_int_equal(cJSON_GetArraySize(get(get(r, "partition"), "class_values")), 10);
    assert_close(number(get(get(r, "constants"), "delta"), "value"), log(10.0),
                 1e-12); /* at w = 0 all classes are alike */
    cJSON_Delete(r);
}

/* Two runs into one folder would mix their files; the second is told at once, and nothing of the first is touched. */
static void a_folder_in_use_is_refused(void **state)
{
    (void)state;
    write_config("busy.json", "");
    assert_exit("$H run busy.json --output busy --quiet", 0);
    int folder = open("busy", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(folder >= 0);
    assert_int_equal(flock(folder, LOCK_EX), 0);
    assert_refusal("$H run busy.json --output busy", 4, "another hsgd is writing");
    assert_refusal("$H plot busy", 4, "another hsgd is writing");
    close(folder);
    assert_exit("$H plot busy", 0);
}

/* A killed run leaves the hidden folder in which gnuplot worked; the next one takes it away, and nothing else. */
static void leftovers_of_killed_runs_are_swept(void **state)
{
    (void)state;
    write_config("swept.json", "");
    assert_exit("mkdir -p swept/.render-gone swept/.mine && touch swept/.render-gone/half.pdf swept/.mine/kept &&"
                "ln -s ../.mine swept/.render-gone/link && ln -s .mine swept/.render-link &&"
                "$H run swept.json --output swept --quiet",
                0);
    assert_false(exists("swept/.render-gone"));
    assert_true(exists("swept/.mine/kept"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_goes_to_standard_output),
        cmocka_unit_test(usage_errors),
        cmocka_unit_test(bad_configurations_name_file_place_and_value),
        cmocka_unit_test(sandwich_in_rationals),
        cmocka_unit_test(bounds_by_hand),
        cmocka_unit_test(exact_has_the_shape_of_the_contract),
        cmocka_unit_test(exact_takes_a_hessian_for_each_worker),
        cmocka_unit_test(result_has_the_fields_of_the_contract),
        cmocka_unit_test(series_has_the_columns_of_the_contract),
        cmocka_unit_test(threads_do_not_matter_and_seeds_do),
        cmocka_unit_test(exit_codes_tell_the_verdict),
        cmocka_unit_test(without_a_configuration_the_demo_runs),
        cmocka_unit_test(output_that_cannot_be_written),
        cmocka_unit_test(standard_output_that_fails),
        cmocka_unit_test(closed_standard_error),
        cmocka_unit_test(without_gnuplot),
        cmocka_unit_test(figures_keep_their_style),
        cmocka_unit_test(plot_in_every_format),
        cmocka_unit_test(names_never_leave_the_folder),
        cmocka_unit_test(models_on_data),
        cmocka_unit_test(data_is_looked_for_in_order),
        cmocka_unit_test(bad_data_names_file_and_line),
        cmocka_unit_test(real_data),
        cmocka_unit_test(a_folder_in_use_is_refused),
        cmocka_unit_test(leftovers_of_killed_runs_are_swept),
    };
    return cmocka_run_group_tests_name("program", tests, enter_folder, leave_folder);
}
