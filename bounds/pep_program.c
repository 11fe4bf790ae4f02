/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The semidefinite program over the multipliers of the constraints (THEORY 11).
 *
 * Interpolation pairs are the edges of a graph over the points, a -> b for F_a - F_b >= Q. Function values are free, so
 * multipliers are a flow: what goes into a point but w^0 goes out again, less the gap multipliers that end there. A
 * spanning tree, rooted at w^0, solves these equations exactly: the flow over a tree edge is what the points beyond it
 * need. Each variable (a pair off the tree, a gap or divergence multiplier) thus also moves the tree edges on its path,
 * and the tree's flows stay >= 0 by rows of the program. */
#include "bounds/pep_private.h"

#include <stdlib.h>
#include <string.h>

/* A multiplier this many times smaller than the slack of its inequality is idle, in scaled units. At the optimum one of the two
 * is 0. Larger: smaller programs, more rounds. */
static const double idle_ratio = 0.1;

/* ---- constraints ---- */

static hsgd_status add_constraint(hsgd_pep_program *program, hsgd_pep_multiplier constraint, hsgd_error *err)
{
    if (program->num_constraints == program->capacity) {
        size_t capacity = program->capacity ? 2 * program->capacity : 256;
        void *larger = realloc(program->constraint, capacity * sizeof *program->constraint);
        if (!larger)
            return hsgd_fail_memory(err, "the constraints");
        program->constraint = larger;
        program->capacity = capacity;
    }
    program->constraint[program->num_constraints++] = constraint;
    return HSGD_OK;
}

hsgd_status hsgd_pep_program_add_pair(hsgd_pep_program *program, size_t a, size_t b, hsgd_error *err)
{
    unsigned char *in_use = &program->in_use[a * program->model->num_points + b];
    if (*in_use)
        return HSGD_OK;
    *in_use = 1;
    return add_constraint(program, (hsgd_pep_multiplier){.kind = HSGD_PEP_INTERPOLATION, .first = a, .second = b}, err);
}

/* Every point hangs on the one just above it at the same time, averages over all on that of the step before: the flow from
 * w^0 to wbar^T, which is most of it, runs down this tree. */
static hsgd_status add_tree(hsgd_pep_program *program, hsgd_error *err)
{
    const hsgd_pep_model *model = program->model;
    hsgd_status status = HSGD_OK;
    for (size_t b = 1; !status && b < model->num_points; b++) {
        bool is_root = model->point[b].depth == 0;
        program->parent[b] = is_root ? hsgd_pep_point_at(model, model->point[b].step - 1, 0) : b - 1;
        status = hsgd_pep_program_add_pair(program, program->parent[b], b, err);
    }
    return status;
}

static hsgd_status add_near_pairs(hsgd_pep_program *program, size_t reach, hsgd_error *err)
{
    const hsgd_pep_model *model = program->model;
    hsgd_status status = HSGD_OK;
    for (size_t a = 0; a < model->num_points; a++)
        for (size_t b = 0; !status && b < model->num_points; b++) {
            size_t s = model->point[a].step, t = model->point[b].step;
            if (a != b && (s > t ? s - t : t - s) <= reach)
                status = hsgd_pep_program_add_pair(program, a, b, err);
        }
    return status;
}

static hsgd_status add_divergences(hsgd_pep_program *program, hsgd_error *err)
{
    const hsgd_pep_model *model = program->model;
    hsgd_status status = HSGD_OK;
    for (size_t k = 1; k <= model->problem.num_levels; k++)
        for (size_t t = 0; !status && t < model->problem.steps; t++) {
            size_t a = hsgd_pep_point_at(model, t, k - 1);
            if (model->slot[k][a] != HSGD_PEP_NONE)
                status =
                    add_constraint(program, (hsgd_pep_multiplier){HSGD_PEP_DIVERGENCE, a, HSGD_PEP_NONE, k, t, 0}, err);
        }
    return status;
}

/* The averages over all workers at the steps from first to T. */
static hsgd_status add_steps(hsgd_pep_program *program, hsgd_pep_kind kind, size_t first, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t t = first; !status && t <= program->model->problem.steps; t++) {
        size_t a = hsgd_pep_point_at(program->model, t, 0);
        status = add_constraint(program, (hsgd_pep_multiplier){kind, a, HSGD_PEP_NONE, 0, t, 0}, err);
    }
    return status;
}

hsgd_status hsgd_pep_program_init(hsgd_pep_program *out, const hsgd_pep_model *model, size_t reach, hsgd_error *err)
{
    size_t points = model->num_points;
    const hsgd_pep_problem *problem = &model->problem;
    *out = (hsgd_pep_program){.model = model,
                              .parent = calloc(points, sizeof *out->parent),
                              .in_use = calloc(points * points, sizeof *out->in_use)};
    hsgd_status status = out->parent && out->in_use ? HSGD_OK : hsgd_fail_memory(err, "the constraints");
    status = status ? status : add_tree(out, err);
    if (!status && problem->criterion == HSGD_PEP_MIN)
        status = add_steps(out, HSGD_PEP_CRITERION, 0, err);
    status = status ? status
                    : add_steps(out, HSGD_PEP_INITIAL_GAP, problem->gap == HSGD_PEP_DESCENT ? problem->steps : 0, err);
    status = status ? status : add_divergences(out, err);
    return status ? status : add_near_pairs(out, reach, err);
}

void hsgd_pep_program_free(hsgd_pep_program *program)
{
    free(program->constraint);
    free(program->parent);
    free(program->in_use);
    memset(program, 0, sizeof *program);
}

/* Index of the first constraint that is a variable. The first criterion weight is 1 - the others. */
static size_t first_variable(const hsgd_pep_program *program)
{
    return program->model->num_points - 1 + (program->model->problem.criterion == HSGD_PEP_MIN);
}

size_t hsgd_pep_program_variables(const hsgd_pep_program *program)
{
    return program->num_constraints - first_variable(program);
}

void hsgd_pep_program_drop_idle(hsgd_pep_program *program, const double *y, const double *row)
{
    size_t first = first_variable(program), variables = hsgd_pep_program_variables(program), kept = first;
    for (size_t i = 0; i < variables; i++) {
        hsgd_pep_multiplier *c = &program->constraint[first + i];
        if (c->kind == HSGD_PEP_INTERPOLATION && y[i] < idle_ratio * row[i])
            program->in_use[c->first * program->model->num_points + c->second] = 0;
        else
            program->constraint[kept++] = *c;
    }
    program->num_constraints = kept;
}

/* ---- the standard form ---- */

/* Work space: one block as a packed lower triangle, with the list of entries that were touched. */
typedef struct scatter {
    double *value;
    unsigned char *seen;
    size_t *touched, count;
} scatter;

static void scatter_add(scatter *s, size_t i, size_t j, double value)
{
    if (i < j)
        return; /* the other half says the same */
    size_t index = i * (i + 1) / 2 + j;
    if (!s->seen[index]) {
        s->seen[index] = 1;
        s->touched[s->count++] = index;
    }
    s->value[index] += value;
}

static void scatter_pair(scatter *s, const hsgd_pep_model *model, const hsgd_pep_multiplier *pair, size_t block,
                         double factor)
{
    hsgd_pep_support support[HSGD_PEP_MAX_SUPPORT];
    size_t count = hsgd_pep_support_of(support, model, pair->first, pair->second, block);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            scatter_add(s, support[i].row, support[j].row,
                        factor * hsgd_pep_support_product(&support[i], &support[j], model->problem.smoothness));
}

static void scatter_diagonal(scatter *s, const hsgd_pep_model *model, size_t point, size_t block, double value)
{
    size_t row = model->slot[block][point];
    if (row != HSGD_PEP_NONE)
        scatter_add(s, row, row, value);
}

/* The path of one variable over the tree: from a towards w^0 with +1, from b with -1; shared edges cancel. visit is called
 * with the constraint of each edge and how much its multiplier changes. */
typedef hsgd_status edge_visitor(void *data, size_t edge, double change, hsgd_error *err);

static hsgd_status walk_tree(const hsgd_pep_program *program, size_t a, size_t b, edge_visitor *visit, void *data,
                             hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    while (!status && a != b) { /* a parent has a smaller index */
        size_t *later = a > b ? &a : &b;
        status = visit(data, *later - 1, a > b ? 1 : -1, err);
        *later = program->parent[*later];
    }
    return status;
}

/* Flow that the variable sends from `from` to `to` outside the tree; the tree sends it back. */
static bool flow_ends(size_t *from, size_t *to, const hsgd_pep_multiplier *c)
{
    if (c->kind == HSGD_PEP_INTERPOLATION) {
        *from = c->first;
        *to = c->second;
        return true;
    }
    *from = c->first; /* of the gap: taken out of wbar^t, put in at w^0 */
    *to = 0;
    return c->kind == HSGD_PEP_INITIAL_GAP;
}

typedef struct block_context {
    scatter *s;
    const hsgd_pep_program *program;
    size_t block;
} block_context;

static hsgd_status add_edge_form(void *data, size_t edge, double change, hsgd_error *err)
{
    const block_context *context = data;
    (void)err;
    scatter_pair(context->s, context->program->model, &context->program->constraint[edge], context->block, change);
    return HSGD_OK;
}

static void scatter_own_form(scatter *s, const hsgd_pep_model *model, const hsgd_pep_multiplier *c, size_t block)
{
    if (c->kind == HSGD_PEP_INTERPOLATION)
        scatter_pair(s, model, c, block, 1);
    if (c->kind == HSGD_PEP_DIVERGENCE && c->level == block)
        scatter_diagonal(s, model, c->first, block, 1);
    if (block == 0 && c->kind == HSGD_PEP_INITIAL_GAP && model->problem.gap == HSGD_PEP_LOWER_BOUND)
        scatter_diagonal(s, model, c->first, 0, 1 / (2 * model->problem.smoothness));
    if (block == 0 && c->kind == HSGD_PEP_CRITERION) {
        scatter_diagonal(s, model, c->first, 0, -1);
        scatter_diagonal(s, model, 0, 0, 1); /* the weight of w^0 is 1 - the others */
    }
}

static void scatter_constant(scatter *s, const hsgd_pep_model *model, size_t block, double shift)
{
    for (size_t i = 0; i < model->num_coordinates[block]; i++)
        scatter_add(s, i, i, -shift);
    if (block == 0 && model->problem.criterion == HSGD_PEP_MIN)
        scatter_diagonal(s, model, 0, 0, -1);
    for (size_t t = 0; block == 0 && model->problem.criterion == HSGD_PEP_MEAN && t < model->problem.steps; t++)
        scatter_diagonal(s, model, hsgd_pep_point_at(model, t, 0), 0, -1 / (double)model->problem.steps);
}

static int compare_sizes(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* Move what was gathered into a column, in order, and clear the work space. Entries that cancelled are left out. */
static hsgd_status gather(hsgd_sdp_columns *columns, size_t column, scatter *s, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    qsort(s->touched, s->count, sizeof *s->touched, compare_sizes);
    for (size_t i = 0; i < s->count; i++) {
        size_t index = s->touched[i];
        if (!status && (s->value[index] > 1e-15 || s->value[index] < -1e-15))
            status = hsgd_sdp_add(columns, index, s->value[index], err);
        s->value[index] = 0;
        s->seen[index] = 0;
    }
    s->count = 0;
    hsgd_sdp_end_column(columns, column);
    return status;
}

static hsgd_status fill_block(hsgd_sdp_columns *columns, const hsgd_pep_program *program, size_t block, double shift,
                              scatter *s, hsgd_error *err)
{
    block_context context = {s, program, block};
    size_t first = first_variable(program), from, to;
    scatter_constant(s, program->model, block, shift);
    hsgd_status status = gather(columns, 0, s, err);
    for (size_t c = first; !status && c < program->num_constraints; c++) {
        scatter_own_form(s, program->model, &program->constraint[c], block);
        if (flow_ends(&from, &to, &program->constraint[c]))
            status = walk_tree(program, from, to, add_edge_form, &context, err);
        status = status ? status : gather(columns, c - first + 1, s, err);
    }
    return status;
}

/* Rows: y_i >= 0, then the tree's multipliers, then the first criterion weight. */
typedef struct row_context {
    hsgd_sdp_columns *columns;
    size_t offset;
} row_context;

static hsgd_status add_edge_row(void *data, size_t edge, double change, hsgd_error *err)
{
    const row_context *context = data;
    return hsgd_sdp_add(context->columns, context->offset + edge, change, err);
}

static hsgd_status fill_rows(hsgd_sdp *out, const hsgd_pep_program *program, hsgd_error *err)
{
    size_t first = first_variable(program), tree = program->model->num_points - 1, from, to;
    bool min = program->model->problem.criterion == HSGD_PEP_MIN;
    row_context context = {&out->row, out->num_variables};
    hsgd_status status = min ? hsgd_sdp_add(&out->row, out->num_variables + tree, 1, err) : HSGD_OK;
    hsgd_sdp_end_column(&out->row, 0);
    for (size_t c = first; !status && c < program->num_constraints; c++) {
        status = hsgd_sdp_add(&out->row, c - first, 1, err);
        if (!status && flow_ends(&from, &to, &program->constraint[c]))
            status = walk_tree(program, from, to, add_edge_row, &context, err);
        if (!status && program->constraint[c].kind == HSGD_PEP_CRITERION)
            status = hsgd_sdp_add(&out->row, out->num_variables + tree, -1, err);
        hsgd_sdp_end_column(&out->row, c - first + 1);
    }
    return status;
}

static double cost_of(const hsgd_pep_multiplier *c, const hsgd_pep_problem *problem)
{
    if (c->kind == HSGD_PEP_INITIAL_GAP)
        return problem->delta;
    return c->kind == HSGD_PEP_DIVERGENCE ? problem->level_divergence_sq[c->level - 1] : 0;
}

static hsgd_status fill(hsgd_sdp *out, const hsgd_pep_program *program, const size_t *level_of_block, double shift,
                        hsgd_error *err)
{
    size_t most = program->model->num_coordinates[0] * (program->model->num_coordinates[0] + 1) / 2;
    scatter s = {calloc(most, sizeof *s.value), calloc(most, 1), calloc(most, sizeof *s.touched), 0};
    hsgd_status status = s.value && s.seen && s.touched ? HSGD_OK : hsgd_fail_memory(err, "the semidefinite program");
    for (size_t i = 0; i < out->num_variables; i++)
        out->cost[i] = cost_of(&program->constraint[first_variable(program) + i], &program->model->problem);
    for (size_t k = 0; !status && k < out->num_blocks; k++)
        status = fill_block(&out->block[k], program, level_of_block[k], shift, &s, err);
    free(s.value);
    free(s.seen);
    free(s.touched);
    return status ? status : fill_rows(out, program, err);
}

hsgd_status hsgd_pep_program_form(hsgd_sdp *out, const hsgd_pep_program *program, double shift, hsgd_error *err)
{
    const hsgd_pep_model *model = program->model;
    size_t size[HSGD_MAX_LEVELS + 1], level[HSGD_MAX_LEVELS + 1], blocks = 0;
    for (size_t k = 0; k <= model->problem.num_levels; k++)
        if (model->num_coordinates[k]) {
            level[blocks] = k;
            size[blocks++] = model->num_coordinates[k];
        }
    size_t variables = hsgd_pep_program_variables(program);
    size_t rows = variables + first_variable(program);
    hsgd_status status = hsgd_sdp_init(out, variables, size, blocks, rows, err);
    return status ? status : fill(out, program, level, shift, err);
}

/* ---- multipliers ---- */

static hsgd_status add_to_edge(void *data, size_t edge, double change, hsgd_error *err)
{
    double *const *context = data;
    (void)err;
    context[0][edge] += change * *context[1];
    return HSGD_OK;
}

/* Flow conservation holds exactly in real numbers: take it over the reversed edge instead. */
static hsgd_status turn_negative_edges(hsgd_pep_program *program, const double *flow, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t e = 0; !status && e + 1 < program->model->num_points; e++) {
        program->constraint[e].value = flow[e] > 0 ? flow[e] : 0;
        if (flow[e] >= 0)
            continue;
        size_t a = program->constraint[e].first, b = program->constraint[e].second;
        status = hsgd_pep_program_add_pair(program, b, a, err);
        for (size_t c = 0; !status && c < program->num_constraints; c++)
            if (program->constraint[c].kind == HSGD_PEP_INTERPOLATION && program->constraint[c].first == b &&
                program->constraint[c].second == a)
                program->constraint[c].value -= flow[e];
    }
    return status;
}

/* Weights of the criterion, with sum 1 also where the solver's are a little off. */
static void set_criterion_weights(hsgd_pep_program *program)
{
    size_t first = program->model->num_points - 1;
    double sum = 0;
    for (size_t c = first + 1; c < program->num_constraints && program->constraint[c].kind == HSGD_PEP_CRITERION; c++)
        sum += program->constraint[c].value;
    program->constraint[first].value = sum < 1 ? 1 - sum : 0;
    for (size_t c = first; c < program->num_constraints && program->constraint[c].kind == HSGD_PEP_CRITERION; c++)
        program->constraint[c].value /= sum > 1 ? sum : 1;
}

hsgd_status hsgd_pep_program_multipliers(hsgd_pep_program *program, const double *y, hsgd_error *err)
{
    size_t first = first_variable(program), from, to, variables = hsgd_pep_program_variables(program);
    double *flow = calloc(program->model->num_points, sizeof *flow);
    hsgd_status status = flow ? HSGD_OK : hsgd_fail_memory(err, "the multipliers");
    for (size_t i = 0; !status && i < variables; i++) {
        hsgd_pep_multiplier *c = &program->constraint[first + i];
        c->value = y[i] > 0 ? y[i] : 0;
        double *context[2] = {flow, &c->value};
        if (flow_ends(&from, &to, c))
            status = walk_tree(program, from, to, add_to_edge, context, err);
    }
    if (!status && program->model->problem.criterion == HSGD_PEP_MIN)
        set_criterion_weights(program);
    status = status ? status : turn_negative_edges(program, flow, err);
    free(flow);
    return status;
}
