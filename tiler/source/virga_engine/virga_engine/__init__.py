# SPDX-License-Identifier: Apache-2.0
"""The engine child of virga: the Python end of the source protocol (../../SOURCE_PROTOCOL.md).

It answers as a netCDF file does: dimensions, variables, attributes, chunk shapes, and slabs of stored numbers. What the numbers
mean is understood in C. Reading order: service.py, datasets.py, openers/, reader.py, cluster.py, cluster_reader.py.
"""

__version__ = "0.1.0"
