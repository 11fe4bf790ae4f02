/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program against input that means it harm: one line and the exit code of the contract, or a result as with any other
 * name; nothing runs, nothing outside of the output folder is touched, and nothing blocks or fills the memory. */
#include "tests/experiments/program.h"

#include <sys/resource.h>

#define OPTIMIZER "\"optimizer\": {\"step_size\": 0.01, \"steps\": 8}"
#define REST                                                                                                           \
    "\"problem\": {\"type\": \"quadratic\", \"dimension\": 2, \"curvature_range\": [0.1, 1], \"level_divergence\": "   \
    "[1, 1], \"noise_variance\": 1}, \"seeds\": 2, \"bounds\": []"
#define TREE "\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}"
#define GOOD "{\"name\": \"good\", " TREE ", " REST ", " OPTIMIZER ", \"figures\": []}"

/* Seconds of processor and bytes of memory that a run may take; far more than any here needs. */
static int enter_bounded_folder(void **state)
{
    setrlimit(RLIMIT_CPU, &(struct rlimit){60, 60});
#ifndef __SANITIZE_ADDRESS__
    setrlimit(RLIMIT_DATA, &(struct rlimit){(rlim_t)2 << 30, (rlim_t)2 << 30});
#endif
    int failed = enter_folder(state);
    write_text("good.json", GOOD);
    write_text("victim", "keep");
    return failed;
}

static void victim_is_whole(void)
{
    char *text = read_text("victim");
    assert_string_equal(text, "keep");
    free(text);
    assert_false(exists("pwned"));
}

/* A file of a unit repeated, between two texts. */
static void write_repeated(const char *path, const char *before, const char *unit, size_t count, const char *after)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(before, file);
    for (size_t i = 0; i < count; i++)
        fputs(unit, file);
    fputs(after, file);
    assert_int_equal(fclose(file), 0);
}

/* ---- names ---- */

/* Names that a shell, gnuplot, LaTeX, a file system or a terminal might take for something else, as JSON has them. */
static void names_are_names(void **state)
{
    (void)state;
    static const char *const name[] = {"$(touch pwned)",
                                       "`touch pwned`",
                                       "'; touch pwned; '",
                                       "\\\"; system \\\"touch pwned\\\"",
                                       "../../victim",
                                       "/victim",
                                       "..",
                                       "",
                                       "-rf",
                                       "a\\nsystem 'touch pwned'",
                                       "\\\\input{victim}",
                                       "\\u001b[2J"};
    char text[1024];
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        snprintf(text, sizeof text,
                 "{\"name\": \"%s\", " TREE ", " REST ", " OPTIMIZER ", \"figures\": [\"convergence\"]}", name[i]);
        write_text("name.json", text);
        assert_exit("rm -rf inside && mkdir -p inside/a && cd inside/a && $H run ../../name.json --quiet && test -e "
                    "results/*/convergence.pdf "
                    "&& test \"$(find .. | grep -v '^../a/results')\" = \"$(printf '..\\n../a')\"",
                    0);
        victim_is_whole();
    }
}

static void folders_with_any_name(void **state)
{
    (void)state;
    static const char *const folder[] = {"a b",           "it's",          "\"",   "a\nb",   "$(touch pwned)",
                                         "`touch pwned`", "a;touch pwned", "%s%n", "\x1b[2J"};
    for (size_t i = 0; i < sizeof folder / sizeof *folder; i++) {
        setenv("D", folder[i], 1);
        assert_exit("mkdir -p \"$D\" && cp good.json \"$D\" && $H run \"$D/good.json\" --output \"$D/out\" --quiet && "
                    "$H plot \"$D/out\" "
                    "&& $H report \"$D/out\" && rm -r \"$D\"",
                    0);
        assert_int_equal(shell("$H plot \"$D\""), 2);
        assert_true(strchr(err_text, '\n') == err_text + strlen(err_text) - 1 && !strchr(err_text, '\x1b'));
        victim_is_whole();
    }
}

/* The reason is there to the end, however long the path before it. */
static void long_paths(void **state)
{
    (void)state;
    assert_exit("d=$(printf 'd%.0s' $(seq 250)); p=$d/$d/$d/$d/$d/$d; mkdir -p $p && cp good.json $p && "
                "$H run $p/good.json --output $p/out --quiet && $H plot $p/out",
                0);
    assert_refusal("$H plot $(printf '%s/' d* d*/d* d*/d*/d* d*/d*/d*/d*)", 2, "");
    assert_refusal("$H plot $(echo d*/d*/d*/d*/d*/d*)", 2, "/result.json: cannot be opened: No such file or directory");
    assert_refusal("$H run $(printf 'd%.0s' $(seq 5000))", 2, ": cannot be opened: File name too long");
}

/* ---- output folders ---- */

static void output_folders(void **state)
{
    (void)state;
    assert_refusal("$H run good.json --quiet --output victim", 4, "victim: the output folder cannot be made");
    assert_refusal("$H run good.json --quiet --output victim/o", 4, "victim: the output folder cannot be made");
    assert_exit("ln -s nowhere dangling", 0);
    assert_refusal("$H run good.json --quiet --output dangling", 4, "dangling: the output folder cannot be made");
    if (geteuid() != 0) { /* root writes everywhere */
        assert_exit("mkdir read-only && chmod a-w read-only", 0);
        assert_refusal("$H run good.json --quiet --output read-only", 4,
                       "read-only: the output folder cannot be written to");
    }
    victim_is_whole();
}

/* Files are replaced by files, not written through links; folders behind links are not ours. */
static void links_in_output_folders(void **state)
{
    (void)state;
    assert_exit("mkdir o && for f in result.json series.csv nodes.csv convergence.gp report.html; do ln -s ../victim "
                "o/$f; done; "
                "$H run good.json --quiet --output o && $H report o && test ! -L o/series.csv -a ! -L o/report.html",
                0);
    victim_is_whole();
    assert_exit("mkdir o2 real && echo keep > real/main-seed-1.state && ln -s ../real o2/checkpoint && "
                "$H run good.json --quiet --output o2 && test -e real/main-seed-1.state",
                0);
    write_text("sweep.json",
               "{\"name\": \"s\", " TREE ", " REST ", " OPTIMIZER ", \"figures\": [\"sweep\"], \"sweep\": {\"axes\": "
               "[{\"name\": \"I\", \"key\": \"hierarchy.periods[1]\", \"values\": [1, 2]}]}}");
    assert_exit("mkdir o3 elsewhere && ln -s ../elsewhere o3/points", 0);
    assert_refusal("$H sweep sweep.json --output o3 --quiet", 4, "o3/points: is a symbolic link");
    assert_exit("rm o3/points && $H sweep sweep.json --output o3 --quiet > table && cd o3/points && set -- * && rm -r "
                "\"$1\" && "
                "ln -s ../../elsewhere \"$1\"",
                0);
    assert_refusal("$H sweep sweep.json --output o3 --quiet", 4, ": is no folder, but a symbolic link");
    assert_exit("rmdir elsewhere", 0);
}

/* ---- what is read ---- */

static void what_is_no_file(void **state)
{
    (void)state;
    assert_exit("mkfifo fifo && mkdir -p of && $H run good.json --quiet --output of && rm of/series.csv && mkfifo "
                "of/series.csv",
                0);
    assert_refusal("timeout 20 $H run fifo", 2, "fifo: is a named pipe; expected a file");
    assert_refusal("timeout 20 $H bound fifo", 2, "fifo: is a named pipe; expected a file");
    assert_refusal("timeout 20 $H plot of", 2, "of/series.csv: is a named pipe; expected a file");
    assert_refusal("timeout 20 $H diff of of", 2, "of/series.csv: is a named pipe; expected a file");
    assert_refusal("timeout 20 $H check of", 2, "of/series.csv: is a named pipe; expected a file");
    assert_exit("$H run good.json --quiet --output of && rm of/nodes.csv && mkfifo of/nodes.csv && "
                "timeout 20 $H report of",
                0);
    assert_refusal("timeout 20 $H check of", 2, "of/nodes.csv: is a named pipe; expected a file");
    assert_refusal("$H run /dev/zero", 2, "/dev/zero: is a device; expected a file");
    assert_refusal("$H run .", 2, ".: is a folder; expected a file");
    assert_exit(
        "cat good.json | $H run - --quiet --output stdin && cat good.json | $H run /dev/stdin --quiet --output stdin",
        0);
}

static void documents(void **state)
{
    (void)state;
    write_repeated("deep.json", "", "[", 10000000, "");
    assert_refusal("$H run deep.json", 2, "deep.json: line 1, column 201: more than 200 objects and arrays");
    write_repeated("deep.json", "{\"name\": ", "{\"a\":", 1000000, "");
    assert_refusal("$H bound deep.json", 2, "deep.json: line 1, column ");
    write_repeated("many.json", "[1", ",1", 25000000, "]");
    assert_refusal("$H run many.json", 2, "more than 20000000 values");
    write_text("twice.json", "{\"name\": \"a\", \"name\": \"b\", " TREE ", " REST ", " OPTIMIZER "}");
    assert_refusal("$H run twice.json", 2, "twice.json: name: \"a\": the key stands twice");
    write_text("bytes.json", "{\"name\": \"\xff\"}");
    assert_refusal("$H run bytes.json", 2, "line 1, column 11: the byte 0xff is not UTF-8");
    write_text("zero.json", "{\"name\": \"a\\u0000b\"}");
    assert_refusal("$H run zero.json", 2, "line 1, column 12: a text must not have the character \\u0000");
}

/* However a number that is none is spelled. */
static void numbers(void **state)
{
    (void)state;
    static const char *const bad[] = {"NaN",       "nan", "-NaN",      "NAN",   "nan(1)", "Infinity",
                                      "-Infinity", "inf", "+Infinity", "1e400", "-1e400", "0x10",
                                      "+1",        "1e",  "1_000",     "\"1\"", "null"};
    char text[1024];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text,
                 "{\"name\": \"a\", " TREE ", " REST ", \"optimizer\": {\"step_size\": %s, \"steps\": 8}}", bad[i]);
        write_text("number.json", text);
        assert_refusal("$H run number.json", 2, "number.json: ");
    }
    static const char *const steps[] = {"1e400", "1e300", "18446744073709551616", "9007199254740993", "-1", "0.5"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        snprintf(text, sizeof text,
                 "{\"name\": \"a\", " TREE ", " REST ", \"optimizer\": {\"step_size\": 1, \"steps\": %s}}", steps[i]);
        write_text("number.json", text);
        assert_refusal("$H run number.json", 2, "number.json: optimizer.steps: ");
    }
}

/* Sizes that no machine has: refused before anything is allocated. */
static void declared_sizes(void **state)
{
    (void)state;
    write_text("size.json",
               "{\"name\": \"a\", \"hierarchy\": {\"fanout\": [4294967296, 4294967296], \"periods\": [4, 2]}, " REST
               ", " OPTIMIZER "}");
    assert_refusal("$H run size.json", 2, "size.json: hierarchy");
    write_text("size.json",
               "{\"name\": \"a\", " TREE ", \"problem\": {\"type\": \"quadratic\", \"dimension\": 1e15, "
               "\"curvature_range\": [0.1, 1], \"level_divergence\": [1, 1], \"noise_variance\": 1}, " OPTIMIZER "}");
    assert_int_not_equal(shell("$H run size.json"), 0);
    assert_true(strchr(err_text, '\n') == err_text + strlen(err_text) - 1);
}

#define DATA(format)                                                                                                   \
    "{\"name\": \"a\", " TREE ", \"problem\": {\"type\": \"softmax\", \"data\": {\"format\": " format                  \
    "}, \"partition\": {\"scheme\": \"iid\"}}, " OPTIMIZER ", \"seeds\": 1}"

/* Data that declare more than there is, expand without end, or nest. */
static void data_files(void **state)
{
    (void)state;
    static const unsigned char images[] = {0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1};
    static const unsigned char labels[] = {0, 0, 8, 1, 255, 255, 255, 255, 1};
    write_bytes("i", images, sizeof images);
    write_bytes("l", labels, sizeof labels);
    write_text("data.json", DATA("\"idx\", \"images\": \"i\", \"labels\": \"l\""));
    assert_refusal("$H run data.json", 2, "i: the header declares 4294967295 items of 4294967295 x 4294967295 bytes");
    write_text("s", "0 4294967296:1\n");
    write_text("data.json", DATA("\"libsvm\", \"path\": \"s\""));
    assert_refusal("$H run data.json", 2, "s: line 1: the index \"4294967296\"");
    assert_exit("head -c 1048576 /dev/zero | gzip -9 > one && for i in $(seq 300); do cat one; done > bomb.gz", 0);
    write_text("data.json", DATA("\"csv\", \"path\": \"bomb.gz\""));
    assert_refusal("$H run data.json", 2, "bomb.gz: the gzip data, ");
    assert_exit("head -c 1048576 /dev/zero | tr '\\0' ' ' | gzip -9 > one && for i in $(seq 300); do cat one; done > "
                "blank.json.gz",
                0);
    write_text("data.json", DATA("\"leaf\", \"path\": \"blank.json.gz\""));
    assert_refusal("$H run data.json", 2, "blank.json.gz: the gzip data, ");
    write_repeated("deep.json", "{\"more\": ", "[", 1000000, "");
    write_text("data.json", DATA("\"leaf\", \"path\": \"deep.json\""));
    assert_refusal("$H run data.json", 2, "more than 100 objects and arrays inside each other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_names),
        cmocka_unit_test(folders_with_any_name),
        cmocka_unit_test(long_paths),
        cmocka_unit_test(output_folders),
        cmocka_unit_test(links_in_output_folders),
        cmocka_unit_test(what_is_no_file),
        cmocka_unit_test(documents),
        cmocka_unit_test(numbers),
        cmocka_unit_test(declared_sizes),
        cmocka_unit_test(data_files),
    };
    return cmocka_run_group_tests(tests, enter_bounded_folder, leave_folder);
}
