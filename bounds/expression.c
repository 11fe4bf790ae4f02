/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Of muParser's C interface only what keeps its state in the handle is used: messages, error tokens and lists of variables
 * go through one buffer for all threads. What is wrong with a formula, and where, is found here word by word, in the same
 * grammar; muParser has the last word on numbers, and does the arithmetic. */
#include "bounds/expression.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <muParserDLL.h>

#include "bounds/expression_token_private.h"

const char hsgd_expression_functions[] =
    "sqrt, exp, ln, log (as ln), log2, log10, abs, sign, floor, ceil, rint, min, max, sum, avg";

/* What muParser's own functions take; 0: any number of arguments, from one on. */
static const struct {
    const char *name;
    size_t arguments;
} function[] = {{"sqrt", 1},  {"exp", 1},  {"ln", 1},   {"log", 1}, {"log2", 1}, {"log10", 1}, {"abs", 1}, {"sign", 1},
                {"floor", 1}, {"ceil", 1}, {"rint", 1}, {"min", 0}, {"max", 0},  {"sum", 0},   {"avg", 0}};
enum { NUM_FUNCTIONS = sizeof function / sizeof *function };

/* ---- names, parentheses and commas ---- */

/* An open parenthesis, or the whole formula. */
typedef struct frame {
    hsgd_token token;    /* the parenthesis, or the name of the function before it */
    size_t function;     /* NUM_FUNCTIONS: none */
    size_t commas;       /* so far */
    size_t first_byte;   /* where what it encloses starts */
    size_t questions;    /* ? that still wait for their : */
    hsgd_token question; /* the last ? */
} frame;

typedef struct checker {
    const char *text, *known;
    const hsgd_variable *variable;
    size_t count;
    bool *used;
    frame frame[HSGD_EXPRESSION_MAX_DEPTH + 1];
    size_t depth; /* of the innermost frame, 0 for the whole formula */
    bool operand; /* the next word has to start one */
    bool sign;    /* the last word was the sign of one */
    hsgd_error *err;
} checker;

static const char EXPECT_OPERAND[] = "a number, a name or \"(\" is expected here";
static const char EXPECT_OPERATOR[] = "an operator is expected here, as + - * / ^ < <= > >= == != && || ? :";

/* "column K: "WORD": " and the reason. */
static hsgd_status fail_at(const checker *c, hsgd_token token, const char *reason)
{
    enum { LONGEST = 40 };
    size_t shown = token.length < LONGEST ? token.length : LONGEST;
    if (token.kind == HSGD_TOKEN_END)
        return hsgd_fail(c->err, HSGD_ERROR_INPUT, "column %zu: the formula ends here; %s", token.at + 1, reason);
    return hsgd_fail(c->err, HSGD_ERROR_INPUT, "column %zu: \"%.*s%s\": %s", token.at + 1, (int)shown,
                     c->text + token.at, shown < token.length ? "..." : "", reason);
}

static bool is_word(const char *text, hsgd_token token, const char *word)
{
    return strncmp(text + token.at, word, token.length) == 0 && word[token.length] == '\0';
}

/* The index of a function, NUM_FUNCTIONS for what is none. */
static size_t find_function(const char *text, hsgd_token token)
{
    size_t i = 0;
    while (i < NUM_FUNCTIONS && !is_word(text, token, function[i].name))
        i++;
    return i;
}

/* The index of a variable, count for what is none. */
static size_t find_variable(const char *text, hsgd_token token, const hsgd_variable *variable, size_t count)
{
    size_t i = 0;
    while (i < count && !is_word(text, token, variable[i].name))
        i++;
    return i;
}

static hsgd_status check_name(const checker *c, hsgd_token token, bool before_parenthesis)
{
    char reason[HSGD_MESSAGE_SIZE / 2];
    if (find_function(c->text, token) < NUM_FUNCTIONS)
        return before_parenthesis ? HSGD_OK : fail_at(c, token, "a function; its arguments in ( ) are missing");
    size_t i = find_variable(c->text, token, c->variable, c->count);
    if (i < c->count) {
        if (c->used)
            c->used[i] = true;
        return HSGD_OK;
    }
    if (before_parenthesis)
        snprintf(reason, sizeof reason, "unknown function; known are %s", hsgd_expression_functions);
    else
        snprintf(reason, sizeof reason, "unknown name; known are %s", c->known);
    return fail_at(c, token, reason);
}

/* before: the word in front of the parenthesis. */
static hsgd_status open_parenthesis(checker *c, hsgd_token token, hsgd_token before)
{
    char reason[80];
    snprintf(reason, sizeof reason, "at most %d parentheses may be open at once", HSGD_EXPRESSION_MAX_DEPTH);
    if (c->depth == HSGD_EXPRESSION_MAX_DEPTH)
        return fail_at(c, token, reason);
    size_t which = before.kind == HSGD_TOKEN_NAME ? find_function(c->text, before) : NUM_FUNCTIONS;
    c->frame[++c->depth] = (frame){
        .token = which < NUM_FUNCTIONS ? before : token, .function = which, .first_byte = token.at + token.length};
    return HSGD_OK;
}

/* What ends here must have an else for every if. */
static hsgd_status check_questions(const checker *c)
{
    const frame *f = &c->frame[c->depth];
    return f->questions ? fail_at(c, f->question, "its \":\" is missing; write c ? a : b") : HSGD_OK;
}

/* A function with no arguments, or with more than it takes. */
static hsgd_status check_arguments(const checker *c, const frame *f, bool none)
{
    char reason[80];
    size_t arguments = none ? 0 : f->commas + 1, wanted = function[f->function].arguments;
    snprintf(reason, sizeof reason, "takes %s, but has %zu here", wanted ? "one argument" : "one argument or more",
             arguments);
    return none || (wanted && arguments != wanted) ? fail_at(c, f->token, reason) : HSGD_OK;
}

static hsgd_status close_parenthesis(checker *c, hsgd_token token)
{
    if (c->depth == 0)
        return fail_at(c, token, "no \"(\" before it");
    hsgd_status status = check_questions(c);
    const frame *f = &c->frame[c->depth--];
    bool none = f->function < NUM_FUNCTIONS && hsgd_token_next(c->text, f->first_byte).at == token.at;
    if (!status && c->operand && !none)
        status = fail_at(c, token, EXPECT_OPERAND);
    c->operand = false;
    return status || f->function == NUM_FUNCTIONS ? status : check_arguments(c, f, none);
}

static hsgd_status check_comma(checker *c, hsgd_token token)
{
    frame *f = &c->frame[c->depth];
    if (f->function == NUM_FUNCTIONS)
        return fail_at(c, token, "commas stand between the arguments of a function only; decimals have a point");
    f->commas++;
    if (c->operand)
        return fail_at(c, token, EXPECT_OPERAND);
    c->operand = true;
    return check_questions(c);
}

/* An operator, or the one sign that an operand may have. */
static hsgd_status check_operator(checker *c, hsgd_token token)
{
    frame *f = &c->frame[c->depth];
    bool sign = c->operand && (c->text[token.at] == '+' || c->text[token.at] == '-');
    if (c->operand && (!sign || c->sign))
        return fail_at(c, token, EXPECT_OPERAND);
    c->operand = true;
    c->sign = sign;
    if (c->text[token.at] == '?') {
        f->questions++;
        f->question = token;
    } else if (c->text[token.at] == ':' && f->questions-- == 0)
        return fail_at(c, token, "no \"?\" before it; write c ? a : b");
    return HSGD_OK;
}

/* A number, a name or an opening parenthesis. */
static hsgd_status check_operand(checker *c, hsgd_token token, hsgd_token before)
{
    bool call =
        token.kind == HSGD_TOKEN_NAME && hsgd_token_next(c->text, token.at + token.length).kind == HSGD_TOKEN_OPEN;
    hsgd_status status = token.kind == HSGD_TOKEN_NAME ? check_name(c, token, call) : HSGD_OK;
    if (!status && !c->operand)
        status = fail_at(c, token, EXPECT_OPERATOR);
    if (!status && token.kind == HSGD_TOKEN_OPEN)
        status = open_parenthesis(c, token, before);
    c->sign = false;
    c->operand = token.kind == HSGD_TOKEN_OPEN || (call && find_function(c->text, token) < NUM_FUNCTIONS);
    return status;
}

static hsgd_status check_word(checker *c, hsgd_token token, hsgd_token before)
{
    switch (token.kind) {
    case HSGD_TOKEN_NUMBER:
    case HSGD_TOKEN_NAME:
    case HSGD_TOKEN_OPEN:
        return check_operand(c, token, before);
    case HSGD_TOKEN_CLOSE:
        return close_parenthesis(c, token);
    case HSGD_TOKEN_COMMA:
        return check_comma(c, token);
    case HSGD_TOKEN_OPERATOR:
        return check_operator(c, token);
    default:
        return fail_at(c, token,
                       c->text[token.at] == '='
                           ? "a formula cannot assign; == compares"
                           : "no such operator; legal are + - * / ^ < <= > >= == != && || ? : ( ) and the comma");
    }
}

static hsgd_status check_words(checker *c)
{
    hsgd_token before = {HSGD_TOKEN_END, 0, 0}, token = hsgd_token_next(c->text, 0);
    hsgd_status status = HSGD_OK;
    c->frame[0] = (frame){.function = NUM_FUNCTIONS};
    c->operand = true;
    while (token.kind != HSGD_TOKEN_END && !status) {
        status = check_word(c, token, before);
        before = token;
        token = hsgd_token_next(c->text, token.at + token.length);
    }
    if (!status && c->depth)
        status = fail_at(c, c->frame[c->depth].token, "its \")\" is missing");
    if (!status)
        status = check_questions(c);
    return !status && c->operand ? fail_at(c, token, EXPECT_OPERAND) : status;
}

/* ---- muParser ---- */

/* A parser that knows the variables that the formula names; NULL when memory is out. */
static muParserHandle_t make_parser(const char *text, hsgd_variable *variable, size_t count)
{
    muParserHandle_t parser = mupCreate(muBASETYPE_FLOAT);
    if (!parser)
        return NULL;
    mupClearConst(parser); /* _pi and _e */
    mupDefineFun1(parser, "floor", floor, 1);
    mupDefineFun1(parser, "ceil", ceil, 1);
    for (hsgd_token t = hsgd_token_next(text, 0); t.kind != HSGD_TOKEN_END;
         t = hsgd_token_next(text, t.at + t.length)) {
        size_t i = t.kind == HSGD_TOKEN_NAME ? find_variable(text, t, variable, count) : count;
        if (i < count)
            mupDefineVar(parser, variable[i].name, &variable[i].value);
    }
    mupSetExpr(parser, text);
    return parser;
}

/* What check_words leaves for muParser to refuse: numbers that a double cannot hold, at their position. */
static hsgd_status check_numbers(const checker *c, muParserHandle_t parser)
{
    hsgd_token token = hsgd_token_next(c->text, 0);
    mupEval(parser);
    if (!mupError(parser))
        return HSGD_OK;
    int position = mupGetErrorPos(parser);
    while (token.kind != HSGD_TOKEN_END && (position < 0 || token.at + token.length <= (size_t)position))
        token = hsgd_token_next(c->text, token.at + token.length);
    return fail_at(c, token,
                   token.kind == HSGD_TOKEN_NUMBER ? "not a number in the range of floating-point numbers"
                                                   : "it cannot be evaluated");
}

hsgd_status hsgd_expression_check(const char *text, hsgd_variable *variable, size_t count, const char *known,
                                  bool *used, hsgd_error *err)
{
    checker c = {.text = text, .known = known, .variable = variable, .count = count, .used = used, .err = err};
    size_t length = strlen(text);
    for (size_t i = 0; used && i < count; i++)
        used[i] = false;
    if (length > HSGD_EXPRESSION_MAX_LENGTH)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "column %d: %zu bytes; at most %d are legal",
                         HSGD_EXPRESSION_MAX_LENGTH + 1, length, HSGD_EXPRESSION_MAX_LENGTH);
    if (hsgd_token_next(text, 0).kind == HSGD_TOKEN_END)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "column 1: a formula must not be empty");
    hsgd_status status = check_words(&c);
    if (status)
        return status;
    muParserHandle_t parser = make_parser(text, variable, count);
    if (!parser)
        return hsgd_fail_memory(err, "a formula");
    status = check_numbers(&c, parser);
    mupRelease(parser);
    return status;
}

hsgd_status hsgd_expression_eval(double *out, const char *text, hsgd_variable *variable, size_t count, hsgd_error *err)
{
    muParserHandle_t parser = make_parser(text, variable, count);
    *out = NAN;
    if (!parser)
        return hsgd_fail_memory(err, "a formula");
    double value = mupEval(parser);
    bool failed = mupError(parser);
    mupRelease(parser);
    if (failed)
        return hsgd_fail(err, HSGD_ERROR_NUMERIC, "the formula cannot be evaluated");
    *out = value;
    return HSGD_OK;
}
