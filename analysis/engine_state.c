/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between two windows a run is: the step it has got to, what was measured, and a few arrays that outlive a window. What a
 * window or a thread needs for itself is made again. */
#include "analysis/engine_state.h"

#include <math.h>
#include <string.h>

#include "analysis/engine_private.h"
#include "analysis/trace_bytes.h"

/* What follows the first number, and so its version: other contents get other numbers. */
enum { STATE_DONE = 0x0101, STATE_BETWEEN_WINDOWS = 0x0103 };

/* ---- what outlives a window ---- */

/* Whose rows an array has: one that all processes of a team have alike, or one for each place or node, of which a process
 * has its own only. */
typedef enum rows_of { OF_RUN, OF_PLACES, OF_NODES } rows_of;

typedef struct kept {
    void *array; /* NULL: the run has none */
    rows_of rows;
    size_t row_bytes;
} kept;

enum { NUM_KEPT = 9 };

/* After `step` steps. */
static void find_kept(kept out[NUM_KEPT], const hsgd_engine *engine, size_t step)
{
    double *model = hsgd_round_begins(engine, step) ? NULL : engine->model;
    size_t n = engine->hierarchy->num_workers, vector = engine->dim * sizeof(double);
    const kept all[NUM_KEPT] = {{engine->start, OF_RUN, vector},
                                {model, OF_PLACES, engine->stride * sizeof(double)},
                                {engine->measured_model, OF_PLACES, vector},
                                {engine->measured_gradient, OF_PLACES, vector},
                                {engine->measured_mean, OF_RUN, 2 * vector},
                                {engine->variant.weight, OF_RUN, n * sizeof(double)},
                                {engine->variant.velocity, OF_PLACES, vector},
                                {engine->variant.anchor, OF_NODES, vector},
                                {engine->smoothness, OF_PLACES, sizeof *engine->smoothness}};
    memcpy(out, all, sizeof all);
}

/* The rows of process r: [*first, *end); the root has none. */
static void find_rows(size_t *first, size_t *end, const hsgd_engine *engine, rows_of rows, size_t r)
{
    const size_t *owner = rows == OF_NODES ? engine->owners.node : engine->owners.place;
    *first = rows == OF_RUN ? 0 : owner[r];
    *end = rows == OF_RUN ? 1 : owner[r + 1];
}

/* An own one. Velocities are kept by place, whatever they are found by. */
static void *row_at(const hsgd_engine *engine, const kept *k, size_t i)
{
    size_t first, end;
    find_rows(&first, &end, engine, k->rows, (size_t)hsgd_team_rank(engine->team));
    if (k->array == engine->variant.velocity)
        return hsgd_velocity_at(engine, i);
    return (char *)k->array + (i - first) * k->row_bytes;
}

static size_t rows_in_all(const hsgd_engine *engine, rows_of rows)
{
    return rows == OF_RUN ? 1 : rows == OF_NODES ? engine->hierarchy->num_nodes - 1 : engine->hierarchy->num_workers;
}

/* What has to agree before any array is taken. */
enum { SEED, STEPS, EVERY, WORKERS, NODES, DIM, ARRAYS, NUM_SHAPE };
static const char *const shape_name[NUM_SHAPE] = {
    [SEED] = "seed",        [STEPS] = "steps",    [EVERY] = "measure_every",   [WORKERS] = "workers",
    [NODES] = "tree nodes", [DIM] = "parameters", [ARRAYS] = "kinds of memory"};

static void find_shape(uint64_t out[NUM_SHAPE], const hsgd_engine *engine)
{
    const hsgd_simulation *s = engine->simulation;
    const uint64_t shape[NUM_SHAPE] = {[SEED] = s->seed,
                                       [STEPS] = s->steps,
                                       [EVERY] = s->measure_every,
                                       [WORKERS] = engine->hierarchy->num_workers,
                                       [NODES] = engine->hierarchy->num_nodes,
                                       [DIM] = engine->dim};
    kept arrays[NUM_KEPT];
    memcpy(out, shape, sizeof shape);
    find_kept(arrays, engine, 0); /* whether there are models hangs on the step */
    for (size_t i = 0; i < NUM_KEPT; i++)
        out[ARRAYS] |= (uint64_t)(arrays[i].array != NULL) << i;
}

/* ---- out ---- */

void hsgd_state_pack_done(hsgd_bytes *out, uint64_t seed, const hsgd_trace *trace)
{
    hsgd_bytes_put_count(out, STATE_DONE);
    hsgd_bytes_put_number(out, seed);
    hsgd_trace_pack(out, trace);
}

/* Not twice what is needed: the models of all workers may be large. */
static void reserve(hsgd_bytes *out, const hsgd_engine *engine, size_t step)
{
    kept arrays[NUM_KEPT];
    double bytes = hsgd_trace_bytes(engine->simulation) + 8 * (double)engine->hierarchy->num_workers + 4096;
    find_kept(arrays, engine, step);
    for (size_t i = 0; i < NUM_KEPT; i++)
        bytes += arrays[i].array ? (double)rows_in_all(engine, arrays[i].rows) * (double)arrays[i].row_bytes : 0;
    if (hsgd_team_rank(engine->team) == 0 && bytes < (double)(SIZE_MAX / 2))
        hsgd_bytes_reserve(out, (size_t)bytes);
}

/* The rows of another process go to the first one. */
static void carry_row(hsgd_bytes *out, hsgd_engine *engine, const kept *k, int from, size_t i)
{
    if (engine->status)
        return;
    if (hsgd_team_rank(engine->team) == from)
        engine->status = hsgd_team_send(engine->team, 0, row_at(engine, k, i), k->row_bytes, engine->err);
    else if (hsgd_team_rank(engine->team) == 0) {
        engine->status = hsgd_team_receive(engine->team, from, engine->parcel, k->row_bytes, engine->err);
        hsgd_bytes_put(out, engine->parcel, k->row_bytes);
    }
}

static void put_kept(hsgd_bytes *out, hsgd_engine *engine, const kept *k)
{
    size_t first, end, processes = k->rows == OF_RUN ? 1 : (size_t)hsgd_team_size(engine->team);
    for (size_t r = 0; r < processes; r++) {
        find_rows(&first, &end, engine, k->rows, r);
        for (size_t i = first; i < end; i++)
            if (r > 0)
                carry_row(out, engine, k, (int)r, i);
            else if (hsgd_team_rank(engine->team) == 0)
                hsgd_bytes_put(out, row_at(engine, k, i), k->row_bytes);
    }
}

/* What the first process lacks of what all processes have. */
static void complete(hsgd_engine *engine)
{
    if (engine->trace->worker_noise_sq)
        hsgd_share_noise(engine);
    hsgd_share_weights(engine);
}

void hsgd_engine_pack(hsgd_bytes *out, hsgd_engine *engine, size_t step, size_t row)
{
    uint64_t shape[NUM_SHAPE];
    kept arrays[NUM_KEPT];
    complete(engine);
    reserve(out, engine, step);
    find_shape(shape, engine);
    find_kept(arrays, engine, step);
    if (hsgd_team_rank(engine->team) == 0) {
        hsgd_bytes_put_count(out, STATE_BETWEEN_WINDOWS);
        for (size_t i = 0; i < NUM_SHAPE; i++)
            hsgd_bytes_put_number(out, shape[i]);
        hsgd_bytes_put_count(out, step);
        hsgd_trace_pack_rows(out, engine->trace, row);
        hsgd_bytes_put_counts(out, engine->placement, engine->hierarchy->num_workers);
    }
    for (size_t i = 0; i < NUM_KEPT; i++)
        if (arrays[i].array)
            put_kept(out, engine, &arrays[i]);
}

/* ---- in ---- */

static hsgd_status refuse(hsgd_error *err)
{
    return hsgd_fail(err, HSGD_ERROR_INPUT, "the bytes are not the state of a run");
}

static hsgd_status check_shape(const hsgd_engine *engine, hsgd_bytes_reader *in, hsgd_error *err)
{
    uint64_t own[NUM_SHAPE];
    find_shape(own, engine);
    for (size_t i = 0; i < NUM_SHAPE; i++) {
        uint64_t given = hsgd_bytes_take_number(in);
        if (in->failed)
            return refuse(err);
        if (given != own[i])
            return hsgd_fail(err, HSGD_ERROR_INPUT, "the state belongs to a run with other %s: %ju, not %ju",
                             shape_name[i], (uintmax_t)given, (uintmax_t)own[i]);
    }
    return HSGD_OK;
}

/* Are they workers? */
static bool are_workers(const size_t *placement, size_t num_workers)
{
    for (size_t i = 0; i < num_workers; i++)
        if (placement[i] >= num_workers)
            return false;
    return true;
}

/* The own rows; others are passed over. */
static void take_kept(hsgd_engine *engine, const kept *k, hsgd_bytes_reader *in)
{
    size_t first, end, before = k->rows == OF_NODES ? 1 : 0, all = rows_in_all(engine, k->rows);
    find_rows(&first, &end, engine, k->rows, (size_t)hsgd_team_rank(engine->team));
    hsgd_bytes_skip(in, (first - before) * k->row_bytes);
    for (size_t i = first; i < end; i++)
        hsgd_bytes_take(in, row_at(engine, k, i), k->row_bytes);
    hsgd_bytes_skip(in, (before + all - end) * k->row_bytes);
}

static hsgd_status take_memory(hsgd_engine *engine, size_t step, hsgd_bytes_reader *in, hsgd_error *err)
{
    kept arrays[NUM_KEPT];
    size_t n = engine->hierarchy->num_workers;
    hsgd_bytes_take_counts(in, engine->placement, n);
    if (in->failed || !are_workers(engine->placement, n))
        return refuse(err);
    if (!hsgd_round_begins(engine, step) && !hsgd_engine_take_models(engine))
        return hsgd_fail_memory(err, "the models of all workers");
    find_kept(arrays, engine, step);
    for (size_t i = 0; i < NUM_KEPT; i++)
        if (arrays[i].array)
            take_kept(engine, &arrays[i], in);
    return in->failed || in->left ? refuse(err) : HSGD_OK;
}

hsgd_status hsgd_engine_unpack(hsgd_engine *engine, size_t *step, size_t *row, const hsgd_bytes *state, hsgd_error *err)
{
    hsgd_bytes_reader in = hsgd_bytes_read(state->data, state->size);
    if (hsgd_bytes_take_count(&in) != STATE_BETWEEN_WINDOWS)
        return refuse(err);
    hsgd_status status = check_shape(engine, &in, err);
    if (status)
        return status;
    *step = hsgd_bytes_take_count(&in);
    if (in.failed || *step < 1 || *step >= engine->simulation->steps)
        return refuse(err);
    status = hsgd_trace_unpack_into(engine->trace, row, &in, err);
    if (!status && *row != (*step - 1) / engine->simulation->measure_every + 1)
        status = refuse(err);
    return status ? status : take_memory(engine, *step, &in, err);
}

bool hsgd_state_is_done(const hsgd_bytes *state)
{
    hsgd_bytes_reader in = hsgd_bytes_read(state->data, state->size);
    return hsgd_bytes_take_count(&in) == STATE_DONE && !in.failed;
}

hsgd_status hsgd_state_unpack_done(hsgd_trace *trace, uint64_t seed, const hsgd_bytes *state, hsgd_error *err)
{
    hsgd_bytes_reader in = hsgd_bytes_read(state->data, state->size);
    size_t rows;
    hsgd_bytes_take_count(&in);
    uint64_t given = hsgd_bytes_take_number(&in);
    if (!in.failed && given != seed)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the state belongs to a run with another seed: %ju, not %ju",
                         (uintmax_t)given, (uintmax_t)seed);
    hsgd_status status = hsgd_trace_unpack_into(trace, &rows, &in, err);
    return status || (rows == trace->num_measured + 1 && !in.left) ? status : refuse(err);
}

/* ---- the keeper ---- */

/* The most urgent answer, and the slowest step. */
static hsgd_status agree(hsgd_pause *pause, hsgd_engine *engine, hsgd_error *err)
{
    const double own[] = {*pause, engine->step_s};
    double *all = engine->parcel;
    hsgd_status status = hsgd_team_collect(engine->team, own, 2, all, err);
    for (size_t r = 0; !status && r < (size_t)hsgd_team_size(engine->team); r++) {
        *pause = all[2 * r] > *pause ? (hsgd_pause)all[2 * r] : *pause;
        engine->step_s = fmax(engine->step_s, all[2 * r + 1]);
    }
    return status;
}

static hsgd_status ask(hsgd_pause *out, hsgd_engine *engine, size_t step, hsgd_error *err)
{
    const hsgd_keeper *keeper = engine->simulation->keeper;
    *out = keeper->ask(keeper->context, engine->simulation->seed, step);
    return hsgd_is_shared(engine) ? agree(out, engine, err) : HSGD_OK;
}

static hsgd_status save(hsgd_engine *engine, size_t step, size_t row, hsgd_error *err)
{
    const hsgd_keeper *keeper = engine->simulation->keeper;
    hsgd_bytes state = {0};
    hsgd_engine_pack(&state, engine, step, row);
    hsgd_status status = engine->status;
    if (!status && hsgd_team_rank(engine->team) == 0)
        status = keeper->save(keeper->context, engine->simulation->seed, step, &state, err);
    hsgd_bytes_free(&state);
    return engine->status ? engine->status : hsgd_team_agree(engine->team, status, err);
}

hsgd_status hsgd_engine_keep(hsgd_engine *engine, size_t step, size_t row, hsgd_error *err)
{
    hsgd_pause pause = HSGD_GO_ON;
    hsgd_status status = HSGD_OK;
    if (engine->simulation->keeper && step < engine->simulation->steps)
        status = ask(&pause, engine, step, err);
    if (!status && (pause == HSGD_SAVE || pause == HSGD_SAVE_AND_STOP))
        status = save(engine, step, row, err);
    if (!status && pause > HSGD_SAVE)
        status = hsgd_fail(err, HSGD_STOPPED, "stopped after %zu of %zu steps", step, engine->simulation->steps);
    return status;
}

/* ---- from the first process to the others ---- */

hsgd_status hsgd_state_share(const hsgd_team *team, hsgd_bytes *state, hsgd_error *err)
{
    size_t size = state->size;
    if (hsgd_team_size(team) == 1)
        return HSGD_OK;
    hsgd_status status = hsgd_team_broadcast(team, 0, &size, sizeof size, err);
    if (!status)
        hsgd_bytes_reserve(state, size);
    if (!status && state->failed)
        status = hsgd_fail_memory(err, "the state of the run");
    if (!status)
        status = hsgd_team_agree(team, status, err);
    state->size = size;
    return status ? status : hsgd_team_broadcast(team, 0, state->data, size, err);
}
