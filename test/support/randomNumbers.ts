/**
 * Random numbers that are the same for the same seed, so that a failed run can be repeated: fuzzers print their seed.
 */

/** Numbers from 0 to below `limit`. */
export type Below = (limit: number) => number;

/** The sequence of numbers that belongs to `seed`. */
export function randomNumbers(seed: number): Below {
  let state = seed;
  return (limit) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * limit);
  };
}
