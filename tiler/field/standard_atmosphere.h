// SPDX-License-Identifier: Apache-2.0
// The standard atmosphere of ISO 2533:1975 (the ICAO standard atmosphere below 32 km, and the U.S. Standard Atmosphere
// 1976 in these layers), to 80 km. Heights are geopotential metres above mean sea level. Pure; any thread.
#ifndef VIRGA_FIELD_STANDARD_ATMOSPHERE_H
#define VIRGA_FIELD_STANDARD_ATMOSPHERE_H

// Height in metres of a pressure in Pa (> 0). Above 80 km and below -5 km the last layer goes on.
double standard_atmosphere_height(double pressure);
// The reverse.
double standard_atmosphere_pressure(double height);

#endif
