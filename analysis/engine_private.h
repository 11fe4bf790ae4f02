/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of the engine: a run is cut into windows of time, a window into legs, the tree into units of workers.
 *
 * A window ends where the root averages, where its buffers are full, or where a round would take too long (window_length.c).
 * The root is divided: what hangs below it are units (some subtrees, or a run of workers that hang from the root itself). Where
 * that makes only a few, some of these subtrees are divided in the same way (engine_cut.c), and a window has legs, each of
 * which ends where a divided node averages. Inside a leg the units do not know of each other, so each is advanced through all
 * of it by one thread while its models are in cache. What the units contribute to the divided node above them lands in slots
 * of their own, which are merged in their order, whichever thread was faster; so does what divided nodes contribute to those
 * above them, up to the root. Gradients at wbar follow for several measured steps at a time, unit by unit in the same way.
 *
 * Where several processes share a run, each owns some units that follow one another, and has memory for their workers only.
 * Every divided node that several of them have units of is a team of theirs: the slots below it travel in it, so that all of
 * them merge these in the same order and go on with the same numbers. */
#ifndef HSGD_ANALYSIS_ENGINE_PRIVATE_H
#define HSGD_ANALYSIS_ENGINE_PRIVATE_H

#include <stdatomic.h>

#include "analysis/engine.h"
#include "analysis/memory.h"
#include "analysis/moments.h"
#include "analysis/team.h"
#include "analysis/tree_walk_private.h"

/* What one thread wrote another one merges: it asks for the vectors of this many units ahead, whose way from cache to cache
 * would else be waited for. */
enum { HSGD_UNITS_AHEAD = 3 };
static inline void hsgd_ask_for(const double *vector, size_t dim)
{
    const size_t line = HSGD_LINE_BYTES / sizeof *vector, most = 64 * line; /* more would push each other out */
    for (size_t i = 0; i < dim && i < most; i += line)
        __builtin_prefetch(vector + i);
}

/* Workers [first, first + count) that one thread advances: some children of a divided node that follow one another, and all
 * below them. */
typedef struct hsgd_unit {
    size_t split;     /* the divided node above */
    size_t depth;     /* of that node */
    size_t node, end; /* nodes [node, end), the first of which is a child of that node; none for workers of its own */
    size_t first, count;
    size_t slot;
} hsgd_unit;

/* A divided node. They are in the tree's order: the root is the first. */
typedef struct hsgd_split {
    size_t node;                 /* of the tree */
    size_t parent;               /* the divided node above; none above the root */
    size_t first_unit, end_unit; /* below it */
    size_t first_slot, end_slot; /* of what hangs directly below it: units, and divided nodes */
    size_t slot;                 /* its own; the root has none */
    const double *from;          /* (dim) where its workers begin after an average within a window */
    bool is_own, is_shared;      /* this process has units below it; several have */
    hsgd_team team; /* of those, if this is one of several; else of size 1. The root's is that of the engine */
    size_t
        *first_kid; /* (processes of the team + 1) whose slots, from first_slot on, are whose: that of the first unit */
} hsgd_split;

/* How a tree is cut. */
typedef struct hsgd_cut {
    size_t depth; /* of the lowest divided nodes, at most */
    size_t num_units, num_splits;
    size_t most_workers, most_nodes; /* of a unit */
    size_t leg;                      /* steps: the shortest period of a divided node */
    bool whole_legs;                 /* every unit begins every leg at an average of the node above it */
    bool looks_up;                   /* as in hsgd_engine */
} hsgd_cut;

static inline bool hsgd_unit_has_nodes(const hsgd_unit *unit)
{
    return unit->end > unit->node;
}

/* Which process has what; all arrays (processes + 1): the first of each, and the end of the last. */
typedef struct hsgd_owners {
    size_t *unit, *place,
        *node;     /* places and nodes of the units; a divided node goes with its first unit, the root with none */
    size_t *chunk; /* of hsgd_evaluation_chunks */
    size_t *rank;  /* one each */
} hsgd_owners;

/* What this process has, of all of them. */
typedef struct hsgd_own {
    size_t first_unit, end_unit;
    size_t first_place, end_place;
    size_t first_node, end_node;
} hsgd_own;

/* What some workers contribute to the node above them: models or gradients at one step. */
typedef struct hsgd_part {
    _Alignas(HSGD_LINE_BYTES)
        hsgd_moments moments; /* their mean (dim), and the spread of that node's children among them */
    double norm_sq;           /* sum of weight * ||x||^2 */
    double loss;              /* gradients: sum of weight * F_j */
} hsgd_part;

/* What some workers contribute to the proof terms of one measured step. */
typedef struct hsgd_proof_part {
    _Alignas(HSGD_LINE_BYTES) double *gradient,
        *noise;                  /* (dim) sums of weight * grad F_j(w_j) and of weight * xi_j; means once merged */
    double weight;               /* of these workers */
    double noise_sq;             /* sum of weight * ||xi_j||^2 */
    double independent_noise_sq; /* sum of weight^2 * ||xi_j||^2 */
} hsgd_proof_part;

/* Everything at wbar of one measured step. */
typedef struct hsgd_root_row {
    hsgd_part *slot;         /* (num_slots) gradients */
    hsgd_part whole;         /* of all workers: grad f(wbar) and D_1; norm_sq and loss are means here */
    double *node_divergence; /* (num_nodes) beta_u^2(wbar) */
    double *all_gradients;   /* (own workers, dim) grad F_j(wbar); NULL unless maxima are measured */
    double *node_gradient;   /* (own nodes, dim) grad f_u(wbar) of nodes in units; NULL unless maxima are measured */
    double *node_deviation_max_sq; /* (num_nodes) NULL unless maxima are measured */
    double worker_deviation_max_sq;
} hsgd_root_row;

/* A measured step of a unit, or of some of its workers, whose true gradients are still to be made. */
typedef struct hsgd_past {
    size_t t, row;     /* of the window */
    size_t first;      /* place of the first worker below */
    double *model;     /* (workers, stride) w_j before the step */
    double *drawn;     /* (workers, dim) the stochastic gradients of the step; NULL: it is still to be made */
    double *node_mean; /* (nodes of the unit, dim) wbar_u; NULL unless measured at the nodes */
} hsgd_past;

/* What one thread needs for itself. Points: where the gradients of a worker are wanted at the same time, at most. */
typedef struct hsgd_thread_space {
    _Alignas(HSGD_LINE_BYTES) /* threads write here at every step */
        double *unit_model;  /* (workers of the unit at hand, stride) w_j by place: among those of all workers where the
                                engine keeps them, or own_model; where models pass, (rows_at_once, stride) of the
                                workers at hand */
    size_t first;            /* the place of the first of them */
    hsgd_moments *level;     /* (points or passage_rows + 2, num_levels) accumulators */
    double *node_dispersion; /* (points, num_nodes) what a walk finds, where it is not kept */
    hsgd_past past[HSGD_POINTS_AT_ONCE]; /* (steps_at_once) of the unit at hand, sized for the largest */
    size_t num_past;                     /* that are in use */
    double *own_model;                   /* for windows that are whole: (workers of the largest unit, stride), or where
                                            models may pass (rows_at_once, stride); NULL: the engine keeps them anyway */
    double *grad;                        /* (rows_at_once, points, dim) true gradients of a few workers */
    double *drawn;                       /* (rows_at_once, dim) stochastic ones */
    double *loss;                        /* (rows_at_once, points) */
    double *scratch;                     /* what the objective asks for */
    _Alignas(HSGD_LINE_BYTES)            /* others write here, too */
        _Atomic uint64_t tasks;          /* of a parallel region: those that it begins with and nobody has taken yet */
} hsgd_thread_space;

/* What a variant keeps; NULL where it has no use for it. */
typedef struct hsgd_variant_memory {
    double *weight;       /* (num_workers) by place: of the worker's model in the averages of this round, times n */
    double *cumulative;   /* (num_workers), and */
    size_t *order;        /* (num_workers): to draw in */
    double *velocity;     /* (own workers, dim) by the objective's worker; where processes share the run, by place */
    double *anchor;       /* (own nodes, dim) what the workers below a node took at its last average or one above */
    double *carried;      /* (dim) the mean of all velocities */
    size_t *before, *now; /* (num_workers) a placement, and where each worker is now; and */
    double *moved; /* (own workers, dim) velocities, while they go with their workers; NULL in a run of one process */
} hsgd_variant_memory;

/* R = max_rows + 1: the measured steps of a window, and its end. */
typedef struct hsgd_window {
    size_t begin, end;         /* steps [begin, end) */
    size_t num_rows;           /* measured steps inside, at most max_rows */
    bool ends_in_mean;         /* wbar is wanted at its end: for the root's average, or as wbar^T */
    bool is_whole;             /* no model of before it is needed in it, and none of it afterwards */
    size_t leg_begin, leg_end; /* steps of the leg at hand */
    size_t num_legs;           /* so far */
    hsgd_part *slot;           /* (R, num_slots) models, row by row because rows are merged; the last row is that of the
                                  end of the leg, of the units below divided nodes that average there */
    hsgd_part *root; /* (R) of all workers: wbar^t at the measured steps, and wbar at the end if it ends in it */
    double *node_dispersion;         /* (max_rows, num_nodes) */
    double *node_divergence_at_node; /* (max_rows, num_nodes) beta_u^2(wbar_u^t) */
    hsgd_proof_part *unit_proof;     /* (max_rows, num_units) NULL unless the proof terms are measured */
    hsgd_proof_part *root_proof;     /* (max_rows) of all workers */
} hsgd_window;

/* What some neighbouring samples give. */
typedef struct hsgd_evaluated {
    _Alignas(HSGD_LINE_BYTES) double loss_sum;
    size_t num_right;
} hsgd_evaluated;

typedef struct hsgd_engine {
    const hsgd_simulation *simulation;
    const hsgd_hierarchy *hierarchy;
    const hsgd_team *team; /* of the simulation */
    hsgd_owners owners;
    hsgd_own own;
    hsgd_status status; /* of the messages; after a failure nothing is worth anything */
    hsgd_error *err;    /* where the failure is told */
    size_t dim, num_units, num_splits, num_slots, max_rows, max_root_rows;
    size_t split_depth;   /* of the lowest divided nodes */
    size_t stride;        /* from one model at hand to the next */
    size_t rows_at_once;  /* workers handled together, at most HSGD_ROWS_AT_ONCE */
    bool steps_itself;    /* the objective records its steps, and nothing else is wanted there */
    size_t steps_at_once; /* measured steps whose true gradients are made together */
    bool by_steps; /* all workers of a unit take a step before any takes the next: a measurement must have them all
                             there, several measured steps wait for each other, or groups are very small; otherwise a
                             unit goes subtree by subtree */
    size_t passage_rows;  /* measured steps that a subtree can go through before others follow, at least 1 */
    bool models_may_pass; /* and they do in windows that are whole: nothing is left of a worker's model when others have
                             their turn but its share in averages */
    int threads;          /* to use in the next parallel region, at most simulation->threads */
    bool looks_up;        /* measured at the averages of divided nodes: legs end before measured steps, too, and units
                             then go on when these averages are there */
    hsgd_part *at_mean;   /* (split_depth, num_slots) where it looks up, of one measured step: gradients at the average
                             of the divided node of depth 1, 2, ... that a unit lies below */
    double *start;        /* (dim) wbar after the last average of the root; w^0 at first */
    double *model;        /* (own workers, stride) w_j by place; NULL as long as all windows are whole and every leg
                             begins at an average of the node above a unit, because its models live no longer than
                             that */
    bool can_cut, cannot_cut; /* have all processes memory for models that outlive windows? Neither: not yet asked */
    double step_s;            /* seconds that a step takes, by the last windows, in the slowest process; 0: not known */
    size_t *placement;        /* (num_workers) */
    double *measured_model;   /* (own workers, dim) w_j at the last measured step, and */
    double *measured_gradient; /* (own workers, dim) grad F_j there, by place; NULL unless smoothness is measured */
    hsgd_seen_smoothness *smoothness; /* (own workers) by place */
    double *measured_mean;            /* (2, dim) wbar of the last measured step and grad f there */
    hsgd_unit *unit;                  /* (num_units) */
    hsgd_split *split;                /* (num_splits) */
    size_t *order;                    /* (own units) in which they are visited; what they give is merged in theirs */
    hsgd_variant_memory variant;
    hsgd_window window;
    hsgd_root_row *root_row;  /* (max_root_rows); their node_divergence follow one another */
    hsgd_thread_space *space; /* (simulation->threads) */
    hsgd_trace *trace;
    hsgd_evaluated *evaluated; /* (hsgd_evaluation_chunks) NULL where nothing is evaluated */
    double *parcel;            /* numbers on their way, where processes share the run: sized for the longest of them */
    void **block;              /* (max_blocks) everything that was allocated */
    size_t num_blocks, max_blocks;
    bool incomplete; /* an allocation failed */
} hsgd_engine;

hsgd_status hsgd_trace_alloc(hsgd_trace *out, const hsgd_simulation *simulation, hsgd_error *err);

/* engine_cut.c: how the expanded tree of a simulation is cut; the same for any number of threads and processes; */
hsgd_cut hsgd_cut_find(const hsgd_simulation *simulation);

/* and the units and divided nodes of that cut. */
void hsgd_cut_make(hsgd_engine *engine, const hsgd_cut *cut);

/* engine_memory.c */
hsgd_status hsgd_engine_alloc(hsgd_engine *out, const hsgd_simulation *simulation, hsgd_trace *trace, hsgd_error *err);
void hsgd_engine_free(hsgd_engine *engine);

/* engine_tasks.c, before a parallel region of engine->threads: its tasks are 0, 1, ..., count - 1 < 2^32; */
void hsgd_tasks_open(hsgd_engine *engine, size_t count);

/* and in it: the next task of the calling thread. Each thread gets mostly the same ones whenever there are as many. false:
 * none is left. */
bool hsgd_tasks_next(hsgd_engine *engine, size_t *task);

/* engine_memory.c: memory for the models of this process, if there is none yet. false: the machine has none left, for them
 * and for packing them. */
bool hsgd_engine_take_models(hsgd_engine *engine);

/* window_length.c: a first idea of step_s, where somebody wants to be asked in time; all processes get the same. */
void hsgd_window_estimate(hsgd_engine *engine);

/* window_length.c: what a window shows that took so long; each process for itself. */
void hsgd_window_learn(hsgd_engine *engine, double window_s);

/* window_length.c: where a window is to end that begins with one step and could go on to another (end). */
size_t hsgd_window_end(hsgd_engine *engine, size_t begin, size_t end);

/* engine_levels.c: teams of the divided nodes, after all have their memory; all processes call both, and hsgd_levels_close also
 * where the other failed; */
hsgd_status hsgd_levels_open(hsgd_engine *engine, hsgd_error *err);
void hsgd_levels_close(hsgd_engine *engine);

/* the step after t at which the next divided node averages; */
size_t hsgd_next_average(const hsgd_engine *engine, size_t t);

/* within a window: averages of the divided nodes that are due after step t - 1, from what their units have in the last row; */
void hsgd_average_splits(hsgd_engine *engine, size_t t);

/* at the end of one, once it is merged: the same where models are kept, unless the root is due; */
void hsgd_keep_averages(hsgd_engine *engine, size_t t);

/* slot (rows, num_slots): what the units have of some rows, merged up to the slots of the root's children, which then all
 * processes have; node_value (num_nodes of each of the first node_rows rows) receives the dispersions of divided nodes that this
 * process has units of, but the root's. */
void hsgd_merge_levels(hsgd_engine *engine, hsgd_part *slot, size_t rows, double *node_value, size_t node_rows);

/* where the engine looks up, between the two parts of a measured step: from the slots of the row's models to the averages of
 * the divided nodes; */
void hsgd_find_means(hsgd_engine *engine, size_t row);

/* and from engine->at_mean to the divergences of divided nodes at these averages; */
void hsgd_merge_at_means(hsgd_engine *engine, size_t row);

/* and out receives those of the root's children, merged in their order. */
void hsgd_merge_root(const hsgd_engine *engine, hsgd_part *out, const hsgd_part *slot);

/* engine_share.c, all but the first two do nothing where the run is not shared, or when a message was lost before.
 * Numbers that the arrays of hsgd_owners have together, and filling them, hsgd_own and what divided nodes say of processes,
 * once the units are there. kids (num_splits, processes + 1): memory for their first_kid; */
size_t hsgd_owners_length(const hsgd_simulation *simulation);
void hsgd_share_units(hsgd_engine *engine, size_t *memory, size_t *kids);

/* what hangs below a divided node in some rows of slots; */
void hsgd_share_slots(hsgd_engine *engine, const hsgd_split *split, hsgd_part *slot, size_t rows);

/* what else there is of the window, after its slots; */
void hsgd_share_window(hsgd_engine *engine);

/* of the gradients at wbar in root_row[0..count), the same; */
void hsgd_share_gradients(hsgd_engine *engine, size_t count);

/* and the largest deviations among them, at last; */
void hsgd_share_deviations(hsgd_engine *engine, size_t count);

/* what the pieces of a data set gave; */
void hsgd_share_evaluated(hsgd_engine *engine, size_t chunks);

/* the noise of the workers, at the end; */
void hsgd_share_noise(hsgd_engine *engine);

/* each process's smoothness: the first of the largest becomes that of the trace; */
void hsgd_share_smoothness(hsgd_engine *engine);

/* the weights of the places, where they are drawn; */
void hsgd_share_weights(hsgd_engine *engine);

/* a vector (dim) that goes from process to process in the order of places: whoever has places adds what is theirs (add), and
 * all get the end of it; */
void hsgd_relay(hsgd_engine *engine, double *vector, void (*add)(hsgd_engine *engine, double *vector));

/* and the velocities, whose workers have gone from the places `before` (num_workers) to engine->placement. */
void hsgd_share_velocities(hsgd_engine *engine, const size_t *before);

/* engine_share.c: the longest parcel of doubles. */
size_t hsgd_parcel_length(const hsgd_engine *engine);

/* Are the models of step t, before it is made, all those of the last average of the root? */
static inline bool hsgd_round_begins(const hsgd_engine *engine, size_t t)
{
    return t % hsgd_hierarchy_global_period(engine->hierarchy) == 0;
}

/* Do models pass in the window at hand? */
static inline bool hsgd_models_pass(const hsgd_engine *engine)
{
    return engine->models_may_pass && engine->window.is_whole;
}

/* Do other processes take part? */
static inline bool hsgd_is_shared(const hsgd_engine *engine)
{
    return hsgd_team_size(engine->team) > 1;
}

/* Among those of the own workers. */
static inline size_t hsgd_own_place(const hsgd_engine *engine, size_t place)
{
    return place - engine->own.first_place;
}

/* (dim) of the worker at a place of this process. */
static inline double *hsgd_velocity_at(const hsgd_engine *engine, size_t place)
{
    size_t at = hsgd_is_shared(engine) ? hsgd_own_place(engine, place) : engine->placement[place];
    return engine->variant.velocity + at * engine->dim;
}

/* (num_slots) */
static inline hsgd_part *hsgd_slots_at_mean(const hsgd_engine *engine, size_t depth)
{
    return engine->at_mean + (depth - 1) * engine->num_slots;
}

/* grad f_u at wbar, of an own node in a unit. */
static inline double *hsgd_node_gradient(const hsgd_engine *engine, const hsgd_root_row *row, size_t u)
{
    return row->node_gradient + (u - engine->own.first_node) * engine->dim;
}

/* engine_state.c: put the state between two windows, with `step` steps made and `row` rows of the trace filled; all processes
 * of a team call it, and the first one gets the state; */
void hsgd_engine_pack(hsgd_bytes *out, hsgd_engine *engine, size_t step, size_t row);

/* take it again, in an engine whose simulation has its initial state. HSGD_ERROR_INPUT: it is of another run, or none. */
hsgd_status hsgd_engine_unpack(hsgd_engine *engine, size_t *step, size_t *row, const hsgd_bytes *state,
                               hsgd_error *err);

/* engine_state.c: is it the state of a run that is done? Then its trace. */
bool hsgd_state_is_done(const hsgd_bytes *state);
hsgd_status hsgd_state_unpack_done(hsgd_trace *trace, uint64_t seed, const hsgd_bytes *state, hsgd_error *err);

/* engine_state.c: what the first process of a team has, all get. */
hsgd_status hsgd_state_share(const hsgd_team *team, hsgd_bytes *state, hsgd_error *err);

/* engine_state.c: ask the keeper, if there is one, and do what it says. step_s becomes that of the slowest process. */
hsgd_status hsgd_engine_keep(hsgd_engine *engine, size_t step, size_t row, hsgd_error *err);

/* Model of a worker at hand. */
static inline double *hsgd_model_at(const hsgd_engine *engine, const hsgd_thread_space *space, size_t place)
{
    return space->unit_model + (place - space->first) * engine->stride;
}

/* advance.c: a unit through the leg, with all that is measured below the root on the way. */
void hsgd_advance_unit(hsgd_engine *engine, size_t unit, hsgd_thread_space *space);

/* advance.c: where the engine looks up, the unit's models at the beginning of the leg, a measured step, into its slot. */
void hsgd_begin_unit(hsgd_engine *engine, size_t unit, hsgd_thread_space *space);

/* advance.c: w_j <- w_j - gamma g_j at each of the steps [begin, end) for count <= HSGD_ROWS_AT_ONCE workers with models
 * w (dim), one every engine->stride numbers. from (dim): where all of them begin; NULL: at w. */
void hsgd_local_steps(const hsgd_engine *engine, const double *from, double *w, size_t first, size_t count,
                      size_t begin, size_t end, hsgd_thread_space *space);

/* advance.c: the same for plain H-SGD, with this step size. */
void hsgd_plain_steps(const hsgd_engine *engine, const double *from, double *w, size_t first, size_t count,
                      size_t begin, size_t end, double step_size, hsgd_thread_space *space);

/* variant_run.c: does a variant (NULL: none) look at all workers of a group, or keep more of them than their models? */
bool hsgd_variant_keeps_more(const hsgd_variant *variant);

/* variant_run.c, only where there is a variant, but for open_window and average_root.
 * Before the window that begins with step t, where the root has just averaged: places and participants; */
void hsgd_variant_open_window(hsgd_engine *engine, size_t t);

/* before step t of a unit that goes by steps: participants of the groups whose rounds begin; */
void hsgd_variant_open_step(const hsgd_engine *engine, const hsgd_unit *unit, size_t t);

/* one step of hsgd_local_steps; */
void hsgd_variant_steps(const hsgd_engine *engine, double *w, size_t first, size_t count, size_t t,
                        hsgd_thread_space *space);

/* an average of u, with the mean (dim) of its workers' models: becomes what they take; */
void hsgd_variant_average(const hsgd_engine *engine, size_t u, double *mean);

/* the same for the root; */
void hsgd_variant_average_root(hsgd_engine *engine, double *mean);

/* and its workers in a unit have taken engine->start. */
void hsgd_variant_open_unit(const hsgd_engine *engine, const hsgd_unit *unit);

/* measured_step.c: where the unit goes by steps, what there is to measure in it at the measured step t; some of it may wait
 * for later measured steps. Returns whether the workers have made their step on the way. */
bool hsgd_measured_step(hsgd_engine *engine, size_t unit, size_t t, size_t row, hsgd_thread_space *space);

/* measured_step.c: where it does not, the measured step t of the workers at places first .. first + count - 1. */
void hsgd_measured_steps(hsgd_engine *engine, size_t unit, size_t t, size_t row, size_t first, size_t count,
                         hsgd_thread_space *space);

/* measured_step.c: what is still waiting, at the end of a leg. */
void hsgd_finish_steps(hsgd_engine *engine, size_t unit, hsgd_thread_space *space);

/* proof_terms.c, all only where proof terms are measured.
 * What the workers at places first .. first + count - 1, whose true gradients begin at exact + j * stride, contribute to the
 * unit's slot of the step's row. If the step is still to be made, they make it. */
void hsgd_proof_add(hsgd_engine *engine, size_t unit, const hsgd_past *step, size_t first, size_t count,
                    const double *exact, size_t stride, hsgd_thread_space *space);

/* The same where the objective records its steps itself. */
void hsgd_proof_steps(hsgd_engine *engine, size_t unit, const hsgd_past *step, size_t first, size_t count,
                      hsgd_thread_space *space);

/* Smoothness seen by the worker at this place, only where it is measured: from its model at the last measured step to the
 * model and gradient (dim) of this one, which are kept; */
void hsgd_proof_see(hsgd_engine *engine, size_t place, size_t t, const double *model, const double *gradient);

/* then from there to another point (dim) with its gradient. */
void hsgd_proof_compare(hsgd_engine *engine, size_t place, size_t t, const double *point, const double *gradient);

/* Merge the units of one row of the window, in their order. */
void hsgd_proof_merge(hsgd_engine *engine, size_t row);

/* Into row trace_row of the trace: the row's terms (not for step T), and the smoothness of f on the way from the row
 * before. */
void hsgd_proof_record(hsgd_engine *engine, const hsgd_root_row *root_row, size_t row, size_t trace_row);

/* The largest over the workers, in their order, at the end of the run. */
void hsgd_proof_finish(hsgd_engine *engine);

/* evaluation.c: pieces that the larger of the data sets is cut into; 0 where nothing is evaluated. */
size_t hsgd_evaluation_chunks(const hsgd_simulation *simulation);

/* evaluation.c: the metrics at wbar (dim) into row trace_row of the trace, if they are due there. */
void hsgd_evaluate_row(hsgd_engine *engine, const double *point, size_t trace_row);

/* evaluation.c: can the simulation be evaluated as it asks for? */
hsgd_status hsgd_evaluation_check(const hsgd_simulation *simulation, hsgd_error *err);

/* measure.c: the unit's models now, into its slot of the window and the window's node arrays; the averages of its nodes go
 * into the space. The last row (row == num_rows) keeps only the unit's mean. */
void hsgd_measure_unit(hsgd_engine *engine, size_t unit, size_t row, hsgd_thread_space *space);

/* measure.c: walk over the workers of a unit; out[r] receives their mean at point r and the sum of squared norms. */
void hsgd_walk_unit(hsgd_walk *walk, const hsgd_unit *unit, hsgd_part *const *out);

/* measure.c: at_node[v] becomes at least beta_v^2 = divergence_sq[v - first] for every v in [first, end), all below u, that is
 * a part of u in the canonical tree. */
void hsgd_raise_merged(double *at_node, const hsgd_hierarchy *h, size_t u, size_t first, size_t end,
                       const double *divergence_sq);

/* measure.c: out receives the parts, merged in their order. */
void hsgd_merge_parts(hsgd_part *out, const hsgd_part *part, size_t num_parts, size_t dim);

/* measure.c: gradients at wbar for count <= max_root_rows rows of the window, from `row` on, into root_row[0..count).
 */
void hsgd_measure_root(hsgd_engine *engine, size_t row, size_t count);

/* measure.c: put root_row[slot] and row `row` of the window into row trace_row of the trace. Returns false if the loss
 * or the gradient is not finite. */
bool hsgd_record_row(hsgd_engine *engine, size_t slot, size_t row, size_t trace_row);

#endif
