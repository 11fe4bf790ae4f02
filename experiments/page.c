/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page as a whole: its head, the list of its sections, and the sections in the order in which a referee asks. */
#include "experiments/embedded_private.h"
#include "experiments/page_private.h"

static void put_meta(hsgd_html *html, const char *name, const char *content)
{
    hsgd_html_open(html, "meta");
    hsgd_html_attribute(html, "name", name);
    hsgd_html_attribute(html, "content", content);
    hsgd_html_close(html, "meta");
}

static void put_document_head(hsgd_page *page)
{
    hsgd_html *html = &page->html;
    hsgd_html_open(html, "head");
    hsgd_html_open(html, "meta");
    hsgd_html_attribute(html, "charset", "utf-8");
    hsgd_html_close(html, "meta");
    put_meta(html, "viewport", "width=device-width, initial-scale=1");
    put_meta(html, "color-scheme", "light dark");
    put_meta(html, "generator", "hsgd " HSGD_VERSION);
    hsgd_html_open(html, "meta"); /* should anything ever slip through: nothing is loaded, no script runs */
    hsgd_html_attribute(html, "http-equiv", "Content-Security-Policy");
    hsgd_html_attribute(html, "content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:");
    hsgd_html_close(html, "meta");
    hsgd_html_elementf(html, "title", NULL, "%s: hsgd report", hsgd_page_string(page->root, "name"));
    hsgd_html_style_sheet(html, hsgd_embedded_report_css);
    hsgd_html_close(html, "head");
}

/* Links to the sections that this page has. */
static void put_contents(hsgd_page *page)
{
    const cJSON *root = page->root;
    const struct {
        bool there;
        const char *id, *text;
    } section[] = {{hsgd_page_length(hsgd_page_get(root, "bounds")) > 0, "#bounds", "Bounds"},
                   {true, "#constants", "Constants"},
                   {page->drawings->count || page->drawings->report.num_notes, "#figures", "Figures"},
                   {hsgd_page_length(hsgd_page_get(root, "ladder")) > 0, "#ladder", "Proof ladder"},
                   {hsgd_page_length(hsgd_page_get(root, "audit")) > 0, "#assumptions", "Assumptions"},
                   {true, "#checks", "Other checks"},
                   {hsgd_page_has_metrics(page), "#metrics", "Accuracy"},
                   {cJSON_IsObject(hsgd_page_get(root, "partition")), "#partition", "Data"},
                   {true, "#configuration", "Configuration"},
                   {true, "#provenance", "Provenance"}};
    hsgd_html_open(&page->html, "nav");
    hsgd_html_attribute(&page->html, "aria-label", "Sections");
    hsgd_html_open(&page->html, "ul");
    for (size_t i = 0; i < sizeof section / sizeof *section; i++)
        if (section[i].there) {
            hsgd_html_open(&page->html, "li");
            hsgd_html_link(&page->html, section[i].id, section[i].text);
            hsgd_html_close(&page->html, "li");
        }
    hsgd_html_close(&page->html, "ul");
    hsgd_html_close(&page->html, "nav");
}

static void put_footer(hsgd_page *page)
{
    hsgd_html_open(&page->html, "footer");
    hsgd_html_open(&page->html, "p");
    hsgd_html_textf(&page->html, "Made by hsgd %s from the result folder alone: ", HSGD_VERSION);
    static const char *const names[][3] = {{"result.json", "series.csv", "nodes.csv"},
                                           {"sweep.json", "sweep.csv", NULL}};
    for (size_t i = 0; i < 3 && names[page->is_sweep][i]; i++) {
        hsgd_html_text(&page->html, i ? ", " : "");
        hsgd_page_file_link(page, names[page->is_sweep][i]);
    }
    hsgd_html_text(&page->html, ".");
    hsgd_html_close(&page->html, "p");
    hsgd_html_close(&page->html, "footer");
}

static hsgd_status put_experiment(hsgd_page *page, hsgd_error *err)
{
    hsgd_page_head(page);
    put_contents(page);
    hsgd_html_open(&page->html, "main");
    hsgd_page_bounds(page);
    hsgd_page_constants(page);
    hsgd_status status = hsgd_page_figures(page, err);
    if (status)
        return status;
    hsgd_page_ladder(page);
    hsgd_page_audit(page);
    hsgd_page_checks(page);
    hsgd_page_metrics(page);
    hsgd_page_partition(page);
    hsgd_page_config(page);
    hsgd_page_provenance(page);
    hsgd_html_close(&page->html, "main");
    return HSGD_OK;
}

hsgd_status hsgd_page_write(hsgd_page *page, hsgd_error *err)
{
    fputs("<!DOCTYPE html>\n", page->html.stream);
    hsgd_html_open(&page->html, "html");
    hsgd_html_attribute(&page->html, "xmlns", "http://www.w3.org/1999/xhtml");
    hsgd_html_attribute(&page->html, "lang", "en");
    put_document_head(page);
    hsgd_html_open(&page->html, "body");
    hsgd_status status = page->is_sweep ? hsgd_page_sweep(page, err) : put_experiment(page, err);
    if (status)
        return status;
    put_footer(page);
    hsgd_html_close(&page->html, "body");
    hsgd_html_close(&page->html, "html");
    return hsgd_html_finish(&page->html, err);
}
