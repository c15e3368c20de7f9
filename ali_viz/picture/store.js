// What Python has said is to be seen: one scene, and the arrays that it needs. No screen here.

/** @typedef {[number, number]} Point */
/** @typedef {{parts: (Float32Array | null)[], table: Float64Array}} Layer by class code; the table holds s, x, y of each */
/**
 * @typedef {object} Pane
 * @property {string} title
 * @property {Layer} now
 * @property {Layer | null} old, planned
 * @property {number[][]} arrows code, tail x, tail y, head x, head y, 1 when only planned
 * @property {number[][]} rings code, x, y
 */
/**
 * @typedef {object} Scene
 * @property {number} version
 * @property {Pane[]} panes
 * @property {number[]} limits left, right, bottom, top
 * @property {boolean} equalUnits, names
 * @property {(string | null)[]} axisNames
 * @property {Set<number>} selected
 * @property {Uint8Array[] | null} chosen, tint of each class
 * @property {Uint8Array | null} palette
 * @property {{title: string, range: number[] | null} | null} bar
 * @property {[number, number] | null} marked class code and place within the class
 * @property {{id: number, counts: number[], starts: number[]}} cloud how many points each class has, and where they start
 */

/** @param {DataView} view @param {Function} kind a typed array @returns {any} its numbers, copied where they are not aligned */
function typed(view, kind) {
  const { buffer, byteOffset, byteLength } = view;
  if (byteOffset % kind.BYTES_PER_ELEMENT === 0) return new kind(buffer, byteOffset, byteLength / kind.BYTES_PER_ELEMENT);
  return new kind(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** Sums of the counts before each class. */
const startsOf = (counts) => counts.reduce((starts, count) => [...starts, starts.at(-1) + count], [0]).slice(0, -1);

/** Keeps the arrays by the number that Python has given them. */
export class Store {
  constructor() {
    /** @type {Scene | null} */
    this.scene = null;
    /** @type {Map<number, any>} */
    this.arrays = new Map();
    this.listeners = new Set();
  }

  /**
   * Take in a message; one that is older than what is shown is dropped.
   * @param {any} message @param {DataView[]} buffers @returns {boolean} whether there is a new scene
   */
  receive(message, buffers) {
    if (this.scene !== null && message.version < this.scene.version) return false;
    const before = new Map(this.arrays);
    message.arrays.forEach(({ id, kind }, place) => {
      this.arrays.set(id, typed(buffers[place + 1], kind === "points" ? Float32Array : Uint8Array));
    });
    const scene = this.read(message, typed(buffers[0], Float64Array));
    if (scene === null) {
      this.arrays = before;
      return false;
    }
    this.scene = scene;
    const kept = new Set(message.kept);
    for (const id of [...this.arrays.keys()]) if (!kept.has(id)) this.arrays.delete(id);
    return true;
  }

  /** @returns {Scene | null} null when an array is missing: a page that came in between gets all by itself */
  read(message, rows) {
    if (message.kept.some((id) => !this.arrays.has(id))) return null;
    const { scene, version } = message;
    const { counts } = scene.cloud;
    const starts = startsOf(counts);
    const cloud = { ...scene.cloud, starts };
    const split = (id) =>
      id === null ? null : this.split(id, () => counts.map((n, code) => this.arrays.get(id).subarray(starts[code], starts[code] + n)));
    const layer = (sent) => {
      if (sent === null) return null;
      const parts = counts.map(() => null);
      const table = new Float64Array(3 * counts.length).fill(NaN);
      sent.codes.forEach((code, place) => {
        parts[code] = this.arrays.get(sent.parts[place]);
        table.set(rows.subarray(3 * (sent.at + place), 3 * (sent.at + place) + 3), 3 * code);
      });
      return { parts, table };
    };
    const panes = scene.panes.map((pane) => ({
      ...pane, now: layer(pane.now), old: layer(pane.old), planned: layer(pane.planned),
    }));
    return {
      ...scene, version, cloud, panes,
      selected: new Set(scene.selected),
      chosen: split(scene.chosen),
      tint: split(scene.tint),
      palette: scene.palette === null ? null : this.arrays.get(scene.palette),
    };
  }

  /** @returns {Set<ArrayBufferView>} all arrays of the scene, as they are drawn */
  used() {
    const { panes, chosen, tint } = this.scene;
    const layers = panes.flatMap((pane) => [pane.now, pane.old, pane.planned]);
    return new Set([...layers.flatMap((layer) => layer?.parts ?? []), ...(chosen ?? []), ...(tint ?? [])]);
  }

  /** The pieces of an array, the same ones each time, so that they are sent to the graphics card once. */
  split(id, make) {
    const array = this.arrays.get(id);
    array.pieces ??= make();
    return array.pieces;
  }
}

/** @param {Layer} layer @param {number} code @returns {Point | null} the mean of a class */
export function centerOf(layer, code) {
  const place = [layer.table[3 * code + 1], layer.table[3 * code + 2]];
  return layer.parts[code] !== null && place.every(Number.isFinite) ? place : null;
}

/** @param {Layer} layer @param {number} code @param {number} index within the class @returns {Point | null} */
export function placeOf(layer, code, index) {
  const part = layer.parts[code];
  if (part === null || 2 * index + 1 >= part.length) return null;
  const [scale, x, y] = layer.table.subarray(3 * code, 3 * code + 3);
  const place = [scale * part[2 * index] + x, scale * part[2 * index + 1] + y];
  return place.every(Number.isFinite) ? place : null;
}
