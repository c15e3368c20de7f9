"""Paired differences between methods over the same folds and seeds, with confidence intervals.

Synopsis::

    compare_methods(results, baseline="tml", test_train_ratio=1 / 4)       # six folds: one tests, four train
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from ali_core.errors import AliError

__all__ = ["compare_methods"]

PAIR = ["fold", "seed"]

COLUMNS = [
    *("method", "baseline", "metric", "mean", "baseline_mean", "difference", "low", "high", "p", "p_holm"),
    *("n_pairs", "sentence"),
]


def compare_methods(
    results: pd.DataFrame, *, baseline: str, test_train_ratio: float, metric: str = "macro_f1"
) -> pd.DataFrame:
    r"""Compare every method with a baseline by its differences on the same folds and seeds.

    With J pairs of mean difference :math:`\bar d` and variance :math:`s^2` (divided by J - 1), the variance of
    :math:`\bar d` is taken as :math:`(1/J + n_\mathrm{test} / n_\mathrm{train}) \, s^2`, since training folds overlap
    and their scores are not independent. The interval (95 %) and the two-sided p follow from Student's t with J - 1
    degrees of freedom.

    Parameters
    ----------
    results
        Long form, one row a run: columns ``method``, ``fold``, ``seed`` and the one named by ``metric``.
    baseline
        The method that all others are compared with.
    test_train_ratio
        Test samples per training sample of a fold; 1/4 when one of six folds tests and four train. 0 gives the
        plain paired t-test.
    metric
        The column compared; larger is better.

    Returns
    -------
    pandas.DataFrame
        One row a method other than the baseline, in the order of ``results``: ``method``, ``baseline``, ``metric``,
        ``mean``, ``baseline_mean``, ``difference``, ``low`` and ``high`` (the interval), ``p``, ``p_holm`` (adjusted
        for all rows of the table), ``n_pairs``, ``sentence``.

    Raises
    ------
    AliError
        A column, the baseline, another method or a pair is missing, a run occurs twice, a value is not finite, fewer
        than two pairs, or a negative ratio.

    Notes
    -----
    C. Nadeau, Y. Bengio, "Inference for the generalization error", Machine Learning 52, 2003; for repeated
    cross-validation R. R. Bouckaert, E. Frank, PAKDD 2004. S. Holm, "A simple sequentially rejective multiple test
    procedure", Scandinavian Journal of Statistics 6, 1979. The intervals are not adjusted. The paper compares means
    and standard deviations without pairing.
    """
    if not (np.isfinite(test_train_ratio) and test_train_ratio >= 0):
        raise AliError(f"test_train_ratio must be finite and at least 0; got {test_train_ratio}")
    scores = _paired(results, baseline, metric)
    reference = scores[baseline].to_numpy(dtype=np.float64)
    rows = []
    for method in scores.columns.drop(baseline):
        own = scores[method].to_numpy(dtype=np.float64)
        rows.append(
            {
                "method": method,
                "baseline": baseline,
                "metric": metric,
                "mean": own.mean(),
                "baseline_mean": reference.mean(),
                **_t_test(own - reference, test_train_ratio),
                "n_pairs": len(own),
            }
        )
    table = pd.DataFrame(rows)
    table["p_holm"] = _holm(table["p"].to_numpy(dtype=np.float64))
    table["sentence"] = [_sentence(row, len(table)) for _, row in table.iterrows()]
    return table[COLUMNS]


def _paired(results: pd.DataFrame, baseline: str, metric: str) -> pd.DataFrame:
    """Return the scores with one row a pair and one column a method, checked to be complete."""
    missing = [column for column in ("method", *PAIR, metric) if column not in results.columns]
    if missing:
        raise AliError(f"results need the column {missing[0]!r}; they have {', '.join(map(str, results.columns))}")
    methods = results["method"].unique().tolist()
    if baseline not in methods or len(methods) < 2:
        raise AliError(
            f"results need the baseline {baseline!r} and another method; got {', '.join(map(str, methods)) or 'none'}"
        )
    twice = results[results.duplicated(["method", *PAIR])]
    if len(twice):
        raise AliError(f"every run may occur once; {_run(twice.iloc[0])} occurs again: remove or average it")
    values = pd.to_numeric(results[metric], errors="coerce")
    unusable = results[~np.isfinite(values.to_numpy(dtype=np.float64))]
    if len(unusable):
        raise AliError(
            f"{metric} must be a finite number; it is not for {_run(unusable.iloc[0])}: repeat or remove the run"
        )
    scores = results.assign(**{metric: values}).pivot(index=PAIR, columns="method", values=metric)[methods]
    lacking = [
        f"{method} on fold {fold}, seed {seed}"
        for method in methods
        for fold, seed in scores.index[scores[method].isna()]
    ]
    if lacking:
        raise AliError(f"methods are compared on the same folds and seeds; missing: {'; '.join(lacking)}")
    if len(scores) < 2:
        raise AliError("an interval needs at least two pairs of fold and seed; got 1")
    return scores


def _run(row: "pd.Series[Any]") -> str:
    return f"{row['method']} on fold {row['fold']}, seed {row['seed']}"


def _t_test(differences: NDArray[np.float64], test_train_ratio: float) -> dict[str, float]:
    n_pairs = len(differences)
    mean = float(differences.mean())
    error = float(np.sqrt((1 / n_pairs + test_train_ratio) * differences.var(ddof=1)))
    half = float(stats.t.ppf(0.975, n_pairs - 1)) * error
    alike = error == 0  # every pair differs by the same amount
    p = float(mean == 0) if alike else float(2 * stats.t.sf(abs(mean) / error, n_pairs - 1))
    return {"difference": mean, "low": mean - half, "high": mean + half, "p": p}


def _holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Holm's adjusted p: the k-th smallest of m times m - k + 1, never falling, at most 1."""
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return adjusted


def _sentence(row: "pd.Series[Any]", n_comparisons: int) -> str:
    p, holm = _p_in_words(row["p"]), _p_in_words(row["p_holm"])
    among = f"; {holm} among {n_comparisons} comparisons (Holm)" if n_comparisons > 1 else ""
    return (
        f"{row['method']} {row['mean']:.3f} against {row['baseline']} {row['baseline_mean']:.3f}: "
        f"{row['metric']} {row['difference']:+.3f} (95 % interval {row['low']:+.3f} to {row['high']:+.3f}), "
        f"{p} over {row['n_pairs']} pairs{among}"
    )


def _p_in_words(p: float) -> str:
    return "p < .001" if p < 0.001 else f"p = {p:.3f}"
