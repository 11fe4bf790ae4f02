/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A constant of an assumption and how far it can be trusted (THEORY 8). The kind goes with the value into every output. */
#ifndef HSGD_ANALYSIS_CONSTANTS_H
#define HSGD_ANALYSIS_CONSTANTS_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_constant_kind {
    HSGD_EXACT,     /* follows from the definition of the problem */
    HSGD_CERTIFIED, /* a proved bound on the safe side */
    HSGD_TRAJECTORY, /* the supremum over the visited points: enough for a deterministic run, never called a proof otherwise */
    HSGD_ESTIMATE /* a guess from points around the start: no verdict that rests on it is a proof */
} hsgd_constant_kind;

typedef struct hsgd_constant {
    double value;
    hsgd_constant_kind kind;
} hsgd_constant;

/* "exact", "certified", "trajectory" or "estimate". */
const char *hsgd_constant_kind_name(hsgd_constant_kind kind);

/* What an objective knows about itself before any run (THEORY 3 and 8). */
typedef struct hsgd_constants {
    hsgd_constant smoothness; /* L: every F_j is L-smooth (A1) */
    hsgd_constant noise_sq;   /* sigma^2: E||g_j - grad F_j||^2 at most this (A2), for the batch size asked for */
    hsgd_constant minimum; /* f*: f >= f* (A4); -INFINITY where f is not bounded below (kind exact), or nothing is known
                                 of it (certified) */
    double convexity; /* mu: every F_j - mu/2 ||w||^2 is convex. Positive: strongly convex, 0: convex, negative: at most
                         this far from it; -INFINITY where nothing is known. A proved bound */
} hsgd_constants;

#ifdef __cplusplus
}
#endif

#endif
