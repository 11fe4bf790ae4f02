/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/embedded_private.h"

const char hsgd_embedded_demo[] =
#include "demo_json.h"
    ;

/* Longer than what every compiler must take; those that build this do. */
#pragma GCC diagnostic ignored "-Woverlength-strings"
const char hsgd_embedded_report_css[] =
#include "report_css.h"
    ;
