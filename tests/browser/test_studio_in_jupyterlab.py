"""The Studio in a real JupyterLab: click what a person clicks, then ask the kernel for the session's state."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

from ali_core import LabelledEmbedding, ManualStep, Session, preset

pytestmark = pytest.mark.browser

NAMES = ("blast", "monocyte", "lymphocyte", "platelet")
CURSOR = "studio.session.cursor"


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Four well separated classes in the plane, 100 points each, on the corners of a square."""
    rng = np.random.default_rng(5)
    labels = np.repeat(np.arange(4), 100)
    corners = np.array([[-6.0, -6.0], [6.0, -6.0], [6.0, 6.0], [-6.0, 6.0]])
    vectors = corners[labels] + rng.normal(size=(400, 2))
    path = tmp_path_factory.mktemp("cells") / "cells.npz"
    LabelledEmbedding(vectors.astype(np.float32), labels, NAMES).save(path)
    return path


def retried(scenario):
    """Run a whole scenario; once more, and say so, when the browser did not answer."""
    try:
        return scenario()
    except (PlaywrightError, AssertionError) as error:
        first = str(error).splitlines()[0]
    result = scenario()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"a browser scenario succeeded at its second attempt only; the first: {first}", stacklevel=2)
    return result


def opened(app, cells):
    return app([f"from ali_viz import Studio\nstudio = Studio({str(cells)!r})\nstudio"])


def around(page, side, name_corner):
    """The screen box around one class: a quarter of the plot, given which corner it is in."""
    page.pane(side).scroll_into_view_if_needed()
    box = page.pane(side).bounding_box()
    right, top = name_corner
    width, height = box["width"] * 0.44, box["height"] * 0.44
    return {
        "x": box["x"] + (box["width"] * 0.52 if right else box["width"] * 0.03),
        "y": box["y"] + (box["height"] * 0.03 if top else box["height"] * 0.52),
        "width": width,
        "height": height,
    }


def wait_for_status(page, text, seconds=60):
    expect(page.page.get_by_role("status").filter(has_text=re.compile(text))).to_be_visible(timeout=seconds * 1000)


def test_automatic_steps(app, cells):
    def scenario():
        page = opened(app, cells)
        page.button("Step").click()
        page.wait_for(CURSOR, 1)
        page.page.get_by_label("steps", exact=True).fill("5")
        page.page.keyboard.press("Tab")
        page.button("Run 5").click()
        page.wait_for(CURSOR, 6)
        page.button("Undo").click()
        page.wait_for(CURSOR, 5)
        page.button("Redo").click()
        page.wait_for(CURSOR, 6)
        page.page.get_by_label("criterion Ω").select_option("closest")
        page.wait_for("studio.session.settings.criterion", "closest")
        page.button("Reset").click()
        page.wait_for(CURSOR, 0)
        for _ in range(4):
            page.button("Step").click()
        page.wait_for(CURSOR, 4)
        vectors = page.ask("studio.session.after.vectors.tolist()")
        assert (page.strangers, page.errors) == ([], [])
        return vectors

    vectors = retried(scenario)
    session = Session(LabelledEmbedding.load(cells), preset("c,s", dim=2).changed(n_iterations=5, criterion="closest"))
    session.run(4)
    assert np.array_equal(np.asarray(vectors, np.float32), session.after.vectors)


def test_notebook_7_shows_the_app_too(app, cells):
    def scenario():
        page = app([f"from ali_viz import Studio\nstudio = Studio({str(cells)!r})\nstudio"], notebook_7=True)
        expect(page.page.locator('body[data-notebook="notebooks"]')).to_be_attached()
        page.button("Step").click()
        page.wait_for(CURSOR, 1)
        wait_for_status(page, "Step 1")
        assert page.strangers == []  # page.errors has some of Notebook 7 itself

    retried(scenario)


def test_lasso_contract_undo(app, cells):
    def scenario():
        page = opened(app, cells)
        page.button("Manual").click()
        page.drag_around(around(page, 0, (True, True)))
        page.wait_for("studio.selected", ["lymphocyte"])
        wait_for_status(page, "Lasso of 100 points: Lymphocyte selected")
        page.page.keyboard.down("Shift")
        page.drag_around(around(page, 0, (False, False)))
        page.page.keyboard.up("Shift")
        page.wait_for("studio.selected", ["lymphocyte", "blast"])
        page.page.keyboard.down("Alt")
        page.drag_around(around(page, 0, (False, False)))
        page.page.keyboard.up("Alt")
        page.wait_for("studio.selected", ["lymphocyte"])
        page.button("Apply to selected classes").click()
        page.wait_for("[step.source for step in studio.session.steps]", ["manual"])
        vectors = page.ask("studio.session.after.vectors.tolist()")
        page.button("Undo").click()
        page.wait_for(CURSOR, 0)
        page.drag_around(around(page, 1, (False, False)))
        page.wait_for("studio.selected", ["blast"])
        page.button("Clear selection").click()
        page.wait_for("studio.selected", [])
        assert (page.strangers, page.errors) == ([], [])
        return vectors

    vectors = retried(scenario)
    session = Session(LabelledEmbedding.load(cells), preset("c,s", dim=2))
    settings = session.settings
    session.apply(
        ManualStep(
            classes=("lymphocyte",),
            contract=settings.contract,
            shift=settings.shift,
            n_neighbours=settings.n_neighbours,
        )
    )
    assert np.array_equal(np.asarray(vectors, np.float32), session.after.vectors)


def test_legend_and_keyboard_select(app, cells):
    def scenario():
        page = opened(app, cells)
        entries = page.page.locator(".ali-class")
        entries.filter(has_text="Monocyte").click()
        page.wait_for("studio.selected", ["monocyte"])
        expect(entries.filter(has_text="Blast")).to_have_css("opacity", "0.5")
        expect(entries.filter(has_text="Monocyte")).to_have_css("opacity", "1")
        entries.filter(has_text="Blast").click()
        page.wait_for("studio.selected", ["monocyte", "blast"])
        entries.filter(has_text="Monocyte").click()
        page.wait_for("studio.selected", ["blast"])
        page.page.keyboard.press("Escape")
        page.wait_for("studio.selected", [])
        entries.filter(has_text="Lymphocyte").focus()
        page.page.keyboard.press("Space")
        page.wait_for("studio.selected", ["lymphocyte"])
        page.page.keyboard.press("Tab")
        page.page.keyboard.press("Enter")
        page.wait_for("studio.selected", ["lymphocyte", "platelet"])
        page.page.get_by_placeholder("add/remove by name").fill("Platelet (100)")
        page.page.keyboard.press("Enter")
        page.wait_for("studio.selected", ["lymphocyte"])
        assert (page.strangers, page.errors) == ([], [])

    retried(scenario)


def test_views_toggle_and_export(app, cells, tmp_path):
    pytest.importorskip("ali_viz.export")

    def scenario():
        page = opened(app, cells)
        page.button("Step").click()
        page.wait_for(CURSOR, 1)
        page.button("t-SNE").click()
        page.wait_for("studio.view", "tsne")
        page.wait_for("studio.wait(0.1)", True, seconds=90)
        expect(page.page.locator(".ali-picture-title").first).not_to_contain_text("laid out")
        page.button("Supervised t-SNE").click()
        expect(page.page.get_by_text("uses labels: never score it")).to_be_visible(timeout=60_000)
        page.button("previous step").click()
        page.wait_for("studio.comparison", "previous")
        page.button("First two dimensions").click()
        page.wait_for("studio.view", "dims")
        page.button("Manual").click()
        page.wait_for("studio.mode", "manual")
        expect(page.button("Step")).to_be_hidden()
        expect(page.button("Apply to selected classes")).to_be_disabled()
        page.page.get_by_placeholder("add/remove by name").fill("Monocyt")
        page.page.keyboard.press("Enter")
        expect(page.page.get_by_role("alert").filter(has_text="did you mean Monocyte?")).to_be_visible()
        page.button("Automatic").click()
        expect(page.button("Step")).to_be_visible()
        out = tmp_path / "out"
        page.button("Files ▾").click()
        page.page.get_by_label("folder", exact=True).fill(str(out))
        page.page.keyboard.press("Tab")
        page.button("Export").click()
        wait_for_status(page, "Wrote .* files", seconds=120)
        assert page.ask(CURSOR) == 1
        assert (page.strangers, page.errors) == ([], [])
        return out

    out = retried(scenario)
    suffixes = {path.suffix for path in out.rglob("*") if path.is_file()}
    assert {".pdf", ".svg", ".png", ".csv", ".json", ".npz"} <= suffixes
    assert Session.load(out / "session.json", LabelledEmbedding.load(cells)).cursor == 1


def test_a_class_is_dragged_and_escape_clears(app, cells):
    def scenario():
        page = opened(app, cells)
        page.button("Manual").click()
        page.drag_around(around(page, 0, (True, True)))
        page.wait_for("studio.selected", ["lymphocyte"])
        ring = page.page.locator('.ali-picture [data-ring="2"]').first
        ring.wait_for(state="attached", timeout=30_000)
        box = ring.bounding_box()
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.page.mouse.move(*middle)
        page.page.mouse.down()
        page.page.mouse.move(middle[0] - 60, middle[1] + 40, steps=10)
        page.page.mouse.up()
        expect(page.button("Undrag")).to_be_enabled(timeout=30_000)
        page.button("Apply to selected classes").click()
        page.wait_for("[step.displacement is not None for step in studio.session.steps]", [True])
        page.page.keyboard.press("Escape")
        page.wait_for("studio.selected", [])
        assert page.errors == []

    retried(scenario)


def test_the_timeline_goes_through_the_states_skips_steps_and_shows_branches(app, cells):
    def scenario():
        page = opened(app, cells)
        page.page.get_by_label("steps", exact=True).fill("6")
        page.page.keyboard.press("Tab")
        page.button("Run 6").click()
        page.wait_for(CURSOR, 6)
        track = page.page.get_by_role("slider", name="State", exact=True)
        track.focus()
        page.page.keyboard.press("ArrowLeft")
        page.page.keyboard.press("ArrowLeft")
        page.wait_for(CURSOR, 4)
        ticks = page.page.locator('.ali-tick[data-current="true"]')
        ticks.nth(4).click()  # the fifth step is undone: go there
        page.wait_for(CURSOR, 5)
        assert not page.ask("any(step.skipped for step in studio.session.steps)")
        track.focus()
        page.page.keyboard.press("Home")
        page.wait_for(CURSOR, 0)
        page.page.keyboard.press("Space")
        page.wait_for(CURSOR, 6)
        ticks.nth(1).click()
        page.wait_for("[step.skipped for step in studio.session.steps]", [False, True, *[False] * 4])
        expect(ticks.nth(1)).to_have_class(re.compile("ali-skipped"))  # the timeline is drawn anew
        page.page.locator(".ali-handle").hover()  # when it stands still
        page.page.mouse.down()
        third = ticks.nth(2).bounding_box()
        page.page.mouse.move(third["x"] + third["width"] / 2, third["y"] + third["height"] / 2, steps=8)
        page.page.mouse.up()
        page.wait_for(CURSOR, 3)
        page.page.get_by_label("criterion Ω").select_option("mean-all")
        page.button("Step").click()
        page.wait_for("studio.session.branches", ["main", "branch 2"])
        page.page.locator(".ali-branch-name").filter(has_text="main").click()
        page.wait_for("studio.session.branch", "main")
        assert (page.strangers, page.errors) == ([], [])

    retried(scenario)


def test_the_pictures_have_most_of_the_app_and_all_fits_a_page(app, cells):
    def scenario():
        page = opened(app, cells)
        page.button("Step").click()
        page.wait_for(CURSOR, 1)
        whole, picture = (page.page.locator(name).bounding_box() for name in (".ali-studio", ".ali-picture"))
        assert picture["width"] * picture["height"] >= 0.6 * whole["width"] * whole["height"]
        assert whole["height"] <= 800
        for width in (1000, 700):
            page.page.set_viewport_size({"width": width, "height": 700})
            page.page.wait_for_timeout(1000)
            wide = "element => element.scrollWidth > element.clientWidth + 1"
            assert not page.page.locator(".ali-studio").evaluate(wide)
        assert (page.strangers, page.errors) == ([], [])

    retried(scenario)


def test_the_app_fills_the_screen(app, cells):
    def scenario():
        page = opened(app, cells)
        page.page.get_by_role("button", name="Show the app on the whole screen").click()
        page.page.wait_for_function("document.fullscreenElement?.matches('.ali-studio')", timeout=30_000)
        page.button("Step").click()
        page.wait_for(CURSOR, 1)
        assert page.errors == []

    retried(scenario)


TRAINING = """
from ali_core import LabelledEmbedding
from ali_core.training import TrainSettings, epochs
from ali_viz import Studio
settings = TrainSettings(method="ali", preset="c,s", width=8, max_epochs=500, evaluate_every=1, patience=0,
                         n_folds=4, groups="ignore", device="cpu")
studio = Studio(epochs(LabelledEmbedding.load({path!r}), settings))
studio
"""


def test_a_live_training_is_paused_and_follows_own_steps(app, cells):
    def scenario():
        page = app([TRAINING.format(path=str(cells))])
        page.button("Train 1 epoch").click()
        page.wait_for("[studio.training.running, studio.training.state.epoch]", [False, 1], seconds=90)
        page.wait_for("studio.comparison", "epoch")
        expect(page.page.locator(".ali-picture [data-pane]")).to_have_count(3)
        page.page.get_by_label("epochs", exact=True).fill("400")
        page.page.keyboard.press("Tab")
        page.button("Train 400 epochs").click()
        page.button("Pause").click()
        page.wait_for("studio.training.running", False, seconds=90)
        epoch = page.ask("studio.training.state.epoch")
        assert 2 <= epoch < 401
        page.button("Reset").click()
        page.wait_for(CURSOR, 0)
        page.button("Step").click()
        page.wait_for(CURSOR, 1)
        page.button("Train 1 epoch").click()
        page.wait_for("[studio.training.running, studio.training.state.epoch]", [False, epoch + 1], seconds=90)
        assert page.ask("studio.training.history.rows[-1]['n_steps']") == 1
        assert (page.strangers, page.errors) == ([], [])

    retried(scenario)


def scroll_to(page, control):
    """Scroll the notebook down from its top until ``control`` is there: cells out of sight are not in the page."""
    panel = page.page.locator(".jp-WindowedPanel-outer").first
    panel.evaluate("panel => { panel.scrollTop = 0; }")
    for _ in range(60):
        page.page.wait_for_timeout(300)
        if control.count() and control.is_visible():
            control.scroll_into_view_if_needed()
            return
        panel.evaluate("panel => { panel.scrollTop += 300; }")
    raise AssertionError("the app is nowhere in the notebook")


def test_the_first_notebook_is_an_app_on_the_given_path(app, cells):
    notebook = Path(__file__).parents[2] / "notebooks" / "01-step-through-interventions.ipynb"

    def scenario():
        page = app(notebook, path=cells)
        page.wait_for("'replayed' in globals()", True, seconds=120)
        page.wait_for(CURSOR, 6)
        assert page.ask("len(studio.session.embedding)") == 400
        scroll_to(page, page.button("Automatic").first)
        page.button("Automatic").first.click()  # the tour ends in the manual mode
        page.button("Step").first.click()
        page.wait_for(CURSOR, 7)
        page.button("Undo").first.click()
        page.wait_for(CURSOR, 6)
        assert (page.strangers, page.errors) == ([], [])

    retried(scenario)
