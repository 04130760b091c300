import { useText } from "@/i18n";
import type { ProblemCode } from "@/i18n/codes";
import { useTranslate } from "@/i18n/said";
import { quotes, Said } from "./Said";
import styles from "./States.module.css";

/** What the service says of a problem. Where some of it stays English, readers of other languages are told what helps. */
export function ProblemText({ code, message }: { code: ProblemCode; message: string }) {
  const remedy = useText().remedies[code];
  const translated = useTranslate()(message);
  if (!remedy) return message;
  if (translated !== null && !quotes(translated)) return translated;
  return (
    <>
      {remedy} <Said className={styles.original}>{message}</Said>
    </>
  );
}
