import { python } from "@codemirror/lang-python";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--cat-violet)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--cat-green)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--cat-orange)" },
  { tag: [tags.comment, tags.docString], color: "var(--ll-dim)" },
  { tag: [tags.definition(tags.className), tags.className], color: "var(--cat-blue)", fontWeight: "600" },
  { tag: [tags.function(tags.definition(tags.variableName))], color: "var(--cat-blue)" },
  { tag: tags.self, color: "var(--cat-pink)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", fontSize: "12.5px", backgroundColor: "transparent", color: "var(--ll-text)" },
  ".cm-scroller": { fontFamily: "var(--ll-mono)", lineHeight: "1.55" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--ll-dim)", border: "none" },
  "&.cm-focused": { outline: "none" },
});

/** Python to read, select and copy from. */
export function PythonView({ source, label }: { source: string; label: string }) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);

  useEffect(() => {
    if (!host.current) return;
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        extensions: [
          lineNumbers(),
          python(),
          syntaxHighlighting(colours),
          look,
          EditorState.readOnly.of(true),
          EditorView.editable.of(false),
          EditorView.contentAttributes.of({ "aria-label": label, "aria-readonly": "true", tabindex: "0" }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [label]);

  // After every drawing, because a new label makes a new, empty editor.
  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === source) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: source } });
  });

  return <div ref={host} style={{ height: "100%", minHeight: 0 }} data-testid="python" />;
}
