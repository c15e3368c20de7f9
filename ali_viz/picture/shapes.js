// The atlas of marker shapes: one row of cells, in each a shape as a filled area (red), as an
// outline (green), and a rim around it (blue).

const TAU = 2 * Math.PI;

/** Edge of a cell in pixels; a shape fills 7/8 of it, so that neighbours do not bleed into each other. */
export const CELL = 64;

/** @param {number} n corners @param {number} start angle of the first, upwards is 0 @param {number} inner radius of the notches */
function corners(n, start = 0, inner = 1) {
  const count = inner === 1 ? n : 2 * n;
  return Array.from({ length: count }, (_, k) => {
    const angle = start + (TAU * k) / count;
    const radius = inner !== 1 && k % 2 ? inner : 1;
    return [radius * Math.sin(angle), -radius * Math.cos(angle)];
  });
}

const turned = (points, angle) =>
  points.map(([x, y]) => [x * Math.cos(angle) - y * Math.sin(angle), x * Math.sin(angle) + y * Math.cos(angle)]);

const ARM = 0.36;
const CROSS = [
  [-ARM, -1], [ARM, -1], [ARM, -ARM], [1, -ARM], [1, ARM], [ARM, ARM],
  [ARM, 1], [-ARM, 1], [-ARM, ARM], [-1, ARM], [-1, -ARM], [-ARM, -ARM],
];
const SQUARE = [[-0.82, -0.82], [0.82, -0.82], [0.82, 0.82], [-0.82, 0.82]];

/** Corners of every shape within [-1, 1]², y downwards, by the name that Python gives it; null is the circle. */
export const SHAPES = {
  circle: null,
  square: SQUARE,
  diamond: corners(4),
  "triangle-up": corners(3),
  "triangle-down": corners(3, TAU / 2),
  cross: CROSS,
  x: turned(CROSS, TAU / 8),
  star: corners(5, 0, 0.42),
  "triangle-left": corners(3, -TAU / 4),
  "triangle-right": corners(3, TAU / 4),
  pentagon: corners(5),
  hexagram: corners(6, 0, 0.577),
};

const NAMES = Object.keys(SHAPES);

/** @param {string} name @returns {number} which cell holds the shape */
export function cellOf(name) {
  return Math.max(NAMES.indexOf(name), 0);
}

/** How many cells the atlas has. */
export const N_CELLS = NAMES.length;

/** @param {string} name @param {number} middle @param {number} radius @returns {Path2D} */
function outline(name, middle, radius) {
  const path = new Path2D();
  const points = SHAPES[name];
  if (points === null) path.arc(middle, middle, radius, 0, TAU);
  else for (const [x, y] of points) path.lineTo(middle + radius * x, middle + radius * y);
  path.closePath();
  return path;
}

/** @returns {HTMLCanvasElement} the atlas, N_CELLS cells wide */
export function drawAtlas() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [CELL * N_CELLS, CELL];
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.globalCompositeOperation = "lighter";
  pen.lineJoin = "round";
  pen.lineWidth = CELL / 8;
  NAMES.forEach((name, place) => {
    const edge = name === "circle" ? 0.36 * CELL : 0.4 * CELL;
    pen.setTransform(1, 0, 0, 1, place * CELL, 0);
    pen.fillStyle = "#f00";
    pen.fill(outline(name, CELL / 2, edge));
    pen.strokeStyle = "#0f0";
    pen.stroke(outline(name, CELL / 2, edge - pen.lineWidth / 4));
    pen.strokeStyle = "#00f";
    pen.stroke(outline(name, CELL / 2, edge + pen.lineWidth / 4));
  });
  return canvas;
}
