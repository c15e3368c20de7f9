"""What one more epoch of training made of the interventions before it (Fig. 6 of the paper, with its last column).

Synopsis::

    with epochs(data, settings) as run:
        *_, before, following = run
    trained = TrainedEpoch(
        session=before.session, following=following.embedding, epoch=following.epoch, data="marrow, 224 px"
    )
    epoch_panel(trained).save("figures", "fig6")
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ali_core.embedding import LabelledEmbedding
from ali_core.errors import AliError
from ali_core.interventions import Session
from ali_core.projection import View
from ali_viz.panels.captions import count_interventions
from ali_viz.panels.panel import Panel
from ali_viz.panels.state_panel import state_panel

__all__ = ["FOLLOWING", "TrainedEpoch", "epoch_panel"]

FOLLOWING = "After one more epoch"
"""Title of the last column."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedEpoch:
    """An epoch of training and the interventions that it followed.

    Parameters
    ----------
    session
        The interventions on the embedding before the epoch.
    following
        The same samples after it, in the space of the session; their order may be another.
    epoch
        Epochs that were trained in all, this one included.
    data
        What was embedded, in words.
    samples
        Which of it the samples are, in words.

    Raises
    ------
    AliError
        When the two hold other samples, or dimensions of another number.
    """

    session: Session
    following: LabelledEmbedding
    epoch: int
    data: str
    samples: str = "the samples that the network was trained on"

    def __post_init__(self) -> None:
        before, after = self.session.embedding, self.following
        if not np.array_equal(np.sort(before.sample_names), np.sort(after.sample_names)):
            raise AliError(
                f"the epoch holds other samples ({len(after)}) than the session that it followed ({len(before)}); "
                "give the embedding of the same samples"
            )
        if before.dim != after.dim:
            raise AliError(
                f"the session has {before.dim} dimensions and the embedding after the epoch {after.dim}; "
                "give both in the same space"
            )

    def states(self) -> dict[str, LabelledEmbedding]:
        """Return the embedding before and after the interventions and after the epoch, by title, samples in order."""
        before, steps = self.session.before, self.session.steps
        names = self.following.sample_names  # without ids, row by row
        found = np.argsort(names)[np.searchsorted(np.sort(names), before.sample_names)]
        return {
            "Before": before,
            f"After {count_interventions(steps)}": self.session.after,
            FOLLOWING: before.with_vectors(self.following.vectors[found]),
        }

    def told(self) -> str:
        """Return what was done and what the last column is, for the caption; no full stop at the end."""
        return (
            f"Shown are {self.samples}. The interventions were planned on the embedding after epoch {self.epoch - 1}, "
            f"and epoch {self.epoch}, the last of {self.epoch}, was trained towards them. The last column is the "
            "network's own embedding after that epoch, not moved by labels; the network has learnt the labels of these "
            "samples, so nothing follows for others"
        )


def epoch_panel(
    trained: TrainedEpoch,
    views: Sequence[View] = ("dims", "supervised_tsne"),
    *,
    rows: NDArray[np.int64] | None = None,
) -> Panel:
    """Draw the embedding before interventions, after them, and after the epoch that followed them.

    Parameters
    ----------
    trained
        What is drawn.
    views
        The rows of the figure.
    rows
        Row numbers of the samples to draw; all by default, and the caption says when they are not all.

    Returns
    -------
    Panel
        Table (columns ``STATE_COLUMNS``), figure of 181 mm, and caption.

    Notes
    -----
    The columns of the paper's Fig. 6. An epoch moves all samples, so nothing stands still that the last layout could
    be fixed to: it starts from the one to its left and is laid over it as a whole.
    """
    states, n_samples = trained.states(), len(trained.following)
    if rows is not None:
        states = {title: state.subset(rows) for title, state in states.items()}
    remark = f"{trained.data}: {trained.samples}"
    states["Before"] = replace(states["Before"], description=remark)
    return state_panel(states, views, data=trained.data, n_samples=n_samples, settings=trained.told())
