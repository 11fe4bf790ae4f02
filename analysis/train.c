/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Read hsgd_train from the bottom up: train_steps, average, evaluate. */
#include "analysis/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/clock.h"
#include "analysis/memory.h"

typedef struct trainer {
    const hsgd_training *t;
    const hsgd_tree_groups *groups;
    const hsgd_collectives *ranks;
    hsgd_training_record *out;
    size_t worker;   /* the objective's */
    double weight;   /* p_j */
    double *model;   /* (dim) */
    double *buffer;  /* (dim + 1) of the next sum; models and buffers change places */
    double *kept;    /* (max_kept, dim) models at measured steps */
    double *scratch; /* of the objective */
    size_t max_kept, num_kept;
    size_t rows_done; /* rows of the record that were evaluated */
    double start_s;   /* when the clock would have started without pauses */
} trainer;

/* ---- memory ---- */

/* Whole lines of the cache, and room for one number more, the loss. */
static size_t room_for(size_t dim)
{
    return (dim / 8 + 2) * 8;
}

size_t hsgd_training_averages(const hsgd_hierarchy *h, size_t place, size_t steps)
{
    size_t node[HSGD_MAX_LEVELS], depths = hsgd_nodes_above(node, h, place), count = 0;
    for (size_t updates = 1; updates <= steps; updates++)
        count += hsgd_acting_depth(h, node, depths, updates) < depths;
    return count;
}

static hsgd_status alloc_record(hsgd_training_record *out, const hsgd_training *t, const hsgd_tree_groups *groups,
                                hsgd_error *err)
{
    *out = (hsgd_training_record){
        .dim = t->objective->dim, .steps = t->steps, .num_measured = (t->steps - 1) / t->measure_every + 1};
    size_t averages = hsgd_training_averages(t->hierarchy, groups->collectives->rank, t->steps);
    out->step = malloc((out->num_measured + 1) * sizeof *out->step);
    out->loss = malloc((out->num_measured + 1) * sizeof *out->loss);
    out->grad_norm_sq = malloc((out->num_measured + 1) * sizeof *out->grad_norm_sq);
    out->final_point = hsgd_alloc_array(room_for(out->dim), sizeof *out->final_point);
    out->compute_s = malloc(t->steps * sizeof *out->compute_s);
    out->average = malloc((averages + 1) * sizeof *out->average);
    if (out->step && out->loss && out->grad_norm_sq && out->final_point && out->compute_s && out->average)
        return HSGD_OK;
    hsgd_training_record_free(out);
    return hsgd_fail_memory(err, "the times of the training");
}

void hsgd_training_record_free(hsgd_training_record *record)
{
    if (!record)
        return;
    free(record->step);
    free(record->loss);
    free(record->grad_norm_sq);
    free(record->final_point);
    free(record->compute_s);
    free(record->average);
    memset(record, 0, sizeof *record);
}

static void trainer_free(trainer *r)
{
    free(r->model);
    free(r->buffer);
    free(r->kept);
    free(r->scratch);
}

static hsgd_status trainer_alloc(trainer *r, hsgd_error *err)
{
    const hsgd_objective *objective = r->t->objective;
    size_t dim = objective->dim, place = r->ranks->rank, fit = r->t->kept_bytes / (dim * sizeof(double));
    r->worker = r->t->placement ? r->t->placement[place] : place;
    r->weight = r->t->hierarchy->worker_weight ? r->t->hierarchy->worker_weight[place]
                                               : 1 / (double)r->t->hierarchy->num_workers;
    r->max_kept = fit < r->out->num_measured + 1 ? fit : r->out->num_measured + 1;
    r->max_kept = r->max_kept ? r->max_kept : 1;
    r->model = hsgd_alloc_array(room_for(dim), sizeof(double));
    r->buffer = hsgd_alloc_array(room_for(dim), sizeof(double));
    r->kept = hsgd_alloc_array(r->max_kept * dim, sizeof(double));
    /* a step without step_rows needs room for the gradient, too */
    r->scratch =
        hsgd_alloc_array(objective->type->scratch_size(objective, r->t->batch_size) + room_for(dim), sizeof(double));
    if (r->model && r->buffer && r->kept && r->scratch)
        return HSGD_OK;
    trainer_free(r);
    return hsgd_fail_memory(err, "a worker's model");
}

/* ---- measuring ---- */

static void scale(double *out, const double *in, double factor, size_t dim)
{
    for (size_t i = 0; i < dim; i++)
        out[i] = factor * in[i];
}

/* f and its gradient at the average of the models that all ranks kept in this row. */
static hsgd_status evaluate_row(trainer *r, const double *model, hsgd_error *err)
{
    const hsgd_objective *objective = r->t->objective;
    size_t dim = objective->dim, row = r->rows_done++;
    double *wbar = r->out->final_point, *sum = r->buffer;
    scale(wbar, model, r->weight, dim);
    hsgd_status status = r->ranks->sum(r->ranks->context, r->ranks->all, wbar, dim, err);
    if (status)
        return status;
    objective->type->full(objective, wbar, &r->worker, 1, &sum[dim], sum, r->scratch);
    scale(sum, sum, r->weight, dim + 1);
    status = r->ranks->sum(r->ranks->context, r->ranks->all, sum, dim + 1, err);
    r->out->loss[row] = sum[dim];
    r->out->grad_norm_sq[row] = hsgd_norm_sq(sum, dim);
    return status;
}

static hsgd_status evaluate_kept(trainer *r, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < r->num_kept && !status; i++)
        status = evaluate_row(r, r->kept + i * r->t->objective->dim, err);
    r->num_kept = 0;
    return status;
}

/* Clocks stand still until all go on together. */
static hsgd_status pause(trainer *r, hsgd_error *err)
{
    double begin_s = hsgd_now_s();
    hsgd_status status = evaluate_kept(r, err);
    if (!status)
        status = r->ranks->barrier(r->ranks->context, r->ranks->all, err);
    r->start_s += hsgd_now_s() - begin_s;
    r->out->pauses++;
    return status;
}

/* The model of step t, which comes into the next row. */
static hsgd_status keep(trainer *r, size_t t, hsgd_error *err)
{
    size_t dim = r->t->objective->dim;
    hsgd_status status = r->num_kept == r->max_kept ? pause(r, err) : HSGD_OK;
    r->out->step[r->rows_done + r->num_kept] = t;
    memcpy(r->kept + r->num_kept++ * dim, r->model, dim * sizeof *r->model);
    return status;
}

/* ---- the algorithm ---- */

static void local_step(trainer *r, size_t t)
{
    const hsgd_training *training = r->t;
    const hsgd_objective *objective = training->objective;
    size_t dim = objective->dim;
    if (objective->type->step_rows) {
        hsgd_steps steps = {training->seed, t, 1, training->batch_size, training->step_size};
        objective->type->step_rows(objective, NULL, r->model, room_for(dim), &r->worker, 1, &steps, r->scratch);
        return;
    }
    double *grad = r->scratch, *scratch = r->scratch + room_for(dim);
    objective->type->stochastic(objective, r->model, r->worker, training->batch_size, training->seed, t, grad, scratch);
    for (size_t i = 0; i < dim; i++)
        r->model[i] -= training->step_size * grad[i];
}

/* The ranks of the node of this depth take the average of their models, with the node's share of their weights. */
static hsgd_status average(trainer *r, size_t updates, size_t depth, hsgd_error *err)
{
    const hsgd_tree_groups *groups = r->groups;
    size_t dim = r->t->objective->dim;
    double *sum = r->buffer;
    scale(sum, r->model, r->weight / r->t->hierarchy->node[groups->node[depth]].weight, dim);
    double arrived_s = hsgd_now_s();
    hsgd_status status = r->ranks->barrier(r->ranks->context, groups->group[depth], err);
    double met_s = hsgd_now_s();
    if (!status)
        status = r->ranks->sum(r->ranks->context, groups->group[depth], sum, dim, err);
    double done_s = hsgd_now_s();
    r->buffer = r->model;
    r->model = sum;
    r->out->average[r->out->num_averages++] = (hsgd_average_time){updates, depth, met_s - arrived_s, done_s - met_s};
    return status;
}

static void report(const trainer *r, size_t done)
{
    size_t steps = r->t->steps, part = steps / 100 ? steps / 100 : 1;
    if (r->t->progress && (done % part == 0 || done == steps))
        r->t->progress(r->t->progress_context, done);
}

static hsgd_status train_steps(trainer *r, hsgd_error *err)
{
    const hsgd_training *training = r->t;
    hsgd_status status = HSGD_OK;
    for (size_t t = 0; t < training->steps && !status; t++) {
        if (t % training->measure_every == 0)
            status = keep(r, t, err);
        if (status)
            break;
        double begin_s = hsgd_now_s();
        local_step(r, t);
        r->out->compute_s[t] = hsgd_now_s() - begin_s;
        size_t depth = hsgd_acting_depth(training->hierarchy, r->groups->node, r->groups->depths, t + 1);
        if (depth < r->groups->depths)
            status = average(r, t + 1, depth, err);
        report(r, t + 1);
    }
    return status;
}

/* As the engine has it. */
static void mark_diverged(hsgd_training_record *record)
{
    size_t row = 0;
    while (row <= record->num_measured && isfinite(record->loss[row]) && isfinite(record->grad_norm_sq[row]))
        row++;
    record->diverged_at = row > record->num_measured ? HSGD_NOT_DIVERGED : record->step[row];
    for (; row <= record->num_measured; row++)
        record->loss[row] = record->grad_norm_sq[row] = INFINITY;
}

static hsgd_status train(trainer *r, hsgd_error *err)
{
    memcpy(r->model, r->t->initial, r->t->objective->dim * sizeof *r->model);
    hsgd_status status = r->ranks->barrier(r->ranks->context, r->ranks->all, err);
    r->start_s = hsgd_now_s();
    if (!status)
        status = train_steps(r, err);
    r->out->total_s = hsgd_now_s() - r->start_s;
    if (!status)
        status = evaluate_kept(r, err);
    r->out->step[r->rows_done] = r->t->steps;
    status = status ? status : evaluate_row(r, r->model, err);
    if (!status)
        mark_diverged(r->out);
    return status;
}

static hsgd_status check(const hsgd_training *t, const hsgd_tree_groups *groups, hsgd_error *err)
{
    if (!(t->step_size > 0) || !isfinite(t->step_size))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "step_size: %g is not a positive finite number", t->step_size);
    if (t->steps < 1 || t->measure_every < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "steps and measure_every must be at least 1");
    if (t->objective->num_workers != t->hierarchy->num_workers ||
        groups->collectives->size != t->hierarchy->num_workers)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%zu ranks, %zu workers in the hierarchy, %zu in the problem",
                         groups->collectives->size, t->hierarchy->num_workers, t->objective->num_workers);
    return HSGD_OK;
}

hsgd_status hsgd_train(hsgd_training_record *out, const hsgd_training *training, const hsgd_tree_groups *groups,
                       hsgd_error *err)
{
    trainer r = {.t = training, .groups = groups, .ranks = groups->collectives, .out = out};
    hsgd_status status = check(training, groups, err);
    if (!status)
        status = alloc_record(out, training, groups, err);
    if (status)
        return status;
    status = trainer_alloc(&r, err);
    if (!status) {
        status = train(&r, err);
        trainer_free(&r);
    }
    if (status)
        hsgd_training_record_free(out);
    return status;
}
