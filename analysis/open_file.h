/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening what others name: a file, and nothing that blocks for ever or never ends. */
#ifndef HSGD_ANALYSIS_OPEN_FILE_H
#define HSGD_ANALYSIS_OPEN_FILE_H

#include <stdio.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Open for reading; the caller closes *file. Regular files are taken, standard input under any name, and pipes that a shell
 * made (<(COMMAND)). Folders, named pipes, which would block until somebody writes, and devices are refused with
 * HSGD_ERROR_INPUT; messages begin with the path. */
hsgd_status hsgd_open_file(int *file, const char *path, hsgd_error *err);

/* The same as a stream, to be closed by the caller. */
hsgd_status hsgd_open_stream(FILE **stream, const char *path, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
