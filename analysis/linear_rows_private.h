/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The features of a linear model in the form that its kernels read: only the entries that are not 0, each in its
 * narrowest exact type, by rows (scores, mini-batches) and by columns of tiles of rows (full gradients). */
#ifndef HSGD_ANALYSIS_LINEAR_ROWS_PRIVATE_H
#define HSGD_ANALYSIS_LINEAR_ROWS_PRIVATE_H

#include <stdbool.h>

#include "analysis/dataset.h"
#include "analysis/objective.h"

/* Lists of entries: list l has the entries start[l] .. start[l + 1] - 1. An entry is an index and a value: one of near
 * and far is set; one of code and value, or neither, and then every value is 1. */
typedef struct hsgd_lists {
    size_t parts;   /* lists of one row: each is the entries of a part of the features */
    size_t *start;  /* owned */
    uint16_t *near; /* indices below 2^16, owned */
    uint32_t *far;  /* other indices, owned */
    uint8_t *code;  /* the value is dictionary[code], owned */
    double *value;  /* owned */
    double dictionary[256];
} hsgd_lists;

/* Neighbouring rows of one worker, few enough for their scores to stay in the first-level cache. */
typedef struct hsgd_tile {
    size_t first_row, num_rows;
    size_t first_list, num_lists; /* of the columns that occur, the longest first; none where they would not pay */
    bool complete;                /* columns that do not occur have lists, too */
} hsgd_tile;

typedef struct hsgd_linear_rows {
    hsgd_lists by_row;    /* list row * parts + k is part k of a row of the data, an index a feature */
    hsgd_lists by_column; /* a list is a feature in a tile, an index a row of the tile; start NULL: no tile has lists */
    uint32_t *column;     /* the feature of each list of by_column, owned */
    hsgd_tile *tile;      /* owned */
    size_t *first_tile;   /* (num_workers + 1) worker j has the tiles first_tile[j] .. first_tile[j + 1] - 1, owned */
} hsgd_linear_rows;

/* Rows of a tile, at most, where a row has `width` scores (at one point). */
size_t hsgd_linear_tile_rows(size_t width);

/* Asks for the entries of some data rows ahead of time: rows drawn at random come from far away, one after the other. */
void hsgd_linear_rows_prefetch(const hsgd_linear_rows *rows, const size_t *row, size_t count);

/* Whether lists are faster than the dense matrix: always for sparse data. */
bool hsgd_linear_rows_pay(const hsgd_dataset *data, size_t num_rows);

/* A copy of the rows 0 .. start[num_workers] - 1. On failure out is empty. */
hsgd_status hsgd_linear_rows_make(hsgd_linear_rows *out, const hsgd_dataset *data, const size_t *start,
                                  size_t num_workers, size_t width, hsgd_error *err);

void hsgd_linear_rows_free(hsgd_linear_rows *rows);

#endif
