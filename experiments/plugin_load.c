/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/plugin_load.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis/plugin_objective.h"

/* Without a slash the dynamic linker would look for the file in folders of its own. */
static hsgd_status absolute_path(char **out, const char *path, hsgd_error *err)
{
    struct stat about;
    *out = realpath(path, NULL);
    if (!*out)
        return hsgd_fail(err, errno == ENOMEM ? HSGD_ERROR_MEMORY : HSGD_ERROR_INPUT, "%s: cannot be loaded: %s", path,
                         strerror(errno));
    if (stat(*out, &about) == 0 && S_ISREG(about.st_mode))
        return HSGD_OK;
    free(*out);
    *out = NULL;
    return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: is not a file; expected a shared object", path);
}

static hsgd_status take_checksum(hsgd_plugin_library *out, const char *path, hsgd_error *err)
{
    hsgd_checksum *checksum = hsgd_checksum_alloc();
    if (!checksum)
        return hsgd_fail_memory(err, "a checksum");
    hsgd_status status = hsgd_checksum_add_file(checksum, path, &out->bytes, err);
    hsgd_checksum_finish(checksum, out->sha256);
    hsgd_checksum_free(checksum);
    return status;
}

/* What the dynamic linker says begins with the path, as our messages do. */
static const char *reason_of(const char *path)
{
    const char *reason = dlerror();
    size_t length = strlen(path);
    if (!reason)
        return "the dynamic linker gives no reason";
    return strncmp(reason, path, length) == 0 && strncmp(reason + length, ": ", 2) == 0 ? reason + length + 2 : reason;
}

static hsgd_status open_library(hsgd_plugin_library *out, const char *path, hsgd_error *err)
{
    out->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!out->handle)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: is no shared object that can be loaded: %s", path,
                         reason_of(path));
    out->plugin = dlsym(out->handle, "hsgd_plugin");
    if (!out->plugin)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "%s: has no symbol hsgd_plugin; a plug-in defines it as analysis/plugin.h says", path);
    hsgd_status status = hsgd_plugin_verify(out->plugin, err);
    if (status)
        hsgd_error_prefix(err, "%s: ", path);
    return status;
}

hsgd_status hsgd_plugin_load(hsgd_plugin_library *out, const char *path, hsgd_error *err)
{
    char *absolute;
    *out = (hsgd_plugin_library){.handle = NULL};
    hsgd_status status = absolute_path(&absolute, path, err);
    if (status)
        return status;
    out->path = absolute;
    status = take_checksum(out, absolute, err);
    if (!status)
        status = open_library(out, absolute, err);
    if (status)
        hsgd_plugin_unload(out);
    return status;
}

void hsgd_plugin_unload(hsgd_plugin_library *library)
{
    if (library->handle)
        dlclose(library->handle);
    free(library->path);
    *library = (hsgd_plugin_library){.handle = NULL};
}
