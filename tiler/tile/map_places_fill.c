// SPDX-License-Identifier: Apache-2.0
// Places of pixels where the frame's system and the grid have nothing in common. PROJ is asked for nine nodes of a block; where the surface of second
// degree through them is right at four places more, the block is filled from it; else it is divided.
#include <math.h>
#include <stdlib.h>

#include "tile/map_places_private.h"

enum { BLOCK = 32, EXACT = 2, OUTLINE = 256, SAMPLES = 4096 };
static const double tolerance = 1.0 / 16;   // pixels
static const double least_span = 1e-5;      // columns a pixel: below that PROJ's own roundness would count as error

struct node {
    double column, row;  // pixels, whole at their centres
    double i, j;
    bool there;
};

struct block {
    unsigned left, top, right, bottom;  // pixels whose centres are the corners
    struct node nodes[3][3];            // by row and column: sides and middles
};

struct filler {
    const struct map_places_maker *maker;
    struct map_places *places;
    bool based;
    size_t block_columns;
    unsigned char *outlined;  // [blocks] of the first division: where the grid's outline goes through, which must not be taken for empty
};

static struct node node_at(const struct filler *filler, double column, double row) {
    double x, y;
    struct node node = {.column = column, .row = row};
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
static void turn_to(const struct filler *filler, double near, struct node *node) {
    if (filler->places->wraps) node->i = near + remainder(node->i - near, (double)filler->places->nx);
}

// Weights of a parabola through values at 0, 1/2 and 1.
static void weights(double at, double weight[3]) {
    weight[0] = (1 - at) * (1 - 2 * at);
    weight[1] = 4 * at * (1 - at);
    weight[2] = at * (2 * at - 1);
}

// Along a row of the block: i and j at its left, middle and right.
static void row_at(const struct block *b, double v, double i[3], double j[3]) {
    double weight[3];
    weights(v, weight);
    for (int c = 0; c < 3; c++) {
        i[c] = weight[0] * b->nodes[0][c].i + weight[1] * b->nodes[1][c].i + weight[2] * b->nodes[2][c].i;
        j[c] = weight[0] * b->nodes[0][c].j + weight[1] * b->nodes[1][c].j + weight[2] * b->nodes[2][c].j;
    }
}

static void between(const struct block *b, double u, double v, double *i, double *j) {
    double weight[3], row_i[3], row_j[3];
    row_at(b, v, row_i, row_j);
    weights(u, weight);
    *i = weight[0] * row_i[0] + weight[1] * row_i[1] + weight[2] * row_i[2];
    *j = weight[0] * row_j[0] + weight[1] * row_j[1] + weight[2] * row_j[2];
}

// Squares of columns along i and j that a pixel spans in the middle.
static void spans(const struct block *b, double span[2]) {
    const double width = b->right - b->left, height = b->bottom - b->top;
    const struct node *west = &b->nodes[1][0], *east = &b->nodes[1][2], *north = &b->nodes[0][1], *south = &b->nodes[2][1];
    const double i_x = (east->i - west->i) / width, j_x = (east->j - west->j) / width;
    const double i_y = (south->i - north->i) / height, j_y = (south->j - north->j) / height;
    span[0] = fmax(i_x * i_x + i_y * i_y, least_span * least_span);
    span[1] = fmax(j_x * j_x + j_y * j_y, least_span * least_span);
}

static bool is_smooth(const struct filler *filler, struct block *b) {
    double span[2];
    for (int n = 0; n < 9; n++) {
        struct node *node = &b->nodes[n / 3][n % 3];
        if (!node->there || !b->nodes[1][1].there) return false;
        turn_to(filler, b->nodes[1][1].i, node);
    }
    spans(b, span);
    for (int q = 0; q < 4; q++) {
        const double u = q & 1 ? 0.75 : 0.25, v = q & 2 ? 0.75 : 0.25;
        double i, j;
        struct node node = node_at(filler, b->left + u * (b->right - b->left), b->top + v * (b->bottom - b->top));
        if (!node.there) return false;
        between(b, u, v, &i, &j);
        turn_to(filler, i, &node);
        const double off_i = node.i - i, off_j = node.j - j;
        if (!(off_i * off_i / span[0] + off_j * off_j / span[1] <= tolerance * tolerance)) return false;
    }
    return true;
}

static void fill_smooth(struct filler *filler, const struct block *b) {
    const double width = b->right - b->left, height = b->bottom - b->top;
    for (unsigned row = b->top; row <= b->bottom; row++) {
        double i[3], j[3];
        row_at(b, (row - b->top) / height, i, j);
        for (unsigned column = b->left; column <= b->right; column++) {
            double weight[3];
            weights((column - b->left) / width, weight);
            store(filler, column, row, weight[0] * i[0] + weight[1] * i[1] + weight[2] * i[2], weight[0] * j[0] + weight[1] * j[1] + weight[2] * j[2]);
        }
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

static struct node node_of(const struct filler *filler, const struct block *known, double column, double row) {
    for (int n = 0; n < 9; n++) {
        const struct node *node = &known->nodes[n / 3][n % 3];
        if (node->column == column && node->row == row) return *node;
    }
    return node_at(filler, column, row);
}

static void fill(struct filler *filler, struct block *b, bool may_be_missing);

static void divide(struct filler *filler, const struct block *b, bool may_be_missing) {
    const unsigned across[3] = {b->left, (b->left + b->right) / 2, b->right}, down[3] = {b->top, (b->top + b->bottom) / 2, b->bottom};
    for (int p = 0; p < 4; p++) {
        struct block part = {.left = across[p % 2], .top = down[p / 2], .right = across[p % 2 + 1], .bottom = down[p / 2 + 1]};
        for (int n = 0; n < 9; n++)
            part.nodes[n / 3][n % 3] = node_of(filler, b, part.left + 0.5 * (n % 3) * (part.right - part.left),
                                               part.top + 0.5 * (n / 3) * (part.bottom - part.top));
        fill(filler, &part, may_be_missing);
    }
}

static void fill(struct filler *filler, struct block *b, bool may_be_missing) {
    int there = 0;
    for (int n = 0; n < 9; n++) there += b->nodes[n / 3][n % 3].there;
    if (there == 0 && may_be_missing) fill_missing(filler, b);
    else if (b->right - b->left <= EXACT || b->bottom - b->top <= EXACT) fill_exact(filler, b);
    else if (is_smooth(filler, b)) fill_smooth(filler, b);
    else divide(filler, b, may_be_missing || there > 0);
}

// Blocks that the outline of a curvilinear grid goes through: a small one might lie between all nodes.
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
        filler->outlined[(size_t)row / BLOCK * filler->block_columns + (size_t)column / BLOCK] = 1;
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

// The nodes of the first division along an axis of n pixels: sides and middles of blocks.
static double first_node(size_t at, unsigned n) {
    const unsigned left = (unsigned)(at / 2) * BLOCK, right = left + BLOCK < n - 1 ? left + BLOCK : n - 1;
    return at % 2 ? 0.5 * (left + right) : left < n - 1 ? left : n - 1;
}

static void fill_blocks(struct filler *filler, struct node *nodes, size_t block_rows) {
    const struct map_places *places = filler->places;
    const size_t across = 2 * filler->block_columns + 1, down = 2 * block_rows + 1;
    for (size_t v = 0; v < down; v++)
        for (size_t u = 0; u < across; u++) nodes[v * across + u] = node_at(filler, first_node(u, places->width), first_node(v, places->height));
    for (size_t v = 0; v < block_rows; v++)
        for (size_t u = 0; u < filler->block_columns; u++) {
            struct block block = {.left = (unsigned)first_node(2 * u, places->width), .right = (unsigned)first_node(2 * u + 2, places->width),
                                  .top = (unsigned)first_node(2 * v, places->height), .bottom = (unsigned)first_node(2 * v + 2, places->height)};
            for (size_t n = 0; n < 9; n++) block.nodes[n / 3][n % 3] = nodes[(2 * v + n / 3) * across + 2 * u + n % 3];
            fill(filler, &block, !filler->outlined[v * filler->block_columns + u]);
        }
}

bool map_places_fill(const struct map_places_maker *maker) {
    struct map_places *places = maker->places;
    struct filler filler = {.maker = maker, .places = places, .block_columns = (places->width + BLOCK - 1) / BLOCK};
    const size_t block_rows = (places->height + BLOCK - 1) / BLOCK;
    filler.outlined = calloc(filler.block_columns * block_rows, 1);
    struct node *nodes = malloc((2 * filler.block_columns + 1) * (2 * block_rows + 1) * sizeof *nodes);
    bool fine = filler.outlined && nodes;
    if (fine) {
        if (grid_is_curvilinear(maker->grid)) mark_outline(&filler);
        fill_blocks(&filler, nodes, block_rows);
        fine = find_spacing(places);
    }
    free(nodes);
    free(filler.outlined);
    return fine;
}
