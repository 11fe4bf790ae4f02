/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/cli_private.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <gsl/gsl_errno.h>

#include "experiments/sweep_private.h"

static const hsgd_command *const commands[] = {&hsgd_command_run,      &hsgd_command_verify, &hsgd_command_bound,
                                               &hsgd_command_sandwich, &hsgd_command_exact,  &hsgd_command_plot,
                                               &hsgd_command_sweep};
enum { NUM_COMMANDS = sizeof commands / sizeof *commands };

/* ---- messages and numbers ---- */

int hsgd_cli_fail(const hsgd_error *err)
{
    fprintf(stderr, "hsgd: %s\n", err->message);
    return err->status == HSGD_ERROR_INPUT ? HSGD_EXIT_USAGE : HSGD_EXIT_ENVIRONMENT;
}

int hsgd_cli_finish(int code)
{
    /* A write that failed earlier leaves no errno behind; a full disk is the usual reason. */
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "hsgd: standard output cannot be written: %s\n", strerror(errno ? errno : ENOSPC));
    return HSGD_EXIT_ENVIRONMENT;
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

/* ---- help ---- */

static void print_help(void)
{
    puts("hsgd verifies the convergence theory of hierarchical SGD.\n\nUsage:");
    for (size_t i = 0; i < NUM_COMMANDS; i++) {
        char line[128];
        snprintf(line, sizeof line, "hsgd %s %s", commands[i]->name,
                 commands[i]->positional ? commands[i]->positional : "");
        printf("  %-28s %s\n", line, commands[i]->summary);
    }
    puts("  hsgd COMMAND --help          options of a command\n"
         "  hsgd --help, hsgd --version\n\n"
         "Exit codes: 0 nothing violated; 1 a check is violated; 2 usage or bad input; 3 inconclusive;\n"
         "4 failure of the environment (disk, gnuplot, memory).");
}

static void print_command_help(const hsgd_command *command)
{
    printf("Usage: hsgd %s%s%s", command->name, command->positional ? " " : "",
           command->positional ? command->positional : "");
    for (size_t i = 0; i < command->num_options; i++)
        printf(" [--%s%s%s]", command->option[i].name, command->option[i].argument ? " " : "",
               command->option[i].argument ? command->option[i].argument : "");
    printf("\n\n%s\n%s%s", command->summary, command->details, *command->details ? "\n" : "");
    for (size_t i = 0; i < command->num_options; i++) {
        char line[64];
        snprintf(line, sizeof line, "--%s %s", command->option[i].name,
                 command->option[i].argument ? command->option[i].argument : "");
        printf("\n  %-20s %s", line, command->option[i].help);
    }
    puts(command->num_options ? "" : "  (no options)");
}

/* ---- arguments ---- */

static hsgd_status set_option(hsgd_arguments *out, const hsgd_command *command, size_t index, const char *argument,
                              hsgd_error *err)
{
    if (out->option[index])
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: --%s stands twice", command->name, command->option[index].name);
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

static hsgd_status parse(hsgd_arguments *out, bool *help, const hsgd_command *command, int argc, char **argv,
                         hsgd_error *err)
{
    struct option table[HSGD_MAX_OPTIONS + 2];
    fill_long_options(table, command);
    *out = (hsgd_arguments){0};
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
    int given = argc - optind;
    if (given > (command->positional ? 1 : 0))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: unexpected argument \"%s\"; see hsgd %s --help", command->name,
                         argv[argc - 1], command->name);
    out->positional = given ? argv[optind] : NULL;
    if (!given && !*help && command->positional && *command->positional != '[')
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: %s is missing; see hsgd %s --help", command->name,
                         command->positional, command->name);
    return HSGD_OK;
}

static int run_command(const hsgd_command *command, int argc, char **argv)
{
    hsgd_arguments arguments;
    hsgd_error err;
    bool help;
    if (parse(&arguments, &help, command, argc, argv, &err))
        return hsgd_cli_fail(&err);
    if (!help)
        return command->run(&arguments);
    print_command_help(command);
    return hsgd_cli_finish(HSGD_EXIT_OK);
}

/* cJSON drops what it cannot allocate without a word; a result with holes is worse than none. */
static void *allocate_or_end(size_t size)
{
    void *memory = malloc(size);
    if (memory)
        return memory;
    fputs("hsgd: out of memory for a JSON document\n", stderr);
    exit(HSGD_EXIT_ENVIRONMENT);
}

int hsgd_cli(int argc, char **argv)
{
    cJSON_Hooks hooks = {allocate_or_end, free};
    cJSON_InitHooks(&hooks);
    gsl_set_error_handler_off();
    hsgd_sweep_follow_parent();
    const char *word = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < NUM_COMMANDS; i++)
        if (strcmp(word, commands[i]->name) == 0)
            return run_command(commands[i], argc - 1, argv + 1);
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help();
        return hsgd_cli_finish(HSGD_EXIT_OK);
    }
    if (strcmp(word, "--version") == 0) {
        puts("hsgd " HSGD_VERSION);
        return hsgd_cli_finish(HSGD_EXIT_OK);
    }
    hsgd_error err;
    hsgd_fail(&err, HSGD_ERROR_INPUT,
              "\"%s\" is not a command; legal are run, verify, bound, sandwich, exact, plot, sweep, --help, --version",
              word);
    return hsgd_cli_fail(&err);
}
