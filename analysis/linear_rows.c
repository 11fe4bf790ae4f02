/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/linear_rows_private.h"

#include <stdlib.h>
#include <string.h>

/* Scores of a tile: half of a first-level cache of 48 kB; the rest is for the entries that stream through. More rows mean
 * longer lists by column. */
enum { TILE_DOUBLES = 3072, MAX_TILE_ROWS = 1024, MIN_TILE_ROWS = 16 };

/* Entries per list by column, at least, for the columns of a tile to be listed: below it the start of a list costs more
 * than adding to memory entry by entry. */
enum { MIN_LIST = 4 };

/* A part of the features, at most: its rows of W' at several points are less than a tenth of a second-level cache of 2 MB,
 * and come back to the first-level cache with many of the next rows of the data. Shorter lists by row than MIN_PART cost
 * more than that saves. */
enum { PART_DOUBLES = 20480, MIN_PART = 64 };

/* Share of the entries that are not 0 from which on the dense matrix is faster (measured with 10 outputs). */
static const double DENSE_SHARE = 0.5;

/* The first feature of a part; part `parts` starts at num_features. */
static size_t part_start(size_t num_features, size_t parts, size_t part)
{
    return num_features / parts * part + num_features % parts * part / parts;
}

size_t hsgd_linear_tile_rows(size_t width)
{
    size_t rows = TILE_DOUBLES / width;
    return rows > MAX_TILE_ROWS ? MAX_TILE_ROWS : rows < MIN_TILE_ROWS ? MIN_TILE_ROWS : rows;
}

bool hsgd_linear_rows_pay(const hsgd_dataset *data, size_t num_rows)
{
    if (data->row_start)
        return true;
    size_t entries = num_rows * data->num_features, used = 0;
    for (size_t i = 0; i < entries; i++)
        used += (data->dense ? data->dense[i] : data->byte_value[data->byte[i]]) != 0;
    return (double)used < DENSE_SHARE * (double)entries;
}

/* ---- the dictionary: up to 256 values, found by hashing their bits ---- */

enum { SLOTS = 1024 };

typedef struct dictionary {
    uint64_t bits[SLOTS];
    int16_t code[SLOTS]; /* -1: a free slot */
    size_t count;
} dictionary;

static int code_of(const dictionary *d, double x, size_t *slot)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    for (*slot = (size_t)((bits * 0x9e3779b97f4a7c15) >> 54); d->code[*slot] >= 0; *slot = (*slot + 1) % SLOTS)
        if (d->bits[*slot] == bits)
            return d->code[*slot];
    return -1;
}

/* False when it is full. */
static bool learn(dictionary *d, double x, double *value)
{
    size_t slot;
    if (code_of(d, x, &slot) >= 0)
        return true;
    if (d->count == 256)
        return false;
    memcpy(&d->bits[slot], &x, sizeof x);
    d->code[slot] = (int16_t)d->count;
    value[d->count++] = x;
    return true;
}

/* ---- reading rows of doubles, dense or sparse ---- */

typedef struct row_view {
    const double *value;
    const uint32_t *column; /* NULL: 0, 1, ... */
    size_t count;
} row_view;

static row_view view(const hsgd_dataset *data, size_t sample)
{
    if (data->dense)
        return (row_view){data->dense + sample * data->num_features, NULL, data->num_features};
    size_t from = data->row_start[sample];
    return (row_view){data->value + from, data->column + from, data->row_start[sample + 1] - from};
}

/* ---- by rows ---- */

/* Fills start and, while it lasts, the dictionary; false: too many values for one. */
static bool count_entries(hsgd_lists *lists, const hsgd_dataset *data, size_t num_rows, dictionary *d)
{
    bool fits = true;
    memset(d->code, -1, sizeof d->code);
    for (size_t s = 0; s < num_rows; s++) {
        row_view row = view(data, s);
        lists->start[s + 1] = lists->start[s];
        for (size_t i = 0; i < row.count; i++)
            if (row.value[i] != 0) {
                lists->start[s + 1]++;
                fits = fits && learn(d, row.value[i], lists->dictionary);
            }
    }
    return fits;
}

static void set_entry(hsgd_lists *lists, size_t at, size_t index)
{
    if (lists->near)
        lists->near[at] = (uint16_t)index;
    else
        lists->far[at] = (uint32_t)index;
}

static void fill_rows(hsgd_lists *lists, const hsgd_dataset *data, size_t num_rows, const dictionary *d)
{
    size_t at = 0, slot;
    for (size_t s = 0; s < num_rows; s++) {
        row_view row = view(data, s);
        for (size_t i = 0; i < row.count; i++) {
            if (row.value[i] == 0)
                continue;
            set_entry(lists, at, row.column ? row.column[i] : i);
            if (lists->value)
                lists->value[at] = row.value[i];
            if (lists->code)
                lists->code[at] = (uint8_t)code_of(d, row.value[i], &slot);
            at++;
        }
    }
}

typedef enum values { VALUES_ONE, VALUES_CODED, VALUES_DOUBLE } values;

/* Room for the entries; one more than there are, so that none is not NULL. */
static bool allocate_entries(hsgd_lists *lists, size_t count, bool near, values kind)
{
    if (near)
        lists->near = malloc((count + 1) * sizeof *lists->near);
    else
        lists->far = malloc((count + 1) * sizeof *lists->far);
    if (kind == VALUES_CODED)
        lists->code = malloc((count + 1) * sizeof *lists->code);
    if (kind == VALUES_DOUBLE)
        lists->value = malloc((count + 1) * sizeof *lists->value);
    return (lists->near || lists->far) && (kind != VALUES_CODED || lists->code) &&
           (kind != VALUES_DOUBLE || lists->value);
}

static size_t index_at(const hsgd_lists *lists, size_t e)
{
    return lists->near ? lists->near[e] : lists->far[e];
}

/* From one list per row to one per row and part. */
static bool split_rows(hsgd_lists *lists, size_t num_rows, size_t parts, size_t num_features)
{
    size_t *whole = lists->start, *start = calloc(num_rows * parts + 1, sizeof *start);
    if (!start)
        return false;
    for (size_t s = 0; s < num_rows; s++)
        for (size_t k = 0, e = whole[s]; k < parts; k++) {
            while (e < whole[s + 1] && index_at(lists, e) < part_start(num_features, parts, k + 1))
                e++;
            start[s * parts + k + 1] = e;
        }
    free(whole);
    lists->start = start;
    lists->parts = parts;
    return true;
}

static size_t parts_that_pay(const hsgd_lists *lists, size_t num_rows, size_t num_features, size_t width)
{
    size_t fit = num_features * width * HSGD_POINTS_AT_ONCE / PART_DOUBLES + 1;
    size_t pay = lists->start[num_rows] / (num_rows * MIN_PART);
    return pay < 1 ? 1 : pay < fit ? pay : fit;
}

/* ---- rows of bytes: the byte is the code ---- */

/* Fills start and the dictionary; returned: whether every value that is not 0 is 1. */
static bool count_bytes(hsgd_lists *lists, const hsgd_dataset *data, size_t num_rows)
{
    size_t p = data->num_features;
    bool all_ones = true;
    memcpy(lists->dictionary, data->byte_value, sizeof lists->dictionary);
    for (size_t s = 0; s < num_rows; s++) {
        const uint8_t *byte = data->byte + s * p;
        lists->start[s + 1] = lists->start[s];
        for (size_t i = 0; i < p; i++) {
            double x = data->byte_value[byte[i]];
            lists->start[s + 1] += x != 0;
            all_ones = all_ones && (x == 0 || x == 1);
        }
    }
    return all_ones;
}

static void fill_bytes(hsgd_lists *lists, const hsgd_dataset *data, size_t num_rows)
{
    size_t p = data->num_features, at = 0;
    for (size_t s = 0; s < num_rows; s++)
        for (size_t i = 0; i < p; i++) {
            uint8_t byte = data->byte[s * p + i];
            if (data->byte_value[byte] == 0)
                continue;
            set_entry(lists, at, i);
            if (lists->code)
                lists->code[at] = byte;
            at++;
        }
}

/* ---- lists of rows of any kind ---- */

/* Fills start and the dictionary, d for doubles only. */
static values choose_values(hsgd_lists *lists, const hsgd_dataset *data, size_t num_rows, size_t width, dictionary *d)
{
    if (data->byte)
        return count_bytes(lists, data, num_rows) && width == 1 ? VALUES_ONE : VALUES_CODED;
    values kind = count_entries(lists, data, num_rows, d) ? VALUES_CODED : VALUES_DOUBLE;
    if (width == 1 && kind == VALUES_CODED && (d->count == 0 || (d->count == 1 && lists->dictionary[0] == 1)))
        kind = VALUES_ONE;
    return kind;
}

static bool make_by_row(hsgd_lists *lists, const hsgd_dataset *data, size_t num_rows, size_t width)
{
    dictionary d = {.count = 0};
    lists->start = calloc(num_rows + 1, sizeof *lists->start);
    if (!lists->start)
        return false;
    values kind = choose_values(lists, data, num_rows, width, &d);
    if (!allocate_entries(lists, lists->start[num_rows], data->num_features <= 1 << 16, kind))
        return false;
    if (data->byte)
        fill_bytes(lists, data, num_rows);
    else
        fill_rows(lists, data, num_rows, &d);
    return split_rows(lists, num_rows, parts_that_pay(lists, num_rows, data->num_features, width), data->num_features);
}

/* ---- by columns of tiles ---- */

static size_t ceiling(size_t x, size_t y)
{
    return (x + y - 1) / y;
}

/* Every worker's rows in tiles of nearly the same size. */
static bool make_tiles(hsgd_linear_rows *rows, const size_t *start, size_t num_workers, size_t most)
{
    size_t count = 0;
    rows->first_tile = calloc(num_workers + 1, sizeof *rows->first_tile);
    for (size_t j = 0; j < num_workers; j++)
        count += ceiling(start[j + 1] - start[j], most);
    rows->tile = calloc(count + 1, sizeof *rows->tile);
    if (!rows->first_tile || !rows->tile)
        return false;
    count = 0;
    for (size_t j = 0; j < num_workers; j++) {
        size_t m = start[j + 1] - start[j], tiles = ceiling(m, most);
        for (size_t i = 0; i < tiles; i++) {
            size_t from = m * i / tiles;
            rows->tile[count++] = (hsgd_tile){.first_row = start[j] + from, .num_rows = m * (i + 1) / tiles - from};
        }
        rows->first_tile[j + 1] = count;
    }
    return true;
}

/* The first entry of a row. */
static size_t row_start(const hsgd_linear_rows *rows, size_t row)
{
    return rows->by_row.start[row * rows->by_row.parts];
}

/* The features of a tile's entries into feature; returned: how many. length (p), zeros before: how often each occurs. */
static size_t features_of_tile(const hsgd_linear_rows *rows, const hsgd_tile *tile, size_t *length, uint32_t *feature)
{
    size_t count = 0, end = row_start(rows, tile->first_row + tile->num_rows);
    for (size_t e = row_start(rows, tile->first_row); e < end; e++) {
        size_t i = index_at(&rows->by_row, e);
        if (!length[i]++)
            feature[count++] = (uint32_t)i;
    }
    return count;
}

static void forget(size_t *length, const uint32_t *feature, size_t count)
{
    for (size_t i = 0; i < count; i++)
        length[feature[i]] = 0;
}

/* Memory for the work on one tile, each (p). */
typedef struct tile_work {
    size_t *length; /* zeros between tiles */
    uint32_t *feature;
    uint64_t *key;
} tile_work;

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Long lists first, so that the ends of neighbouring lists' loops are alike and branches are predicted: 6 % less time. */
static void sort_by_length(uint32_t *feature, size_t count, const tile_work *work)
{
    for (size_t i = 0; i < count; i++)
        work->key[i] = (uint64_t)(UINT32_MAX - work->length[feature[i]]) << 32 | feature[i];
    qsort(work->key, count, sizeof *work->key, by_key);
    for (size_t i = 0; i < count; i++)
        feature[i] = (uint32_t)work->key[i];
}

/* The lists of one tile, the entries of each in the order of the rows. */
static void fill_tile(hsgd_linear_rows *rows, const hsgd_tile *tile, const tile_work *work, size_t num_features)
{
    const hsgd_lists *from = &rows->by_row;
    hsgd_lists *to = &rows->by_column;
    uint32_t *feature = rows->column + tile->first_list;
    size_t *next = work->length, *list = to->start + tile->first_list, count;
    count = features_of_tile(rows, tile, work->length, feature);
    for (size_t i = 0; i < num_features && count < tile->num_lists; i++)
        if (!work->length[i])
            feature[count++] = (uint32_t)i;
    sort_by_length(feature, count, work);
    for (size_t l = 0; l < count; l++) {
        list[l + 1] = list[l] + work->length[feature[l]];
        next[feature[l]] = list[l]; /* from here on where the next entry goes */
    }
    for (size_t s = 0; s < tile->num_rows; s++)
        for (size_t e = row_start(rows, tile->first_row + s); e < row_start(rows, tile->first_row + s + 1); e++) {
            size_t put = next[index_at(from, e)]++;
            to->near[put] = (uint16_t)s;
            if (to->code)
                to->code[put] = from->code[e];
            if (to->value)
                to->value[put] = from->value[e];
        }
    forget(work->length, feature, count);
}

/* Which lists a tile gets. The first of a worker lists all features if it has entries enough: then nothing needs to be
 * zeroed. Returned: the entries of the lists. */
static size_t plan_tile(hsgd_linear_rows *rows, hsgd_tile *tile, bool first, const tile_work *work, size_t num_features)
{
    size_t count = features_of_tile(rows, tile, work->length, work->feature);
    size_t entries = row_start(rows, tile->first_row + tile->num_rows) - row_start(rows, tile->first_row);
    forget(work->length, work->feature, count);
    tile->complete = first && entries >= MIN_LIST * num_features;
    tile->num_lists = tile->complete ? num_features : entries >= MIN_LIST * count ? count : 0;
    return tile->num_lists ? entries : 0;
}

static size_t plan_lists(hsgd_linear_rows *rows, size_t num_workers, const tile_work *work, size_t num_features,
                         size_t *entries)
{
    size_t lists = 0;
    *entries = 0;
    for (size_t j = 0; j < num_workers; j++)
        for (size_t i = rows->first_tile[j]; i < rows->first_tile[j + 1]; i++) {
            rows->tile[i].first_list = lists;
            *entries += plan_tile(rows, &rows->tile[i], i == rows->first_tile[j], work, num_features);
            lists += rows->tile[i].num_lists;
        }
    return lists;
}

static bool fill_by_column(hsgd_linear_rows *rows, size_t num_tiles, size_t lists, size_t entries,
                           const tile_work *work, size_t num_features)
{
    hsgd_lists *to = &rows->by_column;
    values kind = rows->by_row.code ? VALUES_CODED : rows->by_row.value ? VALUES_DOUBLE : VALUES_ONE;
    to->parts = 1;
    to->start = calloc(lists + 1, sizeof *to->start);
    rows->column = malloc(lists * sizeof *rows->column);
    if (!allocate_entries(to, entries, true, kind) || !to->start || !rows->column)
        return false;
    memcpy(to->dictionary, rows->by_row.dictionary, sizeof to->dictionary);
    for (size_t i = 0; i < num_tiles; i++)
        if (rows->tile[i].num_lists)
            fill_tile(rows, &rows->tile[i], work, num_features);
    return true;
}

static bool make_by_column(hsgd_linear_rows *rows, size_t num_workers, size_t num_features)
{
    tile_work work = {.length = calloc(num_features, sizeof *work.length),
                      .feature = malloc(num_features * sizeof *work.feature),
                      .key = malloc(num_features * sizeof *work.key)};
    bool done = work.length && work.feature && work.key;
    size_t entries, lists = done ? plan_lists(rows, num_workers, &work, num_features, &entries) : 0;
    if (lists)
        done = fill_by_column(rows, rows->first_tile[num_workers], lists, entries, &work, num_features);
    free(work.length);
    free(work.feature);
    free(work.key);
    return done;
}

/* ---- both ---- */

hsgd_status hsgd_linear_rows_make(hsgd_linear_rows *out, const hsgd_dataset *data, const size_t *start,
                                  size_t num_workers, size_t width, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    if (make_by_row(&out->by_row, data, start[num_workers], width) &&
        make_tiles(out, start, num_workers, hsgd_linear_tile_rows(width)) &&
        make_by_column(out, num_workers, data->num_features))
        return HSGD_OK;
    hsgd_linear_rows_free(out);
    return hsgd_fail_memory(err, "the features");
}

static void free_lists(hsgd_lists *lists)
{
    free(lists->start);
    free(lists->near);
    free(lists->far);
    free(lists->code);
    free(lists->value);
}

static void prefetch(const void *array, size_t from, size_t end, size_t size)
{
    enum { LINE_BYTES = 64 };
    for (size_t at = from * size; array && at < end * size; at += LINE_BYTES)
        __builtin_prefetch((const char *)array + at);
}

void hsgd_linear_rows_prefetch(const hsgd_linear_rows *rows, const size_t *row, size_t count)
{
    const hsgd_lists *by_row = &rows->by_row;
    for (size_t i = 0; i < count; i++) {
        const size_t *list = by_row->start + row[i] * by_row->parts;
        size_t from = list[0], end = list[by_row->parts];
        prefetch(by_row->near, from, end, sizeof *by_row->near);
        prefetch(by_row->far, from, end, sizeof *by_row->far);
        prefetch(by_row->code, from, end, sizeof *by_row->code);
        prefetch(by_row->value, from, end, sizeof *by_row->value);
    }
}

void hsgd_linear_rows_free(hsgd_linear_rows *rows)
{
    free_lists(&rows->by_row);
    free_lists(&rows->by_column);
    free(rows->column);
    free(rows->tile);
    free(rows->first_tile);
    memset(rows, 0, sizeof *rows);
}
