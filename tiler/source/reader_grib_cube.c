// SPDX-License-Identifier: Apache-2.0
#include "source/reader_grib_cube.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VARIABLES_MAX = 4000, FEW_LEVELS = 8 };

struct sorted {  // a field and what sorts it into a variable
    uint32_t grid, parameter, field;
    int32_t pv;
    int64_t interval;  // class of intervals, 0 while they are not told apart
    double level, level2;
};

struct making {
    struct arena *arena;
    struct grib_index *index;
    struct grib_cubes *cubes;
    struct sorted *all;
    size_t count;
    size_t repeated;
};

static int compare_doubles(double a, double b) { return (a > b) - (a < b); }

static int compare_sorted(const void *left, const void *right) {
    const struct sorted *a = left, *b = right;
    if (a->grid != b->grid) return a->grid < b->grid ? -1 : 1;
    if (a->parameter != b->parameter) return a->parameter < b->parameter ? -1 : 1;
    if (a->pv != b->pv) return a->pv < b->pv ? -1 : 1;
    if (a->interval != b->interval) return a->interval < b->interval ? -1 : 1;
    int level = compare_doubles(a->level, b->level);
    if (!level) level = compare_doubles(a->level2, b->level2);
    if (level) return level;
    return a->field < b->field ? -1 : a->field > b->field;
}

static bool same_level(const struct sorted *a, const struct sorted *b) { return a->level == b->level && a->level2 == b->level2; }

static const struct grib_field *field_of(const struct making *m, const struct sorted *s) { return &m->index->fields[s->field]; }

static const struct grib_parameter *parameter_of(const struct making *m, const struct sorted *s) { return &m->index->parameters[s->parameter]; }

// Parameters that models store at a level of their own though they belong to the surface.
static bool is_surface_field(const struct grib_parameter *p) { return p->param_id == 129 || p->param_id == 134 || p->param_id == 152 || p->param_id == 228002; }

static bool is_placed(const struct grib_parameter *p) {
    switch (p->kind) {
    case GRIB_PRESSURE:
    case GRIB_HEIGHT:
    case GRIB_ALTITUDE:
    case GRIB_SIGMA:
    case GRIB_HYBRID:
    case GRIB_HYBRID_HEIGHT: return !p->layer;
    default: return false;
    }
}

// --- grids -------------------------------------------------------------------------------------------------------------

static int make_grids(struct making *m, size_t points_max) {
    struct grib_cubes *c = m->cubes;
    c->grids = arena_new(m->arena, m->index->grid_count, sizeof *c->grids);
    c->merged = arena_new(m->arena, m->index->grid_count, sizeof *c->merged);
    if (!c->grids || !c->merged) return VIRGA_NO_MEMORY;
    for (size_t n = 0; n < m->index->grid_count; n++) {
        if (grib_grid_parse(m->arena, &m->index->grids[n], points_max, &c->grids[n])) return VIRGA_NO_MEMORY;
        c->merged[n] = n;
        for (size_t k = 0; k < n && c->merged[n] == n; k++)
            if (grib_grid_equal(&c->grids[k], &c->grids[n])) c->merged[n] = k;
    }
    return VIRGA_OK;
}

static int sort_fields(struct making *m) {
    const struct grib_index *index = m->index;
    m->all = malloc((index->field_count + 1) * sizeof *m->all);
    if (!m->all) return VIRGA_NO_MEMORY;
    for (size_t n = 0; n < index->field_count; n++) {
        const struct grib_field *f = &index->fields[n];
        const struct grib_parameter *p = &index->parameters[f->parameter];
        const struct grib_grid *g = &m->cubes->grids[f->grid];
        if (!g->usable || *g->note) grib_index_note(m->index, "%s (%s): %s", p->short_name, p->type_of_level, g->usable ? g->note : g->why);
        if (!g->usable) continue;
        m->all[m->count++] = (struct sorted){.grid = (uint32_t)m->cubes->merged[f->grid], .parameter = f->parameter, .field = (uint32_t)n,
                                             .pv = f->pv, .level = f->level, .level2 = isnan(f->level2) ? 0 : f->level2};
    }
    qsort(m->all, m->count, sizeof *m->all, compare_sorted);
    return VIRGA_OK;
}

// --- axes --------------------------------------------------------------------------------------------------------------

static int compare_times(const void *left, const void *right) {
    const int64_t *a = left, *b = right;
    if (a[0] != b[0]) return a[0] < b[0] ? -1 : 1;
    return a[1] < b[1] ? -1 : a[1] > b[1];
}

static int compare_members(const void *left, const void *right) {
    const int32_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

// Finds or makes the time axis of these fields: index, or a negative code.
static int times_of(struct making *m, const struct sorted *s, size_t n) {
    struct grib_cubes *c = m->cubes;
    int64_t (*pairs)[2] = malloc(n * sizeof *pairs);
    size_t count = 0;
    if (!pairs) return VIRGA_NO_MEMORY;
    for (size_t i = 0; i < n; i++) pairs[i][0] = field_of(m, &s[i])->reference, pairs[i][1] = field_of(m, &s[i])->valid;
    qsort(pairs, n, sizeof *pairs, compare_times);
    for (size_t i = 0; i < n; i++)
        if (!count || compare_times(pairs[i], pairs[count - 1])) memmove(pairs[count++], pairs[i], sizeof *pairs);
    for (size_t t = 0; t < c->times_count; t++) {
        const struct grib_times *have = &c->times[t];
        bool same = have->count == count;
        for (size_t i = 0; same && i < count; i++) same = have->reference[i] == pairs[i][0] && have->valid[i] == pairs[i][1];
        if (same) return free(pairs), (int)t;
    }
    struct grib_times *t = &c->times[c->times_count];
    t->count = count;
    t->reference = arena_new(m->arena, count, sizeof *t->reference);
    t->valid = arena_new(m->arena, count, sizeof *t->valid);
    for (size_t i = 0; t->reference && t->valid && i < count; i++) t->reference[i] = pairs[i][0], t->valid[i] = pairs[i][1];
    free(pairs);
    return t->reference && t->valid ? (int)c->times_count++ : VIRGA_NO_MEMORY;
}

static int32_t member_of(const struct grib_field *f, bool some) { return some && f->member < 0 ? 0 : f->member; }

// GRIB_NONE with one member only (*only), else the axis; below GRIB_NONE: out of memory.
static int members_of(struct making *m, const struct sorted *s, size_t n, int32_t *only) {
    struct grib_cubes *c = m->cubes;
    int32_t *numbers = malloc(n * sizeof *numbers);
    size_t count = 0;
    bool some = false;
    if (!numbers) return VIRGA_NO_MEMORY;
    for (size_t i = 0; i < n; i++) some = some || field_of(m, &s[i])->member >= 0;
    for (size_t i = 0; i < n; i++) numbers[i] = member_of(field_of(m, &s[i]), some);
    qsort(numbers, n, sizeof *numbers, compare_members);
    for (size_t i = 0; i < n; i++)
        if (!count || numbers[i] != numbers[count - 1]) numbers[count++] = numbers[i];
    *only = numbers[0];
    if (count == 1) return free(numbers), GRIB_NONE;
    for (size_t k = 0; k < c->members_count; k++)
        if (c->members[k].count == count && !memcmp(c->members[k].numbers, numbers, count * sizeof *numbers)) return free(numbers), (int)k;
    struct grib_members *made = &c->members[c->members_count];
    made->count = count;
    made->numbers = arena_new(m->arena, count, sizeof *made->numbers);
    if (made->numbers) memcpy(made->numbers, numbers, count * sizeof *numbers);
    free(numbers);
    return made->numbers ? (int)c->members_count++ : VIRGA_NO_MEMORY;
}

static bool needs_surface(enum grib_vertical kind) { return kind == GRIB_HYBRID || kind == GRIB_SIGMA || kind == GRIB_HYBRID_HEIGHT; }

static size_t count_levels(const struct sorted *s, size_t n) {
    size_t count = n > 0;
    for (size_t i = 1; i < n; i++) count += !same_level(&s[i], &s[i - 1]);
    return count;
}

// The fields are ordered by level.
static int levels_of(struct making *m, const struct sorted *s, size_t n) {
    struct grib_cubes *c = m->cubes;
    const struct grib_parameter *p = parameter_of(m, s);
    size_t count = count_levels(s, n), k = 0;
    struct grib_levels made = {.kind = (enum grib_vertical)p->kind, .layer = p->layer, .type_of_level = p->type_of_level, .count = count, .pv = s->pv,
                               .grid = needs_surface((enum grib_vertical)p->kind) ? s->grid : 0};
    made.values = arena_new(m->arena, count, sizeof *made.values);
    made.values2 = arena_new(m->arena, count, sizeof *made.values2);
    if (!made.values || !made.values2) return VIRGA_NO_MEMORY;
    for (size_t i = 0; i < n; i++)
        if (!i || !same_level(&s[i], &s[i - 1])) made.values[k] = s[i].level, made.values2[k++] = s[i].level2;
    for (size_t l = 0; l < c->levels_count; l++) {
        const struct grib_levels *have = &c->levels[l];
        if (have->count == count && have->kind == made.kind && have->layer == made.layer && have->pv == made.pv && have->grid == made.grid &&
            !strcmp(have->type_of_level, made.type_of_level) && !memcmp(have->values, made.values, count * sizeof *made.values) &&
            !memcmp(have->values2, made.values2, count * sizeof *made.values2))
            return (int)l;
    }
    c->levels[c->levels_count] = made;
    return (int)c->levels_count++;
}

// --- variables -----------------------------------------------------------------------------------------------------------

static int compare_cells(const void *left, const void *right) {
    const struct grib_cell *a = left, *b = right;
    if (a->time != b->time) return a->time < b->time ? -1 : 1;
    if (a->member != b->member) return a->member < b->member ? -1 : 1;
    return a->level < b->level ? -1 : a->level > b->level;
}

static int compare_cells_and_fields(const void *left, const void *right) {
    const struct grib_cell *a = left, *b = right;
    int order = compare_cells(left, right);
    return order ? order : a->field < b->field ? -1 : a->field > b->field;
}

static uint32_t find_time(const struct grib_times *t, const struct grib_field *f) {
    size_t low = 0, high = t->count;
    while (low + 1 < high) {
        size_t middle = (low + high) / 2;
        bool after = t->reference[middle] != f->reference ? t->reference[middle] > f->reference : t->valid[middle] > f->valid;
        if (after) high = middle;
        else low = middle;
    }
    return (uint32_t)low;
}

static uint32_t find_member(const struct grib_members *members, int32_t number) {
    size_t at = 0;
    while (at + 1 < members->count && members->numbers[at] < number) at++;
    return (uint32_t)at;
}

static int fill_cells(struct making *m, struct grib_variable *v, const struct sorted *s, size_t n) {
    struct grib_cubes *c = m->cubes;
    uint32_t level = 0;
    size_t kept = 0;
    v->cells = arena_new(m->arena, n, sizeof *v->cells);
    if (!v->cells) return VIRGA_NO_MEMORY;
    for (size_t i = 0; i < n; i++) {
        const struct grib_field *f = field_of(m, &s[i]);
        level += i > 0 && v->levels >= 0 && !same_level(&s[i], &s[i - 1]);
        uint32_t member = v->members >= 0 ? find_member(&c->members[v->members], member_of(f, true)) : 0;
        v->cells[i] = (struct grib_cell){find_time(&c->times[v->times], f), member, level, s[i].field};
        v->precise = v->precise || f->precise;
    }
    qsort(v->cells, n, sizeof *v->cells, compare_cells_and_fields);
    for (size_t i = 0; i < n; i++) {
        if (kept && !compare_cells(&v->cells[kept - 1], &v->cells[i])) m->repeated++;
        else v->cells[kept++] = v->cells[i];
    }
    v->cell_count = kept;
    return VIRGA_OK;
}

static const char *interval_text(struct making *m, int64_t interval) {
    char text[32] = "";
    if (interval < 0) strcpy(text, "since_start");
    else if (interval > 0 && interval % 3600 == 0) snprintf(text, sizeof text, "%lldh", (long long)interval / 3600);
    else if (interval > 0 && interval % 60 == 0) snprintf(text, sizeof text, "%lldmin", (long long)interval / 60);
    else if (interval > 0) snprintf(text, sizeof text, "%llds", (long long)interval);
    return arena_text(m->arena, text, strlen(text));
}

// One variable of these fields, which are ordered by level. with_levels: an axis of them; else they are at one level, `alone` or
// beside others.
static int make_variable(struct making *m, const struct sorted *s, size_t n, bool with_levels, bool alone) {
    struct grib_cubes *c = m->cubes;
    const struct grib_parameter *p = parameter_of(m, s);
    if (c->variable_count == VARIABLES_MAX) {
        grib_index_note(m->index, "the file: it has more than %d variables; the others are left out", VARIABLES_MAX);
        return VIRGA_OK;
    }
    struct grib_variable *v = &c->variables[c->variable_count];
    *v = (struct grib_variable){.parameter = s->parameter, .grid = s->grid, .section = field_of(m, s)->grid, .levels = GRIB_NONE};
    int times = times_of(m, s, n), members = times < 0 ? times : members_of(m, s, n, &v->member);
    if (times < 0 || members < GRIB_NONE) return VIRGA_NO_MEMORY;
    v->times = (size_t)times;
    v->members = members;
    v->level = s->level;
    v->level2 = s->level2;
    bool nameless = alone && ((p->kind == GRIB_HYBRID && is_surface_field(p)) || (p->kind == GRIB_NUMBER && !p->layer && s->level == 0));
    v->has_level = !with_levels && !nameless && (p->kind != GRIB_SINGLE || !alone);
    v->of_interval = interval_text(m, s->interval);
    if (!v->of_interval) return VIRGA_NO_MEMORY;
    if (with_levels && (v->levels = levels_of(m, s, n)) < 0) return VIRGA_NO_MEMORY;
    int status = fill_cells(m, v, s, n);
    if (!status) c->variable_count++;
    return status;
}

// Fields of one parameter, grid, list of coefficients and class of intervals.
static int make_of_levels(struct making *m, const struct sorted *s, size_t n) {
    const struct grib_parameter *p = parameter_of(m, s);
    size_t levels = count_levels(s, n);
    bool coefficients = p->kind == GRIB_HYBRID && s->pv >= 0 && !(levels == 1 && is_surface_field(p));
    if (levels == 1 && !coefficients) return make_variable(m, s, n, false, true);
    if (is_placed(p) || levels > FEW_LEVELS) return make_variable(m, s, n, true, true);
    for (size_t from = 0, end; from < n; from = end) {
        for (end = from + 1; end < n && same_level(&s[end], &s[from]);) end++;
        int status = make_variable(m, s + from, end - from, false, false);
        if (status) return status;
    }
    return VIRGA_OK;
}

static int compare_moments(const struct making *m, const struct sorted *a, const struct sorted *b) {
    const struct grib_field *f = field_of(m, a), *g = field_of(m, b);
    if (f->reference != g->reference) return f->reference < g->reference ? -1 : 1;
    if (f->valid != g->valid) return f->valid < g->valid ? -1 : 1;
    if (f->member != g->member) return f->member < g->member ? -1 : 1;
    if (f->interval != g->interval) return f->interval < g->interval ? -1 : 1;
    return 0;
}

static const struct making *comparing;  // qsort takes no context; one thread

static int compare_for_intervals(const void *left, const void *right) {
    const struct sorted *a = left, *b = right;
    int level = compare_doubles(a->level, b->level);
    if (!level) level = compare_doubles(a->level2, b->level2);
    return level ? level : compare_moments(comparing, a, b);
}

// Whether some fields differ in nothing but the interval that they stand for, as sums over 6 hours beside sums since the start.
static bool tell_intervals_apart(const struct making *m, struct sorted *s, size_t n) {
    bool apart = false;
    comparing = m;
    qsort(s, n, sizeof *s, compare_for_intervals);
    for (size_t i = 1; i < n && !apart; i++) {
        const struct grib_field *f = field_of(m, &s[i - 1]), *g = field_of(m, &s[i]);
        apart = same_level(&s[i - 1], &s[i]) && f->reference == g->reference && f->valid == g->valid && f->member == g->member && f->interval != g->interval;
    }
    for (size_t i = 0; i < n && apart; i++) {
        const struct grib_field *f = field_of(m, &s[i]);
        s[i].interval = f->interval && f->valid - f->interval == f->reference ? -1 : f->interval;
    }
    qsort(s, n, sizeof *s, compare_sorted);
    return apart;
}

static int make_group(struct making *m, struct sorted *s, size_t n) {
    int status = VIRGA_OK;
    tell_intervals_apart(m, s, n);
    for (size_t from = 0, end; from < n && !status; from = end) {
        for (end = from + 1; end < n && s[end].interval == s[from].interval;) end++;
        status = make_of_levels(m, s + from, end - from);
    }
    return status;
}

static int make_variables(struct making *m) {
    struct grib_cubes *c = m->cubes;
    c->variables = arena_new(m->arena, VARIABLES_MAX, sizeof *c->variables);
    c->times = arena_new(m->arena, VARIABLES_MAX, sizeof *c->times);
    c->members = arena_new(m->arena, VARIABLES_MAX, sizeof *c->members);
    c->levels = arena_new(m->arena, VARIABLES_MAX, sizeof *c->levels);
    if (!c->variables || !c->times || !c->members || !c->levels) return VIRGA_NO_MEMORY;
    for (size_t from = 0, end; from < m->count; from = end) {
        const struct sorted *s = &m->all[from];
        for (end = from + 1; end < m->count && m->all[end].grid == s->grid && m->all[end].parameter == s->parameter && m->all[end].pv == s->pv;) end++;
        int status = make_group(m, &m->all[from], end - from);
        if (status) return status;
    }
    if (m->repeated) grib_index_note(m->index, "the file: %zu fields repeat others that come before them, and are left out", m->repeated);
    return VIRGA_OK;
}

// --- names ---------------------------------------------------------------------------------------------------------------

static bool is_number_name(const char *name) { return name[0] == 'p' && name[1] >= '0' && name[1] <= '9'; }

static void append(char *out, size_t size, const char *text) {
    size_t n = strlen(out);
    snprintf(out + n, size - n, "_%s", text);
}

enum name_words { WORD_TYPE = 1, WORD_LEVEL = 2, WORD_STEP = 4, WORD_GRID = 8 };  // that a name has beyond the plain one

static void write_name(const struct making *m, const struct grib_variable *v, int words, int number, char *out, size_t size) {
    const struct grib_parameter *p = &m->index->parameters[v->parameter];
    const struct grib_grid *g = &m->cubes->grids[v->grid];
    char text[64];
    bool plain = *p->cf_var_name && !is_number_name(p->cf_var_name);
    snprintf(out, size, "%.100s", plain ? p->cf_var_name : p->short_name);
    if (words & WORD_TYPE) append(out, size, p->type_of_level);
    if (words & WORD_LEVEL) {
        double scale = p->kind == GRIB_PRESSURE ? 0.01 : 1;
        if (p->layer) snprintf(text, sizeof text, "%.6g-%.6g", v->level * scale, v->level2 * scale);
        else snprintf(text, sizeof text, "%.6g", v->level * scale);
        append(out, size, text);
    }
    if (*p->suffix) append(out, size, p->suffix);
    if (*v->of_interval) append(out, size, v->of_interval);
    if (words & WORD_STEP) append(out, size, p->step_type);
    snprintf(text, sizeof text, "%zux%zu", g->nx, g->ny);
    if (words & WORD_GRID) append(out, size, text);
    snprintf(text, sizeof text, "%d", number);
    if (number > 1) append(out, size, text);
    for (char *c = out; *c; c++)
        if (*c == '/' || *c == ' ' || *c == ':') *c = '_';
}

// Who gets the plain name: pressure and model levels before others, points in time before statistics, what came first.
static int rank_of(const struct making *m, const struct grib_variable *v) {
    const struct grib_parameter *p = &m->index->parameters[v->parameter];
    int place = p->kind == GRIB_PRESSURE && !p->layer ? 0 : p->kind == GRIB_HYBRID && !p->layer ? 1 : p->kind == GRIB_HYBRID_HEIGHT ? 2 : is_placed(p) && v->levels >= 0 ? 3 : 4;
    return place * 4 + (strcmp(p->step_type, "instant") ? 2 : 0) + (v->levels < 0);
}

static const struct grib_variable *holder_of(const struct grib_cubes *c, const char *name) {
    for (size_t n = 0; n < c->variable_count; n++)
        if (c->variables[n].name && !strcmp(c->variables[n].name, name)) return &c->variables[n];
    return NULL;
}

// The first word that tells two variables apart and is not in the name yet, or 0.
static int word_between(const struct making *m, const struct grib_variable *a, const struct grib_variable *b, int words) {
    const struct grib_parameter *p = &m->index->parameters[a->parameter], *q = &m->index->parameters[b->parameter];
    if (!(words & WORD_TYPE) && strcmp(p->type_of_level, q->type_of_level)) return WORD_TYPE;
    if (!(words & WORD_LEVEL) && a->has_level && b->has_level && (a->level != b->level || a->level2 != b->level2)) return WORD_LEVEL;
    if (!(words & WORD_STEP) && strcmp(p->step_type, q->step_type)) return WORD_STEP;
    return !(words & WORD_GRID) && a->grid != b->grid ? WORD_GRID : 0;
}

static int name_variable(struct making *m, struct grib_variable *v) {
    const struct grib_parameter *p = &m->index->parameters[v->parameter];
    const struct grib_variable *holder;
    char name[256];
    // What lies between two levels, or at one of several that are no axis, says so in any case.
    int words = v->has_level && !is_placed(p) ? WORD_TYPE | WORD_LEVEL : 0, number = 1;
    for (;;) {
        write_name(m, v, words, number, name, sizeof name);
        if (!(holder = holder_of(m->cubes, name))) break;
        int word = word_between(m, v, holder, words);
        words |= word;
        if (!word) number = number < 9 ? number + 1 : 10 + (int)(v - m->cubes->variables);  // never a long search
    }
    v->name = arena_text(m->arena, name, strlen(name));
    return v->name ? VIRGA_OK : VIRGA_NO_MEMORY;
}

static int name_variables(struct making *m) {
    struct grib_cubes *c = m->cubes;
    int status = VIRGA_OK;
    for (int rank = 0; rank < 20 && !status; rank++)
        for (size_t n = 0; n < c->variable_count && !status; n++)
            if (rank_of(m, &c->variables[n]) == rank) status = name_variable(m, &c->variables[n]);
    return status;
}

int grib_cubes_make(struct arena *arena, struct grib_index *index, size_t points_max, struct grib_cubes *cubes, struct failure *failure) {
    struct making m = {.arena = arena, .index = index, .cubes = cubes};
    *cubes = (struct grib_cubes){0};
    int status = make_grids(&m, points_max);
    if (!status) status = sort_fields(&m);
    if (!status) status = make_variables(&m);
    if (!status) status = name_variables(&m);
    free(m.all);
    return status ? failure_set(failure, VIRGA_TOO_LARGE, "its list of contents is larger than a reader may hold") : VIRGA_OK;
}

const struct grib_field *grib_cubes_field(const struct grib_index *index, const struct grib_variable *v, size_t time, size_t member, size_t level) {
    struct grib_cell wanted = {(uint32_t)time, (uint32_t)member, (uint32_t)level, 0};
    const struct grib_cell *found = bsearch(&wanted, v->cells, v->cell_count, sizeof *v->cells, compare_cells);
    return found ? &index->fields[found->field] : NULL;
}
