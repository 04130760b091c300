import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { useMemo } from "react";
import { queryClient } from "@/api/queries";
import { useSession } from "@/api/session";
import { Pages } from "@/app/router";
import { cssVariables, themeFor } from "@/app/theme";
import { useText } from "@/i18n";
import { SessionPage } from "@/pages/SessionPage";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { Toasts } from "@/ui/Toasts";

// The same key as in public/theme.js, which sets the scheme before the first paint.
const schemes = localStorageColorSchemeManager({ key: "layerloom.theme" });

export function App() {
  const t = useText().common;
  const theme = useMemo(() => themeFor(t), [t]);
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      colorSchemeManager={schemes}
      defaultColorScheme="auto"
      // All are computed here, so that no style sheet has to bring those that the theme leaves as they are.
      deduplicateCssVariables={false}
    >
      <ErrorBoundary>
        <QueryClientProvider client={queryClient}>
          <Content />
          <Toasts />
        </QueryClientProvider>
      </ErrorBoundary>
    </MantineProvider>
  );
}

function Content() {
  return useSession((state) => state.expired) ? <SessionPage /> : <Pages />;
}
