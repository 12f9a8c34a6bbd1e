#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the colour maps beside this file. Each is a path through CIE L*C*h (D65), given by a few anchors chosen for this
project, followed piecewise by monotone cubics in L*a*b*, sampled at 33 points and clipped to sRGB by lowering chroma.
Sequential maps have L* strictly rising or falling, diverging maps have it symmetric, so that equal steps in value are
equal steps in lightness. Needs nothing but Python's own library; run it again after changing an anchor."""

import json
import math
import pathlib

WHITE = (0.95047, 1.0, 1.08883)  # CIE D65, 2 degree observer
SAMPLES = 33

# name: (title, kind, [(position, L*, C*, hue in degrees), ...])
MAPS = {
    "lagoon": ("Violet, blue, green, yellow", "sequential",
               [(0, 14, 38, 312), (0.25, 34, 40, 282), (0.5, 53, 32, 210), (0.75, 73, 52, 150), (1, 92, 78, 102)]),
    "thermal": ("Indigo, red, yellow", "sequential",
                [(0, 12, 34, 296), (0.25, 31, 56, 322), (0.5, 50, 66, 18), (0.75, 70, 68, 58), (1, 93, 62, 96)]),
    "temperature": ("Cold violet to hot crimson", "sequential-hue",
                    [(0, 30, 52, 312), (0.17, 40, 55, 284), (0.34, 58, 38, 250), (0.5, 80, 20, 200),
                     (0.62, 88, 42, 112), (0.75, 74, 66, 74), (0.88, 52, 70, 42), (1, 28, 52, 24)]),
    "blue_white_red": ("Blue, white, red about zero", "diverging",
                       [(0, 28, 50, 280), (0.25, 60, 42, 262), (0.5, 97, 1, 260), (0.75, 60, 54, 38), (1, 28, 56, 32)]),
    "purple_white_green": ("Purple, white, green about zero", "diverging",
                           [(0, 28, 52, 318), (0.25, 60, 42, 318), (0.5, 97, 1, 140), (0.75, 60, 46, 142), (1, 28, 34, 146)]),
    "cloud": ("Grey to white", "sequential",
              [(0, 62, 5, 258), (0.3, 76, 4, 258), (0.7, 91, 2, 258), (1, 99, 0, 258)]),
    "cloud_water": ("White to slate", "sequential",
                    [(0, 98, 0, 250), (0.4, 84, 9, 246), (0.75, 60, 24, 254), (1, 34, 34, 270)]),
    "rain": ("Pale blue to violet", "sequential",
             [(0, 90, 12, 230), (0.25, 74, 34, 246), (0.5, 54, 52, 272), (0.75, 40, 68, 302), (1, 26, 62, 330)]),
    "ice": ("White to deep blue", "sequential",
            [(0, 97, 4, 210), (0.35, 82, 24, 214), (0.7, 54, 38, 248), (1, 22, 44, 282)]),
    "humidity": ("Dry brown to wet blue", "diverging-hue",
                 [(0, 34, 34, 58), (0.25, 62, 38, 72), (0.5, 86, 22, 104), (0.7, 68, 40, 160), (0.85, 48, 32, 216), (1, 26, 40, 278)]),
    "wind": ("Calm grey to storm magenta", "sequential-hue",
             [(0, 92, 4, 220), (0.2, 84, 26, 176), (0.4, 78, 50, 122), (0.6, 66, 62, 70), (0.8, 48, 66, 18), (1, 26, 52, 336)]),
    "pressure": ("Violet lows to orange highs", "diverging",
                 [(0, 30, 48, 306), (0.25, 60, 30, 284), (0.5, 94, 3, 100), (0.75, 68, 46, 74), (1, 38, 48, 58)]),
    "direction": ("Compass: a full turn of hue", "cyclic",
                  [(0, 66, 34, 20), (0.25, 66, 34, 110), (0.5, 66, 34, 200), (0.75, 66, 34, 290), (1, 66, 34, 380)]),
    "grey": ("Black to white", "sequential", [(0, 4, 0, 0), (0.5, 51, 0, 0), (1, 98, 0, 0)]),
    "terrain": ("Lowland green to snow", "hypsometric",
                [(0, 47, 26, 142), (0.1, 56, 30, 130), (0.25, 68, 32, 108), (0.45, 66, 30, 82), (0.65, 52, 26, 60),
                 (0.82, 66, 9, 60), (1, 97, 1, 240)]),
}


def lab_to_linear(lightness, a, b):
    fy = (lightness + 16) / 116
    f = (fy + a / 500, fy, fy - b / 200)
    x, y, z = (w * (t ** 3 if t > 6 / 29 else 3 * (6 / 29) ** 2 * (t - 4 / 29)) for t, w in zip(f, WHITE))
    return (3.2404542 * x - 1.5371385 * y - 0.4985314 * z,
            -0.9692660 * x + 1.8760108 * y + 0.0415560 * z,
            0.0556434 * x - 0.2040259 * y + 1.0572252 * z)


def to_srgb(lightness, a, b):
    """8-bit sRGB; chroma is lowered in steps of a hundredth until the colour is in gamut."""
    for keep in range(100, -1, -1):
        rgb = lab_to_linear(lightness, a * keep / 100, b * keep / 100)
        if all(-1e-4 <= c <= 1.0001 for c in rgb):
            break
    clipped = (min(max(c, 0.0), 1.0) for c in rgb)
    return [round(255 * (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055)) for c in clipped]


def slopes(x, y):
    """Fritsch and Carlson's limited slopes (SIAM J. Numer. Anal. 17, 1980), harmonic mean form: no overshoot."""
    d = [(y[i + 1] - y[i]) / (x[i + 1] - x[i]) for i in range(len(x) - 1)]
    inner = [0.0 if d[i] * d[i + 1] <= 0 else 2 * d[i] * d[i + 1] / (d[i] + d[i + 1]) for i in range(len(d) - 1)]
    return [d[0]] + inner + [d[-1]]


def evaluate(x, y, m, t):
    i = max(k for k in range(len(x) - 1) if x[k] <= t)
    h = x[i + 1] - x[i]
    s = (t - x[i]) / h
    return ((1 + 2 * s) * (1 - s) ** 2 * y[i] + s * (1 - s) ** 2 * h * m[i]
            + s * s * (3 - 2 * s) * y[i + 1] + s * s * (s - 1) * h * m[i + 1])


def sample(anchors, cyclic):
    x = [p[0] for p in anchors]
    if cyclic:  # hue itself is the path
        return [[p / 32, *to_srgb(anchors[0][1], anchors[0][2] * math.cos(math.radians(20 + 360 * p / 32)),
                                  anchors[0][2] * math.sin(math.radians(20 + 360 * p / 32)))] for p in range(SAMPLES)]
    lab = [(l, c * math.cos(math.radians(h)), c * math.sin(math.radians(h))) for _, l, c, h in anchors]
    curves = [(column, slopes(x, column)) for column in zip(*lab)]
    points = []
    for p in range(SAMPLES):
        t = p / (SAMPLES - 1)
        points.append([t, *to_srgb(*(evaluate(x, y, m, t) for y, m in curves))])
    return points


def main():
    folder = pathlib.Path(__file__).resolve().parent
    for name, (title, kind, anchors) in MAPS.items():
        rows = ",\n".join("    [%s]" % ", ".join("%.6g" % v for v in row) for row in sample(anchors, kind == "cyclic"))
        text = '{\n  "name": "%s",\n  "title": "%s",\n  "kind": "%s",\n  "interpolation": "linear in sRGB",\n' % (name, title, kind)
        (folder / (name + ".json")).write_text(text + '  "points": [\n' + rows + "\n  ]\n}\n")
    (folder / "index.json").write_text(json.dumps({"colour_maps": list(MAPS)}, indent=1) + "\n")


if __name__ == "__main__":
    main()
