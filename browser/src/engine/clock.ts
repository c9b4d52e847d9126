/** By how much the two clocks may differ before it means something, in milliseconds: browsers round both. */
const JITTER = 1000;

/**
 * Milliseconds that never go backwards, and go on while the machine sleeps.
 *
 * The steady clock stops while a laptop's lid is shut, and a login that should have run out would not. So a leap of the wall
 * clock counts. When that is set back nothing happens.
 */
export function clock(wall: () => number = Date.now, steady: () => number = () => performance.now()): () => number {
  const begin = steady();
  let slept = 0;
  /** What the wall clock shows at the time 0. */
  let zero = wall();
  let last = 0;
  return () => {
    const awake = steady() - begin;
    const ahead = wall() - zero - (awake + slept);
    if (ahead > JITTER) slept += ahead;
    if (ahead < -JITTER) zero += ahead;
    last = Math.max(last, awake + slept);
    return last;
  };
}
