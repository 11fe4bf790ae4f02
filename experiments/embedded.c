/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/embedded_private.h"

const char hsgd_embedded_demo[] =
#include "demo_json.h"
    ;
