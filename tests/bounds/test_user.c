/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounds that users write: what their names stand for, by hand; the published, sharpened and other formulas written by hand
 * against the built-in ones on many trees; and that nothing unknown, infinite or undefined passes silently. */
#include "tests/bounds/cases.h"

#include "bounds/list.h"
#include "bounds/user.h"
#include "bounds/variables.h"

static hsgd_error err;

/* A bound of one formula, on S of H-SGD. */
static const hsgd_bound *make(const char *formula, const char *valid_if, const char *max_step_size)
{
    const hsgd_bound *bound;
    hsgd_user_spec spec = {.id = strdup("mine"),
                           .num_terms = 1,
                           .term = calloc(1, sizeof *spec.term),
                           .valid_if = valid_if ? strdup(valid_if) : NULL,
                           .max_step_size = max_step_size ? strdup(max_step_size) : NULL};
    spec.term[0] = (hsgd_user_term){strdup(hsgd_user_whole_term), strdup(formula)};
    assert_ok(hsgd_user_bound_alloc(&bound, &spec, &err), err);
    return bound;
}

static hsgd_bound_value evaluate_all(const char *formula, const char *valid_if, const char *max_step_size,
                                     const hsgd_bound_params *p)
{
    hsgd_bound_value value;
    const hsgd_bound *bound = make(formula, valid_if, max_step_size);
    memset(&value, 0x5a, sizeof value);
    hsgd_bound_eval(bound, p, &value);
    hsgd_user_bound_free(bound);
    return value;
}

static hsgd_bound_value evaluate_formula(const char *formula, const hsgd_bound_params *p)
{
    return evaluate_all(formula, NULL, NULL, p);
}

static void check_value(const char *formula, const hsgd_bound_params *p, double value)
{
    hsgd_bound_value got = evaluate_formula(formula, p);
    if (!got.applicable || !(fabs(got.value - value) <= 1e-13 * fmax(1, fabs(value))))
        fail_msg("%s = %.17g (%s), expected %.17g", formula, got.value, got.reason, value);
}

static void check_reason(const char *formula, const hsgd_bound_params *p, const char *reason)
{
    hsgd_bound_value got = evaluate_formula(formula, p);
    assert_true(!got.applicable && isnan(got.value) && got.num_terms == 0);
    if (strcmp(got.reason, reason) != 0)
        fail_msg("%s: reason \"%s\", expected \"%s\"", formula, got.reason, reason);
}

/* ---- the list ---- */

static int released;

static void count_release(const hsgd_bound *bound)
{
    (void)bound;
    released++;
}

/* The built-in bounds first; an id stands once; what was added is released once, also where it was refused. */
static void list_owns_what_is_added(void **state)
{
    (void)state;
    hsgd_bound_list list;
    const hsgd_bound other = {.id = "other"}, twice = {.id = "other"}, taken = {.id = "hsgd-fixed"},
                     lent = {.id = "lent"};
    assert_ok(hsgd_bound_list_init(&list, &err), err);
    assert_int_equal(list.count, hsgd_num_bounds);
    assert_ptr_equal(hsgd_bound_list_find(&list, "hsgd-fixed"), hsgd_bound_find("hsgd-fixed"));
    assert_null(hsgd_bound_list_find(&list, "other"));
    assert_ok(hsgd_bound_list_add(&list, &other, count_release, &err), err);
    assert_ok(hsgd_bound_list_add(&list, &lent, NULL, &err), err);
    assert_int_equal(released, 0);
    assert_fails(hsgd_bound_list_add(&list, &twice, count_release, &err), HSGD_ERROR_INPUT, "\"other\"", err);
    assert_fails(hsgd_bound_list_add(&list, &taken, count_release, &err), HSGD_ERROR_INPUT, "\"hsgd-fixed\"", err);
    assert_int_equal(released, 2);
    assert_int_equal(list.count, hsgd_num_bounds + 2);
    assert_ptr_equal(hsgd_bound_list_find(&list, "other"), &other);
    hsgd_bound_list_free(&list);
    assert_int_equal(released, 3);
    hsgd_bound_list_free(&list);
    assert_int_equal(released, 3);
}

/* ---- what the names stand for ---- */

/* 3 groups of 4 workers, periods 12 and 4. */
static void two_levels(hsgd_bound_params *p)
{
    uniform_params(p, (const size_t[]){3, 4}, (const size_t[]){12, 4}, 2, (const double[]){0.9, 0.4});
    set_scalars(p, 0.003, 240, 1.7, 0.64, 2.385);
}

static void names_in_a_uniform_tree(void **state)
{
    (void)state;
    hsgd_bound_params p;
    two_levels(&p);
    check_value("n + 100*N + 10000*G + 1000000*I", &p, 12 + 300 + 120000 + 4000000);
    check_value("M + 10*T", &p, 2 + 2400);
    check_value("gamma", &p, 0.003);
    check_value("delta", &p, 2.385);
    check_value("L + 10*sigma_sq", &p, 1.7 + 6.4);
    check_value("eps_sq", &p, 1.3);
    check_value("C", &p, 40 * 1.7 * 1.7 / 3);
    check_value("p_sq", &p, 1.0 / 12);
    check_value("participants", &p, 12);
    check_value("P1 + 100*P2", &p, 12 + 400);
    check_value("N1 + 100*N2 + 10000*n1 + 1000000*n2", &p, 3 + 400 + 30000 + 12000000);
    check_value("D1 + 100*D2", &p, 0.9 + 40);
    check_value("K1", &p, 2.0 / 12); /* (c_u - 1)/|u| of the root, and of a group */
    check_value("K2", &p, 3.0 / 4);
    check_value("PK1 + 100*PK2", &p, 12 * 2.0 / 12 + 100 * 4 * 3.0 / 4);
    check_value("PPD1 + 1000*PPD2", &p, 144 * 0.9 + 1000 * 16 * 0.4);
    hsgd_bound_params_free(&p);
}

/* Groups of 2 and 3 workers with periods 5 and 4 (THEORY 2 and 4.3 by hand). */
static void names_in_a_tree_of_unequal_groups(void **state)
{
    (void)state;
    hsgd_bound_params p;
    hsgd_hierarchy h;
    const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 20, 0}, {0, 5, 2}, {0, 4, 3}};
    const double divergence_sq[] = {0.9, 0.4, 0.7}, deviation_sq[] = {1.9, 1.1, 2.3};
    assert_ok(hsgd_hierarchy_tree(&h, spec, 3, &err), err);
    assert_ok(hsgd_bound_params_init(&p, &h, divergence_sq, deviation_sq, &err), err);
    set_scalars(&p, 0.003, 240, 1.7, 0.64, 2.385);
    check_value("n + 10*N + 100*G + 10000*I", &p, 5 + 20 + 2000 + 40000);
    check_value("D1", &p, 0.9);
    check_value("D2", &p, 0.4 * 0.4 + 0.6 * 0.7);
    check_value("K1", &p, 1.0 / 5);
    check_value("K2", &p, 0.4 / 2 + 0.6 * 2 / 3);
    check_value("PK2", &p, 5 * 0.4 / 2 + 4 * 0.6 * 2 / 3);
    check_value("PPD2", &p, 25 * 0.4 * 0.4 + 16 * 0.6 * 0.7);
    check_value("Dmax1 + 10*Dmax2", &p, 1.9 + 23);
    check_value("P1 + N1 + n1", &p, 20 + 2 + 2);
    check_reason("P2 + 1", &p, "P2 is needed and not known: nodes of this level, or above it, differ");
    check_reason("1 + N2", &p, "N2 is needed and not known: nodes of this level, or above it, differ");
    check_reason("1 + n2", &p, "n2 is needed and not known: nodes of this level, or above it, differ");
    p.worker_deviation_max_sq = 3.3;
    check_value("eps_max_sq", &p, 3.3);
    hsgd_bound_params_free(&p);
    hsgd_hierarchy_free(&h);
}

/* A worker beside a group: all inner nodes of level 2 have two children, but there are not 2 x 2 workers. */
static void a_worker_beside_groups_makes_a_tree_uneven(void **state)
{
    (void)state;
    hsgd_bound_params p;
    hsgd_hierarchy h;
    const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 20, 0}, {0, 5, 2}, {0, 5, 1}};
    assert_ok(hsgd_hierarchy_tree(&h, spec, 3, &err), err);
    assert_ok(hsgd_bound_params_init(&p, &h, NULL, NULL, &err), err);
    set_scalars(&p, 0.003, 240, 1.7, 0.64, 2.385);
    check_value("n + 10*N1 + 100*P2", &p, 3 + 20 + 500);
    check_reason("n2", &p, "n2 is needed and not known: nodes of this level, or above it, differ");
    hsgd_bound_params_free(&p);
    hsgd_hierarchy_free(&h);
}

/* Fanout 2 x 1 x 3 with periods 6, 6, 6 is local SGD of 6 workers with period 6. */
static void names_are_about_the_canonical_tree(void **state)
{
    (void)state;
    hsgd_bound_params p;
    uniform_params(&p, (const size_t[]){2, 1, 3}, (const size_t[]){6, 6, 6}, 3, (const double[]){0.9, 0, 0.4});
    set_scalars(&p, 0.003, 240, 1.7, 0.64, 2.385);
    check_value("M + 10*N + 100*N1 + 10000*n1", &p, 1 + 60 + 600 + 60000);
    check_value("D1 + K1", &p, 1.3 + 5.0 / 6);
    check_value("1 + D2 + K2 + PK3 + PPD3", &p, 1); /* sums over no nodes */
    check_reason("P2", &p, "P2 is needed and not known: the canonical tree has 1 level");
    check_reason("N3", &p, "N3 is needed and not known: the canonical tree has 1 level");
    hsgd_bound_params_free(&p);
    uniform_params(&p, (const size_t[]){1}, (const size_t[]){3}, 1, NULL); /* a single worker */
    set_scalars(&p, 0.003, 240, 1.7, 0.64, 2.385);
    check_value("n + 10*N + 100*G + 1000*I + M", &p, 1 + 10 + 100 + 1000);
    check_value("p_sq + D1 + K1", &p, 1);
    hsgd_bound_params_free(&p);
}

/* ---- what is not known, and what is not a number ---- */

static void what_is_not_known_is_named(void **state)
{
    (void)state;
    hsgd_bound_params p;
    two_levels(&p);
    free(p.divergence_sq);
    p.divergence_sq = NULL;
    p.global_divergence_sq = NAN;
    check_reason("D1", &p, "D1 is needed and not known: level_divergence_sq is not known");
    check_reason("min(1, D2)", &p, "D2 is needed and not known: level_divergence_sq is not known");
    check_reason("0*eps_sq", &p, "eps_sq is needed and not known: there is no bound on the global divergence");
    check_reason("1 ? 2 : eps_sq", &p, "eps_sq is needed and not known: there is no bound on the global divergence");
    check_reason("Dmax1", &p, "Dmax1 is needed and not known: the largest single deviations were not measured");
    check_reason("eps_max_sq", &p,
                 "eps_max_sq is needed and not known: the largest single deviations were not measured");
    check_value("K1 + L", &p, 2.0 / 12 + 1.7); /* what is known is */
    p.delta = INFINITY;
    check_reason("delta", &p, "delta is needed and not known: f is not bounded below");
    hsgd_bound_value v = evaluate_all("1", "delta > 0", NULL, &p);
    assert_false(v.applicable);
    v = evaluate_all("1", NULL, "1/delta", &p);
    assert_false(v.applicable);
    hsgd_bound_params_free(&p);
}

static void values_that_are_no_numbers_are_refused(void **state)
{
    (void)state;
    hsgd_bound_params p;
    two_levels(&p);
    check_reason("1/(n - 12)", &p, "its value is infinite with these numbers");
    check_reason("-1/(n - 12)", &p, "its value is infinite with these numbers");
    check_reason("sqrt(-D1)", &p, "its value is not a number with these numbers");
    check_reason("(n - 12)/(n - 12)", &p, "its value is not a number with these numbers");
    check_reason("exp(1e6*D1)", &p, "its value is infinite with these numbers");
    hsgd_bound_value v = evaluate_all("1", "ln(-1)", NULL, &p);
    assert_false(v.applicable);
    assert_string_equal(v.reason, "valid_if is not a number with these numbers");
    v = evaluate_all("1", NULL, "ln(-1)", &p);
    assert_false(v.applicable);
    v = evaluate_all("1", NULL, "-1", &p);
    assert_string_equal(v.reason, "max_step_size is -1 with these numbers");
    hsgd_bound_params_free(&p);
}

/* ---- conditions ---- */

static void conditions_decide_where_it_is_claimed(void **state)
{
    (void)state;
    hsgd_bound_params p;
    two_levels(&p);
    hsgd_bound_value v = evaluate_all("7", "gamma*L*G <= 0.1", NULL, &p); /* 0.0612 */
    assert_true(v.applicable && v.value == 7 && isnan(v.max_step_size));
    v = evaluate_all("7", "gamma*L*G <= 0.06", NULL, &p);
    assert_true(!v.applicable && isnan(v.value) && isnan(v.max_step_size));
    assert_string_equal(v.reason, "its condition fails: gamma*L*G <= 0.06");
    v = evaluate_all("7", "gamma <= 0.1/(L*G)", NULL, &p);
    assert_true(v.applicable);
    assert_close(v.max_step_size, 0.1 / (1.7 * 12), 1e-15);
    v = evaluate_all("7", " gamma<0.01/(L*G)", "1/L", &p); /* the smaller of both */
    assert_false(v.applicable);
    assert_close(v.max_step_size, 0.01 / (1.7 * 12), 1e-15);
    v = evaluate_all("7", "gamma < 1/L", "0.1/(L*G)", &p);
    assert_true(v.applicable);
    assert_close(v.max_step_size, 0.1 / (1.7 * 12), 1e-15);
    static const char *const others[] = {"gamma < 1/L && n > 1", "gamma < 1 - gamma", "gamma < n > 0", "gamma > 0",
                                         "gamma < (n > 1)",      "gamma*L < 1"}; /* not plain */
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        v = evaluate_all("7", others[i], NULL, &p);
        assert_true(v.applicable && isnan(v.max_step_size));
    }
    v = evaluate_all("7", "n > 11", NULL, &p); /* says nothing of the step size */
    assert_true(v.applicable && isinf(v.max_step_size));
    v = evaluate_all("7", NULL, NULL, &p);
    assert_true(v.applicable && isinf(v.max_step_size));
    v = evaluate_all("7", NULL, "0.1/(L*G)", &p);
    assert_true(v.applicable);
    assert_close(v.max_step_size, 0.1 / (1.7 * 12), 1e-15);
    v = evaluate_all("7", NULL, "0.05/(L*G)", &p);
    assert_false(v.applicable);
    assert_close(v.max_step_size, 0.05 / (1.7 * 12), 1e-15);
    assert_string_equal(v.reason, "step size 0.003 is above 0.00245098 = max_step_size");
    p.smoothness = 0;
    v = evaluate_all("7", NULL, "0.05/(L*G)", &p);
    assert_true(v.applicable && isinf(v.max_step_size));
    hsgd_bound_params_free(&p);
}

/* A formula that speaks of the participants covers fewer of them than workers; others do not. */
static void participants(void **state)
{
    (void)state;
    hsgd_bound_params p;
    two_levels(&p);
    p.participants = 5;
    check_value("sigma_sq/participants", &p, 0.64 / 5);
    check_reason("sigma_sq/n", &p, "only 5 of 12 workers take part in a round");
    const hsgd_bound *plain = make("D1", NULL, NULL), *maximal = make("1", "Dmax2 < 1", NULL);
    assert_true(!plain->needs_maxima && !plain->covers_sampling && maximal->needs_maxima);
    hsgd_user_bound_free(plain);
    hsgd_user_bound_free(maximal);
    hsgd_bound_params_free(&p);
}

/* ---- the same formulas, written by a user ---- */

enum { SIZE = 3000 };

static void add(char *text, const char *format, ...) HSGD_PRINTF(2, 3);
static void add(char *text, const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, SIZE - length, format, arguments);
    va_end(arguments);
}

/* THEORY 4.1 for any tree; random: for uniform trees with E beta_u^2 by THEORY 5, and (N_k - 1) n_k/(N_k n) for K_k. */
static void published(char *text, bool random, size_t levels)
{
    snprintf(text, SIZE, "2*delta/(gamma*T) + gamma*L*sigma_sq/n");
    for (size_t k = 1; k <= levels; k++)
        if (random)
            add(text, " + C*gamma^2*(N%zu - 1)*n%zu/N%zu*(2*P%zu*sigma_sq/n + 3*P%zu^2*eps_sq/(n - 1))", k, k, k, k, k);
        else
            add(text, " + 2*C*gamma^2*PK%zu*sigma_sq + 3*C*gamma^2*PPD%zu", k, k);
}

/* THEORY 4.2 for one period per level. */
static void sharpened(char *text, size_t levels)
{
    char factor[SIZE] = "1";
    snprintf(text, SIZE, "2*delta/(gamma*T) + gamma*L*sigma_sq*p_sq");
    for (size_t k = 1; k <= levels; k++) {
        add(factor, "/(1 - 2*(gamma*L)^2*P%zu*(P%zu - 1))", k, k);
        add(text, " + (gamma*L)^2*%s*(P%zu - 1)*(K%zu*sigma_sq + 2/3*(2*P%zu - 1)*D%zu)", factor, k, k, k, k);
    }
}

static void compare(const char *formula, const char *id, const hsgd_bound_params *p)
{
    hsgd_bound_value want = evaluate(id, p), got = evaluate_formula(formula, p);
    assert_true(want.applicable);
    if (!got.applicable)
        fail_msg("%s: %s", formula, got.reason);
    assert_close(got.value, want.value, 1e-12);
}

static void published_formula_agrees_on_any_tree(void **state)
{
    (void)state;
    gsl_rng *rng = test_rng(71);
    char text[SIZE];
    published(text, false, 4);
    for (int i = 0; i < 200; i++) {
        hsgd_bound_params p;
        random_params(&p, rng, 0.9);
        compare(text, "hsgd-fixed", &p);
        compare("2*delta/(gamma*T) + gamma*L*sigma_sq*p_sq + C*gamma^2*(2*I*(n - 1)/n*sigma_sq + 3*I^2*eps_sq*(n > 1))",
                "local-sgd-inner", &p);
        compare("2*delta/(gamma*T) + gamma*L*sigma_sq*p_sq + C*gamma^2*(2*G*(n - 1)/n*sigma_sq + 3*G^2*eps_sq*(n > 1))",
                "local-sgd-outer", &p);
        hsgd_bound_params_free(&p);
    }
    gsl_rng_free(rng);
}

/* Uniform trees of one to four levels, some of which merge. */
static void sharpened_and_random_formulas_agree_on_uniform_trees(void **state)
{
    (void)state;
    gsl_rng *rng = test_rng(72);
    for (int i = 0; i < 100; i++) {
        hsgd_bound_params p;
        size_t levels = 1 + gsl_rng_uniform_int(rng, 4), fanout[4], periods[4], above = 24;
        double divergence_sq[4];
        for (size_t k = 0; k < levels; k++) {
            fanout[k] = 2 + gsl_rng_uniform_int(rng, 3);
            above = periods[k] = random_divisor(rng, above);
            divergence_sq[k] = uniform_between(rng, 0, 2);
        }
        uniform_params(&p, fanout, periods, levels, divergence_sq);
        double smoothness = uniform_between(rng, 0.2, 3);
        set_scalars(&p, 0.9 * hsgd_published_max_step_size(smoothness, periods[0]), 100, smoothness,
                    uniform_between(rng, 0, 2), uniform_between(rng, 0, 5));
        char text[SIZE];
        sharpened(text, p.tree.num_levels);
        compare(text, "hsgd-fixed-sharp", &p);
        published(text, true, p.tree.num_levels);
        compare(text, "hsgd-random", &p);
        hsgd_bound_params_free(&p);
    }
    gsl_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_owns_what_is_added),
        cmocka_unit_test(names_in_a_uniform_tree),
        cmocka_unit_test(names_in_a_tree_of_unequal_groups),
        cmocka_unit_test(a_worker_beside_groups_makes_a_tree_uneven),
        cmocka_unit_test(names_are_about_the_canonical_tree),
        cmocka_unit_test(what_is_not_known_is_named),
        cmocka_unit_test(values_that_are_no_numbers_are_refused),
        cmocka_unit_test(conditions_decide_where_it_is_claimed),
        cmocka_unit_test(participants),
        cmocka_unit_test(published_formula_agrees_on_any_tree),
        cmocka_unit_test(sharpened_and_random_formulas_agree_on_uniform_trees),
    };
    return cmocka_run_group_tests_name("user", tests, NULL, NULL);
}
