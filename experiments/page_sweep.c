/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page of a sweep: its axes, a row for every point with a link to its results, and the combined figures. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bounds/verdict.h"
#include "experiments/page_private.h"
#include "experiments/sweep_private.h"

/* The columns of bounds. */
typedef struct columns {
    hsgd_sweep_kinds kinds;
    bool shown[HSGD_MAX_SWEEP_KINDS]; /* a verdict was given on this kind anywhere */
    char heading[HSGD_MAX_SWEEP_KINDS][64];
} columns;

/* ---- head ---- */

static void put_setting(hsgd_page *page, const cJSON *axes)
{
    const cJSON *axis;
    hsgd_html_open_class(&page->html, "p", "setting");
    hsgd_html_textf(&page->html, "%zu experiments over ", hsgd_page_length(hsgd_page_get(page->root, "points")));
    cJSON_ArrayForEach(axis, axes)
        hsgd_html_textf(&page->html, "%s%s (%zu values)", axis == axes->child ? "" : " \xC3\x97 ",
                        hsgd_page_string(axis, "name"), hsgd_page_length(hsgd_page_get(axis, "labels")));
    hsgd_html_text(&page->html, ".");
    hsgd_html_close(&page->html, "p");
}

/* Points by what became of them, the most serious first. */
static void put_verdicts(hsgd_page *page, const cJSON *points)
{
    static const hsgd_verdict order[] = {HSGD_VERDICT_VIOLATED, HSGD_VERDICT_INCONCLUSIVE, HSGD_VERDICT_HOLDS,
                                         HSGD_VERDICT_NOT_APPLICABLE};
    size_t count[HSGD_VERDICT_NOT_APPLICABLE + 1] = {0}, others = 0;
    hsgd_verdict worst = HSGD_VERDICT_NOT_APPLICABLE;
    const cJSON *point;
    cJSON_ArrayForEach(point, points)
    {
        size_t before = count[0] + count[1] + count[2] + count[3];
        for (hsgd_verdict v = HSGD_VERDICT_HOLDS; v <= HSGD_VERDICT_NOT_APPLICABLE; v++)
            if (strcmp(hsgd_page_string(point, "verdict"), hsgd_verdict_name(v)) == 0) {
                count[v]++;
                worst = hsgd_verdict_worse(worst, v);
            }
        others += before == count[0] + count[1] + count[2] + count[3];
    }
    hsgd_html_open_class(&page->html, "div", "lead");
    hsgd_html_open_class(&page->html, "p", "overall");
    hsgd_page_verdict(page, hsgd_verdict_name(worst));
    hsgd_html_close(&page->html, "p");
    hsgd_html_open(&page->html, "p");
    hsgd_html_text(&page->html, "Experiments by their verdict: ");
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        hsgd_html_textf(&page->html, "%s%zu %s", i ? ", " : "", count[order[i]],
                        order[i] == HSGD_VERDICT_HOLDS ? "hold" : hsgd_verdict_name(order[i]));
    hsgd_html_textf(&page->html, "; %zu without results.", others);
    if (isfinite(hsgd_page_value(page->root, "confidence")))
        hsgd_html_textf(&page->html,
                        " The verdicts on the bounds of one experiment hold together at %g\xC2\xA0%% confidence.",
                        100 * hsgd_page_value(page->root, "confidence"));
    hsgd_html_close(&page->html, "p");
    hsgd_html_close(&page->html, "div");
}

/* ---- points ---- */

/* To its own page where there is one, else to its numbers; the title alone for a point that has not been run. */
static void put_point_header(hsgd_page *page, const cJSON *point)
{
    static const char *const files[] = {"report.html", "result.json"};
    const char *folder = hsgd_page_string(point, "folder"), *title = hsgd_page_string(point, "title");
    bool linked = false;
    hsgd_html_open_row_header(&page->html);
    for (size_t i = 0; i < sizeof files / sizeof *files && !linked; i++) {
        char *file = NULL;
        if (asprintf(&file, "%s/%s", folder, files[i]) < 0)
            break;
        linked = hsgd_page_link_if_there(page, file, title);
        free(file);
    }
    if (!linked)
        hsgd_html_text(&page->html, title);
    hsgd_html_close(&page->html, "th");
}

/* The bound, and below it how near the measured S comes, and the verdict. */
static void put_bound_cell(hsgd_page *page, const cJSON *bound)
{
    hsgd_html_open_cell(&page->html, NULL);
    hsgd_page_number(page, hsgd_page_value(bound, "value"), 4);
    if (bound) {
        hsgd_html_open_class(&page->html, "div", "interval");
        hsgd_html_text(&page->html, "ratio ");
        hsgd_page_number(page, hsgd_page_value(bound, "ratio"), 3);
        hsgd_html_text(&page->html, " ");
        hsgd_page_verdict(page, hsgd_page_string(bound, "verdict"));
        hsgd_page_basis(page, hsgd_page_string(bound, "constants"));
        hsgd_html_close(&page->html, "div");
    }
    hsgd_html_close(&page->html, "td");
}

static void put_point(hsgd_page *page, const cJSON *point, const columns *c)
{
    const char *state = hsgd_page_string(point, "state"), *verdict = hsgd_page_string(point, "verdict");
    hsgd_html_open_row(&page->html);
    put_point_header(page, point);
    if (*verdict)
        hsgd_page_verdict_cell(page, verdict, "", hsgd_page_string(point, "reason"));
    else {
        hsgd_html_open_cell(&page->html, "decision");
        hsgd_html_text(&page->html, state);
        if (*hsgd_page_string(point, "reason"))
            hsgd_html_element(&page->html, "div", "reason", hsgd_page_string(point, "reason"));
        hsgd_html_close(&page->html, "td");
    }
    hsgd_page_interval_cell(page, hsgd_page_get(hsgd_page_get(point, "measured"), "S"), "ci", 4);
    for (size_t k = 0; k < hsgd_sweep_num_kinds(&c->kinds); k++)
        if (c->shown[k])
            put_bound_cell(page, hsgd_sweep_find_bound(&c->kinds, hsgd_page_get(point, "bounds"), k));
    hsgd_html_close_row(&page->html);
}

/* Columns for the kinds of bounds on which a verdict was given anywhere. */
static void choose_columns(columns *c, const cJSON *points)
{
    const cJSON *point;
    *c = (columns){.kinds = {.num_own = 0}};
    cJSON_ArrayForEach(point, points) hsgd_sweep_add_kinds(&c->kinds, hsgd_page_get(point, "bounds"));
    for (size_t k = 0; k < hsgd_sweep_num_kinds(&c->kinds); k++) {
        snprintf(c->heading[k], sizeof c->heading[k], "%.48s%s", hsgd_sweep_kind_name(&c->kinds, k),
                 k < HSGD_NUM_SWEEP_KINDS ? " bound" : "");
        cJSON_ArrayForEach(point, points) c->shown[k] |=
            hsgd_sweep_find_bound(&c->kinds, hsgd_page_get(point, "bounds"), k) != NULL;
    }
}

static void put_points(hsgd_page *page, const cJSON *points)
{
    columns c;
    hsgd_html_column column[3 + HSGD_MAX_SWEEP_KINDS] = {{"experiment", false}, {"verdict", false}, {"S", true}};
    size_t num_columns = 3;
    const cJSON *point;
    choose_columns(&c, points);
    for (size_t k = 0; k < hsgd_sweep_num_kinds(&c.kinds); k++)
        if (c.shown[k])
            column[num_columns++] = (hsgd_html_column){c.heading[k], true};
    hsgd_page_open_section(page, "points", "Experiments");
    hsgd_html_open_cards(&page->html, "Measured S and the bounds on it, for every experiment", column, num_columns);
    cJSON_ArrayForEach(point, points) put_point(page, point, &c);
    hsgd_html_close_table(&page->html);
    hsgd_html_element(&page->html, "p", "note",
                      "The verdict in the second column speaks of all bounds of the experiment that were asked for; "
                      "the ratio is S over the bound. Each "
                      "experiment has a folder of its own with everything; its name leads there.");
    hsgd_page_close_section(page);
}

/* ---- axes and origin ---- */

static void put_axes(hsgd_page *page, const cJSON *axes)
{
    const cJSON *axis, *label;
    hsgd_page_open_section(page, "axes", "Axes");
    hsgd_html_open_class(&page->html, "dl", "facts");
    cJSON_ArrayForEach(axis, axes)
    {
        const cJSON *labels = hsgd_page_get(axis, "labels");
        hsgd_html_open(&page->html, "div");
        hsgd_html_element(&page->html, "dt", NULL, hsgd_page_string(axis, "name"));
        hsgd_html_open(&page->html, "dd");
        cJSON_ArrayForEach(label, labels) hsgd_html_textf(&page->html, "%s%s", label == labels->child ? "" : "; ",
                                                          cJSON_IsString(label) ? label->valuestring : "");
        hsgd_html_close(&page->html, "dd");
        hsgd_html_close(&page->html, "div");
    }
    hsgd_html_close(&page->html, "dl");
    hsgd_page_close_section(page);
}

static void put_origin(hsgd_page *page)
{
    hsgd_page_open_section(page, "provenance", "Provenance");
    hsgd_html_elementf(
        &page->html, "p", NULL,
        "Made by hsgd %s. The result.json of every experiment says on which machine, with which data and from "
        "which configuration it was made.",
        hsgd_page_string(page->root, "version"));
    hsgd_page_citation(page, NULL);
    hsgd_page_close_section(page);
}

hsgd_status hsgd_page_sweep(hsgd_page *page, hsgd_error *err)
{
    const cJSON *points = hsgd_page_get(page->root, "points"), *axes = hsgd_page_get(page->root, "axes");
    hsgd_html_open(&page->html, "header");
    hsgd_html_element(&page->html, "p", "kicker", "Does the theory of hierarchical SGD hold on these runs?");
    hsgd_html_element(&page->html, "h1", NULL, hsgd_page_string(page->root, "name"));
    put_setting(page, axes);
    put_verdicts(page, points);
    hsgd_html_close(&page->html, "header");
    hsgd_html_open(&page->html, "main");
    put_points(page, points);
    hsgd_status status = hsgd_page_figures(page, err);
    if (status)
        return status;
    put_axes(page, axes);
    put_origin(page);
    hsgd_html_close(&page->html, "main");
    return HSGD_OK;
}
