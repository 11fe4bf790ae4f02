/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bounds/ when memory is short: whichever allocation fails, the caller is told, and nothing is lost. */
#include "tests/short_memory.h"

#include "bounds/certificate_round.h"
#include "bounds/list.h"
#include "bounds/pep.h"
#include "bounds/sandwich.h"
#include "bounds/user.h"
#include "bounds/worst_problem.h"

enum { STEPS = 12 };

static const size_t fanout[] = {2, 2}, periods[] = {4, 2};
static const double divergence_sq[] = {1, 0.5};

static hsgd_status with_tree(hsgd_status (*use)(const hsgd_hierarchy *h, hsgd_error *err), hsgd_error *err)
{
    hsgd_hierarchy h;
    hsgd_status status = hsgd_hierarchy_uniform(&h, fanout, periods, 2, err);
    if (status)
        return status;
    status = use(&h, err);
    hsgd_hierarchy_free(&h);
    return status;
}

/* ---- evaluation ---- */

static hsgd_status add_own(hsgd_bound_list *list, hsgd_error *err)
{
    hsgd_user_spec spec = {.id = strdup("mine"),
                           .term = calloc(1, sizeof *spec.term),
                           .num_terms = 1,
                           .valid_if = strdup("gamma <= 1/L"),
                           .max_step_size = strdup("1/L")};
    if (spec.term)
        spec.term[0] = (hsgd_user_term){strdup(hsgd_user_whole_term), strdup("2*delta/(gamma*T)")};
    if (!spec.id || !spec.valid_if || !spec.max_step_size || !spec.term || !spec.term[0].name ||
        !spec.term[0].formula) {
        hsgd_user_spec_free(&spec);
        return hsgd_fail_memory(err, "the test's bound");
    }
    const hsgd_bound *bound;
    hsgd_status status = hsgd_user_bound_alloc(&bound, &spec, err);
    return status ? status : hsgd_bound_list_add(list, bound, hsgd_user_bound_free, err);
}

static hsgd_status evaluate_list(const hsgd_bound_params *params, hsgd_error *err)
{
    hsgd_bound_list list;
    hsgd_status status = hsgd_bound_list_init(&list, err);
    if (status)
        return status;
    status = add_own(&list, err);
    for (size_t i = 0; !status && i < list.count; i++) {
        hsgd_bound_value value;
        hsgd_bound_eval(list.bound[i], params, &value);
    }
    hsgd_bound_list_free(&list);
    return status;
}

static hsgd_status evaluate_all(const hsgd_hierarchy *h, hsgd_error *err)
{
    hsgd_bound_params params;
    hsgd_status status = hsgd_bound_params_init(&params, h, divergence_sq, divergence_sq, err);
    if (status)
        return status;
    params.step_size = 0.01;
    params.steps = STEPS;
    params.smoothness = params.noise_sq = params.delta = 1;
    params.worker_deviation_max_sq = 4;
    status = hsgd_bound_params_check(&params, err);
    status = status ? status : evaluate_list(&params, err);
    hsgd_bound_params_free(&params);
    return status;
}

static hsgd_status bound_dispersion(const hsgd_hierarchy *h, hsgd_error *err)
{
    double out[STEPS * 2];
    return hsgd_dispersion_bound(out, h, divergence_sq, 0.01, 1, 1, STEPS, err);
}

static hsgd_status decide_sandwich(const hsgd_hierarchy *h, hsgd_error *err)
{
    hsgd_sandwich sandwich;
    hsgd_status status = hsgd_sandwich_decide(&sandwich, h, err);
    if (!status)
        hsgd_sandwich_free(&sandwich);
    return status;
}

static hsgd_status all_bounds(hsgd_error *err)
{
    return with_tree(evaluate_all, err);
}

static hsgd_status dispersion(hsgd_error *err)
{
    return with_tree(bound_dispersion, err);
}

static hsgd_status sandwich(hsgd_error *err)
{
    return with_tree(decide_sandwich, err);
}

static void bounds(void **state)
{
    (void)state;
    check_lifetime(all_bounds, 0);
    check_lifetime(dispersion, 0);
    check_lifetime(sandwich, 0);
}

/* ---- the worst case; the solver's allocations are among them ---- */

static hsgd_status use_result(const hsgd_pep_result *result, hsgd_error *err)
{
    hsgd_certificate certificate;
    hsgd_certificate_verdict verdict;
    hsgd_worst_problem problem;
    hsgd_status status = hsgd_certificate_from_result(&certificate, &verdict, NULL, result, err);
    if (!status)
        hsgd_certificate_free(&certificate);
    status = status ? status : hsgd_worst_problem_build(&problem, result, fanout, err);
    if (!status)
        hsgd_worst_problem_free(&problem);
    return status;
}

static hsgd_status worst_case(hsgd_error *err)
{
    const hsgd_pep_problem problem = {.num_levels = 2,
                                      .periods = {2, 1},
                                      .steps = 2,
                                      .step_size = 0.1,
                                      .smoothness = 1,
                                      .delta = 1,
                                      .level_divergence_sq = {1, 1}};
    hsgd_pep_result result;
    hsgd_status status = hsgd_pep_solve(&result, &problem, err);
    if (status)
        return status;
    status = use_result(&result, err);
    hsgd_pep_result_free(&result);
    return status;
}

static void worst_cases(void **state)
{
    (void)state;
    check_lifetime(worst_case, 9); /* three for each of three matrices: the exact way needs no factors */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bounds), cmocka_unit_test(worst_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
