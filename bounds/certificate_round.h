/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the multipliers of a solver to a certificate: floating-point numbers that nearly prove a bound become decimals
 * that prove it (THEORY 11.4). */
#ifndef HSGD_BOUNDS_CERTIFICATE_ROUND_H
#define HSGD_BOUNDS_CERTIFICATE_ROUND_H

#include "bounds/certificate.h"
#include "bounds/pep.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a proof costs above the solver's own number: coefficients are at most (1 + HSGD_CERTIFICATE_MAX_SHIFT) times its
 * own plus as much. Beyond that the multipliers are not near a proof. */
#define HSGD_CERTIFICATE_MAX_SHIFT 1e-4

/* Round the multipliers of result, make the function values cancel exactly, and add the smallest of a few shifts with which
 * hsgd_certificate_check accepts; *verdict is its answer. *shift (may be NULL) receives the one that was needed, 0 most
 * of the time. step_size and smoothness in the certificate are the shortest decimals that read back as the problem's
 * doubles. D_k = 0 in the problem is an assumption of the certificate. HSGD_ERROR_NUMERIC: no shift suffices. Free out
 * with hsgd_certificate_free. */
hsgd_status hsgd_certificate_from_result(hsgd_certificate *out, hsgd_certificate_verdict *verdict, double *shift,
                                         const hsgd_pep_result *result, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
