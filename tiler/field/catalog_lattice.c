// SPDX-License-Identifier: Apache-2.0
// Which lattice a variable's values lie on: constants per standard name, else per unit (assets/quantisation.json), else the
// source's own packing, else 1/4096 of the first step's range (or of a later one's, which sums since the start fill), kept in the state
// folder so that it stays.
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "field/catalog_group.h"
#include "field/cf_units.h"
#include "field/derived.h"
#include "field/field_assets.h"
#include "field/field_reduce.h"

enum { RANGE_POINTS = 4 << 20, RANGE_LEVELS = 8 };
static const double last_place = 6e-8;  // of a float32, relative
static const double float_rounding = 1.0 / 16384;  // epsilon's room for float32, 2^-10 of it, is then half a last place

struct chooser {
    json_t *table, *kept;
    bool kept_changed;
};

static struct lattice_spec lattice_of(double v0, double epsilon) { return (struct lattice_spec){v0, 2 * epsilon * (1 - 1.0 / 1024), epsilon}; }

// A table entry in the variable's own units.
static bool convert_entry(const json_t *entry, const char *units, struct lattice_spec *lattice) {
    const char *theirs = json_string_value(json_object_get(entry, "units"));
    double v0 = json_number_value(json_object_get(entry, "v0")), epsilon = json_number_value(json_object_get(entry, "epsilon")), scale = 1, offset = 0;
    if (!theirs || !(epsilon > 0)) return false;
    if (strcmp(theirs, units) != 0 && cf_units_convert(theirs, units, &scale, &offset)) return false;
    epsilon *= fabs(scale);
    v0 = v0 * scale + offset;
    *lattice = lattice_of(v0, epsilon);
    return isfinite(epsilon) && epsilon > 0 && isfinite(v0);
}

// A unit alone says little of size: metres measure heights and rain. Entries with words are for variables that are called so.
static bool speaks_of(const json_t *entry, const struct catalog_variable *v) {
    const json_t *words = json_object_get(entry, "of");
    bool found = !words;
    for (size_t n = 0; n < json_array_size(words) && !found; n++) {
        const char *word = json_string_value(json_array_get(words, n));
        found = word && (strcasestr(v->name, word) || strcasestr(v->long_name, word) || strcasestr(v->standard_name, word));
    }
    return found;
}

static bool by_unit(const json_t *entry, const struct catalog_variable *v, struct lattice_spec *lattice) {
    return speaks_of(entry, v) && convert_entry(entry, v->units, lattice);
}

static bool from_table(const struct chooser *c, const struct catalog_variable *v, struct lattice_spec *lattice) {
    const json_t *names = json_object_get(c->table, "standard_names"), *units = json_object_get(c->table, "units");
    const json_t *entry = *v->standard_name ? json_object_get(names, v->standard_name) : NULL;
    if (entry && convert_entry(entry, v->units, lattice)) return true;
    if ((entry = json_object_get(units, v->units)) && by_unit(entry, v, lattice)) return true;
    // Another spelling or multiple of a unit; among units without dimension only the very same counts.
    if (cf_units_dimensionless(v->units)) return false;
    const char *key;
    json_t *one;
    json_object_foreach((json_t *)units, key, one)
        if (cf_units_convertible(key, v->units) && by_unit(one, v, lattice)) return true;
    return false;
}

static const struct field_step *first_piece(const struct catalog_dataset *d, const struct catalog_variable *v) {
    for (size_t r = d->run_count; r-- > 0;)
        if (v->from->runs[r].step_count > 0) return &v->from->runs[r].steps[0];
    return NULL;
}

static bool same_packing_everywhere(const struct catalog_dataset *d, const struct catalog_variable *v) {
    const struct cf_packing *first = &first_piece(d, v)->variable->packing;
    for (size_t r = 0; r < d->run_count; r++)
        for (size_t s = 0; s < run_piece_count(v, r); s++) {
            const struct cf_packing *p = &v->from->runs[r].steps[s].variable->packing;
            if (p->type != first->type || p->scale != first->scale || p->offset != first->offset) return false;
        }
    return true;
}

// Small integers, packed or plain, lie on a lattice of their own: taken when it is as fine as the wanted one, or nothing is wanted.
static bool own_lattice(const struct catalog_dataset *d, const struct catalog_variable *v, double wanted, struct lattice_spec *lattice) {
    static const double lows[] = {-128, 0, -32768, 0}, highs[] = {127, 255, 32767, 65535};
    const struct field_step *step = v->derived || v->from->stack ? NULL : first_piece(d, v);
    if (!step || step->variable->packing.type > SOURCE_U16 || !same_packing_everywhere(d, v)) return false;
    const struct cf_packing *p = &step->variable->packing;
    double size = fabs(p->scale), largest = fmax(fabs(lows[p->type] * p->scale + p->offset), fabs(highs[p->type] * p->scale + p->offset));
    if (!(size > 0) || !isfinite(largest) || (wanted > 0 && size > 2 * wanted)) return false;
    *lattice = (struct lattice_spec){p->offset, size, fmax(size / 2, p->packed ? largest * last_place : 0)};
    return true;
}

// Wide integers do so, too, as far as their first step says that 32 bits hold them; what float32 makes of large ones is part of epsilon,
// with room for later steps that are larger.
static bool wide_lattice(const struct catalog_dataset *d, const struct catalog_variable *v, double low, double high, struct lattice_spec *lattice) {
    const struct field_step *step = v->derived ? NULL : first_piece(d, v);
    if (!step || step->variable->packing.type > SOURCE_U64 || !same_packing_everywhere(d, v) || !(low <= high)) return false;
    const struct cf_packing *p = &step->variable->packing;
    double size = fabs(p->scale), most = fmax(fabs(low), fabs(high));
    if (!(size > 0) || fmax(fabs(low - p->offset), fabs(high - p->offset)) / size > 1 << 30) return false;
    *lattice = (struct lattice_spec){p->offset, size, fmax(size / 2, 4 * most * last_place)};
    return true;
}

struct first_look {  // at a variable's first step; of large fields at a few levels
    double low, high;
    size_t present, outside;  // outside: of its valid range
};

static void look_at(struct first_look *look, const double *values, size_t count, const double valid[2]) {
    for (size_t n = 0; n < count; n++) {
        if (values[n] < look->low) look->low = values[n];
        if (values[n] > look->high) look->high = values[n];
        look->present += !isnan(values[n]);
        look->outside += values[n] < valid[0] || values[n] > valid[1];
    }
}

// A level as one block, where its source reduces early: false where that says too little, as values outside the valid range are to be counted.
static bool look_at_block(const struct field_ref *field, size_t k, struct first_look *look) {
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    const uint32_t block[3] = {(uint32_t)v->nx, (uint32_t)v->ny, 1};
    double mean, least, most, count;
    if (!field_reduces_early(field)) return false;
    if (field_reduce(field, block, &(struct field_box){0, 0, k, 1, 1, 1}, &(struct field_blocks){&mean, &least, &most, &count}, NULL)) return false;
    if (least < v->valid[0] || most > v->valid[1]) return false;
    look->low = fmin(look->low, least);  // of a number and NaN: the number
    look->high = fmax(look->high, most);
    look->present += (size_t)count;
    return true;
}

static int read_range(const struct field_ref *field, struct first_look *look, struct failure *failure) {
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    size_t plane = v->nx * v->ny, step = 1;
    *look = (struct first_look){INFINITY, -INFINITY, 0, 0};
    if (plane * v->nz > RANGE_POINTS && v->nz > RANGE_LEVELS) step = v->nz / RANGE_LEVELS;
    double *values = memory_new_aligned(64, plane, sizeof *values);
    if (!values) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = VIRGA_OK;
    for (size_t k = 0; !status && k < v->nz; k += step) {
        struct field_box box = {0, 0, k, v->nx, v->ny, 1};
        if (look_at_block(field, k, look)) continue;
        status = field_read(field, &box, values, failure);
        if (!status) look_at(look, values, plane, v->valid);
    }
    free(values);
    return status;
}

static bool tells_range(const struct first_look *look) { return look->low < look->high; }

// Sums begin with nothing, and sunshine may: a first step without a range, or with next to none, says nothing of what is to come, and
// values beyond the lattice would be lost. The last step and the middle one are asked, too.
static void look_further(struct field_ref field, struct first_look *look) {
    enum { FAR_MORE = 64 };  // times the range: what is less is worth no coarser lattice
    const size_t count = field.dataset->runs[field.run].series[field.variable].time_count, steps[] = {count - 1, count / 2};
    for (int n = 0; n < 2 && count > 1; n++) {
        struct first_look further;
        if (tells_range(look) && (n > 0 || field_reads_far(&field))) return;
        field.step = steps[n];
        if (field.step == 0 || read_range(&field, &further, NULL) || further.present == 0) continue;
        if (tells_range(look) && further.high - further.low <= FAR_MORE * (look->high - look->low)) continue;
        look->low = fmin(look->low, further.low);
        look->high = fmax(look->high, further.high);
    }
}

static struct lattice_spec from_range(double low, double high) {
    if (!(low <= high)) low = high = 0;
    double most = fmax(fabs(low), fabs(high)), epsilon = (high - low) / 4096;
    if (epsilon == 0) epsilon = most > 0 ? most / 4096 : 1.0 / 4096;
    // Values far from zero are counted from their own neighbourhood, so that the integers stay small.
    double v0 = most > 1e6 * epsilon ? low : 0;
    return lattice_of(v0, fmax(epsilon, most * float_rounding));
}

static bool from_kept(const struct chooser *c, const char *key, struct lattice_spec *lattice, double *outside) {
    const json_t *entry = json_object_get(c->kept, key), *step = json_object_get(entry, "step");
    double v0 = json_number_value(json_object_get(entry, "v0")), epsilon = json_number_value(json_object_get(entry, "epsilon"));
    if (!entry || !isfinite(v0) || !(epsilon > 0) || !isfinite(epsilon)) return false;
    *lattice = lattice_of(v0, epsilon);
    if (json_number_value(step) > 0 && isfinite(json_number_value(step))) lattice->step = json_number_value(step);
    *outside = json_number_value(json_object_get(entry, "outside"));
    return true;
}

// Means stay within their members' range; a spread is smaller than its members, and so is what matters in it.
static bool of_members(const struct catalog_dataset *d, const struct catalog_variable *v, struct lattice_spec *lattice) {
    const struct derived_kind *kind = v->from->derived;
    if (!kind || !kind->folds_members) return false;
    const struct lattice_spec *input = &d->variables[v->from->u].lattice;
    *lattice = kind == &derived_member_spread ? lattice_of(0, input->epsilon / 4) : lattice_of(input->v0, input->epsilon);
    return true;
}

// "37 % of its first step lies outside …": what a file says of its values is told where it is wrong, and changes nothing.
static int note_outside(struct catalog_variable *v, double outside) {
    char text[256], low[32] = "", high[32] = "";
    if (!(outside > 0)) return VIRGA_OK;
    if (isfinite(v->valid[0])) snprintf(low, sizeof low, "from %.6g", v->valid[0]);
    if (isfinite(v->valid[1])) snprintf(high, sizeof high, "%sto %.6g", *low ? " " : "", v->valid[1]);
    snprintf(text, sizeof text, "%.2g %% of its first step is outside the valid range in its file, %s%s; it is shown as stored", 100 * outside, low, high);
    return catalog_add_note(v, text);
}

// What was measured for the same variable of the previous catalog.
static bool from_before(struct catalog_variable *v) {
    const struct catalog_dataset *before = v->from->shared->before;
    for (size_t n = 0; before && n < before->variable_count; n++) {
        const struct catalog_variable *known = &before->variables[n];
        if (known->hidden || strcmp(known->id, v->id) || strcmp(known->units, v->units) || isnan(known->from->outside)) continue;
        v->lattice = known->lattice;
        v->from->outside = known->from->outside;
        return true;
    }
    return false;
}

static int choose(struct chooser *c, struct catalog_dataset *d, size_t index, struct failure *failure) {
    struct catalog_variable *v = &d->variables[index];
    char key[640];
    if (of_members(d, v, &v->lattice)) return VIRGA_OK;
    if (from_table(c, v, &v->lattice)) {
        struct lattice_spec own;
        if (own_lattice(d, v, v->lattice.epsilon, &own) && own.epsilon <= v->lattice.epsilon) v->lattice = own;
        return VIRGA_OK;
    }
    if (own_lattice(d, v, 0, &v->lattice)) return VIRGA_OK;
    double outside = 0;
    if (from_before(v)) return note_outside(v, v->from->outside);
    snprintf(key, sizeof key, "%s/%s/%s", d->id, v->id, v->units);
    if (from_kept(c, key, &v->lattice, &outside)) {
        v->from->outside = outside;
        return note_outside(v, outside);
    }
    struct field_ref field = {.dataset = d, .variable = index};
    for (field.run = d->run_count - 1; !field_step_of(&field) && field.run > 0;) field.run--;
    struct first_look look;
    struct failure why = {0};
    int status = read_range(&field, &look, &why);
    if (status == VIRGA_NO_MEMORY) return failure_set(failure, status, "%s", why.message);
    if (!status) look_further(field, &look);
    if (status) log_warning("catalog", "%s: %s: %s; its range is taken as 0 to 1", d->id, v->name, why.message);
    if (status) v->lattice = from_range(0, 1);
    else if (!wide_lattice(d, v, look.low, look.high, &v->lattice)) v->lattice = from_range(look.low, look.high);
    const bool more_to_come = !v->from->constant && d->runs[field.run].series[index].time_count <= 2;
    if (status || (!tells_range(&look) && more_to_come)) return VIRGA_OK;  // later steps may say more: nothing is kept
    if (look.present > 0) outside = (double)look.outside / (double)look.present;
    v->from->outside = outside;
    json_t *entry = json_pack("{s:f, s:f, s:f, s:f}", "v0", v->lattice.v0, "step", v->lattice.step, "epsilon", v->lattice.epsilon, "outside", outside);
    if (entry && json_object_set_new(c->kept, key, entry) == 0) c->kept_changed = true;
    return note_outside(v, outside);
}

static json_t *load_kept(const char *path) {
    json_t *kept = *path ? json_load_file(path, 0, NULL) : NULL;
    if (kept && !json_is_object(kept)) json_decref(kept), kept = NULL;
    return kept ? kept : json_object();
}

static int write_all(int fd, const char *text) {
    for (size_t left = strlen(text); left > 0;) {
        ssize_t n = write(fd, text, left);
        if (n <= 0) return VIRGA_IO;
        text += n, left -= (size_t)n;
    }
    return fsync(fd) ? VIRGA_IO : VIRGA_OK;
}

// A new file in the old one's place, whole or not at all.
static void save_kept(const json_t *kept, const char *state_dir, const char *path) {
    char *text = json_dumps(kept, JSON_INDENT(1) | JSON_SORT_KEYS | JSON_REAL_PRECISION(17)), *temporary = NULL;
    if (mkdir(state_dir, 0700)) {}  // it is there already, or the write below says what is wrong
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0) temporary = NULL;
    int fd = text && temporary ? mkstemp(temporary) : -1;
    if (fd < 0 || write_all(fd, text) || rename(temporary, path)) {
        log_warning("catalog", "%s cannot be written: lattices of variables that the table does not know may change", path);
        if (fd >= 0) unlink(temporary);
    }
    if (fd >= 0) close(fd);
    free(temporary);
    free(text);
}

int catalog_choose_lattices(struct catalog *catalog, const char *state_dir, struct failure *failure) {
    struct chooser c = {0};
    char path[4096] = "";
    int status = VIRGA_OK;
    if (state_dir && snprintf(path, sizeof path, "%s/lattices.json", state_dir) >= (int)sizeof path) path[0] = 0;
    c.table = json_loads(embedded_text(field_assets, "quantisation.json"), 0, NULL);
    c.kept = load_kept(path);
    if (!c.kept) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t d = 0; !status && d < catalog->dataset_count; d++)
        for (size_t v = 0; !status && v < catalog->datasets[d].variable_count; v++)
            if (!catalog->datasets[d].variables[v].hidden) status = choose(&c, &catalog->datasets[d], v, failure);
    if (!status && c.kept_changed && *path) save_kept(c.kept, state_dir, path);
    json_decref(c.table);
    json_decref(c.kept);
    return status;
}
