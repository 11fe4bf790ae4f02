/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The forward and backward passes of a convolutional network on oneDNN's primitives, in single precision.
 *
 * A network holds the primitives of every block size (how many images go through together), made once and shared by all
 * threads. A pass is what one thread needs beside the scratch memory it brings: the library's handles of its buffers.
 * Passes are made when more threads than ever before want one at the same time, and kept. */
#ifndef HSGD_ANALYSIS_CONVNET_PRIVATE_H
#define HSGD_ANALYSIS_CONVNET_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/architecture.h"
#include "analysis/error.h"

/* Images that go through the network together: 1, 2, 4, ... of them. More would reuse the weights of dense layers more
 * often, but their activations would leave the second-level cache. */
enum { HSGD_NUM_BLOCKS = 5, HSGD_MOST_IMAGES = 1 << (HSGD_NUM_BLOCKS - 1) };

typedef struct hsgd_network hsgd_network;
typedef struct hsgd_pass hsgd_pass;

/* architecture is borrowed. HSGD_ERROR_ENVIRONMENT where the library refuses. Free with hsgd_network_free. */
hsgd_status hsgd_network_make(hsgd_network **out, const hsgd_architecture *architecture, hsgd_error *err);
void hsgd_network_free(hsgd_network *network);

/* Bytes of scratch memory of a pass. */
size_t hsgd_network_bytes(const hsgd_network *network);

/* A pass with the parameters at point (dim), in scratch memory that begins a line of the cache. It waits where memory is
 * out and other threads have all the passes there are. End it in the same thread: meanwhile the library works in the calling
 * thread only, whatever OpenMP is set to. */
hsgd_pass *hsgd_pass_begin(hsgd_network *network, const double *point, void *scratch);

/* Get ready for blocks of 2^index images. Returned: where they go, (images, rows, columns,
 * channels), NULL after a failure, which leaves only hsgd_pass_end to be called. What the passes below
 * compute is valid until the next block. */
float *hsgd_pass_block(hsgd_pass *pass, size_t index);

/* Scores (images, classes) of the images. */
const float *hsgd_pass_forward(hsgd_pass *pass);

/* Where the derivatives (images, classes) by the scores go; from them the gradient at the images is added to grad (dim). */
float *hsgd_pass_residuals(hsgd_pass *pass);
void hsgd_pass_backward(hsgd_pass *pass, double *grad);

/* false: the library failed on the way, and nothing that was computed since the beginning is valid. */
bool hsgd_pass_end(hsgd_pass *pass);

#endif
