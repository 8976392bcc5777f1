"""What the caller calls the nodes of a graph, and the way back to their numbers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from .kernels import IntArray, NodeArray


class Names:
    """What the caller calls each node, and the way back; without labels a node is called by its number."""

    def __init__(self, labels: Sequence[Hashable] | None, n_nodes: int) -> None:
        self.labels: Sequence[Hashable] = range(n_nodes) if labels is None else labels
        self.is_plain = labels is None

    @cached_property
    def numbers(self) -> dict[Hashable, int]:
        """Number of each label."""
        numbers = {label: node for node, label in enumerate(self.labels)}
        if len(numbers) != len(self.labels):
            msg = f"labels: expected all different, found {len(self.labels) - len(numbers)} that come twice"
            raise ValueError(msg)
        return numbers

    def find(self, label: Hashable) -> int:
        """Give the number of a node, -1 if there is none of that name; TypeError if nothing can be called so."""
        hash(label)
        if not self.is_plain:
            return self.numbers.get(label, -1)
        if (
            isinstance(label, int | float | np.number)
            and 0 <= label < len(self.labels)
            and label == int(label)
        ):
            return int(label)
        return -1

    def number(self, label: Hashable) -> int:
        """Give the number of a node; KeyError if there is none."""
        node = self.find(label)
        if node < 0:
            raise KeyError(label)
        return node

    def named(self, nodes: NodeArray | IntArray) -> list[Any]:
        """Give the labels of many nodes."""
        numbers: list[Any] = nodes.tolist()
        if self.is_plain:
            return numbers
        labels = self.labels
        return [labels[node] for node in numbers]

    def dict_of(self, values: np.ndarray) -> dict[Any, Any]:
        """Give a dict of one value per node, in node order, as plain Python numbers."""
        return dict(zip(self.labels, values.tolist(), strict=True))
