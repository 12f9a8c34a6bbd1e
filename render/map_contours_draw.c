// SPDX-License-Identifier: Apache-2.0
#include "render/map_contours_draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/scale_ticks.h"

static const double thin = 1.0, thick = 1.9, rim = 1.1;                      // pixels of the screen
static const double label_every = 240, label_gap = 4, label_clear = 11, label_edge = 2;  // along the line; at its ends; between labels; to the picture's edge
static const double speck = 26;                                            // around: closed lines that are shorter say nothing
static const double straight = 0.94;                                         // chord over arc that a label may stand on
static const uint32_t halo_colour = 0xffffff00;
enum { LABEL_SIZE = 11, SQUARE = 6, LABELS_MAX = 4096, LABEL_DIGITS = 7 };

struct label {
    double x, y, angle;    // of its middle
    double width, height;  // half
    long number;
};

struct pen {
    struct lettering *lettering;
    struct lettering_sheet *sheet;
    const struct map_contours *contours;
    const struct map_contours_looks *looks;
    struct lettering_style style;
    const atomic_bool *stop;
    size_t label_count;
    struct label *labels;      // [LABELS_MAX]
    int taken_x, taken_y;      // squares of the picture
    double square;             // pixels of one's side
    uint8_t *taken;            // [taken_y][taken_x]: whether a label and what is kept clear around it touches one
    double *along;         // of one line: how far each point is from the first
};

// Whether a line is long enough to be drawn. Neighbouring pictures agree: both see all of one that is not.
static bool is_shown(const struct pen *pen, const struct map_contour *line) {
    double length = 0;
    for (size_t n = 0; n < line->count && line->closed && length < speck * pen->looks->scale; n++) {
        const float *a = pen->contours->points[line->first + n], *b = pen->contours->points[line->first + (n + 1) % line->count];
        length += hypot((double)b[0] - (double)a[0], (double)b[1] - (double)a[1]);
    }
    return !line->closed || length >= speck * pen->looks->scale;
}

static bool is_heavy(const struct pen *pen, const struct map_contour *line) { return pen->looks->heavy && line->number % (long)pen->looks->heavy == 0; }

static const float *point(const struct pen *pen, const struct map_contour *line, size_t n) { return pen->contours->points[line->first + n % line->count]; }

// --- lines ---------------------------------------------------------------------------------------------------------------------

// A quadratic curve from a to b about a control point.
static void curve(cairo_t *cairo, const double a[2], const float control[2], const double b[2]) {
    const double x = (double)control[0], y = (double)control[1];
    cairo_curve_to(cairo, a[0] + 2 * (x - a[0]) / 3, a[1] + 2 * (y - a[1]) / 3, b[0] + 2 * (x - b[0]) / 3, b[1] + 2 * (y - b[1]) / 3, b[0], b[1]);
}

static void middle(const float a[2], const float b[2], double out[2]) {
    for (int c = 0; c < 2; c++) out[c] = 0.5 * ((double)a[c] + (double)b[c]);
}

// Quadratic B-splines, whose control points are the line's: they stay within its hull, so that lines of different values do not cross, and depend on two neighbours
// alone, so that they meet those of the picture beside this one.
static void trace(const struct pen *pen, const struct map_contour *line) {
    cairo_t *cairo = pen->sheet->cairo;
    double from[2], to[2];
    if (line->count < 2) return;
    if (line->closed) {
        middle(point(pen, line, 0), point(pen, line, 1), from);
        cairo_move_to(cairo, from[0], from[1]);
    } else {
        const float *first = point(pen, line, 0);
        cairo_move_to(cairo, (double)first[0], (double)first[1]);
        middle(first, point(pen, line, 1), from);
        cairo_line_to(cairo, from[0], from[1]);
    }
    const size_t curves = line->closed ? line->count : line->count - 2;
    for (size_t n = 1; n <= curves; n++, memcpy(from, to, sizeof from)) {
        middle(point(pen, line, n), point(pen, line, n + 1), to);
        curve(cairo, from, point(pen, line, n), to);
    }
    const float *last = point(pen, line, line->count - 1);
    if (line->closed) cairo_close_path(cairo);
    else cairo_line_to(cairo, (double)last[0], (double)last[1]);
}

static bool stopped(const struct pen *pen) { return pen->stop && atomic_load(pen->stop); }

// One after the other: a path of all would take Cairo far longer.
static void stroke(const struct pen *pen, bool heavy, double more, uint32_t colour) {
    cairo_set_line_width(pen->sheet->cairo, ((heavy ? thick : thin) + more) * pen->looks->scale);
    lettering_colour(pen->sheet, colour);
    for (size_t n = 0; n < pen->contours->count && !stopped(pen); n++) {
        if (is_heavy(pen, &pen->contours->lines[n]) != heavy || !is_shown(pen, &pen->contours->lines[n])) continue;
        trace(pen, &pen->contours->lines[n]);
        cairo_stroke(pen->sheet->cairo);
    }
}

static uint32_t with_opacity(uint32_t colour, double opacity) { return (colour & 0xffffff00) | (uint32_t)lround(255 * fmax(0, fmin(1, opacity))); }

uint32_t map_contours_colour(const struct map_contours_looks *looks) {
    return with_opacity((uint32_t)looks->ink[0] << 24 | (uint32_t)looks->ink[1] << 16 | (uint32_t)looks->ink[2] << 8, looks->opacity);
}

static void draw_lines(const struct pen *pen) {
    cairo_set_line_join(pen->sheet->cairo, CAIRO_LINE_JOIN_ROUND);
    if (pen->looks->halo)
        for (int heavy = 0; heavy < 2; heavy++) stroke(pen, heavy, 2 * rim, with_opacity(halo_colour, 0.6 * pen->looks->opacity));
    for (int heavy = 0; heavy < 2; heavy++) stroke(pen, heavy, 0, map_contours_colour(pen->looks));
}

// --- where labels stand --------------------------------------------------------------------------------------------------------

static double measure(struct pen *pen, const struct map_contour *line) {
    const size_t points = line->count + line->closed;
    pen->along[0] = 0;
    for (size_t n = 1; n < points; n++) {
        const float *a = point(pen, line, n - 1), *b = point(pen, line, n);
        pen->along[n] = pen->along[n - 1] + hypot((double)b[0] - (double)a[0], (double)b[1] - (double)a[1]);
    }
    return pen->along[points - 1];
}

// The place so far along a line, looked for from point *n on.
static void place(const struct pen *pen, const struct map_contour *line, double far, size_t *n, double at[2]) {
    const size_t last = line->count + line->closed - 1;
    while (*n + 1 < last && pen->along[*n + 1] < far) (*n)++;
    while (*n > 0 && pen->along[*n] > far) (*n)--;
    const float *a = point(pen, line, *n), *b = point(pen, line, *n + 1);
    const double span = pen->along[*n + 1] - pen->along[*n], share = span > 0 ? (far - pen->along[*n]) / span : 0;
    for (int c = 0; c < 2; c++) at[c] = (double)a[c] + share * ((double)b[c] - (double)a[c]);
}

// Half the sides of the upright box around a label.
static void reach(const struct label *label, double half[2]) {
    const double c = fabs(cos(label->angle)), s = fabs(sin(label->angle));
    half[0] = c * label->width + s * label->height;
    half[1] = s * label->width + c * label->height;
}

struct squares { int low[2], high[2]; };

// The squares that a box around a label, so much larger on each side, touches; cut at the picture's edges.
static struct squares squares_of(const struct pen *pen, const struct label *label, double more) {
    const int last[2] = {pen->taken_x - 1, pen->taken_y - 1};
    const double at[2] = {label->x, label->y};
    struct squares s;
    double half[2];
    reach(label, half);
    for (int d = 0; d < 2; d++) {
        s.low[d] = (int)fmax(0, floor((at[d] - half[d] - more) / pen->square));
        s.high[d] = (int)fmin(last[d], floor((at[d] + half[d] + more) / pen->square));
    }
    return s;
}

static bool is_whole(const struct pen *pen, const struct label *label) {
    const struct lettering_area *area = &pen->sheet->area;
    const double edge = label_edge * pen->looks->scale;
    double half[2];
    reach(label, half);
    return label->x - half[0] >= area->x + edge && label->x + half[0] <= area->x + area->width - edge && label->y - half[1] >= area->y + edge &&
           label->y + half[1] <= area->y + area->height - edge;
}

static bool is_free(const struct pen *pen, const struct label *label) {
    if (!is_whole(pen, label)) return false;
    const struct squares s = squares_of(pen, label, 0);
    for (int y = s.low[1]; y <= s.high[1]; y++)
        for (int x = s.low[0]; x <= s.high[0]; x++)
            if (pen->taken[(size_t)y * (size_t)pen->taken_x + (size_t)x]) return false;
    return true;
}

static void take(struct pen *pen, const struct label *label) {
    const struct squares s = squares_of(pen, label, label_clear * pen->looks->scale);
    for (int y = s.low[1]; y <= s.high[1]; y++)
        for (int x = s.low[0]; x <= s.high[0]; x++) pen->taken[(size_t)y * (size_t)pen->taken_x + (size_t)x] = 1;
    pen->labels[pen->label_count++] = *label;
}

// How straight the line is under a label so far along; the label is turned along it, never upside down.
static double fit(const struct pen *pen, const struct map_contour *line, double far, size_t *n, struct label *label) {
    const double half = label->width;
    double a[2], b[2], m[2];
    place(pen, line, far - half, n, a);
    place(pen, line, far + half, n, b);
    place(pen, line, far, n, m);
    const double dx = b[0] - a[0], dy = b[1] - a[1];
    label->angle = dx < 0 || (dx == 0 && dy < 0) ? atan2(-dy, -dx) : atan2(dy, dx);
    label->x = (a[0] + b[0] + 2 * m[0]) / 4;
    label->y = (a[1] + b[1] + 2 * m[1]) / 4;
    return hypot(dx, dy) / (2 * half);
}

// The best place within a stretch of a line.
static void label_stretch(struct pen *pen, const struct map_contour *line, double from, double to, const struct label *like) {
    double best = straight;
    struct label chosen = {0};
    size_t n = 0;
    for (double far = from; far <= to; far += 3 * pen->looks->scale) {
        struct label label = *like;
        const double fits = fit(pen, line, far, &n, &label);
        if (!(fits > best) || !is_free(pen, &label)) continue;
        best = fits;
        chosen = label;
    }
    if (best > straight && pen->label_count < LABELS_MAX) take(pen, &chosen);
}

static void label_text(const struct pen *pen, long number, char text[SCALE_NUMBER_TEXT]) {
    double value = pen->looks->base + (double)number * pen->looks->interval;
    if (fabs(value) < 1e-9 * pen->looks->interval) value = 0;
    scale_number(value, LABEL_DIGITS, text);
}

static void label_line(struct pen *pen, const struct map_contour *line) {
    char text[SCALE_NUMBER_TEXT];
    label_text(pen, line->number, text);
    const double s = pen->looks->scale, length = measure(pen, line);
    const struct label like = {.number = line->number, .width = 0.5 * lettering_width(pen->lettering, &pen->style, text) + label_gap * s,
                               .height = 0.42 * pen->style.size};
    const double from = like.width + 2 * s, to = length - like.width - 2 * s;
    if (length < 5 * like.width) return;
    const double stretches = fmax(1, floor((to - from) / (label_every * s)));
    for (double n = 0; n < stretches && pen->label_count < LABELS_MAX; n++)
        label_stretch(pen, line, from + (to - from) * (n + 0.2) / stretches, from + (to - from) * (n + 0.8) / stretches, &like);
}

static void place_labels(struct pen *pen) {
    for (int heavy = 1; heavy >= 0; heavy--)
        for (size_t n = 0; n < pen->contours->count && !stopped(pen); n++)
            if (is_heavy(pen, &pen->contours->lines[n]) == heavy && pen->contours->lines[n].count > 2) label_line(pen, &pen->contours->lines[n]);
}

// --- labels --------------------------------------------------------------------------------------------------------------------

// From here on nothing is drawn where labels stand.
static void cut_out(const struct pen *pen) {
    const struct lettering_area *area = &pen->sheet->area;
    cairo_t *cairo = pen->sheet->cairo;
    cairo_rectangle(cairo, area->x, area->y, area->width, area->height);
    for (size_t n = 0; n < pen->label_count; n++) {
        const struct label *l = &pen->labels[n];
        cairo_save(cairo);
        cairo_translate(cairo, l->x, l->y);
        cairo_rotate(cairo, l->angle);
        cairo_rectangle(cairo, -l->width, -l->height, 2 * l->width, 2 * l->height);
        cairo_restore(cairo);
    }
    cairo_set_fill_rule(cairo, CAIRO_FILL_RULE_EVEN_ODD);
    cairo_clip(cairo);
}

static void write_label(const struct pen *pen, const struct label *label) {
    char text[SCALE_NUMBER_TEXT];
    label_text(pen, label->number, text);
    cairo_t *cairo = pen->sheet->cairo;
    cairo_save(cairo);
    cairo_translate(cairo, label->x, label->y);
    cairo_rotate(cairo, label->angle);
    const int width = lettering_width(pen->lettering, &pen->style, text);
    cairo_translate(cairo, -0.5 * width, -lettering_baseline(pen->style.size) + 0.36 * pen->style.size);
    lettering_rimmed(pen->lettering, pen->sheet, &pen->style, text, 0, 0, 1.5 * pen->looks->scale, with_opacity(halo_colour, 0.75 * pen->looks->opacity));
    cairo_restore(cairo);
}

static void draw_all(struct pen *pen) {
    place_labels(pen);
    cairo_save(pen->sheet->cairo);
    cut_out(pen);
    draw_lines(pen);
    cairo_restore(pen->sheet->cairo);
    for (size_t n = 0; n < pen->label_count && !stopped(pen); n++) write_label(pen, &pen->labels[n]);
}

int map_contours_draw(struct lettering *lettering, struct lettering_sheet *sheet, const struct map_contours *contours, const struct map_contours_looks *looks,
                      const atomic_bool *stop) {
    struct pen pen = {.lettering = lettering, .sheet = sheet, .contours = contours, .looks = looks, .stop = stop, .square = SQUARE * looks->scale,
                      .style = {(int)lround(LABEL_SIZE * looks->scale), true, map_contours_colour(looks)}};
    pen.taken_x = (int)ceil(sheet->area.width / pen.square);
    pen.taken_y = (int)ceil(sheet->area.height / pen.square);
    pen.taken = calloc((size_t)pen.taken_x * (size_t)pen.taken_y, 1);
    pen.labels = malloc(LABELS_MAX * sizeof *pen.labels);
    pen.along = malloc((contours->point_count + 2) * sizeof *pen.along);
    const bool room = pen.taken && pen.labels && pen.along;
    if (room) draw_all(&pen);
    free(pen.taken);
    free(pen.labels);
    free(pen.along);
    return !room ? VIRGA_NO_MEMORY : stopped(&pen) ? VIRGA_CANCELLED : VIRGA_OK;
}
