"""Points near the mouse and in a lasso, against matplotlib and slow loops."""

import numpy as np
import pytest
from matplotlib.path import Path as Polygon

from tests.ali_viz.picture.conftest import ADDRESS

pytestmark = pytest.mark.browser

INSIDE = """async ([address, polygon, points]) => {
  const { polygonTest, markInside } = await import(`${address}picking.js`);
  const marks = new Uint8Array(points.length / 2 + 1);
  markInside(Float32Array.from(points), [2, -3, 0.5, 0.25], polygonTest(polygon), marks, 1);
  return Array.from(marks);
}"""
NEAREST = """async ([address, points, asked, radii]) => {
  const { gridOf, nearestPoint } = await import(`${address}picking.js`);
  const part = Float32Array.from(points), grid = gridOf(part);
  return asked.map(place => nearestPoint(grid, part, place, radii));
}"""


@pytest.mark.parametrize("corners", [3, 7, 60, 400])
def test_points_in_a_polygon_as_matplotlib_finds_them(page, rng, corners):
    turns, radii = np.sort(rng.uniform(0, 4 * np.pi, corners)), rng.uniform(0.5, 3, corners)
    polygon = np.stack([radii * np.cos(turns), radii * np.sin(turns)], axis=1)
    points = rng.uniform(-1, 1, size=(3000, 2)).astype(np.float32)
    moved = points.astype(np.float64) * [2, -3] + [0.5, 0.25]
    marks = page.evaluate(INSIDE, [ADDRESS, polygon.tolist(), points.ravel().tolist()])
    assert marks[0] == 0
    np.testing.assert_array_equal(np.array(marks[1:], bool), Polygon(polygon).contains_points(moved))


@pytest.mark.parametrize("count", [1, 17, 5000])
def test_the_nearest_point_as_a_slow_loop_finds_it(page, rng, count):
    points = np.clip(0.4 * rng.normal(size=(count, 2)), -1, 1).astype(np.float32)
    points[: count // 10] = np.nan
    asked, radii = rng.uniform(-1.3, 1.3, size=(200, 2)), np.array([0.06, 0.11])
    found = page.evaluate(NEAREST, [ADDRESS, points.ravel().tolist(), asked.tolist(), radii.tolist()])
    some = 0
    for place, answer in zip(asked, found, strict=True):
        far = np.linalg.norm((points - place) / radii, axis=1)
        if not (far <= 1).any():
            assert answer is None
            continue
        some += 1
        assert answer["index"] == np.nanargmin(far)
        assert answer["distance"] == pytest.approx(np.nanmin(far))
    assert some or count == 1


def test_bits_are_packed_as_numpy_unpacks_them(page, rng):
    marks = rng.integers(2, size=1003).tolist()
    script = """async ([address, marks]) =>
      Array.from((await import(`${address}picking.js`)).packBits(Uint8Array.from(marks)))"""
    packed = page.evaluate(script, [ADDRESS, marks])
    np.testing.assert_array_equal(np.unpackbits(np.array(packed, np.uint8), count=1003), marks)
