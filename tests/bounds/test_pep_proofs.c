/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A solver that lies does not get through (THEORY 11): whatever numbers come in, multipliers that prove nothing are seen as
 * such, and an instance that is accepted is one. The true optimum, 1.726283 for this question, is never passed. */
#include "tests/test.h"

#include "bounds/pep_private.h"

/* (4,2), T = 4 with f >= f*: all kinds of constraints at once. Already scaled: L = Delta = D_k = 1. */
static const hsgd_pep_problem question = {.num_levels = 2,
                                          .periods = {4, 2},
                                          .steps = 4,
                                          .step_size = 0.99 / 19.595917942265423,
                                          .smoothness = 1,
                                          .delta = 1,
                                          .level_divergence_sq = {1, 1},
                                          .gap = HSGD_PEP_LOWER_BOUND};
static const double optimum = 1.726283;

typedef struct fixture {
    hsgd_pep_model model;
    hsgd_pep_program program;
    hsgd_sdp sdp;
    hsgd_sdp_solution solution;
} fixture;

static void begin(fixture *f, double gap_tolerance)
{
    hsgd_error err;
    assert_ok(hsgd_pep_model_build(&f->model, &question, &err), err);
    assert_ok(hsgd_pep_program_init(&f->program, &f->model, question.steps, &err), err);
    assert_ok(hsgd_pep_program_form(&f->sdp, &f->program, 1e-8, &err), err);
    assert_ok(hsgd_sdp_solve(&f->solution, &f->sdp, gap_tolerance, &err), err);
}

static void end(fixture *f)
{
    hsgd_sdp_solution_free(&f->solution, &f->sdp);
    hsgd_sdp_free(&f->sdp);
    hsgd_pep_program_free(&f->program);
    hsgd_pep_model_free(&f->model);
}

/* Do these variables, times factor, prove something? *upper: what. */
static bool proves(double *upper, fixture *f, double factor)
{
    hsgd_error err;
    bool positive;
    double *slack[HSGD_MAX_LEVELS + 1] = {NULL}, *y = calloc(f->sdp.num_variables, sizeof *y);
    for (size_t i = 0; i < f->sdp.num_variables; i++)
        y[i] = factor * f->solution.y[i];
    assert_ok(hsgd_pep_program_multipliers(&f->program, y, &err), err);
    assert_ok(hsgd_pep_slack(slack, &positive, &f->program, &err), err);
    *upper = hsgd_pep_upper_value(&f->program);
    for (size_t k = 0; k <= question.num_levels; k++)
        free(slack[k]);
    free(y);
    return positive;
}

static void multipliers_that_are_too_small_prove_nothing(void **state)
{
    (void)state;
    fixture f;
    double upper;
    begin(&f, 1e-7);
    assert_true(proves(&upper, &f, 1));
    assert_close(upper, optimum, 1e-6);
    assert_false(proves(&upper, &f, 0.999));
    assert_false(proves(&upper, &f, 0));
    assert_true(upper == 0);
    assert_true(proves(&upper, &f, 1.5)); /* more than enough, and a larger value */
    assert_close(upper, 1.5 * optimum, 1e-6);
    end(&f);
}

static double net_flow(const hsgd_pep_program *program, size_t a)
{
    double sum = 0;
    for (size_t c = 0; c < program->num_constraints; c++) {
        const hsgd_pep_multiplier *m = &program->constraint[c];
        assert_true(m->value >= 0);
        if (m->kind == HSGD_PEP_INTERPOLATION || m->kind == HSGD_PEP_INITIAL_GAP)
            sum +=
                (m->kind == HSGD_PEP_INTERPOLATION && m->second == a ? m->value : 0) - (m->first == a ? m->value : 0);
    }
    return sum;
}

/* Any numbers, negative ones too, become multipliers that are a flow. */
static void any_numbers_become_a_flow(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    begin(&f, 1e-2);
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < f.sdp.num_variables; i++)
            f.solution.y[i] = sin((double)(i * i + 7 * i) + round);
        assert_ok(hsgd_pep_program_multipliers(&f.program, f.solution.y, &err), err);
        for (size_t a = 1; a < f.model.num_points; a++)
            assert_near(net_flow(&f.program, a), 0, 1e-12);
    }
    end(&f);
}

static double *copy_of(const double *x, size_t count, double factor)
{
    double *out = malloc(count * sizeof *out);
    for (size_t i = 0; i < count; i++)
        out[i] = factor * x[i];
    return out;
}

typedef void spoil(double *gram, size_t size);

static void leave(double *gram, size_t size)
{
    (void)gram, (void)size;
}
static void enlarge(double *gram, size_t size)
{
    for (size_t i = 0; i < size * size; i++)
        gram[i] *= 9;
}
static void make_indefinite(double *gram, size_t size)
{
    for (size_t i = 0; i < size; i++)
        gram[i * size + i] -= 0.05;
}
static void make_identity(double *gram, size_t size)
{
    for (size_t i = 0; i < size * size; i++)
        gram[i] = i % (size + 1) == 0 ? 40 : 0;
}

/* The lower value after spoiling; a rough solution serves as the interior point, or none. */
static double repaired(fixture *f, spoil *spoil_it, bool with_interior)
{
    hsgd_error err;
    double *gram[HSGD_MAX_LEVELS + 1] = {NULL}, values[64], lower;
    assert_true(f->model.num_points <= 64);
    for (size_t k = 0; k <= question.num_levels; k++) {
        size_t size = f->model.num_coordinates[k];
        gram[k] = copy_of(f->solution.block[k], size * size, 1);
        spoil_it(gram[k], size);
    }
    fixture rough;
    begin(&rough, 1e-3);
    assert_ok(hsgd_pep_repair(&lower, gram, values, &f->model, with_interior ? rough.solution.block : NULL, &err), err);
    end(&rough);
    for (size_t k = 0; k <= question.num_levels; k++)
        free(gram[k]);
    return lower;
}

static void false_instances_become_true_ones_or_nothing(void **state)
{
    (void)state;
    fixture f;
    begin(&f, 1e-7);
    assert_close(repaired(&f, leave, true), optimum, 1e-5);
    assert_close(repaired(&f, enlarge, true), optimum, HSGD_PEP_TOLERANCE); /* scaled down again */
    double cut = repaired(&f, make_indefinite, true), other = repaired(&f, make_identity, true);
    assert_true(cut > 0 && cut <= optimum);
    assert_true(other >= 0 && other <= optimum);
    assert_true(repaired(&f, make_identity, false) == 0);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multipliers_that_are_too_small_prove_nothing),
        cmocka_unit_test(any_numbers_become_a_flow),
        cmocka_unit_test(false_instances_become_true_ones_or_nothing),
    };
    return cmocka_run_group_tests_name("pep, proofs", tests, NULL, NULL);
}
