/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd report: a result folder as one page. */
#include "experiments/cli_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "experiments/folder.h"
#include "experiments/page.h"

enum { OPTION_OUTPUT, NUM_OPTIONS };

static const hsgd_option options[NUM_OPTIONS] = {
    [OPTION_OUTPUT] = {"output", "FILE", "the page (default: DIR/report.html)"}};

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    const char *dir = arguments->positional, *output = arguments->option[OPTION_OUTPUT];
    char *file = NULL;
    int lock;
    if (output && !*output) {
        hsgd_fail(&err, HSGD_ERROR_INPUT, "--output: \"\" is not the name of a file");
        return hsgd_cli_fail(&err);
    }
    if (asprintf(&file, "%s%s", output ? output : dir, output ? "" : "/report.html") < 0) {
        hsgd_fail_memory(&err, "a path");
        return hsgd_cli_fail(&err);
    }
    hsgd_folder_kind kind = hsgd_folder_kind_of(dir);
    bool has_page = kind == HSGD_FOLDER_RUN || kind == HSGD_FOLDER_SWEEP || kind == HSGD_NUM_FOLDER_KINDS;
    hsgd_status status = has_page ? hsgd_folder_lock(&lock, dir, &err)
                                  : hsgd_fail(&err, HSGD_ERROR_INPUT, "%s: %s has no page; hsgd plot draws its figure",
                                              dir, hsgd_folder_content(kind));
    if (!status) {
        hsgd_folder_sweep(dir);
        status = hsgd_report_page(dir, file, &err);
        hsgd_folder_unlock(lock);
    }
    if (!status)
        puts(file);
    free(file);
    return status ? hsgd_cli_fail(&err) : hsgd_cli_finish(HSGD_EXIT_OK);
}

const hsgd_command hsgd_command_report = {
    .name = "report",
    .positional = "DIR",
    .summary = "one HTML page with everything in a result folder",
    .details = "Reads the folder that hsgd run, hsgd verify or hsgd sweep wrote. The page is one file: figures are "
               "inside, nothing "
               "is loaded.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
};
