// SPDX-License-Identifier: Apache-2.0
// Where a legend has ticks: at round numbers of the units that people read; of a few bands at their edges; of a logarithmic scale at 1, 2 and 5 of every decade.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "render/map_legend_private.h"

enum { EDGES_MOST = 40, WANTED_MOST = 6, DIGITS = 4 };

static double shown(const struct legend_plan *plan, double value) { return value * plan->units.scale + plan->units.offset; }

static double share_of(const struct legend_plan *plan, double value) {
    const double *range = plan->style->range;
    return plan->style->log_scale ? log(value / range[0]) / log(range[1] / range[0]) : (value - range[0]) / (range[1] - range[0]);
}

static void add(struct legend_plan *plan, double value, const char *text) {
    if (plan->tick_count == LEGEND_TICKS_MAX) return;
    struct legend_tick *tick = &plan->ticks[plan->tick_count++];
    tick->share = share_of(plan, value);
    snprintf(tick->text, sizeof tick->text, "%s", text);
}

static void add_number(struct legend_plan *plan, double value, double number) {
    char text[SCALE_NUMBER_TEXT];
    scale_number(number, DIGITS, text);
    add(plan, value, text);
}

static int text_length(struct lettering *lettering, const struct legend_plan *plan, const char *text) {
    return plan->options->horizontal ? lettering_width(lettering, &plan->small, text) : lettering_line(plan->small.size) - 2;
}

// Texts at the ends of a lying bar are moved inwards, where they take of the next one's room.
static bool are_clear(struct lettering *lettering, const struct legend_plan *plan, int length) {
    for (size_t n = 1; n < plan->tick_count; n++) {
        const struct legend_tick *a = &plan->ticks[n - 1], *b = &plan->ticks[n];
        const double room = fabs(b->share - a->share) * length, gap = (plan->options->horizontal ? 14 : 0) * plan->scale;
        if (room < 0.5 * (text_length(lettering, plan, a->text) + text_length(lettering, plan, b->text)) + gap) return false;
    }
    return true;
}

static void round_ticks(struct legend_plan *plan, unsigned wanted) {
    const double a = shown(plan, plan->style->range[0]), b = shown(plan, plan->style->range[1]);
    struct scale_ticks ticks;
    scale_ticks(fmin(a, b), fmax(a, b), wanted, &ticks);
    for (size_t n = 0; n < ticks.count; n++) add(plan, (ticks.values[n] - plan->units.offset) / plan->units.scale, ticks.texts[n]);
}

// Every so many edges of bands from the first on.
static void edge_ticks(struct legend_plan *plan, unsigned every) {
    const double *range = plan->style->range;
    for (unsigned n = 0; n <= plan->style->bands; n += every) {
        const double value = range[0] + (range[1] - range[0]) * n / plan->style->bands;
        add_number(plan, value, shown(plan, value));
    }
}

static void log_ticks(struct legend_plan *plan, size_t per_decade, int decades) {
    static const double all[] = {1, 2, 5};
    const double low = shown(plan, plan->style->range[0]), high = shown(plan, plan->style->range[1]);
    if (!(low > 0 && high > low)) return;
    for (int power = (int)floor(log10(low)); power <= (int)ceil(log10(high)); power++)
        for (size_t n = 0; n < per_decade && power % decades == 0; n++) {
            const double number = all[n] * pow(10, power);
            if (number >= low * (1 - 1e-9) && number <= high * (1 + 1e-9)) add_number(plan, (number - plan->units.offset) / plan->units.scale, number);
        }
}

// From many to few; false beyond the fewest.
static bool choose(struct legend_plan *plan, unsigned turn) {
    plan->tick_count = 0;
    const unsigned bands = plan->style->bands;
    if (plan->style->log_scale) {
        if (turn > 12) return false;
        log_ticks(plan, turn == 0 ? 3 : 1, turn < 2 ? 1 : (int)turn);
    } else if (bands && bands <= EDGES_MOST) {
        if (turn >= bands) return false;
        if (bands % (turn + 1) == 0 || turn + 1 > bands / 2) edge_ticks(plan, turn + 1);
        else return choose(plan, turn + 1);
    } else {
        if (turn >= WANTED_MOST) return false;
        round_ticks(plan, WANTED_MOST - turn);
    }
    return true;
}

void legend_ticks_make(struct lettering *lettering, int length, struct legend_plan *plan) {
    const double least = 14 * plan->scale;
    for (unsigned turn = 0; length >= least && choose(plan, turn); turn++)
        if (are_clear(lettering, plan, length)) return;
    plan->tick_count = 0;
}
