/**
 * What was found wrong in a log, in the order of its leaves.
 *
 * At one leaf, its hash and form come first, then the laws along the log, then the draws; what is wrong with tiles,
 * the root and checkpoints comes behind all leaves.
 */

import { Differs } from "./differs.js";

/** Ranks within a leaf. */
export const FORM = 0;
export const LAW = 1;
export const DRAW = 2;

const KEPT_MAX = 10_000;
const SHOWN_MAX = 200;

/** How messages call the leaf at a position. */
export function leafName(position) {
  return `leaves[${position}]`;
}

/** Collects findings; beyond 10,000 they are only counted. */
export class Findings {
  constructor() {
    this.count = 0;
    this.kept = [];
  }

  /** Notes that a field of the leaf at `position` is not as it has to be. */
  at(position, rank, field, expected, found) {
    this.note(position, rank, new Differs(`${leafName(position)}.${field}`, expected ?? "nothing", found ?? "nothing"));
  }

  /** Notes each of `[field, expected, found]` of a leaf that is not as expected. */
  unequal(position, rank, triples) {
    for (const [field, expected, found] of triples) if (expected !== found) this.at(position, rank, field, expected, found);
  }

  /** Notes a `Differs` as belonging to a leaf. */
  note(position, rank, { field, expected, found, message }) {
    this.count += 1;
    if (this.kept.length < KEPT_MAX) this.kept.push({ position, rank, field, expected, found, message });
  }

  /** Notes a `Differs` that is about no leaf. */
  behind(differs) {
    this.note(Infinity, LAW, differs);
  }

  /** The first of them in order, with `field` and `message`. */
  list() {
    return this.kept.toSorted((one, other) => (one.position === other.position ? one.rank - other.rank : one.position - other.position)).slice(0, SHOWN_MAX);
  }
}
