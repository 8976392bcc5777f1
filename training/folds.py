"""Folds that keep all rows of a customer together, drawn by a hash of the id, so that row order changes nothing."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Folds = NDArray[np.int8]


def customer_folds(
    customer: NDArray[np.object_], left: NDArray[np.float64], n_folds: int, *, salt: str = "folds"
) -> Folds:
    """Return the fold (0 to n_folds - 1) of each row: leavers and stayers are dealt out evenly, customer by customer.

    A customer is a leaver when any of their rows is. Within each kind customers are ordered by the hash of ``salt``
    and id, and dealt in turn; another salt gives other folds.
    """
    ids, member = np.unique(customer.astype(str), return_inverse=True)
    ever_left = np.zeros(len(ids), dtype=bool)
    ever_left[member[left > 0]] = True
    draws = np.array([_draw(salt, name) for name in ids.tolist()], dtype=np.uint64)
    fold = np.empty(len(ids), dtype=np.int8)
    for kind in (True, False):
        chosen = np.flatnonzero(ever_left == kind)
        ordered = chosen[np.argsort(draws[chosen], kind="stable")]
        fold[ordered] = np.arange(len(ordered)) % n_folds
    return fold[member]


def _draw(salt: str, name: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{salt}\x1f{name}".encode(), digest_size=8).digest(), "big")
