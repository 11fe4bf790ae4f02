/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sandwich in rational arithmetic (THEORY 6); see the header for what it says.
 *
 * Glossary    lambda_u = copies (c_u - 1)/(n - 1)    I  smallest period    G  period of the root    r = 1 or 2  power
 */
#include "bounds/sandwich.h"

#include <stdlib.h>
#include <string.h>

#include <gmp.h>

/* out = sum_u lambda_u P_u^power over the canonical tree; 1 for a single worker, whose only period counts as 1. */
static void lambda_sum(mpq_t out, const hsgd_hierarchy *tree, unsigned power)
{
    mpq_set_ui(out, 1, 1);
    if (!tree->num_nodes)
        return;
    mpz_t sum, summand;
    mpz_inits(sum, summand, NULL);
    for (size_t u = 0; u < tree->num_nodes; u++) {
        const hsgd_node *node = &tree->node[u];
        mpz_ui_pow_ui(summand, node->period, power);
        mpz_mul_ui(summand, summand, node->copies);
        mpz_mul_ui(summand, summand, node->num_children - 1);
        mpz_add(sum, sum, summand);
    }
    mpq_set_z(out, sum);
    mpz_set_ui(mpq_denref(out), tree->num_workers - 1);
    mpq_canonicalize(out);
    mpz_clears(sum, summand, NULL);
}

static void set_power(mpq_t out, size_t period, unsigned power)
{
    mpz_t value;
    mpz_init(value);
    mpz_ui_pow_ui(value, period, power);
    mpq_set_z(out, value);
    mpz_clear(value);
}

/* mpq_get_str into memory of our own, so that free() is right whatever allocator GMP was given. */
static char *to_text(const mpq_t value)
{
    size_t digits = mpz_sizeinbase(mpq_numref(value), 10) + mpz_sizeinbase(mpq_denref(value), 10);
    char *text = malloc(digits + 3); /* sign, slash, terminator */
    if (text)
        mpq_get_str(text, 10, value);
    return text;
}

static bool decide_side(hsgd_sandwich_side *side, const hsgd_hierarchy *tree, unsigned power)
{
    mpq_t value[3];
    for (int i = 0; i < 3; i++)
        mpq_init(value[i]);
    set_power(value[0], hsgd_hierarchy_local_period(tree), power);
    lambda_sum(value[1], tree, power);
    set_power(value[2], hsgd_hierarchy_global_period(tree), power);
    int lower = mpq_cmp(value[0], value[1]), upper = mpq_cmp(value[1], value[2]);
    side->holds = lower <= 0 && upper <= 0;
    side->strict = lower < 0 && upper < 0;
    bool complete = true;
    for (int i = 0; i < 3; i++) {
        side->value[i] = mpq_get_d(value[i]);
        side->text[i] = to_text(value[i]);
        complete = complete && side->text[i];
        mpq_clear(value[i]);
    }
    return complete;
}

static bool lambdas_sum_to_one(const hsgd_hierarchy *tree)
{
    mpq_t sum;
    mpq_init(sum);
    lambda_sum(sum, tree, 0);
    bool equal = mpq_cmp_ui(sum, 1, 1) == 0;
    mpq_clear(sum);
    return equal;
}

hsgd_status hsgd_sandwich_decide(hsgd_sandwich *out, const hsgd_hierarchy *h, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    if (h->worker_weight)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the sandwich is a theorem for equal weights of the workers only");
    hsgd_hierarchy tree;
    hsgd_status status = hsgd_hierarchy_canonical(&tree, h, NULL, NULL, err);
    if (status)
        return status;
    bool complete = decide_side(&out->noise, &tree, 1) && decide_side(&out->divergence, &tree, 2);
    out->holds = complete && out->noise.holds && out->divergence.holds && lambdas_sum_to_one(&tree);
    hsgd_hierarchy_free(&tree);
    if (!complete) {
        hsgd_sandwich_free(out);
        return hsgd_fail_memory(err, "the sandwich");
    }
    return HSGD_OK;
}

void hsgd_sandwich_free(hsgd_sandwich *sandwich)
{
    if (!sandwich)
        return;
    for (int i = 0; i < 3; i++) {
        free(sandwich->noise.text[i]);
        free(sandwich->divergence.text[i]);
    }
    memset(sandwich, 0, sizeof *sandwich);
}
