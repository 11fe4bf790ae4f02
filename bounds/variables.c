/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bounds/variables.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum scalar {
    WORKERS,
    GROUPS,
    GLOBAL_PERIOD,
    LOCAL_PERIOD,
    LEVELS,
    SMOOTHNESS,
    NOISE_SQ,
    DELTA,
    STEP_SIZE,
    STEPS,
    GLOBAL_DIVERGENCE_SQ,
    PUBLISHED_C,
    WEIGHTS_SQ,
    WORKER_MAX_SQ,
    PARTICIPANTS,
    NUM_SCALARS
};
_Static_assert((int)NUM_SCALARS == (int)HSGD_NUM_SCALARS, "the header counts them");

static const char *const scalar_name[NUM_SCALARS] = {
    [WORKERS] = "n",
    [GROUPS] = "N",
    [GLOBAL_PERIOD] = "G",
    [LOCAL_PERIOD] = "I",
    [LEVELS] = "M",
    [SMOOTHNESS] = "L",
    [NOISE_SQ] = "sigma_sq",
    [DELTA] = "delta",
    [STEP_SIZE] = "gamma",
    [STEPS] = "T",
    [GLOBAL_DIVERGENCE_SQ] = "eps_sq",
    [PUBLISHED_C] = "C",
    [WEIGHTS_SQ] = "p_sq",
    [WORKER_MAX_SQ] = "eps_max_sq",
    [PARTICIPANTS] = "participants",
};

/* Families of variables with a number for every level. */
enum family {
    PERIOD,
    FANOUT,
    NODES,
    DIVERGENCE_SQ,
    NOISE_SHARE,
    PERIOD_NOISE_SHARE,
    PERIOD_SQ_DIVERGENCE_SQ,
    DEVIATION_MAX_SQ,
    NUM_FAMILIES
};
_Static_assert((int)NUM_FAMILIES == (int)HSGD_NUM_LEVEL_FAMILIES, "the header counts them");

static const char *const family_name[NUM_FAMILIES] = {[PERIOD] = "P",
                                                      [FANOUT] = "N",
                                                      [NODES] = "n",
                                                      [DIVERGENCE_SQ] = "D",
                                                      [NOISE_SHARE] = "K",
                                                      [PERIOD_NOISE_SHARE] = "PK",
                                                      [PERIOD_SQ_DIVERGENCE_SQ] = "PPD",
                                                      [DEVIATION_MAX_SQ] = "Dmax"};

/* Scalars first, then the families one after the other. */
static size_t index_of(enum family family, size_t level)
{
    return NUM_SCALARS + (size_t)family * HSGD_MAX_LEVELS + level;
}

/* ---- names ---- */

static void set_names(hsgd_variable variable[HSGD_NUM_VARIABLES], size_t num_levels)
{
    for (size_t i = 0; i < NUM_SCALARS; i++)
        snprintf(variable[i].name, sizeof variable[i].name, "%s", scalar_name[i]);
    for (int f = 0; f < NUM_FAMILIES; f++)
        for (size_t k = 0; k < HSGD_MAX_LEVELS; k++) {
            hsgd_variable *v = &variable[index_of((enum family)f, k)];
            *v->name = '\0';
            if (k < num_levels)
                snprintf(v->name, sizeof v->name, "%s%zu", family_name[f], k + 1);
        }
}

void hsgd_variables_name(hsgd_variable variable[HSGD_NUM_VARIABLES], size_t num_levels, char *known, size_t size)
{
    size_t length = 0;
    set_names(variable, num_levels);
    for (size_t i = 0; i < HSGD_NUM_VARIABLES; i++)
        variable[i].value = 1;
    *known = '\0';
    for (size_t i = 0; i < NUM_SCALARS && length < size; i++)
        length += (size_t)snprintf(known + length, size - length, "%s%s", i ? ", " : "", scalar_name[i]);
    if (length < size)
        length += (size_t)snprintf(known + length, size - length, ", and for k = 1 to %zu (levels)", num_levels);
    for (size_t f = 0; f < NUM_FAMILIES && length < size; f++)
        length += (size_t)snprintf(known + length, size - length, "%s%sk", f ? ", " : " ", family_name[f]);
}

/* ---- values ---- */

/* A sum over the nodes of a level, which is 0 where there are none. */
static bool is_sum(enum family family)
{
    return family == DIVERGENCE_SQ || family == NOISE_SHARE || family == PERIOD_NOISE_SHARE ||
           family == PERIOD_SQ_DIVERGENCE_SQ;
}

static void set_scalars(double value[NUM_SCALARS], const hsgd_bound_params *p)
{
    const hsgd_hierarchy *tree = &p->tree;
    value[WORKERS] = (double)tree->num_workers;
    value[GROUPS] = tree->num_nodes ? (double)tree->node[0].num_children : 1;
    value[GLOBAL_PERIOD] = (double)hsgd_hierarchy_global_period(tree);
    value[LOCAL_PERIOD] = (double)hsgd_hierarchy_local_period(tree);
    value[LEVELS] = (double)tree->num_levels;
    value[SMOOTHNESS] = p->smoothness;
    value[NOISE_SQ] = p->noise_sq;
    value[DELTA] = isfinite(p->delta) ? p->delta : NAN;
    value[STEP_SIZE] = p->step_size;
    value[STEPS] = (double)p->steps;
    value[GLOBAL_DIVERGENCE_SQ] = p->global_divergence_sq;
    value[PUBLISHED_C] = 40.0 / 3 * p->smoothness * p->smoothness;
    value[WEIGHTS_SQ] = tree->noise_share;
    value[WORKER_MAX_SQ] = p->worker_deviation_max_sq;
    value[PARTICIPANTS] = p->participants ? (double)p->participants : value[WORKERS];
}

/* What the nodes of one depth have in common. */
typedef struct level_sums {
    double period, fanout; /* NAN: not the same at all nodes */
    double copies;         /* how many nodes there are */
    double noise_share, divergence_sq, deviation_max_sq;
    double period_noise_share, period_sq_divergence_sq;
} level_sums;

/* The larger; NAN as soon as one is not known. */
static double larger(double a, double b)
{
    return isnan(a) || isnan(b) ? NAN : fmax(a, b);
}

static void add_node(level_sums *l, const hsgd_bound_params *p, size_t u)
{
    const hsgd_node *node = &p->tree.node[u];
    double period = (double)node->period, fanout = (double)node->num_children;
    bool first = l->copies == 0;
    l->period = first || l->period == period ? period : NAN;
    l->fanout = first || l->fanout == fanout ? fanout : NAN;
    l->copies += (double)node->copies;
    double noise_share = node->weight * node->noise_share;
    double divergence_sq = p->divergence_sq ? node->weight * p->divergence_sq[u] : NAN;
    l->noise_share += noise_share;
    l->divergence_sq += divergence_sq;
    l->period_noise_share += period * noise_share;
    l->period_sq_divergence_sq += period * period * divergence_sq;
    l->deviation_max_sq = larger(l->deviation_max_sq, p->child_deviation_max_sq ? p->child_deviation_max_sq[u] : NAN);
}

/* N_1 ... N_k counts the nodes of depth k only where every node above has as many children, none of them a worker. */
static void set_levels(hsgd_variable *variable, const hsgd_bound_params *p)
{
    level_sums at[HSGD_MAX_LEVELS] = {{0}};
    double above = 1;
    for (size_t u = 0; u < p->tree.num_nodes; u++)
        add_node(&at[p->tree.node[u].depth], p, u);
    for (size_t k = 0; k < p->tree.num_levels; k++) {
        if (at[k].copies != above)
            at[k].fanout = NAN;
        above *= at[k].fanout;
        variable[index_of(PERIOD, k)].value = at[k].period;
        variable[index_of(FANOUT, k)].value = at[k].fanout;
        variable[index_of(NODES, k)].value = above;
        variable[index_of(DIVERGENCE_SQ, k)].value = at[k].divergence_sq;
        variable[index_of(NOISE_SHARE, k)].value = at[k].noise_share;
        variable[index_of(PERIOD_NOISE_SHARE, k)].value = at[k].period_noise_share;
        variable[index_of(PERIOD_SQ_DIVERGENCE_SQ, k)].value = at[k].period_sq_divergence_sq;
        variable[index_of(DEVIATION_MAX_SQ, k)].value = at[k].deviation_max_sq;
    }
}

void hsgd_variables_set(hsgd_variable variable[HSGD_NUM_VARIABLES], const hsgd_bound_params *params)
{
    double scalar[NUM_SCALARS];
    set_names(variable, HSGD_MAX_LEVELS);
    set_scalars(scalar, params);
    for (size_t i = 0; i < NUM_SCALARS; i++)
        variable[i].value = scalar[i];
    for (int f = 0; f < NUM_FAMILIES; f++)
        for (size_t k = 0; k < HSGD_MAX_LEVELS; k++)
            variable[index_of((enum family)f, k)].value = is_sum((enum family)f) ? 0 : NAN;
    set_levels(variable, params);
}

/* ---- what is not known ---- */

static const char *why_of_scalar(size_t i)
{
    return i == DELTA                  ? "f is not bounded below"
           : i == GLOBAL_DIVERGENCE_SQ ? "there is no bound on the global divergence"
                                       : "the largest single deviations were not measured";
}

static const char *why_of_level(size_t family)
{
    return is_sum((enum family)family)  ? "level_divergence_sq is not known"
           : family == DEVIATION_MAX_SQ ? "the largest single deviations were not measured"
                                        : "nodes of this level, or above it, differ";
}

void hsgd_variables_explain(char *out, size_t size, const hsgd_bound_params *params, size_t i)
{
    size_t level = i < NUM_SCALARS ? 0 : (i - NUM_SCALARS) % HSGD_MAX_LEVELS;
    if (i < NUM_SCALARS)
        snprintf(out, size, "%s", why_of_scalar(i));
    else if (level >= params->tree.num_levels)
        snprintf(out, size, "the canonical tree has %zu level%s", params->tree.num_levels,
                 params->tree.num_levels == 1 ? "" : "s");
    else
        snprintf(out, size, "%s", why_of_level((i - NUM_SCALARS) / HSGD_MAX_LEVELS));
}

bool hsgd_variable_is_maximum(size_t i)
{
    return i == WORKER_MAX_SQ || (i >= NUM_SCALARS && (i - NUM_SCALARS) / HSGD_MAX_LEVELS == DEVIATION_MAX_SQ);
}

bool hsgd_variable_is_participants(size_t i)
{
    return i == PARTICIPANTS;
}

bool hsgd_variable_is_step_size(size_t i)
{
    return i == STEP_SIZE;
}
