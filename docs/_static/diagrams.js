// Draw the diagrams in the page's colours, and again when these change.
addEventListener("DOMContentLoaded", () => {
  const diagrams = [...document.querySelectorAll("pre.mermaid")];
  const sources = diagrams.map((diagram) => diagram.textContent);
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  let drawn;

  async function draw() {
    const chosen = document.body.dataset.theme;
    const dark = chosen === "dark" || (chosen !== "light" && prefersDark.matches);
    if (dark === drawn) return;
    drawn = dark;
    mermaid.initialize({
      startOnLoad: false,
      theme: dark ? "dark" : "default",
      flowchart: { useMaxWidth: false },
      sequence: { useMaxWidth: false, diagramMarginX: 0 },
    });
    diagrams.forEach((diagram, i) => {
      diagram.textContent = sources[i];
      delete diagram.dataset.processed;
    });
    await mermaid.run({ nodes: diagrams });
  }

  // One after another: a second drawing must not begin inside the first.
  let last = Promise.resolve();
  const redraw = () => (last = last.then(draw));
  redraw();
  prefersDark.addEventListener("change", redraw);
  new MutationObserver(redraw).observe(document.body, {
    attributeFilter: ["data-theme"],
  });
});
