/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/provenance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "experiments/json_private.h"
#include "experiments/leaf.h"
#include "experiments/provenance_private.h"

/* ---- date ---- */

/* The seconds that SOURCE_DATE_EPOCH gives, or now; *fixed says which. */
static hsgd_status find_time(time_t *out, bool *fixed, hsgd_error *err)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    *fixed = text && *text;
    if (!*fixed) {
        *out = time(NULL);
        return HSGD_OK;
    }
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end || *text < '0' || *text > '9' || value > 253402300799) /* the year 9999 */
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "SOURCE_DATE_EPOCH: \"%s\" is not a number of seconds since 1970, from 0 to 253402300799",
                         text);
    *out = (time_t)value;
    return HSGD_OK;
}

static hsgd_status find_date(hsgd_provenance *p, hsgd_error *err)
{
    time_t when;
    struct tm utc;
    bool fixed;
    hsgd_status status = find_time(&when, &fixed, err);
    if (status)
        return status;
    if (fixed)
        p->threads = p->processes = 0;
    if (gmtime_r(&when, &utc))
        strftime(p->date, sizeof p->date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return HSGD_OK;
}

/* ---- configuration ---- */

/* What follows the last slash; a slash at the end is of no account. */
static const char *base_name(const char *path)
{
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/')
        length--;
    while (length > 0 && path[length - 1] != '/')
        length--;
    return path + length;
}

/* Replace every text below the item that has a folder in it by its last part. */
static hsgd_status forget_folders(cJSON *item, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (cJSON *child = item ? item->child : NULL; child && !status; child = child->next)
        status = forget_folders(child, err);
    if (cJSON_IsString(item) && strchr(item->valuestring, '/')) {
        char *name = strdup(base_name(item->valuestring));
        if (!name || !cJSON_SetValuestring(item, name))
            status = hsgd_fail_memory(err, "the configuration");
        free(name);
    }
    return status;
}

/* SHA-256 of the resolved configuration, with names of data files in place of their paths: the same on every machine. */
hsgd_status hsgd_provenance_hash_document(char out[HSGD_CHECKSUM_SIZE], const cJSON *config, hsgd_error *err)
{
    cJSON *document = cJSON_Duplicate(config, true);
    hsgd_status status = document ? HSGD_OK : hsgd_fail_memory(err, "the configuration");
    const cJSON *problem = cJSON_GetObjectItemCaseSensitive(document, "problem");
    if (!status)
        status = forget_folders(cJSON_GetObjectItemCaseSensitive(problem, "data"), err);
    if (!status) /* of a plug-in */
        status = forget_folders(cJSON_GetObjectItemCaseSensitive(problem, "path"), err);
    char *text = status ? NULL : hsgd_json_print(document);
    hsgd_checksum *checksum = hsgd_checksum_alloc();
    if (text && checksum) {
        hsgd_checksum_add(checksum, text, strlen(text));
        hsgd_checksum_finish(checksum, out);
    } else if (!status)
        status = hsgd_fail_memory(err, "the configuration");
    hsgd_checksum_free(checksum);
    cJSON_free(text);
    cJSON_Delete(document);
    return status;
}

hsgd_status hsgd_provenance_hash_config(char out[HSGD_CHECKSUM_SIZE], const hsgd_config *config, hsgd_error *err)
{
    char *text = hsgd_config_to_json(config);
    cJSON *document = text ? cJSON_Parse(text) : NULL;
    cJSON_free(text);
    hsgd_status status =
        document ? hsgd_provenance_hash_document(out, document, err) : hsgd_fail_memory(err, "the configuration");
    cJSON_Delete(document);
    return status;
}

/* ---- data ---- */

static bool has_file(const hsgd_provenance *p, const char *path)
{
    for (size_t i = 0; i < p->num_files; i++)
        if (strcmp(p->file[i].path, path) == 0)
            return true;
    return false;
}

/* Once, however many configurations read it. */
static hsgd_status add_file(hsgd_provenance *p, hsgd_checksum *checksum, const char *path, hsgd_error *err)
{
    if (has_file(p, path))
        return HSGD_OK;
    hsgd_provenance_file *grown = realloc(p->file, (p->num_files + 1) * sizeof *grown);
    if (!grown)
        return hsgd_fail_memory(err, "the list of data files");
    p->file = grown;
    hsgd_provenance_file *file = &p->file[p->num_files];
    *file = (hsgd_provenance_file){.name = strdup(base_name(path)), .path = strdup(path)};
    p->num_files++;
    if (!file->name || !file->path) {
        p->num_files--;
        free(file->name);
        free(file->path);
        return hsgd_fail_memory(err, "the list of data files");
    }
    hsgd_status status = hsgd_checksum_add_file(checksum, path, &file->bytes, err);
    hsgd_checksum_finish(checksum, file->sha256);
    return status;
}

/* A path may be a folder of LEAF files. */
static hsgd_status add_path(hsgd_provenance *p, hsgd_checksum *checksum, const char *path, hsgd_error *err)
{
    char **file;
    size_t num_files;
    hsgd_status status = hsgd_leaf_files(&file, &num_files, path, err);
    if (status)
        return status;
    for (size_t i = 0; i < num_files && !status; i++)
        status = add_file(p, checksum, file[i], err);
    hsgd_leaf_files_free(file, num_files);
    return status;
}

static hsgd_status add_files(hsgd_provenance *p, hsgd_checksum *checksum, const hsgd_data_files *files, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < files->num_paths && !status; i++)
        status = add_path(p, checksum, files->path[i], err);
    if (!status && files->labels)
        status = add_file(p, checksum, files->labels, err);
    return status;
}

static bool has_data(const hsgd_config *config)
{
    return config->problem != HSGD_PROBLEM_QUADRATIC && config->problem != HSGD_PROBLEM_QUADRATIC_GENERATED &&
           config->problem != HSGD_PROBLEM_PLUGIN;
}

hsgd_status hsgd_provenance_add_data(hsgd_provenance *p, const hsgd_config *config, hsgd_error *err)
{
    if (!has_data(config))
        return HSGD_OK;
    hsgd_checksum *checksum = hsgd_checksum_alloc();
    hsgd_status status =
        checksum ? add_files(p, checksum, &config->data.train, err) : hsgd_fail_memory(err, "a checksum");
    if (!status)
        status = add_files(p, checksum, &config->data.test, err);
    hsgd_checksum_free(checksum);
    return status;
}

hsgd_status hsgd_provenance_find(hsgd_provenance *out, const hsgd_config *config, const char *command, size_t threads,
                                 const hsgd_team *team, hsgd_error *err)
{
    *out = (hsgd_provenance){.command = command, .threads = threads, .processes = (size_t)hsgd_team_size(team)};
    if (team)
        hsgd_mpi_library(out->mpi);
    hsgd_status status = find_date(out, err);
    if (!status)
        status = hsgd_provenance_hash_config(out->config_sha256, config, err);
    return status ? status : hsgd_provenance_add_data(out, config, err);
}

void hsgd_provenance_free(hsgd_provenance *provenance)
{
    for (size_t i = 0; i < provenance->num_files; i++) {
        free(provenance->file[i].name);
        free(provenance->file[i].path);
    }
    free(provenance->file);
    *provenance = (hsgd_provenance){0};
}

/* ---- result.json ---- */

cJSON *hsgd_provenance_files_to_json(const hsgd_provenance *p)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < p->num_files; i++) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "name", p->file[i].name);
        cJSON_AddNumberToObject(object, "bytes", p->file[i].bytes);
        cJSON_AddStringToObject(object, "sha256", p->file[i].sha256);
        cJSON_AddItemToArray(array, object);
    }
    return array;
}

/* Of which shared object the objective is. */
static cJSON *plugin_to_json(const hsgd_plugin_library *library)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", library->plugin->name);
    if (library->plugin->version)
        cJSON_AddStringToObject(object, "version", library->plugin->version);
    cJSON_AddNumberToObject(object, "interface", library->plugin->interface);
    cJSON_AddStringToObject(object, "path", library->path);
    cJSON_AddNumberToObject(object, "bytes", library->bytes);
    cJSON_AddStringToObject(object, "sha256", library->sha256);
    return object;
}

/* What all documents say. */
static cJSON *program_to_json(const hsgd_provenance *p)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "command", p->command);
    cJSON_AddStringToObject(object, "commit", hsgd_built_commit);
    cJSON_AddStringToObject(object, "date", p->date);
    return object;
}

static void add_seeds(cJSON *object, const hsgd_config *config, size_t seeds)
{
    cJSON_AddNumberToObject(object, "first_seed", (double)config->first_seed);
    cJSON_AddNumberToObject(object, "last_seed", (double)config->first_seed + (double)seeds - 1);
}

static void add_inputs(cJSON *object, const hsgd_provenance *p)
{
    cJSON_AddStringToObject(object, "config_sha256", p->config_sha256);
    cJSON_AddItemToObject(object, "data_files", hsgd_provenance_files_to_json(p));
}

cJSON *hsgd_provenance_to_json(const hsgd_experiment *e)
{
    const hsgd_provenance *p = e->provenance;
    const hsgd_data_summary *read = &e->problem->read;
    if (!p)
        return cJSON_CreateNull();
    cJSON *object = program_to_json(p);
    add_seeds(object, e->config, e->run[HSGD_RUN_MAIN].num_seeds);
    if (p->threads)
        cJSON_AddNumberToObject(object, "threads", (double)p->threads);
    if (p->processes > 1) {
        cJSON_AddNumberToObject(object, "processes", (double)p->processes);
        cJSON_AddStringToObject(object, "mpi", p->mpi);
    }
    hsgd_provenance_add_machine(object);
    add_inputs(object, p);
    if (e->problem->plugin.handle)
        cJSON_AddItemToObject(object, "plugin", plugin_to_json(&e->problem->plugin));
    if (*read->images_sha256)
        cJSON_AddStringToObject(object, "images_sha256", read->images_sha256);
    if (*read->test_images_sha256)
        cJSON_AddStringToObject(object, "test_images_sha256", read->test_images_sha256);
    return object;
}

hsgd_status hsgd_provenance_of_program(cJSON **out, const char *command, hsgd_error *err)
{
    hsgd_provenance p = {.command = command};
    hsgd_status status = find_date(&p, err);
    *out = NULL;
    if (status)
        return status;
    *out = program_to_json(&p);
    hsgd_provenance_add_machine(*out);
    return HSGD_OK;
}

/* The shared object itself need not be loaded any more. */
hsgd_status hsgd_provenance_add_plugin(cJSON *object, const char *path, hsgd_error *err)
{
    char digits[HSGD_CHECKSUM_SIZE];
    double bytes;
    hsgd_checksum *checksum = hsgd_checksum_alloc();
    hsgd_status status =
        checksum ? hsgd_checksum_add_file(checksum, path, &bytes, err) : hsgd_fail_memory(err, "a checksum");
    if (!status) {
        cJSON *plugin = cJSON_AddObjectToObject(object, "plugin");
        hsgd_checksum_finish(checksum, digits);
        cJSON_AddStringToObject(plugin, "name", base_name(path));
        cJSON_AddStringToObject(plugin, "path", path);
        cJSON_AddNumberToObject(plugin, "bytes", bytes);
        cJSON_AddStringToObject(plugin, "sha256", digits);
    }
    hsgd_checksum_free(checksum);
    return status == HSGD_ERROR_MEMORY ? status : HSGD_OK;
}

hsgd_status hsgd_provenance_of_config(cJSON **out, const char *command, const hsgd_config *config, hsgd_error *err)
{
    hsgd_provenance p;
    hsgd_error reason;
    *out = NULL;
    hsgd_status status = hsgd_provenance_find(&p, config, command, 0, NULL, &reason);
    /* data that went away while the numbers were worked out are no reason to lose these */
    bool lost = status == HSGD_ERROR_INPUT && *p.config_sha256;
    if (!status || lost) {
        *out = program_to_json(&p);
        add_seeds(*out, config, hsgd_config_runs(config));
        hsgd_provenance_add_machine(*out);
        add_inputs(*out, &p);
        if (lost)
            cJSON_AddStringToObject(*out, "data_note", reason.message);
        status = config->problem == HSGD_PROBLEM_PLUGIN ? hsgd_provenance_add_plugin(*out, config->plugin_path, err)
                                                        : HSGD_OK;
        if (status) {
            cJSON_Delete(*out);
            *out = NULL;
        }
    } else
        hsgd_fail(err, status, "%s", reason.message);
    hsgd_provenance_free(&p);
    return status;
}

hsgd_status hsgd_provenance_put(cJSON *document, const char *command, hsgd_error *err)
{
    cJSON *provenance;
    hsgd_status status = hsgd_provenance_of_program(&provenance, command, err);
    cJSON_AddStringToObject(document, "version", HSGD_VERSION);
    if (status) {
        cJSON_Delete(document);
        return status;
    }
    cJSON_AddItemToObject(document, "provenance", provenance);
    return hsgd_json_put(document, err);
}

hsgd_status hsgd_provenance_check_date(hsgd_error *err)
{
    time_t when;
    bool fixed;
    return find_time(&when, &fixed, err);
}
