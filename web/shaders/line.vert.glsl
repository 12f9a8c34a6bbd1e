#version 300 es
// SPDX-License-Identifier: Apache-2.0
// Segments as quads of an even width on the screen.
precision highp float;
in vec3 a;
in vec3 b;
in float corner;   // 0, 1: one side of the first and last end; 2, 3: the other
uniform mat4 all;
uniform float exaggeration, width;
uniform vec2 viewport;
out float across;
void main() {
    vec4 p = all * vec4(a.xy, a.z * exaggeration, 1.0), q = all * vec4(b.xy, b.z * exaggeration, 1.0);
    // Cut at the near plane, so that the division below stays sound.
    float near = 1e-4;
    if (p.w < near && q.w < near) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); across = 0.0; return; }
    if (p.w < near) p = mix(p, q, (near - p.w) / (q.w - p.w));
    if (q.w < near) q = mix(q, p, (near - q.w) / (p.w - q.w));
    vec2 s = p.xy / p.w * viewport, e = q.xy / q.w * viewport, along = e - s;
    along = length(along) > 1e-6 ? normalize(along) : vec2(1.0, 0.0);
    bool last = corner == 1.0 || corner == 3.0;
    float sideways = corner < 1.5 ? 1.0 : -1.0;
    vec4 c = last ? q : p;
    across = sideways * (width + 1.0);
    vec2 shift = vec2(-along.y, along.x) * across + along * (last ? 0.5 : -0.5);
    gl_Position = vec4(c.xy + shift / viewport * c.w, c.z - 2e-5 * c.w, c.w);
}
