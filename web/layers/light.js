// SPDX-License-Identifier: Apache-2.0
// The light of a view: the sun by date and place or where the view puts it, in the exaggerated scene, with its colours.
import {sunAt} from './sun.js';

const RAD = Math.PI / 180, LOWEST = 9;
const mix = (a, b, t) => a.map((v, n) => v + (b[n] - v) * t);
const clamp01 = (v) => Math.min(1, Math.max(0, v));

// light: of the view document. north: angle of true north from scene Y, clockwise, in degrees.
// → {direction, colour, ambient, shadows, night, azimuth, elevation, sky: {top, low}}
export function lightOf(light, {seconds, lon, lat, north}) {
    const {sun = 'time', shadows = true, ambient = 0.35} = light || {};
    const byTime = sun === 'time', {azimuth, elevation} = byTime ? sunAt(seconds, lon, lat) : sun;
    const night = byTime && elevation < -4, used = Math.max(LOWEST, night ? 38 : elevation);
    // At night the scene is lit from where the moon might be, cooler and dimmer, so that shapes can still be read.
    const turn = ((night ? 215 : azimuth) + north) * RAD, flat = Math.cos(used * RAD);
    const warm = clamp01((14 - elevation) / 16), day = clamp01((elevation + 4) / 12);
    let colour = mix([1.0, 0.985, 0.95], [1.0, 0.78, 0.56], byTime ? warm : 0), strength = 1 - ambient * 0.55;
    let shade = [0.86, 0.93, 1.04].map((v) => v * ambient);
    if (byTime) { strength *= 0.55 + 0.45 * day; shade = shade.map((v, n) => v * (0.8 + 0.2 * day) * [1, 1, 1.03][n]); }
    if (night) { colour = [0.72, 0.82, 1.0]; strength = 0.46; shade = [0.80, 0.92, 1.12].map((v) => v * ambient * 0.85); }
    const dusk = byTime ? clamp01(1 - day) : 0;
    return {
        direction: [Math.sin(turn) * flat, Math.cos(turn) * flat, Math.sin(used * RAD)], colour: colour.map((v) => v * strength), ambient: shade,
        shadows: Boolean(shadows), night, azimuth, elevation,
        sky: {top: mix([0.115, 0.175, 0.265], [0.030, 0.045, 0.090], dusk), low: mix([0.245, 0.325, 0.415], [0.075, 0.095, 0.150], dusk)},
    };
}
