import { ApiError, UnreachableError } from "@/api/errors";
import { expireSession } from "@/api/session";
import type { DatasetEntry, ErrorBody } from "@/api/types";

export interface Upload {
  done: Promise<DatasetEntry>;
  cancel: () => void;
}

/** The name of a data set: small letters, digits and hyphens. */
export function datasetName(filename: string): string {
  const stem = filename.replace(/\.[^.]*$/, "").toLowerCase();
  const slug = stem.replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "");
  return slug.slice(0, 63).replace(/-+$/, "") || "data";
}

/**
 * Sends a file as it is. By XMLHttpRequest, because fetch tells nothing of what has been sent.
 *
 * @param onProgress share that has been sent, 0–1.
 */
export function uploadDataset(file: File, onProgress: (share: number) => void): Upload {
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
    request.open("PUT", `/api/datasets/${datasetName(file.name)}?${query}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.send(file);
  });
  return { done, cancel: () => request.abort() };
}
