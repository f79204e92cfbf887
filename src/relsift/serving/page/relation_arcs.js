// The relations of a sentence as arcs above its words, drawn by the file that the pages of relsift draw theirs with (report/arcs.js).

import { drawArcs } from "./arcs.js";
import { makeSvg } from "./dom.js";

/**
 * stage: the element around a marked text. relations: those with both ends in it, with `label`, `title`, and `directed`: whether the
 * tail has an arrow head.
 * act: {choose(relation)}
 */
export function drawRelations(stage, relations, act) {
  const arcs = relations.map(({ head, tail, label, directed }, index) => ({ head, tail, label, directed, relation: relations[index] }));
  drawArcs(stage, arcs, (key) => [...stage.querySelectorAll(".e")].filter((piece) => piece.dataset.key === key), ({ relation }) => makeSvg(
    "g", { class: `arc ${relation.verdict ?? "plain"}`, "data-type": relation.type, onclick: () => act.choose(relation) },
    makeSvg("title", {}, relation.title),
  ));
}
