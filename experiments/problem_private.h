/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of hsgd_problem_build that live in files of their own. */
#ifndef HSGD_EXPERIMENTS_PROBLEM_PRIVATE_H
#define HSGD_EXPERIMENTS_PROBLEM_PRIVATE_H

#include "experiments/problem.h"

/* problem_cnn.c: HSGD_ERROR_ENVIRONMENT where the configuration wants a convolutional network and this build has none. */
hsgd_status hsgd_problem_check_cnn(const hsgd_config *config, hsgd_error *err);

/* problem_cnn.c: architecture, initial point and objective; data, partition and hierarchy are there. */
hsgd_status hsgd_problem_make_cnn(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err);

/* problem_plugin.c: the shared object and its objective, whose workers are in order; the hierarchy is there. */
hsgd_status hsgd_problem_make_plugin(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err);

/* problem_plugin.c: the initial point where the plug-in chooses it, and the check of its gradients from there. */
hsgd_status hsgd_problem_start_plugin(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err);

/* problem.c: data or quadratic, partition, hierarchy and weights are there. */
hsgd_status hsgd_problem_make_objective(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err);

/* problem_share.c: of a built problem on data that is not a convolutional network, keep what this worker needs: its own
 * samples, and one of every other worker, so that workers keep their numbers. After it the objective may be asked for this worker
 * only, and gives the same numbers as before; partition and test data are those of the whole no more. Other problems stay as
 * they are. On failure the problem can only be freed. */
hsgd_status hsgd_problem_keep_share(hsgd_problem *problem, const hsgd_config *config, size_t worker, hsgd_error *err);

#endif
