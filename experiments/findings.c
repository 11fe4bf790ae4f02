/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/findings_private.h"

#include <stdlib.h>
#include <string.h>

/* Longer names are not lined up with the others. */
enum { MAX_WIDTH = 40 };

static hsgd_finding *new_item(hsgd_findings *f)
{
    if (f->num_items == f->capacity) {
        size_t capacity = 2 * f->capacity + 32;
        hsgd_finding *grown = realloc(f->item, capacity * sizeof *grown);
        if (!grown)
            return NULL;
        f->item = grown;
        f->capacity = capacity;
    }
    return &f->item[f->num_items++];
}

void hsgd_findings_add(hsgd_findings *findings, int outcome, const char *name, const char *format, va_list arguments)
{
    hsgd_finding *item = new_item(findings);
    findings->count[outcome]++;
    if (!item) {
        findings->incomplete = true;
        return;
    }
    item->outcome = outcome;
    snprintf(item->name, sizeof item->name, "%s", name);
    vsnprintf(item->detail, sizeof item->detail, format, arguments);
}

void hsgd_findings_free(hsgd_findings *findings)
{
    free(findings->item);
    *findings = (hsgd_findings){0};
}

static void put_text(const char *text, FILE *stream)
{
    for (; *text; text++)
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, stream);
}

static int width_of(const char *text)
{
    size_t length = strlen(text);
    return length <= MAX_WIDTH ? (int)length : 0;
}

void hsgd_findings_print(const hsgd_findings *findings, const char *const *word, int outcome, FILE *stream)
{
    int width = 0, word_width = 0;
    for (size_t i = 0; i < findings->num_items; i++)
        if (width_of(findings->item[i].name) > width)
            width = width_of(findings->item[i].name);
    for (int i = 0; i < HSGD_NUM_OUTCOMES; i++)
        if (width_of(word[i]) > word_width)
            word_width = width_of(word[i]);
    for (size_t i = 0; i < findings->num_items; i++) {
        const hsgd_finding *item = &findings->item[i];
        int length = (int)strlen(item->name);
        if (outcome >= 0 && item->outcome != outcome)
            continue;
        fputs("  ", stream);
        put_text(item->name, stream);
        fprintf(stream, "%*s  %-*s  ", length < width ? width - length : 0, "", word_width, word[item->outcome]);
        put_text(item->detail, stream);
        fputc('\n', stream);
    }
}
