// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/app.h"
#include "server/command_line.h"
#include "server/commands.h"
#include "server/web_server.h"
#include "source/source_selftest.h"

static const char help[] =
    "Usage: virga serve [OPTION…] [PATH…]\n"
    "\n"
    "Shows forecast files in the browser. A PATH is a netCDF or GRIB file, the folder of a\n"
    "Zarr store, any other folder (with all that is below it), a glob in quotes, or the\n"
    "http address of a dataset behind OPeNDAP whose host --opendap-hosts names; or, for the\n"
    "engine, zarr:PATH, xarray:, grib:, iris:, kerchunk:, published:NAME, s3://… and the like.\n"
    "Files of one model run, split by time or by variable, become one dataset; files that\n"
    "differ in reference time are its runs.\n"
    "Without PATH, those of the configuration are shown. Ctrl-C stops cleanly; SIGHUP reads\n"
    "the configuration again.\n"
    "\n"
    "  -l, --listen HOST:PORT   where to listen (127.0.0.1:8080); port 0 picks a free one\n"
    "                           and prints it\n"
    "      --base-path PATH     the URL prefix behind a proxy (/)\n"
    "      --state DIR          what must outlive a restart, and temporary files\n"
    "                           ($XDG_STATE_HOME/virga or ~/.local/state/virga)\n"
    "      --cache-memory SIZE  memory for bricks (256M)\n"
    "      --spool-limit SIZE   disk for what does not fit into it (8G); 0 for none\n"
    "      --workers N          threads that make bricks (one a processor)\n"
    "      --readers N          processes that read files (one a processor, at most 4)\n"
    "      --max-connections N  (1024)\n"
    "      --idle-seconds N     a silent websocket is closed after this (600)\n"
    "      --drain-seconds N    to end what is being answered when it stops (10)\n"
    "      --message-rate N     messages a second that a client may send (60)\n"
    "      --embed-host HOST    a site that may show the page in a frame; repeat for more\n"
    "      --allow-origin URL   a site whose pages may open the websocket and, from this\n"
    "                           machine or a proxy on it, export; repeat for more\n"
    "      --opendap-hosts H    a host or HOST:PORT that may be asked for datasets behind OPeNDAP;\n"
    "                           repeat for more (none)\n"
    "      --export-jobs N      exports that run at a time (1); 0: none are made\n"
    "      --export-queue N     exports that may wait (32)\n"
    "      --export-frames N    frames that an export may have (5000)\n"
    "      --export-size WxH    pixels that a frame may have (3840x2160)\n"
    "      --export-disk SIZE   disk that all exports may use, in the state folder (20G)\n"
    "      --export-keep TIME   exports are deleted this long after they ended (7d); 0: never\n";
// A compiler need not take a longer text than this one and the next apart.
static const char more_help[] =
    "      --map-memory SIZE    memory for maps (256M)\n"
    "      --map-max-size N     pixels of a map's side at most (4096)\n"
    "      --latest RULE        which run \"latest\" means: complete (the newest that has all its\n"
    "                           steps) or step (the newest that has the step asked for)\n"
    "      --expected-steps N   of a complete run: a number, T+48, or auto (those of the run before)\n"
    "      --keep-runs N        only the N newest runs are shown (0: all); no file is ever deleted\n"
    "      --keep-time TIME     only runs so long before the newest are shown (0: all)\n"
    "      --scan-seconds S     files are looked at again this often (30), beside what the kernel tells\n"
    "      --settle-seconds S   a file must be still so long where nothing tells who writes it (5)\n"
    "      --relist-seconds S   datasets of the engine and behind OPeNDAP are listed again (300)\n"
    "      --stale-after TIME   a pin of the latest run is stale when no newer one came for so long (auto)\n"
    "      --engine WHERE       the Dask cluster: none, local[:N], tcp://HOST:PORT, tls://…, gateway:URL\n"
    "      --engine-clusters W  shared, or one for each user (shared)\n"
    "      --engine-workers N   MIN:MAX workers\n"
    "      --engine-idle N      seconds after which an unused one ends (600)\n"
    "      --engine-memory SIZE of the engine's own process (4G)\n"
    "      --engine-schemes S   what it may open besides files: s3, https, … (none)\n"
    "      --engine-slabs H     HOST[:PORT] where workers reach this machine, or off\n"
    "      --engine-product P   \"VARIABLE: WHAT\" to compute there; repeat for more\n"
    "      --engine-python P    made by server/engine\n"
    "      --engine-socket FD   an engine is at the other end, such as a notebook's own process\n"
    "      --publish-token-file F  whoever has its token may publish datasets (nobody)\n"
    "      --auth HOW           how one signs in: none, or any of token (virga token), proxy, jupyterhub\n"
    "                           (none: only the page on this machine makes and changes anything)\n"
    "      --anonymous WHAT     view: whoever is not signed in may look; or none (view)\n"
    "      --auth-proxies A     addresses or networks of proxies whose headers are believed\n"
    "      --auth-header NAME   in which they name who asks (X-Forwarded-User)\n"
    "      --auth-role ROLE     of those whom a proxy or the hub names: viewer, forecaster (forecaster)\n"
    "      --auth-admins NAMES  who of them is an admin\n"
    "      --auth-hub URL       the JupyterHub\n"
    "      --auth-hub-token-file F  the service's token there ($JUPYTERHUB_API_TOKEN)\n"
    "      --auth-hub-service N its name there (virga)\n"
    "      --auth-hub-callback URL  where the hub sends browsers back (BASE-PATH oauth_callback)\n"
    "      --open-to-all yes    listen beyond this machine even though nobody signs in\n"
    "      --allow-empty        start even if nothing can be shown\n"
    "      --web-root DIR       the page's files\n"
    "      --reader PROGRAM     the reader program (virga-reader beside this one)\n"
    "      --log-level LEVEL    error, warning, info or debug (info)\n"
    "      --log-format FORMAT  text or json (text)\n"
    "  -c, --config FILE        the configuration file, instead of /etc/virga/virga.ini and\n"
    "                           ~/.config/virga/virga.ini\n"
    "      --check              print what is in force, where it comes from, and what confines\n"
    "                           the readers on this machine, and stop\n"
    "  -h, --help\n"
    "\n"
    "Each setting may also stand in the configuration file (\"cache-memory = 1G\") or in the\n"
    "environment (VIRGA_CACHE_MEMORY=1G). Flags win over the environment, which wins over\n"
    "the file. Sizes are bytes, or end in K, M, G or T.\n"
    "\n"
    "Examples:\n"
    "  virga serve forecast.nc\n"
    "  virga serve --listen 0.0.0.0:8080 --auth token /data/ukv '/data/global/2026*.nc'\n"
    "  virga serve --check --config /etc/virga/virga.ini\n"
    "\n"
    "Exit status: 0 stopped cleanly, 1 failed, 2 wrong use or configuration.\n";

static const struct option_spec specs[] = {
    COMMAND_LINE_SETTINGS,     {"listen", 'l', true},     {"base-path", 0, true},    {"max-connections", 0, true},
    {"idle-seconds", 0, true}, {"drain-seconds", 0, true}, {"message-rate", 0, true}, {"embed-host", 0, true},   {"allow-origin", 0, true},
    {"web-root", 0, true},     {"export-jobs", 0, true},  {"export-queue", 0, true}, {"export-frames", 0, true},
    {"map-memory", 0, true},   {"map-max-size", 0, true},
    {"export-size", 0, true},  {"export-disk", 0, true},  {"export-keep", 0, true},  {"engine-clusters", 0, true},
    {"scan-seconds", 0, true}, {"settle-seconds", 0, true}, {"relist-seconds", 0, true}, {"stale-after", 0, true},
    {"publish-token-file", 0, true}, {"auth", 0, true}, {"anonymous", 0, true}, {"auth-proxies", 0, true}, {"auth-header", 0, true}, {"auth-role", 0, true},
    {"auth-admins", 0, true}, {"auth-hub", 0, true}, {"auth-hub-token-file", 0, true}, {"auth-hub-service", 0, true}, {"auth-hub-callback", 0, true}, {"open-to-all", 0, true},
    {"engine-socket", 0, true}, {"check", 0, false}, {"allow-empty", 0, false}, {NULL, 0, false}};

struct serve_flags {
    bool check, allow_empty;
    int engine_socket;  // or -1
};

// A descriptor that was inherited, and nothing that the program itself uses.
static int take_socket(struct serve_flags *flags, const char *value, struct failure *failure) {
    char *end;
    struct stat is;
    long number = strtol(value, &end, 10);
    if (end == value || *end || number < 3 || number > 65535 || fstat((int)number, &is) || !S_ISSOCK(is.st_mode))
        return failure_set(failure, VIRGA_INVALID, "--engine-socket %s: not the number of a socket that was inherited", value);
    flags->engine_socket = (int)number;
    return fcntl(flags->engine_socket, F_SETFD, FD_CLOEXEC) ? failure_set(failure, VIRGA_IO, "--engine-socket %s: %s", value, strerror(errno)) : VIRGA_OK;
}

static int take(void *user, const char *name, const char *value, struct failure *failure) {
    struct serve_flags *flags = user;
    if (!strcmp(name, "engine-socket")) return take_socket(flags, value, failure);
    *(!strcmp(name, "check") ? &flags->check : &flags->allow_empty) = true;
    return VIRGA_OK;
}

// The server that a signal stops. Set before the handlers are installed, cleared before it is freed.
static struct web_server *volatile running;
static volatile sig_atomic_t stops;

static bool has_terminal;  // at the start; its end is to be the server's

// A terminal that is closed sends the same signal as `kill -HUP`, but then there is none any more.
static bool finds_terminal(void) {
    int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static void on_stop(int signal_number) {
    int saved = errno;
    if (stops++) _exit(128 + signal_number);  // asked twice: at once, the kernel cleans up
    if (running) web_server_drain(running);
    errno = saved;
}

static void on_reload(int signal_number) {
    int saved = errno;
    if (has_terminal && !finds_terminal()) on_stop(signal_number);
    else if (running) web_server_reload(running);
    errno = saved;
}

// As under nohup.
static bool ignores(int signal_number) {
    struct sigaction action;
    return sigaction(signal_number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void handle(int signal_number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    sigaction(signal_number, &action, NULL);
}

static void handle_signals(void (*stop)(int), void (*reload)(int)) {
    handle(SIGINT, stop);
    handle(SIGTERM, stop);
    handle(SIGHUP, reload);
}

static void log_problems(const struct catalog *catalog) {
    for (size_t i = 0; i < catalog->problem_count; i++) {
        const struct catalog_problem *p = &catalog->problems[i];
        log_warning("catalog", "%s%s%s: %s", p->file ? p->file : "", p->variable ? " variable " : "",
                    p->variable ? p->variable : "", p->reason ? p->reason : "");
    }
}

// The lines that people and programs wait for; the last is left in `status`.
static void announce(const struct app *app, int port, char *status, size_t room) {
    const struct config *c = &app->config;
    bool colons = strchr(c->listen_host, ':') != NULL;
    size_t variables = 0, sets = app->catalog->dataset_count;
    for (size_t i = 0; i < sets; i++) variables += app->catalog->datasets[i].variable_count;
    printf("serving %zu dataset%s with %zu variable%s\n", sets, sets == 1 ? "" : "s", variables, variables == 1 ? "" : "s");
    snprintf(status, room, "listening on http://%s%s%s:%d%s", colons ? "[" : "", c->listen_host, colons ? "]" : "", port, c->base_path);
    puts(status);
    fflush(stdout);
}

// Without files of its own a server may still have what people publish.
static bool may_be_empty(const struct config *config, bool allowed) { return allowed || config->publish_token_file[0]; }

// How the command was called, for reading the configuration again.
struct invocation {
    const struct command_line *line;
    int argc;
    char **argv;
    bool allow_empty;
};

static int reread(void *user, struct config *config, struct failure *failure) {
    const struct invocation *call = user;
    int status = command_line_reread(call->line, call->argc, call->argv, config, failure);
    if (!status && !config->path_count && !may_be_empty(config, call->allow_empty)) status = failure_set(failure, VIRGA_INVALID, "there are no \"paths\" any more");
    return status;
}

static int run_server(struct app *app, struct invocation *call, struct failure *failure) {
    struct web_server *server = NULL;
    char words[600];
    int port = 0;
    int status = web_server_new(app, &server, &port, failure);
    if (status != VIRGA_OK) return status;
    running = server;
    web_server_on_reload(server, reread, call);
    has_terminal = finds_terminal() && !ignores(SIGHUP);
    handle_signals(on_stop, on_reload);
    announce(app, port, words, sizeof words);
    status = web_server_run(server, words);
    if (status != VIRGA_OK) failure_set(failure, status, "the server stopped: %s", status_name(status));
    if (status == VIRGA_OK) log_info("serve", "stopping");
    running = NULL;
    source_pool_stop(app->sources);  // nothing that is still being read is wanted any more
    web_server_free(server);  // a second signal still ends it at once
    handle_signals(SIG_DFL, SIG_DFL);
    return status;
}

static int serve(struct invocation *call, const struct config *config, bool allow_empty) {
    struct failure failure = {0};
    struct app app;
    if (web_server_check(config, &failure)) return command_line_failed(call->line, &failure);
    int status = app_init(&app, config, &failure);
    if (status != VIRGA_OK) {
        fprintf(stderr, "virga serve: %s\n", failure.message);
        return EXIT_FAILED;
    }
    log_problems(app.catalog);
    if (!app.catalog->dataset_count && !allow_empty && !app_has_user_paths(&app))
        status = failure_set(&failure, VIRGA_UNREADABLE, "nothing can be shown: no file could be used; the reasons stand above "
                             "(--allow-empty starts the server all the same)");
    if (status == VIRGA_OK) status = run_server(&app, call, &failure);
    app_destroy(&app);
    if (status == VIRGA_OK) return EXIT_DONE;
    command_line_failed(call->line, &failure);
    return EXIT_FAILED;
}

// As comments, so that the whole stays a configuration file, whose lines are short. What is denied as it should be shares lines.
static void print_selftest(char *text) {
    static const char good[] = ": denied";
    int column = 0;
    char *rest = NULL, *all = strdup(text ? text : "");
    for (char *line = all ? strtok_r(all, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
        char *end = strstr(line, good);
        if (!end || end[sizeof good - 1]) continue;
        if (column > 100) {
            putchar('\n');
            column = 0;
        }
        column += printf("%s%.*s", column ? ", " : "; readers are denied: ", (int)(end - line), line);
    }
    if (column) putchar('\n');
    free(all);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *end = strstr(line, good);
        if (!end || end[sizeof good - 1]) printf("; readers: %.150s\n", line);
    }
}

static int check(const struct command_line *line, const struct config *config) {
    struct failure failure = {0};
    char *text = config_to_text(config), *said = NULL;
    bool holds = false;
    int failed = !text || fputs(text, stdout) < 0;
    free(text);
    int status = source_selftest(config->reader, &said, &holds, &failure);
    if (said) print_selftest(said);
    free(said);
    if (!status && !holds) status = failure_set(&failure, VIRGA_UNSUPPORTED, "readers are not confined on this machine as they should be; what is wrong stands above");
    if (status) command_line_failed(line, &failure);
    return failed || status || fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}

int command_serve(int argc, char **argv) {
    struct serve_flags flags = {.engine_socket = -1};
    struct command_line line = {.name = "serve", .help = help, .more_help = more_help, .specs = specs, .take = take, .user = &flags};
    struct invocation call = {.line = &line, .argc = argc, .argv = argv};
    struct config config;
    int done = command_line_read(&line, argc, argv, &config);
    config.engine_socket = flags.engine_socket;
    config.allow_empty = call.allow_empty = flags.allow_empty;
    if (done < 0 && flags.check) done = check(&line, &config);
    else if (done < 0 && !config.path_count && !may_be_empty(&config, flags.allow_empty))
        done = command_line_wrong(&line, "nothing to serve: name forecast files or folders, or set \"paths\" in the configuration");
    else if (done < 0) done = serve(&call, &config, may_be_empty(&config, flags.allow_empty));
    config_destroy(&config);
    return done;
}
