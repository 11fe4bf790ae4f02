/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many steps a window may take, where somebody wants to be asked in time (hsgd_keeper.window_s). No number of a run
 * depends on it.
 *
 * A step will take what it took in the last windows. How long it took is forgotten by half from one window to the next, so
 * windows grow twofold at most, and one with a slow measurement is followed by short ones. Before the first window the work
 * of one worker is timed: a run with short rounds cuts none, and its models need no memory. */
#include "analysis/engine_private.h"

#include <math.h>

#include "analysis/clock.h"
#include "analysis/random.h"

static double wanted_s(const hsgd_engine *engine)
{
    return engine->simulation->keeper ? engine->simulation->keeper->window_s : 0;
}

/* ---- a first idea ---- */

/* What the worker at the first place computes, into memory that nobody uses yet. */
static void draw_gradient(const hsgd_engine *engine)
{
    const hsgd_simulation *s = engine->simulation;
    hsgd_objective_stochastic_rows(s->objective, engine->start, engine->dim, engine->placement, 1, s->batch_size,
                                   s->seed, 0, engine->space->drawn, engine->space->scratch);
}

static void compute_gradient(const hsgd_engine *engine)
{
    const double *point = engine->start;
    hsgd_objective_full_at(engine->simulation->objective, &point, 1, engine->placement, 1, engine->space->loss,
                           engine->space->grad, engine->space->scratch);
}

/* The first call meets cold memory. */
static double seconds_of(void (*work)(const hsgd_engine *engine), const hsgd_engine *engine)
{
    work(engine);
    double begin_s = hsgd_now_s();
    work(engine);
    return hsgd_now_s() - begin_s;
}

/* Full gradients of a worker at a measured step. */
static double points_of_row(const hsgd_simulation *s)
{
    double nodes = s->measure_at_nodes ? (double)s->hierarchy->num_levels - 1 : 0;
    return 1 + (s->measure_proof ? 1 : 0) + nodes;
}

void hsgd_window_estimate(hsgd_engine *engine)
{
    const hsgd_simulation *s = engine->simulation;
    double hands = (double)engine->threads * hsgd_team_size(engine->team);
    if (!(wanted_s(engine) > 0))
        return;
    double worker_s = seconds_of(draw_gradient, engine) +
                      seconds_of(compute_gradient, engine) * points_of_row(s) / (double)s->measure_every;
    engine->step_s = worker_s * (double)engine->hierarchy->num_workers / hands;
    if (!engine->status && hsgd_is_shared(engine))
        engine->status = hsgd_team_broadcast(engine->team, 0, &engine->step_s, sizeof engine->step_s, engine->err);
}

/* ---- afterwards ---- */

void hsgd_window_learn(hsgd_engine *engine, double window_s)
{
    const hsgd_window *window = &engine->window;
    engine->step_s = fmax(window_s / (double)(window->end - window->begin), engine->step_s / 2);
}

/* ---- the length ---- */

static size_t drawn_length(const hsgd_engine *engine, size_t begin)
{
    const hsgd_stream stream = {engine->simulation->cuts, HSGD_PURPOSE_USER, 1, begin};
    size_t length;
    hsgd_uniform_indices(&stream, 0, engine->simulation->cuts, &length, 1);
    return length + 1;
}

/* Models that outlive a window are packed and written with a state, about as fast as this. Whoever wants to stop waits for
 * that, or for the end of the round: it is cut where that takes longer. */
static const double WRITTEN_BYTES_PER_S = 150e6;

static double writing_s(const hsgd_engine *engine)
{
    return 8 * (double)engine->hierarchy->num_workers * (double)engine->stride / WRITTEN_BYTES_PER_S;
}

/* Steps that a window may take, of those that are left until it has to end. */
static size_t length_of(const hsgd_engine *engine, size_t begin, size_t left)
{
    double left_s = (double)left * engine->step_s, fit = wanted_s(engine) / engine->step_s;
    bool is_cut = !hsgd_round_begins(engine, begin) || left_s > writing_s(engine);
    if (engine->simulation->cuts)
        return drawn_length(engine, begin);
    if (!(wanted_s(engine) > 0) || !(left_s > wanted_s(engine)) || !is_cut)
        return left;
    return fit > 1 ? (size_t)fit : 1;
}

/* Either all processes have memory for their models, or none cuts a round. */
static bool may_cut(hsgd_engine *engine)
{
    if (engine->can_cut || engine->cannot_cut || engine->status)
        return engine->can_cut;
    int lacks = !hsgd_engine_take_models(engine);
    engine->status = hsgd_team_largest(engine->team, &lacks, engine->err);
    engine->cannot_cut = lacks;
    engine->can_cut = !lacks;
    return engine->can_cut;
}

size_t hsgd_window_end(hsgd_engine *engine, size_t begin, size_t end)
{
    size_t length = length_of(engine, begin, end - begin);
    return length < end - begin && may_cut(engine) ? begin + length : end;
}
