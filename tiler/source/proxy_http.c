// SPDX-License-Identifier: Apache-2.0
#include "source/proxy_http.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t proxy_http_header(const char *text, size_t bytes) {
    const char *end = memmem(text, bytes, "\r\n\r\n", 4);
    return end ? (size_t)(end - text) + 4 : 0;
}

// One line at a time: name and value of a field, blanks cut off. False at the end, or, with *bad set, where it is no field.
struct fields { const char *at, *end; };
struct field { const char *name, *value; size_t name_length, value_length; };

static bool next_field(struct fields *f, struct field *out, bool *bad) {
    if (f->end - f->at <= 2) return false;  // the empty line
    const char *line_end = memmem(f->at, (size_t)(f->end - f->at), "\r\n", 2);
    const char *colon = line_end ? memchr(f->at, ':', (size_t)(line_end - f->at)) : NULL;
    *bad = !colon || colon == f->at;
    for (const char *c = f->at; !*bad && c < line_end; c++) {
        *bad = (*c < ' ' && *c != '\t') || *c == 0x7f;
        if (c < colon && (*c == ' ' || *c == '\t')) *bad = true;
    }
    if (*bad) return false;
    out->name = f->at;
    out->name_length = (size_t)(colon - f->at);
    out->value = colon + 1;
    while (out->value < line_end && (*out->value == ' ' || *out->value == '\t')) out->value++;
    out->value_length = (size_t)(line_end - out->value);
    f->at = line_end + 2;
    return true;
}

static bool field_is(const struct field *f, const char *name) {
    return strlen(name) == f->name_length && !strncasecmp(f->name, name, f->name_length);
}

static bool field_among(const struct field *f, const char *const *names) {
    for (; *names; names++)
        if (field_is(f, *names)) return true;
    return false;
}

static bool ends_as_data(const char *rest) {
    size_t n = strcspn(rest, "?");
    return n > 5 && !strncasecmp(rest + n - 5, ".dods", 5);
}

// The fields after the first line: nothing may say that a body follows.
static int check_request_fields(const char *at, const char *end, struct failure *failure) {
    static const char *const bodies[] = {"Content-Length", "Transfer-Encoding", "Upgrade", NULL};
    struct fields fields = {at, end};
    struct field f;
    bool bad = false;
    while (next_field(&fields, &f, &bad))
        if (field_among(&f, bodies)) return failure_set(failure, VIRGA_INVALID, "a request with a body is not sent");
    return bad ? failure_set(failure, VIRGA_INVALID, "a malformed request") : VIRGA_OK;
}

int proxy_http_parse_request(const char *header, size_t bytes, struct proxy_http_request *r, struct failure *failure) {
    static const struct { const char *name; bool tunnel, head; } methods[] = {
        {"GET ", false, false}, {"HEAD ", false, true}, {"CONNECT ", true, false}};
    const char *line_end = memmem(header, bytes, "\r\n", 2), *at = NULL;
    *r = (struct proxy_http_request){0};
    if (!line_end || memchr(header, 0, bytes)) return failure_set(failure, VIRGA_INVALID, "a malformed request");
    for (size_t i = 0; i < sizeof methods / sizeof *methods && !at; i++) {
        if (strncmp(header, methods[i].name, strlen(methods[i].name))) continue;
        at = header + strlen(methods[i].name);
        r->tunnel = methods[i].tunnel;
        r->head = methods[i].head;
    }
    if (!at) return failure_set(failure, VIRGA_INVALID, "only GET and HEAD requests are sent");
    const char *blank = memchr(at, ' ', (size_t)(line_end - at));
    if (!blank || line_end - blank != 9 || strncmp(blank, " HTTP/1.", 8) || (size_t)(blank - at) >= sizeof r->text)
        return failure_set(failure, VIRGA_INVALID, "a malformed request");
    memcpy(r->text, at, (size_t)(blank - at));
    int status = r->tunnel ? source_url_parse_host(r->text, 443, &r->url) : source_url_parse(r->text, &r->url, failure);
    if (status && r->tunnel) return failure_set(failure, status, "the address names no host and port that can be");
    if (!status && !r->tunnel && r->url.secure) return failure_set(failure, VIRGA_INVALID, "a malformed request");
    r->data = !status && ends_as_data(r->url.rest);
    return status ? status : check_request_fields(line_end + 2, header + bytes, failure);
}

struct text_out { char *at, *end; bool full; };

static void put(struct text_out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct text_out *out, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(out->at, (size_t)(out->end - out->at), format, arguments);
    va_end(arguments);
    if (n < 0 || n >= out->end - out->at) out->full = true;
    else out->at += n;
}

static void put_field(struct text_out *out, const struct field *f) {
    put(out, "%.*s: %.*s\r\n", (int)f->name_length, f->name, (int)f->value_length, f->value);
}

size_t proxy_http_write_request(const struct proxy_http_request *r, const char *header, size_t bytes, char *buffer, size_t room) {
    static const char *const kept[] = {"User-Agent", "Accept", "Accept-Encoding", "Cookie", NULL};
    struct text_out out = {buffer, buffer + room, false};
    bool colons = strchr(r->url.host, ':') != NULL, bad = false;
    struct fields fields = {(const char *)memmem(header, bytes, "\r\n", 2) + 2, header + bytes};
    struct field f;
    put(&out, "%s %s%s HTTP/1.1\r\nHost: %s%s%s", r->head ? "HEAD" : "GET", *r->url.rest == '/' ? "" : "/", r->url.rest,
        colons ? "[" : "", r->url.host, colons ? "]" : "");
    if (r->url.port != 80) put(&out, ":%d", r->url.port);
    put(&out, "\r\nConnection: close\r\n");
    while (next_field(&fields, &f, &bad))
        if (field_among(&f, kept)) put_field(&out, &f);
    put(&out, "\r\n");
    return out.full ? 0 : (size_t)(out.at - buffer);
}

// "HTTP/1.1 404 Not Found"
static bool take_status(const char *line, const char *end, struct proxy_http_response *r) {
    if (end - line < 12 || strncmp(line, "HTTP/1.", 7) || line[8] != ' ') return false;
    for (int i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9') return false;
        r->status = r->status * 10 + (line[i] - '0');
    }
    size_t n = 0;
    for (const char *c = line + 13; c < end && n + 1 < sizeof r->reason; c++) r->reason[n++] = *c < ' ' || *c > '~' ? '?' : *c;
    r->reason[n] = '\0';
    return r->status >= 100;
}

static bool take_length(const struct field *f, struct proxy_http_response *r) {
    long long length = 0;
    if (!f->value_length || f->value_length > 18) return false;
    for (size_t i = 0; i < f->value_length; i++) {
        if (f->value[i] < '0' || f->value[i] > '9') return false;
        length = length * 10 + (f->value[i] - '0');
    }
    bool same = r->length < 0 || r->length == length;
    r->length = length;
    return same;
}

int proxy_http_take_response(const char *header, size_t bytes, struct proxy_http_response *r, char *buffer, size_t room,
                             size_t *out_bytes, struct failure *failure) {
    static const char *const dropped[] = {"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Upgrade",
                                          "Alt-Svc", NULL};
    const char *line_end = memmem(header, bytes, "\r\n", 2);
    struct text_out out = {buffer, buffer + room, false};
    struct field f;
    bool bad = false;
    *r = (struct proxy_http_response){.length = -1};
    if (!line_end || memchr(header, 0, bytes) || !take_status(header, line_end, r))
        return failure_set(failure, VIRGA_INVALID, "the answer is no HTTP");
    struct fields fields = {line_end + 2, header + bytes};
    put(&out, "HTTP/1.1 %03d %s\r\n", r->status, r->reason);
    while (next_field(&fields, &f, &bad)) {
        if (field_is(&f, "Content-Length") && !take_length(&f, r))
            return failure_set(failure, VIRGA_INVALID, "the answer's Content-Length is no number");
        if (!field_among(&f, dropped)) put_field(&out, &f);
    }
    if (bad) return failure_set(failure, VIRGA_INVALID, "the answer's header is malformed");
    put(&out, "Connection: close\r\n\r\n");
    *out_bytes = (size_t)(out.at - buffer);
    return out.full ? failure_set(failure, VIRGA_INVALID, "the answer's header is too long") : VIRGA_OK;
}
