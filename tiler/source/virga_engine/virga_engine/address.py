# SPDX-License-Identifier: Apache-2.0
"""Addresses: what is opened, where it lies, and whether the configuration allows it. Nothing in one is evaluated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from .failure import Failure, Status

KINDS = ("zarr", "xarray", "grib", "iris", "kerchunk", "published", "notebook")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_ENDINGS = (((".zarr", ".zarr.zip", ".zip"), "zarr"), ((".json", ".parq", ".parquet", ".json.zst"), "kerchunk"),
            ((".nc", ".nc4", ".cdf", ".netcdf", ".h5", ".hdf5"), "xarray"),
            ((".grib", ".grib2", ".grb", ".grb2"), "grib"),
            ((".pp", ".ff"), "iris"))


@dataclass(frozen=True)
class Address:
    """kind: one of KINDS. place: a path, a glob, a URL or a name."""

    kind: str
    place: str

    @property
    def is_url(self) -> bool:
        return is_url(self.place)


def is_url(place: str) -> bool:
    """Whether fsspec takes this for a URL, chained ("zip://…::s3://…") or not."""
    return bool(_SCHEME.match(place)) or "::" in place


def parse(text: str, schemes: frozenset[str]) -> Address:
    """The address that a text names. schemes: those of URLs that the configuration allows.

    Raises Failure for what is no address, and for what is not allowed.
    """
    kind, colon, place = text.partition(":")
    if not colon or kind not in KINDS:
        kind, place = _kind_by_ending(text), text
    if not place:
        raise Failure(Status.INVALID, f"the address says nothing after {kind}:")
    if kind not in ("published", "notebook") and is_url(place):
        check_url(place, schemes)
    return Address(kind, place)


def _kind_by_ending(text: str) -> str:
    path = urlsplit(text).path if is_url(text) else text
    for endings, kind in _ENDINGS:
        if path.rstrip("/").lower().endswith(endings):
            return kind
    raise Failure(Status.UNSUPPORTED, "the ending does not say what it is; put zarr:, xarray:, grib:, iris: or "
                                      "kerchunk: in front of it")


def schemes_of(url: str) -> list[str]:
    """Every scheme that a URL names, also those of a chain, in lower case."""
    return [link.partition("://")[0].lower() for link in url.split("::")]


def check_url(url: str, schemes: frozenset[str]) -> None:
    """Raises Failure unless each scheme of a URL is allowed."""
    for scheme in schemes_of(url):
        if scheme not in schemes:
            allowed = ", ".join(sorted(schemes)) or "none"
            raise Failure(Status.UNSUPPORTED, f"URLs of {scheme}:// are not allowed (allowed: {allowed}); the setting "
                                              f"engine-schemes "
                                              "says which are")
