// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/command_line.h"
#include "server/commands.h"
#include "server/sequence_cluster.h"

static const char help[] =
    "Usage: virga export [OPTION…] VIEW.json --out 'frames/%04d.png' [PATH…]\n"
    "\n"
    "Draws the picture that a view document describes, or a sequence of them, into image\n"
    "files. VIEW.json is what the page's address holds and what virga view prints; - reads it\n"
    "from standard input. A PATH is a forecast file, folder or glob in quotes; without one\n"
    "those of the configuration are taken. Options override what the document says.\n"
    "\n"
    "  -o, --out PATTERN        names of the files, with one number such as %04d (from 0);\n"
    "                           without a number: a single picture. The folder is made\n"
    "      --overwrite          replace another export, or other files, of these names\n"
    "      --format FORMAT      png or jpeg; else as the name ends\n"
    "      --quality Q          of JPEG, 1 to 100 (90)\n"
    "      --size WxH           pixels (1280x720)\n"
    "\n"
    "Times (a rule is a lead time such as T+6, or a valid time such as 2026-01-31T12:00Z):\n"
    "      --times T            all, or RULE,RULE,…, or FROM/TO, or FROM/TO/HOURS; else the\n"
    "                           view's own time\n"
    "      --fps F              a film of F frames a second, values blended between steps\n"
    "      --rate R             times a second of that film (4)\n"
    "      --run TIME           reference time of the run, or latest\n"
    "      --member M           the ensemble member's label\n"
    "\n"
    "Camera:\n"
    "      --orbit DEGREES      once around the target over the whole sequence is 360\n"
    "      --camera-path FILE   a JSON list of key frames: {\"frame\": 0, \"eye\": [X, Y, Z],\n"
    "                           \"target\": [X, Y, Z], \"fov\": 40}; also at a \"second\" or \"time\"\n"
    "      --frames N           how many frames where a single time is shown\n"
    "\n"
    "Looks:\n"
    "      --title TEXT         above the picture (made from what is shown)\n"
    "      --attribution TEXT   whose data and picture it is\n"
    "      --no-captions        nothing is written on the picture\n"
    "      --transparent        no sky; PNG only\n"
    "      --antialiasing N     samples along each axis of a pixel for ground and lines, 1 to 4\n"
    "\n"
    "Work:\n"
    "      --progress KIND      bar, lines, json (for programs, on standard output), none;\n"
    "                           auto is a bar on a terminal and lines elsewhere\n"
    "      --threads N          that draw (one a processor)\n"
    "      --draw-here          draw on this machine, also where --engine names a cluster\n"
    "      --worker-virga FILE  what the cluster's workers run (VIRGA_PROGRAM there, or virga)\n"
    "      --background         give way to everything else on this machine\n"
    "      --web-root DIR       the page's folder, for coastlines\n"
    "      --cache-memory SIZE  memory for the forecast, such as 1G\n"
    "  -c, --config FILE        the configuration file; its other settings hold here, too\n"
    "  -h, --help\n"
    "\n"
    "A frame is there whole or not at all. Run again after it was stopped, killed or failed, the\n"
    "same command goes on where it was; run again after success it does nothing.\n"
    "\n"
    "With --engine CLUSTER (local, tcp://HOST:PORT, …) the frames are drawn by the cluster's workers,\n"
    "which must have this version of virga and see the same forecast by the same paths.\n"
    "\n"
    "Examples:\n"
    "  virga view /data/ukv > view.json\n"
    "  virga export view.json /data/ukv --out picture.png\n"
    "  virga export view.json /data/ukv --times all --out 'frames/%04d.png'\n"
    "  virga export view.json /data/ukv --times T+0/T+36 --fps 25 --orbit 90 -o 'film/%05d.jpg'\n"
    "\n"
    "Exit status: 0 every frame is there, 1 failed, 2 wrong use, 130 or 143 stopped.\n";

static const struct option_spec specs[] = {
    COMMAND_LINE_SETTINGS, {"web-root", 0, true}, {"out", 'o', true}, {"overwrite", 0, false}, {"progress", 0, true},
    {"threads", 0, true}, {"background", 0, false}, {"member", 0, true}, {"draw-here", 0, false}, {"worker-virga", 0, true},
    {"serve-frames", 0, true},
    // those of the document (export_document.h)
    {"format", 0, true}, {"quality", 0, true}, {"size", 0, true}, {"times", 0, true}, {"fps", 0, true}, {"rate", 0, true},
    {"run", 0, true}, {"orbit", 0, true}, {"camera-path", 0, true}, {"frames", 0, true}, {"title", 0, true},
    {"attribution", 0, true}, {"no-captions", 0, false}, {"transparent", 0, false}, {"antialiasing", 0, true}, {NULL, 0, false}};

struct flags {
    const char *view, *out, *progress;
    bool background, draw_here;
    struct sequence_export run;
    json_t *changes;
};

static int take_threads(struct flags *flags, const char *value, struct failure *failure) {
    char *end;
    long threads = strtol(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end || threads < 1 || threads > 256)
        return failure_set(failure, VIRGA_INVALID, "--threads: expected a number from 1 to 256");
    flags->run.threads = (size_t)threads;
    return VIRGA_OK;
}

// "NOW RUN", as sequence_cluster.c writes it.
static int take_served(struct flags *flags, const char *value, struct failure *failure) {
    char *end;
    flags->run.served_now = strtod(value, &end);
    if (end == value || *end != ' ' || !end[1] || !isfinite(flags->run.served_now))
        return failure_set(failure, VIRGA_INVALID, "--serve-frames: expected seconds and a run, as another virga says them");
    flags->run.served_run = end + 1;
    return VIRGA_OK;
}

static int take(void *user, const char *name, const char *value, struct failure *failure) {
    struct flags *flags = user;
    if (!strcmp(name, "out")) return flags->out = value, VIRGA_OK;
    if (!strcmp(name, "progress")) return flags->progress = value, VIRGA_OK;
    if (!strcmp(name, "overwrite")) return flags->run.overwrite = true, VIRGA_OK;
    if (!strcmp(name, "background")) return flags->background = true, VIRGA_OK;
    if (!strcmp(name, "member")) return flags->run.member = value, VIRGA_OK;
    if (!strcmp(name, "draw-here")) return flags->draw_here = true, VIRGA_OK;
    if (!strcmp(name, "worker-virga")) return flags->run.worker_program = value, VIRGA_OK;
    if (!strcmp(name, "serve-frames")) return take_served(flags, value, failure);
    if (!strcmp(name, "threads")) return take_threads(flags, value, failure);
    if (!flags->changes) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    return export_changes_take(flags->changes, name, value, failure);
}

// The first argument that is no option names the view; the others are the forecast's paths. Takes it out of the list.
static const char *take_view(int *argc, char **argv) {
    struct options options;
    const struct option_spec *spec;
    const char *value;
    int kind;
    options_init(&options, specs, *argc, argv);
    while ((kind = options_next(&options, &spec, &value, NULL)) == 1) continue;
    if (kind != 2) return NULL;
    for (int i = options.at; i < *argc; i++) argv[i - 1] = argv[i];
    --*argc;
    return value;
}

static int choose_format(struct sequence_export *run, struct failure *failure) {
    const struct sequence *sequence = run->document->sequence;
    enum image_format of_name;
    bool named = frame_pattern_format(run->pattern, &of_name);
    run->format = sequence->has_format ? sequence->format : of_name;
    if (!named && !sequence->has_format)
        return failure_set(failure, VIRGA_INVALID, "--out: the name must end with .png or .jpg, or --format say what it is");
    if (named && run->format != of_name)
        return failure_set(failure, VIRGA_INVALID, "--out: the name ends with .%s, and the format is %s", image_suffix(of_name),
                           run->format == IMAGE_PNG ? "png" : "jpeg");
    if (run->format == IMAGE_JPEG && run->document->view.transparent)
        return failure_set(failure, VIRGA_INVALID, "transparent: a JPEG cannot be; name it .png");
    return VIRGA_OK;
}

// Before any forecast is opened.
static int prepare(struct flags *flags, struct export_document *document, struct frame_pattern *pattern,
                   struct failure *failure) {
    struct failure why = {0};
    int status = export_document_read(flags->view, flags->changes, document, failure);
    if (status == VIRGA_OK && frame_pattern_parse(flags->out, pattern, &why) != VIRGA_OK)
        status = failure_set(failure, VIRGA_INVALID, "--out: %s", why.message);
    flags->run.document = document;
    flags->run.pattern = pattern;
    return status == VIRGA_OK ? choose_format(&flags->run, failure) : status;
}

static int export(const struct command_line *line, const struct config *config, struct flags *flags) {
    struct failure failure = {0};
    struct export_document document = {0};
    struct frame_pattern pattern;
    struct export_progress *progress = &flags->run.progress;
    int status = prepare(flags, &document, &pattern, &failure), done = EXIT_DONE;
    flags->run.config = config;
    flags->run.on_cluster = strcmp(config->engine, "none") && !flags->draw_here && !flags->run.served_run;
    progress->where = flags->out;
    if (status == VIRGA_OK && flags->run.on_cluster) status = sequence_cluster_check(config, &failure);
    if (status == VIRGA_OK) status = sequence_export_run(&flags->run, &failure);
    bool stopped = status == VIRGA_CANCELLED && flags->run.signal_number;
    char so_far[120] = "";
    snprintf(so_far, sizeof so_far, "%zu of %zu frames are there; run the same again to go on", progress->done, progress->frames);
    if (stopped) failure_set(&failure, status, "stopped: %s", so_far);
    if (status != VIRGA_OK) {
        export_progress_error(progress, failure.message);
        done = command_line_failed(line, &failure);
        if (progress->frames && !stopped) fprintf(stderr, "virga export: %s\n", so_far);
    }
    if (flags->run.degraded)
        fprintf(stderr, "virga export: %zu frames were drawn from coarser data than the camera could tell apart; give it more memory with "
                        "--cache-memory\n", flags->run.degraded);
    export_document_destroy(&document);
    return stopped ? 128 + flags->run.signal_number : done;
}

// What is wrong with the command line as a whole, or NULL.
static const char *missing(const struct flags *flags, const struct config *config) {
    if (!flags->view) return "name the view document; virga view prints one";
    if (!flags->out) return "name the pictures with --out, such as 'frames/%04d.png'";
    if (!config->path_count) return "name the forecast's files after the view, or set paths in the configuration";
    return NULL;
}

int command_export(int argc, char **argv) {
    struct flags flags = {.progress = "auto", .changes = export_changes_new()};
    struct command_line line = {.name = "export", .help = help, .specs = specs, .take = take, .user = &flags};
    struct config config;
    flags.view = take_view(&argc, argv);
    int done = command_line_read(&line, argc, argv, &config);
    config.background = flags.background;
    struct export_progress *progress = &flags.run.progress;
    if (done < 0 && export_progress_parse(flags.progress, isatty(STDERR_FILENO), &progress->kind) != VIRGA_OK)
        done = command_line_wrong(&line, "--progress: expected auto, bar, lines, json or none");
    progress->out = progress->kind == EXPORT_PROGRESS_JSON ? stdout : stderr;
    if (done < 0 && missing(&flags, &config)) done = command_line_wrong(&line, "%s", missing(&flags, &config));
    else if (done < 0) done = export(&line, &config, &flags);
    json_decref(flags.changes);
    config_destroy(&config);
    return done;
}
