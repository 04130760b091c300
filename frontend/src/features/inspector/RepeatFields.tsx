import { Button, Group, NumberInput } from "@mantine/core";
import { Repeat2 } from "lucide-react";
import { useText } from "@/i18n";
import { memberAt } from "@/model/members";
import { nameFault } from "@/model/names";
import {
  canRepeat,
  canStop,
  countOf,
  countText,
  renameVariable,
  repeatedPath,
  repeatItem,
  setOver,
  stopRepeat,
} from "@/model/repeat";
import type { Place } from "@/model/report";
import { apply, useDoc } from "@/model/store";
import type { Block, Repeat } from "@/model/types";
import { useView } from "@/model/view";
import { NameField } from "./NameField";

/** How often an item of a container is built: a count, or a value for each element of an expression. */
export function RepeatFields({ place, path }: { place: Place; path: string }) {
  const t = useText().editor;
  const block = useDoc().blocks[place.block] as Block;
  const member = memberAt(block, path);
  if (member?.kind === "repeat") return <Fields place={place} path={path} repeat={member} />;
  if (!canRepeat(block, path)) return null;
  return (
    <Button
      size="xs"
      variant="light"
      leftSection={<Repeat2 size={14} aria-hidden />}
      onClick={() => {
        apply(t.steps.set(t.inspector.repeat), (doc) => repeatItem(doc, place.block, path, 2));
        useView.setState({ item: repeatedPath(block, path) });
      }}
      data-testid="repeat"
    >
      {t.inspector.repeat}
    </Button>
  );
}

function Fields({ place, path, repeat }: { place: Place; path: string; repeat: Repeat }) {
  const t = useText().editor;
  const count = countOf(repeat);
  const over = (text: string) =>
    apply(t.steps.set(t.inspector.repeat), (doc) => setOver(doc, place.block, path, text), `${path}.over`);
  return (
    <>
      {count !== null && (
        <NumberInput
          size="xs"
          label={t.inspector.repeatTimes}
          value={count}
          min={1}
          max={1000}
          allowDecimal={false}
          onChange={(value) => typeof value === "number" && value >= 1 && over(countText(value))}
          data-testid="repeat-times"
        />
      )}
      <Group gap="xs" grow align="flex-start">
        {repeat.variables.map((variable) => (
          <NameField
            key={variable}
            label={t.inspector.repeatFor}
            value={variable}
            refuse={(next) => {
              const wrong = nameFault(next);
              return wrong ? t.names[wrong] : repeat.variables.includes(next) ? t.names.taken : null;
            }}
            onRename={(next) =>
              apply(t.steps.rename(variable, next), (doc) => renameVariable(doc, place.block, path, variable, next))
            }
          />
        ))}
        <NameField
          label={t.inspector.repeatIn}
          value={repeat.over.$expr}
          refuse={(next) => (next.trim() ? null : t.inspector.repeatEmpty)}
          onRename={over}
          testId="repeat-over"
        />
      </Group>
      {canStop(repeat) && (
        <Button
          size="xs"
          variant="light"
          onClick={() => {
            apply(t.steps.set(t.inspector.repeat), (doc) => stopRepeat(doc, place.block, path));
            useView.setState({ item: null });
          }}
        >
          {t.inspector.repeatStop}
        </Button>
      )}
    </>
  );
}
