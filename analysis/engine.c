/* SPDX-License-Identifier: GPL-3.0-or-later */
/* H-SGD itself. Read hsgd_simulate from the bottom up: run, window; advance.c takes a unit through a window.
 * engine_private.h says how time and workers are cut up; measure.c says what is recorded. */
#include "analysis/engine_private.h"

#include <math.h>
#include <string.h>

#include "analysis/clock.h"
#include "analysis/threads.h"

/* ---- one window ---- */

/* The next window: up to the root's next aggregation, the end of the run, as many measured steps as fit, or as long as it
 * may take. */
static void open_window(hsgd_engine *engine, size_t begin)
{
    const hsgd_simulation *s = engine->simulation;
    hsgd_window *window = &engine->window;
    size_t period = hsgd_hierarchy_global_period(engine->hierarchy), every = s->measure_every;
    size_t due = (begin / period + 1) * period, end = due < s->steps ? due : s->steps;
    size_t next_measured = (begin + every - 1) / every * every;
    if (next_measured < end && (end - 1 - next_measured) / every + 1 > engine->max_rows)
        end = next_measured + (engine->max_rows - 1) * every + 1;
    window->begin = begin;
    window->end = end = hsgd_window_end(engine, begin, end);
    window->ends_in_mean = hsgd_round_begins(engine, end) || end == s->steps;
    window->is_whole = hsgd_round_begins(engine, begin) && window->ends_in_mean;
    window->num_rows = next_measured < end ? (end - 1 - next_measured) / every + 1 : 0;
    hsgd_variant_open_window(engine, begin);
}

static void merge_row(hsgd_engine *engine, size_t row)
{
    hsgd_window *window = &engine->window;
    hsgd_merge_root(engine, &window->root[row], window->slot + row * engine->num_slots);
    if (engine->simulation->measure_proof && row < window->num_rows)
        hsgd_proof_merge(engine, row);
}

typedef void (*unit_work)(hsgd_engine *engine, size_t unit, hsgd_thread_space *space);

static void for_own_units(hsgd_engine *engine, unit_work work)
{
    hsgd_tasks_open(engine, engine->own.end_unit - engine->own.first_unit);
#pragma omp parallel num_threads(engine->threads)
    for (size_t i; hsgd_tasks_next(engine, &i);)
        work(engine, engine->order[i], &engine->space[hsgd_thread_number()]);
}

static void open_leg(hsgd_engine *engine, size_t t)
{
    hsgd_window *window = &engine->window;
    size_t every = engine->simulation->measure_every, end = hsgd_next_average(engine, t),
           measured = (t / every + 1) * every;
    if (engine->looks_up && measured < end)
        end = measured;
    window->leg_begin = t;
    window->leg_end = end < window->end ? end : window->end;
}

/* row: of the measured steps, the next. */
static void advance_leg(hsgd_engine *engine, size_t *row)
{
    const hsgd_window *window = &engine->window;
    bool looks_up = engine->looks_up && window->leg_begin % engine->simulation->measure_every == 0;
    if (looks_up) {
        for_own_units(engine, hsgd_begin_unit);
        hsgd_find_means(engine, *row);
    }
    for_own_units(engine, hsgd_advance_unit);
    if (looks_up)
        hsgd_merge_at_means(engine, (*row)++);
    if (window->leg_end < window->end)
        hsgd_average_splits(engine, window->leg_end);
}

static void advance_window(hsgd_engine *engine)
{
    hsgd_window *window = &engine->window;
    size_t measured = 0;
    window->num_legs = 0;
    for (size_t t = window->begin; t < window->end; t = window->leg_end, window->num_legs++) {
        open_leg(engine, t);
        advance_leg(engine, &measured);
    }
    bool ends_in_means = window->ends_in_mean || hsgd_next_average(engine, window->end - 1) == window->end;
    hsgd_merge_levels(engine, window->slot, window->num_rows + ends_in_means, window->node_dispersion,
                      window->num_rows);
    hsgd_share_window(engine);
#pragma omp parallel for schedule(dynamic, 1) num_threads(engine->threads)
    for (size_t row = 0; row < window->num_rows + window->ends_in_mean; row++)
        merge_row(engine, row);
}

/* If the root is due, every worker takes wbar: when the next window opens. */
static void finish_window(hsgd_engine *engine)
{
    const hsgd_window *window = &engine->window;
    double *mean = window->root[window->num_rows].moments.mean;
    if (!hsgd_round_begins(engine, window->end)) {
        hsgd_keep_averages(engine, window->end);
        return;
    }
    hsgd_variant_average_root(engine, mean);
    memcpy(engine->start, mean, engine->dim * sizeof *engine->start);
}

/* Measurements at wbar for the window's rows, at the end of the run also at wbar^T, as many at a time as there are
 * slots. Returns false when the run diverged, with *trace_row at the first row that is not finite. */
static bool measure_window(hsgd_engine *engine, size_t *trace_row)
{
    bool at_end = engine->window.end == engine->simulation->steps;
    size_t rows = engine->window.num_rows + at_end, most = engine->max_root_rows;
    for (size_t row = 0; row < rows; row += most) {
        size_t count = rows - row < most ? rows - row : most;
        hsgd_measure_root(engine, row, count);
        for (size_t slot = 0; slot < count; slot++, ++*trace_row) {
            if (!hsgd_record_row(engine, slot, row + slot, *trace_row))
                return false;
            hsgd_evaluate_row(engine, engine->window.root[row + slot].moments.mean, *trace_row);
        }
    }
    return true;
}

/* A leg that takes one thread less than this is not worth waking others for. */
static const double PARALLEL_LEG_S = 2e-3;

/* The first window meets cold memory; after the second it is known whether more threads pay. Rounds that are cut are long
 * enough. Numbers do not depend on it. */
static void choose_threads(hsgd_engine *engine, size_t windows_before, double window_s)
{
    bool pays =
        window_s * engine->threads >= PARALLEL_LEG_S * (double)engine->window.num_legs || !engine->window.is_whole;
    if (windows_before == 1 && !pays && !engine->simulation->eager_threads)
        engine->threads = 1;
}

/* ---- one run ---- */

static void set_initial(hsgd_engine *engine)
{
    const hsgd_simulation *s = engine->simulation;
    memcpy(engine->start, s->initial, engine->dim * sizeof *s->initial);
    for (size_t place = 0; place < engine->hierarchy->num_workers; place++)
        engine->placement[place] = s->placement ? s->placement[place] : place;
}

/* A diverged run has no numbers from this row on; INFINITY carries that into every mean. */
static void mark_diverged(hsgd_trace *trace, size_t row)
{
    trace->diverged_at = trace->step[row];
    for (; row <= trace->num_measured; row++) {
        trace->loss[row] = trace->grad_norm_sq[row] = INFINITY;
        for (size_t k = 0; k < trace->num_levels; k++) {
            trace->divergence[row * trace->num_levels + k] = INFINITY;
            if (row == trace->num_measured)
                continue;
            trace->dispersion[row * trace->num_levels + k] = INFINITY;
            if (trace->divergence_at_nodes)
                trace->divergence_at_nodes[row * trace->num_levels + k] = INFINITY;
        }
        if (trace->proof && row < trace->num_measured)
            trace->proof[row] =
                (hsgd_proof_terms){INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY};
    }
}

/* To where the keeper's state leads, if there is one. */
static hsgd_status go_on(hsgd_engine *engine, const hsgd_bytes *state, size_t *step, size_t *row, hsgd_error *err)
{
    const hsgd_simulation *s = engine->simulation;
    hsgd_status status = state->size ? hsgd_engine_unpack(engine, step, row, state, err) : HSGD_OK;
    if (state->size) /* there may be no memory for the models of one process */
        status = hsgd_team_agree(engine->team, status, err);
    if (!status && *step > 0 && s->progress)
        s->progress(s->progress_context, *step);
    return status;
}

/* state: what the keeper put; empty: from the beginning. */
static hsgd_status run(hsgd_engine *engine, const hsgd_bytes *state, hsgd_error *err)
{
    const hsgd_simulation *s = engine->simulation;
    const hsgd_window *window = &engine->window;
    size_t first = 0, row = 0, windows = 0;
    set_initial(engine);
    hsgd_status status = go_on(engine, state, &first, &row, err);
    if (!status)
        hsgd_window_estimate(engine);
    for (size_t t = first; !status && t < s->steps; t = window->end, windows++) {
        double begin_s = hsgd_now_s();
        open_window(engine, t);
        advance_window(engine);
        finish_window(engine);
        if (!measure_window(engine, &row)) {
            mark_diverged(engine->trace, row);
            break;
        }
        double window_s = hsgd_now_s() - begin_s;
        choose_threads(engine, windows, window_s);
        hsgd_window_learn(engine, window_s);
        if (s->progress)
            s->progress(s->progress_context, window->end - window->begin);
        status = engine->status ? engine->status : hsgd_engine_keep(engine, window->end, row, err);
    }
    if (status)
        return status;
    memcpy(engine->trace->final_point, window->root[window->num_rows].moments.mean, engine->dim * sizeof(double));
    if (s->measure_proof)
        hsgd_proof_finish(engine);
    return engine->status;
}

static hsgd_status check(const hsgd_simulation *s, hsgd_error *err)
{
    if (!(s->step_size > 0) || !isfinite(s->step_size))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "step_size: %g is not a positive finite number", s->step_size);
    if (s->steps < 1 || s->measure_every < 1 || s->threads < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "steps, measure_every and threads must be at least 1");
    if (s->variant && (s->measure_proof || s->measure_at_nodes))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the terms of proofs are measured for plain H-SGD only");
    if (s->variant && hsgd_variant_check(s->variant, err))
        return HSGD_ERROR_INPUT;
    if (s->hierarchy->num_workers != s->objective->num_workers)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the hierarchy has %zu workers, the problem %zu",
                         s->hierarchy->num_workers, s->objective->num_workers);
    if (!hsgd_hierarchy_is_expanded(s->hierarchy) || s->hierarchy->num_nodes < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the engine needs a hierarchy with one entry per node");
    hsgd_status status = hsgd_evaluation_check(s, err);
    if (status)
        return status;
    if (hsgd_simulation_bytes(s) > (double)(SIZE_MAX / 2)) /* below it no product of sizes overflows */
        return hsgd_fail_memory(err, "the run");
    return HSGD_OK;
}

static hsgd_status make_run(hsgd_trace *out, const hsgd_simulation *simulation, const hsgd_bytes *state,
                            hsgd_error *err)
{
    const hsgd_keeper *keeper = simulation->keeper;
    hsgd_engine engine;
    hsgd_threads_setup();
    hsgd_status status = hsgd_engine_alloc(&engine, simulation, out, err);
    status = hsgd_team_agree(simulation->team, status, err);
    engine.err = err;
    if (!status)
        status = hsgd_levels_open(&engine, err);
    if (!status)
        status = run(&engine, state, err);
    hsgd_levels_close(&engine);
    hsgd_engine_free(&engine);
    if (!status && keeper && keeper->done && hsgd_team_rank(simulation->team) == 0)
        keeper->done(keeper->context, simulation->seed, out);
    return status;
}

/* A run that was done before. */
static hsgd_status take_run(hsgd_trace *out, const hsgd_simulation *simulation, const hsgd_bytes *state,
                            hsgd_error *err)
{
    hsgd_status status = hsgd_state_unpack_done(out, simulation->seed, state, err);
    if (!status && simulation->progress)
        simulation->progress(simulation->progress_context, simulation->steps);
    return status;
}

hsgd_status hsgd_simulate(hsgd_trace *out, const hsgd_simulation *simulation, hsgd_error *err)
{
    const hsgd_keeper *keeper = simulation->keeper;
    hsgd_bytes state = {0};
    hsgd_error own;
    memset(out, 0, sizeof *out);
    hsgd_status status = check(simulation, &own);
    if (!status)
        status = hsgd_trace_alloc(out, simulation, &own);
    int pause = !status && keeper ? (int)keeper->ask(keeper->context, simulation->seed, 0) : HSGD_GO_ON;
    if (!status && pause <= (int)HSGD_SAVE && keeper && keeper->load && hsgd_team_rank(simulation->team) == 0)
        status = keeper->load(keeper->context, simulation->seed, &state, &own);
    status = hsgd_team_agree(simulation->team, status, &own); /* before anybody waits for anybody */
    if (!status)
        status = hsgd_team_largest(simulation->team, &pause, &own);
    if (!status && pause > (int)HSGD_SAVE)
        status = hsgd_fail(&own, HSGD_STOPPED, "stopped before the first of %zu steps", simulation->steps);
    if (!status)
        status = hsgd_state_share(simulation->team, &state, &own);
    if (!status)
        status = hsgd_state_is_done(&state) ? take_run(out, simulation, &state, &own)
                                            : make_run(out, simulation, &state, &own);
    hsgd_bytes_free(&state);
    if (status && err)
        *err = own;
    if (status)
        hsgd_trace_free(out);
    return status;
}
