/** What the browser shows of a tab, and why. */

/**
 * What is known of the page in a tab, in the words of RFC 8120 §17.4, and one more.
 *
 * - `proven`: the server has proven that it knows the user, and the user was proven to it (AUTH-SUCCEED).
 * - `asked`: the server asks for a login, or did not accept one; nothing is proven (AUTH-REQUIRED).
 * - `none`: an ordinary page; nothing is proven (UNAUTHENTICATED).
 * - `impostor`: whoever answered is not the server that the user registered with; the page was not shown.
 */
export type Status = "proven" | "asked" | "none" | "impostor";

/** A protection space (RFC 8120 §5), as people see it. */
export interface Realm {
  /** The realm's name, as the server says it. */
  readonly name: string;
  /** The `auth-scope`: a host, an origin or `*.domain`. */
  readonly scope: string;
  /** The algorithm's token (RFC 8121 §3). */
  readonly algorithm: string;
}

/** A user who is logged in. */
export interface Login {
  readonly realm: Realm;
  readonly user: string;
}

/** Why a login is asked for. */
export type AskReason =
  /** For the first time, or after a logout. */
  | "initial"
  /** The name or the password was not accepted. */
  | "refused"
  /** The server asks again, for a reason of its own. */
  | "again";

/** A login that a tab waits for. */
export interface Ask {
  readonly realm: Realm;
  readonly reason: AskReason;
  /** The site that asks, as an origin: what the user has to look at. */
  readonly origin: string;
  /** The page is readable without a login (RFC 8053 §3). */
  readonly optional: boolean;
  /** The only user name that the server takes, if it says so (RFC 8053 §4.7). */
  readonly username: string | null;
  /** Whether somebody has logged in to this realm from this browser before. */
  readonly known: boolean;
  /** The answer is held back until the user decides (RFC 8053 §4.2 `modal`, or a form that would have to be sent again). */
  readonly held: boolean;
}

/** Why an answer was kept from the user. Each has a text of its own on the page that is shown instead. */
export type Blocked =
  /** The server's proof is wrong: it does not know the user's verifier, or somebody is in between. */
  | "wrong-proof"
  /** A proof was due and none came. */
  | "no-proof"
  /** The connection's certificate is not the one that the proof was made for. */
  | "certificate"
  /** The realm is one that the server has no right to ask for, such as that of another site. */
  | "scope"
  /** A site that proves itself asks for a password in the old way (Basic or Digest). */
  | "downgrade"
  /** The server's messages are not those of the protocol. */
  | "protocol"
  /** An old copy of a page from before, which proves nothing now. */
  | "cached"
  /** Something went wrong in here; to be safe nothing is shown. */
  | "internal";

/** Reasons that are no more than a fault; behind all others may be somebody else than the server that the user registered with. */
const HARMLESS: ReadonlySet<Blocked> = new Set<Blocked>(["cached", "internal"]);

/** Whether somebody may be in the server's place. Button, popup and error page alike say so then. */
export function isImpostor(why: Blocked): boolean {
  return !HARMLESS.has(why);
}

/** What an error page is about. */
export interface BlockedPage {
  readonly why: Blocked;
  /** The address that was asked for. */
  readonly url: string;
  readonly origin: string;
  readonly realm: Realm | null;
  readonly user: string | null;
  /** One line for whoever looks closer, in English, as the core says it. Never a secret. */
  readonly detail: string;
  /** Whether the request can be made again as it was: it was a GET. */
  readonly retry: boolean;
}

/** Everything that the popup shows of a tab. */
export interface TabView {
  readonly status: Status;
  /** The origin of the page; null for pages of the browser. */
  readonly origin: string | null;
  /** Who is proven here, if `proven`. */
  readonly login: Login | null;
  /** What is asked for, if `asked`. */
  readonly ask: Ask | null;
  /** The connection of what is asked or proven is encrypted, to a certificate that Firefox trusts without an exception of the user's. */
  readonly trusted: boolean;
  /** What was kept back: if `impostor`, or if `none` and it is only a fault. */
  readonly blocked: BlockedPage | null;
  /** Everybody who is logged in, in this container or private window. */
  readonly logins: readonly Login[];
  /** A login is under way. */
  readonly busy: boolean;
}
