import { useText } from "@/i18n";

export function EditorPage() {
  return <h1>{useText().editor.title}</h1>;
}
