/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared objects with a plug-in (analysis/plugin.h). Loading one runs its code with the rights of this process. */
#ifndef HSGD_EXPERIMENTS_PLUGIN_LOAD_H
#define HSGD_EXPERIMENTS_PLUGIN_LOAD_H

#include "analysis/error.h"
#include "analysis/plugin.h"
#include "experiments/checksum.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_plugin_library {
    void *handle;                        /* of the dynamic linker; NULL: nothing is loaded */
    const hsgd_plugin_interface *plugin; /* inside the shared object */
    char *path;                          /* absolute; owned */
    char sha256[HSGD_CHECKSUM_SIZE];     /* of the file, just before it was loaded */
    double bytes;
} hsgd_plugin_library;

/* Load a shared object and find its record, which is verified. Free with hsgd_plugin_unload, on success only, once nothing
 * of the plug-in is in use any more. */
hsgd_status hsgd_plugin_load(hsgd_plugin_library *out, const char *path, hsgd_error *err);
void hsgd_plugin_unload(hsgd_plugin_library *library);

#ifdef __cplusplus
}
#endif

#endif
