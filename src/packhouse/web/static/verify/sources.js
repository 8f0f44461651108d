/**
 * Where the public files come from: the shop that serves this page, or a folder that mirrors its log.
 *
 * A source answers `await read(path)` with a file's bytes, `path` being below `/log/`. Throws `CouldNotLook`.
 */

import { CouldNotLook, NotThere } from "./could-not-look.js";

/** The bytes at a public address of the shop; no cookie goes along. */
export async function publicBytes(path) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "omit" });
  } catch {
    throw new CouldNotLook(`${path} could not be fetched.`);
  }
  if (answer.status === 404) throw new NotThere(`${path} answered 404.`);
  if (!answer.ok) throw new CouldNotLook(`${path} answered ${answer.status}.`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** The bytes of a file that the visitor chose. */
export async function fileBytes(file) {
  return new Uint8Array(await file.arrayBuffer());
}

/**
 * A source from its description, which can be sent to a worker: `{ kind: "shop" }`, or
 * `{ kind: "folder", files }` with the files of a directory that was chosen.
 */
export function sourceOf(description) {
  return description.kind === "folder" ? folder(description.files) : { read: (path) => publicBytes(`/log/${path}`) };
}

function folder(files) {
  // The folder itself may have any name: paths begin where its checkpoint lies.
  const paths = files.map((file) => [file.webkitRelativePath || file.name, file]);
  const top = paths.map(([path]) => path.match(/^(.*\/)?checkpoint$/)).find(Boolean)?.[1] ?? "";
  const found = new Map(paths.map(([path, file]) => [path.slice(top.length), file]));
  return {
    read(path) {
      if (!found.has(path)) throw new NotThere(`The folder has no file ${path}.`);
      return fileBytes(found.get(path));
    },
  };
}
