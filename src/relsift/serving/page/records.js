// Documents as lines of relsift's own format: what /v1/convert takes, and what `relsift train` and `validate` read.

import { entityOf, isChecked, relationsOf, tokenSpan } from "./documents.js";

/**
 * One line a sentence.
 *
 * options: threshold and mode. training: only checked sentences, as annotated: without scores. A checked sentence without relations has
 * `"relations": []`, which means "annotated, none"; sentences that nobody checked are left out, since a missing relation would be learnt.
 */
export function recordsOf(made, options, { training }) {
  const relations = relationsOf(made, options);
  const place = new Map();   // key -> position among the entities of its sentence
  made.sentences.forEach((_, number) => {
    made.entities.filter(({ sentence }) => sentence === number).forEach(({ key }, position) => place.set(key, position));
  });
  const kept = made.sentences.flatMap((_, number) => (training && !isChecked(made, number) ? [] : [number]));
  return kept.map((number) => line(made, number, { relations, place, kept, training }));
}

/** How many relations of the reader are in no line of training data, since one of their ends stands in a sentence that nobody checked. */
export function halfChecked(made, options) {
  const isKept = (key) => isChecked(made, entityOf(made, key).sentence);
  return relationsOf(made, options).filter(({ head, tail, verdict }) => verdict !== null && isKept(head) !== isKept(tail)).length;
}

function line(made, number, { relations, place, kept, training }) {
  const sentence = made.sentences[number];
  const start = sentence.tokens[0][0];
  const here = relations.filter(({ head }) => entityOf(made, head).sentence === number);
  const within = here.filter(({ tail }) => entityOf(made, tail).sentence === number);
  const lineOf = (key) => kept.indexOf(entityOf(made, key).sentence);
  const beyond = here.filter((relation) => !within.includes(relation) && lineOf(relation.tail) >= 0);
  const scores = ({ score, probability, verdict }) => (training || verdict !== null || score === null ? {} : { score, ...(probability === null ? {} : { probability }) });
  return {
    id: sentence.id,
    ...(made.sentences.length > 1 || sentence.id !== made.id ? { doc_id: made.id } : {}),
    tokens: sentence.tokens.map(([from, to]) => made.text.slice(from, to)),
    text: made.text.slice(start, sentence.tokens.at(-1)[1]),
    text_start: start,
    offsets: sentence.tokens.map(([from, to]) => [from - start, to - start]),
    ...sentence.syntax,
    entities: made.entities.filter((entity) => entity.sentence === number).map((entity) => ({
      ...tokenSpan(sentence, entity), type: entity.type, ...(entity.subtype ? { subtype: entity.subtype } : {}),
      ...(entity.concepts ? { concepts: entity.concepts } : {}),
      chars: [entity.start - start, entity.end - start], ...(training || entity.score === null ? {} : { score: entity.score }),
    })),
    relations: within.map((relation) => ({ head: place.get(relation.head), tail: place.get(relation.tail), type: relation.type, ...scores(relation) })),
    ...(beyond.length === 0 ? {} : {
      across: beyond.map((relation) => ({
        head: place.get(relation.head), tail: place.get(relation.tail), away: lineOf(relation.tail) - lineOf(relation.head),
        type: relation.type, ...scores(relation),
      })),
    }),
  };
}
