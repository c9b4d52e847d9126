/** Everything that the parts of the background page share. */

import type { Engine } from "../engine/api.js";
import { drop } from "./asked.js";
import { Batches } from "./batch.js";
import { BlockedPages } from "./blocked.js";
import { Contexts } from "./contexts.js";
import { Ends } from "./ends.js";
import { Gate } from "./gate.js";
import { Known, type Storage } from "./known.js";
import { OwnRequests } from "./own.js";
import { Redirects } from "./redirects.js";
import { Flights } from "./requests.js";
import type { Surroundings } from "./surroundings.js";
import { Tabs } from "./tabs.js";

export interface World {
  readonly engine: Engine;
  readonly around: Surroundings;
  readonly contexts: Contexts;
  readonly flights: Flights;
  readonly redirects: Redirects;
  readonly gate: Gate;
  readonly batches: Batches;
  readonly own: OwnRequests;
  readonly tabs: Tabs;
  readonly blocked: BlockedPages;
  readonly known: Known;
  readonly ends: Ends;
}

export function makeWorld(engine: Engine, around: Surroundings, storage: Storage): World {
  const blocked = new BlockedPages(path => around.page(path));
  return {
    engine,
    around,
    contexts: new Contexts(engine),
    flights: new Flights(engine),
    redirects: new Redirects(),
    gate: new Gate(),
    batches: new Batches(),
    own: new OwnRequests(engine, around),
    tabs: new Tabs(blocked, asked => drop(engine, asked)),
    blocked,
    known: new Known(storage),
    ends: new Ends(),
  };
}
