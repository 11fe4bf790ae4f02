/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who calls what when: plans are shared, passes belong to one thread at a time. */
#ifdef HSGD_DNNL

#include "analysis/convnet_private.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/convnet_plan_private.h"
#include "analysis/threads.h"

struct hsgd_pass {
    hsgd_network *network;
    dnnl_stream_t stream;
    dnnl_memory_t *memory[HSGD_NUM_BLOCKS]; /* (num_buffers of the plan) what the library calls the buffers */
    char *scratch;                          /* where the buffers lie now */
    size_t block;                           /* whose layouts the parameters are in; HSGD_NUM_BLOCKS: none yet */
    int threads;                            /* that OpenMP was set to */
    dnnl_status_t status;                   /* the first failure */
    bool busy;
    hsgd_pass *next;
};

struct hsgd_network {
    const hsgd_architecture *architecture;
    dnnl_engine_t engine;
    hsgd_parameters parameters;
    hsgd_plan plan[HSGD_NUM_BLOCKS];
    size_t bytes;
    hsgd_pass *pass; /* all there are */
    pthread_mutex_t mutex;
    pthread_cond_t freed;
};

/* ---- passes ---- */

static void free_pass(hsgd_pass *pass)
{
    for (size_t k = 0; k < HSGD_NUM_BLOCKS; k++) {
        for (size_t i = 0; pass->memory[k] && i < pass->network->plan[k].num_buffers; i++)
            dnnl_memory_destroy(pass->memory[k][i]);
        free(pass->memory[k]);
    }
    dnnl_stream_destroy(pass->stream);
    free(pass);
}

static dnnl_status_t fill_pass(hsgd_pass *pass)
{
    const hsgd_network *network = pass->network;
    dnnl_status_t status = dnnl_stream_create(&pass->stream, network->engine, dnnl_stream_default_flags);
    for (size_t k = 0; k < HSGD_NUM_BLOCKS && !status; k++) {
        const hsgd_plan *plan = &network->plan[k];
        pass->memory[k] = calloc(plan->num_buffers, sizeof(dnnl_memory_t));
        if (!pass->memory[k])
            return dnnl_out_of_memory;
        for (size_t i = 0; i < plan->num_buffers && !status; i++)
            status = dnnl_memory_create(&pass->memory[k][i], &plan->buffer[i].desc, network->engine, DNNL_MEMORY_NONE);
    }
    return status;
}

/* One more pass, busy. */
static dnnl_status_t add_pass(hsgd_network *network)
{
    hsgd_pass *pass = calloc(1, sizeof *pass);
    if (!pass)
        return dnnl_out_of_memory;
    pass->network = network;
    dnnl_status_t status = fill_pass(pass);
    if (status) {
        free_pass(pass);
        return status;
    }
    pass->next = network->pass;
    network->pass = pass;
    pass->busy = true;
    return dnnl_success;
}

/* A pass that nobody has; best one whose buffers lie in this scratch memory already. */
static hsgd_pass *find_pass(const hsgd_network *network, const char *scratch)
{
    hsgd_pass *found = NULL;
    for (hsgd_pass *pass = network->pass; pass; pass = pass->next)
        if (!pass->busy && (!found || pass->scratch == scratch))
            found = pass;
    return found;
}

static hsgd_pass *take_pass(hsgd_network *network, const char *scratch)
{
    pthread_mutex_lock(&network->mutex);
    hsgd_pass *pass = find_pass(network, scratch);
    if (!pass && !add_pass(network))
        pass = network->pass;
    while (!pass) { /* there is at least one, from the beginning, which somebody will give back */
        pthread_cond_wait(&network->freed, &network->mutex);
        pass = find_pass(network, scratch);
    }
    pass->busy = true;
    pthread_mutex_unlock(&network->mutex);
    return pass;
}

static void give_pass_back(hsgd_pass *pass)
{
    hsgd_network *network = pass->network;
    pthread_mutex_lock(&network->mutex);
    pass->busy = false;
    pthread_cond_signal(&network->freed);
    pthread_mutex_unlock(&network->mutex);
}

/* ---- networks ---- */

static dnnl_status_t make_engine(hsgd_network *network)
{
    if (pthread_mutex_init(&network->mutex, NULL) || pthread_cond_init(&network->freed, NULL))
        return dnnl_runtime_error;
    return dnnl_engine_create(&network->engine, dnnl_cpu, 0);
}

static hsgd_status make_plans(hsgd_network *network, hsgd_error *err)
{
    hsgd_status status = hsgd_parameters_place(&network->parameters, network->architecture, err);
    int threads = hsgd_threads_begin_alone();
    for (size_t k = 0; k < HSGD_NUM_BLOCKS && !status; k++) {
        status = hsgd_plan_make(&network->plan[k], network->architecture, &network->parameters, (size_t)1 << k,
                                network->engine, err);
        if (network->plan[k].bytes > network->bytes)
            network->bytes = network->plan[k].bytes;
    }
    hsgd_threads_end_alone(threads);
    return status;
}

hsgd_status hsgd_network_make(hsgd_network **out, const hsgd_architecture *architecture, hsgd_error *err)
{
    hsgd_network *network = *out = calloc(1, sizeof *network);
    if (!network)
        return hsgd_fail_memory(err, "the network");
    network->architecture = architecture;
    dnnl_status_t refused = make_engine(network);
    hsgd_status status = refused ? hsgd_fail_dnnl(err, refused, "the processor") : make_plans(network, err);
    if (!status && (refused = add_pass(network)))
        status = hsgd_fail_dnnl(err, refused, "memory for the network");
    if (status) {
        hsgd_network_free(network);
        *out = NULL;
        return status;
    }
    network->pass->busy = false;
    return HSGD_OK;
}

void hsgd_network_free(hsgd_network *network)
{
    if (!network)
        return;
    for (hsgd_pass *pass = network->pass, *next; pass; pass = next) {
        next = pass->next;
        free_pass(pass);
    }
    for (size_t k = 0; k < HSGD_NUM_BLOCKS; k++)
        hsgd_plan_free(&network->plan[k]);
    hsgd_parameters_free(&network->parameters);
    dnnl_engine_destroy(network->engine);
    pthread_cond_destroy(&network->freed);
    pthread_mutex_destroy(&network->mutex);
    free(network);
}

size_t hsgd_network_bytes(const hsgd_network *network)
{
    return network->bytes;
}

/* ---- parameters between w and single precision ---- */

/* Parameters first .. first + count - 1 of a layer's part of w lie at `offset`. */
typedef struct part {
    size_t at, count, offset;
} part;

static part weights_of(const hsgd_network *network, size_t layer)
{
    const hsgd_architecture *a = network->architecture;
    size_t all = a->first[layer + 1] - a->first[layer], biases = all ? a->layer[layer].outputs : 0;
    return (part){a->first[layer], all - biases, network->parameters.weights[layer]};
}

static part biases_of(const hsgd_network *network, size_t layer)
{
    part weights = weights_of(network, layer);
    size_t at = weights.at + weights.count;
    return (part){at, network->architecture->first[layer + 1] - at, network->parameters.biases[layer]};
}

static void put(char *scratch, part p, const double *point)
{
    float *to = (float *)(void *)(scratch + p.offset); /* offsets are whole lines of the cache */
    for (size_t i = 0; i < p.count; i++)
        to[i] = (float)point[p.at + i];
}

static void add(double *grad, part p, const char *scratch)
{
    const float *from = (const float *)(const void *)(scratch + p.offset);
    for (size_t i = 0; i < p.count; i++)
        grad[p.at + i] += (double)from[i];
}

/* ---- a pass ---- */

/* The library looks at its buffers' paddings when they move, so they move no more often than they must. */
static void move_buffers(hsgd_pass *pass, char *scratch)
{
    if (pass->scratch == scratch)
        return;
    for (size_t k = 0; k < HSGD_NUM_BLOCKS; k++) {
        const hsgd_plan *plan = &pass->network->plan[k];
        for (size_t i = 0; i < plan->num_buffers && !pass->status; i++)
            pass->status =
                dnnl_memory_set_data_handle_v2(pass->memory[k][i], scratch + plan->buffer[i].offset, pass->stream);
    }
    pass->scratch = pass->status ? NULL : scratch;
}

hsgd_pass *hsgd_pass_begin(hsgd_network *network, const double *point, void *scratch)
{
    hsgd_pass *pass = take_pass(network, scratch);
    pass->threads = hsgd_threads_begin_alone();
    pass->status = dnnl_success;
    pass->block = HSGD_NUM_BLOCKS;
    move_buffers(pass, scratch);
    for (size_t i = 0; i < network->architecture->num_layers && !pass->status; i++) {
        put(scratch, weights_of(network, i), point);
        put(scratch, biases_of(network, i), point);
    }
    return pass;
}

static void execute(hsgd_pass *pass, const hsgd_command_list *list)
{
    for (size_t c = 0; c < list->count && !pass->status; c++) {
        const hsgd_command *command = &list->command[c];
        dnnl_exec_arg_t argument[HSGD_MOST_ARGUMENTS];
        for (int i = 0; i < command->num_arguments; i++)
            argument[i] =
                (dnnl_exec_arg_t){command->argument[i].role, pass->memory[pass->block][command->argument[i].buffer]};
        pass->status = dnnl_primitive_execute(command->primitive, pass->stream, command->num_arguments, argument);
    }
    if (!pass->status)
        pass->status = dnnl_stream_wait(pass->stream);
}

static float *buffer_of(const hsgd_pass *pass, size_t buffer)
{
    return (float *)(void *)(pass->scratch + pass->network->plan[pass->block].buffer[buffer].offset);
}

float *hsgd_pass_block(hsgd_pass *pass, size_t index)
{
    if (pass->status)
        return NULL;
    const hsgd_plan *plan = &pass->network->plan[index];
    bool ready = pass->block == index;
    pass->block = index;
    if (!ready)
        execute(pass, &plan->prepare);
    return buffer_of(pass, plan->input);
}

const float *hsgd_pass_forward(hsgd_pass *pass)
{
    const hsgd_plan *plan = &pass->network->plan[pass->block];
    execute(pass, &plan->forward);
    return buffer_of(pass, plan->scores);
}

float *hsgd_pass_residuals(hsgd_pass *pass)
{
    return buffer_of(pass, pass->network->plan[pass->block].residuals);
}

void hsgd_pass_backward(hsgd_pass *pass, double *grad)
{
    const hsgd_network *network = pass->network;
    execute(pass, &network->plan[pass->block].backward);
    const char *slopes = pass->scratch + network->parameters.bytes;
    for (size_t i = 0; i < network->architecture->num_layers && !pass->status; i++) {
        add(grad, weights_of(network, i), slopes);
        add(grad, biases_of(network, i), slopes);
    }
}

bool hsgd_pass_end(hsgd_pass *pass)
{
    bool good = !pass->status;
    hsgd_threads_end_alone(pass->threads);
    give_pass_back(pass);
    return good;
}

#else
typedef int hsgd_convnet_network_needs_dnnl; /* C has no empty files */
#endif
