/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The semidefinite solver: DSDP (Benson, Ye and Zhang 2000), the only file that knows it.
 *
 * DSDP's (D) is  max b'y,  S = C - sum y_i A_i psd : its data are ours with the signs of A, a and cost turned. The library
 * keeps static data (event timers, its log), so calls are made one after another, under a lock. It does not copy
 * matrices, so the signs are turned by its scale factor and by one copy of the rows. By itself it prints nothing: no
 * monitor is set, and its log level is 0. Want of memory is not left to it (bounds/sdp_memory_private.h). */
#include "bounds/sdp_private.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <dsdp/dsdp5.h>

#include "bounds/sdp_memory_private.h"

/* What DSDP returns where malloc does not give it what it asks for. */
enum { NO_MEMORY = 1 };

static pthread_mutex_t dsdp_lock = PTHREAD_MUTEX_INITIALIZER;

/* The matrices are too small for threads inside of OpenBLAS, which then mostly wait; and one thread gives the same bits
 * everywhere. With another BLAS the symbols are not there. */
extern int openblas_get_num_threads(void) __attribute__((weak));
extern void openblas_set_num_threads(int threads) __attribute__((weak));

static void use_one_blas_thread(void)
{
    if (openblas_get_num_threads && openblas_get_num_threads() != 1) /* setting it disturbs calls in other threads */
        openblas_set_num_threads(1);
}

typedef struct dsdp_run {
    hsgd_sdp_solution *out;
    const hsgd_sdp *sdp;
    double gap_tolerance;
    DSDP solver;
    SDPCone blocks;
    LPCone rows;
    double *row_value; /* -a_ir, c_r; owned */
    int complaint;     /* of the search, which is not one of ours: what it reached is looked at all the same */
    int info;          /* 0: there is something to look at */
} dsdp_run;

static int set_block(dsdp_run *run, size_t k)
{
    const hsgd_sdp_columns *c = &run->sdp->block[k];
    int size = (int)run->sdp->block_size[k], info = SDPConeSetBlockSize(run->blocks, (int)k, size);
    info = info ? info : SDPConeSetSparsity(run->blocks, (int)k, (int)run->sdp->num_variables + 1);
    for (size_t i = 0; !info && i <= run->sdp->num_variables; i++)
        if (c->start[i + 1] > c->start[i])
            info = SDPConeSetASparseVecMat(run->blocks, (int)k, (int)i, size, i ? -1 : 1, 0, c->index + c->start[i],
                                           c->value + c->start[i], c->start[i + 1] - c->start[i]);
    return info;
}

static int set_rows(dsdp_run *run)
{
    const hsgd_sdp_columns *c = &run->sdp->row;
    int info = DSDPCreateLPCone(run->solver, &run->rows);
    for (size_t e = 0; e < c->count; e++)
        run->row_value[e] = e < (size_t)c->start[1] ? c->value[e] : -c->value[e];
    return info ? info : LPConeSetData(run->rows, (int)run->sdp->num_rows, c->start, c->index, run->row_value);
}

static int set_data(dsdp_run *run)
{
    const hsgd_sdp *sdp = run->sdp;
    int info = DSDPCreate((int)sdp->num_variables, &run->solver);
    info = info ? info : DSDPCreateSDPCone(run->solver, (int)sdp->num_blocks, &run->blocks);
    for (size_t i = 0; !info && i < sdp->num_variables; i++)
        info = DSDPSetDualObjective(run->solver, (int)i + 1, -sdp->cost[i]);
    for (size_t k = 0; !info && k < sdp->num_blocks; k++)
        info = set_block(run, k);
    info = info ? info : set_rows(run);
    info = info ? info : DSDPSetGapTolerance(run->solver, run->gap_tolerance);
    return info ? info : DSDPSetup(run->solver);
}

static void unpack(double *full, const double *packed, size_t size)
{
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j <= i; j++)
            full[i * size + j] = full[j * size + i] = packed[i * (i + 1) / 2 + j];
}

static int get_solution(dsdp_run *run)
{
    const hsgd_sdp *sdp = run->sdp;
    hsgd_sdp_solution *out = run->out;
    int count, info = DSDPGetY(run->solver, out->y, (int)sdp->num_variables);
    double *x;
    for (size_t k = 0; !info && k < sdp->num_blocks; k++) {
        info = SDPConeGetXArray(run->blocks, (int)k, &x, &count);
        if (!info)
            unpack(out->block[k], x, sdp->block_size[k]);
    }
    info = info ? info : LPConeGetXArray(run->rows, &x, &count);
    if (!info)
        memcpy(out->row, x, sdp->num_rows * sizeof *x);
    return info;
}

static hsgd_status allocate(hsgd_sdp_solution *out, const hsgd_sdp *sdp, hsgd_error *err)
{
    *out = (hsgd_sdp_solution){.y = calloc(sdp->num_variables + 1, sizeof *out->y),
                               .block = calloc(sdp->num_blocks + 1, sizeof *out->block),
                               .row = calloc(sdp->num_rows + 1, sizeof *out->row)};
    bool complete = out->y && out->block && out->row;
    for (size_t k = 0; complete && k < sdp->num_blocks; k++) {
        out->block[k] = calloc(sdp->block_size[k] * sdp->block_size[k], sizeof *out->block[k]);
        complete = out->block[k];
    }
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the solution of a semidefinite program");
}

void hsgd_sdp_solution_free(hsgd_sdp_solution *solution, const hsgd_sdp *sdp)
{
    for (size_t k = 0; solution->block && k < sdp->num_blocks; k++)
        free(solution->block[k]);
    free(solution->y);
    free(solution->block);
    free(solution->row);
    *solution = (hsgd_sdp_solution){0};
}

static void solve(void *context)
{
    dsdp_run *run = context;
    run->info = set_data(run);
    run->complaint = run->info ? run->info : DSDPSolve(run->solver);
    run->info = run->info ? run->info : DSDPComputeX(run->solver);
    run->info = run->info ? run->info : get_solution(run);
    if (run->solver)
        DSDPDestroy(run->solver);
}

hsgd_status hsgd_sdp_solve(hsgd_sdp_solution *out, const hsgd_sdp *sdp, double gap_tolerance, hsgd_error *err)
{
    hsgd_status status = allocate(out, sdp, err);
    if (status)
        return status;
    dsdp_run run = {.out = out,
                    .sdp = sdp,
                    .gap_tolerance = gap_tolerance,
                    .row_value = malloc((sdp->row.count + 1) * sizeof *run.row_value)};
    if (!run.row_value)
        return hsgd_fail_memory(err, "the solver");
    pthread_mutex_lock(&dsdp_lock);
    use_one_blas_thread();
    bool enough = hsgd_sdp_try(solve, &run);
    pthread_mutex_unlock(&dsdp_lock);
    free(run.row_value);
    if (!enough || run.info == NO_MEMORY)
        return hsgd_fail_memory(err, "the semidefinite solver");
    return run.info ? hsgd_fail(err, HSGD_ERROR_NUMERIC, "the semidefinite solver stopped with error %d",
                                run.complaint ? run.complaint : run.info)
                    : HSGD_OK;
}
