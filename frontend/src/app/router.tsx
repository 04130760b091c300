import { createContext, lazy, memo, Suspense, useContext, useDeferredValue, useMemo } from "react";
import { type AroundNavHandler, type BaseLocationHook, Route, Router, Switch } from "wouter";
import { navigate, usePathname, useSearch } from "wouter/use-browser-location";
import { Shell } from "@/app/Shell";
import { NotFoundPage } from "@/pages/NotFoundPage";
import { apart } from "@/ui/apart";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { PageSkeleton } from "@/ui/States";

const EditorPage = lazy(async () => ({ default: (await import("@/pages/EditorPage")).EditorPage }));
const RunsPage = apart(async () => (await import("@/pages/RunsPage")).RunsPage);
const RunPage = apart(async () => (await import("@/pages/RunPage")).RunPage);
const ComparePage = apart(async () => (await import("@/pages/ComparePage")).ComparePage);
const DataPage = apart(async () => (await import("@/pages/DataPage")).DataPage);

/** The address whose page is shown: the browser's own, or the one before it while the code of the new page arrives. */
const Shown = createContext({ path: "/", search: "" });
const useShown: BaseLocationHook = () => [useContext(Shown).path, navigate];
const useShownSearch = () => useContext(Shown).search;

/** A link to where one is makes no second entry in the history. */
const goOnce: AroundNavHandler = (go, to, options) =>
  go(to, { ...options, replace: options?.replace ?? to === location.pathname + location.search });

/** The frame, and in it the page of the address. */
export function Pages() {
  const path = usePathname();
  const search = useSearch();
  const address = useMemo(() => ({ path, search }), [path, search]);
  const shown = useDeferredValue(address);
  return (
    <Shown value={shown}>
      <Router hook={useShown} searchHook={useShownSearch} aroundNav={goOnce}>
        <Shell busy={shown !== address}>
          <Suspense fallback={<PageSkeleton />}>
            <ErrorBoundary at={shown} again={() => location.reload()}>
              <Page />
            </ErrorBoundary>
          </Suspense>
        </Shell>
      </Router>
    </Shown>
  );
}

/** Drawn anew when another address is shown, and not when it is only wanted. */
const Page = memo(function Page() {
  return (
    <Switch>
      <Route path="/" component={EditorPage} />
      <Route path="/runs" component={RunsPage} />
      <Route path="/runs/:id" component={RunPage} />
      <Route path="/compare" component={ComparePage} />
      <Route path="/data" component={DataPage} />
      <Route component={NotFoundPage} />
    </Switch>
  );
});
