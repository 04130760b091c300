import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { pythonLook } from "./pythonLook";

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
          pythonLook,
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
