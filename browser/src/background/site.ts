/** Addresses: origins, what an `auth-scope` covers, and whether a request comes from inside of the realm that it goes to. */

import type { Login, Realm } from "../shared/state.js";

/** The most characters of an address that are looked at. What is longer is not loaded: see {@link isWeb}. */
const LONGEST = 100_000;

/** What the protocol needs of an address. */
export interface Address {
  /** Without a fragment. */
  readonly url: string;
  /** `http` or `https`, also of a WebSocket: its handshake is a request of those. */
  readonly origin: string;
  readonly host: string;
  /** Path and query. */
  readonly path: string;
  readonly secure: boolean;
}

/** Takes an address apart; null if it is none of the web. */
export function address(text: string | undefined): Address | null {
  if (text === undefined || text.length > LONGEST || !URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol === "ws:" || url.protocol === "wss:") return address(`http${text.slice(2)}`);
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  url.hash = "";
  return {
    url: url.href,
    origin: url.origin,
    host: url.hostname,
    path: url.pathname + url.search,
    secure: url.protocol === "https:",
  };
}

/** Whether an address is of the web: one that {@link address} does not take all the same must not pass by unseen. */
export function isWeb(text: string): boolean {
  return /^(https?|wss?):/i.test(text);
}

/** Whether two addresses are one, but for the fragment. */
export function sameAddress(one: string, other: string): boolean {
  const first = address(one);
  return first !== null && first.url === address(other)?.url;
}

/** Whether an origin is inside of an `auth-scope` (RFC 8120 §5). The core decides; this is to know whom to ask it about. */
export function covers(scope: string, origin: string): boolean {
  const here = address(origin);
  if (here === null) return false;
  if (scope.includes("://")) return address(scope)?.origin === here.origin;
  if (!scope.startsWith("*.")) return scope.toLowerCase() === here.host;
  const domain = scope.slice(2).toLowerCase();
  return here.host === domain || here.host.endsWith(`.${domain}`);
}

/** Those of the logins that may be asked for at an origin. */
export function covering(logins: readonly Login[], origin: string): Login[] {
  return logins.filter(({ realm }) => covers(realm.scope, origin));
}

/** A login, and the origins where its realm was proven. Without them none was. */
export interface Member extends Login {
  readonly servers?: readonly string[];
}

/** Who is logged in in a context, and where that was proven. */
export function members(
  contexts: { logins(context: string): readonly Login[]; servers(context: string, realm: Realm): string[] },
  context: string,
): Member[] {
  return contexts.logins(context).map(login => ({ ...login, servers: contexts.servers(context, login.realm) }));
}

/** What is known of who made a request. */
export interface Source {
  readonly type: string;
  readonly method: string;
  readonly tabId: number;
  readonly originUrl?: string | undefined;
  readonly documentUrl?: string | undefined;
  readonly frameAncestors?: readonly { readonly url: string }[] | undefined;
  readonly thirdParty?: boolean | undefined;
}

/**
 * Whether a request may carry the user's proof: pages of other sites must not act in the user's name.
 *
 * Every page that has a part in it has to be of the same origin, or of one where a realm was proven that the request's
 * server is in too. A link that leads here from anywhere is followed with a proof (GET in the tab itself); a form that
 * another site sends here is not. That is `SameSite=Lax` of cookies, with realms in the place of sites.
 */
export function fromInside(source: Source, target: Address, logins: readonly Member[]): boolean {
  if (source.type === "main_frame") {
    if (source.method === "GET" || source.method === "HEAD") return true;
    // A document that is nobody's (a sandboxed frame, `data:`) has no address: it is no part of the realm.
    return source.originUrl !== undefined && related(source.originUrl, target, logins);
  }
  // By Firefox's own judgement; and so are those documents that have no address.
  if (source.thirdParty === true) return false;
  const pages = [source.originUrl, source.documentUrl, ...(source.frameAncestors ?? []).map(({ url }) => url)];
  const known = pages.filter(page => page !== undefined);
  // If there is none, the browser itself has made it.
  return known.every(page => related(page, target, logins));
}

/**
 * Whether a page is of the same origin, or of the target's realm.
 *
 * That an `auth-scope` covers the page is not enough: on another port, or without TLS, anybody may answer under the same
 * name. Its origin has to be one where the realm was proven; the target need not be.
 */
export function related(page: string, target: Address, logins: readonly Member[]): boolean {
  const from = address(page);
  if (from === null) return false;
  if (from.origin === target.origin) return true;
  // What came without TLS may be anybody's by now.
  if (target.secure && !from.secure) return false;
  return logins.some(
    ({ realm, servers }) => covers(realm.scope, target.origin) && servers?.includes(from.origin) === true,
  );
}

/** Where the site of an address keeps what only this extension may use. */
export function isAccountPath(target: Address): boolean {
  let path = new URL(target.url).pathname;
  // An application behind a lenient proxy could read it with one more decoding.
  for (let times = 0; times < 3 && path.includes("%"); times++) {
    try {
      path = decodeURIComponent(path);
    } catch {
      break;
    }
  }
  return /^\/+\.well-known\/+tagai\/+account(\/|$)/i.test(path.replaceAll("\\", "/"));
}

/**
 * Whether a tab may go to an address without `webNavigation` saying so: Firefox does not speak of its own pages there.
 *
 * @param own Where addresses of this extension begin.
 */
export function isUnspoken(url: string, own: string): boolean {
  return address(url) === null && !url.startsWith(own) && url !== "about:blank";
}

/** A place that a server named, as an address of the web that a tab may be sent to; null if it is none. */
export function resolve(location: string, base: string): string | null {
  if (!URL.canParse(location, base)) return null;
  const url = new URL(location, base);
  return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
}
