"""What each transform does to a class, as pictures for docs/method.md: ``python docs/method_pictures.py``."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from ali_core import InterventionSettings, LabelledEmbedding, ManualStep, Session

CENTERS = {"moved class": (2.2, 1.7), "neighbour 1": (2.3, 3.2), "neighbour 2": (4.0, 3.4)}
COLOURS = ("#c2620a", "#3061d8", "#5a8f3c")
STEPS = {
    "contract λ_c = 0.5": {"contract": 0.5},
    "rotate λ_r = 0.1": {"rotate": 0.1},
    "shift λ_s = 3, γ = 1": {"shift": 3.0, "shift_mix": 1.0},
    "ortho-shift λ_s = 3, γ = 0": {"shift": 3.0, "shift_mix": 0.0},
}


def main():
    plt.rcParams["svg.hashsalt"] = "ali"  # the same bytes each time
    rng = np.random.default_rng(0)
    clouds = [center + 0.3 * rng.normal(size=(40, 2)) for center in CENTERS.values()]
    embedding = LabelledEmbedding(np.concatenate(clouds), np.repeat(list(CENTERS), 40), tuple(CENTERS))
    figure, axes = plt.subplots(1, 4, figsize=(10, 2.7), sharex=True, sharey=True, layout="constrained")
    for axis, (title, strengths) in zip(axes, STEPS.items(), strict=True):
        session = Session(embedding, InterventionSettings(norm_keeping="none"))
        session.apply(ManualStep(classes=("moved class",), **{"contract": 0.0, **strengths}, n_neighbours=2))
        for code, colour in enumerate(COLOURS):
            before, after = (state.vectors[embedding.labels == code] for state in (session.before, session.after))
            if code == 0:
                axis.plot(*before.T, "o", ms=3, mfc="none", mec="#9a9a9a", mew=0.6)
                axis.annotate(
                    "", after.mean(axis=0), before.mean(axis=0), arrowprops={"arrowstyle": "->", "color": "#222222"}
                )
            axis.plot(*after.T, "o", ms=3, color=colour)
        axis.plot(0, 0, "+", color="#222222", ms=8)
        axis.set_title(title, fontsize=10)
        axis.set_aspect("equal")
        axis.set_xticks([])
        axis.set_yticks([])
    figure.savefig(Path(__file__).with_name("transforms.svg"), metadata={"Date": None})


if __name__ == "__main__":
    main()
