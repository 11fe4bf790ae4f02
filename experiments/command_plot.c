/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd plot: figures of a result folder. */
#include "experiments/cli_private.h"

#include <stdio.h>

#include "experiments/folder.h"
#include "experiments/plot_kind_private.h"

static const hsgd_option options[] = {HSGD_STYLE_OPTIONS};

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    hsgd_figure_report report;
    hsgd_style_change change;
    if (hsgd_cli_style(&change, arguments, &err)) /* before anything is read or locked */
        return hsgd_cli_fail(&err);
    int lock;
    if (hsgd_folder_lock(&lock, arguments->positional, &err))
        return hsgd_cli_fail(&err);
    hsgd_folder_sweep(arguments->positional);
    hsgd_status status =
        hsgd_plot_kind(arguments->positional, hsgd_folder_kind_of(arguments->positional), &change, &report, &err);
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
    .num_options = HSGD_NUM_STYLE_OPTIONS,
    .run = run,
};
