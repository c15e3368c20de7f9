"""The line that tells how far a layout is, as real widgets."""

from ali_viz.views.progress import LayoutProgress


def test_it_shows_while_something_is_computed_and_hides_at_rest():
    view = LayoutProgress(on_cancel=lambda: None)
    assert view.widget.layout.display == "none"
    view.started(1504, "tsne")
    assert view.widget.layout.display == "flex"
    assert "t-SNE of 1,504 points … 0 %" in view.text.value
    view.advanced(300, 750)
    assert "t-SNE of 1,504 points … 40 %" in view.text.value
    assert view.bar.value == 40
    view.finished()
    assert view.widget.layout.display == "none"
    view.started(10, "pca")
    assert view.bar.value == 0
    view.cancelled()
    assert view.widget.layout.display == "none"


def test_it_speaks_at_most_once_in_two_per_cent():
    view, said = LayoutProgress(on_cancel=lambda: None), []
    view.started(10, "tsne")
    view.text.observe(said.append, "value")
    for done in range(1, 1001):
        view.advanced(done, 1000)
    assert len(said) == 50
    assert view.bar.value == 100


def test_a_click_on_cancel_is_told():
    told = []
    view = LayoutProgress(on_cancel=lambda: told.append("cancel"))
    view.cancel.click()
    assert told == ["cancel"]
