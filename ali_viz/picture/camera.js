// What part of the plane a pane shows: pure arithmetic.
// A box is [left, right, bottom, top] in data; pixels of a pane run from its upper left corner.

/** @typedef {[number, number, number, number]} Box */
/** @typedef {[number, number]} Point */
/** @typedef {{width: number, height: number}} Size */

/**
 * What is visible of a pane of this size that has to hold `box`; with equal units one side is widened.
 * @param {Box} box @param {Size} size @param {boolean} equalUnits @returns {Box}
 */
export function visibleBox(box, size, equalUnits) {
  if (!equalUnits) return box;
  const [left, right, bottom, top] = box;
  const unit = Math.max((right - left) / size.width, (top - bottom) / size.height);
  const [x, y] = [(left + right) / 2, (bottom + top) / 2];
  const [half, tall] = [(unit * size.width) / 2, (unit * size.height) / 2];
  return [x - half, x + half, y - tall, y + tall];
}

/** @param {Box} box @param {Size} size @returns {Point} pixels for one unit of data along x and y */
export function pixelsPerUnit(box, size) {
  return [size.width / (box[1] - box[0]), size.height / (box[3] - box[2])];
}

/** @param {Box} box @param {Size} size @param {Point} place @returns {Point} the pixel of a place in data */
export function toPixel(box, size, place) {
  const [across, up] = pixelsPerUnit(box, size);
  return [(place[0] - box[0]) * across, (box[3] - place[1]) * up];
}

/** @param {Box} box @param {Size} size @param {Point} pixel @returns {Point} the place in data of a pixel */
export function toData(box, size, pixel) {
  const [across, up] = pixelsPerUnit(box, size);
  return [box[0] + pixel[0] / across, box[3] - pixel[1] / up];
}

/**
 * The box after a zoom that leaves the place `fixed` where it is on the screen.
 * @param {Box} box @param {number} factor above 1 comes nearer @param {Point} fixed @returns {Box}
 */
export function zoomedBox(box, factor, fixed) {
  const near = (value, about) => about + (value - about) / factor;
  return [near(box[0], fixed[0]), near(box[1], fixed[0]), near(box[2], fixed[1]), near(box[3], fixed[1])];
}

/** @param {Box} box @param {Size} size @param {Point} shift in pixels, as the hand moves @returns {Box} */
export function pannedBox(box, size, shift) {
  const [across, up] = pixelsPerUnit(box, size);
  const [dx, dy] = [shift[0] / across, shift[1] / up];
  return [box[0] - dx, box[1] - dx, box[2] + dy, box[3] + dy];
}

/** @param {Box} from @param {Box} to @param {number} share 0 to 1 @returns {Box} */
export function mixedBox(from, to, share) {
  return /** @type {Box} */ (from.map((value, side) => value + share * (to[side] - value)));
}

/** @param {Box} box @returns {boolean} whether it can be drawn: finite, and neither empty nor beyond the numbers */
export function isDrawable(box) {
  const [width, height] = [box[1] - box[0], box[3] - box[2]];
  const large = Math.max(...box.map(Math.abs));
  return box.every(Number.isFinite) && width > 1e-12 * large && height > 1e-12 * large && width < 1e300;
}

/**
 * Round numbers between two ends, for the labels of an axis.
 * @param {number} low @param {number} high @param {number} most @returns {number[]}
 */
export function ticks(low, high, most) {
  const rough = (high - low) / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((multiple) => multiple * power >= rough) ?? 10);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high && found.length <= most; k++) found.push(k * step);
  return found;
}

/** @param {number} value @param {number} step between neighbouring ticks @returns {string} */
export function tickText(value, step) {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) return value.toExponential(1).replace("-", "−");
  const digits = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
  return (Math.abs(value) < step / 1e6 ? 0 : value).toFixed(digits).replace("-", "−");
}

const GAP = 8;

/**
 * Where the panes are, row by row: beside each other, or in more rows where the box then gets larger. An arrangement
 * stays until another shows the box more than 15 % larger, so that panes do not jump to and fro.
 * @param {number} count @param {Size} size of the whole picture
 * @param {[boolean, boolean]} labelled whether there are numbers below and to the left
 * @param {Size} box that every pane holds with equal units
 * @param {{y: number}[]} before where the panes were; empty at first
 * @returns {{x: number, y: number, width: number, height: number}[]}
 */
export function paneAreas(count, size, labelled, box, before) {
  const [left, bottom] = [labelled[1] ? 42 : 0, labelled[0] ? 18 : 0];
  const grid = (columns) => {
    const rows = Math.ceil(count / columns);
    const width = Math.max((size.width - left - GAP * (columns - 1)) / columns, 1);
    const height = Math.max((size.height - bottom - GAP * (rows - 1)) / rows, 1);
    return { columns, width, height, unit: Math.min(width / box.width, height / box.height) };
  };
  const grids = Array.from({ length: count }, (_, k) => grid(count - k));
  const held = before.length === count ? grid(before.filter(({ y }) => y === 0).length) : grids[0];
  const { columns, width, height } = grids.reduce((best, other) => (other.unit > 1.15 * best.unit ? other : best), held);
  return Array.from({ length: count }, (_, k) => ({
    x: left + (k % columns) * (width + GAP),
    y: Math.floor(k / columns) * (height + GAP),
    width,
    height,
  }));
}
