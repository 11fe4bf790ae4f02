/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolutional networks from a configuration: every key and default, round trips, what is refused and where; the problem that
 * is built; verdicts that rest on estimates; and that a network learns on MNIST. */
#include "tests/temp_files.h"

#include <gsl/gsl_errno.h>

#include "analysis/convnet.h"
#include "analysis/engine.h"
#include "experiments/experiment_private.h"
#include "experiments/problem.h"

static hsgd_error err;

/* A configuration with these members in "problem" and these beside it. */
static const char *with(const char *members, const char *more)
{
    static char text[4096];
    snprintf(text, sizeof text,
             "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [6, 2]}, \"problem\": {\"type\": \"cnn\", \"data\": "
             "{\"format\": \"libsvm\", \"path\": \"%.250s/images.txt\"}, %s},%s"
             " \"optimizer\": {\"step_size\": 0.1, \"steps\": 3}}",
             temp_shared()->folder, members, more);
    return text;
}

static hsgd_config parse(const char *text)
{
    hsgd_config c;
    assert_ok(hsgd_config_parse(&c, text, strlen(text), "folder/c.json", &err), err);
    return c;
}

static void refused(const char *members, const char *message)
{
    hsgd_config c;
    const char *text = with(members, "");
    assert_fails(hsgd_config_parse(&c, text, strlen(text), "folder/c.json", &err), HSGD_ERROR_INPUT, message, err);
    assert_int_equal(strncmp(err.message, "folder/c.json: problem.", 23), 0);
}

#define LAYERS                                                                                                         \
    "\"architecture\": [{\"conv\": 3, \"kernel\": 2, \"stride\": 4, \"padding\": 1}, \"relu\", {\"conv\": 5, "         \
    "\"kernel\": 1}, \"tanh\", {\"maxpool\": 3}, {\"maxpool\": 4, \"stride\": 2}, {\"dense\": 7}]"

static void assert_layer(const hsgd_layer *l, hsgd_layer_kind kind, size_t outputs, size_t kernel, size_t stride,
                         size_t padding)
{
    assert_int_equal(l->kind, kind);
    assert_true(l->outputs == outputs && l->kernel == kernel && l->stride == stride && l->padding == padding);
}

static void every_key(void **state)
{
    (void)state;
    hsgd_config c = parse(with(LAYERS ", \"shape\": [2, 9, 4]", ""));
    assert_int_equal(c.problem, HSGD_PROBLEM_CNN);
    assert_null(c.architecture);
    assert_int_equal(c.num_layers, 7);
    assert_layer(&c.layer[0], HSGD_LAYER_CONV, 3, 2, 4, 1);
    assert_layer(&c.layer[1], HSGD_LAYER_RELU, 0, 0, 0, 0);
    assert_layer(&c.layer[2], HSGD_LAYER_CONV, 5, 1, 1, 0); /* defaults: every place, no zeros around */
    assert_layer(&c.layer[3], HSGD_LAYER_TANH, 0, 0, 0, 0);
    assert_layer(&c.layer[4], HSGD_LAYER_MAXPOOL, 0, 3, 3, 0); /* default: windows side by side */
    assert_layer(&c.layer[5], HSGD_LAYER_MAXPOOL, 0, 4, 2, 0);
    assert_layer(&c.layer[6], HSGD_LAYER_DENSE, 7, 0, 0, 0);
    assert_true(c.shape.channels == 2 && c.shape.rows == 9 && c.shape.columns == 4);
    assert_true(c.initial_scale == 1 && !c.initial_point);
    hsgd_config_free(&c);
    c = parse(with("\"architecture\": \"lenet-5\"", "\"initial\": {\"scale\": 0.25},"));
    assert_string_equal(c.architecture, "lenet-5");
    assert_int_equal(c.num_layers, 10);
    assert_int_equal(c.shape.channels, 0);
    assert_true(c.initial_scale == 0.25);
    hsgd_config_free(&c);
}

static void round_trip(void **state)
{
    (void)state;
    const char *const members[] = {LAYERS ", \"shape\": [2, 9, 4]", "\"architecture\": \"vgg-small\"",
                                   "\"architecture\": []"};
    for (size_t k = 0; k < 3; k++) {
        hsgd_config first = parse(with(members[k], ""));
        char *once = hsgd_config_to_json(&first);
        hsgd_config second = parse(once);
        char *twice = hsgd_config_to_json(&second);
        assert_string_equal(once, twice);
        assert_int_equal(first.num_layers, second.num_layers);
        assert_memory_equal(first.layer, second.layer, first.num_layers * sizeof(hsgd_layer));
        assert_memory_equal(&first.shape, &second.shape, sizeof first.shape);
        assert_true(first.architecture == second.architecture && first.initial_scale == second.initial_scale);
        free(once);
        free(twice);
        hsgd_config_free(&first);
        hsgd_config_free(&second);
    }
}

static void what_is_refused(void **state)
{
    (void)state;
    refused("\"architecture\": \"resnet\"", "problem.architecture: \"resnet\"");
    refused("\"architecture\": \"resnet\"", "expected one of lenet, lenet-5, vgg-small, vgg-11");
    refused("\"shape\": [1, 2, 2]", "problem.architecture: ");
    refused("\"architecture\": [\"gelu\"]", "problem.architecture[0]: \"gelu\"");
    refused("\"architecture\": [\"relu\", {\"pool\": 2}]", "problem.architecture[1]: ");
    refused("\"architecture\": [\"relu\", 5]", "expected \"relu\", \"tanh\" or an object with \"conv\"");
    refused("\"architecture\": [{\"conv\": 5}]", "problem.architecture[0].kernel");
    refused("\"architecture\": [{\"conv\": 5, \"dense\": 5}]", "problem.architecture[0].dense");
    refused("\"architecture\": [{\"maxpool\": 0}]", "problem.architecture[0].maxpool: 0");
    refused("\"architecture\": [{\"dense\": 2.5}]", "problem.architecture[0].dense: 2.5");
    refused("\"architecture\": [], \"shape\": [1, 2]", "problem.shape: ");
    refused("\"architecture\": [], \"shape\": [1, 2, 0]", "problem.shape[2]: 0");
    refused("\"architecture\": [], \"depth\": 3", "problem.depth");
}

/* ---- problems ---- */

static void need_convnets(void)
{
    if (hsgd_convnet_is_there())
        return;
    print_message("skipped: this build has no oneDNN (libdnnl-dev)\n");
    skip();
}

/* Images of 2 x 2 numbers, twelve of them in three classes. */
static void write_images(void)
{
    char text[1024], *end = text;
    for (int i = 0; i < 12; i++)
        end += sprintf(end, "%d 1:%d 3:%g 4:%g\n", i % 3, i + 1, i % 4 - 1.5, 0.1 * i);
    temp_write(temp_shared(), "images.txt", text, (size_t)(end - text));
}

static void build_fails(const char *text, const char *message)
{
    hsgd_config c = parse(text);
    hsgd_problem p;
    assert_fails(hsgd_problem_build(&p, &c, "c.json", &err), HSGD_ERROR_INPUT, message, err);
    assert_int_equal(strncmp(err.message, "c.json: ", 8), 0);
    hsgd_config_free(&c);
}

#define SMALL "\"architecture\": [{\"conv\": 2, \"kernel\": 2, \"padding\": 1}, \"relu\"]"

/* d = 2 (4 + 1) + 3 (2 x 3 x 3 + 1) = 67 on one channel of 2 x 2; with two channels of one row, d = 2 (8 + 1) + 3 (2 x 2 x 3
 * + 1) = 57. */
static void problems(void **state)
{
    (void)state;
    need_convnets();
    hsgd_problem p;
    write_images();
    hsgd_config c = parse(with(SMALL, "\"first_seed\": 11,"));
    assert_ok(hsgd_problem_build(&p, &c, "c.json", &err), err);
    assert_int_equal(p.objective.dim, 67);
    double expected[67];
    hsgd_architecture_initial(&p.architecture, 11, 1, expected);
    assert_memory_equal(p.initial, expected, sizeof expected);
    hsgd_problem_free(&p);
    hsgd_config_free(&c);
    c = parse(with(SMALL ", \"shape\": [2, 1, 2]", "\"initial\": {\"scale\": 0.5},"));
    assert_ok(hsgd_problem_build(&p, &c, "c.json", &err), err);
    assert_int_equal(p.objective.dim, 57);
    hsgd_architecture_initial(&p.architecture, 1, 0.5, expected);
    assert_memory_equal(p.initial, expected, 57 * sizeof *expected);
    hsgd_problem_free(&p);
    hsgd_config_free(&c);
    c = parse(with("\"architecture\": [], \"shape\": [1, 1, 4]",
                   "\"initial\": {\"point\": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15.5]},"));
    assert_ok(hsgd_problem_build(&p, &c, "c.json", &err), err);
    assert_true(p.initial[0] == 1 && p.initial[14] == 15.5);
    hsgd_problem_free(&p);
    hsgd_config_free(&c);
}

static void problems_that_do_not_fit(void **state)
{
    (void)state;
    need_convnets();
    write_images();
    build_fails(with(SMALL ", \"shape\": [1, 3, 3]", ""), "problem.shape: 1 x 3 x 3 for samples of 4 features");
    build_fails(with("\"architecture\": [\"relu\", {\"maxpool\": 3}]", ""),
                "problem.architecture[1]: a window of 3 x 3 is larger than the 2 x 2");
    build_fails(with(SMALL, "\"initial\": {\"point\": [1, 2]},"),
                "initial.point: 2 numbers for a problem of dimension 67");
    temp_write(temp_shared(), "images.txt", "1 1:1 5:1\n2 1:2\n1 2:1\n2 3:1\n", 28);
    build_fails(with(SMALL, ""), "problem.shape: 5 features are no square image of 1 or 3 channels");
}

/* ---- MNIST ---- */

/* The experiment file with fewer steps: the loss falls by a third, and more than half of the digits are told apart, of which
 * guessing would get a tenth. */
static void a_network_learns(void **state)
{
    (void)state;
    need_convnets();
    char path[512];
    data_file("t10k-images-idx3-ubyte.gz", path, sizeof path);
    setenv("HSGD_DATA_DIR", "../shared/data", 0); /* where data_file looks without it */
    hsgd_config c;
    hsgd_problem p;
    assert_ok(hsgd_config_read(&c, "experiments/mnist-cnn.json", &err), err);
    assert_ok(hsgd_problem_build(&p, &c, "mnist-cnn.json", &err), err);
    hsgd_simulation s = {.objective = &p.objective,
                         .hierarchy = &p.hierarchy,
                         .initial = p.initial,
                         .step_size = c.step_size,
                         .steps = 80,
                         .batch_size = c.batch_size,
                         .measure_every = 80,
                         .seed = 3,
                         .threads = 2};
    hsgd_trace trace;
    assert_ok(hsgd_simulate(&trace, &s, &err), err);
    assert_true(trace.loss[1] < trace.loss[0] * 2 / 3);
    double loss, *scratch = malloc(p.objective.type->scratch_size(&p.objective, 0) * sizeof *scratch);
    size_t right;
    p.objective.type->evaluate(&p.objective, trace.final_point, &p.data, 0, p.data.num_samples, &loss, &right, scratch);
    assert_true(right > p.data.num_samples / 2);
    assert_close(loss / (double)p.data.num_samples, trace.loss[1],
                 0.2); /* workers' means, whose sizes differ a little */
    free(scratch);
    hsgd_trace_free(&trace);
    hsgd_problem_free(&p);
    hsgd_config_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(problems),
        cmocka_unit_test(problems_that_do_not_fit),
        cmocka_unit_test(a_network_learns),
    };
    gsl_set_error_handler_off();
    return cmocka_run_group_tests_name("cnn", tests, temp_open_shared, temp_close_shared);
}
