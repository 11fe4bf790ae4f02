/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data sets with labels for the tests of models on data. */
#ifndef HSGD_TESTS_CLASS_DATA_H
#define HSGD_TESTS_CLASS_DATA_H

#include <stdlib.h>
#include <string.h>

#include "analysis/dataset.h"
#include "analysis/random.h"

/* Normal features, three of ten of them 0, and labels that have nothing to do with them. */
static inline hsgd_dataset class_data(size_t samples, size_t features, uint32_t classes, double deviation)
{
    hsgd_dataset d = {.num_samples = samples, .num_features = features, .num_classes = classes};
    d.dense = malloc(samples * features * sizeof *d.dense);
    d.label = malloc(samples * sizeof *d.label);
    hsgd_normals(&(hsgd_stream){5, HSGD_PURPOSE_USER, 0, 0}, deviation, d.dense, samples * features);
    for (size_t i = 0; i < samples * features; i++)
        d.dense[i] = i * 31 % 10 < 3 ? 0 : d.dense[i] + 0.2;
    for (size_t s = 0; s < samples; s++)
        d.label[s] = (uint32_t)((s * s + s / 3) % classes);
    return d;
}

/* The same data without the zeros. */
static inline hsgd_dataset sparse_copy(const hsgd_dataset *dense)
{
    size_t m = dense->num_samples, p = dense->num_features, used = 0;
    hsgd_dataset d = {.num_samples = m, .num_features = p, .num_classes = dense->num_classes};
    d.row_start = calloc(m + 1, sizeof *d.row_start);
    d.column = calloc(m * p, sizeof *d.column);
    d.value = calloc(m * p, sizeof *d.value);
    d.label = malloc(m * sizeof *d.label);
    memcpy(d.label, dense->label, m * sizeof *d.label);
    for (size_t s = 0; s < m; s++) {
        for (size_t i = 0; i < p; i++)
            if (dense->dense[s * p + i] != 0) {
                d.column[used] = (uint32_t)i;
                d.value[used++] = dense->dense[s * p + i];
            }
        d.row_start[s + 1] = used;
    }
    return d;
}

#endif
