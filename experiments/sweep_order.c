/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In which order the points of a grid are run. */
#include "experiments/sweep.h"

#include <stdlib.h>

/* level (count): 0 for both ends, 1 for the middle between them, 2 for the middles of the halves, ... */
static void find_levels(size_t *level, size_t first, size_t last, size_t depth)
{
    if (last - first < 2)
        return;
    size_t middle = first + (last - first) / 2;
    level[middle] = depth;
    find_levels(level, first, middle, depth + 1);
    find_levels(level, middle, last, depth + 1);
}

/* How late a point comes: first by its finest coordinate, then by all of them, then by its place in the grid. */
typedef struct lateness {
    size_t largest, sum, index;
} lateness;

static int compare(const void *a, const void *b)
{
    const lateness *left = a, *right = b;
    if (left->largest != right->largest)
        return left->largest < right->largest ? -1 : 1;
    if (left->sum != right->sum)
        return left->sum < right->sum ? -1 : 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

hsgd_status hsgd_sweep_order(const hsgd_sweep *sweep, size_t *order, hsgd_error *err)
{
    size_t *level[HSGD_MAX_SWEEP_AXES] = {NULL};
    lateness *late = calloc(sweep->num_points, sizeof *late);
    bool complete = late != NULL;
    for (size_t a = 0; a < sweep->num_axes; a++) {
        level[a] = calloc(sweep->axis[a].num_values, sizeof *level[a]);
        complete = complete && level[a];
        if (level[a])
            find_levels(level[a], 0, sweep->axis[a].num_values - 1, 1);
    }
    for (size_t i = 0; complete && i < sweep->num_points; i++) {
        late[i].index = i;
        for (size_t a = 0; a < sweep->num_axes; a++) {
            size_t own = level[a][sweep->point[i].value[a]];
            late[i].largest = own > late[i].largest ? own : late[i].largest;
            late[i].sum += own;
        }
    }
    if (complete)
        qsort(late, sweep->num_points, sizeof *late, compare);
    for (size_t i = 0; complete && i < sweep->num_points; i++)
        order[i] = late[i].index;
    for (size_t a = 0; a < sweep->num_axes; a++)
        free(level[a]);
    free(late);
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the order of the points");
}
