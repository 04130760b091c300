/** How Python code is shown, to read or to write. */
import { python } from "@codemirror/lang-python";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

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

/** Line numbers, colours and fonts. */
export const pythonLook: Extension = [lineNumbers(), python(), syntaxHighlighting(colours), look];
