# SPDX-License-Identifier: Apache-2.0
"""Stride and block mean of one box of stored numbers, as the protocol says (READ): what workers do, in this process."""

from __future__ import annotations

import numpy as np

from .block_sums import Sums, Terms, finish_means
from .request import ReadRequest, Reduction


def terms_of(request: ReadRequest) -> Terms:
    return Terms(request.block, request.missing, request.scale, request.offset)


def reduce_box(stored: np.ndarray, request: ReadRequest) -> np.ndarray:
    """stored: the numbers of request.slices. Returns (1, *points) of the stored type, or for a mean (4, *points) of
    float64: mean, least, most (NaN where nothing is present) and count of present numbers, of stored * scale +
    offset."""
    if request.reduction == Reduction.NONE:
        return stored[np.newaxis]
    if request.reduction == Reduction.STRIDE:
        return stored[tuple(slice(None, None, b) for b in request.block)][np.newaxis]
    sums = Sums(((0,) * len(request.count), request.points), terms_of(request), request.count, request.leads)
    if stored.size:
        sums.add(stored, request.leads)
    return finish_means(sums.sums, sums.terms)
