/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How commands that work out many points (hsgd rate, hsgd phase) are stopped and go on: the points that are done are kept, of
 * points that are run also the seeds (experiments/checkpoint.h). */
#ifndef HSGD_EXPERIMENTS_POINTS_KEEP_PRIVATE_H
#define HSGD_EXPERIMENTS_POINTS_KEEP_PRIVATE_H

#include "experiments/checkpoint.h"
#include "experiments/cli_private.h"
#include "experiments/config.h"
#include "experiments/interrupt.h"

typedef struct hsgd_points_keep {
    const hsgd_arguments *arguments; /* borrowed */
    size_t resume_option;
    const char *dir; /* the result folder; borrowed */
    bool quiet;
    hsgd_interrupt interrupt;
    hsgd_checkpoint *checkpoint;
    char *identity; /* of the points that were added; NULL: memory is out */
    char *data;     /* of the last one: where its data are */
} hsgd_points_keep;

/* Watch for signals and for the end of the budget (the argument of that option) from now on. out must stay where it is. */
hsgd_status hsgd_points_keep_begin(hsgd_points_keep *out, const hsgd_arguments *arguments, size_t resume_option,
                                   size_t budget_option, hsgd_error *err);

/* What is worked out belongs to this configuration, too; reads its data unless they are those of the point before. */
hsgd_status hsgd_points_keep_add(hsgd_points_keep *keep, const hsgd_config *config, hsgd_error *err);

/* Open the checkpoint in a result folder, and say where the work begins. */
hsgd_status hsgd_points_keep_open(hsgd_points_keep *keep, const char *dir, hsgd_error *err);

/* The work was stopped, as err says: write what is still to be kept, say how to go on. Returns the exit code. */
int hsgd_points_keep_stop(hsgd_points_keep *keep, const hsgd_error *err);

/* The results are written. */
void hsgd_points_keep_finish(hsgd_points_keep *keep);

void hsgd_points_keep_free(hsgd_points_keep *keep);

#endif
