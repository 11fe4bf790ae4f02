/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking for a counterexample (THEORY 12): quadratics on which a measured quantity comes as close to its bound as
 * possible, or above it. Nothing is sampled: both sides are exact (analysis/exact_moments.h). */
#ifndef HSGD_EXPERIMENTS_HUNT_H
#define HSGD_EXPERIMENTS_HUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "analysis/error.h"
#include "analysis/search.h"
#include "experiments/config.h"
#include "experiments/folder.h"
#include "experiments/hunt_spec.h"
#include "experiments/problem.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A quarry on one problem. */
typedef struct hsgd_hunted {
    double ratio; /* measured / bound, 0 where the bound does not apply or its value is lost in rounding */
    double measured, bound;
    double rounding;               /* a bound on the relative error of the ratio */
    size_t step, level;            /* "dispersion": where, level from 1; 0 otherwise */
    char reason[HSGD_REASON_SIZE]; /* why the ratio is 0; "" otherwise */
} hsgd_hunted;

/* More than rounding can explain lies above the bound. */
bool hsgd_hunted_violates(const hsgd_hunted *hunted);

/* What is left of the ratio when rounding is on the bound's side: what a hunt looks for, lest it find rounding errors. */
double hsgd_hunted_score(const hsgd_hunted *hunted);

/* The constants of a problem that a bound is evaluated with, before any weakening. */
typedef struct hsgd_hunt_constants {
    double step_size, smoothness, noise_sq, minimum,
        delta;                                   /* gamma, L, sigma^2, f*, Delta; infinite: unbounded below */
    double level_divergence_sq[HSGD_MAX_LEVELS]; /* D_k */
    size_t num_levels, steps;
} hsgd_hunt_constants;

/* How one start of a searcher went: its best ratio whenever that has grown by a thousandth, and at its end. */
enum { HSGD_HUNT_TRACE = 160 };
typedef struct hsgd_hunt_start {
    hsgd_search_method method;
    bool from_best;                     /* began near the best of the starts before, not anywhere */
    size_t first_evaluation;            /* evaluations of all starts before it */
    size_t evaluations;                 /* its own */
    double ratio;                       /* the best */
    size_t num_points;                  /* of its trace */
    size_t evaluation[HSGD_HUNT_TRACE]; /* from 1, its own */
    double best_ratio[HSGD_HUNT_TRACE];
} hsgd_hunt_start;

typedef struct hsgd_hunt {
    const hsgd_config *config; /* borrowed */
    hsgd_quarry quarry;
    bool weakened;
    size_t num_parameters;  /* dimension of the space that was searched */
    size_t dimension;       /* d */
    hsgd_hunt_start *start; /* (num_starts) in the order in which a single thread would make them, owned */
    size_t num_starts, evaluations, best_start;
    hsgd_hunted found; /* the largest ratio */
    hsgd_hunt_constants constants;
    char *worst;        /* its configuration as text, without "hunt"; owned */
    bool confirmed;     /* read from that text, it has this ratio again */
    hsgd_hunted *other; /* (hsgd_num_quarries) every quarry, not weakened, on that problem; owned */
    bool violated;      /* found above the bound by more than rounding, and confirmed */
} hsgd_hunt;

/* Called now and then by the calling thread: what has been done so far, and the best ratio, up to rounding. */
typedef void (*hsgd_hunt_progress)(const hsgd_hunt *hunt, double ratio);

typedef struct hsgd_hunt_options {
    int threads;
    hsgd_hunt_progress progress; /* NULL: not wanted */
    const hsgd_stop *stop;       /* NULL: nobody asks to stop; else HSGD_STOPPED. Borrowed */
} hsgd_hunt_options;

/* Search as config->hunt says; problem is config's own. Both are borrowed and must outlive the result. The result is a
 * function of them alone where the budget is in evaluations, whatever the number of threads. */
hsgd_status hsgd_hunt_run(hsgd_hunt *out, const hsgd_config *config, const hsgd_problem *problem,
                          const hsgd_hunt_options *options, hsgd_error *err);
void hsgd_hunt_free(hsgd_hunt *hunt);

/* No search: only found, constants and other, of the problem that the text of a configuration has. config: that with the hunt's
 * section beside it; borrowed. */
hsgd_status hsgd_hunt_again(hsgd_hunt *out, const hsgd_config *config, const char *worst, hsgd_error *err);

/* The report for people. */
void hsgd_hunt_print(const hsgd_hunt *hunt, FILE *stream);

/* Write hunt.json, hunt.csv and worst.json. */
hsgd_status hsgd_hunt_write(const hsgd_hunt *hunt, const char *dir, hsgd_error *err);

/* Make the figure of a hunt from DIR/hunt.json, as hsgd_folder_plot does for an experiment. */
hsgd_status hsgd_hunt_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                           hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
