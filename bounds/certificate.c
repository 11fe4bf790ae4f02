/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bounds/certificate.h"

#include <stdlib.h>
#include <string.h>

const char *hsgd_certificate_criterion_name(size_t criterion)
{
    static const char *const name[] = {[HSGD_CERTIFICATE_MEAN] = "mean", [HSGD_CERTIFICATE_MIN] = "min"};
    _Static_assert(sizeof name / sizeof *name == HSGD_NUM_CERTIFICATE_CRITERIA, "one name per criterion");
    return criterion < HSGD_NUM_CERTIFICATE_CRITERIA ? name[criterion] : NULL;
}

const char *hsgd_certificate_gap_name(size_t gap)
{
    static const char *const name[] = {
        [HSGD_CERTIFICATE_DESCENT] = "descent", [HSGD_CERTIFICATE_LOWER_BOUND] = "lower-bound"};
    _Static_assert(sizeof name / sizeof *name == HSGD_NUM_CERTIFICATE_GAPS, "one name per gap");
    return gap < HSGD_NUM_CERTIFICATE_GAPS ? name[gap] : NULL;
}

static void free_steps(hsgd_certificate_step *step, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(step[i].value);
    free(step);
}

void hsgd_certificate_free(hsgd_certificate *certificate)
{
    if (!certificate)
        return;
    for (size_t i = 0; i < certificate->num_pairs; i++)
        free(certificate->pair[i].value);
    for (size_t i = 0; i < certificate->num_divergences; i++)
        free(certificate->divergence[i].value);
    for (size_t k = 0; k < HSGD_MAX_LEVELS; k++)
        free(certificate->divergence_coefficient[k]);
    free(certificate->pair);
    free(certificate->divergence);
    free_steps(certificate->gap_multiplier, certificate->num_gap_multipliers);
    free_steps(certificate->weight, certificate->num_weights);
    free(certificate->step_size);
    free(certificate->smoothness);
    free(certificate->delta_coefficient);
    memset(certificate, 0, sizeof *certificate);
}
