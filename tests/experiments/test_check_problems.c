/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The check of other people's objectives, on all that are built in: right gradients of many kinds, with kinks (ReLU), in
 * single precision, of sparse samples, with noise by definition or from mini-batches. None may be refused; gradients that are 5 % too long must be. */
#include "tests/test.h"

#include <gsl/gsl_errno.h>

#include "analysis/convnet.h"
#include "analysis/objective_check.h"
#include "experiments/problem.h"

#define MIXTURE(classes, more)                                                                                         \
    "\"data\": {\"format\": \"mixture\", \"classes\": " classes ", \"features\": 16, \"samples_per_class\": 40},"      \
    "\"partition\": {\"scheme\": \"dirichlet\", \"alpha\": 0.3}" more

static const struct {
    const char *problem, *more;
    double rounding;
} problems[] = {
    {"\"type\": \"quadratic\", \"dimension\": 30, \"curvature_range\": [1e-6, 1], \"level_divergence\": [1, 2], "
     "\"noise_variance\": 1",
     "", 0},
    {"\"type\": \"logistic\"," MIXTURE("2", ""), "", 0},
    {"\"type\": \"softmax\"," MIXTURE("4", ", \"regularizer\": {\"type\": \"nonconvex\", \"weight\": 0.1}"),
     ", \"initial\": {\"scale\": 1}", 0},
    {"\"type\": \"mlp\", \"hidden\": [20, 10]," MIXTURE("4", ""), "", 0},
    {"\"type\": \"mlp\", \"hidden\": [20], \"activation\": \"tanh\"," MIXTURE("4", ""), "", 0},
    {"\"type\": \"mlp\", \"hidden\": [20], \"precision\": \"single\"," MIXTURE("4", ""), "", 1e-6},
    {"\"type\": \"cnn\", \"shape\": [1, 4, 4], \"architecture\": [{\"conv\": 3, \"kernel\": 3}, \"relu\", {\"dense\": "
     "6}]," MIXTURE("4", ""),
     "", 1e-6},
};

/* The same with a gradient that is 5 % too long for one worker. */
static const hsgd_objective_type *right;

static void wrong_full(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count,
                       double *loss, double *grad, double *scratch)
{
    right->full(objective, point, worker, count, loss, grad, scratch);
    for (size_t j = 0; j < count; j++)
        for (size_t i = 0; i < objective->dim && worker[j] == 5; i++)
            grad[j * objective->dim + i] *= 1.05;
}

static void check_problem(hsgd_problem *problem, double rounding, const char *name)
{
    hsgd_error err;
    hsgd_objective_type wrong = *problem->objective.type;
    right = problem->objective.type;
    wrong.full = wrong_full;
    wrong.full_at = NULL;
    for (size_t batch_size = 1; batch_size < 6; batch_size += 4) {
        const hsgd_check_request request = {&problem->objective, problem->initial, batch_size, rounding};
        if (hsgd_objective_check(&request, &err))
            fail_msg("%s: %s", name, err.message);
        problem->objective.type = &wrong;
        assert_fails(hsgd_objective_check(&request, &err), HSGD_ERROR_INPUT, "worker 5, coordinate ", err);
        assert_non_null(strstr(err.message, "differences of the loss"));
        problem->objective.type = right;
    }
}

static void right_gradients_pass_and_wrong_ones_do_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        char text[1024];
        hsgd_error err;
        hsgd_config config;
        hsgd_problem problem;
        if (strstr(problems[i].problem, "cnn") && !hsgd_convnet_is_there())
            continue;
        snprintf(text, sizeof text,
                 "{\"hierarchy\": {\"fanout\": [2, 3], \"periods\": [4, 2]}, \"problem\": {%s}, \"optimizer\": "
                 "{\"step_size\": 0.1, \"steps\": 1}%s}",
                 problems[i].problem, problems[i].more);
        assert_ok(hsgd_config_parse(&config, text, strlen(text), "c.json", &err), err);
        assert_ok(hsgd_problem_build(&problem, &config, "c.json", &err), err);
        check_problem(&problem, problems[i].rounding, problems[i].problem);
        hsgd_problem_free(&problem);
        hsgd_config_free(&config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(right_gradients_pass_and_wrong_ones_do_not)};
    gsl_set_error_handler_off();
    return cmocka_run_group_tests_name("check of built-in problems", tests, NULL, NULL);
}
