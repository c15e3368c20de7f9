// What a person does with mouse, pen and keys, told as intents; nothing is changed here.

/** @typedef {[number, number]} Point */
/** @typedef {"replace" | "add" | "remove"} How */
/**
 * @typedef {object} Intents Who is told; places are pixels of a pane.
 * @property {(pane: number, outline: Point[]) => void} outline a lasso or box being drawn; empty when it is over
 * @property {(pane: number, polygon: Point[], how: How) => void} lasso
 * @property {(pane: number, from: Point, to: Point) => void} frame a box to zoom into
 * @property {(pane: number, shift: Point) => void} pan
 * @property {(pane: number | null, factor: number, at: Point | null) => void} zoom
 * @property {() => void} reset, clear, motion
 * @property {(pane: number, at: Point, how: How) => void} click
 * @property {(code: number, how: How) => void} name
 * @property {(code: number, pane: number, shift: Point, dropped: boolean) => void} ring
 * @property {(code: number) => void} release a ring goes back to where it was
 * @property {(pane: number, at: Point | null) => void} hover
 * @property {(tool: string) => void} tool
 */

export const TOOLS = { lasso: "l", box: "b", pan: "p", zoom: "z" };
const STILL = 4;
const STEP = 10;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @param {{altKey: boolean, shiftKey: boolean, ctrlKey: boolean, metaKey: boolean}} event @returns {How} */
export function howOf(event) {
  return event.altKey ? "remove" : event.shiftKey || event.ctrlKey || event.metaKey ? "add" : "replace";
}

/** @param {Point} a @param {Point} b @returns {Point[]} the corners of the box between two of them */
export function boxBetween(a, b) {
  return [[a[0], a[1]], [b[0], a[1]], [b[0], b[1]], [a[0], b[1]]];
}

const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];

/**
 * Listen to a picture.
 * @param {HTMLElement} root that has the focus and holds the panes (`[data-pane]`), names and rings
 * @param {() => {tool: string, areas: {x: number, y: number, width: number, height: number}[]}} look
 * @param {Intents} tell @param {AbortSignal} signal that ends it
 */
export function listen(root, look, tell, signal) {
  const on = (name, handler) => root.addEventListener(name, handler, { signal, passive: false });
  /** @type {any} what the pressed button does */
  let drag = null;
  /** @type {{pane: number, at: Point, corner: Point | null} | null} the crosshair of the keyboard */
  let cross = null;

  const within = (event) => minus([event.clientX, event.clientY], [root.getBoundingClientRect().x, root.getBoundingClientRect().y]);
  const local = (place, pane) => minus(place, [look().areas[pane].x, look().areas[pane].y]);
  const paneAt = ([x, y]) => look().areas.findIndex((a) => x >= a.x && y >= a.y && x <= a.x + a.width && y <= a.y + a.height);
  const aimed = (event, kind) => event.target.closest?.(`[data-${kind}]`)?.getAttribute(`data-${kind}`);

  on("pointerdown", (event) => {
    if (event.target.closest(".ali-picture-tools")) return;
    const place = within(event);
    const pane = paneAt(place);
    if (pane < 0) return;
    root.focus({ preventScroll: true });
    event.preventDefault();
    const [ring, name] = [aimed(event, "ring"), aimed(event, "name")];
    const does = event.button !== 0 ? "pan" : ring !== undefined ? "ring" : look().tool;
    drag = { does, pane, start: place, last: place, path: [local(place, pane)], far: false, ring: Number(ring), name };
    root.setPointerCapture(event.pointerId);
  });

  on("pointermove", (event) => {
    const place = within(event);
    if (drag === null) {
      const pane = event.target.closest(".ali-picture-tools") ? -1 : paneAt(place);
      tell.hover(Math.max(pane, 0), pane < 0 ? null : local(place, pane));
      return;
    }
    drag.far ||= Math.hypot(...minus(place, drag.start)) > STILL;
    if (!drag.far) return;
    tell.hover(drag.pane, null);
    const at = local(place, drag.pane);
    if (drag.does === "pan") tell.pan(drag.pane, minus(place, drag.last));
    else if (drag.does === "ring") tell.ring(drag.ring, drag.pane, minus(place, drag.start), false);
    else if (drag.does === "lasso") {
      if (Math.hypot(...minus(at, drag.path.at(-1))) >= 2) drag.path.push(at);
      tell.outline(drag.pane, drag.path);
    } else tell.outline(drag.pane, boxBetween(drag.path[0], at));
    drag.last = place;
  });

  const finish = (event) => {
    if (drag === null) return;
    const { does, pane, start, far, path, ring, name } = drag;
    const at = local(within(event), pane);
    drag = null;
    tell.outline(pane, []);
    if (!far) {
      if (event.button !== 0) return;
      if (name !== undefined) tell.name(Number(name), howOf(event));
      else if (does !== "ring") tell.click(pane, at, howOf(event));
    } else if (does === "ring") tell.ring(ring, pane, minus(within(event), start), true);
    else if (does === "lasso") tell.lasso(pane, [...path, at], howOf(event));
    else if (does === "box") tell.lasso(pane, boxBetween(path[0], at), howOf(event));
    else if (does === "zoom") tell.frame(pane, path[0], at);
  };
  on("pointerup", finish);
  const giveUp = () => {
    if (drag?.does === "ring") tell.release(drag.ring);
    if (drag !== null) tell.outline(drag.pane, []);
    drag = null;
  };
  on("pointercancel", giveUp);
  on("pointerleave", () => drag === null && tell.hover(0, null));
  on("contextmenu", (event) => event.preventDefault());
  on("dblclick", (event) => aimed(event, "name") === undefined && !event.target.closest(".ali-picture-tools") && tell.clear());
  on("wheel", (event) => {
    const place = within(event);
    const pane = paneAt(place);
    if (pane < 0) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 * event.deltaY : event.deltaY;
    tell.zoom(pane, Math.exp(-Math.max(Math.min(lines, 200), -200) / 400), local(place, pane));
  });

  const showCross = () => {
    const { pane, at, corner } = cross;
    const outline = corner === null ? [[at[0] - 9, at[1]], [at[0] + 9, at[1]], at, [at[0], at[1] - 9], [at[0], at[1] + 9], at] : boxBetween(corner, at);
    tell.outline(pane, outline);
    tell.hover(pane, at);
  };
  const endCross = () => {
    if (cross === null) return false;
    tell.outline(cross.pane, []);
    tell.hover(cross.pane, null);
    cross = null;
    return true;
  };
  const crossKey = (event) => {
    const { pane, at, corner } = cross;
    if (event.key in ARROWS) {
      const area = look().areas[pane];
      const far = event.shiftKey ? 5 * STEP : STEP;
      const moved = [at[0] + far * ARROWS[event.key][0], at[1] + far * ARROWS[event.key][1]];
      cross.at = [Math.min(Math.max(moved[0], 0), area.width), Math.min(Math.max(moved[1], 0), area.height)];
    } else if (event.key === "Tab" && !event.shiftKey && pane + 1 < look().areas.length) cross = { pane: pane + 1, at, corner: null };
    else if (event.key === "Enter") tell.click(pane, at, howOf(event));
    else if (event.key === " " && corner === null) cross.corner = at;
    else if (event.key === " ") {
      cross.corner = null;
      tell.lasso(pane, boxBetween(corner, at), howOf(event));
    } else return false;
    showCross();
    return true;
  };
  const pushed = new Map();
  const ringKey = (event, code) => {
    const pane = Number(event.target.closest("svg").querySelector("[data-pane]").getAttribute("data-pane"));
    const shift = pushed.get(code) ?? [0, 0];
    if (event.key in ARROWS) {
      const far = event.shiftKey ? 1 : STEP;
      pushed.set(code, [shift[0] + far * ARROWS[event.key][0], shift[1] + far * ARROWS[event.key][1]]);
      tell.ring(code, pane, pushed.get(code), false);
      return true;
    }
    if (!pushed.has(code) || !["Enter", "Escape"].includes(event.key)) return false;
    pushed.delete(code);
    if (event.key === "Enter") tell.ring(code, pane, shift, true);
    else tell.release(code);
    return true;
  };
  const plainKey = (event) => {
    const [ring, name] = [aimed(event, "ring"), aimed(event, "name")];
    if (ring !== undefined && ringKey(event, Number(ring))) return true;
    if (name !== undefined && (event.key === "Enter" || event.key === " ")) {
      tell.name(Number(name), howOf(event));
      return true;
    }
    if (event.key === "Escape") {
      if (drag !== null) giveUp();
      else if (endCross()) tell.forget();
      else tell.clear();
      return true;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key in ARROWS) tell.pan(0, ARROWS[event.key].map((way) => -4 * STEP * way));
    else if (event.key === "+" || event.key === "=") tell.zoom(null, 1.25, null);
    else if (event.key === "-") tell.zoom(null, 0.8, null);
    else if (event.key === "0" || event.key === "Home") tell.reset();
    else if (event.key.toLowerCase() === "m") tell.motion();
    else if (event.key.toLowerCase() === "c") {
      const [{ width, height }] = look().areas;
      cross = { pane: 0, at: [width / 2, height / 2], corner: null };
      showCross();
    } else {
      const tool = Object.keys(TOOLS).find((known) => TOOLS[known] === event.key.toLowerCase());
      if (tool === undefined) return false;
      tell.tool(tool);
    }
    return true;
  };
  on("keydown", (event) => {
    if ((cross !== null && event.key !== "Escape" && crossKey(event)) || plainKey(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  });
  on("focusout", (event) => root.contains(event.relatedTarget) || endCross());
}
