/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which libraries compute here. */
#include "experiments/provenance_private.h"

#include <stdio.h>
#include <string.h>

#include <expat.h>
#include <gmp.h>
#include <gsl/gsl_version.h>
#include <muParserDLL.h>
#include <nettle/version.h>
#include <yajl/yajl_version.h>
#include <zlib.h>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif
#ifdef HSGD_DNNL
#include <dnnl.h>
#pragma weak dnnl_version /* a program may be linked without convolutional networks (analysis/convnet_missing.c) */
#endif
#ifdef HSGD_JPEG
#include <jpeglib.h>
#endif

#define TEXT_OF(token) #token
#define TEXT(token) TEXT_OF(token)

/* Present when OpenBLAS is linked, absent with other libraries. */
extern char *openblas_get_config(void) __attribute__((weak));

static void add_version(cJSON *object, const char *name, int major, int minor, int patch)
{
    char text[48];
    snprintf(text, sizeof text, patch < 0 ? "%d.%d" : "%d.%d.%d", major, minor, patch);
    cJSON_AddStringToObject(object, name, text);
}

/* "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..." without its first word. */
static void add_blas(cJSON *object)
{
    const char *text = openblas_get_config ? openblas_get_config() : NULL;
    const char *blank = text ? strchr(text, ' ') : NULL;
    if (text)
        cJSON_AddStringToObject(object, "OpenBLAS", blank ? blank + 1 : text);
}

static void add_optional(cJSON *object)
{
#ifdef HSGD_DNNL
    const dnnl_version_t *version = dnnl_version ? dnnl_version() : NULL;
    if (version)
        add_version(object, "oneDNN", version->major, version->minor, version->patch);
#endif
#ifdef LIBJPEG_TURBO_VERSION
    cJSON_AddStringToObject(object, "libjpeg-turbo", TEXT(LIBJPEG_TURBO_VERSION));
#elif defined JPEG_LIB_VERSION
    cJSON_AddStringToObject(object, "libjpeg", TEXT(JPEG_LIB_VERSION));
#endif
    (void)object;
}

/* "2.3.3 (20220122; RELEASE)" up to the blank. */
static void add_muparser(cJSON *object)
{
    muParserHandle_t parser = mupCreate(muBASETYPE_FLOAT);
    const char *text = parser ? mupGetVersion(parser) : "";
    char version[48];
    snprintf(version, sizeof version, "%.*s", (int)strcspn(text, " "), text);
    cJSON_AddStringToObject(object, "muParser", version);
    if (parser)
        mupRelease(parser);
}

cJSON *hsgd_libraries_to_json(void)
{
    cJSON *object = cJSON_CreateObject();
    int yajl = yajl_version();
    XML_Expat_Version expat = XML_ExpatVersionInfo();
#ifdef __GLIBC__ /* its libm has several ways, by processor */
    cJSON_AddStringToObject(object, "glibc", gnu_get_libc_version());
#endif
#ifdef _OPENMP
    cJSON_AddStringToObject(object, "OpenMP", TEXT(_OPENMP));
#endif
    cJSON_AddStringToObject(object, "GSL", gsl_version);
    add_blas(object);
    add_optional(object);
    cJSON_AddStringToObject(object, "GMP", gmp_version);
    cJSON_AddStringToObject(object, "cJSON", cJSON_Version());
    add_version(object, "yajl", yajl / 10000, yajl / 100 % 100, yajl % 100);
    cJSON_AddStringToObject(object, "zlib", zlibVersion());
    add_version(object, "nettle", nettle_version_major(), nettle_version_minor(), -1);
    add_muparser(object);
    add_version(object, "expat", expat.major, expat.minor, expat.micro);
    return object;
}
