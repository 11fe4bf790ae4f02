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
#include "analysis/vector_math_private.h"

/* The matrix products X (rows, p) W' (p, C) of MNIST: a mini-batch of W1; a worker's 156 samples at four points together;
 * and with the models of a whole window together, as the rival does it. */
typedef struct gemm_shape {
    size_t rows, columns;
} gemm_shape;
static const gemm_shape gemm_shapes[BENCH_GEMM_SHAPES] = {{16, 10}, {156, 40}, {156, 200}};
enum { FEATURES = 784, BATCH_GEMM = 0 };

/* Sparse rows of MNIST (150 of 784 pixels) and of a9a, in a mini-batch and at four points together. */
typedef struct sparse_shape {
    size_t nonzeros, features, columns;
} sparse_shape;
static const sparse_shape sparse_shapes[BENCH_SPARSE_SHAPES] = {
    {150, 784, 10}, {150, 784, 40}, {14, 122, 1}, {14, 122, 4}};
enum { MNIST_BATCH, MNIST_PASS, A9A_BATCH, A9A_PASS };

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

/* Two arrays in the memory of a thread, both at the beginning of a cache line. */
enum { LINE = 64 / sizeof(double), TWO_LINES = 2 * LINE };

/* With memory for every thread, set to something harmless; 0 where there is not enough. Vectors that lie across lines would
 * make a limit that depends on what was allocated before. */
static double rate_with_memory(job *j, size_t threads, double trial_s, size_t trials)
{
    j->per_thread = (j->per_thread + TWO_LINES - 1) / TWO_LINES * TWO_LINES;
    j->memory = aligned_alloc(LINE * sizeof *j->memory, threads * j->per_thread * sizeof *j->memory);
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
    int columns = (int)gemm_shapes[j->shape].columns, rows = (int)gemm_shapes[j->shape].rows;
    double *x = j->memory + thread * j->per_thread, *w = x + rows * FEATURES, *g = w + columns * FEATURES,
           *z = g + columns * FEATURES;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, columns, FEATURES, 1, x, FEATURES, w, FEATURES, 0, z,
                columns);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, columns, FEATURES, rows, 1, z, columns, x, FEATURES, 0, g,
                FEATURES);
}

static double gemm_rate(size_t shape, size_t threads, double trial_s)
{
    size_t columns = gemm_shapes[shape].columns, rows = gemm_shapes[shape].rows;
    job j = {.work = gemm_work,
             .shape = shape,
             .amount = 4.0 * (double)rows * FEATURES * (double)columns,
             .per_thread = rows * FEATURES + 2 * columns * FEATURES + columns * rows};
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

static void exps_work(job *j, size_t thread)
{
    double *x = j->memory + thread * j->per_thread;
    HSGD_PICK_PATH(hsgd_vector_math_kernels)->exp(x, x + j->per_thread / 2, j->per_thread / 2);
}

/* Logarithms of 1 + x for x in [0, 1], those of logistic losses. */
static void logs_work(job *j, size_t thread)
{
    double *x = j->memory + thread * j->per_thread;
    HSGD_PICK_PATH(hsgd_vector_math_kernels)->log1p_unit(x, x + j->per_thread / 2, j->per_thread / 2);
}

/* 24 chains of numbers in registers: a = a b, c = c + d. */
enum { CHAINS = 12, LINKS = 256 };
typedef double wide __attribute__((vector_size(64), aligned(8)));

BEST_INSTRUCTIONS static void flops_in_registers(double *x)
{
    wide product[CHAINS], sum[CHAINS], factor = {0}, term = {0};
    factor = factor + x[0]; /* not known to the compiler */
    term = term + x[1];
    for (size_t c = 0; c < CHAINS; c++)
        product[c] = sum[c] = (wide){0} + x[2 + c];
    for (size_t i = 0; i < LINKS; i++)
        _Pragma("GCC unroll 16") for (size_t c = 0; c < CHAINS; c++)
        {
            product[c] = product[c] * factor;
            sum[c] = sum[c] + term;
        }
    for (size_t c = 0; c < CHAINS; c++)
        x[2 + c] = product[c][0] + sum[c][0] * 1e-9;
}

BEST_INSTRUCTIONS static void divide_array(double *restrict a, const double *restrict b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        a[i] = 3 / b[i];
}

static void divisions_work(job *j, size_t thread)
{
    double *x = j->memory + thread * j->per_thread;
    divide_array(x, x + j->per_thread / 2, j->per_thread / 2);
}

static void flops_work(job *j, size_t thread)
{
    double *x = j->memory + thread * j->per_thread;
    x[0] = 1;
    flops_in_registers(x);
}

/* z += v W[column] for the nonzeros of a row, then G[column] += v z, in vectors of COLUMNS / PARTS numbers and two sums for
 * the even and the odd entries. */
#define SPARSE_KERNEL(COLUMNS, VECTOR, PARTS)                                                                          \
    BEST_INSTRUCTIONS static void sparse_##COLUMNS(double *restrict g, const double *restrict w,                       \
                                                   const uint32_t *column, const double *value, size_t nonzeros)       \
    {                                                                                                                  \
        enum { WIDTH = sizeof(VECTOR) / sizeof(double) * (PARTS) };                                                    \
        VECTOR even[PARTS] = {{0}}, odd[PARTS] = {{0}};                                                                \
        for (size_t e = 0; e + 2 <= nonzeros; e += 2) {                                                                \
            const VECTOR *first = (const VECTOR *)(w + column[e] * WIDTH);                                             \
            const VECTOR *second = (const VECTOR *)(w + column[e + 1] * WIDTH);                                        \
            _Pragma("GCC unroll 16") for (size_t k = 0; k < (PARTS); k++)                                              \
            {                                                                                                          \
                even[k] += value[e] * first[k];                                                                        \
                odd[k] += value[e + 1] * second[k];                                                                    \
            }                                                                                                          \
        }                                                                                                              \
        _Pragma("GCC unroll 16") for (size_t k = 0; k < (PARTS); k++) even[k] += odd[k];                               \
        for (size_t e = 0; e < nonzeros; e++) {                                                                        \
            VECTOR *out = (VECTOR *)(g + column[e] * WIDTH);                                                           \
            _Pragma("GCC unroll 16") for (size_t k = 0; k < (PARTS); k++) out[k] += value[e] * even[k];                \
        }                                                                                                              \
    }

typedef double lone __attribute__((vector_size(8)));
typedef double four __attribute__((vector_size(32), aligned(8)));
SPARSE_KERNEL(1, lone, 1)
SPARSE_KERNEL(4, four, 1)
SPARSE_KERNEL(10, four, 3)
SPARSE_KERNEL(40, wide, 5)

typedef void (*sparse_kernel)(double *restrict, const double *restrict, const uint32_t *, const double *, size_t);
static const sparse_kernel sparse_kernels[BENCH_SPARSE_SHAPES] = {sparse_10, sparse_40, sparse_1, sparse_4};
enum { SPARSE_ROWS = 64, MOST_NONZEROS = 150 };

static void sparse_work(job *j, size_t thread)
{
    double *w = j->memory + thread * j->per_thread, *g = w + j->per_thread / 2, value[MOST_NONZEROS];
    size_t nonzeros = sparse_shapes[j->shape].nonzeros;
    for (size_t e = 0; e < nonzeros; e++)
        value[e] = 0.5;
    for (size_t row = 0; row < SPARSE_ROWS; row++)
        sparse_kernels[j->shape](g, w, j->column + row * nonzeros, value, nonzeros);
}

static double sparse_rate(size_t shape, size_t threads, double trial_s)
{
    size_t nonzeros = sparse_shapes[shape].nonzeros, features = sparse_shapes[shape].features,
           columns = sparse_shapes[shape].columns;
    uint32_t column[SPARSE_ROWS * MOST_NONZEROS];
    for (size_t row = 0; row < SPARSE_ROWS; row++) /* increasing in a row, different from row to row */
        for (size_t e = 0; e < nonzeros; e++)
            column[row * nonzeros + e] = (uint32_t)((e * features + row * 37 % features) / nonzeros % features);
    job j = {.work = sparse_work,
             .shape = shape,
             .amount = 4.0 * SPARSE_ROWS * (double)nonzeros * (double)columns,
             .per_thread = 2 * features * (columns + 2), /* with room for widths that are multiples of four */
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
    size_t per_thread = (size_t)(bytes / 8 / (double)threads) / (3 * TWO_LINES) * (3 * TWO_LINES);
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
    job exps = {.work = exps_work, .amount = 1000, .per_thread = 2000};
    raise(&out->exps, rate_with_memory(&exps, threads, trial_s, 5));
    job logs = {.work = logs_work, .amount = 1000, .per_thread = 2000};
    raise(&out->logs, rate_with_memory(&logs, threads, trial_s, 5));
    job divisions = {.work = divisions_work, .amount = 1000, .per_thread = 2000};
    raise(&out->divisions, rate_with_memory(&divisions, threads, trial_s, 5));
    job flops = {.work = flops_work, .amount = 2.0 * CHAINS * LINKS * 8, .per_thread = 64};
    raise(&out->flops, rate_with_memory(&flops, threads, trial_s, 5));
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
    raise(&all->exps, one->exps);
    raise(&all->logs, one->logs);
    raise(&all->divisions, one->divisions);
    raise(&all->flops, one->flops);
    for (size_t i = 0; i < BENCH_MEMORY_SIZES; i++) {
        raise(&all->copy[i], one->copy[i]);
        raise(&all->triad[i], one->triad[i]);
    }
}

/* ---- what they mean for a workload ---- */

/* Passes may take many models at once; a mini-batch has one model. */
static double gemm_s(const bench_work *work, const bench_limits *l)
{
    double pass_rate = 0;
    for (size_t i = BATCH_GEMM + 1; i < BENCH_GEMM_SHAPES; i++)
        pass_rate = fmax(pass_rate, l->gemm[i]);
    return work->dense ? work->pass_flops / pass_rate + work->batch_flops / l->gemm[BATCH_GEMM] : INFINITY;
}

static double sparse_s(const bench_work *work, const bench_limits *l)
{
    bool wide_model = work->outputs > 1;
    double batch_rate = l->sparse[wide_model ? MNIST_BATCH : A9A_BATCH];
    double pass_rate = l->sparse[wide_model ? MNIST_PASS : A9A_PASS];
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

typedef struct share {
    double s;
    const char *name;
} share;

bench_bound bench_bound_of(const bench_work *work, const bench_limits *l)
{
    bench_bound bound = {.gemm_s = gemm_s(work, l),
                         .sparse_s = sparse_s(work, l),
                         .memory_s = memory_s(work, l),
                         .normals_s = work->normals / l->normals,
                         .exps_s = work->exps / l->exps,
                         .logs_s = work->logs / l->logs,
                         .divisions_s = work->divisions / l->divisions,
                         .flops_s = work->flops / l->flops};
    const share part[] = {{fmin(bound.gemm_s, bound.sparse_s), bound.gemm_s < bound.sparse_s ? "GEMM" : "sparse rows"},
                          {bound.normals_s, "normals"},
                          {bound.exps_s, "exponentials"},
                          {bound.logs_s, "logarithms"},
                          {bound.divisions_s, "divisions"},
                          {bound.flops_s, "arithmetic"}};
    size_t most = 0;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        bound.limit_s += part[i].s;
        most = part[i].s > part[most].s ? i : most;
    }
    bound.binding = part[most].name;
    if (bound.memory_s > bound.limit_s) {
        bound.limit_s = bound.memory_s;
        bound.binding = "memory";
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
    cJSON_AddNumberToObject(json, "exps_per_s", l->exps);
    cJSON_AddNumberToObject(json, "logs_per_s", l->logs);
    cJSON_AddNumberToObject(json, "divisions_per_s", l->divisions);
    cJSON_AddNumberToObject(json, "register_flops_per_s", l->flops);
    for (size_t i = 0; i < BENCH_GEMM_SHAPES; i++) {
        char name[64];
        snprintf(name, sizeof name, "%zux%d %zu columns", gemm_shapes[i].rows, FEATURES, gemm_shapes[i].columns);
        cJSON_AddNumberToObject(gemm, name, l->gemm[i]);
    }
    for (size_t i = 0; i < BENCH_SPARSE_SHAPES; i++) {
        char name[64];
        snprintf(name, sizeof name, "%zu of %zu, %zu columns", sparse_shapes[i].nonzeros, sparse_shapes[i].features,
                 sparse_shapes[i].columns);
        cJSON_AddNumberToObject(sparse, name, l->sparse[i]);
    }
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
        fprintf(out, "  dgemm, %3zu x %d with %3zu columns, and transposed %8.1f %11.1f  Gflop/s\n",
                gemm_shapes[i].rows, FEATURES, gemm_shapes[i].columns, one->gemm[i] / 1e9, all->gemm[i] / 1e9);
    for (size_t i = 0; i < BENCH_SPARSE_SHAPES; i++)
        fprintf(out, "  sparse rows, %3zu of %3zu with %3zu columns, and back %7.1f %11.1f  Gflop/s\n",
                sparse_shapes[i].nonzeros, sparse_shapes[i].features, sparse_shapes[i].columns, one->sparse[i] / 1e9,
                all->sparse[i] / 1e9);
    fprintf(out, "  additions and multiplications in registers %16.1f %11.1f  Gflop/s\n", one->flops / 1e9,
            all->flops / 1e9);
    fprintf(out, "  exponentials, 1000 at a time %30.2f %11.2f  G/s\n", one->exps / 1e9, all->exps / 1e9);
    fprintf(out, "  logarithms, 1000 at a time %32.2f %11.2f  G/s\n", one->logs / 1e9, all->logs / 1e9);
    fprintf(out, "  divisions, 1000 at a time %33.2f %11.2f  G/s\n", one->divisions / 1e9, all->divisions / 1e9);
    fprintf(out, "  normals, 8 x 100 at a time %32.3f %11.3f  G/s\n", one->normals / 1e9, all->normals / 1e9);
    for (size_t i = 0; i < BENCH_MEMORY_SIZES; i++) {
        fprintf(out, "  copy,  arrays of %6.1f MB together %24.1f %11.1f  GB/s\n", all->memory_bytes[i] / 1e6,
                one->copy[i] / 1e9, all->copy[i] / 1e9);
        fprintf(out, "  triad, arrays of %6.1f MB together %24.1f %11.1f  GB/s\n", all->memory_bytes[i] / 1e6,
                one->triad[i] / 1e9, all->triad[i] / 1e9);
    }
}
