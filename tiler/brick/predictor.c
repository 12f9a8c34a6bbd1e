// SPDX-License-Identifier: Apache-2.0
#include "brick/predictor.h"

#include <math.h>
#include <string.h>

#include "brick/brick_key.h"
#include "base/multiversion.h"

// Unsigned, so that overflow wraps.
struct neighbours {  // rows of d; a row outside the box is all zeros
    const uint32_t *here, *south, *below, *south_below;
};

static const uint32_t ZEROS[BRICK_MAX_SIDE];

static struct neighbours neighbours_of(const uint32_t size[3], const int32_t *d, uint32_t y, uint32_t z) {
    const size_t nx = size[0], plane = nx * size[1];
    const uint32_t *row = (const uint32_t *)d + z * plane + y * nx;
    return (struct neighbours){
        .here = row,
        .south = y ? row - nx : ZEROS,
        .below = z ? row - plane : ZEROS,
        .south_below = y && z ? row - plane - nx : ZEROS,
    };
}

static inline uint32_t lorenzo(const struct neighbours *n, uint32_t x) {
    return n->here[x - 1] + n->south[x] + n->below[x] - n->south[x - 1] - n->below[x - 1] - n->south_below[x] +
           n->south_below[x - 1];
}

static inline uint32_t lorenzo_first(const struct neighbours *n) { return n->south[0] + n->below[0] - n->south_below[0]; }

static inline uint32_t weighted(const struct neighbours *n, const int16_t w[PREDICTOR_WEIGHTS], uint32_t x) {
    uint32_t sum = (uint32_t)w[0] * n->here[x - 1] + (uint32_t)w[1] * n->south[x] + (uint32_t)w[2] * n->below[x] +
                   (uint32_t)w[3] * n->south[x - 1] + (uint32_t)w[4] * n->below[x - 1] +
                   (uint32_t)w[5] * n->south_below[x] + (uint32_t)w[6] * n->south_below[x - 1] + (uint32_t)w[7];
    return (uint32_t)((int32_t)sum >> 8);
}

static inline int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }
static inline int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }

static inline uint32_t median(const struct neighbours *n, uint32_t x) {
    int32_t w = (int32_t)n->here[x - 1], s = (int32_t)n->south[x], c = (int32_t)(n->here[x - 1] + n->south[x] - n->south[x - 1]);
    return (uint32_t)larger(smaller(w, s), smaller(larger(w, s), c));
}

MULTIVERSION
static void lorenzo_row(const struct neighbours *n, uint32_t nx, uint32_t *row) {
    const struct neighbours m = *n;
    row[0] = zigzag(m.here[0] - lorenzo_first(&m));
    for (uint32_t x = 1; x < nx; x++) row[x] = zigzag(m.here[x] - lorenzo(&m, x));
}

MULTIVERSION
static void weighted_row(const struct neighbours *n, uint32_t nx, const int16_t w[PREDICTOR_WEIGHTS], uint32_t *row) {
    const struct neighbours m = *n;
    row[0] = zigzag(m.here[0] - lorenzo_first(&m));
    for (uint32_t x = 1; x < nx; x++) row[x] = zigzag(m.here[x] - weighted(&m, w, x));
}

MULTIVERSION
static void median_row(const struct neighbours *n, uint32_t nx, bool first_row, uint32_t *row) {
    const struct neighbours m = *n;
    row[0] = zigzag(m.here[0] - (first_row ? m.below[0] : m.south[0]));
    if (first_row)
        for (uint32_t x = 1; x < nx; x++) row[x] = zigzag(m.here[x] - m.here[x - 1]);
    else
        for (uint32_t x = 1; x < nx; x++) row[x] = zigzag(m.here[x] - median(&m, x));
}

MULTIVERSION
static void plain_row(const uint32_t *here, const uint32_t *prediction, uint32_t nx, uint32_t *row) {
    for (uint32_t x = 0; x < nx; x++) row[x] = zigzag(here[x] - prediction[x]);
}

void predictor_row(const struct predictor *predictor, const uint32_t size[3], const int32_t *d, uint32_t y, uint32_t z,
                   uint32_t *row) {
    const struct neighbours n = neighbours_of(size, d, y, z);
    switch (predictor->kind) {
    case PREDICTOR_LORENZO: lorenzo_row(&n, size[0], row); break;
    case PREDICTOR_MEDIAN: median_row(&n, size[0], y == 0, row); break;
    case PREDICTOR_KEY: plain_row(n.here, (const uint32_t *)predictor->key + (n.here - (const uint32_t *)d), size[0], row); break;
    case PREDICTOR_WEIGHTED:
        if (y && z)
            weighted_row(&n, size[0], predictor->weights, row);
        else
            lorenzo_row(&n, size[0], row);
        break;
    default: plain_row(n.here, ZEROS, size[0], row); break;
    }
}

int32_t predictor_held(const uint32_t size[3], const int32_t *d, uint32_t x, uint32_t y, uint32_t z) {
    const size_t nx = size[0], plane = nx * size[1], s = z * plane + y * nx + x;
    return x ? d[s - 1] : y ? d[s - nx] : z ? d[s - plane] : 0;
}

static uint32_t predicted(const struct predictor *p, const struct neighbours *n, size_t s, uint32_t x, uint32_t y,
                          uint32_t z) {
    switch (p->kind) {
    case PREDICTOR_WEIGHTED:
        if (x && y && z) return weighted(n, p->weights, x);
        return x ? lorenzo(n, x) : lorenzo_first(n);
    case PREDICTOR_LORENZO: return x ? lorenzo(n, x) : lorenzo_first(n);
    case PREDICTOR_MEDIAN:
        if (!x) return y ? n->south[0] : n->below[0];
        return y ? median(n, x) : n->here[x - 1];
    case PREDICTOR_KEY: return (uint32_t)p->key[s];
    default: return 0;
    }
}

void predictor_restore(const struct predictor *predictor, const uint32_t size[3], const uint32_t *residual,
                       const uint8_t *present, int32_t *d) {
    size_t s = 0;
    for (uint32_t z = 0; z < size[2]; z++)
        for (uint32_t y = 0; y < size[1]; y++) {
            const struct neighbours n = neighbours_of(size, d, y, z);
            for (uint32_t x = 0; x < size[0]; x++, s++)
                if (!present || present[s >> 3] >> (s & 7) & 1)
                    d[s] = (int32_t)(predicted(predictor, &n, s, x, y, z) + unzigzag(residual[s]));
                else
                    d[s] = predictor_held(size, d, x, y, z);
        }
}

// Fitting: the target less its western neighbour, by the other six less the same, and a constant.
enum { UNKNOWNS = 7, COLUMNS = UNKNOWNS + 1, LANES = 8, ROW_PADDED = (BRICK_MAX_SIDE + LANES - 1) / LANES * LANES };

struct fit_rows {
    float column[COLUMNS][ROW_PADDED];
};

MULTIVERSION
static void fit_gather(const struct neighbours *n, uint32_t nx, struct fit_rows *rows) {
    const uint32_t *h = n->here, *s = n->south, *b = n->below, *sb = n->south_below;
    for (uint32_t x = 1; x < nx; x++) {
        const uint32_t west = h[x - 1];
        rows->column[0][x] = (float)(int32_t)(s[x] - west);
        rows->column[1][x] = (float)(int32_t)(b[x] - west);
        rows->column[2][x] = (float)(int32_t)(s[x - 1] - west);
        rows->column[3][x] = (float)(int32_t)(b[x - 1] - west);
        rows->column[4][x] = (float)(int32_t)(sb[x] - west);
        rows->column[5][x] = (float)(int32_t)(sb[x - 1] - west);
        rows->column[6][x] = 1;
        rows->column[7][x] = (float)(int32_t)(h[x] - west);
    }
}

MULTIVERSION
static void fit_accumulate(const struct fit_rows *rows, double normal[UNKNOWNS][COLUMNS]) {
    for (int i = 0; i < UNKNOWNS; i++)
        for (int j = i; j < COLUMNS; j++) {
            float lane[LANES] = {0};
            for (int x = 0; x < ROW_PADDED; x += LANES)
                for (int l = 0; l < LANES; l++) lane[l] += rows->column[i][x + l] * rows->column[j][x + l];
            double sum = 0;
            for (int l = 0; l < LANES; l++) sum += (double)lane[l];
            normal[i][j] += sum;
        }
}

// Gauss–Cholesky on the upper triangle of a symmetric matrix with the right-hand side in its last column.
static bool solve(double m[UNKNOWNS][COLUMNS], double *x) {
    double scale = 0;
    for (int i = 0; i < UNKNOWNS; i++) scale += m[i][i];
    for (int i = 0; i < UNKNOWNS; i++) m[i][i] += 1e-6 * scale / UNKNOWNS;  // the six may depend on each other
    for (int i = 0; i < UNKNOWNS; i++) {
        if (!(m[i][i] > 0)) return false;
        for (int r = i + 1; r < UNKNOWNS; r++) {
            const double factor = m[i][r] / m[i][i];
            for (int c = r; c < COLUMNS; c++) m[r][c] -= factor * m[i][c];
        }
    }
    for (int i = UNKNOWNS - 1; i >= 0; i--) {
        x[i] = m[i][UNKNOWNS];
        for (int c = i + 1; c < UNKNOWNS; c++) x[i] -= m[i][c] * x[c];
        x[i] /= m[i][i];
    }
    return true;
}

static bool to_weights(const double *x, int16_t w[PREDICTOR_WEIGHTS]) {
    int west = 256;
    for (int i = 0; i < 6; i++) {
        if (!(fabs(x[i]) < 16)) return false;
        w[i + 1] = (int16_t)lrint(x[i] * 256);
        west -= w[i + 1];
    }
    if (!(fabs(x[6]) < 100) || west != (int16_t)west) return false;
    w[0] = (int16_t)west;
    w[7] = (int16_t)(lrint(x[6] * 256) + 128);
    return true;
}

bool predictor_fit(struct predictor *predictor, const uint32_t size[3], const int32_t *d) {
    if (size[0] < 2 || size[1] < 2 || size[2] < 2) return false;
    double normal[UNKNOWNS][COLUMNS] = {{0}}, x[UNKNOWNS];
    struct fit_rows rows;
    memset(&rows, 0, sizeof rows);
    const uint32_t every = size[1] * size[2] > 256 ? 8 : 1;
    for (uint32_t z = 1; z < size[2]; z++)
        for (uint32_t y = 1 + (2 * z + 1) % every; y < size[1]; y += every) {
            const struct neighbours n = neighbours_of(size, d, y, z);
            fit_gather(&n, size[0], &rows);
            fit_accumulate(&rows, normal);
        }
    predictor->kind = PREDICTOR_WEIGHTED;
    return solve(normal, x) && to_weights(x, predictor->weights);
}
