// A grid of heads, layers downwards: one tab stop, arrows move, Enter or a click chooses.
// `data` is made by head_grid.py; its texts become text nodes, never markup.
const MOVES = {
  ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
  PageUp: [-1e6, 0], PageDown: [1e6, 0], Home: [0, -1e6], End: [0, 1e6],
};

function legend(parent, data) {
  const box = make(parent, "div", { class: "legend" });
  for (const one of data.legend) {
    const entry = make(box, "span", { class: "entry" });
    const swatch = make(entry, "span", { class: one.bar ? "bar" : "swatch", "aria-hidden": "true" });
    swatch.style.background = one.fill;
    swatch.style.color = one.ink ?? "";
    swatch.textContent = one.symbol ?? "";
    if (one.before) entry.prepend(document.createTextNode(one.before));
    entry.append(document.createTextNode(one.name));
  }
}

function build(root, data) {
  root.replaceChildren();
  const scroll = make(root, "div", { class: "scroll" });
  const heads = data.cells[0].length;
  const grid = make(scroll, "div", {
    role: "grid", class: "grid", "aria-label": data.name,
    "aria-rowcount": data.cells.length + 1, "aria-colcount": heads + 1,
  });
  grid.style.setProperty("--heads", heads);
  grid.classList.toggle("many", heads > 24);
  const top = make(grid, "div", { role: "row", class: "row" });
  make(top, "span", { role: "columnheader", class: "corner", "aria-label": data.corner });
  for (let head = 0; head < heads; head++) {
    const shown = heads <= 24 || head % 4 === 0;
    make(top, "span", { role: "columnheader", "aria-label": `${data.head} ${head}` },
      shown ? String(head) : "");
  }
  data.cells.forEach((row, layer) => {
    const line = make(grid, "div", { role: "row", class: "row" });
    make(line, "span", { role: "rowheader", "aria-label": `${data.layer} ${layer}` }, String(layer));
    row.forEach(([fill, symbol, ink, text], head) => {
      const cell = make(line, "div", {
        role: "gridcell", class: "cell", tabindex: "-1", "aria-selected": "false",
        "aria-label": `${layer}-${head}: ${text}`, "data-layer": layer, "data-head": head,
      });
      cell.style.background = fill;
      if (symbol) {
        make(cell, "span", { "aria-hidden": "true", class: "symbol" }, symbol).style.color = ink;
      }
    });
  });
  const said = make(root, "div", { class: "said", "aria-hidden": "true" });
  legend(root, data);
  return { grid, said };
}

function cellAt(grid, layer, head) {
  return grid.children[layer + 1]?.children[head + 1];
}

function placeOf(cell) {
  return [Number(cell.dataset.layer), Number(cell.dataset.head)];
}

function say(state, cell) {
  state.said.textContent = cell ? cell.getAttribute("aria-label") : state.data.hint;
}

function mark(state, [layer, head]) {
  for (const cell of state.grid.querySelectorAll('[aria-selected="true"], [tabindex="0"]')) {
    cell.setAttribute("aria-selected", "false");
    cell.tabIndex = -1;
  }
  const cell = cellAt(state.grid, layer, head) ?? cellAt(state.grid, 0, 0);
  cell.setAttribute("aria-selected", "true");
  cell.tabIndex = 0;
}

function choose(state, cell) {
  mark(state, placeOf(cell));  // at once: the page follows
  state.send("chosen", placeOf(cell));
}

function move(state, event) {
  const cell = event.target.closest?.(".cell");
  if (!cell) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    choose(state, cell);
  } else if (event.key in MOVES) {
    event.preventDefault();
    const [down, right] = MOVES[event.key];
    const [layer, head] = placeOf(cell);
    const { cells } = state.data;
    const to = cellAt(state.grid, Math.min(Math.max(layer + down, 0), cells.length - 1),
      Math.min(Math.max(head + right, 0), cells[0].length - 1));
    cell.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  }
}

function listen(state) {
  const { grid } = state;
  grid.addEventListener("click", (event) => {
    const cell = event.target.closest(".cell");
    if (cell) choose(state, cell);
  });
  grid.addEventListener("keydown", (event) => move(state, event));
  for (const seen of ["pointerover", "focusin"]) {
    grid.addEventListener(seen, (event) => say(state, event.target.closest(".cell")));
  }
  grid.addEventListener("pointerleave", () => say(state, null));
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".head-grid");
  const drawn = JSON.stringify({ ...data, chosen: null });
  let state = root.inspectorState;
  if (!state || state.drawn !== drawn) {
    const focused = state?.grid.contains(parentElement.activeElement ?? document.activeElement)
      ? placeOf(parentElement.activeElement ?? document.activeElement) : null;
    state = { ...build(root, data), data, drawn };
    root.inspectorState = state;
    listen(state);
    if (focused) cellAt(state.grid, ...focused)?.focus();
  }
  state.data = data;
  state.send = setTriggerValue;
  mark(state, data.chosen);
  say(state, null);
}
