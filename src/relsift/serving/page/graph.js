// The relations of a document as a graph: mentions with the same text and type are one node. A small force layout, the same each time.

import { textOf } from "./documents.js";
import { make, makeSvg, refill } from "./dom.js";
import { percent, say } from "./language.js";
import { colours, currentDocument, shownRelations } from "./store.js";

const ROUNDS = 250;
const LONGEST = 24;       // characters of a name
const LINE = 190;         // the wanted length of an edge

export function drawGraph(place) {
  const made = currentDocument();
  const { nodes, edges } = made === null ? { nodes: [], edges: [] } : graphOf(made, shownRelations());
  if (edges.length === 0) {
    refill(place, make("p", { class: "quiet" }, say("noRelations")));
    return;
  }
  const width = Math.max(320, place.clientWidth || 700);
  const height = Math.min(560, 240 + 26 * nodes.length);
  layOut(nodes, edges, width, height);
  const svg = makeSvg("svg", { class: "graph", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": say("graphOf", { nodes: nodes.length, edges: edges.length }) },
    makeSvg("defs", {}, makeSvg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto-start-reverse" },
      makeSvg("path", { class: "end", d: "M0 0.6L8 4L0 7.4Z" }))));
  edges.forEach((edge) => drawEdge(svg, edge, edges));
  nodes.forEach((node) => drawNode(svg, node, width));
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
    const [from, to] = [nodeOf(head), nodeOf(tail)];
    if (from === to) continue;
    const id = JSON.stringify([from.id, to.id, type]);
    const edge = edges.get(id) ?? { from, to, type, probability: null };
    edge.probability = probability === null ? edge.probability : Math.max(probability, edge.probability ?? 0);
    edges.set(id, edge);
  }
  return { nodes: [...nodes.values()].filter((node) => [...edges.values()].some(({ from, to }) => from === node || to === node)), edges: [...edges.values()] };
}

/** Fruchterman and Reingold (1991): nodes repel, edges pull, and what may move cools down. From a circle, so without chance. */
function layOut(nodes, edges, width, height) {
  const [middleX, middleY] = [width / 2, height / 2];
  nodes.forEach((node, number) => {
    const angle = (2 * Math.PI * number) / nodes.length;
    Object.assign(node, { x: middleX + (width / 3) * Math.cos(angle), y: middleY + (height / 3) * Math.sin(angle) });
  });
  const wanted = Math.min(LINE, Math.sqrt((width * height) / Math.max(1, nodes.length)) * 0.85);
  for (let round = 0; round < ROUNDS; round += 1) {
    const reach = 0.08 * width * (1 - round / ROUNDS) + 0.5;
    for (const node of nodes) Object.assign(node, { dx: (middleX - node.x) * 0.02, dy: (middleY - node.y) * 0.05 });
    nodes.forEach((one, number) => nodes.slice(number + 1).forEach((other) => {
      const [dx, dy] = [one.x - other.x || 0.1, (one.y - other.y || 0.1) * 1.6];   // names are wide: more room is needed above each other than side by side is not
      const force = (wanted * wanted) / (dx * dx + dy * dy);
      push(one, other, dx * force, (dy / 1.6) * force);
    }));
    for (const { from, to } of edges) {
      const [dx, dy] = [from.x - to.x, from.y - to.y];
      const force = -Math.hypot(dx, dy) / wanted;
      push(from, to, dx * force, dy * force);
    }
    for (const node of nodes) {
      const length = Math.hypot(node.dx, node.dy) || 1;
      const step = Math.min(length, reach) / length;
      node.x = Math.max(50, Math.min(width - 50, node.x + node.dx * step));
      node.y = Math.max(24, Math.min(height - 34, node.y + node.dy * step));
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
  const label = `${type}${probability === null ? "" : ` ${percent(probability)}`}`;
  svg.append(makeSvg("g", { class: "edge" },
    makeSvg("title", {}, `${from.name} → ${to.name}\n${label}`),
    makeSvg("path", { d: `M${x1} ${y1}Q${cx} ${cy} ${x2} ${y2}`, "marker-end": "url(#arrow)" }),
    makeSvg("text", { x: (x1 + 2 * cx + x2) / 4, y: (y1 + 2 * cy + y2) / 4 - 4 }, label)));
}

function drawNode(svg, { name, type, colour, x, y }, width) {
  const characters = Array.from(name);
  const shown = characters.length > LONGEST ? `${characters.slice(0, LONGEST).join("")}…` : name;
  const anchor = x < 90 ? "start" : x > width - 90 ? "end" : "middle";
  svg.append(makeSvg("g", { class: `node c${colour}` },
    makeSvg("title", {}, `${name.slice(0, 200)}\n${type}`),
    makeSvg("circle", { cx: x, cy: y, r: 7 }),
    makeSvg("text", { x: anchor === "start" ? x - 8 : anchor === "end" ? x + 8 : x, y: y + 22, "text-anchor": anchor }, shown)));
}
