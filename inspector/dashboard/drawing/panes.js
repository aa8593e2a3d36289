// Matrices drawn whole: scrolled, zoomed, and each cell read as the sum that it is. What is said of
// a cell is computed here, from the numbers of its operands.
const LEVELS = [2, 4, 8, 14, 22, 54];
const NUMBERS = 54;
const TALL = 24;
const LABELLED = 10;
const MOST_HIGH = 420;
const MOST_LABEL = 96;
const BESIDE = 800;
const ALL_TERMS = 64;
const LARGEST_TERMS = 24;
const POSITIVE = [230, 159, 0];
const NEGATIVE = [0, 114, 178];

const floats = (text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
};

function written(x) {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x < 0 ? "−∞" : "∞";
  const size = Math.abs(x);
  const far = size >= 1e5 || (size > 0 && size < 1e-3);
  return (far ? x.toExponential(2) : x.toFixed(size < 10 ? 3 : 2)).replace(/-/g, "−");
}

const within = (x) => (x < 0 ? `(${written(x)})` : written(x));

// The terms in their order; of many the largest, and what the others come to.
function summed(terms, words) {
  const total = terms.reduce((sum, term) => sum + term.value, 0);
  if (terms.length <= ALL_TERMS) return [terms.map((term) => term.text).join(" + "), total];
  const order = terms.map((term, index) => index);
  order.sort((a, b) => Math.abs(terms[b].value) - Math.abs(terms[a].value));
  const kept = order.slice(0, LARGEST_TERMS).sort((a, b) => a - b).map((index) => terms[index]);
  const rest = total - kept.reduce((sum, term) => sum + term.value, 0);
  const others = words.others
    .replace("{count}", terms.length - kept.length).replace("{sum}", written(rest));
  return [`${kept.map((term) => term.text).join(" + ")} + ${others}`, total];
}

// How a cell comes about: [what it is, term by term, its value].
const MADE = {
  product({ made, pane, named, row, column, words }) {
    const left = named[made.left], right = named[made.right];
    const terms = [];
    for (let k = 0; k < left.n[1]; k += 1) {
      const a = left.at(row, k);
      const b = made.by === "row" ? right.at(column, k) : right.at(k, column);
      terms.push({ value: a * b, text: `${within(a)}·${within(b)}` });
    }
    const other = made.by === "row" ? right.row(column) : right.column(column);
    const bias = made.bias ? floats(made.bias)[column] : null;
    const [text, total] = summed(terms, words);
    const said = `${made.left}[${left.row(row)}] · ${made.right}[${other}]`;
    if (bias === null) return [said, text, total];
    return [`${said} + b`, `${text} + ${within(bias)}`, total + bias];
  },
  scale({ made, named, row, column }) {
    const value = named[made.of].at(row, column);
    const by = made.root ? ` / √${made.root}` : ` · ${written(made.factor)}`;
    return [`${made.of}${by}`, `${within(value)}${by}`, value * made.factor];
  },
  cap({ made, named, row, column }) {
    const value = named[made.of].at(row, column), c = made.cap;
    return [`${c} · tanh(${made.of} / ${c})`, `${c} · tanh(${written(value)} / ${c})`,
      c * Math.tanh(value / c)];
  },
  add({ made, named, row, column }) {
    const [a, b] = made.of.map((name) => named[name].at(row, column));
    return [made.of.join(" + "), `${within(a)} + ${within(b)}`, a + b];
  },
  mask({ made, named, row, column, words }) {
    const may = named[made.mask].at(row, column) === 1;
    const value = may ? named[made.of].at(row, column) : -Infinity;
    return [`M = ${may ? 1 : 0}`, may ? words.may : words.may_not, value];
  },
  softmax({ made, named, row, column, words }) {
    const of = named[made.of];
    let largest = made.sink ?? -Infinity;
    for (let j = 0; j < of.n[1]; j += 1) largest = Math.max(largest, of.at(row, j));
    if (largest === -Infinity) return ["0", words.may_not, 0];
    const power = (s) => ({
      value: Math.exp(s - largest),
      text: s === -Infinity ? "0" : `e^(${written(s)} − ${within(largest)})`,
    });
    const terms = [];
    for (let j = 0; j < of.n[1]; j += 1) terms.push(power(of.at(row, j)));
    if (made.sink !== null) terms.push(power(made.sink));
    const [text, total] = summed(terms, words);
    const own = terms[column];
    return [`e^${made.of} / Σ e^${made.of}`,
      `${own.text} / (${text}) = ${written(own.value)} / ${written(total)}`, own.value / total];
  },
  additive({ made, named, row, column, words }) {
    const left = named[made.left], right = named[made.right], v = floats(made.vector);
    const terms = [...v].map((weight, k) => {
      const a = left.at(row, k), b = right.at(column, k);
      return {
        value: weight * Math.tanh(a + b),
        text: `${within(weight)}·tanh(${within(a)} + ${within(b)})`,
      };
    });
    return ["v · tanh(W q + U k)", ...summed(terms, words)];
  },
  block({ made, named, row, column, words }) {
    const left = named[made.left], right = named[made.right], width = left.n[1];
    const terms = [];
    for (let k = 0; k < width; k += 1) {
      const a = left.at(row, k), b = right.at(column, row * width + k);
      terms.push({ value: a * b, text: `${within(a)}·${within(b)}` });
    }
    return [`${made.left}[${left.row(row)}] · ${made.right}[${column}]`, ...summed(terms, words)];
  },
  total({ made, named, column, words }) {
    const of = named[made.of], bias = floats(made.bias)[column];
    const terms = [];
    for (let h = 0; h < of.n[0]; h += 1) {
      terms.push({ value: of.at(h, column), text: within(of.at(h, column)) });
    }
    const [text, total] = summed(terms, words);
    return [`Σ ${made.of} + b`, `${text} + ${within(bias)}`, total + bias];
  },
};

// What else lights up when a cell is pointed at: [pane, row, column], null for all.
function lit(pane, row, column) {
  const made = pane.made;
  if (!made) return [];
  if (made.kind === "product") {
    const other = made.by === "row" ? [made.right, column, null] : [made.right, null, column];
    return [[made.left, row, null], other];
  }
  if (made.kind === "additive") return [[made.left, row, null], [made.right, column, null]];
  if (made.kind === "softmax") return [[made.of, row, null]];
  if (made.kind === "block") return [[made.left, row, null], [made.right, column, null]];
  if (made.kind === "total") return [[made.of, null, column]];
  return [made.of, made.mask].flat().filter(Boolean).map((name) => [name, row, column]);
}

class Pane {
  constructor(data, drawing) {
    Object.assign(this, data);
    this.drawing = drawing;
    this.numbers = floats(data.values);
    this.strongest = 0;
    for (const x of this.numbers) {
      if (Number.isFinite(x)) this.strongest = Math.max(this.strongest, Math.abs(x));
    }
    this.cell = [0, 0];
    this.marks = [];
    this.build();
  }

  at(row, column) { return this.numbers[row * this.n[1] + column]; }
  row(index) { return this.rows ? this.rows[index] : String(index); }
  column(index) { return this.columns ? this.columns[index] : String(index); }

  build() {
    const { words } = this.drawing;
    const make = (tag, name, text) => {
      const element = document.createElement(tag);
      if (name) element.className = name;
      if (text) element.textContent = text;
      return element;
    };
    this.figure = make("figure", this.pick ? "pane pick" : "pane");
    const caption = make("figcaption");
    caption.append(make("strong", "", this.name), make("span", "", this.shape));
    for (const [sign, step, label] of [["−", -1, words.smaller], ["+", 1, words.larger]]) {
      if (this.map) break;
      const button = make("button", "zoom", sign);
      button.type = "button";
      button.setAttribute("aria-label", `${label}: ${this.name}`);
      button.addEventListener("click", () => this.zoom(step));
      caption.append(button);
    }
    this.scroll = make("div", "scroll");
    this.scroll.tabIndex = 0;
    this.scroll.setAttribute("role", this.pick ? "button" : "application");
    this.scroll.setAttribute("aria-label", `${this.name}: ${this.shape}`);
    if (this.pick) this.scroll.setAttribute("aria-pressed", String(this.chosen));
    this.size = make("div", "size");
    this.canvas = make("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.size.append(this.canvas);
    this.scroll.append(this.size);
    this.figure.append(caption, this.scroll);
    this.listen();
  }

  listen() {
    this.scroll.addEventListener("scroll", () => this.draw());
    this.scroll.addEventListener("pointermove", (event) => {
      const cell = this.cellAt(event);
      if (cell && !this.drawing.locked) this.drawing.say(this, ...cell);
    });
    this.scroll.addEventListener("pointerleave", () => this.drawing.leave());
    this.scroll.addEventListener("click", (event) => this.chosenAt(this.cellAt(event)));
    this.scroll.addEventListener("wheel", (event) => {
      if (!event.ctrlKey || this.map) return;
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1 : -1);
    }, { passive: false });
    this.scroll.addEventListener("keydown", (event) => this.pressed(event));
  }

  chosenAt(cell) {
    if (this.pick) this.drawing.picked(this);
    else if (cell) this.drawing.lock(this, ...cell);
  }

  pressed(event) {
    const move = {
      ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
      Home: [0, -this.n[1]], End: [0, this.n[1]],
    }[event.key];
    if (event.key === "Enter" || event.key === " ") this.chosenAt(this.cell);
    else if (event.key === "Escape") this.drawing.unlock();
    else if ((event.key === "+" || event.key === "-") && !this.map) {
      this.zoom(event.key === "+" ? 1 : -1);
    } else if (move && !this.pick) {
      this.cell = this.cell.map((x, axis) => Math.min(Math.max(x + move[axis], 0), this.n[axis] - 1));
      this.drawing.locked = false;
      this.reveal();
      this.drawing.say(this, ...this.cell);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  reveal() {
    const [row, column] = this.cell;
    const x = column * this.w, y = row * this.h;
    const wide = this.scroll.clientWidth - this.left, high = this.scroll.clientHeight - this.top;
    if (x < this.scroll.scrollLeft) this.scroll.scrollLeft = x;
    if (x + this.w > this.scroll.scrollLeft + wide) this.scroll.scrollLeft = x + this.w - wide;
    if (y < this.scroll.scrollTop) this.scroll.scrollTop = y;
    if (y + this.h > this.scroll.scrollTop + high) this.scroll.scrollTop = y + this.h - high;
  }

  cellAt(event) {
    const box = this.scroll.getBoundingClientRect();
    const x = event.clientX - box.left - this.left, y = event.clientY - box.top - this.top;
    const column = Math.floor((x + this.scroll.scrollLeft) / this.w);
    const row = Math.floor((y + this.scroll.scrollTop) / this.h);
    const inside = x >= 0 && y >= 0 && row < this.n[0] && column < this.n[1];
    return inside ? [row, column] : null;
  }

  zoom(step) {
    this.level = Math.min(Math.max(this.level + step, 0), LEVELS.length - 1);
    this.measure();
    this.draw();
  }

  // The largest cells with which the whole matrix is as wide as there is room for.
  fit(width) {
    this.room = width;
    this.level = LEVELS.length - 1;
    do {
      this.measure();
      if (this.map || this.left + this.n[1] * this.w <= width) return;
      this.level -= 1;
    } while (this.level >= 0);
    this.level = 0;
    this.measure();
  }

  measure() {
    this.w = LEVELS[this.level];
    if (this.map) {
      const room = this.room - (this.n[0] <= 24 ? MOST_LABEL - 26 : 0);
      this.w = Math.max(room / this.n[1], 0.5);
    }
    const [n_rows, n_columns] = this.n;
    this.h = this.w === NUMBERS ? TALL : this.w;
    if (!this.map && n_rows <= 64) this.h = Math.max(this.h, 13);
    const pen = this.canvas.getContext("2d");
    pen.font = this.font();
    const longest = (count, label) => {
      let most = 0;
      for (let i = 0; i < Math.min(count, 600); i += 1) {
        most = Math.max(most, pen.measureText(label(i)).width);
      }
      return Math.min(most, MOST_LABEL) + 8;
    };
    this.left = this.h >= LABELLED ? longest(n_rows, (i) => this.row(i)) : 2;
    this.rotated = false;
    this.top = 2;
    if (this.w >= LABELLED) {
      const label = longest(n_columns, (i) => this.column(i));
      this.rotated = label > this.w;
      this.top = this.rotated ? Math.min(label, MOST_LABEL) : 18;
    }
    const wide = Math.ceil(this.left + n_columns * this.w) + 2;
    const high = Math.ceil(this.top + n_rows * this.h) + 2;
    this.size.style.width = `${wide}px`;
    this.size.style.height = `${high}px`;
    this.scroll.style.maxHeight = this.map ? "none" : `${MOST_HIGH}px`;
    this.scroll.style.overflow = this.map ? "hidden" : "auto";
    this.scroll.style.width = `${Math.min(wide + (high > MOST_HIGH ? 14 : 0), this.room)}px`;
    this.high = Math.min(high, this.map ? high : MOST_HIGH);
  }

  font() { return `12px ${this.drawing.family}`; }

  // One pixel a cell, made once.
  bitmap() {
    if (this.picture) return this.picture;
    const [n_rows, n_columns] = this.n;
    this.picture = document.createElement("canvas");
    this.picture.width = n_columns;
    this.picture.height = n_rows;
    const pen = this.picture.getContext("2d");
    const image = pen.createImageData(n_columns, n_rows);
    this.numbers.forEach((x, index) => {
      const share = Number.isFinite(x) && this.strongest > 0 ? Math.abs(x) / this.strongest : 0;
      const most = this.map ? 1 : 0.75;
      image.data.set([...(x < 0 ? NEGATIVE : POSITIVE), 255 * most * share], 4 * index);
    });
    pen.putImageData(image, 0, 0);
    return this.picture;
  }

  draw() {
    const scale = window.devicePixelRatio || 1;
    const wide = this.scroll.clientWidth, high = this.high;
    if (!wide) return;
    this.canvas.width = wide * scale;
    this.canvas.height = high * scale;
    this.canvas.style.width = `${wide}px`;
    this.canvas.style.height = `${high}px`;
    const pen = this.canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.clearRect(0, 0, wide, high);
    const { scrollLeft: right, scrollTop: down } = this.scroll;
    pen.save();
    pen.beginPath();
    pen.rect(this.left, this.top, wide - this.left, high - this.top);
    pen.clip();
    pen.translate(this.left - right, this.top - down);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.bitmap(), 0, 0, this.n[1] * this.w, this.n[0] * this.h);
    pen.strokeStyle = this.drawing.faint;
    pen.strokeRect(0, 0, this.n[1] * this.w, this.n[0] * this.h);
    pen.font = this.font();
    if (this.w === NUMBERS) this.writeNumbers(pen, right, down, wide, high);
    this.drawMarks(pen);
    pen.restore();
    this.writeLabels(pen, right, down, wide, high);
  }

  seen(start, size, length, count) {
    const first = Math.max(Math.floor(start / size), 0);
    return [first, Math.min(Math.ceil((start + length) / size) + 1, count)];
  }

  writeNumbers(pen, right, down, wide, high) {
    pen.fillStyle = this.drawing.ink;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    const [top, bottom] = this.seen(down, this.h, high, this.n[0]);
    const [left, end] = this.seen(right, this.w, wide, this.n[1]);
    for (let i = top; i < bottom; i += 1) {
      for (let j = left; j < end; j += 1) {
        const x = this.at(i, j);
        const text = this.whole ? String(x) : written(x);
        pen.fillText(text, (j + 1) * this.w - 5, (i + 0.5) * this.h, this.w - 6);
      }
    }
  }

  drawMarks(pen) {
    const box = (row, column, color, width) => {
      pen.strokeStyle = color;
      pen.lineWidth = width;
      const x = column === null ? 0 : column * this.w, y = row === null ? 0 : row * this.h;
      const wide = column === null ? this.n[1] * this.w : this.w;
      const high = row === null ? this.n[0] * this.h : this.h;
      pen.strokeRect(x + 0.5, y + 0.5, Math.max(wide - 1, 1), Math.max(high - 1, 1));
    };
    const { position } = this.drawing;
    if (this.by_position && position !== null && position < this.n[0]) {
      box(position, null, this.drawing.primary, 1);
    }
    for (const [row, column] of this.marks) box(row, column, this.drawing.ink, 2);
  }

  writeLabels(pen, right, down, wide, high) {
    pen.fillStyle = this.drawing.ink;
    pen.font = this.font();
    pen.textBaseline = "middle";
    if (this.left > 2) {
      pen.textAlign = "right";
      const [first, last] = this.seen(down, this.h, high, this.n[0]);
      for (let i = first; i < last; i += 1) {
        const y = this.top - down + (i + 0.5) * this.h;
        if (y < this.top + 2 || y > high) continue;
        pen.fillText(this.row(i), this.left - 5, y, this.left - 7);
      }
    }
    if (this.top > 2) {
      const [first, last] = this.seen(right, this.w, wide, this.n[1]);
      for (let j = first; j < last; j += 1) {
        const x = this.left - right + (j + 0.5) * this.w;
        if (x < this.left || x > wide) continue;
        pen.save();
        pen.translate(x, this.top - 4);
        pen.textAlign = this.rotated ? "left" : "center";
        if (this.rotated) pen.rotate(-Math.PI / 2);
        else pen.translate(0, -5);
        pen.fillText(this.column(j), 0, 0, this.rotated ? this.top - 6 : this.w);
        pen.restore();
      }
    }
  }
}

class Drawing {
  constructor(root, data, tell) {
    this.root = root;
    this.tell = tell;
    this.words = data.words;
    this.position = data.position;
    this.locked = false;
    const style = getComputedStyle(root);
    const value = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
    this.ink = value("--st-text-color", "#222");
    this.faint = value("--st-border-color", "#bbb");
    this.primary = value("--st-primary-color", "#0072b2");
    this.family = value("--st-font", "sans-serif");
    this.panes = data.panes.map((pane) => new Pane(pane, this));
    this.named = Object.fromEntries(this.panes.map((pane) => [pane.name, pane]));
    this.row = document.createElement("div");
    this.row.className = data.pictures ? `panes pictures ${data.pictures}` : "panes";
    this.row.append(...this.panes.map((pane) => pane.figure));
    this.readout = document.createElement("p");
    this.readout.className = "readout";
    this.readout.setAttribute("role", "status");
    this.readout.tabIndex = 0;
    this.readout.textContent = this.words.hint;
    root.replaceChildren(this.row, this.readout);
    this.watch = new ResizeObserver(() => this.fit());
    this.watch.observe(root);
    this.fit();
  }

  fit() {
    const width = this.row.clientWidth;
    if (!width || width === this.fitted) return;
    this.fitted = width;
    for (const pane of this.panes) {
      // Two operands side by side where they fit; what is made of them has all the width.
      const half = width >= BESIDE && !pane.made && this.panes.length > 1;
      const room = half && pane.n[1] * LEVELS[0] < width / 2 - MOST_LABEL ? width / 2 - 14 : width;
      pane.fit(pane.map ? pane.figure.clientWidth : room);
      pane.draw();
    }
  }

  say(pane, row, column) {
    for (const each of this.panes) {
      each.shown = each.marks.length > 0;
      each.marks = [];
    }
    pane.marks = [[row, column]];
    for (const [name, ...mark] of lit(pane, row, column)) this.named[name]?.marks.push(mark);
    for (const each of this.panes) if (each.shown || each.marks.length) each.draw();
    const where = `${pane.name}[${pane.row(row)}, ${pane.column(column)}]`;
    const value = pane.at(row, column);
    if (!pane.made) {
      this.readout.textContent = `${where} = ${pane.whole ? value : written(value)}`;
      return;
    }
    const [what, terms, total] = MADE[pane.made.kind]({
      made: pane.made, pane, named: this.named, row, column, words: this.words,
    });
    this.readout.textContent = `${where} = ${what} = ${terms} = ${written(total)}`;
  }

  leave() {
    if (this.locked) return;
    for (const pane of this.panes) {
      if (pane.marks.length) {
        pane.marks = [];
        pane.draw();
      }
    }
  }

  lock(pane, row, column) {
    this.locked = true;
    pane.cell = [row, column];
    this.say(pane, row, column);
    if (pane.by_position && row !== this.position) this.tell("position", row);
  }

  unlock() {
    this.locked = false;
    this.leave();
    this.readout.textContent = this.words.hint;
  }

  picked(pane) { this.tell("pick", this.panes.indexOf(pane)); }
}

const drawings = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".drawing");
  const before = drawings.get(root);
  const of = JSON.stringify(data.panes) + JSON.stringify(data.words);
  if (before && before.of === of) {
    before.drawing.position = data.position;
    for (const pane of before.drawing.panes) pane.draw();
    return undefined;
  }
  const held = before?.drawing;
  const focused = held ? held.panes.findIndex((pane) => pane.scroll.matches(":focus")) : -1;
  held?.watch.disconnect();
  const drawing = new Drawing(root, data, setTriggerValue);
  drawings.set(root, { of, drawing });
  if (focused >= 0) drawing.panes[focused]?.scroll.focus({ preventScroll: true });
  return () => drawing.watch.disconnect();
}
