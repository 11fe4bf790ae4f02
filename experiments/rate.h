/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rate of convergence (hsgd rate, key "rate"): a quantity such as S at several T, n, G, I or gamma, the power law
 * through its logarithms, and that exponent next to the theory's. README, Rates.
 *
 * What an upper bound says about an exponent. A bound S <= B at every point limits values, not slopes: a measured S that
 * falls faster than B, or more slowly, contradicts nothing. "violated" is therefore said of a point whose value is above
 * a bound that applies there, never of a slope. Slopes are compared with two kinds of theory: the asymptotic exponent
 * that the step-size rule stands for, and for each bound that applies at all fitted points the exponent of the bound
 * itself at these points, which needs no asymptotics: that of the best line through log B, with the weights of the measured
 * values, a number without error. A measured exponent below it says that the bound gets looser, above it tighter. Between
 * the asymptotic exponent and that of the tightest bound lies what the theory says at finite values; only an exponent
 * outside of both is called faster or slower. An exponent that was asked for takes the place of both. */
#ifndef HSGD_EXPERIMENTS_RATE_H
#define HSGD_EXPERIMENTS_RATE_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"
#include "analysis/power_law.h"
#include "analysis/statistics.h"
#include "analysis/stop.h"
#include "bounds/verdict.h"
#include "experiments/config.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HSGD_MAX_RATE_POINTS = 100, HSGD_RATE_ID_SIZE = 64, HSGD_RATE_REASON_SIZE = 256 };

/* What is swept. */
typedef enum hsgd_rate_over {
    HSGD_RATE_STEPS,         /* T */
    HSGD_RATE_WORKERS,       /* n: the fanout of one level grows */
    HSGD_RATE_GLOBAL_PERIOD, /* G = P_1 */
    HSGD_RATE_LOCAL_PERIOD,  /* I = P_M */
    HSGD_RATE_STEP_SIZE,     /* gamma */
    HSGD_NUM_RATE_OVERS
} hsgd_rate_over;

/* What is measured at every point. */
typedef enum hsgd_rate_quantity {
    HSGD_RATE_S,
    HSGD_RATE_S_ROUND,
    HSGD_RATE_S_MIN,
    HSGD_RATE_LOSS_GAP,   /* E f(wbar^T) - f* */
    HSGD_RATE_DISPERSION, /* mean over t < T of the sum of all levels B_k^t */
    HSGD_NUM_RATE_QUANTITIES
} hsgd_rate_quantity;

/* How the step size follows n, T and L; c is the constant. */
typedef enum hsgd_rate_rule {
    HSGD_RATE_RULE_OPTIMIZER,      /* what "optimizer" says */
    HSGD_RATE_RULE_FIXED,          /* c */
    HSGD_RATE_RULE_SQRT_N_OVER_T,  /* c sqrt(n/T)/L, the linear speed-up's */
    HSGD_RATE_RULE_INVERSE_SQRT_T, /* c/(L sqrt(T)) */
    HSGD_RATE_RULE_FRACTION,       /* c of the published maximum (THEORY 4.1) */
    HSGD_NUM_RATE_RULES
} hsgd_rate_rule;

/* The words of the configuration; NULL beyond. */
const char *hsgd_rate_over_name(size_t over);         /* "steps" .. "step_size" */
const char *hsgd_rate_quantity_name(size_t quantity); /* "S", "S_round", "S_min", "loss_gap", "dispersion" */
const char *hsgd_rate_rule_name(size_t rule);         /* "optimizer", "fixed", "sqrt(n/T)", "1/sqrt(T)", "fraction" */

/* "T", "n", "G", "I", "gamma". */
const char *hsgd_rate_symbol(hsgd_rate_over over);

/* What is asked for. All pointers are owned. */
typedef struct hsgd_rate_plan {
    char *name;
    hsgd_rate_over over;
    hsgd_rate_quantity quantity;
    hsgd_rate_rule rule;
    double constant;     /* c */
    size_t level;        /* HSGD_RATE_WORKERS: whose fanout grows, 1 the root's, M the lowest */
    bool exact;          /* from exact moments, without sampling */
    double fit_from;     /* points below are shown, but not fitted */
    bool asked;          /* the exponent was asked for: a slower one counts as a violated check */
    double expected;     /* ... or the one that the rule stands for; NAN: none */
    double tolerance;    /* exponents that differ by no more are alike */
    double confidence;   /* of every interval */
    double *value;       /* (num_points) increasing, > 0 */
    hsgd_config *config; /* (num_points) of every point; its step size is not resolved where a rule is given */
    size_t num_points;
    hsgd_figure_style style;
} hsgd_rate_plan;

/* Read a configuration with the key "rate" ("-": standard input), and the configuration of every point. seeds: instead of
 * the configuration's; 0: as there. Free with hsgd_rate_plan_free, on success only. */
hsgd_status hsgd_rate_read(hsgd_rate_plan *out, const char *path, size_t seeds, hsgd_error *err);

/* The same from a text; file is the name used in messages and its folder the base of relative paths. */
hsgd_status hsgd_rate_parse(hsgd_rate_plan *out, const char *text, size_t length, const char *file, size_t seeds,
                            hsgd_error *err);
void hsgd_rate_plan_free(hsgd_rate_plan *plan);

typedef struct hsgd_rate_point {
    double at; /* the value swept over */
    size_t workers, steps, local_period, global_period;
    double step_size, smoothness;
    hsgd_constant_kind kind;         /* the weakest of L, sigma^2, f* and the divergences */
    hsgd_constant_kind minimum_kind; /* of f*, from which the loss gap is measured */
    hsgd_estimate value;             /* the quantity; se 0 where nothing is sampled */
    double low, high;                /* its interval, for this number alone */
    bool fitted;
    hsgd_estimate slope; /* the exponent from this point to the next; NAN at the last one */
} hsgd_rate_point;

/* An exponent next to the theory's. */
typedef enum hsgd_rate_verdict {
    HSGD_RATE_AGREES,
    HSGD_RATE_FASTER,  /* the exponent is below the theory's, by more than the tolerance */
    HSGD_RATE_SLOWER,  /* it is above */
    HSGD_RATE_BETWEEN, /* it is above the asymptotic exponent and below the tightest bound's, or the other way round */
    HSGD_RATE_INCONCLUSIVE, /* the interval contains the theory's exponent, but is wider than that, or there is none */
    HSGD_RATE_NO_THEORY
} hsgd_rate_verdict;

/* "agrees", "faster", "slower", "between", "inconclusive", "no theory". */
const char *hsgd_rate_verdict_name(hsgd_rate_verdict verdict);

typedef struct hsgd_rate_comparison {
    double exponent;               /* of the theory; NAN: none */
    double difference, half_width; /* measured - theory, with its interval */
    hsgd_rate_verdict verdict;
} hsgd_rate_comparison;

/* A bound at the points. */
typedef struct hsgd_rate_bound {
    char id[HSGD_RATE_ID_SIZE];
    double *value;         /* (num_points) NAN where it does not apply; owned */
    hsgd_verdict *verdict; /* (num_points) on the value there, together with those of all points; owned */
    size_t num_applicable; /* points */
    bool everywhere;       /* it applies at all fitted points, and what follows is known */
    hsgd_power_law law;    /* of the bound, with the weights of the measured values; only scatter_se says something */
    hsgd_rate_comparison comparison;
} hsgd_rate_bound;

typedef struct hsgd_rate {
    const hsgd_rate_plan *plan; /* borrowed */
    hsgd_rate_point *point;     /* (num_points) owned */
    size_t num_points;
    hsgd_rate_bound *bound; /* (num_bounds) owned */
    size_t num_bounds;
    bool made;                          /* there is a fit */
    char reason[HSGD_RATE_REASON_SIZE]; /* why not */
    hsgd_power_law law;
    double half_width;               /* of the exponent's interval */
    bool straight;                   /* nothing contradicts a power law; where nothing is sampled that is not tested */
    hsgd_rate_comparison asymptotic; /* with plan->expected */
    const hsgd_rate_bound
        *tightest;             /* of the bounds that apply at all fitted points, the smallest at the last; or NULL */
    hsgd_rate_verdict verdict; /* on the asymptotic exponent and that of the tightest bound, or on what was asked for */
    bool violated;             /* a point is above a bound that applies there */
} hsgd_rate;

typedef struct hsgd_rate_options {
    int threads;
    void (*progress)(void *context, double fraction); /* may be called from any thread; NULL: not wanted */
    void *progress_context;
    struct hsgd_checkpoint *checkpoint; /* keeps what is worked out, and has what was; NULL: nobody does. Borrowed */
    const hsgd_stop *stop;              /* NULL: nobody asks to stop. Borrowed */
} hsgd_rate_options;

/* Run all points, one after another with all threads each (exact moments: the points at once). The seeds of a point are
 * its own, so that the points are independent; the initial point is that of the first. Changes plan->config: step sizes
 * and first seeds. file is for messages. Free with hsgd_rate_free, also on failure. */
hsgd_status hsgd_rate_run(hsgd_rate *out, hsgd_rate_plan *plan, const char *file, const hsgd_rate_options *options,
                          hsgd_error *err);

/* From the values and bounds at the points (and plan's confidence, fit_from, expected, asked) all the rest. */
hsgd_status hsgd_rate_judge(hsgd_rate *rate, hsgd_error *err);

/* The verdict on an exponent with this interval. */
hsgd_rate_verdict hsgd_rate_compare(double exponent, double half_width, double theory, double tolerance);

void hsgd_rate_free(hsgd_rate *rate);

#ifdef __cplusplus
}
#endif

#endif
