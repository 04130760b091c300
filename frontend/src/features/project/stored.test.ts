import { afterEach, expect, it, vi } from "vitest";
import { api } from "@/api/client";
import { queryClient } from "@/api/queries";
import type { NetworkSummary } from "@/api/types";
import { named, networksQuery } from "./stored";

const network = (id: number, name = `net ${id}`): NetworkSummary => ({
  id: `n${id}`,
  name,
  revision: 1,
  updated_at: id,
});

afterEach(() => vi.restoreAllMocks());

it("lists more networks than the service gives at once, each once", async () => {
  const all = Array.from({ length: 450 }, (_, id) => network(id));
  type Options = { params: { query: { limit: number; offset: number } } };
  vi.spyOn(api, "GET").mockImplementation((async (_: string, { params }: Options) => {
    const { limit, offset } = params.query;
    const data = all.slice(offset, offset + limit);
    // Somebody saves a new one between two pages.
    if (offset === 0) all.unshift(network(1000));
    return { data, response: new Response() };
  }) as unknown as typeof api.GET);
  const found = await queryClient.fetchQuery(networksQuery);
  expect(found.map(({ id }) => id)).toEqual(Array.from({ length: 450 }, (_, id) => `n${id}`));
});

it("finds names by all words of the query, in any order and case", () => {
  const all = [network(1, "ResNet on CIFAR"), network(2, "ResNet"), network(3, "卷积网络")];
  const found = (query: string) => named(all, query).map(({ id }) => id);
  expect(found("cifar resnet")).toEqual(["n1"]);
  expect(found("RESNET")).toEqual(["n1", "n2"]);
  expect(found(" 卷积 ")).toEqual(["n3"]);
  expect(found("")).toEqual(["n1", "n2", "n3"]);
});
