#version 300 es
// SPDX-License-Identifier: Apache-2.0
precision highp float;
in vec3 position;   // scene km, height not exaggerated
in vec3 normal;     // of the true shape: slopes along X and Y; 1, or 0 where the height is as shown, not exaggerated
in vec3 where;       // on Earth: longitude and latitude, or a direction
uniform mat4 all;
uniform float exaggeration;
out vec3 at;
out vec3 slope;
out vec3 place;
void main() {
    at = position;
    slope = normal;
    place = where;
    gl_Position = all * vec4(position.xy, position.z * (normal.z > 0.5 ? exaggeration : 1.0), 1.0);
}
