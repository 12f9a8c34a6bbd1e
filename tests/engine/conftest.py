# SPDX-License-Identifier: Apache-2.0
"""For the engine's tests."""

import pyproj  # noqa: F401  before netCDF4: the two wheels, loaded the other way round, end a process that ends with free() of the same memory twice
