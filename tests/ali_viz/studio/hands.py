"""Doing in the tests of the app what a person does in the browser."""

import numpy as np

from ali_core import Session, preset
from ali_viz import Studio
from tests.ali_viz.studio.clouds import cloud

BLAST, MONOCYTE, LYMPHOCYTE = 0, 1, 2


def opened(counts=(40, 30, 20, 10), **arguments):
    return Studio(Session(cloud(counts), preset("c,s", dim=5)), max_tsne_points=60, **arguments)


def desk(studio):
    return studio._showing.desk


def open_tab(studio, name):
    tabs = desk(studio).tabs
    tabs.widget.selected_index = tabs._names.index(name)


def rows_of(studio, code):
    return np.flatnonzero(studio.session.embedding.labels == code)


def lasso(studio, rows, *keys):
    """Draw a lasso around samples on the left side, as the browser tells it; classes are in draw order there."""
    scatter, labels = desk(studio).scatter, studio.session.embedding.labels
    scatter.set_modifiers(frozenset(keys))
    drawn = studio._showing.drawing().rows
    pairs = [
        (scatter._codes.index(code) + 1, drawn[labels[drawn] == code].tolist()) for code in np.unique(labels[rows])
    ]
    points = [(trace, mine.index(row)) for trace, mine in pairs for row in rows.tolist() if row in mine]
    tell(studio, "plotly_selected", points, selector={"type": "lasso", "selector_state": {"xs": [], "ys": []}})


def tell(studio, kind, points, selector=None):
    traces, numbers = [trace for trace, _ in points], [number for _, number in points]
    desk(studio).scatter.widget._js2py_pointsCallback = {
        "event_type": kind,
        "points": {"trace_indexes": traces, "point_indexes": numbers, "xs": traces, "ys": numbers},
        "device_state": {},
        "selector": selector,
    }


def ids_of(studio, rows):
    return studio.session.embedding.sample_names[rows].tolist()
