/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The document of a folder that several commands share the shape of: read, with the style that its figures have. */
#include "experiments/folder_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "experiments/style_private.h"

hsgd_status hsgd_folder_read_document(hsgd_folder_document *out, hsgd_json *root, const char *dir,
                                      hsgd_folder_kind kind, const hsgd_style_change *change, hsgd_error *err)
{
    *out = (hsgd_folder_document){.style = hsgd_figure_default_style()};
    if (asprintf(&out->path, "%s/%s", dir, hsgd_folder_file(kind)) < 0) {
        out->path = NULL;
        return hsgd_fail_memory(err, "a path");
    }
    hsgd_status status = hsgd_json_read_file(&out->json, out->path, err);
    if (status)
        return status;
    *root = hsgd_json_root(out->path, out->json);
    hsgd_json style = hsgd_json_member(root, "figure_style");
    status = hsgd_style_read(&out->style, &style, err);
    return status || !change ? status : hsgd_style_apply(&out->style, change, err);
}

void hsgd_folder_document_free(hsgd_folder_document *document)
{
    free(document->path);
    cJSON_Delete(document->json);
}
