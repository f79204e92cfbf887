// Documents as lines of relsift's own format: what /v1/convert takes, and what `relsift train` and `validate` read.

import { entityOf, isChecked, relationsOf, tokenSpan } from "./documents.js";

/**
 * One line a sentence.
 *
 * options: threshold and mode. training: only checked sentences, as annotated: without scores. A checked sentence without relations has
 * `"relations": []`, which means "annotated, none"; sentences that nobody checked are left out, since a missing relation would be learnt.
 * What stands behind one that is left out is a document of its own: a model that reads neighbours together would join it with what stands
 * before. taken: ids of documents that such a document may not get.
 */
export function recordsOf(made, options, { training, taken = new Set([made.id]) }) {
  const relations = relationsOf(made, options);
  const place = new Map();   // key -> position among the entities of its sentence
  made.sentences.forEach((_, number) => {
    made.entities.filter(({ sentence }) => sentence === number).forEach(({ key }, position) => place.set(key, position));
  });
  const begins = training ? runsOf(made) : made.sentences.map(() => 0);
  const documents = new Map();
  for (const begin of begins) if (begin !== null && !documents.has(begin)) documents.set(begin, idOfRun(made, begin, taken));
  return made.sentences.flatMap((_, number) => (begins[number] === null ? [] : [line(made, number, { relations, place, begins, documents, training })]));
}

/** How many relations of the reader are in no line of training data, since a sentence that nobody checked is, or lies between, their ends. */
export function leftOut(made, options) {
  const begins = runsOf(made);
  const runOf = (key) => begins[entityOf(made, key).sentence];
  return relationsOf(made, options).filter(({ head, tail, verdict }) => verdict !== null && runOf(head) !== runOf(tail)).length;
}

/** For each sentence where the checked ones begin that it stands among, without a gap; null for one that is not checked. */
function runsOf(made) {
  const begins = [];
  made.sentences.forEach((_, number) => begins.push(isChecked(made, number) ? begins[number - 1] ?? number : null));
  return begins;
}

/** Equal for equal choices, so that files saved on different days can be joined. */
function idOfRun(made, begin, taken) {
  let id = begin === 0 ? made.id : `${made.id}-from-${begin + 1}`;
  while (begin > 0 && taken.has(id)) id += "-";
  return id;
}

function line(made, number, { relations, place, begins, documents, training }) {
  const sentence = made.sentences[number];
  const start = sentence.tokens[0][0];
  const here = relations.filter(({ head }) => entityOf(made, head).sentence === number);
  const within = here.filter(({ tail }) => entityOf(made, tail).sentence === number);
  const beyond = here.filter(({ tail }) => entityOf(made, tail).sentence !== number && begins[entityOf(made, tail).sentence] === begins[number]);
  const scores = ({ score, probability, verdict }) => (training || verdict !== null || score === null ? {} : { score, ...(probability === null ? {} : { probability }) });
  return {
    id: sentence.id,
    ...(made.sentences.length > 1 || sentence.id !== made.id ? { doc_id: documents.get(begins[number]) } : {}),
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
        head: place.get(relation.head), tail: place.get(relation.tail), away: entityOf(made, relation.tail).sentence - number,
        type: relation.type, ...scores(relation),
      })),
    }),
  };
}
