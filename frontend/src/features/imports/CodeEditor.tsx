import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, keymap, placeholder } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { pythonLook } from "@/features/code/pythonLook";

const setWrong = StateEffect.define<number | null>();
const wrongLine = Decoration.line({ class: "cm-wrong", attributes: { "data-wrong": "true" } });

/** The line that a problem names; it goes when the text changes. */
const wrong = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let now = transaction.docChanged ? Decoration.none : marks;
    for (const effect of transaction.effects) {
      if (!effect.is(setWrong)) continue;
      const { doc } = transaction.state;
      const at = effect.value !== null && effect.value <= doc.lines ? doc.line(Math.max(1, effect.value)).from : null;
      now = at === null ? Decoration.none : Decoration.set([wrongLine.range(at)]);
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const look = EditorView.theme({
  ".cm-wrong": { backgroundColor: "var(--ll-bad-soft)", boxShadow: "inset 3px 0 0 var(--ll-bad)" },
  ".cm-placeholder": { color: "var(--ll-dim)" },
  ".cm-content": { caretColor: "var(--ll-text)" },
  ".cm-cursor": { borderLeftColor: "var(--ll-text)" },
});

type Props = {
  value: string;
  onChange: (text: string) => void;
  /** The line that is marked as wrong. */
  line: number | null;
  /** Counts up when that line is to be brought into view. */
  shown: number;
  label: string;
  hint: string;
};

/** Python to write or paste. Tab leaves it, as it leaves every field. */
export function CodeEditor({ value, onChange, line, shown, label, hint }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const changed = useRef(onChange);
  changed.current = onChange;

  useEffect(() => {
    if (!host.current) return;
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        extensions: [
          pythonLook,
          look,
          wrong,
          history(),
          placeholder(hint),
          keymap.of([...defaultKeymap, ...historyKeymap]),
          EditorState.tabSize.of(4),
          EditorView.contentAttributes.of({ "aria-label": label, "data-autofocus": "true" }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed.current(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    editor.focus();
    return () => editor.destroy();
  }, [label, hint]);

  // After every drawing, because a new label makes a new, empty editor.
  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  });

  useEffect(() => {
    view.current?.dispatch({ effects: setWrong.of(line) });
  }, [line]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each request to see the line counts
  useEffect(() => {
    const editor = view.current;
    if (!editor || line === null || shown === 0 || line > editor.state.doc.lines) return;
    const { from } = editor.state.doc.line(Math.max(1, line));
    editor.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
    editor.focus();
  }, [shown]);

  return <div ref={host} style={{ height: "100%", minHeight: 0 }} data-testid="code-editor" />;
}
