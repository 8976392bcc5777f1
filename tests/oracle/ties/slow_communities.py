"""Louvain and Leiden in plain Python over dicts: the same rules as features.ties.communities, one loop per sentence."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

Near = Mapping[int, Mapping[int, float]]
"""Node -> neighbour -> weight, both ways; a node's own number stands for its loop, counted both ways."""


def louvain(near: Near, resolution: float, threshold: float = 1e-7) -> list[list[int]]:
    n_nodes = len(near)
    member = list(range(n_nodes))
    total = sum(sum(row.values()) for row in near.values())
    if not total:
        return [member]
    quality = modularity(near, member, resolution)
    levels: list[list[int]] = []
    while True:
        labels = numbered(moved(near, list(range(len(near))), resolution / total))
        found = modularity(near, labels, resolution)
        if levels and found - quality <= threshold:
            return levels
        member = [labels[node] for node in member]
        levels.append(member)
        if found - quality <= threshold or len(set(labels)) == len(near):
            return levels
        quality = found
        near = merged(near, labels)


def leiden(near: Near, resolution: float, n_passes: int = 2) -> list[int]:
    total = sum(sum(row.values()) for row in near.values())
    member = list(range(len(near)))
    for _ in range(n_passes if total else 0):
        member = leiden_pass(near, member, resolution / total)
    return member


def leiden_pass(near: Near, start: list[int], scale: float) -> list[int]:
    labels, node_of = start, list(range(len(near)))
    while True:
        labels = numbered(moved(near, list(labels), scale))
        parts = numbered(refined(near, labels, scale))
        if len(set(labels)) == len(near) or len(set(parts)) == len(near):
            return numbered([labels[node] for node in node_of])
        near = merged(near, parts)
        labels = [labels[parts.index(part)] for part in range(len(near))]
        node_of = [parts[node] for node in node_of]


def moved(near: Near, labels: list[int], scale: float) -> list[int]:
    queue = deque(sorted(near))
    while queue:
        node = queue.popleft()
        strength = sum(near[node].values())

        def gain(label: int, node: int = node, strength: float = strength) -> float:
            toward = sum(w for other, w in near[node].items() if other != node and labels[other] == label)
            return toward - scale * strength * sum(
                sum(near[other].values()) for other in near if other != node and labels[other] == label
            )

        home = labels[node]
        best, best_gain = home, gain(home) + 1e-12 * strength
        for other in sorted_by_row(near, node):
            if gain(labels[other]) > best_gain:
                best, best_gain = labels[other], gain(labels[other])
        labels[node] = best
        if best != home:
            queue.extend(
                other for other in sorted_by_row(near, node) if labels[other] != best and other not in queue
            )
    return labels


def refined(near: Near, labels: list[int], scale: float) -> list[int]:
    parts = list(range(len(near)))

    def strength(nodes: set[int]) -> float:
        return sum(sum(near[node].values()) for node in nodes)

    def is_well_connected(part: set[int], whole: set[int]) -> bool:
        between = sum(w for node in part for other, w in near[node].items() if other in whole - part)
        return between >= scale * strength(part) * strength(whole - part)

    for node in sorted(near):
        whole = {other for other in near if labels[other] == labels[node]}
        if parts.count(node) != 1 or parts[node] != node or not is_well_connected({node}, whole):
            continue
        best, best_gain = node, 0.0
        for near_by in sorted_by_row(near, node):
            part = {other for other in near if parts[other] == parts[near_by]}
            if near_by in whole and is_well_connected(part, whole):
                toward = sum(w for other, w in near[node].items() if other in part)
                gain = toward - scale * strength({node}) * strength(part)
                if gain > best_gain:
                    best, best_gain = parts[near_by], gain
        parts[node] = best
    return parts


def merged(near: Near, labels: list[int]) -> Near:
    above: dict[int, dict[int, float]] = {label: {} for label in range(max(labels) + 1)}
    for node in sorted(near):
        for other, weight in near[node].items():
            row = above[labels[node]]
            row[labels[other]] = row.get(labels[other], 0.0) + weight
    return above


def modularity(near: Near, labels: list[int], resolution: float) -> float:
    total = sum(sum(row.values()) for row in near.values())
    inside = sum(w for node in near for other, w in near[node].items() if labels[node] == labels[other])
    strengths = [
        sum(sum(near[node].values()) for node in near if labels[node] == label) for label in set(labels)
    ]
    return inside / total - resolution * sum((strength / total) ** 2 for strength in strengths)


def numbered(labels: list[int]) -> list[int]:
    first = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    return [first[label] for label in labels]


def sorted_by_row(near: Near, node: int) -> list[int]:
    """Neighbours in the order in which the node's row holds them."""
    return [other for other in near[node] if other != node]
