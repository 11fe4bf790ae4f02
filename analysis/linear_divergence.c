/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounds on the divergences of linear classifiers that hold at every w (THEORY 8, where the steps are proved).
 *
 * Node u has the children v with shares q_v = p_v/p_u; sample i has the weight a_i in its child. The gradient of a
 * sample is r_i (x) x_i, and r_i = r_i(0) + s_i with s_i the prediction minus the one at w = 0: s_i = p_i - 1/C in the
 * centred simplex (softmax), |s_i| <= 1/2 (logistic). So grad f_v(w) = g_v + H_v, g_v the gradient of the loss at 0 and
 * H_v = sum_i a_i s_i (x) x_i; regularisers cancel. With A_v = g_v - g_u, and for every fixed Z,
 *
 *     beta_u^2 = sum q_v ||A_v||^2 + 2 sum q_v <H_v, A_v> + sum q_v ||H_v - H_u||^2
 *             <= sum q_v ||A_v||^2 + 2 sum q_v h_v(A_v) + K'                                       (Z = 0)
 *             <= sum q_v ||A_v||^2 + 2 sum q_v h_v(A_v - Z) + ||Z||^2 + K                          (-||H_u||^2 by Z)
 *
 * h_v(B)  the support function: the largest <H_v, B> over all s_i, sample by sample
 * K       bounds sum q_v ||H_v||^2, K' <= K bounds their variance, feature by feature
 * Z       the second bound is convex in Z; its best value is sought by Frank and Wolfe's method on the dual, whose
 *         iterates are values Z = H_u of one choice of s. Every iterate gives a valid bound, so it may stop anywhere.
 *
 * Vectors over parameters are (outputs, p) like W, vectors over features (p). */
#include "analysis/linear_model_private.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/moments.h"
#include "analysis/smoothness.h"
#include "analysis/threads.h"

/* The search for Z stops when it can gain no more than this share, or after so many evaluations: a better Z gives a
 * smaller bound, never a wrong one. */
static const double RELATIVE_GAIN = 2e-3;
enum { MAX_EVALUATIONS = 32 };

/* Neighbouring places of the tree: one child of a node, or a whole node. */
typedef struct part {
    size_t first, count;
    double weight;
} part;

typedef struct workspace {
    const linear_model *model;
    const hsgd_hierarchy *h;
    const size_t *placement;
    size_t dim;
    bool nonzero;       /* some entry of the data is not 0 */
    bool any_mixed;     /* some feature is mixed */
    bool *mixed;        /* (p) the feature has entries of both signs */
    double *eigenvalue; /* (n) certified lambda_max(X_j'X_j/m_j) by worker; 0 while no feature is mixed */
    part *child;        /* (n) the children of the node in hand */
    size_t num_children;
    double *centre;                /* (dim) g_u */
    double *own;                   /* (dim) g_v, then A_v - Z */
    double *point, *vertex;        /* (dim) Z, and H_u at the s that the support functions attain */
    double *size;                  /* (p) mean |x| of one child */
    double *sum, *top, *square;    /* (p) over the children, of q_v size_v: sum, largest, sum of squares */
    double *score;                 /* (HSGD_LINEAR_BLOCK_ROWS, outputs) */
    double *row;                   /* (HSGD_LINEAR_BLOCK_ROWS, p) data kept as bytes only: samples as doubles */
    double mean_norm_sq;           /* of the node in hand: mean ||x||^2 */
    double spread_sq, variance_sq; /* of the node in hand: K and K' */
    double moment_sq;              /* of the node in hand: bounds sum q_v ||grad f_v||^2 */
} workspace;

/* ---- samples ---- */

static double place_weight(const workspace *w, size_t place)
{
    return w->h->worker_weight ? w->h->worker_weight[place] : 1;
}

/* The samples *first .. *end - 1 of the worker at this place; returned: the weight of each in the part. */
static double samples_at(const workspace *w, const part *v, size_t place, size_t *first, size_t *end)
{
    size_t j = w->placement ? w->placement[place] : place;
    *first = w->model->start[j];
    *end = w->model->start[j + 1];
    return place_weight(w, place) / v->weight / (double)(*end - *first);
}

static void add_row(const workspace *w, size_t sample, double scale, double *out)
{
    const hsgd_dataset *data = w->model->data;
    if (data->row_start) {
        for (size_t e = data->row_start[sample]; e < data->row_start[sample + 1]; e++)
            out[data->column[e]] += scale * data->value[e];
        return;
    }
    const double *x = hsgd_dataset_rows(data, sample, 1, w->row);
    for (size_t f = 0; f < data->num_features; f++)
        out[f] += scale * x[f];
}

static void add_absolute_row(const workspace *w, size_t sample, double scale, double *out)
{
    const hsgd_dataset *data = w->model->data;
    if (data->row_start) {
        for (size_t e = data->row_start[sample]; e < data->row_start[sample + 1]; e++)
            out[data->column[e]] += scale * fabs(data->value[e]);
        return;
    }
    const double *x = hsgd_dataset_rows(data, sample, 1, w->row);
    for (size_t f = 0; f < data->num_features; f++)
        out[f] += scale * fabs(x[f]);
}

/* Softmax: from sum a_i e_c (x) x_i to sum a_i (e_c - 1/C) (x) x_i. */
static void subtract_mean_over_outputs(const linear_model *model, double *matrix)
{
    size_t p = model->data->num_features;
    for (size_t f = 0; f < p; f++) {
        double mean = 0;
        for (size_t c = 0; c < model->outputs; c++)
            mean += matrix[c * p + f] / (double)model->outputs;
        for (size_t c = 0; c < model->outputs; c++)
            matrix[c * p + f] -= mean;
    }
}

/* g_v: r_i(0) is 1/2 - y (logistic), 1/C - e_y (softmax). */
static void gradient_at_zero(const workspace *w, const part *v, double *grad)
{
    const linear_model *model = w->model;
    const hsgd_dataset *data = model->data;
    memset(grad, 0, w->dim * sizeof *grad);
    for (size_t i = v->first; i < v->first + v->count; i++) {
        size_t first, end;
        double weight = samples_at(w, v, i, &first, &end);
        for (size_t s = first; s < end; s++)
            if (model->link == HSGD_LINK_LOGISTIC)
                add_row(w, s, weight * (data->label[s] ? -0.5 : 0.5), grad);
            else
                add_row(w, s, -weight, grad + data->label[s] * data->num_features);
    }
    if (model->link == HSGD_LINK_SOFTMAX)
        subtract_mean_over_outputs(model, grad);
}

/* ---- the quadratic term: K and K' ---- */

/* The largest ||s_i||^2, and the largest ||r_i||^2. */
static double largest_shift_sq(const linear_model *model)
{
    return model->link == HSGD_LINK_LOGISTIC ? 0.25 : 1 - 1 / (double)model->outputs;
}
static double largest_residual_sq(const linear_model *model)
{
    return model->link == HSGD_LINK_LOGISTIC ? 1 : 2;
}

/* K_v, with ||H_v||^2 <= max ||s||^2 K_v: the norm of the mean of |x|, and for mixed signs also the largest eigenvalue
 * of sum a_i x_i x_i', which is convex in the worker. Leaves the mean of |x| in w->size, and that of ||x||^2 in
 * norm_sq. */
static double child_spread(const workspace *w, const part *v, double *norm_sq)
{
    const hsgd_dataset *data = w->model->data;
    double eigenvalue = 0;
    *norm_sq = 0;
    memset(w->size, 0, data->num_features * sizeof *w->size);
    for (size_t i = v->first; i < v->first + v->count; i++) {
        size_t first, end;
        double weight = samples_at(w, v, i, &first, &end);
        for (size_t s = first; s < end; s++) {
            add_absolute_row(w, s, weight, w->size);
            *norm_sq += weight * hsgd_dataset_row_norm_sq(data, s);
        }
        eigenvalue += place_weight(w, i) / v->weight * w->eigenvalue[w->placement ? w->placement[i] : i];
    }
    double mean = hsgd_norm_sq(w->size, data->num_features);
    return w->any_mixed ? fmin(mean, eigenvalue) : mean;
}

/* What sum_v q_v size_v^2 max ||s||^2 exceeds the variance of one feature by, at least (THEORY 8.2): the extreme choices
 * put all of a child's mass m_v = q_v size_v on one output (or sign), and then the mean has a square of at least this. */
static double variance_saving(const linear_model *model, double sum, double top, double square, bool mixed)
{
    if (model->link == HSGD_LINK_LOGISTIC)
        return 2 * top > sum ? (2 * top - sum) * (2 * top - sum) / 4 : 0;
    if (mixed)
        return 0;
    double c = (double)model->outputs, excess = c * top - sum;
    return fmax(excess > 0 ? excess * excess / (c * (c - 1)) : 0, square - sum * sum / c);
}

static void measure_quadratic_term(workspace *w, double weight)
{
    size_t p = w->model->data->num_features;
    double by_feature = 0;
    memset(w->sum, 0, p * sizeof *w->sum);
    memset(w->top, 0, p * sizeof *w->top);
    memset(w->square, 0, p * sizeof *w->square);
    w->mean_norm_sq = w->spread_sq = 0;
    for (size_t v = 0; v < w->num_children; v++) {
        double norm_sq, q = w->child[v].weight / weight;
        w->spread_sq += q * child_spread(w, &w->child[v], &norm_sq);
        w->mean_norm_sq += q * norm_sq;
        by_feature += q * hsgd_norm_sq(w->size, p);
        for (size_t f = 0; f < p; f++) {
            double mass = q * w->size[f];
            w->sum[f] += mass;
            w->top[f] = fmax(w->top[f], mass);
            w->square[f] += mass * mass;
        }
    }
    w->moment_sq = w->spread_sq * largest_residual_sq(w->model);
    w->spread_sq *= largest_shift_sq(w->model);
    by_feature *= largest_shift_sq(w->model);
    for (size_t f = 0; f < p; f++)
        by_feature -= variance_saving(w->model, w->sum[f], w->top[f], w->square[f], w->mixed[f]);
    w->variance_sq = fmin(w->spread_sq, by_feature);
}

/* ---- the cross term ---- */

/* The largest <s, z> for the scores z of one sample; *best is the output that attains it, *shift its weight. */
static double support_of_sample(const linear_model *model, const double *z, size_t *best, double *shift)
{
    *best = 0;
    *shift = 1;
    if (model->link == HSGD_LINK_LOGISTIC) {
        *shift = *z > 0 ? 0.5 : -0.5;
        return fabs(*z) / 2;
    }
    double mean = 0;
    for (size_t c = 0; c < model->outputs; c++) {
        *best = z[c] > z[*best] ? c : *best;
        mean += z[c] / (double)model->outputs;
    }
    return z[*best] - mean;
}

/* h_v(B) for B = w->own; adds share * H_v of the s that attain it to w->vertex (before its mean is subtracted). */
static double support(workspace *w, const part *v, double share)
{
    const linear_model *model = w->model;
    double sum = 0;
    for (size_t i = v->first; i < v->first + v->count; i++) {
        size_t first, end;
        double weight = samples_at(w, v, i, &first, &end);
        for (size_t s = first; s < end; s += HSGD_LINEAR_BLOCK_ROWS) {
            size_t count = end - s < HSGD_LINEAR_BLOCK_ROWS ? end - s : HSGD_LINEAR_BLOCK_ROWS;
            hsgd_linear_model_scores(model, s, count, w->own, w->score, w->row);
            for (size_t k = 0; k < count; k++) {
                size_t best;
                double shift;
                sum += weight * support_of_sample(model, w->score + k * model->outputs, &best, &shift);
                add_row(w, s + k, share * weight * shift, w->vertex + best * model->data->num_features);
            }
        }
    }
    return sum;
}

/* *square = sum q_v ||A_v||^2, *cross = sum q_v h_v(A_v - Z) for Z = w->point, and w->vertex. */
static void evaluate(workspace *w, double weight, double *square, double *cross)
{
    *square = *cross = 0;
    memset(w->vertex, 0, w->dim * sizeof *w->vertex);
    for (size_t v = 0; v < w->num_children; v++) {
        double q = w->child[v].weight / weight;
        gradient_at_zero(w, &w->child[v], w->own);
        *square += q * hsgd_distance_sq(w->own, w->centre, w->dim);
        for (size_t k = 0; k < w->dim; k++)
            w->own[k] -= w->centre[k] + w->point[k];
        *cross += q * support(w, &w->child[v], q);
    }
    if (w->model->link == HSGD_LINK_SOFTMAX)
        subtract_mean_over_outputs(w->model, w->vertex);
}

/* Frank and Wolfe: the dual of the bound with Z is  max over s of  2 L - ||H_u||^2 + constants,  L = sum q_v <H_v, A_v>.
 * At s its gradient is A_v - Z with Z = H_u(s), so the support functions at Z give the next vertex, the bound for this
 * Z, and the distance to the best one. The step to the vertex is the best on its line. */
static double search(workspace *w, double weight)
{
    double best = INFINITY, linear = 0;
    memset(w->point, 0, w->dim * sizeof *w->point);
    for (int i = 0; i < MAX_EVALUATIONS; i++) {
        double square, cross, point_sq = hsgd_norm_sq(w->point, w->dim);
        evaluate(w, weight, &square, &cross);
        if (i == 0)
            best = square + 2 * cross + w->variance_sq;
        best = fmin(best, square + 2 * cross + point_sq + w->spread_sq);
        double vertex_linear = cross + hsgd_dot(w->vertex, w->point, w->dim);
        double distance_sq = hsgd_distance_sq(w->vertex, w->point, w->dim);
        double slope = vertex_linear - linear - (hsgd_dot(w->vertex, w->point, w->dim) - point_sq);
        double reachable = square + 2 * linear - point_sq + w->spread_sq; /* no Z does better than this */
        if (!(best > reachable + RELATIVE_GAIN * best) || !(slope > 0) || !(distance_sq > 0))
            break;
        double step = fmin(slope / distance_sq, 1);
        linear += step * (vertex_linear - linear);
        for (size_t k = 0; k < w->dim; k++)
            w->point[k] += step * (w->vertex[k] - w->point[k]);
    }
    return best;
}

/* ---- one node ---- */

/* Rounding. Sums of up to `terms` numbers err by less than 2 terms eps times the sum of absolute values, and all of
 * these are at most a small multiple of mean ||x||^2 over the node: with mu = mean ||x||, ||g_v|| <= mu_v, ||H_v|| <= mu_v,
 * ||A_v|| <= mu_v + mu_u, ||Z|| <= mu_u, so the squares and products above are at most 4 (mu_v + mu_u)^2 each, whose mean
 * over v is at most 16 mean ||x||^2; there are fewer than 8 of them. The last term is for what underflows. */
static double slack(const workspace *w, const part *u)
{
    double terms = (double)w->dim + (double)w->model->outputs + 64;
    for (size_t i = u->first; i < u->first + u->count; i++) {
        size_t first, end;
        samples_at(w, u, i, &first, &end);
        terms += 1 + (double)(end - first);
    }
    return terms * (256 * DBL_EPSILON * w->mean_norm_sq + DBL_MIN);
}

/* The bound for the children in w->child, which together are the part u. */
static double bound_of_children(workspace *w, const part *u)
{
    if (w->num_children < 2 || !w->nonzero || (w->model->link == HSGD_LINK_SOFTMAX && w->model->outputs == 1))
        return 0;
    measure_quadratic_term(w, u->weight);
    if (!isfinite(w->mean_norm_sq)) /* squares overflow */
        return INFINITY;
    gradient_at_zero(w, u, w->centre);
    double bound = fmin(search(w, u->weight), w->moment_sq) + slack(w, u);
    return isfinite(bound) ? bound : INFINITY;
}

static part make_part(const workspace *w, size_t first, size_t count)
{
    part v = {first, count, 0};
    for (size_t i = first; i < first + count; i++)
        v.weight += place_weight(w, i);
    return v;
}

static void single_workers(workspace *w, size_t first, size_t count)
{
    w->num_children = count;
    for (size_t i = 0; i < count; i++)
        w->child[i] = make_part(w, first + i, 1);
}

static double bound_of_node(workspace *w, size_t u)
{
    const hsgd_node *node = w->h->node;
    part whole = make_part(w, node[u].first_worker, node[u].num_workers);
    if (hsgd_node_is_lowest(w->h, u))
        single_workers(w, whole.first, whole.count);
    else {
        w->num_children = 0;
        for (size_t v = u + 1; v < node[u].end; v = node[v].end)
            w->child[w->num_children++] = make_part(w, node[v].first_worker, node[v].num_workers);
    }
    return bound_of_children(w, &whole);
}

/* ---- the tree ---- */

/* E = sum_u p_u beta_u^2 (THEORY 2): each side bounds the other. The factor covers the roundings of the weights. */
static void reconcile(const workspace *w, double *node_sq, double *global_sq)
{
    const hsgd_hierarchy *h = w->h;
    double total = make_part(w, 0, h->num_workers).weight, sum = 0;
    double up = 1 + 8 * DBL_EPSILON * (double)(h->num_workers + h->num_nodes + 8);
    for (size_t u = 0; u < h->num_nodes; u++) {
        double share = make_part(w, h->node[u].first_worker, h->node[u].num_workers).weight / total;
        sum += node_sq[u] > 0 ? share * node_sq[u] : 0;
    }
    if (h->num_nodes)
        *global_sq = fmin(*global_sq, sum * up);
    for (size_t u = 0; u < h->num_nodes; u++) {
        double share = make_part(w, h->node[u].first_worker, h->node[u].num_workers).weight / total;
        node_sq[u] = fmin(node_sq[u], *global_sq / share * up);
    }
}

/* sign (p): of the feature's first entry that is not 0. */
static void note_sign(workspace *w, double *sign, size_t f, double x)
{
    if (x == 0)
        return;
    w->nonzero = true;
    sign[f] = sign[f] != 0 ? sign[f] : x;
    w->mixed[f] = w->mixed[f] || (x > 0) != (sign[f] > 0);
    w->any_mixed = w->any_mixed || w->mixed[f];
}

/* Signs feature by feature; eigenvalues only where signs are mixed, because mean |x| is better where they are not. */
static hsgd_status look_at_data(workspace *w, size_t num_workers, hsgd_error *err)
{
    const hsgd_dataset *data = w->model->data;
    const size_t *start = w->model->start;
    size_t p = data->num_features;
    double *sign = w->size;
    for (size_t s = start[0]; s < start[num_workers]; s++) {
        size_t from = data->row_start ? data->row_start[s] : 0, end = data->row_start ? data->row_start[s + 1] : p;
        const double *x = data->row_start ? data->value : hsgd_dataset_rows(data, s, 1, w->row);
        for (size_t e = from; e < end; e++)
            note_sign(w, sign, data->row_start ? data->column[e] : e, x[e]);
    }
    hsgd_status status = HSGD_OK;
    for (size_t j = 0; j < num_workers && w->any_mixed && !status; j++)
        status = hsgd_gram_eigenvalue_bound(&w->eigenvalue[j], data, start[j], start[j + 1] - start[j], err);
    return status;
}

static hsgd_status check(const hsgd_objective *objective, const hsgd_hierarchy *h, const size_t *placement,
                         hsgd_error *err)
{
    size_t n = objective->num_workers;
    if (h->num_workers != n)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the tree has %zu workers, the objective %zu", h->num_workers, n);
    if (!hsgd_hierarchy_is_expanded(h))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "divergences need an expanded tree");
    for (size_t i = 0; i < n && placement; i++)
        if (placement[i] >= n)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "placement[%zu] is %zu; the workers are 0 to %zu", i, placement[i],
                             n - 1);
    return HSGD_OK;
}

/* One allocation for all vectors of doubles; zeros. */
static bool allocate(workspace *w, double **memory, size_t n)
{
    size_t p = w->model->data->num_features, rows = w->model->data->byte ? HSGD_LINEAR_BLOCK_ROWS : 0;
    size_t scores = HSGD_LINEAR_BLOCK_ROWS * w->model->outputs;
    double *at = *memory = calloc(4 * w->dim + 4 * p + scores + n + rows * p, sizeof *at);
    w->child = calloc(n, sizeof *w->child);
    w->mixed = calloc(p, sizeof *w->mixed);
    if (!at || !w->child || !w->mixed)
        return false;
    w->centre = at;
    w->own = w->centre + w->dim;
    w->point = w->own + w->dim;
    w->vertex = w->point + w->dim;
    w->size = w->vertex + w->dim;
    w->sum = w->size + p;
    w->top = w->sum + p;
    w->square = w->top + p;
    w->score = w->square + p;
    w->eigenvalue = w->score + scores;
    w->row = w->eigenvalue + n;
    return true;
}

hsgd_status hsgd_linear_model_divergences(double *node_sq, double *global_sq, const hsgd_objective *objective,
                                          const hsgd_hierarchy *h, const size_t *placement, hsgd_error *err)
{
    hsgd_status status = check(objective, h, placement, err);
    if (status)
        return status;
    workspace w = {.model = objective->state, .h = h, .placement = placement, .dim = objective->dim};
    double *memory;
    hsgd_threads_setup(); /* the same sums for any number of threads */
    if (!allocate(&w, &memory, h->num_workers))
        status = hsgd_fail_memory(err, "the divergences");
    if (!status)
        status = look_at_data(&w, h->num_workers, err);
    if (!status) {
        for (size_t u = 0; u < h->num_nodes; u++)
            node_sq[u] = bound_of_node(&w, u);
        single_workers(&w, 0, h->num_workers);
        part all = make_part(&w, 0, h->num_workers);
        *global_sq = bound_of_children(&w, &all);
        reconcile(&w, node_sq, global_sq);
    }
    free(w.mixed);
    free(w.child);
    free(memory);
    return status;
}
