/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd diff from outside: the same run twice agrees to the bit; a number that was moved is found with where it stands and by how
 * much, and rounding of what is nothing is none; settings are notes; runs with other seeds, and the points of sweeps, rates and
 * phase diagrams, are compared by intervals, which separate two problems. */
#include "tests/experiments/program.h"

#include <math.h>

#include "analysis/statistics.h"

#define CONFIG(name, noise, step_size, seeds)                                                                          \
    "{\"name\": \"" name "\", \"hierarchy\": {\"fanout\": [2, 3], \"periods\": [6, 2]}, \"problem\": {\"type\": "      \
    "\"quadratic\", \"dimension\": 4, \"curvature_range\": [0.1, 1], \"level_divergence\": [1, 0.5], "                 \
    "\"noise_variance\": " noise "}, \"optimizer\": {\"step_size\": " step_size                                        \
    ", \"steps\": 30}, \"figures\": [], " seeds "}"

static void make(const char *command, const char *folder, const char *config)
{
    char line[256];
    write_text("c.json", config);
    snprintf(line, sizeof line, "$H %s c.json --output %s --quiet || test $? = 3", command, folder);
    assert_exit(line, 0);
}

static void run_into(const char *folder, const char *config)
{
    make("run", folder, config);
}

static void assert_said(const char *text)
{
    if (!strstr(out, text))
        fail_msg("no \"%s\" in\n%s", text, out);
}

/* a, and b the same with another name. */
static int run_twice(void **state)
{
    if (enter_folder(state))
        return -1;
    run_into("a", CONFIG("a", "0.3", "0.01", "\"seeds\": 4"));
    run_into("b", CONFIG("b", "0.3", "0.01", "\"seeds\": 4"));
    return 0;
}

static void the_same_run_agrees_to_the_bit(void **state)
{
    (void)state;
    assert_exit("$H diff a b --tolerance 0", 0);
    assert_non_null(strstr(out, "a | b: each holds the results of a single run"));
    assert_non_null(strstr(out, "config: name"));
    assert_non_null(strstr(out, "they agree (tolerance 0)"));
    assert_null(strstr(out, "DIFFERS"));
    assert_exit("$H diff a b --quiet", 0);
    assert_string_equal(out, "");
}

/* The fifth row of a column grows by 1e-6 of itself, which awk relates to the largest. */
static void a_moved_number_is_found(void **state)
{
    (void)state;
    char text[160];
    assert_exit(
        "awk -F, 'NR == 6 { v = $3 } NR > 1 && $3 > m { m = $3 } END { printf \"%.3g\", 1e-6 * v / m }' a/series.csv",
        0);
    snprintf(text, sizeof text, "1 of 30 numbers differ, most by %s of the largest, ", out);
    assert_exit("rm -rf k && cp -r a k && awk -F, -v OFS=, -v OFMT=%.17g -v CONVFMT=%.17g 'NR == 6 { $3 *= 1.000001 } "
                "{ print }' "
                "a/series.csv > k/series.csv && $H diff a k --quiet",
                1);
    assert_said("series.csv: grad_norm_sq");
    assert_said(text);
    assert_said(" absolute (row 5, step 4)\n");
    assert_null(strchr(strchr(out, '\n') + 1, '\n')); /* nothing else */
    assert_exit("$H diff a k --tolerance 1e-5 --quiet", 0);
    assert_exit("cp a/series.csv k; sed -i '/\"L\":/,/kind/s/\"value\":.*/\"value\":\t1.5,/' k/result.json; $H diff a "
                "k --quiet",
                1);
    assert_said("result.json: constants");
    assert_said("1 of 7 numbers differ, most by 0.333 relative, 0.5 absolute (constants.L.value)");
    assert_exit("cp a/result.json k; sed -i '0,/\"verdict\":\t\"holds\"/s//\"verdict\":\t\"violated\"/' k/result.json; "
                "$H diff a k --quiet",
                1);
    assert_non_null(strstr(out, ".verdict"));
    assert_non_null(strstr(out, "holds | violated"));
}

/* drift_error_sq is 0 but for rounding: all workers have one Hessian. Next to the squared gradients, of which some are larger than
 * 0.1, 1e-12 is no rounding. */
static void rounding_of_nothing_is_no_difference(void **state)
{
    (void)state;
    assert_exit("awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == \"drift_error_sq\") print i }' a/series.csv",
                0);
    size_t column = strtoul(out, NULL, 10);
    char line[400];
    assert_true(column > 0);
    for (int i = 0; i < 2; i++) {
        snprintf(
            line, sizeof line,
            "rm -rf k && cp -r a k && awk -F, -v OFS=, 'NR > 1 { $%zu = %s } { print }' a/series.csv > k/series.csv",
            column, i ? "1e-12" : "3e-32");
        assert_exit(line, 0);
        assert_exit("$H diff a k --quiet", i);
        assert_true(i == (strstr(out, "series.csv: drift_error_sq") != NULL));
    }
    assert_exit("$H diff a k --tolerance 0 --quiet", 1);
    assert_exit(
        "cp a/series.csv k; sed -i 's/\"max_relative_error\":.*,/\"max_relative_error\":\t1e-15,/' k/result.json; "
        "$H diff a k",
        0);
    assert_said("result.json: identities");
}

static void tables_of_other_shapes_differ(void **state)
{
    (void)state;
    assert_exit("rm -rf k && cp -r a k && sed -i '$d' k/series.csv; $H diff a k --quiet", 1);
    assert_non_null(strstr(out, "30 rows | 29 rows"));
    assert_exit("cut -d, -f1,3- a/series.csv > k/series.csv; $H diff a k --quiet", 1);
    assert_non_null(strstr(out, "series.csv: loss"));
    assert_non_null(strstr(out, "only a has this column"));
    assert_exit("$H diff k a --quiet", 1);
    assert_non_null(strstr(out, "only a has the column loss"));
    assert_refusal("sed -i '4s/,//' k/series.csv; $H diff a k", 2, "k/series.csv: line 4: expected");
    assert_refusal("rm k/series.csv; $H diff a k", 2, "k/series.csv: cannot be opened");
}

/* ---- other seeds ---- */

/* Half the width of Welch's interval, from scratch. */
static double welch(const cJSON *a, const cJSON *b, double checks)
{
    double va = pow(number(a, "se"), 2), vb = pow(number(b, "se"), 2);
    double freedom = pow(va + vb, 2) / (va * va / (number(a, "seeds") - 1) + vb * vb / (number(b, "seeds") - 1));
    hsgd_estimate whole = {0, sqrt(va + vb), (size_t)floor(freedom) + 1};
    return hsgd_half_width(whole, 0.99, checks);
}

static void other_seeds_agree_within_chance(void **state)
{
    (void)state;
    char text[160];
    run_into("more", CONFIG("a", "0.3", "0.01", "\"seeds\": 6, \"first_seed\": 50"));
    assert_exit("$H diff a more", 0);
    assert_null(strstr(out, "DIFFERS"));
    assert_non_null(strstr(out, "as far as chance allows to see"));
    char *said = strdup(out);
    cJSON *a = read_json("a/result.json"), *b = read_json("more/result.json");
    const cJSON *S1 = get(get(a, "measured"), "S"), *S2 = get(get(b, "measured"), "S");
    double checks = 2 + cJSON_GetArraySize(get(a, "measured_references"));
    snprintf(text, sizeof text, "difference %.3g, by chance up to %.3g (99 %%", number(S1, "mean") - number(S2, "mean"),
             welch(S1, S2, checks));
    if (!strstr(said, text))
        fail_msg("no \"%s\" in\n%s", text, said);
    free(said);
    cJSON_Delete(a);
    cJSON_Delete(b);
}

static void another_problem_differs_by_more_than_chance(void **state)
{
    (void)state;
    run_into("far", CONFIG("a", "0.3", "0.02", "\"seeds\": 6, \"first_seed\": 50"));
    assert_exit("$H diff a far --quiet", 1);
    assert_non_null(strstr(out, "  S  "));
    run_into("fast", CONFIG("a", "0.3", "0.01000001", "\"seeds\": 6, \"first_seed\": 50"));
    assert_exit("$H diff a fast --quiet", 1); /* S agrees, the step size does not */
    assert_non_null(strstr(out, "step_size"));
    run_into("one", CONFIG("a", "0.3", "0.01", "\"seeds\": 1"));
    assert_exit("$H diff a one", 3);
    assert_non_null(strstr(out, "one of them has no interval"));
}

/* ---- many points ---- */

#define STUDY(least, seeds, section)                                                                                   \
    "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"problem\": {\"type\": \"quadratic\", "               \
    "\"dimension\": "                                                                                                  \
    "3, \"curvature_range\": [" least ", 1], \"curvature_spread\": 0.05, \"level_divergence\": [1, 1], "               \
    "\"noise_variance\": 0.1}, \"optimizer\": {\"step_size\": 0.1, \"steps\": 12}, \"figures\": [], " seeds            \
    ", " section "}"
#define SOME "\"seeds\": 5"
#define OTHERS "\"seeds\": 7, \"first_seed\": 50"

/* The point whose difference is the largest share of what chance allows, by the documents alone. */
static void assert_worst_point(const char *path1, const char *path2, const char *quantity)
{
    char text[200] = "";
    cJSON *a = read_json(path1), *b = read_json(path2);
    const cJSON *left = get(a, "points")->child, *right = get(b, "points")->child;
    double most = -1, checks = cJSON_GetArraySize(get(a, "points"));
    for (; left; left = left->next, right = right->next) {
        cJSON *m1 = (cJSON *)left, *m2 = (cJSON *)right;
        if (quantity) {
            m1 = cJSON_GetObjectItem(get(left, "measured"), quantity);
            m2 = cJSON_GetObjectItem(get(right, "measured"), quantity);
        }
        const char *key = quantity ? "mean" : "value";
        double difference = number(m1, key) - number(m2, key), allowed = welch(m1, m2, checks);
        if (fabs(difference) / allowed <= most)
            continue;
        most = fabs(difference) / allowed;
        snprintf(text, sizeof text,
                 "%.8g | %.8g: difference %.3g, by chance up to %.3g (99 %%, for all of these together)",
                 number(m1, key), number(m2, key), difference, allowed);
    }
    assert_said(text);
    cJSON_Delete(a);
    cJSON_Delete(b);
}

static void compare_points(const char *command, const char *folder, const char *const config[3], const char *quantity)
{
    char line[100], path[2][100];
    for (int i = 0; i < 3; i++) {
        snprintf(line, sizeof line, "%s%d", folder, i);
        make(command, line, config[i]);
    }
    for (int i = 1; i < 3; i++) { /* the same problem, and another one */
        snprintf(path[0], sizeof path[0], "%s0/%s.json", folder, command);
        snprintf(path[1], sizeof path[1], "%s%d/%s.json", folder, i, command);
        snprintf(line, sizeof line, "$H diff %s0 %s%d", folder, folder, i);
        assert_exit(line, i - 1);
        assert_said(i == 1 ? "the seeds differ; they agree" : "they differ by more than chance");
        assert_said(i == 1 ? " 0 of 3 are off by more than chance; most of all "
                           : " 3 of 3 are off by more than chance;");
        assert_worst_point(path[0], path[1], quantity);
    }
}

static void points_of_sweeps_and_rates_are_compared_by_intervals(void **state)
{
    (void)state;
#define SWEEP "\"sweep\": {\"axes\": [{\"name\": \"I\", \"key\": \"hierarchy.periods[1]\", \"values\": [1, 2, 4]}]}"
#define RATE(method) "\"rate\": {\"over\": \"steps\", \"values\": [12, 24, 48], \"method\": \"" method "\"}"
    compare_points(
        "sweep", "s",
        (const char *[]){STUDY("0.1", SOME, SWEEP), STUDY("0.1", OTHERS, SWEEP), STUDY("0.9", OTHERS, SWEEP)}, "S");
    compare_points("rate", "t",
                   (const char *[]){STUDY("0.1", SOME, RATE("sampled")), STUDY("0.1", OTHERS, RATE("sampled")),
                                    STUDY("0.9", OTHERS, RATE("sampled"))},
                   NULL);
    make("rate", "e1", STUDY("0.1", SOME, RATE("exact")));
    make("rate", "e2", STUDY("0.1", OTHERS, RATE("exact")));
    assert_exit("$H diff e1 e2", 0);
    assert_said("they agree (tol"); /* no seed plays a part */
}

static void differences_of_a_phase_diagram_are_compared_by_intervals(void **state)
{
    (void)state;
    static const char *const name[] = {"hsgd_minus_inner", "outer_minus_hsgd"};
#define PHASE                                                                                                          \
    "\"phase\": {\"method\": \"monte-carlo\", \"axes\": [{\"name\": \"G\", \"key\": \"hierarchy.periods[0]\", "        \
    "\"values\": [4, 8]}]}"
    make("phase", "p1", STUDY("0.1", SOME, PHASE));
    make("phase", "p2", STUDY("0.1", OTHERS, PHASE));
    assert_exit("$H diff p1 p2", 0);
    assert_said("  hsgd_minus_inner  ");
    assert_said("  outer_minus_hsgd  ");
    cJSON *document = read_json("p2/phase.json");
    for (int i = 0; i < 2; i++) { /* further away than both intervals are wide */
        cJSON *point = cJSON_GetArrayItem(cJSON_GetObjectItem(document, "points"), i);
        cJSON *difference = cJSON_GetObjectItem(point, name[i]);
        double value = number(difference, "value");
        cJSON_SetNumberHelper(cJSON_GetObjectItem(difference, "value"), value + 1000);
        char *text = cJSON_Print(document);
        write_text("p2/phase.json", text);
        cJSON_free(text);
        cJSON_SetNumberHelper(cJSON_GetObjectItem(difference, "value"), value);
        assert_exit("$H diff p1 p2 --quiet", 1);
        assert_said(name[i]);
        assert_said(i ? "1 of 2 are off by more than chance; most of all G = 8: "
                      : "1 of 2 are off by more than chance; most of all G = 4: ");
    }
    cJSON_Delete(document);
}

static void what_cannot_be_compared_is_refused_in_one_line(void **state)
{
    (void)state;
    assert_refusal("$H diff a", 2, "diff: DIR2 is missing");
    assert_refusal("$H diff a b c", 2, "diff: unexpected argument \"c\"");
    assert_refusal("$H diff a nowhere", 2, "nowhere: holds no results");
    assert_refusal("mkdir s; echo '{}' > s/sweep.json; $H diff a s", 2,
                   "a holds the results of a single run, s a sweep");
    assert_refusal("$H diff a b --tolerance nan", 2, "--tolerance: \"nan\" is not a number from 0 to 1");
    assert_refusal("$H diff a b --tolerance -1", 2, "--tolerance: \"-1\" is not a number from 0 to 1");
    assert_refusal("$H diff a b --tolerance ''", 2, "--tolerance: \"\" is not a number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_run_agrees_to_the_bit),
        cmocka_unit_test(a_moved_number_is_found),
        cmocka_unit_test(rounding_of_nothing_is_no_difference),
        cmocka_unit_test(tables_of_other_shapes_differ),
        cmocka_unit_test(other_seeds_agree_within_chance),
        cmocka_unit_test(another_problem_differs_by_more_than_chance),
        cmocka_unit_test(points_of_sweeps_and_rates_are_compared_by_intervals),
        cmocka_unit_test(differences_of_a_phase_diagram_are_compared_by_intervals),
        cmocka_unit_test(what_cannot_be_compared_is_refused_in_one_line),
    };
    return cmocka_run_group_tests(tests, run_twice, leave_folder);
}
