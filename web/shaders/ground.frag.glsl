#version 300 es
// SPDX-License-Identifier: Apache-2.0
// Ground: land and sea in quiet colours, tinted by height, lit by the sun through the volumes; 2-D layers lie on it.
precision highp float;
precision highp int;
precision highp sampler3D;

#define BLENDED @BLENDED
#define LAYERS @LAYERS
@DEFINES

in vec3 at;
in vec3 slope;
in vec3 place;
uniform float exaggeration;
uniform vec3 boxLow, boxHigh;
uniform vec3 lightDirection, lightColour, ambientColour, lightRate;
uniform float shadows;
uniform highp sampler3D light;
uniform highp sampler2D transfer;
uniform sampler2D land;       // share of land over longitude and latitude
uniform vec4 landOf;          // texture coordinate = lonlat * xy + zw
uniform vec2 sphere;          // 1, and the meridian of the first axis, where places are directions: around poles and globes of their own
uniform float hasLand;
uniform float tinted;         // 0: no terrain tint
uniform float side;           // 1: the block's sides
uniform float outside;        // 1: what lies around the domain
uniform vec2 reach;           // half size of the domain, km
uniform vec2 middle;
uniform vec3 haze;            // what the world around fades to
out vec4 colour;

@LAYER_CODE

vec3 tint(float h) {
    vec3 c = mix(vec3(0.245, 0.300, 0.250), vec3(0.330, 0.345, 0.265), smoothstep(0.0, 250.0, h));
    c = mix(c, vec3(0.425, 0.390, 0.310), smoothstep(200.0, 900.0, h));
    c = mix(c, vec3(0.520, 0.480, 0.430), smoothstep(800.0, 2000.0, h));
    return mix(c, vec3(0.800, 0.800, 0.800), smoothstep(2200.0, 4200.0, h));
}

// Share of land. Between directions longitude jumps in the picture, at one meridian, where no step of detail may be guessed from neighbours.
float landHere() {
    if (sphere.x < 0.5) return texture(land, place.xy * landOf.xy + landOf.zw).r;
    vec2 lonlat = vec2(sphere.y + degrees(atan(place.y, place.x)), degrees(atan(place.z, length(place.xy))));
    return textureLod(land, lonlat * landOf.xy + landOf.zw, 0.0).r;
}

void main() {
    float h = at.z * 1000.0;
    float isLand = hasLand > 0.5 ? landHere() : (h > 0.5 ? 1.0 : 0.0);
    vec3 sea = vec3(0.095, 0.155, 0.225);
    vec3 c = mix(sea, tinted > 0.5 ? tint(h) : vec3(0.300, 0.320, 0.290), isLand);
    // Relief is shaded at a fixed exaggeration, so that it reads the same however the scene is stretched.
    vec3 normal = normalize(vec3(-slope.xy * 12.0, 1.0));
    vec3 lamp = normalize(vec3(lightDirection.xy, max(lightDirection.z, 0.35)));
    float relief = clamp(dot(normal, lamp) / max(lamp.z, 0.2), 0.35, 1.5);
    if (side > 0.5) { colour = vec4(mix(vec3(0.10, 0.12, 0.14), c * 0.45, 0.5), 1.0); return; }
    if (outside > 0.5) {
        // Under the domain there is only its own ground, which may lie below the sea.
        if (all(lessThan(abs(at.xy - middle), reach))) discard;
        vec2 away = max(abs(at.xy - middle) - reach, 0.0) / max(reach.x, reach.y);
        float fade = 1.0 - smoothstep(0.0, 0.42, length(away));
        c = mix(haze, c * (ambientColour + 0.8 * lightColour), 0.42);
        colour = vec4(c, 1.0) * fade;
        return;
    }
#if LAYERS > 0
    float tau;
    vec4 look;
@DRAPE_CODE
#endif
    float sun = 1.0;
    if (shadows > 0.0) sun = texture(light, (vec3(at.xy, at.z * exaggeration) - boxLow) * lightRate + vec3(0.0, 0.0, 0.012)).r;
    c *= ambientColour * mix(1.0, relief, 0.35) + lightColour * relief * sun;
    colour = vec4(c, 1.0);
}
