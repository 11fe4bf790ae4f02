/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of the engine: a run is cut into windows of time, a window into units of workers.
 *
 * A window ends where the root averages, or where its buffers are full. Inside a window the subtrees below the root do not
 * know of each other, so each unit (one subtree, or a run of workers that hang from the root itself) is advanced through the
 * whole window by one thread while its models are in cache. Its means are then merged into the root's in the order of the
 * units, whichever thread was faster. */
#ifndef HSGD_ANALYSIS_ENGINE_PRIVATE_H
#define HSGD_ANALYSIS_ENGINE_PRIVATE_H

#include "analysis/engine.h"
#include "analysis/moments.h"
#include "analysis/tree_walk_private.h"

/* Workers [first, first + count) that one thread advances. */
typedef struct hsgd_unit {
    size_t node; /* the subtree's node, HSGD_NO_NODE for a run of the root's own workers */
    size_t first, count;
} hsgd_unit;

/* What one thread needs for itself. R = rows of a window + 1. */
typedef struct hsgd_thread_space {
    hsgd_moments *unit_row;       /* (R) the unit's mean at every measured step, and at the window's end */
    double *unit_norm_sq;         /* (R) its sum of weight * ||w_j||^2 */
    hsgd_moments *parameter_level, *gradient_level; /* (num_levels) accumulators of the two walks */
    hsgd_moments unit_gradient;
    double *grad;                 /* (HSGD_ROWS_AT_ONCE, dim) gradients of a few workers */
    double *loss;                 /* (HSGD_ROWS_AT_ONCE) */
    double *scratch;              /* what the objective asks for */
    double *unused_dispersion;    /* (num_nodes) where a walk's results are not wanted */
    double *memory;               /* all of the doubles above */
} hsgd_thread_space;

typedef struct hsgd_window {
    size_t begin, end;           /* steps [begin, end) */
    size_t num_rows;             /* measured steps inside */
    hsgd_moments *root;          /* (R) merged means: wbar^t at the measured steps, and wbar at the end */
    double *root_norm_sq;        /* (R) */
    double *node_dispersion;     /* (rows, num_nodes) */
    double *node_divergence_at_node; /* (rows, num_nodes) beta_u^2(wbar_u^t) */
} hsgd_window;

typedef struct hsgd_engine {
    const hsgd_simulation *simulation;
    const hsgd_hierarchy *hierarchy;
    size_t dim, max_rows;        /* R - 1 */
    double *model;               /* (num_workers, dim) w_j by place */
    size_t *placement;           /* (num_workers) */
    hsgd_unit *unit;             /* (num_units) */
    size_t num_units;
    hsgd_window window;
    hsgd_thread_space *space;    /* (threads) */
    hsgd_moments gradient;       /* grad f(wbar^t) and D_1 */
    double *node_divergence;     /* (num_nodes) beta_u^2(wbar^t) of the row at hand */
    double *all_gradients;       /* (num_workers, dim) at wbar^t; NULL unless maxima are measured */
    double *node_gradient;       /* (num_nodes, dim) grad f_u(wbar^t); NULL unless maxima are measured */
    hsgd_trace *trace;
} hsgd_engine;

hsgd_status hsgd_trace_alloc(hsgd_trace *out, const hsgd_simulation *simulation, hsgd_error *err);

/* engine_memory.c */
hsgd_status hsgd_engine_alloc(hsgd_engine *out, const hsgd_simulation *simulation, hsgd_trace *trace, hsgd_error *err);
void hsgd_engine_free(hsgd_engine *engine);

/* measure.c: the unit's parameters now, into row `row` of the thread's space and the window's node arrays. The last row of
 * a window (row == num_rows) keeps only the mean. */
void hsgd_measure_unit(hsgd_engine *engine, const hsgd_unit *unit, size_t row, hsgd_thread_space *space);

/* measure.c: everything at wbar of one row of the window, into row trace_row of the trace. Returns false if the loss or the
 * gradient is not finite. */
bool hsgd_measure_root(hsgd_engine *engine, size_t row, size_t trace_row);

#endif
