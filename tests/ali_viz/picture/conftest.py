"""A page with nothing but the picture: Python's messages go in, what a person does comes out."""

import base64
from pathlib import Path

import numpy as np
import pytest

import ali_viz.picture
from ali_core.projection import Places
from ali_viz.picture import Pane, Picture, PictureScene
from ali_viz.theme import class_styles

MODULES = Path(ali_viz.picture.__file__).parent
ADDRESS = "http://picture.test/"
EMPTY = "<!doctype html><body><div id=here style='height:400px'></div>"
# A model as anywidget hands it to a module, with a list of what is sent to Python.
MODEL = """async ([source, css, state]) => {
  document.head.append(Object.assign(document.createElement('style'), {textContent: css}));
  const module = await import(URL.createObjectURL(new Blob([source], {type: 'text/javascript'})));
  const ears = {};
  const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const text = buffer => btoa(Array.from(new Uint8Array(buffer), code => String.fromCharCode(code)).join(''));
  window.told = [];
  window.model = {
    get: name => state[name],
    set: (name, value) => { state[name] = value; (ears[`change:${name}`] ?? []).forEach(ear => ear()); },
    save_changes: () => {},
    on: (name, ear) => (ears[name] ??= []).push(ear),
    off: (name, ear) => { ears[name] = (ears[name] ?? []).filter(other => other !== ear); },
    send: (content, _, buffers = []) => told.push([content, buffers.map(text)]),
  };
  window.receive = (content, buffers) => (ears['msg:custom'] ?? []).forEach(
    ear => ear(content, buffers.map(part => new DataView(bytes(part).buffer))));
  const widget = await module.default();
  await widget.initialize({model});
  const el = document.getElementById('here');
  window.opened = () => widget.render({model, el});
  window.end = await opened();
}"""


@pytest.fixture(scope="package")
def page(chromium):
    """Return one empty page for all tests; it finds the modules of the picture and nothing else."""
    context = chromium.new_context(viewport={"width": 1000, "height": 500})
    page = context.new_page()

    def answer(route):
        name = route.request.url.removeprefix(ADDRESS)
        if name.endswith(".js"):
            route.fulfill(body=(MODULES / name).read_text(), content_type="text/javascript")
        else:
            route.fulfill(body=EMPTY, content_type="text/html")

    context.route("**/*", answer)
    page.goto(ADDRESS)
    yield page
    context.close()


@pytest.fixture
def module(page):
    """Return a function that calls what a module exports."""

    def call(name, function, *arguments):
        script = f"async arguments_ => (await import('{ADDRESS}{name}.js')).{function}(...arguments_)"
        return page.evaluate(script, list(arguments))

    return call


class Shown:
    """A Picture on a page, without a kernel."""

    def __init__(self, page, picture, **state):
        self.page, self.picture, self.sent = page, picture, []
        self.errors = []
        self._watch = lambda error: self.errors.append(str(error))
        page.on("pageerror", self._watch)
        page.goto(ADDRESS)
        picture.send = self._send
        names = ("_classes", "_order", "camera", "tool", "motion", "problem")
        values = {name: getattr(picture, name) for name in names} | state
        page.evaluate(MODEL, [picture._esm, picture._css, values])
        self.hear()

    def _send(self, content, buffers=()):
        self.sent.append((content, [bytes(part) for part in buffers]))
        self.page.evaluate("([c, b]) => receive(c, b)", [content, [base64.b64encode(p).decode() for p in buffers]])

    def show(self, scene, **options):
        self.picture.show(scene, **options)
        version = self.sent[-1][0]["version"]
        self.page.wait_for_function(f"document.querySelector('.ali-picture').dataset.version === '{version}'")

    def hear(self):
        """Hand what the page has told to Python."""
        for content, buffers in self.page.evaluate("told.splice(0)"):
            self.picture._handle_custom_msg(content, [memoryview(base64.b64decode(part)) for part in buffers])

    def middle(self, selector):
        box = self.page.locator(selector).first.bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def close(self):
        self.page.evaluate("window.end()")
        self.page.remove_listener("pageerror", self._watch)
        assert self.errors == []


@pytest.fixture
def shown(page):
    """Open a Picture on the page."""
    opened = []

    def start(picture, **state):
        opened.append(Shown(page, picture, **state))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


CORNERS = np.array([[-6.0, -6.0], [6.0, -6.0], [6.0, 6.0], [-6.0, 6.0]])
NAMES = ("blast", "monocyte", "lymphocyte", "platelet")


@pytest.fixture
def corners(rng):
    """Four classes of 50 on the corners of a square: class codes (200,), positions (200, 2)."""
    labels = np.tile(np.arange(4), 50)
    return labels, CORNERS[labels] + 0.5 * rng.normal(size=(200, 2))


def scene_of(labels, *positions, rows=None, **more):
    """A scene of these positions, a pane each, on limits of ±8."""
    found = [one if isinstance(one, Places) else Places.of(one, labels, 4) for one in positions]
    panes = tuple(Pane(title=f"Pane {k}", places=places) for k, places in enumerate(found))
    scene = {
        "rows": np.arange(len(labels)) if rows is None else rows,
        "labels": labels,
        "panes": panes,
        "limits": ((-8.0, 8.0), (-8.0, 8.0)),
    }
    return PictureScene(**(scene | more))


def picture_of(**ears):
    return Picture(class_styles(NAMES), order=range(4), **ears)
