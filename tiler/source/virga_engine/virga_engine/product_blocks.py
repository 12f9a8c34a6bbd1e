# SPDX-License-Identifier: Apache-2.0
"""What products make of chunks: pickled by value and run on workers, so numpy only, and nothing outside this module is
named here.

Numbers are NaN where they are absent. Of an ensemble, what fewer than half of the members have is absent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Decoding:
    """From stored numbers to values: which are absent, whether a signed type holds unsigned numbers, scale and
    offset."""

    missing: tuple[float, ...] = ()
    unsigned: bool = False
    scale: float = 1.0
    offset: float = 0.0


def decode(stored: np.ndarray, decoding: Decoding) -> np.ndarray:
    """Values as float64."""
    stored = np.ma.getdata(stored)
    if decoding.unsigned:
        stored = stored.view(stored.dtype.str.replace("i", "u"))
    values = stored.astype(np.float64)
    absent = ~np.isfinite(values)
    for missing in decoding.missing:
        absent |= values == missing
    values *= decoding.scale
    values += decoding.offset
    values[absent] = np.nan
    return values


# A fold takes chunk after chunk along an axis, so that one is in memory at a time: (state or None, chunk, axis,
# decoding, argument).

def fold_moments(state: tuple | None, stored: np.ndarray, axis: int, decoding: Decoding, _: float) -> tuple:
    """State: members, present, mean, squares of deviations from it; by Welford's recurrence (Technometrics 4, 1962,
    419-420)."""
    for values in np.moveaxis(decode(stored, decoding), axis, 0):
        if state is None:
            state = 0, np.zeros(values.shape), np.zeros(values.shape), np.zeros(values.shape)
        members, present, mean, squares = state
        there = ~np.isnan(values)
        present = present + there
        away = np.where(there, values - mean, 0.0)
        mean = mean + away / np.maximum(present, 1)
        state = members + 1, present, mean, squares + away * np.where(there, values - mean, 0.0)
    return state


def fold_above(state: tuple | None, stored: np.ndarray, axis: int, decoding: Decoding, threshold: float) -> tuple:
    """State: members, present, those above the threshold, those below."""
    values = decode(stored, decoding)
    with np.errstate(invalid="ignore"):
        tests = ~np.isnan(values), values > threshold, values < threshold
    counts = [np.sum(test, axis=axis, dtype=np.float64) for test in tests]
    members = values.shape[axis]
    return (members, *counts) if state is None else (state[0] + members, *(a + b for a, b in zip(state[1:], counts)))


def _where_most(state: tuple, least: int, values: np.ndarray, dtype: str) -> np.ndarray:
    return np.where((state[1] >= least) & (2 * state[1] >= state[0]), values, np.nan).astype(dtype)


def finish_mean(state: tuple, dtype: str) -> np.ndarray:
    return _where_most(state, 1, state[2], dtype)


def finish_spread(state: tuple, dtype: str) -> np.ndarray:
    """Standard deviation, n - 1."""
    return _where_most(state, 2, np.sqrt(state[3] / np.maximum(state[1] - 1, 1)), dtype)


def finish_above(state: tuple, dtype: str) -> np.ndarray:
    return _where_most(state, 1, state[2] / np.maximum(state[1], 1), dtype)


def finish_below(state: tuple, dtype: str) -> np.ndarray:
    return _where_most(state, 1, state[3] / np.maximum(state[1], 1), dtype)


def percentile(percent: float, axis: int, decoding: Decoding, dtype: str, *chunks: np.ndarray) -> np.ndarray:
    """Of the members present, between the two that are nearest by linear interpolation."""
    values = np.concatenate([np.moveaxis(decode(chunk, decoding), axis, 0) for chunk in chunks])
    values.sort(axis=0)  # NaN go to the end
    present = np.sum(~np.isnan(values), axis=0)
    place = np.maximum(present - 1, 0) * (percent / 100)
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, np.maximum(present - 1, 0))
    low, high = (np.take_along_axis(values, at[np.newaxis], axis=0)[0] for at in (below, above))
    answer = low + (high - low) * (place - below)
    return np.where((present > 0) & (2 * present >= len(values)), answer, np.nan).astype(dtype)


def window_maximum(windows: tuple, axis: int, decoding: Decoding, dtype: str, *chunks: np.ndarray) -> np.ndarray:
    """windows: for each time of the answer the first and last (exclusive) among the chunks' times, or None: absent."""
    values = np.concatenate([np.moveaxis(decode(chunk, decoding), axis, 0) for chunk in chunks])
    answer = np.full((len(windows), *values.shape[1:]), np.nan, dtype)
    for i, window in enumerate(windows):
        if window is not None:
            answer[i] = np.fmax.reduce(values[window[0]:window[1]], axis=0)
    return np.moveaxis(answer, 0, axis)


def difference(pairs: tuple, axes: tuple[int, int], decoding: Decoding, dtype: str, own: np.ndarray,
               *others: np.ndarray) -> np.ndarray:
    """pairs: for each run and step within `own` (number among others, run and step within it), or None: absent."""
    order = (*axes, *(d for d in range(own.ndim) if d not in axes))
    values = decode(own, decoding).transpose(order)
    before = [decode(other, decoding).transpose(order) for other in others]
    answer = np.full(values.shape, np.nan, dtype)
    for run, steps in enumerate(pairs):
        for step, pair in enumerate(steps):
            if pair is not None:
                which, other_run, other_step = pair
                answer[run, step] = values[run, step] - before[which][other_run, other_step]
    return np.ascontiguousarray(answer.transpose(np.argsort(order)))
