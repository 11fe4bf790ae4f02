/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every figure in both formats for LaTeX, compiled by pdflatex in the folder where it was made, at every preset width: no
 * error, no warning, no missing character, no overfull box, and a box of the printed width. The width of the other formats
 * is read from their files. */
#include "tests/plots/figure_input.h"

#include "plots/caption.h"

#define SHARE 0.005 /* a width may differ by this much from the style's */

static const double widths[] = {HSGD_WIDTH_IEEE_COLUMN_IN, HSGD_WIDTH_NEURIPS_IN, HSGD_WIDTH_IEEE_PAGE_IN};
enum { NUM_WIDTHS = sizeof widths / sizeof *widths };

/* What a user may call an experiment: special characters of TeX, scripts that its fonts lack. */
#define AWKWARD_NAME "é_γ & 100% #1 {a^b} ~ \\x $ [c] “q” ‖∇f‖² 名前 <|>"

static void need_pdflatex(void)
{
    if (system("pdflatex --version >/dev/null 2>&1") == 0)
        return;
    print_message("skipped: pdflatex is not installed (Debian's texlive-latex-base, texlive-latex-recommended and "
                  "texlive-pictures have all that is needed)\n");
    skip();
}

/* All figures with their captions. */
static void make_all(const fixture *f, const hsgd_figure_style *style)
{
    hsgd_error err;
    for (size_t i = 0; i < hsgd_num_figures; i++) {
        assert_ok(hsgd_figures[i]->write(&f->in, f->dir, style, &err), err);
        assert_ok(hsgd_figure_render(f->dir, hsgd_figures[i]->name, &err), err);
        assert_ok(hsgd_figure_write_caption(&f->in, hsgd_figures[i], f->dir, &err), err);
    }
}

/* A document with all of them, which says how wide and how high each is. */
static void write_document(const fixture *f, hsgd_figure_format format)
{
    char path[128];
    snprintf(path, sizeof path, "%s/paper.tex", f->dir);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, "\\documentclass{article}\n\\usepackage{%s}\n",
            format == HSGD_FIGURE_TIKZ ? "gnuplot-lua-tikz" : "graphicx,color");
    fputs("\\usepackage[textwidth=7.2in,textheight=9.5in]{geometry}\n\\begin{document}\\sloppy\n\\newbox\\figurebox\n",
          out);
    for (size_t i = 0; i < hsgd_num_figures; i++)
        fprintf(out,
                "\\setbox\\figurebox\\hbox{\\input{%s.tex}\\unskip}\\typeout{WIDTH %s: \\the\\wd\\figurebox}\n"
                "\\noindent\\box\\figurebox\\par\n\\noindent\\input{%s.caption}\\par\n",
                hsgd_figures[i]->name, hsgd_figures[i]->name, hsgd_figures[i]->name);
    fputs("\\end{document}\n", out);
    fclose(out);
}

static char *compile(const fixture *f)
{
    char command[256];
    snprintf(command, sizeof command,
             "cd %s && max_print_line=1000 pdflatex -interaction=nonstopmode -halt-on-error paper.tex >said 2>&1",
             f->dir);
    int outcome = system(command);
    char *said = file_text(f->dir, "paper", "log");
    if (outcome != 0)
        fail_msg("pdflatex: %s", strstr(said, "\n!") ? strstr(said, "\n!") : said);
    return said;
}

static void check_log(const char *said, double width_in)
{
    static const char *const complaint[] = {"Overfull", "Underfull", "Missing character", "Warning", "undefined"};
    for (size_t i = 0; i < sizeof complaint / sizeof *complaint; i++)
        if (strstr(said, complaint[i]))
            fail_msg("pdflatex says %.200s", strstr(said, complaint[i]));
    for (size_t i = 0; i < hsgd_num_figures; i++) {
        char want[64];
        snprintf(want, sizeof want, "WIDTH %s: ", hsgd_figures[i]->name);
        const char *at = strstr(said, want);
        assert_non_null(at);
        assert_close(strtod(at + strlen(want), NULL) / 72.27, width_in, SHARE);
    }
}

static void compiles(size_t levels, hsgd_figure_format format, double width_in, const char *name)
{
    fixture f;
    setup(&f, levels, 150);
    f.in.name = name;
    f.in.setting = (hsgd_figure_setting){
        .problem = "softmax", .data = name, .samples = 1000, .batch_size = 16, .variant = "momentum 0.9_%"};
    hsgd_figure_style style = {.format = format, .width_in = width_in, .band = HSGD_BAND_CI, .title = true};
    make_all(&f, &style);
    write_document(&f, format);
    char *said = compile(&f);
    check_log(said, width_in);
    if (format == HSGD_FIGURE_TIKZ) /* what gnuplot put beside the figures, not what the system may have */
        assert_non_null(strstr(said, "(./gnuplot-lua-tikz.sty"));
    free(said);
    teardown(&f);
}

static void every_figure_compiles_at_every_width(void **state)
{
    (void)state;
    need_pdflatex();
    for (size_t w = 0; w < NUM_WIDTHS; w++) {
        compiles(2, HSGD_FIGURE_TEX, widths[w], "test experiment");
        compiles(3, HSGD_FIGURE_TIKZ, widths[w], "test experiment");
    }
}

static void awkward_names_compile(void **state)
{
    (void)state;
    need_pdflatex();
    compiles(2, HSGD_FIGURE_TEX, HSGD_WIDTH_IEEE_COLUMN_IN, AWKWARD_NAME);
    compiles(2, HSGD_FIGURE_TIKZ, HSGD_WIDTH_IEEE_COLUMN_IN, AWKWARD_NAME);
}

/* ---- what leaves this program for LaTeX has no character beyond ASCII ---- */

static void latex_gets_ascii(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 3, 60);
    f.in.name = AWKWARD_NAME;
    f.in.setting = (hsgd_figure_setting){.problem = "cnn", .data = AWKWARD_NAME, .variant = AWKWARD_NAME};
    hsgd_figure_style style = {.format = HSGD_FIGURE_TIKZ, .width_in = 5, .band = HSGD_BAND_SD, .title = true};
    make_all(&f, &style);
    for (size_t i = 0; i < hsgd_num_figures; i++)
        for (size_t k = 0; k < 2; k++) {
            char *text = file_text(f.dir, hsgd_figures[i]->name, k ? "tex" : "caption.tex");
            for (const char *c = text; *c; c++)
                if ((unsigned char)*c >= 0x80)
                    fail_msg("%s has %.40s", hsgd_figures[i]->name, c);
            free(text);
        }
    teardown(&f);
}

/* ---- minus signs: mathematics in LaTeX, a true minus elsewhere; never a hyphen ---- */

static void minus_signs_are_not_hyphens(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    double loss[40];
    setup(&f, 2, 40);
    for (size_t r = 0; r < 40; r++)
        loss[r] = -1 - 0.1 * (double)r; /* a loss below 0 has a linear axis */
    f.in.progress[0].loss = loss;
    const hsgd_figure *figure = hsgd_figure_find("loss-time");
    assert_ok(figure->write(&f.in, f.dir, in_format(HSGD_FIGURE_SVG), &err), err);
    assert_ok(hsgd_figure_render(f.dir, "loss-time", &err), err);
    char *text = file_text(f.dir, "loss-time", "svg");
    assert_non_null(strstr(text, "\u22122"));
    assert_null(strstr(text, ">-2<"));
    free(text);
    for (int format = HSGD_FIGURE_TEX; format <= HSGD_FIGURE_TIKZ; format++) {
        assert_ok(figure->write(&f.in, f.dir, in_format((hsgd_figure_format)format), &err), err);
        assert_ok(hsgd_figure_render(f.dir, "loss-time", &err), err);
        text = file_text(f.dir, "loss-time", "tex");
        assert_non_null(strstr(text, "$-2$"));
        free(text);
    }
    teardown(&f);
}

/* ---- widths of the other formats ---- */

static double number_after(const char *text, const char *mark)
{
    const char *at = strstr(text, mark);
    assert_non_null(at);
    return strtod(at + strlen(mark), NULL);
}

/* Pixels of a PNG: big-endian at byte 16. */
static double png_width(const char *dir, const char *name)
{
    char path[128];
    unsigned char head[24];
    snprintf(path, sizeof path, "%s/%s.png", dir, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
    fclose(file);
    return head[16] * 16777216.0 + head[17] * 65536.0 + head[18] * 256.0 + head[19];
}

/* The MediaBox stands in the clear in files of cairo, after binary streams. */
static double pdf_width(const char *dir, const char *name)
{
    char command[256], line[128];
    snprintf(command, sizeof command, "grep -a -o 'MediaBox *\\[[^]]*' %s/%s.pdf", dir, name);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(line, sizeof line, pipe));
    pclose(pipe);
    double left, bottom, right;
    assert_int_equal(sscanf(strchr(line, '[') + 1, "%lf %lf %lf", &left, &bottom, &right), 3);
    return right - left;
}

static void other_formats_are_as_wide_as_asked(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 2, 40);
    for (size_t w = 0; w < NUM_WIDTHS; w++) {
        hsgd_figure_style style = {.width_in = widths[w], .title = true};
        for (int format = HSGD_FIGURE_PDF; format <= HSGD_FIGURE_PNG; format++) {
            style.format = (hsgd_figure_format)format;
            assert_ok(hsgd_figure_find("terms")->write(&f.in, f.dir, &style, &err), err);
            assert_ok(hsgd_figure_render(f.dir, "terms", &err), err);
        }
        char *svg = file_text(f.dir, "terms", "svg");
        assert_close(pdf_width(f.dir, "terms") / 72, widths[w], SHARE);
        assert_close(number_after(svg, "viewBox=\"0 0 ") / 96, widths[w], SHARE);
        assert_close(png_width(f.dir, "terms") / 400, widths[w], SHARE);
        free(svg);
    }
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_figure_compiles_at_every_width),
        cmocka_unit_test(awkward_names_compile),
        cmocka_unit_test(latex_gets_ascii),
        cmocka_unit_test(minus_signs_are_not_hyphens),
        cmocka_unit_test(other_formats_are_as_wide_as_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
