/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Streams go on where a signal interrupts them, and remember why a write failed. */
#include "tests/temp_files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis/stream.h"

enum { LINES = 50, PAUSE_US = 2000 };

static volatile sig_atomic_t alarms;

static void count(int signal)
{
    (void)signal;
    alarms++;
}

/* SIGALRM every millisecond; calls of the system that it interrupts fail. */
static void begin_alarms(void)
{
    const struct itimerval often = {{0, 1000}, {0, 1000}};
    const struct sigaction action = {.sa_handler = count};
    alarms = 0;
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void end_alarms(void)
{
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    assert_true(alarms > 10);
}

/* A process that writes the lines 0, 1, ... slowly. */
static pid_t slow_writer(int to)
{
    pid_t child = fork();
    assert_true(child >= 0);
    for (int i = 0; child == 0 && i < LINES; i++) {
        usleep(PAUSE_US);
        dprintf(to, "%d\n", i);
    }
    if (child == 0)
        _exit(0);
    close(to);
    return child;
}

static void reading_goes_on(void **state)
{
    (void)state;
    int ends[2], found, lines = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t writer = slow_writer(ends[1]);
    FILE *stream = hsgd_stream_of(ends[0], "r");
    assert_non_null(stream);
    begin_alarms();
    for (; fscanf(stream, "%d\n", &found) == 1; lines++)
        assert_int_equal(found, lines);
    end_alarms();
    assert_int_equal(lines, LINES);
    assert_true(feof(stream) && !ferror(stream));
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
}

/* More than a pipe holds, to one who reads slowly and says in the end whether all came in order. */
static void writing_goes_on(void **state)
{
    (void)state;
    enum { NUMBERS = 60000 };
    int ends[2], outcome;
    assert_int_equal(pipe(ends), 0);
    pid_t reader = fork();
    assert_true(reader >= 0);
    if (reader == 0) {
        close(ends[1]);
        FILE *in = fdopen(ends[0], "r");
        int expected = 0, found;
        for (; fscanf(in, "%d\n", &found) == 1 && found == expected; expected++)
            if (found % 2000 == 0)
                usleep(PAUSE_US);
        _exit(expected != NUMBERS);
    }
    close(ends[0]);
    FILE *stream = hsgd_stream_of(ends[1], "w");
    begin_alarms();
    for (int i = 0; i < NUMBERS; i++)
        assert_true(fprintf(stream, "%d\n", i) > 0);
    assert_int_equal(fclose(stream), 0);
    end_alarms();
    assert_int_equal(waitpid(reader, &outcome, 0), reader);
    assert_int_equal(outcome, 0);
}

/* A stream that wrote "more than " into `path` and then failed, as the disk had no room; now there would be room. */
static FILE *stream_that_failed(const char *path)
{
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    FILE *stream = hsgd_stream_of(hsgd_open_again(path, O_WRONLY | O_TRUNC | O_CLOEXEC, 0), "w");
    assert_non_null(stream);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){10, before.rlim_max});
    fputs("more than ten bytes", stream);
    assert_int_not_equal(fflush(stream), 0);
    setrlimit(RLIMIT_FSIZE, &before);
    return stream;
}

static void assert_closing_says_why(FILE *stream)
{
    errno = 0;
    assert_int_not_equal(fclose(stream), 0);
    assert_int_equal(errno, EFBIG);
}

static void the_reason_is_remembered(void **state)
{
    (void)state;
    temp_folder temp;
    temp_open(&temp);
    const char *path = temp_write(&temp, "file", "", 0);
    assert_closing_says_why(stream_that_failed(path)); /* although nothing is left to write */
    FILE *stream = stream_that_failed(path);
    fputs("and more", stream); /* would leave a hole in the text */
    assert_closing_says_why(stream);
    char text[64] = "";
    stream = hsgd_stream_open(path);
    assert_non_null(fgets(text, sizeof text, stream));
    assert_string_equal(text, "more than ");
    assert_int_equal(fseek(stream, -5, SEEK_END), 0);
    assert_non_null(fgets(text, sizeof text, stream));
    assert_string_equal(text, "than ");
    fclose(stream);
    assert_null(hsgd_stream_open("/nowhere/file"));
    assert_int_equal(errno, ENOENT);
    temp_close(&temp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_goes_on),
        cmocka_unit_test(writing_goes_on),
        cmocka_unit_test(the_reason_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
