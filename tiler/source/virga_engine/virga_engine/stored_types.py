# SPDX-License-Identifier: Apache-2.0
"""The types of stored numbers, numbered as in the protocol, and what numpy calls them."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Type(IntEnum):
    """enum source_type of source.h."""

    I8 = 0
    U8 = 1
    I16 = 2
    U16 = 3
    I32 = 4
    U32 = 5
    I64 = 6
    U64 = 7
    F32 = 8
    F64 = 9
    CHAR = 10
    STRING = 11
    OTHER = 12


_NUMPY = {"i1": Type.I8, "u1": Type.U8, "i2": Type.I16, "u2": Type.U16, "i4": Type.I32, "u4": Type.U32, "i8": Type.I64,
          "u8": Type.U64, "f4": Type.F32, "f8": Type.F64, "S1": Type.CHAR}


def type_of(dtype: np.dtype) -> Type:
    """The protocol's type of numbers of this dtype, in whichever byte order; bool is U8; what has none is STRING or
    OTHER."""
    if dtype.kind == "b":
        return Type.U8
    if dtype.kind in "UTO":
        return Type.STRING
    return _NUMPY.get(f"{dtype.kind}{dtype.itemsize}", Type.OTHER)
