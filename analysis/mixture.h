/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Generated data for classification whose classes are mixtures of clusters: equally many samples of every class, so that a
 * worker can have one label only, and classes that no linear model can tell apart, so that networks have something to learn.
 * What experiments with labels dealt to workers need, at the size of a laptop and without a download. */
#ifndef HSGD_ANALYSIS_MIXTURE_H
#define HSGD_ANALYSIS_MIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/dataset.h"
#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Class c has K clusters with centres m_ck, whose entries are normal(0, spread^2); sample i of a class is normal(m_ck, 1) in
 * every feature, for k = i mod K. The larger the spread, the easier the problem. */
typedef struct hsgd_mixture_options {
    size_t features;          /* >= 1 */
    size_t classes;           /* >= 2 */
    size_t clusters;          /* K >= 1 of each class */
    size_t samples_per_class; /* >= 1 */
    double spread;            /* standard deviation of the centres' entries, in those of the noise; > 0, <= 1e100 */
    uint64_t seed;
} hsgd_mixture_options;

/* The defaults: 20 features, 10 classes of 3 clusters and 200 samples, spread 1, seed 1. */
void hsgd_mixture_defaults(hsgd_mixture_options *options);

/* Generate the data, dense, class after class; class_value is 0 .. classes - 1. A sample depends on its class, its number in
 * it, and on the options other than classes and samples_per_class. */
hsgd_status hsgd_mixture_generate(hsgd_dataset *out, const hsgd_mixture_options *options, hsgd_error *err);

/* The centre of a cluster: out (features). */
void hsgd_mixture_centre(double *out, const hsgd_mixture_options *options, size_t class_index, size_t cluster);

#ifdef __cplusplus
}
#endif

#endif
