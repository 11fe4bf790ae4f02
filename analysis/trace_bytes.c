/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The order of the bytes: the shape, the single numbers, then the arrays that are there, each without the rows that are
 * still empty. */
#include "analysis/trace_bytes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a trace is made of ---- */

/* All sizes, the number of filled rows, and which arrays are there. */
enum { ROWS, MEASURED, LEVELS, NODES, WORKERS, DIM, PRESENT, NUM_SHAPE };
typedef struct shape {
    size_t of[NUM_SHAPE];
} shape;

static const char *const shape_name[NUM_SHAPE] = {[ROWS] = "rows",
                                                  [MEASURED] = "measured steps",
                                                  [LEVELS] = "levels",
                                                  [NODES] = "nodes",
                                                  [WORKERS] = "workers",
                                                  [DIM] = "parameters",
                                                  [PRESENT] = "kinds of measurements"};

/* An array of a trace. */
typedef struct field {
    double **array;
    size_t count;  /* its length */
    size_t filled; /* that are put: the rows there are, or all */
} field;

enum { WORKER_NOISE = 11, NUM_FIELDS = 13 };

/* The proof terms follow them. */
enum { PROOF_DOUBLES = sizeof(hsgd_proof_terms) / sizeof(double) };
_Static_assert(sizeof(hsgd_proof_terms) == PROOF_DOUBLES * sizeof(double), "proof terms are doubles only");

static void find_fields(field out[NUM_FIELDS], hsgd_trace *t, size_t rows)
{
    size_t all = t->num_measured + 1, before = t->num_measured, levels = t->num_levels, nodes = t->num_nodes;
    size_t metrics = HSGD_NUM_METRICS, filled_before = rows < before ? rows : before;
    const field fields[NUM_FIELDS] = {{&t->loss, all, rows},
                                      {&t->grad_norm_sq, all, rows},
                                      {&t->divergence, all * levels, rows * levels},
                                      {&t->divergence_at_nodes, before * levels, filled_before * levels},
                                      {&t->dispersion, before * levels, filled_before * levels},
                                      {&t->node_divergence_mean, nodes, nodes},
                                      {&t->node_divergence_max, nodes, nodes},
                                      {&t->node_divergence_at_node_max, nodes, nodes},
                                      {&t->node_dispersion_mean, nodes, nodes},
                                      {&t->node_deviation_max_sq, nodes, nodes},
                                      {&t->final_point, t->dim, t->dim},
                                      {&t->worker_noise_sq, t->num_workers, t->num_workers},
                                      {&t->metric, all * metrics, rows * metrics}};
    memcpy(out, fields, sizeof fields);
}

/* Of all measured steps, or of those there are. */
static size_t proof_doubles(const hsgd_trace *t, size_t rows)
{
    return (rows < t->num_measured ? rows : t->num_measured) * PROOF_DOUBLES;
}

static shape shape_of(const hsgd_trace *trace, size_t rows)
{
    field fields[NUM_FIELDS];
    hsgd_trace copy = *trace;
    shape s = {{rows, trace->num_measured, trace->num_levels, trace->num_nodes, trace->num_workers, trace->dim, 0}};
    find_fields(fields, &copy, rows);
    for (size_t i = 0; i < NUM_FIELDS; i++)
        s.of[PRESENT] |= (size_t)(*fields[i].array != NULL) << i;
    s.of[PRESENT] |= (size_t)(trace->proof != NULL) << NUM_FIELDS;
    return s;
}

/* ---- out ---- */

void hsgd_bytes_put_seen(hsgd_bytes *out, const hsgd_seen_smoothness *seen)
{
    hsgd_bytes_put_doubles(out, &seen->ratio, 1);
    hsgd_bytes_put_count(out, seen->step);
    hsgd_bytes_put_count(out, seen->worker);
}

void hsgd_trace_pack_rows(hsgd_bytes *out, const hsgd_trace *trace, size_t num_rows)
{
    field fields[NUM_FIELDS];
    hsgd_trace copy = *trace; /* the arrays are only read */
    shape s = shape_of(trace, num_rows);
    const double numbers[] = {trace->worker_deviation_max_sq, trace->gradient_identity_error,
                              trace->parameter_identity_error};
    hsgd_bytes_put_counts(out, s.of, NUM_SHAPE);
    hsgd_bytes_put_doubles(out, numbers, sizeof numbers / sizeof *numbers);
    hsgd_bytes_put_count(out, trace->diverged_at);
    hsgd_bytes_put_seen(out, &trace->smoothness);
    hsgd_bytes_put_seen(out, &trace->path_smoothness);
    hsgd_bytes_put_counts(out, trace->step, trace->num_measured + 1);
    find_fields(fields, &copy, num_rows);
    for (size_t i = 0; i < NUM_FIELDS; i++)
        if (*fields[i].array)
            hsgd_bytes_put_doubles(out, *fields[i].array, fields[i].filled);
    if (trace->proof)
        hsgd_bytes_put(out, trace->proof, proof_doubles(trace, num_rows) * sizeof(double));
}

void hsgd_trace_pack(hsgd_bytes *out, const hsgd_trace *trace)
{
    hsgd_trace_pack_rows(out, trace, trace->num_measured + 1);
}

/* ---- in ---- */

static hsgd_status refuse(hsgd_error *err)
{
    return hsgd_fail(err, HSGD_ERROR_INPUT, "the measurements of a run end too early");
}

void hsgd_bytes_take_seen(hsgd_bytes_reader *in, hsgd_seen_smoothness *seen)
{
    hsgd_bytes_take_doubles(in, &seen->ratio, 1);
    seen->step = hsgd_bytes_take_count(in);
    seen->worker = hsgd_bytes_take_count(in);
}

/* All but the shape, into arrays that are there. */
static hsgd_status take_body(hsgd_trace *trace, size_t rows, hsgd_bytes_reader *in, hsgd_error *err)
{
    field fields[NUM_FIELDS];
    hsgd_bytes_take_doubles(in, &trace->worker_deviation_max_sq, 1);
    hsgd_bytes_take_doubles(in, &trace->gradient_identity_error, 1);
    hsgd_bytes_take_doubles(in, &trace->parameter_identity_error, 1);
    trace->diverged_at = hsgd_bytes_take_count(in);
    hsgd_bytes_take_seen(in, &trace->smoothness);
    hsgd_bytes_take_seen(in, &trace->path_smoothness);
    hsgd_bytes_take_counts(in, trace->step, trace->num_measured + 1);
    find_fields(fields, trace, rows);
    for (size_t i = 0; i < NUM_FIELDS; i++)
        if (*fields[i].array)
            hsgd_bytes_take_doubles(in, *fields[i].array, fields[i].filled);
    if (trace->proof)
        hsgd_bytes_take(in, trace->proof, proof_doubles(trace, rows) * sizeof(double));
    return in->failed ? refuse(err) : HSGD_OK;
}

/* Is there anything that such a shape can stand for? What follows has at least these steps, nodes and parameters, so that no
 * product of sizes overflows and nothing is allocated that the bytes cannot fill, but for empty rows. */
static bool is_possible(const shape *s, const hsgd_bytes_reader *in)
{
    const size_t most = in->left / sizeof(double);
    return !in->failed && s->of[MEASURED] < most && s->of[ROWS] <= s->of[MEASURED] + 1 && s->of[LEVELS] > 0 &&
           s->of[LEVELS] <= HSGD_MAX_LEVELS && s->of[NODES] > 0 && s->of[NODES] <= most && s->of[DIM] > 0 &&
           s->of[DIM] <= most && s->of[WORKERS] > 0 && s->of[WORKERS] < SIZE_MAX / 64 && s->of[MEASURED] > 0 &&
           (s->of[WORKERS] <= most || !(s->of[PRESENT] >> WORKER_NOISE & 1)) &&
           s->of[PRESENT] < (size_t)2 << NUM_FIELDS;
}

static bool allocate(hsgd_trace *out, const shape *s)
{
    field fields[NUM_FIELDS];
    *out = (hsgd_trace){.num_measured = s->of[MEASURED],
                        .num_levels = s->of[LEVELS],
                        .num_nodes = s->of[NODES],
                        .num_workers = s->of[WORKERS],
                        .dim = s->of[DIM]};
    find_fields(fields, out, s->of[ROWS]);
    out->step = calloc(out->num_measured + 1, sizeof *out->step);
    bool complete = out->step != NULL;
    for (size_t i = 0; i < NUM_FIELDS; i++) {
        if (!(s->of[PRESENT] >> i & 1))
            continue;
        *fields[i].array = calloc(fields[i].count ? fields[i].count : 1, sizeof(double));
        complete = complete && *fields[i].array;
    }
    if (s->of[PRESENT] >> NUM_FIELDS & 1) {
        out->proof = calloc(out->num_measured, sizeof *out->proof);
        complete = complete && out->proof;
    }
    for (size_t i = 0; out->metric && i < (out->num_measured + 1) * HSGD_NUM_METRICS; i++)
        out->metric[i] = NAN;
    return complete;
}

hsgd_status hsgd_trace_unpack(hsgd_trace *out, hsgd_bytes_reader *in, hsgd_error *err)
{
    shape s = {{0}};
    *out = (hsgd_trace){0};
    hsgd_bytes_take_counts(in, s.of, NUM_SHAPE);
    if (!is_possible(&s, in))
        return refuse(err);
    hsgd_status status = allocate(out, &s) ? HSGD_OK : hsgd_fail_memory(err, "the measurements");
    if (!status)
        status = take_body(out, s.of[ROWS], in, err);
    if (status)
        hsgd_trace_free(out);
    return status;
}

hsgd_status hsgd_trace_unpack_into(hsgd_trace *trace, size_t *num_rows, hsgd_bytes_reader *in, hsgd_error *err)
{
    shape given = {{0}};
    hsgd_bytes_take_counts(in, given.of, NUM_SHAPE);
    shape own = shape_of(trace, given.of[ROWS]);
    if (in->failed || given.of[ROWS] > trace->num_measured + 1)
        return refuse(err);
    for (size_t i = 0; i < NUM_SHAPE; i++)
        if (own.of[i] != given.of[i])
            return hsgd_fail(err, HSGD_ERROR_INPUT, "the measurements belong to a run with other %s: %zu, not %zu",
                             shape_name[i], given.of[i], own.of[i]);
    *num_rows = given.of[ROWS];
    return take_body(trace, given.of[ROWS], in, err);
}
