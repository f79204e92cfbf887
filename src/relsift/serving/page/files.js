// Files in and out: uploads in any format, results and training data in any format. The service only converts; it keeps nothing.

import { post, postJson, ServiceError } from "./api.js";
import { documentsOfRecords, isChecked } from "./documents.js";
import { announce, byId, make, refill } from "./dom.js";
import { extract, showProblem } from "./extraction.js";
import { say } from "./language.js";
import { leftOut, recordsOf } from "./records.js";
import { forgetCarets } from "./sentence_card.js";
import { changed, currentDocument, options, state } from "./store.js";

const TRAINING_FORMATS = ["native", "brat", "spacy", "label_studio", "doccano", "prodigy", "pubtator", "bioc"];   // those that are annotation

// ---- in ----

export async function upload(files) {
  if (files.length === 0) return;
  document.body.classList.add("busy");
  try {
    const size = [...files].reduce((sum, file) => sum + file.size, 0);
    if ((4 * size) / 3 > 1024 * state.limits.max_kb) throw new ServiceError("too_large", say("tooLarge", { kb: Math.floor(0.75 * state.limits.max_kb) }));
    const given = await Promise.all([...files].map(async (file) => ({ name: file.name, content: base64(new Uint8Array(await file.arrayBuffer())) })));
    const format = byId("upload-format").value;
    const { documents, notes } = await postJson("v1/read", { files: given, ...(format === "" ? {} : { format }) });
    openDocuments(documentsOfRecords(documents));
    byId("upload-notes").textContent = notes.join(" · ");
    await extract();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    showProblem(error);
  } finally {
    document.body.classList.remove("busy");
  }
}

/** Show these documents in place of what is there. */
export function openDocuments(documents) {
  Object.assign(state, { documents, current: 0, selected: null, from: null, pair: { head: null, tail: null } });
  const made = documents[0];
  byId("text").value = made.text.text;
  byId("upload-notes").textContent = "";
  forgetCarets();
  changed();
}

function base64(bytes) {
  let binary = "";
  for (let start = 0; start < bytes.length; start += 0x8000) binary += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  return btoa(binary);
}

// ---- out ----

export function drawDownload() {
  const made = currentDocument();
  const isTraining = byId("save-training").checked;
  const writers = state.formats.writers.filter(({ name }) => !isTraining || TRAINING_FORMATS.includes(name));
  const chosen = byId("save-format").value;
  refill(byId("save-format"), writers.map(({ name, summary }) => make("option", { value: name, selected: name === chosen }, `${name}: ${summary}`)));
  const sentences = state.documents.flatMap((one) => one.sentences.map((_, number) => isChecked(one, number)));
  const lost = isTraining ? state.documents.reduce((sum, one) => sum + leftOut(one, options()), 0) : 0;
  byId("save-note").textContent = (isTraining
    ? say("trainingNote", { checked: sentences.filter(Boolean).length, all: sentences.length }) : say("resultsNote"))
    + (lost === 0 ? "" : ` ${say("leftOut", { lost })}`);
  byId("save").disabled = made === null || sentences.length === 0 || (isTraining && !sentences.some(Boolean));
}

export async function download() {
  const training = byId("save-training").checked;
  const taken = new Set(state.documents.map(({ id }) => id));
  const documents = state.documents.flatMap((made) => recordsOf(made, options(), { training, taken }));
  try {
    const answer = await post("v1/convert", { documents, to: byId("save-format").value });
    const given = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition"))[1];
    const name = training ? given.replace("relsift", "relsift-training") : given;
    const notes = JSON.parse(answer.headers.get("relsift-notes") ?? "[]");
    const more = Number(answer.headers.get("relsift-more-notes"));
    if (more > 0) notes.push(say("moreNotes", { more }));
    const address = URL.createObjectURL(await answer.blob());
    make("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    byId("saved").textContent = notes.length === 0 ? say("saved", { name }) : say("savedWithout", { name, notes: notes.join(" · ") });
    announce(byId("saved").textContent);
    showProblem(null);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    showProblem(error);
  }
}
