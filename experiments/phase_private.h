/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The true sandwich over a grid of configurations (key "phase"; README, Phase diagrams): does H-SGD itself, and not only its
 * bound, lie between local SGD with period I and local SGD with period G? */
#ifndef HSGD_EXPERIMENTS_PHASE_PRIVATE_H
#define HSGD_EXPERIMENTS_PHASE_PRIVATE_H

#include <stdbool.h>
#include <stdio.h>

#include "analysis/between.h"
#include "analysis/statistics.h"
#include "experiments/checkpoint.h"
#include "bounds/pep.h"
#include "experiments/experiment_private.h"
#include "experiments/folder.h"
#include "experiments/json_private.h"
#include "experiments/sweep.h"

enum { HSGD_MAX_PHASE_POINTS = 100000 };

/* What is compared, each a mean over the steps t < T that are measured, or the largest such mean over all problems. */
typedef enum hsgd_phase_quantity {
    HSGD_PHASE_S,                 /* E||grad f(wbar^t)||^2 */
    HSGD_PHASE_DISPERSION,        /* E V^t = sum_k E B_k^t */
    HSGD_PHASE_LOSS,              /* E f(wbar^t) */
    HSGD_PHASE_WORST_CASE,        /* of S; local SGD has one level with the divergence D_1 + ... + D_M */
    HSGD_PHASE_WORST_CASE_LEVELS, /* of S; local SGD has the same problems as H-SGD, with every D_k bounded */
    HSGD_NUM_PHASE_QUANTITIES
} hsgd_phase_quantity;

/* "S", "dispersion", "loss", "worst-case", "worst-case-levels"; NULL beyond them. */
const char *hsgd_phase_quantity_name(size_t quantity);

typedef enum hsgd_phase_method {
    HSGD_PHASE_AUTO,       /* exact where the moments are known */
    HSGD_PHASE_EXACT,      /* refuse points whose moments are not known */
    HSGD_PHASE_MONTE_CARLO /* paired runs everywhere */
} hsgd_phase_method;

/* The section but for its axes. */
typedef struct hsgd_phase_settings {
    hsgd_phase_quantity quantity;
    hsgd_phase_method method;
    bool skip_illegal;  /* points that are no legal configuration are left blank */
    bool expect_holds;  /* a broken order is a violated check, not a finding */
    double budget_s;    /* nothing is started that is predicted to take longer */
    size_t max_visited; /* groupings that are all visited under random grouping; of more, as many are drawn as there are
                           seeds */
} hsgd_phase_settings;

/* The three algorithms in the order of their periods. */
enum { HSGD_PHASE_INNER, HSGD_PHASE_MIDDLE, HSGD_PHASE_OUTER, HSGD_NUM_PHASE_RUNS };

/* One point of the grid. */
typedef struct hsgd_phase_point {
    hsgd_between verdict;
    const char *theory; /* why all three are equal whatever the numbers say; NULL: nothing says so. Static */
    bool exact;         /* differences are known up to rounding */
    bool unsolved;      /* a worst case has no certificate */
    double value[HSGD_NUM_PHASE_RUNS]; /* NAN: illegal */
    hsgd_estimate lower, upper;        /* middle - inner, outer - middle */
    double rounding[2];                /* bounds on the errors of these two from rounding */
    hsgd_difference lower_interval, upper_interval;
    double ratio;     /* (middle - inner)/(outer - inner), 0 to 1 where it holds; NAN where inner and outer agree */
    double violation; /* how far middle lies outside, relative to the largest of the three sizes; 0: inside */
    size_t workers, steps, local_period, global_period;
    size_t values;    /* independent values behind the differences; 0: nothing is drawn */
    double groupings; /* that were visited, all of them; 0: places are given or drawn */
    double step_size;
} hsgd_phase_point;

typedef struct hsgd_phase {
    hsgd_phase_settings settings;
    hsgd_sweep grid;         /* owned */
    hsgd_phase_point *point; /* (grid.num_points) owned */
    const char *file;        /* of the configuration, for messages; borrowed */
    size_t comparisons;      /* differences that were drawn: what Bonferroni's correction is for */
} hsgd_phase;

/* ---- config_phase.c ---- */

/* Read a configuration with the key "phase". seeds: instead of the configuration's; 0: as there. Free with
 * hsgd_phase_free. */
hsgd_status hsgd_phase_read(hsgd_phase *out, const char *path, size_t seeds, hsgd_error *err);
hsgd_status hsgd_phase_parse(hsgd_phase *out, const char *text, size_t length, const char *file, size_t seeds,
                             hsgd_error *err);
void hsgd_phase_free(hsgd_phase *phase);

/* ---- phase_point.c, phase_exact.c, phase_runs.c: the numbers of one point ---- */

/* What a point is worked out from. */
typedef struct hsgd_phase_work {
    const hsgd_phase_settings *settings;
    const char *file; /* for messages; borrowed */
    hsgd_config config;
    hsgd_problem problem;
    hsgd_experiment experiment; /* prepared; its runs have no trees yet */
    bool exact;                 /* by exact moments */
    int threads;
    const hsgd_stop *stop; /* NULL: nobody asks to stop */
} hsgd_phase_work;

/* steps > 0: the first steps only and one seed, for a trial. */
hsgd_status hsgd_phase_begin(hsgd_phase_work *out, const hsgd_phase *phase, size_t index, size_t steps,
                             hsgd_error *err);
void hsgd_phase_end(hsgd_phase_work *work);

/* Fill in the point but for its verdict, which needs to know all points. */
hsgd_status hsgd_phase_find(hsgd_phase_point *out, hsgd_phase_work *work, hsgd_error *err);

/* The parts of it. */
bool hsgd_phase_moments_known(const hsgd_config *config);
hsgd_status hsgd_phase_find_exact(hsgd_phase_point *out, hsgd_phase_work *work, hsgd_error *err);
hsgd_status hsgd_phase_find_runs(hsgd_phase_point *out, hsgd_phase_work *work, hsgd_error *err);

/* phase_worst_case.c: by performance estimation. The question for local SGD; levels: with the problems of H-SGD. */
bool hsgd_phase_is_worst_case(hsgd_phase_quantity quantity);
hsgd_pep_problem hsgd_phase_local_problem(const hsgd_pep_problem *hsgd, size_t period, bool levels);
hsgd_status hsgd_phase_find_worst_case(hsgd_phase_point *out, hsgd_phase_work *work, hsgd_error *err);
double hsgd_phase_worst_case_seconds(const hsgd_config *config); /* a rule of thumb for a point */

/* Why theory makes all three equal; NULL: it does not. */
const char *hsgd_phase_theory(const hsgd_phase_work *work);

/* A point that was found, as bytes, and again. HSGD_ERROR_INPUT: they are none. */
void hsgd_phase_pack(hsgd_bytes *out, const hsgd_phase_point *point);
hsgd_status hsgd_phase_unpack(hsgd_phase_point *out, const hsgd_bytes *bytes, hsgd_error *err);

/* ---- phase.c: all points ---- */

/* What all of it will take, from short trials of some points. */
typedef struct hsgd_phase_prediction {
    double time_s, trial_time_s;
    size_t points; /* legal ones */
    bool exact;    /* no point is drawn */
} hsgd_phase_prediction;

/* stop: who may ask to stop meanwhile (HSGD_STOPPED); NULL: nobody. */
hsgd_status hsgd_phase_predict(hsgd_phase_prediction *out, const hsgd_phase *phase, int threads, const hsgd_stop *stop,
                               hsgd_error *err);

/* Work out every point and judge it. progress may be NULL. */
hsgd_status hsgd_phase_run(hsgd_phase *phase, int threads, void (*progress)(void *context, double fraction),
                           void *progress_context, hsgd_error *err);

/* The same with a checkpoint that keeps the points that are done and has those that were, and with somebody who may ask to stop
 * (HSGD_STOPPED); both may be NULL. */
hsgd_status hsgd_phase_run_kept(hsgd_phase *phase, int threads, void (*progress)(void *context, double fraction),
                                void *progress_context, hsgd_checkpoint *checkpoint, const hsgd_stop *stop,
                                hsgd_error *err);

/* The verdict of one point, when `comparisons` differences are to hold together with this confidence. */
void hsgd_phase_judge(hsgd_phase_point *point, double confidence, size_t comparisons);

/* How many points have each verdict (HSGD_NUM_BETWEEN), and the point with the largest violation (num_points: none). */
typedef struct hsgd_phase_summary {
    size_t count[HSGD_NUM_BETWEEN], worst;
    double ratio_low, ratio_median, ratio_high; /* over the points that hold; NAN: none */
} hsgd_phase_summary;
hsgd_status hsgd_phase_summarise(hsgd_phase_summary *out, const hsgd_phase *phase, hsgd_error *err);

/* ---- phase_files.c, phase_table.c, phase_figures.c ---- */

/* Write DIR/phase.json and DIR/phase.csv. */
hsgd_status hsgd_phase_write(const hsgd_phase *phase, const hsgd_phase_summary *summary, const char *dir,
                             hsgd_error *err);

/* phase.json as a document. */
cJSON *hsgd_phase_to_json(const hsgd_phase *phase, const hsgd_phase_summary *summary);

void hsgd_phase_print(const hsgd_phase *phase, const hsgd_phase_summary *summary, FILE *stream);

/* Make the figure of DIR/phase.json, as hsgd_folder_plot. */
hsgd_status hsgd_phase_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                            hsgd_error *err);

#endif
