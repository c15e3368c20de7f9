"""What is sent of a scene: each array once, a step without rotation as a table."""

import json

import numpy as np
import pytest

from ali_core import LabelledEmbedding, ManualStep, Session, preset
from ali_core.projection import FoldedPlane, Places, principal_plane
from ali_viz.picture import Arrow, Pane, Picture, PictureScene, colouring
from ali_viz.theme import class_styles

N_CLASSES, DIM = 15, 16
LIMITS = ((-9.0, 9.0), (-9.0, 9.0))


class Wire:
    """A picture whose messages are kept, as a page that has said hello gets them."""

    def __init__(self, n):
        rng = np.random.default_rng(3)
        labels = np.concatenate([np.arange(N_CLASSES), rng.integers(N_CLASSES, size=n - N_CLASSES)])
        vectors = 3 * rng.normal(size=(N_CLASSES, DIM))[labels] + rng.normal(size=(n, DIM))
        names = [f"class {code}" for code in range(N_CLASSES)]
        self.session = Session(LabelledEmbedding(vectors, labels, names), preset("c,s", dim=DIM))
        frame, data = principal_plane(vectors), self.session.embedding
        self.plane = FoldedPlane(frame=frame, vectors=data.vectors, rows=np.arange(n), labels=data.labels)
        self.messages, self.told = [], []
        self.picture = Picture(
            class_styles(names), order=range(N_CLASSES), on_point=lambda *told: self.told.append(told)
        )
        self.picture.send = lambda content, buffers: self.messages.append((content, buffers))

    def scene(self, **more):
        session = self.session
        start, now = self.plane.places(session.state_at(0)), self.plane.places(session.state_at(session.cursor))
        proposal = session.propose()
        every = tuple(range(N_CLASSES))
        after = Pane(
            title=f"After: {session.cursor} steps",
            places=now,
            old=start,
            old_codes=every,
            arrows=tuple(Arrow(code=code, tail=(0.0, 0.0), head=(1.0, 1.0)) for code in every),
            planned=self.plane.places(proposal.state),
            planned_codes=tuple(proposal.step.classes),
        )
        panes = (Pane(title="Before", places=start), after)
        return PictureScene(rows=self.plane.rows, labels=self.plane.labels, panes=panes, limits=LIMITS, **more)

    def sent(self, **more):
        """Show the state of the session and return the arrays of the message and the bytes of it all."""
        self.picture.show(self.scene(**more))
        return self.last()

    def last(self):
        content, buffers = self.messages[-1]
        return content["arrays"], len(json.dumps(content)) + sum(memoryview(part).nbytes for part in buffers)

    def hello(self):
        self.picture._handle_custom_msg({"kind": "hello"}, [])


@pytest.mark.parametrize("n", [2_000, 1_000_000])
def test_a_step_without_rotation_sends_a_table_whatever_the_number_of_samples(n):
    wire = Wire(n)
    wire.hello()
    arrays, size = wire.sent()
    assert (len(arrays), size > 8 * n) == (N_CLASSES, True)
    for _ in range(3):
        wire.session.step()
        arrays, size = wire.sent()
        assert arrays == []
        assert size <= 10_000
    wire.session.undo()
    assert wire.sent()[0] == []


def test_a_rotation_sends_the_points_of_its_class_alone():
    wire = Wire(3_000)
    wire.hello()
    wire.sent()
    wire.session.apply(ManualStep(classes=("class 4",), rotate=0.5))
    wire.picture.show(wire.scene())
    content, buffers = wire.messages[-1]
    planned = {4, *wire.session.propose().step.classes}
    assert 1 <= len(content["arrays"]) <= len(planned)
    assert max(part.nbytes for part in buffers[1:]) == 8 * wire.session.embedding.counts[4]


def test_a_selection_sends_no_point_and_a_lasso_one_byte_a_sample():
    wire = Wire(2_000)
    wire.hello()
    wire.sent()
    assert wire.sent(selected=frozenset({2, 3}))[0] == []
    lassoed = np.arange(0, 2_000, 7)
    arrays, _ = wire.sent(lassoed=lassoed)
    assert [array["kind"] for array in arrays] == ["bytes"]
    mask = np.frombuffer(wire.messages[-1][1][1], np.uint8)
    by_class = np.argsort(wire.plane.labels, kind="stable")
    np.testing.assert_array_equal(np.sort(by_class[mask == 1]), lassoed)
    assert wire.sent(lassoed=lassoed)[0] == []


def test_colours_of_a_column_are_sent_once_in_the_order_of_the_points():
    wire = Wire(500)
    wire.hello()
    wire.sent()
    column = colouring("age", np.arange(500.0))
    arrays, _ = wire.sent(colouring=column)
    assert len(arrays) == 2
    by_class = np.argsort(wire.plane.labels, kind="stable")
    np.testing.assert_array_equal(np.frombuffer(wire.messages[-1][1][1], np.uint8), column.tints[by_class])
    assert wire.sent(colouring=column)[0] == []


def test_nothing_is_sent_before_a_page_asks_and_then_everything():
    wire = Wire(300)
    wire.picture.show(wire.scene())
    wire.session.step()
    wire.picture.show(wire.scene())
    assert wire.messages == []
    wire.hello()
    assert [(len(content["arrays"]), content["version"]) for content, _ in wire.messages] == [(N_CLASSES, 2)]
    wire.hello()
    assert len(wire.last()[0]) == N_CLASSES


def test_what_concerns_samples_that_are_drawn_no_more_is_dropped():
    wire = Wire(300)
    wire.hello()
    wire.sent()
    cloud = wire.messages[-1][0]["scene"]["cloud"]["id"]
    point = {"kind": "point", "index": 17, "how": "add", "cloud": cloud}
    wire.picture._handle_custom_msg(point, [])
    assert wire.told == [(int(np.argsort(wire.plane.labels, kind="stable")[17]), "add")]
    rows = np.arange(0, 300, 2)
    labels = wire.plane.labels[rows]
    places = Places.of(np.zeros((150, 2)), labels, N_CLASSES)
    wire.picture.show(PictureScene(rows=rows, labels=labels, panes=(Pane(title="", places=places),), limits=LIMITS))
    wire.picture._handle_custom_msg(point, [])
    assert len(wire.told) == 1
    wire.picture._handle_custom_msg(point | {"cloud": cloud + 1}, [])
    assert wire.told[1][0] in rows


def test_a_marked_sample_is_told_by_its_class_and_its_place_in_it():
    wire = Wire(300)
    wire.hello()
    wire.sent(marked=123)
    code, place = wire.messages[-1][0]["scene"]["marked"]
    assert np.flatnonzero(wire.plane.labels == code)[place] == 123
    wire.sent(marked=5_000)
    assert wire.messages[-1][0]["scene"]["marked"] is None


def test_what_is_not_finite_is_left_out_of_the_message():
    wire = Wire(300)
    places = wire.plane.places(wire.session.state_at(0))
    arrow = Arrow(code=0, tail=(np.nan, 0.0), head=(0.0, 0.0))
    pane = Pane(title="", places=places, arrows=(arrow,), rings={1: (np.inf, 0.0), 2: (1.0, 2.0)})
    wire.hello()
    wire.picture.show(PictureScene(rows=wire.plane.rows, labels=wire.plane.labels, panes=(pane,), limits=LIMITS))
    sent = wire.messages[-1][0]["scene"]["panes"][0]
    assert (sent["arrows"], sent["rings"]) == ([], [[2, 1.0, 2.0]])
