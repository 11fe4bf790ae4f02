/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worker's share of a problem: losses, gradients and stochastic gradients of that worker keep their bits, for softmax regression,
 * networks and sparse data, while the samples of the others go, all but one each. */
#include "tests/experiments/program.h"

#include "experiments/problem_private.h"

static hsgd_error err;

enum { WORKERS = 6 };

#define TREE "\"hierarchy\": {\"fanout\": [2, 3], \"periods\": [4, 2]}, "
#define REST ", \"optimizer\": {\"step_size\": 0.1, \"steps\": 4, \"batch_size\": 3}, \"bounds\": [], \"figures\": []}"
#define SYNTHETIC                                                                                                      \
    "\"data\": {\"format\": \"synthetic\", \"alpha\": 1, \"beta\": 1, \"max_samples\": 40}, \"partition\": "           \
    "{\"scheme\": \"natural\"}"

/* Loss, gradient, and stochastic gradient of a worker: 1 + 2 dim numbers; free them. */
static double *numbers_of(const hsgd_problem *problem, size_t worker)
{
    const hsgd_objective *objective = &problem->objective;
    size_t dim = objective->dim;
    double *number = calloc(1 + 2 * dim, sizeof *number), *point = calloc(dim, sizeof *point);
    double *scratch = calloc(objective->type->scratch_size(objective, 3) + 8, sizeof *scratch);
    for (size_t i = 0; i < dim; i++)
        point[i] = 0.01 * (double)(i % 17) - 0.06;
    objective->type->full(objective, point, &worker, 1, number, number + 1, scratch);
    objective->type->stochastic(objective, point, worker, 3, 5, 7, number + 1 + dim, scratch);
    free(point);
    free(scratch);
    return number;
}

static void check_shares(const char *text)
{
    for (size_t worker = 0; worker < WORKERS; worker += 2) {
        hsgd_config config;
        hsgd_problem problem;
        assert_ok(hsgd_config_parse(&config, text, strlen(text), "c.json", &err), err);
        assert_ok(hsgd_problem_build(&problem, &config, "c.json", &err), err);
        size_t dim = problem.objective.dim, own = problem.partition.start[worker + 1] - problem.partition.start[worker];
        double *before = numbers_of(&problem, worker);
        assert_true(own + WORKERS - 1 < problem.data.num_samples);
        assert_ok(hsgd_problem_keep_share(&problem, &config, worker, &err), err);
        assert_int_equal(problem.data.num_samples, own + WORKERS - 1);
        assert_int_equal(problem.objective.dim, dim);
        double *after = numbers_of(&problem, worker);
        assert_memory_equal(before, after, (1 + 2 * dim) * sizeof *before);
        assert_memory_not_equal(before + 1, before + 1 + dim, dim * sizeof *before); /* a batch is not all */
        free(before);
        free(after);
        hsgd_problem_free(&problem);
        hsgd_config_free(&config);
    }
}

static void softmax_and_networks_keep_their_bits(void **state)
{
    (void)state;
    check_shares("{" TREE "\"problem\": {\"type\": \"softmax\", " SYNTHETIC
                 ", \"regularizer\": {\"type\": \"l2\", \"weight\": 0.01}}" REST);
    check_shares("{" TREE "\"problem\": {\"type\": \"mlp\", \"hidden\": [5], " SYNTHETIC "}" REST);
}

static void sparse_data_keep_their_bits(void **state)
{
    (void)state;
    char data[4096] = "";
    for (size_t s = 0; s < 60; s++)
        snprintf(data + strlen(data), sizeof data - strlen(data), "%c1 %zu:%g %zu:%g\n", s % 3 ? '+' : '-', 1 + s % 4,
                 0.3 * (double)s - 4, 6 + s % 5, 1.5 - 0.1 * (double)s);
    write_text("d.txt", data);
    check_shares("{" TREE
                 "\"problem\": {\"type\": \"logistic\", \"data\": {\"format\": \"libsvm\", \"path\": \"d.txt\"},"
                 "\"partition\": {\"scheme\": \"by-label\"}}" REST);
}

/* Quadratics have nothing to give away. */
static void other_problems_stay_as_they_are(void **state)
{
    (void)state;
    static const char text[] = "{" TREE "\"problem\": {\"type\": \"quadratic\", \"dimension\": 4, \"curvature_range\": "
                               "[0.1, 1], \"level_divergence\": [1, 1], \"noise_variance\": 1}" REST;
    hsgd_config config;
    hsgd_problem problem;
    assert_ok(hsgd_config_parse(&config, text, strlen(text), "c.json", &err), err);
    assert_ok(hsgd_problem_build(&problem, &config, "c.json", &err), err);
    double *before = numbers_of(&problem, 3);
    assert_ok(hsgd_problem_keep_share(&problem, &config, 2, &err), err);
    double *after = numbers_of(&problem, 3);
    assert_memory_equal(before, after, 9 * sizeof *before);
    free(before);
    free(after);
    hsgd_problem_free(&problem);
    hsgd_config_free(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_and_networks_keep_their_bits),
        cmocka_unit_test(sparse_data_keep_their_bits),
        cmocka_unit_test(other_problems_stay_as_they_are),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
