/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The mixture data against their definition: equal classes, moments of the centres and of the samples about them, and what a
 * sample depends on. Statistical checks use fixed seeds; each bound is at least 5 standard errors wide, so that one would
 * fail by chance in less than one of a million new seeds. */
#include "tests/test.h"

#include "analysis/mixture.h"

static hsgd_error err;

static void defaults(void **state)
{
    (void)state;
    hsgd_mixture_options o;
    memset(&o, 0xa5, sizeof o);
    hsgd_mixture_defaults(&o);
    assert_true(o.features == 20 && o.classes == 10 && o.clusters == 3 && o.samples_per_class == 200 && o.spread == 1 &&
                o.seed == 1);
}

static void classes_are_equal(void **state)
{
    (void)state;
    const hsgd_mixture_options o = {
        .features = 3, .classes = 5, .clusters = 4, .samples_per_class = 7, .spread = 0.6, .seed = 2};
    hsgd_dataset data;
    assert_ok(hsgd_mixture_generate(&data, &o, &err), err);
    assert_true(data.num_samples == 35 && data.num_features == 3 && data.num_classes == 5 && data.num_users == 0);
    size_t count[5] = {0};
    for (size_t s = 0; s < 35; s++)
        count[data.label[s]]++;
    for (size_t c = 0; c < 5; c++)
        assert_true(count[c] == 7 && data.class_value[c] == (double)c);
    hsgd_dataset_free(&data);
}

/* Mean 0 and variance spread^2, whatever the class and the cluster; no two of them alike. */
static void centres_are_normal(void **state)
{
    (void)state;
    enum { CLASSES = 40, CLUSTERS = 10, FEATURES = 25, ALL = CLASSES * CLUSTERS * FEATURES };
    const hsgd_mixture_options o = {.features = FEATURES,
                                    .classes = CLASSES,
                                    .clusters = CLUSTERS,
                                    .samples_per_class = 1,
                                    .spread = 2.3,
                                    .seed = 9};
    static double m[CLASSES][CLUSTERS][FEATURES];
    double mean = 0, variance = 0, classes = 0, clusters = 0;
    for (size_t c = 0; c < CLASSES; c++)
        for (size_t k = 0; k < CLUSTERS; k++) {
            hsgd_mixture_centre(m[c][k], &o, c, k);
            for (size_t j = 0; j < FEATURES; j++) {
                mean += m[c][k][j] / ALL;
                variance += m[c][k][j] * m[c][k][j] / ALL;
                classes += c > 0 ? m[c][k][j] * m[c - 1][k][j] / ALL : 0;
                clusters += k > 0 ? m[c][k][j] * m[c][k - 1][j] / ALL : 0;
            }
        }
    assert_true(fabs(mean) < 5 * 2.3 / sqrt(ALL));
    assert_true(fabs(variance / (2.3 * 2.3) - 1) < 5 * sqrt(2.0 / ALL));
    assert_true(fabs(classes / (2.3 * 2.3)) < 5 / sqrt(ALL));
    assert_true(fabs(clusters / (2.3 * 2.3)) < 5 / sqrt(ALL));
}

/* About the centre of cluster i mod K, sample i of a class has mean 0, variance 1 and no correlation. */
static void samples_are_normal_about_their_centres(void **state)
{
    (void)state;
    enum { FEATURES = 4, CLASSES = 3, CLUSTERS = 3, SAMPLES = 4000 };
    const hsgd_mixture_options o = {.features = FEATURES,
                                    .classes = CLASSES,
                                    .clusters = CLUSTERS,
                                    .samples_per_class = SAMPLES,
                                    .spread = 1.7,
                                    .seed = 4};
    hsgd_dataset data;
    double mean[FEATURES] = {0}, product[FEATURES][FEATURES] = {{0}}, all = CLASSES * SAMPLES;
    assert_ok(hsgd_mixture_generate(&data, &o, &err), err);
    for (size_t s = 0; s < data.num_samples; s++) {
        double centre[FEATURES], *x = data.dense + s * FEATURES;
        hsgd_mixture_centre(centre, &o, data.label[s], s % SAMPLES % CLUSTERS);
        for (size_t i = 0; i < FEATURES; i++) {
            mean[i] += (x[i] - centre[i]) / all;
            for (size_t j = 0; j < FEATURES; j++)
                product[i][j] += (x[i] - centre[i]) * (x[j] - centre[j]) / all;
        }
    }
    for (size_t i = 0; i < FEATURES; i++) {
        assert_true(fabs(mean[i]) < 5 / sqrt(all));
        for (size_t j = 0; j < FEATURES; j++)
            assert_true(fabs(product[i][j] - (i == j)) < 5 * sqrt(2 / all));
    }
    hsgd_dataset_free(&data);
}

/* More classes or samples leave those alone that are there; another seed does not. */
static void samples_do_not_depend_on_others(void **state)
{
    (void)state;
    hsgd_mixture_options o = {
        .features = 5, .classes = 2, .clusters = 3, .samples_per_class = 6, .spread = 0.9, .seed = 12};
    hsgd_dataset few, many;
    assert_ok(hsgd_mixture_generate(&few, &o, &err), err);
    o.classes = 4;
    o.samples_per_class = 9;
    assert_ok(hsgd_mixture_generate(&many, &o, &err), err);
    for (size_t c = 0; c < 2; c++)
        assert_memory_equal(few.dense + c * 6 * 5, many.dense + c * 9 * 5, 6 * 5 * sizeof(double));
    hsgd_dataset_free(&many);
    o.seed = 13;
    assert_ok(hsgd_mixture_generate(&many, &o, &err), err);
    for (size_t i = 0; i < 30; i++)
        assert_true(few.dense[i] != many.dense[i]);
    hsgd_dataset_free(&few);
    hsgd_dataset_free(&many);
}

static void check_refused(size_t features, size_t classes, size_t clusters, size_t samples, double spread,
                          const char *text)
{
    const hsgd_mixture_options o = {features, classes, clusters, samples, spread, 1};
    hsgd_dataset data;
    assert_true(hsgd_mixture_generate(&data, &o, &err) != HSGD_OK);
    assert_non_null(strstr(err.message, text));
    assert_null(data.dense);
}

static void bad_options(void **state)
{
    (void)state;
    check_refused(0, 2, 1, 1, 1, "0 features");
    check_refused(1, 1, 1, 1, 1, "1 classes");
    check_refused(1, 2, 0, 1, 1, "0 clusters");
    check_refused(1, 2, 1, 0, 1, "0 samples");
    check_refused(1, 2, 1, 1, 0, "spread: 0");
    check_refused(1, 2, 1, 1, -1, "spread: -1");
    check_refused(1, 2, 1, 1, NAN, "spread: ");
    check_refused(1, 2, 1, 1, INFINITY, "spread: inf");
    check_refused(100000000, 1000000, 1, 1000000000, 1, "the mixture");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(classes_are_equal),
        cmocka_unit_test(centres_are_normal),
        cmocka_unit_test(samples_are_normal_about_their_centres),
        cmocka_unit_test(samples_do_not_depend_on_others),
        cmocka_unit_test(bad_options),
    };
    return cmocka_run_group_tests_name("mixture", tests, NULL, NULL);
}
