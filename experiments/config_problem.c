/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The "problem" object of a configuration. */
#include "experiments/config_private.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { NUM_SCHEMES = HSGD_PARTITION_NATURAL + 1, NUM_REGULARIZERS = HSGD_REGULARIZER_NONCONVEX + 1 };

static const char *scheme_name(size_t i)
{
    return hsgd_partition_scheme_name((hsgd_partition_scheme)i);
}

/* How a natural partition deals the users. */
static const char *const user_orders[] = {"shuffled", "in-order", NULL};

static const char *regularizer_name(size_t i)
{
    return hsgd_regularizer_name((hsgd_regularizer_type)i);
}

/* ---- quadratics ---- */

/* One row of numbers per worker into a new array (num_workers, *dim); *dim 0: as many as the first row has. A message about
 * another length ends with that many `of`. */
static hsgd_status read_rows(double **out, size_t *dim, const hsgd_config *config, const hsgd_json *at, const char *of,
                             hsgd_error *err)
{
    size_t rows, n = config->hierarchy.num_workers;
    hsgd_status status = hsgd_json_array(at, 1, &rows, err);
    if (!status && rows != n)
        status = hsgd_json_fail(at, err, "%zu rows for %zu workers; give one row per worker", rows, n);
    const cJSON *item = status ? NULL : at->value->child;
    for (size_t j = 0; j < n && !status; j++) {
        hsgd_json row = hsgd_json_next(at, &item, j);
        double *values;
        size_t length;
        status = hsgd_json_numbers(&row, -INFINITY, INFINITY, &values, &length, err);
        if (status)
            break;
        *dim = *dim ? *dim : length;
        if (!*out && !(*out = malloc(n * *dim * sizeof **out)))
            status = hsgd_fail_memory(err, "the quadratic problem");
        else if (length != *dim)
            status = hsgd_json_fail(&row, err, "%zu numbers for %zu %s", length, *dim, of);
        else
            memcpy(*out + j * *dim, values, length * sizeof *values);
        free(values);
    }
    return status;
}

/* h_1..h_d of all workers, or a row of them for each. */
static hsgd_status read_curvature(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    if (cJSON_IsArray(at->value) && cJSON_IsArray(at->value->child))
        return read_rows(&config->worker_curvature, &config->dim, config, at, "curvatures of the first worker", err);
    return hsgd_json_numbers(at, -INFINITY, INFINITY, &config->curvature, &config->dim, err);
}

static hsgd_status read_explicit(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"type", "curvature", "linear", "noise_variance", NULL};
    hsgd_json curvature = hsgd_json_member(at, "curvature"), linear = hsgd_json_member(at, "linear");
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = read_curvature(config, &curvature, err);
    return status ? status : read_rows(&config->linear, &config->dim, config, &linear, "curvatures", err);
}

/* One number from 0 to high for every level of the hierarchy. */
static hsgd_status read_levels(double **out, const hsgd_config *config, const hsgd_json *at, double high,
                               hsgd_error *err)
{
    size_t length;
    hsgd_status status = hsgd_json_numbers(at, 0, high, out, &length, err);
    if (!status && length != config->hierarchy.num_levels)
        status = hsgd_json_fail(at, err, "%zu numbers for %zu levels of the hierarchy", length,
                                config->hierarchy.num_levels);
    return status;
}

/* Curvatures a million times as far apart as they are large; their squares stay far from overflow. */
static const double MOST_SPREAD = 1e6;

static hsgd_status read_spread(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json spread = hsgd_json_member(at, "curvature_spread"), level = hsgd_json_member(at, "level_curvature_spread");
    if (spread.value && level.value)
        return hsgd_json_fail(&level, err, "curvature_spread is given too; only one of them is legal");
    if (spread.value)
        return hsgd_json_number(&spread, 0, MOST_SPREAD, &config->curvature_spread, err);
    return level.value ? read_levels(&config->level_curvature_spread, config, &level, MOST_SPREAD, err) : HSGD_OK;
}

static hsgd_status read_generated(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"type",
                                       "dimension",
                                       "curvature_range",
                                       "level_divergence",
                                       "noise_variance",
                                       "seed",
                                       "curvature_spread",
                                       "level_curvature_spread",
                                       NULL};
    hsgd_json dimension = hsgd_json_member(at, "dimension"), range = hsgd_json_member(at, "curvature_range");
    hsgd_json level = hsgd_json_member(at, "level_divergence"), seed = hsgd_json_member(at, "seed");
    double *bounds = NULL;
    size_t length = 0;
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = hsgd_json_count(&dimension, 1, 100000000, &config->dim, err);
    if (!status)
        status = hsgd_json_numbers(&range, 0, INFINITY, &bounds, &length, err);
    if (!status && (length != 2 || !(bounds[0] > 0) || !(bounds[1] >= bounds[0])))
        status = hsgd_json_fail(&range, err, "expected [low, high] with 0 < low <= high");
    if (!status)
        memcpy(config->curvature_range, bounds, sizeof config->curvature_range);
    free(bounds);
    if (!status)
        status = read_levels(&config->level_divergence_sq, config, &level, INFINITY, err);
    if (!status)
        status = read_spread(config, at, err);
    return status ? status : hsgd_json_seed(&seed, &config->problem_seed, err);
}

static hsgd_status read_quadratic(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json noise = hsgd_json_member(at, "noise_variance"), dimension = hsgd_json_member(at, "dimension");
    config->problem = dimension.value ? HSGD_PROBLEM_QUADRATIC_GENERATED : HSGD_PROBLEM_QUADRATIC;
    hsgd_status status = dimension.value ? read_generated(config, at, err) : read_explicit(config, at, err);
    if (!status && noise.value)
        status = hsgd_json_number(&noise, 0, INFINITY, &config->noise_sq, err);
    return status;
}

bool hsgd_config_own_curvatures(const hsgd_config *config)
{
    bool own = config->worker_curvature || config->curvature_spread > 0;
    for (size_t k = 0; config->level_curvature_spread && k < config->hierarchy.num_levels; k++)
        own = own || config->level_curvature_spread[k] > 0;
    return own;
}

/* ---- models on data ---- */

static hsgd_status read_partition(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"scheme",      "alpha",       "shards_per_worker", "sigma", "seed",
                                       "min_samples", "max_retries", "user_order",        NULL};
    hsgd_partition_options *p = &config->partition;
    if (hsgd_data_has_users(config->data.format))
        p->scheme = HSGD_PARTITION_NATURAL;
    p->users_in_order = config->data.format == HSGD_DATA_SYNTHETIC; /* user k is worker k */
    if (!at->value)
        return HSGD_OK;
    hsgd_json scheme = hsgd_json_member(at, "scheme"), alpha = hsgd_json_member(at, "alpha");
    hsgd_json shards = hsgd_json_member(at, "shards_per_worker"), sigma = hsgd_json_member(at, "sigma");
    hsgd_json seed = hsgd_json_member(at, "seed"), min_samples = hsgd_json_member(at, "min_samples");
    hsgd_json retries = hsgd_json_member(at, "max_retries"), user_order = hsgd_json_member(at, "user_order");
    size_t value = 0;
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status && !(status = hsgd_json_choice_of(&scheme, scheme_name, NUM_SCHEMES, &value, err)))
        p->scheme = (hsgd_partition_scheme)value;
    if (!status && alpha.value)
        status = hsgd_json_positive(&alpha, &p->alpha, err);
    if (!status && sigma.value)
        status = hsgd_json_number(&sigma, 0, 100, &p->sigma, err);
    if (!status && shards.value)
        status = hsgd_json_count(&shards, 1, 1000000, &p->shards_per_worker, err);
    if (!status && min_samples.value)
        status = hsgd_json_count(&min_samples, 1, SIZE_MAX, &p->min_samples, err);
    if (!status && retries.value)
        status = hsgd_json_count(&retries, 0, 1000000, &p->max_retries, err);
    if (!status && user_order.value && !(status = hsgd_json_choice(&user_order, user_orders, &value, err)))
        p->users_in_order = value == 1;
    return status ? status : hsgd_json_seed(&seed, &p->seed, err);
}

static hsgd_status read_regularizer(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"type", "weight", NULL};
    if (!at->value)
        return HSGD_OK;
    hsgd_json type = hsgd_json_member(at, "type"), weight = hsgd_json_member(at, "weight");
    size_t value = 0;
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status && !(status = hsgd_json_choice_of(&type, regularizer_name, NUM_REGULARIZERS, &value, err)))
        config->regularizer.type = (hsgd_regularizer_type)value;
    if (!status && (weight.value || config->regularizer.type != HSGD_REGULARIZER_NONE))
        status = hsgd_json_number(&weight, 0, INFINITY, &config->regularizer.weight, err);
    return status;
}

hsgd_status hsgd_config_read_on_data(hsgd_config *config, const hsgd_json *at, const char *const *keys, hsgd_error *err)
{
    hsgd_json data = hsgd_json_member(at, "data"), partition = hsgd_json_member(at, "partition");
    hsgd_json regularizer = hsgd_json_member(at, "regularizer");
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = hsgd_config_read_data(config, &data, err);
    if (!status)
        status = read_partition(config, &partition, err);
    return status ? status : read_regularizer(config, &regularizer, err);
}

/* Names of the problems on data. */
static const char *type_name(hsgd_problem_type type)
{
    return type == HSGD_PROBLEM_LOGISTIC  ? "logistic"
           : type == HSGD_PROBLEM_SOFTMAX ? "softmax"
           : type == HSGD_PROBLEM_CNN     ? "cnn"
                                          : "mlp";
}

hsgd_status hsgd_config_read_problem(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    static const char *const types[] = {"quadratic", "logistic", "softmax", "cnn", "mlp", "plugin", NULL};
    static const char *const linear_keys[] = {"type", "data", "partition", "regularizer", NULL};
    if (!cJSON_IsObject(at->value))
        return hsgd_json_fail(at, err, "expected an object with a \"type\"");
    hsgd_json type = hsgd_json_member(at, "type");
    size_t choice;
    hsgd_status status = hsgd_json_choice(&type, types, &choice, err);
    if (status)
        return status;
    if (choice == 0)
        return read_quadratic(config, at, err);
    if (choice == 3)
        return hsgd_config_read_cnn(config, at, err);
    if (choice == 4)
        return hsgd_config_read_mlp(config, at, err);
    if (choice == 5)
        return hsgd_config_read_plugin(config, at, err);
    config->problem = choice == 1 ? HSGD_PROBLEM_LOGISTIC : HSGD_PROBLEM_SOFTMAX;
    return hsgd_config_read_on_data(config, at, linear_keys, err);
}

/* ---- writing ---- */

/* (num_workers, dim) */
static cJSON *rows_to_json(const hsgd_config *config, const double *rows)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t j = 0; j < config->hierarchy.num_workers; j++)
        cJSON_AddItemToArray(array, cJSON_CreateDoubleArray(rows + j * config->dim, (int)config->dim));
    return array;
}

static cJSON *quadratic_to_json(const hsgd_config *config)
{
    cJSON *problem = cJSON_CreateObject();
    cJSON_AddStringToObject(problem, "type", "quadratic");
    if (config->problem == HSGD_PROBLEM_QUADRATIC) {
        if (config->worker_curvature)
            cJSON_AddItemToObject(problem, "curvature", rows_to_json(config, config->worker_curvature));
        else
            cJSON_AddItemToObject(problem, "curvature", cJSON_CreateDoubleArray(config->curvature, (int)config->dim));
        cJSON_AddItemToObject(problem, "linear", rows_to_json(config, config->linear));
    } else {
        cJSON_AddNumberToObject(problem, "dimension", (double)config->dim);
        cJSON_AddItemToObject(problem, "curvature_range", cJSON_CreateDoubleArray(config->curvature_range, 2));
        cJSON_AddItemToObject(problem, "level_divergence",
                              cJSON_CreateDoubleArray(config->level_divergence_sq, (int)config->hierarchy.num_levels));
        if (config->level_curvature_spread)
            cJSON_AddItemToObject(
                problem, "level_curvature_spread",
                cJSON_CreateDoubleArray(config->level_curvature_spread, (int)config->hierarchy.num_levels));
        else if (config->curvature_spread > 0)
            cJSON_AddNumberToObject(problem, "curvature_spread", config->curvature_spread);
        cJSON_AddNumberToObject(problem, "seed", (double)config->problem_seed);
    }
    cJSON_AddNumberToObject(problem, "noise_variance", config->noise_sq);
    return problem;
}

static cJSON *on_data_to_json(const hsgd_config *config)
{
    const hsgd_partition_options *p = &config->partition;
    cJSON *problem = cJSON_CreateObject();
    cJSON_AddStringToObject(problem, "type", type_name(config->problem));
    if (config->problem == HSGD_PROBLEM_CNN)
        hsgd_config_cnn_to_json(config, problem);
    if (config->problem == HSGD_PROBLEM_MLP)
        hsgd_config_mlp_to_json(problem, config);
    cJSON_AddItemToObject(problem, "data", hsgd_config_data_to_json(config));
    cJSON *partition = cJSON_AddObjectToObject(problem, "partition");
    cJSON_AddStringToObject(partition, "scheme", scheme_name(p->scheme));
    cJSON_AddNumberToObject(partition, "alpha", p->alpha);
    cJSON_AddNumberToObject(partition, "shards_per_worker", (double)p->shards_per_worker);
    cJSON_AddNumberToObject(partition, "sigma", p->sigma);
    cJSON_AddNumberToObject(partition, "min_samples", (double)p->min_samples);
    cJSON_AddNumberToObject(partition, "max_retries", (double)p->max_retries);
    cJSON_AddNumberToObject(partition, "seed", (double)p->seed);
    if (p->scheme == HSGD_PARTITION_NATURAL)
        cJSON_AddStringToObject(partition, "user_order", user_orders[p->users_in_order]);
    cJSON *regularizer = cJSON_AddObjectToObject(problem, "regularizer");
    cJSON_AddStringToObject(regularizer, "type", regularizer_name(config->regularizer.type));
    cJSON_AddNumberToObject(regularizer, "weight", config->regularizer.weight);
    return problem;
}

cJSON *hsgd_config_problem_to_json(const hsgd_config *config)
{
    if (config->problem == HSGD_PROBLEM_PLUGIN)
        return hsgd_config_plugin_to_json(config);
    bool quadratic = config->problem == HSGD_PROBLEM_QUADRATIC || config->problem == HSGD_PROBLEM_QUADRATIC_GENERATED;
    return quadratic ? quadratic_to_json(config) : on_data_to_json(config);
}
