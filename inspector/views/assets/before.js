// What BertViz calls of require.js and jQuery, and nothing more.
// `palette` is set in front of this file.
(() => {
  const wrap = (nodes) => ({
    nodes,
    append(other) { nodes.forEach((node) => node.append(...other.nodes)); return this; },
    attr(name, value) { nodes.forEach((node) => node.setAttribute(name, value)); return this; },
    change() { nodes.forEach((node) => node.dispatchEvent(new Event("change"))); return this; },
    empty() { nodes.forEach((node) => node.replaceChildren()); return this; },
    on(type, listener) { nodes.forEach((node) => node.addEventListener(type, listener)); return this; },
    text(value) { nodes.forEach((node) => { node.textContent = value; }); return this; },
    val(value) { nodes.forEach((node) => { node.value = value; }); return this; },
  });
  const select = (what) =>
    wrap(what.startsWith("<") ? [document.createElement("option")] : [...document.querySelectorAll(what)]);
  const d3 = Object.create(window.d3, { schemeCategory10: { value: palette } });
  window.requirejs = (names, start) => start(select, d3);
})();
