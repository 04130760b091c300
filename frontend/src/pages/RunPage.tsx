import { Title } from "@mantine/core";
import { useText } from "@/i18n";

export function RunPage() {
  return <Title>{useText().runs.title}</Title>;
}
