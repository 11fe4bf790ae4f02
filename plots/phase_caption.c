/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The caption of the figure "phase". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plots/caption_private.h"
#include "analysis/text_stream.h"
#include "plots/phase.h"

enum { TEXT_MAX_WIDTH = 90 };

typedef struct caption {
    const hsgd_phase_figure_input *in;
    hsgd_caption_syntax syntax;
    FILE *out;
} caption;

static const char *pick(const caption *c, const char *plain, const char *tex)
{
    return hsgd_caption_pick(c->syntax, plain, tex);
}

static void say_text(const caption *c, const char *text)
{
    hsgd_caption_say_text(c->out, c->syntax, text, TEXT_MAX_WIDTH);
}

static void say_number(const caption *c, double value)
{
    hsgd_number number;
    fputs(hsgd_caption_number(&number, c->syntax, value), c->out);
}

static void say_range(const caption *c, const char *plain, const char *tex, hsgd_phase_range x)
{
    fputs(pick(c, plain, tex), c->out);
    say_number(c, x.low);
    if (x.low < x.high) {
        fputs(" to ", c->out);
        say_number(c, x.high);
    }
}

static void say_subject(const caption *c)
{
    static const char *const between[] = {" over ", " and ", ", for each "};
    const char *quantity = c->in->quantity;
    fputs("Where the ", c->out);
    if (strcmp(quantity, "dispersion") == 0)
        fputs("mean dispersion of the models", c->out);
    else if (strcmp(quantity, "loss") == 0)
        fputs("mean loss", c->out);
    else
        fprintf(c->out, "%smean squared gradient norm %s", hsgd_phase_figure_is_worst_case(c->in) ? "worst-case " : "",
                pick(c, "S", "$S$"));
    fprintf(c->out, " of H-SGD itself lies between that of local SGD with period %s (inner) and with period %s (outer)",
            pick(c, "I", "$I$"), pick(c, "G", "$G$"));
    for (size_t a = 0; a < c->in->num_axes; a++) {
        fputs(between[a], c->out);
        say_text(c, c->in->axis[a].name);
    }
}

/* What a reader could not guess from the legend. */
static void say_verdicts(const caption *c)
{
    bool reversed = false, equal = false;
    for (size_t i = 0; i < c->in->num_points; i++) {
        reversed = reversed || c->in->point[i].verdict == HSGD_CELL_REVERSED;
        equal = equal || c->in->point[i].verdict == HSGD_CELL_EQUAL;
    }
    if (reversed)
        fputs(pick(c, "; reversed: outer < H-SGD < inner", "; reversed: outer $<$ H-SGD $<$ inner"), c->out);
    if (equal)
        fputs("; hatched: all three agree", c->out);
}

static void say_problems(const caption *c)
{
    bool levels = strcmp(c->in->quantity, "worst-case-levels") == 0;
    fputs(". Largest over all smooth problems with these constants, by performance estimation; ", c->out);
    if (levels)
        fputs("all three over the same problems, with the divergence of every level bounded.", c->out);
    else
        fputs("local SGD has one level with the sum of the divergences.", c->out);
}

static void say_method(const caption *c)
{
    if (c->in->values.high > 0) {
        say_range(c, ". Paired runs, ", ". Paired runs, ", c->in->values);
        fprintf(c->out,
                pick(c, " values a point; all verdicts hold together at %.4g %%.",
                     " values a point; all verdicts hold together at %.4g\\,\\%%."),
                100 * c->in->confidence);
    } else if (hsgd_phase_figure_is_worst_case(c->in))
        say_problems(c);
    else
        fputs(". Exact moments, nothing is sampled.", c->out);
}

char *hsgd_phase_figure_caption(const hsgd_phase_figure_input *input, hsgd_caption_syntax syntax)
{
    hsgd_text_stream memory;
    const caption c = {input, syntax, hsgd_text_open(&memory)};
    if (!c.out)
        return NULL;
    say_subject(&c);
    say_verdicts(&c);
    say_range(&c, ". n = ", ". $n$~=~", input->workers);
    say_range(&c, ", T = ", ", $T$~=~", input->steps);
    say_range(&c, ", γ = ", ", $\\gamma$~=~", input->step_size);
    say_method(&c);
    return hsgd_text_close(&memory, c.out);
}
