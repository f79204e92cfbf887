// Draws the arcs of each sentence (arcs.js, which stands before this), and filters sentences. Lengths are CSS pixels.
(() => {
  const MARK = { found: "✓ ", missed: "○ ", spurious: "+ ", wrong: "≠ ", plain: "" };
  const root = document.documentElement;
  const directed = root.dataset.direction === "directed";
  const articles = [...document.querySelectorAll(".sentence")];

  // ---- reading the page ----

  /** The relations of a sentence, from its table. */
  function arcsOf(article) {
    return [...article.querySelectorAll("tbody tr")].map((row) => {
      const { kind, head, tail, gold, predicted } = row.dataset;
      const type = predicted ?? gold;
      const instead = kind === "wrong" ? ` not ${gold}` : "";
      const label = MARK[kind] + type;
      return { row, kind, head, tail, label, instead, directed };
    });
  }

  // ---- drawing ----

  function layout(article) {
    const stage = article.querySelector(".stage");
    const arcs = arcsOf(article);
    const drawn = drawArcs(stage, arcs, (key) => [...stage.querySelectorAll(`[data-e="${key}"]`)], (arc) => group(arc, article));
    drawn.forEach((parts, index) => {
      const { row } = arcs[index];
      parts.push(row);
      row.onmouseenter = () => pointAt(parts, true);
      row.onmouseleave = () => pointAt(parts, false);
    });
    fade(article);
  }

  function group(arc, article) {
    const made = element("g", { class: `arc ${arc.kind}`, "data-index": arc.row.sectionRowIndex });
    const cells = [...arc.row.cells].map((cell) => cell.textContent.trim());
    const [head, type, tail, score] = cells.slice(-4);
    const result = cells.length > 4 ? `${cells[0]}: ` : "";
    element("title", {}, made).textContent =
      `${result}${head} ${directed ? "→" : "—"} ${tail}\n${type}${score ? `\nscore ${score}` : ""}`;
    made.addEventListener("click", () => {
      article.querySelector("details").open = true;
      arc.row.scrollIntoView({ block: "nearest" });
    });
    return made;
  }

  // ---- lazily, and again when the width changes ----

  const near = new Set(), stale = new Set(articles);
  let width = null, waiting = false;

  function refresh() {
    waiting = false;
    for (const article of near) if (stale.delete(article)) layout(article);
  }
  function soon() {
    if (!waiting) requestAnimationFrame(refresh);
    waiting = true;
  }

  new ResizeObserver(([entry]) => {
    const before = width;
    width = entry.contentRect.width;
    if (before === null || Math.abs(width - before) < 1) return;
    for (const article of articles) stale.add(article);
    soon();
  }).observe(document.getElementById("sentences"));

  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) near[isIntersecting ? "add" : "delete"](target);
    soon();
  }, { rootMargin: "800px 0px" });
  for (const article of articles) observer.observe(article);
  window.addEventListener("beforeprint", () => { for (const article of stale) layout(article); stale.clear(); });

  // ---- filters ----

  const form = document.querySelector(".controls");

  function chosen() {
    const show = form.elements.show?.value ?? "all", type = document.getElementById("type").value;
    return {
      everything: show === "all" && !type,
      matches: ({ dataset: { kind, gold, predicted } }) =>
        (show === "all" || show === kind || (show === "errors" && kind !== "found")) && (!type || type === gold || type === predicted),
    };
  }

  function fade(article) {
    const { matches } = chosen();
    const rows = [...article.querySelectorAll("tbody tr")];
    for (const row of rows) row.classList.toggle("faded", !matches(row));
    for (const arc of article.querySelectorAll(".arc")) arc.classList.toggle("faded", !matches(rows[arc.dataset.index]));
  }

  function filter() {
    const { everything, matches } = chosen();
    let shown = 0;
    for (const article of articles) {
      article.hidden = !everything && ![...article.querySelectorAll("tbody tr")].some(matches);
      shown += !article.hidden;
      if (!article.hidden) fade(article);
    }
    document.getElementById("shown").textContent = `${shown.toLocaleString("en")} of ${articles.length.toLocaleString("en")} sentences`;
    document.getElementById("nothing").hidden = shown > 0;
  }

  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  root.classList.add("js");
  for (const details of document.querySelectorAll("details")) details.open = false;   // the arcs say the same
  filter();
  for (const article of articles) {   // what is on the screen at once, before the first paint
    if (article.getBoundingClientRect().top > window.innerHeight) break;
    if (stale.delete(article)) layout(article);
  }
})();
