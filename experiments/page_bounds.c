/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bounds next to what they bound, and the share of each of their terms. */
#include "experiments/page_private.h"

#include <math.h>
#include <string.h>

#include "bounds/bound.h"

/* S, S_round and S_min with their index set lower. */
static void put_target(hsgd_page *page, const char *target)
{
    const char *index = strchr(target, '_');
    if (!index) {
        hsgd_html_text(&page->html, target);
        return;
    }
    hsgd_html_text_bytes(&page->html, target, (size_t)(index - target));
    hsgd_html_element(&page->html, "sub", NULL, index + 1);
}

static void put_bound(hsgd_page *page, const cJSON *bound, bool certified)
{
    double limit = hsgd_page_value(bound, "max_step_size");
    hsgd_html_open_row(&page->html);
    hsgd_html_open_row_header(&page->html);
    hsgd_html_element(&page->html, "code", NULL, hsgd_page_string(bound, "id"));
    hsgd_html_element(&page->html, "div", "about", hsgd_page_string(bound, "title"));
    if (!hsgd_bound_find(hsgd_page_string(bound, "id"))) /* nobody knows it: its formula */
        hsgd_html_element(&page->html, "div", "formula", hsgd_page_string(bound, "citation"));
    hsgd_html_close(&page->html, "th");
    hsgd_html_open_cell(&page->html, NULL);
    put_target(page, hsgd_page_string(bound, "of"));
    hsgd_html_close(&page->html, "td");
    hsgd_page_number_cell(page, hsgd_page_value(bound, "value"), 5);
    if (certified)
        hsgd_page_number_cell(page, hsgd_page_value(bound, "certified_value"), 5);
    hsgd_page_interval_cell(page, hsgd_page_get(bound, "measured"), "ci_joint", 5);
    hsgd_page_number_cell(page, hsgd_page_value(bound, "ratio"), 3);
    hsgd_page_number_cell(page, limit > 0 ? hsgd_page_value(page->root, "step_size") / limit : NAN, 3);
    hsgd_page_kind_cell(page, hsgd_page_string(bound, "constants"));
    hsgd_page_verdict_cell(page, hsgd_page_string(bound, "verdict"), hsgd_page_string(bound, "constants"),
                           hsgd_page_string(bound, "verdict_reason"));
    hsgd_html_close_row(&page->html);
}

static bool any_certified(const cJSON *bounds)
{
    const cJSON *bound;
    cJSON_ArrayForEach(bound, bounds) if (isfinite(hsgd_page_value(bound, "certified_value"))) return true;
    return false;
}

static void put_table(hsgd_page *page, const cJSON *bounds)
{
    hsgd_html_column with[] = {{"bound", false},         {"of", false},      {"value", true},
                               {"certified", true},      {"measured", true}, {"ratio", true},
                               {"\xCE\xB3 / max", true}, {"kind", false},    {"verdict", false}};
    hsgd_html_column without[] = {with[0], with[1], with[2], with[4], with[5], with[6], with[7], with[8]};
    bool certified = any_certified(bounds);
    const cJSON *bound;
    hsgd_html_open_cards(&page->html, "Bounds next to what they bound", certified ? with : without,
                         certified ? sizeof with / sizeof *with : sizeof without / sizeof *without);
    cJSON_ArrayForEach(bound, bounds) put_bound(page, bound, certified);
    hsgd_html_close_table(&page->html);
}

static void explain(hsgd_page *page, const cJSON *bounds)
{
    hsgd_html_open_class(&page->html, "p", "note");
    hsgd_html_text(&page->html,
                   "S is the mean of \xE2\x80\x96\xE2\x88\x87"
                   "f(w\xCC\x84\xE1\xB5\x97)\xE2\x80\x96\xC2\xB2 over the steps. Every "
                   "bound stands next to the quantity that it bounds, measured on the run that it is about. ");
    if (!hsgd_page_is_true(page->root, "deterministic"))
        hsgd_html_text(&page->html,
                       "Intervals hold for all bounds together (Student t, Bonferroni): a bound holds where the "
                       "upper end is below it, is violated where the lower end is above it, and is inconclusive "
                       "otherwise. ");
    hsgd_html_text(&page->html,
                   "The ratio is measured over bound: 1 for a tight one. \xCE\xB3 / max is the step size over the "
                   "largest that the theorem allows.");
    if (any_certified(bounds))
        hsgd_html_text(&page->html, " Certified is the bound with divergences that are proved for every w.");
    hsgd_html_close(&page->html, "p");
}

/* ---- terms ---- */

static double sum_of(const cJSON *terms)
{
    const cJSON *term;
    double sum = 0;
    cJSON_ArrayForEach(term, terms) sum += hsgd_page_value(term, "value");
    return sum;
}

/* The bar says at a glance what the list beside it says in words. */
static void put_bar(hsgd_page *page, const cJSON *terms, double sum)
{
    const cJSON *term;
    int number = 0;
    hsgd_html_open_class(&page->html, "div", "bar");
    hsgd_html_attribute(&page->html, "aria-hidden", "true");
    cJSON_ArrayForEach(term, terms)
    {
        hsgd_html_open(&page->html, "span");
        hsgd_html_attributef(&page->html, "class", "share tone-%d", number++ % 8);
        hsgd_html_attributef(&page->html, "style", "width:%.3f%%", 100 * hsgd_page_value(term, "value") / sum);
        hsgd_html_close(&page->html, "span");
    }
    hsgd_html_close(&page->html, "div");
}

static void put_shares(hsgd_page *page, const cJSON *terms, double sum)
{
    const cJSON *term;
    int number = 0;
    hsgd_html_open_class(&page->html, "ul", "shares");
    cJSON_ArrayForEach(term, terms)
    {
        double value = hsgd_page_value(term, "value");
        hsgd_html_open(&page->html, "li");
        hsgd_html_open(&page->html, "span");
        hsgd_html_attributef(&page->html, "class", "swatch tone-%d", number++ % 8);
        hsgd_html_attribute(&page->html, "aria-hidden", "true");
        hsgd_html_close(&page->html, "span");
        hsgd_html_textf(&page->html, "%s ", hsgd_page_string(term, "name"));
        hsgd_html_open(&page->html, "data");
        hsgd_html_attributef(&page->html, "value", "%.17g", value);
        hsgd_html_textf(&page->html, "%.3g\xC2\xA0%%", 100 * value / sum);
        hsgd_html_close(&page->html, "data");
        hsgd_html_close(&page->html, "li");
    }
    hsgd_html_close(&page->html, "ul");
}

static void put_terms(hsgd_page *page, const cJSON *bounds)
{
    static const hsgd_html_column columns[] = {{"bound", false}, {"share of each term", false}};
    const cJSON *bound;
    hsgd_html_element(&page->html, "h3", NULL, "What the bounds are made of");
    hsgd_html_open_cards(&page->html, "Share of each term in the value of its bound", columns, 2);
    cJSON_ArrayForEach(bound, bounds)
    {
        const cJSON *terms = hsgd_page_get(bound, "terms");
        double sum = sum_of(terms);
        if (!(sum > 0) || !isfinite(sum))
            continue;
        hsgd_html_open_row(&page->html);
        hsgd_html_open_row_header(&page->html);
        hsgd_html_element(&page->html, "code", NULL, hsgd_page_string(bound, "id"));
        hsgd_html_close(&page->html, "th");
        hsgd_html_open_cell(&page->html, "terms");
        put_bar(page, terms, sum);
        put_shares(page, terms, sum);
        hsgd_html_close(&page->html, "td");
        hsgd_html_close_row(&page->html);
    }
    hsgd_html_close_table(&page->html);
}

static bool any_terms(const cJSON *bounds)
{
    const cJSON *bound;
    cJSON_ArrayForEach(bound, bounds) if (sum_of(hsgd_page_get(bound, "terms")) > 0) return true;
    return false;
}

void hsgd_page_bounds(hsgd_page *page)
{
    const cJSON *bounds = hsgd_page_get(page->root, "bounds");
    if (!hsgd_page_length(bounds))
        return;
    hsgd_page_open_section(page, "bounds", "Bounds");
    put_table(page, bounds);
    explain(page, bounds);
    if (any_terms(bounds))
        put_terms(page, bounds);
    hsgd_page_close_section(page);
}
