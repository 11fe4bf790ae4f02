/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report of a hunt for people. */
#include "experiments/hunt.h"

#include <math.h>
#include <string.h>

static void print_free(const hsgd_hunt *hunt, FILE *out)
{
    const char *between = "";
    for (size_t part = 0; part < HSGD_NUM_HUNT_PARTS; part++)
        if (hunt->config->hunt.free[part]) {
            fprintf(out, "%s%s", between, hsgd_hunt_part_name(part));
            between = ", ";
        }
}

static void print_weaken(const hsgd_hunt *hunt, FILE *out)
{
    const hsgd_hunt_spec *spec = &hunt->config->hunt;
    if (hunt->weakened)
        fprintf(
            out,
            "  weakened    divergences x %g, initial gap x %g, noise x %g: a test of the hunter itself, violations are"
            " expected\n",
            spec->weaken_divergence, spec->weaken_initial_gap, spec->weaken_noise);
}

static void print_search(const hsgd_hunt *hunt, FILE *out)
{
    const hsgd_hierarchy *h = &hunt->config->hierarchy;
    fprintf(out, "%s: the worst case of %s on %zu workers, %zu level%s, T = %zu\n", hunt->config->name, hunt->quarry.id,
            h->num_workers, h->num_levels, h->num_levels == 1 ? "" : "s", hunt->config->steps);
    fprintf(out, "  searched    quadratics of dimension %zu; free: ", hunt->dimension);
    print_free(hunt, out);
    fprintf(out, "; %zu parameter%s\n", hunt->num_parameters, hunt->num_parameters == 1 ? "" : "s");
    print_weaken(hunt, out);
}

/* One line for each searcher: how many starts, and the best ratio of them. */
static void print_methods(const hsgd_hunt *hunt, FILE *out)
{
    for (size_t m = 0; m < HSGD_NUM_SEARCH_METHODS; m++) {
        size_t starts = 0, evaluations = 0;
        double best = 0;
        for (size_t i = 0; i < hunt->num_starts; i++)
            if (hunt->start[i].method == (hsgd_search_method)m) {
                starts++;
                evaluations += hunt->start[i].evaluations;
                best = fmax(best, hunt->start[i].ratio);
            }
        if (starts)
            fprintf(out, "  %-11s %zu start%s, %zu evaluations: best ratio %.8g\n",
                    hsgd_search_method_name((hsgd_search_method)m), starts, starts == 1 ? "" : "s", evaluations, best);
    }
}

static void print_worst(const hsgd_hunt *hunt, FILE *out)
{
    const hsgd_hunt_constants *c = &hunt->constants;
    const hsgd_hunted *found = &hunt->found;
    fprintf(out, "  worst case  measured / bound = %.10g: %.6g / %.6g", found->ratio, found->measured, found->bound);
    if (found->level)
        fprintf(out, ", level %zu at step %zu", found->level, found->step);
    fprintf(out, "\n              gamma = %.6g, L = %.6g, sigma^2 = %.6g, Delta = %.6g, ", c->step_size, c->smoothness,
            c->noise_sq, c->delta);
    for (size_t k = 0; k < c->num_levels; k++)
        fprintf(out, "%sD_%zu = %.6g", k ? ", " : "", k + 1, c->level_divergence_sq[k]);
    fputs(hunt->confirmed ? "\n  confirmed   worst.json, read afresh, has this ratio\n"
                          : "\n  NOT CONFIRMED: worst.json, read afresh, has another ratio\n",
          out);
}

/* Those that apply, and the names of the others. */
static void print_other(const hsgd_hunt *hunt, FILE *out)
{
    const char *between = "\n  not there: ";
    fprintf(out, "\n  %-24s %-9s %14s %12s %12s\n", "bounds on that case", "of", "value", "measured", "measured/bnd");
    const hsgd_bound_list *bounds = &hunt->config->bounds;
    for (size_t i = 0; i < hsgd_num_quarries(bounds); i++) {
        hsgd_quarry quarry = hsgd_quarry_at(bounds, i);
        const hsgd_hunted *h = &hunt->other[i];
        if (h->ratio > 0)
            fprintf(out, "  %-24s %-9s %14.5g %12.5g %12.7g\n", quarry.id,
                    quarry.bound ? hsgd_target_name(quarry.bound->target) : "B_k", h->bound, h->measured, h->ratio);
    }
    for (size_t i = 0; i < hsgd_num_quarries(bounds); i++)
        if (!(hunt->other[i].ratio > 0)) {
            fprintf(out, "%s%s", between, hsgd_quarry_at(bounds, i).id);
            between = ", ";
        }
    fputs(*between == ',' ? " (hunt.json says why)\n" : "", out);
}

static void print_verdict(const hsgd_hunt *hunt, FILE *out)
{
    if (hunt->found.ratio == 0)
        fprintf(out, "\n  nothing found: %s\n", hunt->found.reason);
    else if (hunt->violated && !hunt->weakened)
        fprintf(out, "\n  VIOLATED: %s is exceeded by a factor of %.10g, and rounding explains %.2g of it at most\n",
                hunt->quarry.id, hunt->found.ratio, hunt->found.rounding);
    else if (hunt->violated)
        fprintf(out, "\n  the weakened bound is violated, as it should be\n");
    else if (hunt->found.ratio > 1 - 1e-6)
        fprintf(out, "\n  no counterexample in %zu evaluations, but %s is attained: it cannot be improved here\n",
                hunt->evaluations, hunt->quarry.id);
    else
        fprintf(out, "\n  no counterexample in %zu evaluations: at most %.4g of %s is reached\n", hunt->evaluations,
                hunt->found.ratio, hunt->quarry.id);
}

void hsgd_hunt_print(const hsgd_hunt *hunt, FILE *stream)
{
    print_search(hunt, stream);
    print_methods(hunt, stream);
    if (hunt->found.ratio > 0) {
        print_worst(hunt, stream);
        print_other(hunt, stream);
    }
    print_verdict(hunt, stream);
}
