/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A result folder as one HTML page: verdicts, tables, figures, provenance. */
#ifndef HSGD_EXPERIMENTS_PAGE_H
#define HSGD_EXPERIMENTS_PAGE_H

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Write the page about the folder dir to a file. It holds its figures, which gnuplot draws again from the folder's
 * data, and loads nothing; its links to files of the folder are relative. Fails where the folder is not one of hsgd
 * run, verify or sweep (HSGD_ERROR_INPUT), or where gnuplot or the disk fails (HSGD_ERROR_ENVIRONMENT). */
hsgd_status hsgd_report_page(const char *dir, const char *file, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
