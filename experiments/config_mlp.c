/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the "problem" object says about a multilayer perceptron itself. */
#include "experiments/config_private.h"

enum { NUM_ACTIVATIONS = HSGD_ACTIVATION_TANH + 1, NUM_PRECISIONS = HSGD_PRECISION_SINGLE + 1 };

static const char *activation_name(size_t i)
{
    return hsgd_activation_name((hsgd_activation)i);
}

static const char *precision_name(size_t i)
{
    return hsgd_precision_name((hsgd_precision)i);
}

static hsgd_status read_hidden(hsgd_mlp_spec *mlp, const hsgd_json *at, hsgd_error *err)
{
    hsgd_status status = hsgd_json_array(at, 0, &mlp->num_hidden, err);
    if (!status && mlp->num_hidden > HSGD_MLP_MAX_HIDDEN)
        status = hsgd_json_fail(at, err, "%zu layers; at most %d", mlp->num_hidden, HSGD_MLP_MAX_HIDDEN);
    const cJSON *item = status ? NULL : at->value->child;
    for (size_t l = 0; l < mlp->num_hidden && !status; l++) {
        hsgd_json width = hsgd_json_next(at, &item, l);
        status = hsgd_json_count(&width, 1, HSGD_MLP_MAX_WIDTH, &mlp->hidden[l], err);
    }
    return status;
}

hsgd_status hsgd_config_read_mlp(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    hsgd_mlp_spec *mlp = &config->mlp;
    hsgd_json hidden = hsgd_json_member(at, "hidden"), activation = hsgd_json_member(at, "activation");
    hsgd_json precision = hsgd_json_member(at, "precision");
    static const char *const keys[] = {"type", "hidden",    "activation",  "precision",
                                       "data", "partition", "regularizer", NULL};
    size_t choice;
    config->problem = HSGD_PROBLEM_MLP;
    *mlp = (hsgd_mlp_spec){.activation = HSGD_ACTIVATION_RELU, .precision = HSGD_PRECISION_DOUBLE};
    config->initial_scale = 1; /* the origin is a saddle; "initial" is read later */
    hsgd_status status = hsgd_config_read_on_data(config, at, keys, err);
    if (!status)
        status = read_hidden(mlp, &hidden, err);
    if (!status && activation.value &&
        !(status = hsgd_json_choice_of(&activation, activation_name, NUM_ACTIVATIONS, &choice, err)))
        mlp->activation = (hsgd_activation)choice;
    if (!status && precision.value &&
        !(status = hsgd_json_choice_of(&precision, precision_name, NUM_PRECISIONS, &choice, err)))
        mlp->precision = (hsgd_precision)choice;
    return status;
}

void hsgd_config_mlp_to_json(cJSON *problem, const hsgd_config *config)
{
    cJSON *hidden = cJSON_AddArrayToObject(problem, "hidden");
    for (size_t l = 0; l < config->mlp.num_hidden; l++)
        cJSON_AddItemToArray(hidden, cJSON_CreateNumber((double)config->mlp.hidden[l]));
    cJSON_AddStringToObject(problem, "activation", hsgd_activation_name(config->mlp.activation));
    cJSON_AddStringToObject(problem, "precision", hsgd_precision_name(config->mlp.precision));
}
