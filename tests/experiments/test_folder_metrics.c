/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accuracies, seconds and bytes of series.csv as the figures get them, and series of older versions that have none. */
#include "tests/test.h"

#include "analysis/statistics.h"
#include "experiments/folder_private.h"

static hsgd_error err;

static char *names[] = {"step",
                        "loss",
                        "loss_se",
                        "train_accuracy",
                        "train_accuracy_se",
                        "time_s_inner",
                        "time_s",
                        "bytes_level_1",
                        "bytes_level_2",
                        "loss_inner",
                        "S",
                        "S_se",
                        "bytes_level_3",
                        "bytes_level_4",
                        "bytes_level_5"};
enum { COLUMNS = sizeof names / sizeof *names, ROWS = 3 };

/* Column c, row r: 10 c + r. */
static hsgd_series series_of(double value[COLUMNS][ROWS], size_t columns)
{
    for (size_t c = 0; c < COLUMNS; c++)
        for (size_t r = 0; r < ROWS; r++)
            value[c][r] = 10.0 * (double)c + (double)r;
    return (hsgd_series){.num_columns = columns, .num_rows = ROWS, .name = names, .value = value[0]};
}

/* Confidence intervals of five seeds. */
static const hsgd_bands *bands_of(const hsgd_series *series)
{
    static hsgd_bands bands;
    bands = (hsgd_bands){"", series, HSGD_BAND_CI, 5, 5, 0.95};
    return &bands;
}

static void columns_that_are_there(void **state)
{
    (void)state;
    double value[COLUMNS][ROWS], *memory;
    hsgd_series series = series_of(value, COLUMNS);
    hsgd_figure_input in = {.num_levels = 2, .seeds = 5, .confidence = 0.95};
    assert_ok(hsgd_folder_metrics(&in, &memory, bands_of(&series), &err), err);
    const hsgd_figure_progress *p = &in.progress[0];
    assert_ptr_equal(p->loss, value[1]);
    assert_ptr_equal(p->train_accuracy, value[3]);
    assert_ptr_equal(p->time_s, value[6]);
    assert_ptr_equal(p->bytes_top, value[7]);
    assert_ptr_equal(in.progress[1].time_s, value[5]);
    assert_ptr_equal(in.progress[1].loss, value[9]);
    assert_true(!p->test_accuracy && !p->test_accuracy_half_width && !in.progress[1].loss_half_width);
    assert_true(!in.progress[1].bytes_all && !in.progress[2].loss && !in.progress[2].time_s);
    for (size_t r = 0; r < ROWS; r++) {
        assert_true(p->bytes_all[r] == value[7][r] + value[8][r]);
        assert_close(p->train_accuracy_half_width[r], 2.7764451051977987 * value[4][r],
                     1e-9); /* t of 4 degrees, 97.5 % */
        assert_close(p->loss_half_width[r], 2.7764451051977987 * value[2][r], 1e-9);
    }
    assert_ptr_equal(p->S, value[10]);
    assert_close(p->S_half_width[2], 2.7764451051977987 * value[11][2], 1e-9);
    assert_ptr_equal(p->bytes_level[1], value[8]);
    assert_true(!p->bytes_level[2] && !in.progress[1].S && !in.progress[1].bytes_level[0]);
    free(memory);
}

/* Five levels: the last two share a panel. */
static void levels_that_share_a_panel(void **state)
{
    (void)state;
    double value[COLUMNS][ROWS], *memory;
    hsgd_series series = series_of(value, COLUMNS);
    hsgd_figure_input in = {.num_levels = 5, .seeds = 5, .confidence = 0.95};
    assert_ok(hsgd_folder_metrics(&in, &memory, bands_of(&series), &err), err);
    const hsgd_figure_progress *p = &in.progress[0];
    assert_ptr_equal(p->bytes_level[0], value[7]);
    assert_ptr_equal(p->bytes_level[2], value[12]);
    for (size_t r = 0; r < ROWS; r++) {
        assert_true(p->bytes_level[3][r] == value[13][r] + value[14][r]);
        assert_true(p->bytes_all[r] == value[7][r] + value[8][r] + value[12][r] + value[13][r] + value[14][r]);
    }
    free(memory);
}

static void results_of_older_versions(void **state)
{
    (void)state;
    double value[COLUMNS][ROWS], *memory;
    char reason[200];
    hsgd_series series = series_of(value, 3);
    hsgd_figure_input in = {.num_levels = 2, .seeds = 5, .confidence = 0.95, .num_rows = ROWS};
    assert_ok(hsgd_folder_metrics(&in, &memory, bands_of(&series), &err), err);
    static const char *const figure[] = {"accuracy", "loss-time", "accuracy-time", "gradient-bytes",
                                         "S-time",   "S-bytes",   "accuracy-bytes"};
    for (size_t i = 0; i < 7; i++)
        assert_false(hsgd_figure_find(figure[i])->possible(&in, reason, sizeof reason));
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_that_are_there),
        cmocka_unit_test(levels_that_share_a_panel),
        cmocka_unit_test(results_of_older_versions),
    };
    return cmocka_run_group_tests_name("folder_metrics", tests, NULL, NULL);
}
