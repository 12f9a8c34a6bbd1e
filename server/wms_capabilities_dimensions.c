// SPDX-License-Identifier: Apache-2.0
// Which values TIME, DIM_REFERENCE_TIME, ELEVATION and DIM_MEMBER of a layer have.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/map_times.h"
#include "server/wms_extent.h"
#include "server/wms_private.h"

enum {
    FEW = 4096,        // characters of an extent where all layers are listed …
    MANY = 1024 * 1024,  // … and where some are asked for
};

struct dimension {
    const char *name, *units, *symbol;
    const char *usual;   // or NULL
    const char *extent;
    bool nearest, current;
};

enum { DIMENSIONS = 4 };

// Times.

void wms_forget_times(struct wms_document *d) {
    free(d->times);
    free(d->runs);
    d->times = d->runs = NULL;
    d->times_dataset = NULL;
}

// Whether two variables have the same steps in all runs, which most of a dataset have.
static bool same_times(const struct catalog_dataset *dataset, size_t a, size_t b) {
    for (size_t r = 0; r < dataset->run_count; r++) {
        const struct catalog_series *x = &dataset->runs[r].series[a], *y = &dataset->runs[r].series[b];
        if (x->present != y->present || x->time_count != y->time_count) return false;
        for (size_t n = 0; n < x->time_count; n++)
            if (strcmp(x->times[n].iso, y->times[n].iso)) return false;
    }
    return true;
}

static char *list_runs(const struct catalog_dataset *dataset, size_t variable, size_t most) {
    struct catalog_time *runs = calloc(dataset->run_count ? dataset->run_count : 1, sizeof *runs);
    size_t count = 0;
    for (size_t r = 0; runs && r < dataset->run_count; r++)
        if (dataset->runs[r].series[variable].time_count) runs[count++] = dataset->runs[r].time;
    char *text = runs ? wms_extent_times(runs, count, most) : NULL;
    free(runs);
    return text;
}

static void find_usual(struct wms_document *d, const struct wms_layer *layer) {
    struct map_time found;
    const struct catalog_dataset *dataset = layer->dataset;
    d->usual_time[0] = d->usual_run[0] = '\0';
    if (map_times_find(dataset, layer->variable, "", "", d->asked->now, &found, NULL)) return;
    snprintf(d->usual_time, sizeof d->usual_time, "%s", dataset->runs[found.run].series[layer->variable].times[found.step].iso);
    snprintf(d->usual_run, sizeof d->usual_run, "%s", dataset->runs[found.run].time.iso);
}

static void find_times(struct wms_document *d, const struct wms_layer *layer) {
    const struct catalog_dataset *dataset = layer->dataset;
    struct catalog_time *times;
    size_t count, most = d->asked->layers[0] ? MANY : FEW;
    if (d->times_dataset == dataset && d->times && (d->times_variable == layer->variable || same_times(dataset, d->times_variable, layer->variable))) return;
    wms_forget_times(d);
    find_usual(d, layer);
    if (map_times_all(dataset, layer->variable, &times, &count) == VIRGA_OK) {
        d->times = wms_extent_times(times, count, most);
        free(times);
    }
    d->runs = list_runs(dataset, layer->variable, most);
    d->failed |= !d->times || !d->runs;
    d->times_dataset = dataset;
    d->times_variable = layer->variable;
}

// A constant has one step, which stands for every time.
static size_t add_times(struct wms_document *d, const struct wms_layer *layer, struct dimension *dimensions, size_t count) {
    if (catalog_is_constant(&layer->dataset->variables[layer->variable])) return count;
    find_times(d, layer);
    if (!d->times || !*d->times || !d->runs || !*d->runs) return count;
    dimensions[count++] = (struct dimension){"time", "ISO8601", NULL, d->usual_time[0] ? d->usual_time : NULL, d->times, true, true};
    dimensions[count++] = (struct dimension){"reference_time", "ISO8601", NULL, d->usual_run[0] ? d->usual_run : NULL, d->runs, false, false};
    return count;
}

// Labels that no list can hold are left out.
static char *list_members(const struct catalog_variable *v) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    for (size_t m = 0, count = 0; m < v->member_count; m++)
        if (v->members[m][0] && !strpbrk(v->members[m], ",/")) fprintf(out, "%s%s", count++ ? "," : "", v->members[m]);
    return fclose(out) ? (free(text), NULL) : text;
}

// Writing.

static void write_values(struct wms_document *d, const struct dimension *dimension) {
    if (dimension->usual) xml_attribute(d->xml, "default", dimension->usual);
    xml_attribute(d->xml, "nearestValue", dimension->nearest ? "1" : "0");
    if (dimension->current) xml_attribute(d->xml, "current", "1");
    xml_write(d->xml, dimension->extent);
}

static void write_dimension(struct wms_document *d, const struct dimension *dimension) {
    xml_open(d->xml, "Dimension");
    xml_attribute(d->xml, "name", dimension->name);
    xml_attribute(d->xml, "units", dimension->units);
    if (dimension->symbol) xml_attribute(d->xml, "unitSymbol", dimension->symbol);
    if (d->new) write_values(d, dimension);
    xml_close(d->xml);
}

// 1.1.1 has a dimension's values in elements of their own, behind all dimensions.
static void write_extent(struct wms_document *d, const struct dimension *dimension) {
    xml_open(d->xml, "Extent");
    xml_attribute(d->xml, "name", dimension->name);
    write_values(d, dimension);
    xml_close(d->xml);
}

void wms_write_dimensions(struct wms_document *d, const struct wms_layer *layer) {
    const struct catalog_variable *v = &layer->dataset->variables[layer->variable];
    struct dimension dimensions[DIMENSIONS];
    struct wms_elevation elevation;
    char *levels = NULL, *members = NULL, usual[XML_NUMBER];
    size_t count = add_times(d, layer, dimensions, 0);
    if (wms_layer_elevation(layer, &elevation)) d->failed = true;
    else if (elevation.there) {
        levels = wms_extent_numbers(elevation.values, elevation.count);
        bool known = !isnan(elevation.usual);
        dimensions[count++] = (struct dimension){elevation.name, elevation.units, elevation.symbol, known ? xml_number_text(elevation.usual, usual) : NULL, levels, elevation.only, false};
        d->failed |= !levels;
    }
    if (v->member_count > 1) {
        members = list_members(v);
        if (members && *members) dimensions[count++] = (struct dimension){"member", "", NULL, v->members[0], members, false, false};
        d->failed |= !members;
    }
    for (size_t n = 0; n < count && !d->failed; n++) write_dimension(d, &dimensions[n]);
    for (size_t n = 0; n < count && !d->failed && !d->new; n++) write_extent(d, &dimensions[n]);
    wms_elevation_destroy(&elevation);
    free(levels);
    free(members);
}
