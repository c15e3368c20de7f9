// One picture on the page: puts camera, points, overlay and gestures together.

import { isDrawable, mixedBox, paneAreas, pannedBox, pixelsPerUnit, toData, toPixel, visibleBox, zoomedBox } from "./camera.js";
import { Tip, html, toolbar } from "./furniture.js";
import { TOOLS, listen } from "./gestures.js";
import { batchesOf } from "./looks.js";
import { Overlay, element } from "./overlay.js";
import { gridOf, markInside, nearestPoint, packBits, polygonTest } from "./picking.js";
import { Points } from "./points.js";
import { placeOf } from "./store.js";

const [MOTION, NEAR, REST, ASK] = [300, 9, 140, 80];
const NO_WEBGL = "This browser draws no WebGL2, which the picture needs; switch on hardware or software rendering.";
const NO_KERNEL = "The picture comes from a running kernel: run this cell.";
const eased = (share) => share * share * (3 - 2 * share);
const grids = new WeakMap();
const gridFor = (part) => grids.get(part) ?? grids.set(part, gridOf(part)).get(part);

/** A view of a model; {@link View.remove} takes everything away. */
export class View {
  /** @param {any} model of anywidget @param {HTMLElement} el @param {import("./store.js").Store} store */
  constructor(model, el, store) {
    Object.assign(this, { model, store, boxes: [], areas: [], before: null, began: 0, every: 1, timing: false });
    Object.assign(this, { frame: 0, dragged: new Map(), hovered: null, busy: 0, glide: false, stale: true });
    this.style = { classes: model.get("_classes"), order: model.get("_order") };
    this.ending = new AbortController();
    this.canvas = html("canvas");
    this.svg = element("svg", { class: "ali-picture-over" });
    this.line = element("path", { class: "ali-picture-outline" });
    this.note = html("p", { class: "ali-picture-note" }, NO_KERNEL);
    this.tools = toolbar((tool) => this.chooseTool(tool), (what) => this.act(what));
    this.tip = new Tip();
    this.root = html("div", { class: "ali-picture", tabindex: "0", role: "group", "aria-label": "Picture of the samples" },
      this.canvas, this.svg, this.tools.root, this.tip.root, this.note);
    el.append(this.root);
    this.points = new Points(this.canvas);
    this.overlay = new Overlay(this.svg, this.style.classes, this.style.order);
    this.svg.append(this.line);
    if (!this.points.usable) this.complain(NO_WEBGL);
    this.connect();
    this.tools.show(model.get("tool"));
    if (store.scene !== null) this.show(false);
  }

  connect() {
    const { signal } = this.ending;
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault(), { signal });
    this.canvas.addEventListener("webglcontextrestored", () => this.points.restore() ?? this.later(), { signal });
    this.watch = new ResizeObserver(() => this.resized());
    this.watch.observe(this.root);
    this.ears = { "change:camera": () => this.changed(), "change:tool": () => this.tools.show(this.model.get("tool")) };
    for (const [name, heard] of Object.entries(this.ears)) this.model.on(name, heard);
    this.shown = (moving) => this.show(moving);
    this.told = (message, buffers) => this.tip.add(message.key, message.lines, buffers[0]);
    this.store.listeners.add(this);
    const look = () => ({ tool: this.model.get("tool"), areas: this.areas });
    listen(this.root, look, this.intents(), signal);
  }

  remove() {
    this.ending.abort();
    this.watch.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.resting);
    clearTimeout(this.asking);
    clearTimeout(this.saving);
    for (const [name, heard] of Object.entries(this.ears)) this.model.off(name, heard);
    this.store.listeners.delete(this);
    this.tip.hide();
    this.points.free();
    this.root.remove();
  }

  complain(words) {
    this.note.textContent = words;
    this.note.hidden = false;
    this.model.set("problem", words);
    this.model.save_changes();
  }

  // What is to be seen ---------------------------------------------------------------------------------------------

  /** Show the scene of the store, with a motion from the one before. */
  show(moving) {
    const { scene } = this.store;
    if (!this.points.usable) return;
    this.note.hidden = true;
    const still = !moving || !this.model.get("motion") || matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.before = still || this.latest === undefined ? null : { panes: this.latest.panes, boxes: this.boxes };
    [this.latest, this.began, this.glide] = [scene, performance.now(), !still];
    this.dragged.clear();
    this.hovered = null;
    if (this.tip.cloud !== scene.cloud.id) this.tip.hide();
    this.tip.cloud = scene.cloud.id;
    const count = scene.cloud.counts.reduce((sum, n) => sum + n, 0);
    this.root.setAttribute("aria-label", `Picture of ${count} samples: ${scene.panes.map((pane) => pane.title).join("; ")}`);
    this.measure();
    this.later(true);
  }

  resized() {
    if (this.store.scene !== null && this.root.clientWidth > 0) {
      this.measure();
      this.glide = false;
      this.later(true);
    }
  }

  measure() {
    const { scene } = this.store;
    const size = { width: this.root.clientWidth, height: this.root.clientHeight };
    this.areas = paneAreas(scene.panes.length, size, [scene.axisNames[0] !== null, scene.axisNames[1] !== null]);
    this.points.resize(size.width, size.height, Math.min(devicePixelRatio, 2));
  }

  /** What each pane shows when nothing moves. */
  target() {
    const { limits, equalUnits } = this.store.scene;
    return this.areas.map((area) => visibleBox(this.model.get("camera") ?? limits, area, equalUnits));
  }

  changed() {
    this.before = null;
    this.glide = false;
    this.later(true);
  }

  later(stale = true) {
    this.stale ||= stale;
    if (this.frame === 0 && this.store.scene !== null) this.frame = requestAnimationFrame((now) => this.draw(now));
  }

  draw(now) {
    this.frame = 0;
    const { scene } = this.store;
    const share = this.before === null ? 1 : Math.min(Math.max((now - this.began) / MOTION, 0), 1);
    const target = this.target();
    const from = this.before?.boxes.length === target.length ? this.before.boxes : target;
    this.boxes = target.map((box, k) => (share < 1 ? mixedBox(from[k], box, eased(share)) : box));
    const panes = this.areas.map((area, k) => ({
      area,
      batches: batchesOf(this.held(scene), k, this.boxes[k], share < 1 ? (this.before.panes[k] ?? null) : null, this.style),
    }));
    this.points.setPalette(scene.palette);
    const quick = share < 1 || now < this.busy;
    this.points.draw(panes, eased(share), quick ? this.every : 1);
    if (!quick) this.measureTime();
    if (this.stale) {
      this.svg.classList.toggle("ali-picture-glides", this.glide);
      this.overlay.draw(scene, this.areas.map((area, k) => ({ area, box: target[k] })), this.dragged);
      this.stale = false;
    }
    if (share < 1) return this.later(false);
    this.before = null;
    if (quick && this.every > 1) this.rest();
    this.points.forget(this.store.used());
    this.root.dataset.version = scene.version;
    this.root.dataset.drawn = scene.panes[0].now.parts.reduce((sum, part) => sum + (part?.length ?? 0) / 2, 0);
  }

  /** The scene with the points of a class that is being dragged where it is held. */
  held(scene) {
    if (this.dragged.size === 0) return scene;
    const panes = scene.panes.map((pane) => {
      const moved = pane.rings.filter(([code]) => this.dragged.has(code) && pane.now.parts[code] !== null);
      if (moved.length === 0) return pane;
      const planned = { parts: pane.now.parts.map(() => null), table: pane.now.table.slice() };
      for (const [code] of moved) {
        planned.parts[code] = pane.now.parts[code];
        planned.table.set(this.dragged.get(code), 3 * code + 1);
      }
      return { ...pane, planned };
    });
    return { ...scene, panes };
  }

  /** Draw all points again once nothing moves any more. */
  rest() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.later(false), REST);
  }

  /** Measure how long a full drawing takes, so that what moves is drawn with as many points as this machine can. */
  measureTime() {
    if (this.timing) return;
    this.timing = true;
    this.points.timed((milliseconds) => {
      this.timing = false;
      this.every = Math.min(Math.max(Math.round(milliseconds / 50), 1), 31);
    });
  }

  // What a person does ---------------------------------------------------------------------------------------------

  intents() {
    return {
      outline: (pane, path) => this.outline(pane, path),
      lasso: (pane, polygon, how) => this.lasso(pane, polygon, how),
      frame: (pane, from, to) => this.zoomTo(pane, from, to),
      pan: (pane, shift) => this.look(pannedBox(this.target()[pane], this.areas[pane], shift)),
      zoom: (pane, factor, at) => this.zoom(pane ?? 0, factor, at),
      reset: () => this.look(null),
      clear: () => {
        this.tip.hide();
        this.tell({ kind: "clear" });
      },
      click: (pane, at, how) => this.click(pane, at, how),
      name: (code, how) => this.tell({ kind: "name", code, how }),
      ring: (code, pane, shift, dropped) => this.drag(code, pane, shift, dropped),
      release: (code) => this.dragged.delete(code) && this.later(true),
      hover: (pane, at) => this.hover(pane, at),
      tool: (tool) => this.chooseTool(tool),
    };
  }

  tell(message, buffers = []) {
    this.model.send({ ...message, cloud: this.store.scene?.cloud.id }, undefined, buffers);
  }

  chooseTool(tool) {
    if (!(tool in TOOLS)) return;
    this.model.set("tool", tool);
    this.model.save_changes();
    this.root.focus({ preventScroll: true });
  }

  act(what) {
    if (what === "home") this.look(null);
    else this.zoom(0, what === "+" ? 1.25 : 0.8, null);
  }

  /** Show another part of the plane; the trait follows when the hand rests. */
  look(box) {
    if (this.store.scene === null || (box !== null && !isDrawable(box))) return;
    this.busy = performance.now() + REST;
    this.tip.hide();
    this.model.set("camera", box);
    this.changed();
    this.rest();
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.model.save_changes(), REST);
  }

  zoom(pane, factor, at) {
    if (this.boxes.length === 0) return;
    const [area, box] = [this.areas[pane], this.target()[pane]]; // several may come before the next drawing
    this.look(zoomedBox(box, factor, toData(box, area, at ?? [area.width / 2, area.height / 2])));
  }

  zoomTo(pane, from, to) {
    const [a, b] = [from, to].map((at) => toData(this.boxes[pane], this.areas[pane], at));
    this.look([Math.min(a[0], b[0]), Math.max(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[1], b[1])]);
  }

  outline(pane, path) {
    const { x, y } = this.areas[pane] ?? { x: 0, y: 0 };
    this.line.setAttribute("d", path.map(([left, top], k) => `${k ? "L" : "M"}${x + left},${y + top}`).join("") + (path.length ? "Z" : ""));
  }

  /** From points of a part to pixels of a pane. */
  pixelMap(layer, code, pane) {
    const [scale, x, y] = layer.table.subarray(3 * code, 3 * code + 3);
    const [across, up] = pixelsPerUnit(this.boxes[pane], this.areas[pane]);
    const [left, top] = toPixel(this.boxes[pane], this.areas[pane], [x, y]);
    return [scale * across, -scale * up, left, top];
  }

  lasso(pane, polygon, how) {
    const { cloud, panes } = this.store.scene;
    const marks = new Uint8Array(cloud.counts.reduce((sum, n) => sum + n, 0));
    const test = polygonTest(polygon);
    panes[pane].now.parts.forEach((part, code) => {
      if (part !== null) markInside(part, this.pixelMap(panes[pane].now, code, pane), test, marks, cloud.starts[code]);
    });
    this.tell({ kind: "lasso", how }, [packBits(marks).buffer]);
  }

  /** The point nearest to a pixel: its class, its place within the class, and its number in the cloud; or null. */
  nearest(pane, at) {
    const { cloud, panes } = this.store.scene;
    let best = null;
    for (const code of this.style.order) {
      const part = panes[pane].now.parts[code];
      if (part === null) continue;
      const [ax, ay, bx, by] = this.pixelMap(panes[pane].now, code, pane);
      const place = [(at[0] - bx) / ax, (at[1] - by) / ay];
      const found = nearestPoint(gridFor(part), part, place, [NEAR / Math.abs(ax), NEAR / Math.abs(ay)]);
      if (found && (best === null || found.distance <= best.distance))
        best = { ...found, code, number: cloud.starts[code] + found.index };
    }
    return best;
  }

  click(pane, at, how) {
    const found = this.nearest(pane, at);
    this.tip.kept = false;
    if (found === null) return this.tip.hide();
    this.point(pane, found);
    this.tip.kept = true;
    this.tell({ kind: "point", index: found.number, how });
  }

  hover(pane, at) {
    if (this.tip.kept || this.store.scene === null || performance.now() < this.busy) return;
    const found = at === null ? null : this.nearest(pane, at);
    if (found === null) this.tip.hide();
    else this.point(pane, found);
    this.root.classList.toggle("ali-picture-on-point", found !== null);
    if ((found?.number ?? null) === this.hovered) return;
    this.hovered = found?.number ?? null;
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.tell({ kind: "hover", index: this.hovered }), ASK);
  }

  /** Show the tip beside a point. */
  point(pane, { code, index, number }) {
    const place = placeOf(this.store.scene.panes[pane].now, code, index);
    const [left, top] = toPixel(this.boxes[pane], this.areas[pane], place);
    const room = { width: this.root.clientWidth, height: this.root.clientHeight };
    this.tip.show(`${this.store.scene.cloud.id} ${number}`, this.style.classes[code], [this.areas[pane].x + left, this.areas[pane].y + top], room);
  }

  drag(code, pane, shift, dropped) {
    const ring = this.store.scene.panes[pane].rings.find(([other]) => other === code);
    if (ring === undefined) return;
    const [across, up] = pixelsPerUnit(this.boxes[pane], this.areas[pane]);
    const place = [ring[1] + shift[0] / across, ring[2] - shift[1] / up];
    this.dragged.set(code, place);
    this.busy = performance.now() + REST;
    this.glide = false;
    this.later(true);
    if (dropped) this.tell({ kind: "drag", code, place });
  }
}
