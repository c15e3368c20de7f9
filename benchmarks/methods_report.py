"""What the runs of ``benchmarks.methods`` say: paired differences, intervals, power, and the words that follow.

    ALI_DATA=… uv run python -m benchmarks.methods_report

Writes ``results/draws_*_table.csv`` and learning curves, and puts the tables into ``benchmarks/README.md`` and
``docs/when-interventions-help.md``, between the marks ``<!-- name -->`` and ``<!-- end -->``. Run it after any number
of runs: it says how many there are.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import optimize, stats

from ali_core.evaluation import ClassificationScores
from benchmarks.methods import BLOCKS, FEATURES, KINDS, RARE, RESULTS, load

PAGES = (Path(__file__).parent / "README.md", Path(__file__).parent.parent / "docs" / "when-interventions-help.md")
PAIRS = {
    "features": [
        *((name, "tml") for name in ["lda", "svm", *FEATURES] if name != "tml"),
        ("lda", "svm"),
        ("ali c,s +cw", "tml +cw"),
        ("ali c,s on ce +cw", "ce"),
        ("ali c,s on supcon +cw", "supcon"),
        ("pli", "ce"),
    ],
    "images": [
        ("ali c,s +cw", "tml"),
        ("ali c,s on ce +cw", "ce"),
        ("ali c,s on supcon +cw", "supcon"),
        ("ce", "tml"),
        ("supcon", "tml"),
        ("ce, no dropout", "ce"),
        ("ali c,s on ce +cw, no dropout", "ce, no dropout"),
    ],
    "second": [
        ("ali c,s +cw", "tml"),
        ("ali c,s +cw", "tml +cw"),
        ("ali c,s on ce +cw", "ce"),
        ("ali c,s on supcon +cw", "supcon"),
        ("ce", "tml"),
        ("supcon", "tml"),
        ("lda", "tml"),
        ("ali c,s +cw", "lda"),
        ("ali c,s on supcon +cw", "lda"),
    ],
    "scratch": [
        ("ali c,s +cw", "tml"),
        ("ali c,s +cw, from epoch 10", "tml"),
        ("ali c,s on ce +cw", "ce"),
        ("ali c,s on ce +cw, from epoch 10", "ce"),
        ("ce", "tml"),
    ],
}
WHERE = {
    "features": "On frozen features",
    "images": "End to end from pretrained weights",
    "second": "On frozen features, second long tail",
    "scratch": "From random weights",
}
CLAIMS = (("ali c,s +cw", "tml"), ("ali c,s on ce +cw", "ce"), ("ali c,s on supcon +cw", "supcon"))
COLOURS = {"tml": "#222222", "ce": "#999999", "supcon": "#4477aa"}
ALI_COLOURS = {"tml": "#cc3311", "ce": "#ee8866", "supcon": "#44bb99"}


def interval(values):
    """Return mean, half width of the 95 % t interval and two-sided p of independent values."""
    n = len(values)
    error = values.std(ddof=1) / np.sqrt(n)
    p = 2 * stats.t.sf(abs(values.mean()) / error, n - 1) if error > 0 else float(values.mean() == 0)
    return values.mean(), stats.t.ppf(0.975, n - 1) * error, p


def holm(p):
    """Return Holm's adjusted p: the k-th smallest of m times m - k + 1, never falling, at most 1."""
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(np.sort(p) * np.arange(len(p), 0, -1)), 1.0)
    return adjusted


def detectable(deviation, n, power=0.8):
    """Return the smallest true difference that a paired t-test (5 %, two-sided) of n pairs shows with ``power``."""
    edge = stats.t.ppf(0.975, n - 1)
    found = optimize.brentq(lambda at: stats.nct.sf(edge, n - 1, at) - power, 0.0, 100.0)
    return found * deviation / np.sqrt(n)


def class_f1(true, predicted, n_classes):
    return ClassificationScores.of(true, predicted.astype(np.int64), n_classes).class_f1


def compare(kind, cells, rows, codes):
    """Return one row a pair of methods with what is known of their difference, in percentage points of macro F1."""
    labels, n_classes = cells.labels, cells.n_classes
    rare = np.argsort(cells.counts, kind="stable")[:RARE]
    block = np.empty(len(labels), np.int64)
    for code in range(n_classes):
        members = np.random.default_rng([0, code]).permutation(np.flatnonzero(labels == code))
        block[members] = np.arange(len(members)) % BLOCKS
    scores = rows.pivot(index="draw", columns="configuration", values="test_f1")
    found = []
    for name, other in PAIRS[kind]:
        if name not in scores or other not in scores:
            continue
        both = scores[[name, other]].dropna()
        row = {"method": name, "minus": other, "mean": both[name].mean(), "sd": both[name].std(), "draws": len(both)}
        found.append(row)
        difference = (both[name] - both[other]).to_numpy()
        row["difference"] = difference.mean()
        if len(both) < 2:
            continue
        _, half, row["p"] = interval(difference)
        row |= {"low": difference.mean() - half, "high": difference.mean() + half}
        row |= {"ahead": int((difference > 0).sum()), "detectable": detectable(difference.std(ddof=1), len(both))}
        of_rare, of_blocks = [], []
        for draw in both.index:
            one, two = (codes[f"{method}/{draw}"] for method in (name, other))
            test = one >= 0
            f1 = [class_f1(labels[test], part[test], n_classes) for part in (one, two)]
            of_rare.append(np.mean(f1[0][rare] - f1[1][rare]))
            parts = [test & (block == number) for number in range(BLOCKS)]
            of_blocks.append(
                [
                    np.subtract(*(np.nanmean(class_f1(labels[rows], p[rows], n_classes)) for p in (one, two)))
                    for rows in parts
                ]
            )
        mean, half, _ = interval(np.array(of_rare))
        row |= {"rare": mean, "rare_low": mean - half, "rare_high": mean + half}
        mean, half, _ = interval(np.mean(of_blocks, axis=0))
        row |= {"cells_low": difference.mean() - half, "cells_high": difference.mean() + half}
    table = pd.DataFrame(found)
    if "p" in table:
        known = table.p.notna()
        table.loc[known, "p_holm"] = holm(table.p[known].to_numpy())
    return table


def points(value, sign="+"):
    return "" if pd.isna(value) else f"{100 * value:{sign}.1f}"


def markdown(kind, table, rows):
    """Return the comparisons as a table, with a line that says how many runs there are and what could be shown."""
    lines = [
        f"{len(rows)} of {len(KINDS[kind].planned)} runs are there.",
        "",
        "| method | macro F1 | draws | minus | difference | 95 % over draws | 95 % over disjoint cells | p (Holm) "
        f"| ahead in | {RARE} rarest classes | could show |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        known = pd.notna(row.get("low"))
        spread = f" ± {points(row['sd'], '')}" if known else ""
        cells = [row["method"], f"{points(row['mean'], '')}{spread}", str(row["draws"]), row["minus"]]
        cells.append(points(row["difference"]))
        if known:
            cells.append(f"{points(row['low'])} to {points(row['high'])}")
            cells.append(f"{points(row['cells_low'])} to {points(row['cells_high'])}")
            cells += [f"{row['p_holm']:.2g}", f"{row['ahead']:.0f} of {row['draws']}"]
            cells.append(f"{points(row['rare'])} ({points(row['rare_low'])} to {points(row['rare_high'])})")
            cells.append(points(row["detectable"], ""))
        else:
            cells += [""] * 6
        lines.append(f"| {' | '.join(cells)} |")
    if not len(table):
        return "No two methods have a draw in common yet: " + lines[0]
    return "\n".join(lines)


def verdict(kind, table):
    """Return a sentence for each claim, with its figure."""
    where, sentences = WHERE[kind], []
    for name, other in (pair for pair in CLAIMS if pair in PAIRS[kind]):
        match = table[(table.get("method") == name) & (table.get("minus") == other)] if len(table) else table
        if not len(match) or pd.isna(match.iloc[0].get("low")):
            sentences.append(f"- {where}, {name} against {other}: open; fewer than two draws are there.")
            continue
        row = match.iloc[0]
        figure = (
            f"{points(row.difference)} points (95 % {points(row.low)} to {points(row.high)}, {row.draws} draws; "
            f"p {row.p_holm:.2g} after Holm)"
        )
        if row.low > 0:
            said = "a gain is shown" if row.p_holm < 0.05 else "a gain is likely, not shown after Holm"
        elif row.high < 0:
            said = "a loss is shown" if row.p_holm < 0.05 else "a loss is likely, not shown after Holm"
        else:
            said = "no difference is shown"
        three = "; three points, the paper's gain, are " + ("excluded" if row.high < 0.03 else "not excluded")
        sentences.append(f"- {where}, {name} against {other}: {said}: {figure}{three}.")
    return "\n".join(sentences)


def epochs_to(curves, rows, share=0.95):
    """Return the median first scored epoch at which test F1 reaches ``share`` of the best of tml in the same draw."""
    best = curves[curves.configuration == "tml"].groupby("draw").test_f1.max().rename("best")
    joined = curves.join(best, on="draw").dropna()
    there = joined[joined.test_f1 >= share * joined.best]
    first = there.groupby(["configuration", "draw"]).epoch.min()
    counts = rows[rows.draw.isin(best.index)].groupby("configuration").size()
    lines = ["| method | median epoch | reached in |", "|---|---|---|"]
    for name, count in counts.items():
        epochs = first.get(name, pd.Series(dtype=float))
        middle = np.median([*epochs, *[np.inf] * (count - len(epochs))])
        if name not in ("lda", "svm"):
            lines.append(f"| {name} | {'never' if np.isinf(middle) else f'{middle:g}'} | {len(epochs)} of {count} |")
    return "\n".join(lines)


def draw_curves(kind, curves):
    """Draw mean test F1 over epochs, with the standard error over draws; epochs that all runs have."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for base, plain in COLOURS.items():
        moved = "ali c,s +cw" if base == "tml" else f"ali c,s on {base} +cw"
        for name, colour in ((base, plain), (moved, ALI_COLOURS[base])):
            own = curves[curves.configuration == name]
            at = own.groupby("epoch").test_f1.agg(["mean", "sem", "size"])
            at = at[at["size"] == own.draw.nunique()]
            if len(at):
                axes.plot(at.index, at["mean"], color=colour, label=f"{name} (n = {own.draw.nunique()})", lw=1.4)
                axes.fill_between(
                    at.index, at["mean"] - at["sem"], at["mean"] + at["sem"], color=colour, alpha=0.15, lw=0
                )
    axes.set(xlabel="epochs", ylabel="macro F1, cells left out")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(RESULTS / f"draws_{kind}_curves.png", dpi=150)


def put(name, text):
    """Put ``text`` between the marks of ``name``, on the pages that have them."""
    for page in PAGES:
        old = page.read_text(encoding="utf-8")
        new = re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda m: f"{m[1]}{text}\n{m[2]}", old, flags=re.DOTALL)
        if new != old:
            page.write_text(new, encoding="utf-8")


def main():
    for kind in PAIRS:
        file = RESULTS / f"draws_{kind}.csv"
        if not file.is_file():
            put(f"{kind} table", f"0 of {len(KINDS[kind].planned)} runs are there.")
            put(f"{kind} claims", verdict(kind, pd.DataFrame()))
            put(f"{kind} epochs", "No run is there yet.")
            continue
        rows, curves_file = pd.read_csv(file), file.with_name(f"{file.stem}_curves.csv")
        codes = dict(np.load(file.with_name(f"{file.stem}_predicted.npz")))
        table = compare(kind, load(kind), rows, codes)
        table.to_csv(RESULTS / f"draws_{kind}_table.csv", index=False, float_format="%.4g")
        put(f"{kind} table", markdown(kind, table, rows))
        put(f"{kind} claims", verdict(kind, table))
        put(f"{kind} epochs", "No run of the triplet loss is there yet.")
        if curves_file.is_file():
            curves = pd.read_csv(curves_file)
            draw_curves(kind, curves)
            if "tml" in set(rows.configuration):
                put(f"{kind} epochs", epochs_to(curves, rows))
        print(markdown(kind, table, rows), verdict(kind, table), sep="\n\n")


if __name__ == "__main__":
    main()
