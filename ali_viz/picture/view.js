// One picture on the page: puts camera, points, overlay and gestures together.

import { isDrawable, mixedBox, paneAreas, visibleBox } from "./camera.js";
import { Tip, html, toolbar } from "./furniture.js";
import { listen } from "./gestures.js";
import { Hand } from "./hand.js";
import { batchesOf, withDragged } from "./looks.js";
import { Overlay, element } from "./overlay.js";
import { Points } from "./points.js";

const [MOTION, REST] = [300, 140];
const NO_WEBGL = "This browser draws no WebGL2, which the picture needs; switch on hardware or software rendering.";
const NO_KERNEL = "The picture comes from a running kernel: run this cell.";
const eased = (share) => share * share * (3 - 2 * share);

/** A view of a model; {@link View.remove} takes everything away. */
export class View {
  /** @param {any} model of anywidget @param {HTMLElement} el @param {import("./store.js").Store} store */
  constructor(model, el, store) {
    Object.assign(this, { model, store, boxes: [], areas: [], before: null, began: 0, every: 1, timing: false });
    Object.assign(this, { frame: 0, dragged: new Map(), busy: 0, glide: false, stale: true });
    this.style = { classes: model.get("_classes"), order: model.get("_order") };
    this.ending = new AbortController();
    this.canvas = html("canvas");
    this.svg = element("svg", { class: "ali-picture-over" });
    this.line = element("path", { class: "ali-picture-outline" });
    this.note = html("p", { class: "ali-picture-note" }, NO_KERNEL);
    this.hand = new Hand(this);
    this.tools = toolbar(this.hand);
    this.tip = new Tip();
    this.root = html("div", { class: "ali-picture", tabindex: "0", role: "group", "aria-label": "Picture of the samples" },
      this.canvas, this.svg, this.tools.root, this.tip.root, this.note);
    el.append(this.root);
    this.points = new Points(this.canvas);
    this.overlay = new Overlay(this.svg, this.style.classes, this.style.order);
    this.svg.append(this.line);
    if (!this.points.usable) this.complain(NO_WEBGL);
    this.connect();
    this.ears["change:tool"]();
    if (store.scene !== null) this.show(false);
  }

  connect() {
    const { signal } = this.ending;
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault(), { signal });
    const back = () => {
      this.points.restore();
      this.timing = false;
      this.later();
    };
    this.canvas.addEventListener("webglcontextrestored", back, { signal });
    this.watch = new ResizeObserver(() => this.resized());
    this.watch.observe(this.root);
    const tools = () => this.tools.show(this.model.get("tool"), this.model.get("motion"));
    this.ears = { "change:camera": () => this.changed(), "change:tool": tools, "change:motion": tools };
    for (const [name, heard] of Object.entries(this.ears)) this.model.on(name, heard);
    this.shown = (moving) => this.show(moving);
    this.told = (message, buffers) => this.tip.add(message.key, message.lines, buffers[0]);
    this.store.listeners.add(this);
    const look = () => ({ tool: this.model.get("tool"), areas: this.areas });
    listen(this.root, look, this.hand, signal);
  }

  remove() {
    this.ending.abort();
    this.watch.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.resting);
    this.hand.rest();
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
    this.hand.rest();
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
    const [left, right, bottom, top] = scene.limits;
    const box = scene.equalUnits ? { width: right - left, height: top - bottom } : { width: 3, height: 4 };
    this.areas = paneAreas(scene.panes.length, size, scene.axisNames.map((name) => name !== null), box, this.areas);
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
    if (this.frame === 0 && this.store.scene !== null && this.points.usable) this.frame = requestAnimationFrame((now) => this.draw(now));
  }

  draw(now) {
    this.frame = 0;
    const { scene } = this.store;
    const share = this.before === null ? 1 : Math.min(Math.max((now - this.began) / MOTION, 0), 1);
    const target = this.target();
    const from = this.before?.boxes.length === target.length ? this.before.boxes : target;
    this.boxes = target.map((box, k) => (share < 1 ? mixedBox(from[k], box, eased(share)) : box));
    const held = withDragged(scene, this.dragged);
    const panes = this.areas.map((area, k) => ({
      area,
      batches: batchesOf(held, k, this.boxes[k], share < 1 ? (this.before.panes[k] ?? null) : null, this.style),
    }));
    this.points.setPalette(scene.palette);
    if (this.stale) this.points.ink = getComputedStyle(this.root).color.match(/[\d.]+/g).slice(0, 3).map((part) => part / 255);
    const quick = share < 1 || now < this.busy;
    const all = this.points.draw(panes, eased(share), quick ? this.every : 1);
    if (all && !quick) this.measureTime();
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

  /** Show another part of the plane; the trait follows when the hand rests. */
  look(box) {
    if (this.store.scene === null || (box !== null && !isDrawable(box))) return;
    this.tip.hide();
    this.model.set("camera", box);
    this.touch();
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.model.save_changes(), REST);
  }

  /** Something is being moved: draw with fewer points if need be, and all of them when the hand rests. */
  touch() {
    this.busy = performance.now() + REST;
    this.changed();
    this.rest();
  }

  tell(message, buffers = []) {
    this.model.send({ ...message, cloud: this.store.scene?.cloud.id }, undefined, buffers);
  }
}
