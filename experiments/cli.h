/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The `hsgd` program behind main(): commands, options and exit codes of the Contract. */
#ifndef HSGD_EXPERIMENTS_CLI_H
#define HSGD_EXPERIMENTS_CLI_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_exit {
    HSGD_EXIT_OK = 0,           /* done and nothing violated */
    HSGD_EXIT_VIOLATED = 1,     /* a requested check is violated */
    HSGD_EXIT_USAGE = 2,        /* usage or bad input */
    HSGD_EXIT_INCONCLUSIVE = 3, /* no verdict where one was asked for */
    HSGD_EXIT_ENVIRONMENT = 4   /* disk, gnuplot, memory */
} hsgd_exit;

/* Run the program with main's arguments; returns its exit code. */
int hsgd_cli(int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
