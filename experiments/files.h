/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Output folders and files: a file appears whole under its name or not at all. */
#ifndef HSGD_EXPERIMENTS_FILES_H
#define HSGD_EXPERIMENTS_FILES_H

#include <stdio.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Make a folder and its parents; fine if it is there. */
hsgd_status hsgd_folder_make(const char *path, hsgd_error *err);

/* A file being written under a temporary name next to DIR/name. */
typedef struct hsgd_output {
    FILE *stream;
    char *path, *temporary_path; /* owned */
} hsgd_output;

hsgd_status hsgd_output_open(hsgd_output *out, const char *dir, const char *name, hsgd_error *err);

/* Flush, check, and give the file its name; on failure it is removed. Either way the output is closed. */
hsgd_status hsgd_output_commit(hsgd_output *out, hsgd_error *err);

/* Write a whole text. */
hsgd_status hsgd_output_text(const char *dir, const char *name, const char *text, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
