/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One unit of workers through one leg of a window.
 *
 * Between two averages of a node the subtrees below it know nothing of each other, so each goes through all these steps at
 * once, and in a lowest group a few workers at a time: their models and data stay in the nearest cache, and what the steps
 * in between measure waits in an accumulator per step and level. Where every such stretch begins and ends with an average
 * (hsgd_models_pass), models need no memory beyond that of a few workers. Where a measurement needs the averages of a step before
 * it can look at the workers again (measured_step.c), and where groups are very small, the whole unit goes step by step. */
#include "analysis/engine_private.h"

#include <string.h>

#include "analysis/moments_private.h"

/* ---- local steps ---- */

/* Where the objective has no step_rows. */
static void gradient_steps(const hsgd_engine *engine, double *w, size_t first, size_t count, const hsgd_steps *steps,
                           hsgd_thread_space *space)
{
    const hsgd_objective *objective = engine->simulation->objective;
    size_t dim = engine->dim, stride = engine->stride;
    for (size_t k = 0; k < steps->count; k++) {
        hsgd_objective_stochastic_rows(objective, w, stride, engine->placement + first, count, steps->batch_size,
                                       steps->seed, steps->first + k, space->drawn, space->scratch);
        for (size_t j = 0; j < count; j++)
            HSGD_PICK_PATH(hsgd_moments_kernels)
                ->step(w + j * stride, w + j * stride, space->drawn + j * dim, steps->step_size, dim);
    }
}

void hsgd_plain_steps(const hsgd_engine *engine, const double *from, double *w, size_t first, size_t count,
                      size_t begin, size_t end, double step_size, hsgd_thread_space *space)
{
    const hsgd_simulation *s = engine->simulation;
    const hsgd_objective *objective = s->objective;
    hsgd_steps steps = {s->seed, begin, end - begin, s->batch_size, step_size};
    if (objective->type->step_rows) {
        objective->type->step_rows(objective, from, w, engine->stride, engine->placement + first, count, &steps,
                                   space->scratch);
        return;
    }
    hsgd_objective_begin_rows(objective, from, w, engine->stride, count);
    gradient_steps(engine, w, first, count, &steps, space);
}

void hsgd_local_steps(const hsgd_engine *engine, const double *from, double *w, size_t first, size_t count,
                      size_t begin, size_t end, hsgd_thread_space *space)
{
    const hsgd_simulation *s = engine->simulation;
    if (!s->variant) {
        hsgd_plain_steps(engine, from, w, first, count, begin, end, s->step_size, space);
        return;
    }
    hsgd_objective_begin_rows(s->objective, from, w, engine->stride, count);
    for (size_t t = begin; t < end; t++)
        hsgd_variant_steps(engine, w, first, count, t, space);
}

/* ---- subtree by subtree ---- */

/* A unit between two steps with at most engine->passage_rows measured ones, the first of which is row first_row of the
 * window. */
typedef struct passage {
    hsgd_engine *engine;
    hsgd_thread_space *space;
    size_t unit, first_row;
} passage;

/* Some steps of a subtree, in which no node above it averages. */
typedef struct stretch {
    const double *from; /* (dim) where all its workers begin; NULL: each where it has got to */
    size_t begin, end;  /* steps [begin, end) */
} stretch;

/* Does anybody want the mean of a node with this period at the end: the node itself, one above, or the end of the run? */
static bool ends_in_mean(const hsgd_engine *engine, size_t period, stretch s)
{
    return s.end % period == 0 || s.end == engine->simulation->steps;
}

/* The same of the divided node above a unit, at the end of the leg. */
static bool leg_ends_in_mean(const hsgd_engine *engine, const hsgd_unit *unit)
{
    size_t period = engine->hierarchy->node[engine->split[unit->split].node].period;
    return ends_in_mean(engine, period, (stretch){.end = engine->window.leg_end});
}

/* Measured steps of the window before step t. */
static size_t row_of(const hsgd_engine *engine, size_t t)
{
    size_t every = engine->simulation->measure_every, begin = engine->window.begin;
    return (t + every - 1) / every - (begin + every - 1) / every;
}

/* Of the models at a measured step, for the open node of a depth; */
static hsgd_moments *accumulator(const passage *p, size_t row, size_t depth)
{
    return &p->space->level[(row - p->first_row) * p->engine->hierarchy->num_levels + depth];
}

/* of the models after the last step of a stretch; */
static hsgd_moments *accumulator_at_end(const passage *p, size_t depth)
{
    return accumulator(p, p->first_row + p->engine->passage_rows, depth);
}

/* and where the node's workers begin its next one. */
static double *beginning(const passage *p, size_t depth)
{
    return accumulator(p, p->first_row + p->engine->passage_rows + 1, depth)->mean;
}

/* The unit's slot of a row. */
static hsgd_part *slot(const passage *p, size_t row)
{
    return &p->engine->window.slot[row * p->engine->num_slots + p->engine->unit[p->unit].slot];
}

static void reset_accumulators(const passage *p, size_t depth, stretch s)
{
    for (size_t row = row_of(p->engine, s.begin); row < row_of(p->engine, s.end); row++)
        hsgd_moments_reset(accumulator(p, row, depth));
    hsgd_moments_reset(accumulator_at_end(p, depth));
}

/* The models of a few workers, or memory for them. */
static double *models_of(const passage *p, size_t first)
{
    if (hsgd_models_pass(p->engine))
        p->space->first = first;
    return hsgd_model_at(p->engine, p->space, first);
}

/* The first step not before t at which something is measured. */
static size_t next_measured(const hsgd_engine *engine, size_t t)
{
    size_t every = engine->simulation->measure_every;
    return (t + every - 1) / every * every;
}

/* A few workers of the node u. */
static void advance_some(const passage *p, size_t u, size_t first, size_t count, stretch s)
{
    hsgd_engine *engine = p->engine;
    const double *from = s.from; /* until their models are there */
    const hsgd_node *node = &engine->hierarchy->node[u];
    size_t depth = node->depth, dim = engine->dim, row = row_of(engine, s.begin), due;
    double *model = models_of(p, first);
    for (size_t t = s.begin; t < s.end; from = NULL) {
        due = next_measured(engine, t);
        due = due < s.end ? due : s.end;
        if (t < due) {
            hsgd_local_steps(engine, from, model, first, count, t, due, p->space);
            t = due;
            continue;
        }
        hsgd_objective_begin_rows(engine->simulation->objective, from, model, engine->stride, count);
        slot(p, row)->norm_sq += hsgd_add_workers(engine->hierarchy, NULL, accumulator(p, row, depth), model,
                                                  engine->stride, first, count, dim);
        hsgd_measured_steps(engine, p->unit, t++, row++, first, count, p->space);
    }
    if (ends_in_mean(engine, node->period, s))
        hsgd_add_workers(engine->hierarchy, NULL, accumulator_at_end(p, depth), model, engine->stride, first, count,
                         dim);
}

/* Workers of one group, or of a divided node itself. */
static void advance_workers(const passage *p, size_t u, size_t first, size_t count, stretch s)
{
    size_t most = p->engine->rows_at_once;
    reset_accumulators(p, p->engine->hierarchy->node[u].depth, s);
    for (size_t done = 0; done < count; done += most)
        advance_some(p, u, first + done, count - done < most ? count - done : most, s);
}

static void advance_node(const passage *p, size_t u, stretch s);

static void add_child(const passage *p, hsgd_moments *parent, const hsgd_moments *child)
{
    hsgd_moments_add(parent, child->weight, child->mean, 0, p->engine->dim);
}

/* Children of the node u, with all that is below them nodes [first, end), one after the other; their averages go into the
 * accumulators of its depth. */
static void advance_children(const passage *p, size_t u, size_t first, size_t end, stretch s)
{
    const hsgd_hierarchy *h = p->engine->hierarchy;
    size_t depth = h->node[u].depth;
    reset_accumulators(p, depth, s);
    for (size_t v = first; v < end; v = h->node[v].end) {
        advance_node(p, v, s);
        for (size_t row = row_of(p->engine, s.begin); row < row_of(p->engine, s.end); row++)
            add_child(p, accumulator(p, row, depth), accumulator(p, row, depth + 1));
        if (ends_in_mean(p->engine, h->node[u].period, s))
            add_child(p, accumulator_at_end(p, depth), accumulator_at_end(p, depth + 1));
    }
}

/* All workers below u take their average: at once, or when they go on. Returns where they will begin. */
static const double *average_node(const passage *p, size_t u)
{
    const hsgd_engine *engine = p->engine;
    const hsgd_node *node = &engine->hierarchy->node[u];
    const double *mean = accumulator_at_end(p, node->depth)->mean;
    size_t dim = engine->dim;
    if (hsgd_models_pass(engine))
        return memcpy(beginning(p, node->depth), mean, dim * sizeof *mean);
    double *model = hsgd_model_at(engine, p->space, node->first_worker);
    for (size_t i = 0; i < node->num_workers; i++)
        memcpy(model + i * engine->stride, mean, dim * sizeof *mean);
    return NULL;
}

/* The subtree of u from one of its averages to the next. */
static void advance_node(const passage *p, size_t u, stretch s)
{
    const hsgd_engine *engine = p->engine;
    const hsgd_hierarchy *h = engine->hierarchy;
    const hsgd_node *node = &h->node[u];
    for (stretch part = s; part.begin < s.end; part.begin = part.end) {
        size_t due = (part.begin / node->period + 1) * node->period;
        part.end = due < s.end ? due : s.end;
        if (hsgd_node_is_lowest(h, u))
            advance_workers(p, u, node->first_worker, node->num_workers, part);
        else
            advance_children(p, u, u + 1, node->end, part);
        for (size_t row = row_of(engine, part.begin); row < row_of(engine, part.end); row++)
            engine->window.node_dispersion[row * h->num_nodes + u] =
                hsgd_moments_dispersion(accumulator(p, row, node->depth));
        part.from = hsgd_node_acts(h, u, part.end) ? average_node(p, u) : NULL;
    }
}

/* What an accumulator of the depth above the unit says about a row. */
static void fill_slot(const passage *p, size_t row, const hsgd_moments *all)
{
    hsgd_moments *out = &slot(p, row)->moments;
    hsgd_moments_reset(out);
    hsgd_moments_add(out, all->weight, all->mean, all->spread, p->engine->dim);
}

static void advance_passage(const passage *p, stretch s)
{
    const hsgd_engine *engine = p->engine;
    const hsgd_unit *unit = &engine->unit[p->unit];
    size_t last = row_of(engine, s.end);
    for (size_t row = p->first_row; row < last; row++)
        slot(p, row)->norm_sq = 0;
    if (hsgd_unit_has_nodes(unit))
        advance_children(p, engine->split[unit->split].node, unit->node, unit->end, s);
    else
        advance_workers(p, engine->split[unit->split].node, unit->first, unit->count, s);
    for (size_t row = p->first_row; row < last; row++)
        fill_slot(p, row, accumulator(p, row, unit->depth));
    if (s.end == engine->window.leg_end && leg_ends_in_mean(engine, unit))
        fill_slot(p, engine->window.num_rows, accumulator_at_end(p, unit->depth));
}

/* from: as in stretch. */
static void advance_by_subtrees(hsgd_engine *engine, size_t unit, const double *from, hsgd_thread_space *space)
{
    const hsgd_window *window = &engine->window;
    size_t most = engine->passage_rows * engine->simulation->measure_every; /* steps that measure so often at most */
    stretch s = {from, window->leg_begin, window->leg_begin};
    for (; s.begin < window->leg_end; s.begin = s.end) {
        s.end = window->leg_end - s.begin < most ? window->leg_end : s.begin + most;
        advance_passage(&(passage){engine, space, unit, row_of(engine, s.begin)}, s);
    }
}

/* ---- step by step ---- */

/* The step of all workers of a unit. */
static void local_step(hsgd_engine *engine, const hsgd_unit *unit, size_t t, hsgd_thread_space *space)
{
    for (size_t done = 0; done < unit->count; done += engine->rows_at_once) {
        size_t left = unit->count - done, now = left < engine->rows_at_once ? left : engine->rows_at_once;
        hsgd_local_steps(engine, NULL, space->unit_model + done * engine->stride, unit->first + done, now, t, t + 1,
                         space);
    }
}

/* Every worker below u, a node of the unit, takes the average of their models. */
static void average_models(const hsgd_engine *engine, size_t u, hsgd_thread_space *space)
{
    const hsgd_node *node = &engine->hierarchy->node[u];
    size_t dim = engine->dim, stride = engine->stride;
    double *model = hsgd_model_at(engine, space, node->first_worker);
    hsgd_moments *all = &space->level[0];
    hsgd_moments_reset(all);
    for (size_t done = 0; done < node->num_workers; done += HSGD_ROWS_AT_ONCE) {
        size_t left = node->num_workers - done, now = left < HSGD_ROWS_AT_ONCE ? left : HSGD_ROWS_AT_ONCE;
        hsgd_add_workers(engine->hierarchy, engine->variant.weight, all, model + done * stride, stride,
                         node->first_worker + done, now, dim);
    }
    if (engine->simulation->variant)
        hsgd_variant_average(engine, u, all->mean);
    for (size_t i = 0; i < node->num_workers; i++)
        memcpy(model + i * stride, all->mean, dim * sizeof *model);
}

/* The topmost due nodes of the unit average after update number `updates`; divided nodes have their turn elsewhere. Where
 * averages have step sizes of their own, all due nodes do, the lower ones first: in the tree's order they come last. */
static void aggregate(const hsgd_engine *engine, const hsgd_unit *unit, size_t updates, hsgd_thread_space *space)
{
    const hsgd_hierarchy *h = engine->hierarchy;
    for (size_t u = unit->end; u-- > unit->node;)
        if (engine->variant.anchor ? updates % h->node[u].period == 0 : hsgd_node_acts(h, u, updates))
            average_models(engine, u, space);
}

static void advance_by_steps(hsgd_engine *engine, size_t index, hsgd_thread_space *space)
{
    const hsgd_unit *unit = &engine->unit[index];
    size_t row = row_of(engine, engine->window.leg_begin);
    for (size_t t = engine->window.leg_begin; t < engine->window.leg_end; t++) {
        bool measured = t % engine->simulation->measure_every == 0, stepped = false;
        if (engine->simulation->variant)
            hsgd_variant_open_step(engine, unit, t);
        if (measured)
            stepped = hsgd_measured_step(engine, index, t, row++, space);
        if (!stepped)
            local_step(engine, unit, t, space);
        aggregate(engine, unit, t + 1, space);
    }
    hsgd_finish_steps(engine, index, space);
    if (leg_ends_in_mean(engine, unit))
        hsgd_measure_unit(engine, index, engine->window.num_rows, space);
}

/* ---- the leg ---- */

/* Where the engine keeps the models of a unit's workers. */
static double *kept_models(const hsgd_engine *engine, const hsgd_unit *unit)
{
    return engine->model + hsgd_own_place(engine, unit->first) * engine->stride;
}

/* Pending steps swap the memory of models, so theirs stays the thread's own. */
static bool models_are_copied(const hsgd_engine *engine)
{
    return engine->steps_at_once > 1;
}

static void find_models(const hsgd_engine *engine, const hsgd_unit *unit, hsgd_thread_space *space)
{
    bool is_own = engine->window.is_whole && space->own_model;
    space->first = unit->first;
    if (!models_are_copied(engine))
        space->unit_model = is_own ? space->own_model : kept_models(engine, unit);
}

/* Where the workers of a unit begin the leg alike: at the last average above them. NULL: each where it has got to. */
static const double *beginning_of_leg(const hsgd_engine *engine, const hsgd_unit *unit)
{
    const hsgd_split *split = &engine->split[unit->split];
    size_t t = engine->window.leg_begin;
    if (hsgd_round_begins(engine, t))
        return engine->start;
    return t > engine->window.begin && t % engine->hierarchy->node[split->node].period == 0 ? split->from : NULL;
}

static void open_unit(const hsgd_engine *engine, const hsgd_unit *unit, const double *from, hsgd_thread_space *space)
{
    size_t dim = engine->dim, stride = engine->stride;
    find_models(engine, unit, space);
    if (hsgd_models_pass(engine))
        return;
    if (!from) {
        if (models_are_copied(engine))
            memcpy(space->unit_model, kept_models(engine, unit), unit->count * stride * sizeof(double));
        return;
    }
    if (engine->simulation->variant && from == engine->start)
        hsgd_variant_open_unit(engine, unit);
    for (size_t i = 0; i < unit->count; i++)
        memcpy(space->unit_model + i * stride, from, dim * sizeof *from);
}

static void close_unit(const hsgd_engine *engine, const hsgd_unit *unit, const hsgd_thread_space *space)
{
    if (models_are_copied(engine) && !engine->window.is_whole)
        memcpy(kept_models(engine, unit), space->unit_model, unit->count * engine->stride * sizeof(double));
}

void hsgd_begin_unit(hsgd_engine *engine, size_t unit, hsgd_thread_space *space)
{
    open_unit(engine, &engine->unit[unit], beginning_of_leg(engine, &engine->unit[unit]), space);
    hsgd_measure_unit(engine, unit, row_of(engine, engine->window.leg_begin), space);
}

void hsgd_advance_unit(hsgd_engine *engine, size_t unit, hsgd_thread_space *space)
{
    const double *from = beginning_of_leg(engine, &engine->unit[unit]);
    open_unit(engine, &engine->unit[unit], from, space);
    if (engine->by_steps)
        advance_by_steps(engine, unit, space);
    else
        advance_by_subtrees(engine, unit, hsgd_models_pass(engine) ? from : NULL, space);
    close_unit(engine, &engine->unit[unit], space);
}
