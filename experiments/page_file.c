/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a folder to the file of its page: reading, drawing, writing. */
#include "experiments/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/text_stream.h"
#include "experiments/json_private.h"
#include "experiments/page_private.h"
#include "experiments/sweep_private.h"
#include "plots/output.h"

/* ---- where the page is ---- */

/* The file as a folder and a name without ".html"; all owned. */
typedef struct place {
    char *folder, *stem;
    const char *ending;
    char *link;     /* from there to the result folder, escaped */
    char *pictures; /* hidden folder for the figures; NULL: none */
} place;

static void place_free(place *p)
{
    free(p->folder);
    free(p->stem);
    free(p->link);
    free(p->pictures);
}

static hsgd_status split(place *p, const char *file, hsgd_error *err)
{
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    if (!*name)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "--output: \"%s\" is not the name of a file", file);
    const char *dot = strrchr(name, '.');
    size_t length = dot && dot != name ? (size_t)(dot - name) : strlen(name);
    p->folder = slash == file ? strdup("/") : slash ? strndup(file, (size_t)(slash - file)) : strdup(".");
    p->stem = strndup(name, length);
    p->ending = name[length] ? name + length + 1 : "";
    if (strcmp(p->ending, "html") != 0 && strcmp(p->ending, "htm") != 0) /* never in the place of results */
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "--output: \"%s\" does not end in .html; expected a name like report.html", file);
    return p->folder && p->stem ? HSGD_OK : hsgd_fail_memory(err, "a path");
}

/* How many bytes of two absolute paths are the same folders. */
static size_t common(const char *a, const char *b)
{
    size_t same = 0, i = 0;
    for (; a[i] && a[i] == b[i]; i++)
        if (a[i] == '/')
            same = i;
    bool ends = (!a[i] || a[i] == '/') && (!b[i] || b[i] == '/');
    return ends ? i : same;
}

/* The way from one existing folder to another: "" or "../results/demo/". */
static char *way(const char *from, const char *to)
{
    hsgd_text_stream memory = {0};
    char *a = realpath(from, NULL), *b = realpath(to, NULL);
    FILE *out = a && b ? hsgd_text_open(&memory) : NULL;
    if (out) {
        size_t same = common(a, b);
        const char *rest = b + same + (b[same] == '/');
        for (const char *c = a + same; *c; c++)
            if (*c == '/' && c[1])
                fputs("../", out);
        fprintf(out, "%s%s", rest, *rest ? "/" : "");
    }
    free(a);
    free(b);
    return hsgd_text_close(&memory, out);
}

static hsgd_status find_place(place *p, const char *dir, const char *file, hsgd_error *err)
{
    *p = (place){NULL, NULL, "", NULL, NULL};
    hsgd_status status = split(p, file, err);
    if (status)
        return status;
    if (access(p->folder, W_OK | X_OK) != 0)
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot write %s: %s", file, strerror(errno));
    char *plain = way(p->folder, dir);
    p->link = plain ? hsgd_html_escape_path(plain) : NULL;
    free(plain);
    return p->link ? HSGD_OK : hsgd_fail_memory(err, "a path");
}

/* ---- the hidden folder ---- */

static hsgd_status open_pictures(place *p, hsgd_error *err)
{
    if (asprintf(&p->pictures, "%s/%sXXXXXX", p->folder, HSGD_RENDER_PREFIX) < 0) {
        p->pictures = NULL;
        return hsgd_fail_memory(err, "a path");
    }
    if (mkdtemp(p->pictures))
        return HSGD_OK;
    free(p->pictures);
    p->pictures = NULL;
    return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot write to %s: %s", p->folder, strerror(errno));
}

/* ---- the page ---- */

static hsgd_status write_page(const place *p, const char *dir, bool is_sweep, const cJSON *root,
                              const hsgd_drawings *drawings, hsgd_error *err)
{
    hsgd_output out;
    hsgd_page page = {
        .is_sweep = is_sweep, .root = root, .dir = dir, .link = p->link, .drawings = drawings, .pictures = p->pictures};
    hsgd_status status = hsgd_output_open(&out, p->folder, p->stem, p->ending, err);
    if (status)
        return status;
    hsgd_html_start(&page.html, out.stream);
    status = hsgd_page_write(&page, err);
    if (status) {
        hsgd_output_drop(&out);
        return status;
    }
    return hsgd_output_close(&out, err);
}

static hsgd_status draw_and_write(place *p, const char *dir, bool is_sweep, const cJSON *root, hsgd_error *err)
{
    hsgd_drawings drawings = {0};
    /* A column is as wide as a phone, so letters are large enough there. The page has a title of its own. */
    const hsgd_style_change change = {.format = "svg", .width = "ieee-column", .no_title = true};
    hsgd_status status = open_pictures(p, err);
    if (status)
        return status;
    status = (is_sweep ? hsgd_sweep_draw : hsgd_folder_draw)(&drawings, dir, p->pictures, &change, err);
    if (!status)
        status = write_page(p, dir, is_sweep, root, &drawings, err);
    hsgd_drawings_free(&drawings);
    hsgd_folder_remove_hidden(p->pictures);
    return status;
}

hsgd_status hsgd_report_page(const char *dir, const char *file, hsgd_error *err)
{
    char *path;
    cJSON *root = NULL;
    place p;
    bool is_sweep = hsgd_folder_kind_of(dir) == HSGD_FOLDER_SWEEP;
    if (asprintf(&path, "%s/%s.json", dir, is_sweep ? "sweep" : "result") < 0)
        return hsgd_fail_memory(err, "a path");
    hsgd_status status = hsgd_json_read_file(&root, path, err);
    free(path);
    if (status)
        return status;
    status = find_place(&p, dir, file, err);
    if (!status)
        status = draw_and_write(&p, dir, is_sweep, root, err);
    place_free(&p);
    cJSON_Delete(root);
    return status;
}
