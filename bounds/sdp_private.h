/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A semidefinite program in one standard form, its solver, and its file format.
 *
 *     minimise sum_i cost_i y_i   subject to   S_k = C_k + sum_i y_i A_ik  positive semidefinite, for every block k,
 *                                              s_r = c_r + sum_i y_i a_ir >= 0,               for every row r
 * with the dual                  maximise - sum_k <C_k, X_k> - sum_r c_r x_r   over X_k psd, x_r >= 0 such that
 *                                              sum_k <A_ik, X_k> + sum_r a_ir x_r = cost_i,   for every i. */
#ifndef HSGD_BOUNDS_SDP_PRIVATE_H
#define HSGD_BOUNDS_SDP_PRIVATE_H

#include <stddef.h>
#include <stdio.h>

#include "analysis/error.h"

/* Sparse columns: column 0 is the constant, column i + 1 belongs to y_i. Entries of column c are start[c]..start[c+1]-1. */
typedef struct hsgd_sdp_columns {
    int *start;    /* (num_variables + 2) */
    int *index;    /* row r; in a block, i (i + 1)/2 + j for the entry (i, j), i >= j, each once */
    double *value; /* an off-diagonal entry stands for both of its places */
    size_t count, capacity;
} hsgd_sdp_columns;

typedef struct hsgd_sdp {
    size_t num_variables, num_blocks, num_rows;
    double *cost;            /* (num_variables) */
    size_t *block_size;      /* (num_blocks) each at least 1 */
    hsgd_sdp_columns *block; /* (num_blocks) */
    hsgd_sdp_columns row;
} hsgd_sdp;

/* What the solver says. It is not to be trusted: callers recompute what they claim from it. */
typedef struct hsgd_sdp_solution {
    double *y;      /* (num_variables) */
    double **block; /* (num_blocks) X_k (block_size, block_size), row-major */
    double *row;    /* (num_rows) x_r */
} hsgd_sdp_solution;

/* Memory for a program; columns are then filled in order with hsgd_sdp_add and hsgd_sdp_end_column, for each block and
 * for the rows. Every function here works on what was only partly built, and free takes it. */
hsgd_status hsgd_sdp_init(hsgd_sdp *out, size_t num_variables, const size_t *block_size, size_t num_blocks,
                          size_t num_rows, hsgd_error *err);
void hsgd_sdp_free(hsgd_sdp *sdp);

hsgd_status hsgd_sdp_add(hsgd_sdp_columns *columns, size_t index, double value, hsgd_error *err);
void hsgd_sdp_end_column(hsgd_sdp_columns *columns, size_t column);

/* Solve to this relative gap, as far as the solver gets. A status other than HSGD_OK only where there is nothing to
 * look at; whether the solution is good is for the caller to find out. Free the solution also after a failure. */
hsgd_status hsgd_sdp_solve(hsgd_sdp_solution *out, const hsgd_sdp *sdp, double gap_tolerance, hsgd_error *err);
void hsgd_sdp_solution_free(hsgd_sdp_solution *solution, const hsgd_sdp *sdp);

/* Write in SDPA sparse format; title is put into its comment line. The rows are one diagonal block, the last. */
hsgd_status hsgd_sdp_write(FILE *stream, const hsgd_sdp *sdp, const char *title, hsgd_error *err);

#endif
