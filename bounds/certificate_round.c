/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bounds/certificate_round.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds/certificate_private.h"

/* Digits that the largest multiplier keeps: more than a double has, so that rounding adds nothing to its own error. */
enum { DIGITS = 18, MAX_DECIMALS = 300 };

/* Multipliers as the solver has them, by the points of the check. */
typedef struct draft {
    const hsgd_pep_problem *problem;
    hsgd_certificate_points points;
    double *pair;       /* (K, K) higher, lower */
    double *divergence; /* (M, T) */
    double *gap;        /* (T + 1) */
    double *weight;     /* (T + 1) */
} draft;

/* ---- texts ---- */

/* Numbers in a file have a point, whatever the locale. */
static void use_point(char *text)
{
    char *end = text + strspn(text, "0123456789-");
    size_t other = strcspn(end, "0123456789e");
    if (!other)
        return;
    *end = '.';
    memmove(end + 1, end + other, strlen(end + other) + 1);
}

static char *shortest_text(double value)
{
    char text[64];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    use_point(text);
    return strdup(text);
}

/* value / 10^decimals, without zeros at the end. */
static char *decimal_text(const mpz_t value, size_t decimals)
{
    size_t digits = mpz_sizeinbase(value, 10);
    char *text = malloc(digits + decimals + 4), *raw = malloc(digits + 2);
    if (!text || !raw) {
        free(text);
        free(raw);
        return NULL;
    }
    mpz_get_str(raw, 10, value);
    digits = strlen(raw);
    size_t whole = digits > decimals ? digits - decimals : 0, length = whole ? whole : 1;
    memcpy(text, whole ? raw : "0", length);
    if (decimals) {
        text[length++] = '.';
        for (size_t i = digits; i < decimals; i++)
            text[length++] = '0';
        memcpy(text + length, raw + whole, digits - whole);
        length += digits - whole;
        while (text[length - 1] == '0')
            length--;
        length -= text[length - 1] == '.';
    }
    text[length] = '\0';
    free(raw);
    return text;
}

/* ---- the draft ---- */

static void draft_free(draft *d)
{
    free(d->pair);
    free(d->divergence);
    free(d->gap);
    free(d->weight);
    hsgd_certificate_points_free(&d->points);
    memset(d, 0, sizeof *d);
}

static hsgd_status draft_init(draft *d, const hsgd_certificate *statement, const hsgd_pep_problem *problem,
                              hsgd_error *err)
{
    memset(d, 0, sizeof *d);
    hsgd_status status = hsgd_certificate_points_init(&d->points, statement, err);
    if (status)
        return status;
    size_t points = d->points.num_points, steps = problem->steps;
    d->problem = problem;
    d->pair = calloc(points * points, sizeof *d->pair);
    d->divergence = calloc((problem->num_levels + 1) * steps, sizeof *d->divergence);
    d->gap = calloc(steps + 1, sizeof *d->gap);
    d->weight = calloc(steps + 1, sizeof *d->weight);
    if (d->pair && d->divergence && d->gap && d->weight)
        return HSGD_OK;
    draft_free(d);
    return hsgd_fail_memory(err, "the certificate");
}

static bool find_point(size_t *out, const draft *d, const hsgd_pep_result *result, size_t point)
{
    const hsgd_pep_point *at = &result->model.point[point];
    *out = hsgd_certificate_is_point(&d->points, at->step, at->depth)
               ? hsgd_certificate_index(&d->points, at->step, at->depth)
               : 0;
    return hsgd_certificate_is_point(&d->points, at->step, at->depth);
}

/* Copy the multipliers; what is negative (or NaN) becomes 0. False when the solver knows a point that is none here. */
static bool draft_fill(draft *d, const hsgd_pep_result *result)
{
    size_t higher, lower, size = d->points.num_points, steps = d->problem->steps;
    for (size_t i = 0; i < result->num_multipliers; i++) {
        const hsgd_pep_multiplier *m = &result->multiplier[i];
        double value = m->value > 0 ? m->value : 0;
        switch (m->kind) {
        case HSGD_PEP_INTERPOLATION:
            if (!find_point(&higher, d, result, m->first) || !find_point(&lower, d, result, m->second))
                return false;
            d->pair[higher * size + lower] += value;
            break;
        case HSGD_PEP_DIVERGENCE:
            d->divergence[(m->level - 1) * steps + m->step] += value;
            break;
        case HSGD_PEP_INITIAL_GAP:
            d->gap[d->problem->gap == HSGD_PEP_DESCENT ? steps : m->step] += value;
            break;
        case HSGD_PEP_CRITERION:
            d->weight[m->step] += value;
            break;
        }
    }
    return true;
}

/* ---- the shift ---- */

/* Both directions of a pair: L^2 |x - y|^2 - |g - h|^2 >= 0 is added to what is used. */
static void add_both(draft *d, size_t a, size_t b, double value)
{
    d->pair[a * d->points.num_points + b] += value;
    d->pair[b * d->points.num_points + a] += value;
}

/* Make the slack larger by about shift/T: all multipliers times 1 + shift leaves that share of what is bounded; then every
 * divergence multiplier grows by shift/T, and pairs that tie the points of a step to each other carry it to points that
 * stand in no bound. Those pairs take something where models move: less of them for long periods. */
static void add_shift(draft *d, double shift)
{
    const hsgd_certificate_points *points = &d->points;
    const hsgd_pep_problem *problem = d->problem;
    size_t size = points->num_points, steps = problem->steps;
    double share = shift / (double)steps, longest = problem->num_levels ? (double)problem->periods[0] : 1;
    double way = problem->step_size * problem->smoothness * fmin(longest, (double)steps);
    double tie = problem->smoothness * share * fmin(1, 0.25 / (way * way));
    for (size_t i = 0; i < size * size; i++)
        d->pair[i] *= 1 + shift;
    for (size_t i = 0; i < problem->num_levels * steps; i++)
        if (!points->zero_level[i / steps])
            d->divergence[i] = d->divergence[i] * (1 + shift) + share;
    for (size_t t = 0; t <= steps; t++)
        d->gap[t] *= 1 + shift;
    for (size_t p = 1; p < size; p++) {
        bool is_root = points->place[p].depth == 0;
        bool is_loose = points->place[p].step == steps || problem->criterion == HSGD_PEP_MIN;
        if (!is_root)
            add_both(d, p - 1, p, tie);
        else if (is_loose)
            add_both(d, hsgd_certificate_index(points, points->place[p].step - 1, 0), p, tie);
    }
}

/* ---- rounding ---- */

/* Integers over 10^decimals. */
typedef struct rounded {
    const draft *draft;
    size_t decimals;
    mpz_t *pair, *divergence, *gap, *weight; /* as in the draft */
    mpz_t *balance;                          /* (K) */
} rounded;

static void rounded_free(rounded *r)
{
    size_t size = r->draft->points.num_points, steps = r->draft->problem->steps;
    hsgd_integers_free(r->pair, size * size);
    hsgd_integers_free(r->divergence, r->draft->problem->num_levels * steps);
    hsgd_integers_free(r->gap, steps + 1);
    hsgd_integers_free(r->weight, steps + 1);
    hsgd_integers_free(r->balance, size);
}

static double largest_of(const double *values, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, values[i]);
    return largest;
}

/* Enough decimals for DIGITS digits of the largest multiplier. */
static size_t choose_decimals(const draft *d)
{
    size_t size = d->points.num_points, steps = d->problem->steps;
    double largest = fmax(largest_of(d->pair, size * size), largest_of(d->gap, steps + 1));
    largest = fmax(largest, largest_of(d->divergence, d->problem->num_levels * steps));
    double decimals = largest > 0 ? DIGITS - ceil(log10(largest)) : DIGITS;
    return (size_t)fmin(fmax(decimals, d->problem->criterion == HSGD_PEP_MIN ? DIGITS : 0), MAX_DECIMALS);
}

static void round_all(mpz_t *out, const double *values, size_t count, const mpf_t unit)
{
    mpf_t scaled;
    mpf_init2(scaled, 128);
    for (size_t i = 0; i < count; i++) {
        mpf_set_d(scaled, values[i]);
        mpf_mul(scaled, scaled, unit);
        mpz_set_f(out[i], scaled);
    }
    mpf_clear(scaled);
}

static hsgd_status rounded_init(rounded *r, const draft *d, hsgd_error *err)
{
    size_t size = d->points.num_points, steps = d->problem->steps, levels = d->problem->num_levels;
    *r = (rounded){.draft = d, .decimals = choose_decimals(d)};
    r->pair = hsgd_integers_alloc(size * size);
    r->divergence = hsgd_integers_alloc(levels * steps);
    r->gap = hsgd_integers_alloc(steps + 1);
    r->weight = hsgd_integers_alloc(steps + 1);
    r->balance = hsgd_integers_alloc(size);
    if (!r->pair || !r->divergence || !r->gap || !r->weight || !r->balance) {
        rounded_free(r);
        return hsgd_fail_memory(err, "the certificate");
    }
    mpf_t unit;
    mpf_init2(unit, 1200);
    mpf_set_ui(unit, 10);
    mpf_pow_ui(unit, unit, r->decimals);
    round_all(r->pair, d->pair, size * size, unit);
    round_all(r->divergence, d->divergence, levels * steps, unit);
    round_all(r->gap, d->gap, steps + 1, unit);
    round_all(r->weight, d->weight, steps + 1, unit);
    mpf_clear(unit);
    return HSGD_OK;
}

/* ---- repairs ---- */

/* Send what point p has too little of over its pair with q; the inequality holds in both directions, so either sign can be
 * sent. Afterwards p is balanced. */
static void send(rounded *r, size_t p, size_t q)
{
    size_t size = r->draft->points.num_points;
    mpz_ptr excess = r->balance[p]; /* leaves p less enters p */
    mpz_ptr forth = r->pair[p * size + q], back = r->pair[q * size + p];
    mpz_ptr used = mpz_sgn(excess) > 0 ? back : forth;
    mpz_add(r->balance[q], r->balance[q], excess);
    mpz_abs(excess, excess);
    mpz_add(used, used, excess);
    mpz_set_ui(excess, 0);
}

/* Make the function values cancel: the tree of means of one step, and of the means over all workers from step to step,
 * carries every difference to wbar^T, where it must be 0. */
static void repair_balance(rounded *r)
{
    const hsgd_certificate_points *points = &r->draft->points;
    size_t size = points->num_points;
    for (size_t a = 0; a < size; a++)
        for (size_t b = 0; b < size; b++) {
            mpz_add(r->balance[a], r->balance[a], r->pair[a * size + b]);
            mpz_sub(r->balance[b], r->balance[b], r->pair[a * size + b]);
        }
    for (size_t t = 0; t <= points->steps; t++) {
        size_t p = hsgd_certificate_index(points, t, 0);
        mpz_sub(r->balance[0], r->balance[0], r->gap[t]);
        mpz_add(r->balance[p], r->balance[p], r->gap[t]);
    }
    for (size_t p = size; p-- > 0;)
        if (points->place[p].depth > 0)
            send(r, p, p - 1);
    for (size_t t = 0; t < points->steps; t++)
        send(r, hsgd_certificate_index(points, t, 0), hsgd_certificate_index(points, t + 1, 0));
}

/* The weights of the minimum sum to 1: the largest of them takes the rest. */
static void repair_weights(rounded *r)
{
    size_t steps = r->draft->problem->steps, largest = 0;
    mpz_t rest;
    mpz_init(rest);
    mpz_ui_pow_ui(rest, 10, r->decimals);
    for (size_t t = 0; t <= steps; t++) {
        mpz_sub(rest, rest, r->weight[t]);
        if (mpz_cmp(r->weight[t], r->weight[largest]) > 0)
            largest = t;
    }
    mpz_add(r->weight[largest], r->weight[largest], rest);
    mpz_clear(rest);
}

/* ---- writing down ---- */

static size_t count_set(mpz_t *const values, size_t count)
{
    size_t set = 0;
    for (size_t i = 0; i < count; i++)
        set += mpz_sgn(values[i]) != 0;
    return set;
}

static bool write_pairs(hsgd_certificate *out, const rounded *r)
{
    const hsgd_certificate_points *points = &r->draft->points;
    size_t size = points->num_points, count = count_set(r->pair, size * size);
    out->pair = calloc(count ? count : 1, sizeof *out->pair);
    bool complete = out->pair != NULL;
    for (size_t i = 0; i < size * size && complete; i++)
        if (mpz_sgn(r->pair[i])) {
            hsgd_certificate_pair *pair = &out->pair[out->num_pairs++];
            *pair = (hsgd_certificate_pair){points->place[i / size], points->place[i % size],
                                            decimal_text(r->pair[i], r->decimals)};
            complete = pair->value != NULL;
        }
    return complete;
}

static bool write_divergences(hsgd_certificate *out, const rounded *r)
{
    size_t steps = out->steps, count = count_set(r->divergence, out->num_levels * steps);
    out->divergence = calloc(count ? count : 1, sizeof *out->divergence);
    bool complete = out->divergence != NULL;
    for (size_t i = 0; i < out->num_levels * steps && complete; i++)
        if (mpz_sgn(r->divergence[i])) {
            hsgd_certificate_divergence *at = &out->divergence[out->num_divergences++];
            *at = (hsgd_certificate_divergence){i / steps + 1, i % steps, decimal_text(r->divergence[i], r->decimals)};
            complete = at->value != NULL;
        }
    return complete;
}

static bool write_steps(hsgd_certificate_step **out, size_t *length, mpz_t *const values, const rounded *r)
{
    size_t steps = r->draft->problem->steps, count = count_set(values, steps + 1);
    *out = calloc(count ? count : 1, sizeof **out);
    bool complete = *out != NULL;
    for (size_t t = 0; t <= steps && complete; t++)
        if (mpz_sgn(values[t])) {
            hsgd_certificate_step *at = &(*out)[(*length)++];
            *at = (hsgd_certificate_step){t, decimal_text(values[t], r->decimals)};
            complete = at->value != NULL;
        }
    return complete;
}

static char *sum_text(mpz_t *const values, size_t count, size_t decimals)
{
    mpz_t sum;
    mpz_init(sum);
    for (size_t i = 0; i < count; i++)
        mpz_add(sum, sum, values[i]);
    char *text = decimal_text(sum, decimals);
    mpz_clear(sum);
    return text;
}

static bool write_claim(hsgd_certificate *out, const rounded *r)
{
    size_t steps = out->steps;
    out->delta_coefficient = sum_text(r->gap, steps + 1, r->decimals);
    bool complete = out->delta_coefficient != NULL;
    for (size_t k = 0; k < out->num_levels && complete; k++)
        if (!out->zero_level[k]) {
            out->divergence_coefficient[k] = sum_text(r->divergence + k * steps, steps, r->decimals);
            complete = out->divergence_coefficient[k] != NULL;
        }
    return complete;
}

static hsgd_status write_statement(hsgd_certificate *out, const hsgd_pep_problem *problem, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    out->num_levels = problem->num_levels;
    for (size_t k = 0; k < problem->num_levels; k++) {
        out->periods[k] = problem->periods[k];
        out->zero_level[k] = problem->level_divergence_sq[k] == 0;
    }
    out->steps = problem->steps;
    out->criterion = problem->criterion == HSGD_PEP_MIN ? HSGD_CERTIFICATE_MIN : HSGD_CERTIFICATE_MEAN;
    out->gap = problem->gap == HSGD_PEP_LOWER_BOUND ? HSGD_CERTIFICATE_LOWER_BOUND : HSGD_CERTIFICATE_DESCENT;
    out->step_size = shortest_text(problem->step_size);
    out->smoothness = shortest_text(problem->smoothness);
    return out->step_size && out->smoothness ? HSGD_OK : hsgd_fail_memory(err, "the certificate");
}

static hsgd_status write_numbers(hsgd_certificate *out, const draft *d, hsgd_error *err)
{
    rounded r;
    hsgd_status status = rounded_init(&r, d, err);
    if (status)
        return status;
    bool minimum = out->criterion == HSGD_CERTIFICATE_MIN;
    repair_balance(&r);
    if (minimum)
        repair_weights(&r);
    if (!write_pairs(out, &r) || !write_divergences(out, &r) || !write_claim(out, &r) ||
        !write_steps(&out->gap_multiplier, &out->num_gap_multipliers, r.gap, &r) ||
        (minimum && !write_steps(&out->weight, &out->num_weights, r.weight, &r)))
        status = hsgd_fail_memory(err, "the certificate");
    rounded_free(&r);
    return status;
}

/* One attempt, from the solver's numbers to the answer of the check. */
static hsgd_status attempt(hsgd_certificate *out, hsgd_certificate_verdict *verdict, double shift,
                           const hsgd_pep_result *result, hsgd_error *err)
{
    draft d = {0};
    const hsgd_pep_problem *problem = &result->model.problem;
    hsgd_status status = write_statement(out, problem, err);
    if (!status)
        status = draft_init(&d, out, problem, err);
    if (!status && !draft_fill(&d, result))
        status = hsgd_fail(err, HSGD_ERROR_NUMERIC, "the solver's points are not those of the certificate");
    if (!status) {
        if (shift > 0)
            add_shift(&d, shift);
        status = write_numbers(out, &d, err);
    }
    draft_free(&d);
    if (!status)
        status = hsgd_certificate_check(verdict, out, err);
    if (status || !verdict->proved)
        hsgd_certificate_free(out);
    return status;
}

hsgd_status hsgd_certificate_from_result(hsgd_certificate *out, hsgd_certificate_verdict *verdict, double *shift,
                                         const hsgd_pep_result *result, hsgd_error *err)
{
    static const double shifts[] = {0, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, HSGD_CERTIFICATE_MAX_SHIFT};
    memset(out, 0, sizeof *out);
    if (result->unbounded)
        return hsgd_fail(err, HSGD_ERROR_NUMERIC, "there is no finite worst case to certify");
    for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
        hsgd_status status = attempt(out, verdict, shifts[i], result, err);
        if (shift)
            *shift = shifts[i];
        if (status || verdict->proved)
            return status;
    }
    return hsgd_fail(err, HSGD_ERROR_NUMERIC, "the solver's multipliers are too far from a proof: %s", verdict->reason);
}
