/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/objective.h"

#include <string.h>

void hsgd_objective_free(hsgd_objective *objective)
{
    if (!objective)
        return;
    if (objective->type && objective->type->free)
        objective->type->free(objective->state);
    memset(objective, 0, sizeof *objective);
}
