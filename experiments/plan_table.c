/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `hsgd plan` prints. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiments/plan_private.h"

/* A front may be long; all of it is in the files. */
enum { MAX_FRONT_ROWS = 8 };

static void print_list(char *text, size_t size, const size_t *value, size_t count, const char *between)
{
    size_t length = 0;
    *text = '\0';
    for (size_t i = 0; i < count && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%zu", i ? between : "", value[i]);
}

void hsgd_plan_print_fanout(char *text, size_t size, const hsgd_plan_setting *setting, const hsgd_plan_tree *tree)
{
    const hsgd_plan_fanout *fanout = &setting->fanout[tree->fanout];
    print_list(text, size, fanout->fanout, fanout->num_levels, " x ");
}

void hsgd_plan_print_periods(char *text, size_t size, const hsgd_plan_setting *setting, const hsgd_plan_tree *tree)
{
    print_list(text, size, tree->period, setting->fanout[tree->fanout].num_levels, " / ");
}

static void print_number(FILE *out, int width, double value)
{
    if (isfinite(value))
        fprintf(out, " %*.4g", width, value);
    else
        fprintf(out, " %*s", width, "-");
}

/* ---- columns ---- */

/* As wide as what is in them. */
typedef struct widths {
    int fanout, periods, tree; /* tree: both, with a comma between */
} widths;

static void widen(int *width, size_t length)
{
    if ((int)length > *width)
        *width = (int)length;
}

static void widen_for(widths *w, const hsgd_plan_setting *setting, const hsgd_plan *plan)
{
    char fanout[128], periods[128];
    if (!plan->found)
        return;
    hsgd_plan_print_fanout(fanout, sizeof fanout, setting, &plan->tree);
    hsgd_plan_print_periods(periods, sizeof periods, setting, &plan->tree);
    widen(&w->fanout, strlen(fanout));
    widen(&w->periods, strlen(periods));
}

static void widen_for_tree(widths *w, const hsgd_plan_setting *setting, const hsgd_plan *plan)
{
    widths own = {0, 0, 0};
    widen_for(&own, setting, plan);
    widen(&w->tree, (size_t)own.fanout + (size_t)own.periods + 2);
}

static widths widths_of(const hsgd_plan_analysis *a)
{
    widths out = {(int)strlen("fanout"), (int)strlen("periods"), (int)strlen("best there")};
    for (size_t i = 0; i < a->setting->num_budgets; i++) {
        const hsgd_plan_result *result = a->answer[i].result;
        for (int f = 0; f < HSGD_NUM_PLAN_FAMILIES; f++)
            widen_for(&out, a->setting, &result[f].best);
        for (size_t p = 0; p < result[HSGD_PLAN_ALL].num_front; p++)
            widen_for(&out, a->setting, &result[HSGD_PLAN_ALL].front[p]);
    }
    for (size_t i = 0; i < a->num_sensitivities; i++) {
        widen_for_tree(&out, a->setting, &a->sensitivity[i].half.best);
        widen_for_tree(&out, a->setting, &a->sensitivity[i].twice.best);
    }
    return out;
}

/* ---- plans ---- */

static void print_heading(FILE *out, const widths *w)
{
    fprintf(out, "  %-15s %-*s  %-*s %9s %8s %9s %10s  %s\n", "", w->fanout, "fanout", w->periods, "periods",
            "step size", "steps", "seconds", "bound", "bytes per link level");
}

static void print_plan(FILE *out, const hsgd_plan_setting *setting, const widths *w, const char *name,
                       const hsgd_plan *plan)
{
    char fanout[128], periods[128];
    if (!plan->found) {
        fprintf(out, "  %-15s -\n", name);
        return;
    }
    hsgd_plan_print_fanout(fanout, sizeof fanout, setting, &plan->tree);
    hsgd_plan_print_periods(periods, sizeof periods, setting, &plan->tree);
    fprintf(out, "  %-15s %-*s  %-*s %8.4g%s %8zu %9.5g %10.5g ", name, w->fanout, fanout, w->periods, periods,
            plan->step_size, plan->at_limit ? "*" : " ", plan->steps, plan->seconds, plan->bound);
    for (size_t j = 0; j < setting->num_links; j++)
        fprintf(out, " %.3g", plan->bytes[j]);
    fputc('\n', out);
}

static void print_gain(FILE *out, const hsgd_plan_answer *answer, hsgd_plan_family family, const char *name)
{
    const hsgd_plan *best = &answer->result[HSGD_PLAN_ALL].best, *other = &answer->result[family].best;
    if (!other->found) {
        fprintf(out, "  %s has no plan within the budget\n", name);
        return;
    }
    if (other->bound <= best->bound) {
        fprintf(out, "  %s is the best plan: more levels gain nothing here\n", name);
        return;
    }
    fprintf(out, "  %s has %.4g times that bound;", name, other->bound / best->bound);
    if (isfinite(answer->family_time_s[family]))
        fprintf(out, " it needs %.5g s to come down to it,", answer->family_time_s[family]);
    fprintf(out, " the best plan needs %.5g s for that of %s\n", answer->best_time_s[family], name);
}

static void print_front(FILE *out, const hsgd_plan_setting *setting, const widths *w, const hsgd_plan_result *result)
{
    size_t count = result->num_front, shown = count < MAX_FRONT_ROWS ? count : MAX_FRONT_ROWS;
    if (count < 2)
        return;
    fputs("\n  Pareto front: the bound against bytes over the outermost links, at this budget\n", out);
    print_heading(out, w);
    for (size_t i = 0; i < shown; i++)
        print_plan(out, setting, w, "", &result->front[shown > 1 ? i * (count - 1) / (shown - 1) : 0]);
    if (shown < count)
        fprintf(out, "  %zu of %zu plans; all are in plan.csv\n", shown, count);
}

static void print_answer(FILE *out, const hsgd_plan_analysis *a, const widths *w, const hsgd_plan_answer *answer)
{
    const hsgd_plan_result *result = answer->result;
    bool any_limit = false;
    fprintf(out, "\n  budget %g s\n", answer->budget_s);
    if (!result[HSGD_PLAN_ALL].best.found) {
        fprintf(out, "  no plan is feasible: %s\n", result[HSGD_PLAN_ALL].reason);
        return;
    }
    print_heading(out, w);
    print_plan(out, a->setting, w, "best", &result[HSGD_PLAN_ALL].best);
    print_plan(out, a->setting, w, "local SGD", &result[HSGD_PLAN_LOCAL].best);
    print_plan(out, a->setting, w, "synchronous SGD", &result[HSGD_PLAN_SYNCHRONOUS].best);
    for (int f = 0; f < HSGD_NUM_PLAN_FAMILIES; f++)
        any_limit |= result[f].best.at_limit;
    fputs(any_limit ? "  *: at the limit of the bound's step sizes\n" : "", out);
    print_gain(out, answer, HSGD_PLAN_LOCAL, "local SGD");
    print_gain(out, answer, HSGD_PLAN_SYNCHRONOUS, "synchronous SGD");
    print_front(out, a->setting, w, &result[HSGD_PLAN_ALL]);
}

/* ---- sensitivity ---- */

static void print_share(FILE *out, double share, const char *otherwise)
{
    if (isfinite(share))
        fprintf(out, " %7.2f%%", 100 * share);
    else
        fprintf(out, " %8s", otherwise);
}

static void print_regret(FILE *out, const hsgd_plan_setting *setting, const hsgd_plan *best, const hsgd_plan_regret *r,
                         int width)
{
    char fanout[128], periods[128], text[300] = "the same";
    fputs(" |", out);
    if (!r->found) {
        fprintf(out, " %8s %8s  %-*s", "-", "-", width, "no plan");
        return;
    }
    hsgd_plan_print_fanout(fanout, sizeof fanout, setting, &r->best.tree);
    hsgd_plan_print_periods(periods, sizeof periods, setting, &r->best.tree);
    if (memcmp(&r->best.tree, &best->tree, sizeof best->tree) != 0)
        snprintf(text, sizeof text, "%s, %s", fanout, periods);
    print_share(out, r->kept_all, "illegal");
    print_share(out, r->kept_tree, "-");
    fprintf(out, "  %-*s", width, text);
}

static void print_sensitivities(FILE *out, const hsgd_plan_analysis *a, const widths *w)
{
    const hsgd_plan *best = &hsgd_plan_last(a)->result[HSGD_PLAN_ALL].best;
    fprintf(out, "\n  What if a constant is another one? (budget %g s)\n", hsgd_plan_last(a)->budget_s);
    fprintf(out, "  %-18s %10s %10s | %-*s | %s\n", "", "", "", w->tree + 19, "half of it: regret of",
            "twice: regret of");
    fprintf(out, "  %-18s %10s %10s | %8s %8s  %-*s | %8s %8s  %s\n", "constant", "value", "elasticity", "plan", "tree",
            w->tree, "best there", "plan", "tree", "best there");
    for (size_t i = 0; i < a->num_sensitivities; i++) {
        const hsgd_plan_sensitivity *s = &a->sensitivity[i];
        fprintf(out, "  %-18s", s->name);
        print_number(out, 10, s->value);
        print_number(out, 10, s->elasticity);
        if (s->has_regret) {
            print_regret(out, a->setting, best, &s->half, w->tree);
            print_regret(out, a->setting, best, &s->twice, 0);
        }
        fputc('\n', out);
    }
    fputs("  elasticity: percent of the bound per percent of the constant, the step size chosen anew\n"
          "  regret: how much larger the bound is than that of the best plan there, if the plan with its step size, or "
          "only its\n"
          "  tree with a new step size, is kept; illegal: the bound does not allow this step size there\n",
          out);
}

/* ---- all of it ---- */

static void print_setting(FILE *out, const hsgd_plan_analysis *a)
{
    const hsgd_plan_setting *s = a->setting;
    const hsgd_plan_value *c = s->constant;
    char network[256];
    print_list(network, sizeof network, s->network, s->num_links, " x ");
    fprintf(out, "%s: plans for %zu workers on a network of %s, by the bound %s\n", s->name, s->num_workers, network,
            s->bound->id);
    fprintf(out, "  constants   L = %g (%s), sigma^2 = %g (%s), Delta = %g (%s), global divergence = %g (%s)\n",
            c[0].value, c[0].kind, c[1].value, c[1].kind, c[2].value, c[2].kind, c[3].value, c[3].kind);
    fprintf(out, "  search      %zu plans: %zu fanouts, periods up to %zu%s\n", a->trees[HSGD_PLAN_ALL].count,
            s->num_fanouts, s->max_period,
            hsgd_plan_bound_is_convex(s->bound) ? "; none is better"
                                                : "; step sizes on a grid: nothing is proved of this bound");
}

void hsgd_plan_print(const hsgd_plan_analysis *a, FILE *out)
{
    print_setting(out, a);
    const widths w = widths_of(a);
    for (size_t i = 0; i < a->setting->num_budgets; i++)
        print_answer(out, a, &w, &a->answer[i]);
    if (a->num_sensitivities)
        print_sensitivities(out, a, &w);
}
