/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program on every data format: the line that says what was read, `data` in result.json, results that do not depend on
 * the number of threads, and one line and exit code 2 for data that are wrong. */
#include "tests/experiments/program.h"

#include "experiments/data.h"

/* A softmax problem on four workers with this data object. */
static void write_config(const char *path, const char *data)
{
    char text[2048];
    snprintf(
        text, sizeof text,
        "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"problem\": {\"type\": \"softmax\", \"data\": %s},"
        "\"optimizer\": {\"step_size\": 0.01, \"steps\": 8, \"batch_size\": 2}, \"seeds\": 3, \"figures\": [],"
        "\"bounds\": [\"hsgd-fixed\"]}",
        data);
    write_text(path, text);
}

/* What each format reads; FORMAT.json, and the line about it. */
static const struct {
    const char *format, *data, *line;
} cases[] = {
    {"libsvm", "{\"format\": \"libsvm\", \"path\": \"d.txt\", \"test\": {\"path\": \"d.txt\"}}",
     "8 samples of 2 features in 2 classes, 8 test samples, from 2 files of 96 bytes: d.txt, d.txt\n"},
    {"csv", "{\"format\": \"csv\", \"path\": \"d.csv\", \"test_fraction\": 0.25}",
     "6 samples of 2 features in 2 classes, 2 test samples, from 1 file of 48 bytes: d.csv\n"},
    {"idx", "{\"format\": \"idx\", \"images\": \"images\", \"labels\": \"labels\"}",
     "4 samples of 1 feature in 2 classes, from 2 files of 32 bytes: images, labels\n"},
    {"cifar", "{\"format\": \"cifar\", \"path\": [\"b1\", \"b1\"], \"labels\": \"coarse\"}",
     "8 samples of 3072 features in 2 classes, from 2 files of 24592 bytes: b1, b1\n"},
    {"leaf", "{\"format\": \"leaf\", \"path\": \"leaf\"}",
     "5 samples of 1 feature in 2 classes, 4 users, from 2 files of 242 bytes: leaf\n"},
    {"synthetic",
     "{\"format\": \"synthetic\", \"iid\": true, \"features\": 3, \"max_samples\": 50, \"intercept\": true}",
     "200 samples of 4 features in 10 classes, 4 users, generated\n"},
    {"mixture", "{\"format\": \"mixture\", \"classes\": 4, \"samples_per_class\": 25, \"test_fraction\": 0.2}",
     "80 samples of 20 features in 4 classes, 20 test samples, generated\n"},
};
enum { NUM_CASES = sizeof cases / sizeof *cases };

static void write_data(void)
{
    static unsigned char batch[4 * 3074];
    const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1, 9, 99, 9, 99};
    const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 1, 2};
    char rows[256] = "", lines[256] = "";
    for (int i = 0; i < 8; i++) {
        sprintf(rows + strlen(rows), "%d %d:%d\n", i % 2, 1 + i % 2, i);
        sprintf(lines + strlen(lines), "%d,%d,%d\n", i, 9 - i, i % 2);
    }
    write_text("d.txt", rows);
    write_text("d.csv", lines);
    write_bytes("images", images, sizeof images);
    write_bytes("labels", labels, sizeof labels);
    for (size_t i = 0; i < sizeof batch; i++)
        batch[i] = i % 3074 ? (unsigned char)(i * i % 251) : i > 3074;
    write_bytes("b1", batch, sizeof batch);
    mkdir("leaf", 0777);
    write_text("leaf/0.json",
               "{\"users\": [\"a\", \"b\"], \"num_samples\": [1, 2], \"user_data\": {\"a\": {\"x\": [[1]],"
               " \"y\": [0]}, \"b\": {\"x\": [[2], [3]], \"y\": [1, 0]}}}");
    write_text("leaf/1.json",
               "{\"users\": [\"c\", \"d\"], \"num_samples\": [1, 1], \"user_data\": {\"c\": {\"x\": [[4]],"
               " \"y\": [0]}, \"d\": {\"x\": [[5]], \"y\": [1]}}}");
}

static void every_format_runs(void **state)
{
    (void)state;
    write_data();
    assert_int_equal(NUM_CASES, HSGD_NUM_DATA_FORMATS);
    for (size_t i = 0; i < NUM_CASES; i++) {
        char line[512];
        snprintf(line, sizeof line, "%s.json", cases[i].format);
        write_config(line, cases[i].data);
        snprintf(line, sizeof line,
                 "$H run %s.json --output 1 --threads 1 && $H run %s.json --output 2 --threads 2 --quiet && cmp "
                 "1/result.json 2/result.json",
                 cases[i].format, cases[i].format);
        assert_exit(line, 0);
        snprintf(line, sizeof line, "\n  data        %s", cases[i].line);
        if (!strstr(out, line))
            fail_msg("\"%s\" lacks \"%s\"", out, line);
        cJSON *result = read_json("1/result.json"), *data = get(result, "data");
        assert_string_equal(text_of(data, "format"), cases[i].format);
        snprintf(line, sizeof line, "%.0f sample", number(data, "samples"));
        assert_int_equal(strncmp(line, cases[i].line, strlen(line)), 0);
        snprintf(line, sizeof line, "from %.0f file", number(data, "files"));
        assert_true(strstr(cases[i].line, line) || number(data, "files") == 0);
        snprintf(line, sizeof line, "of %.0f bytes", number(data, "bytes"));
        assert_true(strstr(cases[i].line, line) || number(data, "bytes") == 0);
        snprintf(line, sizeof line, "%.0f test samples", number(data, "test_samples"));
        assert_true(strstr(cases[i].line, line) || number(data, "test_samples") == 0);
        snprintf(line, sizeof line, "%.0f users", number(data, "users"));
        assert_true(strstr(cases[i].line, line) || number(data, "users") == 0);
        snprintf(line, sizeof line, "of %.0f feature", number(data, "features"));
        assert_non_null(strstr(cases[i].line, line));
        snprintf(line, sizeof line, "in %.0f classes", number(data, "classes"));
        assert_non_null(strstr(cases[i].line, line));
        cJSON_Delete(result);
    }
}

static void a_dry_run_says_what_it_read(void **state)
{
    (void)state;
    write_data();
    write_config("leaf.json", cases[4].data);
    assert_exit("$H run leaf.json --dry-run", 0);
    assert_int_equal(strncmp(out, "data: ", 6), 0);
    assert_int_equal(strncmp(out + 6, cases[4].line, strlen(cases[4].line)), 0);
    assert_exit("$H run --dry-run", 0); /* a quadratic reads nothing */
    assert_null(strstr(out, "data: "));
}

static void wrong_data_take_one_line(void **state)
{
    (void)state;
    write_data();
    write_config("leaf.json", cases[4].data);
    write_text("leaf/1.json", "{\"users\": [\"c\"], \"num_samples\": [1], \"user_data\": {\"c\": {\"x\": [[4, 4]], ");
    assert_refusal("$H run leaf.json --output w", 2, "leaf/1.json: byte 69: user_data.c.x[0]: 2 numbers");
    assert_false(exists("w"));
    write_text("leaf/1.json", "<html>\n<body>not found</body></html>\n");
    assert_refusal("$H run leaf.json --output w", 2, "leaf/1.json: byte 1: not valid JSON");
    unlink("leaf/1.json");
    assert_refusal("$H run leaf.json --output w", 2, "2 users are too few for 4 workers");
    write_config("csv.json", cases[1].data);
    write_text("d.csv", "1,2,0\n3,four,1\n");
    assert_refusal("$H run csv.json --output w", 2, "d.csv: line 2, column 2: \"four\"");
    unlink("d.csv");
    assert_refusal("$H run csv.json --output w", 2,
                   "d.csv: No such file or directory; put it there, or set HSGD_DATA_DIR");
    write_config("cifar.json", cases[3].data);
    write_bytes("b1", "\x1f\x8b", 2);
    assert_refusal("$H run cifar.json --output w", 2, "b1: ");
    write_config("synthetic.json", "{\"format\": \"synthetic\", \"alpha\": 1}");
    assert_refusal("$H run synthetic.json --output w", 2, "synthetic.json: problem.data.beta: missing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_runs),
        cmocka_unit_test(a_dry_run_says_what_it_read),
        cmocka_unit_test(wrong_data_take_one_line),
    };
    return cmocka_run_group_tests_name("data_program", tests, enter_folder, leave_folder);
}
