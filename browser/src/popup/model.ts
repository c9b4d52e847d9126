/** What the popup shows of a tab: from what the background page knows to texts and parts. Pure; `render.ts` puts it on the page. */

import type { Place } from "../shared/messages.js";
import type { Login, Realm, Status, TabView } from "../shared/state.js";
import type { Text } from "../ui/i18n.js";
import type { Key } from "../ui/keys.js";
import { clean, type OriginParts, splitOrigin } from "../ui/text.js";

/** Which of its pages the popup shows: the one about the tab, or a form that the user has opened. */
export type Page = "main" | "register" | "change";

/** A remark over the login form. `warning` is set off by colour and sign. */
export interface Notice {
  readonly tone: "info" | "warning";
  readonly text: Text;
}

export interface LoginPart {
  readonly heading: Text;
  readonly scope: string;
  readonly notices: readonly Notice[];
  /** The only user name that may be used. */
  readonly fixedUser: string | null;
  readonly canDecline: boolean;
  readonly canRegister: boolean;
  /** What to say about the last attempt, if the popup was opened after it. */
  readonly refused: boolean;
}

export interface ProvenPart {
  readonly user: string;
  readonly place: string;
  readonly scope: string;
  readonly realm: Realm;
  readonly canChange: boolean;
  /** The login is proven, and what the page says may still be changed on its way. */
  readonly open: boolean;
}

/** Somebody who is logged in, as one line of a list. */
export interface LoginLine {
  readonly user: string;
  readonly place: string;
  readonly scope: string;
  readonly realm: Realm;
}

export interface Model {
  readonly status: Status;
  readonly title: Text;
  readonly more: Text;
  readonly origin: OriginParts | null;
  readonly page: Page;
  readonly login: LoginPart | null;
  readonly proven: ProvenPart | null;
  /** What it means that the page was kept back. */
  readonly blocked: Text | null;
  /** Where a password would be set: the line under the heading of the forms. */
  readonly place: string;
  readonly others: { readonly heading: Text; readonly lines: readonly LoginLine[]; readonly all: boolean } | null;
  readonly busy: boolean;
}

const TITLES: Readonly<Record<Status, Key>> = {
  none: "status_none",
  asked: "status_asked",
  proven: "status_proven",
  impostor: "status_impostor",
};

const MORE: Readonly<Record<Status, Key>> = {
  none: "status_none_more",
  asked: "status_asked_more",
  proven: "status_proven_more",
  impostor: "status_impostor_more",
};

/** Builds what is shown. `page` is what the user has opened; it falls back to the main page where it has no sense any more. */
export function model(view: TabView, page: Page): Model {
  const login = loginPart(view);
  const proven = provenPart(view);
  const possible =
    page === "register" ? login?.canRegister === true : page === "change" && proven?.canChange === true;
  const kept = view.status === "impostor" || view.status === "none" ? view.blocked : null;
  return {
    status: view.status,
    ...headline(view),
    origin: originShown(view),
    page: possible ? page : "main",
    login,
    proven,
    blocked: kept === null ? null : { key: MEANS[kept.why] },
    place: clean(view.ask?.realm.name ?? view.login?.realm.name ?? ""),
    others: othersPart(view),
    busy: view.busy,
  };
}

/** What is known of the tab, in few words and in more. */
function headline(view: TabView): Pick<Model, "title" | "more"> {
  if (view.status === "none" && view.blocked !== null) {
    return { title: { key: "status_kept" }, more: { key: "status_kept_more" } };
  }
  const more = view.origin === null && view.status === "none" ? "status_browser_more" : MORE[view.status];
  return { title: { key: TITLES[view.status] }, more: { key: more } };
}

const MEANS: Readonly<Record<NonNullable<TabView["blocked"]>["why"], Key>> = {
  "wrong-proof": "blocked_means_wrong_proof",
  "no-proof": "blocked_means_no_proof",
  certificate: "blocked_means_certificate",
  scope: "blocked_means_scope",
  downgrade: "blocked_means_downgrade",
  protocol: "blocked_means_protocol",
  cached: "blocked_means_cached",
  internal: "blocked_means_internal",
};

/** The site that the user has to look at: whoever asks, or whatever was kept back, before the address of the tab. */
export function siteOf(view: TabView): string | null {
  if (view.status === "asked" && view.ask !== null) return view.ask.origin;
  if (view.status === "impostor" && view.blocked !== null) return view.blocked.origin;
  return view.origin;
}

function originShown(view: TabView): OriginParts | null {
  const site = siteOf(view);
  if (site === null) return null;
  return splitOrigin(site) ?? { scheme: "", host: clean(site, 260), port: "" };
}

function loginPart(view: TabView): LoginPart | null {
  const ask = view.ask;
  if (view.status !== "asked" || ask === null) return null;
  const place = clean(ask.realm.name);
  const notices: Notice[] = [];
  if (!encrypted(ask.origin)) notices.push({ tone: "warning", text: { key: "notice_http" } });
  else if (!view.trusted) notices.push({ tone: "warning", text: { key: "notice_exception" } });
  if (!ask.known) notices.push({ tone: "info", text: { key: "notice_first" } });
  if (ask.held) notices.push({ tone: "info", text: { key: "notice_held" } });
  else if (ask.optional) notices.push({ tone: "info", text: { key: "notice_optional" } });
  if (ask.reason === "again") notices.push({ tone: "info", text: { key: "notice_again" } });
  return {
    heading: place === "" ? { key: "login_heading_unnamed" } : { key: "login_heading", with: [place] },
    scope: clean(ask.realm.scope),
    notices,
    fixedUser: ask.username,
    canDecline: ask.held,
    canRegister: encrypted(ask.origin) && view.trusted,
    refused: ask.reason === "refused",
  };
}

function provenPart(view: TabView): ProvenPart | null {
  if (view.status !== "proven" || view.login === null) return null;
  const { login, origin } = view;
  const secure = origin !== null && encrypted(origin);
  const open = origin !== null && !secure && !isLoopback(origin);
  return { ...line(login), canChange: secure && view.trusted, open };
}

function line(login: Login): LoginLine {
  const { realm } = login;
  return { user: clean(login.user), place: clean(realm.name), scope: clean(realm.scope), realm };
}

/** Everybody who is logged in, apart from whom the page itself is about. */
function othersPart(view: TabView): Model["others"] {
  const here = view.status === "proven" ? view.login : null;
  const lines = view.logins.filter(login => here === null || !same(login.realm, here.realm)).map(line);
  if (lines.length === 0) return null;
  return {
    heading: { key: here === null ? "logins_heading" : "logins_heading_others" },
    lines,
    all: view.logins.length > 1,
  };
}

/** Whether two realms are one protection space. */
export function same(a: Realm, b: Realm): boolean {
  return a.name === b.name && a.scope === b.scope && a.algorithm === b.algorithm;
}

/** Whether what was typed for one view may still be used in the other: the same site asks for the same place. */
export function sameQuestion(a: TabView, b: TabView): boolean {
  const from = a.ask?.realm ?? a.login?.realm;
  const to = b.ask?.realm ?? b.login?.realm;
  if (from === undefined || to === undefined) return from === to;
  return siteOf(a) === siteOf(b) && same(from, to);
}

/** The place that the forms are about: what goes out with what is typed into them. Null if the tab asks for nothing. */
export function placeOf(view: TabView): Place | null {
  const realm = view.ask?.realm ?? view.login?.realm;
  const origin = siteOf(view);
  return realm === undefined || origin === null ? null : { origin, realm };
}

/** Whether a connection to an origin is encrypted. */
export function encrypted(origin: string): boolean {
  return origin.startsWith("https://");
}

/** Whether an origin is this very machine: then there is nobody in between. */
export function isLoopback(origin: string): boolean {
  const host = splitOrigin(origin)?.host.toLowerCase() ?? "";
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}
