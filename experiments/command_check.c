/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd check: is a result folder what its document says? */
#include "experiments/cli_private.h"

#include "experiments/check_private.h"

enum { OPTION_REQUIRE_DATA = HSGD_NUM_STYLE_OPTIONS, OPTION_QUIET, NUM_OPTIONS };

static const hsgd_option options[NUM_OPTIONS] = {
    HSGD_STYLE_OPTIONS,
    [OPTION_REQUIRE_DATA] = {"require-data", NULL, "a data file that is not on this machine is a failure"},
    [OPTION_QUIET] = {"quiet", NULL, "print only what does not hold"},
};

static const char *const word[HSGD_NUM_OUTCOMES] = {
    [HSGD_CHECK_HOLDS] = "holds", [HSGD_CHECK_FAILS] = "FAILS", [HSGD_CHECK_NOT_CHECKED] = "not checked"};

static void print_table(const hsgd_check *check, bool quiet)
{
    const size_t *count = check->findings.count;
    if (!quiet)
        printf("%s: %s\n\n", check->dir, hsgd_folder_content(check->kind));
    hsgd_findings_print(&check->findings, word, quiet ? HSGD_CHECK_FAILS : -1, stdout);
    if (!quiet)
        printf("\n  %zu hold, %zu fail%s, %zu not checked\n", count[HSGD_CHECK_HOLDS], count[HSGD_CHECK_FAILS],
               count[HSGD_CHECK_FAILS] == 1 ? "s" : "", count[HSGD_CHECK_NOT_CHECKED]);
}

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    hsgd_check check;
    hsgd_style_change change;
    if (hsgd_cli_style(&change, arguments, &err))
        return hsgd_cli_fail(&err);
    int lock; /* nobody may write meanwhile */
    if (hsgd_folder_lock(&lock, arguments->positional, &err))
        return hsgd_cli_fail(&err);
    hsgd_status status =
        hsgd_check_folder(&check, arguments->positional, arguments->option[OPTION_REQUIRE_DATA] != NULL, &change, &err);
    hsgd_folder_unlock(lock);
    if (!status)
        print_table(&check, arguments->option[OPTION_QUIET] != NULL);
    int code = status                                   ? hsgd_cli_fail(&err)
               : check.findings.count[HSGD_CHECK_FAILS] ? HSGD_EXIT_VIOLATED
                                                        : HSGD_EXIT_OK;
    hsgd_check_free(&check);
    return hsgd_cli_finish(code);
}

const hsgd_command hsgd_command_check = {
    .name = "check",
    .positional = "DIR",
    .summary = "check a result folder: checksums, schema, identities, figures",
    .details =
        "Finds again what the folder says of itself: checksums of its files and of the data, the hash of the\n"
        "configuration, the schema of its document, sums, means, intervals and verdicts, and the figures, which are\n"
        "made again in another folder. The options of style are those that hsgd plot had. Exit code 1: something\n"
        "does not hold.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
};
