import { Button } from "@mantine/core";
import { Replace } from "lucide-react";
import { useText } from "@/i18n";
import { type Opaque, withOwnBlock } from "@/model/opaque";
import type { Place } from "@/model/report";
import { shapeText } from "@/model/report";
import { apply, currentDoc } from "@/model/store";
import styles from "./Inspector.module.css";
import { Fact, Section } from "./parts";

/** What is known of a module that could not be opened, and the way out: a block of one's own in its place. */
export function OpaqueFields({ place, path, member }: { place: Place; path: string; member: Opaque }) {
  const t = useText().editor;
  const tensors = Object.entries(member.tensors);
  const replace = () => {
    const made = withOwnBlock(currentDoc(), place.block, path);
    if (made)
      apply(
        ({ editor: t }) => t.steps.replace(member.name),
        () => made.doc,
      );
  };
  return (
    <>
      <Section title={t.inspector.closed}>
        <p className={styles.summary} data-testid="opaque-note">
          {member.note || t.structure.opaque.summary}
        </p>
        <Button size="xs" variant="light" leftSection={<Replace size={14} aria-hidden />} onClick={replace}>
          {t.inspector.replaceByBlock}
        </Button>
      </Section>
      {tensors.length > 0 && (
        <Section title={t.inspector.tensors(tensors.length)}>
          <dl className={styles.facts} data-testid="opaque-tensors">
            {tensors.map(([name, tensor]) => (
              <Fact
                key={name}
                name={name}
                value={`${shapeText(tensor.shape, [], 0) || "1"}${tensor.dtype === "float32" ? "" : ` ${tensor.dtype}`}`}
              />
            ))}
          </dl>
        </Section>
      )}
    </>
  );
}
