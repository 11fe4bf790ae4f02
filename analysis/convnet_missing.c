/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands in for analysis/convnet.c in a build without oneDNN. */
#include "analysis/convnet.h"

#ifndef HSGD_DNNL

#include <string.h>

bool hsgd_convnet_is_there(void)
{
    return false;
}

hsgd_status hsgd_convnet_objective(hsgd_objective *out, const hsgd_architecture *architecture, const hsgd_dataset *data,
                                   const size_t *start, size_t num_workers, hsgd_regularizer regularizer,
                                   const double *estimate_at, hsgd_error *err)
{
    (void)architecture, (void)data, (void)start, (void)num_workers, (void)regularizer, (void)estimate_at;
    memset(out, 0, sizeof *out);
    return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT,
                     "\"cnn\" needs oneDNN, which this build does not have; install libdnnl-dev and build again");
}

#endif
