# SPDX-License-Identifier: Apache-2.0
"""Show forecasts from a notebook: virga.show(obj)."""
