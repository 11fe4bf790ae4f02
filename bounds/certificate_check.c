/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The check of a certificate (THEORY 11.4): signs, function values, claim, and every block of the slack. */
#include "bounds/certificate_private.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not a proof: say why. Returns false. */
static bool refuse(hsgd_certificate_verdict *out, const char *format, ...) HSGD_PRINTF(2, 3);

static bool refuse(hsgd_certificate_verdict *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out->reason, sizeof out->reason, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- signs ---- */

static bool signs_hold(hsgd_certificate_verdict *out, const hsgd_certificate_integers *certificate)
{
    return !*certificate->negative || refuse(out, "%s is negative", certificate->negative);
}

/* ---- linear parts ---- */

static void add_all(mpz_t out, mpz_t *const values, size_t count)
{
    mpz_set_ui(out, 0);
    for (size_t i = 0; i < count; i++)
        mpz_add(out, out, values[i]);
}

/* The smallest of the ||grad f(wbar^t)||^2 is at most a mean of them with weights that sum to 1. */
static bool weights_sum_to_one(hsgd_certificate_verdict *out, const hsgd_certificate_integers *certificate)
{
    mpz_t sum;
    mpz_init(sum);
    add_all(sum, certificate->weight, certificate->points.steps + 1);
    bool equal = mpz_cmp(sum, certificate->denominator) == 0;
    mpz_clear(sum);
    return equal || refuse(out, "the weights do not sum to 1");
}

/* What leaves a point less what enters it: the coefficient of its function value, F(w^0) and gaps included. */
static void find_balance(const hsgd_certificate_integers *certificate)
{
    const hsgd_certificate_points *points = &certificate->points;
    mpz_t *balance = certificate->balance;
    for (size_t p = 0; p < points->num_points; p++)
        mpz_set_ui(balance[p], 0);
    for (size_t i = 0; i < certificate->num_pairs; i++) {
        mpz_ptr higher = balance[certificate->higher[i]], lower = balance[certificate->lower[i]];
        mpz_add(higher, higher, certificate->pair[i]);
        mpz_sub(lower, lower, certificate->pair[i]);
    }
    for (size_t t = 0; t <= points->steps; t++) {
        mpz_ptr at = balance[hsgd_certificate_index(points, t, 0)];
        mpz_sub(balance[0], balance[0], certificate->gap[t]);
        mpz_add(at, at, certificate->gap[t]);
    }
}

static bool values_cancel(hsgd_certificate_verdict *out, const hsgd_certificate_integers *certificate)
{
    find_balance(certificate);
    for (size_t p = 0; p < certificate->points.num_points; p++) {
        hsgd_certificate_point at = certificate->points.place[p];
        if (mpz_sgn(certificate->balance[p]))
            return refuse(out, "the function values at step %zu, depth %zu do not cancel", at.step, at.depth);
    }
    return true;
}

/* The claimed a and c_k must be at least the sums of their multipliers, for Delta and D_k are not negative. */
static bool claim_holds(hsgd_certificate_verdict *out, const hsgd_certificate_integers *certificate)
{
    const hsgd_certificate_points *points = &certificate->points;
    mpz_t sum;
    mpz_init(sum);
    add_all(sum, certificate->gap, points->steps + 1);
    bool holds = mpz_cmp(certificate->delta_coefficient, sum) >= 0 ||
                 refuse(out, "delta_coefficient is less than the sum of the gap's multipliers");
    for (size_t k = 0; k < points->num_levels && holds; k++) {
        add_all(sum, certificate->divergence + k * points->steps, points->steps);
        holds =
            points->zero_level[k] || mpz_cmp(certificate->divergence_coefficient[k], sum) >= 0 ||
            refuse(out, "divergence_coefficients[%zu] is less than the sum of the multipliers of level %zu", k, k + 1);
    }
    mpz_clear(sum);
    return holds;
}

/* ---- blocks ---- */

static hsgd_status check_blocks(hsgd_certificate_verdict *out, const hsgd_certificate_integers *certificate,
                                hsgd_error *err)
{
    size_t size = certificate->points.num_points, row = 0;
    mpz_t *block = hsgd_integers_alloc(size * size);
    bool complete = block != NULL;
    out->proved = true;
    for (size_t k = 0; k <= certificate->points.num_levels && complete && out->proved; k++) {
        complete = hsgd_certificate_block(block, certificate, k);
        hsgd_semidefinite answer = complete ? hsgd_semidefinite_decide(block, size, &row) : HSGD_SEMIDEFINITE_NO_MEMORY;
        complete = answer != HSGD_SEMIDEFINITE_NO_MEMORY;
        out->num_dominant += answer == HSGD_SEMIDEFINITE_DOMINANT;
        out->num_eliminated += answer == HSGD_SEMIDEFINITE_ELIMINATED;
        hsgd_certificate_point at = certificate->points.place[row];
        if (answer == HSGD_SEMIDEFINITE_NO)
            out->proved =
                refuse(out, "block %zu of the slack is not positive semidefinite (seen at step %zu, depth %zu)", k,
                       at.step, at.depth);
    }
    hsgd_integers_free(block, size * size);
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the slack of the certificate");
}

/* ---- verdict ---- */

/* The least double that is not below numerator/denominator; infinite beyond the range. */
static double round_up(const mpz_t numerator, const mpz_t denominator)
{
    mpq_t exact, rounded;
    mpq_inits(exact, rounded, NULL);
    mpq_set_num(exact, numerator);
    mpq_set_den(exact, denominator);
    mpq_canonicalize(exact);
    double value = mpq_get_d(exact); /* towards 0 */
    if (isfinite(value)) {
        mpq_set_d(rounded, value);
        if (mpq_cmp(rounded, exact) < 0)
            value = nextafter(value, INFINITY);
    }
    mpq_clears(exact, rounded, NULL);
    return value;
}

/* digits times 10^exponent: in full where that is short, else with an exponent. */
static void write_decimal(char *out, char *digits, long exponent)
{
    const size_t size = HSGD_CERTIFICATE_TEXT_SIZE;
    size_t length = strlen(digits);
    while (length > 1 && digits[length - 1] == '0') {
        digits[--length] = '\0';
        exponent++;
    }
    long point = (long)length + exponent; /* digits before the point */
    if (strcmp(digits, "0") == 0)
        snprintf(out, size, "0");
    else if (exponent >= 0 && point <= HSGD_CERTIFICATE_DIGITS)
        snprintf(out, size, "%s%.*s", digits, (int)exponent, "000000000000");
    else if (exponent < 0 && point > 0)
        snprintf(out, size, "%.*s.%s", (int)point, digits, digits + point);
    else if (exponent < 0 && point > -4)
        snprintf(out, size, "0.%.*s%s", (int)-point, "0000", digits);
    else
        snprintf(out, size, "%.1s%s%se%ld", digits, length > 1 ? "." : "", digits + 1, point - 1);
}

/* The least decimal d.ddd..e-XX of HSGD_CERTIFICATE_DIGITS digits that is not below numerator/denominator. */
static void round_up_text(char *out, const mpz_t numerator, const mpz_t denominator)
{
    mpz_t scaled, power;
    mpz_inits(scaled, power, NULL);
    long exponent =
        (long)mpz_sizeinbase(numerator, 10) - (long)mpz_sizeinbase(denominator, 10) - HSGD_CERTIFICATE_DIGITS;
    mpz_ui_pow_ui(power, 10, (unsigned long)labs(exponent));
    for (;; exponent++) { /* the first estimate has at least as many digits, and at most two more */
        mpz_ui_pow_ui(power, 10, (unsigned long)labs(exponent));
        mpz_mul(scaled, exponent < 0 ? numerator : denominator, power);
        mpz_cdiv_q(scaled, exponent < 0 ? scaled : numerator, exponent < 0 ? denominator : scaled);
        if (mpz_sizeinbase(scaled, 10) <= HSGD_CERTIFICATE_DIGITS + 1 &&
            mpz_cmp_d(scaled, pow(10, HSGD_CERTIFICATE_DIGITS)) < 0)
            break;
    }
    char digits[HSGD_CERTIFICATE_DIGITS + 3];
    mpz_get_str(digits, 10, scaled);
    write_decimal(out, digits, exponent);
    mpz_clears(scaled, power, NULL);
}

static void set_coefficients(hsgd_certificate_verdict *out, const hsgd_certificate_integers *certificate)
{
    out->delta_coefficient = round_up(certificate->delta_coefficient, certificate->denominator);
    round_up_text(out->delta_text, certificate->delta_coefficient, certificate->denominator);
    for (size_t k = 0; k < certificate->points.num_levels; k++) {
        if (certificate->points.zero_level[k])
            continue;
        mpz_srcptr coefficient = certificate->divergence_coefficient[k];
        out->divergence_coefficient[k] = round_up(coefficient, certificate->denominator);
        round_up_text(out->divergence_text[k], coefficient, certificate->denominator);
    }
}

hsgd_status hsgd_certificate_check(hsgd_certificate_verdict *out, const hsgd_certificate *certificate, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    hsgd_certificate_integers integers;
    hsgd_status status = hsgd_certificate_integers_init(&integers, certificate, err);
    if (status)
        return status;
    out->num_points = integers.points.num_points;
    out->num_blocks = integers.points.num_levels + 1;
    if (signs_hold(out, &integers) && weights_sum_to_one(out, &integers) && values_cancel(out, &integers) &&
        claim_holds(out, &integers))
        status = check_blocks(out, &integers, err);
    if (!status && out->proved)
        set_coefficients(out, &integers);
    hsgd_certificate_integers_free(&integers);
    return status;
}
