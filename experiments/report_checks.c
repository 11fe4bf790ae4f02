/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of the report: one per kind of check. */
#include "experiments/report_private.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/text_stream.h"
#include "experiments/report_table_private.h"

static void verdict_cell(hsgd_report_table *table, hsgd_verdict verdict, const char *reason)
{
    hsgd_report_with_reason(table, hsgd_verdict_name(verdict), reason);
}

static void kind_cell(hsgd_report_table *table, hsgd_constant_kind kind)
{
    hsgd_report_text(table, "%s", hsgd_constant_kind_name(kind));
}

static hsgd_constant_kind weaker(hsgd_constant_kind a, hsgd_constant_kind b)
{
    return a > b ? a : b;
}

static hsgd_constant_kind kind_of_rung(const hsgd_experiment *e, size_t rung)
{
    hsgd_constant_kind kind = e->constants.smoothness.kind;
    if (rung >= HSGD_NUM_MEASURED_RUNGS - 1)
        kind = weaker(kind, weaker(e->constants.noise_sq.kind, e->constants.minimum.kind));
    return rung >= HSGD_NUM_MEASURED_RUNGS ? weaker(kind, e->divergence_kind) : kind;
}

hsgd_constant_kind hsgd_report_kind_of_dispersion(const hsgd_experiment *e)
{
    return weaker(weaker(e->constants.smoothness.kind, e->constants.noise_sq.kind), e->divergence_kind);
}

/* ---- assumptions ---- */

/* What "seen" is, in one sentence; the items that share it are named once. */
static void explain_seen(hsgd_report_table *table, const hsgd_audit *audit)
{
    hsgd_text_stream memory;
    FILE *out = hsgd_report_whole(hsgd_text_open(&memory));
    bool was_same = false;
    for (size_t i = 0; i < audit->num_items; i++) {
        const hsgd_audit_item *item = &audit->item[i];
        bool is_next_same = i + 1 < audit->num_items && strcmp(audit->item[i + 1].how, item->how) == 0;
        if (item->relation == HSGD_AUDIT_CONDITION) /* its name says it */
            continue;
        fprintf(out, "%s%s", i == 0 ? "Seen: " : was_same ? ", " : "; ", item->name);
        if (!is_next_same)
            fprintf(out, ": %s", item->how);
        was_same = is_next_same;
    }
    fputc('.', out);
    char *text = hsgd_report_whole(hsgd_text_close(&memory, out));
    hsgd_report_remark(table, text);
    free(text);
}

static void explain_audit(hsgd_report_table *table, const hsgd_audit *audit)
{
    bool tested = false, met = false;
    explain_seen(table, audit);
    for (size_t i = 0; i < audit->num_items; i++) {
        const hsgd_audit_item *item = &audit->item[i];
        tested |= item->relation == HSGD_AUDIT_EQUAL && item->seen.low_joint < item->seen.high_joint;
        met |= item->limit.kind == HSGD_TRAJECTORY && !isnan(item->proved);
    }
    if (tested)
        hsgd_report_remark(table, "Where a mean must be equal, holds says that the joint interval, which is shown, "
                                  "contains the number: not refuted.");
    if (met)
        hsgd_report_remark(table, "A divergence of kind trajectory is what the run met; ratio and verdict compare it "
                                  "with the proved one.");
}

void hsgd_report_audit(const hsgd_experiment *e, hsgd_report_format format, FILE *out)
{
    static const char *const headings[] = {"premise", "quantity", ">must be", "kind",    ">proved",
                                           ">seen",   ">ratio",   "where",    "verdict", NULL};
    hsgd_report_table table;
    hsgd_report_table_init(&table, format, "Assumptions: the constants, and what the run showed of them", headings);
    for (size_t i = 0; i < e->audit.num_items; i++) {
        const hsgd_audit_item *item = &e->audit.item[i];
        hsgd_report_text(&table, "%s", item->assumption);
        hsgd_report_text(&table, "%s", item->name);
        hsgd_report_relation(&table, hsgd_audit_relation_symbol(item->relation), item->limit.value, 5);
        kind_cell(&table, item->limit.kind);
        hsgd_report_number(&table, item->proved, 5);
        hsgd_report_interval(&table, item->seen.estimate.mean, item->seen.low_joint, item->seen.high_joint, 4);
        hsgd_report_number(&table, item->margin, 3);
        hsgd_report_text(&table, "%s", item->where);
        verdict_cell(&table, item->verdict, item->reason);
    }
    if (e->audit.num_items)
        explain_audit(&table, &e->audit);
    hsgd_report_table_print(&table, out);
}

/* ---- bounds ---- */

static void measured_cell(hsgd_report_table *table, const hsgd_comparison *c, const hsgd_experiment *e)
{
    bool of_main = c->bound->algorithm == HSGD_ALGORITHM_HSGD || c->bound->algorithm == HSGD_ALGORITHM_HSGD_RANDOM;
    double mean = c->measured.estimate.count ? c->measured.estimate.mean : NAN;
    if (isinf(mean) || (!isnan(mean) && of_main && e->run[HSGD_RUN_MAIN].summary.num_diverged))
        hsgd_report_text(table, "diverged");
    else if (c->bound->target == HSGD_TARGET_S_MIN) /* its interval is not symmetric, and may reach below 0 */
        hsgd_report_interval(table, mean, fmax(0, c->measured.low_joint), c->measured.high_joint, 4);
    else
        hsgd_report_interval(table, mean, c->measured.low_joint, c->measured.high_joint, 5);
}

void hsgd_report_bounds(const hsgd_experiment *e, hsgd_report_format format, FILE *out)
{
    static const char *const headings[] = {"bound",     "of",     ">gamma/max", ">value",  ">certified",
                                           ">measured", ">ratio", "constants",  "verdict", NULL};
    hsgd_report_table table;
    hsgd_report_table_init(&table, format, "Bounds next to what they bound", headings);
    for (size_t i = 0; i < e->num_comparisons; i++) {
        const hsgd_comparison *c = &e->comparison[i];
        double limit = c->value.max_step_size;
        hsgd_report_text(&table, "%s", c->bound->id);
        hsgd_report_text(&table, "%s", hsgd_target_name(c->bound->target));
        hsgd_report_number(&table, isfinite(limit) && limit > 0 ? e->step_size / limit : NAN, 3);
        hsgd_report_number(&table, c->value.value, 5);
        hsgd_report_number(&table, c->certified_value, 5);
        measured_cell(&table, c, e);
        hsgd_report_number(&table, isfinite(c->ratio) ? c->ratio : NAN, 3);
        kind_cell(&table, c->kind);
        verdict_cell(&table, c->verdict, c->reason);
    }
    if (e->num_comparisons && e->config->measure_every > 1)
        hsgd_report_remark(&table, "Means over steps are over the measured ones only.");
    hsgd_report_table_print(&table, out);
}

/* ---- proof ladder ---- */

/* Shares say something if every known step is one that the theory calls nonnegative. */
static bool has_shares(const hsgd_ladder *ladder)
{
    for (size_t k = 1; k < HSGD_NUM_RUNGS; k++)
        if (isfinite(ladder->rung[k].step.estimate.mean) &&
            (!ladder->rung[k].applies || ladder->rung[k].verdict == HSGD_VERDICT_VIOLATED))
            return false;
    return true;
}

void hsgd_report_ladder(const hsgd_experiment *e, hsgd_report_format format, FILE *out)
{
    static const char *const headings[] = {"rung", "name",      ">value",  ">step", ">share",
                                           "uses", "constants", "verdict", NULL};
    hsgd_report_table table;
    bool shares = has_shares(&e->ladder);
    hsgd_report_table_init(&table, format, "Proof ladder: from the measured S to the published bound", headings);
    for (size_t k = 0; k < HSGD_NUM_RUNGS; k++) {
        const hsgd_rung_result *rung = &e->ladder.rung[k];
        double value = rung->value.estimate.mean, step = rung->step.estimate.mean;
        hsgd_report_text(&table, "%s", hsgd_rungs[k].rung);
        hsgd_report_text(&table, "%s", hsgd_rungs[k].name);
        hsgd_report_interval(&table, isfinite(value) ? value : NAN, rung->value.low, rung->value.high, 4);
        hsgd_report_interval(&table, isfinite(step) ? step : NAN, rung->step.low_joint, rung->step.high_joint, 4);
        if (isfinite(rung->share) && shares)
            hsgd_report_text(&table, "%.1f %%", 100 * rung->share);
        else
            hsgd_report_text(&table, "%s", "");
        hsgd_report_text(&table, "%s", hsgd_rungs[k].uses);
        hsgd_report_text(&table, "%s", k ? hsgd_constant_kind_name(kind_of_rung(e, k)) : "");
        if (k == 0)
            hsgd_report_text(&table, "%s", "");
        else
            verdict_cell(&table, rung->verdict, rung->reason);
    }
    if (!e->deterministic)
        hsgd_report_remark(&table, "The steps to R1, R2 and R3 hold on every path: their verdicts rest on the smallest "
                                   "value of any run, not on the intervals.");
    hsgd_report_table_print(&table, out);
}

/* ---- the rest ---- */

static void add_row(hsgd_report_table *table, const char *check, const char *result, const char *kind,
                    hsgd_verdict verdict, const char *reason)
{
    hsgd_report_text(table, "%s", check);
    hsgd_report_text(table, "%s", result);
    hsgd_report_text(table, "%s", kind);
    verdict_cell(table, verdict, reason);
}

static void add_dispersion_rows(hsgd_report_table *table, const hsgd_experiment *e)
{
    for (size_t k = 0; k < e->run[HSGD_RUN_MAIN].summary.num_levels; k++) {
        const hsgd_dispersion_check *check = &e->dispersion[k];
        char name[64], result[96];
        snprintf(name, sizeof name, "dispersion of level %zu, every step", k + 1);
        if (check->max_ratio > 0)
            snprintf(result, sizeof result, "at most %.3g of its recursive bound (t = %zu)", check->max_ratio,
                     check->max_ratio_step);
        else
            snprintf(result, sizeof result, "none at the measured steps");
        add_row(table, name, result, hsgd_constant_kind_name(hsgd_report_kind_of_dispersion(e)), check->verdict,
                check->reason);
    }
}

static void add_sandwich_row(hsgd_report_table *table, const hsgd_experiment *e)
{
    char result[512];
    const hsgd_sandwich *s = &e->sandwich;
    if (!e->has_sandwich) {
        add_row(table, "sandwich", "", "", HSGD_VERDICT_NOT_APPLICABLE, "the workers' weights are not equal");
        return;
    }
    snprintf(result, sizeof result, "noise %s <= %s <= %s, divergence %s <= %s <= %s", s->noise.text[0],
             s->noise.text[1], s->noise.text[2], s->divergence.text[0], s->divergence.text[1], s->divergence.text[2]);
    add_row(table, "sandwich, in rationals", result, "", s->holds ? HSGD_VERDICT_HOLDS : HSGD_VERDICT_VIOLATED, "");
}

/* "0.1672 +- 0.0009 (closed form 0.1667)" */
static void put_moment(FILE *out, double mean, double half_width, double theory)
{
    hsgd_report_put_estimate(HSGD_REPORT_TEXT, mean, half_width, 4, out);
    fprintf(out, " (theory %.4g)", theory);
}

static void add_lemma_row(hsgd_report_table *table, const hsgd_grouping_point *point, size_t level)
{
    const hsgd_grouping_moments *m = &point->moments;
    double half = m->exact ? 0 : point->half_width[level]; /* of all groupings nothing but rounding is left */
    char name[96], result[256] = "";
    FILE *memory = hsgd_report_whole(fmemopen(result, sizeof result, "w"));
    fprintf(memory, "%s%zu: up ", m->exact ? "all " : "drawn ", m->num_visited);
    put_moment(memory, m->upward[level].mean, half, m->upward_theory[level]);
    fputs(", down ", memory);
    put_moment(memory, m->downward[level].mean, half, m->downward_theory[level]);
    fclose(memory);
    snprintf(name, sizeof name, "mean over groupings at %s, level %zu", point->point, level + 1);
    add_row(table, name, result, "", hsgd_verdict_worse(point->upward[level], point->downward[level]), "");
}

static void add_observation(hsgd_report_table *table, const char *check, const char *result)
{
    hsgd_report_text(table, "%s", check);
    hsgd_report_text(table, "%s", result);
    hsgd_report_text(table, "%s", "");
    hsgd_report_text(table, "%s", "observation");
}

static void add_ratio_row(hsgd_report_table *table, const hsgd_grouping_ratio *ratio, size_t level)
{
    char name[96], result[256] = "";
    double mean = ratio->mean.estimate.mean;
    if (isfinite(mean)) {
        FILE *memory = hsgd_report_whole(fmemopen(result, sizeof result, "w"));
        hsgd_report_put_estimate(HSGD_REPORT_TEXT, mean, (ratio->mean.high - ratio->mean.low) / 2, 4, memory);
        fprintf(memory, " of the closed form, farthest from 1: %.4g (t = %zu)", ratio->largest, ratio->largest_step);
        fclose(memory);
    }
    snprintf(name, sizeof name, "upward divergence on the runs, level %zu", level + 1);
    add_observation(table, name, *result ? result : "all divergences vanish");
}

static void add_grouping_rows(hsgd_report_table *table, const hsgd_experiment *e)
{
    const hsgd_grouping_check *check = &e->grouping;
    char result[128];
    if (!check->num_points)
        add_row(table, "random grouping at a fixed w", "", "", HSGD_VERDICT_NOT_APPLICABLE, check->reason);
    else if (check->num_levels < 2)
        add_row(table, "random grouping at a fixed w", "", "", HSGD_VERDICT_NOT_APPLICABLE,
                "with one level all groupings are the same");
    for (size_t i = 0; i < check->num_points; i++)
        for (size_t k = 0; k + 1 < check->num_levels; k++)
            add_lemma_row(table, &check->point[i], k);
    for (size_t k = 0; check->ratio && k + 1 < check->num_levels; k++)
        add_ratio_row(table, &check->ratio[k], k);
    if (check->ratio && !isnan(check->variance_between)) {
        snprintf(result, sizeof result, "%.3g between groupings, %.3g within", check->variance_between,
                 check->variance_within);
        add_observation(table, "variance of S over runs", result);
    }
}

void hsgd_report_others(const hsgd_experiment *e, hsgd_report_format format, FILE *out)
{
    static const char *const headings[] = {"check", "+result", "constants", "verdict", NULL};
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    hsgd_report_table table;
    char error[64];
    hsgd_report_table_init(&table, format, "Dispersion, identities, sandwich, grouping", headings);
    add_dispersion_rows(&table, e);
    snprintf(error, sizeof error, "relative error %.2g", s->gradient_identity_error);
    add_row(&table, "upward + downward = global divergence", error, "", e->gradient_identity, "");
    snprintf(error, sizeof error, "relative error %.2g", s->parameter_identity_error);
    add_row(&table, "levels add up to the total dispersion", error, "", e->parameter_identity, "");
    add_sandwich_row(&table, e);
    add_grouping_rows(&table, e);
    hsgd_report_table_print(&table, out);
}
