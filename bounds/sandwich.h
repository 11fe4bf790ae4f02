/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sandwich, decided exactly (THEORY 6).
 *
 * With lambda_u = copies (c_u - 1)/(n - 1) over the entries of the canonical tree, the sigma^2 part of the published
 * random-grouping bound is proportional to sum lambda_u P_u and the divergence part to sum lambda_u P_u^2. They lie
 * between I, I^2 and G, G^2, where I is the smallest period and G that of the root. */
#ifndef HSGD_BOUNDS_SANDWICH_H
#define HSGD_BOUNDS_SANDWICH_H

#include <stdbool.h>

#include "analysis/error.h"
#include "analysis/hierarchy.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_sandwich_side {
    char *text[3];   /* inner, middle, outer: rationals in lowest terms, "p" or "p/q", owned */
    double value[3]; /* the same, rounded */
    bool holds;      /* inner <= middle <= outer, decided in rational arithmetic */
    bool strict;     /* both inequalities strict: true exactly when the canonical tree has more than one level */
} hsgd_sandwich_side;

typedef struct hsgd_sandwich {
    hsgd_sandwich_side noise;      /* I, sum lambda_u P_u, G */
    hsgd_sandwich_side divergence; /* I^2, sum lambda_u P_u^2, G^2 */
    bool holds;                    /* both sides hold and the lambda sum to 1 */
} hsgd_sandwich;

/* Decide the sandwich for any tree of equally weighted workers. */
hsgd_status hsgd_sandwich_decide(hsgd_sandwich *out, const hsgd_hierarchy *h, hsgd_error *err);
void hsgd_sandwich_free(hsgd_sandwich *sandwich);

#ifdef __cplusplus
}
#endif

#endif
