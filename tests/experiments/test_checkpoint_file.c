/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of a checkpoint: what is kept comes back to the byte, the latest state of a seed counts, states of seeds that are
 * done go when their measurements are written, and no file that is cut short, has a wrong byte or belongs to something else is
 * taken. The minimiser stops when it is asked to. */
#include "tests/test.h"

#include <time.h>
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/minimum.h"
#include "analysis/quadratic.h"
#include "experiments/checkpoint_private.h"

static hsgd_error err;
static char dir[256];
static const char identity[] = "version 1\ncommand run\n";
static bool stopping;

static bool is_stopping(const void *context)
{
    (void)context;
    return stopping;
}
static const hsgd_stop stop = {is_stopping, NULL};

static int enter(void **state)
{
    (void)state;
    make_folder(dir, sizeof dir);
    stopping = false;
    return 0;
}

static int leave(void **state)
{
    (void)state;
    hsgd_checkpoint_remove(dir);
    return rmdir(dir);
}

static hsgd_checkpoint *open_checkpoint(bool resume, double every_s)
{
    hsgd_checkpoint *c;
    const hsgd_checkpoint_options options = {.dir = dir, .every_s = every_s, .resume = resume, .stop = &stop};
    assert_ok(hsgd_checkpoint_open(&c, identity, &options, &err), err);
    return c;
}

static void keep(hsgd_checkpoint *c, size_t number, const char *text)
{
    hsgd_bytes record = {0};
    hsgd_bytes_put(&record, text, strlen(text));
    hsgd_checkpoint_keep(c, number, &record);
    hsgd_bytes_free(&record);
}

/* text NULL: nothing is kept. */
static void comes_back(hsgd_checkpoint *c, size_t number, const char *text)
{
    hsgd_bytes record = {0};
    assert_ok(hsgd_checkpoint_get(c, number, &record, &err), err);
    assert_int_equal(record.size, text ? strlen(text) : 0);
    if (text)
        assert_memory_equal(record.data, text, record.size);
    hsgd_bytes_free(&record);
}

static size_t count_files(void)
{
    char path[300];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/checkpoint", dir);
    DIR *entries = opendir(path);
    for (const struct dirent *entry; entries && (entry = readdir(entries));)
        count += entry->d_name[0] != '.';
    if (entries)
        closedir(entries);
    return count;
}

static void records_come_back(void **state)
{
    (void)state;
    hsgd_checkpoint *c = open_checkpoint(false, 1000);
    keep(c, 3, "three");
    keep(c, 70000, "");
    keep(c, 1, "one");
    assert_int_equal(count_files(), 0); /* it is not time yet */
    assert_ok(hsgd_checkpoint_flush(c, &err), err);
    assert_ok(hsgd_checkpoint_flush(c, &err), err); /* there is nothing more */
    assert_int_equal(count_files(), 1);
    hsgd_checkpoint_free(c);
    c = open_checkpoint(true, 0);
    assert_true(hsgd_checkpoint_found(c));
    assert_true(hsgd_checkpoint_steps_left(c, 10) == 30);
    comes_back(c, 3, "three");
    comes_back(c, 1, "one");
    comes_back(c, 2, NULL);
    assert_true(hsgd_checkpoint_steps_left(c, 10) == 10);
    comes_back(c, 70000, NULL);
    keep(c, 2, "two"); /* at once */
    assert_int_equal(count_files(), 2);
    hsgd_checkpoint_free(c);
    c = open_checkpoint(true, 0);
    comes_back(c, 1, "one");
    comes_back(c, 2, "two");
    hsgd_checkpoint_free(c);
    c = open_checkpoint(false, 0); /* begins anew, and the old files go with the first new one */
    assert_false(hsgd_checkpoint_found(c));
    assert_int_equal(count_files(), 2);
    keep(c, 5, "five");
    assert_int_equal(count_files(), 1);
    hsgd_checkpoint_free(c);
    assert_true(hsgd_checkpoint_exists(dir));
    hsgd_checkpoint_remove(dir);
    assert_false(hsgd_checkpoint_exists(dir));
}

/* ---- seeds ---- */

static void save(const hsgd_keeper *keeper, uint64_t seed, size_t step, const char *text)
{
    hsgd_bytes bytes = {0};
    hsgd_bytes_put(&bytes, text, strlen(text));
    assert_ok(keeper->save(keeper->context, seed, step, &bytes, &err), err);
    hsgd_bytes_free(&bytes);
}

static void loads(const hsgd_keeper *keeper, uint64_t seed, const char *text)
{
    hsgd_bytes bytes = {0};
    assert_ok(keeper->load(keeper->context, seed, &bytes, &err), err);
    assert_int_equal(bytes.size, strlen(text));
    if (bytes.size)
        assert_memory_equal(bytes.data, text, bytes.size);
    hsgd_bytes_free(&bytes);
}

static void seeds_have_their_latest_state(void **state)
{
    (void)state;
    const hsgd_keeper *keeper;
    size_t steps[] = {0, 4};
    const hsgd_trace trace = {
        .num_measured = 1, .num_levels = 1, .num_nodes = 1, .num_workers = 1, .dim = 1, .step = steps};
    hsgd_checkpoint *c = open_checkpoint(false, 1000);
    assert_ok(hsgd_checkpoint_begin_run(c, &keeper, HSGD_RUN_INNER, 7, 3, &err), err);
    for (uint64_t seed = 7; seed < 10; seed++)
        assert_int_equal(keeper->ask(keeper->context, seed, 0), HSGD_GO_ON);
    assert_int_equal(keeper->ask(keeper->context, 7, 20), HSGD_GO_ON); /* it is not time yet */
    save(keeper, 7, 20, "seven at 20");
    save(keeper, 7, 40, "seven at 40");
    save(keeper, 8, 20, "eight");
    assert_int_equal(count_files(), 2);
    keeper->done(keeper->context, 8, &trace);
    assert_int_equal(count_files(), 2); /* the state stays until the measurements are there */
    stopping = true;
    assert_int_equal(keeper->ask(keeper->context, 9, 40), HSGD_SAVE_AND_STOP);
    save(keeper, 9, 40, "nine");
    assert_int_equal(count_files(), 3); /* of 7 and 9, and what is done */
    hsgd_checkpoint_free(c);
    stopping = false;
    c = open_checkpoint(true, 0);
    assert_true(hsgd_checkpoint_steps_left(c, 100) == 40 + 40 + 100);
    assert_ok(hsgd_checkpoint_begin_run(c, &keeper, HSGD_RUN_MAIN, 7, 3, &err), err);
    loads(keeper, 7, ""); /* another run */
    assert_ok(hsgd_checkpoint_begin_run(c, &keeper, HSGD_RUN_INNER, 7, 3, &err), err);
    loads(keeper, 7, "seven at 40");
    loads(keeper, 9, "nine");
    assert_true(hsgd_checkpoint_steps_left(c, 100) == 100);
    assert_int_equal(keeper->ask(keeper->context, 7, 60), HSGD_SAVE);
    keeper->done(keeper->context, 7, &trace);
    keeper->done(keeper->context, 9, &trace);
    assert_int_equal(count_files(), 3); /* three times something done */
    hsgd_checkpoint_free(c);
}

static void rest(long milliseconds)
{
    const struct timespec nap = {.tv_nsec = milliseconds * 1000000};
    nanosleep(&nap, NULL);
}

/* Where a machine takes its time, all of this only becomes due sooner. */
static void it_is_time_before_it_is_too_late(void **state)
{
    (void)state;
    const hsgd_keeper *keeper;
    size_t steps[] = {0, 4};
    const hsgd_trace trace = {
        .num_measured = 1, .num_levels = 1, .num_nodes = 1, .num_workers = 1, .dim = 1, .step = steps};
    hsgd_checkpoint *c = open_checkpoint(false, 0.3);
    assert_ok(hsgd_checkpoint_begin_run(c, &keeper, HSGD_RUN_MAIN, 7, 3, &err), err);
    keeper->ask(keeper->context, 7, 0);
    rest(120);
    assert_int_equal(keeper->ask(keeper->context, 7, 20), HSGD_SAVE); /* two more such windows would be 0.36 s */
    keeper->ask(keeper->context, 8, 0);
    rest(200);
    keeper->done(keeper->context, 8, &trace); /* all of it is only in memory */
    keeper->ask(keeper->context, 9, 0);
    bool due = false;
    for (int i = 1; i < 11 && !due; i++) { /* short windows, of a short run */
        rest(10);
        due = keeper->ask(keeper->context, 9, (size_t)i) == HSGD_SAVE;
    }
    assert_true(due);
    hsgd_checkpoint_free(c);
}

/* Half a second, so that a run can be stopped; less where the interval is short, but not without end. */
static void windows_fit_into_the_interval(void **state)
{
    (void)state;
    const double every_s[] = {60, 2, 0.5, 0}, window_s[] = {0.5, 0.25, 0.0625, 0.005};
    for (int i = 0; i < 4; i++) {
        const hsgd_keeper *keeper;
        hsgd_checkpoint *c = open_checkpoint(false, every_s[i]);
        assert_ok(hsgd_checkpoint_begin_run(c, &keeper, HSGD_RUN_MAIN, 7, 3, &err), err);
        assert_close(keeper->window_s, window_s[i], 0);
        hsgd_checkpoint_free(c);
    }
}

/* A kill between the measurements of a seed and the removal of its state. */
static void done_counts_more_than_a_state(void **state)
{
    (void)state;
    char path[300], name[HSGD_CHECKPOINT_NAME_SIZE];
    hsgd_checkpoint *c = open_checkpoint(false, 0);
    keep(c, 5, "done");
    hsgd_bytes head = {0}, body = {0};
    snprintf(path, sizeof path, "%s/checkpoint", dir);
    for (size_t step = 3; step < 5; step++) {
        hsgd_bytes_put(&body, "stale", 5);
        hsgd_checkpoint_put_head(&head, (hsgd_checkpoint_seed){HSGD_RUN_MAIN, 5}, step, 5);
        snprintf(name, sizeof name, "z-%zu", step);
        assert_ok(hsgd_checkpoint_write(path, name, identity, 1, &head, &body, &err), err);
        hsgd_bytes_free(&head);
        hsgd_bytes_free(&body);
    }
    hsgd_checkpoint_free(c);
    c = open_checkpoint(true, 0);
    comes_back(c, 5, "done");
    hsgd_checkpoint_free(c);
}

/* ---- files that are wrong ---- */

static void refused(const char *own, const char *text)
{
    hsgd_checkpoint *c;
    const hsgd_checkpoint_options options = {.dir = dir, .resume = true};
    assert_fails(hsgd_checkpoint_open(&c, own, &options, &err), HSGD_ERROR_INPUT, text, err);
    assert_null(c);
    assert_non_null(strstr(err.message, "/checkpoint/done-1.state: "));
    assert_null(strchr(err.message, '\n'));
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    char path[300], good[1000], bad[1001];
    hsgd_checkpoint *c = open_checkpoint(false, 0);
    keep(c, 5, "five");
    hsgd_checkpoint_free(c);
    snprintf(path, sizeof path, "%s/checkpoint/done-1.state", dir);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(good, 1, sizeof good, file);
    fclose(file);
    assert_true(size > 100 && size < sizeof good);
    for (size_t length = 0; length < size; length++) {
        write_file(path, good, length);
        refused(identity, length ? "the checkpoint " : "not a checkpoint");
    }
    for (size_t bit = 0; bit < 8 * size; bit++) {
        memcpy(bad, good, size);
        bad[bit / 8] ^= (char)(1 << bit % 8);
        write_file(path, bad, size);
        refused(identity, "checkpoint");
    }
    memcpy(bad, good, size);
    bad[size] = '0';
    write_file(path, bad, size + 1);
    refused(identity, "the checkpoint has ");
    write_file(path, good, size);
    refused("version 2\ncommand run\n", "belongs to another run: \"version 1\", this one has \"version 2\"");
    refused("version 1\ncommand verify\n", "belongs to another run: \"command run\", this one has \"command verify\"");
    refused("version 1\ncommand run\ndata 7\n", "belongs to another run: \"\", this one has \"data 7\"");
    refused("version 1\n", "belongs to another run: \"command run\", this one has \"\"");
    c = open_checkpoint(true, 0);
    comes_back(c, 5, "five");
    hsgd_checkpoint_free(c);
}

/* ---- the minimiser ---- */

static size_t asked, yes_after;

static bool counts(const void *context)
{
    (void)context;
    return ++asked > yes_after;
}

static void the_minimiser_stops(void **state)
{
    (void)state;
    const double curvature[] = {0.1, 0.7, 1.9}, linear[] = {1, 2, 3, -2, 0.5, 1}, start[] = {4, 5, -6};
    const hsgd_stop soon = {counts, NULL};
    hsgd_quadratic q;
    hsgd_objective f;
    hsgd_minimum m, whole;
    assert_ok(hsgd_quadratic_init(&q, curvature, linear, 3, 2, 0, &err), err);
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    assert_ok(hsgd_minimize(&whole, &f, NULL, start, 1e-9, 100, 1, &err), err);
    for (yes_after = 0; yes_after < 12; yes_after++) {
        asked = 0;
        assert_fails(hsgd_minimize_until(&m, &f, NULL, start, 1e-9, 100, 1, &soon, &err), HSGD_STOPPED, "stopped", err);
        assert_null(m.point);
    }
    yes_after = SIZE_MAX;
    assert_ok(hsgd_minimize_until(&m, &f, NULL, start, 1e-9, 100, 1, &soon, &err), err);
    assert_memory_equal(m.point, whole.point, sizeof start);
    assert_int_equal(m.evaluations, whole.evaluations);
    hsgd_minimum_free(&m);
    hsgd_minimum_free(&whole);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_come_back, enter, leave),
        cmocka_unit_test_setup_teardown(seeds_have_their_latest_state, enter, leave),
        cmocka_unit_test_setup_teardown(it_is_time_before_it_is_too_late, enter, leave),
        cmocka_unit_test_setup_teardown(windows_fit_into_the_interval, enter, leave),
        cmocka_unit_test_setup_teardown(done_counts_more_than_a_state, enter, leave),
        cmocka_unit_test_setup_teardown(wrong_files_are_refused, enter, leave),
        cmocka_unit_test(the_minimiser_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
