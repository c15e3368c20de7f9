"""What is asked of every print figure."""

import itertools

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg


def _texts(figure):
    yield from figure.texts
    for legend in figure.legends:
        yield from legend.get_texts()
    for axes in figure.axes:
        if not axes.axison:
            continue
        yield from axes.texts
        for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            yield axis.label
            for tick in axis.get_major_ticks():
                if min(limits) <= tick.get_loc() <= max(limits):
                    yield tick.label1


@pytest.fixture
def check_texts():
    """Check that texts of a figure are legible, on the page, clear of each other and of the axes; returns them."""

    def check(figure):
        FigureCanvasAgg(figure).draw()
        texts = [text for text in _texts(figure) if text.get_text() and text.get_visible()]
        boxes = [text.get_window_extent() for text in texts]
        assert min(text.get_fontsize() for text in texts) >= 6.0
        for text, box in zip(texts, boxes, strict=True):
            assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1, text
            assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1, text
        for (one, first), (other, second) in itertools.combinations(zip(texts, boxes, strict=True), 2):
            overlap = (
                min(first.x1, second.x1) - max(first.x0, second.x0),
                min(first.y1, second.y1) - max(first.y0, second.y0),
            )
            assert min(overlap) <= 0.5, (one, other)
        for text, axes in itertools.product(figure.texts, figure.axes):
            assert not text.get_window_extent().overlaps(axes.get_window_extent()), (text, axes)
        return [text.get_text() for text in texts]

    return check


@pytest.fixture
def check_files(tmp_path):
    """Check that a function makes a panel with the same bytes twice, fonts embedded and text kept as text."""

    def check(make):
        one, two = (make().save(tmp_path / name, "fig") for name in "ab")
        assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
        files = {path.suffix[1:]: path for path in one}
        assert b"FontFile2" in files["pdf"].read_bytes()
        assert b"/Type3" not in files["pdf"].read_bytes()
        assert "<text" in files["svg"].read_text("utf-8")
        return files

    return check
