/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of hsgd rate, for people: points, fit, comparison with the theory. */
#include <math.h>
#include <string.h>

#include "experiments/rate_private.h"

/* What is swept and measured, in words. */
static const char *const over_text[] = {[HSGD_RATE_STEPS] = "the number of steps T",
                                        [HSGD_RATE_WORKERS] = "the number of workers n",
                                        [HSGD_RATE_GLOBAL_PERIOD] = "the global period G",
                                        [HSGD_RATE_LOCAL_PERIOD] = "the local period I",
                                        [HSGD_RATE_STEP_SIZE] = "the step size gamma"};

/* ---- head ---- */

static void print_rule(const hsgd_rate_plan *plan, FILE *f)
{
    switch (plan->rule) {
    case HSGD_RATE_RULE_SQRT_N_OVER_T:
        fprintf(f, ", gamma = %g sqrt(n/T)/L", plan->constant);
        break;
    case HSGD_RATE_RULE_INVERSE_SQRT_T:
        fprintf(f, ", gamma = %g/(L sqrt(T))", plan->constant);
        break;
    case HSGD_RATE_RULE_FRACTION:
        fprintf(f, ", gamma = %g of the published maximum", plan->constant);
        break;
    case HSGD_RATE_RULE_FIXED:
        fprintf(f, ", gamma = %g", plan->constant);
        break;
    default:
        break;
    }
}

static void print_head(const hsgd_rate *rate, FILE *f)
{
    const hsgd_rate_plan *plan = rate->plan;
    const hsgd_rate_point *first = &rate->point[0];
    fprintf(f, "%s: %s over %s, %zu points", plan->name, hsgd_rate_quantity_name(plan->quantity), over_text[plan->over],
            rate->num_points);
    print_rule(plan, f);
    fputs("\n  H-SGD", f);
    if (plan->over != HSGD_RATE_WORKERS)
        fprintf(f, ", n = %zu", first->workers);
    else
        fprintf(f, ", level %zu grows", plan->level);
    if (plan->over != HSGD_RATE_STEPS)
        fprintf(f, ", T = %zu", first->steps);
    if (plan->over != HSGD_RATE_GLOBAL_PERIOD)
        fprintf(f, ", G = %zu", first->global_period);
    if (plan->over != HSGD_RATE_LOCAL_PERIOD)
        fprintf(f, ", I = %zu", first->local_period);
    if (plan->exact)
        fputs("; exact moments, nothing is sampled\n\n", f);
    else
        fprintf(f, "; %zu seeds for each point, intervals of %g %%\n\n", first->value.count, 100 * plan->confidence);
}

/* ---- points ---- */

static bool shows_step_size(const hsgd_rate_plan *plan)
{
    return plan->over != HSGD_RATE_STEP_SIZE;
}

static void print_header(const hsgd_rate *rate, FILE *f)
{
    const hsgd_rate_plan *plan = rate->plan;
    fprintf(f, "  %10s", hsgd_rate_symbol(plan->over));
    if (shows_step_size(plan))
        fprintf(f, " %11s", "gamma");
    fprintf(f, " %11s", hsgd_rate_quantity_name(plan->quantity));
    if (!plan->exact)
        fprintf(f, " %10s", "+-");
    fprintf(f, " %9s", "slope");
    if (!plan->exact)
        fprintf(f, " %8s", "+-");
    for (size_t b = 0; b < rate->num_bounds; b++)
        if (rate->bound[b].num_applicable)
            fprintf(f, " %20s", rate->bound[b].id);
    fputc('\n', f);
}

/* A number, or "-" where it is not there. */
static void put(FILE *f, int width, const char *format, double value)
{
    char text[48] = "-";
    if (!isnan(value))
        snprintf(text, sizeof text, format, value);
    bool minus_zero = *text == '-' && !strpbrk(text, "123456789") && text[1];
    fprintf(f, " %*s", width, text + minus_zero);
}

/* The bound's value, marked where it is violated or not decided. */
static void put_bound(FILE *f, double value, hsgd_verdict verdict)
{
    char text[48] = "-";
    if (!isnan(value))
        snprintf(text, sizeof text, "%s%.5g",
                 verdict == HSGD_VERDICT_VIOLATED       ? "violated: "
                 : verdict == HSGD_VERDICT_INCONCLUSIVE ? "? "
                                                        : "",
                 value);
    fprintf(f, " %20s", text);
}

static void print_point(const hsgd_rate *rate, size_t i, FILE *f)
{
    const hsgd_rate_plan *plan = rate->plan;
    const hsgd_rate_point *p = &rate->point[i];
    char at[48];
    snprintf(at, sizeof at, "%.10g%s", p->at, p->fitted ? "" : "*");
    fprintf(f, "  %10s", at);
    if (shows_step_size(plan))
        put(f, 11, "%.5g", p->step_size);
    put(f, 11, "%.5g", p->value.mean);
    if (!plan->exact)
        put(f, 10, "%.2g", p->high - p->value.mean);
    put(f, 9, "%.4f", p->slope.mean);
    if (!plan->exact)
        put(f, 8, "%.4f", hsgd_half_width(p->slope, plan->confidence, 1));
    for (size_t b = 0; b < rate->num_bounds; b++)
        if (rate->bound[b].num_applicable)
            put_bound(f, rate->bound[b].value[i], rate->bound[b].verdict[i]);
    fputc('\n', f);
}

/* What numbers rest on that nobody proved. */
static void print_kinds(const hsgd_rate *rate, FILE *f)
{
    hsgd_constant_kind kind = HSGD_EXACT, minimum_kind = HSGD_EXACT;
    for (size_t i = 0; i < rate->num_points; i++) {
        kind = rate->point[i].kind > kind ? rate->point[i].kind : kind;
        minimum_kind = rate->point[i].minimum_kind > minimum_kind ? rate->point[i].minimum_kind : minimum_kind;
    }
    if (rate->num_bounds && kind == HSGD_TRAJECTORY)
        fputs("  bounds: with the largest divergences at the measured steps, which prove nothing elsewhere\n", f);
    if (rate->num_bounds && kind == HSGD_ESTIMATE)
        fputs("  bounds: with estimates of L or sigma^2, which prove nothing\n", f);
    if (rate->plan->quantity == HSGD_RATE_LOSS_GAP && minimum_kind != HSGD_EXACT &&
        !rate->plan->config[0].solve_minimum)
        fputs("  loss_gap: f* is not known, only a lower bound: the gap is too large, and its exponent too flat;\n"
              "    \"constants\": {\"f_star\": \"solve\"} finds it\n",
              f);
}

static void print_points(const hsgd_rate *rate, FILE *f)
{
    bool left_out = false;
    print_header(rate, f);
    for (size_t i = 0; i < rate->num_points; i++) {
        print_point(rate, i, f);
        left_out = left_out || !rate->point[i].fitted;
    }
    fputs("  slope: the exponent from this point to the next\n", f);
    print_kinds(rate, f);
    if (left_out)
        fputs("  *: not fitted: below fit_from, or not finite and positive\n", f);
}

/* ---- the fit ---- */

/* The smallest and the largest exponent between neighbours that are both fitted. */
static void find_slopes(const hsgd_rate *rate, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i + 1 < rate->num_points; i++)
        if (rate->point[i].fitted && rate->point[i + 1].fitted) {
            *low = fmin(*low, rate->point[i].slope.mean);
            *high = fmax(*high, rate->point[i].slope.mean);
        }
}

static void print_straightness(const hsgd_rate *rate, FILE *f)
{
    const hsgd_power_law *law = &rate->law;
    double low, high;
    if (law->weighted) {
        fprintf(f, "  straight line: chi-squared %.3g on %zu degree%s of freedom, p = %.2g: %s\n", law->chi_sq,
                law->scatter_dof, law->scatter_dof == 1 ? "" : "s", law->p_value,
                rate->straight ? "nothing contradicts a power law"
                               : "not a power law over this range;\n    the error is that of the best line");
        return;
    }
    find_slopes(rate, &low, &high);
    fprintf(
        f, "  straight line: the points are at most %.2g %% from it, exponents between neighbours from %.4f to %.4f;\n",
        100 * law->largest_departure, low, high);
    fprintf(f, "    the error is that of the fit, from %s\n",
            rate->plan->exact ? "the curvature of what is no exact power law: nothing is sampled"
                              : "the scatter of points that have no errors of their own, or too few seeds for them");
}

static void print_fit(const hsgd_rate *rate, FILE *f)
{
    const hsgd_power_law *law = &rate->law;
    if (!rate->made) {
        fprintf(f, "\n  no fit: %s\n", rate->reason);
        return;
    }
    fprintf(f, "\n  fit to %zu points: %s = %.4g %s^(%.4f +- %.4f), %g %% Student-t interval\n", law->num_points,
            hsgd_rate_quantity_name(rate->plan->quantity), exp(law->log_constant), hsgd_rate_symbol(rate->plan->over),
            law->exponent, rate->half_width, 100 * rate->plan->confidence);
    print_straightness(rate, f);
}

/* ---- the theory ---- */

/* Of T and n, S falls; of the others it grows, and a lower exponent is slower growth. */
static const char *verdict_text(const hsgd_rate *rate, hsgd_rate_verdict verdict)
{
    bool falls = rate->plan->over == HSGD_RATE_STEPS || rate->plan->over == HSGD_RATE_WORKERS;
    switch (verdict) {
    case HSGD_RATE_AGREES:
        return "agrees";
    case HSGD_RATE_FASTER:
        return falls ? "faster" : "grows more slowly";
    case HSGD_RATE_SLOWER:
        return falls ? "slower" : "grows faster";
    case HSGD_RATE_BETWEEN:
        return "between";
    case HSGD_RATE_INCONCLUSIVE:
        return "inconclusive: the interval is too wide";
    case HSGD_RATE_NO_THEORY:
        break;
    }
    return "no theory to compare with";
}

/* What that says about a bound. */
static const char *bound_text(hsgd_rate_verdict verdict)
{
    return verdict == HSGD_RATE_FASTER         ? "the bound gets looser"
           : verdict == HSGD_RATE_SLOWER       ? "the bound gets tighter"
           : verdict == HSGD_RATE_INCONCLUSIVE ? "inconclusive: the interval is too wide"
                                               : "agrees";
}

static void print_comparison(const char *with, const hsgd_rate_comparison *c, const char *verdict, FILE *f)
{
    char difference[64];
    snprintf(difference, sizeof difference, "%+.4f +- %.4f", c->difference, c->half_width);
    fprintf(f, "  %-22s %9.4f %20s  %s\n", with, c->exponent, difference, verdict);
}

static const char *name_of_expected(const hsgd_rate *rate)
{
    return rate->plan->asked ? "expected" : "asymptotic";
}

static void print_theory(const hsgd_rate *rate, FILE *f)
{
    if (!rate->made || (isnan(rate->plan->expected) && !rate->num_bounds))
        return;
    fprintf(f, "\n  %-22s %9s %20s  %s\n", "theory", "exponent", "measured - theory", "verdict");
    if (!isnan(rate->plan->expected))
        print_comparison(name_of_expected(rate), &rate->asymptotic, verdict_text(rate, rate->asymptotic.verdict), f);
    for (size_t b = 0; b < rate->num_bounds; b++) {
        const hsgd_rate_bound *bound = &rate->bound[b];
        if (bound->everywhere)
            print_comparison(bound->id, &bound->comparison, bound_text(bound->comparison.verdict), f);
        else
            fprintf(f, "  %-22s %9s %20s  applies at %zu of %zu points\n", bound->id, "-", "-", bound->num_applicable,
                    rate->num_points);
    }
    if (rate->num_bounds)
        fputs("  the exponent of a bound is that of its own values at the fitted points\n", f);
}

static void print_conclusion(const hsgd_rate *rate, FILE *f)
{
    bool expected = !isnan(rate->plan->expected), bound = rate->tightest && !rate->plan->asked;
    fprintf(f, "\n  verdict: %s", rate->made ? verdict_text(rate, rate->verdict) : "inconclusive: there is no fit");
    if (rate->made && expected)
        fprintf(f, "%s the %s exponent", rate->verdict == HSGD_RATE_BETWEEN ? "" : ", by", name_of_expected(rate));
    if (rate->made && bound)
        fprintf(f, "%s that of %s", expected ? " and" : ", by", rate->tightest->id);
    if (rate->made && (expected || bound))
        fprintf(f, " (exponents are alike within %g)", rate->plan->tolerance);
    fputs(rate->violated ? "\n  a bound is violated at a point\n" : "\n", f);
}

void hsgd_rate_print(const hsgd_rate *rate, FILE *stream)
{
    print_head(rate, stream);
    print_points(rate, stream);
    print_fit(rate, stream);
    print_theory(rate, stream);
    print_conclusion(rate, stream);
}
