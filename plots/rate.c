/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plots/rate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/text_stream.h"
#include "plots/caption_private.h"
#include "plots/figures_private.h"
#include "plots/script_private.h"
#include "plots/table_private.h"

enum { MAX_BOUNDS = 6, LONGEST_NAME = 24 };

#define POINT_SIZE 0.5
#define BOUND_SIZE 0.35
#define GUIDE_BELOW 0.6 /* the guide runs so far below the fitted line: on it, nobody would see it */

/* What is drawn beside the input. */
typedef struct figure {
    const hsgd_rate_figure_input *in;
    const hsgd_figure_style *style;
    double *used, *left_out, *line, *guide; /* (num_points) NAN where nothing is drawn; owned in one piece */
    size_t num_bounds;
    bool bars;
} figure;

/* Can a log axis show some of them? gnuplot warns where it cannot. */
static bool shows(const double *data, size_t count)
{
    hsgd_range range = hsgd_range_of(data, count, 1);
    return hsgd_range_positive(&range);
}

static bool shows_bound(const figure *f, size_t b)
{
    return b < f->num_bounds && shows(f->in->bound[b].value, f->in->num_points);
}

bool hsgd_rate_figure_possible(const hsgd_rate_figure_input *in, char *reason, size_t size)
{
    for (size_t i = 0; i < in->num_points; i++)
        if (isfinite(in->value[i]) && in->value[i] > 0)
            return true;
    return hsgd_figure_lacks(reason, size, "no value is finite and positive");
}

/* ---- data ---- */

static bool draws_bars(const hsgd_rate_figure_input *in, const hsgd_figure_style *style)
{
    return style->band != HSGD_BAND_NONE && !in->exact && in->seeds > 1 && shows(in->value, in->num_points);
}

static bool has_guide(const hsgd_rate_figure_input *in)
{
    return in->has_fit && isfinite(in->guide);
}

/* The lines reach from the first fitted point to the last; the guide has the fitted line's middle above its own. */
static void fill_lines(figure *f)
{
    const hsgd_rate_figure_input *in = f->in;
    double middle = 0, count = 0;
    for (size_t i = 0; i < in->num_points; i++)
        if (in->fitted[i]) {
            middle += log(in->at[i]);
            count++;
        }
    middle /= fmax(1, count);
    for (size_t i = 0; i < in->num_points; i++) {
        double x = log(in->at[i]), from_middle = in->log_constant + in->exponent * middle + log(GUIDE_BELOW);
        f->used[i] = in->fitted[i] ? in->value[i] : NAN;
        f->left_out[i] = in->fitted[i] ? NAN : in->value[i];
        f->line[i] = in->has_fit && in->fitted[i] ? exp(in->log_constant + in->exponent * x) : NAN;
        f->guide[i] = has_guide(in) && in->fitted[i] ? exp(from_middle + in->guide * (x - middle)) : NAN;
    }
}

static hsgd_status prepare(figure *f, const hsgd_rate_figure_input *in, const hsgd_figure_style *style, hsgd_error *err)
{
    size_t n = in->num_points;
    double *memory = calloc(4 * n, sizeof *memory);
    *f = (figure){.in = in,
                  .style = style,
                  .used = memory,
                  .num_bounds = in->num_bounds < MAX_BOUNDS ? in->num_bounds : MAX_BOUNDS,
                  .bars = draws_bars(in, style)};
    if (!memory)
        return hsgd_fail_memory(err, "the data of a figure");
    f->left_out = memory + n;
    f->line = memory + 2 * n;
    f->guide = memory + 3 * n;
    fill_lines(f);
    return HSGD_OK;
}

static hsgd_status write_data(const figure *f, const char *dir, hsgd_error *err)
{
    const hsgd_rate_figure_input *in = f->in;
    hsgd_table table;
    hsgd_table_init(&table, in->num_points);
    hsgd_table_add(&table, in->at, 1, false, "x");
    hsgd_table_add(&table, f->used, 1, false, "fitted");
    hsgd_table_add(&table, f->left_out, 1, false, "left_out");
    hsgd_table_add(&table, in->value, 1, false, "value");
    hsgd_table_add(&table, in->low, 1, false, "low");
    hsgd_table_add(&table, in->high, 1, false, "high");
    hsgd_table_add(&table, f->line, 1, false, "line");
    hsgd_table_add(&table, f->guide, 1, false, "guide");
    for (size_t b = 0; b < f->num_bounds; b++)
        hsgd_table_add(&table, in->bound[b].value, 1, false, "bound_%zu", b + 1);
    hsgd_status status = hsgd_table_write(&table, dir, "rate", err);
    hsgd_table_free(&table);
    return status;
}

/* ---- words ---- */

/* The first three are of gnuplot's markup and of TeX. */
static const struct {
    const char *symbol, *label, *tex, *words;
} swept[] = {{"T", "number of steps {/:Italic T}", "number of steps $T$", "the number of steps"},
             {"n", "number of workers {/:Italic n}", "number of workers $n$", "the number of workers"},
             {"G", "global period {/:Italic G}", "global period $G$", "the global period"},
             {"I", "local period {/:Italic I}", "local period $I$", "the local period"},
             {"gamma", "step size {/:Italic γ}", "step size $\\gamma$", "the step size"}};

static const struct {
    const char *name, *label, *tex, *words, *words_tex;
} measured[] = {
    {"S", "{/:Italic S}", "$S$", "Mean squared gradient norm S", "Mean squared gradient norm $S$"},
    {"S_round", "{/:Italic S}_{round}", "$S_{\\mathrm{round}}$", "Mean squared gradient norm after global averages",
     "Mean squared gradient norm after global averages"},
    {"S_min", "{/:Italic S}_{min}", "$S_{\\mathrm{min}}$", "Smallest squared gradient norm after a global average",
     "Smallest squared gradient norm after a global average"},
    {"loss_gap", "{/:Italic f}(w̄^{/:Italic T}) - {/:Italic f}*", "$f(\\bar w^T)-f^*$", "Loss gap f(w̄ᵀ) − f* at the end",
     "Loss gap $f(\\bar w^T)-f^*$ at the end"},
    {"dispersion", "dispersion", "dispersion", "Mean dispersion of the models", "Mean dispersion of the models"}};

static size_t find_swept(const char *symbol)
{
    size_t i = 0;
    while (i + 1 < sizeof swept / sizeof *swept && strcmp(swept[i].symbol, symbol) != 0)
        i++;
    return i;
}

static size_t find_measured(const char *name)
{
    size_t i = 0;
    while (i + 1 < sizeof measured / sizeof *measured && strcmp(measured[i].name, name) != 0)
        i++;
    return i;
}

/* As many digits as an exponent with this error has. */
static int digits_for(double half_width)
{
    return half_width < 0.0005 ? 4 : half_width < 0.05 ? 3 : 2;
}

/* A minus sign as the format spells it. */
static void put_signed(FILE *f, bool tex, int digits, double value)
{
    const char *sign = value < 0 ? (tex ? "$-$" : "−") : "";
    fprintf(f, "%s%.*f", sign, digits, fabs(value));
}

/* -0.5, or -0.657: at most three digits after the point. */
static void put_exponent(FILE *f, bool tex, double value)
{
    double thousandths = round(1000 * value);
    int digits = fmod(thousandths, 100) == 0 ? 1 : fmod(thousandths, 10) == 0 ? 2 : 3;
    put_signed(f, tex, digits, value);
}

/* ---- the caption ---- */

static void say_setting(FILE *f, const hsgd_rate_figure_input *in, bool tex)
{
    const struct {
        const char *plain, *tex;
        size_t value;
    } part[] = {{"n", "$n$", in->workers},
                {"T", "$T$", in->steps},
                {"G", "$G$", in->global_period},
                {"I", "$I$", in->local_period}};
    const char *between = "";
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        if (part[i].value) {
            fprintf(f, tex ? "%s%s~=~%zu" : "%s%s = %zu", between, tex ? part[i].tex : part[i].plain, part[i].value);
            between = ", ";
        }
    if (in->exact)
        fprintf(f, "%sexact moments, nothing is sampled", between);
    else
        fprintf(f, "%s%zu seed%s for each point", between, in->seeds, in->seeds == 1 ? "" : "s");
}

static void say_fit(FILE *f, const hsgd_rate_figure_input *in, bool tex)
{
    int digits = digits_for(in->half_width);
    size_t fitted = 0;
    for (size_t i = 0; i < in->num_points; i++)
        fitted += in->fitted[i];
    if (!in->has_fit)
        return;
    fprintf(f, ", and the power law fitted to %zu of the %zu points, with exponent ", fitted, in->num_points);
    put_signed(f, tex, digits, in->exponent);
    fprintf(f, tex ? " $\\pm$ %.*f (%.4g\\,\\%%" : " ± %.*f (%.4g %%", digits, in->half_width, 100 * in->confidence);
    fputs(in->exact ? ", from the curvature)" : ")", f);
    if (has_guide(in)) {
        fputs("; dashed: the exponent ", f);
        put_exponent(f, tex, in->guide);
        fputs(" of the theory", f);
    }
}

char *hsgd_rate_figure_caption(const hsgd_rate_figure_input *in, bool bars, hsgd_caption_syntax syntax)
{
    hsgd_text_stream memory;
    size_t of = find_measured(in->quantity);
    bool tex = syntax == HSGD_CAPTION_TEX;
    FILE *f = hsgd_text_open(&memory);
    if (!f)
        return NULL;
    fprintf(f, "%s against %s", tex ? measured[of].words_tex : measured[of].words, swept[find_swept(in->symbol)].words);
    say_fit(f, in, tex);
    if (in->num_bounds)
        fprintf(f, "; the other lines are bounds%s",
                in->constants_proved ? "" : " (with constants that prove nothing elsewhere)");
    if (bars)
        fprintf(f, tex ? "; bars: %.4g\\,\\%% confidence intervals" : "; bars: %.4g %% confidence intervals",
                100 * in->confidence);
    fputs(". ", f);
    say_setting(f, in, tex);
    fputs(".", f);
    return hsgd_text_close(&memory, f);
}

static hsgd_status write_caption(const figure *f, const char *dir, hsgd_error *err)
{
    return hsgd_caption_write(hsgd_rate_figure_caption(f->in, f->bars, HSGD_CAPTION_TEX), dir, "rate", err);
}

/* ---- the script ---- */

static void put_title(hsgd_script *s, const figure *f)
{
    const hsgd_rate_figure_input *in = f->in;
    const struct {
        const char *plain, *tex;
        size_t value;
    } part[] = {{"{/:Italic n}", "$n$", in->workers},
                {"{/:Italic T}", "$T$", in->steps},
                {"{/:Italic I}", "$I$", in->local_period},
                {"{/:Italic G}", "$G$", in->global_period}};
    if (!s->title)
        return;
    hsgd_script_name(s, in->name, (size_t)(13 * s->width_in));
    fprintf(s->stream, "set label 2 '%s", hsgd_script_pick(s, "", HSGD_SMALL_TEX_FONT));
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        if (part[i].value)
            fprintf(s->stream, "%s = %zu, ", hsgd_script_pick(s, part[i].plain, part[i].tex), part[i].value);
    if (in->exact)
        fputs("exact moments", s->stream);
    else
        fprintf(s->stream, "%zu seed%s", in->seeds, in->seeds == 1 ? "" : "s");
    if (f->bars)
        fprintf(s->stream, ", %.4g%s intervals", 100 * in->confidence, hsgd_script_pick(s, "%", "\\,\\%"));
    fputs("'", s->stream);
    hsgd_script_title_line(s, 2);
}

/* A name of ours or of a user, and an exponent behind it. */
static void put_bound_title(hsgd_script *s, const hsgd_rate_figure_bound *bound)
{
    hsgd_quoted quoted;
    char text[HSGD_TEXT_SIZE + 32];
    hsgd_text_clean(text, bound->name, LONGEST_NAME);
    if (isfinite(bound->exponent))
        snprintf(text + strlen(text), 32, ": %s%.3f", bound->exponent < 0 ? "−" : "", fabs(bound->exponent));
    fprintf(s->stream, " title %s", hsgd_text_quote(&quoted, s->format, text, LONGEST_NAME + 10));
}

static void add_bounds(hsgd_script *s, const figure *f)
{
    static const char *const dash[MAX_BOUNDS] = {"(8,3)", "(3,2)", "(8,2,2,2)", "(12,2,2,2,2,2)", "(1.5,2)", "(18,4)"};
    static const int point_type[MAX_BOUNDS] = {4, 6, 8, 10, 12, 2};
    for (size_t b = 0; b < f->num_bounds; b++) {
        if (!shows_bound(f, b))
            continue;
        hsgd_script_series(
            s, "'rate.dat' using \"x\":\"bound_%zu\" with linespoints lw 1.1 dt %s pt %d ps %.3g lc rgb '%s'", b + 1,
            dash[b], point_type[b], hsgd_point_size(s, BOUND_SIZE), hsgd_colour(b + 2));
        put_bound_title(s, &f->in->bound[b]);
    }
}

static void add_lines(hsgd_script *s, const figure *f)
{
    const hsgd_rate_figure_input *in = f->in;
    bool tex = hsgd_figure_format_is_tex(s->format);
    if (in->has_fit) {
        int digits = digits_for(in->half_width);
        hsgd_script_series(
            s, "'rate.dat' using \"x\":\"line\" with lines lw 1.3 lc rgb '%s' title 'fit: ", hsgd_colour(1));
        put_signed(s->stream, tex, digits, in->exponent);
        fprintf(s->stream, " %s %.*f'", hsgd_script_pick(s, "±", "$\\pm$"), digits, in->half_width);
    }
    if (has_guide(in)) {
        hsgd_script_series(s, "'rate.dat' using \"x\":\"guide\" with lines lw 1.3 dt (2,2) lc rgb '%s' title 'slope ",
                           hsgd_colour(0));
        put_exponent(s->stream, tex, in->guide);
        fputs("'", s->stream);
    }
}

static void add_points(hsgd_script *s, const figure *f)
{
    const char *colour = hsgd_colour(1);
    size_t of = find_measured(f->in->quantity), n = f->in->num_points;
    double size = hsgd_point_size(s, POINT_SIZE);
    if (f->bars)
        hsgd_script_series(
            s,
            "'rate.dat' using \"x\":\"value\":(above(column(\"low\"))):\"high\" with yerrorbars pt 7 ps 0 "
            "lw 1 lc rgb '%s' notitle",
            colour);
    if (shows(f->used, n))
        hsgd_script_series(s,
                           "'rate.dat' using \"x\":\"fitted\" with points pt 7 ps %.3g lc rgb '%s' title 'measured %s'",
                           size, colour, hsgd_script_pick(s, measured[of].label, measured[of].tex));
    if (shows(f->left_out, n))
        hsgd_script_series(
            s, "'rate.dat' using \"x\":\"left_out\" with points pt 6 ps %.3g lc rgb '%s' title 'not fitted'", size,
            colour);
}

static size_t legend_entries(const figure *f)
{
    size_t entries = shows(f->used, f->in->num_points) + shows(f->left_out, f->in->num_points);
    for (size_t b = 0; b < f->num_bounds; b++)
        entries += shows_bound(f, b);
    return entries + f->in->has_fit + has_guide(f->in);
}

static size_t legend_columns(const figure *f)
{
    size_t widest = 20; /* fit: -0.5000 +- 0.0001 */
    for (size_t b = 0; b < f->num_bounds; b++) {
        char clean[HSGD_TEXT_SIZE];
        size_t width = hsgd_text_clean(clean, f->in->bound[b].name, LONGEST_NAME) + 8;
        widest = width > widest ? width : widest;
    }
    return hsgd_legend_columns(f->style->width_in, legend_entries(f), widest);
}

static double legend_height(const figure *f)
{
    return hsgd_legend_height(legend_entries(f), legend_columns(f));
}

/* Of all that is drawn. */
static hsgd_range range_of(const figure *f)
{
    const hsgd_rate_figure_input *in = f->in;
    hsgd_range range = hsgd_range_of(in->value, in->num_points, 1);
    hsgd_range_merge(&range, hsgd_range_of(f->guide, in->num_points, 1));
    hsgd_range_merge(&range, hsgd_range_of(f->line, in->num_points, 1));
    if (f->bars)
        hsgd_range_merge(&range, hsgd_range_of(in->high, in->num_points, 1));
    for (size_t b = 0; b < f->num_bounds; b++)
        hsgd_range_merge(&range, hsgd_range_of(in->bound[b].value, in->num_points, 1));
    return range;
}

static void write_script(hsgd_script *s, const figure *f)
{
    const hsgd_rate_figure_input *in = f->in;
    size_t x = find_swept(in->symbol), y = find_measured(in->quantity);
    double top = s->height_in - hsgd_title_lines_height(f->style->title, 2),
           bottom = top - 1.25 * hsgd_panel_height(f->style);
    put_title(s, f);
    hsgd_script_panel(s, bottom, top);
    hsgd_script_log_x_axis(s, hsgd_range_of(in->at, in->num_points, 1));
    double low = hsgd_script_log_axis(s, range_of(f));
    fprintf(s->stream, "above(x) = x > %.17g ? x : %.17g # the lower end of the axis\n", low, low);
    hsgd_script_axis_labels(s, hsgd_script_pick(s, swept[x].label, swept[x].tex),
                            hsgd_script_pick(s, measured[y].label, measured[y].tex));
    hsgd_script_legend(s, legend_height(f), legend_entries(f), legend_columns(f));
    add_points(s, f);
    add_lines(s, f);
    add_bounds(s, f);
    hsgd_script_plotted(s);
}

hsgd_status hsgd_rate_figure_write(const hsgd_rate_figure_input *in, const char *dir, const hsgd_figure_style *style,
                                   hsgd_error *err)
{
    figure f;
    hsgd_script script;
    hsgd_status status = prepare(&f, in, style, err);
    if (!status)
        status = write_data(&f, dir, err);
    if (!status)
        status = write_caption(&f, dir, err);
    if (!status) {
        double height = hsgd_title_lines_height(style->title, 2) + 1.25 * hsgd_panel_height(style) + HSGD_X_AXIS_IN +
                        legend_height(&f);
        status = hsgd_script_open(&script, dir, "rate", style, height,
                                  "Rate: measured values, the power law through them, and the bounds.", err);
    }
    if (!status) {
        write_script(&script, &f);
        status = hsgd_script_close(&script, err);
    }
    free(f.used);
    return status;
}
