# SPDX-License-Identifier: Apache-2.0
"""Projected and rotated grids of GRIB as CF has them: a grid mapping, and an axis each way instead of 2-D
coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj

# What is read of a message beside cfgrib's own choice.
KEYS = ("earthMajorAxisInMetres", "earthMinorAxisInMetres", "radius", "orientationOfTheGridInDegrees",
        "projectionCentreFlag", "LaDInDegrees",
        "LoVInDegrees", "Latin1InDegrees", "Latin2InDegrees", "DxInMetres", "DyInMetres", "DiInMetres", "DjInMetres",
        "Nx", "Ny",
        "latitudeOfFirstGridPointInDegrees", "longitudeOfFirstGridPointInDegrees", "iScansNegatively",
        "jScansPositively", "jPointsAreConsecutive",
        "latitudeOfSouthernPoleInDegrees", "longitudeOfSouthernPoleInDegrees", "iDirectionIncrementInDegrees",
        "jDirectionIncrementInDegrees")


@dataclass(frozen=True)
class Grid:
    """mapping: attributes of the grid mapping. y, x: numbers of the axes in the order of the file; y_attributes,
    x_attributes: of them."""

    mapping: Mapping[str, Any]
    names: tuple[str, str]
    y: np.ndarray
    x: np.ndarray
    y_attributes: Mapping[str, Any]
    x_attributes: Mapping[str, Any]


def grid_of(attributes: Mapping[str, Any]) -> Grid | None:
    """From attributes as cfgrib reads them ("GRIB_" and the key); None for grids that keep their 2-D coordinates."""
    def number(key: str) -> float:
        return float(attributes[f"GRIB_{key}"])

    kind = attributes.get("GRIB_gridType")
    maker = {"rotated_ll": _rotated, "lambert": _lambert, "polar_stereographic": _polar,
             "mercator": _mercator}.get(str(kind))
    try:
        if maker is None or number("jPointsAreConsecutive"):
            return None
        return maker(number, _earth(attributes))
    except (KeyError, TypeError, ValueError, pyproj.exceptions.ProjError):
        return None


def _earth(attributes: Mapping[str, Any]) -> dict[str, float]:
    major, minor = (attributes.get(f"GRIB_earth{which}AxisInMetres") for which in ("Major", "Minor"))
    if major and minor and float(major) > 1e6 and float(minor) > 1e6:
        return {"semi_major_axis": float(major), "semi_minor_axis": float(minor)}
    return {"earth_radius": float(attributes["GRIB_radius"])}


def _signs(number) -> tuple[int, int]:
    return 1 if number("jScansPositively") else -1, -1 if number("iScansNegatively") else 1


def _rotated(number, earth: dict[str, float]) -> Grid:
    south, west = _signs(number)
    mapping = {"grid_mapping_name": "rotated_latitude_longitude", **earth,
               "grid_north_pole_latitude": -number("latitudeOfSouthernPoleInDegrees"),
               "grid_north_pole_longitude": (number("longitudeOfSouthernPoleInDegrees") + 180 + 180) % 360 - 180}
    y = number("latitudeOfFirstGridPointInDegrees") + south * number("jDirectionIncrementInDegrees") * np.arange(int(number("Ny")))
    x = number("longitudeOfFirstGridPointInDegrees") + west * number("iDirectionIncrementInDegrees") * np.arange(int(number("Nx")))
    x -= 360 * (x[0] > 180)
    return Grid(mapping, ("rlat", "rlon"), y, x, {"standard_name": "grid_latitude", "units": "degrees", "axis": "Y"},
                {"standard_name": "grid_longitude", "units": "degrees", "axis": "X"})


def _lambert(number, earth: dict[str, float]) -> Grid:
    parallels = sorted({number("Latin1InDegrees"), number("Latin2InDegrees")})
    mapping = {"grid_mapping_name": "lambert_conformal_conic", **earth, "standard_parallel": np.array(parallels),
               "latitude_of_projection_origin": number("LaDInDegrees"),
               "longitude_of_central_meridian": number("LoVInDegrees")}
    return _projected(number, mapping, "DxInMetres", "DyInMetres")


def _polar(number, earth: dict[str, float]) -> Grid:
    south = int(number("projectionCentreFlag")) & 128
    latitude = abs(number("LaDInDegrees"))
    mapping = {"grid_mapping_name": "polar_stereographic", **earth,
               "latitude_of_projection_origin": -90.0 if south else 90.0,
               "straight_vertical_longitude_from_pole": number("orientationOfTheGridInDegrees"),
               "standard_parallel": -latitude if south else latitude}
    return _projected(number, mapping, "DxInMetres", "DyInMetres")


def _mercator(number, earth: dict[str, float]) -> Grid:
    mapping = {"grid_mapping_name": "mercator", **earth, "standard_parallel": number("LaDInDegrees"),
               "longitude_of_projection_origin": number("longitudeOfFirstGridPointInDegrees")}
    return _projected(number, mapping, "DiInMetres", "DjInMetres")


def _projected(number, mapping: dict[str, Any], dx: str, dy: str) -> Grid:
    """The axes from the first point and the increments."""
    south, west = _signs(number)
    written = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in mapping.items()}
    projection = pyproj.Proj(pyproj.CRS.from_cf(written))
    x0, y0 = projection(number("longitudeOfFirstGridPointInDegrees"), number("latitudeOfFirstGridPointInDegrees"),
                        errcheck=True)
    y = y0 + south * number(dy) * np.arange(int(number("Ny")))
    x = x0 + west * number(dx) * np.arange(int(number("Nx")))
    return Grid(mapping, ("y", "x"), y, x, {"standard_name": "projection_y_coordinate", "units": "m", "axis": "Y"},
                {"standard_name": "projection_x_coordinate", "units": "m", "axis": "X"})
