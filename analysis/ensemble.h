/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Independent seeds of one simulation, and what they say together. */
#ifndef HSGD_ANALYSIS_ENSEMBLE_H
#define HSGD_ANALYSIS_ENSEMBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/engine.h"
#include "analysis/error.h"
#include "analysis/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_ensemble {
    size_t num_seeds;
    hsgd_trace *trace; /* (num_seeds), owned */
    /* Consecutive runs that share something random besides their seed, such as a grouping: only their mean is an
     * independent value. Divides num_seeds; 0 is 1, which hsgd_ensemble_run sets. */
    size_t runs_per_value;
} hsgd_ensemble;

/* Run the simulation with the seeds first_seed, first_seed + 1, ... `threads` threads are spread over the seeds first and
 * over subtrees second. placement (num_seeds, num_workers) gives each seed its own placement; NULL: that of the
 * simulation. seed and threads of the simulation are ignored. Refuses runs that exceed the machine's memory.
 *
 * A team of the simulation shares the seeds: all its processes call this alike, each with the threads that it has itself;
 * then the first one has all traces, the others any. */
hsgd_status hsgd_ensemble_run(hsgd_ensemble *out, const hsgd_simulation *simulation, size_t num_seeds,
                              uint64_t first_seed, const size_t *placement, int threads, hsgd_error *err);
void hsgd_ensemble_free(hsgd_ensemble *ensemble);

/* Of so many seeds, those that this process of the team takes part in. */
size_t hsgd_ensemble_share(const hsgd_team *team, size_t num_seeds);

/* Processes of the simulation's team that have nothing to do in an ensemble of so many seeds, because its tree gives fewer units
 * than there are processes for a seed. Of the simulation are needed: objective, hierarchy, steps, variant, and what is measured
 * how often. */
size_t hsgd_ensemble_idle(const hsgd_simulation *simulation, size_t num_seeds);

/* Rough number of bytes that such a run needs at its peak, beside the problem itself. */
double hsgd_ensemble_bytes(const hsgd_simulation *simulation, size_t num_seeds, int threads);

/* One run's means over its measured steps t < T; INFINITY for a run that diverged. */
typedef struct hsgd_path {
    double S;               /* of ||grad f(wbar^t)||^2 */
    double dispersion;      /* of V^t */
    double initial_loss;    /* f(w^0) */
    double final_loss;      /* f(wbar^T) */
    double lowest_loss;     /* the smallest f(wbar^t), t = T included */
    hsgd_proof_terms proof; /* NAN: not measured */
} hsgd_path;

/* Where a supremum was attained. */
typedef struct hsgd_attained {
    size_t step;
    size_t run; /* index of the seed */
} hsgd_attained;

/* Means over seeds. Arrays are owned; rows are the measured steps t < T. */
typedef struct hsgd_summary {
    size_t num_rows, num_levels, num_nodes, num_workers;
    size_t num_seeds;                   /* runs */
    size_t runs_per_value;              /* see hsgd_ensemble */
    hsgd_path *path;                    /* (num_seeds) */
    size_t *step;                       /* (num_rows) */
    hsgd_estimate *loss;                /* (num_rows) E f(wbar^t) */
    hsgd_estimate *grad_norm_sq;        /* (num_rows) E||grad f(wbar^t)||^2 */
    hsgd_estimate *S_until;             /* (num_rows) S of the first t steps: the mean over the measured steps before
                                           this one; count 0 at the first row */
    hsgd_estimate *divergence;          /* (num_rows, num_levels) E D_k(wbar^t) */
    hsgd_estimate *divergence_at_nodes; /* (num_rows, num_levels) NULL: not measured */
    hsgd_estimate *dispersion;          /* (num_rows, num_levels) E B_k^t */
    /* single runs of the same: whatever runs_per_value is */
    hsgd_scatter *loss_scatter, *grad_norm_sq_scatter, *S_until_scatter; /* (num_rows) */
    hsgd_scatter *dispersion_scatter;                                    /* (num_rows, num_levels) */
    hsgd_proof_terms *proof;  /* (num_rows) means over seeds; NULL: not measured */
    hsgd_estimate S;          /* mean of ||grad f(wbar^t)||^2 over the measured steps */
    hsgd_scatter S_scatter;   /* of the S of single runs */
    hsgd_estimate S_round;    /* the same over t = 0, G, .., (R - 1) G, R = floor(T/G); count 0 for R = 0 */
    size_t num_rounds;        /* rounds among the measured steps */
    size_t round_row_min;     /* row of the round with the smallest mean (S_min); meaningful if num_rounds > 0 */
    hsgd_estimate S_min;      /* the estimate at that row; count 0 for no round */
    hsgd_estimate final_loss; /* E f(wbar^T) */
    /* suprema over seeds and measured steps, the "trajectory" constants */
    double global_divergence_sup_sq; /* of E(wbar^t) */
    double *level_divergence_sup_sq; /* (num_levels) of D_k, at wbar_u where that was measured */
    hsgd_attained global_divergence_at;
    hsgd_attained *level_divergence_at; /* (num_levels) */
    double *node_divergence_sup_sq;     /* (num_nodes) of beta_u^2, at wbar_u where that was measured */
    double *node_deviation_sup_sq;      /* (num_nodes) NULL: not measured */
    double worker_deviation_sup_sq;     /* NAN: not measured */
    double *node_divergence_mean;       /* (num_nodes) mean over steps and seeds of beta_u^2(wbar^t) */
    double *node_dispersion_mean;       /* (num_nodes) */
    double gradient_identity_error, parameter_identity_error; /* largest over seeds; NAN: one diverged at w^0 */
    hsgd_estimate *worker_noise_sq;       /* (num_workers) mean over steps of E||xi_j||^2; NULL: not measured */
    hsgd_seen_smoothness smoothness;      /* largest over seeds; ratio 0: not measured */
    size_t smoothness_run;                /* the seed's index */
    hsgd_seen_smoothness path_smoothness; /* largest over seeds */
    hsgd_estimate *metric; /* (num_rows + 1, HSGD_NUM_METRICS) step T last; NAN: not evaluated there; NULL: nowhere */
    hsgd_scatter *metric_scatter;                /* (num_rows + 1, HSGD_NUM_METRICS) as metric */
    hsgd_estimate metric_best[HSGD_NUM_METRICS]; /* of each run's best value; count 0: never evaluated */
    size_t num_diverged;                         /* seeds that diverged */
    size_t diverged_at;                          /* the earliest such step */
} hsgd_summary;

/* global_period is G; deterministic says that nothing was random, so that one seed needs no interval. */
hsgd_status hsgd_summarize(hsgd_summary *out, const hsgd_ensemble *ensemble, size_t steps, size_t global_period,
                           bool deterministic, hsgd_error *err);

/* The part of it about the metrics, if they were evaluated. */
hsgd_status hsgd_summarize_metrics(hsgd_summary *summary, const hsgd_ensemble *ensemble, bool deterministic,
                                   hsgd_error *err);
void hsgd_summary_free(hsgd_summary *summary);

#ifdef __cplusplus
}
#endif

#endif
