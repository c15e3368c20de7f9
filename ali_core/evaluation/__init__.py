"""How well an embedding is classified, and what the score was computed on."""

from ali_core.evaluation.svm import svm_scores

__all__ = ["svm_scores"]
