// SPDX-License-Identifier: Apache-2.0
#include "field/catalog_draft.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "field/cf_attributes.h"

void drafts_destroy(struct drafts *all) {
    for (size_t d = 0; d < all->count; d++) {
        for (size_t v = 0; v < all->drafts[d].variable_count; v++) {
            free(all->drafts[d].variables[v].pieces);
            member_list_destroy(&all->drafts[d].variables[v].members);
            level_stack_free(all->drafts[d].variables[v].stack);
        }
        free(all->drafts[d].variables);
    }
    free(all->drafts);
}

static bool has_members(const struct cf_variable *v) { return v->member_count > 1 || *v->members[0]; }

static bool is_ensemble(const struct cf_file *file) {
    for (size_t v = 0; v < file->variable_count; v++)
        if (has_members(&file->variables[v])) return true;
    return false;
}

// Who made a file. Models of two institutions may stand on one grid, and neither's numbers are the other's.
static const char *maker_of(const struct cf_file *file, size_t which) {
    static const char *const names[DRAFT_MAKERS] = {"institution", "GRIB_class"};
    const char *text = cf_global_text(file->source, names[which]);
    return text ? text : "";
}

// Who does not say goes with anybody.
static bool may_be_one(const char *maker, const char *other) { return !*maker || !*other || strcmp(maker, other) == 0; }

static bool is_of_makers(const struct draft *draft, const struct cf_file *file) {
    bool same = true;
    for (size_t n = 0; n < DRAFT_MAKERS; n++) same = same && may_be_one(draft->makers[n], maker_of(file, n));
    return same;
}

static struct draft *take_makers(struct draft *draft, const struct cf_file *file) {
    for (size_t n = 0; n < DRAFT_MAKERS; n++)
        if (!*draft->makers[n]) draft->makers[n] = maker_of(file, n);
    return draft;
}

static struct draft *find_draft(struct drafts *all, const struct scanned_file *f, struct cf_grid_slot *slot, bool ensemble) {
    const char *text = cf_global_text(f->file->source, "source");
    if (!text) text = "";
    bool beside = false;
    for (size_t d = 0; d < all->count; d++) {
        struct draft *draft = &all->drafts[d];
        if (strcmp(draft->base, f->base) != 0 || draft->grid_hash != slot->hash || draft->ensemble != ensemble) continue;
        if (strcmp(draft->source_text, text) == 0 && is_of_makers(draft, f->file)) return take_makers(draft, f->file);
        draft->beside = beside = true;
    }
    struct draft *grown = cf_grow(all->drafts, all->count, sizeof *grown);
    if (!grown) return NULL;
    all->drafts = grown;
    grown[all->count] = (struct draft){.base = f->base, .source_text = text, .makers = {"", ""}, .beside = beside, .grid_hash = slot->hash, .ensemble = ensemble, .slot = slot};
    return take_makers(&grown[all->count++], f->file);
}

// Whether both are one quantity, on whatever levels.
static bool same_quantity(const struct draft_variable *a, const struct draft_variable *b) {
    return strcmp(a->name, b->name) == 0 && strcmp(a->standard_name, b->standard_name) == 0 && strcmp(a->units, b->units) == 0 && strcmp(a->apart, b->apart) == 0;
}

static int add_piece(struct draft *draft, const struct cf_file *file, const struct cf_variable *variable) {
    struct cf_texts texts = cf_variable_texts(file, variable);
    struct draft_variable wanted = {.name = texts.name, .standard_name = texts.standard_name, .long_name = texts.long_name, .units = texts.units, .apart = variable->apart,
                                    .level_key = variable->vertical >= 0 ? file->verticals[variable->vertical].key : 0};
    struct draft_variable *found = NULL;
    for (size_t v = 0; v < draft->variable_count && !found; v++) {
        struct draft_variable *have = &draft->variables[v];
        const struct cf_variable *first = have->pieces[0].variable;
        if (have->level_key == wanted.level_key && first->level_count == variable->level_count && has_members(first) == has_members(variable) && same_quantity(have, &wanted))
            found = have;
    }
    if (!found) {
        struct draft_variable *grown = cf_grow(draft->variables, draft->variable_count, sizeof *grown);
        if (!grown) return VIRGA_NO_MEMORY;
        draft->variables = grown;
        found = &grown[draft->variable_count];
        *found = wanted;
        draft->variable_count++;
    }
    struct piece *grown = memory_one_more(found->pieces, found->piece_count, &found->piece_room, sizeof *grown);
    if (!grown) return VIRGA_NO_MEMORY;
    found->pieces = grown;
    found->pieces[found->piece_count++] = (struct piece){file, variable};
    return VIRGA_OK;
}

static bool same_makers(const struct cf_file *a, const struct cf_file *b) {
    bool same = true;
    for (size_t n = 0; n < DRAFT_MAKERS; n++) same = same && may_be_one(maker_of(a, n), maker_of(b, n));
    return same;
}

// Files without members (an orography) go with the ensemble of their source and grid, where there is one.
static bool has_ensemble(const struct scanned_files *scanned, const struct scanned_file *f, uint64_t grid_hash) {
    const char *text = cf_global_text(f->file->source, "source");
    for (size_t n = 0; n < scanned->count; n++) {
        const struct scanned_file *other = &scanned->files[n];
        if (!other->file || strcmp(other->base, f->base) != 0 || !is_ensemble(other->file)) continue;
        const char *theirs = cf_global_text(other->file->source, "source");
        if (strcmp(text ? text : "", theirs ? theirs : "") != 0 || !same_makers(f->file, other->file)) continue;
        for (size_t g = 0; g < other->file->grid_count; g++)
            if (other->file->grids[g].grid && other->file->grids[g].hash == grid_hash) return true;
    }
    return false;
}

static bool any_ensemble(const struct scanned_files *scanned) {
    for (size_t n = 0; n < scanned->count; n++)
        if (scanned->files[n].file && is_ensemble(scanned->files[n].file)) return true;
    return false;
}

static int draft_all(struct drafts *all, const struct scanned_files *scanned) {
    bool ensembles = any_ensemble(scanned);
    for (size_t n = 0; n < scanned->count; n++) {
        const struct scanned_file *f = &scanned->files[n];
        if (!f->file) continue;
        bool ensemble = is_ensemble(f->file);
        // Mass points first: the first dataset is the one that people are shown first.
        for (size_t turn = 0; turn < 2 * f->file->variable_count; turn++) {
            const struct cf_variable *variable = &f->file->variables[turn % f->file->variable_count];
            if (f->file->grids[variable->grid].staggered != (turn >= f->file->variable_count)) continue;
            struct cf_grid_slot *slot = &f->file->grids[variable->grid];
            struct draft *draft = find_draft(all, f, slot, ensemble || (ensembles && has_ensemble(scanned, f, slot->hash)));
            int status = draft ? add_piece(draft, f->file, variable) : VIRGA_NO_MEMORY;
            if (status) return status;
        }
    }
    return VIRGA_OK;
}

// --- levels in files of their own --------------------------------------------------------------------------------------

// Whether all pieces of both are single levels of what is one variable but for its levels.
static bool may_stack(const struct draft_variable *a, const struct draft_variable *b) {
    const struct piece *first = &a->pieces[0];
    bool same = level_stack_fits(first->file, first->variable) && has_members(first->variable) == has_members(b->pieces[0].variable) && same_quantity(a, b);
    for (size_t p = 0; same && p < b->piece_count; p++)
        same = level_stack_fits(b->pieces[p].file, b->pieces[p].variable) && level_stack_alike(first->file, first->variable, b->pieces[p].file, b->pieces[p].variable);
    return same;
}

static int take_pieces(struct draft_variable *to, struct draft_variable *from) {
    struct piece *grown = realloc(to->pieces, (to->piece_count + from->piece_count) * sizeof *grown);
    if (!grown) return VIRGA_NO_MEMORY;
    memcpy(grown + to->piece_count, from->pieces, from->piece_count * sizeof *grown);
    to->pieces = grown;
    to->piece_count = to->piece_room = to->piece_count + from->piece_count;
    free(from->pieces);
    return VIRGA_OK;
}

// Makes one variable on levels of those that follow `at` and differ from it in their level alone.
static int stack_levels(struct draft *draft, size_t at) {
    struct draft_variable *v = &draft->variables[at];
    const struct piece first = v->pieces[0];
    size_t count = 1, kept = at + 1;
    if (!may_stack(v, v)) return VIRGA_OK;
    const size_t most = level_stack_most(first.file, first.variable);
    double *levels = malloc((draft->variable_count - at) * sizeof *levels);
    int status = levels ? VIRGA_OK : VIRGA_NO_MEMORY;
    if (levels) levels[0] = first.file->verticals[first.variable->vertical].a[0];
    for (size_t n = at + 1; n < draft->variable_count; n++) {
        struct draft_variable *other = &draft->variables[n];
        const struct piece theirs = other->pieces[0];
        if (!status && count < most && may_stack(v, other) && !(status = take_pieces(v, other))) levels[count++] = theirs.file->verticals[theirs.variable->vertical].a[0];
        else draft->variables[kept++] = *other;
    }
    draft->variable_count = kept;
    if (!status && count > 1) status = level_stack_new(first.file, first.variable, levels, count, &v->stack);
    free(levels);
    return status;
}

static int stack_all(struct drafts *all) {
    int status = VIRGA_OK;
    for (size_t d = 0; d < all->count; d++)
        for (size_t v = 0; !status && v < all->drafts[d].variable_count; v++) status = stack_levels(&all->drafts[d], v);
    return status;
}

static void name_apart(struct draft *draft) {
    for (size_t a = 0; a < draft->variable_count; a++)
        for (size_t b = 0; b < draft->variable_count && *draft->variables[a].apart; b++)
            if (strcmp(draft->variables[a].name, draft->variables[b].name) == 0 && strcmp(draft->variables[a].apart, draft->variables[b].apart) != 0)
                draft->variables[a].named_apart = true;
}

int drafts_make(struct drafts *all, const struct scanned_files *scanned) {
    *all = (struct drafts){0};
    int status = draft_all(all, scanned);
    if (!status) status = stack_all(all);
    for (size_t d = 0; !status && d < all->count; d++) name_apart(&all->drafts[d]);
    return status;
}
