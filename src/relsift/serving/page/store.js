// The state of the page in one place. Whoever changes it says so with `changed`, and every part of the page draws itself again.

import { relationsOf } from "./documents.js";

export const state = {
  models: [], model: null, limits: null, formats: { readers: [], writers: [] }, samples: [],
  documents: [], current: 0,
  threshold: null,      // for all relations; null: the model's own
  mode: null,           // null: the model's own
  selected: null,       // {sentence, start, end} or {entity}: what the bar below a sentence is about
  pair: { head: null, tail: null },   // what the panel explains
  from: null,           // key of the entity from which a relation is being drawn
};
const parts = [];

export const onChange = (draw) => parts.push(draw);

/** what: "relations" if texts and entities are as they were, which saves drawing them. */
export function changed(what = "all") {
  for (const draw of parts) draw(what);
}

/** Whether the order of the two ends of a relation means something. */
export const isDirected = () => state.model?.direction !== "undirected";
/** Between the names of the two ends. */
export const arrow = () => (isDirected() ? "→" : "–");
export const currentDocument = () => state.documents[state.current] ?? null;
export const options = () => ({ threshold: state.threshold, mode: state.mode });
export const shownRelations = () => (currentDocument() === null ? [] : relationsOf(currentDocument(), options()));

/** The entity types to choose from: those of the model, then others that are in use. */
export function entityTypes() {
  const used = state.documents.flatMap(({ entities }) => entities.map(({ type }) => type));
  return [...new Set([...(state.model?.entity_types ?? []), ...used])];
}

/** The relation types to choose from. */
export function relationTypes() {
  const used = state.documents.flatMap(({ verdicts }) => [...verdicts.keys()].map((cell) => JSON.parse(cell)[2]));
  return [...new Set([...(state.model?.relations ?? []), ...used])];
}

export const colours = () => new Map(entityTypes().map((type, number) => [type, number % 8]));
