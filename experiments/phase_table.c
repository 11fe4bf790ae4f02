/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `hsgd phase` prints: how many points have each verdict, and the worst of them. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "experiments/phase_private.h"

/* On a terminal control characters could do harm. */
static void print_text(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, out);
}

static void print_title(const hsgd_phase *phase, FILE *out)
{
    static const char *const what[] = {[HSGD_PHASE_S] = "S = mean ||grad f(wbar)||^2",
                                       [HSGD_PHASE_DISPERSION] = "V = mean dispersion of the models",
                                       [HSGD_PHASE_LOSS] = "mean loss f(wbar)",
                                       [HSGD_PHASE_WORST_CASE] = "worst case of S",
                                       [HSGD_PHASE_WORST_CASE_LEVELS] =
                                           "worst case of S, all three over the same problems"};
    const hsgd_sweep *grid = &phase->grid;
    print_text(out, grid->name);
    fprintf(out, ": %zu point%s over ", grid->num_points, grid->num_points == 1 ? "" : "s");
    for (size_t a = 0; a < grid->num_axes; a++) {
        fputs(a ? " x " : "", out);
        print_text(out, grid->axis[a].name);
        fprintf(out, " (%zu)", grid->axis[a].num_values);
    }
    fprintf(out, "\n  %s: does H-SGD lie between local SGD with I (inner) and with G (outer)?\n\n",
            what[phase->settings.quantity]);
}

/* "one Hessian: 40, one level: 8", of the points that are equal. */
static void print_theories(const hsgd_phase *phase, FILE *out)
{
    static const char *const theory[] = {"one Hessian", "one level", "no average within T"};
    size_t all = 0;
    const char *separator = "   ";
    for (size_t k = 0; k < sizeof theory / sizeof *theory; k++) {
        size_t count = 0;
        for (size_t i = 0; i < phase->grid.num_points; i++)
            count += phase->point[i].theory && strcmp(phase->point[i].theory, theory[k]) == 0;
        if (count) {
            fprintf(out, "%s%zu by theory: %s", separator, count, theory[k]);
            separator = ", ";
        }
        all += count;
    }
    size_t equal = 0;
    for (size_t i = 0; i < phase->grid.num_points; i++)
        equal += phase->point[i].verdict == HSGD_BETWEEN_EQUAL;
    if (equal > all)
        fprintf(out, "%s%zu up to rounding", separator, equal - all);
}

/* Of the points that hold, those where rounding hides one of the two inequalities. */
static void print_ties(const hsgd_phase *phase, FILE *out)
{
    size_t ties = 0;
    for (size_t i = 0; i < phase->grid.num_points; i++) {
        const hsgd_phase_point *p = &phase->point[i];
        ties += p->verdict == HSGD_BETWEEN_HOLDS && (p->lower_interval.low <= 0 || p->upper_interval.low <= 0);
    }
    if (ties)
        fprintf(out, "   %zu with a tie up to rounding", ties);
}

static void print_counts(const hsgd_phase *phase, const hsgd_phase_summary *s, FILE *out)
{
    static const char *const meaning[HSGD_NUM_BETWEEN] = {[HSGD_BETWEEN_HOLDS] = "inner <= H-SGD <= outer",
                                                          [HSGD_BETWEEN_EQUAL] = "all three agree",
                                                          [HSGD_BETWEEN_BELOW] = "H-SGD < inner",
                                                          [HSGD_BETWEEN_ABOVE] = "H-SGD > outer",
                                                          [HSGD_BETWEEN_REVERSED] = "outer < H-SGD < inner",
                                                          [HSGD_BETWEEN_INCONCLUSIVE] = "the intervals do not decide",
                                                          [HSGD_BETWEEN_DIVERGED] = "not finite",
                                                          [HSGD_BETWEEN_ILLEGAL] = "no legal configuration"};
    fprintf(out, "  %-13s %7s %8s\n", "verdict", "points", "share");
    for (int v = 0; v < HSGD_NUM_BETWEEN; v++) {
        if (!s->count[v] && v > HSGD_BETWEEN_REVERSED)
            continue;
        fprintf(out, "  %-13s %7zu %6.1f %%   %s", hsgd_between_name((hsgd_between)v), s->count[v],
                100 * (double)s->count[v] / (double)phase->grid.num_points, meaning[v]);
        if (v == HSGD_BETWEEN_HOLDS)
            print_ties(phase, out);
        if (v == HSGD_BETWEEN_EQUAL)
            print_theories(phase, out);
        fputc('\n', out);
    }
}

enum { MOST_COLUMNS = 6, WIDEST_COLUMN = 14 };

/* How the verdicts are spread over the values of the last axis, the panels of a map of three, where these are few. */
static void print_by_value(const hsgd_phase *phase, const hsgd_phase_summary *s, FILE *out)
{
    const hsgd_sweep *grid = &phase->grid;
    size_t last = grid->num_axes - 1;
    const hsgd_sweep_axis *axis = &grid->axis[last];
    if (last == 0 || axis->num_values < 2 || axis->num_values > MOST_COLUMNS)
        return;
    fputs("\n  by ", out);
    print_text(out, axis->name);
    fprintf(out, "\n  %-13s", "");
    for (size_t i = 0; i < axis->num_values; i++) {
        char label[WIDEST_COLUMN + 1];
        snprintf(label, sizeof label, "%s", axis->label[i]);
        for (char *c = label; *c; c++) /* bytes, so that columns stand below each other */
            if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
                *c = '?';
        fprintf(out, " %*s", WIDEST_COLUMN, label);
    }
    for (int v = 0; v < HSGD_NUM_BETWEEN; v++) {
        if (!s->count[v])
            continue;
        fprintf(out, "\n  %-13s", hsgd_between_name((hsgd_between)v));
        for (size_t i = 0; i < axis->num_values; i++) {
            size_t count = 0;
            for (size_t k = 0; k < grid->num_points; k++)
                count += grid->point[k].value[last] == i && phase->point[k].verdict == (hsgd_between)v;
            fprintf(out, " %*zu", WIDEST_COLUMN, count);
        }
    }
    fputc('\n', out);
}

static void print_worst(const hsgd_phase *phase, const hsgd_phase_summary *s, FILE *out)
{
    if (s->worst == phase->grid.num_points)
        return;
    const hsgd_phase_point *p = &phase->point[s->worst];
    fputs("  largest violation: ", out);
    print_text(out, phase->grid.point[s->worst].title);
    fprintf(out, "\n    inner %.6g, H-SGD %.6g, outer %.6g: %s, by %.3g %% of the largest of them\n",
            p->value[HSGD_PHASE_INNER], p->value[HSGD_PHASE_MIDDLE], p->value[HSGD_PHASE_OUTER],
            hsgd_between_name(p->verdict), 100 * p->violation);
}

static void print_method(const hsgd_phase *phase, FILE *out)
{
    double widest = 0;
    bool exact = false;
    for (size_t i = 0; i < phase->grid.num_points; i++) {
        const hsgd_phase_point *p = &phase->point[i];
        double size = fmax(fabs(p->value[HSGD_PHASE_INNER]), fabs(p->value[HSGD_PHASE_OUTER]));
        exact = exact || p->exact;
        if (p->exact && p->values == 0 && isfinite(size) && size > 0)
            widest = fmax(widest, fmax(p->rounding[0], p->rounding[1]) / size);
    }
    if (exact && hsgd_phase_is_worst_case(phase->settings.quantity))
        fprintf(out, "  certified worst cases: each is known to within %.1g of its size\n", widest);
    else if (exact)
        fprintf(out,
                "  exact moments, no sampling: differences are known to within rounding, at most %.1g of their size\n",
                widest);
    if (phase->comparisons)
        fprintf(out,
                "  drawn: %zu differences of paired runs or groupings; all their intervals hold together at %g %%, so\n"
                "  that some verdict on them is false with a probability of at most %g %% (Student t, Bonferroni)\n",
                phase->comparisons, 100 * phase->grid.confidence, 100 * (1 - phase->grid.confidence));
}

void hsgd_phase_print(const hsgd_phase *phase, const hsgd_phase_summary *summary, FILE *stream)
{
    print_title(phase, stream);
    print_counts(phase, summary, stream);
    print_by_value(phase, summary, stream);
    fputc('\n', stream);
    if (isfinite(summary->ratio_median))
        fprintf(stream, "  where it holds, (H-SGD - inner)/(outer - inner) is %.3g to %.3g, in the median %.3g\n",
                summary->ratio_low, summary->ratio_high, summary->ratio_median);
    print_worst(phase, summary, stream);
    print_method(phase, stream);
}
