/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running gnuplot: no shell, working directory DIR, its messages in ours. */
#include "plots/figure.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NUM_FORMATS = HSGD_FIGURE_TEX + 1 };

typedef struct message {
    char text[4096]; /* the end of what gnuplot said */
    size_t length;
} message;

/* Read descriptor to its end; of a long text the end is kept, where the error is. */
static void read_message(message *m, int descriptor)
{
    for (;;) {
        if (m->length == sizeof m->text - 1) {
            m->length /= 2;
            memmove(m->text, m->text + sizeof m->text - 1 - m->length, m->length);
        }
        ssize_t got = read(descriptor, m->text + m->length, sizeof m->text - 1 - m->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        m->length += (size_t)got;
    }
    m->text[m->length] = '\0';
}

/* The last line of text that says something, without the spaces around it; cuts text. */
static const char *last_line(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]))
        text[--length] = '\0';
    char *newline = strrchr(text, '\n');
    const char *line = newline ? newline + 1 : text;
    line += strspn(line, " \t\r");
    return *line ? line : "it gave no reason";
}

/* Start `gnuplot -d ./NAME.gp` in dir with standard error into the pipe. Returns 0 or an error number. -d: no start-up
 * file of the user, so that a figure looks the same everywhere. */
static int start(pid_t *child, const char *dir, const char *script, int error_descriptor)
{
    posix_spawn_file_actions_t actions;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return failed;
    /* Standard error first: the pipe may itself have the number 0 or 1 where the caller closed those. */
    failed = posix_spawn_file_actions_adddup2(&actions, error_descriptor, STDERR_FILENO);
    if (!failed)
        failed = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!failed)
        failed = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (!failed)
        failed = posix_spawn_file_actions_addchdir_np(&actions, dir);
    if (!failed) {
        char program[] = "gnuplot", defaults[] = "-d", path[512];
        snprintf(path, sizeof path, "./%s", script);
        char *arguments[] = {program, defaults, path, NULL};
        failed = posix_spawnp(child, program, &actions, NULL, arguments, environ);
    }
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static hsgd_status fail_start(hsgd_error *err, int reason)
{
    if (reason == ENOENT)
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT,
                         "gnuplot is not installed; on Debian: apt-get install gnuplot-nox");
    return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot start gnuplot: %s", strerror(reason));
}

/* Run the script and wait; fails with gnuplot's message. */
static hsgd_status run(const char *dir, const char *script, hsgd_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot start gnuplot: %s", strerror(errno));
    pid_t child;
    int failed = start(&child, dir, script, ends[1]);
    close(ends[1]);
    if (failed) {
        close(ends[0]);
        return fail_start(err, failed);
    }
    message said = {.length = 0};
    read_message(&said, ends[0]);
    close(ends[0]);
    int outcome;
    while (waitpid(child, &outcome, 0) < 0)
        if (errno != EINTR)
            return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot learn how gnuplot ended: %s", strerror(errno));
    if (WIFSIGNALED(outcome))
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "gnuplot was ended by signal %d (%s) in %s/%s", WTERMSIG(outcome),
                         strsignal(WTERMSIG(outcome)), dir, script);
    if (WEXITSTATUS(outcome) != 0)
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "gnuplot failed in %s: %s", dir, last_line(said.text));
    return HSGD_OK;
}

/* The script's own output: NAME.EXTENSION for the one of our formats that it sets; "" for a script that somebody
 * changed to write elsewhere. Fails where the script cannot be read. */
static hsgd_status find_output(char *output, size_t size, const char *path, const char *name, hsgd_error *err)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot read %s: %s", path, strerror(errno));
    output[0] = '\0';
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, file) >= 0)
        for (int f = 0; f < NUM_FORMATS; f++) {
            char command[512];
            const char *extension = hsgd_figure_format_name((hsgd_figure_format)f);
            snprintf(command, sizeof command, "set output '%s.%s'", name, extension);
            if (strncmp(line, command, strlen(command)) == 0)
                snprintf(output, size, "%s.%s", name, extension);
        }
    int failed = ferror(file);
    free(line);
    fclose(file);
    return failed ? hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot read %s", path) : HSGD_OK;
}

static hsgd_status render(const char *dir, const char *name, char *path, size_t size, hsgd_error *err)
{
    char script[300], output[300];
    snprintf(script, sizeof script, "%s.gp", name);
    snprintf(path, size, "%s/%s", dir, script);
    hsgd_status status = find_output(output, sizeof output, path, name, err);
    if (status != HSGD_OK)
        return status;
    snprintf(path, size, "%s/%s", dir, output);
    /* An old figure must not pass for a new one, nor half a figure for a whole one. */
    if (output[0])
        unlink(path);
    status = run(dir, script, err);
    if (status != HSGD_OK) {
        if (output[0])
            unlink(path);
        return status;
    }
    struct stat info;
    if (output[0] && (stat(path, &info) != 0 || info.st_size == 0))
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "gnuplot wrote nothing to %s", path);
    return HSGD_OK;
}

hsgd_status hsgd_figure_render(const char *dir, const char *name, hsgd_error *err)
{
    if (name[0] == '\0' || strchr(name, '/') || strlen(name) > 200)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "\"%s\" is not the name of a figure: a file name without folder", name);
    size_t size = strlen(dir) + 512;
    char *path = malloc(size);
    if (!path)
        return hsgd_fail_memory(err, "a file name");
    hsgd_status status = render(dir, name, path, size, err);
    free(path);
    return status;
}
