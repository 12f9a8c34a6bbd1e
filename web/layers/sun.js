// SPDX-License-Identifier: Apache-2.0
// Where the sun stands. NOAA's low-precision formulas (good to about 0.01 degree between 1950 and 2050).

const RAD = Math.PI / 180;

// seconds since 1970-01-01 UTC, degrees → {azimuth: clockwise from north, elevation}, degrees.
export function sunAt(seconds, lon, lat) {
    const T = (seconds / 86400 + 2440587.5 - 2451545) / 36525;
    const L = 280.46646 + T * (36000.76983 + T * 0.0003032), M = (357.52911 + T * (35999.05029 - 0.0001537 * T)) * RAD;
    const e = 0.016708634 - T * (0.000042037 + 0.0000001267 * T);
    const C = Math.sin(M) * (1.914602 - T * (0.004817 + 0.000014 * T)) + Math.sin(2 * M) * (0.019993 - 0.000101 * T) + Math.sin(3 * M) * 0.000289;
    const omega = (125.04 - 1934.136 * T) * RAD, lambda = (L + C - 0.00569 - 0.00478 * Math.sin(omega)) * RAD;
    const tilt = (23 + (26 + (21.448 - T * (46.815 + T * (0.00059 - T * 0.001813))) / 60) / 60 + 0.00256 * Math.cos(omega)) * RAD;
    const declination = Math.asin(Math.sin(tilt) * Math.sin(lambda)), y = Math.tan(tilt / 2) ** 2, L0 = L * RAD;
    const minutes = 4 / RAD * (y * Math.sin(2 * L0) - 2 * e * Math.sin(M) + 4 * e * y * Math.sin(M) * Math.cos(2 * L0) - y * y / 2 * Math.sin(4 * L0) - 1.25 * e * e * Math.sin(2 * M));
    const hour = (((seconds / 60 + minutes + 4 * lon) % 1440 + 1440) % 1440 / 4 - 180) * RAD, phi = lat * RAD;
    const up = Math.sin(phi) * Math.sin(declination) + Math.cos(phi) * Math.cos(declination) * Math.cos(hour);
    const azimuth = Math.atan2(-Math.sin(hour) * Math.cos(declination), Math.sin(declination) * Math.cos(phi) - Math.cos(declination) * Math.sin(phi) * Math.cos(hour));
    return {azimuth: (azimuth / RAD + 360) % 360, elevation: Math.asin(Math.min(1, Math.max(-1, up))) / RAD};
}
