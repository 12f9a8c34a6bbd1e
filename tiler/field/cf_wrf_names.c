// SPDX-License-Identifier: Apache-2.0
// WRF's variables by their CF names, and the full fields of which it writes parts.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "field/cf_attributes.h"
#include "field/cf_wrf.h"

static const struct { const char *name, *standard_name; } names[] = {
    {"U", "x_wind"}, {"V", "y_wind"}, {"W", "upward_air_velocity"}, {"U10", "x_wind"}, {"V10", "y_wind"},
    {"T2", "air_temperature"}, {"TH2", "air_potential_temperature"}, {"Q2", "humidity_mixing_ratio"}, {"PSFC", "surface_air_pressure"},
    {"QVAPOR", "humidity_mixing_ratio"}, {"QCLOUD", "cloud_liquid_water_mixing_ratio"}, {"QICE", "cloud_ice_mixing_ratio"},
    {"QRAIN", "rain_water_mixing_ratio"}, {"QSNOW", "snow_mixing_ratio"}, {"QGRAUP", "graupel_mixing_ratio"},
    {"CLDFRA", "cloud_area_fraction_in_atmosphere_layer"}, {"HGT", "surface_altitude"}, {"HGT_M", "surface_altitude"}, {"TSK", "surface_temperature"},
    {"SST", "sea_surface_temperature"}, {"LANDMASK", "land_binary_mask"}, {"F", "coriolis_parameter"},
    {"RAINC", "lwe_thickness_of_convective_precipitation_amount"}, {"RAINNC", "lwe_thickness_of_stratiform_precipitation_amount"},
    {"SNOWNC", "lwe_thickness_of_snowfall_amount"}, {"SNOW", "surface_snow_amount"}, {"SNOWH", "surface_snow_thickness"},
    {"PBLH", "atmosphere_boundary_layer_thickness"}, {"HFX", "surface_upward_sensible_heat_flux"}, {"LH", "surface_upward_latent_heat_flux"},
    {"QFX", "surface_upward_water_flux"}, {"SWDOWN", "surface_downwelling_shortwave_flux_in_air"}, {"GLW", "surface_downwelling_longwave_flux_in_air"},
    {"OLR", "toa_outgoing_longwave_flux"}, {"ALBEDO", "surface_albedo"}, {"REFL_10CM", "equivalent_reflectivity_factor"},
    {"TKE_PBL", "specific_turbulent_kinetic_energy_of_air"}, {"TSLB", "soil_temperature"}};

int cf_wrf_name(const struct cf_file *file, struct cf_variable *v) {
    const struct source_variable *stored = cf_file_variable(file, v->index);
    const char *description = cf_text(stored, "description");
    if (cf_text(stored, "standard_name")) return VIRGA_OK;
    for (size_t n = 0; n < sizeof names / sizeof *names && !v->standard_name; n++)
        if (strcmp(cf_base_name(stored->name), names[n].name) == 0) v->standard_name = names[n].standard_name;
    if (!cf_text(stored, "long_name") && description && !(v->long_name = strdup(description))) return VIRGA_NO_MEMORY;
    // Names without attributes of their own are known here only.
    if (v->standard_name && strcmp(v->standard_name, "surface_altitude") == 0 && v->level_count == 1)
        v->helper = HELPER_GROUND, v->helper_scale = 1, v->helper_offset = 0;
    if (v->helper == HELPER_TEMPERATURE) v->helper = HELPER_NONE;  // T is a perturbation of potential temperature
    return VIRGA_OK;
}

static int find_stored(const struct cf_file *file, const char *name) {
    for (size_t n = 0; n < file->variable_count; n++)
        if (strcmp(cf_file_variable(file, file->variables[n].index)->name, name) == 0 && !file->variables[n].made) return (int)n;
    return -1;
}

static bool same_shape(const struct source_variable *a, const struct source_variable *b) {
    return a->rank == b->rank && memcmp(a->dimensions, b->dimensions, (size_t)a->rank * sizeof *a->dimensions) == 0;
}

// `first` (+ `second`) + constant, under a name of its own.
static int add_sum(struct cf_file *file, const char *first, const char *second, double constant, const char *name, const char *long_name) {
    int a = find_stored(file, first), b = second ? find_stored(file, second) : -1;
    if (a < 0 || (second && b < 0)) return VIRGA_OK;
    if (second && !same_shape(cf_file_variable(file, file->variables[a].index), cf_file_variable(file, file->variables[b].index))) return VIRGA_OK;
    struct cf_variable *v = cf_variable_copy(file, (size_t)a);
    if (!v) return VIRGA_NO_MEMORY;
    free(v->name);
    free(v->long_name);
    v->name = strdup(name);
    v->long_name = strdup(long_name);
    v->standard_name = name;
    v->made = true;
    v->constant = constant;
    if (b >= 0) v->plus = (int)file->variables[b].index, v->plus_packing = file->variables[b].packing;
    return v->name && v->long_name ? VIRGA_OK : VIRGA_NO_MEMORY;
}

int cf_wrf_add(struct cf_file *file) {
    int status = add_sum(file, "T", NULL, 300, "air_potential_temperature", "potential temperature, T + 300 K");
    return status ? status : add_sum(file, "P", "PB", 0, "air_pressure", "pressure, P + PB");
}
