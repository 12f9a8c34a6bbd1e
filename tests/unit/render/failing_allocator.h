// SPDX-License-Identifier: Apache-2.0
// malloc and its kin replaced by ones that fail on command, for a test program of one file that includes this once. Not under
// sanitizers, whose allocator cannot be replaced. Single-threaded tests only.
#ifndef VIRGA_TESTS_FAILING_ALLOCATOR_H
#define VIRGA_TESTS_FAILING_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

static long room = -1;       // allocations until all further ones fail; negative: none does
static bool once;            // … until a single one does
static size_t counted_from;  // bytes from which an allocation counts
static long live;

static bool fails(size_t size) {
    if (size < counted_from || room < 0) return false;
    if (room == 0) {
        if (once) room = -1;
        return true;
    }
    room--;
    return false;
}

static void *counted(void *memory) {
    if (memory) live++;
    return memory;
}

#define REPLACES __attribute__((visibility("default")))
REPLACES void *malloc(size_t size) { return fails(size) ? NULL : counted(__libc_malloc(size)); }
REPLACES void *calloc(size_t count, size_t size) { return fails(count * size) ? NULL : counted(__libc_calloc(count, size)); }
REPLACES void *realloc(void *memory, size_t size) {
    if (!memory) return malloc(size);
    return fails(size) ? NULL : __libc_realloc(memory, size);
}
REPLACES void free(void *memory) {
    if (memory) live--;
    __libc_free(memory);
}

#endif
