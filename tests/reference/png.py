# SPDX-License-Identifier: Apache-2.0
"""Reads PNG files by the words of the PNG specification (RFC 2083): RGB and RGBA of 8 bits, palettes of 1 to 8, not interlaced.

    image = png.read(path)
    image.pixels    numpy uint8 [height][width][3 or 4]; a palette's colours stand in it, four channels where it has transparency
    image.indices   of a palette, numpy uint8 [height][width]; else None
    image.texts     {keyword: text}, of tEXt, zTXt and iTXt chunks
    image.chunks    names in order
"""
import pathlib
import struct
import zlib

import numpy

SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Image:
    def __init__(self, data):
        assert data[:8] == SIGNATURE, "not a PNG"
        self.chunks, self.texts, at, packed = [], {}, 8, b""
        palette = transparency = b""
        while at < len(data):
            length, name = struct.unpack_from(">I4s", data, at)
            body = data[at + 8:at + 8 + length]
            assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(name + body), f"{name} is damaged"
            self.chunks.append(name.decode())
            if name == b"IHDR":
                self.width, self.height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
                assert (depth == 8 and colour in (2, 6) or depth in (1, 2, 4, 8) and colour == 3) and not interlaced
                self.depth, self.channels = depth, {2: 3, 3: 1, 6: 4}[colour]
            elif name == b"PLTE":
                palette = body
            elif name == b"tRNS" and self.channels == 1:
                transparency = body
            elif name == b"IDAT":
                packed += body
            elif name in (b"tEXt", b"zTXt", b"iTXt"):
                self.take_text(name, body)
            at += 12 + length
        assert self.chunks[-1] == "IEND" and at == len(data)
        self.pixels, self.indices = self.unfilter(zlib.decompress(packed)), None
        if self.channels == 1:
            self.indices = self.pixels[..., 0]
            self.pixels = self.coloured(palette, transparency)

    def take_text(self, name, body):
        keyword, rest = body.split(b"\0", 1)
        if name == b"tEXt":
            text = rest.decode("latin-1")
        elif name == b"zTXt":
            text = zlib.decompress(rest[1:]).decode("latin-1")
        else:
            _, _, tail = rest[2:].split(b"\0", 2)
            text = (zlib.decompress(tail) if rest[0] else tail).decode()
        assert keyword.decode() not in self.texts
        self.texts[keyword.decode()] = text

    def unfilter(self, raw):
        wide, step = (self.width * self.channels * self.depth + 7) // 8, self.channels
        rows = numpy.frombuffer(raw, numpy.uint8).reshape(self.height, wide + 1)
        out = numpy.zeros((self.height, wide), numpy.uint8)
        above = numpy.zeros(wide, numpy.uint8)
        for y, row in enumerate(rows):
            kind, line = row[0], row[1:].copy()
            if kind == 1:
                line = numpy.add.accumulate(line.reshape(-1, step), axis=0, dtype=numpy.uint8).reshape(-1)
            elif kind == 2:
                line = line + above
            elif kind in (3, 4):
                line = self.slowly(kind, line.tolist(), above.tolist(), step)
            out[y] = above = line
        if self.depth < 8:
            out = self.unpacked(out)
        return out.reshape(self.height, self.width, self.channels)

    def unpacked(self, rows):
        """A byte for each number of fewer bits; the first stands in the high bits."""
        bits = numpy.unpackbits(rows, axis=1).reshape(self.height, -1, self.depth)
        return (bits @ (1 << numpy.arange(self.depth - 1, -1, -1))).astype(numpy.uint8)[:, :self.width]

    def coloured(self, palette, transparency):
        table = numpy.frombuffer(palette, numpy.uint8).reshape(-1, 3)
        assert self.indices.max() < len(table) and len(transparency) <= len(table), "a number beyond the palette"
        if transparency:
            opacity = numpy.full((len(table), 1), 255, numpy.uint8)
            opacity[:len(transparency), 0] = numpy.frombuffer(transparency, numpy.uint8)
            table = numpy.concatenate([table, opacity], axis=1)
        return table[self.indices]

    @staticmethod
    def slowly(kind, line, above, step):
        for x in range(len(line)):
            left, corner = (line[x - step], above[x - step]) if x >= step else (0, 0)
            up = above[x]
            if kind == 3:
                guess = (left + up) // 2
            else:
                distance, guess = min((abs(left + up - corner - value), order, value) for order, value in enumerate((left, up, corner)))[0::2]
            line[x] = (line[x] + guess) & 255
        return numpy.array(line, numpy.uint8)


def read(path):
    return Image(pathlib.Path(path).read_bytes())
