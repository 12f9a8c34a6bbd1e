// SPDX-License-Identifier: Apache-2.0
// The words of a picture's captions; how they are written is in caption.h. The page's are web/ui/time_caption.js and web/view/times.js.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "render/picture_scene.h"

static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const months[] = {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"};

// What a calendar other than the everyday one is called.
static const char *calendar_words(enum cf_calendar calendar) {
    switch (calendar) {
    case CALENDAR_360_DAY: return " (360-day calendar)";
    case CALENDAR_NOLEAP: return " (365-day calendar)";
    case CALENDAR_ALL_LEAP: return " (366-day calendar)";
    case CALENDAR_JULIAN: return " (Julian calendar)";
    default: return "";
    }
}

enum time_style { TIME_FULL, TIME_SHORT, TIME_WITHIN_YEAR };

// "Thursday 19 November 2009, 10:00 UTC", "Thu 19 Nov 2009, 10:00 UTC", "Thu 19 Nov, 10:00 UTC"; other calendars have no weekday and are named in full.
static void time_words(enum cf_calendar calendar, double seconds, enum time_style style, char *text, size_t size) {
    char iso[CF_TIME_TEXT], weekday[16] = "", in_year[16] = "", clock[16];
    int year, month, day, hour, minute, second = 0;
    snprintf(text, size, "%s", "");
    if (cf_time_text(calendar, seconds, iso) || sscanf(iso, "%d-%d-%dT%d:%d:%d", &year, &month, &day, &hour, &minute, &second) < 5) return;
    const double since = fmod(floor(seconds / 86400) + 4, 7);  // 1 January 1970 was a Thursday
    const int letters = style == TIME_FULL ? 16 : 3;
    if (!*calendar_words(calendar)) snprintf(weekday, sizeof weekday, "%.*s ", letters, days[(int)(since < 0 ? since + 7 : since)]);
    if (style != TIME_WITHIN_YEAR) snprintf(in_year, sizeof in_year, " %d", year);
    snprintf(clock, sizeof clock, second ? "%02d:%02d:%02d" : "%02d:%02d", hour % 100, minute % 100, second % 100);
    snprintf(text, size, "%s%d %.*s%s, %s UTC%s", weekday, day, letters, months[(month + 11) % 12], in_year, clock, style == TIME_FULL ? calendar_words(calendar) : "");
}

static bool same_year(enum cf_calendar calendar, double a, double b) {
    char texts[2][CF_TIME_TEXT];
    return !cf_time_text(calendar, a, texts[0]) && !cf_time_text(calendar, b, texts[1]) && atoi(texts[0]) == atoi(texts[1]);
}

// "T+7", "T+7:30", "T−3".
static void lead_words(double hours, char *text, size_t size) {
    const double minutes = round(fabs(hours) * 60), rest = fmod(minutes, 60);
    int n = snprintf(text, size, "T%s%.0f", hours < 0 && minutes > 0 ? "−" : "+", floor(minutes / 60));
    if (rest > 0 && n > 0 && (size_t)n < size) snprintf(text + n, size - (size_t)n, ":%02.0f", rest);
}

// What is blended is said in a line that is always there and shorter than the one above it, so that a film's captions stay where they are.
static void run_words(const struct picture_maker *maker, const struct view *view, double seconds, bool blended, char *text, size_t size) {
    const struct view_resolved *r = &maker->resolved;
    const struct view_resolved_layer *first = &r->layers[r->first];
    const struct catalog_run *run = &r->dataset->runs[r->run];
    const enum cf_calendar calendar = view_resolved_calendar(r);
    char when[96], lead[32], member[64] = "";
    time_words(calendar, run->time.seconds, same_year(calendar, run->time.seconds, seconds) ? TIME_WITHIN_YEAR : TIME_SHORT, when, sizeof when);
    lead_words((seconds - run->time.seconds) / 3600, lead, sizeof lead);
    if (first->of->member_count > 1) snprintf(member, sizeof member, ", member %.40s", first->of->members[first->member]);
    snprintf(text, size, "Run %s%s, %s%s%s, height × %g", when, run->complete ? "" : " (incomplete)", lead, blended ? " blended" : "", member, view->exaggeration);
}

static void note_words(const struct picture_maker *maker, const struct scene *scene, bool cut, char *text, size_t size) {
    const char *const notes[] = {
        maker->note,
        scene->light.night ? "night: lit as by the moon" : "",
        cut ? "in parts coarser than it could be, for want of memory" : "",
    };
    size_t at = 0;
    *text = '\0';
    for (size_t n = 0; n < sizeof notes / sizeof *notes; n++)
        if (*notes[n] && at < size) at += (size_t)snprintf(text + at, size - at, "%s%s", at ? "; " : "", notes[n]);
}

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// What is drawn, and of which forecast: "Cloud fraction, wind speed — the forecast's name".
static void title_words(const struct picture_maker *maker, char *text, size_t size) {
    const struct catalog_dataset *dataset = maker->resolved.dataset;
    size_t at = 0;
    *text = '\0';
    for (size_t n = 0; n < maker->layer_count + maker->slice_count; n++) {
        char title[VIEW_TITLE_TEXT];
        view_resolved_title(n < maker->layer_count ? maker->layers[n].layer : maker->slices[n - maker->layer_count].layer.layer, title);
        if (at + 2 + strlen(title) < size) {
            const size_t from = at + (at ? 2 : 0);
            at += (size_t)sprintf(text + at, "%s%s", at ? ", " : "", title);
            if (n && is_upper(text[from]) && !is_upper(text[from + 1])) text[from] = (char)(text[from] - 'A' + 'a');  // but for abbreviations
        }
    }
    snprintf(text + at, size - at, "%s%s", at ? " — " : "", dataset->title && *dataset->title ? dataset->title : dataset->id);
    utf8_clean(text);  // it may have been cut within a letter
}

static void add_legend(struct caption *caption, const struct picture_layer *layer) {
    const struct view_resolved_layer *l = layer->layer;
    if (caption->legend_count == CAPTION_LEGENDS_MAX) return;
    caption->legends[caption->legend_count++] = (struct caption_legend){
        .title = l->title, .difference = l->difference, .units = l->units.label, .scale = l->units.scale, .offset = l->units.offset,
        .range = {l->look.range[0], l->look.range[1]}, .transfer = &layer->transfer, .epsilon = l->lattice.epsilon};
}

void picture_words_init(struct picture_words *words, const struct picture_maker *maker, const struct view *view, const struct picture_moment *moment,
                        const struct scene *scene, bool cut) {
    const struct view_resolved *r = &maker->resolved;
    const struct view_captions *asked = &view->captions;
    const bool blended = picture_blended(maker, moment);
    const double exactly = picture_seconds(maker, moment), seconds = blended ? 60 * round(exactly / 60) : exactly;
    *words = (struct picture_words){0};
    if (asked->has_title) snprintf(words->title, sizeof words->title, "%s", asked->title);
    else title_words(maker, words->title, sizeof words->title);
    time_words(view_resolved_calendar(r), seconds, TIME_FULL, words->valid, sizeof words->valid);
    run_words(maker, view, seconds, blended, words->run, sizeof words->run);
    note_words(maker, scene, cut, words->note, sizeof words->note);
    words->caption = (struct caption){.title = words->title, .valid = words->valid, .run = words->run, .note = words->note, .attribution = asked->attribution};
    words->caption.calm = maker->calm && !strcmp(words->note, maker->note);
    for (size_t n = 0; asked->legend && n < maker->layer_count; n++) add_legend(&words->caption, &maker->layers[n]);
    for (size_t n = 0; asked->legend && n < maker->slice_count; n++) add_legend(&words->caption, &maker->slices[n].layer);
}
