// SPDX-License-Identifier: Apache-2.0
#include "server/wms_query.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const missing = "MissingParameterValue", *const invalid = "InvalidParameterValue";

const char *const wms_option_names[WMS_OPTIONS] = {"range", "bands", "log", "below", "above", "opacity"};

int wms_exception_set(struct wms_exception *exception, int status, const char *code, const char *locator, const char *format, ...) {
    va_list arguments;
    exception->code = code;
    exception->locator = locator;
    exception->failure.status = status;
    va_start(arguments, format);
    vsnprintf(exception->failure.message, sizeof exception->failure.message, format, arguments);
    va_end(arguments);
    return status;
}

// Parameters.

int wms_parameters_add(struct wms_parameters *p, const char *part) {
    size_t size = strlen(part) + 1, key = strcspn(part, "=");
    if (p->count == WMS_PARAMETERS || size > WMS_TEXT - p->used) return VIRGA_TOO_LARGE;
    char *at = p->text + p->used;
    memcpy(at, part, size);
    p->items[p->count].key = (uint16_t)p->used;
    p->items[p->count++].value = (uint16_t)(p->used + (part[key] ? key + 1 : key));
    at[key] = '\0';
    p->used += size;
    return VIRGA_OK;
}

const char *wms_parameter(const struct wms_parameters *p, const char *key) {
    for (size_t n = 0; n < p->count; n++)
        if (!strcasecmp(p->text + p->items[n].key, key)) return p->text + p->items[n].value;
    return NULL;
}

static const char *given(const struct wms_query *q, const char *key) {
    const char *value = wms_parameter(q->parameters, key);
    return value ? value : "";
}

static int needed(const struct wms_query *q, const char *key, const char **value, struct wms_exception *e) {
    *value = given(q, key);
    return **value ? VIRGA_OK : wms_exception_set(e, VIRGA_INVALID, missing, key, "%s is missing", key);
}

static bool is_true(const char *text, bool otherwise) {
    return strcasecmp(text, "true") == 0 || (otherwise && strcasecmp(text, "false") != 0);
}

// Numbers: digits, a point, an exponent; nothing else that strtod() takes.
static bool read_number(const char **text, double *value) {
    size_t size = strspn(*text, "+-0123456789.eE");
    char *end;
    if (!size) return false;
    *value = strtod(*text, &end);
    if (end != *text + size || !isfinite(*value)) return false;
    *text = end;
    return true;
}

static bool read_numbers(const char *text, double *values, size_t count) {
    for (size_t n = 0; n < count; n++) {
        if (n && *text++ != ',') return false;
        if (!read_number(&text, &values[n])) return false;
    }
    return !*text;
}

static bool read_whole(const char *text, unsigned least, unsigned most, unsigned *value) {
    size_t size = strspn(text, "0123456789");
    unsigned long number = size && size < 10 && !text[size] ? strtoul(text, NULL, 10) : ~0UL;
    if (number < least || number > most) return false;
    *value = (unsigned)number;
    return true;
}

static int whole(const struct wms_query *q, const char *key, unsigned least, unsigned most, unsigned *value, struct wms_exception *e) {
    const char *text;
    int status = needed(q, key, &text, e);
    if (status || read_whole(text, least, most, value)) return status;
    return wms_exception_set(e, VIRGA_INVALID, invalid, key, "%s = \"%.40s\" is not a whole number from %u to %u", key, text, least, most);
}

// Which request, in which version.

static enum wms_version negotiated(const char *text) {
    unsigned a, b = 0, c = 0;
    if (sscanf(text, "%3u.%3u.%3u", &a, &b, &c) < 1) return WMS_1_3_0;
    return a * 1000000 + b * 1000 + c < 1003000 ? WMS_1_1_1 : WMS_1_3_0;
}

static int read_version(struct wms_query *q, struct wms_exception *e) {
    const char *text = given(q, "VERSION");
    bool has_srs = wms_parameter(q->parameters, "SRS") != NULL;
    q->version = *text ? negotiated(text) : has_srs ? WMS_1_1_1 : WMS_1_3_0;
    if (!strcmp(text, "1.3.0") || !strcmp(text, "1.1.1")) return VIRGA_OK;
    if (q->request == WMS_CAPABILITIES || (!*text && q->request != WMS_MAP && q->request != WMS_FEATURE_INFO)) return VIRGA_OK;
    return wms_exception_set(e, VIRGA_INVALID, *text ? invalid : missing, "VERSION", "VERSION must be 1.3.0 or 1.1.1%s", *text ? "" : "; it is missing");
}

static int read_request(struct wms_query *q, struct wms_exception *e) {
    static const struct { const char *name; enum wms_request request; } requests[] = {
        {"GetCapabilities", WMS_CAPABILITIES}, {"capabilities", WMS_CAPABILITIES}, {"GetMap", WMS_MAP}, {"map", WMS_MAP},
        {"GetFeatureInfo", WMS_FEATURE_INFO}, {"GetLegendGraphic", WMS_LEGEND}, {"GetVerticalProfile", WMS_VERTICAL_PROFILE}, {"GetTransect", WMS_TRANSECT}};
    const char *text;
    int status = needed(q, "REQUEST", &text, e);
    for (size_t n = 0; !status && n < sizeof requests / sizeof *requests; n++)
        if (!strcasecmp(requests[n].name, text)) return q->request = requests[n].request, VIRGA_OK;
    return status ? status
                  : wms_exception_set(e, VIRGA_INVALID, "OperationNotSupported", "REQUEST",
                                      "REQUEST = \"%.40s\" is none of GetCapabilities, GetMap, GetFeatureInfo, GetLegendGraphic, GetVerticalProfile and GetTransect", text);
}

static int read_service(const struct wms_query *q, struct wms_exception *e) {
    const char *text = given(q, "SERVICE");
    if (!strcasecmp(text, "WMS") || (!*text && q->request != WMS_CAPABILITIES)) return VIRGA_OK;
    return wms_exception_set(e, VIRGA_INVALID, *text ? invalid : missing, "SERVICE", "SERVICE must be WMS");
}

// 1.3.0 has short names, 1.1.1 media types; each version takes both.
static void read_refusal(struct wms_query *q) {
    const char *text = given(q, "EXCEPTIONS");
    bool picture = q->request != WMS_CAPABILITIES && q->request != WMS_FEATURE_INFO;
    if (!picture) return;
    if (!strcasecmp(text, "INIMAGE") || !strcasecmp(text, "application/vnd.ogc.se_inimage")) q->refusal = WMS_REFUSE_IN_IMAGE;
    if (!strcasecmp(text, "BLANK") || !strcasecmp(text, "application/vnd.ogc.se_blank")) q->refusal = WMS_REFUSE_BLANK;
}

static int check_refusal(const struct wms_query *q, struct wms_exception *e) {
    static const char *const known[] = {"", "XML", "INIMAGE", "BLANK", "text/xml", "application/vnd.ogc.se_xml", "application/vnd.ogc.se_inimage", "application/vnd.ogc.se_blank"};
    const char *text = given(q, "EXCEPTIONS");
    for (size_t n = 0; n < sizeof known / sizeof *known; n++)
        if (!strcasecmp(known[n], text)) return VIRGA_OK;
    return wms_exception_set(e, VIRGA_INVALID, invalid, "EXCEPTIONS", "EXCEPTIONS = \"%.40s\" is none of XML, INIMAGE and BLANK", text);
}

// Layers.

// One name of a list; the list's rest, or NULL at its end.
static const char *next_name(const char *list, char name[WMS_NAME], bool *fits) {
    size_t size = strcspn(list, ",");
    *fits = size < WMS_NAME;
    snprintf(name, WMS_NAME, "%.*s", (int)(*fits ? size : 0), list);
    return list[size] ? list + size + 1 : NULL;
}

static int read_layers(struct wms_query *q, const char *key, const char *list, struct wms_exception *e) {
    bool fits = true;
    for (q->layer_count = 0; list; q->layer_count++) {
        if (q->layer_count == MAP_PICTURE_LAYERS) return wms_exception_set(e, VIRGA_INVALID, invalid, key, "at most %d layers make a map", MAP_PICTURE_LAYERS);
        list = next_name(list, q->layers[q->layer_count], &fits);
        if (!fits || !*q->layers[q->layer_count]) return wms_exception_set(e, VIRGA_INVALID, "LayerNotDefined", key, "a name in %s is empty or too long", key);
    }
    return VIRGA_OK;
}

static int read_styles(struct wms_query *q, const char *key, const char *list, struct wms_exception *e) {
    bool fits = true;
    size_t count = 0;
    while (list && *list) {
        if (count == q->layer_count) return wms_exception_set(e, VIRGA_INVALID, "StyleNotDefined", key, "%s names more styles than there are layers", key);
        list = next_name(list, q->styles[count++], &fits);
        if (!fits) return wms_exception_set(e, VIRGA_INVALID, "StyleNotDefined", key, "a name in %s is too long", key);
    }
    // A list that ends with a comma has an empty name at its end.
    if (!count || count == q->layer_count || (list && count + 1 == q->layer_count)) return VIRGA_OK;
    return wms_exception_set(e, VIRGA_INVALID, "StyleNotDefined", key, "%s names %zu styles for %zu layers", key, count, q->layer_count);
}

static int read_asked(struct wms_query *q, struct wms_exception *e) {
    const char *list;
    char name[WMS_NAME];
    bool fits;
    int status = needed(q, "QUERY_LAYERS", &list, e);
    if (status) return status;
    while (list) {
        size_t n = 0;
        list = next_name(list, name, &fits);
        while (n < q->layer_count && strcmp(q->layers[n], name)) n++;
        if (n == q->layer_count || !fits || q->asked_count == MAP_PICTURE_LAYERS)
            return wms_exception_set(e, VIRGA_INVALID, "LayerNotDefined", "QUERY_LAYERS", "\"%.100s\" of QUERY_LAYERS is none of the map's LAYERS", name);
        q->asked[q->asked_count++] = n;
    }
    return VIRGA_OK;
}

static int read_map_layers(struct wms_query *q, struct wms_exception *e) {
    const char *layers, *styles = wms_parameter(q->parameters, "STYLES");
    int status = needed(q, "LAYERS", &layers, e);
    if (!status && !styles && q->request == WMS_MAP) status = wms_exception_set(e, VIRGA_INVALID, missing, "STYLES", "STYLES is missing; it may be empty");
    if (!status) status = read_layers(q, "LAYERS", layers, e);
    return status ? status : read_styles(q, "STYLES", styles, e);
}

// The place.

static int read_crs(struct wms_query *q, struct wms_exception *e) {
    const char *key = q->version == WMS_1_3_0 ? "CRS" : "SRS", *code = q->version == WMS_1_3_0 ? "InvalidCRS" : "InvalidSRS", *text;
    int status = needed(q, key, &text, e);
    if (status) return status;
    const struct map_crs *crs = map_crs_find(text);
    bool own = !strcasecmp(text, MAP_CRS_OWN);
    if (!crs && !own) return wms_exception_set(e, VIRGA_INVALID, code, key, "%s = \"%.60s\" is none that maps are made in; the capabilities name them", key, text);
    snprintf(q->crs, sizeof q->crs, "%s", own ? MAP_CRS_OWN : map_crs_name(crs));
    q->north_first = crs && q->version == WMS_1_3_0 && map_crs_north_first(crs);
    return VIRGA_OK;
}

static int read_box(struct wms_query *q, struct wms_exception *e) {
    const char *text;
    double b[4];
    int status = needed(q, "BBOX", &text, e);
    if (status) return status;
    if (!read_numbers(text, b, 4)) return wms_exception_set(e, VIRGA_INVALID, invalid, "BBOX", "BBOX = \"%.80s\" is not four numbers with commas between", text);
    if (!(b[0] < b[2] && b[1] < b[3]))
        return wms_exception_set(e, VIRGA_INVALID, invalid, "BBOX", "BBOX = \"%.80s\" has no area: it is the two lower, then the two upper limits", text);
    const double swapped[4] = {b[1], b[0], b[3], b[2]};
    memcpy(q->box, q->north_first ? swapped : b, sizeof q->box);
    return VIRGA_OK;
}

// What is made.

static bool read_colour(const char *text, uint8_t rgb[3]) {
    size_t skip = !strncasecmp(text, "0x", 2) ? 2 : *text == '#';
    if (strlen(text + skip) != 6 || strspn(text + skip, "0123456789abcdefABCDEF") != 6) return false;
    unsigned long number = strtoul(text + skip, NULL, 16);
    for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(number >> (16 - 8 * c));
    return true;
}

static int read_format(struct wms_query *q, const char *text, struct wms_exception *e) {
    static const char *const png[] = {"image/png", "image/png; mode=8bit", "image/png;mode=8bit", "image/png8", "image/png; mode=32bit", "image/png;mode=32bit"};
    static const char *const jpeg[] = {"image/jpeg", "image/jpg"};
    q->format = IMAGE_PNG;
    for (size_t n = 0; n < sizeof png / sizeof *png; n++)
        if (!strcasecmp(text, png[n])) return VIRGA_OK;
    for (size_t n = 0; n < sizeof jpeg / sizeof *jpeg; n++)
        if (!strcasecmp(text, jpeg[n])) return q->format = IMAGE_JPEG, VIRGA_OK;
    return wms_exception_set(e, VIRGA_INVALID, "InvalidFormat", "FORMAT", "FORMAT = \"%.60s\" is neither image/png nor image/jpeg", text);
}

// Dots an inch, as others' clients tell of screens and paper; what is no such number is none of ours.
static void read_scale(struct wms_query *q) {
    const double usual = 96, least = 144;
    static const char *const keys[] = {"DPI", "MAP_RESOLUTION", "FORMAT_OPTIONS"};
    q->scale = 1;
    for (size_t n = 0; n < sizeof keys / sizeof *keys; n++) {
        const char *text = given(q, keys[n]);
        double dots;
        if (!strncasecmp(text, "dpi:", 4)) text += 4;
        if (read_numbers(text, &dots, 1) && dots >= least) q->scale = fmin(dots / usual, MAP_PICTURE_SCALE_MAX);
    }
}

static int read_looks(struct wms_query *q, struct wms_exception *e) {
    const char *background = given(q, "BGCOLOR"), *transparent = given(q, "TRANSPARENT");
    memset(q->background, 0xff, sizeof q->background);
    read_scale(q);
    if (*background && !read_colour(background, q->background))
        return wms_exception_set(e, VIRGA_INVALID, invalid, "BGCOLOR", "BGCOLOR = \"%.40s\" is not a colour like 0xFFFFFF", background);
    if (*transparent && strcasecmp(transparent, "true") && strcasecmp(transparent, "false"))
        return wms_exception_set(e, VIRGA_INVALID, invalid, "TRANSPARENT", "TRANSPARENT = \"%.40s\" is neither TRUE nor FALSE", transparent);
    q->transparent = is_true(transparent, false) && q->format == IMAGE_PNG;
    return VIRGA_OK;
}

// A word of ncWMS for what is beyond the range as map_style_set has it: "" where it is none.
static void read_beyond(const char *text, char option[64]) {
    uint8_t rgb[3];
    size_t skip = !strncasecmp(text, "0x", 2) ? 2 : *text == '#';
    option[0] = '\0';
    if (!strcasecmp(text, "extend")) strcpy(option, "extend");
    else if (!strcasecmp(text, "transparent")) strcpy(option, "transparent");
    else if (strlen(text + skip) == 8 && strspn(text + skip, "0123456789abcdefABCDEF") == 8) {
        if (!strncmp(text + skip, "00", 2)) strcpy(option, "transparent");
        else snprintf(option, 64, "%s", text + skip + 2);
    } else if (read_colour(text, rgb)) snprintf(option, 64, "%02x%02x%02x", rgb[0], rgb[1], rgb[2]);
}

static int read_range(struct wms_query *q, struct wms_exception *e) {
    const char *text = given(q, "COLORSCALERANGE");
    double range[2];
    if (!*text || !strcasecmp(text, "default")) return VIRGA_OK;
    if (!strcasecmp(text, "auto")) return strcpy(q->options[WMS_RANGE], "auto"), VIRGA_OK;
    if (!read_numbers(text, range, 2) || !(range[0] < range[1]))
        return wms_exception_set(e, VIRGA_INVALID, invalid, "COLORSCALERANGE", "COLORSCALERANGE = \"%.60s\" is neither two rising numbers nor auto or default", text);
    snprintf(q->options[WMS_RANGE], sizeof q->options[0], "%.17g,%.17g", range[0], range[1]);
    return VIRGA_OK;
}

static int read_options(struct wms_query *q, struct wms_exception *e) {
    const char *bands = given(q, "NUMCOLORBANDS"), *log = given(q, "LOGSCALE"), *opacity = given(q, "OPACITY");
    static const char *const beyond[] = {[WMS_BELOW] = "BELOWMINCOLOR", [WMS_ABOVE] = "ABOVEMAXCOLOR"};
    unsigned number = 0;
    double percent = 0;
    int status = read_range(q, e);
    if (status) return status;
    if (*bands && !read_whole(bands, 2, 256, &number))
        return wms_exception_set(e, VIRGA_INVALID, invalid, "NUMCOLORBANDS", "NUMCOLORBANDS = \"%.40s\" is not a whole number from 2 to 256", bands);
    if (*bands) snprintf(q->options[WMS_BANDS], sizeof q->options[0], "%u", number < MAP_STYLE_BANDS_MAX ? number : MAP_STYLE_BANDS_MAX);
    if (*log && strcasecmp(log, "true") && strcasecmp(log, "false"))
        return wms_exception_set(e, VIRGA_INVALID, invalid, "LOGSCALE", "LOGSCALE = \"%.40s\" is neither true nor false", log);
    if (*log) strcpy(q->options[WMS_LOG], is_true(log, false) ? "true" : "false");
    if (*opacity && (!read_numbers(opacity, &percent, 1) || percent < 0 || percent > 100))
        return wms_exception_set(e, VIRGA_INVALID, invalid, "OPACITY", "OPACITY = \"%.40s\" is not a number from 0 to 100", opacity);
    if (*opacity) snprintf(q->options[WMS_OPACITY], sizeof q->options[0], "%.17g", percent / 100);
    for (int n = WMS_BELOW; n <= WMS_ABOVE; n++) {
        const char *text = given(q, beyond[n]);
        read_beyond(text, q->options[n]);
        if (*text && !q->options[n][0])
            return wms_exception_set(e, VIRGA_INVALID, invalid, beyond[n], "%s = \"%.40s\" is neither extend nor transparent nor a colour like 0xFF0000", beyond[n], text);
    }
    return VIRGA_OK;
}

// Whether a list's members are all the same: some proxies say everything twice.
static bool is_repeated(const char *list) {
    size_t size = strcspn(list, ",");
    for (const char *at = list + size; *at; at += size + 1)
        if (strncmp(at + 1, list, size) || (at[1 + size] && at[1 + size] != ',')) return false;
    return true;
}

// "…T12:00:00 01:00": a plus that was not escaped in the query is read as a space there.
static void restore_plus(char *time) {
    char *at = strchr(time, 'T');
    for (; at && *at; at++)
        if (*at == ' ') *at = '+';
}

// One value each: a map shows one time, as the best practice for time-dependent data has it (OGC 12-111r1).
static int read_dimensions(struct wms_query *q, struct wms_exception *e) {
    static const char *const keys[] = {"TIME", "ELEVATION", "DIM_REFERENCE_TIME", "DIM_MEMBER", "DIM_THRESHOLD"};
    char *const values[] = {q->dimensions.time, q->dimensions.elevation, q->dimensions.run, q->dimensions.member, q->dimensions.threshold};
    for (size_t n = 0; n < sizeof keys / sizeof *keys; n++) {
        const char *text = given(q, keys[n]);
        size_t size = strcspn(text, ",");
        if (size >= WMS_VALUE || strchr(text, '/') || !is_repeated(text))
            return wms_exception_set(e, VIRGA_INVALID, "InvalidDimensionValue", keys[n], "%s = \"%.60s\" must be one value, neither a list nor an interval", keys[n], text);
        memcpy(values[n], text, size);
        if (n == 0 || n == 2) restore_plus(values[n]);
    }
    return VIRGA_OK;
}

static int refuse_styling(const struct wms_query *q, struct wms_exception *e) {
    static const char *const keys[] = {"SLD", "SLD_BODY", "GFI", "REMOTE_OWS_URL", "WFS"};
    for (size_t n = 0; n < sizeof keys / sizeof *keys; n++)
        if (*given(q, keys[n])) return wms_exception_set(e, VIRGA_INVALID, invalid, keys[n], "%s is not supported: no address that a request names is ever read", keys[n]);
    return VIRGA_OK;
}

static int read_info(struct wms_query *q, struct wms_exception *e) {
    static const struct { const char *name; enum wms_info info; } infos[] = {
        {"text/xml", WMS_INFO_XML}, {"application/json", WMS_INFO_JSON}, {"text/plain", WMS_INFO_TEXT}, {"text/html", WMS_INFO_HTML}};
    const char *text = given(q, "INFO_FORMAT");
    if (!*text && q->version == WMS_1_1_1) return q->info = WMS_INFO_TEXT, VIRGA_OK;
    for (size_t n = 0; n < sizeof infos / sizeof *infos; n++)
        if (!strcasecmp(infos[n].name, text)) return q->info = infos[n].info, VIRGA_OK;
    return wms_exception_set(e, VIRGA_INVALID, *text ? "InvalidFormat" : missing, "INFO_FORMAT",
                             "INFO_FORMAT must be text/xml, application/json, text/plain or text/html");
}

static int read_pixel(struct wms_query *q, struct wms_exception *e) {
    const bool new = q->version == WMS_1_3_0;
    const char *const keys[] = {new ? "I" : "X", new ? "J" : "Y"};
    unsigned *const values[] = {&q->column, &q->row}, sides[] = {q->width, q->height};
    for (int n = 0; n < 2; n++) {
        const char *text;
        int status = needed(q, keys[n], &text, e);
        if (status) return status;
        if (!read_whole(text, 0, sides[n] - 1, values[n]))
            return wms_exception_set(e, VIRGA_INVALID, "InvalidPoint", keys[n], "%s = \"%.40s\" is no pixel of the map: a whole number from 0 to %u", keys[n], text, sides[n] - 1);
    }
    return VIRGA_OK;
}

static int read_map(struct wms_query *q, struct wms_exception *e) {
    const char *format = given(q, "FORMAT");
    int status = q->request == WMS_MAP ? needed(q, "FORMAT", &format, e) : VIRGA_OK;
    if (!status && *format && q->request == WMS_MAP) status = read_format(q, format, e);
    if (!status) status = whole(q, "WIDTH", 1, WMS_SIDE_MAX, &q->width, e);
    if (!status) status = whole(q, "HEIGHT", 1, WMS_SIDE_MAX, &q->height, e);
    if (!status) status = read_looks(q, e);
    if (!status) status = read_map_layers(q, e);
    if (!status) status = read_crs(q, e);
    return status ? status : read_box(q, e);
}

static int read_feature_info(struct wms_query *q, struct wms_exception *e) {
    unsigned count;
    const char *text = given(q, "FEATURE_COUNT");
    int status = read_map(q, e);
    if (!status) status = read_asked(q, e);
    if (!status) status = read_info(q, e);
    if (!status && *text && !read_whole(text, 1, WMS_SIDE_MAX, &count))
        status = wms_exception_set(e, VIRGA_INVALID, invalid, "FEATURE_COUNT", "FEATURE_COUNT = \"%.40s\" is not a whole number above 0", text);
    return status ? status : read_pixel(q, e);
}

static int read_side(struct wms_query *q, const char *key, unsigned *side, struct wms_exception *e) {
    *side = 0;
    return *given(q, key) ? whole(q, key, MAP_LEGEND_SIDE_MIN, MAP_LEGEND_SIDE_MAX, side, e) : VIRGA_OK;
}

// With a box, which QGIS sends, it is the size of the map that the legend stands beside: checked, and then the legend has its own.
static int read_legend_side(struct wms_query *q, const char *key, unsigned *side, struct wms_exception *e) {
    unsigned of_map;
    if (!*given(q, "BBOX")) return read_side(q, key, side, e);
    return *given(q, key) ? whole(q, key, 1, WMS_SIDE_MAX, &of_map, e) : VIRGA_OK;
}

// LAYER and STYLE; ncWMS takes LAYERS and STYLES, too.
static int read_legend(struct wms_query *q, struct wms_exception *e) {
    const char *layer = given(q, *given(q, "LAYER") ? "LAYER" : "LAYERS"), *style = given(q, *given(q, "STYLE") ? "STYLE" : "STYLES"), *format = given(q, "FORMAT");
    int status = *layer ? read_layers(q, "LAYER", layer, e) : wms_exception_set(e, VIRGA_INVALID, missing, "LAYER", "LAYER is missing");
    if (!status && q->layer_count > 1) status = wms_exception_set(e, VIRGA_INVALID, "LayerNotDefined", "LAYER", "a legend is of one layer");
    if (!status) status = read_styles(q, "STYLE", style, e);
    if (!status) status = read_format(q, *format ? format : "image/png", e);
    if (!status) status = read_legend_side(q, "WIDTH", &q->width, e);
    if (!status) status = read_legend_side(q, "HEIGHT", &q->height, e);
    q->horizontal = !is_true(given(q, "VERTICAL"), true);
    q->bar_only = is_true(given(q, "COLORBARONLY"), false);
    return status ? status : read_looks(q, e);
}

// What a profile or a transect has in common with a map; the rest is whose picture it is.
static int read_section(struct wms_query *q, struct wms_exception *e) {
    static const char *const keys[] = {"LAYERS", "LAYER", "QUERY_LAYERS"};
    const char *layers = "", *format = given(q, "FORMAT"), *crs = q->version == WMS_1_3_0 ? "CRS" : "SRS";
    for (size_t n = 0; !*layers && n < sizeof keys / sizeof *keys; n++) layers = given(q, keys[n]);
    int status = *layers ? read_layers(q, "LAYERS", layers, e) : wms_exception_set(e, VIRGA_INVALID, missing, "LAYERS", "LAYERS is missing");
    if (!status) status = read_styles(q, "STYLES", given(q, "STYLES"), e);
    if (!status && q->layer_count > 1) status = wms_exception_set(e, VIRGA_INVALID, "LayerNotDefined", "LAYERS", "a profile or transect is of one layer");
    if (!status && *given(q, crs)) status = read_crs(q, e);
    else strcpy(q->crs, "CRS:84");
    if (!status && !strncasecmp(*format ? format : "image/png", "image/", 6)) status = read_format(q, *format ? format : "image/png", e);
    if (!status) status = read_side(q, "WIDTH", &q->width, e);
    if (!status) status = read_side(q, "HEIGHT", &q->height, e);
    return status ? status : read_looks(q, e);
}

int wms_query_read(const struct wms_parameters *parameters, struct wms_query *q, struct wms_exception *e) {
    static int (*const readers[])(struct wms_query *, struct wms_exception *) = {[WMS_MAP] = read_map, [WMS_FEATURE_INFO] = read_feature_info, [WMS_LEGEND] = read_legend,
                                                                                         [WMS_VERTICAL_PROFILE] = read_section, [WMS_TRANSECT] = read_section};
    *q = (struct wms_query){.version = WMS_1_3_0, .parameters = parameters};
    *e = (struct wms_exception){0};
    q->version = negotiated(given(q, "VERSION"));
    int status = read_request(q, e);
    if (!status) read_refusal(q);
    if (!status) status = read_version(q, e);
    if (!status) status = read_service(q, e);
    if (!status) status = check_refusal(q, e);
    if (!status) status = refuse_styling(q, e);
    if (!status && readers[q->request]) status = readers[q->request](q, e);
    if (!status && q->request != WMS_CAPABILITIES) status = read_dimensions(q, e);
    return !status && q->request != WMS_CAPABILITIES && q->request != WMS_FEATURE_INFO ? read_options(q, e) : status;
}
