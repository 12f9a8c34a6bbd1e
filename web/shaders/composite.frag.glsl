#version 300 es
// The picture: sky, ground and lines, and the volume over them.
precision highp float;
uniform sampler2D ground;   // premultiplied
uniform sampler2D volume;   // premultiplied, perhaps smaller
uniform vec2 viewport;
uniform vec2 share, groundShare; // parts of those textures in use
uniform vec3 skyTop, skyLow;
out vec4 colour;

void main() {
    vec2 uv = gl_FragCoord.xy / viewport;
    vec3 sky = mix(skyLow, skyTop, smoothstep(0.0, 1.0, uv.y));
    vec4 below = texture(ground, uv * groundShare);
    vec4 over = texture(volume, uv * share);
    vec3 c = sky * (1.0 - below.a) + below.rgb;
    c = c * (1.0 - over.a) + over.rgb;
    // A pixel's hash keeps broad gradients from showing 8-bit bands.
    uvec2 p = uvec2(gl_FragCoord.xy);
    uint h = (p.x * 1597334677u) ^ (p.y * 3812015801u);
    h = (h ^ (h >> 15)) * 2246822519u;
    colour = vec4(c + (float(h >> 8) / 16777216.0 - 0.5) / 255.0, 1.0);
}
