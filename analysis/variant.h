/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the literature changes about H-SGD: decaying step sizes, warm-up, momentum, partial participation, random regrouping
 * and step sizes of the averages. The theory in bounds/THEORY.md speaks of plain H-SGD only. */
#ifndef HSGD_ANALYSIS_VARIANT_H
#define HSGD_ANALYSIS_VARIANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/error.h"
#include "analysis/hierarchy.h"

#ifdef __cplusplus
extern "C" {
#endif

/* gamma_t / gamma at step t of T, with scale s > 0 in steps. */
typedef enum hsgd_decay {
    HSGD_DECAY_NONE,         /* 1 */
    HSGD_DECAY_INVERSE,      /* 1 / (1 + t/s) */
    HSGD_DECAY_INVERSE_SQRT, /* 1 / sqrt(1 + t/s) */
    HSGD_DECAY_STEPS,        /* factor^floor(t/s) */
    HSGD_DECAY_COSINE        /* (1 + cos(pi t/T)) / 2 (Loshchilov & Hutter 2017, without restarts) */
} hsgd_decay;

/* What becomes of the velocities of workers that average: the three choices that Wang, Tantia, Ballas & Rabbat (SlowMo, ICLR
 * 2020) compare. */
typedef enum hsgd_momentum_rule {
    HSGD_MOMENTUM_KEPT,  /* each worker keeps its own */
    HSGD_MOMENTUM_RESET, /* they begin again at 0 */
    HSGD_MOMENTUM_AVERAGED /* all take the mean of the velocities, with the weights of the models' average (Yu, Jin & Yang,
                              ICML 2019); messages are then twice as long */
} hsgd_momentum_rule;

typedef struct hsgd_variant {
    hsgd_decay decay;
    double decay_scale;  /* s > 0, in steps; unused by none and cosine */
    double decay_factor; /* in (0, 1], for steps only */
    size_t warmup_steps; /* W: gamma_t is also multiplied by (t + 1)/W before step W; 0: none */
    double momentum;     /* beta in [0, 1): v <- beta v + g, w <- w - gamma_t v */
    hsgd_momentum_rule momentum_rule;
    /* A round of a lowest group lasts from one of its averages, or of a node above, to the next. Its participants are
     * drawn when it begins; the others rest, and take the average when it comes. A group keeps its weight p_u in the
     * averages above it, whoever takes part. */
    double participation; /* share of the workers of every lowest group, in (0, 1]; at least one worker, rounded */
    size_t participants;  /* instead, that many (without replacement: all, if there are fewer); 0: use the share */
    bool
        with_replacement; /* drawn with probabilities p_j/p_u, and counted as often as drawn (Li et al. 2020, scheme I);
                              otherwise uniformly, each once, with weights p_j in their average */
    bool regroup;         /* all workers get new places whenever the root averages, and at the start */
    /* At an average of u its workers do not take the mean m but a + eta (m - a), a: what they took at the last average of u
     * or above (Jiang & Zhu 2024). Where a node averages, the nodes below it do so before. 1: plain. */
    double group_step_size, global_step_size; /* eta > 0 of the nodes below the root, and of the root */
} hsgd_variant;

/* H-SGD as it is. */
#define HSGD_PLAIN_VARIANT ((hsgd_variant){.participation = 1, .group_step_size = 1, .global_step_size = 1})

/* Does the run differ from plain H-SGD? Then *what (may be NULL) says in what, as the subject of a sentence. */
bool hsgd_variant_differs(const hsgd_variant *variant, const char **what);

/* One line that says all in which it differs, "" where it is plain. */
enum { HSGD_VARIANT_TEXT_SIZE = 400 };
void hsgd_variant_describe(const hsgd_variant *variant, char text[HSGD_VARIANT_TEXT_SIZE]);

/* Does it differ in nothing but that participants are drawn, uniformly and each at most once? */
bool hsgd_variant_only_samples(const hsgd_variant *variant);

bool hsgd_variant_samples_workers(const hsgd_variant *variant);

/* Vectors of the model's length in a message: 2 where velocities are averaged with the models. variant NULL: plain. */
size_t hsgd_variant_message_vectors(const hsgd_variant *variant);

/* gamma_t / gamma. */
double hsgd_variant_step_factor(const hsgd_variant *variant, size_t t, size_t steps);

/* Participants of a group of `size` workers in one round. */
size_t hsgd_variant_group_size(const hsgd_variant *variant, size_t size);

/* weight (size): draw the participants of the round that begins at step t for the lowest group whose workers have places
 * first .. first + size - 1, whose weights are p_j/p_u = share[j] (NULL: equal): weight[j] is worker j's weight in
 * the group's average, 0 for those that rest, and they sum to 1. order (size) and cumulative (size): memory to work in. */
void hsgd_variant_draw(double *weight, const hsgd_variant *variant, const double *share, size_t first, size_t size,
                       uint64_t seed, size_t t, size_t *order, double *cumulative);

/* placement (num_workers): which worker stands at each place becomes what it is from step t on, where the root has just
 * averaged. */
void hsgd_variant_regroup(size_t *placement, size_t num_workers, uint64_t seed, size_t t);

/* One line for the first value that is not legal. */
hsgd_status hsgd_variant_check(const hsgd_variant *variant, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
