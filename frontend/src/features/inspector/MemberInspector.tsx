import { Button } from "@mantine/core";
import { ArrowLeft, FolderOpen, Ungroup } from "lucide-react";
import type { ParameterSpec, Problem, Report } from "@/api/types";
import { useLookup } from "@/features/canvas/catalogue";
import { categoryColour, memberCategory } from "@/features/canvas/categories";
import { commands, openSelected } from "@/features/canvas/commands";
import { useKindName } from "@/features/canvas/kinds";
import { ParameterField } from "@/features/forms";
import { Strip, windowOf } from "@/features/help/Strip";
import { useText } from "@/i18n";
import { renameMember, renameRefused } from "@/model/arrange";
import { setKey } from "@/model/choose";
import { setInit, setMemberArgument, updateMember } from "@/model/edit";
import { setArgument } from "@/model/graph";
import { bare, isContainer, kindOf, lastOf, memberAt, parentOf } from "@/model/members";
import { namesAt } from "@/model/repeat";
import { nodeReport, type Place, qualified } from "@/model/report";
import { callersOf } from "@/model/sharing";
import { apply, useDoc } from "@/model/store";
import type { Block, Doc, GraphNode, Item, Member, Value } from "@/model/types";
import { useView } from "@/model/view";
import { InitFields } from "./InitFields";
import styles from "./Inspector.module.css";
import { ItemsEditor } from "./ItemsEditor";
import { NameField } from "./NameField";
import { OpaqueFields } from "./OpaqueFields";
import { Facts, Head, Problems, Section, useArgumentErrors } from "./parts";
import { RepeatFields } from "./RepeatFields";
import { ShapeField } from "./ShapeField";
import { DetachButton, SharedFields } from "./SharedFields";
import { blockSpecs, dtypeSpec, fillSpec, keySpec, persistentSpec, trainsSpec } from "./specs";
import { CaseFields, useSourceName, WhenField } from "./WhenFields";

type Props = { place: Place; path: string; node: GraphNode | null; report: Report | null };

/** The form of a member: its name, its arguments as the catalogue describes them, its initializers, and its shapes. */
export function MemberInspector({ place, path, node, report }: Props) {
  const t = useText().editor;
  const doc = useDoc();
  const lookup = useLookup();
  const kindName = useKindName();
  const block = doc.blocks[place.block] as Block;
  const written = memberAt(block, path);
  if (!written) return <Head title={path} />;
  const member = bare(written);
  const entry = member.kind === "layer" ? lookup(member.target) : undefined;
  const view = entry && member.kind === "layer" ? windowOf(entry.parameters, member.arguments) : null;
  const module = qualified(place.instance, path);
  const problems = problemsOf(report, place, path, node);
  const category = entry?.category ?? memberCategory(member);
  const found = report?.modules[module];
  // A list or dict is never called itself: what its node gives is what its items gave.
  const called = (node && nodeReport(report, place, node.id)) ?? found;
  return (
    <>
      <Head
        title={entry?.label ?? kindName(kindOf(member))}
        subtitle={member.kind === "layer" ? member.target : member.kind === "opaque" ? member.type : undefined}
        colour={categoryColour(category)}
        link={entry?.link}
        help={entry && member.kind === "layer" ? { name: entry.name, arguments: member.arguments } : undefined}
        back={path.includes(".") && memberAt(block, parentOf(path)) && <BackToContainer block={block} path={path} />}
      />
      <Section>
        <MemberName place={place} path={path} />
        <RepeatFields place={place} path={path} />
        {member.kind === "block" && (
          <Button size="xs" variant="light" leftSection={<FolderOpen size={14} aria-hidden />} onClick={openSelected}>
            {t.inspector.openBlock(member.block)}
          </Button>
        )}
        {member.kind === "block" && callersOf(block, path).length < 2 && (
          <DetachButton label={t.inspector.ownClass(member.block)} />
        )}
        {node && <WhenField place={place} node={node} />}
      </Section>
      {member.kind === "opaque" && <OpaqueFields place={place} path={path} member={member} />}
      {node && <CaseFields place={place} node={node} elsewhere={entry?.options ?? []} />}
      <SharedFields place={place} path={path} report={report} />
      {isContainer(member) && !member.kind.startsWith("parameter") && (
        <Section title={t.inspector.items(member.items.length)} action={<UngroupButton />}>
          <ItemsEditor block={place.block} path={path} container={member} />
        </Section>
      )}
      <ArgumentFields
        place={place}
        path={path}
        doc={doc}
        member={member}
        specs={entry?.parameters ?? []}
        report={report}
        problems={problems}
      />
      {node?.op === "choose" && isContainer(member) && <KeyField place={place} node={node} items={member.items} />}
      {node && (node.op === "call" || node.op === "loop") && entry && (
        <CallOptions place={place} node={node} specs={entry.options} />
      )}
      {member.kind === "layer" && entry && entry.tensors.length > 0 && (
        <Section title={t.init.title}>
          {entry.tensors.map((tensor) => (
            <InitOf key={tensor} place={place} path={path} member={member} tensor={tensor} />
          ))}
        </Section>
      )}
      {member.kind === "parameter" && (
        <Section title={t.init.title}>
          <InitOf place={place} path={path} member={member} tensor="*" label={member.name} />
        </Section>
      )}
      {called && (
        <Section title={t.inspector.shapes}>
          <Facts
            inputs={called.inputs}
            output={called.output}
            parameters={found?.parameters ?? called.parameters}
            flops={called.flops}
            memory={called.activation_bytes}
            batch={report?.totals.batch ?? 0}
          />
        </Section>
      )}
      {entry?.summary && (
        <Section>
          <p className={`${styles.summary} ${styles.clamp}`} title={entry.summary} lang="en">
            {entry.summary}
          </p>
          {view && <Strip window={view} />}
        </Section>
      )}
      <Problems problems={problems} />
    </>
  );
}

function problemsOf(report: Report | null, place: Place, path: string, node: GraphNode | null): Problem[] {
  return (report?.problems ?? []).filter(
    (problem) =>
      problem.block === place.block &&
      (problem.instance === null || problem.instance === place.instance) &&
      (problem.member === path || (node !== null && problem.node === node.id && !useView.getState().item)),
  );
}

/** To the container that holds the item: the box that is selected, or a list or dict that has no node of its own. */
function BackToContainer({ block, path }: { block: Block; path: string }) {
  const selection = useView((state) => state.selection);
  const parent = parentOf(path);
  const isBox = block.forward.nodes.some((node) => selection.has(node.id) && node.target === parent);
  return (
    <button type="button" className={styles.back} onClick={() => useView.setState({ item: isBox ? null : parent })}>
      <ArrowLeft size={12} aria-hidden />
      {parent}
    </button>
  );
}

function UngroupButton() {
  const t = useText().editor;
  const command = commands(t).find((it) => it.id === "ungroup");
  if (!command?.enabled()) return null;
  return (
    <Button
      size="compact-xs"
      variant="subtle"
      leftSection={<Ungroup size={13} aria-hidden />}
      onClick={() => void command.run()}
    >
      {t.commands.ungroup}
    </Button>
  );
}

function MemberName({ place, path }: { place: Place; path: string }) {
  const t = useText().editor;
  const block = useDoc().blocks[place.block] as Block;
  const direct = block.members.some((member) => member.name === path);
  const name = direct ? path : lastOf(path);
  const counted = renameRefused(block, path, "__free__") === "counted";
  const repeated = memberAt(block, path)?.kind === "repeat";
  const rename = (next: string) => {
    apply(
      ({ editor: t }) => t.steps.rename(name, next),
      (doc) => renameMember(doc, place.block, path, next),
    );
    const { item } = useView.getState();
    if (item === path) useView.setState({ item: path.slice(0, path.length - name.length) + next });
  };
  return (
    <NameField
      label={t.inspector.name}
      value={repeated ? bare(memberAt(block, path) as Item).name : name}
      disabled={counted || repeated}
      {...(counted && !repeated ? { hint: t.names.counted } : {})}
      refuse={(next) => {
        const why = renameRefused(block, path, next);
        return why && t.names[why];
      }}
      onRename={rename}
      testId="member-name"
    />
  );
}

function ArgumentFields(props: {
  place: Place;
  path: string;
  doc: Doc;
  member: Member | Exclude<Item, { kind: "repeat" }>;
  specs: ParameterSpec[];
  report: Report | null;
  problems: Problem[];
}) {
  const t = useText().editor;
  const errorOf = useArgumentErrors(props.problems);
  const { place, path, member } = props;
  const specs = member.kind === "block" ? blockSpecs(props.doc.blocks[member.block]) : props.specs;
  if (member.kind === "parameter" || member.kind === "buffer")
    return <TensorFields place={place} path={path} member={member} error={errorOf("shape")} />;
  if (!("arguments" in member) || specs.length === 0) return null;
  const expressions = (props.doc.blocks[place.block]?.arguments.length ?? 0) > 0;
  const module = qualified(place.instance, path);
  return (
    <Section title={t.inspector.arguments}>
      {specs.map((spec) => (
        <ParameterField
          key={`${path}.${spec.name}`}
          spec={spec}
          value={member.arguments[spec.name]}
          expressions={expressions}
          resolved={props.report?.autos[`${module}.${spec.name}`]}
          error={errorOf(spec.name)}
          onChange={(value) =>
            apply(
              ({ editor: t }) => t.steps.set(spec.name),
              (doc) => setMemberArgument(doc, place.block, path, spec.name, value),
              `${path}.${spec.name}`,
            )
          }
        />
      ))}
    </Section>
  );
}

type Tensor = Extract<Member, { kind: "parameter" | "buffer" }>;

function TensorFields(props: { place: Place; path: string; member: Tensor; error: string | undefined }) {
  const t = useText().editor;
  const { place, path, member, error } = props;
  const block = useDoc().blocks[place.block] as Block;
  const set = (change: Partial<Tensor>, name: string) =>
    apply(
      ({ editor: t }) => t.steps.set(name),
      (doc) => updateMember(doc, place.block, path, (it) => ({ ...it, ...change }) as Member),
      `${path}.${name}`,
    );
  const dtype = (value: Value | undefined): string =>
    typeof value === "object" && value !== null && "$dtype" in value ? value.$dtype : "float32";
  return (
    <Section title={t.inspector.arguments}>
      <ShapeField
        value={member.shape}
        names={namesAt(block, path)}
        error={error}
        onChange={(shape) => set({ shape }, "shape")}
        testId="tensor-shape"
      />
      <ParameterField
        spec={dtypeSpec}
        value={{ $dtype: member.dtype }}
        onChange={(value) => set({ dtype: dtype(value) }, "dtype")}
      />
      {member.kind === "parameter" ? (
        <ParameterField
          spec={trainsSpec}
          value={member.requires_grad}
          onChange={(value) => set({ requires_grad: value !== false }, "requires_grad")}
        />
      ) : (
        <>
          <FillField value={member.fill} onChange={(fill) => set({ fill }, "fill")} />
          <ParameterField
            spec={persistentSpec}
            value={member.persistent}
            onChange={(value) => set({ persistent: value !== false }, "persistent")}
          />
        </>
      )}
    </Section>
  );
}

type Fill = Extract<Member, { kind: "buffer" }>["fill"];

/** What a buffer begins with. Numbers that came packed with the document are too many to be edited as text. */
function FillField({ value, onChange }: { value: Fill; onChange: (value: Value) => void }) {
  const t = useText().editor.inspector;
  const packed = typeof value === "object" && value !== null && "$packed" in value;
  if (!packed) return <ParameterField spec={fillSpec} value={value} onChange={(next) => onChange(next ?? 0)} />;
  return (
    <p className={styles.summary} data-testid="packed">
      {t.packed}
    </p>
  );
}

/** Which item a choice takes. */
function KeyField(props: { place: Place; node: Extract<GraphNode, { op: "choose" }>; items: Item[] }) {
  const t = useText().editor;
  const { place, node, items } = props;
  const keys = items.flatMap((item) => (item.kind === "repeat" ? [] : [item.name]));
  return (
    <Section title={t.inspector.choice}>
      <ParameterField
        spec={keySpec(keys, t.inspector.choiceHint)}
        value={node.key}
        expressions={(useDoc().blocks[place.block]?.arguments.length ?? 0) > 0}
        onChange={(value) =>
          apply(
            ({ editor: t }) => t.steps.set("key"),
            (doc) => setKey(doc, place.block, node.id, value ?? null),
            `${node.id}.key`,
          )
        }
      />
    </Section>
  );
}

/** What the call takes beside tensors. */
function CallOptions({
  place,
  node,
  specs,
}: {
  place: Place;
  node: Extract<GraphNode, { op: "call" | "loop" }>;
  specs: ParameterSpec[];
}) {
  const t = useText().editor;
  const sourceName = useSourceName(place);
  if (specs.length === 0) return null;
  return (
    <Section title={t.inspector.options}>
      {specs.map((spec) => (
        <ParameterField
          key={`${node.id}.${spec.name}`}
          spec={spec}
          value={node.arguments[spec.name]}
          cases
          sourceName={sourceName}
          onChange={(value) =>
            apply(
              ({ editor: t }) => t.steps.set(spec.name),
              (doc) => setArgument(doc, place.block, node.id, spec.name, value),
              `${node.id}.${spec.name}`,
            )
          }
        />
      ))}
    </Section>
  );
}

function InitOf(props: {
  place: Place;
  path: string;
  member: Extract<Member, { init: unknown }>;
  tensor: string;
  label?: string;
}) {
  const { place, path, member, tensor } = props;
  const statement = member.init.find((it) => it.parameter === tensor);
  return (
    <InitFields
      label={props.label ?? tensor}
      value={statement ? { function: statement.function, arguments: statement.arguments } : null}
      optional
      testId={`init-${props.label ?? tensor}`}
      onChange={(value) =>
        apply(
          ({ editor: t }) => t.steps.init(props.label ?? tensor),
          (doc) => setInit(doc, place.block, path, tensor, value),
          `${path}.init.${tensor}`,
        )
      }
    />
  );
}
