#version 300 es
// SPDX-License-Identifier: Apache-2.0
precision highp float;
in float across;
uniform float width;
uniform vec4 ink;
out vec4 colour;
void main() {
    float cover = clamp(width + 0.5 - abs(across), 0.0, 1.0);
    colour = vec4(ink.rgb, 1.0) * ink.a * cover;
}
