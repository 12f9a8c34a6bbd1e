#version 300 es
// SPDX-License-Identifier: Apache-2.0
// A slice: the colour of the value at each point, lit evenly; clear where it is missing. As render/slice_draw.c.
precision highp float;
precision highp int;
in vec2 ij;
uniform highp sampler2D transfer;
uniform highp sampler2D values;   // of the plane; below -3e38 where missing
uniform vec2 size;                // of it
uniform float scale;              // columns of the grid in one of its values
uniform float wraps;
uniform float turns;              // 1: values are directions in degrees
uniform vec2 lookup;              // place in the table = value * x + y
uniform float row;
uniform vec3 lit;
out vec4 colour;

float at(ivec2 place) { return texelFetch(values, place, 0).r; }

void main() {
    vec2 last = size - 1.0, own = scale > 1.0 ? (ij + 0.5) / scale - 0.5 : ij;
    if (wraps > 0.5 && own.x < 0.0) own.x += size.x;
    own = clamp(own, vec2(0.0), vec2(wraps > 0.5 ? size.x : last.x, last.y));
    ivec2 low = ivec2(floor(own)), n = ivec2(size), high = low + 1;
    vec2 f = own - vec2(low);
    if (low.x >= n.x) { low.x = 0; high.x = 1; }
    high.x = high.x < n.x ? high.x : wraps > 0.5 ? high.x - n.x : low.x;
    high.y = min(high.y, n.y - 1);
    vec4 found = vec4(at(low), at(ivec2(high.x, low.y)), at(ivec2(low.x, high.y)), at(high));
    bvec4 there = greaterThan(found, vec4(-3e38));
    vec4 weight = vec4((1.0 - f.x) * (1.0 - f.y), f.x * (1.0 - f.y), (1.0 - f.x) * f.y, f.x * f.y) * vec4(there);
    float present = weight.x + weight.y + weight.z + weight.w;
    if (present < 0.5 - 1e-6) discard;
    found = mix(vec4(0.0), found, there);
    float value = dot(weight, found) / present;
    if (turns > 0.5) value = mod(degrees(atan(dot(weight, sin(radians(found))), dot(weight, cos(radians(found))))) + 360.0, 360.0);
    vec4 look = texture(transfer, vec2(value * lookup.x + lookup.y, row));
    float alpha = 1.0 - exp(-look.a);
    if (alpha < 1.0 / 255.0) discard;
    colour = vec4(min(look.rgb * lit, 1.0) * alpha, alpha);
}
