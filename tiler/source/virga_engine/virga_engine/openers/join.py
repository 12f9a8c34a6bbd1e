# SPDX-License-Identifier: Apache-2.0
"""Several raw datasets, one a file, as one: along time, or of different variables, whichever they are."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import xarray as xr

from ..failure import Failure, Status

_PACKING = ("scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned")


def joined(datasets: list[xr.Dataset], notes: list[str]) -> xr.Dataset:
    """Numbers stay as they are stored, but: times are counted from the first file's epoch, and a variable that files
    pack in
    different ways is unpacked (a note says so). Reads coordinates only. Raises Failure where they do not fit
    together."""
    datasets = [_auxiliary_as_coordinates(dataset) for dataset in datasets]
    _agree_on_times(datasets)
    for key in {key for dataset in datasets for key in dataset.data_vars}:
        _agree_on_packing(key, datasets, notes)
    try:
        whole = xr.combine_by_coords(datasets, data_vars="minimal", coords="minimal", compat="override", join="exact",
                                     combine_attrs="override")
    except (ValueError, KeyError) as error:
        whole = _concatenated(datasets, error)
    _check_nothing_lacks(whole, datasets)
    return whole


def _check_nothing_lacks(whole: xr.Dataset, datasets: list[xr.Dataset]) -> None:
    """xarray takes the first of what several files have; that is right for constants only, beside variables that were
    joined."""
    grown = {d for d in whole.dims if any(dataset.sizes.get(d) != whole.sizes[d] for dataset in datasets)}
    for key in whole.data_vars:
        parts = [dataset[key].size for dataset in datasets if key in dataset.variables]
        joined_here = set(whole[key].dims) & grown
        if len(parts) > 1 and whole[key].size != sum(parts) and (joined_here or not grown):
            raise Failure(Status.UNSUPPORTED, f"the files do not join to one dataset: several hold {key} of the same "
                                              f"place and time; name fewer of them")


def _auxiliary_as_coordinates(dataset: xr.Dataset) -> xr.Dataset:
    """What other variables refer to is taken from the first file; a raw dataset has it among its data."""
    named = {name for key in dataset.variables
             for attribute in ("coordinates", "bounds", "grid_mapping", "formula_terms")
             for name in str(dataset[key].attrs.get(attribute, "")).replace(":", " ").split()}
    return dataset.set_coords([key for key in dataset.data_vars if key in named and dataset[key].ndim])


def _concatenated(datasets: list[xr.Dataset], why: Exception) -> xr.Dataset:
    """One after the other, along the record dimension or a time that each file has once."""
    dimension = _record_dimension(datasets)
    if dimension is None:
        raise Failure(Status.UNSUPPORTED, f"the files do not join to one dataset ({' '.join(str(why).split())[:200]}); name fewer of them")
    try:
        return xr.concat(datasets, dim=dimension, data_vars="minimal" if dimension in datasets[0].dims else "all",
                         coords="minimal",
                         compat="override", join="exact", combine_attrs="override")
    except (ValueError, KeyError) as error:
        raise Failure(Status.UNSUPPORTED, f"the files do not join along {dimension} ({' '.join(str(error).split())[:200]})") from error


def _record_dimension(datasets: list[xr.Dataset]) -> str | None:
    first = datasets[0]
    unlimited = [d for d in first.encoding.get("unlimited_dims", ()) if all(d in dataset.dims for dataset in datasets)]
    if unlimited:
        return str(sorted(unlimited)[0])
    for key in first.variables:
        variable = first[key]
        if _is_time(variable) and all(key in dataset.variables for dataset in datasets):
            return str(variable.dims[0]) if variable.ndim == 1 else str(key) if variable.ndim == 0 else None
    return None


def _is_time(variable: xr.DataArray) -> bool:
    return " since " in str(variable.attrs.get("units", ""))


def _agree_on_times(datasets: list[xr.Dataset]) -> None:
    """Times of every file in the units of the first that has them. In place."""
    units: dict[Hashable, tuple[str, str]] = {}
    for i, dataset in enumerate(datasets):
        for key in [key for key in dataset.variables if _is_time(dataset[key])]:
            own = str(dataset[key].attrs["units"]), str(dataset[key].attrs.get("calendar", "standard"))
            wanted = units.setdefault(key, own)
            if wanted != own:
                datasets[i] = dataset = _recounted(dataset, key, own, wanted)


def _recounted(dataset: xr.Dataset, key: Hashable, own: tuple[str, str], wanted: tuple[str, str]) -> xr.Dataset:
    import cftime
    numbers = np.asarray(dataset[key].values, dtype=np.float64)
    moments = cftime.num2date(numbers, own[0], own[1], only_use_cftime_datetimes=True)
    counted = np.asarray(cftime.date2num(moments, wanted[0], wanted[1]), dtype=np.float64).reshape(numbers.shape)
    attributes = {**dataset[key].attrs, "units": wanted[0], "calendar": wanted[1]}
    return dataset.assign({key: xr.Variable(dataset[key].dims, counted, attributes)})


def _agree_on_packing(key: Hashable, datasets: list[xr.Dataset], notes: list[str]) -> None:
    """In place: what is packed in several ways is unpacked; what is in several units is left out."""
    own = [dataset[key] for dataset in datasets if key in dataset.data_vars]
    if len({str(variable.attrs.get("units", "")) for variable in own}) > 1:
        notes.append(f"variable {key}: it has other units in other files")
        datasets[:] = [dataset.drop_vars(key, errors="ignore") for dataset in datasets]
        return
    if len({(str(variable.dtype), *(str(variable.attrs.get(name)) for name in _PACKING)) for variable in own}) == 1:
        return
    notes.append(f"variable {key}: files store it in different ways; it is read as unpacked numbers")
    for i, dataset in enumerate(datasets):
        if key in dataset.data_vars:
            variable = xr.conventions.decode_cf_variable(key, dataset[key].variable, decode_times=False)
            datasets[i] = dataset.assign({key: xr.Variable(variable.dims, variable.data.astype(np.float64),
                                                           variable.attrs)})
