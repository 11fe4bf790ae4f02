/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd plan: the tree, periods and step size with the smallest bound that a time budget allows (THEORY 13).
 *
 * A plan is a uniform tree over all n workers: fanouts N_1..N_M >= 2 with product n, periods P_1..P_M each dividing the one
 * before. Its seconds give its number of steps T, the most within the budget; its step size minimises the bound.
 * A level with the period of the level above averages nothing of its own: its servers only pass sums on. Such plans are
 * other routes of the same algorithm, with the same bound for the same T (`relays`). */
#ifndef HSGD_EXPERIMENTS_PLAN_PRIVATE_H
#define HSGD_EXPERIMENTS_PLAN_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "analysis/communication.h"
#include "analysis/communication_uniform.h"
#include "bounds/bound.h"
#include "experiments/checksum.h"
#include "experiments/folder.h"
#include "experiments/json_private.h"
#include "plots/figure.h"

enum { HSGD_PLAN_MAX_LEVELS = 8 };

/* More plans than this are refused: a search takes about a microsecond for each, an analysis makes some hundred searches. */
#define HSGD_PLAN_MAX_PLANS ((size_t)1000000)

/* ---- what is asked ---- */

typedef enum hsgd_plan_constant {
    HSGD_PLAN_L,
    HSGD_PLAN_SIGMA_SQ,
    HSGD_PLAN_DELTA,
    HSGD_PLAN_DIVERGENCE, /* eps~^2; all D_k where they are given scale with it */
    HSGD_NUM_PLAN_CONSTANTS
} hsgd_plan_constant;

typedef struct hsgd_plan_value {
    double value;
    char kind[16]; /* "given", or as result.json calls it: "exact", "certified", "trajectory", "estimate" */
} hsgd_plan_value;

typedef struct hsgd_plan_fanout {
    size_t num_levels;
    size_t fanout[HSGD_PLAN_MAX_LEVELS];
    double divergence_sq[HSGD_PLAN_MAX_LEVELS]; /* D_k for eps~^2 as read; those of random grouping where not given */
    bool divergence_given;
} hsgd_plan_fanout;

/* Owned pointers. A shallow copy with other constants is how the analysis asks "what if". */
typedef struct hsgd_plan_setting {
    char *name;
    size_t num_workers;
    size_t network[HSGD_MAX_LEVELS], num_links; /* fanouts of the network, the outermost links first */
    hsgd_communication communication;           /* level[j]: links of network level j */
    size_t dim;                                 /* of a model, in parameters of communication.bytes_per_parameter */
    bool dimension_known;                       /* false: "model_bytes" was given, and dim is 1 */
    hsgd_plan_value constant[HSGD_NUM_PLAN_CONSTANTS];
    double divergence_read_sq; /* eps~^2 as read, to which the D_k of the fanouts belong */
    const hsgd_bound *bound;
    size_t *period, num_periods; /* candidates, ascending, 1 among them; owned */
    size_t max_period;           /* the largest of them */
    hsgd_plan_fanout *fanout;    /* (num_fanouts), owned; [n] is among them */
    size_t num_fanouts;
    bool fanouts_given;
    double *budget_s; /* (num_budgets) ascending, owned */
    size_t num_budgets;
    bool relays;
    char *constants_from; /* path of a result.json, owned; NULL: none */
    cJSON *experiment;    /* the configuration that plan-best.json starts from, owned; NULL: none is known */
    cJSON *figure_style;  /* owned; NULL: none given */
    bool with_figure;     /* "figures" has it */
    char config_sha256[HSGD_CHECKSUM_SIZE]; /* of the file's document */
} hsgd_plan_setting;

/* Read a configuration ("-": standard input); free it with hsgd_plan_setting_free. */
hsgd_status hsgd_plan_read(hsgd_plan_setting *out, const char *path, hsgd_error *err);
void hsgd_plan_setting_free(hsgd_plan_setting *setting);

/* The bound with this id, wherever bounds are defined; NULL: there is none. */
const hsgd_bound *hsgd_plan_find_bound(const char *id);

/* Is it one of those of which THEORY 13 proves what the search relies on: base terms plus a part that grows with the step
 * size, convex in it? Others are searched without pruning, on a grid of step sizes. */
bool hsgd_plan_bound_is_convex(const hsgd_bound *bound);

/* ---- the trees ---- */

typedef struct hsgd_plan_tree {
    size_t fanout;                       /* index into setting->fanout */
    size_t period[HSGD_PLAN_MAX_LEVELS]; /* (num_levels of it) */
} hsgd_plan_tree;

/* Which of the plans: all, those of local SGD (one averaging level, whatever its route), those of synchronous SGD. */
typedef enum hsgd_plan_family {
    HSGD_PLAN_ALL,
    HSGD_PLAN_LOCAL,
    HSGD_PLAN_SYNCHRONOUS,
    HSGD_NUM_PLAN_FAMILIES
} hsgd_plan_family;

/* "hsgd", "local_sgd", "synchronous": how plan.json calls them. */
const char *hsgd_plan_family_name(hsgd_plan_family family);

typedef struct hsgd_plan_trees {
    hsgd_plan_tree *tree; /* (count), owned, every plan once */
    size_t count;
} hsgd_plan_trees;

/* Ordered factorisations of n into at most max_levels factors >= 2 (n = 1: the one fanout 1), fewest levels first. */
hsgd_status hsgd_plan_fanouts(hsgd_plan_fanout **out, size_t *count, size_t num_workers, size_t max_levels,
                              hsgd_error *err);

hsgd_status hsgd_plan_trees_list(hsgd_plan_trees *out, const hsgd_plan_setting *setting, hsgd_plan_family family,
                                 hsgd_error *err);
void hsgd_plan_trees_free(hsgd_plan_trees *trees);

/* The level of the network over whose links a node with so many workers talks to its children: the innermost one whose
 * sites hold a whole number of such nodes. */
size_t hsgd_plan_link_of(const hsgd_plan_setting *setting, size_t workers_below);

/* ---- one plan ---- */

typedef struct hsgd_plan_model {
    hsgd_hierarchy tree;      /* as planned, one entry per level */
    hsgd_bound_params params; /* step_size and steps are the caller's to set */
    hsgd_schedule_costs costs;
    size_t link[HSGD_PLAN_MAX_LEVELS]; /* network level of each level of the tree */
} hsgd_plan_model;

/* The whole model; or first what it costs (all but params), then, if that is of interest, the rest. Free it with
 * hsgd_plan_model_free in any case, also on failure. */
hsgd_status hsgd_plan_model_init(hsgd_plan_model *out, const hsgd_plan_setting *setting, const hsgd_plan_tree *tree,
                                 hsgd_error *err);
hsgd_status hsgd_plan_model_cost(hsgd_plan_model *out, const hsgd_plan_setting *setting, const hsgd_plan_tree *tree,
                                 hsgd_error *err);
hsgd_status hsgd_plan_model_finish(hsgd_plan_model *out, const hsgd_plan_setting *setting, const hsgd_plan_tree *tree,
                                   hsgd_error *err);
void hsgd_plan_model_free(hsgd_plan_model *model);

/* bytes (setting->num_links) sent over each level of the network in so many steps. */
void hsgd_plan_bytes(double *bytes, const hsgd_plan_setting *setting, const hsgd_plan_model *model, size_t steps);

/* The smallest value of a bound over admissible step sizes. */
typedef struct hsgd_plan_step_size {
    bool found;
    double step_size, value;
    double max_step_size;          /* of the bound, as it says */
    bool at_limit;                 /* the value still falls at the limit of the step size */
    char reason[HSGD_REASON_SIZE]; /* why there is none; "" otherwise */
} hsgd_plan_step_size;

/* params: all but the step size is set; it is changed. below: only values below it matter (INFINITY: all do); where the
 * bound is proved not to get there, found is false and reason "". */
void hsgd_plan_minimise(hsgd_plan_step_size *out, const hsgd_bound *bound, hsgd_bound_params *params, double below);

/* Proved without evaluating the bound: no plan with at most so many steps (which need not be whole) gets it below this. */
bool hsgd_plan_is_slow(const hsgd_plan_setting *setting, double steps, double below);

/* ---- the search ---- */

typedef struct hsgd_plan {
    bool found;
    hsgd_plan_tree tree;
    size_t steps;
    double step_size, max_step_size, bound, seconds;
    bool at_limit;
    double bytes[HSGD_MAX_LEVELS]; /* (num_links) */
} hsgd_plan;

typedef struct hsgd_plan_result {
    hsgd_plan best;   /* the smallest bound; ties go to the plan that comes first in the list */
    hsgd_plan *front; /* (num_front), owned: no other plan has a smaller bound and no more bytes over the
                                      outermost links; by ascending bound. NULL unless wanted */
    size_t num_front;
    char reason[HSGD_REASON_SIZE]; /* where nothing was found: why not, for the plan nearest to being one */
} hsgd_plan_result;

/* below: as for hsgd_plan_minimise. The result has the same bits for any number of threads. */
hsgd_status hsgd_plan_search(hsgd_plan_result *out, const hsgd_plan_setting *setting, const hsgd_plan_trees *trees,
                             double budget_s, double below, bool with_front, hsgd_error *err);
void hsgd_plan_result_free(hsgd_plan_result *result);

/* The same plan in another world, or with another budget: its steps and its best step size there. step_size: NAN, or one
 * that is kept (then not found where the bound does not allow it). */
hsgd_status hsgd_plan_evaluate(hsgd_plan *out, const hsgd_plan_setting *setting, const hsgd_plan_tree *tree,
                               double budget_s, double step_size, hsgd_error *err);

/* The least seconds in which a plan of the list brings the bound to `target`, to a relative 1e-5; INFINITY: none does in
 * 2^40 times the budget it starts from. */
hsgd_status hsgd_plan_time_for(double *out_s, const hsgd_plan_setting *setting, const hsgd_plan_trees *trees,
                               double target, double start_s, hsgd_error *err);

/* Who wants to know how far an analysis is: a share from 0 to 1. tell NULL: nobody. */
typedef struct hsgd_plan_watcher {
    void (*tell)(void *context, double share);
    void *context;
    double from, to; /* the part of the whole that is being done */
} hsgd_plan_watcher;

void hsgd_plan_tell(const hsgd_plan_watcher *watcher, size_t done, size_t of);

/* ---- what the answer rests on ---- */

typedef struct hsgd_plan_regret {
    bool found;       /* some plan is feasible in that world */
    hsgd_plan best;   /* there */
    double kept_all;  /* bound there of the plan with its step size over the best one, minus 1; NAN: not admissible */
    double kept_tree; /* the same with the best step size there */
} hsgd_plan_regret;

typedef struct hsgd_plan_sensitivity {
    char name[48];     /* "L", "latency, level 1" */
    double value;      /* of the constant */
    double elasticity; /* d log bound* / d log constant at the best plan, the step size chosen anew, T not rounded */
    double elasticity_kept; /* the same with the step size kept: equal by the envelope theorem where no limit is met */
    bool has_regret;
    hsgd_plan_regret half, twice; /* the constant is a half, twice as large */
} hsgd_plan_sensitivity;

/* Of all constants at the best plan; *out (count) is to be freed. */
hsgd_status hsgd_plan_sensitivities(hsgd_plan_sensitivity **out, size_t *count, const hsgd_plan_setting *setting,
                                    const hsgd_plan_trees *trees, const hsgd_plan *best, double budget_s,
                                    const hsgd_plan_watcher *watcher, hsgd_error *err);

/* ---- all of it ---- */

/* What one budget allows. */
typedef struct hsgd_plan_answer {
    double budget_s;
    hsgd_plan_result result[HSGD_NUM_PLAN_FAMILIES]; /* the front is that of all plans */
    /* seconds in which the family reaches the bound of the best plan, and in which the best plans reach its bound */
    double family_time_s[HSGD_NUM_PLAN_FAMILIES], best_time_s[HSGD_NUM_PLAN_FAMILIES];
} hsgd_plan_answer;

enum { HSGD_PLAN_CURVE_POINTS = 25 };

typedef struct hsgd_plan_analysis {
    const hsgd_plan_setting *setting; /* borrowed */
    hsgd_plan_trees trees[HSGD_NUM_PLAN_FAMILIES];
    hsgd_plan_answer *answer; /* (setting->num_budgets), owned */
    double curve_s[HSGD_PLAN_CURVE_POINTS];
    hsgd_plan curve[HSGD_NUM_PLAN_FAMILIES][HSGD_PLAN_CURVE_POINTS]; /* the best plan for so many seconds */
    hsgd_plan_sensitivity *sensitivity; /* (num_sensitivities) for the largest budget, owned */
    size_t num_sensitivities;
} hsgd_plan_analysis;

/* Search, compare and vary. Where not even the largest budget has a plan, the rest is left out. */
hsgd_status hsgd_plan_analyse(hsgd_plan_analysis *out, const hsgd_plan_setting *setting, hsgd_plan_watcher watcher,
                              hsgd_error *err);
void hsgd_plan_analysis_free(hsgd_plan_analysis *analysis);

/* The answer for the largest budget. */
const hsgd_plan_answer *hsgd_plan_last(const hsgd_plan_analysis *analysis);

/* ---- output ---- */

/* "8 x 8" into text (size bytes), and "20 / 5". */
void hsgd_plan_print_fanout(char *text, size_t size, const hsgd_plan_setting *setting, const hsgd_plan_tree *tree);
void hsgd_plan_print_periods(char *text, size_t size, const hsgd_plan_setting *setting, const hsgd_plan_tree *tree);

void hsgd_plan_print(const hsgd_plan_analysis *a, FILE *out);
cJSON *hsgd_plan_to_json(const hsgd_plan_analysis *analysis);

/* Write plan.json, plan.csv, plan-params.json and, where a problem is known, plan-best.json. note (size bytes): why there is
 * no plan-best.json although a problem is known; "" otherwise. */
hsgd_status hsgd_plan_write(const hsgd_plan_analysis *analysis, const char *dir, char *note, size_t size,
                            bool *with_config, hsgd_error *err);

/* Make its figure again, from its plan.json. */
hsgd_status hsgd_plan_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                           hsgd_error *err);

#endif
