/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `hsgd pep` writes beside its table: a certificate, and a worst problem in coordinates. */
#ifndef HSGD_EXPERIMENTS_PEP_WRITTEN_H
#define HSGD_EXPERIMENTS_PEP_WRITTEN_H

#include "bounds/certificate.h"
#include "bounds/worst_problem.h"
#include "experiments/pep.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What was asked for and is written. Both are about the descent gap, unless only the other one was asked for. */
typedef struct hsgd_pep_written {
    const char *certificate_path;     /* NULL: none; borrowed */
    hsgd_certificate certificate;     /* owned */
    hsgd_certificate_verdict verdict; /* proved */
    double shift;                     /* that the proof needed */
    const char *instance_path;        /* NULL: none; borrowed */
    const char *figure_folder;        /* NULL: none; borrowed */
    hsgd_worst_problem instance;      /* owned; it holds */
} hsgd_pep_written;

/* What is to be written; NULL: nothing. Borrowed. */
typedef struct hsgd_pep_paths {
    const char *certificate;     /* a file */
    const char *instance;        /* a file that ends in ".csv" or ".json" */
    const char *instance_figure; /* a folder */
} hsgd_pep_paths;

/* Write the files whose paths are not NULL; the figure is for hsgd_pep_written_draw. The worst problem has the fanouts of params. HSGD_ERROR_NUMERIC: there is no
 * exact proof, or the problem does not pass its check. Free with hsgd_pep_written_free. */
hsgd_status hsgd_pep_write(hsgd_pep_written *out, const hsgd_worst_case *worst, const hsgd_bound_params *params,
                           const hsgd_pep_paths *paths, hsgd_error *err);

/* Make the figure, if one was asked for: a step of its own, for gnuplot may be missing where all else is there. */
hsgd_status hsgd_pep_written_draw(const hsgd_pep_written *written, hsgd_error *err);
void hsgd_pep_written_free(hsgd_pep_written *written);

/* Does a file of a worst problem end in ".csv" or ".json"? */
hsgd_status hsgd_worst_problem_check_name(const char *path, hsgd_error *err);

/* A worst problem as a file: CSV if the path ends in ".csv", JSON if in ".json"; nothing else is legal. */
hsgd_status hsgd_worst_problem_write(const hsgd_worst_problem *problem, const char *path, hsgd_error *err);

/* Draw it: DIR/worst-problem.pdf with its script, data and caption. Makes the folder. */
hsgd_status hsgd_worst_problem_draw(const hsgd_worst_problem *problem, const char *dir, hsgd_error *err);

/* One paragraph for each file. */
void hsgd_pep_written_print(const hsgd_pep_written *written, FILE *stream);

#ifdef __cplusplus
}
#endif

#endif
