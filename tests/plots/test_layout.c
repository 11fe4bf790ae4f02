/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where things stand on the page, at every width, with and without a title: legends below every panel and above the lower
 * edge, panels side by side or below each other without touching. */
#include "tests/plots/figure_input.h"

#include "plots/script_private.h"

static const double widths[] = {HSGD_MIN_WIDTH_IN, HSGD_WIDTH_IEEE_COLUMN_IN, HSGD_WIDTH_NEURIPS_IN,
                                HSGD_WIDTH_IEEE_PAGE_IN, HSGD_MAX_WIDTH_IN};
enum { NUM_WIDTHS = sizeof widths / sizeof *widths, MAX_PANELS = 8 };

typedef struct panel {
    double left, right, bottom, top; /* shares of the page */
} panel;

typedef struct page {
    double width_in, height_in;
    panel panel[MAX_PANELS];
    size_t num_panels;
    double legend_top; /* NAN: none */
    size_t legend_rows;
} page;

/* The numbers after the last place of a command before `end`; false where it is not there. */
static bool last_number(double *out, const char *script, const char *end, const char *command)
{
    const char *found = NULL;
    for (const char *at = script; (at = strstr(at, command)) && at < end; at++)
        found = at;
    if (found)
        *out = strtod(found + strlen(command), NULL);
    return found != NULL;
}

static page read_page(const char *script)
{
    page p = {.legend_top = NAN};
    const char *size = strstr(script, " size ");
    assert_int_equal(sscanf(size, " size %lfin,%lfin", &p.width_in, &p.height_in), 2);
    for (const char *plot = script; (plot = strstr(plot, "\nplot ")); plot++) {
        panel *one = &p.panel[p.num_panels++];
        assert_true(p.num_panels <= MAX_PANELS);
        assert_true(last_number(&one->left, script, plot, "set lmargin at screen "));
        assert_true(last_number(&one->right, script, plot, "set rmargin at screen "));
        assert_true(last_number(&one->bottom, script, plot, "set bmargin at screen "));
        assert_true(last_number(&one->top, script, plot, "set tmargin at screen "));
    }
    double rows;
    const char *end = script + strlen(script);
    if (last_number(&p.legend_top, script, end, "set key at screen 0.5,screen "))
        p.legend_rows = last_number(&rows, script, end, "maxrows ") ? (size_t)rows : 0;
    return p;
}

/* Inches between the inner edges of two panels, along the axis where they are apart. */
static double apart(const page *p, panel a, panel b)
{
    double x = fmax(a.left - b.right, b.left - a.right) * p->width_in;
    double y = fmax(a.bottom - b.top, b.bottom - a.top) * p->height_in;
    return fmax(x, y);
}

static void check_page(const char *figure, const page *p)
{
    assert_true(p->num_panels >= 1);
    for (size_t i = 0; i < p->num_panels; i++) {
        panel a = p->panel[i];
        if (!(a.left * p->width_in > 0.1 && a.right < 1 && a.bottom > 0 && a.top < 1))
            fail_msg("%s: panel %zu is off the page", figure, i);
        if (!((a.right - a.left) * p->width_in > 1 && (a.top - a.bottom) * p->height_in > 0.3))
            fail_msg("%s: panel %zu is too small", figure, i);
        for (size_t j = 0; j < i; j++)
            if (!(apart(p, a, p->panel[j]) > 0.3)) /* room for tick labels or for an axis label */
                fail_msg("%s: panels %zu and %zu touch", figure, i, j);
        bool above = a.top > p->legend_top;
        if (!isnan(p->legend_top) && above && !((a.bottom - p->legend_top) * p->height_in > HSGD_X_AXIS_IN - 0.01))
            fail_msg("%s: the legend covers panel %zu", figure, i);
    }
    if (isnan(p->legend_top))
        return;
    double below = 0; /* of the sandwich the second panel may stand below the legend */
    for (size_t i = 0; i < p->num_panels; i++)
        if (p->panel[i].top < p->legend_top)
            below = fmax(below, p->panel[i].top);
    double room = (p->legend_top - below) * p->height_in;
    if (!(room >= HSGD_LEGEND_ROW_IN * (double)p->legend_rows))
        fail_msg("%s: %zu rows of the legend in %g inches", figure, p->legend_rows, room);
}

static void nothing_covers_anything(void **state)
{
    (void)state;
    hsgd_error err;
    for (size_t levels = 1; levels <= 5; levels++) {
        fixture f;
        char reason[200];
        setup(&f, levels, 150);
        for (size_t i = 0; i < 2 * NUM_WIDTHS * hsgd_num_figures; i++) {
            const hsgd_figure *figure = hsgd_figures[i / (2 * NUM_WIDTHS)];
            hsgd_figure_style style = hsgd_figure_default_style();
            style.width_in = widths[i / 2 % NUM_WIDTHS];
            style.title = i % 2;
            if (!figure->possible(&f.in, reason, sizeof reason))
                continue;
            assert_ok(figure->write(&f.in, f.dir, &style, &err), err);
            char *script = file_text(f.dir, figure->name, "gp");
            page p = read_page(script);
            assert_near(p.width_in, style.width_in, 1e-9);
            assert_int_equal(strstr(script, "set label 1 ") != NULL, style.title);
            check_page(figure->name, &p);
            free(script);
        }
        teardown(&f);
    }
}

/* Wide pages have panels side by side, all of one height. */
static void wide_pages_are_used(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 2, 150);
    static const struct {
        const char *figure;
        double width_in;
        size_t abreast;
    } expected[] = {{"gradient-bytes", 3.5, 1}, {"gradient-bytes", 5.5, 2}, {"gradient-bytes", 7.16, 3},
                    {"S-bytes", 3.5, 1},        {"S-bytes", 5.5, 2},        {"dispersion", 3.5, 1},
                    {"dispersion", 5.5, 2},     {"sandwich", 7.16, 2}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        hsgd_figure_style style = hsgd_figure_default_style();
        style.width_in = expected[i].width_in;
        assert_ok(hsgd_figure_find(expected[i].figure)->write(&f.in, f.dir, &style, &err), err);
        char *script = file_text(f.dir, expected[i].figure, "gp");
        page p = read_page(script);
        size_t abreast = 0;
        for (size_t k = 0; k < p.num_panels; k++)
            abreast += fabs(p.panel[k].top - p.panel[0].top) < 1e-6;
        assert_int_equal(abreast, expected[i].abreast);
        free(script);
    }
    teardown(&f);
}

/* Text has its printed size: 7 to 9 points, whatever the width. */
static void fonts_do_not_grow_with_the_page(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 2, 40);
    for (size_t w = 0; w < NUM_WIDTHS; w++)
        for (size_t i = 0; i < hsgd_num_figures; i++) {
            hsgd_figure_style style = hsgd_figure_default_style();
            style.width_in = widths[w];
            assert_ok(hsgd_figures[i]->write(&f.in, f.dir, &style, &err), err);
            char *script = file_text(f.dir, hsgd_figures[i]->name, "gp");
            size_t fonts = 0;
            for (const char *at = script; (at = strstr(at, "font '")); at++, fonts++) {
                double points = strtod(strchr(at, ',') + 1, NULL);
                assert_true(points >= 7 && points <= 9);
            }
            assert_true(fonts >= 3);
            free(script);
        }
    teardown(&f);
}

static void widths_have_names_and_limits(void **state)
{
    (void)state;
    double width = 0;
    assert_int_equal(hsgd_figure_width_parse("ieee-page", &width), 0);
    assert_true(width == 7.16);
    assert_int_equal(hsgd_figure_width_parse("4.25", &width), 0);
    assert_true(width == 4.25);
    assert_string_equal(hsgd_figure_width_name(5.5), "neurips");
    assert_null(hsgd_figure_width_name(5.4));
    static const char *const illegal[] = {"",    "2.99", "12.1", "nan", "inf",  "-5",
                                          "5in", " 5",   "0x5",  "1e1", "IEEE", "5.5.5"};
    for (size_t i = 0; i < sizeof illegal / sizeof *illegal; i++)
        assert_int_equal(hsgd_figure_width_parse(illegal[i], &width), -1);
    assert_int_equal(hsgd_figure_width_parse(NULL, &width), -1);
    assert_true(width == 4.25);
    for (int band = HSGD_BAND_CI; band <= HSGD_BAND_NONE; band++) {
        hsgd_figure_band got;
        assert_int_equal(hsgd_figure_band_parse(hsgd_figure_band_name((hsgd_figure_band)band), &got), 0);
        assert_int_equal(got, band);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_covers_anything),
        cmocka_unit_test(wide_pages_are_used),
        cmocka_unit_test(fonts_do_not_grow_with_the_page),
        cmocka_unit_test(widths_have_names_and_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
