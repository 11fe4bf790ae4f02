/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/plot_kind_private.h"

#include "experiments/hunt.h"
#include "experiments/pep_curves_private.h"
#include "experiments/phase_private.h"
#include "experiments/plan_private.h"
#include "experiments/rate_private.h"
#include "experiments/sweep_private.h"
#include "experiments/train_private.h"

typedef hsgd_status plot_function(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                                  hsgd_error *err);

static plot_function *const plot[HSGD_NUM_FOLDER_KINDS + 1] = {
    [HSGD_FOLDER_RUN] = hsgd_folder_plot,       [HSGD_FOLDER_SWEEP] = hsgd_sweep_plot,
    [HSGD_FOLDER_PHASE] = hsgd_phase_plot,      [HSGD_FOLDER_RATE] = hsgd_rate_plot,
    [HSGD_FOLDER_HUNT] = hsgd_hunt_plot,        [HSGD_FOLDER_PLAN] = hsgd_plan_plot,
    [HSGD_FOLDER_TRAIN] = hsgd_train_plot,      [HSGD_FOLDER_PEP] = hsgd_pep_plot,
    [HSGD_NUM_FOLDER_KINDS] = hsgd_folder_plot,
};

hsgd_status hsgd_plot_kind(const char *dir, hsgd_folder_kind kind, const hsgd_style_change *change,
                           hsgd_figure_report *report, hsgd_error *err)
{
    return plot[kind](dir, change, report, err);
}
