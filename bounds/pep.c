/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worst case: solve, look for violated interpolation inequalities, add them, solve again, until both proofs agree. */
#include "bounds/pep_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The objective is raised by this times the trace, in scaled units, so that the slack matrices keep a margin that
 * survives rounding. It costs about this times the trace of the worst Gram matrix. */
static const double shift = 4 * HSGD_PEP_MARGIN;

/* Programs are solved to this relative gap, far below HSGD_PEP_TOLERANCE. Where the proofs do not agree the solver went too far,
 * beyond what its matrices allow, and the next is tried. */
static const double gap_tolerance[] = {1e-8, 1e-7, 1e-6};
enum { NUM_TOLERANCES = sizeof gap_tolerance / sizeof *gap_tolerance };

/* Work is over when the proofs agree to this, or when nothing is violated by more. */
static const double gap_wanted = 2e-6;
static const double violation_allowed = 1e-9;

/* A rough solution is enough to find missing pairs, and it lies well inside of all inequalities, which helps later. */
static const double rough_gap_tolerance = 1e-4;

/* Below these, the matrices have eigenvalues of so different size that the solver may fail: for hints only. */
static const double small_step = 1e-2, small_divergence = 1e-3;

/* Idle pairs are dropped in the first rounds only, or they might come and go forever. */
enum { MAX_ROUNDS = 40, MAX_ROUGH_ROUNDS = 20, MAX_DROPPING_ROUNDS = 3 };

/* A pair that the last solution violates, and by how much. */
typedef struct violation {
    size_t a, b;
    double amount;
} violation;

typedef struct search {
    hsgd_pep_result *result; /* its model, Gram matrices and function values are scaled until the end; borrowed */
    hsgd_pep_program program;
    double *value;        /* (K, K) interpolation values of the last solution; owned */
    violation *violation; /* (K, K); owned */
    size_t num_violations;
    bool rough; /* pairs are still missing */
    double *
        interior[HSGD_MAX_LEVELS + 1]; /* Gram matrices of a rough solution without violations; owned. NULL: none yet */
    size_t tolerance;                  /* index in gap_tolerance */
    bool positive;                     /* the slack matrices are positive definite */
} search;

/* ---- scaling ---- */

static double largest_square(const hsgd_pep_problem *problem)
{
    double most = problem->smoothness * problem->delta;
    for (size_t k = 0; k < problem->num_levels; k++)
        most = fmax(most, problem->level_divergence_sq[k]);
    return most;
}

static hsgd_pep_problem scaled(const hsgd_pep_problem *problem, double square)
{
    hsgd_pep_problem result = *problem;
    result.smoothness = 1;
    result.step_size = problem->step_size * problem->smoothness;
    result.delta = problem->smoothness * problem->delta / square;
    for (size_t k = 0; k < problem->num_levels; k++)
        result.level_divergence_sq[k] = problem->level_divergence_sq[k] / square;
    return result;
}

/* The result in the units of the problem: squares of gradients times `square`, values of functions times square/L. */
static void unscale(hsgd_pep_result *result, const hsgd_pep_problem *problem, double square)
{
    const hsgd_pep_model *model = &result->model;
    for (size_t k = 0; k <= problem->num_levels; k++)
        for (size_t i = 0; i < model->num_coordinates[k] * model->num_coordinates[k]; i++)
            result->gram[k][i] *= square;
    for (size_t a = 0; a < model->num_points; a++)
        result->function_value[a] *= square / problem->smoothness;
    for (size_t i = 0; i < result->num_multipliers; i++) {
        hsgd_pep_kind kind = result->multiplier[i].kind;
        if (kind == HSGD_PEP_INTERPOLATION || kind == HSGD_PEP_INITIAL_GAP)
            result->multiplier[i].value *= problem->smoothness;
    }
    result->lower *= square;
    result->upper *= square;
    result->model.problem = *problem;
}

/* ---- one round ---- */

/* Blocks of the solution that are there, in the places of their levels. */
static hsgd_status take_gram(search *s, const hsgd_sdp_solution *solution, hsgd_error *err)
{
    const hsgd_pep_model *model = &s->result->model;
    size_t block = 0;
    for (size_t k = 0; k <= model->problem.num_levels; k++) {
        size_t all = model->num_coordinates[k] * model->num_coordinates[k];
        if (!all)
            continue;
        free(s->result->gram[k]);
        s->result->gram[k] = malloc(all * sizeof *s->result->gram[k]);
        if (!s->result->gram[k])
            return hsgd_fail_memory(err, "a Gram matrix");
        memcpy(s->result->gram[k], solution->block[block++], all * sizeof *s->result->gram[k]);
    }
    return HSGD_OK;
}

/* Function values of the solution: along the tree, F_parent - F_b = Q + the slack of the tree's pair. */
static void take_function_values(search *s, const hsgd_sdp_solution *solution)
{
    size_t points = s->result->model.num_points;
    double *f = s->result->function_value;
    const double *slack = solution->row + hsgd_pep_program_variables(&s->program);
    f[0] = 0;
    for (size_t b = 1; b < points; b++) {
        size_t a = s->program.parent[b];
        f[b] = f[a] - s->value[a * points + b] - slack[b - 1];
    }
}

static int compare_violations(const void *a, const void *b)
{
    double x = ((const violation *)a)->amount, y = ((const violation *)b)->amount;
    return (x < y) - (x > y);
}

static void find_violations(search *s)
{
    size_t points = s->result->model.num_points;
    const double *f = s->result->function_value;
    s->num_violations = 0;
    for (size_t a = 0; a < points; a++)
        for (size_t b = 0; b < points; b++) {
            double amount = s->value[a * points + b] - f[a] + f[b];
            if (a != b && !s->program.in_use[a * points + b] && amount > violation_allowed)
                s->violation[s->num_violations++] = (violation){a, b, amount};
        }
    qsort(s->violation, s->num_violations, sizeof *s->violation, compare_violations);
}

/* The worst of them, not all: most vanish with these. */
static hsgd_status add_violated(search *s, hsgd_error *err)
{
    size_t most = 2 * s->result->model.num_points;
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; !status && i < s->num_violations && i < most; i++)
        status = hsgd_pep_program_add_pair(&s->program, s->violation[i].a, s->violation[i].b, err);
    return status;
}

static hsgd_status prove_upper(search *s, const double *y, hsgd_error *err)
{
    hsgd_pep_result *result = s->result;
    for (size_t k = 0; k <= HSGD_MAX_LEVELS; k++) {
        free(result->slack[k]);
        result->slack[k] = NULL;
    }
    hsgd_status status = hsgd_pep_program_multipliers(&s->program, y, err);
    result->upper = hsgd_pep_upper_value(&s->program);
    return status ? status : hsgd_pep_slack(result->slack, &s->positive, &s->program, err);
}

/* A rough solution is not worth proofs. */
static void look_over_rough(search *s, const hsgd_sdp_solution *solution)
{
    if (s->num_violations == 0) {
        memcpy(s->interior, s->result->gram, sizeof s->interior);
        memset(s->result->gram, 0, sizeof s->result->gram);
        s->rough = false;
    } else if (s->result->rounds <= MAX_DROPPING_ROUNDS) {
        hsgd_pep_program_drop_idle(&s->program, solution->y, solution->row);
    }
}

static hsgd_status prove(search *s, const hsgd_sdp_solution *solution, hsgd_error *err)
{
    hsgd_pep_result *r = s->result;
    hsgd_status status = prove_upper(s, solution->y, err);
    return status ? status
                  : hsgd_pep_repair(&r->lower, r->gram, r->function_value, &r->model,
                                    s->interior[0] ? s->interior : NULL, err);
}

static bool all_finite(const double *value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(value[i]))
            return false;
    return true;
}

static hsgd_status check_finite(const search *s, const hsgd_sdp_solution *solution, hsgd_error *err)
{
    const hsgd_pep_model *model = &s->result->model;
    bool finite = all_finite(solution->y, hsgd_pep_program_variables(&s->program));
    for (size_t k = 0; k <= model->problem.num_levels; k++)
        finite = finite && all_finite(s->result->gram[k], model->num_coordinates[k] * model->num_coordinates[k]);
    return finite ? HSGD_OK
                  : hsgd_fail(err, HSGD_ERROR_NUMERIC,
                              "no certified worst case: the semidefinite solver returned numbers that are not finite");
}

static hsgd_status look_at(search *s, const hsgd_sdp_solution *solution, hsgd_error *err)
{
    hsgd_status status = take_gram(s, solution, err);
    status = status ? status : check_finite(s, solution, err);
    status = status ? status : hsgd_pep_interpolation_values(s->value, &s->result->model, s->result->gram, err);
    if (status)
        return status;
    take_function_values(s, solution);
    find_violations(s);
    if (!s->rough)
        return prove(s, solution, err);
    look_over_rough(s, solution);
    return HSGD_OK;
}

static hsgd_status solve_round(search *s, hsgd_error *err)
{
    hsgd_sdp sdp;
    hsgd_sdp_solution solution = {0};
    hsgd_status status = hsgd_pep_program_form(&sdp, &s->program, shift, err);
    s->result->num_constraints = s->program.num_constraints;
    s->result->rounds++;
    status = status
                 ? status
                 : hsgd_sdp_solve(&solution, &sdp, s->rough ? rough_gap_tolerance : gap_tolerance[s->tolerance], err);
    status = status ? status : look_at(s, &solution, err);
    hsgd_sdp_solution_free(&solution, &sdp);
    hsgd_sdp_free(&sdp);
    return status;
}

/* ---- the search ---- */

static bool agrees(const search *s, double tolerance)
{
    const hsgd_pep_result *r = s->result;
    return s->positive && r->upper > 0 && r->upper - r->lower <= tolerance * r->upper;
}

/* Is the search over? Rough rounds never end it. */
static bool is_over(search *s)
{
    if (agrees(s, gap_wanted))
        return true;
    if (s->num_violations > 0)
        return false;
    return agrees(s, HSGD_PEP_TOLERANCE) || ++s->tolerance == NUM_TOLERANCES;
}

static hsgd_status search_rounds(search *s, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    bool over = false;
    s->rough = true;
    while (!status && !over && s->result->rounds < MAX_ROUNDS) {
        bool rough = s->rough = s->rough && s->result->rounds < MAX_ROUGH_ROUNDS;
        status = solve_round(s, err);
        over = !status && !rough && is_over(s);
        if (!status && !over)
            status = add_violated(s, err);
    }
    return status;
}

static hsgd_status start(search *s, const hsgd_pep_problem *problem, hsgd_error *err)
{
    hsgd_status status = hsgd_pep_model_build(&s->result->model, problem, err);
    size_t points = s->result->model.num_points;
    if (status)
        return status;
    s->value = calloc(points * points, sizeof *s->value);
    s->violation = calloc(points * points, sizeof *s->violation);
    s->result->function_value = calloc(points, sizeof *s->result->function_value);
    if (!s->value || !s->violation || !s->result->function_value)
        return hsgd_fail_memory(err, "the worst case");
    return hsgd_pep_program_init(&s->program, &s->result->model, 1, err);
}

/* What the search found, as the caller sees it. */
static hsgd_status finish(hsgd_pep_result *out, const hsgd_pep_program *program, hsgd_error *err)
{
    const hsgd_pep_problem *problem = &program->model->problem;
    bool mean = problem->criterion == HSGD_PEP_MEAN;
    out->multiplier = calloc(program->num_constraints + problem->steps, sizeof *out->multiplier);
    if (!out->multiplier)
        return hsgd_fail_memory(err, "the multipliers");
    for (size_t c = 0; c < program->num_constraints; c++)
        if (program->constraint[c].value > 0)
            out->multiplier[out->num_multipliers++] = program->constraint[c];
    for (size_t t = 0; mean && t < problem->steps; t++)
        out->multiplier[out->num_multipliers++] = (hsgd_pep_multiplier){
            HSGD_PEP_CRITERION,        hsgd_pep_point_at(program->model, t, 0), HSGD_PEP_NONE, 0, t,
            1 / (double)problem->steps};
    out->num_pairs = program->model->num_points * (program->model->num_points - 1);
    return HSGD_OK;
}

/* Sums of the gap multipliers and of the divergence multipliers of each level. */
static void sum_coefficients(hsgd_pep_result *out)
{
    for (size_t i = 0; i < out->num_multipliers; i++) {
        const hsgd_pep_multiplier *m = &out->multiplier[i];
        if (m->kind == HSGD_PEP_INITIAL_GAP)
            out->delta_coefficient += m->value;
        if (m->kind == HSGD_PEP_DIVERGENCE)
            out->divergence_coefficient[m->level - 1] += m->value;
    }
    out->value = out->upper;
}

/* Two proofs that do not agree are no answer. The usual reasons are numbers of very different size. */
static hsgd_status refuse(const search *s, const hsgd_pep_problem *problem, double square, hsgd_error *err)
{
    const hsgd_pep_result *r = s->result;
    char hint[160] = "";
    if (problem->step_size * problem->smoothness < small_step)
        snprintf(hint, sizeof hint, "; step_size: gamma L = %.3g is small, %g is easier",
                 problem->step_size * problem->smoothness, small_step);
    for (size_t k = 0; k < problem->num_levels; k++)
        if (problem->level_divergence_sq[k] > 0 && problem->level_divergence_sq[k] < small_divergence * square)
            snprintf(hint, sizeof hint, "; level_divergence_sq[%zu]: %.6g is small, 0 works and %.3g may", k,
                     problem->level_divergence_sq[k], small_divergence * square);
    return hsgd_fail(
        err, HSGD_ERROR_NUMERIC,
        "no certified worst case after %zu programs: multipliers %s %.6g, an instance attains %.6g, and these "
        "should agree to %g%s",
        r->rounds, s->positive ? "prove at most" : "fail to prove", r->upper * square, r->lower * square,
        HSGD_PEP_TOLERANCE, hint);
}

static hsgd_status solve_scaled(hsgd_pep_result *out, const hsgd_pep_problem *problem, double square, hsgd_error *err)
{
    hsgd_pep_problem unit = scaled(problem, square);
    search s = {.result = out};
    hsgd_status status = start(&s, &unit, err);
    status = status ? status : search_rounds(&s, err);
    if (!status && !agrees(&s, HSGD_PEP_TOLERANCE))
        status = refuse(&s, problem, square, err);
    status = status ? status : finish(out, &s.program, err);
    hsgd_pep_program_free(&s.program);
    for (size_t k = 0; k <= HSGD_MAX_LEVELS; k++)
        free(s.interior[k]);
    free(s.value);
    free(s.violation);
    return status;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* All F_j = f = (L/2) ||w||^2: the algorithm is gradient descent with w^{t+1} = (1 - gamma L) w^t, and for gamma L >= 2 the
 * gap f(w^0) - f(wbar^T) is not positive, however large w^0. */
static bool is_unbounded(const hsgd_pep_problem *problem)
{
    return problem->gap == HSGD_PEP_DESCENT && problem->step_size * problem->smoothness >= 2;
}

hsgd_status hsgd_pep_solve(hsgd_pep_result *out, const hsgd_pep_problem *problem, hsgd_error *err)
{
    double begin = seconds();
    *out = (hsgd_pep_result){0};
    hsgd_status status = hsgd_pep_problem_check(problem, err);
    if (status)
        return status;
    if (is_unbounded(problem)) {
        out->unbounded = true;
        out->value = out->lower = out->upper = INFINITY;
        return HSGD_OK;
    }
    double square = largest_square(problem);
    status = solve_scaled(out, problem, square, err);
    if (status) {
        hsgd_pep_result_free(out);
        return status;
    }
    unscale(out, problem, square);
    sum_coefficients(out);
    out->wall_time_s = seconds() - begin;
    return HSGD_OK;
}

void hsgd_pep_result_free(hsgd_pep_result *result)
{
    if (!result)
        return;
    for (size_t k = 0; k <= HSGD_MAX_LEVELS; k++) {
        free(result->gram[k]);
        free(result->slack[k]);
    }
    free(result->multiplier);
    free(result->function_value);
    hsgd_pep_model_free(&result->model);
    memset(result, 0, sizeof *result);
}

/* ---- the program for other solvers ---- */

static hsgd_status write_program(FILE *stream, const hsgd_pep_model *model, hsgd_error *err)
{
    hsgd_pep_program program;
    hsgd_sdp sdp = {0};
    hsgd_status status = hsgd_pep_program_init(&program, model, model->problem.steps, err);
    status = status ? status : hsgd_pep_program_form(&sdp, &program, 0, err);
    status = status ? status
                    : hsgd_sdp_write(stream, &sdp,
                                     "hsgd pep: the worst case, in scaled units (L = 1, max(L Delta, D_k) = 1)", err);
    hsgd_sdp_free(&sdp);
    hsgd_pep_program_free(&program);
    return status;
}

hsgd_status hsgd_pep_write_sdpa(FILE *stream, double *scale, const hsgd_pep_problem *problem, hsgd_error *err)
{
    hsgd_pep_model model;
    hsgd_status status = hsgd_pep_problem_check(problem, err);
    if (status)
        return status;
    double square = largest_square(problem);
    hsgd_pep_problem unit = scaled(problem, square);
    status = hsgd_pep_model_build(&model, &unit, err);
    if (status)
        return status;
    status = write_program(stream, &model, err);
    hsgd_pep_model_free(&model);
    if (scale)
        *scale = square;
    return status;
}
