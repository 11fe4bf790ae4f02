/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A text in memory is what was written, or is not there: whichever of its allocations fails. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/text_stream.h"

/* The allocation of this number from now on fails; 0: none does (linked in the place of malloc and realloc). */
static unsigned fails_at;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails_at && --fails_at == 0 ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails_at && --fails_at == 0 ? NULL : __real_realloc(old, size);
}

enum { NUM_WORDS = 30000, WORD_SIZE = 16 };

/* Words that are longer and shorter than what stdio keeps back. */
static char *write_words(size_t *length)
{
    hsgd_text_stream memory;
    FILE *out = hsgd_text_open(&memory);
    for (int i = 0; out && i < NUM_WORDS; i++)
        fprintf(out, i % 2 ? "%d," : "%d;%%", i);
    char *text = hsgd_text_close(&memory, out);
    *length = memory.length;
    return text;
}

static void text_is_whole(void **state)
{
    (void)state;
    static char expected[NUM_WORDS * WORD_SIZE];
    size_t length, at = 0;
    for (int i = 0; i < NUM_WORDS; i++)
        at += (size_t)snprintf(expected + at, sizeof expected - at, i % 2 ? "%d," : "%d;%%", i);
    fails_at = 0;
    char *text = write_words(&length);
    assert_non_null(text);
    assert_string_equal(text, expected);
    assert_int_equal(length, at);
    free(text);
}

static void nothing_written_is_an_empty_text(void **state)
{
    (void)state;
    hsgd_text_stream memory;
    FILE *out = hsgd_text_open(&memory);
    assert_non_null(out);
    char *text = hsgd_text_close(&memory, out);
    assert_string_equal(text, "");
    free(text);
}

static void short_memory_leaves_no_text(void **state)
{
    (void)state;
    size_t length;
    unsigned refused = 0;
    for (;; refused++) {
        fails_at = refused + 1;
        char *text = write_words(&length);
        free(text);
        if (fails_at) /* there are not so many */
            break;
        assert_null(text);
    }
    fails_at = 0;
    assert_true(refused > 3);
}

static void no_stream_is_no_text(void **state)
{
    (void)state;
    hsgd_text_stream memory;
    fails_at = 1;
    FILE *out = hsgd_text_open(&memory);
    fails_at = 0;
    assert_null(out);
    assert_null(hsgd_text_close(&memory, out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_whole), cmocka_unit_test(nothing_written_is_an_empty_text),
        cmocka_unit_test(short_memory_leaves_no_text), cmocka_unit_test(no_stream_is_no_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
