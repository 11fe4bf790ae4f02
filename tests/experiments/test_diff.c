/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd diff from outside: the same run twice agrees to the bit; a number that was moved is found with where it stands and by how
 * much; settings are notes; runs with other seeds are compared by intervals, which separate runs of two problems. */
#include "tests/experiments/program.h"

#include <math.h>

#include "analysis/statistics.h"

#define CONFIG(name, noise, step_size, seeds)                                                                          \
    "{\"name\": \"" name "\", \"hierarchy\": {\"fanout\": [2, 3], \"periods\": [6, 2]}, \"problem\": {\"type\": "      \
    "\"quadratic\", \"dimension\": 4, \"curvature_range\": [0.1, 1], \"level_divergence\": [1, 0.5], "                 \
    "\"noise_variance\": " noise "}, \"optimizer\": {\"step_size\": " step_size                                        \
    ", \"steps\": 30}, \"figures\": [], " seeds "}"

static void run_into(const char *folder, const char *config)
{
    char line[256];
    write_text("c.json", config);
    snprintf(line, sizeof line, "$H run c.json --output %s --quiet || test $? = 3", folder);
    assert_exit(line, 0);
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

/* The fifth row of a column grows by 1e-6 of itself. */
static void a_moved_number_is_found(void **state)
{
    (void)state;
    assert_exit("rm -rf k && cp -r a k && awk -F, -v OFS=, -v OFMT=%.17g -v CONVFMT=%.17g 'NR == 6 { $3 *= 1.000001 } "
                "{ print }' "
                "a/series.csv > k/series.csv && $H diff a k --quiet",
                1);
    assert_non_null(strstr(out, "series.csv: grad_norm_sq"));
    assert_non_null(strstr(out, "1 of 30 numbers differ, most by 1e-06 relative (row 5)"));
    assert_null(strchr(strchr(out, '\n') + 1, '\n')); /* nothing else */
    assert_exit("$H diff a k --tolerance 1e-5 --quiet", 0);
    assert_exit("cp a/series.csv k; sed -i '/\"L\":/,/kind/s/\"value\":.*/\"value\":\t1.5,/' k/result.json; $H diff a "
                "k --quiet",
                1);
    assert_non_null(strstr(out, "most by 0.333 relative (constants.L.value), 0.5 absolute"));
    assert_exit("cp a/result.json k; sed -i '0,/\"verdict\":\t\"holds\"/s//\"verdict\":\t\"violated\"/' k/result.json; "
                "$H diff a k --quiet",
                1);
    assert_non_null(strstr(out, ".verdict"));
    assert_non_null(strstr(out, "holds | violated"));
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
        cmocka_unit_test(tables_of_other_shapes_differ),
        cmocka_unit_test(other_seeds_agree_within_chance),
        cmocka_unit_test(another_problem_differs_by_more_than_chance),
        cmocka_unit_test(what_cannot_be_compared_is_refused_in_one_line),
    };
    return cmocka_run_group_tests(tests, run_twice, leave_folder);
}
