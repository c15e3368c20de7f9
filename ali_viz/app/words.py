"""What the app says of steps, selections and scores, in the words of a person."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ali_core.interventions import InterventionStep, Session, SessionEvent
from ali_core.interventions.step_table import describe_step
from ali_viz.theme import class_label

if TYPE_CHECKING:
    from ali_core.experiments.session_scorer import SessionScores

__all__ = ["count_words", "event_words", "score_words", "selection_words", "step_words"]

WHAT_HAPPENED = {
    "undo": "Undone",
    "redo": "Redone",
    "reset": "Reset",
}


def count_words(steps: Sequence[InterventionStep]) -> str:
    """Say how many of ``steps`` act, and how many are skipped, such as ``12 steps, 1 skipped``."""
    skipped = sum(step.skipped for step in steps)
    acting = len(steps) - skipped
    return f"{acting} step{'s' * (acting != 1)}" + (f", {skipped} skipped" if skipped else "")


def step_words(step: InterventionStep, class_names: Sequence[str]) -> str:
    """Return one line: what moved, how strongly, and away from what."""
    return describe_step(step, [class_label(name) for name in class_names])


def event_words(event: SessionEvent, session: Session, known: Collection[str]) -> str:
    """Say what happened and where ``session`` stands now; ``known`` are the branches that were there before."""
    if event.kind == "step" and event.step is not None:
        branch = f" on {session.branch}" if len(session.branches) > 1 else ""
        new = "" if session.branch in known else ", a new branch"
        return f"Step {event.cursor}{branch}{new}: {step_words(event.step, session.embedding.class_names)}"
    steps, undone = session.steps, session.undone
    skipped = sum(step.skipped for step in steps)
    where = f"{len(steps) - skipped} of {len(steps) + len(undone)} steps in force"
    if event.kind == "toggle" and event.step is not None:
        found = (at for at, step in enumerate([*steps, *undone], start=1) if step is event.step)
        what = f"Step {next(found, '')} {'left out' if event.step.skipped else 'taken in again'}"
    else:
        what = WHAT_HAPPENED.get(event.kind, f"Branch {session.branch}")
    return f"{what}: {where}" + (f", {skipped} skipped" if skipped else "")


def selection_words(names: Sequence[str], n_samples: int, *, lassoed: bool = False) -> str:
    """Say which classes are selected, and how many samples; ``lassoed`` when a lasso alone chose them."""
    if not names:
        return f"Selected by a lasso: {n_samples:,} without a class" if n_samples else "Nothing is selected"
    what = ", ".join(map(class_label, names)) if len(names) <= 3 else f"{len(names)} classes"
    return f"Lasso of {n_samples:,} points: {what} selected" if lassoed else f"{what} selected: {n_samples:,} samples"


def score_words(scores: "SessionScores") -> str:
    """Say what came out of scoring."""
    untouched = f"Scored: macro F1 {scores.untouched.macro_f1:.3f} untouched"
    if not scores.n_steps:
        return untouched
    steps = f"{scores.n_steps} step{'s' * (scores.n_steps != 1)}"
    return f"{untouched}, {scores.transfer.macro_f1:.3f} predicted after {steps}"
