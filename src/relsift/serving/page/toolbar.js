// Threshold and mode, which act without the service; and the legend of the entity types.

import { extractSoon } from "./extraction.js";
import { byId, choice, make, refill } from "./dom.js";
import { decimal, say } from "./language.js";
import { changed, colours, currentDocument, entityTypes, shownRelations, state } from "./store.js";

const STEP = 0.05;        // log-odds
const WIDEST = 20;        // log-odds; a score beyond is beyond doubt
const USUAL = 10;         // log-odds to both sides of 0, where a model does not say what the other pairs score

export function startToolbar() {
  byId("threshold").addEventListener("input", (event) => {
    state.threshold = Number(event.target.value);
    decided();
  });
  byId("own-threshold").addEventListener("click", () => {
    state.threshold = null;
    decided();
  });
}

/** What the model says has changed; where it gives no scores, it is asked again. */
function decided() {
  changed("relations");
  if (!state.model.all_scores) extractSoon();
}

export function drawToolbar() {
  const made = currentDocument();
  const decision = made?.scored?.decision ?? state.model?.decision;
  if (!decision) return;
  const slider = byId("threshold");
  const scores = made?.scored && made.scored.labels === null ? [-USUAL, USUAL, ...made.scored.relations.map(({ score }) => score)]
    : (made?.scored?.pairs ?? []).flatMap((pair) => pair.scores.filter((score) => score !== null));
  const reach = (pick, side) => Math.max(-WIDEST, Math.min(WIDEST, Math.round(scores.reduce((a, b) => pick(a, b), decision.threshold)) + side));
  Object.assign(slider, { min: reach(Math.min, -1), max: reach(Math.max, 1), step: STEP, value: state.threshold ?? decision.threshold });
  const shown = state.threshold === null ? ownWords(decision) : decimal(state.threshold);
  byId("threshold-value").textContent = shown;
  const count = shownRelations().length;
  slider.setAttribute("aria-valuetext", say("thresholdSpoken", { threshold: shown, relations: count }));
  byId("own-threshold").disabled = state.threshold === null;
  byId("counts").textContent = say("counts", { relations: count, entities: made?.entities.length ?? 0 });
  const mode = choice({ id: "mode", "aria-label": say("mode"), "data-focus": "mode" }, [["single", say("modeSingle")], ["several", say("modeSeveral")]], state.mode ?? decision.mode);
  mode.addEventListener("change", () => { state.mode = mode.value === decision.mode ? null : mode.value; decided(); });
  refill(byId("mode-place"), mode);
  const colour = colours();
  refill(byId("legend"), entityTypes().map((type) => make("li", { class: `c${colour.get(type)}` }, type)));
}

function ownWords(decision) {
  const several = Object.keys(decision.thresholds).length;
  return several === 0 ? decimal(decision.threshold) : say("ownThresholds", { several });
}

