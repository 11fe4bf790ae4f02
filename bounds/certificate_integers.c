/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the texts of a certificate to integers over one denominator. Every number that is not legal is refused with its
 * place in the file. */
#include "bounds/certificate_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The common denominator of decimals has as many digits as the longest of them; fractions with unlike denominators
 * could make it grow without end. */
enum { MAX_DENOMINATOR_BITS = 1 << 14 };

/* ---- one number and its place ---- */

static hsgd_status read_number(mpq_t out, const char *text, const char *place, size_t index, const char *field,
                               hsgd_error *err)
{
    if (hsgd_exact_number(out, text))
        return HSGD_OK;
    char where[64];
    snprintf(where, sizeof where, *field ? "%s[%zu].%s" : "%s", place, index, field);
    return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: %s%.48s%s: expected an exact number such as \"0.05\" or \"1/20\"",
                     where, text ? "\"" : "", text ? text : "missing", text ? "\"" : "");
}

static hsgd_status read_positive(mpq_t out, const char *text, const char *place, hsgd_error *err)
{
    hsgd_status status = read_number(out, text, place, 0, "", err);
    if (!status && mpq_sgn(out) <= 0)
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "%s: \"%.48s\": expected a number above 0", place, text);
    return status;
}

/* One pass over all multipliers and claims: the first finds the common denominator, the second sets the integers. */
typedef struct pass {
    hsgd_certificate_integers *out;
    bool second;
    mpq_t number; /* the last one read */
} pass;

static hsgd_status take(pass *p, mpz_t out, const char *text, const char *place, size_t index, const char *field,
                        hsgd_error *err)
{
    hsgd_status status = read_number(p->number, text, place, index, field, err);
    if (status)
        return status;
    mpz_ptr denominator = p->out->denominator;
    if (!p->second) {
        if (mpq_sgn(p->number) < 0 && *field && !*p->out->negative)
            snprintf(p->out->negative, sizeof p->out->negative, "%s[%zu].%s", place, index, field);
        mpz_lcm(denominator, denominator, mpq_denref(p->number));
        return mpz_sizeinbase(denominator, 2) <= MAX_DENOMINATOR_BITS
                   ? HSGD_OK
                   : hsgd_fail(err, HSGD_ERROR_INPUT,
                               "%s[%zu]: \"%.48s\": the multipliers have no common denominator of up to %d bits", place,
                               index, text, MAX_DENOMINATOR_BITS);
    }
    mpz_t scaled;
    mpz_init(scaled);
    mpz_divexact(scaled, denominator, mpq_denref(p->number));
    mpz_addmul(out, scaled, mpq_numref(p->number));
    mpz_clear(scaled);
    return HSGD_OK;
}

/* ---- places in the tree ---- */

static hsgd_status find_point(size_t *out, const hsgd_certificate_points *points, hsgd_certificate_point point,
                              size_t index, const char *field, hsgd_error *err)
{
    if (!hsgd_certificate_is_point(points, point.step, point.depth))
        return hsgd_fail(
            err, HSGD_ERROR_INPUT,
            "interpolation[%zu].%s: [%zu,%zu]: not a point; step %zu of %zu has no mean of depth %zu, or it "
            "equals that of a smaller depth",
            index, field, point.step, point.depth, point.step, points->steps, point.depth);
    *out = hsgd_certificate_index(points, point.step, point.depth);
    return HSGD_OK;
}

static hsgd_status take_pairs(pass *p, const hsgd_certificate *certificate, hsgd_error *err)
{
    hsgd_certificate_integers *out = p->out;
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < certificate->num_pairs && !status; i++) {
        const hsgd_certificate_pair *pair = &certificate->pair[i];
        status = find_point(&out->higher[i], &out->points, pair->higher, i, "higher", err);
        if (!status)
            status = find_point(&out->lower[i], &out->points, pair->lower, i, "lower", err);
        if (!status && out->higher[i] == out->lower[i])
            status = hsgd_fail(err, HSGD_ERROR_INPUT, "interpolation[%zu]: the two points are the same", i);
        if (!status)
            status = take(p, out->pair[i], pair->value, "interpolation", i, "value", err);
    }
    return status;
}

static hsgd_status take_divergences(pass *p, const hsgd_certificate *certificate, hsgd_error *err)
{
    hsgd_certificate_integers *out = p->out;
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < certificate->num_divergences && !status; i++) {
        const hsgd_certificate_divergence *at = &certificate->divergence[i];
        if (at->level < 1 || at->level > certificate->num_levels)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "divergence[%zu].level: %zu: expected 1 to %zu", i, at->level,
                             certificate->num_levels);
        if (certificate->zero_level[at->level - 1])
            return hsgd_fail(err, HSGD_ERROR_INPUT,
                             "divergence[%zu].level: %zu: zero_levels says that this divergence is 0", i, at->level);
        if (at->step >= out->points.steps)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "divergence[%zu].step: %zu: expected 0 to %zu", i, at->step,
                             out->points.steps - 1);
        size_t index = (at->level - 1) * out->points.steps + at->step;
        status = take(p, out->divergence[index], at->value, "divergence", i, "value", err);
    }
    return status;
}

/* Numbers by step, from first to T. */
static hsgd_status take_steps(pass *p, mpz_t *out, const hsgd_certificate_step *step, size_t count, size_t first,
                              const char *place, hsgd_error *err)
{
    size_t last = p->out->points.steps;
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < count && !status; i++) {
        if (step[i].step < first || step[i].step > last)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "%s[%zu].step: %zu: expected %zu to %zu", place, i, step[i].step,
                             first, last);
        status = take(p, out[step[i].step], step[i].value, place, i, "value", err);
    }
    return status;
}

static hsgd_status take_weights(pass *p, const hsgd_certificate *certificate, hsgd_error *err)
{
    hsgd_certificate_integers *out = p->out;
    if (certificate->criterion == HSGD_CERTIFICATE_MIN)
        return take_steps(p, out->weight, certificate->weight, certificate->num_weights, 0, "weights", err);
    if (certificate->num_weights)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "weights: legal only with the criterion \"min\"");
    if (!p->second)
        mpz_lcm_ui(out->denominator, out->denominator, out->points.steps);
    else
        for (size_t t = 0; t < out->points.steps; t++)
            mpz_divexact_ui(out->weight[t], out->denominator, out->points.steps);
    return HSGD_OK;
}

static hsgd_status take_claim(pass *p, const hsgd_certificate *certificate, hsgd_error *err)
{
    hsgd_certificate_integers *out = p->out;
    hsgd_status status =
        take(p, out->delta_coefficient, certificate->delta_coefficient, "delta_coefficient", 0, "", err);
    for (size_t k = 0; k < certificate->num_levels && !status; k++)
        if (!certificate->zero_level[k]) {
            char place[64];
            snprintf(place, sizeof place, "divergence_coefficients[%zu]", k);
            status = take(p, out->divergence_coefficient[k], certificate->divergence_coefficient[k], place, 0, "", err);
        }
    return status;
}

static hsgd_status take_all(pass *p, const hsgd_certificate *certificate, hsgd_error *err)
{
    size_t first_gap = certificate->gap == HSGD_CERTIFICATE_DESCENT ? p->out->points.steps : 0;
    hsgd_status status = take_pairs(p, certificate, err);
    if (!status)
        status = take_divergences(p, certificate, err);
    if (!status)
        status = take_steps(p, p->out->gap, certificate->gap_multiplier, certificate->num_gap_multipliers, first_gap,
                            "gap_multipliers", err);
    if (!status)
        status = take_weights(p, certificate, err);
    return status ? status : take_claim(p, certificate, err);
}

/* ---- the whole ---- */

static hsgd_status take_twice(hsgd_certificate_integers *out, const hsgd_certificate *certificate, hsgd_error *err)
{
    pass p = {.out = out};
    mpq_init(p.number);
    hsgd_status status = take_all(&p, certificate, err);
    p.second = true;
    if (!status)
        status = take_all(&p, certificate, err);
    mpq_clear(p.number);
    return status;
}

static hsgd_status take_constants(hsgd_certificate_integers *out, const hsgd_certificate *certificate, hsgd_error *err)
{
    mpq_t gamma, smoothness;
    mpq_inits(gamma, smoothness, NULL);
    hsgd_status status = read_positive(gamma, certificate->step_size, "step_size", err);
    if (!status)
        status = read_positive(smoothness, certificate->smoothness, "smoothness", err);
    if (!status) {
        mpz_set(out->L_num, mpq_numref(smoothness));
        mpz_set(out->L_den, mpq_denref(smoothness));
        mpq_mul(gamma, gamma, smoothness);
        mpz_set(out->gamma_L_num, mpq_numref(gamma));
        mpz_set(out->gamma_L_den, mpq_denref(gamma));
    }
    mpq_clears(gamma, smoothness, NULL);
    return status;
}

static hsgd_status allocate(hsgd_certificate_integers *out, const hsgd_certificate *certificate, hsgd_error *err)
{
    size_t pairs = certificate->num_pairs, steps = out->points.steps;
    out->num_pairs = pairs;
    out->higher = calloc(pairs ? pairs : 1, sizeof *out->higher);
    out->lower = calloc(pairs ? pairs : 1, sizeof *out->lower);
    out->pair = hsgd_integers_alloc(pairs);
    out->divergence = hsgd_integers_alloc(out->points.num_levels * steps);
    out->gap = hsgd_integers_alloc(steps + 1);
    out->weight = hsgd_integers_alloc(steps + 1);
    out->balance = hsgd_integers_alloc(out->points.num_points);
    bool complete =
        out->higher && out->lower && out->pair && out->divergence && out->gap && out->weight && out->balance;
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the numbers of the certificate");
}

hsgd_status hsgd_certificate_integers_init(hsgd_certificate_integers *out, const hsgd_certificate *certificate,
                                           hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    mpz_inits(out->gamma_L_num, out->gamma_L_den, out->L_num, out->L_den, out->denominator, out->delta_coefficient,
              NULL);
    for (size_t k = 0; k < HSGD_MAX_LEVELS; k++)
        mpz_init(out->divergence_coefficient[k]);
    mpz_set_ui(out->denominator, 1);
    out->gap_has_gradient = certificate->gap == HSGD_CERTIFICATE_LOWER_BOUND;
    hsgd_status status = hsgd_certificate_points_init(&out->points, certificate, err);
    if (!status)
        status = allocate(out, certificate, err);
    if (!status)
        status = take_constants(out, certificate, err);
    if (!status)
        status = take_twice(out, certificate, err);
    if (status)
        hsgd_certificate_integers_free(out);
    return status;
}

void hsgd_certificate_integers_free(hsgd_certificate_integers *integers)
{
    size_t steps = integers->points.steps;
    hsgd_integers_free(integers->pair, integers->num_pairs);
    hsgd_integers_free(integers->divergence, integers->points.num_levels * steps);
    hsgd_integers_free(integers->gap, steps + 1);
    hsgd_integers_free(integers->weight, steps + 1);
    hsgd_integers_free(integers->balance, integers->points.num_points);
    free(integers->higher);
    free(integers->lower);
    mpz_clears(integers->gamma_L_num, integers->gamma_L_den, integers->L_num, integers->L_den, integers->denominator,
               integers->delta_coefficient, NULL);
    for (size_t k = 0; k < HSGD_MAX_LEVELS; k++)
        mpz_clear(integers->divergence_coefficient[k]);
    hsgd_certificate_points_free(&integers->points);
    memset(integers, 0, sizeof *integers);
}
