"""What is known of a file while it is read: symbols, the current field, faults and findings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from mne_bstinv.conversion import Findings

__all__ = ["Context", "Symbol"]

#: A size: a number, a name, a multiple of a name (``"3*n"``), or ``"?"`` for any.
Symbol = str | int

#: Sizes of a file: symbol -> value, and the field that set it.
Sizes = dict[str, tuple[int, str]]


class Context:
    """Where the engine is in a file, the sizes seen so far, and the faults of the whole file.

    ``path`` is the field the engine is in (``'Channel(3)'``), ``''`` at the top; ``sizes`` are the
    known symbols, and ``findings`` collects what is no fault, but not as it should be.
    """

    __slots__ = ("_findings", "faults", "path", "sizes")

    def __init__(
        self,
        path: str = "",
        faults: list[str] | None = None,
        sizes: Sizes | None = None,
        findings: Findings | None = None,
    ) -> None:
        self.path = path
        self._findings = findings
        self.faults: list[str] = [] if faults is None else faults
        self.sizes: Sizes = {} if sizes is None else sizes

    @property
    def findings(self) -> Findings:
        """What was found so far."""
        if self._findings is None:
            self._findings = Findings()
        return self._findings

    def at(self, name: str) -> Context:
        """Return the context of a field: the same symbols."""
        return Context(self._path_of(name), self.faults, self.sizes, self.findings)

    def element(self, index: int | None = None) -> Context:
        """Return the context of a struct (array element): new symbols stay inside."""
        path = self.path if index is None else f"{self.path}({index + 1})"
        return Context(path, self.faults, dict(self.sizes), self.findings)

    def attempt(self, name: str | None = None) -> Context:
        """Return the context of an attempt, at a field: :meth:`accept` takes what it brings."""
        path = self.path if name is None else self._path_of(name)
        return Context(path, [], dict(self.sizes))

    def accept(self, attempt: Context) -> None:
        """Take over what an attempt learnt."""
        if len(attempt.sizes) > len(self.sizes):  # an attempt only adds symbols
            self.sizes.update(attempt.sizes)
        if attempt._findings is not None:
            self.findings.include(attempt._findings.report)

    def fault(self, found: str, expected: str) -> None:
        """Add a fault."""
        self.faults.append(f"{self.path}: {found} found, {expected} expected")

    def match(self, shape: Sequence[int], symbols: Sequence[Symbol]) -> bool:
        """Tell whether a shape fits the symbols; if so, set those that are new."""
        new = self._fit(shape, symbols)
        if new is None:
            return False
        self.sizes.update({name: (size, self.path) for name, size in new.items()})
        return True

    def fits(self, shape: Sequence[int], symbols: Sequence[Symbol]) -> bool:
        """Tell whether a shape fits the symbols."""
        return self._fit(shape, symbols) is not None

    def explain(self, symbols: Sequence[Symbol]) -> str:
        """Return the expected shape in words, with the sizes that are known."""
        names = [str(symbol).rpartition("*")[2] for symbol in symbols]
        known = [
            f"{name} = {self.sizes[name][0]} (from {self.sizes[name][1]})"
            for name in dict.fromkeys(names)
            if name in self.sizes
        ]
        text = f"({', '.join(map(str, symbols))}{',' if len(symbols) == 1 else ''})"
        return f"{text} with {' and '.join(known)}" if known else text

    def _path_of(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _fit(self, shape: Sequence[int], symbols: Sequence[Symbol]) -> dict[str, int] | None:
        if len(shape) != len(symbols):
            return None
        new: dict[str, int] = {}
        for size, symbol in zip(shape, symbols, strict=True):
            if symbol == "?":
                continue
            if isinstance(symbol, int):
                if size != symbol:
                    return None
                continue
            factor, name = _multiple(symbol)
            size, rest = divmod(size, factor)
            known = new.get(name, self.sizes.get(name, (size, ""))[0])
            if rest or known != size:
                return None
            if name not in self.sizes:
                new[name] = size
        return new


@cache
def _multiple(symbol: str) -> tuple[int, str]:
    """Return the factor and the name of a symbol."""
    factor, _, name = symbol.rpartition("*")
    return int(factor or 1), name
