// The relations of a document as a graph: mentions with the same text and type are one node. A small force layout, the same each time.

import { textOf } from "./documents.js";
import { make, makeSvg, refill, shortened } from "./dom.js";
import { percent, say } from "./language.js";
import { arrow, colours, currentDocument, isDirected, shownRelations } from "./store.js";

const ROUNDS = 250;
const LONGEST = 24;       // characters of a name
const LINE = 185;         // the wanted length of an edge
const FLAT = 1.7;         // names are wide: neighbours stand farther apart side by side than above each other
const SIDE = 62, ABOVE = 26, BELOW = 40;   // room around the nodes of a part, for names and labels

export function drawGraph(place) {
  const made = currentDocument();
  const { nodes, edges } = made === null ? { nodes: [], edges: [] } : graphOf(made, shownRelations());
  if (edges.length === 0) {
    refill(place, make("p", { class: "quiet" }, say("noRelations")));
    return;
  }
  const width = Math.max(320, place.clientWidth || 700);
  const height = layOut(nodes, edges, width);
  const svg = makeSvg("svg", { class: "graph", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": say("graphOf", { nodes: nodes.length, edges: edges.length }) },
    makeSvg("defs", {}, makeSvg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto-start-reverse" },
      makeSvg("path", { class: "end", d: "M0 0.6L8 4L0 7.4Z" }))));
  edges.forEach((edge) => drawEdge(svg, edge, edges));
  nodes.forEach((node) => drawNode(svg, node));
  refill(place, svg);
}

/** Nodes and edges, merged. */
export function graphOf(made, relations) {
  const nodes = new Map(), edges = new Map(), colour = colours();
  const nodeOf = (key) => {
    const entity = made.entities.find((one) => one.key === key);
    const name = textOf(made, entity), id = JSON.stringify([name, entity.type]);
    if (!nodes.has(id)) nodes.set(id, { id, name, type: entity.type, colour: colour.get(entity.type) });
    return nodes.get(id);
  };
  for (const { head, tail, type, probability } of relations) {
    let [from, to] = [nodeOf(head), nodeOf(tail)];
    if (from === to) continue;
    if (!isDirected() && from.id > to.id) [from, to] = [to, from];   // the same edge, in whatever order texts name its ends
    const id = JSON.stringify([from.id, to.id, type]);
    const edge = edges.get(id) ?? { from, to, type, probability: null };
    edge.probability = probability === null ? edge.probability : Math.max(probability, edge.probability ?? 0);
    edges.set(id, edge);
  }
  return { nodes: [...nodes.values()].filter((node) => [...edges.values()].some(({ from, to }) => from === node || to === node)), edges: [...edges.values()] };
}

// ---- layout ----

/** Place every connected part by itself, then the parts in rows, the largest first. Returns the height. */
function layOut(nodes, edges, width) {
  const boxes = partsOf(nodes, edges).map((part) => boxOf(part, edges, width)).sort((a, b) => b.height - a.height);
  let [left, top, row] = [0, 0, 0];
  for (const { part, width: wide, height: high } of boxes) {
    if (left > 0 && left + wide > width) [left, top, row] = [0, top + row, 0];
    for (const node of part) Object.assign(node, { x: node.x + left, y: node.y + top });
    left += wide;
    row = Math.max(row, high);
  }
  return top + row;
}

/** The nodes of each connected part. */
function partsOf(nodes, edges) {
  const parts = new Map(nodes.map((node) => [node, new Set([node])]));
  for (const { from, to } of edges) {
    if (parts.get(from) === parts.get(to)) continue;
    const joined = new Set([...parts.get(from), ...parts.get(to)]);
    for (const node of joined) parts.set(node, joined);
  }
  return [...new Set(parts.values())].map((part) => [...part]);
}

/** A part with its nodes placed in a box of its own, that has room for their names. */
function boxOf(part, edges, width) {
  const joined = new Map(edges.filter(({ from }) => part.includes(from)).map(({ from, to }) => [[from.id, to.id].sort().join("\0"), { from, to }]));
  settle(part, [...joined.values()]);   // several relations of a pair pull no more than one
  const [least, most] = [(axis) => Math.min(...part.map((node) => node[axis])), (axis) => Math.max(...part.map((node) => node[axis]))];
  const [x, y, wide, high] = [least("x"), least("y"), most("x") - least("x"), most("y") - least("y")];
  const scale = Math.min(1, (width - 2 * SIDE) / Math.max(1, wide));
  for (const node of part) Object.assign(node, { x: SIDE + (node.x - x) * scale, y: ABOVE + node.y - y });
  return { part, width: wide * scale + 2 * SIDE, height: high + ABOVE + BELOW };
}

/** Fruchterman and Reingold (1991): nodes repel, edges pull, and what may move cools down. From an ellipse, so without chance. */
function settle(nodes, edges) {
  nodes.forEach((node, number) => {
    const angle = (2 * Math.PI * number) / nodes.length;
    Object.assign(node, { x: LINE * Math.cos(angle), y: 0.5 * LINE * Math.sin(angle) });
  });
  for (let round = 0; round < ROUNDS; round += 1) {
    const reach = 30 * (1 - round / ROUNDS) + 0.5;
    for (const node of nodes) Object.assign(node, { dx: 0, dy: 0 });
    nodes.forEach((one, number) => nodes.slice(number + 1).forEach((other) => {
      const [dx, dy] = [one.x - other.x || 0.1, (one.y - other.y) * FLAT];
      const force = (LINE * LINE) / (dx * dx + dy * dy);
      push(one, other, dx * force, (dy * force) / FLAT);
    }));
    for (const { from, to } of edges) {
      const [dx, dy] = [from.x - to.x, (from.y - to.y) * FLAT];
      const force = -Math.hypot(dx, dy) / LINE;
      push(from, to, dx * force, (dy * force) / FLAT);
    }
    for (const node of nodes) {
      const length = Math.hypot(node.dx, node.dy) || 1;
      const step = Math.min(length, reach) / length;
      node.x += node.dx * step;
      node.y += node.dy * step;
    }
  }
}

function push(one, other, dx, dy) {
  one.dx += dx; one.dy += dy;
  other.dx -= dx; other.dy -= dy;
}

function drawEdge(svg, { from, to, type, probability }, edges) {
  const beside = edges.filter((other) => (other.from === from && other.to === to) || (other.from === to && other.to === from));
  const rank = beside.findIndex((other) => other.type === type && other.from === from);
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const bend = (beside.length > 1 ? 26 * (rank + 1) : 10) * (from.x <= to.x ? 1 : -1);
  const [cx, cy] = [(from.x + to.x) / 2 - (dy / length) * bend, (from.y + to.y) / 2 + (dx / length) * bend];
  const trim = (x, y, distance) => { const far = Math.hypot(cx - x, cy - y) || 1; return [x + ((cx - x) / far) * distance, y + ((cy - y) / far) * distance]; };
  const [[x1, y1], [x2, y2]] = [trim(from.x, from.y, 9), trim(to.x, to.y, 11)];
  const label = `${shortened(type, LONGEST)}${probability === null ? "" : ` ${percent(probability)}`}`;
  svg.append(makeSvg("g", { class: "edge" },
    makeSvg("title", {}, `${from.name} ${arrow()} ${to.name}\n${label}`),
    makeSvg("path", { d: `M${x1} ${y1}Q${cx} ${cy} ${x2} ${y2}`, "marker-end": isDirected() ? "url(#arrow)" : null }),
    makeSvg("text", { x: (x1 + 2 * cx + x2) / 4, y: (y1 + 2 * cy + y2) / 4 - 4 }, label)));
}

function drawNode(svg, { name, type, colour, x, y }) {
  svg.append(makeSvg("g", { class: `node c${colour}` },
    makeSvg("title", {}, `${shortened(name, 200)}\n${type}`),
    makeSvg("circle", { cx: x, cy: y, r: 7 }),
    makeSvg("text", { x, y: y + 22 }, shortened(name, LONGEST))));
}
