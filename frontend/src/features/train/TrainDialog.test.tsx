import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import { api } from "@/api/client";
import { ApiError } from "@/api/errors";
import { catalogueQuery, datasetsQuery, queryClient, runsQuery } from "@/api/queries";
import type { ParameterSpec, Plan } from "@/api/types";
import { digits } from "@/model/example.test-data";
import { DEFAULTS } from "./settings";
import { TrainDialog } from "./TrainDialog";

const spec = (name: string, part: Partial<ParameterSpec> = {}) => ({
  name,
  kinds: ["float"],
  required: false,
  default: null,
  nullable: false,
  choices: [],
  length: null,
  variadic: false,
  auto: false,
  minimum: null,
  doc: "",
  ...part,
});
const entry = (name: string, parameters: unknown[], tasks: string[] = []) => ({
  name,
  label: name.slice(name.lastIndexOf(".") + 1),
  summary: "",
  parameters,
  tasks,
});
const STEP = "torch.optim.lr_scheduler.StepLR";
const CATALOGUE = {
  optimizers: [
    entry("torch.optim.AdamW", [spec("lr", { default: 0.001 })]),
    entry("torch.optim.SGD", [spec("lr", { default: 0.001 })]),
  ],
  schedulers: [entry(STEP, [spec("step_size", { kinds: ["int"], required: true })])],
  losses: [],
  metrics: [],
};
const DATASET = {
  ...entry("digits", []),
  task: "classification",
  shape: [1, 8, 8],
  dtype: "float32",
  classes: [],
  samples: 9,
  available: true,
  uploaded: false,
};

function show(plan?: Plan) {
  queryClient.setQueryData(catalogueQuery.queryKey, CATALOGUE as never);
  queryClient.setQueryData(datasetsQuery.queryKey, [DATASET] as never);
  queryClient.setQueryData(runsQuery.queryKey, { items: [{ name: "Digits CNN 2" }], total: 1 } as never);
  vi.spyOn(api, "GET").mockReturnValue(new Promise(() => {}));
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={queryClient}>
        <MemoryRouter>
          <TrainDialog document={{ ...digits(), name: "Digits CNN" }} plan={plan} opened onClose={() => {}} />
        </MemoryRouter>
      </QueryClientProvider>
    </MantineProvider>,
  );
}

const field = (name: RegExp | string) => screen.getByLabelText(name) as HTMLInputElement;
const type = (name: RegExp | string, text: string) => fireEvent.change(field(name), { target: { value: text } });
const press = () => fireEvent.click(screen.getByTestId("start-run"));

/** A service that takes every order; what it was sent. */
function taking() {
  const post = vi.spyOn(api, "POST").mockResolvedValue({ data: { id: "r1" }, response: new Response() } as never);
  return () => (post.mock.calls[0]?.[1] as unknown as { body: { plan: Plan; name: string } } | undefined)?.body;
}

describe("the train dialog", () => {
  afterEach(() => {
    cleanup();
    queryClient.clear();
    localStorage.clear();
  });

  it("begins with the plan of the run that is trained again, and sends all of it", async () => {
    const plan: Plan = {
      ...DEFAULTS,
      dataset: "digits",
      epochs: 60,
      batch_size: 16,
      optimizer: { name: "torch.optim.SGD", arguments: { lr: 0.05 } },
      scheduler: { name: STEP, arguments: { step_size: 5 }, parts: [] },
      checkpoints: { every_epochs: 3, monitor: "validation/loss" },
      split: { validation: 0.3, stratify: false, seed: 7 },
    };
    const sent = taking();
    show(plan);
    expect([field("Epochs").value, field("Batch size").value, field("lr").value]).toEqual(["60", "16", "0.05"]);
    press();
    await vi.waitFor(() => expect(sent()?.plan).toEqual(plan));
  });

  it("names the run by the network and the next number", async () => {
    const sent = taking();
    show();
    expect(field("Name of the run").placeholder).toBe("Digits CNN 3");
    press();
    await vi.waitFor(() => expect(sent()?.name).toBe("Digits CNN 3"));
  });

  it("starts nothing with a field that is wrong or empty", async () => {
    const sent = taking();
    show();
    for (const [name, bad, good] of [
      ["lr", "abc", "0.1"],
      ["Epochs", "", "3"],
    ] as const) {
      type(name, bad);
      fireEvent.blur(field(name));
      press();
      expect(document.activeElement).toBe(field(name));
      expect([field(name).value, field(name).getAttribute("aria-invalid")]).toEqual([bad, "true"]);
      type(name, good);
    }
    expect(sent()).toBeUndefined();
    press();
    await vi.waitFor(() => expect(sent()?.plan).toMatchObject({ epochs: 3, optimizer: { arguments: { lr: 0.1 } } }));
  });

  it("keeps the decimals of a clip, and asks for what a schedule needs, though it is folded away", async () => {
    const sent = taking();
    show({ ...DEFAULTS, dataset: "digits", scheduler: { name: STEP, arguments: {}, parts: [] } });
    const more = () => screen.getByRole("button", { name: "More settings" });
    fireEvent.click(more());
    for (const text of ["1", "1.", "1.0"]) type("Clip gradient norm at", text);
    expect(field("Clip gradient norm at").value).toBe("1.0");
    fireEvent.click(more());
    press();
    expect(more().getAttribute("aria-expanded")).toBe("true");
    expect(document.activeElement).toBe(field(/step_size/));
    type(/step_size/, "4");
    press();
    await vi.waitFor(() =>
      expect(sent()?.plan).toMatchObject({ clip: { norm: 1 }, scheduler: { arguments: { step_size: 4 } } }),
    );
  });
});

describe("a refused order", () => {
  afterEach(() => {
    cleanup();
    queryClient.clear();
  });

  it("unfolds the field that has to be mended", async () => {
    const errors = [{ path: "/plan/seed", code: "invalid_body", message: "seed is too large", problem: null } as const];
    vi.spyOn(api, "POST").mockRejectedValue(new ApiError(422, { code: "invalid_body", errors: [...errors] }));
    show();
    expect(screen.queryByLabelText("Seed")).toBeNull();
    fireEvent.click(await screen.findByTestId("start-run"));
    expect(await screen.findByText("seed is too large")).toBeTruthy();
    expect(document.activeElement).toBe(screen.getByLabelText("Seed"));
  });
});
