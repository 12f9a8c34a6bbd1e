// SPDX-License-Identifier: Apache-2.0
// Deterministic noise for the demonstration forecast: an integer hash, and fractal noise made of quadratic B-splines over
// one periodic table of hashed numbers. No state but the table, which is immutable once made; any thread.
#ifndef VIRGA_SERVER_DEMO_NOISE_H
#define VIRGA_SERVER_DEMO_NOISE_H

#include <stdint.h>

struct demo_noise;

// Returns NULL when out of memory; free with demo_noise_free (NULL is allowed).
struct demo_noise *demo_noise_new(uint32_t seed);
void demo_noise_free(struct demo_noise *noise);

// 32 well-mixed bits of three integers, and the same as a number in [0, 1).
uint32_t demo_noise_hash(uint32_t x, uint32_t y, uint32_t z);
float demo_noise_unit(uint32_t x, uint32_t y, uint32_t z);

// Smooth noise of one octave at a point in lattice units: mean 0, standard deviation about 0.35, within ±1.
float demo_noise_at(const struct demo_noise *noise, float x, float y, float z);
// Octaves of it, each of half the wavelength and `gain` times the height of the one before. Mean 0.
float demo_noise_fractal(const struct demo_noise *noise, float x, float y, float z, int octaves, float gain);
// Adds height × noise of one octave at (x0 + i·dx, y, z) to sum[i] for i < n: y and z are constant along a row, which
// makes this several times cheaper than n points.
void demo_noise_add_row(const struct demo_noise *noise, float x0, float dx, float y, float z, float height, int n, float *sum);

#endif
