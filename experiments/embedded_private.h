/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that are compiled in: experiments/demo.json, which runs when no experiment is named, and
 * experiments/config.schema.json, from which the manual page lists the keys. */
#ifndef HSGD_EXPERIMENTS_EMBEDDED_PRIVATE_H
#define HSGD_EXPERIMENTS_EMBEDDED_PRIVATE_H

#include <stddef.h>

extern const char hsgd_embedded_demo[];

extern const char hsgd_embedded_schema[]; /* (hsgd_embedded_schema_size) without a zero at its end */
extern const size_t hsgd_embedded_schema_size;

#endif
