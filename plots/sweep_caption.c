/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Captions of the figures of a sweep, for LaTeX: what is shown, over what, what is the same for all points and what is not. */
#include <math.h>
#include <string.h>

#include "plots/output.h"
#include "plots/sweep_private.h"

enum { TEXT_MAX_WIDTH = 90 };

static void say_text(FILE *out, const char *text)
{
    char tex[HSGD_QUOTED_SIZE];
    hsgd_text_to_tex(tex, text, TEXT_MAX_WIDTH);
    fputs(tex, out);
}

static void say_span(FILE *out, const char *symbol, hsgd_span x)
{
    hsgd_number number;
    fprintf(out, "$%s$~=~%s", symbol, hsgd_text_number(&number, HSGD_FIGURE_TEX, x.low));
    if (x.low < x.high)
        fprintf(out, " to %s", hsgd_text_number(&number, HSGD_FIGURE_TEX, x.high));
}

/* "for N and grouping" */
static void say_axes(FILE *out, const hsgd_sweep_figure_input *in, size_t first)
{
    for (size_t a = first; a < in->num_axes; a++) {
        fputs(a == first ? " for each " : " and ", out);
        say_text(out, in->axis[a].name);
    }
}

static void say_subject(FILE *out, const hsgd_sweep_figure_input *in, const char *figure)
{
    static const struct {
        const char *name, *subject;
    } subject[] = {{"sweep-convergence", "Squared gradient norm at the average model"},
                   {"sweep-loss", "Loss of the average model"},
                   {"sweep-accuracy", "Accuracy of the average model"},
                   {"sweep-accuracy-time", "Accuracy of the average model over modelled seconds"},
                   {"sweep-accuracy-bytes", "Accuracy of the average model over the bytes sent at all levels"}};
    for (size_t i = 0; i < sizeof subject / sizeof *subject; i++)
        if (strcmp(figure, subject[i].name) == 0) {
            fputs(subject[i].subject, out);
            say_axes(out, in, 0);
            return;
        }
    bool map = strcmp(figure, "sweep-map") == 0;
    fputs("Measured $S$, the mean squared gradient norm over the steps, ", out);
    fputs(map ? "and its share of the bound, over " : "over ", out);
    say_text(out, in->axis[0].name);
    if (map) {
        fputs(" and ", out);
        say_text(out, in->axis[1].name);
    }
    say_axes(out, in, map ? 2 : 1);
}

/* Only the figure of S has bars and the bounds beside it. */
static void say_bounds_and_bars(FILE *out, const hsgd_sweep_figure_input *in, hsgd_figure_band band, const char *figure)
{
    static const char *const kind[] = {"published", "sharpened", "recursive"};
    size_t bound = hsgd_sweep_tightest_bound(in);
    if (strcmp(figure, "sweep") != 0)
        return;
    if (bound < HSGD_NUM_SWEEP_BOUNDS)
        fprintf(out, ", next to the %s bound (%s)", kind[bound], in->axis[0].at ? "dashed" : "crosses");
    if (band == HSGD_BAND_SE || band == HSGD_BAND_SD)
        fprintf(out, "; bars: $\\pm$ one standard %s", band == HSGD_BAND_SE ? "error" : "deviation");
    else if (band == HSGD_BAND_RANGE)
        fputs("; bars: from the smallest to the largest run", out);
    else if (band != HSGD_BAND_NONE && isfinite(in->confidence))
        fprintf(out, "; bars: %.4g\\,\\%% confidence intervals", 100 * in->confidence);
}

static void say_setting(FILE *out, const hsgd_sweep_figure_input *in)
{
    hsgd_span seeds = hsgd_sweep_span(in, HSGD_SPAN_SEEDS);
    fputs(". ", out);
    say_span(out, "n", hsgd_sweep_span(in, HSGD_SPAN_WORKERS));
    fputs(", ", out);
    say_span(out, "T", hsgd_sweep_span(in, HSGD_SPAN_STEPS));
    fputs(", ", out);
    say_span(out, "\\gamma", hsgd_sweep_span(in, HSGD_SPAN_STEP_SIZE));
    fprintf(out, ", %.0f", seeds.low);
    if (seeds.low < seeds.high)
        fprintf(out, " to %.0f", seeds.high);
    fprintf(out, " seed%s", seeds.high > 1 ? "s" : "");
}

hsgd_status hsgd_sweep_write_caption(const hsgd_sweep_figure_input *in, const char *figure,
                                     const hsgd_figure_style *style, const char *note, const char *dir, hsgd_error *err)
{
    hsgd_output out;
    hsgd_status status = hsgd_output_open(&out, dir, figure, "caption.tex", err);
    if (status)
        return status;
    say_subject(out.stream, in, figure);
    say_bounds_and_bars(out.stream, in, style->band, figure);
    say_setting(out.stream, in);
    fputs(*note ? "; " : "", out.stream);
    say_text(out.stream, note);
    fputs(".%\n", out.stream); /* no space at the end of \caption{\protect\input{..}} */
    return hsgd_output_close(&out, err);
}
