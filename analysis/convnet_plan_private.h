/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A network's passes over a block of images as lists of primitives between buffers. Needs oneDNN. */
#ifndef HSGD_ANALYSIS_CONVNET_PLAN_PRIVATE_H
#define HSGD_ANALYSIS_CONVNET_PLAN_PRIVATE_H

#include <dnnl.h>

#include "analysis/architecture.h"

/* A part of the scratch memory, all offsets in bytes. */
typedef struct hsgd_buffer {
    dnnl_memory_desc_t desc;
    size_t offset;
} hsgd_buffer;

enum { HSGD_MOST_ARGUMENTS = 6 };

typedef struct hsgd_command {
    dnnl_primitive_t primitive;
    int num_arguments;
    struct {
        int role;      /* DNNL_ARG_... */
        size_t buffer; /* of the plan */
    } argument[HSGD_MOST_ARGUMENTS];
} hsgd_command;

typedef struct hsgd_command_list {
    hsgd_command *command; /* owned */
    size_t count;
} hsgd_command_list;

/* Where the parameters lie in single precision: weights and biases of each layer begin lines of the cache. */
typedef struct hsgd_parameters {
    size_t *weights, *biases; /* (num_layers) offsets in bytes, owned; for layers with parameters */
    size_t bytes;
} hsgd_parameters;

/* Scratch memory: parameters, their gradient in the same layout, then everything else. */
typedef struct hsgd_plan {
    size_t images;
    hsgd_buffer *buffer; /* (num_buffers) owned */
    size_t num_buffers;
    hsgd_command_list prepare;       /* parameters into the layouts that the primitives like */
    hsgd_command_list forward;       /* images to scores */
    hsgd_command_list backward;      /* residuals to the gradient of the parameters */
    size_t input, scores, residuals; /* buffers */
    size_t bytes;                    /* of scratch memory */
} hsgd_plan;

hsgd_status hsgd_parameters_place(hsgd_parameters *out, const hsgd_architecture *architecture, hsgd_error *err);
void hsgd_parameters_free(hsgd_parameters *parameters);

/* Primitives made here divide their work among as many threads as OpenMP has set: set it to 1 before. */
hsgd_status hsgd_plan_make(hsgd_plan *out, const hsgd_architecture *architecture, const hsgd_parameters *parameters,
                           size_t images, dnnl_engine_t engine, hsgd_error *err);
void hsgd_plan_free(hsgd_plan *plan);

/* The failure of a call of the library as one of ours. */
hsgd_status hsgd_fail_dnnl(hsgd_error *err, dnnl_status_t status, const char *doing);

#endif
