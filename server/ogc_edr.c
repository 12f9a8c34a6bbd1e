// SPDX-License-Identifier: Apache-2.0
#include "server/ogc_edr.h"

#include <math.h>
#include <string.h>

#include "server/map_times.h"

void ogc_edr_destroy(struct ogc_edr_query *query) { ogc_wkt_destroy(&query->wkt); }

// --- Texts.

static int check_places(const struct ogc_edr_query *query, struct failure *failure) {
    if (query->trajectory != (query->wkt.kind == OGC_WKT_LINESTRING))
        return failure_set(failure, VIRGA_INVALID, query->trajectory ? "a trajectory's coords must be a LINESTRING" : "a position's coords must be a POINT or MULTIPOINT");
    if (query->wkt.has_m && !query->trajectory) return failure_set(failure, VIRGA_INVALID, "a point has no time: name it by datetime");
    for (size_t n = 0; n < query->wkt.count; n++) {
        const struct ogc_wkt_place *p = &query->wkt.places[n];
        if (fabs(p->x) > 540 || fabs(p->y) > 90)
            return failure_set(failure, VIRGA_INVALID, "coords: %.7g %.7g is no place: longitude and latitude in degrees are wanted, in this order", p->x, p->y);
        if (query->wkt.has_z && fabs(p->z) > 1e6) return failure_set(failure, VIRGA_INVALID, "coords: %.7g is no height in metres", p->z);
    }
    return VIRGA_OK;
}

static int read_texts(const struct ogc_edr_ask *ask, struct ogc_edr_query *query, struct failure *failure) {
    if (!ask->coords || !*ask->coords) return failure_set(failure, VIRGA_INVALID, "coords must say where, such as POINT(-3.5 50.7)");
    int status = ogc_crs_check(ask->crs ? ask->crs : "", failure);
    if (!status) status = ogc_wkt_parse(ask->coords, OGC_PLACES, &query->wkt, failure);
    if (!status) status = check_places(query, failure);
    if (!status) status = ogc_datetime_parse(ask->datetime ? ask->datetime : "", &query->datetime, failure);
    if (!status) status = ogc_heights_parse(ask->z ? ask->z : "", &query->heights, failure);
    if (!status && query->wkt.has_m && query->datetime.said) return failure_set(failure, VIRGA_INVALID, "a line with times (M) takes no datetime");
    if (!status && query->wkt.has_z && query->heights.kind != OGC_HEIGHTS_NONE) return failure_set(failure, VIRGA_INVALID, "coords with heights (Z) take no z");
    return status;
}

// --- Variables.

static bool is_hidden(const struct ogc_edr_query *query, size_t variable) { return query->dataset->variables[variable].hidden; }

static int add_variable(struct ogc_edr_query *query, size_t variable, struct failure *failure) {
    for (size_t n = 0; n < query->item_count; n++)
        if (query->items[n].variable == variable) return VIRGA_OK;
    if (query->item_count == OGC_PARAMETERS) return failure_set(failure, VIRGA_TOO_LARGE, "more than %d parameters at once: name those that are wanted by parameter-name", OGC_PARAMETERS);
    query->items[query->item_count++] = (struct ogc_edr_item){.variable = variable};
    return VIRGA_OK;
}

static int find_variable(const struct ogc_edr_query *query, const struct ogc_edr_ask *ask, const char *name, size_t length, size_t *variable, struct failure *failure) {
    const struct catalog_dataset *set = query->dataset;
    bool one = ask->variable && *ask->variable;
    for (size_t v = 0; v < set->variable_count; v++) {
        if (is_hidden(query, v) || strlen(set->variables[v].id) != length || strncmp(set->variables[v].id, name, length)) continue;
        *variable = v;
        if (!one || !strcmp(ask->variable, set->variables[v].id)) return VIRGA_OK;
    }
    return failure_set(failure, VIRGA_INVALID, "parameter-name: the collection has no \"%.*s\"", (int)(length < 60 ? length : 60), name);
}

static int find_variables(const struct ogc_edr_ask *ask, struct ogc_edr_query *query, struct failure *failure) {
    const char *at = ask->parameters && *ask->parameters ? ask->parameters : ask->variable && *ask->variable ? ask->variable : NULL;
    int status = VIRGA_OK;
    for (size_t v = 0; !at && v < query->dataset->variable_count && !status; v++)
        if (!is_hidden(query, v)) status = add_variable(query, v, failure);
    while (at && !status) {
        size_t length = strcspn(at, ","), variable = 0;
        status = find_variable(query, ask, at, length, &variable, failure);
        if (!status) status = add_variable(query, variable, failure);
        at = at[length] ? at + length + 1 : NULL;
    }
    return status;
}

// --- Run, member and steps.

static int find_run(const struct ogc_edr_ask *ask, double now, struct ogc_edr_query *query, struct failure *failure) {
    const struct catalog_dataset *set = query->dataset;
    bool instant = query->datetime.said && !query->datetime.interval;
    int run = ask->run && *ask->run ? catalog_find_run(set, ask->run) : set->latest;
    if (run < 0) return failure_set(failure, VIRGA_NOT_FOUND, "there is no instance \"%.60s\"", ask->run ? ask->run : "");
    query->run = (size_t)run;
    for (size_t n = 0; instant && (!ask->run || !*ask->run) && n < query->item_count; n++) {
        struct map_time found;
        if (catalog_is_constant(&set->variables[query->items[n].variable]) || map_times_find(set, query->items[n].variable, "", query->datetime.from, now, &found, NULL)) continue;
        query->run = found.run;
        break;
    }
    return VIRGA_OK;
}

static bool find_member(const struct ogc_edr_ask *ask, const struct ogc_edr_query *query, struct ogc_edr_item *item) {
    const struct catalog_variable *v = &query->dataset->variables[item->variable];
    struct field_ref field = {.dataset = query->dataset, .variable = item->variable, .run = query->run, .step = item->first};
    for (field.member = 0; field.member < v->member_count; field.member++) {
        item->member = field.member;
        if (ask->member && *ask->member ? !strcmp(ask->member, v->members[field.member]) : catalog_has_member(&field)) return true;
    }
    item->member = 0;
    return !ask->member || !*ask->member;
}

// Leaves those out that have nothing at these times; what has no times stands for all.
static int find_steps(const struct ogc_edr_ask *ask, struct ogc_edr_query *query, struct failure *failure) {
    size_t kept = 0;
    bool member = false;
    for (size_t n = 0; n < query->item_count; n++) {
        struct ogc_edr_item item = query->items[n];
        const struct catalog_variable *v = &query->dataset->variables[item.variable];
        const struct catalog_series *series = &query->dataset->runs[query->run].series[item.variable];
        if (!series->present || !series->time_count) continue;
        item.constant = catalog_is_constant(v);
        item.first = 0;
        item.count = item.constant ? 1 : series->time_count;
        int status = item.constant || query->wkt.has_m ? VIRGA_OK : ogc_datetime_steps(&query->datetime, v, series, &item.first, &item.count, failure);
        if (status) return status;
        if (!item.count) continue;
        if (find_member(ask, query, &item)) query->items[kept++] = item;
        else member = true;
    }
    query->item_count = kept;
    if (kept) return VIRGA_OK;
    if (member) return failure_set(failure, VIRGA_NOT_FOUND, "there is no member \"%.60s\"", ask->member);
    return failure_set(failure, VIRGA_NOT_FOUND, "the run of %s has nothing at these times; the collection's temporal extent says which it has", query->dataset->runs[query->run].time.iso);
}

// What an answer would be, before anything is read.
static int check_size(const struct ogc_edr_query *query, struct failure *failure) {
    size_t fields = 0, values = 0, places = query->trajectory ? OGC_PLACES : query->wkt.count;
    for (size_t n = 0; n < query->item_count; n++) {
        const struct ogc_edr_item *item = &query->items[n];
        const struct catalog_variable *v = &query->dataset->variables[item->variable];
        size_t rows = !v->vertical ? 1 : query->heights.kind == OGC_HEIGHTS_LIST ? query->heights.count : query->wkt.has_z ? 1 : v->nz;
        size_t steps = query->wkt.has_m ? 1 : item->count;
        fields += item->count;
        values += steps * (query->trajectory ? 1 : places) * rows;  // of a line: checked once its places are known
    }
    if (fields <= OGC_FIELDS && values <= OGC_VALUES) return VIRGA_OK;
    return failure_set(failure, VIRGA_TOO_LARGE, "%zu fields and %zu values at once are too many (%d and %d): ask for fewer times, parameters, places or heights", fields, values,
                       OGC_FIELDS, OGC_VALUES);
}

int ogc_edr_resolve(const struct catalog *catalog, const struct ogc_edr_ask *ask, double now, struct ogc_edr_query *query, struct failure *failure) {
    *query = (struct ogc_edr_query){.trajectory = ask->trajectory, .dataset = catalog_find_dataset(catalog, ask->dataset)};
    if (!query->dataset) return failure_set(failure, VIRGA_NOT_FOUND, "there is no collection \"%.100s\"", ask->dataset);
    int status = read_texts(ask, query, failure);
    if (!status) status = find_variables(ask, query, failure);
    if (!status) status = find_run(ask, now, query, failure);
    if (!status) status = find_steps(ask, query, failure);
    return status ? status : check_size(query, failure);
}
