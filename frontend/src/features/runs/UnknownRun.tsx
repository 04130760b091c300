import { Button } from "@mantine/core";
import { CircleSlash } from "lucide-react";
import { Link } from "wouter";
import { useText } from "@/i18n/whole";
import { Empty } from "@/ui/States";

/** In place of a run that the service does not know. */
export function UnknownRun() {
  const t = useText().runs;
  return (
    <Empty
      icon={<CircleSlash size={26} aria-hidden />}
      title={t.unknown.title}
      actions={
        <Button component={Link} to="/runs">
          {t.unknown.toRuns}
        </Button>
      }
    >
      {t.link.gone}
    </Empty>
  );
}
