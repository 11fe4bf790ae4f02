/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rate.json and rate.csv. */
#include <math.h>
#include <stdlib.h>

#include "experiments/document_private.h"
#include "experiments/experiment.h"
#include "experiments/provenance_private.h"
#include "experiments/rate_private.h"
#include "experiments/style_private.h"
#include "plots/output.h"

/* ---- rate.json ---- */

static cJSON *interval_to_json(double low, double high)
{
    const double ends[] = {low, high};
    return cJSON_CreateDoubleArray(ends, 2);
}

static cJSON *plan_to_json(const hsgd_rate_plan *plan)
{
    cJSON *object = cJSON_CreateObject(), *rule = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "over", hsgd_rate_over_name(plan->over));
    cJSON_AddItemToObject(object, "values", cJSON_CreateDoubleArray(plan->value, (int)plan->num_points));
    cJSON_AddStringToObject(object, "of", hsgd_rate_quantity_name(plan->quantity));
    if (plan->over != HSGD_RATE_STEP_SIZE) {
        cJSON_AddStringToObject(rule, "rule", hsgd_rate_rule_name(plan->rule));
        if (plan->rule != HSGD_RATE_RULE_OPTIMIZER)
            cJSON_AddNumberToObject(rule, "constant", plan->constant);
        cJSON_AddItemToObject(object, "step_size", rule);
    } else
        cJSON_Delete(rule);
    if (plan->over == HSGD_RATE_WORKERS)
        cJSON_AddNumberToObject(object, "level", (double)plan->level);
    cJSON_AddNumberToObject(object, "fit_from", plan->fit_from);
    if (plan->asked)
        cJSON_AddNumberToObject(object, "expected", plan->expected);
    cJSON_AddNumberToObject(object, "tolerance", plan->tolerance);
    cJSON_AddStringToObject(object, "method", plan->exact ? "exact" : "sampled");
    return object;
}

static cJSON *point_bounds_to_json(const hsgd_rate *rate, size_t i)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t b = 0; b < rate->num_bounds; b++) {
        const hsgd_rate_bound *bound = &rate->bound[b];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "id", bound->id);
        cJSON_AddNumberToObject(object, "value", bound->value[i]);
        cJSON_AddNumberToObject(object, "ratio", rate->point[i].value.mean / bound->value[i]);
        cJSON_AddStringToObject(object, "verdict", hsgd_verdict_name(bound->verdict[i]));
        cJSON_AddItemToArray(array, object);
    }
    return array;
}

static cJSON *point_to_json(const hsgd_rate *rate, size_t i)
{
    const hsgd_rate_point *p = &rate->point[i];
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "at", p->at);
    cJSON_AddNumberToObject(object, "num_workers", (double)p->workers);
    cJSON_AddNumberToObject(object, "steps", (double)p->steps);
    cJSON_AddNumberToObject(object, "local_period", (double)p->local_period);
    cJSON_AddNumberToObject(object, "global_period", (double)p->global_period);
    cJSON_AddNumberToObject(object, "step_size", p->step_size);
    cJSON_AddNumberToObject(object, "L", p->smoothness);
    cJSON_AddStringToObject(object, "constants", hsgd_constant_kind_name(p->kind));
    cJSON_AddStringToObject(object, "f_star", hsgd_constant_kind_name(p->minimum_kind));
    cJSON_AddNumberToObject(object, "value", p->value.mean);
    cJSON_AddNumberToObject(object, "se", p->value.se);
    cJSON_AddItemToObject(object, "ci", interval_to_json(p->low, p->high));
    cJSON_AddNumberToObject(object, "seeds", rate->plan->exact ? 0 : (double)p->value.count);
    cJSON_AddBoolToObject(object, "fitted", p->fitted);
    cJSON_AddNumberToObject(object, "slope_to_next", p->slope.mean);
    cJSON_AddNumberToObject(object, "slope_to_next_se", p->slope.se);
    cJSON_AddItemToObject(object, "bounds", point_bounds_to_json(rate, i));
    return object;
}

static cJSON *fit_to_json(const hsgd_rate *rate)
{
    const hsgd_power_law *law = &rate->law;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "points", (double)law->num_points);
    cJSON_AddNumberToObject(object, "exponent", law->exponent);
    cJSON_AddNumberToObject(object, "se", law->exponent_se);
    cJSON_AddItemToObject(object, "ci",
                          interval_to_json(law->exponent - rate->half_width, law->exponent + rate->half_width));
    cJSON_AddNumberToObject(object, "log_constant", law->log_constant);
    cJSON_AddStringToObject(object, "error_from", law->weighted ? "points" : "scatter");
    cJSON_AddNumberToObject(object, "dof", law->dof);
    cJSON_AddNumberToObject(object, "scatter_se", law->scatter_se);
    cJSON_AddNumberToObject(object, "chi_sq", law->chi_sq);
    cJSON_AddNumberToObject(object, "chi_sq_dof", (double)law->scatter_dof);
    cJSON_AddNumberToObject(object, "p_value", law->p_value);
    cJSON_AddItemToObject(object, "power_law", law->weighted ? cJSON_CreateBool(rate->straight) : cJSON_CreateNull());
    cJSON_AddNumberToObject(object, "largest_departure", law->largest_departure);
    return object;
}

static cJSON *comparison_to_json(const char *with, const hsgd_rate_comparison *c)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "with", with);
    cJSON_AddNumberToObject(object, "exponent", c->exponent);
    cJSON_AddNumberToObject(object, "difference", c->difference);
    cJSON_AddItemToObject(object, "ci", interval_to_json(c->difference - c->half_width, c->difference + c->half_width));
    cJSON_AddStringToObject(object, "verdict", hsgd_rate_verdict_name(c->verdict));
    return object;
}

static cJSON *theory_to_json(const hsgd_rate *rate)
{
    cJSON *array = cJSON_CreateArray();
    if (rate->made && !isnan(rate->plan->expected))
        cJSON_AddItemToArray(array,
                             comparison_to_json(rate->plan->asked ? "expected" : "asymptotic", &rate->asymptotic));
    for (size_t b = 0; b < rate->num_bounds; b++) {
        const hsgd_rate_bound *bound = &rate->bound[b];
        cJSON *object = comparison_to_json(bound->id, &bound->comparison);
        cJSON_AddNumberToObject(object, "points", (double)bound->num_applicable);
        cJSON_AddNumberToObject(object, "log_constant", bound->everywhere ? bound->law.log_constant : NAN);
        cJSON_AddNumberToObject(object, "largest_departure", bound->everywhere ? bound->law.largest_departure : NAN);
        cJSON_AddItemToArray(array, object);
    }
    return array;
}

/* The configuration of the first point, with its defaults. */
static cJSON *config_to_json(const hsgd_rate *rate)
{
    char *text = hsgd_config_to_json(&rate->plan->config[0]);
    cJSON *config = text ? cJSON_Parse(text) : cJSON_CreateNull();
    cJSON_free(text);
    return config;
}

cJSON *hsgd_rate_to_json(const hsgd_rate *rate, const hsgd_figure_report *report)
{
    const hsgd_rate_plan *plan = rate->plan;
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "name", plan->name);
    cJSON_AddStringToObject(root, "version", HSGD_VERSION);
    cJSON_AddItemToObject(root, "rate", plan_to_json(plan));
    cJSON_AddStringToObject(root, "symbol", hsgd_rate_symbol(plan->over));
    cJSON_AddNumberToObject(root, "confidence", plan->confidence);
    cJSON *points = cJSON_AddArrayToObject(root, "points");
    for (size_t i = 0; i < rate->num_points; i++)
        cJSON_AddItemToArray(points, point_to_json(rate, i));
    cJSON_AddItemToObject(root, "fit", rate->made ? fit_to_json(rate) : cJSON_CreateNull());
    cJSON_AddItemToObject(root, "theory", theory_to_json(rate));
    cJSON_AddStringToObject(root, "verdict", hsgd_rate_verdict_name(rate->verdict));
    cJSON_AddItemToObject(root, "tightest_bound",
                          rate->tightest ? cJSON_CreateString(rate->tightest->id) : cJSON_CreateNull());
    cJSON_AddStringToObject(root, "reason", rate->reason);
    cJSON_AddBoolToObject(root, "bound_violated", rate->violated);
    cJSON_AddItemToObject(root, "config", config_to_json(rate));
    hsgd_style_to_json(root, &plan->style);
    cJSON *files = cJSON_AddArrayToObject(root, "files");
    cJSON_AddItemToArray(files, cJSON_CreateString("rate.json"));
    cJSON_AddItemToArray(files, cJSON_CreateString("rate.csv"));
    for (size_t i = 0; i < report->num_files; i++)
        cJSON_AddItemToArray(files, cJSON_CreateString(report->file[i]));
    return root;
}

static hsgd_status write_json(const hsgd_rate *rate, const char *dir, const hsgd_figure_report *report, hsgd_error *err)
{
    static const char *const outputs[] = {"rate.csv", NULL};
    cJSON *provenance;
    hsgd_status status = hsgd_provenance_of_config(&provenance, "rate", &rate->plan->config[0], err);
    return status
               ? status
               : hsgd_document_write(dir, HSGD_FOLDER_RATE, hsgd_rate_to_json(rate, report), provenance, outputs, err);
}

/* ---- rate.csv ---- */

static void put_header(const hsgd_rate *rate, FILE *f)
{
    fprintf(f, "%s,num_workers,steps,local_period,global_period,step_size,L,value,se,low,high,seeds,fitted,line,",
            hsgd_rate_symbol(rate->plan->over));
    fputs("slope_to_next,slope_to_next_se", f);
    for (size_t b = 0; b < rate->num_bounds; b++)
        fprintf(f, ",%s,%s_ratio,%s_verdict", rate->bound[b].id, rate->bound[b].id, rate->bound[b].id);
    fputc('\n', f);
}

static void put_row(const hsgd_rate *rate, size_t i, FILE *f)
{
    const hsgd_rate_point *p = &rate->point[i];
    double line = rate->made ? exp(rate->law.log_constant + rate->law.exponent * log(p->at)) : NAN;
    fprintf(f, "%.17g,%zu,%zu,%zu,%zu,%.17g,%.17g,", p->at, p->workers, p->steps, p->local_period, p->global_period,
            p->step_size, p->smoothness);
    fprintf(f, "%.17g,%.17g,%.17g,%.17g,%zu,%d,%.17g,", p->value.mean, p->value.se, p->low, p->high,
            rate->plan->exact ? 0 : p->value.count, p->fitted, line);
    fprintf(f, "%.17g,%.17g", p->slope.mean, p->slope.se);
    for (size_t b = 0; b < rate->num_bounds; b++) {
        double bound = rate->bound[b].value[i];
        fprintf(f, ",%.17g,%.17g,%s", bound, p->value.mean / bound, hsgd_verdict_name(rate->bound[b].verdict[i]));
    }
    fputc('\n', f);
}

static hsgd_status write_csv(const hsgd_rate *rate, const char *dir, hsgd_error *err)
{
    hsgd_output out;
    hsgd_status status = hsgd_output_open(&out, dir, "rate", "csv", err);
    if (status)
        return status;
    put_header(rate, out.stream);
    for (size_t i = 0; i < rate->num_points; i++)
        put_row(rate, i, out.stream);
    return hsgd_output_close(&out, err);
}

hsgd_status hsgd_rate_write(const hsgd_rate *rate, const char *dir, const hsgd_figure_report *report, hsgd_error *err)
{
    hsgd_status status = hsgd_folder_unfinish(dir, HSGD_FOLDER_RATE, err);
    if (!status)
        status = write_csv(rate, dir, err);
    return status ? status : write_json(rate, dir, report, err);
}
