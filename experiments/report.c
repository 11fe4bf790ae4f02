/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/report_private.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/estimate.h"
#include "analysis/text_stream.h"
#include "experiments/report_table_private.h"

/* ---- setting ---- */

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void put_tree(FILE *out, const hsgd_experiment *e)
{
    const hsgd_hierarchy *h = &e->config->hierarchy;
    fprintf(out, "H-SGD on %zu worker%s%s, ", h->num_workers, plural(h->num_workers),
            e->config->weighting == HSGD_WEIGHTS_EQUAL ? "" : " with weights of their own");
    if (!e->config->is_uniform) {
        fprintf(out, "a tree of %zu levels and %zu groups, periods %zu to %zu; ", h->num_levels, h->num_nodes,
                e->local_period, e->global_period);
        return;
    }
    for (size_t k = 0; k < h->num_nodes; k++)
        fprintf(out, "%s%zu", k ? " x " : "fanout ", h->node[k].num_children);
    for (size_t k = 0; k < h->num_nodes; k++)
        fprintf(out, "%s%zu", k ? " / " : ", periods ", h->node[k].period);
    fputs("; ", out);
}

static void put_optimizer(FILE *out, const hsgd_experiment *e)
{
    fprintf(out, "T = %zu, gamma = %.5g", e->config->steps, e->step_size);
    if (e->problem->is_quadratic)
        fprintf(out, ", sigma^2 = %.5g", e->constants.noise_sq.value);
    else if (e->config->batch_size)
        fprintf(out, ", batch size %zu", e->config->batch_size);
    else
        fputs(", full gradients", out);
    if (isfinite(e->delta.value))
        fprintf(out, ", Delta = %.5g (%s); ", e->delta.value, hsgd_constant_kind_name(e->delta.kind));
    else
        fputs(hsgd_experiment_knows_minimum(e) ? ", Delta infinite; " : ", Delta not known; ", out);
}

static void put_variant(FILE *out, const hsgd_experiment *e)
{
    char text[HSGD_VARIANT_TEXT_SIZE];
    hsgd_variant_describe(&e->config->variant, text);
    if (e->variant)
        fprintf(out, "%s; ", text);
}

static void put_runs(FILE *out, const hsgd_experiment *e)
{
    const hsgd_config *c = e->config;
    size_t runs = e->run[HSGD_RUN_MAIN].num_seeds;
    fprintf(out, "%zu run%s", runs, plural(runs));
    if (e->deterministic)
        fputs(", nothing is random", out);
    else if (c->groupings)
        fprintf(out, ", %zu in each of %zu groupings", c->seeds, c->groupings);
    if (c->measure_every > 1)
        fprintf(out, ", measured every %zu steps only", c->measure_every);
    if (e->deterministic)
        fputs(".", out);
    else
        fprintf(out, "; intervals at %g %% confidence, those next to verdicts jointly.", 100 * c->confidence);
}

/* What a function prints. Free it. */
static char *printed(void (*put)(FILE *, const hsgd_experiment *), const hsgd_experiment *e)
{
    hsgd_text_stream memory;
    FILE *out = hsgd_report_whole(hsgd_text_open(&memory));
    put(out, e);
    return hsgd_report_whole(hsgd_text_close(&memory, out));
}

static void put_setting(FILE *out, const hsgd_experiment *e)
{
    put_tree(out, e);
    fprintf(out, "%s problem of dimension %zu, grouping %s; ", e->problem->objective.type->name,
            e->problem->objective.dim, hsgd_grouping_name(e->config->grouping));
    put_optimizer(out, e);
    put_variant(out, e);
    put_runs(out, e);
}

/* One paragraph: what was run. */
static void print_setting(const hsgd_experiment *e, hsgd_report_format format, FILE *out)
{
    char *text = printed(put_setting, e);
    if (format == HSGD_REPORT_MARKDOWN)
        fputs("## ", out);
    if (format == HSGD_REPORT_LATEX)
        fprintf(out, "%% hsgd %s; the tables need \\usepackage{booktabs}\n\\paragraph{", HSGD_VERSION);
    hsgd_report_put_name(format, e->config->name, out);
    fputs(format == HSGD_REPORT_LATEX ? "} " : format == HSGD_REPORT_MARKDOWN ? "\n\n" : ": ", out);
    hsgd_report_put_words(format, text, hsgd_report_width(e->config->name) + 2, 2, out);
    free(text);
}

/* What was read, in the words of hsgd run: one paragraph. Names of files are no mathematics. */
static void print_data(const hsgd_experiment *e, hsgd_report_format format, FILE *out)
{
    static const char *const label[] = {[HSGD_REPORT_TEXT] = "Data: ",
                                        [HSGD_REPORT_MARKDOWN] = "\nData: ",
                                        [HSGD_REPORT_LATEX] = "\n\\noindent Data: "};
    char *text = !e->problem->has_data ? NULL : hsgd_data_describe(&e->problem->read, &e->config->data);
    if (!text)
        return;
    fputs(label[format], out);
    if (format == HSGD_REPORT_TEXT)
        hsgd_report_put_words(format, text, (int)strlen(label[format]), 2, out);
    else {
        hsgd_report_put_name(format, text, out);
        fputc('\n', out);
    }
    free(text);
}

/* ---- what it comes to ---- */

/* How many checks have which verdict, and the names of those that do not hold. */
typedef struct tally {
    size_t count[HSGD_VERDICT_NOT_APPLICABLE + 1];
    FILE *names[HSGD_VERDICT_NOT_APPLICABLE + 1]; /* NULL: names are not wanted */
} tally;

static void count(tally *t, hsgd_verdict verdict, const char *pattern, ...) HSGD_PRINTF(3, 4);

static void count(tally *t, hsgd_verdict verdict, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    if (t->names[verdict]) {
        fputs(t->count[verdict] ? ", " : "", t->names[verdict]);
        vfprintf(t->names[verdict], pattern, arguments);
    }
    va_end(arguments);
    t->count[verdict]++;
}

static void count_all(tally *t, const hsgd_experiment *e)
{
    for (size_t i = 0; i < e->audit.num_items; i++)
        count(t, e->audit.item[i].verdict, "%s (%s)", e->audit.item[i].name, e->audit.item[i].assumption);
    for (size_t i = 0; i < e->num_comparisons; i++)
        count(t, e->comparison[i].verdict, "%s", e->comparison[i].bound->id);
    for (size_t k = 1; k < HSGD_NUM_RUNGS; k++)
        count(t, e->ladder.rung[k].verdict, "step to %s", hsgd_rungs[k].rung);
    for (size_t k = 0; k < e->run[HSGD_RUN_MAIN].summary.num_levels; k++)
        count(t, e->dispersion[k].verdict, "dispersion of level %zu", k + 1);
    count(t, e->gradient_identity, "identity of divergences");
    count(t, e->parameter_identity, "identity of dispersions");
    if (e->has_sandwich)
        count(t, e->sandwich.holds ? HSGD_VERDICT_HOLDS : HSGD_VERDICT_VIOLATED, "sandwich");
    for (size_t i = 0; i < e->grouping.num_points; i++)
        for (size_t k = 0; k + 1 < e->grouping.num_levels; k++)
            count(t, hsgd_verdict_worse(e->grouping.point[i].upward[k], e->grouping.point[i].downward[k]),
                  "groupings at %s, level %zu", e->grouping.point[i].point, k + 1);
}

static void put_verdicts(FILE *out, const hsgd_experiment *e)
{
    static const hsgd_verdict named[] = {HSGD_VERDICT_VIOLATED, HSGD_VERDICT_INCONCLUSIVE};
    hsgd_text_stream memory[2];
    tally t = {{0}, {NULL}};
    for (int i = 0; i < 2; i++)
        t.names[named[i]] = hsgd_report_whole(hsgd_text_open(&memory[i]));
    count_all(&t, e);
    fprintf(out, "All checks together: %s. Of them %zu hold", hsgd_verdict_name(e->worst), t.count[HSGD_VERDICT_HOLDS]);
    for (int i = 0; i < 2; i++) {
        size_t with = t.count[named[i]];
        char *names = hsgd_report_whole(hsgd_text_close(&memory[i], t.names[named[i]]));
        fprintf(out, ", %zu %s %s", with, with == 1 ? "is" : "are", hsgd_verdict_name(named[i]));
        if (with)
            fprintf(out, " (%s)", names);
        free(names);
    }
    size_t without = t.count[HSGD_VERDICT_NOT_APPLICABLE];
    fprintf(out, ", %zu %s not applicable.", without, without == 1 ? "is" : "are");
}

static void put_divergence(FILE *out, const hsgd_experiment *e)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    fprintf(
        out,
        "DIVERGED: %zu of %zu runs, first at step %zu; neither the assumptions nor the proof ladder were looked at.",
        s->num_diverged, s->num_seeds, s->diverged_at);
}

/* Bounds that hold with constants of kind trajectory, and those of them that hold with proved divergences too. */
static size_t count_trajectory(const hsgd_experiment *e, size_t *proved)
{
    size_t met = 0;
    *proved = 0;
    for (size_t i = 0; i < e->num_comparisons; i++) {
        const hsgd_comparison *c = &e->comparison[i];
        if (c->kind != HSGD_TRAJECTORY || c->verdict != HSGD_VERDICT_HOLDS)
            continue;
        met++;
        *proved += c->measured.high_joint <= c->certified_value;
    }
    return met;
}

static void put_trajectory(FILE *out, const hsgd_experiment *e)
{
    size_t proved, met = count_trajectory(e, &proved);
    fputs("Constants of kind trajectory are the largest values at the measured steps: ", out);
    fputs(e->deterministic && e->config->measure_every == 1
              ? "all that the proofs need of this run, which nothing random enters, but no constants of the problem."
              : "verdicts that rest on them are evidence, not proof.",
          out);
    if (met)
        fprintf(out, " Of the %zu bound%s that hold%s with them, %zu hold%s with proved divergences too%s.", met,
                plural(met), met == 1 ? "s" : "", proved, proved == 1 ? "s" : "", proved ? " (column certified)" : "");
}

static bool rests_on_trajectory(const hsgd_experiment *e)
{
    bool any = e->divergence_kind == HSGD_TRAJECTORY || e->constants.minimum.kind == HSGD_TRAJECTORY;
    for (size_t i = 0; i < e->num_comparisons; i++)
        any |= e->comparison[i].kind == HSGD_TRAJECTORY;
    return any;
}

static void put_estimates(FILE *out, const hsgd_experiment *e)
{
    (void)e;
    fprintf(out,
            "Constants of kind estimate are %g times the largest value that a search around the starting point met: a "
            "verdict that rests on them is evidence, never a proof, and nothing is called violated because of them.",
            HSGD_ESTIMATE_FACTOR);
}

static void print_paragraph(void (*put)(FILE *, const hsgd_experiment *), const hsgd_experiment *e,
                            hsgd_report_format format, FILE *out)
{
    char *text = printed(put, e);
    fputc('\n', out);
    hsgd_report_put_words(format, text, 0, 2, out);
    free(text);
}

void hsgd_report_print(const hsgd_experiment *experiment, hsgd_report_format format, FILE *stream)
{
    bool diverged = experiment->run[HSGD_RUN_MAIN].summary.num_diverged > 0;
    print_setting(experiment, format, stream);
    print_data(experiment, format, stream);
    if (diverged)
        print_paragraph(put_divergence, experiment, format, stream);
    hsgd_report_audit(experiment, format, stream);
    hsgd_report_bounds(experiment, format, stream);
    if (!diverged)
        hsgd_report_ladder(experiment, format, stream);
    hsgd_report_others(experiment, format, stream);
    hsgd_report_metrics(experiment, format, stream);
    if (rests_on_trajectory(experiment))
        print_paragraph(put_trajectory, experiment, format, stream);
    if (hsgd_experiment_rests_on_estimates(experiment))
        print_paragraph(put_estimates, experiment, format, stream);
    print_paragraph(put_verdicts, experiment, format, stream);
}
