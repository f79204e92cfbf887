// The requests to the service, and its token, which stays in this tab: in memory and, so that a reload keeps it, in sessionStorage.

const TOKEN = "relsift.token";

export class ServiceError extends Error {
  constructor(code, message, where = "") {
    super(message);
    this.code = code;
    this.where = where;
  }
}

let askForToken = async () => null;

/** ask: an async function that returns a token, or null if the reader gives none. */
export function onUnauthorized(ask) {
  askForToken = ask;
}

export const getJson = async (path) => (await send(path)).json();
export const postJson = async (path, value, signal) => (await post(path, value, signal)).json();

export function post(path, value, signal) {
  return send(path, { method: "POST", body: JSON.stringify(value), headers: { "content-type": "application/json" }, signal });
}

async function send(path, options = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = { ...options.headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, credentials: "omit", cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServiceError("unreachable", String(error.message));
  }
  if (answer.ok) return answer;
  if (answer.status === 401) {
    const given = await askForToken(token !== null);
    if (given === null) throw new ServiceError("unauthorized", "");
    sessionStorage.setItem(TOKEN, given);
    return send(path, options);
  }
  throw await problemOf(answer);
}

async function problemOf(answer) {
  try {
    const { error } = await answer.json();
    return new ServiceError(error.code, error.message, error.where);
  } catch {
    return new ServiceError("internal", `HTTP ${answer.status}`);
  }
}
