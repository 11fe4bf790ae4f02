/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd rate from outside: the files and what stands in them, the figure and its data, exit codes, results that do not depend
 * on the number of threads, and refusals. */
#include "tests/experiments/program.h"

#include <math.h>

/* A small noisy quadratic; rate is the value of its key, rest begins with a comma. */
static void write_rate(const char *path, const char *rate, const char *rest)
{
    char text[2048];
    snprintf(text, sizeof text,
             "{\"name\": \"speed <b> $x_1$\", \"hierarchy\": {\"fanout\": [2, 3], \"periods\": [4, 2]}, \"problem\": "
             "{\"type\": \"quadratic\", \"dimension\": 3, \"curvature_range\": [0.2, 1], \"level_divergence\": [0.3, "
             "0.2], \"noise_variance\": 0.7}, \"optimizer\": {\"step_size\": 0.05, \"steps\": 60}, \"seeds\": 9, "
             "\"bounds\": [\"hsgd-fixed-sharp\", \"hsgd-fixed-recursive\", \"local-sgd-inner\"], \"rate\": %s%s}",
             rate, rest);
    write_text(path, text);
}

#define OVER_STEPS                                                                                                     \
    "{\"over\": \"steps\", \"values\": [50, 100, 200, 400], \"step_size\": {\"rule\": \"sqrt(n/T)\", "                 \
    "\"constant\": 0.3}, \"fit_from\": 100%s}"

static void write_over_steps(const char *path, const char *more, const char *rest)
{
    char rate[512];
    snprintf(rate, sizeof rate, OVER_STEPS, more);
    write_rate(path, rate, rest);
}

static double at(const cJSON *array, int index)
{
    return cJSON_GetArrayItem(array, index)->valuedouble;
}

/* The line of an exponent by least squares from the points of the file, and the local exponents. */
static void check_fit(const cJSON *root)
{
    const cJSON *points = get(root, "points"), *fit = get(root, "fit");
    double x[4], y[4], mean_x = 0, mean_y = 0, sxx = 0, sxy = 0;
    for (int i = 0; i < 4; i++) {
        const cJSON *p = cJSON_GetArrayItem(points, i);
        x[i] = log(number(p, "at")), y[i] = log(number(p, "value"));
        assert_int_equal(cJSON_IsTrue(get(p, "fitted")), i > 0);
        mean_x += i ? x[i] / 3 : 0, mean_y += i ? y[i] / 3 : 0;
    }
    for (int i = 1; i < 4; i++)
        sxx += (x[i] - mean_x) * (x[i] - mean_x), sxy += (x[i] - mean_x) * (y[i] - mean_y);
    assert_close(number(fit, "exponent"), sxy / sxx, 1e-10);
    assert_close(number(cJSON_GetArrayItem(points, 1), "slope_to_next"), (y[2] - y[1]) / (x[2] - x[1]), 1e-10);
    assert_near(at(get(fit, "ci"), 0) + at(get(fit, "ci"), 1), 2 * number(fit, "exponent"), 1e-12);
}

/* The table, the JSON on standard output, rate.json and rate.csv tell the same; the figure is there with all that it
 * needs, and is drawn again in another format. Local SGD is not run, so that its bound is left out. */
static void files_tell_the_same(void **state)
{
    (void)state;
    write_over_steps("c.json", "", "");
    assert_exit("$H rate c.json --output d --json", 0);
    cJSON *root = read_json("d/rate.json"), *printed = parse_json(out);
    assert_true(forget_origin(root) && cJSON_Compare(printed, root, true));
    cJSON_Delete(printed);
    check_fit(root);
    const cJSON *points = get(root, "points"), *theory = get(root, "theory");
    assert_int_equal(cJSON_GetArraySize(theory), 3);
    assert_close(number(element(theory, "with", "asymptotic"), "exponent"), -0.5, 1e-15);
    assert_string_equal(text_of(root, "tightest_bound"), "hsgd-fixed-recursive");
    char *csv = read_text("d/rate.csv"), *line = csv;
    assert_int_equal(strncmp(csv, "T,num_workers,steps,", 20), 0);
    for (int i = 0; i < 4; i++) {
        const cJSON *p = cJSON_GetArrayItem(points, i);
        double field[8];
        line = strchr(line, '\n') + 1;
        assert_int_equal(sscanf(line, "%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf", &field[0], &field[1], &field[2], &field[3],
                                &field[4], &field[5], &field[6], &field[7]),
                         8);
        assert_close(field[0], number(p, "at"), 1e-16);
        assert_close(field[5], number(p, "step_size"), 1e-16);
        assert_close(field[7], number(p, "value"), 1e-16);
        assert_close(number(p, "step_size"), 0.3 * sqrt(6 / field[0]), 1e-14);
    }
    free(csv);
    assert_true(exists("d/rate.pdf") && exists("d/rate.gp") && exists("d/rate.dat") && exists("d/rate.caption.tex"));
    assert_exit("$H plot d --format svg --width neurips", 0);
    assert_true(exists("d/rate.svg") && !exists("d/rate.pdf"));
    char *drawn = read_text("d/rate.svg");
    assert_non_null(strstr(drawn, "speed &lt;b> $x_1$"));
    assert_non_null(strstr(drawn, "hsgd-fixed-recursive"));
    free(drawn);
    cJSON_Delete(root);
}

/* What the figure shows is what was computed: data of the figure against rate.json; the guide has the slope -1/2. */
static void the_figure_shows_the_points(void **state)
{
    (void)state;
    cJSON *root = read_json("d/rate.json");
    char *data = read_text("d/rate.dat"), *line = data;
    double guide[4], fitted[4];
    assert_non_null(strstr(data, "guide"));
    for (int i = 0; i < 4; i++) {
        const cJSON *p = cJSON_GetArrayItem(get(root, "points"), i);
        char word[8][40];
        line = strchr(line, '\n') + 1;
        assert_int_equal(sscanf(line, "%39s %39s %39s %39s %39s %39s %39s %39s", word[0], word[1], word[2], word[3],
                                word[4], word[5], word[6], word[7]),
                         8);
        assert_close(atof(word[0]), number(p, "at"), 1e-12);
        assert_close(atof(word[i ? 1 : 2]), number(p, "value"), 1e-12);
        assert_true(isnan(atof(word[i ? 2 : 1])));
        fitted[i] = atof(word[6]);
        guide[i] = atof(word[7]);
    }
    assert_close(log(guide[3] / guide[1]) / log(4), -0.5, 1e-9);
    assert_close(log(fitted[3] / fitted[1]) / log(4), number(get(root, "fit"), "exponent"), 1e-9);
    assert_true(guide[1] < fitted[1] && guide[3] < fitted[3]); /* not on each other */
    free(data);
    cJSON_Delete(root);
}

/* 0 for the rate itself; 1 where an exponent was asked for that is not reached; 3 where few seeds do not tell. Without
 * gnuplot, which is slow, everything but the figure is there: 4. */
static void exit_codes_tell_the_verdict(void **state)
{
    (void)state;
    write_over_steps("fast.json", ", \"expected\": -0.9", "");
    assert_exit("$H rate fast.json --output fast", 1);
    assert_non_null(strstr(out, "slower, by the expected exponent"));
    write_rate("noisy.json",
               "{\"over\": \"steps\", \"values\": [20, 22, 25], \"method\": \"sampled\", \"step_size\": {\"rule\": "
               "\"1/sqrt(T)\", \"constant\": 0.5}}",
               "");
    assert_exit("$H rate noisy.json --output noisy --seeds 2", 3);
    assert_non_null(strstr(out, "inconclusive"));
    assert_exit("PATH=/nonexistent $H rate fast.json --output none", 4);
    assert_non_null(strstr(err_text, "gnuplot"));
    assert_true(exists("none/rate.json") && exists("none/rate.csv") && exists("none/rate.gp"));
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    static const char *const method[] = {"exact", "sampled"};
    for (size_t m = 0; m < 2; m++) {
        char more[64];
        snprintf(more, sizeof more, ", \"method\": \"%s\"", method[m]);
        write_over_steps("c.json", more, "");
        shell("PATH=/nonexistent $H rate c.json --output one --threads 1 --quiet");
        shell("PATH=/nonexistent $H rate c.json --output two --threads 2 --quiet");
        assert_exit("cmp one/rate.json two/rate.json && cmp one/rate.csv two/rate.csv", 0);
    }
    assert_exit("PATH=/nonexistent $H rate c.json --output two --seeds 11 --quiet", 4);
    assert_string_equal(out, "");
    cJSON *root = read_json("two/rate.json");
    assert_true(number(cJSON_GetArrayItem(get(root, "points"), 0), "seeds") == 11);
    cJSON_Delete(root);
}

/* Workers with Hessians of their own: the points are those of hsgd exact. */
static void own_curvatures_have_exact_rates(void **state)
{
    (void)state;
#define OWN(steps, rest)                                                                                               \
    "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"problem\": {\"type\": \"quadratic\", "               \
    "\"dimension\": "                                                                                                  \
    "3, \"curvature_range\": [0.2, 1], \"curvature_spread\": 0.05, \"level_divergence\": [0.3, 0.2], "                 \
    "\"noise_variance\": 0.7}, \"optimizer\": {\"step_size\": 0.05, \"steps\": " steps "}, \"figures\": []" rest "}"
    write_text("own.json", OWN("60", ", \"rate\": {\"over\": \"steps\", \"values\": [10, 20, 40], \"step_size\": "
                                     "{\"rule\": \"fixed\", \"constant\": 0.05}}"));
    assert_exit("$H rate own.json --output own --quiet", 3);
    write_text("one.json", OWN("20", ""));
    assert_exit("$H exact one.json --json > exact.json", 0);
    cJSON *rate = read_json("own/rate.json"), *exact = read_json("exact.json");
    const cJSON *point = cJSON_GetArrayItem(get(rate, "points"), 1);
    assert_close(number(point, "value"), number(exact, "S"), 1e-12);
    const cJSON *bound;
    size_t hold = 0;
    cJSON_ArrayForEach(bound, get(point, "bounds"))
    {
        const char *verdict = get(bound, "verdict")->valuestring;
        assert_string_not_equal(verdict, "violated");
        hold += strcmp(verdict, "holds") == 0;
    }
    assert_true(hold > 0);
    cJSON_Delete(rate);
    cJSON_Delete(exact);
}

static void refusals_leave_nothing(void **state)
{
    (void)state;
    write_over_steps("c.json", "", "");
    assert_refusal("$H run c.json", 2, "c.json: rate: this file is for hsgd rate");
    write_rate("bad.json", "{\"over\": \"steps\", \"values\": [1, 2]}", "");
    assert_refusal("$H rate bad.json --output bad", 2, "bad.json: rate.values: ");
    write_rate("late.json", "{\"over\": \"workers\", \"values\": [2, 4, 8]}", "");
    assert_refusal("$H rate late.json --output bad", 2, "late.json: rate: n = 2: problem.level_divergence[1]");
    assert_false(exists("bad"));
    assert_exit("mkdir run && echo '{}' > run/result.json", 0);
    assert_refusal("$H rate c.json --output run", 2, "the results of a single run");
    write_rate("one.json", "0", "");
    assert_exit("sed 's/, .rate.: 0//' one.json > plain.json && mkdir there && echo '{}' > there/rate.json", 0);
    assert_refusal("$H run plain.json --output there", 2, "holds a rate of convergence (rate.json)");
    assert_refusal("$H rate c.json --output ''", 2, "--output");
    assert_refusal("$H rate", 2, "CONFIG.json is missing");
    assert_exit("$H rate c.json --output dry --dry-run", 0);
    assert_true(strncmp(out, "T = 50: about ", 14) == 0 && strstr(out, "\nall: about ") && !exists("dry"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_tell_the_same),
        cmocka_unit_test(the_figure_shows_the_points),
        cmocka_unit_test(exit_codes_tell_the_verdict),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(own_curvatures_have_exact_rates),
        cmocka_unit_test(refusals_leave_nothing),
    };
    return cmocka_run_group_tests_name("rate_program", tests, enter_folder, leave_folder);
}
