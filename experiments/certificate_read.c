/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates from their files. Here every member is looked for; what its numbers and points mean is checked by
 * bounds/certificate.h. */
#include "experiments/certificate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/json_private.h"

/* Numbers stay texts: as JSON numbers they would go through a double. */
static hsgd_status read_number(char **out, const hsgd_json *at, hsgd_error *err)
{
    if (!cJSON_IsString(at->value))
        return hsgd_json_fail(at, err, "expected an exact number as a text, such as \"0.05\" or \"1/20\"");
    return hsgd_json_copy_text(at, out, err);
}

static hsgd_status read_member_number(char **out, const hsgd_json *object, const char *key, hsgd_error *err)
{
    hsgd_json at = hsgd_json_member(object, key);
    return read_number(out, &at, err);
}

/* [step, depth] */
static hsgd_status read_point(hsgd_certificate_point *out, const hsgd_json *object, const char *key, hsgd_error *err)
{
    size_t length;
    hsgd_json at = hsgd_json_member(object, key);
    hsgd_status status = hsgd_json_array(&at, 2, &length, err);
    if (!status && length != 2)
        status = hsgd_json_fail(&at, err, "expected a point: [step, depth]");
    if (status)
        return status;
    hsgd_json step = hsgd_json_item(&at, 0), depth = hsgd_json_item(&at, 1);
    status = hsgd_json_count(&step, 0, HSGD_CERTIFICATE_MAX_POINTS, &out->step, err);
    return status ? status : hsgd_json_count(&depth, 0, HSGD_MAX_LEVELS, &out->depth, err);
}

static hsgd_status read_pair(void *out, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"higher", "lower", "value", NULL};
    hsgd_certificate_pair *pair = out;
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = read_point(&pair->higher, at, "higher", err);
    if (!status)
        status = read_point(&pair->lower, at, "lower", err);
    return status ? status : read_member_number(&pair->value, at, "value", err);
}

static hsgd_status read_divergence(void *out, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"level", "step", "value", NULL};
    hsgd_certificate_divergence *divergence = out;
    hsgd_json level = hsgd_json_member(at, "level"), step = hsgd_json_member(at, "step");
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = hsgd_json_count(&level, 1, HSGD_MAX_LEVELS, &divergence->level, err);
    if (!status)
        status = hsgd_json_count(&step, 0, HSGD_CERTIFICATE_MAX_POINTS, &divergence->step, err);
    return status ? status : read_member_number(&divergence->value, at, "value", err);
}

static hsgd_status read_step(void *out, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"step", "value", NULL};
    hsgd_certificate_step *step = out;
    hsgd_json number = hsgd_json_member(at, "step");
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = hsgd_json_count(&number, 0, HSGD_CERTIFICATE_MAX_POINTS, &step->step, err);
    return status ? status : read_member_number(&step->value, at, "value", err);
}

/* An array of objects; *length counts those begun, so that a half-read list can be freed. */
static hsgd_status read_list(void **out, size_t *length, size_t size, const hsgd_json *root, const char *key,
                             hsgd_status (*read)(void *out, const hsgd_json *at, hsgd_error *err), hsgd_error *err)
{
    size_t count;
    hsgd_json array = hsgd_json_member(root, key);
    hsgd_status status = hsgd_json_array(&array, 0, &count, err);
    if (status)
        return status;
    *out = calloc(count ? count : 1, size);
    if (!*out)
        return hsgd_fail_memory(err, array.path);
    const cJSON *item = array.value->child;
    for (*length = 0; *length < count && !status;) {
        hsgd_json at = hsgd_json_next(&array, &item, *length);
        status = read((char *)*out + size * (*length)++, &at, err);
    }
    return status;
}

static hsgd_status read_lists(hsgd_certificate *out, const hsgd_json *root, hsgd_error *err)
{
    void *pair = NULL, *divergence = NULL, *gap = NULL, *weight = NULL;
    hsgd_status status = read_list(&pair, &out->num_pairs, sizeof *out->pair, root, "interpolation", read_pair, err);
    if (!status)
        status = read_list(&divergence, &out->num_divergences, sizeof *out->divergence, root, "divergence",
                           read_divergence, err);
    if (!status)
        status = read_list(&gap, &out->num_gap_multipliers, sizeof *out->gap_multiplier, root, "gap_multipliers",
                           read_step, err);
    if (!status && out->criterion == HSGD_CERTIFICATE_MIN)
        status = read_list(&weight, &out->num_weights, sizeof *out->weight, root, "weights", read_step, err);
    out->pair = pair;
    out->divergence = divergence;
    out->gap_multiplier = gap;
    out->weight = weight;
    return status;
}

/* ---- the statement ---- */

static hsgd_status read_periods(hsgd_certificate *out, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json at = hsgd_json_member(root, "periods");
    hsgd_status status = hsgd_json_array(&at, 0, &out->num_levels, err);
    if (!status && out->num_levels > HSGD_MAX_LEVELS) {
        out->num_levels = 0;
        return hsgd_json_fail(&at, err, "expected at most %d levels", HSGD_MAX_LEVELS);
    }
    for (size_t k = 0; k < out->num_levels && !status; k++) {
        hsgd_json period = hsgd_json_item(&at, k);
        status = hsgd_json_count(&period, 1, HSGD_MAX_PERIOD, &out->periods[k], err);
        if (!status && k > 0 && out->periods[k - 1] % out->periods[k] != 0)
            status =
                hsgd_json_fail(&period, err, "expected a period that divides the one before, %zu", out->periods[k - 1]);
    }
    return status;
}

static hsgd_status read_zero_levels(hsgd_certificate *out, const hsgd_json *root, hsgd_error *err)
{
    size_t length = 0, level;
    hsgd_json at = hsgd_json_member(root, "zero_levels");
    hsgd_status status = at.value ? hsgd_json_array(&at, 0, &length, err) : HSGD_OK;
    for (size_t i = 0; i < length && !status; i++) {
        hsgd_json item = hsgd_json_item(&at, i);
        status = hsgd_json_count(&item, 1, out->num_levels, &level, err);
        if (!status)
            out->zero_level[level - 1] = true;
    }
    return status;
}

/* One number per level; null where the divergence is assumed to be 0. */
static hsgd_status read_coefficients(hsgd_certificate *out, const hsgd_json *root, hsgd_error *err)
{
    size_t length = 0;
    hsgd_json at = hsgd_json_member(root, "divergence_coefficients");
    hsgd_status status = hsgd_json_array(&at, 0, &length, err);
    if (!status && length != out->num_levels)
        status = hsgd_json_fail(&at, err, "%zu numbers for %zu levels of periods", length, out->num_levels);
    for (size_t k = 0; k < out->num_levels && !status; k++) {
        hsgd_json item = hsgd_json_item(&at, k);
        if (!out->zero_level[k])
            status = read_number(&out->divergence_coefficient[k], &item, err);
        else if (!cJSON_IsNull(item.value))
            status = hsgd_json_fail(&item, err, "expected null, for zero_levels has level %zu", k + 1);
    }
    return status;
}

static hsgd_status read_kind(hsgd_certificate *out, const hsgd_json *root, hsgd_error *err)
{
    size_t criterion = 0, gap = 0;
    hsgd_json at = hsgd_json_member(root, "criterion");
    hsgd_status status =
        hsgd_json_choice_of(&at, hsgd_certificate_criterion_name, HSGD_NUM_CERTIFICATE_CRITERIA, &criterion, err);
    at = hsgd_json_member(root, "gap");
    if (!status)
        status = hsgd_json_choice_of(&at, hsgd_certificate_gap_name, HSGD_NUM_CERTIFICATE_GAPS, &gap, err);
    out->criterion = (hsgd_certificate_criterion)criterion;
    out->gap = (hsgd_certificate_gap)gap;
    hsgd_json weights = hsgd_json_member(root, "weights");
    if (!status && weights.value && out->criterion == HSGD_CERTIFICATE_MEAN)
        status = hsgd_json_fail(&weights, err, "legal only with the criterion \"min\"");
    return status;
}

static hsgd_status read_statement(hsgd_certificate *out, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json steps = hsgd_json_member(root, "steps");
    hsgd_status status = read_periods(out, root, err);
    if (!status)
        status = read_zero_levels(out, root, err);
    if (!status)
        status = hsgd_json_count(&steps, 1, HSGD_CERTIFICATE_MAX_POINTS - 1, &out->steps, err);
    if (!status)
        status = read_member_number(&out->step_size, root, "step_size", err);
    if (!status)
        status = read_member_number(&out->smoothness, root, "smoothness", err);
    if (!status)
        status = read_kind(out, root, err);
    if (!status)
        status = read_member_number(&out->delta_coefficient, root, "delta_coefficient", err);
    return status ? status : read_coefficients(out, root, err);
}

static hsgd_status read_document(hsgd_certificate *out, const hsgd_json *root, hsgd_error *err)
{
    static const char *const keys[] = {"certificate",
                                       "periods",
                                       "zero_levels",
                                       "steps",
                                       "step_size",
                                       "smoothness",
                                       "criterion",
                                       "gap",
                                       "weights",
                                       "interpolation",
                                       "delta_coefficient",
                                       "divergence_coefficients",
                                       "divergence",
                                       "gap_multipliers",
                                       NULL};
    static const char *const format[] = {"hsgd-pep-1", NULL};
    size_t ignored;
    hsgd_status status = hsgd_json_object(root, keys, err);
    hsgd_json at = hsgd_json_member(root, "certificate");
    if (!status)
        status = hsgd_json_choice(&at, format, &ignored, err);
    if (!status)
        status = read_statement(out, root, err);
    return status ? status : read_lists(out, root, err);
}

hsgd_status hsgd_certificate_read(hsgd_certificate *out, const char *path, hsgd_error *err)
{
    cJSON *document;
    memset(out, 0, sizeof *out);
    hsgd_status status = hsgd_json_read_file(&document, path, err);
    if (status)
        return status;
    hsgd_json root = hsgd_json_root(path, document);
    status = read_document(out, &root, err);
    cJSON_Delete(document);
    if (status)
        hsgd_certificate_free(out);
    return status;
}
