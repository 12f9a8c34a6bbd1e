// SPDX-License-Identifier: Apache-2.0
// One layer of a map, from the texts of whatever protocol asks for it: which field, at which surface, in which style. Looks things up in a catalog and reads nothing, so
// the service thread may do it. Any thread.
#ifndef VIRGA_SERVER_MAP_LAYER_H
#define VIRGA_SERVER_MAP_LAYER_H

#include "field/catalog.h"
#include "render/map_style.h"
#include "render/map_wind.h"
#include "server/map_times.h"
#include "tile/surface.h"

enum { MAP_KEY = 33, MAP_ASK_OPTIONS = 8 };

// Texts are borrowed for the call; NULL or "" is what was not said.
struct map_ask {
    const char *dataset, *variable;  // ids; of the variable also its name
    const char *run, *time;          // map_times.h
    const char *member;              // label; else the first that has the step
    const char *level;               // surface.h; else the lowest level of a variable that has any
    const char *style;               // map_style.h; else its default
    struct { const char *option, *value; } options[MAP_ASK_OPTIONS];  // of the style, besides (map_style_set), in this order; those without a value count for nothing
    const char *edition;             // what must be in force: else VIRGA_CHANGED
};

// How long what is made of a layer may be kept.
enum map_keeping {
    MAP_KEEP_LATEST,  // other data may be meant soon
    MAP_KEEP_NAMED,   // run and time are named; files may be replaced still
    MAP_KEEP_EVER,    // and so is the edition
};

struct map_layer {
    struct catalog *catalog;        // one reference; `dataset` and all that it names stand in it. NULL in one that was zeroed or destroyed
    struct field_ref field;         // without `stop`
    struct field_ref partner;       // of barbs and arrows: the other field of the wind; else its dataset is NULL
    enum map_wind_kind wind;
    struct surface surface;         // SURFACE_OWN for variables without levels only; a threshold is said
    struct catalog_variable shown;  // what values are: the field's variable, but heights where the surface gives those; its texts are the variable's or static
    struct map_style style;         // complete, but for range=auto (map_style_complete)
    struct map_time time;           // what was asked and what was found
    enum map_keeping keeping;
    char edition[MAP_KEY];          // of all numbers that it is made of, at its surface: for addresses that never change
    char key[MAP_KEY];              // and of its style besides: two layers with the same key look the same
};

// VIRGA_OK; VIRGA_INVALID: a text is no such thing, or the style or level is none that this variable can have; VIRGA_NOT_FOUND: there is no such dataset, variable, run, time
// or member; VIRGA_CHANGED: the edition is no longer in force; VIRGA_NO_MEMORY. *layer needs map_layer_destroy where it is VIRGA_OK, and may have it otherwise.
// now: seconds since 1970 UTC.
int map_layer_resolve(struct catalog *catalog, const struct map_ask *ask, double now, struct map_layer *layer, struct failure *failure);
void map_layer_destroy(struct map_layer *layer);

// What a variable's values at a surface are (`shown` above), and what a style leaves open for them: as map_style_complete.
void map_layer_shown(const struct catalog_variable *variable, const struct surface *surface, struct catalog_variable *shown);
int map_layer_complete(struct map_style *style, const struct catalog_variable *shown, enum surface_kind kind, struct failure *failure);

const struct catalog_variable *map_layer_variable(const struct map_layer *layer);
// The step that is shown, and its run's reference time.
const struct catalog_time *map_layer_time(const struct map_layer *layer);
const struct catalog_time *map_layer_run(const struct map_layer *layer);

#endif
