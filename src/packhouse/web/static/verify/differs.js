/** Something is not what it claims to be; `field` is its path, as in `cards[2].value`. */
export class Differs extends Error {
  constructor(field, expected, found) {
    super(`${field}: expected ${expected}, found ${found}`);
    Object.assign(this, { field, expected: String(expected), found: String(found) });
  }
}

/** A `Differs` for each of `[field, expected, found]` that is not as expected. */
export function unequal(pairs) {
  return pairs.filter(([, expected, found]) => expected !== found).map(([field, expected, found]) => new Differs(field, expected ?? "nothing", found ?? "nothing"));
}
