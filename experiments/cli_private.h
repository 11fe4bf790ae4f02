/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands share: one option table per command, which both --help and the parser read. */
#ifndef HSGD_EXPERIMENTS_CLI_PRIVATE_H
#define HSGD_EXPERIMENTS_CLI_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"
#include "experiments/cli.h"

typedef struct hsgd_option {
    const char *name;     /* without the dashes */
    const char *argument; /* what stands for its argument in the help; NULL: a switch */
    const char *help;
} hsgd_option;

enum { HSGD_MAX_OPTIONS = 8 };

/* Parsed arguments of one command. */
typedef struct hsgd_arguments {
    const char *positional; /* NULL: not given */
    /* by index of the command's table: its argument, "" for a switch, NULL: absent */
    const char *option[HSGD_MAX_OPTIONS];
} hsgd_arguments;

typedef struct hsgd_command {
    const char *name;
    const char *positional;    /* what stands for it in the help, in brackets when optional; NULL: takes none */
    const char *summary;       /* one line */
    const char *details;       /* paragraph for --help; may be "" */
    const hsgd_option *option; /* (num_options) */
    size_t num_options;
    int (*run)(const hsgd_arguments *arguments);
} hsgd_command;

extern const hsgd_command hsgd_command_run, hsgd_command_verify, hsgd_command_bound, hsgd_command_sandwich,
    hsgd_command_exact, hsgd_command_plot, hsgd_command_sweep;

/* Print "hsgd: MESSAGE" on standard error and return the exit code of the status. */
int hsgd_cli_fail(const hsgd_error *err);

/* Flush standard output; an exit code of its own if that fails, else `code`. */
int hsgd_cli_finish(int code);

/* A whole number, or a comma-separated list of them, from an option's argument. */
hsgd_status hsgd_cli_count(const char *text, const char *option, size_t low, size_t high, size_t *out, hsgd_error *err);
hsgd_status hsgd_cli_counts(const char *text, const char *option, size_t low, size_t high, size_t *out,
                            size_t max_length, size_t *length, hsgd_error *err);

#endif
