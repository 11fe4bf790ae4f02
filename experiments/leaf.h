/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading the JSON files of LEAF (Caldas et al., "LEAF: a benchmark for federated settings", 2018), such as FEMNIST. */
#ifndef HSGD_EXPERIMENTS_LEAF_H
#define HSGD_EXPERIMENTS_LEAF_H

#include <stddef.h>

#include "analysis/dataset.h"
#include "analysis/error.h"
#include "experiments/checksum.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Read the files one after the other, plain or gzip-compressed, each { "users": [names], "num_samples": [counts],
 * "user_data": { NAME: { "x": [rows of numbers], "y": [numbers] } } }; other members are skipped. A path that is a folder
 * stands for its files *.json and *.json.gz, in the order of their names. Samples are dense and their users those of the
 * files, in the order of "user_data"; a user without samples is left out, the classes are the distinct labels. The files
 * are never in memory as a whole. Counts that do not agree, users that stand in two places and rows of other lengths are
 * errors that name the file, the byte (from 1) and the place. */
hsgd_status hsgd_leaf_read(hsgd_dataset *out, const char *const *path, size_t num_paths, hsgd_error *err);

/* Where the pictures are whose file names stand in "x", and what was read of them. */
typedef struct hsgd_leaf_images {
    const char *folder;      /* borrowed */
    size_t rows, columns;    /* that pictures are brought to */
    size_t num_images;       /* grows by those that were read */
    double bytes;            /* and by the bytes of their files */
    hsgd_checksum *checksum; /* goes on with the bytes of every file, in the order of reading; NULL: none. Borrowed */
} hsgd_leaf_images;

/* The same for "x": [names of JPEG files in images->folder], as LEAF has CelebA: { "x": ["000123.jpg", ...], "y": [...] }. A
 * sample is the picture as hsgd_image_read_jpeg gives it (analysis/image.h), channel by channel, row by row, kept as bytes
 * that stand for 0 to 1. Pictures are read when their name comes. Names with "/" or "..", or that do not end in .jpg or
 * .jpeg, are errors; a missing or damaged file is one that names it beside the file and place of its name. images NULL: "x"
 * has numbers. */
hsgd_status hsgd_leaf_read_images(hsgd_dataset *out, hsgd_leaf_images *images, const char *const *path,
                                  size_t num_paths, hsgd_error *err);

/* A path as a list of files: itself, or the files of a folder as above; free with hsgd_leaf_files_free. */
hsgd_status hsgd_leaf_files(char ***file, size_t *num_files, const char *path, hsgd_error *err);
void hsgd_leaf_files_free(char **file, size_t num_files);

#ifdef __cplusplus
}
#endif

#endif
