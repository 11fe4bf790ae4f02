/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands that run an experiment share. */
#ifndef HSGD_EXPERIMENTS_RUN_PRIVATE_H
#define HSGD_EXPERIMENTS_RUN_PRIVATE_H

#include <stdbool.h>
#include <stdio.h>

#include "experiments/cli_private.h"
#include "experiments/experiment.h"

/* The first options of these commands. */
enum {
    HSGD_RUN_OPTION_OUTPUT,
    HSGD_RUN_OPTION_THREADS,
    HSGD_RUN_OPTION_SEEDS,
    HSGD_RUN_OPTION_QUIET,
    HSGD_RUN_OPTION_DRY_RUN,
    HSGD_RUN_OPTION_RESUME,
    HSGD_RUN_OPTION_TIME_BUDGET,
    HSGD_RUN_OPTION_CHECKPOINT_EVERY,
    HSGD_NUM_RUN_OPTIONS
};

/* The same for every command that has it. */
#define HSGD_TIME_BUDGET_HELP "end cleanly after this time, with exit code 3; --resume goes on"

#define HSGD_RUN_OPTIONS                                                                                               \
    [HSGD_RUN_OPTION_OUTPUT] = {"output", "DIR", "folder for results and figures (default: results/NAME)"},            \
    [HSGD_RUN_OPTION_THREADS] = {"threads", "K",                                                                       \
                                 "threads to use (default: all cores); the numbers do not depend on it"},              \
    [HSGD_RUN_OPTION_SEEDS] = {"seeds", "R", "number of seeds, instead of the configuration's"},                       \
    [HSGD_RUN_OPTION_QUIET] = {"quiet", NULL, "print nothing but errors"},                                             \
    [HSGD_RUN_OPTION_DRY_RUN] = {"dry-run", NULL, "predict time and memory, and do nothing else"},                     \
    [HSGD_RUN_OPTION_RESUME] = {"resume", NULL, "go on from the checkpoint in the folder, if there is one"},           \
    [HSGD_RUN_OPTION_TIME_BUDGET] = {"time-budget", "SECONDS", HSGD_TIME_BUDGET_HELP},                                 \
    [HSGD_RUN_OPTION_CHECKPOINT_EVERY] = {"checkpoint-every", "SECONDS", "time between checkpoints (default: 60)"}

typedef struct hsgd_run_manner {
    const char *command; /* its name, for the provenance */
    bool every_check;    /* make every check, and let all of them decide on the exit code */
    bool plain_output;   /* print nothing on standard output but what print does */
    void (*print)(const hsgd_experiment *experiment, FILE *stream);
} hsgd_run_manner;

/* results/NAME for an experiment of this name, with everything replaced that is not plain in a file name. */
void hsgd_run_default_folder(char *out, size_t size, const char *name);

/* A bar of the done fraction on a terminal. context: an int, first 0, the last width printed, so that the bar is redrawn only
 * when it grows. */
void hsgd_run_draw_progress(void *context, double fraction);

/* Run the configuration that the arguments name, write its folder, print; returns the exit code. */
int hsgd_run_main(const hsgd_arguments *arguments, const hsgd_run_manner *manner);

#endif
