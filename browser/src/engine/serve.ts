/** The worker's side, apart from the worker: calls in, replies out. */

import type { Engine as Core } from "./tagai_wasm.js";
import type { Call, Calls, Method, Reply } from "./wire.js";

/** The calls as the module answers them. What it throws as a string is JSON with the error's name and message. */
function calls(core: Core, now: () => number): Calls {
  /** The module has its own copy, and wipes it. */
  const wiping = <T>(password: Uint8Array, use: () => T): T => {
    try {
      return use();
    } finally {
      password.fill(0);
    }
  };
  return {
    begin: (context, origin, path) => JSON.parse(core.begin(context, origin, path, now())),
    field: sequence => core.field(sequence) ?? null,
    receive: (sequence, { status, fields, certificate }) =>
      JSON.parse(core.receive(sequence, status, JSON.stringify(fields), certificate, now())),
    supply: (ask, user, password) => wiping(password, () => JSON.parse(core.supply(ask, user, password))),
    remember: (context, origin, { name, scope, algorithm }, user, password) =>
      wiping(password, () => core.remember(context, origin, name, scope, algorithm, user, password)),
    drop: id => core.drop(id),
    logins: context => JSON.parse(core.logins(context)),
    expects: (context, origin, path) => JSON.parse(core.expects(context, origin, path, now())),
    logout: (context, { name, scope, algorithm }) => core.logout(context, name, scope, algorithm),
    logoutAll: context => core.logoutAll(context),
    untilExpiry: context => core.untilExpiry(context, now()) ?? null,
    expire: context => JSON.parse(core.expire(context, now())),
    verifier: ({ name, scope, algorithm }, user, password) =>
      wiping(password, () => core.verifier(name, scope, algorithm, user, password)),
    beginAs: (context, origin, path, { name, scope, algorithm }, user, old) =>
      wiping(old, () => JSON.parse(core.beginAs(context, origin, path, name, scope, algorithm, user, old, now()))),
    bind: (sequence, t) => core.bind(sequence, t),
  };
}

/** An error that the module threw on purpose; null for any other, such as a trap. */
function thrown(error: unknown): { readonly name: string; readonly message: string } | null {
  if (typeof error !== "string") return null;
  try {
    const { name, message } = JSON.parse(error) as { readonly name: unknown; readonly message: unknown };
    return { name: String(name), message: String(message) };
  } catch {
    return null;
  }
}

/**
 * Answers calls with a module. After a trap its memory may be in any state, so every later call is refused.
 */
export function serve(core: Core, now: () => number): (call: Call) => Reply {
  const table = calls(core, now);
  let over = false;
  return ({ id, method, args }) => {
    if (over) return { id, ok: false, name: "Error", message: "the engine has stopped", over };
    try {
      const run = table[method] as (...args: Parameters<Calls[Method]>[number][]) => unknown;
      return { id, ok: true, value: run(...args) };
    } catch (error) {
      const known = thrown(error);
      over = known === null;
      const { name, message } = known ?? { name: "Error", message: `the engine has stopped: ${String(error)}` };
      return { id, ok: false, name, message, over };
    }
  };
}
