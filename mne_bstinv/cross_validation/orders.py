"""The mean increment of each convention over the orders in which they can be switched.

Over all n! orders it is the Shapley value (Shapley 1953, *Contributions to the Theory of Games* II,
307–317), which needs the 2ⁿ subsets. Over some orders it is an estimate of it (Castro, Gómez &
Tejada 2009, *Comput. Oper. Res.* 36, 1726–1730); each order comes with its reverse, and sums to the
whole as all of them do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations

import numpy as np

__all__ = ["Subset", "chosen_orders", "mean_over_all", "mean_over_some", "subsets_of", "subsets_on"]

Subset = frozenset[int]
Value = Callable[[Subset], float]


def subsets_of(n: int) -> list[Subset]:
    """List all subsets of n things, the smaller ones first."""
    return [frozenset(s) for count in range(n + 1) for s in combinations(range(n), count)]


def chosen_orders(n: int, count: int) -> list[tuple[int, ...]]:
    """Choose orders of n things: the given one, its reverse, then random ones, always the same."""
    random = np.random.default_rng(0)
    orders = dict[tuple[int, ...], None]()
    order: Sequence[int] = range(n)
    while len(orders) < min(count, math.factorial(n)):
        orders.setdefault(tuple(order))
        orders.setdefault(tuple(reversed(order)))
        order = random.permutation(n).tolist()
    return list(orders)[:count]


def subsets_on(orders: Iterable[Sequence[int]]) -> list[Subset]:
    """List the subsets that some orders pass through, each once."""
    passed = (frozenset(order[:k]) for order in orders for k in range(len(order) + 1))
    return list(dict.fromkeys(passed))


def mean_over_all(n: int, value: Value) -> list[float]:
    """Return the mean increment of each of n things over all orders."""
    found = [0.0] * n
    for subset in subsets_of(n):
        for i in subset:
            without = subset - {i}
            weight = math.factorial(len(without)) * math.factorial(n - len(without) - 1)
            found[i] += weight / math.factorial(n) * (value(subset) - value(without))
    return found


def mean_over_some(orders: Sequence[Sequence[int]], value: Value) -> list[float]:
    """Return the mean increment of each thing over some orders."""
    found = [0.0] * len(orders[0])
    for order in orders:
        for k, i in enumerate(order):
            step = value(frozenset(order[: k + 1])) - value(frozenset(order[:k]))
            found[i] += step / len(orders)
    return found
