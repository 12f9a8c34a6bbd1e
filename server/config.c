// SPDX-License-Identifier: Apache-2.0
#include "server/config.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/config_private.h"
#include "source/source_address.h"

enum { FLAG_STEP = INT_MAX };

const char *config_key_name(enum config_key key) { return config_setting_of(key)->name; }

// Index of a key's name; '_' counts as '-'. CONFIG_KEY_COUNT when there is none.
static enum config_key find_key(const char *name) {
    for (enum config_key k = 0; k < CONFIG_KEY_COUNT; k++) {
        const char *a = config_setting_of(k)->name, *b = name;
        while (*a && (*a == *b || (*a == '-' && *b == '_'))) a++, b++;
        if (!*a && !*b) return k;
    }
    return CONFIG_KEY_COUNT;
}

// Puts a value in force for a step; `origin` says where it stands, for messages and for people.
static int set_from(struct config *config, enum config_key key, const char *value, int step, const char *origin,
                    struct failure *failure) {
    if (config->step[key] != step) config_clear_list(config, key);
    config->step[key] = step;
    const char *allowed = config_set_value(config, key, value);
    if (allowed)
        return failure_set(failure, VIRGA_INVALID, "%s: %s = \"%s\" is not acceptable; it must be %s", origin,
                           config_setting_of(key)->name, value, allowed);
    snprintf(config->origin[key], sizeof config->origin[key], "%s", origin);
    return VIRGA_OK;
}

int config_set(struct config *config, const char *name, const char *value, struct failure *failure) {
    enum config_key key = find_key(name);
    if (key == CONFIG_KEY_COUNT) return failure_set(failure, VIRGA_INVALID, "there is no setting \"%s\"", name);
    char origin[64];
    snprintf(origin, sizeof origin, key == CONFIG_PATHS ? "command line" : "--%s", config_setting_of(key)->name);
    return set_from(config, key, value, FLAG_STEP, origin, failure);
}

// One file being read: inih gives neither line numbers nor a reason, so lines are counted as it asks for them.
struct config_file {
    struct config *config;
    FILE *stream;
    const char *path;
    int line, step;
    struct failure failure;
};

static char *next_line(char *text, int room, void *user) {
    struct config_file *file = user;
    if (!fgets(text, room, file->stream)) return NULL;
    file->line++;
    if (!strchr(text, '\n') && !feof(file->stream) && !file->failure.status)
        failure_set(&file->failure, VIRGA_INVALID, "%s:%d: the line is longer than %d characters", file->path, file->line,
                    room - 2);
    return file->failure.status ? NULL : text;
}

static int take_value(void *user, const char *section, const char *name, const char *value) {
    struct config_file *file = user;
    char origin[sizeof file->config->origin[0]];
    snprintf(origin, sizeof origin, "%s:%d", file->path, file->line);
    if (file->failure.status) return 0;
    enum config_key key = find_key(name);
    if (*section && strcmp(section, "virga"))
        failure_set(&file->failure, VIRGA_INVALID, "%s: there is no section [%s]; settings stand before any section or in [virga]",
                    origin, section);
    else if (key == CONFIG_KEY_COUNT)
        failure_set(&file->failure, VIRGA_INVALID, "%s: there is no setting \"%s\"; `virga serve --check` lists them all", origin,
                    name);
    else
        set_from(file->config, key, value, file->step, origin, &file->failure);
    return !file->failure.status;
}

int config_read_file(struct config *config, const char *path, struct failure *failure) {
    struct config_file file = {.config = config, .path = path, .step = ++config->steps};
    file.stream = fopen(path, "re");
    if (!file.stream) {
        int status = errno == ENOENT ? VIRGA_NOT_FOUND : VIRGA_IO;
        return failure_set(failure, status, "cannot read the configuration file %s: %s", path, strerror(errno));
    }
    int bad_line = ini_parse_stream(next_line, &file, take_value, &file);
    if (!file.failure.status && ferror(file.stream))
        failure_set(&file.failure, VIRGA_IO, "cannot read the configuration file %s: %s", path, strerror(errno));
    if (!file.failure.status && bad_line)
        failure_set(&file.failure, VIRGA_INVALID, "%s:%d: expected \"key = value\"", path, bad_line);
    fclose(file.stream);
    if (file.failure.status && failure) *failure = file.failure;
    return file.failure.status;
}

// Bytes up to the colon that ends a path of a list: an address has colons of its own.
static size_t path_length(const char *list) {
    size_t n = source_address_length(list);
    return n ? n : strcspn(list, ":");
}

static size_t product_length(const char *list) { return strcspn(list, ";"); }

// A list in the environment: parts between colons, as in a shell's path, or between semicolons.
static int set_list(struct config *config, enum config_key key, const char *value, int step, struct failure *failure) {
    char *copy = strdup(value);
    int status = copy ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (char *part = copy, *next; status == VIRGA_OK && part; part = next) {
        part += strspn(part, key == CONFIG_PATHS ? "" : " ");
        size_t n = key == CONFIG_PATHS ? path_length(part) : product_length(part);
        next = part[n] ? part + n + 1 : NULL;
        part[n] = '\0';
        status = set_from(config, key, part, step, config_setting_of(key)->variable, failure);
    }
    free(copy);
    return status;
}

int config_read_environment(struct config *config, struct failure *failure) {
    int status = VIRGA_OK, step = ++config->steps;
    for (enum config_key k = 0; k < CONFIG_KEY_COUNT && status == VIRGA_OK; k++) {
        const struct config_setting *setting = config_setting_of(k);
        const char *value = getenv(setting->variable);
        if (!value || !*value) continue;
        status = setting->kind == SETTING_LINES ? set_list(config, k, value, step, failure) : set_from(config, k, value, step, setting->variable, failure);
    }
    return status;
}

// Reads a file that need not be there.
static int read_if_there(struct config *config, const char *path, struct failure *failure) {
    return access(path, F_OK) ? VIRGA_OK : config_read_file(config, path, failure);
}

int config_read_all(struct config *config, const char *file, struct failure *failure) {
    char path[4096];
    const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME"), *named = getenv("VIRGA_CONFIG");
    int status;
    if (!file && named && *named) file = named;
    if (file) {
        status = config_read_file(config, file, failure);
    } else {
        status = read_if_there(config, "/etc/virga/virga.ini", failure);
        if (folder && *folder) snprintf(path, sizeof path, "%s/virga/virga.ini", folder);
        else snprintf(path, sizeof path, "%s/.config/virga/virga.ini", home ? home : "");
        if (status == VIRGA_OK) status = read_if_there(config, path, failure);
    }
    return status == VIRGA_OK ? config_read_environment(config, failure) : status;
}

// The folder that holds this program.
static bool program_folder(char *folder, size_t room) {
    ssize_t length = readlink("/proc/self/exe", folder, room - 1);
    if (length <= 0) return false;
    folder[length] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash) *slash = '\0';
    return slash != NULL;
}

// The first of `folder`/`places` that exists goes to `found`, else the first of all.
static void find_beside(char *found, size_t room, const char *folder, const char *const *places, const char *file) {
    char path[8192];
    for (int i = 0; places[i]; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", folder, places[i], file);
        if (access(path, R_OK) == 0) {
            snprintf(found, room, "%s/%s", folder, places[i]);
            return;
        }
    }
    snprintf(found, room, "%s/%s", folder, places[0]);
}

static void default_programs(struct config *config) {
    static const char *const web[] = {"../web", "../share/virga/web", NULL};
    static const char *const reader[] = {".", "../libexec/virga", "../lib/virga", NULL};
    char folder[4096], found[8192], page[8192];
    if (!program_folder(folder, sizeof folder)) strcpy(folder, ".");
    find_beside(found, sizeof found, folder, reader, "virga-reader");
    snprintf(page, sizeof page, "%.4000s/virga-reader", found);
    config_copy_text(config->reader, sizeof config->reader, page);
    find_beside(found, sizeof found, folder, web, "index.html");
    snprintf(page, sizeof page, "%.4000s/index.html", found);
    if (access(page, R_OK)) {  // built out of the tree: the page stands beside this source
        snprintf(found, sizeof found, "%s", __FILE__);
        char *slash = strrchr(found, '/');
        snprintf(slash ? slash : found, slash ? sizeof found - (size_t)(slash - found) : sizeof found, "/../web");
    }
    char *real = realpath(found, NULL);
    config_copy_text(config->web_root, sizeof config->web_root, real ? real : found);
    free(real);
    real = realpath(config->reader, NULL);
    if (real) config_copy_text(config->reader, sizeof config->reader, real);
    free(real);
}

// Of the folder of a build, else of an installation. What the path of an environment's Python leads to is another one: no link is followed.
static void default_engine(struct config *config) {
    static const char *const places[] = {"../engine/bin", "../lib/virga/engine/bin", NULL};
    char folder[4096], found[8192], path[sizeof config->engine_python];
    if (!program_folder(folder, sizeof folder)) strcpy(folder, ".");
    find_beside(found, sizeof found, folder, places, "python3");
    char *real = realpath(found, NULL);
    int size = snprintf(path, sizeof path, "%s/python3", real ? real : found);
    if (size > 0 && (size_t)size < sizeof path) config_copy_text(config->engine_python, sizeof config->engine_python, path);
    free(real);
}

static void default_state(struct config *config) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && *state == '/') snprintf(config->state_dir, sizeof config->state_dir, "%s/virga", state);
    else if (home && *home) snprintf(config->state_dir, sizeof config->state_dir, "%s/.local/state/virga", home);
    else snprintf(config->state_dir, sizeof config->state_dir, "/tmp/virga-%u", (unsigned)getuid());
}

void config_defaults(struct config *config) {
    *config = (struct config){.listen_host = "127.0.0.1", .listen_port = 8080, .base_path = "/",
                              .cache_memory = (size_t)256 << 20, .spool_limit = (size_t)8 << 30, .max_connections = 1024,
                              .idle_seconds = 600, .drain_seconds = 10, .message_rate = 60, .export_jobs = 1, .export_queue = 32, .export_frames = 5000,
                              .export_size = {3840, 2160}, .export_disk = (size_t)20 << 30, .export_keep = 7 * 86400,
                              .map_memory = (size_t)256 << 20, .map_max_size = 4096,
                              .scan_seconds = 30, .settle_seconds = 5, .relist_seconds = 300,
                              .engine = "none", .engine_socket = -1, .engine_idle = 600, .engine_memory = (size_t)4 << 30,
                              .anonymous_views = true, .auth_header = "x-forwarded-user", .auth_role = ACCESS_FORECASTER, .auth_hub_service = "virga", .log_level = LOG_LEVEL_INFO};
    cpu_set_t set;
    int processors = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    config->workers = processors < 1 ? 1 : processors > 256 ? 256 : processors;
    config->readers = config->workers < 4 ? config->workers : 4;
    default_state(config);
    default_programs(config);
    default_engine(config);
    for (enum config_key k = 0; k < CONFIG_KEY_COUNT; k++) strcpy(config->origin[k], "default");
}

char *config_to_text(const struct config *config) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    for (enum config_key k = 0; k < CONFIG_KEY_COUNT; k++) {
        size_t i = 0, count;
        char *const *lines = config_lines(config, k, &count);
        do {
            fprintf(out, "%s = ", config_setting_of(k)->name);
            if (count) fputs(lines[i], out);
            config_print_value(out, config, k);
            fprintf(out, "  ; %s\n", config->origin[k]);
        } while (++i < count);
    }
    if (fclose(out) == 0) return text;
    free(text);
    return NULL;
}

void config_destroy(struct config *config) {
    config_clear_list(config, CONFIG_ENGINE_PRODUCT);
    config_clear_list(config, CONFIG_PATHS);
}
