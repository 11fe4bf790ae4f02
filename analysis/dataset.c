/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/dataset.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/dataset_private.h"

void hsgd_dataset_free(hsgd_dataset *data)
{
    if (!data)
        return;
    free(data->dense);
    free(data->byte);
    free(data->row_start);
    free(data->column);
    free(data->value);
    free(data->label);
    free(data->class_value);
    free(data->user_start);
    free(data->feature_names);
    memset(data, 0, sizeof *data);
}

/* The stored numbers of one sample of doubles, and how many there are. */
static double *row_values(const hsgd_dataset *data, size_t sample, size_t *count)
{
    if (data->dense) {
        *count = data->num_features;
        return data->dense + sample * data->num_features;
    }
    *count = data->row_start[sample + 1] - data->row_start[sample];
    return data->value + data->row_start[sample];
}

double hsgd_dataset_row_norm_sq(const hsgd_dataset *data, size_t sample)
{
    size_t count = data->num_features;
    const uint8_t *byte = data->byte ? data->byte + sample * count : NULL;
    const double *x = byte ? NULL : row_values(data, sample, &count), *value = data->byte_value;
    double sum = 0;
    for (size_t i = 0; i < count && byte; i++)
        sum += value[byte[i]] * value[byte[i]];
    for (size_t i = 0; i < count && !byte; i++)
        sum += x[i] * x[i];
    return sum;
}

/* ---- classes ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

hsgd_status hsgd_dataset_set_classes(hsgd_dataset *data, const double *raw, hsgd_error *err)
{
    size_t m = data->num_samples;
    data->label = malloc(m * sizeof *data->label);
    data->class_value = malloc(m * sizeof *data->class_value);
    if (!data->label || !data->class_value)
        return hsgd_fail_memory(err, "the labels");
    for (size_t i = 0; i < m; i++)
        data->class_value[i] = raw[i] + 0.0; /* -0 becomes 0 */
    qsort(data->class_value, m, sizeof *data->class_value, compare_doubles);
    size_t classes = 1;
    for (size_t i = 1; i < m; i++)
        if (data->class_value[i] != data->class_value[classes - 1])
            data->class_value[classes++] = data->class_value[i];
    for (size_t i = 0; i < m; i++) {
        const double *found = bsearch(&raw[i], data->class_value, classes, sizeof *data->class_value, compare_doubles);
        data->label[i] = (uint32_t)(found - data->class_value);
    }
    data->num_classes = classes;
    double *trimmed = realloc(data->class_value, classes * sizeof *trimmed);
    data->class_value = trimmed ? trimmed : data->class_value;
    return HSGD_OK;
}

/* ---- scaling ---- */

static const char *const scaling_names[] = {
    [HSGD_SCALING_NONE] = "none",
    [HSGD_SCALING_MAX_ABS] = "max-abs",
    [HSGD_SCALING_UNIT_NORM] = "unit-norm",
    [HSGD_SCALING_STANDARD] = "standard",
};
enum { NUM_SCALINGS = sizeof scaling_names / sizeof *scaling_names };
_Static_assert(NUM_SCALINGS == HSGD_SCALING_STANDARD + 1, "each scaling has a name");

const char *hsgd_scaling_name(hsgd_scaling scaling)
{
    return (size_t)scaling < NUM_SCALINGS ? scaling_names[scaling] : "unknown";
}

int hsgd_scaling_parse(const char *name, hsgd_scaling *scaling)
{
    for (size_t i = 0; i < NUM_SCALINGS; i++)
        if (strcmp(name, scaling_names[i]) == 0) {
            *scaling = (hsgd_scaling)i;
            return 0;
        }
    return -1;
}

static size_t column_of(const hsgd_dataset *data, const double *row, size_t i)
{
    return data->dense ? i : data->column[(size_t)(row - data->value) + i];
}

static void find_largest(double *largest, const hsgd_dataset *data)
{
    size_t count;
    for (size_t s = 0; s < data->num_samples; s++) {
        const double *row = row_values(data, s, &count);
        for (size_t i = 0; i < count; i++) {
            double *bound = &largest[column_of(data, row, i)];
            *bound = fmax(*bound, fabs(row[i]));
        }
    }
}

static void divide_by_largest(hsgd_dataset *data, const double *largest)
{
    size_t count;
    for (size_t s = 0; s < data->num_samples; s++) {
        double *row = row_values(data, s, &count);
        for (size_t i = 0; i < count; i++)
            if (largest[column_of(data, row, i)] > 0)
                row[i] /= largest[column_of(data, row, i)];
    }
}

static void find_largest_bytes(double *largest, const hsgd_dataset *data)
{
    for (size_t s = 0; s < data->num_samples; s++) {
        const uint8_t *byte = data->byte + s * data->num_features;
        for (size_t i = 0; i < data->num_features; i++)
            largest[i] = fmax(largest[i], fabs(data->byte_value[byte[i]]));
    }
}

/* Whether dividing by these changes a number. */
static bool any_divisor(const double *largest, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (largest[i] > 0 && largest[i] != 1)
            return true;
    return false;
}

static hsgd_status all_doubles(hsgd_dataset *data, hsgd_dataset *test, hsgd_error *err)
{
    hsgd_status status = hsgd_dataset_to_doubles(data, err);
    return !status && test ? hsgd_dataset_to_doubles(test, err) : status;
}

static hsgd_status scale_max_abs(hsgd_dataset *data, hsgd_dataset *test, hsgd_error *err)
{
    double *largest = calloc(data->num_features, sizeof *largest);
    if (!largest)
        return hsgd_fail_memory(err, "scaling the features");
    hsgd_status status = HSGD_OK;
    (data->byte ? find_largest_bytes : find_largest)(largest, data);
    if (any_divisor(largest, data->num_features) && !(status = all_doubles(data, test, err))) {
        divide_by_largest(data, largest);
        if (test)
            divide_by_largest(test, largest);
    }
    free(largest);
    return status;
}

/* Dividing by the largest entry first keeps the squares away from overflow and underflow. */
static void scale_unit_norm(hsgd_dataset *data)
{
    for (size_t s = 0; s < data->num_samples; s++) {
        size_t count;
        double *row = row_values(data, s, &count);
        double largest = 0;
        for (size_t i = 0; i < count; i++)
            largest = fmax(largest, fabs(row[i]));
        if (largest == 0)
            continue;
        for (size_t i = 0; i < count; i++)
            row[i] /= largest;
        double norm = sqrt(hsgd_dataset_row_norm_sq(data, s));
        for (size_t i = 0; i < count; i++)
            row[i] /= norm;
    }
}

/* Means and sums of squared deviations by running updates (Welford 1962): a constant feature gets exactly 0. */
static void column_moments(const hsgd_dataset *data, double *mean, double *deviation_sq)
{
    size_t p = data->num_features;
    for (size_t s = 0; s < data->num_samples; s++) {
        const double *row = data->dense + s * p;
        for (size_t i = 0; i < p; i++) {
            double delta = row[i] - mean[i];
            mean[i] += delta / (double)(s + 1);
            deviation_sq[i] += delta * (row[i] - mean[i]);
        }
    }
}

/* mean and deviation_sq as column_moments gives them for count samples. */
static void standardize(hsgd_dataset *data, const double *mean, const double *deviation_sq, size_t count)
{
    size_t p = data->num_features;
    for (size_t s = 0; s < data->num_samples; s++)
        for (size_t i = 0; i < p; i++) {
            double *x = &data->dense[s * p + i];
            *x = deviation_sq[i] > 0 ? (*x - mean[i]) / sqrt(deviation_sq[i] / (double)count) : 0;
        }
}

static hsgd_status scale_standard(hsgd_dataset *data, hsgd_dataset *test, hsgd_error *err)
{
    size_t p = data->num_features;
    if (data->row_start)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "scaling \"standard\" subtracts means and so would fill in every zero of sparse data "
                         "(%zu samples x %zu features); use \"max-abs\" or \"unit-norm\"",
                         data->num_samples, p);
    hsgd_status status = all_doubles(data, test, err);
    if (status)
        return status;
    double *mean = calloc(2 * p, sizeof *mean);
    if (!mean)
        return hsgd_fail_memory(err, "scaling the features");
    double *deviation_sq = mean + p;
    column_moments(data, mean, deviation_sq);
    for (size_t i = 0; i < p && !status; i++)
        if (!isfinite(deviation_sq[i]))
            status = hsgd_fail(err, HSGD_ERROR_NUMERIC, "feature %zu: the variance is too large to compute", i);
    if (!status)
        standardize(data, mean, deviation_sq, data->num_samples);
    if (!status && test)
        standardize(test, mean, deviation_sq, data->num_samples);
    free(mean);
    return status;
}

/* Numbers of the training data can be too small for what the test data hold. */
static hsgd_status check_finite(const hsgd_dataset *test, hsgd_error *err)
{
    for (size_t s = 0; s < test->num_samples && !test->byte; s++) {
        size_t count;
        const double *row = row_values(test, s, &count);
        for (size_t i = 0; i < count; i++)
            if (!isfinite(row[i]))
                return hsgd_fail(err, HSGD_ERROR_NUMERIC,
                                 "test sample %zu: feature %zu is too large to scale by the training data's", s,
                                 column_of(test, row, i));
    }
    return HSGD_OK;
}

static hsgd_status scale_both(hsgd_dataset *data, hsgd_dataset *test, hsgd_scaling scaling, hsgd_error *err)
{
    hsgd_status status;
    switch (scaling) {
    case HSGD_SCALING_NONE:
        return HSGD_OK;
    case HSGD_SCALING_MAX_ABS:
        return scale_max_abs(data, test, err);
    case HSGD_SCALING_UNIT_NORM:
        if ((status = all_doubles(data, test, err)))
            return status;
        scale_unit_norm(data);
        if (test)
            scale_unit_norm(test);
        return HSGD_OK;
    case HSGD_SCALING_STANDARD:
        return scale_standard(data, test, err);
    }
    return hsgd_fail(err, HSGD_ERROR_INPUT, "scaling %d is not known", (int)scaling);
}

hsgd_status hsgd_dataset_scale(hsgd_dataset *data, hsgd_dataset *test, hsgd_scaling scaling, hsgd_error *err)
{
    hsgd_status status = scale_both(data, test, scaling, err);
    return !status && test ? check_finite(test, err) : status;
}

/* ---- workers ---- */

hsgd_status hsgd_dataset_check_workers(const hsgd_dataset *data, const size_t *start, size_t num_workers,
                                       hsgd_error *err)
{
    for (size_t j = 0; j < num_workers; j++)
        if (start[j + 1] <= start[j])
            return hsgd_fail(err, HSGD_ERROR_INPUT, "worker %zu has no sample; each needs at least 1", j);
    if (start[num_workers] > data->num_samples)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the workers hold %zu samples, the data have %zu", start[num_workers],
                         data->num_samples);
    return HSGD_OK;
}

/* ---- intercept ---- */

static void forget_names(hsgd_dataset *data)
{
    free(data->feature_names);
    data->feature_names = NULL;
}

/* Rows move to their new places from the last to the first, so none is overwritten before it has moved. */
static hsgd_status widen_dense(hsgd_dataset *data, hsgd_error *err)
{
    size_t m = data->num_samples, p = data->num_features;
    double *dense = realloc(data->dense, m * (p + 1) * sizeof *dense);
    if (!dense)
        return hsgd_fail_memory(err, "the intercept");
    data->dense = dense;
    for (size_t s = m; s-- > 0;) {
        memmove(dense + s * (p + 1), dense + s * p, p * sizeof *dense);
        dense[s * (p + 1) + p] = 1;
    }
    return HSGD_OK;
}

static hsgd_status widen_sparse(hsgd_dataset *data, hsgd_error *err)
{
    size_t m = data->num_samples, entries = data->row_start[m] + m;
    uint32_t *column = realloc(data->column, entries * sizeof *column);
    if (!column)
        return hsgd_fail_memory(err, "the intercept");
    data->column = column;
    double *value = realloc(data->value, entries * sizeof *value);
    if (!value)
        return hsgd_fail_memory(err, "the intercept");
    data->value = value;
    for (size_t s = m; s-- > 0;) {
        size_t begin = data->row_start[s], count = data->row_start[s + 1] - begin;
        memmove(column + begin + s, column + begin, count * sizeof *column);
        memmove(value + begin + s, value + begin, count * sizeof *value);
        column[begin + s + count] = (uint32_t)data->num_features;
        value[begin + s + count] = 1;
        data->row_start[s + 1] += s + 1; /* row s + 1 has moved already */
    }
    return HSGD_OK;
}

static hsgd_status widen(hsgd_dataset *data, hsgd_error *err)
{
    if (data->row_start)
        return widen_sparse(data, err);
    for (size_t b = 0; b < HSGD_BYTE_VALUES && data->byte; b++)
        if (data->byte_value[b] == 1)
            return hsgd_dataset_widen_bytes(data, (uint8_t)b, err);
    hsgd_status status = hsgd_dataset_to_doubles(data, err);
    return status ? status : widen_dense(data, err);
}

hsgd_status hsgd_dataset_add_intercept(hsgd_dataset *data, hsgd_error *err)
{
    if (data->num_features >= UINT32_MAX)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%zu features leave no room for an intercept", data->num_features);
    hsgd_status status = widen(data, err);
    if (status)
        return status;
    data->num_features++;
    forget_names(data);
    return HSGD_OK;
}

/* ---- order ---- */

hsgd_status hsgd_check_permutation(const size_t *order, size_t count, const char *name, hsgd_error *err)
{
    bool *seen = calloc(count ? count : 1, sizeof *seen);
    if (!seen)
        return hsgd_fail_memory(err, name);
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < count && !status; i++)
        if (order[i] >= count || seen[order[i]])
            status = hsgd_fail(err, HSGD_ERROR_INPUT, "%s[%zu] = %zu: not a permutation of 0..%zu", name, i, order[i],
                               count - 1);
        else
            seen[order[i]] = true;
    free(seen);
    return status;
}

/* Sparse rows have different lengths and so move to new memory. */
static bool reorder_sparse(hsgd_dataset *data, const size_t *order)
{
    size_t m = data->num_samples, entries = data->row_start[m], next = 0;
    hsgd_dataset to = {.row_start = malloc((m + 1) * sizeof *to.row_start),
                       .column = malloc((entries + 1) * sizeof *to.column),
                       .value = malloc((entries + 1) * sizeof *to.value)};
    bool there = to.row_start && to.column && to.value;
    for (size_t s = 0; s < m && there; s++) {
        size_t begin = data->row_start[order[s]], count = data->row_start[order[s] + 1] - begin;
        memcpy(to.column + next, data->column + begin, count * sizeof *to.column);
        memcpy(to.value + next, data->value + begin, count * sizeof *to.value);
        to.row_start[s] = next;
        next += count;
    }
    if (there) {
        to.row_start[m] = next;
        hsgd_dataset from = {.row_start = data->row_start, .column = data->column, .value = data->value};
        data->row_start = to.row_start;
        data->column = to.column;
        data->value = to.value;
        to = from;
    }
    hsgd_dataset_free(&to);
    return there;
}

/* Rows of the same length change places. */
static bool reorder_rows(hsgd_dataset *data, const size_t *order)
{
    size_t size = data->num_features * (data->dense ? sizeof *data->dense : sizeof *data->byte);
    void *room = malloc(size);
    bool *done = calloc(data->num_samples, sizeof *done), there = room && done;
    if (there)
        hsgd_permute_rows(data->dense ? (void *)data->dense : data->byte, size, order, data->num_samples, room, done);
    free(done);
    free(room);
    return there;
}

hsgd_status hsgd_dataset_reorder(hsgd_dataset *data, const size_t *order, hsgd_error *err)
{
    hsgd_status status = hsgd_check_permutation(order, data->num_samples, "order", err);
    if (status)
        return status;
    uint32_t *label = malloc(data->num_samples * sizeof *label);
    if (!label || !(data->row_start ? reorder_sparse : reorder_rows)(data, order)) {
        free(label);
        return hsgd_fail_memory(err, "reordering the samples");
    }
    for (size_t s = 0; s < data->num_samples; s++)
        label[s] = data->label[order[s]];
    free(data->label);
    data->label = label;
    forget_names(data);
    free(data->user_start);
    data->user_start = NULL;
    data->num_users = 0;
    return HSGD_OK;
}
