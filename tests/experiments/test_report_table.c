/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of the report in plain text, Markdown and LaTeX.
 *
 * Mutations that were tried, each makes a test below fail: bytes instead of characters in width_between; columns of
 * dashes kept; NAN printed by %g; "$" without its backslash in latex_escape, "|" without one in put_markdown;
 * control_length without U+0080 to U+009F, or without 0x7f; equal notes not shared; one letter of a note less; rows not
 * filled up in tidy; "[" not protected; names of experiments taken for mathematics; half widths below the digits kept;
 * "-0.000" kept; "0 +- 55" for 0.42; lines longer than LINE_WIDTH. */
#include "tests/experiments/latex.h"

#include "experiments/report_table_private.h"

static const hsgd_report_format FORMATS[] = {HSGD_REPORT_TEXT, HSGD_REPORT_MARKDOWN, HSGD_REPORT_LATEX};

static char *printed; /* by the last table */

static int forget(void **state)
{
    (void)state;
    free(printed);
    printed = NULL;
    return 0;
}

static const char *print(hsgd_report_table *table)
{
    size_t size;
    free(printed);
    FILE *memory = open_memstream(&printed, &size);
    assert_non_null(memory);
    hsgd_report_table_print(table, memory);
    fclose(memory);
    return printed;
}

static const char *put(void (*function)(hsgd_report_format, const char *, FILE *), hsgd_report_format format,
                       const char *text)
{
    size_t size;
    free(printed);
    FILE *memory = open_memstream(&printed, &size);
    assert_non_null(memory);
    function(format, text, memory);
    fclose(memory);
    return printed;
}

static hsgd_report_table start(hsgd_report_format format, const char *first, const char *second)
{
    const char *const headings[] = {first, second, NULL};
    hsgd_report_table table;
    hsgd_report_table_init(&table, format, "A title", headings);
    return table;
}

static void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part))
        return;
    print_error("\"%s\"\nlacks \"%s\"\n", text, part);
    fail();
}

static void assert_lacks(const char *text, const char *part)
{
    if (!strstr(text, part))
        return;
    print_error("\"%s\"\ncontains \"%s\"\n", text, part);
    fail();
}

/* ---- plain text ---- */

static void columns_line_up_by_characters(void **state)
{
    (void)state;
    hsgd_report_table table = start(HSGD_REPORT_TEXT, "name", ">n");
    hsgd_report_text(&table, "%s", "größer");
    hsgd_report_number(&table, 12.5, 3);
    hsgd_report_text(&table, "%s", "plain");
    hsgd_report_number(&table, 3, 3);
    assert_string_equal(print(&table), "\nA title\n"
                                       "  name       n\n"
                                       "  größer  12.5\n"
                                       "  plain      3\n");
}

static void columns_that_say_nothing_go(void **state)
{
    (void)state;
    for (size_t f = 0; f < 3; f++) {
        const char *const headings[] = {">gone", "kept", "blank", ">other", NULL};
        hsgd_report_table table;
        hsgd_report_table_init(&table, FORMATS[f], "A title", headings);
        for (int row = 0; row < 2; row++) {
            hsgd_report_number(&table, NAN, 3);
            hsgd_report_text(&table, "cell%d", row);
            hsgd_report_text(&table, "%s", "");
            hsgd_report_number(&table, row ? NAN : 0.25, 3);
        }
        const char *text = print(&table);
        assert_lacks(text, "gone");
        assert_lacks(text, "blank");
        assert_contains(text, "kept");
        assert_contains(text, "cell1");
        assert_contains(text, "0.25");
        assert_lacks(text, "nan");
        if (FORMATS[f] == HSGD_REPORT_LATEX)
            assert_int_equal(check_latex(text), 1);
    }
}

static void nothing_to_say_prints_nothing(void **state)
{
    (void)state;
    for (size_t f = 0; f < 3; f++) {
        hsgd_report_table table = start(FORMATS[f], "a", ">b");
        assert_string_equal(print(&table), ""); /* no row */
        table = start(FORMATS[f], "a", ">b");
        hsgd_report_text(&table, "%s", "");
        hsgd_report_number(&table, NAN, 3);
        assert_string_equal(print(&table), ""); /* only dashes */
    }
}

/* Printing frees: what comes after, in any order, must neither crash nor leak. */
static void out_of_order_use(void **state)
{
    (void)state;
    hsgd_report_table table = start(HSGD_REPORT_LATEX, "a", ">b");
    hsgd_report_text(&table, "a row");
    hsgd_report_number(&table, 1, 3);
    hsgd_report_text(&table, "half a row");
    assert_int_equal(check_latex(print(&table)), 1);
    assert_string_equal(print(&table), "");
    hsgd_report_text(&table, "after the end");
    hsgd_report_remark(&table, "a remark");
    hsgd_report_with_reason(&table, "b", "c");
    assert_string_equal(print(&table), "");
    const char *const many[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", NULL};
    hsgd_report_table_init(&table, HSGD_REPORT_TEXT, "A title", many);
    assert_int_equal(table.num_columns, HSGD_REPORT_MAX_COLUMNS);
    for (size_t i = 0; i < HSGD_REPORT_MAX_REMARKS + 1; i++)
        hsgd_report_remark(&table, "more than fit");
    assert_contains(print(&table), "more remarks than fit");
}

static void long_cells_and_many_rows(void **state)
{
    (void)state;
    char text[600];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    for (size_t f = 0; f < 3; f++) {
        hsgd_report_table table = start(FORMATS[f], "a", ">b");
        for (int row = 0; row < 300; row++) {
            hsgd_report_text(&table, "%s", row == 150 ? text : "short");
            hsgd_report_number(&table, row, 4);
        }
        assert_contains(print(&table), "299");
        if (FORMATS[f] == HSGD_REPORT_LATEX)
            assert_int_equal(check_latex(printed), 1);
    }
}

static void words_are_broken_into_lines(void **state)
{
    (void)state;
    char text[1000] = "", *newline, *end = NULL;
    size_t used = 0, size;
    for (int i = 0; i < 90; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%sw\xc3\xb6rd%d", i ? " " : "", i);
    FILE *memory = open_memstream(&end, &size);
    hsgd_report_put_words(HSGD_REPORT_TEXT, text, 30, 2, memory);
    fclose(memory);
    assert_at_most(hsgd_report_width(strtok(end, "\n")), 118 - 30, 0);
    while ((newline = strtok(NULL, "\n"))) {
        assert_memory_equal(newline, "  w", 3);
        assert_at_most(hsgd_report_width(newline), 118, 0);
        assert_true(hsgd_report_width(newline) > 80 || strstr(newline, "rd89"));
        assert_true(newline[strlen(newline) - 1] != ' ');
    }
    free(end);
}

/* ---- numbers ---- */

static const char *number_as(hsgd_report_format format, double value, int digits)
{
    static char text[64];
    FILE *memory = fmemopen(text, sizeof text, "w");
    hsgd_report_put_number(format, value, digits, memory);
    fclose(memory);
    return text;
}

static const char *estimate_as(hsgd_report_format format, double value, double half)
{
    static char text[96];
    FILE *memory = fmemopen(text, sizeof text, "w");
    hsgd_report_put_estimate(format, value, half, 4, memory);
    fclose(memory);
    return text;
}

static void numbers(void **state)
{
    (void)state;
    assert_string_equal(number_as(HSGD_REPORT_TEXT, 1.2345e-7, 3), "1.23e-07");
    assert_string_equal(number_as(HSGD_REPORT_LATEX, 1.2345e-7, 3), "$1.23\\cdot 10^{-7}$");
    assert_string_equal(number_as(HSGD_REPORT_LATEX, -4e22, 3), "$-4\\cdot 10^{22}$");
    assert_string_equal(number_as(HSGD_REPORT_LATEX, 0.25, 3), "$0.25$");
    assert_string_equal(number_as(HSGD_REPORT_LATEX, INFINITY, 3), "$\\infty$");
    assert_string_equal(number_as(HSGD_REPORT_LATEX, -INFINITY, 3), "$-\\infty$");
    assert_string_equal(number_as(HSGD_REPORT_TEXT, -INFINITY, 3), "-inf");
    for (size_t f = 0; f < 3; f++) {
        assert_string_equal(number_as(FORMATS[f], NAN, 3), f == 2 ? "--" : "-");
        assert_string_equal(number_as(FORMATS[f], -NAN, 3), f == 2 ? "--" : "-");
    }
}

static void estimates_show_the_digits_that_the_interval_supports(void **state)
{
    (void)state;
    assert_string_equal(estimate_as(HSGD_REPORT_TEXT, 3.21714, 0.0327), "3.217 +- 0.033");
    assert_string_equal(estimate_as(HSGD_REPORT_MARKDOWN, 3.21714, 0.0327), "3.217 ± 0.033");
    assert_string_equal(estimate_as(HSGD_REPORT_LATEX, 3.21714, 0.0327), "$3.217 \\pm 0.033$");
    assert_string_equal(estimate_as(HSGD_REPORT_TEXT, 8.70412, 0.0001), "8.704"); /* below the last digit */
    assert_string_equal(estimate_as(HSGD_REPORT_TEXT, 0.421, 55.3), "0.42 +- 55");
    assert_string_equal(estimate_as(HSGD_REPORT_TEXT, -0.0001, 0.011), "0.000 +- 0.011"); /* never -0.000 */
    assert_string_equal(estimate_as(HSGD_REPORT_TEXT, 12345.6, 789), "12346 +- 789");
    assert_string_equal(estimate_as(HSGD_REPORT_TEXT, 3e-12, 2e-12), "3e-12 +- 2e-12");
    assert_string_equal(estimate_as(HSGD_REPORT_LATEX, 3e-12, 2e-12), "$3\\cdot 10^{-12}$$ \\pm $$2\\cdot 10^{-12}$");
    assert_string_equal(estimate_as(HSGD_REPORT_TEXT, 0, 0), "0");
    assert_string_equal(estimate_as(HSGD_REPORT_TEXT, NAN, 0.1), "-");
    assert_string_equal(estimate_as(HSGD_REPORT_TEXT, 1.5, NAN), "1.5");
    assert_string_equal(estimate_as(HSGD_REPORT_TEXT, INFINITY, NAN), "inf");
}

static void intervals(void **state)
{
    (void)state;
    for (size_t f = 0; f < 3; f++) {
        hsgd_report_table table = start(FORMATS[f], ">a", ">b");
        hsgd_report_interval(&table, 2.5, 2.4, 2.6, 4);
        hsgd_report_interval(&table, 2.5, 0, 2.6, 4); /* not symmetric */
        hsgd_report_interval(&table, 7.25, 7.25, 7.25, 4);
        hsgd_report_interval(&table, 9.25, NAN, NAN, 4);
        hsgd_report_interval(&table, NAN, 1, 2, 4);
        hsgd_report_relation(&table, "<=", 1e-9, 4);
        const char *text = print(&table);
        static const char *const want[3][3] = {
            {"2.50 +- 0.10", "2.5 [0, 2.6]", "<= 1e-09"},
            {"2.50 ± 0.10", "2.5 \\[0, 2.6\\]", "\\<= 1e-09"},
            {"$2.50 \\pm 0.10$", "$2.5$ {[}$0$, $2.6$]", "$\\le$ $1\\cdot 10^{-9}$"}};
        for (int i = 0; i < 3; i++)
            assert_contains(text, want[f][i]);
        assert_contains(text, "7.25");
        assert_contains(text, "9.25");
        assert_lacks(text, "nan");
        if (FORMATS[f] == HSGD_REPORT_LATEX)
            assert_int_equal(check_latex(text), 1);
    }
}

/* ---- escaping ---- */

#define HOSTILE "& % $ # _ { } ~ ^ \\ | * ` < > [ ] \" \x1b[31m\x07\x7f\xc2\x9b \xc3\xa9 \xe6\xbc\xa2 D_1 sigma^2 \n\t"

static void latex_escapes(void **state)
{
    (void)state;
    assert_string_equal(put(hsgd_report_put_name, HSGD_REPORT_LATEX, "& % $ # _ { } ~ ^ \\"),
                        "\\& \\% \\$ \\# \\_ \\{ \\} \\textasciitilde{} \\textasciicircum{} \\textbackslash{}");
    assert_string_equal(put(hsgd_report_put_name, HSGD_REPORT_LATEX, "a<b>|c|*[x]`"),
                        "a$<$b$>$$|$c$|${*}{[}x]\\textasciigrave{}");
    assert_string_equal(put(hsgd_report_put_name, HSGD_REPORT_LATEX, "say \"it\""), "say ``it''");
    assert_string_equal(put(hsgd_report_put_name, HSGD_REPORT_LATEX, "a\x1b\n\x7f\xc2\x9bz"), "a    z");
    /* pdfLaTeX stops at letters that it does not know */
    assert_string_equal(put(hsgd_report_put_name, HSGD_REPORT_LATEX, "\xc3\xa9\xc5\x82 \xe6\xbc\xa2 \xf0\x9f\x98\x80"),
                        "\xc3\xa9\xc5\x82 ? ?");
    /* names stay what they are */
    assert_string_equal(put(hsgd_report_put_name, HSGD_REPORT_LATEX, "gamma D_1 S"), "gamma D\\_1 S");
    check_latex(put(hsgd_report_put_name, HSGD_REPORT_LATEX, HOSTILE));
    check_latex(put(hsgd_report_put, HSGD_REPORT_LATEX, HOSTILE));
}

static void latex_mathematics(void **state)
{
    (void)state;
    static const char *const pair[][2] = {
        {"gamma <= 1/L", "$\\gamma$ $\\le$ 1/$L$"},
        {"D_12 and sigma^2, f*", "$D_{12}$ and $\\sigma^2$, $f^*$"},
        {"S_round", "$S_{\\mathrm{round}}$"},
        {"E", "$E$"},
        {"H-SGD, IID", "H-SGD, IID"},
        {"R1", "R1"},
        {"step 50 is not below 0.07 = 1/(2 sqrt(6) L I)", "step 50 is not below 0.07 = 1/(2 $\\sqrt6$ $L$ $I$)"},
        {"error 4.8e-16", "error $4.8\\cdot 10^{-16}$"},
        {"from 1e-00 to 2.5e+07", "from $1\\cdot 10^{0}$ to $2.5\\cdot 10^{7}$"},
        {"more than 1e+30000000000", "more than $1\\cdot 10^{30000000000}$"},
        {"made-2e-flat 3e", "made-2e-flat 3e"},
        {"8 x 8", "8$\\times$8"},
        {"max", "max"},
        {"wbar^T, w^0", "$\\bar w^T$, $w^0$"},
        {"||xibar||^2 - sum p_j^2 ||xi_j||^2", "$\\|\\bar\\xi\\|^2 - \\sum_j p_j^2\\|\\xi_j\\|^2$"},
    };
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        assert_string_equal(put(hsgd_report_put, HSGD_REPORT_LATEX, pair[i][0]), pair[i][1]);
        check_latex(printed);
    }
}

static void markdown_and_text_escapes(void **state)
{
    (void)state;
    assert_string_equal(put(hsgd_report_put, HSGD_REPORT_MARKDOWN, "a|b \\ `c` *d* _e_ <f> [g] ~h~ &amp; $i$ #j"),
                        "a\\|b \\\\ \\`c\\` \\*d\\* \\_e\\_ \\<f\\> \\[g\\] \\~h\\~ \\&amp; \\$i\\$ \\#j");
    assert_string_equal(put(hsgd_report_put, HSGD_REPORT_MARKDOWN, "a\nb\x1b\xc2\x85\xc3\xa9"), "a b  \xc3\xa9");
    assert_string_equal(put(hsgd_report_put, HSGD_REPORT_TEXT, "a\nb\x1b[2J\x7f\xc2\x9b|\xc3\xa9 \xc2\xa0_\xc2"),
                        "a?b?[2J??|\xc3\xa9 \xc2\xa0_\xc2");
}

static void hostile_cells_keep_the_table_whole(void **state)
{
    (void)state;
    for (size_t f = 0; f < 3; f++) {
        hsgd_report_table table = start(FORMATS[f], "name", "+what");
        hsgd_report_text(&table, "%s", "[first]");
        hsgd_report_with_reason(&table, HOSTILE, HOSTILE);
        hsgd_report_text(&table, "%s", "* " HOSTILE);
        hsgd_report_text(&table, "%s", "100 %");
        hsgd_report_remark(&table, HOSTILE);
        const char *text = print(&table);
        assert_lacks(text, "\x1b");
        assert_lacks(text, "\x7f");
        if (FORMATS[f] == HSGD_REPORT_LATEX)
            assert_int_equal(check_latex(text), 1);
        size_t lines = 0;
        for (const char *c = text; *c; c++)
            lines += *c == '\n';
        assert_true(lines < 25); /* no newline of a cell came through */
    }
}

/* ---- notes ---- */

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

static void equal_reasons_share_a_note(void **state)
{
    (void)state;
    for (size_t f = 0; f < 3; f++) {
        hsgd_report_table table = start(FORMATS[f], "a", "verdict");
        static const char *const reason[] = {"too few", "too large", "too few", ""};
        for (size_t i = 0; i < 4; i++) {
            hsgd_report_text(&table, "row %zu", i);
            hsgd_report_with_reason(&table, "open", reason[i]);
        }
        hsgd_report_remark(&table, "One remark.");
        const char *text = print(&table);
        const char *letter_a = FORMATS[f] == HSGD_REPORT_LATEX ? "open$^{a}$" : "open (a)";
        const char *letter_b = FORMATS[f] == HSGD_REPORT_LATEX ? "open$^{b}$" : "open (b)";
        assert_int_equal(occurrences(text, letter_a), 2);
        assert_int_equal(occurrences(text, letter_b), 1);
        assert_int_equal(occurrences(text, "too few"), 1);
        assert_int_equal(occurrences(text, "too large"), 1);
        assert_int_equal(occurrences(text, "One remark."), 1);
        if (FORMATS[f] == HSGD_REPORT_LATEX)
            assert_int_equal(check_latex(text), 1);
    }
}

static void reasons_beyond_the_letters_stay_in_the_cell(void **state)
{
    (void)state;
    for (size_t f = 0; f < 3; f++) {
        hsgd_report_table table = start(FORMATS[f], "a", "verdict");
        for (size_t i = 0; i < 30; i++) {
            char reason[32];
            snprintf(reason, sizeof reason, "reason no. %zu.", i);
            hsgd_report_text(&table, "row");
            hsgd_report_with_reason(&table, "open", reason);
        }
        const char *text = print(&table);
        assert_contains(text, FORMATS[f] == HSGD_REPORT_LATEX ? "$^{z}$" : "(z)");
        assert_lacks(text, FORMATS[f] == HSGD_REPORT_LATEX ? "$^{{}" : "({)");
        assert_contains(text, "open: reason no. 26.");
        assert_contains(text, "open: reason no. 29.");
        assert_lacks(text, "open: reason no. 25.");
        if (FORMATS[f] == HSGD_REPORT_LATEX)
            assert_int_equal(check_latex(text), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_line_up_by_characters),
        cmocka_unit_test(columns_that_say_nothing_go),
        cmocka_unit_test(nothing_to_say_prints_nothing),
        cmocka_unit_test(out_of_order_use),
        cmocka_unit_test(long_cells_and_many_rows),
        cmocka_unit_test(words_are_broken_into_lines),
        cmocka_unit_test(numbers),
        cmocka_unit_test(estimates_show_the_digits_that_the_interval_supports),
        cmocka_unit_test(intervals),
        cmocka_unit_test(latex_escapes),
        cmocka_unit_test(latex_mathematics),
        cmocka_unit_test(markdown_and_text_escapes),
        cmocka_unit_test(hostile_cells_keep_the_table_whole),
        cmocka_unit_test(equal_reasons_share_a_note),
        cmocka_unit_test(reasons_beyond_the_letters_stay_in_the_cell),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
