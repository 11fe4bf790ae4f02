/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Labelled data for training and testing: what a configuration asks for, and how it is read. */
#ifndef HSGD_EXPERIMENTS_DATA_H
#define HSGD_EXPERIMENTS_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/dataset.h"
#include "analysis/error.h"
#include "analysis/mixture.h"
#include "analysis/synthetic.h"
#include "experiments/checksum.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_data_format {
    HSGD_DATA_LIBSVM,
    HSGD_DATA_IDX,
    HSGD_DATA_CIFAR,
    HSGD_DATA_CSV,
    HSGD_DATA_LEAF,
    HSGD_DATA_SYNTHETIC,
    HSGD_DATA_MIXTURE
} hsgd_data_format;

/* The name in configurations: "libsvm", ...; and the number of formats. */
const char *hsgd_data_format_name(size_t format);
enum { HSGD_NUM_DATA_FORMATS = HSGD_DATA_MIXTURE + 1 };

/* Whether samples of the format come with users. */
bool hsgd_data_has_users(hsgd_data_format format);

/* Whether it has no files. */
bool hsgd_data_is_generated(hsgd_data_format format);

/* Where one set of samples is. Paths are as found: absolute where there is such a file. */
typedef struct hsgd_data_files {
    char **path;      /* (num_paths) owned; libsvm, csv, idx: one */
    size_t num_paths; /* 0: no files */
    char *labels;     /* idx only, owned */
} hsgd_data_files;

typedef struct hsgd_data_config {
    hsgd_data_format format;
    hsgd_data_files train, test;      /* test without paths: no files of its own */
    double test_fraction;             /* of the samples, set aside for testing; 0: none */
    uint64_t test_seed;               /* of which */
    hsgd_cifar_labels cifar_labels;   /* cifar */
    hsgd_csv_header csv_header;       /* csv */
    char *label_name;                 /* csv: NULL: by number; owned */
    size_t label_number;              /* csv: from 1; 0: the last column */
    char *images;                     /* leaf: folder of the image files that samples name; NULL: numbers; owned */
    size_t image_rows, image_columns; /* leaf: what images are brought to */
    hsgd_synthetic_options synthetic; /* synthetic; num_users 0: as many as workers */
    hsgd_mixture_options mixture;     /* mixture */
    hsgd_scaling scaling;
    bool intercept;
} hsgd_data_config;

void hsgd_data_config_free(hsgd_data_config *config);

/* What was read. */
typedef struct hsgd_data_summary {
    size_t num_samples, num_features, num_classes; /* for training; features with the intercept */
    size_t num_users;                              /* 0: the data have none */
    size_t num_test_samples;                       /* 0: no test data */
    size_t num_files;                              /* of both */
    double bytes;                                  /* of these files, as they lie on the disk */
    size_t num_images;                             /* image files that samples are, of both; not among num_files */
    double image_bytes;                            /* of these */
    /* SHA-256 of the image files one after the other, in the order of reading; "": there are none */
    char images_sha256[HSGD_CHECKSUM_SIZE], test_images_sha256[HSGD_CHECKSUM_SIZE];
} hsgd_data_summary;

/* Read or generate the data, set test data aside, scale both and append the intercept. Without test data *test is empty.
 * Free both with hsgd_dataset_free, on success only. Messages begin with the file or the key. */
hsgd_status hsgd_data_read(hsgd_dataset *train, hsgd_dataset *test, hsgd_data_summary *summary,
                           const hsgd_data_config *config, size_t num_workers, hsgd_error *err);

/* One line without its end, e.g. "10000 samples of 784 features in 10 classes, from 2 files of 1653419 bytes: a.gz, b.gz";
 * free it. NULL when memory is out. */
char *hsgd_data_describe(const hsgd_data_summary *summary, const hsgd_data_config *config);

#ifdef __cplusplus
}
#endif

#endif
