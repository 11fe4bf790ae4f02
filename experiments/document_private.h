/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The document that says what a folder holds, written so that hsgd check can tell whether anything was changed since: its
 * "provenance" has "output_files" (name, bytes and SHA-256 of the files beside it), and last in it stands "document_sha256", the
 * SHA-256 of the file with zeros in the place of these 64 digits. */
#ifndef HSGD_EXPERIMENTS_DOCUMENT_PRIVATE_H
#define HSGD_EXPERIMENTS_DOCUMENT_PRIVATE_H

#include <cjson/cJSON.h>

#include "analysis/error.h"
#include "experiments/checksum.h"
#include "experiments/folder.h"

/* Write that of a folder of this kind. provenance is added to the document; NULL: it has its own. outputs: names of the files that
 * are there already, up to a NULL. Uses both documents up, also on failure. */
hsgd_status hsgd_document_write(const char *dir, hsgd_folder_kind kind, cJSON *document, cJSON *provenance,
                                const char *const *outputs, hsgd_error *err);

/* The digits that stand in the text of a document, and those that should; "" where there are none. */
hsgd_status hsgd_document_sums(char stands[HSGD_CHECKSUM_SIZE], char should[HSGD_CHECKSUM_SIZE], const char *text,
                               hsgd_error *err);

#endif
