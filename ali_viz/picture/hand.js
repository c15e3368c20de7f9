// What a person does with a view: from intents to what is told to Python, and to what the view shows.

import { pointAt, pointsIn } from "./aim.js";
import { pannedBox, pixelsPerUnit, toData, toPixel, zoomedBox } from "./camera.js";
import { TOOLS } from "./gestures.js";
import { placeOf } from "./store.js";

const ASK = 80; // ms that the mouse rests before Python is asked for details
const NEARER = 1.25;

/** The hand in one view: its methods are the intents that gestures.js tells, and what the toolbar does. */
export class Hand {
  /** @param {import("./view.js").View} view */
  constructor(view) {
    this.view = view;
  }

  /** Ask for no details any more. */
  rest() {
    clearTimeout(this.asking);
  }

  tool(tool) {
    const { model, root } = this.view;
    if (!(tool in TOOLS)) return;
    model.set("tool", tool);
    model.save_changes();
    root.focus({ preventScroll: true });
  }

  motion() {
    const { model } = this.view;
    model.set("motion", !model.get("motion"));
    model.save_changes();
  }

  // The camera -----------------------------------------------------------------------------------------------------

  reset() {
    this.view.look(null);
  }

  pan(pane, shift) {
    this.view.look(pannedBox(this.view.target()[pane], this.view.areas[pane], shift));
  }

  zoom(pane, factor, at) {
    const [area, box] = [this.view.areas[pane ?? 0], this.view.target()[pane ?? 0]];
    if (box) this.view.look(zoomedBox(box, factor, toData(box, area, at ?? [area.width / 2, area.height / 2])));
  }

  nearer(more) {
    this.zoom(0, more ? NEARER : 1 / NEARER, null);
  }

  frame(pane, from, to) {
    const [a, b] = [from, to].map((at) => toData(this.view.boxes[pane], this.view.areas[pane], at));
    this.view.look([Math.min(a[0], b[0]), Math.max(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[1], b[1])]);
  }

  // Choosing -------------------------------------------------------------------------------------------------------

  outline(pane, path) {
    const { x, y } = this.view.areas[pane] ?? { x: 0, y: 0 };
    const corners = path.map(([left, top], k) => `${k ? "L" : "M"}${x + left},${y + top}`);
    this.view.line.setAttribute("d", corners.join("") + (path.length ? "Z" : ""));
  }

  /** A pane as it is drawn now. */
  seen(number) {
    return { number, box: this.view.boxes[number], area: this.view.areas[number] };
  }

  lasso(pane, polygon, how) {
    this.view.tell({ kind: "lasso", how }, [pointsIn(this.view.store.scene, this.seen(pane), polygon).buffer]);
  }

  name(code, how) {
    this.view.tell({ kind: "name", code, how });
  }

  /** Take away the tip, also one that a click keeps. */
  forget() {
    this.view.tip.hide();
  }

  clear() {
    this.forget();
    this.view.tell({ kind: "clear" });
  }

  click(pane, at, how) {
    const { store, style, tip } = this.view;
    const found = pointAt(store.scene, this.seen(pane), style.order, at);
    tip.kept = false;
    if (found === null) return tip.hide();
    if (this.tipAt(pane, found)) this.ask(found.number);
    tip.kept = true;
    this.view.tell({ kind: "point", index: found.number, how });
  }

  hover(pane, at) {
    const { store, style, tip, root, busy } = this.view;
    if (tip.kept || store.scene === null || performance.now() < busy) return;
    const found = at === null ? null : pointAt(store.scene, this.seen(pane), style.order, at);
    root.classList.toggle("ali-picture-on-point", found !== null);
    const other = found === null ? tip.hide() : this.tipAt(pane, found);
    if (other) this.ask(found?.number ?? null);
  }

  /** Tell what the mouse is over, and ask for its details, when it rests. */
  ask(number) {
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.view.tell({ kind: "hover", index: number }), ASK);
  }

  /** Show the tip beside a point; true when it told of another one before. */
  tipAt(pane, { code, index, number }) {
    const { store, style, tip, root } = this.view;
    const { box, area } = this.seen(pane);
    const [left, top] = toPixel(box, area, placeOf(store.scene.panes[pane].now, code, index));
    const room = { width: root.clientWidth, height: root.clientHeight };
    return tip.show(`${store.scene.cloud.id} ${number}`, style.classes[code], [area.x + left, area.y + top], room);
  }

  // Dragging a class by its ring -----------------------------------------------------------------------------------

  ring(code, pane, shift, dropped) {
    const { store, dragged } = this.view;
    const { box, area } = this.seen(pane);
    const ring = store.scene.panes[pane].rings.find(([other]) => other === code);
    if (ring === undefined) return;
    const [across, up] = pixelsPerUnit(box, area);
    const place = [ring[1] + shift[0] / across, ring[2] - shift[1] / up];
    dragged.set(code, place);
    this.view.touch();
    if (dropped) this.view.tell({ kind: "drag", code, place });
  }

  release(code) {
    if (this.view.dragged.delete(code)) this.view.later(true);
  }
}
