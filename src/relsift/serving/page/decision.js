// From scores to relations: the rule of relsift.decisions, for one sentence, so that a threshold acts without the server.
//
// The service has applied constraints (null) and means of both directions (symmetric and inverse relations) to the scores already; which
// cells stand together is worked out here again, since they also fall together. A cell is a pair with a relation type, numbered row by row.
// tests/integration/test_page.py compares every outcome with relsift's own Decision.

export const OUTCOMES = ["taken", "below", "outscored", "too many", "forbidden"];

// Relations can have any name, such as "constructor", which every object knows.
const of = (object, name) => (Object.hasOwn(object, name) ? object[name] : undefined);

/** The rule with what the reader of the page has changed: one threshold for all relations, another mode. */
export function changed(decision, { threshold = null, mode = null } = {}) {
  return {
    ...decision,
    mode: mode ?? decision.mode,
    ...(threshold === null ? {} : { threshold, thresholds: {} }),
  };
}

/**
 * The outcome of every cell of one sentence.
 *
 * labels: relation types. pairs: [{head, tail, scores, probabilities}], head and tail any names of entities.
 * Returns {outcomes, bars}, each a list of rows like the scores: outcomes are of OUTCOMES, bars the thresholds that counted.
 */
export function judge(labels, decision, pairs) {
  const K = labels.length;
  const twins = twinsOf(labels, decision, pairs);
  const own = labels.map((name) => of(decision.thresholds, name) ?? decision.threshold);
  const offsets = own.map((threshold) => threshold - decision.threshold);
  const sums = offsets.map((offset) => decision.threshold + offset);
  const cells = [];
  const bars = pairs.map(() => own.slice());
  pairs.forEach(({ scores }, pair) => scores.forEach((score, column) => {
    if (score === null) return;
    const cell = pair * K + column;
    const twin = twins.get(cell);
    let level = score - offsets[column];
    if (twins.size > 0) bars[pair][column] = sums[column];
    if (twin !== undefined) {   // they stand or fall together: the mean of the two thresholds counts
      bars[pair][column] = (sums[column] + sums[twin % K]) / 2;
      level = score - (offsets[column] + offsets[twin % K]) / 2;
    }
    cells.push({ cell, pair, column, score, level });
  }));
  const chosen = decision.mode === "several" ? cells : twins.size > 0 ? bestWithTwins(cells, twins) : best(cells);
  const kept = atMost(chosen, twins, labels.map((name) => of(decision.at_most, name)), pairs);
  const outcomes = pairs.map(({ scores }, pair) => scores.map((score, column) => {
    const cell = pair * K + column;
    if (score === null) return "forbidden";
    if (score < bars[pair][column]) return "below";
    if (kept.has(cell)) return "taken";
    return chosen.some((one) => one.cell === cell) ? "too many" : "outscored";
  }));
  return { outcomes, bars };
}

/** The relations that are taken, pair by pair. */
export function decide(labels, decision, pairs) {
  const { outcomes } = judge(labels, decision, pairs);
  return pairs.flatMap(({ head, tail, scores, probabilities }, pair) => labels.flatMap((type, column) =>
    outcomes[pair][column] === "taken"
      ? [{ head, tail, type, score: scores[column], probability: probabilities?.[column] ?? null }] : []));
}

/** Cell -> the cell that says the same of the reversed pair. */
function twinsOf(labels, decision, pairs) {
  const partners = new Map();
  const column = new Map(labels.map((name, number) => [name, number]));
  for (const name of decision.symmetric) if (column.has(name)) partners.set(column.get(name), column.get(name));
  for (const [name, other] of Object.entries(decision.inverse)) {
    if (!column.has(name) || !column.has(other)) continue;
    partners.set(column.get(name), column.get(other));
    partners.set(column.get(other), column.get(name));
  }
  const twins = new Map();
  if (partners.size === 0) return twins;
  const place = new Map(pairs.map(({ head, tail }, number) => [JSON.stringify([head, tail]), number]));
  pairs.forEach(({ head, tail, scores }, pair) => {
    const reverse = place.get(JSON.stringify([tail, head]));
    if (reverse === undefined) return;
    for (const [one, other] of partners) {
      if (scores[one] === null || pairs[reverse].scores[other] === null) continue;
      twins.set(pair * labels.length + one, reverse * labels.length + other);
    }
  });
  return twins;
}

/** Of each pair the cell of the highest level, the first of equal ones. */
function best(cells) {
  const found = new Map();
  for (const cell of cells) if (!(found.get(cell.pair)?.level >= cell.level)) found.set(cell.pair, cell);
  return [...found.values()];
}

/** The highest level first, each cell where its pair, and its twin's, is still free. */
function bestWithTwins(cells, twins) {
  const byCell = new Map(cells.map((one) => [one.cell, one]));
  const taken = new Map();
  for (const one of [...cells].sort((a, b) => b.level - a.level)) {
    const group = [one, ...(twins.has(one.cell) ? [byCell.get(twins.get(one.cell))] : [])];
    if (group.some(({ pair }) => taken.has(pair))) continue;
    for (const member of group) taken.set(member.pair, member);
  }
  return [...taken.values()].sort((a, b) => a.pair - b.pair);
}

/** The cells that stay where a head or a tail may have only so many relations of a type: those of the best scores. */
function atMost(chosen, twins, limits, pairs) {
  if (!limits.some(Boolean)) return new Set(chosen.map(({ cell }) => cell));
  const byCell = new Map(chosen.map((one) => [one.cell, one]));
  const counts = new Map(), state = new Map();
  for (const one of [...chosen].sort((a, b) => b.score - a.score)) {
    if (state.has(one.cell)) continue;
    const twin = byCell.get(twins.get(one.cell));
    const ends = new Map();
    for (const { pair, column } of twin && twin !== one ? [one, twin] : [one]) {
      for (const [role, most] of Object.entries(limits[column] ?? {})) {
        const key = JSON.stringify([column, role, pairs[pair][role]]);
        ends.set(key, { most, count: (ends.get(key)?.count ?? 0) + 1 });
      }
    }
    const keep = [...ends].every(([key, { most, count }]) => (counts.get(key) ?? 0) + count <= most);
    if (keep) for (const [key, { count }] of ends) counts.set(key, (counts.get(key) ?? 0) + count);
    for (const member of twin ? [one, twin] : [one]) state.set(member.cell, keep);
  }
  return new Set([...state].filter(([, keep]) => keep).map(([cell]) => cell));
}
