/** Texts that come from a server, made fit to be shown: nothing here touches the page. */

/** Longest piece of a server's text that is shown; longer ones are cut. */
const LONGEST = 80;

/** Controls, line breaks, and the marks that turn the direction of writing: a server could use them to rearrange what is shown. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One line of a server's text, without what cannot be seen, cut to a length that fits. */
export function clean(text: string, longest: number = LONGEST): string {
  const seen = text.replace(UNSEEN, " ").replace(/\s+/gu, " ").trim();
  const points = Array.from(seen);
  return points.length > longest ? `${points.slice(0, longest - 1).join("")}…` : seen;
}

/** Sets a text apart from the sentence around it, whichever way each is written (Unicode isolates). */
export function isolate(text: string): string {
  return `\u2068${text}\u2069`;
}

/** An origin, in the parts that are shown in different weight. */
export interface OriginParts {
  /** With its `://`. */
  readonly scheme: string;
  readonly host: string;
  /** With its colon; empty for the scheme's own port. */
  readonly port: string;
}

/** Takes an origin apart; null if it is none. The host is left as it is written, punycode included. */
export function splitOrigin(origin: string): OriginParts | null {
  const parts = /^([a-z][a-z0-9+.-]*:\/\/)(\[[0-9a-fA-F:.]+\]|[^/:?#@\s]+)(:\d{1,5})?$/u.exec(origin);
  if (parts?.[1] === undefined || parts[2] === undefined) return null;
  return { scheme: parts[1], host: parts[2], port: parts[3] ?? "" };
}

/** How long a text is as people count: characters, not code units. */
export function lengthOf(text: string): number {
  return Array.from(text).length;
}
