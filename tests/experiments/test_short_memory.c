/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configurations and whole experiments when memory is short: whichever allocation of ours fails, the caller is told, and
 * nothing is lost. cJSON has an allocator of its own (tests/faults/README.md). */
#include "tests/short_memory.h"

#include <unistd.h>

#include "experiments/experiment.h"
#include "experiments/result.h"

static char folder[64];

static const char quadratic[] =
    "{\"hierarchy\":{\"fanout\":[2,2],\"periods\":[4,2]},\"seeds\":2,\"grouping\":\"random\",\"problem\":{\"type\":"
    "\"quadratic\","
    "\"dimension\":3,\"curvature_range\":[0.1,1],\"level_divergence\":[1,0.5],\"noise_variance\":1},"
    "\"optimizer\":{\"step_size\":0.05,\"steps\":8},\"figures\":[\"convergence\"]}";

static const char softmax[] =
    "{\"hierarchy\":{\"fanout\":[2,2],\"periods\":[4,2]},\"seeds\":1,\"grouping\":\"group-noniid\",\"problem\":{"
    "\"type\":\"softmax\","
    "\"data\":{\"format\":\"mixture\",\"features\":4,\"classes\":3,\"samples_per_class\":8,\"test_fraction\":0.25},"
    "\"partition\":{\"scheme\":\"dirichlet\"}},\"optimizer\":{\"step_size\":0.1,\"steps\":6,\"batch_size\":2},"
    "\"evaluate_every\":2,\"targets\":[{\"quantity\":\"loss\",\"value\":1}],\"communication\":{\"levels\":[\"wan-10\","
    "\"lan\"],"
    "\"compute_s_per_step\":0.02},\"figures\":[\"convergence\"]}";

/* ---- a configuration, there and back ---- */

static hsgd_status parse(const char *text, hsgd_error *err)
{
    hsgd_config config;
    hsgd_status status = hsgd_config_parse(&config, text, strlen(text), "x.json", err);
    if (status)
        return status;
    char *again = hsgd_config_to_json(&config);
    status = again ? HSGD_OK : hsgd_fail_memory(err, "the text");
    free(again);
    hsgd_config_free(&config);
    return status;
}

static hsgd_status parse_quadratic(hsgd_error *err)
{
    return parse(quadratic, err);
}

static hsgd_status parse_softmax(hsgd_error *err)
{
    return parse(softmax, err);
}

static void configurations(void **state)
{
    (void)state;
    check_lifetime(parse_quadratic, 0);
    check_lifetime(parse_softmax, 0);
}

/* ---- an experiment, and what it writes ---- */

static hsgd_status write_files(const hsgd_experiment *experiment, hsgd_error *err)
{
    hsgd_status status = hsgd_result_write_series(experiment, folder, err);
    status = status ? status : hsgd_result_write_nodes(experiment, folder, err);
    return status ? status : hsgd_result_write_json(experiment, folder, NULL, 0, err);
}

static hsgd_status run(const hsgd_config *config, hsgd_error *err)
{
    const hsgd_experiment_options options = {.threads = 1, .every_check = true};
    hsgd_problem problem;
    hsgd_experiment experiment;
    hsgd_status status = hsgd_problem_build(&problem, config, "x.json", err);
    if (status)
        return status;
    status = hsgd_experiment_run(&experiment, config, &problem, &options, err);
    if (!status) {
        status = write_files(&experiment, err);
        hsgd_experiment_free(&experiment);
    }
    hsgd_problem_free(&problem);
    return status;
}

static hsgd_status experiment_of(const char *text, hsgd_error *err)
{
    hsgd_config config;
    hsgd_status status = hsgd_config_parse(&config, text, strlen(text), "x.json", err);
    if (status)
        return status;
    status = run(&config, err);
    hsgd_config_free(&config);
    return status;
}

static hsgd_status run_quadratic(hsgd_error *err)
{
    return experiment_of(quadratic, err);
}

static hsgd_status run_softmax(hsgd_error *err)
{
    return experiment_of(softmax, err);
}

static void remove_file(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
}

static void experiments(void **state)
{
    (void)state;
    make_folder(folder, sizeof folder);
    check_lifetime(run_quadratic, 0);
    check_lifetime(run_softmax, 0);
    remove_file("series.csv");
    remove_file("nodes.csv");
    remove_file("result.json");
    assert_int_equal(rmdir(folder), 0); /* and nothing else is in it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(configurations), cmocka_unit_test(experiments)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
