/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Glossary    m_ck, K  as in the header
 *
 * Every number is drawn from the stream (seed, problem, class, part), so that a class's data do not depend on the others. */
#include "analysis/mixture.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"
#include "analysis/random.h"

/* The parts of a class's streams: its centres, and from here on its samples. */
static const uint64_t first_sample = (uint64_t)1 << 32;

/* Larger ones overflow when they are squared. */
#define MAX_SPREAD 1e100

void hsgd_mixture_defaults(hsgd_mixture_options *options)
{
    *options = (hsgd_mixture_options){
        .features = 20, .classes = 10, .clusters = 3, .samples_per_class = 200, .spread = 1, .seed = 1};
}

static hsgd_status check_options(const hsgd_mixture_options *o, hsgd_error *err)
{
    if (!(o->spread > 0 && o->spread <= MAX_SPREAD))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "spread: %g is not above 0 and at most %g", o->spread, MAX_SPREAD);
    if (o->features < 1 || o->classes < 2 || o->classes > UINT32_MAX || o->clusters < 1 || o->clusters > UINT32_MAX ||
        o->samples_per_class < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "%zu features, %zu classes of %zu clusters and %zu samples; at least 1, 2, 1 and 1 are needed",
                         o->features, o->classes, o->clusters, o->samples_per_class);
    return HSGD_OK;
}

static hsgd_status allocate(hsgd_dataset *out, const hsgd_mixture_options *o, hsgd_error *err)
{
    double samples = (double)o->classes * (double)o->samples_per_class;
    hsgd_status status = hsgd_memory_check(samples * (double)o->features * (double)sizeof(double), "the mixture",
                                           "fewer classes, features or samples_per_class", err);
    if (status)
        return status;
    out->num_samples = o->classes * o->samples_per_class;
    out->num_features = o->features;
    out->num_classes = o->classes;
    out->dense = malloc(out->num_samples * o->features * sizeof *out->dense);
    out->label = malloc(out->num_samples * sizeof *out->label);
    out->class_value = malloc(o->classes * sizeof *out->class_value);
    return out->dense && out->label && out->class_value ? HSGD_OK : hsgd_fail_memory(err, "the mixture");
}

void hsgd_mixture_centre(double *out, const hsgd_mixture_options *options, size_t class_index, size_t cluster)
{
    const hsgd_stream stream = {options->seed, HSGD_PURPOSE_PROBLEM, (uint32_t)class_index, cluster};
    hsgd_normals(&stream, options->spread, out, options->features);
}

/* One cluster of a class: every K-th of its samples. */
static void generate_cluster(hsgd_dataset *out, double *centre, const hsgd_mixture_options *o, size_t c, size_t k)
{
    hsgd_mixture_centre(centre, o, c, k);
    for (size_t i = k; i < o->samples_per_class; i += o->clusters) {
        const hsgd_stream stream = {o->seed, HSGD_PURPOSE_PROBLEM, (uint32_t)c, first_sample + i};
        double *x = out->dense + (c * o->samples_per_class + i) * o->features;
        hsgd_normals(&stream, 1, x, o->features);
        for (size_t j = 0; j < o->features; j++)
            x[j] += centre[j];
    }
}

static void generate_class(hsgd_dataset *out, double *centre, const hsgd_mixture_options *o, size_t c)
{
    for (size_t k = 0; k < o->clusters; k++)
        generate_cluster(out, centre, o, c, k);
    for (size_t i = 0; i < o->samples_per_class; i++)
        out->label[c * o->samples_per_class + i] = (uint32_t)c;
    out->class_value[c] = (double)c;
}

hsgd_status hsgd_mixture_generate(hsgd_dataset *out, const hsgd_mixture_options *options, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    hsgd_status status = check_options(options, err);
    if (!status)
        status = allocate(out, options, err);
    double *centre = status ? NULL : malloc(options->features * sizeof *centre);
    if (!status && !centre)
        status = hsgd_fail_memory(err, "the mixture");
    for (size_t c = 0; c < options->classes && !status; c++)
        generate_class(out, centre, options, c);
    free(centre);
    if (status)
        hsgd_dataset_free(out);
    return status;
}
