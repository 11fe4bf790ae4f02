/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plug-in that is wrong in the way that its parameter "defect" says; right without it. With -DOLD, -DNO_LOSS and -DNAMELESS
 * its record is wrong instead. It knows of its constants what the parameters "L" and "noise_sq" say, and
 * begins where all coordinates are "begin".
 *     F_j(w) = sum_i log(1 + (w_i - c_j)^2) with c_j = j/n; stochastic gradients have normal noise of variance 0.01/b. */
#include <analysis/plugin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 7 };

typedef enum { NOTHING, GRADIENT, BIAS, NAN_FAR, INTERNAL } defect;

typedef struct problem {
    defect defect;
    size_t workers;
    double smoothness, noise_sq; /* 0: unknown */
    double begin;
} problem;

static void *create(const hsgd_plugin_setting *setting, char *message, size_t message_size)
{
    static const char *const names[] = {"", "gradient", "bias", "nan", "create"};
    const char *name = setting->parameters->text(setting->parameters, "defect");
    problem *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->workers = setting->num_workers;
    setting->parameters->number(setting->parameters, "L", &p->smoothness);
    setting->parameters->number(setting->parameters, "noise_sq", &p->noise_sq);
    setting->parameters->number(setting->parameters, "begin", &p->begin);
    for (int k = GRADIENT; name && k <= INTERNAL; k++)
        if (strcmp(name, names[k]) == 0)
            p->defect = (defect)k;
    if (p->defect != INTERNAL)
        return p;
    snprintf(message, message_size, "defect: \"%s\" is not to be had", name);
    free(p);
    return NULL;
}

static size_t dimension(const void *state)
{
    (void)state;
    return DIM;
}

static double loss(const void *state, size_t worker, const double *w, double *gradient, double *scratch)
{
    const problem *p = state;
    double sum = 0;
    (void)scratch;
    for (size_t i = 0; i < DIM; i++) {
        double r = w[i] - (double)worker / (double)p->workers;
        sum += log1p(r * r);
        gradient[i] = 2 * r / (1 + r * r);
        if (p->defect == NAN_FAR && fabs(r) > 4)
            sum = gradient[i] = NAN;
    }
    if (p->defect == GRADIENT && worker == 2)
        gradient[5] *= -1;
    return sum;
}

static void stochastic_gradient(const void *state, size_t worker, const double *w, size_t batch_size,
                                const hsgd_plugin_random *random, double *gradient, double *scratch)
{
    const problem *p = state;
    double noise[DIM];
    loss(state, worker, w, gradient, scratch);
    random->normals(random, 0.1 / sqrt((double)batch_size), noise, DIM);
    for (size_t i = 0; i < DIM; i++)
        gradient[i] += noise[i];
    for (size_t i = 0; i < DIM && p->defect == BIAS; i++)
        gradient[i] *= 1.5;
}

static void constants(const void *state, size_t batch_size, hsgd_plugin_constants *out)
{
    const problem *p = state;
    (void)batch_size;
    if (p->smoothness > 0)
        out->smoothness = (hsgd_plugin_constant){p->smoothness, HSGD_PLUGIN_CERTIFIED};
    if (p->noise_sq > 0)
        out->noise_sq = (hsgd_plugin_constant){p->noise_sq, HSGD_PLUGIN_EXACT};
}

static void initial_point(const void *state, double *point)
{
    for (size_t i = 0; i < DIM; i++)
        point[i] = ((const problem *)state)->begin;
}

#ifdef NAMELESS
#define hsgd_plugin another_name
#endif

const hsgd_plugin_interface hsgd_plugin = {
#ifdef OLD
    .interface = HSGD_PLUGIN_INTERFACE - 1,
#else
    .interface = HSGD_PLUGIN_INTERFACE,
#endif
    .size = sizeof(hsgd_plugin_interface),
    .name = "defects",
    .create = create,
    .destroy = free,
    .dimension = dimension,
#ifndef NO_LOSS
    .loss = loss,
#endif
    .stochastic_gradient = stochastic_gradient,
    .initial_point = initial_point,
    .constants = constants,
};
