// Asking the model: for the whole document, or again after its entities have changed.

import { postJson, ServiceError } from "./api.js";
import { takeResult, requestOf, textOf } from "./documents.js";
import { announce } from "./dom.js";
import { say } from "./language.js";
import { changed, currentDocument, shownRelations, state } from "./store.js";

const PAUSE = 350;   // milliseconds after a change of entities, in which further ones may come
let running = null, waiting = null;

/** Score the document on the page. A request that is under way is dropped: its answer would be about other entities. */
export async function extract() {
  clearTimeout(waiting);
  running?.abort();
  const made = currentDocument();
  const control = new AbortController();
  running = control;
  document.body.classList.remove("waiting");
  document.body.classList.add("busy");
  try {
    const find = made.entitiesAreFound && made.verdicts.size === 0 && made.checked.size === 0 && state.model.finds_entities;
    if (find) made.entities = [];
    const answer = await postJson("v1/extract", {
      documents: [requestOf(made, { find })], model: state.model.name, with_tokens: true,
      ...(state.model.all_scores ? { all_scores: true } : { threshold: state.threshold, mode: state.mode }),
    }, control.signal);
    const lost = takeResult(made, answer);
    if (lost.length > 0) made.notes.push(say("lostEntities", { names: lost.map((entity) => textOf(made, entity)).join(", ") }));
    showProblem(null);
    changed();
    announce(say("found", { entities: made.entities.length, relations: shownRelations().length }));
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!(error instanceof ServiceError)) throw error;
    showProblem(error);
    changed();
  } finally {
    if (running === control) {
      running = null;
      document.body.classList.remove("busy");
    }
  }
}

/** Score again, once no further change has come for a moment. */
export function extractSoon() {
  clearTimeout(waiting);
  document.body.classList.add("waiting");
  waiting = setTimeout(extract, PAUSE);
}

/** Show what went wrong; null takes it away. */
export function showProblem(error) {
  const place = document.getElementById("problem");
  place.hidden = error === null;
  place.textContent = error === null ? "" : wordsFor(error);
}

function wordsFor({ code, message, where }) {
  if (code === "unreachable") return say("unreachable");
  if (code === "unauthorized") return say("unauthorized");
  if (code === "busy" || code === "stopping" || code === "not_ready") return say("busy");
  return where ? `${where}: ${message}` : message;
}
