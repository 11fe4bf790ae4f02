/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plug-in (plugin.h) as an objective. Where its record comes from, a shared object or the program itself, is the
 * caller's business. */
#ifndef HSGD_ANALYSIS_PLUGIN_OBJECTIVE_H
#define HSGD_ANALYSIS_PLUGIN_OBJECTIVE_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/error.h"
#include "analysis/objective.h"
#include "analysis/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Is this a record that can be used: a known version, all required functions, legal names? */
hsgd_status hsgd_plugin_verify(const hsgd_plugin_interface *plugin, hsgd_error *err);

/* The problem that the plug-in makes of these parameters. The record must have been verified; it and the code behind it
 * must outlive the objective, the parameters need not. */
hsgd_status hsgd_plugin_objective(hsgd_objective *out, const hsgd_plugin_interface *plugin,
                                  const hsgd_plugin_parameters *parameters, size_t num_workers, uint64_t seed,
                                  hsgd_error *err);

/* point (dim): where the plug-in begins; the origin if it does not say. */
void hsgd_plugin_initial(const hsgd_objective *objective, double *point);

/* Constants that the plug-in does not give are estimated around this point (dim), a copy of which is kept; the origin
 * until this is called. */
void hsgd_plugin_set_start(hsgd_objective *objective, const double *point);

/* Relative error of its losses from rounding, as hsgd_objective_check takes it; 0: the usual one. */
double hsgd_plugin_loss_rounding(const hsgd_objective *objective);

#ifdef __cplusplus
}
#endif

#endif
