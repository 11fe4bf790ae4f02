/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The main job: simulate, measure, evaluate every bound next to the measurement, and judge.
 *
 * Three runs at most are made: the configured H-SGD, and the local SGDs with periods I and G between which the theory
 * puts it. All share seeds, so they draw the same noise. */
#ifndef HSGD_EXPERIMENTS_EXPERIMENT_H
#define HSGD_EXPERIMENTS_EXPERIMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/constants.h"
#include "analysis/ensemble.h"
#include "analysis/error.h"
#include "analysis/minimum.h"
#include "analysis/stop.h"
#include "bounds/bound.h"
#include "bounds/sandwich.h"
#include "bounds/verdict.h"
#include "experiments/config.h"
#include "experiments/audit.h"
#include "experiments/costs.h"
#include "experiments/grouping_check.h"
#include "experiments/interval.h"
#include "experiments/ladder.h"
#include "experiments/problem.h"
#include "experiments/targets.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_run_index { HSGD_RUN_MAIN, HSGD_RUN_INNER, HSGD_RUN_OUTER, HSGD_NUM_RUNS } hsgd_run_index;

typedef struct hsgd_run {
    bool made;
    hsgd_hierarchy hierarchy; /* expanded, owned; that of the problem for the main run is copied */
    size_t num_seeds;         /* 1 where nothing is random */
    size_t period;            /* of its global aggregations, in the canonical tree: rounds are t = 0, P, 2P, ... */
    hsgd_summary summary;
    hsgd_interval S, S_round, S_min;
    hsgd_run_costs costs;  /* where there is a communication model */
    hsgd_reached *reached; /* (config->num_targets) owned; NULL: there are none */
} hsgd_run;

/* One bound next to what it bounds. */
typedef struct hsgd_comparison {
    const hsgd_bound *bound;
    hsgd_bound_value value;
    hsgd_constant_kind kind; /* the weakest constant that the value rests on */
    double certified_value;  /* the bound with proved constants only; NAN: not known, or value has them already */
    hsgd_interval measured;  /* estimate.count 0: not measured */
    double ratio;            /* measured mean / bound: 1 is tight; NAN where one of them is missing */
    hsgd_verdict verdict;
    char reason[HSGD_REASON_SIZE]; /* why the verdict is not "holds"; "" otherwise */
} hsgd_comparison;

/* The recursive bound 4.4 against the measured dispersion of one level, at every measured step. */
typedef struct hsgd_dispersion_check {
    double max_ratio; /* largest measured mean / bound */
    size_t max_ratio_step;
    hsgd_verdict verdict;
    char reason[HSGD_REASON_SIZE]; /* why the verdict is neither "holds" nor "violated"; "" otherwise */
} hsgd_dispersion_check;

typedef struct hsgd_experiment {
    const hsgd_config *config;   /* borrowed */
    const hsgd_problem *problem; /* borrowed */
    const char *variant; /* what the run differs from plain H-SGD in, as the subject of a sentence; NULL: nothing */
    bool deterministic;  /* no noise and fixed places: one seed says all */
    bool every_check;    /* hsgd verify: also what takes work beside the runs */
    double step_size;    /* gamma, resolved */
    size_t local_period, global_period; /* I and G of the canonical tree */
    hsgd_constants constants;           /* L, sigma^2, f* */
    hsgd_constant known_minimum;        /* f* as known beforehand, whatever constants.minimum was replaced by */
    hsgd_constant delta;                /* f(w^0) - f* */
    hsgd_constant global_divergence_sq; /* eps~^2: largest over the runs */
    hsgd_constant_kind divergence_kind;
    bool
        expected_divergence; /* the divergences are largest expectations over the steps, which single runs may exceed */
    double *level_divergence_sq; /* (num_levels) D_k, owned */
    double *node_divergence_sq;  /* (num_nodes) beta_u^2 of the expanded tree, owned */
    double
        *node_deviation_max_sq; /* (num_nodes) largest deviation of a child from its node; NULL: not measured. Owned */
    double worker_deviation_max_sq; /* largest deviation of a worker from the whole; NAN: not measured */
    /* proved bounds on the divergences for every w, whether the verdicts rest on them or not */
    double *certified_level_sq; /* (num_levels) NULL: none known. Owned */
    double *certified_node_sq;  /* (num_nodes) NULL: none known. Owned */
    double certified_global_sq; /* NAN: none known */
    bool has_solved;
    hsgd_minimum solved; /* what minimising f found, if has_solved */
    hsgd_constant
        solved_minimum;  /* the lower bound of f that follows: everywhere (certified), or in a ball around it that
                                     holds the end of every run (trajectory) */
    double end_distance; /* radius of that ball: largest ||wbar^T - w^|| */
    hsgd_run run[HSGD_NUM_RUNS];
    double *final_point;         /* (dim) wbar^T of the first run of H-SGD, owned */
    hsgd_comparison *comparison; /* (num_comparisons), the selected bounds in the order of their list, owned */
    size_t num_comparisons;
    double *dispersion_bound; /* (num_rows, num_levels) 4.4 at the measured steps, NAN where it does not apply; owned */
    hsgd_dispersion_check *dispersion; /* (num_levels), owned */
    hsgd_ladder ladder;
    hsgd_audit audit;
    hsgd_grouping_check grouping; /* made for every_check only */
    bool has_sandwich;            /* equal weights */
    hsgd_sandwich sandwich;
    hsgd_verdict gradient_identity, parameter_identity;
    hsgd_verdict overall;                     /* on what was asked for: the bounds, and any check that is violated */
    hsgd_verdict worst;                       /* of all checks, inconclusive ones too */
    const struct hsgd_provenance *provenance; /* what result.json says about it; NULL: nothing. Borrowed */
} hsgd_experiment;

/* Identities of THEORY 2 hold up to this relative rounding error. */
#define HSGD_IDENTITY_TOLERANCE 1e-10

typedef struct hsgd_experiment_options {
    int threads;
    bool every_check;                                 /* as hsgd verify does */
    void (*progress)(void *context, double fraction); /* may be called from any thread; NULL: not wanted */
    void *progress_context;
    struct hsgd_checkpoint *checkpoint; /* keeps what is simulated, and has what was; NULL: nobody does. Borrowed */
    const hsgd_stop *stop;              /* asked now and then; NULL: nobody asks. Borrowed */
    /* Processes that simulate together: the first one calls hsgd_experiment_run, the others hsgd_experiment_serve; NULL: this
     * one alone. Borrowed */
    const hsgd_team *team;
    const struct hsgd_provenance
        *provenance; /* for result.json; NULL: none. Borrowed as long as the experiment lives */
} hsgd_experiment_options;

/* Processes of the team that have nothing to do in the runs of H-SGD: there are no more seeds, and no more groups of workers
 * that pay. */
size_t hsgd_experiment_idle(const hsgd_config *config, const hsgd_problem *problem, const hsgd_team *team);

/* What a run will need, from its sizes and from a short trial of each of its parts. */
typedef struct hsgd_prediction {
    double time_s;       /* of the simulations; f* by a solver and the certified divergences come on top */
    double memory_bytes; /* largest, data included */
    double trial_time_s; /* what the trials took */
    size_t num_runs;     /* simulations: 1, or 3 with the local SGDs beside H-SGD */
    size_t num_seeds;    /* runs of each */
    double
        worst_case_s; /* a rule of thumb for the worst case, on top of time_s; 0: none is asked for, or it is refused */
} hsgd_prediction;

/* Fails as hsgd_experiment_run would where the memory cannot fit. */
hsgd_status hsgd_experiment_predict(hsgd_prediction *out, const hsgd_config *config, const hsgd_problem *problem,
                                    const hsgd_experiment_options *options, hsgd_error *err);

/* The same without trials: times are 0. */
hsgd_status hsgd_experiment_predict_memory(hsgd_prediction *out, const hsgd_config *config, const hsgd_problem *problem,
                                           const hsgd_experiment_options *options, hsgd_error *err);

/* Run everything. HSGD_STOPPED: options->stop asked for it; the message says how far the runs are. config and problem are borrowed and must outlive the result; free it with hsgd_experiment_free. */
hsgd_status hsgd_experiment_run(hsgd_experiment *out, const hsgd_config *config, const hsgd_problem *problem,
                                const hsgd_experiment_options *options, hsgd_error *err);

/* Take part in the simulations of another process's hsgd_experiment_run, with the same configuration and problem. Both fail
 * alike up to the last simulation. */
hsgd_status hsgd_experiment_serve(const hsgd_config *config, const hsgd_problem *problem,
                                  const hsgd_experiment_options *options, hsgd_error *err);

/* f* is more than -INFINITY, or is that by definition. */
bool hsgd_experiment_knows_minimum(const hsgd_experiment *experiment);

/* L, sigma^2 or f* is an estimate. */
bool hsgd_experiment_rests_on_estimates(const hsgd_experiment *experiment);

void hsgd_experiment_free(hsgd_experiment *experiment);

#ifdef __cplusplus
}
#endif

#endif
