"""The steps of a session as a Python script that a person can read, run and change."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions.criteria import CRITERIA
from ali_core.interventions.manual import ManualStep, resolve_manual
from ali_core.interventions.settings import PRESETS, InterventionSettings, preset
from ali_core.interventions.state import InterventionState
from ali_core.interventions.steps import OUTCOME, InterventionStep, carry_out, decide, step_generator, strengths_of

__all__ = ["session_code"]

STEP = "session.step()"

MOST_WRITTEN = 8
"""Numbers of a displacement that a line tells."""


def session_code(
    embedding: LabelledEmbedding,
    settings: InterventionSettings,
    untouched: InterventionState,
    steps: Sequence[InterventionStep],
    *,
    source: str | Path | None,
    session_file: str | Path | None,
) -> str:
    """Return a script that loads ``source``, takes ``steps`` from ``untouched`` on, and ends with ``settings``.

    Notes
    -----
    Each step is written as the shortest call that takes it again: ``session.step()`` for one that Ω would choose again,
    ``session.run(n)`` for n of them in a row, ``session.apply(…)`` for one that a person chose, and otherwise the
    record itself, ``session.replay([…])``. A step that drags a class further than a line of numbers tells is read from
    ``session_file`` where one is given; the script stops when that file does not hold it.
    """
    state = untouched
    calls: list[tuple[InterventionSettings | None, str]] = []
    dragged: list[str] = []
    for index, step in enumerate(steps):
        if session_file is not None and len(step.displacement or ()) > MOST_WRITTEN:
            dragged.append(repr(step.fingerprint[:16]))
            calls.append((None, f"session.replay([saved[{dragged[-1]}]])  # dragged"))
        else:
            calls.append(next(_calls(step, state, index, settings, embedding.class_names)))
        state, _ = carry_out(state, step)
    now = next((needed for needed, _ in calls if needed is not None), settings)
    lines = [
        f"embedding = LabelledEmbedding.load({Path(source or 'embedding.npz').as_posix()!r})",
        f"assert embedding.fingerprint.startswith({embedding.fingerprint[:16]!r}), 'this is another embedding'",
        f"session = Session(embedding, {_settings_code(now, embedding.dim)})",
    ]
    if dragged:
        where = Path(session_file or "").as_posix()
        lines += [
            f"# written by Save session or session.save: it holds the {embedding.dim:,} numbers of each drag",
            f"saved = {{step.fingerprint[:16]: step for step in Session.load({where!r}, embedding).steps}}",
            f"assert saved.keys() >= {{{', '.join(dragged)}}}, 'a drag is not in that file: save the session again'",
        ]
    if source is None:
        lines.insert(0, "# the embedding came from memory: write it with embedding.save('embedding.npz')")
    for (needed, call), same in groupby([*calls, (settings, "")]):
        if needed not in (None, now):
            lines.append(f"session.settings = {_settings_code(needed, embedding.dim)}")
            now = needed
        count = len(list(same))
        lines += [f"session.run({count})"] if call == STEP and count > 1 else [call] * count
    body = "\n".join(lines)
    names = ("InterventionSettings", "InterventionStep", "ManualStep", "Session", "preset")
    used = ", ".join(name for name in names if f"{name}(" in body)
    return f"from ali_core import LabelledEmbedding\nfrom ali_core.interventions import {used}\n\n{body}"


def _calls(
    step: InterventionStep,
    state: InterventionState,
    index: int,
    settings: InterventionSettings,
    names: Sequence[str],
) -> Iterator[tuple[InterventionSettings | None, str]]:
    """Yield calls that take ``step`` on ``state``, the most readable first, each with the settings that it needs."""
    record = step.model_copy(update=OUTCOME)
    neighbours = {"n_neighbours": max(len(step.neighbours[0]), 1)}
    if step.criterion in CRITERIA:
        told = {name: getattr(step, name) for name in ("norm_keeping", "criterion", "selection", "seed")}
        told = strengths_of(step) | {name: value for name, value in told.items() if value is not None}
        for change in (told, told | neighbours):
            needed = settings.changed(**change)
            chosen = decide(state.statistics, needed, step_generator(needed.seed, index))
            if chosen.model_copy(update=OUTCOME) == record:
                yield needed, STEP
    if step.source == "manual":
        needed = settings if step.displacement else settings.changed(norm_keeping=step.norm_keeping)
        others = dict.fromkeys(names[code] for group in step.neighbours for code in group)
        for how in ({}, neighbours, {"away_from": tuple(others)}):
            try:
                manual = ManualStep(
                    classes=tuple(names[code] for code in step.classes),
                    displacement=step.displacement,
                    **strengths_of(step),
                    **how,
                )
                resolved = resolve_manual(manual, state.statistics, names, needed)
            except AliError:  # a record may hold what a person cannot choose
                continue
            if resolved == record:
                yield needed, f"session.apply({manual!r})"
    yield None, f"session.replay([{record!r}])"


def _settings_code(settings: InterventionSettings, dim: int) -> str:
    """Return the preset that ``settings`` are, or all that differs from the defaults."""
    found = next((name for name in PRESETS if preset(name, dim) == settings), None)
    return repr(settings) if found is None else f"preset({found!r}, dim=embedding.dim)"
