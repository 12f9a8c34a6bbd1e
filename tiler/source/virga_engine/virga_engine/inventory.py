# SPDX-License-Identifier: Apache-2.0
"""A Dataset as INVENTORY, and READs held against it."""

from __future__ import annotations

import json
import struct
from math import prod
from typing import Any

import numpy as np
import xxhash

from .arrays import StoredArray
from .datasets import Dataset
from .failure import Failure, Status
from .protocol import MAX_RANK, ReadMessage, text_bytes
from .reader import answer_layout
from .request import ReadRequest, Reduction
from .stored_types import Type, type_of

MAX_THINGS = 20000
MAX_ATTRIBUTES = 4096
MAX_ATTRIBUTE_NUMBERS = 65536
MAX_ATTRIBUTE_TEXT = 256 << 10
MAX_NAME = 1024
MAX_NOTES = 1000


class _Notes(list[str]):
    """Short lines for people; what is over is counted."""

    def add(self, line: str) -> None:
        if len(self) < MAX_NOTES:
            self.append(line[:1000])


def encode(dataset: Dataset) -> bytes:
    """The body of INVENTORY. What the protocol has no room for is left out with a note; Failure where it is all too
    large."""
    notes = _Notes(dataset.notes)
    if max(len(dataset.dimensions), len(dataset.variables)) > MAX_THINGS:
        raise Failure(Status.TOO_LARGE, f"more than {MAX_THINGS} dimensions or variables")
    index = {name: i for i, name in enumerate(dataset.dimensions)}
    told = listed(dataset)
    variables = [_variable(v, index, notes) for v in told]
    names = {v.name for v in told}
    for name in (name for name in dataset.variables if name not in names):
        notes.add(f"variable {name[:100]}: more than {MAX_RANK} dimensions, or too long a name")
    attributes = _attributes(dataset.attributes, "", notes)
    dimensions = b"".join(text_bytes(name) + struct.pack("<QB", d.length, d.unlimited)
                          for name, d in dataset.dimensions.items())
    return b"".join([text_bytes(dataset.format[:200]), struct.pack("<I", len(dataset.dimensions)), dimensions,
                     struct.pack("<I", len(variables)), *variables, attributes, struct.pack("<I", len(notes)),
                     *map(text_bytes, notes), struct.pack("<I", len(dataset.token)), dataset.token])


def listed(dataset: Dataset) -> list[StoredArray]:
    """The variables in the order of INVENTORY, by which READ counts them."""
    return [v for v in dataset.variables.values() if len(v.shape) <= MAX_RANK and len(v.name.encode()) <= MAX_NAME]


def token(body: bytes) -> int:
    """source_inventory_token: a short name of what an INVENTORY's body says."""
    return xxhash.xxh3_64_intdigest(body) or 1


def _variable(variable: StoredArray, index: dict[str, int], notes: _Notes) -> bytes:
    rank, number = len(variable.shape), type_of(variable.dtype)
    fill = float("nan") if variable.fill is None else float(variable.fill)
    return b"".join([
        text_bytes(variable.name),
        struct.pack("<BBB", number, rank, variable.chunked | (variable.fill is not None) << 1),
        struct.pack(f"<{rank}I", *(index[name] for name in variable.dimensions)),
        struct.pack(f"<{rank}Q", *variable.chunks),
        struct.pack("<d", fill), _attributes(variable.attributes, variable.name, notes)])


def _attributes(attributes: dict[str, Any], owner: str, notes: _Notes) -> bytes:
    parts = []
    for name, value in list(attributes.items())[:MAX_ATTRIBUTES]:
        encoded = _attribute_value(value) if 0 < len(str(name).encode()) <= MAX_NAME else None
        if encoded is None:
            notes.add(f"attribute {owner}:{str(name)[:100]} is left out: it is too long, or neither text nor numbers")
        else:
            parts.append(text_bytes(str(name)) + encoded)
    return struct.pack("<I", len(parts)) + b"".join(parts)


def _attribute_value(value: Any) -> bytes | None:
    """`u8 type, value`, or None for what cannot be told. Of several strings the first is sent."""
    if isinstance(value, (list, tuple)) and value and all(isinstance(v, (str, bytes)) for v in value):
        value = value[0]
    if isinstance(value, np.ndarray) and value.dtype.kind in "USOT" and value.size:
        value = value.ravel()[0]
    if isinstance(value, bytes):
        value = value.rstrip(b"\0").decode("utf-8", "replace")
    if isinstance(value, str):
        return struct.pack("<B", Type.CHAR) + text_bytes(value) if len(value.encode("utf-8", "replace")) <= MAX_ATTRIBUTE_TEXT else None
    if isinstance(value, dict):
        return struct.pack("<B", Type.CHAR) + text_bytes(json.dumps(value)[:MAX_ATTRIBUTE_TEXT // 4])
    return _attribute_numbers(value)


def _attribute_numbers(value: Any) -> bytes | None:
    try:
        numbers = np.atleast_1d(np.asarray(value)).ravel()
    except (ValueError, OverflowError):
        return None
    if numbers.dtype.kind == "b":
        numbers = numbers.view(np.uint8)
    number = type_of(numbers.dtype)
    if number >= Type.CHAR or numbers.size > MAX_ATTRIBUTE_NUMBERS:
        return None
    wide = "<f8" if numbers.dtype.kind == "f" else "<u8" if number == Type.U64 else "<i8"
    return struct.pack("<BI", number, numbers.size) + numbers.astype(wide).tobytes()


def check_read(message: ReadMessage, dataset: Dataset, most_bytes: int) -> tuple[StoredArray, ReadRequest]:
    """The variable and request of a READ whose every number fits. Raises Failure."""
    variables, request = listed(dataset), message.request
    if message.variable >= len(variables):
        raise Failure(Status.INVALID, f"there is no variable {message.variable}")
    variable = variables[message.variable]
    if not variable.readable or type_of(variable.dtype) >= Type.STRING:
        raise Failure(Status.UNSUPPORTED, f"{variable.name}: values of this type cannot be read")
    mean = request.reduction == Reduction.MEAN
    if mean and type_of(variable.dtype) == Type.CHAR:
        raise Failure(Status.UNSUPPORTED, f"{variable.name}: text has no mean")
    fits = len(request.count) == len(variable.shape) and all(
        b >= 1 and a + n <= whole and a + n > max(0, a) and (a >= 0 or (mean and -a < b))
        for a, n, b, whole in zip(request.start, request.count, request.block, variable.shape))
    if not fits:
        raise Failure(Status.INVALID, f"{variable.name}: the box is not within its {len(variable.shape)} dimensions")
    dtype, shape = answer_layout(variable, request)
    size = prod(shape) * dtype.itemsize
    if size != message.slab_bytes or size > most_bytes:
        raise Failure(Status.TOO_LARGE, f"{variable.name}: a slab of {size} bytes, where {message.slab_bytes} were "
                                        f"lent and {most_bytes} may be")
    if request.reduction == Reduction.NONE and any(b != 1 for b in request.block):
        raise Failure(Status.INVALID, f"{variable.name}: blocks without a reduction")
    return variable, request
