/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The interface of plug-ins: an objective of your own in a shared object, which `hsgd run` loads.
 *
 *     cc -shared -fPIC -O2 -o my.so my.c $(pkg-config --cflags hsgd)
 *     "problem": { "type": "plugin", "path": "my.so", "parameters": { ... } }
 *
 * This header stands alone: a plug-in includes nothing else of hsgd and is linked with nothing of it. It exports one
 * symbol, a constant record of functions (experiments/examples/plugin.c is a complete one):
 *
 *     const hsgd_plugin_interface hsgd_plugin = {
 *         .interface = HSGD_PLUGIN_INTERFACE, .size = sizeof hsgd_plugin, .name = "mine", ...
 *     };
 *
 * Rules that hsgd relies on, and checks where it can:
 *   - All functions but create and destroy are called by several threads at once, for the same problem. They may only
 *     read the problem, and write to their outputs and to the scratch memory that they are handed. No globals.
 *   - Their results depend on their arguments alone: the same call gives the same bits. All randomness comes from the
 *     numbers in hsgd_plugin_random.
 *   - The gradient is that of the loss, and stochastic gradients average to it.
 *   - A loss that has no value is NAN or INFINITY; the run is then reported as diverged. Nothing ends the process. */
#ifndef HSGD_ANALYSIS_PLUGIN_H
#define HSGD_ANALYSIS_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface. It grows only when records of older plug-ins are not understood any more; functions that
 * are added at the end of hsgd_plugin_interface are optional and leave it as it is. */
#define HSGD_PLUGIN_INTERFACE 1

/* Random numbers that are functions of (seed, worker, step), whichever thread asks and in whatever order. normals and
 * indices are independent of each other; each gives the same numbers again when it is asked again. For other numbers,
 * copy the record and change worker or step in the copy. */
typedef struct hsgd_plugin_random hsgd_plugin_random;
struct hsgd_plugin_random {
    uint64_t seed;
    uint64_t step; /* below 2^56 */
    uint32_t worker;

    /* out (count): independent normals with mean 0 and this standard deviation. */
    void (*normals)(const hsgd_plugin_random *random, double standard_deviation, double *out, size_t count);

    /* out (count): numbers first, first + 1, ... of a sequence of independent uniform integers in [0, bound); first is
     * even, bound > 0. (A uniform number in [0, 1): 0x1p-53 times one with the bound 2^53.) */
    void (*indices)(const hsgd_plugin_random *random, size_t first, size_t bound, size_t *out, size_t count);
};

/* The object "parameters" of the configuration. What the plug-in never asks for is an unknown key, and an error. */
typedef struct hsgd_plugin_parameters hsgd_plugin_parameters;
struct hsgd_plugin_parameters {
    void *data; /* hsgd's own */

    /* 1 and *out: the key is there with a number; 0: it is not there, *out stays. -1: it is something else; hsgd then
     * says so, and create may go on or return NULL. */
    int (*number)(const hsgd_plugin_parameters *parameters, const char *key, double *out);

    /* How many numbers the key has; an array of arrays counts row by row. The first `capacity` of them are written to
     * out (NULL for 0). 0: it is not there, is empty, or is something else, which hsgd then says. */
    size_t (*numbers)(const hsgd_plugin_parameters *parameters, const char *key, double *out, size_t capacity);

    /* The text, which lives until create returns; NULL: it is not there, or is something else, which hsgd then says. */
    const char *(*text)(const hsgd_plugin_parameters *parameters, const char *key);

    /* All parameters as JSON text, for a reader of your own; lives until create returns. Unknown keys are then yours. */
    const char *(*json)(const hsgd_plugin_parameters *parameters);
};

/* What a problem is made from. */
typedef struct hsgd_plugin_setting {
    size_t size;        /* of this record; fields may be added at its end */
    size_t num_workers; /* n: workers are 0 .. n - 1, in the order of their places in the tree unless that is random */
    uint64_t seed;      /* "seed" of the problem, for data that are drawn */
    const hsgd_plugin_parameters *parameters;
    const hsgd_plugin_random *random; /* of this seed, worker 0, step 0; unlike all numbers of stochastic gradients */
} hsgd_plugin_setting;

/* How a constant is known. */
enum {
    HSGD_PLUGIN_UNKNOWN = 0,   /* L and sigma^2 are estimated, f* and mu count as not known */
    HSGD_PLUGIN_EXACT = 1,     /* the constant itself */
    HSGD_PLUGIN_CERTIFIED = 2, /* proved to be on the safe side */
    HSGD_PLUGIN_ESTIMATE = 3   /* a guess: no verdict rests on it alone */
};

typedef struct hsgd_plugin_constant {
    double value;
    int kind; /* one of these */
} hsgd_plugin_constant;

/* What the problem knows about itself; all unknown at first. */
typedef struct hsgd_plugin_constants {
    size_t size;                     /* of this record; fields may be added at its end */
    hsgd_plugin_constant smoothness; /* L: every F_j has an L-Lipschitz gradient */
    hsgd_plugin_constant noise_sq;   /* sigma^2 >= E||g_j - grad F_j||^2 for the batch size asked for; above 0 but for
                                        batch size 0 */
    hsgd_plugin_constant minimum;    /* f*: f >= f* for every weighting and order of the workers */
    double convexity; /* mu, proved: every F_j - mu/2 ||w||^2 is convex; preset -INFINITY: nothing is known */
} hsgd_plugin_constants;

typedef struct hsgd_plugin_interface {
    uint32_t interface; /* HSGD_PLUGIN_INTERFACE */
    uint32_t size;      /* sizeof (hsgd_plugin_interface) where the plug-in was compiled */

    const char *name;    /* of the problem, in tables; printable ASCII, at most 63 characters */
    const char *version; /* of the plug-in, recorded with results; as name. NULL: none */

    /* ---- required ---- */

    /* A problem, which lives until destroy. NULL: it cannot be made, and message (message_size) says why, in one line. */
    void *(*create)(const hsgd_plugin_setting *setting, char *message, size_t message_size);
    void (*destroy)(void *problem);

    /* d >= 1. */
    size_t (*dimension)(const void *problem);

    /* Returns F_worker at the point (dim) and writes its gradient (dim). */
    double (*loss)(const void *problem, size_t worker, const double *point, double *gradient, double *scratch);

    /* gradient (dim): an unbiased estimate of the gradient of F_worker from batch_size >= 1 samples, whatever that means
     * for the problem. (Batch size 0 is the full gradient: hsgd calls loss.) */
    void (*stochastic_gradient)(const void *problem, size_t worker, const double *point, size_t batch_size,
                                const hsgd_plugin_random *random, double *gradient, double *scratch);

    /* ---- optional: NULL, or left out at the end ---- */

    /* Doubles of scratch memory that one call of the functions above or below needs; batch_size 0: of loss. NULL: none. */
    size_t (*scratch_size)(const void *problem, size_t batch_size);

    /* Where runs begin unless the configuration says otherwise: point (dim). NULL: the origin. */
    void (*initial_point)(const void *problem, double *point);

    /* Fill in what is known, for stochastic gradients of batch_size samples (0: full gradients). */
    void (*constants)(const void *problem, size_t batch_size, hsgd_plugin_constants *out);

    /* loss for the workers worker[0..count) at one point: loss (count), gradient (count, dim). Same bits as one by one. */
    void (*losses)(const void *problem, const size_t *worker, size_t count, const double *point, double *loss,
                   double *gradient, double *scratch);

    /* stochastic_gradient for at most 16 workers, each with its own point (one every `stride` numbers) and its own
     * random[0..count): gradient (count, dim). Same bits as one by one. */
    void (*stochastic_gradients)(const void *problem, const size_t *worker, size_t count, const double *point,
                                 size_t stride, size_t batch_size, const hsgd_plugin_random *random, double *gradient,
                                 double *scratch);

    /* Relative error of a loss from rounding, for the check of the gradient. 0: 1e-13, good for sums of doubles. A
     * plug-in that computes in single precision says 1e-6. */
    double loss_rounding;
} hsgd_plugin_interface;

/* The symbol that a plug-in exports, also where it is compiled with -fvisibility=hidden. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
extern const hsgd_plugin_interface hsgd_plugin;

#ifdef __cplusplus
}
#endif

#endif
