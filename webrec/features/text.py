"""[2][4] What a page says, as text, words and meaning: the batch and the service share it.

In: pages and texts. Out: a text's informative words, and rows of numbers for its meaning.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from webrec.domain.progress import StepProgress, no_progress
from webrec.domain.types import Page

CHUNK = 4_096
"""Texts that are embedded together: enough for full speed, few for memory and for progress."""

LONGEST_TEXT = 2_000
"""Characters of a text that count: past them, more of the same costs time and says little."""

ENGLISH_STOP_WORDS = frozenset(
    """
    a about above across after afterwards again against all almost alone along already also
    although always am among amongst amoungst amount an and another any anyhow anyone
    anything anyway anywhere are around as at back be became because become becomes becoming
    been before beforehand behind being below beside besides between beyond bill both bottom
    but by call can cannot cant co con could couldnt cry de describe detail do done down due
    during each eg eight either eleven else elsewhere empty enough etc even ever every
    everyone everything everywhere except few fifteen fifty fill find fire first five for
    former formerly forty found four from front full further get give go had has hasnt have
    he hence her here hereafter hereby herein hereupon hers herself him himself his how
    however hundred i ie if in inc indeed interest into is it its itself keep last latter
    latterly least less ltd made many may me meanwhile might mill mine more moreover most
    mostly move much must my myself name namely neither never nevertheless next nine no
    nobody none noone nor not nothing now nowhere of off often on once one only onto or
    other others otherwise our ours ourselves out over own part per perhaps please put
    rather re same see seem seemed seeming seems serious several she should show side since
    sincere six sixty so some somehow someone something sometime sometimes somewhere still
    such system take ten than that the their them themselves then thence there thereafter
    thereby therefore therein thereupon these they thick thin third this those though three
    through throughout thru thus to together too top toward towards twelve twenty two un
    under until up upon us very via was we well were what whatever when whence whenever
    where whereafter whereas whereby wherein whereupon wherever whether which while whither
    who whoever whole whom whose why will with within without would yet you your yours
    yourself yourselves
    """.split()  # noqa: SIM905 - three hundred quoted words are no easier to read
)
"""Those of scikit-learn (which has them of the Glasgow Information Retrieval Group)."""

STOP_WORDS = ENGLISH_STOP_WORDS | frozenset(
    {"http", "https", "www", "com", "org", "net", "html", "htm", "php", "amp", "quot", "nbsp"}
    | {"gt", "lt", "la", "le", "les", "des", "du", "et", "une", "est", "dans", "avec", "sur"}
    | {"pour", "qui", "el", "los", "las", "del", "que", "en", "por", "una", "para", "und", "der"}
    | {"das", "ein", "eine", "mit", "von", "nicht", "ist", "auf", "zu", "für", "dem", "il", "di"}
    | {"che", "della", "og", "er", "på", "av", "det", "som", "ikke", "har", "til", "ett", "att"}
    | {"och", "het", "een", "voor", "niet", "não", "um", "uma", "os", "ao", "com", "em"}
)
"""English function words, the commonest of other European languages, and parts of addresses."""

_WORD = re.compile(r"[^\W_][\w+#]*(?:['’\-][^\W_][\w+#]*)*")  # noqa: RUF001 (apostrophe)
_ENDING = re.compile(r"['’](?:s|m|d|re|ve|ll)?$")  # noqa: RUF001 (apostrophe)
_NOTHING = re.compile(r"[\d\-]+(?:st|nd|rd|th|am|pm|s|k|m|x)?|.*n['’]t")  # noqa: RUF001 (apostrophe)


def text_of(page: Page) -> str:
    """Title, keywords and description as one text; empty where the author says nothing."""
    keywords = ", ".join(word.strip() for word in page.keywords if word.strip())
    parts = (page.title.strip(), keywords, page.description.strip())
    return ". ".join(part for part in parts if part)


def words(text: str) -> list[str]:
    """The informative words of a text, lower case, in its order: no numbers, no stop words."""
    found = (_ENDING.sub("", word) for word in _WORD.findall(text.lower()))
    return [word for word in found if _is_informative(word)]


def _is_informative(word: str) -> bool:
    return 1 < len(word) <= 30 and word not in STOP_WORDS and not _NOTHING.fullmatch(word)


def embed(texts: Sequence[str], progress: StepProgress = no_progress) -> NDArray[np.float32]:
    """Mean of the WordLlama embeddings of each text's tokens, whatever the other texts are.

    Args:
        texts: any language; only the first `LONGEST_TEXT` characters of each count.
        progress: called after each chunk of texts that is embedded.

    Returns:
        float32 (n_texts, 256), rows of length 1; a text without tokens is a row of zeros.
    """
    model = _model()
    rows = np.zeros((len(texts), model.embedding.shape[1]), dtype=np.float32)
    for start in range(0, len(texts), CHUNK):
        chunk = [text[:LONGEST_TEXT] for text in texts[start : start + CHUNK]]
        rows[start : start + len(chunk)] = model.embed(chunk)
        progress(start + len(chunk), len(texts))
    return to_unit(rows)


def to_unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring every row but zeros to length 1, in place."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(lengths > 0, lengths, 1)
    return rows


def load() -> None:
    """Load what `embed` needs, so that the first page to be embedded need not wait for it."""
    _model()


@cache
def _model() -> Any:
    """The WordLlama model out of its own package: 32,000 tokens by 256, nothing is fetched."""
    with _logging_untouched():
        import wordllama
    folder = Path(wordllama.__file__).parent
    return wordllama.WordLlama.load(cache_dir=folder, disable_download=True)


@contextmanager
def _logging_untouched() -> Iterator[None]:
    """Undo what WordLlama does to the root logger on import."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
