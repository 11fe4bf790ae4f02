/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/regularizer.h"

#include <string.h>

#include "analysis/regularizer_private.h"

static const char *const names[] = {
    [HSGD_REGULARIZER_NONE] = "none", [HSGD_REGULARIZER_L2] = "l2", [HSGD_REGULARIZER_NONCONVEX] = "nonconvex"};

const char *hsgd_regularizer_name(hsgd_regularizer_type type)
{
    return names[type];
}

int hsgd_regularizer_parse(const char *name, hsgd_regularizer_type *type)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) {
            *type = (hsgd_regularizer_type)i;
            return 0;
        }
    return -1;
}

double hsgd_regularizer_add(const hsgd_regularizer *regularizer, const double *point, double *grad, size_t dim)
{
    const hsgd_regularizer_kernels *kernels = HSGD_PICK_PATH(hsgd_regularizer_kernels);
    switch (regularizer->type) {
    case HSGD_REGULARIZER_NONE:
        return 0;
    case HSGD_REGULARIZER_L2:
        return kernels->l2(regularizer->weight, point, grad, dim);
    case HSGD_REGULARIZER_NONCONVEX:
        return kernels->nonconvex(regularizer->weight, point, grad, dim);
    }
    return 0;
}

double hsgd_regularizer_smoothness(const hsgd_regularizer *regularizer)
{
    switch (regularizer->type) {
    case HSGD_REGULARIZER_NONE:
        return 0;
    case HSGD_REGULARIZER_L2:
        return regularizer->weight;
    case HSGD_REGULARIZER_NONCONVEX:
        return 2 * regularizer->weight;
    }
    return 0;
}

double hsgd_regularizer_convexity(const hsgd_regularizer *regularizer)
{
    switch (regularizer->type) {
    case HSGD_REGULARIZER_NONE:
        return 0;
    case HSGD_REGULARIZER_L2:
        return regularizer->weight;
    case HSGD_REGULARIZER_NONCONVEX:
        return -regularizer->weight / 2;
    }
    return 0;
}
