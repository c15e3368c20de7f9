"""The Studio when its page or its kernel goes and comes back, and in a window with hardly any room."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_studio_in_jupyterlab import CURSOR, cells, opened, retried  # noqa: F401  # a fixture

pytestmark = [
    pytest.mark.browser,
]


def test_a_notebook_that_is_opened_again_shows_the_session_where_it_is(app, cells):  # noqa: F811
    def scenario():
        page = opened(app, cells)
        page.button("Step").click()
        page.wait_for(CURSOR, 1)
        page.page.keyboard.press("Control+s")
        page.wait_until(lambda: "widget-view" in page.lab.notebook.read_text(), lambda: "the notebook is not saved")
        page.page.goto("about:blank")
        page.ask("studio.step() and None")  # somebody else's step, while no page is open
        page.open()
        page.hide_sidebar()
        page.plot().wait_for(timeout=60_000, state="attached")
        page.plot().scroll_into_view_if_needed()
        expect(page.page.locator(".ali-picture")).to_have_count(1)
        expect(page.title("After: 2 steps")).to_be_visible(timeout=30_000)
        page.button("Step").click()
        page.wait_for(CURSOR, 3)
        expect(page.title("After: 3 steps")).to_be_visible(timeout=30_000)
        assert (page.strangers, page.errors) == ([], [])

    retried(scenario)


def test_after_a_restart_of_the_kernel_the_old_app_says_so_and_run_all_gives_a_new_one(app, cells):  # noqa: F811
    def scenario():
        page = opened(app, cells)
        page.button("Step").click()
        page.wait_for(CURSOR, 1)
        page.page.get_by_role("menuitem", name="Kernel", exact=True).click()
        page.page.get_by_text("Restart Kernel…", exact=True).click()
        page.page.get_by_role("button", name="Confirm Kernel Restart").click()
        ended = page.page.locator(".ali-studio.jupyter-widgets-disconnected")
        ended.wait_for(state="attached", timeout=60_000)
        told = ended.evaluate(
            "element => { const s = getComputedStyle(element, '::before'); return [s.content, s.visibility]; }"
        )
        assert "has ended" in told[0]
        assert told[1] == "visible"
        page.page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=60_000)
        page.forget_kernel()
        page.run_all()
        page.wait_for("'studio' in globals() and studio.session.cursor", 0, seconds=90)
        expect(ended).to_have_count(0, timeout=60_000)
        page.plot().scroll_into_view_if_needed()
        page.button("Step").click()
        page.wait_for(CURSOR, 1)
        assert (page.strangers, page.errors) == ([], [])

    retried(scenario)


def test_in_a_tiny_window_everything_can_be_reached_by_scrolling(app, cells):  # noqa: F811
    def scenario():
        page = opened(app, cells)
        page.page.set_viewport_size({"width": 520, "height": 420})
        page.page.wait_for_timeout(1000)
        for name in ("Step", "Undo", "Export"):
            control = page.button(name)
            control.scroll_into_view_if_needed()
            expect(control).to_be_in_viewport(ratio=0.9)  # a line of a pixel may lie under the edge
        page.button("Step").click()
        page.wait_for(CURSOR, 1)
        wide = "element => element.scrollWidth > element.clientWidth + 1 ? element.className : ''"
        assert not page.page.locator(".ali-studio button").evaluate_all(f"all => all.map({wide}).filter(Boolean)")
        assert (page.strangers, page.errors) == ([], [])

    retried(scenario)
