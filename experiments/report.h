/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report of hsgd verify: every check in a few tables, as text, Markdown or LaTeX. */
#ifndef HSGD_EXPERIMENTS_REPORT_H
#define HSGD_EXPERIMENTS_REPORT_H

#include <stdio.h>

#include "experiments/experiment.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_report_format { HSGD_REPORT_TEXT, HSGD_REPORT_MARKDOWN, HSGD_REPORT_LATEX } hsgd_report_format;

void hsgd_report_print(const hsgd_experiment *experiment, hsgd_report_format format, FILE *stream);

#ifdef __cplusplus
}
#endif

#endif
