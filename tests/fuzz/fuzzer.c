/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One program for all targets: the name it is called by says which (`make fuzz` links one name for each). */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_errno.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const fuzz_target *target;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    const char *slash = strrchr((*argv)[0], '/');
    gsl_set_error_handler_off();
    target = fuzz_find(slash ? slash + 1 : (*argv)[0]);
    if (target)
        return 0;
    fprintf(stderr, "%s: not the name of a target\n", (*argv)[0]);
    exit(2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    target->run(data, size);
    return 0;
}
