/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eight coordinates of all workers, then the next eight: h, and a point that they share, stay in registers. */
#include "analysis/quadratic_private.h"

#include "analysis/objective.h"

/* What a call asks for; constants where they are used, so that each case gets code of its own. */
typedef struct wishes {
    bool same_point, noise, loss;
} wishes;

HSGD_INLINE void gradients_of_eight(const hsgd_quadratic_rows *rows, hsgd_sum8 *loss, wishes want, size_t at,
                                    size_t count)
{
    const hsgd_sum8 h = hsgd_load8(rows->curvature + at, count);
    hsgd_sum8 w = hsgd_load8(rows->point[0] + at, count), noise, out;
    for (size_t j = 0; j < rows->count; j++) {
        const hsgd_sum8 b = hsgd_load8(rows->linear + rows->worker[j] * rows->dim + at, count);
        if (!want.same_point)
            w = hsgd_load8(rows->point[j * rows->point_stride] + at, count);
        if (want.noise)
            noise = hsgd_load8(rows->noise + j * rows->dim + at, count);
        HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
        {
            hsgd_vd curved = h.part[p] * w.part[p];
            out.part[p] = curved - b.part[p];
            if (want.noise)
                out.part[p] += noise.part[p];
            if (want.loss)
                loss[j].part[p] += (0.5 * curved - b.part[p]) * w.part[p];
        }
        hsgd_store8(rows->grad + j * rows->grad_stride + at, &out, count);
    }
}

HSGD_INLINE void gradients_as_wished(const hsgd_quadratic_rows *rows, wishes want)
{
    hsgd_sum8 loss[HSGD_ROWS_AT_ONCE] = {{{{0}}}};
#define BODY(at, n) gradients_of_eight(rows, loss, want, at, n)
    HSGD_FOR_EIGHTS(BODY, rows->dim);
#undef BODY
    for (size_t j = 0; want.loss && j < rows->count; j++)
        rows->loss[j * rows->loss_stride] = hsgd_sum8_total(&loss[j]);
}

static void gradients(const hsgd_quadratic_rows *rows)
{
    if (rows->loss && rows->same_point)
        gradients_as_wished(rows, (wishes){.loss = true, .same_point = true});
    else if (rows->loss)
        gradients_as_wished(rows, (wishes){.loss = true});
    else if (rows->noise)
        gradients_as_wished(rows, (wishes){.noise = true});
    else if (rows->same_point)
        gradients_as_wished(rows, (wishes){.same_point = true});
    else
        gradients_as_wished(rows, (wishes){.loss = false});
}

const hsgd_quadratic_kernels HSGD_ON_PATH(hsgd_quadratic_kernels) = {gradients};
