/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole library. Installed as <hsgd.h>; the headers below are meant to be read in this order.
 *
 * The library itself never ends the process, but GSL's default error handler does: a program that wants failures inside
 * GSL as an hsgd_status calls gsl_set_error_handler_off() first. */
#ifndef HSGD_H
#define HSGD_H

#include "analysis/error.h"
#include "analysis/hierarchy.h"
#include "analysis/random.h"
#include "analysis/constants.h"
#include "analysis/objective.h"
#include "analysis/quadratic.h"
#include "analysis/dataset.h"
#include "analysis/partition.h"
#include "analysis/grouping.h"
#include "analysis/regularizer.h"
#include "analysis/linear_model.h"
#include "analysis/smoothness.h"
#include "analysis/moments.h"
#include "analysis/clock.h"
#include "analysis/threads.h"
#include "analysis/memory.h"
#include "analysis/engine.h"
#include "analysis/statistics.h"
#include "analysis/grouping_moments.h"
#include "analysis/ensemble.h"
#include "analysis/communication.h"
#include "analysis/exact_moments.h"
#include "analysis/minimum.h"
#include "bounds/bound.h"
#include "bounds/ladder.h"
#include "bounds/sandwich.h"
#include "bounds/verdict.h"
#include "plots/figure.h"
#include "plots/output.h"
#include "experiments/config.h"
#include "experiments/costs.h"
#include "experiments/targets.h"
#include "experiments/problem.h"
#include "experiments/interval.h"
#include "experiments/ladder.h"
#include "experiments/experiment.h"
#include "experiments/result.h"
#include "experiments/folder.h"
#include "experiments/params.h"
#include "experiments/cli.h"

#endif
