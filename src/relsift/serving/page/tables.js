// The relations and the entities of the document as tables of ordinary controls: all that the arcs and marks do, for keyboard and screen reader.

import * as actions from "./actions.js";
import { entityOf, textOf } from "./documents.js";
import { choice, make, refill, shortened } from "./dom.js";
import { decimal, percent, say } from "./language.js";
import { currentDocument, entityTypes, relationTypes, shownRelations, state } from "./store.js";

const LONGEST = 80;   // characters of a mention in a table

export function drawRelations(place) {
  const made = currentDocument();
  const relations = shownRelations();
  const deleted = made === null ? [] : [...made.verdicts].filter(([, verdict]) => verdict === "deleted").map(([cell]) => JSON.parse(cell));
  if (relations.length + deleted.length === 0) {
    refill(place, make("p", { class: "quiet" }, say("noRelations")));
    return;
  }
  const titles = ["head", "relation", "tail", "probability", "status", "edit"];
  refill(place, make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": say("relations") },
    make("table", { class: "list" },
      make("thead", {}, make("tr", {}, titles.map((title) => make("th", { scope: "col" }, say(title))))),
      make("tbody", {}, relations.map(relationRow), deleted.map(deletedRow)))));
}

function relationRow(relation, number) {
  const names = actions.namesOf(relation);
  const { head, tail, type, verdict } = relation;
  const types = choice({ "aria-label": say("typeOf", names), "data-focus": `relation-${number}-type` }, relationTypes().map((name) => [name, name]), type);
  types.addEventListener("change", () => actions.retypeRelation(relation, types.value));
  const control = (key, sign, words, act) => make("button", {
    type: "button", class: "icon", "data-focus": `relation-${number}-${key}`, "aria-label": words, title: words, onclick: act,
  }, sign);
  return make("tr", { class: verdict ?? "plain" },
    make("td", {}, short(names.head)), make("td", {}, types), make("td", {}, short(names.tail)),
    make("td", { class: "numbers" }, percent(relation.probability), relation.score === null ? null : make("small", {}, decimal(relation.score))),
    make("td", {}, make("span", { class: `verdict ${verdict ?? "plain"}` }, say(verdict ?? "byModel"))),
    make("td", { class: "controls" },
      verdict === null ? control("confirm", "✓", say("confirmRelation", names), () => actions.judgeRelation(head, tail, type, "confirmed")) : null,
      control("delete", "✕", say("deleteRelation", names), () => actions.judgeRelation(head, tail, type, "deleted")),
      control("why", "?", say("whyRelation", names), () => { actions.explain(head, tail); document.getElementById("why-title")?.focus(); })));
}

function deletedRow([head, tail, type], number) {
  const names = actions.namesOf({ head, tail, type });
  return make("tr", { class: "deleted" },
    make("td", {}, short(names.head)), make("td", {}, type), make("td", {}, short(names.tail)), make("td", {}),
    make("td", {}, make("span", { class: "verdict deleted" }, say("deleted"))),
    make("td", {}, make("button", {
      type: "button", class: "icon", "data-focus": `restore-${number}`, "aria-label": say("restoreRelation", names), title: say("restoreRelation", names),
      onclick: () => actions.judgeRelation(head, tail, type, null),
    }, "↺")));
}

export function drawEntities(place) {
  const made = currentDocument();
  if (made === null || made.entities.length === 0) {
    refill(place, make("p", { class: "quiet" }, say("noEntities")));
    return;
  }
  refill(place, make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": say("entities") },
    make("table", { class: "list" },
      make("thead", {}, make("tr", {}, ["entity", "type", "edit"].map((title) => make("th", { scope: "col" }, say(title))))),
      make("tbody", {}, made.entities.map(entityRow)))));
}

function entityRow(entity) {
  const made = currentDocument();
  const text = textOf(made, entity);
  const types = choice({ "aria-label": say("typeOfEntity", { text }), "data-focus": `entity-${entity.key}-type` }, entityTypes().map((type) => [type, type]), entity.type);
  types.addEventListener("change", () => actions.retype(entity.key, types.value));
  return make("tr", { class: state.selected?.entity === entity.key ? "on" : "" },
    make("td", {}, short(text)), make("td", {}, types),
    make("td", { class: "controls" },
      make("button", { type: "button", class: "icon", "aria-label": say("relationFromEntity", { text }), title: say("relationFrom"), "data-focus": `entity-${entity.key}-from`,
        onclick: () => { actions.explain(entity.key, null); document.getElementById("end-tail")?.focus(); } }, "→"),
      make("button", { type: "button", class: "icon", "aria-label": say("unmarkEntity", { text }), title: say("unmark"), "data-focus": `entity-${entity.key}-delete`,
        onclick: () => actions.unmark(entityOf(made, entity.key).key) }, "✕")));
}

const short = (words) => make("bdi", {}, shortened(words, LONGEST));
