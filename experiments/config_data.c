/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The "data" object of a configuration. */
#include "experiments/config_private.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/image.h"

/* Rows and columns of images when "image_size" does not say: those of LEAF's model of CelebA. */
enum { DEFAULT_IMAGE_SIDE = 84 };

enum { NUM_SCALINGS = HSGD_SCALING_STANDARD + 1, MAX_PATHS = 1000000 };

/* What "labels" of CIFAR-100 may be; the values stand in the order of hsgd_cifar_labels, after CIFAR-10. */
static const char *const cifar_label_names[] = {"fine", "coarse", NULL};

static const char *scaling_name(size_t i)
{
    return hsgd_scaling_name((hsgd_scaling)i);
}

/* ---- paths ---- */

/* PATH itself if absolute; else next to the configuration; else in HSGD_DATA_DIR. The first that exists, or the one
 * next to the configuration, whose absence the reader of the data will report. */
static char *search(const char *config_file, const char *path)
{
    char *found = NULL;
    const char *slash = strrchr(config_file, '/'), *data_dir = getenv("HSGD_DATA_DIR");
    if (*path == '/' || !slash)
        found = strdup(path);
    else if (asprintf(&found, "%.*s/%s", (int)(slash - config_file), config_file, path) < 0)
        found = NULL;
    if (!found || access(found, F_OK) == 0 || *path == '/' || !data_dir || !*data_dir)
        return found;
    char *elsewhere;
    if (asprintf(&elsewhere, "%s/%s", data_dir, path) < 0)
        elsewhere = NULL;
    bool there = elsewhere && access(elsewhere, F_OK) == 0;
    free(there || !elsewhere ? found : elsewhere);
    return there || !elsewhere ? elsewhere : found;
}

static hsgd_status read_path(char **out, const hsgd_json *at, hsgd_error *err)
{
    const char *path;
    hsgd_status status = hsgd_json_text(at, &path, err);
    if (status)
        return status;
    char *found = search(at->file, path);
    *out = found ? realpath(found, NULL) : NULL;
    if (!*out && found && errno != ENOMEM)
        *out = found; /* its absence is reported by the reader of the data */
    else
        free(found);
    return *out ? HSGD_OK : hsgd_fail_memory(err, "a path");
}

/* One path, or an array of them. */
static hsgd_status read_paths(hsgd_data_files *out, const hsgd_json *at, bool several, hsgd_error *err)
{
    size_t count = 1;
    bool list = several && cJSON_IsArray(at->value);
    hsgd_status status = list ? hsgd_json_array(at, 1, &count, err) : HSGD_OK;
    if (!status && count > MAX_PATHS)
        status =
            hsgd_json_fail(at, err, "%zu paths; at most %d are read, but a folder may hold more", count, MAX_PATHS);
    if (status)
        return status;
    out->path = calloc(count, sizeof *out->path);
    if (!out->path)
        return hsgd_fail_memory(err, at->path);
    const cJSON *item = list ? at->value->child : NULL;
    for (; out->num_paths < count && !status; out->num_paths += !status) {
        hsgd_json place = list ? hsgd_json_next(at, &item, out->num_paths) : *at;
        status = read_path(&out->path[out->num_paths], &place, err);
    }
    return status;
}

/* The members that say where the files of a format are, in "data" itself or in its "test". */
static hsgd_status read_files(hsgd_data_files *out, hsgd_data_format format, const hsgd_json *at, hsgd_error *err)
{
    bool idx = format == HSGD_DATA_IDX, several = format == HSGD_DATA_CIFAR || format == HSGD_DATA_LEAF;
    hsgd_json path = hsgd_json_member(at, idx ? "images" : "path"), labels = hsgd_json_member(at, "labels");
    hsgd_status status = read_paths(out, &path, several, err);
    return !status && idx ? read_path(&out->labels, &labels, err) : status;
}

/* ---- what only some formats have ---- */

static hsgd_status read_cifar(hsgd_data_config *data, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json labels = hsgd_json_member(at, "labels");
    size_t choice = 0;
    hsgd_status status = labels.value ? hsgd_json_choice(&labels, cifar_label_names, &choice, err) : HSGD_OK;
    data->cifar_labels = labels.value ? (hsgd_cifar_labels)(HSGD_CIFAR_100_FINE + choice) : HSGD_CIFAR_10;
    return status;
}

static hsgd_status read_csv(hsgd_data_config *data, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json column = hsgd_json_member(at, "label_column"), header = hsgd_json_member(at, "header");
    bool has_header = false;
    hsgd_status status = HSGD_OK;
    if (cJSON_IsString(column.value))
        status = hsgd_json_copy_text(&column, &data->label_name, err);
    else if (cJSON_IsNumber(column.value))
        status = hsgd_json_count(&column, 1, SIZE_MAX, &data->label_number, err);
    else if (column.value)
        status = hsgd_json_fail(&column, err, "expected a name from the header or a number from 1");
    if (!status && header.value && !(status = hsgd_json_bool(&header, &has_header, err)))
        data->csv_header = has_header ? HSGD_CSV_HEADER_YES : HSGD_CSV_HEADER_NO;
    return status;
}

static hsgd_status read_image_size(hsgd_data_config *data, const hsgd_json *at, hsgd_error *err)
{
    size_t *side = NULL, length = 0;
    hsgd_status status = hsgd_json_counts(at, 1, HSGD_MAX_IMAGE_SIDE, &side, &length, err);
    if (!status && length != 2)
        status = hsgd_json_fail(at, err, "%zu numbers; expected [rows, columns]", length);
    if (!status) {
        data->image_rows = side[0];
        data->image_columns = side[1];
    }
    free(side);
    return status;
}

/* Samples that are names of image files. */
static hsgd_status read_leaf(hsgd_data_config *data, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json images = hsgd_json_member(at, "images"), size = hsgd_json_member(at, "image_size");
    if (size.value && !images.value)
        return hsgd_json_fail(&size, err, "is of no use without \"images\", the folder of the image files");
    if (!images.value)
        return HSGD_OK;
    data->image_rows = data->image_columns = DEFAULT_IMAGE_SIDE;
    hsgd_status status = read_path(&data->images, &images, err);
    return !status && size.value ? read_image_size(data, &size, err) : status;
}

static hsgd_status read_count(size_t *out, const hsgd_json *at, const char *key, size_t low, size_t high,
                              hsgd_error *err)
{
    hsgd_json member = hsgd_json_member(at, key);
    return member.value ? hsgd_json_count(&member, low, high, out, err) : HSGD_OK;
}

static hsgd_status read_synthetic(hsgd_synthetic_options *options, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json iid = hsgd_json_member(at, "iid"), alpha = hsgd_json_member(at, "alpha");
    hsgd_json beta = hsgd_json_member(at, "beta"), seed = hsgd_json_member(at, "seed");
    hsgd_status status = iid.value ? hsgd_json_bool(&iid, &options->iid, err) : HSGD_OK;
    if (!status && options->iid)
        options->alpha = options->beta = 0;
    if (!status && (alpha.value || !options->iid))
        status = hsgd_json_number(&alpha, 0, options->iid ? 0 : 1e100, &options->alpha, err);
    if (!status && (beta.value || !options->iid))
        status = hsgd_json_number(&beta, 0, options->iid ? 0 : 1e100, &options->beta, err);
    if (!status)
        status = hsgd_json_seed(&seed, &options->seed, err);
    if (!status)
        status = read_count(&options->num_users, at, "users", 1, 100000000, err);
    if (!status)
        status = read_count(&options->features, at, "features", 1, 100000000, err);
    if (!status)
        status = read_count(&options->classes, at, "classes", 2, 1000000, err);
    return status ? status : read_count(&options->max_samples, at, "max_samples", 1, 1000000000, err);
}

static hsgd_status read_mixture(hsgd_mixture_options *options, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json spread = hsgd_json_member(at, "spread"), seed = hsgd_json_member(at, "seed");
    hsgd_status status = spread.value ? hsgd_json_positive(&spread, &options->spread, err) : HSGD_OK;
    if (!status && options->spread > 1e100)
        status = hsgd_json_fail(&spread, err, "expected a number above 0 and at most 1e100");
    if (!status)
        status = hsgd_json_seed(&seed, &options->seed, err);
    if (!status)
        status = read_count(&options->features, at, "features", 1, 100000000, err);
    if (!status)
        status = read_count(&options->classes, at, "classes", 2, 1000000, err);
    if (!status)
        status = read_count(&options->clusters, at, "clusters", 1, 1000000, err);
    return status ? status : read_count(&options->samples_per_class, at, "samples_per_class", 1, 1000000000, err);
}

/* ---- test data ---- */

static hsgd_status read_test(hsgd_data_config *data, const hsgd_json *at, hsgd_error *err)
{
    static const char *const path_keys[] = {"path", NULL}, *const idx_keys[] = {"images", "labels", NULL};
    hsgd_json test = hsgd_json_member(at, "test"), fraction = hsgd_json_member(at, "test_fraction");
    hsgd_json seed = hsgd_json_member(at, "test_seed");
    hsgd_status status = HSGD_OK;
    if (test.value && fraction.value)
        status = hsgd_json_fail(&fraction, err, "stands beside \"test\"; give one of them");
    if (!status && seed.value && !fraction.value)
        status = hsgd_json_fail(&seed, err, "draws nothing without \"test_fraction\"");
    if (!status && test.value)
        status = hsgd_json_object(&test, data->format == HSGD_DATA_IDX ? idx_keys : path_keys, err);
    if (!status && test.value)
        status = read_files(&data->test, data->format, &test, err);
    if (!status && fraction.value)
        status = hsgd_json_positive(&fraction, &data->test_fraction, err);
    if (!status && !(data->test_fraction < 1))
        status = hsgd_json_fail(&fraction, err, "expected a number between 0 and 1");
    return status ? status : hsgd_json_seed(&seed, &data->test_seed, err);
}

/* ---- the whole object ---- */

#define COMMON_KEYS "scaling", "intercept", "test_fraction", "test_seed", NULL
enum { MAX_KEYS = 16 };

static const char *const keys_of[][MAX_KEYS] = {
    [HSGD_DATA_LIBSVM] = {"format", "path", "test", COMMON_KEYS},
    [HSGD_DATA_IDX] = {"format", "images", "labels", "test", COMMON_KEYS},
    [HSGD_DATA_CIFAR] = {"format", "path", "labels", "test", COMMON_KEYS},
    [HSGD_DATA_CSV] = {"format", "path", "label_column", "header", "test", COMMON_KEYS},
    [HSGD_DATA_LEAF] = {"format", "path", "images", "image_size", "test", COMMON_KEYS},
    [HSGD_DATA_SYNTHETIC] = {"format", "alpha", "beta", "iid", "seed", "users", "features", "classes", "max_samples",
                             COMMON_KEYS},
    [HSGD_DATA_MIXTURE] = {"format", "features", "classes", "clusters", "samples_per_class", "spread", "seed",
                           COMMON_KEYS},
};
_Static_assert(sizeof keys_of / sizeof *keys_of == HSGD_NUM_DATA_FORMATS, "each format has keys");

static hsgd_status read_format(hsgd_data_config *data, const hsgd_json *at, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    if (!hsgd_data_is_generated(data->format))
        status = read_files(&data->train, data->format, at, err);
    if (status)
        return status;
    switch (data->format) {
    case HSGD_DATA_CIFAR:
        return read_cifar(data, at, err);
    case HSGD_DATA_CSV:
        return read_csv(data, at, err);
    case HSGD_DATA_LEAF:
        return read_leaf(data, at, err);
    case HSGD_DATA_SYNTHETIC:
        return read_synthetic(&data->synthetic, at, err);
    case HSGD_DATA_MIXTURE:
        return read_mixture(&data->mixture, at, err);
    case HSGD_DATA_LIBSVM:
    case HSGD_DATA_IDX:
        break;
    }
    return HSGD_OK;
}

hsgd_status hsgd_config_read_data(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    hsgd_data_config *data = &config->data;
    hsgd_json format = hsgd_json_member(at, "format"), scaling = hsgd_json_member(at, "scaling");
    hsgd_json intercept = hsgd_json_member(at, "intercept");
    size_t choice = 0;
    hsgd_synthetic_defaults(&data->synthetic);
    hsgd_mixture_defaults(&data->mixture);
    data->synthetic.num_users = 0;
    data->test_seed = 1;
    hsgd_status status = cJSON_IsObject(at->value)
                             ? hsgd_json_choice_of(&format, hsgd_data_format_name, HSGD_NUM_DATA_FORMATS, &choice, err)
                             : hsgd_json_fail(at, err, "expected an object with a \"format\"");
    data->format = (hsgd_data_format)choice;
    if (!status)
        status = hsgd_json_object(at, keys_of[choice], err);
    if (!status)
        status = read_format(data, at, err);
    if (!status && scaling.value && !(status = hsgd_json_choice_of(&scaling, scaling_name, NUM_SCALINGS, &choice, err)))
        data->scaling = (hsgd_scaling)choice;
    if (!status && intercept.value)
        status = hsgd_json_bool(&intercept, &data->intercept, err);
    return status ? status : read_test(data, at, err);
}

/* ---- writing ---- */

static void add_files(cJSON *object, const hsgd_data_files *files, hsgd_data_format format)
{
    if (files->num_paths == 1)
        cJSON_AddStringToObject(object, format == HSGD_DATA_IDX ? "images" : "path", files->path[0]);
    else
        cJSON_AddItemToObject(object, "path",
                              cJSON_CreateStringArray((const char *const *)files->path, (int)files->num_paths));
    if (files->labels)
        cJSON_AddStringToObject(object, "labels", files->labels);
}

static void add_images(cJSON *object, const hsgd_data_config *data)
{
    const int side[] = {(int)data->image_rows, (int)data->image_columns};
    cJSON_AddStringToObject(object, "images", data->images);
    cJSON_AddItemToObject(object, "image_size", cJSON_CreateIntArray(side, 2));
}

static void add_csv(cJSON *object, const hsgd_data_config *data)
{
    if (data->label_name)
        cJSON_AddStringToObject(object, "label_column", data->label_name);
    else if (data->label_number)
        cJSON_AddNumberToObject(object, "label_column", (double)data->label_number);
    if (data->csv_header != HSGD_CSV_HEADER_AUTO)
        cJSON_AddBoolToObject(object, "header", data->csv_header == HSGD_CSV_HEADER_YES);
}

static void add_synthetic(cJSON *object, const hsgd_synthetic_options *options, size_t num_workers)
{
    cJSON_AddNumberToObject(object, "alpha", options->alpha);
    cJSON_AddNumberToObject(object, "beta", options->beta);
    cJSON_AddBoolToObject(object, "iid", options->iid);
    cJSON_AddNumberToObject(object, "seed", (double)options->seed);
    cJSON_AddNumberToObject(object, "users", (double)(options->num_users ? options->num_users : num_workers));
    cJSON_AddNumberToObject(object, "features", (double)options->features);
    cJSON_AddNumberToObject(object, "classes", (double)options->classes);
    cJSON_AddNumberToObject(object, "max_samples", (double)options->max_samples);
}

static void add_mixture(cJSON *object, const hsgd_mixture_options *options)
{
    cJSON_AddNumberToObject(object, "features", (double)options->features);
    cJSON_AddNumberToObject(object, "classes", (double)options->classes);
    cJSON_AddNumberToObject(object, "clusters", (double)options->clusters);
    cJSON_AddNumberToObject(object, "samples_per_class", (double)options->samples_per_class);
    cJSON_AddNumberToObject(object, "spread", options->spread);
    cJSON_AddNumberToObject(object, "seed", (double)options->seed);
}

cJSON *hsgd_config_data_to_json(const hsgd_config *config)
{
    const hsgd_data_config *data = &config->data;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "format", hsgd_data_format_name(data->format));
    if (data->train.num_paths)
        add_files(object, &data->train, data->format);
    if (data->format == HSGD_DATA_CIFAR && data->cifar_labels != HSGD_CIFAR_10)
        cJSON_AddStringToObject(object, "labels", cifar_label_names[data->cifar_labels - HSGD_CIFAR_100_FINE]);
    if (data->images)
        add_images(object, data);
    if (data->format == HSGD_DATA_CSV)
        add_csv(object, data);
    if (data->format == HSGD_DATA_SYNTHETIC)
        add_synthetic(object, &data->synthetic, config->hierarchy.num_workers);
    if (data->format == HSGD_DATA_MIXTURE)
        add_mixture(object, &data->mixture);
    if (data->test.num_paths)
        add_files(cJSON_AddObjectToObject(object, "test"), &data->test, data->format);
    if (data->test_fraction > 0) {
        cJSON_AddNumberToObject(object, "test_fraction", data->test_fraction);
        cJSON_AddNumberToObject(object, "test_seed", (double)data->test_seed);
    }
    cJSON_AddStringToObject(object, "scaling", scaling_name(data->scaling));
    cJSON_AddBoolToObject(object, "intercept", data->intercept);
    return object;
}
