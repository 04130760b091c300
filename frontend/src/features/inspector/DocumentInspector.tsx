import { ActionIcon, Button, Select, Textarea, TextInput, Tooltip } from "@mantine/core";
import { Plus, SlidersHorizontal, Trash2 } from "lucide-react";
import type { Report } from "@/api/types";
import { formatValue, ParameterField } from "@/features/forms";
import { useText } from "@/i18n";
import { bytes, compactCount } from "@/lib/format";
import {
  type Argument,
  addArgument,
  argumentUses,
  changeArgument,
  removeArgument,
  renameArgument,
} from "@/model/blockArguments";
import { renameBlock, renameDocument } from "@/model/edit";
import { changeBlock } from "@/model/graph";
import { nameFault } from "@/model/names";
import type { Place } from "@/model/report";
import { apply, useDoc } from "@/model/store";
import type { Block, Doc } from "@/model/types";
import { useView } from "@/model/view";
import styles from "./Inspector.module.css";
import { NameField } from "./NameField";
import { Fact, Head, perSample, Section } from "./parts";
import { blockSpecs } from "./specs";

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
              apply(
                ({ editor: t }) => t.steps.rename(doc.name, value),
                (it) => renameDocument(it, value.slice(0, 200)),
                "document.name",
              );
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
          refuse={(name) => {
            const wrong = nameFault(name);
            return wrong ? t.names[wrong] : doc.blocks[name] ? t.names.taken : null;
          }}
          onRename={(name) => {
            apply(
              ({ editor: t }) => t.steps.rename(place.block, name),
              (it) => renameBlock(it, place.block, name),
            );
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
              ({ editor: t }) => t.steps.set("doc"),
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
  const put = (change: (doc: Doc) => Doc, name: string) =>
    apply(({ editor: t }) => t.steps.set(name), change, `arguments.${place.block}.${name}`);
  const change = (name: string, part: Partial<Omit<Argument, "name">>) =>
    put((doc) => changeArgument(doc, place.block, name, part), name);
  return (
    <Section title={t.inspector.blockArguments}>
      {block.arguments.map((argument, index) => {
        const spec = specs[index];
        const { name } = argument;
        const uses = argumentUses(block, name);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: an argument keeps its field when it is renamed
          <div key={index} className={styles.initArguments}>
            <div className={styles.named}>
              <NameField
                label={t.inspector.argumentName}
                value={name}
                refuse={(next) => {
                  const wrong = nameFault(next);
                  if (wrong) return t.names[wrong];
                  return block.arguments.some((it) => it.name === next) ? t.names.taken : null;
                }}
                onRename={(next) =>
                  apply(
                    ({ editor: t }) => t.steps.rename(name, next),
                    (doc) => renameArgument(doc, place.block, name, next),
                  )
                }
              />
              <Tooltip label={uses.length > 0 ? t.inspector.argumentUsed(uses.join(", ")) : t.items.remove(name)}>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={t.items.remove(name)}
                  // Kept in reach of pointer and keyboard, so that the reason can be read.
                  data-disabled={uses.length > 0 || undefined}
                  aria-disabled={uses.length > 0}
                  onClick={() =>
                    apply(
                      ({ editor: t }) => t.steps.remove(name),
                      (doc) => removeArgument(doc, place.block, name),
                    )
                  }
                >
                  <Trash2 size={14} aria-hidden />
                </ActionIcon>
              </Tooltip>
            </div>
            <div className={styles.typed}>
              <Select
                size="xs"
                label={t.inspector.type}
                data={TYPES}
                value={argument.type}
                onChange={(type) => type && change(name, { type: type as Argument["type"], default: null })}
              />
              {spec && (
                <ParameterField
                  spec={{ ...spec, name: t.inspector.defaultValue, required: true, doc: formatValue(argument.default) }}
                  value={argument.default}
                  onChange={(value) => change(name, { default: value ?? null })}
                />
              )}
            </div>
          </div>
        );
      })}
      <Button
        size="xs"
        variant="light"
        leftSection={<Plus size={14} aria-hidden />}
        onClick={() =>
          apply(
            ({ editor: t }) => t.steps.add(t.inspector.blockArguments),
            (doc) => addArgument(doc, place.block),
          )
        }
      >
        {t.inspector.addArgument}
      </Button>
    </Section>
  );
}
