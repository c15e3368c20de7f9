// Which points are near the mouse or in a lasso: pure arithmetic on parts, arrays x, y, x, y, … within [-1, 1].

/** @typedef {[number, number]} Point */
/** @typedef {{side: number, starts: Uint32Array, items: Uint32Array}} Grid */

const PER_CELL = 4;
const MOST_CELLS = 512;

/** Cell of a coordinate within [-1, 1], from 0. */
const cellAt = (value, side) => Math.min(Math.max(Math.floor(((value + 1) / 2) * side), 0), side - 1);

/**
 * Sort the points of a part into the cells of a square grid; points without a place are left out.
 * @param {Float32Array} points @returns {Grid}
 */
export function gridOf(points) {
  const count = points.length / 2;
  const side = Math.min(Math.max(Math.ceil(Math.sqrt(count / PER_CELL)), 1), MOST_CELLS);
  const starts = new Uint32Array(side * side + 1);
  const cells = new Int32Array(count);
  let known = 0;
  for (let k = 0; k < count; k++) {
    const [x, y] = [points[2 * k], points[2 * k + 1]];
    cells[k] = x === x && y === y ? cellAt(y, side) * side + cellAt(x, side) : -1;
    if (cells[k] < 0) continue;
    starts[cells[k] + 1]++;
    known++;
  }
  for (let cell = 0; cell < side * side; cell++) starts[cell + 1] += starts[cell];
  const items = new Uint32Array(known);
  const next = starts.slice();
  for (let k = 0; k < count; k++) if (cells[k] >= 0) items[next[cells[k]]++] = k;
  return { side, starts, items };
}

/**
 * The point nearest to (x, y) within an ellipse with the half-axes rx, ry, which also measure nearness; null for none.
 * Of equally near ones the last, which lies on top.
 * @param {Grid} grid @param {Float32Array} points @param {Point} place @param {Point} radii
 * @returns {{index: number, distance: number} | null} distance as a part of the half-axes
 */
export function nearestPoint(grid, points, [x, y], [rx, ry]) {
  const [left, right] = [cellAt(x - rx, grid.side), cellAt(x + rx, grid.side)];
  const [bottom, top] = [cellAt(y - ry, grid.side), cellAt(y + ry, grid.side)];
  let [best, index] = [1, -1];
  for (let row = bottom; row <= top; row++) {
    const end = grid.starts[row * grid.side + right + 1];
    for (let k = grid.starts[row * grid.side + left]; k < end; k++) {
      const item = grid.items[k];
      const [dx, dy] = [(points[2 * item] - x) / rx, (points[2 * item + 1] - y) / ry];
      const square = dx * dx + dy * dy;
      if (square < best || (square === best && item > index)) [best, index] = [square, item];
    }
  }
  return index < 0 ? null : { index, distance: Math.sqrt(best) };
}

/**
 * A test whether a place is in a polygon (even-odd); edges are kept by rows, so that few are looked at for a point.
 * @param {Point[]} polygon @returns {(x: number, y: number) => boolean}
 */
export function polygonTest(polygon) {
  const ys = polygon.map((corner) => corner[1]);
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  const rows = Math.max(Math.min(polygon.length, 256), 1);
  const rowOf = (y) => Math.min(Math.max(Math.floor(((y - low) / (high - low || 1)) * rows), 0), rows - 1);
  const edges = Array.from({ length: rows }, () => []);
  polygon.forEach((a, k) => {
    const b = polygon[(k + 1) % polygon.length];
    if (a[1] === b[1]) return;
    const [first, last] = [rowOf(Math.min(a[1], b[1])), rowOf(Math.max(a[1], b[1]))];
    for (let row = first; row <= last; row++) edges[row].push([a[0], a[1], b[0], b[1]]);
  });
  return (x, y) => {
    if (!(y >= low && y <= high)) return false;
    let inside = false;
    for (const [ax, ay, bx, by] of edges[rowOf(y)])
      if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
    return inside;
  };
}

/**
 * Mark in `marks`, from `start` on, which points of a part a test holds for, after x' = a·x + b in both coordinates.
 * @param {Float32Array} points @param {[number, number, number, number]} map ax, ay, bx, by
 * @param {(x: number, y: number) => boolean} test @param {Uint8Array} marks @param {number} start
 */
export function markInside(points, [ax, ay, bx, by], test, marks, start) {
  for (let k = 0; 2 * k < points.length; k++)
    if (test(ax * points[2 * k] + bx, ay * points[2 * k + 1] + by)) marks[start + k] = 1;
}

/** @param {Uint8Array} marks zeros and ones @returns {Uint8Array} eight in a byte, the first is the highest bit */
export function packBits(marks) {
  const bytes = new Uint8Array(Math.ceil(marks.length / 8));
  for (let k = 0; k < marks.length; k++) if (marks[k]) bytes[k >> 3] |= 128 >> (k & 7);
  return bytes;
}
