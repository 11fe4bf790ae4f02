/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The least that a workload must do, counted from its definition and not from what the engine does.
 *
 * What is left out makes the minimum smaller, so that the share of the limit reached is never too flattering: element-wise
 * work (descent, averages, dispersions, the regulariser), exponentials and logarithms of the losses, the copies of gathered
 * rows, random indices. What is counted:
 *
 *   data     rows        = (steps measured) (passes) m + T n b + m     samples whose score and gradient are needed, where
 *            passes      = 1 at wbar + 1 per level below the root at the averages + 1 at the workers' own models
 *            flops       = 4 rows p C                                  z = W x and G += r x': a product and its transpose
 *                          of which only the share of features that are not 0 is needed by a sparse product
 *            bytes       = windows (data + 2 n d 8)                    data once per window, in the narrowest exact type (a byte
 *                          per pixel; 4 bytes per column index, as all values of a9a are 1); models read and written once
 *   quadratic  normals   = T n d
 *              bytes     = windows 3 n d 8                             w and b read, w written, once per window
 *
 * A window is the time between two averages of the root: inside it the subtrees know nothing of each other, so a cache can
 * hold one of them at a time. */
#include "tests/bench/bench.h"

#include <math.h>
#include <string.h>

/* Entries of the features that are not 0. */
static double count_nonzeros(const hsgd_dataset *data)
{
    double count = 0;
    if (data->row_start)
        return (double)data->row_start[data->num_samples];
    for (size_t i = 0; i < data->num_samples * data->num_features; i++)
        count += data->dense[i] != 0;
    return count;
}

static double data_bytes(const hsgd_dataset *data)
{
    if (data->row_start)
        return 4 * (count_nonzeros(data) + (double)data->num_samples);
    return (double)data->num_samples * (double)data->num_features;
}

static double num_windows(const bench_case *c)
{
    return ceil((double)c->simulation.steps / (double)hsgd_hierarchy_global_period(&c->problem.hierarchy));
}

static bench_work quadratic_work(const bench_case *c)
{
    const hsgd_simulation *s = &c->simulation;
    double n = (double)s->hierarchy->num_workers, d = (double)s->objective->dim;
    return (bench_work){.normals = c->config.noise_sq > 0 ? (double)s->steps * n * d : 0,
                        .bytes = num_windows(c) * 3 * n * d * 8,
                        .working_set = 2 * n * d * 8};
}

static bench_work data_work(const bench_case *c)
{
    const hsgd_simulation *s = &c->simulation;
    const hsgd_dataset *data = &c->problem.data;
    double n = (double)s->hierarchy->num_workers, d = (double)s->objective->dim, m = (double)data->num_samples;
    double measured = ceil((double)s->steps / (double)s->measure_every);
    double passes = 1 + (s->measure_at_nodes ? (double)s->hierarchy->num_levels - 1 : 0) + (s->measure_proof ? 1 : 0);
    double entries = (double)data->num_samples * (double)data->num_features;
    return (bench_work){.pass_flops = 4 * (measured * passes + 1) * m * d,
                        .batch_flops = 4 * (double)s->steps * n * (double)s->batch_size * d,
                        .nonzero_share = count_nonzeros(data) / entries,
                        .outputs = d / (double)data->num_features,
                        .dense = data->row_start == NULL,
                        .bytes = num_windows(c) * (data_bytes(data) + 2 * n * d * 8),
                        .working_set = data_bytes(data) + n * d * 8};
}

bench_work bench_work_of(const bench_case *c)
{
    return c->problem.is_quadratic ? quadratic_work(c) : data_work(c);
}

/* ---- through the pipe ---- */

typedef struct field {
    const char *name;
    size_t offset;
} field;

static const field fields[] = {{"batch_flops", offsetof(bench_work, batch_flops)},
                               {"pass_flops", offsetof(bench_work, pass_flops)},
                               {"nonzero_share", offsetof(bench_work, nonzero_share)},
                               {"outputs", offsetof(bench_work, outputs)},
                               {"normals", offsetof(bench_work, normals)},
                               {"bytes", offsetof(bench_work, bytes)},
                               {"working_set", offsetof(bench_work, working_set)}};

cJSON *bench_work_to_json(const bench_work *work)
{
    cJSON *json = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        double value;
        memcpy(&value, (const char *)work + fields[i].offset, sizeof value);
        cJSON_AddNumberToObject(json, fields[i].name, value);
    }
    cJSON_AddBoolToObject(json, "dense", work->dense);
    return json;
}

bench_work bench_work_from_json(const cJSON *json)
{
    bench_work work = {.dense = cJSON_IsTrue(cJSON_GetObjectItem(json, "dense"))};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const cJSON *item = cJSON_GetObjectItem(json, fields[i].name);
        double value = item ? item->valuedouble : 0;
        memcpy((char *)&work + fields[i].offset, &value, sizeof value);
    }
    return work;
}
