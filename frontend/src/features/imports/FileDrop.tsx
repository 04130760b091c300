import { FileDown } from "lucide-react";
import { type DragEvent, type ReactNode, useState } from "react";
import { useText } from "@/i18n";
import styles from "./Imports.module.css";
import { useOpenFile } from "./useOpenFile";

const holdsFile = (event: DragEvent) => event.dataTransfer.types.includes("Files");

/** Files that are dropped here are opened. */
export function FileDrop(props: {
  className?: string | undefined;
  /** What the tour calls this part of the page. */
  tour?: string;
  children: ReactNode;
}) {
  const { className, tour, children } = props;
  const t = useText().imports;
  const openFile = useOpenFile();
  const [over, setOver] = useState(false);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: what can be dropped can be chosen in the project's menu, too
    <div
      className={className}
      data-tour={tour}
      onDragOver={(event) => {
        if (!holdsFile(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        setOver(false);
        const [file] = event.dataTransfer.files;
        if (!file) return;
        event.preventDefault();
        void openFile(file);
      }}
    >
      {children}
      {over && (
        <div className={styles.drop} data-testid="drop-here">
          <FileDown size={28} aria-hidden />
          <strong>{t.drop}</strong>
          <span>{t.dropHint}</span>
        </div>
      )}
    </div>
  );
}
