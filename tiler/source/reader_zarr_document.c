// SPDX-License-Identifier: Apache-2.0
#include "source/reader_zarr_document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_BYTES = 8 << 20, MOST_NUMBERS = 65536, MOST_TEXT = 1 << 18 };

static int read_whole(int fd, size_t size, char *text) {
    for (size_t at = 0; at < size;) {
        ssize_t n = read(fd, text + at, size - at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return VIRGA_IO;
        at += (size_t)n;
    }
    return VIRGA_OK;
}

// Copies JSON text with the bare words NaN, Infinity and -Infinity replaced by null. out: twice the size.
static size_t without_bare_words(const char *text, size_t size, char *out) {
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    size_t length = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        size_t skip = 0;
        if (text[i] == '"') quoted = !quoted;
        for (size_t w = 0; !quoted && !skip && w < sizeof words / sizeof *words; w++) {
            size_t n = strlen(words[w]);
            if (size - i >= n && !memcmp(text + i, words[w], n)) skip = n;
        }
        if (skip) {
            memcpy(out + length, "null", 4);
            length += 4;
            i += skip - 1;
            continue;
        }
        out[length++] = text[i];
        if (quoted && text[i] == '\\' && i + 1 < size) out[length++] = text[++i];
    }
    return length;
}

int reader_zarr_document_parse(const char *text, size_t size, const char *name, json_t **document, struct failure *failure) {
    json_error_t error;
    *document = NULL;
    char *clean = malloc(2 * size + 1);
    if (!clean) return failure_set(failure, VIRGA_TOO_LARGE, "%s: out of memory", name);
    size_t length = without_bare_words(text, size, clean);
    *document = json_loadb(clean, length, 0, &error);
    if (!*document) *document = json_loadb(clean, length, JSON_DECODE_INT_AS_REAL, &error);  // for numbers beyond 63 bits
    free(clean);
    if (!*document) return failure_set(failure, VIRGA_UNREADABLE, "%s: is not JSON: line %d: %s", name, error.line, error.text);
    if (json_is_object(*document)) return VIRGA_OK;
    json_decref(*document);
    *document = NULL;
    return failure_set(failure, VIRGA_UNREADABLE, "%s: is no JSON object", name);
}

int reader_zarr_document(const char *path, const char *name, json_t **document, struct failure *failure) {
    struct stat s;
    *document = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == EMFILE) return failure_set(failure, VIRGA_TOO_LARGE, "it has more documents than are read");
    if (fd < 0) return failure_set(failure, VIRGA_NOT_FOUND, "%s: is not there", name);
    int status = fstat(fd, &s) ? failure_set(failure, VIRGA_IO, "%s: %s", name, strerror(errno)) : VIRGA_OK;
    if (!status && !S_ISREG(s.st_mode)) status = failure_set(failure, VIRGA_UNREADABLE, "%s: is not a file", name);
    if (!status && s.st_size > MOST_BYTES) status = failure_set(failure, VIRGA_TOO_LARGE, "%s: is larger than %d MiB", name, MOST_BYTES >> 20);
    char *text = status ? NULL : malloc((size_t)s.st_size + 1);
    if (!status && !text) status = failure_set(failure, VIRGA_TOO_LARGE, "%s: out of memory", name);
    if (!status && read_whole(fd, (size_t)s.st_size, text)) status = failure_set(failure, VIRGA_IO, "%s: cannot be read", name);
    if (!status) status = reader_zarr_document_parse(text, (size_t)s.st_size, name, document, failure);
    free(text);
    close(fd);
    return status;
}

static int text_attribute(const char *text, enum source_type type, struct arena *arena, struct source_attribute *a) {
    size_t length = strlen(text);
    if (length > MOST_TEXT) return VIRGA_UNSUPPORTED;
    a->type = type;
    a->count = length;
    a->text = arena_text(arena, text, length);
    return a->text ? VIRGA_OK : VIRGA_NO_MEMORY;
}

static bool all_integers(const json_t *list) {
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
        if (!json_is_integer(item) && !json_is_boolean(item)) return false;
    return true;
}

static int number_attribute(const json_t *list, struct arena *arena, struct source_attribute *a) {
    size_t i, count = json_array_size(list);
    json_t *item;
    bool integers = all_integers(list);
    if (!count || count > MOST_NUMBERS) return VIRGA_UNSUPPORTED;
    a->type = integers ? SOURCE_I64 : SOURCE_F64;
    a->count = count;
    a->numbers = arena_new(arena, count, sizeof *a->numbers);
    a->integers = integers ? arena_new(arena, count, sizeof *a->integers) : NULL;
    if (!a->numbers || (integers && !a->integers)) return VIRGA_NO_MEMORY;
    json_array_foreach(list, i, item) {
        if (!json_is_number(item) && !json_is_boolean(item)) return VIRGA_UNSUPPORTED;
        a->numbers[i] = json_is_boolean(item) ? json_is_true(item) : json_number_value(item);
        if (integers) a->integers[i] = json_is_boolean(item) ? json_is_true(item) : json_integer_value(item);
    }
    return VIRGA_OK;
}

int reader_zarr_attribute(const char *name, const json_t *value, struct arena *arena, struct source_attribute *a) {
    *a = (struct source_attribute){.name = arena_text(arena, name, strlen(name))};
    if (!a->name) return VIRGA_NO_MEMORY;
    if (json_is_string(value)) return text_attribute(json_string_value(value), SOURCE_CHAR, arena, a);
    if (json_is_array(value)) {
        const json_t *first = json_array_get(value, 0);
        if (json_is_string(first)) return text_attribute(json_string_value(first), SOURCE_STRING, arena, a);
        return number_attribute(value, arena, a);
    }
    if (!json_is_number(value) && !json_is_boolean(value)) return VIRGA_UNSUPPORTED;
    json_t *list = json_pack("[O]", value);
    int status = list ? number_attribute(list, arena, a) : VIRGA_NO_MEMORY;
    json_decref(list);
    return status;
}
