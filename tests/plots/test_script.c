/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text from a user in scripts: shown literally, never executed. Expected spellings follow from the rules of gnuplot
 * (backslash and octal codes in double quotes) and of LaTeX. */
#include "tests/plots/figure_input.h"

#include "plots/table_private.h"
#include "plots/text_private.h"

/* Names that would do something: create a file named "pwned", end the string, or break the script. */
static const char *const hostile[] = {
    "`touch pwned`",
    "a'; system('touch pwned'); '",
    "a\"; system(\"touch pwned\"); \"",
    "'.system('touch pwned').'",
    "''`touch pwned`''",
    "'''; system('touch pwned') #",
    "a''; system('touch pwned'); ''",
    "''''''''1",
    "x' noenhanced; system 'touch pwned' #",
    "line\nsystem('touch pwned')\n!touch pwned",
    "ends in a backslash\\",
    "\\'; system('touch pwned') #",
    "@GPVAL_ERRMSG @ARG0 @pwned",
    "{/Symbol a}^{b}_c &{x} ~a{.5-} {/*9 unbalanced",
    "%s %n %d %5.2f %% $1 ${HOME} $(touch pwned)",
    "\\input{|touch pwned} \\write18{touch pwned} \\end{picture}",
    "} \\newpage \\immediate\\write18{touch pwned} {",
    "[lb]{alignment} trick",
    "<script>alert(1)</script> & </text> <!-- ]]>",
    "a,b;c|d>pwned",
    "# comment",
    "\x01\x1b[31m\xff\xfe\xc3(\xe2\x82 broken",
    "",
};
enum { NUM_HOSTILE = sizeof hostile / sizeof hostile[0] };

static void check_clean(const char *text, size_t width, const char *expected)
{
    char out[HSGD_TEXT_SIZE];
    memset(out, 'x', sizeof out);
    hsgd_text_clean(out, text, width);
    assert_string_equal(out, expected);
}

static void text_becomes_printable_utf8(void **state)
{
    (void)state;
    check_clean("plain γ ∇ 名前", 40, "plain γ ∇ 名前");
    check_clean("a\tb\nc\rd\x7f", 40, "a?b?c?d?");
    check_clean("\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xff \xe2\x82", 40,
                "?? ??? ???? ? ??"); /* overlong, surrogate, > 10FFFF */
    check_clean("\xc2\x85 \xe2\x80\xa8 \xe2\x80\xae \xef\xbf\xbf", 40,
                "? ? ? ?"); /* next line, separator, right to left */
    check_clean(NULL, 40, "");
}

static void long_text_is_cut_between_characters(void **state)
{
    (void)state;
    check_clean("abcdef", 6, "abcdef");
    check_clean("abcdefg", 6, "abcde…");
    check_clean("γγγγγγγ", 6, "γγγγγ…");
    check_clean("名前名前", 8, "名前名前");
    check_clean("名前名前", 7, "名前名…");
    check_clean("名前名前", 6, "名前…");
    char out[HSGD_TEXT_SIZE], longest[4 * 500 + 1] = "";
    for (int i = 0; i < 500; i++)
        strcat(longest, "\xf0\x9d\x84\x9e"); /* four bytes each */
    assert_true(hsgd_text_clean(out, longest, 1000000) <= HSGD_TEXT_MAX);
    assert_true(strlen(out) < HSGD_TEXT_SIZE);
}

static void quotes_are_codes_and_markup_is_off(void **state)
{
    (void)state;
    hsgd_quoted q;
    const hsgd_figure_format format[] = {HSGD_FIGURE_PDF, HSGD_FIGURE_SVG, HSGD_FIGURE_PNG};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(hsgd_text_quote(&q, format[i], "it's `x` \"y\" \\ @z {^_&~}", 40),
                            "\"it\\0047s \\0140x\\0140 \\0042y\\0042 \\\\ \\0100z {^_&~}\" noenhanced");
        assert_string_equal(hsgd_text_quote(&q, format[i], "''", 40), "\"\\0047\\0047\" noenhanced");
        assert_string_equal(hsgd_text_quote(&q, format[i], "a\nb", 40), "\"a?b\" noenhanced");
    }
}

static void tex_specials_are_spelled_out(void **state)
{
    (void)state;
    hsgd_quoted q;
    const struct {
        const char *text, *tex;
    } expected[] = {
        {"\\", "\"\\\\textbackslash{}\" noenhanced"},
        {"{}", "\"\\\\{\\\\}\" noenhanced"},
        {"$&#_%", "\"\\\\\\0044\\\\&\\\\\\0043\\\\_\\\\%\" noenhanced"},
        {"~^", "\"\\\\textasciitilde{}\\\\textasciicircum{}\" noenhanced"},
        {"<>|", "\"\\\\textless{}\\\\textgreater{}\\\\textbar{}\" noenhanced"},
        {"[]", "\"\\\\lbrack{}\\\\rbrack{}\" noenhanced"},
        {"a'b", "\"a\\0047{}b\" noenhanced"},
        {"`\"-", "\"\\\\\\0140{}\\\\texttt{\\\\char34}-{}\" noenhanced"},
        {"γ ‖é…", "\"\\0044\\\\gamma\\0044 \\0044\\\\|\\0044\\\\\\0047e\\\\dots{}\" noenhanced"},
        {"名\xf0\x9f\x98\x80", "\"??\" noenhanced"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_string_equal(hsgd_text_quote(&q, HSGD_FIGURE_TEX, expected[i].text, 40), expected[i].tex);
    char worst[HSGD_TEXT_MAX + 1];
    memset(worst, '^', sizeof worst - 1);
    worst[sizeof worst - 1] = '\0';
    assert_true(strlen(hsgd_text_quote(&q, HSGD_FIGURE_TEX, worst, HSGD_TEXT_MAX)) < HSGD_QUOTED_SIZE);
    memset(worst, '\'', sizeof worst - 1);
    assert_true(strlen(hsgd_text_quote(&q, HSGD_FIGURE_TEX, worst, HSGD_TEXT_MAX)) < HSGD_QUOTED_SIZE);
}

static void numbers_are_short_in_both_languages(void **state)
{
    (void)state;
    const struct {
        double value;
        const char *plain, *tex;
    } expected[] = {
        {0.0123, "0.0123", "$0.0123$"},
        {12345, "12345", "$12345$"},
        {0, "0", "$0$"},
        {1.5e-7, "1.5×10^{-7}", "$1.5{\\times}10^{-7}$"},
        {1e300, "1×10^{300}", "$1{\\times}10^{300}$"},
        {2.34e9, "2.34×10^{9}", "$2.34{\\times}10^{9}$"},
        {-3e-5, "-3×10^{-5}", "$-3{\\times}10^{-5}$"},
    };
    hsgd_number n;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_string_equal(hsgd_text_number(&n, HSGD_FIGURE_PDF, expected[i].value), expected[i].plain);
        assert_string_equal(hsgd_text_number(&n, HSGD_FIGURE_TEX, expected[i].value), expected[i].tex);
    }
}

/* One name in every place where user text goes, one figure, one format: renders, says nothing, makes no other file. */
static void check_hostile(const char *name, const hsgd_figure *figure, hsgd_figure_format format)
{
    hsgd_error err;
    fixture f;
    setup(&f, 2, 30);
    const char *const term[NUM_TERMS] = {name, "b", "c"};
    f.in.name = name;
    for (size_t b = 0; b < NUM_BOUNDS; b++) {
        f.bound[b].title = name;
        f.bound[b].term_name = term;
    }
    for (size_t r = 0; r < NUM_RUNGS; r++)
        f.rung[r].rung = f.rung[r].name = f.rung[r].step = name;
    f.rung[1].step = "";
    f.rung[2].rung = "R2"; /* bars of both kinds */
    assert_ok(figure->write(&f.in, f.dir, in_format(format), &err), err);
    assert_ok(hsgd_figure_render(f.dir, figure->name, &err), err);
    size_t files = format == HSGD_FIGURE_TEX ? 4 : 3; /* data, script, output, and the graphics of TeX */
    if (count_files(f.dir, false) != files) {
        print_error("%s in format %s made other files for the name %s\n", figure->name, hsgd_figure_format_name(format),
                    name);
        fail();
    }
    teardown(&f);
}

static void hostile_names_are_only_shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM_HOSTILE; i++)
        for (int format = HSGD_FIGURE_PDF; format <= HSGD_FIGURE_TEX; format++) {
            check_hostile(hostile[i], hsgd_figure_find("convergence"), (hsgd_figure_format)format);
            check_hostile(hostile[i], hsgd_figure_find("terms"), (hsgd_figure_format)format);
            check_hostile(hostile[i], hsgd_figure_find("ladder"), (hsgd_figure_format)format);
        }
}

/* The output itself shows the text: what svg and TeX hold is readable. */
static void hostile_names_reach_the_output_literally(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 2, 30);
    f.in.name = "'`id` @x {a^b}_c ''7' \"r\" <b>&amp; \\n";
    assert_ok(hsgd_figure_find("divergence")->write(&f.in, f.dir, in_format(HSGD_FIGURE_SVG), &err), err);
    assert_ok(hsgd_figure_render(f.dir, "divergence", &err), err);
    char *text = file_text(f.dir, "divergence", "svg");
    assert_non_null(strstr(text, "<text>'`id` @x {a^b}_c ''7' \"r\" &lt;b>&amp;amp; \\n</text>"));
    free(text);
    assert_ok(hsgd_figure_find("divergence")->write(&f.in, f.dir, in_format(HSGD_FIGURE_TEX), &err), err);
    assert_ok(hsgd_figure_render(f.dir, "divergence", &err), err);
    text = file_text(f.dir, "divergence", "tex");
    assert_non_null(strstr(text, "\\strut{}'{}\\`{}id\\`{} @x \\{a\\textasciicircum{}b\\}\\_c '{}'{}7'{} "
                                 "\\texttt{\\char34}r\\texttt{\\char34} \\textless{}b\\textgreater{}\\&amp; "
                                 "\\textbackslash{}n}"));
    free(text);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_printable_utf8),
        cmocka_unit_test(long_text_is_cut_between_characters),
        cmocka_unit_test(quotes_are_codes_and_markup_is_off),
        cmocka_unit_test(tex_specials_are_spelled_out),
        cmocka_unit_test(numbers_are_short_in_both_languages),
        cmocka_unit_test(hostile_names_are_only_shown),
        cmocka_unit_test(hostile_names_reach_the_output_literally),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
