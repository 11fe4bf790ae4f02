/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figure of a training's folder, from its train.json alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/folder_private.h"
#include "experiments/train_private.h"
#include "plots/train.h"

typedef struct folder {
    hsgd_folder_document from;
    hsgd_train_figure_input input;
    hsgd_train_figure_level *level;
    double *memory; /* what the levels borrow */
} folder;

static void folder_free(folder *f)
{
    free(f->level);
    free(f->memory);
    hsgd_folder_document_free(&f->from);
}

static const cJSON *find(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static double member(const cJSON *object, const char *key)
{
    return number_or_nan(find(object, key));
}

static hsgd_train_times times_of(const cJSON *summary)
{
    bool never = !(member(summary, "count") > 0);
    return (hsgd_train_times){never ? NAN : member(summary, "median_s"),
                              never ? NAN : member(summary, "quantile_95_s")};
}

/* Probes of a level, but for barriers. Returns how many numbers of memory are used. */
static size_t read_probes(hsgd_train_figure_level *out, const cJSON *probes, size_t level, double *memory)
{
    size_t most = (size_t)cJSON_GetArraySize(probes);
    double *bytes = memory, *time_s = memory + most;
    for (const cJSON *probe = probes->child; probe; probe = probe->next)
        if (member(probe, "level") == (double)level && member(probe, "bytes") > 0) {
            bytes[out->num_probes] = member(probe, "bytes");
            time_s[out->num_probes++] = member(probe, "median_s");
        }
    out->bytes = bytes;
    out->time_s = time_s;
    return 2 * most;
}

/* Levels in order; with the route "tree" an average passes the levels below, too. */
static void read_levels(folder *f, const cJSON *root, const cJSON *levels, const cJSON *probes)
{
    const cJSON *route = find(find(root, "communication"), "route");
    bool tree = cJSON_IsString(route) && strcmp(route->valuestring, "tree") == 0;
    double *memory = f->memory;
    size_t k = 0;
    for (const cJSON *item = levels->child; item; item = item->next, k++) {
        hsgd_train_figure_level *level = &f->level[k];
        const cJSON *fit = find(item, "fit");
        level->wait = times_of(find(item, "wait"));
        level->average = times_of(find(item, "allreduce"));
        level->latency_s = member(fit, "latency_s");
        level->inverse_s_per_b = 1 / member(fit, "bandwidth_bytes_per_s");
        memory += read_probes(level, probes, k + 1, memory);
    }
    for (size_t below = k; tree && below-- > 1;) {
        f->level[below - 1].latency_s += f->level[below].latency_s;
        f->level[below - 1].inverse_s_per_b += f->level[below].inverse_s_per_b;
    }
}

static hsgd_status read_input(folder *f, const hsgd_json *root, hsgd_error *err)
{
    hsgd_train_figure_input *in = &f->input;
    hsgd_json name = hsgd_json_member(root, "name"), workers = hsgd_json_member(root, "workers");
    hsgd_json hosts = hsgd_json_member(root, "hosts"), bytes = hsgd_json_member(root, "model_bytes");
    hsgd_json levels = hsgd_json_member(root, "levels"), probes = hsgd_json_member(root, "probes");
    size_t num_probes = 0;
    hsgd_status status = hsgd_json_text(&name, &in->name, err);
    if (!status)
        status = hsgd_json_count(&workers, 1, HSGD_MAX_WORKERS, &in->num_workers, err);
    if (!status)
        status = hsgd_json_count(&hosts, 1, HSGD_MAX_WORKERS, &in->num_hosts, err);
    if (!status)
        status = hsgd_json_positive(&bytes, &in->model_bytes, err);
    if (!status)
        status = hsgd_json_array(&levels, 1, &in->num_levels, err);
    if (!status)
        status = hsgd_json_array(&probes, 1, &num_probes, err);
    if (status)
        return status;
    f->level = calloc(in->num_levels, sizeof *f->level);
    f->memory = calloc(2 * in->num_levels * num_probes, sizeof *f->memory);
    if (!f->level || !f->memory)
        return hsgd_fail_memory(err, "the data of a figure");
    in->step = times_of(find(root->value, "computing"));
    in->level = f->level;
    read_levels(f, root->value, levels.value, probes.value);
    return HSGD_OK;
}

static hsgd_status read_folder(folder *f, const char *dir, const hsgd_style_change *change, hsgd_error *err)
{
    *f = (folder){0};
    hsgd_json root;
    hsgd_status status = hsgd_folder_read_document(&f->from, &root, dir, HSGD_FOLDER_TRAIN, change, err);
    return status ? status : read_input(f, &root, err);
}

hsgd_status hsgd_train_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                            hsgd_error *err)
{
    folder f;
    report->num_files = report->num_notes = 0;
    hsgd_status status = read_folder(&f, dir, change, err);
    if (!status)
        status = hsgd_folder_remove_figure(dir, HSGD_TRAIN_FIGURE, err);
    if (!status)
        status = hsgd_train_figure_write(&f.input, dir, &f.from.style, err);
    if (!status) {
        hsgd_folder_list_script(report, HSGD_TRAIN_FIGURE);
        status = hsgd_folder_render(dir, HSGD_TRAIN_FIGURE, &f.from.style, report, err);
    }
    if (!status)
        hsgd_folder_list_shared(report, f.from.style.format);
    folder_free(&f);
    return status;
}
