/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/constants.h"

const char *hsgd_constant_kind_name(hsgd_constant_kind kind)
{
    static const char *const name[] = {[HSGD_EXACT] = "exact",
                                       [HSGD_CERTIFIED] = "certified",
                                       [HSGD_TRAJECTORY] = "trajectory",
                                       [HSGD_ESTIMATE] = "estimate"};
    return name[kind];
}
