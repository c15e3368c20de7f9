"""The steps of a session as a Python script that a person can read, run and change."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions.branches import Line, carried_out
from ali_core.interventions.criteria import CRITERIA
from ali_core.interventions.manual import ManualStep, resolve_manual
from ali_core.interventions.settings import PRESETS, InterventionSettings, Record, preset
from ali_core.interventions.state import InterventionState
from ali_core.interventions.steps import InterventionStep, decide, step_generator, strengths_of

__all__ = ["session_code"]

OUTCOME = ("scores", "shift_lengths", "norm_factor", "notes")
"""Fields of a step that follow from the others."""


def session_code(
    embedding: LabelledEmbedding,
    settings: InterventionSettings,
    untouched: InterventionState,
    steps: Sequence[InterventionStep],
) -> str:
    """Return a script that loads ``embedding``, takes ``steps`` from ``untouched`` on, and ends with ``settings``.

    Notes
    -----
    The script is found by taking the steps once more. Ω is asked where it chooses the same again; ``n`` such steps in
    a row become one ``session.run(n)``. What a person chose is told by names, with as few arguments as give the same
    neighbours. A step of a criterion of one's own, or one that Ω would not choose here, is written as its record.
    """
    writer = _Writer(embedding, settings, untouched)
    for step in steps:
        writer.take(step)
    return writer.script()


class _Writer:
    """Takes steps one by one as the script will, and keeps the lines that do so."""

    def __init__(
        self, embedding: LabelledEmbedding, settings: InterventionSettings, untouched: InterventionState
    ) -> None:
        self.embedding = embedding
        self.final = self.first = self.settings = settings
        self.line = Line(name="", states=(untouched,))
        self.skipped: list[int] = []  # steps that are still to be toggled
        self.commands: list[str] = []
        self.run = 0  # automatic steps at the end of what is written, of the settings in force

    def take(self, step: InterventionStep) -> None:
        """Write what takes ``step``; a skipped one is taken first and toggled later."""
        wanted = step.model_copy(update={"skipped": False})
        command = self._command(wanted)
        while command is None and self.skipped:  # it was taken after one or more of them had been skipped
            self._toggle(self.skipped.pop(0))
            command = self._command(wanted)
        if command is None:
            command = f"session.replay([{_call(wanted, leave_out=OUTCOME)}])"
        self._write(command)
        self.line = self.line.followed_by(carried_out(self.line.state, [wanted]))
        if step.skipped:
            self.skipped.append(len(self.line.steps))

    def script(self) -> str:
        """Return all that was written, with what must stand before it and after it."""
        for number in self.skipped:
            self._toggle(number)
        self._set(self.final)
        self._end_run()
        body = "\n".join(self.commands)
        calls = ("InterventionSettings", "InterventionStep", "ManualStep", "preset")
        settings = _settings_code(self.first, self.embedding.dim)
        used = {"LabelledEmbedding", "Session"} | {name for name in calls if f"{name}(" in settings + body}
        record = "from ali_core.interventions import InterventionStep\n" if "InterventionStep" in used else ""
        return (
            f"from ali_core import {', '.join(sorted(used - {'InterventionStep'}, key=_import_order))}\n{record}\n"
            f"{_load_code(self.embedding)}\n"
            f"session = Session(embedding, {settings})\n{body}\n"
        )

    def _command(self, wanted: InterventionStep) -> str | None:
        """Return the call that takes ``wanted`` now, with the settings that it needs set; None when there is none."""
        if wanted.source == "manual":
            return self._by_hand(wanted)
        for settings in _candidates(wanted, self.settings, self.final):
            if _differing(self._decided(settings), wanted):
                continue
            self._set(settings)
            return "session.step()"
        return None

    def _decided(self, settings: InterventionSettings) -> InterventionStep:
        generator = step_generator(settings.seed, len(self.line.steps))
        return decide(self.line.state.statistics, settings, generator)

    def _by_hand(self, wanted: InterventionStep) -> str | None:
        dragged = wanted.displacement is not None  # keeps no norm, whatever the settings say
        settings = self.settings if dragged else self.settings.changed(norm_keeping=wanted.norm_keeping)
        names, statistics = self.embedding.class_names, self.line.state.statistics
        others = tuple(dict.fromkeys(names[code] for group in wanted.neighbours for code in group))
        chosen = {"classes": tuple(names[code] for code in wanted.classes), "displacement": wanted.displacement}
        for how in ({}, {"n_neighbours": len(wanted.neighbours[0])}, {"away_from": others}):
            try:
                manual = ManualStep(**chosen, **strengths_of(wanted), **how)
                resolved = resolve_manual(manual, statistics, names, settings)
            except AliError:
                continue
            if not _differing(resolved, wanted):
                self._set(settings)
                return f"session.apply({_call(manual)})"
        return None

    def _set(self, settings: InterventionSettings) -> None:
        """Write what changes the settings; before the first step they are those that the session begins with."""
        if not self.line.steps and settings != self.final:
            self.first = settings
        elif settings != self.settings:
            self._end_run()
            self.commands.append(f"session.settings = session.settings.changed({_changes(self.settings, settings)})")
        self.settings = settings

    def _toggle(self, number: int) -> None:
        self._write(f"session.toggle({number})")
        self.line = self.line.toggled(number)

    def _write(self, command: str) -> None:
        if command == "session.step()":
            self.run += 1
            return
        self._end_run()
        self.commands.append(command)

    def _end_run(self) -> None:
        if self.run:
            self.commands.append("session.step()" if self.run == 1 else f"session.run({self.run})")
        self.run = 0


def _candidates(
    wanted: InterventionStep, now: InterventionSettings, final: InterventionSettings
) -> Iterator[InterventionSettings]:
    """Yield settings under which Ω may have chosen ``wanted``, the most likely first."""
    if wanted.criterion not in CRITERIA:
        return
    told: dict[str, Any] = {**strengths_of(wanted), "norm_keeping": wanted.norm_keeping}
    told |= {"criterion": wanted.criterion, "selection": wanted.selection}
    told |= {} if wanted.seed is None else {"seed": wanted.seed}
    derived = now.changed(**told)
    yield from (settings for settings in (now, final) if settings.criterion in CRITERIA)
    yield derived
    yield derived.changed(n_neighbours=final.n_neighbours)
    yield derived.changed(n_neighbours=max(len(wanted.neighbours[0]), 1))


def _differing(found: InterventionStep, wanted: InterventionStep) -> list[str]:
    """Return the fields, without the outcome, in which two steps differ."""
    fields = [name for name in InterventionStep.model_fields if name not in OUTCOME]
    return [name for name in fields if getattr(found, name) != getattr(wanted, name)]


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


def _changes(old: InterventionSettings, new: InterventionSettings) -> str:
    values = {name: getattr(new, name) for name in type(new).model_fields if getattr(new, name) != getattr(old, name)}
    return ", ".join(f"{name}={_literal(value)}" for name, value in values.items())


def _call(record: Record, leave_out: Sequence[str] = ()) -> str:
    """Return the call that makes ``record``, without what is as by default."""
    fields = type(record).model_fields
    names = [name for name in fields if name not in leave_out and getattr(record, name) != fields[name].default]
    names.sort(key=lambda name: name != "classes")
    return f"{type(record).__name__}({', '.join(f'{name}={_literal(getattr(record, name))}' for name in names)})"


def _literal(value: object) -> str:
    """Return Python for a value of a record: text, a number, a truth, None, or a tuple of such."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return repr(float(value)) if isinstance(value, float) else repr(value)


def _import_order(name: str) -> tuple[bool, str]:
    """Classes first, as import sorters have it."""
    return name[0].islower(), name
