/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/embedded_private.h"

const char hsgd_embedded_demo[] =
#include "demo_json.h"
    ;

/* Too long for a string constant of C11. */
const char hsgd_embedded_schema[] = {
#include "schema_json.h"
};
const size_t hsgd_embedded_schema_size = sizeof hsgd_embedded_schema;
