/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <unistd.h>

#include "analysis/stream.h"

double hsgd_memory_of_machine(void)
{
    double pages = (double)sysconf(_SC_PHYS_PAGES), page_bytes = (double)sysconf(_SC_PAGESIZE);
    return pages > 0 && page_bytes > 0 ? pages * page_bytes : INFINITY;
}

double hsgd_memory_available(void)
{
    FILE *file = hsgd_stream_open("/proc/meminfo");
    static const char name[] = "MemAvailable:";
    char line[128];
    double kibibytes = INFINITY;
    while (file && isinf(kibibytes) && fgets(line, sizeof line, file))
        if (strncmp(line, name, sizeof name - 1) == 0)
            kibibytes = strtod(line + sizeof name - 1, NULL);
    if (file)
        fclose(file);
    return kibibytes * 1024;
}

hsgd_status hsgd_memory_check(double bytes, const char *what, const char *advice, hsgd_error *err)
{
    double machine = hsgd_memory_of_machine();
    if (bytes <= machine)
        return HSGD_OK;
    return hsgd_fail(err, HSGD_ERROR_MEMORY, "%s needs about %.3g GB, the machine has %.3g GB; use %s", what,
                     bytes / 1e9, machine / 1e9, advice);
}

/* Arrays from twice this size on begin a page of it; smaller ones would waste too much. */
static const size_t LARGE_PAGE_BYTES = (size_t)2 << 20;

void *hsgd_alloc_array(size_t count, size_t size)
{
    if (size > 0 && count > (SIZE_MAX - 2 * LARGE_PAGE_BYTES) / size)
        return NULL;
    size_t bytes = count * size, unit = bytes < 2 * LARGE_PAGE_BYTES ? HSGD_LINE_BYTES : LARGE_PAGE_BYTES;
    size_t whole = (bytes / unit + 1) * unit;
    void *array = aligned_alloc(unit, whole);
    if (!array)
        return NULL;
#ifdef MADV_HUGEPAGE
    if (unit == LARGE_PAGE_BYTES)
        (void)madvise(array, whole, MADV_HUGEPAGE); /* advice: it may fail */
#endif
    return memset(array, 0, bytes);
}
