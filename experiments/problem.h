/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a configuration to what the engine runs: objective, expanded hierarchy, places, initial point. */
#ifndef HSGD_EXPERIMENTS_PROBLEM_H
#define HSGD_EXPERIMENTS_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/architecture.h"
#include "analysis/dataset.h"
#include "analysis/error.h"
#include "analysis/hierarchy.h"
#include "analysis/objective.h"
#include "analysis/partition.h"
#include "analysis/quadratic.h"
#include "experiments/config.h"
#include "experiments/plugin_load.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_problem {
    hsgd_hierarchy hierarchy; /* one entry per node, with weights */
    hsgd_objective objective; /* its workers stand in the order of their places, except under random grouping */
    double *initial;          /* (dim) w^0 */
    size_t *place;     /* (num_workers) which worker of the partition sits at each place (first seed, if random) */
    size_t *placement; /* (runs, num_workers) places of each run under random grouping; NULL otherwise */
    bool is_quadratic;
    hsgd_quadratic quadratic; /* if is_quadratic */
    bool has_data;            /* a model on data; neither this nor is_quadratic: a plug-in */
    hsgd_dataset data;        /* if has_data: samples sorted by worker */
    hsgd_partition partition; /* if has_data; its order refers to the training data as read */
    hsgd_dataset test;        /* with the features, classes and scaling of data; empty unless has_test */
    bool has_test;
    hsgd_data_summary read;         /* what was read; zero unless has_data */
    hsgd_architecture architecture; /* of a convolutional network */
    hsgd_plugin_library plugin;     /* where the objective comes from; its handle is NULL unless that is a plug-in */
} hsgd_problem;

/* Do the gradients of the workers differ by the same vectors at every point? So it is with one Hessian. */
static inline bool hsgd_problem_has_constant_divergence(const hsgd_problem *problem)
{
    return problem->is_quadratic && !problem->quadratic.worker_curvature;
}

/* Build it; messages start with the configuration's file. Free with hsgd_problem_free, on success only. */
hsgd_status hsgd_problem_build(hsgd_problem *out, const hsgd_config *config, const char *file, hsgd_error *err);
void hsgd_problem_free(hsgd_problem *problem);

#ifdef __cplusplus
}
#endif

#endif
