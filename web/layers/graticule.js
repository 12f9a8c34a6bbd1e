// SPDX-License-Identifier: Apache-2.0
// Lines of longitude and latitude over a domain, and where their labels stand.

const SPACINGS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 45];

function spacingFor(degrees, wanted = 7) { return SPACINGS.find((step) => degrees / step <= wanted) ?? 45; }

// bounds: {west, east, south, north}. → [{kind: 'lon' | 'lat', value, line: [[lon, lat] …]}]
export function graticule({west, east, south, north}) {
    const lines = [], points = Math.max(72, Math.round(east - west));
    const lonStep = spacingFor(east - west), latStep = spacingFor(north - south);
    for (let lon = Math.ceil(west / lonStep) * lonStep; lon <= east + 1e-9; lon += lonStep)
        lines.push({kind: 'lon', value: Number(lon.toFixed(6)), line: Array.from({length: points + 1}, (_, n) => [lon, south + (north - south) * n / points])});
    for (let lat = Math.ceil(south / latStep) * latStep; lat <= north + 1e-9; lat += latStep)
        if (Math.abs(lat) < 90 - 1e-6) lines.push({kind: 'lat', value: Number(lat.toFixed(6)), line: Array.from({length: points + 1}, (_, n) => [west + (east - west) * n / points, lat])});
    return lines;
}

export function degreesText(kind, value) {
    const wrapped = kind === 'lon' ? ((value + 180) % 360 + 360) % 360 - 180 : value, size = Number(Math.abs(wrapped).toFixed(4));
    if (kind === 'lon') return size === 0 ? '0°' : size === 180 ? '180°' : `${size}° ${wrapped < 0 ? 'W' : 'E'}`;
    return size === 0 ? '0°' : `${size}° ${wrapped < 0 ? 'S' : 'N'}`;
}
