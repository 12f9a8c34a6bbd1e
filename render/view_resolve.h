// SPDX-License-Identifier: Apache-2.0
// What a view document means in a catalog: the very run, times, members and variables, and a layer's look with nothing left open. The
// page's is web/view/view_resolve.js. Any thread; what is pointed to lives as long as the catalog.
#ifndef VIRGA_RENDER_VIEW_RESOLVE_H
#define VIRGA_RENDER_VIEW_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

#include "field/catalog.h"
#include "field/cf_time.h"
#include "render/brick_fetch.h"
#include "render/presets.h"
#include "render/view.h"
#include "tile/surface.h"

enum { VIEW_PLACED_MAX = 4, VIEW_DRAWN_MAX = 2, VIEW_TITLE_TEXT = 2 * PRESET_TITLE_TEXT + 4 };

// What a difference takes away, at the same valid time.
struct view_resolved_minus {
    bool used;
    size_t variable, run, member;        // indices in the dataset
    const struct catalog_variable *of;
    const struct catalog_series *series;
    double ratio;                        // so many of the layer's lattice steps is one of its own
};

struct view_resolved_layer {
    size_t variable;                     // index in the dataset
    const struct catalog_variable *of;   // that variable
    const struct catalog_series *series; // NULL: the run lacks it
    size_t member;
    struct view_resolved_minus minus;
    struct lattice_spec lattice;         // of what is shown: the variable's, or of q − ratio × q of minus
    bool placed;                         // one of the layers that the page would hold, whose grids make the box (at most VIEW_PLACED_MAX)
    struct surface surface;              // where look.level names one
    struct view_layer look;              // the view's layer; after view_complete with nothing left open
    struct preset_units units;           // that its numbers are written in; after view_complete
    char title[PRESET_TITLE_TEXT];       // "Air temperature"
    char difference[PRESET_TITLE_TEXT];  // "run 12Z minus 06Z", "minus dew point temperature"; "" where it is none
};

struct view_resolved {
    const struct catalog_dataset *dataset;
    size_t run;
    size_t layer_count;
    struct view_resolved_layer layers[VIEW_LAYERS_MAX];
    size_t first;  // of the layers: whose times the picture has; the first that is not constant, if there is one
    const struct catalog_time *times;         // its series', of a difference from the first that both have to the last
    size_t time_count;                        // at least 1
    size_t member;
    char title[VIEW_TITLE_TEXT];              // "Cloud fraction, Wind speed": of what is visible
};

// Looks up what the view names. VIRGA_NOT_FOUND with a message that begins with the view's field: "layers[1].variable: "x" is not in this
// dataset; it has …". No reading.
int view_resolve(const struct view *view, const struct catalog *catalog, struct view_resolved *resolved, struct failure *failure);

// Gives each layer's look what the view leaves open, as the page does: from the presets and the values of the variable's first step,
// which are read where a preset asks for them. Blocks. The codes of reading; the message names the layer and the file.
int view_complete(struct view_resolved *resolved, const struct brick_fetch_options *fetch, struct failure *failure);

// The member with this label, among those of the layer's variable that has most. VIRGA_NOT_FOUND.
int view_resolve_member(const struct view *view, const struct catalog_dataset *dataset, const char *label, unsigned *member,
                        struct failure *failure);
// The step that a rule ("T+6", "nearest to now", ISO time; now: seconds since 1970 UTC) means among the first layer's times. *exact:
// whether it is meant exactly, else the nearest (the earlier of two as near). "T+0", which views have that name no time, always is.
// VIRGA_OK, or VIRGA_INVALID where it is no time of the calendar.
int view_resolve_time(const struct view_resolved *resolved, const char *rule, double now, size_t *step, bool *exact,
                      struct failure *failure);
// That of the first layer, in which times are counted.
enum cf_calendar view_resolved_calendar(const struct view_resolved *resolved);
// What the rule means, in seconds as catalog_time counts them, be it a step or not; the codes above.
int view_resolve_seconds(const struct view_resolved *resolved, const char *rule, double now, double *seconds,
                         struct failure *failure);
// A step as a rule by its lead time: "T+6".
void view_resolved_lead(const struct view_resolved *resolved, size_t step, char rule[VIEW_TIME_TEXT]);
// All that a layer is called: "Air temperature, run 12Z minus 06Z".
void view_resolved_title(const struct view_resolved_layer *layer, char title[VIEW_TITLE_TEXT]);
// A step of a layer that the run has.
struct field_ref view_resolved_field(const struct view_resolved *resolved, const struct view_resolved_layer *layer, size_t step);
// A layer's own step with this valid time, or -1; a constant one's only step. A difference has those that both have.
ptrdiff_t view_resolved_step(const struct view_resolved_layer *layer, double seconds);
// The step of what a difference takes away then, where view_resolved_step has one; and a step of it.
ptrdiff_t view_resolved_minus_step(const struct view_resolved_layer *layer, double seconds);
struct field_ref view_resolved_minus_field(const struct view_resolved *resolved, const struct view_resolved_layer *layer, size_t step);
// Indices of the layers of a form that are drawn at a valid time: placed, visible, with a step then; the first VIEW_DRAWN_MAX, where a difference
// of volumes counts as two. How many.
enum view_form { VIEW_FORM_GROUND, VIEW_FORM_VOLUME, VIEW_FORM_SLICE };  // 2-D variables, others, and those at a surface
size_t view_resolved_drawn(const struct view_resolved *resolved, double seconds, enum view_form form, size_t layers[VIEW_DRAWN_MAX]);

// A view to start from: the page's own default picture of a dataset (dataset_id NULL: of the first with something to show), without its
// camera, and with nothing in its layers but variables. The exaggeration suits the domain. VIRGA_NOT_FOUND where there is nothing.
int view_default(const struct catalog *catalog, const char *dataset_id, struct view *view, struct failure *failure);
// The exaggeration that makes a dataset's weather readable; variable: of the first layer, or NULL.
double view_default_exaggeration(const struct catalog_dataset *dataset, const struct catalog_variable *variable);

#endif
