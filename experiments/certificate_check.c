/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd pep --check: the answer of the checker for people and for programs. */
#include "experiments/certificate_private.h"

#include <stdio.h>
#include <string.h>

#include "experiments/cli_private.h"
#include "experiments/json_private.h"

/* Append to a text of limited size. */
static void append(char *out, size_t size, const char *text)
{
    size_t length = strlen(out);
    snprintf(out + length, size - length, "%s", text);
}

void hsgd_certificate_theorem(char *out, size_t size, const hsgd_certificate_verdict *verdict,
                              const hsgd_certificate *certificate)
{
    char term[96];
    snprintf(out, size, "%s <= %s Delta", certificate->criterion == HSGD_CERTIFICATE_MIN ? "S_min" : "S",
             verdict->delta_text);
    for (size_t k = 0; k < certificate->num_levels; k++) {
        snprintf(term, sizeof term, " + %s D_%zu", verdict->divergence_text[k], k + 1);
        if (!certificate->zero_level[k])
            append(out, size, term);
    }
}

/* "4, 2"; "none" for gradient descent. */
static void list_periods(char *out, size_t size, const hsgd_certificate *certificate)
{
    char number[32];
    snprintf(out, size, "%s", certificate->num_levels ? "" : "none");
    for (size_t k = 0; k < certificate->num_levels; k++) {
        snprintf(number, sizeof number, "%s%zu", k ? ", " : "", certificate->periods[k]);
        append(out, size, number);
    }
}

/* What the letters of the theorem stand for. */
static void print_statement(const hsgd_certificate *certificate)
{
    char periods[512];
    list_periods(periods, sizeof periods, certificate);
    printf("  for H-SGD with exact gradients, periods %s, T = %zu steps of size %s,\n", periods, certificate->steps,
           certificate->step_size);
    printf("  and all objectives F_j with L = %s, where\n", certificate->smoothness);
    puts(certificate->criterion == HSGD_CERTIFICATE_MIN
             ? "    S_min  is the least ||grad f(wbar^t)||^2, t = 0..T,"
             : "    S      is the mean of ||grad f(wbar^t)||^2, t = 0..T-1,");
    puts(certificate->gap == HSGD_CERTIFICATE_DESCENT
             ? "    Delta  is at least f(w^0) - f(wbar^T),"
             : "    Delta  is at least f(w^0) - f(wbar^t) + ||grad f(wbar^t)||^2/(2L), t = 0..T,");
    if (certificate->num_levels)
        puts("    D_k    is at least the divergence of level k at the means wbar_u^t, t = 0..T-1.");
    for (size_t k = 0; k < certificate->num_levels; k++)
        if (certificate->zero_level[k])
            printf("    D_%zu    is 0.\n", k + 1);
}

static void print_verdict(const hsgd_certificate_verdict *verdict, const hsgd_certificate *certificate)
{
    char theorem[2048];
    if (!verdict->proved) {
        printf("not a proof: %s\n", verdict->reason);
        return;
    }
    hsgd_certificate_theorem(theorem, sizeof theorem, verdict, certificate);
    printf("theorem: %s\n", theorem);
    print_statement(certificate);
    printf(
        "Checked in exact arithmetic: %zu multipliers, %zu blocks of %zu points (%zu by factors, %zu by elimination).\n"
        "Constants are rounded up.\n",
        certificate->num_pairs + certificate->num_divergences + certificate->num_gap_multipliers +
            certificate->num_weights,
        verdict->num_blocks, verdict->num_points, verdict->num_dominant, verdict->num_eliminated);
}

cJSON *hsgd_certificate_verdict_to_json(const hsgd_certificate_verdict *verdict, const hsgd_certificate *certificate)
{
    char theorem[2048];
    cJSON *object = cJSON_CreateObject();
    cJSON_AddBoolToObject(object, "proved", verdict->proved);
    cJSON_AddStringToObject(object, "reason", verdict->reason);
    if (!verdict->proved)
        return object;
    hsgd_certificate_theorem(theorem, sizeof theorem, verdict, certificate);
    cJSON_AddStringToObject(object, "theorem", theorem);
    cJSON_AddNumberToObject(object, "delta_coefficient", verdict->delta_coefficient);
    cJSON *coefficients = cJSON_AddArrayToObject(object, "divergence_coefficients");
    for (size_t k = 0; k < certificate->num_levels; k++)
        cJSON_AddItemToArray(coefficients, certificate->zero_level[k]
                                               ? cJSON_CreateNull()
                                               : cJSON_CreateNumber(verdict->divergence_coefficient[k]));
    cJSON_AddNumberToObject(object, "points", (double)verdict->num_points);
    cJSON_AddNumberToObject(object, "blocks", (double)verdict->num_blocks);
    return object;
}

int hsgd_certificate_check_file(const char *path, bool as_json)
{
    hsgd_error err;
    hsgd_certificate certificate;
    hsgd_certificate_verdict verdict;
    if (hsgd_certificate_read(&certificate, path, &err))
        return hsgd_cli_fail(&err);
    hsgd_status status = hsgd_certificate_check(&verdict, &certificate, &err);
    if (status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(&err, "%s: ", path);
    if (!status && as_json)
        status = hsgd_json_put(hsgd_certificate_verdict_to_json(&verdict, &certificate), &err);
    else if (!status)
        print_verdict(&verdict, &certificate);
    hsgd_certificate_free(&certificate);
    if (status)
        return hsgd_cli_fail(&err);
    return hsgd_cli_finish(verdict.proved ? HSGD_EXIT_OK : HSGD_EXIT_VIOLATED);
}
