/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Labelled data in memory, dense or sparse, and its readers. */
#ifndef HSGD_ANALYSIS_DATASET_H
#define HSGD_ANALYSIS_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Exactly one of dense and value is set. Rows are samples. */
typedef struct hsgd_dataset {
    size_t num_samples;  /* m >= 1 */
    size_t num_features; /* p >= 1 */
    size_t num_classes;  /* >= 1 */
    double *dense;       /* (num_samples, num_features) row-major, owned; NULL when sparse */
    size_t *row_start;   /* (num_samples + 1) offsets into column and value, owned; NULL when dense */
    uint32_t *column;    /* (row_start[num_samples]) strictly increasing inside a row, owned */
    double *value;       /* same shape as column, owned */
    uint32_t *label;     /* (num_samples) class indices in [0, num_classes), owned */
    double *class_value; /* (num_classes) the label each class had in the file, increasing, owned */
} hsgd_dataset;

/* Free what the data set owns and zero it; NULL and half-built data sets are fine. */
void hsgd_dataset_free(hsgd_dataset *data);

/* The most a data file may hold, after expansion when it is gzip-compressed. Memory grows with the bytes that arrive,
 * never with what a header declares; without a limit a small compressed file could fill any memory. */
#define HSGD_MAX_FILE_BYTES ((size_t)1 << 31)

/* Read a LIBSVM file ("label index:value ...", indices from 1 to 2^31, increasing; '#' starts a comment; blank lines
 * are skipped), plain or gzip-compressed. Storage is sparse. num_features is the largest index seen. A label is any
 * finite number; the classes are the distinct labels. Messages name the file and the line. */
hsgd_status hsgd_dataset_read_libsvm(hsgd_dataset *out, const char *path, hsgd_error *err);

/* Read a pair of IDX files (the format of MNIST: unsigned bytes, big-endian sizes), plain or gzip-compressed. Pixels
 * are divided by 255; an image becomes one row; the classes are the distinct labels. Truncated files, trailing bytes
 * and files whose counts differ are errors that name the file and the sizes. */
hsgd_status hsgd_dataset_read_idx(hsgd_dataset *out, const char *images_path, const char *labels_path, hsgd_error *err);

typedef enum hsgd_scaling {
    HSGD_SCALING_NONE,
    HSGD_SCALING_MAX_ABS,   /* each feature divided by its largest absolute value; features that are 0 stay 0 */
    HSGD_SCALING_UNIT_NORM, /* each sample divided by its Euclidean norm; samples that are 0 stay 0 */
    HSGD_SCALING_STANDARD   /* each feature to mean 0 and mean square 1 (dense data only); constant features become 0 */
} hsgd_scaling;

/* "none", "max-abs", "unit-norm", "standard". The parser returns 0 on success, -1 for an unknown name. */
const char *hsgd_scaling_name(hsgd_scaling scaling);
int hsgd_scaling_parse(const char *name, hsgd_scaling *scaling);

hsgd_status hsgd_dataset_scale(hsgd_dataset *data, hsgd_scaling scaling, hsgd_error *err);

/* Append a feature that is 1 for every sample. Scale first: as a feature it would be scaled along, and "standard"
 * would turn it into 0. */
hsgd_status hsgd_dataset_add_intercept(hsgd_dataset *data, hsgd_error *err);

/* Put the samples into the order data[order[0]], data[order[1]], ...; order (num_samples) is a permutation. */
hsgd_status hsgd_dataset_reorder(hsgd_dataset *data, const size_t *order, hsgd_error *err);

/* Squared Euclidean norm of one sample. */
double hsgd_dataset_row_norm_sq(const hsgd_dataset *data, size_t sample);

#ifdef __cplusplus
}
#endif

#endif
