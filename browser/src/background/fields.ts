/** Header fields: what Firefox hands over, as lines; and which challenges are in them. No judgement of the protocol is made here. */

/** A field line: name and value. */
export type Line = readonly [name: string, value: string];

/** As `webRequest` has it. */
export type Headers = browser.webRequest.HttpHeaders;

const CHALLENGE = "www-authenticate";
const OPTIONAL = "optional-www-authenticate";
const INFO = "authentication-info";
/** Schemes for which Firefox opens a window of its own, and sends what was typed to whoever asked. */
const PROMPTS = "basic|digest|ntlm|negotiate";
const PROMPT = new RegExp(`\\b(${PROMPTS})\\b`, "i");
const BROWSERS = new RegExp(`^\\s*(${PROMPTS})(?![!#$%&'*+.^_\`|~0-9A-Za-z-])`, "i");

/**
 * The field lines in their order. Firefox joins lines of one name with newlines. Values are octets: one character each.
 */
export function toLines(headers: Headers | undefined): Line[] {
  const lines: Line[] = [];
  for (const { name, value, binaryValue } of headers ?? []) {
    const text = value ?? String.fromCharCode(...(binaryValue ?? []));
    for (const line of text.split("\n")) lines.push([name, line]);
  }
  return lines;
}

/** The schemes that a line of challenges names, in small letters (RFC 9110 §11.6.1). */
export function schemes(value: string): string[] {
  const found: string[] = [];
  for (const part of split(value)) {
    // `realm = "x"` goes on with the challenge before; `Basic`, `Basic realm="x"` and `Basic dG9rZW4=` begin one.
    const start = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(\s*=|\s+|$)/.exec(part);
    if (start?.[1] === undefined || start[2]?.trim() === "=") continue;
    found.push(start[1].toLowerCase());
  }
  return found;
}

/** Splits at commas that are not inside of quotes. An open quote reaches to the end. */
function split(value: string): string[] {
  const parts: string[] = [];
  let part = "";
  let quoted = false;
  for (let at = 0; at < value.length; at++) {
    const char = value.charAt(at);
    if (quoted && char === "\\") {
      part += char + value.charAt(++at);
    } else if (char === "," && !quoted) {
      parts.push(part.trim());
      part = "";
    } else {
      if (char === '"') quoted = !quoted;
      part += char;
    }
  }
  parts.push(part.trim());
  return parts.filter(found => found !== "");
}

/** All schemes that a response asks for. */
export function offered(lines: readonly Line[]): Set<string> {
  const found = new Set<string>();
  for (const [name, value] of lines) {
    if (name.toLowerCase() === CHALLENGE) for (const scheme of schemes(value)) found.add(scheme);
  }
  return found;
}

/**
 * Whether Firefox might ask for a password in its own way. It takes challenges apart by rules of its own (it knows no `\\"`,
 * for one), so the name of such a scheme is enough, wherever it is.
 */
export function prompts(lines: readonly Line[]): boolean {
  return lines.some(([name, value]) => name.toLowerCase() === CHALLENGE && PROMPT.test(value));
}

/** Whether the protocol core has to see a response to a request that carried nothing of ours. Rather once too often. */
export function matters(lines: readonly Line[]): boolean {
  return lines.some(([name, value]) => {
    switch (name.toLowerCase()) {
      case CHALLENGE:
      case OPTIONAL:
        return /mutual/i.test(value);
      case INFO:
        return /vks/i.test(value);
      default:
        return false;
    }
  });
}

/**
 * The headers with `Mutual` alone in the place of all challenges. Nothing that the server wrote there is handed on: Firefox
 * might read another scheme in it, and open a window of its own.
 */
export function withoutOthers(headers: Headers | undefined): Headers {
  const all = headers ?? [];
  const rest = withoutChallenges(all);
  return rest.length === all.length ? rest : [...rest, { name: "WWW-Authenticate", value: "Mutual" }];
}

/** The headers without any challenge. */
export function withoutChallenges(headers: Headers | undefined): Headers {
  return (headers ?? []).filter(header => !isChallenge(header));
}

function isChallenge({ name }: { name: string }): boolean {
  return name.toLowerCase() === CHALLENGE;
}

/** The headers of an answer that must not be kept: it would be shown again with a proof that was made for another request. */
export function notStored(headers: Headers | undefined): Headers {
  const without = (headers ?? []).filter(({ name }) => !/^(cache-control|expires|pragma)$/i.test(name));
  return [...without, { name: "Cache-Control", value: "no-store" }];
}

/** Request headers without those that are named (in small letters). */
export function without(headers: Headers | undefined, ...names: string[]): Headers {
  return (headers ?? []).filter(({ name }) => !names.includes(name.toLowerCase()));
}

/** The field `Authorization` with a value. Firefox takes text of one octet a character: what is not ASCII, such as a realm's name, as octets. */
export function withAuthorization(value: string): browser.webRequest.HttpHeaders[number] {
  const ascii = !/[^\u0020-\u007e]/.test(value);
  if (ascii) return { name: "Authorization", value };
  return { name: "Authorization", binaryValue: Array.from(new TextEncoder().encode(value)) };
}

/** The value of `Authorization`, if there is one. */
export function authorization(headers: Headers | undefined): string | null {
  const found = headers?.find(({ name }) => name.toLowerCase() === "authorization");
  return found === undefined ? null : (toLines([found])[0]?.[1] ?? "");
}

/** Whether credentials are of the scheme Mutual. Whoever set them: nobody but this extension may. */
export function isMutual(credentials: string): boolean {
  return /^\s*mutual(?![!#$%&'*+.^_`|~0-9A-Za-z-])/i.test(credentials);
}

/** Whether credentials are of a scheme that Firefox itself knows, so that they may be out of its memory of passwords. */
export function isBrowsers(credentials: string): boolean {
  return BROWSERS.test(credentials);
}

/** Whether a page itself asked for "only if it has changed", so that a 304 is what it wants. */
export function isConditional(headers: Headers | undefined): boolean {
  return (headers ?? []).some(({ name }) =>
    /^if-(none-match|modified-since|match|unmodified-since|range)$/i.test(name),
  );
}
