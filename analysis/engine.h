/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The H-SGD engine: one algorithm for every tree (THEORY 1), measured while it runs (THEORY 2).
 *
 * Local SGD, two-level and M-level H-SGD differ only in the hierarchy. Random numbers are functions of (seed, worker,
 * step) and every sum follows the tree, so the results have the same bits for any number of threads and processes. */
#ifndef HSGD_ANALYSIS_ENGINE_H
#define HSGD_ANALYSIS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/bytes.h"
#include "analysis/dataset.h"
#include "analysis/error.h"
#include "analysis/hierarchy.h"
#include "analysis/objective.h"
#include "analysis/team.h"
#include "analysis/variant.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HSGD_NOT_DIVERGED ((size_t)-1)

typedef struct hsgd_trace hsgd_trace;

/* What is to become of a run at the end of a window. */
typedef enum hsgd_pause {
    HSGD_GO_ON,
    HSGD_SAVE,          /* save the state and go on */
    HSGD_SAVE_AND_STOP, /* save the state; hsgd_simulate then fails with HSGD_STOPPED */
    HSGD_STOP           /* stop without it */
} hsgd_pause;

/* Whoever keeps the state of runs, so that one that was stopped can go on to the same numbers. The seeds of an ensemble call
 * these functions from several threads at once. */
typedef struct hsgd_keeper {
    void *context;
    /* The run with this seed has made `step` < T steps. Asked between windows only, where the root averages, where memory for
     * measurements is full or window_s is over, and once with step 0 before anything else: a run that is stopped then has
     * nothing to save. */
    hsgd_pause (*ask)(void *context, uint64_t seed, size_t step);
    /* Keep the state, where ask said so; the bytes live until it returns. state->failed: there was no memory to pack it. */
    hsgd_status (*save)(void *context, uint64_t seed, size_t step, const hsgd_bytes *state, hsgd_error *err);
    /* Put the state where the run with this seed is to go on; put nothing: it begins at the beginning. NULL: all do so. */
    hsgd_status (*load)(void *context, uint64_t seed, hsgd_bytes *state, hsgd_error *err);
    /* The run is done. hsgd_trace_pack of its trace, with hsgd_state_pack_done, is what load may put next time. The trace of
     * an ensemble stays where it is until the ensemble is freed. NULL: not wanted. */
    void (*done)(void *context, uint64_t seed, const hsgd_trace *trace);
    /* Seconds between two questions, at most, if nothing but a step or a measurement that takes longer is in the way: where
     * rounds are longer, they are cut into windows. That takes memory for the models of all workers, from the first long round
     * on; where the machine has none left, rounds stay whole. The same in all processes of a team; 0: however long rounds are. */
    double window_s;
} hsgd_keeper;

/* A window_s with which a run that is told to stop does so within about a second. */
#define HSGD_PROMPT_WINDOW_S 0.5

typedef struct hsgd_simulation {
    const hsgd_objective *objective; /* borrowed */
    const hsgd_hierarchy *hierarchy; /* expanded, as many workers as the objective; borrowed */
    const double *initial;           /* (dim) w^0, the same for all workers; borrowed */
    const size_t *placement; /* (num_workers) the objective's worker at each place of the tree; NULL: in order */
    double step_size;        /* gamma > 0 */
    size_t steps;            /* T >= 1 */
    size_t batch_size;       /* samples per stochastic gradient; 0: full gradients */
    size_t measure_every;    /* measure at t = 0, m, 2m, ...; >= 1 */
    bool measure_at_nodes;   /* also beta_u^2 at wbar_u, which the proofs use: one more pass over the data per level */
    bool measure_maxima;     /* also the largest single deviations (THEORY 10): stores all n gradients */
    bool measure_proof; /* also what the descent step is made of (THEORY 4.5): grad F_j at every model, which is one
                                more pass over the data per measured step */
    bool measure_smoothness; /* with it, also how fast gradients change: two more vectors per worker */
    bool exact_gradients; /* a stochastic gradient is grad F_j itself (sigma^2 = 0), so measure_proof need not ask for
                                both */
    const hsgd_variant
        *variant; /* borrowed; NULL: plain H-SGD. With one, measure_proof and measure_at_nodes must be off:
                                    they belong to proofs about plain H-SGD */
    size_t
        evaluate_every; /* also the metrics at every so many measured steps, and at T; 0: never. Needs an objective with
                              `evaluate` and train */
    const hsgd_dataset *train; /* all training samples; borrowed */
    const hsgd_dataset *test;  /* samples with the same features and classes; NULL: none; borrowed */
    uint64_t seed;
    int threads;        /* threads that share this run, >= 1 */
    uint64_t shuffle;   /* not 0: parts of the tree are visited in an order drawn from it; no number depends on it; for
                                tests */
    bool eager_threads; /* use them all even where a step is so short that it does not pay; for tests */
    size_t
        cuts; /* not 0: a window takes at most so many steps, how many is drawn; no number depends on it; for tests */
    /* steps_done since the last call; the seeds of an ensemble call it from several threads at once; NULL: not wanted */
    void (*progress)(void *context, size_t steps_done);
    void *progress_context;
    /* Processes that make this run together, all of which call hsgd_simulate with the same simulation, threads and functions
     * aside; borrowed; NULL: this one alone */
    const hsgd_team *team;
    /* borrowed; NULL: nobody keeps the state. In a team every process has one, or none has: each is asked, and the most urgent
     * answer counts for all; the first process alone loads, saves, and says that the run is done. */
    const hsgd_keeper *keeper;
} hsgd_simulation;

/* What users of a classifier look at, at wbar: over all samples of a data set, each with weight 1, the mean loss without
 * regulariser and the share of the labels that are predicted. */
typedef enum hsgd_metric {
    HSGD_TRAIN_LOSS,
    HSGD_TRAIN_ACCURACY,
    HSGD_TEST_LOSS,
    HSGD_TEST_ACCURACY,
    HSGD_NUM_METRICS
} hsgd_metric;

/* "train_loss", ... */
const char *hsgd_metric_name(hsgd_metric metric);

/* An accuracy: larger is better; losses are better small. */
bool hsgd_metric_is_accuracy(hsgd_metric metric);

/* What the descent step (THEORY 4.2a) is made of at one measured step. xi_j = g_j - grad F_j(w_j) is the noise of worker
 * j's gradient, xibar = sum_j p_j xi_j, and Gbar = sum_j p_j grad F_j(w_j). */
typedef struct hsgd_proof_terms {
    double mean_gradient_sq;        /* ||Gbar||^2 */
    double mean_noise_sq;           /* ||xibar||^2 */
    double drift_error_sq;          /* ||grad f(wbar) - Gbar||^2 */
    double gradient_dot_noise;      /* <grad f(wbar), xibar>; 0 in expectation */
    double mean_gradient_dot_noise; /* <Gbar, xibar>; 0 in expectation */
    double noise_sq;                /* sum_j p_j ||xi_j||^2 */
    double independent_noise_sq;    /* sum_j p_j^2 ||xi_j||^2: E||xibar||^2 where the noises are uncorrelated */
} hsgd_proof_terms;

/* The largest ||grad(a) - grad(b)|| / ||a - b|| met by a run, a lower bound on the smoothness constant. Pairs so close
 * that rounding would decide are left out. */
typedef struct hsgd_seen_smoothness {
    double ratio;  /* 0: no pair */
    size_t step;   /* the later of its two steps */
    size_t worker; /* the objective's worker; meaningless for f */
} hsgd_seen_smoothness;

/* What one run (one seed) showed. Rows 0 .. num_measured - 1 are the measured steps t < T; one more row holds step T,
 * for the final loss. All arrays are owned. */
struct hsgd_trace {
    size_t num_measured, num_levels, num_nodes, num_workers, dim;
    size_t *step;                 /* (num_measured + 1) t */
    double *loss;                 /* (num_measured + 1) f(wbar^t) */
    double *grad_norm_sq;         /* (num_measured + 1) ||grad f(wbar^t)||^2 */
    double *divergence;           /* (num_measured + 1, num_levels) D_k(wbar^t) */
    double *divergence_at_nodes;  /* (num_measured, num_levels) D_k with every beta_u^2 taken at wbar_u^t; where the
                                     canonical tree merges u into an ancestor also at the ancestor's average, the
                                     larger of the two; NULL: not measured */
    double *dispersion;           /* (num_measured, num_levels) B_k^t */
    double *node_divergence_mean; /* (num_nodes) mean over measured steps of beta_u^2(wbar^t) */
    double *node_divergence_max;  /* (num_nodes) its maximum */
    double *node_divergence_at_node_max; /* (num_nodes) maximum of beta_u^2 at these points; NULL: not measured */
    double *node_dispersion_mean;        /* (num_nodes) mean over measured steps of the dispersion of u's children */
    double *node_deviation_max_sq;   /* (num_nodes) max over t and children v of ||grad f_v - grad f_u||^2 at wbar^t;
                                        NULL: not measured */
    double worker_deviation_max_sq;  /* max over t and j of ||grad F_j - grad f||^2 at wbar^t; NAN: not measured */
    double gradient_identity_error;  /* largest relative error of Up_k + Down_k = E over all measured steps */
    double parameter_identity_error; /* the same for sum_k B_k = mean ||w_j - wbar||^2 */
    double *final_point;             /* (dim) wbar^T */
    hsgd_proof_terms *proof;         /* (num_measured) NULL: not measured */
    double *worker_noise_sq;         /* (num_workers) mean over measured steps of ||xi_j||^2, by the objective's worker;
                                        NULL: not measured */
    hsgd_seen_smoothness
        smoothness; /* of the F_j, between a worker's successive measured models, and between its model and
                                        the averages wbar_u above it where gradients were measured */
    hsgd_seen_smoothness path_smoothness; /* of f, between successive measured wbar */
    size_t diverged_at; /* first measured step with a non-finite loss or gradient, from which on every row is
                           INFINITY; HSGD_NOT_DIVERGED otherwise. An outcome, not an error. */
    double *metric;     /* (num_measured + 1, HSGD_NUM_METRICS) NAN: not evaluated there, or diverged; NULL: nowhere */
};

/* Run H-SGD once. All processes of a team get the same trace, or the same failure. On failure nothing needs freeing.
 * HSGD_STOPPED: the keeper asked for it. */
hsgd_status hsgd_simulate(hsgd_trace *out, const hsgd_simulation *simulation, hsgd_error *err);

/* Rough number of bytes that one run needs beside the problem itself, in this process. */
double hsgd_simulation_bytes(const hsgd_simulation *simulation);

/* The part of it that stays after the run, in the trace. */
double hsgd_trace_bytes(const hsgd_simulation *simulation);

void hsgd_trace_free(hsgd_trace *trace);

#ifdef __cplusplus
}
#endif

#endif
