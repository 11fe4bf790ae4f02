/* SPDX-License-Identifier: GPL-3.0-or-later */
/* LEAF data whose samples name JPEG files, laid out as CelebA is: the numbers are those of the pictures, users and labels
 * theirs, networks get the pictures' shape; names that could lead elsewhere and pictures that are missing or damaged take one
 * line that says where; the program says what it read and gives the same results on any number of threads. */
#include "tests/experiments/program.h"

#include "analysis/convnet.h"
#include "analysis/image.h"
#include "experiments/leaf.h"
#include "experiments/problem.h"

#ifdef HSGD_JPEG

#include "tests/jpeg_files.h"

static hsgd_error err;

#define FOLDER "celeba/data/raw/img_align_celeba"
#define TRAIN "celeba/data/train/all_data_niid_0_keep_5_train_9.json"
#define TEST "celeba/data/test/all_data_niid_0_keep_5_test_9.json"

/* Picture number n: bright ones (kinds 4 to 7) smile. */
static jpeg_picture picture(int n)
{
    return (jpeg_picture){
        .rows = 22, .columns = 18, .channels = n == 5 ? 1 : 3, .quality = 95, .sampling = 2, .kind = n};
}

static double write_picture(int n)
{
    char path[64];
    size_t size;
    const jpeg_picture p = picture(n);
    unsigned char *bytes = jpeg_bytes(&p, &size);
    snprintf(path, sizeof path, FOLDER "/%06d.jpg", n);
    write_bytes(path, bytes, size);
    free(bytes);
    return (double)size;
}

#define DOC(users, counts, data) "{\"users\": [" users "], \"num_samples\": [" counts "], \"user_data\": {" data "}}"
#define ANN "\"ann\": {\"x\": [\"000003.jpg\", \"000004.jpg\", \"000001.jpg\"], \"y\": [0.0, 1.0, 0.0]}"
#define BOB "\"bob\": {\"y\": [1.0, 0.0], \"x\": [\"000005.jpg\", \"000002.jpg\"]}"
#define CAT "\"cat\": {\"x\": [\"000006.jpg\", \"000000.jpg\"], \"y\": [1.0, 0.0]}"
#define DAN "\"dan\": {\"x\": [\"000007.jpg\"], \"y\": [1.0]}"

/* Eight pictures of four people for training and two of them for testing; the bytes of all ten readings. */
static double write_celeba(void)
{
    static const char *const folder[] = {"celeba", "celeba/data",       "celeba/data/raw",
                                         FOLDER,   "celeba/data/train", "celeba/data/test"};
    double bytes = 0;
    for (size_t i = 0; i < sizeof folder / sizeof *folder; i++)
        mkdir(folder[i], 0777);
    for (int n = 0; n < 8; n++)
        bytes += (n == 1 || n == 6 ? 2 : 1) * write_picture(n);
    write_text(TRAIN, DOC("\"ann\", \"bob\", \"cat\", \"dan\"", "3, 2, 2, 1", ANN "," BOB "," CAT "," DAN));
    write_text(TEST,
               DOC("\"ann\", \"cat\"", "1, 1",
                   "\"ann\": {\"x\": [\"000001.jpg\"], \"y\": [0]}, \"cat\": {\"x\": [\"000006.jpg\"], \"y\": [1]}"));
    return bytes;
}

/* Every sample is the picture that it names, where it stands, and close to what was compressed. */
static void samples_are_the_pictures_named(void **state)
{
    (void)state;
    static const int number_of[] = {3, 4, 1, 5, 2, 6, 0, 7};
    static const size_t start[] = {0, 3, 5, 7, 8};
    const char *path = "celeba/data/train";
    hsgd_leaf_images images = {.folder = FOLDER, .rows = 11, .columns = 9};
    hsgd_dataset data;
    double bytes = write_celeba();
    uint8_t row[3 * 11 * 9];
    assert_ok(hsgd_leaf_read_images(&data, &images, &path, 1, &err), err);
    assert_true(data.num_samples == 8 && data.num_features == sizeof row && data.num_users == 4);
    assert_memory_equal(data.user_start, start, sizeof start);
    assert_true(!data.dense && data.byte_value[255] == 1 && data.byte_value[51] == 0.2);
    for (size_t s = 0; s < 8; s++) {
        const jpeg_picture p = picture(number_of[s]);
        char file[64];
        snprintf(file, sizeof file, FOLDER "/%06d.jpg", number_of[s]);
        assert_ok(hsgd_image_read_jpeg(row, file, 11, 9, NULL, &err), err);
        assert_memory_equal(data.byte + s * data.num_features, row, sizeof row);
        assert_int_equal(data.label[s], number_of[s] > 3);
        for (size_t i = 0; i < sizeof row; i++) { /* a new pixel is two by two old ones */
            size_t r = i / 9 % 11, k = i % 9;
            int c = p.channels == 1 ? 0 : (int)(i / 99);
            double mean = (jpeg_pixel(&p, c, 2 * r, 2 * k) + jpeg_pixel(&p, c, 2 * r + 1, 2 * k) +
                           jpeg_pixel(&p, c, 2 * r, 2 * k + 1) + jpeg_pixel(&p, c, 2 * r + 1, 2 * k + 1)) /
                          4.0;
            assert_true(fabs(row[i] - mean) < 12);
        }
    }
    assert_int_equal(images.num_images, 8);
    path = "celeba/data/test";
    hsgd_dataset_free(&data);
    assert_ok(hsgd_leaf_read_images(&data, &images, &path, 1, &err), err);
    assert_true(images.num_images == 10 && images.bytes == bytes && data.num_samples == 2);
    hsgd_dataset_free(&data);
}

/* One user with these "x" and one label for each of count. */
static void refused(const char *x, const char *message)
{
    char text[1024];
    const char *path = "one.json";
    hsgd_leaf_images images = {.folder = FOLDER, .rows = 4, .columns = 4};
    hsgd_dataset data;
    snprintf(text, sizeof text, DOC("\"eve\"", "2", "\"eve\": {\"x\": [%s], \"y\": [1, 0]}"), x);
    write_text(path, text);
    assert_fails(hsgd_leaf_read_images(&data, &images, &path, 1, &err), HSGD_ERROR_INPUT, message, err);
    assert_true(strncmp(err.message, "one.json: ", 10) == 0 && !data.byte);
}

static void wrong_names_and_pictures(void **state)
{
    (void)state;
    write_celeba();
    refused("\"000000.jpg\", \"000099.jpg\"",
            "user_data.eve.x[1]: " FOLDER "/000099.jpg: cannot be opened: No such file or directory");
    refused("\"../000000.jpg\"", "user_data.eve.x[0]: the name \"../000000.jpg\" must not have \"/\" or \"..\"");
    refused("\"/etc/passwd.jpg\"", "must not have \"/\"");
    refused("\"a..jpg\"", "must not have");
    refused("\"000000.png\"",
            "user_data.eve.x[0]: the name \"000000.png\" does not end in .jpg or .jpeg; expected a JPEG");
    refused("\"jpg\"", "does not end in .jpg");
    refused("\".jpg\"", "does not end in .jpg");
    refused("\"\"", "is empty, too long or has a zero byte");
    refused("\"a\\u0000.jpg\"", "is empty, too long or has a zero byte");
    refused("\"a\\n.png\"", "the name \"a?.png\" does not end");
    refused("[1, 2]", "user_data.eve.x[0]: an array; expected the name of an image file for each sample");
    refused("\"000000.jpg\", 7", "user_data.eve.x[1]: a number; expected the name of an image file");
    refused("null", "user_data.eve.x[0]: null; expected the name");
    refused("{}", "user_data.eve.x[0]: an object; expected the name");
    refused("\"000000.jpg\"", "user_data.eve: 1 samples in \"x\", but 2 labels");
    write_text(FOLDER "/000000.jpg", "GIF89a");
    refused("\"000000.jpg\"", "user_data.eve.x[0]: " FOLDER "/000000.jpg: Not a JPEG file: starts with 0x47 0x49");
    size_t size;
    const jpeg_picture p = picture(3);
    unsigned char *bytes = jpeg_bytes(&p, &size);
    write_bytes(FOLDER "/000000.JPEG", bytes, size - 20);
    free(bytes);
    refused("\"000000.JPEG\"", "000000.JPEG: Premature end of JPEG file");
}

static void long_names(void **state)
{
    (void)state;
    char name[400] = "\"";
    write_celeba();
    memset(name + 1, 'n', 300);
    strcpy(name + 301, ".jpg\"");
    refused(name, "is empty, too long");
    strcpy(name + 241, ".jpg\"");
    refused(name, "cannot be opened: No such file");
}

/* ---- the program ---- */

#define SOFTMAX "\"type\": \"softmax\""
#define CNN                                                                                                            \
    "\"type\": \"cnn\", \"architecture\": [{\"conv\": 4, \"kernel\": 3, \"padding\": 1}, \"relu\", {\"maxpool\": 2}]"
#define DATA                                                                                                           \
    "\"format\": \"leaf\", \"path\": \"celeba/data/train\", \"images\": \"" FOLDER                                     \
    "\", \"image_size\": [11, 9], \"test\": {\"path\": \"celeba/data/test\"}, \"scaling\": \"standard\""

static void write_config(const char *problem, const char *data)
{
    char text[2048];
    snprintf(text, sizeof text,
             "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"problem\": {%s, \"data\": {%s}},"
             "\"optimizer\": {\"step_size\": 0.3, \"steps\": 120, \"batch_size\": 2}, \"seeds\": 2, \"figures\": [],"
             "\"measure_every\": 40, \"evaluate_every\": 1, \"bounds\": []}",
             problem, data);
    write_text("c.json", text);
}

static void check_data(const cJSON *data, double bytes)
{
    assert_true(number(data, "samples") == 8 && number(data, "features") == 297 && number(data, "users") == 4);
    assert_true(number(data, "test_samples") == 2 && number(data, "files") == 2 && number(data, "images") == 10);
    assert_true(number(data, "image_bytes") == bytes);
}

/* One digest of all pictures in the order of the samples, another for testing. */
static void check_digests(const cJSON *provenance)
{
    assert_exit("cd " FOLDER " && cat 000003.jpg 000004.jpg 000001.jpg 000005.jpg 000002.jpg 000006.jpg 000000.jpg "
                "000007.jpg | sha256sum",
                0);
    assert_int_equal(strncmp(out, text_of(provenance, "images_sha256"), 64), 0);
    assert_exit("cd " FOLDER " && cat 000001.jpg 000006.jpg | sha256sum", 0);
    assert_int_equal(strncmp(out, text_of(provenance, "test_images_sha256"), 64), 0);
    assert_int_equal(cJSON_GetArraySize(get(provenance, "data_files")), 2);
}

/* Eight bright or dark pictures are learned; softmax regression and a network, whose shape is no square. */
static void the_program_learns_from_pictures(void **state)
{
    (void)state;
    static const char *const problem[] = {SOFTMAX, CNN};
    char line[512];
    double bytes = write_celeba();
    for (size_t i = 0; i < (hsgd_convnet_is_there() ? 2u : 1u); i++) {
        write_config(problem[i], DATA);
        assert_exit("$H run c.json --output 1 --threads 1 && $H run c.json --output 2 --threads 2 --quiet && "
                    "cmp 1/result.json 2/result.json",
                    0);
        snprintf(line, sizeof line, "10 images of %.0f bytes, resized to 11 x 9: img_align_celeba\n", bytes);
        if (!strstr(out, line))
            fail_msg("\"%s\" lacks \"%s\"", out, line);
        assert_non_null(
            strstr(out, "8 samples of 297 features in 2 classes, 4 users, 2 test samples, from 2 files of "));
        cJSON *result = read_json("1/result.json");
        check_data(get(result, "data"), bytes);
        const cJSON *final = get(get(get(get(result, "metrics"), "hsgd"), "final"), "test_accuracy");
        assert_true(number(final, "mean") == 1); /* there are two */
        check_digests(get(result, "provenance"));
        cJSON_Delete(result);
    }
    assert_exit("$H run c.json --dry-run", 0);
    assert_int_equal(strncmp(out, "data: 8 samples of 297 features", 31), 0);
    assert_non_null(strstr(out, line));
}

/* Before anything is read or written: folders that are not there, the places that were searched, sizes. */
static void the_program_refuses_in_one_line(void **state)
{
    (void)state;
    char home[sizeof work + 16], message[700];
    write_celeba();
    snprintf(home, sizeof home, "%s/elsewhere", work);
    setenv("HSGD_DATA_DIR", home, 1);
    write_config(SOFTMAX, "\"format\": \"leaf\", \"path\": \"celeba/data/train\", \"images\": \"none\"");
    snprintf(message, sizeof message,
             "c.json: none: No such file or directory; put it there, or set HSGD_DATA_DIR, now %s, to the folder",
             home);
    assert_refusal("$H run c.json --output w", 2, message);
    write_config(SOFTMAX, "\"format\": \"leaf\", \"path\": \"celeba/data/train\", \"images\": \"c.json\"");
    assert_refusal("$H run c.json --output w", 2, "/c.json: not a folder; \"images\" is the one that has");
    write_config(SOFTMAX, "\"format\": \"leaf\", \"path\": \"celeba/data/train\"");
    assert_refusal("$H run c.json --output w", 2,
                   "user_data.ann.x[0]: a text (of an image file? they need \"images\")");
    write_config(SOFTMAX, "\"format\": \"leaf\", \"path\": \"x\", \"image_size\": [4, 4]");
    assert_refusal("$H run c.json --output w", 2, "problem.data.image_size: [4,4]: is of no use without \"images\"");
    write_config(SOFTMAX, "\"format\": \"leaf\", \"path\": \"x\", \"images\": \"y\", \"image_size\": [4]");
    assert_refusal("$H run c.json --output w", 2, "problem.data.image_size: [4]: 1 numbers; expected [rows, columns]");
    write_config(SOFTMAX, "\"format\": \"leaf\", \"path\": \"x\", \"images\": \"y\", \"image_size\": [4, 4097]");
    assert_refusal("$H run c.json --output w", 2, "problem.data.image_size[1]: ");
    write_config(SOFTMAX, "\"format\": \"csv\", \"path\": \"x\", \"images\": \"y\"");
    assert_refusal("$H run c.json --output w", 2, "problem.data");
    write_config(SOFTMAX, DATA);
    unlink(FOLDER "/000006.jpg");
    assert_refusal("$H run c.json --output w", 2, "_train_9.json: byte ");
    assert_non_null(strstr(err_text, "user_data.cat.x[0]: "));
    assert_non_null(strstr(err_text, "/img_align_celeba/000006.jpg: cannot be opened: No such file"));
    assert_false(exists("w"));
}

/* The resolved configuration has the folder and the size, the defaults too, and reads back to itself and the same data. */
static void the_configuration_round_trips(void **state)
{
    (void)state;
    static const char *const data[] = {
        DATA, "\"format\": \"leaf\", \"path\": \"celeba/data/train\", \"images\": \"" FOLDER "\""};
    write_celeba();
    for (size_t i = 0; i < 2; i++) {
        hsgd_config config, again;
        hsgd_problem problem;
        write_config(SOFTMAX, data[i]);
        assert_ok(hsgd_config_read(&config, "c.json", &err), err);
        assert_true(config.data.image_rows == (i ? 84 : 11) && config.data.image_columns == (i ? 84 : 9));
        char *once = hsgd_config_to_json(&config);
        assert_ok(hsgd_config_parse(&again, once, strlen(once), "elsewhere/d.json", &err), err);
        char *twice = hsgd_config_to_json(&again);
        assert_string_equal(once, twice);
        assert_non_null(strstr(once, "img_align_celeba\""));
        assert_ok(hsgd_problem_build(&problem, &again, "d.json", &err), err);
        assert_int_equal(problem.data.num_features, i ? 3 * 84 * 84 : 3 * 11 * 9);
        hsgd_problem_free(&problem);
        free(once);
        free(twice);
        hsgd_config_free(&config);
        hsgd_config_free(&again);
    }
}

static char repository[4096];

/* The repository's experiment finds data laid out as LEAF's programs do, in HSGD_DATA_DIR. Its network by hand: conv
 * 32 (3 9 + 1) = 896, three times 32 (32 9 + 1) = 9248; 84 rows become 42, 21, 10, 5; dense 2 (32 5 5 + 1) = 1602. */
static void the_experiment_file_reads_celeba(void **state)
{
    (void)state;
    char file[5000], *text;
    hsgd_config config;
    hsgd_dataset train, test;
    hsgd_data_summary read;
    hsgd_architecture network;
    write_celeba();
    setenv("HSGD_DATA_DIR", work, 1);
    snprintf(file, sizeof file, "%s/experiments/celeba-cnn.json", repository);
    assert_non_null(text = read_text(file));
    mkdir("copy", 0777); /* away from data that could lie beside the file */
    write_text("copy/c.json", text);
    free(text);
    assert_ok(hsgd_config_read(&config, "copy/c.json", &err), err);
    assert_true(config.seeds == 3 && config.partition.scheme == HSGD_PARTITION_NATURAL);
    assert_ok(hsgd_data_read(&train, &test, &read, &config.data, config.hierarchy.num_workers, &err), err);
    assert_true(read.num_samples == 8 && read.num_test_samples == 2 && read.num_users == 4 && read.num_images == 10);
    assert_ok(hsgd_architecture_make(&network, config.layer, config.num_layers, (hsgd_shape){3, 84, 84},
                                     train.num_classes, &err),
              err);
    assert_true(train.num_features == 3 * 84 * 84 && network.dim == 896 + 3 * 9248 + 1602);
    hsgd_architecture_free(&network);
    hsgd_dataset_free(&train);
    hsgd_dataset_free(&test);
    hsgd_config_free(&config);
    unlink(TEST);
    rmdir("celeba/data/test");
    if (hsgd_convnet_is_there())
        assert_refusal("$H run copy/c.json --output w", 2,
                       "copy/celeba/data/test: No such file or directory; put it there, or set HSGD_DATA_DIR, now ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_the_pictures_named),
        cmocka_unit_test(wrong_names_and_pictures),
        cmocka_unit_test(long_names),
        cmocka_unit_test(the_program_learns_from_pictures),
        cmocka_unit_test(the_program_refuses_in_one_line),
        cmocka_unit_test(the_configuration_round_trips),
        cmocka_unit_test(the_experiment_file_reads_celeba),
    };
    if (!getcwd(repository, sizeof repository))
        return 1;
    return cmocka_run_group_tests_name("leaf_images", tests, enter_folder, leave_folder);
}

#else

/* A build without libjpeg says so before it looks for the folder. */
static void images_need_libjpeg(void **state)
{
    (void)state;
    write_text("c.json",
               "{\"hierarchy\": {\"fanout\": [2], \"periods\": [2]}, \"problem\": {\"type\": \"softmax\", \"data\": "
               "{\"format\": \"leaf\", \"path\": \"x\", \"images\": \"y\"}}, \"optimizer\": {\"step_size\": 1, "
               "\"steps\": 1}}");
    assert_refusal("$H run c.json --output w", 4, "c.json: problem.data.images: JPEG files need libjpeg");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(images_need_libjpeg)};
    return cmocka_run_group_tests_name("leaf_images", tests, enter_folder, leave_folder);
}

#endif
