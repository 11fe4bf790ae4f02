/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Glossary    u_k, B_k, v_k, W_k, b_k, Sigma  as in the header
 *
 * Every number is drawn from the stream (seed, problem, user, part), so that a user's data do not depend on the others. */
#include "analysis/synthetic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"
#include "analysis/random.h"

/* The parts of a user's streams; those of sample i are SAMPLES + i. */
enum { SCALARS, FEATURE_MEANS, BIAS, WEIGHT, SAMPLES };

/* The user that the common model of iid data is drawn as; no real one has this number. */
#define EVERYONE UINT32_MAX

/* Larger ones leave no room for the noise beside them, and their squares overflow in what follows. */
#define MAX_SPREAD 1e100

void hsgd_synthetic_defaults(hsgd_synthetic_options *options)
{
    *options = (hsgd_synthetic_options){
        .alpha = 1, .beta = 1, .num_users = 1, .features = 60, .classes = 10, .max_samples = 100000, .seed = 1};
}

static hsgd_status check_options(const hsgd_synthetic_options *o, hsgd_error *err)
{
    if (!(o->alpha >= 0 && o->alpha <= MAX_SPREAD))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "alpha: %g is not in 0..%g", o->alpha, MAX_SPREAD);
    if (!(o->beta >= 0 && o->beta <= MAX_SPREAD))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "beta: %g is not in 0..%g", o->beta, MAX_SPREAD);
    if (o->iid && (o->alpha > 0 || o->beta > 0))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "iid: users do not differ, but alpha is %g and beta %g; both must be 0",
                         o->alpha, o->beta);
    if (o->num_users < 1 || o->num_users >= EVERYONE)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "users: %zu is not in 1..%lu", o->num_users,
                         (unsigned long)EVERYONE - 1);
    if (o->features < 1 || o->classes < 2 || o->max_samples < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "%zu features, %zu classes and at most %zu samples; at least 1, 2 and 1 are needed",
                         o->features, o->classes, o->max_samples);
    return HSGD_OK;
}

static void draw(const hsgd_synthetic_options *o, size_t user, uint64_t part, double *out, size_t count)
{
    const hsgd_stream stream = {o->seed, HSGD_PURPOSE_PROBLEM, (uint32_t)user, part};
    hsgd_normals(&stream, 1, out, count);
}

/* u_k, B_k, and how many samples the user has. */
static size_t draw_scalars(const hsgd_synthetic_options *o, size_t user, double *model_mean, double *feature_mean)
{
    double z[3];
    draw(o, user, SCALARS, z, 3);
    *model_mean = o->alpha * z[0];
    *feature_mean = o->beta * z[1];
    double count = 50 + floor(exp(4 + 2 * z[2]));
    return count < (double)o->max_samples ? (size_t)count : o->max_samples;
}

void hsgd_synthetic_model(double *weight, double *bias, const hsgd_synthetic_options *options, size_t user)
{
    size_t entries = options->features * options->classes, owner = options->iid ? EVERYONE : user;
    double model_mean, feature_mean;
    draw_scalars(options, user, &model_mean, &feature_mean);
    draw(options, owner, WEIGHT, weight, entries);
    draw(options, owner, BIAS, bias, options->classes);
    for (size_t i = 0; i < entries; i++)
        weight[i] += model_mean;
    for (size_t c = 0; c < options->classes; c++)
        bias[c] += model_mean;
}

/* Room for one user's parameters, and the deviations that all share. */
typedef struct generator {
    const hsgd_synthetic_options *options;
    double *deviation; /* (features) j^-0.6, the roots of Sigma's diagonal */
    double *mean;      /* (features) v_k */
    double *weight;    /* (features, classes) */
    double *bias;      /* (classes) */
    double *score;     /* (classes) */
} generator;

/* The class with the largest score; softmax does not change which it is. */
static uint32_t classify(const generator *g, const double *x)
{
    size_t classes = g->options->classes;
    memcpy(g->score, g->bias, classes * sizeof *g->score);
    for (size_t j = 0; j < g->options->features; j++)
        for (size_t c = 0; c < classes; c++)
            g->score[c] += x[j] * g->weight[j * classes + c];
    uint32_t best = 0;
    for (size_t c = 1; c < classes; c++)
        if (g->score[c] > g->score[best])
            best = (uint32_t)c;
    return best;
}

static void draw_means(const generator *g, size_t user)
{
    const hsgd_synthetic_options *o = g->options;
    double model_mean, feature_mean;
    draw_scalars(o, user, &model_mean, &feature_mean);
    draw(o, user, FEATURE_MEANS, g->mean, o->features);
    for (size_t j = 0; j < o->features; j++)
        g->mean[j] = o->iid ? 0 : feature_mean + g->mean[j];
}

static void generate_user(hsgd_dataset *out, const generator *g, size_t user)
{
    size_t features = g->options->features, first = out->user_start[user];
    draw_means(g, user);
    hsgd_synthetic_model(g->weight, g->bias, g->options, user);
    for (size_t s = first; s < out->user_start[user + 1]; s++) {
        double *x = out->dense + s * features;
        draw(g->options, user, SAMPLES + (s - first), x, features);
        for (size_t j = 0; j < features; j++)
            x[j] = g->mean[j] + g->deviation[j] * x[j];
        out->label[s] = classify(g, x);
    }
}

/* ---- memory ---- */

static hsgd_status allocate_users(hsgd_dataset *out, const hsgd_synthetic_options *o, hsgd_error *err)
{
    double ignored;
    out->user_start = calloc(o->num_users + 1, sizeof *out->user_start);
    if (!out->user_start)
        return hsgd_fail_memory(err, "the synthetic users");
    for (size_t k = 0; k < o->num_users; k++)
        out->user_start[k + 1] = out->user_start[k] + draw_scalars(o, k, &ignored, &ignored);
    out->num_users = o->num_users;
    out->num_samples = out->user_start[o->num_users];
    return HSGD_OK;
}

static hsgd_status allocate_samples(hsgd_dataset *out, const hsgd_synthetic_options *o, hsgd_error *err)
{
    double bytes = (double)out->num_samples * (double)o->features * (double)sizeof(double);
    hsgd_status status =
        hsgd_memory_check(bytes, "the synthetic data", "fewer users, fewer features or a smaller max_samples", err);
    if (status)
        return status;
    out->num_features = o->features;
    out->num_classes = o->classes;
    out->dense = malloc(out->num_samples * o->features * sizeof *out->dense);
    out->label = malloc(out->num_samples * sizeof *out->label);
    out->class_value = malloc(o->classes * sizeof *out->class_value);
    if (!out->dense || !out->label || !out->class_value)
        return hsgd_fail_memory(err, "the synthetic data");
    for (size_t c = 0; c < o->classes; c++)
        out->class_value[c] = (double)c;
    return HSGD_OK;
}

static hsgd_status make_generator(generator *g, const hsgd_synthetic_options *o, hsgd_error *err)
{
    g->options = o;
    if (o->classes > SIZE_MAX / sizeof(double) / o->features)
        return hsgd_fail_memory(err, "the synthetic models");
    g->deviation = malloc(o->features * sizeof *g->deviation);
    g->mean = malloc(o->features * sizeof *g->mean);
    g->weight = malloc(o->features * o->classes * sizeof *g->weight);
    g->bias = malloc(o->classes * sizeof *g->bias);
    g->score = malloc(o->classes * sizeof *g->score);
    if (!g->deviation || !g->mean || !g->weight || !g->bias || !g->score)
        return hsgd_fail_memory(err, "the synthetic models");
    for (size_t j = 0; j < o->features; j++)
        g->deviation[j] = pow((double)(j + 1), -0.6);
    return HSGD_OK;
}

static void free_generator(generator *g)
{
    free(g->deviation);
    free(g->mean);
    free(g->weight);
    free(g->bias);
    free(g->score);
}

hsgd_status hsgd_synthetic_generate(hsgd_dataset *out, const hsgd_synthetic_options *options, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    hsgd_status status = check_options(options, err);
    if (status)
        return status;
    generator g = {0};
    status = make_generator(&g, options, err);
    if (!status)
        status = allocate_users(out, options, err);
    if (!status)
        status = allocate_samples(out, options, err);
    for (size_t k = 0; k < options->num_users && !status; k++)
        generate_user(out, &g, k);
    free_generator(&g);
    if (status)
        hsgd_dataset_free(out);
    return status;
}
