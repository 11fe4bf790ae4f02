/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files behind experiment.h share: runs and constants (experiment.c), verdicts (judge*.c). */
#ifndef HSGD_EXPERIMENTS_EXPERIMENT_PRIVATE_H
#define HSGD_EXPERIMENTS_EXPERIMENT_PRIVATE_H

#include "experiments/experiment.h"
#include "plots/figure.h"

/* experiment.c: periods, constants and step size, which have to be known before anything runs. */
hsgd_status hsgd_experiment_prepare(hsgd_experiment *experiment, hsgd_error *err);

/* experiment.c: how many simulations are made, from HSGD_RUN_MAIN on; the tree of one, and what is simulated on it. */
int hsgd_experiment_count_runs(const hsgd_experiment *experiment);
hsgd_status hsgd_experiment_make_hierarchy(hsgd_experiment *experiment, hsgd_run_index index, hsgd_error *err);
hsgd_simulation hsgd_experiment_describe(const hsgd_experiment *experiment, hsgd_run_index index);

/* divergences.c: are the largest single deviations to be measured? Only if a selected bound needs them and all gradients
 * of one point fit. */
bool hsgd_experiment_measures_maxima(const hsgd_experiment *experiment);

/* divergences.c: fills in the divergences and deviations, once the runs are made. */
hsgd_status hsgd_experiment_find_divergences(hsgd_experiment *experiment, hsgd_error *err);

/* judge.c: the tree that bounds are evaluated on, level by level where all nodes of a level are alike, and beta_u^2 for
 * its entries. */
const hsgd_hierarchy *hsgd_experiment_bound_tree(const hsgd_experiment *experiment);
const double *hsgd_experiment_divergence_sq(const hsgd_experiment *experiment);
/* Largest deviations for the entries of that tree, to be freed; NULL if they were not measured or memory is out. */
double *hsgd_experiment_deviation_max_sq(const hsgd_experiment *experiment);

/* Why an interval that starts at `low` does not decide: there is none, or `contains` says what it contains. */
void hsgd_experiment_say_undecided(char reason[HSGD_REASON_SIZE], const hsgd_experiment *e, double low,
                                   const char *contains);

/* judge.c: constants that hold only at the measured steps prove no violation when steps in between were not measured. */
bool hsgd_experiment_may_convict(const hsgd_experiment *experiment);

/* judge.c: a constant of a kind that may be too small convicts nothing; such a verdict becomes inconclusive. */
bool hsgd_experiment_is_unfounded(hsgd_verdict verdict, hsgd_constant_kind kind);

/* judge.c: the selected bounds without any measurement, for callers that know constants, divergences and Delta: fills in
 * value and kind of experiment->comparison. */
hsgd_status hsgd_experiment_evaluate_bounds(hsgd_experiment *experiment, hsgd_error *err);

/* judge_dispersion.c: 4.4 at every measured step, and its verdicts. */
hsgd_status hsgd_experiment_judge_dispersion(hsgd_experiment *experiment, hsgd_error *err);

/* judge_audit.c: is it to be measured how fast gradients change? Where L is exact, only if that costs little. */
bool hsgd_experiment_measures_smoothness(const hsgd_experiment *experiment);

/* judge_ladder.c: the rungs and their verdicts. */
hsgd_status hsgd_experiment_judge_ladder(hsgd_experiment *experiment, const hsgd_bound_params *params, hsgd_error *err);

/* judge_audit.c: every assumption, how it is satisfied and what the run showed of it. */
hsgd_status hsgd_experiment_judge_audit(hsgd_experiment *experiment, const hsgd_bound_params *params, hsgd_error *err);

/* follow_metrics.c: are test data and labels there where the configuration asks for them? */
hsgd_status hsgd_experiment_check_metrics(const hsgd_experiment *experiment, hsgd_error *err);

/* follow_metrics.c: seconds and bytes of a run, and when its seeds reached the targets; nothing where neither is asked for. */
hsgd_status hsgd_experiment_follow_metrics(hsgd_experiment *experiment, hsgd_run_index index,
                                           const hsgd_ensemble *ensemble, const hsgd_experiment_options *options,
                                           hsgd_error *err);
void hsgd_experiment_free_metrics(hsgd_experiment *experiment);

/* grouping_check.c: what the runs of different groupings say about THEORY 5; nothing under fixed places. */
hsgd_status hsgd_experiment_follow_grouping(hsgd_experiment *experiment, const hsgd_ensemble *ensemble,
                                            hsgd_error *err);

/* grouping_check.c: the lemma of THEORY 5 at fixed points, for every_check. */
hsgd_status hsgd_experiment_check_grouping(hsgd_experiment *experiment, hsgd_error *err);

/* judge.c: bounds, intervals and verdicts, once runs and constants are there. */
hsgd_status hsgd_experiment_judge(hsgd_experiment *experiment, hsgd_error *err);

#endif
