/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accuracies, targets and modelled communication. */
#include "experiments/page_private.h"

#include <math.h>
#include <string.h>

/* ---- losses and accuracies ---- */

static void put_metrics(hsgd_page *page, const cJSON *metrics)
{
    static const hsgd_html_column columns[] = {{"run", false}, {"training loss", true}, {"training accuracy", true},
                                               {"best", true}, {"test loss", true},     {"test accuracy", true},
                                               {"best", true}};
    if (!cJSON_IsObject(metrics))
        return;
    bool tested = hsgd_page_get(hsgd_page_get(hsgd_page_get(metrics, "hsgd"), "final"), "test_loss") != NULL;
    hsgd_html_open_cards(&page->html, "Losses and accuracies of the average model at step T, and the best of the run",
                         columns, tested ? 7 : 4);
    for (size_t run = 0; run < 3; run++) {
        const cJSON *own = hsgd_page_get(metrics, hsgd_page_runs[run]), *last = hsgd_page_get(own, "final"),
                    *best = hsgd_page_get(own, "best");
        if (!own)
            continue;
        hsgd_html_open_row(&page->html);
        hsgd_page_run_header(page, run);
        hsgd_page_interval_cell(page, hsgd_page_get(last, "train_loss"), "ci", 4);
        hsgd_page_interval_cell(page, hsgd_page_get(last, "train_accuracy"), "ci", 4);
        hsgd_page_interval_cell(page, hsgd_page_get(best, "train_accuracy"), "", 4);
        if (tested) {
            hsgd_page_interval_cell(page, hsgd_page_get(last, "test_loss"), "ci", 4);
            hsgd_page_interval_cell(page, hsgd_page_get(last, "test_accuracy"), "ci", 4);
            hsgd_page_interval_cell(page, hsgd_page_get(best, "test_accuracy"), "", 4);
        }
        hsgd_html_close_row(&page->html);
    }
    hsgd_html_close_table(&page->html);
}

/* ---- targets ---- */

static void put_spread(hsgd_page *page, const cJSON *spread)
{
    double deviation = hsgd_page_value(spread, "deviation");
    hsgd_html_open_cell(&page->html, NULL);
    hsgd_page_number(page, hsgd_page_value(spread, "mean"), 4);
    if (isfinite(deviation)) {
        hsgd_html_text(&page->html, " \xC2\xB1 ");
        hsgd_page_number(page, deviation, 2);
    }
    hsgd_html_close(&page->html, "td");
}

static void put_target_row(hsgd_page *page, const cJSON *target, size_t run, bool timed)
{
    static const char *const key[] = {"test_accuracy", "train_accuracy", "loss", "grad_norm_sq"};
    static const char *const words[] = {"test accuracy \xE2\x89\xA5", "training accuracy \xE2\x89\xA5",
                                        "loss \xE2\x89\xA4", "squared gradient norm \xE2\x89\xA4"};
    const cJSON *reached = hsgd_page_get(target, hsgd_page_runs[run]);
    const char *quantity = hsgd_page_string(target, "quantity");
    if (!reached)
        return;
    hsgd_html_open_row(&page->html);
    hsgd_page_run_header(page, run);
    for (size_t i = 0; i < sizeof key / sizeof *key; i++)
        if (strcmp(key[i], quantity) == 0)
            quantity = words[i];
    hsgd_html_cellf(&page->html, "%s %.4g", quantity, hsgd_page_value(target, "value"));
    hsgd_html_cellf(&page->html, "%.0f of %.0f", hsgd_page_value(reached, "reached"), hsgd_page_value(reached, "runs"));
    put_spread(page, hsgd_page_get(reached, "step"));
    put_spread(page, hsgd_page_get(reached, "round"));
    if (timed)
        put_spread(page, hsgd_page_get(reached, "time_s"));
    hsgd_html_close_row(&page->html);
}

static void put_targets(hsgd_page *page, const cJSON *targets)
{
    static const hsgd_html_column columns[] = {{"run", false}, {"target", false},      {"reached by runs", false},
                                               {"step", true}, {"global round", true}, {"seconds", true}};
    bool timed = hsgd_page_get(page->root, "communication") != NULL;
    const cJSON *target;
    if (!hsgd_page_length(targets))
        return;
    hsgd_html_open_cards(&page->html,
                         "Targets: when they are reached, mean \xC2\xB1 standard deviation over the runs that do",
                         columns, timed ? 6 : 5);
    cJSON_ArrayForEach(target, targets) for (size_t run = 0; run < 3; run++) put_target_row(page, target, run, timed);
    hsgd_html_close_table(&page->html);
}

/* ---- communication ---- */

/* 12.3 MB: three digits and the unit that fits. */
static void put_bytes(hsgd_page *page, double bytes)
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t i = 0;
    double scaled = bytes;
    for (; scaled >= 999.5 && i + 1 < sizeof unit / sizeof *unit; i++)
        scaled /= 1000;
    hsgd_html_open_cell(&page->html, NULL);
    hsgd_html_open(&page->html, "data");
    hsgd_html_attributef(&page->html, "value", "%.17g", bytes);
    hsgd_html_textf(&page->html, "%.3g\xC2\xA0%s", scaled, unit[i]);
    hsgd_html_close(&page->html, "data");
    hsgd_html_close(&page->html, "td");
}

static void put_costs(hsgd_page *page, const cJSON *communication)
{
    enum { MAX_LEVELS = 16 };
    char heading[MAX_LEVELS][32];
    hsgd_html_column columns[2 + MAX_LEVELS] = {{"run", false}, {"seconds", true}};
    if (!cJSON_IsObject(communication))
        return;
    size_t levels = hsgd_page_length(hsgd_page_get(hsgd_page_get(communication, "hsgd"), "bytes_level"));
    levels = levels < MAX_LEVELS ? levels : MAX_LEVELS;
    for (size_t k = 0; k < levels; k++) {
        snprintf(heading[k], sizeof heading[k], "sent at level %zu", k + 1);
        columns[2 + k] = (hsgd_html_column){heading[k], true};
    }
    hsgd_html_open_cards(&page->html, "Modelled time and traffic until step T", columns, 2 + levels);
    for (size_t run = 0; run < 3; run++) {
        const cJSON *costs = hsgd_page_get(communication, hsgd_page_runs[run]);
        if (!costs)
            continue;
        hsgd_html_open_row(&page->html);
        hsgd_page_run_header(page, run);
        hsgd_page_interval_cell(page, hsgd_page_get(costs, "time_s"), "ci", 4);
        for (size_t k = 0; k < levels; k++) {
            const cJSON *bytes = cJSON_GetArrayItem(hsgd_page_get(costs, "bytes_level"), (int)k);
            put_bytes(page, cJSON_IsNumber(bytes) ? bytes->valuedouble : NAN);
        }
        hsgd_html_close_row(&page->html);
    }
    hsgd_html_close_table(&page->html);
}

bool hsgd_page_has_metrics(const hsgd_page *page)
{
    return hsgd_page_get(page->root, "metrics") || hsgd_page_length(hsgd_page_get(page->root, "targets")) ||
           hsgd_page_get(page->root, "communication");
}

void hsgd_page_metrics(hsgd_page *page)
{
    const cJSON *metrics = hsgd_page_get(page->root, "metrics"), *targets = hsgd_page_get(page->root, "targets"),
                *communication = hsgd_page_get(page->root, "communication");
    if (!hsgd_page_has_metrics(page))
        return;
    hsgd_page_open_section(page, "metrics", "Accuracy, targets, communication");
    put_metrics(page, metrics);
    put_targets(page, targets);
    put_costs(page, communication);
    if (communication)
        hsgd_html_element(&page->html, "p", "note",
                          "Seconds and bytes come from the model of communication in the "
                          "configuration, not from a clock.");
    hsgd_page_close_section(page);
}
