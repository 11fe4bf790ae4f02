/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Statistical checks use fixed seeds, so they pass or fail for good; each says how often it would fail by chance if the
 * seeds were drawn anew and the code were right: with FALSE_ALARM where nothing else is said, 7e-6 over the whole file. */
#include "tests/test.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>

#include "analysis/partition.h"

/* Chance of a false alarm of one statistical check, both sides together. */
#define FALSE_ALARM 1e-6

/* Labels only: a partition looks at nothing else. Sample i has label i % classes, so every class is spread out. */
static void make_labels(hsgd_dataset *data, size_t samples, size_t classes)
{
    *data = (hsgd_dataset){.num_samples = samples, .num_features = 1, .num_classes = classes};
    data->label = calloc(samples, sizeof *data->label);
    assert_non_null(data->label);
    for (size_t i = 0; i < samples; i++)
        data->label[i] = (uint32_t)(i % classes);
}

static hsgd_partition_options options_for(hsgd_partition_scheme scheme, uint64_t seed)
{
    hsgd_partition_options options;
    hsgd_partition_defaults(&options);
    options.scheme = scheme;
    options.seed = seed;
    return options;
}

static size_t size_of(const hsgd_partition *p, size_t worker)
{
    return p->start[worker + 1] - p->start[worker];
}

static size_t spread_of_sizes(const hsgd_partition *p)
{
    size_t least = p->num_samples, most = 0;
    for (size_t j = 0; j < p->num_workers; j++) {
        least = size_of(p, j) < least ? size_of(p, j) : least;
        most = size_of(p, j) > most ? size_of(p, j) : most;
    }
    return most - least;
}

/* Each sample exactly once, at least min_samples everywhere, and histograms recounted from the labels. */
static void check_partition(const hsgd_partition *p, const hsgd_dataset *data, size_t workers, size_t min_samples)
{
    assert_int_equal(p->num_workers, workers);
    assert_int_equal(p->num_samples, data->num_samples);
    assert_int_equal(p->start[0], 0);
    assert_int_equal(p->start[workers], data->num_samples);
    bool *seen = calloc(data->num_samples, sizeof *seen);
    size_t *recount = calloc(data->num_classes, sizeof *recount);
    for (size_t j = 0; j < workers; j++) {
        assert_true(p->start[j] <= p->start[j + 1] && size_of(p, j) >= min_samples);
        memset(recount, 0, data->num_classes * sizeof *recount);
        for (size_t i = p->start[j]; i < p->start[j + 1]; i++) {
            assert_true(p->order[i] < data->num_samples);
            assert_false(seen[p->order[i]]);
            seen[p->order[i]] = true;
            recount[data->label[p->order[i]]]++;
        }
        assert_memory_equal(recount, p->histogram + j * data->num_classes, data->num_classes * sizeof *recount);
    }
    free(seen);
    free(recount);
}

static bool same_partition(const hsgd_partition *a, const hsgd_partition *b)
{
    return memcmp(a->order, b->order, a->num_samples * sizeof *a->order) == 0 &&
           memcmp(a->start, b->start, (a->num_workers + 1) * sizeof *a->start) == 0;
}

static void every_scheme_assigns_each_sample_once(void **state)
{
    (void)state;
    const struct {
        size_t samples, classes, workers, min_samples;
    } cases[] = {{1003, 7, 13, 5}, {64, 3, 16, 1}, {17, 17, 5, 2}, {5, 1, 1, 5}, {1, 1, 1, 1}, {300, 2, 150, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hsgd_dataset data;
        make_labels(&data, cases[i].samples, cases[i].classes);
        for (int scheme = HSGD_PARTITION_IID; scheme <= HSGD_PARTITION_QUANTITY; scheme++)
            for (uint64_t seed = 1; seed <= 5; seed++) {
                hsgd_error err;
                hsgd_partition p;
                hsgd_partition_options options = options_for((hsgd_partition_scheme)scheme, seed);
                options.min_samples = cases[i].min_samples;
                options.shards_per_worker = 1;
                options.alpha = 20;
                options.max_retries = 20000;
                if (scheme == HSGD_PARTITION_DIRICHLET && cases[i].workers > 100)
                    continue; /* two samples each on average: hopeless on purpose, see below */
                assert_ok(hsgd_partition_build(&p, &data, cases[i].workers, &options, &err), err);
                check_partition(&p, &data, cases[i].workers, cases[i].min_samples);
                hsgd_partition_free(&p);
            }
        hsgd_dataset_free(&data);
    }
}

static void the_seed_decides(void **state)
{
    (void)state;
    hsgd_dataset data;
    make_labels(&data, 500, 4);
    for (int scheme = HSGD_PARTITION_IID; scheme <= HSGD_PARTITION_QUANTITY; scheme++) {
        hsgd_error err;
        hsgd_partition a, b, c;
        hsgd_partition_options options = options_for((hsgd_partition_scheme)scheme, 42);
        assert_ok(hsgd_partition_build(&a, &data, 6, &options, &err), err);
        assert_ok(hsgd_partition_build(&b, &data, 6, &options, &err), err);
        options.seed = 43;
        assert_ok(hsgd_partition_build(&c, &data, 6, &options, &err), err);
        assert_true(same_partition(&a, &b));
        assert_false(same_partition(&a, &c));
        hsgd_partition_free(&a);
        hsgd_partition_free(&b);
        hsgd_partition_free(&c);
    }
    hsgd_dataset_free(&data);
}

static void equal_shares_differ_by_at_most_one(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_partition p;
    hsgd_dataset data;
    make_labels(&data, 1003, 7);
    for (size_t workers = 1; workers < 1003; workers += 41) {
        hsgd_partition_options options = options_for(HSGD_PARTITION_IID, 3);
        assert_ok(hsgd_partition_build(&p, &data, workers, &options, &err), err);
        assert_int_equal(spread_of_sizes(&p), 1003 % workers != 0);
        hsgd_partition_free(&p);
        options.scheme = HSGD_PARTITION_BY_LABEL;
        assert_ok(hsgd_partition_build(&p, &data, workers, &options, &err), err);
        assert_int_equal(spread_of_sizes(&p), 1003 % workers != 0);
        hsgd_partition_free(&p);
        options.scheme = HSGD_PARTITION_QUANTITY;
        options.sigma = 0;
        assert_ok(hsgd_partition_build(&p, &data, workers, &options, &err), err);
        assert_true(spread_of_sizes(&p) <= 1);
        hsgd_partition_free(&p);
    }
    hsgd_dataset_free(&data);
}

static void by_label_is_sorted_across_workers(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_partition p;
    hsgd_dataset data;
    make_labels(&data, 1000, 10);
    hsgd_partition_options options = options_for(HSGD_PARTITION_BY_LABEL, 9);
    assert_ok(hsgd_partition_build(&p, &data, 16, &options, &err), err);
    check_partition(&p, &data, 16, 62);
    for (size_t i = 1; i < 1000; i++)
        assert_true(data.label[p.order[i - 1]] <= data.label[p.order[i]]);
    /* Inside a label the order is random: not the order of the file. The ascents of 100 numbers are distributed like the
     * whole part of a sum of 100 uniform ones (Stanley 1977), so by Hoeffding a false alarm has probability 7e-8. */
    size_t ascents = 0;
    for (size_t i = 1; i < 100; i++)
        ascents += p.order[i - 1] < p.order[i];
    assert_true(ascents > 20 && ascents < 80);
    hsgd_partition_free(&p);
    hsgd_dataset_free(&data);
}

/* 10 labels of 100 samples, 20 shards of 50: every shard has one label. A worker's two shards share it with probability
 * 1/19; the number of such draws over 2000 seeds is binomial. */
static void shards_are_pure_and_dealt_at_random(void **state)
{
    (void)state;
    hsgd_dataset data;
    make_labels(&data, 1000, 10);
    unsigned same = 0, draws = 2000;
    for (uint64_t seed = 0; seed < draws; seed++) {
        hsgd_error err;
        hsgd_partition p;
        hsgd_partition_options options = options_for(HSGD_PARTITION_SHARDS, seed);
        assert_ok(hsgd_partition_build(&p, &data, 10, &options, &err), err);
        for (size_t j = 0; j < 10; j++)
            for (size_t c = 0; c < 10; c++)
                assert_int_equal(p.histogram[j * 10 + c] % 50, 0);
        for (size_t c = 0; c < 10; c++)
            same += p.histogram[c] == 100;
        hsgd_partition_free(&p);
    }
    assert_true(gsl_cdf_binomial_P(same, 1.0 / 19, draws) > FALSE_ALARM / 2);
    assert_true(gsl_cdf_binomial_Q(same, 1.0 / 19, draws) > FALSE_ALARM / 2);
    hsgd_dataset_free(&data);
}

/* 14 samples in 8 shards, six of 2 and two of 1, for 2 workers: 7 samples each if each has one of the two, which happens
 * with probability 4/7. No retry in 50 draws: (4/7)^50 = 7e-13. */
static void unequal_shards_are_dealt_again_until_all_have_enough(void **state)
{
    (void)state;
    hsgd_dataset data;
    make_labels(&data, 14, 2);
    size_t retries = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        hsgd_error err;
        hsgd_partition p;
        hsgd_partition_options options = options_for(HSGD_PARTITION_SHARDS, seed);
        options.shards_per_worker = 4;
        options.min_samples = 7;
        assert_ok(hsgd_partition_build(&p, &data, 2, &options, &err), err);
        check_partition(&p, &data, 2, 7);
        retries += p.retries;
        hsgd_partition_free(&p);
        options.max_retries = 0;
        options.shards_per_worker = 7;
        options.min_samples = 1;
        assert_ok(hsgd_partition_build(&p, &data, 2, &options, &err), err);
        hsgd_partition_free(&p);
    }
    assert_true(retries > 0);
    hsgd_dataset_free(&data);
}

/* How often sample i of n = 50 comes to worker j of k = 5. One draw has the covariance n/(n - 1) (1/k)(delta_jj' - 1/k)
 * (delta_ii' - 1/n), so that (n - 1)/n sum (seen - expected)^2/expected is chi-square with (n - 1)(k - 1) degrees of
 * freedom. */
static void iid_is_uniform(void **state)
{
    (void)state;
    enum { SAMPLES = 50, WORKERS = 5, DRAWS = 5000 };
    hsgd_dataset data;
    make_labels(&data, SAMPLES, 2);
    double chi_sq = 0, expected = (double)DRAWS / WORKERS, seen[SAMPLES][WORKERS] = {{0}};
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        hsgd_error err;
        hsgd_partition p;
        hsgd_partition_options options = options_for(HSGD_PARTITION_IID, seed);
        assert_ok(hsgd_partition_build(&p, &data, WORKERS, &options, &err), err);
        for (size_t at = 0; at < SAMPLES; at++)
            seen[p.order[at]][at / (SAMPLES / WORKERS)]++;
        hsgd_partition_free(&p);
    }
    for (size_t i = 0; i < SAMPLES; i++)
        for (size_t j = 0; j < WORKERS; j++)
            chi_sq += (seen[i][j] - expected) * (seen[i][j] - expected) / expected * (SAMPLES - 1) / SAMPLES;
    assert_true(gsl_cdf_chisq_P(chi_sq, (SAMPLES - 1) * (WORKERS - 1)) > FALSE_ALARM / 2);
    assert_true(gsl_cdf_chisq_Q(chi_sq, (SAMPLES - 1) * (WORKERS - 1)) > FALSE_ALARM / 2);
    hsgd_dataset_free(&data);
}

/* A share of Dirichlet(a, .., a) over n workers has mean 1/n and variance (1/n)(1 - 1/n)/(n a + 1): with n = 4, a = 1/2
 * that is 1/16. 20 labels x 2000 seeds give 40000 independent shares of worker 2; no draw is retried, which would
 * condition them (a worker without any sample: below 1e-15). Two two-sided normal checks, FALSE_ALARM together. */
static void dirichlet_shares_have_the_right_moments(void **state)
{
    (void)state;
    hsgd_dataset data;
    make_labels(&data, 4000, 20);
    double count = 0, mean = 0, var = 0, square_dev = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        hsgd_error err;
        hsgd_partition p;
        hsgd_partition_options options = options_for(HSGD_PARTITION_DIRICHLET, seed);
        assert_ok(hsgd_partition_build(&p, &data, 4, &options, &err), err);
        assert_int_equal(p.retries, 0);
        for (size_t c = 0; c < 20; c++) {
            double deviation = (double)p.histogram[2 * 20 + c] / 200 - 0.25;
            count++;
            mean += (deviation - mean) / count;
            double off = deviation * deviation - 1.0 / 16;
            var += (off - var) / count;
            square_dev += off * off;
        }
        hsgd_partition_free(&p);
    }
    double limit = gsl_cdf_ugaussian_Qinv(FALSE_ALARM / 4);
    assert_at_most(fabs(mean), limit * sqrt(1.0 / 16 / count), 0);
    assert_at_most(fabs(var), limit * sqrt(square_dev) / count, 0);
    hsgd_dataset_free(&data);
}

/* One sample per label: with large alpha its worker is uniform, not the one in the middle. Chi-square with 4 degrees of
 * freedom over 40 x 100 labels. */
static void rare_labels_go_everywhere(void **state)
{
    (void)state;
    hsgd_dataset data;
    make_labels(&data, 100, 100);
    double chi_sq = 0, seen[5] = {0};
    for (uint64_t seed = 0; seed < 40; seed++) {
        hsgd_error err;
        hsgd_partition p;
        hsgd_partition_options options = options_for(HSGD_PARTITION_DIRICHLET, seed);
        options.alpha = 1e6;
        assert_ok(hsgd_partition_build(&p, &data, 5, &options, &err), err);
        for (size_t j = 0; j < 5; j++)
            seen[j] += (double)size_of(&p, j);
        hsgd_partition_free(&p);
    }
    for (int j = 0; j < 5; j++)
        chi_sq += (seen[j] - 800) * (seen[j] - 800) / 800;
    assert_true(gsl_cdf_chisq_Q(chi_sq, 4) > FALSE_ALARM);
    hsgd_dataset_free(&data);
}

/* With alpha 1e6 a share of 8 workers has standard deviation 1.2e-4, which is 0.12 of the 1000 samples of a label: a
 * worker's 125 of them are off by more than the rounding of two cuts, less than 1, only beyond 8 standard deviations,
 * which has probability 1e-15 for each of 800 numbers. 1e100 is the largest alpha. */
static void large_alpha_is_iid(void **state)
{
    (void)state;
    hsgd_dataset data;
    make_labels(&data, 5000, 5);
    const double alphas[] = {1e6, 1e100};
    for (size_t a = 0; a < 2; a++)
        for (uint64_t seed = 0; seed < 10; seed++) {
            hsgd_error err;
            hsgd_partition p;
            hsgd_partition_options options = options_for(HSGD_PARTITION_DIRICHLET, seed);
            options.alpha = alphas[a];
            assert_ok(hsgd_partition_build(&p, &data, 8, &options, &err), err);
            check_partition(&p, &data, 8, 600);
            for (size_t i = 0; i < 8 * 5; i++)
                assert_true(p.histogram[i] >= 123 && p.histogram[i] <= 127);
            hsgd_partition_free(&p);
        }
    hsgd_dataset_free(&data);
}

/* For tiny alpha all gamma variates underflow, and a naive division gives NaN. Each label must land on one worker, and
 * over the seeds on each worker equally often (chi-square with 2 degrees of freedom; the demand that nobody is left
 * empty is symmetric in the workers). */
static void tiny_alpha_gives_each_label_to_one_worker(void **state)
{
    (void)state;
    hsgd_dataset data;
    make_labels(&data, 1000, 10);
    const double alphas[] = {1e-6, 1e-100};
    double chi_sq = 0, seen[3] = {0};
    for (size_t a = 0; a < 2; a++)
        for (uint64_t seed = 0; seed < 500; seed++) {
            hsgd_error err;
            hsgd_partition p;
            hsgd_partition_options options = options_for(HSGD_PARTITION_DIRICHLET, 1000 * a + seed);
            options.alpha = alphas[a];
            assert_ok(hsgd_partition_build(&p, &data, 3, &options, &err), err);
            check_partition(&p, &data, 3, 1);
            for (size_t i = 0; i < 30; i++)
                assert_true(p.histogram[i] == 0 || p.histogram[i] == 100);
            for (size_t j = 0; j < 3; j++)
                seen[j] += p.histogram[j * 10] == 100;
            hsgd_partition_free(&p);
        }
    for (int j = 0; j < 3; j++)
        chi_sq += (seen[j] - 1000.0 / 3) * (seen[j] - 1000.0 / 3) / (1000.0 / 3);
    assert_true(gsl_cdf_chisq_Q(chi_sq, 2) > FALSE_ALARM);
    hsgd_dataset_free(&data);
}

/* Of 4000 other draws 48 % left nobody below 60 samples: no retry in 40 seeds has probability 0.48^40 = 2e-13, and 1000
 * retries in vain 0.52^1001. */
static void dirichlet_draws_are_repeated_and_counted(void **state)
{
    (void)state;
    hsgd_dataset data;
    make_labels(&data, 600, 6);
    size_t retried = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        hsgd_error err;
        hsgd_partition p;
        hsgd_partition_options options = options_for(HSGD_PARTITION_DIRICHLET, seed);
        options.min_samples = 60;
        options.max_retries = 1000;
        assert_ok(hsgd_partition_build(&p, &data, 5, &options, &err), err);
        check_partition(&p, &data, 5, 60);
        retried += p.retries > 0;
        /* one retry fewer is one too few */
        if (p.retries > 0) {
            hsgd_partition q;
            options.max_retries = p.retries - 1;
            assert_fails(hsgd_partition_build(&q, &data, 5, &options, &err), HSGD_ERROR_INPUT, "min_samples = 60", err);
        }
        hsgd_partition_free(&p);
    }
    assert_true(retried > 0);
    hsgd_dataset_free(&data);
}

/* Two labels cannot reach ten workers when each goes to one: an error, and soon. */
static void hopeless_draws_end_with_advice(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_partition p;
    hsgd_dataset data;
    make_labels(&data, 400, 2);
    hsgd_partition_options options = options_for(HSGD_PARTITION_DIRICHLET, 1);
    options.alpha = 1e-6;
    options.min_samples = 3;
    assert_fails(hsgd_partition_build(&p, &data, 10, &options, &err), HSGD_ERROR_INPUT,
                 "alpha 1e-06, 10 workers and 400 samples, each of 101 draws", err);
    assert_non_null(strstr(err.message, "min_samples = 3"));
    assert_non_null(strstr(err.message, "larger alpha, fewer workers or a smaller min_samples"));
    assert_null(p.order);
    hsgd_dataset_free(&data);
    make_labels(&data, 14, 2);
    options = options_for(HSGD_PARTITION_SHARDS, 1);
    options.shards_per_worker = 3; /* 3 x 3 shards, five of them with 2 samples */
    options.min_samples = 4;
    options.max_retries = 0;
    hsgd_status status = HSGD_OK;
    for (options.seed = 1; options.seed <= 200 && !status; options.seed++) { /* (6/7)^200 = 4e-14 that all succeed */
        hsgd_partition_free(&p);
        status = hsgd_partition_build(&p, &data, 3, &options, &err);
    }
    assert_int_equal(status, HSGD_ERROR_INPUT);
    assert_non_null(strstr(err.message, "shards partition: with 3 shards per worker, 3 workers and 14 samples"));
    hsgd_dataset_free(&data);
}

/* The logarithms of the sizes vary like normals with standard deviation sigma: sum of squared deviations / sigma^2 is
 * chi-square with 19 degrees of freedom per draw (sizes are thousands, so rounding and the first sample do not show).
 */
static void quantity_skew_is_log_normal(void **state)
{
    (void)state;
    enum { WORKERS = 20, DRAWS = 160 };
    hsgd_dataset data;
    make_labels(&data, 100000, 2);
    double chi_sq = 0, sigma = 0.7;
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        hsgd_error err;
        hsgd_partition p;
        hsgd_partition_options options = options_for(HSGD_PARTITION_QUANTITY, seed);
        options.sigma = sigma;
        assert_ok(hsgd_partition_build(&p, &data, WORKERS, &options, &err), err);
        double mean = 0;
        for (size_t j = 0; j < WORKERS; j++)
            mean += log((double)size_of(&p, j)) / WORKERS;
        for (size_t j = 0; j < WORKERS; j++)
            chi_sq += pow((log((double)size_of(&p, j)) - mean) / sigma, 2);
        hsgd_partition_free(&p);
    }
    assert_true(gsl_cdf_chisq_P(chi_sq, (WORKERS - 1) * DRAWS) > FALSE_ALARM / 2);
    assert_true(gsl_cdf_chisq_Q(chi_sq, (WORKERS - 1) * DRAWS) > FALSE_ALARM / 2);
    hsgd_dataset_free(&data);
}

static void quantity_skew_never_starves_a_worker(void **state)
{
    (void)state;
    const double sigmas[] = {3, 1e3, 1e100};
    hsgd_dataset data;
    make_labels(&data, 1000, 3);
    for (size_t i = 0; i < 3; i++) {
        hsgd_error err;
        hsgd_partition p;
        hsgd_partition_options options = options_for(HSGD_PARTITION_QUANTITY, 11);
        options.sigma = sigmas[i];
        options.min_samples = 7;
        options.max_retries = 0;
        assert_ok(hsgd_partition_build(&p, &data, 100, &options, &err), err);
        check_partition(&p, &data, 100, 7);
        if (sigmas[i] > 100) /* one worker takes all that is free */
            assert_int_equal(spread_of_sizes(&p), 300);
        hsgd_partition_free(&p);
    }
    hsgd_dataset_free(&data);
}

static void illegal_options_are_named(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_partition p;
    hsgd_dataset data;
    make_labels(&data, 100, 2);
    hsgd_partition_options o = options_for(HSGD_PARTITION_IID, 1);
    assert_fails(hsgd_partition_build(&p, &data, 0, &o, &err), HSGD_ERROR_INPUT, "0 workers", err);
    assert_fails(hsgd_partition_build(&p, &data, 101, &o, &err), HSGD_ERROR_INPUT, "at most 100 workers", err);
    o.min_samples = 11;
    assert_fails(hsgd_partition_build(&p, &data, 10, &o, &err), HSGD_ERROR_INPUT, "at most 9 workers", err);
    o.min_samples = 0;
    assert_fails(hsgd_partition_build(&p, &data, 10, &o, &err), HSGD_ERROR_INPUT, "min_samples: 0", err);
    o = options_for((hsgd_partition_scheme)77, 1);
    assert_fails(hsgd_partition_build(&p, &data, 10, &o, &err), HSGD_ERROR_INPUT, "scheme: 77", err);
    o = options_for(HSGD_PARTITION_SHARDS, 1);
    o.shards_per_worker = 11;
    assert_fails(hsgd_partition_build(&p, &data, 10, &o, &err), HSGD_ERROR_INPUT, "at most 10", err);
    o.shards_per_worker = SIZE_MAX / 2;
    assert_fails(hsgd_partition_build(&p, &data, 10, &o, &err), HSGD_ERROR_INPUT, "at most 10", err);
    o.shards_per_worker = 0;
    assert_fails(hsgd_partition_build(&p, &data, 10, &o, &err), HSGD_ERROR_INPUT, "shards_per_worker: 0", err);
    o.max_retries = SIZE_MAX;
    assert_fails(hsgd_partition_build(&p, &data, 10, &o, &err), HSGD_ERROR_INPUT, "max_retries", err);
    const double bad[] = {-1, NAN, INFINITY};
    for (size_t i = 0; i < 3; i++) {
        o = options_for(HSGD_PARTITION_DIRICHLET, 1);
        o.alpha = bad[i];
        assert_fails(hsgd_partition_build(&p, &data, 10, &o, &err), HSGD_ERROR_INPUT, "alpha: ", err);
        o = options_for(HSGD_PARTITION_QUANTITY, 1);
        o.sigma = bad[i];
        assert_fails(hsgd_partition_build(&p, &data, 10, &o, &err), HSGD_ERROR_INPUT, "sigma: ", err);
    }
    o = options_for(HSGD_PARTITION_DIRICHLET, 1);
    o.alpha = 0;
    assert_fails(hsgd_partition_build(&p, &data, 10, &o, &err), HSGD_ERROR_INPUT, "alpha: 0", err);
    hsgd_dataset_free(&data);
}

static void permuting_moves_whole_workers(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_partition p, q;
    hsgd_dataset data;
    make_labels(&data, 300, 3);
    const size_t place[] = {2, 0, 3, 1}, inverse[] = {1, 3, 0, 2};
    hsgd_partition_options options = options_for(HSGD_PARTITION_QUANTITY, 5);
    assert_ok(hsgd_partition_build(&p, &data, 4, &options, &err), err);
    assert_ok(hsgd_partition_build(&q, &data, 4, &options, &err), err);
    assert_ok(hsgd_partition_permute(&q, place, &err), err);
    check_partition(&q, &data, 4, 1);
    for (size_t j = 0; j < 4; j++) {
        assert_int_equal(size_of(&q, j), size_of(&p, place[j]));
        assert_memory_equal(q.order + q.start[j], p.order + p.start[place[j]], size_of(&q, j) * sizeof *q.order);
    }
    assert_fails(hsgd_partition_permute(&q, (size_t[]){0, 1, 1, 3}, &err), HSGD_ERROR_INPUT, "place[2] = 1", err);
    assert_ok(hsgd_partition_permute(&q, inverse, &err), err);
    assert_true(same_partition(&p, &q));
    hsgd_partition_free(&p);
    hsgd_partition_free(&q);
    hsgd_partition_free(NULL);
    hsgd_dataset_free(&data);
}

static void defaults_set_every_field(void **state)
{
    (void)state;
    hsgd_partition_options options;
    memset(&options, 0xa5, sizeof options);
    hsgd_partition_defaults(&options);
    assert_int_equal(options.scheme, HSGD_PARTITION_IID);
    assert_close(options.alpha, 0.5, 0);
    assert_close(options.sigma, 1, 0);
    assert_int_equal(options.shards_per_worker, 2);
    assert_int_equal(options.min_samples, 1);
    assert_int_equal(options.max_retries, 100);
    assert_int_equal(options.seed, 1);
}

static void scheme_names_round_trip(void **state)
{
    (void)state;
    const char *names[] = {"iid", "by-label", "shards", "dirichlet", "quantity"};
    for (int i = HSGD_PARTITION_IID; i <= HSGD_PARTITION_QUANTITY; i++) {
        hsgd_partition_scheme parsed = (hsgd_partition_scheme)99;
        assert_string_equal(hsgd_partition_scheme_name((hsgd_partition_scheme)i), names[i]);
        assert_int_equal(hsgd_partition_scheme_parse(names[i], &parsed), 0);
        assert_int_equal(parsed, i);
    }
    hsgd_partition_scheme parsed;
    assert_int_equal(hsgd_partition_scheme_parse("", &parsed), -1);
    assert_string_equal(hsgd_partition_scheme_name((hsgd_partition_scheme)99), "unknown");
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scheme_assigns_each_sample_once),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(equal_shares_differ_by_at_most_one),
        cmocka_unit_test(by_label_is_sorted_across_workers),
        cmocka_unit_test(shards_are_pure_and_dealt_at_random),
        cmocka_unit_test(unequal_shards_are_dealt_again_until_all_have_enough),
        cmocka_unit_test(iid_is_uniform),
        cmocka_unit_test(dirichlet_shares_have_the_right_moments),
        cmocka_unit_test(rare_labels_go_everywhere),
        cmocka_unit_test(large_alpha_is_iid),
        cmocka_unit_test(tiny_alpha_gives_each_label_to_one_worker),
        cmocka_unit_test(dirichlet_draws_are_repeated_and_counted),
        cmocka_unit_test(hopeless_draws_end_with_advice),
        cmocka_unit_test(quantity_skew_is_log_normal),
        cmocka_unit_test(quantity_skew_never_starves_a_worker),
        cmocka_unit_test(illegal_options_are_named),
        cmocka_unit_test(permuting_moves_whole_workers),
        cmocka_unit_test(defaults_set_every_field),
        cmocka_unit_test(scheme_names_round_trip),
    };
    return cmocka_run_group_tests_name("partition", tests, NULL, NULL);
}
