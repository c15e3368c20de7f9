"""The sweep of a dry run: a plain loop over scikit-learn against ours, side by side in one run, as Markdown.

    uv run python -m benchmarks.dry_run runs/methods/features/tml/{0..5}-0 --combination c,s --part 0.05
    uv run python -m benchmarks.dry_run runs/methods/features/tml/{0..1}-0 --tiny        # does it work? no figures

The plain loop is what a careful user would write: for each configuration and fold and each number of interventions,
one more intervention, an SVC trained on the moved samples, its answers to the moved validation samples (oracle), a
KernelRidge trained on the displacements, and the SVC's answers to what it moves (transfer). One process, no early end.
C, gamma and the ridge of a fold are the same for all. It takes hours, so it is measured on random strengths, with all
criteria, and scaled up by the number of curves; ours is measured whole. Where both were measured, all scores are
compared; race and full search must recommend the same.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import f1_score
from sklearn.svm import SVC

from ali_core.evaluation import svm_search
from ali_core.experiments import SweepGrid, TransferMap, folds_of_runs
from ali_core.experiments.curve_book import CurveBook
from ali_core.experiments.fold_scorer import FoldScorer
from ali_core.experiments.search import CurveRunner
from ali_core.experiments.sweep_grid import configuration_name
from ali_core.experiments.sweeps import _recommendations
from ali_core.interventions import PRESETS, InterventionState, carry_out, decide
from ali_core.interventions.steps import step_generator

HOLD = 3
TINY = SweepGrid(
    contract=(0.25, 0.5),
    rotate=(0.08, 0.32),
    shift=(1.0, 4.0),
    shift_mix=(0.5,),
    choices=(("product", "deterministic"), ("mean-std", "deterministic"), ("product", "probabilistic")),
    n_neighbours=2,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Counting(FoldScorer):
    """Leaves one byte in a file for every state that it scores, in whatever process."""

    tally: Path = Path("tally")

    def scores(self, transforms):
        """Count, and score."""
        with self.tally.open("ab") as file:
            file.write(b".")
        return super().scores(transforms)


def plain_curve(scorer, transfer_map, settings, longest, *, transfer):
    """Return (oracle, transfer) macro F1 after 0 to ``longest`` interventions, as one writes it with scikit-learn."""
    data, rows = scorer.data, []
    state = InterventionState.untouched(scorer.statistics)
    for count in range(longest + 1):
        if count:
            step = decide(state.statistics, settings, step_generator(settings.seed, count - 1))
            state, _ = carry_out(state, step)
        train = state.transforms.apply(data.train_vectors, data.train_labels)
        oracle = state.transforms.apply(data.validation_vectors, data.validation_labels)
        gamma = scorer.gamma_multiple / train.var(axis=0).sum()
        svm = SVC(C=scorer.C, gamma=gamma, class_weight="balanced", cache_size=500)
        svm.fit(train, data.train_labels)
        rows.append([macro_f1(data, svm.predict(oracle)), np.nan])
        if transfer:
            ridge = KernelRidge(kernel="rbf", gamma=transfer_map.gamma, alpha=transfer_map.ridge)
            ridge.fit(data.train_vectors, train - data.train_vectors)
            moved = data.validation_vectors + ridge.predict(data.validation_vectors)
            rows[-1][1] = macro_f1(data, svm.predict(moved))
    return np.array(rows)


def macro_f1(data, predicted):
    return f1_score(data.validation_labels, predicted, average="macro", zero_division=0.0)


def strengths(one):
    return one.contract, one.rotate, one.shift, one.shift_mix


def drawn(configurations, share, seed=0):
    """Return the configurations of a random share of the strengths, at least one, by strengths."""
    bundles = [list(bundle) for _, bundle in groupby(configurations, key=strengths)]
    count = max(1, round(share * len(bundles)))
    chosen = np.sort(np.random.default_rng(seed).choice(len(bundles), count, replace=False))
    return [bundles[index] for index in chosen]


@contextmanager
def counted(scorers) -> Iterator[dict]:
    """Yield a record that has ``seconds``, ``CPU s`` (all processes) and ``states`` once the block has ended."""
    record, before, cpu = {}, n_scored(scorers), sum(os.times()[:4])
    start = time.perf_counter()
    yield record
    record["seconds"] = time.perf_counter() - start
    record["CPU s"] = sum(os.times()[:4]) - cpu
    record["states"] = n_scored(scorers) - before


def n_scored(scorers):
    return sum(scorer.tally.stat().st_size for scorer in scorers.values())


def with_ratios(table, plain, scale=1.0):
    """Add by how much the plain loop, both scores and oracle alone, takes longer."""
    for name, row in (("plain", plain.iloc[0]), ("oracle alone", plain.iloc[1])):
        for unit in ("seconds", "CPU s"):
            table[f"{name} / this ({unit})"] = scale * row[unit] / table[unit]
    return table


def of_part(scorers, bundles, longest):
    """Return one row a step from the plain loop to ours on the same curves, and the scores of both."""
    maps = {
        fold: TransferMap.fit(own.data.train_vectors, own.data.train_labels, n_classes=own.data.n_classes)
        for fold, own in scorers.items()
    }
    alone = [[one] for bundle in bundles for one in bundle]
    rows, plain, ours = [], {}, {}
    for transfer in (True, False):
        with counted(scorers) as record:
            found = {
                (configuration_name(one), fold): plain_curve(own, maps[fold], one, longest, transfer=transfer)
                for fold, own in scorers.items()
                for (one,) in alone
            }
        plain = found if transfer else plain
        record["states"] = len(found) * (longest + 1)
        rows.append({"what": f"plain loop, {'both scores' if transfer else 'oracle alone'}"} | record)
    as_the_svm = mock.patch.object(svm_search, "predict_one_against_one", lambda svm, vectors: svm.predict(vectors))
    steps = [
        ("transfer weights once a fold", alone, None, True),
        ("matrix products for predictions", alone, None, False),
    ]
    steps += [(f"end after {HOLD} ones", alone, HOLD, False), ("shared states", bundles, HOLD, False)]
    for what, groups, hold, slow in steps:
        with counted(scorers) as record, as_the_svm if slow else nullcontext():
            found = {
                (configuration_name(one), fold): curve[["oracle_f1", "transfer_f1"]].to_numpy()
                for fold, own in scorers.items()
                for group in groups
                for one, curve in zip(group, own.curves(group, longest=[longest] * len(group), hold=hold), strict=True)
            }
        ours = found if hold is None else ours
        held = found  # the last: as a dry run does it
        rows.append({"what": f"ours: {what}"} | record)
    return pd.DataFrame(rows), plain, ours, held


def whole(scorers, combination, grid, longest):
    """Return one row a search, and what each recommends."""
    rows, recommended = [], {}
    for search, workers in (("full", 2), ("race", 2), ("race", 1)):
        runner = CurveRunner(scorers=scorers, longest=longest, hold=HOLD, workers=workers)
        book = CurveBook(len(scorers), HOLD)
        with counted(scorers) as record:
            found = _recommendations(runner, grid, [combination], book, search)
        if workers > 1:
            record["CPU s"] = np.nan  # the pool lives on, and its time is not told before it ends
        recommended[search, workers] = found[combination]
        rows.append({"what": f"{search}, {workers} process{'es' if workers > 1 else ''}"} | record)
    return pd.DataFrame(rows), recommended


def book_of(curves, configurations, hold=None):
    """Return scores by (name, fold) as a book."""
    names = {configuration_name(one): one for one in configurations}
    book = CurveBook(len({fold for _, fold in curves}), hold)
    for (name, fold), scores in curves.items():
        columns = {"n_interventions": range(len(scores)), "oracle_f1": scores[:, 0], "transfer_f1": scores[:, 1]}
        book.add(names[name], fold, pd.DataFrame(columns))
    return book


def compared(plain, ours, held, configurations):
    """Return lines on how far the scores of both agree, and their winners."""
    lines = []
    for column, score in enumerate(("oracle", "transfer")):
        difference = np.concatenate([np.abs(plain[key][:, column] - ours[key][:, column]) for key in plain])
        lines.append(
            f"{score}: {np.mean(difference < 1e-12):.4%} of {len(difference)} scores are equal, the largest difference "
            f"is {difference.max():.2g}"
        )
    names = [configuration_name(one) for one in configurations]
    books = {
        "plain loop": book_of(plain, configurations),
        f"curves ended after {HOLD} ones": book_of(held, configurations, HOLD),
    }
    ranks = {what: [(name, found[:2]) for name, found in book.ranked(names)] for what, book in books.items()}
    (what, one), (other, two) = ranks.items()
    best, second = ({name for name, found in rank if found == rank[0][1]} for rank in (one, two))
    lines.append(
        f"best of the part (oracle F1, minus interventions): {what} {one[0][1]} by {len(best)}, {other} {two[0][1]} by "
        f"{len(second)} configurations: {same((best, one[0][1]) == (second, two[0][1]))}"
    )
    alike = sum(dict(one)[name] == dict(two)[name] for name in names)
    lines.append(f"oracle maximum and interventions to it are the same for {alike} of {len(names)} configurations")
    return lines


def same(equal):
    return "the same" if equal else "NOT THE SAME"


def markdown(table):
    cells = [list(table), ["---"] * len(table.columns)]
    cells += [[f"{value:.4g}" if isinstance(value, float) else str(value) for value in row] for row in table.to_numpy()]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", help="finished training runs, one a fold")
    parser.add_argument("--combination", choices=PRESETS, default="c,s")
    parser.add_argument("--part", type=float, default=0.05, help="share of the strengths that the plain loop follows")
    parser.add_argument("--longest", type=int, default=50)
    parser.add_argument("--tiny", action="store_true", help="a tiny grid and four interventions, to try the script")
    return parser.parse_args()


def main():
    given = arguments()
    grid, longest = (TINY, 4) if given.tiny else (SweepGrid(), given.longest)
    with tempfile.TemporaryDirectory() as folder:
        start, scorers = time.perf_counter(), {}
        for fold in folds_of_runs(given.runs):
            tally = Path(folder) / str(fold.fold)
            tally.touch()
            scorers[fold.fold] = replace(Counting.of(fold), tally=tally)
        prepared = time.perf_counter() - start
        report(given, grid, longest, scorers, prepared)


def report(given, grid, longest, scorers, prepared):
    """Measure and print."""
    configurations = grid.configurations(given.combination)
    bundles = drawn(configurations, given.part)
    members = [one for bundle in bundles for one in bundle]
    data = next(iter(scorers.values())).data
    part, plain, ours, held = of_part(scorers, bundles, longest)
    part = with_ratios(part, part)
    found, recommended = whole(scorers, given.combination, grid, longest)
    n_second = len(grid.neighbours(configurations[0], data.n_classes))
    scale = (len(configurations) + n_second) / len(members)
    found = with_ratios(found, part, scale)
    print(
        f"{given.combination}: {len(configurations)} + {n_second} configurations, {len(scorers)} folds, 0 to {longest} "
        f"interventions; N = {len(data.train_labels)} + {len(data.validation_labels)}, "
        f"D = {data.train_vectors.shape[1]}, {data.n_classes} classes; {os.cpu_count()} cores, "
        f"{os.environ.get('OMP_NUM_THREADS')} threads; seconds by the clock, CPU s of all processes. C, gamma and "
        f"transfer weights of all folds took {prepared:.1f} s, which all share.\n"
    )
    print(f"The same {len(members)} configurations ({len(members) / len(configurations):.1%}), one process:\n")
    print(markdown(part), "\n")
    print(
        f"All configurations; the plain loop, scaled up by {scale:.1f}: {scale * part.seconds[0]:.0f} s, oracle alone "
        f"{scale * part.seconds[1]:.0f} s\n"
    )
    print(markdown(found), "\n")
    for line in compared(plain, ours, held, members):
        print(f"- {line}")
    full, race, alone = (recommended[key] for key in (("full", 2), ("race", 2), ("race", 1)))
    equal = full.settings == race.settings == alone.settings and full.others == race.others == alone.others
    print(
        f"- race and full recommend {configuration_name(full.settings)} {full.outcome[:2]}, and next best {same(equal)}"
    )


if __name__ == "__main__":
    main()
