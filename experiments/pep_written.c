/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/pep_written_private.h"

#include <string.h>

#include "bounds/certificate_round.h"
#include "experiments/certificate_private.h"

static hsgd_status write_certificate(hsgd_pep_written *out, const hsgd_pep_result *result, const char *path,
                                     hsgd_error *err)
{
    hsgd_status status = hsgd_certificate_from_result(&out->certificate, &out->verdict, &out->shift, result, err);
    if (!status)
        status = hsgd_certificate_write(&out->certificate, path, err);
    if (!status)
        out->certificate_path = path;
    return status;
}

/* Children of the nodes of each depth of the canonical tree, which the worst case is about. */
static hsgd_status find_fanouts(size_t *fanout, const hsgd_hierarchy *tree, hsgd_error *err)
{
    hsgd_hierarchy canonical;
    hsgd_status status = hsgd_hierarchy_canonical(&canonical, tree, NULL, NULL, err);
    if (status)
        return status;
    for (size_t u = 0; u < canonical.num_nodes; u++)
        fanout[canonical.node[u].depth] = canonical.node[u].num_children;
    hsgd_hierarchy_free(&canonical);
    return HSGD_OK;
}

static hsgd_status build_instance(hsgd_worst_problem *out, const hsgd_pep_result *result, const hsgd_hierarchy *tree,
                                  hsgd_error *err)
{
    size_t fanout[HSGD_MAX_LEVELS] = {0};
    hsgd_status status = find_fanouts(fanout, tree, err);
    if (!status)
        status = hsgd_worst_problem_build(out, result, fanout, err);
    if (!status && !out->holds)
        status =
            hsgd_fail(err, HSGD_ERROR_NUMERIC,
                      "the worst problem fails its check: criterion off by %.1e, interpolation %.1e, divergences %.1e, "
                      "gap %.1e, models %.1e",
                      out->criterion_error, out->interpolation_violation, out->divergence_violation, out->gap_violation,
                      out->model_error);
    return status;
}

static hsgd_status write_instance(hsgd_pep_written *out, const hsgd_pep_paths *paths, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    if (paths->instance)
        status = hsgd_worst_problem_write(&out->instance, paths->instance, err);
    out->instance_path = paths->instance;
    out->figure_folder = paths->instance_figure;
    return status;
}

hsgd_status hsgd_pep_write(hsgd_pep_written *out, const hsgd_worst_case *worst, const hsgd_bound_params *params,
                           const hsgd_pep_paths *paths, hsgd_error *err)
{
    const hsgd_pep_gap gap = worst->wish.wants[HSGD_PEP_DESCENT] ? HSGD_PEP_DESCENT : HSGD_PEP_LOWER_BOUND;
    const hsgd_pep_result *result = &worst->result[gap];
    hsgd_status status = HSGD_OK;
    memset(out, 0, sizeof *out);
    if (paths->certificate)
        status = write_certificate(out, result, paths->certificate, err);
    if (!status && (paths->instance || paths->instance_figure))
        status = build_instance(&out->instance, result, &params->tree, err);
    if (!status)
        status = write_instance(out, paths, err);
    if (status)
        hsgd_pep_written_free(out);
    return status;
}

hsgd_status hsgd_pep_written_draw(const hsgd_pep_written *written, hsgd_error *err)
{
    return written->figure_folder ? hsgd_worst_problem_draw(&written->instance, written->figure_folder, err) : HSGD_OK;
}

void hsgd_pep_written_free(hsgd_pep_written *written)
{
    hsgd_certificate_free(&written->certificate);
    hsgd_worst_problem_free(&written->instance);
    memset(written, 0, sizeof *written);
}

void hsgd_pep_written_print(const hsgd_pep_written *written, FILE *stream)
{
    char theorem[2048];
    const hsgd_worst_problem *p = &written->instance;
    if (written->certificate_path) {
        hsgd_certificate_theorem(theorem, sizeof theorem, &written->verdict, &written->certificate);
        fprintf(stream, "\n%s, %s gap, checked in exact arithmetic:\n  theorem: %s\n", written->certificate_path,
                hsgd_certificate_gap_name(written->certificate.gap), theorem);
    }
    if (written->instance_path || written->figure_folder)
        fprintf(stream,
                "\n%s%s%s%s, %s gap: a problem of %zu workers in %zu dimensions with %s = %.6g\n"
                "  (inequalities hold to %.0e, checked at every worker, node and step)\n",
                written->instance_path ? written->instance_path : "",
                written->instance_path && written->figure_folder ? ", " : "",
                written->figure_folder ? written->figure_folder : "",
                written->figure_folder ? "/worst-problem.pdf" : "", hsgd_pep_gap_name(p->problem.gap), p->num_workers,
                p->dim, p->problem.criterion == HSGD_PEP_MIN ? "S_min" : "S", p->criterion,
                HSGD_WORST_PROBLEM_TOLERANCE);
}

void hsgd_pep_written_to_json(cJSON *document, const hsgd_pep_written *written)
{
    const hsgd_worst_problem *p = &written->instance;
    if (written->certificate_path) {
        cJSON *object = hsgd_certificate_verdict_to_json(&written->verdict, &written->certificate);
        cJSON_AddStringToObject(object, "file", written->certificate_path);
        cJSON_AddStringToObject(object, "gap", hsgd_certificate_gap_name(written->certificate.gap));
        cJSON_AddNumberToObject(object, "shift", written->shift);
        cJSON_AddItemToObject(document, "certificate", object);
    }
    if (written->instance_path || written->figure_folder) {
        cJSON *object = cJSON_AddObjectToObject(document, "instance");
        if (written->instance_path)
            cJSON_AddStringToObject(object, "file", written->instance_path);
        if (written->figure_folder)
            cJSON_AddStringToObject(object, "figure", written->figure_folder);
        cJSON_AddStringToObject(object, "gap", hsgd_pep_gap_name(p->problem.gap));
        cJSON_AddNumberToObject(object, "workers", (double)p->num_workers);
        cJSON_AddNumberToObject(object, "dimension", (double)p->dim);
        cJSON_AddNumberToObject(object, "value", p->criterion);
    }
}
