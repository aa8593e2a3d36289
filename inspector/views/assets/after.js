// Names for what BertViz draws without them: the heads' boxes can be read, heard and reached by
// keyboard. BertViz draws anew when a layer is chosen, so the names are given after each drawing.
// `called`, what its own words are called, is set in front of before.js.
(() => {
  const drawing = document.querySelector("#vis");
  const name = (selector, label) => document.querySelector(selector)?.setAttribute("aria-label", label);
  const svgElement = (tag, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    element.textContent = text;
    return element;
  };

  const nameHeads = (svg) => {
    const boxes = [...svg.lastElementChild.querySelectorAll("rect")];
    const tell = () => boxes.forEach((box) => box.setAttribute("aria-checked", String(box.__data__)));
    boxes.forEach((box, head) => {
      box.append(svgElement("title", `head ${head}`));
      box.setAttribute("role", "checkbox");
      box.setAttribute("aria-label", `head ${head}`);
      box.setAttribute("tabindex", "0");
      box.addEventListener("click", tell);
      box.addEventListener("dblclick", tell);
      box.addEventListener("keydown", (event) => {
        if (event.key !== " " && event.key !== "Enter") return;
        event.preventDefault();
        box.dispatchEvent(new MouseEvent(event.key === "Enter" ? "dblclick" : "click"));
      });
      const number = svgElement("text", head);
      number.setAttribute("class", "number");
      number.setAttribute("aria-hidden", "true");
      number.setAttribute("x", +box.getAttribute("x") + box.getAttribute("width") / 2);
      number.setAttribute("y", +box.getAttribute("y") + 14);
      svg.lastElementChild.append(number);
    });
    tell();
  };

  const inReadersLanguage = (word) => Object.hasOwn(called, word) ? called[word] : word;

  // The model view is drawn for one width: with a view box it shrinks to the page's.
  const fitHeads = (svg) => {
    svg.setAttribute("viewBox", `0 0 ${svg.getAttribute("width")} ${svg.getAttribute("height")}`);
    svg.querySelectorAll("text").forEach((text) => {
      text.textContent = inReadersLanguage(text.textContent);
    });
  };

  const nameDrawing = () => {
    const svg = drawing.querySelector("svg");
    if (!svg || svg.hasAttribute("aria-label")) return;
    svg.setAttribute("aria-label", document.title);
    svg.setAttribute("role", "group");
    if (document.body.dataset.view === "head") nameHeads(svg);
    else fitHeads(svg);
  };

  // "Layer:" stands as bare text in front of its choice.
  document.querySelectorAll("#attention span").forEach((label) => label.childNodes.forEach((node) => {
    if (node.nodeType !== Node.TEXT_NODE || !node.textContent.trim()) return;
    node.textContent = `${inReadersLanguage(node.textContent.trim())} `;
  }));

  name("#layer", "layer");
  name("#filter", "which sentence looks at which");
  new MutationObserver(nameDrawing).observe(drawing, { childList: true });
  nameDrawing();
})();
