// SPDX-License-Identifier: Apache-2.0
// What netCDF files may claim. A first byte 'C': a classic file's bytes for the header's check. Else text for made_source.h, which is
// opened as a catalogue, described, and read at a few places.
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "field/catalog.h"
#include "field/source_sample.h"
#include "source/reader_classic.h"
#include "tests/fuzz/made_source.h"

enum { FIELD_POINTS_MAX = 1 << 16 };

static void classic(const uint8_t *bytes, size_t size) {
    struct reader_classic header = {0};
    struct failure failure;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) abort();
    if (!reader_classic_open(fd, &header, &failure))
        for (size_t v = 0; v < header.variable_count; v++) {
            const size_t lengths[3] = {SIZE_MAX / 2, 5, 3}, starts[3] = {0, 1, 0}, counts[3] = {1, 4, 3}, far[3] = {SIZE_MAX / 4, 4, 2};
            (void)reader_classic_holds(&header, v, 3, lengths, starts, counts, 8);
            (void)reader_classic_holds(&header, v, 3, lengths, far, counts, 8);
            (void)reader_classic_holds(&header, v, 0, lengths, starts, counts, 1);
        }
    reader_classic_close(&header);
    close(fd);
}

static void read_field(const struct field_ref *field) {
    struct field_box *boxes = NULL;
    struct failure failure;
    size_t count = 0;
    if (field_plan(field, 1 << 16, &boxes, &count, &failure)) return;
    for (size_t n = 0; n < count && n < 4; n++) {
        size_t points = boxes[n].nx * boxes[n].ny * boxes[n].nz;
        double *values = points <= FIELD_POINTS_MAX ? malloc(points * sizeof *values) : NULL;
        if (values) (void)field_read(field, &boxes[n], values, &failure);
        free(values);
    }
    free(boxes);
}

static void sample(const struct catalog_dataset *d, const struct field_ref *field) {
    struct source_profile profile;
    struct failure failure;
    const double *corner = d->grid->corners[0], *other = d->grid->corners[2];
    double value, lon = (corner[0] + other[0]) / 2, lat = (corner[1] + other[1]) / 2;
    (void)catalog_sample_source(field, lon, lat, 1000, &value, &failure);
    if (!catalog_profile_source(field, corner[0], corner[1], &profile, &failure)) source_profile_destroy(&profile);
}

static void describe(const struct catalog_dataset *d, const struct field_ref *field, struct level_map *map) {
    struct failure failure;
    uint8_t *bytes = NULL;
    size_t size;
    double k;
    char id[33];
    (void)field;
    if (map) (void)level_map_locate(map, d->grid->wraps, 0.5, 0.5, 1500, &k);
    field_geometry_id(field, id);
    if (!catalog_geometry(d, map, &bytes, &size)) free(bytes);
    (void)failure;
}

static void one_field(const struct catalog *catalog, const struct field_ref *field) {
    const struct catalog_dataset *d = field->dataset;
    const struct catalog_variable *v = &d->variables[field->variable];
    struct level_map *map = NULL;
    struct failure failure;
    if (!d->runs[field->run].series[field->variable].present || v->nx * v->ny > FIELD_POINTS_MAX) return;
    if (catalog_level_map(catalog, field, &map, &failure)) return;
    describe(d, field, map);
    level_map_unref(map);
    read_field(field);
    sample(d, field);
}

static void all_fields(const struct catalog *catalog) {
    for (size_t n = 0; n < catalog->dataset_count; n++)
        for (size_t v = 0; v < catalog->datasets[n].variable_count && v < 12; v++)
            one_field(catalog, &(struct field_ref){.dataset = &catalog->datasets[n], .variable = v, .run = catalog->datasets[n].run_count - 1});
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct catalog *catalog = NULL;
    struct failure failure;
    const char *paths[MADE_FILES];
    if (size < 1) return 0;
    if (bytes[0] == 'C') return classic(bytes, size), 0;
    size_t count = made_sources((const char *)bytes, size);
    for (size_t n = 0; n < count; n++) paths[n] = made_path(n);
    if (!catalog_open(NULL, paths, count, NULL, &catalog, &failure)) {
        free(catalog_to_json(catalog));
        all_fields(catalog);
        catalog_unref(catalog);
    }
    made_sources_clear();
    return 0;
}
