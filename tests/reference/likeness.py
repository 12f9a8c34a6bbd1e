# SPDX-License-Identifier: Apache-2.0
"""How alike two pictures are, and reading them.

SSIM is that of Wang, Bovik, Sheikh and Simoncelli (2004), Image quality assessment: from error visibility to structural similarity,
IEEE Transactions on Image Processing 13, 600-612: windows of 11 × 11 with a Gaussian of 1.5 pixels, K1 = 0.01, K2 = 0.03, on luma.
"""
import struct
import zlib

import numpy

WINDOW = numpy.exp(-numpy.arange(-5, 6) ** 2 / (2 * 1.5 ** 2))
WINDOW /= WINDOW.sum()


def luma(image):
    return image[..., :3].astype(float) @ [0.299, 0.587, 0.114]


def blurred(plane):
    """Over windows; the edges repeat."""
    wide = numpy.pad(plane, 5, mode="edge")
    rows = sum(w * wide[n:n + plane.shape[0]] for n, w in enumerate(WINDOW))
    return sum(w * rows[:, n:n + plane.shape[1]] for n, w in enumerate(WINDOW))


def ssim_map(one, other):
    a, b = luma(one), luma(other)
    ma, mb = blurred(a), blurred(b)
    va, vb, both = blurred(a * a) - ma * ma, blurred(b * b) - mb * mb, blurred(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return (2 * ma * mb + c1) * (2 * both + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))


class Likeness:
    """Of two pictures of 8 bits over a mask of pixels: ssim, mean (absolute difference of 255), worst, covered (share of the frame)."""

    def __init__(self, one, other, mask):
        assert one.shape[:2] == other.shape[:2] == mask.shape, (one.shape, other.shape, mask.shape)
        difference = numpy.abs(one[..., :3].astype(float) - other[..., :3].astype(float))
        self.covered = float(mask.mean())
        self.ssim = float(ssim_map(one, other)[mask].mean()) if mask.any() else 1.0
        self.mean = float(difference[mask].mean()) if mask.any() else 0.0
        self.worst = float(difference[mask].max()) if mask.any() else 0.0

    def __str__(self):
        return (f"SSIM {self.ssim:.4f}, mean difference {self.mean:.2f}, largest {self.worst:.0f} of 255, "
                f"over {100 * self.covered:.0f} % of the frame")


def read_png(path):
    """[height][width][3 or 4] of 8 bits; not interlaced."""
    data = open(path, "rb").read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", path
    at, packed = 8, b""
    while at < len(data):
        (length,), kind = struct.unpack(">I", data[at:at + 4]), data[at + 4:at + 8]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data[at + 8:at + 21])
            assert depth == 8 and colour in (2, 6) and not interlaced, path
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += 12 + length
    return unfiltered(numpy.frombuffer(zlib.decompress(packed), numpy.uint8), width, height, {2: 3, 6: 4}[colour])


def unfiltered(raw, width, height, channels):
    rows = raw.reshape(height, 1 + width * channels)
    out = numpy.zeros((height + 1, width + 1, channels), numpy.int64)  # a row above and a pixel to the left of zeros
    for y in range(height):
        kind, row, up = rows[y, 0], rows[y, 1:].reshape(width, channels).astype(numpy.int64), out[y]
        if kind == 0:
            out[y + 1, 1:] = row
        elif kind == 1:
            out[y + 1, 1:] = numpy.cumsum(row, axis=0) & 255
        elif kind == 2:
            out[y + 1, 1:] = (row + up[1:]) & 255
        else:
            sequential(kind, row, up, out[y + 1])
    return out[1:, 1:].astype(numpy.uint8)


def sequential(kind, row, up, out):
    """Average and Paeth: each pixel needs the one to its left."""
    above, here = up.tolist(), out.tolist()
    for x, pixel in enumerate(row.tolist(), 1):
        for c, value in enumerate(pixel):
            a, b, corner = here[x - 1][c], above[x][c], above[x - 1][c]
            if kind == 3:
                guess = (a + b) // 2
            else:
                da, db, dc = abs(b - corner), abs(a - corner), abs(a + b - 2 * corner)
                guess = a if da <= db and da <= dc else b if db <= dc else corner
            here[x][c] = (value + guess) & 255
    out[:] = here
