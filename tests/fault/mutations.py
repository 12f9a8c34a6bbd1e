# SPDX-License-Identifier: Apache-2.0
"""Cuts and byte changes of forecast files, half of the changes in metadata: found by parsing each format's own framing."""
import re
import struct

HDF5_MARKS = re.compile(rb"\x89HDF|OHDR|OCHK|FRHP|FHDB|FHIB|BTHD|BTLF|BTIN|TREE|SNOD|HEAP|GCOL|SMTB|FSHD|FADB|EAHD")
MARKED = 256  # bytes after such a mark that are taken for metadata
HEAD = 4096   # and from the start of an HDF5 file


def metadata(data):
    """[(start, end)] of the bytes that describe rather than hold numbers."""
    if data[:3] == b"CDF":
        return [(0, classic_header(data))]
    if data[:4] == b"\x89HDF":
        return joined([(0, HEAD)] + [(m.start(), m.start() + MARKED) for m in HDF5_MARKS.finditer(data)], len(data))
    return list(grib_sections(data))


def joined(spans, end):
    out = []
    for low, high in sorted(spans):
        high = min(high, end)
        if out and low <= out[-1][1]:
            out[-1] = (out[-1][0], max(high, out[-1][1]))
        else:
            out.append((low, high))
    return out


def classic_header(data):
    """Where the numbers of a classic file begin: the smallest offset that its variables name."""
    assert data[3] in (1, 2), "CDF-5 counts in 64 bits"
    sizes = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8}
    at = 4

    def take(form):
        nonlocal at
        at += struct.calcsize(form)
        return struct.unpack_from(form, data, at - struct.calcsize(form))[0]

    def skip(n):
        nonlocal at
        at += (n + 3) // 4 * 4

    def items():
        """The count of a list, after its tag."""
        take(">I")
        return range(take(">I"))

    def attributes():
        for _ in items():
            skip(take(">I"))
            size = sizes[take(">I")]
            skip(take(">I") * size)
    take(">I")  # records
    for _ in items():
        skip(take(">I"))
        take(">I")
    attributes()
    begins = []
    for _ in items():
        skip(take(">I"))
        skip(4 * take(">I"))
        attributes()
        skip(8)  # type and size
        begins.append(take(">I" if data[3] == 1 else ">Q"))
    return min(begins)


def grib_sections(data):
    """Sections 0 to 5 and the end of each message of edition 2; of edition 1 all before its binary data."""
    at = data.find(b"GRIB")
    while at >= 0:
        if data[at + 7] == 1:
            yield at, at + 8 + int.from_bytes(data[at + 8:at + 11], "big") + 40
            at = data.find(b"GRIB", at + int.from_bytes(data[at + 4:at + 7], "big"))
            continue
        end = at + int.from_bytes(data[at + 8:at + 16], "big")
        section = at + 16
        yield at, section
        while section < end - 4:
            length, number = int.from_bytes(data[section:section + 4], "big"), data[section + 4]
            if number < 6:
                yield section, section + length
            section += length
        yield end - 4, end
        at = data.find(b"GRIB", end)


def place_in(spans, dice):
    """A random offset within the spans, each byte as likely as another; in GRIB, whose messages repeat, any message's."""
    total = sum(high - low for low, high in spans)
    n = dice.randrange(total)
    for low, high in spans:
        if n < high - low:
            return low + n
        n -= high - low
    raise AssertionError


def changed(data, offset, dice):
    """One byte another: a flipped bit, an extreme, or anything; gives (data, what was done)."""
    before = data[offset]
    after = dice.choice([before ^ 1 << dice.randrange(8), 0, 255, 128, dice.randrange(256), before + 1 & 255])
    if after == before:
        after = before ^ 255
    return data[:offset] + bytes([after]) + data[offset + 1:], f"byte {offset}: {before} → {after}"


def cut(data, dice):
    """A shorter file: cut anywhere, half of the time within its first tenth or its last bytes."""
    length = dice.choice([dice.randrange(len(data)), dice.randrange(len(data)), dice.randrange(len(data) // 10), len(data) - dice.randrange(1, 64)])
    return data[:length], f"cut to {length} of {len(data)} bytes"
