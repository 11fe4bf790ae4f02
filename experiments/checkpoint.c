/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When states are kept, and which of them a run goes on from; checkpoint_file.c knows the files. */
#include "experiments/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/clock.h"
#include "analysis/engine_state.h"
#include "analysis/vector.h"
#include "experiments/checkpoint_private.h"
#include "experiments/folder.h"
#include "experiments/provenance_private.h"
#include "plots/output.h"

/* Measurements of seeds that are done wait in memory for the next checkpoint, but not more of them than this. */
static const size_t MOST_WAITING_BYTES = (size_t)64 << 20;

/* After a kill, what was done longer than every_s ago is on the disk. These shares of it are left for writing, at most, and
 * for a window; windows need not be shorter than SHORTEST_WINDOW_S. */
static const double WRITING_SHARE = 0.25, WINDOW_SHARE = 0.125;
static const double SHORTEST_WINDOW_S = 5e-3;

/* A seed of the run at hand. */
typedef struct seed_times {
    double state_s;  /* when it was where its last state says, or began */
    double asked_s;  /* last, or saved */
    double saved_s;  /* last, or begun */
    double saving_s; /* how long that took */
    bool has_file;   /* a state of its own */
} seed_times;

struct hsgd_checkpoint {
    char *dir; /* DIR/checkpoint */
    char *identity;
    double every_s;
    const hsgd_stop *stop;
    void (*warn)(const char *message);
    bool warned;
    bool replaces;                /* what is there goes when the first file is written */
    hsgd_checkpoint_entry *found; /* (num_found) what is there to go on from */
    size_t num_found;
    hsgd_bytes waiting; /* entries of seeds that are done, still to be written */
    size_t num_waiting;
    size_t last_done_file; /* number of the last file of seeds that are done, and from one to the next */
    size_t done_file_step;
    _Atomic double waited_since_s; /* when the first of them began, or was saved last; INFINITY: none waits */
    /* the run at hand */
    hsgd_run_index run;
    uint64_t first_seed;
    size_t num_seeds;
    seed_times *seed; /* (num_seeds) */
    hsgd_keeper keeper;
    /* states of seeds that are done, to be removed once their measurements are written: (num_stale) */
    hsgd_checkpoint_seed *stale;
    size_t num_stale;
};

/* ---- writing ---- */

/* The first file of a run that does not go on from what is there. */
static hsgd_status open_folder(hsgd_checkpoint *c, hsgd_error *err)
{
    hsgd_status status = hsgd_folder_make_inside(c->dir, err);
    if (!status && c->replaces)
        hsgd_checkpoint_remove_files(c->dir);
    c->replaces = c->replaces && status;
    return status;
}

static hsgd_status write_waiting(hsgd_checkpoint *c, hsgd_error *err)
{
    char name[HSGD_CHECKPOINT_NAME_SIZE];
    if (!c->num_waiting)
        return HSGD_OK;
    hsgd_status status = c->waiting.failed ? hsgd_fail_memory(err, "a checkpoint") : open_folder(c, err);
    hsgd_checkpoint_done_name(name, c->last_done_file + c->done_file_step);
    c->waited_since_s = hsgd_now_s(); /* after a failure it is tried again, but not at once */
    if (!status)
        status = hsgd_checkpoint_write(c->dir, name, c->identity, c->num_waiting, &c->waiting, NULL, err);
    if (status)
        return status;
    for (size_t i = 0; i < c->num_stale; i++)
        hsgd_checkpoint_remove_state(c->dir, c->stale[i]);
    c->last_done_file += c->done_file_step;
    c->num_waiting = c->num_stale = 0;
    c->waited_since_s = INFINITY;
    hsgd_bytes_free(&c->waiting);
    return HSGD_OK;
}

/* While the run goes on, a checkpoint that cannot be written is no reason to end it: the one before is still whole. */
static hsgd_status forgive(hsgd_checkpoint *c, hsgd_status status, hsgd_error *err)
{
    if (!status || hsgd_stop_asked(c->stop))
        return status;
    if (c->warn && !c->warned)
        c->warn(err->message);
    c->warned = true;
    return HSGD_OK;
}

/* ---- what the engine calls ---- */

static seed_times *times_of(const hsgd_checkpoint *c, uint64_t seed)
{
    return &c->seed[seed - c->first_seed];
}

/* Would it be too late after the next window, which may take twice as long? However slow writing is, half of the time is for
 * work. */
static bool is_due(const hsgd_checkpoint *c, const seed_times *t, double now_s)
{
    double window_s = now_s - t->asked_s, writing_s = fmin(t->saving_s, WRITING_SHARE * c->every_s);
    double unkept_since_s = fmin(c->waited_since_s, t->state_s);
    return now_s + 2 * window_s + writing_s >= unkept_since_s + c->every_s &&
           now_s - t->saved_s >= fmin(t->saving_s, c->every_s / 2);
}

static hsgd_pause ask(void *context, uint64_t seed, size_t step)
{
    hsgd_checkpoint *c = context;
    seed_times *t = times_of(c, seed);
    double now_s = hsgd_now_s();
    bool due = step > 0 && is_due(c, t, now_s);
    t->asked_s = now_s;
    if (hsgd_stop_asked(c->stop))
        return HSGD_SAVE_AND_STOP;
    if (step == 0)
        t->saved_s = now_s;
    if (step == 0 || due)
        t->state_s = now_s;
    return due ? HSGD_SAVE : HSGD_GO_ON;
}

static hsgd_status save_one(hsgd_checkpoint *c, hsgd_checkpoint_seed seed, size_t step, const hsgd_bytes *state,
                            hsgd_error *err)
{
    char name[HSGD_CHECKPOINT_NAME_SIZE];
    hsgd_bytes head = {0};
    hsgd_checkpoint_state_name(name, seed);
    hsgd_checkpoint_put_head(&head, seed, step, state->size);
    hsgd_status status = head.failed || state->failed ? hsgd_fail_memory(err, "a checkpoint") : open_folder(c, err);
    if (!status)
        status = hsgd_checkpoint_write(c->dir, name, c->identity, 1, &head, state, err);
    hsgd_bytes_free(&head);
    if (!status)
        times_of(c, seed.seed)->has_file = true;
    return status;
}

static hsgd_status save(void *context, uint64_t seed, size_t step, const hsgd_bytes *state, hsgd_error *err)
{
    hsgd_checkpoint *c = context;
    hsgd_error own = {0};
    hsgd_status status, waiting;
    hsgd_error *why = err ? err : &own;
#pragma omp critical(hsgd_checkpoint)
    {
        status = forgive(c, save_one(c, (hsgd_checkpoint_seed){c->run, seed}, step, state, why), why);
        waiting = status ? HSGD_OK : forgive(c, write_waiting(c, why), why);
    }
    seed_times *t = times_of(c, seed);
    t->asked_s = t->saved_s = hsgd_now_s();
    t->saving_s = t->saved_s - t->state_s;
    return status ? status : waiting;
}

static hsgd_status get(hsgd_checkpoint *c, hsgd_checkpoint_seed of, hsgd_bytes *state, hsgd_error *err)
{
    const hsgd_checkpoint_entry key = {.of = of};
    hsgd_checkpoint_entry *e =
        c->num_found ? bsearch(&key, c->found, c->num_found, sizeof key, hsgd_checkpoint_compare) : NULL;
    if (!e)
        return HSGD_OK;
    e->taken = true;
    return hsgd_checkpoint_read_entry(state, c->dir, e, err);
}

static hsgd_status load(void *context, uint64_t seed, hsgd_bytes *state, hsgd_error *err)
{
    hsgd_checkpoint *c = context;
    return get(c, (hsgd_checkpoint_seed){c->run, seed}, state, err);
}

hsgd_status hsgd_checkpoint_get(hsgd_checkpoint *c, size_t number, hsgd_bytes *out, hsgd_error *err)
{
    return get(c, (hsgd_checkpoint_seed){HSGD_RUN_MAIN, number}, out, err);
}

double hsgd_checkpoint_steps_left(const hsgd_checkpoint *c, size_t steps)
{
    double sum = 0;
    for (size_t i = 0; i < c->num_found; i++)
        if (!c->found[i].taken)
            sum += (double)(c->found[i].step < steps ? c->found[i].step : steps);
    return sum;
}

/* Its state between windows, if there is one, is of no more use. */
static void forget_state(hsgd_checkpoint *c, hsgd_checkpoint_seed seed)
{
    hsgd_checkpoint_seed *more = realloc(c->stale, (c->num_stale + 1) * sizeof *more);
    if (!times_of(c, seed.seed)->has_file || !more) {
        c->stale = more ? more : c->stale;
        return;
    }
    c->stale = more;
    c->stale[c->num_stale++] = seed;
}

/* What is done waits for the next checkpoint, which it may be time for. None of it was kept before since_s. */
static void keep_done(hsgd_checkpoint *c, hsgd_checkpoint_seed of, const hsgd_bytes *state, double since_s)
{
    hsgd_error err;
    if (state->failed) /* it is made once more by whoever goes on */
        return;
    c->waited_since_s = fmin(c->waited_since_s, since_s);
    hsgd_checkpoint_put_head(&c->waiting, of, SIZE_MAX, state->size);
    hsgd_bytes_put(&c->waiting, state->data, state->size);
    c->num_waiting++;
    if (hsgd_now_s() - c->waited_since_s >= c->every_s || c->waiting.size > MOST_WAITING_BYTES)
        forgive(c, write_waiting(c, &err), &err);
}

static void done(void *context, uint64_t seed, const hsgd_trace *trace)
{
    hsgd_checkpoint *c = context;
    hsgd_bytes state = {0};
    const hsgd_checkpoint_seed own = {c->run, seed};
    hsgd_state_pack_done(&state, seed, trace);
#pragma omp critical(hsgd_checkpoint)
    {
        if (!state.failed)
            forget_state(c, own);
        keep_done(c, own, &state, times_of(c, seed)->state_s);
    }
    hsgd_bytes_free(&state);
}

void hsgd_checkpoint_keep(hsgd_checkpoint *c, size_t number, const hsgd_bytes *record)
{
#pragma omp critical(hsgd_checkpoint)
    keep_done(c, (hsgd_checkpoint_seed){HSGD_RUN_MAIN, number}, record, hsgd_now_s());
}

static double longest_window_s(const hsgd_checkpoint *c)
{
    return fmin(HSGD_PROMPT_WINDOW_S, fmax(SHORTEST_WINDOW_S, WINDOW_SHARE * c->every_s));
}

hsgd_status hsgd_checkpoint_begin_run(hsgd_checkpoint *c, const hsgd_keeper **keeper, hsgd_run_index run,
                                      uint64_t first_seed, size_t num_seeds, hsgd_error *err)
{
    free(c->seed);
    c->run = run;
    c->first_seed = first_seed;
    c->num_seeds = num_seeds;
    c->seed = calloc(num_seeds, sizeof *c->seed);
    if (!c->seed)
        return hsgd_fail_memory(err, "the seeds");
    for (size_t i = 0; i < c->num_found; i++) {
        const hsgd_checkpoint_entry *e = &c->found[i];
        if (e->of.run == run && e->of.seed >= first_seed && e->of.seed - first_seed < num_seeds)
            c->seed[e->of.seed - first_seed].has_file |= e->step != SIZE_MAX;
    }
    c->keeper = (hsgd_keeper){c, ask, save, load, done, longest_window_s(c)};
    *keeper = &c->keeper;
    return HSGD_OK;
}

hsgd_status hsgd_checkpoint_flush(hsgd_checkpoint *c, hsgd_error *err)
{
    return write_waiting(c, err);
}

/* ---- identity ---- */

static void add_line(char **text, const char *name, const char *value)
{
    char *longer = NULL;
    if (!*text)
        return;
    if (asprintf(&longer, "%s%s %s\n", *text, name, value) < 0)
        longer = NULL;
    free(*text);
    *text = longer;
}

char *hsgd_checkpoint_identity(const hsgd_provenance *provenance, const hsgd_problem *problem)
{
    const hsgd_data_summary *read = &problem->read;
    char *text = strdup("");
    add_line(&text, "version", HSGD_VERSION);
    add_line(&text, "commit", hsgd_built_commit);
    add_line(&text, "command", provenance->command);
    add_line(&text, "configuration", provenance->config_sha256);
    for (size_t i = 0; i < provenance->num_files; i++)
        add_line(&text, provenance->file[i].name, provenance->file[i].sha256);
    if (problem->plugin.handle)
        add_line(&text, "plugin", problem->plugin.sha256);
    if (*read->images_sha256)
        add_line(&text, "images", read->images_sha256);
    if (*read->test_images_sha256)
        add_line(&text, "test_images", read->test_images_sha256);
    return text;
}

static void add_text(char **text, const char *name, const cJSON *object, const char *member)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, member);
    add_line(text, name, cJSON_IsString(item) ? item->valuestring : "");
}

static void add_if_there(char **text, const char *name, const cJSON *object, const char *member)
{
    if (cJSON_GetObjectItemCaseSensitive(object, member))
        add_text(text, name, object, member);
}

char *hsgd_checkpoint_identity_of_result(const cJSON *document)
{
    const cJSON *provenance = cJSON_GetObjectItemCaseSensitive(document, "provenance");
    const cJSON *file;
    char *text = strdup("");
    add_text(&text, "version", document, "version");
    add_text(&text, "commit", provenance, "commit");
    add_text(&text, "command", provenance, "command");
    add_text(&text, "configuration", provenance, "config_sha256");
    cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(provenance, "data_files"))
    {
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(file, "name");
        add_text(&text, cJSON_IsString(name) ? name->valuestring : "", file, "sha256");
    }
    add_if_there(&text, "plugin", cJSON_GetObjectItemCaseSensitive(provenance, "plugin"), "sha256");
    add_if_there(&text, "images", provenance, "images_sha256");
    add_if_there(&text, "test_images", provenance, "test_images_sha256");
    return text;
}

/* ---- the whole ---- */

/* Each process has numbers of its own for its files, which are written at the same time; so nobody may remove any later. */
static void share_folder(hsgd_checkpoint *c, int rank)
{
    c->last_done_file += (size_t)rank;
    if (c->replaces && rank == 0)
        hsgd_checkpoint_remove_files(c->dir);
    c->replaces = false;
}

hsgd_status hsgd_checkpoint_open(hsgd_checkpoint **out, const char *identity, const hsgd_checkpoint_options *options,
                                 hsgd_error *err)
{
    hsgd_checkpoint *c = calloc(1, sizeof *c);
    *out = c;
    if (!c)
        return hsgd_fail_memory(err, "the checkpoint");
    c->every_s = options->every_s;
    c->waited_since_s = INFINITY;
    c->stop = options->stop;
    c->warn = options->warn;
    c->identity = strdup(identity);
    c->dir = hsgd_checkpoint_folder(options->dir);
    hsgd_status status = c->identity && c->dir ? HSGD_OK : hsgd_fail_memory(err, "the checkpoint");
    c->replaces = !options->resume;
    c->done_file_step = (size_t)hsgd_team_size(options->team);
    if (!status && options->resume) {
        hsgd_folder_sweep(c->dir);
        status = hsgd_checkpoint_find(&c->found, &c->num_found, &c->last_done_file, c->dir, identity, err);
    }
    if (!status && c->done_file_step > 1)
        share_folder(c, hsgd_team_rank(options->team));
    if (status) {
        hsgd_checkpoint_free(c);
        *out = NULL;
    }
    return status;
}

void hsgd_checkpoint_free(hsgd_checkpoint *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->num_found; i++)
        free(c->found[i].file);
    free(c->found);
    hsgd_bytes_free(&c->waiting);
    free(c->stale);
    free(c->seed);
    free(c->dir);
    free(c->identity);
    free(c);
}

bool hsgd_checkpoint_found(const hsgd_checkpoint *c)
{
    return c->num_found > 0;
}
