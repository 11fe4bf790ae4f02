/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fuzz/fuzz.h"

#include <string.h>

const fuzz_target fuzz_targets[] = {
    {"config", fuzz_config, 4096},
    {"sweep", fuzz_sweep, 4096},
    {"study", fuzz_study, 4096},
    {"params", fuzz_params, 2048},
    {"libsvm", fuzz_libsvm, 1024},
    {"csv", fuzz_csv, 1024},
    {"idx", fuzz_idx, 1024},
    {"cifar", fuzz_cifar, 10000},
    {"gzip", fuzz_gzip, 2048},
    {"jpeg", fuzz_jpeg, 4096},
    {"leaf", fuzz_leaf, 2048},
    {"series", fuzz_series, 1024},
    {"plot", fuzz_plot, 4096},
    {"checkpoint", fuzz_checkpoint, 2048},
    {"trace", fuzz_trace, 4096},
    {"expression", fuzz_expression, 512},
    {"certificate", fuzz_certificate, 4096},
};
const size_t fuzz_num_targets = sizeof fuzz_targets / sizeof *fuzz_targets;

const fuzz_target *fuzz_find(const char *name)
{
    for (size_t i = 0; i < fuzz_num_targets; i++)
        if (strcmp(fuzz_targets[i].name, name) == 0)
            return &fuzz_targets[i];
    return NULL;
}
