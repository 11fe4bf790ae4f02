/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of performance estimation share. Inside, L = 1 and max(L Delta, D_k) = 1 (pep_scale.c). */
#ifndef HSGD_BOUNDS_PEP_PRIVATE_H
#define HSGD_BOUNDS_PEP_PRIVATE_H

#include "bounds/pep.h"
#include "bounds/sdp_private.h"

/* ---- interpolation, sparse (pep_model.c) ---- */

/* One row of block k that a pair (a, b) touches: the coefficients of d(a) + d(b), d(a) - d(b) and x(a) - x(b). */
typedef struct hsgd_pep_support {
    size_t row;
    double sum, difference, way;
} hsgd_pep_support;

enum { HSGD_PEP_MAX_SUPPORT = 2 * HSGD_PEP_MAX_STEPS + 2 };

/* The rows that the pair touches in this block, each once; returns how many. */
size_t hsgd_pep_support_of(hsgd_pep_support *support, const hsgd_pep_model *model, size_t a, size_t b, size_t block);

/* The entry of the interpolation form for two of these rows. */
double hsgd_pep_support_product(const hsgd_pep_support *i, const hsgd_pep_support *j, double smoothness);

/* Slack matrices are positive definite with this much to spare, in scaled units. */
#define HSGD_PEP_MARGIN 1e-9

/* ---- the program (pep_program.c) ---- */

/* All constraints in use. The multipliers of `tree` pairs, one for every point but w^0, are not variables: conservation
 * of the flow of multipliers through the points fixes them, because function values are free. */
typedef struct hsgd_pep_program {
    const hsgd_pep_model *model;      /* borrowed */
    hsgd_pep_multiplier *constraint;  /* (num_constraints); owned. value is not used */
    size_t num_constraints, capacity; /* tree pairs first: constraint[b - 1] joins point b to its parent */
    size_t *parent;                   /* (K) parent of point b in the tree; owned */
    unsigned char *in_use;            /* (K, K) is the pair (a, b) among the constraints? owned */
} hsgd_pep_program;

/* The program with all divergence, gap and criterion constraints and the pairs at most this many steps apart. */
hsgd_status hsgd_pep_program_init(hsgd_pep_program *out, const hsgd_pep_model *model, size_t reach, hsgd_error *err);
void hsgd_pep_program_free(hsgd_pep_program *program);

/* Add an interpolation pair, unless it is there. */
hsgd_status hsgd_pep_program_add_pair(hsgd_pep_program *program, size_t a, size_t b, hsgd_error *err);

/* The standard form. Its variables are the constraints after the tree's, but with the criterion `min` the last one
 * follows from the others. The objective is raised by `shift` times the traces of all blocks, which leaves a margin. */
hsgd_status hsgd_pep_program_form(hsgd_sdp *out, const hsgd_pep_program *program, double shift, hsgd_error *err);

/* Number of variables of the standard form. */
size_t hsgd_pep_program_variables(const hsgd_pep_program *program);

/* value of every constraint from the variables y: what is negative becomes 0, tree pairs follow from conservation, and
 * where that gives a negative number the reversed pair (added if need be) takes it. */
hsgd_status hsgd_pep_program_multipliers(hsgd_pep_program *program, const double *y, hsgd_error *err);

/* Take the pairs out again that the solution of the standard form, y and x_r, shows to be idle: off the tree, with a
 * multiplier that is nothing next to the room in the inequality. */
void hsgd_pep_program_drop_idle(hsgd_pep_program *program, const double *y, const double *row);

/* ---- proofs (pep_certificate.c, pep_instance.c) ---- */

/* Slack matrices (full, row-major, allocated here) of the multipliers in program. *positive says whether all of them are
 * positive definite with a margin. */
hsgd_status hsgd_pep_slack(double **slack, bool *positive, const hsgd_pep_program *program, hsgd_error *err);

/* a Delta + sum c_k D_k of the multipliers. */
double hsgd_pep_upper_value(const hsgd_pep_program *program);

/* value (K, K): sum_k <Q_k(a,b), H_k> for all pairs, from the blocks. */
hsgd_status hsgd_pep_interpolation_values(double *value, const hsgd_pep_model *model, double *const *gram,
                                          hsgd_error *err);

/* Make the blocks a true instance: positive semidefinite, function values (K) that satisfy all K (K - 1) inequalities,
 * gap and divergences within their bounds. interior: blocks that satisfy all of it with room, to mix with; NULL: none
 * are known. *lower receives the criterion, or 0 if there is no way. */
hsgd_status hsgd_pep_repair(double *lower, double **gram, double *function_value, const hsgd_pep_model *model,
                            double *const *interior, hsgd_error *err);

#endif
