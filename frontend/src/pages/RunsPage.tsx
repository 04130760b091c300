import { Title } from "@mantine/core";
import { useText } from "@/i18n";

export function RunsPage() {
  return <Title>{useText().runs.title}</Title>;
}
