/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd plot: figures of a result folder. */
#include "experiments/cli_private.h"

#include <stdio.h>

#include "experiments/folder.h"
#include "experiments/sweep_private.h"

enum { OPTION_FORMAT, NUM_OPTIONS };

static const hsgd_option options[NUM_OPTIONS] = {
    [OPTION_FORMAT] = {"format", "pdf|svg|png|tex", "format of the figures (default: pdf; tex is cairolatex)"}};

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    hsgd_figure_report report;
    hsgd_figure_style style = hsgd_figure_default_style();
    const char *name = arguments->option[OPTION_FORMAT];
    if (name && hsgd_figure_format_parse(name, &style.format)) {
        hsgd_fail(&err, HSGD_ERROR_INPUT, "--format: \"%s\" is not pdf, svg, png or tex", name);
        return hsgd_cli_fail(&err);
    }
    int lock;
    if (hsgd_folder_lock(&lock, arguments->positional, &err))
        return hsgd_cli_fail(&err);
    hsgd_status status = hsgd_sweep_is_folder(arguments->positional)
                             ? hsgd_sweep_plot(arguments->positional, &style, &report, &err)
                             : hsgd_folder_plot(arguments->positional, &style, &report, &err);
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
    .details = "Reads result.json and series.csv of the folder, or sweep.json and the points of a sweep; writes a script, its\n"
               "data and the figure side by side.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
};
