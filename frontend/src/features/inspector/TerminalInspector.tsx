import { ActionIcon, Button, Group, NumberInput, SegmentedControl, Switch, Text } from "@mantine/core";
import { Plus, Trash2 } from "lucide-react";
import type { Report } from "@/api/types";
import { caseText, ParameterField, whileText } from "@/features/forms";
import { useText } from "@/i18n";
import { casesOf, setOutputChoice } from "@/model/cases";
import { setInputExample, setInputOptional } from "@/model/edit";
import { OUTPUT } from "@/model/graph";
import { nameFault } from "@/model/names";
import { inputNameFree, renameInput } from "@/model/nodes";
import {
  addOutput,
  lostBySingle,
  type OutputForm,
  outputForm,
  outputParts,
  removeOutput,
  renameOutput,
  setOutputForm,
} from "@/model/outputs";
import { type Place, problemsHere, resultText } from "@/model/report";
import { apply, useDoc } from "@/model/store";
import type { Block, Doc, Path, Value } from "@/model/types";
import { isIf, same, valueAt } from "@/model/values";
import { select } from "@/model/view";
import { toast } from "@/ui/Toasts";
import styles from "./Inspector.module.css";
import { NameField } from "./NameField";
import { Fact, Head, Problems, Section } from "./parts";
import { ShapeField } from "./ShapeField";
import { dtypeSpec } from "./specs";

/** An input: its name, and for the outermost block the example from which shapes are inferred. */
export function InputInspector({ place, name, report }: { place: Place; name: string; report: Report | null }) {
  const t = useText().editor;
  const doc = useDoc();
  const block = doc.blocks[place.block] as Block;
  const input = block.forward.inputs.find((it) => it.name === name);
  const problems = problemsHere(report, place).filter((problem) => problem.node === name);
  const rename = (next: string) => {
    apply(
      ({ editor: t }) => t.steps.rename(name, next),
      (it) => renameInput(it, place.block, name, next),
    );
    select([`input:${next}`]);
  };
  return (
    <>
      <Head title={t.structure.input.label} subtitle={name} />
      <Section>
        <NameField
          key={name}
          label={t.inspector.argumentName}
          value={name}
          refuse={(next) => {
            const wrong = nameFault(next);
            if (wrong) return t.names[wrong];
            return inputNameFree(block.forward, next) ? null : t.names.taken;
          }}
          onRename={rename}
          testId="input-name"
        />
        <Switch
          size="sm"
          label={t.inspector.optional}
          checked={input?.optional ?? false}
          onChange={(event) => {
            const { checked } = event.currentTarget;
            apply(
              ({ editor: t }) => t.steps.set(name),
              (it) => setInputOptional(it, place.block, name, checked),
            );
          }}
        />
      </Section>
      {place.block === doc.main ? (
        <ExampleFields name={name} />
      ) : (
        <p className={styles.summary} style={{ padding: 16 }}>
          {t.inspector.inputOfBlock}
        </p>
      )}
      <Problems problems={problems} />
    </>
  );
}

function ExampleFields({ name }: { name: string }) {
  const t = useText().editor;
  const example = useDoc().inputs[name];
  const set = (change: Parameters<typeof setInputExample>[2], key: string) =>
    apply(
      ({ editor: t }) => t.steps.set(key),
      (doc) => setInputExample(doc, name, change),
      `input.${name}.${key}`,
    );
  const integer = example ? !example.dtype.startsWith("float") && !example.dtype.startsWith("bfloat") : false;
  return (
    <Section title={t.inspector.example}>
      <ShapeField
        hint={example?.batch === false ? t.inspector.shapeWhole : t.inspector.shapePerSample}
        value={example?.shape ?? []}
        onChange={(shape) => set({ shape: shape as number[] }, "shape")}
        testId="input-shape"
      />
      <ParameterField
        spec={dtypeSpec}
        value={{ $dtype: example?.dtype ?? "float32" }}
        onChange={(value) => set({ dtype: dtypeName(value) }, "dtype")}
      />
      <Switch
        size="sm"
        label={t.inspector.batch}
        checked={example?.batch ?? true}
        onChange={(event) => set({ batch: event.currentTarget.checked }, "batch")}
      />
      {integer && (
        <NumberInput
          size="xs"
          label={t.inspector.high}
          description={t.inspector.highHint}
          value={example?.high ?? ""}
          min={1}
          allowDecimal={false}
          onChange={(value) => set({ high: typeof value === "number" ? value : null }, "high")}
        />
      )}
    </Section>
  );
}

const dtypeName = (value: Value | undefined): string =>
  typeof value === "object" && value !== null && "$dtype" in value ? value.$dtype : "float32";

const FORMS: OutputForm[] = ["single", "tuple", "dict"];

/** What `forward` returns: one value, a tuple, or a dict with names. */
export function OutputInspector({ place, report }: { place: Place; report: Report | null }) {
  const t = useText().editor;
  const doc = useDoc();
  const output = (doc.blocks[place.block] as Block).forward.output;
  const problems = problemsHere(report, place).filter((problem) => problem.node === OUTPUT);
  const cases = casesOf(output);
  const whole = place.block === doc.main ? report?.outputs : report?.modules[place.instance]?.output;
  return (
    <>
      <Head title={t.node.output} />
      <Section title={t.inspector.returns}>
        <Switch
          size="sm"
          label={t.conditions.depends}
          description={t.conditions.dependsHint}
          checked={cases.length > 0}
          onChange={(event) => {
            const { checked } = event.currentTarget;
            apply(
              ({ editor: t }) => t.steps.set(t.node.output),
              (it) => setOutputChoice(it, place.block, checked),
            );
            if (!checked && isIf(output) && !same(output.then, output.else))
              toast(t.conditions.returnsLost, t.conditions.returnsLostHint);
          }}
          data-testid="output-cases"
        />
        {cases.length === 0 && <OutputForms place={place} output={output} at={[]} />}
      </Section>
      {cases.map(({ at, holds, otherwise }) => (
        <Section
          key={at.join("/")}
          title={whileText(holds, t.conditions) ?? caseText({ test: holds, otherwise }, t.conditions)}
        >
          <OutputForms place={place} output={valueAt(output, at) ?? null} at={at} />
        </Section>
      ))}
      {whole && (
        <Section title={t.inspector.shapes}>
          <dl className={styles.facts}>
            <Fact name={t.inspector.output} value={resultText(whole, report?.totals.batch ?? 0)} />
          </dl>
        </Section>
      )}
      <Problems problems={problems} />
    </>
  );
}

/** The form of what is returned, or of one case of it: one value, or several that are added, named and removed. */
function OutputForms({ place, output, at }: { place: Place; output: Value; at: Path }) {
  const t = useText().editor;
  const { forms } = t.inspector;
  const form = outputForm(output);
  const parts = outputParts(output);
  const put = (change: (it: Doc) => Doc) => apply(({ editor: t }) => t.steps.set(t.node.output), change);
  return (
    <>
      <SegmentedControl
        size="xs"
        fullWidth
        value={form}
        onChange={(next) => {
          put((it) => setOutputForm(it, place.block, next as OutputForm, at));
          const lost = next === "single" ? lostBySingle(output) : 0;
          if (lost > 0) toast(t.inspector.outputsLost(lost), t.inspector.outputsLostHint);
        }}
        // Lists come from code that was read; a new one is hardly ever wanted.
        data={[...FORMS, ...(form === "list" ? [form] : [])].map((value) => ({ value, label: forms[value] }))}
        aria-label={t.inspector.returns}
      />
      {form !== "single" && (
        <>
          {parts.map(({ name }, index) => (
            <Group key={name} gap={6} wrap="nowrap" align="flex-end">
              <div style={{ flex: 1 }}>
                {form === "dict" ? (
                  <NameField
                    label={t.inspector.key}
                    value={name}
                    refuse={(next) =>
                      next === "" ? t.names.invalid : parts.some((part) => part.name === next) ? t.names.taken : null
                    }
                    onRename={(next) => put((it) => renameOutput(it, place.block, name, next, at))}
                  />
                ) : (
                  <Text size="sm" ff="var(--ll-mono)">
                    [{index}]
                  </Text>
                )}
              </div>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t.items.remove(name)}
                onClick={() => put((it) => removeOutput(it, place.block, index, at))}
              >
                <Trash2 size={14} aria-hidden />
              </ActionIcon>
            </Group>
          ))}
          <Button
            size="xs"
            variant="light"
            leftSection={<Plus size={14} aria-hidden />}
            onClick={() => put((it) => addOutput(it, place.block, null, at))}
          >
            {t.inspector.addOutput}
          </Button>
        </>
      )}
    </>
  );
}
