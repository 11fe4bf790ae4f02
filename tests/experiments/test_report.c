/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd report on folders of every sort: the page is well-formed XML, its numbers are those of result.json to the last
 * bit, every link leads somewhere, no id stands twice, nothing is loaded; names of users are text and nothing else;
 * older results and folders without figures have a page as well, damaged ones a reason in one line. */
#include "tests/experiments/page_reader.h"
#include "tests/experiments/program.h"

/* ---- what every page must be ---- */

static void check_ids(const page_reader *p)
{
    for (size_t i = 0; i < p->num_ids; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(p->id[i], p->id[j]) == 0)
                fail_msg("the id %s stands twice", p->id[i]);
}

/* In the folder of the page, or in the page. */
static void check_links(const page_reader *p, const char *folder)
{
    for (size_t i = 0; i < p->num_hrefs; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, p->href[i]);
        if (strncmp(p->href[i], "https://arxiv.org/", 18) == 0 || strncmp(p->href[i], "data:image/png", 14) == 0)
            continue;
        if (p->href[i][0] == '#' ? !page_has_id(p, p->href[i] + 1) : !exists(path))
            fail_msg("%s leads nowhere", p->href[i]);
    }
}

static page_reader *read_page(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    page_reader *p = page_read(path);
    check_ids(p);
    check_links(p, folder);
    assert_string_equal(p->outside, "");
    assert_int_equal(p->num_scripts, 0);
    assert_true(p->headings_in_order);
    assert_exit("test -z \"$(find . -name '.render-*' -o -name '*.tmp-*')\"", 0); /* nothing stays behind */
    return p;
}

static void assert_text(const page_reader *p, const char *text)
{
    if (!strstr(p->text, text))
        fail_msg("the page does not say \"%s\"", text);
}

/* ---- configurations ---- */

#define QUADRATIC                                                                                                      \
    "\"problem\": {\"type\": \"quadratic\", \"dimension\": 3, \"curvature_range\": [0.2, 1], \"level_divergence\": "   \
    "[0.5, 0.25], \"noise_variance\": 1}, \"optimizer\": {\"step_size_fraction\": 0.7, \"steps\": 60}, \"seeds\": 4"

static void write_config(const char *name, const char *hierarchy, const char *rest)
{
    char text[2048];
    snprintf(text, sizeof text, "{\"name\": \"%s\", \"hierarchy\": %s, %s}", name, hierarchy, rest);
    write_text("c.json", text);
}

/* Run the command on it and report; exit codes of verdicts are fine. */
static void make(const char *command, const char *folder)
{
    char line[256];
    snprintf(line, sizeof line, "$H %s c.json --output %s; code=$?; test $code -eq 0 -o $code -eq 3", command, folder);
    assert_exit(line, 0);
}

static page_reader *report(const char *folder)
{
    char line[256];
    snprintf(line, sizeof line, "$H report %s", folder);
    assert_exit(line, 0);
    snprintf(line, sizeof line, "%s/report.html\n", folder);
    assert_string_equal(out, line);
    return read_page(folder, "report.html");
}

/* ---- numbers ---- */

static void expect(const page_row *row, size_t *at, const cJSON *number)
{
    if (!cJSON_IsNumber(number))
        return;
    assert_true(*at < row->count);
    if (row->number[*at] != number->valuedouble)
        fail_msg("row %s: number %zu is %.17g, not %.17g", row->head, *at, row->number[*at], number->valuedouble);
    (*at)++;
}

static void expect_interval(const page_row *row, size_t *at, const cJSON *interval, const char *ci)
{
    const cJSON *low = cJSON_GetArrayItem(cJSON_GetObjectItem(interval, ci), 0),
                *high = cJSON_GetArrayItem(cJSON_GetObjectItem(interval, ci), 1);
    expect(row, at, cJSON_GetObjectItem(interval, "mean"));
    if (low && low->valuedouble != high->valuedouble) {
        expect(row, at, low);
        expect(row, at, high);
    }
}

static void check_bound(const page_reader *p, const cJSON *bound, double step_size)
{
    char head[256];
    snprintf(head, sizeof head, "%s%s", text_of(bound, "id"), text_of(bound, "title"));
    const page_row *row = page_row_of(p, head);
    const cJSON *term;
    size_t at = 0;
    expect(row, &at, get(bound, "value"));
    expect_interval(row, &at, get(bound, "measured"), "ci_joint");
    expect(row, &at, get(bound, "ratio"));
    if (cJSON_IsNumber(get(bound, "max_step_size")))
        assert_close(row->number[at++], step_size / number(bound, "max_step_size"), 1e-15);
    assert_int_equal(at, row->count);
    if (!cJSON_GetArraySize(get(bound, "terms")))
        return;
    at = 0;
    row = page_row_of(p, text_of(bound, "id")); /* the table of shares */
    cJSON_ArrayForEach(term, get(bound, "terms")) expect(row, &at, get(term, "value"));
    assert_int_equal(at, row->count);
}

static void check_ladder(const page_reader *p, const cJSON *ladder)
{
    const cJSON *rung;
    cJSON_ArrayForEach(rung, ladder)
    {
        char head[64];
        size_t at = 0;
        snprintf(head, sizeof head, "%s %s", text_of(rung, "rung"), text_of(rung, "name"));
        const page_row *row = page_row_of(p, head);
        const cJSON *ci = get(rung, "ci");
        double low = cJSON_GetArrayItem(ci, 0)->valuedouble, high = cJSON_GetArrayItem(ci, 1)->valuedouble;
        expect(row, &at, get(rung, "value"));
        if (low < high)
            assert_close(row->number[at++], (high - low) / 2, 1e-15);
        if (cJSON_GetObjectItem(rung, "step"))
            expect_interval(row, &at, get(rung, "step"), "ci_joint");
        assert_int_equal(at, row->count);
    }
}

/* The number before these words. */
static size_t count_before(const char *text, const char *words)
{
    const char *end = strstr(text, words);
    assert_non_null(end);
    while (end > text && (end[-1] < '0' || end[-1] > '9'))
        end--;
    while (end > text && end[-1] >= '0' && end[-1] <= '9')
        end--;
    return strtoul(end, NULL, 10);
}

/* The counts of the last paragraph of verify: "Of them 30 hold, 0 are violated, 2 are inconclusive (names), 7 are not
 * ..." */
static void check_tally(const page_reader *p, const char *said)
{
    char text[160];
    const char *counts = strstr(said, " Of them ");
    assert_non_null(counts);
    size_t holding = count_before(counts, " hold"), violated = count_before(counts, " violated"),
           unknown = count_before(counts, " inconclusive"), without = count_before(counts, "not applicable");
    snprintf(text, sizeof text, "All checks: %zu of %zu hold, %zu violated, %zu inconclusive (%zu not applicable)",
             holding, holding + violated + unknown, violated, unknown, without);
    assert_text(p, text);
}

static void numbers_are_those_of_the_result(void **state)
{
    (void)state;
    write_config("numbers", "{\"fanout\": [2, 3], \"periods\": [6, 2]}", QUADRATIC);
    make("verify", "v");
    char *said = strdup(out);
    for (char *c = said; *c; c++)
        *c = *c == '\n' ? ' ' : *c;
    page_reader *p = report("v");
    cJSON *r = read_json("v/result.json"), *item;
    assert_true(cJSON_GetArraySize(get(r, "bounds")) > 10);
    cJSON_ArrayForEach(item, get(r, "bounds")) check_bound(p, item, number(r, "step_size"));
    check_ladder(p, get(r, "ladder"));
    check_tally(p, said);
    size_t at = 0;
    expect(page_row_of(p, "L"), &at, get(get(get(r, "constants"), "L"), "value"));
    at = 0;
    expect_interval(page_row_of(p, "H-SGD"), &at, get(get(r, "measured"), "S"), "ci");
    expect_interval(page_row_of(p, "H-SGD"), &at, get(get(r, "measured"), "S_round"), "ci");
    /* a figure for each that was made, with its script and data */
    assert_int_equal(p->num_svgs, 6);
    assert_true(page_has_id(p, "figure-convergence") && page_has_id(p, "figure-ladder"));
    assert_text(p, "hsgd verify config.json");
    assert_text(p, text_of(get(r, "provenance"), "config_sha256"));
    cJSON_Delete(r);
    page_free(p);
    free(said);
    /* and the same page again */
    assert_exit("cp v/report.html again.html && $H report v && cmp v/report.html again.html", 0);
}

/* ---- texts of users ---- */

#define HOSTILE                                                                                                        \
    "<script>alert(1)</script> \\\" onload=\\\"x ' & {/:Bold @x} `id` $(id)\\nline "                                   \
    "\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x90\x8D"

static void names_are_text(void **state)
{
    (void)state;
    assert_exit("mkdir -p 'a <b>&\"x\" #1%'", 0);
    write_text("a <b>&\"x\" #1%/d.txt", "1 1:0.5 2:-1\n-1 1:0.25\n1 2:2\n-1 1:-0.75 2:0.5\n");
    write_config(HOSTILE, "{\"fanout\": [2, 2], \"periods\": [4, 2]}",
                 "\"problem\": {\"type\": \"logistic\", \"data\": {\"format\": \"libsvm\", \"path\": \"a <b>&\\\"x\\\" "
                 "#1%/d.txt\"}}, "
                 "\"optimizer\": {\"step_size\": 0.1, \"steps\": 40, \"batch_size\": 1}, \"seeds\": 2");
    make("run", "'a <b>&\"x\" #1%/r'");
    assert_exit("$H report 'a <b>&\"x\" #1%/r' --output 'a <b>&\"x\" #1%/page.html'", 0);
    page_reader *p = page_read("a <b>&\"x\" #1%/page.html");
    assert_int_equal(p->num_scripts, 0);
    assert_string_equal(p->outside, "");
    assert_text(p, "<script>alert(1)</script> \" onload=\"x ' & {/:Bold @x} `id` $(id)\nline "
                   "\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x90\x8D");
    check_ids(p);
    check_links(p, "a <b>&\"x\" #1%"); /* the folder of results is plain from there */
    assert_text(p, "a <b>&\\\"x\\\" #1%/d.txt");
    page_free(p);
    /* from elsewhere its name is escaped in links */
    assert_exit("$H report 'a <b>&\"x\" #1%/r' --output elsewhere.html && "
                "grep -q 'href=\"a%20%3Cb%3E%26%22x%22%20%231%25/r/convergence.gp\"' elsewhere.html",
                0);
    free(read_text("elsewhere.html"));
}

/* ---- folders of every sort ---- */

static void links_lead_from_the_page_to_the_folder(void **state)
{
    (void)state;
    write_config("links", "{\"fanout\": [2, 3], \"periods\": [6, 2]}", QUADRATIC);
    make("run", "deep/er/r");
    assert_exit("mkdir -p deep/er2/r && cd deep/er2 && $H report ../er/r --output r/p.html", 0);
    page_reader *p = read_page("deep/er2/r", "p.html");
    bool any = false;
    for (size_t i = 0; i < p->num_hrefs; i++)
        any |= strcmp(p->href[i], "../../er/r/convergence.dat") == 0;
    assert_true(any);
    page_free(p);
    assert_exit("$H report deep/er/r --output deep/er/r/other.html && $H report deep/er/r --output deep/up.html", 0);
    page_free(read_page("deep/er/r", "other.html"));
    page_free(read_page("deep", "up.html"));
    /* figures that are not there have no link, and the page does not bring them back */
    assert_exit("rm deep/er/r/*.gp deep/er/r/*.dat && $H report deep/er/r && ! ls deep/er/r/*.gp", 0);
    page_free(read_page("deep/er/r", "report.html"));
}

static void folders_without_figures_levels_or_bounds_have_a_page(void **state)
{
    (void)state;
    write_config(
        "bare", "{\"fanout\": [4], \"periods\": [5]}",
        "\"problem\": {\"type\": \"quadratic\", \"dimension\": 2, \"curvature_range\": [0.5, 1], \"level_divergence\": "
        "[0.5], \"noise_variance\": 0}, \"optimizer\": {\"step_size\": 0.1, \"steps\": 20}, \"figures\": [], "
        "\"bounds\": []");
    make("run", "bare");
    page_reader *p = report("bare");
    assert_int_equal(p->num_svgs, 0);
    assert_text(p, "No bounds were asked for");
    assert_text(p, "H-SGD on 4 workers (4), periods 5;");
    assert_false(page_has_id(p, "bounds") || page_has_id(p, "figures") || page_has_id(p, "partition"));
    page_free(p);
    make("run", "bare"); /* the old page would pass for one of the new run */
    assert_false(exists("bare/report.html"));
}

static void data_are_shown_per_worker_and_group(void **state)
{
    (void)state;
    write_config(
        "data", "{\"fanout\": [2, 3], \"periods\": [4, 2]}",
        "\"problem\": {\"type\": \"softmax\", \"data\": {\"format\": \"synthetic\", \"alpha\": 1, \"beta\": 1}}, "
        "\"grouping\": \"group-iid\", "
        "\"optimizer\": {\"step_size\": 0.1, \"steps\": 8, \"batch_size\": 1}, \"seeds\": 2, \"evaluate_every\": 4, "
        "\"targets\": [{\"quantity\": \"train_accuracy\", \"value\": 0.01}], \"communication\": {\"levels\": [\"lan\", "
        "\"lan\"]}");
    make("run", "d");
    page_reader *p = report("d");
    cJSON *r = read_json("d/result.json"), *list;
    int worker = 0;
    cJSON_ArrayForEach(list, get(get(r, "partition"), "worker_labels"))
    {
        const cJSON *item;
        char head[16];
        size_t at = 0;
        snprintf(head, sizeof head, "%d", worker++);
        const page_row *row = page_row_of(p, head);
        cJSON_ArrayForEach(item, list) expect(row, &at, item);
        assert_int_equal(at, row->count);
    }
    assert_int_equal(worker, 6);
    assert_true(page_has_id(p, "partition") && page_has_id(p, "metrics"));
    cJSON_Delete(r);
    page_free(p);
}

/* An older result has no provenance, no verdict on all checks, steps of the ladder without intervals, or no ladder at
 * all. */
static void older_results_have_a_page(void **state)
{
    (void)state;
    write_config("old", "{\"fanout\": [2, 3], \"periods\": [6, 2]}", QUADRATIC);
    make("run", "old");
    static const char *const gone[] = {"provenance",
                                       "verdict_on_all_checks",
                                       "audit",
                                       "ladder",
                                       "random_grouping",
                                       "data",
                                       "partition",
                                       "grouping",
                                       "deterministic",
                                       "runs",
                                       "measured_references"};
    cJSON *r = read_json("old/result.json"), *rung;
    cJSON_ArrayForEach(rung, get(r, "ladder")) cJSON_DeleteItemFromObject(rung, "step");
    for (size_t i = 0; i <= sizeof gone / sizeof *gone; i++) {
        char *text = cJSON_Print(r);
        write_text("old/result.json", text);
        cJSON_free(text);
        page_reader *p = report("old");
        if (i == 0)
            assert_null(strstr(p->text, "before provenance was recorded"));
        else
            assert_text(p, "This result does not say where it comes from");
        page_free(p);
        if (i < sizeof gone / sizeof *gone)
            cJSON_DeleteItemFromObject(r, gone[i]);
    }
    cJSON_Delete(r);
}

/* ---- sweeps ---- */

/* The row of a point has the interval of S, and value and ratio of each bound, and no more. */
static void expect_point(const page_reader *p, cJSON *point)
{
    static const char *const id[] = {"hsgd-fixed", "hsgd-fixed-sharp", "hsgd-fixed-recursive"};
    size_t at = 0;
    const page_row *row = page_row_of(p, text_of(point, "title"));
    expect_interval(row, &at, get(get(point, "measured"), "S"), "ci");
    for (size_t k = 0; k < 3; k++) {
        const cJSON *bound = element(get(point, "bounds"), "id", id[k]);
        expect(row, &at, get(bound, "value"));
        expect(row, &at, get(bound, "ratio"));
    }
    assert_int_equal(at, row->count);
}

/* As if the point had not been run; a reason: as if it had failed. */
static void take_results_away(cJSON *point, const char *reason)
{
    char line[512];
    snprintf(line, sizeof line, "rm -r 's/%s'", text_of(point, "folder"));
    assert_exit(line, 0);
    cJSON_SetValuestring(get(point, "state"), *reason ? "failed" : "waiting");
    cJSON_DeleteItemFromObject(point, "verdict");
    cJSON_DeleteItemFromObject(point, "measured");
    cJSON_DeleteItemFromObject(point, "bounds");
    cJSON_AddStringToObject(point, "reason", reason);
}

static void sweeps_have_a_page(void **state)
{
    (void)state;
    write_config("grid <b>", "{\"fanout\": [2, 3], \"periods\": [6, 2]}",
                 QUADRATIC
                 ", \"sweep\": {\"axes\": [{\"name\": \"N <i>\", \"key\": \"hierarchy.fanout\", \"values\": "
                 "[[2, 3], [3, 2]]}, {\"name\": \"seed\", \"key\": \"first_seed\", \"values\": [1, 2], \"labels\": "
                 "[\"<script>\", \"two\"]}]}");
    make("sweep", "s");
    assert_exit("$H report $(ls -d s/points/* | head -1)", 0); /* that point is linked to its own page */
    page_reader *p = report("s");
    cJSON *r = read_json("s/sweep.json"), *point;
    size_t pages = 0, results = 0;
    assert_int_equal(cJSON_GetArraySize(get(r, "points")), 4);
    cJSON_ArrayForEach(point, get(r, "points")) expect_point(p, point);
    for (size_t i = 0; i < p->num_hrefs; i++) {
        pages += strstr(p->href[i], "points/") && strstr(p->href[i], "/report.html");
        results += strstr(p->href[i], "points/") && strstr(p->href[i], "/result.json");
    }
    assert_true(pages == 1 && results == 3);
    assert_true(page_has_id(p, "figure-sweep"));
    assert_text(p, "4 experiments over N <i> (2 values) \xC3\x97 seed (2 values).");
    page_free(p);
    /* a point that waits has no link, and says so */
    point = get(r, "points")->child;
    take_results_away(point, "");
    take_results_away(point->next, "no <memory>");
    char *text = cJSON_Print(r);
    write_text("s/sweep.json", text);
    cJSON_free(text);
    cJSON_Delete(r);
    p = report("s");
    assert_text(p, "2 without results");
    assert_text(p, "no <memory>");
    page_free(p);
    assert_refusal("echo '{' > s/sweep.json; $H report s", 2, "s/sweep.json: line 1");
}

static void refusals_are_one_line(void **state)
{
    (void)state;
    write_config("bad", "{\"fanout\": [2, 3], \"periods\": [6, 2]}", QUADRATIC ", \"figures\": [\"terms\"]");
    make("run", "bad");
    assert_refusal("$H report", 2, "report: DIR is missing");
    assert_refusal("$H report /no/such", 2, "/no/such/result.json: cannot be opened");
    assert_refusal("$H report bad --output ''", 2, "--output: \"\" is not the name of a file");
    assert_refusal("$H report bad --output bad/", 2, "--output: \"bad/\" is not the name of a file");
    assert_refusal("$H report bad --output page", 2, "\"page\" does not end in .html");
    assert_refusal("$H report bad --output bad/result.json", 2, "\"bad/result.json\" does not end in .html");
    assert_refusal("$H report bad --output no/such/page.html", 4, "cannot write no/such/page.html");
    assert_refusal("PATH=/nowhere $H report bad", 4, "gnuplot is not installed");
    assert_false(exists("bad/report.html"));
    assert_exit("cp bad/result.json good.json && cp bad/series.csv good.csv", 0);
    assert_refusal("echo '{' > bad/result.json; $H report bad", 2, "bad/result.json: line 1");
    assert_refusal("echo '[1]' > bad/result.json; $H report bad", 2, "bad/result.json: ");
    assert_refusal("cp good.json bad/result.json; rm bad/series.csv; $H report bad", 2, "bad/series.csv");
    assert_refusal("head -c 300 good.csv > bad/series.csv; $H report bad", 2, "bad/series.csv");
    assert_exit("cp good.csv bad/series.csv; $H report bad", 0);
    assert_exit("test -z \"$(find . -name '.render-*' -o -name '*.tmp-*')\"", 0);
    /* a page that cannot be written leaves the old one */
    assert_exit("cp bad/report.html old.html; mkdir bad/f.html; $H report bad --output bad/f.html", 4);
    assert_exit("cmp old.html bad/report.html && test -z \"$(find . -name '.render-*' -o -name '*.tmp-*')\"", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_are_those_of_the_result),
                                       cmocka_unit_test(names_are_text),
                                       cmocka_unit_test(links_lead_from_the_page_to_the_folder),
                                       cmocka_unit_test(folders_without_figures_levels_or_bounds_have_a_page),
                                       cmocka_unit_test(data_are_shown_per_worker_and_group),
                                       cmocka_unit_test(older_results_have_a_page),
                                       cmocka_unit_test(sweeps_have_a_page),
                                       cmocka_unit_test(refusals_are_one_line)};
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
