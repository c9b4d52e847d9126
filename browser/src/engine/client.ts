/** The background page's side of the engine. */

import { CredentialError, type Engine } from "./api.js";
import type { Calls, Method, Reply } from "./wire.js";

/** What is needed of a `Worker`. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: { readonly data: Reply }) => void): void;
  addEventListener(type: "error" | "messageerror", listener: (event: unknown) => void): void;
  terminate(): void;
}

/** Starts the worker. */
export function createEngine(): Engine {
  return connect(new Worker(browser.runtime.getURL("engine/worker.js"), { type: "module" }));
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * An engine behind a port. When whoever is there fails once, every call that waits is rejected, and every later one: whatever
 * needs a proof then fails, and nothing is let through for want of an answer.
 */
export function connect(port: Port): Engine {
  const waiting = new Map<number, Waiting>();
  let last = 0;
  let stopped: Error | null = null;

  const stop = (reason: string): void => {
    stopped ??= new Error(reason);
    for (const { reject } of waiting.values()) reject(stopped);
    waiting.clear();
    port.terminate();
  };

  port.addEventListener("message", ({ data }) => {
    const caller = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.ok) {
      caller?.resolve(data.value);
      return;
    }
    caller?.reject(data.name === "CredentialError" ? new CredentialError(data.message) : new Error(data.message));
    if (data.over) stop(data.message);
  });
  port.addEventListener("error", () => stop("the engine's worker failed"));
  port.addEventListener("messageerror", () => stop("the engine's answer cannot be read"));

  const call = <M extends Method>(
    method: M,
    args: Parameters<Calls[M]>,
    transfer: Transferable[] = [],
  ): Promise<ReturnType<Calls[M]>> =>
    new Promise((resolve, reject) => {
      if (stopped !== null) throw stopped;
      last += 1;
      const id = last;
      port.postMessage({ id, method, args }, transfer);
      waiting.set(id, { resolve: value => resolve(value as ReturnType<Calls[M]>), reject });
    });

  /** Calls with a password, whose octets go over to the worker: none stay here. */
  const callWith = <M extends Method>(
    method: M,
    password: string,
    args: (octets: Uint8Array) => Parameters<Calls[M]>,
  ): Promise<ReturnType<Calls[M]>> => {
    const octets = new TextEncoder().encode(password);
    return call(method, args(octets), [octets.buffer]);
  };

  return {
    begin: (context, origin, path) => call("begin", [context, origin, path]),
    field: sequence => call("field", [sequence]),
    receive: (sequence, head) => call("receive", [sequence, head]),
    supply: (ask, user, password) => callWith("supply", password, octets => [ask, user, octets]),
    remember: (context, origin, realm, user, password) =>
      callWith("remember", password, octets => [context, origin, realm, user, octets]),
    drop: id => call("drop", [id]),
    logins: context => call("logins", [context]),
    expects: (context, origin, path) => call("expects", [context, origin, path]),
    logout: (context, realm) => call("logout", [context, realm]),
    logoutAll: context => call("logoutAll", [context]),
    untilExpiry: context => call("untilExpiry", [context]),
    expire: context => call("expire", [context]),
    verifier: (realm, user, password) => callWith("verifier", password, octets => [realm, user, octets]),
    beginAs: (context, origin, path, realm, user, old) =>
      callWith("beginAs", old, octets => [context, origin, path, realm, user, octets]),
    bind: (sequence, t) => call("bind", [sequence, t]),
  };
}
