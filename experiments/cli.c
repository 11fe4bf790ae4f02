/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/cli_private.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_errno.h>

#include "experiments/out_of_memory_private.h"
#include "experiments/ranks.h"
#include "experiments/style_private.h"
#include "experiments/sweep_private.h"

static const hsgd_command *const commands[] = {
    &hsgd_command_run,   &hsgd_command_verify, &hsgd_command_bound,  &hsgd_command_sandwich,
    &hsgd_command_exact, &hsgd_command_plot,   &hsgd_command_report, &hsgd_command_sweep,
    &hsgd_command_phase, &hsgd_command_rate,   &hsgd_command_hunt,   &hsgd_command_plan,
    &hsgd_command_train, &hsgd_command_pep,    &hsgd_command_check,  &hsgd_command_diff};
enum { NUM_COMMANDS = sizeof commands / sizeof *commands };

/* ---- messages and numbers ---- */

int hsgd_cli_fail(const hsgd_error *err)
{
    if (!hsgd_ranks_speak())
        return HSGD_EXIT_OK; /* mpirun ends all as soon as one fails: the first process has to speak before */
    fprintf(stderr, "hsgd: %s\n", err->message);
    return err->status == HSGD_ERROR_INPUT ? HSGD_EXIT_USAGE
           : err->status == HSGD_STOPPED   ? HSGD_EXIT_INCONCLUSIVE
                                           : HSGD_EXIT_ENVIRONMENT;
}

int hsgd_cli_finish(int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    if (!errno) { /* it failed before, and fails again for the same reason */
        putchar('\n');
        fflush(stdout);
    }
    fprintf(stderr, "hsgd: standard output cannot be written: %s\n", strerror(errno ? errno : ENOSPC));
    return HSGD_EXIT_ENVIRONMENT;
}

static bool goes_without_saying(const char *file)
{
    return strstr(file, ".gp") || strstr(file, ".dat") || strstr(file, ".caption");
}

void hsgd_cli_print_files(const char *dir, const char *files, const hsgd_figure_report *report, const char *ending)
{
    for (size_t i = 0; i < report->num_notes; i++)
        printf("  %s\n", report->note[i]);
    printf("\n  in %s: %s", dir, files);
    for (size_t i = 0; i < report->num_files; i++)
        if (!goes_without_saying(report->file[i]))
            printf(", %s", report->file[i]);
    puts(ending);
}

hsgd_status hsgd_cli_counts(const char *text, const char *option, size_t low, size_t high, size_t *out,
                            size_t max_length, size_t *length, hsgd_error *err)
{
    const char *rest = text;
    for (*length = 0; *length < max_length; rest++) {
        if (*rest < '0' || *rest > '9') /* strtoull would take blanks and signs */
            break;
        char *end;
        errno = 0;
        unsigned long long value = strtoull(rest, &end, 10);
        if (errno || value < low || value > high || (*end && *end != ','))
            break;
        out[(*length)++] = (size_t)value;
        if (!*end)
            return HSGD_OK;
        rest = end;
    }
    return hsgd_fail(err, HSGD_ERROR_INPUT, "--%s: \"%s\" is not %s from %zu to %zu", option, text,
                     max_length == 1 ? "a whole number" : "a list like 8,8 of whole numbers", low, high);
}

hsgd_status hsgd_cli_count(const char *text, const char *option, size_t low, size_t high, size_t *out, hsgd_error *err)
{
    size_t length;
    return hsgd_cli_counts(text, option, low, high, out, 1, &length, err);
}

hsgd_status hsgd_cli_seconds(const char *text, const char *option, double *out, hsgd_error *err)
{
    const double high = 1e9; /* thirty years */
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    bool plain = *text && strspn(text, "0123456789.e+-") == strlen(text); /* no blanks, "inf" or hexadecimal digits */
    if (errno || !plain || *end || !(value >= 0) || !(value <= high))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "--%s: \"%s\" is not a number of seconds from 0 to %g", option, text,
                         high);
    *out = value;
    return HSGD_OK;
}

hsgd_status hsgd_cli_style(hsgd_style_change *out, const hsgd_arguments *arguments, hsgd_error *err)
{
    hsgd_figure_style style = hsgd_figure_default_style();
    *out = (hsgd_style_change){.format = arguments->option[HSGD_STYLE_OPTION_FORMAT],
                               .width = arguments->option[HSGD_STYLE_OPTION_WIDTH],
                               .band = arguments->option[HSGD_STYLE_OPTION_BAND],
                               .no_title = arguments->option[HSGD_STYLE_OPTION_NO_TITLE] != NULL};
    return hsgd_style_apply(&style, out, err);
}

static void print_quoted(const char *text, FILE *stream)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./,:=+@%";
    bool quoted = !*text || strspn(text, plain) != strlen(text);
    fputs(quoted ? " '" : " ", stream);
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", stream);
        else
            putc(*text, stream);
    fputs(quoted ? "'" : "", stream);
}

void hsgd_cli_print_again(const hsgd_arguments *arguments, size_t added, FILE *stream)
{
    const hsgd_command *command = arguments->command;
    fprintf(stream, "%s %s", program_invocation_name, command->name);
    if (arguments->positional)
        print_quoted(arguments->positional, stream);
    for (size_t i = 0; i < command->num_options; i++) {
        if (!arguments->option[i] && i != added)
            continue;
        fprintf(stream, " --%s", command->option[i].name);
        if (command->option[i].argument)
            print_quoted(arguments->option[i], stream);
    }
    putc('\n', stream);
}

/* ---- help ---- */

enum { ABOUT_HELP, ABOUT_VERSION, ABOUT_MAN_PAGE, ABOUT_COMPLETION, NUM_ABOUT };
static const hsgd_program_option about[NUM_ABOUT] = {
    [ABOUT_HELP] = {"--help", "print this help"},
    [ABOUT_VERSION] = {"--version", "print the version"},
    [ABOUT_MAN_PAGE] = {"--man-page", "print the manual page: man -l FILE shows it"},
    [ABOUT_COMPLETION] = {"--bash-completion", "print the completion for bash: source FILE turns it on"},
};

static const char *const exit_codes[] = {
    [HSGD_EXIT_OK] = "done, and nothing is violated",
    [HSGD_EXIT_VIOLATED] = "a check is violated",
    [HSGD_EXIT_USAGE] = "usage or bad input",
    [HSGD_EXIT_INCONCLUSIVE] = "inconclusive, or stopped before there was a verdict",
    [HSGD_EXIT_ENVIRONMENT] = "the environment failed: disk, gnuplot, memory",
};

static const hsgd_program the_program = {.command = commands,
                                         .num_commands = NUM_COMMANDS,
                                         .option = about,
                                         .num_options = NUM_ABOUT,
                                         .exit_code = exit_codes,
                                         .num_exit_codes = sizeof exit_codes / sizeof *exit_codes};

static void print_help(void)
{
    puts("hsgd verifies the convergence theory of hierarchical SGD.\n\nUsage:");
    for (size_t i = 0; i < NUM_COMMANDS; i++) {
        char line[128];
        snprintf(line, sizeof line, "hsgd %s %s", commands[i]->name,
                 commands[i]->positional ? commands[i]->positional : "");
        printf("  %-28s %s\n", line, commands[i]->summary);
    }
    printf("  %-28s %s\n", "hsgd COMMAND --help", "options of a command");
    for (size_t i = 0; i < NUM_ABOUT; i++)
        printf("  hsgd %-23s %s\n", about[i].name, about[i].help);
    puts("\nExit codes:");
    for (size_t i = 0; i < the_program.num_exit_codes; i++)
        printf("  %zu  %s\n", i, exit_codes[i]);
}

/* What is too long for the column has its help on the next line. */
static void print_option(const hsgd_option *option)
{
    enum { COLUMN = 22 };
    int width = printf("\n  --%s %s", option->name, option->argument ? option->argument : "") - 3;
    printf(width <= COLUMN ? "%*s %s" : "\n%*s %s", width <= COLUMN ? COLUMN - width : COLUMN + 2, "", option->help);
}

static void print_command_help(const hsgd_command *command)
{
    printf("Usage: hsgd %s%s%s", command->name, command->positional ? " " : "",
           command->positional ? command->positional : "");
    for (size_t i = 0; i < command->num_options; i++)
        printf(" [--%s%s%s]", command->option[i].name, command->option[i].argument ? " " : "",
               command->option[i].argument ? command->option[i].argument : "");
    printf("\n\n%s\n%s%s", command->summary, command->details, *command->details ? "\n" : "");
    for (size_t i = 0; i < command->num_options; i++)
        print_option(&command->option[i]);
    puts(command->num_options ? "" : "  (no options)");
}

static int run_about(size_t index)
{
    hsgd_error err;
    if (index == ABOUT_HELP)
        print_help();
    else if (index == ABOUT_VERSION)
        puts("hsgd " HSGD_VERSION);
    else if (index == ABOUT_COMPLETION)
        hsgd_completion_print(&the_program, stdout);
    else if (hsgd_manual_print(&the_program, stdout, &err))
        return hsgd_cli_fail(&err);
    return hsgd_cli_finish(HSGD_EXIT_OK);
}

/* ---- arguments ---- */

/* Where the help lists words, one of them must stand. */
static hsgd_status check_word(const hsgd_option *option, const char *argument, hsgd_error *err)
{
    char words[256];
    if (hsgd_argument_kind_of(option->argument) != HSGD_ARGUMENT_WORD)
        return HSGD_OK;
    for (const char *word = option->argument; *word; word += *word == '|') {
        size_t length = strcspn(word, "|");
        if (strlen(argument) == length && strncmp(word, argument, length) == 0)
            return HSGD_OK;
        word += length;
    }
    hsgd_argument_words(words, sizeof words, option->argument, ", ", " or ");
    return hsgd_fail(err, HSGD_ERROR_INPUT, "--%s: \"%s\" is not %s", option->name, argument, words);
}

static hsgd_status set_option(hsgd_arguments *out, const hsgd_command *command, size_t index, const char *argument,
                              hsgd_error *err)
{
    if (out->option[index])
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: --%s stands twice", command->name, command->option[index].name);
    hsgd_status status = check_word(&command->option[index], argument, err);
    if (status)
        return status;
    out->option[index] = argument ? argument : "";
    return HSGD_OK;
}

/* getopt's table for a command: its options, then --help. */
static void fill_long_options(struct option *out, const hsgd_command *command)
{
    memset(out, 0, (HSGD_MAX_OPTIONS + 2) * sizeof *out);
    for (size_t i = 0; i < command->num_options; i++)
        out[i] = (struct option){command->option[i].name, command->option[i].argument ? required_argument : no_argument,
                                 NULL, (int)i + 1};
    out[command->num_options] = (struct option){"help", no_argument, NULL, 'h'};
}

/* The argument that getopt did not know. Of a cluster of letters like -xyz it has not left the argument behind yet. */
static const char *unknown_option(int argc, char **argv)
{
    bool inside = optopt && optind < argc && argv[optind][0] == '-' && strchr(argv[optind] + 1, optopt);
    return argv[inside ? optind : optind - 1];
}

/* What is left when the options are gone: "DIR1 DIR2" stands for two. */
static hsgd_status take_positionals(hsgd_arguments *out, bool help, int given, char **argument, hsgd_error *err)
{
    const hsgd_command *command = out->command;
    const char *second = command->positional ? strchr(command->positional, ' ') : NULL;
    int taken = !command->positional ? 0 : second ? 2 : 1;
    if (given > taken)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: unexpected argument \"%s\"; see hsgd %s --help", command->name,
                         argument[given - 1], command->name);
    out->positional = given > 0 ? argument[0] : NULL;
    out->second = given > 1 ? argument[1] : NULL;
    if (given < taken && !help && *command->positional != '[')
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: %s is missing; see hsgd %s --help", command->name,
                         given ? second + 1 : command->positional, command->name);
    return HSGD_OK;
}

static hsgd_status parse(hsgd_arguments *out, bool *help, const hsgd_command *command, int argc, char **argv,
                         hsgd_error *err)
{
    struct option table[HSGD_MAX_OPTIONS + 2];
    fill_long_options(table, command);
    *out = (hsgd_arguments){.command = command};
    *help = false;
    optind = 0; /* restart GNU getopt */
    opterr = 0;
    for (;;) {
        int choice = getopt_long(argc, argv, ":h", table, NULL);
        hsgd_status status = HSGD_OK;
        if (choice == -1)
            break;
        if (choice == 'h')
            *help = true;
        else if (choice == ':')
            status = hsgd_fail(err, HSGD_ERROR_INPUT, "%s: %s needs an argument; see hsgd %s --help", command->name,
                               argv[optind - 1], command->name);
        else if (choice == '?')
            status = hsgd_fail(err, HSGD_ERROR_INPUT, "%s: unknown option %s; see hsgd %s --help", command->name,
                               unknown_option(argc, argv), command->name);
        else
            status = set_option(out, command, (size_t)choice - 1, optarg, err);
        if (status)
            return status;
    }
    return take_positionals(out, *help, argc - optind, argv + optind, err);
}

/* They would all do the same, and write the same files. */
static int refuse_ranks(const hsgd_command *command)
{
    hsgd_error err;
    char legal[128] = "";
    for (size_t i = 0; i < NUM_COMMANDS; i++)
        if (commands[i]->shares) {
            size_t length = strlen(legal);
            snprintf(legal + length, sizeof legal - length, "%s%s", length ? ", " : "", commands[i]->name);
        }
    hsgd_fail(&err, HSGD_ERROR_INPUT, "%s: %d processes were started, which share no work of it, only of %s; start one",
              command->name, hsgd_ranks_started(), legal);
    return hsgd_cli_fail(&err);
}

static int run_command(const hsgd_command *command, int argc, char **argv)
{
    hsgd_arguments arguments;
    hsgd_error err;
    bool help;
    if (parse(&arguments, &help, command, argc, argv, &err))
        return hsgd_cli_fail(&err);
    if (!help && !command->shares && hsgd_ranks_started() > 1)
        return refuse_ranks(command);
    if (!help)
        return command->run(&arguments);
    if (hsgd_ranks_speak())
        print_command_help(command);
    return hsgd_cli_finish(HSGD_EXIT_OK);
}

static int refuse_command(const char *word)
{
    char legal[512] = "";
    for (size_t i = 0; i < NUM_COMMANDS + NUM_ABOUT; i++) {
        const char *name = i < NUM_COMMANDS ? commands[i]->name : about[i - NUM_COMMANDS].name;
        size_t length = strlen(legal);
        snprintf(legal + length, sizeof legal - length, "%s%s", i ? ", " : "", name);
    }
    hsgd_error err;
    hsgd_fail(&err, HSGD_ERROR_INPUT, "\"%s\" is not a command; legal are %s", word, legal);
    return hsgd_cli_fail(&err);
}

static int run_program(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < NUM_COMMANDS; i++)
        if (strcmp(word, commands[i]->name) == 0)
            return run_command(commands[i], argc - 1, argv + 1);
    for (size_t i = 0; i < NUM_ABOUT; i++)
        if (strcmp(word, about[i].name) == 0)
            return run_about(i);
    if (strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
        return run_about(ABOUT_HELP);
    return refuse_command(word);
}

int hsgd_cli(int argc, char **argv)
{
    hsgd_out_of_memory_prepare();
    gsl_set_error_handler_off();
    hsgd_sweep_follow_parent();
    int code = run_program(argc, argv);
    hsgd_out_of_memory_done();
    return code;
}
