/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The constants that the bounds rest on, how far each can be trusted, and what was measured. */
#include "experiments/page_private.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/constants.h"

typedef struct constant {
    const char *key, *symbol, *meaning;
} constant;

static const constant constants[] = {
    {"L", "L", "smoothness: the gradient of every worker's loss is L-Lipschitz"},
    {"sigma_sq", "\xCF\x83\xC2\xB2", "variance of a worker's stochastic gradient"},
    {"f_star", "f*", "lower bound of the loss"},
    {"delta", "\xCE\x94", "initial gap: f(w\xE2\x81\xB0) \xE2\x88\x92 f*"},
};

static void put_row(hsgd_page *page, const cJSON *value, const char *symbol, const char *index, const char *meaning)
{
    hsgd_html_open_row(&page->html);
    hsgd_html_open_row_header(&page->html);
    hsgd_html_text(&page->html, symbol);
    if (index)
        hsgd_html_element(&page->html, "sub", NULL, index);
    hsgd_html_close(&page->html, "th");
    hsgd_html_cell(&page->html, meaning);
    hsgd_page_number_cell(page, hsgd_page_value(value, "value"), 6);
    hsgd_page_kind_cell(page, hsgd_page_string(value, "kind"));
    hsgd_html_close_row(&page->html);
}

/* "global", then "level_1", ... */
static void put_divergences(hsgd_page *page, const cJSON *divergence)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, divergence)
    {
        const char *level = item->string && strncmp(item->string, "level_", 6) == 0 ? item->string + 6 : NULL;
        char meaning[96];
        long k = level ? strtol(level, NULL, 10) : 0;
        if (k > 1)
            snprintf(meaning, sizeof meaning, "divergence between the children of a node of level %ld", k - 1);
        else
            snprintf(meaning, sizeof meaning, "%s",
                     level ? "divergence between the groups of the root"
                           : "global divergence: workers against the whole");
        put_row(page, item, level ? "D" : "\xCE\xB5\xCC\x83\xC2\xB2", level, meaning);
    }
}

static bool uses_kind(const cJSON *object, const char *kind)
{
    const cJSON *item;
    if (strcmp(hsgd_page_string(object, "kind"), kind) == 0)
        return true;
    cJSON_ArrayForEach(item, object) if (cJSON_IsObject(item) && uses_kind(item, kind)) return true;
    return false;
}

/* What each kind that occurs means. */
static void put_kinds(hsgd_page *page, const cJSON *object)
{
    hsgd_html_open_class(&page->html, "dl", "kinds");
    for (int k = HSGD_EXACT; k <= HSGD_ESTIMATE; k++) {
        const char *kind = hsgd_constant_kind_name((hsgd_constant_kind)k);
        if (!uses_kind(object, kind))
            continue;
        hsgd_html_open(&page->html, "div");
        hsgd_html_element(&page->html, "dt", NULL, kind);
        hsgd_html_elementf(&page->html, "dd", NULL, "%s.", hsgd_page_kind_meaning(kind));
        hsgd_html_close(&page->html, "div");
    }
    hsgd_html_close(&page->html, "dl");
}

/* ---- measured ---- */

static void put_measured_row(hsgd_page *page, const cJSON *measured, size_t run)
{
    static const char *const key[] = {"S", "S_round", "S_min"};
    if (!cJSON_IsObject(measured))
        return;
    hsgd_html_open_row(&page->html);
    hsgd_page_run_header(page, run);
    for (size_t i = 0; i < sizeof key / sizeof *key; i++)
        hsgd_page_interval_cell(page, hsgd_page_get(measured, key[i]), "ci", 5);
    hsgd_page_number_cell(page, hsgd_page_value(hsgd_page_get(measured, "final_loss"), "mean"), 5);
    hsgd_html_close_row(&page->html);
}

static void put_measured(hsgd_page *page)
{
    static const hsgd_html_column columns[] = {
        {"run", false}, {"S", true}, {"S round", true}, {"S min", true}, {"f(w\xCC\x84\xE1\xB5\x80)", true}};
    const cJSON *others = hsgd_page_get(page->root, "measured_references");
    char caption[96] = "Measured";
    if (!hsgd_page_is_true(page->root, "deterministic"))
        snprintf(caption, sizeof caption, "Measured, with %g %% Student-t intervals",
                 100 * hsgd_page_confidence(page->root));
    hsgd_html_open_cards(&page->html, caption, columns, sizeof columns / sizeof *columns);
    put_measured_row(page, hsgd_page_get(page->root, "measured"), 0);
    for (size_t run = 1; run < 3; run++)
        put_measured_row(page, hsgd_page_get(others, hsgd_page_runs[run]), run);
    hsgd_html_close_table(&page->html);
    hsgd_html_element(
        &page->html, "p", "note",
        "S is the mean of the squared gradient norm at the average model over all measured steps, S round over the "
        "steps right after a global average, S min the smallest mean at one of those.");
}

void hsgd_page_constants(hsgd_page *page)
{
    static const hsgd_html_column columns[] = {
        {"constant", false}, {"meaning", false}, {"value", true}, {"kind", false}};
    const cJSON *object = hsgd_page_get(page->root, "constants");
    hsgd_page_open_section(page, "constants", "Constants and measurements");
    if (cJSON_IsObject(object)) {
        hsgd_html_open_cards(&page->html, "Constants that the bounds are evaluated with", columns, 4);
        for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
            put_row(page, hsgd_page_get(object, constants[i].key), constants[i].symbol, NULL, constants[i].meaning);
        put_divergences(page, hsgd_page_get(object, "divergence_sq"));
        hsgd_html_close_table(&page->html);
        put_kinds(page, object);
    }
    put_measured(page);
    hsgd_page_close_section(page);
}
