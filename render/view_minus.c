// SPDX-License-Identifier: Apache-2.0
#include "render/view_minus.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "brick/brick_store.h"

struct search {
    struct view_resolved *resolved;
    struct view_resolved_layer *layer;
    size_t index;
    struct failure *failure;
};

static const char *run_of(const struct search *s, size_t run)
{
    return s->resolved->dataset->runs[run].time.iso;
}

// What a hidden layer may lack.
static int lacks(const struct search *s, const char *field, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int lacks(const struct search *s, const char *field, const char *format, ...)
{
    char words[sizeof s->failure->message];
    va_list arguments;
    s->layer->series = NULL;
    if (!s->layer->look.visible)
        return VIRGA_OK;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    return failure_set(s->failure, VIRGA_NOT_FOUND, "layers[%zu].minus%s: %s", s->index, field, words);
}

static int find_variable(const struct search *s)
{
    const struct view_minus *asked = &s->layer->look.minus;
    struct view_resolved_minus *minus = &s->layer->minus;
    const struct catalog_dataset *dataset = s->resolved->dataset;
    int variable = *asked->variable ? catalog_find_variable(dataset, asked->variable) : (int)s->layer->variable;
    if (variable < 0)
        return failure_set(s->failure, VIRGA_NOT_FOUND, "layers[%zu].minus.variable: \"%s\" is not in this dataset", s->index, asked->variable);
    minus->variable = (size_t)variable;
    minus->of = &dataset->variables[variable];
    return VIRGA_OK;
}

static bool has(const struct search *s, size_t run)
{
    const struct catalog_series *series = &s->resolved->dataset->runs[run].series[s->layer->minus.variable];
    return series->present && series->time_count > 0;
}

// The newest before the view's that has the variable, or -1.
static int previous_run(const struct search *s)
{
    for (size_t run = s->resolved->run; run-- > 0;)
        if (has(s, run))
            return (int)run;
    return -1;
}

static int find_run(const struct search *s)
{
    const char *asked = s->layer->look.minus.run;
    struct view_resolved_minus *minus = &s->layer->minus;
    bool previous = strcmp(asked, "previous") == 0;
    int run = !*asked ? (int)s->resolved->run : previous ? previous_run(s) : catalog_find_run(s->resolved->dataset, asked);
    if (run < 0 && previous)
        return lacks(s, ".run", "no run before that of %s has %s", run_of(s, s->resolved->run), minus->of->id);
    if (run < 0)
        return lacks(s, ".run", "%s is not on offer", asked);
    if (!has(s, (size_t)run))
        return lacks(s, "", "\"%s\" is not in the run of %s", minus->of->id, run_of(s, (size_t)run));
    minus->run = (size_t)run;
    minus->series = &s->resolved->dataset->runs[run].series[minus->variable];
    return VIRGA_OK;
}

static int find_member(const struct search *s)
{
    const struct view_minus *asked = &s->layer->look.minus;
    struct view_resolved_minus *minus = &s->layer->minus;
    size_t offered = minus->of->member_count;
    if (asked->has_member && asked->member >= offered)
        return failure_set(s->failure, VIRGA_NOT_FOUND, "layers[%zu].minus.member: %u is not on offer, there %s %zu", s->index, asked->member,
                           offered == 1 ? "is" : "are", offered);
    minus->member = asked->has_member ? asked->member : s->layer->member < offered ? s->layer->member : 0;
    return VIRGA_OK;
}

static bool same_shape(const struct search *s)
{
    struct pyramid_shape own, other;
    brick_store_shape(s->resolved->dataset, s->layer->variable, &own);
    brick_store_shape(s->resolved->dataset, s->layer->minus.variable, &other);
    bool same = own.level_count == other.level_count && own.wraps_x == other.wraps_x && s->layer->of->vertical == s->layer->minus.of->vertical;
    for (uint32_t level = 0; same && level < own.level_count; level++)
        same = memcmp(own.levels[level].n, other.levels[level].n, sizeof own.levels[level].n) == 0 &&
               memcmp(own.levels[level].scale, other.levels[level].scale, sizeof own.levels[level].scale) == 0;
    return same;
}

// The lattice of the difference, whose integers are q − ratio × q of what is taken away.
static int find_lattice(const struct search *s)
{
    const struct catalog_variable *own = s->layer->of, *of = s->layer->minus.of;
    double scale, offset;
    if (!presets_convert(of, own, &scale, &offset))
        return failure_set(s->failure, VIRGA_INVALID, "layers[%zu].minus.variable: \"%s\" is in %s, which cannot be taken from %s", s->index, of->id,
                           of->units, own->units);
    if (!same_shape(s))
        return failure_set(s->failure, VIRGA_INVALID, "layers[%zu].minus.variable: \"%s\" is on other levels or columns than \"%s\"", s->index, of->id,
                           own->id);
    s->layer->minus.ratio = scale * of->lattice.step / own->lattice.step;
    s->layer->lattice.v0 = own->lattice.v0 - scale * of->lattice.v0 - offset;
    s->layer->lattice.epsilon = own->lattice.epsilon + scale * of->lattice.epsilon;
    return VIRGA_OK;
}

static int must_meet(const struct search *s)
{
    const struct catalog_series *series = s->layer->series;
    for (size_t n = 0; series && n < series->time_count; n++)
        if (view_resolved_step(s->layer, series->times[n].seconds) >= 0)
            return VIRGA_OK;
    return series ? lacks(s, ".run", "the runs of %s and %s have no valid time in common", run_of(s, s->resolved->run), run_of(s, s->layer->minus.run))
                  : VIRGA_OK;
}

// --- what it is called

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// "12Z", "12:30Z"; with the day, "19 Nov 12Z", where that is another than the other run's.
static void run_words(const char *iso, const char *other, char *text, size_t room)
{
    int year, month, day, hour, minute, y, m, d;
    *text = '\0';
    if (sscanf(iso, "%d-%d-%dT%d:%d", &year, &month, &day, &hour, &minute) < 5 || sscanf(other, "%d-%d-%d", &y, &m, &d) < 3)
        return;
    int used = 0;
    if (year != y || month != m || day != d)
        used = snprintf(text, room, "%d %s ", day, months[(month + 11) % 12]);
    if (minute)
        snprintf(text + used, room - (size_t)used, "%02d:%02dZ", hour, minute);
    else
        snprintf(text + used, room - (size_t)used, "%02dZ", hour);
}

static void append(char text[PRESET_TITLE_TEXT], const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(char text[PRESET_TITLE_TEXT], const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, PRESET_TITLE_TEXT - used, format, arguments);
    va_end(arguments);
}

// As it stands within a sentence: abbreviations stay.
static void within(char title[PRESET_TITLE_TEXT])
{
    if (isupper((unsigned char)title[0]) && !isupper((unsigned char)title[1]))
        title[0] = (char)tolower((unsigned char)title[0]);
}

// Of one of the two, what the other has not: "run 12Z, member 3".
struct parts { const char *title, *run, *member; };

static void write_parts(char text[PRESET_TITLE_TEXT], const struct parts *parts, bool named)
{
    const char *before = "";
    if (*parts->title) {
        append(text, "%s", parts->title);
        before = ", ";
    }
    if (*parts->run) {
        append(text, "%s%s%s", before, named || *parts->title ? "run " : "", parts->run);
        before = ", ";
    }
    if (*parts->member)
        append(text, "%smember %s", before, parts->member);
}

// "run 12Z minus 06Z", "minus dew point temperature": what differs is named.
static void write_difference(const struct search *s)
{
    struct view_resolved_layer *layer = s->layer;
    const struct view_resolved_minus *minus = &layer->minus;
    const char *own = layer->of->members[layer->member], *other = minus->of->members[minus->member];
    char runs[2][32] = {"", ""}, title[PRESET_TITLE_TEXT] = "";
    if (minus->variable != layer->variable) {
        presets_title(minus->of, title);
        within(title);
    }
    if (minus->run != s->resolved->run) {
        run_words(run_of(s, s->resolved->run), run_of(s, minus->run), runs[0], sizeof runs[0]);
        run_words(run_of(s, minus->run), run_of(s, s->resolved->run), runs[1], sizeof runs[1]);
    }
    const bool members = strcmp(own, other) != 0 && *own && *other;
    const struct parts first = {"", runs[0], members ? own : ""}, second = {title, runs[1], members ? other : ""};
    write_parts(layer->difference, &first, true);
    append(layer->difference, *layer->difference ? " minus " : "minus ");
    write_parts(layer->difference, &second, false);
    if (!*title && !*runs[1] && !members)
        append(layer->difference, "itself");
    utf8_clean(layer->difference);  // it may have been cut within a letter
}

int view_minus_resolve(struct view_resolved *resolved, size_t index, struct failure *failure)
{
    const struct search s = {resolved, &resolved->layers[index], index, failure};
    int status = find_variable(&s);
    if (status == VIRGA_OK)
        status = find_lattice(&s);
    if (status == VIRGA_OK)
        status = find_member(&s);
    if (status == VIRGA_OK && s.layer->series)
        status = find_run(&s);
    s.layer->minus.used = true;
    if (status != VIRGA_OK || !s.layer->series)
        return status;
    write_difference(&s);
    return must_meet(&s);
}
