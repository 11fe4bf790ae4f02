/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loss and accuracy: of the linear models sample by sample in long double, of a run against the function it calls, against
 * f itself, and for any number of threads; means over seeds by hand. */
#include "tests/analysis/class_data.h"
#include "tests/analysis/paths.h"
#include "tests/analysis/trees.h"

#include "analysis/engine_private.h"
#include "analysis/ensemble.h"
#include "analysis/linear_model.h"

static hsgd_error err;

/* ---- data: more than one piece of 512 samples, and blocks of 64 that are not full ---- */

enum { FEATURES = 7, WORKERS = 4, SAMPLES = 1320, TEST_SAMPLES = 601, MAX_DIM = 3 * FEATURES };
static const size_t start[WORKERS + 1] = {0, 330, 660, 990, SAMPLES};

static hsgd_dataset dense_data(size_t samples, uint32_t classes, uint64_t seed)
{
    hsgd_dataset d = {.num_samples = samples, .num_features = FEATURES, .num_classes = classes};
    d.dense = malloc(samples * FEATURES * sizeof *d.dense);
    d.label = malloc(samples * sizeof *d.label);
    hsgd_normals(&(hsgd_stream){seed, HSGD_PURPOSE_USER, 0, 0}, 1.1, d.dense, samples * FEATURES);
    for (size_t i = 0; i < samples * FEATURES; i++)
        d.dense[i] = i * 31 % 10 < 4 ? 0 : d.dense[i];
    for (size_t s = 0; s < samples; s++) { /* labels that the first features know something about */
        double known = 2 * d.dense[s * FEATURES] + d.dense[s * FEATURES + 1];
        d.label[s] = known > 0.3 ? classes - 1 : known < -0.8 ? 0 : (uint32_t)(s % classes);
    }
    return d;
}

typedef struct fixture {
    hsgd_link link;
    hsgd_dataset train, test, sparse_test;
    hsgd_objective f;
    hsgd_hierarchy h;
    double point[MAX_DIM];
    double *scratch;
} fixture;

static void open_fixture(fixture *x, hsgd_link link)
{
    const uint32_t classes = link == HSGD_LINK_LOGISTIC ? 2 : 3;
    x->link = link;
    x->train = dense_data(SAMPLES, classes, 3);
    x->test = dense_data(TEST_SAMPLES, classes, 4);
    x->sparse_test = sparse_copy(&x->test);
    assert_ok(hsgd_linear_model_objective(&x->f, link, &x->train, start, WORKERS,
                                          (hsgd_regularizer){HSGD_REGULARIZER_NONE, 0}, &err),
              err);
    x->h = uniform((size_t[]){2, 2}, (size_t[]){4, 2}, 2);
    hsgd_normals(&(hsgd_stream){6, HSGD_PURPOSE_USER, 0, 0}, 0.8, x->point, MAX_DIM);
    x->scratch = malloc(x->f.type->scratch_size(&x->f, 0) * sizeof *x->scratch);
    assert_non_null(x->scratch);
}

static void close_fixture(fixture *x)
{
    hsgd_objective_free(&x->f);
    hsgd_hierarchy_free(&x->h);
    hsgd_dataset_free(&x->train);
    hsgd_dataset_free(&x->test);
    hsgd_dataset_free(&x->sparse_test);
    free(x->scratch);
}

/* ---- the linear models ---- */

static double score(const double *point, const double *row)
{
    long double z = 0;
    for (size_t i = 0; i < FEATURES; i++)
        z += (long double)point[i] * row[i];
    return (double)z;
}

/* Loss of one sample from its formula, and whether its label has the largest probability. */
static long double loss_of_sample(const fixture *x, const double *row, uint32_t label, bool *right)
{
    if (x->link == HSGD_LINK_LOGISTIC) {
        double z = score(x->point, row);
        *right = (z > 0) == (label == 1);
        return logl(1 + expl(label ? -z : z));
    }
    long double sum = 0;
    *right = true;
    for (size_t c = 0; c < 3; c++) {
        double z = score(x->point + c * FEATURES, row);
        sum += expl(z);
        *right &= c == label || z < score(x->point + label * FEATURES, row);
    }
    return logl(sum) - score(x->point + label * FEATURES, row);
}

static void check_samples(const fixture *x, const hsgd_dataset *data, size_t first, size_t count)
{
    double loss_sum;
    size_t num_right, want_right = 0;
    long double want = 0;
    for (size_t s = first; s < first + count; s++) {
        bool right;
        want += loss_of_sample(x, x->test.dense + s * FEATURES, x->test.label[s], &right);
        want_right += right;
    }
    x->f.type->evaluate(&x->f, x->point, data, first, count, &loss_sum, &num_right, x->scratch);
    assert_close(loss_sum, (double)want, 1e-13);
    assert_int_equal(num_right, want_right);
    assert_true(count < 20 || (num_right > 0 && num_right < count)); /* some of both */
}

static void linear_models_sample_by_sample(void **state)
{
    (void)state;
    for (int link = HSGD_LINK_LOGISTIC; link <= HSGD_LINK_SOFTMAX; link++) {
        fixture x;
        open_fixture(&x, (hsgd_link)link);
        for_each_path(path)
        {
            check_samples(&x, &x.test, 0, TEST_SAMPLES);
            check_samples(&x, &x.sparse_test, 0, TEST_SAMPLES);
            check_samples(&x, &x.test, 17, 130);
            check_samples(&x, &x.sparse_test, 600, 1);
        }
        close_fixture(&x);
    }
}

/* At the origin all scores are equal: the first class is predicted, once per sample. NaN predicts nothing. */
static void ties_and_nan(void **state)
{
    (void)state;
    for (int link = HSGD_LINK_LOGISTIC; link <= HSGD_LINK_SOFTMAX; link++) {
        fixture x;
        double loss_sum;
        size_t num_right, first_class = 0;
        open_fixture(&x, (hsgd_link)link);
        memset(x.point, 0, sizeof x.point);
        for (size_t s = 0; s < TEST_SAMPLES; s++)
            first_class += x.test.label[s] == 0;
        x.f.type->evaluate(&x.f, x.point, &x.test, 0, TEST_SAMPLES, &loss_sum, &num_right, x.scratch);
        assert_int_equal(num_right, first_class);
        assert_close(loss_sum, TEST_SAMPLES * log(link == HSGD_LINK_LOGISTIC ? 2 : 3), 1e-13);
        for (size_t i = 0; i < MAX_DIM; i++)
            x.point[i] = NAN;
        x.f.type->evaluate(&x.f, x.point, &x.test, 0, TEST_SAMPLES, &loss_sum, &num_right, x.scratch);
        assert_int_equal(num_right, 0);
        close_fixture(&x);
    }
}

/* ---- in a run ---- */

static hsgd_simulation simulation_of(const fixture *x)
{
    static const double origin[MAX_DIM];
    return (hsgd_simulation){.objective = &x->f,
                             .hierarchy = &x->h,
                             .initial = origin,
                             .step_size = 0.4,
                             .steps = 21,
                             .batch_size = 5,
                             .measure_every = 2,
                             .evaluate_every = 4,
                             .train = &x->train,
                             .test = &x->sparse_test,
                             .seed = 12,
                             .threads = 1};
}

/* Measured at 0, 2, .., 20 (11 rows): evaluated at rows 0, 4, 8 and at T. Workers have equally many samples and there is no
 * regulariser, so the training loss is f(wbar), which the run measures in another way. */
static void a_run_is_evaluated_where_it_is_due(void **state)
{
    (void)state;
    for (int link = HSGD_LINK_LOGISTIC; link <= HSGD_LINK_SOFTMAX; link++) {
        fixture x;
        hsgd_trace trace;
        open_fixture(&x, (hsgd_link)link);
        hsgd_simulation s = simulation_of(&x);
        assert_ok(hsgd_simulate(&trace, &s, &err), err);
        assert_int_equal(trace.num_measured, 11);
        for (size_t row = 0; row <= 11; row++) {
            const double *metric = trace.metric + row * HSGD_NUM_METRICS;
            bool due = row % 4 == 0 || row == 11;
            for (int m = 0; m < HSGD_NUM_METRICS; m++)
                assert_int_equal(isnan(metric[m]), !due);
            if (due)
                assert_close(metric[HSGD_TRAIN_LOSS], trace.loss[row], 1e-12);
        }
        double loss_sum;
        size_t right;
        x.f.type->evaluate(&x.f, trace.final_point, &x.test, 0, TEST_SAMPLES, &loss_sum, &right, x.scratch);
        const double *last = trace.metric + 11 * HSGD_NUM_METRICS;
        assert_close(last[HSGD_TEST_LOSS], loss_sum / TEST_SAMPLES, 1e-12);
        assert_close(last[HSGD_TEST_ACCURACY], (double)right / TEST_SAMPLES, 1e-15);
        x.f.type->evaluate(&x.f, trace.final_point, &x.train, 0, SAMPLES, &loss_sum, &right, x.scratch);
        assert_close(last[HSGD_TRAIN_ACCURACY], (double)right / SAMPLES, 1e-15);
        assert_true(last[HSGD_TRAIN_LOSS] < 0.9 * trace.metric[HSGD_TRAIN_LOSS]); /* it learns */
        hsgd_trace_free(&trace);
        close_fixture(&x);
    }
}

static void the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    fixture x;
    hsgd_trace one, many;
    open_fixture(&x, HSGD_LINK_SOFTMAX);
    hsgd_simulation s = simulation_of(&x);
    assert_ok(hsgd_simulate(&one, &s, &err), err);
    s.eager_threads = true;
    for (s.threads = 2; s.threads <= 5; s.threads++) {
        s.shuffle = (uint64_t)s.threads;
        assert_ok(hsgd_simulate(&many, &s, &err), err);
        assert_memory_equal(one.metric, many.metric, 12 * HSGD_NUM_METRICS * sizeof *one.metric);
        assert_memory_equal(one.loss, many.loss, 12 * sizeof *one.loss);
        hsgd_trace_free(&many);
    }
    /* and evaluation changes nothing else */
    s = simulation_of(&x);
    s.evaluate_every = 0;
    assert_ok(hsgd_simulate(&many, &s, &err), err);
    assert_null(many.metric);
    assert_memory_equal(one.final_point, many.final_point, one.dim * sizeof *one.final_point);
    hsgd_trace_free(&many);
    hsgd_trace_free(&one);
    close_fixture(&x);
}

static void what_cannot_be_evaluated_is_refused(void **state)
{
    (void)state;
    fixture x;
    hsgd_trace trace;
    open_fixture(&x, HSGD_LINK_LOGISTIC);
    hsgd_simulation s = simulation_of(&x);
    hsgd_dataset other = x.test;
    other.num_features = FEATURES + 1;
    s.test = &other;
    assert_fails(hsgd_simulate(&trace, &s, &err), HSGD_ERROR_INPUT, "8 features", err);
    s.test = NULL;
    s.train = NULL;
    assert_fails(hsgd_simulate(&trace, &s, &err), HSGD_ERROR_INPUT, "no labels", err);
    close_fixture(&x);
}

/* ---- means over seeds ---- */

/* Three runs of one measured step and T: means, standard errors and best values by hand. */
static void means_and_best_values_by_hand(void **state)
{
    (void)state;
    hsgd_objective f = {.dim = 1, .num_workers = 4};
    hsgd_hierarchy h = uniform((size_t[]){4}, (size_t[]){1}, 1);
    hsgd_simulation s = {.objective = &f, .hierarchy = &h, .steps = 2, .measure_every = 1, .evaluate_every = 1};
    hsgd_trace trace[3];
    const double accuracy[3][3] = {{0.25, 0.75, 0.5}, {0.5, 0.5, 0.5}, {0, 0.25, 1}};
    hsgd_ensemble e = {.num_seeds = 3, .trace = trace};
    hsgd_summary summary;
    for (size_t r = 0; r < 3; r++) {
        assert_ok(hsgd_trace_alloc(&trace[r], &s, &err), err);
        for (size_t row = 0; row < 3; row++) {
            trace[r].metric[row * HSGD_NUM_METRICS + HSGD_TRAIN_ACCURACY] = accuracy[r][row];
            trace[r].metric[row * HSGD_NUM_METRICS + HSGD_TRAIN_LOSS] = accuracy[r][row];
        }
    }
    trace[1].metric[2 * HSGD_NUM_METRICS + HSGD_TRAIN_LOSS] = NAN; /* as in a run that diverged */
    assert_ok(hsgd_summarize(&summary, &e, 2, 1, false, &err), err);
    const hsgd_estimate *end = summary.metric + 2 * HSGD_NUM_METRICS;
    assert_close(end[HSGD_TRAIN_ACCURACY].mean, 2.0 / 3, 1e-15);
    assert_close(end[HSGD_TRAIN_ACCURACY].se, 1.0 / 6, 1e-14); /* deviations -1/6, -1/6, 1/3; / sqrt(2 * 3) */
    assert_close(summary.metric_best[HSGD_TRAIN_ACCURACY].mean, 0.75, 1e-15); /* of 0.75, 0.5, 1 */
    assert_close(summary.metric_best[HSGD_TRAIN_LOSS].mean, 0.25, 1e-15);     /* of 0.25, 0.5, 0 */
    assert_true(isnan(end[HSGD_TRAIN_LOSS].mean) && isnan(end[HSGD_TEST_LOSS].mean));
    assert_int_equal(summary.metric_best[HSGD_TEST_ACCURACY].count, 0);
    hsgd_summary_free(&summary);
    for (size_t r = 0; r < 3; r++)
        hsgd_trace_free(&trace[r]);
    hsgd_hierarchy_free(&h);
}

/* One run: where nothing is random it says all, without an error; otherwise nothing is known about the error. A loss that is
 * not finite is no number either way. */
static void one_run_has_an_error_unless_nothing_is_random(void **state)
{
    (void)state;
    hsgd_objective f = {.dim = 1, .num_workers = 4};
    hsgd_hierarchy h = uniform((size_t[]){4}, (size_t[]){1}, 1);
    hsgd_simulation s = {.objective = &f, .hierarchy = &h, .steps = 1, .measure_every = 1, .evaluate_every = 1};
    hsgd_trace trace;
    hsgd_ensemble e = {.num_seeds = 1, .trace = &trace};
    assert_ok(hsgd_trace_alloc(&trace, &s, &err), err);
    for (size_t row = 0; row < 2; row++) {
        trace.metric[row * HSGD_NUM_METRICS + HSGD_TRAIN_ACCURACY] = 0.25 + 0.5 * (double)row;
        trace.metric[row * HSGD_NUM_METRICS + HSGD_TRAIN_LOSS] = row ? INFINITY : 0.7;
    }
    for (int deterministic = 0; deterministic < 2; deterministic++) {
        hsgd_summary summary;
        assert_ok(hsgd_summarize(&summary, &e, 1, 1, deterministic, &err), err);
        const hsgd_estimate *end = summary.metric + HSGD_NUM_METRICS, *best = summary.metric_best;
        const hsgd_scatter *scatter = summary.metric_scatter + HSGD_NUM_METRICS;
        assert_true(end[HSGD_TRAIN_ACCURACY].mean == 0.75 && best[HSGD_TRAIN_ACCURACY].mean == 0.75);
        assert_true(scatter[HSGD_TRAIN_ACCURACY].low == 0.75 && scatter[HSGD_TRAIN_ACCURACY].high == 0.75);
        const double error[] = {end[HSGD_TRAIN_ACCURACY].se, best[HSGD_TRAIN_ACCURACY].se,
                                scatter[HSGD_TRAIN_ACCURACY].sd};
        for (size_t i = 0; i < 3; i++)
            assert_true(deterministic ? error[i] == 0 : !isfinite(error[i]));
        assert_true(isnan(end[HSGD_TRAIN_LOSS].mean) && isnan(end[HSGD_TRAIN_LOSS].se));
        assert_false(isfinite(scatter[HSGD_TRAIN_LOSS].sd));
        hsgd_summary_free(&summary);
    }
    hsgd_trace_free(&trace);
    hsgd_hierarchy_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_models_sample_by_sample),
        cmocka_unit_test(ties_and_nan),
        cmocka_unit_test(a_run_is_evaluated_where_it_is_due),
        cmocka_unit_test(the_same_for_any_number_of_threads),
        cmocka_unit_test(what_cannot_be_evaluated_is_refused),
        cmocka_unit_test(means_and_best_values_by_hand),
        cmocka_unit_test(one_run_has_an_error_unless_nothing_is_random),
    };
    return cmocka_run_group_tests_name("evaluation", tests, NULL, NULL);
}
