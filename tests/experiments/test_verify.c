/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd verify from outside: exit codes, streams, formats of the report, and what it adds to the result folder.
 *
 * Mutations that were tried, each makes a test below fail: the exit code from `overall` instead of `worst`; --markdown
 * and --latex accepted together; plain_output false for LaTeX; every_check false; no point in the grouping check;
 * "certified_value" under another name; the audit in result.json without verdicts; the note on trajectory constants left
 * out; the ladder of a diverged run printed; the ladder without its kinds of constants; shares printed beside steps
 * without a verdict; "seed" where groupings are counted; the noise of the first worker instead of the deciding one; the
 * steps to R6 and R7 refused with that to R5; the margin of divergences against themselves; "inf" printed for a diverged
 * mean. */
#include "tests/experiments/latex.h"
#include "tests/experiments/program.h"

#define QUADRATIC(noise)                                                                                               \
    "\"problem\": {\"type\": \"quadratic\", \"dimension\": 4, \"curvature_range\": [0.11, 1.3], \"level_divergence\":" \
    "[0.83, 0.41], \"noise_variance\": " #noise "}, \"initial\": {\"scale\": 1.4}"
#define SHAPE "\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}"
#define OPTIMIZER(steps) "\"optimizer\": {\"step_size_fraction\": 0.9, \"steps\": " #steps "}"

static void write_config(const char *path, const char *extra)
{
    char text[2048];
    snprintf(text, sizeof text, "{\"figures\": [], %s}", extra);
    write_text(path, text);
}

#define NOISY QUADRATIC(0.37) ", " SHAPE ", " OPTIMIZER(30)
#define EXACT QUADRATIC(0) ", " SHAPE ", " OPTIMIZER(30)

/* Is it there, however the lines are broken? */
static bool says(const char *part)
{
    char *flat = malloc(strlen(out) + 1), *end = flat;
    assert_non_null(flat);
    for (const char *c = out; *c; c++)
        if ((*c != ' ' && *c != '\n') || (end > flat && end[-1] != ' '))
            *end++ = *c == '\n' ? ' ' : *c;
    *end = '\0';
    bool found = strstr(flat, part) != NULL;
    free(flat);
    return found;
}

static void assert_says(const char *part)
{
    if (says(part))
        return;
    print_error("%s\nlacks \"%s\"\n", out, part);
    fail();
}

static void assert_does_not_say(const char *part)
{
    if (!says(part))
        return;
    print_error("%s\ncontains \"%s\"\n", out, part);
    fail();
}

/* No number is printed that is none. */
static void assert_no_nan(void)
{
    assert_does_not_say("nan");
    assert_does_not_say("-inf");
    assert_does_not_say(" inf");
}

/* ---- exit codes ---- */

static void holds(void **state)
{
    (void)state;
    write_config("c.json", EXACT);
    assert_exit("$H verify c.json --output o", 0);
    assert_string_equal(err_text, "");
    assert_says("All checks together: holds.");
    assert_says("0 are violated, 0 are inconclusive");
    assert_says("nothing is random");
    assert_says("in o: result.json, series.csv, nodes.csv");
    assert_no_nan();
}

static void one_seed_is_inconclusive(void **state)
{
    (void)state;
    write_config("c.json", NOISY);
    assert_exit("$H verify c.json --output o --seeds 1", 3);
    assert_says("All checks together: inconclusive.");
    assert_says("one seed gives no interval; use more seeds");
    assert_no_nan();
    write_config("g.json", NOISY ", \"grouping\": \"random\", \"groupings\": 1, \"seeds\": 3");
    assert_exit("$H verify g.json --output o", 3);
    assert_says("one grouping gives no interval; use more groupings");
    assert_does_not_say("use more seeds");
    assert_no_nan();
}

/* run speaks of the bounds, verify of all checks: few seeds leave the dispersion open. */
static void few_seeds_leave_the_dispersion_open(void **state)
{
    (void)state;
    write_config("c.json", NOISY ", \"seeds\": 6");
    assert_exit("$H run c.json --output o", 0);
    assert_exit("$H verify c.json --output o", 3);
    assert_says("2 are inconclusive (dispersion of level 1, dispersion of level 2)");
    assert_says("too few seeds (6) for 60 intervals that hold together");
}

/* From the minimum of workers that differ, f* = 0 exactly, f(wbar) comes out as some -1e-33: that violates nothing. */
static void rounding_below_the_minimum_is_no_violation(void **state)
{
    (void)state;
    write_config(
        "minimum.json",
        "\"hierarchy\": {\"fanout\": [3, 2], \"periods\": [6, 2]}, \"grouping\": \"random\", \"problem\": "
        "{\"type\": \"quadratic\", \"curvature\": [0.7, 0.3], \"linear\": [[0.1, 0.7], [0.3, -0.2], [-0.4, 0.1],"
        " [0.6, -0.1], [-0.2, -0.9], [-0.4, 0.4]]}, \"initial\": {\"point\": [0, 0]}, \"seeds\": 4, "
        "\"optimizer\": {\"step_size\": 0.05, \"steps\": 60}");
    assert_exit("$H verify minimum.json --output minimum", 3); /* 4 groupings are few */
    assert_says("0 are violated");
}

/* No configuration can lie about its constants. But checks at 50 % confidence refute what is true every other time, and
 * with these seeds they do: the noises of one worker are smaller than they should be. */
static void a_false_alarm_is_a_violation(void **state)
{
    (void)state;
    write_config("c.json", NOISY ", \"seeds\": 3, \"first_seed\": 400, \"confidence\": 0.5");
    assert_exit("$H verify c.json --output o", 1);
    assert_says("All checks together: violated.");
    assert_says("1 is violated (noise products (A2))");
    assert_says("the run contradicts it");
    cJSON *document = read_json("o/result.json"), *row = element(get(document, "audit"), "name", "noise products");
    assert_string_equal(text_of(row, "verdict"), "violated");
    assert_string_equal(text_of(document, "verdict_on_all_checks"), "violated");
    const cJSON *ci = get(get(row, "seen"), "ci_joint");
    double low = cJSON_GetArrayItem(ci, 0)->valuedouble, high = cJSON_GetArrayItem(ci, 1)->valuedouble;
    assert_true(low > 0 || high < 0); /* what is shown is what decided */
    cJSON_Delete(document);
}

static void usage(void **state)
{
    (void)state;
    write_config("c.json", EXACT);
    assert_refusal("$H verify c.json --markdown --latex --output no", 2, "--markdown and --latex: choose one");
    assert_refusal("$H verify c.json --table", 2, "unknown option --table");
    assert_refusal("$H verify c.json --latex=3", 2, "unknown option --latex=3");
    assert_refusal("$H verify c.json d.json", 2, "\"d.json\"");
    assert_refusal("$H verify c.json --seeds 0", 2, "--seeds: \"0\"");
    assert_refusal("$H verify /no/such.json", 2, "/no/such.json: cannot be opened");
    assert_refusal("$H run c.json --markdown", 2, "unknown option --markdown");
    assert_refusal("echo '{' | $H verify -", 2, "-: line 1, column 2");
    assert_false(exists("no"));
    assert_exit("$H verify --help", 0);
    assert_says("Usage: hsgd verify");
    assert_says("--markdown");
    assert_says("--latex");
    assert_says("--seeds R");
    assert_exit("$H --help", 0);
    assert_says("verify");
}

/* A prediction runs no experiment: nothing is written; what cannot fit is refused with what would help. */
static void a_dry_run_predicts(void **state)
{
    (void)state;
    write_config("c.json", NOISY ", \"seeds\": 3");
    assert_exit("$H run c.json --dry-run --threads 1", 0);
    assert_says("3 simulations, 3 runs of 30 steps each, on 1 thread");
    assert_says(" s and ");
    assert_false(exists("results"));
    assert_exit("$H verify c.json --dry-run --output never", 0);
    assert_false(exists("never"));
    write_config("c.json",
                 QUADRATIC(0.37) ", \"hierarchy\": {\"fanout\": [1000, 1000], \"periods\": [4, 2]}, " OPTIMIZER(30));
    assert_refusal("$H run c.json --dry-run --seeds 1000000", 4, "use fewer");
}

static void standard_output_must_take_the_report(void **state)
{
    (void)state;
    write_config("c.json", EXACT);
    static const char *const format[] = {"", " --markdown", " --latex"};
    for (size_t f = 0; f < 3; f++) {
        char line[128];
        snprintf(line, sizeof line, "$H verify c.json --output o%s > /dev/full", format[f]);
        assert_refusal(line, 4, "standard output cannot be written: No space left on device");
        snprintf(line, sizeof line, "$H verify c.json --output o%s >&-", format[f]);
        assert_refusal(line, 4, "standard output cannot be written");
    }
    assert_exit("$H verify c.json --output o --quiet > /dev/full", 0); /* nothing is printed */
    assert_refusal("$H verify c.json --output /dev/null/o", 4, "/dev/null: the output folder");
}

/* ---- streams ---- */

static void quiet_and_standard_input(void **state)
{
    (void)state;
    write_config("c.json", EXACT);
    assert_exit("$H verify c.json --output o --quiet", 0);
    assert_string_equal(out, "");
    assert_string_equal(err_text, "");
    assert_true(exists("o/result.json"));
    assert_exit("$H verify - --output p < c.json", 0);
    assert_says("All checks together: holds.");
    assert_true(exists("p/result.json"));
    write_config("n.json", NOISY);
    assert_exit("$H verify n.json --output o --quiet --seeds 1", 3);
    assert_string_equal(out, "");
}

static void the_built_in_demo(void **state)
{
    (void)state;
    assert_exit("$H verify --seeds 3 --output demo", 3);
    assert_says("demo: H-SGD on 64 workers, fanout 8 x 8, periods 20 / 5");
    assert_says("Proof ladder: from the measured S to the published bound");
    assert_true(exists("demo/ladder.gp"));
    assert_no_nan();
}

/* ---- formats ---- */

static size_t count_lines(const char *start)
{
    size_t count = 0, length = strlen(start);
    for (const char *at = out; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        count += strncmp(at, start, length) == 0;
    return count;
}

static void markdown(void **state)
{
    (void)state;
    write_config("c.json", NOISY ", \"seeds\": 6, \"name\": \"a|b\"");
    assert_exit("$H verify c.json --markdown --output o", 3);
    assert_int_equal(count_lines("## a\\|b"), 1);
    assert_int_equal(count_lines("### "), 4);
    assert_does_not_say("in o: "); /* nothing but the report */
    assert_no_nan();
    size_t columns = 0;
    char *copy = strdup(out);
    for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) {
        if (line[0] != '|') {
            columns = 0;
            continue;
        }
        size_t bars = 0;
        for (size_t i = 0; line[i]; i++)
            bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
        assert_true(columns == 0 || bars == columns);
        columns = bars;
    }
    free(copy);
}

#define LEVELS3                                                                                                        \
    "\"hierarchy\": {\"tree\": {\"period\": 4, \"children\": [{\"period\": 2, \"workers\": 3}, {\"period\": 1,"        \
    "\"workers\": 2}, {\"period\": 4, \"workers\": 2}]}}"

/* Every kind of configuration: the report in every format, with nothing that is no number and LaTeX that is well
 * formed. */
static void reports_of_many_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *config;
        int code;
        size_t tables;
    } kinds[] = {
        {NOISY ", \"seeds\": 6", 3, 4},
        {EXACT, 0, 4},
        {NOISY ", \"seeds\": 6, \"bounds\": []", 3, 3},
        {NOISY ", \"seeds\": 6, \"grouping\": \"random\"", 3, 4},
        {NOISY ", \"seeds\": 2, \"grouping\": \"random\", \"groupings\": 3", 3, 4},
        {NOISY ", \"seeds\": 3, \"measure_every\": 4", 0, 4},
        {EXACT ", \"measure_every\": 7", 0, 4},
        {QUADRATIC(0) ", " LEVELS3 ", " OPTIMIZER(20), 0, 4},
        {QUADRATIC(
             0) ", \"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2], \"weights\": [1, 2, 3, 4]}, " OPTIMIZER(20),
         0, 4},
        {QUADRATIC(0.1) ", " SHAPE ", \"optimizer\": {\"step_size\": 1.1, \"steps\": 20}, \"seeds\": 3", 3, 4},
        {QUADRATIC(0.1) ", " SHAPE ", \"optimizer\": {\"step_size\": 50, \"steps\": 300}, \"seeds\": 3", 3, 2},
        {"\"problem\": {\"type\": \"quadratic\", \"curvature\": [1, 2], \"linear\": [[1, 1]]}, \"hierarchy\": "
         "{\"fanout\":"
         "[1], \"periods\": [1]}, " OPTIMIZER(20),
         0, 4},
        {"\"problem\": {\"type\": \"quadratic\", \"curvature\": [1, 0.5], \"linear\": [[1, 1], [1, 1], [1, 1]]},"
         "\"hierarchy\": {\"fanout\": [3], \"periods\": [5]}, \"grouping\": \"random\", " OPTIMIZER(20),
         0, 4},
        {"\"problem\": {\"type\": \"quadratic\", \"curvature\": [1, 0.5], \"linear\": [[1, 1], [1, 1]]}, \"hierarchy\":"
         "{\"fanout\": [2], \"periods\": [5]}, \"name\": \"& % $ # _ { } ~ ^ \\\\ | * ` <b> [ \\u001b[31m \\u009b "
         "\\u6f22 D_1\", " OPTIMIZER(20),
         0, 4},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        write_config("c.json", kinds[i].config);
        int code = shell("$H verify c.json --output o");
        if (code != kinds[i].code)
            fail_msg("kind %zu ended with %d: %s%s", i, code, out, err_text);
        assert_string_equal(err_text, "");
        assert_no_nan();
        assert_null(strchr(out, '\x1b'));
        for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n"))
            assert_true(strlen(line) <= 160);
        assert_exit("$H verify c.json --output o --markdown", kinds[i].code);
        assert_no_nan();
        assert_exit("$H verify c.json --output o --latex", kinds[i].code);
        assert_no_nan();
        assert_does_not_say("in o: ");
        assert_int_equal(check_latex(out), kinds[i].tables);
    }
}

static void a_diverged_run_says_so_first(void **state)
{
    (void)state;
    write_config("c.json",
                 QUADRATIC(0.1) ", " SHAPE ", \"optimizer\": {\"step_size\": 50, \"steps\": 300}, \"seeds\": 3");
    assert_exit("$H verify c.json --output o", 3);
    assert_says("DIVERGED: 3 of 3 runs, first at step");
    assert_true(strstr(out, "DIVERGED") < strstr(out, "Bounds next to what they bound"));
    assert_does_not_say("Proof ladder:");
    assert_does_not_say("Assumptions:");
}

/* Above 1/L a step of the ladder is negative: it gets no verdict, and shares of such a whole mean nothing. */
static void no_shares_where_a_step_has_no_verdict(void **state)
{
    (void)state;
    write_config("c.json", EXACT);
    assert_exit("$H verify c.json --output o", 0);
    assert_says("share");
    write_config("c.json", QUADRATIC(0) ", " SHAPE ", \"optimizer\": {\"step_size\": 1.1, \"steps\": 20}");
    assert_exit("$H verify c.json --output o", 0);
    assert_says("the step size is above 1/L");
    assert_does_not_say("share");
}

/* The steps between closed forms do not depend on what was measured. */
static void steps_between_bounds_need_no_measurement(void **state)
{
    (void)state;
    write_config("c.json", EXACT ", \"measure_every\": 7");
    assert_exit("$H verify c.json --output o", 0);
    cJSON *document = read_json("o/result.json"), *ladder = get(document, "ladder");
    static const char *const rung[] = {"R1", "R5", "R6", "R7"};
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(text_of(get(element(ladder, "rung", rung[i]), "step"), "verdict"),
                            i < 2 ? "not applicable" : "holds");
    cJSON_Delete(document);
}

/* ---- kinds of constants ---- */

/* Two classes that are not separable; workers see different shares of them. */
static void write_data(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 40; i++)
        fprintf(file, "%s 1:%g 2:%g\n", i % 3 ? "+1" : "-1", 0.3 + 0.1 * (i % 7), 1.1 - 0.2 * (i % 5));
    fclose(file);
}

#define LOGISTIC                                                                                                       \
    "\"problem\": {\"type\": \"logistic\", \"data\": {\"format\": \"libsvm\", \"path\": \"d.txt\"}, \"partition\":"    \
    "{\"scheme\": \"by-label\"}, \"regularizer\": {\"type\": \"l2\", \"weight\": 0.1}}, " SHAPE ", " OPTIMIZER(20)

/* The words of hsgd run, in every format; underscores of file names are letters in LaTeX, too. */
static void reports_say_what_was_read(void **state)
{
    (void)state;
    write_data("d.txt");
    write_config("c.json", LOGISTIC);
    assert_exit("$H run c.json --output o", 0);
    char line[256] = "Data: ";
    const char *data = strstr(out, "\n  data        ");
    assert_non_null(data);
    assert_int_equal(sscanf(data, " data %200[^\n]", line + strlen(line)), 1);
    assert_non_null(strstr(line, "40 samples of 2 features in 2 classes, from 1 file of "));
    assert_exit("$H verify c.json --output o", 0);
    assert_int_equal(count_lines(line), 1);
    assert_exit("$H verify c.json --output o --markdown", 0);
    assert_int_equal(count_lines(line), 1);
    assert_exit("mv d.txt d_1.txt && sed 's/d.txt/d_1.txt/' c.json > e.json && $H verify e.json --output o --latex", 0);
    assert_says("\\noindent Data: 40 samples");
    assert_says(": d\\_1.txt");
    check_latex(out);
    write_config("c.json", NOISY ", \"seeds\": 6");
    assert_exit("$H verify c.json --output o", 3);
    assert_does_not_say("Data: ");
}

static void every_verdict_names_its_constants(void **state)
{
    (void)state;
    write_data("d.txt");
    write_config("c.json", LOGISTIC);
    assert_exit("$H verify c.json --output o", 0);
    assert_says("Constants of kind trajectory are the largest values at the measured steps: all that the proofs need");
    assert_says("hold with proved divergences too (column certified)");
    cJSON *document = read_json("o/result.json");
    cJSON *bound = element(get(document, "bounds"), "id", "hsgd-fixed");
    assert_true(number(bound, "certified_value") > number(bound, "value"));
    cJSON *item = element(get(document, "audit"), "name", "D_1");
    assert_close(number(item, "margin"), number(get(item, "seen"), "mean") / number(item, "proved"), 1e-12);
    cJSON_Delete(document);
    write_config("c.json", LOGISTIC ", \"measure_every\": 2");
    assert_exit("$H verify c.json --output o", 0);
    assert_says("verdicts that rest on them are evidence, not proof");
    write_config("c.json", LOGISTIC ", \"constants\": {\"divergence\": \"certified\"}, \"bounds\": [\"hsgd-fixed\"]");
    assert_exit("$H verify c.json --output o", 0);
    assert_does_not_say("trajectory are");
    document = read_json("o/result.json");
    bound = element(get(document, "bounds"), "id", "hsgd-fixed");
    assert_true(cJSON_IsNull(get(bound, "certified_value"))); /* it is the value */
    cJSON_Delete(document);
    char *ladder = strstr(out, "Proof ladder"), *end = strstr(ladder, "Dispersion,");
    assert_true(strstr(ladder, "certified") && strstr(ladder, "certified") < end);
}

/* ---- the folder ---- */

static void check_audit(const cJSON *audit)
{
    static const char *const names[] = {"L",   "L of f", "sigma^2", "noise products", "correlation", "D_1",
                                        "D_2", "E",      "f*"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cJSON *item = element(audit, "name", names[i]);
        assert_true(cJSON_IsNumber(get(get(item, "limit"), "value")));
        assert_true(strlen(text_of(get(item, "limit"), "kind")) > 0);
        assert_true(strlen(text_of(item, "how")) > 0);
        assert_true(strlen(text_of(item, "statement")) > 0);
        assert_string_equal(text_of(item, "verdict"), "holds");
        assert_string_equal(text_of(item, "reason"), "");
        get(item, "seen");
        get(item, "where");
    }
    assert_close(number(get(element(audit, "name", "D_1"), "limit"), "value"), 0.83, 1e-12);
    assert_close(number(get(element(audit, "name", "sigma^2"), "limit"), "value"), 0.37, 1e-12);
}

static void check_ladder(const cJSON *ladder)
{
    assert_int_equal(cJSON_GetArraySize(ladder), 8);
    for (int k = 0; k < 8; k++) {
        char name[4];
        snprintf(name, sizeof name, "R%d", k);
        cJSON *rung = cJSON_GetArrayItem(ladder, k);
        assert_string_equal(text_of(rung, "rung"), name);
        number(rung, "value");
        assert_int_equal(cJSON_HasObjectItem(rung, "step"), k > 0);
        if (k == 0)
            continue;
        assert_string_equal(text_of(get(rung, "step"), "verdict"), "holds");
        assert_true(number(get(rung, "step"), "mean") >= 0);
    }
}

static void check_grouping(const cJSON *grouping)
{
    cJSON *points = get(grouping, "points"), *point = cJSON_GetArrayItem(points, 0);
    assert_non_null(point);
    assert_string_equal(text_of(point, "point"), "w^0");
    assert_string_equal(text_of(point, "method"), "enumeration");
    assert_int_equal((int)number(point, "groupings"), 3); /* 4 workers in two pairs */
    cJSON *level = cJSON_GetArrayItem(get(point, "levels"), 0), *up = get(level, "upward");
    assert_close(number(up, "mean"), 1.24 * 1 / 3, 1e-10); /* (N - 1)/(n - 1) E */
    assert_close(number(up, "theory"), 1.24 * 1 / 3, 1e-10);
    assert_string_equal(text_of(up, "verdict"), "holds");
}

static void the_folder_has_every_check(void **state)
{
    (void)state;
    write_config("c.json", NOISY ", \"seeds\": 6");
    assert_exit("$H verify c.json --output o", 3);
    cJSON *document = read_json("o/result.json"), *bound;
    check_audit(get(document, "audit"));
    check_ladder(get(document, "ladder"));
    check_grouping(get(document, "random_grouping"));
    assert_string_equal(text_of(document, "verdict_on_all_checks"), "inconclusive");
    cJSON_ArrayForEach(bound, get(document, "bounds")) get(bound, "certified_value");
    cJSON_Delete(document);
    assert_true(exists("o/series.csv"));
    assert_true(exists("o/nodes.csv"));
    /* run leaves the other groupings alone, and everything else is the same */
    assert_exit("$H run c.json --output r", 0);
    document = read_json("r/result.json");
    check_audit(get(document, "audit"));
    check_ladder(get(document, "ladder"));
    assert_int_equal(cJSON_GetArraySize(get(get(document, "random_grouping"), "points")), 0);
    cJSON_Delete(document);
    assert_exit("cmp o/series.csv r/series.csv && cmp o/nodes.csv r/nodes.csv", 0);
}

static void new_columns_of_the_series_are_last(void **state)
{
    (void)state;
    static const char contract[] =
        "step,loss,grad_norm_sq,grad_norm_sq_se,divergence_global,divergence_up_1,divergence_down_1,"
        "divergence_level_1,divergence_level_2,dispersion_level_1,dispersion_level_2,dispersion_level_1_bound,"
        "dispersion_level_2_bound,";
    write_config("c.json", NOISY ", \"seeds\": 3, \"grouping\": \"random\"");
    assert_exit("$H verify c.json --output o", 3);
    char *series = read_text("o/series.csv");
    assert_non_null(series);
    assert_memory_equal(series, contract, strlen(contract));
    series[strcspn(series, "\n")] = '\0';
    static const char *const added[] = {"drift_error_sq", "mean_noise_norm_sq", "grouping_ratio_1"};
    for (size_t i = 0; i < 3; i++)
        assert_non_null(strstr(series + strlen(contract), added[i]));
    free(series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds),
        cmocka_unit_test(one_seed_is_inconclusive),
        cmocka_unit_test(few_seeds_leave_the_dispersion_open),
        cmocka_unit_test(rounding_below_the_minimum_is_no_violation),
        cmocka_unit_test(a_false_alarm_is_a_violation),
        cmocka_unit_test(usage),
        cmocka_unit_test(a_dry_run_predicts),
        cmocka_unit_test(standard_output_must_take_the_report),
        cmocka_unit_test(quiet_and_standard_input),
        cmocka_unit_test(the_built_in_demo),
        cmocka_unit_test(markdown),
        cmocka_unit_test(reports_of_many_kinds),
        cmocka_unit_test(a_diverged_run_says_so_first),
        cmocka_unit_test(no_shares_where_a_step_has_no_verdict),
        cmocka_unit_test(steps_between_bounds_need_no_measurement),
        cmocka_unit_test(reports_say_what_was_read),
        cmocka_unit_test(every_verdict_names_its_constants),
        cmocka_unit_test(the_folder_has_every_check),
        cmocka_unit_test(new_columns_of_the_series_are_last),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
