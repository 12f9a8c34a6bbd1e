// SPDX-License-Identifier: Apache-2.0
// One layer (@N is its number): from a place in the scene to fractional indices, and from those to a value.
// The same formulas in doubles: data/geometry.js. KIND@N: 0 no level map (2-D), 1 flat, 2 by surface, 3 coarse.
uniform highp sampler3D atlas@N;      // value × presence (and presence): residuals from the middle of each brick
uniform highp usampler3D page@N;      // for each brick of the finest level: where its finest resident brick is
uniform highp sampler2D levels@N;     // the level map's table: row = column of the table; level, and change to the next node.
                                      // Coarse: blocks of columns, one a level; height, and distance to the next level; then guesses
uniform highp sampler2D columns@N;    // per grid column: base, parameter (coarse: stretch), ground; or one number where they are the same
uniform highp sampler2D axes@N;       // irregular axes: rows x values, y values, x guess, y guess
uniform vec4 indexOf@N;               // i = X * x + y, j = Y * z + w (regular axes)
uniform vec4 guess@N;                 // irregular axes: first scene coordinate and guesses per km, along x and y
uniform vec3 size@N;                  // nx, ny, nz
uniform vec4 map@N;                   // bottom, scale, 1 / log span (coarse: guesses / log span), nodes (guesses) - 1
uniform vec4 table@N;                 // parameter start, 1 / parameter step (coarse: columns of a block, first row of guesses), columns x, columns y
uniform float coarseStep@N;
uniform int fold@N;                   // columns (coarse: blocks) of the level table side by side in a row of the texture
uniform vec3 scale@N[16];             // voxels of the model's grid in one voxel of a pyramid level
uniform vec3 texel@N;                 // 1 / atlas size
uniform ivec3 bricks@N;               // bricks of the finest level
uniform ivec2 slots@N;                // page layers where the two time slots begin
uniform float blend@N;                // share of the second time slot
uniform vec2 lookup@N;                // place in the transfer table = q * x + y (0 … 1)

struct Place@N {
    vec3 ijk;      // fractional indices
    vec3 density;  // voxels a kilometre along X, Y and (not exaggerated) Z
    bool inside;
    bool above;    // above the top level: nothing further up
};

#if IRREGULAR@N
float axisIndex@N(int row, float at, float first, float rate, float n, out float density) {
    int m = int(n);
    int g = clamp(int((at - first) * rate), 0, 4095);
    int i0 = clamp(int(texelFetch(axes@N, ivec2(g, row + 2), 0).r), 0, max(m - 2, 0));
    float v0 = texelFetch(axes@N, ivec2(i0, row), 0).r, v1 = texelFetch(axes@N, ivec2(i0 + 1, row), 0).r;
    for (int turn = 0; turn < 3; turn++) {
        if (at >= v1 && i0 < m - 2) { i0++; v0 = v1; v1 = texelFetch(axes@N, ivec2(i0 + 1, row), 0).r; }
        else if (at < v0 && i0 > 0) { i0--; v1 = v0; v0 = texelFetch(axes@N, ivec2(i0, row), 0).r; }
    }
    density = 1.0 / (v1 - v0);
    return float(i0) + (at - v0) * density;
}
#endif

#if KIND@N == 1 || KIND@N == 2
// Level and its change with u (a node is one unit) in one column of the table, or between two where the table is filtered.
#if FILTERED@N
vec2 levelAt@N(float column, float u) { return texture(levels@N, vec2((u + 0.5) / (map@N.w + 1.0), (column + 0.5) / table@N.z)).rg; }
#else
vec2 tableAt@N(int column, float u) {
    float at = min(floor(u), map@N.w - 1.0);
    ivec2 node = ivec2(int(at) + (column % fold@N) * int(map@N.w + 1.5), column / fold@N);
    vec2 k = texelFetch(levels@N, node, 0).rg;
    return vec2(k.x + k.y * (u - at), k.y);
}
#endif
#elif KIND@N == 3
// The two table columns around an index, and the share of the second.
vec3 coarseAt@N(float index, float count, float n) {
    float c0 = clamp(floor(index / coarseStep@N), 0.0, max(0.0, count - 2.0));
    float c1 = min(c0 + 1.0, count - 1.0);
    float first = c0 == count - 1.0 ? n - 1.0 : c0 * coarseStep@N, last = c1 == count - 1.0 ? n - 1.0 : c1 * coarseStep@N;
    return vec3(c0, c1, last > first ? clamp((index - first) / (last - first), 0.0, 1.0) : 0.0);
}

// Height of a whole level over the base and its distance from the next one, between four columns of the table.
vec2 heightAt@N(float level, vec3 a, vec3 b) {
    int k = int(level);
    vec2 corner = vec2(k % fold@N, k / fold@N) * table@N.xw;
#if FILTERED@N
    vec2 at = corner + vec2(mix(a.x, a.y, a.z), mix(b.x, b.y, b.z)) + 0.5;
    return texture(levels@N, at / vec2(textureSize(levels@N, 0))).rg;
#else
    ivec2 low = ivec2(corner + vec2(a.x, b.x) + 0.5), high = ivec2(corner + vec2(a.y, b.y) + 0.5);
    return mix(mix(texelFetch(levels@N, low, 0).rg, texelFetch(levels@N, ivec2(high.x, low.y), 0).rg, a.z),
               mix(texelFetch(levels@N, ivec2(low.x, high.y), 0).rg, texelFetch(levels@N, high, 0).rg, a.z), b.z);
#endif
}

// Fractional level of a height r over the base, and its change a metre of r: from a guess by the mean column to the level below r.
vec2 searchLevel@N(float r, vec2 ij) {
#if WRAPS@N
    // The first column follows the last.
    vec3 a = ij.x > size@N.x - 1.0 ? vec3(table@N.z - 1.0, table@N.z, ij.x - size@N.x + 1.0) : coarseAt@N(ij.x, table@N.z, size@N.x);
#else
    vec3 a = coarseAt@N(ij.x, table@N.z, size@N.x);
#endif
    vec3 b = coarseAt@N(ij.y, table@N.w, size@N.y);
    int g = int(clamp(log(max(1.0 + (r - map@N.x) / map@N.y, 1e-6)) * map@N.z, 0.0, map@N.w)), across = fold@N * int(table@N.x + 0.5);
    float level = texelFetch(levels@N, ivec2(g % across, int(table@N.y + 0.5) + g / across), 0).r;
    float low = 0.0, high = size@N.z - 2.0, more;
    vec2 height;
    for (int turn = 0; turn < 16; turn++) {
        height = heightAt@N(level, a, b);
        more = (r - height.x) / max(height.y, 1e-6);
        if (more < 0.0 && level > low) { high = level - 1.0; level = clamp(level + floor(more), low, high); }
        else if (more >= 1.0 && level < high) { low = level + 1.0; level = clamp(level + floor(more), low, high); }
        else break;
    }
    return vec2(level + more, 1.0 / max(height.y, 1e-6));
}
#endif

// Base, parameter and ground at fractional (i, j).
vec3 columnAt@N(vec2 ij) {
#if COLUMNS@N == 2
    vec3 found = texture(columns@N, (ij + 0.5) / size@N.xy).rgb;
#if ONE_COLUMN@N
    return found.rrr;
#else
    return found;
#endif
#elif COLUMNS@N == 1
    ivec2 n = ivec2(size@N.xy);
    ivec2 p0 = ivec2(floor(ij));
    vec2 f = ij - vec2(p0);
    ivec2 p1;
#if WRAPS@N
    p0.x = p0.x < 0 ? p0.x + n.x : p0.x >= n.x ? p0.x - n.x : p0.x;
    p1.x = p0.x + 1 >= n.x ? 0 : p0.x + 1;
#else
    p0.x = clamp(p0.x, 0, max(0, n.x - 2));
    f.x = clamp(ij.x - float(p0.x), 0.0, 1.0);
    p1.x = min(p0.x + 1, n.x - 1);
#endif
    p0.y = clamp(p0.y, 0, max(0, n.y - 2));
    f.y = clamp(ij.y - float(p0.y), 0.0, 1.0);
    p1.y = min(p0.y + 1, n.y - 1);
    vec3 low = mix(texelFetch(columns@N, p0, 0).rgb, texelFetch(columns@N, ivec2(p1.x, p0.y), 0).rgb, f.x);
    vec3 high = mix(texelFetch(columns@N, ivec2(p0.x, p1.y), 0).rgb, texelFetch(columns@N, p1, 0).rgb, f.x);
#if ONE_COLUMN@N
    return vec3(mix(low.r, high.r, f.y));
#else
    return mix(low, high, f.y);
#endif
#else
    return vec3(0.0);
#endif
}

// Columns only: (i, j) and voxels a kilometre; inside the grid's edges.
bool columnOf@N(vec2 at, out vec2 ij, out vec2 density) {
#if IRREGULAR@N
    ij.x = axisIndex@N(0, at.x, guess@N.x, guess@N.y, size@N.x, density.x);
    ij.y = axisIndex@N(1, at.y, guess@N.z, guess@N.w, size@N.y, density.y);
#else
    ij = at * indexOf@N.xz + indexOf@N.yw;
    density = indexOf@N.xz;
#endif
#if WRAPS@N
    ij.x -= floor(ij.x / size@N.x) * size@N.x;
    bool inside = ij.y >= -1e-4 && ij.y <= size@N.y - 1.0 + 1e-4;
    ij.y = clamp(ij.y, 0.0, size@N.y - 1.0);
#else
    vec2 reach = vec2(size@N.x > 1.0 ? 1e-4 : 0.5, size@N.y > 1.0 ? 1e-4 : 0.5);
    bool inside = all(greaterThanEqual(ij, -reach)) && all(lessThanEqual(ij, size@N.xy - 1.0 + reach));
    ij = clamp(ij, vec2(0.0), size@N.xy - 1.0);
#endif
    return inside;
}

// scene: kilometres, height not exaggerated.
Place@N placeOf@N(vec3 scene) {
    Place@N place;
    vec2 ij, density;
    place.inside = columnOf@N(scene.xy, ij, density);
    place.above = false;
    place.ijk = vec3(ij, 0.0);
    place.density = vec3(density, 0.0);
#if KIND@N > 0
    vec3 column = columnAt@N(ij);
    float h = scene.z * 1000.0;
#if KIND@N == 3
    vec2 k = searchLevel@N((h - column.x) / column.y, ij);
    place.density.z = 1000.0 * k.y / column.y;
#else
    float r = 1.0 + (h - column.x - map@N.x) / map@N.y;
    float share = log(max(r, 1e-6)) * map@N.z, u = clamp(share, 0.0, 1.0) * map@N.w;
#if KIND@N == 1
#if FILTERED@N
    vec2 k = levelAt@N(0.0, u);
#else
    vec2 k = tableAt@N(0, u);
#endif
#elif KIND@N == 2
    float c = clamp((column.y - table@N.x) * table@N.y, 0.0, table@N.z - 1.0);
#if FILTERED@N
    vec2 k = levelAt@N(c, u);
#else
    float c0 = min(floor(c), max(0.0, table@N.z - 2.0));
    vec2 k = mix(tableAt@N(int(c0), u), tableAt@N(int(min(c0 + 1.0, table@N.z - 1.0)), u), c - c0);
#endif
#endif
    place.above = share > 1.00001;  // the table ends there
    // dk/dh = dk/du du/dh, a kilometre at a time
    place.density.z = k.y * map@N.w * map@N.z / (map@N.y * max(r, 1e-6)) * 1000.0;
#endif
    place.above = place.above || k.x > size@N.z - 1.0;
    place.inside = place.inside && h >= column.z - 0.01 && !place.above;
    place.ijk.z = clamp(k.x, 0.0, size@N.z - 1.0);
#endif
    return place;
}

struct Brick@N {
    uint kind;     // 0 nothing, 1 constant, 2 texels
    vec3 scale;    // of its pyramid level
    vec3 origin;   // atlas texels = voxel index at its level + origin
    float middle;  // lattice integer that texel 0 means
    float unit;    // lattice integers a texel unit means
};

// Of the finest level.
ivec3 brickIndex@N(vec3 ijk) { return clamp(ivec3(floor((ijk + 0.5) / 32.0)), ivec3(0), bricks@N - 1); }

// The brick to read for a brick of the finest level.
Brick@N brickOf@N(ivec3 b, int slot) {
    Brick@N brick;
    uvec4 entry = texelFetch(page@N, b + ivec3(0, 0, slot), 0);
    brick.kind = entry.y & 255u;
    brick.scale = scale@N[int(entry.y >> 8 & 255u)];
    brick.middle = float(int(entry.z));
    brick.unit = float(1u << (entry.y >> 16));
    vec3 first = floor((vec3(b) + 0.01) / brick.scale) * 32.0;
    brick.origin = vec3(float(entry.x & 2047u), float(entry.x >> 11 & 2047u), float(entry.x >> 22)) + 1.5 - first;
    return brick;
}

// Fractional level-0 indices in, lattice integer out. Absent where less than half of the weight is present.
bool texelAt@N(Brick@N brick, vec3 ijk, out float q) {
    vec3 at = (ijk + 0.5) / brick.scale - 0.5 + brick.origin;
#if MASKED@N
    vec2 found = texture(atlas@N, at * texel@N).rg;
    q = brick.middle + brick.unit * found.r / max(found.g, 1e-3);
    return found.g >= 0.5;
#else
    q = brick.middle + brick.unit * texture(atlas@N, at * texel@N).r;
    return true;
#endif
}

vec3 wrapped@N(vec3 ijk) {
#if WRAPS@N
    // The last half cell belongs to the first brick's border, so that one brick holds all eight neighbours.
    if (ijk.x >= size@N.x - 0.5) ijk.x -= size@N.x;
#endif
    return ijk;
}

bool valueIn@N(Brick@N brick, vec3 ijk, out float q) {
    q = brick.middle;
    if (brick.kind == 0u) return false;
    if (brick.kind == 1u) return true;
    return texelAt@N(brick, ijk, q);
}

// The value at fractional indices (wrapped), as a lattice integer, with the two time slots blended. brick: of the first slot.
bool valueWith@N(Brick@N brick, vec3 ijk, out float q) {
    bool present = valueIn@N(brick, ijk, q);
#if BLENDED
    if (blend@N > 0.0) {
        float later;
        bool also = valueIn@N(brickOf@N(brickIndex@N(ijk), slots@N.y), ijk, later);
        if (also) q = present ? mix(q, later, blend@N) : later;
        present = blend@N < 0.5 ? present : also;
    }
#endif
    return present;
}

bool valueAt@N(vec3 ijk, out float q) {
    ijk = wrapped@N(ijk);
    return valueWith@N(brickOf@N(brickIndex@N(ijk), slots@N.x), ijk, q);
}
