/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running the hsgd program in a folder of its own and looking at everything it leaves behind. */
#ifndef HSGD_TESTS_EXPERIMENTS_PROGRAM_H
#define HSGD_TESTS_EXPERIMENTS_PROGRAM_H

#include "tests/test.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cjson/cJSON.h>

/* The folder all files of a test live in; tests run with it as working directory. */
static char work[256];
static char program[4096];

static int enter_folder(void **state)
{
    (void)state;
    const char *given = getenv("HSGD_PROGRAM");
    assert_non_null(realpath(given ? given : "build/hsgd", program));
    make_folder(work, sizeof work);
    assert_int_equal(chdir(work), 0);
    /* the same run writes the same bytes again: a fixed date, and no word on threads (experiments/provenance.h) */
    assert_int_equal(setenv("SOURCE_DATE_EPOCH", "1700000000", 1), 0);
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

static int leave_folder(void **state)
{
    (void)state;
    assert_int_equal(chdir("/"), 0);
    return nftw(work, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static inline void write_text(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

/* The whole file as text; free it. NULL if there is none. */
static inline char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    char *text = NULL;
    size_t size = 0, room = 0, got;
    do {
        room += 1 << 16;
        text = realloc(text, room + 1);
        assert_non_null(text);
        got = fread(text + size, 1, room - size, file);
        size += got;
    } while (size == room);
    text[size] = '\0';
    fclose(file);
    return text;
}

static inline bool exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

/* What the last run said. */
static char *out, *err_text;

/* Run a shell command line in which $H is the program; returns its exit code, -1 if a signal ended it. Standard output
 * and error go to files unless the line sends them elsewhere. */
static inline int shell(const char *line)
{
    free(out);
    free(err_text);
    setenv("H", program, 1);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int o = open(".out", O_WRONLY | O_CREAT | O_TRUNC, 0666), e = open(".err", O_WRONLY | O_CREAT | O_TRUNC, 0666);
        dup2(o, 1);
        dup2(e, 2);
        close(o);
        close(e);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    out = read_text(".out");
    err_text = read_text(".err");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void check_exit(const char *line, int code, const char *file, int at)
{
    int got = shell(line);
    if (got == code)
        return;
    print_error("%s\nended with %d, expected %d\n%s%s", line, got, code, out, err_text);
    _fail(file, at);
}
#define assert_exit(line, code) check_exit(line, code, __FILE__, __LINE__)

/* The program refused: this exit code, nothing on standard output, one line "hsgd: ..." with the text on standard
 * error. */
static inline void check_refusal(const char *line, int code, const char *text, const char *file, int at)
{
    check_exit(line, code, file, at);
    const char *newline = strchr(err_text, '\n');
    if (strncmp(err_text, "hsgd: ", 6) == 0 && newline && !newline[1] && !*out && strstr(err_text, text))
        return;
    print_error("%s\nsaid \"%s\" on standard error and %zu bytes on standard output; expected \"%s\"\n", line, err_text,
                strlen(out), text);
    _fail(file, at);
}
#define assert_refusal(line, code, text) check_refusal(line, code, text, __FILE__, __LINE__)

/* ---- JSON ---- */

/* A member that must be there. */
static inline cJSON *get(const cJSON *object, const char *key)
{
    cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!value)
        fail_msg("no member \"%s\"", key);
    return value;
}

static inline double number(const cJSON *object, const char *key)
{
    cJSON *value = get(object, key);
    if (!cJSON_IsNumber(value))
        fail_msg("\"%s\" is not a number", key);
    return value->valuedouble;
}

static inline const char *text_of(const cJSON *object, const char *key)
{
    cJSON *value = get(object, key);
    if (!cJSON_IsString(value))
        fail_msg("\"%s\" is not a text", key);
    return value->valuestring;
}

static inline cJSON *parse_json(const char *text)
{
    cJSON *document = cJSON_ParseWithOpts(text, NULL, true);
    if (!document)
        fail_msg("not JSON: %.200s", text);
    return document;
}

static inline cJSON *read_json(const char *path)
{
    char *text = read_text(path);
    if (!text)
        fail_msg("%s is not there", path);
    cJSON *document = parse_json(text);
    free(text);
    return document;
}

/* Take out of a file's document what only a file says: where it comes from, and its checksum. False where it does not. */
static inline bool forget_origin(cJSON *document)
{
    cJSON *origin = cJSON_DetachItemFromObjectCaseSensitive(document, "provenance");
    cJSON *sum = cJSON_DetachItemFromObjectCaseSensitive(document, "document_sha256");
    bool said = cJSON_IsObject(origin) && cJSON_IsString(sum) && strlen(sum->valuestring) == 64;
    cJSON_Delete(origin);
    cJSON_Delete(sum);
    return said;
}

/* The element of an array of objects whose member key is this text. */
static inline cJSON *element(const cJSON *array, const char *key, const char *text)
{
    cJSON *item;
    cJSON_ArrayForEach(item, array) if (strcmp(text_of(item, key), text) == 0) return item;
    fail_msg("no element with %s \"%s\"", key, text);
    return NULL;
}

#endif
