"""What a dry run recommends: the criterion for all combinations, strengths and neighbours for each (Table I)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd
import tomli_w

from ali_core.experiments.curve_book import CurveBook, Outcome
from ali_core.experiments.fold_scorer import Space
from ali_core.experiments.sweep_grid import Choice, configuration_name
from ali_core.interventions import InterventionSettings, preset
from ali_core.interventions.settings import STRENGTHS

__all__ = ["Recommendation", "choose_jointly", "criteria_table", "curve_rows", "table_one"]

RUNNERS_UP = 5
CURVE_COLUMNS = [
    *("combination", "space", "sweep", "configuration", *STRENGTHS, "criterion"),
    *("selection", "n_neighbours", "fold", "n_interventions", "oracle_f1", "transfer_f1"),
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Recommendation:
    """The best settings of a combination, and those that come next.

    Parameters
    ----------
    combination
        Its name.
    settings
        Recommended, with as many iterations as the oracle score needed to its maximum.
    outcome
        Theirs.
    untouched_f1
        The score without interventions, mean over the folds.
    others
        The next best of both sweeps, best first, with their outcomes. They may have another criterion, which the
        recommended one must share with the other combinations, and then even be better.
    first, second
        Configurations of the two sweeps.
    """

    combination: str
    settings: InterventionSettings
    outcome: Outcome
    untouched_f1: float
    others: tuple[tuple[InterventionSettings, Outcome], ...]
    first: tuple[str, ...]
    second: tuple[str, ...]

    @classmethod
    def of(
        cls,
        combination: str,
        first: Sequence[InterventionSettings],
        second: Sequence[InterventionSettings],
        book: CurveBook,
    ) -> Self:
        """Rank the second sweep, and the rest behind it."""
        names = tuple(map(configuration_name, first)), tuple(map(configuration_name, second))
        best, outcome = book.ranked(names[1])[0]
        others = {book.settings[best]: outcome}
        for name, found in book.ranked(dict.fromkeys(names[1] + names[0])):
            others.setdefault(book.settings[name], found)
        return cls(
            combination=combination,
            settings=book.settings[best].changed(n_iterations=outcome.n_interventions),
            outcome=outcome,
            untouched_f1=float(book.mean(best, "oracle_f1")[0]),
            others=tuple(others.items())[1 : RUNNERS_UP + 1],
            first=names[0],
            second=names[1],
        )

    def toml(self, space: Space) -> str:
        """Return settings that ``ali train --settings`` takes, and as comments how they and the next best scored."""
        method = "ali" if space == "nd" else "pali"
        lines = [
            f"# First by the paper's ranking in a dry run of {self.combination} in {_SPACES[space]}.",
            "# Neither score has foretold which settings gain most in training: train several, each with its control.",
            f"# {_told(self.settings, self.outcome)}; untouched {self.untouched_f1:.4f}.",
            "# Oracle F1: validation samples moved by their true class. Transfer F1: moved without labels.",
            "# Next best:",
            *(f"#   {_told(settings, outcome)}" for settings, outcome in self.others),
        ]
        chosen = self.settings.model_dump(mode="json")
        content = {"method": method, "preset": self.combination, "interventions": chosen}
        return "\n".join([*lines, "", tomli_w.dumps(content)])


_SPACES: dict[Space, str] = {"nd": "the embedding space", "2d": "a parametric t-SNE"}


def choose_jointly(sweep: Mapping[str, Sequence[InterventionSettings]], book: CurveBook) -> Choice:
    """Return the criterion and selection that are best, or equal to the best, in most combinations.

    What is compared is the best configuration of each, by oracle score and number of interventions; of equally many
    combinations, the first criterion of the sweep.

    Notes
    -----
    The paper determines Ω jointly (Sec. III-F-2) and does not say how.
    """
    wins = dict.fromkeys((_choice(one) for members in sweep.values() for one in members), 0)
    for members in sweep.values():
        ranked = book.ranked(map(configuration_name, members))
        best = ranked[0][1][:2]
        for choice in {_choice(book.settings[name]) for name, outcome in ranked if outcome[:2] == best}:
            wins[choice] += 1
    return max(wins, key=lambda choice: wins[choice])


def criteria_table(recommendations: Mapping[str, Recommendation], book: CurveBook, space: Space) -> pd.DataFrame:
    """Return the best configuration of each combination and criterion, one row each; after a full search only."""
    rows = []
    for found in recommendations.values():
        members = [book.settings[name] for name in found.first if name in book.settings]
        for choice in dict.fromkeys(map(_choice, members)):
            name, outcome = book.ranked(configuration_name(one) for one in members if _choice(one) == choice)[0]
            chosen = choice == _choice(found.settings)
            rows.append(_row(found, space, book.settings[name], outcome) | {"chosen": chosen})
    return pd.DataFrame(rows)


def curve_rows(recommendations: Mapping[str, Recommendation], book: CurveBook, space: Space) -> pd.DataFrame:
    """Return all curves in long form; see :class:`~ali_core.experiments.DryRun`."""
    tables = []
    for found in recommendations.values():
        for sweep, names in (("strengths", found.first), ("neighbours", found.second)):
            table = book.table(name for name in names if name in book.curves)
            tables.append(table.assign(combination=found.combination, space=space, sweep=sweep))
    return pd.concat(tables, ignore_index=True)[CURVE_COLUMNS]


def table_one(recommendations: Mapping[str, Recommendation], space: Space) -> pd.DataFrame:
    """Return Table I of this data with the paper's beside it.

    Returns
    -------
    pandas.DataFrame
        One row a combination and rank: 1 is recommended, the others come next. ``combination``, ``space``, ``rank``,
        the settings, ``oracle_f1``, ``n_interventions``, ``transfer_f1``, ``untouched_f1``, ``behind_f1`` and
        ``behind_interventions`` (differences from rank 1; negative and positive means worse), and for rank 1 the
        settings of the paper as ``paper_…``.
    """
    rows: list[dict[str, Any]] = []
    for found in recommendations.values():
        for rank, (settings, outcome) in enumerate([(found.settings, found.outcome), *found.others], 1):
            row = {"rank": rank} | _row(found, space, settings, outcome)
            row["behind_f1"] = outcome.oracle_f1 - found.outcome.oracle_f1
            row["behind_interventions"] = outcome.n_interventions - found.outcome.n_interventions
            rows.append(row | (_paper(found, space) if rank == 1 else {}))
    table = pd.DataFrame(rows)
    return table[["combination", "space", *table.columns.drop(["combination", "space"])]]


def _row(found: Recommendation, space: Space, settings: InterventionSettings, outcome: Outcome) -> dict[str, Any]:
    fields = (*STRENGTHS, "n_neighbours", "criterion", "selection")
    return {
        "combination": found.combination,
        "space": space,
        **{field: getattr(settings, field) for field in fields},
        "oracle_f1": outcome.oracle_f1,
        "n_interventions": outcome.n_interventions,
        "transfer_f1": outcome.transfer_f1,
        "untouched_f1": found.untouched_f1,
    }


def _paper(found: Recommendation, space: Space) -> dict[str, Any]:
    paper = preset(found.combination, dim=2 if space == "2d" else 256)
    fields = (*STRENGTHS, "n_neighbours", "criterion", "selection", "n_iterations")
    return {f"paper_{field}": getattr(paper, field) for field in fields}


def _told(settings: InterventionSettings, outcome: Outcome) -> str:
    return (
        f"{configuration_name(settings)}: oracle F1 {outcome.oracle_f1:.4f} after {outcome.n_interventions} "
        f"interventions, transfer F1 {outcome.transfer_f1:.4f}"
    )


def _choice(settings: InterventionSettings) -> Choice:
    return settings.criterion, settings.selection
