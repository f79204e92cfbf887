// One sentence: its text with mentions and arcs, a tick for "checked", and the bar for what is selected.

import * as actions from "./actions.js";
import { attachCaret } from "./caret.js";
import { entityOf, extentOf, isChecked, textOf } from "./documents.js";
import { announce, make, refill, shortened, whisper } from "./dom.js";
import { languageOf, percent, say } from "./language.js";
import { markedText, positionAt } from "./marked_text.js";
import { drawRelations } from "./relation_arcs.js";
import { arrow, colours, currentDocument, entityTypes, isDirected, shownRelations, state } from "./store.js";

const LONGEST = 30;          // characters of a type above an arc
const places = new Map();   // number of a sentence -> code point of its caret

/** Draw the cards of the current document into a container, and the arcs over them. */
export function drawCards(container) {
  const made = currentDocument();
  const focused = document.activeElement?.closest?.(".text") ? Number(document.activeElement.dataset.number) : null;
  refill(container, (made?.sentences ?? []).map((_, number) => card(made, number, container)));
  drawAllArcs(container);
  if (focused !== null) textOfCard(container, focused)?.focus({ preventScroll: true });
}

export function forgetCarets() {
  places.clear();
}

const textOfCard = (container, number) => container.querySelector(`.text[data-number="${number}"]`);

/** Again after a change of width. */
export function drawAllArcs(container) {
  const made = currentDocument();
  if (made === null) return;
  const relations = shownRelations().map((relation) => labelled(relation));
  container.querySelectorAll(".stage").forEach((stage, number) => {
    const isHere = (key) => entityOf(made, key).sentence === number;
    drawRelations(stage, relations.filter(({ head, tail }) => isHere(head) && isHere(tail)), {
      choose: ({ head, tail }) => actions.explain(head, tail),
    });
  });
}

function labelled(relation) {
  const names = actions.namesOf(relation);
  const chance = relation.probability === null || relation.verdict !== null ? "" : ` ${percent(relation.probability)}`;
  const sign = relation.verdict === null ? "" : "✓ ";
  return { ...relation, directed: isDirected(), label: `${sign}${shortened(relation.type, LONGEST)}${chance}`, title: `${names.head} ${arrow()} ${names.tail}\n${relation.type}${chance}` };
}

function card(made, number, container) {
  const sentence = made.sentences[number];
  const entities = made.entities.filter((entity) => entity.sentence === number);
  const extent = extentOf(sentence);
  const words = made.text.slice(...extent);
  const text = markedText(made.text, extent, entities, colours(), {
    class: "text", lang: languageOf(words), dir: "auto", tabindex: 0, role: "textbox", "aria-readonly": "true", "aria-multiline": "true",
    "aria-label": say("textOf", { number: number + 1 }), "aria-describedby": "keys-short", "data-number": number,
    onclick: (event) => clicked(event, number),
  });
  for (const piece of text.querySelectorAll(".e")) {
    const isSelected = piece.dataset.key === state.selected?.entity;
    piece.classList.toggle("selected", isSelected || piece.dataset.key === state.from);
    piece.title = piece.dataset.type ?? "";
  }
  const stage = make("div", { class: "stage" }, text);
  const at = (position) => entities.filter(({ start, end }) => start <= position && position < end).sort((a, b) => (a.end - a.start) - (b.end - b.start))[0];
  attachCaret(text, stage, made, number, places.get(number), {
    select: (start, end, byMouse) => {
      if (start === null) { if (state.selected !== null) actions.select(null); return; }
      state.selected = { sentence: number, start, end };
      drawBars(container);
      if (!byMouse) whisper(say("selected", { text: made.text.slice(start, end) }));
    },
    open: (position) => {
      if (state.selected?.sentence !== number) choose(at(position)?.key);
      bar(container, number)?.querySelector("button")?.focus();
    },
    digit: (digit) => markByDigit(number, digit),
    remove: (position) => { const entity = at(position); if (entity) actions.unmark(entity.key); },
    leave: (direction) => textOfCard(container, number + direction)?.focus(),
    move: (position, spoken) => {
      places.set(number, position);
      const entity = at(position);
      whisper(entity ? say("wordInEntity", { word: spoken, type: entity.type }) : spoken);
    },
    unit: (byCharacter) => announce(say(byCharacter ? "byCharacter" : "byWord")),
  });
  return make("article", { class: "sentence", "aria-label": say("sentence", { number: number + 1 }) },
    make("div", { class: "head" },
      make("span", {}, say("sentence", { number: number + 1 })),
      make("label", { class: "tick", title: say("checkedHelp") },
        make("input", {
          type: "checkbox", checked: isChecked(made, number), "data-focus": `check-${number}`,
          "aria-label": say("checkedSentence", { number: number + 1 }), onchange: (event) => actions.checkSentence(number, event.target.checked),
        }), make("span", {}, say("checked")))),
    stage,
    make("div", { class: "bar", role: "group", "aria-label": say("choices"), "data-number": number, onkeydown: (event) => barKey(event, number, text) }, barContent(number)));
}

function markByDigit(number, digit) {
  const type = entityTypes()[digit - 1], { selected } = state;
  if (type === undefined) return;
  if (selected?.sentence === number) actions.mark(number, selected.start, selected.end, type);
  else if (selected?.entity !== undefined) actions.retype(selected.entity, type);
}

function barKey(event, number, text) {
  if (event.key === "Escape") text.focus();
  else if (/^[1-9]$/.test(event.key) && event.target.tagName !== "INPUT") markByDigit(number, Number(event.key));
}

function clicked(event, number) {
  const { focusNode, focusOffset, isCollapsed } = getSelection();
  if (!isCollapsed) return;
  if (event.currentTarget.contains(focusNode)) places.set(number, positionAt(event.currentTarget, focusNode, focusOffset));
  const piece = event.target.closest?.(".e");
  if (piece) choose(piece.dataset.key);
  else if (state.selected !== null && event.target.closest(".text")) actions.select(null);
}

/** An entity was chosen: the end of a relation that is being drawn, or to be edited. */
function choose(key) {
  if (key === undefined) return;
  if (state.from !== null && state.from !== key) actions.explain(state.from, key);
  else actions.select({ entity: key });
}

// ---- the bar ----

const bar = (container, number) => container.querySelector(`.bar[data-number="${number}"]`);

function drawBars(container) {
  for (const place of container.querySelectorAll(".bar")) refill(place, barContent(Number(place.dataset.number)));
}

function barContent(number) {
  const made = currentDocument();
  const { selected } = state;
  if (selected?.sentence === number) {
    return [
      make("span", { class: "quote" }, quoted(made.text.slice(selected.start, selected.end))),
      typeButtons(null, (type) => actions.mark(number, selected.start, selected.end, type)),
    ];
  }
  const entity = selected?.entity === undefined ? undefined : entityOf(made, selected.entity);
  if (entity === undefined || entity.sentence !== number) return [];
  return [
    make("span", { class: "quote" }, quoted(textOf(made, entity))),
    typeButtons(entity.type, (type) => actions.retype(entity.key, type)),
    make("button", { type: "button", class: "quiet", "data-focus": "from", onclick: () => actions.startRelation(state.from === entity.key ? null : entity.key) },
      say(state.from === entity.key ? "cancel" : "relationFrom")),
    make("button", { type: "button", class: "quiet danger", "data-focus": "unmark", onclick: () => actions.unmark(entity.key) }, say("unmark")),
    state.from === entity.key && make("p", { class: "hint" }, say("chooseTail", { text: quoted(textOf(made, entity)) })),
  ];
}

function typeButtons(chosen, act) {
  const types = entityTypes(), colour = colours();
  const buttons = types.map((type, number) => make("button", {
    type: "button", class: `type c${colour.get(type)}`, "aria-pressed": chosen === null ? null : String(type === chosen),
    "data-focus": `type-${type}`, title: number < 9 ? String(number + 1) : null, onclick: () => act(type),
  }, shortened(type, LONGEST)));
  const other = make("input", { class: "other", maxlength: 60, "aria-label": say("otherType"), placeholder: say("otherType"), autocomplete: "off" });
  other.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && other.value.trim() !== "") act(other.value.trim());
  });
  return [...buttons, other];
}

const quoted = (words) => `“${shortened(words, 40)}”`;
