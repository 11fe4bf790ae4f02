/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run that several processes make: who has which units, and what travels between them.
 *
 * Large arrays travel where they lie: the units of a process are columns of matrices with a row per measured step. Single
 * numbers are packed into the engine's parcel. Nothing is added up on the way. */
#include "analysis/engine_private.h"

#include <math.h>
#include <string.h>

/* ---- who has what ---- */

static size_t processes(const hsgd_simulation *s)
{
    return (size_t)hsgd_team_size(s->team);
}

enum { OWNED = sizeof(hsgd_owners) / sizeof(size_t *) };

size_t hsgd_owners_length(const hsgd_simulation *simulation)
{
    return OWNED * (processes(simulation) + 1);
}

/* The first unit of process r of `size`: that whose middle is the first beyond r/size of the workers. */
static size_t first_unit_of(const hsgd_engine *engine, size_t r, size_t size)
{
    double share = (double)r / (double)size * (double)engine->hierarchy->num_workers;
    size_t unit = 0;
    while (unit < engine->num_units && (double)engine->unit[unit].first + (double)engine->unit[unit].count / 2 < share)
        unit++;
    return r == size ? engine->num_units : unit;
}

static void find_own(hsgd_engine *engine)
{
    const hsgd_owners *o = &engine->owners;
    size_t r = (size_t)hsgd_team_rank(engine->team);
    engine->own = (hsgd_own){.first_unit = o->unit[r],
                             .end_unit = o->unit[r + 1],
                             .first_place = o->place[r],
                             .end_place = o->place[r + 1],
                             .first_node = o->node[r],
                             .end_node = o->node[r + 1]};
}

/* The node that a unit's part of the node arrays begins with: its own first, or that of the topmost divided node but the
 * root that begins with it. */
static size_t first_node_of(const hsgd_engine *engine, size_t unit)
{
    size_t node = engine->unit[unit].node;
    for (size_t i = engine->unit[unit].split; i > 0 && engine->split[i].first_unit == unit; i = engine->split[i].parent)
        node = engine->split[i].node;
    return node;
}

/* Has process r units below this node? */
static bool has_units_below(const hsgd_engine *engine, const hsgd_split *split, size_t r)
{
    size_t first = engine->owners.unit[r], end = engine->owners.unit[r + 1];
    return first < end && first < split->end_unit && end > split->first_unit;
}

/* Of what hangs directly below divided node i, that which begins before a unit. */
static size_t kids_before(const hsgd_engine *engine, size_t i, size_t unit)
{
    const hsgd_split *split = &engine->split[i];
    size_t count = 0;
    for (size_t v = i + 1; v < engine->num_splits; v++)
        count += engine->split[v].parent == i && engine->split[v].first_unit < unit;
    for (size_t u = split->first_unit; u < split->end_unit && u < unit; u++)
        count += engine->unit[u].split == i;
    return count;
}

/* Which of its processes has which slots below a divided node: all belong to the root. */
static void share_kids(hsgd_engine *engine, size_t i, size_t *memory)
{
    hsgd_split *split = &engine->split[i];
    size_t size = processes(engine->simulation), members = 0;
    split->first_kid = memory;
    split->is_own = i == 0 || has_units_below(engine, split, (size_t)hsgd_team_rank(engine->team));
    for (size_t r = 0; r < size; r++)
        if (i == 0 || has_units_below(engine, split, r))
            split->first_kid[members++] = kids_before(engine, i, engine->owners.unit[r]);
    split->first_kid[members] = split->end_slot - split->first_slot;
    split->is_shared = members > 1;
}

void hsgd_share_units(hsgd_engine *engine, size_t *memory, size_t *kids)
{
    size_t size = processes(engine->simulation), chunks = hsgd_evaluation_chunks(engine->simulation);
    hsgd_owners *o = &engine->owners;
    *o = (hsgd_owners){memory, memory + (size + 1), memory + 2 * (size + 1), memory + 3 * (size + 1),
                       memory + 4 * (size + 1)};
    for (size_t r = 0; r <= size; r++) {
        size_t unit = o->unit[r] = first_unit_of(engine, r, size);
        bool behind = unit == engine->num_units;
        o->place[r] = behind ? engine->hierarchy->num_workers : engine->unit[unit].first;
        o->node[r] = behind ? engine->hierarchy->num_nodes : first_node_of(engine, unit);
        o->chunk[r] = chunks * r / size;
        o->rank[r] = r;
    }
    find_own(engine);
    for (size_t i = 0; i < engine->num_splits; i++)
        share_kids(engine, i, kids + i * (size + 1));
}

/* ---- carrying ---- */

static void share_in(hsgd_engine *engine, const hsgd_team *team, double *matrix, size_t rows, size_t columns,
                     size_t width, const size_t *first)
{
    if (!engine->status)
        engine->status = hsgd_team_share(team, matrix, rows, columns, width, first, engine->err);
}

static void share(hsgd_engine *engine, double *matrix, size_t rows, size_t columns, size_t width, const size_t *first)
{
    share_in(engine, engine->team, matrix, rows, columns, width, first);
}

/* Of a part, beside its mean: weight, spread, norm_sq, loss. Of a proof part: weight, noise_sq, independent_noise_sq. */
enum { PART_NUMBERS = 4, PROOF_NUMBERS = 3 };

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Of a worker each, that travel together. */
enum { VECTORS = 64 };

size_t hsgd_parcel_length(const hsgd_engine *engine)
{
    size_t size = processes(engine->simulation), rows = larger(engine->max_rows + 1, engine->max_root_rows);
    size_t length =
        larger(rows * engine->num_slots * PART_NUMBERS, (1 + engine->num_splits) * engine->max_root_rows * size);
    length = larger(length, larger(engine->hierarchy->num_workers, VECTORS * engine->dim));
    return larger(length, larger(2 * hsgd_evaluation_chunks(engine->simulation), 3 * size));
}

static size_t stride_of_means(const hsgd_engine *engine)
{
    return (size_t)(engine->window.root[1].moments.mean - engine->window.root[0].moments.mean);
}

void hsgd_share_slots(hsgd_engine *engine, const hsgd_split *split, hsgd_part *slot, size_t rows)
{
    const hsgd_team *team = split == engine->split ? engine->team : &split->team;
    size_t slots = engine->num_slots, kids = split->end_slot - split->first_slot, rank = (size_t)hsgd_team_rank(team);
    double *number = engine->parcel;
    if (hsgd_team_size(team) == 1 || rows == 0)
        return;
    slot += split->first_slot;
    for (size_t row = 0; row < rows; row++)
        for (size_t i = split->first_kid[rank]; i < split->first_kid[rank + 1]; i++) {
            const hsgd_part *p = &slot[row * slots + i];
            const double own[PART_NUMBERS] = {p->moments.weight, p->moments.spread, p->norm_sq, p->loss};
            memcpy(number + (row * kids + i) * PART_NUMBERS, own, sizeof own);
        }
    share_in(engine, team, number, rows, kids, PART_NUMBERS, split->first_kid);
    share_in(engine, team, slot->moments.mean, rows, slots, stride_of_means(engine), split->first_kid);
    for (size_t i = 0; i < rows * kids; i++, number += PART_NUMBERS) {
        hsgd_part *p = &slot[i / kids * slots + i % kids];
        p->moments.weight = number[0];
        p->moments.spread = number[1];
        p->norm_sq = number[2];
        p->loss = number[3];
    }
}

static void share_proof(hsgd_engine *engine)
{
    size_t units = engine->num_units, rows = engine->window.num_rows;
    hsgd_proof_part *part = engine->window.unit_proof;
    double *number = engine->parcel;
    if (rows == 0)
        return;
    for (size_t row = 0; row < rows; row++)
        for (size_t i = engine->own.first_unit; i < engine->own.end_unit; i++) {
            const hsgd_proof_part *p = &part[row * units + i];
            const double own[PROOF_NUMBERS] = {p->weight, p->noise_sq, p->independent_noise_sq};
            memcpy(number + (row * units + i) * PROOF_NUMBERS, own, sizeof own);
        }
    share(engine, number, rows, units, PROOF_NUMBERS, engine->owners.unit);
    share(engine, part->gradient, rows, units, 2 * (size_t)(part->noise - part->gradient), engine->owners.unit);
    for (size_t i = 0; i < rows * units; i++, number += PROOF_NUMBERS) {
        part[i].weight = number[0];
        part[i].noise_sq = number[1];
        part[i].independent_noise_sq = number[2];
    }
}

void hsgd_share_window(hsgd_engine *engine)
{
    hsgd_window *window = &engine->window;
    size_t nodes = engine->hierarchy->num_nodes, rows = window->num_rows;
    if (!hsgd_is_shared(engine))
        return;
    share(engine, window->node_dispersion, rows, nodes, 1, engine->owners.node);
    if (engine->simulation->measure_at_nodes)
        share(engine, window->node_divergence_at_node, rows, nodes, 1, engine->owners.node);
    if (engine->simulation->measure_proof)
        share_proof(engine);
}

void hsgd_share_gradients(hsgd_engine *engine, size_t count)
{
    if (!hsgd_is_shared(engine))
        return;
    share(engine, engine->root_row[0].node_divergence, count, engine->hierarchy->num_nodes, 1, engine->owners.node);
}

/* Those of divided nodes and of single workers are maxima over all processes. */
void hsgd_share_deviations(hsgd_engine *engine, size_t count)
{
    size_t size = processes(engine->simulation), rank = (size_t)hsgd_team_rank(engine->team),
           splits = engine->num_splits, width = splits + 1;
    double *all = engine->parcel;
    if (!hsgd_is_shared(engine) || !engine->simulation->measure_maxima)
        return;
    for (size_t i = 0; i < count; i++) {
        double *own = all + (rank * count + i) * width;
        for (size_t k = 0; k < splits; k++)
            own[k] = engine->root_row[i].node_deviation_max_sq[engine->split[k].node];
        own[splits] = engine->root_row[i].worker_deviation_max_sq;
    }
    share(engine, engine->root_row[0].node_deviation_max_sq, count, engine->hierarchy->num_nodes, 1,
          engine->owners.node);
    share(engine, all, 1, size, width * count, engine->owners.rank);
    for (size_t r = 0; r < size; r++)
        for (size_t i = 0; i < count; i++, all += width) {
            hsgd_root_row *row = &engine->root_row[i];
            for (size_t k = 0; k < splits; k++) {
                double *largest = &row->node_deviation_max_sq[engine->split[k].node];
                *largest = fmax(*largest, all[k]);
            }
            row->worker_deviation_max_sq = fmax(row->worker_deviation_max_sq, all[splits]);
        }
}

void hsgd_share_evaluated(hsgd_engine *engine, size_t chunks)
{
    size_t rank = (size_t)hsgd_team_rank(engine->team);
    const size_t *first = engine->owners.chunk;
    double *number = engine->parcel;
    if (!hsgd_is_shared(engine))
        return;
    for (size_t i = first[rank]; i < first[rank + 1] && i < chunks; i++) {
        number[2 * i] = engine->evaluated[i].loss_sum;
        number[2 * i + 1] = (double)engine->evaluated[i].num_right;
    }
    share(engine, number, 1, hsgd_evaluation_chunks(engine->simulation), 2, first);
    for (size_t i = 0; i < chunks; i++)
        engine->evaluated[i] = (hsgd_evaluated){number[2 * i], (size_t)number[2 * i + 1]};
}

/* ---- at the end ---- */

void hsgd_share_noise(hsgd_engine *engine)
{
    double *noise_sq = engine->trace->worker_noise_sq, *by_place = engine->parcel;
    size_t n = engine->hierarchy->num_workers;
    if (!hsgd_is_shared(engine))
        return;
    for (size_t place = engine->own.first_place; place < engine->own.end_place; place++)
        by_place[place] = noise_sq[engine->placement[place]];
    share(engine, by_place, 1, n, 1, engine->owners.place);
    for (size_t place = 0; place < n; place++)
        noise_sq[engine->placement[place]] = by_place[place];
}

void hsgd_share_smoothness(hsgd_engine *engine)
{
    hsgd_seen_smoothness *seen = &engine->trace->smoothness;
    size_t size = processes(engine->simulation), rank = (size_t)hsgd_team_rank(engine->team);
    double *all = engine->parcel;
    if (!hsgd_is_shared(engine))
        return;
    const double own[3] = {seen->ratio, (double)seen->step, (double)seen->worker};
    memcpy(all + 3 * rank, own, sizeof own);
    share(engine, all, 1, size, 3, engine->owners.rank);
    *seen = (hsgd_seen_smoothness){0};
    for (size_t r = 0; r < size; r++, all += 3)
        if (all[0] > seen->ratio)
            *seen = (hsgd_seen_smoothness){all[0], (size_t)all[1], (size_t)all[2]};
}

/* ---- what variants keep ---- */

void hsgd_share_weights(hsgd_engine *engine)
{
    if (engine->variant.weight)
        share(engine, engine->variant.weight, 1, engine->hierarchy->num_workers, 1, engine->owners.place);
}

static bool has_places(const hsgd_engine *engine, size_t rank)
{
    return engine->owners.place[rank] < engine->owners.place[rank + 1];
}

void hsgd_relay(hsgd_engine *engine, double *vector, void (*add)(hsgd_engine *engine, double *vector))
{
    int size = hsgd_team_size(engine->team), rank = hsgd_team_rank(engine->team), before = rank, after = rank,
        last = size;
    size_t bytes = engine->dim * sizeof *vector;
    do
        before--;
    while (before >= 0 && !has_places(engine, (size_t)before));
    do
        after++;
    while (after < size && !has_places(engine, (size_t)after));
    do
        last--;
    while (!has_places(engine, (size_t)last));
    if (has_places(engine, (size_t)rank)) {
        if (before >= 0 && !engine->status)
            engine->status = hsgd_team_receive(engine->team, before, vector, bytes, engine->err);
        add(engine, vector);
        if (after < size && !engine->status)
            engine->status = hsgd_team_send(engine->team, after, vector, bytes, engine->err);
    }
    if (!engine->status)
        engine->status = hsgd_team_broadcast(engine->team, last, vector, bytes, engine->err);
}

/* Some velocities of a process that has them, of places [first, first + count), pass by all others; whoever has their workers
 * now keeps them. */
static void pass_velocities(hsgd_engine *engine, int from, size_t first, size_t count, const size_t *worker)
{
    const hsgd_own *own = &engine->own;
    size_t dim = engine->dim, bytes = dim * sizeof(double);
    bool mine = from == hsgd_team_rank(engine->team);
    double *velocity = mine ? engine->variant.velocity + hsgd_own_place(engine, first) * dim : engine->parcel;
    if (!engine->status)
        engine->status = hsgd_team_broadcast(engine->team, from, velocity, count * bytes, engine->err);
    for (size_t j = 0; j < count; j++) {
        size_t now = engine->variant.now[worker[first + j]];
        if (now >= own->first_place && now < own->end_place)
            memcpy(engine->variant.moved + hsgd_own_place(engine, now) * dim, velocity + j * dim, bytes);
    }
}

void hsgd_share_velocities(hsgd_engine *engine, const size_t *before)
{
    const size_t n = engine->hierarchy->num_workers, most = hsgd_parcel_length(engine) / engine->dim;
    const size_t *owner = engine->owners.place;
    double *velocity = engine->variant.velocity;
    for (size_t place = 0; place < n; place++)
        engine->variant.now[engine->placement[place]] = place;
    for (int rank = 0; rank < hsgd_team_size(engine->team); rank++)
        for (size_t place = owner[rank]; place < owner[rank + 1]; place += most) {
            size_t left = owner[rank + 1] - place;
            pass_velocities(engine, rank, place, left < most ? left : most, before);
        }
    engine->variant.velocity = engine->variant.moved;
    engine->variant.moved = velocity;
}
