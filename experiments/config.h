/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration of one experiment: the Contract's JSON file as a plain structure (README, config table). */
#ifndef HSGD_EXPERIMENTS_CONFIG_H
#define HSGD_EXPERIMENTS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/communication.h"
#include "analysis/architecture.h"
#include "analysis/dataset.h"
#include "analysis/error.h"
#include "analysis/grouping.h"
#include "analysis/hierarchy.h"
#include "analysis/mlp.h"
#include "analysis/partition.h"
#include "analysis/regularizer.h"
#include "analysis/variant.h"
#include "bounds/list.h"
#include "experiments/data.h"
#include "experiments/hunt_spec.h"
#include "experiments/targets.h"
#include "plots/figure.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_problem_type {
    HSGD_PROBLEM_QUADRATIC,           /* explicit curvature and linear terms */
    HSGD_PROBLEM_QUADRATIC_GENERATED, /* drawn, with prescribed level divergences */
    HSGD_PROBLEM_LOGISTIC,
    HSGD_PROBLEM_SOFTMAX,
    HSGD_PROBLEM_CNN,
    HSGD_PROBLEM_MLP,
    HSGD_PROBLEM_PLUGIN /* from a shared object */
} hsgd_problem_type;

typedef enum hsgd_weighting { HSGD_WEIGHTS_EQUAL, HSGD_WEIGHTS_DATA_SIZE, HSGD_WEIGHTS_GIVEN } hsgd_weighting;

/* All pointers are owned. */
typedef struct hsgd_config {
    char *name;
    /* hierarchy */
    hsgd_hierarchy hierarchy; /* as given: uniform trees have one entry per level */
    bool is_uniform;          /* given by fanout and periods */
    hsgd_weighting weighting;
    double *weight; /* (num_workers) for HSGD_WEIGHTS_GIVEN */
    /* problem */
    hsgd_problem_type problem;
    size_t dim;               /* quadratics: d */
    double noise_sq;          /* quadratics: sigma^2 */
    double *curvature;        /* (dim) explicit quadratics with one Hessian, else NULL */
    double *linear;           /* (num_workers, dim) explicit quadratics */
    double *worker_curvature; /* (num_workers, dim) explicit quadratics with Hessians of their own, else NULL */
    double curvature_range[2];
    double *level_divergence_sq;    /* (num_levels) generated quadratics */
    double curvature_spread;        /* generated quadratics: of the Hessians, see quadratic.h */
    double *level_curvature_spread; /* (num_levels) the same between levels; NULL: none */
    uint64_t problem_seed;
    hsgd_data_config data; /* models on data */
    hsgd_partition_options partition;
    hsgd_regularizer regularizer;
    const char *architecture; /* cnn: its name, static; NULL: the layers were given one by one */
    hsgd_layer *layer;        /* cnn: (num_layers) without the last one, to the classes */
    size_t num_layers;
    hsgd_shape shape;        /* cnn: of the images; 0 channels: to be found from the number of features */
    hsgd_mlp_spec mlp;       /* for HSGD_PROBLEM_MLP */
    char *plugin_path;       /* plug-in: of its shared object, which need not be there */
    char *plugin_parameters; /* plug-in: a JSON object */
    hsgd_grouping grouping;
    size_t groupings; /* random grouping: this many, with `seeds` runs each; 0: a grouping of its own for every seed */
    /* start */
    double *initial_point; /* (initial_dim) NULL: drawn with initial_scale */
    size_t initial_dim;
    double
        initial_scale; /* 0: the origin; NAN: where a plug-in begins; networks: times the standard deviations of their rule
                          (mlp: He or Glorot; cnn: He) */
    /* optimizer */
    double step_size;          /* NAN: use the fraction */
    double step_size_fraction; /* of the published maximum (THEORY 4.1) */
    size_t steps, batch_size;
    hsgd_variant variant; /* what is changed about H-SGD; plain by default */
    /* what to run and report */
    size_t seeds;
    uint64_t first_seed;
    size_t measure_every;
    double confidence;
    size_t evaluate_every; /* measured steps from one evaluation of losses and accuracies to the next; 0: never */
    hsgd_wanted *target;   /* (num_targets) */
    size_t num_targets;
    bool has_communication;
    hsgd_communication communication; /* if has_communication */
    /* which constants the verdicts rest on, where a problem offers a choice */
    bool certified_divergence; /* proved bounds on the divergences, not the suprema along the run */
    bool solve_minimum;        /* f* from a solver, not the bound known beforehand */
    hsgd_bound_list bounds;    /* all that there are, selected or not */
    bool *use_bound;           /* (bounds.count) */
    bool *use_figure;          /* (hsgd_num_figures) */
    bool worst_case;           /* the exact worst case is one of the bounds (bounds/worst_case.h) */
    hsgd_figure_style figure_style;
    bool has_hunt;       /* for hsgd hunt; other commands run the problem as it stands */
    hsgd_hunt_spec hunt; /* if has_hunt */
} hsgd_config;

/* Read a configuration file ("-": standard input). Relative data paths are looked for in the file's folder, then in
 * HSGD_DATA_DIR. Free the result with hsgd_config_free. */
hsgd_status hsgd_config_read(hsgd_config *out, const char *path, hsgd_error *err);

/* The same from a text; file is the name used in messages and its folder the base of relative paths. */
hsgd_status hsgd_config_parse(hsgd_config *out, const char *text, size_t length, const char *file, hsgd_error *err);

/* The configuration with every default filled in, as JSON text that reads back to the same configuration; free it. NULL
 * when memory is out. */
char *hsgd_config_to_json(const hsgd_config *config);

/* The bound with this id, selected or not; NULL where there is none. */
const hsgd_bound *hsgd_config_find_bound(const hsgd_config *config, const char *id);

/* Append a bound to those of the configuration, not selected; as hsgd_bound_list_add. */
hsgd_status hsgd_config_add_bound(hsgd_config *config, const hsgd_bound *bound, hsgd_bound_release release,
                                  hsgd_error *err);

/* The key without which this configuration has nothing to show in a figure; NULL: none, or one that always shows something. */
const char *hsgd_config_figure_lacks(const hsgd_config *config, const char *figure);

/* Does this figure show something over modelled seconds or bytes, as the names NAME-time and NAME-bytes say? */
bool hsgd_config_figure_costs(const char *figure);

/* The number of runs: seeds, for each of the groupings where those are counted. */
size_t hsgd_config_runs(const hsgd_config *config);

/* gamma: the step size, or the fraction of the published maximum (THEORY 4.1) for this L. */
hsgd_status hsgd_config_step_size(double *out, const hsgd_config *config, double smoothness, hsgd_error *err);

void hsgd_config_free(hsgd_config *config);

#ifdef __cplusplus
}
#endif

#endif
