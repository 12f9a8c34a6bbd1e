// SPDX-License-Identifier: Apache-2.0
// Thickness of layers of air in hydrostatic balance. Heights are geopotential metres (g = 9.80665 m/s2), pressures Pa,
// temperatures K; virtual temperature stands for the lighter weight of moist air. Pure; any thread.
//
// Source: IFS Documentation Cy41r2, Part III: Dynamics and numerical procedures, ECMWF 2016, section 2.2.1, equations 2.21 to
// 2.23: over a level's layer, between half levels of pressures b (below) and a (above), height rises by Rd Tv / g ln(b / a), and the
// level itself stands alpha Rd Tv / g over the layer's foot, alpha = 1 - a / (b - a) ln(b / a), or ln 2 where a = 0. Constants are the IFS'.
#ifndef VIRGA_FIELD_HYDROSTATIC_H
#define VIRGA_FIELD_HYDROSTATIC_H

#define HYDROSTATIC_GRAVITY 9.80665   // m/s2
#define HYDROSTATIC_DRY_AIR 287.0597  // its gas constant, J/(kg K)

double hydrostatic_virtual_temperature(double temperature, double specific_humidity);
// A whole layer with one temperature, from pressure `below` to `above` (> 0).
double hydrostatic_layer(double virtual_temperature, double below, double above);
// From a layer's foot to its level.
double hydrostatic_to_level(double virtual_temperature, double below, double above);
// From one level to the next, temperature linear in the logarithm of pressure.
double hydrostatic_between(double temperature_below, double below, double temperature_above, double above);
// From pressure `from`, where the temperature is known, to `to`, where it is not: temperature falls by 6.5 K a kilometre.
double hydrostatic_lapse(double temperature, double from, double to);

#endif
