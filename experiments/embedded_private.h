/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that are compiled in: experiments/demo.json, which runs when no experiment is named,
 * experiments/config.schema.json, from which the manual page lists the keys, experiments/results.schema.json, which
 * hsgd check holds documents against, and experiments/report.css, the style of the
 * page of hsgd report. */
#ifndef HSGD_EXPERIMENTS_EMBEDDED_PRIVATE_H
#define HSGD_EXPERIMENTS_EMBEDDED_PRIVATE_H

extern const char hsgd_embedded_demo[], hsgd_embedded_schema[], hsgd_embedded_results_schema[],
    hsgd_embedded_report_css[];

#endif
