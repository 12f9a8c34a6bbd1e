# SPDX-License-Identifier: Apache-2.0
"""Show forecasts from a notebook: `import virga; virga.show(obj)`.

obj is an xarray DataArray or Dataset, or an Iris cube (or several in a list), backed by Dask or in memory. See show().
"""

from __future__ import annotations

from virga_engine import __version__

from .showing import close, show
from .view import View

__all__ = ["View", "__version__", "close", "show"]
