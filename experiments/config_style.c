/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "figure_style": how the figures look; the command line may say otherwise. */
#include "experiments/style_private.h"

static const char *format_name(size_t i)
{
    return hsgd_figure_format_name((hsgd_figure_format)i);
}

static const char *band_name(size_t i)
{
    return hsgd_figure_band_name((hsgd_figure_band)i);
}

static hsgd_status read_width(double *width_in, const hsgd_json *at, hsgd_error *err)
{
    static const char *const names[] = {"ieee-column", "ieee-page", "neurips", NULL};
    size_t choice;
    bool legal = cJSON_IsString(at->value)
                     ? !hsgd_json_choice(at, names, &choice, NULL) && !hsgd_figure_width_parse(names[choice], width_in)
                     : !hsgd_json_number(at, HSGD_MIN_WIDTH_IN, HSGD_MAX_WIDTH_IN, width_in, NULL);
    return legal
               ? HSGD_OK
               : hsgd_json_fail(at, err, "expected ieee-column, ieee-page, neurips or a number of inches from %g to %g",
                                HSGD_MIN_WIDTH_IN, HSGD_MAX_WIDTH_IN);
}

hsgd_status hsgd_style_read(hsgd_figure_style *style, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"width", "format", "band", "title", NULL};
    if (!at->value)
        return HSGD_OK;
    hsgd_json width = hsgd_json_member(at, "width"), format = hsgd_json_member(at, "format");
    hsgd_json band = hsgd_json_member(at, "band"), title = hsgd_json_member(at, "title");
    size_t choice;
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status && width.value)
        status = read_width(&style->width_in, &width, err);
    if (!status && format.value &&
        !(status = hsgd_json_choice_of(&format, format_name, HSGD_FIGURE_TIKZ + 1, &choice, err)))
        style->format = (hsgd_figure_format)choice;
    if (!status && band.value && !(status = hsgd_json_choice_of(&band, band_name, HSGD_BAND_NONE + 1, &choice, err)))
        style->band = (hsgd_figure_band)choice;
    if (!status && title.value)
        status = hsgd_json_bool(&title, &style->title, err);
    return status;
}

hsgd_status hsgd_style_apply(hsgd_figure_style *style, const hsgd_style_change *change, hsgd_error *err)
{
    if (change->format && hsgd_figure_format_parse(change->format, &style->format))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "--format: \"%s\" is not pdf, svg, png, tex or tikz", change->format);
    if (change->width && hsgd_figure_width_parse(change->width, &style->width_in))
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "--width: \"%s\" is not ieee-column, ieee-page, neurips or a number of inches from %g to %g",
                         change->width, HSGD_MIN_WIDTH_IN, HSGD_MAX_WIDTH_IN);
    if (change->band && hsgd_figure_band_parse(change->band, &style->band))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "--band: \"%s\" is not ci, se, sd, range or none", change->band);
    style->title = style->title && !change->no_title;
    style->scripts_only = change->scripts_only;
    return HSGD_OK;
}

void hsgd_style_to_json(cJSON *root, const hsgd_figure_style *style)
{
    hsgd_figure_style usual = hsgd_figure_default_style();
    if (style->format == usual.format && style->width_in == usual.width_in && style->band == usual.band &&
        style->title == usual.title)
        return;
    cJSON *object = cJSON_AddObjectToObject(root, "figure_style");
    const char *name = hsgd_figure_width_name(style->width_in);
    if (name)
        cJSON_AddStringToObject(object, "width", name);
    else
        cJSON_AddNumberToObject(object, "width", style->width_in);
    cJSON_AddStringToObject(object, "format", hsgd_figure_format_name(style->format));
    cJSON_AddStringToObject(object, "band", hsgd_figure_band_name(style->band));
    cJSON_AddBoolToObject(object, "title", style->title);
}
