"""One thing that a person can do, and when: the one place that says what happens while something else is under way."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, ParamSpec, TypeVar

from ali_core.errors import AliError

if TYPE_CHECKING:
    from ali_viz.app.actions import Actions

__all__ = ["Act", "WhileBusy", "action"]

log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")
WhileBusy = Literal["refuse", "allow", "queue"]


class Act(Generic[P, R]):
    """One thing that a person can do: called from Python it raises, clicked it tells.

    Parameters
    ----------
    method
        What it does, given the actions.
    while_busy
        Whether it is refused, allowed, or done afterwards while something is under way on the session.
    while_training
        The same while an epoch is trained.
    glance
        Whether what the app has told stays, as for a look.
    actions
        Whose method it is.
    """

    def __init__(
        self,
        method: Callable[Concatenate["Actions", P], R],
        *,
        while_busy: WhileBusy,
        while_training: WhileBusy,
        glance: bool,
        actions: "Actions | None" = None,
    ) -> None:
        self._method, self._while_busy, self._while_training = method, while_busy, while_training
        self._glance, self._actions = glance, actions
        self.__doc__, self.__name__ = method.__doc__, method.__name__

    def __get__(self, actions: "Actions | None", _: object = None) -> "Act[P, R]":
        rules: dict[str, Any] = {"while_busy": self._while_busy, "while_training": self._while_training}
        return Act(self._method, **rules, glance=self._glance, actions=actions)

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> R:
        """Do it; AliError when it cannot be done, or not now."""
        actions = self._actions
        assert actions is not None  # noqa: S101  # looked up on an instance
        rule = self._while_training if actions.jobs.epoch and not actions.jobs.stoppable else self._while_busy
        if rule == "refuse" and (busy := actions.jobs.name):
            raise AliError(f"{busy} is under way and must not be disturbed; stop or pause it, or wait until it is done")
        return self._method(actions, *arguments, **named)

    def click(self, *arguments: P.args, **named: P.kwargs) -> str:
        """Do it, and return what went wrong, in words, which the app says as well; empty when nothing did."""
        actions = self._actions
        assert actions is not None  # noqa: S101  # likewise
        if not self._glance:
            with actions.lock:
                actions.state = replace(actions.state, wrong="")
        wrong = ""
        try:
            self(*arguments, **named)
        except AliError as error:
            wrong = str(error)
        except Exception as error:
            log.exception("the app could not carry out %s", self.__name__)
            wrong = f"{self.__name__.replace('_', ' ')} failed ({type(error).__name__}: {error})"
        actions.answer(wrong)
        return wrong


def action(
    *, while_busy: WhileBusy, while_training: WhileBusy | None = None, glance: bool = False
) -> Callable[[Callable[Concatenate["Actions", P], R]], Act[P, R]]:
    """Make a method of :class:`Actions` an :class:`Act`; an epoch counts as any other work unless told otherwise."""
    training = while_training or while_busy
    return lambda method: Act(method, while_busy=while_busy, while_training=training, glance=glance)
