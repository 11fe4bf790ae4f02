/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The line of a process that ends without a word is said, once, and as the folder then is; that of one that speaks for itself is
 * not, nor that of one that ends its witness twice. */
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "experiments/witness.h"

typedef enum end { WORDLESS, KILLED, SPEAKS } end;

/* What a process says that has such a witness, and ends in this way after it has put a file into the folder if told so. */
static void run(char *said, size_t size, end how, const char *folder, const char *file)
{
    int both[2];
    size_t length = 0;
    assert_int_equal(pipe(both), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        hsgd_witness witness = {0};
        hsgd_error err;
        setpgid(0, 0);
        dup2(both[1], STDERR_FILENO);
        close(both[0]);
        close(both[1]);
        if (hsgd_witness_begin(&witness, "kept: it's $(here)", "nothing", folder, &err))
            _exit(1);
        if (file)
            fclose(fopen(file, "w"));
        if (how == SPEAKS) {
            hsgd_witness_end(&witness);
            hsgd_witness_end(&witness);
        } else if (how == KILLED)
            kill(0, SIGKILL);
        _exit(0);
    }
    close(both[1]);
    /* until the witness has ended, too */
    for (ssize_t got; (got = read(both[0], said + length, size - 1 - length)) > 0;)
        length += (size_t)got;
    said[length] = '\0';
    close(both[0]);
    waitpid(child, NULL, 0);
}

static void who_is_gone_without_a_word_has_one_said(void **state)
{
    (void)state;
    char folder[] = "/tmp/hsgd-witness-XXXXXX", file[64], said[200];
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/file", folder);
    run(said, sizeof said, WORDLESS, folder, NULL);
    assert_string_equal(said, "nothing\n");
    run(said, sizeof said, WORDLESS, "/nowhere", NULL);
    assert_string_equal(said, "nothing\n");
    run(said, sizeof said, SPEAKS, folder, file);
    assert_string_equal(said, "");
    run(said, sizeof said, KILLED, folder, NULL);
    assert_string_equal(said, "kept: it's $(here)\n");
    unlink(file);
    run(said, sizeof said, KILLED, folder, file);
    assert_string_equal(said, "kept: it's $(here)\n");
    unlink(file);
    rmdir(folder);
}

static void without_a_begin_nothing_happens(void **state)
{
    (void)state;
    hsgd_witness none = {0};
    hsgd_witness_end(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_gone_without_a_word_has_one_said),
        cmocka_unit_test(without_a_begin_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
