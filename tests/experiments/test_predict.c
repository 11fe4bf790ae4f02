/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The arithmetic of a dry run. Times are not asserted, only how predictions of long runs relate to their trials, which are
 * known to be short, and predictions by a clock that counts the work of an objective. */
#include "tests/experiments/whole_experiment.h"
#include "tests/temp_files.h"

#include <gsl/gsl_errno.h>

#include "experiments/predict_private.h"

static hsgd_prediction predict(const char *text)
{
    whole x = {0};
    hsgd_prediction p;
    hsgd_experiment_options options = {.threads = 1};
    prepare(&x, text);
    assert_ok(hsgd_experiment_predict(&p, &x.config, &x.problem, &options, &err), err);
    release(&x);
    return p;
}

#define LONG(rest) QUADRATIC("[2, 3]", "[6, 2]", "[0.83, 0.41]", "0.7", rest)

static void a_long_run_takes_longer_than_its_trial(void **state)
{
    (void)state;
    hsgd_prediction p = predict(LONG("\"bounds\": [\"hsgd-fixed\"], \"seeds\": 100, \"measure_every\": 10000,"
                                     "\"optimizer\": {\"step_size\": 0.01, \"steps\": 20000000}"));
    assert_int_equal(p.num_runs, 1);
    assert_int_equal(p.num_seeds, 100);
    assert_true(p.trial_time_s > 0 && p.trial_time_s < 20);
    assert_true(p.time_s > 100); /* 2e9 steps of six workers: no machine comes below 8 ns for each worker's */
    /* at least the traces of all seeds: six numbers a row */
    assert_true(p.memory_bytes > 100 * 2000 * 6 * 8);
}

static void a_short_run_takes_no_longer_than_its_trials(void **state)
{
    (void)state;
    hsgd_prediction p = predict(LONG("\"seeds\": 3, " FRACTION("0.9", "12")));
    assert_int_equal(p.num_runs, 3); /* with the two local SGDs */
    assert_int_equal(p.num_seeds, 3);
    assert_true(p.time_s > 0 && p.time_s <= 3 * p.trial_time_s);
    assert_true(p.memory_bytes > 1e6);
}

/* Nothing random: one seed says all. */
static void noiseless_runs_are_made_once(void **state)
{
    (void)state;
    hsgd_prediction p =
        predict(QUADRATIC("[2, 3]", "[6, 2]", "[0.83, 0.41]", "0", "\"seeds\": 50, " FRACTION("0.9", "12")));
    assert_int_equal(p.num_seeds, 1);
}

/* 2000 images of 64 x 64 pixels: 8 MB as bytes and 66 MB as doubles, which a run of softmax regression must never need, not
 * even to find its constants. */
static void images_take_a_byte_a_pixel(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    skip(); /* the sanitizer's own memory is larger than that */
#endif
    enum { IMAGES = 2000, PIXELS = 64 * 64 };
    static unsigned char labels[8 + IMAGES] = {0, 0, 8, 1, 0, 0, IMAGES >> 8, IMAGES & 255};
    unsigned char header[16] = {0, 0, 8, 3, 0, 0, IMAGES >> 8, IMAGES & 255, 0, 0, 0, 64, 0, 0, 0, 64};
    unsigned char *images = malloc(sizeof header + IMAGES * PIXELS);
    char text[4 * TEMP_PATH], path[2][TEMP_PATH];
    temp_folder folder;
    temp_open(&folder);
    memcpy(images, header, sizeof header);
    for (size_t i = 0; i < IMAGES * PIXELS; i++)
        images[sizeof header + i] = (unsigned char)(i * i / 7 % 251);
    for (size_t i = 0; i < IMAGES; i++)
        labels[8 + i] = i % 3;
    snprintf(path[0], TEMP_PATH, "%s", temp_write(&folder, "images", images, sizeof header + IMAGES * PIXELS));
    snprintf(path[1], TEMP_PATH, "%s", temp_write(&folder, "labels", labels, sizeof labels));
    free(images);
    snprintf(
        text, sizeof text,
        "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"problem\": {\"type\": \"softmax\", \"data\": "
        "{\"format\": \"idx\", \"images\": \"%s\", \"labels\": \"%s\"}}, \"optimizer\": {\"step_size\": 1e-3, "
        "\"steps\": 8, \"batch_size\": 4}, \"seeds\": 1, \"evaluate_every\": 4}",
        path[0], path[1]);
    hsgd_prediction p = predict(text);
    temp_close(&folder);
    assert_true(p.memory_bytes > IMAGES * PIXELS && p.memory_bytes < sizeof(double) * IMAGES * PIXELS);
}

/* ---- by a clock that counts work ---- */

static double counted_s;

static double count_now_s(void)
{
    return counted_s;
}

/* What the objective of the tests passes its calls on to. */
static const hsgd_objective_type *counted;

static size_t scratch_size(const hsgd_objective *f, size_t batch_size)
{
    return counted->scratch_size(f, batch_size);
}

static void dear_full(const hsgd_objective *f, const double *point, const size_t *worker, size_t count, double *loss,
                      double *grad, double *scratch)
{
    counted_s += 2e-3 * (double)count;
    counted->full(f, point, worker, count, loss, grad, scratch);
}

static void cheap_stochastic(const hsgd_objective *f, const double *point, size_t worker, size_t batch_size,
                             uint64_t seed, uint64_t step, double *grad, double *scratch)
{
    counted_s += 1e-5;
    counted->stochastic(f, point, worker, batch_size, seed, step, grad, scratch);
}

static void dear_evaluate(const hsgd_objective *f, const double *point, const hsgd_dataset *data, size_t first,
                          size_t count, double *loss_sum, size_t *num_right, double *scratch)
{
    (void)f, (void)point, (void)data, (void)first, (void)scratch;
    counted_s += 1e-3 * (double)count;
    *loss_sum = 1;
    *num_right = 0;
}

/* The run itself, by the same clock. */
static double counted_run(const hsgd_simulation *s, size_t seeds)
{
    hsgd_ensemble ensemble;
    double begin_s = counted_s;
    assert_ok(hsgd_ensemble_run(&ensemble, s, seeds, 1, NULL, 1, &err), err);
    hsgd_ensemble_free(&ensemble);
    return counted_s - begin_s;
}

/* Gradients of all data cost as much as 200 single steps. However rarely such a run is measured, and however short the trial
 * is, the prediction is what the run takes: one that scales up whole trials predicts up to 30 times as much. */
static void rare_measurements_are_not_taken_for_steps(void **state)
{
    (void)state;
    static const size_t every[] = {1, 3, 6, 50, 1000, 100000, 1, 50, 1000},
                        evaluate_every[] = {0, 0, 0, 0, 0, 0, 7, 2, 1};
    const hsgd_dataset train = {.num_samples = 100};
    for (size_t i = 0; i < sizeof every / sizeof *every; i++) {
        whole x = {0};
        hsgd_prediction p = {0};
        prepare(&x, LONG(FRACTION("0.9", "6000")));
        counted = x.problem.objective.type;
        const hsgd_objective_type type = {.name = "counted",
                                          .scratch_size = scratch_size,
                                          .full = dear_full,
                                          .stochastic = cheap_stochastic,
                                          .evaluate = dear_evaluate};
        hsgd_objective f = x.problem.objective;
        f.type = &type;
        const hsgd_simulation s = {.objective = &f,
                                   .hierarchy = &x.problem.hierarchy,
                                   .initial = x.problem.initial,
                                   .step_size = 0.1,
                                   .steps = 6000,
                                   .measure_every = every[i],
                                   .evaluate_every = evaluate_every[i],
                                   .train = &train};
        assert_ok(hsgd_predict_simulation(&p, &s, 5, NULL, 1, count_now_s, &err), err);
        double want_s = counted_run(&s, 5);
        if (!(p.time_s > 0.99 * want_s && p.time_s < 1.01 * want_s))
            fail_msg("measured every %zu steps, evaluated every %zu rows: %g s predicted, %g s taken", every[i],
                     evaluate_every[i], p.time_s, want_s);
        if (every[i] == 1000) /* little work is done beforehand */
            assert_true(p.trial_time_s < want_s / 2);
        release(&x);
    }
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_take_a_byte_a_pixel), /* first: what came before counts */
        cmocka_unit_test(a_long_run_takes_longer_than_its_trial),
        cmocka_unit_test(a_short_run_takes_no_longer_than_its_trials),
        cmocka_unit_test(noiseless_runs_are_made_once),
        cmocka_unit_test(rare_measurements_are_not_taken_for_steps),
    };
    return cmocka_run_group_tests_name("predict", tests, NULL, NULL);
}
