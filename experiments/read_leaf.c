/* SPDX-License-Identifier: GPL-3.0-or-later */
/* LEAF's files, one after the other: each is parsed in pieces, then what it declares is compared with what it holds. */
#include "experiments/leaf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/gzip_file.h"
#include "experiments/leaf_private.h"

enum { CHUNK_BYTES = 1 << 16 };

/* ---- one file ---- */

/* What yajl has against the text: its words, without the picture it draws on the lines below. */
static hsgd_status fail_syntax(hsgd_leaf_reader *r, yajl_handle parser)
{
    unsigned char *text = yajl_get_error(parser, 0, NULL, 0);
    if (!text)
        return hsgd_fail_memory(r->err, "the JSON parser");
    r->status = hsgd_fail(r->err, HSGD_ERROR_INPUT, "not valid JSON: %.*s", (int)strcspn((char *)text, "\n"), text);
    yajl_free_error(parser, text);
    return r->status;
}

static hsgd_status feed(hsgd_leaf_reader *r, yajl_handle parser, const unsigned char *chunk, size_t size, size_t before)
{
    yajl_status outcome = chunk ? yajl_parse(parser, chunk, size) : yajl_complete_parse(parser);
    if (outcome == yajl_status_ok)
        return HSGD_OK;
    if (outcome == yajl_status_error)
        r->status = fail_syntax(r, parser);
    if (r->status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(r->err, "byte %zu: ", before + (chunk ? yajl_get_bytes_consumed(parser) : 0));
    return r->status;
}

static hsgd_status parse_stream(hsgd_leaf_reader *r, hsgd_gzip_file *file)
{
    unsigned char chunk[CHUNK_BYTES];
    size_t before = 0, got = 1;
    yajl_handle parser = yajl_alloc(&hsgd_leaf_callbacks, NULL, r);
    if (!parser)
        return hsgd_fail_memory(r->err, "the JSON parser");
    hsgd_status status = HSGD_OK;
    for (; !status && got > 0; before += got) {
        status = hsgd_gzip_read(chunk, &got, file, sizeof chunk, r->err);
        if (!status && got > 0)
            status = feed(r, parser, chunk, got, before);
    }
    if (!status)
        status = feed(r, parser, NULL, 0, before);
    yajl_free(parser);
    return status;
}

static int compare_users(const void *a, const void *b)
{
    return strcmp(((const hsgd_leaf_user *)a)->name, ((const hsgd_leaf_user *)b)->name);
}

/* Two of the sorted users with one name. */
static hsgd_status check_distinct(const hsgd_leaf_user *sorted, size_t count, hsgd_error *err)
{
    for (size_t i = 0; i + 1 < count; i++)
        if (strcmp(sorted[i].name, sorted[i + 1].name) == 0)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "the user \"%.*s\" stands there twice", HSGD_LEAF_NAME_SHOWN,
                             sorted[i].name);
    return HSGD_OK;
}

/* Both sorted: the same names with the same numbers of samples. */
static hsgd_status compare_lists(const hsgd_leaf_user *declared, size_t num_declared, const hsgd_leaf_user *held,
                                 size_t num_held, hsgd_error *err)
{
    for (size_t d = 0, h = 0; d < num_declared || h < num_held; d++, h++) {
        int order = d == num_declared ? 1 : h == num_held ? -1 : strcmp(declared[d].name, held[h].name);
        if (order)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "the user \"%.*s\" stands in \"%s\", but not in \"%s\"",
                             HSGD_LEAF_NAME_SHOWN, order < 0 ? declared[d].name : held[h].name,
                             order < 0 ? "users" : "user_data", order < 0 ? "user_data" : "users");
        if (declared[d].number != held[h].number)
            return hsgd_fail(err, HSGD_ERROR_INPUT,
                             "num_samples says %zu for the user \"%.*s\", but user_data has %zu samples",
                             declared[d].number, HSGD_LEAF_NAME_SHOWN, held[h].name, held[h].number);
    }
    return HSGD_OK;
}

/* Give the declared users their counts. */
static hsgd_status join_counts(hsgd_leaf_reader *r)
{
    if (!r->seen[HSGD_LEAF_KEY_USERS] || !r->seen[HSGD_LEAF_KEY_COUNTS] || !r->seen[HSGD_LEAF_KEY_USER_DATA])
        return hsgd_fail(r->err, HSGD_ERROR_INPUT, "the document: no \"%s\"",
                         !r->seen[HSGD_LEAF_KEY_USERS]    ? "users"
                         : !r->seen[HSGD_LEAF_KEY_COUNTS] ? "num_samples"
                                                          : "user_data");
    if (r->declared.count != r->declared_count.count)
        return hsgd_fail(r->err, HSGD_ERROR_INPUT, "%zu users, but %zu num_samples", r->declared.count,
                         r->declared_count.count);
    for (size_t i = 0; i < r->declared.count; i++) {
        double count = ((double *)r->declared_count.item)[i];
        if (!(count >= 0 && count < 1e15) || count != floor(count))
            return hsgd_fail(r->err, HSGD_ERROR_INPUT, "num_samples[%zu]: %g is not a whole number from 0", i, count);
        ((hsgd_leaf_user *)r->declared.item)[i].number = (size_t)count;
    }
    return HSGD_OK;
}

/* What a file declares against what it holds; the users of a file may be sorted, their rows are where they are. */
static hsgd_status check_file(hsgd_leaf_reader *r)
{
    size_t num_held = r->held.count - r->first_held;
    hsgd_leaf_user *declared = r->declared.item;
    hsgd_leaf_user *held = num_held ? (hsgd_leaf_user *)r->held.item + r->first_held : NULL;
    hsgd_status status = join_counts(r);
    if (status)
        return status;
    if (r->declared.count)
        qsort(declared, r->declared.count, sizeof *declared, compare_users);
    if (num_held)
        qsort(held, num_held, sizeof *held, compare_users);
    status = check_distinct(held, num_held, r->err);
    if (!status)
        status = check_distinct(declared, r->declared.count, r->err);
    return status ? status : compare_lists(declared, r->declared.count, held, num_held, r->err);
}

static hsgd_status read_file(hsgd_leaf_reader *r, const char *path)
{
    r->place = HSGD_LEAF_OUTSIDE;
    r->key = HSGD_LEAF_NO_KEY;
    r->skipped = 0;
    memset(r->seen, 0, sizeof r->seen);
    r->first_held = r->held.count;
    r->declared_count.count = 0;
    hsgd_gzip_file *file;
    hsgd_status status = hsgd_gzip_open(&file, path, r->err);
    if (status)
        return status;
    status = parse_stream(r, file);
    hsgd_gzip_close(file);
    if (!status)
        status = check_file(r);
    if (status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(r->err, "%s: ", path);
    hsgd_leaf_free_users(&r->declared);
    return status;
}

/* ---- all files ---- */

static hsgd_status read_path(hsgd_leaf_reader *r, const char *path)
{
    char **file;
    size_t num_files;
    hsgd_status status = hsgd_leaf_files(&file, &num_files, path, r->err);
    for (size_t i = 0; i < num_files && !status; i++)
        status = read_file(r, file[i]);
    hsgd_leaf_files_free(file, num_files);
    return status;
}

/* Nothing at all, or one user in two files. */
static hsgd_status check_all(hsgd_leaf_reader *r, const char *first_path)
{
    hsgd_status status = HSGD_OK;
    if (r->num_rows == 0)
        status = hsgd_fail(r->err, HSGD_ERROR_INPUT, "no samples");
    else {
        qsort(r->held.item, r->held.count, sizeof(hsgd_leaf_user), compare_users);
        status = check_distinct(r->held.item, r->held.count, r->err);
    }
    if (status)
        hsgd_error_prefix(r->err, "%s: ", first_path);
    return status;
}

/* Hand the numbers over to the data set. */
static hsgd_status finish(hsgd_dataset *out, hsgd_leaf_reader *r)
{
    size_t *end = hsgd_leaf_list_add(r, &r->start, sizeof *end);
    if (!end)
        return r->status;
    *end = r->num_rows;
    void *value = realloc(r->value.item, r->value.count * (r->images ? sizeof *out->byte : sizeof *out->dense));
    value = value ? value : r->value.item;
    *out = (hsgd_dataset){.num_samples = r->num_rows,
                          .num_features = r->num_features,
                          .dense = r->images ? NULL : value,
                          .byte = r->images ? value : NULL,
                          .num_users = r->start.count - 1,
                          .user_start = r->start.item};
    hsgd_dataset_set_pixels(out);
    r->value.item = r->start.item = NULL;
    hsgd_status status = hsgd_dataset_set_classes(out, r->label.item, r->err);
    if (status)
        hsgd_dataset_free(out);
    return status;
}

hsgd_status hsgd_leaf_read_images(hsgd_dataset *out, hsgd_leaf_images *images, const char *const *path,
                                  size_t num_paths, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    hsgd_leaf_reader r = {.images = images, .err = err};
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < num_paths && !status; i++)
        status = read_path(&r, path[i]);
    if (!status)
        status = check_all(&r, num_paths ? path[0] : "no files");
    if (!status)
        status = finish(out, &r);
    free(r.value.item);
    free(r.label.item);
    free(r.start.item);
    free(r.declared_count.item);
    hsgd_leaf_free_users(&r.declared);
    hsgd_leaf_free_users(&r.held);
    return status;
}

hsgd_status hsgd_leaf_read(hsgd_dataset *out, const char *const *path, size_t num_paths, hsgd_error *err)
{
    return hsgd_leaf_read_images(out, NULL, path, num_paths, err);
}
