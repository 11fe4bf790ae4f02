/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Captions say what is true of the run: each expected sentence is written by hand from the input. */
#include "tests/plots/figure_input.h"

#include "plots/caption.h"

/* The caption of a figure; free it. */
static char *caption_of(const fixture *f, const char *figure, hsgd_caption_syntax syntax)
{
    char *text = hsgd_figure_caption(&f->in, hsgd_figure_find(figure), syntax);
    assert_non_null(text);
    return text;
}

static void check_caption(const fixture *f, const char *figure, hsgd_caption_syntax syntax, const char *want)
{
    char *text = caption_of(f, figure, syntax);
    assert_string_equal(text, want);
    free(text);
}

/* contains: whether the plain caption has these words. */
static void check_words(const fixture *f, const char *figure, const char *words, bool contains)
{
    char *text = caption_of(f, figure, HSGD_CAPTION_PLAIN);
    if ((strstr(text, words) != NULL) != contains)
        fail_msg("%s: \"%s\" %s \"%s\"", figure, text, contains ? "lacks" : "has", words);
    free(text);
}

static const size_t fanout[] = {8, 6}, period[] = {20, 10};

static void a_caption_in_both_syntaxes(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 2, 100);
    f.in.step_size = 1.5e-7;
    f.in.setting = (hsgd_figure_setting){.problem = "softmax",
                                         .data = "a_b.gz",
                                         .samples = 1000,
                                         .batch_size = 16,
                                         .fanout = fanout,
                                         .period = period,
                                         .grouping = "given",
                                         .measure_every = 1};
    check_caption(
        &f, "convergence", HSGD_CAPTION_PLAIN,
        "Squared gradient norm ‖∇f(w̄ᵗ)‖² of H-SGD on softmax regression (a_b.gz, 1000 samples) with n = 48 workers in "
        "N = 8 groups (I = 10, G = 20), γ = 1.5×10⁻⁷, T = 100, mini-batches of 16: means over 17 seeds with bands of "
        "99 % confidence. The thick line is the mean S over the run; the other horizontal lines are bounds with "
        "trajectory constants.");
    check_caption(
        &f, "convergence", HSGD_CAPTION_TEX,
        "Squared gradient norm $\\|\\nabla f(\\bar w^t)\\|^2$ of H-SGD on softmax regression (a\\_b.gz, 1000 samples) "
        "with $n = 48$ workers in $N = 8$ groups ($I = 10$, $G = 20$), $\\gamma = 1.5{\\times}10^{-7}$, $T = 100$, "
        "mini-batches of 16: means over 17 seeds with bands of 99\\,\\% confidence. The thick line is the mean~$S$ "
        "over "
        "the run; the other horizontal lines are bounds with trajectory constants.");
    teardown(&f);
}

static void constants_bands_and_seeds(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 2, 100);
    check_words(&f, "convergence", "with trajectory constants", true);
    f.in.constants_estimated = true;
    check_words(&f, "convergence", "with estimated constants", true);
    f.in.constants_proved = true;
    check_words(&f, "ladder", "with proved constants", true);
    f.in.num_bounds = 0;
    check_words(&f, "convergence", "bounds", false);
    check_words(&f, "sandwich", "bounds", false);
    static const char *const words[] = {"bands of 99 % confidence", "bands of one standard error",
                                        "bands of one standard deviation over runs",
                                        "bands of all runs, from the smallest to the largest", "bands"};
    for (int band = HSGD_BAND_CI; band <= HSGD_BAND_NONE; band++) {
        f.in.band = (hsgd_figure_band)band;
        check_words(&f, "convergence", words[band], band != HSGD_BAND_NONE);
        check_words(&f, "dispersion", words[band], band != HSGD_BAND_NONE);
        check_words(&f, "S-time", words[band], band != HSGD_BAND_NONE);
        check_words(&f, "accuracy-bytes", words[band], false); /* it has none: bytes stand still between averages */
    }
    f.in.band = HSGD_BAND_CI;
    f.in.seeds = 4;
    f.in.runs = 12;
    check_words(&f, "convergence", "means over 4 groupings of 3 seeds each", true);
    f.in.seeds = f.in.runs = 1;
    f.in.hsgd.grad_norm_sq_half_width = NULL;
    check_words(&f, "convergence", ": one run.", true);
    f.in.setting.measure_every = 5;
    check_words(&f, "convergence", ": one run, measured every 5 steps.", true);
    teardown(&f);
}

static void hierarchies_and_algorithms(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 2, 40);
    check_words(&f, "divergence",
                "n = 48 workers in a tree of M = 2 levels with unequal groups or periods (from I = 10 to G = 20)",
                true);
    f.in.setting.weighted = true;
    f.in.setting.grouping = "random";
    check_words(&f, "divergence", "of unequal weights, placed at random, γ = 0.0123", true);
    f.in.setting.variant = "momentum 0.9";
    check_words(&f, "terms", "with changes to the algorithm (momentum 0.9)", true);
    f.in.setting.problem = "quadratic";
    check_words(&f, "terms", "full gradients", true);
    f.in.setting.noise_sq = 0.25;
    check_words(&f, "terms", "T = 40, σ² = 0.25", true);
    check_words(&f, "terms", "full gradients", false);
    teardown(&f);

    static const size_t three[] = {4, 3, 4}, periods[] = {20, 10, 5};
    setup(&f, 3, 40);
    f.in.setting.fanout = three;
    f.in.setting.period = periods;
    check_words(&f, "dispersion", "n = 48 workers on M = 3 levels (fanout 4 × 3 × 4, periods 20, 10, 5)", true);
    teardown(&f);

    setup(&f, 1, 40);
    check_words(&f, "convergence", "of local SGD with n = 48 workers that average every 20 steps", true);
    check_words(&f, "convergence", "H-SGD", false);
    check_words(&f, "divergence", "upward", false);
    teardown(&f);
}

static void comparisons_name_the_runs_that_were_made(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 2, 40);
    check_words(&f, "loss-time", "and for local SGD with period I = 10 and G = 20", true);
    check_words(&f, "accuracy", "Accuracy on test data", true);
    f.in.progress[1].loss = NULL;
    check_words(&f, "loss-time", "and for local SGD with period G = 20", true);
    f.in.progress[2].loss = NULL;
    check_words(&f, "loss-time", "local SGD", false);
    for (size_t r = 0; r < HSGD_NUM_FIGURE_RUNS; r++)
        f.in.progress[r].test_accuracy = NULL;
    check_words(&f, "accuracy", "Accuracy on training data", true);
    check_words(&f, "accuracy", "dotted", false);
    teardown(&f);
}

/* One to three sentences for every figure, in both syntaxes; what a user wrote is only text. */
static void every_figure_has_a_caption(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 2, 40);
    f.in.setting.data = "x_{\\input{y}} $ % \n\x01";
    for (size_t i = 0; i < hsgd_num_figures; i++) {
        char *tex = caption_of(&f, hsgd_figures[i]->name, HSGD_CAPTION_TEX);
        char *plain = caption_of(&f, hsgd_figures[i]->name, HSGD_CAPTION_PLAIN);
        size_t sentences = 0;
        for (const char *c = plain; (c = strchr(c, '.')); c++)
            sentences += c[1] == ' ' || c[1] == '\0';
        assert_in_range(sentences, 1, 3);
        assert_non_null(strstr(tex, "x\\_\\{\\textbackslash{}input\\{y\\}\\} \\$ \\% ??"));
        assert_non_null(strstr(plain, "x_{\\input{y}} $ % ??"));
        assert_null(strchr(plain, '\n'));
        free(tex);
        free(plain);
    }
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_caption_in_both_syntaxes), cmocka_unit_test(constants_bands_and_seeds),
        cmocka_unit_test(hierarchies_and_algorithms), cmocka_unit_test(comparisons_name_the_runs_that_were_made),
        cmocka_unit_test(every_figure_has_a_caption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
