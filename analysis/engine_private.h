/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of the engine: a run is cut into windows of time, a window into units of workers.
 *
 * A window ends where the root averages, or where its buffers are full. Inside a window the subtrees below the root do
 * not know of each other, so each unit (one subtree, or a run of workers that hang from the root itself) is advanced
 * through the whole window by one thread while its models are in cache. What the units contribute to the root lands in
 * slots of their own, which are merged in the order of the units, whichever thread was faster. Gradients at wbar follow
 * for several measured steps at a time, unit by unit in the same way. */
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

/* What some workers contribute to the root: models or gradients at one step. */
typedef struct hsgd_part {
    hsgd_moments moments; /* their mean (dim) and, for a run of the root's own workers, its spread */
    double norm_sq;       /* sum of weight * ||x||^2 */
    double loss;          /* gradients: sum of weight * F_j */
} hsgd_part;

/* What some workers contribute to the proof terms of one measured step. */
typedef struct hsgd_proof_part {
    hsgd_moments gradient, noise; /* means (dim) of grad F_j(w_j) and of xi_j */
    double noise_sq;              /* sum of weight * ||xi_j||^2 */
    double independent_noise_sq;  /* sum of weight^2 * ||xi_j||^2 */
} hsgd_proof_part;

/* Everything at wbar of one measured step. */
typedef struct hsgd_root_row {
    hsgd_part *unit_part;          /* (num_units) gradients */
    hsgd_part whole;               /* of all workers: grad f(wbar) and D_1; norm_sq and loss are means here */
    double *node_divergence;       /* (num_nodes) beta_u^2(wbar) */
    double *all_gradients;         /* (num_workers, dim) grad F_j(wbar); NULL unless maxima are measured */
    double *node_gradient;         /* (num_nodes, dim) grad f_u(wbar); NULL unless maxima are measured */
    double *node_deviation_max_sq; /* (num_nodes) NULL unless maxima are measured */
    double worker_deviation_max_sq;
} hsgd_root_row;

/* What one thread needs for itself. */
typedef struct hsgd_thread_space {
    hsgd_moments *parameter_level, *gradient_level; /* (num_levels) accumulators of the two walks */
    double *grad;                                   /* (HSGD_ROWS_AT_ONCE, dim) gradients of a few workers */
    double *loss;                                   /* (HSGD_ROWS_AT_ONCE) */
    double *scratch;                                /* what the objective asks for */
    double *unused_dispersion;                      /* (num_nodes) where a walk's results are not wanted */
} hsgd_thread_space;

/* R = max_rows + 1: the measured steps of a window, and its end. */
typedef struct hsgd_window {
    size_t begin, end;               /* steps [begin, end) */
    size_t num_rows;                 /* measured steps inside, at most max_rows */
    hsgd_part *unit_part;            /* (num_units, R) models */
    hsgd_part *root;                 /* (R) of all workers: wbar^t at the measured steps, and wbar at the end */
    double *node_dispersion;         /* (max_rows, num_nodes) */
    double *node_divergence_at_node; /* (max_rows, num_nodes) beta_u^2(wbar_u^t) */
    hsgd_proof_part *unit_proof;     /* (num_units, max_rows) NULL unless the proof terms are measured */
    hsgd_proof_part *root_proof;     /* (max_rows) of all workers */
} hsgd_window;

enum { HSGD_ENGINE_BLOCKS = 48 };

typedef struct hsgd_engine {
    const hsgd_simulation *simulation;
    const hsgd_hierarchy *hierarchy;
    size_t dim, num_units, max_rows, max_root_rows;
    int threads;               /* to use in the next parallel region, at most simulation->threads */
    double *model;             /* (num_workers, dim) w_j by place */
    size_t *placement;         /* (num_workers) */
    double *measured_model;    /* (num_workers, dim) w_j at the last measured step, and */
    double *measured_gradient; /* (num_workers, dim) grad F_j there, by place; NULL unless smoothness is measured */
    hsgd_seen_smoothness *smoothness; /* (num_workers) by place */
    double *measured_mean;            /* (2, dim) wbar of the last measured step and grad f there */
    hsgd_unit *unit;                  /* (num_units) */
    hsgd_window window;
    hsgd_root_row *root_row;  /* (max_root_rows) */
    hsgd_thread_space *space; /* (simulation->threads) */
    hsgd_trace *trace;
    void *block[HSGD_ENGINE_BLOCKS]; /* everything that was allocated */
    size_t num_blocks;
    bool incomplete; /* an allocation failed */
} hsgd_engine;

hsgd_status hsgd_trace_alloc(hsgd_trace *out, const hsgd_simulation *simulation, hsgd_error *err);

/* engine_memory.c */
hsgd_status hsgd_engine_alloc(hsgd_engine *out, const hsgd_simulation *simulation, hsgd_trace *trace, hsgd_error *err);
void hsgd_engine_free(hsgd_engine *engine);

/* proof_terms.c, all only where proof terms are measured.
 * The gradients at the unit's models at the measured step t, into engine->measured_gradient. */
void hsgd_proof_gradients(hsgd_engine *engine, const hsgd_unit *unit, size_t t, hsgd_thread_space *space);

/* grad F_j (dim) at the model of the worker at this place: the one kept, or made now in the space's third vector. */
const double *hsgd_proof_gradient(hsgd_engine *engine, size_t place, hsgd_thread_space *space);

/* grad F_j of the worker at this place and its noise, into the unit's slot of the window's row; noise (dim): NULL for
 * exact gradients. */
void hsgd_proof_add(hsgd_engine *engine, size_t unit, size_t row, size_t place, size_t t, const double *gradient,
                    const double *noise);

/* The pair of this worker's model at the last measured step and the point (dim) with its gradient. */
void hsgd_proof_compare(hsgd_engine *engine, size_t place, size_t t, const double *point, const double *gradient);

/* Merge the units of one row of the window, in their order. */
void hsgd_proof_merge(hsgd_engine *engine, size_t row);

/* Into row trace_row of the trace: the row's terms (not for step T), and the smoothness of f on the way from the row
 * before. */
void hsgd_proof_record(hsgd_engine *engine, const hsgd_root_row *root_row, size_t row, size_t trace_row);

/* The largest over the workers, in their order, at the end of the run. */
void hsgd_proof_finish(hsgd_engine *engine);

/* measure.c: the unit's models now, into its slot of the window and the window's node arrays. The last row of a window
 * (row == num_rows) keeps only the mean. */
void hsgd_measure_unit(hsgd_engine *engine, size_t unit, size_t row, hsgd_thread_space *space);

/* measure.c: out receives the parts of all units, one every `stride`, merged in their order. */
void hsgd_merge_parts(hsgd_part *out, const hsgd_part *part, size_t stride, size_t num_units, size_t dim);

/* measure.c: gradients at wbar for count <= max_root_rows rows of the window, from `row` on, into root_row[0..count).
 */
void hsgd_measure_root(hsgd_engine *engine, size_t row, size_t count);

/* measure.c: put root_row[slot] and row `row` of the window into row trace_row of the trace. Returns false if the loss
 * or the gradient is not finite. */
bool hsgd_record_row(hsgd_engine *engine, size_t slot, size_t row, size_t trace_row);

#endif
