// A caret in a sentence that moves by words or characters, and the selection made with it or with the mouse.
//
// Arrows move, with Shift they select; "c" changes between words and characters; Home and End go to the ends. Enter opens the bar of what
// is selected, a digit marks it at once, Delete takes away the mention at the caret, Escape drops the selection.

import { makeSvg } from "./dom.js";
import { positionAt, rangeOf } from "./marked_text.js";

let byCharacter = false;

/**
 * place: a marked text. stage: the element around it, where the caret is drawn.
 * act: {select(start, end), open(), digit(number), remove(position), leave(step), move(position, spoken)}
 */
export function attachCaret(place, stage, made, number, caretAt, act) {
  const { tokens } = made.sentences[number];
  const [first, last] = [tokens[0][0], tokens.at(-1)[1]];
  const state = { focus: clamp(caretAt ?? first, first, last), anchor: null };

  const stops = () => (byCharacter
    ? Array.from({ length: last - first + 1 }, (_, step) => first + step)
    : [...new Set(tokens.flat())].sort((a, b) => a - b));

  function goTo(position, extend) {
    if (extend && state.anchor === null) state.anchor = state.focus;
    if (!extend) state.anchor = null;
    state.focus = position;
    draw();
    act.move(position, spokenAt(position));
    if (state.anchor !== null && state.anchor !== state.focus) {
      act.select(Math.min(state.anchor, state.focus), Math.max(state.anchor, state.focus));
    } else if (!extend) act.select(null);
  }

  function spokenAt(position) {
    const [from, to] = byCharacter ? [position, Math.min(position + 1, last)] : tokens.find(([, end]) => end > position) ?? tokens.at(-1);
    return made.text.slice(from, to);
  }

  function step(direction, extend) {
    const all = stops();
    const next = direction > 0 ? all.find((stop) => stop > state.focus) : all.findLast((stop) => stop < state.focus);
    if (next !== undefined) goTo(next, extend);
    else if (!extend) act.leave(direction);
  }

  place.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = {
      ArrowRight: () => step(1, event.shiftKey), ArrowLeft: () => step(-1, event.shiftKey),
      ArrowDown: () => act.leave(1), ArrowUp: () => act.leave(-1),
      Home: () => goTo(first, event.shiftKey), End: () => goTo(last, event.shiftKey),
      Enter: () => act.open(state.focus), " ": () => act.open(state.focus),
      Delete: () => act.remove(state.focus), Backspace: () => act.remove(state.focus),
      Escape: () => goTo(state.focus, false),
      c: () => { byCharacter = !byCharacter; act.unit(byCharacter); },
    };
    const run = keys[event.key] ?? (/^[1-9]$/.test(event.key) ? () => act.digit(Number(event.key)) : null);
    if (run === null) return;
    event.preventDefault();
    run();
  });
  place.addEventListener("focus", draw);
  place.addEventListener("blur", () => stage.querySelector(".caret")?.remove());
  place.addEventListener("mouseup", () => setTimeout(takeMouse));

  function takeMouse() {
    const span = mouseSelection(place);
    if (span === null) {
      const { focusNode, focusOffset, isCollapsed } = getSelection();
      if (isCollapsed && place.contains(focusNode)) Object.assign(state, { focus: positionAt(place, focusNode, focusOffset), anchor: null });
      return;
    }
    const [start, end] = trimmed(made.text, span);
    if (start < end) act.select(start, end, true);
  }

  function draw() {
    stage.querySelector(".caret")?.remove();
    if (document.activeElement !== place) return;
    const box = caretBox(place, state.focus, last);
    const origin = stage.getBoundingClientRect();
    stage.append(makeSvg("svg", { class: "caret", "aria-hidden": "true", x: 0 },
      makeSvg("line", { x1: box.x - origin.left, x2: box.x - origin.left, y1: box.top - origin.top - 2, y2: box.bottom - origin.top + 2 })));
    const selection = getSelection();
    selection.removeAllRanges();
    if (state.anchor !== null && state.anchor !== state.focus) {
      selection.addRange(rangeOf(place, Math.min(state.anchor, state.focus), Math.max(state.anchor, state.focus)));
    }
  }
}

/** On a telephone the ends of a selection are moved after it was made: take it when it has come to rest. */
export function watchTouchSelection() {
  let waiting = null;
  document.addEventListener("selectionchange", () => {
    clearTimeout(waiting);
    if (!matchMedia("(pointer: coarse)").matches || getSelection().isCollapsed) return;
    waiting = setTimeout(() => getSelection().anchorNode?.parentElement?.closest(".text")?.dispatchEvent(new MouseEvent("mouseup")), 300);
  });
}

/** What the browser has selected inside a marked text, as code points; null: nothing. */
function mouseSelection(place) {
  const selection = getSelection();
  if (selection.isCollapsed || selection.rangeCount === 0) return null;
  const range = selection.getRangeAt(0);
  if (!range.intersectsNode(place)) return null;
  const inside = (node) => place.contains(node);
  const whole = document.createRange();
  whole.selectNodeContents(place);
  const [from, fromOffset] = inside(range.startContainer) ? [range.startContainer, range.startOffset] : [whole.startContainer, whole.startOffset];
  const [to, toOffset] = inside(range.endContainer) ? [range.endContainer, range.endOffset] : [whole.endContainer, whole.endOffset];
  return [positionAt(place, from, fromOffset), positionAt(place, to, toOffset)];
}

function trimmed(text, [start, end]) {
  while (start < end && /\s/u.test(text.slice(start, start + 1))) start += 1;
  while (start < end && /\s/u.test(text.slice(end - 1, end))) end -= 1;
  return [start, end];
}

function caretBox(place, position, last) {
  const atEnd = position >= last;
  const range = atEnd ? rangeOf(place, last - 1, last) : rangeOf(place, position, position + 1);
  const boxes = range.getClientRects();
  const box = boxes[atEnd ? boxes.length - 1 : 0] ?? place.getBoundingClientRect();
  return { x: atEnd ? box.right : box.left, top: box.top, bottom: box.bottom };
}

const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
