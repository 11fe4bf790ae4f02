/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an argument is follows from what stands for it in the help: the forms one by one, as the commands use them. */
#include "tests/test.h"

#include "experiments/cli_private.h"

static void kinds(void **state)
{
    (void)state;
    static const struct {
        const char *argument;
        hsgd_argument_kind kind;
    } want[] = {
        {NULL, HSGD_ARGUMENT_NONE},
        {"K", HSGD_ARGUMENT_TEXT},
        {"N_1,..,N_M", HSGD_ARGUMENT_TEXT},
        {"pdf|svg", HSGD_ARGUMENT_WORD},
        {"[ci|none]", HSGD_ARGUMENT_WORD},
        {"neurips|WIDTH", HSGD_ARGUMENT_NAMED},
        {"WIDTH|neurips", HSGD_ARGUMENT_NAMED},
        {"DIR", HSGD_ARGUMENT_FOLDER},
        {"[DIR]", HSGD_ARGUMENT_FOLDER},
        {"CONFIG.json", HSGD_ARGUMENT_JSON},
        {"[CONFIG.json]", HSGD_ARGUMENT_JSON},
        {".json", HSGD_ARGUMENT_TEXT},
        {"config.jso", HSGD_ARGUMENT_TEXT},
        {"", HSGD_ARGUMENT_TEXT},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        if (hsgd_argument_kind_of(want[i].argument) != want[i].kind)
            fail_msg("%s is of kind %d", want[i].argument, hsgd_argument_kind_of(want[i].argument));
}

static void check_words(const char *argument, const char *want)
{
    char out[64];
    memset(out, 'x', sizeof out);
    hsgd_argument_words(out, sizeof out, argument, ", ", " or ");
    assert_string_equal(out, want);
}

static void words(void **state)
{
    (void)state;
    check_words("pdf|svg|png", "pdf, svg or png");
    check_words("[ci|none]", "ci or none");
    check_words("pdf", "pdf");
    check_words("ieee|WIDTH|neurips", "ieee or neurips");
    check_words("WIDTH|ieee", "ieee");
    check_words("WIDTH", "");
    char little[8];
    hsgd_argument_words(little, sizeof little, "pdf|svg|png", ", ", " or ");
    assert_string_equal(little, "pdf, sv"); /* cut, not more than there is room for */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kinds), cmocka_unit_test(words)};
    return cmocka_run_group_tests_name("argument kinds", tests, NULL, NULL);
}
