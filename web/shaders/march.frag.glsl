#version 300 es
// SPDX-License-Identifier: Apache-2.0
// Marches rays through up to two volumes at once. The rendering equation, in words:
//   A ray's length is counted in kilometres of true height: length in the exaggerated scene / exaggeration. A volume of
//   opacity a per km lets (1 − a)^r of the light through r km, so a step of r km has the opacity 1 − (1 − a)^r; the table
//   holds tau = −log(1 − a), and two volumes in one step add their tau and mix their colours by them.
//   A step is `stepFactor` voxels long along the axis on which the ray passes most voxels (and up to 1.9 times that as the
//   light that comes through fades), by the voxels where it begins; the first one is the share `jitter` of that. Steps meet
//   without gaps, so that their lengths add up to the ray's. A step's colour and opacity are the table's means over all
//   values from its beginning to its end, so that no peak between two samples is missed.
precision highp float;
precision highp int;
precision highp sampler3D;

#define BLENDED @BLENDED
#define LAYERS @LAYERS
@DEFINES

uniform mat4 inverseView;     // clip to the exaggerated scene as seen from the eye
uniform vec3 eye;             // scene, exaggerated
uniform vec3 boxLow, boxHigh; // the volumes' box in the exaggerated scene
uniform float exaggeration;
uniform vec2 viewport;        // of the whole picture, in this pass's pixels
uniform highp sampler2D depth; // of the ground
uniform vec2 depthShare;      // part of that texture in use
uniform float stepFactor;     // voxels a step
uniform highp sampler2D transfer; // row n: colour and tau of layer n
uniform highp sampler2D integral; // row n: its integral from the first entry: colour × tau, tau
uniform highp usampler3D skip; // 0: something may be here; n: nothing within n − 1 cells around
uniform vec3 skipLow, skipRate; // where the skip grid begins, cells a km of the exaggerated scene
uniform vec3 lightDirection;  // to the light, in the exaggerated scene
uniform vec3 lightColour, ambientColour;
uniform highp sampler3D light;      // share of sunlight that arrives
uniform vec3 lightRate;       // 1 / size of the box
uniform float shadows;        // 0 or 1
uniform ivec2 seed;
#if LAYERS > 0
uniform float shade0;
#endif
#if LAYERS > 1
uniform float shade1;
#endif

@LAYER_CODE

out vec4 colour;

// The jitter: a whole-number hash of the pixel, the same everywhere it is drawn. Multiples of the plastic number's powers
// spread evenly over neighbours, so that the little filter of the composite smooths what grain they leave.
float jitterOf(ivec2 pixel) {
    uint h = uint(pixel.x) * 0xC13FA9A9u + uint(pixel.y) * 0x91E10DA5u;
    return float(h >> 8) / 16777216.0;
}

// Up to a fractional entry; beyond the table's ends their values go on.
vec4 integralTo(float x, int row) {
    float inside = clamp(x, 0.0, ENTRIES - 1.0), k = min(floor(inside), ENTRIES - 2.0);
    vec4 sum = mix(texelFetch(integral, ivec2(int(k), row), 0), texelFetch(integral, ivec2(int(k) + 1, row), 0), inside - k);
    if (x != inside) {
        vec4 end = texelFetch(transfer, ivec2(x < 0.0 ? 0 : int(ENTRIES) - 1, row), 0);
        sum += (x - inside) * vec4(end.rgb * end.a, end.a);
    }
    return sum;
}

const float NO_SAMPLE = 1e9;

// The mean between two entries of the table, one of which may be NO_SAMPLE: then the other's own.
vec4 lookBetween(float before, float entry, int row, float line) {
    float one = entry == NO_SAMPLE ? before : entry, change = one - (before == NO_SAMPLE ? one : before);
    if (abs(change) < 2.0) return texture(transfer, vec2((one + 0.5) / ENTRIES, line));
    vec4 mean = (integralTo(entry, row) - integralTo(before, row)) / change;
    return mean.a > 1e-6 ? vec4(mean.rgb / mean.a, mean.a) : vec4(0.0);
}

@SHADE_CODE

void main() {
    vec2 uv = gl_FragCoord.xy / viewport;
    float z = texture(depth, uv * depthShare).r;
    vec4 far = inverseView * vec4(uv * 2.0 - 1.0, z * 2.0 - 1.0, 1.0);
    vec3 ray = far.xyz / far.w;
    float ground = length(ray);
    ray /= ground;
    vec3 safe = mix(vec3(1e-9), ray, greaterThan(abs(ray), vec3(1e-9)));
    vec3 a = (boxLow - eye) / safe, b = (boxHigh - eye) / safe;
    vec3 low = min(a, b), high = max(a, b);
    float t = max(max(low.x, low.y), max(low.z, 0.0)), end = min(min(high.x, high.y), min(high.z, ground));
    colour = vec4(0.0);
    if (t >= end) return;

    vec3 toScene = vec3(1.0, 1.0, 1.0 / exaggeration);
    vec3 absolute = abs(ray * toScene);
    float jitter = jitterOf(ivec2(gl_FragCoord.xy) + seed);
    float through = 1.0;
    vec3 sum = vec3(0.0);
@BEGIN_CODE
    vec3 forward = step(vec3(0.0), ray);
    float shortest = (end - t) / 4000.0, ds = 0.0; // ds 0: a sample where a step is to begin
    for (int n = 0; n < 4096; n++) {
        if (t >= end) break;
        vec3 cell = (eye + ray * t - skipLow) * skipRate;
        ivec3 here = clamp(ivec3(floor(cell)), ivec3(0), textureSize(skip, 0) - 1);
        float empty = float(texelFetch(skip, here, 0).r);
        if (empty > 0.0) {
            vec3 edge = vec3(here) + mix(vec3(1.0 - empty), vec3(empty), forward);
            vec3 leap = (edge - cell) / (safe * skipRate);
            t += max(min(leap.x, min(leap.y, leap.z)), 0.0) + shortest * 0.05;
            ds = 0.0;
            continue;
        }
        float s = min(t + ds, end), kilometres = (s - t) / exaggeration;
        vec3 middle = eye + ray * (0.5 * (t + s)); // where the step's light is looked up
        vec3 scene = (eye + ray * s) * toScene;
        float perKm = 0.0;
@DENSITY_CODE
        float tau = 0.0;
        vec3 mixed = vec3(0.0);
@VALUE_CODE
        if (tau > 0.0) {
            float alpha = 1.0 - exp(-tau * kilometres);
            sum += through * alpha * mixed / tau;
            through *= 1.0 - alpha;
            if (through < 0.008) { through = 0.0; break; }
        }
        t = s;
        ds = max(stepFactor * (1.9 - 0.9 * through) / max(perKm, 1e-6), shortest) * (ds == 0.0 ? max(jitter, 0.01) : 1.0);
    }
    colour = vec4(sum, 1.0 - through);
}
