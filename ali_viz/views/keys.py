"""Keys and modifier keys, which plotly does not tell; no key is taken from JupyterLab or from a text field."""

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
from ipyevents import Event

__all__ = ["KEYS_STYLE", "MODIFIERS", "Keys"]

MODIFIERS = ("shift", "ctrl", "alt", "meta")
TOLD = ("Escape",)
TYPED_IN = ("INPUT", "TEXTAREA")
ELSEWHERE = ("cm-content", "widget-readout", "jp-Dialog", "lm-Menu")
KEYS_STYLE = ".ali-keys { visibility: hidden; } .ali-keys > * { visibility: visible; }"


class Keys:
    """Hears Escape while the mouse is over ``widget``, and the modifier keys of each press of a mouse button in it.

    Parameters
    ----------
    widget
        What is watched, a box; it gets the class ``ali-keys``, for which the page must hold :data:`KEYS_STYLE`.
    on_key
        Called with ``Escape``, wherever the keyboard's focus is, except in a text field, an editor, a menu or a dialog.
    on_modifiers
        Called with the modifiers that are down, of :data:`MODIFIERS`, before plotly tells of the click or lasso.

    Notes
    -----
    ipyevents takes every key for itself and the focus too when the mouse enters what is watched. Delayed (debounced)
    it hears of a key when the page has already handled it; and a box that is not visible itself, while all in it is,
    cannot get the focus. So the keys of JupyterLab, and typing, work on.
    """

    def __init__(
        self,
        widget: widgets.Box,
        *,
        on_key: Callable[[str], None],
        on_modifiers: Callable[[frozenset[str]], None],
    ) -> None:
        widget.add_class("ali-keys")
        self._on_key, self._on_modifiers = on_key, on_modifiers
        self.keyboard = Event(
            source=widget,
            watched_events=["keydown"],
            ignore_modifier_key_events=True,
            throttle_or_debounce="debounce",
            wait=5,
        )
        self.mouse = Event(source=widget, watched_events=["mousedown"])
        self.keyboard.on_dom_event(self._pressed)
        self.mouse.on_dom_event(self._clicked)

    def close(self) -> None:
        """Hear nothing any more."""
        for event in (self.keyboard, self.mouse):
            event.reset_callbacks()
            event.close()

    def _pressed(self, event: dict[str, Any]) -> None:
        target = event.get("target") or {}
        classes = str(target.get("className", ""))
        typed = target.get("tagName") in TYPED_IN or any(name in classes for name in ELSEWHERE)
        if event.get("key") in TOLD and not typed:
            self._on_key(event["key"])

    def _clicked(self, event: dict[str, Any]) -> None:
        self._on_modifiers(frozenset(name for name in MODIFIERS if event.get(f"{name}Key")))
