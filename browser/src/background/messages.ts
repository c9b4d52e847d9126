/** Answers to the popup and the error page. Nobody else is heard. */

import type { Answer, Failure, Request } from "../shared/messages.js";
import type { TabView } from "../shared/state.js";
import { changePassword, isPlace, register } from "./account.js";
import { DONE, decline, login } from "./login.js";
import { logout, logoutAll } from "./logout.js";
import type { World } from "./world.js";

/** Where a message came from. */
export interface Sender {
  readonly id?: string | undefined;
  readonly url?: string | undefined;
  readonly tab?: { readonly id?: number | undefined } | undefined;
  readonly frameId?: number | undefined;
}

type Said = Answer<null> | Answer<unknown>;

function fail(failure: Failure): Answer<never> {
  return { ok: false, failure };
}

/** Answers a message; undefined if it is from somebody who is not heard. */
export async function hear(world: World, message: unknown, sender: Sender, id: string): Promise<Said | undefined> {
  if (sender.id !== id || sender.url === undefined) return undefined;
  const isPopup = sender.url.startsWith(world.around.page("popup/"));
  const isBlocked = sender.url.startsWith(world.around.page("blocked/"));
  const said = read(message);
  if (said === null || (!isPopup && !isBlocked)) return undefined;
  try {
    switch (said.kind) {
      case "blocked":
      case "retry":
      case "openAsStranger":
        return isBlocked ? await ofBlocked(world, said, sender) : undefined;
      default:
        return isPopup ? await ofPopup(world, said) : undefined;
    }
  } catch {
    return fail("internal");
  }
}

type BlockedKind = "blocked" | "retry" | "openAsStranger";

async function ofBlocked(world: World, said: Request<BlockedKind>, sender: Sender): Promise<Said> {
  const tab = sender.tab?.id;
  const entry = tab === undefined ? null : world.blocked.find(said.id, tab);
  if (tab === undefined || entry === null) return fail("gone");
  const { page, context } = entry;
  if (said.kind === "blocked") return { ok: true, value: page };
  if (said.kind === "openAsStranger") {
    world.ends.note(context);
    if (page.realm !== null) await logout(world, context, page.realm);
    if (page.why === "downgrade") await world.known.forget(page.origin);
  } else if (!page.retry) {
    return fail("gone");
  }
  // In a frame it is the page around it that loads again: it knows what belongs there.
  if ((sender.frameId ?? 0) === 0) await world.around.loadTab(tab, page.url);
  else await world.around.reloadTab(tab);
  return DONE;
}

async function ofPopup(world: World, said: Exclude<Request, Request<BlockedKind>>): Promise<Said> {
  const { tab } = said;
  const { context } = await world.around.tab(tab);
  switch (said.kind) {
    case "view": {
      const view: TabView = world.tabs.view(tab, world.contexts.logins(context));
      return { ok: true, value: view };
    }
    case "login": {
      // In one turn: nothing can come between the look and the login.
      const asked = world.tabs.asked(tab);
      if (asked === null || !isPlace(said.place, asked.target.origin, asked.realm)) return fail("gone");
      return await login(world, tab, said.user, said.password);
    }
    case "decline":
      return decline(world, tab);
    case "logout":
      world.ends.note(context);
      await logout(world, context, said.realm);
      return DONE;
    case "logoutAll":
      world.ends.note(context);
      await logoutAll(world, context);
      return DONE;
    case "register":
      return await register(world, tab, said.place, said.user, said.password, said.invitation);
    case "changePassword":
      return await changePassword(world, tab, said.place, said.old, said.password);
  }
}

const TEXTS: Readonly<Record<Request["kind"], readonly string[]>> = {
  view: [],
  login: ["user", "password"],
  decline: [],
  logout: [],
  logoutAll: [],
  register: ["user", "password", "invitation"],
  changePassword: ["old", "password"],
  blocked: ["id"],
  retry: ["id"],
  openAsStranger: ["id"],
};

/** What goes to a place, and says to which. */
const PLACED: ReadonlySet<string> = new Set<Request["kind"]>(["login", "register", "changePassword"]);

interface Unread {
  readonly kind?: unknown;
  readonly tab?: unknown;
  readonly place?: unknown;
  readonly realm?: unknown;
  readonly [name: string]: unknown;
}

/** A message with everything that its kind has; null if it is none. */
function read(message: unknown): Request | null {
  if (typeof message !== "object" || message === null) return null;
  const said = message as Unread;
  const { kind, tab, realm, place } = said;
  if (typeof kind !== "string" || !Object.hasOwn(TEXTS, kind)) return null;
  const texts = TEXTS[kind as Request["kind"]];
  if (!texts.every(name => typeof said[name] === "string")) return null;
  if (!texts.includes("id") && !Number.isSafeInteger(tab)) return null;
  if (kind === "logout" && !isRealm(realm)) return null;
  if (PLACED.has(kind) && !(hasTexts(place, "origin") && isRealm(place["realm"]))) return null;
  return message as Request;
}

function isRealm(value: unknown): boolean {
  return hasTexts(value, "name", "scope", "algorithm");
}

function hasTexts(value: unknown, ...names: string[]): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const parts = value as Readonly<Record<string, unknown>>;
  return names.every(name => typeof parts[name] === "string");
}
