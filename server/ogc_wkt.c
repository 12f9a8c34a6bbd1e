// SPDX-License-Identifier: Apache-2.0
#include "server/ogc_wkt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

enum { NUMBER_TEXT = 40 };  // characters of a number: more than any that is meant

struct reader {
    const char *at;
    struct ogc_wkt *wkt;
    size_t most, room;
    struct failure *failure;
};

static void skip_space(struct reader *r) {
    while (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r') r->at++;
}

static bool take(struct reader *r, char c) {
    skip_space(r);
    if (*r->at != c) return false;
    r->at++;
    return true;
}

static int expected(const struct reader *r, const char *what) {
    if (!*r->at) return failure_set(r->failure, VIRGA_INVALID, "the geometry ends where %s should follow", what);
    return failure_set(r->failure, VIRGA_INVALID, "in the geometry %s should stand before \"%.20s\"", what, r->at);
}

// A word of letters that ends at something else.
static bool take_word(struct reader *r, const char *word) {
    size_t length = strlen(word);
    if (strncasecmp(r->at, word, length)) return false;
    r->at += length;
    return true;
}

static int read_kind(struct reader *r) {
    static const struct { const char *word; enum ogc_wkt_kind kind; } kinds[] = {
        {"POINT", OGC_WKT_POINT}, {"MULTIPOINT", OGC_WKT_MULTIPOINT}, {"LINESTRING", OGC_WKT_LINESTRING}};
    skip_space(r);
    for (size_t n = 0; n < sizeof kinds / sizeof *kinds; n++) {
        if (!take_word(r, kinds[n].word)) continue;
        r->wkt->kind = kinds[n].kind;
        skip_space(r);
        r->wkt->has_z = take_word(r, "Z");
        r->wkt->has_m = take_word(r, "M");
        skip_space(r);
        return *r->at == '(' ? VIRGA_OK : expected(r, "\"(\"");
    }
    return expected(r, "POINT, MULTIPOINT or LINESTRING");
}

// No more than decimal digits, sign, point and exponent: strtod knows more.
static int read_number(struct reader *r, double *number) {
    char text[NUMBER_TEXT], *end;
    skip_space(r);
    size_t length = strspn(r->at, "+-.0123456789eE");
    if (!length || length >= sizeof text) return expected(r, "a number");
    memcpy(text, r->at, length);
    text[length] = '\0';
    *number = strtod(text, &end);
    if (*end || !isfinite(*number)) return expected(r, "a number");
    r->at += length;
    return VIRGA_OK;
}

static int add_place(struct reader *r, const struct ogc_wkt_place *place) {
    struct ogc_wkt *wkt = r->wkt;
    if (wkt->count == r->most) return failure_set(r->failure, VIRGA_TOO_LARGE, "the geometry has more than %zu places: ask for fewer", r->most);
    struct ogc_wkt_place *more = memory_one_more(wkt->places, wkt->count, &r->room, sizeof *more);
    if (!more) return failure_set(r->failure, VIRGA_NO_MEMORY, "out of memory");
    wkt->places = more;
    wkt->places[wkt->count++] = *place;
    return VIRGA_OK;
}

static int read_place(struct reader *r) {
    struct ogc_wkt_place place = {.z = NAN, .m = NAN};
    int status = read_number(r, &place.x);
    if (!status) status = read_number(r, &place.y);
    if (!status && r->wkt->has_z) status = read_number(r, &place.z);
    if (!status && r->wkt->has_m) status = read_number(r, &place.m);
    return status ? status : add_place(r, &place);
}

// Points of a MULTIPOINT may each stand in parentheses of their own.
static int read_member(struct reader *r) {
    bool wrapped = r->wkt->kind == OGC_WKT_MULTIPOINT && take(r, '(');
    int status = read_place(r);
    return status || !wrapped || take(r, ')') ? status : expected(r, "\")\"");
}

static int read_places(struct reader *r) {
    int status = take(r, '(') ? read_member(r) : expected(r, "\"(\"");
    while (!status && r->wkt->kind != OGC_WKT_POINT && take(r, ',')) status = read_member(r);
    if (!status && !take(r, ')')) return expected(r, r->wkt->kind == OGC_WKT_POINT ? "\")\"" : "\",\" or \")\"");
    skip_space(r);
    if (!status && *r->at) return expected(r, "the end");
    if (!status && r->wkt->kind == OGC_WKT_LINESTRING && r->wkt->count < 2) return failure_set(r->failure, VIRGA_INVALID, "a line needs two places at least");
    return status;
}

int ogc_wkt_parse(const char *text, size_t most, struct ogc_wkt *wkt, struct failure *failure) {
    struct reader r = {.at = text, .wkt = wkt, .most = most, .failure = failure};
    *wkt = (struct ogc_wkt){0};
    int status = read_kind(&r);
    if (!status) status = read_places(&r);
    if (status) ogc_wkt_destroy(wkt);
    return status;
}

void ogc_wkt_destroy(struct ogc_wkt *wkt) {
    free(wkt->places);
    *wkt = (struct ogc_wkt){0};
}
