import { ActionIcon, Tooltip, useMantineColorScheme } from "@mantine/core";
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { LANGUAGES, type Language, setLanguage, useLanguage, useText } from "@/i18n";
import { apart } from "@/ui/apart";
import { Logo } from "@/ui/Logo";
import { MenuButton } from "@/ui/MenuButton";
import { TopBarProvider, TopBarSlot } from "@/ui/TopBar";
import { THEMES } from "@/ui/themes";
import styles from "./Shell.module.css";

/** The frame of every page: one slim bar, and the page below it. */
export function Shell({ busy, children }: { busy: boolean; children: ReactNode }) {
  const t = useText().common;
  return (
    <TopBarProvider>
      <div className={styles.shell}>
        <a className={styles.skip} href="#content">
          {t.skip}
        </a>
        <header className={styles.bar}>
          <Link to="/" className={styles.brand} aria-label={t.appName}>
            <Logo size={24} />
            <span className={styles.name}>{t.appName}</span>
          </Link>
          <nav className={styles.nav} aria-label={t.nav.label}>
            <PageLink to="/">{t.nav.editor}</PageLink>
            <PageLink to="/runs" and="/compare">
              {t.nav.runs}
            </PageLink>
            <PageLink to="/data">{t.nav.data}</PageLink>
          </nav>
          <TopBarSlot className={styles.slot} />
          <LanguageMenu />
          <ThemeButton />
          {busy && <div className={styles.progress} role="progressbar" aria-label={t.loading} />}
        </header>
        <main id="content" className={styles.content} tabIndex={-1}>
          {children}
        </main>
      </div>
    </TopBarProvider>
  );
}

/** Leads to a page, and is marked while that one, one below it or one that belongs to it is shown. */
function PageLink({ to, and, children }: { to: string; and?: string; children: ReactNode }) {
  const [path] = useLocation();
  const here = path === to || path === and || (to !== "/" && path.startsWith(`${to}/`));
  return (
    <Link to={to} className={styles.link} aria-current={here ? "page" : undefined}>
      {children}
    </Link>
  );
}

function LanguageMenu() {
  const t = useText().common;
  const language = useLanguage((state) => state.language);
  const next: Language = language === "en" ? "zh" : "en";
  return (
    <Tooltip label={LANGUAGES[next].label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={`${t.language}: ${LANGUAGES[next].label}`}
        data-testid="language"
        onClick={() => void setLanguage(next)}
        className={styles.tool}
      >
        <span className={styles.code}>{language === "en" ? "中" : "EN"}</span>
      </ActionIcon>
    </Tooltip>
  );
}

const ThemeMenu = apart(async () => (await import("./ThemeMenu")).ThemeMenu);

function ThemeButton() {
  const t = useText().common.theme;
  const Icon = THEMES[useMantineColorScheme().colorScheme];
  return (
    <MenuButton
      menu={ThemeMenu}
      target={
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={t.label}
          data-testid="theme"
          className={styles.tool}
        >
          <Icon size={17} aria-hidden />
        </ActionIcon>
      }
    />
  );
}
