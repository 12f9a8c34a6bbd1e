// SPDX-License-Identifier: Apache-2.0
#include "server/xml_writer.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { DEEPEST = 32 };

struct xml_writer {
    FILE *out;
    char *text;
    size_t size;
    const char *open[DEEPEST];
    size_t depth;
    bool in_tag;  // the last element's tag is not closed yet
    bool broken;
};

struct xml_writer *xml_writer_new(const char *prologue) {
    struct xml_writer *xml = calloc(1, sizeof *xml);
    if (xml && !(xml->out = open_memstream(&xml->text, &xml->size))) {
        free(xml);
        return NULL;
    }
    if (xml) fprintf(xml->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n%s", prologue ? prologue : "");
    return xml;
}

char *xml_writer_end(struct xml_writer *xml, size_t *size) {
    if (!xml) return NULL;
    while (xml->depth) xml_close(xml);
    fputc('\n', xml->out);
    bool failed = xml->broken || ferror(xml->out);
    failed |= fclose(xml->out) != 0;
    char *text = xml->text;
    if (size) *size = xml->size;
    free(xml);
    if (!failed) return text;
    free(text);
    return NULL;
}

static void end_tag(struct xml_writer *xml) {
    if (xml->in_tag) fputc('>', xml->out);
    xml->in_tag = false;
}

void xml_open(struct xml_writer *xml, const char *name) {
    if (!xml) return;
    if (xml->depth == DEEPEST) {
        xml->broken = true;
        return;
    }
    end_tag(xml);
    fprintf(xml->out, "<%s", name);
    xml->open[xml->depth++] = name;
    xml->in_tag = true;
}

void xml_close(struct xml_writer *xml) {
    if (!xml || !xml->depth) return;
    const char *name = xml->open[--xml->depth];
    if (xml->in_tag) fputs("/>", xml->out);
    else fprintf(xml->out, "</%s>", name);
    xml->in_tag = false;
}

// Control characters but tab and line ends, and U+FFFE and U+FFFF, are no characters of XML 1.0.
static bool is_character(const char *at, size_t length) {
    const unsigned char *c = (const unsigned char *)at;
    if (length == 1) return *c >= 0x20 ? *c != 0x7f : *c == '\t' || *c == '\n' || *c == '\r';
    return !(length == 3 && c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe);
}

static void escape(FILE *out, const char *text) {
    while (*text) {
        size_t length = utf8_length(text);
        bool good = length && is_character(text, length);
        if (!good) fputc('?', out);
        else if (*text == '<') fputs("&lt;", out);
        else if (*text == '>') fputs("&gt;", out);
        else if (*text == '&') fputs("&amp;", out);
        else if (*text == '"') fputs("&quot;", out);
        else if (*text == '\n' || *text == '\t' || *text == '\r') fprintf(out, "&#%d;", *text);
        else fwrite(text, 1, length, out);
        text += length ? length : 1;
    }
}

void xml_attribute(struct xml_writer *xml, const char *name, const char *value) {
    if (!xml || !xml->in_tag) return;
    fprintf(xml->out, " %s=\"", name);
    escape(xml->out, value);
    fputc('"', xml->out);
}

const char *xml_number_text(double value, char text[XML_NUMBER]) {
    if (!isfinite(value)) value = 0;
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, XML_NUMBER, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;  // NOLINT: the same number is meant
    }
    if (strchr(text, 'e') && fabs(value) < 1e15 && fabs(value) >= 1) snprintf(text, XML_NUMBER, "%.0f", value);
    return text;
}

void xml_attribute_number(struct xml_writer *xml, const char *name, double value) {
    char text[XML_NUMBER];
    xml_attribute(xml, name, xml_number_text(value, text));
}

void xml_write(struct xml_writer *xml, const char *text) {
    if (!xml) return;
    end_tag(xml);
    escape(xml->out, text);
}

void xml_text(struct xml_writer *xml, const char *name, const char *text) {
    xml_open(xml, name);
    if (text) xml_write(xml, text);
    xml_close(xml);
}

void xml_number(struct xml_writer *xml, const char *name, double value) {
    char text[XML_NUMBER];
    xml_text(xml, name, xml_number_text(value, text));
}
