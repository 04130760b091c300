import { Button } from "@mantine/core";
import { Compass } from "lucide-react";
import { Link } from "wouter";
import { useText } from "@/i18n";
import { Empty } from "@/ui/States";

export function NotFoundPage() {
  const t = useText().common;
  return (
    <Empty
      icon={<Compass size={26} aria-hidden />}
      title={t.error.notFound}
      actions={
        <Button component={Link} to="/">
          {t.nav.editor}
        </Button>
      }
    >
      {t.error.notFoundHint}
    </Empty>
  );
}
