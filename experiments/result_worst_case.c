/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worst case of a run next to the closed forms. */
#include <math.h>
#include <string.h>

#include "bounds/worst_case.h"
#include "experiments/result_worst_case_private.h"

static const char not_for_all[] = "exact over problems whose divergences are bounded at the averaged iterates; for "
                                  "bounds at all w it is an upper bound";

/* The bounds of the order, the smallest first. */
static const struct {
    const char *id, *key;
} chain[] = {{"hsgd-fixed-recursive", "recursive"}, {"hsgd-fixed-sharp", "sharpened"}, {"hsgd-fixed", "published"}};
enum { CHAIN_LENGTH = sizeof chain / sizeof *chain };

static const hsgd_comparison *find(const hsgd_experiment *e, const char *id)
{
    for (size_t i = 0; i < e->num_comparisons; i++)
        if (strcmp(e->comparison[i].bound->id, id) == 0)
            return &e->comparison[i];
    return NULL;
}

static const hsgd_comparison *find_worst_case(const hsgd_experiment *e)
{
    return find(e, hsgd_bound_worst_case.id);
}

/* NAN: not selected, or not applicable. */
static double applicable_value(const hsgd_comparison *c)
{
    return c && c->value.applicable ? c->value.value : NAN;
}

hsgd_verdict hsgd_result_worst_case_order(const hsgd_experiment *e)
{
    double last = applicable_value(find_worst_case(e));
    hsgd_verdict verdict = HSGD_VERDICT_NOT_APPLICABLE;
    for (size_t k = 0; k < CHAIN_LENGTH && isfinite(last); k++) {
        double next = applicable_value(find(e, chain[k].id));
        if (!isfinite(next))
            continue;
        if (last > next * (1 + HSGD_PEP_TOLERANCE))
            return HSGD_VERDICT_VIOLATED;
        verdict = HSGD_VERDICT_HOLDS;
        last = next;
    }
    return verdict;
}

/* ---- result.json ---- */

cJSON *hsgd_result_worst_case_to_json(const hsgd_experiment *e)
{
    const hsgd_comparison *c = find_worst_case(e);
    if (!c)
        return NULL;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "value", c->value.value);
    cJSON_AddBoolToObject(object, "applicable", c->value.applicable);
    cJSON_AddStringToObject(object, "reason", c->value.reason);
    cJSON_AddStringToObject(object, "constants", hsgd_constant_kind_name(c->kind));
    cJSON_AddStringToObject(object, "gap", hsgd_pep_gap_name(HSGD_PEP_DESCENT));
    cJSON_AddStringToObject(object, "criterion", hsgd_pep_criterion_name(HSGD_PEP_MEAN));
    cJSON_AddStringToObject(object, "scope", not_for_all);
    cJSON_AddNumberToObject(object, "measured_ratio", c->ratio);
    cJSON *of = cJSON_AddObjectToObject(object, "ratio_to");
    for (size_t k = 0; k < CHAIN_LENGTH; k++)
        cJSON_AddNumberToObject(of, chain[k].key, c->value.value / applicable_value(find(e, chain[k].id)));
    cJSON_AddStringToObject(object, "order", hsgd_verdict_name(hsgd_result_worst_case_order(e)));
    return object;
}

/* ---- the table ---- */

void hsgd_result_print_worst_case(const hsgd_experiment *e, FILE *out)
{
    const hsgd_comparison *c = find_worst_case(e);
    double value = applicable_value(c);
    hsgd_verdict order = hsgd_result_worst_case_order(e);
    if (!isfinite(value))
        return;
    fprintf(out, "  worst case: %s\n", not_for_all);
    for (size_t k = 0; k < CHAIN_LENGTH; k++) {
        double closed = applicable_value(find(e, chain[k].id));
        if (isfinite(closed))
            fprintf(out, "%s%.3g of %s", k ? ", " : "  worst case: it is ", value / closed, chain[k].id);
    }
    if (order != HSGD_VERDICT_NOT_APPLICABLE)
        fprintf(out, ": the order %s\n", hsgd_verdict_name(order));
}
