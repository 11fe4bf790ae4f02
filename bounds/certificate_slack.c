/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The slack of a certificate as a quadratic form in the gradients, block by block (THEORY 11.4):
 *
 *     a Delta + sum_k c_k D_k - S = nonnegative multiples of what is assumed + sum_k <S_k, Gram_k>
 *
 * With h = gamma L, positions x_p = x_0 - gamma nu_p (nu_p counts gradients) and d = nu_p - nu_q, every pair of points
 * with the multiplier lambda gives 4 L S_k
 *     lambda [ (e_p - e_q)(e_p - e_q)' - h ((e_p + e_q) d' + d (e_p + e_q)') - h^2 d d' ],
 * every divergence multiplier 4 L on the diagonal at (t, k - 1), every weight -4 L and, with the gap "lower-bound", every
 * gap multiplier 2 on the diagonal of block 0 at (t, 0). The block is formed times L_den h_den^2 and the common
 * denominator, so that all of it is integer. */
#include "bounds/certificate_private.h"

#include <stdlib.h>

/* The integer factors of the parts. */
typedef struct factors {
    mpz_t same;  /* L_den h_den^2:      gradients with gradients */
    mpz_t cross; /* -L_den h_num h_den: gradients with positions */
    mpz_t moved; /* -L_den h_num^2:     positions with positions */
    mpz_t plain; /* 4 L_num h_den^2:    the diagonal */
} factors;

static void factors_init(factors *f, const hsgd_certificate_integers *certificate)
{
    mpz_srcptr num = certificate->gamma_L_num, den = certificate->gamma_L_den;
    mpz_inits(f->same, f->cross, f->moved, f->plain, NULL);
    mpz_mul(f->same, den, den);
    mpz_mul_ui(f->plain, f->same, 4);
    mpz_mul(f->plain, f->plain, certificate->L_num);
    mpz_mul(f->same, f->same, certificate->L_den);
    mpz_mul(f->cross, num, den);
    mpz_mul(f->cross, f->cross, certificate->L_den);
    mpz_neg(f->cross, f->cross);
    mpz_mul(f->moved, num, num);
    mpz_mul(f->moved, f->moved, certificate->L_den);
    mpz_neg(f->moved, f->moved);
}

static void factors_clear(factors *f)
{
    mpz_clears(f->same, f->cross, f->moved, f->plain, NULL);
}

/* Where the level-k positions of two points differ: entries (index, sign), at most 2 T of them. */
typedef struct difference {
    size_t *index;
    int *sign;
    size_t length;
} difference;

static bool difference_alloc(difference *d, size_t steps)
{
    d->index = malloc(2 * steps * sizeof *d->index);
    d->sign = malloc(2 * steps * sizeof *d->sign);
    return d->index && d->sign;
}

/* Which steps have moved the level-k part of this point: [*begin, *end). A point of depth d has the parts 0..d. */
static void moved_by(const hsgd_certificate_points *points, size_t level, size_t point, size_t *begin, size_t *end)
{
    size_t t = points->place[point].step;
    *begin = *end = t;
    if (level <= points->place[point].depth)
        *begin = t - hsgd_certificate_memory(points, level, t);
}

/* nu_p - nu_q: steps in one of the two stretches but not in the other. */
static void difference_set(difference *d, const hsgd_certificate_points *points, size_t level, size_t p, size_t q)
{
    size_t begin_p, end_p, begin_q, end_q;
    moved_by(points, level, p, &begin_p, &end_p);
    moved_by(points, level, q, &begin_q, &end_q);
    d->length = 0;
    for (size_t t = begin_p < begin_q ? begin_p : begin_q; t < end_p || t < end_q; t++) {
        int sign = (t >= begin_p && t < end_p) - (t >= begin_q && t < end_q);
        if (!sign)
            continue;
        d->index[d->length] = hsgd_certificate_index(points, t, points->num_levels); /* a step uses the workers' own */
        d->sign[d->length++] = sign;
    }
}

static void add_signed(mpz_t out, const mpz_t value, int sign)
{
    if (sign > 0)
        mpz_add(out, out, value);
    else
        mpz_sub(out, out, value);
}

/* out += lambda [ same (e_p - e_q)(e_p - e_q)' + cross ((e_p + e_q) d' + d (e_p + e_q)') + moved d d' ] */
static void add_pair(mpz_t *out, size_t size, const factors *f, const mpz_t lambda, size_t p, size_t q,
                     const difference *d, mpz_t value)
{
    const size_t point[2] = {p, q};
    mpz_mul(value, f->same, lambda);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            add_signed(out[point[i] * size + point[j]], value, i == j ? 1 : -1);
    mpz_mul(value, f->cross, lambda);
    for (size_t m = 0; m < d->length; m++)
        for (int i = 0; i < 2; i++) {
            add_signed(out[point[i] * size + d->index[m]], value, d->sign[m]);
            add_signed(out[d->index[m] * size + point[i]], value, d->sign[m]);
        }
    mpz_mul(value, f->moved, lambda);
    for (size_t m = 0; m < d->length; m++)
        for (size_t l = 0; l < d->length; l++)
            add_signed(out[d->index[m] * size + d->index[l]], value, d->sign[m] * d->sign[l]);
}

/* What stands on the diagonal at (t, 0) of block 0. */
static void add_root(mpz_t *out, size_t size, const factors *f, const hsgd_certificate_integers *certificate)
{
    const hsgd_certificate_points *points = &certificate->points;
    for (size_t t = 0; t <= points->steps; t++) {
        size_t p = hsgd_certificate_index(points, t, 0);
        mpz_submul(out[p * size + p], f->plain, certificate->weight[t]);
    }
}

/* f(w^0) - f(wbar^t) + ||grad f(wbar^t)||^2/(2L) <= Delta: 2/(4 L) on the diagonal. */
static void add_gap(mpz_t *out, size_t size, const factors *f, const hsgd_certificate_integers *certificate)
{
    const hsgd_certificate_points *points = &certificate->points;
    if (!certificate->gap_has_gradient)
        return;
    for (size_t t = 0; t <= points->steps; t++) {
        size_t p = hsgd_certificate_index(points, t, 0);
        mpz_addmul(out[p * size + p], f->same, certificate->gap[t]);
        mpz_addmul(out[p * size + p], f->same, certificate->gap[t]);
    }
}

static void add_divergence(mpz_t *out, size_t size, const factors *f, const hsgd_certificate_integers *certificate,
                           size_t level)
{
    const hsgd_certificate_points *points = &certificate->points;
    for (size_t t = 0; t < points->steps; t++) {
        size_t p = hsgd_certificate_index(points, t, level - 1);
        mpz_addmul(out[p * size + p], f->plain, certificate->divergence[(level - 1) * points->steps + t]);
    }
}

/* Without divergence at level k, grad F_j(wbar_u^t) has no level-k part: its rows and columns vanish. */
static void remove_rows(mpz_t *out, size_t size, const hsgd_certificate_points *points, size_t level)
{
    for (size_t t = 0; t < points->steps; t++) {
        size_t p = hsgd_certificate_index(points, t, level - 1);
        for (size_t i = 0; i < size; i++) {
            mpz_set_ui(out[p * size + i], 0);
            mpz_set_ui(out[i * size + p], 0);
        }
    }
}

bool hsgd_certificate_block(mpz_t *out, const hsgd_certificate_integers *certificate, size_t level)
{
    const hsgd_certificate_points *points = &certificate->points;
    size_t size = points->num_points;
    difference d = {0};
    bool complete = difference_alloc(&d, points->steps);
    factors f;
    mpz_t value;
    mpz_init(value);
    factors_init(&f, certificate);
    for (size_t i = 0; i < size * size; i++)
        mpz_set_ui(out[i], 0);
    for (size_t i = 0; i < certificate->num_pairs && complete; i++) {
        difference_set(&d, points, level, certificate->higher[i], certificate->lower[i]);
        add_pair(out, size, &f, certificate->pair[i], certificate->higher[i], certificate->lower[i], &d, value);
    }
    if (level == 0) {
        add_root(out, size, &f, certificate);
        add_gap(out, size, &f, certificate);
    } else {
        add_divergence(out, size, &f, certificate, level);
        if (points->zero_level[level - 1])
            remove_rows(out, size, points, level);
    }
    factors_clear(&f);
    mpz_clear(value);
    free(d.index);
    free(d.sign);
    return complete;
}
