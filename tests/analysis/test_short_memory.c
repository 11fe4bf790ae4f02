/* SPDX-License-Identifier: GPL-3.0-or-later */
/* analysis/ when memory is short: whichever allocation fails, the caller is told, and nothing is lost. */
#include "tests/short_memory.h"

#include <unistd.h>

#include "analysis/dataset.h"
#include "analysis/ensemble.h"
#include "analysis/exact_moments.h"
#include "analysis/linear_model.h"
#include "analysis/minimum.h"
#include "analysis/mixture.h"
#include "analysis/mlp.h"
#include "analysis/partition.h"
#include "analysis/quadratic.h"

enum { DIM = 3, WORKERS = 4, STEPS = 8, GLOBAL = 4 };

static const double origin[64];
static char folder[64];

static hsgd_status make_tree(hsgd_hierarchy *out, hsgd_error *err)
{
    static const size_t fanout[] = {2, 2}, periods[] = {GLOBAL, 2};
    hsgd_hierarchy compact;
    hsgd_status status = hsgd_hierarchy_uniform(&compact, fanout, periods, 2, err);
    if (status)
        return status;
    status = hsgd_hierarchy_expand(out, &compact, err);
    hsgd_hierarchy_free(&compact);
    return status;
}

/* A run of two seeds, and what it says. */
static hsgd_status run(const hsgd_simulation *simulation, int threads, hsgd_error *err)
{
    hsgd_ensemble ensemble;
    hsgd_summary summary;
    hsgd_status status = hsgd_ensemble_run(&ensemble, simulation, 2, 1, NULL, threads, err);
    if (status)
        return status;
    status = hsgd_summarize(&summary, &ensemble, simulation->steps, GLOBAL, false, err);
    if (!status)
        hsgd_summary_free(&summary);
    hsgd_ensemble_free(&ensemble);
    return status;
}

/* ---- trees ---- */

static hsgd_status a_tree(hsgd_error *err)
{
    static const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 4, 0}, {0, 2, 2}, {0, 4, 1}};
    static const double weight[] = {1, 2, 0.5};
    hsgd_hierarchy tree, canonical;
    hsgd_status status = hsgd_hierarchy_tree(&tree, spec, 3, err);
    if (status)
        return status;
    status = hsgd_hierarchy_set_weights(&tree, weight, err);
    if (!status) {
        status = hsgd_hierarchy_canonical(&canonical, &tree, NULL, NULL, err);
        if (!status)
            hsgd_hierarchy_free(&canonical);
    }
    hsgd_hierarchy_free(&tree);
    return status;
}

static void trees(void **state)
{
    (void)state;
    check_lifetime(a_tree, 0);
}

/* ---- quadratics ---- */

static hsgd_status run_quadratic(const hsgd_hierarchy *tree, const hsgd_quadratic *quadratic, int threads,
                                 const hsgd_variant *variant, hsgd_error *err)
{
    hsgd_objective objective;
    hsgd_status status = hsgd_quadratic_objective(&objective, quadratic, NULL, err);
    if (status)
        return status;
    hsgd_simulation simulation = {.objective = &objective,
                                  .hierarchy = tree,
                                  .initial = origin,
                                  .step_size = 0.05,
                                  .steps = STEPS,
                                  .measure_every = 1,
                                  .measure_at_nodes = !variant,
                                  .measure_maxima = true,
                                  .measure_proof = !variant,
                                  .measure_smoothness = !variant,
                                  .variant = variant,
                                  .threads = 1};
    status = run(&simulation, threads, err);
    hsgd_objective_free(&objective);
    return status;
}

static hsgd_status use_exact(const hsgd_hierarchy *tree, const hsgd_quadratic *quadratic, hsgd_error *err)
{
    hsgd_exact exact;
    hsgd_status status = hsgd_exact_moments(&exact, quadratic, tree, origin, 0.05, STEPS, err);
    if (!status)
        hsgd_exact_free(&exact);
    return status;
}

/* own: workers have Hessians of their own. */
static hsgd_status with_quadratic(bool own, int threads, const hsgd_variant *variant, hsgd_error *err)
{
    static const double divergence_sq[] = {1, 0.5}, spread[] = {0.1, 0.2};
    const hsgd_quadratic_spec spec = {DIM, 0.1, 1, divergence_sq, 1, 7};
    const hsgd_curvature_spread curvatures = {0.1, spread};
    hsgd_hierarchy tree;
    hsgd_quadratic quadratic;
    hsgd_status status = make_tree(&tree, err);
    if (status)
        return status;
    status = own ? hsgd_quadratic_generate_spread(&quadratic, &tree, &spec, &curvatures, err)
                 : hsgd_quadratic_generate(&quadratic, &tree, &spec, err);
    if (!status) {
        status = threads ? run_quadratic(&tree, &quadratic, threads, variant, err) : use_exact(&tree, &quadratic, err);
        hsgd_quadratic_free(&quadratic);
    }
    hsgd_hierarchy_free(&tree);
    return status;
}

static hsgd_status one_thread(hsgd_error *err)
{
    return with_quadratic(false, 1, NULL, err);
}

static hsgd_status two_threads(hsgd_error *err)
{
    return with_quadratic(true, 2, NULL, err);
}

static hsgd_status with_variant(hsgd_error *err)
{
    const hsgd_variant variant = {.momentum = 0.5, .participation = 0.5, .group_step_size = 1, .global_step_size = 1};
    return with_quadratic(false, 1, &variant, err);
}

static hsgd_status exact_common(hsgd_error *err)
{
    return with_quadratic(false, 0, NULL, err);
}

static hsgd_status exact_own(hsgd_error *err)
{
    return with_quadratic(true, 0, NULL, err);
}

static void runs_on_quadratics(void **state)
{
    (void)state;
    check_lifetime(one_thread, 0);
    check_lifetime(two_threads, 0);
    check_lifetime(with_variant, 0);
}

static void exact_moments(void **state)
{
    (void)state;
    check_lifetime(exact_common, 0);
    check_lifetime(exact_own, 0);
}

/* ---- data ---- */

typedef struct problem {
    hsgd_dataset data, test;
    hsgd_partition partition;
} problem;

static hsgd_status fill(problem *out, hsgd_error *err)
{
    hsgd_mixture_options options;
    hsgd_partition_options share;
    hsgd_mixture_defaults(&options);
    options.features = 4, options.classes = 3, options.samples_per_class = 8;
    hsgd_partition_defaults(&share);
    share.scheme = HSGD_PARTITION_BY_LABEL;
    hsgd_status status = hsgd_mixture_generate(&out->data, &options, err);
    status = status ? status : hsgd_dataset_split(&out->test, &out->data, 0.25, 1, err);
    status = status ? status : hsgd_dataset_scale(&out->data, &out->test, HSGD_SCALING_STANDARD, err);
    status = status ? status : hsgd_dataset_add_intercept(&out->data, err);
    status = status ? status : hsgd_dataset_add_intercept(&out->test, err);
    status = status ? status : hsgd_partition_build(&out->partition, &out->data, WORKERS, &share, err);
    return status ? status : hsgd_dataset_reorder(&out->data, out->partition.order, err);
}

static hsgd_status train(const hsgd_objective *objective, const problem *p, const double *start, hsgd_error *err)
{
    hsgd_hierarchy tree;
    hsgd_status status = make_tree(&tree, err);
    if (status)
        return status;
    hsgd_simulation simulation = {.objective = objective,
                                  .hierarchy = &tree,
                                  .initial = start,
                                  .step_size = 0.1,
                                  .steps = STEPS,
                                  .batch_size = 2,
                                  .measure_every = 2,
                                  .evaluate_every = 2,
                                  .train = &p->data,
                                  .test = &p->test,
                                  .threads = 1};
    status = run(&simulation, 1, err);
    hsgd_hierarchy_free(&tree);
    return status;
}

static hsgd_status learn(const hsgd_objective *objective, const problem *p, const double *start, hsgd_error *err)
{
    hsgd_constants constants;
    hsgd_minimum minimum;
    hsgd_status status = objective->type->constants(objective, 2, &constants, err);
    status = status ? status : train(objective, p, start, err);
    status = status ? status : hsgd_minimize(&minimum, objective, NULL, start, 1e-3, 20, 1, err);
    if (!status)
        hsgd_minimum_free(&minimum);
    return status;
}

static hsgd_status softmax_of(const problem *p, hsgd_error *err)
{
    const hsgd_regularizer regularizer = {HSGD_REGULARIZER_L2, 0.01};
    hsgd_objective objective;
    hsgd_status status = hsgd_linear_model_objective(&objective, HSGD_LINK_SOFTMAX, &p->data, p->partition.start,
                                                     WORKERS, regularizer, err);
    if (status)
        return status;
    status = learn(&objective, p, origin, err);
    hsgd_objective_free(&objective);
    return status;
}

static hsgd_status perceptron_of(const problem *p, hsgd_error *err)
{
    const hsgd_mlp_spec spec = {.num_hidden = 1, .hidden = {4}, .activation = HSGD_ACTIVATION_TANH};
    const hsgd_regularizer regularizer = {HSGD_REGULARIZER_NONE, 0};
    hsgd_objective objective;
    double start[64];
    hsgd_status status = hsgd_mlp_objective(&objective, &spec, &p->data, p->partition.start, WORKERS, regularizer, err);
    if (status)
        return status;
    hsgd_mlp_draw(&objective, 1, 1, start);
    hsgd_mlp_set_start(&objective, start);
    status = learn(&objective, p, start, err);
    hsgd_objective_free(&objective);
    return status;
}

static hsgd_status with_data(hsgd_status (*model)(const problem *p, hsgd_error *err), hsgd_error *err)
{
    problem p = {0};
    hsgd_status status = fill(&p, err);
    status = status ? status : model(&p, err);
    hsgd_partition_free(&p.partition);
    hsgd_dataset_free(&p.test);
    hsgd_dataset_free(&p.data);
    return status;
}

static hsgd_status softmax(hsgd_error *err)
{
    return with_data(softmax_of, err);
}

static hsgd_status perceptron(hsgd_error *err)
{
    return with_data(perceptron_of, err);
}

static void linear_models(void **state)
{
    (void)state;
    check_lifetime(softmax, 0);
}

static void perceptrons(void **state)
{
    (void)state;
    check_lifetime(perceptron, 0);
}

/* ---- files ---- */

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static hsgd_status read_sparse(hsgd_error *err)
{
    hsgd_dataset data;
    hsgd_status status = hsgd_dataset_read_libsvm(&data, path_of("sparse.txt"), err);
    if (!status)
        hsgd_dataset_free(&data);
    return status;
}

static hsgd_status read_table(hsgd_error *err)
{
    const hsgd_csv_options options = {.header = HSGD_CSV_HEADER_AUTO, .label_name = "class"};
    hsgd_dataset data;
    hsgd_status status = hsgd_dataset_read_csv(&data, path_of("table.csv"), &options, err);
    if (!status)
        hsgd_dataset_free(&data);
    return status;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void readers(void **state)
{
    (void)state;
    make_folder(folder, sizeof folder);
    write_file("sparse.txt", "1 1:0.5 3:2\n-1 2:1\n1 3:-1.5\n");
    write_file("table.csv", "\"first, one\",second,class\n1,2,0\n3,4.5,1\n-1,0,1\n");
    check_lifetime(read_sparse, 8); /* four arrays whose end need not be cut off */
    check_lifetime(read_table, 4);
    unlink(path_of("sparse.txt"));
    unlink(path_of("table.csv"));
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(trees),         cmocka_unit_test(runs_on_quadratics),
                                       cmocka_unit_test(exact_moments), cmocka_unit_test(linear_models),
                                       cmocka_unit_test(perceptrons),   cmocka_unit_test(readers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
