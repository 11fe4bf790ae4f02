/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolutional networks as lists of layers: which there are, the shapes between them, and where their parameters lie.
 *
 * An image of C channels, H rows and W columns goes through the layers one after the other; a last dense layer to the
 * number of classes is always added. With kernel K, stride S and padding P (zeros on all four sides)
 *     conv      C' channels, (H + 2P - K)/S + 1 rows, the same for columns, rounded down;   C' (C K^2 + 1) parameters
 *     maxpool   the largest of each K x K window, every S rows and columns, rounded down: windows that do not fit are left
 *               out. Where numbers tie, the gradient goes to the first in reading order
 *     dense     O numbers from all numbers before it, O (C H W + 1) parameters; only dense layers and activations follow
 *     relu, tanh   number by number; the derivative of relu at 0 is 0
 *
 * Layout of the point w: layer by layer the weights, (outputs, channels, kernel rows, kernel columns) for conv and
 * (outputs, channels, rows, columns) for dense, row-major, then the biases (outputs). */
#ifndef HSGD_ANALYSIS_ARCHITECTURE_H
#define HSGD_ANALYSIS_ARCHITECTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_layer_kind {
    HSGD_LAYER_CONV,
    HSGD_LAYER_RELU,
    HSGD_LAYER_TANH,
    HSGD_LAYER_MAXPOOL,
    HSGD_LAYER_DENSE
} hsgd_layer_kind;

typedef struct hsgd_layer {
    hsgd_layer_kind kind;
    size_t outputs;        /* conv: channels; dense: numbers */
    size_t kernel, stride; /* conv and maxpool: rows, and columns, of a window and between windows */
    size_t padding;        /* conv: rows, and columns, of zeros on each side */
} hsgd_layer;

/* Larger numbers than these have no use and could overflow. */
enum { HSGD_MAX_LAYERS = 1000, HSGD_MAX_LAYER_OUTPUTS = 1 << 20, HSGD_MAX_KERNEL = 1 << 10 };

typedef struct hsgd_shape {
    size_t channels, rows, columns; /* after a dense layer: its outputs, 1, 1 */
} hsgd_shape;

typedef struct hsgd_architecture {
    size_t num_layers; /* with the last dense one */
    hsgd_layer *layer; /* (num_layers) owned */
    hsgd_shape *shape; /* (num_layers + 1) owned: shape[i] goes into layer i, shape[i + 1] comes out */
    size_t *first;     /* (num_layers + 1) owned: layer i has the parameters first[i] .. first[i + 1] - 1 of w */
    size_t dim;        /* d, all parameters */
} hsgd_architecture;

/* The architectures with a name, NULL from their number on. Each is followed by the dense layer to the classes.
 *
 *   lenet      conv 32 5x5 padding 2, relu, maxpool 2, conv 64 5x5 padding 2, relu, maxpool 2, dense 512, relu: the network
 *              for MNIST of McMahan et al. (AISTATS 2017), 1,663,370 parameters there, also used for FEMNIST
 *   lenet-5    conv 6 5x5 padding 2, relu, maxpool 2, conv 16 5x5, relu, maxpool 2, dense 120, relu, dense 84, relu: LeCun et
 *              al. (1998) with today's activations and all connections, 61,706 parameters on MNIST
 *   vgg-11     conv 64, maxpool 2, conv 128, maxpool 2, conv 256 twice, maxpool 2, conv 512 twice, maxpool 2, conv 512 twice,
 *              maxpool 2, each conv 3x3 with padding 1 and relu: configuration A of Simonyan & Zisserman (2015) without the
 *              hidden dense layers, as usual for CIFAR-10; 9,225,610 parameters there
 *   vgg-small  the same with 16, 32, 64, 128 and 128 channels: 578,410 parameters on CIFAR-10 */
const char *hsgd_architecture_name(size_t index);

/* The layers (*num_layers) of that architecture, without the last dense one. Static memory. */
const hsgd_layer *hsgd_architecture_layers(size_t index, size_t *num_layers);

/* Square images with 1 or 3 channels of num_features numbers in all; false: there are none. */
bool hsgd_shape_of_square(hsgd_shape *out, size_t num_features);

/* The layers (num_layers, may be 0) with the last dense one to num_classes, for images of this shape. Messages begin with
 * "architecture[i]: ". Free with hsgd_architecture_free. */
hsgd_status hsgd_architecture_make(hsgd_architecture *out, const hsgd_layer *layer, size_t num_layers, hsgd_shape input,
                                   size_t num_classes, hsgd_error *err);
void hsgd_architecture_free(hsgd_architecture *architecture);

/* Numbers that each output of a layer with parameters is a weighted sum of. */
size_t hsgd_architecture_fan_in(const hsgd_architecture *architecture, size_t layer);

/* point (dim): weights normal with standard deviation scale * sqrt(2 / fan-in) (He et al. 2015), biases 0. Those of a layer
 * come from the stream (seed, INITIAL, worker = number of the layer, step = 0). */
void hsgd_architecture_initial(const hsgd_architecture *architecture, uint64_t seed, double scale, double *point);

#ifdef __cplusplus
}
#endif

#endif
