// SPDX-License-Identifier: Apache-2.0
// As web/view/camera.js and matrix.js.
#include "render/camera.h"

#include <math.h>
#include <string.h>

static const double rad = 0.017453292519943295, usual_fov = 40;
static const double top_fov = 8;  // nearly parallel, so that high air stands over its ground
enum { FIT_TURNS = 8 };

static double dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static double length(const double a[3])
{
    return sqrt(dot(a, a));
}

static void subtract(const double a[3], const double b[3], double out[3])
{
    for (int n = 0; n < 3; n++)
        out[n] = a[n] - b[n];
}

// a + b × s
static void add_scaled(const double a[3], const double b[3], double s, double out[3])
{
    for (int n = 0; n < 3; n++)
        out[n] = a[n] + b[n] * s;
}

static void cross(const double a[3], const double b[3], double out[3])
{
    const double c[3] = {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
    memcpy(out, c, sizeof c);
}

static void normalise(double a[3])
{
    double size = length(a);
    for (int n = 0; n < 3; n++)
        a[n] /= size > 0 ? size : 1;
}

static void show(const double scene[3], double exaggeration, double shown[3])
{
    shown[0] = scene[0];
    shown[1] = scene[1];
    shown[2] = scene[2] * exaggeration;
}

static void multiply(const double a[16], const double b[16], double out[16])
{
    for (int c = 0; c < 4; c++)
        for (int r = 0; r < 4; r++) {
            double sum = 0;
            for (int k = 0; k < 4; k++)
                sum += a[4 * k + r] * b[4 * c + k];
            out[4 * c + r] = sum;
        }
}

static void perspective(double fov, double aspect, double near, double far, double out[16])
{
    double f = 1 / tan(fov * rad / 2);
    memset(out, 0, 16 * sizeof *out);
    out[0] = f / aspect;
    out[5] = f;
    out[10] = (far + near) / (near - far);
    out[11] = -1;
    out[14] = 2 * far * near / (near - far);
}

static void look_at(const double eye[3], const double target[3], const double up[3], double out[16])
{
    static const double north[3] = {0, 1, 0};
    double back[3], right[3], top[3];
    subtract(eye, target, back);
    normalise(back);
    cross(up, back, right);
    if (length(right) < 1e-9)
        cross(north, back, right);
    if (length(right) < 1e-9)
        memcpy(right, (const double[3]){1, 0, 0}, sizeof right);
    normalise(right);
    cross(back, right, top);
    for (int n = 0; n < 3; n++) {
        out[4 * n] = right[n];
        out[4 * n + 1] = top[n];
        out[4 * n + 2] = back[n];
        out[4 * n + 3] = 0;
    }
    out[12] = -dot(right, eye);
    out[13] = -dot(top, eye);
    out[14] = -dot(back, eye);
    out[15] = 1;
}

// One column of Gauss and Jordan's elimination over rows of eight, with the largest pivot.
static void eliminate(double rows[4][8], int column)
{
    int pivot = column;
    double swap[8];
    for (int r = column + 1; r < 4; r++)
        if (fabs(rows[r][column]) > fabs(rows[pivot][column]))
            pivot = r;
    memcpy(swap, rows[column], sizeof swap);
    memcpy(rows[column], rows[pivot], sizeof swap);
    memcpy(rows[pivot], swap, sizeof swap);
    double divisor = rows[column][column] != 0 ? rows[column][column] : 1e-300;
    for (int k = 0; k < 8; k++)
        rows[column][k] /= divisor;
    for (int r = 0; r < 4; r++) {
        double f = r == column ? 0 : rows[r][column];
        for (int k = 0; f != 0 && k < 8; k++)
            rows[r][k] -= f * rows[column][k];
    }
}

static void invert(const double m[16], double out[16])
{
    double rows[4][8];
    for (int r = 0; r < 4; r++)
        for (int c = 0; c < 4; c++) {
            rows[r][c] = m[4 * c + r];
            rows[r][4 + c] = r == c;
        }
    for (int c = 0; c < 4; c++)
        eliminate(rows, c);
    for (int r = 0; r < 4; r++)
        for (int c = 0; c < 4; c++)
            out[4 * c + r] = rows[r][4 + c];
}

// Near and far planes that hold the box, the nearer the closer the eye.
static void set_depth(struct camera_matrices *m, const struct scene_bounds *box, double exaggeration)
{
    double low[3], high[3], size[3], away[3];
    show(box->low, exaggeration, low);
    show(box->high, exaggeration, high);
    subtract(high, low, size);
    for (int n = 0; n < 3; n++)
        away[n] = fmax(fmax(low[n] - m->eye[n], 0), m->eye[n] - high[n]);
    m->near = fmax(length(away) * 0.7, length(size) * 0.002);
    m->far = length(away) + length(size) * 2.4;
}

void camera_matrices(const struct view_camera *camera, const struct scene_bounds *box, double exaggeration, double aspect,
                     struct camera_matrices *matrices)
{
    static const double beside[3] = {0, -1, 1}, upright[3] = {0, 0, 1};
    double target[3], apart[3], eye[3], turn[16], product[16];
    subtract(camera->eye, camera->target, apart);
    memcpy(eye, camera->eye, sizeof eye);
    if (length(apart) < 1e-6)
        add_scaled(camera->target, beside, 1, eye);
    show(eye, exaggeration, matrices->eye);
    show(camera->target, exaggeration, target);
    set_depth(matrices, box, exaggeration);
    perspective(camera->fov, aspect, matrices->near, matrices->far, matrices->projection);
    look_at(matrices->eye, target, length(camera->up) > 0 ? camera->up : upright, matrices->view);
    memcpy(turn, matrices->view, sizeof turn);
    turn[12] = turn[13] = turn[14] = 0;
    multiply(matrices->projection, matrices->view, matrices->all);
    multiply(matrices->projection, turn, product);
    invert(product, matrices->relative);
}

bool camera_project(const struct camera_matrices *matrices, const double shown[3], double at[2])
{
    const double *m = matrices->all;
    double clip[4];
    for (int r = 0; r < 4; r++)
        clip[r] = m[r] * shown[0] + m[4 + r] * shown[1] + m[8 + r] * shown[2] + m[12 + r];
    if (!(clip[3] > 0))
        return false;
    at[0] = (clip[0] / clip[3] + 1) / 2;
    at[1] = (1 - clip[1] / clip[3]) / 2;
    return true;
}

// What part of the picture the box takes: its ends along x and y. False where a corner is behind the eye.
static bool box_span(const struct camera_matrices *matrices, const struct scene_bounds *box, double exaggeration, double low[2],
                     double high[2])
{
    low[0] = low[1] = INFINITY;
    high[0] = high[1] = -INFINITY;
    for (int n = 0; n < 8; n++) {
        double corner[3], shown[3], at[2];
        for (int axis = 0; axis < 3; axis++)
            corner[axis] = n >> axis & 1 ? box->high[axis] : box->low[axis];
        show(corner, exaggeration, shown);
        if (!camera_project(matrices, shown, at))
            return false;
        for (int axis = 0; axis < 2; axis++) {
            low[axis] = fmin(low[axis], at[axis]);
            high[axis] = fmax(high[axis], at[axis]);
        }
    }
    return true;
}

// Right and top of the picture, in the shown scene.
static void picture_axes(const double eye[3], const double target[3], const double up[3], double right[3], double top[3])
{
    double forward[3];
    subtract(target, eye, forward);
    normalise(forward);
    cross(forward, up, right);
    if (length(right) < 1e-9)
        memcpy(right, (const double[3]){1, 0, 0}, 3 * sizeof *right);
    normalise(right);
    cross(right, forward, top);
}

// Once nearer, as far as the whole box allows, and aside, so that it stands in the middle. False: it cannot be seen.
static bool fit(struct view_camera *camera, const struct scene_bounds *box, double exaggeration, double aspect)
{
    struct camera_matrices matrices;
    double low[2], high[2], eye[3], target[3], arm[3], right[3], top[3];
    camera_matrices(camera, box, exaggeration, aspect, &matrices);
    if (!box_span(&matrices, box, exaggeration, low, high))
        return false;
    show(camera->eye, exaggeration, eye);
    show(camera->target, exaggeration, target);
    subtract(eye, target, arm);
    picture_axes(eye, target, camera->up, right, top);
    double tall = 2 * tan(camera->fov * rad / 2) * length(arm);
    double nearer = fmax((high[0] - low[0]) / 0.9, (high[1] - low[1]) / 0.86);
    add_scaled(target, right, ((low[0] + high[0]) / 2 - 0.5) * tall * aspect, target);
    add_scaled(target, top, (0.5 - (low[1] + high[1]) / 2) * tall, target);
    add_scaled(target, arm, fmin(2, fmax(0.5, nearer)), eye);
    show(target, 1 / exaggeration, camera->target);
    show(eye, 1 / exaggeration, camera->eye);
    return true;
}

void camera_frame(struct view_camera *camera, const struct scene_bounds *box, double exaggeration, double aspect)
{
    double low[3], high[3], size[3], middle[3], direction[3] = {-0.26, -1, 0.78}, eye[3];
    *camera = (struct view_camera){.mode = VIEW_ORBIT, .up = {0, 0, 1}, .fov = usual_fov};
    show(box->low, exaggeration, low);
    show(box->high, exaggeration, high);
    subtract(high, low, size);
    for (int n = 0; n < 3; n++)
        middle[n] = (box->low[n] + box->high[n]) / 2;  // not exaggerated, as the page begins; fitting slides it to where it belongs
    normalise(direction);
    add_scaled(middle, direction, length(size), eye);
    show(middle, 1 / exaggeration, camera->target);
    show(eye, 1 / exaggeration, camera->eye);
    for (int turn = 0; turn < FIT_TURNS && fit(camera, box, exaggeration, aspect); turn++)
        continue;
}

void camera_frame_top(struct view_camera *camera, const struct scene_bounds *box, double exaggeration, double aspect)
{
    double tall = tan(top_fov * rad / 2), wide[2] = {box->high[0] - box->low[0], box->high[1] - box->low[1]};
    *camera = (struct view_camera){.mode = VIEW_TOP, .up = {0, 1, 0}, .fov = top_fov};
    for (int n = 0; n < 2; n++)
        camera->target[n] = camera->eye[n] = (box->low[n] + box->high[n]) / 2;
    double reach = 1.06 * fmax(wide[0] / 2 / (tall * aspect), wide[1] / 2 / tall) + box->high[2] * exaggeration;
    camera->eye[2] = reach / exaggeration;
}
