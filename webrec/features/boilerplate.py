"""[2][4] What a site says on every page: titles and URLs in, the same without it out.

"Solar power at night - The Daily Planet" is about solar power. Words that stand on many pages of
one site, and on few others, would make clusters of sites instead of subjects. A title is taken
apart at its separators, the path of a URL into words; a part of either that nearly all of the
host's pages have is a template. A section's name is none: it says what its pages are about.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from webrec.domain.hashing import hash64
from webrec.domain.sorted_numbers import position_of
from webrec.features.text import LONGEST_TEXT

FEWEST_PAGES = 5
"""A part on fewer pages of a host is no template: two articles may share half a headline."""

SMALLEST_SHARE = 0.8
"""Nor is one on a smaller share of the host's pages: what some pages say sets them apart from the
others, as the names of a site's sections do, even where most pages are in one section."""

# on text whose white space is single blanks: each character is looked at a few times only
_SEPARATOR = re.compile(r" [-–—|·•»«~>/]+ | ?(?:\||::|»|«) ?|: ")
_PATH_WORD = re.compile(r"[^\W\d_]{3,20}")


def host_of(url: str) -> str:
    """The host of a canonical URL, with its port, without a leading ``www.``."""
    return url.partition("://")[2].partition("/")[0].removeprefix("www.")


class Templates:
    """The templates of many hosts.

    Args:
        hashes: uint64 (n,), sorted: one for each pair of a host and a part of its titles or paths.
    """

    def __init__(self, hashes: NDArray[np.uint64]) -> None:
        self.hashes = hashes
        self._sorted = hashes.data

    def without(self, url: str, title: str) -> str:
        """The title of a page without its site's templates; whole where nothing else is left."""
        if not len(self._sorted):
            return title
        parts = _parts(title)
        host = host_of(url)
        kept = [part for part in parts if part.strip() and not self._has(host, part)]
        return " - ".join(kept) if 0 < len(kept) < len(parts) else title

    def path_words(self, url: str) -> str:
        """The words in the path of a canonical URL without its site's templates, each once."""
        host = host_of(url)
        return " ".join(w for w in _path_words(url) if not self._has(host, f"/{w}"))

    def _has(self, host: str, part: str) -> bool:
        return position_of(self._sorted, _hash(host, part)) >= 0


def learn(titles: Iterable[tuple[str, str]]) -> Templates:
    """The templates of the sites of a batch.

    Args:
        titles: URL and title of each page.
    """
    pages: Counter[str] = Counter()
    parts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for url, title in titles:
        host = host_of(url)
        pages[host] += 1
        parts[host].update({_normalised(part) for part in _parts(title)})
        parts[host].update(f"/{word}" for word in _path_words(url))
    found = [
        _hash(host, part)
        for host, counts in parts.items()
        for part in _frequent(counts, pages[host])
    ]
    return Templates(np.unique(np.array(found, np.uint64)))


def _frequent(counts: Counter[str], pages: int) -> Iterator[str]:
    """The parts that enough of a host's pages have."""
    least = max(FEWEST_PAGES, SMALLEST_SHARE * pages)
    return (part for part, count in counts.items() if part and count >= least)


def _parts(title: str) -> list[str]:
    """A title between its separators, as far as it counts."""
    return _SEPARATOR.split(" ".join(title.split())[:LONGEST_TEXT])


def _path_words(url: str) -> list[str]:
    """The words in the path of a canonical URL, each once; numbers and codes are none."""
    path = url.partition("://")[2].partition("/")[2].partition("?")[0]
    return list(dict.fromkeys(_PATH_WORD.findall(unquote(path).lower())))


def _normalised(part: str) -> str:
    return part.strip().casefold()


def _hash(host: str, part: str) -> int:
    return hash64(f"{host}\n{_normalised(part)}".encode())
