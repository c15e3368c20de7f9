"""One style sheet for the controls of a Studio, in the colours of JupyterLab's theme, light or dark."""

from typing import Any

import ipywidgets as widgets

__all__ = ["heading", "quiet", "style_sheet", "wide"]

STYLE_SHEET = """
.ali-studio { font-size: 13px; color: var(--jp-ui-font-color1, #1f2430); }
.ali-studio .widget-html-content, .ali-studio .widget-html { line-height: 1.35; height: auto; }
.ali-studio .ali-heading { font-weight: 600; font-size: 12px; letter-spacing: .02em; margin: 4px 0 0;
  color: var(--jp-ui-font-color1, #1f2430); border-bottom: 1px solid var(--jp-border-color2, #d5d9e0); }
.ali-studio .ali-muted { color: var(--jp-ui-font-color2, #5b6270); }
.ali-studio .ali-small { font-size: 11px; }
.ali-studio .ali-code textarea { font-family: var(--jp-code-font-family, monospace); font-size: 12px; }
.ali-studio .widget-select select { font-size: 12px; }
.ali-studio .ali-badge { background: #fde7c2; color: #5a3a00; border-radius: 9px; padding: 1px 9px; font-weight: 600; }
.ali-studio .ali-alert { background: #fbe3e1; color: #7a1712; border-left: 4px solid #c62828; padding: 4px 10px;
  border-radius: 3px; }
.ali-studio .widget-toggle-buttons { display: flex; align-items: center; gap: 6px; }
.ali-studio .widget-toggle-buttons > .widget-label { font-weight: 600; font-size: 12px; margin: 0; }
.ali-studio .widget-toggle-buttons > div { white-space: nowrap; }
.ali-studio .widget-button { padding: 0 8px; }
.ali-studio .ali-status { color: var(--jp-ui-font-color2, #5b6270); padding: 4px 0; white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; }
.ali-studio .ali-line, .ali-studio .ali-line .widget-html-content { min-width: 0; width: 100%; overflow: hidden; }
.ali-studio table.ali-scores { border-collapse: collapse; width: 100%; font-size: 12px;
  font-variant-numeric: tabular-nums; }
.ali-studio table.ali-scores th { text-align: right; font-weight: 600; padding: 1px 6px; position: sticky; top: 0;
  white-space: nowrap;
  background: var(--jp-layout-color0, #fff); border-bottom: 1px solid var(--jp-border-color2, #d5d9e0); }
.ali-studio table.ali-scores td { text-align: right; padding: 0 6px; line-height: 17px; white-space: nowrap; }
.ali-studio table.ali-scores th:first-child, .ali-studio table.ali-scores td:first-child,
.ali-studio table.ali-scores td.ali-name, .ali-studio table.ali-scores th.ali-name { text-align: left; }
.ali-studio table.ali-scores tr.ali-chosen td { background: rgba(255, 179, 0, .22); font-weight: 600; }
.ali-studio table.ali-scores tr.ali-neighbour td { background: rgba(66, 133, 244, .10); }
.ali-studio .ali-bar { display: inline-block; height: 8px; border-radius: 2px; background: #4a7fd6; min-width: 1px; }
.ali-studio .ali-dot { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 6px;
  border: 1px solid rgba(128, 128, 128, .5); }
.ali-studio .widget-button:focus-visible, .ali-studio .widget-toggle-button:focus-visible,
.ali-studio select:focus-visible, .ali-studio input:focus-visible { outline: 2px solid #1a73e8; outline-offset: 1px; }
.ali-studio .jupyter-widgets-disconnected::before { display: none; }
.ali-studio.jupyter-widgets-disconnected > * { opacity: .45; pointer-events: none; }
.ali-studio.jupyter-widgets-disconnected::before { visibility: visible; display: block; align-self: stretch;
  padding: 6px 10px; font: inherit; font-weight: 600;
  content: "The kernel of this app has ended: nothing here reacts any more. Run the cell again for a new one.";
  background: #fbe3e1; color: #7a1712; border-left: 4px solid #c62828; }
"""


def style_sheet(*more: str) -> widgets.HTML:
    """Return the widget that carries the style sheet, with the rules of single views; it shows nothing."""
    rules = "\n".join((STYLE_SHEET, *more))
    return widgets.HTML(f"<style>{rules}</style>", layout={"display": "flex", "height": "0px", "margin": "0"})


def heading(text: str) -> widgets.HTML:
    """Return a small heading."""
    return widgets.HTML(f'<div class="ali-heading" role="heading" aria-level="3">{text}</div>', layout=wide())


def wide(**more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the layout of a widget that fills its column."""
    return {"width": "auto", "margin": "1px 0"} | more


class quiet:  # noqa: N801  # a context manager that reads like a word
    """While entered, ``active`` is true: a view that sets its own widgets does not tell of it."""

    def __init__(self) -> None:
        self.active = False

    def __enter__(self) -> None:
        self.active = True

    def __exit__(self, *_: object) -> None:
        self.active = False
