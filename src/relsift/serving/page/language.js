// The language of the page: that of the browser, until the reader chooses.

import { STRINGS } from "./strings.js";

const KEY = "relsift.language";
let language = startLanguage();

function startLanguage() {
  const stored = localStorage.getItem(KEY);
  if (Object.hasOwn(STRINGS, stored)) return stored;
  return (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => Object.hasOwn(STRINGS, tag)) ?? "en";
}

export const currentLanguage = () => language;

export function setLanguage(chosen) {
  language = chosen;
  localStorage.setItem(KEY, chosen);
  translatePage();
}

/** The words for a key, with {names} filled in. */
export function say(key, values = {}) {
  const words = STRINGS[language][key];
  if (words === undefined) throw new Error(`no words for ${key}`);
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** The words of index.html: data-say="key" has the text, data-say-ATTRIBUTE="key" an attribute. */
export function translatePage() {
  document.documentElement.lang = language === "zh" ? "zh-Hans" : language;
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const [name, attribute] of [["sayLabel", "aria-label"], ["sayPlaceholder", "placeholder"], ["sayTitle", "title"]]) {
    for (const element of document.querySelectorAll(`[data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}]`)) {
      element.setAttribute(attribute, say(element.dataset[name]));
    }
  }
}

/** A score, in log-odds. */
export const decimal = (score) => score.toFixed(2).replace("-", "\u2212");

/** A share of one as percent. */
export const percent = (share) => (share === null || share === undefined ? "–" : `${(100 * share).toFixed(share > 0.995 && share < 1 ? 1 : 0)} %`);

/** Which of the two writing systems a text is mostly in, for the fonts. */
export function languageOf(text) {
  const ideographs = text.match(/\p{Script=Han}/gu)?.length ?? 0;
  return ideographs > 0.2 * text.length ? "zh" : "en";
}
