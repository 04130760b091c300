import type { Report } from "@/api/types";
import { useLookup } from "@/features/canvas/catalogue";
import { categoryColour } from "@/features/canvas/categories";
import { ParameterField } from "@/features/forms";
import { useText } from "@/i18n";
import { setArgument } from "@/model/graph";
import { lastOf } from "@/model/members";
import { nodeReport, type Place, problemsHere } from "@/model/report";
import { apply, useDoc } from "@/model/store";
import type { GraphNode } from "@/model/types";
import { isIf, refsIn } from "@/model/values";
import styles from "./Inspector.module.css";
import { Facts, Head, Problems, Section, useArgumentErrors } from "./parts";
import { CaseFields, useSourceName, WhenField } from "./WhenFields";

/** The form of an operation: the arguments that are not connected. */
export function FunctionInspector(props: {
  place: Place;
  node: Extract<GraphNode, { op: "function" }>;
  report: Report | null;
}) {
  const t = useText().editor;
  const { place, node, report } = props;
  const entry = useLookup()(node.target);
  const expressions = (useDoc().blocks[place.block]?.arguments.length ?? 0) > 0;
  const problems = problemsHere(report, place).filter((problem) => problem.node === node.id);
  const errorOf = useArgumentErrors(problems);
  const ports = new Set(entry?.inputs.map((port) => port.name));
  const connected = (name: string) =>
    node.arguments[name] !== undefined && refsIn(node.arguments[name] ?? null).length > 0;
  const specs =
    entry?.parameters.filter(
      (spec) =>
        isIf(node.arguments[spec.name]) ||
        (!connected(spec.name) && !(ports.has(spec.name) && spec.kinds[0] === "tensor" && spec.kinds.length === 1)),
    ) ?? [];
  const sourceName = useSourceName(place);
  const found = nodeReport(report, place, node.id);
  return (
    <>
      <Head
        title={entry?.label ?? lastOf(node.target)}
        subtitle={node.target}
        colour={categoryColour(entry?.category ?? "shape")}
        link={entry?.link}
        help={entry && { name: entry.name, arguments: node.arguments }}
      />
      <Section>
        <WhenField place={place} node={node} />
      </Section>
      {specs.length > 0 && (
        <Section title={t.inspector.arguments}>
          {specs.map((spec) => (
            <ParameterField
              key={`${node.id}.${spec.name}`}
              spec={spec}
              value={node.arguments[spec.name]}
              expressions={expressions}
              cases
              sourceName={sourceName}
              error={errorOf(spec.name)}
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
      )}
      <CaseFields place={place} node={node} elsewhere={specs} />
      {found && (
        <Section title={t.inspector.shapes}>
          <Facts
            inputs={found.inputs}
            output={found.output}
            flops={found.flops}
            memory={found.activation_bytes}
            batch={report?.totals.batch ?? 0}
          />
        </Section>
      )}
      {entry?.summary && (
        <Section>
          <p className={`${styles.summary} ${styles.clamp}`} title={entry.summary} lang="en">
            {entry.summary}
          </p>
        </Section>
      )}
      <Problems problems={problems} />
    </>
  );
}
