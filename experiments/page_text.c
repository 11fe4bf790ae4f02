/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pieces that all sections are made of: numbers, intervals, verdicts, kinds of constants. */
#include "experiments/page_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/constants.h"
#include "bounds/verdict.h"

/* ---- the document ---- */

const cJSON *hsgd_page_get(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

const char *hsgd_page_string(const cJSON *object, const char *key)
{
    const cJSON *value = hsgd_page_get(object, key);
    return cJSON_IsString(value) ? value->valuestring : "";
}

double hsgd_page_value(const cJSON *object, const char *key)
{
    const cJSON *value = hsgd_page_get(object, key);
    return cJSON_IsNumber(value) ? value->valuedouble : NAN;
}

bool hsgd_page_is_true(const cJSON *object, const char *key)
{
    return cJSON_IsTrue(hsgd_page_get(object, key));
}

size_t hsgd_page_length(const cJSON *array)
{
    return cJSON_IsArray(array) ? (size_t)cJSON_GetArraySize(array) : 0;
}

double hsgd_page_confidence(const cJSON *root)
{
    return hsgd_page_value(hsgd_page_get(root, "config"), "confidence");
}

/* ---- numbers ---- */

/* 1.2e-16 as 1.2 x 10 to the -16, with a minus sign in place of the hyphen. */
static void put_digits(hsgd_html *html, const char *digits)
{
    const char *exponent = strchr(digits, 'e');
    if (*digits == '-')
        hsgd_html_text(html, "\xE2\x88\x92"); /* minus */
    digits += *digits == '-';
    hsgd_html_text_bytes(html, digits, exponent ? (size_t)(exponent - digits) : strlen(digits));
    if (!exponent)
        return;
    hsgd_html_text(html, " \xC3\x97 10"); /* times */
    long power = strtol(exponent + 1, NULL, 10);
    hsgd_html_elementf(html, "sup", NULL, "%s%ld", power < 0 ? "\xE2\x88\x92" : "", labs(power));
}

void hsgd_page_number(hsgd_page *page, double value, int digits)
{
    char text[40];
    if (isnan(value)) {
        hsgd_html_element(&page->html, "span", "none", "\xE2\x80\x93"); /* dash */
        return;
    }
    if (isinf(value)) {
        hsgd_html_text(&page->html, value < 0 ? "\xE2\x88\x92\xE2\x88\x9E" : "\xE2\x88\x9E");
        return;
    }
    hsgd_html_open(&page->html, "data");
    hsgd_html_attributef(&page->html, "value", "%.17g", value);
    snprintf(text, sizeof text, "%.*g", digits, value);
    put_digits(&page->html, text);
    hsgd_html_close(&page->html, "data");
}

void hsgd_page_number_cell(hsgd_page *page, double value, int digits)
{
    hsgd_html_open_cell(&page->html, NULL);
    hsgd_page_number(page, value, digits);
    hsgd_html_close(&page->html, "td");
}

void hsgd_page_interval(hsgd_page *page, const cJSON *object, const char *ci, int digits)
{
    const cJSON *ends = hsgd_page_get(object, ci);
    const cJSON *low = cJSON_GetArrayItem(ends, 0), *high = cJSON_GetArrayItem(ends, 1);
    hsgd_page_number(page, hsgd_page_value(object, "mean"), digits);
    if (!cJSON_IsNumber(low) || !cJSON_IsNumber(high) || low->valuedouble == high->valuedouble)
        return;
    hsgd_html_text(&page->html, " ");
    hsgd_html_open_class(&page->html, "span", "interval");
    hsgd_html_text(&page->html, "[");
    hsgd_page_number(page, low->valuedouble, digits);
    hsgd_html_text(&page->html, ", ");
    hsgd_page_number(page, high->valuedouble, digits);
    hsgd_html_text(&page->html, "]");
    hsgd_html_close(&page->html, "span");
}

void hsgd_page_interval_cell(hsgd_page *page, const cJSON *object, const char *ci, int digits)
{
    hsgd_html_open_cell(&page->html, NULL);
    hsgd_page_interval(page, object, ci, digits);
    hsgd_html_close(&page->html, "td");
}

/* ---- verdicts ---- */

typedef struct verdict_look {
    hsgd_verdict verdict;
    const char *class_name, *symbol;
} verdict_look;

static const verdict_look looks[] = {
    {HSGD_VERDICT_HOLDS, "verdict holds", "\xE2\x9C\x93"},                  /* check mark */
    {HSGD_VERDICT_VIOLATED, "verdict violated", "\xE2\x9C\x97"},            /* ballot x */
    {HSGD_VERDICT_INCONCLUSIVE, "verdict inconclusive", "?"},               /* nobody knows */
    {HSGD_VERDICT_NOT_APPLICABLE, "verdict not-applicable", "\xE2\x80\x93"} /* dash */
};

void hsgd_page_verdict(hsgd_page *page, const char *verdict)
{
    const char *class_name = "verdict", *symbol = "";
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (strcmp(verdict, hsgd_verdict_name(looks[i].verdict)) == 0) {
            class_name = looks[i].class_name;
            symbol = looks[i].symbol;
        }
    hsgd_html_open_class(&page->html, "span", class_name);
    hsgd_html_open(&page->html, "span");
    hsgd_html_attribute(&page->html, "aria-hidden", "true");
    hsgd_html_text(&page->html, symbol);
    hsgd_html_close(&page->html, "span");
    hsgd_html_textf(&page->html, " %s", verdict);
    hsgd_html_close(&page->html, "span");
}

void hsgd_page_basis(hsgd_page *page, const char *kind)
{
    if (strcmp(kind, hsgd_constant_kind_name(HSGD_TRAJECTORY)) == 0)
        hsgd_html_text(&page->html, " (trajectory)");
    else if (strcmp(kind, hsgd_constant_kind_name(HSGD_ESTIMATE)) == 0)
        hsgd_html_text(&page->html, " (estimated)");
}

void hsgd_page_verdict_cell(hsgd_page *page, const char *verdict, const char *kind, const char *reason)
{
    hsgd_html_open_cell(&page->html, "decision");
    if (*verdict) {
        hsgd_page_verdict(page, verdict);
        if (strcmp(verdict, hsgd_verdict_name(HSGD_VERDICT_NOT_APPLICABLE)) != 0)
            hsgd_page_basis(page, kind);
    }
    if (*reason)
        hsgd_html_element(&page->html, "div", "reason", reason);
    hsgd_html_close(&page->html, "td");
}

/* ---- kinds of constants ---- */

const char *hsgd_page_kind_meaning(const char *kind)
{
    static const char *const meaning[] = {
        /* parentheses: one text in two pieces */
        [HSGD_EXACT] = "follows from the definition of the problem",
        [HSGD_CERTIFIED] = "a proved bound on the safe side",
        [HSGD_TRAJECTORY] =
            ("the largest value at the measured steps: all that the proofs need of a run without noise that "
             "is measured at every step, evidence but no proof otherwise"),
        [HSGD_ESTIMATE] =
            "twice the largest value that a search around the starting point met: evidence, never a proof"};
    for (size_t k = 0; k < sizeof meaning / sizeof *meaning; k++)
        if (strcmp(kind, hsgd_constant_kind_name((hsgd_constant_kind)k)) == 0)
            return meaning[k];
    return NULL;
}

void hsgd_page_kind_cell(hsgd_page *page, const char *kind)
{
    const char *meaning = hsgd_page_kind_meaning(kind);
    hsgd_html_open_cell(&page->html, NULL);
    if (meaning) {
        hsgd_html_open(&page->html, "abbr");
        hsgd_html_attribute(&page->html, "title", meaning);
        hsgd_html_text(&page->html, kind);
        hsgd_html_close(&page->html, "abbr");
    } else
        hsgd_html_text(&page->html, kind);
    hsgd_html_close(&page->html, "td");
}

/* ---- runs and sections ---- */

const char *const hsgd_page_runs[3] = {"hsgd", "local-sgd-inner", "local-sgd-outer"};

void hsgd_page_run_header(hsgd_page *page, size_t run)
{
    const cJSON *hierarchy = hsgd_page_get(page->root, "hierarchy");
    hsgd_html_open_row_header(&page->html);
    if (run == 0)
        hsgd_html_text(&page->html, "H-SGD");
    else
        hsgd_html_textf(&page->html, "local SGD, %c = %.0f", run == 1 ? 'I' : 'G',
                        hsgd_page_value(hierarchy, run == 1 ? "local_period" : "global_period"));
    hsgd_html_close(&page->html, "th");
}

bool hsgd_page_link_if_there(hsgd_page *page, const char *name, const char *text)
{
    char *path = NULL, *escaped = hsgd_html_escape_path(name), *address = NULL;
    if (!escaped || asprintf(&path, "%s/%s", page->dir, name) < 0)
        path = NULL;
    if (!path || asprintf(&address, "%s%s", page->link, escaped) < 0)
        address = NULL;
    if (!address && !page->html.mistake)
        page->html.mistake = "out of memory";
    bool there = address && access(path, R_OK) == 0;
    if (there)
        hsgd_html_link(&page->html, address, text);
    free(address);
    free(escaped);
    free(path);
    return there;
}

void hsgd_page_file_link(hsgd_page *page, const char *name)
{
    if (!hsgd_page_link_if_there(page, name, name))
        hsgd_html_text(&page->html, name);
}

void hsgd_page_open_section(hsgd_page *page, const char *id, const char *heading)
{
    hsgd_html_open(&page->html, "section");
    hsgd_html_attribute(&page->html, "id", id);
    hsgd_html_element(&page->html, "h2", NULL, heading);
}

void hsgd_page_close_section(hsgd_page *page)
{
    hsgd_html_close(&page->html, "section");
}
