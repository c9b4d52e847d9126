import type { Engine } from "./api.js";
export function createEngine(): Engine {
  throw new Error("none");
}
