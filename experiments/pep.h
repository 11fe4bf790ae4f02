/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worst case next to the bounds: what `hsgd pep` asks, finds and prints (THEORY 11). */
#ifndef HSGD_EXPERIMENTS_PEP_H
#define HSGD_EXPERIMENTS_PEP_H

#include <stdbool.h>
#include <stdio.h>

#include "bounds/bound.h"
#include "bounds/pep.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is asked for, beside the constants. */
typedef struct hsgd_worst_case_wish {
    hsgd_pep_criterion criterion;
    bool wants[2]; /* by hsgd_pep_gap */
} hsgd_worst_case_wish;

/* The closed forms and the recursion of THEORY 4 for the same tree: the published 4.1, the sharpened 4.2, the recursive
 * 4.4, for fixed places. */
enum { HSGD_WORST_CASE_BOUNDS = 3 };

typedef struct hsgd_worst_case {
    hsgd_pep_problem problem;  /* gap: the first one asked for */
    hsgd_worst_case_wish wish; /* which results there are */
    hsgd_pep_result result[2]; /* by hsgd_pep_gap; owned */
    const hsgd_bound *bound[HSGD_WORST_CASE_BOUNDS];
    hsgd_bound_value value[HSGD_WORST_CASE_BOUNDS]; /* without noise, as the worst case */
    double max_step_size;                           /* of the published theorem; the worst case needs no condition */
    double noise_sq;                                /* sigma^2 of the parameters: not in the worst case */
    double noise_terms; /* what noise adds to the sharpened bound 4.2; NAN where that does not apply */
    bool contradicts; /* an instance with the descent gap exceeds an applicable bound: that would refute the theorem */
} hsgd_worst_case;

/* Solve for the tree and the constants of params, without their noise. HSGD_ERROR_NUMERIC: nothing certified was found. Free
 * with hsgd_worst_case_free. */
hsgd_status hsgd_worst_case_find(hsgd_worst_case *out, const hsgd_bound_params *params,
                                 const hsgd_worst_case_wish *wish, hsgd_error *err);
void hsgd_worst_case_free(hsgd_worst_case *worst);

/* Worst case / bound, in the mean criterion and the descent gap, where bounds and worst case speak of the same; else NAN. */
double hsgd_worst_case_ratio(const hsgd_worst_case *worst, size_t bound);

/* What has to be said with the numbers: of which class of problems the worst case is, and what is not in it. */
extern const char *const hsgd_worst_case_note;

void hsgd_worst_case_print(const hsgd_worst_case *worst, FILE *stream);

/* Constants that take the place of those of a file; NAN or 0: none. */
typedef struct hsgd_pep_overrides {
    double step_size, step_size_fraction; /* fraction: of the published maximum (THEORY 4.1); not both */
    size_t steps;
    double smoothness, delta;
    double level_divergence_sq[HSGD_MAX_LEVELS];
    size_t num_divergences; /* 0: none given */
} hsgd_pep_overrides;

/* Nothing given. */
hsgd_pep_overrides hsgd_pep_no_overrides(void);

/* Parameters of a file: PARAMS.json of `hsgd bound`, or a configuration of `hsgd run`, whose constants must be known without
 * a run or be given. Uniform trees with fixed places and equal weights only. Free with hsgd_bound_params_free. */
hsgd_status hsgd_pep_read_params(hsgd_bound_params *out, const char *file, const hsgd_pep_overrides *given,
                                 hsgd_error *err);

/* Parameters of the uniform tree with these periods and two children everywhere; L, Delta and D_k are 1 unless given, the
 * step size is 0.99 of the published maximum. Messages begin with the name of an option. */
hsgd_status hsgd_pep_make_params(hsgd_bound_params *out, const size_t *periods, size_t num_levels,
                                 const hsgd_pep_overrides *given, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
