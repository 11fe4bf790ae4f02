/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training and test data: one data set cut in two, and two data sets made to fit each other. */
#include "analysis/dataset.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "analysis/dataset_private.h"
#include "analysis/random.h"

/* Partitions draw as worker 0 of the same purpose: the same seed gives them other numbers. */
enum { SPLIT_STREAM = 1 };

/* ---- which samples ---- */

/* Mark `wanted` of the samples first .. first + count - 1, drawn without replacement; room (count). */
static void mark_some(bool *is_test, size_t first, size_t count, size_t wanted, gsl_rng *rng, size_t *room)
{
    for (size_t i = 0; i < count; i++)
        room[i] = first + i;
    gsl_ran_shuffle(rng, room, count, sizeof *room);
    for (size_t i = 0; i < wanted; i++)
        is_test[room[i]] = true;
}

/* The share of the first `count` samples, rounded. Differences of these give every user its share up to rounding, and
 * all of them together theirs. */
static size_t share(double fraction, size_t count)
{
    return (size_t)floor(fraction * (double)count + 0.5);
}

/* Returns how many samples are marked. */
static size_t mark_users(bool *is_test, const hsgd_dataset *data, double fraction, gsl_rng *rng, size_t *room)
{
    size_t marked = 0;
    for (size_t k = 0; k < data->num_users; k++) {
        size_t begin = data->user_start[k], end = data->user_start[k + 1];
        size_t wanted = share(fraction, end) - share(fraction, begin);
        if (wanted > end - begin - 1)
            wanted = end - begin - 1;
        mark_some(is_test, begin, end - begin, wanted, rng, room);
        marked += wanted;
    }
    return marked;
}

static hsgd_status mark(bool *is_test, size_t *marked, const hsgd_dataset *data, double fraction, uint64_t seed,
                        hsgd_error *err)
{
    const hsgd_stream stream = {.seed = seed, .purpose = HSGD_PURPOSE_PARTITION, .worker = SPLIT_STREAM};
    size_t m = data->num_samples;
    gsl_rng *rng = hsgd_stream_rng(&stream);
    size_t *room = malloc(m * sizeof *room);
    hsgd_status status = rng && room ? HSGD_OK : hsgd_fail_memory(err, "choosing the test samples");
    if (!status && data->user_start)
        *marked = mark_users(is_test, data, fraction, rng, room);
    else if (!status) {
        *marked = share(fraction, m);
        mark_some(is_test, 0, m, *marked, rng, room);
    }
    if (!status && (*marked < 1 || *marked >= m))
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "%g of %zu samples leaves %zu for testing and %zu for training",
                           fraction, m, *marked, m - *marked);
    free(room);
    gsl_rng_free(rng);
    return status;
}

/* ---- moving them ---- */

static size_t count_entries(const hsgd_dataset *data, const bool *is_test, bool wanted)
{
    size_t entries = 0;
    for (size_t s = 0; s < data->num_samples; s++)
        if (is_test[s] == wanted)
            entries += data->row_start ? data->row_start[s + 1] - data->row_start[s] : data->num_features;
    return entries;
}

/* Room for `count` samples with `entries` numbers in all, and the classes. Half-built on failure. */
static hsgd_status allocate(hsgd_dataset *to, const hsgd_dataset *from, size_t count, size_t entries, hsgd_error *err)
{
    *to = (hsgd_dataset){.num_samples = count, .num_features = from->num_features, .num_classes = from->num_classes};
    to->label = malloc(count * sizeof *to->label);
    to->class_value = malloc(from->num_classes * sizeof *to->class_value);
    memcpy(to->byte_value, from->byte_value, sizeof to->byte_value);
    if (from->dense)
        to->dense = malloc(entries * sizeof *to->dense);
    else if (from->byte)
        to->byte = malloc(entries);
    else {
        to->row_start = malloc((count + 1) * sizeof *to->row_start);
        to->column = malloc((entries + 1) * sizeof *to->column);
        to->value = malloc((entries + 1) * sizeof *to->value);
    }
    bool rows = to->dense || to->byte || (to->row_start && to->column && to->value);
    if (!rows || !to->label || !to->class_value)
        return hsgd_fail_memory(err, "the test samples");
    memcpy(to->class_value, from->class_value, from->num_classes * sizeof *to->class_value);
    if (from->feature_names && !(to->feature_names = strdup(from->feature_names)))
        return hsgd_fail_memory(err, "the names of the features");
    return HSGD_OK;
}

static void copy_row(hsgd_dataset *to, size_t row, size_t *filled, const hsgd_dataset *from, size_t sample)
{
    size_t p = from->num_features;
    to->label[row] = from->label[sample];
    if (from->dense)
        memcpy(to->dense + row * p, from->dense + sample * p, p * sizeof *to->dense);
    if (from->byte)
        memcpy(to->byte + row * p, from->byte + sample * p, p);
    if (!from->row_start)
        return;
    size_t begin = from->row_start[sample], count = from->row_start[sample + 1] - begin;
    memcpy(to->column + *filled, from->column + begin, count * sizeof *to->column);
    memcpy(to->value + *filled, from->value + begin, count * sizeof *to->value);
    to->row_start[row] = *filled;
    to->row_start[row + 1] = *filled += count;
}

static hsgd_status take(hsgd_dataset *to, const hsgd_dataset *from, const bool *is_test, bool wanted, size_t count,
                        hsgd_error *err)
{
    hsgd_status status = allocate(to, from, count, count_entries(from, is_test, wanted), err);
    size_t row = 0, filled = 0;
    for (size_t s = 0; s < from->num_samples && !status; s++)
        if (is_test[s] == wanted)
            copy_row(to, row++, &filled, from, s);
    return status;
}

/* Where the users' samples are once those for testing have left. */
static hsgd_status take_users(hsgd_dataset *train, const hsgd_dataset *data, const bool *is_test, hsgd_error *err)
{
    if (!data->user_start)
        return HSGD_OK;
    train->user_start = calloc(data->num_users + 1, sizeof *train->user_start);
    if (!train->user_start)
        return hsgd_fail_memory(err, "the users");
    train->num_users = data->num_users;
    for (size_t k = 0; k < data->num_users; k++) {
        size_t kept = 0;
        for (size_t s = data->user_start[k]; s < data->user_start[k + 1]; s++)
            kept += !is_test[s];
        train->user_start[k + 1] = train->user_start[k] + kept;
    }
    return HSGD_OK;
}

hsgd_status hsgd_dataset_split(hsgd_dataset *test, hsgd_dataset *data, double fraction, uint64_t seed, hsgd_error *err)
{
    memset(test, 0, sizeof *test);
    if (!(fraction > 0 && fraction < 1))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "a test fraction of %g is not between 0 and 1", fraction);
    if (data->num_samples > UINT32_MAX)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%zu samples are too many to shuffle; at most %lu", data->num_samples,
                         (unsigned long)UINT32_MAX);
    hsgd_dataset train = {0};
    size_t marked = 0;
    bool *is_test = calloc(data->num_samples, sizeof *is_test);
    hsgd_status status = is_test ? mark(is_test, &marked, data, fraction, seed, err)
                                 : hsgd_fail_memory(err, "choosing the test samples");
    if (!status)
        status = take(test, data, is_test, true, marked, err);
    if (!status)
        status = take(&train, data, is_test, false, data->num_samples - marked, err);
    if (!status)
        status = take_users(&train, data, is_test, err);
    free(is_test);
    if (status) {
        hsgd_dataset_free(test);
        hsgd_dataset_free(&train);
        return status;
    }
    hsgd_dataset_free(data);
    *data = train;
    return HSGD_OK;
}

/* ---- fitting ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static hsgd_status match_features(hsgd_dataset *data, const hsgd_dataset *model, hsgd_error *err)
{
    bool fits = data->row_start ? data->num_features <= model->num_features : data->num_features == model->num_features;
    if (!fits || !data->row_start != !model->row_start)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%zu features, but the training data have %zu", data->num_features,
                         model->num_features);
    data->num_features = model->num_features;
    return model->dense ? hsgd_dataset_to_doubles(data, err) : HSGD_OK;
}

/* The first feature that the two call by different names. */
static hsgd_status match_names(const hsgd_dataset *data, const hsgd_dataset *model, hsgd_error *err)
{
    const char *name = data->feature_names, *other = model->feature_names;
    for (size_t i = 1; name && other && *name && *other; i++) {
        size_t length = strcspn(name, "\n"), other_length = strcspn(other, "\n");
        if (length != other_length || memcmp(name, other, length) != 0)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "feature %zu is \"%.*s\", but \"%.*s\" in the training data", i,
                             hsgd_shown(name, name + length), name, hsgd_shown(other, other + other_length), other);
        name += length + 1;
        other += other_length + 1;
    }
    return HSGD_OK;
}

/* index (data->num_classes): the model's class of each class of data. */
static hsgd_status match_classes(uint32_t *index, const hsgd_dataset *data, const hsgd_dataset *model, hsgd_error *err)
{
    for (size_t c = 0; c < data->num_classes; c++) {
        const double *found = bsearch(&data->class_value[c], model->class_value, model->num_classes,
                                      sizeof *model->class_value, compare_doubles);
        if (!found)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "the label %g is not one of the %zu that the training data have",
                             data->class_value[c], model->num_classes);
        index[c] = (uint32_t)(found - model->class_value);
    }
    return HSGD_OK;
}

hsgd_status hsgd_dataset_match(hsgd_dataset *data, const hsgd_dataset *model, hsgd_error *err)
{
    hsgd_status status = match_features(data, model, err);
    if (!status)
        status = match_names(data, model, err);
    if (status)
        return status;
    uint32_t *index = malloc(data->num_classes * sizeof *index);
    double *value = malloc(model->num_classes * sizeof *value);
    status = index && value ? match_classes(index, data, model, err) : hsgd_fail_memory(err, "the classes");
    if (!status) {
        for (size_t s = 0; s < data->num_samples; s++)
            data->label[s] = index[data->label[s]];
        memcpy(value, model->class_value, model->num_classes * sizeof *value);
        free(data->class_value);
        data->class_value = value;
        data->num_classes = model->num_classes;
        value = NULL;
    }
    free(value);
    free(index);
    return status;
}
