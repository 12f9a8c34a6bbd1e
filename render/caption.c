// SPDX-License-Identifier: Apache-2.0
#include "render/caption.h"

#include "render/caption_legend.h"
#include "render/caption_style.h"
#include "render/lettering.h"

enum { LINES = 4, LETTER_MIN = 8 };
#define COVERED_MOST 0.38

struct caption_line {
    const char *text;
    struct lettering_style style;
    int y;  // of its top, from the panel's
};

// All that is written, and where.
struct plan {
    double scale;
    int width, height;      // of the picture
    int margin, gap, pad;
    struct lettering_area head, attribution;  // width 0: none
    size_t line_count, legend_count;
    struct caption_line lines[LINES], credit;
    struct caption_legend_plan legends[CAPTION_LEGENDS_MAX];
    struct lettering_area legend_areas[CAPTION_LEGENDS_MAX];
};

// What is left out, a step after the other, until all that is left has room; the time of a picture goes last.
enum cut { CUT_NOTHING, CUT_LATER_LEGENDS, CUT_TITLE, CUT_ATTRIBUTION, CUT_SECOND_LEGEND, CUT_LEGENDS, CUT_NOTE, CUT_RUN,
          CUT_ALL };

static int smaller(int a, int b) { return a < b ? a : b; }

// ---- The head: title, valid time, run, note.

static void add_line(struct plan *plan, const char *text, double size, bool bold, uint32_t colour) {
    if (!text || !text[0]) return;
    plan->lines[plan->line_count++] = (struct caption_line){text, {caption_pixels(size, plan->scale), bold, colour}, 0};
}

// Whether a line has room after shrinking, as far as it can be read.
static bool shrink(struct lettering *lettering, struct caption_line *line, int room) {
    while (line->style.size > LETTER_MIN && lettering_width(lettering, &line->style, line->text) > room) line->style.size--;
    return lettering_width(lettering, &line->style, line->text) <= room;
}

static void plan_head(struct lettering *lettering, const struct caption *caption, enum cut cut, struct plan *plan) {
    const int room = plan->width - 2 * plan->margin - 2 * plan->pad, top = caption_pixels(7, plan->scale);
    if (cut < CUT_TITLE) add_line(plan, caption->title, 15, true, caption_text);
    if (cut < CUT_ALL) add_line(plan, caption->valid, 20, true, caption_text);
    if (cut < CUT_RUN) add_line(plan, caption->run, 13, false, caption_muted);
    if (cut < CUT_NOTE) add_line(plan, caption->note, 13, false, caption->calm ? caption_muted : caption_warn);
    int width = 0, y = top;
    size_t kept = 0;
    for (size_t i = 0; i < plan->line_count; i++) {
        struct caption_line line = plan->lines[i];
        // Times are never cut short: where they have no room there are none.
        const bool time = line.text == caption->valid || line.text == caption->run;
        if (line.text != caption->title && !shrink(lettering, &line, room) && time) continue;
        line.y = y;
        y += lettering_line(line.style.size);
        const int wide = smaller(room, lettering_width(lettering, &line.style, line.text));
        width = wide > width ? wide : width;
        plan->lines[kept++] = line;
    }
    plan->line_count = kept;
    if (kept && room > 4 * LETTER_MIN)
        plan->head = (struct lettering_area){plan->margin, plan->margin, width + 2 * plan->pad, y + top};
}

// ---- The foot: legends at the right from the bottom up, attribution at the left; below the legends where it is too wide to stand beside them.

static void plan_legends(struct lettering *lettering, const struct caption *caption, enum cut cut, struct plan *plan) {
    static const size_t most[] = {[CUT_NOTHING] = CAPTION_LEGENDS_MAX, [CUT_LATER_LEGENDS] = 2, [CUT_TITLE] = 2,
                                  [CUT_ATTRIBUTION] = 2, [CUT_SECOND_LEGEND] = 1, [CUT_LEGENDS] = 0, [CUT_NOTE] = 0, [CUT_RUN] = 0, [CUT_ALL] = 0};
    const int widest = plan->width - 2 * plan->margin, wanted = caption_pixels(264, plan->scale);
    // On a small picture a legend takes less than half of it, if its words can be read then.
    const int narrow = plan->width * 45 / 100 > 128 ? plan->width * 45 / 100 : 128;
    const int width = smaller(smaller(wanted, narrow), widest);
    const size_t count = caption->legend_count < most[cut] ? caption->legend_count : most[cut];
    for (size_t i = 0; i < count && width >= 64; i++) {
        if (!caption->legends[i].transfer) continue;
        struct caption_legend_plan *legend = &plan->legends[plan->legend_count];
        caption_legend_plan(lettering, &caption->legends[i], plan->scale, width, legend);
        plan->legend_areas[plan->legend_count++] = (struct lettering_area){plan->width - plan->margin - width, 0, width,
                                                                           legend->height};
    }
}

static void plan_attribution(struct lettering *lettering, const struct caption *caption, enum cut cut, struct plan *plan) {
    if (cut >= CUT_ATTRIBUTION || !caption->attribution || !caption->attribution[0]) return;
    const int size = caption_pixels(11, plan->scale), pad = caption_pixels(8, plan->scale);
    const int height = lettering_line(size) + caption_pixels(4, plan->scale), room = plan->width - 2 * plan->margin;
    plan->credit = (struct caption_line){caption->attribution, {size, false, caption_text}, (height - lettering_line(size)) / 2};
    const int width = smaller(room, lettering_width(lettering, &plan->credit.style, caption->attribution) + 2 * pad);
    if (width > 2 * pad + 4 * size || width < room)
        plan->attribution = (struct lettering_area){plan->margin, plan->height - plan->margin - height, width, height};
}

static void stack_legends(struct plan *plan) {
    int bottom = plan->height - plan->margin;
    if (plan->legend_count && plan->attribution.width &&
        plan->attribution.x + plan->attribution.width + plan->gap > plan->legend_areas[0].x)
        bottom = plan->attribution.y - plan->gap;
    for (size_t i = plan->legend_count; i-- > 0;) {
        plan->legend_areas[i].y = bottom - plan->legend_areas[i].height;
        bottom = plan->legend_areas[i].y - plan->gap;
    }
}

// ---- Together.

static size_t list_areas(const struct plan *plan, struct lettering_area areas[CAPTION_AREAS_MAX]) {
    size_t n = 0;
    if (plan->head.width) areas[n++] = plan->head;
    if (plan->attribution.width) areas[n++] = plan->attribution;
    for (size_t i = 0; i < plan->legend_count; i++) areas[n++] = plan->legend_areas[i];
    return n;
}

static bool meet(const struct lettering_area *a, const struct lettering_area *b, int gap) {
    const bool beside = a->x >= b->x + b->width + gap || b->x >= a->x + a->width + gap;
    return !beside && a->y < b->y + b->height + gap && b->y < a->y + a->height + gap;
}

static bool has_room(const struct plan *plan) {
    struct lettering_area areas[CAPTION_AREAS_MAX];
    const size_t n = list_areas(plan, areas);
    double covered = 0;
    for (size_t i = 0; i < n; i++) {
        const struct lettering_area *a = &areas[i];
        covered += (double)a->width * a->height / ((double)plan->width * plan->height);
        if (a->x < 0 || a->y < 0 || a->x + a->width > plan->width || a->y + a->height > plan->height) return false;
        for (size_t j = 0; j < i; j++)
            if (meet(a, &areas[j], plan->gap - 1)) return false;
    }
    return covered <= COVERED_MOST;  // the rest is the picture
}

static void plan_with(struct lettering *lettering, const struct caption *caption, enum cut cut, struct plan *plan) {
    plan->line_count = plan->legend_count = 0;
    plan->head = plan->attribution = (struct lettering_area){0};
    plan_head(lettering, caption, cut, plan);
    plan_legends(lettering, caption, cut, plan);
    plan_attribution(lettering, caption, cut, plan);
    stack_legends(plan);
}

static void make_plan(struct lettering *lettering, unsigned width, unsigned height, const struct caption *caption,
                      struct plan *plan) {
    const double scale = caption_scale(width, height);
    *plan = (struct plan){.scale = scale, .width = (int)width, .height = (int)height};
    // A picture of a few hundred pixels has none to give away.
    plan->margin = smaller(caption_pixels(12, scale), smaller((int)width, (int)height) / 24);
    plan->gap = smaller(caption_pixels(8, scale), plan->margin > 4 ? plan->margin : 4);
    plan->pad = caption_pixels(12, scale);
    enum cut cut = CUT_NOTHING;
    plan_with(lettering, caption, cut, plan);
    while (!has_room(plan) && cut < CUT_ALL) plan_with(lettering, caption, ++cut, plan);
}

size_t caption_areas(unsigned width, unsigned height, const struct caption *caption,
                     struct caption_area areas[CAPTION_AREAS_MAX]) {
    struct lettering lettering;
    struct plan plan;
    struct lettering_area found[CAPTION_AREAS_MAX];
    lettering_init(&lettering);
    make_plan(&lettering, width, height, caption, &plan);
    lettering_destroy(&lettering);
    const size_t n = list_areas(&plan, found);
    for (size_t i = 0; i < n; i++) areas[i] = (struct caption_area){found[i].x, found[i].y, found[i].width, found[i].height};
    return n;
}

static int begin_panel(struct lettering_sheet *sheet, const struct lettering_area *area, double scale) {
    int status = lettering_begin(sheet, area);
    if (!status) lettering_panel(sheet, caption_pixels(8, scale), caption_pixels(1, scale), caption_glass, caption_edge);
    return status;
}

static int draw_head(struct lettering *lettering, const struct plan *plan, struct image *image) {
    struct lettering_sheet sheet;
    if (!plan->head.width) return VIRGA_OK;
    if (!begin_panel(&sheet, &plan->head, plan->scale)) {
        for (size_t i = 0; i < plan->line_count; i++) {
            const struct caption_line *line = &plan->lines[i];
            lettering_text(lettering, &sheet, &line->style, line->text, plan->head.x + plan->pad, plan->head.y + line->y,
                           plan->head.width - 2 * plan->pad);
        }
    }
    return lettering_lay(&sheet, image);
}

static int draw_attribution(struct lettering *lettering, const struct plan *plan, struct image *image) {
    const struct lettering_area *area = &plan->attribution;
    const int pad = caption_pixels(8, plan->scale);
    struct lettering_sheet sheet;
    if (!area->width) return VIRGA_OK;
    if (!begin_panel(&sheet, area, plan->scale))
        lettering_text(lettering, &sheet, &plan->credit.style, plan->credit.text, area->x + pad, area->y + plan->credit.y,
                       area->width - 2 * pad);
    return lettering_lay(&sheet, image);
}

static int draw_legend(struct lettering *lettering, const struct plan *plan, size_t index, struct image *image) {
    struct lettering_sheet sheet;
    if (!begin_panel(&sheet, &plan->legend_areas[index], plan->scale))
        caption_legend_draw(lettering, &sheet, &plan->legends[index]);
    return lettering_lay(&sheet, image);
}

int caption_draw(struct image *image, const struct caption *caption) {
    struct lettering lettering;
    struct plan plan;
    lettering_init(&lettering);
    make_plan(&lettering, image->width, image->height, caption, &plan);
    int status = draw_head(&lettering, &plan, image);
    if (!status) status = draw_attribution(&lettering, &plan, image);
    for (size_t i = 0; i < plan.legend_count && !status; i++) status = draw_legend(&lettering, &plan, i, image);
    lettering_destroy(&lettering);
    return status;
}
