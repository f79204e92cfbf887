// A sentence with its mentions marked, and the way from a place on the page to a character of the document and back.
//
// Mentions that cross are cut into pieces that nest. Pieces of one mention have the same data-key; the last one has data-type.

import { CodePoints, codePointsBefore } from "./codepoints.js";
import { make, shortened } from "./dom.js";

const UNBROKEN = 24;   // columns (an ideograph takes two); a mention of at most this width is not broken across lines
const LONGEST_TYPE = 24;   // characters of a type beside its mention
const FIRST_WORD = /^(?:\p{Script=Han}|[^\s\p{Script=Han}]{1,20})/u;   // or as much of it as stays on one line
const startOf = new WeakMap();   // text node -> code point of the document where it begins

/** colours: type -> number of its colour. Returns a <p>. */
export function markedText(text, [start, end], entities, colours, attributes) {
  const depths = depthsOf(entities);
  const place = make("p", attributes);
  place.style.setProperty("--depths", Math.max(0, ...depths.values()));
  const cuts = [...new Set([start, end, ...entities.flatMap((entity) => [entity.start, entity.end])])].sort((a, b) => a - b);
  const open = [];   // [entity, element], outermost first
  const begun = new Set();
  const inner = () => open.at(-1)?.[1] ?? place;

  function begin(entity) {
    const isLast = open.every(([other]) => other.end >= entity.end);   // no mention around it ends earlier and cuts it again
    const piece = make("span", {
      class: `e c${colours.get(entity.type) ?? 7}${width(text.slice(entity.start, entity.end)) <= UNBROKEN ? " whole" : ""}`
        + `${begun.has(entity) ? " continued" : ""}${isLast ? "" : " unfinished"}`,
      "data-key": entity.key, "data-type": isLast ? shortened(entity.type, LONGEST_TYPE) : null,
    });
    piece.style.setProperty("--depth", depths.get(entity));
    inner().append(piece);
    begun.add(entity);
    open.push([entity, piece]);
  }

  cuts.forEach((cut, number) => {
    const again = [];
    while (open.some(([entity]) => entity.end === cut)) {
      const [entity] = open.pop();
      if (entity.end > cut) again.unshift(entity);
    }
    again.forEach(begin);
    const starting = entities.filter((entity) => entity.start === cut).sort((a, b) => b.end - a.end);
    starting.forEach(begin);
    if (number + 1 === cuts.length) return;
    const piece = text.slice(cut, cuts[number + 1]);
    // The first word of a mention is an element too, so that arcs.js can make its line higher without changing line breaks.
    const first = starting.length > 0 ? FIRST_WORD.exec(piece)?.[0] ?? "" : "";
    if (first) inner().append(make("span", { class: "first" }, textNode(first, cut)));
    if (piece.length > first.length) inner().append(textNode(piece.slice(first.length), cut + new CodePoints(first).length));
  });
  return place;
}

function textNode(words, start) {
  const node = document.createTextNode(words);
  startOf.set(node, start);
  return node;
}

/** The depth of each mention's box: 0 is drawn innermost. Mentions that overlap have different depths. */
function depthsOf(entities) {
  const depths = new Map();
  for (const entity of [...entities].sort((a, b) => (a.end - a.start) - (b.end - b.start))) {
    const taken = new Set([...depths].filter(([other]) => other.start < entity.end && entity.start < other.end).map(([, depth]) => depth));
    let depth = 0;
    while (taken.has(depth)) depth += 1;
    depths.set(entity, depth);
  }
  return depths;
}

function width(words) {
  return [...words].reduce((sum, character) => sum + (/\p{Script=Han}|[\u3000-\u303f\uff00-\uffef]/u.test(character) ? 2 : 1), 0);
}

// ---- between page and text ----

function textNodes(place) {
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) if (startOf.has(walker.currentNode)) nodes.push(walker.currentNode);
  return nodes;
}

/** The code point at a DOM position inside a marked text. */
export function positionAt(place, node, offset) {
  if (startOf.has(node)) return startOf.get(node) + codePointsBefore(node.data, offset);
  const following = document.createRange();
  following.setStart(node, offset);
  const nodes = textNodes(place);
  const next = nodes.find((one) => following.comparePoint(one, 0) >= 0);
  if (next !== undefined) return startOf.get(next);
  const last = nodes.at(-1);
  return startOf.get(last) + new CodePoints(last.data).length;
}

/** The DOM range of the code points from start to end. */
export function rangeOf(place, start, end) {
  const range = document.createRange();
  const nodes = textNodes(place);
  const find = (position, isEnd) => nodes.find((node) => {
    const first = startOf.get(node), past = first + new CodePoints(node.data).length;
    return isEnd ? first < position && position <= past : first <= position && position < past;
  }) ?? nodes.at(isEnd || position > 0 ? -1 : 0);
  const [from, to] = [find(start, false), find(end, end > start)];
  const unit = (node, position) => new CodePoints(node.data).units[Math.max(0, Math.min(position - startOf.get(node), new CodePoints(node.data).length))];
  range.setStart(from, unit(from, start));
  range.setEnd(to, unit(to, end));
  return range;
}
