/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figure "phase": captions written by hand, data that hold every cell at its place, contours where a plane is cut, and
 * drawings in every format and width, all by one gnuplot that has nothing to say. */
#include "tests/test.h"

#include <sys/stat.h>

#include "plots/phase.h"

enum { COLUMNS = 60, ROWS = 40, PANELS = 2 };

typedef struct fixture {
    hsgd_phase_figure_input in;
    hsgd_phase_figure_point *point; /* (COLUMNS, ROWS, PANELS) */
    double at[2][COLUMNS];
    char text[COLUMNS][16], dir[256];
    const char *label[COLUMNS];
} fixture;

/* Every verdict occurs; the ratio is a plane in the numbers of the cells. The first axis is given in descending order. */
static void setup(fixture *f)
{
    static const char *const panel[PANELS] = {"given", "random's \"own\""};
    f->point = calloc(COLUMNS * ROWS * PANELS, sizeof *f->point);
    assert_non_null(f->point);
    for (size_t i = 0; i < COLUMNS; i++) {
        f->at[0][i] = 2 * (double)(COLUMNS - i);
        f->at[1][i] = 0.05 * (double)i;
        snprintf(f->text[i], sizeof f->text[i], "v_%zu", i);
        f->label[i] = f->text[i];
    }
    for (size_t i = 0; i < COLUMNS; i++)
        for (size_t j = 0; j < ROWS; j++)
            for (size_t k = 0; k < PANELS; k++) {
                size_t verdict = (i + j) / 8 % HSGD_NUM_CELLS, x = COLUMNS - 1 - i;
                f->point[(i * ROWS + j) * PANELS + k] =
                    (hsgd_phase_figure_point){k ? HSGD_CELL_HOLDS : (hsgd_phase_cell)verdict, (double)(x + j) / 100};
            }
    f->in = (hsgd_phase_figure_input){.name = "phase_1",
                                      .quantity = "S",
                                      .num_axes = 3,
                                      .point = f->point,
                                      .num_points = COLUMNS * ROWS * PANELS,
                                      .workers = {16, 16},
                                      .steps = {100, 400},
                                      .step_size = {0.01, 0.01},
                                      .values = {0, 0},
                                      .confidence = 0.99};
    f->in.axis[0] = (hsgd_sweep_figure_axis){"G", COLUMNS, f->label, f->label, f->at[0]};
    f->in.axis[1] = (hsgd_sweep_figure_axis){"s_1", ROWS, f->label, f->label, f->at[1]};
    f->in.axis[2] = (hsgd_sweep_figure_axis){"grouping", PANELS, panel, panel, NULL};
    make_folder(f->dir, sizeof f->dir);
}

static void teardown(fixture *f)
{
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    assert_int_equal(system(command), 0);
    free(f->point);
}

static char *read_file(const char *dir, const char *name)
{
    char path[512], *text = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s is not there", path);
    assert_true(getdelim(&text, &size, '\0', file) > 0);
    fclose(file);
    return text;
}

static void check_caption(const fixture *f, hsgd_caption_syntax syntax, const char *want)
{
    char *text = hsgd_phase_figure_caption(&f->in, syntax);
    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
}

static void captions_in_both_syntaxes(void **state)
{
    (void)state;
    fixture f;
    setup(&f);
    check_caption(
        &f, HSGD_CAPTION_PLAIN,
        "Where the mean squared gradient norm S of H-SGD itself lies between that of local SGD with period I "
        "(inner) and with period G (outer) over G and s_1, for each grouping; reversed: outer < H-SGD < inner; "
        "hatched: all three agree. n = 16, T = 100 to 400, γ = 0.01. Exact moments, nothing is sampled.");
    f.in.quantity = "dispersion";
    f.in.num_axes = 2;
    f.in.num_points = 1; /* which holds */
    f.in.values = (hsgd_phase_range){8, 8};
    check_caption(&f, HSGD_CAPTION_TEX,
                  "Where the mean dispersion of the models of H-SGD itself lies between that of local SGD with period "
                  "$I$ (inner) and with period $G$ (outer) over G and s\\_1. $n$~=~$16$, $T$~=~$100$ to $400$, "
                  "$\\gamma$~=~$0.01$. Paired runs, $8$ values a point; all verdicts hold together at 99\\,\\%.");
    teardown(&f);
}

/* More cells than a curve has rows, and all are there, where the ascending axis puts them. */
static void data_hold_every_cell(void **state)
{
    (void)state;
    fixture f;
    hsgd_error err;
    const hsgd_figure_style style = hsgd_figure_default_style();
    setup(&f);
    assert_ok(hsgd_phase_figure_write(&f.in, f.dir, &style, &err), err);
    char *data = read_file(f.dir, "phase.dat"), *line = data;
    assert_int_equal(strncmp(data, "x y verdict_1 ratio_1 verdict_2 ratio_2\n", 40), 0);
    size_t rows = 0;
    for (line = strchr(data, '\n') + 1; *line; line = strchr(line, '\n') + 1, rows++) {
        char verdict[32], ratio[32], ratio_2[32];
        double x, y, second;
        assert_int_equal(sscanf(line, "%lf %lf %31s %31s %lf %31s", &x, &y, verdict, ratio, &second, ratio_2), 6);
        size_t i = COLUMNS - 1 - (size_t)x, j = (size_t)y, want = (i + j) / 8 % HSGD_NUM_CELLS;
        assert_true(want == HSGD_CELL_ILLEGAL ? isnan(strtod(verdict, NULL)) : strtod(verdict, NULL) == (double)want);
        assert_true(want == HSGD_CELL_HOLDS ? fabs(strtod(ratio, NULL) - (x + y) / 100) < 1e-9
                                            : isnan(strtod(ratio, NULL)));
        assert_true(second == HSGD_CELL_HOLDS && fabs(strtod(ratio_2, NULL) - (x + y) / 100) < 1e-9);
    }
    assert_int_equal(rows, COLUMNS * ROWS);
    free(data);
    teardown(&f);
}

/* The ratio (x + y)/100 is cut at 0.25, 0.5 and 0.75: every end of a segment lies on its line, from border to border. */
static void contours_lie_on_their_levels(void **state)
{
    (void)state;
    fixture f;
    hsgd_error err;
    const hsgd_figure_style style = hsgd_figure_default_style();
    setup(&f);
    assert_ok(hsgd_phase_figure_write(&f.in, f.dir, &style, &err), err);
    char *script = read_file(f.dir, "phase.gp");
    for (int l = 1; l <= 3; l++) {
        char name[32];
        double low = INFINITY, high = -INFINITY;
        snprintf(name, sizeof name, "$contour_2_%d << EOD\n", l);
        const char *at = strstr(script, name), *end = at ? strstr(at, "\nEOD\n") : NULL;
        assert_non_null(end);
        for (at = strchr(strchr(at, '\n') + 1, '\n'); at < end; at = strchr(at + 1, '\n')) {
            double x, y;
            if (sscanf(at, "\n%lf %lf", &x, &y) != 2)
                continue;
            assert_near(x + y, 25.0 * l, 2e-4);
            low = fmin(low, x);
            high = fmax(high, x);
        }
        assert_near(low, fmax(0, 25.0 * l - (ROWS - 1)), 2e-4);
        assert_near(high, fmin(COLUMNS - 1, 25.0 * l), 2e-4);
    }
    free(script);
    teardown(&f);
}

/* One axis, two, three; few cells with numbers and many with contours; names instead of numbers. */
static void shape(fixture *f, int kind)
{
    f->in.num_axes = kind == 0 ? 1 : kind == 1 ? 2 : 3;
    f->in.axis[0].num_values = kind == 2 ? COLUMNS : 6;
    f->in.axis[1].num_values = kind == 2 ? ROWS : 5;
    if (kind == 1)
        f->in.axis[0].at = f->in.axis[1].at = NULL;
    f->in.num_points = 1;
    for (size_t a = 0; a < f->in.num_axes; a++)
        f->in.num_points *= f->in.axis[a].num_values;
}

static void every_format_and_width_is_drawn(void **state)
{
    (void)state;
    static const double width_in[] = {3, 3.5, 5.5, 7.16};
    static const char *const drawn[] = {"pdf", "svg", "png", "tex", "tex"};
    fixture f;
    hsgd_error err;
    char path[512], command[1024];
    setup(&f);
    snprintf(path, sizeof path, "%s/all.gp", f.dir);
    FILE *all = fopen(path, "w");
    assert_non_null(all);
    for (int format = HSGD_FIGURE_PDF; format <= HSGD_FIGURE_TIKZ; format++)
        for (int kind = 0; kind < 4; kind++) {
            fixture one = f;
            hsgd_figure_style style = hsgd_figure_default_style();
            style.format = (hsgd_figure_format)format;
            style.width_in = width_in[(format + kind) % 4];
            style.title = kind != 3;
            shape(&one, kind);
            snprintf(path, sizeof path, "%s/%d-%d", f.dir, format, kind);
            assert_int_equal(mkdir(path, 0700), 0);
            assert_ok(hsgd_phase_figure_write(&one.in, path, &style, &err), err);
            fprintf(all, "cd '%s'\nload 'phase.gp'\nreset session\n", path);
        }
    fclose(all);
    snprintf(command, sizeof command, "LC_ALL=C.UTF-8 gnuplot '%s/all.gp' > '%s/said' 2>&1 && ! test -s '%s/said'",
             f.dir, f.dir, f.dir);
    if (system(command) != 0)
        fail_msg("gnuplot: %s", read_file(f.dir, "said"));
    for (int format = HSGD_FIGURE_PDF; format <= HSGD_FIGURE_TIKZ; format++)
        for (int kind = 0; kind < 4; kind++) {
            struct stat info;
            snprintf(path, sizeof path, "%s/%d-%d/phase.%s", f.dir, format, kind, drawn[format]);
            if (stat(path, &info) != 0 || info.st_size < 1000)
                fail_msg("%s is not there or empty", path);
        }
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captions_in_both_syntaxes),
        cmocka_unit_test(data_hold_every_cell),
        cmocka_unit_test(contours_lie_on_their_levels),
        cmocka_unit_test(every_format_and_width_is_drawn),
    };
    return cmocka_run_group_tests_name("phase figure", tests, NULL, NULL);
}
