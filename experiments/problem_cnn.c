/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolutional networks: unlike other problems they need the initial point first, because their constants are estimated
 * there. */
#include "experiments/problem_private.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/convnet.h"
#include "analysis/image.h"

hsgd_status hsgd_problem_check_cnn(const hsgd_config *config, hsgd_error *err)
{
    if (config->problem != HSGD_PROBLEM_CNN || hsgd_convnet_is_there())
        return HSGD_OK;
    hsgd_objective unused;
    hsgd_status status =
        hsgd_convnet_objective(&unused, NULL, NULL, NULL, 0, (hsgd_regularizer){HSGD_REGULARIZER_NONE, 0}, NULL, err);
    hsgd_error_prefix(err, "problem.type: ");
    return status;
}

static hsgd_status make_architecture(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err)
{
    hsgd_shape shape = config->shape;
    const hsgd_dataset *data = &problem->data;
    if (!shape.channels && config->data.images)
        shape = (hsgd_shape){HSGD_IMAGE_CHANNELS, config->data.image_rows, config->data.image_columns};
    if (!shape.channels && !hsgd_shape_of_square(&shape, data->num_features))
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "shape: %zu features are no square image of 1 or 3 channels; give [channels, height, width]",
                         data->num_features);
    return hsgd_architecture_make(&problem->architecture, config->layer, config->num_layers, shape, data->num_classes,
                                  err);
}

/* The given point, or the usual draw. */
static hsgd_status make_initial(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err)
{
    size_t dim = problem->architecture.dim;
    if (config->initial_point && config->initial_dim != dim)
        return HSGD_OK; /* refused where all problems are */
    problem->initial = malloc(dim * sizeof *problem->initial);
    if (!problem->initial)
        return hsgd_fail_memory(err, "the initial point");
    if (config->initial_point)
        memcpy(problem->initial, config->initial_point, dim * sizeof *problem->initial);
    else
        hsgd_architecture_initial(&problem->architecture, config->first_seed, config->initial_scale, problem->initial);
    return HSGD_OK;
}

hsgd_status hsgd_problem_make_cnn(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err)
{
    hsgd_status status = make_architecture(problem, config, err);
    if (!status)
        status = make_initial(problem, config, err);
    if (!status)
        status = hsgd_convnet_objective(&problem->objective, &problem->architecture, &problem->data,
                                        problem->partition.start, problem->hierarchy.num_workers, config->regularizer,
                                        problem->initial, err);
    return status;
}
