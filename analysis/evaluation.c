/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loss and accuracy at wbar, on training and test data.
 *
 * The data are cut into pieces of a fixed size, whose sums are added in their order: the result is the same to the bit for
 * any number of threads and processes. */
#include "analysis/engine_private.h"

#include "analysis/threads.h"

/* Enough samples per piece to be worth a thread's while, few enough that the last piece does not keep the others waiting. */
enum { CHUNK_SAMPLES = 512 };

const char *hsgd_metric_name(hsgd_metric metric)
{
    static const char *const name[] = {"train_loss", "train_accuracy", "test_loss", "test_accuracy"};
    return (size_t)metric < HSGD_NUM_METRICS ? name[metric] : "?";
}

bool hsgd_metric_is_accuracy(hsgd_metric metric)
{
    return metric == HSGD_TRAIN_ACCURACY || metric == HSGD_TEST_ACCURACY;
}

static size_t chunks_of(const hsgd_dataset *data)
{
    return data ? (data->num_samples + CHUNK_SAMPLES - 1) / CHUNK_SAMPLES : 0;
}

size_t hsgd_evaluation_chunks(const hsgd_simulation *simulation)
{
    size_t train = chunks_of(simulation->train), test = chunks_of(simulation->test);
    return !simulation->evaluate_every ? 0 : train > test ? train : test;
}

hsgd_status hsgd_evaluation_check(const hsgd_simulation *s, hsgd_error *err)
{
    if (!s->evaluate_every)
        return HSGD_OK;
    if (!s->objective->type->evaluate || !s->train)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "evaluate_every: a %s problem has no labels to predict",
                         s->objective->type->name);
    if (s->test && (s->test->num_features != s->train->num_features || s->test->num_classes > s->train->num_classes))
        return hsgd_fail(
            err, HSGD_ERROR_INPUT,
            "evaluate_every: the test data have %zu features and %zu classes, the training data %zu and %zu",
            s->test->num_features, s->test->num_classes, s->train->num_features, s->train->num_classes);
    if (s->test && s->test->byte && !s->train->byte) /* hsgd_dataset_match makes them alike */
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "evaluate_every: the test data are kept as bytes, the training data are not");
    return HSGD_OK;
}

/* Mean loss and accuracy over one data set. */
static void evaluate(hsgd_engine *engine, const double *point, const hsgd_dataset *data, double *loss, double *accuracy)
{
    const hsgd_objective *objective = engine->simulation->objective;
    const size_t *own = engine->owners.chunk + hsgd_team_rank(engine->team);
    size_t chunks = chunks_of(data), right = 0, end = own[1] < chunks ? own[1] : chunks;
    double sum = 0;
#pragma omp parallel for schedule(dynamic, 1) num_threads(engine->threads)
    for (size_t i = own[0]; i < end; i++) {
        size_t first = i * CHUNK_SAMPLES, left = data->num_samples - first;
        objective->type->evaluate(objective, point, data, first, left < CHUNK_SAMPLES ? left : CHUNK_SAMPLES,
                                  &engine->evaluated[i].loss_sum, &engine->evaluated[i].num_right,
                                  engine->space[hsgd_thread_number()].scratch);
    }
    hsgd_share_evaluated(engine, chunks);
    for (size_t i = 0; i < chunks; i++) {
        sum += engine->evaluated[i].loss_sum;
        right += engine->evaluated[i].num_right;
    }
    *loss = sum / (double)data->num_samples;
    *accuracy = (double)right / (double)data->num_samples;
}

void hsgd_evaluate_row(hsgd_engine *engine, const double *point, size_t trace_row)
{
    const hsgd_simulation *s = engine->simulation;
    bool at_end = trace_row == engine->trace->num_measured;
    if (!s->evaluate_every || (trace_row % s->evaluate_every != 0 && !at_end))
        return;
    double *metric = engine->trace->metric + trace_row * HSGD_NUM_METRICS;
    evaluate(engine, point, s->train, &metric[HSGD_TRAIN_LOSS], &metric[HSGD_TRAIN_ACCURACY]);
    if (s->test)
        evaluate(engine, point, s->test, &metric[HSGD_TEST_LOSS], &metric[HSGD_TEST_ACCURACY]);
}
