"""What was seen when the steps of PLI were chosen: the starting network of each draw in the plane.

    ALI_DATA=… uv run python -m benchmarks.pli DIR      # DIR/draw-N.npz; then: ali studio DIR/draw-N.npz

The plane is the parametric t-SNE that ``--method pli`` fits before the first epoch; labels take no part in it. Sessions
that were saved from there are ``results/pli/draw-N.json``, which ``benchmarks.methods features run`` trains with. The
rule by which classes were chosen is in ``results/pli/README.md``.
"""

import argparse
from pathlib import Path

from ali_core.projection import ParametricTSNE
from benchmarks.methods import KINDS, TUNING_DRAWS, load, settings_of


def start(draw, data):
    """Return the training fold of a draw, as the untrained network embeds it, in the plane."""
    from ali_core.training import epochs

    settings = settings_of("features", KINDS["features"].configurations["ce"], draw, {})
    with epochs(data, settings) as training:
        embedding = next(iter(training)).embedding
    return embedding.with_vectors(ParametricTSNE(random_state=settings.seed).fit_transform(embedding.vectors))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    out, data = parser.parse_args().out, load("features")
    for draw in (*range(8), *TUNING_DRAWS):
        print(start(draw, data).save(out / f"draw-{draw}.npz"), flush=True)


if __name__ == "__main__":
    main()
