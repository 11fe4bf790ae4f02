/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd train: what rank 0 makes of a real distributed training and of the times of all ranks. */
#ifndef HSGD_EXPERIMENTS_TRAIN_PRIVATE_H
#define HSGD_EXPERIMENTS_TRAIN_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "analysis/delay_fit.h"
#include "analysis/link_fit.h"
#include "analysis/train.h"
#include "analysis/train_probe.h"
#include "experiments/config.h"
#include "experiments/folder.h"
#include "experiments/problem.h"
#include "experiments/train_mpi_private.h"

/* Seconds of something that happened `count` times. All 0 for count 0. */
typedef struct hsgd_time_summary {
    size_t count;
    double sum_s, mean_s, median_s, high_s, largest_s; /* high_s: 95 % are no larger */
} hsgd_time_summary;

/* One average of one node. */
typedef struct hsgd_train_average {
    size_t step, node;
    double wait_mean_s, wait_max_s; /* of its ranks, at the barrier */
    double sum_s;                   /* of the rank that had the average last: the time of the Allreduce */
} hsgd_train_average;

/* Allreduces of one size by one node, apart from the training. */
typedef struct hsgd_train_probe {
    size_t node, numbers; /* numbers 0: a second barrier instead */
    double least_s, median_s;
} hsgd_train_probe;

/* What a level's averages took: those of single ranks, which send nothing, are left out where other nodes have more. */
typedef struct hsgd_train_level {
    size_t nodes, fewest_ranks, most_ranks; /* of these nodes */
    hsgd_time_summary wait;                 /* one value for each rank and average */
    hsgd_time_summary allreduce;            /* one for each average */
    double barrier_s;                       /* median of a barrier of ranks that are all there, mean over the nodes */
    double probe_s;                         /* the same of an Allreduce of a model, apart from the training */
    double predicted_s; /* by the fitted model, for a model's bytes; mean over the level's averages */
} hsgd_train_level;

/* Where the seconds of a rank went, on average over the ranks. */
typedef struct hsgd_train_shares {
    double compute_s, wait_s, allreduce_s, rest_s, total_s;
} hsgd_train_shares;

/* Owned arrays; config, problem and so on are borrowed. Only rank 0 has all of it. */
typedef struct hsgd_train_result {
    const hsgd_config *config;
    const hsgd_problem *problem;
    const hsgd_hierarchy *hierarchy; /* expanded */
    const char *library;             /* of whom the messages are: "Open MPI v4.1.4" */
    char *host;                      /* (num_workers, HSGD_HOST_NAME_SIZE) of each rank */
    size_t num_hosts;
    double step_size;
    hsgd_training_record record; /* of rank 0 */
    hsgd_train_average *average; /* (num_averages) by step, then by node */
    size_t num_averages;
    hsgd_time_summary compute; /* one value for each rank and step */
    double *rank_compute_s;    /* (num_workers) mean of a step */
    hsgd_train_level *level;   /* (num_levels) */
    hsgd_train_shares measured;
    double measured_s;       /* of the last rank */
    size_t repeats;          /* probes of a size */
    hsgd_train_probe *probe; /* (num_probes) by node, then by size */
    size_t num_probes;
    hsgd_link_fit links;
    hsgd_delay_fit mean, late;            /* computing times: constant, and with the nearest distribution */
    double predicted_s, predicted_late_s; /* of the whole training, by communication.h with the one and the other */
    double clock_s, cost_s;               /* of reading the clock; of all measuring, per rank */
} hsgd_train_result;

enum { HSGD_HOST_NAME_SIZE = 64 };

typedef struct hsgd_train_options {
    double step_size;                                 /* gamma > 0 */
    const char *library;                              /* borrowed */
    hsgd_route route;                                 /* of the fitted model */
    size_t repeats;                                   /* probes of each size */
    void (*progress)(void *context, double fraction); /* rank 0's; NULL: not wanted */
    void *progress_context;
} hsgd_train_options;

/* Train and measure; every rank calls it with the same configuration. Free out with hsgd_train_result_free, also on
 * failure. */
hsgd_status hsgd_train_run(hsgd_train_result *out, const hsgd_config *config, const hsgd_problem *problem,
                           const hsgd_collectives *ranks, const hsgd_train_options *options, hsgd_error *err);
void hsgd_train_result_free(hsgd_train_result *result);

/* train_gather.c: what all ranks measured comes to rank 0, and is summed up there. probe_s: as hsgd_probe gives it. */
hsgd_status hsgd_train_gather(hsgd_train_result *out, const hsgd_collectives *ranks, const hsgd_probing *probing,
                              const double *probe_s, hsgd_error *err);

/* train_gather.c: is this node one of those that its level's times speak of? */
bool hsgd_train_counts(const hsgd_train_result *result, size_t node);

/* train_gather.c: count >= 0 values, which are sorted. */
hsgd_time_summary hsgd_time_summarize(double *time_s, size_t count);

/* train_predict.c: fits, and what they say about this training. compute_s (num_workers, steps) is sorted. */
hsgd_status hsgd_train_fit(hsgd_train_result *out, hsgd_route route, double *compute_s, hsgd_error *err);

/* The fitted "communication"; late: with the distribution of delays. */
hsgd_communication hsgd_train_communication(const hsgd_train_result *result, bool late);

/* train_files.c: train.json, times.csv, series.csv, model.csv, communication.json, communication-stragglers.json. */
hsgd_status hsgd_train_write(const hsgd_train_result *result, const char *dir, hsgd_error *err);
cJSON *hsgd_train_to_json(const hsgd_train_result *result);
extern const char *const hsgd_train_files;

void hsgd_train_print(const hsgd_train_result *r, FILE *out);

/* train_figure.c: the figure again, from train.json. */
hsgd_status hsgd_train_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                            hsgd_error *err);

#endif
