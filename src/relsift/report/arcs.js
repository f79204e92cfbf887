"use strict";
// Draws relations as arcs above the words of a text, from where the browser has put them. Lengths are CSS pixels.
//
// A module of the page of the service, and a part of the script of the pages that relsift writes, which leave the word `export` out.

const LEVEL = 21;            // from one level of arcs to the next
const FIRST = 19;            // from the top of a mention to the lowest level
const HEADROOM = [9, 20];    // above the highest level, in the first line and the others: half a label and some air
const RADIUS = 9;            // of an arc's corners
const PORT = 12;             // between arcs that end at the same mention
const GAP = 8;               // between arcs on one level
const SVG = "http://www.w3.org/2000/svg";
const ruler = document.createElement("canvas").getContext("2d");

/**
 * Draw arcs in place of those that are there.
 *
 * stage: the element around an element .text, in which each mention has elements .e, the first of them an element .first for its first word.
 * arcs: [{head, tail, label, instead, directed}]; head and tail are keys of mentions, `instead` stands behind the label in another style,
 * `directed` says whether the tail has an arrow head.
 * piecesOf(key): the elements .e of a mention, in the order of the text. groupOf(arc): an element <g> for a part of the arc.
 * Returns the elements of each arc that light up together, and lets two of them, the line and the label, do it when they are pointed at.
 */
export function drawArcs(stage, arcs, piecesOf, groupOf) {
  stage.querySelector(".arcs")?.remove();
  clearRoom(stage.querySelector(".text"));
  if (arcs.length === 0) return [];
  ruler.font = `600 11.5px ${getComputedStyle(document.body).fontFamily}`;
  for (const arc of arcs) arc.width = ruler.measureText(arc.label + (arc.instead ?? "")).width + 10;
  const width = stage.clientWidth;
  const planned = measure(stage, arcs, piecesOf);
  const segments = segmentsOf(arcs, planned, width);
  const places = makeRoom(stage, arcs, piecesOf, planned, stack(segments, width));
  const tops = [];
  for (const { row, top } of places.values()) tops[row] = Math.min(tops[row] ?? Infinity, top);
  const svg = element("svg", { class: "arcs", "aria-hidden": "true" }, stage);
  const groups = arcs.map((arc) => svg.appendChild(groupOf(arc)));
  for (const segment of segments) drawLine(groups[arcs.indexOf(segment.arc)], segment, tops[segment.row], places, width);
  const labels = arcs.map((arc) => svg.appendChild(groupOf(arc)));   // above all lines
  for (const segment of segments) drawLabel(labels[arcs.indexOf(segment.arc)], segment, tops[segment.row]);
  return arcs.map((arc, index) => {
    const parts = [groups[index], labels[index], ...piecesOf(arc.head), ...piecesOf(arc.tail)];
    for (const part of parts.slice(0, 2)) {
      part.addEventListener("mouseenter", () => pointAt(parts, true));
      part.addEventListener("mouseleave", () => pointAt(parts, false));
    }
    return parts;
  });
}

/** Args: parts: of one arc, as `drawArcs` returns them. */
export function pointAt(parts, on) {
  parts[0].ownerSVGElement.classList.toggle("pointing", on);
  for (const part of parts) part.classList.toggle("on", on);
}

/** An element of SVG at the end of another one. */
export function element(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent?.append(made);
  return made;
}

/** Where each mention that takes part begins: its first line, and the stretch there that no smaller mention covers. */
function measure(stage, arcs, piecesOf) {
  const origin = stage.getBoundingClientRect();
  const places = new Map();
  for (const key of new Set(arcs.flatMap((arc) => [arc.head, arc.tail]))) {
    const [piece] = piecesOf(key);
    const boxes = [...piece.getClientRects()];
    const box = boxes.find((candidate) => candidate.width > 9) ?? boxes[0];
    const middle = (box.top + box.bottom) / 2;
    let free = [[box.left + 3, box.right - 3]];
    for (const inner of piece.querySelectorAll(".e")) {
      for (const { left, right, top, bottom } of inner.getClientRects()) {
        if (top > middle || bottom < middle) continue;
        free = free.flatMap(([a, b]) => [[a, Math.min(b, left)], [Math.max(a, right), b]].filter(([c, d]) => d > c));
      }
    }
    const [widest] = free.sort(([a, b], [c, d]) => (d - c) - (b - a));
    const [left, right] = widest?.[1] - widest?.[0] > PORT ? widest : [box.left, box.right];
    places.set(key, { piece, left: left - origin.left, right: right - origin.left, top: box.top - origin.top, middle: middle - origin.top });
  }
  let row = -1, last = -Infinity;
  for (const place of [...places.values()].sort((a, b) => a.middle - b.middle)) {
    if (place.middle - last > 10) row += 1;
    last = place.middle;
    place.row = row;
    place.centre = (place.left + place.right) / 2;
  }
  return places;
}

// ---- planning ----

/** Cut arcs into segments, one a line of text; an arc between two lines leaves to the right and comes back from the left. */
function segmentsOf(arcs, places, width) {
  const segments = [];
  for (const arc of arcs) {
    const [first, second] = [arc.head, arc.tail].map((key) => ({ key, place: places.get(key) }))
      .sort((a, b) => a.place.row - b.place.row || a.place.centre - b.place.centre);
    if (first.place.row === second.place.row) {
      segments.push({ arc, row: first.place.row, ends: [first, second] });
    } else {
      segments.push({ arc, row: first.place.row, ends: [first, null] }, { arc, row: second.place.row, ends: [null, second] });
    }
  }
  for (const segment of segments) {
    const [a, b] = segment.ends;
    segment.length = (b ? b.place.centre : width + 1000) - (a ? a.place.centre : -1000);
  }
  spreadPorts(segments);
  for (const segment of segments) {
    const [a, b] = segment.ends;
    segment.x1 = a ? a.x : 0;
    segment.x2 = b ? b.x : width;
    if (segment.x2 - segment.x1 < 10) segment[b ? "x2" : "x1"] += b ? 10 : -10;
  }
  return segments;
}

/** Give every arc its own place at a mention, ordered so that arcs of one mention do not cross. */
function spreadPorts(segments) {
  const ports = new Map();
  for (const segment of segments) {
    segment.ends.forEach((end, side) => {
      if (!end) return;
      if (!ports.has(end.key)) ports.set(end.key, []);
      // Going left (this is the right end): short arcs leftmost. Going right: short arcs rightmost.
      ports.get(end.key).push({ end, order: side === 1 ? segment.length - 1e6 : 1e6 - segment.length });
    });
  }
  for (const list of ports.values()) {
    list.sort((a, b) => a.order - b.order);
    const { left, right, centre } = list[0].end.place;
    const step = Math.min(PORT, (right - left) / list.length);
    list.forEach(({ end }, index) => { end.x = centre + (index - (list.length - 1) / 2) * step; });
  }
}

/** Shortest first, each on the lowest level where it overlaps nothing; then put labels where no other arc passes. */
function stack(segments, width) {
  const levels = [];
  for (const row of new Set(segments.map((segment) => segment.row))) {
    const here = segments.filter((segment) => segment.row === row).sort((a, b) => (a.x2 - a.x1) - (b.x2 - b.x1));
    const placed = [];
    for (const segment of here) {
      const half = segment.arc.width / 2;
      segment.label = clamp((segment.x1 + segment.x2) / 2, half, width - half);
      segment.from = Math.min(segment.x1, segment.label - half);
      segment.to = Math.max(segment.x2, segment.label + half);
      segment.level = 0;
      const meets = (other) => other.level === segment.level && other.from < segment.to + GAP && segment.from < other.to + GAP;
      while (placed.some(meets)) segment.level += 1;
      placed.push(segment);
    }
    for (const segment of here) segment.label = freeSpot(segment, here);
    levels[row] = 1 + Math.max(...here.map((segment) => segment.level));
  }
  return levels;
}

/** The middle of the widest stretch of a segment that no leg of a higher arc crosses, if the label fits there. */
function freeSpot(segment, others) {
  const legs = others.filter((other) => other.level > segment.level)
    .flatMap((other) => [other.ends[0] && other.x1, other.ends[1] && other.x2])
    .filter((x) => x && x > segment.x1 && x < segment.x2);
  const half = segment.arc.width / 2;
  if (!legs.some((x) => Math.abs(x - segment.label) < half + 2)) return segment.label;
  const edges = [segment.x1, ...legs.sort((a, b) => a - b), segment.x2];
  const spots = edges.slice(1).map((edge, index) => [edge - edges[index], (edge + edges[index]) / 2]);
  const [room, middle] = spots.sort((a, b) => b[0] - a[0])[0];
  return room > segment.arc.width + 4 ? middle : segment.label;
}

const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
const heightOf = (levels, row) => FIRST + (levels - 1) * LEVEL + HEADROOM[Math.min(row, 1)];

// ---- making room ----

/** Raise every line by what its arcs need; returns the places after that. */
function makeRoom(stage, arcs, piecesOf, places, levels) {
  const text = stage.querySelector(".text");
  const raised = new Set();
  for (const { piece, row } of places.values()) {
    if (raised.has(row)) continue;
    raised.add(row);
    const word = piece.querySelector(".first");
    if (word === null) continue;   // a mention that begins with a blank
    word.classList.add("raised");
    word.style.setProperty("--lift", `${heightOf(levels[row], row)}px`);
  }
  const after = measure(stage, arcs, piecesOf);
  const kept = [...places].every(([key, { row, left }]) => after.get(key).row === row && Math.abs(after.get(key).left - left) < 2);
  if (kept) return after;
  // A browser that breaks lines elsewhere now: give all lines the room of the highest instead.
  clearRoom(text);
  const lift = heightOf(Math.max(...levels), 1);
  const nested = 8 * text.style.getPropertyValue("--depths");
  text.style.lineHeight = `${parseFloat(getComputedStyle(text).fontSize) * 1.6 + nested + lift}px`;
  text.style.marginBlock = `${lift / 2}px ${-lift / 2}px`;
  return measure(stage, arcs, piecesOf);
}

function clearRoom(text) {
  for (const word of text.querySelectorAll(".raised")) word.classList.remove("raised");
  text.style.lineHeight = text.style.marginBlock = "";
}

// ---- drawing ----

const yOf = (segment, top) => top - FIRST - segment.level * LEVEL;

function drawLine(parent, segment, rowTop, places, width) {
  const { x1, x2, ends: [a, b], arc } = segment;
  const y = yOf(segment, rowTop);
  const r = Math.min(RADIUS, (x2 - x1) / 2);
  const hasArrow = (end) => arc.directed && end.key === arc.tail;
  const foot = (end) => places.get(end.key).top - (hasArrow(end) ? 6 : 3);
  const start = a ? `M${x1} ${foot(a)}V${y + r}Q${x1} ${y} ${x1 + r} ${y}` : `M-6 ${y}`;
  const finish = b ? `H${x2 - r}Q${x2} ${y} ${x2} ${y + r}V${foot(b)}` : `H${width + 6}`;
  element("path", { class: "hit", d: start + finish }, parent);
  element("path", { class: "stroke", d: start + finish }, parent);
  if (a) drawEnd(parent, x1, places.get(a.key).top, hasArrow(a));
  if (b) drawEnd(parent, x2, places.get(b.key).top, hasArrow(b));
}

function drawEnd(parent, x, top, arrow) {
  if (arrow) element("path", { class: "end", d: `M${x - 4.5} ${top - 8}L${x} ${top - .5}L${x + 4.5} ${top - 8}Z` }, parent);
  else element("circle", { class: "end", cx: x, cy: top - 3, r: 2.4 }, parent);
}

function drawLabel(parent, segment, rowTop) {
  const y = yOf(segment, rowTop), { label, instead, width } = segment.arc;
  let [left, right] = [segment.label - width / 2, segment.label + width / 2];
  const narrow = segment.ends[0] && segment.ends[1] && segment.x2 - segment.x1 < width + 8;
  if (narrow) [left, right] = [Math.min(left, segment.x1 - 2), Math.max(right, segment.x2 + 2)];   // no stumps beside the label
  element("rect", { x: left, y: y - 8, width: right - left, height: 16 }, parent);
  const text = element("text", { x: segment.label, y }, parent);
  text.textContent = label;
  if (instead) element("tspan", { class: "instead" }, text).textContent = instead;
}
