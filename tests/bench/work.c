/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The least that a workload must do, counted from the definitions and not from what the engine does. C outputs, p features,
 * d = C p coordinates of a model, n workers, m samples, mini-batches of b, M levels, T steps of which T' are measured;
 * additions and multiplications count one each. What is left out (copies, transposes, random indices) makes the
 * minimum smaller, so that the share reached is never too flattering.
 *
 *   products     4 C p a sample: z = W x and G += r x'. Samples: T n b in mini-batches, T' passes m + m in passes over
 *                the data, where passes = 1 at wbar, M - 1 at the averages below the root, 1 at the workers' own models.
 *                A sparse product needs only the share of features that are not 0.
 *   functions    C exponentials and 1 division a sample; a logarithm a sample in passes at wbar, for the loss; a division a coordinate and step for the non-convex regulariser
 *   normals      T n d, quadratics with noise
 *   arithmetic   a coordinate of a worker, every step: 2 for w - gamma g; quadratics 2 for h w - b and 1 for its noise;
 *                5 for the gradient of the non-convex regulariser, w/(1 + w^2)^2
 *                when measured: 6 for the models (1 mean, 3 dispersion, 2 second moment of the identity check), 6 for the
 *                gradients at wbar (quadratics 2 more, for the gradient and its loss), 4 for those at every average below
 *                the root; proof terms 5 (mean gradient 1, noise 1, its mean 1, its square 2), 5 for the regulariser
 *   bytes        once per window (the time between two averages of the root: inside it the subtrees know nothing of each
 *                other, so a cache can hold one of them at a time) the data in their narrowest exact type (a byte per
 *                pixel; 4 bytes per column index, as all values of a9a are 1), models read and written; for quadratics
 *                w and b read, w written */
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
        count += (data->dense ? data->dense[i] : data->byte_value[data->byte[i]]) != 0;
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

static double num_measured(const hsgd_simulation *s)
{
    return ceil((double)s->steps / (double)s->measure_every);
}

/* Averages below the root at which gradients are measured. */
static double num_averages(const hsgd_simulation *s)
{
    return s->measure_at_nodes ? (double)s->hierarchy->num_levels - 1 : 0;
}

/* own: what the problem itself takes of a coordinate at every step, and of one of a measured step. */
static double arithmetic(const hsgd_simulation *s, double own, double own_measured)
{
    double coordinates = (double)s->hierarchy->num_workers * (double)s->objective->dim;
    double measured = 12 + 4 * num_averages(s) + (s->measure_proof ? 5 : 0) + own_measured;
    return coordinates * ((double)s->steps * (2 + own) + num_measured(s) * measured);
}

static bench_work quadratic_work(const bench_case *c)
{
    const hsgd_simulation *s = &c->simulation;
    double n = (double)s->hierarchy->num_workers, d = (double)s->objective->dim;
    return (bench_work){.normals = c->config.noise_sq > 0 ? (double)s->steps * n * d : 0,
                        .flops = arithmetic(s, 3, 2),
                        .bytes = num_windows(c) * 3 * n * d * 8,
                        .working_set = 2 * n * d * 8};
}

static bench_work data_work(const bench_case *c)
{
    const hsgd_simulation *s = &c->simulation;
    const hsgd_dataset *data = &c->problem.data;
    double n = (double)s->hierarchy->num_workers, d = (double)s->objective->dim, m = (double)data->num_samples;
    double passes = 1 + num_averages(s) + (s->measure_proof ? 1 : 0);
    double entries = (double)data->num_samples * (double)data->num_features;
    double loss_samples = (num_measured(s) + 1) * m, pass_samples = loss_samples + num_measured(s) * (passes - 1) * m;
    double batch_samples = (double)s->steps * n * (double)s->batch_size;
    double regularizer = c->config.regularizer.type == HSGD_REGULARIZER_NONCONVEX ? 5 : 0;
    return (bench_work){.pass_flops = 4 * pass_samples * d,
                        .batch_flops = 4 * batch_samples * d,
                        .exps = (pass_samples + batch_samples) * d / (double)data->num_features,
                        .logs = loss_samples,
                        .divisions = pass_samples + batch_samples + (regularizer > 0 ? (double)s->steps * n * d : 0),
                        .flops = arithmetic(s, regularizer, s->measure_proof ? regularizer : 0),
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
                               {"exps", offsetof(bench_work, exps)},
                               {"logs", offsetof(bench_work, logs)},
                               {"divisions", offsetof(bench_work, divisions)},
                               {"flops", offsetof(bench_work, flops)},
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
