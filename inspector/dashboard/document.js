// What no element of the page can do: name the document's language, and keep steps out of the
// history. Going one head further, or completing the address of a page that was just opened, replaces
// the entry; every other choice adds one, so that Back undoes it.
const STEPS = [
  "layer", "head", "layer2", "head2", "layer_b", "head_b", "position", "sample", "step",
];

function isStep(from, to) {
  const keys = new Set([...from.keys(), ...to.keys()]);
  const other = [...keys].filter((key) => from.get(key) !== to.get(key));
  const first = other[0] === "step" ? 1 : 0;
  const moved = Number(to.get(other[0]) ?? first) - Number(from.get(other[0]) ?? first);
  return other.length === 1 && STEPS.includes(other[0]) && Math.abs(moved) === 1;
}

function watchHistory() {
  const push = window.history.pushState.bind(window.history);
  let turned = true;
  for (const act of ["pointerdown", "keydown", "popstate"]) {
    window.addEventListener(act, () => { turned = false; }, true);
  }
  window.history.pushState = (state, unused, url) => {
    const to = new URL(url, window.location.href);
    const same = to.pathname === window.location.pathname;
    const from = new URLSearchParams(window.location.search);
    if (same && (turned || isStep(from, to.searchParams))) {
      window.history.replaceState(state, unused, url);
    } else {
      push(state, unused, url);
    }
    turned = !same;
  };
}

// This script comes late where the network is slow: the address of the page that was opened is then
// completed already, by an entry of its own. Back would end at the one before it, of the same page.
function passEntryBefore() {
  const opened = new URL(performance.getEntriesByType("navigation")[0].name);
  const isThere = () =>
    window.location.pathname === opened.pathname && window.location.search === opened.search;
  if (window.location.pathname !== opened.pathname || isThere()) return;
  window.addEventListener("popstate", () => { if (isThere()) window.history.back(); });
}

// A formula or a table that scrolls must be reached by keys: it becomes a stop of Tab.
const WIDE = ".katex-display, .stMarkdown table, .inspector-table, .st-key-kinds td";

function reachByKeys(one) {
  const scrolls = one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight;
  if (scrolls) one.tabIndex = 0;
}

function watchScrolled() {
  const reach = () => document.querySelectorAll(WIDE).forEach(reachByKeys);
  // Told in the very frame in which a size changed: a fold opens, the window narrows.
  const sizes = new ResizeObserver(reach);
  const watched = new WeakSet();
  const watch = () => {
    for (const one of document.querySelectorAll(WIDE)) {
      // Of a formula only its innermost boxes grow with the font; those around them overflow.
      for (const sized of [one, ...one.children, ...one.querySelectorAll(".base")]) {
        if (watched.has(sized)) continue;
        watched.add(sized);
        sizes.observe(sized);
      }
    }
  };
  new MutationObserver(watch).observe(document.body, { childList: true, subtree: true });
  document.fonts.addEventListener("loadingdone", reach);
  watch();
}

export default function ({ data }) {
  document.documentElement.lang = data.lang;
  if (!window.inspectorWatchesHistory) {
    window.inspectorWatchesHistory = true;
    watchHistory();
    passEntryBefore();
    watchScrolled();
  }
}
