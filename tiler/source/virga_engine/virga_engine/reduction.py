# SPDX-License-Identifier: Apache-2.0
"""Stride and block mean of one box of stored numbers, as the protocol says (READ)."""

from __future__ import annotations

import numpy as np

from .request import ReadRequest, Reduction


def reduce_box(stored: np.ndarray, request: ReadRequest) -> np.ndarray:
    """stored: the numbers of request.slices. Returns (1, *points) of the stored type, or for a mean (4, *points) of float64:
    mean, least, most (NaN where nothing is present) and count of present numbers, of stored * scale + offset."""
    if request.reduction == Reduction.NONE:
        return stored[np.newaxis]
    if request.reduction == Reduction.STRIDE:
        return stored[tuple(slice(None, None, b) for b in request.block)][np.newaxis]
    return _means(stored, request)


def _means(stored: np.ndarray, request: ReadRequest) -> np.ndarray:
    numbers = stored.astype(np.float64)
    absent = ~np.isfinite(numbers)  # as the readers have it
    for missing in request.missing:
        absent |= numbers == missing
    total = _blocks(np.add, np.where(absent, 0.0, numbers), request)
    count = _blocks(np.add, (~absent).astype(np.float64), request)
    least = _blocks(np.minimum, np.where(absent, np.inf, numbers), request)
    most = _blocks(np.maximum, np.where(absent, -np.inf, numbers), request)
    with np.errstate(invalid="ignore", divide="ignore"):
        answer = np.stack([total / count, least, most]) * request.scale + request.offset
    if request.scale < 0:
        answer[[1, 2]] = answer[[2, 1]]
    answer[:, count == 0] = np.nan
    return np.concatenate([answer, count[np.newaxis]])


def _blocks(operation: np.ufunc, numbers: np.ndarray, request: ReadRequest) -> np.ndarray:
    for axis, (n, b) in enumerate(zip(request.count, request.block)):
        if b > 1:
            numbers = operation.reduceat(numbers, np.arange(0, n, b), axis=axis)
    return numbers
