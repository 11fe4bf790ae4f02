/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/points_keep_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/json_private.h"
#include "experiments/provenance_private.h"

/* Points that take less are worked out again after a kill. */
static const double EVERY_S = 60;

/* ---- what it belongs to ---- */

static void add_line(hsgd_points_keep *keep, const char *name, const char *value)
{
    char *longer = NULL;
    if (keep->identity && asprintf(&longer, "%s%s %s\n", keep->identity, name, value) < 0)
        longer = NULL;
    free(keep->identity);
    keep->identity = longer;
}

/* Does the configuration have the data of the one before? Then they need not be read once more. */
static bool has_same_data(hsgd_points_keep *keep, const hsgd_config *config)
{
    char *text = hsgd_config_to_json(config);
    cJSON *document = text ? cJSON_Parse(text) : NULL;
    const cJSON *problem = cJSON_GetObjectItemCaseSensitive(document, "problem");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(problem, "data");
    char *now = data ? cJSON_PrintUnformatted(data) : NULL;
    bool same = now && keep->data && strcmp(now, keep->data) == 0;
    cJSON_free(keep->data);
    keep->data = now;
    cJSON_Delete(document);
    cJSON_free(text);
    return same;
}

hsgd_status hsgd_points_keep_add(hsgd_points_keep *keep, const hsgd_config *config, hsgd_error *err)
{
    hsgd_provenance provenance;
    bool again = has_same_data(keep, config);
    hsgd_status status = hsgd_provenance_hash_config(provenance.config_sha256, config, err);
    if (status)
        return status;
    add_line(keep, "configuration", provenance.config_sha256);
    if (again)
        return HSGD_OK;
    status = hsgd_provenance_find(&provenance, config, keep->arguments->command->name, 0, NULL, err);
    for (size_t i = 0; i < provenance.num_files && !status; i++)
        add_line(keep, provenance.file[i].name, provenance.file[i].sha256);
    hsgd_provenance_free(&provenance);
    return status;
}

/* ---- the work ---- */

hsgd_status hsgd_points_keep_begin(hsgd_points_keep *out, const hsgd_arguments *arguments, size_t resume_option,
                                   size_t budget_option, hsgd_error *err)
{
    double budget_s = INFINITY;
    const char *budget = arguments->option[budget_option];
    *out = (hsgd_points_keep){.arguments = arguments, .resume_option = resume_option, .identity = strdup("")};
    add_line(out, "version", HSGD_VERSION);
    add_line(out, "commit", hsgd_built_commit);
    add_line(out, "command", arguments->command->name);
    hsgd_status status = budget ? hsgd_cli_seconds(budget, "time-budget", &budget_s, err) : HSGD_OK;
    if (!status)
        hsgd_interrupt_watch(&out->interrupt, budget_s);
    return status;
}

static void warn(const char *message)
{
    fprintf(stderr, "hsgd: warning: no checkpoint: %s\n", message);
}

hsgd_status hsgd_points_keep_open(hsgd_points_keep *keep, const char *dir, hsgd_error *err)
{
    const hsgd_checkpoint_options options = {.dir = dir,
                                             .every_s = EVERY_S,
                                             .resume = keep->arguments->option[keep->resume_option] != NULL,
                                             .stop = &keep->interrupt.stop,
                                             .warn = warn};
    keep->dir = dir;
    if (!keep->identity)
        return hsgd_fail_memory(err, "the checkpoint");
    hsgd_status status = hsgd_checkpoint_open(&keep->checkpoint, keep->identity, &options, err);
    if (status || keep->quiet || !options.resume)
        return status;
    if (hsgd_checkpoint_found(keep->checkpoint))
        fprintf(stderr, "hsgd: note: going on from %s/checkpoint\n", dir);
    else
        fprintf(stderr, "hsgd: note: %s holds no checkpoint; all points are worked out\n", dir);
    return HSGD_OK;
}

int hsgd_points_keep_stop(hsgd_points_keep *keep, const hsgd_error *err)
{
    hsgd_error failed;
    if (keep->checkpoint && hsgd_checkpoint_flush(keep->checkpoint, &failed))
        return hsgd_cli_fail(&failed);
    const char *reason = hsgd_interrupt_reason(&keep->interrupt);
    fprintf(stderr, "hsgd: %s (%s); go on with: ", err->message, reason ? reason : "stopped");
    hsgd_cli_print_again(keep->arguments, keep->resume_option, stderr);
    return HSGD_EXIT_INCONCLUSIVE;
}

void hsgd_points_keep_finish(hsgd_points_keep *keep)
{
    hsgd_checkpoint_remove(keep->dir);
}

void hsgd_points_keep_free(hsgd_points_keep *keep)
{
    hsgd_checkpoint_free(keep->checkpoint);
    free(keep->identity);
    cJSON_free(keep->data);
    hsgd_interrupt_end();
}
