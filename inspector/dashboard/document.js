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

// What Streamlit says of its own, and no argument of its changes; `data.own` says the same in the
// page's language. {a} and {b} stand for numbers, {name} for a name.
const OWN = {
  skip: "Skip to main content",
  sidebar: "Sidebar",
  collapse_sidebar: "Collapse sidebar",
  expand_sidebar: "Expand sidebar",
  pages: "App pages",
  open: "Open",
  decrement: "Decrement",
  increment: "Increment",
  columns: "Show/hide columns",
  csv: "Download as CSV",
  search: "Search",
  fullscreen: "Fullscreen",
  close_fullscreen: "Close fullscreen",
  show_data: "Show data",
  show_chart: "Show chart",
  png: "Download as PNG",
  vega: "Copy Vega-Lite spec",
  copied_spec: "Copied!",
  copy: "Copy to clipboard",
  copied: "Copied",
  clear_selection: "Clear selection",
  select_all: "Select all",
  column_menu: "Dataframe column menu",
  copy_name: "Copy column name",
  ascending: "Sort ascending",
  descending: "Sort descending",
  statistics: "Statistics",
  format: "Format",
  automatic: "Automatic",
  localized: "Localized",
  plain: "Plain",
  compact: "Compact",
  dollar: "Dollar",
  euro: "Euro",
  yen: "Yen",
  percent: "Percent",
  scientific: "Scientific",
  accounting: "Accounting",
  duration: "Duration",
  autosize: "Autosize",
  pin: "Pin column",
  unpin: "Unpin column",
  hide: "Hide column",
  values: "Values",
  empty: "Empty",
  distinct: "Distinct",
  minimum: "Minimum",
  percentile: "{a}th percentile",
  median: "Median",
  average: "Average",
  maximum: "Maximum",
  sum: "Sum",
  range: "Range",
  deviation: "Standard deviation",
  minimum_length: "Minimum length",
  average_length: "Average length",
  maximum_length: "Maximum length",
  sampled: "Based on sample",
  no_data: "No data",
  type_to_search: "Type to search",
  result: "{a} result",
  results: "{a} results",
  many_results: "over {a}",
  of_result: "{a} of {b} result",
  of_results: "{a} of {b} results",
  of_many_results: "{a} of over {b}",
  previous: "Previous Result",
  next: "Next Result",
  close_search: "Close Search",
  no_results: "No results",
  upload: "Upload",
  add_files: "Add files",
  remove: "Remove {name}",
  cancel_upload: "Cancel upload of {name}",
  too_large: "File must be {a} or smaller.",
  no_such_files: "{name} files are not allowed.",
  apply: "Press Enter to apply",
  apply_text: "Press Ctrl+Enter to apply",
  apply_text_mac: "Press ⌘+Enter to apply",
  stop: "Stop",
  stopping: "Stopping...",
  running: "Running...",
  connecting: "Connecting",
  connecting_why: "Connecting to Streamlit server",
  lost: "Connection error",
  lost_why: "Streamlit server is not responding. Are you connected to the internet?",
  lost_here: "Is Streamlit still running? If you accidentally stopped Streamlit, just restart it in your terminal:",
  dismiss: "Dismiss",
  close: "Close",
};
// Where it says so; what stands elsewhere is the page's or the reader's.
const PLACES = [
  "stElementToolbar", "stTooltipContent", "stDataFrameColumnMenu", "stDataFrameStatisticsMenu",
  "stDataFrameColumnFormattingMenu", "stDataFrameColumnVisibilityMenu", "stDialog", "stHeader",
  "stSkipToContent", "stFileUploader", "InputInstructions",
].map((name) => `[data-testid="${name}"]`)
  .concat('[role="listbox"][data-empty="true"]', ".gdg-search-status").join();
const SAID = ["aria-label", "title", "placeholder"];
const EXACT = new Map(Object.entries(OWN).map(([key, text]) => [text, key]));
const FILLED = Object.entries(OWN).filter(([, text]) => text.includes("{")).map(([key, text]) => [
  key, new RegExp("^" + text.replace(".", "\\.").replace("{name}", "(?<name>.+)")
    .replace(/\{([ab])\}/g, "(?<$1>[\\d.,]+ ?[KMG]?B?)") + "$"),
]);
// Of the window: this script is run anew wherever it is mounted.
window.inspectorSays ??= { lang: "", words: {}, before: new WeakMap() };
const SAYS = window.inspectorSays;

function inOurWords(text) {
  const key = EXACT.get(text);
  if (key) return SAYS.words[key];
  for (const [name, form] of FILLED) {
    const found = form.exec(text)?.groups;
    if (found) return SAYS.words[name]?.replace(/\{(\w+)\}/g, (_, what) => found[what]);
  }
  return undefined;
}

function said(node, name, text) {
  const known = SAYS.before.get(node) ?? {};
  const theirs = known[name]?.ours === text ? known[name].theirs : text;
  const ours = inOurWords(theirs.trim());
  if (!ours) return text;
  SAYS.before.set(node, { ...known, [name]: { theirs, ours } });
  return ours;
}

function translateText(root) {
  const nodes = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {
    const node = nodes.currentNode;
    const text = said(node, "text", node.data);
    if (text !== node.data) node.data = text;
  }
}

function translateNames(one) {
  for (const name of SAID) {
    const given = one.getAttribute(name);
    const text = given && said(one, name, given);
    if (text !== given) one.setAttribute(name, text);
  }
}

function translate(root) {
  const places = root.closest(PLACES) ? [root] : root.querySelectorAll(PLACES);
  places.forEach(translateText);
  [root, ...root.querySelectorAll(SAID.map((name) => `[${name}]`).join())].forEach(translateNames);
}

function watchWords() {
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      if (type === "attributes") {
        translateNames(target);
      } else {
        for (const one of type === "childList" ? addedNodes : [target]) {
          if (one.nodeType === Node.ELEMENT_NODE) translate(one);
          else if (one.parentElement?.closest(PLACES)) translateText(one.parentElement);
        }
      }
    }
  }).observe(document.body, {
    attributes: true, attributeFilter: SAID, characterData: true, childList: true, subtree: true,
  });
}

export default function ({ data }) {
  document.documentElement.lang = data.lang;
  if (SAYS.lang !== data.lang) {
    Object.assign(SAYS, { lang: data.lang, words: data.own });
    translate(document.body);
  }
  if (!window.inspectorWatchesHistory) {
    window.inspectorWatchesHistory = true;
    watchHistory();
    passEntryBefore();
    watchScrolled();
    watchWords();
  }
}
