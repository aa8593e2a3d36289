// Copies the page's address; the reader's texts are put into it only where he asks for that.
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".copy-link");
  const asked = root.querySelector("input")?.checked ?? false;
  root.replaceChildren();
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = data.words.copy_link;
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = asked;
  button.addEventListener("click", async () => {
    const address = new URL(window.location.href);
    if (box.checked) {
      for (const [name, text] of Object.entries(data.texts)) address.searchParams.set(name, text);
    }
    root.dataset.link = address.href;
    await navigator.clipboard.writeText(address.href).catch(() => {
      window.prompt(data.words.copy_link, address.href);
    });
    button.textContent = data.words.copied;
    setTimeout(() => { button.textContent = data.words.copy_link; }, 2000);
  });
  root.append(button);
  if (Object.keys(data.texts).length) {
    const label = document.createElement("label");
    label.append(box, document.createTextNode(data.words.with_texts));
    root.append(label);
  }
}
