/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures with one curve for each point: "sweep-convergence", "sweep-loss", "sweep-accuracy" over steps, and the accuracy over
 * modelled seconds and bytes.
 *
 * The colour of a curve says its value of the first axis, its dashes those of the others. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plots/figures_private.h"
#include "plots/sweep_private.h"
#include "plots/table_private.h"

enum { MAX_CURVES = 8, MAX_WITH_BANDS = 4, LONGEST_TITLE = 44, NUM_COLUMNS = 4 };

#define LARGEST 1e100    /* what is beyond is off the axes, lest ticks overflow */
#define SMOOTHED_FROM 80 /* rows; shorter series are drawn as they are */
#define SMOOTHED_SHARE 50

typedef enum what { GRADIENT, LOSS, ACCURACY } what;
typedef enum over { STEPS, SECONDS, BYTES } over;

/* One figure and what it shows. */
typedef struct kind {
    const hsgd_sweep_figure *figure;
    what y;
    over x;
    const char *about;
} kind;

typedef struct curve {
    const hsgd_sweep_figure_point *point;
    size_t colour, dash;
    double *x, *y, *below, *above; /* (rows), NAN after its last row */
} curve;

typedef struct figure {
    const hsgd_sweep_figure_input *in;
    const hsgd_figure_style *style;
    kind kind;
    curve curve[MAX_CURVES];
    size_t num_curves, rows;
    bool has_test, bands, smoothed;
    double *memory; /* (num_curves, NUM_COLUMNS, rows) owned */
    hsgd_sweep_remark remark;
} figure;

/* ---- what can be shown ---- */

static const double *y_of(const hsgd_sweep_figure_point *p, what y, bool test)
{
    return y == GRADIENT ? p->grad_norm_sq : y == LOSS ? p->loss : test ? p->test_accuracy : p->train_accuracy;
}

static const double *x_of(const hsgd_sweep_figure_point *p, over x)
{
    return x == STEPS ? p->step : x == SECONDS ? p->time_s : p->bytes_all;
}

static bool has_curve(const hsgd_sweep_figure_point *p, what y, over x, bool test)
{
    return p->done && x_of(p, x) && hsgd_any_finite(y_of(p, y, test), p->num_rows, 1);
}

static bool any_curve(const hsgd_sweep_figure_input *in, what y, over x)
{
    for (size_t i = 0; i < in->num_points; i++)
        if (has_curve(&in->point[i], y, x, false))
            return true;
    return false;
}

/* Test data count where all points that can be shown have them. */
static bool all_tested(const hsgd_sweep_figure_input *in, over x)
{
    for (size_t i = 0; i < in->num_points; i++)
        if (has_curve(&in->point[i], ACCURACY, x, false) && !has_curve(&in->point[i], ACCURACY, x, true))
            return false;
    return true;
}

/* ---- choosing ---- */

/* Which axis shows one value fewer next: the longer of those of numbers that have more than two; then, if categories would have
 * to go, numbers to one value, the last axis first; then categories. */
static size_t axis_to_shorten(const size_t *count, const hsgd_sweep_figure_input *in)
{
    size_t longest = HSGD_SWEEP_FIGURE_AXES, last = longest, category = longest;
    for (size_t a = 0; a < in->num_axes; a++) {
        bool numbers = in->axis[a].at != NULL;
        if (numbers && count[a] > 2 && (longest == HSGD_SWEEP_FIGURE_AXES || count[a] > count[longest]))
            longest = a;
        if (numbers && count[a] > 1)
            last = a;
        if (!numbers && count[a] > 1 && (category == HSGD_SWEEP_FIGURE_AXES || count[a] > count[category]))
            category = a;
    }
    bool categories_suffer = category < HSGD_SWEEP_FIGURE_AXES && count[category] > 2;
    return longest < HSGD_SWEEP_FIGURE_AXES                     ? longest
           : last < HSGD_SWEEP_FIGURE_AXES && categories_suffer ? last
           : category < HSGD_SWEEP_FIGURE_AXES                  ? category
                                                                : last;
}

/* How many values of each axis are shown, so that the curves fit. */
static void choose_counts(size_t *count, const hsgd_sweep_figure_input *in)
{
    for (size_t a = 0; a < HSGD_SWEEP_FIGURE_AXES; a++)
        count[a] = hsgd_sweep_count(in, a) < MAX_CURVES ? hsgd_sweep_count(in, a) : MAX_CURVES;
    while (count[0] * count[1] * count[2] > MAX_CURVES)
        count[axis_to_shorten(count, in)]--;
}

static void choose_curves(figure *f)
{
    const hsgd_sweep_figure_input *in = f->in;
    hsgd_selection chosen[HSGD_SWEEP_FIGURE_AXES];
    size_t count[HSGD_SWEEP_FIGURE_AXES];
    choose_counts(count, in);
    for (size_t a = 0; a < HSGD_SWEEP_FIGURE_AXES; a++)
        chosen[a] = hsgd_select(hsgd_sweep_count(in, a), count[a]);
    for (size_t i = 0; i < count[0]; i++)
        for (size_t j = 0; j < count[1]; j++)
            for (size_t k = 0; k < count[2]; k++) {
                const hsgd_sweep_figure_point *p =
                    hsgd_sweep_point_at(in, chosen[0].value[i], chosen[1].value[j], chosen[2].value[k]);
                if (has_curve(p, f->kind.y, f->kind.x, f->has_test))
                    f->curve[f->num_curves++] =
                        (curve){.point = p, .colour = i, .dash = in->num_axes > 1 ? j * count[2] + k : i};
            }
}

/* ---- data ---- */

/* The mean over a window around each row, as far as the series goes to both sides. */
static void smooth(double *out, const double *y, size_t rows)
{
    size_t reach = rows / SMOOTHED_SHARE / 2;
    for (size_t row = 0; row < rows; row++) {
        size_t side = row < reach ? row : reach;
        side = rows - 1 - row < side ? rows - 1 - row : side;
        double sum = 0;
        for (size_t i = row - side; i <= row + side; i++)
            sum += y[i];
        out[row] = sum / (double)(2 * side + 1);
    }
}

static void fill_curve(figure *f, size_t i)
{
    curve *c = &f->curve[i];
    const hsgd_sweep_figure_point *p = c->point;
    const double *x = x_of(p, f->kind.x), *y = y_of(p, f->kind.y, f->has_test);
    const double *below = f->has_test ? p->test_below : p->train_below;
    const double *above = f->has_test ? p->test_above : p->train_above;
    c->x = f->memory + NUM_COLUMNS * i * f->rows;
    c->y = c->x + f->rows;
    c->below = c->y + f->rows;
    c->above = c->below + f->rows;
    for (size_t row = 0; row < f->rows; row++) {
        bool there = row < p->num_rows && isfinite(y[row]);
        c->x[row] = there ? x[row] : NAN;
        c->y[row] = there ? y[row] : NAN;
        c->below[row] = there && f->bands && below ? below[row] : NAN;
        c->above[row] = there && f->bands && above ? above[row] : NAN;
    }
    if (f->smoothed)
        smooth(c->y, y, p->num_rows);
}

static void write_note(figure *f)
{
    size_t length = 0;
    if (f->num_curves < f->in->num_points)
        length = (size_t)snprintf(f->remark.note, sizeof f->remark.note, "%zu of %zu points", f->num_curves,
                                  f->in->num_points);
    if (f->smoothed)
        snprintf(f->remark.note + length, sizeof f->remark.note - length, "%srunning means over %d %% of the steps",
                 length ? "; " : "", 100 / SMOOTHED_SHARE);
}

/* What is drawn; without its data. */
static void choose(figure *f, const hsgd_sweep_figure_input *in, kind k)
{
    *f = (figure){.in = in, .kind = k};
    f->has_test = k.y == ACCURACY && all_tested(in, k.x);
    choose_curves(f);
    for (size_t i = 0; i < f->num_curves; i++)
        f->rows = f->curve[i].point->num_rows > f->rows ? f->curve[i].point->num_rows : f->rows;
    f->smoothed = k.y == GRADIENT && f->rows >= SMOOTHED_FROM;
    f->remark.bands = k.y == ACCURACY && f->num_curves <= MAX_WITH_BANDS;
    write_note(f);
}

static hsgd_status prepare(figure *f, const hsgd_sweep_figure_input *in, const hsgd_figure_style *style, kind k,
                           hsgd_error *err)
{
    choose(f, in, k);
    f->style = style;
    f->bands = f->remark.bands && style->band != HSGD_BAND_NONE;
    f->memory = calloc(NUM_COLUMNS * f->num_curves * f->rows + 1, sizeof *f->memory);
    if (!f->memory)
        return hsgd_fail_memory(err, "the data of a figure");
    for (size_t i = 0; i < f->num_curves; i++)
        fill_curve(f, i);
    return HSGD_OK;
}

static hsgd_status write_data(const figure *f, const char *dir, hsgd_error *err)
{
    hsgd_table table;
    hsgd_table_init(&table, f->rows);
    for (size_t i = 0; i < f->num_curves; i++) {
        hsgd_table_add(&table, f->curve[i].x, 1, false, "x_%zu", i + 1);
        hsgd_table_add(&table, f->curve[i].y, 1, true, "y_%zu", i + 1);
        if (!f->bands)
            continue;
        hsgd_table_add(&table, f->curve[i].below, 1, false, "below_%zu", i + 1);
        hsgd_table_add(&table, f->curve[i].above, 1, false, "above_%zu", i + 1);
    }
    hsgd_status status = hsgd_table_write(&table, dir, f->kind.figure->name, err);
    hsgd_table_free(&table);
    return status;
}

/* ---- axes ---- */

static hsgd_range last_of_x(const figure *f)
{
    hsgd_range range = hsgd_range_empty();
    for (size_t i = 0; i < f->num_curves; i++) {
        const hsgd_sweep_figure_point *p = f->curve[i].point;
        hsgd_range_add(&range, fmin(x_of(p, f->kind.x)[p->num_rows - 1], LARGEST));
    }
    return range;
}

/* Points that send many times as much as others would push these against the left edge. */
static bool is_log_x(const figure *f)
{
    hsgd_range last = last_of_x(f);
    return f->kind.x != STEPS && hsgd_range_positive(&last) && last.high > 8 * last.low;
}

static hsgd_unit x_axis(hsgd_script *s, const figure *f)
{
    hsgd_range last = last_of_x(f), all = hsgd_range_empty();
    double largest = hsgd_range_positive(&last) ? last.high : 0;
    hsgd_unit u = f->kind.x == STEPS ? (hsgd_unit){1, ""} : hsgd_script_unit(s, f->kind.x == SECONDS, largest);
    for (size_t i = 0; i < f->num_curves; i++)
        for (size_t row = 0; row < f->rows; row++)
            hsgd_range_add(&all, f->curve[i].x[row] / u.size);
    if (is_log_x(f))
        hsgd_script_log_x_axis(s, all);
    else {
        fputs("unset logscale x; set format x '%g'\n", s->stream);
        hsgd_script_step_axis(s, 0, largest / u.size);
    }
    return u;
}

/* Of an accuracy the first tenth of the run does not stretch the axis, on which all else happens at its upper end. */
static double y_axis(hsgd_script *s, const figure *f)
{
    hsgd_range range = hsgd_range_empty();
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < f->num_curves; i++) {
        size_t rows = f->curve[i].point->num_rows;
        bool late = f->kind.y == ACCURACY && rows > 20;
        for (size_t row = late ? rows / 10 : 0; row < rows; row++)
            if (isfinite(f->curve[i].y[row])) {
                hsgd_range_add(&range, f->curve[i].y[row]);
                low = fmin(low, f->curve[i].y[row]);
                high = fmax(high, f->curve[i].y[row]);
            }
    }
    if (f->kind.y != ACCURACY && low > 0)
        return hsgd_script_log_axis(s, range);
    hsgd_sweep_linear_y_axis(s, fmax(low, -LARGEST), fmin(high, LARGEST));
    return -INFINITY;
}

static void axis_labels(hsgd_script *s, const figure *f, hsgd_unit u)
{
    char x[96];
    const char *y[][2] = {
        [GRADIENT] = {"‖∇{/:Italic f}({/:Italic w̄}^{/:Italic t})‖^2", "$\\|\\nabla f(\\bar w^t)\\|^2$"},
        [LOSS] = {"{/:Italic f}({/:Italic w̄}^{/:Italic t})", "$f(\\bar w^t)$"},
        [ACCURACY] = {f->has_test ? "test accuracy" : "training accuracy",
                      f->has_test ? "test accuracy" : "training accuracy"}};
    if (f->kind.x == STEPS)
        snprintf(x, sizeof x, "%s", hsgd_script_pick(s, "step {/:Italic t}", "step $t$"));
    else
        snprintf(x, sizeof x, f->kind.x == SECONDS ? "modelled time in %s" : "sent at all levels in %s", u.name);
    hsgd_script_axis_labels(s, x, hsgd_script_pick(s, y[f->kind.y][0], y[f->kind.y][1]));
}

/* ---- curves and page ---- */

static void add_band(hsgd_script *s, const figure *f, size_t i, hsgd_unit u)
{
    if (!hsgd_band_shows(f->curve[i].y, f->curve[i].below, f->rows, 1))
        return;
    hsgd_script_series(s,
                       "'%s.dat' using (column(\"x_%zu\") / %g):(column(\"y_%zu\") - column(\"below_%zu\"))"
                       ":(column(\"y_%zu\") + column(\"above_%zu\")) \\\n"
                       "          with filledcurves fs solid 0.2 noborder lc rgb '%s' notitle",
                       f->kind.figure->name, i + 1, u.size, i + 1, i + 1, i + 1, i + 1,
                       hsgd_colour(f->curve[i].colour + 1));
}

static void add_curve(hsgd_script *s, const figure *f, size_t i, hsgd_unit u)
{
    static const char *const dash[] = {"solid", "(8,3)", "(3,2)", "(8,2,2,2)", "(12,2,2,2,2,2)"};
    const curve *c = &f->curve[i];
    hsgd_quoted quoted;
    hsgd_script_series(s,
                       "'%s.dat' using (column(\"x_%zu\") / %g):\"y_%zu\" with lines lw 1.3 dt %s lc rgb '%s' title %s",
                       f->kind.figure->name, i + 1, u.size, i + 1, dash[c->dash % (sizeof dash / sizeof *dash)],
                       hsgd_colour(c->colour + 1), hsgd_text_quote(&quoted, s->format, c->point->title, LONGEST_TITLE));
}

static size_t legend_columns(const figure *f)
{
    size_t widest = 0;
    for (size_t i = 0; i < f->num_curves; i++) {
        char clean[HSGD_TEXT_SIZE];
        size_t width = hsgd_text_clean(clean, f->curve[i].point->title, LONGEST_TITLE);
        widest = width > widest ? width : widest;
    }
    return hsgd_legend_columns(f->style->width_in, f->num_curves, widest);
}

static double legend_height(const figure *f)
{
    return hsgd_legend_height(f->num_curves, legend_columns(f));
}

static void write_script(hsgd_script *s, const figure *f)
{
    double bottom = legend_height(f);
    hsgd_sweep_caption(s, f->in, f->style, f->bands, f->remark.note);
    hsgd_script_thinned(s, f->rows);
    hsgd_script_panel(s, bottom + HSGD_X_AXIS_IN, s->height_in - hsgd_sweep_caption_height(f->style, f->remark.note));
    hsgd_script_legend(s, bottom, f->num_curves, legend_columns(f));
    hsgd_unit u = x_axis(s, f);
    y_axis(s, f);
    axis_labels(s, f, u);
    for (size_t i = 0; i < f->num_curves && f->bands; i++)
        add_band(s, f, i, u);
    for (size_t i = 0; i < f->num_curves; i++)
        add_curve(s, f, i, u);
    hsgd_script_plotted(s);
}

static hsgd_status write_kind(const hsgd_sweep_figure_input *in, const char *dir, const hsgd_figure_style *style,
                              kind k, hsgd_error *err)
{
    figure f;
    hsgd_script script;
    hsgd_status status = prepare(&f, in, style, k, err);
    if (!status)
        status = write_data(&f, dir, err);
    if (!status)
        status = hsgd_sweep_write_caption(in, k.figure, style->band, dir, err);
    double height =
        hsgd_sweep_caption_height(style, f.remark.note) + hsgd_panel_height(style) + HSGD_X_AXIS_IN + legend_height(&f);
    if (!status)
        status = hsgd_script_open(&script, dir, k.figure->name, style, height, k.about, err);
    if (!status) {
        write_script(&script, &f);
        status = hsgd_script_close(&script, err);
    }
    free(f.memory);
    return status;
}

/* ---- the records ---- */

static bool convergence_possible(const hsgd_sweep_figure_input *in, char *reason, size_t size)
{
    return any_curve(in, GRADIENT, STEPS) || hsgd_figure_lacks(reason, size, "no point is done yet, or none is finite");
}

static bool loss_possible(const hsgd_sweep_figure_input *in, char *reason, size_t size)
{
    return any_curve(in, LOSS, STEPS) || hsgd_figure_lacks(reason, size, "no point is done yet, or none is finite");
}

static bool accuracy_possible(const hsgd_sweep_figure_input *in, char *reason, size_t size)
{
    return any_curve(in, ACCURACY, STEPS) || hsgd_figure_lacks(reason, size, "no accuracies were evaluated yet");
}

static bool time_possible(const hsgd_sweep_figure_input *in, char *reason, size_t size)
{
    return any_curve(in, ACCURACY, SECONDS) ||
           hsgd_figure_lacks(reason, size, "no point has accuracies and a model of communication time yet");
}

static bool bytes_possible(const hsgd_sweep_figure_input *in, char *reason, size_t size)
{
    return any_curve(in, ACCURACY, BYTES) ||
           hsgd_figure_lacks(reason, size, "no point has accuracies and a model of communication yet");
}

static const kind convergence_kind = {&hsgd_sweep_figure_convergence, GRADIENT, STEPS,
                                      "Convergence of the points of a sweep: the squared gradient norm over steps."};
static const kind loss_kind = {&hsgd_sweep_figure_loss, LOSS, STEPS, "Loss of the points of a sweep over steps."};
static const kind accuracy_kind = {&hsgd_sweep_figure_accuracy, ACCURACY, STEPS,
                                   "Accuracy of the points of a sweep over steps."};
static const kind accuracy_time_kind = {&hsgd_sweep_figure_accuracy_time, ACCURACY, SECONDS,
                                        "Accuracy of the points of a sweep over modelled seconds."};
static const kind accuracy_bytes_kind = {&hsgd_sweep_figure_accuracy_bytes, ACCURACY, BYTES,
                                         "Accuracy of the points of a sweep over the bytes that were sent."};

static hsgd_sweep_remark remark_kind(const hsgd_sweep_figure_input *in, kind k)
{
    figure f;
    choose(&f, in, k);
    return f.remark;
}

static hsgd_sweep_remark remark_convergence(const hsgd_sweep_figure_input *in)
{
    return remark_kind(in, convergence_kind);
}

static hsgd_status write_convergence(const hsgd_sweep_figure_input *in, const char *dir, const hsgd_figure_style *style,
                                     hsgd_error *err)
{
    return write_kind(in, dir, style, convergence_kind, err);
}

static hsgd_sweep_remark remark_loss(const hsgd_sweep_figure_input *in)
{
    return remark_kind(in, loss_kind);
}

static hsgd_status write_loss(const hsgd_sweep_figure_input *in, const char *dir, const hsgd_figure_style *style,
                              hsgd_error *err)
{
    return write_kind(in, dir, style, loss_kind, err);
}

static hsgd_sweep_remark remark_accuracy(const hsgd_sweep_figure_input *in)
{
    return remark_kind(in, accuracy_kind);
}

static hsgd_status write_accuracy(const hsgd_sweep_figure_input *in, const char *dir, const hsgd_figure_style *style,
                                  hsgd_error *err)
{
    return write_kind(in, dir, style, accuracy_kind, err);
}

static hsgd_sweep_remark remark_accuracy_time(const hsgd_sweep_figure_input *in)
{
    return remark_kind(in, accuracy_time_kind);
}

static hsgd_status write_accuracy_time(const hsgd_sweep_figure_input *in, const char *dir,
                                       const hsgd_figure_style *style, hsgd_error *err)
{
    return write_kind(in, dir, style, accuracy_time_kind, err);
}

static hsgd_sweep_remark remark_accuracy_bytes(const hsgd_sweep_figure_input *in)
{
    return remark_kind(in, accuracy_bytes_kind);
}

static hsgd_status write_accuracy_bytes(const hsgd_sweep_figure_input *in, const char *dir,
                                        const hsgd_figure_style *style, hsgd_error *err)
{
    return write_kind(in, dir, style, accuracy_bytes_kind, err);
}

const hsgd_sweep_figure hsgd_sweep_figure_convergence = {"sweep-convergence", convergence_possible, remark_convergence,
                                                         write_convergence};
const hsgd_sweep_figure hsgd_sweep_figure_loss = {"sweep-loss", loss_possible, remark_loss, write_loss};
const hsgd_sweep_figure hsgd_sweep_figure_accuracy = {"sweep-accuracy", accuracy_possible, remark_accuracy,
                                                      write_accuracy};
const hsgd_sweep_figure hsgd_sweep_figure_accuracy_time = {"sweep-accuracy-time", time_possible, remark_accuracy_time,
                                                           write_accuracy_time};
const hsgd_sweep_figure hsgd_sweep_figure_accuracy_bytes = {"sweep-accuracy-bytes", bytes_possible,
                                                            remark_accuracy_bytes, write_accuracy_bytes};
