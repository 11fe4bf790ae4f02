/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/open_file.h"
#include "analysis/stream.h"
#include "experiments/checkpoint_private.h"
#include "experiments/checksum.h"
#include "plots/output.h"

enum { MAGIC_SIZE = 16, SUM_SIZE = HSGD_CHECKSUM_SIZE - 1, FORMAT = 1 };
static const char magic[MAGIC_SIZE + 1] = "hsgd checkpoint\n";
static const uint64_t ORDER_MARK = 0x0102030405060708;
#define ENDING "state"
#define DONE_PREFIX "done-"

static const char *const run_name[HSGD_NUM_RUNS] = {
    [HSGD_RUN_MAIN] = "main", [HSGD_RUN_INNER] = "inner", [HSGD_RUN_OUTER] = "outer"};

/* ---- names ---- */

char *hsgd_checkpoint_folder(const char *dir)
{
    char *path;
    return asprintf(&path, "%s/checkpoint", dir) < 0 ? NULL : path;
}

void hsgd_checkpoint_state_name(char name[HSGD_CHECKPOINT_NAME_SIZE], hsgd_checkpoint_seed seed)
{
    snprintf(name, HSGD_CHECKPOINT_NAME_SIZE, "%s-seed-%ju", run_name[seed.run], (uintmax_t)seed.seed);
}

void hsgd_checkpoint_done_name(char name[HSGD_CHECKPOINT_NAME_SIZE], size_t number)
{
    snprintf(name, HSGD_CHECKPOINT_NAME_SIZE, DONE_PREFIX "%zu", number);
}

static bool is_ours(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot != name && strcmp(dot + 1, ENDING) == 0;
}

/* Not behind a symbolic link: files there are not ours to read or remove. */
static DIR *open_folder(const char *path)
{
    int folder = hsgd_open_again(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    DIR *entries = folder < 0 ? NULL : fdopendir(folder);
    if (folder >= 0 && !entries)
        close(folder);
    return entries;
}

/* ---- writing ---- */

void hsgd_checkpoint_put_head(hsgd_bytes *out, hsgd_checkpoint_seed seed, size_t step, size_t length)
{
    hsgd_bytes_put_count(out, (size_t)seed.run);
    hsgd_bytes_put_number(out, seed.seed);
    hsgd_bytes_put_count(out, step);
    hsgd_bytes_put_count(out, length);
}

/* All that stands before the entries, which take so many bytes. */
static void put_preface(hsgd_bytes *out, const char *identity, size_t count, size_t size)
{
    size_t length = strlen(identity);
    hsgd_bytes_put(out, magic, MAGIC_SIZE);
    hsgd_bytes_put(out, &ORDER_MARK, sizeof ORDER_MARK);
    hsgd_bytes_put_count(out, FORMAT);
    hsgd_bytes_put_count(out, out->size + 3 * sizeof(uint64_t) + length + size + SUM_SIZE);
    hsgd_bytes_put_count(out, length);
    hsgd_bytes_put(out, identity, length);
    hsgd_bytes_put_count(out, count);
}

static void write_piece(FILE *stream, hsgd_checksum *checksum, const hsgd_bytes *piece)
{
    if (!piece || !piece->size)
        return;
    hsgd_checksum_add(checksum, piece->data, piece->size);
    fwrite(piece->data, 1, piece->size, stream); /* the stream remembers failures */
}

hsgd_status hsgd_checkpoint_write(const char *dir, const char *name, const char *identity, size_t count,
                                  const hsgd_bytes *entries, const hsgd_bytes *more, hsgd_error *err)
{
    hsgd_output out;
    hsgd_bytes preface = {0};
    char sum[HSGD_CHECKSUM_SIZE];
    put_preface(&preface, identity, count, entries->size + (more ? more->size : 0));
    hsgd_checksum *checksum = hsgd_checksum_alloc();
    hsgd_status status = preface.failed || !checksum ? hsgd_fail_memory(err, "a checkpoint")
                                                     : hsgd_output_open(&out, dir, name, ENDING, err);
    if (!status) {
        write_piece(out.stream, checksum, &preface);
        write_piece(out.stream, checksum, entries);
        write_piece(out.stream, checksum, more);
        hsgd_checksum_finish(checksum, sum);
        fwrite(sum, 1, SUM_SIZE, out.stream);
        status = hsgd_output_close(&out, err);
    }
    hsgd_checksum_free(checksum);
    hsgd_bytes_free(&preface);
    return status;
}

/* ---- reading ---- */

/* One file in memory. */
typedef struct contents {
    const char *path; /* for messages */
    hsgd_bytes bytes;
} contents;

static hsgd_status read_all(contents *out, hsgd_error *err)
{
    FILE *stream;
    struct stat info = {0};
    hsgd_status status = hsgd_open_stream(&stream, out->path, err);
    if (status)
        return status;
    if (stat(out->path, &info) == 0)
        hsgd_bytes_reserve(&out->bytes, (size_t)info.st_size + 1);
    errno = 0;
    if (!out->bytes.failed)
        out->bytes.size = fread(out->bytes.data, 1, (size_t)info.st_size, stream);
    int reason = ferror(stream) ? errno : 0;
    fclose(stream);
    if (out->bytes.failed)
        return hsgd_fail_memory(err, "a checkpoint");
    return reason ? hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: cannot be read: %s", out->path, strerror(reason))
                  : HSGD_OK;
}

static hsgd_status check_sum(const contents *c, hsgd_error *err)
{
    char sum[HSGD_CHECKSUM_SIZE];
    hsgd_checksum *checksum = hsgd_checksum_alloc();
    if (!checksum)
        return hsgd_fail_memory(err, "a checksum");
    hsgd_checksum_add(checksum, c->bytes.data, c->bytes.size - SUM_SIZE);
    hsgd_checksum_finish(checksum, sum);
    hsgd_checksum_free(checksum);
    if (memcmp(sum, c->bytes.data + c->bytes.size - SUM_SIZE, SUM_SIZE) != 0)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: the checkpoint is damaged: SHA-256 %.12s..., expected %.12s...",
                         c->path, sum, (const char *)c->bytes.data + c->bytes.size - SUM_SIZE);
    return HSGD_OK;
}

/* The text up to the end of the line. */
static int line_length(const char *line)
{
    return (int)strcspn(line, "\n");
}

/* Line by line; the first difference is named. */
static hsgd_status check_identity(const contents *c, const char *given, const char *own, hsgd_error *err)
{
    while (*given && *own && line_length(given) == line_length(own) &&
           strncmp(given, own, (size_t)line_length(own)) == 0) {
        given += line_length(given) + (given[line_length(given)] == '\n');
        own += line_length(own) + (own[line_length(own)] == '\n');
    }
    if (!*given && !*own)
        return HSGD_OK;
    return hsgd_fail(err, HSGD_ERROR_INPUT,
                     "%s: the checkpoint belongs to another run: \"%.*s\", this one has \"%.*s\"", c->path,
                     line_length(given), given, line_length(own), own);
}

/* Everything before the identity. */
static hsgd_status check_preface(const contents *c, hsgd_bytes_reader *in, hsgd_error *err)
{
    char start[MAGIC_SIZE];
    uint64_t order;
    hsgd_bytes_take(in, start, sizeof start);
    hsgd_bytes_take(in, &order, sizeof order);
    size_t format = hsgd_bytes_take_count(in), length = hsgd_bytes_take_count(in);
    size_t there = c->bytes.size < MAGIC_SIZE ? c->bytes.size : MAGIC_SIZE; /* of a file that is cut short */
    if (!there || memcmp(c->bytes.data, magic, there) != 0)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: not a checkpoint of hsgd", c->path);
    if (in->failed || c->bytes.size < SUM_SIZE + MAGIC_SIZE)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: the checkpoint is cut short: it has %zu bytes", c->path,
                         c->bytes.size);
    if (order != ORDER_MARK)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: the checkpoint is of a machine with another order of bytes",
                         c->path);
    if (format != FORMAT)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: the checkpoint has format %zu; expected %d", c->path, format,
                         FORMAT);
    if (length != c->bytes.size)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: the checkpoint has %zu bytes; expected %zu", c->path,
                         c->bytes.size, length);
    return check_sum(c, err);
}

/* What the checksum has seen cannot be wrong but by a fault of ours. */
static hsgd_status refuse(const contents *c, hsgd_error *err)
{
    return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: the checkpoint makes no sense", c->path);
}

static hsgd_status check_file(const contents *c, hsgd_bytes_reader *in, const char *identity, hsgd_error *err)
{
    hsgd_status status = check_preface(c, in, err);
    if (status)
        return status;
    size_t length = hsgd_bytes_take_count(in);
    if (length > in->left)
        return refuse(c, err);
    char *given = calloc(length + 1, 1);
    if (!given)
        return hsgd_fail_memory(err, "a checkpoint");
    hsgd_bytes_take(in, given, length);
    status = check_identity(c, given, identity, err);
    free(given);
    return status;
}

static hsgd_status add_entry(hsgd_checkpoint_entry **entry, size_t *count, const hsgd_checkpoint_entry *more,
                             const char *name, hsgd_error *err)
{
    hsgd_checkpoint_entry *grown = realloc(*entry, (*count + 1) * sizeof *grown);
    if (grown)
        *entry = grown;
    char *file = strdup(name);
    if (!grown || !file) {
        free(file);
        return hsgd_fail_memory(err, "a checkpoint");
    }
    grown[*count] = *more;
    grown[(*count)++].file = file;
    return HSGD_OK;
}

static hsgd_status list_entries(hsgd_checkpoint_entry **entry, size_t *count, const contents *c, const char *name,
                                hsgd_bytes_reader *in, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    size_t num = hsgd_bytes_take_count(in);
    for (size_t i = 0; i < num && !status; i++) {
        size_t run = hsgd_bytes_take_count(in);
        hsgd_checkpoint_entry e = {.of = {(hsgd_run_index)run, hsgd_bytes_take_number(in)}};
        e.step = hsgd_bytes_take_count(in);
        e.length = hsgd_bytes_take_count(in);
        e.offset = (size_t)(in->next - c->bytes.data);
        if (in->failed || run >= HSGD_NUM_RUNS || e.length > in->left)
            return refuse(c, err);
        in->next += e.length;
        in->left -= e.length;
        status = add_entry(entry, count, &e, name, err);
    }
    return status || in->left == SUM_SIZE ? status : refuse(c, err);
}

static hsgd_status find_in_file(hsgd_checkpoint_entry **entry, size_t *count, const char *dir, const char *name,
                                const char *identity, hsgd_error *err)
{
    char *path;
    if (asprintf(&path, "%s/%s", dir, name) < 0)
        return hsgd_fail_memory(err, "a path");
    contents c = {.path = path};
    hsgd_status status = read_all(&c, err);
    hsgd_bytes_reader in = hsgd_bytes_read(c.bytes.data, c.bytes.size);
    if (!status)
        status = check_file(&c, &in, identity, err);
    if (!status)
        status = list_entries(entry, count, &c, name, &in, err);
    hsgd_bytes_free(&c.bytes);
    free(path);
    return status;
}

int hsgd_checkpoint_compare(const void *a, const void *b)
{
    const hsgd_checkpoint_seed *x = &((const hsgd_checkpoint_entry *)a)->of;
    const hsgd_checkpoint_seed *y = &((const hsgd_checkpoint_entry *)b)->of;
    int by_run = (x->run > y->run) - (x->run < y->run);
    return by_run ? by_run : (x->seed > y->seed) - (x->seed < y->seed);
}

/* A seed that was done has a state of before, if its removal was interrupted. */
static void keep_latest(hsgd_checkpoint_entry *entry, size_t *count)
{
    size_t kept = 0;
    if (*count)
        qsort(entry, *count, sizeof *entry, hsgd_checkpoint_compare);
    for (size_t i = 0; i < *count; i++) {
        bool again = kept > 0 && hsgd_checkpoint_compare(&entry[kept - 1], &entry[i]) == 0;
        hsgd_checkpoint_entry *last = again ? &entry[kept - 1] : &entry[kept++];
        bool later = !again || entry[i].step > last->step;
        if (again)
            free(later ? last->file : entry[i].file);
        if (later)
            *last = entry[i];
    }
    *count = kept;
}

hsgd_status hsgd_checkpoint_find(hsgd_checkpoint_entry **entry, size_t *count, size_t *num_done_files, const char *dir,
                                 const char *identity, hsgd_error *err)
{
    DIR *entries = open_folder(dir);
    hsgd_status status = HSGD_OK;
    if (!entries)
        return errno == ENOENT
                   ? HSGD_OK
                   : hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: cannot be opened: %s", dir, strerror(errno));
    for (const struct dirent *at; !status && (at = readdir(entries));) {
        if (!is_ours(at->d_name))
            continue;
        size_t number = strncmp(at->d_name, DONE_PREFIX, strlen(DONE_PREFIX)) == 0
                            ? strtoull(at->d_name + strlen(DONE_PREFIX), NULL, 10)
                            : 0;
        *num_done_files = number > *num_done_files ? number : *num_done_files;
        status = find_in_file(entry, count, dir, at->d_name, identity, err);
    }
    closedir(entries);
    keep_latest(*entry, count);
    return status;
}

hsgd_status hsgd_checkpoint_read_entry(hsgd_bytes *out, const char *dir, const hsgd_checkpoint_entry *entry,
                                       hsgd_error *err)
{
    char *path;
    if (asprintf(&path, "%s/%s", dir, entry->file) < 0)
        return hsgd_fail_memory(err, "a path");
    FILE *file = hsgd_stream_open(path);
    hsgd_bytes_reserve(out, entry->length);
    bool read = file && !out->failed && fseeko(file, (off_t)entry->offset, SEEK_SET) == 0;
    if (read)
        out->size = fread(out->data, 1, entry->length, file);
    hsgd_status status = out->failed ? hsgd_fail_memory(err, "a checkpoint") : HSGD_OK;
    if (!status && (!read || out->size != entry->length))
        status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: cannot be read any more", path);
    if (file)
        fclose(file);
    free(path);
    return status;
}

/* ---- removing ---- */

bool hsgd_checkpoint_exists(const char *dir)
{
    char *path = hsgd_checkpoint_folder(dir);
    DIR *entries = path ? open_folder(path) : NULL;
    bool found = false;
    for (const struct dirent *at; entries && !found && (at = readdir(entries));)
        found = is_ours(at->d_name);
    if (entries)
        closedir(entries);
    free(path);
    return found;
}

void hsgd_checkpoint_remove_files(const char *dir)
{
    DIR *entries = open_folder(dir);
    for (const struct dirent *at; entries && (at = readdir(entries));)
        if (is_ours(at->d_name))
            unlinkat(dirfd(entries), at->d_name, 0);
    if (entries)
        closedir(entries);
}

void hsgd_checkpoint_remove(const char *dir)
{
    char *path = hsgd_checkpoint_folder(dir);
    if (!path)
        return;
    hsgd_checkpoint_remove_files(path);
    rmdir(path); /* succeeds only if nothing else is in it */
    free(path);
}

void hsgd_checkpoint_remove_state(const char *dir, hsgd_checkpoint_seed seed)
{
    char name[HSGD_CHECKPOINT_NAME_SIZE], *path;
    hsgd_checkpoint_state_name(name, seed);
    if (asprintf(&path, "%s/%s." ENDING, dir, name) < 0)
        return;
    unlink(path);
    free(path);
}
