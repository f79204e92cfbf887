// What the page knows of a text: sentences, entities, scores of the model, and what the reader has decided. Nothing here touches the page.
//
// All positions are code points of the document's text. An entity has a key that stays while it lives; relations name entities by key.

import { CodePoints } from "./codepoints.js";
import { changed, decide, judge } from "./decision.js";

const SYNTAX = ["heads", "dependencies", "pos"];
let lastKey = 0;

/** An id for a pasted text: equal for equal texts, so that files saved on different days can be joined (FNV-1a, 32 bits). */
export function idOfText(text) {
  let hash = 0x811c9dc5;
  for (let unit = 0; unit < text.length; unit += 1) hash = Math.imul(hash ^ text.charCodeAt(unit), 0x01000193) >>> 0;
  return `text-${hash.toString(16).padStart(8, "0")}`;
}

export const newKey = () => `e${(lastKey += 1)}`;

/**
 * A document of raw text. entities: [{start, end, type}], or null where the model is to find them.
 */
export function documentOfText(id, text, entities = null) {
  return {
    id, text: new CodePoints(text), tokenised: false, sentences: [],
    entities: (entities ?? []).map((entity) => ({ ...entity, key: newKey(), sentence: -1, score: null })),
    entitiesAreFound: entities === null, scored: null, verdicts: new Map(), checked: new Set(), notes: [],
  };
}

/** Documents of the lines of relsift's own format that /v1/read answers. Annotated sentences count as checked by the reader. */
export function documentsOfRecords(records) {
  const groups = [];
  for (const record of records) {
    const last = groups.at(-1);
    if (record.doc_id !== undefined && last?.[0].doc_id === record.doc_id) last.push(record);
    else groups.push([record]);
  }
  return groups.map((group) => (group[0].tokens === undefined ? documentOfText(group[0].id, group[0].text) : documentOfLines(group)));
}

function documentOfLines(lines) {
  const parts = [];
  let length = 0;
  for (const line of lines) {   // each text at its place in the document
    const start = line.text_start ?? length;
    parts.push(" ".repeat(Math.max(0, start - length)), line.text ?? "");
    length = Math.max(start, length) + new CodePoints(line.text ?? "").length;
  }
  const made = { ...documentOfText(lines[0].doc_id ?? lines[0].id, parts.join(""), []), tokenised: true };
  const keys = [];
  lines.filter((line) => line.tokens.length > 0).forEach((line, number) => {
    const shift = line.text_start ?? 0;
    const tokens = line.offsets.map(([start, end]) => [start + shift, end + shift]);
    made.sentences.push({ id: line.id, tokens, syntax: Object.fromEntries(SYNTAX.filter((name) => name in line).map((name) => [name, line[name]])) });
    keys.push(line.entities.map((entity) => {
      const [start, end] = entity.chars?.map((place) => place + shift) ?? [tokens[entity.start][0], tokens[entity.end - 1][1]];
      const key = newKey();
      made.entities.push({ key, id: entity.id, sentence: number, start, end, type: entity.type, subtype: entity.subtype, concepts: entity.concepts, score: null });
      return key;
    }));
    if (line.relations !== undefined) made.checked.add(tokens[0][0]);
  });
  lines.forEach((line, number) => {
    for (const { head, tail, type } of line.relations ?? []) made.verdicts.set(cellKey(keys[number][head], keys[number][tail], type), "confirmed");
    for (const { head, tail, away, type } of line.across ?? []) {
      made.verdicts.set(cellKey(keys[number][head], keys[number + away][tail], type), "confirmed");
    }
  });
  made.entitiesAreFound = made.entities.length === 0 && made.checked.size === 0;
  return made;
}

// ---- to the service and back ----

/** The document as /v1/extract takes it. find: whether the model is to find the entities. */
export function requestOf(made, { find }) {
  if (!made.tokenised) {
    const entities = made.entities.map(({ key, start, end, type, subtype }) => ({ id: key, start, end, type, subtype: subtype ?? null }));
    return { id: made.id, text: made.text.text, ...(find ? {} : { entities }) };
  }
  const sentences = made.sentences.map((sentence, number) => ({
    ...lineOfSentence(made, sentence),
    ...(find ? {} : {
      entities: made.entities.filter((entity) => entity.sentence === number)
        .map((entity) => ({ id: entity.key, ...tokenSpan(sentence, entity), type: entity.type, subtype: entity.subtype ?? null })),
    }),
  }));
  return { id: made.id, sentences };
}

function lineOfSentence(made, sentence) {
  const start = sentence.tokens[0][0];
  return {
    id: sentence.id,
    tokens: sentence.tokens.map(([from, to]) => made.text.slice(from, to)),
    text: made.text.slice(start, sentence.tokens.at(-1)[1]),
    text_start: start,
    offsets: sentence.tokens.map(([from, to]) => [from - start, to - start]),
    ...sentence.syntax,
  };
}

/** Take over a result of /v1/extract. Returns the entities of the document that the service left out. */
export function takeResult(made, answer) {
  const [result] = answer.results;
  if (!made.tokenised) made.sentences = result.sentences.filter(({ tokens }) => tokens.length > 0)
    .map(({ id, offsets }) => ({ id, tokens: offsets, syntax: {} }));
  const before = new Map(made.entities.map((entity) => [entity.key, entity]));
  const taken = result.entities.map((entity) => {
    const known = before.get(entity.id);
    const [start, end] = made.tokenised ? charactersOf(made.sentences[entity.sentence], entity) : [entity.start, entity.end];
    return { ...(known ?? { key: newKey() }), sentence: entity.sentence, start, end, type: entity.type, score: entity.score ?? known?.score ?? null };
  });
  const keys = taken.map(({ key }) => key);
  made.scored = {
    model: answer.model, labels: answer.labels ?? null, decision: answer.decision ?? null,
    pairs: (result.pairs ?? []).map((pair) => ({ ...pair, head: keys[pair.head], tail: keys[pair.tail], sentence: result.entities[pair.head].sentence })),
    relations: result.relations.map(({ head, tail, type, score, probability }) => ({ head: keys[head], tail: keys[tail], type, score, probability })),
  };
  made.entities = taken;
  made.notes = [...result.notes, ...(result.truncated ? ["truncated"] : [])];
  const kept = new Set(keys);
  const lost = [...before.values()].filter(({ key }) => !kept.has(key) && !made.entitiesAreFound);
  for (const { key } of lost) forgetRelationsOf(made, key);
  return lost;
}

function charactersOf({ tokens }, { start, end, chars }) {
  return chars ?? [tokens[start][0], tokens[end - 1][1]];
}

/** The tokens that a mention touches. */
export function tokenSpan({ tokens }, { start, end }) {
  const touched = tokens.flatMap(([from, to], number) => (from < end && start < to ? [number] : []));
  return { start: touched[0], end: touched.at(-1) + 1 };
}

// ---- entities ----

export const textOf = (made, { start, end }) => made.text.slice(start, end);
export const entityOf = (made, key) => made.entities.find((entity) => entity.key === key);
export const extentOf = ({ tokens }) => [tokens[0][0], tokens.at(-1)[1]];

/** A new mention; null where one of the same place and type stands, or only blanks. In a document that came with tokens it grows to whole tokens. */
export function addEntity(made, sentence, start, end, type) {
  const { tokens } = made.sentences[sentence];
  if (!tokens.some(([from, to]) => from < end && start < to)) return null;   // blanks
  if (made.tokenised) {
    const span = tokenSpan({ tokens }, { start, end });
    [start, end] = [tokens[span.start][0], tokens[span.end - 1][1]];
  }
  while (/\s/u.test(made.text.slice(start, start + 1))) start += 1;
  while (/\s/u.test(made.text.slice(end - 1, end))) end -= 1;
  if (made.entities.some((one) => one.start === start && one.end === end && one.type === type)) return null;
  const entity = { key: newKey(), sentence, start, end, type, score: null };
  made.entities.push(entity);
  made.entities.sort((a, b) => a.start - b.start || b.end - a.end);
  made.entitiesAreFound = false;
  return entity;
}

export function deleteEntity(made, key) {
  made.entities = made.entities.filter((entity) => entity.key !== key);
  made.entitiesAreFound = false;
  forgetRelationsOf(made, key);
  if (made.scored === null) return;
  const without = (list) => list.filter(({ head, tail }) => head !== key && tail !== key);
  made.scored = { ...made.scored, pairs: without(made.scored.pairs), relations: without(made.scored.relations) };
}

export function retypeEntity(made, key, type) {
  const entity = entityOf(made, key);
  Object.assign(entity, { type, subtype: undefined, concepts: undefined, score: null });
  made.entitiesAreFound = false;
}

function forgetRelationsOf(made, key) {
  for (const cell of [...made.verdicts.keys()]) {
    const [head, tail] = JSON.parse(cell);
    if (head === key || tail === key) made.verdicts.delete(cell);
  }
}

// ---- relations ----

export const cellKey = (head, tail, type) => JSON.stringify([head, tail, type]);

/** The relations as the model and the reader have them: [{head, tail, type, score, probability, verdict}], verdict null for the model's own. */
export function relationsOf(made, options) {
  const found = new Map();
  for (const relation of modelRelations(made, options)) {
    const cell = cellKey(relation.head, relation.tail, relation.type);
    const isChecked = made.checked.has(sentenceStart(made, relation.head));
    if (!isChecked && made.verdicts.get(cell) !== "deleted") found.set(cell, { ...relation, verdict: null });
  }
  for (const [cell, verdict] of made.verdicts) {
    if (verdict === "deleted") continue;
    const [head, tail, type] = JSON.parse(cell);
    found.set(cell, { head, tail, type, ...scoreOf(made, head, tail, type), verdict });
  }
  const place = new Map(made.entities.map((entity, number) => [entity.key, number]));
  return [...found.values()].sort((a, b) => place.get(a.head) - place.get(b.head) || place.get(a.tail) - place.get(b.tail));
}

function modelRelations(made, options) {
  if (made.scored === null) return [];
  const { labels, decision, relations } = made.scored;
  if (labels === null) return relations;
  const rule = changed(decision, options);
  return made.sentences.flatMap((_, number) => decide(labels, rule, made.scored.pairs.filter(({ sentence }) => sentence === number)));
}

function scoreOf(made, head, tail, type) {
  const pair = made.scored?.pairs.find((one) => one.head === head && one.tail === tail);
  const column = made.scored?.labels?.indexOf(type) ?? -1;
  return { score: pair?.scores[column] ?? null, probability: pair?.probabilities?.[column] ?? null };
}

/** Why a pair is related or not: [{type, score, probability, bar, outcome}], or null if the model did not score it. */
export function whyOf(made, head, tail, options) {
  const { labels, decision, pairs } = made.scored ?? { labels: null };
  if (labels === null) return null;
  const wanted = pairs.find((one) => one.head === head && one.tail === tail);
  if (wanted === undefined) return null;
  const group = pairs.filter(({ sentence }) => sentence === wanted.sentence);
  const { outcomes, bars } = judge(labels, changed(decision, options), group);
  const row = group.indexOf(wanted);
  return labels.map((type, column) => ({
    type, score: wanted.scores[column], probability: wanted.probabilities?.[column] ?? null,
    bar: bars[row][column], outcome: outcomes[row][column],
  }));
}

/** Where the sentence of an entity begins: sentences are known by that, since their numbers change with the entities. */
export function sentenceStart(made, key) {
  return made.sentences[entityOf(made, key)?.sentence]?.tokens[0][0];
}

export function isChecked(made, number) {
  return made.checked.has(made.sentences[number].tokens[0][0]);
}

/** Checked: the relations as they are shown now are right and complete; the model no longer changes them. */
export function check(made, number, isRight, options) {
  const start = made.sentences[number].tokens[0][0];
  if (!isRight) {
    made.checked.delete(start);
    return;
  }
  for (const { head, tail, type, verdict } of relationsOf(made, options)) {
    if (verdict === null && sentenceStart(made, head) === start) made.verdicts.set(cellKey(head, tail, type), "confirmed");
  }
  made.checked.add(start);
}
