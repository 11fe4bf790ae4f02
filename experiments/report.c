/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/report.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "experiments/report_table_private.h"

/* ---- setting ---- */

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void put_tree(char *out, size_t size, const hsgd_experiment *e)
{
    const hsgd_hierarchy *h = &e->config->hierarchy;
    size_t used = 0;
    if (!e->config->is_uniform) {
        snprintf(out, size, "a tree of %zu levels and %zu groups, periods %zu to %zu", h->num_levels, h->num_nodes,
                 e->local_period, e->global_period);
        return;
    }
    for (size_t k = 0; k < h->num_nodes && used < size; k++)
        used += (size_t)snprintf(out + used, size - used, "%s%zu", k ? " x " : "fanout ", h->node[k].num_children);
    for (size_t k = 0; k < h->num_nodes && used < size; k++)
        used += (size_t)snprintf(out + used, size - used, "%s%zu", k ? " / " : ", periods ", h->node[k].period);
}

/* One paragraph: what was run. */
static void print_setting(const hsgd_experiment *e, hsgd_report_format format, FILE *out)
{
    char tree[256], text[1024];
    const hsgd_run *run = &e->run[HSGD_RUN_MAIN];
    put_tree(tree, sizeof tree, e);
    if (format == HSGD_REPORT_MARKDOWN)
        fputs("## ", out);
    if (format == HSGD_REPORT_LATEX)
        fprintf(out, "%% hsgd %s; the tables need \\usepackage{booktabs}\n\\paragraph{", HSGD_VERSION);
    hsgd_report_put(format, e->config->name, out);
    fputs(format == HSGD_REPORT_LATEX ? "} " : format == HSGD_REPORT_MARKDOWN ? "\n\n" : ": ", out);
    snprintf(
        text, sizeof text,
        "H-SGD on %zu worker%s, %s; %s problem of dimension %zu, grouping %s; T = %zu, gamma = %.6g, batch size %zu; "
        "%zu run%s%s; intervals and verdicts at %g %% confidence.",
        e->config->hierarchy.num_workers, plural(e->config->hierarchy.num_workers), tree,
        e->problem->objective.type->name, e->problem->objective.dim, hsgd_grouping_name(e->config->grouping),
        e->config->steps, e->step_size, e->config->batch_size, run->num_seeds, plural(run->num_seeds),
        e->deterministic ? " (nothing is random)" : "", 100 * e->config->confidence);
    hsgd_report_put(format, text, out);
    fputc('\n', out);
}

/* ---- tables ---- */

static void verdict_cell(hsgd_report_table *table, hsgd_verdict verdict, const char *reason)
{
    hsgd_report_with_reason(table, hsgd_verdict_name(verdict), reason);
}

static void print_audit(const hsgd_experiment *e, hsgd_report_format format, FILE *out)
{
    static const char *const headings[] = {"assumption", "constant", ">limit", "kind",    ">proved",
                                           ">seen",      ">ratio",   "where",  "verdict", NULL};
    hsgd_report_table table;
    hsgd_report_table_init(&table, format, "Assumptions: the constants, and what the run showed of them", headings);
    for (size_t i = 0; i < e->audit.num_items; i++) {
        const hsgd_audit_item *item = &e->audit.item[i];
        hsgd_report_text(&table, "%s", item->assumption);
        hsgd_report_text(&table, "%s", item->name);
        hsgd_report_number(&table, item->limit.value, 5);
        hsgd_report_text(&table, "%s", hsgd_constant_kind_name(item->limit.kind));
        hsgd_report_number(&table, item->proved, 5);
        hsgd_report_interval(&table, item->seen.estimate.mean, item->seen.low_joint, item->seen.high_joint, 3);
        hsgd_report_number(&table, item->margin, 3);
        hsgd_report_text(&table, "%s", item->where);
        verdict_cell(&table, item->verdict, item->reason);
    }
    hsgd_report_table_print(&table, out);
}

static void print_bounds(const hsgd_experiment *e, hsgd_report_format format, FILE *out)
{
    static const char *const headings[] = {"bound",     "of",           ">gamma/max", ">value",  ">certified",
                                           ">measured", ">meas./bound", "constants",  "verdict", NULL};
    hsgd_report_table table;
    if (!e->num_comparisons)
        return;
    hsgd_report_table_init(&table, format, "Bounds next to what they bound", headings);
    for (size_t i = 0; i < e->num_comparisons; i++) {
        const hsgd_comparison *c = &e->comparison[i];
        double limit = c->value.max_step_size;
        hsgd_report_text(&table, "%s", c->bound->id);
        hsgd_report_text(&table, "%s", hsgd_target_name(c->bound->target));
        hsgd_report_number(&table, isfinite(limit) ? e->step_size / limit : NAN, 3);
        hsgd_report_number(&table, c->value.value, 5);
        hsgd_report_number(&table, c->certified_value, 5);
        hsgd_report_number(&table, c->measured.estimate.count ? c->measured.estimate.mean : NAN, 5);
        hsgd_report_number(&table, c->ratio, 4);
        hsgd_report_text(&table, "%s", hsgd_constant_kind_name(c->kind));
        verdict_cell(&table, c->verdict, c->reason);
    }
    hsgd_report_table_print(&table, out);
}

static void print_ladder(const hsgd_experiment *e, hsgd_report_format format, FILE *out)
{
    static const char *const headings[] = {"rung", "name", ">value", ">step", ">share", "uses", "verdict", NULL};
    hsgd_report_table table;
    hsgd_report_table_init(&table, format, "Proof ladder: from the measured S to the published bound", headings);
    for (size_t k = 0; k < HSGD_NUM_RUNGS; k++) {
        const hsgd_rung_result *rung = &e->ladder.rung[k];
        hsgd_report_text(&table, "%s", hsgd_rungs[k].rung);
        hsgd_report_text(&table, "%s", hsgd_rungs[k].name);
        hsgd_report_interval(&table, rung->value.estimate.mean, rung->value.low, rung->value.high, 4);
        hsgd_report_interval(&table, rung->step.estimate.mean, rung->step.low_joint, rung->step.high_joint, 4);
        if (isnan(rung->share))
            hsgd_report_text(&table, "%s", "");
        else
            hsgd_report_text(&table, "%.1f %%", 100 * rung->share);
        hsgd_report_text(&table, "%s", hsgd_rungs[k].uses);
        if (k == 0)
            hsgd_report_text(&table, "%s", "");
        else
            verdict_cell(&table, rung->verdict, rung->reason);
    }
    hsgd_report_table_print(&table, out);
}

static void add_grouping_rows(hsgd_report_table *table, const hsgd_experiment *e)
{
    const hsgd_grouping_check *check = &e->grouping;
    for (size_t i = 0; i < check->num_points; i++)
        for (size_t k = 0; k + 1 < check->num_levels; k++) {
            const hsgd_grouping_point *point = &check->point[i];
            const hsgd_grouping_moments *m = &point->moments;
            hsgd_report_text(table, "random grouping at %s, level %zu", point->point, k + 1);
            hsgd_report_text(table, "up %.5g for %.5g, down %.5g for %.5g (%s, %zu groupings)", m->upward[k].mean,
                             m->upward_theory[k], m->downward[k].mean, m->downward_theory[k],
                             m->exact ? "all" : "drawn", m->num_visited);
            verdict_cell(table, hsgd_verdict_worse(point->upward[k], point->downward[k]), "");
        }
    for (size_t k = 0; check->ratio && k + 1 < check->num_levels; k++) {
        const hsgd_grouping_ratio *ratio = &check->ratio[k];
        hsgd_report_text(table, "random grouping on the way, level %zu", k + 1);
        hsgd_report_text(table, "upward / closed form %.4g [%.4g, %.4g], farthest %.4g (step %zu)",
                         ratio->mean.estimate.mean, ratio->mean.low, ratio->mean.high, ratio->largest,
                         ratio->largest_step);
        hsgd_report_text(table, "%s", "observation");
    }
    if (!isnan(check->variance_between)) {
        hsgd_report_text(table, "variance of S");
        hsgd_report_text(table, "%.3g between groupings, %.3g within", check->variance_between, check->variance_within);
        hsgd_report_text(table, "%s", "observation");
    }
}

static void print_others(const hsgd_experiment *e, hsgd_report_format format, FILE *out)
{
    static const char *const headings[] = {"check", "result", "verdict", NULL};
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    hsgd_report_table table;
    hsgd_report_table_init(&table, format, "Dispersion, identities, sandwich, grouping", headings);
    for (size_t k = 0; k < s->num_levels; k++) {
        hsgd_report_text(&table, "dispersion of level %zu <= 4.4", k + 1);
        hsgd_report_text(&table, "at most %.3g of it (step %zu)", e->dispersion[k].max_ratio,
                         e->dispersion[k].max_ratio_step);
        verdict_cell(&table, e->dispersion[k].verdict, e->dispersion[k].reason);
    }
    hsgd_report_text(&table, "upward + downward = global divergence");
    hsgd_report_text(&table, "relative error %.2g", s->gradient_identity_error);
    verdict_cell(&table, e->gradient_identity, "");
    hsgd_report_text(&table, "levels add up to the total dispersion");
    hsgd_report_text(&table, "relative error %.2g", s->parameter_identity_error);
    verdict_cell(&table, e->parameter_identity, "");
    if (e->has_sandwich) {
        hsgd_report_text(&table, "sandwich, exact rationals");
        hsgd_report_text(&table, "%s <= %s <= %s, squared %s <= %s <= %s", e->sandwich.noise.text[0],
                         e->sandwich.noise.text[1], e->sandwich.noise.text[2], e->sandwich.divergence.text[0],
                         e->sandwich.divergence.text[1], e->sandwich.divergence.text[2]);
        verdict_cell(&table, e->sandwich.holds ? HSGD_VERDICT_HOLDS : HSGD_VERDICT_VIOLATED, "");
    }
    add_grouping_rows(&table, e);
    hsgd_report_table_print(&table, out);
}

/* ---- what it comes to ---- */

static void put_note(hsgd_report_format format, FILE *out, const char *pattern, ...) HSGD_PRINTF(3, 4);

static void put_note(hsgd_report_format format, FILE *out, const char *pattern, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, pattern);
    vsnprintf(text, sizeof text, pattern, arguments);
    va_end(arguments);
    fputc('\n', out);
    hsgd_report_put(format, text, out);
    fputc('\n', out);
}

static void print_conclusion(const hsgd_experiment *e, hsgd_report_format format, FILE *out)
{
    if (e->run[HSGD_RUN_MAIN].summary.num_diverged)
        put_note(format, out, "DIVERGED: %zu of %zu runs, first at step %zu; the assumptions were not audited.",
                 e->run[HSGD_RUN_MAIN].summary.num_diverged, e->run[HSGD_RUN_MAIN].num_seeds,
                 e->run[HSGD_RUN_MAIN].summary.diverged_at);
    if (e->divergence_kind == HSGD_TRAJECTORY)
        put_note(
            format, out,
            "Verdicts with constants of kind trajectory rest on the largest divergences at the measured steps, which "
            "prove nothing about other points. The column certified has the bound with proved divergences.");
    put_note(format, out, "All checks together: %s.", hsgd_verdict_name(e->worst));
}

void hsgd_report_print(const hsgd_experiment *experiment, hsgd_report_format format, FILE *stream)
{
    print_setting(experiment, format, stream);
    print_audit(experiment, format, stream);
    print_bounds(experiment, format, stream);
    print_ladder(experiment, format, stream);
    print_others(experiment, format, stream);
    print_conclusion(experiment, format, stream);
}
