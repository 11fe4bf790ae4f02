/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running gnuplot: no shell, working directory DIR, its messages in ours. */
#include "plots/figure.h"
#include "plots/output.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis/stream.h"

enum { NUM_FORMATS = HSGD_FIGURE_TIKZ + 1 };

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

/* POSIX: posix_spawn may succeed before the program is looked for; the process ends so then. It does under valgrind. */
enum { NOT_STARTED = 127 };

/* Run the script inside a folder and wait; fails with gnuplot's message, which speaks of dir. */
static hsgd_status run(const char *folder, const char *dir, const char *script, hsgd_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot start gnuplot: %s", strerror(errno));
    pid_t child;
    int failed = start(&child, folder, script, ends[1]);
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
    if (WEXITSTATUS(outcome) == NOT_STARTED && !said.length)
        return fail_start(err, ENOENT);
    if (WEXITSTATUS(outcome) != 0)
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "gnuplot failed in %s: %s", dir, last_line(said.text));
    return HSGD_OK;
}

/* ---- what LaTeX needs for the format tikz ---- */

const char *const hsgd_tikz_files[] = {"gnuplot-lua-tikz.sty", "gnuplot-lua-tikz-common.tex"};

/* gnuplot writes two more files, for plain TeX and ConTeXt. */
static const char *const unused_tikz_files[] = {"gnuplot-lua-tikz.tex", "t-gnuplot-lua-tikz.tex"};

/* The script's own output: NAME.EXTENSION for the one of our formats that it sets; "" for a script that somebody
 * changed to write elsewhere. Fails where the script cannot be read. */
static hsgd_status find_output(char *output, size_t size, bool *tikz, const char *path, const char *name,
                               hsgd_error *err)
{
    FILE *file = hsgd_stream_open(path);
    if (!file)
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot read %s: %s", path, strerror(errno));
    output[0] = '\0';
    char *line = NULL;
    size_t capacity = 0;
    *tikz = false;
    while (getline(&line, &capacity, file) >= 0) {
        *tikz = *tikz || strncmp(line, "set terminal tikz", strlen("set terminal tikz")) == 0;
        for (int f = 0; f < NUM_FORMATS; f++) {
            char command[512];
            const char *extension = hsgd_figure_format_extension((hsgd_figure_format)f);
            snprintf(command, sizeof command, "set output '%s.%s'", name, extension);
            if (strncmp(line, command, strlen(command)) == 0)
                snprintf(output, size, "%s.%s", name, extension);
        }
    }
    int reason = feof(file) ? 0 : errno; /* getline has not said so where memory is out: the end was not met */
    free(line);
    fclose(file);
    return reason ? hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot read %s: %s", path, strerror(reason)) : HSGD_OK;
}

/* ---- a folder of its own for one run of gnuplot ---- */

/* FOLDER/name; free it. NULL when memory is out. */
static char *join(const char *folder, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* gnuplot works in a hidden folder inside DIR, where the script and its data are links: half a figure never stands under
 * its final name, whatever ends the program, and two runs do not write to one file. */
typedef struct workshop {
    char *path;   /* the folder */
    char *own[4]; /* paths inside: the script, the data, the output, and the picture of a TeX figure */
} workshop;

static void close_workshop(workshop *w)
{
    for (size_t i = 0; i < sizeof w->own / sizeof *w->own; i++) {
        if (w->own[i])
            unlink(w->own[i]);
        free(w->own[i]);
    }
    if (w->path)
        rmdir(w->path);
    free(w->path);
}

static hsgd_status link_into(workshop *w, size_t slot, const char *name, const char *ending, hsgd_error *err)
{
    char target[300];
    snprintf(target, sizeof target, "../%s.%s", name, ending);
    w->own[slot] = join(w->path, target + 3);
    if (!w->own[slot])
        return hsgd_fail_memory(err, "a file name");
    return symlink(target, w->own[slot]) == 0
               ? HSGD_OK
               : hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot write %s: %s", w->own[slot], strerror(errno));
}

static hsgd_status open_workshop(workshop *w, const char *dir, const char *name, const char *output, hsgd_error *err)
{
    char picture[300];
    snprintf(picture, sizeof picture, "%s.pdf", name);
    *w = (workshop){.path = join(dir, HSGD_RENDER_PREFIX "XXXXXX")};
    if (!w->path)
        return hsgd_fail_memory(err, "a file name");
    if (!mkdtemp(w->path)) {
        int reason = errno;
        free(w->path);
        *w = (workshop){0};
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot write to %s: %s", dir, strerror(reason));
    }
    hsgd_status status = link_into(w, 0, name, "gp", err);
    if (!status)
        status = link_into(w, 1, name, "dat", err);
    if (status)
        return status;
    w->own[2] = join(w->path, output[0] ? output : "none");
    w->own[3] = join(w->path, picture);
    return w->own[2] && w->own[3] ? HSGD_OK : hsgd_fail_memory(err, "a file name");
}

/* What stands near the end of a whole file of an ending. */
static const struct {
    const char *ending, *sign;
} last_signs[] = {{"pdf", "%%EOF"},      {"png", "IEND"},       {"svg", "</svg>"},
                  {"sty", "\\endinput"}, {"tex", "\\endgroup"}, {"tex", "%% gnuplot variables"},
                  {"tex", "\\endinput"}};

/* gnuplot and the libraries that it draws with do not say when the disk is full: the file is empty, or ends too soon. Then the disk
 * is asked, which has less left than any of them writes at once. A quota does not show there. */
static hsgd_status fail_unwritten(const char *path, const char *how_much, const char *final, const char *otherwise,
                                  hsgd_error *err)
{
    enum { LITTLE = 65536 };
    struct statvfs disk;
    bool is_full =
        statvfs(path, &disk) == 0 && disk.f_blocks > 0 && (double)disk.f_bavail * (double)disk.f_frsize < LITTLE;
    return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "gnuplot wrote %s %s%s", how_much, final,
                     is_full ? ": No space left on device" : otherwise);
}

/* name: what the file will be called; final: with its folder, for messages. */
static hsgd_status check_whole(const char *path, const char *name, const char *final, hsgd_error *err)
{
    char tail[256];
    const char *dot = strrchr(name, '.');
    int file = hsgd_open_again(path, O_RDONLY | O_CLOEXEC, 0), reason = file < 0 ? errno : 0;
    bool whole = false;
    if (file >= 0 && lseek(file, -(off_t)sizeof tail, SEEK_END) < 0)
        lseek(file, 0, SEEK_SET); /* it is shorter */
    size_t length = 0;
    for (ssize_t got; !reason && (got = read(file, tail + length, sizeof tail - length)) != 0;)
        if (got > 0)
            length += (size_t)got;
        else if (errno != EINTR)
            reason = errno;
    for (size_t i = 0; dot && i < sizeof last_signs / sizeof *last_signs; i++)
        whole |= strcmp(dot + 1, last_signs[i].ending) == 0 &&
                 memmem(tail, length, last_signs[i].sign, strlen(last_signs[i].sign));
    if (file >= 0)
        close(file);
    if (reason)
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "what gnuplot wrote to %s cannot be read: %s", final,
                         strerror(reason));
    return whole ? HSGD_OK : fail_unwritten(path, "only a part of", final, ": is there space left?", err);
}

/* Move what gnuplot made under this name to DIR. */
static hsgd_status hand_over(workshop *w, size_t slot, const char *dir, const char *output, hsgd_error *err)
{
    struct stat info;
    char *final = join(dir, output);
    hsgd_status status = HSGD_OK;
    if (!final)
        status = hsgd_fail_memory(err, "a file name");
    else if (stat(w->own[slot], &info) != 0 || info.st_size == 0)
        status = fail_unwritten(w->path, "nothing to", final, "", err);
    else
        status = check_whole(w->own[slot], output, final, err);
    if (!status && hsgd_output_rename(w->own[slot], final) != 0)
        status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot write %s: %s", final, strerror(errno));
    free(final);
    return status;
}

/* Let gnuplot write the files in the workshop, then move those that LaTeX wants. */
static hsgd_status make_tikz_files(const workshop *w, const char *dir, hsgd_error *err)
{
    char *script = join(w->path, "style.gp");
    int descriptor = script ? hsgd_open_again(script, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
    FILE *file = descriptor >= 0 ? hsgd_stream_of(descriptor, "w") : NULL;
    if (descriptor >= 0 && !file)
        close(descriptor);
    bool written = file && fputs("set terminal tikz createstyle\n", file) >= 0;
    written = file && fclose(file) == 0 && written;
    hsgd_status status =
        written ? run(w->path, dir, "style.gp", err)
                : hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot write %s: %s", script ? script : dir, strerror(errno));
    if (script)
        unlink(script);
    free(script);
    return status;
}

static hsgd_status put_tikz_files(const workshop *w, const char *dir, hsgd_error *err)
{
    hsgd_status status = make_tikz_files(w, dir, err);
    for (size_t i = 0; i < (size_t)2 * HSGD_NUM_TIKZ_FILES; i++) {
        bool wanted = i < HSGD_NUM_TIKZ_FILES;
        char *from = join(w->path, wanted ? hsgd_tikz_files[i] : unused_tikz_files[i - HSGD_NUM_TIKZ_FILES]);
        char *to = wanted ? join(dir, hsgd_tikz_files[i]) : NULL;
        if (status == HSGD_OK && (!from || (wanted && !to)))
            status = hsgd_fail_memory(err, "a file name");
        if (status == HSGD_OK && wanted)
            status = check_whole(from, hsgd_tikz_files[i], to, err);
        if (status == HSGD_OK && wanted && hsgd_output_rename(from, to) != 0)
            status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot write %s: %s", to, strerror(errno));
        if (from && (!wanted || status != HSGD_OK))
            unlink(from);
        free(from);
        free(to);
    }
    return status;
}

static hsgd_status draw(workshop *w, const char *dir, const char *name, const char *output, bool tikz, hsgd_error *err)
{
    char script[300], picture[300];
    snprintf(script, sizeof script, "%s.gp", name);
    snprintf(picture, sizeof picture, "%s.pdf", name);
    size_t length = strlen(output);
    bool tex = length > 4 && strcmp(output + length - 4, ".tex") == 0 && !tikz;
    hsgd_status status = run(w->path, dir, script, err);
    if (status == HSGD_OK && tex) /* the text refers to the picture, so the picture goes first */
        status = hand_over(w, 3, dir, picture, err);
    if (status == HSGD_OK && output[0])
        status = hand_over(w, 2, dir, output, err);
    return status;
}

hsgd_status hsgd_figure_render(const char *dir, const char *name, hsgd_error *err)
{
    if (name[0] == '\0' || strchr(name, '/') || strlen(name) > 200)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "\"%s\" is not the name of a figure: a file name without folder", name);
    char output[300], script[300];
    bool tikz = false;
    snprintf(script, sizeof script, "%s.gp", name);
    char *path = join(dir, script);
    if (!path)
        return hsgd_fail_memory(err, "a file name");
    hsgd_status status = find_output(output, sizeof output, &tikz, path, name, err);
    free(path);
    if (status != HSGD_OK)
        return status;
    workshop w;
    /* An old figure must not pass for a new one. */
    path = join(dir, output);
    if (!path)
        return hsgd_fail_memory(err, "a file name");
    if (output[0])
        unlink(path);
    free(path);
    status = open_workshop(&w, dir, name, output, err);
    if (status == HSGD_OK)
        status = draw(&w, dir, name, output, tikz, err);
    if (status == HSGD_OK && tikz)
        status = put_tikz_files(&w, dir, err);
    close_workshop(&w);
    return status;
}
