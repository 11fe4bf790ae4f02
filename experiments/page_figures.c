/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figures, drawn again as SVG and put into the page. */
#include "experiments/page_private.h"

#include <stdlib.h>

#include "experiments/svg_private.h"

/* A link to NAME.ending of the result folder, if that is there. */
static void put_link(hsgd_page *page, const char *name, const char *ending, const char *text)
{
    char file[HSGD_FILE_NAME_SIZE];
    snprintf(file, sizeof file, "%s.%s", name, ending);
    hsgd_html_text(&page->html, " ");
    hsgd_page_link_if_there(page, file, text);
}

static hsgd_status put_figure(hsgd_page *page, const hsgd_drawing *drawing, hsgd_error *err)
{
    char *path, *label;
    if (asprintf(&path, "%s/%s.svg", page->pictures, drawing->name) < 0)
        return hsgd_fail_memory(err, drawing->name);
    if (asprintf(&label, "Figure %s: %s", drawing->name, drawing->caption) < 0) {
        free(path);
        return hsgd_fail_memory(err, drawing->name);
    }
    hsgd_html_open(&page->html, "figure");
    hsgd_html_attributef(&page->html, "id", "figure-%s", drawing->name);
    hsgd_html_open_class(&page->html, "div", "picture scroll");
    hsgd_html_attribute(&page->html, "tabindex", "0");
    hsgd_status status = hsgd_svg_embed(&page->html, path, drawing->name, label, err);
    hsgd_html_close(&page->html, "div");
    hsgd_html_open(&page->html, "figcaption");
    hsgd_html_element(&page->html, "strong", NULL, drawing->name);
    hsgd_html_textf(&page->html, ". %s", drawing->caption);
    hsgd_html_open_class(&page->html, "span", "sources");
    put_link(page, drawing->name, "gp", "script");
    put_link(page, drawing->name, "dat", "data");
    put_link(page, drawing->name, "caption.tex", "caption");
    put_link(page, drawing->name, "pdf", "PDF");
    hsgd_html_close(&page->html, "span");
    hsgd_html_close(&page->html, "figcaption");
    hsgd_html_close(&page->html, "figure");
    free(label);
    free(path);
    return status;
}

hsgd_status hsgd_page_figures(hsgd_page *page, hsgd_error *err)
{
    const hsgd_drawings *drawings = page->drawings;
    hsgd_status status = HSGD_OK;
    if (!drawings->count && !drawings->report.num_notes)
        return HSGD_OK;
    hsgd_page_open_section(page, "figures", "Figures");
    hsgd_html_open_class(&page->html, "div", "figures");
    for (size_t i = 0; i < drawings->count && !status; i++)
        status = put_figure(page, &drawings->item[i], err);
    hsgd_html_close(&page->html, "div");
    for (size_t i = 0; i < drawings->report.num_notes; i++)
        hsgd_html_elementf(&page->html, "p", "note", "%s.", drawings->report.note[i]);
    hsgd_page_close_section(page);
    return status;
}
