/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The top of the page: what was run, and what it comes to. */
#include "experiments/page_private.h"

#include <math.h>
#include <string.h>

#include "bounds/verdict.h"

enum { NUM_VERDICTS = HSGD_VERDICT_NOT_APPLICABLE + 1 };

/* How many checks have which verdict. */
typedef struct tally {
    size_t count[NUM_VERDICTS];
} tally;

static void count(tally *t, const char *verdict)
{
    for (int v = 0; v < NUM_VERDICTS; v++)
        t->count[v] += strcmp(verdict, hsgd_verdict_name((hsgd_verdict)v)) == 0;
}

static void count_list(tally *t, const cJSON *list)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list) count(t, hsgd_page_string(item, "verdict"));
}

static hsgd_verdict parse(const char *verdict)
{
    for (int v = 0; v < NUM_VERDICTS; v++)
        if (strcmp(verdict, hsgd_verdict_name((hsgd_verdict)v)) == 0)
            return (hsgd_verdict)v;
    return HSGD_VERDICT_NOT_APPLICABLE;
}

/* At each point all levels but the last, where the two sides are one check. */
static void count_groupings(tally *t, const cJSON *points)
{
    const cJSON *point, *level;
    cJSON_ArrayForEach(point, points) cJSON_ArrayForEach(level, hsgd_page_get(point, "levels")) if (level->next) count(
        t, hsgd_verdict_name(hsgd_verdict_worse(parse(hsgd_page_string(hsgd_page_get(level, "upward"), "verdict")),
                                                parse(hsgd_page_string(hsgd_page_get(level, "downward"), "verdict")))));
}

/* The same checks as the last line of hsgd verify. */
static tally count_all(const cJSON *root)
{
    tally t = {{0}};
    const cJSON *rung, *sandwich = hsgd_page_get(root, "sandwich");
    count_list(&t, hsgd_page_get(root, "audit"));
    count_list(&t, hsgd_page_get(root, "bounds"));
    count_list(&t, hsgd_page_get(root, "dispersion"));
    count_list(&t, hsgd_page_get(root, "identities"));
    cJSON_ArrayForEach(rung, hsgd_page_get(root, "ladder"))
        count(&t, hsgd_page_string(hsgd_page_get(rung, "step"), "verdict"));
    if (cJSON_IsObject(sandwich))
        count(&t, hsgd_verdict_name(hsgd_page_is_true(sandwich, "holds") ? HSGD_VERDICT_HOLDS : HSGD_VERDICT_VIOLATED));
    count_groupings(&t, hsgd_page_get(hsgd_page_get(root, "random_grouping"), "points"));
    return t;
}

/* ---- what it comes to ---- */

/* "9 of 9 hold, 0 are violated, 0 inconclusive; 5 are not applicable" */
static void put_tally(hsgd_page *page, const tally *t)
{
    size_t judged =
        t->count[HSGD_VERDICT_HOLDS] + t->count[HSGD_VERDICT_VIOLATED] + t->count[HSGD_VERDICT_INCONCLUSIVE];
    hsgd_html_elementf(&page->html, "strong", NULL, "%zu of %zu hold", t->count[HSGD_VERDICT_HOLDS], judged);
    hsgd_html_textf(&page->html, ", %zu violated, %zu inconclusive", t->count[HSGD_VERDICT_VIOLATED],
                    t->count[HSGD_VERDICT_INCONCLUSIVE]);
    if (t->count[HSGD_VERDICT_NOT_APPLICABLE])
        hsgd_html_textf(&page->html, " (%zu not applicable)", t->count[HSGD_VERDICT_NOT_APPLICABLE]);
}

static bool any_kind(const cJSON *bounds, const char *kind)
{
    const cJSON *bound;
    cJSON_ArrayForEach(bound, bounds) if (strcmp(hsgd_page_string(bound, "constants"), kind) == 0 &&
                                          parse(hsgd_page_string(bound, "verdict")) !=
                                              HSGD_VERDICT_NOT_APPLICABLE) return true;
    return false;
}

static void put_confidence(hsgd_page *page)
{
    double confidence = hsgd_page_confidence(page->root);
    if (hsgd_page_is_true(page->root, "deterministic"))
        hsgd_html_text(&page->html, "; nothing in this run is random, so they are compared exactly. ");
    else if (isfinite(confidence))
        hsgd_html_textf(&page->html, ", jointly at %g\xC2\xA0%% confidence. ", 100 * confidence);
}

static void put_caveats(hsgd_page *page)
{
    const cJSON *bounds = hsgd_page_get(page->root, "bounds");
    double diverged = hsgd_page_value(hsgd_page_get(page->root, "measured"), "diverged_seeds");
    if (any_kind(bounds, "trajectory"))
        hsgd_html_text(&page->html, "Verdicts marked (trajectory) rest on the largest divergences that the run met: "
                                    "evidence, not proof. ");
    if (any_kind(bounds, "estimate"))
        hsgd_html_text(&page->html, "Verdicts marked (estimated) rest on constants that a search found: evidence, "
                                    "not proof. ");
    if (diverged > 0)
        hsgd_html_elementf(&page->html, "strong", NULL, "Diverged: %.0f of %.0f runs. ", diverged,
                           hsgd_page_value(page->root, "runs"));
}

static void put_verdict(hsgd_page *page)
{
    const char *all = hsgd_page_string(page->root, "verdict_on_all_checks");
    const char *overall = *all ? all : hsgd_page_string(page->root, "verdict");
    tally bounds = {{0}}, checks = count_all(page->root);
    count_list(&bounds, hsgd_page_get(page->root, "bounds"));
    hsgd_html_open_class(&page->html, "div", "lead");
    hsgd_html_open_class(&page->html, "p", "overall");
    hsgd_page_verdict(page, *overall ? overall : "no verdict");
    hsgd_html_close(&page->html, "p");
    hsgd_html_open(&page->html, "p");
    if (hsgd_page_length(hsgd_page_get(page->root, "bounds"))) {
        hsgd_html_text(&page->html, "Bounds: ");
        put_tally(page, &bounds);
        put_confidence(page);
    } else
        hsgd_html_text(&page->html, "No bounds were asked for. ");
    hsgd_html_text(&page->html, "All checks: ");
    put_tally(page, &checks);
    hsgd_html_text(&page->html, ". ");
    put_caveats(page);
    hsgd_html_close(&page->html, "p");
    hsgd_html_close(&page->html, "div");
}

/* ---- what was run ---- */

static void put_list(hsgd_page *page, const cJSON *list, const char *between)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
        hsgd_html_textf(&page->html, "%s%g", item == list->child ? "" : between, item->valuedouble);
}

static void put_tree(hsgd_page *page)
{
    const cJSON *hierarchy = hsgd_page_get(page->root, "hierarchy");
    const cJSON *fanout = hsgd_page_get(hierarchy, "fanout");
    hsgd_html_textf(&page->html, "H-SGD on %.0f workers", hsgd_page_value(hierarchy, "workers"));
    if (cJSON_IsArray(fanout)) {
        hsgd_html_text(&page->html, " (");
        put_list(page, fanout, " \xC3\x97 ");
        hsgd_html_text(&page->html, "), periods ");
        put_list(page, hsgd_page_get(hierarchy, "periods"), " and ");
    } else
        hsgd_html_textf(&page->html, " in a tree of %.0f levels, periods %.0f to %.0f",
                        hsgd_page_value(hierarchy, "levels"), hsgd_page_value(hierarchy, "local_period"),
                        hsgd_page_value(hierarchy, "global_period"));
}

static void put_setting(hsgd_page *page)
{
    const cJSON *config = hsgd_page_get(page->root, "config"), *data = hsgd_page_get(page->root, "data");
    hsgd_html_open_class(&page->html, "p", "setting");
    put_tree(page);
    const cJSON *plugin = hsgd_page_get(hsgd_page_get(page->root, "provenance"), "plugin");
    if (plugin)
        hsgd_html_textf(&page->html, "; objective of the plug-in %s", hsgd_page_string(plugin, "name"));
    else
        hsgd_html_textf(&page->html, "; %s problem", hsgd_page_string(hsgd_page_get(config, "problem"), "type"));
    if (cJSON_IsObject(data))
        hsgd_html_textf(&page->html, " on %.0f samples of %.0f features in %.0f classes",
                        hsgd_page_value(data, "samples"), hsgd_page_value(data, "features"),
                        hsgd_page_value(data, "classes"));
    hsgd_html_textf(&page->html, "; grouping %s; T = %.0f steps of size \xCE\xB3 = %.5g; ",
                    hsgd_page_string(hsgd_page_get(page->root, "grouping"), "scheme"),
                    hsgd_page_value(page->root, "steps"), hsgd_page_value(page->root, "step_size"));
    double seeds = hsgd_page_value(page->root, "seeds"), every = hsgd_page_value(config, "measure_every");
    hsgd_html_textf(&page->html, "%.0f seed%s", seeds, seeds == 1 ? "" : "s");
    if (every > 1)
        hsgd_html_textf(&page->html, ", measured every %.0f steps", every);
    hsgd_html_text(&page->html, ".");
    hsgd_html_close(&page->html, "p");
}

void hsgd_page_head(hsgd_page *page)
{
    hsgd_html_open(&page->html, "header");
    hsgd_html_element(&page->html, "p", "kicker", "Does the theory of hierarchical SGD hold on this run?");
    hsgd_html_element(&page->html, "h1", NULL, hsgd_page_string(page->root, "name"));
    put_setting(page);
    put_verdict(page);
    hsgd_html_close(&page->html, "header");
}
