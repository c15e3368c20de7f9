// How the points of a scene look: which batches are drawn in a pane, in which order. No screen here.

import { cellOf } from "./shapes.js";

const ALL = 0.8;
const CHOSEN = 0.95;
const OTHERS = 0.12;
const [MUTED, OLD] = ["#8a8f99", 0.18]; // seen on white and on black
const PLANNED = 0.4; // the step just taken is seen through it
const CROWDS = [2500, 10000, 50000, 300000];

/** @param {string} hex "#rrggbb" @param {number} alpha @returns {number[]} red, green, blue, alpha, 0 to 1 */
export function rgba(hex, alpha) {
  return [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16) / 255).concat(alpha);
}

/** @param {number} count of points in a pane @returns {number} the size of a point in CSS pixels */
export function pointSize(count) {
  return 6 - CROWDS.filter((crowd) => count > crowd).length;
}

/**
 * From points of a part to the clip space of a pane, [-1, 1]².
 * @param {Float64Array} table s, x, y of each class @param {number} code @param {number[]} box left, right, bottom, top
 */
export function clipMap(table, code, [left, right, bottom, top]) {
  const [scale, x, y] = table.subarray(3 * code, 3 * code + 3);
  const [width, height] = [right - left, top - bottom];
  return [(2 * scale) / width, (2 * scale) / height, (2 * (x - left)) / width - 1, (2 * (y - bottom)) / height - 1];
}

/**
 * The batches of one pane, from below to the top.
 * @param {import("./store.js").Scene} scene @param {number} number of the pane @param {number[]} box that it shows
 * @param {import("./store.js").Pane | null} before what the pane showed before, while it moves
 * @param {{classes: {colour: string, shape: string, filled: boolean, rimmed: boolean}[], order: number[]}} style
 * @returns {import("./points.js").Batch[]}
 */
export function batchesOf(scene, number, box, before, { classes, order }) {
  const pane = scene.panes[number];
  const size = pointSize(scene.cloud.counts.reduce((sum, count) => sum + count, 0));
  const { selected, chosen, tint } = scene;
  const still = (layer, code, look) => {
    const map = clipMap(layer.table, code, box);
    const part = layer.parts[code];
    return { from: part, to: part, fromMap: map, toMap: map, cell: cellOf(classes[code].shape), rimmed: classes[code].rimmed, tint: null, chosen: null, ...look };
  };
  const moving = (code) => {
    const strong = chosen !== null || selected.has(code);
    const alpha = strong ? CHOSEN : selected.size ? OTHERS : ALL;
    const batch = still(pane.now, code, {
      hollow: !classes[code].filled,
      size: size + (strong ? 1 : 0),
      colour: rgba(classes[code].colour, alpha),
      tint: tint?.[code] ?? null,
      chosen: chosen?.[code] ?? null,
    });
    const from = before?.now.parts[code] ?? null;
    if (from === null || from.length !== batch.to.length) return batch;
    return { ...batch, from, fromMap: clipMap(before.now.table, code, box) };
  };
  const there = (layer) => (layer === null ? [] : order.filter((code) => layer.parts[code] !== null));
  const faintFirst = there(pane.now).sort((a, b) => selected.has(a) - selected.has(b));
  return [
    ...there(pane.old).map((code) => still(pane.old, code, { hollow: true, rimmed: false, size, colour: rgba(MUTED, OLD) })),
    ...faintFirst.map(moving),
    ...there(pane.planned).map((code) =>
      still(pane.planned, code, { hollow: true, size: size + 1, colour: rgba(classes[code].colour, PLANNED) })
    ),
  ];
}

/**
 * The scene with the points of the classes that are being dragged where they are held, hollow.
 * @param {import("./store.js").Scene} scene @param {Map<number, [number, number]>} dragged places in data by class code
 * @returns {import("./store.js").Scene}
 */
export function withDragged(scene, dragged) {
  if (dragged.size === 0) return scene;
  const panes = scene.panes.map((pane) => {
    const codes = pane.rings.map(([code]) => code).filter((code) => dragged.has(code) && pane.now.parts[code] !== null);
    if (codes.length === 0) return pane;
    const planned = { parts: pane.now.parts.map(() => null), table: pane.now.table.slice() };
    for (const code of codes) {
      planned.parts[code] = pane.now.parts[code];
      planned.table.set(dragged.get(code), 3 * code + 1);
    }
    return { ...pane, planned };
  });
  return { ...scene, panes };
}
