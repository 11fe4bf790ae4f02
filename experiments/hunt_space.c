/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From points of a space without limits to problems (THEORY 12).
 *
 * Coordinates of a point, one after the other, as far as they are free:
 *     curvature (d - 1)          h_i = L s(z), s = sin^4 between FLATTEST and 1, with the sign of sin where h may be negative;
 *                                the coordinate of the anchor has L or -L
 *     worker_curvature (n d - 1) h_ji likewise, of both signs; all of a coordinate change sign where f needs a minimum
 *     linear (entries, d)        amplitudes of the deviations between the children of every node of an entry;
 *                                (n, d) with Hessians of their own: of b_j, less their mean
 *     initial (d)                amplitudes of w^0 - w*: its share of Delta is z^2/2 times unit^2
 *     noise                      amplitude: sigma
 *     step_size                  gamma = max sin^4(z)
 * sin^4 reaches its ends smoothly and gives small values, which may differ by powers of ten, as much room as large ones.
 * Where all amplitudes are free only their proportions count, and the point is scaled to unit length. */
#include "experiments/hunt_private.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include <gsl/gsl_randist.h>

/* Where f must be bounded below, curvatures are at least this share of L: flat for as long as any run lasts, while rounding
 * in the mean of the b_j does not yet become a slope without a lower bound. */
static const double FLATTEST = 1e-8;

/* Step sizes stay this far below the limit, which some theorems exclude. */
static const double BELOW_THE_LIMIT = 1e-9;

/* ---- the space ---- */

/* All but that of the anchor. */
static size_t num_curvatures(const hsgd_hunt_space *s)
{
    return s->free[HSGD_HUNT_WORKER_CURVATURE] ? s->setting->tree->num_workers * s->dim - 1
           : s->free[HSGD_HUNT_CURVATURE]      ? s->dim - 1
                                               : 0;
}

static size_t count_parameters(const hsgd_hunt_space *s)
{
    size_t count = 0;
    count += num_curvatures(s);
    count += s->free[HSGD_HUNT_LINEAR] ? s->num_amplitudes * s->dim : 0;
    count += s->free[HSGD_HUNT_INITIAL] ? s->dim : 0;
    return count + s->free[HSGD_HUNT_NOISE] + s->free[HSGD_HUNT_STEP_SIZE];
}

/* L of the configuration's problem. */
static hsgd_status find_smoothness(hsgd_hunt_space *s, hsgd_error *err)
{
    hsgd_constants constants;
    const hsgd_objective *objective = &s->problem->objective;
    hsgd_status status = objective->type->constants(objective, 0, &constants, err);
    s->smoothness = constants.smoothness.value > 0 ? constants.smoothness.value : 1;
    return status ? status : hsgd_config_step_size(&s->step_size, s->config, s->smoothness, err);
}

/* What is fixed says how large amplitudes are; with nothing fixed, 1. */
static hsgd_status find_unit(hsgd_hunt_space *s, hsgd_error *err)
{
    hsgd_hunt_constants constants;
    const hsgd_hunt_case fixed = {s->problem->quadratic, s->problem->initial, s->step_size};
    hsgd_status status = hsgd_hunt_find_constants(&constants, s->setting, &fixed, 1, err);
    if (status)
        return status;
    double size_sq = s->free[HSGD_HUNT_NOISE] ? 0 : constants.noise_sq;
    for (size_t k = 0; k < constants.num_levels && !s->free[HSGD_HUNT_LINEAR]; k++)
        size_sq += constants.level_divergence_sq[k];
    size_sq /= s->smoothness;
    if (!s->free[HSGD_HUNT_INITIAL] && isfinite(constants.delta))
        size_sq += constants.delta;
    s->scale_is_free = size_sq == 0;
    s->unit = size_sq > 0 ? sqrt(size_sq) : 1;
    return HSGD_OK;
}

hsgd_status hsgd_hunt_space_init(hsgd_hunt_space *out, const hsgd_config *config, const hsgd_problem *problem,
                                 const hsgd_hunt_setting *setting, const hsgd_quarry *quarry, hsgd_error *err)
{
    bool own = config->hunt.free[HSGD_HUNT_WORKER_CURVATURE] || problem->quadratic.worker_curvature;
    *out = (hsgd_hunt_space){.config = config,
                             .problem = problem,
                             .setting = setting,
                             .own = own,
                             .needs_minimum = quarry->bound,
                             .dim = config->hunt.dimension ? config->hunt.dimension : problem->quadratic.dim,
                             .num_amplitudes = own ? setting->tree->num_workers : setting->bound_tree->num_nodes};
    memcpy(out->free, config->hunt.free, sizeof out->free);
    hsgd_status status = find_smoothness(out, err);
    if (!status)
        status = find_unit(out, err);
    if (!quarry->bound && !own) /* dispersion: the start does not matter then, and a far one costs digits */
        out->free[HSGD_HUNT_INITIAL] = false;
    out->num_parameters = count_parameters(out);
    return status ? status : hsgd_hunt_max_step_size(&out->max_step_size, setting, quarry, out->smoothness, err);
}

/* ---- starts ---- */

/* Angles of sin^4, from 0 to the top: the ends are as likely as the middle. */
static double draw_angle(gsl_rng *rng, bool both_signs)
{
    return (both_signs ? gsl_rng_uniform(rng) - 0.5 : 0.5 * gsl_rng_uniform(rng)) * M_PI;
}

/* A common size of amplitudes between a thousandth and ten, every order of magnitude alike. Worst cases like corners that
 * random numbers never meet: where something else may be larger than 0, one of four sizes is 0. */
static double draw_size(gsl_rng *rng, bool may_vanish)
{
    double size = pow(10, 4 * gsl_rng_uniform(rng) - 3);
    return gsl_rng_uniform(rng) < 0.25 && may_vanish ? 0 : size;
}

static double *draw_amplitudes(double *z, size_t count, double size, gsl_rng *rng)
{
    for (size_t i = 0; i < count; i++)
        *z++ = gsl_ran_gaussian(rng, size);
    return z;
}

/* Another such corner: in half of the starts all workers have the Hessian of the first, one that has the anchor's value. */
static void make_alike(double *z, const hsgd_hunt_space *s, const hsgd_hunt_anchor *anchor)
{
    size_t last = num_curvatures(s) + 1;
    for (size_t index = s->dim; index < last; index++) {
        size_t first = index % s->dim;
        bool anchored = first == anchor->coordinate % s->dim;
        if (index == anchor->coordinate)
            continue;
        z[index - (index > anchor->coordinate)] =
            anchored ? (anchor->negative ? -M_PI / 2 : M_PI / 2) : z[first - (first > anchor->coordinate)];
    }
    if (anchor->coordinate >= s->dim) /* the first worker, too */
        z[anchor->coordinate % s->dim] = anchor->negative ? -M_PI / 2 : M_PI / 2;
}

static double *draw_curvatures(double *z, const hsgd_hunt_space *s, const hsgd_hunt_anchor *anchor, bool both_signs,
                               gsl_rng *rng)
{
    size_t count = num_curvatures(s);
    for (size_t i = 0; i < count; i++)
        z[i] = draw_angle(rng, both_signs);
    if (gsl_rng_uniform(rng) < 0.5 && s->free[HSGD_HUNT_WORKER_CURVATURE])
        make_alike(z, s, anchor);
    return z + count;
}

void hsgd_hunt_space_draw(hsgd_hunt_anchor *anchor, double *point, const hsgd_hunt_space *s, gsl_rng *rng)
{
    bool both_signs = s->own || !s->needs_minimum, start_counts = s->free[HSGD_HUNT_INITIAL];
    double *z = point, size = draw_size(rng, start_counts);
    anchor->coordinate = gsl_rng_uniform_int(rng, num_curvatures(s) + 1);
    anchor->negative = both_signs && gsl_rng_uniform(rng) < 0.5;
    z = draw_curvatures(z, s, anchor, both_signs, rng);
    for (size_t e = 0; s->free[HSGD_HUNT_LINEAR] && e < s->num_amplitudes; e++) {
        z = draw_amplitudes(z, s->dim, size, rng);
        size = s->own ? size : draw_size(rng, start_counts); /* of the next level or node */
    }
    if (start_counts)
        z = draw_amplitudes(z, s->dim, draw_size(rng, false), rng);
    if (s->free[HSGD_HUNT_NOISE])
        z = draw_amplitudes(z, 1, draw_size(rng, start_counts || s->free[HSGD_HUNT_LINEAR]), rng);
    if (s->free[HSGD_HUNT_STEP_SIZE])
        *z = draw_angle(rng, false);
}

/* ---- from a point to a problem ---- */

static double power_of_sine(double angle)
{
    double sine = sin(angle);
    return sine * sine * sine * sine;
}

/* Curvature number `index` of all that are free; returns what comes after its coordinate, if it has one. */
static const double *next_curvature(double *out, const hsgd_hunt_space *s, const hsgd_hunt_anchor *anchor, size_t index,
                                    const double *z)
{
    if (index == anchor->coordinate) {
        *out = anchor->negative ? -s->smoothness : s->smoothness;
        return z;
    }
    double share = power_of_sine(*z);
    *out = s->smoothness * (s->needs_minimum && !s->own ? fmax(share, FLATTEST) : copysign(share, sin(*z)));
    return z + 1;
}

/* f needs a minimum: no mean of a coordinate is negative. */
static void turn_upwards(hsgd_quadratic *q, const hsgd_hierarchy *h)
{
    for (size_t i = 0; i < q->dim; i++) {
        double mean = 0;
        for (size_t j = 0; j < q->num_workers; j++)
            mean += (h->worker_weight ? h->worker_weight[j] : 1) * q->worker_curvature[j * q->stride + i];
        for (size_t j = 0; mean < 0 && j < q->num_workers; j++)
            q->worker_curvature[j * q->stride + i] *= -1;
    }
}

static const double *set_own_curvature(hsgd_hunt_case *c, const hsgd_hunt_space *s, const hsgd_hunt_anchor *anchor,
                                       const double *z)
{
    hsgd_quadratic *q = &c->quadratic;
    const hsgd_quadratic *given = &s->problem->quadratic;
    for (size_t j = 0; j < q->num_workers; j++)
        for (size_t i = 0; i < q->dim; i++) {
            double *h = &q->worker_curvature[j * q->stride + i];
            if (s->free[HSGD_HUNT_WORKER_CURVATURE])
                z = next_curvature(h, s, anchor, j * q->dim + i, z);
            else
                *h = hsgd_quadratic_curvature(given, j)[i];
        }
    if (s->free[HSGD_HUNT_WORKER_CURVATURE] && s->needs_minimum)
        turn_upwards(q, s->setting->tree);
    return z;
}

static const double *set_curvature(hsgd_hunt_case *c, const hsgd_hunt_space *s, const hsgd_hunt_anchor *anchor,
                                   const double *z)
{
    if (s->own)
        return set_own_curvature(c, s, anchor, z);
    if (!s->free[HSGD_HUNT_CURVATURE])
        memcpy(c->quadratic.curvature, s->problem->quadratic.curvature, s->dim * sizeof(double));
    for (size_t i = 0; s->free[HSGD_HUNT_CURVATURE] && i < s->dim; i++)
        z = next_curvature(&c->quadratic.curvature[i], s, anchor, i, z);
    return z;
}

/* An inner node or a single worker. */
typedef struct child {
    size_t first_worker, num_workers;
    double weight;
} child;

/* The child of u that begins at this node and at this worker; both go on to the next one. */
static child next_child(const hsgd_hierarchy *h, size_t u, size_t *node, size_t *place)
{
    child out = {*place, 1, h->worker_weight ? h->worker_weight[*place] : 1 / (double)h->num_workers};
    if (!hsgd_node_is_lowest(h, u)) {
        out = (child){*place, h->node[*node].num_workers, h->node[*node].weight};
        *node = h->node[*node].end;
    }
    *place += out.num_workers;
    return out;
}

static void add_to_workers(hsgd_quadratic *q, const child *v, double factor, const double *amplitude)
{
    for (size_t j = v->first_worker; j < v->first_worker + v->num_workers; j++)
        for (size_t i = 0; i < q->dim; i++)
            q->linear[j * q->stride + i] += factor * amplitude[i];
}

/* Add the amplitude (d) to the workers below one child of every two, and take it from those below the other, divided by their
 * weights and scaled so that the mean is 0 and the mean square is unit^2; a last child without a partner gets nothing. */
static void spread_node(hsgd_quadratic *q, const hsgd_hierarchy *h, size_t u, const double *amplitude, double unit)
{
    size_t pairs = h->node[u].num_children / 2, node = u + 1, place = h->node[u].first_worker;
    for (size_t pair = 0; pair < pairs; pair++) {
        child left = next_child(h, u, &node, &place), right = next_child(h, u, &node, &place);
        double total = h->node[u].weight / (double)pairs; /* each pair has this share of the mean square */
        double scale = unit * sqrt(total / (1 / left.weight + 1 / right.weight));
        add_to_workers(q, &left, scale / left.weight, amplitude);
        add_to_workers(q, &right, -scale / right.weight, amplitude);
    }
}

/* With Hessians of their own it matters which worker has which b_j: all are free, but for their mean. */
static void set_own_linear(hsgd_quadratic *q, const hsgd_hunt_space *s, const double *z, double unit)
{
    const double *weight = s->setting->tree->worker_weight;
    for (size_t i = 0; i < q->dim; i++) {
        double mean = 0;
        for (size_t j = 0; j < q->num_workers; j++)
            mean += (weight ? weight[j] : 1 / (double)q->num_workers) * z[j * q->dim + i];
        for (size_t j = 0; j < q->num_workers; j++)
            q->linear[j * q->stride + i] = unit * (z[j * q->dim + i] - mean);
    }
}

static const double *set_linear(hsgd_hunt_case *c, const hsgd_hunt_space *s, const double *z, double unit)
{
    hsgd_quadratic *q = &c->quadratic;
    const hsgd_hierarchy *tree = s->setting->tree;
    bool by_level = s->setting->bound_tree != tree;
    double size = unit * sqrt(s->smoothness);
    if (!s->free[HSGD_HUNT_LINEAR]) {
        memcpy(q->linear, s->problem->quadratic.linear, q->num_workers * q->stride * sizeof *q->linear);
        return z;
    }
    memset(q->linear, 0, q->num_workers * q->stride * sizeof *q->linear);
    if (s->own)
        set_own_linear(q, s, z, size);
    for (size_t u = 0; !s->own && u < tree->num_nodes; u++)
        spread_node(q, tree, u, z + (by_level ? tree->node[u].depth : u) * s->dim, size);
    return z + s->num_amplitudes * s->dim;
}

/* Of f. */
static double mean_curvature(const hsgd_quadratic *q, const hsgd_hierarchy *tree, size_t i)
{
    double mean = 0;
    for (size_t j = 0; j < q->num_workers && q->worker_curvature; j++)
        mean += (tree->worker_weight ? tree->worker_weight[j] : 1 / (double)q->num_workers) *
                q->worker_curvature[j * q->stride + i];
    return q->worker_curvature ? mean : q->curvature[i];
}

/* w^0 = w* + x with h_i x_i^2/2 = unit^2 z_i^2/2. With free linear terms w* = 0; where f has no minimum, about 0 too. */
static const double *set_initial(hsgd_hunt_case *c, const hsgd_hunt_space *s, const double *z, double unit)
{
    memset(c->initial, 0, s->dim * sizeof *c->initial);
    if (!s->free[HSGD_HUNT_INITIAL]) {
        if (!s->config->hunt.free[HSGD_HUNT_INITIAL]) /* otherwise it does not matter */
            memcpy(c->initial, s->problem->initial, s->dim * sizeof *c->initial);
        return z;
    }
    if (!s->free[HSGD_HUNT_LINEAR])
        hsgd_quadratic_mean_linear(&c->quadratic, s->setting->tree->worker_weight, c->initial);
    for (size_t i = 0; i < s->dim; i++) {
        double h = mean_curvature(&c->quadratic, s->setting->tree, i);
        double steepness = fmax(fabs(h), FLATTEST * s->smoothness);
        c->initial[i] = (h > 0 ? c->initial[i] / h : 0) + unit * z[i] / sqrt(steepness);
    }
    return z + s->dim;
}

/* 1 / the length of all amplitudes, which stand side by side. */
static double scale_of(const hsgd_hunt_space *s, const double *amplitude)
{
    double sum = 0;
    size_t count = s->num_parameters - s->free[HSGD_HUNT_STEP_SIZE] - num_curvatures(s);
    for (size_t i = 0; i < count; i++)
        sum += amplitude[i] * amplitude[i];
    return sum > DBL_MIN && isfinite(sum) ? 1 / sqrt(sum) : 1;
}

void hsgd_hunt_space_case(hsgd_hunt_case *c, const hsgd_hunt_space *s, const hsgd_hunt_anchor *anchor,
                          const double *point)
{
    const double *z = set_curvature(c, s, anchor, point);
    double unit = s->unit * (s->scale_is_free ? scale_of(s, z) : 1);
    z = set_linear(c, s, z, unit);
    z = set_initial(c, s, z, unit);
    c->quadratic.noise_sq = s->problem->quadratic.noise_sq;
    if (s->free[HSGD_HUNT_NOISE]) {
        c->quadratic.noise_sq = s->smoothness * unit * unit * *z * *z;
        z++;
    }
    c->step_size = s->step_size;
    if (s->free[HSGD_HUNT_STEP_SIZE])
        c->step_size = s->max_step_size * (1 - BELOW_THE_LIMIT) * fmax(power_of_sine(*z), FLATTEST);
}
