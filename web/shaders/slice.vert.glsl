#version 300 es
// SPDX-License-Identifier: Apache-2.0
precision highp float;
in vec3 position;   // scene km, height not exaggerated
in vec2 where;      // fractional indices of the grid
uniform mat4 all;
uniform float exaggeration;
out vec2 ij;
void main() {
    ij = where;
    gl_Position = all * vec4(position.xy, position.z * exaggeration, 1.0);
}
