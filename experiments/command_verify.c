/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd verify: the main job and every check, reported as a referee would want them. */
#include "experiments/run_private.h"

#include "experiments/report.h"

enum { OPTION_MARKDOWN = HSGD_NUM_RUN_OPTIONS, OPTION_LATEX, NUM_OPTIONS };

static const hsgd_option options[NUM_OPTIONS] = {
    HSGD_RUN_OPTIONS,
    [OPTION_MARKDOWN] = {"markdown", NULL, "print the report as Markdown tables"},
    [OPTION_LATEX] = {"latex", NULL, "print the report as LaTeX tables (needs the package booktabs)"},
};

static void print_text(const hsgd_experiment *experiment, FILE *stream)
{
    hsgd_report_print(experiment, HSGD_REPORT_TEXT, stream);
}

static void print_markdown(const hsgd_experiment *experiment, FILE *stream)
{
    hsgd_report_print(experiment, HSGD_REPORT_MARKDOWN, stream);
}

static void print_latex(const hsgd_experiment *experiment, FILE *stream)
{
    hsgd_report_print(experiment, HSGD_REPORT_LATEX, stream);
}

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    bool markdown = arguments->option[OPTION_MARKDOWN] != NULL, latex = arguments->option[OPTION_LATEX] != NULL;
    if (markdown && latex) {
        hsgd_fail(&err, HSGD_ERROR_INPUT, "--markdown and --latex: choose one");
        return hsgd_cli_fail(&err);
    }
    hsgd_run_manner manner = {.command = "verify",
                              .every_check = true,
                              .plain_output = markdown || latex,
                              .print = markdown ? print_markdown
                                       : latex  ? print_latex
                                                : print_text};
    return hsgd_run_main(arguments, &manner);
}

const hsgd_command hsgd_command_verify = {
    .name = "verify",
    .positional = "[CONFIG.json]",
    .summary = "run, and check every step of the proof, every assumption and the grouping lemma",
    .details = "The exit code speaks of all checks together: 1 if one is violated, otherwise 3 if one is inconclusive.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
    .shares = true,
};
