// What the reader does to the document, each with its words for screen readers.

import {
  addEntity, cellKey, check, deleteEntity, entityOf, retypeEntity, sentenceStart, textOf,
} from "./documents.js";
import { announce } from "./dom.js";
import { extractSoon } from "./extraction.js";
import { say } from "./language.js";
import { changed, currentDocument, isDirected, options, state } from "./store.js";

const NARROW = "(max-width: 940px)";   // as in page.css

export function mark(sentence, start, end, type) {
  const made = currentDocument();
  const entity = addEntity(made, sentence, start, end, type);
  state.selected = entity === null ? null : { entity: entity.key };
  announce(entity === null ? say("alreadyMarked") : say("marked", { text: textOf(made, entity), type }));
  getSelection().removeAllRanges();
  entitiesChanged();
}

export function unmark(key) {
  const made = currentDocument();
  announce(say("unmarked", { text: textOf(made, entityOf(made, key)) }));
  deleteEntity(made, key);
  for (const role of ["head", "tail"]) if (state.pair[role] === key) state.pair[role] = null;
  if (state.from === key) state.from = null;
  state.selected = null;
  entitiesChanged();
}

export function retype(key, type) {
  const made = currentDocument();
  retypeEntity(made, key, type);
  announce(say("marked", { text: textOf(made, entityOf(made, key)), type }));
  entitiesChanged();
}

function entitiesChanged() {
  changed();
  extractSoon();
}

export function select(selected) {
  state.selected = selected;
  changed();
}

export function startRelation(key) {
  state.from = key;
  if (key !== null) announce(say("chooseTail", { text: textOf(currentDocument(), entityOf(currentDocument(), key)) }));
  changed();
}

/** Explain a pair in the panel; where direction means nothing, in text order, as the model scores it. */
export function explain(head, tail) {
  const made = currentDocument();
  const isAnnotated = () => [...made.verdicts.keys()].some((cell) => cell.startsWith(cellKey(head, tail, "").slice(0, -3)));
  const place = (key) => made.entities.findIndex((entity) => entity.key === key);
  const isTurned = !isDirected() && head !== null && tail !== null && place(head) > place(tail) && !isAnnotated();
  state.pair = isTurned ? { head: tail, tail: head } : { head, tail };
  state.from = null;
  changed();
  if (matchMedia(NARROW).matches) document.getElementById("why").scrollIntoView({ block: "nearest" });   // it stands below
}

// ---- relations ----

/** verdict: confirmed, added, deleted, or null to leave it to the model. */
export function judgeRelation(head, tail, type, verdict) {
  const made = currentDocument();
  if (verdict === "added" && head === tail) return;
  const cell = cellKey(head, tail, type);
  const before = made.verdicts.get(cell);
  if (verdict === null || (verdict === "deleted" && before === "added")) made.verdicts.delete(cell);
  else made.verdicts.set(cell, verdict);
  const names = { head: textOf(made, entityOf(made, head)), tail: textOf(made, entityOf(made, tail)), type };
  announce(say({ confirmed: "saidConfirmed", added: "saidAdded", deleted: "saidDeleted" }[verdict] ?? "saidReset", names));
  changed();
}

export function retypeRelation({ head, tail, type, verdict }, to) {
  const made = currentDocument();
  const cell = cellKey(head, tail, type);
  if (verdict === "added") made.verdicts.delete(cell);
  else made.verdicts.set(cell, "deleted");
  judgeRelation(head, tail, to, "added");
}

export function checkSentence(number, isRight) {
  check(currentDocument(), number, isRight, options());
  announce(say(isRight ? "saidChecked" : "saidUnchecked", { number: number + 1 }));
  changed();
}

export function checkAll() {
  const made = currentDocument();
  made.sentences.forEach((_, number) => check(made, number, true, options()));
  announce(say("saidAllChecked"));
  changed();
}

/** The names of the two entities of a relation, for labels. */
export function namesOf({ head, tail, type }) {
  const made = currentDocument();
  return { head: textOf(made, entityOf(made, head)), tail: textOf(made, entityOf(made, tail)), type };
}

export const isAcross = (head, tail) => sentenceStart(currentDocument(), head) !== sentenceStart(currentDocument(), tail);
