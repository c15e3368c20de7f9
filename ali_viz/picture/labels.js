// Where names stand beside what they name: pure arithmetic, in pixels of a pane.

/** @typedef {[number, number]} Point */
/** @typedef {{x: number, y: number, width: number, height: number}} Rectangle its middle, and its sides */

const GAPS = [0, 10, 22, 36, 52];
const ROUND = Array.from({ length: 12 }, (_, k) => (k * Math.PI) / 6);
const FARTHEST = 60; // pixels from a name to what it names

/** @param {Rectangle} a @param {Rectangle} b @returns {boolean} whether they share an inner point */
export function overlap(a, b) {
  return 2 * Math.abs(a.x - b.x) < a.width + b.width && 2 * Math.abs(a.y - b.y) < a.height + b.height;
}

/** @param {Rectangle} box @param {Point} point @returns {number} how far the point is from the rectangle, 0 within it */
export function gapBetween(box, [x, y]) {
  return Math.hypot(Math.max(Math.abs(box.x - x) - box.width / 2, 0), Math.max(Math.abs(box.y - y) - box.height / 2, 0));
}

/** Move a rectangle into the room; what is larger than the room is left in its middle. */
function inside(box, room) {
  const held = (value, size, length) =>
    size >= length ? length / 2 : Math.min(Math.max(value, size / 2), length - size / 2);
  return { ...box, x: held(box.x, box.width, room.width), y: held(box.y, box.height, room.height) };
}

/**
 * Give each label the free place nearest to its anchor, the first label first.
 * @param {{anchor: Point, width: number, height: number}[]} labels the most important first
 * @param {{width: number, height: number}} room
 * @param {Rectangle[]} obstacles to keep clear of
 * @returns {(Rectangle | null)[]} null for a label without a free place near its anchor; all lie in the room, and none overlap
 */
export function labelPlaces(labels, room, obstacles) {
  const taken = [...obstacles];
  return labels.map(({ anchor, width, height }) => {
    if (width > room.width || height > room.height) return null;
    const [x, y] = anchor;
    const around = GAPS.flatMap((gap) =>
      ROUND.map((angle) => [x + (width / 2 + gap) * Math.cos(angle), y + (height / 2 + gap) * Math.sin(angle)])
    );
    const cost = (box) => gapBetween(box, anchor) + Math.hypot(box.x - x, box.y - y) / 4;
    const tried = [[x, y], ...around]
      .map(([left, top]) => inside({ x: left, y: top, width, height }, room))
      .filter((box) => gapBetween(box, anchor) <= FARTHEST)
      .sort((a, b) => cost(a) - cost(b));
    const place = tried.find((box) => !taken.some((other) => overlap(box, other))) ?? null;
    if (place !== null) taken.push(place);
    return place;
  });
}

/**
 * Shorten a text in its middle, so that `widthOf` it is at most `most`; both its ends tell classes apart.
 * @param {string} text @param {number} most @param {(text: string) => number} widthOf @returns {string}
 */
export function shortened(text, most, widthOf) {
  if (widthOf(text) <= most) return text;
  let [low, high] = [1, text.length - 1];
  const cut = (kept) => `${text.slice(0, Math.ceil(kept / 2)).trimEnd()}…${text.slice(text.length - Math.floor(kept / 2)).trimStart()}`;
  while (low < high) {
    const kept = Math.ceil((low + high) / 2);
    if (widthOf(cut(kept)) <= most) low = kept;
    else high = kept - 1;
  }
  return cut(low);
}
