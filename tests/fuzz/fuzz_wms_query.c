// SPDX-License-Identifier: Apache-2.0
// Requests of the Web Map Service, "KEY=value" with & between (as they are after decoding): what was taken is within its bounds, and what was not says why.
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/wms_query.h"

static void expect(bool good) {
    if (!good) abort();
}

static bool ends_within(const char *text, size_t room) {
    return memchr(text, '\0', room) != NULL;
}

static void look_at_texts(const struct wms_query *query) {
    expect(query->layer_count <= MAP_PICTURE_LAYERS && query->asked_count <= MAP_PICTURE_LAYERS && ends_within(query->crs, sizeof query->crs));
    for (size_t n = 0; n < query->layer_count; n++)
        expect(ends_within(query->layers[n], WMS_NAME) && ends_within(query->styles[n], WMS_NAME) && query->layers[n][0]);
    for (size_t n = 0; n < query->asked_count; n++) expect(query->asked[n] < query->layer_count);
    for (size_t n = 0; n < WMS_OPTIONS; n++) expect(ends_within(query->options[n], sizeof query->options[n]));
    const struct wms_dimensions *values = &query->dimensions;
    expect(ends_within(values->time, sizeof values->time) && ends_within(values->elevation, sizeof values->elevation));
    expect(ends_within(values->run, sizeof values->run) && ends_within(values->member, sizeof values->member));
}

static void look_at_map(const struct wms_query *query) {
    expect(query->layer_count > 0);
    expect(query->width >= 1 && query->width <= WMS_SIDE_MAX && query->height >= 1 && query->height <= WMS_SIDE_MAX);
    for (int n = 0; n < 4; n++) expect(isfinite(query->box[n]));
    expect(query->box[0] < query->box[2] && query->box[1] < query->box[3] && query->crs[0]);
    if (query->request == WMS_FEATURE_INFO) expect(query->column < query->width && query->row < query->height && query->asked_count > 0);
}

static void look_at_exception(int status, const struct wms_exception *exception) {
    expect(status < 0 && exception->failure.status == status && exception->failure.message[0]);
    expect(ends_within(exception->failure.message, sizeof exception->failure.message));
}

// A query's parts, as far as there is room.
static void add_all(struct wms_parameters *parameters, char *text) {
    for (char *part = text, *next; part; part = next) {
        if ((next = strchr(part, '&'))) *next++ = '\0';
        if (wms_parameters_add(parameters, part)) break;
    }
    expect(parameters->count <= WMS_PARAMETERS && parameters->used <= WMS_TEXT);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct wms_parameters *parameters = calloc(1, sizeof *parameters);
    struct wms_query *query = malloc(sizeof *query);
    struct wms_exception exception;
    char *text = fuzz_text(bytes, size);
    if (parameters && query && text) {
        add_all(parameters, text);
        int status = wms_query_read(parameters, query, &exception);
        look_at_texts(query);
        if (status) look_at_exception(status, &exception);
        else if (query->request == WMS_MAP || query->request == WMS_FEATURE_INFO) look_at_map(query);
    }
    free(text);
    free(query);
    free(parameters);
    return 0;
}
