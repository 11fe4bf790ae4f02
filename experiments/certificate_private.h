/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HSGD_EXPERIMENTS_CERTIFICATE_PRIVATE_H
#define HSGD_EXPERIMENTS_CERTIFICATE_PRIVATE_H

#include <cjson/cJSON.h>

#include "experiments/certificate.h"

/* The document of a certificate, as its file has it. */
cJSON *hsgd_certificate_to_json(const hsgd_certificate *certificate);

/* { "proved", "reason", "theorem", "delta_coefficient", "divergence_coefficients", ... } */
cJSON *hsgd_certificate_verdict_to_json(const hsgd_certificate_verdict *verdict, const hsgd_certificate *certificate);

/* "S <= 2.59 Delta + 0.0451 D_1 + 0.00836 D_2", the numbers rounded up; cut off when size bytes are too few. */
void hsgd_certificate_theorem(char *out, size_t size, const hsgd_certificate_verdict *verdict,
                              const hsgd_certificate *certificate);

#endif
