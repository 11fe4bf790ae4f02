/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one table of all bounds, and the names of what they are about. */
#include "bounds/bound_private.h"

#include <math.h>
#include <string.h>

/* A row per bound, in the order of tables: the record hsgd_bound_NAME of the file that implements it. */
#define BOUND_TABLE(ROW)                                                                                               \
    ROW(local_inner)                                                                                                   \
    ROW(local_outer)                                                                                                   \
    ROW(fixed)                                                                                                         \
    ROW(random)                                                                                                        \
    ROW(local_inner_sharp)                                                                                             \
    ROW(local_outer_sharp)                                                                                             \
    ROW(fixed_sharp)                                                                                                   \
    ROW(random_sharp)                                                                                                  \
    ROW(fixed_recursive)                                                                                               \
    ROW(random_recursive)                                                                                              \
    ROW(jiang_zhu)                                                                                                     \
    ROW(fedvarp)                                                                                                       \
    ROW(mll_sgd)                                                                                                       \
    ROW(hierfavg)

#define DECLARE_BOUND(name) extern const hsgd_bound hsgd_bound_##name;
#define POINT_TO_BOUND(name) &hsgd_bound_##name,

BOUND_TABLE(DECLARE_BOUND)

const hsgd_bound *const hsgd_bounds[] = {BOUND_TABLE(POINT_TO_BOUND)};
const size_t hsgd_num_bounds = sizeof hsgd_bounds / sizeof hsgd_bounds[0];

void hsgd_bound_eval(const hsgd_bound *bound, const hsgd_bound_params *params, hsgd_bound_value *out)
{
    if (params->participants > 0 && params->participants < params->tree.num_workers && !bound->covers_sampling) {
        hsgd_value_start(out, NAN);
        hsgd_refuse(out, "only %zu of %zu workers take part in a round", params->participants,
                    params->tree.num_workers);
        return;
    }
    bound->eval(bound, params, out);
}

const hsgd_bound *hsgd_bound_find(const char *id)
{
    for (size_t i = 0; i < hsgd_num_bounds; i++)
        if (strcmp(hsgd_bounds[i]->id, id) == 0)
            return hsgd_bounds[i];
    return NULL;
}

static const char *const target_name[] = {
    [HSGD_TARGET_S] = "S",
    [HSGD_TARGET_S_ROUND] = "S_round",
    [HSGD_TARGET_S_MIN] = "S_min",
    [HSGD_TARGET_DISTANCE] = "distance",
};
_Static_assert(sizeof target_name / sizeof target_name[0] == HSGD_TARGET_DISTANCE + 1, "a name for each target");

const char *hsgd_target_name(hsgd_target target)
{
    return target_name[target];
}

static const char *const algorithm_name[] = {
    [HSGD_ALGORITHM_HSGD] = "hsgd",
    [HSGD_ALGORITHM_HSGD_RANDOM] = "hsgd-random",
    [HSGD_ALGORITHM_LOCAL_INNER] = "local-sgd-inner",
    [HSGD_ALGORITHM_LOCAL_OUTER] = "local-sgd-outer",
};
_Static_assert(sizeof algorithm_name / sizeof algorithm_name[0] == HSGD_ALGORITHM_LOCAL_OUTER + 1,
               "a name for each algorithm");

const char *hsgd_algorithm_name(hsgd_algorithm algorithm)
{
    return algorithm_name[algorithm];
}
