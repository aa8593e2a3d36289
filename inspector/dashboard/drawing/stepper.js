// The steps as a drawing: one small picture each, joined by arrows; arrow keys go from one to the
// next, from anywhere on the page where they have nothing else to do.
const states = new WeakMap();

function thumbnail(picture, primary) {
  const canvas = document.createElement("canvas");
  const [rows, columns] = [picture.length, picture[0].length];
  canvas.width = columns;
  canvas.height = rows;
  canvas.setAttribute("aria-hidden", "true");
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(columns, rows);
  picture.flat().forEach((x, index) => {
    image.data.set([...(x < 0 ? [0, 114, 178] : [230, 159, 0]), Math.abs(x)], 4 * index);
  });
  pen.putImageData(image, 0, 0);
  return canvas;
}

function build(root, data, go) {
  const list = document.createElement("div");
  list.className = "steps";
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", data.label);
  const tabs = data.steps.map((step, index) => {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.className = "step";
    tab.setAttribute("role", "tab");
    const symbol = document.createElement("span");
    symbol.className = "symbol";
    symbol.textContent = step.symbol;
    const name = document.createElement("span");
    name.textContent = `${index + 1} · ${step.name}`;
    tab.append(thumbnail(step.picture), symbol, name);
    tab.addEventListener("click", () => go(index));
    return tab;
  });
  list.append(...tabs);
  const hint = document.createElement("p");
  hint.className = "hint";
  hint.textContent = data.hint;
  root.replaceChildren(list, hint);
  return tabs;
}

function mark(state) {
  state.tabs.forEach((tab, index) => {
    const here = index === state.at;
    tab.setAttribute("aria-selected", String(here));
    tab.tabIndex = here ? 0 : -1;
    if (!here) return;
    // Not scrollIntoView, which would move the page as well.
    const list = tab.parentElement;
    list.scrollLeft = tab.offsetLeft - list.offsetLeft - (list.clientWidth - tab.offsetWidth) / 2;
  });
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".stepper");
  const state = states.get(root) ?? { of: "" };
  states.set(root, state);
  const go = (index) => {
    if (index < 0 || index >= state.tabs.length || index === state.at) return;
    state.at = state.sent = index;
    mark(state);
    setTriggerValue("at", index);
  };
  const of = JSON.stringify(data.steps) + data.label;
  if (state.of !== of) {
    const focused = root.contains(root.getRootNode().activeElement);
    state.of = of;
    state.tabs = build(root, data, go);
    if (focused) queueMicrotask(() => state.tabs[state.at]?.focus());
  }
  // An answer to an earlier press does not undo a later one.
  if (state.sent === undefined || data.at === state.sent) {
    state.at = data.at;
    state.sent = undefined;
  }
  mark(state);
  const pressed = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const idle = document.activeElement === document.body;
    const inside = root.contains(root.getRootNode().activeElement);
    if (!step || event.defaultPrevented || !(idle || inside)) return;
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(state.at + step);
    if (inside) state.tabs[state.at].focus();
  };
  document.removeEventListener("keydown", state.pressed);
  state.pressed = pressed;
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}
