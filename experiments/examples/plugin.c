/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An objective of your own as a plug-in of hsgd, in one file that is linked with nothing of it:
 *
 *     cc -shared -fPIC -O2 -o my.so plugin.c $(pkg-config --cflags hsgd) -lm && hsgd run plugin.json
 *
 * Linear classification with a loss that hsgd does not have. Worker j holds m samples (x, y), y = -1 or 1, and
 *     F_j(w) = mean over them of l(y x'w) + weight/2 ||w||^2,
 *     l(z) = 1/(1 + e^z)        "sigmoid": bounded, so that wrong labels cannot pull for ever; not convex; or
 *     l(z) = log(1 + e^-z)      "logistic", which hsgd has, too: a test compares the two.
 * The samples are "samples" of the parameters, rows of the features and y, in m rows for each worker in turn; or they are
 * drawn: x normal, around a centre of the worker's own at the distance `spread`; y the sign of x'v, wrong with
 * probability `flip`. A stochastic gradient is the mean over batch_size samples drawn with replacement. */
#include <analysis/plugin.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct problem {
    size_t features, samples; /* d, and m of each worker */
    bool sigmoid;
    double weight;  /* of the regulariser */
    double *row;    /* (workers, samples, features + 1) x and y */
    double size_sq; /* the largest mean ||x||^2 of a worker */
} problem;

static const double *sample(const problem *p, size_t worker, size_t i)
{
    return p->row + (worker * p->samples + i) * (p->features + 1);
}

/* ---- the objective ---- */

/* l(z) and its derivative *slope. */
static double loss_of(const problem *p, double z, double *slope)
{
    double s = z > 0 ? exp(-z) / (1 + exp(-z)) : 1 / (1 + exp(z)); /* 1/(1 + e^z), without overflow */
    *slope = p->sigmoid ? -s * (1 - s) : -s;
    return p->sigmoid ? s : z > 0 ? log1p(exp(-z)) : log1p(exp(z)) - z;
}

/* Adds l of one sample times `share` to the gradient; returns l. */
static double add_sample(const problem *p, const double *x, const double *w, double share, double *gradient)
{
    double z = 0, slope, y = x[p->features];
    for (size_t i = 0; i < p->features; i++)
        z += y * x[i] * w[i];
    double loss = loss_of(p, z, &slope);
    for (size_t i = 0; i < p->features; i++)
        gradient[i] += share * slope * y * x[i];
    return loss;
}

/* The gradient begins as that of the regulariser, whose value is returned. */
static double begin(const problem *p, const double *w, double *gradient)
{
    double norm_sq = 0;
    for (size_t i = 0; i < p->features; i++) {
        norm_sq += w[i] * w[i];
        gradient[i] = p->weight * w[i];
    }
    return p->weight / 2 * norm_sq;
}

static double loss(const void *state, size_t worker, const double *w, double *gradient, double *scratch)
{
    const problem *p = state;
    double sum = 0, penalty = begin(p, w, gradient), share = 1 / (double)p->samples;
    (void)scratch;
    for (size_t i = 0; i < p->samples; i++)
        sum += add_sample(p, sample(p, worker, i), w, share, gradient);
    return sum * share + penalty;
}

static void stochastic_gradient(const void *state, size_t worker, const double *w, size_t batch_size,
                                const hsgd_plugin_random *random, double *gradient, double *scratch)
{
    enum { PIECE = 64 }; /* an even number, as indices wants it */
    const problem *p = state;
    size_t index[PIECE];
    begin(p, w, gradient);
    (void)scratch;
    for (size_t done = 0; done < batch_size; done += PIECE) {
        size_t count = batch_size - done < PIECE ? batch_size - done : PIECE;
        random->indices(random, done, p->samples, index, count);
        for (size_t i = 0; i < count; i++)
            add_sample(p, sample(p, worker, index[i]), w, 1 / (double)batch_size, gradient);
    }
}

/* |l''| and |l'| are at most 1/(6 sqrt 3) and 1/4 (sigmoid), 1/4 and 1 (logistic). The Hessian of F_j is the mean of
 * l'' x x' plus weight I, so L <= max|l''| mean ||x||^2 + weight; the noise of one sample is at most E||l' x||^2. */
static void constants(const void *state, size_t batch_size, hsgd_plugin_constants *out)
{
    const problem *p = state;
    double curvature = (p->sigmoid ? 1 / (6 * sqrt(3)) : 0.25) * p->size_sq, slope_sq = p->sigmoid ? 1.0 / 16 : 1;
    out->smoothness = (hsgd_plugin_constant){curvature + p->weight, HSGD_PLUGIN_CERTIFIED};
    if (batch_size > 0)
        out->noise_sq = (hsgd_plugin_constant){slope_sq * p->size_sq / (double)batch_size, HSGD_PLUGIN_CERTIFIED};
    out->minimum = (hsgd_plugin_constant){0, HSGD_PLUGIN_CERTIFIED};
    out->convexity = p->weight - (p->sigmoid ? curvature : 0);
}

static size_t dimension(const void *state)
{
    return ((const problem *)state)->features;
}

/* ---- making it ---- */

static void destroy(void *state)
{
    problem *p = state;
    free(p->row);
    free(p);
}

/* A parameter that is a number >= low; *good turns false where it is something else. */
static double number(const hsgd_plugin_setting *setting, const char *key, double usual, double low, bool *good,
                     char *message, size_t size)
{
    double value = usual;
    setting->parameters->number(setting->parameters, key, &value);
    if (*good && !(value >= low && value <= 1e6)) {
        snprintf(message, size, "%s: %g; expected a number from %g to 1e6", key, value, low);
        *good = false;
    }
    return value;
}

/* As "samples" gives them. */
static bool take_samples(problem *p, const hsgd_plugin_setting *setting, char *message, size_t size)
{
    size_t numbers = setting->num_workers * p->samples * (p->features + 1);
    size_t given = setting->parameters->numbers(setting->parameters, "samples", p->row, numbers);
    if (given != numbers)
        snprintf(message, size, "samples: %zu numbers; expected %zu workers times %zu samples times %zu features and y",
                 given, setting->num_workers, p->samples, p->features);
    return given == numbers;
}

/* Each worker has random numbers of its own, so that more workers leave the data of the others as they are. */
static void draw_worker(problem *p, const hsgd_plugin_setting *setting, size_t worker, double spread, double flip,
                        const double *truth, double *centre)
{
    enum { PARTS = 1 << 20 };
    hsgd_plugin_random random = *setting->random;
    size_t stride = p->features + 1, chance[2];
    random.worker = (uint32_t)worker + 1;
    random.normals(&random, spread / sqrt((double)p->features), centre, p->features);
    for (size_t i = 0; i < p->samples; i++) {
        double *x = p->row + (worker * p->samples + i) * stride, z = 0;
        random.step = i + 1;
        random.normals(&random, 1, x, p->features);
        random.indices(&random, 0, PARTS, chance, 2);
        for (size_t k = 0; k < p->features; k++) {
            x[k] = (x[k] + centre[k]) / sqrt((double)p->features);
            z += x[k] * truth[k];
        }
        x[p->features] = (z > 0) == ((double)chance[0] >= flip * PARTS) ? 1 : -1;
    }
}

static bool draw_samples(problem *p, const hsgd_plugin_setting *setting, double spread, double flip)
{
    double *memory = malloc(2 * p->features * sizeof *memory);
    if (!memory)
        return false;
    setting->random->normals(setting->random, 1, memory, p->features);
    for (size_t j = 0; j < setting->num_workers; j++)
        draw_worker(p, setting, j, spread, flip, memory, memory + p->features);
    free(memory);
    return true;
}

static void find_size(problem *p, size_t workers)
{
    for (size_t j = 0; j < workers; j++) {
        double sum = 0;
        for (size_t i = 0; i < p->samples; i++)
            for (size_t k = 0; k < p->features; k++)
                sum += sample(p, j, i)[k] * sample(p, j, i)[k];
        p->size_sq = fmax(p->size_sq, sum / (double)p->samples);
    }
}

static void *create(const hsgd_plugin_setting *setting, char *message, size_t size)
{
    const hsgd_plugin_parameters *parameters = setting->parameters;
    const char *name = parameters->text(parameters, "loss");
    bool good = true, given = parameters->numbers(parameters, "samples", NULL, 0) > 0;
    problem *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->sigmoid = !name || strcmp(name, "sigmoid") == 0;
    p->features = (size_t)number(setting, "features", 10, 1, &good, message, size);
    p->samples = (size_t)number(setting, "samples_per_worker", 50, 1, &good, message, size);
    p->weight = number(setting, "weight", 0, 0, &good, message, size);
    double spread = number(setting, "spread", 1, 0, &good, message, size);
    double flip = number(setting, "flip", 0, 0, &good, message, size);
    if (good && name && !p->sigmoid && strcmp(name, "logistic") != 0) {
        snprintf(message, size, "loss: \"%s\"; expected \"sigmoid\" or \"logistic\"", name);
        good = false;
    }
    p->row = calloc(setting->num_workers * p->samples * (p->features + 1), sizeof *p->row);
    good = good && p->row && (given ? take_samples(p, setting, message, size) : draw_samples(p, setting, spread, flip));
    if (good)
        find_size(p, setting->num_workers);
    else
        destroy(p);
    return good ? p : NULL;
}

const hsgd_plugin_interface hsgd_plugin = {.interface = HSGD_PLUGIN_INTERFACE,
                                           .size = sizeof(hsgd_plugin_interface),
                                           .name = "linear classification",
                                           .version = "1.0",
                                           .create = create,
                                           .destroy = destroy,
                                           .dimension = dimension,
                                           .loss = loss,
                                           .stochastic_gradient = stochastic_gradient,
                                           .constants = constants};
