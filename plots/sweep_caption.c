/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Captions of the figures of a sweep: what is shown, over what, what is the same for all points and what is not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plots/caption_private.h"
#include "analysis/text_stream.h"
#include "plots/output.h"
#include "plots/sweep_private.h"

enum { TEXT_MAX_WIDTH = 90 };

typedef struct caption {
    const hsgd_sweep_figure_input *in;
    const char *figure;
    hsgd_figure_band band;
    hsgd_caption_syntax syntax;
    FILE *out;
} caption;

/* The phrase of the caption's syntax. */
static const char *pick(const caption *c, const char *plain, const char *tex)
{
    return hsgd_caption_pick(c->syntax, plain, tex);
}

static void say_text(const caption *c, const char *text)
{
    hsgd_caption_say_text(c->out, c->syntax, text, TEXT_MAX_WIDTH);
}

static const char *number_text(hsgd_number *number, const caption *c, double value)
{
    return hsgd_caption_number(number, c->syntax, value);
}

static void say_span(const caption *c, const char *plain, const char *tex, hsgd_span x)
{
    hsgd_number number;
    fprintf(c->out, "%s%s", pick(c, plain, tex), number_text(&number, c, x.low));
    if (x.low < x.high)
        fprintf(c->out, " to %s", number_text(&number, c, x.high));
}

/* "for each N and grouping" */
static void say_axes(const caption *c, size_t first)
{
    for (size_t a = first; a < c->in->num_axes; a++) {
        fputs(a == first ? " for each " : " and ", c->out);
        say_text(c, c->in->axis[a].name);
    }
}

static void say_S(const caption *c)
{
    bool map = strcmp(c->figure, "sweep-map") == 0, share = hsgd_sweep_shown_bound(c->in) < HSGD_MAX_SWEEP_BOUNDS;
    fprintf(c->out, "Measured %s, the mean squared gradient norm over the steps, ", pick(c, "S", "$S$"));
    fputs(map && share ? "and its share of the bound, over " : "over ", c->out);
    say_text(c, c->in->axis[0].name);
    if (map) {
        fputs(" and ", c->out);
        say_text(c, c->in->axis[1].name);
    }
    say_axes(c, map ? 2 : 1);
}

static void say_subject(const caption *c)
{
    static const struct {
        const char *name, *plain, *tex;
    } subject[] = {{"sweep-convergence", "Squared gradient norm ‖∇f(w̄ᵗ)‖² at the average model",
                    "Squared gradient norm $\\|\\nabla f(\\bar w^t)\\|^2$ at the average model"},
                   {"sweep-loss", "Loss f(w̄ᵗ) of the average model", "Loss $f(\\bar w^t)$ of the average model"},
                   {"sweep-accuracy", "Accuracy of the average model", "Accuracy of the average model"},
                   {"sweep-accuracy-time", "Accuracy of the average model over modelled seconds",
                    "Accuracy of the average model over modelled seconds"},
                   {"sweep-accuracy-bytes", "Accuracy of the average model over the bytes sent at all levels",
                    "Accuracy of the average model over the bytes sent at all levels"}};
    for (size_t i = 0; i < sizeof subject / sizeof *subject; i++)
        if (strcmp(c->figure, subject[i].name) == 0) {
            fputs(pick(c, subject[i].plain, subject[i].tex), c->out);
            say_axes(c, 0);
            return;
        }
    say_S(c);
}

/* Only the figure of S has bounds in it. */
static void say_bounds(const caption *c)
{
    static const char *const kind[] = {"published", "sharpened", "recursive"};
    size_t bound = hsgd_sweep_shown_bound(c->in);
    if (strcmp(c->figure, "sweep") != 0 || bound == HSGD_MAX_SWEEP_BOUNDS)
        return;
    if (bound < HSGD_NUM_SWEEP_BOUNDS)
        fprintf(c->out, ", next to the %s bound", kind[bound]);
    else {
        fputs(", next to ", c->out);
        say_text(c, hsgd_sweep_bound_name(c->in, bound));
    }
    fprintf(c->out, " (%s)", c->in->axis[0].at ? "dashed" : "crosses");
}

/* What bars or bands are; one run has none. */
static void say_band(const caption *c, const char *what)
{
    if (hsgd_sweep_span(c->in, HSGD_SPAN_SEEDS).high < 2)
        return;
    if (c->band == HSGD_BAND_SE || c->band == HSGD_BAND_SD)
        fprintf(c->out, "; %s: %s one standard %s", what, pick(c, "±", "$\\pm$"),
                c->band == HSGD_BAND_SE ? "error" : "deviation over runs");
    else if (c->band == HSGD_BAND_RANGE)
        fprintf(c->out, "; %s: from the smallest to the largest run", what);
    else if (c->band == HSGD_BAND_CI && isfinite(c->in->confidence))
        fprintf(c->out, pick(c, "; %s: %.4g %% confidence intervals", "; %s: %.4g\\,\\%% confidence intervals"), what,
                100 * c->in->confidence);
    else if (c->band == HSGD_BAND_CI)
        fprintf(c->out, "; %s: confidence intervals", what);
}

static void say_setting(const caption *c)
{
    hsgd_span seeds = hsgd_sweep_span(c->in, HSGD_SPAN_SEEDS);
    say_span(c, ". n = ", ". $n$~=~", hsgd_sweep_span(c->in, HSGD_SPAN_WORKERS));
    say_span(c, ", T = ", ", $T$~=~", hsgd_sweep_span(c->in, HSGD_SPAN_STEPS));
    say_span(c, ", γ = ", ", $\\gamma$~=~", hsgd_sweep_span(c->in, HSGD_SPAN_STEP_SIZE));
    fprintf(c->out, ", %.0f", seeds.low);
    if (seeds.low < seeds.high)
        fprintf(c->out, " to %.0f", seeds.high);
    fprintf(c->out, " seed%s", seeds.high > 1 ? "s" : "");
}

static void say_all(const caption *c, const hsgd_sweep_remark *remark)
{
    say_subject(c);
    say_bounds(c);
    if (remark->bars || remark->bands)
        say_band(c, remark->bars ? "bars" : "bands");
    say_setting(c);
    fputs(*remark->note ? "; " : "", c->out);
    say_text(c, remark->note);
    fputs(".", c->out);
}

char *hsgd_sweep_figure_caption(const hsgd_sweep_figure_input *input, const hsgd_sweep_figure *figure,
                                hsgd_figure_band band, hsgd_caption_syntax syntax)
{
    hsgd_text_stream memory;
    const hsgd_sweep_remark remark = figure->remark(input);
    const caption c = {input, figure->name, band, syntax, hsgd_text_open(&memory)};
    if (!c.out)
        return NULL;
    say_all(&c, &remark);
    return hsgd_text_close(&memory, c.out);
}

hsgd_status hsgd_sweep_write_caption(const hsgd_sweep_figure_input *in, const hsgd_sweep_figure *figure,
                                     hsgd_figure_band band, const char *dir, hsgd_error *err)
{
    return hsgd_caption_write(hsgd_sweep_figure_caption(in, figure, band, HSGD_CAPTION_TEX), dir, figure->name, err);
}
