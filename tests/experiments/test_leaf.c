/* SPDX-License-Identifier: GPL-3.0-or-later */
/* LEAF's JSON: the same data however the members are ordered, the files cut and the bytes delivered, and one line with the
 * byte and the place for every document that contradicts itself. */
#include "tests/temp_files.h"

#include <sys/stat.h>

#include "experiments/leaf.h"

static hsgd_error err;

static hsgd_status read_text(hsgd_dataset *data, const char *text)
{
    temp_folder temp;
    temp_open(&temp);
    const char *path = temp_write(&temp, "all.json", text, strlen(text));
    hsgd_status status = hsgd_leaf_read(data, &path, 1, &err);
    temp_close(&temp);
    return status;
}

/* Users in the order of user_data: bob has 1 sample, ann 2. */
static void check_two_users(const hsgd_dataset *data)
{
    const double dense[] = {0.25, -1, 3e2, 1, 2, 3, 0, 0, 0.5}, values[] = {0, 7};
    const size_t start[] = {0, 1, 3};
    const uint32_t label[] = {1, 0, 1};
    assert_true(data->num_samples == 3 && data->num_features == 3 && data->num_users == 2 && data->num_classes == 2);
    assert_memory_equal(data->dense, dense, sizeof dense);
    assert_memory_equal(data->user_start, start, sizeof start);
    assert_memory_equal(data->class_value, values, sizeof values);
    assert_memory_equal(data->label, label, sizeof label);
}

#define BOB "\"bob\": {\"x\": [[0.25, -1, 3e2]], \"y\": [7]}"
#define ANN "\"ann\": {\"y\": [0, 7.0], \"x\": [[1, 2, 3], [0, 0, 0.5]]}"
#define GOOD "{\"users\": [\"ann\", \"bob\"], \"num_samples\": [2, 1], \"user_data\": {" BOB ", " ANN "}}"

static void members_in_any_order(void **state)
{
    (void)state;
    static const char *const text[] = {
        GOOD,
        "{\"user_data\": {" BOB "," ANN "},\n\"num_samples\": [1, 2.0], \"users\": [\"bob\", \"ann\"]}\n",
        /* what LEAF adds elsewhere is skipped, whatever it holds; a user without samples is left out */
        "{\"hierarchies\": [\"a\", {\"users\": [1]}], \"users\": [\"bob\", \"ann\", \"eve\"], \"num_samples\": [1, 2, "
        "0],"
        "\"user_data\": {\"bob\": {\"raw\": [[\"t\"]], \"x\": [[0.25, -1, 3e2]], \"n\": null, \"y\": [7]},"
        "\"eve\": {\"x\": [], \"y\": []}, " ANN "}, \"ok\": true}",
    };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        hsgd_dataset data;
        assert_ok(read_text(&data, text[i]), err);
        check_two_users(&data);
        hsgd_dataset_free(&data);
    }
}

/* Files, lists of files and folders, whose files are read in the order of their names; other names are not data. */
static void several_files(void **state)
{
    (void)state;
    static const char ann[] = "{\"users\": [\"ann\"], \"num_samples\": [2], \"user_data\": {" ANN "}}";
    static const char bob[] = "{\"users\": [\"bob\"], \"num_samples\": [1], \"user_data\": {" BOB "}}";
    temp_folder temp;
    hsgd_dataset data;
    size_t size;
    unsigned char *gzip = gzip_bytes(ann, sizeof ann - 1, &size);
    temp_open(&temp);
    const char *path[] = {NULL, temp_write(&temp, "b_1.json.gz", gzip, size), temp.folder};
    path[0] = temp_write(&temp, "a_0.json", bob, sizeof bob - 1);
    temp_write(&temp, "a_0.json.bak", "no JSON", 7);
    assert_ok(hsgd_leaf_read(&data, path, 2, &err), err);
    check_two_users(&data);
    hsgd_dataset_free(&data);
    assert_ok(hsgd_leaf_read(&data, &path[2], 1, &err), err);
    check_two_users(&data);
    hsgd_dataset_free(&data);
    assert_fails(hsgd_leaf_read(&data, path, 3, &err), HSGD_ERROR_INPUT, "the user \"ann\" stands there twice", err);
    assert_fails(hsgd_leaf_read(&data, (const char *[]){"/nowhere/x.json"}, 1, &err), HSGD_ERROR_INPUT,
                 "/nowhere/x.json: cannot be opened: No such file", err);
    path[1] = temp_write(&temp, "b_1.json.gz", gzip, size - 5);
    assert_fails(hsgd_leaf_read(&data, path, 2, &err), HSGD_ERROR_INPUT, "b_1.json.gz: the gzip data end too early",
                 err);
    free(gzip);
    temp_close(&temp);
}

static void a_folder_without_data(void **state)
{
    (void)state;
    temp_folder temp;
    hsgd_dataset data;
    temp_open(&temp);
    const char *path = temp.folder;
    assert_fails(hsgd_leaf_read(&data, &path, 1, &err), HSGD_ERROR_INPUT, "the folder has no file *.json", err);
    temp_close(&temp);
}

#define TEN(text) text text text text text text text text text text
#define DEEP TEN(TEN("[")) "[]" TEN(TEN("]"))

static void contradictions(void **state)
{
    (void)state;
#define DOC(users, counts, data) "{\"users\": [" users "], \"num_samples\": [" counts "], \"user_data\": {" data "}}"
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {DOC("\"ann\", \"bob\"", "2", ANN "," BOB), "2 users, but 1 num_samples"},
        {DOC("\"ann\", \"bob\"", "2, 2", ANN "," BOB), "num_samples says 2 for the user \"bob\", but user_data has 1"},
        {DOC("\"ann\"", "2", ANN "," BOB), "the user \"bob\" stands in \"user_data\", but not in \"users\""},
        {DOC("\"ann\", \"bob\"", "2, 1", ANN), "the user \"bob\" stands in \"users\", but not in \"user_data\""},
        {DOC("\"ann\", \"ann\"", "2, 2", ANN), "the user \"ann\" stands there twice"},
        {DOC("\"ann\"", "2", ANN "," ANN), "the user \"ann\" stands there twice"},
        {DOC("\"ann\"", "1.5", ANN), "num_samples[0]: 1.5 is not a whole number"},
        {DOC("\"ann\"", "-2", ANN), "num_samples[0]: -2 is not"},
        {DOC("\"a\"", "1", "\"a\": {\"x\": [[1], [2]], \"y\": [1]}"),
         "user_data.a: 2 samples in \"x\", but 1 labels in \"y\""},
        {DOC("\"a\"", "2", "\"a\": {\"x\": [[1, 2], [3]], \"y\": [1, 1]}"),
         "user_data.a.x[1]: 1 numbers, but the first sample has 2"},
        {DOC("\"a\"", "1", "\"a\": {\"x\": [[]], \"y\": [1]}"), "user_data.a.x[0]: a sample without numbers"},
        {DOC("\"a\"", "1", "\"a\": {\"x\": [[1]]}"), "user_data.a: no \"y\""},
        {DOC("\"a\"", "1", "\"a\": {\"y\": [1]}"), "user_data.a: no \"x\""},
        {DOC("\"a\"", "1", "\"a\": {\"x\": [\"05.jpg\"], \"y\": [1]}"),
         "user_data.a.x[0]: a text (of an image file? they need \"images\"); expected an array of numbers for each "
         "sample"},
        {DOC("\"a\"", "1", "\"a\": {\"x\": [[[1]]], \"y\": [1]}"), "user_data.a.x[0]: an array; expected numbers"},
        {DOC("\"a\"", "1", "\"a\": {\"x\": [1], \"y\": [1]}"), "user_data.a.x[0]: a number; expected an array"},
        {DOC("\"a\"", "1", "\"a\": {\"x\": [[null]], \"y\": [1]}"), "user_data.a.x[0]: null; expected numbers"},
        {DOC("\"a\"", "1", "\"a\": {\"x\": [[1]], \"y\": [true]}"), "user_data.a.y: true; expected numbers"},
        {DOC("\"a\"", "1", "\"a\": {\"x\": [[1]], \"y\": [\"7\"]}"), "user_data.a.y: a text; expected numbers"},
        {DOC("\"a\"", "1", "\"a\": {\"x\": [[1e999]], \"y\": [1]}"), "user_data.a.x[0]: 1e999 is not a finite number"},
        {DOC("\"a\"", "1", "\"a\": {\"x\": [[1]], \"y\": [1], \"x\": []}"), "user_data.a: a second \"x\""},
        {DOC("\"a\"", "1", "\"a\": 3"), "user_data: a number; expected an object for each user"},
        {DOC("3", "1", ""), "users[0]: a number; expected names"},
        {DOC("\"a\"", "\"1\"", ""), "num_samples[0]: a text; expected whole numbers"},
        {DOC("\"a\\u0000b\"", "1", ""), "users[0]: a user's name must not have the character \\u0000"},
        {DOC("\"a\"", "1", "\"a\\u0000b\": 1"), "user_data: a user's name must not have"},
        {"{\"users\": [], \"num_samples\": [], \"user_data\": {}, \"more\": " DEEP "}",
         "the document: more than 100 objects and arrays inside each other"},
        {"{\"users\": {}}", "the document: an object; expected arrays \"users\""},
        {"{\"users\": [], \"users\": []}", "the document: a second \"users\""},
        {"{\"users\": [], \"num_samples\": []}", "no \"user_data\""},
        {"{\"users\": [], \"user_data\": {}}", "no \"num_samples\""},
        {DOC("", "", ""), "no samples"},
        {"[1]", "the document: an array; expected an object"},
        {"7", "the document: a number; expected an object"},
        {"", "not valid JSON"},
        {GOOD "x", "not valid JSON"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        hsgd_dataset data;
        assert_fails(read_text(&data, wrong[i].text), HSGD_ERROR_INPUT, wrong[i].message, err);
        assert_non_null(strstr(err.message, "/all.json: "));
        assert_true(!data.dense && !data.user_start);
    }
}

/* A document that ends anywhere is refused and leaves nothing; one that is wrong says at which byte. */
static void truncation_is_found_everywhere(void **state)
{
    (void)state;
    char text[sizeof GOOD];
    hsgd_dataset data;
    for (size_t length = 0; length + 1 < sizeof GOOD; length++) {
        memcpy(text, GOOD, length);
        text[length] = 0;
        assert_int_equal(read_text(&data, text), HSGD_ERROR_INPUT);
        assert_null(data.dense);
    }
    memcpy(text, GOOD, sizeof GOOD);
    *strstr(text, "[7]") = '!'; /* the message counts the bytes before it, or with it */
    assert_int_equal(read_text(&data, text), HSGD_ERROR_INPUT);
    unsigned long byte = strtoul(strstr(err.message, "byte ") + 5, NULL, 10),
                  there = (unsigned long)(strchr(text, '!') - text);
    assert_true(byte >= there && byte <= there + 1);
}

/* Far more than one piece of the stream, so that numbers, names and rows are cut anywhere; the numbers read back to the
 * same bits, in the order of the file. */
static void long_documents_in_pieces(void **state)
{
    (void)state;
    enum { USERS = 60, ROWS = 37, FEATURES = 23 };
    char *text = malloc((size_t)USERS * ROWS * FEATURES * 26 + 100000), *at = text;
    assert_non_null(text);
    at += sprintf(at, "{\"users\": [");
    for (int u = 0; u < USERS; u++)
        at += sprintf(at, "%s\"f%04d_%02d\"", u ? ", " : "", 7 * u % USERS, u);
    at += sprintf(at, "], \"num_samples\": [");
    for (int u = 0; u < USERS; u++)
        at += sprintf(at, "%s%d", u ? ", " : "", ROWS);
    at += sprintf(at, "], \"user_data\": {");
    for (int u = 0; u < USERS; u++) {
        at += sprintf(at, "%s\"f%04d_%02d\": {\"x\": [", u ? ", " : "", 7 * u % USERS, u);
        for (int i = 0; i < ROWS; i++) {
            at += sprintf(at, "%s[", i ? ", " : "");
            for (int j = 0; j < FEATURES; j++)
                at += sprintf(at, "%s%.17g", j ? ", " : "", sin((u * ROWS + i) * FEATURES + j));
            at += sprintf(at, "]");
        }
        at += sprintf(at, "], \"y\": [");
        for (int i = 0; i < ROWS; i++)
            at += sprintf(at, "%s%d", i ? ", " : "", (u + i) % 5);
        at += sprintf(at, "]}");
    }
    sprintf(at, "}}");
    hsgd_dataset data;
    assert_ok(read_text(&data, text), err);
    free(text);
    assert_true(data.num_samples == USERS * ROWS && data.num_features == FEATURES && data.num_users == USERS);
    for (int i = 0; i < USERS * ROWS * FEATURES; i++)
        assert_true(data.dense[i] == sin(i));
    for (int i = 0; i < USERS * ROWS; i++)
        assert_int_equal(data.label[i], (i / ROWS + i % ROWS) % 5);
    for (size_t u = 0; u <= USERS; u++)
        assert_int_equal(data.user_start[u], u * ROWS);
    hsgd_dataset_free(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_in_any_order),           cmocka_unit_test(several_files),
        cmocka_unit_test(a_folder_without_data),          cmocka_unit_test(contradictions),
        cmocka_unit_test(truncation_is_found_everywhere), cmocka_unit_test(long_documents_in_pieces),
    };
    return cmocka_run_group_tests_name("leaf", tests, NULL, NULL);
}
