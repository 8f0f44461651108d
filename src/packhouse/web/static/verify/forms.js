/**
 * Forms: what a value has to look like.
 *
 * A form is a function of a value and its path; it throws `Differs` where the value is not so.
 */

import { Differs } from "./differs.js";

export function matching(pattern, words) {
  return (value, at) => {
    if (typeof value !== "string" || !pattern.test(value)) throw new Differs(at, words, shown(value));
  };
}

export function text(value, at) {
  if (typeof value !== "string") throw new Differs(at, "a text", shown(value));
}

export function boolean(value, at) {
  if (typeof value !== "boolean") throw new Differs(at, "true or false", shown(value));
}

export function nothing(value, at) {
  if (value !== null) throw new Differs(at, "null", shown(value));
}

export function number(least, most = Number.MAX_SAFE_INTEGER) {
  return (value, at) => {
    if (!Number.isSafeInteger(value) || value < least || value > most) throw new Differs(at, `a whole number from ${least} on`, shown(value));
  };
}

export function oneOf(...choices) {
  return (value, at) => {
    if (!choices.includes(value)) throw new Differs(at, choices.join(" or "), shown(value));
  };
}

export function orNull(form) {
  return (value, at) => value === null || form(value, at);
}

export function listOf(form, least = 0) {
  return (value, at) => {
    if (!Array.isArray(value) || value.length < least) throw new Differs(at, `a list of at least ${least}`, shown(value));
    value.forEach((part, i) => form(part, `${at}[${i}]`));
  };
}

export function fields(needed, optional = {}) {
  return (value, at) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Differs(at, "an object", shown(value));
    const path = (name) => (at ? `${at}.${name}` : name);
    for (const name of Object.keys(value)) {
      if (!Object.hasOwn(needed, name) && !Object.hasOwn(optional, name)) throw new Differs(path(name), "no such field", shown(value[name]));
    }
    for (const [name, form] of Object.entries(needed)) {
      if (!Object.hasOwn(value, name)) throw new Differs(path(name), "this field", "nothing");
      form(value[name], path(name));
    }
    for (const [name, form] of Object.entries(optional)) {
      if (Object.hasOwn(value, name)) form(value[name], path(name));
    }
  };
}

/** A value as a message shows it, cut short. */
export function shown(value) {
  return JSON.stringify(value)?.slice(0, 80) ?? "nothing";
}

export const hash = matching(/^[0-9a-f]{64}$/, "64 hexadecimal digits in small letters");
export const userKey = matching(/^[0-9a-f]{32}$/, "32 hexadecimal digits in small letters");
export const id = matching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, "a UUID in small letters");
export const moment = matching(/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z$/, "a time in UTC");
export const slug = matching(/^[a-z0-9]+(-[a-z0-9]+)*$/, "a slug");
export const tier = oneOf("D", "C", "B", "A", "S", "SS", "SSS");
export const whole = number(0);
export const count = number(1);
