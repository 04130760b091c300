import { Title } from "@mantine/core";
import { useText } from "@/i18n";

export function ComparePage() {
  return <Title>{useText().runs.title}</Title>;
}
