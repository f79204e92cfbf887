// Elements without markup: texts become text nodes, never HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An element. Attributes with functions are listeners, true sets an empty attribute, null and false none. */
export function make(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function makeSvg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** A text cut to so many characters. */
export function shortened(text, most) {
  const characters = Array.from(text);
  return characters.length > most ? `${characters.slice(0, most).join("")}…` : text;
}

/** A <select> of [value, text] choices. */
export function choice(attributes, choices, chosen) {
  return make("select", attributes, choices.map(([value, text]) => make("option", { value, selected: value === chosen }, text)));
}

/** Rebuild the content of an element; the keyboard focus stays on the control with the same data-focus. */
export function refill(element, ...children) {
  const active = document.activeElement;
  const key = element.contains(active) ? active.dataset.focus : undefined;
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (key !== undefined) [...element.querySelectorAll("[data-focus]")].find((one) => one.dataset.focus === key)?.focus();
}

const SHOWN_FOR = 4000;   // milliseconds
let hiding = null;

/** Say something to screen readers, and show it for a while. */
export function announce(text) {
  const place = byId("live");
  clearTimeout(hiding);
  place.textContent = "";
  requestAnimationFrame(() => { place.textContent = text; });
  hiding = setTimeout(() => { place.textContent = ""; }, SHOWN_FOR);
}

/** Say something to screen readers that is plain to see, such as the word at the caret. */
export function whisper(text) {
  byId("whisper").textContent = text;
}
