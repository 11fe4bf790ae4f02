/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report's parts. */
#ifndef HSGD_EXPERIMENTS_REPORT_PRIVATE_H
#define HSGD_EXPERIMENTS_REPORT_PRIVATE_H

#include "experiments/report.h"

/* The weakest constant that a verdict rests on. */
hsgd_constant_kind hsgd_report_kind_of_dispersion(const hsgd_experiment *e);

/* The tables. */
void hsgd_report_audit(const hsgd_experiment *e, hsgd_report_format format, FILE *out);
void hsgd_report_bounds(const hsgd_experiment *e, hsgd_report_format format, FILE *out);
void hsgd_report_ladder(const hsgd_experiment *e, hsgd_report_format format, FILE *out);
void hsgd_report_others(const hsgd_experiment *e, hsgd_report_format format, FILE *out);
void hsgd_report_metrics(const hsgd_experiment *e, hsgd_report_format format, FILE *out);

#endif
