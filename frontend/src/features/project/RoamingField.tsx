import { TextInput } from "@mantine/core";
import { Search } from "lucide-react";
import styles from "./RoamingField.module.css";
import type { useRoaming } from "./useRoaming";

interface Props {
  field: ReturnType<typeof useRoaming>["field"];
  label: string;
  /** Whether it stays in sight where the cards below do not scroll by themselves. */
  sticky?: boolean;
}

/** The search field above a list of cards. */
export function RoamingField({ field, label, sticky }: Props) {
  return (
    <TextInput
      {...field}
      data-autofocus
      className={sticky ? styles.sticky : undefined}
      aria-label={label}
      placeholder={label}
      leftSection={<Search size={15} aria-hidden />}
      autoComplete="off"
      spellCheck={false}
    />
  );
}
