import { MonitorCog, Moon, Sun } from "lucide-react";

export const THEMES = { light: Sun, dark: Moon, auto: MonitorCog } as const;
