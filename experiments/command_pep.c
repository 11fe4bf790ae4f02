/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd pep: the exact worst case. */
#include "experiments/cli_private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/certificate.h"
#include "experiments/json_private.h"
#include "experiments/pep_curves_private.h"
#include "experiments/pep_private.h"
#include "experiments/pep_written_private.h"
#include "experiments/provenance_private.h"
#include "plots/output.h"

enum {
    OPTION_PERIODS,
    OPTION_STEPS,
    OPTION_STEP_SIZE,
    OPTION_FRACTION,
    OPTION_SMOOTHNESS,
    OPTION_DELTA,
    OPTION_DIVERGENCE,
    OPTION_VARIANT,
    OPTION_CRITERION,
    OPTION_SDPA,
    OPTION_CERTIFICATE,
    OPTION_INSTANCE,
    OPTION_INSTANCE_FIGURE,
    OPTION_CHECK,
    OPTION_JSON,
    OPTION_OUTPUT,
    OPTION_QUIET,
    NUM_OPTIONS
};

static const hsgd_option options[NUM_OPTIONS] = {
    [OPTION_PERIODS] = {"periods", "P_1,..,P_M", "aggregation periods in steps, each dividing the one before"},
    [OPTION_STEPS] = {"steps", "T", "number of steps, 1 to 256"},
    [OPTION_STEP_SIZE] = {"step-size", "X", "gamma; no condition on it"},
    [OPTION_FRACTION] = {"step-size-fraction", "X", "gamma over the published limit (default: 0.99)"},
    [OPTION_SMOOTHNESS] = {"smoothness", "L", "Lipschitz constant of the gradients (default: 1)"},
    [OPTION_DELTA] = {"delta", "D", "initial gap Delta (default: 1)"},
    [OPTION_DIVERGENCE] = {"divergence-sq", "D_1,..,D_M", "squared divergence of each level (default: 1 each)"},
    [OPTION_VARIANT] = {"variant", "descent|lower-bound|both", "how the initial gap enters (default: both)"},
    [OPTION_CRITERION] = {"criterion", "mean|min", "of ||grad f||^2 over the steps (default: mean)"},
    [OPTION_SDPA] = {"sdpa", "FILE", "write the semidefinite program in SDPA sparse format, and do not solve it"},
    [OPTION_CERTIFICATE] = {"certificate", "FILE", "write the multipliers that prove it, as exact numbers"},
    [OPTION_INSTANCE] = {"instance", "FILE", "write a problem that attains it, as FILE.csv or FILE.json"},
    [OPTION_INSTANCE_FIGURE] = {"instance-figure", "DIR", "draw that problem, as DIR/worst-problem.pdf"},
    [OPTION_CHECK] = {"check", "CERTIFICATE.json", "verify a certificate in exact arithmetic, and do nothing else"},
    [OPTION_JSON] = {"json", NULL, "print JSON instead of a table"},
    [OPTION_OUTPUT] = {"output", "DIR", "folder for what a file with the key \"pep\" leaves (default: results/NAME)"},
    [OPTION_QUIET] = {"quiet", NULL, "with such a file: print nothing but errors"},
};

/* ---- arguments ---- */

/* Numbers in [low, infinity), separated by commas; exactly one where max_length is 1. */
static hsgd_status read_numbers(double *out, size_t *length, size_t max_length, double low, const char *text,
                                const char *option, hsgd_error *err)
{
    const char *rest = text;
    for (*length = 0; *length < max_length; rest++) {
        char *end;
        bool starts = (*rest >= '0' && *rest <= '9') || *rest == '.'; /* strtod would take blanks, signs and names */
        double value = starts ? strtod(rest, &end) : NAN;
        if (!isfinite(value) || value < low || (*end && *end != ','))
            break;
        out[(*length)++] = value;
        if (!*end)
            return HSGD_OK;
        rest = end;
    }
    return hsgd_fail(err, HSGD_ERROR_INPUT, "--%s: \"%s\" is not %s of at least 0", option, text,
                     max_length == 1 ? "a finite number" : "a list like 1,0.5 of at most 32 finite numbers");
}

/* Zero means nothing for step sizes and L; the model would refuse it later under another name. */
static hsgd_status read_number(double *out, const hsgd_arguments *arguments, size_t index, bool positive,
                               hsgd_error *err)
{
    const char *text = arguments->option[index], *name = options[index].name;
    size_t length;
    if (!text)
        return HSGD_OK;
    hsgd_status status = read_numbers(out, &length, 1, 0, text, name, err);
    if (!status && positive && *out == 0)
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "--%s: \"%s\" is not above 0", name, text);
    return status;
}

static hsgd_status read_overrides(hsgd_pep_overrides *out, const hsgd_arguments *arguments, hsgd_error *err)
{
    const char *steps = arguments->option[OPTION_STEPS], *divergence = arguments->option[OPTION_DIVERGENCE];
    *out = hsgd_pep_no_overrides();
    hsgd_status status = HSGD_OK;
    if (arguments->option[OPTION_STEP_SIZE] && arguments->option[OPTION_FRACTION])
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "pep: give --step-size or --step-size-fraction, not both");
    status = status ? status : read_number(&out->step_size, arguments, OPTION_STEP_SIZE, true, err);
    status = status ? status : read_number(&out->step_size_fraction, arguments, OPTION_FRACTION, true, err);
    status = status ? status : read_number(&out->smoothness, arguments, OPTION_SMOOTHNESS, true, err);
    status = status ? status : read_number(&out->delta, arguments, OPTION_DELTA, false, err);
    if (!status && steps)
        status = hsgd_cli_count(steps, "steps", 1, HSGD_PEP_MAX_STEPS, &out->steps, err);
    if (!status && divergence)
        status = read_numbers(out->level_divergence_sq, &out->num_divergences, HSGD_MAX_LEVELS, 0, divergence,
                              "divergence-sq", err);
    return status;
}

static hsgd_status read_params(hsgd_bound_params *out, const hsgd_arguments *arguments, hsgd_error *err)
{
    const char *text = arguments->option[OPTION_PERIODS];
    size_t periods[HSGD_MAX_LEVELS], levels;
    hsgd_pep_overrides given;
    hsgd_status status = read_overrides(&given, arguments, err);
    if (status)
        return status;
    if (!text == !arguments->positional)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "pep: give %s; see hsgd pep --help",
                         text ? "a file or --periods, not both" : "a file, or --periods and --steps");
    if (!text)
        return hsgd_pep_read_params(out, arguments->positional, &given, err);
    if (!given.steps)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "pep: --steps is missing; see hsgd pep --help");
    status = hsgd_cli_counts(text, "periods", 1, HSGD_MAX_PERIOD, periods, HSGD_MAX_LEVELS, &levels, err);
    return status ? status : hsgd_pep_make_params(out, periods, levels, &given, err);
}

static hsgd_worst_case_wish read_wish(const hsgd_arguments *arguments)
{
    const char *variant = arguments->option[OPTION_VARIANT], *criterion = arguments->option[OPTION_CRITERION];
    bool both = !variant || strcmp(variant, "both") == 0;
    return (hsgd_worst_case_wish){.criterion =
                                      criterion && strcmp(criterion, "min") == 0 ? HSGD_PEP_MIN : HSGD_PEP_MEAN,
                                  .wants = {[HSGD_PEP_DESCENT] = both || strcmp(variant, "descent") == 0,
                                            [HSGD_PEP_LOWER_BOUND] = both || strcmp(variant, "lower-bound") == 0}};
}

/* ---- what to do ---- */

static hsgd_status print_json(const hsgd_worst_case *worst, const hsgd_pep_written *written, hsgd_error *err)
{
    cJSON *document = hsgd_worst_case_to_json(worst);
    hsgd_pep_written_to_json(document, written);
    return hsgd_provenance_put(document, "pep", err);
}

static int print(const hsgd_worst_case *worst, const hsgd_pep_written *written, bool json)
{
    hsgd_error err;
    if (json && print_json(worst, written, &err))
        return hsgd_cli_fail(&err);
    if (!json) {
        hsgd_worst_case_print(worst, stdout);
        hsgd_pep_written_print(written, stdout);
    }
    return hsgd_cli_finish(worst->contradicts ? HSGD_EXIT_VIOLATED : HSGD_EXIT_OK);
}

/* Files first: where one of them cannot be written, nothing is printed. The figure, the last of them, takes nothing away. */
static int write_and_print(const hsgd_worst_case *worst, const hsgd_bound_params *params,
                           const hsgd_arguments *arguments)
{
    hsgd_error err;
    hsgd_pep_written written;
    const hsgd_pep_paths paths = {arguments->option[OPTION_CERTIFICATE], arguments->option[OPTION_INSTANCE],
                                  arguments->option[OPTION_INSTANCE_FIGURE]};
    hsgd_status status = hsgd_pep_write(&written, worst, params, &paths, &err);
    if (status) {
        int code = hsgd_cli_fail(&err);
        return status == HSGD_ERROR_NUMERIC ? HSGD_EXIT_INCONCLUSIVE : code;
    }
    status = hsgd_pep_written_draw(&written, &err);
    int code = print(worst, &written, arguments->option[OPTION_JSON] != NULL);
    if (status)
        code = hsgd_cli_fail(&err);
    hsgd_pep_written_free(&written);
    return code;
}

/* A message about a constant begins with its name; where it stands comes before. */
static void name_place(hsgd_error *err, const hsgd_arguments *arguments)
{
    if (arguments->positional)
        hsgd_error_prefix(err, "%s: ", arguments->positional);
    else
        hsgd_error_prefix(err, "--");
}

/* Without a certificate there is no number: exit code 3. */
static int solve(const hsgd_bound_params *params, const hsgd_arguments *arguments)
{
    hsgd_error err;
    hsgd_worst_case worst;
    hsgd_worst_case_wish wish = read_wish(arguments);
    hsgd_status status = hsgd_worst_case_find(&worst, params, &wish, &err);
    if (status) {
        if (status == HSGD_ERROR_INPUT)
            name_place(&err, arguments);
        int code = hsgd_cli_fail(&err);
        return status == HSGD_ERROR_NUMERIC ? HSGD_EXIT_INCONCLUSIVE : code;
    }
    int code = write_and_print(&worst, params, arguments);
    hsgd_worst_case_free(&worst);
    return code;
}

/* Open PATH, which ends in ".dat-s" as such files do. */
static hsgd_status open_sdpa(hsgd_output *out, const char *path, hsgd_error *err)
{
    static const char ending[] = ".dat-s";
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t length = strlen(name), extra = sizeof ending - 1;
    if (length <= extra || strcmp(name + length - extra, ending) != 0)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "--sdpa: \"%s\" is not the name of a file that ends in %s", path,
                         ending);
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup("."),
         *stem = strndup(name, length - extra);
    hsgd_status status =
        folder && stem ? hsgd_output_open(out, folder, stem, ending + 1, err) : hsgd_fail_memory(err, "a name");
    free(folder);
    free(stem);
    return status;
}

static hsgd_status write_sdpa(const hsgd_bound_params *params, const hsgd_arguments *arguments, hsgd_error *err)
{
    const char *path = arguments->option[OPTION_SDPA];
    const hsgd_worst_case_wish wish = read_wish(arguments);
    hsgd_pep_problem problem;
    hsgd_output output;
    double scale;
    if (wish.wants[HSGD_PEP_DESCENT] == wish.wants[HSGD_PEP_LOWER_BOUND])
        return hsgd_fail(err, HSGD_ERROR_INPUT, "--sdpa: one program at a time; give --variant descent or lower-bound");
    hsgd_bound_params noiseless = *params; /* borrows the tree */
    noiseless.noise_sq = 0;
    hsgd_status status = hsgd_pep_problem_from_params(&problem, &noiseless, err);
    if (status)
        name_place(err, arguments);
    problem.gap = wish.wants[HSGD_PEP_DESCENT] ? HSGD_PEP_DESCENT : HSGD_PEP_LOWER_BOUND;
    problem.criterion = wish.criterion;
    status = status ? status : open_sdpa(&output, path, err);
    if (status)
        return status;
    status = hsgd_pep_write_sdpa(output.stream, &scale, &problem, err);
    if (status)
        hsgd_output_drop(&output);
    else if ((status = hsgd_output_close(&output, err)) == HSGD_OK)
        printf("%s: the worst case is its optimum times %.17g\n", path, scale);
    return status;
}

/* A certificate says all that is to be known: no other option has a meaning. */
static int check(const hsgd_arguments *arguments)
{
    hsgd_error err;
    for (size_t i = 0; i < NUM_OPTIONS; i++)
        if ((i != OPTION_CHECK && i != OPTION_JSON && arguments->option[i]) || arguments->positional) {
            hsgd_fail(&err, HSGD_ERROR_INPUT, "pep: --check goes with --json only");
            return hsgd_cli_fail(&err);
        }
    return hsgd_certificate_check_file(arguments->option[OPTION_CHECK], arguments->option[OPTION_JSON] != NULL);
}

/* What can be said about files before minutes of work. */
static hsgd_status check_files(const hsgd_arguments *arguments, hsgd_error *err)
{
    const char *instance = arguments->option[OPTION_INSTANCE];
    bool solves = instance || arguments->option[OPTION_CERTIFICATE] || arguments->option[OPTION_INSTANCE_FIGURE];
    if (arguments->option[OPTION_SDPA] && solves)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "pep: --sdpa does not solve; --certificate and --instance need that");
    return instance ? hsgd_worst_problem_check_name(instance, err) : HSGD_OK;
}

/* Such a file says all that the other options say. */
static int follow_step_sizes(const hsgd_arguments *arguments)
{
    hsgd_error err;
    for (size_t i = 0; i < NUM_OPTIONS; i++)
        if (arguments->option[i] && i != OPTION_JSON && i != OPTION_OUTPUT && i != OPTION_QUIET) {
            hsgd_fail(&err, HSGD_ERROR_INPUT, "--%s: does not go with the key \"pep\" of %s", options[i].name,
                      arguments->positional);
            return hsgd_cli_fail(&err);
        }
    return hsgd_pep_curves_command(arguments->positional, arguments->option[OPTION_OUTPUT],
                                   arguments->option[OPTION_JSON] != NULL, arguments->option[OPTION_QUIET] != NULL);
}

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    hsgd_bound_params params;
    if (arguments->option[OPTION_CHECK])
        return check(arguments);
    bool curves = false;
    if (arguments->positional && hsgd_pep_curves_wanted(&curves, arguments->positional, &err))
        return hsgd_cli_fail(&err);
    if (curves)
        return follow_step_sizes(arguments);
    if (arguments->option[OPTION_OUTPUT] || arguments->option[OPTION_QUIET]) {
        hsgd_fail(&err, HSGD_ERROR_INPUT, "--%s: only a file with the key \"pep\" leaves a folder",
                  arguments->option[OPTION_OUTPUT] ? "output" : "quiet");
        return hsgd_cli_fail(&err);
    }
    if (check_files(arguments, &err) || read_params(&params, arguments, &err))
        return hsgd_cli_fail(&err);
    int code;
    if (!arguments->option[OPTION_SDPA])
        code = solve(&params, arguments);
    else if (write_sdpa(&params, arguments, &err))
        code = hsgd_cli_fail(&err);
    else
        code = hsgd_cli_finish(HSGD_EXIT_OK);
    hsgd_bound_params_free(&params);
    return code;
}

const hsgd_command hsgd_command_pep = {
    .name = "pep",
    .positional = "[CONFIG.json]",
    .summary = "the exact worst case of noiseless H-SGD, by performance estimation",
    .details =
        "Solves a semidefinite program and prints the worst case next to the bounds. Every number is certified by "
        "multipliers\n"
        "and by an instance, both recomputed; where they do not agree the exit code is 3. The constants come from "
        "--periods and\n"
        "--steps with the options below, from a configuration of hsgd run that needs no run for them, or from\n"
        "PARAMS.json of hsgd bound (\"-\" reads that from standard input); options take the place of what a file "
        "says.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
};
