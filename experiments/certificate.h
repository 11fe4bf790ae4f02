/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of certificates (experiments/certificate.schema.json), and `hsgd pep --check`. */
#ifndef HSGD_EXPERIMENTS_CERTIFICATE_H
#define HSGD_EXPERIMENTS_CERTIFICATE_H

#include <stdbool.h>

#include "bounds/certificate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Read a certificate ("-": standard input). Everything that is not legal is an error with the file and the place, numbers
 * and points included. Free it with hsgd_certificate_free. */
hsgd_status hsgd_certificate_read(hsgd_certificate *out, const char *path, hsgd_error *err);

/* Write it to this path; the file appears whole or not at all. */
hsgd_status hsgd_certificate_write(const hsgd_certificate *certificate, const char *path, hsgd_error *err);

/* hsgd pep --check FILE: print the theorem, or why there is none, as text or JSON. Returns the exit code: 0 a proof, 1 not
 * a proof, 2 not a certificate. */
int hsgd_certificate_check_file(const char *path, bool as_json);

#ifdef __cplusplus
}
#endif

#endif
