/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every bound once more, through the registry, from the constants that the document states; then what else follows from them: the
 * rungs of the ladder that are bounds, the limits of the step size, the bounds on the dispersions, the sandwich (THEORY 4, 6).
 *
 * Glossary    entry: a level, or a node where the nodes of a level differ ("bound_inputs", THEORY 4.3) */
#include "experiments/check_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bounds/ladder.h"
#include "bounds/sandwich.h"

/* What the bounds are worked out from. */
typedef struct inputs {
    hsgd_check *check;
    hsgd_hierarchy nodes;       /* one entry per node, with weights; empty where levels will do; owned */
    const hsgd_hierarchy *tree; /* nodes, or that of the configuration */
    double *divergence_sq;      /* (tree->num_nodes) owned */
    double *deviation_max_sq;   /* (tree->num_nodes) NULL: not known; owned */
    double delta, global_divergence_sq;
} inputs;

/* ---- reading ---- */

/* The numbers of an array with `count` of them, NAN for null; to be freed. NULL: it is no such array. */
static hsgd_status read_numbers(double **numbers, const cJSON *array, size_t count, hsgd_error *err)
{
    const cJSON *item;
    size_t i = 0;
    bool fits = cJSON_IsArray(array) && (size_t)cJSON_GetArraySize(array) == count;
    double *out = *numbers = fits ? malloc((count + 1) * sizeof *out) : NULL;
    if (out)
        cJSON_ArrayForEach(item, array) out[i++] = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    return out || !fits ? HSGD_OK : hsgd_fail_memory(err, "the numbers of a document");
}

static double constant(const hsgd_check *c, const char *name)
{
    return hsgd_check_number(hsgd_check_get(hsgd_check_get(c->document, "constants"), name), "value");
}

/* The weight of the worker at each place: as configured, or the size of its data. HSGD_ERROR_INPUT: it is not known. */
static hsgd_status find_weights(double *out, const hsgd_check *c, hsgd_error *err)
{
    const cJSON *place = hsgd_check_get(hsgd_check_get(c->document, "grouping"), "place");
    const cJSON *samples = hsgd_check_get(hsgd_check_get(c->document, "partition"), "worker_samples");
    size_t n = c->config.hierarchy.num_workers;
    bool given = c->config.weighting == HSGD_WEIGHTS_GIVEN;
    double *from;
    hsgd_status status = read_numbers(&from, given ? place : samples, n, err);
    if (status)
        return status;
    bool known = from != NULL;
    for (size_t i = 0; i < n && known; i++) {
        known = given ? from[i] >= 0 && from[i] < (double)n : from[i] > 0;
        if (known)
            out[i] = given ? c->config.weight[(size_t)from[i]] : from[i];
    }
    free(from);
    return known ? HSGD_OK : hsgd_fail(err, HSGD_ERROR_INPUT, "the weights of the workers are not known");
}

static hsgd_status read_nodes(inputs *in, hsgd_error *err)
{
    const hsgd_check *c = in->check;
    hsgd_status status = hsgd_hierarchy_expand(&in->nodes, &c->config.hierarchy, err);
    in->tree = &in->nodes;
    if (status || c->config.weighting == HSGD_WEIGHTS_EQUAL)
        return status;
    double *weight = malloc((in->nodes.num_workers + 1) * sizeof *weight);
    if (!weight)
        return hsgd_fail_memory(err, "the weights");
    status = find_weights(weight, c, err);
    status = status ? status : hsgd_hierarchy_set_weights(&in->nodes, weight, err);
    free(weight);
    return status;
}

static void free_inputs(inputs *in)
{
    hsgd_hierarchy_free(&in->nodes);
    free(in->divergence_sq);
    free(in->deviation_max_sq);
}

/* HSGD_ERROR_INPUT: the document does not have them. */
static hsgd_status read_inputs(inputs *in, hsgd_check *c, hsgd_error *err)
{
    const cJSON *written = hsgd_check_get(c->document, "bound_inputs");
    const cJSON *divergences = hsgd_check_get(hsgd_check_get(c->document, "constants"), "divergence_sq");
    bool by_level = c->config.is_uniform && c->config.weighting == HSGD_WEIGHTS_EQUAL;
    *in = (inputs){.check = c, .tree = &c->config.hierarchy, .delta = constant(c, "delta")};
    hsgd_status status = by_level ? HSGD_OK : read_nodes(in, err);
    size_t entries = in->tree->num_nodes;
    status = status ? status : read_numbers(&in->divergence_sq, hsgd_check_get(written, "divergence_sq"), entries, err);
    status = status ? status
                    : read_numbers(&in->deviation_max_sq, hsgd_check_get(written, "deviation_max_sq"), entries, err);
    if (status)
        return status;
    in->global_divergence_sq = hsgd_check_number(hsgd_check_get(divergences, "global"), "value");
    return in->divergence_sq ? HSGD_OK
                             : hsgd_fail(err, HSGD_ERROR_INPUT, "the document does not state all divergences");
}

/* ---- parameters ---- */

static bool is_unbounded(const hsgd_check *c)
{
    const cJSON *minimum = hsgd_check_get(hsgd_check_get(c->document, "constants"), "f_star");
    return cJSON_IsNull(hsgd_check_get(minimum, "value"));
}

static hsgd_status make_params(hsgd_bound_params *out, const inputs *in, hsgd_error *err)
{
    const hsgd_check *c = in->check;
    const hsgd_config *config = &c->config;
    hsgd_status status = hsgd_bound_params_init(out, in->tree, in->divergence_sq, in->deviation_max_sq, err);
    if (status)
        return status;
    out->global_divergence_sq = in->global_divergence_sq;
    out->worker_deviation_max_sq =
        hsgd_check_number(hsgd_check_get(c->document, "bound_inputs"), "worker_deviation_max_sq");
    out->step_size = hsgd_check_number(c->document, "step_size");
    out->steps = config->steps;
    out->smoothness = constant(c, "L");
    out->noise_sq = constant(c, "sigma_sq");
    out->delta = isnan(in->delta) && is_unbounded(c) ? INFINITY : in->delta;
    if (hsgd_variant_only_samples(&config->variant))
        out->participants = hsgd_variant_group_size(&config->variant, out->tree.num_workers);
    status = hsgd_bound_params_check(out, err);
    if (status)
        hsgd_bound_params_free(out);
    return status;
}

/* ---- bounds ---- */

/* Infinite ones are written as null. */
static void compare(hsgd_check_pairs *pairs, double found, const cJSON *object, const char *key, const char *where,
                    size_t at)
{
    hsgd_check_pair(pairs, isfinite(found) ? found : NAN, hsgd_check_number(object, key), 0, where, at);
}

/* Terms with their names, the limit of the step size, and whether the theorem applies, which a variant of H-SGD may forbid. */
static void compare_bound(hsgd_check_pairs *pairs, const inputs *in, const cJSON *written,
                          const hsgd_bound_value *found, size_t at)
{
    const cJSON *terms = hsgd_check_get(written, "terms"), *term;
    bool applies = cJSON_IsTrue(hsgd_check_get(written, "applicable"));
    size_t i = 0;
    compare(pairs, found->value, written, "value", "value, bound", at);
    compare(pairs, found->max_step_size, written, "max_step_size", "max_step_size, bound", at);
    hsgd_check_pair(pairs, (double)found->num_terms, (double)cJSON_GetArraySize(terms), 1, "terms, bound", at);
    cJSON_ArrayForEach(term, terms)
    {
        bool same = i < found->num_terms && strcmp(hsgd_check_text(term, "name"), found->term[i].name) == 0;
        compare(pairs, same ? found->term[i].value : INFINITY, term, "value", "term, bound", at);
        i++;
    }
    if (applies || !hsgd_check_get(hsgd_check_get(in->check->document, "config"), "variant"))
        hsgd_check_pair(pairs, found->applicable, applies, 1, "applicable, bound", at);
}

static void check_values(const inputs *in, const hsgd_bound_params *params)
{
    hsgd_check_pairs pairs = {0};
    const cJSON *written;
    size_t at = 0;
    cJSON_ArrayForEach(written, hsgd_check_get(in->check->document, "bounds"))
    {
        const hsgd_bound *bound = hsgd_config_find_bound(&in->check->config, hsgd_check_text(written, "id"));
        hsgd_bound_value found;
        at++;
        if (!bound) /* of another version of hsgd */
            continue;
        hsgd_bound_eval(bound, params, &found);
        compare_bound(&pairs, in, written, &found, at);
    }
    if (at)
        hsgd_check_say_pairs(in->check, &pairs, "bounds: from their constants", HSGD_CHECK_ROUNDING);
}

/* "certified_value": the same with proved constants. */
static hsgd_status check_certified(const inputs *in, hsgd_error *err)
{
    const cJSON *certified = hsgd_check_get(hsgd_check_get(in->check->document, "bound_inputs"), "certified"), *written;
    hsgd_bound_params params;
    hsgd_check_pairs pairs = {0};
    inputs proved = *in;
    size_t at = 0;
    if (!cJSON_IsObject(certified))
        return HSGD_OK;
    proved.delta = hsgd_check_number(certified, "delta");
    proved.global_divergence_sq = hsgd_check_number(certified, "global_divergence_sq");
    hsgd_status status =
        read_numbers(&proved.divergence_sq, hsgd_check_get(certified, "divergence_sq"), in->tree->num_nodes, err);
    if (!status)
        status = proved.divergence_sq
                     ? make_params(&params, &proved, err)
                     : hsgd_fail(err, HSGD_ERROR_INPUT, "the document does not state the proved divergences");
    free(proved.divergence_sq);
    if (status)
        return status;
    cJSON_ArrayForEach(written, hsgd_check_get(in->check->document, "bounds"))
    {
        const hsgd_bound *bound = hsgd_config_find_bound(&in->check->config, hsgd_check_text(written, "id"));
        hsgd_bound_value found;
        at++;
        if (!bound || !cJSON_IsNumber(hsgd_check_get(written, "certified_value")))
            continue;
        hsgd_bound_eval(bound, &params, &found);
        compare(&pairs, found.value, written, "certified_value", "certified_value, bound", at);
    }
    hsgd_bound_params_free(&params);
    hsgd_check_say_pairs(in->check, &pairs, "bounds: from proved constants", HSGD_CHECK_ROUNDING);
    return HSGD_OK;
}

/* ---- what else they give ---- */

static double value_of(const char *id, const hsgd_bound_params *params)
{
    hsgd_bound_value found;
    hsgd_bound_eval(hsgd_bound_find(id), params, &found);
    return found.value;
}

/* R5 to R7 are bounds, whether the configuration selected them or not. */
static void check_rungs(const inputs *in, const hsgd_bound_params *params)
{
    const cJSON *ladder = hsgd_check_get(in->check->document, "ladder");
    hsgd_check_pairs pairs = {0};
    if (cJSON_GetArraySize(ladder) != HSGD_NUM_RUNGS ||
        hsgd_check_get(hsgd_check_get(in->check->document, "config"), "variant"))
        return;
    for (size_t k = HSGD_NUM_MEASURED_RUNGS; k < HSGD_NUM_RUNGS; k++)
        compare(&pairs, value_of(hsgd_rungs[k].bound_id, params), cJSON_GetArrayItem(ladder, (int)k), "value", "rung",
                k);
    hsgd_check_say_pairs(in->check, &pairs, "ladder: bounds", HSGD_CHECK_ROUNDING);
}

/* Limits of the audit that are constants of the document, or follow from them. */
static void check_limits(const inputs *in, const hsgd_bound_params *params)
{
    static const struct {
        const char *row, *bound;
    } limits[] = {{"gamma, published", "hsgd-fixed"},
                  {"gamma, sharpened", "hsgd-fixed-sharp"},
                  {"gamma, recursive", "hsgd-fixed-recursive"}};
    const cJSON *row;
    hsgd_check_pairs pairs = {0};
    size_t at = 0;
    cJSON_ArrayForEach(row, hsgd_check_get(in->check->document, "audit"))
    {
        const cJSON *limit = hsgd_check_get(row, "limit");
        at++;
        for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
            hsgd_bound_value found;
            if (strcmp(hsgd_check_text(row, "name"), limits[i].row) != 0)
                continue;
            hsgd_bound_eval(hsgd_bound_find(limits[i].bound), params, &found);
            compare(&pairs, found.max_step_size, limit, "value", "row", at);
            compare(&pairs, params->step_size, hsgd_check_get(row, "seen"), "mean", "row", at);
        }
    }
    if (pairs.count)
        hsgd_check_say_pairs(in->check, &pairs, "audit: step size", HSGD_CHECK_ROUNDING);
}

/* The columns of series.csv that 4.4 gives; they have the period of the root. */
static hsgd_status check_dispersion_bound(const inputs *in, const hsgd_bound_params *params, const hsgd_series *series,
                                          hsgd_error *err)
{
    size_t period = hsgd_hierarchy_global_period(in->tree), levels = in->tree->num_levels;
    size_t length = period < params->steps ? period : params->steps;
    const double *step = series ? hsgd_series_column(series, "step") : NULL;
    hsgd_check_pairs pairs = {0};
    double *bound = step ? malloc(length * levels * sizeof *bound) : NULL;
    if (step && !bound)
        return hsgd_fail_memory(err, "the dispersion bound");
    hsgd_status status = bound ? hsgd_dispersion_bound(bound, in->tree, in->divergence_sq, params->step_size,
                                                       params->smoothness, params->noise_sq, length, err)
                               : HSGD_OK;
    for (size_t k = 0; k < levels && bound && !status; k++) {
        char name[64];
        snprintf(name, sizeof name, "dispersion_level_%zu_bound", k + 1);
        const double *column = hsgd_series_column(series, name);
        for (size_t r = 0; column && r < series->num_rows; r++)
            if (!isnan(column[r]) && step[r] >= 0 && step[r] < (double)params->steps)
                hsgd_check_pair(&pairs, bound[(size_t)step[r] % period * levels + k], column[r], 0, name, r + 1);
    }
    free(bound);
    if (!status && pairs.count)
        hsgd_check_say_pairs(in->check, &pairs, "dispersion: bounds", HSGD_CHECK_ROUNDING);
    return status;
}

static void check_levels(const inputs *in)
{
    const cJSON *divergences = hsgd_check_get(hsgd_check_get(in->check->document, "constants"), "divergence_sq");
    hsgd_check_pairs pairs = {0};
    for (size_t k = 0; k < in->tree->num_nodes && in->tree != &in->nodes; k++) {
        char name[32];
        snprintf(name, sizeof name, "level_%zu", k + 1);
        compare(&pairs, in->divergence_sq[k], hsgd_check_get(divergences, name), "value", name, k + 1);
    }
    if (pairs.count)
        hsgd_check_say_pairs(in->check, &pairs, "constants: divergences", 0);
}

/* ---- the sandwich ---- */

static bool has_texts(const cJSON *array, char *const text[3])
{
    for (int i = 0; i < 3; i++) {
        const cJSON *item = cJSON_IsArray(array) ? cJSON_GetArrayItem(array, i) : NULL;
        if (!cJSON_IsString(item) || strcmp(item->valuestring, text[i]) != 0)
            return false;
    }
    return true;
}

/* The published bounds in order, and those that the sandwich repeats. */
static void compare_order(const inputs *in, const cJSON *sandwich, const hsgd_bound_params *params)
{
    static const char *const key[] = {"inner", "middle", "outer"};
    static const char *const id[] = {"local-sgd-inner", "hsgd-random", "local-sgd-outer"};
    hsgd_check_pairs pairs = {0};
    double value[3];
    for (size_t i = 0; i < 3; i++) {
        value[i] = value_of(id[i], params);
        if (!cJSON_IsNull(hsgd_check_get(sandwich, key[i])))
            compare(&pairs, value[i], sandwich, key[i], key[i], i);
        if (i && isfinite(value[i]) && isfinite(value[i - 1]))
            hsgd_check_pair(&pairs, fmax(value[i - 1], value[i]), value[i], 0, "order, bound", i);
    }
    if (pairs.count)
        hsgd_check_say_pairs(in->check, &pairs, "sandwich: order of bounds", HSGD_CHECK_ROUNDING);
}

static hsgd_status check_sandwich(const inputs *in, const hsgd_bound_params *params, hsgd_error *err)
{
    const cJSON *written = hsgd_check_get(in->check->document, "sandwich");
    hsgd_sandwich found;
    if (!cJSON_IsObject(written))
        return HSGD_OK;
    hsgd_status status = hsgd_sandwich_decide(&found, &in->check->config.hierarchy, err);
    if (status)
        return status;
    bool same = has_texts(hsgd_check_get(written, "noise"), found.noise.text) &&
                has_texts(hsgd_check_get(written, "divergence"), found.divergence.text) &&
                cJSON_IsTrue(hsgd_check_get(written, "holds")) == found.holds;
    if (same)
        hsgd_check_say(in->check, HSGD_CHECK_HOLDS, "sandwich", "its six rational numbers follow from the tree");
    else
        hsgd_check_say(in->check, HSGD_CHECK_FAILS, "sandwich", "noise %s, %s, %s and divergence %s, %s, %s follow",
                       found.noise.text[0], found.noise.text[1], found.noise.text[2], found.divergence.text[0],
                       found.divergence.text[1], found.divergence.text[2]);
    if (found.holds)
        compare_order(in, written, params);
    hsgd_sandwich_free(&found);
    return HSGD_OK;
}

/* ---- */

static hsgd_status check_all(const inputs *in, const hsgd_series *series, hsgd_error *err)
{
    hsgd_bound_params params;
    hsgd_status status = make_params(&params, in, err);
    if (status)
        return status;
    check_levels(in);
    check_values(in, &params);
    check_rungs(in, &params);
    check_limits(in, &params);
    status = check_dispersion_bound(in, &params, series, err);
    if (!status)
        status = check_sandwich(in, &params, err);
    hsgd_bound_params_free(&params);
    return status ? status : check_certified(in, err);
}

hsgd_status hsgd_check_bounds(hsgd_check *check, const hsgd_series *series, hsgd_error *err)
{
    inputs in;
    hsgd_error reason;
    bool diverged = hsgd_check_number(hsgd_check_get(check->document, "measured"), "diverged_seeds") > 0;
    hsgd_status status = read_inputs(&in, check, &reason);
    bool known = !status;
    if (!status)
        status = check_all(&in, series, &reason);
    free_inputs(&in);
    if (status == HSGD_ERROR_INPUT) /* a constant out of range, or none */
        hsgd_check_say(check, known && !diverged ? HSGD_CHECK_FAILS : HSGD_CHECK_NOT_CHECKED,
                       "bounds: from their constants", "%s", reason.message);
    return status && status != HSGD_ERROR_INPUT ? hsgd_fail(err, status, "%s", reason.message) : HSGD_OK;
}
