/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Captions: what a figure shows, of which run, over how many seeds, with which bands and constants.
 *
 * A caption is one to three sentences that are true of the run at hand, put together from phrases that are written in both
 * syntaxes. Text from a user goes through hsgd_text_clean and hsgd_text_to_tex. */
#include "plots/caption_private.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/text_stream.h"
#include "plots/figures_private.h"
#include "plots/output.h"
#include "plots/script_private.h"

enum { TEXT_MAX_WIDTH = 60 };

typedef struct caption {
    const hsgd_figure_input *in;
    hsgd_caption_syntax syntax;
    FILE *out;
} caption;

/* The phrase of the caption's syntax. */
static const char *pick(const caption *c, const char *plain, const char *tex)
{
    return hsgd_caption_pick(c->syntax, plain, tex);
}

static void say(const caption *c, const char *plain, const char *tex)
{
    fputs(pick(c, plain, tex), c->out);
}

/* A symbol and a whole number: n = 64. */
static void say_count(const caption *c, const char *before, const char *symbol, size_t value)
{
    fprintf(c->out, pick(c, "%s%s = %zu", "%s$%s = %zu$"), before, symbol, value);
}

static void say_text(const caption *c, const char *text)
{
    hsgd_caption_say_text(c->out, c->syntax, text, TEXT_MAX_WIDTH);
}

/* ", γ = 0.01"; the number has math shifts of its own. */
static void say_value(const caption *c, const char *symbol, const char *tex_symbol, double value)
{
    hsgd_number number;
    if (c->syntax == HSGD_CAPTION_TEX) {
        fprintf(c->out, ", $%s = %s", tex_symbol, hsgd_text_number(&number, HSGD_FIGURE_TEX, value) + 1);
        return;
    }
    fprintf(c->out, ", %s = %s", symbol, hsgd_text_plain_number(&number, value));
}

/* ---- the run ---- */

static const char *algorithm(const caption *c)
{
    return c->in->num_levels > 1 ? "H-SGD" : "local SGD";
}

static void say_problem(const caption *c)
{
    static const struct {
        const char *type, *words;
    } problem[] = {{"quadratic", "a quadratic problem"}, {"logistic", "logistic regression"},
                   {"softmax", "softmax regression"},    {"mlp", "a multilayer perceptron"},
                   {"cnn", "a convolutional network"},   {"plugin", "an objective of a plug-in"}};
    const hsgd_figure_setting *s = &c->in->setting;
    for (size_t i = 0; s->problem && i < sizeof problem / sizeof *problem; i++)
        if (strcmp(s->problem, problem[i].type) == 0)
            fprintf(c->out, " on %s", problem[i].words);
    if (!s->data)
        return;
    fputs(" (", c->out);
    say_text(c, s->data);
    if (s->samples)
        fprintf(c->out, ", %zu samples", s->samples);
    fputs(")", c->out);
}

static void say_list(const caption *c, const size_t *list, size_t count, const char *separator)
{
    for (size_t i = 0; i < count; i++)
        fprintf(c->out, "%s%zu", i ? separator : "", list[i]);
}

/* Two levels have the symbols of the paper, deeper trees lists. */
static void say_tree(const caption *c)
{
    const hsgd_figure_input *in = c->in;
    const hsgd_figure_setting *s = &in->setting;
    say_count(c, " with ", "n", in->num_workers);
    if (in->num_levels == 1) {
        fprintf(c->out, " workers that average every %zu step%s", in->global_period, in->global_period == 1 ? "" : "s");
    } else if (s->fanout && in->num_levels == 2) {
        say_count(c, " workers in ", "N", s->fanout[0]);
        say_count(c, s->fanout[0] == 1 ? " group (" : " groups (", "I", in->local_period);
        say_count(c, ", ", "G", in->global_period);
        fputs(")", c->out);
    } else if (s->fanout) {
        say_count(c, " workers on ", "M", in->num_levels);
        say(c, " levels (fanout ", " levels (fanout $");
        say_list(c, s->fanout, in->num_levels, pick(c, " × ", " \\times "));
        say(c, ", periods ", "$, periods ");
        say_list(c, s->period, in->num_levels, ", ");
        fputs(")", c->out);
    } else {
        say_count(c, " workers in a tree of ", "M", in->num_levels);
        say_count(c, " levels with unequal groups or periods (from ", "I", in->local_period);
        say_count(c, " to ", "G", in->global_period);
        fputs(")", c->out);
    }
    if (s->weighted)
        fputs(" of unequal weights", c->out);
}

static void say_grouping(const caption *c)
{
    const char *grouping = c->in->setting.grouping ? c->in->setting.grouping : "given";
    if (c->in->num_levels < 2)
        return;
    if (strcmp(grouping, "random") == 0)
        fputs(", placed at random", c->out);
    else if (strcmp(grouping, "group-iid") == 0)
        fputs(", grouped so that groups are alike", c->out);
    else if (strcmp(grouping, "group-noniid") == 0)
        fputs(", grouped so that groups differ", c->out);
}

static void say_gradients(const caption *c)
{
    const hsgd_figure_setting *s = &c->in->setting;
    if (!s->problem)
        return;
    if (s->batch_size)
        fprintf(c->out, ", mini-batches of %zu", s->batch_size);
    else if (s->noise_sq > 0)
        say_value(c, "σ²", "\\sigma^2", s->noise_sq);
    else
        fputs(", full gradients", c->out);
}

/* "on softmax regression (...) with n = 64 workers in N = 8 groups (I = 5, G = 20), γ = 0.01, T = 200, mini-batches of 16" */
static void say_setting(const caption *c)
{
    say_problem(c);
    say_tree(c);
    say_grouping(c);
    say_value(c, "γ", "\\gamma", c->in->step_size);
    if (c->in->steps)
        say_count(c, ", ", "T", c->in->steps);
    say_gradients(c);
    if (c->in->setting.variant && *c->in->setting.variant) {
        fputs(" with changes to the algorithm (", c->out);
        say_text(c, c->in->setting.variant);
        fputs(")", c->out);
    }
}

/* ---- its statistics ---- */

static size_t num_runs(const hsgd_figure_input *in)
{
    return in->runs > in->seeds ? in->runs : in->seeds;
}

static void say_seeds(const caption *c)
{
    size_t runs = num_runs(c->in), values = c->in->seeds;
    if (runs == 1)
        fputs("one run", c->out);
    else if (runs == values)
        fprintf(c->out, "means over %zu seeds", runs);
    else
        fprintf(c->out, "means over %zu grouping%s of %zu seeds each", values, values == 1 ? "" : "s", runs / values);
}

static void say_confidence(const caption *c)
{
    fprintf(c->out, pick(c, "%.4g %%", "%.4g\\,\\%%"), 100 * c->in->confidence);
}

static void say_band(const caption *c, bool shown)
{
    if (!shown)
        return;
    fputs(" with bands of ", c->out);
    switch (c->in->band) {
    case HSGD_BAND_CI:
        say_confidence(c);
        fputs(" confidence", c->out);
        break;
    case HSGD_BAND_SE:
        fputs("one standard error", c->out);
        break;
    case HSGD_BAND_SD:
        fputs("one standard deviation over runs", c->out);
        break;
    default:
        fputs("all runs, from the smallest to the largest", c->out);
    }
}

static void say_measured(const caption *c)
{
    if (c->in->setting.measure_every > 1)
        fprintf(c->out, ", measured every %zu steps", c->in->setting.measure_every);
}

/* ": means over 32 seeds with bands of 99 % confidence." */
static void say_statistics(const caption *c, bool band)
{
    fputs(": ", c->out);
    say_seeds(c);
    say_band(c, band);
    say_measured(c);
    fputs(".", c->out);
}

/* What the bounds' constants are worth. */
static void say_constants(const caption *c)
{
    fprintf(c->out, " with %s constants",
            c->in->constants_proved      ? "proved"
            : c->in->constants_estimated ? "estimated"
                                         : "trajectory");
}

static bool has_band(const hsgd_figure_input *in, const double *mean, const double *half_width)
{
    return in->band != HSGD_BAND_NONE && mean && hsgd_band_shows(mean, half_width, in->num_rows, 1);
}

/* ---- one function per kind of figure ---- */

static void convergence(const caption *c)
{
    bool bounds = false;
    for (size_t b = 0; b < c->in->num_bounds; b++)
        bounds = bounds || hsgd_figure_bound_in_convergence(&c->in->bound[b]);
    say(c, "Squared gradient norm ‖∇f(w̄ᵗ)‖² of ", "Squared gradient norm $\\|\\nabla f(\\bar w^t)\\|^2$ of ");
    fputs(algorithm(c), c->out);
    say_setting(c);
    say_statistics(c, has_band(c->in, c->in->hsgd.grad_norm_sq, c->in->hsgd.grad_norm_sq_half_width));
    if (isfinite(c->in->hsgd.S))
        say(c, " The thick line is the mean S over the run", " The thick line is the mean~$S$ over the run");
    if (bounds) {
        fputs(isfinite(c->in->hsgd.S) ? "; the other horizontal lines are bounds" : " Horizontal lines are bounds",
              c->out);
        say_constants(c);
    }
    if (bounds || isfinite(c->in->hsgd.S))
        fputs(".", c->out);
}

static void divergence(const caption *c)
{
    say(c, "Divergence of the workers' gradients at w̄ᵗ for ",
        "Divergence of the workers' gradients at~$\\bar w^t$ for ");
    fputs(algorithm(c), c->out);
    say_setting(c);
    if (c->in->num_levels > 1)
        say(c, ", globally, and upward and downward at each depth k",
            ", globally, and upward and downward at each depth~$k$");
    say_statistics(c, false);
}

static void dispersion(const caption *c)
{
    bool band = false, bound = hsgd_any_finite(c->in->dispersion_bound, c->in->num_rows * c->in->num_levels, 1);
    for (size_t k = 0; c->in->band != HSGD_BAND_NONE && k < c->in->num_levels; k++)
        band = band || hsgd_band_shows(c->in->dispersion + k,
                                       c->in->dispersion_half_width ? c->in->dispersion_half_width + k : NULL,
                                       c->in->num_rows, c->in->num_levels);
    say(c, "Dispersion Bₖ of the models within each level k for ",
        "Dispersion~$B_k$ of the models within each level~$k$ for ");
    fputs(algorithm(c), c->out);
    say_setting(c);
    say_statistics(c, band);
    if (bound) {
        fputs(" Lines with short dashes are the recursive bounds", c->out);
        say_constants(c);
        fputs(".", c->out);
    }
}

static void sandwich(const caption *c)
{
    const hsgd_figure_input *in = c->in;
    say_count(c, "H-SGD between local SGD with period ", "I", in->local_period);
    say_count(c, " and with period ", "G", in->global_period);
    say_setting(c);
    say(c, ": running means Sₜ of the squared gradient norm (", ": running means~$S_t$ of the squared gradient norm (");
    say_seeds(c);
    say_measured(c);
    say(c, "), and the means S of whole runs", "), and the means~$S$ of whole runs");
    if (in->hsgd.S_low < in->hsgd.S_high) {
        fputs(" with ", c->out);
        say_confidence(c);
        fputs(" intervals", c->out);
    }
    if (hsgd_figure_sandwich_bounds(in)) {
        fputs("; bounds on the running means", c->out);
        say_constants(c);
    }
    fputs(".", c->out);
}

static void terms(const caption *c)
{
    fprintf(c->out, "Shares of the additive terms in each bound for %s", algorithm(c));
    say_setting(c);
    fputs("; the number above a bar is the value of the bound,", c->out);
    say_constants(c);
    fputs(".", c->out);
}

static void ladder(const caption *c)
{
    fprintf(c->out, "The steps of the convergence proof for %s", algorithm(c));
    say_setting(c);
    fputs(
        ": every rung bounds the one before, and lengths and percentages are its slack. The first rungs are measured (",
        c->out);
    say_seeds(c);
    fputs("), the others are bounds", c->out);
    say_constants(c);
    fputs(".", c->out);
}

/* ---- figures that compare the runs ---- */

static const char *const over_time = " over modelled seconds", *const over_bytes = " over the bytes sent at each level";

/* ", and for local SGD with period I = 5 and G = 20": those that were made. */
static void say_compared(const caption *c, bool inner, bool outer)
{
    fprintf(c->out, " for %s", algorithm(c));
    say_setting(c);
    if (inner)
        say_count(c, ", and for local SGD with period ", "I", c->in->local_period);
    if (outer)
        say_count(c, inner ? " and " : ", and for local SGD with period ", "G", c->in->global_period);
}

static void accuracy_over(const caption *c, const char *over, bool bands)
{
    const hsgd_figure_progress *p = c->in->progress;
    size_t rows = c->in->num_rows;
    bool test = hsgd_any_finite(p[0].test_accuracy, rows, 1);
    fprintf(c->out, "%s of the average model%s", test ? "Accuracy on test data" : "Accuracy on training data", over);
    say_compared(c, hsgd_any_finite(p[1].train_accuracy, rows, 1), hsgd_any_finite(p[2].train_accuracy, rows, 1));
    say_statistics(c, bands && has_band(c->in, test ? p[0].test_accuracy : p[0].train_accuracy,
                                        test ? p[0].test_accuracy_half_width : p[0].train_accuracy_half_width));
    if (test)
        fputs(" Thin dotted lines are the accuracy on training data.", c->out);
}

static void accuracy(const caption *c)
{
    accuracy_over(c, " over steps", true);
}

static void accuracy_time(const caption *c)
{
    accuracy_over(c, over_time, true);
}

static void accuracy_bytes(const caption *c)
{
    accuracy_over(c, over_bytes, false);
}

static void loss_time(const caption *c)
{
    const hsgd_figure_progress *p = c->in->progress;
    say(c, "Loss f(w̄ᵗ)", "Loss $f(\\bar w^t)$");
    fputs(over_time, c->out);
    say_compared(c, hsgd_any_finite(p[1].loss, c->in->num_rows, 1), hsgd_any_finite(p[2].loss, c->in->num_rows, 1));
    say_statistics(c, has_band(c->in, p[0].loss, p[0].loss_half_width));
}

static void gradient_bytes(const caption *c)
{
    const hsgd_figure_input *in = c->in;
    say(c, "Squared gradient norm ‖∇f(w̄ᵗ)‖²", "Squared gradient norm $\\|\\nabla f(\\bar w^t)\\|^2$");
    fputs(" over modelled seconds and over bytes sent", c->out);
    say_compared(c, in->local_inner.grad_norm_sq, in->local_outer.grad_norm_sq);
    say_statistics(c, has_band(in, in->hsgd.grad_norm_sq, in->hsgd.grad_norm_sq_half_width));
}

static void S_over(const caption *c, const char *over)
{
    const hsgd_figure_progress *p = c->in->progress;
    say(c, "Mean S of the squared gradient norm over the first t steps",
        "Mean~$S$ of the squared gradient norm over the first~$t$ steps");
    fputs(over, c->out);
    say_compared(c, hsgd_any_finite(p[1].S, c->in->num_rows, 1), hsgd_any_finite(p[2].S, c->in->num_rows, 1));
    say_statistics(c, has_band(c->in, p[0].S, p[0].S_half_width));
}

static void S_time(const caption *c)
{
    S_over(c, " against the modelled seconds that they took");
}

static void S_bytes(const caption *c)
{
    S_over(c, " against the bytes that they sent at each level");
}

static const struct {
    const char *figure;
    void (*write)(const caption *c);
} kind[] = {{"convergence", convergence},
            {"divergence", divergence},
            {"dispersion", dispersion},
            {"sandwich", sandwich},
            {"terms", terms},
            {"ladder", ladder},
            {"accuracy", accuracy},
            {"loss-time", loss_time},
            {"accuracy-time", accuracy_time},
            {"gradient-bytes", gradient_bytes},
            {"S-time", S_time},
            {"S-bytes", S_bytes},
            {"accuracy-bytes", accuracy_bytes}};

char *hsgd_figure_caption(const hsgd_figure_input *input, const hsgd_figure *figure, hsgd_caption_syntax syntax)
{
    hsgd_text_stream memory;
    caption c = {input, syntax, hsgd_text_open(&memory)};
    if (!c.out)
        return NULL;
    for (size_t i = 0; i < sizeof kind / sizeof *kind; i++)
        if (strcmp(kind[i].figure, figure->name) == 0)
            kind[i].write(&c);
    return hsgd_text_close(&memory, c.out);
}

hsgd_status hsgd_caption_write(char *text, const char *dir, const char *name, hsgd_error *err)
{
    hsgd_output out;
    if (!text)
        return hsgd_fail_memory(err, "a caption");
    hsgd_status status = hsgd_output_open(&out, dir, name, "caption.tex", err);
    if (!status) {
        fprintf(out.stream, "%s%%\n", text); /* no space at the end of \caption{\protect\input{..}} */
        status = hsgd_output_close(&out, err);
    }
    free(text);
    return status;
}

hsgd_status hsgd_figure_write_caption(const hsgd_figure_input *input, const hsgd_figure *figure, const char *dir,
                                      hsgd_error *err)
{
    return hsgd_caption_write(hsgd_figure_caption(input, figure, HSGD_CAPTION_TEX), dir, figure->name, err);
}
