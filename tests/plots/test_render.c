/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can go wrong around the figures: gnuplot, folders, disks. */
#include "tests/plots/figure_input.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "plots/output.h"

static void write_file(const char *dir, const char *name, const char *text, mode_t mode)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* Render with another PATH, and put the old one back. */
static hsgd_status render_with_path(const char *path, const char *dir, const char *name, hsgd_error *err)
{
    char *old = strdup(getenv("PATH"));
    setenv("PATH", path, 1);
    hsgd_status status = hsgd_figure_render(dir, name, err);
    setenv("PATH", old, 1);
    free(old);
    return status;
}

static void a_missing_gnuplot_is_named(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 2, 20);
    char empty[] = "/tmp/hsgd-plots-empty-XXXXXX";
    assert_non_null(mkdtemp(empty));
    assert_ok(hsgd_figure_find("convergence")->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    assert_fails(render_with_path(empty, f.dir, "convergence", &err), HSGD_ERROR_ENVIRONMENT,
                 "gnuplot is not installed; on Debian: apt-get install gnuplot-nox", err);
    assert_int_equal(render_with_path(empty, f.dir, "convergence", NULL), HSGD_ERROR_ENVIRONMENT);
    rmdir(empty);
    teardown(&f);
}

static void a_broken_script_fails_with_the_message_of_gnuplot(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 1, 5);
    write_file(f.dir, "broken.gp", "set terminal svg\nset output 'broken.svg'\nplot x y\n", 0644);
    write_file(f.dir, "broken.svg", "an older figure", 0644);
    assert_fails(hsgd_figure_render(f.dir, "broken", &err), HSGD_ERROR_ENVIRONMENT, "line 3: unexpected", err);
    assert_non_null(strstr(err.message, f.dir));
    assert_int_equal(count_files(f.dir, false), 1); /* neither half a figure nor the old one */
    write_file(f.dir, "broken.gp", "exit status 3\n", 0644);
    assert_fails(hsgd_figure_render(f.dir, "broken", &err), HSGD_ERROR_ENVIRONMENT, "no reason", err);
    teardown(&f);
}

static void warnings_alone_are_not_a_failure(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 1, 5);
    write_file(f.dir, "chatty.gp",
               "set terminal svg\nset output 'chatty.svg'\ndo for [i=1:20000] { print 'warning: something' }\n"
               "plot x\nset output\n",
               0644);
    assert_ok(hsgd_figure_render(f.dir, "chatty", &err), err);
    teardown(&f);
}

static void a_figure_that_was_not_written_is_noticed(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 1, 5);
    write_file(f.dir, "idle.gp", "set terminal svg\nset output 'idle.svg'\n", 0644);
    write_file(f.dir, "idle.svg", "an older figure", 0644);
    assert_fails(hsgd_figure_render(f.dir, "idle", &err), HSGD_ERROR_ENVIRONMENT, "wrote nothing to", err);
    assert_non_null(strstr(err.message, "idle.svg"));
    write_file(f.dir, "idle.gp", "exit status 0\nset output 'idle.svg'\n", 0644);
    write_file(f.dir, "idle.svg", "an older figure", 0644);
    assert_fails(hsgd_figure_render(f.dir, "idle", &err), HSGD_ERROR_ENVIRONMENT, "wrote nothing to", err);
    write_file(f.dir, "elsewhere.gp", "set terminal svg\nset output 'my own.svg'\nplot x\nset output\n", 0644);
    assert_ok(hsgd_figure_render(f.dir, "elsewhere", &err), err);
    teardown(&f);
}

/* In place of gnuplot: programs that end in unusual ways. */
static void other_ends_of_gnuplot(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 1, 5);
    write_file(f.dir, "x.gp", "plot x\n", 0644);
    write_file(f.dir, "gnuplot", "#!/bin/sh\nkill -9 $$\n", 0755);
    assert_fails(render_with_path(f.dir, f.dir, "x", &err), HSGD_ERROR_ENVIRONMENT, "signal 9", err);
    write_file(f.dir, "gnuplot", "#!/bin/sh\nexit 127\n", 0755); /* so ends what could not be started (POSIX) */
    assert_fails(render_with_path(f.dir, f.dir, "x", &err), HSGD_ERROR_ENVIRONMENT, "gnuplot is not installed", err);
    write_file(f.dir, "gnuplot", "#!/bin/sh\necho first >&2\necho '  last words\x01' >&2\nexit 7\n", 0755);
    assert_fails(render_with_path(f.dir, f.dir, "x", &err), HSGD_ERROR_ENVIRONMENT, ": last words?", err);
    /* 1 MB on standard error: neither a deadlock nor a lost ending. */
    write_file(f.dir, "gnuplot",
               "#!/bin/sh\ni=0\nwhile [ $i -lt 1000 ]; do printf '%01000d\\n' 0 >&2; i=$((i+1)); done\n"
               "echo the end >&2\nexit 1\n",
               0755);
    assert_fails(render_with_path(f.dir, f.dir, "x", &err), HSGD_ERROR_ENVIRONMENT, ": the end", err);
    teardown(&f);
}

/* Whatever gnuplot prints must not end up in the results on standard output, and the caller's input is not read. */
static void standard_input_and_output_are_left_alone(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 1, 5);
    write_file(f.dir, "x.gp", "\n", 0644);
    write_file(f.dir, "gnuplot",
               "#!/bin/sh\n[ /proc/$$/fd/0 -ef /dev/null ] && [ /proc/$$/fd/1 -ef /dev/null ] || exit 9\n"
               "case \"$(pwd)\" in \"${0%/*}\"/.render-*) ;; *) exit 8 ;; esac\n[ \"$*\" = '-d ./x.gp' ] || exit 7\n",
               0755);
    assert_ok(render_with_path(f.dir, f.dir, "x", &err), err);
    teardown(&f);
}

static void the_caller_may_have_closed_its_standard_streams(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 2, 20);
    assert_ok(hsgd_figure_find("divergence")->write(&f.in, f.dir, in_format(HSGD_FIGURE_SVG), &err), err);
    int saved[3];
    fflush(NULL);
    for (int i = 0; i < 3; i++) {
        saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
        close(i);
    }
    hsgd_status good = hsgd_figure_render(f.dir, "divergence", &err);
    hsgd_error bad;
    FILE *script = fopen("/dev/null", "r"); /* another number taken */
    hsgd_status missing = hsgd_figure_render(f.dir, "nothing", &bad);
    if (script)
        fclose(script);
    for (int i = 0; i < 3; i++) {
        dup2(saved[i], i);
        close(saved[i]);
    }
    assert_int_equal(good, HSGD_OK);
    assert_int_equal(missing, HSGD_ERROR_ENVIRONMENT);
    teardown(&f);
}

static void names_that_are_not_names_are_refused(void **state)
{
    (void)state;
    hsgd_error err;
    assert_fails(hsgd_figure_render("/tmp", "../etc/passwd", &err), HSGD_ERROR_INPUT, "without folder", err);
    assert_fails(hsgd_figure_render("/tmp", "", &err), HSGD_ERROR_INPUT, "without folder", err);
    assert_fails(hsgd_figure_render("/no/such/folder", "terms", &err), HSGD_ERROR_ENVIRONMENT,
                 "/no/such/folder/terms.gp: No such file", err);
}

static void folders_that_cannot_be_written(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 2, 20);
    for (size_t i = 0; i < hsgd_num_figures; i++) {
        char file[64];
        snprintf(file, sizeof file, "/no/such/folder/%s.dat: No such file", hsgd_figures[i]->name);
        assert_fails(hsgd_figures[i]->write(&f.in, "/no/such/folder", in_format(HSGD_FIGURE_PDF), &err),
                     HSGD_ERROR_ENVIRONMENT, file, err);
    }
    /* /proc refuses new files even to the superuser. */
    assert_int_equal(hsgd_figure_find("terms")->write(&f.in, "/proc/self", in_format(HSGD_FIGURE_PDF), &err),
                     HSGD_ERROR_ENVIRONMENT);
    assert_non_null(strstr(err.message, "cannot write /proc/self/terms.dat: "));
    teardown(&f);
}

/* A limit on file sizes stands in for a full disk: the old files stay, and nothing half-written. */
static void a_full_disk_leaves_the_old_files(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 2, 1500);
    write_file(f.dir, "convergence.dat", "old", 0644);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit old, limit;
    getrlimit(RLIMIT_FSIZE, &old);
    limit = old;
    limit.rlim_cur = 8192;
    setrlimit(RLIMIT_FSIZE, &limit);
    hsgd_status status = hsgd_figure_find("convergence")->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(status, HSGD_ERROR_ENVIRONMENT);
    assert_non_null(strstr(err.message, "/convergence.dat: File too large"));
    assert_int_equal(count_files(f.dir, false), 1);
    char *text = file_text(f.dir, "convergence", "dat");
    assert_string_equal(text, "old");
    free(text);
    /* A folder in the place of the script: renaming fails. */
    char path[256];
    snprintf(path, sizeof path, "%s/terms.gp", f.dir);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_fails(hsgd_figure_find("terms")->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err),
                 HSGD_ERROR_ENVIRONMENT, "/terms.gp: Is a directory", err);
    rmdir(path);
    assert_int_equal(count_files(f.dir, false), 2); /* the old file and terms.dat */
    teardown(&f);
}

/* gnuplot ends well when the disk is full; the figure is not whole, and does not get its name. */
static void half_a_figure_is_none(void **state)
{
    (void)state;
    static const char *const terminal[][2] = {{"pdfcairo", "pdf"},
                                              {"pngcairo size 2000,2000", "png"},
                                              {"svg", "svg"},
                                              {"cairolatex pdf", "tex"},
                                              {"tikz", "tex"}};
    hsgd_error err;
    fixture f;
    setup(&f, 1, 5);
    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < sizeof terminal / sizeof *terminal; i++) {
        struct rlimit old, limit;
        char text[512], name[256];
        snprintf(text, sizeof text,
                 "set terminal %s\nset output 'big.%s'\nset samples 2000\nplot for [i=1:9] sin(i*x)\nset output\n",
                 terminal[i][0], terminal[i][1]);
        write_file(f.dir, "big.gp", text, 0644);
        assert_ok(hsgd_figure_render(f.dir, "big", &err), err);
        getrlimit(RLIMIT_FSIZE, &old);
        limit = old;
        limit.rlim_cur = 4096;
        setrlimit(RLIMIT_FSIZE, &limit);
        hsgd_status status = hsgd_figure_render(f.dir, "big", &err);
        setrlimit(RLIMIT_FSIZE, &old);
        assert_int_equal(status, HSGD_ERROR_ENVIRONMENT);
        snprintf(name, sizeof name, "%s/big.%s", f.dir, terminal[i][1]);
        if (access(name, F_OK) == 0)
            fail_msg("half of %s is there", name);
        count_files(f.dir, true);
    }
    teardown(&f);
}

static void temporary_names_are_never_shared(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 1, 5);
    hsgd_output a, b;
    assert_ok(hsgd_output_open(&a, f.dir, "x", "dat", &err), err);
    assert_ok(hsgd_output_open(&b, f.dir, "x", "dat", &err), err);
    fputs("from a", a.stream);
    fputs("from b", b.stream);
    assert_ok(hsgd_output_close(&b, &err), err);
    assert_ok(hsgd_output_close(&a, &err), err);
    char *text = file_text(f.dir, "x", "dat");
    assert_string_equal(text, "from a");
    free(text);
    assert_int_equal(count_files(f.dir, false), 1);
    teardown(&f);
}

static void formats_have_names(void **state)
{
    (void)state;
    hsgd_figure_format format = HSGD_FIGURE_PDF;
    for (int i = HSGD_FIGURE_PDF; i <= HSGD_FIGURE_TEX; i++) {
        assert_int_equal(hsgd_figure_format_parse(hsgd_figure_format_name((hsgd_figure_format)i), &format), 0);
        assert_int_equal(format, i);
    }
    assert_string_equal(hsgd_figure_format_name(HSGD_FIGURE_PNG), "png");
    assert_int_equal(hsgd_figure_format_parse("PDF", &format), -1);
    assert_int_equal(hsgd_figure_format_parse(NULL, &format), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_gnuplot_is_named),
        cmocka_unit_test(a_broken_script_fails_with_the_message_of_gnuplot),
        cmocka_unit_test(warnings_alone_are_not_a_failure),
        cmocka_unit_test(a_figure_that_was_not_written_is_noticed),
        cmocka_unit_test(other_ends_of_gnuplot),
        cmocka_unit_test(standard_input_and_output_are_left_alone),
        cmocka_unit_test(the_caller_may_have_closed_its_standard_streams),
        cmocka_unit_test(names_that_are_not_names_are_refused),
        cmocka_unit_test(folders_that_cannot_be_written),
        cmocka_unit_test(a_full_disk_leaves_the_old_files),
        cmocka_unit_test(half_a_figure_is_none),
        cmocka_unit_test(temporary_names_are_never_shared),
        cmocka_unit_test(formats_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
