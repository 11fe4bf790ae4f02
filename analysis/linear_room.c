/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scratch memory of linear models: how large, and which part begins where. */
#include "analysis/linear_model_private.h"

/* Doubles at the front of the scratch memory that hold the indices of a block and of the next one. */
enum { INDEX_ROOM = 2 * HSGD_LINEAR_BLOCK_ROWS };
_Static_assert(sizeof(size_t) <= sizeof(double), "an index fits where a double does");

/* Lines of the cache, in doubles: the matrices start at one. */
enum { LINE = 8 };

static size_t round_up(size_t count, size_t unit)
{
    return (count + unit - 1) / unit * unit;
}

size_t hsgd_linear_most_rows(const linear_model *model)
{
    size_t rows = HSGD_LINEAR_BLOCK_ROWS;
    for (size_t i = 0; model->listed && i < model->rows.first_tile[model->num_workers]; i++)
        rows = model->rows.tile[i].num_rows > rows ? model->rows.tile[i].num_rows : rows;
    return rows;
}

size_t hsgd_linear_width(size_t outputs, size_t num_points)
{
    size_t columns = outputs * num_points;
    if (columns == 1)
        return 1;
    if (outputs == 1)
        return HSGD_LINEAR_FOUR;
    return columns <= 8 ? 8 : columns <= 12 ? 12 : round_up(columns, LINE);
}
_Static_assert((int)HSGD_POINTS_AT_ONCE <= (int)HSGD_LINEAR_FOUR,
               "the points of a model with one output fit its widths");

size_t hsgd_linear_steps_together(const linear_model *model)
{
    enum { DOUBLES = 2048 };
    size_t fit = DOUBLES / (model->outputs * model->data->num_features);
    return fit < 1 ? 1 : fit < HSGD_ROWS_AT_ONCE ? fit : HSGD_ROWS_AT_ONCE;
}

/* Where the parts begin, in doubles from the first line of the cache on. */
typedef struct layout {
    size_t loss, work, z, side, wide, grad, x, step, end;
} layout;

static size_t take(size_t *end, size_t count)
{
    size_t begin = *end;
    *end += round_up(count, LINE);
    return begin;
}

static layout plan(const linear_model *model, size_t num_points, bool gathers)
{
    size_t p = model->data->num_features, at_once = model->listed ? num_points : 1;
    size_t width = hsgd_linear_width(model->outputs, at_once), matrix = model->listed && width > 1 ? p * width : 0;
    layout l = {.end = 0};
    l.loss = take(&l.end, at_once * round_up(model->most_rows, 8));
    l.work = take(&l.end, width * 8);
    l.z = take(&l.end, model->most_rows * width);
    l.side = take(&l.end, model->outputs == 1 ? at_once * model->most_rows : 0);
    l.wide = take(&l.end, matrix);
    l.grad = take(&l.end, matrix);
    l.x = take(&l.end, (gathers && !model->listed) || model->data->byte ? HSGD_LINEAR_BLOCK_ROWS * p : 0);
    l.step = take(&l.end, hsgd_linear_steps_together(model) * model->outputs * p);
    return l;
}

size_t hsgd_linear_room_size(const linear_model *model, size_t num_points, bool gathers)
{
    return INDEX_ROOM + LINE + plan(model, num_points, gathers).end;
}

hsgd_linear_room hsgd_linear_room_of(const linear_model *model, size_t num_points, bool gathers, double *scratch)
{
    layout l = plan(model, num_points, gathers);
    uintptr_t past = (uintptr_t)(scratch + INDEX_ROOM) % (LINE * sizeof *scratch);
    double *line = scratch + INDEX_ROOM + (past ? LINE - past / sizeof *scratch : 0);
    return (hsgd_linear_room){.row = (size_t *)(void *)scratch, /* doubles and size_t align alike */
                              .loss = line + l.loss,
                              .work = line + l.work,
                              .z = line + l.z,
                              .side = line + l.side,
                              .wide = line + l.wide,
                              .grad = line + l.grad,
                              .x = line + l.x,
                              .step = line + l.step,
                              .width = hsgd_linear_width(model->outputs, model->listed ? num_points : 1),
                              .num_points = num_points};
}
