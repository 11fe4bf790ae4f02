/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading the key "pep": the range of step sizes and one axis, a curve for each of its values. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/experiment_private.h"
#include "experiments/pep_curves_private.h"
#include "experiments/pep_private.h"
#include "experiments/problem.h"
#include "experiments/sweep_private.h"

static hsgd_status read_settings(void *context, const hsgd_json *section, hsgd_error *err)
{
    hsgd_pep_curves *out = context;
    hsgd_json from = hsgd_json_member(section, "from"), to = hsgd_json_member(section, "to");
    hsgd_json points = hsgd_json_member(section, "points"), axes = hsgd_json_member(section, "axes");
    static const double LEAST = 1e-6, MOST = 1.99; /* of gamma L; there is no worst case from 2 on */
    hsgd_status status = HSGD_OK;
    out->from = 0.01;
    out->to = 1.8;
    out->points = 30;
    if (from.value)
        status = hsgd_json_number(&from, LEAST, MOST, &out->from, err);
    if (!status && to.value)
        status = hsgd_json_number(&to, LEAST, MOST, &out->to, err);
    if (!status && !(out->from < out->to))
        status = hsgd_json_fail(to.value ? &to : &from, err, "expected \"from\" below \"to\", not %g to %g", out->from,
                                out->to);
    if (!status && points.value)
        status = hsgd_json_count(&points, 3, HSGD_MAX_PEP_STEP_SIZES, &out->points, err);
    if (!status && cJSON_GetArraySize(axes.value) > 1)
        status = hsgd_json_fail(&axes, err, "one axis makes the curves; their abscissa is the step size");
    return status;
}

static const char *const keys[] = {"axes", "from", "to", "points", NULL};
static const char *const figures[] = {"pep", NULL};

static hsgd_grid_section section_of(hsgd_pep_curves *curves)
{
    return (hsgd_grid_section){.name = "pep",
                               .keys = keys,
                               .max_points = HSGD_MAX_PEP_CURVES,
                               .figures = figures,
                               .read = read_settings,
                               .context = curves};
}

/* ---- the constants ---- */

static hsgd_status prepare(hsgd_pep_curve *out, const hsgd_config *config, const char *file, hsgd_error *err)
{
    hsgd_problem problem;
    hsgd_status status = hsgd_problem_build(&problem, config, file, err);
    if (status)
        return status;
    hsgd_experiment e = {.config = config, .problem = &problem, .constants.convexity = -INFINITY};
    status = hsgd_experiment_prepare(&e, err);
    status = status ? status : hsgd_pep_params_of(&out->params, &e, err);
    hsgd_experiment_free(&e);
    hsgd_problem_free(&problem);
    if (status)
        return status;
    hsgd_pep_problem unused;
    return hsgd_pep_problem_from_params(&unused, &out->params,
                                        err); /* what is refused is refused before anything is solved */
}

static hsgd_status begin_curve(hsgd_pep_curve *out, const hsgd_pep_curves *curves, size_t i, hsgd_error *err)
{
    hsgd_config config;
    const char *text = curves->grid.point[i].config;
    hsgd_status status = hsgd_config_parse(&config, text, strlen(text), curves->file, err);
    if (status)
        return status;
    status = prepare(out, &config, curves->file, err);
    hsgd_config_free(&config);
    if (status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(err, "%s: %s: ", curves->file, curves->grid.point[i].title);
    return status;
}

static hsgd_status begin_curves(hsgd_pep_curves *curves, hsgd_error *err)
{
    curves->curve = calloc(curves->grid.num_points, sizeof *curves->curve);
    hsgd_status status = curves->curve ? HSGD_OK : hsgd_fail_memory(err, "the curves");
    for (size_t i = 0; i < curves->grid.num_points && !status; i++)
        status = begin_curve(&curves->curve[i], curves, i, err);
    if (status)
        hsgd_pep_curves_free(curves);
    return status;
}

hsgd_status hsgd_pep_curves_read(hsgd_pep_curves *out, const char *path, hsgd_error *err)
{
    *out = (hsgd_pep_curves){.file = path};
    const hsgd_grid_section section = section_of(out);
    hsgd_status status = hsgd_grid_read(&out->grid, &section, path, 0, err);
    return status ? status : begin_curves(out, err);
}

hsgd_status hsgd_pep_curves_parse(hsgd_pep_curves *out, const char *text, size_t length, const char *file,
                                  hsgd_error *err)
{
    *out = (hsgd_pep_curves){.file = file};
    const hsgd_grid_section section = section_of(out);
    hsgd_status status = hsgd_grid_parse(&out->grid, &section, text, length, file, 0, err);
    return status ? status : begin_curves(out, err);
}

void hsgd_pep_curves_free(hsgd_pep_curves *curves)
{
    for (size_t i = 0; curves->curve && i < curves->grid.num_points; i++) {
        hsgd_bound_params_free(&curves->curve[i].params);
        free(curves->curve[i].step);
    }
    free(curves->curve);
    hsgd_sweep_free(&curves->grid);
    *curves = (hsgd_pep_curves){.file = NULL};
}

hsgd_status hsgd_pep_curves_wanted(bool *wanted, const char *path, hsgd_error *err)
{
    cJSON *document;
    *wanted = false;
    if (strcmp(path, "-") == 0)
        return HSGD_OK;
    hsgd_status status = hsgd_json_read_file(&document, path, err);
    if (status)
        return status;
    *wanted = cJSON_GetObjectItemCaseSensitive(document, "pep") != NULL;
    cJSON_Delete(document);
    return HSGD_OK;
}
