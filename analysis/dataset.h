/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Labelled data in memory, dense (as doubles or as the bytes of images) or sparse, and its readers. */
#ifndef HSGD_ANALYSIS_DATASET_H
#define HSGD_ANALYSIS_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HSGD_BYTE_VALUES = 256 };

/* Exactly one of dense, byte and value is set. Rows are samples. */
typedef struct hsgd_dataset {
    size_t num_samples;  /* m >= 1 */
    size_t num_features; /* p >= 1 */
    size_t num_classes;  /* >= 1 */
    double *dense;       /* (num_samples, num_features) row-major, owned; NULL in other storage */
    uint8_t *byte;       /* the same shape: entry x is the feature byte_value[x], owned; NULL in other storage */
    size_t *row_start;   /* (num_samples + 1) offsets into column and value, owned; NULL unless sparse */
    uint32_t *column;    /* (row_start[num_samples]) strictly increasing inside a row, owned */
    double *value;       /* same shape as column, owned */
    uint32_t *label;     /* (num_samples) class indices in [0, num_classes), owned */
    double *class_value; /* (num_classes) the label each class had in the file, increasing, owned */
    double byte_value[HSGD_BYTE_VALUES]; /* finite; for data kept as bytes only */
    char
        *feature_names; /* one line for each feature as the file names it, owned; NULL: unknown. Adding an intercept and
                            reordering the samples forget it. */
    size_t num_users;   /* people or devices that the samples come from; 0: unknown */
    size_t *user_start; /* (num_users + 1) user k has the samples user_start[k] .. user_start[k + 1] - 1, at least one,
                            and every sample has a user; owned, NULL: unknown. Reordering the samples forgets it. */
} hsgd_dataset;

/* Free what the data set owns and zero it; NULL and half-built data sets are fine. */
void hsgd_dataset_free(hsgd_dataset *data);

/* The samples first .. first + count - 1 of data that are not sparse, (count, num_features): as they lie there where they
 * are doubles; bytes are written to room (count, num_features), whose numbers are then the same to the bit. */
const double *hsgd_dataset_rows(const hsgd_dataset *data, size_t first, size_t count, double *room);

/* Every byte stands for itself divided by 255: what pixels become. */
void hsgd_dataset_set_pixels(hsgd_dataset *data);

/* Bytes become the doubles that they stand for; other data stay as they are. On failure data is unchanged. */
hsgd_status hsgd_dataset_to_doubles(hsgd_dataset *data, hsgd_error *err);

/* The most a data file may hold, after expansion when it is gzip-compressed. Memory grows with the bytes that arrive,
 * never with what a header declares; without a limit a small compressed file could fill any memory. */
#define HSGD_MAX_FILE_BYTES ((size_t)1 << 31)

/* Read a LIBSVM file ("label index:value ...", indices from 1 to 2^31, increasing; '#' starts a comment; blank lines
 * are skipped), plain or gzip-compressed. Storage is sparse. num_features is the largest index seen. A label is any
 * finite number; the classes are the distinct labels. Messages name the file and the line. */
hsgd_status hsgd_dataset_read_libsvm(hsgd_dataset *out, const char *path, hsgd_error *err);

/* Read a pair of IDX files (the format of MNIST: unsigned bytes, big-endian sizes), plain or gzip-compressed. Pixels
 * stay bytes that stand for themselves divided by 255; an image becomes one row; the classes are the distinct labels (1 to
 * 26 in EMNIST's "letters", whose images are stored column by column). Truncated files, trailing bytes and files whose
 * counts differ are errors that name the file and the sizes. */
hsgd_status hsgd_dataset_read_idx(hsgd_dataset *out, const char *images_path, const char *labels_path, hsgd_error *err);

typedef enum hsgd_cifar_labels {
    HSGD_CIFAR_10,        /* records of 1 + 3072 bytes, labels 0..9 */
    HSGD_CIFAR_100_FINE,  /* records of 2 + 3072 bytes, the second label, 0..99 */
    HSGD_CIFAR_100_COARSE /* the first label of these, 0..19 */
} hsgd_cifar_labels;

/* Read the binary files of CIFAR-10 or CIFAR-100 (Krizhevsky 2009), plain or gzip-compressed, one after the other. A
 * sample's features are its bytes, which stay bytes and stand for themselves divided by 255: the red, then the green, then
 * the blue channel, each 32 rows of 32. The classes are the distinct labels. A length that is no multiple of the record
 * and labels out of range are errors that name the file and the byte, counted from 1. */
hsgd_status hsgd_dataset_read_cifar(hsgd_dataset *out, const char *const *path, size_t num_paths,
                                    hsgd_cifar_labels labels, hsgd_error *err);

typedef enum hsgd_csv_header {
    HSGD_CSV_HEADER_AUTO, /* the first line is a header if none of its fields is a number; if some are, that is an error */
    HSGD_CSV_HEADER_NO,
    HSGD_CSV_HEADER_YES
} hsgd_csv_header;

typedef struct hsgd_csv_options {
    hsgd_csv_header header;
    const char *label_name; /* the label's column by its name in the header; NULL: by number */
    size_t label_number;    /* from 1; 0: the last */
} hsgd_csv_options;

/* Read a file of numbers separated by commas, semicolons or tabs (whichever the first line has most of), plain or
 * gzip-compressed. Fields may stand in double quotes; blank lines are skipped. Every line has as many fields as the
 * first; the label's becomes the class, the others the features, in order. Messages name the file, line and column. */
hsgd_status hsgd_dataset_read_csv(hsgd_dataset *out, const char *path, const hsgd_csv_options *options,
                                  hsgd_error *err);

/* For readers: set label, class_value and num_classes from the finite labels raw (data->num_samples >= 1), in any order. */
hsgd_status hsgd_dataset_set_classes(hsgd_dataset *data, const double *raw, hsgd_error *err);

typedef enum hsgd_scaling {
    HSGD_SCALING_NONE,
    HSGD_SCALING_MAX_ABS,   /* each feature divided by its largest absolute value; features that are 0 stay 0 */
    HSGD_SCALING_UNIT_NORM, /* each sample divided by its Euclidean norm; samples that are 0 stay 0 */
    HSGD_SCALING_STANDARD   /* each feature to mean 0 and mean square 1 (dense data only); constant features become 0 */
} hsgd_scaling;

/* "none", "max-abs", "unit-norm", "standard". The parser returns 0 on success, -1 for an unknown name. */
const char *hsgd_scaling_name(hsgd_scaling scaling);
int hsgd_scaling_parse(const char *name, hsgd_scaling *scaling);

/* Bytes stay bytes where that changes no number ("none", and "max-abs" where the largest value is 1 in every feature that
 * is not 0); else they become doubles.
 *
 * The numbers that features are divided by, and their means, are those of data; test (NULL: there is none) has the same
 * features and is scaled with the same numbers. Features that are 0 in all of data ("max-abs") stay as they are in test,
 * and those that are constant in data ("standard") become 0 there too. */
hsgd_status hsgd_dataset_scale(hsgd_dataset *data, hsgd_dataset *test, hsgd_scaling scaling, hsgd_error *err);

/* Append a feature that is 1 for every sample. Scale first: as a feature it would be scaled along, and "standard"
 * would turn it into 0. Bytes none of which stands for 1 become doubles. */
hsgd_status hsgd_dataset_add_intercept(hsgd_dataset *data, hsgd_error *err);

/* Put the samples into the order data[order[0]], data[order[1]], ...; order (num_samples) is a permutation.
 * Dense data and bytes move where they lie: no second copy of them is made. */
hsgd_status hsgd_dataset_reorder(hsgd_dataset *data, const size_t *order, hsgd_error *err);

/* Move a share of the samples, 0 < fraction < 1, to *test: drawn from (seed), at least one sample and not all. With
 * users, that share of each of them up to rounding, in their order, and no user loses all samples; test has no users.
 * Both keep the features and the classes. */
hsgd_status hsgd_dataset_split(hsgd_dataset *test, hsgd_dataset *data, double fraction, uint64_t seed, hsgd_error *err);

/* Give data, read from files of its own, the features and classes of model. Dense data with another number of features,
 * sparse data with more, features that both name, but differently, and labels that model does not have are errors that
 * say which. Bytes become doubles where model has doubles. */
hsgd_status hsgd_dataset_match(hsgd_dataset *data, const hsgd_dataset *model, hsgd_error *err);

/* Squared Euclidean norm of one sample. */
double hsgd_dataset_row_norm_sq(const hsgd_dataset *data, size_t sample);

#ifdef __cplusplus
}
#endif

#endif
