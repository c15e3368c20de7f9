"""The paper read word by word: every statistic recomputed from the samples, every map a matrix. Slow; the oracle."""

import numpy as np


def spread_of(points):
    return np.sqrt(np.mean(np.sum((points - points.mean(axis=0)) ** 2, axis=1)) / points.shape[1])


def rotation_matrix(center, neighbour, strength):
    """Eq. 3-4, with the angle that makes 0 the identity and 1 the map of c onto -v_k."""
    n = center / np.linalg.norm(center)
    rest = neighbour - (n @ neighbour) * n
    other = rest / np.linalg.norm(rest)
    between = np.arccos(np.clip(n @ neighbour / np.linalg.norm(neighbour), -1, 1))
    angle = -strength * (np.pi - between)
    first = (np.outer(other, n) - np.outer(n, other)) * np.sin(angle)
    second = (np.outer(n, n) + np.outer(other, other)) * (np.cos(angle) - 1)
    return np.eye(len(center)) + first + second


def shift_vector(center, neighbours, shift_mix):
    away = np.zeros_like(center)
    for k in neighbours:
        away = away + (center - k) / np.linalg.norm(center - k)
    if len(neighbours) < 2:
        return away
    ortho = np.zeros_like(center)
    for j in range(len(neighbours)):
        for k in range(j + 1, len(neighbours)):
            line = neighbours[k] - neighbours[j]
            foot = neighbours[j] + line * ((center - neighbours[j]) @ line) / (line @ line)
            ortho = ortho + (center - foot) / np.linalg.norm(center - foot)
    return shift_mix * away + (1 - shift_mix) * ortho


def scores_of(points, labels, n_classes, criterion):
    centers = np.array([points[labels == c].mean(axis=0) for c in range(n_classes)])
    spreads = [spread_of(points[labels == c]) for c in range(n_classes)]
    scores = []
    for c in range(n_classes):
        distances = [np.linalg.norm(centers[c] - centers[k]) for k in range(n_classes) if k != c]
        terms = {"mean-std": spreads[c] / min(distances), "mean-all": 1 / np.mean(distances)}
        terms["product"] = terms["mean-std"] * terms["mean-all"]
        scores.append(terms[criterion])
    return np.array(scores)


def literal_interventions(vectors, labels, settings):
    """Return the moved samples (N, D), the composed maps [(R, T)] and the classes chosen."""
    labels = np.asarray(labels)
    n_classes = labels.max() + 1
    start = np.asarray(vectors, dtype=np.float64)
    maps = [(np.eye(start.shape[1]), np.zeros(start.shape[1])) for _ in range(n_classes)]
    chosen = []
    for _ in range(settings.n_iterations):
        points = np.empty_like(start)
        for c in range(n_classes):
            points[labels == c] = start[labels == c] @ maps[c][0].T + maps[c][1]
        c = int(np.argmax(scores_of(points, labels, n_classes, settings.criterion)))
        chosen.append(c)
        centers = np.array([points[labels == k].mean(axis=0) for k in range(n_classes)])
        order = np.argsort(np.linalg.norm(centers - centers[c], axis=1), kind="stable")
        neighbours = [centers[k] for k in order if k != c][: settings.n_neighbours]
        own = points[labels == c]
        R, T = maps[c]

        def then(linear, offset, own=own, R=R, T=T):
            return own @ linear.T + offset, linear @ R, linear @ T + offset

        shrink = 1 - settings.contract
        own, R, T = then(shrink * np.eye(len(T)), settings.contract * own.mean(axis=0), own, R, T)
        if settings.rotate:
            total = np.eye(len(T))
            center = own.mean(axis=0)
            for k in neighbours:
                total = rotation_matrix(center, k, settings.rotate) @ total
            own, R, T = then(total, np.zeros(len(T)), own, R, T)
        if settings.shift:
            direction = shift_vector(own.mean(axis=0), neighbours, settings.shift_mix)
            v = settings.shift * spread_of(own) * direction / np.linalg.norm(direction)
            own, R, T = then(np.eye(len(T)), v, own, R, T)
        maps[c] = (R, T)
        factor = norm_factor(start, labels, maps)
        maps = [(R, factor * T) for R, T in maps]
    moved = np.empty_like(start)
    for c in range(n_classes):
        moved[labels == c] = start[labels == c] @ maps[c][0].T + maps[c][1]
    return moved, maps, chosen


def norm_factor(start, labels, maps):
    """The β ≥ 0 with Σ|R x + βT|² = Σ|x|², the coefficients summed over the samples."""
    a = b = linear = 0.0
    for c, (R, T) in enumerate(maps):
        turned = start[labels == c] @ R.T
        a += len(turned) * (T @ T)
        b += float((turned @ T).sum())
        linear += float((turned**2).sum())
    roots = np.roots([a, 2 * b, linear - (start**2).sum()])
    return float(np.max(roots.real))
