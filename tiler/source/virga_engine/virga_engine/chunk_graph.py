# SPDX-License-Identifier: Apache-2.0
"""The part of a dask array's graph that a few of its chunks need, found without looking at the rest of it."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import Any

import cloudpickle
import numpy as np
from dask._task_spec import DataNode, GraphNode, convert_legacy_task
from dask.blockwise import Blockwise
from dask.highlevelgraph import HighLevelGraph
from distributed import Future

from .on_worker import Graph

Key = Any

KEPT_NODES = 200_000
LARGE_LEAF = 1 << 20  # pickled bytes: what is larger travels once, as a task of its own, not with each that uses it


@dataclass
class Cone:
    """What a set of chunks is computed from.

    nodes     tasks, all that the chunks need but for leaves and inputs
    leaves    data that stands in the graph (an opened store): key -> its pickle
    inputs    keys that are computed or held elsewhere: futures, and data too large to be sent with each task
    """

    nodes: dict[Key, GraphNode] = field(default_factory=dict)
    leaves: dict[Key, bytes] = field(default_factory=dict)
    inputs: dict[Key, Future | GraphNode] = field(default_factory=dict)


class ChunkGraph:
    """One dask array. Any thread, with a lock around it; what it has looked up it keeps, within bounds."""

    def __init__(self, array: Any) -> None:
        self.name, self.dtype, self.chunks = array.name, array.dtype, array.chunks
        self.edges = [np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]) for sizes in array.chunks]
        graph = array.__dask_graph__()
        self._layers = dict(graph.layers) if isinstance(graph, HighLevelGraph) else {"": graph}
        self._outputs = {layer.output: layer for layer in self._layers.values() if isinstance(layer, Blockwise)}
        self._nodes: dict[Key, GraphNode | Future] = {}
        self._leaves: dict[Key, bytes | None] = {}

    def key(self, index: tuple[int, ...]) -> Key:
        return (self.name, *index)

    def box(self, index: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Where a chunk begins, and its shape."""
        return (tuple(int(edge[i]) for edge, i in zip(self.edges, index)),
                tuple(int(edge[i + 1] - edge[i]) for edge, i in zip(self.edges, index)))

    def future(self, key: Key) -> Future | None:
        """The future that is this chunk, of a persisted array."""
        node = self.node(key)
        return node if isinstance(node, Future) else None

    def closure(self, keys: Iterable[Key]) -> set[Key]:
        """These keys and all that they depend on."""
        found, pending = set(), list(keys)
        while pending:
            key = pending.pop()
            if key not in found:
                found.add(key)
                pending.extend(getattr(self.node(key), "dependencies", ()))
        return found

    def cone(self, keys: Iterable[Key], elsewhere: Container[Key] = (), here: bool = False) -> Cone:
        """All that the chunks of these keys are computed from. elsewhere: keys that are computed by tasks of their own,
        and so are inputs. here: it is computed in this process, so data in the graph are inputs, too. KeyError where
        the graph is not whole."""
        cone, pending = Cone(), list(keys)
        self._look_up(pending)
        while pending:
            key = pending.pop()
            if key in cone.nodes or key in cone.leaves or key in cone.inputs:
                continue
            node = self.node(key)
            if isinstance(node, Future) or key in elsewhere:
                cone.inputs[key] = node
            elif isinstance(node, DataNode):
                pickled = None if here else self._leaf(key, node)
                if pickled is None:
                    cone.inputs[key] = node
                else:
                    cone.leaves[key] = pickled
            else:
                cone.nodes[key] = node
                self._look_up(node.dependencies)
                pending.extend(node.dependencies)
        return cone

    def _leaf(self, key: Key, node: DataNode) -> bytes | None:
        if key not in self._leaves:
            large = getattr(node.value, "nbytes", 0) > LARGE_LEAF and isinstance(node.value, np.ndarray)
            pickled = None if large else cloudpickle.dumps(node.value, protocol=5)
            self._leaves[key] = pickled if pickled is not None and len(pickled) <= LARGE_LEAF else None
        return self._leaves[key]

    def node(self, key: Key) -> GraphNode | Future:
        if key not in self._nodes:
            self._look_up([key])
        return self._nodes[key]

    def _look_up(self, keys: Iterable[Key]) -> None:
        """Makes the nodes of these keys known: many of one layer at a time, for a layer that is not written out makes
        them then."""
        if len(self._nodes) > KEPT_NODES:
            self._nodes.clear()
        wanted: dict[str, set[Key]] = {}
        for key in keys:
            if key in self._nodes:
                continue
            name = key[0] if isinstance(key, tuple) else key
            if name in self._outputs and isinstance(key, tuple):
                wanted.setdefault(name, set()).add(key)
            else:
                self._nodes[key] = self._written(key, name)
        for name, some in wanted.items():
            culled, _ = self._outputs[name].cull(some, ())
            for key in some:
                self._nodes[key] = self._as_node(key, culled[key])

    def _written(self, key: Key, name: Any) -> GraphNode | Future:
        layer = self._layers.get(name) if isinstance(name, str) else None
        if layer is None or key not in layer:
            written = (layer for layer in self._layers.values() if not isinstance(layer, Blockwise))
            layer = next((layer for layer in written if key in layer), None)
        if layer is None:
            raise KeyError(key)
        return self._as_node(key, layer[key])

    def _as_node(self, key: Key, value: Any) -> GraphNode | Future:
        if isinstance(value, (GraphNode, Future)):
            return value
        node = convert_legacy_task(key, value, self)
        return node if isinstance(node, GraphNode) else DataNode(key, node)

    def __contains__(self, key: Key) -> bool:
        """Whether something in an old-style task is a key of this graph."""
        try:
            self.node(key)
        except (KeyError, TypeError):
            return False
        return True


def read_box(array: Any, slices: tuple[slice, ...]) -> np.ndarray:
    """A box of a dask array, computed on this thread chunk by chunk, without a scheduler (unit steps)."""
    graph = ChunkGraph(array)
    first = [int(np.searchsorted(edge, s.start, side="right")) - 1 for edge, s in zip(graph.edges, slices)]
    last = [int(np.searchsorted(edge, s.stop, side="left")) for edge, s in zip(graph.edges, slices)]
    indices = list(itertools.product(*(range(a, b) for a, b in zip(first, last))))
    answer = np.empty([s.stop - s.start for s in slices], array.dtype)
    for index in indices:
        key = graph.key(index)
        cone = graph.cone([key], here=True)
        chunk = Graph(cone.nodes, {name: node() for name, node in cone.inputs.items()}, [key]).take(key)
        box = [(max(s.start, o), min(s.stop, o + n), o) for s, o, n in zip(slices, *graph.box(index))]
        answer[tuple(slice(a - s.start, b - s.start) for (a, b, _), s in zip(box, slices))] = \
            chunk[tuple(slice(a - o, b - o) for a, b, o in box)]
    return answer
