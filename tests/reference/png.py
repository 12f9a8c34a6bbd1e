# SPDX-License-Identifier: Apache-2.0
"""Reads PNG files by the words of the PNG specification (RFC 2083): 8-bit RGB or RGBA, not interlaced.

    image = png.read(path)
    image.pixels    numpy uint8 [height][width][3 or 4]
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
        while at < len(data):
            length, name = struct.unpack_from(">I4s", data, at)
            body = data[at + 8:at + 8 + length]
            assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(name + body), f"{name} is damaged"
            self.chunks.append(name.decode())
            if name == b"IHDR":
                self.width, self.height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
                assert depth == 8 and colour in (2, 6) and not interlaced
                self.channels = 3 if colour == 2 else 4
            elif name == b"IDAT":
                packed += body
            elif name in (b"tEXt", b"zTXt", b"iTXt"):
                self.take_text(name, body)
            at += 12 + length
        assert self.chunks[-1] == "IEND" and at == len(data)
        self.pixels = self.unfilter(zlib.decompress(packed))

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
        wide, step = self.width * self.channels, self.channels
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
        return out.reshape(self.height, self.width, self.channels)

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
