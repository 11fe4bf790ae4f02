/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From points of a space without limits to problems (THEORY 12).
 *
 * Coordinates of a point, one after the other, as far as they are free:
 *     curvature (d - 1)          h_i = L s(z), s = sin^4 between FLATTEST and 1, with the sign of sin where h may be negative;
 *                                the coordinate of the anchor has L or -L
 *     linear (entries, d)        amplitudes of the deviations between the children of every node of an entry
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

static size_t count_parameters(const hsgd_hunt_space *s)
{
    size_t count = 0;
    count += s->free[HSGD_HUNT_CURVATURE] ? s->dim - 1 : 0;
    count += s->free[HSGD_HUNT_LINEAR] ? s->num_entries * s->dim : 0;
    count += s->free[HSGD_HUNT_INITIAL] ? s->dim : 0;
    return count + s->free[HSGD_HUNT_NOISE] + s->free[HSGD_HUNT_STEP_SIZE];
}

/* What is fixed says how large amplitudes are; with nothing fixed, 1. Also finds L. */
static hsgd_status find_unit(hsgd_hunt_space *s, hsgd_error *err)
{
    const hsgd_problem *problem = s->problem;
    hsgd_hunt_constants constants;
    hsgd_hunt_case fixed = {.quadratic = problem->quadratic, .initial = problem->initial, .step_size = 1};
    hsgd_status status = hsgd_hunt_find_constants(&constants, NULL, NULL, NULL, s->setting, &fixed, err);
    if (status)
        return status;
    double size_sq = s->free[HSGD_HUNT_NOISE] ? 0 : constants.noise_sq;
    for (size_t k = 0; k < constants.num_levels && !s->free[HSGD_HUNT_LINEAR]; k++)
        size_sq += constants.level_divergence_sq[k];
    s->smoothness = constants.smoothness > 0 ? constants.smoothness : 1;
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
    *out = (hsgd_hunt_space){.config = config,
                             .problem = problem,
                             .setting = setting,
                             .needs_minimum = quarry->bound,
                             .dim = config->hunt.dimension ? config->hunt.dimension : problem->quadratic.dim,
                             .num_entries = setting->bound_tree->num_nodes};
    memcpy(out->free, config->hunt.free, sizeof out->free);
    hsgd_status status = find_unit(out, err);
    if (!quarry->bound) /* all workers start together, so the start does not matter; but a large one costs digits */
        out->free[HSGD_HUNT_INITIAL] = false;
    out->num_parameters = count_parameters(out);
    if (!status)
        status = hsgd_config_step_size(&out->step_size, config, out->smoothness, err);
    return status ? status : hsgd_hunt_max_step_size(&out->max_step_size, setting, quarry, out->smoothness, err);
}

/* ---- starts ---- */

/* Angles of sin^4, from 0 to the top: the ends are as likely as the middle. */
static double draw_angle(gsl_rng *rng, bool both_signs)
{
    return (both_signs ? gsl_rng_uniform(rng) - 0.5 : 0.5 * gsl_rng_uniform(rng)) * M_PI;
}

/* Normal amplitudes with a common size between a thousandth and ten, every order of magnitude alike. */
static double *draw_amplitudes(double *z, size_t count, gsl_rng *rng)
{
    double size = pow(10, 4 * gsl_rng_uniform(rng) - 3);
    for (size_t i = 0; i < count; i++)
        *z++ = gsl_ran_gaussian(rng, size);
    return z;
}

void hsgd_hunt_space_draw(hsgd_hunt_anchor *anchor, double *point, const hsgd_hunt_space *s, gsl_rng *rng)
{
    double *z = point;
    anchor->coordinate = gsl_rng_uniform_int(rng, s->dim);
    anchor->negative = !s->needs_minimum && gsl_rng_uniform(rng) < 0.5;
    for (size_t i = 1; s->free[HSGD_HUNT_CURVATURE] && i < s->dim; i++)
        *z++ = draw_angle(rng, !s->needs_minimum);
    for (size_t e = 0; s->free[HSGD_HUNT_LINEAR] && e < s->num_entries; e++)
        z = draw_amplitudes(z, s->dim, rng);
    if (s->free[HSGD_HUNT_INITIAL])
        z = draw_amplitudes(z, s->dim, rng);
    if (s->free[HSGD_HUNT_NOISE])
        z = draw_amplitudes(z, 1, rng);
    if (s->free[HSGD_HUNT_STEP_SIZE])
        *z = draw_angle(rng, false);
}

/* ---- from a point to a problem ---- */

static double power_of_sine(double angle)
{
    double sine = sin(angle);
    return sine * sine * sine * sine;
}

static const double *set_curvature(hsgd_hunt_case *c, const hsgd_hunt_space *s, const hsgd_hunt_anchor *anchor,
                                   const double *z)
{
    double *h = c->quadratic.curvature;
    if (!s->free[HSGD_HUNT_CURVATURE]) {
        memcpy(h, s->problem->quadratic.curvature, s->dim * sizeof *h);
        return z;
    }
    for (size_t i = 0; i < s->dim; i++) {
        if (i == anchor->coordinate) {
            h[i] = anchor->negative ? -s->smoothness : s->smoothness;
            continue;
        }
        double share = power_of_sine(*z);
        h[i] = s->smoothness * (s->needs_minimum ? fmax(share, FLATTEST) : copysign(share, sin(*z)));
        z++;
    }
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

static const double *set_linear(hsgd_hunt_case *c, const hsgd_hunt_space *s, const double *z, double unit)
{
    hsgd_quadratic *q = &c->quadratic;
    const hsgd_hierarchy *tree = s->setting->tree;
    bool by_level = s->setting->bound_tree != tree;
    if (!s->free[HSGD_HUNT_LINEAR]) {
        memcpy(q->linear, s->problem->quadratic.linear, q->num_workers * q->stride * sizeof *q->linear);
        return z;
    }
    memset(q->linear, 0, q->num_workers * q->stride * sizeof *q->linear);
    for (size_t u = 0; u < tree->num_nodes; u++)
        spread_node(q, tree, u, z + (by_level ? tree->node[u].depth : u) * s->dim, unit * sqrt(s->smoothness));
    return z + s->num_entries * s->dim;
}

/* w^0 = w* + x with h_i x_i^2/2 = unit^2 z_i^2/2. With free linear terms w* = 0; where f has no minimum, about 0 too. */
static const double *set_initial(hsgd_hunt_case *c, const hsgd_hunt_space *s, const double *z, double unit)
{
    const double *h = c->quadratic.curvature;
    memset(c->initial, 0, s->dim * sizeof *c->initial);
    if (!s->free[HSGD_HUNT_INITIAL]) {
        if (!s->config->hunt.free[HSGD_HUNT_INITIAL]) /* otherwise it does not matter */
            memcpy(c->initial, s->problem->initial, s->dim * sizeof *c->initial);
        return z;
    }
    if (!s->free[HSGD_HUNT_LINEAR])
        hsgd_quadratic_mean_linear(&c->quadratic, s->setting->tree->worker_weight, c->initial);
    for (size_t i = 0; i < s->dim; i++) {
        double steepness = fmax(fabs(h[i]), FLATTEST * s->smoothness);
        c->initial[i] = (h[i] > 0 ? c->initial[i] / h[i] : 0) + unit * z[i] / sqrt(steepness);
    }
    return z + s->dim;
}

/* 1 / the length of all amplitudes, which stand side by side. */
static double scale_of(const hsgd_hunt_space *s, const double *amplitude)
{
    double sum = 0;
    size_t count = s->num_parameters - s->free[HSGD_HUNT_STEP_SIZE] - (s->free[HSGD_HUNT_CURVATURE] ? s->dim - 1 : 0);
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
