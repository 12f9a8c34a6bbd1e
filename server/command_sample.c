// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/app.h"
#include "server/command_line.h"
#include "server/commands.h"
#include "server/sample.h"

static const char help[] =
    "Usage: virga sample [OPTION…] PATH --variable V --time T --lon X --lat Y\n"
    "                    (--height M | --profile)\n"
    "       virga sample [OPTION…] PATH --variable V --time T --places FILE\n"
    "\n"
    "Gives the value of a variable at a place, twice: as the picture shows it (from decoded\n"
    "full-resolution bricks) and as the file has it, and their difference.\n"
    "\n"
    "      --variable V         its name, standard name or id, as virga info lists it\n"
    "      --time T             a valid time of the variable, such as 2026-01-31T12:00Z, or a\n"
    "                           lead time in hours, such as T+6\n"
    "      --lon X --lat Y      degrees east and north\n"
    "      --height M           metres above mean sea level, or above the ground where the file\n"
    "                           says no more (\"datum\" says which); not needed for a 2-D variable\n"
    "      --profile            every model level at the place, from the ground up\n"
    "      --places FILE        many places: a line \"lon lat height\" each; - reads from standard\n"
    "                           input\n"
    "      --units U            give values in these units, such as degC, kt or hPa (the file's)\n"
    "      --run R              the run's reference time, or latest (the default)\n"
    "      --member M           the ensemble member's label (the first)\n"
    "      --dataset ID         which dataset, when several have the variable\n"
    "  -j, --json               for programs: one JSON object; for --places an array of them\n"
    COMMAND_LINE_SETTINGS_HELP
    "\n"
    "Outside the forecast, and where values are missing, the answer is null (\"no value\").\n"
    "\n"
    "Examples:\n"
    "  virga sample forecast.nc --variable air_temperature --time T+6 \\\n"
    "      --lon -3.5 --lat 50.7 --height 1500\n"
    "  virga sample forecast.nc --variable air_temperature --time T+6 \\\n"
    "      --lon -3.5 --lat 50.7 --profile --json\n"
    "\n"
    "Exit status: 0 answered (null included), 1 failed, 2 wrong use, also a time between steps.\n";

static const struct option_spec specs[] = {
    COMMAND_LINE_SETTINGS, {"variable", 0, true}, {"time", 0, true}, {"lon", 0, true},     {"lat", 0, true},
    {"height", 0, true},   {"profile", 0, false}, {"run", 0, true},  {"member", 0, true},  {"dataset", 0, true},
    {"units", 0, true},    {"places", 0, true},   {"json", 'j', false},  {NULL, 0, false}};

struct sample_flags {
    struct sample_query query;
    const char *places;
    bool json;
};

static int take(void *user, const char *name, const char *value, struct failure *failure) {
    struct sample_flags *flags = user;
    if (!strcmp(name, "json")) flags->json = true;
    else if (!strcmp(name, "places")) flags->places = value;
    else return sample_query_set(&flags->query, name, value ? value : "1", failure);
    return VIRGA_OK;
}

static void print_number(const json_t *number, const char *units) {
    if (json_is_number(number)) printf("%.7g %s", json_number_value(number), units);
    else printf("no value");
}

static void print_row(const json_t *bricks, const json_t *source, const json_t *height, const char *units, const char *datum) {
    if (json_is_number(height)) printf("  %.1f m above %s: ", json_number_value(height), datum);
    else printf("  ");
    print_number(source, units);
    printf(" in the file, ");
    print_number(bricks, units);
    printf(" in the picture\n");
}

static void print_text(const json_t *answer) {
    const char *units = json_string_value(json_object_get(answer, "units"));
    const char *datum = json_string_value(json_object_get(answer, "datum"));
    const char *datum_text = datum && !strcmp(datum, "ground") ? "the ground" : "mean sea level";
    const json_t *bricks = json_object_get(answer, "bricks"), *source = json_object_get(answer, "source");
    const json_t *height = json_object_get(answer, "height");
    printf("%s, run %s, valid %s, at %.4f°E %.4f°N\n", json_string_value(json_object_get(answer, "variable")),
           json_string_value(json_object_get(answer, "run")), json_string_value(json_object_get(answer, "time")),
           json_number_value(json_object_get(answer, "lon")), json_number_value(json_object_get(answer, "lat")));
    if (!json_is_array(bricks)) print_row(bricks, source, height, units, datum_text);
    for (size_t k = 0; k < json_array_size(bricks); k++)
        print_row(json_array_get(bricks, k), json_array_get(source, k), json_array_get(height, k), units, datum_text);
}

static int print_answer(const char *text, bool json) {
    if (json) return fputs(text, stdout) < 0 ? VIRGA_IO : VIRGA_OK;
    json_t *answer = json_loads(text, 0, NULL);
    if (!answer) return VIRGA_NO_MEMORY;
    print_text(answer);
    json_decref(answer);
    return VIRGA_OK;
}

static int one_place(struct app *app, const struct sample_flags *flags, struct failure *failure) {
    char *text = NULL;
    int status = sample_run(app->catalog, app->bricks, &flags->query, &text, failure);
    if (status == VIRGA_OK && print_answer(text, flags->json) != VIRGA_OK)
        status = failure_set(failure, VIRGA_IO, "cannot write the answer");
    free(text);
    if (flags->json && status == VIRGA_OK) putchar('\n');
    return status;
}

// "lon lat height", the height being optional for profiles and 2-D variables. VIRGA_AGAIN for a line without a place.
static int parse_place(char *line, struct sample_query *query) {
    double numbers[3] = {NAN, NAN, NAN};
    int count = 0;
    char *at = line + strspn(line, " \t\r\n"), *end;
    if (!*at || *at == '#') return VIRGA_AGAIN;
    for (; *at && count < 3; at = end + strspn(end, " \t\r\n,"), count++) {
        numbers[count] = strtod(at, &end);
        if (end == at) return VIRGA_INVALID;
    }
    if (*at || count < 2) return VIRGA_INVALID;
    query->lon = numbers[0], query->lat = numbers[1], query->height = numbers[2];
    return VIRGA_OK;
}

static int each_place(struct app *app, struct sample_flags *flags, FILE *in, struct failure *failure) {
    char *line = NULL;
    size_t room = 0, answers = 0;
    int status = VIRGA_OK, number = 0;
    if (flags->json) putchar('[');
    while (status == VIRGA_OK && getline(&line, &room, in) >= 0) {
        number++;
        status = parse_place(line, &flags->query);
        if (status == VIRGA_INVALID)
            failure_set(failure, status, "%s:%d: expected \"lon lat height\"", flags->places, number);
        if (status == VIRGA_OK && flags->json && answers++) fputs(",\n", stdout);
        char *text = NULL;
        if (status == VIRGA_OK) status = sample_run(app->catalog, app->bricks, &flags->query, &text, failure);
        if (text) status = print_answer(text, flags->json);
        free(text);
        if (status == VIRGA_AGAIN) status = VIRGA_OK;
    }
    if (flags->json) puts("]");
    free(line);
    return status;
}

static int many_places(struct app *app, struct sample_flags *flags, struct failure *failure) {
    bool standard = !strcmp(flags->places, "-");
    FILE *in = standard ? stdin : fopen(flags->places, "re");
    if (!in) return failure_set(failure, VIRGA_IO, "cannot read %s: %s", flags->places, strerror(errno));
    int status = each_place(app, flags, in, failure);
    if (!standard) fclose(in);
    return status;
}

static void print_problems(const struct catalog *catalog) {
    for (size_t i = 0; i < catalog->problem_count; i++)
        fprintf(stderr, "virga sample: %s: %s\n", catalog->problems[i].file, catalog->problems[i].reason);
}

static int sample(const struct command_line *line, const struct config *config, struct sample_flags *flags) {
    struct failure failure = {0};
    struct app app;
    int status = app_init(&app, config, &failure);
    if (status == VIRGA_OK) {
        status = flags->places ? many_places(&app, flags, &failure) : one_place(&app, flags, &failure);
        if (status == VIRGA_NOT_FOUND) print_problems(app.catalog);
        if (fflush(stdout) && status == VIRGA_OK) status = failure_set(&failure, VIRGA_IO, "cannot write the answer");
    }
    app_destroy(&app);
    return status == VIRGA_OK ? EXIT_DONE : command_line_failed(line, &failure);
}

// What is wrong with the query before any file is opened, or NULL.
static const char *missing(const struct sample_flags *flags) {
    const struct sample_query *q = &flags->query;
    if (!*q->variable) return "name the variable with --variable; virga info lists them";
    if (!*q->time) return "name the valid time with --time; virga info lists them";
    if (flags->places) return NULL;
    if (isnan(q->lon) || isnan(q->lat)) return "name the place with --lon and --lat, in degrees";
    if (q->profile && !isnan(q->height)) return "--height and --profile exclude each other";
    return NULL;
}

int command_sample(int argc, char **argv) {
    struct sample_flags flags = {0};
    struct command_line line = {.name = "sample", .help = help, .specs = specs, .take = take, .user = &flags};
    struct config config;
    sample_query_init(&flags.query);
    int done = command_line_read(&line, argc, argv, &config);
    if (done < 0 && !config.path_count) done = command_line_wrong(&line, "name the forecast file");
    else if (done < 0 && missing(&flags)) done = command_line_wrong(&line, "%s", missing(&flags));
    else if (done < 0) done = sample(&line, &config, &flags);
    config_destroy(&config);
    return done;
}
