"""An order of classes for people: neighbours in space stand next to each other."""

import numpy as np

from ali_core.interventions.statistics import ClassStatistics

__all__ = ["distance_order"]


def distance_order(statistics: ClassStatistics) -> list[int]:
    """Return all class codes so that classes with near centers stand next to each other; absent classes come last.

    The leaves of an average-linkage tree of the centers, in the order of its branches that makes the sum of distances
    between successive centers least. Of the two directions, the one that begins with the lower code.

    Parameters
    ----------
    statistics
        Of C classes.

    Returns
    -------
    list of int
        Each code from 0 to C - 1 once.

    Notes
    -----
    Z. Bar-Joseph, D. K. Gifford, T. S. Jaakkola, "Fast optimal leaf ordering for hierarchical clustering", 2001. The
    paper of the method does not order classes.

    Examples
    --------
    >>> import numpy as np
    >>> from ali_core.interventions import ClassStatistics
    >>> vectors = np.array([[0.0], [9.0], [1.0], [8.0]])  # four classes of one sample
    >>> distance_order(ClassStatistics.from_samples(vectors, np.arange(4), n_classes=4))
    [0, 2, 3, 1]
    """
    present, absent = (np.flatnonzero(found).tolist() for found in (statistics.present, ~statistics.present))
    if len(present) > 2:
        from scipy.cluster.hierarchy import leaves_list, linkage  # noqa: PLC0415  # slow to import
        from scipy.spatial.distance import pdist  # noqa: PLC0415

        distances = pdist(statistics.centers[present])
        tree = linkage(distances, method="average", optimal_ordering=True)
        present = [present[leaf] for leaf in leaves_list(tree)]
    if present and present[0] > present[-1]:
        present.reverse()
    return [*present, *absent]
