// Chips of the classes: a mark in shape and colour, the name, the count. Told: {code}, and {clear} for Escape.

import { SHAPES } from "../picture/shapes.js";

const [LONG, ENDING] = [24, 8];

function mark({ symbol, colour, filled }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "-1.25 -1.25 2.5 2.5");
  const points = SHAPES[symbol];
  const shape = document.createElementNS(svg.namespaceURI, points ? "polygon" : "circle");
  if (points) shape.setAttribute("points", points.join(" "));
  else shape.setAttribute("r", "0.95");
  shape.setAttribute("fill", filled ? colour : "none");
  shape.setAttribute("stroke", filled ? `color-mix(in srgb, ${colour} 65%, var(--ink))` : colour);
  shape.setAttribute("stroke-width", "0.28");
  svg.append(shape);
  return svg;
}

function render({ model, el }) {
  el.classList.add("ali-legend");
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", "Classes");
  const chips = new Map();

  function draw() {
    el.replaceChildren();
    chips.clear();
    for (const entry of model.get("entries")) {
      const chip = document.createElement(entry.code === undefined ? "span" : "button");
      chip.className = "ali-class";
      chip.title = entry.label;
      const name = document.createElement("span"), end = document.createElement("b");
      const cut = entry.label.length > LONG ? entry.label.length - ENDING : entry.label.length;  // the middle goes
      name.textContent = entry.label.slice(0, cut);
      end.textContent = entry.label.slice(cut);
      chip.setAttribute("aria-label", `${entry.label} ${entry.count ?? ""}`);
      const count = document.createElement("u");
      count.textContent = entry.count ?? "";
      chip.append(mark(entry), name, end, count);
      if (entry.code !== undefined) {
        chip.dataset.code = entry.code;
        chip.onclick = () => model.send({ code: entry.code });
        chips.set(entry.code, chip);
      }
      el.append(chip);
    }
    select();
  }

  function select() {
    const selected = new Set(model.get("selected"));
    for (const [code, chip] of chips) {
      chip.setAttribute("aria-pressed", String(selected.has(code)));
      chip.classList.toggle("ali-faint", selected.size > 0 && !selected.has(code));
    }
  }

  function pressed(event) {  // Escape anywhere in the app, where it means nothing else
    const elsewhere = event.target.closest("input, textarea, select, .ali-picture");
    if (event.key === "Escape" && !event.defaultPrevented && !elsewhere) model.send({ clear: true });
  }
  let app = null;
  requestAnimationFrame(() => {
    app = el.closest(".ali-studio");
    app?.addEventListener("keydown", pressed);
  });

  model.on("change:entries", draw);
  model.on("change:selected", select);
  draw();
  return () => {
    app?.removeEventListener("keydown", pressed);
    model.off("change:entries", draw);
    model.off("change:selected", select);
  };
}

export default { render };
