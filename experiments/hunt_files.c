/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hunt.json, hunt.csv and worst.json. */
#include "experiments/folder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/bound_json_private.h"
#include "experiments/config_private.h"
#include "experiments/document_private.h"
#include "experiments/hunt_private.h"
#include "experiments/provenance_private.h"
#include "experiments/style_private.h"
#include "plots/output.h"

/* ---- hunt.json ---- */

static void add_number(cJSON *object, const char *key, double value)
{
    cJSON_AddItemToObject(object, key, isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

static cJSON *hunted_to_json(const hsgd_hunted *h)
{
    cJSON *object = cJSON_CreateObject();
    add_number(object, "ratio", h->ratio > 0 ? h->ratio : NAN);
    add_number(object, "measured", h->measured);
    add_number(object, "bound", h->bound);
    add_number(object, "rounding", h->rounding);
    if (h->level) {
        cJSON_AddNumberToObject(object, "step", (double)h->step);
        cJSON_AddNumberToObject(object, "level", (double)h->level);
    }
    cJSON_AddStringToObject(object, "reason", h->reason);
    return object;
}

static cJSON *constants_to_json(const hsgd_hunt_constants *c)
{
    cJSON *object = cJSON_CreateObject();
    add_number(object, "step_size", c->step_size);
    add_number(object, "L", c->smoothness);
    add_number(object, "sigma_sq", c->noise_sq);
    add_number(object, "f_star", c->minimum);
    add_number(object, "delta", c->delta);
    cJSON_AddItemToObject(object, "level_divergence_sq", hsgd_numbers_to_json(c->level_divergence_sq, c->num_levels));
    return object;
}

static cJSON *start_to_json(const hsgd_hunt_start *s)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "searcher", hsgd_search_method_name(s->method));
    cJSON_AddStringToObject(object, "from", s->from_best ? "best" : "anywhere");
    cJSON_AddNumberToObject(object, "first_evaluation", (double)s->first_evaluation);
    cJSON_AddNumberToObject(object, "evaluations", (double)s->evaluations);
    add_number(object, "ratio", s->ratio > 0 ? s->ratio : NAN);
    cJSON *at = cJSON_AddArrayToObject(object, "evaluation");
    for (size_t i = 0; i < s->num_points; i++)
        cJSON_AddItemToArray(at, cJSON_CreateNumber((double)s->evaluation[i]));
    cJSON_AddItemToObject(object, "best_ratio", hsgd_numbers_to_json(s->best_ratio, s->num_points));
    return object;
}

static cJSON *other_to_json(const hsgd_hunt *hunt)
{
    cJSON *array = cJSON_CreateArray();
    const hsgd_bound_list *bounds = &hunt->config->bounds;
    for (size_t i = 0; i < hsgd_num_quarries(bounds); i++) {
        hsgd_quarry quarry = hsgd_quarry_at(bounds, i);
        cJSON *object = hunted_to_json(&hunt->other[i]);
        cJSON_AddStringToObject(object, "id", quarry.id);
        cJSON_AddStringToObject(object, "title", quarry.title);
        cJSON_AddStringToObject(object, "of", quarry.bound ? hsgd_target_name(quarry.bound->target) : "dispersion");
        cJSON_AddItemToArray(array, object);
    }
    return array;
}

static void add_starts(cJSON *root, const hsgd_hunt *hunt)
{
    cJSON_AddNumberToObject(root, "parameters", (double)hunt->num_parameters);
    cJSON_AddNumberToObject(root, "evaluations", (double)hunt->evaluations);
    cJSON_AddNumberToObject(root, "best_start", (double)hunt->best_start);
    cJSON *starts = cJSON_AddArrayToObject(root, "starts");
    for (size_t i = 0; i < hunt->num_starts; i++)
        cJSON_AddItemToArray(starts, start_to_json(&hunt->start[i]));
}

static cJSON *hunt_to_json(const hsgd_hunt *hunt)
{
    cJSON *root = cJSON_CreateObject();
    const hsgd_config *config = hunt->config;
    cJSON_AddStringToObject(root, "name", config->name);
    cJSON_AddStringToObject(root, "version", HSGD_VERSION);
    cJSON_AddNumberToObject(root, "workers", (double)config->hierarchy.num_workers);
    cJSON_AddNumberToObject(root, "levels", (double)config->hierarchy.num_levels);
    cJSON_AddNumberToObject(root, "steps", (double)config->steps);
    cJSON_AddNumberToObject(root, "dimension", (double)hunt->dimension);
    hsgd_hunt_spec_to_json(cJSON_AddObjectToObject(root, "hunt"), &config->hunt);
    cJSON_AddStringToObject(root, "title", hunt->quarry.title);
    cJSON_AddBoolToObject(root, "weakened", hunt->weakened);
    cJSON_AddItemToObject(root, "found", hunted_to_json(&hunt->found));
    cJSON_AddBoolToObject(root, "confirmed", hunt->confirmed);
    cJSON_AddBoolToObject(root, "violated", hunt->violated);
    cJSON_AddItemToObject(root, "constants", constants_to_json(&hunt->constants));
    cJSON_AddItemToObject(root, "bounds", other_to_json(hunt));
    add_starts(root, hunt);
    hsgd_style_to_json(root, &config->figure_style);
    return root;
}

cJSON *hsgd_hunt_worst_to_json(const hsgd_hunt *hunt)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddItemToObject(root, "found", hunted_to_json(&hunt->found));
    cJSON_AddItemToObject(root, "constants", constants_to_json(&hunt->constants));
    cJSON_AddItemToObject(root, "bounds", other_to_json(hunt));
    return root;
}

static hsgd_status write_text(const char *dir, const char *name, const char *text, hsgd_error *err)
{
    hsgd_output out;
    hsgd_status status = hsgd_output_open(&out, dir, name, "json", err);
    if (status)
        return status;
    fputs(text, out.stream);
    return hsgd_output_close(&out, err);
}

static hsgd_status write_json(const hsgd_hunt *hunt, const char *dir, hsgd_error *err)
{
    static const char *const outputs[] = {"hunt.csv", "worst.json", NULL};
    cJSON *provenance;
    hsgd_status status = hsgd_provenance_of_config(&provenance, "hunt", hunt->config, err);
    return status ? status : hsgd_document_write(dir, HSGD_FOLDER_HUNT, hunt_to_json(hunt), provenance, outputs, err);
}

/* ---- hunt.csv ---- */

/* A row whenever a start had grown by a thousandth, and at its end; best is that of all starts until then, in their order. */
static void put_rows(const hsgd_hunt *hunt, FILE *stream)
{
    double best = 0;
    fputs("start,searcher,from,evaluation,ratio,best\n", stream);
    for (size_t i = 0; i < hunt->num_starts; i++) {
        const hsgd_hunt_start *s = &hunt->start[i];
        for (size_t p = 0; p < s->num_points; p++) {
            best = fmax(best, s->best_ratio[p]);
            fprintf(stream, "%zu,%s,%s,%zu,%.17g,%.17g\n", i, hsgd_search_method_name(s->method),
                    s->from_best ? "best" : "anywhere", s->first_evaluation + s->evaluation[p], s->best_ratio[p], best);
        }
    }
}

hsgd_status hsgd_hunt_write(const hsgd_hunt *hunt, const char *dir, hsgd_error *err)
{
    hsgd_output out;
    hsgd_status status = hsgd_folder_unfinish(dir, HSGD_FOLDER_HUNT, err);
    if (!status)
        status = write_text(dir, "worst", hunt->worst, err);
    if (!status)
        status = hsgd_output_open(&out, dir, "hunt", "csv", err);
    if (status)
        return status;
    put_rows(hunt, out.stream);
    status = hsgd_output_close(&out, err);
    return status ? status : write_json(hunt, dir, err);
}
