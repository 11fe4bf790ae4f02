/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd check from outside: folders that nobody touched hold, wherever they are; every kind of file that somebody changed is found,
 * and with new checksums, as a forger would write them, the identities find it. */
#include "tests/experiments/program.h"

/* What a forger does: reseal FOLDER FILE writes new checksums of the files beside FILE, then that of FILE itself, by sha256sum. */
static const char reseal[] =
    "cd \"$1\" || exit 1\n"
    "for name in $(sed -n '/\"output_files\"/,/\\]/s/.*\"name\":\t\"\\([^\"]*\\)\".*/\\1/p' \"$2\"); do\n"
    "  awk -v name=\"$name\" -v sum=\"$(sha256sum < \"$name\" | cut -c1-64)\" -v bytes=\"$(wc -c < \"$name\")\" '\n"
    "    /\"output_files\"/ { inside = 1 } inside && /\"name\":/ { on = index($0, \"\\\"\" name \"\\\"\") }\n"
    "    inside && on && /\"bytes\":/ { sub(/[0-9]+/, bytes) }\n"
    "    inside && on && /\"sha256\":/ { sub(/\"[0-9a-f]*\"$/, \"\\\"\" sum \"\\\"\") }\n"
    "    /\\]/ { inside = 0 } { print }' \"$2\" > resealed && mv resealed \"$2\"\n"
    "done\n"
    "zeros=$(printf %064d 0)\n"
    "sed \"s/\\(\\\"document_sha256\\\":\t\\\"\\)[0-9a-f]*/\\1$zeros/\" \"$2\" > zeroed\n"
    "sed \"s/$zeros/$(sha256sum < zeroed | cut -c1-64)/\" zeroed > \"$2\" && rm zeroed\n";

#define TREE "\"hierarchy\": {\"fanout\": [2, 3], \"periods\": [6, 2]}"
#define QUADRATIC                                                                                                      \
    "\"problem\": {\"type\": \"quadratic\", \"dimension\": 4, \"curvature_range\": [0.1, 1], \"level_divergence\": "   \
    "[1, 0.5], \"noise_variance\": 0.3}, \"optimizer\": {\"step_size\": 0.01, \"steps\": 30}, \"seeds\": 4"

/* r: a run with two figures in SVG, r2 the same for sweeps to compare. */
static int run_once(void **state)
{
    if (enter_folder(state))
        return -1;
    write_text("reseal", reseal);
    write_text("c.json", "{\"name\": \"c\", " TREE ", " QUADRATIC ", \"figures\": [\"convergence\", \"terms\"], "
                         "\"figure_style\": {\"format\": \"svg\"}}");
    return shell("$H run c.json --output r --quiet || test $? = 3");
}

/* A line of the table with this name (its beginning) and outcome. */
static bool says(const char *name, const char *outcome)
{
    char wanted[128];
    for (char *line = out; line; line = strchr(line + 1, '\n')) {
        const char *text = line + strspn(line, "\n ");
        const char *end = strchr(text, '\n');
        snprintf(wanted, sizeof wanted, "  %s  ", outcome);
        const char *found = strstr(text, wanted);
        if (strncmp(text, name, strlen(name)) == 0 && found && (!end || found < end))
            return true;
    }
    return false;
}

/* ---- folders that nobody touched ---- */

static void an_untouched_folder_holds_wherever_it_is(void **state)
{
    (void)state;
    assert_exit("$H check r", 0);
    static const char *const names[] = {
        "result.json",       "series.csv",           "nodes.csv",       "schema",         "configuration, hash",
        "series.csv, steps", "measured: S, S_round", "nodes.csv, tree", "intervals of S", "bounds: verdicts",
        "verdict",           "figure convergence",   "figure terms"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!says(names[i], "holds"))
            fail_msg("no line \"%s\" that holds in\n%s", names[i], out);
    assert_null(strstr(out, "FAILS"));
    assert_non_null(strstr(out, "4 files made again")); /* of a figure: script, data, caption and SVG */
    assert_exit("mkdir -p elsewhere && cp -r r elsewhere/moved && cd elsewhere && $H check moved --quiet", 0);
    assert_string_equal(out, "");
}

/* Runs of which something is missing: intervals, the end, every second row, all but one run. */
static void unusual_runs_hold(void **state)
{
    (void)state;
    static const char *const change[] = {
        "s/\"seeds\": 4/\"seeds\": 1/", "s/\"step_size\": 0.01/\"step_size\": 99/; s/30/900/",
        "s/}$/, \"measure_every\": 7}/", "s/0.3}/0}/", "s/}$/, \"grouping\": \"random\", \"groupings\": 2}/"};
    for (size_t i = 0; i < sizeof change / sizeof *change; i++) {
        char line[256];
        snprintf(line, sizeof line, "sed '%s' c.json > u.json && $H run u.json --output u --quiet; test $? != 2",
                 change[i]);
        assert_exit(line, 0);
        if (shell("$H check u --quiet && ! cmp -s c.json u.json") != 0)
            fail_msg("%s\n%s%s", change[i], out, err_text);
    }
}

/* The definition of the document's checksum, worked out by sed and sha256sum; resealing an untouched folder changes nothing. */
static void the_checksum_is_what_the_readme_says(void **state)
{
    (void)state;
    assert_exit("rm -rf k && cp -r r k && sh reseal k result.json && cmp r/result.json k/result.json", 0);
    assert_exit(
        "test $(sha256sum < r/series.csv | cut -c1-64) = $(sed -n '/\"series.csv\",$/{n;n;s/.*\"\\(.*\\)\"/\\1/p}' "
        "r/result.json)",
        0);
}

/* ---- what somebody changed ---- */

static const struct {
    const char *change;  /* in the folder k */
    bool sealed;         /* the forger writes new checksums */
    const char *line[3]; /* that fail; NULL: no more */
} tampering[] = {
    {"sed -i '9s/[1-8]$/9/' k/series.csv", false, {"series.csv "}},
    {"sed -i '3s/\\.\\([0-9]\\)/.1\\1/' k/nodes.csv", false, {"nodes.csv "}},
    {"rm k/nodes.csv", false, {"nodes.csv "}},
    {"sed -i '0,/\"se\":/s/\\(\"se\":.*\\)[0-8]\\([,0-9]*\\)$/\\19\\2/' k/result.json", false, {"result.json"}},
    {"echo >> k/result.json", false, {"result.json"}},
    {"sed -i 's/^/ /' k/convergence.dat", false, {"figure convergence"}},
    {"echo '# x' >> k/convergence.gp", false, {"figure convergence"}},
    {"sed -i 's/a/b/' k/terms.caption.tex", false, {"figure terms"}},
    {"sed -i 's/stroke/Stroke/' k/terms.svg", false, {"figure terms"}},
    {"rm k/terms.dat", false, {"figure terms"}},
    {"cp k/terms.gp k/other.gp", false, {"other.gp"}},
    {"sed -i 's/\"seeds\":\t4/\"seeds\":\t5/' k/result.json", true, {"configuration, hash", "configuration, size"}},
    {"sed -i 's/\"first_seed\":\t1,/\"first_sead\":\t1,/' k/result.json", true, {"configuration, keys"}},
    {"sed -i '/\"identities\":/s/identities/identity/' k/result.json", true, {"schema"}},
    {"sed -i 's/\"verdict\":\t\"holds\"/\"verdict\":\t\"helds\"/' k/result.json", true, {"schema"}},
    {"sed -i '/\"measured\":/,/ci/s/\\(\"mean\":\t0\\.\\)/\\11/' k/result.json",
     true,
     {"measured: S", "intervals of S"}},
    {"sed -i '/\"measured\":/,/ci/s/\\(\"se\":\t\\)[0-9]/\\19/' k/result.json",
     true,
     {"intervals of S", "standard error"}},
    {"sed -i '/\"terms\":/,/value/s/\\(\"value\":\t0*\\.*\\)/\\13/' k/result.json", true, {"bounds: sums of terms"}},
    {"sed -i 's/\\(\"ratio\":\t0\\.\\)/\\17/' k/result.json", true, {"bounds: measured / bound"}},
    {"sed -i '/\"id\":\t\"hsgd-fixed\"/,/verdict_reason/s/\"verdict\":.*/\"verdict\":\t\"violated\",/' k/result.json",
     true,
     {"bounds: verdicts", "verdict "}},
    {"sed -i 's/^\t\"verdict\":.*/\t\"verdict\":\t\"violated\",/' k/result.json", true, {"verdict "}},
    {"sed -i 's/\\(\"max_ratio\":\t0\\.\\)/\\19/' k/result.json", true, {"dispersion: largest ratio"}},
    {"sed -i '4d' k/series.csv", true, {"series.csv, steps", "measured: S"}},
    {"awk -F, -v OFS=, 'NR == 7 { $5 *= 1.00001 } { print }' k/series.csv > s && mv s k/series.csv",
     true,
     {"divergence: sum of levels"}},
    {"awk -F, -v OFS=, 'NR == 7 { $6 *= 1.00001 } { print }' k/series.csv > s && mv s k/series.csv",
     true,
     {"divergence: upward and downward"}},
    {"awk -F, -v OFS=, 'NR == 7 { $3 *= 1.00001 } { print }' k/series.csv > s && mv s k/series.csv",
     true,
     {"measured: S", "figure convergence"}},
    {"awk -F, -v OFS=, 'NR == 3 { $10 *= 2 } { print }' k/nodes.csv > s && mv s k/nodes.csv",
     true,
     {"nodes.csv, downward divergence"}},
    {"awk -F, -v OFS=, 'NR == 3 { $8 *= 2 } { print }' k/nodes.csv > s && mv s k/nodes.csv", true, {"nodes.csv, tree"}},
    {"awk -F, -v OFS=, 'NR == 3 { $12 *= 2 } { print }' k/nodes.csv > s && mv s k/nodes.csv",
     true,
     {"nodes.csv, levels: dispersion"}},
    {"sed -i '/\"place\":/s/\\[0, 1, 2/[1, 0, 2/' k/result.json", true, {"places of workers"}},
    {"sed -i '/\"middle\":/s/\\(\"middle\":\t*[0-9]*\\.[0-9]\\)/\\17/' k/result.json", true, {"sandwich: order"}},
    {"sed -i '/\"noise\":/s/\"2\"/\"3\"/' k/result.json", true, {"sandwich "}},
    {"sed -i '5s/,[^,]*$//' k/series.csv", true, {"series.csv "}},
    {"sed -i '2s/^0,/x,/' k/nodes.csv", true, {"nodes.csv "}},
};

static void every_change_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tampering / sizeof *tampering; i++) {
        assert_exit("rm -rf k && cp -r r k", 0);
        assert_exit(tampering[i].change, 0);
        if (shell("diff -qr r k") == 0)
            fail_msg("changes nothing: %s", tampering[i].change);
        if (tampering[i].sealed)
            assert_exit("sh reseal k result.json", 0);
        if (shell("$H check k") != 1)
            fail_msg("not found: %s\n%s", tampering[i].change, out);
        for (size_t l = 0; l < 3 && tampering[i].line[l]; l++)
            if (!says(tampering[i].line[l], "FAILS"))
                fail_msg("\"%s\" does not fail: %s\n%s", tampering[i].line[l], tampering[i].change, out);
        if (tampering[i].sealed && says("result.json", "FAILS"))
            fail_msg("the forger's checksum is wrong: %s", tampering[i].change);
    }
    assert_exit("$H check k --quiet", 1);
    assert_null(strstr(out, "holds"));
}

/* ---- data ---- */

static void data_are_looked_for(void **state)
{
    (void)state;
    write_text("d.txt", "1 1:0.5 2:-1\n-1 1:0.25\n1 2:2\n-1 1:-0.75 2:0.5\n1 1:3\n-1 2:1\n");
    write_text("l.json",
               "{\"name\": \"l\", \"hierarchy\": {\"fanout\": [2, 1], \"periods\": [4, 2]}, \"problem\": {\"type\": "
               "\"logistic\", \"data\": {\"format\": \"libsvm\", \"path\": \"d.txt\"}}, \"optimizer\": "
               "{\"step_size\": 0.1, \"steps\": 8, \"batch_size\": 1}, \"figures\": []}");
    assert_exit("unset HSGD_DATA_DIR; $H run l.json --output l --quiet || test $? = 3", 0);
    assert_exit("$H check l", 0);
    assert_true(says("d.txt", "holds"));
    assert_exit("mkdir data && mv d.txt data && unset HSGD_DATA_DIR; $H check l", 0);
    assert_true(says("d.txt", "not checked"));
    assert_exit("unset HSGD_DATA_DIR; $H check l --require-data --quiet", 1);
    assert_true(says("d.txt", "FAILS"));
    assert_exit("HSGD_DATA_DIR=data $H check l --require-data --quiet", 0);
    assert_exit("sed -i 's/0.5/0.6/' data/d.txt; HSGD_DATA_DIR=data $H check l", 1);
    assert_true(says("d.txt", "FAILS"));
}

/* ---- certificates ---- */

/* A coefficient that is too small is not proved by the same multipliers. */
static void certificates_are_verified(void **state)
{
    (void)state;
    assert_exit("rm -rf k && cp -r r k && $H pep --periods 2 --steps 2 --step-size 0.5 --variant descent --certificate "
                "k/proof.json",
                0);
    assert_exit("$H check k", 0);
    assert_true(says("proof.json", "holds"));
    assert_exit("sed -i 's/\\(\"delta_coefficient\":[^\"]*\"\\)1/\\10/' k/proof.json && $H check k", 1);
    assert_true(says("proof.json", "FAILS"));
}

/* ---- figures of another style ---- */

static void figures_have_the_style_that_they_were_drawn_in(void **state)
{
    (void)state;
    assert_exit("rm -rf k && cp -r r k && $H plot k --band se --no-title", 0);
    assert_exit("$H check k --quiet", 1);
    assert_true(says("figure convergence", "FAILS"));
    assert_exit("$H check k --quiet --band se --no-title", 0);
    assert_refusal("$H check k --width 99", 2, "--width: \"99\" is not");
}

/* ---- other commands ---- */

static void a_sweep_and_its_points(void **state)
{
    (void)state;
    write_text("s.json", "{\"name\": \"s\", " TREE ", " QUADRATIC ", \"figures\": [\"sweep\"], \"sweep\": {\"axes\": "
                         "[{\"name\": \"s\", \"key\": \"optimizer.step_size\", \"values\": [0.01, 0.02]}]}}");
    assert_exit("$H sweep s.json --output s --quiet || test $? = 3", 0);
    assert_exit("$H check s", 0);
    assert_true(says("points/s-0.01", "holds") && says("points/s-0.02", "holds") &&
                says("configurations, hash", "holds"));
    assert_exit("cp -r s k2 && sed -i '9s/[1-8]$/9/' k2/points/s-0.02/series.csv && $H check k2", 1);
    assert_true(says("points/s-0.02: series.csv", "FAILS") && says("points/s-0.01", "holds"));
    assert_exit("rm -rf k2; cp -r s k2 && sed -i '0,/\"se\":/s/\\(\"se\":\t\\)[0-9]/\\19/' k2/sweep.json && "
                "sh reseal k2 sweep.json && $H check k2",
                1);
    assert_true(says("points/s-0.01", "FAILS") && strstr(out, "another \"measured\""));
    assert_exit("rm -rf k2; cp -r s k2 && sed -i 's/\"step_size\":\t0.02/\"step_size\":\t0.03/' "
                "k2/points/s-0.02/result.json && "
                "$H check k2",
                1);
    assert_true(says("configurations, hash", "FAILS"));
}

/* Each is whole, and no digit of its document or its table can be changed. */
static void all_commands_write_folders_that_can_be_checked(void **state)
{
    (void)state;
#define RUN(section) "{\"name\": \"x\", " TREE ", " QUADRATIC ", " section "}"
    static const struct {
        const char *command, *config;
    } kind[] = {
        {"rate", RUN("\"rate\": {\"over\": \"steps\", \"values\": [20, 40, 80], \"method\": \"exact\"}")},
        {"phase",
         RUN("\"phase\": {\"axes\": [{\"name\": \"s\", \"key\": \"optimizer.step_size\", \"values\": [0.01, 0.02]}]}")},
        {"hunt",
         RUN("\"hunt\": {\"bound\": \"dispersion\", \"free\": [\"linear\"], \"budget\": {\"evaluations\": 40}}")},
        {"pep",
         RUN("\"pep\": {\"from\": 0.5, \"to\": 0.9, \"points\": 3, \"axes\": [{\"name\": \"n\", \"values\": "
             "[{\"problem\": {\"noise_variance\": 0}, \"optimizer\": {\"steps\": 2}}], \"labels\": [\"none\"]}]}")},
        {"plan",
         "{\"workers\": 8, \"communication\": {\"levels\": [\"lan\"]}, \"dimension\": 100, \"constants\": {\"L\": 1, "
         "\"sigma_sq\": 1, \"delta\": 1, \"global_divergence_sq\": 1}, \"max_period\": 8, \"budget_seconds\": 60}"},
    };
#undef RUN
    for (size_t i = 0; i < sizeof kind / sizeof *kind; i++) {
        char text[64], line[256];
        write_text("x.json", kind[i].config);
        snprintf(line, sizeof line, "rm -rf x; $H %s x.json --output x --quiet; test $? != 2 && $H check x --quiet",
                 kind[i].command);
        assert_exit(line, 0);
        snprintf(line, sizeof line, "sed -i '$s/[1-8]/9/' x/%s.csv; $H check x", kind[i].command);
        assert_exit(line, 1);
        snprintf(text, sizeof text, "%s.csv", kind[i].command);
        assert_true(says(text, "FAILS"));
        snprintf(line, sizeof line, "sed -i 's/\"version\":\t\"0/\"version\":\t\"9/' x/%s.json; $H check x",
                 kind[i].command);
        assert_exit(line, 1);
        snprintf(text, sizeof text, "%s.json", kind[i].command);
        assert_true(says(text, "FAILS") && says("schema", "holds"));
    }
}

/* ---- no results ---- */

/* Of an hsgd that wrote no checksums: what can be found is found. */
static void older_results_are_checked_as_far_as_they_go(void **state)
{
    (void)state;
    assert_exit("rm -rf k && cp -r r k && sed -i -e '/\"output_files\"/,/\\]/d' -e '/document_sha256/d' -e "
                "'s/^\\(\t\"files\":.*\\),$/\\1/' -e 's/\\(\"data_files\":\t\\[\\]\\),/\\1/' k/result.json",
                0);
    assert_exit("$H check k", 0);
    assert_true(says("result.json", "not checked") && says("output files", "not checked") &&
                says("measured: S", "holds"));
}

static void what_is_no_result_is_refused_in_one_line(void **state)
{
    (void)state;
    assert_refusal("mkdir -p empty; $H check empty", 2, "empty: holds no results");
    assert_refusal("$H check nowhere", 2, "nowhere: holds no results");
    assert_refusal("mkdir -p bad; echo '{' > bad/result.json; $H check bad", 2, "bad/result.json");
    assert_refusal("echo '[]' > bad/result.json; $H check bad", 2, "expected an object");
    assert_refusal("$H check", 2, "check: DIR is missing");
    assert_exit("echo '{}' > bad/result.json; $H check bad", 1);
    assert_true(says("schema", "FAILS") && says("series.csv", "FAILS") && says("nodes.csv", "FAILS"));
    assert_refusal("TMPDIR=/nonexistent $H check r", 4, "cannot make a folder");
    assert_refusal("flock r $H check r", 4, "another hsgd is writing to this folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_untouched_folder_holds_wherever_it_is),
        cmocka_unit_test(unusual_runs_hold),
        cmocka_unit_test(the_checksum_is_what_the_readme_says),
        cmocka_unit_test(every_change_is_found),
        cmocka_unit_test(data_are_looked_for),
        cmocka_unit_test(certificates_are_verified),
        cmocka_unit_test(figures_have_the_style_that_they_were_drawn_in),
        cmocka_unit_test(a_sweep_and_its_points),
        cmocka_unit_test(all_commands_write_folders_that_can_be_checked),
        cmocka_unit_test(older_results_are_checked_as_far_as_they_go),
        cmocka_unit_test(what_is_no_result_is_refused_in_one_line),
    };
    return cmocka_run_group_tests(tests, run_once, leave_folder);
}
