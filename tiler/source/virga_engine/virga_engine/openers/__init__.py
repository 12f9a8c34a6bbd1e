# SPDX-License-Identifier: Apache-2.0
"""From an address to a Dataset, one module for each kind: each has open(place, context) and edition(place, context).

open reads metadata and coordinates, and no field values. edition is cheap: bytes that change when what is at the place
has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

from ..address import Address, parse
from ..cluster import Cluster, NoCluster
from ..datasets import Dataset
from ..failure import Failure, Status

_MODULES = {"zarr": "zarr_store", "xarray": "netcdf", "grib": "grib", "iris": "iris_cubes", "kerchunk": "references",
            "published": "published", "notebook": "notebook"}


@dataclass(frozen=True)
class Context:
    """What openers may use. schemes: of URLs. objects: the Datasets that a notebook shows, by name. ready: adds
    products, or leaves it as it is."""

    schemes: frozenset[str] = frozenset()
    cluster: Cluster = field(default_factory=NoCluster)
    objects: Mapping[str, Any] = field(default_factory=dict)
    ready: Callable[[Dataset], Dataset] = lambda dataset: dataset


def open_address(text: str, context: Context) -> Dataset:
    """Opens what the address names. Raises Failure, or what a library raises. Several threads at once."""
    address = parse(text, context.schemes)
    return context.ready(_module(address).open(address.place, context))


def edition(text: str, context: Context) -> bytes:
    """What changes when the data at an address does; open_address gives a Dataset with this token."""
    address = parse(text, context.schemes)
    return _module(address).edition(address.place, context)


def recheck_seconds(text: str, context: Context) -> float:
    """How old a look at the edition may be before a READ is worth another one."""
    address = parse(text, context.schemes)
    return 60.0 if address.is_url or address.kind == "published" else 0.0 if address.kind == "notebook" else 2.0


def _module(address: Address) -> ModuleType:
    try:
        return import_module(f".{_MODULES[address.kind]}", __package__)
    except ModuleNotFoundError as error:
        raise Failure(Status.UNSUPPORTED, f"the engine's installation has no {error.name}; run server/engine again") from error
