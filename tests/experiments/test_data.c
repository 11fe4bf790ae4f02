/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the "data" object of a configuration to training and test samples with their workers: every format, every key, the
 * line that says what was read, and the resolved configuration, which must bring back the same data. */
#include "tests/temp_files.h"

#include <gsl/gsl_errno.h>

#include "experiments/problem.h"

static hsgd_error err;
static temp_folder folder;

#define HEAD "{\"hierarchy\": {\"fanout\": [2], \"periods\": [2]}, \"problem\": {\"type\": \"softmax\", \"data\": "
#define TAIL "}, \"optimizer\": {\"step_size\": 0.1, \"steps\": 2}}"

/* Parse HEAD data TAIL as a file in the temporary folder; data may hold a partition after the data object. */
static hsgd_status parse(hsgd_config *config, const char *data)
{
    char text[4096], file[TEMP_PATH];
    snprintf(text, sizeof text, HEAD "%s" TAIL, data);
    snprintf(file, sizeof file, "%s/c.json", folder.folder);
    return hsgd_config_parse(config, text, strlen(text), file, &err);
}

static void build(hsgd_problem *problem, hsgd_config *config, const char *data)
{
    assert_ok(parse(config, data), err);
    assert_ok(hsgd_problem_build(problem, config, "c.json", &err), err);
}

static void release(hsgd_problem *problem, hsgd_config *config)
{
    hsgd_problem_free(problem);
    hsgd_config_free(config);
}

static void refused(const char *data, const char *message)
{
    hsgd_config config;
    hsgd_problem problem;
    if (parse(&config, data) == HSGD_OK) {
        assert_fails(hsgd_problem_build(&problem, &config, "c.json", &err), HSGD_ERROR_INPUT, message, err);
        hsgd_config_free(&config);
    } else
        assert_non_null(strstr(err.message, message));
    if (!strstr(err.message, message))
        fail_msg("\"%s\" lacks \"%s\"", err.message, message);
}

/* What the resolved configuration builds is the same to the bit, and it writes itself again. */
static void check_round_trip(const hsgd_problem *problem, const hsgd_config *config)
{
    hsgd_config second;
    hsgd_problem again;
    char *once = hsgd_config_to_json(config);
    assert_ok(hsgd_config_parse(&second, once, strlen(once), "elsewhere/d.json", &err), err);
    char *twice = hsgd_config_to_json(&second);
    assert_string_equal(once, twice);
    assert_ok(hsgd_problem_build(&again, &second, "d.json", &err), err);
    size_t m = problem->data.num_samples, p = problem->data.num_features;
    assert_true(again.data.num_samples == m && again.data.num_features == p && again.has_test == problem->has_test);
    assert_memory_equal(again.data.label, problem->data.label, m * sizeof *again.data.label);
    assert_memory_equal(again.partition.order, problem->partition.order, m * sizeof *again.partition.order);
    if (again.data.dense)
        assert_memory_equal(again.data.dense, problem->data.dense, m * p * sizeof(double));
    if (again.data.byte)
        assert_memory_equal(again.data.byte, problem->data.byte, m * p);
    if (again.has_test)
        assert_memory_equal(again.test.label, problem->test.label,
                            problem->test.num_samples * sizeof *again.test.label);
    release(&again, &second);
    free(once);
    free(twice);
}

static void check_line(const hsgd_problem *problem, const hsgd_config *config, const char *expected)
{
    char *line = hsgd_data_describe(&problem->read, &config->data);
    assert_string_equal(line, expected);
    free(line);
}

#define CSV "a;y;b\n1;0;8\n2;1;4\n-4;0;2\n3;1;0\n"

static void csv_with_test_data(void **state)
{
    (void)state;
    hsgd_config c;
    hsgd_problem p;
    temp_open(&folder);
    temp_write(&folder, "train.csv", CSV, sizeof CSV - 1);
    temp_write(&folder, "test.csv", "a;y;b\n2;1;16\n0;1;1\n", 19);
    build(&p, &c,
          "{\"format\": \"csv\", \"path\": \"train.csv\", \"label_column\": \"y\", \"header\": true, \"scaling\": "
          "\"max-abs\", \"intercept\": true, \"test\": {\"path\": \"test.csv\"}}");
    assert_true(p.has_test && p.test.num_samples == 2 && p.test.num_features == 3 && p.test.num_classes == 2);
    const double test[] = {0.5, 2, 1, 0, 0.125, 1}; /* divided by the training data's 4 and 8 */
    assert_memory_equal(p.test.dense, test, sizeof test);
    assert_true(p.test.label[0] == 1 && p.test.label[1] == 1);
    check_line(&p, &c,
               "4 samples of 3 features in 2 classes, 2 test samples, from 2 files of 50 bytes: train.csv, test.csv");
    check_round_trip(&p, &c);
    release(&p, &c);
    build(&p, &c, "{\"format\": \"csv\", \"path\": \"train.csv\", \"label_column\": 2}");
    assert_true(!p.has_test && p.test.num_samples == 0 && p.data.num_samples == 4 && p.data.num_classes == 2);
    check_line(&p, &c, "4 samples of 2 features in 2 classes, from 1 file of 31 bytes: train.csv");
    check_round_trip(&p, &c);
    release(&p, &c);
    temp_write(&folder, "test.csv", "a;y\n2;1\n", 8);
    refused("{\"format\": \"csv\", \"path\": \"train.csv\", \"label_column\": 2, \"test\": {\"path\": \"test.csv\"}}",
            "test.csv: 1 features, but the training data have 2");
    temp_write(&folder, "test.csv", "a;y;c\n2;0;1\n", 12);
    refused("{\"format\": \"csv\", \"path\": \"train.csv\", \"label_column\": 2, \"test\": {\"path\": \"test.csv\"}}",
            "test.csv: feature 2 is \"c\", but \"b\" in the training data");
    temp_write(&folder, "test.csv", "b;y;a\n2;0;1\n", 12);
    refused("{\"format\": \"csv\", \"path\": \"train.csv\", \"label_column\": 2, \"test\": {\"path\": \"test.csv\"}}",
            "test.csv: feature 1 is \"b\", but \"a\" in the training data");
    temp_write(&folder, "test.csv", "a;y;b\n2;7;1\n", 12);
    refused("{\"format\": \"csv\", \"path\": \"train.csv\", \"label_column\": 2, \"test\": {\"path\": \"test.csv\"}}",
            "test.csv: the label 7 is not one of the 2");
    refused("{\"format\": \"csv\", \"path\": \"train.csv\", \"test\": {\"path\": \"none.csv\"}}",
            "none.csv: No such file");
    temp_close(&folder);
}

/* EMNIST's "letters" numbers its classes from 1: the classes are 0 .. 25 inside, and known by the numbers of the file. A
 * test set without some of them, or with the images as gzip, makes no difference. */
static void emnist_letters_begin_at_one(void **state)
{
    (void)state;
    hsgd_config c;
    hsgd_problem p;
    unsigned char images[16 + 52] = {0, 0, 8, 3, 0, 0, 0, 52, 0, 0, 0, 1, 0, 0, 0, 1};
    unsigned char labels[8 + 52] = {0, 0, 8, 1, 0, 0, 0, 52};
    for (int i = 0; i < 52; i++) {
        images[16 + i] = (unsigned char)(5 * i);
        labels[8 + i] = (unsigned char)(1 + i % 26);
    }
    size_t size;
    unsigned char *gzip = gzip_bytes(images, sizeof images, &size);
    temp_open(&folder);
    temp_write(&folder, "train-images.gz", gzip, size);
    temp_write(&folder, "train-labels", labels, sizeof labels);
    images[7] = labels[7] = 2;
    labels[8] = 26;
    labels[9] = 3;
    temp_write(&folder, "test-images", images, 18);
    temp_write(&folder, "test-labels", labels, 10);
    build(&p, &c,
          "{\"format\": \"idx\", \"images\": \"train-images.gz\", \"labels\": \"train-labels\", \"test\": {\"images\": "
          "\"test-images\", \"labels\": \"test-labels\"}}");
    assert_true(p.data.num_classes == 26 && p.data.class_value[0] == 1 && p.data.class_value[25] == 26);
    assert_true(p.test.num_samples == 2 && p.test.label[0] == 25 && p.test.label[1] == 2 && p.test.num_classes == 26);
    for (size_t s = 0; s < 52; s++) /* pixel 5 i belongs to label i mod 26 */
        assert_int_equal(p.data.label[s], (size_t)lround(p.data.byte_value[p.data.byte[s]] * 51) % 26);
    check_round_trip(&p, &c);
    release(&p, &c);
    free(gzip);
    temp_close(&folder);
}

/* Pixels stay bytes through splits, intercepts and partitions, and become doubles where scaling changes them. Every sample is
 * found again by its first pixel, which is its number: the others are that number shifted. */
static void pixels_stay_bytes(void **state)
{
    (void)state;
    enum { IMAGES = 40, PIXELS = 6 };
    unsigned char images[16 + IMAGES * PIXELS] = {0, 0, 8, 3, 0, 0, 0, IMAGES, 0, 0, 0, 2, 0, 0, 0, 3};
    unsigned char labels[8 + IMAGES] = {0, 0, 8, 1, 0, 0, 0, IMAGES};
    for (int i = 0; i < IMAGES; i++) {
        labels[8 + i] = (unsigned char)(i % 3);
        for (int k = 0; k < PIXELS; k++)
            images[16 + i * PIXELS + k] = (unsigned char)(i + 37 * k);
    }
    temp_open(&folder);
    temp_write(&folder, "images", images, sizeof images);
    temp_write(&folder, "labels", labels, sizeof labels);
    for (hsgd_scaling scaling = HSGD_SCALING_NONE; scaling <= HSGD_SCALING_STANDARD; scaling++) {
        char text[256];
        hsgd_config c;
        hsgd_problem p;
        snprintf(text, sizeof text,
                 "{\"format\": \"idx\", \"images\": \"images\", \"labels\": \"labels\", \"scaling\": \"%s\", "
                 "\"intercept\": true, \"test_fraction\": 0.25}, \"partition\": {\"scheme\": \"iid\", \"seed\": 4}",
                 hsgd_scaling_name(scaling));
        build(&p, &c, text);
        bool kept = scaling == HSGD_SCALING_NONE;
        assert_true(p.data.num_samples == 30 && p.test.num_samples == 10 && p.data.num_features == PIXELS + 1);
        assert_true(!p.data.byte == !kept && !p.data.dense == kept && !p.test.byte == !kept && !p.test.dense == kept);
        for (size_t s = 0; s < 30 && kept; s++) {
            const uint8_t *byte = p.data.byte + s * (PIXELS + 1);
            assert_true(p.data.label[s] == byte[0] % 3u && p.data.byte_value[byte[PIXELS]] == 1);
            for (size_t k = 0; k < PIXELS; k++)
                assert_int_equal(byte[k], (unsigned char)(byte[0] + 37 * k));
        }
        check_round_trip(&p, &c);
        release(&p, &c);
    }
    temp_close(&folder);
}

static void cifar_batches(void **state)
{
    (void)state;
    static unsigned char batch[3 * 3074];
    hsgd_config c;
    hsgd_problem p;
    temp_open(&folder);
    for (size_t i = 0; i < sizeof batch; i++)
        batch[i] = (unsigned char)(i % 10);
    temp_write(&folder, "1.bin", batch, 2 * 3073);
    temp_write(&folder, "2.bin", batch, 3 * 3073);
    build(&p, &c, "{\"format\": \"cifar\", \"path\": [\"1.bin\", \"2.bin\"], \"test\": {\"path\": \"1.bin\"}}");
    assert_true(p.data.num_samples == 5 && p.data.num_features == 3072 && p.test.num_samples == 2);
    assert_true(p.data.byte && p.test.byte && !p.data.dense && !p.test.dense);
    check_line(
        &p, &c,
        "5 samples of 3072 features in 3 classes, 2 test samples, from 3 files of 21511 bytes: 1.bin, 2.bin, 1.bin");
    check_round_trip(&p, &c);
    release(&p, &c);
    temp_write(&folder, "100.bin", batch, 3 * 3074);
    static const char *const labels[] = {"fine", "coarse"};
    for (int k = 0; k < 2; k++) {
        char text[128];
        snprintf(text, sizeof text, "{\"format\": \"cifar\", \"path\": \"100.bin\", \"labels\": \"%s\"}", labels[k]);
        build(&p, &c, text);
        assert_int_equal((int)p.data.class_value[0], k == 0 ? 1 : 0); /* bytes 0 and 1 of the first record */
        check_round_trip(&p, &c);
        release(&p, &c);
    }
    temp_close(&folder);
}

#define LEAF                                                                                                           \
    "{\"users\": [\"a\", \"b\", \"c\"], \"num_samples\": [2, 4, 2], \"user_data\": {"                                  \
    "\"a\": {\"x\": [[10], [11]], \"y\": [0, 1]}, \"b\": {\"x\": [[20], [21], [22], [23]], \"y\": [1, 1, 0, 0]},"      \
    "\"c\": {\"x\": [[30], [31]], \"y\": [0, 0]}}}"

/* A user's samples stay with one worker; two workers get two users and one. */
static void leaf_users_are_workers(void **state)
{
    (void)state;
    hsgd_config c;
    hsgd_problem p;
    temp_open(&folder);
    temp_write(&folder, "all.json", LEAF, sizeof LEAF - 1);
    build(&p, &c, "{\"format\": \"leaf\", \"path\": \"all.json\", \"test_fraction\": 0.5}");
    assert_int_equal(c.partition.scheme, HSGD_PARTITION_NATURAL);
    assert_true(p.has_test && p.test.num_samples == 4 && p.data.num_samples == 4);
    size_t first_worker = p.partition.start[1], users[2][4] = {{0}};
    for (size_t s = 0; s < 4; s++)
        users[s >= first_worker][(size_t)p.data.dense[s] / 10]++;
    for (size_t k = 1; k < 4; k++) { /* half of each user, with one worker */
        assert_int_equal(users[0][k] + users[1][k], k == 2 ? 2 : 1);
        assert_true(users[0][k] == 0 || users[1][k] == 0);
    }
    check_line(&p, &c,
               "4 samples of 1 feature in 2 classes, 3 users, 4 test samples, from 1 file of 201 bytes: all.json");
    check_round_trip(&p, &c);
    release(&p, &c);
    build(&p, &c,
          "{\"format\": \"leaf\", \"path\": \"all.json\", \"test\": {\"path\": \"all.json\"}},"
          "\"partition\": {\"scheme\": \"natural\", \"user_order\": \"in-order\"}");
    assert_true(p.partition.start[1] == 6 && p.data.dense[5] == 23 && p.test.num_samples == 8);
    check_round_trip(&p, &c);
    release(&p, &c);
    build(&p, &c, "{\"format\": \"leaf\", \"path\": \"all.json\"}, \"partition\": {\"scheme\": \"iid\"}");
    assert_int_equal(p.partition.start[1], 4);
    release(&p, &c);
    temp_close(&folder);
}

/* User k is worker k, whatever the number of samples. */
static void synthetic_users_are_workers(void **state)
{
    (void)state;
    hsgd_config c;
    hsgd_problem p;
    hsgd_dataset data;
    temp_open(&folder);
    hsgd_synthetic_options o = {
        .alpha = 0.5, .beta = 2, .num_users = 2, .features = 7, .classes = 3, .seed = 5, .max_samples = 90};
    assert_ok(hsgd_synthetic_generate(&data, &o, &err), err);
    build(&p, &c,
          "{\"format\": \"synthetic\", \"alpha\": 0.5, \"beta\": 2, \"features\": 7, \"classes\": 3, \"seed\": 5, "
          "\"max_samples\": 90}");
    assert_int_equal(c.partition.scheme, HSGD_PARTITION_NATURAL);
    assert_int_equal(p.partition.start[1], data.user_start[1]);
    assert_memory_equal(p.data.dense, data.dense, data.num_samples * 7 * sizeof(double));
    assert_memory_equal(p.data.label, data.label, data.num_samples * sizeof *data.label);
    check_round_trip(&p, &c);
    release(&p, &c);
    for (int seed = 1; seed <= 8; seed++) { /* a shuffle would exchange the two users for half of the seeds */
        char text[256];
        snprintf(
            text, sizeof text,
            "{\"format\": \"synthetic\", \"alpha\": 0.5, \"beta\": 2, \"features\": 7, \"classes\": 3, \"seed\": 5, "
            "\"max_samples\": 90}, \"partition\": {\"scheme\": \"natural\", \"seed\": %d}",
            seed);
        build(&p, &c, text);
        assert_memory_equal(p.data.dense, data.dense, data.num_samples * 7 * sizeof(double));
        release(&p, &c);
    }
    hsgd_dataset_free(&data);
    build(&p, &c,
          "{\"format\": \"synthetic\", \"iid\": true, \"users\": 5, \"max_samples\": 60, \"test_fraction\": 0.25,"
          "\"test_seed\": 3}");
    assert_true(p.read.num_users == 5 && p.read.num_files == 0 && p.has_test);
    check_round_trip(&p, &c);
    char *line = hsgd_data_describe(&p.read, &c.data);
    assert_non_null(strstr(line, ", generated"));
    free(line);
    release(&p, &c);
    refused("{\"format\": \"synthetic\", \"alpha\": 1, \"beta\": 1, \"users\": 1, \"max_samples\": 60}",
            "problem.partition: 1 users are too few for 2 workers");
    temp_close(&folder);
}

/* The options arrive, and are written back; there are no users. */
static void mixtures_are_generated(void **state)
{
    (void)state;
    hsgd_config c;
    hsgd_problem p;
    hsgd_dataset data;
    temp_open(&folder);
    hsgd_mixture_options o = {
        .features = 7, .classes = 3, .clusters = 4, .samples_per_class = 11, .spread = 0.35, .seed = 6};
    assert_ok(hsgd_mixture_generate(&data, &o, &err), err);
    build(&p, &c,
          "{\"format\": \"mixture\", \"features\": 7, \"classes\": 3, \"clusters\": 4, \"samples_per_class\": 11, "
          "\"spread\": 0.35, \"seed\": 6}");
    assert_true(c.partition.scheme == HSGD_PARTITION_IID && p.read.num_users == 0 && p.read.num_files == 0);
    assert_int_equal(p.data.num_samples, 33);
    double all = 0, want = 0; /* the partition reorders the samples */
    for (size_t i = 0; i < 33 * 7; i++) {
        all += p.data.dense[i] * p.data.dense[i];
        want += data.dense[i] * data.dense[i];
    }
    assert_close(all, want, 1e-13);
    check_round_trip(&p, &c);
    release(&p, &c);
    hsgd_dataset_free(&data);
    temp_close(&folder);
}

static void keys_that_are_not_legal(void **state)
{
    (void)state;
    refused("{\"format\": \"csv\", \"path\": \"x\", \"label_column\": 0}", "problem.data.label_column: 0");
    refused("{\"format\": \"csv\", \"path\": \"x\", \"label_column\": [1]}",
            "a name from the header or a number from 1");
    refused("{\"format\": \"csv\", \"path\": \"x\", \"header\": 1}", "problem.data.header: 1");
    refused("{\"format\": \"csv\", \"path\": [\"x\", \"y\"]}", "problem.data.path");
    refused("{\"format\": \"cifar\", \"path\": []}", "problem.data.path");
    refused("{\"format\": \"cifar\", \"path\": [\"x\", 3]}", "problem.data.path[1]: 3");
    refused("{\"format\": \"cifar\", \"path\": \"x\", \"labels\": \"superfine\"}", "fine, coarse");
    refused("{\"format\": \"synthetic\", \"beta\": 1}", "problem.data.alpha: missing");
    refused("{\"format\": \"synthetic\", \"alpha\": -1, \"beta\": 1}", "problem.data.alpha: -1");
    refused("{\"format\": \"synthetic\", \"alpha\": 1, \"iid\": true}", "problem.data.alpha: 1");
    refused("{\"format\": \"synthetic\", \"alpha\": 1, \"beta\": 1, \"classes\": 1}", "problem.data.classes: 1");
    refused("{\"format\": \"synthetic\", \"iid\": true, \"test\": {\"path\": \"x\"}}", "problem.data.test");
    refused("{\"format\": \"mixture\", \"spread\": 0}", "problem.data.spread: 0");
    refused("{\"format\": \"mixture\", \"spread\": 1e101}", "problem.data.spread: 1e+101");
    refused("{\"format\": \"mixture\", \"classes\": 1}", "problem.data.classes: 1");
    refused("{\"format\": \"mixture\", \"clusters\": 0}", "problem.data.clusters: 0");
    refused("{\"format\": \"mixture\", \"users\": 3}", "problem.data.users");
    refused("{\"format\": \"csv\", \"path\": \"x\", \"test_fraction\": 1}", "problem.data.test_fraction: 1");
    refused("{\"format\": \"csv\", \"path\": \"x\", \"test_fraction\": 0}", "problem.data.test_fraction: 0");
    refused("{\"format\": \"csv\", \"path\": \"x\", \"test_seed\": 3}", "problem.data.test_seed: 3");
    refused("{\"format\": \"csv\", \"path\": \"x\", \"test\": {\"path\": \"y\"}, \"test_fraction\": 0.1}",
            "give one of them");
    refused("{\"format\": \"idx\", \"images\": \"x\", \"labels\": \"y\", \"test\": {\"images\": \"x\"}}",
            "problem.data.test.labels: missing");
    refused("{\"format\": \"csv\", \"path\": \"x\"}, \"partition\": {\"scheme\": \"natural\", \"user_order\": \"up\"}",
            "shuffled, in-order");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_with_test_data),     cmocka_unit_test(emnist_letters_begin_at_one),
        cmocka_unit_test(pixels_stay_bytes),      cmocka_unit_test(cifar_batches),
        cmocka_unit_test(leaf_users_are_workers), cmocka_unit_test(synthetic_users_are_workers),
        cmocka_unit_test(mixtures_are_generated), cmocka_unit_test(keys_that_are_not_legal),
    };
    gsl_set_error_handler_off();
    return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
