import { Notification } from "@mantine/core";
import { useEffect } from "react";
import { create } from "zustand";
import { useText } from "@/i18n";
import { Said } from "@/ui/Said";
import { errorTitle } from "@/ui/States";
import styles from "./Toasts.module.css";

interface Toast {
  id: number;
  title: string;
  message?: string | undefined;
  /** Who says the message. */
  by: "page" | "service";
  bad: boolean;
}

const useToasts = create<{ items: Toast[] }>(() => ({ items: [] }));
let next = 1;

/** What is said again is said anew, and not twice. */
function show(toast: Omit<Toast, "id">) {
  useToasts.setState(({ items }) => {
    const others = items.filter((item) => item.title !== toast.title || item.message !== toast.message);
    return { items: [...others.slice(-3), { ...toast, id: next++ }] };
  });
}

function dismiss(id: number) {
  useToasts.setState(({ items }) => ({ items: items.filter((item) => item.id !== id) }));
}

/** Says shortly that something was done. `by`: who says the message. */
export const toast = (title: string, message?: string, by: Toast["by"] = "page") =>
  show({ title, message, by, bad: false });

/** Says why something was not done. */
export function useErrorToast(): (error: unknown) => void {
  const t = useText();
  return (error) =>
    show({
      title: errorTitle(error, t),
      message: error instanceof Error ? error.message : String(error),
      by: "service",
      bad: true,
    });
}

export function Toasts() {
  const items = useToasts((state) => state.items);
  return (
    <div className={styles.stack} aria-live="polite">
      {items.map((item) => (
        <ToastItem key={item.id} item={item} />
      ))}
    </div>
  );
}

function ToastItem({ item }: { item: Toast }) {
  const t = useText().common.actions;
  useEffect(() => {
    const timer = setTimeout(() => dismiss(item.id), item.bad ? 10_000 : 4_000);
    return () => clearTimeout(timer);
  }, [item]);
  return (
    <Notification
      withBorder
      title={item.title}
      color={item.bad ? "red" : "iris"}
      onClose={() => dismiss(item.id)}
      closeButtonProps={{ "aria-label": t.dismiss }}
      role={item.bad ? "alert" : "status"}
    >
      {item.by === "service" ? <Said>{item.message ?? ""}</Said> : item.message}
    </Notification>
  );
}
