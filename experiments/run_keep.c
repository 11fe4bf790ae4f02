/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/run_keep_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/text_stream.h"
#include "bounds/verdict.h"
#include "experiments/checkpoint_private.h"
#include "experiments/folder.h"
#include "experiments/json_private.h"
#include "experiments/team_mpi.h"

/* Runs that take less leave no checkpoint behind unless they are stopped. */
static const double DEFAULT_EVERY_S = 60;

/* ---- options ---- */

static hsgd_status read_seconds(double *out, const hsgd_arguments *arguments, size_t index, double otherwise,
                                hsgd_error *err)
{
    *out = otherwise;
    return arguments->option[index]
               ? hsgd_cli_seconds(arguments->option[index], arguments->command->option[index].name, out, err)
               : HSGD_OK;
}

hsgd_status hsgd_run_keep_begin(hsgd_run_keep *out, const hsgd_arguments *arguments, hsgd_error *err)
{
    *out = (hsgd_run_keep){.arguments = arguments,
                           .resume = arguments->option[HSGD_RUN_OPTION_RESUME] != NULL,
                           .quiet = arguments->option[HSGD_RUN_OPTION_QUIET] != NULL};
    hsgd_status status = read_seconds(&out->every_s, arguments, HSGD_RUN_OPTION_CHECKPOINT_EVERY, DEFAULT_EVERY_S, err);
    if (!status)
        status = read_seconds(&out->budget_s, arguments, HSGD_RUN_OPTION_TIME_BUDGET, INFINITY, err);
    if (status)
        return status;
    hsgd_interrupt_watch(&out->interrupt, out->budget_s);
    return hsgd_ranks_begin(&out->ranks, &out->interrupt.stop, err);
}

/* ---- complete? ---- */

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

/* Is every line of the identity what the document says of itself? */
static bool is_of(const cJSON *document, const char *identity)
{
    char *own = hsgd_checkpoint_identity_of_result(document);
    bool same = own && strcmp(own, identity) == 0;
    free(own);
    return same;
}

bool hsgd_run_keep_is_complete(const hsgd_run_keep *keep, const char *identity, bool every_check, int *code)
{
    char *path = NULL;
    cJSON *document = NULL;
    bool complete = false;
    if (keep->resume && asprintf(&path, "%s/%s", keep->dir, hsgd_folder_file(HSGD_FOLDER_RUN)) >= 0 &&
        access(path, R_OK) == 0 && hsgd_json_read_file(&document, path, NULL) == HSGD_OK)
        complete = is_of(document, identity) && hsgd_folder_is_drawn(keep->dir);
    if (complete) {
        const char *verdict = text_of(document, every_check ? "verdict_on_all_checks" : "verdict");
        *code = strcmp(verdict, hsgd_verdict_name(HSGD_VERDICT_VIOLATED)) == 0       ? HSGD_EXIT_VIOLATED
                : strcmp(verdict, hsgd_verdict_name(HSGD_VERDICT_INCONCLUSIVE)) == 0 ? HSGD_EXIT_INCONCLUSIVE
                                                                                     : HSGD_EXIT_OK;
        if (!keep->quiet)
            fprintf(stderr, "hsgd: %s holds all results of this run already; nothing is run\n", keep->dir);
    }
    cJSON_Delete(document);
    free(path);
    return complete;
}

/* ---- the checkpoint ---- */

static void warn(const char *message)
{
    fprintf(stderr, "hsgd: warning: no checkpoint: %s\n", message);
}

static void say_where_it_begins(const hsgd_run_keep *keep)
{
    if (keep->quiet || !hsgd_ranks_speak())
        return;
    if (keep->resume && hsgd_checkpoint_found(keep->checkpoint))
        fprintf(stderr, "hsgd: note: going on from %s/checkpoint\n", keep->dir);
    else if (keep->resume)
        fprintf(stderr, "hsgd: note: %s holds no checkpoint; the run begins at the beginning\n", keep->dir);
    else if (hsgd_checkpoint_exists(keep->dir))
        fprintf(stderr,
                "hsgd: note: %s/checkpoint is of a run that was stopped and will be replaced; "
                "--resume would go on from it\n",
                keep->dir);
}

/* What happened, where the checkpoint is if one was kept, and the command that goes on from it: a line without its end. */
static char *farewell(const hsgd_run_keep *keep, const char *what, bool kept)
{
    hsgd_text_stream memory;
    FILE *stream = hsgd_text_open(&memory);
    if (!stream)
        return NULL;
    fprintf(stream, "hsgd: %s; ", what);
    if (kept)
        fprintf(stream, "the checkpoint is in %s/checkpoint; go on with: ", keep->dir);
    else
        fputs("there is nothing to keep yet; begin again with: ", stream);
    if (keep->ranks.many)
        fprintf(stream, "mpirun -n %d ", hsgd_ranks_started());
    hsgd_cli_print_again(keep->arguments, HSGD_RUN_OPTION_RESUME, stream);
    char *text = hsgd_text_close(&memory, stream);
    if (text)
        text[memory.length - 1] = '\0';
    return text;
}

/* In one piece: mpirun may be writing at the same time. */
static void say_farewell(hsgd_run_keep *keep, const char *what)
{
    hsgd_witness_end(&keep->witness);
    char *text = farewell(keep, what, hsgd_checkpoint_exists(keep->dir));
    fprintf(stderr, "%s\n", text ? text : what);
    free(text);
}

static bool is_ending(const void *context)
{
    const hsgd_run_keep *keep = context;
    return hsgd_mpi_is_woken() && hsgd_stop_asked(&keep->interrupt.stop);
}

/* From another thread, while the first one is busy. */
static void say_in_a_hurry(void *context)
{
    say_farewell(context,
                 "the run ended in the middle of a window, unless another line follows: all processes are told to end "
                 "when one of them dies");
}

/* If this process ends without a word, another one says what this one would have said. */
static hsgd_status begin_witness(hsgd_run_keep *keep, hsgd_error *err)
{
    static const char what[] = "the run ended: its first process was killed, or MPI ended it because another one died";
    char *folder = hsgd_checkpoint_folder(keep->dir), *kept = farewell(keep, what, true),
         *nothing = farewell(keep, what, false);
    hsgd_status status = folder && kept && nothing ? hsgd_witness_begin(&keep->witness, kept, nothing, folder, err)
                                                   : hsgd_fail_memory(err, "the last words");
    free(folder);
    free(kept);
    free(nothing);
    return status;
}

static hsgd_status watch_over_the_end(hsgd_run_keep *keep, hsgd_error *err)
{
    keep->ending = (hsgd_stop){is_ending, keep};
    if (!keep->ranks.many || !hsgd_ranks_speak())
        return HSGD_OK;
    hsgd_status status = begin_witness(keep, err);
    return status ? status : hsgd_last_words_begin(&keep->last_words, &keep->ending, say_in_a_hurry, keep, err);
}

hsgd_status hsgd_run_keep_open(hsgd_run_keep *keep, const char *identity, hsgd_error *err)
{
    const hsgd_checkpoint_options options = {.dir = keep->dir,
                                             .every_s = keep->every_s,
                                             .resume = keep->resume,
                                             .stop = &keep->ranks.stop,
                                             .team = hsgd_ranks_team(&keep->ranks),
                                             .warn = warn};
    hsgd_status status = hsgd_checkpoint_open(&keep->checkpoint, identity, &options, err);
    if (!status)
        status = watch_over_the_end(keep, err);
    status = hsgd_team_agree(options.team, status, err);
    if (!status)
        say_where_it_begins(keep);
    return status;
}

int hsgd_run_keep_died(hsgd_run_keep *keep, const hsgd_error *err)
{
    char what[HSGD_MESSAGE_SIZE + 32];
    if (hsgd_last_words_end(&keep->last_words) || !hsgd_ranks_speak())
        return HSGD_EXIT_ENVIRONMENT;
    snprintf(what, sizeof what, "the run ended: %s", err->message);
    say_farewell(keep, what);
    return HSGD_EXIT_ENVIRONMENT;
}

int hsgd_run_keep_stop(hsgd_run_keep *keep, hsgd_error *err)
{
    hsgd_error failed;
    char what[HSGD_MESSAGE_SIZE + 32];
    hsgd_status status = hsgd_checkpoint_flush(keep->checkpoint, &failed);
    status = hsgd_team_agree(hsgd_ranks_team(&keep->ranks), status, &failed);
    if (status && hsgd_ranks_are_broken(&keep->ranks))
        return hsgd_run_keep_died(keep, &failed);
    if (status)
        return hsgd_cli_fail(&failed);
    const char *reason = hsgd_interrupt_reason(&keep->interrupt);
    snprintf(what, sizeof what, "%s (%s)", err->message, reason ? reason : "another process was told so");
    if (hsgd_ranks_speak())
        say_farewell(keep, what);
    return HSGD_EXIT_INCONCLUSIVE;
}

void hsgd_run_keep_finish(hsgd_run_keep *keep)
{
    hsgd_checkpoint_remove(keep->dir);
}

int hsgd_run_keep_end(hsgd_run_keep *keep, int code)
{
    hsgd_last_words_end(&keep->last_words);
    hsgd_witness_end(&keep->witness);
    code = hsgd_ranks_end(&keep->ranks, code);
    hsgd_checkpoint_free(keep->checkpoint);
    hsgd_interrupt_end();
    return code;
}
