// What lies over the points, in SVG: frames, titles, numbers, names with their lines, arrows, rings, the mark.

import { pixelsPerUnit, tickText, ticks, toPixel } from "./camera.js";
import { gapBetween, labelPlaces, shortened } from "./labels.js";
import { centerOf, placeOf } from "./store.js";

const SPACE = "http://www.w3.org/2000/svg";
const FONT = "11.5px system-ui, sans-serif";
const [LINE, PADDING, WIDEST, NARROW, MANY, MOST_NAMES, APART] = [15, 6, 170, 100, 15, 60, 3];
const [RING, HEAD, SHORTEST_ARROW] = [9, 7, 8];

/** @param {string} name @param {Record<string, any>} attributes @param {...(Node | string)} children @returns {any} */
export function element(name, attributes = {}, ...children) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** The layer of SVG over one canvas; names and rings stay the same elements, so that they keep the focus and can glide. */
export class Overlay {
  /** @param {SVGElement} svg @param {{label: string, named: boolean}[]} classes @param {number[]} order */
  constructor(svg, classes, order) {
    Object.assign(this, { svg, classes, order, panes: [], held: new Map(), around: element("g") });
    svg.append(this.around);
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = FONT;
    this.widthOf = (text) => pen.measureText(text).width;
  }

  /**
   * Show a scene.
   * @param {import("./store.js").Scene} scene
   * @param {{area: {x: number, y: number, width: number, height: number}, box: number[]}[]} shown of each pane
   * @param {Map<number, [number, number]>} dragged where rings are held that are being moved, in data
   */
  draw(scene, shown, dragged) {
    const kept = new Set();
    this.panes = shown.map(({ area, box }, number) => {
      const size = { width: area.width, height: area.height };
      return { number, area, size, box, pane: scene.panes[number], pixel: (place) => toPixel(box, size, place) };
    });
    for (const view of this.panes) {
      const { root, under, over, above } = this.keep(`pane ${view.number}`, kept, () => this.frame(view.number));
      for (const [side, value] of Object.entries(view.area)) root.setAttribute(side, value);
      const rings = this.rings(view, dragged, kept);
      const { names, lines } = this.names(scene, view, kept);
      under.replaceChildren(...this.arrows(view), ...this.mark(scene, view), ...lines);
      above.replaceChildren(this.title(view));
      const stay = new Set([...rings, ...names]);
      for (const child of [...over.children]) if (!stay.has(child)) child.remove();
      for (const child of stay) if (child.parentNode !== over) over.append(child);
    }
    this.around.replaceChildren(...this.panes.flatMap((view) => this.numbers(scene, view)), ...this.bar(scene));
    for (const [key, held] of this.held)
      if (!kept.has(key)) {
        held.root?.remove();
        this.held.delete(key);
      }
  }

  /** The parts of a pane that stay: names and rings lie in `over`, where they keep the focus and glide. */
  frame(number) {
    const [under, over, above] = Array.from({ length: 3 }, () => element("g"));
    const area = element("rect", { width: "100%", height: "100%", class: "ali-picture-area", "data-pane": number });
    const root = element("svg", { class: "ali-picture-pane" }, area, under, over, above);
    this.svg.append(root);
    return { root, under, over, above };
  }

  /** What is kept under a key, as it was before, or else made. */
  keep(key, kept, make) {
    kept.add(key);
    if (!this.held.has(key)) this.held.set(key, make());
    return this.held.get(key);
  }

  title({ pane, size, area }) {
    const tools = area.y === 0 && area.x + 2 * size.width > this.svg.clientWidth; // they stand in the upper right corner
    if (tools) this.svg.parentNode.classList.toggle("ali-picture-full", 1.15 * this.widthOf(pane.title) > size.width - 190);
    const text = shortened(pane.title, (size.width - 20) / 1.15, this.widthOf);
    return element("text", { x: 10, y: 19, class: "ali-picture-title" }, element("title", {}, pane.title), text);
  }

  arrows({ pane, pixel }) {
    return pane.arrows.flatMap(([code, ...ends]) => {
      const [tail, head, planned] = [pixel([ends[0], ends[1]]), pixel([ends[2], ends[3]]), ends[4] === 1];
      const [dx, dy] = [head[0] - tail[0], head[1] - tail[1]];
      const length = Math.hypot(dx, dy);
      if (!(length >= SHORTEST_ARROW)) return [];
      const along = (share, aside) => [
        head[0] - (dx / length) * share - (dy / length) * aside,
        head[1] - (dy / length) * share + (dx / length) * aside,
      ];
      const path = `M${tail}L${along(HEAD * 0.7, 0)}M${head}L${along(HEAD, HEAD * 0.5)}L${along(HEAD, -HEAD * 0.5)}Z`;
      const kind = planned ? "ali-picture-arrow ali-picture-planned" : "ali-picture-arrow";
      return [element("path", { d: path, class: "ali-picture-rim" }), element("path", { d: path, class: kind, "data-arrow": code })];
    });
  }

  mark(scene, { pane, pixel }) {
    const place = scene.marked && placeOf(pane.now, ...scene.marked);
    if (!place) return [];
    const [cx, cy] = pixel(place);
    return [element("circle", { cx, cy, r: 8, class: "ali-picture-mark" })];
  }

  rings({ pane, pixel, number }, dragged, kept) {
    return pane.rings.map(([code, x, y]) => {
      const { label, colour } = this.classes[code];
      const ring = this.keep(`ring ${number} ${code}`, kept, () =>
        element(
          "g",
          { class: "ali-picture-ring", tabindex: 0, role: "button", "data-ring": code, "aria-label": `Drag ${label}: arrow keys move, Enter drops` },
          element("circle", { r: RING + 6, class: "ali-picture-grip" }),
          element("circle", { r: RING, style: `stroke: color-mix(in srgb, ${colour} 65%, var(--ink))` }),
          element("title", {}, `drag ${label}`)
        )
      );
      const [left, top] = pixel(dragged.get(code) ?? [x, y]);
      ring.setAttribute("transform", `translate(${left} ${top})`);
      return ring;
    });
  }

  names(scene, { pane, pixel, size, number }, kept) {
    if (!scene.names) return { names: [], lines: [] };
    const moved = new Set([...pane.arrows, ...pane.rings].map(([code]) => code));
    const rank = (code) => (scene.selected.has(code) ? 0 : moved.has(code) ? 1 : 2);
    const widest = this.order.length > MANY ? NARROW : WIDEST;
    const labels = this.order
      .filter((code) => this.classes[code].named !== false)
      .sort((a, b) => rank(a) - rank(b))
      .map((code) => ({ code, center: centerOf(pane.now, code) }))
      .filter(({ center }) => center !== null)
      .map(({ code, center }) => ({ code, anchor: pixel(center), text: shortened(this.classes[code].label, widest, this.widthOf) }))
      .filter(({ anchor: [x, y] }) => x >= 0 && y >= 0 && x <= size.width && y <= size.height)
      .slice(0, MOST_NAMES)
      .map((label) => ({ ...label, width: this.widthOf(label.text) + PADDING, height: LINE }));
    const box = ([x, y], side) => ({ x, y, width: side, height: side });
    const obstacles = [
      { x: 0, y: 0, width: 2 * Math.min(this.widthOf(pane.title) * 1.2 + 20, size.width - 20), height: 56 },
      ...pane.arrows.map((arrow) => box(pixel([arrow[3], arrow[4]]), 8)),
      ...pane.rings.map(([, x, y]) => box(pixel([x, y]), 2 * RING + 4)),
    ];
    const places = labelPlaces(labels, size, obstacles);
    const there = labels.map((label, k) => ({ ...label, place: places[k] })).filter(({ place }) => place !== null);
    return {
      names: there.map((label) => this.name(scene, number, label, kept)),
      lines: there.filter(({ anchor, place }) => gapBetween(place, anchor) >= APART).flatMap(leader),
    };
  }

  name(scene, number, { code, text, place }, kept) {
    const { label } = this.classes[code];
    const name = this.keep(`name ${number} ${code}`, kept, () =>
      element(
        "g",
        { class: "ali-picture-name", tabindex: 0, role: "button", "data-name": code },
        element("text", {}, text),
        element("title", {}, label)
      )
    );
    name.setAttribute("aria-label", `Select ${label}`);
    name.setAttribute("aria-pressed", scene.selected.has(code));
    name.style.transform = `translate(${place.x.toFixed(1)}px, ${place.y.toFixed(1)}px)`;
    return name;
  }

  numbers(scene, { area, size, box, pixel }) {
    const [across, up] = scene.axisNames;
    const found = [];
    const text = (x, y, anchor, words, more = {}) =>
      element("text", { x, y, "text-anchor": anchor, class: "ali-picture-number", ...more }, words);
    const [perX, perY] = pixelsPerUnit(box, size);
    const right = area.x + size.width;
    if (across !== null && area.y + size.height > this.svg.clientHeight - 40) {
      const marks = ticks(box[0], box[1], size.width / 80);
      const free = right - this.widthOf(across) - 30;
      for (const value of marks) {
        const x = area.x + pixel([value, box[2]])[0];
        if (x < free) found.push(text(x, area.y + size.height + 14, "middle", tickText(value, 80 / perX)));
      }
      found.push(text(right, area.y + size.height + 14, "end", across));
    }
    if (up !== null && area.x === this.panes[0].area.x) {
      for (const value of ticks(box[2], box[3], size.height / 60)) {
        const y = area.y + pixel([box[0], value])[1];
        if (y > area.y + 70) found.push(text(area.x - 5, y + 4, "end", tickText(value, 60 / perY)));
      }
      found.push(text(0, 0, "end", up, { transform: `translate(${area.x - 8} ${area.y + 4}) rotate(-90)` }));
    }
    return found;
  }

  bar(scene) {
    if (!scene.bar?.range || scene.palette === null) return [];
    const { area, size } = this.panes.at(-1);
    const [x, y, width] = [area.x + size.width - 150, area.y + size.height - 34, 140];
    const steps = Array.from({ length: 28 }, (_, k) => {
      const entry = 4 * Math.round((254 * k) / 27);
      const [red, green, blue] = scene.palette.subarray(entry, entry + 3);
      return element("rect", { x: x + 5 * k, y, width: 5.5, height: 8, fill: `rgb(${red},${green},${blue})` });
    });
    const text = (left, anchor, words) => element("text", { x: left, y: y + 21, "text-anchor": anchor, class: "ali-picture-number" }, words);
    const [low, high] = scene.bar.range.map((value) => String(Number(value.toPrecision(3))));
    const title = element("text", { x, y: y - 5, class: "ali-picture-number" }, shortened(scene.bar.title, width, this.widthOf));
    return [title, ...steps, text(x, "start", low), text(x + width, "end", high)];
  }
}

/** The shortest line from a name to what it names; its rim is seen on points of any colour. */
function leader({ anchor, place }) {
  const nearest = (value, middle, length) => Math.min(Math.max(value, middle - length / 2), middle + length / 2);
  const [x, y] = [nearest(anchor[0], place.x, place.width - PADDING), nearest(anchor[1], place.y, LINE)];
  const d = `M${x},${y}L${anchor}`;
  const [cx, cy] = anchor;
  return [
    element("path", { d, class: "ali-picture-rim ali-picture-leader" }),
    element("path", { d, class: "ali-picture-leader" }),
    element("circle", { cx, cy, r: 2.2, class: "ali-picture-leader-end" }),
  ];
}
