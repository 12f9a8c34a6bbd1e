// SPDX-License-Identifier: Apache-2.0
#include "render/camera_path.h"

#include <math.h>

enum { NUMBERS = 10 };

static double number_of(const struct view_camera *camera, int n) {
    if (n < 3) return camera->eye[n];
    if (n < 6) return camera->target[n - 3];
    return n < 9 ? camera->up[n - 6] : camera->fov;
}

static double *place_of(struct view_camera *camera, int n) {
    if (n < 3) return &camera->eye[n];
    if (n < 6) return &camera->target[n - 3];
    return n < 9 ? &camera->up[n - 6] : &camera->fov;
}

static double width(const struct camera_key *keys, size_t k) { return keys[k + 1].at - keys[k].at; }

// Mean slope of a number between keys k and k + 1.
static double secant(const struct camera_key *keys, size_t k, int n) {
    return (number_of(&keys[k + 1].camera, n) - number_of(&keys[k].camera, n)) / width(keys, k);
}

static double sign(double x) { return (x > 0) - (x < 0); }

// Steffen's equation 11: the parabola's slope, held so that both intervals stay monotonic; 0 where the number turns or rests.
static double inner_slope(double before, double after, double width_before, double width_after) {
    double parabola = (before * width_after + after * width_before) / (width_before + width_after);
    return (sign(before) + sign(after)) * fmin(fmin(fabs(before), fabs(after)), 0.5 * fabs(parabola));
}

// Steffen's equations 24 to 26, at an end; `mine` is the secant beside it, `next` the one after.
static double end_slope(double mine, double next, double my_width, double next_width) {
    double slope = mine * (1 + my_width / (my_width + next_width)) - next * my_width / (my_width + next_width);
    if (slope * mine <= 0) return 0;
    return fabs(slope) > 2 * fabs(mine) ? 2 * mine : slope;
}

static double slope_at(const struct camera_key *keys, size_t count, size_t k, int n) {
    if (count == 2) return secant(keys, 0, n);
    if (k == 0) return end_slope(secant(keys, 0, n), secant(keys, 1, n), width(keys, 0), width(keys, 1));
    if (k + 1 == count) return end_slope(secant(keys, k - 1, n), secant(keys, k - 2, n), width(keys, k - 1), width(keys, k - 2));
    return inner_slope(secant(keys, k - 1, n), secant(keys, k, n), width(keys, k - 1), width(keys, k));
}

static double number_at(const struct camera_key *keys, size_t count, size_t k, double at, int n) {
    double low = number_of(&keys[k].camera, n), high = number_of(&keys[k + 1].camera, n), h = width(keys, k), x = at - keys[k].at;
    double s = secant(keys, k, n), first = slope_at(keys, count, k, n), last = slope_at(keys, count, k + 1, n);
    double value = ((first + last - 2 * s) / (h * h) * x + (3 * s - 2 * first - last) / h) * x * x + first * x + low;
    return fmin(fmax(value, fmin(low, high)), fmax(low, high));  // rounding, too, must not leave the range
}

void camera_path_at(const struct camera_key *keys, size_t count, double at, struct view_camera *camera) {
    size_t k = 0;
    while (k + 1 < count && keys[k + 1].at <= at) k++;
    *camera = keys[k].camera;
    if (k + 1 == count || at <= keys[k].at) return;
    for (int n = 0; n < NUMBERS; n++) *place_of(camera, n) = number_at(keys, count, k, at, n);
    double length = sqrt(camera->up[0] * camera->up[0] + camera->up[1] * camera->up[1] + camera->up[2] * camera->up[2]);
    for (int axis = 0; axis < 3; axis++)  // from one up to its opposite there is none in the middle
        camera->up[axis] = length > 1e-6 ? camera->up[axis] / length : keys[k].camera.up[axis];
}

void camera_path_turn(struct view_camera *camera, double degrees) {
    double angle = fmod(degrees, 360) * acos(-1) / 180, c = cos(angle), s = sin(angle);
    if (fmod(degrees, 360) == 0) return;
    double x = camera->eye[0] - camera->target[0], y = camera->eye[1] - camera->target[1];
    camera->eye[0] = camera->target[0] + c * x - s * y;
    camera->eye[1] = camera->target[1] + s * x + c * y;
    double right = camera->up[0], ahead = camera->up[1];
    camera->up[0] = c * right - s * ahead;
    camera->up[1] = s * right + c * ahead;
}
