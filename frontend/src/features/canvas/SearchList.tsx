import { ScrollArea, TextInput } from "@mantine/core";
import { Search } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { NoHits } from "@/ui/States";
import styles from "./SearchList.module.css";

export type Choice = {
  id: string;
  label: ReactNode;
  /** Tells apart what has the same label. */
  from?: string;
  hint?: ReactNode;
  colour?: string;
  /** What it does; or the beginning of another search, which it puts into the field. */
  run: (() => void) | string;
};

/** A field and what it finds, worked by arrow keys and Enter. An input method's composition is left alone. */
export function SearchList(props: {
  label: string;
  placeholder: string;
  nothing: string | ((query: string) => string);
  find: (query: string) => Choice[];
  onClose: () => void;
  testId: string;
  height?: number;
}) {
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const choices = props.find(query);
  const chosen = choices[Math.min(active, choices.length - 1)];

  useEffect(() => {
    list.current?.querySelector(`[data-index="${active}"]`)?.scrollIntoView({ block: "nearest" });
  }, [active]);

  const take = ({ run }: Choice) => {
    if (typeof run === "function") return run();
    setQuery(run);
    setActive(0);
    field.current?.focus();
  };

  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape") props.onClose();
    else if (event.key === "Enter") chosen && take(chosen);
    else if (event.key === "ArrowDown") setActive((at) => Math.min(at + 1, choices.length - 1));
    else if (event.key === "ArrowUp") setActive((at) => Math.max(at - 1, 0));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div className={styles.root} data-testid={props.testId} data-search>
      <TextInput
        ref={field}
        aria-label={props.label}
        placeholder={props.placeholder}
        leftSection={<Search size={15} aria-hidden />}
        value={query}
        onChange={(event) => {
          setQuery(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        data-autofocus
        autoFocus
        variant="unstyled"
        className={styles.field}
        role="combobox"
        aria-expanded
        aria-controls={`${id}-list`}
        aria-activedescendant={chosen ? `${id}-${chosen.id}` : undefined}
        autoComplete="off"
        spellCheck={false}
      />
      <ScrollArea.Autosize mah={props.height ?? 320} type="auto" scrollbars="y" viewportRef={list}>
        <div role="listbox" id={`${id}-list`} aria-label={props.label} className={styles.list}>
          {choices.map((choice, index) => (
            <div
              key={choice.id}
              id={`${id}-${choice.id}`}
              role="option"
              tabIndex={-1}
              aria-selected={choice === chosen}
              data-index={index}
              data-choice={choice.id}
              className={styles.choice}
              onPointerMove={() => setActive(index)}
              onClick={() => take(choice)}
              onKeyDown={(event) => event.key === "Enter" && take(choice)}
            >
              {choice.colour && <span className={styles.dot} style={{ background: choice.colour }} />}
              <span className={styles.label}>
                {choice.label}
                {choice.from && <span className={styles.from}>{choice.from}</span>}
              </span>
              {choice.hint && <span className={styles.hint}>{choice.hint}</span>}
            </div>
          ))}
        </div>
        {choices.length === 0 && (
          <NoHits onClear={() => setQuery("")}>
            {typeof props.nothing === "string" ? props.nothing : props.nothing(query)}
          </NoHits>
        )}
      </ScrollArea.Autosize>
    </div>
  );
}
