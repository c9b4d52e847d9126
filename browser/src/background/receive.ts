/** `onHeadersReceived`: what becomes of an answer. */

import type { Head, Received } from "../engine/api.js";
import type { Login } from "../shared/state.js";
import type { Batch } from "./batch.js";
import { clear } from "./before.js";
import { block, guarded } from "./block.js";
import { afresh, isCopy, isRepeatable } from "./cache.js";
import { sameRealm } from "./contexts.js";
import { BRIEF, exchange } from "./exchange.js";
import { type Line, matters, notStored, toLines } from "./fields.js";
import { Gate } from "./gate.js";
import { Pending } from "./pending.js";
import { asks } from "./present.js";
import type { Flight } from "./requests.js";
import { type Address, address } from "./site.js";
import { type Answer, contextOf, type ReceiveDetails } from "./surroundings.js";
import { isDocument, isShown, isStranger, ofNobody, ordinary } from "./unproven.js";
import type { World } from "./world.js";

export function headersReceived(world: World, details: ReceiveDetails): Answer | Promise<Answer> {
  const flight = world.flights.find(details.requestId, details.url);
  const isOwn = world.own.isOwn(details);
  const batch = world.batches.join(isOwn || (flight !== null && flight.lead !== null));
  if (isOwn) return guarded(world, details, () => world.own.received(details));
  const target = address(details.url);
  // Nobody can say what it belongs to.
  if (target === null) return { cancel: true };
  const lines = toLines(details.responseHeaders);
  const logins = world.contexts.covering(contextOf(details), target.origin);
  if (flight === null && logins.length === 0 && !matters(lines)) return ordinary(world, details, target, lines);
  return decided(world, details, () => judge(world, details, batch, target, lines, flight));
}

async function decided(world: World, details: ReceiveDetails, run: () => Promise<Answer | Pending>): Promise<Answer> {
  let pending: Pending | null = null;
  const answer = await guarded(world, details, async () => {
    const found = await run();
    if (!(found instanceof Pending)) return found;
    pending = found;
    return {};
  });
  return pending === null ? answer : await (pending as Pending).answer.catch(() => ({ cancel: true }));
}

async function judge(
  world: World,
  details: ReceiveDetails,
  batch: Batch,
  target: Address,
  lines: readonly Line[],
  known: Flight | null,
): Promise<Answer | Pending> {
  const context = contextOf(details);
  let flight = known;
  const covered = world.contexts.covering(context, target.origin).length > 0;
  if (flight?.bare === "foreign" || (flight === null && isStranger(world, details, target))) {
    world.flights.close(details.requestId);
    return await ofNobody(world, details, target, lines);
  }
  if (flight?.bare === "lost") return block(world, details, "no-proof", "the key exchange was not answered");
  if (covered && isCopy(details, flight?.conditional ?? false)) return await afresh(world, details);
  if (flight === null) {
    // It was sent before anybody was logged in here.
    if (covered) return await orAgain(world, details, target, lines);
    const send = await world.engine.begin(context, target.origin, target.path);
    if (send.sends !== "normal") {
      await world.engine.drop(send.sequence);
      await world.contexts.refresh(context);
      return await orAgain(world, details, target, lines);
    }
    flight = world.flights.open({
      requestId: details.requestId,
      target,
      context,
      generation: 0,
      bare: null,
      conditional: false,
      sequence: send.sequence,
      sends: "normal",
      next: null,
      lead: null,
      waiter: null,
    });
    if (flight === null) throw new Error("too many requests are under way");
  }
  if (flight.sends === "normal" && !matters(lines)) {
    world.flights.close(details.requestId);
    return await ordinary(world, details, target, lines);
  }
  if (flight.sequence === null) throw new Error("an answer to a request that was not sent");
  const certificate = target.secure ? await world.around.certificate(details.requestId) : null;
  const sequence = flight.sequence;
  flight.sequence = null;
  const head = { status: details.statusCode, fields: lines, certificate: certificate?.der ?? null };
  const received = await world.engine.receive(sequence, head);
  if (world.flights.find(details.requestId, details.url) !== flight) {
    // The request has ended meanwhile.
    await dropAll(world, received);
    return { cancel: true };
  }
  return await act(world, details, batch, flight, received, head, certificate?.trusted === true);
}

async function dropAll(world: World, received: Received): Promise<void> {
  if (received.is === "asked") await world.engine.drop(received.ask);
  if (received.is === "continue") await world.engine.drop(received.next.sequence);
}

async function act(
  world: World,
  details: ReceiveDetails,
  batch: Batch,
  flight: Flight,
  received: Received,
  head: Head & { readonly fields: readonly Line[] },
  trusted: boolean,
): Promise<Answer | Pending> {
  const { target } = flight;
  switch (received.is) {
    case "proven":
      return await proven(world, details, flight, received, trusted);
    case "continue":
      if (!maySendAgain(details)) {
        // Carried out already, as for anybody (RFC 8053 §3).
        await world.engine.drop(received.next.sequence);
        return await carriedOut(world, details, target, head.fields);
      }
      return await goOn(world, details, batch, flight, received.next);
    case "asked": {
      await world.contexts.refresh(flight.context);
      const known = await world.known.hasRealm(target.origin, received.realm.name);
      return asks(world, details, batch, flight, received, { head, known, trusted });
    }
    case "unauthenticated":
      if (received.to !== "normal") return noProof(world, details, flight);
      world.flights.close(details.requestId);
      return await ordinary(world, details, target, head.fields);
    case "fatal":
      if (details.statusCode === 429) return noProof(world, details, flight);
      return block(world, details, received.why, received.detail);
  }
}

/** A proof was due. If the server only says that it is too busy to make one, whoever logs in is told so. */
function noProof(world: World, details: ReceiveDetails, flight: Flight): Answer {
  if (details.statusCode === 429 && flight.waiter !== null) {
    flight.waiter.fail("wait");
    world.flights.close(details.requestId);
    return { cancel: true };
  }
  return block(world, details, "no-proof", `the answer has status ${details.statusCode} and no proof`);
}

/** An answer to a request of the site's own that carried no proof and has been carried out: only a page is shown. */
async function carriedOut(
  world: World,
  details: ReceiveDetails,
  target: Address,
  lines: readonly Line[],
): Promise<Answer> {
  world.flights.close(details.requestId);
  if (isDocument(details)) return await ofNobody(world, details, target, lines);
  return block(world, details, "no-proof", "somebody logged in while it was under way");
}

/** Somebody has logged in since the request was sent: it is made again, if it may be. */
async function orAgain(
  world: World,
  details: ReceiveDetails,
  target: Address,
  lines: readonly Line[],
): Promise<Answer> {
  return maySendAgain(details) ? again(world, details) : await carriedOut(world, details, target, lines);
}

/** Whether a request can be made again without being carried out twice: the server has refused it, or it changes nothing. */
function maySendAgain(details: ReceiveDetails): boolean {
  return details.statusCode >= 400 || details.method === "GET" || details.method === "HEAD";
}

/** The request is made again from its beginning. */
function again(world: World, details: ReceiveDetails): Answer {
  world.flights.close(details.requestId);
  if (!isRepeatable(details) || !world.flights.again(details.requestId)) {
    return block(world, details, "internal", "the request could not be made again");
  }
  return { redirectUrl: details.url };
}

async function proven(
  world: World,
  details: ReceiveDetails,
  flight: Flight,
  received: Received & { is: "proven" },
  trusted: boolean,
): Promise<Answer> {
  const { context, target } = flight;
  const { login, atLogout } = received;
  const isHere = (logins: readonly Login[]): boolean =>
    logins.some(({ realm, user }) => user === login.user && sameRealm(realm, login.realm));
  const isNew =
    !isHere(world.contexts.logins(context)) || !world.contexts.servers(context, login.realm).includes(target.origin);
  // What is left of a stranger's visit is no part of the proven page.
  const tab = details.type === "main_frame" ? details.tabId : null;
  const comeBack = isNew ? await clear(world, context, login.realm, target.host, tab) : null;
  const isStillHere = isHere(await world.contexts.refresh(context));
  comeBack?.();
  if (world.flights.find(details.requestId, details.url) !== flight) return { cancel: true };
  if (!isStillHere) {
    // The user has logged out meanwhile.
    world.flights.close(details.requestId);
    return isRepeatable(details) && maySendAgain(details) ? again(world, details) : { cancel: true };
  }
  world.contexts.proven(context, login.realm, target.origin);
  world.known.add(context, target.origin, login.realm.name);
  if (isShown(details)) {
    const page = { is: "proven", login, method: details.method, atLogout, trusted } as const;
    world.tabs.judge(details.tabId, details.requestId, details.url, page);
  }
  const { lead, waiter } = flight;
  flight.lead = null;
  flight.waiter = null;
  lead?.end(true);
  waiter?.succeed();
  world.flights.close(details.requestId);
  return { responseHeaders: notStored(details.responseHeaders) };
}

/** The server wants a proof: the request is made again with one. */
async function goOn(
  world: World,
  details: ReceiveDetails,
  batch: Batch,
  flight: Flight,
  next: { readonly sequence: number; readonly sends: string },
): Promise<Answer> {
  const { context, target } = flight;
  if (details.type === "websocket" || (details.statusCode < 400 && !isRepeatable(details))) {
    // It cannot be made again. The page's next attempt begins with a key exchange.
    await world.engine.drop(next.sequence);
    return block(world, details, "no-proof", "a connection that cannot be made again");
  }
  if (!world.flights.again(details.requestId)) {
    await world.engine.drop(next.sequence);
    return block(world, details, "protocol", "the server asked again and again");
  }
  if (next.sends === "vfy") {
    flight.next = { sequence: next.sequence, sends: "vfy" };
    return { redirectUrl: details.url };
  }
  if (next.sends !== "kex") throw new Error(`a sequence went on with ${next.sends}`);
  const key = Gate.key(context, target.origin);
  const send = { sequence: next.sequence, sends: "kex" } as const;
  if (flight.lead === null) {
    // Somebody else may have made a session since, or may be about to: the request begins anew, and waits when it is sent.
    const newer = world.gate.generation(key) !== flight.generation;
    flight.lead = newer ? null : world.gate.lead(key, batch);
    if (flight.lead === null) {
      await world.engine.drop(send.sequence);
      world.flights.close(details.requestId);
      return { redirectUrl: details.url };
    }
  }
  const exchanged = await exchange(world, send, target, details.method, BRIEF);
  if (world.flights.find(details.requestId, details.url) !== flight) {
    if (exchanged.is === "ready") await world.engine.drop(exchanged.send.sequence);
    if (exchanged.is === "other") await dropAll(world, exchanged.received);
    return { cancel: true };
  }
  switch (exchanged.is) {
    case "ready":
      flight.next = exchanged.send;
      return { redirectUrl: details.url };
    case "silence":
      return block(world, details, "no-proof", "the key exchange was not answered");
    case "other": {
      const { received } = exchanged;
      if (received.is === "fatal") return block(world, details, received.why, received.detail);
      await dropAll(world, received);
      if (received.is !== "asked")
        return block(world, details, "no-proof", "the key exchange was not answered as it is due");
      // The credential was refused and is forgotten: the request begins anew, without it.
      await world.contexts.refresh(context);
      world.flights.close(details.requestId);
      return { redirectUrl: details.url };
    }
  }
}
