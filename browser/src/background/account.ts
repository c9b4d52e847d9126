/** Registration and change of a password: the site receives the verifier J and nothing else of the password. */

import { CredentialError, type Received } from "../engine/api.js";
import type { Answer, Failure, Place } from "../shared/messages.js";
import type { Realm } from "../shared/state.js";
import { forget } from "./cache.js";
import { sameRealm } from "./contexts.js";
import { exchange } from "./exchange.js";
import { DONE } from "./login.js";
import { NetworkError } from "./own.js";
import { type Address, address } from "./site.js";
import type { World } from "./world.js";

const REGISTER = "/.well-known/tagai/account/register";
const PASSWORD = "/.well-known/tagai/account/password";
/** What the change of a password is bound to, with a NUL and J behind it (RFC 8120 §13). */
const PURPOSE = "tagai change of password";

function fail(failure: Failure): Answer<null> {
  return { ok: false, failure };
}

/** Runs one of the below; no password stays anywhere. */
async function trying(world: World, tab: number, run: () => Promise<Answer<null>>): Promise<Answer<null>> {
  if (world.tabs.busy(tab)) return fail("gone");
  world.tabs.setBusy(tab, true);
  try {
    return await run();
  } catch (error) {
    if (error instanceof NetworkError) return fail("network");
    return fail(error instanceof Error && error.name === CredentialError.name ? "characters" : "internal");
  } finally {
    world.tabs.setBusy(tab, false);
  }
}

/** Registers in the realm that the tab asks for, or is logged in to, and logs in. */
export async function register(
  world: World,
  tab: number,
  place: Place,
  user: string,
  password: string,
  invitation: string,
): Promise<Answer<null>> {
  const found = await subjectOf(world, tab, place);
  if (found === null) return fail("gone");
  const { realm, site } = found;
  // J would let whoever sees it try passwords, and the invitation register in the user's place.
  if (!site.secure || !found.trusted) return fail("insecure");
  const target = address(`${site.origin}${REGISTER}`);
  if (target === null) return fail("internal");
  return await trying(world, tab, async () => {
    const verifier = await world.engine.verifier(realm, user, password);
    const body = JSON.stringify({
      realm: realm.name,
      "auth-scope": realm.scope,
      algorithm: realm.algorithm,
      user,
      invitation,
      verifier,
    });
    const { status, text } = await world.own.run({ target, method: "POST", sequence: null, body });
    if (status !== 204) return fail(refusal(status, text));
    if (await remember(world, tab, found, user, password)) await loadAgain(world, tab, site);
    return DONE;
  });
}

/** Gives whoever is logged in in the tab a new password. */
export async function changePassword(
  world: World,
  tab: number,
  place: Place,
  old: string,
  password: string,
): Promise<Answer<null>> {
  const page = world.tabs.page(tab);
  const found = page.is === "proven" ? await subjectOf(world, tab, place) : null;
  if (page.is !== "proven" || found === null) return fail("gone");
  const { realm, context, site } = found;
  const { user } = page.login;
  if (!site.secure || !found.trusted) return fail("insecure");
  const target = address(`${site.origin}${PASSWORD}`);
  if (target === null) return fail("internal");
  return await trying(world, tab, async () => {
    const verifier = await world.engine.verifier(realm, user, password);
    const begun = await world.engine.beginAs(context, target.origin, target.path, realm, user, old);
    const exchanged = await exchange(world, begun, target, "POST");
    if (exchanged.is === "silence") return fail("network");
    if (exchanged.is === "other") return fail(await outcome(world, exchanged.received, exchanged.status));
    const { sequence } = exchanged.send;
    if (!exchanged.trusted) {
      // Not the connection of the page any more.
      await world.engine.drop(sequence);
      return fail("insecure");
    }
    const binding = await world.engine.bind(sequence, bound(verifier));
    const body = JSON.stringify({ verifier, binding });
    const { status, received, text } = await world.own.run({ target, method: "POST", sequence, body });
    if (received?.is !== "proven")
      return fail(received === null ? "internal" : await outcome(world, received, status));
    if (status !== 204) return fail(refusal(status, text));
    // It is changed. Whoever has logged out meanwhile stays so.
    await remember(world, tab, found, user, password);
    return DONE;
  });
}

/** What the binding is made over: the purpose, a NUL, and J as octets. */
export function bound(verifier: string): Uint8Array {
  const purpose = new TextEncoder().encode(`${PURPOSE}\0`);
  const j = Uint8Array.from(atob(verifier), char => char.charCodeAt(0));
  const whole = new Uint8Array(purpose.length + j.length);
  whole.set(purpose);
  whole.set(j, purpose.length);
  return whole;
}

/** What a registration or a change is about. */
interface Subject {
  readonly realm: Realm;
  readonly context: string;
  readonly site: Address;
  /** How often the user had logged out before. */
  readonly ends: number;
  /** What the tab shows came over a connection with a certificate that Firefox trusts. */
  readonly trusted: boolean;
}

/** Whether a place is the one that the user saw. */
export function isPlace(seen: Place, origin: string, realm: Realm): boolean {
  return seen.origin === origin && sameRealm(seen.realm, realm);
}

/** Which realm, of which site, a tab is about; null if it is not the one that the user saw. */
async function subjectOf(world: World, tab: number, seen: Place): Promise<Subject | null> {
  const { context } = await world.around.tab(tab);
  const ends = world.ends.count(context);
  const asked = world.tabs.asked(tab);
  const page = world.tabs.page(tab);
  const site = asked?.target ?? address(world.tabs.url(tab) ?? undefined);
  const realm = asked?.realm ?? (page.is === "proven" ? page.login.realm : null);
  if (site === null || realm === null || !isPlace(seen, site.origin, realm)) return null;
  const trusted = asked?.trusted ?? (page.is === "proven" && page.trusted);
  return { realm, context, site, ends, trusted };
}

/** Logs in with what the site has just taken; false if the user has logged out since, or closed the tab. */
async function remember(
  world: World,
  tab: number,
  subject: Subject,
  user: string,
  password: string,
): Promise<boolean> {
  const { realm, context, site, ends } = subject;
  // A context ends with its last tab.
  const there = await world.around.tab(tab).then(
    found => found.context === context,
    () => false,
  );
  // From here on a logout comes after it.
  if (!there || world.ends.count(context) !== ends) return false;
  await world.engine.remember(context, site.origin, realm, user, password);
  await world.contexts.refresh(context);
  return true;
}

/** What an answer that is no proof means. */
async function outcome(world: World, received: Received, status: number): Promise<Failure> {
  if (received.is === "asked") await world.engine.drop(received.ask);
  if (received.is === "continue") await world.engine.drop(received.next.sequence);
  if (status === 429) return "wait";
  if (status === 404) return "no-registration";
  return received.is === "asked" ? "refused" : "impostor";
}

/** What the endpoint says when it does not do it. */
function refusal(status: number, text: string): Failure {
  if (status === 429) return "wait";
  if (status === 404 || status === 405 || status === 401) return "no-registration";
  let code: unknown;
  try {
    code = (JSON.parse(text) as { error?: unknown }).error;
  } catch {
    return "internal";
  }
  switch (code) {
    case "invitation":
      return "invitation";
    case "insecure":
      return "insecure";
    case "wait":
      return "wait";
    case "binding":
      return "refused";
    default:
      return "internal";
  }
}

/** The tab loads as the user who has just been registered. */
async function loadAgain(world: World, tab: number, site: Address): Promise<void> {
  await forget(world, [site.host]);
  const held = world.tabs.held(tab);
  if (held !== null) held.release({ redirectUrl: held.asked.target.url });
  else if (world.tabs.asked(tab)?.page === true) await world.around.loadTab(tab, site.url);
  else await world.around.reloadTab(tab);
}
