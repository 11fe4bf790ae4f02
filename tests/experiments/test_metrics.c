/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accuracies, targets, seconds and bytes in whole experiments and in what they leave behind: against numbers found from the
 * data and from closed forms, and nothing of them where nothing was asked for. */
#include "tests/experiments/whole_experiment.h"

#include <unistd.h>

#include "analysis/linear_model.h"
#include "experiments/folder.h"
#include "experiments/json_private.h"
#include "experiments/result.h"
#include "experiments/report.h"
#include "experiments/series_private.h"
#include "tests/experiments/latex.h"

/* Four workers with 30 samples each of two classes that a line nearly separates. */
static const char *data_path(void)
{
    static char path[] = "/tmp/hsgd-metrics-XXXXXX";
    static bool written = false;
    if (written)
        return path;
    int file = mkstemp(path);
    assert_true(file >= 0);
    FILE *stream = fdopen(file, "w");
    for (int i = 0; i < 120; i++) {
        double a = sin(1.7 * i) + 0.1, b = cos(2.3 * i * i);
        fprintf(stream, "%d 1:%.6f 2:%.6f 3:1\n", a + 0.5 * b + 0.3 * sin(11.0 * i) > 0 ? 1 : -1, a, b);
    }
    assert_int_equal(fclose(stream), 0);
    written = true;
    return path;
}

static int remove_data(void **state)
{
    (void)state;
    return unlink(data_path());
}

#define LOGISTIC(more)                                                                                                 \
    "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [8, 2]}, \"problem\": {\"type\": \"logistic\", \"data\": "      \
    "{\"format\": \"libsvm\", \"path\": \"%s\"}}, \"optimizer\": {\"step_size\": 0.5, \"steps\": 22, \"batch_size\": " \
    "4}, \"seeds\": 3, \"measure_every\": 3, \"bounds\": [], \"figures\": [\"sandwich\"]" more "}"

static void prepare_logistic(whole *x, const char *pattern)
{
    char text[2048];
    *x = (whole){.e = {0}};
    snprintf(text, sizeof text, pattern, data_path());
    prepare(x, text);
}

/* The first half of the training data, as data that no worker holds. */
static void add_test_data(whole *x)
{
    hsgd_dataset *test = &x->problem.test;
    assert_ok(hsgd_dataset_read_libsvm(test, data_path(), &err), err);
    test->num_samples /= 2;
    x->problem.has_test = true;
}

static void run_with(whole *x, int threads)
{
    hsgd_experiment_options options = {.threads = threads};
    assert_ok(hsgd_experiment_run(&x->e, &x->config, &x->problem, &options, &err), err);
}

static char *text_of(const char *dir, const char *name)
{
    char path[128];
    static char text[1 << 20];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    assert_true(length > 0 && length < sizeof text - 1);
    text[length] = '\0';
    fclose(file);
    unlink(path);
    return text;
}

#define EVALUATED                                                                                                      \
    ", \"evaluate_every\": 2, \"targets\": [{\"quantity\": \"test_accuracy\", \"value\": 0.7}, {\"quantity\": "        \
    "\"loss\", \"value\": 0.0001}]"
#define MODELLED                                                                                                       \
    ", \"communication\": {\"levels\": [{\"latency_s\": 1, \"bandwidth_bytes_per_s\": 100}, {\"latency_s\": 0.01, "    \
    "\"bandwidth_bytes_per_s\": 1000}], \"compute_s_per_step\": 0.1}"

/* Share of the labels that the sign of w'x has, from the points at which the first seed ended. */
static double accuracy_of(const hsgd_dataset *data, const double *w)
{
    size_t right = 0;
    for (size_t s = 0; s < data->num_samples; s++) {
        double z = 0;
        for (size_t e = data->row_start[s]; e < data->row_start[s + 1]; e++)
            z += data->value[e] * w[data->column[e]];
        right += (z > 0) == (data->class_value[data->label[s]] > 0);
    }
    return (double)right / (double)data->num_samples;
}

/* One seed, so that the mean is its value; measured at 0, 3, .., 21, evaluated at 0, 6, 12, 18 and T. */
static void final_accuracies_are_those_of_the_final_point(void **state)
{
    (void)state;
    whole x;
    prepare_logistic(&x, LOGISTIC(EVALUATED));
    add_test_data(&x);
    x.config.seeds = 1;
    run_with(&x, 1);
    const hsgd_summary *s = &x.e.run[HSGD_RUN_MAIN].summary;
    assert_int_equal(s->num_rows, 8);
    const hsgd_estimate *last = s->metric + 8 * HSGD_NUM_METRICS;
    assert_close(last[HSGD_TRAIN_ACCURACY].mean, accuracy_of(&x.problem.data, x.e.final_point), 1e-15);
    assert_close(last[HSGD_TEST_ACCURACY].mean, accuracy_of(&x.problem.test, x.e.final_point), 1e-15);
    assert_true(last[HSGD_TRAIN_ACCURACY].mean > 0.75); /* it learned something */
    assert_close(last[HSGD_TRAIN_LOSS].mean, s->final_loss.mean, 1e-12);
    for (size_t row = 0; row < 8; row++)
        assert_int_equal(isnan(s->metric[row * HSGD_NUM_METRICS + HSGD_TEST_LOSS].mean), row % 2 != 0);
    const hsgd_reached *reached = x.e.run[HSGD_RUN_MAIN].reached;
    assert_true(reached[0].num_runs == 1 && reached[0].num_reached == 1 && (size_t)reached[0].step[0] % 6 == 0);
    assert_int_equal(reached[1].num_reached, 0);
    release(&x);
}

/* 22 steps of 0.1 s; models of 3 parameters, 12 bytes: hops of 1.12 s and 0.022 s. H-SGD: 2 averages of the root, 9 of the
 * groups. Local SGD with I = 2: 11 of the root; with G = 8: 2. */
static void seconds_and_bytes_in_closed_form(void **state)
{
    (void)state;
    whole x;
    prepare_logistic(&x, LOGISTIC(MODELLED));
    run_with(&x, 1);
    const double root_s = 2 * (1.12 + 0.022), group_s = 2 * 0.022;
    const double averages[] = {2, 11, 2},
                 want_s[] = {2.2 + 2 * root_s + 9 * group_s, 2.2 + 11 * root_s, 2.2 + 2 * root_s};
    const double low_averages[] = {11, 11, 2}; /* at which workers talk to their groups */
    for (int i = 0; i < HSGD_NUM_RUNS; i++) {
        const hsgd_run_costs *costs = &x.e.run[i].costs;
        assert_int_equal(costs->num_rows, 9);
        assert_near(costs->time_s[8].mean, want_s[i], 1e-13);
        assert_true(costs->time_s[8].se == 0 && costs->time_s[0].mean == 0);
        assert_true(costs->bytes[8 * 2] == averages[i] * 2 * 2 * 12);
        assert_true(costs->bytes[8 * 2 + 1] == low_averages[i] * 4 * 2 * 12);
    }
    release(&x);
}

/* Velocities that are averaged go along with the models: 24 bytes instead of 12. */
static void averaged_velocities_are_sent_too(void **state)
{
    (void)state;
#define MOMENTUM(rule) LOGISTIC(MODELLED ", \"variant\": {\"momentum\": 0.5, \"momentum_at_averages\": \"" rule "\"}")
    static const char *const pattern[] = {MOMENTUM("keep"), MOMENTUM("reset"), MOMENTUM("average")};
    for (size_t i = 0; i < 3; i++) {
        whole x;
        prepare_logistic(&x, pattern[i]);
        run_with(&x, 1);
        const hsgd_run_costs *costs = &x.e.run[HSGD_RUN_MAIN].costs;
        assert_true(costs->bytes[8 * 2] == 2 * 2 * 2 * (i == 2 ? 24 : 12));
        double low_s = i == 2 ? 0.034 : 0.022, root_s = low_s + (i == 2 ? 1.24 : 1.12);
        assert_near(costs->time_s[8].mean, 2.2 + 2 * 2 * root_s + 9 * 2 * low_s, 1e-12);
        release(&x);
    }
}

/* Full gradients: the path is the same for all seeds, delays are not, so times have intervals of three seeds. */
static void late_workers_of_a_path_without_noise(void **state)
{
    (void)state;
    whole x;
    prepare_logistic(&x, LOGISTIC(", \"targets\": [{\"quantity\": \"loss\", \"value\": 0.6}], \"communication\": "
                                  "{\"straggler\": {\"distribution\": \"exponential\", \"mean_s\": 1}}"));
    x.config.batch_size = 0;
    run_with(&x, 2);
    const hsgd_run *run = &x.e.run[HSGD_RUN_MAIN];
    assert_true(x.e.deterministic && run->num_seeds == 1 && run->costs.num_seeds == 3);
    assert_true(run->costs.time_s[8].se > 0 && run->costs.time_s[8].count == 3);
    assert_true(run->reached[0].num_runs == 3 && run->reached[0].num_reached == 3);
    assert_true(run->reached[0].over_steps.deviation == 0 && run->reached[0].over_time_s.deviation > 0);
    release(&x);
}

/* Every number of series.csv, to the last digit, and the rest of the results. */
static void the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    char dir[64], *one = NULL;
    make_folder(dir, sizeof dir);
    for (int threads = 1; threads <= 4; threads++) {
        whole x;
        prepare_logistic(&x, LOGISTIC(EVALUATED MODELLED));
        x.config.communication.straggler = (hsgd_straggler){HSGD_STRAGGLER_LOGNORMAL, 0.1, 1};
        add_test_data(&x);
        run_with(&x, threads);
        assert_ok(hsgd_result_write_series(&x.e, dir, &err), err);
        const char *text = text_of(dir, "series.csv");
        if (threads == 1)
            one = strdup(text);
        assert_string_equal(one, text);
        release(&x);
    }
    free(one);
    rmdir(dir);
}

/* ---- what is left behind ---- */

static const double *column(const hsgd_series *series, const char *name)
{
    const double *values = hsgd_series_column(series, name);
    if (!values)
        fail_msg("no column %s", name);
    return values;
}

static void columns_of_the_series(void **state)
{
    (void)state;
    char dir[64], path[80];
    whole x;
    hsgd_series series;
    make_folder(dir, sizeof dir);
    prepare_logistic(&x, LOGISTIC(EVALUATED MODELLED));
    add_test_data(&x);
    run_with(&x, 1);
    assert_ok(hsgd_result_write_series(&x.e, dir, &err), err);
    snprintf(path, sizeof path, "%s/series.csv", dir);
    assert_ok(hsgd_series_read(&series, path, &err), err);
    static const char *const suffix[] = {"", "_inner", "_outer"};
    for (int i = 0; i < HSGD_NUM_RUNS; i++)
        for (size_t row = 0; row < series.num_rows; row++) {
            const hsgd_run *run = &x.e.run[i];
            char name[64];
            snprintf(name, sizeof name, "test_accuracy%s", suffix[i]);
            double accuracy = run->summary.metric[row * HSGD_NUM_METRICS + HSGD_TEST_ACCURACY].mean;
            assert_true(column(&series, name)[row] == accuracy || (row % 2 && isnan(accuracy)));
            snprintf(name, sizeof name, "time_s%s", suffix[i]);
            assert_true(column(&series, name)[row] == run->costs.time_s[row].mean);
            snprintf(name, sizeof name, "bytes_level_2%s", suffix[i]);
            assert_true(column(&series, name)[row] == run->costs.bytes[row * 2 + 1]);
            snprintf(name, sizeof name, "loss%s", suffix[i]);
            assert_true(column(&series, name)[row] == run->summary.loss[row].mean);
            snprintf(name, sizeof name, "S%s", suffix[i]);
            double S = run->summary.S_until[row].mean;
            assert_true(column(&series, name)[row] == S || (row == 0 && isnan(S)));
        }
    /* at the end of what earlier versions wrote, and before what tells the runs apart */
    size_t last = 0;
    while (last < series.num_columns && strcmp(series.name[last], "S_outer_se") != 0)
        last++;
    assert_true(last + 1 < series.num_columns);
    assert_string_equal(series.name[last + 1], "loss_sd");
    assert_string_equal(series.name[series.num_columns - 1], "S_outer_max");
    hsgd_series_free(&series);
    unlink(path);
    rmdir(dir);
    release(&x);
}

static const cJSON *at(const cJSON *object, const char *path)
{
    char copy[128], *rest = copy, *key;
    snprintf(copy, sizeof copy, "%s", path);
    while ((key = strsep(&rest, "/"))) {
        object = *key >= '0' && *key <= '9' ? cJSON_GetArrayItem(object, atoi(key))
                                            : cJSON_GetObjectItemCaseSensitive(object, key);
        if (!object)
            fail_msg("no %s of %s in result.json", key, path);
    }
    return object;
}

static void members_of_the_result(void **state)
{
    (void)state;
    char dir[64];
    whole x;
    make_folder(dir, sizeof dir);
    prepare_logistic(&x, LOGISTIC(EVALUATED MODELLED));
    add_test_data(&x);
    run_with(&x, 1);
    assert_ok(hsgd_result_write_json(&x.e, dir, NULL, 0, &err), err);
    cJSON *r = cJSON_Parse(text_of(dir, "result.json"));
    assert_non_null(r);
    const hsgd_run *outer = &x.e.run[HSGD_RUN_OUTER];
    assert_true(at(r, "metrics/hsgd/final/test_accuracy/mean")->valuedouble ==
                x.e.run[0].summary.metric[8 * HSGD_NUM_METRICS + HSGD_TEST_ACCURACY].mean);
    assert_true(at(r, "metrics/local-sgd-outer/best/train_loss/mean")->valuedouble ==
                outer->summary.metric_best[HSGD_TRAIN_LOSS].mean);
    assert_int_equal(cJSON_GetArraySize(at(r, "metrics/hsgd/final/train_loss/ci")), 2);
    assert_string_equal(at(r, "targets/0/quantity")->valuestring, "test_accuracy");
    assert_int_equal(at(r, "targets/0/hsgd/runs")->valueint, 3);
    assert_int_equal(at(r, "targets/1/hsgd/reached")->valueint, 0);
    assert_true(cJSON_IsNull(at(r, "targets/1/hsgd/step/mean")));
    assert_int_equal(cJSON_GetArraySize(at(r, "targets/1/local-sgd-inner/times_of_runs_s")), 3);
    assert_int_equal(at(r, "targets/0/local-sgd-inner/steps_per_round")->valueint, 2);
    assert_true(at(r, "communication/local-sgd-outer/time_s/mean")->valuedouble == outer->costs.time_s[8].mean);
    assert_true(at(r, "communication/hsgd/bytes_level/0")->valuedouble == 96);
    assert_true(at(r, "communication/bytes_per_message")->valuedouble == 12);
    cJSON_Delete(r);
    rmdir(dir);
    release(&x);
}

static void nothing_where_nothing_was_asked_for(void **state)
{
    (void)state;
    char dir[64], *text = NULL;
    size_t size;
    whole x;
    make_folder(dir, sizeof dir);
    prepare_logistic(&x, LOGISTIC(""));
    run_with(&x, 1);
    assert_ok(hsgd_result_write_series(&x.e, dir, &err), err);
    assert_ok(hsgd_result_write_json(&x.e, dir, NULL, 0, &err), err);
    const char *const words[] = {"accuracy",      "time_s",      "bytes_level", "target",
                                 "communication", "\"metrics\"", "modelled"};
    FILE *memory = open_memstream(&text, &size);
    hsgd_result_print(&x.e, memory);
    fclose(memory);
    const char *json = text_of(dir, "result.json");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_true(!strstr(json, words[i]) && !strstr(text, words[i]));
    const char *series = text_of(dir, "series.csv");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_null(strstr(series, words[i]));
    free(text);
    rmdir(dir);
    release(&x);
}

static void the_table_says_how_many_reached_a_target(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    whole x;
    prepare_logistic(&x, LOGISTIC(EVALUATED MODELLED));
    add_test_data(&x);
    run_with(&x, 1);
    FILE *memory = open_memstream(&text, &size);
    hsgd_result_print(&x.e, memory);
    fclose(memory);
    const char *const parts[] = {"accuracy    H-SGD: train 0.",
                                 "; test 0.",
                                 "local SGD, I = 2: ",
                                 "3 of 3",
                                 "loss <= 0.0001           H-SGD                     0 of 3",
                                 "96 B at level 1",
                                 "test_accuracy >= 0.7"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(text, parts[i]))
            fail_msg("\"%s\" is not in\n%s", parts[i], text);
    free(text);
    release(&x);
}

static char *report_of(const whole *x, hsgd_report_format format)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    assert_non_null(memory);
    hsgd_report_print(&x->e, format, memory);
    fclose(memory);
    return text;
}

/* Three tables more than without, in each format; LaTeX that is well formed. */
static void the_report_has_tables_for_papers(void **state)
{
    (void)state;
    whole x, without;
    prepare_logistic(&x, LOGISTIC(EVALUATED MODELLED));
    add_test_data(&x);
    run_with(&x, 1);
    prepare_logistic(&without, LOGISTIC(""));
    run_with(&without, 1);
    char *tex = report_of(&x, HSGD_REPORT_LATEX), *plain = report_of(&without, HSGD_REPORT_LATEX);
    assert_int_equal(check_latex(tex), check_latex(plain) + 3);
    assert_non_null(strstr(tex, "test accuracy $\\ge$ 0.7 & H-SGD & 3 of 3"));
    char *text = report_of(&x, HSGD_REPORT_TEXT);
    const char *const parts[] = {"Losses and accuracies at step T", "Modelled time and traffic until step T", "Targets",
                                 "loss <= 0.0001", "0 of 3"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(text, parts[i]))
            fail_msg("\"%s\" is not in\n%s", parts[i], text);
    free(tex);
    free(plain);
    free(text);
    release(&x);
    release(&without);
}

static void test_accuracy_needs_test_data(void **state)
{
    (void)state;
    whole x;
    prepare_logistic(&x, LOGISTIC(EVALUATED));
    hsgd_experiment_options options = {.threads = 1};
    assert_fails(hsgd_experiment_run(&x.e, &x.config, &x.problem, &options, &err), HSGD_ERROR_INPUT,
                 "targets[0].quantity: \"test_accuracy\"", err);
    hsgd_problem_free(&x.problem);
    hsgd_config_free(&x.config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(final_accuracies_are_those_of_the_final_point),
        cmocka_unit_test(seconds_and_bytes_in_closed_form),
        cmocka_unit_test(averaged_velocities_are_sent_too),
        cmocka_unit_test(late_workers_of_a_path_without_noise),
        cmocka_unit_test(the_same_for_any_number_of_threads),
        cmocka_unit_test(columns_of_the_series),
        cmocka_unit_test(members_of_the_result),
        cmocka_unit_test(nothing_where_nothing_was_asked_for),
        cmocka_unit_test(the_table_says_how_many_reached_a_target),
        cmocka_unit_test(the_report_has_tables_for_papers),
        cmocka_unit_test(test_accuracy_needs_test_data),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, remove_data);
}
