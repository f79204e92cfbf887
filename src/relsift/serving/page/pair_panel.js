// Why two entities are related or not: every relation with its score, its probability, the threshold, and what decided.

import * as actions from "./actions.js";
import { cellKey, relationsOf, textOf, whyOf } from "./documents.js";
import { choice, make, refill, shortened } from "./dom.js";
import { decimal, percent, say } from "./language.js";
import { currentDocument, isDirected, options, relationTypes, state } from "./store.js";

const OUTCOME = { taken: "outcomeTaken", below: "outcomeBelow", outscored: "outcomeOutscored", "too many": "outcomeTooMany" };
const LONGEST = 60;   // characters of a mention in a list

export function drawPanel(place) {
  const made = currentDocument();
  if (made === null || made.entities.length < 2) {
    refill(place, heading(), make("p", { class: "quiet" }, say("whyTwo")));
    return;
  }
  const { head, tail } = state.pair;
  refill(place, heading(), make("p", { class: "quiet" }, say("whyHelp")),
    make("div", { class: "ends" },
      end("head", say("head"), head, tail),
      isDirected() && make("button", { type: "button", class: "icon", "data-focus": "swap", "aria-label": say("swap"), title: say("swap"), onclick: () => actions.explain(tail, head) }, "⇅"),
      end("tail", say("tail"), tail, head)),
    head !== null && tail !== null && reasons(made, head, tail));
}

const heading = () => make("h2", { id: "why-title", tabindex: -1 }, say("why"));

function end(role, label, key, other) {
  const made = currentDocument();
  const entities = made.entities.map((entity) => [entity.key, `${shortened(textOf(made, entity), LONGEST)} · ${shortened(entity.type, LONGEST)}`]);
  const select = choice({ "data-focus": `end-${role}`, id: `end-${role}` }, [["", say("chooseEntity")], ...entities], key ?? "");
  select.addEventListener("change", () => {
    const chosen = select.value || null;
    actions.explain(...(role === "head" ? [chosen, other] : [other, chosen]));
  });
  return make("label", {}, make("span", {}, label), select);
}

function reasons(made, head, tail) {
  if (head === tail) return make("p", {}, say("whySame"));
  const across = actions.isAcross(head, tail);
  const why = whyOf(made, head, tail, options());
  if (why === null) {
    const key = across && state.model.window === 1 ? "whyAcross" : state.model.all_scores ? "whyNotScored" : "whyNoScores";
    return [make("p", {}, say(key)), across && state.model.window === 1 ? null : addOther(made, head, tail)];
  }
  const rows = why.filter(({ outcome }) => outcome !== "forbidden").sort((a, b) => b.score - a.score);
  const forbidden = why.filter(({ outcome }) => outcome === "forbidden").map(({ type }) => type);
  return [
    rows.length > 0 && make("table", { class: "why" },
      make("thead", {}, make("tr", {}, [say("relation"), say("probability"), say("score"), say("edit")].map((title) => make("th", { scope: "col" }, title)))),
      make("tbody", {}, rows.map((row) => reason(made, head, tail, row)))),
    forbidden.length > 0 && make("p", { class: "quiet small" }, say("outcomeForbidden", { ...typesOf(made, head, tail), types: forbidden.join(", ") })),
    addOther(made, head, tail),
  ];
}

function reason(made, head, tail, { type, score, probability, bar, outcome }) {
  const isShown = relationsOf(made, options()).some((one) => one.head === head && one.tail === tail && one.type === type);
  const verdict = made.verdicts.get(cellKey(head, tail, type)) ?? null;
  const chance = make("span", { class: "meter" });
  chance.style.setProperty("--share", probability ?? 0);
  return make("tr", { class: isShown ? "shown" : "" },
    make("th", { scope: "row" }, type, verdict !== null && make("span", { class: `verdict ${verdict}` }, say(verdict))),
    make("td", {}, probability === null ? "–" : [chance, percent(probability)]),
    make("td", { class: "numbers" }, `${decimal(score)} ${score >= bar ? "≥" : "<"} ${decimal(bar)}`, make("small", {}, say(OUTCOME[outcome]))),
    make("td", {}, button(head, tail, type, isShown)));
}

function button(head, tail, type, isShown) {
  const names = actions.namesOf({ head, tail, type });
  return make("button", {
    type: "button", class: "icon", "data-focus": `why-${type}`, "aria-label": say(isShown ? "deleteRelation" : "addRelation", names),
    title: say(isShown ? "deleteRelation" : "addRelation", names), onclick: () => actions.judgeRelation(head, tail, type, isShown ? "deleted" : "added"),
  }, isShown ? "✕" : "+");
}

function addOther(made, head, tail) {
  const select = choice({ id: "add-type", "data-focus": "add-type" }, relationTypes().map((type) => [type, type]), null);
  return make("form", { class: "add", onsubmit: (event) => { event.preventDefault(); actions.judgeRelation(head, tail, select.value, "added"); } },
    make("label", { for: "add-type" }, say("addAs")), select,
    make("button", { type: "submit", "data-focus": "add" }, say("add")));
}

function typesOf(made, head, tail) {
  const type = (key) => made.entities.find((entity) => entity.key === key).type;
  return { head: type(head), tail: type(tail) };
}
