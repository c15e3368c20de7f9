"""The steps of a session as a Python script that a person can read, run and change."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions.criteria import CRITERIA
from ali_core.interventions.manual import ManualStep, resolve_manual
from ali_core.interventions.settings import PRESETS, InterventionSettings, Record, preset
from ali_core.interventions.state import InterventionState
from ali_core.interventions.steps import InterventionStep, carry_out, decide, step_generator, strengths_of

__all__ = ["session_code"]

OUTCOME = {"scores", "shift_lengths", "norm_factor", "notes"}
"""Fields of a step that follow from the others."""

STEP = "session.step()"


def session_code(
    embedding: LabelledEmbedding,
    settings: InterventionSettings,
    untouched: InterventionState,
    steps: Sequence[InterventionStep],
) -> str:
    """Return a script that loads ``embedding``, takes ``steps`` from ``untouched`` on, and ends with ``settings``.

    Notes
    -----
    Each step is written as the shortest call that takes it again: a step that Ω would choose again as
    ``session.step()``, n of them in a row as ``session.run(n)``; a person's as ``session.apply(…)``; all others, with
    skipped ones, as the record itself, ``session.replay([…])``.
    """
    state, calls = untouched, []
    for index, step in enumerate(steps):
        calls.append(next(_calls(step, state, index, settings, embedding.class_names)))
        state, _ = carry_out(state, step)
    first = now = next((needed for needed, _ in calls if needed is not None), settings)
    lines = []
    for (needed, call), same in groupby([*calls, (settings, "")]):
        if needed not in (None, now):
            lines.append(f"session.settings = session.settings.changed({_changes(now, needed)})")
            now = needed
        count = len(list(same))
        lines += [f"session.run({count})"] if call == STEP and count > 1 else [call] * count
    body = "\n".join([f"session = Session(embedding, {_settings_code(first, embedding.dim)})", *lines])
    names = ("InterventionSettings", "LabelledEmbedding", "ManualStep", "Session", "preset")
    used = [name for name in names if name in {"LabelledEmbedding", "Session"} or f"{name}(" in body]
    record = "from ali_core.interventions import InterventionStep\n" if "InterventionStep(" in body else ""
    return f"from ali_core import {', '.join(used)}\n{record}\n{_load_code(embedding)}\n{body}"


def _calls(
    step: InterventionStep,
    state: InterventionState,
    index: int,
    settings: InterventionSettings,
    names: Sequence[str],
) -> Iterator[tuple[InterventionSettings | None, str]]:
    """Yield calls that take ``step`` on ``state``, the most readable first, each with the settings that it needs."""
    neighbours = {"n_neighbours": max(len(step.neighbours[0]), 1)}
    told = {name: getattr(step, name) for name in ("norm_keeping", "criterion", "selection", "seed")}
    told = strengths_of(step) | {name: value for name, value in told.items() if value is not None}
    if step.criterion in CRITERIA:
        for change in ({}, told, told | neighbours):
            needed = settings.changed(**change)
            if needed.criterion in CRITERIA:
                chosen = decide(state.statistics, needed, step_generator(needed.seed, index))
                if _same(chosen, step):
                    yield needed, STEP
    if step.source == "manual":
        kept = {} if step.displacement is not None else {"norm_keeping": step.norm_keeping}
        needed = settings.changed(**kept)
        others = dict.fromkeys(names[code] for group in step.neighbours for code in group)
        chosen_by = {"classes": tuple(names[code] for code in step.classes), "displacement": step.displacement}
        for how in ({}, neighbours, {"away_from": tuple(others)}):
            try:
                manual = ManualStep(**chosen_by, **strengths_of(step), **how)
                resolved = resolve_manual(manual, state.statistics, names, needed)
            except AliError:  # a record may hold what a person cannot choose
                continue
            if _same(resolved, step):
                yield needed, f"session.apply({_call(manual)})"
    yield None, f"session.replay([{_call(step, leave_out=OUTCOME)}])"


def _same(one: InterventionStep, other: InterventionStep) -> bool:
    """Tell whether two steps do the same; their outcomes do not count."""
    return one.model_dump(exclude=OUTCOME) == other.model_dump(exclude=OUTCOME)


def _load_code(embedding: LabelledEmbedding) -> str:
    path = "embedding.npz" if embedding.source is None else embedding.source.as_posix()
    remark = "" if embedding.source else "  # it came from memory: write it there with embedding.save(…)"
    mark = embedding.fingerprint[:16]
    return (
        f"embedding = LabelledEmbedding.load({_literal(path)}){remark}\n"
        f'assert embedding.fingerprint.startswith("{mark}"), "this is another embedding"'
    )


def _settings_code(settings: InterventionSettings, dim: int) -> str:
    """Return the shortest of: a preset, a preset with changes, the settings in full."""
    codes = [_call(settings)]
    for name in PRESETS:
        changes = _changes(preset(name, dim), settings)
        code = f"preset({_literal(name)}, dim=embedding.dim)"
        codes.append(f"{code}.changed({changes})" if changes else code)
    return min(reversed(codes), key=len)


def _changes(old: Record, new: Record) -> str:
    values = {name: getattr(new, name) for name in type(new).model_fields if getattr(new, name) != getattr(old, name)}
    return ", ".join(f"{name}={_literal(value)}" for name, value in values.items())


def _call(record: Record, leave_out: set[str] | None = None) -> str:
    """Return the call that makes ``record``, without what is as by default."""
    fields = type(record).model_fields
    names = [name for name in fields if name not in (leave_out or ()) and getattr(record, name) != fields[name].default]
    names.sort(key=lambda name: name != "classes")
    return f"{type(record).__name__}({', '.join(f'{name}={_literal(getattr(record, name))}' for name in names)})"


def _literal(value: object) -> str:
    """Return Python for a value of a record: text, a number, a truth, None, or a tuple of such."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return repr(float(value)) if isinstance(value, float) else repr(value)
