// Offsets. The service counts characters as Unicode code points; JavaScript strings count UTF-16 units, of which an emoji has two.

/** A text that can be cut by code points. */
export class CodePoints {
  constructor(text) {
    this.text = text;
    this.units = [];                      // of each code point, where it begins in UTF-16
    for (let unit = 0; unit < text.length; unit += text.codePointAt(unit) > 0xffff ? 2 : 1) this.units.push(unit);
    this.length = this.units.length;
    this.units.push(text.length);
  }

  slice(start, end = this.length) {
    return this.text.slice(this.units[start], this.units[end]);
  }
}

/** How many code points stand before a UTF-16 offset; one inside a pair of surrogates counts as before the pair. */
export function codePointsBefore(text, unit) {
  let count = 0;
  for (let at = 0; at < unit;) {
    const step = text.codePointAt(at) > 0xffff ? 2 : 1;
    if (at + step > unit) break;
    at += step;
    count += 1;
  }
  return count;
}

/** A lone half of a surrogate pair cannot be sent as UTF-8: it becomes U+FFFD, one unit for one, so that offsets stay. */
export function wellFormed(text) {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
}
