/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the numbers come from, how to get them again, and whom to cite. */
#include "experiments/page_private.h"

#include <math.h>
#include <string.h>

#include "bounds/verdict.h"

static void put_term(hsgd_page *page, const char *term, const char *text)
{
    if (!*text)
        return;
    hsgd_html_open(&page->html, "div");
    hsgd_html_element(&page->html, "dt", NULL, term);
    hsgd_html_element(&page->html, "dd", NULL, text);
    hsgd_html_close(&page->html, "div");
}

static void put_count(hsgd_page *page, const char *term, double count)
{
    char text[32];
    snprintf(text, sizeof text, "%.0f", count);
    put_term(page, term, isfinite(count) ? text : "");
}

static void put_libraries(hsgd_page *page, const cJSON *libraries)
{
    const cJSON *item;
    if (!cJSON_IsObject(libraries))
        return;
    hsgd_html_open(&page->html, "div");
    hsgd_html_element(&page->html, "dt", NULL, "libraries");
    hsgd_html_open(&page->html, "dd");
    cJSON_ArrayForEach(item, libraries) if (cJSON_IsString(item) && item->string)
        hsgd_html_textf(&page->html, "%s%s %s", item == libraries->child ? "" : ", ", item->string, item->valuestring);
    hsgd_html_close(&page->html, "dd");
    hsgd_html_close(&page->html, "div");
}

static void put_files(hsgd_page *page, const cJSON *files)
{
    static const hsgd_html_column columns[] = {{"file", false}, {"bytes", true}, {"SHA-256", false}};
    const cJSON *file;
    if (!hsgd_page_length(files))
        return;
    hsgd_html_open_cards(&page->html, "Data files, as they lay on the disk", columns, 3);
    cJSON_ArrayForEach(file, files)
    {
        hsgd_html_open_row(&page->html);
        hsgd_html_row_header(&page->html, hsgd_page_string(file, "name"));
        hsgd_page_number_cell(page, hsgd_page_value(file, "bytes"), 15);
        hsgd_html_open_cell(&page->html, "digest");
        hsgd_html_text(&page->html, hsgd_page_string(file, "sha256"));
        hsgd_html_close(&page->html, "td");
        hsgd_html_close_row(&page->html);
    }
    hsgd_html_close_table(&page->html);
}

/* Its SHA-256 says which code was run. */
static void put_plugin(hsgd_page *page, const cJSON *plugin)
{
    char text[256];
    if (!cJSON_IsObject(plugin))
        return;
    snprintf(text, sizeof text, "%s %s, %s", hsgd_page_string(plugin, "name"), hsgd_page_string(plugin, "version"),
             hsgd_page_string(plugin, "path"));
    put_term(page, "plug-in", text);
    put_term(page, "plug-in, SHA-256", hsgd_page_string(plugin, "sha256"));
}

static void put_origin(hsgd_page *page, const cJSON *provenance)
{
    hsgd_html_open_class(&page->html, "dl", "facts");
    put_term(page, "hsgd", hsgd_page_string(page->root, "version"));
    put_term(page, "commit", hsgd_page_string(provenance, "commit"));
    put_term(page, "date", hsgd_page_string(provenance, "date"));
    put_count(page, "first seed", hsgd_page_value(provenance, "first_seed"));
    put_count(page, "last seed", hsgd_page_value(provenance, "last_seed"));
    put_count(page, "threads", hsgd_page_value(provenance, "threads"));
    put_count(page, "processes", hsgd_page_value(provenance, "processes"));
    put_term(page, "MPI", hsgd_page_string(provenance, "mpi"));
    put_term(page, "processor", hsgd_page_string(provenance, "processor"));
    put_term(page, "its vector instructions", hsgd_page_string(provenance, "cpu_features"));
    put_term(page, "system", hsgd_page_string(provenance, "system"));
    put_term(page, "vector code", hsgd_page_string(provenance, "vector_path"));
    put_term(page, "compiler", hsgd_page_string(provenance, "compiler"));
    put_term(page, "compiler flags", hsgd_page_string(provenance, "compiler_flags"));
    put_libraries(page, hsgd_page_get(provenance, "libraries"));
    put_term(page, "configuration, SHA-256", hsgd_page_string(provenance, "config_sha256"));
    put_term(page, "images, SHA-256 of all", hsgd_page_string(provenance, "images_sha256"));
    put_term(page, "test images, SHA-256 of all", hsgd_page_string(provenance, "test_images_sha256"));
    put_plugin(page, hsgd_page_get(provenance, "plugin"));
    hsgd_html_close(&page->html, "dl");
    put_files(page, hsgd_page_get(provenance, "data_files"));
}

/* ---- repeat ---- */

static void put_repeat(hsgd_page *page, const cJSON *provenance)
{
    const char *command = hsgd_page_string(provenance, "command");
    hsgd_html_element(&page->html, "h3", NULL, "Repeat it");
    hsgd_html_open_class(&page->html, "pre", "scroll");
    hsgd_html_attribute(&page->html, "tabindex", "0");
    hsgd_html_open(&page->html, "code");
    hsgd_html_text(&page->html, "jq .config result.json > config.json\n");
    hsgd_html_textf(&page->html, "hsgd %s config.json --output again",
                    strcmp(command, "verify") == 0 ? "verify" : "run");
    hsgd_html_close(&page->html, "code");
    hsgd_html_close(&page->html, "pre");
    hsgd_html_open_class(&page->html, "p", "note");
    hsgd_html_text(&page->html,
                   "The configuration holds the seeds and all defaults; the numbers do not depend on the number of "
                   "threads, to the last bit.");
    if (cJSON_IsObject(hsgd_page_get(page->root, "data")))
        hsgd_html_text(&page->html,
                       " Paths of data in it are those of the machine of the run: elsewhere, put the names of the "
                       "files in their place and set HSGD_DATA_DIR to their folder.");
    if (cJSON_IsObject(hsgd_page_get(provenance, "plugin")))
        hsgd_html_text(&page->html,
                       " It needs the plug-in: elsewhere, compile it, and put its path into the configuration.");
    hsgd_html_close(&page->html, "p");
}

/* ---- cite ---- */

/* A bound that has a verdict and says where it is from. */
static bool is_source(const cJSON *bound)
{
    return *hsgd_page_string(bound, "citation") &&
           strcmp(hsgd_page_string(bound, "verdict"), hsgd_verdict_name(HSGD_VERDICT_NOT_APPLICABLE)) != 0;
}

static bool any_source(const cJSON *bounds)
{
    const cJSON *bound;
    cJSON_ArrayForEach(bound, bounds) if (is_source(bound)) return true;
    return false;
}

/* Has a bound before this one, with a verdict, the same source? */
static bool was_cited(const cJSON *bounds, const cJSON *until)
{
    const cJSON *bound;
    cJSON_ArrayForEach(bound, bounds)
    {
        if (bound == until)
            return false;
        if (is_source(bound) && strcmp(hsgd_page_string(bound, "citation"), hsgd_page_string(until, "citation")) == 0)
            return true;
    }
    return false;
}

static void put_sources(hsgd_page *page, const cJSON *bounds)
{
    const cJSON *bound;
    hsgd_html_open(&page->html, "ul");
    cJSON_ArrayForEach(bound, bounds)
    {
        if (!is_source(bound) || was_cited(bounds, bound))
            continue;
        hsgd_html_open(&page->html, "li");
        hsgd_html_element(&page->html, "code", NULL, hsgd_page_string(bound, "id"));
        hsgd_html_textf(&page->html, ": %s", hsgd_page_string(bound, "citation"));
        hsgd_html_close(&page->html, "li");
    }
    hsgd_html_close(&page->html, "ul");
}

void hsgd_page_citation(hsgd_page *page, const cJSON *provenance)
{
    const char *commit = hsgd_page_string(provenance, "commit");
    const cJSON *bounds = hsgd_page_get(page->root, "bounds");
    hsgd_html_element(&page->html, "h3", NULL, "Cite it");
    hsgd_html_open(&page->html, "p");
    hsgd_html_text(&page->html,
                   "Please cite the theory that was checked, for H-SGD: J. Wang, S. Wang, R.-R. Chen, M. Ji, "
                   "\xE2\x80\x9C"
                   "Demystifying why local aggregation helps: convergence analysis of hierarchical "
                   "SGD\xE2\x80\x9D, AAAI 2022, ");
    hsgd_html_link(&page->html, "https://arxiv.org/abs/2010.12998", "arXiv 2010.12998");
    hsgd_html_textf(&page->html, "; and the program: hsgd %s%s%s.%s", hsgd_page_string(page->root, "version"),
                    *commit ? ", commit " : "", commit,
                    any_source(bounds) ? " Sources of the bounds that have a verdict here:" : "");
    hsgd_html_close(&page->html, "p");
    if (any_source(bounds))
        put_sources(page, bounds);
}

void hsgd_page_provenance(hsgd_page *page)
{
    const cJSON *provenance = hsgd_page_get(page->root, "provenance");
    hsgd_page_open_section(page, "provenance", "Provenance");
    if (cJSON_IsObject(provenance))
        put_origin(page, provenance);
    else
        hsgd_html_elementf(
            &page->html, "p", NULL,
            "This result does not say where it comes from: it was made by hsgd %s, before provenance was "
            "recorded.",
            hsgd_page_string(page->root, "version"));
    put_repeat(page, provenance);
    hsgd_page_citation(page, provenance);
    hsgd_page_close_section(page);
}
