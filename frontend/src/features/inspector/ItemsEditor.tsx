import { ActionIcon, Button, Popover, Tooltip } from "@mantine/core";
import { ArrowDown, ArrowUp, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useLookup } from "@/features/canvas/catalogue";
import { categoryColour, memberCategory } from "@/features/canvas/categories";
import { useKindName } from "@/features/canvas/kinds";
import { SearchList } from "@/features/canvas/SearchList";
import { search } from "@/features/canvas/search";
import { addStep, addThingTo, thingItem } from "@/features/canvas/things";
import { useThings } from "@/features/canvas/useThings";
import { useText } from "@/i18n";
import { moveItem } from "@/model/arrange";
import { bare, itemName, join, memberLabel } from "@/model/members";
import { removeMember } from "@/model/nodes";
import { rearrange } from "@/model/paths";
import { timesText } from "@/model/repeat";
import { reflowed } from "@/model/room";
import { apply } from "@/model/store";
import type { Container, Item } from "@/model/types";
import { useView } from "@/model/view";
import styles from "./Inspector.module.css";

/** A container's items: their order, and coming and going. Each opens its own form. */
export function ItemsEditor({ block, path, container }: { block: string; path: string; container: Container }) {
  const t = useText().editor;
  const lookup = useLookup();
  const kindName = useKindName();
  const look = (item: Item) => {
    const it = bare(item);
    const category = it.kind === "layer" ? lookup(it.target)?.category : memberCategory(it);
    return { label: kindName(memberLabel(item)), colour: categoryColour(category ?? "container") };
  };
  const move = (from: number, to: number) =>
    apply(
      ({ editor: t }) => t.steps.reorder,
      (doc) => rearrange(doc, block, (it) => moveItem(it, path, from, to)),
    );
  return (
    <>
      <ol className={styles.items} data-testid="items">
        {container.items.map((item, index) => {
          const name = itemName(item, index);
          const its = look(item);
          return (
            <li key={name} className={styles.item} style={{ "--cat": its.colour } as React.CSSProperties}>
              <button
                type="button"
                className={styles.itemName}
                onClick={() => useView.setState({ item: join(path, name) })}
              >
                <code>{bare(item).name}</code>
                <span>
                  {its.label}
                  {item.kind === "repeat" && ` × ${timesText(item)}`}
                </span>
              </button>
              <Small label={t.items.up(name)} onClick={() => move(index, index - 1)} disabled={index === 0}>
                <ArrowUp size={13} aria-hidden />
              </Small>
              <Small
                label={t.items.down(name)}
                onClick={() => move(index, index + 1)}
                disabled={index === container.items.length - 1}
              >
                <ArrowDown size={13} aria-hidden />
              </Small>
              <Small
                label={t.items.remove(name)}
                onClick={() =>
                  apply(
                    ({ editor: t }) => t.steps.remove(name),
                    (doc) => reflowed(doc, removeMember(doc, block, join(path, name)), block),
                  )
                }
              >
                <Trash2 size={13} aria-hidden />
              </Small>
            </li>
          );
        })}
      </ol>
      <AddItem block={block} path={path} />
    </>
  );
}

function Small(props: { label: string; onClick: () => void; disabled?: boolean; children: React.ReactNode }) {
  return (
    <Tooltip label={props.label}>
      <ActionIcon
        size="sm"
        variant="subtle"
        color="gray"
        aria-label={props.label}
        onClick={props.onClick}
        disabled={props.disabled ?? false}
      >
        {props.children}
      </ActionIcon>
    </Tooltip>
  );
}

function AddItem({ block, path }: { block: string; path: string }) {
  const t = useText().editor;
  const [opened, setOpened] = useState(false);
  const { layers, structure } = useThings();
  const all = [...layers, ...structure].filter((listed) => thingItem(listed.thing) !== null);
  return (
    <Popover opened={opened} onChange={setOpened} width={280} position="bottom" shadow="md" trapFocus>
      <Popover.Target>
        <Button
          size="xs"
          variant="light"
          leftSection={<Plus size={14} aria-hidden />}
          onClick={() => setOpened(!opened)}
          data-testid="add-item"
        >
          {t.items.add}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p={0}>
        <SearchList
          label={t.items.add}
          placeholder={t.palette.search}
          nothing={t.palette.nothing}
          testId="add-item-search"
          height={260}
          onClose={() => setOpened(false)}
          find={(query) =>
            search(all, query)
              .slice(0, 60)
              .map((listed) => ({
                id: listed.id,
                label: listed.label,
                colour: categoryColour(listed.category),
                run: () => {
                  apply(addStep(listed), (doc) => addThingTo(doc, block, path, listed.thing) ?? doc);
                  setOpened(false);
                },
              }))
          }
        />
      </Popover.Dropdown>
    </Popover>
  );
}
