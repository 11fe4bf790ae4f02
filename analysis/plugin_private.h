/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files behind plugin_objective.h share. */
#ifndef HSGD_ANALYSIS_PLUGIN_PRIVATE_H
#define HSGD_ANALYSIS_PLUGIN_PRIVATE_H

#include "analysis/plugin_objective.h"

enum { HSGD_PLUGIN_NAME_SIZE = 64 };

typedef struct hsgd_plugin_state {
    hsgd_plugin_interface calls; /* what an older record lacks is NULL */
    hsgd_objective_type type;    /* with this plug-in's name */
    char name[HSGD_PLUGIN_NAME_SIZE + 16];
    void *problem;
    double *start; /* (dim) */
} hsgd_plugin_state;

/* plugin_constants.c: those that the plug-in gives, checked, and estimates of L and sigma^2 where it gives none. */
hsgd_status hsgd_plugin_find_constants(const hsgd_objective *objective, size_t batch_size, hsgd_constants *out,
                                       hsgd_error *err);

#endif
