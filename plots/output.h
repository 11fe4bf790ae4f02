/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file that appears whole or not at all, even where the machine stops: written under a temporary name in its folder, synced,
 * then renamed, and the folder synced. */
#ifndef HSGD_PLOTS_OUTPUT_H
#define HSGD_PLOTS_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_output {
    FILE *stream;   /* NULL: not open */
    int descriptor; /* of the stream, which closes it */
    char *path;     /* what the file will be called; owned */
    char *temporary;
    struct hsgd_output *next; /* another one that is open */
    void *numbers, *previous; /* locale_t: numbers have a decimal point whatever the locale of the calling program */
} hsgd_output;

/* Open DIR/NAME.SUFFIX for writing. On failure nothing is left to close. *out stays where it is until it is closed. */
hsgd_status hsgd_output_open(hsgd_output *out, const char *dir, const char *name, const char *suffix, hsgd_error *err);

/* The same for a path that somebody chose; what is there and is not a regular file is refused (HSGD_ERROR_INPUT). */
hsgd_status hsgd_output_open_path(hsgd_output *out, const char *path, hsgd_error *err);

/* Give the file its name, or remove it when something could not be written. Always releases out. */
hsgd_status hsgd_output_close(hsgd_output *out, hsgd_error *err);

/* Remove what was written and leave the file as it was. Always releases out. */
void hsgd_output_drop(hsgd_output *out);

/* Remove the temporary files of all that are open: for a program that ends in the middle. They must not be used any more. */
void hsgd_output_abandon_all(void);

/* Give a file that somebody else wrote its name in the same way. Returns 0, or -1 with errno. */
int hsgd_output_rename(const char *from, const char *to);

/* Wait until the names in a folder are on the disk, as far as its file system can. */
void hsgd_output_sync_folder(const char *dir);

/* Is this the name of a temporary file, "NAME.SUFFIX.tmp-PROCESS-NUMBER"? *process: of whom. */
bool hsgd_output_is_temporary(const char *name, long *process);

#ifdef __cplusplus
}
#endif

#endif
