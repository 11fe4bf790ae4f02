/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bands of every kind against brute force: the same seeds run one at a time, each with a folder of its own, and plain
 * formulas over their values. */
#include "tests/experiments/program.h"

#include "experiments/series_private.h"

#define SEEDS 5

static const char *const bands[] = {"ci", "se", "sd", "range", "none"};

/* An experiment with everything that has bands, written with seeds and first_seed. */
static void write_experiment(const char *path, int seeds, int first, const char *rest)
{
    char text[2048];
    snprintf(
        text, sizeof text,
        "{\"hierarchy\": {\"fanout\": [2, 3], \"periods\": [4, 2]}, \"problem\": {\"type\": \"logistic\", \"data\": "
        "{\"format\": \"synthetic\", \"alpha\": 1, \"beta\": 1, \"features\": 5, \"classes\": 2, \"max_samples\": "
        "40}}, "
        "\"optimizer\": {\"step_size\": 0.05, \"steps\": 12, \"batch_size\": 4}, \"evaluate_every\": 1, "
        "\"communication\": {\"compute_s_per_step\": 0.01}, \"bounds\": [], \"confidence\": 0.95, "
        "\"seeds\": %d, \"first_seed\": %d, \"figures\": [%s]}",
        seeds, first, rest);
    write_text(path, text);
}

static hsgd_series read_series(const char *path)
{
    hsgd_series series;
    hsgd_error err;
    assert_ok(hsgd_series_read(&series, path, &err), err);
    return series;
}

/* Runs of the seeds together, in the folder all, and one by one, in one-1, one-2, ... */
static void run_all(void)
{
    write_experiment("all.json", SEEDS, 3, "\"convergence\", \"dispersion\", \"accuracy\", \"S-time\", \"loss-time\"");
    assert_exit("$H run all.json --output all --quiet", 0);
    for (int r = 0; r < SEEDS; r++) {
        char line[128];
        write_experiment("one.json", 1, 3 + r, "\"S-time\"");
        snprintf(line, sizeof line, "$H run one.json --output one-%d --quiet", r);
        assert_exit(line, 0);
    }
}

/* Distances from the mean to the edges of the band; the quantile is that of Student's t with 4 degrees, 97.5 %. */
static void expected_band(double *below, double *above, size_t kind, const double value[SEEDS])
{
    double mean = 0, variance = 0, low = INFINITY, high = -INFINITY;
    for (int r = 0; r < SEEDS; r++)
        mean += value[r] / SEEDS;
    for (int r = 0; r < SEEDS; r++) {
        variance += (value[r] - mean) * (value[r] - mean) / (SEEDS - 1);
        low = fmin(low, value[r]);
        high = fmax(high, value[r]);
    }
    *below = *above = kind == 0   ? 2.7764451051977987 * sqrt(variance / SEEDS)
                      : kind == 1 ? sqrt(variance / SEEDS)
                      : kind == 2 ? sqrt(variance)
                                  : NAN;
    if (kind == 3) {
        *below = mean - low;
        *above = high - mean;
    }
}

/* A column of series.csv, and where its band stands in the data of a figure. */
static const struct {
    const char *column, *figure, *half_width, *above;
} place[] = {
    {"grad_norm_sq", "convergence", "half_width", "above"},
    {"dispersion_level_1", "dispersion", "B_1_half_width", "B_1_above"},
    {"dispersion_level_2", "dispersion", "B_2_half_width", "B_2_above"},
    {"train_accuracy", "accuracy", "train_accuracy_hsgd_half_width", "train_accuracy_hsgd_above"},
    {"train_accuracy_inner", "accuracy", "train_accuracy_local_inner_half_width", "train_accuracy_local_inner_above"},
    {"loss", "loss-time", "loss_hsgd_half_width", "loss_hsgd_above"},
    {"loss_outer", "loss-time", "loss_local_outer_half_width", "loss_local_outer_above"},
    {"S", "S-time", "S_hsgd_half_width", "S_hsgd_above"},
    {"S_inner", "S-time", "S_local_inner_half_width", "S_local_inner_above"},
};

/* The data of a figure: numbers separated by spaces under names. Row 0 of S is not there. */
static size_t read_data(const char *figure, const char *name, double *value, size_t size)
{
    char path[64], line[8192];
    snprintf(path, sizeof path, "all/%s.dat", figure);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    int index = -1, i = 0;
    for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n"), i++)
        index = strcmp(word, name) == 0 ? i : index;
    size_t rows = 0;
    while (index >= 0 && rows < size && fgets(line, sizeof line, file)) {
        char *word = strtok(line, " \n");
        for (i = 0; i < index; i++)
            word = strtok(NULL, " \n");
        value[rows++] = strtod(word, NULL);
    }
    fclose(file);
    return rows;
}

static void check_place(size_t p, size_t kind, const hsgd_series one[SEEDS])
{
    double below[16], above[16], want_below, want_above, value[SEEDS];
    size_t rows = read_data(place[p].figure, place[p].half_width, below, 16);
    size_t rows_above = read_data(place[p].figure, place[p].above, above, 16);
    assert_int_equal(rows, 12);
    assert_int_equal(rows_above, kind == 3 ? 12 : 0); /* symmetric bands need no second column */
    for (size_t row = 0; row < rows; row++) {
        for (int r = 0; r < SEEDS; r++)
            value[r] = hsgd_series_column(&one[r], place[p].column)[row];
        expected_band(&want_below, &want_above, kind, value);
        if (isnan(want_below)) {
            assert_true(isnan(below[row]));
            continue;
        }
        assert_close(below[row] + 1, want_below + 1, 1e-12);
        if (kind == 3)
            assert_close(above[row] + 1, want_above + 1, 1e-12);
    }
}

static void every_band_is_what_it_is_called(void **state)
{
    (void)state;
    hsgd_series one[SEEDS];
    char line[128];
    run_all();
    for (int r = 0; r < SEEDS; r++) {
        snprintf(line, sizeof line, "one-%d/series.csv", r);
        one[r] = read_series(line);
        assert_null(hsgd_series_column(&one[r], "grad_norm_sq_sd")); /* nothing to say of one run */
    }
    for (size_t kind = 0; kind < 5; kind++) {
        snprintf(line, sizeof line, "$H plot all --format svg --band %s", bands[kind]);
        assert_exit(line, 0);
        for (size_t p = 0; p < sizeof place / sizeof *place; p++)
            check_place(p, kind, one);
    }
    for (int r = 0; r < SEEDS; r++)
        hsgd_series_free(&one[r]);
}

/* Does NAME.SUFFIX in the folder all contain the words? */
static bool says(const char *file, const char *words)
{
    char *text = read_text(file);
    assert_non_null(text);
    bool found = strstr(text, words) != NULL;
    free(text);
    return found;
}

static void legend_and_caption_name_the_band(void **state)
{
    (void)state;
    static const char *const legend[] = {"95% confidence", "± std. error", "± std. deviation", "range of runs",
                                         "fs solid 0.3 noborder"};
    static const char *const caption[] = {"bands of 95\\,\\% confidence", "bands of one standard error",
                                          "bands of one standard deviation", "bands of all runs", "bands"};
    char line[64];
    for (size_t kind = 0; kind < 5; kind++) {
        snprintf(line, sizeof line, "$H plot all --format svg --band %s", bands[kind]);
        assert_exit(line, 0);
        assert_int_equal(says("all/convergence.gp", legend[kind]), kind < 4);
        assert_int_equal(says("all/dispersion.gp", legend[kind]), kind < 4);
        assert_int_equal(says("all/accuracy.gp", legend[kind]), kind < 4);
        assert_int_equal(says("all/convergence.caption.tex", caption[kind]), kind < 4);
        assert_int_equal(says("all/S-time.caption.tex", caption[kind]), kind < 4);
    }
}

/* Several runs that share a grouping: a standard deviation is over all of them, an interval over the groupings. */
static void runs_that_share_a_grouping(void **state)
{
    (void)state;
    write_text("g.json",
               "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"problem\": {\"type\": \"quadratic\", "
               "\"dimension\": 3, \"curvature_range\": [0.1, 1], \"level_divergence\": [1, 2], "
               "\"noise_variance\": 1}, \"grouping\": \"random\", \"groupings\": 3, \"seeds\": 2, "
               "\"optimizer\": {\"step_size\": 0.05, \"steps\": 6}, \"bounds\": [], \"figures\": [\"convergence\"]}");
    assert_exit("$H run g.json --output g --quiet", 0);
    hsgd_series s = read_series("g/series.csv");
    const double *sd = hsgd_series_column(&s, "grad_norm_sq_sd"), *low = hsgd_series_column(&s, "grad_norm_sq_min"),
                 *high = hsgd_series_column(&s, "grad_norm_sq_max"), *mean = hsgd_series_column(&s, "grad_norm_sq");
    assert_true(sd && low && high);
    for (size_t row = 1; row < s.num_rows; row++) {
        /* six values: their standard deviation is between range / sqrt(2 * 5) and range * sqrt(6 / 5) / 2 */
        assert_true(low[row] < mean[row] && mean[row] < high[row]);
        assert_true(sd[row] >= (high[row] - low[row]) / sqrt(10) * (1 - 1e-12));
        assert_true(sd[row] <= (high[row] - low[row]) * sqrt(1.2) / 2 * (1 + 1e-12));
    }
    hsgd_series_free(&s);
    assert_exit("$H plot g --band sd --format svg", 0);
    assert_true(says("g/convergence.caption.tex", "means over 3 groupings of 2 seeds each"));
}

static void folders_of_earlier_versions(void **state)
{
    (void)state;
    assert_exit("sed -i 's/_sd,/_xy,/g' all/series.csv; $H plot all --format svg", 0);
    assert_exit("$H plot all --format svg --band sd", 2);
    assert_non_null(strstr(err_text, "all/series.csv: the columns grad_norm_sq_sd, _min and _max are missing"));
    assert_exit("$H plot one-0 --format svg --band sd", 0); /* one run has no bands, and needs no columns */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_band_is_what_it_is_called),
        cmocka_unit_test(legend_and_caption_name_the_band),
        cmocka_unit_test(runs_that_share_a_grouping),
        cmocka_unit_test(folders_of_earlier_versions),
    };
    return cmocka_run_group_tests_name("bands", tests, enter_folder, leave_folder);
}
