# SPDX-License-Identifier: Apache-2.0
"""What an address holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .arrays import StoredArray


@dataclass(frozen=True)
class Dimension:
    length: int
    unlimited: bool = False


def inherited_dimension(dimensions: Mapping[str, Dimension], group: str, name: str, length: int) -> str | None:
    """The name in a Dataset of a dimension that a group has or takes over from an outer one, as in netCDF; None where none of them
    has this length."""
    while True:
        known = f"{group}/{name}" if group else name
        if known in dimensions and dimensions[known].length == length:
            return known
        if not group:
            return None
        group = group.rpartition("/")[0]


@dataclass(frozen=True)
class Dataset:
    """Immutable once made. Every dimension that a variable names is in `dimensions`, with its length.

    token   of the data's edition: another one when what the address holds has changed; at most 64 bytes
    format  for people, such as "Zarr 3 (xarray 2026.9.0)"
    notes   what was left out and why, one short line each
    """

    dimensions: Mapping[str, Dimension]
    variables: Mapping[str, StoredArray]
    attributes: Mapping[str, Any]
    token: bytes
    format: str
    notes: tuple[str, ...] = field(default=())

    def with_variables(self, more: Mapping[str, StoredArray], notes: tuple[str, ...] = ()) -> Dataset:
        """This dataset with more variables after its own (products); their dimensions must be known."""
        return replace(self, variables={**self.variables, **more}, notes=self.notes + notes)
