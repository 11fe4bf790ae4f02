/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Glossary   k roundings of a step    M, V sizes of means and covariances    e, E their errors    (exact_rounding.h) */
#include "analysis/exact_rounding.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"

static const double U = DBL_EPSILON / 2; /* unit roundoff */
static const double LEVELS = HSGD_MAX_LEVELS;

/* One coordinate of all workers, and how it moves. */
typedef struct coordinate {
    double rho, hmax, bmax;
    double M, V, e, E;
} coordinate;

static coordinate begin(const hsgd_quadratic *q, const double *initial, double step_size, size_t i)
{
    coordinate c = {.M = fabs(initial[i])};
    for (size_t j = 0; j < q->num_workers; j++) {
        double h = hsgd_quadratic_curvature(q, j)[i];
        c.rho = fmax(c.rho, fabs(1 - step_size * h));
        c.hmax = fmax(c.hmax, fabs(h));
        c.bmax = fmax(c.bmax, fabs(q->linear[j * q->stride + i]));
    }
    return c;
}

static void advance(coordinate *c, double step_size, double fresh, double ku)
{
    c->e = c->rho * c->e + 4 * ku * ((1 + c->rho) * c->M + step_size * c->bmax);
    c->E = c->rho * c->rho * c->E + 8 * ku * ((1 + c->rho * c->rho) * c->V + fresh);
    c->M = c->rho * c->M + step_size * c->bmax;
    c->V = c->rho * c->rho * c->V + fresh;
}

static void add(hsgd_exact_rounding *out, size_t t, const coordinate *c, double ku)
{
    double delta = c->hmax * c->e + 4 * ku * (c->hmax * c->M + c->bmax), x = 2 * c->e + 8 * ku * c->M;
    double size = c->hmax * (c->M * c->M + c->V) / 2 + c->bmax * c->M;
    out->gradient_sq[t] += delta * delta;
    out->gradient_noise[t] += c->hmax * c->hmax * (c->E + 8 * ku * c->V);
    out->dispersion_sq[t] += x * x;
    out->dispersion_noise[t] += 4 * c->E + 8 * ku * c->V;
    out->loss[t] +=
        (c->hmax * c->M + c->bmax) * c->e + c->hmax * (c->e * c->e + c->E) / 2 + (8 * ku + (double)out->dim * U) * size;
    out->loss_size[t] += size;
}

hsgd_status hsgd_exact_rounding_find(hsgd_exact_rounding *out, const hsgd_quadratic *quadratic, const double *initial,
                                     double step_size, size_t steps, hsgd_error *err)
{
    double **array[] = {&out->gradient_sq,      &out->gradient_noise, &out->dispersion_sq,
                        &out->dispersion_noise, &out->loss,           &out->loss_size};
    *out = (hsgd_exact_rounding){.steps = steps, .dim = quadratic->dim, .num_workers = quadratic->num_workers};
    for (size_t a = 0; a < sizeof array / sizeof *array; a++)
        if (!(*array[a] = calloc(steps, sizeof **array[a]))) {
            hsgd_exact_rounding_free(out);
            return hsgd_fail_memory(err, "the rounding errors");
        }
    double fresh = step_size * step_size * quadratic->noise_sq / (double)quadratic->dim;
    double ku = ((double)quadratic->num_workers + 64) * U;
    for (size_t i = 0; i < quadratic->dim; i++) {
        coordinate c = begin(quadratic, initial, step_size, i);
        for (size_t t = 0; t < steps; t++) {
            add(out, t, &c, ku);
            advance(&c, step_size, fresh, ku);
        }
    }
    return HSGD_OK;
}

void hsgd_exact_rounding_free(hsgd_exact_rounding *rounding)
{
    if (!rounding)
        return;
    free(rounding->gradient_sq);
    free(rounding->gradient_noise);
    free(rounding->dispersion_sq);
    free(rounding->dispersion_noise);
    free(rounding->loss);
    free(rounding->loss_size);
    memset(rounding, 0, sizeof *rounding);
}

static double dispersion_at(const hsgd_exact *exact, size_t t)
{
    double sum = 0;
    for (size_t k = 0; k < exact->num_levels; k++)
        sum += exact->dispersion[t * exact->num_levels + k];
    return sum;
}

static double gradient_error(const hsgd_exact *exact, const hsgd_exact_rounding *r, size_t t)
{
    double value = exact->grad_norm_sq[t];
    return 2 * sqrt(value * r->gradient_sq[t]) + r->gradient_sq[t] + r->gradient_noise[t] +
           ((double)r->dim + 8 + 6 * (double)r->steps) * U * value;
}

static double dispersion_error(const hsgd_exact *exact, const hsgd_exact_rounding *r, size_t t)
{
    double value = dispersion_at(exact, t), x_sq = LEVELS * r->dispersion_sq[t];
    return 2 * sqrt(value * x_sq) + x_sq + LEVELS * r->dispersion_noise[t] +
           (((double)r->dim + (double)r->num_workers) * LEVELS + 6 * (double)r->steps) * U * value;
}

hsgd_exact_error hsgd_exact_error_of(const hsgd_exact *exact, const hsgd_exact_rounding *rounding, size_t every)
{
    hsgd_exact_error sum = {0, 0, 0};
    double count = 0;
    for (size_t t = 0; t < exact->steps; t += every, count++) {
        sum.S += gradient_error(exact, rounding, t);
        sum.dispersion += dispersion_error(exact, rounding, t);
        sum.loss += rounding->loss[t] + 6 * (double)rounding->steps * U * rounding->loss_size[t];
    }
    /* what underflows is less than the smallest normal number */
    return (hsgd_exact_error){sum.S / count + DBL_MIN, sum.dispersion / count + DBL_MIN, sum.loss / count + DBL_MIN};
}

hsgd_exact_means hsgd_exact_means_of(const hsgd_exact *exact, size_t every)
{
    hsgd_exact_means mean = {0, 0, 0};
    double count = 0;
    for (size_t t = 0; t < exact->steps; t += every) {
        count++;
        mean.S += (exact->grad_norm_sq[t] - mean.S) / count;
        mean.dispersion += (dispersion_at(exact, t) - mean.dispersion) / count;
        mean.loss += (exact->loss[t] - mean.loss) / count;
    }
    return mean;
}
