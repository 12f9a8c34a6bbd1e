// SPDX-License-Identifier: Apache-2.0
#include "render/document.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

int document_load(const char *what, const char *json, size_t n, size_t most, json_t **value, struct failure *failure)
{
    *value = NULL;
    if (n > most)
        return failure_set(failure, VIRGA_INVALID, "%s: longer than %zu bytes", what, most);
    json_error_t error;
    // Integers as reals, so that 1 and 1.0 are the same number, as in the page.
    *value = json_loadb(json, n, JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY, &error);
    if (*value)
        return VIRGA_OK;
    if (json_error_code(&error) == json_error_out_of_memory)
        return failure_set(failure, VIRGA_NO_MEMORY, "%s: out of memory", what);
    utf8_clean(error.text);
    return failure_set(failure, VIRGA_INVALID, "%s: not JSON (line %d, column %d: %s)", what, error.line, error.column, error.text);
}

int document_wrong(struct document *document, const char *format, ...)
{
    char problem[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem, sizeof problem, format, arguments);
    va_end(arguments);
    return failure_set(document->failure, VIRGA_INVALID, "%s: %s", document->path, problem);
}

size_t document_enter(struct document *document, const char *name)
{
    size_t length = strlen(document->path);
    snprintf(document->path + length, sizeof document->path - length, "%s%s", length > 0 ? "." : "", name);
    return length;
}

size_t document_enter_index(struct document *document, size_t index)
{
    size_t length = strlen(document->path);
    snprintf(document->path + length, sizeof document->path - length, "[%zu]", index);
    return length;
}

void document_leave(struct document *document, size_t length)
{
    document->path[length] = '\0';
}

int document_member(struct document *document, const json_t *object, const char *name, bool required, document_check *check, void *out)
{
    const json_t *value = json_object_get(object, name);
    if (!value && !required)
        return VIRGA_OK;
    size_t length = document_enter(document, name);
    int status = value ? check(document, value, out) : document_wrong(document, "missing");
    if (status == VIRGA_OK)
        document_leave(document, length);
    return status;
}

int document_no_others(struct document *document, const json_t *object, const char *const *names)
{
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        size_t i = 0;
        while (names[i] && strcmp(names[i], key) != 0)
            i++;
        if (names[i])
            continue;
        char clean[64];
        snprintf(clean, sizeof clean, "%s", key);
        utf8_clean(clean);
        document_enter(document, clean);
        return document_wrong(document, "unknown field");
    }
    return VIRGA_OK;
}

int document_object(struct document *document, const json_t *value)
{
    return json_is_object(value) ? VIRGA_OK : document_wrong(document, "expected an object");
}

int document_list(struct document *document, const json_t *value, size_t least, size_t most)
{
    if (!json_is_array(value))
        return document_wrong(document, "expected a list");
    size_t count = json_array_size(value);
    if (count >= least && count <= most)
        return VIRGA_OK;
    return least == most ? document_wrong(document, "expected %zu entries", least)
                         : document_wrong(document, "expected %zu to %zu entries", least, most);
}

int document_number(struct document *document, const json_t *value, double least, double most, double *out)
{
    if (!json_is_number(value) || !isfinite(json_number_value(value)))
        return document_wrong(document, "expected a number");
    *out = json_number_value(value);
    if (*out < least || *out > most)
        return document_wrong(document, "expected a number from %.15g to %.15g", least, most);
    return VIRGA_OK;
}

int document_whole(struct document *document, const json_t *value, unsigned least, unsigned most, unsigned *out)
{
    double number = json_is_number(value) ? json_number_value(value) : NAN;
    if (!isfinite(number) || number != floor(number))
        return document_wrong(document, "expected a whole number");
    if (number < least || number > most)
        return document_wrong(document, "expected a whole number from %u to %u", least, most);
    *out = (unsigned)number;
    return VIRGA_OK;
}

int document_bool(struct document *document, const json_t *value, void *out)
{
    if (!json_is_boolean(value))
        return document_wrong(document, "expected true or false");
    *(bool *)out = json_is_true(value);
    return VIRGA_OK;
}

int document_text(struct document *document, const json_t *value, char *out, size_t room, int (*allowed)(int), const char *extra,
                  const char *words)
{
    if (!json_is_string(value))
        return document_wrong(document, "expected text");
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    if (length < 1 || length >= room)
        return document_wrong(document, "expected 1 to %zu bytes of text", room - 1);
    for (const char *c = text; allowed && *c; c++)
        if (!((unsigned char)*c < 128 && allowed((unsigned char)*c)) && !strchr(extra, *c))
            return document_wrong(document, "expected %s", words);
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 32)
            return document_wrong(document, "expected text without control characters");
    memcpy(out, text, length + 1);
    return VIRGA_OK;
}
