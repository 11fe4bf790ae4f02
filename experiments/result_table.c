/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table that `hsgd run` prints. */
#include "experiments/result.h"

#include <math.h>
#include <stdlib.h>

#include "experiments/result_metrics_private.h"

#include "experiments/report_private.h"
#include "experiments/result_worst_case_private.h"

/* The name may hold anything; on a terminal control characters could do harm. */
static void print_name(const char *name, FILE *out)
{
    for (; *name; name++)
        fputc((unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name, out);
}

static void print_setting(const hsgd_experiment *e, FILE *out)
{
    const hsgd_hierarchy *h = &e->config->hierarchy;
    print_name(e->config->name, out);
    fprintf(out, ": H-SGD on %zu worker%s", h->num_workers, h->num_workers == 1 ? "" : "s");
    if (e->config->is_uniform) {
        for (size_t k = 0; k < h->num_nodes; k++)
            fprintf(out, "%s%zu", k ? " x " : ", fanout ", h->node[k].num_children);
        for (size_t k = 0; k < h->num_nodes; k++)
            fprintf(out, "%s%zu", k ? " / " : ", periods ", h->node[k].period);
    } else
        fprintf(out, ", a tree of %zu levels and %zu groups, periods %zu to %zu", h->num_levels, h->num_nodes,
                e->local_period, e->global_period);
    fprintf(out, "\n  problem     %s, dimension %zu, grouping %s\n", e->problem->objective.type->name,
            e->problem->objective.dim, hsgd_grouping_name(e->config->grouping));
    char *data = !e->problem->has_data ? NULL : hsgd_data_describe(&e->problem->read, &e->config->data);
    if (data)
        fprintf(out, "  data        %s\n", data);
    free(data);
    fprintf(out, "  run         T = %zu, gamma = %.6g, batch size %zu, %zu seed%s%s\n", e->config->steps, e->step_size,
            e->config->batch_size, e->run[HSGD_RUN_MAIN].num_seeds, e->run[HSGD_RUN_MAIN].num_seeds == 1 ? "" : "s",
            e->deterministic ? " (nothing is random)" : "");
}

static void print_constant(FILE *out, const char *name, double value, hsgd_constant_kind kind)
{
    fprintf(out, "%s = %.6g (%s)", name, value, hsgd_constant_kind_name(kind));
}

static void print_constants(const hsgd_experiment *e, FILE *out)
{
    fputs("  constants   ", out);
    print_constant(out, "L", e->constants.smoothness.value, e->constants.smoothness.kind);
    print_constant(out, ", sigma^2", e->constants.noise_sq.value, e->constants.noise_sq.kind);
    if (hsgd_experiment_knows_minimum(e)) {
        print_constant(out, ", f*", e->constants.minimum.value, e->constants.minimum.kind);
        print_constant(out, ", Delta", e->delta.value, e->delta.kind);
    } else
        fputs(", f* and Delta not known", out);
    fputs("\n  divergence  ", out);
    for (size_t k = 0; k < e->problem->hierarchy.num_levels; k++)
        fprintf(out, "D_%zu = %.6g, ", k + 1, e->level_divergence_sq[k]);
    print_constant(out, "global", e->global_divergence_sq.value, e->global_divergence_sq.kind);
    fputc('\n', out);
}

static void print_interval(FILE *out, const char *name, const hsgd_interval *interval)
{
    if (interval->estimate.count == 0)
        return;
    fprintf(out, "%s = %.5g", name, interval->estimate.mean);
    if (interval->low < interval->high)
        fprintf(out, " [%.5g, %.5g]", interval->low, interval->high);
}

static void print_measured(const hsgd_experiment *e, FILE *out)
{
    const hsgd_run *run = &e->run[HSGD_RUN_MAIN];
    fputs("  measured    ", out);
    print_interval(out, "S", &run->S);
    print_interval(out, ", S_round", &run->S_round);
    print_interval(out, ", S_min", &run->S_min);
    if (run->S.low < run->S.high)
        fprintf(out, "  (%g %% Student-t intervals)", 100 * e->config->confidence);
    fputc('\n', out);
    if (e->config->measure_every > 1)
        fprintf(out, "              measured at every %zuth step: means over steps are over these\n",
                e->config->measure_every);
    if (run->summary.num_diverged)
        fprintf(out, "              DIVERGED: %zu of %zu seeds, first at step %zu\n", run->summary.num_diverged,
                run->num_seeds, run->summary.diverged_at);
    if (run->summary.diverged_at == 0)
        fputs("              f or a squared gradient is no finite number at w^0, which no step size can change\n", out);
}

static void print_number(FILE *out, double value)
{
    if (isfinite(value))
        fprintf(out, " %12.5g", value);
    else
        fprintf(out, " %12s", isnan(value) ? "-" : "inf");
}

/* A verdict that rests on what the run happened to meet, or on a guess, says so. */
static const char *basis(hsgd_constant_kind kind, hsgd_verdict verdict)
{
    if (verdict == HSGD_VERDICT_NOT_APPLICABLE)
        return "";
    return kind == HSGD_TRAJECTORY ? " (trajectory)" : kind == HSGD_ESTIMATE ? " (estimated)" : "";
}

/* Where divergences are exact, the largest single deviations may still be what the run met. */
static bool rests_on_the_run(const hsgd_experiment *e)
{
    bool any = e->divergence_kind == HSGD_TRAJECTORY;
    for (size_t i = 0; e->expected_divergence && i < e->num_comparisons; i++)
        any = any || e->comparison[i].kind == HSGD_TRAJECTORY;
    return any;
}

static void print_bounds(const hsgd_experiment *e, FILE *out)
{
    if (!e->num_comparisons)
        return;
    fprintf(out, "\n  %-24s %-8s %12s %12s %12s  %s\n", "bound", "of", "value", "measured", "measured/bnd", "verdict");
    for (size_t i = 0; i < e->num_comparisons; i++) {
        const hsgd_comparison *c = &e->comparison[i];
        fprintf(out, "  %-24s %-8s", c->bound->id, hsgd_target_name(c->bound->target));
        print_number(out, c->value.value);
        print_number(out, c->measured.estimate.count ? c->measured.estimate.mean : NAN);
        print_number(out, c->ratio);
        fprintf(out, "  %s%s%s%s\n", hsgd_verdict_name(c->verdict), basis(c->kind, c->verdict), *c->reason ? ": " : "",
                c->reason);
    }
    if (!e->deterministic)
        fprintf(out, "  verdicts on bounds hold together at %g %% confidence (Student t, Bonferroni)\n",
                100 * e->config->confidence);
    if (rests_on_the_run(e))
        fprintf(out,
                "  (trajectory): with the largest divergences at the measured steps, which prove nothing elsewhere\n");
    if (hsgd_experiment_rests_on_estimates(e))
        fprintf(out, "  (estimated): also with %s; evidence, never a proof\n",
                e->problem->plugin.handle ? "constants that are estimates"
                                          : "L or sigma^2 from a search around the start");
}

static void print_variant(const hsgd_experiment *e, FILE *out)
{
    char text[HSGD_VARIANT_TEXT_SIZE];
    hsgd_variant_describe(&e->config->variant, text);
    if (e->variant)
        fprintf(out, "  variant     %s; the theory is about plain H-SGD\n", text);
}

/* A level that never spreads and need not is not worth a line. */
static void print_dispersion(const hsgd_dispersion_check *check, hsgd_constant_kind kind, size_t level, FILE *out)
{
    if (check->max_ratio == 0 && check->verdict == HSGD_VERDICT_HOLDS)
        return;
    fprintf(out, "  dispersion of level %zu against its recursive bound: at most %.3g of it (step %zu): %s%s%s%s\n",
            level, check->max_ratio, check->max_ratio_step, hsgd_verdict_name(check->verdict),
            basis(kind, check->verdict), *check->reason ? ": " : "", check->reason);
}

/* The steps of the ladder in one line if all is well, else one line for each that is not. */
static void print_ladder(const hsgd_experiment *e, FILE *out)
{
    const hsgd_rung_result *rung = e->ladder.rung;
    size_t largest = 0, holding = 0;
    for (size_t k = 1; k < HSGD_NUM_RUNGS; k++) {
        holding += rung[k].verdict == HSGD_VERDICT_HOLDS;
        if (rung[k].share > (largest ? rung[largest].share : 0))
            largest = k;
        if (rung[k].verdict != HSGD_VERDICT_HOLDS)
            fprintf(out, "  proof ladder, step to %s (%s): %s: %s\n", hsgd_rungs[k].rung, hsgd_rungs[k].name,
                    hsgd_verdict_name(rung[k].verdict), rung[k].reason);
    }
    fprintf(out, "  proof ladder: %zu of %d steps hold", holding, HSGD_NUM_RUNGS - 1);
    if (largest)
        fprintf(out, "; %.0f %% of the slack is in the step to %s (%s)", 100 * rung[largest].share,
                hsgd_rungs[largest].rung, hsgd_rungs[largest].name);
    fputc('\n', out);
}

/* The same for the assumptions. */
static void print_audit(const hsgd_experiment *e, FILE *out)
{
    size_t holding = 0, unchecked = 0, items = e->audit.num_items;
    for (size_t i = 0; i < items; i++) {
        const hsgd_audit_item *item = &e->audit.item[i];
        holding += item->verdict == HSGD_VERDICT_HOLDS;
        unchecked += item->verdict == HSGD_VERDICT_NOT_APPLICABLE;
        if (item->verdict == HSGD_VERDICT_VIOLATED || item->verdict == HSGD_VERDICT_INCONCLUSIVE)
            fprintf(out, "  assumption %s, %s: %s: %s\n", item->assumption, item->name,
                    hsgd_verdict_name(item->verdict), item->reason);
    }
    if (items)
        fprintf(out, "  assumptions: %zu of %zu checks hold", holding, items - unchecked);
    if (items && unchecked)
        fprintf(out, ", %zu constants have nothing to be checked against", unchecked);
    fputs(items ? " (hsgd verify shows them)\n" : "", out);
}

static void print_checks(const hsgd_experiment *e, FILE *out)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    fputc('\n', out);
    hsgd_result_print_worst_case(e, out);
    if (e->variant)
        fprintf(out, "  proof ladder, dispersions: %s: %s\n", hsgd_verdict_name(HSGD_VERDICT_NOT_APPLICABLE),
                e->dispersion[0].reason);
    else
        print_ladder(e, out);
    print_audit(e, out);
    for (size_t k = 0; k < s->num_levels && !e->variant; k++)
        print_dispersion(&e->dispersion[k], hsgd_report_kind_of_dispersion(e), k + 1, out);
    fprintf(out, "  identity: upward + downward = global divergence, relative error %.2g: %s\n",
            s->gradient_identity_error, hsgd_verdict_name(e->gradient_identity));
    fprintf(out, "  identity: levels add up to the total dispersion, relative error %.2g: %s\n",
            s->parameter_identity_error, hsgd_verdict_name(e->parameter_identity));
    if (e->has_sandwich)
        fprintf(out, "  sandwich: noise %s <= %s <= %s, divergence %s <= %s <= %s: %s (exact)\n",
                e->sandwich.noise.text[0], e->sandwich.noise.text[1], e->sandwich.noise.text[2],
                e->sandwich.divergence.text[0], e->sandwich.divergence.text[1], e->sandwich.divergence.text[2],
                e->sandwich.holds ? "holds" : "violated");
}

void hsgd_result_print(const hsgd_experiment *experiment, FILE *stream)
{
    print_setting(experiment, stream);
    print_variant(experiment, stream);
    print_constants(experiment, stream);
    print_measured(experiment, stream);
    hsgd_result_print_metrics(experiment, stream);
    print_bounds(experiment, stream);
    hsgd_result_print_targets(experiment, stream);
    print_checks(experiment, stream);
}
