/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "ladder" of result.json as the figures get it, in the form of this version and of older ones. */
#include "tests/test.h"

#include "experiments/folder_private.h"

typedef struct fixture {
    cJSON *document;
    hsgd_figure_rung *rung;
    size_t count;
    bool proved;
} fixture;

static hsgd_status read(fixture *f, const char *text, hsgd_error *err)
{
    *f = (fixture){0};
    assert_ok(hsgd_json_parse(&f->document, text, strlen(text), "result.json", err), *err);
    hsgd_json root = hsgd_json_root("result.json", f->document);
    hsgd_status status = hsgd_folder_ladder(&f->rung, &f->count, &root, err);
    f->proved = hsgd_folder_ladder_proved(f->rung, f->count, &root);
    return status;
}

static void done(fixture *f)
{
    free(f->rung);
    cJSON_Delete(f->document);
}

static void all_fields(void **state)
{
    (void)state;
    fixture f;
    hsgd_error err;
    assert_ok(read(&f,
                   "{\"ladder\": [{\"rung\": \"R0\", \"name\": \"measured S\", \"value\": 0.33, \"ci\": [0.3, 0.35]},"
                   "{\"rung\": \"R1\", \"name\": \"descent inequality\", \"value\": 0.41, \"ci\": null, \"step\":"
                   "{\"uses\": \"smoothness\", \"value\": 0.08, \"share\": 0.04, \"applies\": false}},"
                   "{\"rung\": \"R2\", \"name\": \"third\", \"value\": 0.73, \"step\": {\"share\": null}}]}",
                   &err),
              err);
    assert_int_equal(f.count, 3);
    assert_string_equal(f.rung[0].rung, "R0");
    assert_string_equal(f.rung[0].name, "measured S");
    assert_string_equal(f.rung[0].step, "");
    assert_true(f.rung[0].value == 0.33 && f.rung[0].low == 0.3 && f.rung[0].high == 0.35);
    assert_true(isnan(f.rung[0].share) && f.rung[0].step_applies);
    assert_string_equal(f.rung[1].step, "smoothness");
    assert_true(f.rung[1].value == 0.41 && isnan(f.rung[1].low) && isnan(f.rung[1].high));
    assert_true(f.rung[1].share == 0.04 && !f.rung[1].step_applies); /* as written, not computed again */
    assert_true(isnan(f.rung[2].share) && f.rung[2].step_applies);
    assert_string_equal(f.rung[2].step, "");
    done(&f);
}

/* By hand: the slack is 4, and R5 is not known. */
static void shares_of_older_results(void **state)
{
    (void)state;
    fixture f;
    hsgd_error err;
    assert_ok(
        read(&f,
             "{\"ladder\": [{\"rung\": \"R0\", \"name\": \"a\", \"value\": 1}, {\"rung\": \"R4\", \"name\": \"b\","
             "\"value\": 1.5}, {\"rung\": \"R5\", \"name\": \"c\", \"value\": null}, {\"rung\": \"R6\", \"name\":"
             "\"d\", \"value\": 3.5}, {\"rung\": \"R7\", \"name\": \"e\", \"value\": 5}]}",
             &err),
        err);
    assert_int_equal(f.count, 5);
    assert_true(isnan(f.rung[0].share) && isnan(f.rung[2].share) && isnan(f.rung[2].value));
    assert_true(f.rung[1].share == 0.125 && f.rung[3].share == 0.5 && f.rung[4].share == 0.375);
    assert_true(isnan(f.rung[0].low) && f.rung[1].step_applies);
    done(&f);
    /* No slack, or an end that is not known: no shares. */
    static const char *const each[] = {"1", "0.5", "null"};
    for (size_t i = 0; i < 3; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "{\"ladder\": [{\"rung\": \"R0\", \"name\": \"\", \"value\": 1}, {\"rung\": \"R4\", \"name\": \"\","
                 "\"value\": 2}, {\"rung\": \"R7\", \"name\": \"\", \"value\": %s}]}",
                 each[i]);
        assert_ok(read(&f, text, &err), err);
        assert_true(isnan(f.rung[1].share) && isnan(f.rung[2].share));
        done(&f);
    }
}

static void no_ladder_at_all(void **state)
{
    (void)state;
    static const char *const each[] = {"{}", "{\"ladder\": null}", "{\"ladder\": []}"};
    for (size_t i = 0; i < 3; i++) {
        fixture f;
        hsgd_error err;
        assert_ok(read(&f, each[i], &err), err);
        assert_int_equal(f.count, 0);
        done(&f);
    }
}

static void broken_ladders_name_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } each[] = {
        {"{\"ladder\": 3}", "ladder: 3: expected an array"},
        {"{\"ladder\": [{\"name\": \"\"}]}", "ladder[0].rung"},
        {"{\"ladder\": [{\"rung\": \"R0\", \"name\": 1}]}", "ladder[0].name"},
        {"{\"ladder\": [{\"rung\": \"R0\", \"name\": \"\", \"step\": {\"uses\": 1}}]}", "ladder[0].step.uses"},
        {"{\"ladder\": [{\"rung\": \"R0\", \"name\": \"\", \"step\": {\"applies\": 1}}]}", "ladder[0].step.applies"},
    };
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        fixture f;
        hsgd_error err;
        assert_fails(read(&f, each[i].text, &err), HSGD_ERROR_INPUT, each[i].message, err);
        assert_null(f.rung);
        done(&f);
    }
}

static void trajectory_constants_are_noticed(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *value;
        bool proved;
    } each[] = {
        {"exact", "2", true}, {"certified", "2", true}, {"trajectory", "2", false}, {"trajectory", "null", true}};
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        fixture f;
        hsgd_error err;
        char text[400];
        snprintf(text, sizeof text,
                 "{\"constants\": {\"L\": {\"value\": 1, \"kind\": \"exact\"}, \"sigma_sq\": {\"value\": 1, \"kind\":"
                 "\"%s\"}}, \"ladder\": [{\"rung\": \"R0\", \"name\": \"\", \"value\": 1},"
                 "{\"rung\": \"R4\", \"name\": \"\", \"value\": %s}]}",
                 each[i].kind, each[i].value);
        assert_ok(read(&f, text, &err), err);
        assert_int_equal(f.proved, each[i].proved);
        done(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_fields),
        cmocka_unit_test(shares_of_older_results),
        cmocka_unit_test(no_ladder_at_all),
        cmocka_unit_test(broken_ladders_name_the_place),
        cmocka_unit_test(trajectory_constants_are_noticed),
    };
    return cmocka_run_group_tests_name("folder ladder", tests, NULL, NULL);
}
