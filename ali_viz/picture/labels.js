// Where names stand beside what they name: pure arithmetic, in pixels of a pane.

/** @typedef {[number, number]} Point */
/** @typedef {{x: number, y: number, width: number, height: number}} Rectangle its middle, and its sides */

const RINGS = [1, 1.6, 2.4, 3.4];
const ROUND = [-90, 90, 0, 180, -45, -135, 45, 135].map((degrees) => (degrees * Math.PI) / 180);
const GAP = 10;

/** @param {Rectangle} a @param {Rectangle} b @returns {boolean} whether they share an inner point */
export function overlap(a, b) {
  return 2 * Math.abs(a.x - b.x) < a.width + b.width && 2 * Math.abs(a.y - b.y) < a.height + b.height;
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
 * @returns {(Rectangle | null)[]} null for a label without a free place; all lie in the room, and none overlap
 */
export function labelPlaces(labels, room, obstacles) {
  const taken = [...obstacles];
  return labels.map(({ anchor, width, height }) => {
    if (width > room.width || height > room.height) return null;
    const [x, y] = anchor;
    const around = RINGS.flatMap((ring) =>
      ROUND.map((angle) => [
        x + ((ring * (width + GAP)) / 2) * Math.cos(angle),
        y + ((ring * (height + GAP)) / 2) * Math.sin(angle),
      ])
    );
    const tried = [[x, y], ...around]
      .map(([left, top]) => inside({ x: left, y: top, width, height }, room))
      .sort((a, b) => Math.hypot(a.x - x, a.y - y) - Math.hypot(b.x - x, b.y - y));
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
