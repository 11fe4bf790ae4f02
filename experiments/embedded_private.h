/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that are compiled in: the experiment that runs when none is named (experiments/demo.json), and the style of the
 * page of hsgd report (experiments/report.css). */
#ifndef HSGD_EXPERIMENTS_EMBEDDED_PRIVATE_H
#define HSGD_EXPERIMENTS_EMBEDDED_PRIVATE_H

extern const char hsgd_embedded_demo[];
extern const char hsgd_embedded_report_css[];

#endif
