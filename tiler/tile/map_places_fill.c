// SPDX-License-Identifier: Apache-2.0
// Places of pixels where the frame's system and the grid have nothing in common: PROJ is asked for the corners and the middles of blocks, and a block
// whose middles are where its corners say is filled between them; others are divided.
#include <math.h>
#include <stdlib.h>

#include "tile/map_places_private.h"

enum { BLOCK = 32, EXACT = 2, OUTLINE = 256, SAMPLES = 4096 };
static const double tolerance = 1.0 / 16;  // pixels

struct node {
    double i, j;
    bool there;
};

struct block {
    unsigned left, top, right, bottom;  // pixels whose centres are the corners
    struct node corners[4];             // left top, right top, left bottom, right bottom
};

struct filler {
    const struct map_places_maker *maker;
    struct map_places *places;
    bool based;
    size_t block_columns;
    unsigned char *divided;  // [blocks] of the first division: where the grid's outline goes through, which must not be taken for empty
};

static struct node node_at(const struct filler *filler, double column, double row) {
    double x, y;
    struct node node = {0};
    map_frame_place(filler->maker->frame, column + 0.5, row + 0.5, &x, &y);
    node.there = map_places_find(filler->maker, x, y, &node.i, &node.j);
    return node;
}

static void store(struct filler *filler, unsigned column, unsigned row, double i, double j) {
    struct map_places *places = filler->places;
    float *at = places->at[(size_t)row * places->width + column];
    if (isnan(i) || !map_places_settle(filler->maker, &i, &j)) {
        at[0] = at[1] = NAN;
        return;
    }
    if (!filler->based) {
        places->base[0] = floor(i);
        places->base[1] = floor(j);
        filler->based = true;
    }
    at[0] = (float)(i - places->base[0]);
    at[1] = (float)(j - places->base[1]);
}

// The same column on the turn of the globe that is nearest to another.
static void turn_to(const struct filler *filler, const struct node *near, struct node *node) {
    if (filler->places->wraps) node->i = near->i + remainder(node->i - near->i, (double)filler->places->nx);
}

static struct node between(const struct block *b, double u, double v) {
    const struct node *c = b->corners;
    const double w[4] = {(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v};
    struct node node = {0, 0, true};
    for (int k = 0; k < 4; k++) node.i += w[k] * c[k].i, node.j += w[k] * c[k].j;
    return node;
}

// Squares of columns along i and j that a pixel spans.
static void spans(const struct block *b, double span[2]) {
    const double width = b->right - b->left, height = b->bottom - b->top;
    const struct node *c = b->corners;
    const double i_x = (c[1].i + c[3].i - c[0].i - c[2].i) / (2 * width), i_y = (c[2].i + c[3].i - c[0].i - c[1].i) / (2 * height);
    const double j_x = (c[1].j + c[3].j - c[0].j - c[2].j) / (2 * width), j_y = (c[2].j + c[3].j - c[0].j - c[1].j) / (2 * height);
    span[0] = i_x * i_x + i_y * i_y;
    span[1] = j_x * j_x + j_y * j_y;
}

static bool is_even(struct filler *filler, struct block *b) {
    for (int k = 0; k < 4; k++) {
        if (!b->corners[k].there) return false;
        turn_to(filler, &b->corners[0], &b->corners[k]);
    }
    double span[2];
    spans(b, span);
    if (!(span[0] > 0 && span[1] > 0)) return false;
    static const double middles[5][2] = {{0.5, 0.5}, {0.5, 0}, {0, 0.5}, {1, 0.5}, {0.5, 1}};
    for (int m = 0; m < 5; m++) {
        const double u = middles[m][0], v = middles[m][1];
        struct node wanted = between(b, u, v);
        struct node node = node_at(filler, b->left + u * (b->right - b->left), b->top + v * (b->bottom - b->top));
        if (!node.there) return false;
        turn_to(filler, &wanted, &node);
        const double off_i = node.i - wanted.i, off_j = node.j - wanted.j;
        if (off_i * off_i / span[0] + off_j * off_j / span[1] > tolerance * tolerance) return false;
    }
    return true;
}

static void fill_even(struct filler *filler, const struct block *b) {
    const double width = b->right - b->left, height = b->bottom - b->top;
    for (unsigned row = b->top; row <= b->bottom; row++) {
        const struct node first = between(b, 0, (row - b->top) / height), last = between(b, 1, (row - b->top) / height);
        const double step_i = (last.i - first.i) / width, step_j = (last.j - first.j) / width;
        for (unsigned column = b->left; column <= b->right; column++)
            store(filler, column, row, first.i + step_i * (column - b->left), first.j + step_j * (column - b->left));
    }
}

static void fill_exact(struct filler *filler, const struct block *b) {
    for (unsigned row = b->top; row <= b->bottom; row++)
        for (unsigned column = b->left; column <= b->right; column++) {
            const struct node node = node_at(filler, column, row);
            store(filler, column, row, node.there ? node.i : NAN, node.j);
        }
}

static void fill_missing(struct filler *filler, const struct block *b) {
    for (unsigned row = b->top; row <= b->bottom; row++)
        for (unsigned column = b->left; column <= b->right; column++) store(filler, column, row, NAN, NAN);
}

static void fill(struct filler *filler, struct block *b, bool may_be_missing);

static void divide(struct filler *filler, const struct block *b, bool may_be_missing) {
    const unsigned across[3] = {b->left, (b->left + b->right) / 2, b->right}, down[3] = {b->top, (b->top + b->bottom) / 2, b->bottom};
    struct node nodes[3][3];
    for (int v = 0; v < 3; v++)
        for (int u = 0; u < 3; u++) nodes[v][u] = u != 1 && v != 1 ? b->corners[u / 2 + v] : node_at(filler, across[u], down[v]);
    for (int v = 0; v < 2; v++)
        for (int u = 0; u < 2; u++) {
            struct block part = {across[u], down[v], across[u + 1], down[v + 1], {nodes[v][u], nodes[v][u + 1], nodes[v + 1][u], nodes[v + 1][u + 1]}};
            fill(filler, &part, may_be_missing);
        }
}

static void fill(struct filler *filler, struct block *b, bool may_be_missing) {
    const unsigned width = b->right - b->left, height = b->bottom - b->top;
    const bool none = !b->corners[0].there && !b->corners[1].there && !b->corners[2].there && !b->corners[3].there;
    if (none && may_be_missing && !node_at(filler, b->left + width * 0.5, b->top + height * 0.5).there) fill_missing(filler, b);
    else if (width <= EXACT || height <= EXACT) fill_exact(filler, b);
    else if (is_even(filler, b)) fill_even(filler, b);
    else divide(filler, b, may_be_missing || !none);
}

// Blocks that the outline of a curvilinear grid goes through: a small one might lie between all corners.
static void mark_outline(struct filler *filler) {
    const struct grid *grid = filler->maker->grid;
    const double last_x = (double)grid->x.n - 1, last_y = (double)grid->y.n - 1;
    for (int n = 0; n < OUTLINE; n++) {
        const double along = (n % (OUTLINE / 4)) / (OUTLINE / 4.0);
        const int side = n / (OUTLINE / 4);
        double lon, lat, x, y, column, row;
        const double i = side < 2 ? along * last_x : side == 2 ? 0 : last_x, j = side >= 2 ? along * last_y : side == 0 ? 0 : last_y;
        if (grid_to_lonlat(grid, i, j, &lon, &lat) != VIRGA_OK || map_crs_from_lonlat(filler->maker->frame->crs, lon, lat, &x, &y) != VIRGA_OK) continue;
        map_frame_pixel(filler->maker->frame, x, y, &column, &row);
        if (!(column >= 0 && row >= 0 && column < filler->places->width && row < filler->places->height)) continue;
        filler->divided[(size_t)row / BLOCK * filler->block_columns + (size_t)column / BLOCK] = 1;
    }
}

static int rising(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

// Columns from one pixel to another one; of a grid that wraps on the shorter way.
static void span_between(const struct map_places *places, const float *from, const float *to, double span[2]) {
    span[0] = (double)to[0] - (double)from[0];
    span[1] = (double)to[1] - (double)from[1];
    if (places->wraps) span[0] = remainder(span[0], (double)places->nx);
}

// By the columns that a pixel covers, the median of some.
static bool find_spacing(struct map_places *places) {
    if (places->width < 2 || places->height < 2) return true;
    double *areas = malloc(SAMPLES * sizeof *areas);
    if (!areas) return false;
    const size_t width = places->width, pixels = width * (places->height - 1), stride = pixels / SAMPLES + 1;
    size_t count = 0;
    for (size_t p = 0; p < pixels && count < SAMPLES; p += stride) {
        if ((p + 1) % width == 0) continue;
        const float *at = places->at[p];
        double right[2], down[2];
        span_between(places, at, places->at[p + 1], right);
        span_between(places, at, places->at[p + width], down);
        const double area = fabs(right[0] * down[1] - right[1] * down[0]);
        if (!isnan(area)) areas[count++] = area;
    }
    qsort(areas, count, sizeof *areas, rising);
    if (count > 0) places->spacing = sqrt(areas[count / 2]);
    free(areas);
    return true;
}

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

bool map_places_fill(const struct map_places_maker *maker) {
    struct map_places *places = maker->places;
    struct filler filler = {.maker = maker, .places = places, .block_columns = (places->width + BLOCK - 1) / BLOCK};
    const size_t block_rows = (places->height + BLOCK - 1) / BLOCK, across = filler.block_columns + 1;
    filler.divided = calloc(filler.block_columns * block_rows, 1);
    struct node *nodes = malloc(across * (block_rows + 1) * sizeof *nodes);
    bool fine = filler.divided && nodes;
    if (fine) {
        if (grid_is_curvilinear(maker->grid)) mark_outline(&filler);
        for (size_t v = 0; v <= block_rows; v++)
            for (size_t u = 0; u < across; u++)
                nodes[v * across + u] = node_at(&filler, least((unsigned)u * BLOCK, places->width - 1), least((unsigned)v * BLOCK, places->height - 1));
        for (size_t v = 0; v < block_rows; v++)
            for (size_t u = 0; u < filler.block_columns; u++) {
                const struct node *c = &nodes[v * across + u];
                struct block block = {(unsigned)u * BLOCK, (unsigned)v * BLOCK, least((unsigned)(u + 1) * BLOCK, places->width - 1),
                                      least((unsigned)(v + 1) * BLOCK, places->height - 1), {c[0], c[1], c[across], c[across + 1]}};
                fill(&filler, &block, !filler.divided[v * filler.block_columns + u]);
            }
        fine = find_spacing(places);
    }
    free(nodes);
    free(filler.divided);
    return fine;
}
