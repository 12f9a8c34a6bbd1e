# SPDX-License-Identifier: Apache-2.0
"""Kinds of cluster behind cluster.open_cluster: managed.py looks after any of them, and each kind is a Backend of its own."""
