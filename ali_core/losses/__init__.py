"""Losses for a training loop of your own or ours: tensors in, a scalar out.

Synopsis::

    loss = InterventionLoss(preset("c,s", dim=256), margin=0.2)
    for epoch in range(epochs):
        loss.plan(embed(training_set), labels)              # before each epoch
        for images, codes in loader:
            loss(net(images), codes).backward()
"""

from ali_core.losses.class_weights import inverse_frequency
from ali_core.losses.intervention import InterventionLoss, InterventionTerms, intervention_distance
from ali_core.losses.reduction import merged_over_ranks
from ali_core.losses.triplet import TripletTerms, triplet_margin_loss, triplet_terms

__all__ = [
    "InterventionLoss",
    "InterventionTerms",
    "TripletTerms",
    "intervention_distance",
    "inverse_frequency",
    "merged_over_ranks",
    "triplet_margin_loss",
    "triplet_terms",
]
