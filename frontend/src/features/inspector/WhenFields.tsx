import { Button, Select, Tooltip } from "@mantine/core";
import { CornerDownRight } from "lucide-react";
import { useState } from "react";
import type { ParameterSpec } from "@/api/types";
import { ParameterField, whileText } from "@/features/forms";
import { useText } from "@/i18n";
import { bypassed, TRAINING } from "@/model/cases";
import { argumentsOf, nodeAt, setArgument, setWhen } from "@/model/graph";
import { lastOf } from "@/model/members";
import type { Place } from "@/model/report";
import { apply, useDoc } from "@/model/store";
import type { Block, GraphNode } from "@/model/types";
import { isIf, negated } from "@/model/values";
import { NameField } from "./NameField";
import { Section } from "./parts";
import { anySpec } from "./specs";

type Props = { place: Place; node: GraphNode };

const EVALUATION = negated(TRAINING);

/** When a node runs: always, in one of the two manners of a network, or where an expression holds. */
export function WhenField({ place, node }: Props) {
  const t = useText().editor;
  const words = t.conditions;
  const doc = useDoc();
  const [open, setOpen] = useState(false);
  const names = [TRAINING, ...(doc.blocks[place.block] as Block).arguments.map((argument) => argument.name)];
  const given = node.when === null ? "always" : whileText(node.when, words) === null ? "other" : node.when;
  const set = (when: string | null) =>
    when !== node.when &&
    apply(
      ({ editor: t }) => t.steps.set(t.conditions.runs),
      (it) => setWhen(it, place.block, node.id, when),
    );
  return (
    <>
      <Select
        size="xs"
        label={words.runs}
        value={open ? "other" : given}
        allowDeselect={false}
        data={[
          { value: "always", label: words.always },
          ...[TRAINING, EVALUATION].map((test) => ({ value: test, label: whileText(test, words) ?? test })),
          { value: "other", label: words.other },
        ]}
        onChange={(chosen) => {
          setOpen(chosen === "other");
          if (chosen !== "other") set(chosen === "always" ? null : chosen);
        }}
        data-testid="when-select"
      />
      {(open || given === "other") && (
        <NameField
          label={words.test}
          hint={words.testHint(names.join(", "))}
          value={node.when ?? ""}
          refuse={(next) => (next.trim() === "" ? words.testEmpty : null)}
          onRename={(next) => set(next.trim())}
          testId="when-test"
        />
      )}
      {node.when !== null && <BypassButton place={place} node={node} />}
    </>
  );
}

/** Offered while somebody reads what the node gives where it does not run. */
function BypassButton({ place, node }: Props) {
  const t = useText().editor;
  const doc = useDoc();
  if (bypassed(doc, place.block, node.id) === doc) return null;
  return (
    <Tooltip label={t.conditions.bypassHint} multiline w={240}>
      <Button
        size="xs"
        variant="light"
        leftSection={<CornerDownRight size={14} aria-hidden />}
        onClick={() => apply(t.conditions.bypass, (it) => bypassed(it, place.block, node.id))}
        data-testid="bypass"
      >
        {t.conditions.bypass}
      </Button>
    </Tooltip>
  );
}

/** The inputs of a node that are one of two values and have no field elsewhere in its form. */
export function CaseFields({ place, node, elsewhere }: Props & { elsewhere: readonly ParameterSpec[] }) {
  const t = useText().editor;
  const sourceName = useSourceName(place);
  const shown = new Set(elsewhere.map((spec) => spec.name));
  const found = Object.entries(argumentsOf(node)).filter(([name, value]) => isIf(value) && !shown.has(name));
  if (found.length === 0) return null;
  return (
    <Section title={t.conditions.inputs}>
      {found.map(([name, value]) => (
        <ParameterField
          key={`${node.id}.${name}`}
          spec={anySpec(name)}
          value={value}
          sourceName={sourceName}
          onChange={(next) =>
            apply(
              ({ editor: t }) => t.steps.set(name),
              (doc) => setArgument(doc, place.block, node.id, name, next),
              `${node.id}.${name}`,
            )
          }
        />
      ))}
    </Section>
  );
}

/** What a person calls a node or input of the block that is shown. */
export function useSourceName(place: Place): (id: string) => string {
  const doc = useDoc();
  return (id) => {
    const node = nodeAt((doc.blocks[place.block] as Block).forward, id);
    return node?.op === "function" ? lastOf(node.target) : (node?.target ?? id);
  };
}
