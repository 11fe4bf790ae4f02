/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd.1: commands, options, figures, bounds and keys from the tables that the program itself uses; the rest in words. */
#include "experiments/manual_private.h"

#include <string.h>

#include "bounds/bound.h"
#include "experiments/cli_private.h"
#include "plots/figure.h"
#include "plots/sweep.h"

/* When the words of this file were last changed; a date of building would make two builds differ. */
#define MANUAL_DATE "2026-11-23"

static const char description[] =
    "In hierarchical SGD (H-SGD) workers average inside groups every I steps and globally every G steps, or over a "
    "tree "
    "with more levels. hsgd runs H-SGD on any hierarchy, measures at every step what the convergence theory talks "
    "about, "
    "evaluates the closed-form bounds next to it, and says with a confidence level whether each bound holds, how tight "
    "it is, and where the slack sits. It writes the figures as gnuplot scripts.";

/* ---- commands ---- */

static void put_synopsis(hsgd_manual *m, const hsgd_program *program)
{
    char name[64];
    for (size_t i = 0; i < program->num_commands; i++) {
        const hsgd_command *command = program->command[i];
        snprintf(name, sizeof name, "hsgd %s", command->name);
        hsgd_manual_usage(m, name, command->positional);
        hsgd_manual_macro(m, command->num_options ? "[\\fIoptions\\fR]\n.br" : ".br");
    }
    hsgd_manual_macro(m, "\\fBhsgd\\fR \\fIcommand\\fR \\fB\\-\\-help\\fR");
    for (size_t i = 0; i < program->num_options; i++) {
        hsgd_manual_macro(m, ".br");
        snprintf(name, sizeof name, "hsgd %s", program->option[i].name);
        hsgd_manual_usage(m, name, NULL);
    }
}

static void put_command(hsgd_manual *m, const hsgd_command *command)
{
    char title[64];
    snprintf(title, sizeof title, "hsgd %s%s%s", command->name, command->positional ? " " : "",
             command->positional ? command->positional : "");
    hsgd_manual_heading(m, ".SS", title);
    hsgd_manual_sentence(m, command->summary);
    if (*command->details)
        hsgd_manual_macro(m, ".PP");
    hsgd_manual_text(m, command->details);
    for (size_t i = 0; i < command->num_options; i++) {
        char name[64];
        snprintf(name, sizeof name, "--%s", command->option[i].name);
        hsgd_manual_tag(m, name, command->option[i].argument);
        hsgd_manual_sentence(m, command->option[i].help);
    }
}

static void put_commands(hsgd_manual *m, const hsgd_program *program)
{
    hsgd_manual_heading(m, ".SH", "COMMANDS");
    for (size_t i = 0; i < program->num_commands; i++)
        put_command(m, program->command[i]);
    hsgd_manual_heading(m, ".SS", "Without a command");
    for (size_t i = 0; i < program->num_options; i++) {
        hsgd_manual_tag(m, program->option[i].name, NULL);
        hsgd_manual_sentence(m, program->option[i].help);
    }
}

/* ---- what the program knows ---- */

static void put_name(hsgd_manual *m, const char *name, bool last)
{
    char text[64];
    snprintf(text, sizeof text, "%s%s", name, last ? "." : ",");
    hsgd_manual_literal(m, text);
}

static void put_figures(hsgd_manual *m)
{
    hsgd_manual_heading(m, ".SH", "FIGURES");
    hsgd_manual_text(
        m, "A figure NAME is a gnuplot script NAME.gp and its data NAME.dat beside the drawing. NAME is one of");
    for (size_t i = 0; i < hsgd_num_figures; i++)
        put_name(m, hsgd_figures[i]->name, i + 1 == hsgd_num_figures);
    hsgd_manual_text(m, "Of a sweep:");
    for (size_t i = 0; i < hsgd_num_sweep_figures; i++)
        put_name(m, hsgd_sweep_figures[i]->name, i + 1 == hsgd_num_sweep_figures);
    hsgd_manual_text(m, "Of a phase diagram:");
    put_name(m, "phase", true);
}

static void put_bounds(hsgd_manual *m)
{
    hsgd_manual_heading(m, ".SH", "BOUNDS");
    for (size_t i = 0; i < hsgd_num_bounds; i++) {
        char text[256];
        hsgd_manual_tag(m, hsgd_bounds[i]->id, NULL);
        snprintf(text, sizeof text, "%s, on %s: %s", hsgd_bounds[i]->title, hsgd_target_name(hsgd_bounds[i]->target),
                 hsgd_bounds[i]->citation);
        hsgd_manual_sentence(m, text);
    }
    hsgd_manual_text(m, "A configuration may have others: formulas of your own, in user_bounds.");
}

static void put_exit_status(hsgd_manual *m, const hsgd_program *program)
{
    hsgd_manual_heading(m, ".SH", "EXIT STATUS");
    for (size_t i = 0; i < program->num_exit_codes; i++) {
        char code[32];
        snprintf(code, sizeof code, "%zu", i);
        hsgd_manual_tag(m, code, NULL);
        hsgd_manual_sentence(m, program->exit_code[i]);
    }
    hsgd_manual_macro(m, ".PP");
    hsgd_manual_text(m, "Results go to standard output or files, messages to standard error.");
}

/* ---- in words ---- */

typedef struct entry {
    const char *tag, *text;
} entry;

static void put_entries(hsgd_manual *m, const char *heading, const entry *list, size_t count)
{
    hsgd_manual_heading(m, ".SH", heading);
    for (size_t i = 0; i < count; i++) {
        hsgd_manual_tag(m, list[i].tag, NULL);
        hsgd_manual_sentence(m, list[i].text);
    }
}

static const entry files[] = {
    {"results/NAME", "where a run puts its results when --output does not say otherwise; NAME is the name in the "
                     "configuration"},
    {"result.json",
     "of a result folder: constants with their kind, what was measured, with intervals, every bound with its "
     "terms and its verdict, the proof ladder, and the configuration"},
    {"series.csv", "one row per measured step"},
    {"phase.json, phase.csv", "of a phase diagram: every point with three values, their differences and the verdict"},
    {"sweep.json, sweep.csv", "of the folder of a sweep: the same for all its points, whose folders are in points"},
    {"rate.json, rate.csv", "of the folder of hsgd rate: the points, the fitted power law, and its comparison with the "
                            "theory; its figure is rate"},
    {"worst.json, hunt.json, hunt.csv",
     "of the folder of a hunt: the configuration of the worst problem, what was found, and the "
     "best ratios of every start; the figure is named hunt"},
    {"plan.json, plan.csv",
     "of the folder of a plan: the best plans and the Pareto front; plan-params.json is for hsgd bound, "
     "plan-best.json for hsgd run"},
    {"nodes.csv", "one row per inner node of the tree: its divergence and dispersion"},
    {"PREFIX/share/hsgd", "experiment files that were installed, and config.schema.json, the JSON Schema of a "
                          "configuration; plan.schema.json is that of a plan, certificate.schema.json that of a "
                          "certificate of hsgd pep"},
};

static const entry environment[] = {
    {"HSGD_DATA_DIR", "folder where data files are looked for that are not next to the configuration"},
    {"OMP_NUM_THREADS", "number of threads where --threads does not say otherwise; the numbers do not depend on it"},
    {"OMPI_COMM_WORLD_SIZE, PMI_SIZE, SLURM_STEP_NUM_TASKS",
     "set by mpirun and srun: processes of this command, which share the work of hsgd run and verify"},
    {"OMP_WAIT_POLICY", "passive: threads that wait leave their core to others, as processes that share cores need it"},
    {"PATH", "where gnuplot is looked for; without it the scripts of the figures are written all the same"},
};

/* In this order they run in any folder (a test does). */
static const entry examples[] = {
    {"hsgd run --output demo", "Run the built-in experiment; results and figures go to the folder demo."},
    {"hsgd verify --output demo --latex > report.tex", "The same with every check, as tables for LaTeX."},
    {"hsgd plot demo --format svg", "Draw the figures of that folder again, as SVG."},
    {"hsgd sandwich --fanout 8,8 --periods 20,5", "The sandwich for 8 groups of 8 workers, G = 20 and I = 5."},
};

static void put_examples(hsgd_manual *m)
{
    hsgd_manual_heading(m, ".SH", "EXAMPLES");
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        if (i > 0)
            hsgd_manual_macro(m, ".PP");
        hsgd_manual_text(m, examples[i].text);
        hsgd_manual_example(m, examples[i].tag);
    }
}

static void put_see_also(hsgd_manual *m)
{
    hsgd_manual_macro(m, ".SH SEE ALSO\n.BR gnuplot (1)");
    hsgd_manual_macro(m, ".PP");
    hsgd_manual_text(m, "J. Wang, S. Wang, R.-R. Chen, M. Ji, Demystifying why local aggregation helps: convergence "
                        "analysis of hierarchical SGD, AAAI 2022, arXiv 2010.12998.");
}

hsgd_status hsgd_manual_print(const hsgd_program *program, FILE *stream, hsgd_error *err)
{
    hsgd_manual m = {.stream = stream};
    fputs(".\\\" Made by hsgd \\-\\-man\\-page; do not edit.\n", stream);
    fputs(".TH HSGD 1 " MANUAL_DATE " \"hsgd " HSGD_VERSION "\" \"User Commands\"\n", stream);
    fputs(".SH NAME\nhsgd \\- verify the convergence theory of hierarchical SGD\n.SH SYNOPSIS\n", stream);
    put_synopsis(&m, program);
    hsgd_manual_heading(&m, ".SH", "DESCRIPTION");
    hsgd_manual_text(&m, description);
    put_commands(&m, program);
    hsgd_status status = hsgd_manual_configuration(&m, err);
    if (status)
        return status;
    put_figures(&m);
    put_bounds(&m);
    put_entries(&m, "FILES", files, sizeof files / sizeof *files);
    put_exit_status(&m, program);
    put_entries(&m, "ENVIRONMENT", environment, sizeof environment / sizeof *environment);
    put_examples(&m);
    put_see_also(&m);
    hsgd_manual_end_line(&m);
    return HSGD_OK;
}
