import { type ComponentType, type LazyExoticComponent, lazy, useEffect, useState } from "react";
import { useIdle } from "./useIdle";

export type Apart<Props> = LazyExoticComponent<ComponentType<Props>> & {
  /** Has the code come before it is drawn for the first time. */
  fetch: () => Promise<unknown>;
};

/**
 * A component whose code is fetched apart from what shows it: when it is drawn, or before. With the first of them come
 * the styles of what the first page does without, ahead of the part's own, which adjust them.
 */
export function apart<Props extends object>(load: () => Promise<ComponentType<Props>>): Apart<Props> {
  const fetch = async () => {
    const [, component] = await Promise.all([import("./later.css"), load()]);
    return component;
  };
  return Object.assign(
    lazy(async () => ({ default: await fetch() })),
    { fetch },
  );
}

/**
 * True once the page has come to rest and the code of all parts has arrived. It then outlives the server; where it did
 * not arrive, it is asked for again when it is wanted.
 */
export function useArrived(...parts: Pick<Apart<never>, "fetch">[]): boolean {
  const idle = useIdle();
  const [arrived, setArrived] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each caller names the same parts always
  useEffect(() => {
    if (!idle) return;
    Promise.all(parts.map((part) => part.fetch())).then(
      () => setArrived(true),
      () => {},
    );
  }, [idle]);
  return arrived;
}
