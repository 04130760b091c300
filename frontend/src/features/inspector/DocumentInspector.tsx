import { ActionIcon, Button, Group, Select, Textarea, TextInput } from "@mantine/core";
import { Plus, SlidersHorizontal, Trash2 } from "lucide-react";
import type { Report } from "@/api/types";
import { formatValue, ParameterField } from "@/features/forms";
import { useText } from "@/i18n";
import { bytes, compactCount } from "@/lib/format";
import { renameBlock, renameDocument } from "@/model/edit";
import { changeBlock } from "@/model/graph";
import { isName, unique } from "@/model/names";
import type { Place } from "@/model/report";
import { apply, useDoc } from "@/model/store";
import type { Block } from "@/model/types";
import { useView } from "@/model/view";
import styles from "./Inspector.module.css";
import { NameField } from "./NameField";
import { Fact, Head, perSample, Section } from "./parts";
import { blockSpecs } from "./specs";

type Argument = Block["arguments"][number];
const TYPES: Argument["type"][] = ["int", "float", "bool", "str", "list[int]", "list[float]", "list[str]"];

/** What is shown while nothing is selected: the network as a whole, and the block's class. */
export function DocumentInspector({ place, report }: { place: Place; report: Report | null }) {
  const t = useText().editor;
  const doc = useDoc();
  const outermost = place.block === doc.main;
  return (
    <>
      <Head title={outermost ? doc.name || doc.main : place.block} subtitle={`class ${place.block}(nn.Module)`} />
      {outermost && (
        <Section>
          <TextInput
            size="xs"
            label={t.inspector.network}
            value={doc.name}
            onChange={(event) => {
              const { value } = event.currentTarget;
              apply(t.steps.rename(doc.name, value), (it) => renameDocument(it, value.slice(0, 200)), "document.name");
            }}
            data-testid="document-name"
          />
        </Section>
      )}
      <Section title={t.inspector.classTitle}>
        <NameField
          key={place.block}
          label={t.inspector.className}
          value={place.block}
          refuse={(name) => (!isName(name) ? t.names.invalid : doc.blocks[name] ? t.names.taken : null)}
          onRename={(name) => {
            apply(t.steps.rename(place.block, name), (it) => renameBlock(it, place.block, name));
            useView.setState((state) => ({
              trail: state.trail.map((at) => (at.block === place.block ? { ...at, block: name } : at)),
            }));
          }}
          testId="class-name"
        />
        <Textarea
          size="xs"
          label={t.inspector.docstring}
          autosize
          minRows={1}
          maxRows={5}
          value={doc.blocks[place.block]?.doc ?? ""}
          onChange={(event) => {
            const { value } = event.currentTarget;
            apply(
              t.steps.set("doc"),
              (it) => changeBlock(it, place.block, (block) => ({ ...block, doc: value })),
              "block.doc",
            );
          }}
        />
      </Section>
      {!outermost && <ArgumentList place={place} />}
      {report && outermost && (
        <Section title={t.inspector.totals}>
          <dl className={styles.facts}>
            <Fact name={t.inspector.parameters} value={report.totals.parameters.toLocaleString("en-US")} />
            <Fact name={t.inspector.trainable} value={report.totals.trainable.toLocaleString("en-US")} />
            <Fact name={t.inspector.size} value={bytes(report.totals.parameter_bytes)} />
            <Fact name={t.inspector.flops} value={compactCount(perSample(report.totals.flops, report.totals.batch))} />
            <Fact
              name={t.inspector.memory}
              value={bytes(perSample(report.totals.activation_bytes, report.totals.batch))}
            />
          </dl>
        </Section>
      )}
      {outermost && (
        <Section title={t.init.title}>
          <p className={styles.summary}>{t.rules.teaser}</p>
          <Button
            size="xs"
            variant="light"
            leftSection={<SlidersHorizontal size={14} aria-hidden />}
            onClick={() => useView.setState({ tab: "rules", bottomOpen: true })}
          >
            {t.rules.open(doc.init.length)}
          </Button>
        </Section>
      )}
    </>
  );
}

/** Constructor arguments of a block, which its members' expressions use. */
function ArgumentList({ place }: { place: Place }) {
  const t = useText().editor;
  const block = useDoc().blocks[place.block] as Block;
  const specs = blockSpecs(block);
  const put = (list: Argument[], key: string) =>
    apply(
      t.steps.set(key),
      (doc) => changeBlock(doc, place.block, (it) => ({ ...it, arguments: list })),
      `arguments.${key}`,
    );
  const change = (index: number, part: Partial<Argument>) =>
    put(
      block.arguments.map((argument, at) => (at === index ? { ...argument, ...part } : argument)),
      String(index),
    );
  return (
    <Section title={t.inspector.blockArguments}>
      {block.arguments.map((argument, index) => {
        const spec = specs[index];
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: an argument's name changes while it is typed
          <div key={index} className={styles.initArguments}>
            <Group gap={6} wrap="nowrap" align="flex-end">
              <NameField
                label={t.inspector.name}
                value={argument.name}
                refuse={(name) =>
                  isName(name)
                    ? block.arguments.some((it) => it.name === name)
                      ? t.names.taken
                      : null
                    : t.names.invalid
                }
                onRename={(name) => change(index, { name })}
              />
              <Select
                size="xs"
                aria-label={t.inspector.type}
                data={TYPES}
                value={argument.type}
                onChange={(type) => type && change(index, { type: type as Argument["type"], default: null })}
              />
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t.items.remove(argument.name)}
                onClick={() =>
                  put(
                    block.arguments.filter((_, at) => at !== index),
                    "remove",
                  )
                }
              >
                <Trash2 size={14} aria-hidden />
              </ActionIcon>
            </Group>
            {spec && (
              <ParameterField
                spec={{ ...spec, name: t.inspector.defaultValue, required: true, doc: formatValue(argument.default) }}
                value={argument.default}
                onChange={(value) => change(index, { default: value ?? null })}
              />
            )}
          </div>
        );
      })}
      <Button
        size="xs"
        variant="light"
        leftSection={<Plus size={14} aria-hidden />}
        onClick={() =>
          put(
            [
              ...block.arguments,
              {
                name: unique("width", new Set(block.arguments.map((it) => it.name))),
                type: "int",
                default: 1,
                required: false,
              },
            ],
            "add",
          )
        }
      >
        {t.inspector.addArgument}
      </Button>
    </Section>
  );
}
