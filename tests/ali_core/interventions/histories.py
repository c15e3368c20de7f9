"""Random histories: what a person may do with a session, one action after the other."""

import numpy as np
from hypothesis import strategies as st

from ali_core import LabelledEmbedding, ManualStep, Session, preset

NAMES = ("blast", "monocyte", "band", "segment", "rare", "absent")


def cells(dim=4, seed=0):
    """Five classes, one of them with one sample, and a sixth without any."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(5), [3, 9, 12, 6, 1])
    vectors = rng.normal(size=(5, dim))[labels] + rng.normal(size=(len(labels), dim))
    return LabelledEmbedding(vectors, labels, NAMES)


MANUAL = (
    ManualStep(classes=("band",), contract=0.5),
    ManualStep(classes=("blast", "rare"), away_from=("monocyte", "band"), rotate=0.2, shift=1.5, shift_mix=0.3),
    ManualStep(classes=("segment",), n_neighbours=1, shift=2.0),
    ManualStep(classes=("monocyte",), displacement=(0.1, -1 / 3, 1e-9, 2.5)),
    ManualStep(classes=("monocyte", "segment"), contract=0.25, displacement=(0.0, 0.7, 0.0, -0.2)),
)
CHANGES = (
    {"contract": 0.2, "shift": 1.0},
    {"rotate": 0.3, "n_neighbours": 3},
    {"selection": "probabilistic", "seed": 7},
    {"selection": "deterministic", "criterion": "mean-all"},
    {"norm_keeping": "uniform"},
    {"norm_keeping": "offsets", "criterion": "closest", "n_neighbours": 1},
)
_numbers = st.integers(0, 30)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["step", "step", "run", "undo", "redo", "reset", "toggle", "switch"]), _numbers),
        st.tuples(st.just("manual"), st.integers(0, len(MANUAL) - 1)),
        st.tuples(st.just("change"), st.integers(0, len(CHANGES) - 1)),
    ),
    max_size=14,
)


def act(session, action):
    """Do one thing if it can be done now; numbers are taken modulo what there is."""
    kind, number = action
    n_steps = len(session.steps) + len(session.undone)
    if kind == "run":
        session.run(number % 4)
    elif kind == "manual":
        session.apply(MANUAL[number])
    elif kind == "change":
        session.settings = session.settings.changed(**CHANGES[number])
    elif kind == "switch":
        session.switch(session.branches[number % len(session.branches)])
    elif kind == "toggle":
        if n_steps:
            session.toggle(1 + number % n_steps)
    elif (kind != "undo" or session.cursor) and (kind != "redo" or session.undone):
        getattr(session, kind)()


def lived(actions, embedding=None, name="all"):
    """Return a session after ``actions``."""
    embedding = cells() if embedding is None else embedding
    session = Session(embedding, preset(name, embedding.dim))
    for action in actions:
        act(session, action)
    return session
