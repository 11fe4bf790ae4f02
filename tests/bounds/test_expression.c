/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formulas: their values against C's own arithmetic, every kind of mistake with its column, and texts that are meant to do
 * harm. */
#include "tests/bounds/cases.h"

#include "bounds/expression.h"

static hsgd_error err;

enum { NUM_VARIABLES = 4 };
static const char KNOWN[] = "x, y, zero, D10";

static void set(hsgd_variable v[NUM_VARIABLES])
{
    static const hsgd_variable all[NUM_VARIABLES] = {{"x", 2.385}, {"y", -0.71}, {"zero", 0}, {"D10", 0.3}};
    memcpy(v, all, sizeof all);
}

static hsgd_status check(const char *text, bool *used)
{
    hsgd_variable v[NUM_VARIABLES];
    set(v);
    return hsgd_expression_check(text, v, NUM_VARIABLES, KNOWN, used, &err);
}

static double value_of_formula(const char *text)
{
    double value;
    hsgd_variable v[NUM_VARIABLES];
    set(v);
    assert_ok(check(text, NULL), err);
    assert_ok(hsgd_expression_eval(&value, text, v, NUM_VARIABLES, &err), err);
    return value;
}

static void values_are_those_of_c(void **state)
{
    (void)state;
    const double x = 2.385, y = -0.71, d = 0.3;
    const struct {
        const char *text;
        double value;
    } row[] = {{"1", 1},
               {"x", x},
               {" 1.5e-3*x  + .5 - 2.", 1.5e-3 * x + .5 - 2},
               {"-x^2", -x * x},     /* the power first */
               {"2^3^2", 512},       /* to the right first */
               {"2^-y", pow(2, -y)}, /* a sign after an operator */
               {"8/4/2", 1},         /* to the left first */
               {"1 - 2 - 3", -4},
               {"2*-3", -6},
               {"(x + y)*(x - y)", (x + y) * (x - y)},
               {"x > y", 1},
               {"x <= y", 0},
               {"x == x && y != x", 1},
               {"zero && x || x > 2", 1},
               {"zero ? 3 : x", x},
               {"x ? zero ? 1 : 7 : 3", 7},
               {"zero ? 1 : zero ? 2 : 3", 3},
               {"(x > 1 ? 2 : 3) + max(1, y < 0 ? 4 : 5)", 6},
               {"sqrt(x)", sqrt(x)},
               {"exp(y) + ln(x) + log(x) + log2(x) + log10(x)", exp(y) + 2 * log(x) + log2(x) + log10(x)},
               {"abs(y) + sign(y)", -y - 1},
               {"floor(x) + 10*ceil(x) + 100*floor(y) + 1000*rint(x)", 2 + 30 - 100 + 2000},
               {"min(x, y, 3) + max(x) + sum(1, 2, 3) + avg(1, 2)", y + x + 6 + 1.5},
               {"D10 + 1e1", d + 10}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        double got = value_of_formula(row[i].text);
        if (!(fabs(got - row[i].value) <= 1e-14 * fmax(1, fabs(row[i].value))))
            fail_msg("%s = %.17g, expected %.17g", row[i].text, got, row[i].value);
    }
    assert_true(isinf(value_of_formula("1/zero")) && isnan(value_of_formula("zero/zero")) &&
                isnan(value_of_formula("sqrt(y)")));
}

static void used_variables_are_told(void **state)
{
    (void)state;
    bool used[NUM_VARIABLES];
    assert_ok(check("zero*D10 + sqrt(1e1)", used), err);
    assert_true(!used[0] && !used[1] && used[2] && used[3]);
    assert_ok(check("1 ? 2 : y", used), err); /* named, if not needed */
    assert_true(!used[0] && used[1] && !used[2] && !used[3]);
}

#define OPERAND "a number, a name or \"(\" is expected here"
#define OPERATOR "an operator is expected here, as + - *"
#define ENDS "the formula ends here; " OPERAND

static void mistakes_are_named_with_their_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } row[] = {
        {"", "column 1: a formula must not be empty"},
        {"  ", "column 1: a formula must not be empty"},
        {"x + foo", "column 5: \"foo\": unknown name; known are x, y, zero, D10"},
        {"D1", "column 1: \"D1\": unknown name"},
        {"D100", "column 1: \"D100\": unknown name"},
        {"X", "column 1: \"X\": unknown name"},
        {"_pi", "column 1: \"_pi\": unknown name"},
        {"1 + foo(2)", "column 5: \"foo\": unknown function; known are sqrt, exp"},
        {"sin(x)", "column 1: \"sin\": unknown function"},
        {"2*sqrt x", "column 3: \"sqrt\": a function; its arguments in ( ) are missing"},
        {"1 + sqrt(1, 2)", "column 5: \"sqrt\": takes one argument, but has 2 here"},
        {"1 + sqrt()", "column 5: \"sqrt\": takes one argument, but has 0 here"},
        {"min( )", "column 1: \"min\": takes one argument or more, but has 0 here"},
        {"max(1, 2", "column 1: \"max\": its \")\" is missing"},
        {"2*(1 + (x)", "column 3: \"(\": its \")\" is missing"},
        {"(x))", "column 4: \")\": no \"(\" before it"},
        {"x + ()", "column 6: \")\": " OPERAND},
        {"(-)", "column 3: \")\": " OPERAND},
        {"max(-, 1)", "column 6: \",\": " OPERAND},
        {"max(, 1)", "column 5: \",\": " OPERAND},
        {"1 + * 2", "column 5: \"*\": " OPERAND},
        {"--x", "column 2: \"-\": " OPERAND},
        {"1 - - - 1", "column 7: \"-\": " OPERAND},
        {"x +", "column 4: " ENDS},
        {"-", "column 2: " ENDS},
        {"x &&", "column 5: " ENDS},
        {"2 x", "column 3: \"x\": " OPERATOR},
        {"2x", "column 2: \"x\": " OPERATOR},
        {"x 2", "column 3: \"2\": " OPERATOR},
        {"1..2", "column 3: \".2\": " OPERATOR},
        {"x(2)", "column 2: \"(\": " OPERATOR},
        {"(x)(y)", "column 4: \"(\": " OPERATOR},
        {"2 sqrt(x)", "column 3: \"sqrt\": " OPERATOR},
        {"x ? 1", "column 3: \"?\": its \":\" is missing"},
        {"x ? y ? 1 : 2", "column 7: \"?\": its \":\" is missing"},
        {"(x ? 1) : 2", "column 4: \"?\": its \":\" is missing"},
        {"max(x ? 1, 2)", "column 7: \"?\": its \":\" is missing"},
        {"x : 1", "column 3: \":\": no \"?\" before it"},
        {"x ? (1 : 2)", "column 8: \":\": no \"?\" before it"},
        {"x ? 1 : 2 : 3", "column 11: \":\": no \"?\" before it"},
        {"x ? : 1", "column 5: \":\": " OPERAND},
        {"x = 2", "column 3: \"=\": a formula cannot assign; == compares"},
        {"x += 2", "column 4: \"=\": a formula cannot assign"},
        {"1, 2", "column 2: \",\": commas stand between the arguments of a function only"},
        {"(1, 2)", "column 3: \",\": commas stand between"},
        {"max((1, 2), 3)", "column 7: \",\": commas stand between"},
        {"1,5*x", "column 2: \",\": commas stand between the arguments of a function only; decimals have a point"},
        {"x +\ny", "column 4: \"?\": no such operator"},
        {"x; y", "column 2: \";\": no such operator; legal are + - * / ^"},
        {"x & 1", "column 3: \"&\": no such operator"},
        {"x | 1", "column 3: \"|\": no such operator"},
        {"!x", "column 1: \"!\": no such operator"},
        {"x % 2", "column 3: \"%\": no such operator"},
        {"\"x\"", "column 1: \"\"\": no such operator"},
        {"2*\xce\xb3", "column 3: \"\xce\xb3\": no such operator"},
        {"1e400*x", "column 1: \"1e400\": not a number in the range of floating-point numbers"},
        {"1e", "column 2: \"e\": unknown name"},
        {"0x1F", "column 2: \"x1F\": unknown name"},
        {".", "column 1: \".\": no such operator"}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        err.message[0] = '\0';
        if (check(row[i].text, NULL) != HSGD_ERROR_INPUT ||
            strncmp(err.message, row[i].message, strlen(row[i].message)) != 0)
            fail_msg("%s\nsays \"%s\",\nexpected \"%s\"", row[i].text, err.message, row[i].message);
    }
}

/* before + count times `again` + after, in memory of its own. */
static char *repeat(const char *before, const char *again, size_t count, const char *after)
{
    char *text = malloc(strlen(before) + count * strlen(again) + strlen(after) + 1), *end = text;
    assert_non_null(text);
    end = stpcpy(end, before);
    for (size_t i = 0; i < count; i++)
        end = stpcpy(end, again);
    strcpy(end, after);
    return text;
}

static void check_repeated(const char *again, size_t count, const char *after, const char *message)
{
    char *text = repeat("", again, count, after);
    assert_fails(check(text, NULL), HSGD_ERROR_INPUT, message, err);
    free(text);
}

static void hostile_texts_are_refused(void **state)
{
    (void)state;
    check_repeated("(", 100000, "1", "column 4001: 100001 bytes; at most 4000 are legal");
    check_repeated("(", 65, "1", "column 65: \"(\": at most 64 parentheses may be open at once");
    check_repeated("sqrt(", 65, "1", "column 325: \"(\": at most 64 parentheses may be open at once");
    check_repeated("a", 3999, "", "column 1: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\": unknown name");
    check_repeated("x?", 2000, "", "column 4000: \"?\": its \":\" is missing");
    check_repeated("-", 3999, "x", "\"-\": a number");
    check_repeated("9", 400, "", "not a number in the range");
    char *deep = repeat("", "(", 64, "1"), *whole = repeat(deep, ")", 64, ""), *sum = repeat("1", "+x", 1999, "");
    assert_true(value_of_formula(whole) == 1);
    assert_close(value_of_formula(sum), 1 + 1999 * 2.385, 1e-12);
    free(deep);
    free(whole);
    free(sum);
}

/* ---- random formulas ---- */

/* Writes a random formula as text and computes its value in C, with parentheses only where precedence asks for them: level 0
 * is a sum, 1 a product, 2 a signed power, 3 what stands alone. */
static double write_formula(gsl_rng *rng, char *text, int level, int depth)
{
    static const double variable[] = {2.385, -0.71, 0, 0.3};
    static const char *const name[] = {"x", "y", "zero", "D10"};
    char *end = text + strlen(text);
    unsigned long draw = gsl_rng_uniform_int(rng, 6);
    if (level == 3) {
        size_t i = gsl_rng_uniform_int(rng, 4);
        double number = (double)gsl_rng_uniform_int(rng, 100) / 8, value;
        if (depth <= 0 || draw < 2) {
            if (draw % 2)
                strcpy(end, name[i]);
            else
                sprintf(end, "%.17g", number);
            return draw % 2 ? variable[i] : number;
        }
        strcat(text, draw == 2 ? "max(" : draw == 3 ? "sqrt(abs(" : "(");
        value = write_formula(rng, text, 0, depth - 1);
        if (draw == 2) {
            strcat(text, ", ");
            value = fmax(value, write_formula(rng, text, 0, depth - 1));
        }
        strcat(text, draw == 3 ? "))" : ")");
        return draw == 3 ? sqrt(fabs(value)) : value;
    }
    if (level == 2 && draw == 0) {
        strcat(text, "-");
        return -write_formula(rng, text, 3, depth - 1);
    }
    double value = write_formula(rng, text, level + 1, depth - 1);
    if (level == 2) {
        if (draw == 1)
            strcat(text, "^2");
        return draw == 1 ? value * value : value;
    }
    for (unsigned long i = 0; i < draw % 3; i++) {
        bool first = gsl_rng_uniform_int(rng, 2);
        strcat(text, level == 0 ? (first ? " + " : " - ") : (first ? "*" : "/"));
        double next = write_formula(rng, text, level + 1, depth - 1);
        value = level == 0 ? (first ? value + next : value - next) : first ? value * next : value / next;
    }
    return value;
}

static void random_formulas_have_the_values_of_c(void **state)
{
    (void)state;
    gsl_rng *rng = test_rng(73);
    int finite = 0;
    for (int i = 0; i < 2000; i++) {
        static char text[1 << 16];
        *text = '\0';
        double want = write_formula(rng, text, 0, 5);
        if (strlen(text) > HSGD_EXPRESSION_MAX_LENGTH)
            continue;
        double got = value_of_formula(text);
        if (!isfinite(want) || !isfinite(got)) /* a division by zero, which rounding may move */
            continue;
        finite++;
        if (!(fabs(got - want) <= 1e-9 * fmax(1, fabs(want))))
            fail_msg("%s = %.17g, expected %.17g", text, got, want);
    }
    assert_true(finite > 1000);
    gsl_rng_free(rng);
}

/* Words in any order: each is refused at a column that it has, or has a value. */
static void random_words_do_no_harm(void **state)
{
    (void)state;
    static const char *const word[] = {"x",  "y",   "1", "2.5", "1e3",      "(",    ")",     "(",    ")",
                                       "+",  "-",   "*", "/",   "^",        "<",    "<=",    "==",   "&&",
                                       "||", "?",   ":", ",",   "=",        "max(", "sqrt(", "min",  "foo",
                                       " ",  "D10", ".", "!",   "\xc3\xbc", "\"",   "1e",    "sum(", "1e999"};
    gsl_rng *rng = test_rng(74);
    int legal = 0;
    for (int i = 0; i < 20000; i++) {
        char text[200] = "";
        size_t words = 1 + gsl_rng_uniform_int(rng, 9);
        unsigned long column;
        for (size_t k = 0; k < words; k++)
            strcat(text, word[gsl_rng_uniform_int(rng, sizeof word / sizeof *word)]);
        if (check(text, NULL) == HSGD_OK) {
            legal++;
            value_of_formula(text);
        } else if (sscanf(err.message, "column %lu: ", &column) != 1 || column < 1 || column > strlen(text) + 1)
            fail_msg("%s: \"%s\"", text, err.message);
        else if (strstr(err.message, "not legal here") || strstr(err.message, "cannot be evaluated"))
            fail_msg("%s: \"%s\" does not say what would be legal", text, err.message);
    }
    assert_true(legal > 100);
    gsl_rng_free(rng);
}

/* Nothing that threads share: many of them, with right and wrong formulas, get what one gets. */
static void threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    enum { ROUNDS = 400 };
    size_t wrong = 0;
#pragma omp parallel for num_threads(4) reduction(+ : wrong)
    for (int i = 0; i < ROUNDS; i++) {
        hsgd_variable v[NUM_VARIABLES];
        hsgd_error own;
        char text[32], name[32];
        double value;
        set(v);
        v[0].value = i;
        snprintf(text, sizeof text, "x*x + %d", i);
        snprintf(name, sizeof name, "x + bad%d", i);
        wrong += hsgd_expression_check(text, v, NUM_VARIABLES, KNOWN, NULL, &own) != HSGD_OK;
        wrong += hsgd_expression_eval(&value, text, v, NUM_VARIABLES, &own) != HSGD_OK || value != (double)i * i + i;
        wrong += hsgd_expression_check(name, v, NUM_VARIABLES, KNOWN, NULL, &own) == HSGD_OK;
        snprintf(text, sizeof text, "\"bad%d\"", i);
        wrong += !strstr(own.message, text);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_of_c),
        cmocka_unit_test(used_variables_are_told),
        cmocka_unit_test(mistakes_are_named_with_their_column),
        cmocka_unit_test(hostile_texts_are_refused),
        cmocka_unit_test(random_formulas_have_the_values_of_c),
        cmocka_unit_test(random_words_do_no_harm),
        cmocka_unit_test(threads_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests_name("expression", tests, NULL, NULL);
}
