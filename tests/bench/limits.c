/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this machine can do at most, measured in the same run: one thread, and all of them at once, each on data of its own
 * (one OpenBLAS thread per core, as the engine and the rival work). Rates are the best of several trials, because a limit is
 * what is possible, not what usually happens. */
#include "tests/bench/bench.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gsl/gsl_cblas.h>

#include "analysis/random.h"
#include "analysis/threads.h"

/* Columns C of the products: one softmax model; wbar, the group's average and the worker's model together; and the models
 * of a whole window together. A worker of W1 has 156 samples on average. */
const size_t bench_gemm_columns[BENCH_GEMM_SHAPES] = {10, 30, 200};
enum { ROWS = 156, FEATURES = 784 };

/* Sparse rows: of a9a with one model; the same with 16 models; of MNIST (150 of 784 pixels) with 4 models of 10 outputs. */
const char *const bench_sparse_name[BENCH_SPARSE_SHAPES] = {"14 of 122, 1 column", "14 of 122, 16 columns",
                                                            "150 of 784, 40 columns"};

typedef struct job {
    void (*work)(struct job *job, size_t thread); /* one repetition by one thread */
    double amount;                                /* done by one repetition */
    size_t shape, per_thread;                     /* doubles of memory per thread */
    double *memory;                               /* (threads, per_thread) */
    const uint32_t *column;                       /* sparse work */
} job;

/* ---- timing ---- */

static double repeat_s(job *j, size_t threads, size_t repetitions)
{
    double begin_s = bench_now_s();
#pragma omp parallel for schedule(static, 1) num_threads((int)threads)
    for (size_t thread = 0; thread < threads; thread++)
        for (size_t i = 0; i < repetitions; i++)
            j->work(j, thread);
    return bench_now_s() - begin_s;
}

/* Trials long enough for the clock and for the threads to start, the best of `trials`. */
static double rate(job *j, size_t threads, double trial_s, size_t trials)
{
    size_t repetitions = 1;
    double seconds = repeat_s(j, threads, 1), best = 0; /* touches all memory, by the thread that will use it */
    while (seconds < trial_s / 2 && repetitions < (size_t)1 << 40) {
        repetitions = seconds > 0 && trial_s / seconds < 16 ? (size_t)((double)repetitions * trial_s / seconds) + 1
                                                            : repetitions * 8;
        seconds = repeat_s(j, threads, repetitions);
    }
    for (size_t i = 0; i < trials; i++) {
        seconds = i == 0 ? seconds : repeat_s(j, threads, repetitions);
        best = fmax(best, j->amount * (double)threads * (double)repetitions / seconds);
    }
    return best;
}

/* With memory for every thread, set to something harmless; 0 where there is not enough. */
static double rate_with_memory(job *j, size_t threads, double trial_s, size_t trials)
{
    j->memory = malloc(threads * j->per_thread * sizeof *j->memory);
    if (!j->memory)
        return 0;
#pragma omp parallel for schedule(static, 1) num_threads((int)threads)
    for (size_t thread = 0; thread < threads; thread++) /* pages land near the thread */
        for (size_t i = 0; i < j->per_thread; i++)
            j->memory[thread * j->per_thread + i] = 1e-3 * (double)(i % 7);
    double best = rate(j, threads, trial_s, trials);
    free(j->memory);
    return best;
}

/* ---- the work ---- */

/* Scores Z (rows, C) = X (rows, p) W' (p, C), then the gradient G (C, p) = Z' X. */
static void gemm_work(job *j, size_t thread)
{
    int columns = (int)bench_gemm_columns[j->shape];
    double *x = j->memory + thread * j->per_thread, *w = x + ROWS * FEATURES, *g = w + columns * FEATURES,
           *z = g + columns * FEATURES;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, ROWS, columns, FEATURES, 1, x, FEATURES, w, FEATURES, 0, z,
                columns);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, columns, FEATURES, ROWS, 1, z, columns, x, FEATURES, 0, g,
                FEATURES);
}

static double gemm_rate(size_t shape, size_t threads, double trial_s)
{
    size_t columns = bench_gemm_columns[shape];
    job j = {.work = gemm_work,
             .shape = shape,
             .amount = 4.0 * ROWS * FEATURES * (double)columns,
             .per_thread = ROWS * FEATURES + 2 * columns * FEATURES + columns * ROWS};
    return rate_with_memory(&j, threads, trial_s, 5);
}

static void normals_work(job *j, size_t thread)
{
    hsgd_stream stream = {1, HSGD_PURPOSE_USER, (uint32_t)thread, 0};
    for (stream.step = 0; stream.step < 8; stream.step++)
        hsgd_worker_normals(&stream, 8, 0.1, j->memory + thread * j->per_thread, 100);
}

/* Kernels whose speed is the compiler's business: the best instructions that the machine has. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define BEST_INSTRUCTIONS                                                                                              \
    __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), optimize("O3"), noinline))
#else
#define BEST_INSTRUCTIONS
#endif

BEST_INSTRUCTIONS static void copy_array(double *restrict a, const double *restrict b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        a[i] = b[i] + 0; /* not memcpy, which would bypass the cache where the engine's loops cannot */
}

BEST_INSTRUCTIONS static void triad_array(double *restrict a, const double *restrict b, const double *restrict c,
                                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        a[i] = b[i] + 3 * c[i];
}

static void copy_work(job *j, size_t thread)
{
    size_t third = j->per_thread / 3;
    double *a = j->memory + thread * j->per_thread;
    copy_array(a, a + third, third);
}

static void triad_work(job *j, size_t thread)
{
    size_t third = j->per_thread / 3;
    double *a = j->memory + thread * j->per_thread;
    triad_array(a, a + third, a + 2 * third, third);
}

/* z += v W[column] for the nonzeros of a row, then G[column] += v z. */
#define SPARSE_KERNEL(COLUMNS)                                                                                         \
    BEST_INSTRUCTIONS static void sparse_##COLUMNS(double *restrict g, const double *restrict w,                       \
                                                   const uint32_t *column, size_t nonzeros)                            \
    {                                                                                                                  \
        double z[COLUMNS] = {0};                                                                                       \
        for (size_t e = 0; e < nonzeros; e++)                                                                          \
            for (size_t c = 0; c < COLUMNS; c++)                                                                       \
                z[c] += 0.5 * w[column[e] * COLUMNS + c];                                                              \
        for (size_t e = 0; e < nonzeros; e++)                                                                          \
            for (size_t c = 0; c < COLUMNS; c++)                                                                       \
                g[column[e] * COLUMNS + c] += 0.5 * z[c];                                                              \
    }
SPARSE_KERNEL(1)
SPARSE_KERNEL(16)
SPARSE_KERNEL(40)

enum { SPARSE_ROWS = 64 };
static const size_t sparse_nonzeros[BENCH_SPARSE_SHAPES] = {14, 14, 150};
static const size_t sparse_features[BENCH_SPARSE_SHAPES] = {122, 122, 784};
static const size_t sparse_columns[BENCH_SPARSE_SHAPES] = {1, 16, 40};

static void sparse_work(job *j, size_t thread)
{
    void (*const kernel[BENCH_SPARSE_SHAPES])(double *restrict, const double *restrict, const uint32_t *,
                                              size_t) = {sparse_1, sparse_16, sparse_40};
    double *w = j->memory + thread * j->per_thread, *g = w + j->per_thread / 2;
    size_t nonzeros = sparse_nonzeros[j->shape];
    for (size_t row = 0; row < SPARSE_ROWS; row++)
        kernel[j->shape](g, w, j->column + row * nonzeros, nonzeros);
}

static double sparse_rate(size_t shape, size_t threads, double trial_s)
{
    size_t nonzeros = sparse_nonzeros[shape], features = sparse_features[shape];
    uint32_t column[64 * 150];
    for (size_t row = 0; row < SPARSE_ROWS; row++) /* increasing in a row, different from row to row */
        for (size_t e = 0; e < nonzeros; e++)
            column[row * nonzeros + e] = (uint32_t)((e * features + row * 37 % features) / nonzeros % features);
    job j = {.work = sparse_work,
             .shape = shape,
             .amount = 4.0 * SPARSE_ROWS * (double)nonzeros * (double)sparse_columns[shape],
             .per_thread = 2 * features * sparse_columns[shape],
             .column = column};
    return rate_with_memory(&j, threads, trial_s, 5);
}

/* ---- memory sizes ---- */

/* Three arrays that fit into half of the second-level caches; 160 MB, which is what W4 works on; and 1.25 times the
 * last-level cache (at least 256 MB, at most 768 MB and an eighth of the memory), so that most of them come from memory. */
static void choose_sizes(double bytes[BENCH_MEMORY_SIZES], size_t threads, bool tiny)
{
    double level2 = (double)sysconf(_SC_LEVEL2_CACHE_SIZE), level3 = (double)sysconf(_SC_LEVEL3_CACHE_SIZE);
    double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    bytes[0] = (level2 > 0 ? level2 : 512e3) / 2 * (double)threads;
    bytes[1] = fmin(160e6, memory / 8);
    bytes[2] = fmin(fmin(fmax(1.25 * level3, 256e6), 768e6), memory / 8);
    for (size_t i = 1; tiny && i < BENCH_MEMORY_SIZES; i++)
        bytes[i] = 1e6 * (double)(i + 1);
}

static double memory_rate(void (*work)(job *, size_t), double bytes, size_t arrays, size_t threads, double trial_s)
{
    size_t per_thread = (size_t)(bytes / 8 / (double)threads) / 3 * 3;
    job j = {.work = work, .per_thread = per_thread, .amount = (double)(per_thread / 3 * arrays) * 8};
    return rate_with_memory(&j, threads, trial_s, 5);
}

static void raise(double *best, double rate_now)
{
    *best = fmax(*best, rate_now);
}

void bench_limits_measure(bench_limits *out, size_t threads, bool tiny)
{
    double trial_s = tiny ? 1e-4 : 0.02;
    out->threads = threads;
    hsgd_threads_setup();
    for (size_t i = 0; i < BENCH_GEMM_SHAPES; i++)
        raise(&out->gemm[i], gemm_rate(i, threads, trial_s));
    for (size_t i = 0; i < BENCH_SPARSE_SHAPES; i++)
        raise(&out->sparse[i], sparse_rate(i, threads, trial_s));
    job normals = {.work = normals_work, .amount = 6400, .per_thread = 800};
    raise(&out->normals, rate_with_memory(&normals, threads, trial_s, 5));
    choose_sizes(out->memory_bytes, threads, tiny);
    for (size_t i = 0; i < BENCH_MEMORY_SIZES; i++) {
        raise(&out->copy[i], memory_rate(copy_work, out->memory_bytes[i], 2, threads, trial_s));
        raise(&out->triad[i], memory_rate(triad_work, out->memory_bytes[i], 3, threads, trial_s));
    }
}

void bench_limits_include(bench_limits *all, const bench_limits *one)
{
    for (size_t i = 0; i < BENCH_GEMM_SHAPES; i++)
        raise(&all->gemm[i], one->gemm[i]);
    for (size_t i = 0; i < BENCH_SPARSE_SHAPES; i++)
        raise(&all->sparse[i], one->sparse[i]);
    raise(&all->normals, one->normals);
    for (size_t i = 0; i < BENCH_MEMORY_SIZES; i++) {
        raise(&all->copy[i], one->copy[i]);
        raise(&all->triad[i], one->triad[i]);
    }
}

/* ---- what they mean for a workload ---- */

static double best_of(const double *rate_of, size_t count)
{
    double best = 0;
    for (size_t i = 0; i < count; i++)
        best = fmax(best, rate_of[i]);
    return best;
}

/* Passes may take many models at once and so the best shape; a mini-batch has one model. */
static double gemm_s(const bench_work *work, const bench_limits *l)
{
    if (!work->dense)
        return INFINITY;
    return work->pass_flops / best_of(l->gemm, BENCH_GEMM_SHAPES) + work->batch_flops / l->gemm[0];
}

static double sparse_s(const bench_work *work, const bench_limits *l)
{
    double batch_rate = work->outputs > 1 ? l->sparse[2] : l->sparse[0];
    double pass_rate = work->outputs > 1 ? l->sparse[2] : best_of(l->sparse, 2);
    return work->nonzero_share * (work->pass_flops / pass_rate + work->batch_flops / batch_rate);
}

/* The bandwidth of the smallest measured size that is not below the working set. */
static double memory_s(const bench_work *work, const bench_limits *l)
{
    size_t i = 0;
    while (i + 1 < BENCH_MEMORY_SIZES && l->memory_bytes[i] < work->working_set)
        i++;
    return work->bytes / fmax(l->copy[i], l->triad[i]);
}

bench_bound bench_bound_of(const bench_work *work, const bench_limits *l)
{
    bench_bound bound = {.gemm_s = gemm_s(work, l),
                         .sparse_s = sparse_s(work, l),
                         .memory_s = memory_s(work, l),
                         .normals_s = work->normals / l->normals};
    bound.limit_s = fmin(bound.gemm_s, bound.sparse_s); /* either way of multiplying will do */
    bound.binding = bound.gemm_s < bound.sparse_s ? "GEMM" : "sparse products";
    if (bound.memory_s > bound.limit_s) {
        bound.limit_s = bound.memory_s;
        bound.binding = "memory";
    }
    if (bound.normals_s > bound.limit_s) {
        bound.limit_s = bound.normals_s;
        bound.binding = "random numbers";
    }
    return bound;
}

/* ---- reports ---- */

cJSON *bench_limits_to_json(const bench_limits *l)
{
    cJSON *json = cJSON_CreateObject(), *gemm = cJSON_AddObjectToObject(json, "gemm_flops_per_s"),
          *sparse = cJSON_AddObjectToObject(json, "sparse_flops_per_s"),
          *memory = cJSON_AddArrayToObject(json, "memory");
    cJSON_AddNumberToObject(json, "threads", (double)l->threads);
    cJSON_AddNumberToObject(json, "normals_per_s", l->normals);
    for (size_t i = 0; i < BENCH_GEMM_SHAPES; i++) {
        char name[64];
        snprintf(name, sizeof name, "%dx%d %zu columns", ROWS, FEATURES, bench_gemm_columns[i]);
        cJSON_AddNumberToObject(gemm, name, l->gemm[i]);
    }
    for (size_t i = 0; i < BENCH_SPARSE_SHAPES; i++)
        cJSON_AddNumberToObject(sparse, bench_sparse_name[i], l->sparse[i]);
    for (size_t i = 0; i < BENCH_MEMORY_SIZES; i++) {
        cJSON *size = cJSON_CreateObject();
        cJSON_AddNumberToObject(size, "bytes", l->memory_bytes[i]);
        cJSON_AddNumberToObject(size, "copy_bytes_per_s", l->copy[i]);
        cJSON_AddNumberToObject(size, "triad_bytes_per_s", l->triad[i]);
        cJSON_AddItemToArray(memory, size);
    }
    return json;
}

void bench_limits_print(const bench_limits *one, const bench_limits *all, FILE *out)
{
    fprintf(out, "The machine's limits in this run%28s1 thread  %2zu threads\n", "", all->threads);
    for (size_t i = 0; i < BENCH_GEMM_SHAPES; i++)
        fprintf(out, "  dgemm, %d x %d with %3zu columns, and transposed %9.1f %11.1f  Gflop/s\n", ROWS, FEATURES,
                bench_gemm_columns[i], one->gemm[i] / 1e9, all->gemm[i] / 1e9);
    for (size_t i = 0; i < BENCH_SPARSE_SHAPES; i++)
        fprintf(out, "  sparse rows, %-33s %11.2f %11.2f  Gflop/s\n", bench_sparse_name[i], one->sparse[i] / 1e9,
                all->sparse[i] / 1e9);
    fprintf(out, "  hsgd_worker_normals, 8 x 100 at a time %20.3f %11.3f  G/s\n", one->normals / 1e9,
            all->normals / 1e9);
    for (size_t i = 0; i < BENCH_MEMORY_SIZES; i++) {
        fprintf(out, "  copy,  arrays of %6.1f MB together %24.1f %11.1f  GB/s\n", all->memory_bytes[i] / 1e6,
                one->copy[i] / 1e9, all->copy[i] / 1e9);
        fprintf(out, "  triad, arrays of %6.1f MB together %24.1f %11.1f  GB/s\n", all->memory_bytes[i] / 1e6,
                one->triad[i] / 1e9, all->triad[i] / 1e9);
    }
}
