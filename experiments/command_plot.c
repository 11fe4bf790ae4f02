/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd plot: figures of a result folder. */
#include "experiments/cli_private.h"

#include <stdio.h>

#include "experiments/folder.h"
#include "experiments/hunt.h"
#include "experiments/pep_curves_private.h"
#include "experiments/phase_private.h"
#include "experiments/plan_private.h"
#include "experiments/rate_private.h"
#include "experiments/style_private.h"
#include "experiments/sweep_private.h"
#include "experiments/train_private.h"

enum { OPTION_FORMAT, OPTION_WIDTH, OPTION_BAND, OPTION_NO_TITLE, NUM_OPTIONS };

static const hsgd_option options[NUM_OPTIONS] = {
    [OPTION_FORMAT] = {"format", "pdf|svg|png|tex|tikz", "format of the figures; tex is cairolatex"},
    [OPTION_WIDTH] = {"width", "ieee-column|ieee-page|neurips|INCHES",
                      "printed width: 3.5, 7.16 or 5.5 inches, or as many"},
    [OPTION_BAND] = {"band", "ci|se|sd|range|none",
                     "bands: confidence interval, standard error, standard deviation, all seeds"},
    [OPTION_NO_TITLE] = {"no-title", NULL, "nothing above the panels: it is in the caption"}};

typedef hsgd_status plot_function(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                                  hsgd_error *err);

/* By the kind of the folder; one that holds nothing gets the message of hsgd_folder_plot. */
static plot_function *const plot[HSGD_NUM_FOLDER_KINDS + 1] = {
    [HSGD_FOLDER_RUN] = hsgd_folder_plot,       [HSGD_FOLDER_SWEEP] = hsgd_sweep_plot,
    [HSGD_FOLDER_PHASE] = hsgd_phase_plot,      [HSGD_FOLDER_RATE] = hsgd_rate_plot,
    [HSGD_FOLDER_HUNT] = hsgd_hunt_plot,        [HSGD_FOLDER_PLAN] = hsgd_plan_plot,
    [HSGD_FOLDER_TRAIN] = hsgd_train_plot,      [HSGD_FOLDER_PEP] = hsgd_pep_plot,
    [HSGD_NUM_FOLDER_KINDS] = hsgd_folder_plot,
};

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    hsgd_figure_report report;
    hsgd_style_change change = {arguments->option[OPTION_FORMAT], arguments->option[OPTION_WIDTH],
                                arguments->option[OPTION_BAND], arguments->option[OPTION_NO_TITLE] != NULL};
    hsgd_figure_style style = hsgd_figure_default_style();
    if (hsgd_style_apply(&style, &change, &err)) /* before anything is read or locked */
        return hsgd_cli_fail(&err);
    int lock;
    if (hsgd_folder_lock(&lock, arguments->positional, &err))
        return hsgd_cli_fail(&err);
    hsgd_status status =
        plot[hsgd_folder_kind_of(arguments->positional)](arguments->positional, &change, &report, &err);
    hsgd_folder_unlock(lock);
    if (status)
        return hsgd_cli_fail(&err);
    for (size_t i = 0; i < report.num_files; i++)
        printf("%s/%s\n", arguments->positional, report.file[i]);
    for (size_t i = 0; i < report.num_notes; i++)
        fprintf(stderr, "hsgd: note: %s\n", report.note[i]);
    return hsgd_cli_finish(HSGD_EXIT_OK);
}

const hsgd_command hsgd_command_plot = {
    .name = "plot",
    .positional = "DIR",
    .summary = "make the figures of a result folder again",
    .details =
        "Reads result.json and series.csv of the folder, or sweep.json and the points of a sweep, or the file\n"
        "COMMAND.json that another command left;\n"
        "writes a script, its data, the figure and "
        "its caption side by side. The style is that of the configuration's \"figure_style\" where no option is given.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
};
