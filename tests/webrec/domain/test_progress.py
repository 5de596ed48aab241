"""How work says how far it is."""

from __future__ import annotations

from webrec.domain.progress import Progress, StepProgress, no_progress, step


def test_a_step_is_reported_under_its_name() -> None:
    """What one step says of itself comes with the name that the caller gave it."""
    reported: list[tuple[str, int, int]] = []
    reading = step(lambda *each: reported.append(each), "reading the log")
    reading(0, 2)
    reading(2, 2)
    assert reported == [("reading the log", 0, 2), ("reading the log", 2, 2)]


def test_no_progress_does_for_both() -> None:
    """It takes what either is called with."""
    whole: Progress = no_progress
    part: StepProgress = no_progress
    whole("reading the log", 1, 2)
    part(1, 2)
