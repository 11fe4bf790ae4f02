/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One worker's share of a problem on data, for a process that is this worker. */
#include <stdlib.h>
#include <string.h>

#include "experiments/problem_private.h"

/* order (num_samples): first what stays, worker by worker, then the rest; start (num_workers + 1) becomes that of what stays. */
static void find_order(size_t *order, size_t *start, size_t num_workers, size_t own)
{
    size_t kept = 0, at = 0, first = start[0];
    for (size_t j = 0; j < num_workers; j++)
        kept += j == own ? start[j + 1] - start[j] : 1;
    size_t rest = kept;
    for (size_t j = 0; j < num_workers; j++) {
        size_t end = start[j + 1];
        start[j] = at;
        order[at++] = first;
        for (size_t s = first + 1; s < end; s++)
            order[j == own ? at++ : rest++] = s;
        first = end;
    }
    start[num_workers] = kept;
}

/* Give memory back; where that fails the old one stays. */
static void shrink(void **memory, size_t bytes)
{
    void *smaller = *memory && bytes ? realloc(*memory, bytes) : NULL;
    *memory = smaller ? smaller : *memory;
}

static void keep_first(hsgd_dataset *data, size_t samples)
{
    size_t cells = samples * data->num_features;
    data->num_samples = samples;
    shrink((void **)&data->label, samples * sizeof *data->label);
    shrink((void **)&data->dense, cells * sizeof *data->dense);
    shrink((void **)&data->byte, cells);
    if (!data->row_start)
        return;
    shrink((void **)&data->column, data->row_start[samples] * sizeof *data->column);
    shrink((void **)&data->value, data->row_start[samples] * sizeof *data->value);
    shrink((void **)&data->row_start, (samples + 1) * sizeof *data->row_start);
}

hsgd_status hsgd_problem_keep_share(hsgd_problem *problem, const hsgd_config *config, size_t worker, hsgd_error *err)
{
    bool can = config->problem == HSGD_PROBLEM_LOGISTIC || config->problem == HSGD_PROBLEM_SOFTMAX ||
               config->problem == HSGD_PROBLEM_MLP;
    if (!can)
        return HSGD_OK;
    hsgd_partition *partition = &problem->partition;
    size_t *order = malloc(problem->data.num_samples * sizeof *order);
    if (!order)
        return hsgd_fail_memory(err, "a worker's share of the data");
    hsgd_objective_free(&problem->objective); /* it may hold a copy of the data */
    memset(&problem->objective, 0, sizeof problem->objective);
    hsgd_dataset_free(&problem->test);
    problem->has_test = false;
    find_order(order, partition->start, partition->num_workers, worker);
    hsgd_status status = hsgd_dataset_reorder(&problem->data, order, err);
    free(order);
    if (status)
        return status;
    keep_first(&problem->data, partition->start[partition->num_workers]);
    return hsgd_problem_make_objective(problem, config, err);
}
