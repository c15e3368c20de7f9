// What a person aims at: the point near a pixel, the points in a lasso. No screen here.

import { pixelsPerUnit, toPixel } from "./camera.js";
import { gridOf, markInside, nearestPoint, packBits, polygonTest } from "./picking.js";

/** @typedef {import("./store.js").Scene} Scene */
/** @typedef {{number: number, box: number[], area: {width: number, height: number}}} Seen a pane as it is drawn */

/** How near a point must be, in pixels. */
export const NEAR = 9;

const grids = new WeakMap();

/** The grid of a part; made when somebody aims at it first. */
function gridFor(part) {
  if (!grids.has(part)) grids.set(part, gridOf(part));
  return grids.get(part);
}

/**
 * From points of a part to pixels of a pane: ax, ay, bx, by.
 * @param {Float64Array} table s, x, y of each class @param {number} code @param {Seen} seen
 */
export function pixelMap(table, code, { box, area }) {
  const [scale, x, y] = table.subarray(3 * code, 3 * code + 3);
  const [across, up] = pixelsPerUnit(box, area);
  return [scale * across, -scale * up, ...toPixel(box, area, [x, y])];
}

/** The last point of a class that is contracted to one spot, if that is near. */
function oneSpot([dx, dy], part) {
  const distance = Math.hypot(dx, dy) / NEAR;
  return distance <= 1 ? { index: part.length / 2 - 1, distance } : null;
}

/**
 * The point nearest to a pixel, of equally near ones that which lies on top.
 * @param {Scene} scene @param {Seen} seen @param {number[]} order in which classes are drawn @param {[number, number]} at
 * @returns {{code: number, index: number, number: number} | null} class, place within it, and number in the cloud
 */
export function pointAt(scene, seen, order, at) {
  const { parts, table } = scene.panes[seen.number].now;
  let best = null;
  for (const code of order) {
    if (parts[code] === null) continue;
    const [ax, ay, bx, by] = pixelMap(table, code, seen);
    const radii = [NEAR / Math.abs(ax), NEAR / Math.abs(ay)];
    const place = [(at[0] - bx) / ax, (at[1] - by) / ay];
    const found = ax === 0 ? oneSpot([at[0] - bx, at[1] - by], parts[code]) : nearestPoint(gridFor(parts[code]), parts[code], place, radii);
    if (found !== null && (best === null || found.distance <= best.distance)) best = { ...found, code };
  }
  return best && { ...best, number: scene.cloud.starts[best.code] + best.index };
}

/**
 * Which points of a pane a polygon of pixels holds.
 * @param {Scene} scene @param {Seen} seen @param {[number, number][]} polygon @returns {Uint8Array} a bit for each point of the cloud
 */
export function pointsIn(scene, seen, polygon) {
  const { parts, table } = scene.panes[seen.number].now;
  const marks = new Uint8Array(scene.cloud.counts.reduce((sum, count) => sum + count, 0));
  const test = polygonTest(polygon);
  parts.forEach((part, code) => {
    if (part !== null) markInside(part, pixelMap(table, code, seen), test, marks, scene.cloud.starts[code]);
  });
  return packBits(marks);
}
