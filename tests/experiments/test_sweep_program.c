/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd sweep from outside: points to the bit as hsgd run has them, resuming, stopping and killing, points that fail, what is
 * printed, and figures whose data are those of the points. */
#include "tests/experiments/program.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "experiments/series_private.h"

/* A small noisy quadratic with a grid; rest begins with a comma. */
static void write_sweep(const char *path, const char *axes, const char *rest)
{
    char text[4096];
    snprintf(text, sizeof text,
             "{\"name\": \"grid\", \"hierarchy\": {\"fanout\": [3, 4], \"periods\": [6, 2]}, \"problem\": {\"type\":"
             "\"quadratic\", \"dimension\": 4, \"curvature_range\": [0.11, 1.3], \"level_divergence\": [0.83, 0.41],"
             "\"noise_variance\": 0.37}, \"initial\": {\"scale\": 1.4}, \"optimizer\": {\"step_size\": 0.02,"
             "\"steps\": 60}, \"seeds\": 3, \"sweep\": {\"axes\": [%s]}%s}",
             axes, rest);
    write_text(path, text);
}

#define G_AXIS "{\"name\": \"G\", \"key\": \"hierarchy.periods[0]\", \"values\": [2, 6, 12]}"
#define WHO_AXIS                                                                                                       \
    "{\"name\": \"who\", \"values\": [{\"grouping\": \"random\"}, {\"variant\": {\"momentum\": "                       \
    "0.5}}], \"labels\": [\"all\", \"heavy ball\"]}"
#define RATE_AXIS "{\"name\": \"rate\", \"key\": \"optimizer.step_size\", \"values\": [0.01, 0.02]}"
#define NO_FIGURES ", \"figures\": []"

/* ---- numbers ---- */

static void assert_same_file(const char *a, const char *b)
{
    char *left = read_text(a), *right = read_text(b);
    if (!left || !right || strcmp(left, right) != 0)
        fail_msg("%s and %s differ", a, b);
    free(left);
    free(right);
}

/* Whatever the number of jobs, and with the configuration as the result of the point says it. */
static void points_are_to_the_bit_what_run_makes(void **state)
{
    (void)state;
    write_sweep("s.json", G_AXIS "," RATE_AXIS, NO_FIGURES);
    assert_exit("$H sweep s.json --output s --jobs 3 --quiet", 0);
    assert_string_equal(out, "");
    assert_string_equal(err_text, "");
    cJSON *sweep = read_json("s/sweep.json"), *point;
    assert_int_equal(cJSON_GetArraySize(get(sweep, "points")), 6);
    cJSON_ArrayForEach(point, get(sweep, "points"))
    {
        char path[256], line[512], again[256];
        snprintf(path, sizeof path, "s/%s/result.json", text_of(point, "folder"));
        cJSON *result = read_json(path);
        char *config = cJSON_Print(get(result, "config"));
        write_text("point.json", config);
        snprintf(line, sizeof line, "rm -rf again; $H run point.json --output again --threads 2 --quiet");
        assert_exit(line, 0);
        snprintf(again, sizeof again, "s/%s/series.csv", text_of(point, "folder"));
        assert_same_file(again, "again/series.csv");
        snprintf(again, sizeof again, "s/%s/nodes.csv", text_of(point, "folder"));
        assert_same_file(again, "again/nodes.csv");
        cJSON *run = read_json("again/result.json");
        assert_true(cJSON_Compare(get(run, "measured"), get(result, "measured"), true));
        assert_true(cJSON_Compare(get(run, "bounds"), get(result, "bounds"), true));
        /* and so says sweep.json */
        assert_true(cJSON_Compare(get(run, "measured"), get(point, "measured"), true));
        assert_true(number(get(get(point, "measured"), "S"), "mean") == number(get(get(run, "measured"), "S"), "mean"));
        cJSON_free(config);
        cJSON_Delete(run);
        cJSON_Delete(result);
    }
    cJSON_Delete(sweep);
}

/* One cell of a CSV file without quotes: row from 0, by the name of the column. Valid until the next call. */
static const char *cell(const char *csv, size_t row, const char *name)
{
    static char value[128];
    size_t column = 0, length = strlen(name);
    const char *c = csv;
    while (strncmp(c, name, length) != 0 || (c[length] != ',' && c[length] != '\n')) {
        c += strcspn(c, ",\n");
        if (*c++ != ',')
            fail_msg("no column %s", name);
        column++;
    }
    for (c = csv; row-- + 1; c++)
        c += strcspn(c, "\n");
    for (; column; column--)
        c += strcspn(c, ",") + 1;
    snprintf(value, sizeof value, "%.*s", (int)strcspn(c, ",\n"), c);
    return value;
}

static void the_table_has_a_row_for_each_point(void **state)
{
    (void)state;
    write_sweep("s.json", G_AXIS "," RATE_AXIS, NO_FIGURES);
    assert_exit("$H sweep s.json --output s", 0);
    assert_non_null(strstr(out, "grid: 6 points over G (3) x rate (2)\n"));
    assert_non_null(strstr(err_text, "6 of 6 points were finished before"));
    char *csv = read_text("s/sweep.csv");
    cJSON *sweep = read_json("s/sweep.json"), *points = get(sweep, "points");
    static const char *const G[] = {"2", "6", "12"}, *const rate[] = {"0.01", "0.02"};
    for (int i = 0; i < 6; i++) {
        const cJSON *point = cJSON_GetArrayItem(points, i), *S = get(get(point, "measured"), "S");
        assert_string_equal(cell(csv, (size_t)i, "G"), G[i / 2]);
        assert_string_equal(text_of(get(point, "labels"), "rate"), rate[i % 2]);
        assert_true(atof(cell(csv, (size_t)i, "G_at")) == atof(G[i / 2]));
        assert_string_equal(cell(csv, (size_t)i, "folder"), text_of(point, "folder"));
        assert_true(strtod(cell(csv, (size_t)i, "S"), NULL) == number(S, "mean"));
        assert_true(strtod(cell(csv, (size_t)i, "S_high"), NULL) == cJSON_GetArrayItem(get(S, "ci"), 1)->valuedouble);
        const cJSON *bound = element(get(point, "bounds"), "id", "hsgd-fixed-sharp");
        assert_true(strtod(cell(csv, (size_t)i, "hsgd-fixed-sharp"), NULL) == number(bound, "value"));
        assert_string_equal(cell(csv, (size_t)i, "hsgd-fixed-sharp_verdict"), text_of(bound, "verdict"));
        assert_string_equal(cell(csv, (size_t)i, "global_period"), G[i / 2]);
        assert_string_equal(cell(csv, (size_t)i, "state"), "done");
    }
    free(csv);
    cJSON_Delete(sweep);
}

/* Whatever axes are called, no two columns are. */
static void columns_have_names_of_their_own(void **state)
{
    (void)state;
    static const char *const names[][3] = {{"S", "S_at", "S_se"},
                                           {"hsgd-fixed", "hsgd-fixed_at", "label_hsgd-fixed"},
                                           {"axis_steps", "steps", "final_loss_se"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char axes[1024];
        snprintf(axes, sizeof axes,
                 "{\"name\": \"%s\", \"key\": \"seeds\", \"values\": [2, 3]}, {\"name\": \"%s\", \"key\": "
                 "\"first_seed\", \"values\": [1]}, {\"name\": \"%s\", \"key\": \"optimizer.steps\", \"values\": [6]}",
                 names[i][0], names[i][1], names[i][2]);
        write_sweep("c.json", axes, NO_FIGURES);
        assert_exit("rm -rf c; $H sweep c.json --output c --quiet && "
                    "head -n 1 c/sweep.csv | tr ',' '\\n' | sort | uniq -d",
                    0);
        assert_string_equal(out, "");
    }
}

/* ---- resuming ---- */

typedef struct mark {
    struct timespec changed;
    char *text;
} mark;

static mark mark_file(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return (mark){info.st_mtim, read_text(path)};
}

static bool is_untouched(const char *path, mark *before)
{
    mark now = mark_file(path);
    bool same = now.changed.tv_sec == before->changed.tv_sec && now.changed.tv_nsec == before->changed.tv_nsec &&
                strcmp(now.text, before->text) == 0;
    free(now.text);
    free(before->text);
    return same;
}

static void finished_points_are_not_run_again(void **state)
{
    (void)state;
    write_sweep("r.json", G_AXIS, NO_FIGURES);
    assert_exit("$H sweep r.json --output r --quiet", 0);
    mark two = mark_file("r/points/G-2/result.json"), series = mark_file("r/points/G-12/series.csv");
    /* one point more, one whose result is broken off, one of another version */
    write_sweep("r.json", "{\"name\": \"G\", \"key\": \"hierarchy.periods[0]\", \"values\": [2, 4, 6, 12, 24]}",
                NO_FIGURES);
    assert_exit("head -c 300 r/points/G-6/result.json > x && cp x r/points/G-6/result.json", 0);
    assert_exit("$H sweep r.json --output r", 0);
    assert_non_null(strstr(err_text, "2 of 5 points were finished before"));
    assert_null(strstr(err_text, "G = 2:"));
    assert_null(strstr(err_text, "G = 12:"));
    assert_non_null(strstr(err_text, "G = 4:"));
    assert_non_null(strstr(err_text, "G = 6:"));
    assert_true(is_untouched("r/points/G-2/result.json", &two));
    assert_true(is_untouched("r/points/G-12/series.csv", &series));
    assert_exit("sed -i 's/\"version\":.*/\"version\": \"0.0.1\",/' r/points/G-24/result.json", 0);
    assert_exit("$H sweep r.json --output r", 0);
    assert_non_null(strstr(err_text, "[5/5] G = 24:"));
    assert_null(strstr(err_text, "[4/5]"));
    /* a setting that all points share */
    assert_exit("$H sweep r.json --output r --seeds 5", 0);
    assert_non_null(strstr(err_text, "[1/5]"));
}

/* A result of another configuration is taken away before its point is run: numbers of two never stand side by side. */
/* What lacks a part is no result: the point is run again. */
static void results_that_somebody_changed_are_made_again(void **state)
{
    (void)state;
    static const char *const change[] = {"/\"id\":/s/id/di/", "s/\"verdict\":\t\"holds\"/\"verdict\":\tnull/",
                                         "/\"seeds\":\t3/s/3,$/[],/", "s/^\t\"measured\":/\t\"Measured\":/"};
    write_sweep("s.json", RATE_AXIS, NO_FIGURES);
    assert_exit("$H sweep s.json --output m --quiet && cp m/points/rate-0.01/result.json good.json", 0);
    for (size_t i = 0; i < sizeof change / sizeof *change; i++) {
        write_text("change.sed", change[i]);
        assert_exit("cd m/points/rate-0.01 && sed -f ../../../change.sed ../../../good.json > result.json && "
                    "! cmp -s result.json ../../../good.json",
                    0);
        assert_exit("$H sweep s.json --output m", 0);
        assert_non_null(strstr(err_text, "1 of 2 points were finished before"));
        assert_exit("cmp m/points/rate-0.01/result.json good.json", 0);
    }
}

static void an_old_result_does_not_outlive_the_start_of_a_new_one(void **state)
{
    (void)state;
    write_sweep("o.json", "{\"name\": \"T\", \"key\": \"optimizer.steps\", \"values\": [20, 30]}", NO_FIGURES);
    assert_exit("$H sweep o.json --output o --quiet", 0);
    assert_exit("rm o/points/T-20/series.csv && mkdir o/points/T-20/series.csv", 0); /* cannot be written any more */
    assert_exit("$H sweep o.json --output o --quiet --seeds 4", 4);
    assert_non_null(strstr(err_text, "T = 20: failed: "));
    assert_false(exists("o/points/T-20/result.json"));
    assert_true(exists("o/points/T-30/result.json"));
    assert_exit("rmdir o/points/T-20/series.csv", 0);
    assert_exit("$H sweep o.json --output o --seeds 4", 0);
    assert_non_null(strstr(err_text, "1 of 2 points were finished before"));
    /* nor that of a run that does not even begin: somebody else works in its folder */
    assert_exit("flock o/points/T-20 $H sweep o.json --output o --quiet --seeds 5", 4);
    assert_false(exists("o/points/T-20/result.json"));
}

/* ---- stopping ---- */

static void nap(void)
{
    const struct timespec moment = {.tv_nsec = 5000000};
    nanosleep(&moment, NULL);
}

/* Start the program and wait until a file is there. */
static pid_t start_until(char *const *arguments, const char *file)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int e = open(".err", O_WRONLY | O_CREAT | O_TRUNC, 0666);
        dup2(e, 2);
        dup2(e, 1);
        signal(SIGINT, SIG_DFL); /* who runs tests in the background has it ignored */
        execv(program, arguments);
        _exit(127);
    }
    for (int i = 0; i < 4000 && !exists(file); i++)
        nap();
    assert_true(exists(file));
    return child;
}

/* Short points at the ends, and one between that takes a while; the last of its kind is what is waited for. */
#define SLOW_AXIS "{\"name\": \"T\", \"key\": \"optimizer.steps\", \"values\": [50, 300000, 60]}"
#define SLOW_REST NO_FIGURES ", \"measure_every\": 1000, \"bounds\": []"

static void start_slow_sweep(pid_t *child, const char *folder)
{
    char path[128], remove[160], sweep[] = "sweep", file[] = "slow.json", output[] = "--output", jobs[] = "--jobs",
                                 one[] = "1", name[512];
    snprintf(name, sizeof name, "%s/%s", work, folder); /* by which its processes are found */
    char *const arguments[] = {program, sweep, file, output, name, jobs, one, NULL};
    snprintf(path, sizeof path, "%s/points/T-300000", folder);
    write_sweep("slow.json", SLOW_AXIS, SLOW_REST);
    snprintf(remove, sizeof remove, "rm -rf %s", path); /* of an earlier call */
    assert_exit(remove, 0);
    *child = start_until(arguments, path);
}

/* Are processes left that work in this folder? */
static bool anybody_works(const char *folder)
{
    char line[512];
    snprintf(line, sizeof line,
             "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -q '[r]un - --output %s/%s/points'", work,
             folder);
    return shell(line) == 0;
}

/* A sweep that ended because of the signal while its slow point was running, and had come so far that it left a checkpoint; on
 * a busy machine the point may be done before, or not have begun. */
static void interrupt_sweep(int number)
{
    for (int tries = 0; tries < 20; tries++) {
        pid_t child;
        int status;
        start_slow_sweep(&child, "stopped");
        usleep((useconds_t)(tries % 5) * 10000);
        assert_true(kill(child, number) == 0 || errno == ESRCH);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        bool stopped = WEXITSTATUS(status) == 3;
        if (stopped && exists("stopped/points/T-300000/checkpoint"))
            return;
        assert_true(stopped || exists("stopped/points/T-300000/result.json"));
        assert_exit("rm -rf stopped/points/T-300000", 0);
    }
    fail_msg("the slow point was always done, or not begun, at signal %d", number);
}

static void an_interrupted_sweep_goes_on_and_ends_the_same(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM};
    write_sweep("slow.json", SLOW_AXIS, SLOW_REST);
    assert_exit("$H sweep slow.json --output whole --jobs 2 --quiet", 0);
    for (size_t i = 0; i < 2; i++) {
        interrupt_sweep(signals[i]);
        char *said = read_text(".err");
        if (!strstr(said, signals[i] == SIGINT ? "hsgd: stopped (SIGINT): 2 of 3 points are finished and kept in "
                                               : "hsgd: stopped (SIGTERM): 2 of 3 points are finished and kept in "))
            fail_msg("%s", said);
        free(said);
        assert_false(anybody_works("stopped"));
        assert_false(exists("stopped/points/T-300000/result.json"));
        assert_true(exists("stopped/sweep.csv"));
        char *csv = read_text("stopped/sweep.csv");
        assert_string_equal(cell(csv, 1, "state"), "waiting");
        assert_string_equal(cell(csv, 2, "state"), "done");
        free(csv);
    }
    assert_true(exists("stopped/points/T-300000/checkpoint")); /* from which the point goes on */
    mark first = mark_file("stopped/points/T-50/result.json");
    assert_exit("$H sweep slow.json --output stopped --quiet --resume", 0);
    assert_false(exists("stopped/points/T-300000/checkpoint"));
    assert_true(is_untouched("stopped/points/T-50/result.json", &first));
    assert_same_file("whole/sweep.csv", "stopped/sweep.csv");
    assert_same_file("whole/sweep.json", "stopped/sweep.json");
}

/* Children end with a parent that could not end them, and what they had begun is no result. */
static void a_killed_sweep_leaves_nothing_behind(void **state)
{
    (void)state;
    pid_t child;
    int status;
    start_slow_sweep(&child, "killed");
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    for (int i = 0; i < 400 && anybody_works("killed"); i++)
        nap();
    assert_false(anybody_works("killed"));
    assert_false(exists("killed/points/T-300000/result.json"));
    assert_exit("$H sweep slow.json --output killed --quiet", 0);
    assert_same_file("whole/sweep.csv", "killed/sweep.csv");
}

/* A child that is killed is a point that failed, and one that is run again next time. */
static void a_killed_point_does_not_end_the_others(void **state)
{
    (void)state;
    pid_t child;
    int status;
    start_slow_sweep(&child, "robbed");
    char line[512];
    snprintf(line, sizeof line,
             "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q '[r]un - --output "
             "%s/robbed/points/T-300000' && kill -9 ${p#/proc/}; done; true",
             work);
    assert_exit(line, 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 4);
    cJSON *sweep = read_json("robbed/sweep.json");
    const cJSON *point = element(get(sweep, "points"), "state", "failed");
    assert_string_equal(text_of(point, "title"), "T = 300000");
    assert_non_null(strstr(text_of(point, "reason"), "ended by signal 9 (Killed)"));
    cJSON_Delete(sweep);
    assert_exit("$H sweep slow.json --output robbed", 0);
    assert_non_null(strstr(err_text, "2 of 3 points were finished before"));
    assert_same_file("whole/sweep.csv", "robbed/sweep.csv");
}

/* ---- failures and exit codes ---- */

static void a_point_that_fails_leaves_the_others_alone(void **state)
{
    (void)state;
    /* the second value is data that are not there, which only the run itself finds out */
    write_sweep(
        "f.json",
        "{\"name\": \"problem\", \"values\": [{\"seeds\": 2}, {\"problem\": {\"type\": \"softmax\", \"dimension\": "
        "null, "
        "\"curvature_range\": null, \"level_divergence\": null, \"noise_variance\": null, \"data\": {\"format\": "
        "\"libsvm\", \"path\": \"nowhere.t\"}}}, {\"seeds\": 4}], \"labels\": [\"one\", \"two\", \"three\"]}",
        NO_FIGURES);
    assert_exit("$H sweep f.json --output f --quiet", 2);
    assert_non_null(strstr(err_text, "hsgd: two: failed: f.json: "));
    assert_non_null(strstr(err_text, "nowhere.t"));
    assert_true(strchr(err_text, '\n')[1] == '\0');
    char *csv = read_text("f/sweep.csv");
    assert_string_equal(cell(csv, 0, "state"), "done");
    assert_string_equal(cell(csv, 1, "state"), "failed");
    assert_string_equal(cell(csv, 1, "S"), "");
    assert_string_equal(cell(csv, 2, "state"), "done");
    free(csv);
    assert_exit("$H sweep f.json --output f", 2);
    assert_non_null(strstr(out, "  two         failed\n"));
    /* the reason names a file whose name is not UTF-8; sweep.json can be read all the same */
    assert_exit("cp f.json \"$(printf 'f\\377.json')\" && $H sweep \"$(printf 'f\\377.json')\" --output f --quiet", 2);
    assert_null(strstr(err_text, "sweep.json"));
    assert_exit("$H plot f", 0);
}

/* The verdicts of all points decide, whenever they were run. */
static void the_exit_code_is_that_of_the_worst_point(void **state)
{
    (void)state;
    write_sweep("e.json", "{\"name\": \"R\", \"key\": \"seeds\", \"values\": [1, 6, 7]}",
                NO_FIGURES ", \"bounds\": [\"hsgd-fixed-sharp\"]");
    assert_exit("$H sweep e.json --output e --quiet", 3); /* one seed has no interval */
    assert_exit("sed -i 's/^\\t\"verdict\":\\t\"holds\"/\\t\"verdict\":\\t\"violated\"/' e/points/R-6/result.json", 0);
    assert_exit("$H sweep e.json --output e --quiet", 1);
    assert_exit("echo > e/points/R-7/result.json; rm e/points/R-7/nodes.csv; mkdir e/points/R-7/nodes.csv", 0);
    assert_exit("$H sweep e.json --output e --quiet", 4);
}

/* Tables and pages of a folder speak of one thing. */
static void a_folder_holds_a_run_or_a_sweep(void **state)
{
    (void)state;
    write_sweep("s.json", RATE_AXIS, NO_FIGURES);
    assert_exit("$H sweep s.json --output both --quiet && cp both/points/rate-0.01/result.json r.json", 0);
    assert_exit("rm -rf one; mkdir one; cp r.json one/result.json", 0);
    assert_refusal("$H sweep s.json --output one", 2,
                   "--output: \"one\" holds the results of a single run (result.json)");
    assert_false(exists("one/points"));
    assert_refusal("sed 's/, \"sweep\".*/}/' s.json > plain.json; $H run plain.json --output both", 2,
                   "--output: \"both\" holds a sweep (sweep.json)");
    assert_false(exists("both/result.json"));
}

static void bad_calls_are_refused(void **state)
{
    (void)state;
    write_sweep("s.json", G_AXIS, NO_FIGURES);
    assert_refusal("$H sweep", 2, "CONFIG.json is missing");
    assert_refusal("$H sweep nowhere.json", 2, "nowhere.json: cannot be opened");
    assert_refusal("$H sweep s.json --jobs 0", 2, "--jobs: \"0\"");
    assert_refusal("$H sweep s.json --threads x", 2, "--threads: \"x\"");
    assert_refusal("$H sweep s.json --seeds 0", 2, "--seeds: \"0\"");
    assert_refusal("$H sweep s.json --output ''", 2, "--output: \"\"");
    assert_refusal("$H run s.json", 2, "s.json: sweep: this file is for hsgd sweep");
    assert_refusal("$H verify s.json", 2, "s.json: sweep: this file is for hsgd sweep");
    assert_refusal("$H exact s.json", 2, "s.json: sweep: this file is for hsgd sweep");
    write_text("plain.json", "{\"hierarchy\": {\"fanout\": [1], \"periods\": [1]}}");
    assert_refusal("$H sweep plain.json", 2, "plain.json: sweep: missing");
    write_text("file", "");
    assert_refusal("$H sweep s.json --output file", 4, "file");
    assert_false(exists("results"));
}

/* ---- dry run ---- */

static void a_dry_run_predicts_every_point_and_does_nothing(void **state)
{
    (void)state;
    write_sweep("d.json", G_AXIS, NO_FIGURES);
    assert_exit("$H sweep d.json --output d --dry-run --jobs 2 --threads 1", 0);
    assert_non_null(strstr(out, "G = 2: about "));
    assert_non_null(strstr(out, "G = 12: about "));
    assert_non_null(strstr(out, "2 jobs at once on 1 thread each\n"));
    assert_false(exists("d"));
    assert_exit("$H sweep d.json --output d --quiet", 0);
    assert_exit("$H sweep d.json --output d --dry-run", 0);
    assert_non_null(strstr(out, "G = 2: finished already\n"));
}

/* Points that fit one by one, but not two of them. */
static void a_dry_run_lowers_the_jobs_to_what_fits(void **state)
{
    (void)state;
    char axis[256];
    double machine = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    write_sweep("m.json", "{\"name\": \"T\", \"key\": \"optimizer.steps\", \"values\": [1000000]}",
                NO_FIGURES ", \"bounds\": [\"hsgd-fixed-sharp\"]");
    assert_exit("$H sweep m.json --dry-run --threads 1", 0);
    double megabytes = atof(strstr(strstr(out, "about"), "and ") + 4), steps = 0.6 * machine / (megabytes * 1e6) * 1e6;
    if (steps > 9e8)
        skip();
    snprintf(axis, sizeof axis, "{\"name\": \"T\", \"key\": \"optimizer.steps\", \"values\": [%.0f, %.0f]}", steps,
             steps + 1);
    write_sweep("m.json", axis, NO_FIGURES ", \"bounds\": [\"hsgd-fixed-sharp\"]");
    assert_exit("$H sweep m.json --dry-run --threads 1 --jobs 1", 0);
    assert_string_equal(err_text, "");
    assert_exit("$H sweep m.json --dry-run --threads 1 --jobs 2", 0);
    assert_non_null(strstr(err_text, "hsgd: note: 2 points at once need about "));
    assert_non_null(strstr(out, ", 1 job at once on 1 thread each\n"));
}

/* ---- memory ---- */

/* From here on the program, where a line begins with this, runs on a machine with $PAGES pages of memory. */
#define SMALL_MACHINE "LD_PRELOAD=$PWD/small.so "

static void make_small_machine(void)
{
    write_text("small.c", "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <stdlib.h>\n#include <unistd.h>\n"
                          "long sysconf(int name)\n{\n"
                          "    long (*real)(int) = (long (*)(int))dlsym(RTLD_NEXT, \"sysconf\");\n"
                          "    return name == _SC_PHYS_PAGES ? atol(getenv(\"PAGES\")) : real(name);\n}\n");
    assert_exit("${CC:-cc} -shared -fPIC -o small.so small.c -ldl", 0);
}

static void set_memory(double bytes)
{
    char pages[32];
    snprintf(pages, sizeof pages, "%.0f", bytes / (double)sysconf(_SC_PAGESIZE));
    assert_int_equal(setenv("PAGES", pages, 1), 0);
}

/* The memory that a dry run predicts for the point that its line names, in bytes. */
static double predicted(const char *title)
{
    const char *line = strstr(out, title);
    assert_non_null(line);
    return 1e6 * atof(strstr(strstr(line, "about "), " and ") + 5);
}

/* Three points of like size where there is room for two and a half: two run at once, and all are run; where there is room for
 * less than one large one, that one is refused and the others are run. */
static void a_sweep_runs_no_more_than_fits(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    skip(); /* wants to be loaded first */
#endif
    make_small_machine();
    write_sweep("f.json", "{\"name\": \"T\", \"key\": \"optimizer.steps\", \"values\": [60, 80, 40]}", NO_FIGURES);
    assert_exit("$H sweep f.json --dry-run --threads 1", 0);
    double one = predicted("T = 60: ");
    set_memory(2.5 * one);
    assert_exit(SMALL_MACHINE "$H sweep f.json --output f --jobs 3 --threads 1", 0);
    assert_non_null(strstr(err_text, "hsgd: note: 3 points at once need about "));
    assert_non_null(strstr(err_text, " GB: 2 at once\n"));
    assert_non_null(strstr(err_text, "[3/3] "));
    assert_exit("rm -r f && " SMALL_MACHINE "$H sweep f.json --output f --jobs 3 --threads 1 --quiet", 0);
    assert_string_equal(err_text, "");
    set_memory(3.5 * one);
    assert_exit("rm -r f && " SMALL_MACHINE "$H sweep f.json --output f --jobs 3 --threads 1", 0);
    assert_null(strstr(err_text, "at once"));

    write_sweep("f.json", "{\"name\": \"T\", \"key\": \"optimizer.steps\", \"values\": [60, 2000000]}",
                NO_FIGURES ", \"measure_every\": 1");
    set_memory(1.5 * one);
    assert_exit(SMALL_MACHINE "$H sweep f.json --output f --jobs 1 --threads 1", 4);
    assert_non_null(strstr(err_text, "T = 2000000: failed: this run needs about "));
    assert_false(exists("f/points/T-2000000"));
    assert_true(exists("f/points/T-60/result.json"));
}

/* ---- leftovers ---- */

/* A child that was killed leaves files under temporary names, and a folder of a rendering: they go at the end of the next call, be
 * the point run again (G = 6) or not (G = 2). All that looks nearly like it is not ours and stays. */
static void leftovers_of_killed_children_go(void **state)
{
    (void)state;
    static const char *const kept[] = {
        "series.csv.tmp-999999998-", "tmp-999999998-0", ".tmp-999999998-0", "a.tmp-999999998-0b", "a.tmp--0",
        "link.gp.tmp-999999998-0",   "notes",           ".render"};
    char path[128], line[256];
    write_sweep("l.json", G_AXIS, NO_FIGURES);
    assert_exit("$H sweep l.json --output l --quiet", 0);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        snprintf(line, sizeof line, "ln -s nowhere 'l/points/G-2/%s'", kept[i]);
        if (i != 5) /* only that one is a link */
            snprintf(line, sizeof line, "touch 'l/points/G-2/%s'", kept[i]);
        assert_exit(line, 0);
    }
    assert_exit(
        "mkdir 'l/points/G-2/folder.gp.tmp-999999998-0' l/points/G-2/.render-x1 && touch "
        "l/points/G-2/.render-x1/x.gp l/points/G-2/series.csv.tmp-999999998-0 l/sweep.csv.tmp-999999998-1 "
        "l/points/G-6/result.json.tmp-999999998-12 l/points/G-2/mine.csv.tmp-1-0 && rm l/points/G-6/result.json",
        0);
    assert_exit("$H sweep l.json --output l --quiet", 0);
    assert_false(exists("l/points/G-2/.render-x1"));
    assert_false(exists("l/points/G-2/series.csv.tmp-999999998-0"));
    assert_false(exists("l/points/G-6/result.json.tmp-999999998-12"));
    assert_false(exists("l/sweep.csv.tmp-999999998-1"));
    assert_true(exists("l/points/G-2/folder.gp.tmp-999999998-0"));
    assert_true(exists("l/points/G-2/mine.csv.tmp-1-0")); /* process 1 lives */
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        snprintf(path, sizeof path, "l/points/G-2/%s", kept[i]);
        assert_true(exists(path));
    }
}

static void folders_of_removed_values_stay_and_are_named(void **state)
{
    (void)state;
    write_sweep("v.json", G_AXIS, NO_FIGURES);
    assert_exit("$H sweep v.json --output v", 0);
    assert_null(strstr(err_text, "part of this sweep"));
    write_sweep("v.json", "{\"name\": \"G\", \"key\": \"hierarchy.periods[0]\", \"values\": [2, 12]}", NO_FIGURES);
    assert_exit("$H sweep v.json --output v", 0);
    assert_non_null(
        strstr(err_text, "hsgd: note: in v/points 1 folder is not part of this sweep and left alone: G-6\n"));
    assert_true(exists("v/points/G-6/result.json"));
    assert_exit("mkdir v/points/G-5 && touch v/points/file && $H sweep v.json --output v", 0);
    assert_non_null(strstr(err_text, "in v/points 2 folders are not part of this sweep and left alone: G-5, ...\n"));
    assert_exit("$H sweep v.json --output v --quiet", 0);
    assert_string_equal(err_text, "");
}

/* ---- figures ---- */

/* The column of a figure's data file. */
static double number_in(const char *path, size_t row, const char *column)
{
    char *text = read_text(path);
    assert_non_null(text);
    for (char *c = text; *c; c++)
        *c = *c == ' ' ? ',' : *c;
    double value = strtod(cell(text, row, column), NULL);
    free(text);
    return value;
}

static void figures_show_the_numbers_of_the_points(void **state)
{
    (void)state;
    write_sweep("g.json", G_AXIS "," RATE_AXIS, "");
    assert_exit("$H sweep g.json --output g", 0);
    assert_non_null(
        strstr(out, "sweep.pdf, sweep-map.pdf, sweep-convergence.pdf, sweep-loss.pdf; each point in points/NAME"));
    cJSON *sweep = read_json("g/sweep.json"), *points = get(sweep, "points");
    static const double G[] = {2, 6, 12};
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 2; j++) {
            const cJSON *point = cJSON_GetArrayItem(points, (int)(i * 2 + j)), *S = get(get(point, "measured"), "S");
            const cJSON *bound = element(get(point, "bounds"), "id", "hsgd-fixed-recursive");
            char name[32], path[256];
            assert_true(number_in("g/sweep.dat", i, "x") == G[i]);
            snprintf(name, sizeof name, "S_%zu_1", j + 1);
            assert_true(number_in("g/sweep.dat", i, name) == number(S, "mean"));
            snprintf(name, sizeof name, "S_low_%zu_1", j + 1);
            assert_true(number_in("g/sweep.dat", i, name) == cJSON_GetArrayItem(get(S, "ci"), 0)->valuedouble);
            snprintf(name, sizeof name, "bound_%zu_1", j + 1);
            assert_true(number_in("g/sweep.dat", i, name) == number(bound, "value"));
            /* the map */
            assert_true(number_in("g/sweep-map.dat", i * 2 + j, "S_1") == number(S, "mean"));
            assert_close(number_in("g/sweep-map.dat", i * 2 + j, "share_1"), number(bound, "ratio"), 1e-12);
            /* and a curve: loss is drawn as it is */
            snprintf(path, sizeof path, "g/%s/series.csv", text_of(point, "folder"));
            hsgd_series series;
            hsgd_error err;
            assert_ok(hsgd_series_read(&series, path, &err), err);
            snprintf(name, sizeof name, "y_%zu", i * 2 + j + 1);
            assert_true(number_in("g/sweep-loss.dat", 17, name) == hsgd_series_column(&series, "loss")[17]);
            hsgd_series_free(&series);
        }
    cJSON_Delete(sweep);
}

/* S of the first three runs one by one, from the means over one, two and three seeds of the point in g/points/G-6_rate-0.01. */
static void single_runs(double *S)
{
    double sum = 0;
    for (int seeds = 1; seeds <= 3; seeds++) {
        char line[128];
        snprintf(line, sizeof line, "$H run point.json --output single --quiet --seeds %d", seeds);
        shell(line); /* few seeds may leave a verdict open */
        cJSON *result = read_json("single/result.json");
        double mean = number(get(get(result, "measured"), "S"), "mean");
        S[seeds - 1] = seeds * mean - sum;
        sum += S[seeds - 1];
        cJSON_Delete(result);
    }
}

static void assert_bar(const char *band, double low, double high)
{
    char line[64];
    snprintf(line, sizeof line, "$H plot g --band %s", band);
    assert_exit(line, 0);
    assert_close(number_in("g/sweep.dat", 1, "S_low_1_1"), low, 1e-9);
    assert_close(number_in("g/sweep.dat", 1, "S_high_1_1"), high, 1e-9);
}

/* Error bars are what the style calls bands, from the runs themselves, and the caption says which. */
static void error_bars_are_those_that_were_asked_for(void **state)
{
    (void)state;
    cJSON *result = read_json("g/points/G-6_rate-0.01/result.json");
    char *config = cJSON_Print(get(result, "config"));
    write_text("point.json", config);
    double S[3], mean = number(get(get(result, "measured"), "S"), "mean");
    single_runs(S);
    double low = fmin(S[0], fmin(S[1], S[2])), high = fmax(S[0], fmax(S[1], S[2])), square = 0;
    for (int r = 0; r < 3; r++)
        square += (S[r] - mean) * (S[r] - mean);
    double sd = sqrt(square / 2);
    assert_bar("range", low, high);
    assert_exit(
        "grep -q 'from the smallest to the largest run' g/sweep.caption.tex && grep -q 'ranges of runs' g/sweep.gp", 0);
    assert_bar("sd", mean - sd, mean + sd);
    assert_exit("grep -q 'one standard deviation' g/sweep.caption.tex", 0);
    assert_bar("se", mean - sd / sqrt(3), mean + sd / sqrt(3));
    assert_exit("grep -q 'one standard error' g/sweep.caption.tex", 0);
    const cJSON *ci = get(get(get(result, "measured"), "S"), "ci");
    assert_bar("ci", cJSON_GetArrayItem(ci, 0)->valuedouble, cJSON_GetArrayItem(ci, 1)->valuedouble);
    assert_exit("grep -q 'confidence intervals' g/sweep.caption.tex", 0);
    assert_exit("cp -r g old && sed -i 's/S_runs/S_raw/' old/sweep.json", 0);
    assert_refusal("$H plot old --band range", 2, "S_runs is missing");
    cJSON_free(config);
    cJSON_Delete(result);
}

/* Each script runs alone, and hsgd plot makes all of them again in other formats. */
static void scripts_run_alone(void **state)
{
    (void)state;
    assert_exit("cd g && rm *.pdf && for s in *.gp; do gnuplot $s || exit 1; done && ls *.pdf | wc -l", 0);
    assert_int_equal(atoi(out), 4);
    assert_exit("$H plot g --format svg && ls g/*.svg | wc -l && $H plot g --format tex && $H plot g --width neurips",
                0);
    assert_non_null(strstr(out, "4\n"));
    assert_non_null(strstr(out, "g/sweep-map.tex"));
}

/* In narrow columns gnuplot put the legends of SVG beyond the left edge: no line and no box may begin there. */
static void legends_stay_on_narrow_figures(void **state)
{
    (void)state;
    static const char *const width[] = {"3.0", "3.5"};
    char line[256];
    assert_exit("$H run --output demo --quiet --seeds 2", 0);
    for (size_t i = 0; i < 2; i++) {
        snprintf(line, sizeof line, "$H plot demo --format svg --width %s && $H plot g --format svg --width %s",
                 width[i], width[i]);
        assert_exit(line, 0);
        assert_exit("ls demo/*.svg g/*.svg | wc -l", 0);
        assert_true(atoi(out) >= 10);
        assert_exit("grep -lE \"(M|points = ')-[0-9]+\\.[0-9][0-9],\" demo/*.svg g/*.svg", 1);
    }
    assert_exit("$H plot g", 0);
}

/* With three axes, categories and labels that gnuplot and TeX could stumble over. */
static void categories_and_panels(void **state)
{
    (void)state;
    write_sweep(
        "k.json",
        "{\"name\": \"a%b\", \"key\": \"grouping\", \"values\": [\"given\", \"random\"], \"labels\": [\"'q' `$x`\", "
        "\"a \\\"quoted\\\" {/:Italic label} that is long, too long for the axis\"]}, "
        "{\"name\": \"c_d\", \"key\": \"seeds\", \"values\": [6, 7], \"labels\": [\"50 %\", \"#1 & "
        "\\\\all~^_\"]}," G_AXIS,
        "");
    assert_exit("$H sweep k.json --output k --quiet", 0);
    assert_exit("$H plot k --format svg && $H plot k --format tex", 0);
    assert_string_equal(err_text, "");
}

/* While it runs, figures show what is there; hsgd plot says what it cannot show. */
static void figures_of_an_unfinished_sweep(void **state)
{
    (void)state;
    assert_exit("cp -r g half && rm -r half/points/G-6* && $H sweep g.json --output half --seeds 2 --dry-run", 0);
    assert_exit("sed -i '0,/\"state\":\\t\"done\"/s//\"state\":\\t\"waiting\"/' half/sweep.json && $H plot half", 2);
    assert_non_null(strstr(err_text, "series.csv: cannot be opened"));
    assert_exit("cp -r g/points/* half/points && $H plot half", 0);
    assert_true(isnan(number_in("half/sweep.dat", 0, "S_1_1")));
    assert_false(isnan(number_in("half/sweep.dat", 0, "S_2_1")));
    assert_exit("grep -q '5 of 6 points' half/sweep.gp", 0);
}

/* Figures of single points only where they are asked for. */
static void figures_of_points_if_asked_for(void **state)
{
    (void)state;
    write_sweep("p.json", WHO_AXIS, ", \"figures\": [\"convergence\"]");
    assert_exit("$H sweep p.json --output p --quiet", 0);
    assert_true(exists("p/points/who-heavy-ball/convergence.pdf"));
    assert_false(exists("p/points/who-heavy-ball/terms.pdf"));
    assert_false(exists("p/sweep.pdf"));
    assert_false(exists("g/points/G-2_rate-0.01/convergence.gp"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_to_the_bit_what_run_makes),
        cmocka_unit_test(the_table_has_a_row_for_each_point),
        cmocka_unit_test(columns_have_names_of_their_own),
        cmocka_unit_test(finished_points_are_not_run_again),
        cmocka_unit_test(results_that_somebody_changed_are_made_again),
        cmocka_unit_test(an_old_result_does_not_outlive_the_start_of_a_new_one),
        cmocka_unit_test(an_interrupted_sweep_goes_on_and_ends_the_same),
        cmocka_unit_test(a_killed_sweep_leaves_nothing_behind),
        cmocka_unit_test(a_killed_point_does_not_end_the_others),
        cmocka_unit_test(a_point_that_fails_leaves_the_others_alone),
        cmocka_unit_test(the_exit_code_is_that_of_the_worst_point),
        cmocka_unit_test(a_folder_holds_a_run_or_a_sweep),
        cmocka_unit_test(bad_calls_are_refused),
        cmocka_unit_test(a_dry_run_predicts_every_point_and_does_nothing),
        cmocka_unit_test(a_dry_run_lowers_the_jobs_to_what_fits),
        cmocka_unit_test(a_sweep_runs_no_more_than_fits),
        cmocka_unit_test(leftovers_of_killed_children_go),
        cmocka_unit_test(folders_of_removed_values_stay_and_are_named),
        cmocka_unit_test(figures_show_the_numbers_of_the_points),
        cmocka_unit_test(error_bars_are_those_that_were_asked_for),
        cmocka_unit_test(scripts_run_alone),
        cmocka_unit_test(legends_stay_on_narrow_figures),
        cmocka_unit_test(categories_and_panels),
        cmocka_unit_test(figures_of_an_unfinished_sweep),
        cmocka_unit_test(figures_of_points_if_asked_for),
    };
    return cmocka_run_group_tests_name("sweep_program", tests, enter_folder, leave_folder);
}
