// SPDX-License-Identifier: Apache-2.0
#include "server/condemned_files.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/write_all.h"

enum { MOST = 1024 };

static const char name[] = "condemned.json";

static json_t *entry_json(const struct source_condemnation *c) {
    char identity[80];
    snprintf(identity, sizeof identity, "%llx-%llx-%llx-%llx", (unsigned long long)c->identity.device,
             (unsigned long long)c->identity.inode, (unsigned long long)c->identity.size, (unsigned long long)c->identity.mtime_ns);
    return json_pack("{s:s, s:i, s:s}", "identity", identity, "status", c->status, "words", c->words);
}

static bool entry_read(const json_t *entry, struct source_condemnation *c) {
    const char *identity = json_string_value(json_object_get(entry, "identity")), *words = json_string_value(json_object_get(entry, "words"));
    unsigned long long part[4];
    json_int_t status = json_integer_value(json_object_get(entry, "status"));
    if (!identity || !words || status >= VIRGA_AGAIN || status < VIRGA_INTERNAL) return false;
    if (sscanf(identity, "%llx-%llx-%llx-%llx", &part[0], &part[1], &part[2], &part[3]) != 4) return false;
    *c = (struct source_condemnation){.identity = {part[0], part[1], part[2], (int64_t)part[3]}, .status = (int)status};
    snprintf(c->words, sizeof c->words, "%s", words);
    return true;
}

void condemned_files_load(struct source_pool *pool, const char *state_dir) {
    char path[4300];
    snprintf(path, sizeof path, "%s/%s", state_dir, name);
    json_t *root = json_load_file(path, 0, NULL);
    const char *version = json_string_value(json_object_get(root, "version"));  // another may read what this one could not
    const json_t *files = version && !strcmp(version, VIRGA_VERSION) ? json_object_get(root, "files") : NULL;
    size_t count = json_array_size(files), kept = 0;
    if (count > MOST) count = MOST;
    struct source_condemnation *list = count ? calloc(count, sizeof *list) : NULL;
    for (size_t i = 0; list && i < count; i++) kept += entry_read(json_array_get(files, i), &list[kept]);
    if (list) source_pool_load_condemned(pool, list, kept);
    free(list);
    json_decref(root);
}

static int write_whole(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    int error = write_all(fd, text, strlen(text));
    if (!error && fsync(fd)) error = errno;
    close(fd);
    return error;
}

int condemned_files_save(struct source_pool *pool, const char *state_dir, struct failure *failure) {
    char path[4300], part[4310];
    struct source_condemnation *list = calloc(MOST, sizeof *list);
    json_t *files = json_array(), *root = json_pack("{s:s, s:o}", "version", VIRGA_VERSION, "files", files);
    size_t count = list ? source_pool_save_condemned(pool, list, MOST) : 0;
    for (size_t i = 0; root && i < count; i++) json_array_append_new(files, entry_json(&list[i]));
    char *text = list && root ? json_dumps(root, JSON_INDENT(1)) : NULL;
    free(list);
    json_decref(root);
    if (!text) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    snprintf(path, sizeof path, "%s/%s", state_dir, name);
    snprintf(part, sizeof part, "%s.part", path);
    int error = write_whole(part, text);
    if (!error && rename(part, path)) error = errno;
    if (error) unlink(part);
    free(text);
    return error ? failure_set(failure, VIRGA_IO, "cannot write %s: %s", path, strerror(error)) : VIRGA_OK;
}
