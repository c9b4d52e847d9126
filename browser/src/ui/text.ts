/** Texts that come from a server, made fit to be shown: nothing here touches the page. */

/** Longest piece of a server's text that is shown; longer ones are cut. */
const LONGEST = 80;

/**
 * Controls, line breaks, the marks that turn the direction of writing, and letters that are blank: a server could use them to
 * rearrange what is shown, or to show nothing. The blank pattern of Braille is a sign like any other to Unicode.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;
/** More marks over one letter than any language writes: they would reach into other lines. */
const STACKED = /([\p{Mn}\p{Me}]{3})[\p{Mn}\p{Me}]+/gu;
/** Marks without a letter would go over what stands before. */
const ALONE = /(^|\s)\p{M}+/gu;

/** One line of a server's text, without what cannot be seen, cut to a length that fits. */
export function clean(text: string, longest: number = LONGEST): string {
  const letters = text.normalize("NFC").replace(UNSEEN, " ").replace(ALONE, "$1").replace(STACKED, "$1");
  const seen = letters.replace(/\s+/gu, " ").trim();
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
