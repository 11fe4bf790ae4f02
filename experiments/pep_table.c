/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `hsgd pep` prints: a table for people, or one JSON object. */
#include "experiments/pep_private.h"

#include <math.h>
#include <string.h>

#include "experiments/bound_json_private.h"

/* ---- table ---- */

static void print_question(const hsgd_worst_case *worst, FILE *stream)
{
    const hsgd_pep_problem *p = &worst->problem;
    fputs(p->num_levels > 1 ? "H-SGD, periods " : p->num_levels ? "local SGD, period " : "gradient descent", stream);
    for (size_t k = 0; k < p->num_levels; k++)
        fprintf(stream, "%s%zu", k ? "," : "", p->periods[k]);
    fprintf(stream, ", %zu steps of size %.6g (%.4g of the published limit), L = %.6g\nDelta = %.6g", p->steps,
            p->step_size, p->step_size / worst->max_step_size, p->smoothness, p->delta);
    for (size_t k = 0; k < p->num_levels; k++)
        fprintf(stream, ", D_%zu = %.6g", k + 1, p->level_divergence_sq[k]);
    fputs(p->criterion == HSGD_PEP_MEAN ? "\nLargest mean of ||grad f(wbar^t)||^2 over t < T:\n\n"
                                        : "\nLargest minimum of ||grad f(wbar^t)||^2 over t <= T:\n\n",
          stream);
}

static void print_result(const hsgd_pep_result *r, hsgd_pep_gap gap, FILE *stream)
{
    fprintf(stream, "  worst case, %-16s", gap == HSGD_PEP_DESCENT ? "descent gap" : "f* below all");
    if (r->unbounded)
        fputs("    infinite  gamma L >= 2: gradient descent alone may diverge\n", stream);
    else
        fprintf(stream, " %11.6g  at least %.6g\n", r->value, r->lower);
}

static void print_bound(const hsgd_worst_case *worst, size_t i, FILE *stream)
{
    static const char *const name[HSGD_WORST_CASE_BOUNDS] = {"recursive bound 4.4", "sharpened bound 4.2",
                                                             "published bound 4.1"};
    const hsgd_bound_value *value = &worst->value[i];
    double ratio = hsgd_worst_case_ratio(worst, i);
    if (!value->applicable) {
        fprintf(stream, "  %-28s %11s  %s\n", name[i], "-", value->reason);
        return;
    }
    fprintf(stream, "  %-28s %11.6g", name[i], value->value);
    if (isfinite(ratio))
        fprintf(stream, "  worst case / bound = %.4f", ratio);
    fputs("\n", stream);
}

static bool no_zeros(const hsgd_pep_problem *p)
{
    for (size_t k = 0; k < p->num_levels; k++)
        if (p->level_divergence_sq[k] == 0)
            return false;
    return true;
}

/* The inequality that the multipliers prove, for all Delta and D_k but those that are 0, which is an assumption of it. */
static void print_certificate(const hsgd_pep_result *r, const hsgd_pep_problem *p, hsgd_pep_gap gap, FILE *stream)
{
    fprintf(stream, "\n%s gap: %s <= %.6g Delta", gap == HSGD_PEP_DESCENT ? "Descent" : "Lower-bound",
            p->criterion == HSGD_PEP_MEAN ? "S" : "min", r->delta_coefficient);
    for (size_t k = 0; k < p->num_levels; k++)
        if (p->level_divergence_sq[k] > 0)
            fprintf(stream, " + %.6g D_%zu", r->divergence_coefficient[k], k + 1);
    for (size_t k = 0; k < p->num_levels; k++)
        if (p->level_divergence_sq[k] == 0)
            fprintf(stream, ", with D_%zu = 0", k + 1);
    fprintf(stream, ", whatever Delta and %sD_k are\n", no_zeros(p) ? "" : "the other ");
    fprintf(stream, "  %zu points, %zu programs, the last with %zu constraints; all %zu inequalities hold; ",
            r->model.num_points, r->rounds, r->num_constraints, r->num_pairs);
    fprintf(stream, "proofs agree to %.1e; %.2f s\n", (r->upper - r->lower) / r->upper, r->wall_time_s);
}

/* Lines of at most 110 characters, broken at blanks. */
static void print_wrapped(const char *text, FILE *stream)
{
    enum { WIDTH = 110 };
    while (strlen(text) > WIDTH) {
        int length = WIDTH;
        while (length > 0 && text[length] != ' ')
            length--;
        fprintf(stream, "%.*s\n", length, text);
        text += length + 1;
    }
    fprintf(stream, "%s\n", text);
}

void hsgd_worst_case_print_note(FILE *stream)
{
    print_wrapped(hsgd_worst_case_note, stream);
}

static void print_noise(const hsgd_worst_case *worst, FILE *stream)
{
    if (worst->noise_sq == 0)
        return;
    fprintf(stream, "sigma^2 = %.6g is not in the worst case. ", worst->noise_sq);
    if (isfinite(worst->noise_terms))
        fprintf(stream, "In the sharpened bound it adds %.6g; worst case plus that is no theorem.", worst->noise_terms);
    fputs("\n", stream);
}

void hsgd_worst_case_print(const hsgd_worst_case *worst, FILE *stream)
{
    print_question(worst, stream);
    for (int gap = HSGD_PEP_DESCENT; gap <= HSGD_PEP_LOWER_BOUND; gap++)
        if (worst->wish.wants[gap])
            print_result(&worst->result[gap], (hsgd_pep_gap)gap, stream);
    for (size_t i = 0; i < HSGD_WORST_CASE_BOUNDS; i++)
        print_bound(worst, i, stream);
    for (int gap = HSGD_PEP_DESCENT; gap <= HSGD_PEP_LOWER_BOUND; gap++)
        if (worst->wish.wants[gap] && !worst->result[gap].unbounded)
            print_certificate(&worst->result[gap], &worst->problem, (hsgd_pep_gap)gap, stream);
    fputs("\n", stream);
    print_wrapped(hsgd_worst_case_note, stream);
    print_noise(worst, stream);
    if (worst->contradicts)
        fputs("An instance exceeds an applicable bound: the bound is refuted.\n", stream);
}

/* ---- JSON ---- */

static cJSON *problem_to_json(const hsgd_worst_case *worst)
{
    const hsgd_pep_problem *p = &worst->problem;
    cJSON *object = cJSON_CreateObject(), *periods = cJSON_AddArrayToObject(object, "periods");
    for (size_t k = 0; k < p->num_levels; k++)
        cJSON_AddItemToArray(periods, cJSON_CreateNumber((double)p->periods[k]));
    cJSON_AddNumberToObject(object, "steps", (double)p->steps);
    cJSON_AddNumberToObject(object, "step_size", p->step_size);
    cJSON_AddNumberToObject(object, "L", p->smoothness);
    cJSON_AddNumberToObject(object, "delta", p->delta);
    cJSON_AddItemToObject(object, "level_divergence_sq", hsgd_numbers_to_json(p->level_divergence_sq, p->num_levels));
    cJSON_AddNumberToObject(object, "sigma_sq", worst->noise_sq);
    cJSON_AddStringToObject(object, "criterion", hsgd_pep_criterion_name(p->criterion));
    return object;
}

static cJSON *result_to_json(const hsgd_pep_result *r, const hsgd_pep_problem *p)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddBoolToObject(object, "unbounded", r->unbounded);
    cJSON_AddNumberToObject(object, "value", r->value);
    cJSON_AddNumberToObject(object, "lower", r->lower);
    cJSON_AddNumberToObject(object, "upper", r->upper);
    if (r->unbounded)
        return object;
    cJSON_AddNumberToObject(object, "delta_coefficient", r->delta_coefficient);
    cJSON_AddItemToObject(object, "divergence_coefficient",
                          hsgd_numbers_to_json(r->divergence_coefficient, p->num_levels));
    cJSON_AddNumberToObject(object, "points", (double)r->model.num_points);
    cJSON_AddNumberToObject(object, "pairs", (double)r->num_pairs);
    cJSON_AddNumberToObject(object, "constraints", (double)r->num_constraints);
    cJSON_AddNumberToObject(object, "programs", (double)r->rounds);
    cJSON_AddNumberToObject(object, "wall_time_s", r->wall_time_s);
    return object;
}

static cJSON *bounds_to_json(const hsgd_worst_case *worst)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < HSGD_WORST_CASE_BOUNDS; i++) {
        cJSON *object = hsgd_bound_to_json(worst->bound[i], &worst->value[i]);
        cJSON_AddNumberToObject(object, "ratio", hsgd_worst_case_ratio(worst, i));
        cJSON_AddItemToArray(array, object);
    }
    return array;
}

cJSON *hsgd_worst_case_to_json(const hsgd_worst_case *worst)
{
    cJSON *root = cJSON_CreateObject(), *cases = cJSON_CreateObject();
    cJSON_AddItemToObject(root, "problem", problem_to_json(worst));
    for (int gap = HSGD_PEP_DESCENT; gap <= HSGD_PEP_LOWER_BOUND; gap++)
        if (worst->wish.wants[gap])
            cJSON_AddItemToObject(cases, hsgd_pep_gap_name((hsgd_pep_gap)gap),
                                  result_to_json(&worst->result[gap], &worst->problem));
    cJSON_AddItemToObject(root, "worst_case", cases);
    cJSON_AddItemToObject(root, "bounds", bounds_to_json(worst));
    cJSON_AddNumberToObject(root, "max_step_size", worst->max_step_size);
    cJSON_AddNumberToObject(root, "noise_terms", worst->noise_terms);
    cJSON_AddBoolToObject(root, "contradicts", worst->contradicts);
    cJSON_AddStringToObject(root, "note", hsgd_worst_case_note);
    return root;
}
