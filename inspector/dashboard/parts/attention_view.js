// A head's attention on the reader's text, drawn on a canvas: lines, a matrix, or the products of
// query and key. `data` is made by attention_view.py; its texts are drawn or become text nodes.
const SPECIAL = 1, PUNCTUATION = 2;
const MORE = "#d55e00", LESS = "#0072b2";
const LABEL = 150, FONT = "13px sans-serif", MANY = 128;

function bytes(coded) {
  const text = atob(coded), found = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) found[at] = text.charCodeAt(at);
  return found.buffer;
}

function decoded(data) {
  const panels = data.panels.map((panel) => {
    const whole = new Uint16Array(bytes(panel.map));
    const weights = Float32Array.from(whole, (one) => one / 65535);
    return { ...panel, weights };
  });
  const products = data.products && {
    ...data.products,
    query: new Float32Array(bytes(data.products.query)),
    key: new Float32Array(bytes(data.products.key)),
    scores: new Float32Array(bytes(data.products.scores)),
  };
  return { ...data, panels, products };
}

// ---- what is seen of a map: hidden tokens left out, rows renormalised

function seenOf(panel, options) {
  const hidden = (options.special ? SPECIAL : 0) | (options.punctuation ? PUNCTUATION : 0);
  const all = panel.tokens.length;
  const kept = panel.kinds.map((kind, place) => (kind & hidden ? -1 : place)).filter((p) => p >= 0);
  const n = kept.length, values = new Float32Array(n * n);
  kept.forEach((query, row) => {
    let sum = 0;
    for (let column = 0; column < n; column++) {
      const weight = panel.weights[query * all + kept[column]];
      values[row * n + column] = weight;
      sum += weight;
    }
    if (options.renormalise && n < all && sum > 0) {
      for (let column = 0; column < n; column++) values[row * n + column] /= sum;
    }
  });
  return { title: panel.title, tokens: kept.map((place) => panel.tokens[place]), values, n };
}

function difference(one, other, title) {
  return { title, tokens: other.tokens, n: other.n, signed: true,
    values: other.values.map((value, at) => value - one.values[at]) };
}

// ---- two ways to draw: on the screen, and into a file

class Screen {
  constructor(context) { this.context = context; }
  line(x1, y1, x2, y2, color, alpha, width) {
    const { context } = this;
    context.globalAlpha = alpha;
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
  }
  rect(x, y, width, height, color, alpha) {
    this.context.globalAlpha = alpha;
    this.context.fillStyle = color;
    this.context.fillRect(x, y, width, height);
  }
  text(x, y, said, align, color, turned = 0) {
    const { context } = this;
    context.save();
    context.globalAlpha = 1;
    context.fillStyle = color;
    context.font = FONT;
    context.textAlign = align;
    context.textBaseline = "middle";
    context.translate(x, y);
    context.rotate((turned * Math.PI) / 180);
    context.fillText(said, 0, 0);
    context.restore();
  }
  picture(x, y, width, height, source) {
    this.context.globalAlpha = 1;
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(source, x, y, width, height);
  }
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
}

class Drawing {
  constructor() { this.parts = []; }
  line(x1, y1, x2, y2, color, alpha, width) {
    this.parts.push(`<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${color}" ` +
      `stroke-opacity="${alpha.toFixed(3)}" stroke-width="${width}"/>`);
  }
  rect(x, y, width, height, color, alpha) {
    this.parts.push(`<rect x="${x}" y="${y}" width="${width}" height="${height}" ` +
      `fill="${color}" fill-opacity="${alpha.toFixed(3)}"/>`);
  }
  text(x, y, said, align, color, turned = 0) {
    const anchor = { left: "start", right: "end", center: "middle" }[align];
    this.parts.push(`<text x="${x}" y="${y}" text-anchor="${anchor}" dominant-baseline="central" ` +
      `fill="${color}" transform="rotate(${turned} ${x} ${y})">${escaped(said)}</text>`);
  }
  picture(x, y, width, height, source) {
    this.parts.push(`<image x="${x}" y="${y}" width="${width}" height="${height}" ` +
      `style="image-rendering:pixelated" href="${source.toDataURL()}"/>`);
  }
  whole(width, height, title) {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">` +
      `<title>${escaped(title)}</title>${this.parts.join("")}</svg>`;
  }
}

// ---- where things stand

let measuring;
function widthOf(text) {
  measuring ??= document.createElement("canvas").getContext("2d");
  measuring.font = FONT;
  return measuring.measureText(text).width;
}

function short(text) {
  if (widthOf(text) <= LABEL) return text;
  let cut = [...text];
  while (cut.length > 1 && widthOf(cut.join("") + "…") > LABEL) cut = cut.slice(0, -1);
  return cut.join("") + "…";
}

function labelWidth(tokens) {
  return Math.ceil(Math.max(20, ...tokens.map((token) => widthOf(short(token)))));
}

function linesPlan(seen, options, room) {
  const { n } = seen;
  const label = labelWidth(seen.tokens);
  if (options.horizontal) {
    const x = [];
    let at = 8;
    for (const token of seen.tokens) {
      const width = Math.max(widthOf(short(token)), 10) + 8;
      x.push(at + width / 2);
      at += width;
    }
    return { kind: "horizontal", x, top: 24, bottom: 224, width: at + 8, height: 248 };
  }
  const step = n > 60 ? 15 : 21;
  const gap = Math.min(Math.max(room - 2 * label - 40, 90), 340);
  return { kind: "vertical", step, label, left: label + 10, right: label + 10 + gap,
    width: 2 * label + gap + 20, height: n * step + 8 };
}

function matrixPlan(seen, room) {
  const { n } = seen, label = labelWidth(seen.tokens);
  const cell = Math.max(2, Math.min(24, Math.floor((room - label - 20) / n)));
  const named = cell >= 13;
  const side = named ? label + 8 : 6;
  return { kind: "matrix", cell, named, side, width: side + cell * n + 6,
    height: side + cell * n + 6 };
}

// ---- drawing

function shade(value, signed) {
  return Math.min(1, signed ? Math.sqrt(Math.abs(value)) * 1.2 : Math.sqrt(value));
}

function colorOf(value, signed, ink) {
  return signed ? (value > 0 ? MORE : LESS) : ink.accent;
}

function drawLines(on, seen, plan, options, focus, ink) {
  const { n, values, signed, tokens } = seen;
  const end = plan.kind === "vertical"
    ? (place, query) => [query ? plan.left : plan.right, place * plan.step + plan.step / 2 + 4]
    : (place, query) => [plan.x[place], query ? plan.top + 10 : plan.bottom - 10];
  const least = Math.max(options.threshold, 0.002);
  const drawn = (query, key) => {
    const value = values[query * n + key];
    if (Math.abs(value) < least) return;
    on.line(...end(query, true), ...end(key, false), colorOf(value, signed, ink),
      shade(value, signed), focus ? 2 : 1.5);
  };
  for (let other = 0; other < n; other++) {
    if (focus?.side === "query") drawn(focus.place, other);
    else if (focus) drawn(other, focus.place);
    else for (let key = 0; key < n; key++) drawn(other, key);
  }
  tokens.forEach((token, place) => {
    for (const side of ["query", "key"]) {
      const [x, y] = end(place, side === "query");
      const strong = focus?.side === side && focus.place === place;
      const color = strong ? MORE : ink.text;
      if (plan.kind === "vertical") {
        on.text(side === "query" ? x - 5 : x + 5, y, short(token),
          side === "query" ? "right" : "left", color);
      } else {
        on.text(x, side === "query" ? plan.top : plan.bottom, short(token), "center", color);
      }
    }
  });
}

function drawMatrix(on, seen, plan, options, focus, ink) {
  const { n, values, signed, tokens } = seen, { cell, side } = plan;
  if (n > 64) {
    on.picture(side, side, n * cell, n * cell, pictureOf(seen, options, ink));
  } else {
    for (let query = 0; query < n; query++) {
      for (let key = 0; key < n; key++) {
        const value = values[query * n + key];
        if (Math.abs(value) < Math.max(options.threshold, 0.0005)) continue;
        on.rect(side + key * cell, side + query * cell, cell - 1, cell - 1,
          colorOf(value, signed, ink), shade(value, signed));
      }
    }
  }
  if (plan.named) {
    tokens.forEach((token, place) => {
      const middle = side + place * cell + cell / 2;
      on.text(side - 5, middle, short(token), "right", focus?.place === place ? MORE : ink.text);
      on.text(middle, side - 5, short(token), "left", focus?.key === place ? MORE : ink.text, -90);
    });
  }
  if (focus) {
    on.rect(side, side + focus.place * cell, n * cell, Math.max(1, cell - 1), ink.text, 0.12);
    if (focus.key >= 0) {
      on.rect(side + focus.key * cell, side, Math.max(1, cell - 1), n * cell, ink.text, 0.12);
    }
  }
}

function rgb(color) {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
}

function pictureOf({ n, values, signed }, options, ink) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = n;
  const context = canvas.getContext("2d"), image = context.createImageData(n, n);
  const [plain, more, less] = [ink.accent, MORE, LESS].map(rgb);
  for (let at = 0; at < n * n; at++) {
    const value = values[at];
    if (Math.abs(value) < options.threshold) continue;
    const color = signed ? (value > 0 ? more : less) : plain;
    image.data.set([...color, 255 * shade(value, signed)], 4 * at);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// ---- query and key: a row a key, a column a dimension

function productsPlan(products, room) {
  const { tokens, width } = products, label = labelWidth(tokens);
  const cell = Math.max(5, Math.min(16, Math.floor((room - label - 240) / width)));
  return { kind: "products", cell, step: 19, label, top: 46, left: label + 10,
    width: label + cell * width + 250, height: 46 + tokens.length * 19 + 6 };
}

// What a mask forbids scores minus infinity.
function fixed(score, digits) {
  return score === -Infinity ? "−∞" : score.toFixed(digits);
}

function productsRow(products, query, key) {
  const { width, scores, tokens } = products, row = new Float32Array(width);
  let sum = 0;
  for (let at = 0; at < width; at++) {
    row[at] = products.query[query * width + at] * products.key[key * width + at];
    sum += row[at];
  }
  return { row, sum, score: scores[query * tokens.length + key] };
}

function drawProducts(on, state, plan, focus, ink) {
  const { products, words } = state.data, query = state.options.query;
  const { tokens, width } = products, { cell, step, top, left } = plan;
  const rows = tokens.map((_, key) => productsRow(products, query, key));
  const most = Math.max(1e-9, ...rows.map(({ row }) => Math.max(...row.map(Math.abs))));
  const own = products.query.subarray(query * width, (query + 1) * width);
  const mostOwn = Math.max(1e-9, ...own.map(Math.abs));
  const numbers = left + cell * width;
  const titles = [words.sum, words.score, words.weight];
  titles.forEach((title, at) => on.text(numbers + 78 * (at + 1), top - 12, title, "right", ink.text));
  on.text(left - 5, 14, short(tokens[query]), "right", MORE);
  own.forEach((value, at) => on.rect(left + at * cell, 6, cell - 1, 16,
    value > 0 ? MORE : LESS, Math.abs(value) / mostOwn));
  rows.forEach(({ row, sum, score }, key) => {
    const y = top + key * step;
    const strong = focus?.place === key;
    on.text(left - 5, y + step / 2, short(tokens[key]), "right", strong ? MORE : ink.text);
    row.forEach((value, at) => on.rect(left + at * cell, y + 1, cell - 1, step - 2,
      value > 0 ? MORE : LESS, Math.abs(value) / most));
    const weight = state.data.panels[0].weights[query * tokens.length + key];
    [sum.toFixed(2), fixed(score, 2), weight.toFixed(3)].forEach((said, at) =>
      on.text(numbers + 78 * (at + 1), y + step / 2, said, "right", strong ? MORE : ink.text));
  });
}

// ---- putting it on the page

function inkOf(root) {
  const style = getComputedStyle(root);
  const [red, green, blue] = (style.color.match(/\d+/g) ?? [17, 17, 17]).map(Number);
  const dark = red + green + blue > 380;
  return { text: `rgb(${red},${green},${blue})`, accent: dark ? "#56b4e9" : "#00639c" };
}

function shownOf(state) {
  const { data, options } = state;
  if (data.view === "products") {
    return [{ title: data.panels[0].title, products: true, tokens: data.products.tokens }];
  }
  const seen = data.panels.map((panel) => seenOf(panel, options));
  if (options.difference && data.alike && seen[0].n === seen[1].n) {
    seen.push(difference(...seen, data.words.difference));
  }
  return seen;
}

function planOf(state, seen, room) {
  if (seen.products) return productsPlan(state.data.products, room);
  return state.data.view === "matrix" ? matrixPlan(seen, room)
    : linesPlan(seen, state.options, room);
}

function drawn(on, state, seen, plan, focus, ink) {
  if (plan.kind === "products") drawProducts(on, state, plan, focus, ink);
  else if (plan.kind === "matrix") drawMatrix(on, seen, plan, state.options, focus, ink);
  else drawLines(on, seen, plan, state.options, focus, ink);
}

function paint(state, panel, focus) {
  const { canvas, seen, plan } = panel;
  const dense = Math.min(devicePixelRatio, Math.sqrt(3e7 / (plan.width * plan.height)));
  canvas.width = plan.width * dense;
  canvas.height = plan.height * dense;
  canvas.style.width = `${plan.width}px`;
  canvas.style.height = `${plan.height}px`;
  const context = canvas.getContext("2d");
  context.scale(dense, dense);
  drawn(new Screen(context), state, seen, plan, focus, inkOf(state.root));
}

function draw(state) {
  const started = performance.now();
  const all = shownOf(state);
  const whole = state.box.clientWidth || 700;
  const room = all.length > 1 && whole > 760 ? (whole - 40) / Math.min(all.length, 2) : whole;
  state.box.replaceChildren();
  state.panels = all.map((seen) => {
    const part = make(state.box, "div", { class: "panel" });
    make(part, "h4", {}, seen.title);
    const canvas = make(make(part, "div", { class: "scroll" }), "canvas", {
      tabindex: "0", role: "application", "aria-label": `${seen.title}. ${state.data.words.keys}`,
    });
    const panel = { canvas, seen, plan: planOf(state, seen, room) };
    listen(state, panel);
    paint(state, panel, state.lock);
    return panel;
  });
  state.root.dataset.drawnMs = Math.round(performance.now() - started);
}

function repaint(state, focus) {
  if (!state.root.isConnected) return;  // the reader has left
  for (const panel of state.panels) {
    const fits = !focus || focus.place < panel.seen.tokens.length;
    paint(state, panel, fits ? focus : null);
  }
  state.said.textContent = focus ? sentence(state, focus) : state.data.words.hint;
}

// ---- pointing and walking

function under(panel, event) {
  const box = panel.canvas.getBoundingClientRect();
  const x = event.clientX - box.left, y = event.clientY - box.top;
  const { plan } = panel, n = panel.seen.tokens.length;
  const within = (place) => (place >= 0 && place < n ? place : -1);
  if (plan.kind === "vertical") {
    const place = within(Math.floor((y - 4) / plan.step));
    const side = x < (plan.left + plan.right) / 2 ? "query" : "key";
    return place < 0 ? null : { panel, side, place };
  }
  if (plan.kind === "horizontal") {
    let place = 0;
    plan.x.forEach((at, index) => {
      if (Math.abs(at - x) < Math.abs(plan.x[place] - x)) place = index;
    });
    return { panel, side: y < (plan.top + plan.bottom) / 2 ? "query" : "key", place };
  }
  if (plan.kind === "products") {
    const place = within(Math.floor((y - plan.top) / plan.step));
    const dimension = Math.floor((x - plan.left) / plan.cell);
    return place < 0 ? null : { panel, side: "product", place, dimension };
  }
  const place = within(Math.floor((y - plan.side) / plan.cell));
  return place < 0 ? null
    : { panel, side: "query", place, key: within(Math.floor((x - plan.side) / plan.cell)) };
}

function sentence(state, { panel, side, place, key = -1, dimension = -1 }) {
  const { words } = state.data;
  if (side === "product") return productSaid(state, place, dimension);
  const { n, values, tokens, signed } = panel.seen;
  const said = (value) => (signed && value > 0 ? "+" : "") + value.toFixed(3);
  if (key >= 0) return `${tokens[place]} → ${tokens[key]}: ${said(values[place * n + key])}`;
  const all = [...tokens.keys()].map((other) =>
    [other, side === "query" ? values[place * n + other] : values[other * n + place]]);
  all.sort((one, other) => Math.abs(other[1]) - Math.abs(one[1]));
  const most = all.slice(0, 6).map(([other, value]) => `${tokens[other]} ${said(value)}`);
  const verb = side === "query" ? words.looks : words.looked;
  return `${place} “${tokens[place]}” ${verb} ${most.join(" · ")}`;
}

function productSaid(state, key, dimension) {
  const { products, words } = state.data, { query } = state.options;
  const { width, tokens } = products;
  const { row, sum, score } = productsRow(products, query, key);
  const pair = `${tokens[query]} → ${tokens[key]}`;
  if (dimension < 0 || dimension >= width) {
    return `${pair}: ${words.sum} ${sum.toFixed(3)}, ${words.score} ${fixed(score, 3)}`;
  }
  const one = products.query[query * width + dimension];
  const other = products.key[key * width + dimension];
  return `${pair}, ${words.dimension} ${dimension}: ` +
    `${one.toFixed(3)} × ${other.toFixed(3)} = ${row[dimension].toFixed(3)}`;
}

function listen(state, panel) {
  const { canvas } = panel;
  canvas.addEventListener("pointermove", (event) => {
    if (!state.lock) repaint(state, under(panel, event));
  });
  canvas.addEventListener("pointerleave", () => { if (!state.lock) repaint(state, null); });
  canvas.addEventListener("click", (event) => {
    state.lock = state.lock ? null : under(panel, event);
    repaint(state, state.lock);
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const n = panel.seen.tokens.length;
    if (step) {
      const place = state.lock ? (state.lock.place + step + n) % n : 0;
      state.lock = { panel, side: panel.seen.products ? "product" : "query", place };
    } else if (event.key === "Enter" && state.lock) {
      state.lock = { ...state.lock, side: state.lock.side === "query" ? "key" : "query" };
    } else if (event.key === "Escape") {
      state.lock = null;
    } else {
      return;
    }
    event.preventDefault();
    repaint(state, state.lock);
  });
}

// ---- files

function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function saveAll(state, kind) {
  state.panels.forEach(({ seen, plan, canvas }, number) => {
    const name = `attention${number || ""}.${kind}`;
    if (kind === "png") {
      canvas.toBlob((blob) => save(name, blob));
      return;
    }
    const on = new Drawing();
    const ink = { text: "#111111", accent: "#00639c" };
    drawn(on, state, seen, plan, state.lock, ink);
    save(name, new Blob([on.whole(plan.width, plan.height, seen.title)], { type: "image/svg+xml" }));
  });
}

// ---- controls

function check(state, name, cannot = false) {
  const label = make(state.controls, "label", cannot ? { title: state.data.words.unlike } : {});
  const box = make(label, "input", { type: "checkbox" });
  box.disabled = cannot;
  box.checked = state.options[name] && !cannot;
  label.append(document.createTextNode(state.data.words[name]));
  box.addEventListener("change", () => {
    state.options[name] = box.checked;
    state.lock = null;
    draw(state);
  });
}

function slider(state) {
  const label = make(state.controls, "label", {}, state.data.words.threshold);
  const range = make(label, "input", { type: "range", min: "0", max: "0.5", step: "0.01" });
  const told = make(label, "output");
  range.value = state.options.threshold;
  told.textContent = Number(range.value).toFixed(2);
  range.addEventListener("input", () => {
    state.options.threshold = Number(range.value);
    told.textContent = state.options.threshold.toFixed(2);
    repaint(state, state.lock);
  });
}

function asker(state) {
  const label = make(state.controls, "label", {}, state.data.words.asks);
  const list = make(label, "select", { "aria-label": state.data.words.asks });
  state.data.products.tokens.forEach((token, place) =>
    make(list, "option", { value: place }, `${place} · ${token}`));
  list.value = String(state.options.query);
  list.addEventListener("change", () => {
    state.options.query = Number(list.value);
    state.lock = null;
    draw(state);
  });
}

function controls(state) {
  state.controls.replaceChildren();
  if (state.data.view === "products") {
    asker(state);
  } else {
    for (const name of ["special", "punctuation", "renormalise"]) check(state, name);
    if (state.data.view === "lines") check(state, "horizontal");
    if (state.data.panels.length > 1) check(state, "difference", !state.data.alike);
    slider(state);
  }
  for (const kind of ["svg", "png"]) {
    const button = make(state.controls, "button", { type: "button" }, kind.toUpperCase());
    button.setAttribute("aria-label", `${state.data.words.save} ${kind.toUpperCase()}`);
    button.addEventListener("click", () => saveAll(state, kind));
  }
}

function begun(root, data) {
  root.replaceChildren();
  const state = { root, lock: null, panels: [] };
  state.controls = make(root, "div", { class: "controls" });
  state.said = make(root, "div", { class: "said", role: "status" });
  state.box = make(root, "div", { class: "panels" });
  const long = data.panels[0].tokens.length > MANY;
  state.options = { special: false, punctuation: false, renormalise: true, difference: false,
    horizontal: data.horizontal, threshold: long ? 0.02 : 0.01, query: data.query };
  state.watcher = new ResizeObserver(() => {
    // In the next frame: what is drawn has a size itself.
    requestAnimationFrame(() => {
      const width = state.box.clientWidth;
      if (root.isConnected && width && state.seen && Math.abs(state.seen - width) > 20) draw(state);
      state.seen = width || state.seen;
    });
  });
  state.watcher.observe(root);
  return state;
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".attention-view");
  const given = JSON.stringify(data);
  const state = (root.inspectorState ??= begun(root, data));
  if (state.given === given) return;
  const other = state.data && (state.data.horizontal !== data.horizontal ||
    state.data.panels[0].tokens.length !== data.panels[0].tokens.length);
  if (other) {
    Object.assign(state.options, { horizontal: data.horizontal, query: data.query,
      threshold: data.panels[0].tokens.length > MANY ? 0.02 : 0.01 });
  }
  state.given = given;
  state.data = decoded(data);
  state.lock = null;
  controls(state);
  state.said.textContent = data.words.hint;
  draw(state);
}
