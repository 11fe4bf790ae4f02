/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of a formula. */
#ifndef HSGD_BOUNDS_EXPRESSION_TOKEN_PRIVATE_H
#define HSGD_BOUNDS_EXPRESSION_TOKEN_PRIVATE_H

#include <stddef.h>

typedef enum hsgd_token_kind {
    HSGD_TOKEN_END,
    HSGD_TOKEN_NUMBER,
    HSGD_TOKEN_NAME,
    HSGD_TOKEN_OPERATOR,
    HSGD_TOKEN_OPEN,  /* ( */
    HSGD_TOKEN_CLOSE, /* ) */
    HSGD_TOKEN_COMMA,
    HSGD_TOKEN_NONE /* a character that belongs to no word */
} hsgd_token_kind;

typedef struct hsgd_token {
    hsgd_token_kind kind;
    size_t at, length; /* in bytes, from 0; the end has length 0, and a character of UTF-8 all of its bytes */
} hsgd_token;

/* The first word at or after this byte. */
hsgd_token hsgd_token_next(const char *text, size_t at);

#endif
