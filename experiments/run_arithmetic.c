/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Libraries that choose their code by the processor round in their own way on each kind of it: processes that do not have the
 * same choice give numbers that no single one of them would give. */
#include "experiments/run_keep_private.h"

#include <stdio.h>

#include <cjson/cJSON.h>
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif
#ifdef HSGD_DNNL
#include <dnnl.h>
#pragma weak dnnl_get_effective_cpu_isa /* a program may be linked without convolutional networks */
#endif

#include "experiments/provenance_private.h"

/* Versions of all libraries, and what they chose; to be freed with cJSON_free. NULL when memory is out. */
static char *describe_arithmetic(void)
{
    cJSON *object = hsgd_libraries_to_json(); /* OpenBLAS names its kernels */
#ifdef __GLIBC__
    cJSON_AddStringToObject(object, "libc", gnu_get_libc_version());
#endif
#ifdef __x86_64__
    cJSON_AddBoolToObject(object, "fma", __builtin_cpu_supports("fma") != 0); /* which libm uses */
#endif
#ifdef HSGD_DNNL
    if (dnnl_get_effective_cpu_isa)
        cJSON_AddNumberToObject(object, "oneDNN's instructions", dnnl_get_effective_cpu_isa());
#endif
    char *text = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    return text;
}

void hsgd_run_compare_arithmetic(const hsgd_run_keep *keep)
{
    hsgd_error err;
    char *text = keep->ranks.many ? describe_arithmetic() : NULL;
    if (!keep->ranks.many)
        return;
    hsgd_status status =
        hsgd_ranks_compare(&keep->ranks, text ? text : "", "what computes (OpenBLAS, oneDNN, libm)", &err);
    if (status == HSGD_ERROR_INPUT && hsgd_ranks_speak())
        fprintf(stderr,
                "hsgd: note: %s, as on another kind of processor; the last bits may depend on the number of processes. "
                "OPENBLAS_CORETYPE=Haswell ONEDNN_MAX_CPU_ISA=AVX2 may help\n",
                err.message);
    cJSON_free(text);
}
