/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates made by hand, in exact numbers: gradient descent, and the proof of THEORY 4.2 itself as a list of
 * multipliers. */
#ifndef HSGD_TESTS_BOUNDS_CERTIFICATES_H
#define HSGD_TESTS_BOUNDS_CERTIFICATES_H

#include "tests/test.h"

#include <gmp.h>

#include "bounds/certificate.h"

static inline char *number_text(const mpq_t value)
{
    char *text = mpq_get_str(NULL, 10, value);
    assert_non_null(text);
    return text;
}

static inline char *copy_text(const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    return copy;
}

static inline void add_pair(hsgd_certificate *c, size_t t, size_t d, size_t s, size_t e, char *value)
{
    c->pair = realloc(c->pair, (c->num_pairs + 1) * sizeof *c->pair);
    assert_non_null(c->pair);
    c->pair[c->num_pairs++] = (hsgd_certificate_pair){{t, d}, {s, e}, value};
}

static inline void add_divergence(hsgd_certificate *c, size_t level, size_t step, char *value)
{
    c->divergence = realloc(c->divergence, (c->num_divergences + 1) * sizeof *c->divergence);
    assert_non_null(c->divergence);
    c->divergence[c->num_divergences++] = (hsgd_certificate_divergence){level, step, value};
}

static inline void add_step(hsgd_certificate_step **list, size_t *length, size_t step, char *value)
{
    *list = realloc(*list, (*length + 1) * sizeof **list);
    assert_non_null(*list);
    (*list)[(*length)++] = (hsgd_certificate_step){step, value};
}

/* A statement without multipliers: gamma and L, periods, T. */
static inline hsgd_certificate empty_certificate(const char *gamma, const char *L, const size_t *periods, size_t levels,
                                                 size_t steps)
{
    hsgd_certificate c = {.num_levels = levels, .steps = steps};
    for (size_t k = 0; k < levels; k++)
        c.periods[k] = periods[k];
    c.step_size = copy_text(gamma);
    c.smoothness = copy_text(L);
    return c;
}

/* 2/((2 - gamma L) gamma T), by hand. */
static inline void descent_constant(mpq_t a, const char *gamma, const char *L, size_t steps)
{
    mpq_t g, l, two;
    mpq_inits(g, l, two, NULL);
    assert_int_equal(mpq_set_str(g, gamma, 10), 0);
    assert_int_equal(mpq_set_str(l, L, 10), 0);
    mpq_set_ui(two, 2, 1);
    mpq_mul(a, g, l);
    mpq_sub(a, two, a);
    mpq_mul(a, a, g);
    mpq_set_ui(g, steps, 1);
    mpq_mul(a, a, g);
    mpq_div(a, two, a);
    mpq_clears(g, l, two, NULL);
}

/* Gradient descent, mean: lambda = a from each point to the next. Per step, with h = gamma L, the slack is
 * (a gamma / (4 h)) ((1 - h) g_t - g_{t+1})^2: singular, so nothing but exact arithmetic can accept it. gamma and L are
 * fractions. */
static inline hsgd_certificate descent_certificate(const char *gamma, const char *L, size_t steps)
{
    hsgd_certificate c = empty_certificate(gamma, L, NULL, 0, steps);
    mpq_t a;
    mpq_init(a);
    descent_constant(a, gamma, L, steps);
    for (size_t t = 0; t < steps; t++)
        add_pair(&c, t, 0, t + 1, 0, number_text(a));
    add_step(&c.gap_multiplier, &c.num_gap_multipliers, steps, number_text(a));
    c.delta_coefficient = number_text(a);
    mpq_clear(a);
    return c;
}

/* ---- THEORY 4.2 without noise as a certificate ---- */

/* The multipliers on squares in the proof: source (k, t) bounds B_k^t, pairs (k, t) belong to
 * L^2 |x_w - x_u|^2 - |g_w - g_u|^2 >= 0 at the workers' models w and the means u of depth k - 1. */
typedef struct proof_terms {
    mpq_t *dispersion, *source, *square; /* (M, T) */
    size_t steps, count;
} proof_terms;

static inline mpq_t *new_numbers(size_t count)
{
    mpq_t *out = malloc((count ? count : 1) * sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < count; i++)
        mpq_init(out[i]);
    return out;
}

static inline void free_numbers(mpq_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mpq_clear(numbers[i]);
    free(numbers);
}

/* Every B_k^t = |gamma sum of s gradients|^2 is at most 2 gamma^2 s sum_tau (|g_u|^2 + |g_w - g_u|^2), and
 * |g_w - g_u|^2 <= L^2 sum_{m >= k} B_m^tau: from the last step back to the first. dispersion starts as L^2/T. */
static inline void unfold_proof(proof_terms *p, const hsgd_certificate *c, const mpq_t gamma_sq, const mpq_t L_sq)
{
    mpq_t share, number;
    mpq_inits(share, number, NULL);
    for (size_t t = p->steps; t-- > 0;)
        for (size_t k = 0; k < c->num_levels; k++) {
            size_t s = t % c->periods[k];
            mpq_set_ui(number, 2 * s, 1);
            mpq_mul(share, gamma_sq, number);
            mpq_mul(share, share, p->dispersion[k * p->steps + t]);
            for (size_t tau = t - s; tau < t; tau++) {
                mpq_ptr source = p->source[k * p->steps + tau], square = p->square[k * p->steps + tau];
                mpq_add(source, source, share);
                mpq_add(square, square, share);
                mpq_mul(number, share, L_sq);
                for (size_t m = k; m < c->num_levels; m++)
                    mpq_add(p->dispersion[m * p->steps + tau], p->dispersion[m * p->steps + tau], number);
            }
        }
    mpq_clears(share, number, NULL);
}

/* The smallest depth at which the mean of this depth is found at step t. */
static inline size_t proof_depth(const hsgd_certificate *c, size_t depth, size_t t)
{
    while (depth > 0 && t % c->periods[depth - 1] == 0)
        depth--;
    return depth;
}

/* Both directions of a pair with weight 2 L mu: mu (L^2 |x - y|^2 - |g - h|^2) >= 0. */
static inline void add_squares(hsgd_certificate *c, size_t t, size_t depth, const mpq_t mu, const mpq_t L)
{
    size_t upper = proof_depth(c, depth, t), lower = proof_depth(c, c->num_levels, t);
    mpq_t value;
    if (upper == lower || mpq_sgn(mu) == 0)
        return;
    mpq_init(value);
    mpq_mul(value, mu, L);
    mpq_add(value, value, value);
    add_pair(c, t, upper, t, lower, number_text(value));
    add_pair(c, t, lower, t, upper, number_text(value));
    mpq_clear(value);
}

static inline void write_proof(hsgd_certificate *c, const proof_terms *p, const mpq_t gamma, const mpq_t L)
{
    mpq_t a, inverse, sum;
    mpq_inits(a, inverse, sum, NULL);
    mpq_set_ui(inverse, 1, c->steps);
    mpq_div(a, inverse, gamma);
    mpq_add(a, a, a); /* 2/(gamma T) */
    for (size_t t = 0; t < c->steps; t++) {
        add_pair(c, t, 0, t + 1, 0, number_text(a));
        add_squares(c, t, 0, inverse, L);
    }
    for (size_t k = 0; k < c->num_levels; k++) {
        mpq_set_ui(sum, 0, 1);
        for (size_t t = 0; t < c->steps; t++) {
            mpq_ptr source = p->source[k * c->steps + t];
            mpq_add(sum, sum, source);
            if (mpq_sgn(source))
                add_divergence(c, k + 1, t, number_text(source));
            add_squares(c, t, k, p->square[k * c->steps + t], L);
        }
        c->divergence_coefficient[k] = number_text(sum);
    }
    add_step(&c->gap_multiplier, &c->num_gap_multipliers, c->steps, number_text(a));
    c->delta_coefficient = number_text(a);
    mpq_clears(a, inverse, sum, NULL);
}

/* A proof for every tree whose c_k are at most those of THEORY 4.2, and a = 2/(gamma T); needs gamma L <= 1. */
static inline hsgd_certificate proof_certificate(const char *gamma_text, const char *L_text, const size_t *periods,
                                                 size_t levels, size_t steps)
{
    hsgd_certificate c = empty_certificate(gamma_text, L_text, periods, levels, steps);
    mpq_t gamma, L, gamma_sq, L_sq, number;
    mpq_inits(gamma, L, gamma_sq, L_sq, number, NULL);
    assert_int_equal(mpq_set_str(gamma, gamma_text, 10), 0);
    assert_int_equal(mpq_set_str(L, L_text, 10), 0);
    mpq_mul(gamma_sq, gamma, gamma);
    mpq_mul(L_sq, L, L);
    size_t count = levels * steps;
    proof_terms p = {new_numbers(count), new_numbers(count), new_numbers(count), steps, count};
    mpq_set_ui(number, steps, 1);
    for (size_t i = 0; i < count; i++)
        mpq_div(p.dispersion[i], L_sq, number);
    unfold_proof(&p, &c, gamma_sq, L_sq);
    write_proof(&c, &p, gamma, L);
    free_numbers(p.dispersion, count);
    free_numbers(p.source, count);
    free_numbers(p.square, count);
    mpq_clears(gamma, L, gamma_sq, L_sq, number, NULL);
    return c;
}

#endif
