/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/image.h"
#include "analysis/text_stream.h"
#include "experiments/leaf.h"

static const char *const format_names[] = {
    [HSGD_DATA_LIBSVM] = "libsvm",   [HSGD_DATA_IDX] = "idx",   [HSGD_DATA_CIFAR] = "cifar",
    [HSGD_DATA_CSV] = "csv",         [HSGD_DATA_LEAF] = "leaf", [HSGD_DATA_SYNTHETIC] = "synthetic",
    [HSGD_DATA_MIXTURE] = "mixture",
};
_Static_assert(sizeof format_names / sizeof *format_names == HSGD_NUM_DATA_FORMATS, "each format has a name");

const char *hsgd_data_format_name(size_t format)
{
    return format < HSGD_NUM_DATA_FORMATS ? format_names[format] : "unknown";
}

bool hsgd_data_has_users(hsgd_data_format format)
{
    return format == HSGD_DATA_LEAF || format == HSGD_DATA_SYNTHETIC;
}

bool hsgd_data_is_generated(hsgd_data_format format)
{
    return format == HSGD_DATA_SYNTHETIC || format == HSGD_DATA_MIXTURE;
}

static void free_files(hsgd_data_files *files)
{
    for (size_t i = 0; i < files->num_paths; i++)
        free(files->path[i]);
    free(files->path);
    free(files->labels);
}

void hsgd_data_config_free(hsgd_data_config *config)
{
    if (!config)
        return;
    free_files(&config->train);
    free_files(&config->test);
    free(config->label_name);
    free(config->images);
    memset(config, 0, sizeof *config);
}

/* ---- files ---- */

/* The commonest mistake with experiment files that come without their data. NULL: there is nothing to look for. */
static hsgd_status check_there(const char *path, hsgd_error *err)
{
    if (!path || access(path, F_OK) == 0)
        return HSGD_OK;
    const char *reason = strerror(errno), *data_dir = getenv("HSGD_DATA_DIR");
    bool set = data_dir && *data_dir;
    return hsgd_fail(err, HSGD_ERROR_INPUT,
                     "%s: %s; put it there, or set HSGD_DATA_DIR%s%s%s to the folder that has it", path, reason,
                     set ? ", now " : "", set ? data_dir : "", set ? "," : "");
}

static hsgd_status check_all_there(const hsgd_data_files *files, hsgd_error *err)
{
    hsgd_status status = check_there(files->labels, err);
    for (size_t i = 0; i < files->num_paths && !status; i++)
        status = check_there(files->path[i], err);
    return status;
}

static hsgd_status check_folder(const char *images, hsgd_error *err)
{
    struct stat info;
    hsgd_status status = check_there(images, err);
    if (!status && images && stat(images, &info) == 0 && !S_ISDIR(info.st_mode))
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "%s: not a folder; \"images\" is the one that has the image files",
                           images);
    return status;
}

/* Everything that is asked for, before anything is read: reading may take long. */
static hsgd_status check_files(const hsgd_data_config *config, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    if (config->images && !hsgd_image_is_there()) {
        status = hsgd_image_read_jpeg(NULL, NULL, 1, 1, NULL, err); /* it knows what to say */
        hsgd_error_prefix(err, "problem.data.images: ");
    }
    if (!status)
        status = check_all_there(&config->train, err);
    if (!status)
        status = check_folder(config->images, err);
    return status ? status : check_all_there(&config->test, err);
}

static hsgd_status add_file(hsgd_data_summary *summary, const char *path)
{
    struct stat info;
    if (path && stat(path, &info) == 0) {
        summary->num_files++;
        summary->bytes += (double)info.st_size;
    }
    return HSGD_OK;
}

/* A path may be a folder of LEAF files. */
static hsgd_status add_path(hsgd_data_summary *summary, const char *path, hsgd_error *err)
{
    char **file;
    size_t num_files;
    hsgd_status status = hsgd_leaf_files(&file, &num_files, path, err);
    for (size_t i = 0; i < num_files && !status; i++)
        status = add_file(summary, file[i]);
    hsgd_leaf_files_free(file, num_files);
    return status;
}

static hsgd_status count_files(hsgd_data_summary *summary, const hsgd_data_files *files, hsgd_error *err)
{
    hsgd_status status = add_file(summary, files->labels);
    for (size_t i = 0; i < files->num_paths && !status; i++)
        status = add_path(summary, files->path[i], err);
    return status;
}

/* ---- reading ---- */

static hsgd_status read_leaf(hsgd_dataset *out, hsgd_data_summary *summary, const hsgd_data_files *files,
                             const hsgd_data_config *config, hsgd_error *err)
{
    const char *const *path = (const char *const *)files->path;
    hsgd_leaf_images images = {.folder = config->images, .rows = config->image_rows, .columns = config->image_columns};
    if (!config->images)
        return hsgd_leaf_read(out, path, files->num_paths, err);
    if (!(images.checksum = hsgd_checksum_alloc()))
        return hsgd_fail_memory(err, "a checksum");
    hsgd_status status = hsgd_leaf_read_images(out, &images, path, files->num_paths, err);
    hsgd_checksum_finish(images.checksum,
                         files == &config->test ? summary->test_images_sha256 : summary->images_sha256);
    hsgd_checksum_free(images.checksum);
    summary->num_images += images.num_images;
    summary->image_bytes += images.bytes;
    return status;
}

static hsgd_status read_files(hsgd_dataset *out, hsgd_data_summary *summary, const hsgd_data_files *files,
                              const hsgd_data_config *config, hsgd_error *err)
{
    const hsgd_csv_options csv = {config->csv_header, config->label_name, config->label_number};
    const char *const *path = (const char *const *)files->path;
    switch (config->format) {
    case HSGD_DATA_LIBSVM:
        return hsgd_dataset_read_libsvm(out, path[0], err);
    case HSGD_DATA_IDX:
        return hsgd_dataset_read_idx(out, path[0], files->labels, err);
    case HSGD_DATA_CIFAR:
        return hsgd_dataset_read_cifar(out, path, files->num_paths, config->cifar_labels, err);
    case HSGD_DATA_CSV:
        return hsgd_dataset_read_csv(out, path[0], &csv, err);
    case HSGD_DATA_LEAF:
        return read_leaf(out, summary, files, config, err);
    case HSGD_DATA_SYNTHETIC:
    case HSGD_DATA_MIXTURE:
        break;
    }
    return hsgd_fail(err, HSGD_ERROR_INPUT, "format %d has no files", (int)config->format);
}

static hsgd_status generate(hsgd_dataset *out, const hsgd_data_config *config, size_t num_workers, hsgd_error *err)
{
    hsgd_synthetic_options options = config->synthetic;
    if (options.num_users == 0)
        options.num_users = num_workers;
    hsgd_status status = config->format == HSGD_DATA_MIXTURE ? hsgd_mixture_generate(out, &config->mixture, err)
                                                             : hsgd_synthetic_generate(out, &options, err);
    if (status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(err, "problem.data: ");
    return status;
}

/* Test data: from files of their own, which must fit, or set aside. */
static hsgd_status read_test(hsgd_dataset *test, hsgd_dataset *train, hsgd_data_summary *summary,
                             const hsgd_data_config *config, hsgd_error *err)
{
    if (config->test.num_paths) {
        hsgd_status status = read_files(test, summary, &config->test, config, err);
        if (!status && (status = hsgd_dataset_match(test, train, err)))
            hsgd_error_prefix(err, "problem.data.test: %s: ", config->test.path[0]);
        return status;
    }
    if (config->test_fraction == 0)
        return HSGD_OK;
    hsgd_status status = hsgd_dataset_split(test, train, config->test_fraction, config->test_seed, err);
    if (status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(err, "problem.data.test_fraction: ");
    return status;
}

static hsgd_status prepare(hsgd_dataset *train, hsgd_dataset *test, const hsgd_data_config *config, hsgd_error *err)
{
    hsgd_dataset *tested = test->num_samples ? test : NULL;
    hsgd_status status = hsgd_dataset_scale(train, tested, config->scaling, err);
    if (!status && config->intercept)
        status = hsgd_dataset_add_intercept(train, err);
    if (!status && config->intercept && tested)
        status = hsgd_dataset_add_intercept(test, err);
    return status;
}

hsgd_status hsgd_data_read(hsgd_dataset *train, hsgd_dataset *test, hsgd_data_summary *summary,
                           const hsgd_data_config *config, size_t num_workers, hsgd_error *err)
{
    memset(train, 0, sizeof *train);
    memset(test, 0, sizeof *test);
    *summary = (hsgd_data_summary){0};
    hsgd_status status = check_files(config, err);
    if (!status)
        status = hsgd_data_is_generated(config->format) ? generate(train, config, num_workers, err)
                                                        : read_files(train, summary, &config->train, config, err);
    if (!status)
        status = read_test(test, train, summary, config, err);
    if (!status)
        status = prepare(train, test, config, err);
    if (!status)
        status = count_files(summary, &config->train, err);
    if (!status)
        status = count_files(summary, &config->test, err);
    if (status) {
        hsgd_dataset_free(train);
        hsgd_dataset_free(test);
        return status;
    }
    summary->num_samples = train->num_samples;
    summary->num_features = train->num_features;
    summary->num_classes = train->num_classes;
    summary->num_users = train->num_users;
    summary->num_test_samples = test->num_samples;
    return HSGD_OK;
}

/* ---- what was read, in words ---- */

enum { NAMES_SHOWN = 6 };

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* Names are shown as long as there are few; *shown counts them. */
static void put_name(FILE *out, const char *path, size_t *shown)
{
    if (!path || *shown > NAMES_SHOWN)
        return;
    const char *before = *shown ? ", " : ": ";
    if (++*shown > NAMES_SHOWN) {
        fputs(", ...", out);
        return;
    }
    const char *slash = strrchr(path, '/');
    fputs(before, out);
    for (const char *c = slash && slash[1] ? slash + 1 : path; *c; c++)
        fputc((unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c, out); /* control characters could do harm */
}

/* The image files are too many to name. */
static void put_images(FILE *out, const hsgd_data_summary *summary, const hsgd_data_config *config)
{
    size_t shown = 0;
    fprintf(out, "; %zu image%s of %.0f bytes, resized to %zu x %zu", summary->num_images, plural(summary->num_images),
            summary->image_bytes, config->image_rows, config->image_columns);
    put_name(out, config->images, &shown);
}

static void put_names(FILE *out, const hsgd_data_files *files, size_t *shown)
{
    for (size_t i = 0; i < files->num_paths; i++)
        put_name(out, files->path[i], shown);
    put_name(out, files->labels, shown);
}

char *hsgd_data_describe(const hsgd_data_summary *summary, const hsgd_data_config *config)
{
    hsgd_text_stream memory;
    FILE *out = hsgd_text_open(&memory);
    if (!out)
        return NULL;
    fprintf(out, "%zu sample%s of %zu feature%s in %zu class%s", summary->num_samples, plural(summary->num_samples),
            summary->num_features, plural(summary->num_features), summary->num_classes,
            summary->num_classes == 1 ? "" : "es");
    if (summary->num_users)
        fprintf(out, ", %zu user%s", summary->num_users, plural(summary->num_users));
    if (summary->num_test_samples)
        fprintf(out, ", %zu test sample%s", summary->num_test_samples, plural(summary->num_test_samples));
    size_t shown = 0;
    if (summary->num_files)
        fprintf(out, ", from %zu file%s of %.0f bytes", summary->num_files, plural(summary->num_files), summary->bytes);
    else
        fputs(", generated", out);
    put_names(out, &config->train, &shown);
    put_names(out, &config->test, &shown);
    if (config->images)
        put_images(out, summary, config);
    return hsgd_text_close(&memory, out);
}
