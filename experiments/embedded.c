/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers rather than string constants, which C11 lets be too short for these. */
#include "experiments/embedded_private.h"

const char hsgd_embedded_demo[] = {
#include "demo_bytes.h"
    0};

const char hsgd_embedded_schema[] = {
#include "schema_bytes.h"
    0};

const char hsgd_embedded_results_schema[] = {
#include "results_schema_bytes.h"
    0};

const char hsgd_embedded_report_css[] = {
#include "report_bytes.h"
    0};
