/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages: one line, whole where they fit, with both of their ends where they do not. */
#include "tests/test.h"

static hsgd_error err;

static void short_messages_are_whole(void **state)
{
    (void)state;
    assert_int_equal(hsgd_fail(&err, HSGD_ERROR_INPUT, "%s: %d\n", "a\tb", 7), HSGD_ERROR_INPUT);
    assert_string_equal(err.message, "a?b: 7?");
    assert_int_equal(err.status, HSGD_ERROR_INPUT);
    hsgd_error_prefix(&err, "line %d: ", 3);
    assert_string_equal(err.message, "line 3: a?b: 7?");
    assert_int_equal(hsgd_fail(NULL, HSGD_ERROR_MEMORY, "x"), HSGD_ERROR_MEMORY);
    hsgd_error_prefix(NULL, "x");
}

static void ends_with(const char *end)
{
    size_t length = strlen(err.message), wanted = strlen(end);
    assert_true(length < HSGD_MESSAGE_SIZE && length > HSGD_MESSAGE_SIZE - 8 && length > wanted);
    assert_string_equal(err.message + length - wanted, end);
    assert_non_null(strstr(err.message, "..."));
}

static void letters_are_whole(void)
{
    for (const char *c = err.message; *c; c++) {
        if ((unsigned char)*c < 0x80)
            continue;
        assert_memory_equal(c, "\xc3\xa9", 2);
        c++;
    }
}

/* The path of each length around the limit, of letters with one byte and with two: no half of a letter is left. */
static void the_reason_survives_a_long_path(void **state)
{
    (void)state;
    char path[4 * HSGD_MESSAGE_SIZE];
    for (size_t letter = 1; letter <= 2; letter++)
        for (size_t length = HSGD_MESSAGE_SIZE - 40; length < sizeof path - 2; length += length < 1100 ? 1 : 311) {
            for (size_t i = 0; i < length; i++)
                path[i] = letter == 1 ? 'd' : "\xc3\xa9"[i % 2];
            path[length - length % letter] = '\0';
            hsgd_fail(&err, HSGD_ERROR_INPUT, "%s: is a folder", path);
            if (strlen(path) + 13 >= HSGD_MESSAGE_SIZE)
                ends_with(": is a folder");
            else
                assert_int_equal(strlen(err.message), strlen(path) + 13);
            letters_are_whole();
            hsgd_fail(&err, HSGD_ERROR_INPUT, "%s: is no folder", path); /* an odd end, and an even one */
            letters_are_whole();
            hsgd_fail(&err, HSGD_ERROR_INPUT, "the reason");
            hsgd_error_prefix(&err, "%s: ", path);
            assert_string_equal(err.message + strlen(err.message) - 12, ": the reason");
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_messages_are_whole),
        cmocka_unit_test(the_reason_survives_a_long_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
