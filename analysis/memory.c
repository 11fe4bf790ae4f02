/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/memory.h"

#include <unistd.h>

hsgd_status hsgd_memory_check(double bytes, const char *what, const char *advice, hsgd_error *err)
{
    double pages = (double)sysconf(_SC_PHYS_PAGES), page_bytes = (double)sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page_bytes <= 0 || bytes <= pages * page_bytes) /* -1: the system does not say */
        return HSGD_OK;
    return hsgd_fail(err, HSGD_ERROR_MEMORY, "%s needs about %.3g GB, the machine has %.3g GB; use %s", what,
                     bytes / 1e9, pages * page_bytes / 1e9, advice);
}
