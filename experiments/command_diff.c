/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd diff: two result folders next to each other. */
#include "experiments/cli_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/diff_private.h"

enum { OPTION_TOLERANCE, OPTION_QUIET, NUM_OPTIONS };

static const hsgd_option options[NUM_OPTIONS] = {
    [OPTION_TOLERANCE] = {"tolerance", "REL", "numbers may differ by this, relative (default: 1e-9; 0: to the bit)"},
    [OPTION_QUIET] = {"quiet", NULL, "print only what differs"},
};

/* What processors of several kinds make of the same sums. */
static const double DEFAULT_TOLERANCE = 1e-9;

static hsgd_status read_tolerance(double *out, const char *text, hsgd_error *err)
{
    char *end;
    *out = DEFAULT_TOLERANCE;
    if (!text)
        return HSGD_OK;
    errno = 0;
    *out = strtod(text, &end);
    bool plain = *text && strspn(text, "0123456789.e+-") == strlen(text); /* no blanks, "inf" or hexadecimal digits */
    return plain && !errno && !*end && *out >= 0 && *out <= 1
               ? HSGD_OK
               : hsgd_fail(err, HSGD_ERROR_INPUT, "--tolerance: \"%s\" is not a number from 0 to 1", text);
}

static const char *const word[HSGD_NUM_OUTCOMES] = {
    [HSGD_DIFF_AGREES] = "agrees", [HSGD_DIFF_DIFFERS] = "DIFFERS", [HSGD_DIFF_NOTE] = "note"};

/* What it comes to. */
static const char *conclusion(const hsgd_diff *diff)
{
    if (diff->findings.count[HSGD_DIFF_DIFFERS])
        return diff->by_chance ? "they differ by more than chance" : "they differ";
    if (!diff->by_chance)
        return "they agree";
    return diff->undecided ? "the seeds differ, and without intervals nothing can be said"
                           : "the seeds differ; they agree as far as chance allows to see";
}

static void print_table(const hsgd_diff *diff, bool quiet)
{
    if (!quiet)
        printf("%s | %s: each holds %s\n\n", diff->dir[0], diff->dir[1], hsgd_folder_content(diff->kind));
    hsgd_findings_print(&diff->findings, word, quiet ? HSGD_DIFF_DIFFERS : -1, stdout);
    if (!quiet)
        printf("\n  %s (tolerance %g)\n", conclusion(diff), diff->tolerance);
}

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    hsgd_diff diff;
    double tolerance;
    if (read_tolerance(&tolerance, arguments->option[OPTION_TOLERANCE], &err))
        return hsgd_cli_fail(&err);
    hsgd_status status = hsgd_diff_folders(&diff, arguments->positional, arguments->second, tolerance, &err);
    if (!status)
        print_table(&diff, arguments->option[OPTION_QUIET] != NULL);
    int code = status                                   ? hsgd_cli_fail(&err)
               : diff.findings.count[HSGD_DIFF_DIFFERS] ? HSGD_EXIT_VIOLATED
               : diff.undecided                         ? HSGD_EXIT_INCONCLUSIVE
                                                        : HSGD_EXIT_OK;
    hsgd_diff_free(&diff);
    return hsgd_cli_finish(code);
}

const hsgd_command hsgd_command_diff = {
    .name = "diff",
    .positional = "DIR1 DIR2",
    .summary = "compare two result folders: configuration, provenance, every number",
    .details =
        "Numbers agree that differ by no more than the tolerance times the larger one, and in a column of a CSV file\n"
        "times its largest number. Where only seeds can make them differ, means of S are compared by their intervals\n"
        "instead. Exit code 1: they differ; 3: the seeds differ, and one run has no interval.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
};
