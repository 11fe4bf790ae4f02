/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands share: one option table per command, from which come --help, the parser, the manual page and the
 * completion of bash. */
#ifndef HSGD_EXPERIMENTS_CLI_PRIVATE_H
#define HSGD_EXPERIMENTS_CLI_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "analysis/error.h"
#include "experiments/cli.h"
#include "experiments/folder.h"

typedef struct hsgd_option {
    const char *name;     /* without the dashes */
    const char *argument; /* what stands for its argument in the help, and says its kind (below); NULL: a switch */
    const char *help;
} hsgd_option;

enum { HSGD_MAX_OPTIONS = 20 };

/* Parsed arguments of one command. */
typedef struct hsgd_arguments {
    const struct hsgd_command *command;
    const char *positional; /* NULL: not given */
    const char *second;     /* the same of a command that takes two */
    /* by index of the command's table: its argument, "" for a switch, NULL: absent */
    const char *option[HSGD_MAX_OPTIONS];
} hsgd_arguments;

typedef struct hsgd_command {
    const char *name;
    const char
        *positional;     /* what stands for it in the help, in brackets when optional; "DIR1 DIR2": two; NULL: none */
    const char *summary; /* one line */
    const char *details; /* paragraph for --help; may be "" */
    const hsgd_option *option; /* (num_options) */
    size_t num_options;
    int (*run)(const hsgd_arguments *arguments);
    bool shares; /* several processes, started by mpirun, share its work */
} hsgd_command;

/* What an argument is, by what stands for it in the help. */
typedef enum hsgd_argument_kind {
    HSGD_ARGUMENT_NONE,   /* NULL */
    HSGD_ARGUMENT_TEXT,   /* K: a number, a list, any text */
    HSGD_ARGUMENT_WORD,   /* pdf|svg: one of these words; the parser takes no other */
    HSGD_ARGUMENT_NAMED,  /* neurips|WIDTH: one of these words, or any text in the place of what is in capitals */
    HSGD_ARGUMENT_FOLDER, /* DIR */
    HSGD_ARGUMENT_JSON    /* CONFIG.json: a file with this ending */
} hsgd_argument_kind;

/* The brackets of what is optional do not matter. */
hsgd_argument_kind hsgd_argument_kind_of(const char *argument);

/* The words of an argument, without what is in capitals, with `between` between them and `last` before the last one; out has size bytes. */
void hsgd_argument_words(char *out, size_t size, const char *argument, const char *between, const char *last);

/* What may stand in the place of a command. */
typedef struct hsgd_program_option {
    const char *name; /* with the dashes */
    const char *help;
} hsgd_program_option;

/* The whole program, for those who describe it. */
typedef struct hsgd_program {
    const hsgd_command *const *command; /* (num_commands) */
    size_t num_commands;
    const hsgd_program_option *option; /* (num_options) */
    size_t num_options;
    const char *const *exit_code; /* (num_exit_codes) what each says, from 0 */
    size_t num_exit_codes;
} hsgd_program;

/* Print the manual page, in the macros of man(7). */
hsgd_status hsgd_manual_print(const hsgd_program *program, FILE *stream, hsgd_error *err);

/* Print the completion, a script for bash. */
void hsgd_completion_print(const hsgd_program *program, FILE *stream);

extern const hsgd_command hsgd_command_run, hsgd_command_verify, hsgd_command_bound, hsgd_command_sandwich,
    hsgd_command_exact, hsgd_command_plot, hsgd_command_report, hsgd_command_sweep, hsgd_command_phase,
    hsgd_command_rate, hsgd_command_hunt, hsgd_command_plan, hsgd_command_train, hsgd_command_pep, hsgd_command_check,
    hsgd_command_diff;

/* The options of commands that draw, which begin their tables. */
enum {
    HSGD_STYLE_OPTION_FORMAT,
    HSGD_STYLE_OPTION_WIDTH,
    HSGD_STYLE_OPTION_BAND,
    HSGD_STYLE_OPTION_NO_TITLE,
    HSGD_NUM_STYLE_OPTIONS
};
#define HSGD_STYLE_OPTIONS                                                                                             \
    [HSGD_STYLE_OPTION_FORMAT] = {"format", "pdf|svg|png|tex|tikz", "format of the figures; tex is cairolatex"},       \
    [HSGD_STYLE_OPTION_WIDTH] = {"width", "ieee-column|ieee-page|neurips|INCHES",                                      \
                                 "printed width: 3.5, 7.16 or 5.5 inches, or as many"},                                \
    [HSGD_STYLE_OPTION_BAND] = {"band", "ci|se|sd|range|none",                                                         \
                                "bands: confidence interval, standard error, standard deviation, all seeds"},          \
    [HSGD_STYLE_OPTION_NO_TITLE] = {"no-title", NULL, "nothing above the panels: it is in the caption"}

/* What these options say; fails where one of them is not legal. */
hsgd_status hsgd_cli_style(hsgd_style_change *out, const hsgd_arguments *arguments, hsgd_error *err);

/* Print "hsgd: MESSAGE" on standard error and return the exit code of the status. Of several processes (ranks.h) only the first
 * one does so. */
int hsgd_cli_fail(const hsgd_error *err);

/* Flush standard output; an exit code of its own if that fails, else `code`. */
int hsgd_cli_finish(int code);

/* The last lines of a table: what could not be drawn, and "in DIR: FILES, FIGURES", then ending. Scripts, data and captions
 * go without saying. */
void hsgd_cli_print_files(const char *dir, const char *files, const hsgd_figure_report *report, const char *ending);

/* A whole number, or a comma-separated list of them, from an option's argument. */
hsgd_status hsgd_cli_count(const char *text, const char *option, size_t low, size_t high, size_t *out, hsgd_error *err);
/* A number of seconds, at least 0. */
hsgd_status hsgd_cli_seconds(const char *text, const char *option, double *out, hsgd_error *err);

/* The command line that these arguments stand for, in the quotes that a shell needs, with the switch `added` if it is not among
 * them; and the end of the line. */
void hsgd_cli_print_again(const hsgd_arguments *arguments, size_t added, FILE *stream);

hsgd_status hsgd_cli_counts(const char *text, const char *option, size_t low, size_t high, size_t *out,
                            size_t max_length, size_t *length, hsgd_error *err);

#endif
