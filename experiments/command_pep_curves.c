/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd pep, for a file with the key "pep": the worst case over the step size, into a folder. */
#include <unistd.h>

#include "experiments/cli_private.h"
#include "experiments/json_private.h"
#include "experiments/pep_curves_private.h"
#include "experiments/provenance_private.h"
#include "experiments/run_private.h"

/* Exit code 3 where some step size has no certificate. */
static int tell(const hsgd_pep_curves *curves, const char *dir, const hsgd_figure_report *report, bool json, bool quiet)
{
    hsgd_error err;
    bool unsolved = false;
    for (size_t i = 0; i < curves->grid.num_points; i++)
        unsolved = unsolved || curves->curve[i].unsolved;
    if (json && !quiet && hsgd_json_put(hsgd_pep_curves_to_json(curves), &err))
        return hsgd_cli_fail(&err);
    if (!json && !quiet) {
        hsgd_pep_curves_print(curves, stdout);
        hsgd_cli_print_files(dir, "pep.json, pep.csv", report, "");
    }
    return hsgd_cli_finish(unsolved ? HSGD_EXIT_INCONCLUSIVE : HSGD_EXIT_OK);
}

static int run_in_folder(hsgd_pep_curves *curves, const char *dir, bool json, bool quiet)
{
    hsgd_error err;
    hsgd_figure_report report;
    int lock, drawn = 0;
    bool bar = !quiet && isatty(STDERR_FILENO);
    if (hsgd_provenance_check_date(&err) ||
        hsgd_pep_curves_run(curves, bar ? hsgd_run_draw_progress : NULL, &drawn, &err) ||
        hsgd_folder_open(&lock, dir, HSGD_FOLDER_PEP, &err))
        return hsgd_cli_fail(&err);
    hsgd_status status = hsgd_pep_curves_write(curves, dir, &err);
    if (!status)
        status = hsgd_pep_plot(dir, NULL, &report, &err);
    hsgd_folder_unlock(lock);
    return status ? hsgd_cli_fail(&err) : tell(curves, dir, &report, json, quiet);
}

int hsgd_pep_curves_command(const char *path, const char *output, bool json, bool quiet)
{
    hsgd_error err;
    hsgd_pep_curves curves;
    char folder[128];
    if (output && !*output) {
        hsgd_fail(&err, HSGD_ERROR_INPUT, "--output: \"\" is not the name of a folder");
        return hsgd_cli_fail(&err);
    }
    if (hsgd_pep_curves_read(&curves, path, &err))
        return hsgd_cli_fail(&err);
    hsgd_run_default_folder(folder, sizeof folder, curves.grid.name);
    int code = run_in_folder(&curves, output ? output : folder, json, quiet);
    hsgd_pep_curves_free(&curves);
    return code;
}
