"""[5] The algorithms there are, each registered by its own file.

A module of this package registers what it defines when it is imported, and `algorithms` imports
every module of the package. So a new algorithm is a new file: it says its name, its mode and the
filter with which a request asks for it, and nothing else has to change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

from algorithms.signals import Signals
from algorithms.step import Best, Built, Passed

Algorithm = Callable[[Signals, Best], Built | Passed]
"""Asks the signals what it needs, and gives a list or names the algorithm that follows."""

MODES = ("related", "sponsored")
"""What a request may ask for: pages of the site, or ads."""

BY_NAME: dict[str, Algorithm] = {}
"""Every algorithm by its name. Filled by `register`; for others to read."""

_NAMES: dict[str, list[str]] = {mode: [] for mode in MODES}
_FIRST: dict[tuple[str, str], str] = {}

_A = TypeVar("_A", bound=Algorithm)


def register(name: str, mode: str, filter_: str | None = None) -> Callable[[_A], _A]:
    """Decorate the function that is an algorithm.

    Args:
        name: as answers give it, such as ``WebR.Rel.Cont``.
        mode: one of `MODES`.
        filter_: the filter of the requests that begin with it; None for an algorithm that only
            others hand on to.

    Raises:
        ValueError: the mode is none, or the name, or the filter in this mode, is taken.
    """
    if mode not in MODES:
        raise ValueError(f"{name}: {mode!r} is none of the modes {', '.join(MODES)}")
    if name in BY_NAME:
        raise ValueError(f"there are two algorithms {name}")
    if filter_ is not None and (mode, filter_) in _FIRST:
        raise ValueError(f"both {_FIRST[mode, filter_]} and {name} are {mode} by {filter_}")

    def registered(algorithm: _A) -> _A:
        BY_NAME[name] = algorithm
        _NAMES[mode].append(name)
        if filter_ is not None:
            _FIRST[mode, filter_] = name
        return algorithm

    return registered


def discover(package: str, path: Iterable[str]) -> None:
    """Import every module of a package, in the order of their names.

    Args:
        path: the package's ``__path__``.
    """
    for name in sorted(module.name for module in iter_modules(path)):
        import_module(f"{package}.{name}")


def first_algorithm(mode: str, filter_: str) -> str:
    """The name of the algorithm that a request of this mode and filter begins with.

    Raises:
        KeyError: there is none.
    """
    return _FIRST[mode, filter_]


def filters() -> tuple[str, ...]:
    """What a request may name as its filter: each has an algorithm in every mode.

    Their order is that of the documentation, the reverse of the alphabet's: ``content`` comes
    before ``collaborative``.
    """
    named = {filter_ for _, filter_ in _FIRST}
    complete = [f for f in named if all((mode, f) in _FIRST for mode in MODES)]
    return tuple(sorted(complete, reverse=True))


def algorithms_of(mode: str) -> dict[str, Algorithm]:
    """The algorithms of a mode by name: those of the filters, in their order, then the others."""
    first = [_FIRST[mode, filter_] for filter_ in filters()]
    others = sorted(name for name in _NAMES[mode] if name not in first)
    return {name: BY_NAME[name] for name in (*first, *others)}
