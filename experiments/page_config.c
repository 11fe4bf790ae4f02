/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The resolved configuration. */
#include <string.h>

#include "experiments/json_private.h"
#include "experiments/page_private.h"

/* The printer puts a tab after every colon; inside texts of JSON there are none, nor line breaks. */
static void put_blanks_after_colons(char *text)
{
    for (char *tab = text; (tab = strstr(tab, ":\t")); tab++)
        tab[1] = ' ';
}

void hsgd_page_config(hsgd_page *page)
{
    cJSON *config = cJSON_Duplicate(hsgd_page_get(page->root, "config"), true);
    char *text = config ? hsgd_json_print(config) : NULL;
    if (text) {
        put_blanks_after_colons(text);
        hsgd_page_open_section(page, "configuration", "Configuration");
        hsgd_html_open(&page->html, "details");
        hsgd_html_element(&page->html, "summary", NULL, "Everything that defines the run, with all defaults");
        hsgd_html_open_class(&page->html, "pre", "scroll");
        hsgd_html_attribute(&page->html, "tabindex", "0");
        hsgd_html_element(&page->html, "code", NULL, text);
        hsgd_html_close(&page->html, "pre");
        hsgd_html_close(&page->html, "details");
        hsgd_page_close_section(page);
    }
    cJSON_free(text);
    cJSON_Delete(config);
}
