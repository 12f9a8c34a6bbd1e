// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "render/caption.h"
#include "render/caption_style.h"
#include "render/lettering.h"
#include "render/scale_ticks.h"

enum { TAKEN_MAX = 512, HEIGHTS_MAX = 24, LABEL_TEXT = 64 };
#define FAR_OUT 1e5  // pixels beyond which nothing is drawn

enum align { ALIGN_CENTRE, ALIGN_LEFT, ALIGN_RIGHT };

struct label_pen {
    struct lettering lettering;
    struct image *image;
    const struct scene *scene;
    double scale;
    struct lettering_style style;
    size_t taken_count;
    struct lettering_area taken[TAKEN_MAX];  // where nothing more is written
};

// Pixels from the left and top; false behind the eye or far out.
static bool place(const struct label_pen *pen, const double at[3], double pixel[2]) {
    const double shown[3] = {at[0], at[1], at[2] * pen->scene->exaggeration};
    if (!camera_project(&pen->scene->matrices, shown, pixel)) return false;
    pixel[0] *= pen->image->width;
    pixel[1] *= pen->image->height;
    return fabs(pixel[0]) < FAR_OUT && fabs(pixel[1]) < FAR_OUT;
}

static bool is_taken(const struct label_pen *pen, const struct lettering_area *area) {
    for (size_t i = 0; i < pen->taken_count; i++) {
        const struct lettering_area *other = &pen->taken[i];
        if (area->x < other->x + other->width && other->x < area->x + area->width && area->y < other->y + other->height &&
            other->y < area->y + area->height)
            return true;
    }
    return false;
}

// With a dark rim, its middle at y; left out where it would cover another or leave the picture.
static int write_label(struct label_pen *pen, const char *text, double x, double y, enum align align) {
    const int width = lettering_width(&pen->lettering, &pen->style, text);
    const int half = caption_pixels(8, pen->scale), side = caption_pixels(4, pen->scale);
    const int left = (int)lround(align == ALIGN_RIGHT ? x - width : align == ALIGN_CENTRE ? x - width / 2.0 : x), middle = (int)lround(y);
    const struct lettering_area area = {left - side, middle - half, width + 2 * side, 2 * half};
    if (left < 2 || left + width > (int)pen->image->width - 2) return VIRGA_OK;
    if (middle < half || middle > (int)pen->image->height - half) return VIRGA_OK;
    if (pen->taken_count == TAKEN_MAX || is_taken(pen, &area)) return VIRGA_OK;
    pen->taken[pen->taken_count++] = area;
    struct lettering_sheet sheet;
    if (!lettering_begin(&sheet, &area))
        lettering_rimmed(&pen->lettering, &sheet, &pen->style, text, left, middle - lettering_line(pen->style.size) / 2,
                         1.5 * pen->scale, label_rim);
    return lettering_lay(&sheet, pen->image);
}

// ---- Degrees.

static void degrees_text(bool longitude, double value, char text[LABEL_TEXT]) {
    const double wrapped = longitude ? value - 360 * floor((value + 180) / 360) : value, size = round(fabs(wrapped) * 1e4) / 1e4;
    const char *half = longitude ? wrapped < 0 ? " W" : " E" : wrapped < 0 ? " S" : " N";
    char number[SCALE_NUMBER_TEXT];
    scale_number(size, 7, number);
    snprintf(text, LABEL_TEXT, "%s°%s", number, size == 0 || (longitude && size == 180) ? "" : half);
}

// Labels stand on the edges that face the eye.
static bool faces(const struct scene *scene, const struct basemap_degree *degree) {
    const double middle = (scene->box.low[1] + scene->box.high[1]) / 2, eye = scene->matrices.eye[1];
    return degree->side[0] != 0 || (degree->side[1] > 0 ? eye > middle : eye < middle);
}

// Steeply, over the domain's middle.
static bool from_above(const struct scene *scene) {
    const double *eye = scene->matrices.eye, *low = scene->box.low, *high = scene->box.high;
    return eye[2] > 3 * hypot(eye[0] - (low[0] + high[0]) / 2, eye[1] - (low[1] + high[1]) / 2);
}

static int write_degree(struct label_pen *pen, const struct basemap_degree *degree) {
    const double out[3] = {degree->at[0] + degree->side[0], degree->at[1] + degree->side[1], degree->at[2]};
    double p[2], q[2];
    if (!place(pen, degree->at, p) || !place(pen, out, q)) return VIRGA_OK;
    const double far = hypot(q[0] - p[0], q[1] - p[1]), away = 16 * pen->scale / (far > 0 ? far : 1);
    char text[LABEL_TEXT];
    degrees_text(degree->longitude, degree->value, text);
    return write_label(pen, text, p[0] + (q[0] - p[0]) * away, p[1] + (q[1] - p[1]) * away, ALIGN_CENTRE);
}

static int write_degrees(struct label_pen *pen, const struct basemap *basemap, bool all) {
    size_t count;
    const struct basemap_degree *degrees = basemap_degrees(basemap, &count);
    for (size_t i = 0; i < count; i++) {
        if (!all && !faces(pen->scene, &degrees[i])) continue;
        int status = write_degree(pen, &degrees[i]);
        if (status) return status;
    }
    return VIRGA_OK;
}

// ---- Heights.

static size_t height_ticks(double low, double high, double wanted, double ticks[HEIGHTS_MAX]) {
    static const double steps[] = {0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100};
    size_t s = 0, count = 0;
    while (s < 10 && (high - low) / steps[s] > wanted) s++;
    for (double n = ceil(low / steps[s] - 1e-9); n * steps[s] <= high + 1e-9 && count < HEIGHTS_MAX; n++)
        ticks[count++] = n * steps[s];
    return count;
}

// The upright edge that stands free at the left of the picture: its foot. False: none can be seen.
static bool free_edge(const struct label_pen *pen, double foot[3]) {
    const double *low = pen->scene->box.low, *high = pen->scene->box.high;
    double most = INFINITY;
    for (int n = 0; n < 4; n++) {
        const double corner[3] = {n & 1 ? high[0] : low[0], n & 2 ? high[1] : low[1], fmax(0, low[2])};
        double pixel[2];
        if (!place(pen, corner, pixel) || pixel[0] >= most) continue;
        most = pixel[0];
        for (int c = 0; c < 3; c++) foot[c] = corner[c];
    }
    return most < INFINITY;
}

struct axis {
    double foot[2], head[2];  // pixels
    size_t count;
    double km[HEIGHTS_MAX], at[HEIGHTS_MAX][2];
};

static bool plan_axis(const struct label_pen *pen, struct axis *axis) {
    double at[3] = {0};
    if (!free_edge(pen, at) || !place(pen, at, axis->foot)) return false;
    const double low = at[2], high = at[2] = pen->scene->box.high[2];
    if (!place(pen, at, axis->head)) return false;
    const double length = hypot(axis->head[0] - axis->foot[0], axis->head[1] - axis->foot[1]) / pen->scale;
    if (length < 40) return false;
    double ticks[HEIGHTS_MAX];
    const size_t count = height_ticks(low, high, fmax(2, fmin(8, length / 26)), ticks);
    axis->count = 0;
    for (size_t i = 0; i < count; i++) {
        at[2] = axis->km[axis->count] = ticks[i];
        if (place(pen, at, axis->at[axis->count])) axis->count++;
    }
    return true;
}

static int draw_axis(struct label_pen *pen, const struct axis *axis) {
    const double mark = 5 * pen->scale, rim = 2 * pen->scale;
    const double x0 = fmax(0, fmin(axis->foot[0], axis->head[0]) - mark - rim);
    const double x1 = fmin(pen->image->width, fmax(axis->foot[0], axis->head[0]) + rim);
    const double y0 = fmax(0, fmin(axis->foot[1], axis->head[1]) - rim);
    const double y1 = fmin(pen->image->height, fmax(axis->foot[1], axis->head[1]) + rim);
    if (x1 - x0 < 1 || y1 - y0 < 1) return VIRGA_OK;
    const struct lettering_area area = {(int)x0, (int)y0, (int)ceil(x1) - (int)x0, (int)ceil(y1) - (int)y0};
    struct lettering_sheet sheet;
    if (!lettering_begin(&sheet, &area)) {
        lettering_colour(&sheet, label_axis);
        cairo_set_line_width(sheet.cairo, 1.25 * pen->scale);
        cairo_move_to(sheet.cairo, axis->foot[0], axis->foot[1]);
        cairo_line_to(sheet.cairo, axis->head[0], axis->head[1]);
        for (size_t i = 0; i < axis->count; i++) {
            cairo_move_to(sheet.cairo, axis->at[i][0] - mark, axis->at[i][1]);
            cairo_line_to(sheet.cairo, axis->at[i][0], axis->at[i][1]);
        }
        cairo_stroke(sheet.cairo);
    }
    return lettering_lay(&sheet, pen->image);
}

static int write_heights(struct label_pen *pen, bool above_ground) {
    struct axis axis;
    if (!plan_axis(pen, &axis)) return VIRGA_OK;
    int status = draw_axis(pen, &axis);
    for (size_t i = 0; i < axis.count && !status; i++) {
        char number[SCALE_NUMBER_TEXT], text[LABEL_TEXT];
        const double x = axis.at[i][0], y = axis.at[i][1];
        scale_number(axis.km[i], 6, number);
        const bool top = i + 1 == axis.count;
        snprintf(text, sizeof text, "%s%s%s", number, top ? " km" : "", top && above_ground ? " above ground" : "");
        const double room = x - 11 * pen->scale - lettering_width(&pen->lettering, &pen->style, text);
        // A text that finds no room on the axis's outer side stands on the other.
        if (room < -6 * pen->scale) status = write_label(pen, text, x + 9 * pen->scale, y, ALIGN_LEFT);
        else status = write_label(pen, text, x - 9 * pen->scale - fmin(0, room), y, ALIGN_RIGHT);
    }
    return status;
}

// ---- All.

static void keep_clear(struct label_pen *pen, const struct caption *caption) {
    struct caption_area areas[CAPTION_AREAS_MAX];
    pen->taken_count = caption_areas(pen->image->width, pen->image->height, caption, areas);
    for (size_t i = 0; i < pen->taken_count; i++)
        pen->taken[i] = (struct lettering_area){areas[i].x, areas[i].y, areas[i].width, areas[i].height};
}

int label_draw(struct image *image, const struct scene *scene, const struct basemap *basemap,
               const struct label_options *options) {
    struct label_pen *pen = malloc(sizeof *pen);
    if (!pen) return VIRGA_NO_MEMORY;
    const double scale = caption_scale(image->width, image->height);
    *pen = (struct label_pen){.image = image, .scene = scene, .scale = scale,
                              .style = {caption_pixels(12, scale), true, label_text}};
    lettering_init(&pen->lettering);
    if (options->caption) keep_clear(pen, options->caption);
    int status = options->heights ? write_heights(pen, options->above_ground) : VIRGA_OK;
    if (!status && options->degrees) status = write_degrees(pen, basemap, options->top || from_above(scene));
    lettering_destroy(&pen->lettering);
    free(pen);
    return status;
}
