/**
 * Random numbers that are the same for the same seed, so that a failed run can be repeated: fuzzers print their seed.
 *
 * The generator is mulberry32 (public domain): 32 bits of state in whole numbers, so that nothing is lost to rounding.
 */

/** Numbers from 0 to below `limit`. */
export type Below = (limit: number) => number;

/** The sequence of numbers that belongs to `seed`. */
export function randomNumbers(seed: number): Below {
  let state = seed | 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}
