#version 300 es
// SPDX-License-Identifier: Apache-2.0
// One slice of the light grid: the share of sunlight that arrives, from the slice above (already done) and what lies between.
precision highp float;
precision highp int;
precision highp sampler3D;

#define BLENDED @BLENDED
#define LAYERS @LAYERS
@DEFINES

uniform vec3 boxLow, boxHigh;
uniform float exaggeration;
uniform vec3 lightDirection;
uniform highp sampler2D transfer;
uniform highp sampler2D above;   // the slice above
uniform vec3 cells;
uniform float slice;

@LAYER_CODE

out vec4 share;

void main() {
    vec2 uv = gl_FragCoord.xy / cells.xy;
    vec3 size = (boxHigh - boxLow) / cells;
    vec3 at = boxLow + vec3(uv * (boxHigh.xy - boxLow.xy), (slice + 0.5) * size.z);
    // Where the ray to the sun passes the slice above.
    float way = size.z / lightDirection.z;
    vec2 from = uv + lightDirection.xy * way / (boxHigh.xy - boxLow.xy);
    float arriving = slice + 1.5 > cells.z || any(lessThan(from, vec2(0.0))) || any(greaterThan(from, vec2(1.0))) ? 1.0 : texture(above, from).r;
    float tau = 0.0;
    vec3 scene = (at + lightDirection * way * 0.5) * vec3(1.0, 1.0, 1.0 / exaggeration);
@TAU_CODE
    share = vec4(arriving * exp(-tau * way / exaggeration * 0.6));
}
