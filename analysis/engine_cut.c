/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the tree is cut: which nodes are divided, and into which units.
 *
 * The cut follows from the tree and the problem alone, never from the number of threads or processes, because the order of
 * sums hangs on it. The root is always divided. Where that gives few units, its children are divided, too, and so on down to
 * the depth that gives enough. */
#include "analysis/engine_private.h"

/* Units that are enough for many threads and processes. */
enum { ENOUGH_UNITS = 16 };

/* Numbers that all workers together change between two averages of the lowest divided nodes, at least: less is done before
 * threads or processes have waited for each other. */
static const double LEG_NUMBERS = 3e4;

/* What the units keep for the rows of a window takes at most about this much where nodes below the root are divided. */
static const double DEEP_SLOT_BYTES = 24e6;

/* Workers of one unit, where a node has small children: enough units for many threads, and few enough that their means are
 * small beside the models. */
static size_t run_of_workers(const hsgd_hierarchy *h)
{
    const size_t least = 64, most = 2048, units = 256;
    size_t run = h->num_workers / units;
    return run < least ? least : run < most ? run : most;
}

/* Nodes among the children of u: as many to a unit as make such a run, if there are many. */
static size_t nodes_per_unit(const hsgd_hierarchy *h, size_t u)
{
    size_t nodes = h->node[u].num_children, fit = run_of_workers(h) * nodes / h->node[u].num_workers,
           most = nodes / ENOUGH_UNITS;
    return fit > most ? (most > 0 ? most : 1) : fit > 0 ? fit : 1;
}

/* A walk over the divided nodes, which counts what it meets. */
typedef struct cutter {
    const hsgd_hierarchy *h;
    hsgd_cut cut;
    size_t longest_leg; /* of the period of a node that has units */
    hsgd_unit *unit;    /* to be filled; NULL: only to be counted */
    hsgd_split *split;  /* the same */
} cutter;

static bool is_divided(const cutter *c, size_t u)
{
    const hsgd_node *node = &c->h->node[u];
    return u == 0 ||
           (node->depth <= c->cut.depth && (!hsgd_node_is_lowest(c->h, u) || node->num_workers > run_of_workers(c->h)));
}

static void add_unit(cutter *c, const hsgd_unit *unit)
{
    hsgd_cut *cut = &c->cut;
    size_t nodes = unit->end - unit->node;
    if (c->unit)
        c->unit[cut->num_units] = *unit;
    cut->num_units++;
    cut->most_workers = unit->count > cut->most_workers ? unit->count : cut->most_workers;
    cut->most_nodes = nodes > cut->most_nodes ? nodes : cut->most_nodes;
}

/* Runs of about the same length, of which all but the last are whole calls. */
static size_t even_run(const hsgd_hierarchy *h, size_t u)
{
    size_t workers = h->node[u].num_workers, pieces = (workers - 1) / run_of_workers(h) + 1;
    return ((workers - 1) / pieces / HSGD_ROWS_AT_ONCE + 1) * HSGD_ROWS_AT_ONCE;
}

static void cut_workers(cutter *c, size_t u, size_t split)
{
    const hsgd_node *node = &c->h->node[u];
    size_t run = even_run(c->h, u), end = node->first_worker + node->num_workers;
    for (size_t first = node->first_worker; first < end; first += run)
        add_unit(c, &(hsgd_unit){.split = split,
                                 .depth = node->depth,
                                 .node = node->end,
                                 .end = node->end,
                                 .first = first,
                                 .count = end - first < run ? end - first : run});
}

/* The unit that begins with child v of u; returns the child after it. */
static size_t cut_nodes(cutter *c, size_t u, size_t v, size_t split)
{
    const hsgd_hierarchy *h = c->h;
    size_t most = nodes_per_unit(h, u);
    hsgd_unit unit = {.split = split, .depth = h->node[u].depth, .node = v, .end = v, .first = h->node[v].first_worker};
    for (size_t i = 0; i < most && unit.end < h->node[u].end && (i == 0 || !is_divided(c, unit.end)); i++) {
        unit.count += h->node[unit.end].num_workers;
        unit.end = h->node[unit.end].end;
    }
    add_unit(c, &unit);
    return unit.end;
}

static void cut_node(cutter *c, size_t u, size_t parent)
{
    const hsgd_hierarchy *h = c->h;
    const hsgd_node *node = &h->node[u];
    bool lowest = hsgd_node_is_lowest(h, u), has_units = lowest;
    size_t own = c->cut.num_splits++, first_unit = c->cut.num_units;
    if (node->period < c->cut.leg)
        c->cut.leg = node->period;
    if (lowest)
        cut_workers(c, u, own);
    for (size_t v = u + 1; !lowest && v < node->end;)
        if (is_divided(c, v)) {
            cut_node(c, v, own);
            v = h->node[v].end;
        } else {
            v = cut_nodes(c, u, v, own);
            has_units = true;
        }
    if (has_units && node->period > c->longest_leg)
        c->longest_leg = node->period;
    if (c->split)
        c->split[own] = (hsgd_split){
            .node = u, .parent = parent, .first_unit = first_unit, .end_unit = c->cut.num_units, .team = {.size = 1}};
}

static cutter cut_at(const hsgd_hierarchy *h, size_t depth, hsgd_unit *unit, hsgd_split *split)
{
    cutter c = {.h = h, .cut = {.depth = depth, .leg = h->node[0].period}, .unit = unit, .split = split};
    cut_node(&c, 0, HSGD_NO_NODE);
    c.cut.whole_legs = c.longest_leg == c.cut.leg;
    return c;
}

/* ---- how deep ---- */

static bool pays(const hsgd_cut *cut, const hsgd_simulation *s)
{
    double period = (double)hsgd_hierarchy_global_period(s->hierarchy), dim = (double)s->objective->dim;
    double rows = (period < (double)s->steps ? period : (double)s->steps) / (double)s->measure_every + 2;
    double slots = (double)(cut->num_units + cut->num_splits) * (s->measure_proof ? 3 : 1);
    return (double)s->hierarchy->num_workers * dim * (double)cut->leg >= LEG_NUMBERS &&
           8 * slots * rows * dim <= DEEP_SLOT_BYTES;
}

hsgd_cut hsgd_cut_find(const hsgd_simulation *s)
{
    const hsgd_hierarchy *h = s->hierarchy;
    bool goes_deeper = !hsgd_variant_keeps_more(s->variant); /* what it keeps of a group lies in one process */
    hsgd_cut cut = cut_at(h, 0, NULL, NULL).cut;
    for (size_t depth = 1; cut.num_units < ENOUGH_UNITS && depth < h->num_levels && goes_deeper; depth++) {
        hsgd_cut deeper = cut_at(h, depth, NULL, NULL).cut;
        if (deeper.num_units > cut.num_units && pays(&deeper, s))
            cut = deeper;
    }
    cut.looks_up = s->measure_at_nodes && cut.num_splits > 1;
    cut.whole_legs = cut.whole_legs && !cut.looks_up;
    return cut;
}

/* ---- slots ---- */

/* What hangs directly below a divided node has slots that follow one another. */
static void give_slots(hsgd_engine *engine)
{
    hsgd_split *split = engine->split;
    size_t next = 0;
    for (size_t i = 0; i < engine->num_splits; i++) {
        size_t v = i + 1;
        split[i].first_slot = next;
        for (size_t unit = split[i].first_unit; unit < split[i].end_unit; next++) {
            while (v < engine->num_splits && split[v].parent != i)
                v++;
            if (v < engine->num_splits && split[v].first_unit == unit) {
                split[v].slot = next;
                unit = split[v++].end_unit;
            } else
                engine->unit[unit++].slot = next;
        }
        split[i].end_slot = next;
    }
}

void hsgd_cut_make(hsgd_engine *engine, const hsgd_cut *cut)
{
    cut_at(engine->hierarchy, cut->depth, engine->unit, engine->split);
    give_slots(engine);
}
