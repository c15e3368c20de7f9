"""Classification scores of an embedding, and paired comparisons of methods."""

from ali_core.evaluation.comparison import compare_methods
from ali_core.evaluation.scores import ClassificationScores
from ali_core.evaluation.svm import svm_scores
from ali_core.evaluation.svm_search import SvmGrid, SvmSearch, search_svm

__all__ = ["ClassificationScores", "SvmGrid", "SvmSearch", "compare_methods", "search_svm", "svm_scores"]
