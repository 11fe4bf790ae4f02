/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Proof ladder, assumptions, and every other check. */
#include "experiments/page_private.h"

#include <math.h>
#include <string.h>

/* ---- proof ladder ---- */

/* A rung is { "value", "ci" }, everything else that has an interval { "mean", "ci" }. */
static void put_rung_value(hsgd_page *page, const cJSON *rung)
{
    const cJSON *ci = hsgd_page_get(rung, "ci"), *low = cJSON_GetArrayItem(ci, 0), *high = cJSON_GetArrayItem(ci, 1);
    hsgd_html_open_cell(&page->html, NULL);
    hsgd_page_number(page, hsgd_page_value(rung, "value"), 4);
    if (cJSON_IsNumber(low) && cJSON_IsNumber(high) && low->valuedouble < high->valuedouble) {
        hsgd_html_open_class(&page->html, "span", "interval");
        hsgd_html_text(&page->html, " \xC2\xB1 ");
        hsgd_page_number(page, (high->valuedouble - low->valuedouble) / 2, 2);
        hsgd_html_close(&page->html, "span");
    }
    hsgd_html_close(&page->html, "td");
}

static void put_rung(hsgd_page *page, const cJSON *rung)
{
    const cJSON *step = hsgd_page_get(rung, "step");
    double share = hsgd_page_value(step, "share");
    hsgd_html_open_row(&page->html);
    hsgd_html_open_row_header(&page->html);
    hsgd_html_elementf(&page->html, "span", "rung", "%s", hsgd_page_string(rung, "rung"));
    hsgd_html_textf(&page->html, " %s", hsgd_page_string(rung, "name"));
    hsgd_html_close(&page->html, "th");
    put_rung_value(page, rung);
    hsgd_page_interval_cell(page, step, "ci_joint", 4);
    hsgd_html_open_cell(&page->html, NULL);
    if (isfinite(share))
        hsgd_html_textf(&page->html, "%.1f\xC2\xA0%%", 100 * share);
    hsgd_html_close(&page->html, "td");
    hsgd_html_cell(&page->html, hsgd_page_string(step, "uses"));
    hsgd_page_kind_cell(page, step ? hsgd_page_string(rung, "constants") : "");
    hsgd_page_verdict_cell(page, hsgd_page_string(step, "verdict"), hsgd_page_string(rung, "constants"),
                           hsgd_page_string(step, "reason"));
    hsgd_html_close_row(&page->html);
}

void hsgd_page_ladder(hsgd_page *page)
{
    static const hsgd_html_column columns[] = {{"rung", false}, {"value", true}, {"step", true},    {"share", true},
                                               {"uses", false}, {"kind", false}, {"verdict", false}};
    const cJSON *ladder = hsgd_page_get(page->root, "ladder"), *rung;
    if (!hsgd_page_length(ladder))
        return;
    hsgd_page_open_section(page, "ladder", "Proof ladder");
    hsgd_html_open_cards(&page->html, "From the measured S to the published bound", columns,
                         sizeof columns / sizeof *columns);
    cJSON_ArrayForEach(rung, ladder) put_rung(page, rung);
    hsgd_html_close_table(&page->html);
    hsgd_html_element(
        &page->html, "p", "note",
        "Every rung is at least the one before, if the premise that its step uses is true. The share is that of "
        "the whole slack between the measured S and the published bound: it says where the bound is loose.");
    hsgd_page_close_section(page);
}

/* ---- assumptions ---- */

static void put_seen(hsgd_page *page, const cJSON *item)
{
    const char *where = hsgd_page_string(item, "where");
    hsgd_html_open_cell(&page->html, NULL);
    hsgd_page_interval(page, hsgd_page_get(item, "seen"), "ci_joint", 4);
    if (*where)
        hsgd_html_element(&page->html, "div", "reason", where);
    hsgd_html_close(&page->html, "td");
}

static void put_assumption(hsgd_page *page, const cJSON *item)
{
    const cJSON *limit = hsgd_page_get(item, "limit");
    hsgd_html_open_row(&page->html);
    hsgd_html_open_row_header(&page->html);
    hsgd_html_textf(&page->html, "%s: %s", hsgd_page_string(item, "assumption"), hsgd_page_string(item, "name"));
    hsgd_html_element(&page->html, "div", "about", hsgd_page_string(item, "how"));
    hsgd_html_close(&page->html, "th");
    hsgd_html_open_cell(&page->html, NULL);
    hsgd_html_textf(&page->html, "%s ",
                    strcmp(hsgd_page_string(item, "relation"), "<=") == 0   ? "\xE2\x89\xA4"
                    : strcmp(hsgd_page_string(item, "relation"), ">=") == 0 ? "\xE2\x89\xA5"
                                                                            : hsgd_page_string(item, "relation"));
    hsgd_page_number(page, hsgd_page_value(limit, "value"), 5);
    hsgd_html_close(&page->html, "td");
    hsgd_page_kind_cell(page, hsgd_page_string(limit, "kind"));
    hsgd_page_number_cell(page, hsgd_page_value(item, "proved"), 5);
    put_seen(page, item);
    hsgd_page_number_cell(page, hsgd_page_value(item, "margin"), 3);
    hsgd_page_verdict_cell(page, hsgd_page_string(item, "verdict"), hsgd_page_string(limit, "kind"),
                           hsgd_page_string(item, "reason"));
    hsgd_html_close_row(&page->html);
}

void hsgd_page_audit(hsgd_page *page)
{
    static const hsgd_html_column columns[] = {{"premise and quantity", false},
                                               {"must be", true},
                                               {"kind", false},
                                               {"proved", true},
                                               {"seen", true},
                                               {"ratio", true},
                                               {"verdict", false}};
    const cJSON *audit = hsgd_page_get(page->root, "audit"), *item;
    if (!hsgd_page_length(audit))
        return;
    hsgd_page_open_section(page, "assumptions", "Assumptions");
    hsgd_html_open_cards(&page->html, "The constants, and what the run showed of them", columns,
                         sizeof columns / sizeof *columns);
    cJSON_ArrayForEach(item, audit) put_assumption(page, item);
    hsgd_html_close_table(&page->html);
    hsgd_html_element(
        &page->html, "p", "note",
        "Must be is the constant that the bounds are evaluated with, seen what the run showed of it, proved a "
        "bound that holds for every w. Where a mean must be equal, holds says that the joint interval contains "
        "the number: not refuted.");
    hsgd_page_close_section(page);
}

/* ---- dispersion and identities ---- */

static void put_dispersion(hsgd_page *page, const cJSON *dispersion)
{
    static const hsgd_html_column columns[] = {
        {"level", false}, {"largest share of its bound", true}, {"at step", true}, {"kind", false}, {"verdict", false}};
    const cJSON *item;
    if (!hsgd_page_length(dispersion))
        return;
    hsgd_html_element(&page->html, "h3", NULL, "Dispersion of the models");
    hsgd_html_open_cards(&page->html, "Dispersion of every level at every step against its recursive bound", columns,
                         5);
    cJSON_ArrayForEach(item, dispersion)
    {
        hsgd_html_open_row(&page->html);
        hsgd_html_open_row_header(&page->html);
        hsgd_html_textf(&page->html, "%.0f", hsgd_page_value(item, "level"));
        hsgd_html_close(&page->html, "th");
        hsgd_page_number_cell(page, hsgd_page_value(item, "max_ratio"), 3);
        hsgd_page_number_cell(page, hsgd_page_value(item, "max_ratio_step"), 9);
        hsgd_page_kind_cell(page, hsgd_page_string(item, "constants"));
        hsgd_page_verdict_cell(page, hsgd_page_string(item, "verdict"), hsgd_page_string(item, "constants"),
                               hsgd_page_string(item, "verdict_reason"));
        hsgd_html_close_row(&page->html);
    }
    hsgd_html_close_table(&page->html);
}

static void put_identities(hsgd_page *page, const cJSON *identities)
{
    static const hsgd_html_column columns[] = {
        {"identity", false}, {"largest relative error", true}, {"verdict", false}};
    const cJSON *item;
    if (!hsgd_page_length(identities))
        return;
    hsgd_html_element(&page->html, "h3", NULL, "Identities");
    hsgd_html_open_table(&page->html, "What must be equal at every measured step", columns, 3);
    cJSON_ArrayForEach(item, identities)
    {
        hsgd_html_open_row(&page->html);
        hsgd_html_row_header(&page->html, hsgd_page_string(item, "name"));
        hsgd_page_number_cell(page, hsgd_page_value(item, "max_relative_error"), 2);
        hsgd_page_verdict_cell(page, hsgd_page_string(item, "verdict"), "", "");
        hsgd_html_close_row(&page->html);
    }
    hsgd_html_close_table(&page->html);
}

/* ---- sandwich ---- */

static void put_sandwich_row(hsgd_page *page, const cJSON *three, const char *name)
{
    if (hsgd_page_length(three) != 3)
        return;
    hsgd_html_open_row(&page->html);
    hsgd_html_row_header(&page->html, name);
    for (int i = 0; i < 3; i++) {
        const cJSON *item = cJSON_GetArrayItem(three, i);
        hsgd_html_open_cell(&page->html, NULL);
        hsgd_html_text(&page->html, cJSON_IsString(item) ? item->valuestring : "");
        hsgd_html_close(&page->html, "td");
    }
    hsgd_html_close_row(&page->html);
}

static void put_sandwich(hsgd_page *page, const cJSON *sandwich)
{
    static const hsgd_html_column columns[] = {
        {"", false}, {"local SGD, period I", true}, {"H-SGD, random groups", true}, {"local SGD, period G", true}};
    hsgd_html_element(&page->html, "h3", NULL, "Sandwich");
    if (!cJSON_IsObject(sandwich)) {
        hsgd_html_element(&page->html, "p", NULL, "Not applicable: the workers\xE2\x80\x99 weights are not equal.");
        return;
    }
    hsgd_html_open_table(&page->html, "H-SGD between two local SGDs, in exact rational arithmetic", columns, 4);
    put_sandwich_row(page, hsgd_page_get(sandwich, "noise"), "coefficient of the noise");
    put_sandwich_row(page, hsgd_page_get(sandwich, "divergence"), "coefficient of the divergence");
    if (isfinite(hsgd_page_value(sandwich, "middle"))) {
        hsgd_html_open_row(&page->html);
        hsgd_html_row_header(&page->html, "published bound");
        hsgd_page_number_cell(page, hsgd_page_value(sandwich, "inner"), 5);
        hsgd_page_number_cell(page, hsgd_page_value(sandwich, "middle"), 5);
        hsgd_page_number_cell(page, hsgd_page_value(sandwich, "outer"), 5);
        hsgd_html_close_row(&page->html);
    }
    hsgd_html_close_table(&page->html);
    hsgd_html_open(&page->html, "p");
    hsgd_html_text(&page->html, "Each row must not decrease from left to right: ");
    hsgd_page_verdict(page, hsgd_page_is_true(sandwich, "holds") ? "holds" : "violated");
    hsgd_html_text(&page->html, " (exact).");
    hsgd_html_close(&page->html, "p");
}

/* ---- random grouping ---- */

/* "w^0" and "wbar^T" as they are written by hand; any other text as it is. */
static const char *point_name(const char *point)
{
    if (strcmp(point, "w^0") == 0)
        return "w\xE2\x81\xB0";
    return strcmp(point, "wbar^T") == 0 ? "w\xCC\x84\xE1\xB5\x80" : point;
}

static void put_side(hsgd_page *page, const cJSON *point, const cJSON *level, const char *side)
{
    const cJSON *lemma = hsgd_page_get(level, side);
    hsgd_html_open_row(&page->html);
    hsgd_html_open_row_header(&page->html);
    hsgd_html_textf(&page->html, "%s, level %.0f, at %s", side, hsgd_page_value(level, "level"),
                    point_name(hsgd_page_string(point, "point")));
    hsgd_html_close(&page->html, "th");
    hsgd_html_open_cell(&page->html, NULL);
    hsgd_page_number(page, hsgd_page_value(point, "visited"), 9);
    hsgd_html_textf(&page->html, ", %s", hsgd_page_string(point, "method"));
    hsgd_html_close(&page->html, "td");
    hsgd_page_interval_cell(page, lemma, strcmp(hsgd_page_string(point, "method"), "enumeration") == 0 ? "" : "ci", 4);
    hsgd_page_number_cell(page, hsgd_page_value(lemma, "theory"), 4);
    hsgd_page_verdict_cell(page, hsgd_page_string(lemma, "verdict"), "", "");
    hsgd_html_close_row(&page->html);
}

static void put_groupings(hsgd_page *page, const cJSON *check)
{
    static const hsgd_html_column columns[] = {
        {"mean divergence", false}, {"groupings", true}, {"mean", true}, {"closed form", true}, {"verdict", false}};
    const cJSON *points = hsgd_page_get(check, "points"), *point, *level;
    if (!hsgd_page_length(points))
        return;
    hsgd_html_element(&page->html, "h3", NULL, "Random grouping");
    hsgd_html_open_cards(&page->html, "Mean divergences over groupings against their closed form", columns, 5);
    cJSON_ArrayForEach(point, points) cJSON_ArrayForEach(level, hsgd_page_get(point, "levels"))
    {
        if (!level->next) /* the last level is the whole, whatever the grouping */
            break;
        put_side(page, point, level, "upward");
        put_side(page, point, level, "downward");
    }
    hsgd_html_close_table(&page->html);
}

void hsgd_page_checks(hsgd_page *page)
{
    hsgd_page_open_section(page, "checks", "Dispersion, identities, sandwich");
    put_dispersion(page, hsgd_page_get(page->root, "dispersion"));
    put_identities(page, hsgd_page_get(page->root, "identities"));
    put_groupings(page, hsgd_page_get(page->root, "random_grouping"));
    if (hsgd_page_get(page->root, "sandwich"))
        put_sandwich(page, hsgd_page_get(page->root, "sandwich"));
    hsgd_page_close_section(page);
}
