// SPDX-License-Identifier: Apache-2.0
#include "tile/map_frame.h"

#include <math.h>

int map_frame_check(const struct map_frame *frame, struct failure *failure) {
    const double *box = frame->box;
    if (frame->width < 1 || frame->height < 1 || frame->width > MAP_SIDE_MAX || frame->height > MAP_SIDE_MAX)
        return failure_set(failure, VIRGA_INVALID, "a map of %u × %u pixels cannot be made; sides are 1 to %d", frame->width, frame->height,
                           (int)MAP_SIDE_MAX);
    for (int a = 0; a < 4; a++)
        if (!(fabs(box[a]) < 1e9)) return failure_set(failure, VIRGA_INVALID, "the map's box has a coordinate that is no place: %g", box[a]);
    if (!(box[2] > box[0]) || !(box[3] > box[1]))
        return failure_set(failure, VIRGA_INVALID, "the map's box has no area: x from %.10g to %.10g, y from %.10g to %.10g", box[0], box[2], box[1], box[3]);
    const double period = map_crs_period(frame->crs);
    if (period > 0 && box[2] - box[0] > 4 * period)
        return failure_set(failure, VIRGA_INVALID, "the map's box goes more than four times around the globe: x from %.10g to %.10g", box[0], box[2]);
    return VIRGA_OK;
}

void map_frame_place(const struct map_frame *frame, double column, double row, double *x, double *y) {
    *x = frame->box[0] + (frame->box[2] - frame->box[0]) * (column / frame->width);
    *y = frame->box[3] - (frame->box[3] - frame->box[1]) * (row / frame->height);
}

void map_frame_pixel(const struct map_frame *frame, double x, double y, double *column, double *row) {
    *column = (x - frame->box[0]) / (frame->box[2] - frame->box[0]) * frame->width;
    *row = (frame->box[3] - y) / (frame->box[3] - frame->box[1]) * frame->height;
}

struct map_frame map_frame_grown(const struct map_frame *frame, unsigned margin) {
    const double dx = (frame->box[2] - frame->box[0]) / frame->width * margin, dy = (frame->box[3] - frame->box[1]) / frame->height * margin;
    struct map_frame grown = *frame;
    grown.width += 2 * margin;
    grown.height += 2 * margin;
    grown.box[0] -= dx;
    grown.box[1] -= dy;
    grown.box[2] += dx;
    grown.box[3] += dy;
    return grown;
}
