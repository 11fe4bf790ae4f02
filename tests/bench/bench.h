/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The benchmark program (make bench). Every workload runs in a process of its own, so that peaks of memory do not mix, and
 * answers one command per line; the NumPy rival (rival.py) speaks the same protocol, so that both take turns:
 *
 *     at start    {"ready": true, "work": {...}}       what the workload must do at least (work.c)
 *     run 2 7     {"seconds": .., "S": .., ...}        one run with 2 threads and seed 7 */
#ifndef HSGD_TESTS_BENCH_H
#define HSGD_TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

#include "analysis/engine.h"
#include "experiments/problem.h"

typedef struct bench_workload {
    const char *name;
    const char *what;
    bool measured;       /* all that `hsgd run` measures; else only f, grad f and dispersions */
    double target_ratio; /* NumPy's time over ours, issue 4; 0: there is no rival */
    double target_bytes; /* of peak memory; 0: none */
} bench_workload;

extern const bench_workload bench_workloads[];
extern const size_t bench_num_workloads;

typedef struct bench_options {
    const char *only;    /* comma-separated names; NULL: all */
    const char *folder;  /* where results go */
    const char *configs; /* where W1.json etc. lie */
    const char *program; /* hsgd, for the latencies */
    const char *rival;   /* rival.py; NULL: do without */
    const char *self;    /* this program, for the children */
    size_t runs, threads;
    double budget_s; /* per workload: no new round of runs is begun after it */
    bool tiny;       /* a smoke test: few workers, few steps */
    bool growth;
} bench_options;

/* ---- workload.c ---- */

/* A workload's problem, built, and how to run it. Zeroed when released. */
typedef struct bench_case {
    const bench_workload *workload;
    hsgd_config config;
    hsgd_problem problem;
    hsgd_simulation simulation;
} bench_case;

const bench_workload *bench_find_workload(const char *name);
hsgd_status bench_case_build(bench_case *out, const bench_workload *workload, const char *configs, bool tiny,
                             hsgd_error *err);
void bench_case_free(bench_case *c);

/* Serve a workload on standard input and output; with dump, first leave what the rival needs in that folder. */
int bench_serve(const char *name, const char *configs, bool tiny, const char *dump);

/* ---- work.c ---- */

/* The least that a run must do, whoever does it. Multiplications and additions count one each. */
typedef struct bench_work {
    double batch_flops, pass_flops; /* matrix products over dense data: mini-batches; passes over all data */
    double nonzero_share;           /* of the features: a sparse product needs this share of the flops */
    double outputs;                 /* columns of one product of a mini-batch */
    bool dense;                     /* more than half a vector of features per row: GEMM is possible */
    double normals;                 /* Gaussian random numbers */
    double exps, logs, divisions;
    double flops;       /* what else is added and multiplied, coordinate by coordinate */
    double bytes;       /* memory traffic when everything is read once per window */
    double working_set; /* bytes that are touched again and again: which memory they come from */
} bench_work;

bench_work bench_work_of(const bench_case *c);
cJSON *bench_work_to_json(const bench_work *work);
bench_work bench_work_from_json(const cJSON *json);

/* ---- limits.c ---- */

enum { BENCH_GEMM_SHAPES = 3, BENCH_SPARSE_SHAPES = 4, BENCH_MEMORY_SIZES = 3 };

typedef struct bench_limits {
    size_t threads;
    double gemm[BENCH_GEMM_SHAPES];          /* flop/s of the pair X W' and its transpose, for the shapes of limits.c */
    double sparse[BENCH_SPARSE_SHAPES];      /* flop/s of gather and scatter with rows of W */
    double normals, exps, logs;              /* per second, by hsgd's own kernels */
    double divisions;                        /* per second */
    double flops;                            /* additions and multiplications of numbers in registers */
    double copy[BENCH_MEMORY_SIZES];         /* bytes read and written per second */
    double triad[BENCH_MEMORY_SIZES];        /* a = b + s c */
    double memory_bytes[BENCH_MEMORY_SIZES]; /* size of the three arrays together */
} bench_limits;

/* Measured again, a limit keeps the better rate: another program may have been running the first time. Start zeroed. */
void bench_limits_measure(bench_limits *out, size_t threads, bool tiny);
/* All threads can do at least what one can, whatever a busy machine showed. */
void bench_limits_include(bench_limits *all, const bench_limits *one);
cJSON *bench_limits_to_json(const bench_limits *limits);
void bench_limits_print(const bench_limits *one, const bench_limits *all, FILE *out);

/* The shortest time that the work can take, and what binds it. */
typedef struct bench_bound {
    double gemm_s, sparse_s; /* either way of multiplying; INFINITY: not a way to do it */
    double normals_s, exps_s, logs_s, divisions_s, flops_s;
    double memory_s;
    double limit_s; /* the memory's time, or that of the others together: they take the same units of the processor */
    const char *binding;
} bench_bound;

bench_bound bench_bound_of(const bench_work *work, const bench_limits *limits);

/* ---- process.c ---- */

double bench_now_s(void);
double bench_cpu_s(void);      /* of this process, all threads */
double bench_peak_bytes(void); /* of this process */
double bench_resident_bytes(void);

typedef struct bench_child {
    pid_t pid;
    FILE *to, *from;
} bench_child;

/* Start argv[0]; the child's OpenBLAS keeps to one thread per caller. Returns false when it cannot be started. */
bool bench_child_start(bench_child *child, const char *const *argv);

/* The next line as JSON, after sending a command (NULL: none); NULL when the child has died. */
cJSON *bench_child_ask(bench_child *child, const char *command);
void bench_child_stop(bench_child *child);

/* Start to end of one process, with its output thrown away; NAN when it fails. */
double bench_process_s(const char *const *argv);

/* ---- statistics of a few times ---- */

typedef struct bench_times {
    size_t count;
    double second[64];
} bench_times;

void bench_times_add(bench_times *times, double second);
double bench_times_median(const bench_times *times);
double bench_times_min(const bench_times *times);
double bench_times_max(const bench_times *times);
cJSON *bench_times_to_json(const bench_times *times);

/* ---- side.c ---- */

/* One side of a comparison: its process, its times, and the sums of what it found. */
typedef struct bench_side {
    bench_child child;
    bool running;
    cJSON *ready;
    bench_times wall[2], cpu[2]; /* with one thread, with all */
    bool warm[2];
    double peak_bytes;
    cJSON *last; /* answer of the last run with all threads */
    cJSON *sums; /* of all answers with all threads, by name */
    size_t answers;
} bench_side;

/* Start its process; false when it does not get ready. Release with bench_side_stop, in any case. */
bool bench_side_start(bench_side *s, const char *const *argv);
void bench_side_stop(bench_side *s);

/* One run; all: with all threads, else with one. */
void bench_side_run(bench_side *s, bool all, size_t threads, size_t seed);

/* Whether the means over the runs differ by at most the share `most`; into json go the means of both sides, into first
 * (size bytes) the first disagreement, "" for none. */
bool bench_same_results(const bench_side *ours, const bench_side *theirs, double most, cJSON *json, char *first,
                        size_t size);

/* ---- growth.c ---- */

int bench_growth(const bench_options *options);
bool bench_write_json(cJSON *document, const char *folder, const char *name); /* deletes the document */

#endif
