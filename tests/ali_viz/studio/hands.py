"""Doing in the tests of the app what a person does in the browser, and reading what a person sees."""

import re
from html import unescape

import ipywidgets as widgets
import numpy as np
from ipywidgets.widgets.widget import _instances

from ali_core import Session, preset
from ali_viz import Studio
from ali_viz.picture import Picture
from tests.ali_viz.studio.clouds import cloud

BLAST, MONOCYTE, LYMPHOCYTE = 0, 1, 2


def opened(counts=(40, 30, 20, 10), **arguments):
    return Studio(Session(cloud(counts), preset("c,s", dim=5)), max_tsne_points=60, **arguments)


# Reading -------------------------------------------------------------------------------------------------------------


def app(studio):
    """The widget that a notebook cell shows."""
    bundle = studio._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    return _instances[data["application/vnd.jupyter.widget-view+json"]["model_id"]]


def inside(widget, *, hidden=True):
    """All widgets in a widget; perhaps without those that are hidden or on a closed tab."""
    if not hidden and getattr(widget.layout, "display", None) == "none":
        return
    yield widget
    children = getattr(widget, "children", ())
    if not hidden and isinstance(widget, widgets.Tab):
        children = children[widget.selected_index or 0 :][:1]
    for child in children:
        yield from inside(child, hidden=hidden)


def only(found, what):
    assert len(found) == 1, f"{len(found)} of {what}"
    return found[0]


def plain(html):
    """The text of HTML."""
    return unescape(re.sub("<[^>]*>", "", html))


def control(studio, label):
    """The one button or field with this label, or this text in it while it is empty."""
    found = [
        widget
        for widget in inside(app(studio))
        if label in (plain(getattr(widget, "description", "")), getattr(widget, "placeholder", None))
    ]
    return only(found, label)


def seen(studio, label):
    """Whether a control with this label is in sight."""
    return any(getattr(widget, "description", None) == label for widget in inside(app(studio), hidden=False))


def switch(studio, option):
    """The row of buttons that has this one."""
    rows = [widget for widget in inside(app(studio)) if isinstance(widget, widgets.ToggleButtons)]
    return only([row for row in rows if option in row._options_labels], option)


def texts(studio):
    """All HTML in sight."""
    return [widget.value for widget in inside(app(studio), hidden=False) if isinstance(widget, widgets.HTML)]


def text(studio):
    """All text in sight."""
    return "\n".join(plain(value) for value in texts(studio) if "<style>" not in value)


def spoken(studio, role):
    lines = [value for value in texts(studio) if f'class="ali-{role}" role="{role}" title' in value]
    return plain(lines[0]) if lines else ""


def status(studio):
    """What the app says has happened."""
    return spoken(studio, "status")


def alert(studio):
    """What the app says went wrong."""
    return spoken(studio, "alert")


def picture(studio):
    return only([widget for widget in inside(app(studio)) if isinstance(widget, Picture)], "picture")


def drawn(studio):
    """What the picture shows."""
    return picture(studio)._scene


def titles(studio):
    return [pane.title for pane in drawn(studio).panes]


def positions(studio, side):
    """Where the samples are on a side, (n, 2)."""
    scene = drawn(studio)
    return scene.panes[side].places.positions(scene.labels)


def planned(studio):
    """Class codes of the next step, and where their centers would be."""
    pane = drawn(studio).panes[1]
    codes = pane.planned_codes
    return codes, (pane.planned.centers[list(codes)] if codes else None)


def timeline(studio):
    return only([widget for widget in inside(app(studio)) if hasattr(widget, "cursor")], "timeline")


def chips(studio):
    return only([widget for widget in inside(app(studio)) if hasattr(widget, "entries")], "legend")


# Doing ---------------------------------------------------------------------------------------------------------------


def press(studio, label):
    control(studio, label).click()


def fill(studio, label, value):
    control(studio, label).value = value


def choose(studio, option):
    """Press one of a row of buttons."""
    row = switch(studio, option)
    row.value = dict(zip(row._options_labels, row._options_values, strict=True))[option]


def open_tab(studio, name):
    tabs = only([widget for widget in inside(app(studio)) if isinstance(widget, widgets.Tab)], "tabs")
    tabs.selected_index = tabs.titles.index(name)


def tab(studio):
    tabs = only([widget for widget in inside(app(studio)) if isinstance(widget, widgets.Tab)], "tabs")
    return tabs.titles[tabs.selected_index]


def chip(studio, code):
    """Click a class in the legend."""
    chips(studio)._handle_custom_msg({"code": code}, [])


def tell(studio, kind, buffers=(), **told):
    """Tell what the browser tells of the picture."""
    widget = picture(studio)
    widget._handle_custom_msg({"kind": kind, "cloud": widget._packed.cloud.number, **told}, list(buffers))


def index_of(studio, row):
    """The number of a drawn sample in the browser."""
    return int(np.flatnonzero(picture(studio)._packed.cloud.rows == row)[0])


def lasso(studio, rows, how="replace"):
    """Draw a lasso around samples, those of them that are drawn."""
    inside_it = np.isin(picture(studio)._packed.cloud.rows, rows)
    tell(studio, "lasso", [memoryview(np.packbits(inside_it).tobytes())], how=how)


def point(studio, row, how="replace"):
    tell(studio, "point", index=index_of(studio, row), how=how)


def hover(studio, row):
    tell(studio, "hover", index=None if row is None else index_of(studio, row))


def escape(studio):
    tell(studio, "clear")


def drag(studio, code, place):
    tell(studio, "drag", code=code, place=list(place))


def rows_of(studio, code):
    return np.flatnonzero(studio.session.embedding.labels == code)


def ids_of(studio, rows):
    return studio.session.embedding.sample_names[rows].tolist()


def begin(studio, name, work):
    """Let the app do a piece of work in the background, as a run is."""
    return studio._actions._start(name, work)


def waiting(studio):
    """Whether the picture is still being laid out."""
    return any("laid out" in title for title in titles(studio))


def held(studio):
    """Held, nothing else is shown meanwhile."""
    return studio._actions.lock


def listed(studio):
    """Ids of the cells on the page of the tab Cells."""
    lists = [widget for widget in inside(app(studio)) if isinstance(widget, widgets.Select)]
    return [name for _, name in only(lists, "list of cells").options]


def at_timeline(studio, **told):
    timeline(studio)._handle_custom_msg(told, [])
