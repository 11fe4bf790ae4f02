/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HSGD_EXPERIMENTS_TEXT_FILE_PRIVATE_H
#define HSGD_EXPERIMENTS_TEXT_FILE_PRIVATE_H

#include "analysis/error.h"

/* All of a file, zero-terminated; to be freed, whatever the status. HSGD_ERROR_INPUT: it is empty, has a zero byte, or is no file
 * to read from; HSGD_ERROR_ENVIRONMENT: reading failed. */
hsgd_status hsgd_text_file_read(char **out, const char *path, hsgd_error *err);

#endif
