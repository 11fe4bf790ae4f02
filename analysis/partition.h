/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which sample belongs to which worker. */
#ifndef HSGD_ANALYSIS_PARTITION_H
#define HSGD_ANALYSIS_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/dataset.h"
#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_partition_scheme {
    HSGD_PARTITION_IID,      /* shuffled, dealt in equal shares (sizes differ by at most one) */
    HSGD_PARTITION_BY_LABEL, /* shuffled, sorted by label, cut into equal contiguous shares */
    HSGD_PARTITION_SHARDS, /* sorted by label, cut into equal shards, shards_per_worker of them dealt to each worker */
    HSGD_PARTITION_DIRICHLET, /* the samples of each label spread over workers by a Dirichlet(alpha) draw */
    HSGD_PARTITION_QUANTITY,  /* shuffled; min_samples each and a log-normal(sigma) share of the rest */
    HSGD_PARTITION_NATURAL /* the data's users, dealt in shares that differ by at most one user; a user stays whole */
} hsgd_partition_scheme;

/* "iid", "by-label", "shards", "dirichlet", "quantity", "natural". The parser returns 0 on success, -1 for an unknown name. */
const char *hsgd_partition_scheme_name(hsgd_partition_scheme scheme);
int hsgd_partition_scheme_parse(const char *name, hsgd_partition_scheme *scheme);

typedef struct hsgd_partition_options {
    hsgd_partition_scheme scheme;
    double alpha;             /* Dirichlet concentration, 1e-100..1e100: small is one worker per label, large is iid */
    double sigma;             /* standard deviation of the logarithm of a worker's share, 0..1e100; 0 is equal shares */
    size_t shards_per_worker; /* >= 1 */
    size_t min_samples;       /* no worker may have fewer samples, >= 1 */
    size_t max_retries;       /* random draws that leave a worker with fewer are repeated at most this often, <= 10^6 */
    uint64_t seed;
    bool users_in_order; /* natural: worker after worker takes its users as they come, not in random order */
} hsgd_partition_options;

/* The defaults: iid, alpha 0.5, sigma 1, 2 shards, min_samples 1, 100 retries, seed 1, users in random order. */
void hsgd_partition_defaults(hsgd_partition_options *options);

typedef struct hsgd_partition {
    size_t num_workers, num_samples, num_classes;
    size_t *order;     /* (num_samples) sample indices, worker after worker, owned */
    size_t *start;     /* (num_workers + 1) worker j holds order[start[j]] .. order[start[j + 1] - 1], owned */
    size_t *histogram; /* (num_workers, num_classes) samples of each class per worker, owned */
    size_t retries;    /* draws that were thrown away */
} hsgd_partition;

/* Assign every sample of data to one of num_workers workers; each gets at least options->min_samples. When the
 * retries run out, or there are too few samples, the error says so and what would help. The result depends on the
 * labels, the users, num_workers and the options alone. */
hsgd_status hsgd_partition_build(hsgd_partition *out, const hsgd_dataset *data, size_t num_workers,
                                 const hsgd_partition_options *options, hsgd_error *err);

/* Let worker j hold what worker place[j] held; place (num_workers) is a permutation. */
hsgd_status hsgd_partition_permute(hsgd_partition *partition, const size_t *place, hsgd_error *err);

void hsgd_partition_free(hsgd_partition *partition);

#ifdef __cplusplus
}
#endif

#endif
