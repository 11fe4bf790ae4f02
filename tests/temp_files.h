/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A temporary folder for tests that read files; closing it removes it with what was written through it. */
#ifndef HSGD_TESTS_TEMP_FILES_H
#define HSGD_TESTS_TEMP_FILES_H

#include "tests/test.h"

#include <unistd.h>

#include <zlib.h>

enum { TEMP_FILES = 8, TEMP_PATH = 512 };

typedef struct temp_folder {
    char folder[TEMP_PATH / 2];
    char path[TEMP_FILES][TEMP_PATH];
    size_t num_files;
} temp_folder;

static inline void temp_open(temp_folder *temp)
{
    memset(temp, 0, sizeof *temp);
    make_folder(temp->folder, sizeof temp->folder);
}

static inline void temp_close(temp_folder *temp)
{
    for (size_t i = 0; i < temp->num_files; i++)
        unlink(temp->path[i]);
    assert_int_equal(rmdir(temp->folder), 0);
}

/* One folder for all tests of a program, as the setup and teardown of its group. */
static inline temp_folder *temp_shared(void)
{
    static temp_folder shared;
    return &shared;
}

static inline int temp_open_shared(void **state)
{
    (void)state;
    temp_open(temp_shared());
    return 0;
}

static inline int temp_close_shared(void **state)
{
    (void)state;
    temp_close(temp_shared());
    return 0;
}

/* Write size bytes to a file of this name, replacing what was there; the path stays valid until temp_close. */
static inline const char *temp_write(temp_folder *temp, const char *name, const void *bytes, size_t size)
{
    char path[TEMP_PATH];
    snprintf(path, sizeof path, "%s/%s", temp->folder, name);
    size_t i = 0;
    while (i < temp->num_files && strcmp(temp->path[i], path) != 0)
        i++;
    assert_true(i < TEMP_FILES);
    temp->num_files += i == temp->num_files;
    memcpy(temp->path[i], path, sizeof path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return temp->path[i];
}

/* The same bytes as a gzip file; free the result. */
static inline unsigned char *gzip_bytes(const void *bytes, size_t size, size_t *gzip_size)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&stream, size);
    unsigned char *out = malloc(room);
    assert_non_null(out);
    stream.next_in = (z_const Bytef *)bytes;
    stream.avail_in = (uInt)size;
    stream.next_out = out;
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    *gzip_size = stream.total_out;
    deflateEnd(&stream);
    return out;
}

#endif
