/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reader of LEAF's JSON: what the events of the parser (leaf_events.c) fill for the one who reads the files
 * (read_leaf.c). */
#ifndef HSGD_EXPERIMENTS_LEAF_PRIVATE_H
#define HSGD_EXPERIMENTS_LEAF_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include <yajl/yajl_parse.h>

#include "analysis/error.h"
#include "experiments/leaf.h"

enum { HSGD_LEAF_NAME_SHOWN = 60 }; /* characters of a user's name in a message */

/* Where in the document we are: in an array or object of this kind. */
typedef enum hsgd_leaf_place {
    HSGD_LEAF_OUTSIDE,
    HSGD_LEAF_TOP,
    HSGD_LEAF_USERS,
    HSGD_LEAF_COUNTS,
    HSGD_LEAF_USER_DATA,
    HSGD_LEAF_USER,
    HSGD_LEAF_ROWS,
    HSGD_LEAF_ROW,
    HSGD_LEAF_LABELS
} hsgd_leaf_place;

/* The key before the value that comes. */
typedef enum hsgd_leaf_key {
    HSGD_LEAF_NO_KEY,
    HSGD_LEAF_KEY_USERS,
    HSGD_LEAF_KEY_COUNTS,
    HSGD_LEAF_KEY_USER_DATA,
    HSGD_LEAF_KEY_NAME,
    HSGD_LEAF_KEY_X,
    HSGD_LEAF_KEY_Y,
    HSGD_LEAF_KEY_OTHER
} hsgd_leaf_key;

/* A list that grows; item is an array of what the list holds. */
typedef struct hsgd_leaf_list {
    void *item;
    size_t count, capacity;
} hsgd_leaf_list;

typedef struct hsgd_leaf_user {
    char *name;    /* owned */
    size_t number; /* of rows */
} hsgd_leaf_user;

typedef struct hsgd_leaf_reader {
    /* where we are */
    hsgd_leaf_place place;
    hsgd_leaf_key key;
    size_t skipped;                 /* containers open inside a member that is not of interest */
    bool seen[HSGD_LEAF_KEY_OTHER]; /* which members of the document, or of the user, have been there */
    size_t first_row;               /* of the user */
    /* all files */
    hsgd_leaf_list value; /* double, of images uint8_t: (rows, num_features) */
    hsgd_leaf_list label; /* double: (rows) */
    hsgd_leaf_list start; /* size_t: first row of each user that has any */
    hsgd_leaf_list held;  /* user: in the order of "user_data" */
    size_t num_features;  /* 0: no row has been read */
    size_t num_rows;
    hsgd_leaf_images *images; /* NULL: samples are numbers */
    /* this file */
    size_t first_held;
    hsgd_leaf_list declared;       /* user: "users" */
    hsgd_leaf_list declared_count; /* double: "num_samples" */
    hsgd_status status;
    hsgd_error *err;
} hsgd_leaf_reader;

/* Room for count more items of this size at the end of a list of reader; NULL, and reader->status, if there is none. */
void *hsgd_leaf_list_extend(hsgd_leaf_reader *reader, hsgd_leaf_list *list, size_t count, size_t size);

/* The same for one. */
void *hsgd_leaf_list_add(hsgd_leaf_reader *reader, hsgd_leaf_list *list, size_t size);

void hsgd_leaf_free_users(hsgd_leaf_list *list);

/* leaf_image.c: the features of the next sample from the image file of this name, which is no text of C; reader->images is
 * set. Messages begin with the path, or are about the name. */
hsgd_status hsgd_leaf_read_image(hsgd_leaf_reader *reader, const unsigned char *name, size_t length);

/* For yajl, with a reader as context. A callback that refuses what comes leaves the reason in reader->status and err. */
extern const yajl_callbacks hsgd_leaf_callbacks;

#endif
