import { createBrowserRouter, type RouteObject } from "react-router";
import { Shell } from "@/app/Shell";
import { NotFoundPage } from "@/pages/NotFoundPage";
import { RouteCrash } from "@/ui/ErrorBoundary";
import { PageSkeleton } from "@/ui/States";

export const routes: RouteObject[] = [
  {
    path: "/",
    Component: Shell,
    ErrorBoundary: RouteCrash,
    HydrateFallback: PageSkeleton,
    children: [
      {
        ErrorBoundary: RouteCrash,
        children: [
          { index: true, lazy: async () => ({ Component: (await import("@/pages/EditorPage")).EditorPage }) },
          { path: "runs", lazy: async () => ({ Component: (await import("@/pages/RunsPage")).RunsPage }) },
          { path: "runs/:id", lazy: async () => ({ Component: (await import("@/pages/RunPage")).RunPage }) },
          { path: "compare", lazy: async () => ({ Component: (await import("@/pages/ComparePage")).ComparePage }) },
          { path: "data", lazy: async () => ({ Component: (await import("@/pages/DataPage")).DataPage }) },
          { path: "*", Component: NotFoundPage },
        ],
      },
    ],
  },
];

export const router = createBrowserRouter(routes);
