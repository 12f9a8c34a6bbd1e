#version 300 es
// SPDX-License-Identifier: Apache-2.0
// The picture: sky, ground and lines, and the volume over them.
precision highp float;
uniform sampler2D ground;   // premultiplied
uniform sampler2D volume;   // premultiplied, perhaps smaller
uniform vec2 viewport;
uniform vec2 share, groundShare; // parts of those textures in use
uniform vec3 skyTop, skyLow;
uniform float smoothing;   // 1: even out the grain
out vec4 colour;

void main() {
    vec2 uv = gl_FragCoord.xy / viewport;
    vec3 sky = mix(skyLow, skyTop, smoothstep(0.0, 1.0, uv.y));
    vec4 below = texture(ground, uv * groundShare);
    // Neighbours' jitters differ evenly; a small cross of them evens out the grain.
    vec2 texel = 1.0 / vec2(textureSize(volume, 0)), at = uv * share, last = share - 0.5 * texel;
    vec4 over = texture(volume, at);
    if (smoothing > 0.5) over = 0.32 * over + 0.17 * (texture(volume, min(at + vec2(texel.x, 0.0), last)) + texture(volume, max(at - vec2(texel.x, 0.0), 0.5 * texel))
        + texture(volume, min(at + vec2(0.0, texel.y), last)) + texture(volume, max(at - vec2(0.0, texel.y), 0.5 * texel)));
    vec3 c = sky * (1.0 - below.a) + below.rgb;
    c = c * (1.0 - over.a) + over.rgb;
    // A pixel's hash keeps broad gradients from showing 8-bit bands.
    uvec2 p = uvec2(gl_FragCoord.xy);
    uint h = (p.x * 1597334677u) ^ (p.y * 3812015801u);
    h = (h ^ (h >> 15)) * 2246822519u;
    colour = vec4(c + (float(h >> 8) / 16777216.0 - 0.5) / 255.0, 1.0);
}
