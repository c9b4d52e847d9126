/** The worker: loads the module, and answers one call after the other. All arithmetic is done here. */

import { clock } from "./clock.js";
import { serve } from "./serve.js";
import init, { Engine as Core } from "./tagai_wasm.js";
import type { Call, Reply } from "./wire.js";

/** What of a worker's global scope is used; the types of the project are those of a page. */
interface Scope {
  onmessage: ((event: MessageEvent<Call>) => void) | null;
  postMessage(reply: Reply): void;
  close(): void;
}

const scope = globalThis as unknown as Scope;

async function start(): Promise<(call: Call) => Reply> {
  // As octets: compiled while it is read, it never comes to its end in a third of all starts of Firefox 140.
  const file = await fetch(new URL("tagai_wasm_bg.wasm", import.meta.url));
  await init({ module_or_path: await file.arrayBuffer() });
  return serve(new Core(), clock());
}

const started = start();

// Set at once, so that no call is lost; reactions to one promise run in their order.
scope.onmessage = ({ data }) => {
  started.then(
    answer => {
      const reply = answer(data);
      scope.postMessage(reply);
      if (!reply.ok && reply.over) scope.close();
    },
    (error: unknown) => {
      const message = `the engine did not start: ${String(error)}`;
      scope.postMessage({ id: data.id, ok: false, name: "Error", message, over: true });
      scope.close();
    },
  );
};
