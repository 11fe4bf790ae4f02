/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd phase from outside: exit codes, what is printed and written, the same bytes for any number of threads, the figure again
 * by hsgd plot, and what is refused before anything is computed. */
#include "tests/experiments/program.h"

/* Six workers with Hessians of their own and a grid over G and the spread; rest stands in "phase" and ends with a comma. */
static void write_phase(const char *path, const char *rest, const char *top)
{
    char text[2048];
    snprintf(
        text, sizeof text,
        "{\"name\": \"map\", \"hierarchy\": {\"fanout\": [2, 3], \"periods\": [8, 2]}, \"problem\": {\"type\": "
        "\"quadratic\", \"dimension\": 8, \"curvature_range\": [0.5, 1], \"level_curvature_spread\": [0.4, 0.4], "
        "\"level_divergence\": [30, 30], \"noise_variance\": 1, \"seed\": 4}, \"optimizer\": {\"step_size\": 0.01, "
        "\"steps\": 400}, \"seeds\": 3%s, \"phase\": {%s\"axes\": [{\"name\": \"G, all\", \"key\": "
        "\"hierarchy.periods[0]\", \"values\": [2, 8, 24, 60]}, {\"name\": \"verdict\", \"key\": "
        "\"problem.level_curvature_spread\", \"values\": [[0, 0], [0.1, 0.1], [0.7, 0.7]], \"at\": [0, 0.1, "
        "0.7]}]}}",
        top, rest);
    write_text(path, text);
}

#define NO_FIGURES ", \"figures\": []"

static void assert_same_file(const char *a, const char *b)
{
    char *left = read_text(a), *right = read_text(b);
    if (!left || !right || strcmp(left, right) != 0)
        fail_msg("%s and %s differ", a, b);
    free(left);
    free(right);
}

/* One point for each verdict of a broken order; a finding is no violation unless it was expected to hold. */
static void findings_and_violated_expectations(void **state)
{
    (void)state;
    write_phase("p.json", "", NO_FIGURES);
    assert_exit("$H phase p.json --output p --threads 2", 0);
    assert_string_equal(err_text, "");
    assert_non_null(strstr(out, "map: 12 points over G, all (4) x verdict (3)\n"));
    assert_non_null(strstr(out, "3 by theory: one Hessian, 3 by theory: one level"));
    assert_non_null(strstr(out, "largest violation: "));
    assert_non_null(strstr(out, "in p: phase.json, phase.csv\n"));
    cJSON *document = read_json("p/phase.json"), *counts = get(document, "counts");
    assert_true(number(counts, "fails below") + number(counts, "reversed") > 0 && number(counts, "holds") > 0);
    assert_true(number(counts, "equal") == 6);
    cJSON_Delete(document);
    write_phase("e.json", "\"expect\": \"holds\", ", NO_FIGURES);
    assert_exit("$H phase e.json --output e --quiet", 1);
    assert_string_equal(out, "");
    write_phase("d.json", "\"expect\": \"holds\", \"quantity\": \"dispersion\", ", NO_FIGURES);
    assert_exit("$H phase d.json --output d --quiet", 0);
    write_phase("m.json", "\"method\": \"monte-carlo\", ", NO_FIGURES);
    assert_exit("$H phase m.json --output m --seeds 2", 3); /* two seeds decide little */
    assert_non_null(strstr(out, "false with a probability of at most 1 %"));
    assert_non_null(strstr(out, "drawn: 12 differences"));
}

static void files_do_not_depend_on_threads(void **state)
{
    (void)state;
    assert_exit("$H phase p.json --output p1 --threads 1 --quiet", 0);
    assert_same_file("p/phase.json", "p1/phase.json");
    assert_same_file("p/phase.csv", "p1/phase.csv");
    assert_exit("$H phase m.json --output m1 --seeds 2 --threads 1 --quiet", 3);
    assert_same_file("m/phase.csv", "m1/phase.csv");
    assert_exit("$H phase p.json --output p1 --json", 0);
    cJSON *printed = parse_json(out), *written = read_json("p/phase.json");
    assert_true(forget_origin(written) && cJSON_Compare(printed, written, true));
    cJSON_Delete(printed);
    cJSON_Delete(written);
}

/* The points of the CSV file are those of the JSON file; axes whose names are taken or need quotes are told apart. */
static void the_table_has_a_row_for_each_point(void **state)
{
    (void)state;
    char *csv = read_text("p/phase.csv"), *line = csv;
    cJSON *document = read_json("p/phase.json"), *point;
    assert_int_equal(strncmp(csv, "\"G, all\",axis_verdict,verdict,theory,inner,hsgd,outer,", 52), 0);
    cJSON_ArrayForEach(point, get(document, "points"))
    {
        char G[8], verdict[16], theory[24] = "";
        double first, second, inner, middle, outer;
        line = strchr(line, '\n') + 1;
        assert_int_equal(sscanf(line, "%7[^,],\"[%lf,%lf]\",%15[^,]", G, &first, &second, verdict), 4);
        const char *rest = strstr(line, verdict) + strlen(verdict) + 1;
        size_t length = strcspn(rest, ",");
        snprintf(theory, sizeof theory, "%.*s", (int)length, rest);
        assert_int_equal(sscanf(rest + length, ",%lf,%lf,%lf", &inner, &middle, &outer), 3);
        assert_string_equal(G, text_of(get(point, "labels"), "G, all"));
        assert_string_equal(verdict, text_of(point, "verdict"));
        assert_string_equal(theory, cJSON_HasObjectItem(point, "theory") ? text_of(point, "theory") : "");
        assert_true(inner == number(point, "inner") && middle == number(point, "hsgd"));
        assert_true(outer == number(point, "outer"));
        assert_true(number(get(point, "hsgd_minus_inner"), "value") == middle - inner);
    }
    cJSON_Delete(document);
    free(csv);
}

/* hsgd exact has the same S for the three trees of a point, written by hand. */
static void numbers_are_those_of_hsgd_exact(void **state)
{
    (void)state;
    cJSON *document = read_json("p/phase.json");
    const cJSON *point = cJSON_GetArrayItem(get(document, "points"), 8); /* G = 24, spread 0.7 */
    assert_string_equal(text_of(point, "title"), "G, all = 24, verdict = [0.7,0.7]");
    static const char *const periods[] = {"[2, 2]", "[24, 2]", "[24, 24]"}, *const key[] = {"inner", "hsgd", "outer"};
    for (size_t i = 0; i < 3; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "{\"hierarchy\": {\"fanout\": [2, 3], \"periods\": %s}, \"problem\": {\"type\": \"quadratic\", "
                 "\"dimension\": 8, \"curvature_range\": [0.5, 1], \"level_curvature_spread\": [0.7, 0.7], "
                 "\"level_divergence\": [30, 30], \"noise_variance\": 1, \"seed\": 4}, \"optimizer\": {\"step_size\": "
                 "0.01, \"steps\": 400}}",
                 periods[i]);
        write_text("one.json", text);
        assert_exit("$H exact one.json --json", 0);
        cJSON *exact = parse_json(out);
        assert_close(number(point, key[i]), number(exact, "S"), 1e-13);
        cJSON_Delete(exact);
    }
    cJSON_Delete(document);
}

static void the_figure_is_made_and_made_again(void **state)
{
    (void)state;
    write_phase("f.json", "", ", \"figure_style\": {\"format\": \"svg\"}");
    assert_exit("$H phase f.json --output f", 0);
    assert_non_null(strstr(out, "in f: phase.json, phase.csv, phase.svg\n"));
    char *before = read_text("f/phase.dat");
    assert_exit("$H plot f --format pdf --width neurips --no-title", 0);
    assert_string_equal(out, "f/phase.gp\nf/phase.dat\nf/phase.caption.tex\nf/phase.pdf\n");
    char *after = read_text("f/phase.dat");
    assert_string_equal(before, after);
    free(before);
    free(after);
    write_phase("f.json", "", NO_FIGURES);
    assert_exit("$H phase f.json --output f --quiet", 0); /* the old figure would pass for that of the new one */
    assert_false(exists("f/phase.pdf") || exists("f/phase.gp"));
}

static void what_is_refused(void **state)
{
    (void)state;
    assert_refusal("$H run p.json", 2, "p.json: phase: this file is for hsgd phase");
    assert_refusal("$H phase d.json --threads 0", 2, "--threads");
    assert_exit("$H phase p.json --dry-run", 0);
    assert_non_null(strstr(out, " s: 12 points, exact moments, on "));
    write_phase("b.json", "\"budget_s\": 0, ", "");
    assert_refusal("$H phase b.json --output b", 2, "b.json: phase.budget_s: about ");
    assert_false(exists("b"));
    write_phase("x.json", "", ", \"figures\": [\"sweep\"]");
    assert_refusal("$H phase x.json", 2, "x.json: figures[0]: \"sweep\"");
    write_phase("x.json", "", ", \"sweep\": {\"axes\": []}");
    assert_refusal("$H phase x.json", 2,
                   "x.json: phase: G, all = 2, verdict = [0,0]: sweep: this file is for hsgd sweep");
    write_text("x.json", "{\"name\": \"x\"}");
    assert_refusal("$H phase x.json", 2, "x.json: phase: missing");
    assert_exit("mkdir s && echo '{}' > s/sweep.json", 0);
    assert_refusal("$H phase p.json --output s", 2, "a sweep");
    assert_refusal("$H run one.json --output p", 2, "a phase diagram");
    assert_refusal("$H report p", 2, "p: a phase diagram has no page");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_and_violated_expectations), cmocka_unit_test(files_do_not_depend_on_threads),
        cmocka_unit_test(the_table_has_a_row_for_each_point), cmocka_unit_test(numbers_are_those_of_hsgd_exact),
        cmocka_unit_test(the_figure_is_made_and_made_again),  cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests_name("phase program", tests, enter_folder, leave_folder);
}
