import { ApiError, UnreachableError } from "@/api/errors";
import { expireSession } from "@/api/session";
import type { DatasetEntry, ErrorBody } from "@/api/types";

export interface Upload {
  done: Promise<DatasetEntry>;
  cancel: () => void;
}

const LONGEST = 63;

/** The name of a data set: small letters of any script, digits and hyphens; another than those `taken`. */
export function datasetName(filename: string, taken: readonly string[] = []): string {
  const stem = filename
    .replace(/\.[^.]*$/, "")
    .normalize("NFC")
    .toLowerCase();
  const slug = stem.replaceAll(/[^\p{L}\p{N}]+/gu, "-").replaceAll(/^-+|-+$/g, "");
  const name = [...slug].slice(0, LONGEST).join("").replace(/-+$/, "") || "data";
  if (!taken.includes(name)) return name;
  for (let number = 2; ; number++) {
    const next = `${[...name].slice(0, LONGEST - 5).join("")}-${number}`;
    if (!taken.includes(next)) return next;
  }
}

/**
 * Sends a file as it is. By XMLHttpRequest, because fetch tells nothing of what has been sent.
 *
 * @param onProgress share that has been sent, 0–1.
 */
export function uploadDataset(file: File, name: string, onProgress: (share: number) => void): Upload {
  const request = new XMLHttpRequest();
  const done = new Promise<DatasetEntry>((resolve, reject) => {
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.total > 0 ? event.loaded / event.total : 0);
    request.onerror = () => reject(new UnreachableError(undefined));
    request.onabort = () => reject(new DOMException("The upload was cancelled.", "AbortError"));
    request.onload = () => {
      if (request.status === 401) expireSession();
      if (request.status < 300) resolve(request.response as DatasetEntry);
      else reject(new ApiError(request.status, (request.response ?? undefined) as ErrorBody | undefined));
    };
    const query = new URLSearchParams({ filename: file.name });
    request.open("PUT", `/api/datasets/${encodeURIComponent(name)}?${query}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.send(file);
  });
  return { done, cancel: () => request.abort() };
}
