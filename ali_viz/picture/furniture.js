// What stands around the points: the small toolbar, and the tip that tells of one point.

import { TOOLS } from "./gestures.js";

const ICONS = {
  lasso: "M3 6c0-3 10-3 10 0s-10 3-10 0M4 8c-1 2 0 3 1 3s1 2-1 3",
  box: "M2 3h12v10h-12z",
  pan: "M8 1v14M1 8h14M6 3l2-2 2 2M6 13l2 2 2-2M3 6l-2 2 2 2M13 6l2 2-2 2",
  zoom: "M2 7a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0M10 10.5l4 4",
  "+": "M8 3v10M3 8h10",
  "−": "M3 8h10",
  home: "M2 8l6-6 6 6M4 7v7h8v-7",
  motion: "M2 12c3 0 3-8 6-8M5 12c3 0 3-8 6-8l-2-2m2 2l-2 2",
};
const WORDS = {
  lasso: "Lasso (L): draw around points; Shift adds, Alt removes",
  box: "Box (B): select what is in a box; Shift adds, Alt removes",
  pan: "Move the picture (P)",
  zoom: "Zoom into a box (Z)",
  "+": "Nearer (+)",
  "−": "Farther (−)",
  home: "Show everything (0)",
  motion: "Let points glide to new places (M)",
};

/** @param {string} name @param {Record<string, string>} attributes @param {...(Node | string)} children */
export function html(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/**
 * The buttons in the upper right corner.
 * @param {import("./hand.js").Hand} hand does what they say
 * @returns {{root: HTMLElement, show: (tool: string, motion: boolean) => void}}
 */
export function toolbar(hand) {
  const acts = { "+": () => hand.nearer(true), "−": () => hand.nearer(false), home: () => hand.reset(), motion: () => hand.motion() };
  const buttons = Object.entries(ICONS).map(([name, path]) => {
    const button = html("button", { type: "button", title: WORDS[name], "aria-label": WORDS[name], "data-tool": name });
    button.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${path}"/></svg>`;
    button.addEventListener("click", () => (name in TOOLS ? hand.tool(name) : acts[name]()));
    return button;
  });
  const show = (tool, motion) => {
    for (const button of buttons) {
      const name = button.dataset.tool;
      if (name in TOOLS || name === "motion") button.setAttribute("aria-pressed", String(name === tool || (name === "motion" && motion)));
    }
  };
  return { root: html("div", { class: "ali-picture-tools", role: "toolbar", "aria-label": "Tools of the picture" }, ...buttons), show };
}

/** Tells of one point beside it: its class at once, and what Python adds when it has come. */
export class Tip {
  constructor() {
    this.root = html("div", { class: "ali-picture-tip", role: "status", hidden: "" });
    this.key = null;
    this.kept = false;
    this.url = null;
  }

  /**
   * @param {string} key of the point @param {{label: string, colour: string}} style of its class
   * @param {[number, number]} place in the picture @param {{width: number, height: number}} room
   * @returns {boolean} whether it told of another point before
   */
  show(key, { label, colour }, place, room) {
    const other = key !== this.key;
    if (other) {
      this.fill([html("b", { style: `border-color: ${colour}` }, label)]);
      this.key = key;
    }
    this.root.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = this.root;
    const left = place[0] + 14 + width > room.width ? place[0] - 14 - width : place[0] + 14;
    this.root.style.left = `${Math.max(left, 0)}px`;
    this.root.style.top = `${Math.max(Math.min(place[1] + 12, room.height - height - 4), 0)}px`;
    return other;
  }

  /** @param {string} key @param {[string, string][]} lines @param {DataView | undefined} png */
  add(key, lines, png) {
    if (key !== this.key) return;
    const list = lines.map(([name, value]) => html("div", {}, html("span", {}, name), ` ${value}`));
    const first = this.root.firstElementChild;
    const picture = [];
    const url = png && URL.createObjectURL(new Blob([png], { type: "image/png" }));
    if (url) picture.push(html("img", { src: url, alt: "picture of the sample", width: "96", height: "96" }));
    this.fill([first, ...list, ...picture]);
    this.url = url;
  }

  fill(children) {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = null;
    this.root.replaceChildren(...children);
  }

  /** @returns {boolean} whether it told of a point */
  hide() {
    const told = this.key !== null;
    [this.root.hidden, this.key, this.kept] = [true, null, false];
    this.fill([]);
    return told;
  }
}
