/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CSV files of every shape that spreadsheets and scripts write are read alike, and what is not a table of numbers is
 * refused with its line and column. */
#include "tests/temp_files.h"

#include "analysis/dataset.h"

static hsgd_error err;
static const hsgd_csv_options plain = {.header = HSGD_CSV_HEADER_AUTO};

static hsgd_status read_bytes(hsgd_dataset *data, const void *text, size_t size, const hsgd_csv_options *options)
{
    temp_folder temp;
    temp_open(&temp);
    const char *path = temp_write(&temp, "t.csv", text, size);
    hsgd_status status = hsgd_dataset_read_csv(data, path, options, &err);
    temp_close(&temp);
    return status;
}

static hsgd_status read_text(hsgd_dataset *data, const char *text, const hsgd_csv_options *options)
{
    return read_bytes(data, text, strlen(text), options);
}

/* Three samples of two features; the labels are 7, -1, 7. */
static void check_table(const hsgd_dataset *data)
{
    const double dense[] = {1.5, -2, 0.25, 3e3, 0, 4}, values[] = {-1, 7};
    const uint32_t labels[] = {1, 0, 1};
    assert_true(data->num_samples == 3 && data->num_features == 2 && data->num_classes == 2 && !data->value);
    assert_memory_equal(data->dense, dense, sizeof dense);
    assert_memory_equal(data->class_value, values, sizeof values);
    assert_memory_equal(data->label, labels, sizeof labels);
}

static void one_table_in_many_spellings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        hsgd_csv_options options;
    } spelling[] = {
        {"1.5,-2,7\n0.25,3e3,-1\n0,4,7\n", {.label_number = 0}},
        {"1.5;-2;7\r\n0.25;3e3;-1\r\n0;4;7", {.label_number = 3}},
        {"1.5\t7\t-2\n0.25\t-1\t3e3\n0\t7\t4\n", {.label_number = 2}},
        {"\xef\xbb\xbf"
         "a,b,y\n1.5,-2,7\n\n  \n0.25,3e3,-1\n0,4,7\n\n",
         {.label_name = "y"}},
        {"\"y\", \"a, or; b\",c\n 7 ,\"1.5\" , -2\n\"-1\",+0.25,3000\n7,0,\" 4 \"\n", {.label_name = "y"}},
        {"a,\"the \"\"label\"\"\",b\n1.5,7,-2\n.25,-1,3e+3\n0.,7.0,4\n", {.label_name = "the \"label\""}},
        {"y,1,2\n7,1.5,-2\n-1,0.25,3E3\n7,-0,4\n", {.label_name = "y", .header = HSGD_CSV_HEADER_YES}},
        {"7,9,9\n7,1.5,-2\n-1,0.25,3e3\n7,0,4\n", {.label_number = 1, .header = HSGD_CSV_HEADER_YES}},
        {"7,1.5,-2\n-1,0.25,3e3\n7,0,4\n", {.label_number = 1, .header = HSGD_CSV_HEADER_NO}},
    };
    for (size_t i = 0; i < sizeof spelling / sizeof *spelling; i++) {
        hsgd_dataset data;
        assert_ok(read_text(&data, spelling[i].text, &spelling[i].options), err);
        for (size_t k = 0; k < data.num_samples * data.num_features; k++)
            data.dense[k] += 0.0; /* -0 becomes 0 */
        check_table(&data);
        hsgd_dataset_free(&data);
    }
}

/* In the order of the features; unknown without a header. */
static void names_of_features(void **state)
{
    (void)state;
    hsgd_dataset data;
    assert_ok(read_text(&data, " a , \"b, c\",y,\"\"\n1,2,3,4\n", &(hsgd_csv_options){.label_name = "y"}), err);
    assert_string_equal(data.feature_names, "a\nb, c\n\n");
    assert_ok(hsgd_dataset_add_intercept(&data, &err), err);
    assert_null(data.feature_names);
    hsgd_dataset_free(&data);
    assert_ok(read_text(&data, "1,2,3\n", &plain), err);
    assert_null(data.feature_names);
    hsgd_dataset_free(&data);
}

static void gzip_is_read_too(void **state)
{
    (void)state;
    static const char text[] = "1.5,-2,7\n0.25,3e3,-1\n0,4,7\n";
    hsgd_dataset data;
    size_t size;
    unsigned char *gzip = gzip_bytes(text, sizeof text - 1, &size);
    assert_ok(read_bytes(&data, gzip, size, &plain), err);
    check_table(&data);
    hsgd_dataset_free(&data);
    free(gzip);
}

/* Written with printf, read back to the same bits; enough lines for several rounds of growing. */
static void many_lines(void **state)
{
    (void)state;
    enum { LINES = 3000 };
    char *text = malloc(LINES * 80), *at = text;
    assert_non_null(text);
    for (int i = 0; i < LINES; i++)
        at += sprintf(at, "%.17g,%d,%.17g\n", sin(i), i % 7, exp(-i / 10.0));
    hsgd_dataset data;
    assert_ok(read_text(&data, text, &(hsgd_csv_options){.label_number = 2}), err);
    assert_true(data.num_samples == LINES && data.num_classes == 7);
    for (int i = 0; i < LINES; i++) {
        assert_true(data.dense[2 * i] == sin(i) && data.dense[2 * i + 1] == exp(-i / 10.0));
        assert_int_equal(data.label[i], i % 7);
    }
    hsgd_dataset_free(&data);
    free(text);
}

static void places_of_mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"1,2,3\n4,x,6\n", "t.csv: line 2, column 2: \"x\" is not a finite decimal number"},
        {"1,2,3\n\n4,5,nan\n", "line 3, column 3: \"nan\""},
        {"1,2,3\n4,,6\n", "line 2, column 2: \"\" is not"},
        {"1,2,3\n4,5,1e999\n", "line 2, column 3: \"1e999\""},
        {"1,2,3\n4,5,0x10\n", "line 2, column 3: \"0x10\""},
        {"1,2,3\n4,5\n", "line 2: fewer columns than the first line, which has 3"},
        {"1,2,3\n4,5,6,7\n", "line 2: more columns than the first line, which has 3"},
        {"1,2,3\n4,5,6,\n", "line 2: more columns"},
        {"1,2,x\n4,5,6\n", "line 1, column 3: \"x\" is not a finite decimal number, though others of the line are"},
        {"1,2,3\n4,\"5,6\n", "line 2, column 2: the quote of \"5,6 is not closed on its line"},
        {"1,2,3\n4,\"5\"6,6\n", "line 2, column 2: \"6\" follows the closing quote"},
        {"1.5;2,5;3\n4;5;6\n", "line 1, column 2: \"2,5\""},
        {"a,b,c\n", "a header, but no samples"},
        {"", "no samples"},
        {"\n \n\r\n", "no samples"},
        {"1\n2\n", "line 1: 1 column; a label and at least one feature are needed"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        hsgd_dataset data;
        assert_fails(read_text(&data, wrong[i].text, &plain), HSGD_ERROR_INPUT, wrong[i].message, err);
        assert_null(data.dense);
    }
}

static void label_columns_that_are_not_there(void **state)
{
    (void)state;
    hsgd_dataset data;
    assert_fails(read_text(&data, "1,2,3\n", &(hsgd_csv_options){.label_number = 4}), HSGD_ERROR_INPUT,
                 "label column 4: not one of the file's columns 1..3", err);
    assert_fails(read_text(&data, "a,b,c\n1,2,3\n", &(hsgd_csv_options){.label_name = "d"}), HSGD_ERROR_INPUT,
                 "label column \"d\": not one of the names in the header; give its number from 1 to 3", err);
    assert_fails(read_text(&data, "a,b,a\n1,2,3\n", &(hsgd_csv_options){.label_name = "a"}), HSGD_ERROR_INPUT,
                 "several columns have this name", err);
    assert_fails(read_text(&data, "1,2,3\n1,2,3\n", &(hsgd_csv_options){.label_name = "a"}), HSGD_ERROR_INPUT,
                 "the file has no header", err);
    assert_fails(read_text(&data, "ab,b,c\n1,2,3\n", &(hsgd_csv_options){.label_name = "a"}), HSGD_ERROR_INPUT,
                 "not one of the names", err);
    assert_fails(hsgd_dataset_read_csv(&data, "/nowhere/t.csv", &plain, &err), HSGD_ERROR_INPUT,
                 "/nowhere/t.csv: cannot be opened", err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_table_in_many_spellings),
        cmocka_unit_test(names_of_features),
        cmocka_unit_test(gzip_is_read_too),
        cmocka_unit_test(many_lines),
        cmocka_unit_test(places_of_mistakes),
        cmocka_unit_test(label_columns_that_are_not_there),
    };
    return cmocka_run_group_tests_name("read_csv", tests, NULL, NULL);
}
