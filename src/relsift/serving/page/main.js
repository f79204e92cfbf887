// Starts the page: wires the controls of index.html to the state, and draws every part when the state changes.

import { checkAll } from "./actions.js";
import { getJson, onUnauthorized, ServiceError } from "./api.js";
import { watchTouchSelection } from "./caret.js";
import { wellFormed } from "./codepoints.js";
import { documentOfText, idOfText } from "./documents.js";
import { byId, make, refill, shortened } from "./dom.js";
import { extract, showProblem } from "./extraction.js";
import { download, drawDownload, openDocuments, upload } from "./files.js";
import { drawGraph } from "./graph.js";
import { currentLanguage, say, setLanguage, translatePage } from "./language.js";
import { drawPanel } from "./pair_panel.js";
import { drawAllArcs, drawCards, forgetCarets } from "./sentence_card.js";
import { changed, currentDocument, onChange, state } from "./store.js";
import { drawEntities, drawRelations } from "./tables.js";
import { startTheme } from "./theme.js";
import { drawToolbar, startToolbar } from "./toolbar.js";

// ---- drawing ----

function drawAll(what) {
  const made = currentDocument();
  byId("result").hidden = made === null || made.sentences.length === 0;
  if (what === "all") drawChoices();
  if (made === null) return;
  drawToolbar();
  (what === "all" ? drawCards : drawAllArcs)(byId("cards"));
  drawPanel(byId("why"));
  drawRelations(byId("relations"));
  drawEntities(byId("entities"));
  if (byId("graph-part").open) drawGraph(byId("graph"));
  drawDownload();
  drawNotes(made);
}

function drawNotes(made) {
  const notes = made.notes.map((note) => (note === "truncated" ? say("truncated") : note));
  if (made.entities.length < 2 && made.scored !== null) notes.unshift(say(state.model.finds_entities && made.entitiesAreFound ? "fewEntities" : "markEntities"));
  refill(byId("notes"), notes.map((note) => make("li", {}, note)));
}

function drawChoices() {
  refill(byId("model"), state.models.map(({ name }) => make("option", { value: name, selected: name === state.model?.name }, name)));
  byId("model-about").textContent = state.model === null ? "" : [state.model.architecture, state.model.data, state.model.licence].filter(Boolean).join(" · ");
  const mine = byId("mine");
  mine.disabled = !(state.model?.finds_entities ?? true);
  if (mine.disabled) mine.checked = true;
  const fit = state.samples.filter(({ language }) => !state.model?.language || state.model.language.split(", ").includes(language));
  refill(byId("samples"), fit.map((sample, number) => make("button", {
    type: "button", class: "chip", lang: sample.language, "data-focus": `sample-${number}`, onclick: () => trySample(sample),
  }, shortened(sample.text, sample.language === "zh" ? 11 : 26))));
  const documents = byId("documents");
  documents.hidden = state.documents.length < 2;
  refill(byId("document"), state.documents.map(({ id }, number) => make("option", { value: number, selected: number === state.current }, id)));
  const formats = byId("upload-format"), chosen = formats.value;
  refill(formats, make("option", { value: "" }, say("formatGuessed")),
    state.formats.readers.map(({ name, summary }) => make("option", { value: name, selected: name === chosen }, `${name}: ${summary}`)));
  byId("language").textContent = currentLanguage() === "en" ? "中文" : "English";
  byId("language").lang = currentLanguage() === "en" ? "zh-Hans" : "en";
}

// ---- what the reader does ----

async function trySample({ id, text, entities }) {
  openDocuments([documentOfText(id, text, byId("mine").disabled ? entities : byId("mine").checked ? [] : null)]);
  await extract();
}

async function readText() {
  const text = wellFormed(byId("text").value);
  if (text.trim() === "") {
    byId("text").focus();
    return;
  }
  if (currentDocument()?.text.text !== text) openDocuments([documentOfText(idOfText(text), text, byId("mine").checked ? [] : null)]);
  await extract();
}

function chooseModel(name) {
  state.model = state.models.find((model) => model.name === name);
  Object.assign(state, { threshold: null, mode: null, selected: null, from: null });
  byId("mine").checked = false;
  changed();
  const fitting = state.samples.find(({ language }) => language === state.model.language);
  const current = state.samples.find(({ text }) => text === byId("text").value);
  if (fitting && current && current.language !== state.model.language) trySample(fitting);
  else if (currentDocument() !== null) extract();
}

function askForToken(wasWrong) {
  const dialog = byId("token-dialog");
  byId("token-wrong").hidden = !wasWrong;
  byId("token").value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "given" ? byId("token").value.trim() || null : null), { once: true });
  });
}

function startControls() {
  startTheme(byId("theme"));
  startToolbar();
  watchTouchSelection();
  byId("language").addEventListener("click", () => { setLanguage(currentLanguage() === "en" ? "zh" : "en"); changed(); });
  byId("model").addEventListener("change", (event) => chooseModel(event.target.value));
  byId("read").addEventListener("submit", (event) => { event.preventDefault(); readText(); });
  byId("text").addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) readText(); });
  byId("upload").addEventListener("change", (event) => upload(event.target.files).then(() => { event.target.value = ""; }));
  byId("document").addEventListener("change", (event) => showDocument(Number(event.target.value)));
  byId("check-all").addEventListener("click", checkAll);
  byId("graph-part").addEventListener("toggle", () => { if (byId("graph-part").open) drawGraph(byId("graph")); });
  for (const id of ["save-results", "save-training"]) byId(id).addEventListener("change", drawDownload);
  byId("save-form").addEventListener("submit", (event) => { event.preventDefault(); download(); });
  byId("token-form").addEventListener("submit", (event) => { event.preventDefault(); byId("token-dialog").close("given"); });
  byId("token-cancel").addEventListener("click", () => byId("token-dialog").close(""));
}

function showDocument(number) {
  Object.assign(state, { current: number, selected: null, from: null, pair: { head: null, tail: null } });
  forgetCarets();
  byId("text").value = currentDocument().text.text;
  changed();
  if (currentDocument().scored === null) extract();
}

function watchWidth() {
  let width = null;
  new ResizeObserver(([entry]) => {
    const before = width;
    width = entry.contentRect.width;
    if (before === null || Math.abs(width - before) < 1) return;
    requestAnimationFrame(() => {
      drawAllArcs(byId("cards"));
      if (byId("graph-part").open) drawGraph(byId("graph"));
    });
  }).observe(byId("cards"));
}

// ---- start ----

async function start() {
  translatePage();
  onUnauthorized(askForToken);
  startControls();
  onChange(drawAll);
  changed();
  try {
    const { models, limits } = await getJson("v1/models");
    const [{ samples }, formats] = await Promise.all([getJson("v1/samples"), getJson("v1/formats")]);
    Object.assign(state, { models, limits, samples, formats, model: models.find((model) => model.default) ?? models[0] });
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    showProblem(error);
    return;
  }
  watchWidth();
  changed();
  const sample = state.samples.find(({ language }) => language === state.model.language);
  if (sample && byId("text").value === "") await trySample(sample);   // an example says more than an empty page
  document.documentElement.dataset.ready = "yes";
}

start();
