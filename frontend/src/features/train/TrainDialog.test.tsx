import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import type { ComponentProps } from "react";
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
  transforms: [],
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

type Given = Pick<ComponentProps<typeof TrainDialog>, "onRefit" | "errors" | "onErrors">;

function show(plan?: Plan, given: Given = {}) {
  queryClient.setQueryData(catalogueQuery.queryKey, CATALOGUE as never);
  queryClient.setQueryData(datasetsQuery.queryKey, [DATASET] as never);
  queryClient.setQueryData(runsQuery.queryKey, { items: [{ name: "Digits CNN 2" }], total: 1 } as never);
  vi.spyOn(api, "GET").mockReturnValue(new Promise(() => {}));
  const dialog = (more: Given = {}) => (
    <MantineProvider env="test">
      <QueryClientProvider client={queryClient}>
        <TrainDialog
          document={{ ...digits(), name: "Digits CNN" }}
          plan={plan}
          {...given}
          {...more}
          opened
          onClose={() => {}}
        />
      </QueryClientProvider>
    </MantineProvider>
  );
  const { rerender } = render(dialog());
  return (more: Given) => rerender(dialog(more));
}

const field = (name: RegExp | string) => screen.getByLabelText(name) as HTMLInputElement;
const type = (name: RegExp | string, text: string) => fireEvent.change(field(name), { target: { value: text } });
const press = () => fireEvent.click(screen.getByTestId("start-run"));

const asked = (post: { mock: { calls: unknown } }) => post.mock.calls as [path: string, options: unknown][];

/** A service that takes every order; what it was sent. */
function taking() {
  const post = vi.spyOn(api, "POST").mockResolvedValue({ data: { id: "r1" }, response: new Response() } as never);
  return () => {
    const order = asked(post).find(([path]) => path === "/api/runs");
    return (order?.[1] as { body: { plan: Plan; name: string } } | undefined)?.body;
  };
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
      checkpoints: { every_epochs: 3, keep_every: 10, monitor: "validation/loss" },
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
    expect(screen.getByText("Name of the run", { selector: "label" }).getAttribute("for")).toBe(
      field("Name of the run").id,
    );
    expect(field("Name of the run").placeholder).toBe("Digits CNN 3");
    press();
    await vi.waitFor(() => expect(sent()?.name).toBe("Digits CNN 3"));
  });

  it("warns of an activation that the chosen loss applies itself, offers the mend, and starts all the same", async () => {
    const fix = { title: "Remove soft", edits: [{ op: "remove", path: "/blocks/DigitsCNN/members/1", value: null }] };
    const problem = { code: "activation_before_loss", severity: "warning", message: "soft stands…", fixes: [fix] };
    const other = { ...problem, code: "dropout_at_output" };
    const post = vi.spyOn(api, "POST");
    post.mockImplementation(((path: string) => {
      const data = path === "/api/graphs/doctor" ? { problems: [problem, other] } : { id: "r1" };
      return Promise.resolve({ data, response: new Response() });
    }) as never);
    const refit = vi.fn(() => true);
    const plan: Plan = { ...DEFAULTS, dataset: "digits", loss: { name: "torch.nn.CrossEntropyLoss", arguments: {} } };
    show(plan, { onRefit: refit });
    const told = await screen.findAllByTestId("loss-warning");
    expect(told.map((it) => it.textContent)).toEqual([expect.stringContaining("applies this activation itself")]);
    expect(asked(post).find(([path]) => path === "/api/graphs/doctor")?.[1]).toMatchObject({
      body: { plan: { dataset: "digits", loss: plan.loss } },
    });
    fireEvent.click(screen.getByRole("button", { name: "Remove soft" }));
    expect(refit).toHaveBeenCalledWith(expect.objectContaining({ edits: fix.edits }), expect.any(Function));
    press();
    await vi.waitFor(() => expect(asked(post).map(([path]) => path)).toContain("/api/runs"));
  });

  it("has its button under the Enter key once a check that was still on its way clears the errors", async () => {
    const become = show({ ...DEFAULTS, dataset: "digits" }, { errors: 1, onErrors: () => {} });
    await vi.waitFor(() =>
      expect(document.activeElement).toBe(screen.getByRole("button", { name: "Show the problems" })),
    );
    become({ errors: 0 });
    expect(document.activeElement).toBe(screen.getByTestId("start-run"));
    // Whoever types meanwhile is not taken away.
    become({ errors: 1 });
    field("Epochs").focus();
    become({ errors: 0 });
    expect(document.activeElement).toBe(field("Epochs"));
  });

  it("says before it is pressed that a network with errors cannot be trained", () => {
    const sent = taking();
    const onErrors = vi.fn();
    show({ ...DEFAULTS, dataset: "digits" }, { errors: 2, onErrors });
    expect(screen.getByRole("alert").textContent).toContain("2 errors");
    expect(screen.queryByText("Fits the network's input")).toBeNull();
    expect((screen.getByTestId("start-run") as HTMLButtonElement).disabled).toBe(true);
    fireEvent.submit(screen.getByTestId("start-run").closest("form") as HTMLFormElement);
    expect(sent()).toBeUndefined();
    const find = screen.getByTestId("find-rate");
    expect(find.getAttribute("aria-disabled")).toBe("true");
    expect(find.getAttribute("aria-label")).toContain("2 errors");
    fireEvent.click(find);
    expect(asked(vi.mocked(api.POST)).map(([path]) => path)).not.toContain("/api/rates");
    expect(screen.queryByTestId("rate-search")).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Show the problems" }));
    expect(onErrors).toHaveBeenCalled();
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

  it("takes parameter groups, with a rate or a factor, and what is left when one is taken away", async () => {
    const sent = taking();
    show({ ...DEFAULTS, dataset: "digits" });
    fireEvent.click(screen.getByRole("button", { name: "More settings" }));
    const add = () => fireEvent.click(screen.getByRole("button", { name: "Add a group" }));
    add();
    type("Names like", "encoder.*");
    type("Learning rate", "0.1");
    fireEvent.blur(field("Learning rate"));
    type("or times", "0.5");
    expect(field("Learning rate").value).toBe("");
    add();
    fireEvent.click(screen.getAllByLabelText("Frozen")[1] as HTMLElement);
    add();
    fireEvent.click(screen.getAllByRole("button", { name: "Remove the group *.bias" })[1] as HTMLElement);
    type("Run a batch in parts", "4");
    type("Stop after epochs without improvement", "5");
    type("Smallest improvement", "0.01");
    press();
    const rest = { lr: null, weight_decay: null };
    await vi.waitFor(() =>
      expect(sent()?.plan).toMatchObject({
        accumulation: 4,
        early_stopping: { patience: 5, min_change: 0.01, monitor: null },
        groups: [
          { ...rest, pattern: "encoder.*", factor: 0.5, frozen: false },
          { ...rest, pattern: "*.bias", factor: null, frozen: true },
        ],
      }),
    );
  });

  it("takes a head for each output, in place of one loss", async () => {
    const sent = taking();
    show({ ...DEFAULTS, dataset: "digits", metrics: [{ name: "x.Accuracy", arguments: {} }] });
    fireEvent.click(screen.getByRole("button", { name: "More settings" }));
    const add = () => fireEvent.click(screen.getByRole("button", { name: "Name an output" }));
    const last = (label: string) => screen.getAllByLabelText(label, { selector: "input" }).at(-1) as HTMLElement;
    add();
    fireEvent.change(last("Output"), { target: { value: "digit" } });
    add();
    fireEvent.change(last("Output"), { target: { value: "image" } });
    fireEvent.change(last("Compared with"), { target: { value: "x" } });
    fireEvent.change(last("Weight"), { target: { value: "0.5" } });
    fireEvent.blur(last("Weight"));
    press();
    const rest = { column: null, loss: null, metrics: null };
    await vi.waitFor(() =>
      expect(sent()?.plan).toMatchObject({
        metrics: null,
        heads: [
          { ...rest, output: "digit", target: null, weight: 1 },
          { ...rest, output: "image", target: "x", weight: 0.5 },
        ],
      }),
    );
  });
});

describe("settings that few runs have", () => {
  afterEach(() => {
    cleanup();
    queryClient.clear();
    localStorage.clear();
  });

  it("are shown as the run before had them, and sent as they are changed", async () => {
    const sent = taking();
    show({
      ...DEFAULTS,
      dataset: "digits",
      averaging: { kind: "ema", decay: 0.99, start: null },
      mixing: { kind: "cutmix", alpha: 1 },
      class_weights: [1, 2],
      warmup: 10,
    });
    fireEvent.click(screen.getByRole("button", { name: "More settings" }));
    expect(field("One number for each class").value).toBe("1, 2");
    type("One number for each class", "1");
    press();
    expect(sent()).toBeUndefined();
    for (const [name, text] of [
      ["One number for each class", "1, 3"],
      ["Share that the average keeps per step", "0.9"],
      ["From this share of the run", "0.5"],
      ["Strength of mixing (α)", "0.4"],
      ["Warm-up steps", "20"],
    ] as const) {
      type(name, text);
    }
    press();
    await vi.waitFor(() =>
      expect(sent()?.plan).toMatchObject({
        averaging: { kind: "ema", decay: 0.9, start: 0.5 },
        mixing: { kind: "cutmix", alpha: 0.4 },
        class_weights: [1, 3],
        warmup: 20,
      }),
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
