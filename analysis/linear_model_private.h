/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the linear models share. */
#ifndef HSGD_ANALYSIS_LINEAR_MODEL_PRIVATE_H
#define HSGD_ANALYSIS_LINEAR_MODEL_PRIVATE_H

#include "analysis/linear_model.h"
#include "analysis/linear_rows_private.h"
#include "analysis/vector_private.h"

/* Rows per block: with some thousand features the block stays in a second-level cache; larger only costs memory. */
enum { HSGD_LINEAR_BLOCK_ROWS = 64 };

typedef struct linear_model {
    hsgd_link link;
    const hsgd_dataset *data;
    const size_t *start;
    size_t num_workers;
    size_t outputs; /* rows of W: 1 for logistic, the number of classes for softmax */
    hsgd_regularizer regularizer;
    bool listed;           /* rows is in use; otherwise the dense matrix of the data is */
    hsgd_linear_rows rows; /* owned */
    size_t most_rows;      /* that are handled at once */
} linear_model;

/* linear_model.c: the scores z (count, outputs) = X W' of the samples first .. first + count - 1 at W = point. x (count, p):
 * scratch memory, for data kept as bytes only. */
void hsgd_linear_model_scores(const linear_model *model, size_t first, size_t count, const double *point, double *z,
                              double *x);

/* linear_divergence.c: hsgd_objective_type.divergences of both links. */
hsgd_status hsgd_linear_model_divergences(double *node_sq, double *global_sq, const hsgd_objective *objective,
                                          const hsgd_hierarchy *h, const size_t *placement, hsgd_error *err);

/* linear_evaluate.c: hsgd_objective_type.evaluate of both links. */
void hsgd_linear_model_evaluate(const hsgd_objective *objective, const double *point, const hsgd_dataset *data,
                                size_t first, size_t count, double *loss_sum, size_t *num_right, double *scratch);

/* ---- scratch memory (linear_room.c) ---- */

/* The parts of the scratch memory; rows: the most that are handled at once, P: the points. */
typedef struct hsgd_linear_room {
    size_t *row;  /* (2 HSGD_LINEAR_BLOCK_ROWS) the samples of a block of a mini-batch, and of the next one */
    double *loss; /* (P, rows rounded up to 8) */
    double *work; /* (width, 8) */
    double *z;    /* (rows, width) */
    double *side; /* (P, rows) scores point by point: for one output only */
    double *wide; /* (p, width) the transposed points: listed data and a width above 1 only, like the next */
    double *grad; /* (p, width) the transposed gradients */
    double
        *x; /* (HSGD_LINEAR_BLOCK_ROWS, p) gathered rows: mini-batches from dense data, and data kept as bytes, only */
    double *step; /* (together, d) stochastic gradients: steps only */
    size_t width, num_points;
} hsgd_linear_room;

/* Scores kept per sample: in fours, and where that makes more than twelve in whole lines of the cache. The kernels know
 * one output by its widths 1 and 4, so more outputs have at least 8. */
size_t hsgd_linear_width(size_t outputs, size_t num_points);

/* Rows that are handled at once, at most. */
size_t hsgd_linear_most_rows(const linear_model *model);

/* Workers whose steps are made at the same time, at most: few enough for their gradients to stay in the first-level cache. */
size_t hsgd_linear_steps_together(const linear_model *model);

/* Doubles of scratch memory for num_points points; gathers: for mini-batches, too. */
size_t hsgd_linear_room_size(const linear_model *model, size_t num_points, bool gathers);

/* The parts of scratch memory that has at least that size. */
hsgd_linear_room hsgd_linear_room_of(const linear_model *model, size_t num_points, bool gathers, double *scratch);

static inline bool hsgd_linear_room_is_transposed(const linear_model *model, const hsgd_linear_room *room)
{
    return model->listed && room->width > 1;
}

/* ---- kernels (linear_model_kernels.c) ---- */

/* The labels of some samples: sample i has label[row[i]], or label[i] where row is NULL. */
typedef struct hsgd_labels {
    const uint32_t *label;
    const size_t *row;
} hsgd_labels;

/* The losses are summed as by hsgd_sum8: in lanes of samples. */
typedef struct hsgd_linear_model_kernels {
    /* Rows first .. end - 1 of out (p, width), of them the columns from .. to - 1 (multiples of 4): column c is row c of
     * the points (outputs, p) put below each other, zeros from `columns` on. */
    void (*widen)(double *out, const double *const *point, size_t outputs, size_t columns, size_t p, size_t first,
                  size_t end, size_t width, size_t from, size_t to);

    /* Columns first .. end - 1 of out (columns, p): the transpose of g (p, width) without the columns beyond. */
    void (*narrow)(double *out, const double *g, size_t columns, size_t p, size_t first, size_t end, size_t width);

    /* z (count, width): the sum over the entries of `parts` parts, the first of them `part`, of data row row[i] (row NULL:
     * first + i), of their value times the row of w (., width) that the index names, is added to row i or replaces it. */
    void (*scores)(double *z, bool add, const hsgd_lists *lists, size_t part, size_t parts, const size_t *row,
                   size_t first, size_t count, const double *w, size_t width);

    /* The same sums for the lists first .. first + count - 1 of columns, with r (rows of the tile, width) for w; the one
     * of list l is added to row column[l] of g (p, width), or replaces it. */
    void (*collect)(double *g, bool add, const uint32_t *column, const hsgd_lists *lists, size_t first, size_t count,
                    const double *r, size_t width);

    /* What collect does, entry by entry: for every entry of these parts of data row row[i] its value times row i
     * of r (count, width) is added to the row of g that its index names. */
    void (*scatter)(double *g, const hsgd_lists *lists, size_t part, size_t parts, const size_t *row, size_t first,
                    size_t count, const double *r, size_t width);

    /* z (count, width): from the scores of samples to scale * d loss / d score. Returned: the sum of the losses.
     * loss (count rounded up to 8): scratch memory; NULL: no losses are wanted, 0 is returned. */
    double (*logistic)(double *z, hsgd_labels labels, size_t count, double scale, double *loss);

    /* The same for num_points groups of `outputs` columns; width: a multiple of 4. total (num_points): the sums of the
     * losses are added; NULL: not wanted. loss (num_points, count rounded up to 8), work (width, 8): scratch memory. */
    void (*softmax)(double *z, hsgd_labels labels, size_t count, size_t outputs, size_t num_points, size_t width,
                    double scale, double *total, double *loss, double *work);
} hsgd_linear_model_kernels;

HSGD_DECLARE_PATHS(hsgd_linear_model_kernels);

/* Widths beyond 1 are multiples of four, what every path can put into whole registers. */
enum { HSGD_LINEAR_FOUR = 4 };

#endif
