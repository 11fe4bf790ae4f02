/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pep.json and pep.csv: every step size with its worst case and bounds, and what was found. */
#include <math.h>
#include <string.h>

#include "experiments/document_private.h"
#include "experiments/json_private.h"
#include "experiments/pep_curves_private.h"
#include "experiments/pep_private.h"
#include "experiments/provenance_private.h"
#include "experiments/style_private.h"
#include "plots/output.h"

static const char *const bound_key[HSGD_NUM_PEP_BOUNDS] = {"recursive", "sharpened", "published"};

/* ---- pep.json ---- */

static void add_number(cJSON *object, const char *key, double value)
{
    if (isfinite(value))
        cJSON_AddNumberToObject(object, key, value);
    else
        cJSON_AddNullToObject(object, key);
}

static cJSON *step_to_json(const hsgd_pep_curve *c, const hsgd_pep_step *step)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "step_size", step->step_size);
    cJSON_AddNumberToObject(object, "gamma_L", step->step_size * c->params.smoothness);
    add_number(object, "worst_case", step->upper);
    add_number(object, "attained", step->lower);
    for (size_t b = 0; b < HSGD_NUM_PEP_BOUNDS; b++)
        add_number(object, bound_key[b], step->bound[b]);
    cJSON_AddStringToObject(object, "mark", hsgd_pep_mark_name(step->mark));
    return object;
}

static void add_setting(cJSON *object, const hsgd_pep_curve *c)
{
    const hsgd_hierarchy *tree = &c->params.tree;
    cJSON *periods = cJSON_AddArrayToObject(object, "periods");
    cJSON *divergence = cJSON_AddArrayToObject(object, "level_divergence_sq");
    for (size_t k = 0; k < tree->num_levels; k++) {
        cJSON_AddItemToArray(periods, cJSON_CreateNumber((double)tree->node[k].period));
        cJSON_AddItemToArray(divergence, cJSON_CreateNumber(c->params.divergence_sq[k]));
    }
    cJSON_AddNumberToObject(object, "steps", (double)c->params.steps);
    cJSON_AddNumberToObject(object, "L", c->params.smoothness);
    cJSON_AddNumberToObject(object, "delta", c->params.delta);
}

static void add_best(cJSON *object, const hsgd_pep_curve *c)
{
    cJSON *best = cJSON_AddObjectToObject(object, "best"), *limits = cJSON_AddObjectToObject(object, "max_step_size");
    bool known = c->best < c->num_steps;
    add_number(best, "step_size", known ? c->step[c->best].step_size : NAN);
    add_number(best, "worst_case", known ? c->step[c->best].upper : NAN);
    const double bracket[] = {c->best_low, c->best_high};
    cJSON_AddItemToObject(best, "between", cJSON_CreateDoubleArray(bracket, 2));
    cJSON_AddBoolToObject(best, "inside", c->best_inside);
    cJSON *bounds = cJSON_AddObjectToObject(object, "best_of_bounds");
    for (size_t b = 0; b < HSGD_NUM_PEP_BOUNDS; b++) {
        cJSON *own = cJSON_AddObjectToObject(bounds, bound_key[b]);
        add_number(own, "step_size", c->bound_best_step_size[b]);
        add_number(own, "value", c->bound_best[b]);
        add_number(limits, bound_key[b], c->max_step_size[b]);
    }
}

static cJSON *curve_to_json(const hsgd_pep_curves *curves, size_t i)
{
    const hsgd_pep_curve *c = &curves->curve[i];
    char title[256];
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(
        object, "title", hsgd_sweep_title(title, sizeof title, &curves->grid.axis[0], curves->grid.point[i].value[0]));
    add_setting(object, c);
    add_best(object, c);
    cJSON_AddNumberToObject(object, "unsolved", (double)c->unsolved);
    cJSON *points = cJSON_AddArrayToObject(object, "points");
    for (size_t s = 0; s < c->num_steps; s++)
        cJSON_AddItemToArray(points, step_to_json(c, &c->step[s]));
    return object;
}

cJSON *hsgd_pep_curves_to_json(const hsgd_pep_curves *curves)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "name", curves->grid.name);
    cJSON_AddStringToObject(root, "version", HSGD_VERSION);
    cJSON_AddStringToObject(root, "gap", hsgd_pep_gap_name(HSGD_PEP_DESCENT));
    cJSON_AddStringToObject(root, "criterion", hsgd_pep_criterion_name(HSGD_PEP_MEAN));
    cJSON_AddStringToObject(root, "note", hsgd_worst_case_note);
    cJSON_AddNumberToObject(root, "step_size_tolerance", HSGD_PEP_STEP_SIZE_TOLERANCE);
    cJSON *array = cJSON_AddArrayToObject(root, "curves");
    for (size_t i = 0; i < curves->grid.num_points; i++)
        cJSON_AddItemToArray(array, curve_to_json(curves, i));
    hsgd_style_to_json(root, &curves->grid.style);
    cJSON *figures = cJSON_AddArrayToObject(root, "figures");
    if (curves->grid.use_figure[0])
        cJSON_AddItemToArray(figures, cJSON_CreateString("pep"));
    return root;
}

static hsgd_status write_json(const hsgd_pep_curves *curves, const char *dir, hsgd_error *err)
{
    static const char *const outputs[] = {"pep.csv", NULL};
    cJSON *provenance;
    hsgd_status status = hsgd_provenance_of_grid(&provenance, "pep", &curves->grid, err);
    return status
               ? status
               : hsgd_document_write(dir, HSGD_FOLDER_PEP, hsgd_pep_curves_to_json(curves), provenance, outputs, err);
}

/* ---- pep.csv ---- */

/* What is not known is empty. */
static void put_number(FILE *out, double value)
{
    if (isfinite(value))
        fprintf(out, ",%.17g", value);
    else
        fputc(',', out);
}

static void put_step(FILE *out, size_t curve, const hsgd_pep_curve *c, const hsgd_pep_step *step)
{
    fprintf(out, "%zu,%zu", curve + 1, c->params.steps);
    put_number(out, step->step_size);
    put_number(out, step->step_size * c->params.smoothness);
    put_number(out, step->upper);
    put_number(out, step->lower);
    for (size_t b = 0; b < HSGD_NUM_PEP_BOUNDS; b++)
        put_number(out, step->bound[b]);
    fprintf(out, ",%s\n", hsgd_pep_mark_name(step->mark));
}

static hsgd_status write_csv(const hsgd_pep_curves *curves, const char *dir, hsgd_error *err)
{
    hsgd_output out;
    hsgd_status status = hsgd_output_open(&out, dir, "pep", "csv", err);
    if (status)
        return status;
    fputs("curve,steps,step_size,gamma_L,worst_case,attained,recursive,sharpened,published,mark\n", out.stream);
    for (size_t i = 0; i < curves->grid.num_points; i++)
        for (size_t s = 0; s < curves->curve[i].num_steps; s++)
            put_step(out.stream, i, &curves->curve[i], &curves->curve[i].step[s]);
    return hsgd_output_close(&out, err);
}

hsgd_status hsgd_pep_curves_write(const hsgd_pep_curves *curves, const char *dir, hsgd_error *err)
{
    hsgd_status status = hsgd_folder_unfinish(dir, HSGD_FOLDER_PEP, err);
    if (!status)
        status = write_csv(curves, dir, err);
    return status ? status : write_json(curves, dir, err);
}

/* ---- the table ---- */

/* On a terminal control characters could do harm. */
static void print_text(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, out);
}

static void print_number(FILE *out, double value)
{
    if (isfinite(value))
        fprintf(out, " %10.5g", value);
    else
        fprintf(out, " %10s", "-");
}

static void print_curve(const hsgd_pep_curves *curves, size_t i, FILE *out)
{
    const hsgd_pep_curve *c = &curves->curve[i];
    const hsgd_pep_step *best = c->best < c->num_steps ? &c->step[c->best] : NULL;
    const hsgd_pep_step *published = hsgd_pep_curve_find(c, HSGD_PEP_AT_PUBLISHED);
    double L = c->params.smoothness;
    print_number(out, best ? best->step_size * L : NAN);
    print_number(out, best ? best->upper : NAN);
    print_number(out, c->max_step_size[HSGD_PEP_PUBLISHED] * L);
    print_number(out, published ? published->upper : NAN);
    print_number(out, c->bound_best_step_size[HSGD_PEP_RECURSIVE] * L);
    print_number(out, c->bound_best[HSGD_PEP_RECURSIVE]);
    fputs("  ", out);
    print_text(out, curves->grid.point[i].title);
    if (best && !c->best_inside)
        fputs(" (the best is an end of the range)", out);
    if (c->unsolved)
        fprintf(out, " (%zu step sizes without a certificate)", c->unsolved);
    fputc('\n', out);
}

void hsgd_pep_curves_print(const hsgd_pep_curves *curves, FILE *out)
{
    print_text(out, curves->grid.name);
    fprintf(out, ": worst case of S for gamma L from %g to %g\n\n", curves->from, curves->to);
    fprintf(out, "  %-21s %-21s %-21s\n", "best step size", "published limit", "best of recursive 4.4");
    for (size_t i = 0; i < 3; i++)
        fprintf(out, " %10s %10s", "gamma L", i < 2 ? "worst case" : "bound");
    fputc('\n', out);
    for (size_t i = 0; i < curves->grid.num_points; i++)
        print_curve(curves, i, out);
    fprintf(out,
            "\nThe best step size is known to %g %%, if the worst case has one minimum between its neighbours on the "
            "grid.\n",
            100 * HSGD_PEP_STEP_SIZE_TOLERANCE);
    hsgd_worst_case_print_note(out);
}
